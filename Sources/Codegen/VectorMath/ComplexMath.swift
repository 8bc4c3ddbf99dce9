import IR

extension KernelBuilder {
  /// A function of complex numbers by functions of their parts; nil where the function is a primitive.
  ///
  /// The textbook formulas: values near the limits of the range may overflow where the exact result does not.
  mutating func expandComplex(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    let z = parts(operands[0])
    switch function {
    case .exponential: return complexExponential(z)
    case .exponentialMinusOne: return minusOne(complexExponential(z))
    case .log: return complexLogarithm(z)
    case .logPlusOne: return complexLogarithm((apply(.add, [z.re, one(z.re)]), z.im))
    case .sine: return complex(
      apply(.multiply, [apply(.sine, [z.re]), apply(.hyperbolicCosine, [z.im])]),
      apply(.multiply, [apply(.cosine, [z.re]), apply(.hyperbolicSine, [z.im])]))
    case .cosine: return complex(
      apply(.multiply, [apply(.cosine, [z.re]), apply(.hyperbolicCosine, [z.im])]),
      apply(.negate, [apply(.multiply, [apply(.sine, [z.re]), apply(.hyperbolicSine, [z.im])])]))
    case .tangent: return apply(.divide, [apply(.sine, [operands[0]]), apply(.cosine, [operands[0]])])
    case .hyperbolicTangent: return complexHyperbolicTangent(z)
    case .logistic:
      let power = complexExponential((apply(.negate, [z.re]), apply(.negate, [z.im])))
      let p = parts(power)
      let denominator = complex(apply(.add, [p.re, one(p.re)]), p.im)
      return apply(.divide, [complex(one(z.re), zero(z.re)), denominator])
    case .squareRoot: return complexSquareRoot(z)
    case .reciprocalSquareRoot:
      return apply(.divide, [complex(one(z.re), zero(z.re)), complexSquareRoot(z)])
    case .sign: return complexSign(operands[0], z)
    case .power:
      let exponent = apply(.multiply, [operands[1], complexLogarithm(z)])
      let power = complexExponential(parts(exponent))
      let w = parts(operands[1])
      let isZero = apply(.and, [isZero(w.re), isZero(w.im)])
      return apply(.select, [isZero, complex(one(z.re), zero(z.re)), power])
    default: return nil
    }
  }

  private typealias Parts = (re: Register, im: Register)

  private mutating func parts(_ z: Register) -> Parts { (apply(.real, [z]), apply(.imaginary, [z])) }

  private mutating func complex(_ re: Register, _ im: Register) -> Register { apply(.complex, [re, im]) }

  private mutating func filled(_ value: Double, _ like: Register) -> Register {
    constant(value, type(of: like).element, lanes: lanes(of: like))
  }
  private mutating func one(_ like: Register) -> Register { filled(1, like) }
  private mutating func zero(_ like: Register) -> Register { filled(0, like) }

  private mutating func isZero(_ x: Register) -> Register {
    apply(.compare(.equal, .float), [x, zero(x)])
  }

  private mutating func minusOne(_ z: Register) -> Register {
    let p = parts(z)
    return complex(apply(.subtract, [p.re, one(p.re)]), p.im)
  }

  /// `exp(x) (cos y + i sin y)`; a zero imaginary part stays zero.
  private mutating func complexExponential(_ z: Parts) -> Register {
    let scale = apply(.exponential, [z.re])
    let im = apply(.multiply, [scale, apply(.sine, [z.im])])
    return complex(
      apply(.multiply, [scale, apply(.cosine, [z.im])]), apply(.select, [isZero(z.im), z.im, im]))
  }

  /// `log |z| + i arg z`.
  private mutating func complexLogarithm(_ z: Parts) -> Register {
    let magnitude = apply(.abs, [complex(z.re, z.im)])
    return complex(apply(.log, [magnitude]), apply(.arcTangent2, [z.im, z.re]))
  }

  /// `tanh(x + iy) = (sinh 2x + i sin 2y) / (cosh 2x + cos 2y)`, with x kept where it makes no difference.
  private mutating func complexHyperbolicTangent(_ z: Parts) -> Register {
    let limit = filled(type(of: z.re).element == .f64 ? 20 : 10, z.re)
    let x = apply(.minimum, [apply(.maximum, [z.re, apply(.negate, [limit])]), limit])
    let (x2, y2) = (apply(.add, [x, x]), apply(.add, [z.im, z.im]))
    let denominator = apply(.add, [apply(.hyperbolicCosine, [x2]), apply(.cosine, [y2])])
    return complex(
      apply(.divide, [apply(.hyperbolicSine, [x2]), denominator]),
      apply(.divide, [apply(.sine, [y2]), denominator]))
  }

  /// The root with a real part that is not negative: `sqrt((|z| + |x|) / 2)` and `y` over twice that, in the order that
  /// the sign of x asks for.
  private mutating func complexSquareRoot(_ z: Parts) -> Register {
    let magnitude = apply(.abs, [complex(z.re, z.im)])
    let half = filled(0.5, z.re)
    let size = apply(.abs, [z.re])
    let root = apply(.squareRoot, [apply(.multiply, [apply(.add, [magnitude, size]), half])])
    let other = apply(.divide, [apply(.multiply, [z.im, half]), root])
    let isRight = apply(.compare(.greaterOrEqual, .float), [z.re, zero(z.re)])
    let isNegative = apply(.compare(.less, .float), [z.im, zero(z.im)])
    let signed = apply(.select, [isNegative, apply(.negate, [root]), root])
    let value = complex(
      apply(.select, [isRight, root, apply(.abs, [other])]), apply(.select, [isRight, other, signed]))
    return apply(.select, [isZero(magnitude), complex(zero(z.re), z.im), value])
  }

  private mutating func complexSign(_ z: Register, _ p: Parts) -> Register {
    let magnitude = apply(.abs, [z])
    let unit = complex(apply(.divide, [p.re, magnitude]), apply(.divide, [p.im, magnitude]))
    return apply(.select, [isZero(magnitude), z, unit])
  }
}

extension ScalarFunction {
  /// Whether kernels can compute the function for complex operands.
  var hasComplexKernel: Bool {
    switch self {
    case .exponential, .exponentialMinusOne, .log, .logPlusOne, .sine, .cosine, .tangent, .hyperbolicTangent,
      .logistic, .squareRoot, .reciprocalSquareRoot, .sign, .power, .abs, .real, .imaginary, .negate, .add, .subtract,
      .multiply, .divide, .select, .convert, .bitcast, .complex:
      true
    case .compare(let direction, _): direction == .equal || direction == .notEqual
    default: false
    }
  }
}
