import IR

/// Which nodes of a graph become which kernels.
struct FusionPlan {
  /// The nodes of one kernel.
  struct Group {
    var anchor: Fusion.Anchor
    /// Ascending; a node that is cheap to compute again may belong to several groups.
    var nodes: [Int]
    /// The nodes whose values others read, ascending.
    var results: [Int]
    /// The nodes that name the kernel in profiles and explanations.
    var named: [Int]
  }

  var groups: [Group] = []
  /// For each node, the group that provides its value to others; nil for nodes that stay as they are.
  var provider: [Int?]

  init(nodeCount: Int) { provider = [Int?](repeating: nil, count: nodeCount) }
}

extension FusionPlan {
  /// The graph with each group as one `tfc.fusion` node. O(nodes log nodes).
  ///
  /// Nil where a group decides an extent that it needs itself.
  func applied(to graph: Graph) throws(OpError) -> Graph? {
    var emitter = PlanEmitter(plan: self, graph: graph)
    return try emitter.run()
  }
}

/// Rebuilds a graph after a plan: units (groups, and nodes that stay) in depth-first order from their users.
private struct PlanEmitter {
  let plan: FusionPlan
  let graph: Graph
  var target = Graph()
  /// For each node, its value in `target`, once its unit is emitted.
  var values: [ValueID?]
  var groupIsEmitted: [Bool]
  /// For each node, those that decide its extents, where data does.
  let decisions: [[Int]]
  /// The units whose inputs are being emitted, where extents could lead back to them.
  var waiting: Set<Int> = []

  init(plan: FusionPlan, graph: Graph) {
    self.plan = plan
    self.graph = graph
    values = [ValueID?](repeating: nil, count: graph.nodes.count)
    groupIsEmitted = [Bool](repeating: false, count: plan.groups.count)
    decisions = graph.extentDecisions
  }

  mutating func run() throws(OpError) -> Graph? {
    for parameter in graph.parameters { values[parameter.index] = target.appendUnchecked(graph[parameter]) }
    for result in graph.results {
      guard try emit(result.index) else { return nil }
    }
    target.results = graph.results.map { value(of: $0.index) }
    return target
  }

  private func value(of node: Int) -> ValueID {
    guard let value = values[node] else { preconditionFailure("a value is emitted before its users") }
    return value
  }

  /// Emits the unit that provides `node`, after all it depends on; false where it depends on itself.
  private mutating func emit(_ node: Int) throws(OpError) -> Bool {
    var stack = [node]
    while let top = stack.last {
      if values[top] != nil {
        stack.removeLast()
        continue
      }
      let missing = inputs(of: top).filter { values[$0] == nil }
      if missing.isEmpty {
        if let group = plan.provider[top] { try emitGroup(group) } else { try emitNode(top) }
        stack.removeLast()
      } else {
        // Only extents that data decides lead back.
        guard decisions.isEmpty || waiting.insert(unit(of: top)).inserted else { return false }
        stack.append(contentsOf: missing.reversed())
      }
    }
    return true
  }

  /// A number for what provides a node.
  private func unit(of node: Int) -> Int { plan.provider[node].map { -1 - $0 } ?? node }

  private func inputs(of node: Int) -> [Int] {
    let (nodes, operands) =
      plan.provider[node].map { (plan.groups[$0].nodes, external(plan.groups[$0])) }
      ?? ([node], graph.nodes[node].operands.map(\.index))
    if decisions.isEmpty { return operands }
    return operands + nodes.flatMap { decisions[$0] }.filter { !operands.contains($0) }
  }

  /// The values a group reads from outside, in order of first use.
  private func external(_ group: FusionPlan.Group) -> [Int] {
    let inside = Set(group.nodes)
    var found: [Int] = []
    var seen: Set<Int> = []
    for node in group.nodes {
      for operand in graph.nodes[node].operands {
        let index = operand.index
        guard !inside.contains(index), !graph.isSplatConstant(operand) else { continue }
        if seen.insert(index).inserted { found.append(index) }
      }
    }
    return found
  }

  private mutating func emitNode(_ index: Int) throws(OpError) {
    let node = graph.nodes[index]
    if let source = behindBarrier(index) {
      values[index] = value(of: source.index)
      return
    }
    let operands = node.operands.map { value(of: $0.index) }
    values[index] = target.appendUnchecked(
      Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location))
  }

  /// The value that an `optimization_barrier` hands on: the barrier has done its work once the kernels are formed.
  private func behindBarrier(_ index: Int) -> ValueID? {
    let node = graph.nodes[index]
    if case .getTupleElement(let element) = node.op {
      let source = graph[node.operands[0]]
      return source.op.isOptimizationBarrier ? source.operands[element.index] : nil
    }
    return node.op.isOptimizationBarrier ? node.operands[0] : nil
  }

  private mutating func emitGroup(_ index: Int) throws(OpError) {
    precondition(!groupIsEmitted[index], "a group reads its own results")
    groupIsEmitted[index] = true
    let group = plan.groups[index]
    var body = Graph()
    var inner: [Int: ValueID] = [:]
    let outside = external(group)
    for operand in outside { inner[operand] = body.addParameter(graph.nodes[operand].type) }
    for node in group.nodes {
      let source = graph.nodes[node]
      var operands: [ValueID] = []
      for operand in source.operands {
        if let value = inner[operand.index] {
          operands.append(value)
        } else {
          precondition(graph.isSplatConstant(operand), "only splats are cloned into a body")
          let value = body.appendUnchecked(graph[operand])
          inner[operand.index] = value
          operands.append(value)
        }
      }
      inner[node] = body.appendUnchecked(
        Node(op: source.op, operands: operands, resultTypes: source.resultTypes, location: source.location))
    }
    body.results = group.results.map { node in
      guard let value = inner[node] else { preconditionFailure("a group's results are its nodes") }
      return value
    }
    let op = Op.fusion(Fusion(anchor: group.anchor, body: body))
    let operands = outside.map { value(of: $0) }
    let fusion = try target.append(op, operands, location: location(of: group))
    for (node, value) in zip(group.results, target.results(of: fusion)) { values[node] = value }
  }

  private func location(of group: FusionPlan.Group) -> Location {
    var parts: [Location] = []
    for node in group.named {
      let location = graph.nodes[node].location
      if location != .unknown, !parts.contains(location) { parts.append(location) }
    }
    return parts.count > 1 ? .fused(parts) : parts.first ?? .unknown
  }
}

extension Graph {
  /// Whether `value` is a constant all of whose elements are the same; kernels hold such a value as an immediate.
  func isSplatConstant(_ value: ValueID) -> Bool {
    guard case .constant(let constant) = self[value].op else { return false }
    return constant.value.splatValue != nil
  }
}
