import IR

extension Schedule {
  /// A stable merge sort of each line, all inputs moved together; a task is a line.
  public static let sort = Schedule("sort") { request in
    guard let lines = SortNest(request) else { return nil }
    return lines.scheduled()
  }
}

private struct SortNest {
  let request: SchedulingRequest
  let sort: Sort
  let opaque: OpaqueNode
  let type: TensorType
  let dimension: Int

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
  }

  private var count: Int { opaque.node.operands.count }

  func scheduled() -> ScheduledFusion {
    // One temporary for each input to merge into, and one for each input whose sorted values nobody uses.
    var scheduled = ScheduledFusion(launches: [])
    var sorted: [ScheduledFusion.Argument] = []
    for input in 0..<count {
      let elementType = opaque.node.resultTypes[input].elementType
      if let result = opaque.results.firstIndex(of: input) {
        sorted.append(.result(result))
      } else {
        scheduled.temporaries.append(type.with(elementType))
        sorted.append(.temporary(scheduled.temporaries.count - 1))
      }
    }
    var merged: [ScheduledFusion.Argument] = []
    for input in 0..<count {
      scheduled.temporaries.append(type.with(opaque.node.resultTypes[input].elementType))
      merged.append(.temporary(scheduled.temporaries.count - 1))
    }
    scheduled.append(kernel(sorted, merged))
    for (position, result) in opaque.results.enumerated() where opaque.results.firstIndex(of: result) != position {
      preconditionFailure("a fusion lists each result of a sort once")
    }
    return scheduled
  }

  private func kernel(_ sorted: [ScheduledFusion.Argument], _ merged: [ScheduledFusion.Argument])
    -> ScheduledFusion.Launch
  {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: opaque.node.operands, of: request, &b)
    var (front, back): ([Memory], [Memory]) = ([], [])
    for input in 0..<count {
      let element = opaque.node.resultTypes[input].elementType
      front.append(buffers.add(sorted[input], element, "sorted\(input)", &b))
      back.append(buffers.add(merged[input], element, "merged\(input)", &b))
    }
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: 1)
    let extent = type.dimensions[dimension]
    let others = type.dimensions.indices.filter { $0 != dimension }
    let lineCount = others.reduce(Extent.one) { $0 * type.dimensions[$1] }
    b.setBound(lineCount, ofVariable: Kernel.taskVariable)
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    let positions = b.positions(of: .task, in: others.map { type.dimensions[$0] })
    for (d, position) in zip(others, positions) { index[d] = position }
    let base = b.index(of: b.materialize(ElementLowering.position(of: index, in: type), lanes: 1))
    let line = Line(base: base, stride: type.strides[dimension], extent: extent)
    b.loop(to: extent) { b, variable, _ in
      lowering.withScope { lowering in
        var at = index
        at[dimension] = variable
        for (input, memory) in front.enumerated() {
          let value = lowering.element(of: opaque.node.operands[input], at: at, in: &b)
          b.store(value, memory, at: line.position(variable), lanes: 1)
        }
      }
      return []
    }
    // Each round merges twice, there and back, so that the sorted line ends where it began.
    let one = b.constant(.integer(1), .i64)
    let rounds = Self.rounds(extent, &b)
    b.loop(to: rounds, carrying: [one]) { b, _, widths in
      let width = b.index(of: widths[0])
      merge(front, back, line, width, &lowering, &b)
      merge(back, front, line, width * 2, &lowering, &b)
      return [b.materialize(width * 4, lanes: 1)]
    }
    let cost = extent * (32 * count)
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: lineCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// How many times the width is to be multiplied by four until one run is as long as the line.
  private static func rounds(_ extent: Extent, _ b: inout KernelBuilder) -> IntegerExpression {
    if let fixed = extent.fixed {
      var (rounds, width) = (0, 1)
      while width < fixed {
        width *= 4
        rounds += 1
      }
      return IntegerExpression(rounds)
    }
    // ceil(bits / 2), where `bits` is the number of bits of the last position.
    let last = b.materialize(.maximum(extent - 1, .zero), lanes: 1)
    let zeros = b.index(of: b.apply(.countLeadingZeros, [last]))
    return (IntegerExpression(65) - zeros).floorDivided(by: 2)
  }

  private struct Line {
    var base: IntegerExpression
    var stride: Extent
    var extent: Extent
    func position(_ i: IntegerExpression) -> IntegerExpression { base + i * stride }
  }

  /// Merges runs of `width` from `source` pairwise into `target`.
  private func merge(
    _ source: [Memory], _ target: [Memory], _ line: Line, _ width: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let length = b.materialize(line.extent + width * 2 - 1, lanes: 1)
    let pairs = b.index(of: b.apply(.divide, [length, b.materialize(width * 2, lanes: 1)]))
    b.loop(to: pairs) { b, pair, _ in
      let start = pair * width * 2
      let middle = b.index(of: b.materialize(.minimum(start + width, line.extent), lanes: 1))
      let end = b.index(of: b.materialize(.minimum(start + width * 2, line.extent), lanes: 1))
      let first = b.materialize(start, lanes: 1)
      let second = b.materialize(middle, lanes: 1)
      b.loop(from: start, to: end, carrying: [first, second]) { b, place, carried in
        lowering.withScope { step(source, target, line, place, carried, middle, end, &$0, &b) }
      }
      return []
    }
  }

  private func step(
    _ source: [Memory], _ target: [Memory], _ line: Line, _ place: IntegerExpression, _ carried: [Register],
    _ middle: IntegerExpression, _ end: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let (i, j) = (b.index(of: carried[0]), b.index(of: carried[1]))
    let hasLeft = b.apply(.compare(.less, .signed), [carried[0], b.materialize(middle, lanes: 1)])
    let hasRight = b.apply(.compare(.less, .signed), [carried[1], b.materialize(end, lanes: 1)])
    var pairs: [Register] = []
    var values: [(Register, Register)] = []
    for memory in source {
      let left = b.load(memory, at: line.position(i), lanes: 1, mask: hasLeft)
      let right = b.load(memory, at: line.position(j), lanes: 1, mask: hasRight)
      values.append((left, right))
      // The comparator is asked whether the right one comes first.
      pairs += [right, left]
    }
    let rightFirst = lowering.inlined(sort.comparator, pairs, in: &b)[0]
    let takesRight = b.apply(
      .and, [hasRight, b.apply(.or, [rightFirst, b.apply(.not, [hasLeft])])])
    for (memory, value) in zip(target, values) {
      let taken = b.apply(.select, [takesRight, value.1, value.0])
      b.store(taken, memory, at: line.position(place), lanes: 1)
    }
    let step = b.convert(takesRight, to: .i64)
    let one = b.constant(.integer(1), .i64)
    return [b.apply(.add, [carried[0], b.apply(.subtract, [one, step])]), b.apply(.add, [carried[1], step])]
  }
}
