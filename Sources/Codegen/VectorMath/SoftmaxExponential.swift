import IR

extension KernelBuilder {
  /// exp(x) for numbers that are not positive, as the weights of a sum in which the largest weight is 1.
  ///
  /// The error is below 2⁻²³ of that weight; relative to a small one it grows with |x|, by |x| 2⁻²⁵. From -87.7 down it is
  /// zero.
  mutating func softmaxExponential(_ operand: Register) -> Register {
    guard type(of: operand).element == .f32 else { return apply(.exponential, [operand]) }
    let writer = MathWriter(KernelBuilder(target: target))
    swap(&self, &writer.builder)
    let result = MathValue(register: operand, writer: writer).softmaxExponential().register
    swap(&self, &writer.builder)
    return result
  }
}

extension MathValue {
  /// 2ⁿ 2ʳ with n + bias as an exponent field: for the least n it is 0, and so is the power.
  fileprivate func softmaxExponential() -> MathValue {
    let c = constants
    let x = atLeast(-88)
    let (power, n) = x.splitInteger(scale: c.log2E, offset: c.bias)
    let r = fma(x, c.log2E, -n)
    return r.powerOfTwoWithinHalf() * (power << c.mantissaBits).float
  }
}
