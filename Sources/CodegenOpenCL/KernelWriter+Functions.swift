import Codegen
import IR

extension KernelWriter {
  /// The function of the operands, lane by lane.
  mutating func apply(_ function: ScalarFunction, _ operands: [Value], _ type: RegisterType) -> Value {
    let x = operands[0]
    noteType(type.element)
    noteType(x.element)
    switch function {
    case .convert: return convert(x, to: type.element)
    case .bitcast: return bitcast(x, to: type)
    case .select: return select(x, operands[1], operands[2])
    case .real: return Value(type, x.part)
    case .imaginary: return Value(type, x.imaginary ?? CType.constant(.zero(type.element), type).part)
    case .complex: return Value(type, x.part, imaginary: operands[1].part)
    case .compare(let direction, let order): return Value(type, compare(x, operands[1], direction, order))
    default: break
    }
    if x.element.isComplex { return applyComplex(function, operands, type) }
    let parts = operands.map(\.part)
    switch x.element {
    case .f32, .f64: return Value(type, applyFloat(function, parts, x.type))
    case .i1: return Value(type, applyBoolean(function, parts, x.type))
    case _ where x.element.isFloat: preconditionFailure("\(function.mnemonic) has no operation on \(x.element)")
    default:
      let result = applyInteger(function, parts, x.type, shiftedBy: shiftAmount(operands))
      return Value(type, x.element.bitWidth < 8 ? wrapped("(\(result))", type) : result)
    }
  }

  /// `a * b + c`, rounded once for floats.
  mutating func multiplyAdd(_ a: Value, _ b: Value, _ c: Value) -> Value {
    guard c.element == .f32 || c.element == .f64 else {
      let product = apply(.multiply, [a, b], c.type).mapParts(c.type) { "(\($0))" }
      return apply(.add, [product, c], c.type)
    }
    return Value(c.type, "fma(\(a.part), \(b.part), \(c.part))")
  }

  /// The second operand, if it is a number of bits less than the type's width.
  private func shiftAmount(_ operands: [Value]) -> Int? {
    guard operands.count == 2, let amount = operands[1].constant, case .integer(let bits) = amount,
      (0..<Int64(operands[0].element.bitWidth)).contains(bits)
    else { return nil }
    return Int(bits)
  }

  // MARK: Choice

  /// `a` where the condition holds, else `b`; a text that needs no parentheses.
  func choose(_ mask: String, _ a: String, _ b: String, _ type: RegisterType) -> String {
    type.lanes == 1 ? "(\(mask) ? \(a) : \(b))" : "select(\(b), \(a), \(mask))"
  }

  /// A mask of the width that `select` needs for operands of this type, from an i1 register.
  private func wideMask(_ mask: Value, for type: RegisterType) -> String {
    guard mask.lanes > 1 else { return mask.part }
    let width = CType.width(type.element)
    return width == 8 ? mask.part : "convert_\(CType.integer(width, lanes: type.lanes))(\(mask.part))"
  }

  private mutating func select(_ condition: Value, _ a: Value, _ b: Value) -> Value {
    if condition.lanes == 1 {
      return Value(
        a.type, "\(condition.part) ? \(a.part) : \(b.part)",
        imaginary: a.imaginary.map { "\(condition.part) ? \($0) : \(b.imaginary ?? "0")" })
    }
    let mask = wideMask(condition, for: a.type)
    return Value(
      a.type, choose(mask, a.part, b.part, a.type),
      imaginary: a.imaginary.map { choose(mask, $0, b.imaginary ?? "0", a.type) })
  }

  /// An i1 register's part from a comparison in the width of `type`.
  func truth(_ comparison: String, _ type: RegisterType) -> String {
    guard type.lanes > 1, CType.width(type.element) > 8 else { return comparison }
    return "convert_char\(type.lanes)(\(comparison))"
  }

  /// The parts of `type`'s vector, or its scalar, from one text a lane.
  func lanewise(_ type: RegisterType, _ operands: [Value], _ body: ([String]) -> String) -> Value {
    let lanes = (0..<type.lanes).map { lane in body(operands.map { $0.lane(lane).part }) }
    return Value(type, CType.vector(CType.part(type), of: lanes))
  }

