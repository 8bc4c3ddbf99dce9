import IR

private enum Coefficients {
  /// (sin(r) / r - 1) / r² and (cos(r) - 1) / r² in r², |r| ≤ π/4, to 28 and 34 bits.
  static let sine32: [Double] = [
    -0x1.55554581886d9p-3, 0x1.1107569262e33p-7, -0x1.994b4bf5f9e11p-13,
  ]
  static let cosine32: [Double] = [
    -0x1.ffffffd06408ep-2, 0x1.55553dec817d2p-5, -0x1.6c086ff5d0fcp-10, 0x1.9930af19e9cbcp-16,
  ]
  /// (sin(r) / r - 1) / r² and (cos(r) - 1 + r²/2) / r⁴ in r².
  static let sine64: [Double] = [
    -0x1.5555555555549p-3, 0x1.111111110f892p-7, -0x1.a01a019c12242p-13, 0x1.71de3576cb788p-19,
    -0x1.ae5e64b6c3a18p-26, 0x1.5d926266a70a3p-33,
  ]
  static let cosine64: [Double] = [
    0x1.555555555554cp-5, -0x1.6c16c16c1521p-10, 0x1.a01a019cbcdd2p-16, -0x1.27e4f8104b5c1p-22,
    0x1.1ee9ef583dcffp-29, -0x1.8fb0050368d5p-37,
  ]
  /// 2/π for |x| below 2²⁸, 2⁶¹, 2⁹⁴ and 2¹²⁸: without the bits whose product with x is a multiple of 4, cut into
  /// pieces of 29 bits (whose product with an f32 is exact in f64) and a rest.
  static let twoOverPi: [[Double]] = [
    [
      0x1.45f306dp-1, 0x1.7cc1b7p-7, 0x1.c882a53p-37, 0x1.09d5f47p-70,
    ],
    [
      0x1.9391054p-30, 0x1.391054ap-34, 0x1.f09d5f4p-66, 0x1.a9a6eep-99,
    ],
    [
      0x1.4fe13abp-59, 0x1.fc2757cp-64, 0x1.f534ddcp-96, 0x1.b6c52b2p-129,
    ],
    [
      0x1.d1f534ddc0db6p-88, 0x1.1f534ddc0db63p-92, 0x1.b6c52b3278872p-129, 0x1.278872083fca3p-157,
    ],
  ]
  /// π/2 as a sum of three.
  static let halfPi: [Double] = [0x1.921fb54442d18p0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110]
}

/// An argument less its nearest multiple of π/2.
private struct ReducedAngle {
  var rest: MathValue
  /// What `rest` lacks; nil where `rest` has bits to spare.
  var low: MathValue?
  /// The multiple, in the low bits.
  var quadrant: MathValue

  var isOdd: MathValue { (quadrant .& 1) .!= 0 }

  func sineAndCosine() -> (sine: MathValue, cosine: MathValue) {
    let r = rest
    let t = r * r
    guard let low else {
      let sine = fma(r * t, polynomial(t, Coefficients.sine32), r)
      let cosine = fma(t, polynomial(t, Coefficients.cosine32), 1.0)
      return (sine, cosine)
    }
    let sine = fma(r * t, polynomial(t, Coefficients.sine64), fma(low * t, -0.5, low)) + r
    let w = fma(t, -0.5, 1.0)
    let lost = fma(t, -0.5, 1 - w)
    let cosine = w + fma(t * t, polynomial(t, Coefficients.cosine64), fma(-r, low, lost))
    return (sine, cosine)
  }

  /// The value with its sign flipped in the quadrants 2 and 3, counted from `offset`.
  func signed(_ value: MathValue, offset: Int = 0) -> MathValue {
    let sign = (offset == 0 ? quadrant : quadrant + offset) << 62
    return value.signFlipped(by: sign.float)
  }
}

extension MathValue {
  /// f32: exact for every finite argument, in f64. f64: exact below 2⁵⁰; what is larger counts as 0.
  private func reducedAngle() -> ReducedAngle {
    isF32 ? reducedAngle32() : reducedAngle64()
  }

  private func reducedAngle32() -> ReducedAngle {
    let x = converted(to: .f64)
    let a = x.magnitude
    let limits = [a .< 0x1p28, a .< 0x1p61, a .< 0x1p94]
    let products = Coefficients.twoOverPi.map { pieces in
      let first = select(limits[0], x.constant(pieces[0]), pieces[1])
      let second = select(limits[1], first, pieces[2])
      return x * select(limits[2], second, pieces[3])
    }
    let modulo4 = products[0...1].map { fma(($0 * 0.25).rounded(), -4.0, $0) }
    let shifted = (modulo4[0] + (modulo4[1] + products[2])) + 0x1.8p52
    let n = shifted - 0x1.8p52
    let quarters = ((modulo4[0] - n) + modulo4[1]) + (products[2] + products[3])
    return ReducedAngle(rest: quarters * Coefficients.halfPi[0], low: nil, quadrant: shifted.bits)
  }

  private func reducedAngle64() -> ReducedAngle {
    let halfPi = Coefficients.halfPi
    let x = select(magnitude .< 0x1p50, self, self * 0.0)
    let (shifted, n) = x.splitInteger(scale: 0x1.45f306dc9c883p-1)
    let a = exactFma(n, n.constant(-halfPi[0]), x)
    let (second, error) = exactProduct(n, halfPi[1])
    let (difference, lost) = exactSum(a, -second)
    let low = (lost - error) - n * halfPi[2]
    let rest = difference + low
    return ReducedAngle(rest: rest, low: (difference - rest) + low, quadrant: shifted)
  }

  /// The sine. f32: 0.57 ulp for every argument; f64: 0.8 ulp below 2⁵⁰.
  func sine() -> MathValue {
    let angle = reducedAngle()
    let (sine, cosine) = angle.sineAndCosine()
    let result = angle.signed(select(angle.isOdd, cosine, sine)).converted(to: element)
    return select(self .== 0.0, self, result)
  }

  /// The cosine. f32: 0.57 ulp for every argument; f64: 0.8 ulp below 2⁵⁰.
  func cosine() -> MathValue {
    let angle = reducedAngle()
    let (sine, cosine) = angle.sineAndCosine()
    return angle.signed(select(angle.isOdd, sine, cosine), offset: 1).converted(to: element)
  }

  /// The tangent. f32: 0.57 ulp for every argument; f64: 2 ulp below 2⁵⁰.
  func tangent() -> MathValue {
    let angle = reducedAngle()
    let (sine, cosine) = angle.sineAndCosine()
    let isOdd = angle.isOdd
    let ratio = select(isOdd, -cosine, sine) / select(isOdd, sine, cosine)
    return select(self .== 0.0, self, ratio.converted(to: element))
  }
}
