import IR

/// The kernels of a product in tiles of work-groups: one that does what follows the product on registers; or, where the
/// depth is split, one that leaves partial sums in memory, and one that adds them and does what follows.
struct ProductKernels {
  let product: GroupProduct
  let request: SchedulingRequest
  let anchor: ValueID
  let epilogue: Epilogue
  /// What the product's rows and columns are read from.
  let operands: [ValueID]
  /// The anchor's index of a batch, a row and a column.
  let index: (IntegerExpression, IntegerExpression, IntegerExpression, KernelBuilder) -> [IntegerExpression]

  private var body: Graph { request.body }

  /// The launches, for a fusion that gets their temporaries.
  func steps(in scheduled: inout ScheduledFusion, row: GroupProduct.Read, column: GroupProduct.Read)
    -> [ScheduledFusion.Step]
  {
    if product.splits == 1 { return [.launch(products(into: nil, row, column))] }
    let partial = scheduled.addTemporary(product.partialType)
    return [.launch(products(into: partial, row, column)), .launch(sum(of: partial))]
  }

  private func products(
    into partial: ScheduledFusion.Argument?, _ row: GroupProduct.Read, _ column: GroupProduct.Read
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = product.tile.itemCount
    b.setBound(Extent(product.lanes), ofVariable: -1)
    let needed = partial == nil ? body.results + operands : operands
    var buffers = OperandBuffers(for: needed, of: request, &b)
    let outputs =
      partial.map { [buffers.add($0, product.type, "partial", &b)] } ?? buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: product.lanes)
    product.write(&lowering, &b, row: row, column: column) { lowering, b, sums, place, row, column, mask in
      if partial != nil {
        let at = product.partialPosition(place.split, batch: place.batch, row: row, column: column)
        b.store(sums, outputs[0], at: at, lanes: product.lanes, mask: mask)
      } else {
        let at = index(place.batch, row, column, b)
        epilogue.store(sums, of: anchor, at: at, mask: mask, outputs: outputs, &lowering, &b)
      }
    }
    let kernel = b.kernel(
      name: product.name(request), sources: request.sources, taskCount: product.taskCount, taskCost: product.taskCost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The kernel that adds the partial sums and does what follows the product.
  private func sum(of partial: ScheduledFusion.Argument) -> ScheduledFusion.Launch {
    let (extents, lanes) = (product.extents, product.lanes)
    let width = extents.columns.fixed.map { $0 % lanes == 0 ? lanes : 1 } ?? 1
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(width), ofVariable: -1)
    var buffers = OperandBuffers(for: operandsAfterAnchor, of: request, &b)
    let sums = buffers.read(partial, product.type, "partial", &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: width)
    let strips = extents.columns.floorDivided(by: Extent(width))
    let taskCount = product.batch * extents.rows * strips
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let at = b.positions(of: .task, in: [product.batch, extents.rows, strips])
    let column = width == 1 ? at[2] : at[2] * width + .lane
    let zero = b.constant(.zero(product.type), product.type, lanes: width)
    let total = b.loop(to: Extent(product.splits), carrying: [zero]) { b, split, total in
      let position = product.partialPosition(split, batch: at[0], row: at[1], column: column)
      return [b.apply(.add, [total[0], b.load(sums, at: position, lanes: width)])]
    }
    let place = index(at[0], at[1], column, b)
    epilogue.store(total[0], of: anchor, at: place, mask: nil, outputs: outputs, &lowering, &b)
    let kernel = b.kernel(
      name: "\(product.name(request))_sum", sources: request.sources, taskCount: taskCount,
      taskCost: Extent(product.splits * width))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The values that what follows the anchor reads, but for the anchor.
  private var operandsAfterAnchor: [ValueID] {
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
