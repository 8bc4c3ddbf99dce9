import IR

/// The kernel that merges sorted runs of lines two by two, from one memory to another.
///
/// Each group writes as many elements of a line as fit into local memory. Two of its items find by bisection which parts
/// of the runs they come from; all copy those parts to local memory and merge them there.
struct GroupSortMerge {
  let lines: SortedLines
  let operands: [Int]
  let merge: LineMerge
  let itemCount: Int
  /// Elements that an item writes.
  let chunk: Int

  /// What a group writes, counted from the beginning of the line: elements of the two runs.
  private struct Tile {
    var start: IntegerExpression
    var end: IntegerExpression
    var runs: LineMerge.Runs
  }

  /// `width` is a scalar: the elements of a run, a multiple of what a group writes.
  func launch(
    from sources: [ScheduledFusion.Argument], to targets: [ScheduledFusion.Argument],
    width: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    let (request, count) = (lines.request, itemCount * chunk)
    var b = KernelBuilder(target: request.target)
    b.itemCount = itemCount
    let widthMemory = b.addBuffer("width", .i64, isWritten: false)
    let inputs = operands.map { b.addBuffer("runs\($0)", lines.elementType(of: $0), isWritten: false) }
    let outputs = operands.map { b.addBuffer("merged\($0)", lines.elementType(of: $0), isWritten: true) }
    let local = operands.map { b.addShared(lines.elementType(of: $0), count: 2 * count) }
    var lowering = ElementLowering(graph: request.body, inputs: [], lanes: 1)
    let tileCount = (lines.extent + (count - 1)).floorDivided(by: Extent(count))
    b.setBound(lines.lineCount * tileCount, ofVariable: Kernel.taskVariable)
    let place = b.positions(of: .task, in: [lines.lineCount, tileCount])
    let index = lines.index(ofLine: b.positions(of: place[0], in: lines.otherExtents))
    let base = b.index(of: b.materialize(ElementLowering.position(of: index, in: lines.type), lanes: 1))
    let stride = lines.type.strides[lines.dimension]
    let source = LineMemory(memories: inputs, base: base, stride: stride)
    let target = LineMemory(memories: outputs, base: base, stride: stride)
    let tile = tile(place[1] * count, b.load(widthMemory, at: .zero, lanes: 1), &b)
    let middle = copy(tile, source, to: local, &lowering, &b)
    b.append(.barrier)
    mergeCopied(tile, local, middle, &lowering, &b)
    b.append(.barrier)
    b.loop(from: .item, to: tile.end - tile.start, step: itemCount) { b, number, _ in
      for (memory, output) in zip(local, target.memories) {
        let value = b.load(memory, at: number + count, lanes: 1)
        b.store(value, output, at: target.position(tile.start + number), lanes: 1)
      }
      return []
    }
    let kernel = b.kernel(
      name: "\(request.name)_merge", sources: request.sources, taskCount: lines.lineCount * tileCount,
      taskCost: Extent(32 * operands.count * count))
    return ScheduledFusion.Launch(kernel, [width] + sources + targets)
  }

  /// A tile of which no element is read is empty, and begins where its runs do.
  private func tile(_ start: IntegerExpression, _ width: Register, _ b: inout KernelBuilder) -> Tile {
    let run = b.index(of: width)
    let pair = b.apply(.divide, [b.materialize(start, lanes: 1), b.materialize(run * 2, lanes: 1)])
    let first = b.index(of: b.materialize(b.index(of: pair) * run * 2, lanes: 1))
    let middle = b.index(of: b.materialize(.minimum(first + run, lines.extent), lanes: 1))
    let last = b.index(of: b.materialize(.minimum(first + run * 2, lines.extent), lanes: 1))
    let whole = IntegerExpression.minimum(start + itemCount * chunk, lines.extent)
    let runs = LineMerge.Runs(first: first, middle: middle, last: last)
    guard let prefix = lines.request.neededPrefix else {
      return Tile(start: start, end: b.index(of: b.materialize(whole, lanes: 1)), runs: runs)
    }
    let needed = b.materialize(.minimum(whole, first + prefix), lanes: 1)
    let isEmpty = b.apply(.compare(.lessOrEqual, .signed), [needed, b.materialize(start, lanes: 1)])
    let none = b.materialize(first, lanes: 1)
    let ends = [b.materialize(start, lanes: 1), needed].map { b.apply(.select, [isEmpty, none, $0]) }
    return Tile(start: b.index(of: ends[0]), end: b.index(of: ends[1]), runs: runs)
  }

  /// Copies the elements of the first run that the tile needs, then those of the second; returns how many the first has.
  private func copy(
    _ tile: Tile, _ source: LineMemory, to local: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> IntegerExpression {
    let splits = b.addShared(.i64, count: 2)
    let isSearching = b.apply(
      .compare(.less, .signed), [b.materialize(.item, lanes: 1), b.constant(.integer(2), .i64)])
    b.branch(isSearching) { b in
      let count = b.index(of: b.materialize(tile.start + .item * (tile.end - tile.start) - tile.runs.first, lanes: 1))
      let split = lowering.withScope { merge.split(source, tile.runs, count: count, &$0, &b) }
      b.store(split, splits, at: .item, lanes: 1)
    }
    b.append(.barrier)
    let (before, after) = (b.index(of: b.load(splits, at: .zero, lanes: 1)), b.load(splits, at: .one, lanes: 1))
    // A comparator that is no order may find an end before the beginning.
    let taken = IntegerExpression.minimum(
      .maximum(b.index(of: after) - before, .zero), tile.end - tile.start)
    let fromFirst = b.index(of: b.materialize(taken, lanes: 1))
    let first = tile.runs.first + before
    let second = tile.runs.middle + (tile.start - tile.runs.first) - before
    b.loop(from: .item, to: tile.end - tile.start, step: itemCount) { b, number, _ in
      let isFirst = b.apply(
        .compare(.less, .signed), [b.materialize(number, lanes: 1), b.materialize(fromFirst, lanes: 1)])
      let places = [first + number, second + number - fromFirst].map { b.materialize($0, lanes: 1) }
      let place = b.index(of: b.apply(.select, [isFirst] + places))
      for (memory, copied) in zip(source.memories, local) {
        b.store(b.load(memory, at: source.position(place), lanes: 1), copied, at: number, lanes: 1)
      }
      return []
    }
    return fromFirst
  }

  /// Merges what is in the first half of local memory into the second half.
  private func mergeCopied(
    _ tile: Tile, _ local: [Memory], _ middle: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let length = tile.end - tile.start
    let from = b.index(of: b.materialize(.minimum(.item * chunk, length), lanes: 1))
    let end = b.index(of: b.materialize(.minimum(.item * chunk + chunk, length), lanes: 1))
    let source = LineMemory(memories: local, base: .zero, stride: .one)
    let target = LineMemory(memories: local, base: IntegerExpression(itemCount * chunk), stride: .one)
    let runs = LineMerge.Runs(first: .zero, middle: middle, last: length)
    merge.part(source, target, runs, from: from, to: end, &lowering, &b)
  }
}
