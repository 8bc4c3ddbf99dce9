import IR

extension Pass {
  /// `%r = stablehlo.add %x, %y` becomes `%r = "tfc.fusion"(%x, %y) ({ stablehlo.add })`, op by op.
  public static let separateKernels = Pass(
    "separate-kernels", "makes each op a kernel of its own", scope: .controlFlow
  ) { graph, _ throws(OpError) in
    graph = try graph.withSeparateKernels()
  }
}

extension Graph {
  /// The graph with each op that computes as one kernel.
  func withSeparateKernels() throws(OpError) -> Graph {
    guard let separated = try FusionPlan(separating: self).applied(to: self) else {
      throw .unsupported("extents that data decides by way of themselves")
    }
    return separated
  }
}

extension FusionPlan {
  /// The plan in which each op that computes is one kernel.
  init(separating graph: Graph) {
    self.init(nodeCount: graph.nodes.count)
    let units = FusionUnits(graph)
    for index in graph.nodes.indices {
      guard let anchor = units.anchor(of: index) else { continue }
      let members = units.members(of: index)
      let results = graph.nodes[index].hasSingleResult ? [index] : Array(members.dropFirst())
      for member in members { provider[member] = groups.count }
      if results.isEmpty { continue }
      groups.append(Group(anchor: anchor, nodes: members, results: results, named: [index]))
    }
  }
}
