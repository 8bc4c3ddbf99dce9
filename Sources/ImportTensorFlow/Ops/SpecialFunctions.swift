import GraphBuilding
import IR

extension Operator {
  /// Functions of statistics and of physics, made of elementary ones.
  static let specialFunctions: [Operator] = [
    bessel("BesselI0", .zeroth, isScaled: false), bessel("BesselI0e", .zeroth, isScaled: true),
    bessel("BesselI1", .first, isScaled: false), bessel("BesselI1e", .first, isScaled: true),
    Operator(
      "Ndtri",
      one: { (n) throws(OpError) in
        try n.wide(try n.input(0)) { (n, x) throws(OpError) in try n.quantile(x) }
      }),
    Operator("Zeta", one: { (n) throws(OpError) in try n.zeta(try n.input(0), try n.input(1)) }),
    Operator("Polygamma", one: polygamma),
  ]

  private static func bessel(_ name: String, _ order: BesselSeries, isScaled: Bool) -> Operator {
    Operator(name) { (n) throws(OpError) in
      [try n.wide(try n.input(0)) { (n, x) throws(OpError) in try n.bessel(order, x, isScaled: isScaled) }]
    }
  }

  /// The derivatives of the logarithm of the gamma function, of whole orders.
  private static func polygamma(_ n: inout Lowering) throws(OpError) -> Value {
    let (order, x) = (try n.input(0), try n.input(1))
    let next = try n.add(order, 1)
    let half = try n.multiply(order, 0.5)
    let isEven = try n.compare(.equal, half, n.map(.floor, half))
    let factor = try n.multiply(n.map(.exponential, n.map(.logGamma, next)), n.zeta(next, x))
    let signed = try n.select(isEven, n.map(.negate, factor), factor)
    let result = try n.select(n.compare(.equal, order, 0), n.map(.digamma, x), signed)
    let isDefined = try n.map(
      .and, n.compare(.greaterOrEqual, order, 0), n.compare(.equal, order, n.map(.floor, order)))
    return try n.select(isDefined, result, n.scalar(.nan, x.element))
  }
}

extension Lowering {
  /// A function of f32 or f64 on elements of fewer bits.
  fileprivate mutating func wide(
    _ x: Value, _ function: (inout Lowering, Value) throws(OpError) -> Value
  ) throws(OpError) -> Value {
    guard x.element.isFloat else { throw OpError("it takes floats, not \(x.type)") }
    return try convert(function(&self, convert(x, x.element == .f64 ? .f64 : .f32)), x.element)
  }

  // MARK: Bessel

  /// A modified Bessel function of the first kind, maybe times `exp(-|x|)`: series of Chebyshev's polynomials below 8 and
  /// from there.
  fileprivate mutating func bessel(_ series: BesselSeries, _ x: Value, isScaled: Bool) throws(OpError) -> Value {
    let isWide = x.element == .f64
    let magnitude = try map(.abs, x)
    let isNear = try compare(.lessOrEqual, magnitude, 8)
    var near = try chebyshev(subtract(multiply(magnitude, 0.5), 2), isWide ? series.near : series.shortNear)
    if series.isOdd { near = try multiply(near, magnitude) }
    let inverse = try divide(32, magnitude)
    var far = try chebyshev(subtract(inverse, 2), isWide ? series.far : series.shortFar)
    far = try divide(far, map(.squareRoot, magnitude))
    var result = try select(isNear, near, far)
    if !isScaled { result = try multiply(result, map(.exponential, magnitude)) }
    guard series.isOdd else { return result }
    return try select(compare(.less, x, 0), map(.negate, result), result)
  }

  /// The sum of Chebyshev's polynomials of half of `x`, by Clenshaw's recurrence.
  private mutating func chebyshev(_ x: Value, _ coefficients: [Double]) throws(OpError) -> Value {
    var (first, second, third) = (scalar(0, x.element), scalar(0, x.element), scalar(0, x.element))
    for coefficient in coefficients.reversed() {
      (third, second) = (second, first)
      first = try add(subtract(multiply(x, second), third), coefficient)
    }
    return try multiply(subtract(first, third), 0.5)
  }

