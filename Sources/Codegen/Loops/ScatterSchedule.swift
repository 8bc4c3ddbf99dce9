import IR

extension Schedule {
  /// A copy of the inputs, then the updates one after the other, in row-major order; vectors along the innermost
  /// dimension of the window where no two updates of one vector meet.
  public static let scatter = Schedule("scatter") { request in
    guard let updates = ScatterNest(request) else { return nil }
    return updates.scheduled()
  }
}

/// One scatter, and the vectors along its windows.
struct ScatterNest {
  let request: SchedulingRequest
  let scatter: Scatter
  let opaque: OpaqueNode
  let count: Int

  init?(_ request: SchedulingRequest) {
    guard
      let opaque = OpaqueNode(
        request.body,
        {
          if case .scatter = $0 { return true }
          return false
        }), case .scatter(let scatter) = opaque.node.op
    else { return nil }
    self.request = request
    self.scatter = scatter
    self.opaque = opaque
    count = opaque.node.operands.count / 2
    let types = opaque.node.operands[..<count].map { request.body.type(of: $0) }
    if Set(opaque.results).count != count || zip(types, opaque.node.resultTypes).contains(where: { $0 != $1 }) {
      return nil
    }
  }

  var body: Graph { request.body }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    for (position, result) in opaque.results.enumerated() {
      let copy = opaque.graph(body, computing: [opaque.node.operands[result]])
      scheduled.append(Schedule.packing(copy, request, into: .result(position)))
    }
    scheduled.append(updates())
    return scheduled
  }

  private func updates() -> ScheduledFusion.Launch {
    let node = opaque.node
    let (inputType, updateType) = (body.type(of: node.operands[0]), body.type(of: node.operands[count + 1]))
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: Array(node.operands[count...]), of: request, &b)
    var outputs = [Memory](repeating: .buffer(-1), count: count)
    for (position, result) in opaque.results.enumerated() {
      outputs[result] = buffers.add(
        .result(position), inputType.with(node.resultTypes[result].elementType).elementType, "out\(result)", &b)
    }
    let lanes = vectorLanes(inputType, updateType)
    b.setBound(Extent(lanes), ofVariable: -1)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    // The index dimensions outside, the window's inside.
    let order = scatter.scatterDims(updateRank: updateType.rank) + scatter.updateWindowDims
    let origin = [IntegerExpression](repeating: .zero, count: updateType.rank)
    nest(order[...], origin, lanes, outputs, &lowering, &b)
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: .one, taskCost: updateType.elementCount * 8)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// Vectors run along the innermost dimension of updates and inputs, if it belongs to the window and starts at no index.
  private func vectorLanes(_ input: TensorType, _ update: TensorType) -> Int {
    guard update.rank > 0, input.rank > 0, scatter.updateWindowDims.last == update.rank - 1,
      scatter.keptDims(rank: input.rank).last == input.rank - 1,
      !scatter.scatterDimsToOperandDims.contains(input.rank - 1), !input.elementType.isComplex
    else { return 1 }
    // Then no vector of a window that begins inside leaves it.
    guard (input.dimensions[input.rank - 1] - update.dimensions[update.rank - 1]).isSurelyNonNegative else { return 1 }
    let full = request.target.lanes(byteCount: max(4, input.elementType.byteCount))
    guard let extent = update.dimensions[update.rank - 1].fixed else { return full }
    return extent >= full ? full : 1
  }

  private func nest(
    _ order: ArraySlice<Int>, _ at: [IntegerExpression], _ lanes: Int, _ outputs: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let extents = body.type(of: opaque.node.operands[count + 1]).dimensions
    guard let dimension = order.first else { return combine(at, outputs, &lowering, &b) }
    if lanes > 1 && order.count == 1 { return line(dimension, at, lanes, outputs, &lowering, &b) }
    b.loop(to: extents[dimension]) { b, variable, _ in
      var inner = at
      inner[dimension] = variable
      lowering.withScope { nest(order.dropFirst(), inner, lanes, outputs, &$0, &b) }
      return []
    }
  }

  /// The updates along a window's innermost dimension, in vectors. No index moves along it, so that all of them lie in the
  /// inputs, or none does.
  private func line(
    _ dimension: Int, _ at: [IntegerExpression], _ lanes: Int, _ outputs: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let extent = body.type(of: opaque.node.operands[count + 1]).dimensions[dimension]
    let whole = extent.floorDivided(by: Extent(lanes)) * lanes
    func write(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
      b.loop(to: whole, step: lanes) { b, variable, _ in
        var inner = at
        inner[dimension] = variable + .lane
        lowering.withScope { combine(inner, index(of: inner, &$0, &b), nil, nil, outputs, &$0, &b) }
        return []
      }
      guard whole != extent else { return }
      lowering.withScope { lowering in
        var inner = at
        inner[dimension] = whole + .lane
        let valid = b.isWithin(whole + .lane, extent, lanes: lanes)
        combine(inner, index(of: inner, &lowering, &b), valid, valid, outputs, &lowering, &b)
      }
    }
    lowering.withLanes(1, &b) { lowering, b in
      let first = index(of: at, &lowering, &b)
      guard let isInside = isInside(first, lanes: 1, &b) else {
        return lowering.withLanes(lanes, &b) { write(&$0, &$1) }
      }
      b.branch(isInside) { b in lowering.withLanes(lanes, &b) { write(&$0, &$1) } }
    }
  }

  /// The index in the inputs that the update at `at` belongs to.
  func index(of at: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder)
    -> [IntegerExpression]
  {
    let node = opaque.node
    let type = body.type(of: node.operands[0])
    let indicesType = body.type(of: node.operands[count])
    let scatterDims = scatter.scatterDims(updateRank: at.count)
    let indexDims = scatter.indexDims(rank: indicesType.rank)
    var place = [IntegerExpression](repeating: .zero, count: indicesType.rank)
    for (d, update) in zip(indexDims, scatterDims) { place[d] = at[update] }
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    for (component, dimension) in scatter.scatterDimsToOperandDims.enumerated() {
      if scatter.indexVectorDim < indicesType.rank { place[scatter.indexVectorDim] = IntegerExpression(component) }
      index[dimension] += b.index(of: lowering.element(of: node.operands[count], at: place, in: &b))
    }
    for (input, indices) in zip(scatter.inputBatchingDims, scatter.scatterIndicesBatchingDims) {
      index[input] += place[indices]
    }
    for (update, input) in zip(scatter.updateWindowDims, scatter.keptDims(rank: type.rank)) {
      index[input] += at[update]
    }
    return index
  }

  /// Whether the index lies in the inputs; nil where it does for certain.
  func isInside(_ index: [IntegerExpression], lanes: Int, _ b: inout KernelBuilder) -> Register? {
    var inside: Register?
    for (position, extent) in zip(index, body.type(of: opaque.node.operands[0]).dimensions) {
      inside = b.and(inside, b.isWithin(position, extent, lanes: lanes))
    }
    return inside
  }

  /// Combines one update with what is there, if it lies in the inputs.
  func combine(
    _ at: [IntegerExpression], _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let index = index(of: at, &lowering, &b)
    combine(at, index, isInside(index, lanes: lowering.lanes, &b), nil, outputs, &lowering, &b)
  }

  /// Combines an update, or a vector of them, with what is at `index`; `mask` says which, `valid` which of them there are.
  private func combine(
    _ at: [IntegerExpression], _ index: [IntegerExpression], _ mask: Register?, _ valid: Register?,
    _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let node = opaque.node
    let position = ElementLowering.position(of: index, in: body.type(of: node.operands[0]))
    var arguments: [Register] = []
    for memory in outputs { arguments.append(b.load(memory, at: position, lanes: lowering.lanes, mask: mask)) }
    for operand in node.operands[(count + 1)...] {
      arguments.append(lowering.element(of: operand, at: at, mask: valid, in: &b))
    }
    for (value, memory) in zip(lowering.inlined(scatter.body, arguments, in: &b), outputs) {
      b.store(value, memory, at: position, lanes: lowering.lanes, mask: mask)
    }
  }
}
