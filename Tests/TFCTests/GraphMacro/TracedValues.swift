import TFC

/// Functions about values, with `@Graph` and conditions that are part of the graph.
enum TracedValues {
  typealias Number = Tensor<Float>
  typealias Box = TensorBox

  static let all: [Case<Number>] = [
    Case("ternary", ternary),
    Case("ternaryInExpression", ternaryInExpression),
    Case("ternaryThatCallsMethods", ternaryThatCallsMethods),
    Case("ifExpression", ifExpression),
    Case("implicitReturn", implicitReturn),
    Case("implicitReturnOfIf", implicitReturnOfIf),
    Case("conditionsWithCommas", conditionsWithCommas),
    Case("nestedTernaries", nestedTernaries),
    Case("closureTernaryAssigns", closureTernaryAssigns),
  ]

  @Graph
  static func ternary(_ x: Number, _ z: Number) -> Number {
    let y = x .> z ? x : z + Number(1)
    return y .> Number(2) ? (x .> Number(0) ? y : z) : Number(3)
  }

  @Graph
  static func ternaryInExpression(_ x: Number, _ z: Number) -> Number {
    return x + (x .> z ? Number(1) : Number(2)) * z
  }

  @Graph
  static func ternaryThatCallsMethods(_ x: Number, _ z: Number) -> Number {
    var box = Box(x)
    let y = x .> z ? box.increased() : box.value
    return y + box.value
  }

  @Graph
  static func ifExpression(_ x: Number, _ z: Number) -> Number {
    let y = if x .> z { x } else if z .> Number(1) { z * Number(2) } else { Number(9) }
    return y + Number(1)
  }

  @Graph
  static func implicitReturn(_ x: Number, _ z: Number) -> Number {
    x .> z ? x : z
  }

  @Graph
  static func implicitReturnOfIf(_ x: Number, _ z: Number) -> Number {
    if x .> z { x } else { z }
  }

  @Graph
  static func conditionsWithCommas(_ x: Number, _ z: Number) -> Number {
    if x .> Number(0), z .> Number(0) { return x }
    if x .> Number(1) && z .> Number(-1) || !(x .< Number(2)) { return z }
    return x * z
  }

  @Graph
  static func nestedTernaries(_ x: Number, _ z: Number) -> Number {
    let y = x .> z ? x : z .> Number(1) ? z : x .> Number(0) ? Number(7) : Number(8)
    let name = [1].isEmpty ? "a" : "b"
    let maximum = [x, z].map { $0 }.reduce(Number(0)) { a, b in name == "b" ? a + b : a }
    let text = "\([1].isEmpty ? 1 : 2)"
    return text == "2" ? y + maximum : Number(0)
  }

  @Graph
  static func closureTernaryAssigns(_ x: Number, _ z: Number) -> Number {
    var y = x
    let add = { (v: Number) -> Number in
      y += v
      return y
    }
    let w = z .> Number(1) ? add(z) : add(x + Number(1))
    return y * Number(10) + w
  }
}
