import IR

// log(2ᵉ m) = e log 2 + log(1 + f), f = m - 1. f32: m in [2/3, 4/3) and a polynomial in f.
// f64: m in [√½, √2) and a polynomial in s², s = f / (2 + f), of which log(1 + f) = 2 artanh(s).
private enum Coefficients {
  /// (log(1 + f) - f + f²/2) / f³.
  static let logarithm32: [Double] = [
    0x1.555506p-2, -0x1.fffefp-3, 0x1.99d024p-3, -0x1.559dd4p-3, 0x1.1ed768p-3, -0x1.f31044p-4, 0x1.1e6534p-3,
    -0x1.08079ep-3,
  ]
  /// (2 artanh(s) / s - 2) / s² in s².
  static let logarithm64: [Double] = [
    0x1.5555555555594p-1, 0x1.999999997f3fep-2, 0x1.2492494286c25p-2, 0x1.c71c5186e6c7ap-3, 0x1.74665b5e73f72p-3,
    0x1.399eb33490023p-3, 0x1.2f2572b8123fp-3,
  ]
  /// 2 artanh(s) / s / log 2 in s², to 37 bits.
  static let binaryLogarithm: [Double] = [
    0x1.71547652bf01bp1, 0x1.ec709d0ff96ap-1, 0x1.2777822830614p-1, 0x1.a58c6c7d674dep-2, 0x1.5cfdd45456cfbp-2,
  ]
  /// (2 artanh(s) / s - 2 - 2/3 s²) / s⁴ in s².
  static let doubledTail: [Double] = [
    0x1.9999999999995p-2, 0x1.2492492493192p-2, 0x1.c71c71c55741ep-3, 0x1.745d1845e8306p-3, 0x1.3b135d87139a8p-3,
    0x1.11217bbe8521ap-3, 0x1.de1438b488205p-4, 0x1.ec1383ccaac95p-4,
  ]
  static let twoThirds = (high: 0x1.5555555555555p-1, low: 0x1.5555555555555p-55)
}

extension MathValue {
  /// The logarithm of `1 + f` plus `e` times log 2.
  private static func logarithm(onePlus f: MathValue, exponent e: MathValue) -> MathValue {
    let c = f.constants
    if f.isF32 {
      let q = fma(polynomial(f, Coefficients.logarithm32), f, -0.5)
      let rest = fma(q, f * f, e * c.log2.low)
      return fma(e, c.log2.high, rest + f)
    }
    let s = f / (f + 2)
    let z = s * s
    let half = (f * f) * 0.5
    let tail = z * polynomial(z, Coefficients.logarithm64)
    let rest = fma(s, half + tail, e * c.log2.low)
    return fma(e, c.log2.high, f - (half - rest))
  }

  /// The exponent that brings a positive normal number into the mantissa's range, and the mantissa less 1.
  fileprivate func exponentAndRest(floor: Int? = nil) -> (exponent: MathValue, rest: MathValue) {
    let c = constants
    let e = (bits - (floor ?? c.mantissaFloor)) >> c.mantissaBits
    let mantissa = (bits - (e << c.mantissaBits)).float
    return (e.exactFloat(c), mantissa - 1)
  }

  /// The logarithm. f32: 1 ulp; f64: 1 ulp.
  func logarithm() -> MathValue {
    let c = constants
    let isDenormal = self .< c.leastNormal
    let scaled = self * Double(sign: .plus, exponent: c.denormalShift, significand: 1)
    let (e, f) = select(isDenormal, scaled, self).exponentAndRest()
    let offset = select(isDenormal, constant(-c.denormalShift), 0.0)
    let result = Self.logarithm(onePlus: f, exponent: e + offset)
    let positive = select(self .< .infinity, result, self)
    let special = select(self .== 0.0, constant(-.infinity), Double.nan)
    return select(self .> 0.0, positive, special)
  }

  /// The logarithm of a positive normal number.
  func logarithmOfNormal() -> MathValue {
    let (e, f) = exponentAndRest()
    return Self.logarithm(onePlus: f, exponent: e)
  }

  /// log(1 + self + rest) + extra log 2, for finite self > -1 and a rest that is small against it.
  private func logarithmOfPlusOne(rest: MathValue? = nil, extra: MathValue? = nil) -> MathValue {
    let c = constants
    let mask = -1 << c.mantissaBits
    let power = ((self + 1).bits - c.mantissaFloor) .& mask
    let mantissa = (bits - power).float
    let four = (constant(4).bits - power).float
    let tail = rest.map { fma(four * 0.25, $0, mantissa) } ?? mantissa
    let f = fma(four, 0.25, -1.0) + tail
    let e = (power >> c.mantissaBits).exactFloat(c)
    return Self.logarithm(onePlus: f, exponent: extra.map { e + $0 } ?? e)
  }

  /// log(1 + x). f32: 1.6 ulp; f64: 1.1 ulp.
  func logarithmOfPlusOne() -> MathValue {
    let result = select(self .< .infinity, logarithmOfPlusOne(rest: nil), self)
    let special = select(self .== -1.0, constant(-.infinity), Double.nan)
    let valid = select(self .> -1.0, result, special)
    return select(magnitude .< constants.tinySquare, self, valid)
  }

  /// Where x itself may stand for x ± 1 in a logarithm.
  private var largeForLogarithm: Double { isF32 ? 0x1p28 : 0x1p60 }

