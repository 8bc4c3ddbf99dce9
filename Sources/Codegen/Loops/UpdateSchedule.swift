import IR

extension Schedule {
  /// A `dynamic_update_slice` whose result takes over its operand's buffer: only the slice is written.
  public static let update = Schedule("update in place") { request in
    guard let operand = request.operandTakenOver, let update = InPlaceUpdate(request.body, operand) else { return nil }
    return ScheduledFusion(launches: [update.launch(request)])
  }
}

/// A body whose only result is an operand with a slice replaced.
struct InPlaceUpdate {
  let body: Graph
  let node: Node

  /// Nil unless the result is `dynamic_update_slice` of the parameter `operand`, which nothing else reads.
  init?(_ body: Graph, _ operand: Int) {
    guard body.results.count == 1, case .dynamicUpdateSlice = body[body.results[0]].op else { return nil }
    let node = body[body.results[0]]
    guard node.operands[0] == body.parameters[operand], body.useCounts[node.operands[0].index] == 1 else { return nil }
    self.body = body
    self.node = node
    var computed = body
    computed.results = Array(node.operands.dropFirst())
    if !computed.hasElements { return nil }
  }

  func launch(_ request: SchedulingRequest) -> ScheduledFusion.Launch {
    let (type, updateType) = (body.type(of: node.operands[0]), body.type(of: node.operands[1]))
    let full = type.elementType.isComplex ? 1 : request.target.lanes(byteCount: max(4, type.elementType.byteCount))
    let inner = updateType.dimensions.last ?? .one
    let lanes = inner.fixed.map { $0 < full ? 1 : full } ?? full
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: Array(node.operands.dropFirst()), of: request, &b)
    let output = buffers.add(.result(0), type.elementType, "out0", &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    var start: [IntegerExpression] = []
    for (d, operand) in node.operands.dropFirst(2).enumerated() {
      let given = b.index(of: lowering.element(of: operand, at: [], in: &b))
      let last = type.dimensions[d] - updateType.dimensions[d]
      let clamped = IntegerExpression.maximum(.minimum(given, last), .zero)
      start.append(last == .zero ? .zero : b.index(of: b.materialize(clamped, lanes: 1)))
    }
    let outer = updateType.dimensions.dropLast()
    let taskCount = outer.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let index = b.unflattened(.task, in: Array(outer))
    let write = { (at: [IntegerExpression], mask: Register?, lowering: inout ElementLowering, b: inout KernelBuilder) in
      let value = lowering.element(of: node.operands[1], at: at, mask: mask, in: &b)
      let position = ElementLowering.position(of: zip(start, at).map { $0 + $1 }, in: type)
      b.store(value, output, at: position, lanes: lanes, mask: mask)
    }
    if updateType.rank == 0 {
      write([], nil, &lowering, &b)
    } else {
      let whole = inner.floorDivided(by: Extent(lanes)) * lanes
      b.loop(to: whole, step: lanes) { b, variable, _ in
        lowering.withScope { write(index + [lanes > 1 ? variable + .lane : variable], nil, &$0, &b) }
        return []
      }
      if whole != inner {
        let valid = b.isWithin(whole + .lane, inner, lanes: lanes)
        lowering.withScope { write(index + [whole + .lane], valid, &$0, &b) }
      }
    }
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: inner * 4)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }
}
