import IR

/// A sort of short lines, many at once: lanes are lines, and a network puts vectors of elements in order. A task is a
/// vector of lines.
///
/// Lines beside each other are read as they lie; of lines along the innermost dimension squares are transposed in
/// registers. Where other operands move along, or elements that compare equal differ, the position in the line is
/// compared last: then no two records are equal, and the order is that of a stable sort.
struct SortInVectors {
  /// The longest lines that are sorted so, and the same for each lane of a vector: longer ones are sorted by digits in
  /// less time.
  private static let longestLine = 1024
  private static let longestLineOfLane = 128
  /// Lines up to this length are in registers all the while.
  static let longestInRegisters = 32
  /// So many operations are written out at most: a network has each comparison apart, and compile time is theirs.
  private static let mostOperations = 8192

  let sort: SortedPrefix
  let width: Int
  /// The most elements of a line.
  let most: Int
  private let form: RecordForm
  /// Whether lines lie beside each other.
  private let isBeside: Bool

  /// Nil where lines are too long or too few. Lines of open extent are no longer than `most`.
  init?(_ sort: SortedPrefix) {
    let beside = sort.lines.beside.reduce(Extent.one) { $0 * $1.extent }
    isBeside = beside != .one
    let isTold = sort.moved.count == 1 && sort.key.map { $0.isExact || $0.isNearlyExact } ?? false
    form = isTold ? .keys : .distinct(sort.key)
    width = form == .packed ? sort.request.target.lanes(byteCount: 8) : sort.lanes
    let count = isBeside ? beside : sort.lines.lineCount
    let longest = min(Self.longestLine, width * Self.longestLineOfLane)
    most = sort.lines.extent.fixed ?? longest
    guard width > 1, count.fixed ?? .max >= width / 2, most <= longest else { return nil }
    self.sort = sort
    self.beside = beside
    let blocks = SortNetwork.pairs(SortNetwork.block).count + SortNetwork.cleaning.count
    if lengthInRegisters == nil, !canWriteOut(blocks) { return nil }
  }

  private func canWriteOut(_ exchanges: Int) -> Bool {
    form != .compared || 2 * sort.comparisonCost * exchanges <= Self.mostOperations
  }

  private let beside: Extent
  private var lines: SortedLines { sort.lines }
  private var extent: Extent { lines.extent }

  /// The length of lines whose places are all constants, so that arrays become registers as far as there are enough.
  private var lengthInRegisters: Int? {
    guard let length = extent.fixed, length <= Self.longestInRegisters, canWriteOut(SortNetwork.pairs(length).count)
    else { return nil }
    return length
  }

  /// Places of arrays: whole blocks of the network, and whole squares.
  private var capacity: Int {
    let unit = max(width, SortNetwork.block)
    return (most + unit - 1) / unit * unit
  }

  /// Whether zeros and NaN may differ from what keys tell.
  private var mayDiffer: Bool { form == .keys && sort.key?.isExact == false }

  /// The lines of a task.
  private struct Task {
    /// The index of a vector of lines at their first elements, and which of them there are.
    var index: [IntegerExpression]
    var mask: Register?
    /// The same of each line alone, where they lie behind each other.
    var rows: [(index: [IntegerExpression], isThere: Register?)] = []
  }

  /// What a task has in its arrays.
  private struct Arrays {
    var records: VectorRecords
    /// The elements of those moved operands that records do not tell, as they came.
    var elements: [Memory?]
    /// In each lane, bits that are not zero where keys do not tell the elements.
    var differences: Memory?
  }

  // MARK: Kernel

  func launch() -> ScheduledFusion.Launch {
    var draft = sort.draft(lanes: width)
    let (task, taskCount) = task(&draft.b)
    let arrays = arrays(&draft.b)
    forEachVector(of: task, &draft.lowering, &draft.b) { elements, place, lowering, b in
      add(elements, at: place, to: arrays, &lowering, &b)
    }
    if let differences = arrays.differences {
      let differ = isAny(draft.b.load(differences, at: .lane, lanes: width), &draft.b)
      let outputs = draft.outputs
      var lowering = draft.lowering
      draft.b.branch(differ) { b in
        lowering.withScope { finish(distinct(arrays, &$0, &b), task, outputs, &$0, &b) }
      } else: { b in
        lowering.withScope { finish(arrays, task, outputs, &$0, &b) }
      }
    } else {
      finish(arrays, task, draft.outputs, &draft.lowering, &draft.b)
    }
    return sort.launch(draft, taskCount: taskCount, taskCost: cost)
  }

  private func isAny(_ bits: Register, _ b: inout KernelBuilder) -> Register {
    let type = b.type(of: bits).element
    return b.apply(.compare(.notEqual, .signed), [b.fold(.or, bits), b.constant(.zero(type), type)])
  }

