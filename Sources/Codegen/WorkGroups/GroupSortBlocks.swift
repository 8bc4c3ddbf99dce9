import IR

/// The elements that a group sorts in its local memory: of each of some lines as many as its items have in chunks.
struct GroupSortBlock {
  /// Elements of a line that one item sorts alone, and then merges.
  var chunk: Int
  var itemsPerLine: Int
  var lines: Int
  /// Whether no line is longer than the block.
  var isWholeLine: Bool

  /// The most elements of a line.
  var length: Int { chunk * itemsPerLine }
  var elementCount: Int { length * lines }
  /// At least two: a lone item would be no group.
  var itemCount: Int { max(2, itemsPerLine * lines) }
}

/// The kernel whose groups sort blocks of lines in local memory.
///
/// Each item sorts its chunk; then the runs are merged two by two, from one half of the memory to the other, until the
/// block is one run. Each item writes as many elements as a chunk has, and finds by bisection where they come from.
struct GroupSortBlocks {
  let lines: SortedLines
  let operands: [Int]
  let merge: LineMerge
  let shape: GroupSortBlock

  /// What a group sorts.
  private struct Place {
    var firstLine: IntegerExpression
    /// Lines that there are.
    var lineCount: IntegerExpression
    /// Where the block begins in its line, and how many elements it has.
    var start: IntegerExpression
    var length: IntegerExpression
  }

  /// The part of the block that is one item's.
  private struct Chunk {
    var number: IntegerExpression
    /// Where the line lies in local memory, and how many elements it has there.
    var base: IntegerExpression
    var length: IntegerExpression
    var from: IntegerExpression
    var end: IntegerExpression
  }

  /// Writes the blocks of those operands that have a destination.
  func launch(into destinations: [ScheduledFusion.Argument?]) -> ScheduledFusion.Launch {
    let (request, extent) = (lines.request, lines.extent)
    var b = KernelBuilder(target: request.target)
    b.itemCount = shape.itemCount
    var buffers = OperandBuffers(for: operands.map { lines.opaque.node.operands[$0] }, of: request, &b)
    var outputs: [Memory?] = []
    for (operand, destination) in zip(operands, destinations) {
      outputs.append(destination.map { buffers.add($0, lines.elementType(of: operand), "sorted\(operand)", &b) })
    }
    let local = operands.map { b.addShared(lines.elementType(of: $0), count: 2 * shape.elementCount) }
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: 1)
    let blockCount = shape.isWholeLine ? .one : (extent + (shape.length - 1)).floorDivided(by: Extent(shape.length))
    let groupCount = (lines.lineCount + (shape.lines - 1)).floorDivided(by: Extent(shape.lines))
    b.setBound(groupCount * blockCount, ofVariable: Kernel.taskVariable)
    let place = place(b.positions(of: .task, in: [groupCount, blockCount]), &b)
    forEach(place, place.length, &lowering, &b) { lowering, b, at, position in
      for (operand, memory) in zip(operands, local) {
        let value = lowering.element(of: lines.opaque.node.operands[operand], at: at, in: &b)
        b.store(value, memory, at: position, lanes: 1)
      }
    }
    b.append(.barrier)
    let half = sorted(local, chunk(of: place, &b), &lowering, &b)
    forEach(place, needed(of: place, &b), &lowering, &b) { _, b, at, position in
      for (output, memory) in zip(outputs, local) {
        guard let output else { continue }
        let value = b.load(memory, at: half + position, lanes: 1)
        b.store(value, output, at: ElementLowering.position(of: at, in: lines.type), lanes: 1)
      }
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: groupCount * blockCount,
      taskCost: Extent(32 * operands.count * shape.elementCount))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func place(_ task: [IntegerExpression], _ b: inout KernelBuilder) -> Place {
    let (firstLine, start) = (task[0] * shape.lines, task[1] * shape.length)
    let isOne = shape.lines == 1
    return Place(
      firstLine: firstLine,
      lineCount: isOne ? .one : b.position(.minimum(lines.lineCount - firstLine, Extent(shape.lines))),
      start: start,
      length: shape.isWholeLine ? lines.extent : b.position(.minimum(lines.extent - start, Extent(shape.length))))
  }

  /// How many elements of a sorted line are read.
  private func needed(of place: Place, _ b: inout KernelBuilder) -> IntegerExpression {
    guard let prefix = lines.request.neededPrefix else { return place.length }
    return b.position(.minimum(place.length, IntegerExpression(prefix)))
  }

