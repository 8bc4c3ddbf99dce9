import IR

extension Schedule {
  /// The first elements of sorted lines, where nobody reads more: lines are passed over once, the elements that come first
  /// are kept in order, and vectors of elements are compared with the last of those. A task is a line.
  public static let sortedPrefix = Schedule("sorted prefix") { request in
    guard let lines = SortedLines(request), let prefix = SortedPrefix(lines) else { return nil }
    return ScheduledFusion(launches: [prefix.launch()])
  }
}

private struct SortedPrefix {
  /// More elements are not kept: each that comes in moves those that come after it.
  static let mostKept = 512
  /// Shorter lines, in multiples of what is kept, are sorted whole.
  static let shortLine = 4

  let lines: SortedLines
  let comparator: Graph
  /// The operands that move: those whose sorted values somebody uses, and those that are compared.
  let moved: [Int]
  /// The moved operands that are compared, as positions in `moved`.
  let keys: [Int]
  /// How many elements of a line are needed.
  let count: Int
  let lanes: Int

  init?(_ lines: SortedLines) {
    guard let count = lines.request.neededPrefix, count > 0, count <= Self.mostKept,
      lines.extent.fixed ?? .max >= Self.shortLine * count
    else { return nil }
    let comparator = lines.sort.comparator.orderingNaNs
    let live = comparator.liveValues
    func isKey(_ operand: Int) -> Bool {
      [2 * operand, 2 * operand + 1].contains { live[comparator.parameters[$0].index] }
    }
    let moved = (0..<lines.operandCount).filter { lines.opaque.results.contains($0) || isKey($0) }
    keys = moved.indices.filter { isKey(moved[$0]) }
    let types = moved.map { lines.elementType(of: $0) }
    let widest = keys.map { types[$0].byteCount }.max() ?? 0
    lanes = lines.request.target.lanes(byteCount: max(4, widest))
    if lanes == 1 || keys.isEmpty || types.contains(where: \.isComplex) { return nil }
    self.lines = lines
    self.comparator = comparator
    self.moved = moved
    self.count = count
  }

  private var request: SchedulingRequest { lines.request }
  private var blockCount: Int { (count + lanes - 1) / lanes }
  /// How many elements of a line are kept; of short lines, all.
  private var keptCount: IntegerExpression { .minimum(lines.extent, Extent(count)) }

