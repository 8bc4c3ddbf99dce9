import IR

/// What is kept of a vector of lines: `count` vectors in order for each moved operand. Lanes are lines.
///
/// All places in the arrays are constants, so that they become registers as far as there are enough.
struct KeptVectors {
  /// More elements are not kept so: each vector that comes in is compared with all of those.
  static let mostKept = 64

  let prefix: SortedPrefix
  let width: Int
  private let memories: [Memory]

  init(_ prefix: SortedPrefix, width: Int, _ b: inout KernelBuilder) {
    self.prefix = prefix
    self.width = width
    memories = prefix.keptTypes.map { b.addScratch($0, count: prefix.count * width) }
    for memory in memories {
      let zero = b.constant(.zero(b.elementType(of: memory)), b.elementType(of: memory), lanes: width)
      for place in 0..<count { b.store(zero, memory, at: position(place), lanes: width) }
    }
  }

  private var count: Int { prefix.count }

  private func position(_ place: Int) -> IntegerExpression { IntegerExpression(place * width) + .lane }

  private func load(_ number: Int, _ place: Int, _ b: inout KernelBuilder) -> Register {
    b.load(memories[number], at: position(place), lanes: width)
  }

  /// Whether an element of any line comes before the last that the line keeps.
  func takesAny(_ keys: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> Register {
    let last = prefix.keys.map { load($0, count - 1, &b) }
    return b.fold(.or, b.widen(prefix.precedes(keys, last, &lowering, &b), to: width))
  }

  /// Puts an element of each line in its place; of those kept, the ones after it move on by one. `filled` says how many are
  /// kept, where not all places are taken.
  func insert(
    _ element: [Register], filled: IntegerExpression?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let new = prefix.keys.map { element[$0] }
    let old = memories.indices.map { number in (0..<count).map { load(number, $0, &b) } }
    let comes = (0..<count).map { place in
      let comes = prefix.precedes(new, prefix.keys.map { old[$0][place] }, &lowering, &b)
      guard let filled else { return comes }
      let position = b.constant(.integer(Int64(place)), .i64)
      let isFree = b.apply(.compare(.greaterOrEqual, .signed), [position, b.materialize(filled, lanes: 1)])
      return b.apply(.or, [comes, isFree])
    }
    for (number, memory) in memories.enumerated() {
      for place in 0..<count {
        var next = b.apply(.select, [comes[place], b.widen(element[number], to: width), old[number][place]])
        if place > 0 { next = b.apply(.select, [comes[place - 1], old[number][place - 1], next]) }
        b.store(next, memory, at: position(place), lanes: width)
      }
    }
  }

  /// Writes what is kept of the lines at `index`.
  func write(
    _ index: [IntegerExpression], mask: Register?, to outputs: [Memory], _ b: inout KernelBuilder
  ) {
    for place in 0..<count {
      let isThere = b.isWithin(IntegerExpression(place), prefix.lines.extent, lanes: 1)
      prefix.write(
        index, at: IntegerExpression(place), mask: b.and(mask, isThere), lanes: width, to: outputs, &b
      ) { load($0, place, &$1) }
    }
  }
}
