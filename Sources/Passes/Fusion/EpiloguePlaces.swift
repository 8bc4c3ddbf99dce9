import IR

/// Where the elements of a heavy anchor end up in the values that are computed from them one by one.
struct EpiloguePlaces {
  private let graph: Graph
  private let space: [Extent]
  /// For each value that depends on the anchor, the index of an element, with the anchor's index as variables.
  private var indices: [Int: [IntegerExpression]]

  init(of anchor: Int, in graph: Graph) {
    self.graph = graph
    space = graph.nodes[anchor].resultTypes[0].dimensions
    indices = [anchor: space.indices.map { .variable($0) }]
  }

  /// Adds nodes, ascending; false where one has elements of the anchor at other places, or at places that no short
  /// expression says.
  mutating func add(_ nodes: [Int]) -> Bool {
    for position in nodes where indices[position] == nil {
      let node = graph.nodes[position]
      let sources = node.operands.compactMap { indices[$0.index] }
      guard let source = sources.first else { continue }
      guard sources.allSatisfy({ $0 == source }) else { return false }
      if case .pointwise = node.op {
        indices[position] = source
      } else {
        guard let moved = graph.index(source, movedBy: node, over: space) else { return false }
        indices[position] = moved
      }
    }
    return true
  }

  /// Whether neighbours in the value are neighbours in no dimension of the anchor, as where it is interleaved along a
  /// dimension that is not its innermost: each element would be stored alone.
  func scatters(_ node: Int) -> Bool {
    guard let index = indices[node] else { return false }
    let extents = graph.nodes[node].resultTypes[0].dimensions
    guard let innermost = index.indices.last(where: { extents[$0] != .one }) else { return false }
    return !index[innermost].hasUnitStep
  }
}