  /// Lengths of 60 picoseconds that a task takes.
  private var cost: Extent {
    let exchange =
      switch form {
      case .keys, .packed: lengthInRegisters == nil ? 12 : 5
      case .apart, .compared: 30
      }
    return extent * (exchangesOfElement * exchange + 20)
  }

  /// How often an element is compared with another.
  private var exchangesOfElement: Int {
    let rounds = Int.bitWidth - max(0, most - 1).leadingZeroBitCount
    return rounds * (rounds + 1) / 4
  }

  /// Where fewer elements are read of each line, it takes less time to put those in their places one by one.
  var shortestPrefix: Int {
    let exchanges = lengthInRegisters == nil ? exchangesOfElement : exchangesOfElement / 2
    return switch form {
    case .keys: exchanges / 2
    case .packed: sort.request.target.vectorByteCount >= 64 ? exchanges : 2 * exchanges
    case .apart, .compared: 2 * exchanges
    }
  }

  private func task(_ b: inout KernelBuilder) -> (Task, Extent) {
    guard isBeside else {
      let taskCount = (lines.lineCount + (width - 1)).floorDivided(by: Extent(width))
      b.setBound(taskCount, ofVariable: Kernel.taskVariable)
      func row(_ number: IntegerExpression) -> (index: [IntegerExpression], isThere: Register?) {
        let line = IntegerExpression.task * width + number
        let isThere = b.isWithin(line, lines.lineCount, lanes: width)
        return (lines.index(ofLine: b.unflattened(line, in: lines.otherExtents)), isThere)
      }
      let all = row(.lane)
      let rows = (0..<width).map { row(IntegerExpression($0)) }
      return (Task(index: all.index, mask: all.isThere, rows: rows), taskCount)
    }
    let outer = Array(lines.type.dimensions[..<lines.dimension])
    let blocks = (beside + (width - 1)).floorDivided(by: Extent(width))
    let taskCount = outer.reduce(blocks) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: outer + [blocks])
    let line = task[outer.count] * width + .lane
    let index = task[..<outer.count] + [.zero] + b.unflattened(line, in: lines.beside.map(\.extent))
    return (Task(index: Array(index), mask: b.isWithin(line, beside, lanes: width)), taskCount)
  }

  private func arrays(_ b: inout KernelBuilder) -> Arrays {
    let records = records(form, &b)
    let isExact = sort.key?.isExact == true
    let elements = sort.moved.indices.map { number -> Memory? in
      let isKey = sort.moved[number] == sort.key?.operand
      let isRead = lines.opaque.results.contains(sort.moved[number])
      if sort.isPosition(number) || (isKey && isExact) || !isRead { return nil }
      return b.addScratch(sort.keptTypes[number], count: capacity * width)
    }
    guard mayDiffer, let type = sort.key?.type else { return Arrays(records: records, elements: elements) }
    let differences = b.addScratch(type, count: width)
    b.store(b.constant(.zero(type), type, lanes: width), differences, at: .lane, lanes: width)
    return Arrays(records: records, elements: elements, differences: differences)
  }

  private func records(_ form: RecordForm, _ b: inout KernelBuilder) -> VectorRecords {
    var records = VectorRecords(sort, form, width: width, capacity: capacity, &b)
    if lengthInRegisters == nil { records.elementCount = extent }
    return records
  }

  // MARK: Elements

  /// Calls `body` for each place of the lines, constants where there are few.
  private func forEachPlace(
    from lower: IntegerExpression = .zero, to upper: IntegerExpression, step: Int = 1,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (IntegerExpression, inout ElementLowering, inout KernelBuilder) -> Void
  ) {
    if lengthInRegisters != nil, let first = lower.fixed, let end = upper.fixed {
      for place in stride(from: first, to: end, by: step) { body(IntegerExpression(place), &lowering, &b) }
      return
    }
    b.loop(from: lower, to: upper, step: step) { b, place, _ in
      lowering.withScope { body(place, &$0, &b) }
      return []
    }
  }

  /// Calls `body` with the elements of all lines at each place.
  private func forEachVector(
    of task: Task, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: ([Register], IntegerExpression, inout ElementLowering, inout KernelBuilder) -> Void
  ) {
    guard !isBeside else {
      forEachPlace(to: extent, &lowering, &b) { place, lowering, b in
        let elements = sort.elements(sort.all, task.index, at: place, task.mask, &lowering, &b)
        body(elements.map { b.widen($0, to: width) }, place, &lowering, &b)
      }
      return
    }
    forEachPlace(to: extent, step: width, &lowering, &b) { start, lowering, b in
      let squares = sort.all.map { number in
        sort.isPosition(number) ? nil : square(number, at: start, task, &lowering, &b)
      }
      for row in 0..<width {
        let place = start + row
        if let place = place.fixed, let extent = extent.fixed, place >= extent { break }
        let elements = zip(sort.all, squares).map { number, square in
          square?[row] ?? sort.elements([number], task.index, at: place, nil, &lowering, &b)[0]
        }
        body(elements, place, &lowering, &b)
      }
    }
  }

  /// Vectors of lines, from `start` on in these.
  private func square(
    _ number: Int, at start: IntegerExpression, _ task: Task, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> [Register] {
    let isInside = isInside(start, &b)
    let square = task.rows.map { row in
      let mask = b.and(isInside, row.isThere)
      return b.widen(
        sort.elements([number], row.index, at: start + .lane, mask, &lowering, &b)[0], to: width)
    }
    return b.transposed(square)
  }

  /// Which places of a vector along the line there are.
  private func isInside(_ start: IntegerExpression, _ b: inout KernelBuilder) -> Register? {
    if extent.fixed.map({ $0 % width == 0 }) ?? false { return nil }
    return b.isWithin(start + .lane, extent, lanes: width)
  }

  private func add(
    _ elements: [Register], at place: IntegerExpression, to arrays: Arrays, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    for (element, memory) in zip(elements, arrays.elements) {
      guard let memory else { continue }
      b.store(element, memory, at: place * width + .lane, lanes: width)
    }
    let record = arrays.records.record(of: { elements[$0] }, at: place, &lowering, &b)
    arrays.records.store(record, place, &b)
    guard let differences = arrays.differences, let key = sort.key else { return }
    let all = b.load(differences, at: .lane, lanes: width)
    b.store(
      b.apply(.or, [all, key.difference(elements[0], record[0], &b)]), differences, at: .lane, lanes: width)
  }

  /// The same elements with records that are never equal.
  private func distinct(_ arrays: Arrays, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> Arrays {
    let records = records(.distinct(sort.key), &b)
    forEachPlace(to: extent, &lowering, &b) { place, lowering, b in
      let elements = arrays.elements.map { memory in
        memory.map { b.load($0, at: place * width + .lane, lanes: width) } ?? Register(0)
      }
      records.store(records.record(of: { elements[$0] }, at: place, &lowering, &b), place, &b)
    }
    return Arrays(records: records, elements: arrays.elements)
  }

  // MARK: Order

  private func finish(
    _ arrays: Arrays, _ task: Task, _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    if let length = lengthInRegisters {
      arrays.records.order(.zero, count: length, SortNetwork.pairs(length), &lowering, &b)
    } else {
      let count = b.position((extent + (SortNetwork.block - 1)).floorDivided(by: Extent(SortNetwork.block)))
      forEachPlace(from: extent, to: count * SortNetwork.block, &lowering, &b) { place, _, b in
        arrays.records.store(arrays.records.last(at: place, &b).map { b.widen($0, to: width) }, place, &b)
      }
      arrays.records.order(count: count * SortNetwork.block, most: capacity, &lowering, &b)
    }
    write(arrays, task, outputs, &lowering, &b)
  }

  private func write(
    _ arrays: Arrays, _ task: Task, _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let end = b.position(sort.keptCount)
    guard !isBeside else {
      forEachPlace(to: end, &lowering, &b) { place, _, b in
        let record = arrays.records.load(place, &b)
        sort.write(task.index, at: place, mask: task.mask, lanes: width, to: outputs, &b) { number, b in
          element(number, record, arrays, &b)
        }
      }
      return
    }
    forEachPlace(to: end, step: width, &lowering, &b) { start, _, b in
      let records = (0..<width).map { arrays.records.load(start + $0, &b) }
      let isInside = b.isWithin(start + .lane, end, lanes: width)
      for operand in lines.opaque.results {
        guard let number = sort.moved.firstIndex(of: operand),
          let output = lines.opaque.results.firstIndex(of: operand)
        else { continue }
        let square = b.transposed(records.map { element(number, $0, arrays, &b) })
        for (row, vector) in zip(task.rows, square) {
          var at = row.index
          at[lines.dimension] = start + .lane
          b.store(
            b.convert(vector, to: lines.elementType(of: operand)), outputs[output],
            at: ElementLowering.position(of: at, in: lines.type), lanes: width, mask: b.and(isInside, row.isThere))
        }
      }
    }
  }

  /// The elements of a moved operand that a record stands for.
  private func element(_ number: Int, _ record: [Register], _ arrays: Arrays, _ b: inout KernelBuilder) -> Register {
    if let memory = arrays.elements[number], let position = arrays.records.position(of: record, &b) {
      return b.load(memory, at: b.index(of: position) * width + .lane, lanes: width)
    }
    if !sort.isPosition(number), let key = sort.key, let integers = arrays.records.key(of: record, &b) {
      return key.elements(of: integers, &b)
    }
    let position = arrays.records.position(of: record, &b) ?? record[0]
    return b.convert(position, to: sort.keptTypes[number])
  }
}
