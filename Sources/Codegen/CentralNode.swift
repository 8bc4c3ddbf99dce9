import IR

/// The node that a fusion's kernels are made around, with what is computed from its results.
struct CentralNode {
  /// A value that is stored at each index of the node's results, and where.
  typealias Output = (value: ValueID, destination: ScheduledFusion.Argument)

  let request: SchedulingRequest
  /// The node, and the values that are its results.
  let value: ValueID
  let results: [ValueID]

  init(_ value: ValueID, of request: SchedulingRequest) {
    self.request = request
    self.value = value
    let (graph, live) = (request.body, request.body.liveValues)
    results =
      graph[value].hasSingleResult
      ? [value]
      : graph.values.filter {
        if case .getTupleElement = graph[$0].op { return live[$0.index] && graph[$0].operands == [value] }
        return false
      }
  }

  /// Whether each result of the fusion needs the node's results only at its own index, in `dimensions`.
  private func isStoredAtOnce(over dimensions: [Extent]) -> Bool {
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
    return graph.resultTypes.allSatisfy { $0.dimensions == dimensions }
  }

  /// What `steps` gives for the outputs. Where the fusion needs the node's results elsewhere than at its own index, they are
  /// stored first, and the rest is computed from them.
  func scheduled(
    over dimensions: [Extent], _ steps: ([Output], inout ScheduledFusion) -> [ScheduledFusion.Step]
  ) -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let graph = request.body
    if isStoredAtOnce(over: dimensions) {
      let destinations = graph.results.indices.map { ScheduledFusion.Argument.result($0) }
      scheduled.steps = steps(Array(zip(graph.results, destinations)), &scheduled)
      return scheduled
    }
    let stored = results.map { scheduled.addTemporary(graph.type(of: $0)) }
    scheduled.steps = steps(Array(zip(results, stored)), &scheduled)
    guard let rest = Schedule.scheduled(rest()) else { preconditionFailure("what follows a central node is a loop") }
    let temporaries = rest.temporaries.map { scheduled.addTemporary($0) }
    let constants = rest.constants.map { scheduled.addConstant($0) }
    var steps = rest.steps
    // Nothing that is replaced is replaced again: what comes in is numbered from zero, what takes its place is not.
    for (number, constant) in constants.enumerated().reversed() {
      steps = steps.map { $0.replacing(.constant(number), by: constant) }
    }
    for (number, temporary) in temporaries.enumerated().reversed() {
      steps = steps.map { $0.replacing(.temporary(number), by: temporary) }
    }
    for (number, value) in stored.enumerated() {
      steps = steps.map { $0.replacing(.operand(graph.parameters.count + number), by: value) }
    }
    scheduled.steps += steps
    return scheduled
  }

  /// The rest of the fusion, where the node's results are its last operands.
  private func rest() -> SchedulingRequest {
    let graph = request.body
    var rest = Graph()
    var values: [ValueID?] = []
    for parameter in graph.parameters { values.append(rest.addParameter(graph.type(of: parameter))) }
    let stored = results.map { rest.addParameter(graph.type(of: $0)) }
    var copies = [ValueID?](repeating: nil, count: graph.nodes.count)
    for (parameter, copy) in zip(graph.parameters, values) { copies[parameter.index] = copy }
    for (result, copy) in zip(results, stored) { copies[result.index] = copy }
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
