extension Graph {
  /// Throws unless every operand comes before its user, every node has the types that its op infers, and every region
  /// is closed and holds the same. O(nodes).
  public func verify() throws(OpError) {
    var found: [ValueID] = []
    for (index, node) in nodes.enumerated() {
      if node.op.isParameter { found.append(ValueID(index)) }
      do {
        try verify(node, at: index)
        for region in node.op.definition.regions { try region.verify() }
      } catch {
        throw error.at(node.location)
      }
    }
    guard found == parameters else { throw OpError("parameters \(parameters) are not the parameter nodes \(found)") }
    for (position, parameter) in parameters.enumerated() {
      guard case .parameter(let op) = self[parameter].op, op.index == position else {
        throw OpError("\(parameter) is not parameter \(position)")
      }
    }
    for result in results {
      guard result.index < nodes.count else { throw OpError("result \(result) is not a value of the graph") }
      guard self[result].hasSingleResult else { throw OpError("result \(result) is a list of results") }
    }
  }

  private func verify(_ node: Node, at index: Int) throws(OpError) {
    var types: [TensorType] = []
    for operand in node.operands {
      guard operand.index < index else {
        throw OpError("operand \(operand) of \(ValueID(index)) does not come before it")
      }
      let source = nodes[operand.index]
      if case .getTupleElement(let element) = node.op {
        types.append(try element.element(of: source.resultTypes))
      } else if source.hasSingleResult {
        types.append(source.resultTypes[0])
      } else {
        throw OpError("\(node.op.mnemonic) takes the list of results of \(source.op.mnemonic) as one operand")
      }
    }
    let inferred = try node.op.inferTypes(types)
    guard inferred == node.resultTypes else {
      throw OpError("\(node.op.mnemonic) has type \(Self.text(node.resultTypes)), inferred is \(Self.text(inferred))")
    }
  }

  private static func text(_ types: [TensorType]) -> String {
    types.map(\.detailedDescription).joined(separator: ", ")
  }
}
