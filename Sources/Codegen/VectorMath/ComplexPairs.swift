/// Parts of a complex number times the power of two that brings the larger into 1 ..< 2, so that no square overflows or
/// vanishes; as they are where one is not finite or both are zero.
private struct ScaledParts {
  let re: MathValue
  let im: MathValue
  /// The larger of the two absolute values.
  let large: MathValue
  /// By which power of two the parts were divided.
  let exponent: MathValue

  init(_ re: MathValue, _ im: MathValue) {
    large = select(re.magnitude .> im.magnitude, re.magnitude, im.magnitude)
    // Far from both ends first, where the inverse of a power of two is one.
    let (isTiny, isHuge) = (large .< 0x1p-100, large .> 0x1p100)
    let near = select(isTiny, large.constant(0x1p64), select(isHuge, large.constant(0x1p-64), 1.0))
    let field = (large * near).bits.shiftedRightLogically(23)
    let shift = select(isTiny, field.constant(-64), select(isHuge, field.constant(64), field.constant(0)))
    let isRegular = (re.magnitude .< .infinity) .& (im.magnitude .< .infinity) .& (large .> 0.0)
    let power = ((254 - field) << 23).float
    self.re = select(isRegular, (re * near) * power, re)
    self.im = select(isRegular, (im * near) * power, im)
    exponent = select(isRegular, field + shift - 127, field.constant(0))
    self.isRegular = isRegular
  }

  /// Whether the parts are finite and not both zero.
  let isRegular: MathValue

  /// The sum of the squares.
  var square: FloatPair { FloatPair(product: re, re) + FloatPair(product: im, im) }
}

/// What complex numbers of f32 parts are computed with where there is no f64.
extension MathValue {
  /// The absolute value of a number with these parts; infinite where a part is, even if the other is NaN. 0.6 ulp.
  static func magnitude(_ re: MathValue, _ im: MathValue) -> MathValue {
    let z = ScaledParts(re, im)
    let square = z.square
    let root = square.high.squareRoot()
    let rest = (exactFma(-root, root, square.high) + square.low) / (root + root)
    let finite = (root + rest).scaled(byPowerIn: z.exponent + 2 * FloatConstants.f32.bias)
    let isInfinite = (re.magnitude .== .infinity) .| (im.magnitude .== .infinity)
    let isNumber = re.isNumber .& im.isNumber
    let irregular = select(isInfinite, Double.infinity, select(isNumber, re.constant(0.0), Double.nan))
    return select(z.isRegular, finite, irregular)
  }

  /// The quotient's parts; each to 0.6 ulp, or to 2⁻⁴² of the larger. Of zeros, infinities and NaN what the quotients of
  /// the parts by the larger part of the divisor give.
  static func quotient(
    _ a: MathValue, _ b: MathValue, over c: MathValue, _ d: MathValue
  ) -> (re: MathValue, im: MathValue) {
    let (z, w) = (ScaledParts(a, b), ScaledParts(c, d))
    let isRegular = z.isRegular .& w.isRegular
    let square = w.square
    let exponent = z.exponent - w.exponent + 2 * FloatConstants.f32.bias
    let low = select(exponent .< 2, exponent.constant(2), exponent)
    let power = select(low .> 508, low.constant(508), low)
    func scaled(_ x: FloatPair) -> MathValue { (x / square).value.scaled(byPowerIn: power) }
    let re = FloatPair(product: z.re, w.re) + FloatPair(product: z.im, w.im)
    let im = FloatPair(product: z.im, w.re) - FloatPair(product: z.re, w.im)
    let plain = plainQuotient(z.re, z.im, over: w.re, w.im)
    return (select(isRegular, scaled(re), plain.re), select(isRegular, scaled(im), plain.im))
  }

  /// By Smith's method.
  private static func plainQuotient(
    _ a: MathValue, _ b: MathValue, over c: MathValue, _ d: MathValue
  ) -> (re: MathValue, im: MathValue) {
    let isReal = c.magnitude .>= d.magnitude
    let (large, small) = (select(isReal, c, d), select(isReal, d, c))
    let ratio = small / large
    let size = large + small * ratio
    let re = select(isReal, a + b * ratio, a * ratio + b)
    let im = select(isReal, b - a * ratio, b * ratio - a)
    // Zero has no larger part; the quotients by it are infinite or NaN.
    let isZero = large .== 0.0
    return (select(isZero, a / c, re / size), select(isZero, b / c, im / size))
  }

  /// |z|² - 1 for absolute values between 1/2 and 2, given the larger and the smaller part's.
  static func squareLessOne(_ large: MathValue, _ small: MathValue) -> MathValue {
    let square = FloatPair(product: large, large) + FloatPair(product: small, small)
    return (square - 1).value
  }
}