  // MARK: Quantiles

  /// Where the normal distribution has reached `p`: Acklam's rational functions, for f64 with a step of Halley's method.
  fileprivate mutating func quantile(_ p: Value) throws(OpError) -> Value {
    let isUpper = try compare(.greater, p, 0.5)
    let tail = try select(isUpper, subtract(1, p), p)
    let centre = try subtract(tail, 0.5)
    let square = try multiply(centre, centre)
    let middle = try multiply(
      centre, divide(polynomial(square, Quantile.middle.over), polynomial(square, Quantile.middle.under)))
    let root = try map(.squareRoot, multiply(map(.log, tail), -2))
    let far = try divide(polynomial(root, Quantile.tail.over), polynomial(root, Quantile.tail.under))
    var x = try select(compare(.less, tail, Quantile.tailLimit), far, middle)
    if p.element == .f64 {
      let reached = try multiply(map(.complementaryErrorFunction, multiply(x, -0.5.squareRoot())), 0.5)
      let density = try multiply(map(.exponential, multiply(multiply(x, x), 0.5)), (2 * Double.pi).squareRoot())
      let step = try multiply(subtract(reached, tail), density)
      x = try subtract(x, divide(step, add(multiply(multiply(x, step), 0.5), 1)))
    }
    let signed = try select(isUpper, map(.negate, x), x)
    let low = try select(compare(.equal, p, 0), splat(-.infinity, like: p), signed)
    let ends = try select(compare(.equal, p, 1), splat(.infinity, like: p), low)
    let isOutside = try map(.or, compare(.less, p, 0), compare(.greater, p, 1))
    return try select(isOutside, scalar(.nan, p.element), ends)
  }

  // MARK: Zeta

  /// Hurwitz' zeta function: the first terms, and Euler's and Maclaurin's sum for the others.
  fileprivate mutating func zeta(_ x: Value, _ q: Value) throws(OpError) -> Value {
    let shape = try broadcastShape([x, q])
    let (x, q) = (try broadcast(x, to: shape), try broadcast(q, to: shape))
    let exponent = try map(.negate, x)
    let first = try map(.power, q, exponent)
    var (sum, base) = (first, q)
    for _ in 0..<ZetaSeries.termCount {
      base = try add(base, 1)
      sum = try add(sum, map(.power, base, exponent))
    }
    // The rest is an integral, less half of the last term, and corrections with Bernoulli's numbers.
    let power = try map(.power, base, exponent)
    sum = try add(sum, divide(multiply(power, base), subtract(x, 1)))
    sum = try subtract(sum, multiply(power, 0.5))
    var term = try multiply(divide(power, base), x)
    for (index, divisor) in ZetaSeries.divisors.enumerated() {
      sum = try add(sum, divide(term, divisor))
      let step = Double(2 * index + 1)
      term = try multiply(multiply(term, divide(add(x, step), base)), divide(add(x, step + 1), base))
    }
    sum = try select(map(.isFinite, x), sum, first)
    // Where a term is infinite, the sum is for even exponents, and nothing for others.
    let isWhole = try compare(.equal, q, map(.floor, q))
    let isLow = try compare(.lessOrEqual, q, 0)
    let half = try multiply(x, 0.5)
    let isPole = try map(.and, isLow, isWhole)
    let isFine = try select(isWhole, compare(.equal, half, map(.floor, half)), compare(.equal, x, map(.floor, x)))
    let result = try select(isPole, splat(.infinity, like: q), sum)
    let isUndefined = try map(.or, compare(.less, x, 1), map(.and, isLow, map(.not, isFine)))
    let defined = try select(isUndefined, splat(.nan, like: q), result)
    return try select(compare(.equal, x, 1), splat(.infinity, like: q), defined)
  }
}
