import IR

/// The numbers that formulas for f32 and f64 differ in.
struct FloatConstants {
  let mantissaBits: Int
  /// The exponent field of 1.
  let bias: Int
  /// 1.5 times 2 to the mantissa's width: adding it leaves an integer in the low bits.
  let shifter: Double
  let leastNormal: Double
  /// What brings denormals into the normal range, as a power of two.
  let denormalShift: Int
  let log2E: Double
  /// log 2 as a sum of two numbers of the type; the product of the first with any exponent is exact.
  let log2: (high: Double, low: Double)
  let pi: (high: Double, low: Double)
  /// The low end of a mantissa's range in logarithms, as an integer: 2/3 for f32, √½ for f64.
  let mantissaFloor: Int
  /// Below this, x + O(x²) is x.
  let tinySquare: Double
  /// Below this, x + O(x³) is x.
  let tinyCube: Double

  static let f32 = FloatConstants(
    mantissaBits: 23, bias: 127, shifter: 0x1.8p23, leastNormal: 0x1p-126, denormalShift: 23,
    log2E: 0x1.715476p0, log2: (0x1.62e4p-1, 0x1.7f7d1cp-20), pi: (0x1.921fb6p1, -0x1.777a5cp-24),
    mantissaFloor: 0x3f2a_aaab, tinySquare: 0x1p-25, tinyCube: 0x1p-13)

  static let f64 = FloatConstants(
    mantissaBits: 52, bias: 1023, shifter: 0x1.8p52, leastNormal: 0x1p-1022, denormalShift: 52,
    log2E: 0x1.71547652b82fep0, log2: (0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45),
    pi: (0x1.921fb54442d18p1, 0x1.1a62633145c07p-53), mantissaFloor: 0x3fe6_a09e_667f_3bcd,
    tinySquare: 0x1p-54, tinyCube: 0x1p-28)
}

extension MathValue {
  var isF32: Bool { element == .f32 }

  /// Whether the formula needs more bits than f32 has, and f64 is not there.
  var needsPairs: Bool { isF32 && !writer.builder.target.hasF64 }

  var constants: FloatConstants { isF32 ? .f32 : .f64 }

  /// An integer of this width as a float; exact within the mantissa's width.
  func exactFloat(_ c: FloatConstants) -> MathValue {
    let shifterBits: Int = c.mantissaBits == 23 ? 0x4b40_0000 : 0x4338_0000_0000_0000
    return (self + shifterBits).float - c.shifter
  }

  /// The nearest integer, with `offset` added, in the low bits of the first; the integer itself as the second.
  func splitInteger(scale: Double, offset: Int = 0) -> (bits: MathValue, value: MathValue) {
    let shifter = constants.shifter + Double(offset)
    let shifted = fma(self, scale, shifter)
    return (shifted.bits, shifted - shifter)
  }
}
