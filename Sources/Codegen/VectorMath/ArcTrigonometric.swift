import IR

private enum Coefficients {
  /// (atan(z) / z - 1) / z² in z², for |z| ≤ 1 (f32) and |z| ≤ tan π/8 (f64).
  static let arcTangent32: [Double] = [
    -0x1.5554dcp-2, 0x1.9978ecp-3, -0x1.230a9ep-3, 0x1.b4df5ep-4, -0x1.35531ap-4, 0x1.61f5dcp-5, -0x1.0c22e6p-6,
    0x1.7ec126p-9,
  ]
  static let arcTangent64: [Double] = [
    -0x1.555555555553dp-2, 0x1.9999999995856p-3, -0x1.24924922ab838p-3, 0x1.c71c70e4ca206p-4,
    -0x1.745cf8a998bbep-4, 0x1.3b1114b1a276p-4, -0x1.10eb7d18e306fp-4, 0x1.df0b78c142c06p-5, -0x1.9cbfa636599ecp-5,
    0x1.37a0d226b2afdp-5, -0x1.24edf85c8d9fdp-6,
  ]
  /// (asin(s) / s - 1) / s² in s², for |s| ≤ 1/2.
  static let arcSine32: [Double] = [
    0x1.5555ccp-3, 0x1.3300c4p-4, 0x1.749afcp-5, 0x1.8b0914p-6, 0x1.5a6452p-5,
  ]
  static let arcSine64: [Double] = [
    0x1.5555555555579p-3, 0x1.333333332dcdbp-4, 0x1.6db6db7246dp-5, 0x1.f1c71a810f3dp-6, 0x1.6e8be1172b8fep-6,
    0x1.1c49c8253eba4p-6, 0x1.ca235bdafacd2p-7, 0x1.756612cd11e5p-7, 0x1.61eeb3bc8d483p-7, 0x1.db566bbb95726p-9,
    0x1.66dfdd8890e42p-6, -0x1.5ca7d67d35ddcp-6, 0x1.0cc0079632af2p-5,
  ]
  /// tan π/8 and tan 3π/8.
  static let tangents = (0x1.a827999fcef32p-2, 0x1.3504f333f9de6p+1)
}

/// A number as a sum of two.
private struct Doubled {
  var high: MathValue
  var low: MathValue

  /// One of two multiples of π where the condition holds, else the other.
  static func select(_ condition: MathValue, _ a: Doubled, _ b: Doubled) -> Doubled {
    Doubled(
      high: condition.apply(.select, a.high, b.high), low: condition.apply(.select, a.low, b.low))
  }
}

extension MathValue {
  private func timesPi(_ factor: Double) -> Doubled {
    Doubled(high: constant(constants.pi.high * factor), low: constant(constants.pi.low * factor))
  }

  /// atan of this small number, plus the base.
  private func arcTangentWithinRange(plus base: Doubled) -> MathValue {
    let t = self * self
    let p = polynomial(t, isF32 ? Coefficients.arcTangent32 : Coefficients.arcTangent64)
    return (fma(self * t, p, base.low) + self) + base.high
  }

  /// The arc tangent. f32: 1.4 ulp; f64: 1.5 ulp.
  func arcTangent() -> MathValue {
    let a = magnitude
    let zero = timesPi(0)
    if isF32 {
      let isInverse = a .> 1.0
      let z = select(isInverse, constant(-1), a) / select(isInverse, a, 1.0)
      let base = Doubled.select(isInverse, timesPi(0.5), zero)
      return z.arcTangentWithinRange(plus: base).signed(like: self)
    }
    let isMiddle = a .> Coefficients.tangents.0
    let isInverse = a .> Coefficients.tangents.1
    let numerator = select(isInverse, -1.0, select(isMiddle, a - 1, a))
    let denominator = select(isInverse, a, select(isMiddle, a + 1, 1.0))
    let base = Doubled.select(isInverse, timesPi(0.5), .select(isMiddle, timesPi(0.25), zero))
    let result = (numerator / denominator).arcTangentWithinRange(plus: base)
    // (inf - 1) / (inf + 1) is never chosen, but -1 / inf is -0 and must not meet a NaN.
    return select(a.isNumber, result, a).signed(like: self)
  }

