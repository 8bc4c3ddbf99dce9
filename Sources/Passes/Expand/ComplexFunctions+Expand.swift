import IR

extension ScalarFunction {
  /// Whether kernels compute the function of complex numbers as it is.
  fileprivate var isComplexKernelFunction: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .negate, .abs, .real, .imaginary, .complex, .select, .convert, .bitcast:
      true
    case .compare: true
    default: false
    }
  }
}

extension Pointwise {
  /// The function of complex numbers in terms of functions of their parts; nil where kernels have it, or for real numbers.
  ///
  /// The parts are computed in f64, so that those of complex64 neither overflow nor lose places on the way.
  func complexExpansion(_ operands: [TensorType]) -> Expand? {
    guard let type = operands.last?.elementType, type.isComplex, !function.isComplexKernelFunction else { return nil }
    return { (x, c) throws(OpError) in
      var math = ComplexMath(c: c)
      let z = try math.parts(x[0])
      let w = x.count > 1 ? try math.parts(x[1]) : z
      guard let result = try math.value(function, z, w) else {
        throw .unsupported("\(function.mnemonic) of complex numbers")
      }
      let narrow = try math.narrowed(result, type)
      c = math.c
      return [narrow]
    }
  }
}

/// Functions of complex numbers as graphs over real and imaginary parts; the formulas are those of `ComplexNumber`.
private struct ComplexMath {
  typealias Parts = (re: ValueID, im: ValueID)
  var c: Composer

  mutating func parts(_ z: ValueID) throws(OpError) -> Parts {
    (try c.apply(.convert(.f64), c.apply(.real, z)), try c.apply(.convert(.f64), c.apply(.imaginary, z)))
  }

  mutating func narrowed(_ z: Parts, _ type: ElementType) throws(OpError) -> ValueID {
    let part = type.realPart
    return try c.apply(.complex, c.apply(.convert(part), z.re), c.apply(.convert(part), z.im))
  }

  mutating func value(_ function: ScalarFunction, _ z: Parts, _ w: Parts) throws(OpError) -> Parts? {
    switch function {
    case .exponential: return try exponential(z)
    case .exponentialMinusOne: return try exponentialMinusOne(z)
    case .log: return try logarithm(z)
    case .logPlusOne: return try logarithmOfOnePlus(z)
    case .squareRoot: return try squareRoot(z)
    case .reciprocalSquareRoot: return try inverse(try squareRoot(z))
    case .logistic:
      let power = try exponential(try negated(z))
      return try inverse((try c.apply(.add, number(1, power.re), power.re), power.im))
    case .sine:
      let turned = try hyperbolicSine((try c.apply(.negate, z.im), z.re))
      return (turned.im, try c.apply(.negate, turned.re))
    case .cosine: return try hyperbolicCosine((try c.apply(.negate, z.im), z.re))
    case .tangent:
      let turned = try hyperbolicTangent((try c.apply(.negate, z.im), z.re))
      return (turned.im, try c.apply(.negate, turned.re))
    case .hyperbolicSine: return try hyperbolicSine(z)
    case .hyperbolicCosine: return try hyperbolicCosine(z)
    case .hyperbolicTangent: return try hyperbolicTangent(z)
    case .sign: return try sign(z)
    case .power: return try power(z, w)
    case .maximum: return try larger(z, w, .less)
    case .minimum: return try larger(z, w, .greater)
    default: return nil
    }
  }

  // MARK: Building

  private mutating func number(_ value: Double, _ like: ValueID) throws(OpError) -> ValueID {
    try c.splat(value, like: like)
  }

  private mutating func negated(_ z: Parts) throws(OpError) -> Parts {
    (try c.apply(.negate, z.re), try c.apply(.negate, z.im))
  }

  private mutating func compare(_ a: ValueID, _ direction: ComparisonDirection, _ b: ValueID) throws(OpError) -> ValueID
  {
    try c.apply(.compare(direction, .float), a, b)
  }

  private mutating func isZero(_ a: ValueID) throws(OpError) -> ValueID { try compare(a, .equal, number(0, a)) }

  private mutating func chosen(_ condition: ValueID, _ a: Parts, _ b: Parts) throws(OpError) -> Parts {
    (try c.apply(.select, condition, a.re, b.re), try c.apply(.select, condition, a.im, b.im))
  }

