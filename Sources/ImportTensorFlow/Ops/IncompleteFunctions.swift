import GraphBuilding
import IR

extension Operator {
  /// Incomplete gamma and beta functions, by series and continued fractions that end where no element changes any more.
  static let incompleteFunctions: [Operator] = [
    Operator("Igamma", one: { (n) throws(OpError) in try incompleteGamma(&n, isUpper: false) }),
    Operator("Igammac", one: { (n) throws(OpError) in try incompleteGamma(&n, isUpper: true) }),
    Operator("Betainc", one: incompleteBeta),
  ]

  private static func incompleteGamma(_ n: inout Lowering, isUpper: Bool) throws(OpError) -> Value {
    let element = try n.input(0).element
    let values = try n.aligned([try n.input(0), try n.input(1)])
    let (a, x) = (values[0], values[1])
    // The series is good where the lower part is the smaller one.
    let isFar = try n.map(.and, n.compare(.greaterOrEqual, x, 1), n.compare(.greaterOrEqual, x, a))
    let isInside = try n.map(
      .and, n.map(.and, n.compare(.greater, a, 0), n.compare(.greater, x, 0)), n.compare(.less, x, .infinity))
    let factor = try n.map(
      .exponential,
      n.subtract(n.subtract(n.multiply(a, n.map(.log, x)), x), n.map(.logGamma, a)))
    let isNear = try n.map(.and, isInside, n.map(.not, isFar))
    let lower = try n.multiply(factor, n.gammaSeries(a, x, where: isNear))
    let upper = try n.multiply(factor, n.gammaFraction(a, x, where: n.map(.and, isInside, isFar)))
    let result =
      try isUpper
      ? n.select(isFar, upper, n.subtract(1, lower)) : n.select(isFar, n.subtract(1, upper), lower)
    let low = try n.select(n.compare(.equal, x, 0), n.splat(isUpper ? 1 : 0, like: x), result)
    let all = try n.select(n.compare(.equal, x, .infinity), n.splat(isUpper ? 0 : 1, like: x), low)
    let isDefined = try n.map(.and, n.compare(.greater, a, 0), n.compare(.greaterOrEqual, x, 0))
    return try n.convert(n.select(isDefined, all, n.scalar(.nan, x.element)), element)
  }

  private static func incompleteBeta(_ n: inout Lowering) throws(OpError) -> Value {
    let element = try n.input(0).element
    let values = try n.aligned([try n.input(0), try n.input(1), try n.input(2)])
    let (a, b, x) = (values[0], values[1], values[2])
    let total = try n.add(a, b)
    // The fraction is good below the mean; above it that of the other side is.
    let isFar = try n.compare(.greaterOrEqual, x, n.divide(n.add(a, 1), n.add(total, 2)))
    let (near, far) = (try n.select(isFar, b, a), try n.select(isFar, a, b))
    let part = try n.select(isFar, n.subtract(1, x), x)
    let isInside = try n.map(
      .and, n.map(.and, n.compare(.greater, a, 0), n.compare(.greater, b, 0)),
      n.map(.and, n.compare(.greater, x, 0), n.compare(.less, x, 1)))
    let logarithms = try n.add(
      n.multiply(a, n.map(.log, x)), n.multiply(b, n.map(.logPlusOne, n.map(.negate, x))))
    let gammas = try n.subtract(n.map(.logGamma, total), n.add(n.map(.logGamma, a), n.map(.logGamma, b)))
    let factor = try n.divide(n.map(.exponential, n.add(logarithms, gammas)), near)
    let own = try n.multiply(factor, n.betaFraction(near, far, part, where: isInside))
    let result = try n.select(isFar, n.subtract(1, own), own)
    let low = try n.select(n.compare(.equal, x, 0), n.scalar(0, x.element), result)
    let all = try n.select(n.compare(.equal, x, 1), n.splat(1, like: x), low)
    let isDefined = try n.map(
      .and, n.map(.and, n.compare(.greater, a, 0), n.compare(.greater, b, 0)),
      n.map(.and, n.compare(.greaterOrEqual, x, 0), n.compare(.lessOrEqual, x, 1)))
    return try n.convert(n.select(isDefined, all, n.scalar(.nan, x.element)), element)
  }
}

extension Lowering {
  private static var roundLimit: Double { 2000 }

  /// Operands of one shape, in a type that is computed in.
  fileprivate mutating func aligned(_ values: [Value]) throws(OpError) -> [Value] {
    let shape = try broadcastShape(values)
    var result: [Value] = []
    for value in values {
      guard value.element.isFloat else { throw OpError("it takes floats, not \(value.type)") }
      result.append(try broadcast(convert(value, value.element == .f64 ? .f64 : .f32), to: shape))
    }
    return result
  }

  private func unit(_ element: ElementType) -> Double { element == .f64 ? 0x1p-53 : 0x1p-24 }