  // MARK: Booleans

  private func applyBoolean(_ function: ScalarFunction, _ x: [String], _ type: RegisterType) -> String {
    let a = x[0]
    let b = x.count > 1 ? x[1] : a
    switch function {
    case .add, .or, .maximum: return "\(a) | \(b)"
    case .and, .multiply, .minimum: return "\(a) & \(b)"
    case .xor: return "\(a) ^ \(b)"
    case .not: return type.lanes == 1 ? "!\(a)" : "~\(a)"
    case .abs, .sign: return a
    case .populationCount: return a
    default: preconditionFailure("\(function.mnemonic) of \(type) is no operation of the emitter")
    }
  }

  // MARK: Integers

  /// The function of integers; of those narrower than a byte what fits in one, still to be wrapped.
  private mutating func applyInteger(
    _ function: ScalarFunction, _ x: [String], _ type: RegisterType, shiftedBy constant: Int? = nil
  ) -> String {
    let isSigned = type.element.kind == .signed
    let width = type.element.bitWidth
    let name = CType.part(type)
    let unsigned = CType.integer(width, isSigned: false, lanes: type.lanes)
    let a = x[0]
    let b = x.count > 1 ? x[1] : a
    func number(_ value: Int) -> String { type.lanes == 1 ? "(\(name))\(value)" : "(\(name))(\(value))" }
    /// The bits of integers of this width as those of the type.
    func cast(_ text: String) -> String { type.lanes == 1 ? "(\(name))(\(text))" : "as_\(name)(\(text))" }
    /// The result of unsigned arithmetic, which wraps.
    func wrapping(_ operation: String) -> String {
      if type.lanes == 1 { return "(\(name))((\(unsigned))\(a) \(operation) (\(unsigned))\(b))" }
      return isSigned
        ? "as_\(name)(as_\(unsigned)(\(a)) \(operation) as_\(unsigned)(\(b)))" : "\(a) \(operation) \(b)"
    }
    func shift(_ operation: String, isLogical: Bool) -> String {
      if let fixed = constant { return fixedShift(a, operation, fixed, isLogical: isLogical, type) }
      let amount = type.lanes == 1 ? "(\(unsigned))\(b)" : "as_\(unsigned)(\(b))"
      let operand = isLogical ? unsignedBits(a, type) : a
      let most = type.lanes == 1 ? "\(width - 1)" : "(\(unsigned))(\(width - 1))"
      let bits = type.lanes == 1 ? "(\(amount) & \(width - 1))" : "(\(amount) & \(most))"
      return choose("\(amount) <= \(most)", cast("\(operand) \(operation) \(bits)"), number(0), type)
    }
    switch function {
    case .abs: return isSigned ? choose("\(a) < \(number(0))", negated(a, type), a, type) : a
    case .add: return wrapping("+")
    case .and: return "\(a) & \(b)"
    case .countLeadingZeros where width < 8:
      let unused = type.lanes == 1 ? "\(8 - width)" : "(\(unsigned))(\(8 - width))"
      return cast("clz(\(unsignedBits(a, type))) - \(unused)")
    case .countLeadingZeros: return "clz(\(a))"
    case .divide: return quotient("divide", x, type)
    case .remainder: return quotient("remainder", x, type)
    case .maximum: return "max(\(a), \(b))"
    case .minimum: return "min(\(a), \(b))"
    case .multiply:
      // A product of 16 bits overflows `int`, into which C would promote.
      if type.lanes == 1, width == 16 { return "(\(name))((uint)\(a) * (uint)\(b))" }
      return wrapping("*")
    case .negate: return negated(a, type)
    case .not: return type.lanes == 1 ? "(\(name))~\(a)" : "~\(a)"
    case .or: return "\(a) | \(b)"
    case .populationCount where width < 8: return cast("popcount(\(unsignedBits(a, type)))")
    case .populationCount: return "popcount(\(a))"
    case .shiftLeft: return shift("<<", isLogical: false)
    case .shiftRightLogical: return shift(">>", isLogical: true)
    case .shiftRightArithmetic:
      let amount = type.lanes == 1 ? "(\(unsigned))\(b)" : "as_\(unsigned)(\(b))"
      let most = type.lanes == 1 ? "(\(unsigned))\(width - 1)" : "(\(unsigned))(\(width - 1))"
      let signed = CType.integer(width, lanes: type.lanes)
      let bits = type.lanes == 1 ? "min(\(amount), \(most))" : "as_\(signed)(min(\(amount), \(most)))"
      if let constant, isSigned { return "\(a) >> \(constant)" }
      if isSigned { return "\(a) >> \(bits)" }
      let operand = type.lanes == 1 ? "(\(signed))\(a)" : "as_\(signed)(\(a))"
      guard width < 8 else { return cast("\(operand) >> \(bits)") }
      let extended = wrapped("(\(operand))", RegisterType(width == 2 ? .i2 : .i4, lanes: type.lanes))
      return cast("(\(extended)) >> \(bits)")
    case .sign:
      let magnitude = choose("\(a) != \(number(0))", number(1), number(0), type)
      return isSigned ? choose("\(a) < \(number(0))", number(-1), magnitude, type) : magnitude
    case .subtract: return wrapping("-")
    case .xor: return "\(a) ^ \(b)"
    case .clamp: return "min(max(\(b), \(a)), \(x[2]))"
    case .power, .cbrt, .ceil, .cosine, .exponential, .exponentialMinusOne, .floor, .imaginary, .isFinite, .log,
      .logPlusOne, .logistic, .real, .roundNearestAwayFromZero, .roundNearestEven, .reciprocalSquareRoot, .sine,
      .squareRoot, .tangent, .hyperbolicTangent, .convert, .bitcast, .reducePrecision, .arcCosine,
      .hyperbolicArcCosine, .arcSine, .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine,
      .hyperbolicSine, .digamma, .errorFunction, .complementaryErrorFunction, .inverseErrorFunction, .logGamma,
      .isInfinite, .arcTangent2, .complex, .nextAfter, .compare, .select:
      preconditionFailure("\(function.mnemonic) of \(type) is no operation of the emitter")
    }
  }

