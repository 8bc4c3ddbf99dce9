import IR

/// Forms kernels from the last node to the first: a node joins the kernel of its readers, or starts one.
///
/// A node whose readers all lie in one kernel can always join without a cycle: whatever lies between them reads the
/// node too. A node that is computed again in several kernels adds no dependence either. Kernels with several results
/// come later, in `merging`, where paths are looked at.
struct FusionPlanner {
  let units: FusionUnits
  let regions: FusionRegions
  var context: PassContext
  var clusters: [FusionCluster] = []
  /// For each node, the kernels that compute it; empty for nodes that stay outside.
  var memberships: [[Int]]
  /// For each node, the kernel that stores its value if others read it.
  var provider: [Int?]
  let clones: RecomputeCosts

  init(_ graph: Graph, _ context: PassContext) {
    units = FusionUnits(graph)
    regions = FusionRegions(units, context)
    clones = RecomputeCosts(units, context)
    self.context = context
    memberships = [[Int]](repeating: [], count: graph.nodes.count)
    provider = [Int?](repeating: nil, count: graph.nodes.count)
  }

  mutating func formClusters() {
    for refusal in regions.nearAttentions {
      let node = units.graph[refusal.product]
      context.explain("fusion", node, .notFused, "no attention with the softmax before it: \(refusal.reason)")
    }
    for index in units.graph.nodes.indices.reversed() {
      guard units.live[index], units.computes[index], !units.isElement(index), !regions.isInAttention[index] else {
        continue
      }
      place(index)
      if let attention = regions.attentions[index], let home = provider[index] { add(attention, to: home) }
    }
  }

  /// Adds all of the attention to the kernel of the product that ends it: nothing else reads it.
  private mutating func add(_ attention: Attention, to target: Int) {
    clusters[target].add(attention, units, context)
    for node in attention.nodes.dropLast() {
      memberships[node.index].append(target)
      provider[node.index] = target
    }
  }

  private mutating func place(_ node: Int) {
    var targets: [Int] = []
    var isReadOutside = units.isResult[node]
    for use in units.uses[node] {
      let readers = memberships[use.user]
      if readers.isEmpty { isReadOutside = true }
      for cluster in readers where !targets.contains(cluster) { targets.append(cluster) }
    }
    if targets.count == 1, !isReadOutside {
      guard let reason = join(node, targets[0]) else {
        provider[node] = targets[0]
        for member in units.members(of: node) { provider[member] = targets[0] }
        return
      }
      context.explain("fusion", units.graph.nodes[node], .notFused, "\(reason)")
    } else if !targets.isEmpty {
      let left = clone(node, into: targets, isReadOutside: isReadOutside)
      if left == 0, !isReadOutside { return }
      let readers = targets.count + (isReadOutside ? 1 : 0)
      let bytes = FusionCluster.bytes(context.estimatedBytes(units.type(node)))
      context.explain(
        "fusion", units.graph.nodes[node], .notFused, "\(readers) users, \(bytes) would be computed for each")
    }
    if !units.isView(node) { startCluster(node) }
  }

  /// Tries to add the node to a kernel that reads it; gives the reason where it may not.
  private mutating func join(_ node: Int, _ target: Int) -> String? {
    if let heavy = regions.epilogueOf[node], clusters[target].epilogueOf != heavy {
      return "it belongs to the epilogue of \(units.graph.nodes[heavy].op.mnemonic)"
    }
    if let region = regions.rowRegion[node], clusters[target].rowRegion != region {
      return "it belongs to a kernel over rows"
    }
    let maps = readings(of: node, in: target)
    if let reason = refusal(of: node, readBy: maps, in: target) { return reason }
    clusters[target].add(node, readBy: maps, units, context)
    for member in units.members(of: node) { memberships[member].append(target) }
    return nil
  }

  private func refusal(of node: Int, readBy maps: [Int], in target: Int) -> String? {
    let reason = clusters[target].refusal(
      of: node, readBy: maps, isRowNumber: regions.isRowNumber[node], readsNothing: clones.readsNothing[node], units,
      context)
    return reason ?? refusalByChain(of: node, readBy: maps, in: target)
  }

  private mutating func readings(of node: Int, in target: Int) -> [Int] {
    var maps: [Int] = []
    for use in units.uses[node] where memberships[use.user].contains(target) {
      for map in clusters[target].readings(of: use.value, by: use.user, units, context) where !maps.contains(map) {
        maps.append(map)
      }
    }
    return maps
  }

  private mutating func startCluster(_ node: Int) {
    let type = units.type(node)
    var cluster = FusionCluster(space: type, size: context.estimatedCount(type))
    cluster.epilogueOf = regions.epilogueOf[node]
    cluster.rowRegion = regions.rowRegion[node]
    cluster.add(node, readBy: [IndexMaps.root], units, context)
    for member in units.members(of: node) {
      memberships[member].append(clusters.count)
      provider[member] = clusters.count
    }
    clusters.append(cluster)
  }

