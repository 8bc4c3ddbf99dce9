import IR

enum GammaCoefficients {
  /// sin(π x) / x and cos(π x) in x², for |x| ≤ 1/2.
  static let sinePi: [Double] = [
    0x1.921fb54442d18p1, -0x1.4abbce625bde9p2, 0x1.466bc6775418ap1, -0x1.32d2cce10deb6p-1, 0x1.507830797cdfbp-4,
    -0x1.e3039afde9681p-8, 0x1.e6e2f1daffd8ap-12, -0x1.7122b16b1b3a4p-17, -0x1.2c27ca34d20d9p-15,
    0x1.1cfa0616ce768p-14, -0x1.c2d77ef65045ap-15,
  ]
  static let cosinePi: [Double] = [
    0x1p0, -0x1.3bd3cc9be45dep2, 0x1.03c1f081b5a7fp2, -0x1.55d3c7e3c77a7p0, 0x1.e1f5068465e86p-3,
    -0x1.a6d1efd05fc51p-6, 0x1.f9d17419aec69p-10, -0x1.b5e5aa2c5f704p-14, 0x1.a87e1e0700ab1p-19,
    0x1.b8fd74213206bp-19, -0x1.8526763e1d316p-18, 0x1.1c970393da60bp-18,
  ]
  /// B₂ₖ / (2k (2k - 1)): Stirling's series in 1/z², times 1/z.
  static let stirling: [Double] = [
    0x1.5555555555555p-4, -0x1.6c16c16c16c17p-9, 0x1.a01a01a01a01ap-11, -0x1.3813813813814p-11,
    0x1.b951e2b18ff23p-11, -0x1.f6ab0d9993c7dp-10, 0x1.a41a41a41a41ap-8, -0x1.e4286cb0f5398p-6,
    0x1.6fe96381e068p-3,
  ]
  /// B₂ₖ / 2k: digamma's series in 1/z², times 1/z².
  static let digamma: [Double] = [
    0x1.5555555555555p-4, -0x1.1111111111111p-7, 0x1.041041041041p-8, -0x1.1111111111111p-8, 0x1.f07c1f07c1f08p-8,
    -0x1.5995995995996p-6, 0x1.5555555555555p-4, -0x1.c5e5e5e5e5e5ep-2, 0x1.86e7f9b9fe6e8p1, -0x1.a74ca514ca515p4,
  ]
  /// log Γ(x) / ((x - 1) (x - 2)) in x - 3/2, for 0.85 ≤ x ≤ 2.15, to 32 bits.
  static let aroundZeros: [Double] = [
    0x1.eeb95b0a582e9p-2, -0x1.2aed05afd9cep-3, 0x1.01af5ee4312b2p-4, -0x1.007a902936a14p-5, 0x1.1336504d5d3d8p-6,
    -0x1.34e4525062c98p-7, 0x1.6477d6afb6973p-8, -0x1.a3b175d783cefp-9, 0x1.022e31668d704p-9, -0x1.3eb61d6983c07p-10,
    0x1.24c836a7ee42fp-11, -0x1.3ac2739a5e193p-12, 0x1.08a9c689e701fp-11, -0x1.6ada3ed43cf6p-12,
  ]
  static let halfLogTwoPi = (high: 0x1.d67f1c864beb5p-1, low: -0x1.65b5a1b7ff5dfp-55)
}

private typealias Coefficients = GammaCoefficients

extension MathValue {
  /// log |Γ(x)|. f32: 0.6 ulp; f64: 4 ulp, near its zeros 5e-16.
  ///
  /// Stirling's formula from 8 or 10 on; below, of x + 8 or x + 10, less the logarithm of the product between; for negative
  /// x by reflection.
  func logGamma() -> MathValue {
    let result = needsPairs ? logGammaInPairs() : isF32 ? logGamma32() : logGamma64()
    return select((self .== 1.0) .| (self .== 2.0), 0.0, result)
  }

  private var sineOfPi: MathValue { self * polynomial(self * self, Coefficients.sinePi) }

  private func logGamma32() -> MathValue {
    let x = converted(to: .f64)
    let a = x.magnitude
    let isLow = a .< 8.0
    let outer = (a * (a + 7)) * ((a + 1) * (a + 6))
    let inner = ((a + 2) * (a + 5)) * ((a + 3) * (a + 4))
    let product = select(isLow, outer * inner, 1.0)
    let z = select(isLow, a + 8, a)
    let inverse = 1 / z
    let series = inverse * polynomial(inverse * inverse, Array(Coefficients.stirling.prefix(7)))
    let stirling = fma(z - 0.5, z.logarithmOfNormal(), Coefficients.halfLogTwoPi.high - z) + series
    let rest = a - a.rounded()
    let isNegative = x .< 0.0
    let reflected = (product * Double.pi) / (a * rest.sineOfPi.magnitude)
    let result = stirling - select(isNegative, reflected, product).logarithmOfNormal()
    let signed = select(isNegative, -result, result)
    let finite = select(a .< .infinity, signed, a)
    let isPole = .!(x .> 0.0) .& (rest .== 0.0)
    return select(isPole, Double.infinity, finite).converted(to: .f32)
  }

