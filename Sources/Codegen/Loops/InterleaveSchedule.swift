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

  /// Rows of a few elements, as the coordinates of points: a vector of rows side by side for each position in them, so that each
  /// lane folds a row, and what is there once for each row is computed once.
  public static let interleavedRow = Schedule("interleaved row") { request in
    guard request.body.resultTypes.allSatisfy({ $0.elementType.bitWidth >= 8 }),
      let nest = LoopNest(ofAllResults: request, anchor: .row), let lines = InterleavedLines(rows: nest)
    else { return nil }
    return ScheduledFusion(launches: [lines.launch()])
  }
}

private struct InterleavedLines {
  /// The longest innermost dimension.
  static let most = 8
  /// Operations that are repeated for each of its positions at most.
  static let longestFormula = 64
  /// The same where the positions of a row share much of it.
  static let longestRowFormula = 512
  /// A dimension that fills a vector's part of one in so many is worth vectors of its own.
  static let leastShare = 4
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
    self.init(nest, probe, longestFormula: Self.longestFormula)
    if !probe.reads.contains(where: { isCrossed($0, probe) }) { return nil }
  }

  /// Lines of short rows, whose folds are written out.
  init?(rows nest: LoopNest) {
    let probe = Probe(nest.request, nest.results, nest.dimensions, writtenOut: Self.most)
    self.init(nest, probe, longestFormula: Self.longestRowFormula)
    guard count * 2 <= lanes else { return nil }
  }

  private init?(_ nest: LoopNest, _ probe: Probe, longestFormula: Int) {
    axes = nest.collapsedAxes(probe)
    lanes = nest.request.target.lanes(byteCount: probe.widestElement)
    guard axes.count > 1, let inner = axes[axes.count - 1].extent.fixed, (2...Self.most).contains(inner),
      lanes >= 4, !probe.hasLoop, probe.cost * inner <= longestFormula,
      axes[axes.count - 2].extent.fixed ?? .max >= lanes
    else { return nil }
    self.nest = nest
    count = inner
    cost = probe.cost
    let areChoicesKnown = probe.conditions.allSatisfy { condition in
      condition.limit.fixed != nil
        && axes.dropLast().allSatisfy { probe.step(of: condition.value, along: $0.dimensions.upperBound) == .zero }
    }
    for read in probe.reads {
      guard !read.isMasked || areChoicesKnown,
        let step = probe.step(of: read.position, along: axes[along].dimensions.upperBound)?.fixed,
        probe.step(of: read.position, along: axes[along + 1].dimensions.upperBound) != nil,
        (0...Self.most).contains(step)
      else { return nil }
    }
  }

  /// Whether vectors along the innermost dimension would be poor: where neighbours are read that are no neighbours in the result.
  private func isCrossed(_ read: Probe.Read, _ probe: Probe) -> Bool {
    guard probe.step(of: read.position, along: axes[along].dimensions.upperBound) == .one else { return false }
    switch probe.step(of: read.position, along: axes[along + 1].dimensions.upperBound) {
    case .one: return read.isMasked
    // Spread over the innermost dimension.
    case .zero: return count * Self.leastShare < lanes
    default: return true
    }
  }

  private var along: Int { axes.count - 2 }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: nest.request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let (buffers, outputs) = nest.addBuffers(&b)
    var lowering = ElementLowering(graph: nest.request.body, inputs: buffers.inputs, lanes: lanes)
    lowering.writtenOut = Self.most
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
    return ScheduledFusion.Launch(kernel, buffers.arguments)
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