  /// The angle of the point with this y and that x, as C's `atan2`. f32: 1.8 ulp; f64: 1.8 ulp.
  func arcTangent(over x: MathValue) -> MathValue {
    let (a, b) = (x.magnitude, magnitude)
    let isSwapped = b .> a
    let larger = select(isSwapped, b, a)
    let smaller = select(isSwapped, a, b)
    let areInfinite = smaller .== .infinity
    let high = select(areInfinite .| (larger .== 0.0), 1.0, larger)
    let low = select(areInfinite, 1.0, smaller)
    let isNegative = x.bits .< 0
    let sign = select(isSwapped .!= isNegative, constant(-1), 1.0)
    let base = Doubled.select(
      isSwapped, timesPi(0.5), .select(isNegative, timesPi(1), timesPi(0)))
    let angle =
      isF32
      ? ((low / high) * sign).arcTangentWithinRange(plus: base)
      : low.arcTangentOfRatio(to: high, sign: sign, base: base)
    return select(isNumber .& x.isNumber, angle.signed(like: self), Double.nan)
  }

  /// base + sign atan(self / other) for 0 ≤ self ≤ other.
  private func arcTangentOfRatio(to other: MathValue, sign: MathValue, base: Doubled) -> MathValue {
    // The sum of the two must not overflow.
    let scale = select(other .> 0x1p1000, constant(0x1p-100), 1.0)
    let (low, high) = (self * scale, other * scale)
    let isMiddle = low .> high * Coefficients.tangents.0
    let z = select(isMiddle, low - high, low) / select(isMiddle, low + high, high)
    let quarter = Doubled.select(isMiddle, timesPi(0.25), timesPi(0))
    let sum = Doubled(high: fma(quarter.high, sign, base.high), low: fma(quarter.low, sign, base.low))
    return (z * sign).arcTangentWithinRange(plus: sum)
  }

  /// s and asin(s) - s, where s is |x| up to 1/2, else √((1 - |x|) / 2).
  private func arcSineParts() -> (isLarge: MathValue, s: MathValue, tail: MathValue) {
    let a = magnitude
    let isLarge = a .> 0.5
    let t = select(isLarge, fma(a, -0.5, 0.5), a * a)
    let s = select(isLarge, t.squareRoot(), a)
    let p = polynomial(t, isF32 ? Coefficients.arcSine32 : Coefficients.arcSine64) * t
    let lost = exactFma(-s, s, t) / (s + s)
    let correction = select(isLarge .& (t .> 0.0), lost, 0.0)
    return (isLarge, s, fma(s, p, correction))
  }

  /// The arc sine. f32: 1.3 ulp; f64: 1.1 ulp.
  func arcSine() -> MathValue {
    let (isLarge, s, tail) = arcSineParts()
    let halfPi = timesPi(0.5)
    let large = halfPi.high - ((s + s) - fma(tail, -2.0, halfPi.low))
    return select(isLarge, large, s + tail).signed(like: self)
  }

  /// The arc cosine. f32: 1.1 ulp; f64: 1.1 ulp.
  func arcCosine() -> MathValue {
    let (isLarge, s, tail) = arcSineParts()
    let isNegative = self .< 0.0
    let base = Doubled.select(isLarge, .select(isNegative, timesPi(1), timesPi(0)), timesPi(0.5))
    let forLarge = select(isNegative, constant(-2), 2.0)
    let forSmall = select(isNegative, constant(1), -1.0)
    let factor = select(isLarge, forLarge, forSmall)
    return fma(factor, s, base.high) + fma(factor, tail, base.low)
  }
}
