import IR

extension Rule {
  static let arithmetic: [Rule] = [
    constantLast, dropNeutral, absorb, cancelPairs, sameOperands, selectKnown, multiplyByReciprocal, expandPower,
    composeConverts, partsOfComplex, complexOfParts, computeBeforeSpreading, computeBeforeReshaping,
  ]

  private static func pointwise(
    _ name: String,
    _ rewrite: @escaping @Sendable (ScalarFunction, [ValueID], inout Rebuilder) throws(OpError) -> ValueID?
  ) -> Rule {
    Rule(name) { op, operands, b throws(OpError) in
      guard case .pointwise(let pointwise) = op else { return nil }
      return try rewrite(pointwise.function, operands, &b)
    }
  }

  /// `c + x -> x + c`, for every commutative function; other rules and sharing then look at one order only.
  static let constantLast = pointwise("constant-last") { function, operands, b throws(OpError) in
    guard function.isCommutative, b.isKnown(operands[0]), !b.isKnown(operands[1]) else { return nil }
    return try b.pointwise(function, [operands[1], operands[0]])
  }

  /// `x + -0 -> x`, `x - 0 -> x`, `x * 1 -> x`, `x / 1 -> x`, `x ^ 1 -> x`; for integers `x + 0`, `x | 0`, `x xor 0`,
  /// `x & -1`, shifts by 0 too.
  ///
  /// Exact for all types: for floats `x + 0` is left alone, since it makes `-0` to `0`.
  static let dropNeutral = pointwise("drop-neutral") { function, operands, b in
    guard operands.count == 2, let constant = b.splat(operands[1]) else { return nil }
    let type = b.type(of: operands[1]).elementType
    let isNeutral: Bool
    switch (function, type.kind) {
    case (.add, .float): isNeutral = constant.realValue == 0 && constant.realValue.sign == .minus
    case (.subtract, .float): isNeutral = constant.realValue == 0 && constant.realValue.sign == .plus
    case (.multiply, .float), (.divide, .float), (.power, .float): isNeutral = constant.realValue == 1
    case (_, .complex), (_, .float): isNeutral = false
    case (.multiply, .boolean), (.and, .boolean): isNeutral = constant.isTrue
    case (.add, _), (.subtract, _), (.or, _), (.xor, _), (.shiftLeft, _), (.shiftRightLogical, _),
      (.shiftRightArithmetic, _):
      isNeutral = !constant.isTrue
    case (.multiply, _), (.divide, _), (.power, _): isNeutral = constant == .integer(1)
    case (.and, _): isNeutral = constant == .integer(type.wrapped(-1))
    default: isNeutral = false
    }
    return isNeutral ? operands[0] : nil
  }

  /// `x * 0 -> 0`, `x & 0 -> 0`, `x | -1 -> -1`, for integers and booleans.
  ///
  /// Exact there; for floats `x * 0` is NaN where x is not finite.
  static let absorb = pointwise("absorb") { function, operands, b in
    guard operands.count == 2, let constant = b.splat(operands[1]) else { return nil }
    let type = b.type(of: operands[1]).elementType
    guard type.isInteger || type.isBoolean else { return nil }
    switch function {
    case .multiply, .and: return constant.isTrue ? nil : operands[1]
    case .or: return constant == .integer(type.wrapped(-1)) ? operands[1] : nil
    default: return nil
    }
  }

  /// `-(-x) -> x`, `not(not(x)) -> x`, `abs(-x) -> abs(x)`, `abs(abs(x)) -> abs(x)`, and functions that do nothing the
  /// second time: `floor`, `ceil`, rounding, `sign`. Exact for all types.
  static let cancelPairs = pointwise("cancel-pairs") { function, operands, b throws(OpError) in
    guard operands.count == 1, case .pointwise(let inner) = b.op(operands[0]) else { return nil }
    let source = b.target[operands[0]].operands[0]
    switch (function, inner.function) {
    case (.negate, .negate), (.not, .not): return source
    case (.abs, .negate): return try b.pointwise(.abs, [source])
    case (.abs, .abs) where !b.type(of: source).elementType.isComplex: return operands[0]
    case (.floor, .floor), (.ceil, .ceil), (.sign, .sign), (.roundNearestEven, .roundNearestEven),
      (.roundNearestAwayFromZero, .roundNearestAwayFromZero):
      return b.type(of: source).elementType.isComplex ? nil : operands[0]
    default: return nil
    }
  }

