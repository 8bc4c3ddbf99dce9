import GraphBuilding
import IR

extension Operator {
  /// Ops that apply one function to each element, or to elements that meet by broadcasting.
  static let pointwise: [Operator] =
    unary + [
      binary("Add", .add, fold: { $0.add($1, $2) }),
      binary("Sub", .subtract, fold: { $0.subtract($1, $2) }),
      binary("Mul", .multiply, fold: { $0.multiply($1, $2) }),
      binary("Div", .divide, fold: { $0.divide($1, $2) }),
      Operator("Mod", one: modulo),
      Operator("Pow", one: power),
      binary("And", .and, fold: { $0.minimum($1, $2) }),
      binary("Or", .or, fold: { $0.maximum($1, $2) }),
      binary("Xor", .xor),
      binary("BitwiseAnd", .and),
      binary("BitwiseOr", .or),
      binary("BitwiseXor", .xor),
      Operator("BitShift", one: bitShift),
      comparison("Equal", .equal),
      comparison("Greater", .greater),
      comparison("GreaterOrEqual", .greaterOrEqual),
      comparison("Less", .less),
      comparison("LessOrEqual", .lessOrEqual),
      variadic("Max", .maximum, fold: { $0.maximum($1, $2) }),
      variadic("Min", .minimum, fold: { $0.minimum($1, $2) }),
      variadic("Sum", .add, fold: { $0.add($1, $2) }),
      Operator("Mean", one: mean),
      Operator("Where", one: choose),
      Operator("Clip", one: clip),
      Operator("IsNaN", one: isNaN),
      Operator("IsInf", one: isInfinite),
    ]

  private static let unary: [Operator] = [
    unary("Acos", .arcCosine), unary("Acosh", .hyperbolicArcCosine), unary("Asin", .arcSine),
    unary("Asinh", .hyperbolicArcSine), unary("Atan", .arcTangent), unary("Atanh", .hyperbolicArcTangent),
    unary("Cos", .cosine), unary("Cosh", .hyperbolicCosine), unary("Sin", .sine), unary("Sinh", .hyperbolicSine),
    unary("Tan", .tangent), unary("Tanh", .hyperbolicTangent), unary("Exp", .exponential), unary("Log", .log),
    unary("Sqrt", .squareRoot), unary("Erf", .errorFunction), unary("Sigmoid", .logistic),
    unary("Neg", .negate) { $0.subtract(.zero, $1) },
    unary("Not", .not) { _, x in x.fixed.map { Extent(1 - $0) } },
    unary("BitwiseNot", .not),
    rounding("Ceil", .ceil), rounding("Floor", .floor), rounding("Round", .roundNearestEven),
    Operator("Abs") { (n) throws(OpError) in
      n.ignore("consumed_inputs")
      let x = try n.input(0)
      if x.element.kind == .unsigned || x.element.isBoolean { return [x] }
      if let known = n.folded(
        x, x.element, { _, x in x.fixed.flatMap { Int(exactly: $0.magnitude) }.map { Extent($0) } })
      {
        return [known]
      }
      return [try n.map(.abs, x)]
    },
    Operator("Sign") { (n) throws(OpError) in
      let x = try n.input(0)
      return [x.element.kind == .unsigned ? try n.map(.minimum, x, n.scalar(1, x.element)) : try n.map(.sign, x)]
    },
    Operator("Reciprocal") { (n) throws(OpError) in
      n.ignore("consumed_inputs")
      let x = try n.input(0)
      return [try n.divide(1, x)]
    },
  ]

