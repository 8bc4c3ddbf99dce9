import IR

/// Functions of complex numbers by functions of their parts; the formulas are those of `evaluate`.
extension KernelBuilder {
  private typealias Parts = (re: Register, im: Register)

  /// The function by simpler ones; nil where it is a primitive.
  ///
  /// The parts are f64, so that those of complex64 neither overflow nor lose places on the way; where there is no f64 they
  /// are f32, and in pairs what would lose many.
  mutating func expandComplex(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    let part = type(of: operands[0]).element.realPart
    if part == .f32, !target.hasF64, let result = expandInPairs(function, operands) { return result }
    guard function.isComplexFormula else { return nil }
    let z = wideParts(operands[0])
    let w = operands.count > 1 ? wideParts(operands[1]) : z
    guard let result = value(function, z, w) else { return nil }
    return apply(.complex, [convert(result.re, to: part), convert(result.im, to: part)])
  }

  private mutating func wideParts(_ z: Register) -> Parts {
    let parts = (re: apply(.real, [z]), im: apply(.imaginary, [z]))
    return target.hasF64 ? (convert(parts.re, to: .f64), convert(parts.im, to: .f64)) : parts
  }

  /// What are primitives where there is f64.
  private mutating func expandInPairs(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    func parts() -> [Register] { operands.flatMap { [apply(.real, [$0]), apply(.imaginary, [$0])] } }
    switch function {
    case .abs: return formula(parts()) { x in MathValue.magnitude(x[0], x[1]) }
    case .divide:
      let quotient = formula(parts()) { x -> [Register] in
        let quotient = MathValue.quotient(x[0], x[1], over: x[2], x[3])
        return [quotient.re.register, quotient.im.register]
      }
      return apply(.complex, quotient)
    default: return nil
    }
  }

  private func isF32(_ z: Parts) -> Bool { type(of: z.re).element == .f32 }

  private mutating func value(_ function: ScalarFunction, _ z: Parts, _ w: Parts) -> Parts? {
    switch function {
    case .exponential: return exponential(z)
    case .exponentialMinusOne: return exponentialMinusOne(z)
    case .log: return logarithm(z)
    case .logPlusOne: return logarithmOfOnePlus(z)
    case .squareRoot: return squareRoot(z)
    case .reciprocalSquareRoot:
      // Zero has no inverse with a direction: its real part is infinite, its imaginary part NaN.
      let result = inverse(squareRoot(z))
      let isZero = apply(
        .and,
        [
          apply(.compare(.equal, .float), [z.re, filled(0, z.re)]),
          apply(.compare(.equal, .float), [z.im, filled(0, z.im)]),
        ])
      return (apply(.select, [isZero, filled(.infinity, z.re), result.re]), result.im)
    case .logistic:
      let power = exponential(negated(z))
      let result = inverse((apply(.add, [filled(1, power.re), power.re]), power.im))
      // Far out it is exp(z), whose inverse is out of range.
      return chosen(compare(z.re, .less, filled(-60, z.re)), exponential(z), result)
    case .sine:
      let turned = hyperbolicSine((apply(.negate, [z.im]), z.re))
      return (turned.im, apply(.negate, [turned.re]))
    case .cosine: return hyperbolicCosine((apply(.negate, [z.im]), z.re))
    case .tangent:
      let turned = hyperbolicTangent((apply(.negate, [z.im]), z.re))
      return (turned.im, apply(.negate, [turned.re]))
    case .hyperbolicSine: return hyperbolicSine(z)
    case .hyperbolicCosine: return hyperbolicCosine(z)
    case .hyperbolicTangent: return hyperbolicTangent(z)
    case .sign: return sign(z)
    case .power: return power(z, w)
    case .maximum: return larger(z, w, .less)
    case .minimum: return larger(z, w, .greater)
    default: return nil
    }
  }

  // MARK: Building

  private mutating func filled(_ value: Double, _ like: Register) -> Register {
    constant(value, type(of: like).element, lanes: lanes(of: like))
  }

  private mutating func negated(_ z: Parts) -> Parts {
    (apply(.negate, [z.re]), apply(.negate, [z.im]))
  }

