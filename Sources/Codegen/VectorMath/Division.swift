import IR

extension KernelBuilder {
  /// The lanes of `dividend` over one number, by multiplications; nil where division is as good.
  ///
  /// What depends on the divisor alone is written as scalars, which leave the loops that they are written in.
  mutating func quotient(_ dividend: Register, by divisor: Register) -> Register? {
    let type = type(of: divisor)
    guard usesReciprocals || constantValue(of: divisor) != nil, target.hasMultiplyAdd, type.lanes == 1,
      lanes(of: dividend) > 1,
      type.element == .f32 || type.element == .f64
    else { return nil }
    let reciprocal = formula([divisor]) { x in x[0].reciprocal().registers }
    let low = apply(.multiply, [dividend, reciprocal[1]])
    return apply(.multiply, [multiplyAdd(dividend, reciprocal[0], low), reciprocal[2]])
  }
}

/// `(high + low) * scale`, to twice the precision.
private struct Reciprocal {
  let high: MathValue
  let low: MathValue
  let scale: MathValue

  var registers: [Register] { [high.register, low.register, scale.register] }
}

extension MathValue {
  /// 1 / this: `fma(x, high, x * low) * scale` is x / this, for infinities, zeros and NaN too.
  ///
  /// The scale keeps `high` normal. It is a little less than the nearest number, so that `low` has its sign and is not zero:
  /// an infinity times either is the same infinity.
  fileprivate func reciprocal() -> Reciprocal {
    let (large, small, below) = isF32 ? (0x1p64, 0x1p-64, 0x1.fffffep-1) : (0x1p512, 0x1p-512, 0x1.fffffffffffffp-1)
    let a = magnitude
    let scale = select(a .> large, constant(small), select(a .< small, constant(large), 1.0))
    let divisor = self * scale
    let nearest = 1 / divisor
    let high = nearest * below
    let low = fma(-high, divisor, 1.0) * nearest
    // Infinite or zero, it is the whole reciprocal.
    return Reciprocal(high: high, low: select(low.isNumber, low, nearest), scale: scale)
  }
}
