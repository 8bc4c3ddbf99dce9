/// A number as a sum of two f32, `low` at most about a unit in the last place of `high`: some 46 bits.
///
/// What formulas for f32 compute in where a few more bits are needed and the target has no f64.
struct FloatPair {
  var high: MathValue
  var low: MathValue

  init(high: MathValue, low: MathValue) {
    self.high = high
    self.low = low
  }

  init(_ value: MathValue) { self.init(high: value, low: value.constant(0.0)) }

  /// A number rounded to a pair.
  init(_ number: Double, like value: MathValue) {
    let high = Double(Float(number))
    self.init(high: value.constant(high), low: value.constant(number - high))
  }

  /// The sum of any two numbers; exact.
  init(sum a: MathValue, _ b: MathValue) {
    let (sum, error) = exactSum(a, b)
    self.init(high: sum, low: error)
  }

  /// The product of two numbers; exact.
  init(product a: MathValue, _ b: MathValue) {
    let (product, error) = exactProduct(a, b)
    self.init(high: product, low: error)
  }

  /// The sum of a number and a much smaller one, or of two of about the same size of which the first is larger.
  init(normalizing high: MathValue, _ low: MathValue) {
    let sum = high + low
    self.init(high: sum, low: low - (sum - high))
  }

  /// The f32 nearest to the sum.
  var value: MathValue { high + low }

  static prefix func - (a: FloatPair) -> FloatPair { FloatPair(high: -a.high, low: -a.low) }

  static func + (a: FloatPair, b: FloatPair) -> FloatPair {
    let sum = FloatPair(sum: a.high, b.high)
    return FloatPair(normalizing: sum.high, sum.low + (a.low + b.low))
  }

  static func + (a: FloatPair, b: MathValue) -> FloatPair {
    let sum = FloatPair(sum: a.high, b)
    return FloatPair(normalizing: sum.high, sum.low + a.low)
  }

  static func - (a: FloatPair, b: FloatPair) -> FloatPair { a + -b }

  static func * (a: FloatPair, b: FloatPair) -> FloatPair {
    let product = FloatPair(product: a.high, b.high)
    return FloatPair(normalizing: product.high, fma(a.high, b.low, fma(a.low, b.high, product.low)))
  }

  static func * (a: FloatPair, b: MathValue) -> FloatPair {
    let product = FloatPair(product: a.high, b)
    return FloatPair(normalizing: product.high, fma(a.low, b, product.low))
  }

  /// The quotient; one division, of which a few bits may be wrong.
  static func / (a: FloatPair, b: FloatPair) -> FloatPair {
    let inverse = 1 / b.high
    let quotient = a.high * inverse
    let rest = exactFma(-quotient, b.high, a.high) + fma(-quotient, b.low, a.low)
    return FloatPair(normalizing: quotient, rest * inverse)
  }

  static func + (a: FloatPair, b: Double) -> FloatPair {
    let number = FloatPair(b, like: a.high)
    return Double(Float(b)) == b ? a + number.high : a + number
  }

  static func - (a: FloatPair, b: Double) -> FloatPair { a + -b }
  static func * (a: FloatPair, b: Double) -> FloatPair { a * FloatPair(b, like: a.high) }

  /// This pair times a power of two.
  func scaled(by power: MathValue) -> FloatPair { FloatPair(high: high * power, low: low * power) }

  /// This pair times 2ⁿ for any n of f32's exponents; `power` holds n + 2 bias.
  func scaled(byPowerIn power: MathValue) -> FloatPair {
    FloatPair(high: high.scaled(byPowerIn: power), low: low.scaled(byPowerIn: power))
  }
}

/// `a` in the lanes where the condition holds, else `b`.
func select(_ condition: MathValue, _ a: FloatPair, _ b: FloatPair) -> FloatPair {
  FloatPair(high: select(condition, a.high, b.high), low: select(condition, a.low, b.low))
}

/// The polynomial with these coefficients, lowest power first, the lowest `pairs` of them added in pairs; those above add
/// so little that f32 has bits enough for them.
func polynomial(_ x: FloatPair, _ coefficients: [Double], pairs: Int) -> FloatPair {
  let tail = polynomial(x.high, Array(coefficients.dropFirst(pairs)))
  var sum = x * tail + coefficients[pairs - 1]
  for coefficient in coefficients.prefix(pairs - 1).reversed() { sum = sum * x + coefficient }
  return sum
}