  private mutating func product(_ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID { try c.apply(.multiply, a, b) }

  private mutating func scaled(_ a: ValueID, _ factor: Double) throws(OpError) -> ValueID {
    try product(a, number(factor, a))
  }

  private mutating func square(_ a: ValueID) throws(OpError) -> ValueID { try product(a, a) }

  /// The magnitude of `a` with the sign of `b`; zeros have signs, so that the quotient of one tells.
  private mutating func signed(_ a: ValueID, like b: ValueID) throws(OpError) -> ValueID {
    let inverse = try c.apply(.divide, number(1, b), b)
    let isNegative = try c.apply(.or, compare(b, .less, number(0, b)), compare(inverse, .less, number(0, b)))
    return try c.apply(.select, isNegative, c.apply(.negate, a), a)
  }

  /// The absolute value, of complex numbers whose squares overflow too.
  private mutating func magnitude(_ z: Parts) throws(OpError) -> ValueID {
    try c.apply(.abs, c.apply(.complex, z.re, z.im))
  }

  // MARK: Functions

  /// `factor * (cos(angle) + i sin(angle))`; an angle of zero stays zero beside an infinite factor, and a factor of
  /// zero beside an angle that is not finite.
  private mutating func polar(_ factor: ValueID, _ angle: ValueID) throws(OpError) -> Parts {
    let im = try product(factor, c.apply(.sine, angle))
    let re = try product(factor, c.apply(.cosine, angle))
    let isFinite = try c.apply(.isFinite, angle)
    let isNothing = try c.apply(.and, isZero(factor), c.apply(.not, isFinite))
    let zero = try number(0, factor)
    let plain = try chosen(isNothing, (zero, zero), (re, im))
    return try chosen(try isZero(angle), (factor, angle), plain)
  }

  private mutating func exponential(_ z: Parts) throws(OpError) -> Parts {
    // Half the exponent twice: a small cosine keeps the product in range.
    let half = try c.apply(.exponential, scaled(z.re, 0.5))
    let turned = try polar(half, z.im)
    let full = try c.apply(.exponential, z.re)
    let isAxis = try isZero(z.im)
    let re = try c.apply(.select, isAxis, full, product(half, turned.re))
    return (re, try c.apply(.select, isAxis, z.im, product(half, turned.im)))
  }

  private mutating func exponentialMinusOne(_ z: Parts) throws(OpError) -> Parts {
    let growth = try c.apply(.exponentialMinusOne, z.re)
    let half = try c.apply(.sine, scaled(z.im, 0.5))
    let re = try c.apply(.subtract, product(growth, c.apply(.cosine, z.im)), scaled(square(half), 2))
    let isAxis = try isZero(z.im)
    return (try c.apply(.select, isAxis, growth, re), try exponential(z).im)
  }

  private mutating func logarithm(_ z: Parts) throws(OpError) -> Parts {
    let (x, y) = (try c.apply(.abs, z.re), try c.apply(.abs, z.im))
    let large = try c.apply(.maximum, x, y)
    let small = try c.apply(.minimum, x, y)
    let one = try number(1, large)
    // log(1 + (large - 1)(large + 1) + small²) / 2, where the absolute value is near one.
    let above = try product(c.apply(.subtract, large, one), c.apply(.add, large, one))
    let near = try c.apply(.logPlusOne, c.apply(.add, above, square(small)))
    let ratio = try c.apply(.divide, small, large)
    let far = try c.apply(.add, c.apply(.log, large), scaled(c.apply(.logPlusOne, square(ratio)), 0.5))
    let isNear = try c.apply(
      .and, compare(large, .greater, number(0.5, large)), compare(large, .less, number(2, large)))
    let isPlain = try c.apply(.and, c.apply(.isFinite, large), compare(large, .greater, number(0, large)))
    let size = try c.apply(.log, magnitude(z))
    let re = try c.apply(.select, isPlain, c.apply(.select, isNear, scaled(near, 0.5), far), size)
    return (re, try c.apply(.arcTangent2, z.im, z.re))
  }

  private mutating func logarithmOfOnePlus(_ z: Parts) throws(OpError) -> Parts {
    let one = try number(1, z.re)
    let shifted = (re: try c.apply(.add, one, z.re), im: z.im)
    let plain = try logarithm(shifted)
    let two = try number(2, z.re)
    let excess = try c.apply(.add, product(z.re, c.apply(.add, two, z.re)), square(z.im))
    let near = try scaled(c.apply(.logPlusOne, excess), 0.5)
    let isSmall = try compare(magnitude(z), .less, number(0.5, z.re))
    return (try c.apply(.select, isSmall, near, plain.re), plain.im)
  }

  private mutating func squareRoot(_ z: Parts) throws(OpError) -> Parts {
    let size = try magnitude(z)
    let x = try c.apply(.abs, z.re)
    let root = try c.apply(.squareRoot, c.apply(.add, scaled(size, 0.5), scaled(x, 0.5)))
    let other = try c.apply(.divide, scaled(c.apply(.abs, z.im), 0.5), root)
    let isRight = try compare(z.re, .greaterOrEqual, number(0, z.re))
    let right = (re: root, im: try signed(other, like: z.im))
    let left = (re: other, im: try signed(root, like: z.im))
    let zero = (re: try number(0, z.re), im: z.im)
    let plain = try chosen(isRight, right, left)
    let isOrigin = try isZero(size)
    let isInfinite = try compare(c.apply(.abs, z.im), .equal, number(.infinity, z.im))
    let infinite = (re: try number(.infinity, z.re), im: z.im)
    return try chosen(isOrigin, zero, try chosen(isInfinite, infinite, plain))
  }

  private mutating func inverse(_ z: Parts) throws(OpError) -> Parts {
    let one = try c.apply(.complex, number(1, z.re), number(0, z.re))
    let quotient = try c.apply(.divide, one, c.apply(.complex, z.re, z.im))
    return (try c.apply(.real, quotient), try c.apply(.imaginary, quotient))
  }

  private mutating func hyperbolicSine(_ z: Parts) throws(OpError) -> Parts {
    let sine = try c.apply(.hyperbolicSine, z.re)
    let re = try product(sine, c.apply(.cosine, z.im))
    let im = try product(c.apply(.hyperbolicCosine, z.re), c.apply(.sine, z.im))
    return try chosen(try isZero(z.im), (sine, z.im), (re, im))
  }

  private mutating func hyperbolicCosine(_ z: Parts) throws(OpError) -> Parts {
    let cosine = try c.apply(.hyperbolicCosine, z.re)
    let re = try product(cosine, c.apply(.cosine, z.im))
    let im = try product(c.apply(.hyperbolicSine, z.re), c.apply(.sine, z.im))
    return try chosen(try isZero(z.im), (cosine, try product(signed(number(1, z.re), like: z.re), z.im)), (re, im))
  }

  private mutating func hyperbolicTangent(_ z: Parts) throws(OpError) -> Parts {
    let tangent = try c.apply(.tangent, z.im)
    // The limit is reached long before the square of sinh overflows.
    let limit = try number(300, z.re)
    let bounded = try c.apply(.maximum, c.apply(.negate, limit), c.apply(.minimum, z.re, limit))
    let sine = try c.apply(.hyperbolicSine, bounded)
    let cosine = try c.apply(.hyperbolicCosine, bounded)
    let stretch = try c.apply(.add, number(1, tangent), square(tangent))
    let divisor = try c.apply(.add, number(1, sine), product(square(sine), stretch))
    let re = try c.apply(.divide, product(product(cosine, sine), stretch), divisor)
    let im = try c.apply(.divide, tangent, divisor)
    return try chosen(try isZero(z.im), (try c.apply(.hyperbolicTangent, z.re), z.im), (re, im))
  }

  private mutating func sign(_ z: Parts) throws(OpError) -> Parts {
    let size = try magnitude(z)
    let quotient = (re: try c.apply(.divide, z.re, size), im: try c.apply(.divide, z.im, size))
    return try chosen(try isZero(size), z, quotient)
  }

  private mutating func power(_ z: Parts, _ w: Parts) throws(OpError) -> Parts {
    let log = try logarithm(z)
    let re = try c.apply(.subtract, product(log.re, w.re), product(log.im, w.im))
    let im = try c.apply(.add, product(log.re, w.im), product(log.im, w.re))
    let plain = try polar(try c.apply(.exponential, re), im)
    let (zero, one, nan) = (try number(0, z.re), try number(1, z.re), try number(.nan, z.re))
    let isBaseZero = try c.apply(.and, isZero(z.re), isZero(z.im))
    let isExponentZero = try c.apply(.and, isZero(w.re), isZero(w.im))
    let ofZero = try chosen(try compare(w.re, .greater, zero), (zero, zero), (nan, nan))
    return try chosen(isExponentZero, (one, zero), try chosen(isBaseZero, ofZero, plain))
  }

  /// The first where it is NaN, else the second where it is NaN or the first stands in this relation to it.
  private mutating func larger(_ z: Parts, _ w: Parts, _ direction: ComparisonDirection) throws(OpError) -> Parts {
    let isTie = try compare(z.re, .equal, w.re)
    let first = try compare(z.re, direction, w.re)
    let precedes = try c.apply(.or, first, c.apply(.and, isTie, compare(z.im, direction, w.im)))
    func isNaN(_ x: Parts, _ math: inout ComplexMath) throws(OpError) -> ValueID {
      try math.c.apply(.or, math.compare(x.re, .notEqual, x.re), math.compare(x.im, .notEqual, x.im))
    }
    let takesSecond = try c.apply(.or, precedes, isNaN(w, &self))
    return try chosen(try isNaN(z, &self), z, try chosen(takesSecond, w, z))
  }
}
