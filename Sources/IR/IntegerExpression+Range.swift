/// The least and the greatest value that an expression may have, where they are known.
public struct IntegerRange: Hashable, Sendable {
  public var lower: Int?
  public var upper: Int?

  public init(lower: Int? = nil, upper: Int? = nil) {
    self.lower = lower
    self.upper = upper
  }

  static func + (a: Self, b: Self) -> Self { Self(lower: sum(a.lower, b.lower), upper: sum(a.upper, b.upper)) }

  private static func sum(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : sum
  }

  fileprivate static func product(_ a: Int?, _ b: Int?) -> Int? {
    guard let a, let b else { return nil }
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : product
  }
}

extension IntegerExpression {
  /// The values for all values that `bounds` allows the symbols, from 0 on where it says nothing. Quotients by zero have none.
  public func range(_ bounds: [Symbol: SymbolBounds]) -> IntegerRange {
    var total = IntegerRange(lower: constant, upper: constant)
    for term in terms {
      var product = IntegerRange(lower: 1, upper: 1)
      for factor in term.factors {
        let range = factor.range(bounds)
        guard let lower = range.lower, lower >= 0 else {
          product = IntegerRange()
          break
        }
        product = IntegerRange(
          lower: IntegerRange.product(product.lower, lower), upper: IntegerRange.product(product.upper, range.upper))
      }
      let lower = IntegerRange.product(product.lower, term.coefficient)
      let upper = IntegerRange.product(product.upper, term.coefficient)
      total =
        total
        + (term.coefficient < 0 ? IntegerRange(lower: upper, upper: lower) : IntegerRange(lower: lower, upper: upper))
    }
    return total
  }
}

extension IntegerExpression.Atom {
  fileprivate func range(_ bounds: [Symbol: SymbolBounds]) -> IntegerRange {
    switch self {
    case .symbol(let symbol):
      let known = bounds[symbol] ?? SymbolBounds()
      return IntegerRange(lower: max(0, known.lower), upper: known.upper)
    case .floorDivide(let a, let b):
      let (dividend, divisor) = (a.range(bounds), b.range(bounds))
      guard let least = dividend.lower, least >= 0, let smallest = divisor.lower, smallest >= 0 else {
        return IntegerRange()
      }
      // Where the divisor may be zero, all that is known is that a quotient is not negative.
      guard smallest > 0 else { return IntegerRange(lower: 0) }
      return IntegerRange(
        lower: divisor.upper.map { least / max($0, smallest) } ?? 0, upper: dividend.upper.map { $0 / smallest })
    case .modulo(_, let b):
      let divisor = b.range(bounds)
      guard let smallest = divisor.lower, smallest >= 0 else { return IntegerRange() }
      return IntegerRange(lower: 0, upper: smallest > 0 ? divisor.upper.map { max(0, $0 - 1) } : nil)
    case .minimum(let a, let b):
      let (x, y) = (a.range(bounds), b.range(bounds))
      return IntegerRange(
        lower: x.lower.flatMap { l in y.lower.map { min(l, $0) } }, upper: [x.upper, y.upper].compactMap { $0 }.min())
    case .maximum(let a, let b):
      let (x, y) = (a.range(bounds), b.range(bounds))
      return IntegerRange(
        lower: [x.lower, y.lower].compactMap { $0 }.max(), upper: x.upper.flatMap { u in y.upper.map { max(u, $0) } })
    case .variable, .element: return IntegerRange()
    }
  }
}
