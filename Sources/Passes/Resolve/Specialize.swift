public import IR

extension Module {
  /// The module with some symbols fixed, as `--dim batch=8` asks; each must be in range.
  public func specialized(symbols values: [Symbol: Int]) throws(OpError) -> Module {
    for (symbol, value) in values.sorted(by: { $0.key < $1.key }) {
      try requireSymbol(symbol)
      let bounds = symbolBounds[symbol] ?? SymbolBounds()
      guard value >= bounds.lower, value <= bounds.upper ?? .max else {
        throw OpError("dimension '\(symbol)' cannot be \(value), its range is \(bounds)")
      }
    }
    var module = self
    for index in functions.indices {
      module.functions[index].graph = functions[index].graph.mappingExtents { extent in
        extent.substituting { atom in
          if case .symbol(let symbol) = atom { return values[symbol].map { Extent($0) } }
          return nil
        }
      }
    }
    for symbol in values.keys { module.symbolBounds[symbol] = nil }
    return module
  }

  /// The module with symbols' ranges narrowed, as `--dim seq=1..512` asks; each range must overlap the known one.
  public func bounding(symbols ranges: [Symbol: SymbolBounds]) throws(OpError) -> Module {
    var module = self
    for (symbol, range) in ranges.sorted(by: { $0.key < $1.key }) {
      try requireSymbol(symbol)
      let known = symbolBounds[symbol] ?? SymbolBounds()
      let upper = [known.upper, range.upper].compactMap { $0 }.min()
      let narrowed = SymbolBounds(lower: max(known.lower, range.lower), upper: upper)
      guard narrowed.lower <= narrowed.upper ?? .max else {
        throw OpError("dimension '\(symbol)' cannot be in \(range), its range is \(known)")
      }
      module.symbolBounds[symbol] = narrowed
    }
    return module
  }

  /// The symbols of all functions' types and attributes.
  public var symbols: Set<Symbol> { functions.reduce(into: []) { $0.formUnion($1.graph.symbols) } }

  private func requireSymbol(_ symbol: Symbol) throws(OpError) {
    let known = symbols
    guard known.contains(symbol) else {
      let names = known.isEmpty ? "none" : known.sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw OpError("the graph has no dimension '\(symbol)'; it has \(names)")
    }
  }
}
