import IR

private enum Coefficients {
  /// erf(x) / x - 1 in x², for x ≤ 0.876 (f32) and x ≤ 1 (f64).
  static let erf32: [Double] = [
    0x1.06eba6p-3, -0x1.81270ap-2, 0x1.ce21p-4, -0x1.b6f18ep-6, 0x1.49bcd6p-8, -0x1.44fe56p-11,
  ]
  static let erf64: [Double] = [
    0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b2p-4, -0x1.b82ce312849a1p-6, 0x1.565bcd0db0387p-8,
    -0x1.c02db3d8eeb9bp-11, 0x1.f9a321a145ed6p-14, -0x1.f4d1df3bf3ac1p-17, 0x1.b9def1bcbc52p-20,
    -0x1.5f1d37b405936p-23, 0x1.f7a41bd43b2afp-27, -0x1.386addbd1e2eep-30, 0x1.0579f84b8286dp-34,
  ]
  /// log₂(erfc(x)) / x for 0.874 ≤ x ≤ 3.93.
  static let erfTail32: [Double] = [
    -0x1.a0cc5ep0, -0x1.d58d18p-1, -0x1.372962p-3, 0x1.0eea4ep-5, -0x1.30f188p-8, 0x1.459bep-12,
  ]
  /// exp(x²) erfc(x) (x + k) in (x - k) / (x + k), with k = 3 to 28 bits, and with k = 4.
  static let erfc32: [Double] = [
    0x1.12f21de0416fcp0, -0x1.c44c482e497c6p-1, 0x1.2e326782f731dp-1, -0x1.3deacfabdc173p-2, 0x1.e9973486822e2p-4,
    -0x1.b7bd648bd0f0cp-6, -0x1.415732d52435p-10, 0x1.93b5dd068af4fp-9, -0x1.fbe7839873223p-12,
    -0x1.55c9b3467329p-12,
  ]
  static let erfc64: [Double] = [
    0x1.18932bf08e154p0, -0x1.f3fe31ecb49bfp-1, 0x1.8be202d26c707p-1, -0x1.14eacb1ad033dp-1, 0x1.52cac2371009dp-2,
    -0x1.645fd8a4bc00fp-3, 0x1.38dbd2c8e7d0cp-4, -0x1.b00c052c3f291p-6, 0x1.908f471e80b87p-8,
    -0x1.269b5210c4da5p-12, -0x1.dd2841b467d4fp-12, 0x1.72cda73e10f27p-13, -0x1.e7f3d825b4e99p-19,
    -0x1.3c6ed56eface4p-16, 0x1.3b1e81efc83a1p-18, 0x1.7e53de1d52f56p-20, -0x1.c7c53ef30fc4p-21,
    -0x1.4651b4a2f16e7p-24, 0x1.12ec78c88ec8dp-23, 0x1.ee86a5bbd1ac8p-30, -0x1.3f99924646b51p-26,
    -0x1.cb0b984748bfp-31, 0x1.21662b5debc7cp-29, 0x1.ca83fe846b327p-32,
  ]
  /// The derivative of the last, roughly.
  static let erfcSlope64: [Double] = [-1.015, 2.033, -1.743]
  /// erfinv(x) / x in w - center, and in √w - center, where w = -log(1 - x²).
  static let inverseNear32: [Double] = [
    0x1.2287fep0, 0x1.fc137p-3, 0x1.087366p-8, -0x1.35d8dap-9, 0x1.bc986ep-14, 0x1.39f1e8p-15, -0x1.2e6a16p-18,
    -0x1.08d494p-21, 0x1.2d05eap-23, -0x1.2fea5ep-27,
  ]
  static let inverseFar32: [Double] = [
    0x1.6abfcep1, 0x1.006f02p0, 0x1.34c03ap-7, -0x1.f30d82p-8, 0x1.738f3cp-8, -0x1.d60b58p-9, 0x1.84faa8p-10,
    -0x1.0caf64p-14, -0x1.434abep-12, 0x1.f1f628p-14,
  ]
  static let inverseCenters32 = (near: 0x1.07c1bep0, far: 0x1.8020c4p1)
  static let inverseNear64: [Double] = [
    0x1.a755e7c99ae86p0, 0x1.ebd80d9b13df8p-3, -0x1.8b6c33114ed57p-8, -0x1.8457694834704p-11,
    0x1.879c2a20cdadep-13, -0x1.d1d1f7cac92aep-17, -0x1.6e8a53e56304ep-20, 0x1.c6b4f8a5a155ap-22,
    -0x1.f36ce77a0671fp-26, -0x1.1a9eb5523d699p-28, 0x1.20f5003718bap-30, -0x1.dc3e2a508230cp-35,
    -0x1.c89a029da71f6p-37, 0x1.7231fd0ed253dp-39, -0x1.6d114318750acp-44, -0x1.6842ed1a7d87bp-45,
    0x1.d9e77ad55e50dp-48, -0x1.839b086a0b6f5p-55, -0x1.2756e9bad8eedp-53, 0x1.21972ebe6f95bp-56,
    0x1.29eb96f7c2f0ap-60, -0x1.a3249daefdbe1p-62, 0x1.48045b0f6de05p-68, 0x1.f74a6c493def1p-69,
    -0x1.c03adf1aeee66p-74,
  ]
  static let inverseFar64: [Double] = [
    0x1.8abcc380d5a48p1, 0x1.0158a6d641d57p0, 0x1.5ffcfe5b7275bp-8, -0x1.ebadabba1f49fp-9, 0x1.468eeca6bb7ddp-9,
    -0x1.ba9240d19ea53p-10, 0x1.f3cc55400e465p-11, -0x1.7448be46a496ap-12, 0x1.932d4f555b13ep-16,
    0x1.1e6ae8f2a238fp-14, -0x1.8cf05206c464fp-15, 0x1.a23b883d1b544p-17, 0x1.88995a249888fp-19,
    -0x1.0b586b76d9065p-18, 0x1.92a0e85c08f66p-20, -0x1.07e87d521eaap-25, -0x1.24a49faaa7c92p-22,
    0x1.206460288fbf6p-23, 0x1.48ecd5da3fd4fp-30, -0x1.18014ff4c2831p-26,
  ]
  static let inverseFarthest64: [Double] = [
    0x1.3664ddd1ad7fbp2, 0x1.02a30d1fba11p0, -0x1.22ea5df23b071p-13, -0x1.c2f36aa35f896p-13, 0x1.3ebf4f1106908p-14,
    -0x1.4a348f452111cp-16, 0x1.2fbcf03b204cbp-18, -0x1.0a90a634d6603p-20, 0x1.ebeb2e43d5d7cp-23,
    -0x1.221c787d82983p-24, 0x1.f1d9aec8176a3p-26, -0x1.06647dd3618eep-26, 0x1.0eefe4694c4f6p-27,
    -0x1.da5aa5fd98b2cp-29, 0x1.596312c60de73p-30, -0x1.edd3b592f6563p-32, 0x1.b543c7deaa4f1p-34,
    0x1.914e013def04cp-35, -0x1.d47fb7a24dc55p-36,
  ]
}

