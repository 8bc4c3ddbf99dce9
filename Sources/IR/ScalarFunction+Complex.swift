import RealModule

extension ScalarFunction {
  /// The function's value over complex numbers, computed in f64 and rounded once.
  func evaluateComplex(_ x: [Scalar], _ result: ElementType) throws(OpError) -> Scalar {
    let z = ComplexNumber(x[0])
    if case .abs = self { return .real(FloatFormat.round(z.magnitude, to: result)) }
    let value = x.count > 1 ? complexValue(z, ComplexNumber(x[1])) : complexValue(z)
    guard let value else { throw OpError("\(mnemonic) is not defined for complex numbers") }
    return value.scalar(result)
  }

  private func complexValue(_ z: ComplexNumber) -> ComplexNumber? {
    switch self {
    case .negate: -z
    case .sign: Self.complexSign(z)
    case .exponential: z.exponential
    case .exponentialMinusOne: z.exponentialMinusOne
    case .log: z.logarithm
    case .logPlusOne: z.logarithmOfOnePlus
    case .squareRoot: z.squareRoot
    case .reciprocalSquareRoot: Self.complexReciprocalSquareRoot(z)
    case .cbrt: z == .zero ? z : ComplexNumber.polar(Double.root(z.magnitude, 3), z.logarithm.im / 3)
    case .logistic: ComplexNumber.one / (ComplexNumber.one + (-z).exponential)
    case .sine: z.sine
    case .cosine: z.cosine
    case .tangent: z.tangent
    case .hyperbolicTangent: z.hyperbolicTangent
    case .hyperbolicSine: z.hyperbolicSine
    case .hyperbolicCosine: z.hyperbolicCosine
    case .arcSine: z.arcSine
    case .arcCosine: z.arcCosine
    case .arcTangent: z.arcTangent
    case .hyperbolicArcSine: z.hyperbolicArcSine
    case .hyperbolicArcCosine: z.hyperbolicArcCosine
    case .hyperbolicArcTangent: z.hyperbolicArcTangent
    default: nil
    }
  }

  private func complexValue(_ z: ComplexNumber, _ w: ComplexNumber) -> ComplexNumber? {
    switch self {
    case .add: z + w
    case .subtract: z - w
    case .multiply: z * w
    case .divide: z / w
    case .power: z.power(w)
    case .arcTangent2: Self.complexArcTangent2(z, w)
    case .maximum: z.isNaN ? z : (w.isNaN || Self.precedes(z, w) ? w : z)
    case .minimum: z.isNaN ? z : (w.isNaN || Self.precedes(w, z) ? w : z)
    default: nil
    }
  }

  /// The number divided by its absolute value; zero stays, and a NaN part makes both NaN.
  private static func complexSign(_ z: ComplexNumber) -> ComplexNumber {
    if z.isNaN { return ComplexNumber(.nan, .nan) }
    if z == .zero { return z }
    let magnitude = z.magnitude
    return ComplexNumber(z.re / magnitude, z.im / magnitude)
  }

  private static func complexReciprocalSquareRoot(_ z: ComplexNumber) -> ComplexNumber {
    if z == .zero { return ComplexNumber(.infinity, .nan) }
    if !z.isNaN && !z.isFinite { return ComplexNumber(0, z.im.sign == .minus ? 0.0 : -0.0) }
    return ComplexNumber.one / z.squareRoot
  }

  /// `-i log((x + iy) / sqrt(x² + y²))`.
  private static func complexArcTangent2(_ y: ComplexNumber, _ x: ComplexNumber) -> ComplexNumber {
    if x.im == 0, y.im == 0 { return ComplexNumber(Double.atan2(y: y.re, x: x.re), 0) }
    let quotient = (x + y.rotated) / (x * x + y * y).squareRoot
    return quotient.logarithm.rotatedBack
  }

  /// Lexicographic order of the parts.
  private static func precedes(_ a: ComplexNumber, _ b: ComplexNumber) -> Bool {
    a.re < b.re || (a.re == b.re && a.im < b.im)
  }
}
