import IR

extension Schedule {
  /// A stable merge sort of lines in local memory; lines that are longer than what fits there are sorted in blocks,
  /// which rounds of kernels merge two by two.
  static let groupSort = Schedule("sort by groups") { request in
    guard let device = request.target.workGroups, let lines = SortedLines(request),
      let sort = GroupSort(lines, device)
    else { return nil }
    return sort.scheduled()
  }
}

/// How groups sort lines: what is in local memory at once, and which kernels run.
private struct GroupSort {
  /// The most elements that an item merges in a row. Odd numbers keep items out of each other's banks.
  static let longestChunk = 7
  /// Items of a group where the device has as many.
  static let mostItems = 256
  /// Bytes of local memory that say where a group's parts of two runs begin.
  static let partByteCount = 16
  /// No line has more elements.
  static let longestLine = 1 << 40

  let lines: SortedLines
  /// The operands that move: those whose sorted values somebody uses, and those that are compared.
  let operands: [Int]
  let merge: LineMerge
  let device: WorkGroups
  /// Items of a group, and the most elements for each of them that fit into local memory twice.
  let itemCount: Int
  let chunk: Int

  /// Nil where not even two elements fit into local memory.
  init?(_ lines: SortedLines, _ device: WorkGroups) {
    self.lines = lines
    self.device = device
    let comparator = lines.sort.comparator.orderingNaNs
    let live = comparator.liveValues
    let moved = (0..<lines.operandCount).filter { operand in
      lines.opaque.results.contains(operand)
        || [2 * operand, 2 * operand + 1].contains { live[comparator.parameters[$0].index] }
    }
    operands = moved
    merge = LineMerge(comparator: comparator, operands: moved)
    let byteCount = moved.reduce(0) { $0 + max(1, lines.elementType(of: $1).byteCount) }
    let room = (device.arrayByteCount - Self.partByteCount) / (2 * byteCount)
    guard room >= 2, device.itemCount >= 2 else { return nil }
    var items = min(Self.mostItems, device.itemCount)
    while items > room { items /= 2 }
    itemCount = items
    chunk = Self.odd(min(Self.longestChunk, room / items))
  }

  private static func odd(_ count: Int) -> Int { max(1, count - (count + 1) % 2) }

  private var request: SchedulingRequest { lines.request }
  private var block: Int { itemCount * chunk }

  func scheduled() -> ScheduledFusion {
    if lines.extent == .zero { return ScheduledFusion(launches: []) }
    let results = operands.map { operand in lines.opaque.results.firstIndex(of: operand) }
    let direct: [ScheduledFusion.Argument?] = results.map { $0.map { .result($0) } }
    if let length = lines.extent.fixed, length <= block {
      return ScheduledFusion(launches: [blocks(wholeLines(length), into: direct)])
    }
    var scheduled = ScheduledFusion(launches: [])
    let front = zip(operands, direct).map { operand, result in
      result ?? scheduled.addTemporary(lines.type.with(lines.elementType(of: operand)))
    }
    let back = operands.map { scheduled.addTemporary(lines.type.with(lines.elementType(of: $0))) }
    if let length = lines.extent.fixed {
      addRounds(of: length, front, back, to: &scheduled)
    } else {
      addRounds(front, back, to: &scheduled)
      // Short lines are an item's work, or that of a few, and leave nothing to merge.
      for items in [16, 1] where items < itemCount {
        let shape = GroupSortBlock(chunk: chunk, itemsPerLine: items, lines: itemCount / items, isWholeLine: true)
        let short = ScheduledFusion.Step.launch(blocks(shape, into: direct))
        scheduled.steps = [
          .choice(.atLeast(lines.extent, shape.length + 1), then: scheduled.steps, otherwise: [short])
        ]
      }
    }
    return scheduled
  }

  /// Lines of known length in one block; the chunks are short where there is too little work for the device otherwise.
  private func wholeLines(_ length: Int) -> GroupSortBlock {
    let least = (length + itemCount - 1) / itemCount
    var chunk = min(self.chunk, length)
    if let count = lines.lineCount.fixed {
      let perItem = count * length / (itemCount * device.computeUnitCount)
      chunk = max(least, min(chunk, Self.odd(perItem)))
    }
    let items = (length + chunk - 1) / chunk
    let most = lines.lineCount.fixed.map { max(1, $0) } ?? itemCount
    return GroupSortBlock(
      chunk: chunk, itemsPerLine: items, lines: min(itemCount / items, most), isWholeLine: true)
  }

  /// The blocks of a line.
  private var parts: GroupSortBlock {
    GroupSortBlock(chunk: chunk, itemsPerLine: itemCount, lines: 1, isWholeLine: false)
  }

  private func blocks(_ shape: GroupSortBlock, into destinations: [ScheduledFusion.Argument?])
    -> ScheduledFusion.Launch
  {
    GroupSortBlocks(lines: lines, operands: operands, merge: merge, shape: shape).launch(into: destinations)
  }

  // MARK: Rounds

  /// As many rounds as a known length needs, from one memory to the other, so that the last ends in the results.
  private func addRounds(
    of length: Int, _ front: [ScheduledFusion.Argument], _ back: [ScheduledFusion.Argument],
    to scheduled: inout ScheduledFusion
  ) {
    let widths = sequence(first: block) { $0 * 2 }.prefix { $0 < length }.map(\.self)
    var (source, target) = widths.count % 2 == 0 ? (front, back) : (back, front)
    scheduled.append(blocks(parts, into: source))
    for width in widths {
      scheduled.append(merging(source, target, width, &scheduled))
      swap(&source, &target)
    }
  }

  /// Rounds for any length: those that the length needs when the program runs, there and back each.
  private func addRounds(
    _ front: [ScheduledFusion.Argument], _ back: [ScheduledFusion.Argument], to scheduled: inout ScheduledFusion
  ) {
    scheduled.append(blocks(parts, into: front))
    var width = block
    while width < Self.longestLine {
      let there = merging(front, back, width, &scheduled)
      let again = merging(back, front, width * 2, &scheduled)
      scheduled.steps.append(
        .choice(.atLeast(lines.extent, width + 1), then: [.launch(there), .launch(again)], otherwise: []))
      width *= 4
    }
  }

  /// Merges runs of `width` elements; the kernel is the same for all widths.
  private func merging(
    _ source: [ScheduledFusion.Argument], _ target: [ScheduledFusion.Argument], _ width: Int,
    _ scheduled: inout ScheduledFusion
  ) -> ScheduledFusion.Launch {
    let constant = scheduled.addConstant(Literal(.i64, [], [.integer(Int64(width))]))
    return GroupSortMerge(lines: lines, operands: operands, merge: merge, itemCount: itemCount, chunk: chunk)
      .launch(from: source, to: target, width: constant)
  }
}
