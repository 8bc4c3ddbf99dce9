import IR

extension Schedule {
  /// Running folds (`cumsum`), with what follows them.
  ///
  /// A group scans a line in blocks; lines that are too few for the device are scanned by several groups each. Short
  /// lines, many lines side by side and functions that are not associative are an item's work for each line.
  static let groupScan = Schedule("scan by groups") { request in
    guard let device = request.target.workGroups, let scan = ScannedLines(request) else { return nil }
    return GroupScan(scan, device).scheduled()
  }
}

/// The running fold of a fusion, and the lines along which it runs.
struct ScannedLines {
  let request: SchedulingRequest
  /// The node, and the values that are its results.
  let value: ValueID
  let results: [ValueID]
  let body: Graph
  let type: TensorType
  let dimension: Int
  let direction: ScanDirection
  /// Elements of a line.
  let length: Int

  /// Nil where there is not one running fold.
  init?(_ request: SchedulingRequest) {
    let graph = request.body
    let live = graph.liveValues
    var found: [(ValueID, ReduceWindow, Int, ScanDirection)] = []
    for value in graph.values where live[value.index] {
      guard case .reduceWindow(let fold) = graph[value].op else { continue }
      let base = graph.type(of: graph[value].operands[0]).dimensions
      guard let scan = fold.window.scan(over: base) else { return nil }
      found.append((value, fold, scan.dimension, scan.direction))
    }
    guard found.count == 1, case (let value, let fold, let dimension, let direction) = found[0],
      let length = graph.type(of: graph[value].operands[0]).dimensions[dimension].fixed
    else { return nil }
    self.length = length
    self.request = request
    self.value = value
    (body, self.dimension, self.direction) = (fold.body, dimension, direction)
    type = graph.type(of: graph[value].operands[0])
    results =
      graph[value].hasSingleResult
      ? [value]
      : graph.values.filter {
        if case .getTupleElement = graph[$0].op { return live[$0.index] && graph[$0].operands == [value] }
        return false
      }
  }

  var node: Node { request.body[value] }
  var inputCount: Int { node.operands.count / 2 }
  /// The dimensions that number the lines, and their extents.
  var others: [Int] { type.dimensions.indices.filter { $0 != dimension } }
  var otherExtents: [Extent] { others.map { type.dimensions[$0] } }
  var lineCount: Extent { otherExtents.reduce(.one) { $0 * $1 } }

  /// The function, where the parts of a line can be folded apart.
  var associativeFunction: ScalarFunction? {
    inputCount == 1 && !type.elementType.isComplex ? body.associativeFunction : nil
  }

  /// The type in which a line is folded: f32 for the narrow floats.
  var sumType: ElementType {
    let type = body.resultTypes[0].elementType
    return type == .f16 || type == .bf16 ? .f32 : type
  }

  /// The index of the element that comes at `position` in the direction of the fold.
  func index(ofLine positions: [IntegerExpression], at position: IntegerExpression) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    for (d, position) in zip(others, positions) { index[d] = position }
    index[dimension] = direction == .forward ? position : IntegerExpression(length - 1) - position
    return index
  }

  /// Whether each result of the fusion needs the running fold only at its own index.
  var isStoredAtOnce: Bool {
    let graph = request.body
    var depends = [Bool](repeating: false, count: graph.nodes.count)
    depends[value.index] = true
    let live = graph.liveValues
    for (position, node) in graph.nodes.enumerated() where position > value.index && live[position] {
      guard node.operands.contains(where: { depends[$0.index] }) else { continue }
      depends[position] = true
      if results.contains(ValueID(position)) { continue }
      guard case .pointwise = node.op else { return false }
    }
    return graph.resultTypes.allSatisfy { $0.dimensions == type.dimensions }
  }

  /// The rest of the fusion, where the running fold's results are its last operands.
  func rest() -> SchedulingRequest {
    let graph = request.body
    var rest = Graph()
    var values: [ValueID?] = []
    for parameter in graph.parameters { values.append(rest.addParameter(graph.type(of: parameter))) }
    let scanned = results.map { rest.addParameter(graph.type(of: $0)) }
    var copies = [ValueID?](repeating: nil, count: graph.nodes.count)
    for (parameter, copy) in zip(graph.parameters, values) { copies[parameter.index] = copy }
    for (result, copy) in zip(results, scanned) { copies[result.index] = copy }
    for (position, node) in graph.nodes.enumerated() where copies[position] == nil && position != value.index {
      let operands = node.operands.compactMap { copies[$0.index] }
      guard operands.count == node.operands.count else { continue }
      copies[position] = rest.appendUnchecked(
        Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location))
    }
    rest.results = graph.results.compactMap { copies[$0.index] }
    var request = request
    request.body = rest
    request.anchor = .loop
    request.constants += results.map { _ in nil }
    request.name += "_rest"
    return request
  }
}