  private mutating func compare(_ a: Register, _ direction: ComparisonDirection, _ b: Register) -> Register {
    apply(.compare(direction, .float), [a, b])
  }

  private mutating func isZero(_ a: Register) -> Register { compare(a, .equal, filled(0, a)) }

  private mutating func chosen(_ condition: Register, _ a: Parts, _ b: Parts) -> Parts {
    (apply(.select, [condition, a.re, b.re]), apply(.select, [condition, a.im, b.im]))
  }

  private mutating func product(_ a: Register, _ b: Register) -> Register { apply(.multiply, [a, b]) }

  private mutating func scaled(_ a: Register, _ factor: Double) -> Register {
    product(a, filled(factor, a))
  }

  private mutating func square(_ a: Register) -> Register { product(a, a) }

  /// The magnitude of `a` with the sign of `b`; zeros have signs, so that the quotient of one tells.
  private mutating func signed(_ a: Register, like b: Register) -> Register {
    let inverse = apply(.divide, [filled(1, b), b])
    let isNegative = apply(.or, [compare(b, .less, filled(0, b)), compare(inverse, .less, filled(0, b))])
    return apply(.select, [isNegative, apply(.negate, [a]), a])
  }

  /// The absolute value, of complex numbers whose squares overflow too.
  private mutating func magnitude(_ z: Parts) -> Register {
    apply(.abs, [apply(.complex, [z.re, z.im])])
  }

  // MARK: Functions

  /// `factor * (cos(angle) + i sin(angle))`; an angle of zero stays zero beside an infinite factor, and a factor of
  /// zero beside an angle that is not finite.
  private mutating func polar(_ factor: Register, _ angle: Register) -> Parts {
    let im = product(factor, apply(.sine, [angle]))
    let re = product(factor, apply(.cosine, [angle]))
    let isFinite = apply(.isFinite, [angle])
    let isNothing = apply(.and, [isZero(factor), apply(.not, [isFinite])])
    let zero = filled(0, factor)
    let plain = chosen(isNothing, (zero, zero), (re, im))
    return chosen(isZero(angle), (factor, angle), plain)
  }

  private mutating func exponential(_ z: Parts) -> Parts {
    // Half the exponent twice: a small cosine keeps the product in range.
    let half = apply(.exponential, [scaled(z.re, 0.5)])
    let turned = polar(half, z.im)
    let full = apply(.exponential, [z.re])
    let isAxis = isZero(z.im)
    let re = apply(.select, [isAxis, full, product(half, turned.re)])
    return (re, apply(.select, [isAxis, z.im, product(half, turned.im)]))
  }

  private mutating func exponentialMinusOne(_ z: Parts) -> Parts {
    let growth = apply(.exponentialMinusOne, [z.re])
    let half = apply(.sine, [scaled(z.im, 0.5)])
    let re = apply(.subtract, [product(growth, apply(.cosine, [z.im])), scaled(square(half), 2)])
    let isAxis = isZero(z.im)
    let power = exponential(z)
    // Far out 1 adds nothing, and the exponential alone may be out of range where the product is not.
    let near = isF32(z) ? apply(.select, [compare(z.re, .greater, filled(60, z.re)), power.re, re]) : re
    return (apply(.select, [isAxis, growth, near]), power.im)
  }

  private mutating func logarithm(_ z: Parts) -> Parts {
    let (x, y) = (apply(.abs, [z.re]), apply(.abs, [z.im]))
    let large = apply(.maximum, [x, y])
    let small = apply(.minimum, [x, y])
    let one = filled(1, large)
    // log(1 + (large - 1)(large + 1) + small²) / 2, where the absolute value is near one.
    let above = product(apply(.subtract, [large, one]), apply(.add, [large, one]))
    let excess =
      isF32(z)
      ? formula([large, small]) { x in MathValue.squareLessOne(x[0], x[1]) } : apply(.add, [above, square(small)])
    let near = apply(.logPlusOne, [excess])
    let ratio = apply(.divide, [small, large])
    let far = apply(.add, [apply(.log, [large]), scaled(apply(.logPlusOne, [square(ratio)]), 0.5)])
    let isNear = apply(
      .and, [compare(large, .greater, filled(0.5, large)), compare(large, .less, filled(2, large))])
    let isPlain = apply(.and, [apply(.isFinite, [large]), compare(large, .greater, filled(0, large))])
    let size = apply(.log, [magnitude(z)])
    let re = apply(.select, [isPlain, apply(.select, [isNear, scaled(near, 0.5), far]), size])
    return (re, apply(.arcTangent2, [z.im, z.re]))
  }

