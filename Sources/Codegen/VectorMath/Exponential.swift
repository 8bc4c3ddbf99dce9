import IR

// exp(x) = 2ⁿ exp(r), n the integer nearest to x / log 2, |r| ≤ log 2 / 2. Coefficients: minimax fits.
private enum Coefficients {
  /// (exp(r) - 1 - r) / r² for exp, relative to exp(r).
  static let exponential32: [Double] = [
    0x1.fffffcp-2, 0x1.55548ap-3, 0x1.55585p-5, 0x1.123edep-7, 0x1.6ac5b8p-10,
  ]
  static let exponential64: [Double] = [
    0x1.000000000000ap-1, 0x1.55555555554cdp-3, 0x1.55555555504f6p-5, 0x1.1111111133d2ep-7, 0x1.6c16c185133b1p-10,
    0x1.a01a00e4f25bep-13, 0x1.a019975083606p-16, 0x1.71dfc26198b91p-19, 0x1.28b0296c0b364p-22,
    0x1.ac8ad184467d7p-26,
  ]
  /// The same, relative to exp(r) - 1.
  static let minusOne32: [Double] = [
    0x1.fffffep-2, 0x1.5554a8p-3, 0x1.5556ep-5, 0x1.122dc4p-7, 0x1.6be504p-10,
  ]
  static let minusOne64: [Double] = [
    0x1p-1, 0x1.555555555555ap-3, 0x1.555555555555dp-5, 0x1.111111110f09ep-7, 0x1.6c16c16c11735p-10,
    0x1.a01a01b272e8fp-13, 0x1.a01a01c479477p-16, 0x1.71ddf196f35d1p-19, 0x1.27e4924b16d8fp-22,
    0x1.af6aecd0e6e23p-26, 0x1.1fef2252b20b9p-29,
  ]
  /// (cosh(r) - 1) / r² and (sinh(r) / r - 1) / r² in r².
  static let cosh32: [Double] = [
    0x1p-1, 0x1.5554e4p-5, 0x1.6d51dcp-10,
  ]
  static let cosh64: [Double] = [
    0x1p-1, 0x1.5555555555558p-5, 0x1.6c16c16c14fe7p-10, 0x1.a01a01ad8c1c7p-16, 0x1.27e4cbe7e9e49p-22,
    0x1.1f8c2ed6132bep-29,
  ]
  static let sinh32: [Double] = [
    0x1.555556p-3, 0x1.110fcp-7, 0x1.a2dd48p-13,
  ]
  static let sinh64: [Double] = [
    0x1.5555555555555p-3, 0x1.1111111111383p-7, 0x1.a01a019ea52d4p-13, 0x1.71de4065257ep-19, 0x1.ae4d63ee69c46p-26,
    0x1.81b674a18ab2fp-33,
  ]
  /// 2ʳ for |r| ≤ 1/2.
  static let powerOfTwo32: [Double] = [
    0x1p0, 0x1.62e432p-1, 0x1.ebfbe6p-3, 0x1.c6ada8p-5, 0x1.3b21c6p-7, 0x1.5fbd04p-10, 0x1.4bdeacp-13,
  ]
  static let powerOfTwo64: [Double] = [
    0x1.000000026b845p0, 0x1.62e430ca70b39p-1, 0x1.ebfbdacc67c6cp-3, 0x1.c6aed14852fdcp-5, 0x1.3b2dc275c49ebp-7,
    0x1.5f47290b4caf6p-10, 0x1.41d190850b794p-13,
  ]
  /// (tanh(x) / x - 1) / x² in x², for x ≤ 0.61.
  static let tanh32: [Double] = [
    -0x1.55553ap-2, 0x1.1108c8p-3, -0x1.b876b6p-5, 0x1.53bdb6p-6, -0x1.7d73f2p-8,
  ]
}

extension MathValue {
  /// The exponential function. f32: 1 ulp; f64: 1.1 ulp.
  func exponential() -> MathValue {
    let x = isF32 ? atMost(89).atLeast(-104) : atMost(710).atLeast(-746)
    if hasPowersOfTwo { return x.exponentialByScaling() }
    let (power, r) = x.reducedByLog2(offset: 2 * constants.bias)
    return r.exponentialWithinHalf().scaled(byPowerIn: power)
  }

