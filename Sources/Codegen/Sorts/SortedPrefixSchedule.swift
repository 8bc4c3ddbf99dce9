import IR

extension Schedule {
  /// The first elements of sorted lines, where nobody reads more: lines are passed over once, and the elements that come
  /// first are kept in order. A task is a vector of lines, or a line. Short lines of which many elements are read are sorted
  /// whole.
  public static let sortedPrefix = Schedule("sorted prefix") { request in
    guard let lines = SortedLines(request), let prefix = SortedPrefix(lines) else { return nil }
    if lines.extent.isFixed, let whole = SortInVectors(prefix), prefix.count >= whole.shortestPrefix { return nil }
    let launch =
      PrefixesSideBySide(prefix)?.launch() ?? PrefixesOfShortLines(prefix)?.launch() ?? PrefixByRanks(prefix)?.launch()
      ?? PrefixOfLine(prefix)?.launch()
    return launch.map { ScheduledFusion(launches: [$0]) }
  }
}

/// The first elements of a sorted line: vectors of elements are compared with the last that is kept, and those that come
/// before it are put in their places one by one. A task is a line.
private struct PrefixOfLine {
  let prefix: SortedPrefix
  let lanes: Int

  init?(_ prefix: SortedPrefix) {
    lanes = prefix.lanes
    guard lanes > 1, prefix.count < PrefixByRanks.leastKept,
      prefix.lines.extent.fixed ?? .max >= prefix.count * SortedPrefix.shortLine
    else { return nil }
    self.prefix = prefix
  }

  private var lines: SortedLines { prefix.lines }
  private var count: Int { prefix.count }
  private var blockCount: Int { (count + lanes - 1) / lanes }

  /// What a line keeps: `count` elements of each moved operand in order, from position `lanes` on.
  private typealias Kept = [Memory]

  func launch() -> ScheduledFusion.Launch {
    var draft = prefix.draft(lanes: lanes)
    let kept = prefix.keptTypes.map { draft.b.addScratch($0, count: (blockCount + 1) * lanes) }
    draft.b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: draft.b.positions(of: .task, in: lines.otherExtents))
    fill(kept, index, &draft.lowering, &draft.b)
    scan(kept, index, &draft.lowering, &draft.b)
    draft.b.loop(to: prefix.keptCount) { b, position, _ in
      prefix.write(index, at: position, mask: nil, lanes: 1, to: draft.outputs, &b) { number, b in
        b.load(kept[number], at: position + lanes, lanes: 1)
      }
      return []
    }
    return prefix.launch(draft, taskCount: lines.lineCount, taskCost: lines.extent * 4)
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
    b.loop(to: prefix.keptCount) { b, position, _ in
      lowering.withScope { lowering in
        let element = prefix.elements(prefix.all, index, at: position, nil, &lowering, &b)
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
    let new = prefix.keys.map { element[$0] }
    b.loop(to: IntegerExpression(blockCount)) { b, block, _ in
      lowering.withScope { lowering in
        // From the last block on, so that each reads what lies before it as it was.
        let position = IntegerExpression((blockCount - 1) * lanes) - block * lanes + .lane
        let here = kept.map { b.load($0, at: position + lanes, lanes: lanes) }
        let before = kept.map { b.load($0, at: position + (lanes - 1), lanes: lanes) }
        var comesHere = b.widen(prefix.precedes(new, prefix.keys.map { here[$0] }, &lowering, &b), to: lanes)
        var comesBefore = b.widen(prefix.precedes(new, prefix.keys.map { before[$0] }, &lowering, &b), to: lanes)
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
    let first = b.position(prefix.keptCount)
    let strips = VectorStrips(from: first, to: lines.extent, lanes: lanes, atOnce: 1)
    strips.loop(&lowering, &b) { lowering, b, position, width, mask in
      let vector = prefix.elements(prefix.keys, index, at: position + .lane, mask, &lowering, &b)
      let last = lastKept(kept, &b)
      let comes = b.and(mask, b.widen(prefix.precedes(vector, last, &lowering, &b), to: width)) ?? mask
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
    prefix.keys.map { b.load(kept[$0], at: IntegerExpression(lanes + count - 1), lanes: 1) }
  }

  /// Keeps the element at `position` if it comes before the last that is kept.
  private func offer(
    _ position: IntegerExpression, isMasked: Bool, _ kept: Kept, _ index: [IntegerExpression],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let isInside = isMasked ? b.isWithin(position, lines.extent, lanes: 1) : nil
    let key = prefix.elements(prefix.keys, index, at: position, isInside, &lowering, &b)
    let comes = b.and(isInside, prefix.precedes(key, lastKept(kept, &b), &lowering, &b))
    guard let comes else { return }
    b.branch(comes) { b in
      lowering.withScope { lowering in
        let element = prefix.elements(prefix.all, index, at: position, nil, &lowering, &b)
        insert(element, into: kept, filled: nil, &lowering, &b)
      }
    }
  }
}
