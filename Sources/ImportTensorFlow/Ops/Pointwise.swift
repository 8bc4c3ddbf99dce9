import GraphBuilding
import IR

extension Operator {
  /// Ops that apply one function to each element, or to elements that meet by broadcasting.
  static let pointwise: [Operator] =
    unary + [
      binary("Add", .add, fold: { $0.add($1, $2) }),
      binary("AddV2", .add, fold: { $0.add($1, $2) }),
      binary("Sub", .subtract, fold: { $0.subtract($1, $2) }),
      binary("Mul", .multiply, fold: { $0.multiply($1, $2) }),
      binary("Maximum", .maximum, fold: { $0.maximum($1, $2) }),
      binary("Minimum", .minimum, fold: { $0.minimum($1, $2) }),
      binary("RealDiv", .divide),
      binary("Div", .divide, fold: { $0.divide($1, $2) }),
      Operator("TruncateDiv", one: truncateDivide),
      binary("TruncateMod", .remainder),
      binary("Atan2", .arcTangent2),
      binary("NextAfter", .nextAfter),
      binary("LogicalAnd", .and, fold: { $0.minimum($1, $2) }),
      binary("LogicalOr", .or, fold: { $0.maximum($1, $2) }),
      binary("BitwiseAnd", .and), binary("BitwiseOr", .or), binary("BitwiseXor", .xor),
      binary("LeftShift", .shiftLeft),
      Operator("RightShift", one: rightShift),
      Operator("FloorDiv", one: floorDivide),
      Operator("FloorMod", one: floorModulo),
      Operator(
        "Mod",
        one: { (n) throws(OpError) in
          try n.map(.remainder, try n.input(0), try n.input(1))
        }),
      Operator("Pow", one: power),
      Operator(
        "SquaredDifference",
        one: { (n) throws(OpError) in
          let difference = try n.subtract(try n.input(0), try n.input(1))
          return try n.multiply(n.conjugate(difference), difference)
        }),
      Operator("DivNoNan", one: { (n) throws(OpError) in try dividing(&n, .divide) }),
      Operator("MulNoNan", one: { (n) throws(OpError) in try dividing(&n, .multiply) }),
      besideZero("Xdivy") { (n, x, y) throws(OpError) in try n.divide(x, y) },
      besideZero("Xlogy") { (n, x, y) throws(OpError) in try n.multiply(x, n.map(.log, y)) },
      besideZero("Xlog1py") { (n, x, y) throws(OpError) in try n.multiply(x, n.map(.logPlusOne, y)) },
      comparison("Equal", .equal), comparison("NotEqual", .notEqual), comparison("Greater", .greater),
      comparison("GreaterEqual", .greaterOrEqual), comparison("Less", .less), comparison("LessEqual", .lessOrEqual),
      Operator(
        "ApproximateEqual",
        one: { (n) throws(OpError) in
          let tolerance = try n.float("tolerance", default: 1e-5)
          return try n.compare(.less, n.map(.abs, n.subtract(try n.input(0), try n.input(1))), tolerance)
        }),
      Operator("Select", one: choose),
      Operator(
        "SelectV2",
        one: { (n) throws(OpError) in
          try n.select(try n.input(0), try n.input(1), try n.input(2))
        }),
      Operator(
        "ClipByValue",
        one: { (n) throws(OpError) in
          try n.map(.minimum, n.map(.maximum, try n.input(0), try n.input(1)), try n.input(2))
        }),
      Operator("AddN", one: addAll),
      Operator(
        "AccumulateNV2",
        one: { (n) throws(OpError) in
          n.ignore("shape")
          return try addAll(&n)
        }),
      Operator("Cast", one: cast), Operator("Bitcast", one: bitcast),
      Operator("Complex", one: { (n) throws(OpError) in try n.map(.complex, try n.input(0), try n.input(1)) }),
      Operator("Conj", one: { (n) throws(OpError) in try n.conjugate(try n.input(0)) }),
      Operator(
        "Angle",
        one: { (n) throws(OpError) in
          let x = try n.input(0)
          return try n.map(.arcTangent2, n.map(.imaginary, x), n.map(.real, x))
        }),
    ]

