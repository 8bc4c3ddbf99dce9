import IR

extension KernelBuilder {
  /// The function by simpler operations, or nil if it is a primitive of every target.
  mutating func expand(_ function: ScalarFunction, _ operands: [Register]) -> Register? {
    if case .clamp = function {
      return apply(.minimum, [apply(.maximum, [operands[1], operands[0]]), operands[2]])
    }
    let element = type(of: operands[0]).element
    if element.isComplex { return expandComplex(function, operands) }
    guard element.isFloat else { return nil }
    if case .nextAfter = function { return formula(operands) { x in x[0].next(toward: x[1]) } }
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
    case .power: return formula(operands) { x in x[0].power(x[1]) }
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

  /// The register of a formula over the operands.
  private mutating func formula(_ operands: [Register], _ body: ([MathValue]) -> MathValue) -> Register {
    // The writer alone holds the kernel while the formula is written, so that nothing is copied.
    let writer = MathWriter(KernelBuilder(target: target))
    swap(&self, &writer.builder)
    let result = body(operands.map { MathValue(register: $0, writer: writer) }).register
    swap(&self, &writer.builder)
    return result
  }
}