  /// A shift by a number of bits that is less than the type's width.
  private func fixedShift(
    _ a: String, _ operation: String, _ amount: Int, isLogical: Bool, _ type: RegisterType
  ) -> String {
    let name = CType.part(type)
    let operand = isLogical ? unsignedBits(a, type) : a
    if type.lanes == 1 { return "(\(name))(\(operand) \(operation) \(amount))" }
    return isLogical ? "as_\(name)(\(operand) \(operation) \(amount))" : "\(operand) \(operation) \(amount)"
  }

  /// An integer's bits as an unsigned one; of one narrower than a byte without those that only extend its sign.
  private func unsignedBits(_ a: String, _ type: RegisterType) -> String {
    let width = type.element.bitWidth
    let unsigned = CType.integer(width, isSigned: false, lanes: type.lanes)
    let bits = type.lanes == 1 ? "(\(unsigned))\(a)" : "as_\(unsigned)(\(a))"
    return width < 8 ? "(\(unsigned))(\(bits) & (\(unsigned))(\((1 << width) - 1)))" : bits
  }

  private func negated(_ a: String, _ type: RegisterType) -> String {
    let unsigned = CType.integer(CType.width(type.element), isSigned: false, lanes: type.lanes)
    let name = CType.part(type)
    return type.lanes == 1 ? "(\(name))(0 - (\(unsigned))\(a))" : "as_\(name)(-as_\(unsigned)(\(a)))"
  }

  /// The quotient truncated towards zero, -1 where the divisor is 0; or what it leaves, the dividend where it is 0. The
  /// least value divided by -1 is itself.
  private mutating func quotient(_ kind: String, _ x: [String], _ type: RegisterType) -> String {
    let name = CType.memory(type.element)
    let function = "tfc_\(kind)_\(name)"
    let isSigned = type.element.kind == .signed
    let (operation, none) = kind == "divide" ? ("/", "(\(name))-1") : ("%", "a")
    let (minusOne, unsigned) = (
      kind == "divide" ? "(\(name))(0 - (u\(name))a)" : "0", "return b == 0 ? \(none) : a \(operation) b;"
    )
    let signed = "return b == 0 ? \(none) : b == -1 ? \(minusOne) : a \(operation) b;"
    helpers.need(
      function,
      "static inline \(name) \(function)(\(name) a, \(name) b) { \(isSigned ? signed : unsigned) }\n")
    let operands = x.prefix(2).map { Value(type, $0) }
    return lanewise(type, Array(operands)) { "\(function)(\($0[0]), \($0[1]))" }.part
  }

