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
  /// The bits of 2/π after fourteen zeros.
  static let twoOverPiWords: [UInt64] = [
    0x0002_8be6_0db9_3910, 0x54a7_f09d_5f47_d4d3, 0x7703_6d8a_5664_f10e,
    0x4107_f945_8eaf_7aef, 0x1586_dc91_b8e9_0937, 0x4b80_1924_bba8_2746,
    0x4873_f877_ac72_c4a6, 0x9cfb_a208_d7d4_baed, 0x1213_a671_c09a_d17d,
    0xf904_e647_58e6_0d4c, 0xe7d2_7211_7e2e_f7e4, 0xa0ec_7fe2_5fff_7816,
    0x603f_bcbc_462d_6829, 0xb47d_b4d9_fb3c_9f2c, 0x26dd_3d18_fd9a_797f,
    0xa8b5_d49e_eb1f_af97, 0xc5ec_f41c_e7de_294a, 0x4ba9_afed_7ec4_7e35,
    0x7421_580c_c11b_f1ed,
  ]
  /// π/2 as a sum of two; the product of the first with 20 bits is exact.
  static let halfPi32: [Double] = [0x1.921fb544p0, 0x1.0b4611a626331p-34]
  /// The coefficients of `sine64` and `cosine64` for f32 without f64.
  static let sine24: [Double] = [-0x1.555556p-3, 0x1.11117p-7, -0x1.a053ap-13, 0x1.7a5cep-19]
  static let cosine24: [Double] = [0x1.555548p-5, -0x1.6c0aeap-10, 0x1.998c2p-16]
  /// The bits of 2/π after eight zeros: two words of 32 each, the second of which is the next one's first.
  static let twoOverPiPairs: [Int] = [
    0x00a2_f983_6e4e_4415, 0x6e4e_4415_29fc_2757, 0x29fc_2757_d1f5_34dd, 0xd1f5_34dd_c0db_6295,
    0xc0db_6295_993c_4390, 0x993c_4390_41fe_5163,
  ].map { (pair: UInt64) in Int(bitPattern: UInt(pair)) }
  /// π/2 as a sum of three f32.
  static let halfPi24: [Double] = [0x1.921fb6p0, -0x1.777a5cp-25, -0x1.ee59dap-50]
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
    if rest.isF32 {
      let pairs = sineAndCosineInPairs()
      return (pairs.sine.value, pairs.cosine.value)
    }
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

  /// Of an f32, to some 29 bits.
  func sineAndCosineInPairs() -> (sine: FloatPair, cosine: FloatPair) {
    let r = rest
    let low = low ?? r.constant(0.0)
    let (t, tError) = exactProduct(r, r)
    let first = r.constant(Coefficients.sine24[0])
    let (square, squareError) = exactProduct(t, first)
    let tail = fma(t * t, polynomial(t, Array(Coefficients.sine24.dropFirst())), fma(tError, first, squareError))
    let (cube, cubeError) = exactProduct(r, square)
    let sum = FloatPair(normalizing: r, cube)
    let sine = FloatPair(
      normalizing: sum.high, sum.low + fma(r, tail, cubeError + fma(low * t, -0.5, low)))
    let w = fma(t, -0.5, 1.0)
    let lost = fma(tError, -0.5, fma(t, -0.5, 1 - w))
    let cosine = FloatPair(
      normalizing: w, fma(t * t, polynomial(t, Coefficients.cosine24), fma(-r, low, lost)))
    return (sine, cosine)
  }

  func tangent() -> MathValue {
    let (sine, cosine) = sineAndCosine()
    let isOdd = isOdd
    return select(isOdd, -cosine, sine) / select(isOdd, sine, cosine)
  }

  func tangentInPairs() -> MathValue {
    let (sine, cosine) = sineAndCosineInPairs()
    return (select(isOdd, -cosine, sine) / select(isOdd, sine, cosine)).value
  }

  /// The value with its sign flipped in the quadrants 2 and 3, counted from `offset`.
  func signed(_ value: MathValue, offset: Int = 0) -> MathValue {
    let sign = (offset == 0 ? quadrant : quadrant + offset) << (value.element.bitWidth - 2)
    return value.signFlipped(by: sign.float)
  }
}