  private func logGamma64() -> MathValue {
    let a = magnitude
    let isLow = a .< 10.0
    // a (a + 1) … (a + 9) as a sum of two.
    var (product, productLow) = (a, constant(0))
    for i in 1..<10 {
      let (term, termLow) = exactSum(a, constant(i))
      let (high, error) = exactProduct(product, term)
      let low = error + fma(product, termLow, productLow * term)
      product = high + low
      productLow = (high - product) + low
    }
    product = select(isLow, product, 1.0)
    productLow = select(isLow, productLow, 0.0)
    let z = select(isLow, a + 10, a)
    let zLow = select(isLow, a - (z - 10), 0.0)
    let inverse = 1 / z
    let (logHigh, logRest) = z.doubledLogarithm()
    let logLow = fma(zLow, inverse, logRest)
    // (z - 1/2) log z - z + 1/2 log 2π as a sum of two.
    let w = z - 0.5
    let wLow = ((z - w) - 0.5) + zLow
    let (main, mainError) = exactProduct(w, logHigh)
    let mainLow = mainError + fma(w, logLow, wLow * logHigh)
    let (difference, differenceLow) = exactSum(main, -z)
    let (stirling, stirlingLow) = exactSum(difference, constant(Coefficients.halfLogTwoPi.high))
    let series = fma(inverse, polynomial(inverse * inverse, Coefficients.stirling), Coefficients.halfLogTwoPi.low)
    let rest = ((mainLow - zLow) + (differenceLow + stirlingLow)) + series
    // The factor whose logarithm is taken off: the product, for negative numbers π product / (a |sin πa|).
    // Near 0, where only -log a is left, a itself.
    let fraction = a - a.rounded()
    let isTiny = a .< 0x1p-60
    let isReflected = (self .< 0.0) .& .!isTiny
    let reflected = ((product / a) * Double.pi) / fraction.sineOfPi.magnitude
    let factor = select(isTiny, a, select(isReflected, reflected, product))
    let factorLow = select(isReflected, 0.0, productLow / product)
    let (factorLog, factorLogLow) = factor.doubledLogarithm()
    let (value, valueLow) = exactSum(select(isTiny, 0.0, stirling), -factorLog)
    let tail = select(isTiny, 0.0, rest) - (factorLogLow + factorLow)
    let result = value + (valueLow + tail)
    let signed = select(isReflected, -result, result)
    // The product overflows before the result does.
    let large = select(a .< .infinity, a * (logHigh - 1), a)
    let finite = select(a .< 0x1p900, signed, large)
    let isPole = .!(self .> 0.0) .& (fraction .== 0.0)
    let valid = select(isPole .| (self .== -.infinity), Double.infinity, finite)
    return select(isNumber, valid, self)
  }

  /// Digamma, the derivative of log Γ. f32: 0.6 ulp; f64: 4 ulp, or 8e-15.
  ///
  /// The asymptotic series from 8 or 10 on; below, less the sum of 1 / (x + i) between, as one fraction in which 1 / (x + i) is
  /// paired with 1 / (x + 7 - i) or 1 / (x + 9 - i); for negative x by reflection. NaN at the poles.
  func digamma() -> MathValue {
    if needsPairs { return digammaInPairs() }
    let x = converted(to: .f64)
    let isNegative = x .< 0.0
    let b = select(isNegative, 1 - x, x)
    let limit: Double = isF32 ? 8 : 10
    let isLow = b .< limit
    let (numerator, denominator) = isF32 ? b.reciprocalSum8() : b.reciprocalSum10()
    let sum = select(isLow, numerator, 0.0) / select(isLow, denominator, 1.0)
    let z = select(isLow, b + limit, b)
    let inverse = 1 / z
    let square = inverse * inverse
    let terms = isF32 ? Array(Coefficients.digamma.prefix(7)) : Coefficients.digamma
    let series = fma(square, polynomial(square, terms), inverse * 0.5)
    let positive = (z.logarithmOfNormal() - sum) - series
    let rest = x - x.rounded()
    let cotangent = (polynomial(rest * rest, Coefficients.cosinePi) * Double.pi) / rest.sineOfPi
    let value = select(isNegative, positive - cotangent, positive)
    let finite = select(x .< .infinity, value, x)
    let isPole = .!(x .> 0.0) .& (rest .== 0.0)
    return select(isPole .| (x .== -.infinity), Double.nan, finite).converted(to: element)
  }

  private func reciprocalSum8() -> (numerator: MathValue, denominator: MathValue) {
    let w = self * (self + 7)
    let (d1, d2, d3) = (w + 6, w + 10, w + 12)
    let (low, high) = (w * d1, d2 * d3)
    let sum = fma(w + d1, high, (d2 + d3) * low)
    return (fma(self, 2.0, 7.0) * sum, low * high)
  }

  private func reciprocalSum10() -> (numerator: MathValue, denominator: MathValue) {
    let w = self * (self + 9)
    let (d1, d2, d3, d4) = (w + 8, w + 14, w + 18, w + 20)
    let (low, high) = (w * d1, d2 * d3)
    let product = low * high
    let sum = fma(w + d1, high, (d2 + d3) * low)
    return (fma(self, 2.0, 9.0) * fma(sum, d4, product), product * d4)
  }
}
