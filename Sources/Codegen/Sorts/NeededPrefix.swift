import IR

extension Graph {
  /// Of each line of the results of the node `value`, how many elements its readers need, from the first on; nil where
  /// that may be all: what takes the best few of a sort needs no more of it.
  func neededPrefix(of value: ValueID, along dimension: Int) -> Int? {
    var most = 0
    var names: Set<ValueID> = [value]
    for (position, node) in nodes.enumerated().dropFirst(value.index) {
      for (number, operand) in node.operands.enumerated() where names.contains(operand) {
        switch node.op {
        case .getTupleElement: names.insert(ValueID(position))
        case .slice(let slice):
          guard let limit = slice.limits[dimension].fixed else { return nil }
          most = max(most, limit)
        case .fusion(let fusion):
          let parameter = fusion.body.parameters[number]
          guard let needed = fusion.body.neededPrefix(of: parameter, along: dimension) else { return nil }
          most = max(most, needed)
        default: return nil
        }
      }
    }
    return results.contains(where: names.contains) ? nil : most
  }

  /// The dimension along which a sort orders lines, where the graph has one.
  private var sortedDimension: Int? {
    for node in nodes {
      guard case .sort(let sort) = node.op else { continue }
      return sort.dimension < 0 ? sort.dimension + type(of: node.operands[0]).rank : sort.dimension
    }
    return nil
  }

  /// What `neededPrefix` says of the node `value`, whose kernels compute `body`, along the dimension that `body` sorts.
  func neededPrefix(of value: ValueID, sortedBy body: Graph) -> Int? {
    body.sortedDimension.flatMap { neededPrefix(of: value, along: $0) }
  }
}
