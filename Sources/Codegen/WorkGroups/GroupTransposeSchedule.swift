import IR

extension Schedule {
  /// Elements of which one operand is read along another dimension than the result is written: a group copies a square
  /// of it into local memory along the operand's rows and reads it along the result's.
  static let groupTranspose = Schedule("transpose through local memory") { request in
    guard request.anchor == .loop, let device = request.target.workGroups, request.body.hasElements,
      request.body.results.count == 1, let transpose = GroupTranspose(LoopNest(request, [0]), device)
    else { return nil }
    return ScheduledFusion(launches: [transpose.launch()])
  }
}

private struct GroupTranspose {
  /// The side of the square, and how many of its lines the items cover at once.
  static let side = 32
  static let linesAtOnce = 8

  let nest: LoopNest
  let axes: [LoopNest.Axis]
  let crossed: CrossedOperand

  /// Nil where no operand is read across, or too little of it for a square to pay.
  init?(_ nest: LoopNest, _ device: WorkGroups) {
    guard device.itemCount >= Self.side * Self.linesAtOnce else { return nil }
    self.nest = nest
    let probe = Probe(nest.request, nest.results, nest.dimensions)
    axes = nest.collapsedAxes(probe)
    guard let crossed = CrossedOperand(nest, probe, axes, leastExtent: Self.side / 2) else { return nil }
    self.crossed = crossed
  }

  private var request: SchedulingRequest { nest.request }
  private var body: Graph { request.body }
  private var inner: Int { axes.count - 1 }
  private var across: Int { crossed.axis }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = Self.side * Self.linesAtOnce
    let (buffers, outputs) = nest.addBuffers(&b)
    let value = body.parameters[crossed.parameter]
    let square = b.addShared(body.type(of: value).elementType, count: Self.side * (Self.side + 1))
    func tiles(_ axis: Int) -> Extent { (axes[axis].extent + (Self.side - 1)).floorDivided(by: Extent(Self.side)) }
    let counts = axes.indices.map { $0 == across || $0 == inner ? tiles($0) : axes[$0].extent }
    let taskCount = counts.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: counts)
    let item = b.positions(of: .item, in: [Extent(Self.linesAtOnce), Extent(Self.side)])
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    func place(line: IntegerExpression, isCopy: Bool) -> Place {
      let (innerPart, acrossPart) = isCopy ? (line, item[1]) : (item[1], line)
      var index = task
      index[inner] = task[inner] * Self.side + innerPart
      index[across] = task[across] * Self.side + acrossPart
      return (index, innerPart, acrossPart)
    }
    forEachLine(isCopy: true, place, item[0], &lowering, &b) { lowering, b, place in
      let source = crossed.position(at: nest.expanded(place.full, axes), b)
      let element = b.load(buffers.inputs[crossed.parameter], at: source, lanes: 1)
      b.store(element, square, at: place.inner * (Self.side + 1) + place.across, lanes: 1)
    }
    b.append(.barrier)
    forEachLine(isCopy: false, place, item[0], &lowering, &b) { lowering, b, place in
      lowering.pinned[value] = b.load(square, at: place.inner * (Self.side + 1) + place.across, lanes: 1)
      let at = nest.expanded(place.full, axes)
      let element = lowering.element(of: body.results[0], at: at, in: &b)
      b.store(element, outputs[0], at: ElementLowering.position(of: at, in: body.resultTypes[0]), lanes: 1)
      lowering.pinned[value] = nil
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount, taskCost: Extent(Self.side * Self.side * 4))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private typealias Place = (full: [IntegerExpression], inner: IntegerExpression, across: IntegerExpression)

  /// Runs `body` for each of the item's elements of the square that lie inside.
  private func forEachLine(
    isCopy: Bool, _ place: (_ line: IntegerExpression, _ isCopy: Bool) -> Place, _ first: IntegerExpression,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, Place) -> Void
  ) {
    for round in 0..<(Self.side / Self.linesAtOnce) {
      var place = place(first + round * Self.linesAtOnce, isCopy)
      var inside: Register?
      for axis in [across, inner] {
        let extent = axes[axis].extent
        let isWhole = extent.fixed.map { $0 % Self.side == 0 } ?? false
        place.full[axis] = b.index(of: b.materialize(place.full[axis], lanes: 1), bound: isWhole ? extent : nil)
        inside = b.and(inside, b.isWithin(place.full[axis], extent, lanes: 1))
      }
      func run(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
        var known = place
        for axis in [across, inner] {
          known.full[axis] = b.index(of: b.materialize(place.full[axis], lanes: 1), bound: axes[axis].extent)
        }
        body(&lowering, &b, known)
      }
      if let inside {
        b.branch(inside) { b in lowering.withScope { run(&$0, &b) } }
      } else {
        lowering.withScope { run(&$0, &b) }
      }
    }
  }
}