  /// The exponential function of a number that is not positive; the same numbers as the other.
  ///
  /// 2ⁿ times half the largest power of two is normal for all n there are, so that one more multiplication rounds.
  func exponentialOfNonpositive() -> MathValue {
    let c = constants
    let x = atLeast(isF32 ? -104 : -746)
    if hasPowersOfTwo { return x.exponentialByScaling() }
    let (power, r) = x.reducedByLog2(offset: c.bias + (c.bias + 1) / 2)
    let scaled = r.exponentialWithinHalf() * (power << c.mantissaBits).float
    return scaled * Double(sign: .plus, exponent: -(c.bias + 1) / 2, significand: 1)
  }

  /// The exponential function where one instruction multiplies by 2ⁿ; the same numbers again.
  private func exponentialByScaling() -> MathValue {
    let c = constants
    let (_, n) = splitInteger(scale: c.log2E)
    let r = fma(n, -c.log2.low, fma(n, -c.log2.high, self))
    return r.exponentialWithinHalf().scaled(byPowerOfTwo: n)
  }

  /// exp(r) for |r| ≤ log 2 / 2.
  private func exponentialWithinHalf() -> MathValue {
    fma(fma(exponentialTail(), self, 1.0), self, 1.0)
  }

  /// `n + offset` in the low bits of the first, and `self - n log 2`.
  func reducedByLog2(offset: Int) -> (power: MathValue, rest: MathValue) {
    let c = constants
    let (power, n) = splitInteger(scale: c.log2E, offset: offset)
    let r = fma(n, -c.log2.low, fma(n, -c.log2.high, self))
    return (power, r)
  }

  /// (exp(r) - 1 - r) / r².
  func exponentialTail() -> MathValue {
    polynomial(self, isF32 ? Coefficients.exponential32 : Coefficients.exponential64)
  }

  /// This value times 2ⁿ for any n of the type's exponents, denormal results rounded once; `power` holds n + 2 bias.
  func scaled(byPowerIn power: MathValue) -> MathValue {
    let half = power.shiftedRightLogically(1)
    let first = (half << constants.mantissaBits).float
    let second = ((power - half) << constants.mantissaBits).float
    return (self * first) * second
  }

  /// 2ⁿ⁻¹ and exp(r) - 1.
  private func exponentialMinusOneParts() -> (scale: MathValue, p: MathValue) {
    let c = constants
    let (power, n) = splitInteger(scale: c.log2E, offset: c.bias - 1)
    let a = fma(n, -c.log2.high, self)
    let r = fma(n, -c.log2.low, a)
    let lost = fma(n, -c.log2.low, a - r)
    let q = polynomial(r, isF32 ? Coefficients.minusOne32 : Coefficients.minusOne64)
    return ((power << c.mantissaBits).float, fma(r * r, q, lost) + r)
  }

  /// exp(x) - 1. f32: 1.7 ulp; f64: 1.6 ulp.
  func exponentialMinusOne() -> MathValue {
    let x = isF32 ? atMost(88.8).atLeast(-18) : atMost(709.9).atLeast(-40)
    let (s, p) = x.exponentialMinusOneParts()
    let half = fma(s, p, s - 0.5)
    return select(magnitude .< constants.tinySquare, self, half + half)
  }

  /// 1 / (1 + exp(-x)). f32: 1.7 ulp; f64: 1.7 ulp.
  ///
  /// With t = exp(-|x|) and u = t / (1 + t) it is 1 - u, or t (1 - u) for negative x: relatively exact to the last denormal.
  func logistic() -> MathValue {
    let t = (-magnitude).exponentialOfNonpositive()
    let u = t / (t + 1)
    let v = select(self .< 0.0, t, 1.0)
    return fma(-v, u, v)
  }

