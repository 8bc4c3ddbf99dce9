/// A symbol that data decides while the program runs, and not an extent of an argument.
public struct DataSymbol: Hashable, Sendable {
  public var symbol: Symbol
  /// The most that it can be, over symbols of arguments.
  public var most: Extent

  public init(_ symbol: Symbol, most: Extent) {
    self.symbol = symbol
    self.most = most
  }
}

extension Graph {
  /// The nodes that give data symbols their values, by symbol: the first `set_dimension_size` of each.
  fileprivate var dataSymbolNodes: [Symbol: Int] {
    var nodes: [Symbol: Int] = [:]
    for (index, node) in self.nodes.enumerated() {
      guard case .setDimensionSize(let op) = node.op, case .symbol(let symbol)? = op.extent.atom else { continue }
      if nodes[symbol] == nil { nodes[symbol] = index }
    }
    let arguments = Set(parameterTypes.flatMap { $0.dimensions.flatMap(\.symbols) })
    return nodes.filter { !arguments.contains($0.key) }
  }

  /// The symbols that data decides, in order; throws where the most that one can be is not known.
  public func dataSymbols() throws(OpError) -> [DataSymbol] {
    let positions = dataSymbolNodes
    var found: [DataSymbol] = []
    for (symbol, index) in positions.sorted(by: { $0.value < $1.value }) {
      guard case .setDimensionSize(let op) = nodes[index].op else { continue }
      let extent = type(of: nodes[index].operands[0]).dimensions[op.dimension]
      guard let most = extent.most(found) else {
        throw .unsupported("\(op.mnemonic) of an extent that is not known to have a bound").at(nodes[index].location)
      }
      found.append(DataSymbol(symbol, most: most))
    }
    return found
  }

  /// For each node, whether a result depends on it, be it for an extent that it decides. O(nodes).
  public var liveValues: [Bool] {
    var live = [Bool](repeating: false, count: nodes.count)
    for result in results { live[result.index] = true }
    let deciding = dataSymbolNodes
    for index in nodes.indices.reversed() where live[index] {
      for operand in nodes[index].operands { live[operand.index] = true }
    }
    if deciding.isEmpty { return live }
    var open = nodes.indices.filter { live[$0] }
    while let index = open.popLast() {
      let needed = nodes[index].operands.map(\.index) + nodes[index].symbols.compactMap { deciding[$0] }
      for other in needed where !live[other] {
        live[other] = true
        open.append(other)
      }
    }
    return live
  }

  /// The graph with every node behind those that decide its extents; throws where that cannot be.
  public func decidingExtentsFirst() throws(OpError) -> Graph {
    let deciding = dataSymbolNodes
    if deciding.isEmpty { return self }
    var copy = Graph()
    var moved = [ValueID?](repeating: nil, count: nodes.count)
    var isWaiting = [Bool](repeating: false, count: nodes.count)
    let needed = nodes.indices.map { index in
      nodes[index].operands.map(\.index) + nodes[index].symbols.compactMap { deciding[$0] }.filter { $0 != index }
    }
    for start in nodes.indices {
      var open = [start]
      while let index = open.last {
        let missing = moved[index] == nil ? needed[index].filter { moved[$0] == nil } : []
        guard missing.isEmpty else {
          guard !isWaiting[index] else {
            throw .unsupported("\(nodes[index].op.mnemonic) with extents that depend on its own result")
              .at(nodes[index].location)
          }
          isWaiting[index] = true
          open += missing
          continue
        }
        open.removeLast()
        if moved[index] != nil { continue }
        var node = nodes[index]
        node.operands = node.operands.compactMap { moved[$0.index] }
        moved[index] = copy.appendUnchecked(node)
      }
    }
    copy.results = results.compactMap { moved[$0.index] }
    return copy
  }
}

extension Node {
  /// The symbols of the node's extents, those in its regions included.
  var symbols: Set<Symbol> {
    var found = resultTypes.reduce(into: Set<Symbol>()) { found, type in
      for extent in type.dimensions { found.formUnion(extent.symbols) }
    }
    _ = op.definition.mappingExtents { extent in
      found.formUnion(extent.symbols)
      return extent
    }
    for region in op.definition.regions { for node in region.nodes { found.formUnion(node.symbols) } }
    return found
  }
}

extension IntegerExpression {
  /// A value that this one never exceeds, without the symbols that data decides; nil where none is known.
  public func most(_ decided: [DataSymbol]) -> Self? {
    if decided.isEmpty || symbols.isDisjoint(with: decided.map(\.symbol)) { return self }
    var parts = [Self(constant)]
    for term in terms {
      var product = Self(term.coefficient)
      for factor in term.factors {
        guard let bound = factor.bound(decided, isUpper: term.coefficient > 0) else { return nil }
        // A product grows with its factors only where none is negative.
        guard term.factors.count == 1 || (bound.isNeverNegative && Self(factor).isNeverNegative) else { return nil }
        product *= bound
      }
      parts.append(product)
    }
    return .sum(parts)
  }
}

extension IntegerExpression.Atom {
  fileprivate func bound(_ decided: [DataSymbol], isUpper: Bool) -> IntegerExpression? {
    func bound(_ part: IntegerExpression) -> IntegerExpression? {
      isUpper ? part.most(decided) : (-part).most(decided).map { -$0 }
    }
    let whole = IntegerExpression(self)
    if whole.symbols.isDisjoint(with: decided.map(\.symbol)) { return whole }
    switch self {
    case .symbol(let symbol):
      guard let known = decided.first(where: { $0.symbol == symbol }) else { return whole }
      return isUpper ? known.most : .zero
    case .floorDivide(let a, let b):
      guard let divisor = b.fixed, divisor > 0 else { return nil }
      return bound(a)?.floorDivided(by: b)
    case .modulo(_, let b):
      guard let divisor = b.fixed, divisor > 0 else { return nil }
      return IntegerExpression(isUpper ? divisor - 1 : 0)
    case .minimum(let a, let b):
      guard let x = bound(a), let y = bound(b) else { return nil }
      return .minimum(x, y)
    case .maximum(let a, let b):
      guard let x = bound(a), let y = bound(b) else { return nil }
      return .maximum(x, y)
    case .variable, .element: return nil
    }
  }
}
