extension ScalarFunction {
  /// The function's value over complex numbers.
  func evaluateComplex(_ x: [Scalar], _ result: ElementType) throws(OpError) -> Scalar {
    let (a, b) = (x[0].realValue, x[0].imaginaryValue)
    let (c, d) = x.count > 1 ? (x[1].realValue, x[1].imaginaryValue) : (0, 0)
    func rounded(_ re: Double, _ im: Double) -> Scalar {
      .complex(FloatFormat.round(re, to: result.realPart), FloatFormat.round(im, to: result.realPart))
    }
    switch self {
    case .add: return rounded(a + c, b + d)
    case .subtract: return rounded(a - c, b - d)
    case .multiply: return rounded(a * c - b * d, a * d + b * c)
    case .negate: return .complex(-a, -b)
    default: throw OpError.unsupported("\(mnemonic) of complex numbers")
    }
  }
}