  /// Repeats `round` while elements change that are wanted, for at most so many rounds; the first value says by how much.
  private mutating func converge(
    _ initial: [Value], _ isWanted: Value, _ round: (inout Lowering, Value, [Value]) throws(OpError) -> [Value]
  ) throws(OpError) -> [Value] {
    let limit = unit(initial[0].element)
    let axes = Array(isWanted.shape.indices)
    let start = scalar(1, initial[0].element)
    return Array(
      try loop(
        [start] + initial,
        while: { (n, values) throws(OpError) in
          let changes = try n.map(.and, isWanted, n.compare(.greater, values[1], limit))
          return try n.map(.and, n.reduce(changes, axes, .or), n.compare(.less, values[0], Self.roundLimit))
        },
        { (n, values) throws(OpError) in
          [try n.add(values[0], 1)] + (try round(&n, values[0], Array(values.dropFirst())))
        }
      ).dropFirst())
  }

  /// `1/a + x/(a(a+1)) + …`.
  fileprivate mutating func gammaSeries(_ a: Value, _ x: Value, where isWanted: Value) throws(OpError) -> Value {
    let (a, x) = (try select(isWanted, a, splat(1, like: a)), try select(isWanted, x, splat(0.5, like: x)))
    let one = try splat(1, like: a)
    let sum = try converge([one, one, one], isWanted) { (n, step, values) throws(OpError) in
      let term = try n.multiply(values[1], n.divide(x, n.add(a, step)))
      let sum = try n.add(values[2], term)
      return [try n.divide(term, sum), term, sum]
    }[2]
    return try divide(sum, a)
  }

  /// The continued fraction of the upper part, by its numerators and denominators.
  fileprivate mutating func gammaFraction(_ a: Value, _ x: Value, where isWanted: Value) throws(OpError) -> Value {
    let (a, x) = (try select(isWanted, a, splat(1, like: a)), try select(isWanted, x, splat(2, like: x)))
    let one = try splat(1, like: a)
    let shift = try subtract(1, a)
    let first = try add(x, 1)
    let under = try multiply(add(add(x, shift), 1), x)
    let large = 1 / unit(a.element)
    return try converge([one, divide(first, under), one, x, first, under], isWanted) {
      (n, step, values) throws(OpError) in
      let middle = try n.add(n.add(n.add(x, shift), n.multiply(step, 2)), 1)
      let product = try n.multiply(n.add(shift, step), step)
      let over = try n.subtract(n.multiply(values[4], middle), n.multiply(values[2], product))
      let under = try n.subtract(n.multiply(values[5], middle), n.multiply(values[3], product))
      let isNone = try n.compare(.equal, under, 0)
      let ratio = try n.select(isNone, values[1], n.divide(over, under))
      let change = try n.select(isNone, one, n.map(.abs, n.divide(n.subtract(values[1], ratio), ratio)))
      // All four are made smaller before they are too large.
      let isLarge = try n.compare(.greater, n.map(.abs, over), large)
      let scale = try n.select(isLarge, n.splat(1 / large, like: over), one)
      return [
        change, ratio, try n.multiply(values[4], scale), try n.multiply(values[5], scale),
        try n.multiply(over, scale), try n.multiply(under, scale),
      ]
    }[1]
  }

  /// The continued fraction of the incomplete beta function, by Lentz' method.
  fileprivate mutating func betaFraction(
    _ a: Value, _ b: Value, _ x: Value, where isWanted: Value
  ) throws(OpError) -> Value {
    let (a, b) = (try select(isWanted, a, splat(1, like: a)), try select(isWanted, b, splat(1, like: b)))
    let x = try select(isWanted, x, splat(0.25, like: x))
    let total = try add(a, b)
    let one = try splat(1, like: a)
    let tiny = a.element == .f64 ? 1e-300 : 1e-30
    func solid(_ n: inout Lowering, _ value: Value) throws(OpError) -> Value {
      try n.select(n.compare(.less, n.map(.abs, value), tiny), n.splat(tiny, like: value), value)
    }
    let start = try divide(1, solid(&self, subtract(1, divide(multiply(total, x), add(a, 1)))))
    return try converge([one, one, start, start], isWanted) { (n, step, values) throws(OpError) in
      let double = try n.add(a, n.multiply(step, 2))
      let even = try n.divide(
        n.multiply(n.multiply(n.subtract(b, step), step), x), n.multiply(n.subtract(double, 1), double))
      let odd = try n.divide(
        n.multiply(n.map(.negate, n.multiply(n.add(a, step), n.add(total, step))), x),
        n.multiply(double, n.add(double, 1)))
      var (over, under, product) = (values[1], values[2], values[3])
      var ratio = one
      for term in [even, odd] {
        under = try n.divide(1, solid(&n, n.add(n.multiply(term, under), 1)))
        over = try solid(&n, n.add(n.divide(term, over), 1))
        ratio = try n.multiply(over, under)
        product = try n.multiply(product, ratio)
      }
      return [try n.map(.abs, n.subtract(ratio, 1)), over, under, product]
    }[3]
  }
}
