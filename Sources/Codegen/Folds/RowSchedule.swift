import IR

extension Schedule {
  /// Rows that stay in the cache: each task folds whole rows, as often as the graph asks for, then writes the results.
  ///
  /// Softmax, layer norms and their like. An expensive value that a fold and a result share is computed once and kept in
  /// a result's own row until that is written.
  public static let row = Schedule("row") { request in
    guard request.anchor == .row || request.anchor == .reduction, let rows = RowNest(request) else { return nil }
    return ScheduledFusion(launches: [rows.launch()])
  }
}

struct RowNest {
  /// Vectors of a row that are divided by one number as fast as they are multiplied by its reciprocal.
  static let shortRow = 4
  /// Bytes of rows that are worth fetching ahead.
  static let longRow = 1024

  let request: SchedulingRequest
  /// The reductions, in order.
  let folds: [ValueID]
  /// Dimensions of the reductions' inputs that are not reduced; they come first.
  let outer: [Extent]
  /// The reduced dimensions.
  let inner: [Extent]
  let lanes: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    var folds: [ValueID] = []
    var shape: [Extent]?
    var rank: Int?
    for (position, node) in body.nodes.enumerated() {
      guard case .reduce(let reduce) = node.op else { continue }
      let dimensions = body.type(of: node.operands[0]).dimensions
      let reduced = reduce.dimensions.sorted()
      guard node.hasSingleResult, reduce.body.associativeFunction != nil, shape == nil || shape == dimensions,
        rank == nil || rank == reduced.count,
        reduced == Array((dimensions.count - reduced.count)..<dimensions.count), !reduced.isEmpty
      else { return nil }
      (shape, rank) = (dimensions, reduced.count)
      folds.append(ValueID(position))
    }
    guard let shape, let rank else { return nil }
    self.request = request
    self.folds = folds
    outer = Array(shape.dropLast(rank))
    inner = Array(shape.suffix(rank))
    var widest = 4
    for node in body.nodes {
      for type in node.resultTypes where type.rank > 0 {
        if type.elementType.isComplex { return nil }
        widest = max(widest, type.elementType.byteCount)
      }
    }
    lanes = request.target.lanes(byteCount: widest)
    let isFitting = body.resultTypes.allSatisfy { $0.dimensions == shape || $0.dimensions == outer }
    if !isFitting || lanes == 1 { return nil }
  }

  var body: Graph { request.body }
  var shape: [Extent] { outer + inner }
  var rowCount: Extent { outer.reduce(.one) { $0 * $1 } }
  var rowLength: Extent { inner.reduce(.one) { $0 * $1 } }

  func launch() -> ScheduledFusion.Launch { areShort ? groups() : wholeRows() }

  /// A kernel that is being written.
  struct Draft {
    var b: KernelBuilder
    var lowering: ElementLowering
    var outputs: [Memory]
    var arguments: [ScheduledFusion.Argument]
  }

  func draft() -> Draft {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    b.usesReciprocals = rowLength.fixed.map { $0 > Self.shortRow * lanes } ?? true
    var buffers = OperandBuffers(for: body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    let lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    return Draft(b: b, lowering: lowering, outputs: outputs, arguments: buffers.arguments)
  }

  /// A row is a task.
  private func wholeRows() -> ScheduledFusion.Launch {
    let draft = draft()
    var (b, lowering, outputs) = (draft.b, draft.lowering, draft.outputs)
    b.setBound(rowCount, ofVariable: Kernel.taskVariable)
    let row = b.positions(of: .task, in: outer)
    let kept = keptValue()
    for (pass, fold) in folds.enumerated() {
      lowering.vectorsAtOnce = vectorsAtOnce([body[fold].operands[0]], lowering)
      lowering.fetchedAhead = fetchedAhead(inPass: pass)
      if let kept, fold == kept.fold { lowering.saved[kept.value] = storage(of: kept.result, outputs) }
      // A row has one element of each fold: it is never computed again, when what it came from may be overwritten.
      lowering.pinned[fold] = lowering.element(of: fold, at: row, in: &b)
      if let kept, fold == kept.fold {
        lowering.saved[kept.value] = nil
        lowering.stored[kept.value] = storage(of: kept.result, outputs)
      }
    }
    lowering.vectorsAtOnce = vectorsAtOnce(body.results, lowering)
    lowering.fetchedAhead = fetchedAhead(inPass: folds.count)
    writeFolds(row, outputs, &lowering, &b)
    write(row, outputs, &lowering, &b)
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: rowCount, taskCost: rowLength * operationCount)
    return ScheduledFusion.Launch(kernel, draft.arguments)
  }

  var operationCount: Int { body.nodes.count { !$0.op.isParameter } }

  /// What is read of the next row while this one is passed over for the second time, when it lies in the cache: the first
  /// pass over the next row then finds it there too. Short rows follow each other so closely that processors see them come.
  /// Rows that are passed over once are a stream.
  private func fetchedAhead(inPass pass: Int) -> [Int: ElementLowering.FetchAhead] {
    var ahead: [Int: ElementLowering.FetchAhead] = [:]
    for (position, parameter) in body.parameters.enumerated() {
      let type = body.type(of: parameter)
      guard type.dimensions == shape else { continue }
      let isLong = rowLength.fixed.map { $0 * type.elementType.byteCount >= Self.longRow } ?? true
      if isPassedOverOnce {
        ahead[position] = .stream(type, request)
      } else if pass == 1, isLong {
        ahead[position] = ElementLowering.FetchAhead(distance: rowLength, level: request.target.fetchLevel)
      }
    }
    return ahead
  }

  /// Whether there is one fold, and no result has rows.
  var isPassedOverOnce: Bool {
    folds.count == 1 && body.resultTypes.allSatisfy { $0.dimensions != shape }
  }

  // MARK: Values computed once

  func storage(of result: Int, _ outputs: [Memory]) -> ElementLowering.Stored {
    let type = body.resultTypes[result]
    return ElementLowering.Stored(memory: outputs[result]) { ElementLowering.position(of: $0, in: type) }
  }

  /// The first fold whose input is expensive and is needed again later, with the result whose row can hold it.
  func keptValue() -> (value: ValueID, fold: ValueID, result: Int)? {
    for fold in folds {
      let input = body[fold].operands[0]
      let type = body.type(of: input)
      guard isExpensive(input), isUsedAfter(fold, input), isReadInPlace(input),
        let result = body.resultTypes.firstIndex(where: { $0 == type })
      else { continue }
      return (input, fold, result)
    }
    return nil
  }

  /// Whether the results need of `value` only the element at their own index, so that a row that holds it can be
  /// overwritten element by element.
  private func isReadInPlace(_ value: ValueID) -> Bool {
    var depends = [Bool](repeating: false, count: body.nodes.count)
    depends[value.index] = true
    for (position, node) in body.nodes.enumerated() where node.operands.contains(where: { depends[$0.index] }) {
      switch node.op {
      case .reduce: continue
      case .pointwise: depends[position] = true
      default: return false
      }
    }
    return true
  }

  /// Whether an element takes many operations; those of values that `lowering` reads from memory do not count.
  private func isExpensive(_ value: ValueID, beyond lowering: ElementLowering? = nil) -> Bool {
    guard case .pointwise(let pointwise) = body[value].op, lowering?.stored[value] == nil else { return false }
    if pointwise.function.isTranscendental { return true }
    return body[value].operands.contains { isExpensive($0, beyond: lowering) }
  }

  /// How many vectors of the values are best computed at once: enough to hide latencies, few enough for the registers.
  func vectorsAtOnce(_ values: [ValueID], _ lowering: ElementLowering) -> Int {
    values.contains { isExpensive($0, beyond: lowering) } ? 2 : 4
  }

  private func isUsedAfter(_ fold: ValueID, _ value: ValueID) -> Bool {
    if body.results.contains(value) { return true }
    return body.nodes.enumerated().contains { position, node in
      ValueID(position) != fold && node.operands.contains(value)
    }
  }

  // MARK: Results

  /// Writes what has an element for each row: of one row, or of rows side by side.
  func writeFolds(
    _ row: [IntegerExpression], _ outputs: [Memory], mask: Register? = nil, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    for (position, type) in body.resultTypes.enumerated() where type.dimensions != shape {
      let value = lowering.element(of: body.results[position], at: row, mask: mask, in: &b)
      b.store(value, outputs[position], at: ElementLowering.position(of: row, in: type), lanes: lanes, mask: mask)
    }
  }

  /// Writes a row of the results that have such.
  func write(
    _ row: [IntegerExpression], _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let full = body.resultTypes.indices.filter { body.resultTypes[$0].dimensions == shape }
    if full.isEmpty { return }
    // Vectors lie along the innermost dimension that has more than one element.
    let along = inner.lastIndex { $0 != .one } ?? inner.count - 1
    let others = inner.indices.filter { $0 != along }
    let origin = row + [IntegerExpression](repeating: .zero, count: inner.count)
    lines(others[...], origin, &lowering, &b) { lowering, b, at in
      let strips = VectorStrips(to: inner[along], lanes: lanes, atOnce: lowering.vectorsAtOnce)
      strips.loop(&lowering, &b) { lowering, b, position, width, mask in
        var index = at
        index[outer.count + along] = position + .lane
        emit(full, index, width, mask, outputs, &lowering, &b)
      }
    }
  }

  /// Loops over some of the inner dimensions.
  private func lines(
    _ dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, [IntegerExpression]) -> Void
  ) {
    guard let dimension = dimensions.first else { return body(&lowering, &b, at) }
    guard inner[dimension] != .one else { return lines(dimensions.dropFirst(), at, &lowering, &b, body) }
    b.loop(to: inner[dimension]) { b, variable, _ in
      var index = at
      index[outer.count + dimension] = variable
      lowering.withScope { lines(dimensions.dropFirst(), index, &$0, &b, body) }
      return []
    }
  }

  private func emit(
    _ results: [Int], _ index: [IntegerExpression], _ width: Int, _ mask: Register?, _ outputs: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    var values: [Register] = []
    for result in results {
      values.append(lowering.element(of: body.results[result], at: index, mask: mask, in: &b))
    }
    for (value, result) in zip(values, results) {
      let position = ElementLowering.position(of: index, in: body.resultTypes[result])
      b.store(value, outputs[result], at: position, lanes: width, mask: mask)
    }
  }
}

extension ScalarFunction {
  /// Whether the function takes many operations.
  var isTranscendental: Bool {
    switch self {
    case .cbrt, .cosine, .exponential, .exponentialMinusOne, .log, .logPlusOne, .logistic, .sine, .tangent,
      .hyperbolicTangent, .arcCosine, .hyperbolicArcCosine, .arcSine, .hyperbolicArcSine, .arcTangent,
      .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma, .errorFunction, .complementaryErrorFunction,
      .inverseErrorFunction, .logGamma, .arcTangent2, .power, .remainder:
      true
    default: false
    }
  }
}
