import IR

private typealias Coefficients = GammaCoefficients

/// log Γ and its derivative of f32 on targets without f64.
extension FloatPair {
  /// sin(π x) for |x| ≤ 1/2.
  fileprivate var sineOfPi: FloatPair {
    self * polynomial(self * self, Coefficients.sinePi, pairs: 4)
  }

  /// cos(π x) for |x| ≤ 1/2.
  fileprivate var cosineOfPi: FloatPair {
    polynomial(self * self, Coefficients.cosinePi, pairs: 5)
  }

  /// The differences from x (x + 7) of (x + 1) (x + 6), (x + 2) (x + 5) and (x + 3) (x + 4).
  private static let pairOffsets: [Double] = [6, 10, 12]

  /// x (x + 1) … (x + 7) as four factors.
  fileprivate var risingFactors: [FloatPair] {
    let first = self * (self + 7)
    return [first] + Self.pairOffsets.map { first + $0 }
  }
}

extension MathValue {
  /// Below this magnitude Γ(x) is 1 / x.
  private var isTinyForGamma: MathValue { magnitude .< 0x1p-30 }

  /// log |Γ(x)|: the formula of `logGamma32`; around 1 and 2, where it is zero, a polynomial.
  func logGammaInPairs() -> MathValue {
    let a = magnitude
    let isNegative = self .< 0.0
    let isTiny = isTinyForGamma
    let x = FloatPair(a)
    let isLow = a .< 8.0
    let one = FloatPair(constant(1.0))
    let factors = x.risingFactors
    let product = select(isLow, (factors[0] * factors[1]) * (factors[2] * factors[3]), one)
    let fraction = a - a.rounded()
    let reflected = (product * Double.pi) / (x * FloatPair(fraction.magnitude).sineOfPi)
    let factor = select(isNegative, reflected, product)
    // Of tiny numbers -log a; of those near the largest, a part of the result, which may overflow.
    let factorLog = select(isTiny, FloatPair(a * 0x1p64), factor).roughLogarithm()
    let part = select(a .> 0x1p100, constant(0x1p-16), 1.0)
    let stirling = select(isLow, x + 8, x).stirling(part: part)
    let base = select(isTiny, FloatPair(64 * 0x1.62e42fefa39efp-1, like: a), stirling)
    let result = (base - factorLog).value * (1 / part)
    let general = select(isNegative .& .!isTiny, -result, result)
    let isCenter = (self - 1.5).magnitude .< 0.65
    let finite = select(a .< .infinity, select(isCenter, logGammaAroundZeros(), general), a)
    let isPole = .!(self .> 0.0) .& (fraction .== 0.0)
    return select(isPole, Double.infinity, finite)
  }

  /// (x - 1) (x - 2) times a polynomial.
  private func logGammaAroundZeros() -> MathValue {
    let zeros = FloatPair(sum: self, constant(-2.0)) * (self - 1)
    return (zeros * polynomial(FloatPair(self - 1.5), Coefficients.aroundZeros, pairs: 3)).value
  }

  /// The derivative of log Γ: the formula of `digamma`.
  func digammaInPairs() -> MathValue {
    let isNegative = self .< 0.0
    let b = select(isNegative, FloatPair(sum: constant(1.0), -self), FloatPair(self))
    let isLow = b.high .< 8.0
    let (zero, one) = (FloatPair(constant(0.0)), FloatPair(constant(1.0)))
    let factors = b.risingFactors
    let (low, high) = (factors[0] * factors[1], factors[2] * factors[3])
    let numerator = (b * 2.0 + 7) * ((factors[0] + factors[1]) * high + (factors[2] + factors[3]) * low)
    let sum = select(isLow, numerator, zero) / select(isLow, low * high, one)
    let z = select(isLow, b + 8, b)
    // Of larger numbers the logarithm is all.
    let inverse = one / FloatPair(high: z.high.atMost(0x1p100), low: z.low)
    let square = inverse * inverse
    let series = square * polynomial(square, Array(Coefficients.digamma.prefix(7)), pairs: 1) + inverse * 0.5
    let positive = (z.roughLogarithm() - sum) - series
    let fraction = self - rounded()
    let rest = FloatPair(fraction)
    let cotangent = (rest.cosineOfPi * Double.pi) / rest.sineOfPi
    let general = select(isNegative, positive - cotangent, positive).value
    let value = select(isTinyForGamma, -1 / self, general)
    let finite = select(self .< .infinity, value, self)
    let isPole = .!(self .> 0.0) .& (fraction .== 0.0)
    return select(isPole .| (self .== -.infinity), Double.nan, finite)
  }
}

extension FloatPair {
  /// Stirling's formula for log Γ of this number, from 8 on, times a power of two.
  fileprivate func stirling(part: MathValue) -> FloatPair {
    let scaled = scaled(by: part)
    // Where the part is small, the series is nothing.
    let inverse = FloatPair(high.constant(1.0)) / scaled
    let series = inverse * polynomial(inverse * inverse, Array(Coefficients.stirling.prefix(7)), pairs: 1)
    let halfLogTwoPi = FloatPair(Coefficients.halfLogTwoPi.high, like: high)
    return ((scaled - 0.5) * roughLogarithm() + (halfLogTwoPi - scaled)) + series
  }
}
