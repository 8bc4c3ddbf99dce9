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
  /// The nodes that a data symbol is the size of, ascending: one of them gives it its value, the others have the same.
  private var sizeNodes: [Symbol: [Int]] {
    var nodes: [Symbol: [Int]] = [:]
    for (index, node) in self.nodes.enumerated() {
      guard case .setDimensionSize(let op) = node.op, case .symbol(let symbol)? = op.extent.atom else { continue }
      nodes[symbol, default: []].append(index)
    }
    if nodes.isEmpty { return [:] }
    let arguments = Set(parameterTypes.flatMap { $0.dimensions.flatMap(\.symbols) })
    return nodes.filter { !arguments.contains($0.key) }
  }

  /// The node that gives each data symbol its value: the first that does not need it itself.
  private func definitions(_ sizes: [Symbol: [Int]]) -> [Symbol: Int] {
    sizes.mapValues { nodes in
      guard let symbol = self.nodes[nodes[0]].definedSymbol, nodes.count > 1 else { return nodes[0] }
      return nodes.first { !needs(symbol, $0) } ?? nodes[0]
    }
  }

  /// Whether something that a node's operands are made of has the symbol in its extents.
  private func needs(_ symbol: Symbol, _ node: Int) -> Bool {
    var seen: Set<Int> = []
    var open = nodes[node].operands.map(\.index)
    while let index = open.popLast() {
      guard seen.insert(index).inserted else { continue }
      if nodes[index].symbols.contains(symbol) { return true }
      open += nodes[index].operands.map(\.index)
    }
    return false
  }

  /// For each node, the nodes that decide its extents, itself left out; nothing at all where data decides none.
  public var extentDecisions: [[Int]] {
    let sizes = sizeNodes
    if sizes.isEmpty { return [] }
    let definitions = definitions(sizes)
    return nodes.enumerated().map { index, node in
      node.symbols.compactMap { definitions[$0] }.filter { $0 != index }.sorted()
    }
  }

  /// The symbols that data decides, in the order of the nodes that do; throws where the most that one can be is not known.
  public func dataSymbols() throws(OpError) -> [DataSymbol] {
    let sizes = sizeNodes
    var found: [DataSymbol] = []
    for (symbol, definition) in definitions(sizes).sorted(by: { $0.value < $1.value }) {
      var most: Extent?
      for index in sizes[symbol] ?? [] {
        guard case .setDimensionSize(let op) = nodes[index].op else { continue }
        let extent = type(of: nodes[index].operands[0]).dimensions[op.dimension]
        guard !extent.symbols.contains(symbol), let bound = extent.most(found) else { continue }
        if bound.symbols.isDisjoint(with: sizes.keys) { most = most.map { .minimum($0, bound) } ?? bound }
      }
      guard let most else {
        throw .unsupported("\(nodes[definition].op.mnemonic) of an extent that is not known to have a bound")
          .at(nodes[definition].location)
      }
      found.append(DataSymbol(symbol, most: most))
    }
    return found
  }

  /// For each node, whether a result depends on it, be it for an extent that it decides. O(nodes).
  public var liveValues: [Bool] {
    var live = [Bool](repeating: false, count: nodes.count)
    for result in results { live[result.index] = true }
    let sizes = sizeNodes
    for index in nodes.indices.reversed() where live[index] {
      for operand in nodes[index].operands { live[operand.index] = true }
    }
    if sizes.isEmpty { return live }
    var open = nodes.indices.filter { live[$0] }
    while let index = open.popLast() {
      // Each size of a symbol is a bound of it, on which others rely.
      let needed = nodes[index].operands.map(\.index) + nodes[index].symbols.flatMap { sizes[$0] ?? [] }
      for other in needed where !live[other] {
        live[other] = true
        open.append(other)
      }
    }
    return live
  }

  /// The graph with every node behind those that decide its extents; throws where that cannot be.
  public func decidingExtentsFirst() throws(OpError) -> Graph {
    let decisions = extentDecisions
    if decisions.isEmpty { return self }
    var copy = Graph()
    var moved = [ValueID?](repeating: nil, count: nodes.count)
    var isWaiting = [Bool](repeating: false, count: nodes.count)
    let needed = nodes.indices.map { nodes[$0].operands.map(\.index) + decisions[$0] }
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
  /// The symbol that is the size which the node gives.
  fileprivate var definedSymbol: Symbol? {
    guard case .setDimensionSize(let op) = op, case .symbol(let symbol)? = op.extent.atom else { return nil }
    return symbol
  }

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
