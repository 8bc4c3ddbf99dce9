import IR

/// A sort of lines by the digits of their keys, the lowest first: each pass puts the elements behind those of lower digits,
/// in the order in which they come. A task is a line.
struct RadixSort {
  /// Bits of a digit. More take fewer passes, but tables that leave the first-level cache.
  private static let digitBits = 8
  /// Shorter lines take less time than the tables.
  static let shortestLine = 40
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
  }

  private var lines: SortedLines { sort.lines }
  private var passCount: Int { (key.bitCount + Self.digitBits - 1) / Self.digitBits }
  private var tableCount: Int { 1 << Self.digitBits }
  /// The compared operand, as a position in `moved`.
  private var keyNumber: Int { sort.moved.firstIndex(of: key.operand) ?? 0 }

  /// Where the moved operands of a line are before each pass and after the last.
  private struct Places {
    var memories: [[Memory?]]
    /// Where a line begins in each.
    var lines: [LineMemory]
  }

  /// What a task works with.
  private struct Tables {
    /// For each pass and digit how many elements have it, then where the next of them goes.
    var places: Memory
    /// The digits of a vector, for each pass.
    var digits: Memory
  }

  func append(to scheduled: inout ScheduledFusion) -> ScheduledFusion.Launch {
    var draft = sort.draft(lanes: lanes)
    let (extent, lineCount) = (lines.extent, lines.lineCount)
    draft.b.setBound(lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: draft.b.positions(of: .task, in: lines.otherExtents))
    let levels = levels(index, &draft, &scheduled)
    let tables = Tables(
      places: draft.b.addScratch(.i64, count: passCount * tableCount),
      digits: draft.b.addScratch(.i32, count: passCount * lanes))
    count(levels[0], index, tables, &draft.lowering, &draft.b)
    for pass in 0..<passCount { move(levels[pass], levels[pass + 1], pass, tables, &draft.lowering, &draft.b) }
    // In lengths of 60 picoseconds: an element takes some 1.5 nanoseconds a pass, an entry of a table one.
    let cost = extent * (25 * passCount) + Extent(16 * passCount * tableCount)
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

  /// Copies a line, and counts the digits of its elements.
  private func count(
    _ level: Level, _ index: [IntegerExpression], _ tables: Tables, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let zero = b.constant(.integer(0), .i64, lanes: lanes)
    b.loop(to: IntegerExpression(passCount * tableCount), step: lanes) { b, place, _ in
      b.store(zero, tables.places, at: place + .lane, lanes: lanes)
      return []
    }
    VectorStrips(to: lines.extent, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, position, width, mask in
      let elements = sort.elements(sort.all, index, at: position + .lane, mask, &lowering, &b)
      for (vector, memory) in zip(elements, level) {
        guard let memory else { continue }
        b.store(vector, memory.memories[0], at: memory.position(position + .lane), lanes: width, mask: mask)
      }
      let keys = key.integers(of: b.widen(elements[keyNumber], to: width), &lowering, &b)
      for pass in 0..<passCount { store(keys, pass, tables, &b) }
      forEachLane(position, isMasked: mask != nil, &b) { b, lane in
        for pass in 0..<passCount {
          let place = place(lane, pass, tables, &b)
          let next = b.apply(.add, [b.load(tables.places, at: place, lanes: 1), b.constant(.integer(1), .i64)])
          b.store(next, tables.places, at: place, lanes: 1)
        }
      }
    }
  }

  /// Writes the digits of keys that a pass looks at.
  private func store(_ keys: Register, _ pass: Int, _ tables: Tables, _ b: inout KernelBuilder) {
    let shift = b.constant(.integer(Int64(pass * Self.digitBits)), key.type)
    let digits = b.apply(.shiftRightLogical, [key.digits(of: keys, &b), shift])
    let mask = b.constant(.integer(Int64(tableCount - 1)), .i32)
    let low = b.apply(.and, [b.convert(digits, to: .i32), mask])
    b.store(low, tables.digits, at: IntegerExpression(pass * lanes) + .lane, lanes: lanes)
  }

  /// Where the table of a pass has the entry of a lane's digit.
  private func place(
    _ lane: IntegerExpression, _ pass: Int, _ tables: Tables, _ b: inout KernelBuilder
  ) -> IntegerExpression {
    b.index(of: b.load(tables.digits, at: lane + pass * lanes, lanes: 1)) + pass * tableCount
  }

  private func forEachLane(
    _ position: IntegerExpression, isMasked: Bool, _ b: inout KernelBuilder,
    _ body: (inout KernelBuilder, IntegerExpression) -> Void
  ) {
    let count = isMasked ? lines.extent - position : IntegerExpression(lanes)
    b.loop(to: b.position(count), kind: count.isFixed ? .unrolled : .serial) { b, lane, _ in
      body(&b, lane)
      return []
    }
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
      let count = b.load(tables.places, at: digit + pass * tableCount, lanes: 1)
      b.store(carried[0], tables.places, at: digit + pass * tableCount, lanes: 1)
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
    guard let keys = source[keyNumber] else { return }
    VectorStrips(to: lines.extent, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, position, width, mask in
      let vector = b.load(keys.memories[0], at: keys.position(position + .lane), lanes: width, mask: mask)
      store(key.integers(of: vector, &lowering, &b), pass, tables, &b)
      forEachLane(position, isMasked: mask != nil, &b) { b, lane in
        let entry = place(lane, pass, tables, &b)
        let place = b.load(tables.places, at: entry, lanes: 1)
        b.store(b.apply(.add, [place, b.constant(.integer(1), .i64)]), tables.places, at: entry, lanes: 1)
        for (source, target) in zip(source, target) {
          guard let source, let target else { continue }
          let element = b.load(source.memories[0], at: source.position(position + lane), lanes: 1)
          store(element, target, at: b.index(of: place), lanes: 1, nil, &b)
        }
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
