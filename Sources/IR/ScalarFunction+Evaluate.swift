import RealModule

extension ScalarFunction {
  /// The function's value, rounded or wrapped to `result`.
  ///
  /// Floats are computed in f64 and rounded once; for +, -, *, / and the square root that is the correctly rounded result.
  public func evaluate(_ x: [Scalar], _ types: [ElementType], _ result: ElementType) throws(OpError) -> Scalar {
    switch self {
    case .convert(let type): return x[0].converted(from: types[0], to: type)
    case .bitcast(let type): return Literal(type, [], bytes: types[0].bytes(of: x[0]))[0]
    case .select: return x[0].isTrue ? x[1] : x[2]
    case .clamp:
      let raised = try ScalarFunction.maximum.evaluate([x[1], x[0]], [types[1], types[0]], result)
      return try ScalarFunction.minimum.evaluate([raised, x[2]], [result, types[2]], result)
    case .complex: return .complex(x[0].realValue, x[1].realValue)
    case .real: return .real(x[0].realValue)
    case .imaginary: return .real(x[0].imaginaryValue)
    case .compare(let direction, let order): return .integer(compare(x[0], x[1], types[0], direction, order) ? 1 : 0)
    default: break
    }
    switch types[0].kind {
    case .float:
      if let value = realPredicate(x[0].realValue) { return .integer(value ? 1 : 0) }
      if case .nextAfter = self { return .real(Self.next(x[0].realValue, toward: x[1].realValue, in: types[0])) }
      if case .reducePrecision(let exponentBits, let mantissaBits) = self {
        let reduced = Self.reduce(x[0].realValue, of: types[0], exponentBits: exponentBits, mantissaBits: mantissaBits)
        return .real(reduced)
      }
      let second = x.count > 1 ? x[1].realValue : 0
      return .real(FloatFormat.round(try evaluateReal(x[0].realValue, second), to: result))
    case .complex: return try evaluateComplex(x, result)
    case .boolean, .signed, .unsigned:
      let second = x.count > 1 ? x[1].integerValue : 0
      return .integer(result.wrapped(try evaluateInteger(x[0].integerValue, second, types[0])))
    }
  }

  private var notDefined: OpError { OpError("\(mnemonic) is not defined for these element types") }

  private func realPredicate(_ x: Double) -> Bool? {
    switch self {
    case .isFinite: x.isFinite
    case .isInfinite: x.isInfinite
    default: nil
    }
  }

  private func evaluateReal(_ x: Double, _ y: Double) throws(OpError) -> Double {
    switch self {
    case .abs: return x.magnitude
    case .cbrt: return Double.root(x, 3)
    case .ceil: return x.rounded(.up)
    case .cosine: return Double.cos(x)
    case .exponential: return Double.exp(x)
    case .exponentialMinusOne: return Double.expMinusOne(x)
    case .floor: return x.rounded(.down)
    case .log: return x < 0 ? .nan : Double.log(x)
    case .logPlusOne: return Double.log(onePlus: x)
    case .logistic:
      // 1 / (1 + exp(-x)) without overflow.
      let t = Double.exp(-x.magnitude)
      return (x < 0 ? t : 1) / (1 + t)
    case .negate: return -x
    case .roundNearestAwayFromZero: return x.rounded(.toNearestOrAwayFromZero)
    case .roundNearestEven: return x.rounded(.toNearestOrEven)
    case .reciprocalSquareRoot: return 1 / x.squareRoot()
    case .sign: return x.isNaN || x == 0 ? x : (x < 0 ? -1 : 1)
    case .sine: return Double.sin(x)
    case .squareRoot: return x.squareRoot()
    case .tangent: return Double.tan(x)
    case .hyperbolicTangent: return Double.tanh(x)
    case .arcCosine: return Double.acos(x)
    case .hyperbolicArcCosine: return Double.acosh(x)
    case .arcSine: return Double.asin(x)
    case .hyperbolicArcSine: return Double.asinh(x)
    case .arcTangent: return Double.atan(x)
    case .hyperbolicArcTangent: return Double.atanh(x)
    case .hyperbolicCosine: return Double.cosh(x)
    case .hyperbolicSine: return Double.sinh(x)
    case .digamma: return Self.digamma(x)
    case .errorFunction: return Double.erf(x)
    case .complementaryErrorFunction: return Double.erfc(x)
    case .inverseErrorFunction: return Self.inverseErrorFunction(x)
    case .logGamma: return x == -.infinity ? .infinity : Double.logGamma(x)
    case .add: return x + y
    case .arcTangent2: return Double.atan2(y: x, x: y)
    case .divide: return x / y
    case .maximum: return x.isNaN || y.isNaN ? .nan : (x == y ? (x.sign == .minus ? y : x) : Swift.max(x, y))
    case .minimum: return x.isNaN || y.isNaN ? .nan : (x == y ? (x.sign == .minus ? x : y) : Swift.min(x, y))
    case .multiply: return x * y
    case .power: return Self.power(x, y)
    case .remainder: return x.truncatingRemainder(dividingBy: y)
    case .subtract: return x - y
    default: throw notDefined
    }
  }

