import IR

/// Products that mix what lies across: tokens, for each feature.
extension ChannelsLast {
  /// `dot(x, w)` as `dot(transpose(w), x)`, if x lies across what is summed and the graph puts the columns before x's
  /// innermost dimension further on. The result then lies as x does, and as it is read; else each of its elements would be
  /// stored alone. Exact: products commute, and are summed in the same order.
  mutating func exchanged(_ node: Node, _ index: Int) throws(OpError) -> Turned? {
    guard let product = crossed(node), leadsAcross(index, innermost: product.innermost) else { return nil }
    let d = product.dot.dimensions
    let free = source.type(of: node.operands[1]).dimensions.indices.filter { !d.rhsContracting.contains($0) }
    let weights = try target.append(
      .transpose(Transpose(permutation: free + d.rhsContracting)), [try plainValue(node.operands[1])],
      location: node.location)
    let places = product.order.inverted
    let contraction = Contraction(
      lhsContracting: d.rhsContracting.indices.map { free.count + $0 },
      rhsContracting: d.lhsContracting.map { places[$0] })
    let x =
      if let value = turned[node.operands[0].index]?.value { value } else { try plainValue(node.operands[0]) }
    let result = try target.append(
      .dotGeneral(DotGeneral(contraction, resultType: product.dot.resultType)), [weights, x], location: node.location)
    return Turned(value: result, order: free.indices.map { product.rows.count + $0 } + product.rows)
  }

  /// A product of a value with a constant whose innermost dimension is not summed.
  private struct Crossed {
    let dot: DotGeneral
    /// In which order the value's dimensions lie.
    let order: [Int]
    /// The result's dimensions that come from the value, in the order in which they lie.
    let rows: [Int]
    var innermost: Int { rows[rows.count - 1] }
  }

  private func crossed(_ node: Node) -> Crossed? {
    // Words of integers want constant columns.
    guard case .dotGeneral(let dot) = node.op, dot.dimensions.lhsBatching.isEmpty, dot.resultType.isFloat,
      case .constant = source[node.operands[1]].op
    else { return nil }
    let x = source.type(of: node.operands[0])
    let order = turned[node.operands[0].index]?.order ?? Array(0..<x.rank)
    let free = dot.dimensions.lhsFree(rank: x.rank)
    let rows = order.compactMap { free.firstIndex(of: $0) }
    guard let last = order.last, free.contains(last), x.dimensions[last] != .one,
      !dot.dimensions.lhsContracting.isEmpty,
      free.allSatisfy({ x.dimensions[$0].isFixed })
    else { return nil }
    return Crossed(dot: dot, order: order, rows: rows)
  }

  /// Whether all that is made of the value, by elementwise ops and by products with constants that sum its columns, goes
  /// through transposes that put the dimension `innermost` last.
  private func leadsAcross(_ index: Int, innermost: Int) -> Bool {
    var reached: Set<Int> = [index]
    var pending = [index]
    var elementwise: [Node] = []
    while let value = pending.popLast() {
      guard !isResult[value], reached.count <= Self.chainLimit else { return false }
      for reader in readers[value] where !reached.contains(reader) {
        let node = source.nodes[reader]
        switch node.op {
        case .transpose(let transpose) where transpose.permutation.last == innermost: continue
        case .pointwise: elementwise.append(node)
        case .dotGeneral where sumsColumns(node, of: ValueID(value), innermost: innermost): break
        default: return false
        }
        reached.insert(reader)
        pending.append(reader)
      }
    }
    return elementwise.allSatisfy { node in
      node.operands.allSatisfy { reached.contains($0.index) || source[$0].op.isMadeInAnyOrder }
    }
  }

  /// The most nodes between a product and a transpose.
  private static let chainLimit = 64

  /// Whether a product with a constant keeps the value's first dimensions, among them `innermost`, and sums the others.
  private func sumsColumns(_ node: Node, of value: ValueID, innermost: Int) -> Bool {
    guard case .dotGeneral(let dot) = node.op, node.operands[0] == value, dot.dimensions.lhsBatching.isEmpty,
      case .constant = source[node.operands[1]].op
    else { return false }
    let rank = source.type(of: value).rank
    let kept = dot.dimensions.lhsFree(rank: rank)
    return kept == Array(kept.indices) && kept.contains(innermost)
  }

  /// Whether a product of the graph is worth the exchange.
  var hasExchanges: Bool {
    source.nodes.indices.contains { index in
      guard let product = crossed(source.nodes[index]) else { return false }
      return leadsAcross(index, innermost: product.innermost)
    }
  }
}