  // MARK: Floats

  private mutating func applyFloat(_ function: ScalarFunction, _ x: [String], _ type: RegisterType) -> String {
    let width = type.element.bitWidth
    let name = CType.part(type)
    func number(_ value: Double) -> String {
      let text = CType.float(value, width)
      return type.lanes == 1 ? text : "(\(name))(\(text))"
    }
    let a = x[0]
    let b = x.count > 1 ? x[1] : a
    switch function {
    case .abs: return "fabs(\(a))"
    case .add: return "\(a) + \(b)"
    case .ceil: return "ceil(\(a))"
    case .divide: return "\(a) / \(b)"
    case .floor: return "floor(\(a))"
    case .isFinite: return truth("fabs(\(a)) < \(number(.infinity))", type)
    case .isInfinite: return truth("fabs(\(a)) == \(number(.infinity))", type)
    case .maximum, .minimum: return "\(extremum(type, isMaximum: function == .maximum))(\(a), \(b))"
    case .multiply: return "\(a) * \(b)"
    case .negate: return "-\(a)"
    case .roundNearestEven: return "rint(\(a))"
    case .roundNearestAwayFromZero: return "round(\(a))"
    case .sign:
      // Zeros and NaN are themselves.
      return choose("fabs(\(a)) > \(number(0))", "copysign(\(number(1)), \(a))", a, type)
    case .squareRoot: return "sqrt(\(a))"
    case .subtract: return "\(a) - \(b)"
    case .clamp:
      let (larger, smaller) = (extremum(type, isMaximum: true), extremum(type, isMaximum: false))
      return "\(smaller)(\(larger)(\(b), \(a)), \(x[2]))"
    case .reducePrecision(let exponentBits, let mantissaBits):
      let function = reducePrecision(type.element, exponentBits: exponentBits, mantissaBits: mantissaBits)
      return lanewise(type, [Value(type, a)]) { "\(function)(\($0[0]))" }.part
    case .and, .or, .xor, .not, .countLeadingZeros, .populationCount, .remainder, .power, .cbrt, .cosine,
      .exponential, .exponentialMinusOne, .imaginary, .log, .logPlusOne, .logistic, .real, .reciprocalSquareRoot,
      .sine, .tangent, .hyperbolicTangent, .convert, .bitcast, .arcCosine, .hyperbolicArcCosine, .arcSine,
      .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma,
      .errorFunction, .complementaryErrorFunction, .inverseErrorFunction, .logGamma, .arcTangent2, .complex,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical, .nextAfter, .compare, .select:
      preconditionFailure("\(function.mnemonic) of \(type) is no operation of the emitter")
    }
  }

  /// The function that gives the larger or smaller operand; NaN where one is, and -0 counts as less than +0.
  private mutating func extremum(_ type: RegisterType, isMaximum: Bool) -> String {
    let name = CType.part(type)
    let integers = CType.integer(type.element.bitWidth, lanes: type.lanes)
    let function = "tfc_\(isMaximum ? "maximum" : "minimum")_\(name)"
    let zeros = "as_\(name)(as_\(integers)(a) \(isMaximum ? "&" : "|") as_\(integers)(b))"
    let first = choose("a \(isMaximum ? ">" : "<") b", "a", "b", type)
    let second = choose("a == b", zeros, first, type)
    helpers.need(
      function,
      """
      static inline \(name) \(function)(\(name) a, \(name) b) { return \(choose("a != a", "a", second, type)); }

      """)
    return function
  }

