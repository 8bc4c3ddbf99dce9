import IR

extension Schedule {
  /// The initial value everywhere, then for each window the chosen element combined with its source; tasks along the
  /// dimensions in which windows do not move over each other.
  public static let selectAndScatter = Schedule("select and scatter") { request in
    guard let windows = WindowChoice(request) else { return nil }
    return windows.scheduled()
  }
}

private struct WindowChoice {
  let request: SchedulingRequest
  let choice: SelectAndScatter
  let opaque: OpaqueNode
  let lanes: Int

  init?(_ request: SchedulingRequest) {
    guard
      let opaque = OpaqueNode(
        request.body,
        {
          if case .selectAndScatter = $0 { return true }
          return false
        }), case .selectAndScatter(let choice) = opaque.node.op
    else { return nil }
    self.request = request
    self.choice = choice
    self.opaque = opaque
    let type = request.body.type(of: opaque.node.operands[0])
    if type.rank == 0 || type.elementType.isComplex { return nil }
    let full = request.target.lanes(byteCount: max(4, type.elementType.byteCount))
    let last = type.dimensions[type.rank - 1].fixed ?? full
    lanes = Self.isIndependent(choice.window[type.rank - 1]) && last >= full ? full : 1
  }

  private static func isIndependent(_ window: WindowDimension) -> Bool {
    window.extent == .one && window.stride == 1 && window.paddingLow == 0 && window.paddingHigh == 0
  }

  private var body: Graph { request.body }

  func scheduled() -> ScheduledFusion {
    let node = opaque.node
    var fill = body
    fill.results = []
    let type = node.resultTypes[0]
    fill.results = [
      fill.moving(
        node.operands[2], .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)))
    ]
    return ScheduledFusion(launches: Schedule.packing(fill, request, into: .result(0)) + [windows()])
  }

  private func windows() -> ScheduledFusion.Launch {
    let node = opaque.node
    let (type, sourceType) = (body.type(of: node.operands[0]), body.type(of: node.operands[1]))
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: Array(node.operands[..<2]), of: request, &b)
    let output = buffers.add(.result(0), type.elementType, "out", &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    let vector = lanes > 1 ? type.rank - 1 : type.rank
    let outer = type.dimensions.indices.filter { $0 != vector && Self.isIndependent(choice.window[$0]) }
    let rest = type.dimensions.indices.filter { !outer.contains($0) }
    let taskCount = outer.reduce(Extent.one) { $0 * sourceType.dimensions[$1] }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    var at = [IntegerExpression](repeating: .zero, count: type.rank)
    let positions = b.positions(of: .task, in: outer.map { sourceType.dimensions[$0] })
    for (d, position) in zip(outer, positions) { at[d] = position }
    nest(rest[...], at, sourceType, output, &lowering, &b)
    let taps = choice.window.reduce(Extent.one) { $0 * $1.extent }
    let cost = rest.reduce(taps * 8) { $0 * sourceType.dimensions[$1] }
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func nest(
    _ dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ type: TensorType, _ output: Memory,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    guard let dimension = dimensions.first else { return window(at, nil, output, &lowering, &b) }
    let isVector = lanes > 1 && dimension == type.rank - 1
    let extent = type.dimensions[dimension]
    let whole = isVector ? extent.floorDivided(by: Extent(lanes)) * lanes : extent
    b.loop(to: whole, step: isVector ? lanes : 1) { b, variable, _ in
      var inner = at
      inner[dimension] = isVector ? variable + .lane : variable
      lowering.withScope { nest(dimensions.dropFirst(), inner, type, output, &$0, &b) }
      return []
    }
    guard whole != extent else { return }
    lowering.withScope { lowering in
      var inner = at
      inner[dimension] = whole + .lane
      window(inner, b.isWithin(whole + .lane, extent, lanes: lanes), output, &lowering, &b)
    }
  }

  /// One window, or a vector of them: finds the chosen element, then combines it with its source.
  private func window(
    _ at: [IntegerExpression], _ valid: Register?, _ output: Memory, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let node = opaque.node
    let type = body.type(of: node.operands[0])
    let start = [
      b.constant(.zero(type.elementType), type.elementType, lanes: lanes),
      b.constant(.integer(-1), .i64, lanes: lanes),
    ]
    let origin = [IntegerExpression](repeating: .zero, count: type.rank)
    let moving = choice.window.indices.filter { choice.window[$0].extent != .one }
    let chosen = taps(moving[...], origin, start, &lowering, &b) { lowering, taps, chosen, b in
      var index: [IntegerExpression] = []
      var inside = valid
      for (d, window) in choice.window.enumerated() {
        let place = at[d] * window.stride + taps[d] * window.windowDilation - IntegerExpression(window.paddingLow)
        index.append(place)
        if window.paddingLow != 0 || window.paddingHigh != 0 {
          inside = b.and(inside, b.isWithin(place, type.dimensions[d], lanes: lanes))
        }
      }
      let candidate = b.widen(lowering.element(of: node.operands[0], at: index, mask: inside, in: &b), to: lanes)
      let position = b.widen(b.materialize(ElementLowering.position(of: index, in: type), lanes: lanes), to: lanes)
      let keeps = b.widen(lowering.inlined(choice.select, [chosen[0], candidate], in: &b)[0], to: lanes)
      let isFirst = b.apply(.compare(.less, .signed), [chosen[1], b.constant(.integer(0), .i64)])
      var takes = b.apply(.or, [isFirst, b.apply(.not, [keeps])])
      if let inside { takes = b.apply(.and, [takes, b.widen(inside, to: lanes)]) }
      return [b.apply(.select, [takes, candidate, chosen[0]]), b.apply(.select, [takes, position, chosen[1]])]
    }
    let isChosen = b.apply(.compare(.greaterOrEqual, .signed), [chosen[1], b.constant(.integer(0), .i64)])
    let mask = b.and(valid, isChosen)
    let position = b.index(of: chosen[1])
    let old = b.load(output, at: position, lanes: lanes, mask: mask)
    let source = lowering.element(of: node.operands[1], at: at, mask: valid, in: &b)
    let new = lowering.inlined(choice.scatter, [old, source], in: &b)[0]
    b.store(new, output, at: position, lanes: lanes, mask: mask)
  }

  private func taps(
    _ dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ chosen: [Register], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, [IntegerExpression], [Register], inout KernelBuilder) -> [Register]
  ) -> [Register] {
    guard let dimension = dimensions.first else { return body(&lowering, at, chosen, &b) }
    return b.loop(to: choice.window[dimension].extent, carrying: chosen) { b, variable, chosen in
      lowering.withScope { lowering in
        var inner = at
        inner[dimension] = variable
        return taps(dimensions.dropFirst(), inner, chosen, &lowering, &b, body)
      }
    }
  }
}
