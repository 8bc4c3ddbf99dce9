import IR

extension ReverseSweep {
  /// The derivatives of functions of one number, of several, and what complex numbers are made of, as JAX defines them.
  mutating func pullBack(_ function: ScalarFunction, _ g: ValueID, _ y: ValueID, _ x: [ValueID]) throws(OpError) {
    if x.count == 1 {
      guard wants(x[0]) else { return }
      if let cotangent = try c.cotangent(function, g, y, x[0]) { try give(cotangent, to: x[0]) }
      return
    }
    switch function {
    case .select:
      try give(c.kept(g, where: x[0]), to: x[1])
      try give(c.apply(.select, x[0], c.zeros(like: g), g), to: x[2])
    case .clamp:
      if wants(x[0]) {
        let isLimited = try c.apply(.and, c.compare(.greater, x[0], x[1]), c.compare(.less, x[0], x[2]))
        try give(c.kept(g, where: isLimited), to: x[0])
      }
      if wants(x[1]) {
        let isInside = try c.apply(.and, c.compare(.greater, x[1], x[0]), c.compare(.less, x[1], x[2]))
        try give(c.kept(g, where: isInside), to: x[1])
      }
      if wants(x[2]) { try give(c.kept(g, where: c.compare(.less, x[2], x[1])), to: x[2]) }
    case .complex:
      try give(c.apply(.real, g), to: x[0])
      try give(c.negate(c.apply(.imaginary, g)), to: x[1])
    default:
      for place in 0..<2 where wants(x[place]) {
        guard let cotangent = try c.cotangent(function, g, y, x[0], x[1], place) else {
          throw .unsupported("the gradient of \(function.mnemonic) is not known")
        }
        try give(cotangent, to: x[place])
      }
    }
  }
}

extension Composer {
  /// The cotangent of operand `place` of a function of two numbers; nil where it is not known.
  fileprivate mutating func cotangent(
    _ function: ScalarFunction, _ g: ValueID, _ z: ValueID, _ x: ValueID, _ y: ValueID, _ place: Int
  ) throws(OpError) -> ValueID? {
    let isFirst = place == 0
    switch function {
    case .add: return g
    case .subtract: return isFirst ? g : try negate(g)
    case .multiply: return try multiply(g, isFirst ? y : x)
    case .divide:
      if isFirst { return try divide(g, y) }
      return try multiply(multiply(negate(g), x), divide(splat(1, like: y), square(y)))
    case .maximum, .minimum:
      return try multiply(g, isFirst ? share(of: x, in: z, with: y) : share(of: y, in: z, with: x))
    case .power: return try multiply(g, isFirst ? powerSlope(x, y) : multiply(apply(.log, nonZero(x)), z))
    case .remainder:
      if isFirst { return g }
      let quotient = try divide(x, y)
      return try multiply(negate(g), multiply(apply(.sign, quotient), apply(.floor, apply(.abs, quotient))))
    case .arcTangent2:
      let squares = try add(square(x), square(y))
      return try multiply(g, divide(isFirst ? y : negate(x), squares))
    default: return nil
    }
  }

  /// One where `x` alone is the value `z` chosen from `x` and `y`, one half where both are, else zero.
  private mutating func share(of x: ValueID, in z: ValueID, with y: ValueID) throws(OpError) -> ValueID {
    let one = try splat(1, like: z)
    let chosen = try apply(.select, compare(.equal, x, z), one, zeros(like: z))
    return try divide(chosen, apply(.select, compare(.equal, y, z), splat(2, like: z), one))
  }

  /// `y x^(y - 1)`, and zero where `y` is a whole number made a float that is zero: then also where `x` is zero.
  private mutating func powerSlope(_ x: ValueID, _ y: ValueID) throws(OpError) -> ValueID {
    let one = try splat(1, like: y)
    guard isWhole(y) else { return try multiply(y, apply(.power, x, subtract(y, one))) }
    let isZero = try compare(.equal, y, zeros(like: y))
    let factor = try apply(.select, isZero, one, y)
    return try apply(.select, isZero, zeros(like: y), multiply(factor, apply(.power, x, subtract(y, one))))
  }

  /// Whether a value is a constant of whole numbers or one of integers converted, moved or not.
  private func isWhole(_ value: ValueID) -> Bool {
    let node = graph[value]
    switch node.op {
    case .constant(let constant):
      guard let splat = constant.value.splatValue else { return false }
      return splat.realValue == splat.realValue.rounded() && splat.imaginaryValue == 0
    case .broadcastInDim, .reshape, .transpose, .slice: return isWhole(node.operands[0])
    case .pointwise(let op):
      guard case .convert = op.function else { return false }
      return !type(node.operands[0]).elementType.hasDerivatives || isWhole(node.operands[0])
    default: return false
    }
  }

  private mutating func nonZero(_ x: ValueID) throws(OpError) -> ValueID {
    try apply(.select, compare(.equal, x, zeros(like: x)), splat(1, like: x), x)
  }

  /// The cotangent of the operand of a function of one number; nil where nothing flows.
  fileprivate mutating func cotangent(_ function: ScalarFunction, _ g: ValueID, _ y: ValueID, _ x: ValueID)
    throws(OpError)
    -> ValueID?
  {
    switch function {
    case .real: return try asComplex(g, like: x)
    case .imaginary:
      guard type(x).elementType.isComplex else { return nil }
      return try apply(.complex, zeros(like: g), negate(g))
    case .abs: return try absCotangent(g, y, x)
    case .convert: return try asElements(g, of: type(x).elementType)
    case .reducePrecision: return try apply(function, g)
    case .negate: return try negate(g)
    default: break
    }
    if let slope = try powerSlope(function, g, y, x) { return slope }
    if let slope = try circularSlope(function, g, x) { return slope }
    guard let slope = try specialSlope(function, g, y, x) else {
      throw .unsupported("the gradient of \(function.mnemonic) is not known")
    }
    return slope
  }