  /// Calls `body` for the first `length` elements of each of the group's lines, side by side for items side by side,
  /// with their index and their position in local memory.
  private func forEach(
    _ place: Place, _ length: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, [IntegerExpression], IntegerExpression) -> Void
  ) {
    let alongLine = lines.type.strides[lines.dimension] == .one
    b.loop(from: .item, to: length * place.lineCount, step: shape.itemCount) { b, number, _ in
      var (line, position) = (IntegerExpression.zero, number)
      if shape.lines > 1 {
        let inner = alongLine ? length : place.lineCount
        let parts = (number.floorDivided(by: inner), number.modulo(inner))
        (line, position) = alongLine ? parts : (parts.1, parts.0)
      }
      var at = lines.index(ofLine: b.positions(of: place.firstLine + line, in: lines.otherExtents))
      at[lines.dimension] = place.start + position
      lowering.withScope { body(&$0, &b, at, line * shape.length + position) }
      return []
    }
  }

  private func chunk(of place: Place, _ b: inout KernelBuilder) -> Chunk {
    let line = b.index(of: b.materialize(IntegerExpression.item.floorDivided(by: Extent(shape.itemsPerLine)), lanes: 1))
    let number = b.index(of: b.materialize(IntegerExpression.item.modulo(Extent(shape.itemsPerLine)), lanes: 1))
    var length = place.length
    if shape.itemCount > shape.itemsPerLine {
      // The items of lines that are not there have nothing to do.
      let isThere = b.apply(
        .compare(.less, .signed), [b.materialize(line, lanes: 1), b.materialize(place.lineCount, lanes: 1)])
      let none = b.constant(.integer(0), .i64)
      length = b.index(of: b.apply(.select, [isThere, b.materialize(length, lanes: 1), none]))
    }
    let from = b.index(of: b.materialize(.minimum(number * shape.chunk, length), lanes: 1))
    let end = b.index(of: b.materialize(.minimum(number * shape.chunk + shape.chunk, length), lanes: 1))
    return Chunk(number: number, base: line * shape.length, length: length, from: from, end: end)
  }

  // MARK: In local memory

  /// Sorts each line; returns where the half of the memory begins that has the sorted lines.
  private func sorted(
    _ memories: [Memory], _ chunk: Chunk, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> IntegerExpression {
    var (half, width) = (0, 1)
    while width < shape.chunk {
      sort(chunk, width, line(memories, chunk, half), line(memories, chunk, shape.elementCount - half), &lowering, &b)
      (half, width) = (shape.elementCount - half, width * 2)
    }
    b.append(.barrier)
    let rounds = rounds(&b)
    if rounds == .zero { return IntegerExpression(half) }
    let carried = [shape.chunk, -2, half].map { b.constant(.integer(Int64($0)), .i64) }
    let last = b.loop(to: rounds, carrying: carried) { b, _, carried in
      let (width, half) = (b.index(of: carried[0]), b.index(of: carried[2]))
      let other = IntegerExpression(shape.elementCount) - half
      // The number of the first chunk of the pair of runs that the item's chunk is in.
      let first = b.apply(.and, [b.materialize(chunk.number, lanes: 1), carried[1]])
      let start = b.index(of: b.materialize(.minimum(b.index(of: first) * shape.chunk, chunk.length), lanes: 1))
      let runs = runs(from: start, width, before: chunk.length, &b)
      merge.part(
        line(memories, chunk, half), line(memories, chunk, other), runs, from: chunk.from, to: chunk.end, &lowering, &b)
      b.append(.barrier)
      return [width * 2, b.index(of: carried[1]) * 2, other].map { b.materialize($0, lanes: 1) }
    }
    return b.index(of: last[2])
  }

  private func line(_ memories: [Memory], _ chunk: Chunk, _ half: Int) -> LineMemory {
    line(memories, chunk, IntegerExpression(half))
  }

  private func line(_ memories: [Memory], _ chunk: Chunk, _ half: IntegerExpression) -> LineMemory {
    LineMemory(memories: memories, base: chunk.base + half, stride: .one)
  }

  private func runs(
    from start: IntegerExpression, _ width: IntegerExpression, before end: IntegerExpression, _ b: inout KernelBuilder
  ) -> LineMerge.Runs {
    let middle = b.index(of: b.materialize(.minimum(start + width, end), lanes: 1))
    let last = b.index(of: b.materialize(.minimum(start + width * 2, end), lanes: 1))
    return LineMerge.Runs(first: start, middle: middle, last: last)
  }

  /// Merges runs of `width` elements inside the item's chunk.
  private func sort(
    _ chunk: Chunk, _ width: Int, _ source: LineMemory, _ target: LineMemory, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let pairs = (shape.chunk + 2 * width - 1) / (2 * width)
    b.loop(to: IntegerExpression(pairs)) { b, pair, _ in
      let start = b.index(of: b.materialize(.minimum(chunk.from + pair * (2 * width), chunk.end), lanes: 1))
      let runs = runs(from: start, IntegerExpression(width), before: chunk.end, &b)
      let first = [start, runs.middle].map { b.materialize($0, lanes: 1) }
      b.loop(from: start, to: runs.last, carrying: first) { b, place, carried in
        lowering.withScope { merge.step(source, target, runs, place, carried, &$0, &b) }
      }
      return []
    }
  }

  /// How often the runs are merged two by two until the longest line is one run.
  private func rounds(_ b: inout KernelBuilder) -> IntegerExpression {
    if shape.itemsPerLine == 1 { return .zero }
    let longest = IntegerExpression.minimum(lines.extent, Extent(shape.length))
    let runs = (longest + (shape.chunk - 1)).floorDivided(by: Extent(shape.chunk))
    if let count = runs.fixed { return IntegerExpression(Int.bitWidth - max(0, count - 1).leadingZeroBitCount) }
    let last = b.materialize(.maximum(runs - 1, .zero), lanes: 1)
    return IntegerExpression(64) - b.index(of: b.apply(.countLeadingZeros, [last]))
  }
}