  /// asinh = log(1 + a + a² / (1 + √(a² + 1))). f32: 2.1 ulp; f64: 1.7 ulp.
  func hyperbolicArcSine() -> MathValue {
    let x = magnitude
    let isLarge = x .> largeForLogarithm
    let a = select(isLarge, 1.0, x)
    let w = (a * a) / (fma(a, a, 1.0).squareRoot() + 1)
    let t = a + w
    let rest = (a - t) + w
    let extra = select(isLarge, x.constant(1), 0.0)
    let result = select(isLarge, x, t).logarithmOfPlusOne(rest: select(isLarge, 0.0, rest), extra: extra)
    let finite = select(x .< .infinity, result, x)
    return select(x .< constants.tinyCube, x, finite).signed(like: self)
  }

  /// acosh = log(1 + d + √(d² + 2d)), d = x - 1. f32: 2.2 ulp; f64: 2.1 ulp.
  func hyperbolicArcCosine() -> MathValue {
    let isLarge = self .> largeForLogarithm
    let d = select(isLarge, 1.0, self) - 1
    let w = fma(d, d, d + d).squareRoot()
    let t = d + w
    let rest = (w - t) + d
    let extra = select(isLarge, constant(1), 0.0)
    let result = select(isLarge, self, t).logarithmOfPlusOne(rest: select(isLarge, 0.0, rest), extra: extra)
    let finite = select(self .< .infinity, result, self)
    return select(self .>= 1.0, finite, Double.nan)
  }

  /// atanh = log(1 + 2a / (1 - a)) / 2. f32: 2.1 ulp; f64: 1.6 ulp.
  func hyperbolicArcTangent() -> MathValue {
    let x = magnitude
    let d = 1 - x
    let lost = (1 - d) - x
    let two = x + x
    let t = two / d
    let rest = (exactFma(-t, d, two) - t * lost) / d
    let half = t.logarithmOfPlusOne(rest: rest) * 0.5
    let special = select(x .== 1.0, constant(.infinity), Double.nan)
    let result = select(x .< 1.0, half, special)
    return select(x .< constants.tinyCube, x, result).signed(like: self)
  }

  /// The binary logarithm of a positive normal f64 to 37 bits.
  func roughBinaryLogarithm() -> MathValue {
    let (e, f) = exponentAndRest()
    let s = f / (f + 2)
    return fma(s, polynomial(s * s, Coefficients.binaryLogarithm), e)
  }

  /// The logarithm of a positive finite f64 as a sum of two, to about 2⁻⁶⁶ of its value.
  func doubledLogarithm() -> (high: MathValue, low: MathValue) {
    let isDenormal = self .< constants.leastNormal
    let (e0, f) = select(isDenormal, self * 0x1p54, self).exponentAndRest()
    let e = e0 + select(isDenormal, constant(-54), 0.0)
    // s = f / (2 + f) as a sum of two.
    let denominator = f + 2
    let lost = f - (denominator - 2)
    let reciprocal = 1 / denominator
    let s = f * reciprocal
    let sLow = (exactFma(-s, denominator, f) - s * lost) * reciprocal
    // z = s², t = s³ and u = 2/3 s³ in the same way.
    let (z, zError) = exactProduct(s, s)
    let zLow = fma(s + s, sLow, zError)
    let (t, tError) = exactProduct(s, z)
    let tLow = tError + fma(s, zLow, sLow * z)
    let (u, uError) = exactProduct(t, Coefficients.twoThirds.high)
    let uLow = uError + fma(tLow, Coefficients.twoThirds.high, t * Coefficients.twoThirds.low)
    let tail = (t * z) * polynomial(z, Coefficients.doubledTail)
    let two = s + s
    let sum = two + u
    let sumLow = ((two - sum) + u) + (fma(sLow, 2.0, uLow) + tail)
    let power = e * constants.log2.high
    let high = power + sum
    let low = fma(e, constants.log2.low, ((power - high) + sum) + sumLow)
    let result = high + low
    return (result, (high - result) + low)
  }

  /// exp(self + low) for |self| ≤ 760 and a small `low`.
  func doubledExponential(low: MathValue) -> MathValue {
    let (power, n) = splitInteger(scale: constants.log2E, offset: 2 * constants.bias)
    let a = fma(n, -constants.log2.high, self)
    let b = fma(n, -constants.log2.low, low)
    let r = a + b
    let lost = (a - r) + b
    let q = fma(r * r, r.exponentialTail(), lost)
    return ((r + q) + 1).scaled(byPowerIn: power)
  }
}

extension FloatPair {
  /// The binary logarithm to 36 bits, of a pair whose first number is positive and normal.
  func roughBinaryLogarithm() -> FloatPair {
    // √½ as f32's bits: the polynomial is one of f64, whose range of mantissas it is.
    let (e, f) = high.exponentAndRest(floor: 0x3f35_04f3)
    let s = FloatPair(f) / FloatPair(normalizing: f.constant(2.0), f)
    let ofHigh = s * polynomial(s * s, Coefficients.binaryLogarithm, pairs: 2)
    let rest = (low / high) * FloatConstants.f32.log2E
    let sum = FloatPair(sum: e, ofHigh.high)
    return FloatPair(normalizing: sum.high, sum.low + (ofHigh.low + rest))
  }

  /// The logarithm, of a pair whose first number is positive and normal.
  func roughLogarithm() -> FloatPair { roughBinaryLogarithm() * Self.log2 }

  private static let log2 = 0x1.62e42fefa39efp-1
}
