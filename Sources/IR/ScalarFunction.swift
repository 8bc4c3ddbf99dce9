/// How `compare` orders: StableHLO spec, "compare".
public enum ComparisonDirection: String, Hashable, Sendable, CaseIterable {
  case equal = "EQ"
  case notEqual = "NE"
  case greaterOrEqual = "GE"
  case greater = "GT"
  case lessOrEqual = "LE"
  case less = "LT"
}

/// What `compare` compares; `totalOrder` orders -NaN < -inf < … < -0 < +0 < … < inf < NaN.
public enum ComparisonType: String, Hashable, Sendable, CaseIterable {
  case float = "FLOAT"
  case totalOrder = "TOTALORDER"
  case signed = "SIGNED"
  case unsigned = "UNSIGNED"
}

/// A function from elements to one element: all that the pointwise ops differ in.
///
/// Names are StableHLO's and CHLO's; `Pointwise` makes an op of each.
public enum ScalarFunction: Hashable, Sendable {
  // One operand.
  case abs, cbrt, ceil, cosine, countLeadingZeros, exponential, exponentialMinusOne, floor, imaginary, isFinite, log
  case logPlusOne, logistic, negate, not, populationCount, real, roundNearestAwayFromZero, roundNearestEven
  case reciprocalSquareRoot, sign, sine, squareRoot, tangent, hyperbolicTangent
  case convert(ElementType)
  /// The same bits as another type of the same width.
  case bitcast(ElementType)
  case reducePrecision(exponentBits: Int, mantissaBits: Int)
  // One operand, from CHLO.
  case arcCosine, hyperbolicArcCosine, arcSine, hyperbolicArcSine, arcTangent, hyperbolicArcTangent
  case hyperbolicCosine, hyperbolicSine, digamma, errorFunction, complementaryErrorFunction, inverseErrorFunction
  case logGamma, isInfinite
  // Two operands.
  case add, and, arcTangent2, complex, divide, maximum, minimum, multiply, or, power, remainder
  case shiftLeft, shiftRightArithmetic, shiftRightLogical, subtract, xor, nextAfter
  case compare(ComparisonDirection, ComparisonType)
  // Three operands.
  /// Operands: predicate, value where true, value where false.
  case select
  /// Operands: least value, value, greatest value.
  case clamp

  public var operandCount: Int {
    switch self {
    case .select, .clamp: 3
    case .add, .and, .arcTangent2, .complex, .divide, .maximum, .minimum, .multiply, .or, .power, .remainder,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical, .subtract, .xor, .nextAfter, .compare:
      2
    default: 1
    }
  }

  /// The op's name with its dialect.
  public var mnemonic: String {
    switch self {
    case .abs: "stablehlo.abs"
    case .cbrt: "stablehlo.cbrt"
    case .ceil: "stablehlo.ceil"
    case .cosine: "stablehlo.cosine"
    case .countLeadingZeros: "stablehlo.count_leading_zeros"
    case .exponential: "stablehlo.exponential"
    case .exponentialMinusOne: "stablehlo.exponential_minus_one"
    case .floor: "stablehlo.floor"
    case .imaginary: "stablehlo.imag"
    case .isFinite: "stablehlo.is_finite"
    case .log: "stablehlo.log"
    case .logPlusOne: "stablehlo.log_plus_one"
    case .logistic: "stablehlo.logistic"
    case .negate: "stablehlo.negate"
    case .not: "stablehlo.not"
    case .populationCount: "stablehlo.popcnt"
    case .real: "stablehlo.real"
    case .roundNearestAwayFromZero: "stablehlo.round_nearest_afz"
    case .roundNearestEven: "stablehlo.round_nearest_even"
    case .reciprocalSquareRoot: "stablehlo.rsqrt"
    case .sign: "stablehlo.sign"
    case .sine: "stablehlo.sine"
    case .squareRoot: "stablehlo.sqrt"
    case .tangent: "stablehlo.tan"
    case .hyperbolicTangent: "stablehlo.tanh"
    case .convert: "stablehlo.convert"
    case .bitcast: "stablehlo.bitcast_convert"
    case .reducePrecision: "stablehlo.reduce_precision"
    case .arcCosine: "chlo.acos"
    case .hyperbolicArcCosine: "chlo.acosh"
    case .arcSine: "chlo.asin"
    case .hyperbolicArcSine: "chlo.asinh"
    case .arcTangent: "chlo.atan"
    case .hyperbolicArcTangent: "chlo.atanh"
    case .hyperbolicCosine: "chlo.cosh"
    case .hyperbolicSine: "chlo.sinh"
    case .digamma: "chlo.digamma"
    case .errorFunction: "chlo.erf"
    case .complementaryErrorFunction: "chlo.erfc"
    case .inverseErrorFunction: "chlo.erf_inv"
    case .logGamma: "chlo.lgamma"
    case .isInfinite: "chlo.is_inf"
    case .add: "stablehlo.add"
    case .and: "stablehlo.and"
    case .arcTangent2: "stablehlo.atan2"
    case .complex: "stablehlo.complex"
    case .divide: "stablehlo.divide"
    case .maximum: "stablehlo.maximum"
    case .minimum: "stablehlo.minimum"
    case .multiply: "stablehlo.multiply"
    case .or: "stablehlo.or"
    case .power: "stablehlo.power"
    case .remainder: "stablehlo.remainder"
    case .shiftLeft: "stablehlo.shift_left"
    case .shiftRightArithmetic: "stablehlo.shift_right_arithmetic"
    case .shiftRightLogical: "stablehlo.shift_right_logical"
    case .subtract: "stablehlo.subtract"
    case .xor: "stablehlo.xor"
    case .nextAfter: "chlo.next_after"
    case .compare: "stablehlo.compare"
    case .select: "stablehlo.select"
    case .clamp: "stablehlo.clamp"
    }
  }