  /// tanh. f32: 1.6 ulp; f64: 2.3 ulp.
  func hyperbolicTangent() -> MathValue {
    guard isF32 else { return hyperbolicTangent64() }
    return writer.builder.target.hasLookup ? PiecewiseFunction.hyperbolicTangent.odd(self) : hyperbolicTangent32()
  }

  /// From 0.6 on 1 - 2 / (exp(2x) + 1), in which errors of the exponential fade; a polynomial below.
  private func hyperbolicTangent32() -> MathValue {
    let x = magnitude.atMost(9.1)
    let scale = 2 * constants.log2E
    let (power, n) = x.splitInteger(scale: scale)
    let r = fma(x, scale, -n)
    let e = polynomial(r, Coefficients.powerOfTwo32).timesPowerOfTwo(power)
    let large = fma(1 / (e + 1), -2.0, 1.0)
    let t = x * x
    let small = fma(x * t, polynomial(t, Coefficients.tanh32), x)
    return select(x .>= 0.6, large, small).signed(like: self)
  }

  private func hyperbolicTangent64() -> MathValue {
    let x = magnitude
    let (s, p) = (x + x).atMost(44).exponentialMinusOneParts()
    let half = fma(s, p, s - 0.5)
    let result = half / (half + 1)
    return select(x .< constants.tinyCube, x, result).signed(like: self)
  }

  /// This normal number times 2ⁿ where the result is normal; n stands in the low bits of `power`.
  func timesPowerOfTwo(_ power: MathValue) -> MathValue {
    (bits + (power << constants.mantissaBits)).float
  }

  /// 2ʳ for |r| ≤ 1/2; as f64 to 29 bits.
  func powerOfTwoWithinHalf() -> MathValue {
    polynomial(self, isF32 ? Coefficients.powerOfTwo32 : Coefficients.powerOfTwo64)
  }

  /// 2ⁿ⁻², 2⁻ⁿ⁻², cosh(r) - 1 and sinh(r).
  private func hyperbolicParts() -> (up: MathValue, down: MathValue, even: MathValue, odd: MathValue) {
    let c = constants
    let x = magnitude.atMost(isF32 ? 89.5 : 710.5)
    let (shifted, n) = x.splitInteger(scale: c.log2E)
    let k = shifted - x.constant(c.shifter).bits
    let a = fma(n, -c.log2.high, x)
    let r = fma(n, -c.log2.low, a)
    let lost = fma(n, -c.log2.low, a - r)
    let up = ((k + (c.bias - 2)) << c.mantissaBits).float
    let field = (c.bias - 2) - k
    let down = (select(field .< 0, field.constant(0), field) << c.mantissaBits).float
    let t = r * r
    let even = fma(t, polynomial(t, isF32 ? Coefficients.cosh32 : Coefficients.cosh64), r * lost)
    let odd = fma(r * t, polynomial(t, isF32 ? Coefficients.sinh32 : Coefficients.sinh64), lost) + r
    return (up, down, even, odd)
  }

  /// cosh. f32: 2 ulp; f64: 1.6 ulp.
  func hyperbolicCosine() -> MathValue {
    let (up, down, even, odd) = hyperbolicParts()
    let sum = up + down
    let half = fma(sum, even, (up - down) * odd) + sum
    return half + half
  }

  /// sinh. f32: 1.9 ulp; f64: 1.6 ulp.
  func hyperbolicSine() -> MathValue {
    let (up, down, even, odd) = hyperbolicParts()
    let difference = up - down
    let half = fma(difference, even, (up + down) * odd) + difference
    let x = magnitude
    return select(x .< constants.tinyCube, x, half + half).signed(like: self)
  }
}

extension FloatPair {
  /// 2 to this power, which is at most 200 in magnitude: a pair about 1 and the exponent plus 2 bias in the low bits.
  func powerOfTwo() -> (fraction: FloatPair, power: MathValue) {
    let (power, n) = high.splitInteger(scale: 1, offset: 2 * FloatConstants.f32.bias)
    let r = FloatPair(sum: high - n, low)
    return (polynomial(r, Coefficients.powerOfTwo64, pairs: 3), power)
  }
}