  private mutating func logarithmOfOnePlus(_ z: Parts) -> Parts {
    let one = filled(1, z.re)
    let shifted = (re: apply(.add, [one, z.re]), im: z.im)
    let plain = logarithm(shifted)
    let two = filled(2, z.re)
    let excess = apply(.add, [product(z.re, apply(.add, [two, z.re])), square(z.im)])
    let near = scaled(apply(.logPlusOne, [excess]), 0.5)
    let isSmall = compare(magnitude(z), .less, filled(0.5, z.re))
    return (apply(.select, [isSmall, near, plain.re]), plain.im)
  }

  private mutating func squareRoot(_ z: Parts) -> Parts {
    let size = magnitude(z)
    let x = apply(.abs, [z.re])
    let root = apply(.squareRoot, [apply(.add, [scaled(size, 0.5), scaled(x, 0.5)])])
    let other = apply(.divide, [scaled(apply(.abs, [z.im]), 0.5), root])
    let isRight = compare(z.re, .greaterOrEqual, filled(0, z.re))
    let right = (re: root, im: signed(other, like: z.im))
    let left = (re: other, im: signed(root, like: z.im))
    let zero = (re: filled(0, z.re), im: z.im)
    let plain = chosen(isRight, right, left)
    let isOrigin = isZero(size)
    let isInfinite = compare(apply(.abs, [z.im]), .equal, filled(.infinity, z.im))
    let infinite = (re: filled(.infinity, z.re), im: z.im)
    return chosen(isOrigin, zero, chosen(isInfinite, infinite, plain))
  }

  private mutating func inverse(_ z: Parts) -> Parts {
    let one = apply(.complex, [filled(1, z.re), filled(0, z.re)])
    let quotient = apply(.divide, [one, apply(.complex, [z.re, z.im])])
    return (apply(.real, [quotient]), apply(.imaginary, [quotient]))
  }

  private mutating func hyperbolicSine(_ z: Parts) -> Parts {
    let sine = apply(.hyperbolicSine, [z.re])
    let re = product(sine, apply(.cosine, [z.im]))
    let im = product(apply(.hyperbolicCosine, [z.re]), apply(.sine, [z.im]))
    let plain = isF32(z) ? grown(z, (re, im)) { b, far in (b.signed(far.re, like: z.re), far.im) } : (re, im)
    return chosen(isZero(z.im), (sine, z.im), plain)
  }

  private mutating func hyperbolicCosine(_ z: Parts) -> Parts {
    let cosine = apply(.hyperbolicCosine, [z.re])
    let re = product(cosine, apply(.cosine, [z.im]))
    let im = product(apply(.hyperbolicSine, [z.re]), apply(.sine, [z.im]))
    let plain = isF32(z) ? grown(z, (re, im)) { b, far in (far.re, b.signed(far.im, like: z.re)) } : (re, im)
    return chosen(isZero(z.im), (cosine, product(signed(filled(1, z.re), like: z.re), z.im)), plain)
  }

  /// The parts, or far out what `far` makes of exp(|x| + iy) / 2, half the exponent twice: a small cosine keeps the product
  /// in range.
  private mutating func grown(
    _ z: Parts, _ near: Parts, _ far: (inout KernelBuilder, Parts) -> Parts
  ) -> Parts {
    let half = apply(.exponential, [scaled(apply(.abs, [z.re]), 0.5)])
    let turned = polar(half, z.im)
    let rest = scaled(half, 0.5)
    let result = far(&self, (product(rest, turned.re), product(rest, turned.im)))
    return chosen(compare(apply(.abs, [z.re]), .greater, filled(60, z.re)), result, near)
  }

