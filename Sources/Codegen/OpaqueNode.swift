import IR

/// The one node of an op in a fusion, and which of its results the fusion's results are.
struct OpaqueNode {
  let value: ValueID
  let node: Node
  /// For each result of the fusion, the node's result.
  let results: [Int]

  /// Nil where the fusion's results are not all results of the one node that `isWanted` picks.
  init?(_ body: Graph, _ isWanted: (Op) -> Bool) {
    let found = body.values.filter { isWanted(body[$0].op) }
    guard found.count == 1 else { return nil }
    value = found[0]
    node = body[found[0]]
    var results: [Int] = []
    for result in body.results {
      if result == value {
        results.append(0)
      } else if case .getTupleElement(let projection) = body[result].op, body[result].operands == [value] {
        results.append(projection.index)
      } else {
        return nil
      }
    }
    self.results = results
  }

  /// The same body with other results.
  func graph(_ body: Graph, computing results: [ValueID]) -> Graph {
    var graph = body
    graph.results = results
    return graph
  }
}