extension MathValue {
  /// erf. f32: 1.51 ulp; f64: 1.1 ulp.
  func errorFunction() -> MathValue {
    if isF32 && writer.builder.target.hasLookup { return PiecewiseFunction.errorFunction.odd(self) }
    let a = magnitude
    if isF32 {
      let x = a.atMost(3.93)
      let logarithm = x * polynomial(x, Coefficients.erfTail32)
      let (shifted, n) = logarithm.splitInteger(scale: 1)
      let complement = (logarithm - n).powerOfTwoWithinHalf().timesPowerOfTwo(shifted)
      let small = fma(x, polynomial(x * x, Coefficients.erf32), x)
      return select(x .>= 0.875, 1 - complement, small).signed(like: self)
    }
    let large = (1 - a.atMost(6).complementaryErrorFunctionOfPositive()).signed(like: self)
    let small = fma(self, polynomial(self * self, Coefficients.erf64), self)
    return select(a .< 1.0, small, large)
  }

  /// erfc. f32: 0.6 ulp; f64: 3.6 ulp.
  func complementaryErrorFunction() -> MathValue {
    let a = magnitude
    if needsPairs { return complementaryErrorFunctionInPairs() }
    if isF32 {
      let positive = a.converted(to: .f64).atMost(10.1).complementaryErrorFunction32()
      return select(self .< 0.0, 2 - positive, positive).converted(to: .f32)
    }
    let positive = a.atMost(27.3).complementaryErrorFunctionOfPositive()
    let large = select(self .< 0.0, 2 - positive, positive)
    let small = 1 - fma(self, polynomial(self * self, Coefficients.erf64), self)
    return select(a .< 0.5, small, large)
  }

