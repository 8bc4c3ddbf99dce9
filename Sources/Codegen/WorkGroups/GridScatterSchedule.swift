import IR

extension Schedule {
  /// A scatter over a grid of items: each has an update where no two updates meet, or where their order does not matter
  /// and they are numbers of 32 bits, which are then combined as one step; where updates replace each other the last one
  /// is found first. Else each item takes the updates of one place in the window, in order.
  static let gridScatter = Schedule("scatter over a grid") { request in
    guard let nest = ScatterNest(request) else { return nil }
    return GridScatter(nest: nest).scheduled()
  }
}

private struct GridScatter {
  let nest: ScatterNest

  private var request: SchedulingRequest { nest.request }
  private var body: Graph { nest.body }
  private var node: Node { nest.opaque.node }
  private var inputType: TensorType { body.type(of: node.operands[0]) }
  private var updateType: TensorType { body.type(of: node.operands[nest.count + 1]) }

  /// The functions that combine elements with updates, one for each input, where the order of updates does not matter
  /// and the device combines numbers of these types as one step.
  private var atomicFunction: ScalarFunction? {
    guard nest.count == 1, inputType.elementType.bitWidth == 32, let function = nest.scatter.body.associativeFunction
    else { return nil }
    return function
  }

  /// Whether each update replaces what is there.
  private var replaces: Bool {
    let body = nest.scatter.body
    return zip(body.results, body.parameters[nest.count...]).allSatisfy { $0 == $1 }
  }

  /// Whether positions in the inputs can be counted in 32 bits.
  private var isCountable: Bool { updateType.elementCount.fixed.map { $0 < Int(Int32.max) } ?? false }

  func scheduled() -> ScheduledFusion {
    if replaces, !nest.scatter.uniqueIndices, isCountable { return replacing() }
    var scheduled = ScheduledFusion(launches: [])
    for (position, result) in nest.opaque.results.enumerated() {
      let copy = nest.opaque.graph(body, computing: [node.operands[result]])
      scheduled.append(Schedule.packing(copy, request, into: .result(position)))
    }
    if nest.scatter.uniqueIndices {
      scheduled.append(updates(alongside: Array(updateType.dimensions.indices)))
    } else if let function = atomicFunction {
      scheduled.append(combining(function))
    } else {
      scheduled.append(updates(alongside: independentDimensions))
    }
    return scheduled
  }

  // MARK: Updates side by side

  /// The updates' dimensions at whose different positions no two updates meet: those of the window in which slices do not
  /// begin at different places, and those of batches.
  private var independentDimensions: [Int] {
    let scatter = nest.scatter
    let kept = scatter.keptDims(rank: inputType.rank)
    let window = zip(scatter.updateWindowDims, kept).filter { !scatter.scatterDimsToOperandDims.contains($0.1) }
    let indicesType = body.type(of: node.operands[nest.count])
    let batches = zip(
      scatter.indexDims(rank: indicesType.rank), scatter.scatterDims(updateRank: updateType.rank)
    ).filter { scatter.scatterIndicesBatchingDims.contains($0.0) }
    return (window.map(\.0) + batches.map(\.1)).sorted()
  }