  /// What a line keeps: `count` elements of each moved operand in order, from position `lanes` on.
  private typealias Kept = [Memory]

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let operands = moved.map { lines.opaque.node.operands[$0] }
    var buffers = OperandBuffers(for: operands, of: request, &b)
    var outputs: [Memory] = []
    for (result, operand) in lines.opaque.results.enumerated() {
      outputs.append(buffers.add(.result(result), lines.elementType(of: operand), "sorted\(operand)", &b))
    }
    let kept = moved.map { b.addScratch(lines.elementType(of: $0), count: (blockCount + 1) * lanes) }
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: b.positions(of: .task, in: lines.otherExtents))
    fill(kept, index, &lowering, &b)
    scan(kept, index, &lowering, &b)
    write(kept, to: outputs, index, &b)
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: lines.lineCount, taskCost: lines.extent * 4)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func elements(
    _ numbers: [Int], _ index: [IntegerExpression], at position: IntegerExpression, _ mask: Register?,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var at = index
    at[lines.dimension] = position
    return numbers.map { number in
      lowering.element(of: lines.opaque.node.operands[moved[number]], at: at, mask: mask, in: &b)
    }
  }

  /// Whether the elements of `keys` on the left come before those on the right.
  private func precedes(
    _ left: [Register], _ right: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    // Nothing reads the arguments that are not given.
    var arguments = [Register](repeating: left[0], count: comparator.parameters.count)
    for (key, (l, r)) in zip(keys, zip(left, right)) {
      (arguments[2 * moved[key]], arguments[2 * moved[key] + 1]) = (l, r)
    }
    return lowering.inlined(comparator, arguments, in: &b)[0]
  }

  /// Keeps the first elements of a line.
  private func fill(
    _ kept: Kept, _ index: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    for memory in kept {
      let type = b.elementType(of: memory)
      let zero = b.constant(.zero(type), type, lanes: lanes)
      b.loop(to: IntegerExpression((blockCount + 1) * lanes), step: lanes) { b, position, _ in
        b.store(zero, memory, at: position + .lane, lanes: lanes)
        return []
      }
    }
    b.loop(to: keptCount) { b, position, _ in
      lowering.withScope { lowering in
        let element = elements(Array(moved.indices), index, at: position, nil, &lowering, &b)
        insert(element, into: kept, filled: position, &lowering, &b)
      }
      return []
    }
  }

  /// Puts an element in its place; of those kept, the ones after it move on by one. `filled` says how many are kept, where
  /// not all places are taken.
  private func insert(
    _ element: [Register], into kept: Kept, filled: IntegerExpression?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let new = keys.map { element[$0] }
    b.loop(to: IntegerExpression(blockCount)) { b, block, _ in
      lowering.withScope { lowering in
        // From the last block on, so that each reads what lies before it as it was.
        let position = IntegerExpression((blockCount - 1) * lanes) - block * lanes + .lane
        let here = kept.map { b.load($0, at: position + lanes, lanes: lanes) }
        let before = kept.map { b.load($0, at: position + (lanes - 1), lanes: lanes) }
        var comesHere = b.widen(precedes(new, keys.map { here[$0] }, &lowering, &b), to: lanes)
        var comesBefore = b.widen(precedes(new, keys.map { before[$0] }, &lowering, &b), to: lanes)
        if let filled {
          comesHere = b.apply(.or, [comesHere, isAtLeast(position, filled, &b)])
          comesBefore = b.apply(.or, [comesBefore, isAtLeast(position - 1, filled, &b)])
        }
        comesBefore = b.apply(.and, [comesBefore, isAtLeast(position, .one, &b)])
        for (number, memory) in kept.enumerated() {
          let placed = b.apply(.select, [comesHere, b.widen(element[number], to: lanes), here[number]])
          let next = b.apply(.select, [comesBefore, before[number], placed])
          b.store(next, memory, at: position + lanes, lanes: lanes)
        }
      }
      return []
    }
  }

  private func isAtLeast(_ position: IntegerExpression, _ limit: IntegerExpression, _ b: inout KernelBuilder)
    -> Register
  {
    let (position, limit) = (b.materialize(position, lanes: lanes), b.materialize(limit, lanes: 1))
    return b.apply(.compare(.greaterOrEqual, .signed), [position, limit])
  }

  /// Passes over the rest of a line, in vectors; where one has elements that come before the last that is kept, they are
  /// looked at one by one.
  private func scan(
    _ kept: Kept, _ index: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let first = b.position(keptCount)
    let strips = VectorStrips(from: first, to: lines.extent, lanes: lanes, atOnce: 1)
    strips.loop(&lowering, &b) { lowering, b, position, width, mask in
      let vector = elements(keys, index, at: position + .lane, mask, &lowering, &b)
      let last = lastKept(kept, &b)
      let comes = b.and(mask, b.widen(precedes(vector, last, &lowering, &b), to: width)) ?? mask
      guard let comes else { return }
      b.branch(b.fold(.or, comes)) { b in
        b.loop(to: IntegerExpression(width)) { b, lane, _ in
          lowering.withScope { offer(position + lane, isMasked: mask != nil, kept, index, &$0, &b) }
          return []
        }
      }
    }
  }

  private func lastKept(_ kept: Kept, _ b: inout KernelBuilder) -> [Register] {
    keys.map { b.load(kept[$0], at: IntegerExpression(lanes + count - 1), lanes: 1) }
  }

  /// Keeps the element at `position` if it comes before the last that is kept.
  private func offer(
    _ position: IntegerExpression, isMasked: Bool, _ kept: Kept, _ index: [IntegerExpression],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let isInside = isMasked ? b.isWithin(position, lines.extent, lanes: 1) : nil
    let key = elements(keys, index, at: position, isInside, &lowering, &b)
    let comes = b.and(isInside, precedes(key, lastKept(kept, &b), &lowering, &b))
    guard let comes else { return }
    b.branch(comes) { b in
      lowering.withScope { lowering in
        let element = elements(Array(moved.indices), index, at: position, nil, &lowering, &b)
        insert(element, into: kept, filled: nil, &lowering, &b)
      }
    }
  }

  private func write(_ kept: Kept, to outputs: [Memory], _ index: [IntegerExpression], _ b: inout KernelBuilder) {
    b.loop(to: keptCount) { b, position, _ in
      var at = index
      at[lines.dimension] = position
      for (output, operand) in zip(outputs, lines.opaque.results) {
        guard let number = moved.firstIndex(of: operand) else { continue }
        let value = b.load(kept[number], at: position + lanes, lanes: 1)
        b.store(value, output, at: ElementLowering.position(of: at, in: lines.type), lanes: 1)
      }
      return []
    }
  }
}
