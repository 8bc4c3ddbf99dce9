/// Functions about branches, as Swift runs them. The bodies in the other two files are the same.
enum ReferenceBranches {
  typealias Number = Float

  static let all: [Case<Number>] = [
    Case("assignsInOneBranch", assignsInOneBranch),
    Case("assignsInBothBranches", assignsInBothBranches),
    Case("elseIfChain", elseIfChain),
    Case("nestedIfs", nestedIfs),
    Case("shadowedName", shadowedName),
    Case("swapsByTuple", swapsByTuple),
    Case("fallsThrough", fallsThrough),
    Case("semicolonsAndComments", semicolonsAndComments),
    Case("elseIfAfterBinding", elseIfAfterBinding),
  ]

  static func assignsInOneBranch(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> z { y += z }
    return y
  }

  static func assignsInBothBranches(_ x: Number, _ z: Number) -> Number {
    var y = x
    var w = z
    if x .> z {
      y = w * Number(2)
      w = y + x
    } else {
      w -= y
    }
    return y + w * Number(10)
  }

  static func elseIfChain(_ x: Number, _ z: Number) -> Number {
    var y = Number(0)
    if x .> Number(2) {
      y = x + z
    } else if z .> Number(1) {
      y = z - x
    } else if x .< Number(-1) {
      y += Number(5)
    }
    return y
  }

  static func nestedIfs(_ x: Number, _ z: Number) -> Number {
    var a = x
    var b = z
    if a .> Number(0) {
      a += Number(1)
      if b .> Number(1) {
        b = a * b
        if a .> b { a = b }
      } else {
        b -= a
      }
      a += b
    }
    return a * Number(3) + b
  }

  static func shadowedName(_ x: Number, _ z: Number) -> Number {
    var y = x
    if x .> z {
      var y = z
      y += Number(1)
      if y .> Number(2) { y = Number(7) }
      w(y)
    } else {
      let z = y + Number(2)
      y = z
    }
    func w(_ v: Number) {}
    return y
  }

  static func swapsByTuple(_ x: Number, _ z: Number) -> Number {
    var a = x
    var b = z
    if a .< b { (a, b) = (b, a + Number(1)) }
    return a - b * Number(2)
  }

  static func fallsThrough(_ x: Number, _ z: Number) -> Number {
    var y = x
    switch [0].count {
    case 1:
      if x .> z { y += Number(1) }
      fallthrough
    case 2:
      if y .> z { y += Number(10) }
    default: return z
    }
    return y
  }

  static func semicolonsAndComments(_ x: Number, _ z: Number) -> Number {
    var y = x
    var w = z  // first
    if y  // asks
      .> w
    {  // then
      y += w
      w = y  // both
    }  // or
    else if w .> Number(2) {
      w -= y
      y = w
    }
    // last
    return
      (y  // a
      .> w ? y : w)  // b
      + w
  }

  static func elseIfAfterBinding(_ x: Number, _ z: Number) -> Number {
    var y = x
    let nothing: Number? = nil
    if let nothing {
      y = nothing
    } else if x .> z {
      y += Number(1)
    } else if let one = [z].first, [one].isEmpty {
      y = one
    } else if x .> Number(0) {
      y += Number(2)
    } else {
      y -= Number(3)
    }
    return y
  }
}
