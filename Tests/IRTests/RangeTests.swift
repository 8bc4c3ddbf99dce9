import Testing

@testable import IR

/// Ranges of expressions hold for every value that the symbols may have.
@Suite struct RangeTests {
  private static let (n, m) = (IntegerExpression.symbol("n"), IntegerExpression.symbol("m"))

  static let expressions: [IntegerExpression] = [
    n, 3 * n - 2 * m + 1, n * m - 4, n.floorDivided(by: m), (n * m + 7).floorDivided(by: 3), n.modulo(m), n.modulo(5),
    .minimum(n, 6) - .minimum(m, 3), .maximum(n, m) * 2 - n, .minimum(4, n).modulo(.maximum(m, 2)),
    IntegerExpression(-3),
  ]

  @Test(arguments: expressions) func allValuesAreInRange(_ expression: IntegerExpression) {
    for (a, b) in [(0...3, 0...4), (2...9, 1...1), (5...5, 3...8)] {
      let bounds = [
        Symbol("n"): SymbolBounds(lower: a.lowerBound, upper: a.upperBound),
        Symbol("m"): SymbolBounds(lower: b.lowerBound, upper: b.upperBound),
      ]
      let range = expression.range(bounds)
      let open = expression.range(bounds.mapValues { SymbolBounds(lower: $0.lower) })
      for x in a {
        for y in b {
          guard let value = expression.value(bySymbol: { $0 == Symbol("n") ? x : y }) else { continue }
          for known in [range, open] {
            #expect((known.lower ?? .min) <= value && value <= (known.upper ?? .max), "\(expression) at \(x), \(y)")
          }
        }
      }
    }
  }

  @Test func rangesAreNarrow() {
    let bounds = [Symbol("n"): SymbolBounds(lower: 2, upper: 9)]
    #expect((512 - Self.n).range(bounds) == IntegerRange(lower: 503, upper: 510))
    #expect(IntegerExpression.minimum(Self.n, 5).range(bounds) == IntegerRange(lower: 2, upper: 5))
    #expect(Self.n.floorDivided(by: 4).range(bounds) == IntegerRange(lower: 0, upper: 2))
    #expect((Self.n - Self.m).range(bounds) == IntegerRange(lower: nil, upper: 9))
  }
}
