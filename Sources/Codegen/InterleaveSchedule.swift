import IR

extension Schedule {
  /// Results whose innermost dimension is short, where operands lie along the next one: a vector along that for each position of
  /// the innermost, interleaved in registers and written in one piece. Pixels of few channels, shuffled pixels,
  /// operands side by side.
  public static let interleave = Schedule("interleave") { request in
    guard request.body.resultTypes.allSatisfy({ $0.elementType.bitWidth >= 8 }),
      let nest = LoopNest(ofAllResults: request), let lines = InterleavedLines(nest)
    else { return nil }
    return ScheduledFusion(launches: [lines.launch()])
  }
}

private struct InterleavedLines {
  /// The longest innermost dimension.
  static let most = 8
  /// Operations that are repeated for each of its positions at most.
  static let longestFormula = 64
  /// Elements of a task, about.
  static let taskSize = 1024

  let nest: LoopNest
  let axes: [LoopNest.Axis]
  /// The extent of the innermost axis.
  let count: Int
  let lanes: Int
  let cost: Int

  init?(_ nest: LoopNest) {
    let probe = Probe(nest.request, nest.results, nest.dimensions)
    axes = nest.collapsedAxes(probe)
    lanes = nest.request.target.lanes(byteCount: probe.widestElement)
    guard axes.count > 1, let inner = axes[axes.count - 1].extent.fixed, (2...Self.most).contains(inner),
      lanes >= 4, !probe.hasLoop, probe.cost * inner <= Self.longestFormula,
      axes[axes.count - 2].extent.fixed ?? .max >= lanes
    else { return nil }
    self.nest = nest
    count = inner
    cost = probe.cost
    let (along, across) = (axes[axes.count - 2].dimensions.upperBound, axes[axes.count - 1].dimensions.upperBound)
    // Of operands that lie beside each other along the innermost dimension, each of its positions has one.
    let isJoined =
      !probe.conditions.isEmpty
      && probe.conditions.allSatisfy { condition in
        condition.limit.isFixed
          && nest.dimensions.indices.allSatisfy { $0 == across || probe.step(of: condition.value, along: $0) == .zero }
      }
    var isCrossed = false
    for read in probe.reads {
      guard !read.isMasked || isJoined, let step = probe.step(of: read.position, along: along)?.fixed,
        let jump = probe.step(of: read.position, along: across), (0...Self.most).contains(step)
      else { return nil }
      if step == 1, isJoined || jump != .zero && jump != .one { isCrossed = true }
    }
    if !isCrossed { return nil }
  }

  private var along: Int { axes.count - 2 }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: nest.request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let (inputs, outputs, arguments) = LoopNest.addBuffers(nest.request, nest.results, nest.live, &b)
    var lowering = ElementLowering(graph: nest.request.body, inputs: inputs, lanes: lanes)
    let chunk = max(lanes, Self.taskSize / count / lanes * lanes)
    let extent = axes[along].extent
    let counts = axes.dropLast(2).map(\.extent) + [(extent + (chunk - 1)).floorDivided(by: Extent(chunk))]
    let taskCount = counts.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: counts)
    let lower = task[along] * chunk
    let isSplit = extent.fixed.map { $0 > chunk } ?? true
    let upper = isSplit ? b.index(of: b.materialize(.minimum(lower + chunk, extent), lanes: 1)) : extent
    VectorStrips(from: lower, to: upper, lanes: lanes, atOnce: 1).loop(&lowering, &b, bound: extent) {
      lowering, b, position, width, mask in
      var index = task + [.zero]
      var values: [[Register]] = nest.results.map { _ in [] }
      for number in 0..<count {
        index[along] = position + .lane
        index[along + 1] = IntegerExpression(number)
        for result in nest.results {
          let value = lowering.element(
            of: nest.request.body.results[result], at: nest.expanded(index, axes), mask: mask, in: &b)
          values[result].append(b.widen(value, to: width))
        }
      }
      (index[along], index[along + 1]) = (position, .zero)
      for result in nest.results {
        let type = nest.request.body.resultTypes[result]
        let first = ElementLowering.position(of: nest.expanded(index, axes), in: type)
        // All lanes count here, whatever the strip has of them.
        b.withLanes(lanes) {
          store(values[result], outputs[result], at: first, isMasked: mask != nil, (position, upper), &$0)
        }
      }
    }
    let kernel = b.kernel(
      name: nest.request.name, sources: nest.request.sources, taskCount: taskCount,
      taskCost: Extent(cost * count) * .minimum(extent, Extent(chunk)))
    return ScheduledFusion.Launch(kernel, arguments)
  }

  /// Writes vectors of values interleaved, from position `first` on. Of the last ones those before the end of `range` count.
  private func store(
    _ values: [Register], _ memory: Memory, at first: IntegerExpression, isMasked: Bool,
    _ range: (position: IntegerExpression, upper: IntegerExpression), _ b: inout KernelBuilder
  ) {
    for number in 0..<count {
      let start = number * lanes
      let vector = b.picking(lanes: lanes, from: values) { lane in ((start + lane) % count, (start + lane) / count) }
      let place = range.position * count + start + .lane
      let mask = isMasked ? b.isWithin(place, range.upper * count, lanes: lanes) : nil
      b.store(vector, memory, at: first + start + .lane, lanes: lanes, mask: mask)
    }
  }
}
