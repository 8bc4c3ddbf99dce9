package import IR

/// What a reading of a model takes for granted about its symbols. Where an op needs more, the model is read again.
package struct SymbolFacts: Sendable {
  package private(set) var bounds: [Symbol: SymbolBounds]
  /// What symbols are that must be equal to other extents.
  private var replacements: [Symbol: Extent] = [:]

  package init(bounds: [Symbol: SymbolBounds]) { self.bounds = bounds }

  /// The extent with symbols replaced by what they must be equal to.
  package func resolved(_ extent: Extent) -> Extent {
    guard !replacements.isEmpty else { return extent }
    return extent.substituting { atom in
      guard case .symbol(let symbol) = atom else { return nil }
      return replacements[symbol]
    }
  }

  /// The facts with which ops get what they needed when `construction` failed; nil where nothing more is known.
  package func next(after construction: Construction) -> SymbolFacts? {
    var facts = self
    if let bounds = construction.narrowerBounds {
      facts.bounds = bounds
      return facts
    }
    var hasChanged = false
    for (a, b) in construction.equalities where facts.equate(facts.resolved(a), facts.resolved(b)) { hasChanged = true }
    return hasChanged ? facts : nil
  }

  /// Makes a symbol the other extent; of two symbols the name that comes first stays. False where that cannot be.
  private mutating func equate(_ a: Extent, _ b: Extent) -> Bool {
    guard a != b else { return false }
    switch (a.plainSymbol, b.plainSymbol) {
    case (let x?, let y?):
      let (kept, replaced) = x < y ? (x, y) : (y, x)
      if let range = bounds.removeValue(forKey: replaced) {
        let known = bounds[kept] ?? SymbolBounds()
        let upper = [known.upper, range.upper].compactMap { $0 }.min()
        bounds[kept] = SymbolBounds(lower: max(known.lower, range.lower), upper: upper)
      }
      replace(replaced, by: .symbol(kept.name))
    case (let x?, nil): return replaceUnbounded(x, by: b)
    case (nil, let y?): return replaceUnbounded(y, by: a)
    case (nil, nil): return false
    }
    return true
  }

  private mutating func replaceUnbounded(_ symbol: Symbol, by extent: Extent) -> Bool {
    guard !extent.symbols.contains(symbol), bounds[symbol] == nil, (extent.fixed ?? 0) >= 0 else { return false }
    replace(symbol, by: extent)
    return true
  }

  private mutating func replace(_ symbol: Symbol, by extent: Extent) {
    replacements[symbol] = extent
    replacements = replacements.mapValues(resolved)
  }
}

extension Extent {
  /// The symbol that the extent is, if it is one and nothing else.
  fileprivate var plainSymbol: Symbol? {
    guard case .symbol(let symbol)? = atom else { return nil }
    return symbol
  }
}
