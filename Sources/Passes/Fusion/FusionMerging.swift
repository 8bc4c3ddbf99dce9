import IR

/// Joins kernels into kernels with several results: one reads the other's result in place, or both read the same value,
/// over the same space.
///
/// Kernels that share no operand are not joined: they save no memory traffic, and a launch costs little.
struct FusionMerging {
  private var planner: FusionPlanner
  /// For each kernel, the one it has become part of.
  private var parent: [Int]
  /// Kernels and nodes outside kernels, as one numbering: kernels first.
  private let unitCount: Int
  private var successors: [[Int]]
  /// Units in an order in which each comes after what it reads, and the place of each in it.
  private var order: [Int] = []
  private var place: [Int]
  /// How far apart in the order two kernels may be, and how many kernels a search for a path may visit.
  private static let windowLimit = 256
  private static let searchLimit = 256
  /// Results one kernel may store.
  private static let resultLimit = 8

  /// Nil where a kernel decides, by way of others, an extent that it needs itself.
  init?(_ planner: FusionPlanner) {
    self.planner = planner
    let clusterCount = planner.clusters.count
    unitCount = clusterCount + planner.units.graph.nodes.count
    parent = Array(0..<clusterCount)
    successors = [[Int]](repeating: [], count: unitCount)
    place = [Int](repeating: 0, count: unitCount)
    connect()
    sort()
    if order.count != unitCount { return nil }
  }

  mutating func run() -> FusionPlanner {
    var latestReader: [Int: Int] = [:]
    for unit in order where unit < planner.clusters.count && parent[unit] == unit {
      guard planner.clusters[unit].canHaveSeveralResults else { continue }
      var current = unit
      for value in operands(of: unit) {
        if let home = planner.provider[value], root(home) != current, merge(root(home), current, through: value) {
          current = root(current)
        }
        let isLarge = isFullSize(value, in: current)
        if isLarge, let other = latestReader[value], root(other) != current, merge(root(other), current, through: nil) {
          current = root(current)
        }
        if isLarge { latestReader[value] = current }
      }
    }
    rename()
    return planner
  }
}

// MARK: - The graph of kernels

extension FusionMerging {
  private func root(_ cluster: Int) -> Int {
    var cluster = cluster
    while parent[cluster] != cluster { cluster = parent[cluster] }
    return cluster
  }

  private func root(unit: Int) -> Int { unit < planner.clusters.count ? root(unit) : unit }

  private func unit(providing value: Int) -> Int {
    let owner = planner.units.owner(of: value)
    return planner.provider[value] ?? planner.provider[owner] ?? planner.clusters.count + owner
  }

  /// The values that a kernel reads from memory, ascending.
  private func operands(of cluster: Int) -> [Int] {
    var found: Set<Int> = []
    let maps = planner.clusters[cluster].maps
    for node in maps.keys where !planner.units.isElement(node) {
      for operand in planner.units.graph.nodes[node].operands where maps[operand.index] == nil {
        found.insert(operand.index)
      }
    }
    return found.sorted()
  }

  private mutating func connect() {
    let graph = planner.units.graph
    for cluster in planner.clusters.indices {
      var sources: Set<Int> = []
      for operand in operands(of: cluster) { sources.insert(unit(providing: operand)) }
      for source in sources { successors[source].append(cluster) }
    }
    for (index, node) in graph.nodes.enumerated() where planner.memberships[index].isEmpty && planner.units.live[index]
    {
      let unit = planner.clusters.count + index
      for operand in node.operands { successors[self.unit(providing: operand.index)].append(unit) }
    }
    connectDecisions()
  }

  /// What reads nothing of a node that decides its extents comes after it all the same.
  private mutating func connectDecisions() {
    for (index, sources) in planner.units.graph.extentDecisions.enumerated() where planner.units.live[index] {
      let clusters = planner.memberships[index]
      let units = clusters.isEmpty ? [planner.clusters.count + index] : clusters
      for source in sources { successors[unit(providing: source)] += units }
    }
  }

