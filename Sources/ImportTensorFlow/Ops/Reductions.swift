import GraphBuilding
import IR

extension Operator {
  /// Ops that fold dimensions, or scan along them.
  static let reductions: [Operator] = [
    reduction(
      "Sum", fold: { $0.add($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .add, keep: keep) }),
    reduction(
      "Prod", fold: { $0.multiply($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .multiply, keep: keep) }),
    reduction(
      "Max", fold: { $0.maximum($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .maximum, keep: keep) }),
    reduction(
      "Min", fold: { $0.minimum($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .minimum, keep: keep) }),
    reduction("Mean") { (n, x, axes, keep) throws(OpError) in
      // Sums of integers may take more bits than the elements have.
      guard x.element.isInteger else { return try n.mean(x, axes, keep: keep) }
      let wide: ElementType = x.element.kind == .unsigned ? .ui64 : .i64
      return try n.convert(n.mean(n.convert(x, wide), axes, keep: keep), x.element)
    },
    reduction("All") { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .and, keep: keep) },
    reduction("Any") { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .or, keep: keep) },
    reduction("EuclideanNorm") { (n, x, axes, keep) throws(OpError) in
      try n.map(.squareRoot, n.reduce(n.multiply(n.conjugate(x), x), axes, .add, keep: keep))
    },
    cumulative("Cumsum", .add), cumulative("Cumprod", .multiply), Operator("CumulativeLogsumexp", one: logSumScan),
  ]

  private typealias Fold = @Sendable (inout Lowering, Value, [Int], Bool) throws(OpError) -> Value

  private static func reduction(
    _ name: String, fold: ExtentArithmetic.Binary? = nil, _ lower: @escaping Fold
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let keep = try n.flag("keep_dims")
      let axes = try n.axes(try n.integers(of: try n.input(1), "axes"), rank: x.rank)
      if let fold, let known = n.folded(x, axes, keep: keep, fold) { return [known] }
      return [try lower(&n, x, axes, keep)]
    }
  }

  /// The logarithm of the sum of the powers up to each element.
  private static func logSumScan(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.integer(1, "axis"), rank: x.rank)
    let isExclusive = try n.flag("exclusive")
    let isReversed = try n.flag("reverse")
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(x.element)), body.addParameter(.scalar(x.element)))
    func add(_ function: ScalarFunction, _ operands: ValueID...) throws(OpError) -> ValueID {
      try body.append(.pointwise(function), operands)
    }
    let greatest = try add(.maximum, a, b)
    let difference = try add(.subtract, add(.minimum, a, b), greatest)
    let sum = try add(.add, greatest, add(.logPlusOne, add(.exponential, difference)))
    // The difference of two infinities is no number.
    let none = try body.append(.constant(Constant(.scalar(.real(-.infinity), x.element))), [])
    body.results = [try add(.select, add(.compare(.equal, .float), greatest, none), none, sum)]
    return try n.scan(x, axis, body, from: .real(-.infinity), isExclusive: isExclusive, isReversed: isReversed)
  }

  /// Folds of all elements up to each one.
  private static func cumulative(_ name: String, _ function: ScalarFunction) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let axis = try n.axis(try n.integer(1, "axis"), rank: x.rank)
      let isExclusive = try n.flag("exclusive")
      let isReversed = try n.flag("reverse")
      return [try n.scan(x, axis, function, isExclusive: isExclusive, isReversed: isReversed)]
    }
  }
}