  /// `min(x, x) -> x`, `max(x, x) -> x`, `x & x -> x`, `x | x -> x`; for integers `x - x -> 0` and `x xor x -> 0`.
  ///
  /// Exact: for floats `x - x` is left alone, it is NaN where x is not finite.
  static let sameOperands = pointwise("same-operands") { function, operands, b throws(OpError) in
    guard operands.count == 2, operands[0] == operands[1] else { return nil }
    let type = b.type(of: operands[0])
    switch function {
    case .minimum, .maximum, .and, .or: return operands[0]
    case .subtract, .xor:
      return type.elementType.isInteger || type.elementType.isBoolean ? try b.constant(.integer(0), type) : nil
    default: return nil
    }
  }

  /// `select(true, x, y) -> x`, `select(false, x, y) -> y`, `select(p, x, x) -> x`,
  /// `select(not(p), x, y) -> select(p, y, x)`. Exact for all types.
  static let selectKnown = pointwise("select-known") { function, operands, b throws(OpError) in
    guard function == .select else { return nil }
    if operands[1] == operands[2] { return operands[1] }
    if let predicate = b.splat(operands[0]) { return predicate.isTrue ? operands[1] : operands[2] }
    guard case .pointwise(let inner) = b.op(operands[0]), inner.function == .not else { return nil }
    return try b.pointwise(.select, [b.target[operands[0]].operands[0], operands[2], operands[1]])
  }

  /// `x / c -> x * (1/c)` where c is a power of two and neither it nor its reciprocal is subnormal. Exact for all floats.
  static let multiplyByReciprocal = pointwise("multiply-by-reciprocal") { function, operands, b throws(OpError) in
    let type = b.type(of: operands[0])
    guard function == .divide, let value = b.splat(operands[1])?.realValue else { return nil }
    let range: ClosedRange<Double>
    switch type.elementType {
    case .f16: range = 0x1p-14...0x1p14
    case .f32, .bf16: range = 0x1p-126...0x1p126
    case .f64: range = 0x1p-1022...0x1p1022
    default: return nil
    }
    guard range.contains(value.magnitude), value.significand == 1 else { return nil }
    return try b.pointwise(.multiply, [operands[0], try b.constant(.real(1 / value), type)])
  }

  /// `power(x, 2) -> x * x`, `power(x, 3) -> x * x * x`, `power(x, -1) -> 1 / x`.
  ///
  /// The square is exact to the last bit for f16, bf16 and f32, and the nearest value for f64; the cube is rounded
  /// twice, so that it may differ from the nearest value by one unit in the last place.
  static let expandPower = pointwise("expand-power") { function, operands, b throws(OpError) in
    let x = operands[0]
    let type = b.type(of: x)
    guard function == .power, type.elementType.isFloat, let exponent = b.splat(operands[1])?.realValue else {
      return nil
    }
    switch exponent {
    case 2: return try b.pointwise(.multiply, [x, x])
    case 3: return try b.pointwise(.multiply, [try b.pointwise(.multiply, [x, x]), x])
    case -1:
      return try b.pointwise(.divide, [try b.constant(.real(1), type), x])
    default: return nil
    }
  }

  /// `convert(x) -> x` to its own type; `convert<V>(convert<U>(x)) -> convert<V>(x)` where U holds every value of x's type.
  /// Exact.
  static let composeConverts = pointwise("compose-converts") { function, operands, b throws(OpError) in
    guard case .convert(let type) = function else { return nil }
    if b.type(of: operands[0]).elementType == type { return operands[0] }
    guard case .pointwise(let inner) = b.op(operands[0]), case .convert(let middle) = inner.function else { return nil }
    let source = b.target[operands[0]].operands[0]
    guard middle.holdsAllValues(of: b.type(of: source).elementType) else { return nil }
    return try b.pointwise(.convert(type), [source])
  }