  private mutating func sort() {
    var missing = [Int](repeating: 0, count: unitCount)
    for list in successors { for unit in list { missing[unit] += 1 } }
    var ready = (0..<unitCount).filter { missing[$0] == 0 }
    while let unit = ready.popLast() {
      place[unit] = order.count
      order.append(unit)
      for next in successors[unit] {
        missing[next] -= 1
        if missing[next] == 0 { ready.append(next) }
      }
    }
    precondition(
      order.count == unitCount || !planner.units.graph.extentDecisions.isEmpty,
      "kernels formed from readers to read do not depend on each other in a circle")
  }

  /// The units reachable from `first` before `last` in the order, without `last`; nil where one of them leads to `last`.
  private func between(_ first: Int, _ last: Int) -> Set<Int>? {
    guard place[last] - place[first] <= Self.windowLimit else { return nil }
    var reached: Set<Int> = []
    var open: [Int] = [first]
    while let unit = open.popLast() {
      for next in successors[unit].lazy.map({ root(unit: $0) }) where next != unit {
        if next == last {
          if unit == first { continue }
          return nil
        }
        guard place[next] < place[last], reached.insert(next).inserted else { continue }
        if reached.count > Self.searchLimit { return nil }
        open.append(next)
      }
    }
    return reached
  }

  /// Makes one unit of two; what lies between them in the order moves before or behind it.
  private mutating func contract(_ first: Int, _ last: Int, _ reached: Set<Int>) {
    parent[first] = last
    successors[last] += successors[first]
    successors[first] = []
    let range = place[first]...place[last]
    let window = order[range]
    let before = window.filter { $0 != first && $0 != last && !reached.contains($0) }
    let after = window.filter { reached.contains($0) }
    for (offset, unit) in (before + [first, last] + after).enumerated() {
      order[range.lowerBound + offset] = unit
      place[unit] = range.lowerBound + offset
    }
  }
}

// MARK: - Which kernels fit

extension FusionCluster {
  /// Whether further results may be stored beside the present one.
  var canHaveSeveralResults: Bool {
    switch anchor {
    case .loop, .row, .reduction: true
    case .contraction, .attention, .window, .lines, .scatter, .sort, .opaque: false
    }
  }
}

extension FusionCluster {
  /// Takes over the nodes of a kernel that runs over the same space, with the maps by which they are read.
  fileprivate mutating func adopt(_ other: FusionCluster) {
    var numbers: [Int: Int] = [:]
    if let mine = folding {
      numbers[other.folding?.lines ?? IndexMaps.root] = mine.lines
      if let theirs = other.folding { numbers[theirs.numbers] = mine.numbers }
    } else {
      numbers[IndexMaps.root] = IndexMaps.root
    }
    for (node, maps) in other.maps where self.maps[node] == nil {
      self.maps[node] = maps.map { map in
        if let known = numbers[map] { return known }
        let new = indexMaps.adopt(other.indexMaps[map])
        numbers[map] = new
        return new
      }
    }
    addOperands(of: other)
  }
}

extension FusionMerging {
  /// Whether the value has as many elements as the kernel's space, so that reading it twice costs what the kernel costs.
  private func isFullSize(_ value: Int, in cluster: Int) -> Bool {
    let type = planner.units.type(value)
    if type.elementCount == .one || planner.units.graph.isSplatConstant(ValueID(value)) { return false }
    let space = planner.clusters[cluster].folding?.inputDimensions ?? planner.clusters[cluster].space.dimensions
    return type.dimensions.filter { $0 != .one } == space.filter { $0 != .one }
  }

