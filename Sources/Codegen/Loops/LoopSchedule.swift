import IR

extension Schedule {
  /// A loop over the result's elements, vectors along the innermost dimension, tasks along the outer ones; on machines
  /// with work-groups each vector is a task.
  ///
  /// Results with different dimensions get a kernel each.
  public static let loop = Schedule("loop") { request in
    guard request.body.hasElements else { return nil }
    var groups: [(dimensions: [Extent], results: [Int])] = []
    for (position, type) in request.body.resultTypes.enumerated() {
      if let known = groups.firstIndex(where: { $0.dimensions == type.dimensions }) {
        groups[known].results.append(position)
      } else {
        groups.append((type.dimensions, [position]))
      }
    }
    let launches = groups.enumerated().map { number, group in
      LoopNest(request, group.results).launch(name: number == 0 ? request.name : "\(request.name)_\(number)")
    }
    return ScheduledFusion(launches: launches)
  }
}

extension Graph {
  /// Whether the elements of all results can be computed one by one.
  var hasElements: Bool {
    let live = liveValues
    return nodes.enumerated().allSatisfy { position, node in
      guard live[position] else { return true }
      switch node.op {
      case .parameter, .getTupleElement: return true
      case .constant(let constant): return constant.value.splatValue != nil
      default: break
      }
      switch node.op.definition.semantics(operands: node.operands.map { type(of: $0) }, results: node.resultTypes) {
      case .pointwise(let function):
        return function.hasComplexKernel || !node.operands.contains { type(of: $0).elementType.isComplex }
      case .position, .movement, .reduction, .contraction, .window: return true
      case .leaf, .lines, .scatter, .sort, .control, .opaque: return false
      }
    }
  }
}

/// One kernel of the loop schedule: results that share their dimensions.
struct LoopNest {
  /// Adjacent dimensions that every access treats as one.
  struct Axis {
    var dimensions: ClosedRange<Int>
    var extent: Extent
  }

  /// A symbolic extent counts as this many when work is estimated.
  static let assumedExtent = 64
  /// Scalar operations a task should at least have.
  static let taskWork = 4096
  /// Operations whose latency a vector alone does not hide.
  static let longFormula = 16
  let request: SchedulingRequest
  let results: [Int]
  let dimensions: [Extent]

  /// How loops run over the axes.
  private struct Plan {
    var axes: [Axis]
    var tasks: TaskPlan
    var lanes: Lanes
    var sections: LoopSections
  }

  init(_ request: SchedulingRequest, _ results: [Int]) {
    self.request = request
    self.results = results
    dimensions = request.body.resultTypes[results[0]].dimensions
  }

  /// The nest of all results; nil where they differ in their dimensions, or the fusion has another anchor.
  init?(ofAllResults request: SchedulingRequest, anchor: Fusion.Anchor = .loop) {
    guard request.anchor == anchor, request.body.hasElements, let first = request.body.resultTypes.first,
      request.body.resultTypes.allSatisfy({ $0.dimensions == first.dimensions })
    else { return nil }
    self.init(request, Array(request.body.results.indices))
  }

  var live: [Bool] {
    var graph = request.body
    graph.results = results.map { request.body.results[$0] }
    return graph.liveValues
  }

