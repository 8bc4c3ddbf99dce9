import IR

/// A sort of which the first elements of each line are read, or all: what is kept of a line, and how elements are compared.
struct SortedPrefix {
  /// Lines that are shorter, in multiples of what is kept, are sorted whole where they are worked at one by one.
  static let shortLine = 4

  let lines: SortedLines
  /// How many elements of a line are needed; not less than there are where all are.
  let count: Int
  /// The operands that move: those whose sorted values somebody uses, and those that are compared.
  let moved: [Int]
  /// The moved operands that are compared, as positions in `moved`.
  let keys: [Int]
  /// For each moved operand, the type that its elements have while they are kept.
  let keptTypes: [ElementType]
  /// What the moved operands are ordered by, where that is an integer.
  let key: SortKey?
  private let comparator: Graph

  /// Nil where all elements are needed, or nothing is compared.
  init?(_ lines: SortedLines) {
    guard let count = lines.request.neededPrefix else { return nil }
    self.init(lines, first: count)
  }

  /// Nil where nothing is compared.
  init?(_ lines: SortedLines, first count: Int) {
    guard count > 0 else { return nil }
    let comparator = lines.sort.comparator.orderingNaNs
    let live = comparator.liveValues
    func isKey(_ operand: Int) -> Bool {
      [2 * operand, 2 * operand + 1].contains { live[comparator.parameters[$0].index] }
    }
    let moved = (0..<lines.operandCount).filter { lines.opaque.results.contains($0) || isKey($0) }
    keys = moved.indices.filter { isKey(moved[$0]) }
    keptTypes = moved.map { !isKey($0) && lines.isShortPosition($0) ? .i32 : lines.elementType(of: $0) }
    if keys.isEmpty || keptTypes.contains(where: \.isComplex) { return nil }
    self.lines = lines
    self.comparator = comparator
    key = SortKey(lines.sort.comparator)
    self.moved = moved
    self.count = count
  }

  var request: SchedulingRequest { lines.request }
  /// How many elements of a line are kept; of short lines, all.
  var keptCount: IntegerExpression { .minimum(lines.extent, Extent(count)) }
  /// All moved operands, as positions in `moved`.
  var all: [Int] { Array(moved.indices) }
  /// Whether the elements of an operand, named by its position in `moved`, are their own positions in the line.
  func isPosition(_ number: Int) -> Bool { lines.isPosition(moved[number]) }

  /// Operations of a comparison, about: narrow floats are computed in wider ones.
  var comparisonCost: Int {
    let live = comparator.liveValues
    let count = comparator.nodes.indices.count { live[$0] && !comparator.nodes[$0].op.isParameter }
    let isNarrow = keys.contains { keptTypes[$0].isFloat && keptTypes[$0].bitWidth < 32 }
    return isNarrow ? 8 * count : count
  }

  /// Lanes of a vector of the elements that are compared.
  var lanes: Int {
    let widest = keys.map { keptTypes[$0].byteCount }.max() ?? 0
    return request.target.lanes(byteCount: max(4, widest))
  }

  /// A kernel that is being written.
  struct Draft {
    var b: KernelBuilder
    var buffers: OperandBuffers
    /// For each result of the fusion.
    var outputs: [Memory] = []
    var lowering: ElementLowering
  }

  func draft(lanes: Int) -> Draft {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let buffers = OperandBuffers(for: moved.map { lines.opaque.node.operands[$0] }, of: request, &b)
    let lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    var draft = Draft(b: b, buffers: buffers, lowering: lowering)
    for (result, operand) in lines.opaque.results.enumerated() {
      let type = lines.elementType(of: operand)
      draft.outputs.append(draft.buffers.add(.result(result), type, "sorted\(operand)", &draft.b))
    }
    return draft
  }

  func launch(_ draft: Draft, taskCount: Extent, taskCost: Extent) -> ScheduledFusion.Launch {
    let kernel = draft.b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount, taskCost: taskCost)
    return ScheduledFusion.Launch(kernel, draft.buffers.arguments)
  }

  /// The elements of some moved operands at a position of the line that `index` is in, as they are kept.
  func elements(
    _ numbers: [Int], _ index: [IntegerExpression], at position: IntegerExpression, _ mask: Register?,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var at = index
    at[lines.dimension] = position
    return numbers.map { number in
      let value = lowering.element(of: lines.opaque.node.operands[moved[number]], at: at, mask: mask, in: &b)
      return b.convert(value, to: keptTypes[number])
    }
  }

  /// Whether the elements of `keys` on the left, which come later in the line, come before those on the right when sorted.
  func precedes(
    _ left: [Register], _ right: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    // Nothing reads the arguments that are not given.
    var arguments = [Register](repeating: left[0], count: comparator.parameters.count)
    for (key, (l, r)) in zip(keys, zip(left, right)) {
      (arguments[2 * moved[key]], arguments[2 * moved[key] + 1]) = (l, r)
    }
    return lowering.inlined(comparator, arguments, in: &b)[0]
  }

  /// Writes what is kept, loaded by `kept` for a position in `moved`, as the elements at `position` of the sorted line.
  func write(
    _ index: [IntegerExpression], at position: IntegerExpression, mask: Register?, lanes: Int, to outputs: [Memory],
    _ b: inout KernelBuilder, _ kept: (Int, inout KernelBuilder) -> Register
  ) {
    var at = index
    at[lines.dimension] = position
    for (output, operand) in zip(outputs, lines.opaque.results) {
      guard let number = moved.firstIndex(of: operand) else { continue }
      let value = b.convert(kept(number, &b), to: lines.elementType(of: operand))
      b.store(value, output, at: ElementLowering.position(of: at, in: lines.type), lanes: lanes, mask: mask)
    }
  }
}

extension SortedLines {
  /// Whether an operand's elements are their positions in the line.
  fileprivate func isPosition(_ operand: Int) -> Bool {
    guard case .iota(let iota) = request.body[opaque.node.operands[operand]].op else { return false }
    return iota.dimension == dimension
  }

  /// Whether they are, and fit into 32 bits though their type has more.
  fileprivate func isShortPosition(_ operand: Int) -> Bool {
    guard isPosition(operand), [.i64, .ui64].contains(elementType(of: operand)), let extent = extent.fixed else {
      return false
    }
    return extent <= Int32.max
  }
}
