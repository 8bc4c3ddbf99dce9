import IR

extension FusionPlanner {
  /// How many nodes before one are looked at.
  private static let chainLimit = 64

  /// Reading an element wherever it lies counts as so many multiplications: as storing two beside others.
  private static let gatherCost = 64.0

  /// Why a node may not join of which elements are computed more than once: what it is computed from would be computed, or
  /// gathered, as often, which takes longer than storing the node. Nil where it may.
  ///
  /// Each level of an associative scan reads the level before at two places. One level costs little again; a chain of levels
  /// doubles with each. A line between two lines of an image, read at positions that data says, is two lines to gather from.
  func refusalByChain(of node: Int, readBy maps: [Int], in target: Int) -> String? {
    guard units.isElementwise(node), !regions.isRowNumber[node], clusters[target].anchor != .attention,
      maps.allSatisfy({ clusters[target].indexMaps[$0].purpose == .elements })
    else { return nil }
    let count = context.estimatedCount(units.type(node))
    let computed = clusters[target].elementCount(maps)
    let gathered = clusters[target].elementCount(maps.filter { clusters[target].indexMaps[$0].isGathered })
    guard computed > count || gathered > 0 else { return nil }
    // Less than nothing where only some elements are read.
    let again = computed / max(1, count) - 1
    let limit = units.costOfStoring(node, context)
    var extra = again * count * units.cost(of: node)
    // A kernel of the node alone, which takes in what it would here.
    var alone = FusionCluster(space: units.type(node), size: count)
    alone.add(node, readBy: [IndexMaps.root], units, context)
    var open = Set(operands(of: node))
    var reads = 0
    for _ in 0..<Self.chainLimit {
      guard extra <= limit, let next = open.max() else { break }
      open.remove(next)
      let readings = readings(of: next, in: &alone)
      guard isComputed(next, readBy: readings, for: alone, in: target) else {
        // What is much smaller does not vary along lines.
        if context.estimatedCount(units.type(next)) * 8 >= count { reads += readings.count }
        continue
      }
      alone.add(next, readBy: readings, units, context)
      let work = again * alone.elementCount(readings) * units.cost(of: next)
      // What costs more than storing it would be stored, in the place of the node.
      extra += min(work, units.costOfStoring(next, context))
      open.formUnion(operands(of: next))
    }
    extra += Self.gatherCost * gathered * Double(max(0, reads - 1))
    guard extra > limit else { return nil }
    let elements = FusionCluster.rounded(computed)
    return "what it is computed from would be computed or gathered for each of \(elements) elements"
  }

  private func readings(of node: Int, in alone: inout FusionCluster) -> [Int] {
    var found: [Int] = []
    for use in units.uses[node] where alone.maps[use.user] != nil {
      for map in alone.readings(of: use.value, by: use.user, units, context) where !found.contains(map) {
        found.append(map)
      }
    }
    return found
  }

  private func operands(of node: Int) -> [Int] { units.graph.nodes[node].operands.map { units.owner(of: $0.index) } }

  /// Whether the node would join the kernel for the sake of `alone`, and is needed nowhere else.
  private func isComputed(_ node: Int, readBy maps: [Int], for alone: FusionCluster, in target: Int) -> Bool {
    guard units.computes[node], units.isElementwise(node), !units.isResult[node], regions.epilogueOf[node] == nil,
      regions.rowRegion[node] == nil,
      units.uses[node].allSatisfy({ alone.maps[$0.user] != nil || memberships[$0.user] == [target] })
    else { return false }
    let refusal = alone.refusal(
      of: node, readBy: maps, isRowNumber: false, readsNothing: clones.readsNothing[node], units, context)
    return refusal == nil
  }
}

extension FusionUnits {
  /// Whether each element of the node is computed by itself, from few others.
  fileprivate func isElementwise(_ node: Int) -> Bool {
    switch semantics[node] {
    case .position, .pointwise, .movement: true
    default: false
    }
  }
}
