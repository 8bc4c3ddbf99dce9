import IR

/// A sort of lines by the digits of their keys, the lowest first: each pass puts the elements behind those of lower
/// digits, in the order in which they come. A task is a line.
struct RadixSort {
  /// Bits of a digit. More take fewer passes, but tables that leave the first-level cache.
  private static let digitBits = 8
  /// Shorter lines, in multiples of how many passes there are, are merged in less time than the tables take.
  private static let shortestLineOfPass = 16
  /// Elements whose digits are computed at once.
  private static let block = 256
  /// What a line has is kept in the kernel's own arrays up to this size.
  private static let scratchByteCount = 32 << 10

  let sort: SortedPrefix
  let key: SortKey
  private let lanes: Int

  init?(_ sort: SortedPrefix) {
    guard let key = sort.key else { return nil }
    self.sort = sort
    self.key = key
    lanes = sort.request.target.lanes(byteCount: max(4, key.type.byteCount))
    if let extent = lines.extent.fixed, extent < passCount * Self.shortestLineOfPass { return nil }
  }

  private var lines: SortedLines { sort.lines }
  private var passCount: Int { (key.bitCount + Self.digitBits - 1) / Self.digitBits }
  private var tableCount: Int { 1 << Self.digitBits }
  /// The compared operand, as a position in `moved`.
  private var keyNumber: Int { sort.moved.firstIndex(of: key.operand) ?? 0 }

  /// What a task works with.
  private struct Tables {
    /// For each digit how many elements have it, then where the next of them goes.
    var places: Memory
    /// The digits of a block. They are read back from memory: entries that are counted by lanes of a register are
    /// counted out of order, and processors guess wrong about those that meet (Zen 4: thirty times as slow).
    var digits: Memory
  }

  func append(to scheduled: inout ScheduledFusion) -> ScheduledFusion.Launch {
    var draft = sort.draft(lanes: lanes)
    let (extent, lineCount) = (lines.extent, lines.lineCount)
    draft.b.setBound(lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: draft.b.positions(of: .task, in: lines.otherExtents))
    let levels = levels(index, &draft, &scheduled)
    let tables = Tables(
      places: draft.b.addScratch(.i64, count: tableCount), digits: draft.b.addScratch(.i32, count: Self.block))
    read(levels[0], index, &draft.lowering, &draft.b)
    for pass in 0..<passCount {
      count(levels[pass], pass, tables, &draft.lowering, &draft.b)
      move(levels[pass], levels[pass + 1], pass, tables, &draft.lowering, &draft.b)
    }
    // In lengths of 60 picoseconds: an element takes some two nanoseconds a pass, an entry of the table one.
    let cost = extent * (30 * passCount) + Extent(16 * passCount * tableCount)
    return sort.launch(draft, taskCount: lineCount, taskCost: cost)
  }

  // MARK: Memory

  /// Where a line's moved operands are before each pass, and after the last; nil where nobody reads them.
  private typealias Level = [LineMemory?]

  private func levels(
    _ index: [IntegerExpression], _ draft: inout SortedPrefix.Draft, _ scheduled: inout ScheduledFusion
  ) -> [Level] {
    let line = draft.b.position(ElementLowering.position(of: index, in: lines.type))
    let stride = lines.type.strides[lines.dimension]
    var levels = [Level](repeating: [], count: passCount + 1)
    for (number, operand) in sort.moved.enumerated() {
      var result: LineMemory?
      if let position = lines.opaque.results.firstIndex(of: operand) {
        result = LineMemory(memories: [draft.outputs[position]], base: line, stride: stride)
      }
      let other = temporary(number, line, &draft, &scheduled)
      var one = other
      let isOwn = if case .scratch = other.memories[0] { true } else { false }
      if let result, stride == .one, !isOwn, sort.keptTypes[number] == lines.elementType(of: operand) {
        one = result
      } else if passCount > 1 {
        one = temporary(number, line, &draft, &scheduled)
      }
      for pass in 0..<passCount { levels[pass].append((passCount - pass) % 2 == 0 ? one : other) }
      levels[passCount].append(result)
    }
    return levels
  }

  private func temporary(
    _ number: Int, _ line: IntegerExpression, _ draft: inout SortedPrefix.Draft, _ scheduled: inout ScheduledFusion
  ) -> LineMemory {
    let type = sort.keptTypes[number]
    let byteCount = sort.keptTypes.reduce(0) { $0 + 2 * $1.byteCount }
    if let extent = lines.extent.fixed, extent * byteCount <= Self.scratchByteCount {
      return LineMemory(memories: [draft.b.addScratch(type, count: extent)], base: .zero, stride: .one)
    }
    let argument = scheduled.addTemporary(lines.type.with(type))
    let memory = draft.buffers.add(argument, type, "moved\(draft.buffers.arguments.count)", &draft.b)
    return LineMemory(memories: [memory], base: .task * lines.extent, stride: .one)
  }

  // MARK: Digits

