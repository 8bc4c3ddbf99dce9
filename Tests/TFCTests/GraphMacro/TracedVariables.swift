import TFC

/// Functions about variables, with `@Graph` and conditions that are part of the graph.
enum TracedVariables {
  typealias Number = Tensor<Float>
  typealias Box = TensorBox

  static let all: [Case<Number>] = [
    Case("declaresLetBefore", declaresLetBefore),
    Case("declaresTwoBefore", declaresTwoBefore),
    Case("declaresBeforeElseIf", declaresBeforeElseIf),
    Case("declaresBeforeNested", declaresBeforeNested),
    Case("closuresAndFunctions", closuresAndFunctions),
    Case("structMembers", structMembers),
    Case("arrayElements", arrayElements),
    Case("inoutArguments", inoutArguments),
    Case("switchInside", switchInside),
    Case("optionalBindings", optionalBindings),
    Case("localFunctions", localFunctions),
    Case("defersInside", defersInside),
    Case("hiddenNames", hiddenNames),
    Case("computedVariable", computedVariable),
  ]

  @Graph
  static func declaresLetBefore(_ x: Number, _ z: Number) -> Number {
    let y: Number
    if x .> z { y = x } else { y = z + Number(1) }
    return y * Number(2)
  }

  @Graph
  static func declaresTwoBefore(_ x: Number, _ z: Number) -> Number {
    let lower: Number
    let upper: Number
    var twice: Number
    if x .< z {
      lower = x
      twice = x
      upper = z
      twice += z
    } else {
      (lower, upper) = (z, x)
      twice = upper
      twice *= Number(2)
    }
    twice += Number(1)
    return lower + upper * Number(3) + twice * Number(5)
  }

  @Graph
  static func declaresBeforeElseIf(_ x: Number, _ z: Number) -> Number {
    let y: Number
    if x .> Number(1) {
      y = x
    } else if z .> Number(1) {
      y = z * Number(3)
    } else {
      let half = x - z
      y = half
    }
    return y
  }

  @Graph
  static func declaresBeforeNested(_ x: Number, _ z: Number) -> Number {
    var y: Number
    if x .> Number(0) {
      if z .> Number(0) { y = x + z } else { y = x - z }
      y += Number(1)
    } else {
      y = z
    }
    return y
  }

  @Graph
  static func closuresAndFunctions(_ x: Number, _ z: Number) -> Number {
    var y = x
    var calls = Number(0)
    let add = { (v: Number) in y += v }
    func count() { calls += Number(1) }
    if x .> z {
      add(Number(3))
      count()
    } else {
      _ = [x, z].map { y += $0 }
    }
    return y + calls * Number(100)
  }

  @Graph
  static func structMembers(_ x: Number, _ z: Number) -> Number {
    var box = Box(x)
    if x .> z {
      box.value += z
      box.increase(by: Number(2))
    } else {
      box.items[1] = x
    }
    return box.value + box.items[0] * Number(10) + box.items[1] * Number(100)
  }

  @Graph
  static func arrayElements(_ x: Number, _ z: Number) -> Number {
    var items = [x, z]
    if x .> z { items[0] = Number(5) } else { items.swapAt(0, 1) }
    return items[0] - items[1]
  }

  @Graph
  static func inoutArguments(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> z { add(z, to: &y) }
    return y
  }

  @Graph
  static func switchInside(_ x: Number, _ z: Number) -> Number {
    var y = x
    switch [1, 2].count {
    case 1: y = z
    case 2:
      if x .> z { y += z } else { y -= z }
      if [0].isEmpty { break }
      y += Number(1)
    default: break
    }
    return y
  }

  @Graph
  static func optionalBindings(_ x: Number, _ z: Number) -> Number {
    var y = x
    let extra: Number? = z
    if let extra {
      if x .> extra { y += extra }
    } else if x .> z {
      y = z
    }
    guard let bound = extra else { return y }
    if bound .> Number(1) { return bound }
    return y
  }

  @Graph
  static func localFunctions(_ x: Number, _ z: Number) -> Number {
    var y = x
    func raise(_ v: Number) -> Number {
      guard v.isKnown else { return v }
      y += v
      return y
    }
    if x .> z {
      func twice(_ v: Number) -> Number { v + v }
      y = twice(raise(z))
    } else {
      let three = { (v: Number) -> Number in
        let w = v + v
        return w + v
      }
      y -= three(raise(x))
    }
    return y
  }

  @Graph
  static func defersInside(_ x: Number, _ z: Number) -> Number {
    var y = x
    do {
      defer { y += Number(1) }
      if y .> z { y *= Number(2) }
    }
    if y .> z {
      defer { y += Number(100) }
      y *= Number(3)
    }
    for _ in 0..<2 {
      defer { y -= Number(1) }
      if y .> z { continue }
      y += z
    }
    return y
  }

  @Graph
  static func hiddenNames(_ x: Number, _ z: Number) -> Number {
    var y = x
    let optional = [z].last
    if z .> Number(0) {
      var x = x
      x += Number(1)
      if let y = optional, pending(y) { x = y }
      y = x
    } else {
      for y in [x, z] { if y .> Number(-2) { pending(y) } }
      _ = [x].map { y in
        var y = y
        y += Number(1)
      }
      switch optional {
      case let y?: pending(y)
      case nil: y = Number(0)
      }
    }
    @discardableResult func pending(_ v: Number) -> Bool { false }
    return y
  }

  @Graph
  static func computedVariable(_ x: Number, _ z: Number) -> Number {
    var stored = x
    var y: Number {
      get { stored }
      set { stored = newValue + Number(1) }
    }
    var twice: Number { stored + stored }
    if x .> z {
      y = z
      y += twice.itself()
    }
    return y + twice
  }
}
