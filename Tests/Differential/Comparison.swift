import IR

/// What comparing compiled results with `evaluate` found.
struct Comparison {
  /// Elements that had to have the same bits.
  var equalCount = 0
  /// Elements that had to lie within their bound.
  var boundedCount = 0
  /// Elements where rounding decides what kind of value there is.
  var skippedCount = 0
  /// The largest error as a part of its bound.
  var largestPart = 0.0

  /// Adds one result; returns a sentence about the first element that is wrong.
  mutating func add(_ found: Literal, expected: Literal, moved: [Literal], isExact: Bool) -> String? {
    guard found.type == expected.type else { return "the type is \(found.type), expected \(expected.type)" }
    let type = expected.elementType
    for position in 0..<expected.elementCount {
      let (x, y) = (found[position], expected[position])
      let others = moved.map { $0[position] }
      if isExact || (!type.isFloat && others.allSatisfy({ $0 == y })) {
        equalCount += 1
        if Self.isSame(x, y) { continue }
        return "element \(position) is \(x), expected \(y)"
      }
      let (a, b) = (x.realValue, y.realValue)
      guard type.isFloat, others.allSatisfy({ Self.kind($0.realValue) == Self.kind(b) }) else {
        skippedCount += 1
        continue
      }
      boundedCount += 1
      guard Self.kind(a) == Self.kind(b) else { return "element \(position) is \(a), expected \(b)" }
      guard b.isFinite else { continue }
      let largest = others.reduce(0.0) { max($0, ($1.realValue - b).magnitude) }
      let bound = 8 * largest + 4 * type.unit(b)
      let error = (a - b).magnitude
      largestPart = max(largestPart, error / bound)
      if error > bound { return "element \(position) is \(a), expected \(b) within \(bound)" }
    }
    return nil
  }

  /// NaN, an infinity with its sign, or a number.
  private static func kind(_ value: Double) -> Int {
    value.isNaN ? 2 : value.isInfinite ? (value > 0 ? 1 : -1) : 0
  }

  private static func isSame(_ a: Scalar, _ b: Scalar) -> Bool {
    if case .real(let x) = a, case .real(let y) = b { return x.bitPattern == y.bitPattern || (x.isNaN && y.isNaN) }
    return a == b
  }
}
