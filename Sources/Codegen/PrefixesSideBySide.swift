import IR

/// The first elements of sorted lines that lie beside each other: lanes are lines.
///
/// The lines are passed over together; a vector that holds an element of each is put in its place among `count` vectors in
/// order. Those stay in registers as far as there are enough. A task is a vector of lines.
struct PrefixesSideBySide {
  /// More elements are not kept: each vector that comes in is compared with all of those.
  static let mostKept = 16
  /// From this position on, in multiples of what the lines of a vector keep, most vectors have no element that comes in.
  static let denseReach = 2

  let prefix: SortedPrefix
  /// Lines of a task.
  let width: Int

  /// Nil where lines lie behind each other, or too many elements are kept.
  init?(_ prefix: SortedPrefix) {
    let lanes = prefix.lanes
    let beside = prefix.lines.beside.reduce(Extent.one) { $0 * $1.extent }
    let lineCount = beside.fixed ?? .max
    guard prefix.count <= Self.mostKept, lanes > 1, lineCount >= lanes / 2 else { return nil }
    self.prefix = prefix
    self.beside = beside
    // Few comparisons that wait for each other leave room for more.
    var vectors = prefix.count == 1 ? 4 : prefix.count <= 4 ? 2 : 1
    while vectors > 1, vectors * lanes > lineCount { vectors /= 2 }
    width = lanes * vectors
  }

  /// How many lines lie beside each other.
  private let beside: Extent

  private var lines: SortedLines { prefix.lines }
  private var count: Int { prefix.count }

  func launch() -> ScheduledFusion.Launch {
    var draft = prefix.draft(lanes: width)
    let kept = prefix.keptTypes.map { draft.b.addScratch($0, count: count * width) }
    let outer = Array(lines.type.dimensions[..<lines.dimension])
    let blocks = (beside + (width - 1)).floorDivided(by: Extent(width))
    let taskCount = outer.reduce(blocks) { $0 * $1 }
    draft.b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = draft.b.positions(of: .task, in: outer + [blocks])
    let line = task[outer.count] * width + .lane
    var index = task[..<outer.count] + [.zero]
    index += draft.b.unflattened(line, in: lines.beside.map(\.extent))
    let mask = draft.b.isWithin(line, beside, lanes: width)
    keep(kept, Array(index), mask, &draft.lowering, &draft.b)
    for place in 0..<count {
      let position = IntegerExpression(place)
      let isThere = draft.b.isWithin(position, lines.extent, lanes: 1)
      prefix.write(
        Array(index), at: position, mask: draft.b.and(mask, isThere), lanes: width, to: draft.outputs, &draft.b
      ) { load(kept[$0], place, &$1) }
    }
    return prefix.launch(draft, taskCount: taskCount, taskCost: lines.extent * (12 * count))
  }

  private func load(_ memory: Memory, _ place: Int, _ b: inout KernelBuilder) -> Register {
    b.load(memory, at: IntegerExpression(place * width) + .lane, lanes: width)
  }

  /// Passes over the lines at `index`.
  private func keep(
    _ kept: [Memory], _ index: [IntegerExpression], _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    for memory in kept {
      let zero = b.constant(.zero(b.elementType(of: memory)), b.elementType(of: memory), lanes: width)
      for place in 0..<count { b.store(zero, memory, at: IntegerExpression(place * width) + .lane, lanes: width) }
    }
    func pass(
      _ lower: IntegerExpression, _ upper: IntegerExpression, _ lowering: inout ElementLowering,
      _ b: inout KernelBuilder,
      _ insert: (IntegerExpression, inout ElementLowering, inout KernelBuilder) -> Void
    ) {
      guard lower != upper else { return }
      b.loop(from: lower, to: upper) { b, position, _ in
        lowering.withScope { insert(position, &$0, &b) }
        return []
      }
    }
    let first = b.position(prefix.keptCount)
    let dense = b.position(.minimum(lines.extent, Extent(Self.denseReach * count * width)))
    pass(.zero, first, &lowering, &b) { position, lowering, b in
      let element = prefix.elements(prefix.all, index, at: position, mask, &lowering, &b)
      insert(element, into: kept, filled: position, &lowering, &b)
    }
    pass(first, dense, &lowering, &b) { position, lowering, b in
      let element = prefix.elements(prefix.all, index, at: position, mask, &lowering, &b)
      insert(element, into: kept, filled: nil, &lowering, &b)
    }
    pass(dense, lines.extent, &lowering, &b) { position, lowering, b in
      let new = prefix.elements(prefix.keys, index, at: position, mask, &lowering, &b)
      let last = prefix.keys.map { load(kept[$0], count - 1, &b) }
      let comes = b.widen(prefix.precedes(new, last, &lowering, &b), to: width)
      b.branch(b.fold(.or, comes)) { b in
        lowering.withScope { lowering in
          let element = prefix.elements(prefix.all, index, at: position, mask, &lowering, &b)
          insert(element, into: kept, filled: nil, &lowering, &b)
        }
      }
    }
  }

  /// Puts an element of each line in its place; of those kept, the ones after it move on by one. `filled` says how many are
  /// kept, where not all places are taken.
  private func insert(
    _ element: [Register], into kept: [Memory], filled: IntegerExpression?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let new = prefix.keys.map { element[$0] }
    let old = kept.map { memory in (0..<count).map { load(memory, $0, &b) } }
    let comes = (0..<count).map { place in
      let comes = prefix.precedes(new, prefix.keys.map { old[$0][place] }, &lowering, &b)
      guard let filled else { return comes }
      let position = b.constant(.integer(Int64(place)), .i64)
      let isFree = b.apply(.compare(.greaterOrEqual, .signed), [position, b.materialize(filled, lanes: 1)])
      return b.apply(.or, [comes, isFree])
    }
    for (number, memory) in kept.enumerated() {
      for place in 0..<count {
        var next = b.apply(.select, [comes[place], b.widen(element[number], to: width), old[number][place]])
        if place > 0 { next = b.apply(.select, [comes[place - 1], old[number][place - 1], next]) }
        b.store(next, memory, at: IntegerExpression(place * width) + .lane, lanes: width)
      }
    }
  }
}

extension SortedLines {
  /// The dimensions inside the lines', which number the lines beside each other.
  fileprivate var beside: [(dimension: Int, extent: Extent)] {
    type.dimensions.indices.filter { $0 > dimension }.map { ($0, type.dimensions[$0]) }
  }
}
