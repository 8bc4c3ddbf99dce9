import IR

/// The first elements of sorted lines that lie beside each other: lanes are lines.
///
/// The lines are passed over together; a vector that holds an element of each is put in its place among `count` vectors in
/// order. Those stay in registers as far as there are enough. A task is a vector of lines.
struct PrefixesSideBySide {
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
    guard prefix.count <= KeptVectors.mostKept, lanes > 1, lineCount >= lanes / 2 else { return nil }
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
    let kept = KeptVectors(prefix, width: width, &draft.b)
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
    kept.write(Array(index), mask: mask, to: draft.outputs, &draft.b)
    return prefix.launch(draft, taskCount: taskCount, taskCost: lines.extent * (12 * count))
  }

  /// Passes over the lines at `index`.
  private func keep(
    _ kept: KeptVectors, _ index: [IntegerExpression], _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
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
      kept.insert(element, filled: position, &lowering, &b)
    }
    pass(first, dense, &lowering, &b) { position, lowering, b in
      let element = prefix.elements(prefix.all, index, at: position, mask, &lowering, &b)
      kept.insert(element, filled: nil, &lowering, &b)
    }
    pass(dense, lines.extent, &lowering, &b) { position, lowering, b in
      let new = prefix.elements(prefix.keys, index, at: position, mask, &lowering, &b)
      b.branch(kept.takesAny(new, &lowering, &b)) { b in
        lowering.withScope { lowering in
          let element = prefix.elements(prefix.all, index, at: position, mask, &lowering, &b)
          kept.insert(element, filled: nil, &lowering, &b)
        }
      }
    }
  }
}

extension SortedLines {
  /// The dimensions inside the lines', which number the lines beside each other.
  var beside: [(dimension: Int, extent: Extent)] {
    type.dimensions.indices.filter { $0 > dimension }.map { ($0, type.dimensions[$0]) }
  }
}
