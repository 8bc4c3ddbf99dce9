import IR

extension KernelBuilder {
  /// The function by simpler operations, or nil if it is a primitive of every target.
  mutating func expand(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    if case .clamp = function {
      return apply(.minimum, [apply(.maximum, [operands[1], operands[0]]), operands[2]])
    }
    let element = type(of: operands[0]).element
    if element.isComplex { return expandComplex(function, operands) }
    if element.isInteger, case .power = function { return integerPower(operands[0], operands[1]) }
    guard element.isFloat else { return nil }
    switch function {
    case .nextAfter where element.bitWidth < 16: return neighbour(of: operands[0], toward: operands[1])
    case .nextAfter: return formula(operands) { x in x[0].next(toward: x[1]) }
    case .reducePrecision(let exponentBits, let mantissaBits) where element.bitWidth < 32:
      return reduced(operands[0], exponentBits: exponentBits, mantissaBits: mantissaBits)
    default: break
    }
    guard element == .f32 || element == .f64 else { return nil }
    switch function {
    case .exponential: return formula(operands) { x in x[0].exponential() }
    case .exponentialMinusOne: return formula(operands) { x in x[0].exponentialMinusOne() }
    case .logistic: return formula(operands) { x in x[0].logistic() }
    case .hyperbolicTangent: return formula(operands) { x in x[0].hyperbolicTangent() }
    case .hyperbolicSine: return formula(operands) { x in x[0].hyperbolicSine() }
    case .hyperbolicCosine: return formula(operands) { x in x[0].hyperbolicCosine() }
    case .log: return formula(operands) { x in x[0].logarithm() }
    case .logPlusOne: return formula(operands) { x in x[0].logarithmOfPlusOne() }
    case .hyperbolicArcSine: return formula(operands) { x in x[0].hyperbolicArcSine() }
    case .hyperbolicArcCosine: return formula(operands) { x in x[0].hyperbolicArcCosine() }
    case .hyperbolicArcTangent: return formula(operands) { x in x[0].hyperbolicArcTangent() }
    case .sine: return formula(operands) { x in x[0].sine() }
    case .cosine: return formula(operands) { x in x[0].cosine() }
    case .tangent: return formula(operands) { x in x[0].tangent() }
    case .arcSine: return formula(operands) { x in x[0].arcSine() }
    case .arcCosine: return formula(operands) { x in x[0].arcCosine() }
    case .arcTangent: return formula(operands) { x in x[0].arcTangent() }
    case .arcTangent2: return formula(operands) { x in x[0].arcTangent(over: x[1]) }
    case .power:
      let exponent = constantValue(of: operands[1])?.realValue
      return formula(operands) { x in exponent.flatMap { x[0].power($0) } ?? x[0].power(x[1]) }
    case .cbrt: return formula(operands) { x in x[0].cubeRoot() }
    case .reciprocalSquareRoot: return formula(operands) { x in 1 / x[0].squareRoot() }
    case .errorFunction: return formula(operands) { x in x[0].errorFunction() }
    case .complementaryErrorFunction: return formula(operands) { x in x[0].complementaryErrorFunction() }
    case .inverseErrorFunction: return formula(operands) { x in x[0].inverseErrorFunction() }
    case .logGamma: return formula(operands) { x in x[0].logGamma() }
    case .digamma: return formula(operands) { x in x[0].digamma() }
    case .remainder: return formula(operands) { x in x[0].remainder(dividingBy: x[1]) }
    default: return nil
    }
  }

  /// The exponential function of numbers that are known not to be positive.
  mutating func exponential(ofNonpositive operand: Register) -> Register {
    let type = type(of: operand).element
    let wide = type.arithmeticType
    if wide != type { return convert(exponential(ofNonpositive: convert(operand, to: wide)), to: type) }
    return formula([operand]) { x in x[0].exponentialOfNonpositive() }
  }

  /// The f32 times its gate.
  mutating func product(of operand: Register, and gate: Gate) -> Register {
    formula([operand]) { x in x[0].timesGate(gate) }
  }

  /// The register of a formula over the operands.
  mutating func formula(_ operands: [Register], _ body: ([MathValue]) -> MathValue) -> Register {
    formula(operands) { x in [body(x).register] }[0]
  }

  /// The registers of a formula over the operands.
  mutating func formula(_ operands: [Register], _ body: ([MathValue]) -> [Register]) -> [Register] {
    // The writer alone holds the kernel while the formula is written, so that nothing is copied.
    let writer = MathWriter(KernelBuilder(target: target))
    swap(&self, &writer.builder)
    let results = body(operands.map { MathValue(register: $0, writer: writer) })
    swap(&self, &writer.builder)
    return results
  }

  /// Repeated squaring, wrapping; a negative exponent gives 0 but for bases 1 and -1 (StableHLO spec, "power").
  private mutating func integerPower(_ base: Register, _ exponent: Register) -> Register {
    let type = type(of: base)
    func filled(_ value: Int64, _ b: inout KernelBuilder) -> Register {
      b.constant(.integer(value), type.element, lanes: type.lanes)
    }
    let one = filled(1, &self)
    let zero = filled(0, &self)
    let powers = loop(to: IntegerExpression(type.element.bitWidth), carrying: [base, exponent, one]) {
      b, _, carried in
      let isOdd = b.apply(.compare(.notEqual, .signed), [b.apply(.and, [carried[1], one]), zero])
      let product = b.apply(.select, [isOdd, b.apply(.multiply, [carried[2], carried[0]]), carried[2]])
      return [
        b.apply(.multiply, [carried[0], carried[0]]), b.apply(.shiftRightLogical, [carried[1], one]), product,
      ]
    }
    guard type.element.kind == .signed else { return powers[2] }
    let minusOne = filled(-1, &self)
    let isOdd = apply(.compare(.notEqual, .signed), [apply(.and, [exponent, one]), zero])
    let sign = apply(.select, [isOdd, minusOne, one])
    let isOne = apply(.compare(.equal, .signed), [base, one])
    let isMinusOne = apply(.compare(.equal, .signed), [base, minusOne])
    let reciprocal = apply(.select, [isOne, one, apply(.select, [isMinusOne, sign, zero])])
    let isNegative = apply(.compare(.less, .signed), [exponent, zero])
    return apply(.select, [isNegative, reciprocal, powers[2]])
  }
}
