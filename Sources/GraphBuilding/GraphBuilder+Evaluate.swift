package import IR

/// Values that a node needs to know but that are computed: constants folded while the graph is read.
extension GraphBuilder {
  /// The node's value in the main graph, where it follows from constants and given input values; by the IR's `evaluate`.
  package func evaluated(_ node: ValueID) throws(OpError) -> Literal? {
    let graph = levels[0].graph
    var isNeeded = [Bool](repeating: false, count: node.index + 1)
    isNeeded[node.index] = true
    var nodeCount = 0
    for index in (0...node.index).reversed() where isNeeded[index] {
      let current = graph[ValueID(index)]
      nodeCount += 1
      guard nodeCount <= Self.evaluationNodeLimit else { return nil }
      for type in current.resultTypes {
        guard let count = type.elementCount.fixed, count <= Self.evaluationElementLimit else { return nil }
      }
      if case .extentValue(let value) = current.op, !value.extent.isFixed { return nil }
      if current.op.isParameter, construction.assumedParameters[ValueID(index)] == nil { return nil }
      for operand in current.operands { isNeeded[operand.index] = true }
    }
    var cone = Graph()
    var moved = [ValueID](repeating: ValueID(0), count: node.index + 1)
    for index in 0...node.index where isNeeded[index] {
      var current = graph[ValueID(index)]
      if let literal = construction.assumedParameters[ValueID(index)] { current.op = .constant(literal) }
      current.operands = current.operands.map { moved[$0.index] }
      moved[index] = cone.appendUnchecked(current)
    }
    cone.results = [moved[node.index]]
    return try cone.evaluate([])[0]
  }

  /// Larger graphs and tensors are not computed while the graph is read.
  private static var evaluationNodeLimit: Int { 10_000 }
  private static var evaluationElementLimit: Int { 1 << 20 }
}