  private static func unary(
    _ name: String, _ function: ScalarFunction, fold: (@Sendable (inout ExtentArithmetic, Extent) -> Extent?)? = nil
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      n.ignore("consumed_inputs")
      let x = try n.input(0)
      if let fold, let known = n.folded(x, x.element, fold) { return [known] }
      return [try n.map(function, x)]
    }
  }

  /// Functions that leave integers as they are.
  private static func rounding(_ name: String, _ function: ScalarFunction) -> Operator {
    Operator(name) { (n) throws(OpError) in
      n.ignore("consumed_inputs")
      let x = try n.input(0)
      return [x.element.isFloat ? try n.map(function, x) : x]
    }
  }

  private static func binary(
    _ name: String, _ function: ScalarFunction, fold: ExtentArithmetic.Binary? = nil
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (x, y) = try operands(&n)
      if let fold, let known = n.folded(x, y, x.element, fold) { return [known] }
      return [try n.map(function, x, y)]
    }
  }

  /// Two operands of one type. Before opset 7, `broadcast` and `axis` say how the second meets the first.
  private static func operands(_ n: inout Lowering) throws(OpError) -> (Value, Value) {
    let x = try n.input(0)
    var y = try n.input(1)
    guard x.element == y.element else { throw OpError("its inputs are \(x.type) and \(y.type), of different types") }
    if n.version < 7 {
      n.ignore("consumed_inputs")
      let isBroadcast = try n.flag("broadcast")
      let axis = try n.int("axis")
      if isBroadcast, let axis, x.rank > y.rank {
        let start = try n.axis(axis, rank: x.rank)
        guard start + y.rank <= x.rank else { throw OpError("axis \(axis) leaves no room for \(y.type) in \(x.type)") }
        let trailing = [Extent](repeating: .one, count: x.rank - start - y.rank)
        y = try n.reshape(y, y.shape + trailing)
      }
    }
    return (x, y)
  }

  private static func comparison(_ name: String, _ direction: ComparisonDirection) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (x, y) = try operands(&n)
      let known = n.folded(x, y, .i1) { $0.compare(direction, $1, $2) }
      if let known { return [known] }
      return [try n.compare(direction, x, y)]
    }
  }

  private static func variadic(
    _ name: String, _ function: ScalarFunction, fold: @escaping ExtentArithmetic.Binary
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      n.ignore("consumed_inputs")
      let inputs = try n.allInputs()
      guard var result = inputs.first else { throw OpError("it has no inputs") }
      for input in inputs.dropFirst() {
        if let known = n.folded(result, input, result.element, fold) {
          result = known
        } else {
          result = try n.map(function, result, input)
        }
      }
      return [result]
    }
  }

  private static func mean(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let inputs = try n.allInputs()
    guard var sum = inputs.first else { throw OpError("it has no inputs") }
    for input in inputs.dropFirst() { sum = try n.add(sum, input) }
    return try n.divide(sum, Double(inputs.count))
  }

  /// `fmod = 1` takes the sign of the dividend, as C does; otherwise the divisor's, as Python does.
  private static func modulo(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = try operands(&n)
    let isC = try n.flag("fmod")
    if !isC, let known = n.folded(x, y, x.element, { $0.modulo($1, $2) }) { return known }
    let rest = try n.map(.remainder, x, y)
    if isC || x.element.kind == .unsigned { return rest }
    let zero = n.scalar(0, x.element)
    let isOpposite = try n.map(.xor, n.compare(.less, rest, zero), n.compare(.less, y, zero))
    let needsStep = try n.map(.and, isOpposite, n.compare(.notEqual, rest, zero))
    return try n.select(needsStep, n.add(rest, y), rest)
  }

  /// The base's type is the result's; the exponent may have another.
  private static func power(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var y = try n.input(1)
    if n.version < 7 {
      let isBroadcast = try n.flag("broadcast")
      let axis = try n.int("axis")
      if isBroadcast, let axis, x.rank > y.rank {
        let start = try n.axis(axis, rank: x.rank)
        let trailing = [Extent](repeating: .one, count: max(0, x.rank - start - y.rank))
        y = try n.reshape(y, y.shape + trailing)
      }
    }
    if x.element.isFloat, let exponent = n.constantLiteral(of: y)?.splatValue?.realValue, exponent == 2 {
      let shape = try n.broadcastShape([x, y])
      return try n.broadcast(n.multiply(x, x), to: shape)
    }
    if x.element == y.element { return try n.map(.power, x, y) }
    if x.element.isInteger, y.element.isFloat {
      if let exponent = n.constantLiteral(of: y)?.splatValue?.realValue, exponent == exponent.rounded(),
        (1...63).contains(exponent)
      {
        let shape = try n.broadcastShape([x, y])
        return try n.broadcast(product(of: Int(exponent), x, &n), to: shape)
      }
      let result = try n.map(.power, n.convert(x, .f64), n.convert(y, .f64))
      return try n.convert(result, x.element)
    }
    return try n.map(.power, x, n.convert(y, x.element))
  }

  /// So many factors `x`, which needs no floats.
  private static func product(of count: Int, _ x: Value, _ n: inout Lowering) throws(OpError) -> Value {
    if count == 1 { return x }
    let half = try product(of: count / 2, x, &n)
    let square = try n.multiply(half, half)
    return count % 2 == 0 ? square : try n.multiply(square, x)
  }

  private static func bitShift(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = try operands(&n)
    switch try n.string("direction") {
    case "LEFT": return try n.map(.shiftLeft, x, y)
    case "RIGHT": return try n.map(x.element.kind == .signed ? .shiftRightArithmetic : .shiftRightLogical, x, y)
    case let direction: throw OpError("attribute 'direction' is '\(direction ?? "")', not LEFT or RIGHT")
    }
  }

  private static func choose(_ n: inout Lowering) throws(OpError) -> Value {
    let (condition, x, y) = (try n.input(0), try n.input(1), try n.input(2))
    guard condition.element.isBoolean else { throw OpError("its condition is \(condition.type), not booleans") }
    guard x.element == y.element else { throw OpError("its inputs are \(x.type) and \(y.type), of different types") }
    if let known = chosen(&n, condition, x, y) { return known }
    return try n.select(condition, x, y)
  }

  /// The choice between known integers by known conditions.
  private static func chosen(_ n: inout Lowering, _ condition: Value, _ x: Value, _ y: Value) -> Value? {
    guard x.element.isInteger, n.content(of: condition) != nil, let content = n.content(of: condition),
      content.allSatisfy(\.isFixed), x.rank <= 1, y.rank <= 1, condition.rank <= 1,
      let a = n.content(of: x), let b = n.content(of: y)
    else { return nil }
    let count = max(content.count, a.count, b.count)
    guard [content.count, a.count, b.count].allSatisfy({ $0 == 1 || $0 == count }) else { return nil }
    let picked: [Extent] = (0..<count).map { index in
      let holds = content[content.count == 1 ? 0 : index] != .zero
      return holds ? a[a.count == 1 ? 0 : index] : b[b.count == 1 ? 0 : index]
    }
    let rank = max(condition.rank, x.rank, y.rank)
    return n.known(picked, x.element, rank == 0 ? [] : [count])
  }

  /// Limits are attributes before opset 11, then inputs; each may be left out.
  private static func clip(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    var x = try n.input(0)
    if n.version < 11 {
      if let least = try n.float("min") { x = try n.maximum(x, least) }
      if let greatest = try n.float("max") { x = try n.minimum(x, greatest) }
      return x
    }
    if let least = n.optional(1) { x = try n.map(.maximum, x, least) }
    if let greatest = n.optional(2) { x = try n.map(.minimum, x, greatest) }
    return x
  }

  private static func isNaN(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    return try n.compare(.notEqual, x, x)
  }

  private static func isInfinite(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let negative = try n.flag("detect_negative", default: true)
    let positive = try n.flag("detect_positive", default: true)
    let isPositive = try n.compare(.equal, x, positive ? .infinity : -.infinity)
    guard positive != negative else {
      if positive { return try n.map(.or, isPositive, n.compare(.equal, x, -.infinity)) }
      return try n.splat(0, .i1, x.shape)
    }
    return isPositive
  }
}
