import IR

/// The op that a fusion's kernels are made around.
extension Graph {
  /// The only node whose op is of a kind; nil where there are none or several.
  func only(_ isAnchor: (Op) -> Bool) -> ValueID? {
    let found = values.filter { isAnchor(self[$0].op) }
    return found.count == 1 ? found[0] : nil
  }

  var onlyConvolution: (value: ValueID, op: Convolution)? {
    let value = only { if case .convolution = $0 { true } else { false } }
    guard let value, case .convolution(let convolution) = self[value].op else { return nil }
    return (value, convolution)
  }

  var onlyDotGeneral: (value: ValueID, op: DotGeneral)? {
    let value = only { if case .dotGeneral = $0 { true } else { false } }
    guard let value, case .dotGeneral(let dot) = self[value].op else { return nil }
    return (value, dot)
  }
}

extension Graph {
  /// The graph with more parameters after its own, in which the value that `replacement` appends stands for a node's. It
  /// gets the node with operands in the new graph, the new parameters, and the new graph.
  func adding(
    parameters types: [TensorType], replacing replaced: ValueID,
    by replacement: (Node, [ValueID], inout Graph) -> ValueID
  ) -> Graph {
    var graph = Graph()
    for type in parameterTypes { graph.addParameter(type) }
    let added = types.map { graph.addParameter($0) }
    var places = [ValueID](repeating: ValueID(0), count: nodes.count)
    for (position, parameter) in parameters.enumerated() { places[parameter.index] = graph.parameters[position] }
    for value in values where !self[value].op.isParameter {
      var node = self[value]
      node.operands = node.operands.map { places[$0.index] }
      places[value.index] =
        value == replaced ? replacement(node, added, &graph) : graph.appendUnchecked(node)
    }
    graph.results = results.map { places[$0.index] }
    return graph
  }
}
