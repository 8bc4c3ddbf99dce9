import GraphBuilding
import IR

extension Operator {
  /// Numbers rounded to the steps that a quantized model would have.
  static let quantization: [Operator] = [
    Operator(
      "FakeQuantWithMinMaxArgs",
      one: { (n) throws(OpError) in
        let limits = (try n.float("min", default: -6), try n.float("max", default: 6))
        return try rounded(&n, n.scalar(limits.0, .f32), n.scalar(limits.1, .f32))
      }),
    Operator(
      "FakeQuantWithMinMaxVars",
      one: { (n) throws(OpError) in
        try rounded(&n, n.reshape(try n.input(1), []), n.reshape(try n.input(2), []))
      }),
    Operator(
      "FakeQuantWithMinMaxVarsPerChannel",
      one: { (n) throws(OpError) in
        try rounded(&n, try n.input(1), try n.input(2))
      }),
  ]

  /// The nearest of the steps between limits, which are moved so that zero is a step.
  private static func rounded(_ n: inout Lowering, _ least: Value, _ greatest: Value) throws(OpError) -> Value {
    let x = try n.input(0)
    let (low, high, scale) = try quantizedRange(&n, least, greatest)
    let clamped = try n.map(.minimum, n.map(.maximum, x, low), high)
    let steps = try n.map(.floor, n.add(n.multiply(n.subtract(clamped, low), n.divide(1, scale)), 0.5))
    // Without a range there is nothing but zero.
    let isEmpty = try n.map(.and, n.compare(.equal, least, 0), n.compare(.equal, greatest, 0))
    return try n.select(isEmpty, n.scalar(0, x.element), n.add(n.multiply(steps, scale), low))
  }

  /// The first and the last step between limits, and how far steps are apart.
  static func quantizedRange(
    _ n: inout Lowering, _ least: Value, _ greatest: Value
  ) throws(OpError) -> (low: Value, high: Value, scale: Value) {
    let bits = try n.int("num_bits", default: 8)
    guard (2...16).contains(bits) else { throw OpError("attribute 'num_bits' is \(bits)") }
    let first = Double(try n.flag("narrow_range") ? 1 : 0)
    let last = Double(1 << bits - 1)
    let scale = try n.divide(n.subtract(greatest, least), last - first)
    let place = try n.subtract(first, n.divide(least, scale))
    let zero = try n.minimum(n.maximum(n.map(.roundNearestAwayFromZero, place), first), last)
    let low = try n.multiply(n.subtract(first, zero), scale)
    let high = try n.multiply(n.subtract(last, zero), scale)
    return (low, high, scale)
  }
}
