import IR

extension MathValue {
  /// `self` to the power `y`, with the special values of C's `pow`. f32: 0.6 ulp; f64: 1.2 ulp.
  func power(_ y: MathValue) -> MathValue {
    let x = magnitude
    let result = select(isNumber, x.powerOfPositive(y), self)
    let isInteger = y.roundedDown() .== y
    let half = y * 0.5
    let isOdd = isInteger .& (half.roundedDown() .!= half)
    let unit = select((x .== 1.0) .& y.isNumber, 1.0, result)
    let sign = select(isOdd, self, x)
    let signed = unit.signFlipped(by: sign)
    let isNegative = (self .< 0.0) .& (self .> -.infinity)
    let valid = select(isNegative .& .!isInteger, Double.nan, signed)
    return select((self .== 1.0) .| (y .== 0.0), 1.0, valid)
  }

  /// The same for an exponent that is known, by products and square roots; nil where these would be more, or less exact.
  ///
  /// f32 in f64, where nothing overflows and what is lost does not matter. f64: the root alone.
  func power(_ exponent: Double) -> MathValue? {
    let quarters = exponent.magnitude * 4
    guard quarters == quarters.rounded(), (1...24).contains(quarters), !needsPairs, isF32 || exponent == 0.5 else {
      return nil
    }
    let (whole, rest) = Int(quarters).quotientAndRemainder(dividingBy: 4)
    // Numbers to a fraction have no sign: -0 is 0 then, and the infinities are one.
    let base = rest == 0 ? self : select(self .== -.infinity, Double.infinity, self) + 0.0
    let x = isF32 ? base.converted(to: .f64) : base
    var factors = [MathValue](repeating: x, count: whole)
    if rest > 0 {
      let root = x.squareRoot()
      if rest != 2 { factors.append(root.squareRoot()) }
      if rest != 1 { factors.append(root) }
    }
    let product = factors.dropFirst().reduce(factors[0], *)
    let result = exponent < 0 ? 1 / product : product
    return isF32 ? result.converted(to: .f32) : result
  }

  private func powerOfPositive(_ y: MathValue) -> MathValue {
    needsPairs ? powerInPairs(y) : isF32 ? power32(y) : power64(y)
  }

  /// 2 to the power y log₂ x, in f64.
  private func power32(_ y: MathValue) -> MathValue {
    let x = converted(to: .f64)
    let logarithm = select(x .> 0.0, x.roughBinaryLogarithm(), -Double.infinity)
    let exponent = y.converted(to: .f64) * select(x .< .infinity, logarithm, x)
    let c = exponent.atMost(200).atLeast(-200)
    let (shifted, n) = c.splitInteger(scale: 1)
    let result = (c - n).powerOfTwoWithinHalf().timesPowerOfTwo(shifted)
    return select(exponent.isNumber, result, Double.nan).converted(to: .f32)
  }

  /// The same in pairs.
  private func powerInPairs(_ y: MathValue) -> MathValue {
    let isDenormal = self .< constants.leastNormal
    let scaled = FloatPair(select(isDenormal, self * 0x1p24, self)).roughBinaryLogarithm()
    let logarithm = scaled + select(isDenormal, constant(-24), 0.0)
    let finite = select(self .> 0.0, logarithm.high, -Double.infinity)
    let product = FloatPair(product: select(self .< .infinity, finite, self), y)
    let isFar = .!(product.high.magnitude .< 200.0)
    let low = select(isFar, 0.0, fma(logarithm.low, y, product.low))
    let exponent = FloatPair(high: product.high.atMost(200).atLeast(-200), low: low)
    let (fraction, power) = exponent.powerOfTwo()
    return select(product.high.isNumber, fraction.value.scaled(byPowerIn: power), Double.nan)
  }

  private func power64(_ y: MathValue) -> MathValue {
    let (high, low) = doubledLogarithm()
    let positive = select(self .> 0.0, high, -Double.infinity)
    let logarithm = select(self .< .infinity, positive, self)
    let (product, error) = exactProduct(y, logarithm)
    let rest = select(product.magnitude .< 1000.0, fma(y, low, error), 0.0)
    return product.atMost(720).atLeast(-760).doubledExponential(low: rest)
  }

  /// The cube root. f32: 0.8 ulp; f64: 0.6 ulp.
  ///
  /// A third of the bits estimates x^(-1/3) to 4%; each iteration cubes the error; the last step is Newton's for the root itself.
  func cubeRoot() -> MathValue {
    let a = magnitude
    let isDenormal = a .< 4 * constants.leastNormal
    let x = select(isDenormal, a * (isF32 ? 0x1p24 : 0x1p54), a)
    var r = x.reciprocalCubeRootEstimate()
    for _ in 0..<(isF32 ? 2 : 3) {
      let error = fma(-(x * r), r * r, 1.0)
      r = fma(r * error, fma(error, 2.0 / 9, 1.0 / 3), r)
    }
    let y = x * (r * r)
    let (square, lost) = exactProduct(y, y)
    // Half of what y³ lacks, so that nothing overflows.
    let halfY = y * 0.5
    let halfRest = fma(-lost, halfY, exactFma(-square, halfY, x * 0.5))
    let root = fma(halfRest, (r * r) * (2.0 / 3), y)
    let unscaled = select(isDenormal, root * (isF32 ? 0x1p-8 : 0x1p-18), root)
    let isRegular = (a .< .infinity) .& (a .> 0.0)
    return select(isRegular, unscaled, a).signed(like: self)
  }

  /// A constant minus a third of the upper bits, computed as a float.
  private func reciprocalCubeRootEstimate() -> MathValue {
    if isF32 {
      let upper = (bits.shiftedRightLogically(8) .| 0x4b00_0000).float - 0x1p23
      return (fma(upper, -1.0 / 3, 0x1p23 + 0x54_a21d).bits << 8).float
    }
    let upper = (bits.shiftedRightLogically(32) .| 0x4330_0000_0000_0000).float - 0x1p52
    return (fma(upper, -1.0 / 3, 0x1p52 + 0x553f_0000).bits << 32).float
  }
}
