import IR

/// The running fold of a fusion, and the lines along which it runs.
struct ScannedLines {
  /// A value that is stored at each index of the lines, and where.
  typealias Output = (value: ValueID, destination: ScheduledFusion.Argument)

  let request: SchedulingRequest
  /// The node, and the values that are its results.
  let value: ValueID
  let results: [ValueID]
  let body: Graph
  let type: TensorType
  let dimension: Int
  let direction: ScanDirection
  /// The values whose lines are folded.
  let inputs: [ValueID]

  /// Nil where there is not one running fold.
  init?(_ request: SchedulingRequest) {
    let graph = request.body
    let live = graph.liveValues
    var found: [(ValueID, ReduceWindow, Scan)] = []
    for value in graph.values where live[value.index] {
      guard case .reduceWindow(let fold) = graph[value].op else { continue }
      guard let scan = Scan(fold, graph[value], in: graph) else { return nil }
      found.append((value, fold, scan))
    }
    guard found.count == 1, case (let value, let fold, let scan) = found[0] else { return nil }
    self.request = request
    self.value = value
    (body, dimension, direction, inputs) = (fold.body, scan.dimension, scan.direction, scan.inputs)
    type = graph.type(of: inputs[0])
    results =
      graph[value].hasSingleResult
      ? [value]
      : graph.values.filter {
        if case .getTupleElement = graph[$0].op { return live[$0.index] && graph[$0].operands == [value] }
        return false
      }
  }

  private struct Scan {
    var inputs: [ValueID]
    var dimension: Int
    var direction: ScanDirection

    /// Nil where the window is no running fold. Padding of an open extent is a `pad` in front of the window, with what
    /// changes no fold.
    init?(_ fold: ReduceWindow, _ node: Node, in graph: Graph) {
      inputs = Array(node.operands.prefix(node.operands.count / 2))
      if let scan = fold.window.scan(over: graph.type(of: inputs[0]).dimensions) {
        (dimension, direction) = scan
        return
      }
      guard inputs.count == 1, case .pad(let pad) = graph[inputs[0]].op,
        case .constant(let constant) = graph[graph[inputs[0]].operands[1]].op,
        let value = constant.value.splatValue, let function = fold.body.associativeFunction,
        function.neutral(node.type.elementType) == value, pad.interior.allSatisfy({ $0 == 0 })
      else { return nil }
      inputs = [graph[inputs[0]].operands[0]]
      let base = graph.type(of: inputs[0]).dimensions
      let padded = base.indices.filter { pad.low[$0] != .zero || pad.high[$0] != .zero }
      guard padded.count == 1, let along = padded.first,
        fold.window.indices.allSatisfy({ $0 == along || fold.window[$0].isTrivial }),
        fold.window[along] == WindowDimension(extent: base[along] + 1)
      else { return nil }
      dimension = along
      switch (pad.low[along], pad.high[along]) {
      case (base[along], .zero): direction = .forward
      case (.zero, base[along]): direction = .backward
      default: return nil
      }
    }
  }

  var node: Node { request.body[value] }
  var inputCount: Int { inputs.count }
  /// Elements of a line.
  var length: Extent { type.dimensions[dimension] }
  /// The dimensions that number the lines, and their extents.
  var others: [Int] { type.dimensions.indices.filter { $0 != dimension } }
  var otherExtents: [Extent] { others.map { type.dimensions[$0] } }
  var lineCount: Extent { otherExtents.reduce(.one) { $0 * $1 } }

  /// The function, where the parts of a line can be folded apart.
  var associativeFunction: ScalarFunction? {
    inputCount == 1 && !type.elementType.isComplex ? body.associativeFunction : nil
  }

  /// The type in which a line is folded.
  var sumType: ElementType {
    body.resultTypes[0].elementType.arithmeticType
  }

  /// The index of the element that comes at `position` in the direction of the fold.
  func index(ofLine positions: [IntegerExpression], at position: IntegerExpression) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    for (d, position) in zip(others, positions) { index[d] = position }
    index[dimension] = direction == .forward ? position : length - 1 - position
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

  /// What `steps` gives for the outputs. Where the fusion needs the running fold elsewhere than at its own index, that is
  /// stored first, and the rest is computed from it.
  func scheduled(_ steps: ([Output], inout ScheduledFusion) -> [ScheduledFusion.Step]) -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let graph = request.body
    if isStoredAtOnce {
      let destinations = graph.results.indices.map { ScheduledFusion.Argument.result($0) }
      scheduled.steps = steps(Array(zip(graph.results, destinations)), &scheduled)
      return scheduled
    }
    let scanned = results.map { scheduled.addTemporary(graph.type(of: $0)) }
    scheduled.steps = steps(Array(zip(results, scanned)), &scheduled)
    for case .launch(let launch) in Schedule.loop.kernels(rest())?.steps ?? [] {
      let arguments = launch.arguments.map { argument in
        guard case .operand(let position) = argument, position >= graph.parameters.count else { return argument }
        return scanned[position - graph.parameters.count]
      }
      scheduled.append(ScheduledFusion.Launch(launch.kernel, arguments))
    }
    return scheduled
  }

  /// The rest of the fusion, where the running fold's results are its last operands.
  private func rest() -> SchedulingRequest {
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