  /// Makes one kernel of two if that is sound and good; `value` is what the later one reads of the earlier one.
  private mutating func merge(_ a: Int, _ b: Int, through value: Int?) -> Bool {
    let (first, last) = place[a] < place[b] ? (a, b) : (b, a)
    guard planner.clusters[first].canHaveSeveralResults, planner.clusters[last].canHaveSeveralResults else {
      return false
    }
    let passed = operands(of: last).filter { root(unit: unit(providing: $0)) == first }
    guard let joined = joined(planner.clusters[first], planner.clusters[last], passing: passed) else { return false }
    guard let reached = between(first, last) else { return false }
    contract(first, last, reached)
    planner.clusters[last] = joined
    if let node = value ?? planner.clusters[first].maps.keys.max() {
      planner.context.explain(
        "fusion", planner.units.graph.nodes[node], .fused,
        value == nil ? "with a kernel that reads the same values" : "with a kernel that reads it; stored as well")
    }
    return true
  }

  /// The kernel that computes what both do, if both run over the same space in the same way; `values` are all that the
  /// later one reads of the earlier one.
  private func joined(_ first: FusionCluster, _ last: FusionCluster, passing values: [Int]) -> FusionCluster? {
    guard first.emissions + last.emissions <= FusionCluster.emissionLimit,
      first.resultCount + last.resultCount <= Self.resultLimit,
      first.operands.union(last.operands).count <= FusionCluster.operandLimit
    else { return nil }
    var joined = last
    joined.emissions += first.emissions
    joined.resultCount += first.resultCount
    switch (first.folding, last.folding) {
    case (nil, nil):
      guard first.space.dimensions == last.space.dimensions else { return nil }
    case (let a?, let b?):
      guard a.inputDimensions == b.inputDimensions, a.dimensions == b.dimensions, a.row == b.row else { return nil }
      // Numbers that a column reduction gives are only there when all is folded.
      if a.row == nil, !values.isEmpty { return nil }
      if a.row != nil { joined.anchor = .row }
    case (let fold?, nil):
      guard let row = fold.row, last.space.dimensions == fold.inputDimensions else { return nil }
      joined.anchor = .row
      joined.folding = fold
      joined.folding?.lines = IndexMaps.root
      joined.folding?.numbers = joined.indexMaps.projection(kept: row.leading.count)
      joined.anchorNode = first.anchorNode
    case (nil, let fold?):
      guard fold.row != nil, first.space.dimensions == fold.inputDimensions else { return nil }
      joined.anchor = .row
    }
    if joined.anchor == .row, let row = joined.folding?.row {
      guard row.fits(last.space.elementType, planner.context) else { return nil }
    }
    guard values.allSatisfy({ isReadInPlace($0, by: last, of: first) }) else { return nil }
    joined.adopt(first)
    return joined
  }

  /// Whether each reading of the value is at the position at which the kernel that computes it stores it.
  private func isReadInPlace(_ value: Int, by last: FusionCluster, of first: FusionCluster) -> Bool {
    var reader = last
    let type = planner.units.type(value)
    for use in planner.units.uses[planner.units.owner(of: value)] where use.value == value && last.maps[use.user] != nil
    {
      for map in reader.readings(of: value, by: use.user, planner.units, planner.context) {
        let isLine: Bool
        if let fold = last.folding {
          isLine = map == fold.lines
          let isNumber = map == fold.numbers
          guard isLine || isNumber else { return false }
        } else if let fold = first.folding, let row = fold.row {
          isLine = map == IndexMaps.root
          let isNumber = reader.indexMaps[map].kept == row.leading.count
          guard isLine || isNumber else { return false }
        } else {
          guard map == IndexMaps.root else { return false }
          continue
        }
        guard let row = last.folding?.row ?? first.folding?.row else { return false }
        let expected = isLine ? row.leading + row.trailing : row.leading
        guard type.significantExtents == expected else { return false }
      }
    }
    return true
  }

  /// Says of each node to which kernel it belongs now.
  private mutating func rename() {
    for node in planner.memberships.indices where !planner.memberships[node].isEmpty {
      var clusters: [Int] = []
      for cluster in planner.memberships[node] where !clusters.contains(root(cluster)) {
        clusters.append(root(cluster))
      }
      planner.memberships[node] = clusters
    }
    for node in planner.provider.indices { planner.provider[node] = planner.provider[node].map { root($0) } }
  }
}
