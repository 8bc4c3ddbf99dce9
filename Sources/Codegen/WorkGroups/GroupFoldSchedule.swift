import IR

extension Schedule {
  /// A fold of any body, over several inputs at once, along the innermost dimensions: the place of a maximum, say. Each
  /// item of a group folds a piece of the row; neighbours are combined in order, so that the body need only be
  /// associative, as StableHLO demands.
  static let groupFold = Schedule("fold by groups") { request in
    guard request.anchor == .reduction, let device = request.target.workGroups, let fold = GroupFold(request, device)
    else { return nil }
    return ScheduledFusion(launches: [fold.launch()])
  }
}

private struct GroupFold {
  /// Shorter rows are an item's work alone.
  static let shortRow = 64

  let request: SchedulingRequest
  let value: ValueID
  let reduction: Reduction
  let outer: [Extent]
  let inner: [Extent]
  let length: Int
  let itemCount: Int

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    let folds = body.values.filter { if case .reduce = body[$0].op { true } else { false } }
    guard folds.count == 1, case .reduce(let reduce) = body[folds[0]].op else { return nil }
    let node = body[folds[0]]
    let shape = body.type(of: node.operands[0]).dimensions
    let reduced = reduce.dimensions.sorted()
    guard reduced == Array((shape.count - reduced.count)..<shape.count),
      let length = shape.suffix(reduced.count).reduce(Extent.one, { $0 * $1 }).fixed, length >= Self.shortRow,
      body.resultTypes.allSatisfy({ $0.dimensions == Array(shape.dropLast(reduced.count)) }),
      !node.operands.contains(where: { body.type(of: $0).elementType.isComplex })
    else { return nil }
    self.request = request
    value = folds[0]
    reduction = Reduction(dimensions: reduced, body: reduce.body)
    outer = Array(shape.dropLast(reduced.count))
    inner = Array(shape.suffix(reduced.count))
    self.length = length
    let bytes = reduce.body.resultTypes.reduce(0) { $0 + $1.elementType.byteCount }
    // Each item has at least one element.
    var items = 1
    while items * 2 <= min(device.itemCount, length / 4), items * 2 * bytes <= device.arrayByteCount,
      (items * 2 - 1) * Self.piece(length, items * 2) < length
    { items *= 2 }
    guard items > 1 else { return nil }
    itemCount = items
  }

  /// The elements that an item folds.
  private static func piece(_ length: Int, _ items: Int) -> Int { (length + items - 1) / items }

  private var body: Graph { request.body }
  private var node: Node { body[value] }
  private var count: Int { node.operands.count / 2 }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = itemCount
    var buffers = OperandBuffers(for: body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    let rowCount = outer.reduce(Extent.one) { $0 * $1 }
    b.setBound(rowCount, ofVariable: Kernel.taskVariable)
    let row = b.positions(of: .task, in: outer)
    let whole = combined(folded(row, &lowering, &b), &lowering, &b)
    let isFirst = b.apply(.compare(.equal, .signed), [b.materialize(.item, lanes: 1), b.constant(.integer(0), .i64)])
    b.branch(isFirst) { b in
      lowering.withScope { lowering in
        let initial = node.operands[count...].map { lowering.element(of: $0, at: [], in: &b) }
        lowering.define(value, at: row, as: fold(initial, whole, &lowering, &b))
        for (result, memory) in zip(body.results, outputs) {
          let element = lowering.element(of: result, at: row, in: &b)
          b.store(element, memory, at: ElementLowering.position(of: row, in: body.type(of: result)), lanes: 1)
        }
      }
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: rowCount, taskCost: Extent(length * 4))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The body's results for accumulators and elements, in the accumulators' types.
  private func fold(
    _ accumulators: [Register], _ elements: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let types = reduction.body.resultTypes.map(\.elementType)
    let converted = zip(accumulators, types).map { b.convert($0, to: $1) }
    let operands = zip(elements, reduction.body.parameterTypes[count...]).map { b.convert($0, to: $1.elementType) }
    return zip(lowering.inlined(reduction.body, converted + operands, in: &b), types).map { b.convert($0, to: $1) }
  }

  /// The fold of the item's piece of the row, which begins with its first element.
  private func folded(
    _ row: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let piece = Self.piece(length, itemCount)
    let first = b.index(of: b.materialize(.item * piece, lanes: 1), bound: Extent(length))
    let last = b.index(of: b.materialize(.minimum(first + piece, Extent(length)), lanes: 1))
    func elements(
      _ position: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) -> [Register] {
      let at = row + b.unflattened(position, in: inner)
      return node.operands[..<count].map { lowering.element(of: $0, at: at, in: &b) }
    }
    let types = reduction.body.resultTypes.map(\.elementType)
    let initial = lowering.withScope { zip(elements(first, &$0, &b), types).map { b.convert($0, to: $1) } }
    return b.loop(from: first + 1, to: last, carrying: initial) { b, position, parts in
      lowering.withScope { fold(parts, elements(position, &$0, &b), &$0, &b) }
    }
  }

  /// All items' parts combined, in their order: within subgroups first where they exchange registers. The tree is the same
  /// with them and without, and so are the results.
  private func combined(
    _ parts: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    func shared(_ count: Int, _ b: inout KernelBuilder) -> [Memory] {
      reduction.body.resultTypes.map { b.addShared($0.elementType, count: count) }
    }
    guard let width = b.exchangingItemCount else {
      let memories = shared(itemCount, &b)
      for (part, memory) in zip(parts, memories) { b.store(part, memory, at: .item, lanes: 1) }
      return combined(memories, itemCount, &lowering, &b)
    }
    let (parts, count) = (neighbours(parts, width, &lowering, &b), itemCount / width)
    if count == 1 { return parts }
    let (memories, isFirst) = (shared(count, &b), b.isItem(0, among: width))
    for (part, memory) in zip(parts, memories) {
      b.store(part, memory, at: b.subgroupNumber(width), lanes: 1, mask: isFirst)
    }
    if count > width { return combined(memories, count, &lowering, &b) }
    b.append(.barrier)
    let position = b.itemNumber(among: count)
    return neighbours(memories.map { b.load($0, at: position, lanes: 1) }, count, &lowering, &b)
  }

  /// The parts of `count` neighbours combined by exchanges, in each of them.
  private func neighbours(
    _ parts: [Register], _ count: Int, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var (parts, distance) = (parts, 1)
    while distance < count {
      let others = parts.map { b.partner($0, distance) }
      let isLeft = b.isBeforePartner(distance)
      let left = zip(parts, others).map { b.apply(.select, [isLeft, $0, $1]) }
      let right = zip(parts, others).map { b.apply(.select, [isLeft, $1, $0]) }
      parts = lowering.withScope { fold(left, right, &$0, &b) }
      distance *= 2
    }
    return parts
  }

  /// Combines neighbours of so many in local memory until the first has all.
  private func combined(
    _ shared: [Memory], _ count: Int, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    b.append(.barrier)
    var distance = 1
    while distance < count {
      let rest = b.materialize(.item.modulo(Extent(2 * distance), bound: { [b] in b.bound(of: $0) }), lanes: 1)
      var isLeft = b.apply(.compare(.equal, .signed), [rest, b.constant(.integer(0), .i64)])
      if count < itemCount {
        let last = b.constant(.integer(Int64(count)), .i64)
        let isPart = b.apply(.compare(.less, .signed), [b.materialize(.item, lanes: 1), last])
        isLeft = b.apply(.and, [isLeft, isPart])
      }
      b.branch(isLeft) { b in
        lowering.withScope { lowering in
          let left = shared.map { b.load($0, at: .item, lanes: 1) }
          let right = shared.map { b.load($0, at: .item + distance, lanes: 1) }
          for (part, memory) in zip(fold(left, right, &lowering, &b), shared) {
            b.store(part, memory, at: .item, lanes: 1)
          }
        }
      }
      b.append(.barrier)
      distance *= 2
    }
    return shared.map { b.load($0, at: .zero, lanes: 1) }
  }
}