  /// Writes a line's elements as they are.
  private func read(
    _ level: Level, _ index: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    VectorStrips(to: lines.extent, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, position, width, mask in
      let elements = sort.elements(sort.all, index, at: position + .lane, mask, &lowering, &b)
      for (vector, memory) in zip(elements, level) {
        guard let memory else { continue }
        store(vector, memory, at: position + .lane, lanes: width, mask, &b)
      }
    }
  }

  /// Counts the elements of each digit.
  private func count(
    _ level: Level, _ pass: Int, _ tables: Tables, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let zero = b.constant(.integer(0), .i64, lanes: lanes)
    b.loop(to: IntegerExpression(tableCount), step: lanes) { b, digit, _ in
      b.store(zero, tables.places, at: digit + .lane, lanes: lanes)
      return []
    }
    forEachElement(level, pass, tables, &lowering, &b) { b, entry, _ in
      let next = b.apply(.add, [b.load(tables.places, at: entry, lanes: 1), b.constant(.integer(1), .i64)])
      b.store(next, tables.places, at: entry, lanes: 1)
    }
  }

  /// Calls `body` for each element with its digit and its position in the line.
  private func forEachElement(
    _ level: Level, _ pass: Int, _ tables: Tables, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout KernelBuilder, IntegerExpression, IntegerExpression) -> Void
  ) {
    guard let keys = level[keyNumber] else { return }
    b.loop(to: lines.extent, step: Self.block) { b, start, _ in
      let count = b.position(.minimum(lines.extent - start, Extent(Self.block)))
      VectorStrips(to: count, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, position, width, mask in
        let vector = b.load(keys.memories[0], at: keys.position(start + position + .lane), lanes: width, mask: mask)
        let digits = digits(of: key.integers(of: vector, &lowering, &b), pass, &b)
        b.store(digits, tables.digits, at: position + .lane, lanes: width)
      }
      b.loop(to: count) { b, number, _ in
        body(&b, b.index(of: b.load(tables.digits, at: number, lanes: 1)), start + number)
        return []
      }
      return []
    }
  }

  /// The digits of keys that a pass looks at.
  private func digits(of keys: Register, _ pass: Int, _ b: inout KernelBuilder) -> Register {
    let shift = b.constant(.integer(Int64(pass * Self.digitBits)), key.type)
    let digits = b.apply(.shiftRightLogical, [key.digits(of: keys, &b), shift])
    return b.apply(.and, [b.convert(digits, to: .i32), b.constant(.integer(Int64(tableCount - 1)), .i32)])
  }

  // MARK: Passes

  /// Moves a line's elements to their places by one digit.
  private func move(
    _ source: Level, _ target: Level, _ pass: Int, _ tables: Tables, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    // Counts become places: how many elements have lower digits.
    let none = b.constant(.integer(0), .i64)
    let most = b.loop(to: IntegerExpression(tableCount), carrying: [none, none]) { b, digit, carried in
      let count = b.load(tables.places, at: digit, lanes: 1)
      b.store(carried[0], tables.places, at: digit, lanes: 1)
      return [b.apply(.add, [carried[0], count]), b.apply(.maximum, [carried[1], count])]
    }[1]
    let isSame = b.apply(.compare(.equal, .signed), [most, b.materialize(lines.extent, lanes: 1)])
    b.branch(isSame) { b in
      lowering.withScope { copy(source, target, &$0, &b) }
    } else: { b in
      lowering.withScope { scatter(source, target, pass, tables, &$0, &b) }
    }
  }

  private func copy(
    _ source: Level, _ target: Level, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    VectorStrips(to: lines.extent, lanes: lanes, atOnce: 1).loop(&lowering, &b) { _, b, position, width, mask in
      for (source, target) in zip(source, target) {
        guard let source, let target else { continue }
        let vector = b.load(source.memories[0], at: source.position(position + .lane), lanes: width, mask: mask)
        store(vector, target, at: position + .lane, lanes: width, mask, &b)
      }
    }
  }

  private func scatter(
    _ source: Level, _ target: Level, _ pass: Int, _ tables: Tables, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    forEachElement(source, pass, tables, &lowering, &b) { b, entry, position in
      let place = b.load(tables.places, at: entry, lanes: 1)
      b.store(b.apply(.add, [place, b.constant(.integer(1), .i64)]), tables.places, at: entry, lanes: 1)
      for (source, target) in zip(source, target) {
        guard let source, let target else { continue }
        let element = b.load(source.memories[0], at: source.position(position), lanes: 1)
        store(element, target, at: b.index(of: place), lanes: 1, nil, &b)
      }
    }
  }

  private func store(
    _ elements: Register, _ target: LineMemory, at position: IntegerExpression, lanes: Int, _ mask: Register?,
    _ b: inout KernelBuilder
  ) {
    let memory = target.memories[0]
    b.store(
      b.convert(elements, to: b.elementType(of: memory)), memory, at: target.position(position), lanes: lanes,
      mask: mask)
  }
}