  private func evaluateInteger(_ x: Int64, _ y: Int64, _ type: ElementType) throws(OpError) -> Int64 {
    let isUnsigned = type.kind != .signed
    let width = Int64(type.bitWidth)
    let bits = UInt64(bitPattern: x)
    switch self {
    case .abs: return isUnsigned || x >= 0 ? x : 0 &- x
    case .negate: return 0 &- x
    case .not: return type.isBoolean ? 1 - x : ~x
    case .sign: return x == 0 ? 0 : (isUnsigned || x > 0 ? 1 : -1)
    case .countLeadingZeros:
      let inWidth = width == 64 ? bits : bits & ((1 << UInt64(width)) - 1)
      return Int64(inWidth.leadingZeroBitCount) - (64 - width)
    case .populationCount:
      return Int64((width == 64 ? bits : bits & ((1 << UInt64(width)) - 1)).nonzeroBitCount)
    case .add: return type.isBoolean ? x | y : x &+ y
    case .subtract: return x &- y
    case .multiply: return type.isBoolean ? x & y : x &* y
    case .and: return x & y
    case .or: return x | y
    case .xor: return x ^ y
    case .maximum: return isUnsigned ? (bits > UInt64(bitPattern: y) ? x : y) : Swift.max(x, y)
    case .minimum: return isUnsigned ? (bits < UInt64(bitPattern: y) ? x : y) : Swift.min(x, y)
    case .divide:
      if y == 0 { return -1 }
      if isUnsigned { return Int64(bitPattern: bits / UInt64(bitPattern: y)) }
      return x.dividedReportingOverflow(by: y).partialValue
    case .remainder:
      if y == 0 { return x }
      if isUnsigned { return Int64(bitPattern: bits % UInt64(bitPattern: y)) }
      return x.remainderReportingOverflow(dividingBy: y).partialValue
    case .power: return Self.integerPower(x, y, type)
    case .shiftLeft: return isShift(y, within: width) ? x << y : 0
    case .shiftRightLogical:
      let inWidth = width == 64 ? bits : bits & ((1 << UInt64(width)) - 1)
      return isShift(y, within: width) ? Int64(bitPattern: inWidth >> UInt64(y)) : 0
    case .shiftRightArithmetic:
      // An unsigned operand is shifted as the signed integer with its bits.
      let signed = (x << (64 - width)) >> (64 - width)
      return isShift(y, within: width) ? signed >> y : signed >> 63
    default: throw notDefined
    }
  }

  private func isShift(_ amount: Int64, within width: Int64) -> Bool { amount >= 0 && amount < width }

  private func compare(
    _ a: Scalar, _ b: Scalar, _ type: ElementType, _ direction: ComparisonDirection, _ order: ComparisonType
  ) -> Bool {
    func decide<T: Comparable>(_ x: T, _ y: T) -> Bool {
      switch direction {
      case .equal: x == y
      case .notEqual: x != y
      case .greaterOrEqual: x >= y
      case .greater: x > y
      case .lessOrEqual: x <= y
      case .less: x < y
      }
    }
    switch (a, b) {
    case (.integer(let x), .integer(let y)):
      return type.kind == .signed ? decide(x, y) : decide(UInt64(bitPattern: x), UInt64(bitPattern: y))
    case (.complex(let xr, let xi), .complex(let yr, let yi)):
      let equal = xr == yr && xi == yi
      return direction == .equal ? equal : direction == .notEqual ? !equal : false
    default:
      let (x, y) = (a.realValue, b.realValue)
      return order == .totalOrder ? decide(Self.orderKey(x), Self.orderKey(y)) : decide(x, y)
    }
  }

  /// An integer that orders as the total order of floats does.
  static func orderKey(_ x: Double) -> Int64 {
    let bits = Int64(bitPattern: x.bitPattern)
    return bits < 0 ? bits ^ Int64.max : bits
  }
}