  /// Adds a cheap node to each kernel that reads it; gives how many kernels still read it from memory.
  private mutating func clone(_ node: Int, into targets: [Int], isReadOutside: Bool) -> Int {
    guard regions.epilogueOf[node] == nil, let kind = clones.kind[node] else { return targets.count }
    switch kind {
    case .free:
      return targets.count { join(node, $0) != nil }
    case .cheap:
      guard !isReadOutside, regions.rowRegion[node] == nil, targets.count <= 8 else { return targets.count }
      for target in targets {
        let maps = readings(of: node, in: target)
        if refusal(of: node, readBy: maps, in: target) != nil { return targets.count }
      }
      return targets.count { join(node, $0) != nil }
    }
  }

  /// Notes for each node in which kernel it has come to lie.
  mutating func explainKernels() {
    guard context.explains else { return }
    for (index, node) in units.graph.nodes.enumerated() where !memberships[index].isEmpty && !units.isElement(index) {
      let kernels = memberships[index]
      if provider[index] == nil {
        context.explain("fusion", node, .fused, "computed again in each of \(kernels.count) kernels")
      } else if let home = provider[index], clusters[home].maps.count > units.members(of: index).count {
        let cluster = clusters[home]
        let anchor = cluster.anchorNode.map { units.graph.nodes[$0].op.mnemonic } ?? "its readers"
        let reason =
          cluster.anchorNode != index
          ? "all that read it are in its kernel"
          : cluster.anchor == .attention
            ? "its weights are a softmax of scores, none of which are stored" : "its readers are its epilogue"
        context.explain("fusion", node, .fused, "\(cluster.anchor.rawValue) kernel of \(anchor): \(reason)")
      }
    }
  }
}

/// Which nodes are cheaper to compute in each reader than to store and read.
struct RecomputeCosts {
  enum Kind {
    /// Index arithmetic only, or a number that the index gives.
    case free
    /// A few multiplications an element, from operands no larger than the result.
    case cheap
  }

  /// For each node, how it may be computed again; nil where it may not.
  private(set) var kind: [Kind?]
  /// For each node, whether positions and splats are all it is computed from, and it may be computed again.
  private(set) var readsNothing: [Bool]
  /// Multiplications an element that all computed again together may cost.
  static let limit = 8.0

  init(_ units: FusionUnits, _ context: PassContext) {
    let graph = units.graph
    kind = [Kind?](repeating: nil, count: graph.nodes.count)
    readsNothing = [Bool](repeating: false, count: graph.nodes.count)
    var costs = [Double](repeating: 0, count: graph.nodes.count)
    var bytes = [Double](repeating: 0, count: graph.nodes.count)
    for index in graph.nodes.indices where units.live[index] {
      bytes[index] = context.estimatedBytes(units.type(index))
      let node = graph.nodes[index]
      if graph.isSplatConstant(ValueID(index)) { bytes[index] = 0 }
      guard units.computes[index], node.hasSingleResult, !units.isElement(index), !units.isView(index) else { continue }
      let result = bytes[index]
      let stays = node.operands.contains { Self.isOnlyForThis($0.index, units) && self.kind[$0.index] == nil }
      let sum = node.operands.reduce(0.0) { $0 + (kind[$1.index] == nil ? 0 : costs[$1.index]) }
      switch units.semantics[index] {
      case .position:
        kind[index] = .free
        costs[index] = 1
        bytes[index] = 0
      case .movement(let movement):
        guard movement.pieces.count == 1, movement.elementReads.isEmpty else { continue }
        let operand = bytes[node.operands[0].index]
        let grows =
          context.estimatedCount(graph.type(of: node.operands[0])) <= context.estimatedCount(units.type(index))
        guard grows || !stays, sum <= Self.limit else { continue }
        kind[index] = .free
        costs[index] = sum
        bytes[index] = min(operand, result)
      case .pointwise(let function):
        let operands = Set(node.operands).reduce(0.0) { $0 + bytes[$1.index] }
        guard !stays, function.cost <= 2, sum + function.cost <= Self.limit, operands <= result else { continue }
        kind[index] = .cheap
        costs[index] = sum + function.cost
        bytes[index] = operands
      default: continue
      }
      readsNothing[index] = bytes[index] == 0
    }
  }

  /// Whether the value is computed in a kernel and read once, so that it need not be stored.
  private static func isOnlyForThis(_ index: Int, _ units: FusionUnits) -> Bool {
    units.computes[index] && units.uses[units.owner(of: index)].count == 1
  }
}
