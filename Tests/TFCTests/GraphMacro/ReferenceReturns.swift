/// Functions about returns, as Swift runs them. The bodies in the other two files are the same.
enum ReferenceReturns {
  typealias Number = Float

  static let all: [Case<Number>] = [
    Case("returnsEarly", returnsEarly),
    Case("returnsEarlyTwice", returnsEarlyTwice),
    Case("returnsInNested", returnsInNested),
    Case("returnsInAllNested", returnsInAllNested),
    Case("returnsFromElse", returnsFromElse),
    Case("returnsInElseIf", returnsInElseIf),
    Case("guards", guards),
    Case("guardInBranch", guardInBranch),
    Case("returnWithShadow", returnWithShadow),
    Case("declaresBeforeReturn", declaresBeforeReturn),
    Case("declaresBeforeNestedReturn", declaresBeforeNestedReturn),
    Case("defersAtReturn", defersAtReturn),
    Case("generatedNames", generatedNames),
    Case("functionsUsedBefore", functionsUsedBefore),
    Case("localTypes", localTypes),
    Case("deepReturns", deepReturns),
    Case("returnInsidePlainBranch", returnInsidePlainBranch),
    Case("initializedBySwitch", initializedBySwitch),
    Case("initializedAfterReturn", initializedAfterReturn),
  ]

  static func returnsEarly(_ x: Number, _ z: Number) -> Number {
    if x .> z { return x * Number(2) }
    return z
  }

  static func returnsEarlyTwice(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> Number(2) { return y }
    y += Number(1)
    if z .> Number(1) {
      y *= z
      return y
    }
    y -= z
    return y
  }

  static func returnsInNested(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> Number(0) {
      if z .> Number(1) { return Number(100) }
      y += Number(1)
    }
    y *= Number(2)
    return y + z
  }

  static func returnsInAllNested(_ x: Number, _ z: Number) -> Number {
    if x .> Number(0) {
      if z .> Number(1) { return Number(100) } else { return x }
    } else if x .< Number(-1) {
      return z
    } else {
      return Number(-7)
    }
  }

  static func returnsFromElse(_ x: Number, _ z: Number) -> Number {
    var y = z
    if x .> Number(0) { y += x } else { return y }
    y += Number(1)
    return y
  }

  static func returnsInElseIf(_ x: Number, _ z: Number) -> Number {
    var y = z
    if x .> Number(2) {
      y += x
    } else if z .> Number(0) {
      return y
    }
    y += Number(1)
    return y
  }

  static func guards(_ x: Number, _ z: Number) -> Number {
    guard x .> z else { return z - x }
    let y = x - z
    guard y .> Number(1) else { return y * Number(10) }
    return y
  }

  static func guardInBranch(_ x: Number, _ z: Number) -> Number {
    var y = x
    if z .> Number(0) {
      guard x .> Number(1) else { return Number(42) }
      y += z
    }
    return y
  }

  static func returnWithShadow(_ x: Number, _ z: Number) -> Number {
    let y = x + Number(1)
    if z .> Number(0) {
      let y = z
      if y .> Number(1) { return y }
    }
    return y
  }

  static func declaresBeforeReturn(_ x: Number, _ z: Number) -> Number {
    let y: Number
    if x .> z { y = x } else { return z }
    return y + Number(1)
  }

  static func declaresBeforeNestedReturn(_ x: Number, _ z: Number) -> Number {
    let y: Number
    if x .> Number(0) {
      if z .> Number(1) { return z }
      y = x + z
    } else {
      return x
    }
    return y + Number(1)
  }

  static func defersAtReturn(_ x: Number, _ z: Number) -> Number {
    var count = Number(0)
    func total() -> Number { count }
    if x .> z {
      do {
        defer { count += Number(1) }
        count += x
      }
      return total()
    }
    return z
  }

  static func generatedNames(_ x: Number, _ z: Number) -> Number {
    var condition1 = x
    let rest1 = z
    var element1 = Number(0)
    if condition1 .> rest1 {
      if rest1 .> Number(0) { return rest1 }
      condition1 += Number(1)
    }
    for (sequence1, pair) in [(1, x), (2, z)] {
      if pair .> Number(1) { element1 += Number(Float(sequence1)) }
    }
    return condition1 * Number(10) + element1
  }

  static func functionsUsedBefore(_ x: Number, _ z: Number) -> Number {
    var y = later(x)
    if y .> z { y += later(y) }
    func later(_ v: Number) -> Number { v + Number(1) }
    y += later(z)
    return y
  }

  static func localTypes(_ x: Number, _ z: Number) -> Number {
    struct Pair {
      var a: Number
      func sum(_ b: Number) -> Number { a + b }
    }
    if x .> z { return Pair(a: x).sum(z) }
    let pair = Pair(a: z)
    return pair.sum(Number(1))
  }

  static func deepReturns(_ x: Number, _ z: Number) -> Number {
    var y = x
    if y .> Number(0) {
      if z .> Number(0) {
        if y .> z { return y - z }
        y += Number(1)
      } else if z .< Number(-2) {
        y -= Number(5)
      } else {
        guard y .> Number(1) else { return Number(50) }
      }
      y *= Number(2)
    } else {
      y -= z
    }
    let y2 = y + Number(1)
    if y2 .> Number(4) {
      if x .< z { return y2 }
      let y = y2 * Number(2)
      if y .> Number(20) { return y }
    }
    return y2 - y
  }

  static func returnInsidePlainBranch(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> z {
      for step in 0..<3 where step > 1 { return y + Number(Float(step)) }
      switch [0].count {
      case 1: return z
      default: y += Number(1)
      }
    }
    if let first = [x].first {
      y += first
      if [x].isEmpty { return y }
    }
    return y * Number(2)
  }

  static func initializedBySwitch(_ x: Number, _ z: Number) -> Number {
    let y: Number
    switch [0].count {
    case 1:
      if x .> z { y = x } else { y = z }
    default:
      y = Number(1)
    }
    let w: Number
    do { w = y + Number(1) }
    if w .> Number(2) { return w * y }
    return y
  }

  static func initializedAfterReturn(_ x: Number, _ z: Number) -> Number {
    let y: Number
    if x .> Number(0) {
      y = z
    } else {
      if z .> Number(1) { return Number(30) }
      y = x
    }
    var w: Number
    if y .> Number(0) { w = y } else { w = Number(4) }
    w += y
    return w
  }
}