  /// Functions without attributes, by which the text form finds the function of a mnemonic.
  public static let plain: [ScalarFunction] = [
    .abs, .cbrt, .ceil, .cosine, .countLeadingZeros, .exponential, .exponentialMinusOne, .floor, .imaginary, .isFinite,
    .log, .logPlusOne, .logistic, .negate, .not, .populationCount, .real, .roundNearestAwayFromZero, .roundNearestEven,
    .reciprocalSquareRoot, .sign, .sine, .squareRoot, .tangent, .hyperbolicTangent, .arcCosine, .hyperbolicArcCosine,
    .arcSine, .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma,
    .errorFunction, .complementaryErrorFunction, .inverseErrorFunction, .logGamma, .isInfinite, .add, .and,
    .arcTangent2, .complex, .divide, .maximum, .minimum, .multiply, .or, .power, .remainder, .shiftLeft,
    .shiftRightArithmetic, .shiftRightLogical, .subtract, .xor, .nextAfter, .select, .clamp,
  ]

  public var isCommutative: Bool {
    switch self {
    case .add, .multiply, .and, .or, .xor, .maximum, .minimum: true
    default: false
    }
  }
}

// MARK: - Types

extension ScalarFunction {
  /// The result's element type for operands of these element types; throws where the function has no such form.
  public func resultType(_ operands: [ElementType]) throws(OpError) -> ElementType {
    guard operands.count == operandCount else {
      throw OpError("\(mnemonic) takes \(operandCount) operands, not \(operands.count)")
    }
    let x = operands[0]
    func require(_ holds: Bool, _ domain: String) throws(OpError) {
      guard holds else { throw OpError("\(mnemonic) is defined for \(domain), not for \(x)") }
    }
    switch self {
    case .abs:
      try require(x.kind == .signed || x.isFloat || x.isComplex, "signed integers, floats and complex numbers")
      return x.realPart
    case .negate, .sign: try require(x.isInteger || x.isFloat || x.isComplex, "numbers")
    case .cosine, .sine, .tangent, .exponential, .exponentialMinusOne, .log, .logPlusOne, .logistic, .squareRoot,
      .reciprocalSquareRoot, .hyperbolicTangent, .cbrt, .arcCosine, .hyperbolicArcCosine, .arcSine,
      .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine:
      try require(x.isFloat || x.isComplex, "floats and complex numbers")
    case .ceil, .floor, .roundNearestAwayFromZero, .roundNearestEven, .reducePrecision, .digamma, .errorFunction,
      .complementaryErrorFunction, .inverseErrorFunction, .logGamma:
      try require(x.isFloat, "floats")
    case .isFinite, .isInfinite:
      try require(x.isFloat, "floats")
      return .i1
    case .countLeadingZeros, .populationCount: try require(x.isInteger, "integers")
    case .not: try require(x.isInteger || x.isBoolean, "integers and booleans")
    case .real, .imaginary:
      try require(x.isFloat || x.isComplex, "floats and complex numbers")
      return x.realPart
    case .convert(let type): return type
    case .bitcast(let type):
      guard type.bitWidth == x.bitWidth else { throw OpError("\(mnemonic) from \(x) to \(type) changes the shape") }
      return type
    case .add, .multiply, .maximum, .minimum: try same(operands)
    case .divide, .remainder, .subtract, .power:
      try same(operands)
      try require(!x.isBoolean, "numbers")
    case .and, .or, .xor:
      try same(operands)
      try require(x.isInteger || x.isBoolean, "integers and booleans")
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      try same(operands)
      try require(x.isInteger, "integers")
    case .arcTangent2:
      try same(operands)
      try require(x.isFloat || x.isComplex, "floats and complex numbers")
    case .nextAfter:
      try same(operands)
      try require(x.isFloat, "floats")
    case .complex:
      try same(operands)
      try require(x == .f32 || x == .f64, "f32 and f64")
      return x == .f32 ? .complex64 : .complex128
    case .compare:
      try same(operands)
      return .i1
    case .select:
      try require(x.isBoolean, "a predicate of i1")
      guard operands[1] == operands[2] else {
        throw OpError("\(mnemonic) chooses between values of one type, not \(operands[1]) and \(operands[2])")
      }
      return operands[1]
    case .clamp: try same(operands)
    }
    return x
  }

  private func same(_ operands: [ElementType]) throws(OpError) {
    guard operands.allSatisfy({ $0 == operands[0] }) else {
      throw OpError(
        "\(mnemonic) needs operands of one type, not \(operands.map(\.description).joined(separator: " and "))")
    }
  }
}
