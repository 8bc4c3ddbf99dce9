package import IR

/// Arithmetic on integers that depend on symbols, and what it takes for granted about the symbols.
///
/// Operations give nil where the result may overflow or is not known. Where a simplification holds only for some values
/// of a symbol, `bounds` says for which: the module carries them, so that other inputs are refused when it runs.
package struct ExtentArithmetic: Sendable {
  package typealias Binary = @Sendable (inout ExtentArithmetic, Extent, Extent) -> Extent?

  package private(set) var bounds: [Symbol: SymbolBounds]

  /// Expressions with larger constants than this are not followed.
  private static let limit = 1 << 31
  /// Constants from here on that limit a symbol stand for no limit.
  private static let unlimited = 1_000_000_000

  /// The bounds that it began with.
  private let initial: [Symbol: SymbolBounds]

  package init(bounds: [Symbol: SymbolBounds]) { (self.bounds, initial) = (bounds, bounds) }

  private func fold(
    _ a: Extent, _ b: Extent, _ fixed: (Int, Int) -> (Int, Bool), _ symbolic: (Extent, Extent) -> Extent?
  ) -> Extent? {
    if let x = a.fixed, let y = b.fixed {
      let (value, overflow) = fixed(x, y)
      return overflow ? nil : Extent(value)
    }
    for value in [a.fixed, b.fixed] { if let value, !(-Self.limit...Self.limit).contains(value) { return nil } }
    return symbolic(a, b)
  }

  package func add(_ a: Extent, _ b: Extent) -> Extent? { fold(a, b, { $0.addingReportingOverflow($1) }, { $0 + $1 }) }

  package func subtract(_ a: Extent, _ b: Extent) -> Extent? {
    fold(a, b, { $0.subtractingReportingOverflow($1) }, { $0 - $1 })
  }

  package func multiply(_ a: Extent, _ b: Extent) -> Extent? {
    fold(a, b, { $0.multipliedReportingOverflow(by: $1) }, { $0 * $1 })
  }

  /// The quotient rounded towards zero.
  package func divide(_ a: Extent, _ b: Extent) -> Extent? {
    if b == .zero { return nil }
    return fold(
      a, b, { $0.dividedReportingOverflow(by: $1) },
      { isNonNegative($0) && isNonNegative($1) ? $0.floorDivided(by: $1) : nil })
  }

  /// What the quotient rounded towards negative infinity leaves.
  package func modulo(_ a: Extent, _ b: Extent) -> Extent? {
    if b == .zero { return nil }
    if b == Extent(-1) { return .zero }
    return fold(
      a, b, { ($0 - $0.floored(by: $1) * $1, false) }, { isNonNegative($1) ? $0.modulo($1) : nil })
  }

  package mutating func minimum(_ a: Extent, _ b: Extent) -> Extent {
    if isNonNegative(b - a) { return a }
    if isNonNegative(a - b) { return b }
    for (limit, other) in [(a.fixed, b), (b.fixed, a)] {
      guard let limit, limit >= Self.unlimited, case .symbol(let symbol)? = other.atom else { continue }
      bounds[symbol, default: SymbolBounds()].upper = min(limit, bounds[symbol]?.upper ?? limit)
      return other
    }
    return .minimum(a, b)
  }

  package func maximum(_ a: Extent, _ b: Extent) -> Extent {
    if isNonNegative(b - a) { return b }
    if isNonNegative(a - b) { return a }
    return .maximum(a, b)
  }

  /// 1 or 0 where it is known whether `a` compares so with `b` for all values of the symbols.
  package func compare(_ direction: ComparisonDirection, _ a: Extent, _ b: Extent) -> Extent? {
    let holds: Bool?
    switch direction {
    case .less: holds = isLess(a, b)
    case .greater: holds = isLess(b, a)
    case .greaterOrEqual: holds = isLess(a, b).map { !$0 }
    case .lessOrEqual: holds = isLess(b, a).map { !$0 }
    case .equal: holds = isEqual(a, b)
    case .notEqual: holds = isEqual(a, b).map { !$0 }
    }
    return holds.map { $0 ? .one : .zero }
  }

  private func isLess(_ a: Extent, _ b: Extent) -> Bool? {
    if let x = a.fixed, let y = b.fixed { return x < y }
    if isNonNegative(b - a - 1) { return true }
    return isNonNegative(a - b) ? false : nil
  }

  private func isEqual(_ a: Extent, _ b: Extent) -> Bool? {
    if a == b { return true }
    return isLess(a, b) == true || isLess(b, a) == true ? false : nil
  }

  /// Whether the expression is at least zero for all values that its symbols may have.
  package func isNonNegative(_ expression: Extent) -> Bool { (expression.range(bounds).lower ?? -1) >= 0 }

  /// Takes for granted that a symbol is at least `least`; of other expressions nothing.
  package mutating func require(_ extent: Extent, atLeast least: Int) {
    guard case .symbol(let symbol)? = extent.atom else { return }
    bounds[symbol, default: SymbolBounds()].lower = max(bounds[symbol]?.lower ?? 0, least)
  }

  /// Takes note that a symbol is at most so large.
  mutating func limit(_ symbol: Symbol, to most: Int) {
    bounds[symbol, default: SymbolBounds()].upper = min(bounds[symbol]?.upper ?? most, most)
  }

  // MARK: Equal extents

  /// Bounds to begin with, for which two extents are the same; nil where none are found.
  ///
  /// A table of 512 positions cut to `seq` of them has `min(512, seq)`: where it meets `seq`, the model holds up to 512 only.
  /// What is cut off at the first element holds from 1 on. The bounds are those that this reading began with, and as little
  /// more as it takes; what else it has learned is learned again where it still matters.
  package func boundsEquating(_ a: Extent, _ b: Extent) -> [Symbol: SymbolBounds]? {
    let symbols = a.symbols.union(b.symbols)
    let limits = Self.limits(in: [a, b])
    for (least, isLimited) in [(0, true), (1, false), (1, true)] {
      var wanted = bounds.filter { symbols.contains($0.key) }
      for symbol in symbols {
        var known = wanted[symbol] ?? SymbolBounds()
        known.lower = max(known.lower, least)
        if isLimited, let limit = limits[symbol] { known.upper = min(limit, known.upper ?? limit) }
        wanted[symbol] = known
      }
      if areEqual(a, b, wanted) { return relaxed(wanted, for: a, b) }
    }
    return nil
  }

  /// For each symbol the least number of at least 2 that a minimum limits it to. A limit of 1 may be meant to be broadcast.
  private static func limits(in extents: [Extent]) -> [Symbol: Int] {
    var limits: [Symbol: Int] = [:]
    for extent in extents {
      extent.visitAtoms { atom in
        guard case .minimum(let x, let y) = atom else { return }
        for (limit, other) in [(x.fixed, y), (y.fixed, x)] {
          guard let limit, limit > 1, case .symbol(let symbol)? = other.atom else { continue }
          limits[symbol] = min(limit, limits[symbol] ?? limit)
        }
      }
    }
    return limits
  }

  /// Whether the extents are the same where the bounds are those of the beginning and `wanted`.
  private func areEqual(_ a: Extent, _ b: Extent, _ wanted: [Symbol: SymbolBounds]) -> Bool {
    let trial = ExtentArithmetic(bounds: initial.merging(wanted) { $1 })
    return !trial.excludesAll && trial.simplified(a) == trial.simplified(b)
  }

  /// The bounds of the beginning, and of `wanted` what the extents are not equal without; nil where that is nothing.
  private func relaxed(_ wanted: [Symbol: SymbolBounds], for a: Extent, _ b: Extent) -> [Symbol: SymbolBounds]? {
    var wanted = wanted
    for symbol in wanted.keys.sorted() {
      let first = initial[symbol] ?? SymbolBounds()
      for lower in [first.lower, max(first.lower, 1)] {
        var fewer = wanted
        fewer[symbol]?.lower = lower
        guard lower < wanted[symbol]?.lower ?? 0, areEqual(a, b, fewer) else { continue }
        wanted = fewer
        break
      }
      var fewer = wanted
      fewer[symbol]?.upper = first.upper
      if areEqual(a, b, fewer) { wanted = fewer }
    }
    wanted = wanted.filter { $0.value != initial[$0.key] ?? SymbolBounds() }
    return wanted.isEmpty ? nil : initial.merging(wanted) { $1 }
  }

  /// Whether no value is left for a symbol.
  private var excludesAll: Bool { bounds.values.contains { $0.lower > $0.upper ?? .max } }

  /// The extent with its minima and maxima decided where the bounds say how.
  private func simplified(_ extent: Extent) -> Extent {
    extent.substituting { atom in
      switch atom {
      case .minimum(let a, let b):
        let (x, y) = (simplified(a), simplified(b))
        return isNonNegative(y - x) ? x : isNonNegative(x - y) ? y : .minimum(x, y)
      case .maximum(let a, let b): return maximum(simplified(a), simplified(b))
      default: return nil
      }
    }
  }
}

extension Int {
  /// The quotient rounded towards negative infinity.
  fileprivate func floored(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
  }
}