  private func updates(alongside dimensions: [Int]) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: Array(node.operands[nest.count...]), of: request, &b)
    let outputs = addOutputs(&buffers, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    let extents = dimensions.map { updateType.dimensions[$0] }
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    var at = [IntegerExpression](repeating: .zero, count: updateType.rank)
    for (d, position) in zip(dimensions, b.positions(of: .task, in: extents)) { at[d] = position }
    let order = nest.scatter.scatterDims(updateRank: updateType.rank) + nest.scatter.updateWindowDims
    let rest = order.filter { !dimensions.contains($0) }
    loop(over: rest[...], at, &lowering, &b) { lowering, b, at in nest.combine(at, outputs, &lowering, &b) }
    let cost = rest.reduce(Extent(8)) { $0 * updateType.dimensions[$1] }
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func addOutputs(_ buffers: inout OperandBuffers, _ b: inout KernelBuilder) -> [Memory] {
    var outputs = [Memory](repeating: .buffer(-1), count: nest.count)
    for (position, result) in nest.opaque.results.enumerated() {
      outputs[result] = buffers.add(.result(position), node.resultTypes[result].elementType, "out\(result)", &b)
    }
    return outputs
  }

  private func loop(
    over dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, [IntegerExpression]) -> Void
  ) {
    guard let dimension = dimensions.first else { return body(&lowering, &b, at) }
    b.loop(to: updateType.dimensions[dimension]) { b, variable, _ in
      var inner = at
      inner[dimension] = variable
      lowering.withScope { loop(over: dimensions.dropFirst(), inner, &$0, &b, body) }
      return []
    }
  }

  /// Starts the kernel of which each item has one update; `write` gets the update's index and the position of its
  /// element in the inputs.
  private func eachUpdate(
    _ name: String, _ buffers: OperandBuffers, _ b: inout KernelBuilder,
    _ write: (inout ElementLowering, inout KernelBuilder, [IntegerExpression], IntegerExpression, Register?) -> Void
  ) -> ScheduledFusion.Launch {
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    b.setBound(updateType.elementCount, ofVariable: Kernel.taskVariable)
    let at = b.positions(of: .task, in: updateType.dimensions)
    let index = nest.index(of: at, &lowering, &b)
    let isInside = nest.isInside(index, lanes: 1, &b)
    write(&lowering, &b, at, ElementLowering.position(of: index, in: inputType), isInside)
    let kernel = b.kernel(
      name: name, sources: request.sources, taskCount: updateType.elementCount, taskCost: 8)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func combining(_ function: ScalarFunction) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: Array(node.operands[1...]), of: request, &b)
    let output = addOutputs(&buffers, &b)[0]
    return eachUpdate(request.name, buffers, &b) { lowering, b, at, position, mask in
      let update = lowering.element(of: node.operands[2], at: at, in: &b)
      b.append(.atomic(function, update, output, at: position, mask: mask))
    }
  }

  // MARK: Replacement

  /// Each element's last update is found, as one more than its number; then every element is written once.
  private func replacing() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let ownersType = inputType.with(.i32)
    let owners = scheduled.addTemporary(ownersType)
    scheduled.append(zeroing(owners, ownersType), owning(owners), writing(owners, ownersType))
    return scheduled
  }

  private func zeroing(_ owners: ScheduledFusion.Argument, _ type: TensorType) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    let memory = b.addBuffer("owners", .i32, isWritten: true)
    b.store(b.constant(.integer(0), .i32), memory, at: .task, lanes: 1)
    let kernel = b.kernel(
      name: "\(request.name)_none", sources: request.sources, taskCount: type.elementCount, taskCost: 1)
    return ScheduledFusion.Launch(kernel, [owners])
  }

  private func owning(_ owners: ScheduledFusion.Argument) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: [node.operands[nest.count]], of: request, &b)
    let memory = buffers.add(owners, .i32, "owners", &b)
    return eachUpdate("\(request.name)_last", buffers, &b) { lowering, b, at, position, mask in
      // Updates count in the order of their index dimensions, then of the window's.
      let order = nest.scatter.scatterDims(updateRank: updateType.rank) + nest.scatter.updateWindowDims
      let extents = TensorType(.i32, order.map { updateType.dimensions[$0] })
      let number = ElementLowering.position(of: order.map { at[$0] }, in: extents) + 1
      let value = b.convert(b.materialize(number, lanes: 1), to: .i32)
      b.append(.atomic(.maximum, value, memory, at: position, mask: mask))
    }
  }

  private func writing(_ owners: ScheduledFusion.Argument, _ type: TensorType) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    let operands = Array(node.operands[..<nest.count]) + Array(node.operands[(nest.count + 1)...])
    var buffers = OperandBuffers(for: operands, of: request, &b)
    buffers.arguments.append(owners)
    let memory = b.addBuffer("owners", .i32, isWritten: false)
    let outputs = addOutputs(&buffers, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    b.setBound(type.elementCount, ofVariable: Kernel.taskVariable)
    let at = b.positions(of: .task, in: type.dimensions)
    let owner = b.load(memory, at: .task, lanes: 1)
    let isUpdated = b.apply(.compare(.greater, .signed), [owner, b.constant(.integer(0), .i32)])
    let isKept = b.apply(.not, [isUpdated])
    let order = nest.scatter.scatterDims(updateRank: updateType.rank) + nest.scatter.updateWindowDims
    let last = IntegerExpression.maximum(b.index(of: owner) - 1, .zero)
    let parts = b.positions(of: b.index(of: b.materialize(last, lanes: 1)), in: order.map { updateType.dimensions[$0] })
    var source = [IntegerExpression](repeating: .zero, count: updateType.rank)
    for (d, part) in zip(order, parts) { source[d] = part }
    for result in 0..<nest.count where nest.opaque.results.contains(result) {
      let kept = lowering.element(of: node.operands[result], at: at, mask: isKept, in: &b)
      let update = lowering.element(of: node.operands[nest.count + 1 + result], at: source, mask: isUpdated, in: &b)
      b.store(b.apply(.select, [isUpdated, update, kept]), outputs[result], at: .task, lanes: 1)
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: type.elementCount, taskCost: 16)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }
}