/// Which kernels scan the lines.
private struct GroupScan {
  /// Longer lines are scanned by groups.
  static let shortLine = 32
  /// Elements that an item folds in a row. Odd numbers keep items out of each other's banks.
  static let longestChunk = 7
  static let mostItems = 256
  /// Lines for each compute unit that keep it busy when each is an item's work.
  static let linesPerUnit = 128

  let lines: ScannedLines
  let device: WorkGroups

  init(_ lines: ScannedLines, _ device: WorkGroups) {
    self.lines = lines
    self.device = device
  }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let body = lines.request.body
    if lines.isStoredAtOnce {
      let destinations = body.results.indices.map { ScheduledFusion.Argument.result($0) }
      scheduled.steps = steps(Array(zip(body.results, destinations)), &scheduled)
      return scheduled
    }
    let scanned = lines.results.map { scheduled.addTemporary(body.type(of: $0)) }
    scheduled.steps = steps(Array(zip(lines.results, scanned)), &scheduled)
    let rest = Schedule.loop.kernels(lines.rest())
    for case .launch(let launch) in rest?.steps ?? [] {
      let arguments = launch.arguments.map { argument in
        guard case .operand(let position) = argument, position >= body.parameters.count else { return argument }
        return scanned[position - body.parameters.count]
      }
      scheduled.append(ScheduledFusion.Launch(launch.kernel, arguments))
    }
    return scheduled
  }

  private func steps(_ outputs: [GroupScanKernels.Output], _ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step]
  {
    let kernels = GroupScanKernels(lines: lines, outputs: outputs)
    guard lines.length > Self.shortLine, let function = lines.associativeFunction, let shape = shape(function) else {
      return [.launch(kernels.byItems())]
    }
    func byGroups(_ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] {
      func whole(_ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] { [.launch(kernels.byGroups(shape))] }
      if lines.length <= shape.length { return whole(&scheduled) }
      return byLineCount(device.computeUnitCount, &scheduled, fewer: { kernels.inParts(shape, &$0) }, whole)
    }
    // Items read lines that lie side by side all at once.
    if lines.type.strides[lines.dimension] == .one { return byGroups(&scheduled) }
    let many = Self.linesPerUnit * device.computeUnitCount
    return byLineCount(many, &scheduled, fewer: byGroups) { _ in [.launch(kernels.byItems())] }
  }

  /// The steps for at least `count` lines, or those for fewer; both where their number is not known.
  private func byLineCount(
    _ count: Int, _ scheduled: inout ScheduledFusion, fewer: (inout ScheduledFusion) -> [ScheduledFusion.Step],
    _ many: (inout ScheduledFusion) -> [ScheduledFusion.Step]
  ) -> [ScheduledFusion.Step] {
    if let known = lines.lineCount.fixed { return known >= count ? many(&scheduled) : fewer(&scheduled) }
    return [.choice(.atLeast(lines.lineCount, count), then: many(&scheduled), otherwise: fewer(&scheduled))]
  }

  /// A group for a line: as many items as have something to do; nil where local memory is too small.
  private func shape(_ function: ScalarFunction) -> GroupScanBlock? {
    let type = lines.sumType
    guard let neutral = function.neutral(type) else { return nil }
    var items = Self.mostItems
    while items > device.itemCount { items /= 2 }
    while items > device.subgroupItemCount, items * 2 >= lines.length { items /= 2 }
    let room = device.localByteCount / max(1, type.byteCount)
    var chunk = Self.longestChunk
    while chunk > 1, items * (chunk - 2) >= lines.length { chunk -= 2 }
    while items * (chunk + 2) > room {
      if chunk > 1 { chunk -= 2 } else { items /= 2 }
    }
    if items < 2 { return nil }
    return GroupScanBlock(function: function, neutral: neutral, type: type, items: items, chunk: chunk)
  }
}