  func launch(name: String) -> ScheduledFusion.Launch {
    let probe = Probe(request, results, dimensions)
    let axes = collapsedAxes(probe)
    let lanes = chosenLanes(probe, axes)
    var b = KernelBuilder(target: request.target)
    let (buffers, outputs) = addBuffers(&b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes.count)
    if request.target.workGroups != nil {
      return grid(name, b, buffers.arguments, axes, lanes.alongResult ? lanes.count : 1, probe.cost, &lowering, outputs)
    }
    let tasks = TaskPlan(axes: axes, cost: probe.cost)
    let nodes = LoopSections.BodySize(request.body, results: results.map { request.body.results[$0] }, live: live)
    let sections = LoopSections(probe, axes, nodes: nodes)
    let plan = Plan(axes: axes, tasks: tasks, lanes: lanes, sections: sections)
    lowering.fetchedAhead = fetchedAhead(lanes)
    var index = [IntegerExpression](repeating: .zero, count: axes.count)
    b.setBound(tasks.taskCount, ofVariable: Kernel.taskVariable)
    let outer = b.unflattened(.task, in: axes[..<tasks.outer].map(\.extent))
    index.replaceSubrange(..<tasks.outer, with: outer)
    // Positions inside the task are computed once.
    for axis in 0..<tasks.outer where !index[axis].isFixed {
      index[axis] = b.index(of: b.materialize(index[axis], lanes: 1), bound: axes[axis].extent)
    }
    self.sections(from: 0, index, plan, &lowering, outputs, &b)
    let kernel = b.kernel(
      name: name, sources: request.sources, taskCount: tasks.taskCount, taskCost: tasks.taskCost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// A kernel whose task is one vector of the innermost axis, at one position of the others.
  private func grid(
    _ name: String, _ builder: KernelBuilder, _ arguments: [ScheduledFusion.Argument], _ axes: [Axis], _ width: Int,
    _ cost: Int, _ lowering: inout ElementLowering, _ outputs: [Memory]
  ) -> ScheduledFusion.Launch {
    var b = builder
    let inner = axes[axes.count - 1].extent
    let strips = (inner + (width - 1)).floorDivided(by: Extent(width))
    let extents = axes.dropLast().map(\.extent) + [strips]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    b.setBound(Extent(width), ofVariable: -1)
    var index = b.positions(of: .task, in: extents)
    let start = index[axes.count - 1] * width
    index[axes.count - 1] = width == 1 ? start : start + .lane
    let isWhole = inner.fixed.map { $0 % width == 0 } ?? (width == 1)
    let mask = isWhole ? nil : b.isWithin(start + .lane, inner, lanes: width)
    emit(index, axes, width, mask, &lowering, outputs, &b)
    let kernel = b.kernel(
      name: name, sources: request.sources, taskCount: taskCount, taskCost: Extent(cost) * width)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  /// Buffers for the operands that are used, then for the results.
  func addBuffers(_ b: inout KernelBuilder) -> (buffers: OperandBuffers, outputs: [Memory]) {
    var buffers = OperandBuffers(of: request, &b) { live[request.body.parameters[$0].index] }
    let outputs = buffers.addResults(results, of: request, &b)
    return (buffers, outputs)
  }

  // MARK: Axes and lanes

  func collapsedAxes(_ probe: Probe) -> [Axis] {
    var axes: [Axis] = []
    for (d, extent) in dimensions.enumerated() where extent != .one {
      if let last = axes.last, probe.isCollapsible(last.dimensions.upperBound, with: d, of: dimensions) {
        axes[axes.count - 1] = Axis(
          dimensions: last.dimensions.lowerBound...d, extent: last.extent * extent)
      } else {
        axes.append(Axis(dimensions: d...d, extent: extent))
      }
    }
    if axes.isEmpty { axes = [Axis(dimensions: 0...0, extent: .one)] }
    // What is linear where each index is within its extent need not be where an axis counts on in its innermost dimension.
    let isMerged = axes.contains { $0.dimensions.count > 1 }
    if isMerged, !Probe(request, results, dimensions, axes: axes).isLinear(in: axes) {
      let large = dimensions.indices.filter { dimensions[$0] != .one }
      axes = large.map { Axis(dimensions: $0...$0, extent: dimensions[$0]) }
    }
    return axes
  }

  /// How vectors lie.
  struct Lanes {
    var count: Int
    /// Whether they lie along the innermost axis, or inside each element's reduction.
    var alongResult: Bool
    /// How many of them are computed at once.
    var atOnce = 1
    /// Whether that is to hide what operations wait for.
    var hidesLatency = false
  }

  private func chosenLanes(_ probe: Probe, _ axes: [Axis]) -> Lanes {
    let full = request.target.lanes(byteCount: probe.widestElement)
    if full == 1 { return Lanes(count: 1, alongResult: true) }
    if let groups = request.target.workGroups {
      if probe.isComplex { return Lanes(count: 1, alongResult: true) }
      // Items side by side read side by side: only what lies in one piece everywhere is worth a vector.
      var lanes = groups.lanes(byteCount: probe.widestElement)
      let inner = axes[axes.count - 1].extent.fixed ?? lanes
      while lanes > full && inner % lanes != 0 { lanes /= 2 }
      return Lanes(count: probe.isStream && inner % lanes == 0 ? lanes : 1, alongResult: true)
    }
    if probe.reducesInnermost { return Lanes(count: full, alongResult: false) }
    let isLong = probe.isStream && probe.cost >= Self.longFormula
    let hidesLatency = probe.foldsPositions || isLong
    let atOnce = probe.foldsPositions ? 4 : isLong ? 2 : probe.isStream ? probe.fittingElements : 1
    guard let inner = axes[axes.count - 1].extent.fixed else {
      return Lanes(count: full, alongResult: true, atOnce: atOnce, hidesLatency: hidesLatency)
    }
    if inner == 1 { return Lanes(count: full, alongResult: false) }
    var lanes = full
    while lanes > 1 && lanes / 2 >= inner { lanes /= 2 }
    return Lanes(count: lanes, alongResult: true, atOnce: atOnce, hidesLatency: hidesLatency)
  }

  /// Operands that come from outside the second-level cache, in order, while a long formula leaves the memory idle; those that
  /// come from memory, where a short one waits for them.
  private func fetchedAhead(_ lanes: Lanes) -> [Int: ElementLowering.FetchAhead] {
    var ahead: [Int: ElementLowering.FetchAhead] = [:]
    for (position, parameter) in request.body.parameters.enumerated() where lanes.alongResult && lanes.count > 1 {
      let type = request.body.type(of: parameter)
      guard type.dimensions == dimensions else { continue }
      if !lanes.hidesLatency {
        ahead[position] = .stream(type, request)
      } else if type.byteCount.fixed.map({ $0 > request.target.l2ByteCount }) ?? true {
        let distance = ElementLowering.FetchAhead.byteCount / type.elementType.byteCount
        ahead[position] = ElementLowering.FetchAhead(distance: Extent(distance), level: request.target.fetchLevel)
      }
    }
    return ahead
  }

  func expanded(_ index: [IntegerExpression], _ axes: [Axis]) -> [IntegerExpression] {
    var full = [IntegerExpression](repeating: .zero, count: dimensions.count)
    guard !dimensions.isEmpty else { return full }
    // An axis of several dimensions counts in its innermost; every access is linear in them.
    for (position, axis) in axes.enumerated() { full[axis.dimensions.upperBound] = index[position] }
    return full
  }

  // MARK: Loops

  /// Finds out in which sections the task lies, of the axes from `axis` on that tasks lie along.
  private func sections(
    from axis: Int, _ index: [IntegerExpression], _ plan: Plan, _ lowering: inout ElementLowering, _ outputs: [Memory],
    _ b: inout KernelBuilder
  ) {
    guard axis < plan.tasks.outer else { return nest(from: axis, index, plan, &lowering, outputs, &b) }
    func run(
      _ sections: ArraySlice<LoopSections.Section>, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) {
      guard let section = sections.first else { return }
      guard plan.sections[axis].count > 1 else {
        return self.sections(from: axis + 1, index, plan, &lowering, outputs, &b)
      }
      func inside(_ b: inout KernelBuilder) {
        lowering.withScope { lowering in
          var inner = index
          let position = b.materialize(index[axis] - section.lower, lanes: 1)
          inner[axis] = section.lower + b.index(of: position, bound: section.extent)
          self.sections(from: axis + 1, inner, plan, &lowering, outputs, &b)
        }
      }
      guard sections.count > 1 else { return inside(&b) }
      let end = b.materialize(section.lower + section.extent, lanes: 1)
      let isBefore = b.apply(.compare(.less, .signed), [b.materialize(index[axis], lanes: 1), end])
      b.branch(isBefore, then: { inside(&$0) }, else: { run(sections.dropFirst(), &lowering, &$0) })
    }
    run(plan.sections[axis][...], &lowering, &b)
  }

  private func nest(
    from axis: Int, _ index: [IntegerExpression], _ plan: Plan, _ lowering: inout ElementLowering, _ outputs: [Memory],
    _ b: inout KernelBuilder
  ) {
    let axes = plan.axes
    let isInnermost = axis >= axes.count - 1
    if axis >= axes.count || (isInnermost && axes[axis].extent == .one) {
      emit(index, axes, 1, nil, &lowering, outputs, &b)
      return
    }
    if !isInnermost {
      for section in plan.sections[axis] {
        b.loop(to: section.extent) { b, variable, _ in
          var inner = index
          inner[axis] = section.lower + variable
          lowering.withScope { nest(from: axis + 1, inner, plan, &$0, outputs, &b) }
          return []
        }
      }
      return
    }
    let range = plan.tasks.innerRange(&b)
    for section in plan.sections[axis] {
      var first = index
      first[axis] = section.lower
      var (lower, upper) = (IntegerExpression.zero, section.extent)
      if let range, plan.sections[axis].count == 1 {
        (lower, upper) = range
      } else if let range {
        // The part of the task that lies in the section.
        lower = b.position(.minimum(.maximum(range.0 - section.lower, .zero), section.extent))
        upper = b.position(.maximum(.minimum(range.1 - section.lower, section.extent), lower))
      }
      run(axis, from: lower, to: upper, bound: section.extent, first, plan, &lowering, outputs, &b)
    }
  }

  /// The innermost loop, over some positions after the one in `index`.
  private func run(
    _ axis: Int, from lower: IntegerExpression, to upper: IntegerExpression, bound: Extent,
    _ index: [IntegerExpression], _ plan: Plan, _ lowering: inout ElementLowering, _ outputs: [Memory],
    _ b: inout KernelBuilder
  ) {
    let width = plan.lanes.alongResult ? plan.lanes.count : 1
    if width == 1 {
      b.loop(from: lower, to: upper) { b, variable, _ in
        b.setBound(bound, ofVariable: Self.number(of: variable))
        var inner = index
        inner[axis] += variable
        lowering.withScope { emit(inner, plan.axes, 1, nil, &$0, outputs, &b) }
        return []
      }
      return
    }
    let strips = VectorStrips(from: lower, to: upper, lanes: width, atOnce: plan.lanes.atOnce)
    strips.loop(&lowering, &b, bound: bound) { lowering, b, position, width, mask in
      var inner = index
      inner[axis] += position + .lane
      emit(inner, plan.axes, width, mask, &lowering, outputs, &b)
    }
  }

  private static func number(of variable: IntegerExpression) -> Int {
    guard case .variable(let number)? = variable.atom else { preconditionFailure("a loop counts with a variable") }
    return number
  }

  func emit(
    _ index: [IntegerExpression], _ axes: [Axis], _ width: Int, _ mask: Register?, _ lowering: inout ElementLowering,
    _ outputs: [Memory], _ b: inout KernelBuilder
  ) {
    let full = expanded(index, axes)
    var values: [Register] = []
    for result in results {
      values.append(lowering.element(of: request.body.results[result], at: full, mask: mask, in: &b))
    }
    for (position, value) in values.enumerated() {
      let type = request.body.resultTypes[results[position]]
      let at = ElementLowering.position(of: full, in: type)
      b.store(value, outputs[position], at: at, lanes: width, mask: mask)
    }
  }
}

/// How a loop nest is split into tasks: the outer axes, or ranges of the only one.
private struct TaskPlan {
  /// Axes whose positions the task's number gives.
  let outer: Int
  let taskCount: Extent
  let taskCost: Extent
  /// Elements of the innermost axis in a task, where that axis is split.
  let chunk: Int?
  private let inner: Extent

  init(axes: [LoopNest.Axis], cost: Int) {
    let extents = axes.map { $0.extent.fixed ?? LoopNest.assumedExtent }
    inner = axes[axes.count - 1].extent
    if axes.count == 1 {
      let elements = max(1024, (LoopNest.taskWork * 4 / max(1, cost)) / 1024 * 1024)
      outer = 0
      chunk = elements
      taskCount = (inner + (elements - 1)).floorDivided(by: Extent(elements))
      taskCost = Extent(cost) * IntegerExpression.minimum(inner, Extent(elements))
      return
    }
    chunk = nil
    var split = axes.count - 1
    var work = extents[split] * cost
    while split > 1 && work < LoopNest.taskWork {
      split -= 1
      work *= extents[split]
    }
    // A single task is no help to threads: one axis stays outside unless the whole is small.
    outer = split
    taskCount = axes[..<split].reduce(.one) { $0 * $1.extent }
    taskCost = axes[split...].reduce(Extent(cost)) { $0 * $1.extent }
  }

  /// The part of the innermost axis that is the task's; nil where that is all.
  func innerRange(_ b: inout KernelBuilder) -> (IntegerExpression, IntegerExpression)? {
    guard let chunk, inner.fixed.map({ $0 > chunk }) ?? true else { return nil }
    let lower = IntegerExpression.task * chunk
    let upper = b.index(of: b.materialize(.minimum(lower + chunk, inner), lanes: 1))
    return (lower, upper)
  }
}

/// What a trial run of the lowering shows about a loop nest's accesses.
struct Probe {
  typealias Read = (parameter: Int, position: IntegerExpression, isMasked: Bool)

  let positions: [IntegerExpression]
  /// Each read of a parameter, by its position, and whether it has a mask.
  let reads: [Read]
  /// What decides which operand is read.
  let conditions: [(value: IntegerExpression, limit: IntegerExpression)]
  private let variables: [Int]
  let cost: Int
  let widestElement: Int
  /// How many of the widest elements fit where vectors have one: those of bytes have four. Floats of a byte take many operations.
  let fittingElements: Int
  /// Whether there are complex elements, which have two parts.
  let isComplex: Bool
  /// Whether elements are folds over operands' contiguous dimension, which does not lie along the result.
  let reducesInnermost: Bool
  /// Whether elements need a loop.
  let hasLoop: Bool
  /// Whether elements are positions of extremes.
  let foldsPositions: Bool
  /// Whether elements need no loop, and vectors along the innermost dimension lie in one piece wherever they are read or
  /// written.
  let isStream: Bool

  /// Folds over dimensions of at most the extent `writtenOut` are no loops; the dimensions of one of the axes count in its
  /// innermost.
  init(
    _ request: SchedulingRequest, _ results: [Int], _ dimensions: [Extent], writtenOut: Int = 0,
    axes: [LoopNest.Axis] = []
  ) {
    var b = KernelBuilder(target: request.target)
    var variables: [Int] = []
    for extent in dimensions { variables.append(b.newVariable(bound: extent)) }
    var index = variables.map { IntegerExpression.variable($0) }
    for axis in axes where axis.dimensions.count > 1 {
      for d in axis.dimensions.dropLast() { index[d] = .zero }
      b.setBound(axis.extent, ofVariable: variables[axis.dimensions.upperBound])
    }
    var inputs: [Memory] = []
    for parameter in request.body.parameters {
      inputs.append(b.addBuffer("", request.body.type(of: parameter).elementType, isWritten: false))
    }
    var lowering = ElementLowering(graph: request.body, inputs: inputs, lanes: 1)
    lowering.writtenOut = writtenOut
    for result in results { _ = lowering.element(of: request.body.results[result], at: index, in: &b) }
    let kernel = b.kernel(name: "", sources: [], taskCount: .one, taskCost: .one)
    var survey = KernelSurvey(variables)
    survey.visit(kernel.body)
    positions = survey.positions
    reads = survey.reads
    conditions = b.conditions
    self.variables = variables
    cost = max(1, survey.cost)
    var widest = 1
    var (isComplex, hasByteFloats) = (false, false)
    let folded = request.body.foldedPositions
    for (number, node) in request.body.nodes.enumerated() {
      for (result, type) in node.resultTypes.enumerated() {
        if type.elementType.isComplex { isComplex = true }
        if type.elementType.isFloat, type.elementType.byteCount == 1 { hasByteFloats = true }
        if folded.contains(ResultSlot(value: ValueID(number), result: result)) { continue }
        if type.rank > 0 { widest = max(widest, min(8, type.elementType.realPart.byteCount)) }
      }
    }
    widestElement = max(4, widest)
    fittingElements = hasByteFloats ? 1 : max(1, 4 / widest)
    foldsPositions = !folded.isEmpty
    self.isComplex = isComplex
    let inner = dimensions.indices.last { dimensions[$0] != .one }
    hasLoop = survey.hasLoop
    isStream =
      !survey.hasLoop
      && survey.positions.allSatisfy { position in
        guard let inner, let step = position.coefficient(ofVariable: variables[inner]) else { return false }
        return step == .zero || step == .one
      }
    reducesInnermost = survey.reductionPositions.contains { position, counter in
      guard position.coefficient(ofVariable: counter) == .one, let inner else { return false }
      return position.coefficient(ofVariable: variables[inner]).map { $0 != .one && $0 != .zero } ?? true
    }
  }

  /// The variable of the first dimension; those of the others follow it.
  var firstVariable: Int { variables[0] }

  /// How far a position moves for a step along a dimension; nil where that differs.
  func step(of position: IntegerExpression, along d: Int) -> IntegerExpression? {
    position.coefficient(ofVariable: variables[d])
  }

  /// The number that `position` is where dimension `d` counts 0, if no other counts.
  func value(of position: IntegerExpression, atOriginOf d: Int) -> Int? {
    position.substituting { $0 == .variable(variables[d]) ? .zero : nil }.fixed
  }

  /// Whether a position depends on numbers that were read.
  func isFoundByData(_ position: IntegerExpression) -> Bool {
    var isFound = false
    position.visitAtoms { atom in
      if case .variable(let variable) = atom, !variables.contains(variable) { isFound = true }
    }
    return isFound
  }

  /// Whether all positions move evenly along the axes.
  func isLinear(in axes: [LoopNest.Axis]) -> Bool {
    (positions + conditions.map(\.value)).allSatisfy { position in
      axes.allSatisfy { position.coefficient(ofVariable: variables[$0.dimensions.upperBound]) != nil }
    }
  }

  /// Whether all positions treat dimensions `d` and `e`, neighbours but for extents of 1, as one.
  ///
  /// A condition that is known for each of them may not be known for both together.
  func isCollapsible(_ d: Int, with e: Int, of dimensions: [Extent]) -> Bool {
    (positions + conditions.map(\.value)).allSatisfy { position in
      guard let outer = position.coefficient(ofVariable: variables[d]),
        let inner = position.coefficient(ofVariable: variables[e])
      else { return false }
      return outer == inner * dimensions[e]
    }
  }
}

/// Collects index expressions and counts operations in statements.
private struct KernelSurvey {
  var positions: [IntegerExpression] = []
  /// Reads of buffers.
  var reads: [Probe.Read] = []
  /// Positions read inside loops, with the innermost loop's variable.
  var reductionPositions: [(IntegerExpression, Int)] = []
  var cost = 0
  private(set) var hasLoop = false
  private var loops: [Int] = []
  private var factor = 1
  private let variables: Set<Int>

  init(_ variables: [Int]) { self.variables = Set(variables) }

  mutating func visit(_ statements: [Statement]) {
    for statement in statements {
      switch statement {
      case .define(_, let operation): visit(operation)
      case .store(_, _, let position, _), .atomic(_, _, _, let position, _): positions.append(position)
      case .scatter: cost += 4 * factor
      case .prefetch, .barrier: break
      case .loop(let loop):
        loops.append(loop.variable)
        hasLoop = true
        let count = (loop.upper - loop.lower).fixed ?? LoopNest.assumedExtent
        let outside = factor
        factor = min(1 << 40, factor * max(1, count / loop.step))
        visit(loop.body)
        factor = outside
        loops.removeLast()
      case .branch(_, let then, let otherwise):
        visit(then)
        visit(otherwise)
      case .tile: cost += factor
      }
    }
  }

  private mutating func visit(_ operation: Operation) {
    cost += factor
    switch operation {
    case .load(let memory, let position, let mask):
      positions.append(position)
      if case .buffer(let number) = memory { reads.append((number, position, mask != nil)) }
      if let innermost = loops.last { reductionPositions.append((position, innermost)) }
    case .index(let expression): positions.append(expression)
    default: break
    }
  }
}
