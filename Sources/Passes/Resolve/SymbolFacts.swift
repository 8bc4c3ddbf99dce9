import IR

/// What is known about symbols: their ranges, and which are expressions over others.
struct SymbolFacts: Hashable {
  var bounds: [Symbol: SymbolBounds]
  /// Symbols that stand for an expression over others; applied to the graph before it is resolved again.
  var replacements: [Symbol: Extent] = [:]

  init(bounds: [Symbol: SymbolBounds] = [:]) { self.bounds = bounds }

  func range(of expression: Extent) -> IntegerRange { expression.range(bounds) }

  func isNonNegative(_ expression: Extent) -> Bool { (range(of: expression).lower ?? -1) >= 0 }
  func isPositive(_ expression: Extent) -> Bool { (range(of: expression).lower ?? 0) > 0 }

  /// Whether the comparison holds for all values of the symbols, or for none; nil where that is not known.
  func decide(_ direction: ComparisonDirection, _ a: Extent, _ b: Extent) -> Bool? {
    let difference = range(of: a - b)
    let (lower, upper) = (difference.lower ?? .min, difference.upper ?? .max)
    switch direction {
    case .equal: return lower > 0 || upper < 0 ? false : (lower == 0 && upper == 0 ? true : nil)
    case .notEqual: return decide(.equal, a, b).map { !$0 }
    case .greaterOrEqual: return lower >= 0 ? true : (upper < 0 ? false : nil)
    case .greater: return lower > 0 ? true : (upper <= 0 ? false : nil)
    case .lessOrEqual: return decide(.greater, a, b).map { !$0 }
    case .less: return decide(.greaterOrEqual, a, b).map { !$0 }
    }
  }

  func minimum(_ a: Extent, _ b: Extent) -> Extent {
    switch decide(.lessOrEqual, a, b) {
    case true?: a
    case false?: b
    case nil: decide(.greaterOrEqual, a, b) == true ? b : .minimum(a, b)
    }
  }

  func maximum(_ a: Extent, _ b: Extent) -> Extent {
    switch decide(.greaterOrEqual, a, b) {
    case true?: a
    case false?: b
    case nil: decide(.lessOrEqual, a, b) == true ? b : .maximum(a, b)
    }
  }

  /// Notes that the comparison holds; false where it has no form that is kept.
  @discardableResult
  mutating func assume(_ direction: ComparisonDirection, _ a: Extent, _ b: Extent, order: [Symbol]) -> Bool {
    switch direction {
    case .equal: return assumeZero(a - b, order: order)
    case .greaterOrEqual: return assumeNonNegative(a - b)
    case .greater: return assumeNonNegative(a - b - 1)
    case .lessOrEqual: return assumeNonNegative(b - a)
    case .less: return assumeNonNegative(b - a - 1)
    case .notEqual: return false
    }
  }

  /// Narrows a symbol's range where the expression is linear in it alone.
  private mutating func assumeNonNegative(_ expression: Extent) -> Bool {
    guard expression.terms.count == 1, case .symbol(let symbol)? = expression.terms[0].factors.first,
      expression.terms[0].factors.count == 1
    else { return false }
    let (k, c) = (expression.terms[0].coefficient, expression.constant)
    var known = bounds[symbol] ?? SymbolBounds()
    if k > 0 {
      known.lower = max(known.lower, -((c).flooredQuotient(k)))
    } else {
      known.upper = min(known.upper ?? .max, c.flooredQuotient(-k))
    }
    bounds[symbol] = known
    return true
  }

  /// Replaces the symbol that comes last in `order`, or is not in it, by what the others say about it.
  private mutating func assumeZero(_ expression: Extent, order: [Symbol]) -> Bool {
    var candidates: [(symbol: Symbol, coefficient: Int, place: Int)] = []
    for term in expression.terms {
      guard case .symbol(let symbol)? = term.factors.first, term.factors.count == 1, term.coefficient.magnitude == 1
      else { continue }
      let rest = expression - Extent(.symbol(symbol)) * term.coefficient
      if rest.symbols.contains(symbol) || replacements[symbol] != nil { continue }
      candidates.append((symbol, term.coefficient, order.firstIndex(of: symbol) ?? .max))
    }
    guard let last = candidates.max(by: { ($0.place, $0.symbol) < ($1.place, $1.symbol) }) else { return false }
    let rest = expression - Extent(.symbol(last.symbol)) * last.coefficient
    let value = applying(last.coefficient > 0 ? -rest : rest)
    guard !value.symbols.contains(last.symbol) else { return false }
    let (symbol, single) = (last.symbol, [last.symbol: value])
    replacements = replacements.mapValues { Self.substituting(single, in: $0) }
    replacements[symbol] = value
    if let known = bounds.removeValue(forKey: symbol), case .symbol(let other)? = value.atom {
      let old = bounds[other] ?? SymbolBounds()
      let upper = [known.upper, old.upper].compactMap { $0 }.min()
      bounds[other] = SymbolBounds(lower: max(known.lower, old.lower), upper: upper)
    }
    return true
  }

  /// The expression with every replaced symbol gone.
  func applying(_ expression: Extent) -> Extent {
    replacements.isEmpty ? expression : Self.substituting(replacements, in: expression)
  }

  private static func substituting(_ replacements: [Symbol: Extent], in expression: Extent) -> Extent {
    expression.substituting { atom in
      if case .symbol(let symbol) = atom { return replacements[symbol] }
      return nil
    }
  }
}
