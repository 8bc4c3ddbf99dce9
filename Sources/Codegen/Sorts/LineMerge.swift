import IR

/// The sort of a fusion, and the lines that it orders.
struct SortedLines {
  let request: SchedulingRequest
  let sort: Sort
  let opaque: OpaqueNode
  let type: TensorType
  let dimension: Int

  /// Nil where the fusion's results are not results of one sort.
  init?(_ request: SchedulingRequest) {
    guard
      let opaque = OpaqueNode(
        request.body,
        {
          if case .sort = $0 { return true }
          return false
        }), case .sort(let sort) = opaque.node.op
    else { return nil }
    self.request = request
    self.sort = sort
    self.opaque = opaque
    type = request.body.type(of: opaque.node.operands[0])
    dimension = sort.dimension < 0 ? sort.dimension + type.rank : sort.dimension
    for (position, result) in opaque.results.enumerated() where opaque.results.firstIndex(of: result) != position {
      preconditionFailure("a fusion lists each result of a sort once")
    }
  }

  var operandCount: Int { opaque.node.operands.count }
  var extent: Extent { type.dimensions[dimension] }
  /// The dimensions that number the lines, and their extents.
  var others: [Int] { type.dimensions.indices.filter { $0 != dimension } }
  var otherExtents: [Extent] { others.map { type.dimensions[$0] } }
  var lineCount: Extent { otherExtents.reduce(.one) { $0 * $1 } }

  func elementType(of operand: Int) -> ElementType { opaque.node.resultTypes[operand].elementType }

  /// The index of the line at `positions` along the other dimensions.
  func index(ofLine positions: [IntegerExpression]) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    for (d, position) in zip(others, positions) { index[d] = position }
    return index
  }
}

/// Where the elements of a line are, in a memory for each operand of a sort: `stride` apart from `base` on.
struct LineMemory {
  var memories: [Memory]
  var base: IntegerExpression
  var stride: Extent

  func position(_ i: IntegerExpression) -> IntegerExpression { base + i * stride }
}

/// Merges of sorted runs of lines, by a comparator. Of equal elements those of the first run come first.
struct LineMerge {
  /// Two runs of a line that lie side by side: from `first` to before `middle`, and from there to before `last`.
  struct Runs {
    var first: IntegerExpression
    var middle: IntegerExpression
    var last: IntegerExpression
  }

  let comparator: Graph
  /// For each memory of a line, the operand of the sort whose elements it holds.
  let operands: [Int]

  /// Writes the element that comes next to `place` of the target; `carried` are the positions that are next in the two
  /// runs. Returns those after it.
  func step(
    _ source: LineMemory, _ target: LineMemory, _ runs: Runs, _ place: IntegerExpression, _ carried: [Register],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let (i, j) = (b.index(of: carried[0]), b.index(of: carried[1]))
    let hasLeft = b.apply(.compare(.less, .signed), [carried[0], b.materialize(runs.middle, lanes: 1)])
    let hasRight = b.apply(.compare(.less, .signed), [carried[1], b.materialize(runs.last, lanes: 1)])
    var values: [(left: Register, right: Register)] = []
    for memory in source.memories {
      let left = b.load(memory, at: source.position(i), lanes: 1, mask: hasLeft)
      values.append((left, b.load(memory, at: source.position(j), lanes: 1, mask: hasRight)))
    }
    let rightFirst = isRightFirst(values, of: operands, &lowering, &b)
    let takesRight = b.apply(
      .and, [hasRight, b.apply(.or, [rightFirst, b.apply(.not, [hasLeft])])])
    for (memory, value) in zip(target.memories, values) {
      let taken = b.apply(.select, [takesRight, value.right, value.left])
      b.store(taken, memory, at: target.position(place), lanes: 1)
    }
    let step = b.convert(takesRight, to: .i64)
    let one = b.constant(.integer(1), .i64)
    return [b.apply(.add, [carried[0], b.apply(.subtract, [one, step])]), b.apply(.add, [carried[1], step])]
  }

