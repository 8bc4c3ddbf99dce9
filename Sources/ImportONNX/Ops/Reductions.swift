import GraphBuilding
import IR

extension Operator {
  /// Ops that fold dimensions, or scan along them.
  static let reductions: [Operator] = [
    reduction(
      "ReduceSum", fold: { $0.add($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .add, keep: keep) }),
    reduction("ReduceMean") { (n, x, axes, keep) throws(OpError) in try n.mean(x, axes, keep: keep) },
    reduction(
      "ReduceMax", fold: { $0.maximum($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .maximum, keep: keep) }),
    reduction(
      "ReduceMin", fold: { $0.minimum($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .minimum, keep: keep) }),
    reduction(
      "ReduceProd", fold: { $0.multiply($1, $2) },
      { (n, x, axes, keep) throws(OpError) in try n.reduce(x, axes, .multiply, keep: keep) }),
    reduction("ReduceL1") { (n, x, axes, keep) throws(OpError) in
      try n.reduce(x.element.kind == .unsigned ? x : n.map(.abs, x), axes, .add, keep: keep)
    },
    reduction("ReduceL2") { (n, x, axes, keep) throws(OpError) in
      let sum = try n.reduce(n.multiply(x, x), axes, .add, keep: keep)
      guard x.element.isInteger else { return try n.map(.squareRoot, sum) }
      return try n.convert(n.map(.squareRoot, n.convert(sum, .f64)), x.element)
    },
    reduction("ReduceSumSquare") { (n, x, axes, keep) throws(OpError) in
      try n.reduce(n.multiply(x, x), axes, .add, keep: keep)
    },
    reduction("ReduceLogSum") { (n, x, axes, keep) throws(OpError) in
      let sum = try n.reduce(x, axes, .add, keep: keep)
      guard x.element.isInteger else { return try n.map(.log, sum) }
      return try n.convert(n.map(.log, n.convert(sum, .f64)), x.element)
    },
    reduction("ReduceLogSumExp") { (n, x, axes, keep) throws(OpError) in
      guard x.element.isInteger else { return try n.logSumExp(x, axes, keep: keep) }
      return try n.convert(n.logSumExp(n.convert(x, .f64), axes, keep: keep), x.element)
    },
    Operator("ArgMax") { (n) throws(OpError) in [try argument(&n, .greater)] },
    Operator("ArgMin") { (n) throws(OpError) in [try argument(&n, .less)] },
    Operator("CumSum") { (n) throws(OpError) in [try cumulative(&n, .add)] },
    Operator("CumProd") { (n) throws(OpError) in [try cumulative(&n, .multiply)] },
    Operator("TopK", topK),
    Operator("Softmax", one: softmax),
    Operator("LogSoftmax", one: logSoftmax),
    Operator("Hardmax", one: hardmax),
  ]

  private typealias Fold = @Sendable (inout Lowering, Value, [Int], Bool) throws(OpError) -> Value

  /// An op with `axes` and `keepdims`. Axes become an input in opset 13 (`ReduceSum`) and 18 (the others).
  private static func reduction(
    _ name: String, fold: ExtentArithmetic.Binary? = nil, _ lower: @escaping Fold
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let keep = try n.flag("keepdims", default: true)
      var axes: [Int] = []
      if n.version < (name == "ReduceSum" ? 13 : 18) {
        axes = try n.ints("axes") ?? []
      } else if let input = n.optional(1) {
        axes = try n.integers(of: input, "axes")
      }
      let isNothing = try n.flag("noop_with_empty_axes")
      axes = axes.isEmpty && !isNothing ? Array(0..<x.rank) : try n.axes(axes, rank: x.rank)
      if let fold, let known = n.folded(x, axes, keep: keep, fold) { return [known] }
      return [try lower(&n, x, axes, keep)]
    }
  }

  /// The position of the greatest or least element along an axis; the first of equal ones unless the last is asked for.
  private static func argument(_ n: inout Lowering, _ direction: ComparisonDirection) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    let keep = try n.flag("keepdims", default: true)
    let wantsLast = try n.flag("select_last_index")
    let position = try n.position(of: direction, in: x, axis: axis, wantsLast: wantsLast)
    return keep ? try n.unsqueeze(position, axis) : position
  }

  /// Sums or products of all elements up to each one.
  private static func cumulative(_ n: inout Lowering, _ function: ScalarFunction) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.integers(of: try n.input(1), "axis").first ?? 0, rank: x.rank)
    let isExclusive = try n.flag("exclusive")
    let isReversed = try n.flag("reverse")
    return try n.scan(x, axis, function, isExclusive: isExclusive, isReversed: isReversed)
  }

  /// The greatest (or least) elements along an axis, in order, and their positions.
  private static func topK(_ n: inout Lowering) throws(OpError) -> [Value] {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: -1), rank: x.rank)
    let isLargest = try n.flag("largest", default: true)
    n.ignore("sorted")
    let count: Extent
    if n.version < 10 {
      count = Extent(try n.required(n.int("k"), "k"))
    } else {
      guard let extent = try n.shapeInput(1, "k").first else { throw OpError("its k is empty") }
      count = extent
    }
    if let k = count.fixed {
      let extent = x.shape[axis]
      if k < 0 || k > extent.fixed ?? .max { throw OpError("it asks for \(k) of \(extent) elements") }
      n.arithmetic.require(extent, atLeast: k)
    }
    let positions = try n.iota(.i64, x.shape, axis: axis)
    let sorted = try n.sort([x, positions], axis: axis, isLargest ? .greater : .less)
    return [
      try n.slice(sorted[0], axis: axis, 0, count),
      try n.slice(sorted[1], axis: axis, 0, count),
    ]
  }

  // MARK: Softmax

  /// The dimensions over which the op normalizes: one from opset 13 on, before that all from `axis` on.
  private static func normalizedAxes(_ n: inout Lowering, _ x: Value) throws(OpError) -> [Int] {
    let given = try n.int("axis", default: n.version < 13 ? 1 : -1)
    if n.version < 13, given == x.rank { return [] }
    let axis = try n.axis(given, rank: x.rank)
    return n.version < 13 ? Array(axis..<x.rank) : [axis]
  }

  private static func softmax(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    return try n.softmax(x, try normalizedAxes(&n, x))
  }

  private static func logSoftmax(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    return try n.logSoftmax(x, try normalizedAxes(&n, x))
  }

  /// 1 at the first greatest element, 0 elsewhere.
  private static func hardmax(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axes = try normalizedAxes(&n, x)
    guard let first = axes.first else { return try n.splat(1, like: x) }
    let outer: [Extent] = Array(x.shape[..<first])
    let inner: Extent = axes.reduce(.one) { $0 * x.shape[$1] }
    let flat = axes.count == 1 ? x : try n.reshape(x, outer + [inner])
    let position = try n.position(of: .greater, in: flat, axis: first, wantsLast: false)
    let dimensions = flat.shape.indices.filter { $0 != first }
    let spread = try n.broadcast(position, to: flat.shape, at: dimensions)
    let isGreatest = try n.compare(.equal, spread, n.iota(.i64, flat.shape, axis: first))
    return try n.reshape(n.convert(isGreatest, x.element), x.shape)
  }
}