  /// `real(complex(x, y)) -> x`, `imag(complex(x, y)) -> y`. Exact.
  static let partsOfComplex = pointwise("parts-of-complex") { function, operands, b in
    guard function == .real || function == .imaginary, case .pointwise(let inner) = b.op(operands[0]),
      inner.function == .complex
    else { return nil }
    return b.target[operands[0]].operands[function == .real ? 0 : 1]
  }

  /// `complex(real(z), imag(z)) -> z`. Exact.
  static let complexOfParts = pointwise("complex-of-parts") { function, operands, b in
    guard function == .complex, case .pointwise(let real) = b.op(operands[0]), real.function == .real,
      case .pointwise(let imaginary) = b.op(operands[1]), imaginary.function == .imaginary
    else { return nil }
    let z = b.target[operands[0]].operands[0]
    return b.target[operands[1]].operands[0] == z && b.type(of: z).elementType.isComplex ? z : nil
  }

  /// `f(broadcast(x), broadcast(y), splat) -> broadcast(f(x, y, splat))`: fewer elements are computed. Exact.
  static let computeBeforeSpreading = pointwise("compute-before-spreading") { function, operands, b throws(OpError) in
    var spread: BroadcastInDim?
    var source: TensorType?
    for operand in operands {
      if b.splat(operand) != nil { continue }
      guard case .broadcastInDim(let broadcast) = b.op(operand) else { return nil }
      let inner = b.type(of: b.target[operand].operands[0])
      if let known = spread, known != broadcast || source?.dimensions != inner.dimensions { return nil }
      (spread, source) = (broadcast, inner)
    }
    guard let spread, let source, source.elementCount != b.type(of: operands[0]).elementCount else { return nil }
    var inner: [ValueID] = []
    for operand in operands {
      if let value = b.splat(operand) {
        inner.append(try b.constant(value, source.with(b.type(of: operand).elementType)))
      } else {
        inner.append(b.target[operand].operands[0])
      }
    }
    return try b.append(.broadcastInDim(spread), [try b.pointwise(function, inner)])
  }
}

extension Rule {
  /// `f(reshape(x), reshape(y), constant) -> reshape(f(x, y, reshape(constant)))`, so that reshapes come to lie between
  /// kernels. Exact.
  static let computeBeforeReshaping = pointwise("compute-before-reshaping") { function, operands, b throws(OpError) in
    var source: [Extent]?
    for operand in operands where !b.isKnown(operand) {
      guard case .reshape = b.op(operand) else { return nil }
      let dimensions = b.type(of: b.target[operand].operands[0]).dimensions
      if let source, source != dimensions { return nil }
      source = dimensions
    }
    guard let source else { return nil }
    var inner: [ValueID] = []
    for operand in operands {
      if let value = b.splat(operand) {
        inner.append(try b.constant(value, TensorType(b.type(of: operand).elementType, source)))
      } else {
        inner.append(try b.reshaped(operand, to: source))
      }
    }
    return try b.reshaped(try b.pointwise(function, inner), to: b.type(of: operands[0]).dimensions)
  }
}

extension Rebuilder {
  /// Whether the value is a constant, spread or not.
  func isKnown(_ value: ValueID) -> Bool { literal(value) != nil || splat(value) != nil }
}

extension ElementType {
  /// Whether every value of `other` is a value of this type, so that converting there and on loses nothing.
  func holdsAllValues(of other: ElementType) -> Bool {
    if self == other { return true }
    switch (other, self) {
    case (.f16, .f32), (.bf16, .f32), (.f16, .f64), (.bf16, .f64), (.f32, .f64): return true
    case (.i1, _): return isFloat && isExecutable || isInteger && bitWidth > 1
    default: break
    }
    switch (other.kind, kind) {
    case (.signed, .signed), (.unsigned, .unsigned), (.unsigned, .signed): return bitWidth > other.bitWidth
    case (.signed, .float), (.unsigned, .float):
      return self == .f64 && other.bitWidth <= 32 || self == .f32 && other.bitWidth <= 16
    default: return false
    }
  }
}
