import IR

/// What each node of a graph is to fusion: computed once, read by all its stages.
struct FusionUnits {
  let graph: Graph
  /// For each node, its access pattern; `leaf` for nodes that stay outside kernels.
  let semantics: [Semantics]
  /// For each node that has a list of results and belongs into a kernel, the `get_tuple_element` nodes that read it.
  private(set) var elements: [Int: [Int]] = [:]
  /// For each node, whether it becomes part of a kernel.
  private(set) var computes: [Bool]

  init(_ graph: Graph) {
    self.graph = graph
    var semantics: [Semantics] = []
    semantics.reserveCapacity(graph.nodes.count)
    computes = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      if case .getTupleElement = node.op {
        let source = node.operands[0].index
        semantics.append(.leaf)
        if computes[source] {
          computes[index] = true
          elements[source, default: []].append(index)
        }
        continue
      }
      let types = node.operands.map { graph[$0].resultTypes[0] }
      let pattern = node.op.definition.semantics(operands: types, results: node.resultTypes)
      semantics.append(pattern)
      switch pattern {
      case .leaf, .control: break
      default: computes[index] = true
      }
    }
    self.semantics = semantics
  }

  /// The anchor of a kernel that holds only this node; nil for nodes that stay as they are.
  func anchor(of index: Int) -> Fusion.Anchor? {
    guard computes[index] else { return nil }
    switch semantics[index] {
    case .leaf, .control: return nil
    case .position, .pointwise, .movement: return .loop
    case .reduction: return .reduction
    case .contraction: return .contraction
    case .window: return .window
    case .scatter: return .scatter
    case .sort: return .sort
    case .opaque: return .opaque
    }
  }

  /// The node and the `get_tuple_element` nodes that read its results.
  func members(of index: Int) -> [Int] { [index] + (elements[index] ?? []) }
}