  /// erfc of an f64 that was a positive f32, to 28 bits.
  private func complementaryErrorFunction32() -> MathValue {
    let q = 1 / (self + 3)
    let g = q * polynomial((self - 3) * q, Coefficients.erfc32)
    // The square of an f32 is exact.
    let exponent = (self * self) * -FloatConstants.f64.log2E
    let (shifted, n) = exponent.splitInteger(scale: 1)
    return (g * (exponent - n).powerOfTwoWithinHalf()).timesPowerOfTwo(shifted)
  }

  /// The same in pairs, of an f32 of either sign.
  private func complementaryErrorFunctionInPairs() -> MathValue {
    let a = magnitude.atMost(10.1)
    let q = FloatPair(constant(1.0)) / FloatPair(sum: a, constant(3.0))
    let g = q * polynomial(FloatPair(sum: a, constant(-3.0)) * q, Coefficients.erfc32, pairs: 5)
    let (fraction, power) = (FloatPair(product: a, a) * -FloatConstants.f64.log2E).powerOfTwo()
    let positive = g * fraction
    let large = -positive.scaled(byPowerIn: power) + 2
    return select(self .< 0.0, large.value, positive.value.scaled(byPowerIn: power))
  }

  private func complementaryErrorFunctionOfPositive() -> MathValue {
    let (sum, difference) = (self + 4, self - 4)
    let q = 1 / sum
    let u = difference * q
    let p = polynomial(u, Coefficients.erfc64)
    // What the two sums, q and u lack.
    let sumLow = self - (sum - 4)
    let differenceLow = self - (difference + 4)
    let qLow = (exactFma(-sum, q, constant(1)) - sumLow * q)
    let uLow = (exactFma(-u, sum, difference) + (differenceLow - u * sumLow)) * q
    let correction = fma(p, qLow, polynomial(u, Coefficients.erfcSlope64) * uLow)
    let g = fma(correction, q, p * q)
    let (square, lost) = exactProduct(self, self)
    let (power, r0) = (-square).reducedByLog2(offset: 2 * constants.bias)
    let r = r0 - lost
    let w = fma(r.exponentialTail() * r, r, r)
    return fma(w, g, g).scaled(byPowerIn: power)
  }

  /// The inverse of erf. f32: 2.3 ulp; f64: 2.3 ulp.
  func inverseErrorFunction() -> MathValue {
    let w = -((1 - self) * (self + 1)).logarithmOfNormal()
    let root = w.squareRoot()
    let p: MathValue
    if isF32 {
      let centers = Coefficients.inverseCenters32
      let near = polynomial(w - centers.near, Coefficients.inverseNear32)
      p = select(w .< 5.0, near, polynomial(root - centers.far, Coefficients.inverseFar32))
    } else {
      let near = polynomial(w - 3.125, Coefficients.inverseNear64)
      let far = polynomial(root - 3.25, Coefficients.inverseFar64)
      let farthest = polynomial(root - 5, Coefficients.inverseFarthest64)
      p = select(w .< 6.25, near, select(w .< 16.0, far, farthest))
    }
    let a = magnitude
    let special = select(a .== 1.0, self * .infinity, Double.nan)
    return select(a .< 1.0, p * self, special)
  }
}
