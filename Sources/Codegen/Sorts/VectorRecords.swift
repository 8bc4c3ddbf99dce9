import IR

/// What a network moves and compares of elements. All integers are signed.
enum RecordForm {
  /// The key's integers, which tell what the elements are.
  case keys
  /// In 64 bits the key's integer, and below it the position in the line.
  case packed
  /// The key's integer, and the position.
  case apart
  /// The operands that are compared, and the position.
  case compared

  /// The form for records that are never equal.
  static func distinct(_ key: SortKey?) -> RecordForm {
    guard let key else { return .compared }
    return key.bitCount <= 32 ? .packed : .apart
  }
}

/// Vectors of records, of many lines side by side: lanes are lines.
struct VectorRecords {
  let sort: SortedPrefix
  let form: RecordForm
  let width: Int
  /// An array for each register of a record.
  let arrays: [Memory]
  /// How many elements a line has, where more records than that are put in order.
  var elementCount: Extent?

  init(_ sort: SortedPrefix, _ form: RecordForm, width: Int, capacity: Int, _ b: inout KernelBuilder) {
    let keyTypes = sort.key.map { [$0.type] } ?? []
    let types: [ElementType] =
      switch form {
      case .keys: keyTypes
      case .packed: [.i64]
      case .apart: keyTypes + [.i32]
      case .compared: sort.keys.map { sort.keptTypes[$0] } + [.i32]
      }
    self.sort = sort
    self.form = form
    self.width = width
    arrays = types.map { b.addScratch($0, count: capacity * width) }
  }

  // MARK: Memory

  func load(_ place: IntegerExpression, _ b: inout KernelBuilder) -> [Register] {
    arrays.map { b.load($0, at: place * width + .lane, lanes: width) }
  }

  func store(_ record: [Register], _ place: IntegerExpression, _ b: inout KernelBuilder) {
    for (register, memory) in zip(record, arrays) {
      b.store(register, memory, at: place * width + .lane, lanes: width)
    }
  }

  // MARK: Records

  /// The record of elements at a place of their lines; `elements` are of the moved operands.
  func record(
    of elements: (Int) -> Register, at place: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> [Register] {
    let position = b.materialize(place, lanes: 1)
    let key = sort.key.flatMap { key in
      sort.moved.firstIndex(of: key.operand).map { key.integers(of: elements($0), &lowering, &b) }
    }
    switch (form, key) {
    case (.keys, let key?): return [key]
    case (.packed, let key?): return [packed(key, position, &b)]
    case (.apart, let key?): return [key, b.convert(position, to: .i32)]
    default: return sort.keys.map(elements) + [b.convert(position, to: .i32)]
    }
  }

  /// A record behind those of all elements, at a place where there is none.
  func last(at place: IntegerExpression, _ b: inout KernelBuilder) -> [Register] {
    let position = b.materialize(place, lanes: 1)
    let greatest = sort.key.map { $0.greatest(&b) }
    switch (form, greatest) {
    case (.keys, let key?): return [key]
    case (.packed, let key?): return [packed(key, position, &b)]
    case (.apart, let key?): return [key, b.convert(position, to: .i32)]
    default:
      return sort.keys.map { b.constant(.zero(sort.keptTypes[$0]), sort.keptTypes[$0]) } + [
        b.convert(position, to: .i32)
      ]
    }
  }

  private func packed(_ key: Register, _ position: Register, _ b: inout KernelBuilder) -> Register {
    let upper = b.apply(.shiftLeft, [b.convert(key, to: .i64), b.constant(.integer(32), .i64)])
    return b.apply(.or, [upper, position])
  }

  /// The key's integers, where records have them.
  func key(of record: [Register], _ b: inout KernelBuilder) -> Register? {
    guard let key = sort.key, form != .compared else { return nil }
    guard form == .packed else { return record[0] }
    return b.convert(b.apply(.shiftRightArithmetic, [record[0], b.constant(.integer(32), .i64)]), to: key.type)
  }

  /// Where the elements were in their lines, where records tell.
  func position(of record: [Register], _ b: inout KernelBuilder) -> Register? {
    switch form {
    case .keys: nil
    case .packed: b.apply(.and, [record[0], b.constant(.integer(Int64(UInt32.max)), .i64)])
    case .apart, .compared: b.convert(record[record.count - 1], to: .i64)
    }
  }

  /// Two records in order, lane by lane.
  func exchange(
    _ first: [Register], _ second: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> (lower: [Register], upper: [Register]) {
    if form == .keys || form == .packed {
      return ([b.apply(.minimum, [first[0], second[0]])], [b.apply(.maximum, [first[0], second[0]])])
    }
    let isSwapped = isBefore(second, first, &lowering, &b)
    let pairs = zip(first, second)
    return (
      pairs.map { b.apply(.select, [isSwapped, $1, $0]) }, pairs.map { b.apply(.select, [isSwapped, $0, $1]) }
    )
  }

  /// Whether a record comes before another, where positions are compared last.
  private func isBefore(
    _ left: [Register], _ right: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let positions = [left, right].map { $0[$0.count - 1] }
    if form == .apart {
      let isLess = b.apply(.compare(.less, .signed), [left[0], right[0]])
      let isEqual = b.apply(.compare(.equal, .signed), [left[0], right[0]])
      return b.apply(.or, [isLess, b.apply(.and, [isEqual, b.apply(.compare(.less, .signed), positions)])])
    }
    // Which of two equal elements comes first is said by what the comparator says of the later one.
    let isLater = b.apply(.compare(.greater, .signed), positions)
    let comes = sort.precedes(left, right, &lowering, &b)
    let stays = b.apply(.not, [sort.precedes(right, left, &lowering, &b)])
    let isBefore = b.apply(.select, [isLater, comes, stays])
    guard let elementCount else { return isBefore }
    let count = b.convert(b.materialize(elementCount, lanes: 1), to: .i32)
    let areThere = positions.map { b.apply(.compare(.less, .signed), [$0, count]) }
    return b.apply(.and, [areThere[0], b.apply(.or, [isBefore, b.apply(.not, [areThere[1]])])])
  }
}
