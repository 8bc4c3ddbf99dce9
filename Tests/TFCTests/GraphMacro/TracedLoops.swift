import TFC

/// Functions about loops, with `@Graph` and conditions that are part of the graph.
enum TracedLoops {
  typealias Number = Tensor<Float>

  static let all: [Case<Number>] = [
    Case("whileLoop", whileLoop),
    Case("whileWithIf", whileWithIf),
    Case("whileWithBreak", whileWithBreak),
    Case("whileTrue", whileTrue),
    Case("whileWithContinue", whileWithContinue),
    Case("whileWithBreakAndContinue", whileWithBreakAndContinue),
    Case("nestedLoops", nestedLoops),
    Case("repeatLoop", repeatLoop),
    Case("repeatWithContinue", repeatWithContinue),
    Case("forLoop", forLoop),
    Case("forWithBreak", forWithBreak),
    Case("forWithWhere", forWithWhere),
    Case("forOverPairs", forOverPairs),
    Case("loopThatReturns", loopThatReturns),
    Case("returnAfterLoop", returnAfterLoop),
    Case("switchInLoop", switchInLoop),
    Case("statementsAfterSplitInLoop", statementsAfterSplitInLoop),
    Case("labels", labels),
    Case("optionalPatterns", optionalPatterns),
    Case("loopVariableInitialized", loopVariableInitialized),
    Case("hostValuesAfterReturn", hostValuesAfterReturn),
  ]

  @Graph
  static func whileLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while y .< z + Number(3) {
      y += Number(1)
      n += y
    }
    return y + n * Number(100)
  }

  @Graph
  static func whileWithIf(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while n .< Number(4) {
      if y .> z { y -= Number(1) } else { y += Number(2) }
      n += Number(1)
    }
    return y
  }

  @Graph
  static func whileWithBreak(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while n .< Number(6) {
      n += Number(1)
      if y + n .> Number(5) { break }
      y += n
    }
    return y * Number(10) + n
  }

  @Graph
  static func whileTrue(_ x: Number, _ z: Number) -> Number {
    var y = x
    while true {
      y += Number(1)
      if y .> z { break }
    }
    return y
  }

  @Graph
  static func whileWithContinue(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while n .< Number(6) {
      n += Number(1)
      if n .> Number(2) {
        if y .> z { continue }
        y += n
      }
      y += Number(1)
    }
    return y
  }

  @Graph
  static func whileWithBreakAndContinue(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while n .< Number(8) {
      n += Number(1)
      guard n .> Number(2) else { continue }
      if y .> Number(9) {
        y += Number(100)
        break
      } else if n .== Number(5) {
        continue
      }
      y += n
    }
    return y + n
  }

  @Graph
  static func nestedLoops(_ x: Number, _ z: Number) -> Number {
    var y = x
    var i = Number(0)
    while i .< Number(3) {
      var j = Number(0)
      while j .< i {
        if y .> Number(20) { break }
        y += j + z
        j += Number(1)
      }
      i += Number(1)
    }
    return y
  }

  @Graph
  static func repeatLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    repeat { y += Number(1) } while y .< z
    return y
  }

  @Graph
  static func repeatWithContinue(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    repeat {
      n += Number(1)
      if n .> Number(2) { continue }
      if y .> Number(3) { break }
      y += z
    } while n .< Number(4)
    return y * Number(10) + n
  }

  @Graph
  static func forLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in [1, 2, 3] as [Float] {
      y += Number(step)
      if y .> z { y -= Number(2) }
    }
    return y
  }

  @Graph
  static func forWithBreak(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in 1...4 {
      if y .> z { break }
      y += Number(Float(step))
      if step == 3 { continue }
      y += Number(1)
    }
    return y
  }

  @Graph
  static func forWithWhere(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in 1...4 where step != 2 {
      y += Number(Float(step))
    }
    for _ in 0..<2 { y *= Number(2) }
    return y
  }

  @Graph
  static func forOverPairs(_ x: Number, _ z: Number) -> Number {
    var y = x
    for (offset, var value) in [x, z].enumerated().map({ ($0.offset, $0.element) }) {
      value += Number(Float(offset))
      if value .> Number(1) { y += value }
    }
    for var value in [x, z] {
      value += y
      y = value
    }
    return y
  }

  @Graph
  static func loopThatReturns(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in 1...4 {
      y += Number(Float(step))
      if step == 3 { return y }
    }
    return y
  }

  @Graph
  static func returnAfterLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    while y .< Number(3) { y += Number(1) }
    if y .> z { return y }
    for step in 1...2 { y += Number(Float(step)) }
    return y
  }

  @Graph
  static func switchInLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in 0..<4 {
      switch step {
      case 0: continue
      case 1: break
      default: y += Number(1)
      }
      if y .> z { break }
      y += Number(2)
    }
    return y
  }

  @Graph
  static func statementsAfterSplitInLoop(_ x: Number, _ z: Number) -> Number {
    var y = x
    var n = Number(0)
    while n .< Number(5) {
      n += Number(1)
      if y .> z {
        if n .> Number(2) { break }
        y -= Number(1)
      } else {
        y += Number(3)
      }
      let doubled = y * Number(2)
      y = doubled - n
    }
    return y
  }

  @Graph
  static func labels(_ x: Number, _ z: Number) -> Number {
    var y = x
    outer: for i in 0..<3 {
      for j in 0..<3 {
        if j > i { continue outer }
        if i == 2 { break outer }
        if y .> z { y -= Number(1) } else { y += Number(2) }
      }
    }
    return y
  }

  @Graph
  static func optionalPatterns(_ x: Number, _ z: Number) -> Number {
    var y = x
    var pending: [Number?] = [x, nil, z]
    while let last = pending.popLast() {
      guard let value = last else { continue }
      if value .> y { y = value }
    }
    for case let value? in [x, nil, z] where pending.isEmpty {
      if value .> Number(1) { y += value }
    }
    if case (let first, let second) = (x, z), pending.isEmpty {
      if first .> second { y += Number(1) }
    }
    return y
  }

  @Graph
  static func loopVariableInitialized(_ x: Number, _ z: Number) -> Number {
    var y = x
    for step in 0..<3 {
      let next: Number
      if y .> z { next = y - Number(2) } else { next = y + Number(Float(step)) }
      if next .> Number(4) { break }
      let again: Number
      if next .> Number(1) { again = next } else { continue }
      y += again
    }
    return y
  }

  @Graph
  static func hostValuesAfterReturn(_ x: Number, _ z: Number) -> Number {
    var count = 0
    var seen: [Int] = []
    if x .> z { return Number(Float(count)) }
    count += 1
    seen.append(count)
    if x .> Number(0) {
      count += 10
      seen.append(count)
      return Number(Float(seen.count + count))
    }
    for step in 0..<3 {
      var inner = step
      if z .> Number(Float(step)) { continue }
      inner += 1
      count += 1
      seen.append(inner)
      count -= 1
      seen.removeLast()
    }
    return Number(Float(count))
  }
}