  private mutating func asComplex(_ real: ValueID, like x: ValueID) throws(OpError) -> ValueID {
    type(x).elementType.isComplex ? try apply(.complex, real, zeros(like: real)) : real
  }

  private mutating func absCotangent(_ g: ValueID, _ y: ValueID, _ x: ValueID) throws(OpError) -> ValueID {
    guard type(x).elementType.isComplex else {
      return try apply(.select, compare(.greaterOrEqual, x, zeros(like: x)), g, negate(g))
    }
    let direction = try divide(conjugate(x), asComplex(nonZero(y), like: x))
    return try multiply(asComplex(g, like: x), direction)
  }

  /// Exponentials, logarithms, powers.
  private mutating func powerSlope(_ function: ScalarFunction, _ g: ValueID, _ y: ValueID, _ x: ValueID) throws(OpError)
    -> ValueID?
  {
    switch function {
    case .exponential: try multiply(g, y)
    case .exponentialMinusOne: try multiply(g, add(y, splat(1, like: y)))
    case .log: try divide(g, x)
    case .logPlusOne: try divide(g, add(x, splat(1, like: x)))
    case .logistic: try multiply(g, multiply(y, subtract(splat(1, like: y), y)))
    case .hyperbolicTangent: try multiply(add(g, multiply(g, y)), subtract(splat(1, like: y), y))
    case .squareRoot: try multiply(g, divide(splat(0.5, like: y), y))
    case .reciprocalSquareRoot: try multiply(g, multiply(splat(-0.5, like: y), divide(y, x)))
    case .cbrt: try multiply(g, multiply(splat(1.0 / 3, like: y), divide(splat(1, like: y), square(y))))
    default: nil
    }
  }

  private mutating func circularSlope(_ function: ScalarFunction, _ g: ValueID, _ x: ValueID) throws(OpError)
    -> ValueID?
  {
    let one = try splat(1, like: x)
    switch function {
    case .sine: return try multiply(g, apply(.cosine, x))
    case .cosine: return try negate(multiply(g, apply(.sine, x)))
    case .tangent: return try multiply(g, add(one, square(apply(.tangent, x))))
    case .arcSine: return try multiply(g, apply(.reciprocalSquareRoot, subtract(one, square(x))))
    case .arcCosine: return try multiply(g, negate(apply(.reciprocalSquareRoot, subtract(one, square(x)))))
    case .arcTangent: return try divide(g, add(one, square(x)))
    case .hyperbolicSine: return try multiply(g, apply(.hyperbolicCosine, x))
    case .hyperbolicCosine: return try multiply(g, apply(.hyperbolicSine, x))
    case .hyperbolicArcSine: return try multiply(g, apply(.reciprocalSquareRoot, add(square(x), one)))
    case .hyperbolicArcCosine: return try multiply(g, apply(.reciprocalSquareRoot, subtract(square(x), one)))
    case .hyperbolicArcTangent: return try multiply(divide(one, add(one, x)), divide(g, subtract(one, x)))
    default: return nil
    }
  }

  /// Error functions and those of the gamma function.
  private mutating func specialSlope(_ function: ScalarFunction, _ g: ValueID, _ y: ValueID, _ x: ValueID)
    throws(OpError)
    -> ValueID?
  {
    let root = Double.pi.squareRoot()
    switch function {
    case .errorFunction, .complementaryErrorFunction:
      let scale = try splat(function == .errorFunction ? 2 / root : -2 / root, like: x)
      return try multiply(scale, multiply(g, apply(.exponential, negate(square(x)))))
    case .inverseErrorFunction:
      return try multiply(splat(root / 2, like: x), multiply(g, apply(.exponential, square(y))))
    case .logGamma: return try multiply(g, apply(.digamma, x))
    case .digamma: return try multiply(g, trigamma(x))
    default: return nil
    }
  }

  /// The derivative of the digamma function: eight steps of its recurrence, then its series at infinity; below one half by
  /// its reflection.
  private mutating func trigamma(_ x: ValueID) throws(OpError) -> ValueID {
    let one = try splat(1, like: x)
    let isReflected = try compare(.less, x, splat(0.5, like: x))
    var t = try apply(.select, isReflected, subtract(one, x), x)
    var sum = try zeros(like: x)
    for _ in 0..<8 {
      sum = try add(sum, divide(one, square(t)))
      t = try add(t, one)
    }
    let inverse = try divide(one, t)
    let power = try square(inverse)
    var series = try splat(7.0 / 6, like: x)
    for coefficient in [-691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6] {
      series = try add(multiply(series, power), splat(coefficient, like: x))
    }
    let tail = try add(multiply(multiply(series, power), inverse), add(inverse, multiply(splat(0.5, like: x), power)))
    sum = try add(sum, tail)
    let sine = try apply(.sine, multiply(splat(.pi, like: x), subtract(x, apply(.floor, x))))
    let mirror = try divide(splat(.pi * .pi, like: x), square(sine))
    return try apply(.select, isReflected, subtract(mirror, sum), sum)
  }
}
