import GraphBuilding
import IR

extension Operator {
  /// Activation functions, most of them functions of ONNX over simpler ops.
  static let activations: [Operator] = [
    Operator("Relu", one: relu),
    Operator("LeakyRelu", one: leakyRelu),
    Operator("PRelu", one: parametricRelu),
    Operator("ThresholdedRelu", one: thresholdedRelu),
    Operator("Elu", one: elu),
    Operator("Selu", one: selu),
    Operator("Celu", one: celu),
    Operator("Softplus", one: softplus),
    Operator("Softsign", one: softsign),
    Operator("HardSigmoid", one: hardSigmoid),
    Operator("HardSwish", one: hardSwish),
    Operator("Mish", one: mish),
    Operator("Gelu", one: gelu),
    Operator("Swish", one: swish),
    Operator("SwiGLU") { (n) throws(OpError) in
      let (gate, x) = (try n.input(0), try n.input(1))
      let alpha = try n.float("alpha", default: 1)
      return [try n.multiply(n.multiply(gate, n.map(.logistic, n.multiply(gate, alpha))), x)]
    },
    Operator("Shrink", one: shrink),
  ]

  private static func relu(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    return try n.maximum(try n.input(0), 0)
  }

  private static func leakyRelu(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    let slope = try n.float("alpha", default: 0.01)
    return try n.select(n.compare(.less, x, 0), n.multiply(x, slope), x)
  }

  /// The slope broadcasts to `x` alone; before opset 7 a vector of slopes belongs to the channels.
  private static func parametricRelu(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    var slope = try n.input(1)
    if n.version < 7, slope.rank == 1, x.rank > 2, slope.shape[0] != .one {
      slope = try n.reshape(slope, slope.shape + [Extent](repeating: .one, count: x.rank - 2))
    }
    let scaled = try n.multiply(x, n.broadcast(slope, to: x.shape))
    return try n.select(n.compare(.less, x, 0), scaled, x)
  }

  private static func thresholdedRelu(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let threshold = try n.float("alpha", default: 1)
    return try n.select(n.compare(.greater, x, threshold), x, 0)
  }

  private static func elu(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 1)
    let negative = try n.multiply(n.map(.exponentialMinusOne, x), alpha)
    return try n.select(n.compare(.less, x, 0), negative, x)
  }

  private static func selu(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 1.67326319217681884765625)
    let gamma = try n.float("gamma", default: 1.05070102214813232421875)
    let negative = try n.multiply(n.map(.exponentialMinusOne, x), alpha)
    return try n.multiply(n.select(n.compare(.greater, x, 0), x, negative), gamma)
  }

  private static func celu(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 1)
    let curve = try n.multiply(n.map(.exponentialMinusOne, n.divide(x, alpha)), alpha)
    return try n.add(n.maximum(x, 0), n.minimum(curve, 0))
  }

  private static func softplus(_ n: inout Lowering) throws(OpError) -> Value { try n.softplus(try n.input(0)) }

  private static func softsign(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    return try n.divide(x, n.add(n.map(.abs, x), 1))
  }

  private static func hardSigmoid(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 0.2)
    let beta = try n.float("beta", default: 0.5)
    return try n.minimum(n.maximum(n.add(n.multiply(x, alpha), beta), 0), 1)
  }

  private static func hardSwish(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let gate = try n.minimum(n.maximum(n.add(n.multiply(x, 1.0 / 6.0), 0.5), 0), 1)
    return try n.multiply(x, gate)
  }

  /// x tanh(log(1 + exp(x))), which is x a / (a + b): with e = exp(-|x|) and, for x ≥ 0, a = 1 + 2e and b = 2e²; else
  /// a = e (e + 2) and b = 2.
  private static func mish(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let e = try n.map(.exponential, n.map(.negate, n.map(.abs, x)))
    let twice = try n.add(e, e)
    let isPositive = try n.compare(.greaterOrEqual, x, 0)
    let a = try n.select(isPositive, n.add(twice, 1), n.multiply(e, n.add(e, 2)))
    let b = try n.select(isPositive, n.multiply(twice, e), n.scalar(2, x.element))
    return try n.multiply(x, n.divide(a, n.add(a, b)))
  }

  private static func gelu(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    switch try n.string("approximate", default: "none") {
    case "none":
      let cumulative = try n.add(n.map(.errorFunction, n.divide(x, 2.0.squareRoot())), 1)
      return try n.multiply(n.multiply(x, 0.5), cumulative)
    case "tanh":
      let cube = try n.multiply(n.multiply(n.multiply(x, x), x), 0.044715)
      let inner = try n.multiply(n.add(x, cube), (2 / Double.pi).squareRoot())
      return try n.multiply(n.multiply(x, 0.5), n.add(n.map(.hyperbolicTangent, inner), 1))
    case let name: throw OpError("attribute 'approximate' is '\(name)', not none or tanh")
    }
  }

  private static func swish(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 1)
    return try n.multiply(x, n.map(.logistic, n.multiply(x, alpha)))
  }

  private static func shrink(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let limit = try n.float("lambd", default: 0.5)
    let bias = try n.float("bias", default: 0)
    let right = try n.select(n.compare(.greater, x, limit), n.subtract(x, bias), 0)
    return try n.select(n.compare(.less, x, -limit), n.add(x, bias), right)
  }
}

extension Lowering {
  /// An activation function of the recurrent ops, by its name.
  mutating func activation(_ name: String, _ x: Value, alpha: Double?, beta: Double?) throws(OpError) -> Value {
    switch name.lowercased() {
    case "sigmoid": return try map(.logistic, x)
    case "tanh": return try map(.hyperbolicTangent, x)
    case "relu": return try maximum(x, 0)
    case "affine": return try add(multiply(x, alpha ?? 1), beta ?? 0)
    case "leakyrelu": return try select(compare(.less, x, 0), multiply(x, alpha ?? 0.01), x)
    case "thresholdedrelu": return try select(compare(.greater, x, alpha ?? 1), x, 0)
    case "scaledtanh": return try multiply(map(.hyperbolicTangent, multiply(x, beta ?? 1)), alpha ?? 1)
    case "hardsigmoid": return try minimum(maximum(add(multiply(x, alpha ?? 0.2), beta ?? 0.5), 0), 1)
    case "elu": return try select(compare(.less, x, 0), multiply(map(.exponentialMinusOne, x), alpha ?? 1), x)
    case "softsign": return try divide(x, add(map(.abs, x), 1))
    case "softplus": return try softplus(x)
    default: throw .unsupported("activation \(name)")
    }
  }
}
