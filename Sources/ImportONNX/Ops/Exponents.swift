import GraphBuilding
import IR

/// Which of the two powers of two around a number it becomes.
enum ExponentRounding: String { case up, down, nearest }

extension Lowering {
  /// The power of two next to each number, as f8E8M0FNU, which has nothing but an exponent: neither a sign nor zero.
  ///
  /// Numbers below the least one become that, zero too, and what is above the greatest one becomes that, infinity too; NaN and
  /// what is below zero are NaN. Without `saturates`, zero and what is too great are NaN. The bits are those of an f64's exponent,
  /// one more where the fraction is rounded up.
  mutating func castToExponent(_ x: Value, _ saturates: Bool, _ rounding: ExponentRounding) throws(OpError) -> Value {
    guard !x.element.isComplex else { throw .unsupported("a cast from \(x.element) to f8E8M0FNU") }
    let number = try convert(x, .f64)
    let bits = try map(.bitcast(.i64), map(.abs, number))
    let fraction = try map(.and, bits, scalar(.integer((1 << 52) - 1), .i64))
    var exponent = try subtract(map(.shiftRightLogical, bits, scalar(52, .i64)), 1023 - 127)
    switch rounding {
    case .up: exponent = try add(exponent, convert(compare(.greater, fraction, 0), .i64))
    case .nearest: exponent = try add(exponent, convert(compare(.greaterOrEqual, fraction, 0x1p51), .i64))
    case .down: break
    }
    let limited = try map(.minimum, maximum(exponent, 0), scalar(saturates ? 254 : 255, .i64))
    var isNone = try map(.or, compare(.notEqual, number, number), compare(.less, number, 0))
    if !saturates { isNone = try map(.or, isNone, compare(.equal, number, 0)) }
    return try map(.bitcast(.f8E8M0FNU), convert(select(isNone, scalar(255, .i64), limited), .ui8))
  }
}
