import IR

extension Pass {
  /// `reduce(x : 112x112x32, [0, 1]) -> reduce(reduce(reshape(x) : 16x7x112x32, [1, 2]), [0])`: where a reduction has many
  /// elements and few results, its parts are folded side by side.
  ///
  /// A part is what lies together in memory, so that a thread folds what it mostly wrote itself. How many parts there are does not
  /// depend on the number of threads, and so no bit of the result does. Sums of floats are rounded in another order.
  public static let splitReductions = Pass(
    "split-reductions", "folds parts of what has many elements and few results", scope: .controlFlow
  ) { graph, context throws(OpError) in
    var rebuilder = Rebuilder(graph, [.splitReduction], context)
    graph = try rebuilder.run()
    context = rebuilder.context
  }
}

extension Rule {
  /// Fewer elements are folded before a second thread is awake.
  private static let leastElements = 1 << 16
  /// More results are parts enough.
  private static let mostResults = 2048
  private static let partCounts = 4...16

  /// Into how many parts of one size an extent is cut.
  private static func partCount(_ extent: Int) -> Int? { partCounts.last { extent % $0 == 0 } }

  fileprivate static let splitReduction = Rule("split-reduction") { op, operands, b throws(OpError) in
    guard case .reduce(let reduce) = op, operands.count == 2, let function = reduce.body.foldedFunction,
      function.isAssociative, reduce.body.resultTypes[0].elementType == b.type(of: operands[0]).elementType,
      let shape = b.type(of: operands[0]).fixedDimensions
    else { return nil }
    let type = b.type(of: operands[0]).elementType
    guard [.f32, .f64, .i32, .ui32, .i64, .ui64].contains(type), let neutral = function.neutral(type),
      let split = shape.indices.first(where: { shape[$0] > 1 && reduce.dimensions.contains($0) })
    else { return nil }
    // Lines before the split dimension are parts already.
    let lines = shape[..<split].reduce(1, *)
    let count = shape.reduce(1, *)
    let results = shape.indices.reduce(1) { reduce.dimensions.contains($1) ? $0 : $0 * shape[$1] }
    guard lines < partCounts.lowerBound, results <= mostResults, count / max(1, lines) > leastElements / 2,
      count >= leastElements
    else { return nil }
    // One dimension is cut, or all that are folded with it and lie beside it.
    var end = split + 1
    var parts = partCount(shape[split])
    if parts == nil {
      while end < shape.count, reduce.dimensions.contains(end) { end += 1 }
      parts = partCount(shape[split..<end].reduce(1, *))
    }
    guard let parts else { return nil }

    let cut = Array(shape[..<split]) + [parts, shape[split..<end].reduce(1, *) / parts] + shape[end...]
    let reshaped = try b.reshaped(operands[0], to: cut.map { Extent($0) })
    let rest = reduce.dimensions.filter { !(split..<end).contains($0) }.map { $0 < split ? $0 : $0 + 2 - (end - split) }
    let inner = Reduce(dimensions: ([split + 1] + rest).sorted(), body: reduce.body)
    let first = try b.append(.reduce(inner), [reshaped, b.constant(.scalar(neutral, type))])
    let place = (0..<split).count { !reduce.dimensions.contains($0) }
    return try b.append(.reduce(Reduce(dimensions: [place], body: reduce.body)), [first, operands[1]])
  }
}