extension MathValue {
  /// Exact for every finite argument. Large ones, which are rare, take a way of their own, where there are any.
  private func reducedAngle() -> ReducedAngle {
    isF32 && !needsPairs ? converted(to: .f64).reducedAngle32() : reducedAngleInParts()
  }

  /// Of an f64 that was an f32.
  private func reducedAngle32() -> ReducedAngle {
    let halfPi = Coefficients.halfPi32
    let (shifted, n) = splitInteger(scale: 0x1.45f306dc9c883p-1)
    let rest = fma(n, -halfPi[1], fma(n, -halfPi[0], self))
    let isLarge = .!(magnitude .< 0x1p19)
    let angle = Self.replacing([rest, shifted], whereAny: isLarge) { _ in largeAngle32() }
    return ReducedAngle(rest: angle[0], low: nil, quadrant: angle[1])
  }

  /// The rest and the quadrant of an f64 that was an f32 of any size.
  private func largeAngle32() -> [MathValue] {
    let a = magnitude
    let limits = [a .< 0x1p28, a .< 0x1p61, a .< 0x1p94]
    let products = Coefficients.twoOverPi.map { pieces in
      let first = select(limits[0], constant(pieces[0]), pieces[1])
      let second = select(limits[1], first, pieces[2])
      return self * select(limits[2], second, pieces[3])
    }
    let modulo4 = products[0...1].map { fma(($0 * 0.25).rounded(), -4.0, $0) }
    let shifted = (modulo4[0] + (modulo4[1] + products[2])) + 0x1.8p52
    let n = shifted - 0x1.8p52
    let quarters = ((modulo4[0] - n) + modulo4[1]) + (products[2] + products[3])
    return [quarters * Coefficients.halfPi[0], shifted.bits]
  }

  private func reducedAngleInParts() -> ReducedAngle {
    let halfPi = isF32 ? Coefficients.halfPi24 : Coefficients.halfPi
    let (shifted, n) = splitInteger(scale: 0x1.45f306dc9c883p-1)
    // Exact: the difference has no more bits than the type.
    let a = exactFma(n, n.constant(-halfPi[0]), self)
    let (second, error) = exactProduct(n, halfPi[1])
    let (difference, lost) = exactSum(a, -second)
    let low = (lost - error) - n * halfPi[2]
    let rest = difference + low
    let isLarge = .!(magnitude .< (isF32 ? 0x1p17 : 0x1p40))
    let angle = Self.replacing([rest, (difference - rest) + low, shifted], whereAny: isLarge) { values in
      zip(isF32 ? largeAngle24() : largeAngle64(), values).map { select(isLarge, $0, $1) }
    }
    return ReducedAngle(rest: angle[0], low: angle[1], quadrant: angle[2])
  }

  /// The rest, what it lacks, and the quadrant of an f64 from 2⁴⁰ on: with |x| = 2^q m, m an integer, the 192 bits of 2/π whose
  /// product with x is less than 4 and at least 2⁻¹⁹⁰ m, times m in pieces of 32 bits.
  private func largeAngle64() -> [MathValue] {
    let exponent = magnitude.bits.shiftedRightLogically(52)
    let m = (bits .& 0x000f_ffff_ffff_ffff) .| 0x0010_0000_0000_0000
    let position = exponent - 1063
    // The four words that start at the position's, each bit of the word's number halving the choice.
    var words = Coefficients.twoOverPiWords.map { m.constant(Int(truncatingIfNeeded: $0)) }
    for (bit, count) in [(3, 11), (2, 7), (1, 5), (0, 4)] {
      let isSet = ((position >> (6 + bit)) .& 1) .!= 0
      words = (0..<count).map { select(isSet, words[$0 + 1 << bit], words[$0]) }
    }
    let shift = position .& 63
    let rest = 63 - shift
    let window = (0..<3).map { k in
      words[k].apply(.shiftLeft, shift) .| words[k + 1].shiftedRightLogically(1).apply(.shiftRightLogical, rest)
    }
    // m = 2²⁷ upper + lower; the product's pieces from the lowest on.
    let (upper, lower) = (m >> 27, m .& 0x7ff_ffff)
    let next = [window[1], window[2], m.constant(0)]
    let shiftedWindow = zip(window, next).map { ($0 << 27) .| $1.shiftedRightLogically(37) }
    var pieces: [MathValue] = []
    var carry = m.constant(0)
    for k in (0..<3).reversed() {
      for isUpper in [false, true] {
        let (a, b) = (window[k].half(isUpper), shiftedWindow[k].half(isUpper))
        let sum = (lower * a + upper * b) + carry
        pieces.append(sum.half(false))
        carry = sum.half(true)
      }
    }
    let quadrant = (pieces[5] + 0x2000_0000).shiftedRightLogically(30)
    let first = (pieces[5] - (quadrant << 30)).exactFloat(.f64) * 0x1p-30
    let second = pieces[4].exactFloat(.f64) * 0x1p-62
    let third = pieces[3].exactFloat(.f64) * 0x1p-94
    let sum = first + second
    let tail = (second - (sum - first)) + fma(pieces[2].exactFloat(.f64), 0x1p-126, third)
    let quarters = sum + tail
    let quartersLow = tail - (quarters - sum)
    let (angle, error) = exactProduct(quarters, Coefficients.halfPi[0])
    let low = error + fma(quarters, Coefficients.halfPi[1], quartersLow * Coefficients.halfPi[0])
    let signed = select(self .< 0.0, 0 - quadrant, quadrant)
    // Infinities and NaN have no angle.
    let valid = angle + (self - self)
    return [valid.signFlipped(by: self), low.signFlipped(by: self), signed]
  }

