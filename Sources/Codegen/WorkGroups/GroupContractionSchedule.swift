import IR

extension Schedule {
  /// A matrix product in tiles of work-groups, what follows the product done on registers; where few tiles have a long
  /// depth, parts of it are summed apart and added by a second kernel.
  static let groupContraction = Schedule("contraction by groups") { request in
    guard request.anchor == .contraction, let device = request.target.workGroups,
      let product = GroupContraction(request, device)
    else { return nil }
    return product.scheduled()
  }
}

/// A `dot_general` for a machine with work-groups.
private struct GroupContraction {
  let request: SchedulingRequest
  let anchor: ValueID
  let contraction: Contraction
  let epilogue: Epilogue
  let lhs: ValueID
  let rhs: ValueID
  let batch: [Extent]
  let rows: [Extent]
  let columns: [Extent]
  let depth: [Extent]
  let product: GroupProduct

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    let anchors = body.values.filter { if case .dotGeneral = body[$0].op { true } else { false } }
    guard anchors.count == 1, case .dotGeneral(let dot) = body[anchors[0]].op,
      let epilogue = Epilogue(of: anchors[0], in: body)
    else { return nil }
    self.request = request
    anchor = anchors[0]
    contraction = dot.dimensions
    self.epilogue = epilogue
    lhs = body[anchor].operands[0]
    rhs = body[anchor].operands[1]
    let (x, y) = (body.type(of: lhs), body.type(of: rhs))
    let type = ElementLowering.sumType(dot.resultType)
    guard !type.isComplex, !type.isBoolean, type.bitWidth >= 8, x.elementType.isExecutable, y.elementType.isExecutable
    else { return nil }
    batch = contraction.lhsBatching.map { x.dimensions[$0] }
    rows = contraction.lhsFree(rank: x.rank).map { x.dimensions[$0] }
    columns = contraction.rhsFree(rank: y.rank).map { y.dimensions[$0] }
    depth = contraction.lhsContracting.map { x.dimensions[$0] }
    func count(_ extents: [Extent]) -> Extent { extents.reduce(.one) { $0 * $1 } }
    let extents = ProductExtents(rows: count(rows), columns: count(columns), depth: count(depth))
    // Products over few elements are no more than arithmetic.
    if extents.depth.fixed.map({ $0 < 8 }) ?? false { return nil }
    let product = GroupProduct(
      extents, batch: count(batch), type,
      isRowContiguous: x.rank > 0 && contraction.lhsContracting.last == x.rank - 1,
      isColumnContiguous: y.rank > 0 && contraction.rhsContracting.last == y.rank - 1, request.target, device)
    guard let product else { return nil }
    self.product = product
  }

  private var body: Graph { request.body }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    if product.splits == 1 {
      scheduled.append(products(into: nil))
    } else {
      let partial = scheduled.addTemporary(product.partialType)
      scheduled.append(products(into: partial), product.sum(of: partial, request, anchor, epilogue, index: index))
    }
    return scheduled
  }

  /// The anchor's index of a batch, a row and a column.
  private func index(
    _ batchNumber: IntegerExpression, _ row: IntegerExpression, _ column: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    b.unflattened(batchNumber, in: batch) + b.unflattened(row, in: rows) + b.unflattened(column, in: columns)
  }

  private func products(into partial: ScheduledFusion.Argument?) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = product.tile.itemCount
    b.setBound(Extent(product.lanes), ofVariable: -1)
    let needed = partial == nil ? body.results + [lhs, rhs] : [lhs, rhs]
    var buffers = OperandBuffers(for: needed, of: request, &b)
    var outputs: [Memory] = []
    if let partial {
      outputs.append(buffers.add(partial, product.type, "partial", &b))
    } else {
      for (position, type) in body.resultTypes.enumerated() {
        outputs.append(buffers.add(.result(position), type.elementType, "out\(position)", &b))
      }
    }
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: product.lanes)
    let (x, y) = (body.type(of: lhs), body.type(of: rhs))
    product.write(&lowering, &b) { lowering, b, place, row, step, mask in
      var at = [IntegerExpression](repeating: .zero, count: x.rank)
      for (d, i) in zip(contraction.lhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
      for (d, i) in zip(contraction.lhsFree(rank: x.rank), b.unflattened(row, in: rows)) { at[d] = i }
      for (d, i) in zip(contraction.lhsContracting, b.unflattened(step, in: depth)) { at[d] = i }
      return lowering.element(of: lhs, at: at, mask: mask, in: &b)
    } column: { lowering, b, place, column, step, mask in
      var at = [IntegerExpression](repeating: .zero, count: y.rank)
      for (d, i) in zip(contraction.rhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
      for (d, i) in zip(contraction.rhsFree(rank: y.rank), b.unflattened(column, in: columns)) { at[d] = i }
      for (d, i) in zip(contraction.rhsContracting, b.unflattened(step, in: depth)) { at[d] = i }
      return lowering.element(of: rhs, at: at, mask: mask, in: &b)
    } store: { lowering, b, sums, place, row, column, mask in
      if partial != nil {
        product.storePartial(sums, outputs[0], place, row, column, mask, &b)
      } else {
        let at = index(place.batch, row, column, b)
        epilogue.store(sums, of: anchor, at: at, mask: mask, outputs: outputs, &lowering, &b)
      }
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: product.taskCount, taskCost: product.taskCost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }
}

// MARK: - Partial sums

extension GroupProduct {
  func storePartial(
    _ sums: Register, _ memory: Memory, _ place: Place, _ row: IntegerExpression, _ column: IntegerExpression,
    _ mask: Register?, _ b: inout KernelBuilder
  ) {
    let position = ElementLowering.position(of: [place.split, place.batch, row, column], in: partialType)
    b.store(sums, memory, at: position, lanes: lanes, mask: mask)
  }

  /// The kernel that adds the partial sums and does what follows the product.
  func sum(
    of partial: ScheduledFusion.Argument, _ request: SchedulingRequest, _ anchor: ValueID, _ epilogue: Epilogue,
    index: (IntegerExpression, IntegerExpression, IntegerExpression, KernelBuilder) -> [IntegerExpression]
  ) -> ScheduledFusion.Launch {
    let body = request.body
    let width = extents.columns.fixed.map { $0 % lanes == 0 ? lanes : 1 } ?? 1
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(width), ofVariable: -1)
    var buffers = OperandBuffers(for: Self.operands(after: anchor, in: body), of: request, &b)
    buffers.arguments.append(partial)
    let sums = b.addBuffer("partial", type, isWritten: false)
    var outputs: [Memory] = []
    for (position, result) in body.resultTypes.enumerated() {
      outputs.append(buffers.add(.result(position), result.elementType, "out\(position)", &b))
    }
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: width)
    let strips = extents.columns.floorDivided(by: Extent(width))
    let taskCount = batch * extents.rows * strips
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let at = b.positions(of: .task, in: [batch, extents.rows, strips])
    let column = width == 1 ? at[2] : at[2] * width + .lane
    let zero = b.constant(.zero(type), type, lanes: width)
    let total = b.loop(to: Extent(splits), carrying: [zero]) { b, split, total in
      let position = ElementLowering.position(of: [split, at[0], at[1], column], in: partialType)
      return [b.apply(.add, [total[0], b.load(sums, at: position, lanes: width)])]
    }
    let place = index(at[0], at[1], column, b)
    epilogue.store(total[0], of: anchor, at: place, mask: nil, outputs: outputs, &lowering, &b)
    let kernel = b.kernel(
      name: "\(request.name)_sum", sources: request.sources, taskCount: taskCount, taskCost: Extent(splits * width))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The values that what follows the anchor reads, but for the anchor.
  private static func operands(after anchor: ValueID, in body: Graph) -> [ValueID] {
    var found: [ValueID] = []
    var seen: Set<ValueID> = [anchor]
    var pending = body.results
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      if body[value].op.isParameter { found.append(value) }
      pending += body[value].operands
    }
    return found
  }
}
