import IR

extension MathValue {
  /// What division by `y` with a truncated quotient leaves, as C's `fmod`. Exact.
  func remainder(dividingBy y: MathValue) -> MathValue {
    let (a, b) = (magnitude, y.magnitude)
    let result = isF32 && !needsPairs ? a.remainder32(b) : a.remainderByMantissas(b)
    let finite = select(b .== .infinity, self, result.signed(like: self))
    let isValid = (a .< .infinity) .& y.isNumber .& (y .!= y.constant(0))
    return select(isValid, finite, Double.nan)
  }

  /// The quotient rounded, where it is small; else, which is rare, in f64, 52 bits of it at a time: it has at most 277.
  private func remainder32(_ y: MathValue) -> MathValue {
    let quotient = self * (1 / y)
    let rest = exactFma(-quotient.rounded(), y, self)
    // Below, less than a half is lost in the quotient, also where division is not exact, and the rest is exact. The reciprocal of
    // the largest divisors is denormal.
    let isLong = .!(quotient .< 0x1p20) .| (y .> 0x1p125)
    return Self.replacing([rest], whereAny: isLong) { _ in [restInSteps(y)] }[0].wrapped(y)
  }

  private func restInSteps(_ y: MathValue) -> MathValue {
    let divisor = y.converted(to: .f64)
    let reciprocal = 1 / divisor
    var rest = converted(to: .f64)
    for step in (0..<6).reversed() {
      let scale = Double(sign: .plus, exponent: 52 * step, significand: 1)
      let quotient = (rest * (reciprocal * (1 / scale))).rounded()
      rest = exactFma(-quotient, divisor * scale, rest)
    }
    return rest.converted(to: .f32)
  }

  /// This number, between -2y and 2y, brought between 0 and y.
  private func wrapped(_ y: MathValue) -> MathValue {
    let once = select(self .< 0.0, self + y, self)
    let twice = select(once .< 0.0, once + y, once)
    return select(twice .>= y, twice - y, twice)
  }

  /// Both as 2ᵉ m with m in [1, 2); 50 or 20 bits of the quotient at a time, until the exponents are equal; mostly once.
  private func remainderByMantissas(_ y: MathValue) -> MathValue {
    let c = constants
    let (stepBits, stepCount) = isF32 ? (20, 14) : (50, 42)
    let (exponent, mantissa) = exponentAndMantissa()
    let (divisorExponent, divisor) = y.exponentAndMantissa()
    let reciprocal = 1 / divisor
    let difference = exponent - divisorExponent
    let isSmaller = difference .< 0
    let left = select(isSmaller, difference.constant(0), difference)
    let start = exactFma(-(mantissa * reciprocal).rounded(), divisor, mantissa)
    func reduced(_ values: [MathValue]) -> [MathValue] {
      let (rest, left) = (values[0], values[1])
      let limit = left.constant(stepBits)
      let step = select(left .> limit, limit, left)
      let scaled = rest * ((step + c.bias) << c.mantissaBits).float
      return [exactFma(-(scaled * reciprocal).rounded(), divisor, scaled), left - step]
    }
    let once = reduced([start, left])
    let rest = Self.replacing(once, whereAny: once[1] .> 0) { values in
      (1..<stepCount).reduce(values) { values, _ in reduced(values) }
    }[0]
    let half = divisorExponent >> 1
    let first = ((half + (c.bias + 1) / 2) << c.mantissaBits).float
    let second = (((divisorExponent - half) + c.bias / 2) << c.mantissaBits).float
    return select(isSmaller, self, (rest.wrapped(divisor) * first) * second)
  }

  /// A positive number's biased exponent, as if denormals had one, and its mantissa.
  private func exponentAndMantissa() -> (exponent: MathValue, mantissa: MathValue) {
    let c = constants
    let shift = c.mantissaBits + 2
    let isDenormal = self .< c.leastNormal
    let scaled = select(isDenormal, self * Double(sign: .plus, exponent: shift, significand: 1), self).bits
    let field = scaled.shiftedRightLogically(c.mantissaBits)
    let mantissa = (scaled .& (1 << c.mantissaBits - 1)) .| (c.bias << c.mantissaBits)
    return (select(isDenormal, field - shift, field), mantissa.float)
  }

  /// The neighbour in the direction of `y`, as C's `nextafter`; of any float type. Exact.
  func next(toward y: MathValue) -> MathValue {
    let zero = constant(0.0)
    let one = bits.constant(1)
    let goesAway = (self .< y) .== (self .> zero)
    let neighbour = (bits + select(goesAway, one, bits.constant(-1))).float(as: element)
    let least = ((y.bits .& element.signBit) .| one).float(as: element)
    let moved = select(self .== zero, least, neighbour)
    let result = select(self .== y, y, moved)
    return select(isNumber .& y.isNumber, result, Double.nan)
  }
}