  private mutating func hyperbolicTangent(_ z: Parts) -> Parts {
    let tangent = apply(.tangent, [z.im])
    // The limit is reached long before the square of sinh overflows, even times that of the largest tangent.
    let limit = filled(isF32(z) ? 20 : 300, z.re)
    let bounded = apply(.maximum, [apply(.negate, [limit]), apply(.minimum, [z.re, limit])])
    let sine = apply(.hyperbolicSine, [bounded])
    let cosine = apply(.hyperbolicCosine, [bounded])
    let stretch = apply(.add, [filled(1, tangent), square(tangent)])
    let divisor = apply(.add, [filled(1, sine), product(square(sine), stretch)])
    let re = apply(.divide, [product(product(cosine, sine), stretch), divisor])
    let im = apply(.divide, [tangent, divisor])
    return chosen(isZero(z.im), (apply(.hyperbolicTangent, [z.re]), z.im), (re, im))
  }

  private mutating func sign(_ z: Parts) -> Parts {
    let size = magnitude(z)
    let quotient = (re: apply(.divide, [z.re, size]), im: apply(.divide, [z.im, size]))
    return chosen(isZero(size), z, quotient)
  }

  private mutating func power(_ z: Parts, _ w: Parts) -> Parts {
    let log = logarithm(z)
    let re = apply(.subtract, [product(log.re, w.re), product(log.im, w.im)])
    let im = apply(.add, [product(log.re, w.im), product(log.im, w.re)])
    let plain = polar(apply(.exponential, [re]), im)
    let (zero, one, nan) = (filled(0, z.re), filled(1, z.re), filled(.nan, z.re))
    let isBaseZero = apply(.and, [isZero(z.re), isZero(z.im)])
    let isExponentZero = apply(.and, [isZero(w.re), isZero(w.im)])
    let ofZero = chosen(compare(w.re, .greater, zero), (zero, zero), (nan, nan))
    return chosen(isExponentZero, (one, zero), chosen(isBaseZero, ofZero, plain))
  }

  /// The first where it is NaN, else the second where it is NaN or the first stands in this relation to it.
  private mutating func larger(_ z: Parts, _ w: Parts, _ direction: ComparisonDirection) -> Parts {
    let isTie = compare(z.re, .equal, w.re)
    let first = compare(z.re, direction, w.re)
    let precedes = apply(.or, [first, apply(.and, [isTie, compare(z.im, direction, w.im)])])
    let takesSecond = apply(.or, [precedes, isNaN(w)])
    return chosen(isNaN(z), z, chosen(takesSecond, w, z))
  }

  private mutating func isNaN(_ z: Parts) -> Register {
    apply(.or, [compare(z.re, .notEqual, z.re), compare(z.im, .notEqual, z.im)])
  }
}

extension ScalarFunction {
  /// Whether kernels can compute the function for complex operands.
  var hasComplexKernel: Bool {
    switch self {
    case .exponential, .exponentialMinusOne, .log, .logPlusOne, .sine, .cosine, .tangent, .hyperbolicTangent,
      .hyperbolicSine, .hyperbolicCosine, .maximum, .minimum, .logistic, .squareRoot, .reciprocalSquareRoot, .sign,
      .power, .abs, .real, .imaginary, .negate, .add, .subtract,
      .multiply, .divide, .select, .convert, .bitcast, .complex:
      true
    case .compare(let direction, _): direction == .equal || direction == .notEqual
    default: false
    }
  }

  /// Whether the function of complex numbers is a formula over others.
  fileprivate var isComplexFormula: Bool {
    switch self {
    case .exponential, .exponentialMinusOne, .log, .logPlusOne, .sine, .cosine, .tangent, .hyperbolicTangent,
      .hyperbolicSine, .hyperbolicCosine, .logistic, .squareRoot, .reciprocalSquareRoot, .sign, .power, .maximum,
      .minimum:
      true
    default: false
    }
  }
}