  /// The rest, what it lacks, and the quadrant of an f32 from 2¹⁷ on, without f64: with |x| = 2^q m, m an integer, the 96
  /// bits of 2/π whose product with x is less than 4 and at least 2⁻⁹⁴ m, times m.
  private func largeAngle24() -> [MathValue] {
    let position = magnitude.bits.shiftedRightLogically(23) - 144
    let m = ((bits .& 0x7f_ffff) .| 0x80_0000).converted(to: .i64)
    var words = Coefficients.twoOverPiPairs.map { m.constant($0) }
    for (bit, count) in [(1, 4), (0, 3)] {
      let isSet = ((position >> (5 + bit)) .& 1) .!= 0
      words = (0..<count).map { select(isSet, words[$0 + 1 << bit], words[$0]) }
    }
    let shift = (position .& 31).converted(to: .i64)
    let products = words.map { m * $0.apply(.shiftLeft, shift).half(true) }
    // In units of 2⁻⁶² of a quarter turn.
    let turns = ((products[0] << 32) + products[1]) + products[2].half(true)
    let quadrant = (turns + (1 << 61)).shiftedRightLogically(62)
    let fraction = turns - (quadrant << 62)
    let high = fraction.converted(to: .f32)
    let low = (fraction - high.converted(to: .i64)).converted(to: .f32)
    let angle = FloatPair(high: high, low: low) * (Double.pi * 0x1p-63)
    let count = quadrant.converted(to: .i32)
    let signed = select(self .< 0.0, 0 - count, count)
    // Infinities and NaN have no angle.
    let valid = angle.high + (self - self)
    return [valid.signFlipped(by: self), angle.low.signFlipped(by: self), signed]
  }

  /// The upper or the lower 32 bits of an i64.
  private func half(_ isUpper: Bool) -> MathValue {
    isUpper ? shiftedRightLogically(32) : self .& 0xffff_ffff
  }

  /// The sine. f32: 0.6 ulp; f64: 0.8 ulp.
  func sine() -> MathValue {
    let angle = reducedAngle()
    let (sine, cosine) = angle.sineAndCosine()
    let result = angle.signed(select(angle.isOdd, cosine, sine)).converted(to: element)
    return select(self .== 0.0, self, result)
  }

  /// The cosine. f32: 0.6 ulp; f64: 0.8 ulp.
  func cosine() -> MathValue {
    let angle = reducedAngle()
    let (sine, cosine) = angle.sineAndCosine()
    return angle.signed(select(angle.isOdd, sine, cosine), offset: 1).converted(to: element)
  }

  /// The tangent. f32: 0.6 ulp; f64: 2.1 ulp.
  func tangent() -> MathValue {
    let angle = reducedAngle()
    let ratio = needsPairs ? angle.tangentInPairs() : angle.tangent()
    return select(self .== 0.0, self, ratio.converted(to: element))
  }
}