  /// Writes the elements `from` to before `end` of the merged runs, counted from the beginning of the line.
  func part(
    _ source: LineMemory, _ target: LineMemory, _ runs: Runs, from: IntegerExpression, to end: IntegerExpression,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let count = from - runs.first
    let split = lowering.withScope { b.index(of: self.split(source, runs, count: count, &$0, &b)) }
    let first = b.materialize(runs.first + split, lanes: 1)
    let second = b.materialize(runs.middle + count - split, lanes: 1)
    b.loop(from: from, to: end, carrying: [first, second]) { b, place, carried in
      lowering.withScope { step(source, target, runs, place, carried, &$0, &b) }
    }
  }

  /// How many of the first `count` elements of the merged runs are the first run's: the least number for which the next
  /// element of that run comes after all that the second run gives.
  func split(
    _ source: LineMemory, _ runs: Runs, count: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    let least = b.materialize(.maximum(.zero, count - (runs.last - runs.middle)), lanes: 1)
    let most = b.materialize(.minimum(count, runs.middle - runs.first), lanes: 1)
    let zeros = b.apply(.countLeadingZeros, [b.apply(.subtract, [most, least])])
    let rounds = IntegerExpression(64) - b.index(of: zeros)
    let live = comparator.liveValues
    let keys = source.memories.indices.filter { n in
      [2 * operands[n], 2 * operands[n] + 1].contains { live[comparator.parameters[$0].index] }
    }
    return b.loop(to: rounds, carrying: [least, most]) { b, _, bounds in
      let isOpen = b.apply(.compare(.less, .signed), bounds)
      let half = b.apply(.shiftRightLogical, [b.apply(.add, bounds), b.constant(.integer(1), .i64)])
      let middle = b.index(of: half)
      var values: [(left: Register, right: Register)] = []
      for key in keys {
        let memory = source.memories[key]
        let left = b.load(memory, at: source.position(runs.first + middle), lanes: 1, mask: isOpen)
        let right = source.position(runs.middle + count - 1 - middle)
        values.append((left, b.load(memory, at: right, lanes: 1, mask: isOpen)))
      }
      let rightFirst = lowering.withScope { isRightFirst(values, of: keys.map { operands[$0] }, &$0, &b) }
      let takesLeft = b.apply(.and, [isOpen, b.apply(.not, [rightFirst])])
      let takesRight = b.apply(.and, [isOpen, rightFirst])
      let next = b.apply(.add, [half, b.constant(.integer(1), .i64)])
      return [b.apply(.select, [takesLeft, next, bounds[0]]), b.apply(.select, [takesRight, half, bounds[1]])]
    }[0]
  }

  /// Whether the right elements come before the left ones; `operands` are those that the comparator needs.
  private func isRightFirst(
    _ values: [(left: Register, right: Register)], of operands: [Int], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    // Nothing reads the arguments that are not given.
    var arguments = [Register](repeating: values.first?.left ?? Register(0), count: comparator.parameters.count)
    for (operand, value) in zip(operands, values) {
      (arguments[2 * operand], arguments[2 * operand + 1]) = (value.right, value.left)
    }
    return lowering.inlined(comparator, arguments, in: &b)[0]
  }
}

extension Graph {
  /// The same comparator, but that NaN comes after all numbers where floats are ordered by `<` or `>`.
  ///
  /// Those say that NaN is equal to every number, which is no order. Merges in parts would lose elements.
  var orderingNaNs: Graph {
    var ordered = Graph()
    var copies: [ValueID] = []
    let opposites: [ComparisonDirection: ComparisonDirection] = [.less: .greaterOrEqual, .greater: .lessOrEqual]
    func append(_ function: ScalarFunction, _ operands: [ValueID]) -> ValueID {
      ordered.appendUnchecked(
        Node(op: .pointwise(Pointwise(function)), operands: operands, resultTypes: [.scalar(.i1)], location: .unknown))
    }
    for node in nodes {
      let operands = node.operands.map { copies[$0.index] }
      if case .pointwise(let pointwise) = node.op, case .compare(let direction, .float) = pointwise.function,
        let opposite = opposites[direction]
      {
        let isNumber = append(.compare(.equal, .float), [operands[0], operands[0]])
        let isOpposite = append(.compare(opposite, .float), operands)
        copies.append(append(.and, [isNumber, append(.not, [isOpposite])]))
      } else {
        copies.append(
          ordered.appendUnchecked(
            Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location)))
      }
    }
    ordered.results = results.map { copies[$0.index] }
    return ordered
  }
}