  private static let unary: [Operator] = [
    unary("Acos", .arcCosine), unary("Acosh", .hyperbolicArcCosine), unary("Asin", .arcSine),
    unary("Asinh", .hyperbolicArcSine), unary("Atan", .arcTangent), unary("Atanh", .hyperbolicArcTangent),
    unary("Cos", .cosine), unary("Cosh", .hyperbolicCosine), unary("Sin", .sine), unary("Sinh", .hyperbolicSine),
    unary("Tan", .tangent), unary("Tanh", .hyperbolicTangent), unary("Exp", .exponential),
    unary("Expm1", .exponentialMinusOne), unary("Log", .log), unary("Log1p", .logPlusOne), unary("Sqrt", .squareRoot),
    unary("Rsqrt", .reciprocalSquareRoot), unary("Erf", .errorFunction), unary("Erfc", .complementaryErrorFunction),
    unary("Erfinv", .inverseErrorFunction), unary("Lgamma", .logGamma), unary("Digamma", .digamma),
    unary("Sigmoid", .logistic), unary("Neg", .negate) { $0.subtract(.zero, $1) }, unary("Real", .real),
    unary("Imag", .imaginary), unary("ComplexAbs", .abs), unary("IsFinite", .isFinite),
    unary("PopulationCount", .populationCount),
    unary("LogicalNot", .not) { _, x in x.fixed.map { Extent(1 - $0) } }, unary("Invert", .not),
    rounding("Ceil", .ceil), rounding("Floor", .floor), rounding("Round", .roundNearestEven),
    rounding("Rint", .roundNearestEven),
    Operator(
      "Abs",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return x.element.kind == .unsigned ? x : try n.map(.abs, x)
      }),
    Operator(
      "Sign",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return x.element.kind == .unsigned ? try n.map(.minimum, x, n.scalar(1, x.element)) : try n.map(.sign, x)
      }),
    Operator(
      "IsNan",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.compare(.notEqual, x, x)
      }),
    Operator(
      "IsInf",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.compare(.equal, n.map(.abs, x), n.scalar(.real(.infinity), x.element))
      }),
    Operator(
      "Square",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.multiply(x, x)
      }),
    Operator("Reciprocal", one: { (n) throws(OpError) in try n.divide(1, try n.input(0)) }),
    Operator("Inv", one: { (n) throws(OpError) in try n.divide(1, try n.input(0)) }),
  ]

  private static func unary(
    _ name: String, _ function: ScalarFunction, fold: (@Sendable (inout ExtentArithmetic, Extent) -> Extent?)? = nil
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      if let fold, let known = n.folded(x, x.element, fold) { return [known] }
      return [try n.map(function, x)]
    }
  }

  /// Functions that leave integers as they are.
  private static func rounding(_ name: String, _ function: ScalarFunction) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      return [x.element.isFloat ? try n.map(function, x) : x]
    }
  }

  private static func binary(
    _ name: String, _ function: ScalarFunction, fold: ExtentArithmetic.Binary? = nil
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (x, y) = (try n.input(0), try n.input(1))
      if let fold, let known = n.folded(x, y, x.element, fold) { return [known] }
      return [try n.map(function, x, y)]
    }
  }

  private static func comparison(_ name: String, _ direction: ComparisonDirection) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let isStrict = try n.flag("incompatible_shape_error", default: true)
      let (x, y) = (try n.input(0), try n.input(1))
      if let known = n.folded(x, y, .i1, { $0.compare(direction, $1, $2) }) { return [known] }
      do throws(OpError) { return [try n.compare(direction, x, y)] } catch {
        // TensorFlow gives one truth value where shapes do not broadcast.
        throw isStrict ? error : .unsupported("a comparison of \(x.type) and \(y.type)")
      }
    }
  }

  private static func rightShift(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    return try n.map(x.element.kind == .signed ? .shiftRightArithmetic : .shiftRightLogical, x, try n.input(1))
  }

  // MARK: - Quotients

  /// The quotient rounded towards zero.
  private static func truncateDivide(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    if let known = n.folded(x, y, x.element, { $0.divide($1, $2) }) { return known }
    let quotient = try n.divide(x, y)
    guard x.element.isFloat else { return quotient }
    return try n.select(n.compare(.less, quotient, 0), n.map(.ceil, quotient), n.map(.floor, quotient))
  }

  /// The quotient rounded towards negative infinity.
  private static func floorDivide(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    if let known = n.folded(x, y, x.element, { floored(&$0, $1, $2) }) { return known }
    if x.element.isFloat { return try n.map(.floor, n.divide(x, y)) }
    let quotient = try n.divide(x, y)
    guard x.element.kind == .signed else { return quotient }
    // A remainder of another sign than the divisor's means that the quotient was rounded up.
    let isRounded = try isRoundedUp(&n, n.map(.remainder, x, y), y)
    return try n.subtract(quotient, n.convert(isRounded, x.element))
  }

  private static func floored(_ arithmetic: inout ExtentArithmetic, _ x: Extent, _ y: Extent) -> Extent? {
    guard let rest = arithmetic.modulo(x, y), let whole = arithmetic.subtract(x, rest) else { return nil }
    if whole.isFixed || arithmetic.isNonNegative(whole) { return arithmetic.divide(whole, y) }
    return nil
  }

  private static func floorModulo(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    if let known = n.folded(x, y, x.element, { $0.modulo($1, $2) }) { return known }
    let rest = try n.map(.remainder, x, y)
    guard x.element.kind != .unsigned else { return rest }
    return try n.select(isRoundedUp(&n, rest, y), n.add(rest, y), rest)
  }

  /// Whether a remainder is not zero and has another sign than the divisor.
  private static func isRoundedUp(_ n: inout Lowering, _ rest: Value, _ y: Value) throws(OpError) -> Value {
    let differs = try n.map(.xor, n.compare(.less, rest, 0), n.compare(.less, y, 0))
    return try n.map(.and, differs, n.compare(.notEqual, rest, 0))
  }

  private static func power(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    // A whole number that is known needs no logarithm.
    if let exponent = n.constantLiteral(of: y), exponent.elementCount == 1, x.element.isFloat {
      switch exponent[0].realValue {
      case 1 where y.rank <= x.rank: return x
      case 2 where y.rank <= x.rank: return try n.multiply(x, x)
      case 3 where y.rank <= x.rank: return try n.multiply(n.multiply(x, x), x)
      default: break
      }
    }
    return try n.map(.power, x, y)
  }

  /// A quotient or product that is zero where the second operand is.
  private static func dividing(_ n: inout Lowering, _ function: ScalarFunction) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    let isZero = try n.compare(.equal, y, 0)
    return try n.select(isZero, n.scalar(0, x.element), n.map(function, x, y))
  }

  /// A function that is zero where the first operand is.
  private static func besideZero(
    _ name: String, _ function: @escaping @Sendable (inout Lowering, Value, Value) throws(OpError) -> Value
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (x, y) = (try n.input(0), try n.input(1))
      return [try n.select(n.compare(.equal, x, 0), n.scalar(0, x.element), function(&n, x, y))]
    }
  }

  // MARK: - Others

  /// The older choice: a vector of conditions chooses rows.
  private static func choose(_ n: inout Lowering) throws(OpError) -> Value {
    let (predicate, x, y) = (try n.input(0), try n.input(1), try n.input(2))
    guard predicate.rank == 1, x.rank > 1 else { return try n.select(predicate, x, y) }
    return try n.select(n.broadcast(predicate, to: x.shape, at: [0]), x, y)
  }

  private static func addAll(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("N")
    let inputs = try n.allInputs()
    guard var sum = inputs.first else { throw OpError("it has no inputs") }
    for input in inputs.dropFirst() { sum = try n.add(sum, input) }
    return sum
  }

  private static func cast(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let target = try n.elementType("DstT")
    _ = try n.flag("Truncate")
    if x.element == target { return x }
    if target.isInteger, let known = n.folded(x, target, { $1 }) { return known }
    if x.element.isComplex, !target.isComplex { return try n.convert(n.map(.real, x), target) }
    return try n.convert(x, target)
  }

  private static func bitcast(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let target = try n.elementType("type")
    if x.element == target { return x }
    let (from, to) = (x.element.bitWidth, target.bitWidth)
    if from == to { return try n.map(.bitcast(target), x) }
    // A wider element becomes a line of narrower ones, and the other way round.
    var shape = x.shape
    if from > to {
      shape.append(Extent(from / to))
    } else {
      guard shape.popLast() == Extent(to / from) else { throw OpError("it reads \(x.type) as \(target)") }
    }
    return try n.emit(.bitcastConvert(BitcastConvert(resultType: TensorType(target, shape))), [x])
  }
}
