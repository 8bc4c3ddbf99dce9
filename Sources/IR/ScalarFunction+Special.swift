import RealModule

extension ScalarFunction {
  /// `x` raised to `y` as in C's `pow`.
  static func power(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if x.isNaN || y.isNaN { return .nan }
    let isInteger = y.isFinite && y.rounded(.towardZero) == y
    let isOdd = isInteger && y.magnitude < 0x1p53 && y.truncatingRemainder(dividingBy: 2) != 0
    if y.isInfinite {
      if x.magnitude == 1 { return 1 }
      return (x.magnitude > 1) == (y > 0) ? .infinity : 0
    }
    if x < 0 && x.isFinite && !isInteger { return .nan }
    let magnitude: Double
    if x == 0 {
      magnitude = y > 0 ? 0 : .infinity
    } else if x.isInfinite {
      magnitude = y > 0 ? .infinity : 0
    } else {
      magnitude = Double.pow(x.magnitude, y)
    }
    return x.sign == .minus && isOdd ? -magnitude : magnitude
  }

  /// Repeated multiplication, wrapping; a negative exponent gives 0 but for bases 1 and -1.
  static func integerPower(_ x: Int64, _ y: Int64, _ type: ElementType) -> Int64 {
    if type.kind == .signed && y < 0 { return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0 }
    var (base, exponent, product) = (x, UInt64(bitPattern: y), Int64(1))
    while exponent != 0 {
      if exponent & 1 == 1 { product = product &* base }
      base = base &* base
      exponent >>= 1
    }
    return product
  }

  /// The digamma function: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18);
  /// reflection (6.3.7) for negative arguments. NaN at the poles, as in CHLO.
  static func digamma(_ x: Double) -> Double {
    if x.isNaN || x == -.infinity { return .nan }
    if x == .infinity { return x }
    if x <= 0 {
      if x.rounded(.down) == x { return .nan }
      // The cotangent has period 1 in x, and is exact only near 0.
      return digamma(1 - x) - Double.pi / Double.tan(Double.pi * (x - x.rounded()))
    }
    var (shifted, sum) = (x, 0.0)
    while shifted < 10 {
      sum -= 1 / shifted
      shifted += 1
    }
    let inverse = 1 / (shifted * shifted)
    let coefficients: [Double] = [1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12]
    var series = 0.0
    for coefficient in coefficients.reversed() { series = (series + coefficient) * inverse }
    return sum + Double.log(shifted) - 0.5 / shifted - series
  }

  /// The inverse of `erf`: an estimate from `erf`'s tails, then Newton steps with the derivative `2/√π · exp(-y²)`.
  static func inverseErrorFunction(_ x: Double) -> Double {
    if x.isNaN || x.magnitude > 1 { return .nan }
    if x.magnitude == 1 { return x * .infinity }
    if x == 0 { return x }
    let tail = Double.log(onePlus: -x * x)
    let a = 2 / (Double.pi * 0.147) + tail / 2
    var y = (((a * a - tail / 0.147).squareRoot() - a).squareRoot())
    for _ in 0..<4 {
      let error = x.magnitude < 0.5 ? Double.erf(y) - x.magnitude : (1 - x.magnitude) - Double.erfc(y)
      let derivative = 2 / Double.pi.squareRoot() * Double.exp(-y * y)
      if derivative == 0 { break }
      let step = error / derivative
      y -= step / (1 + y * step)
    }
    return x < 0 ? -y : y
  }

  /// `x`, a value of `type`, rounded to a float format with these widths, ties to the even bit pattern
  /// (StableHLO spec, "reduce_precision"). What is below the smallest normal value of fewer exponent bits becomes zero.
  static func reduce(_ x: Double, of type: ElementType, exponentBits: Int, mantissaBits: Int) -> Double {
    if x.isNaN { return x }
    let format = FloatFormat(type)
    let (exponent, mantissa) = type == .f8E8M0FNU ? (8, 0) : (11, 52)
    let (sourceExponent, sourceMantissa) = (format?.exponentBits ?? exponent, format?.mantissaBits ?? mantissa)
    var bits: UInt64 = format.map { UInt64($0.encode(x.magnitude)) } ?? x.magnitude.bitPattern
    if mantissaBits < sourceMantissa {
      let dropped = UInt64(sourceMantissa - mantissaBits)
      let half: UInt64 = 1 << (dropped - 1)
      bits += half - 1 + (bits >> dropped & 1)
      bits &= ~((1 << dropped) - 1)
    }
    var magnitude: Double = format.map { $0.magnitude(ofPattern: UInt32(bits)) } ?? Double(bitPattern: bits)
    if exponentBits < sourceExponent {
      let bias = (1 << (exponentBits - 1)) - 1
      if magnitude >= Double(sign: .plus, exponent: bias + 1, significand: 1) { magnitude = .infinity }
      if magnitude < Double(sign: .plus, exponent: 1 - bias, significand: 1) { magnitude = 0 }
    }
    return x.sign == .minus ? -magnitude : magnitude
  }

  /// The neighbour of `x` in `type` in the direction of `y`.
  static func next(_ x: Double, toward y: Double, in type: ElementType) -> Double {
    if x.isNaN || y.isNaN { return .nan }
    if x == y { return y }
    if type == .f64 { return x < y ? x.nextUp : x.nextDown }
    guard let format = FloatFormat(type) else { return FloatFormat.round(x < y ? x * 2 : x / 2, to: type) }
    if x == 0 { return y > 0 ? format.decode(1) : -format.decode(1) }
    let bits = format.encode(x.magnitude)
    let away = (x < y) == (x > 0)
    let magnitude = format.decode(away ? bits + 1 : bits - 1)
    return x < 0 ? -magnitude : magnitude
  }
}

extension FloatFormat {
  /// The value of a pattern without a sign; one above the largest is too large for the format.
  fileprivate func magnitude(ofPattern bits: UInt32) -> Double { bits > largestFinite ? .infinity : decode(bits) }
}