  /// The function that rounds to a float format with these widths, ties to the even pattern; of fewer exponent bits, what
  /// is below the smallest normal value becomes zero.
  private mutating func reducePrecision(_ element: ElementType, exponentBits: Int, mantissaBits: Int) -> String {
    let width = element.bitWidth
    let name = CType.memory(element)
    let bits = CType.integer(width, isSigned: false)
    let (ownMantissa, ownBias) = width == 64 ? (52, 1023) : (23, 127)
    let bias = (1 << (exponentBits - 1)) - 1
    let function = "tfc_reduce_\(name)_\(exponentBits)_\(mantissaBits)"
    func number(_ value: Int) -> String {
      CType.unsigned(UInt64(truncatingIfNeeded: value) & (width == 64 ? .max : 0xFFFF_FFFF), width)
    }
    var body = "  const \(bits) size = as_\(bits)(x) & \(number(Int.max >> (64 - width)));\n"
    body += "  \(bits) rounded = size;\n"
    if mantissaBits < ownMantissa {
      let dropped = ownMantissa - mantissaBits
      body += "  rounded = (size + (size >> \(dropped) & 1) + \(number((1 << (dropped - 1)) - 1)))"
      body += " & \(number(-1 << dropped));\n"
    }
    if bias < ownBias {
      body += "  if (rounded >= \(number((bias + 1 + ownBias) << ownMantissa)))"
      body += " rounded = \(number((2 * ownBias + 1) << ownMantissa));\n"
      body += "  if (rounded < \(number((1 - bias + ownBias) << ownMantissa))) rounded = 0;\n"
    }
    body += "  return x != x ? x : as_\(name)((as_\(bits)(x) ^ size) | rounded);\n"
    helpers.need(function, "static inline \(name) \(function)(\(name) x) {\n\(body)}\n")
    return function
  }

  // MARK: Comparison

  private mutating func compare(
    _ a: Value, _ b: Value, _ direction: ComparisonDirection, _ order: ComparisonType
  ) -> String {
    if let first = a.imaginary, let second = b.imaginary {
      precondition(direction == .notEqual || direction == .equal, "complex numbers have no order")
      let (operation, both) = direction == .notEqual ? ("!=", "|") : ("==", "&")
      return truth("(\(a.part) \(operation) \(b.part)) \(both) (\(first) \(operation) \(second))", a.type)
    }
    if a.element.isFloat {
      if order == .totalOrder {
        let (x, y) = (orderKey(a), orderKey(b))
        return truth("\(x) \(direction.operation) \(y)", RegisterType(a.element == .f64 ? .f64 : .f32, lanes: a.lanes))
      }
      let type = RegisterType(a.element == .f64 ? .f64 : .f32, lanes: a.lanes)
      return truth("\(asFloat(a)) \(direction.operation) \(asFloat(b))", type)
    }
    if a.element == .i1, a.lanes > 1 { return "-\(a.part) \(direction.operation) -\(b.part)" }
    return truth("\(a.part) \(direction.operation) \(b.part)", a.type)
  }

  /// An integer that orders as the total order of floats does.
  private mutating func orderKey(_ value: Value) -> String {
    let width = value.element == .f64 ? 64 : 32
    let float = CType.memory(width == 64 ? .f64 : .f32)
    let integer = CType.integer(width)
    let function = "tfc_order_\(float)"
    let mask = width == 64 ? "\(Int.max)L" : "2147483647"
    helpers.need(
      function,
      """
      /* Orders as the total order of floats does. */
      static inline \(integer) \(function)(\(float) x) {
        const \(integer) bits = as_\(integer)(x);
        return bits ^ (bits >> \(width - 1) & \(mask));
      }

      """)
    let type = RegisterType(width == 64 ? .i64 : .i32, lanes: value.lanes)
    let floats = Value(RegisterType(width == 64 ? .f64 : .f32, lanes: value.lanes), asFloat(value))
    return lanewise(type, [floats]) { "\(function)(\($0[0]))" }.part
  }
}

extension ComparisonDirection {
  fileprivate var operation: String {
    switch self {
    case .equal: "=="
    case .notEqual: "!="
    case .greaterOrEqual: ">="
    case .greater: ">"
    case .lessOrEqual: "<="
    case .less: "<"
    }
  }
}
