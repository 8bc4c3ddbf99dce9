import IR

extension Pass {
  /// `%a = multiply %x, %y; %b = add %a, %z` becomes `%b = "tfc.fusion"(%x, %y, %z) ({ multiply, add })`.
  public static let fusion = Pass(
    "fusion", "gathers nodes into kernels, each around one anchor", scope: .controlFlow
  ) { graph, context throws(OpError) in
    var planner = FusionPlanner(graph, context)
    planner.formClusters()
    if var merging = FusionMerging(planner) {
      planner = merging.run()
      planner.explainKernels()
      context = planner.context
      if let fused = try planner.plan.applied(to: graph) {
        graph = fused
        return
      }
    }
    // Rare, and then not worth a search for what to take apart.
    context.explain(
      "fusion", graph.nodes[graph.nodes.count - 1], .notFused, "a kernel would decide an extent that it needs itself")
    graph = try graph.withSeparateKernels()
  }
}

extension FusionPlanner {
  /// The kernels as groups of nodes, and who provides each value.
  var plan: FusionPlan {
    var plan = FusionPlan(nodeCount: units.graph.nodes.count)
    plan.provider = provider
    var nodes = [[Int]](repeating: [], count: clusters.count)
    var results = nodes
    for index in units.graph.nodes.indices {
      for cluster in memberships[index] { nodes[cluster].append(index) }
      guard let home = provider[index], units.graph.nodes[index].hasSingleResult else { continue }
      if isReadOutside(index, home) { results[home].append(index) }
    }
    for (index, cluster) in clusters.enumerated() {
      let named = [cluster.anchorNode].compactMap { $0 } + results[index]
      plan.groups.append(
        FusionPlan.Group(anchor: cluster.anchor, nodes: nodes[index], results: results[index], named: named))
    }
    return plan
  }

  /// Whether anything reads the value from memory: the graph's user, a node outside kernels, another kernel.
  private func isReadOutside(_ node: Int, _ home: Int) -> Bool {
    if units.isResultValue[node] { return true }
    return units.uses[units.owner(of: node)].contains { use in
      guard use.value == node else { return false }
      let readers = memberships[use.user]
      return readers.isEmpty || readers.contains { $0 != home && !memberships[node].contains($0) }
    }
  }
}
