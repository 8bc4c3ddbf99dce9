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
      if let fold, x.rank == 1, axes == [0], let content = n.content(of: x), let first = content.first {
        var result: Extent? = first
        for element in content.dropFirst() { result = result.flatMap { fold(&n.arithmetic, $0, element) } }
        if let result { return [n.known([result], x.element, keep ? [1] : [])] }
      }
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
    var x = try n.input(0)
    let axis = try n.axis(try n.integers(of: try n.input(1), "axis").first ?? 0, rank: x.rank)
    let isExclusive = try n.flag("exclusive")
    let isReversed = try n.flag("reverse")
    if isExclusive { x = try n.shifted(x, axis, by: isReversed ? -1 : 1, n.neutral(function, x.element)) }
    return try n.scan(x, axis, function, isReversed: isReversed)
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

extension Lowering {
  mutating func softmax(_ x: Value, _ axes: [Int]) throws(OpError) -> Value {
    let greatest = try reduce(x, axes, .maximum, keep: true)
    let powers = try map(.exponential, subtract(x, greatest))
    return try divide(powers, reduce(powers, axes, .add, keep: true))
  }

  mutating func logSoftmax(_ x: Value, _ axes: [Int]) throws(OpError) -> Value {
    let shifted = try subtract(x, reduce(x, axes, .maximum, keep: true))
    let sum = try reduce(map(.exponential, shifted), axes, .add, keep: true)
    return try subtract(shifted, map(.log, sum))
  }

  /// `log(sum(exp(x)))`, where an infinite maximum is left out of the exponent.
  mutating func logSumExp(_ x: Value, _ axes: [Int], keep: Bool) throws(OpError) -> Value {
    let greatest = try reduce(x, axes, .maximum, keep: true)
    let offset = try select(map(.isFinite, greatest), greatest, 0)
    let sum = try reduce(map(.exponential, subtract(x, offset)), axes, .add, keep: true)
    let result = try add(map(.log, sum), offset)
    return keep ? result : try reshape(result, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  }

  /// The i64 position along `axis` of the first (or last) element that no other one precedes in `direction`;
  /// NaN precedes everything.
  mutating func position(
    of direction: ComparisonDirection, in x: Value, axis: Int, wantsLast: Bool
  ) throws(OpError) -> Value {
    let body = try extremeBody(of: direction, x.element, wantsLast: wantsLast)
    let worst = direction == .greater ? x.element.lowest : x.element.highest
    let initial = [scalar(worst, x.element), scalar(.integer(wantsLast ? -1 : .max), .i64)]
    let positions = try iota(.i64, x.shape, axis: axis)
    return try emitAll(.reduce(Reduce(dimensions: [axis], body: body)), [x, positions] + initial)[1]
  }

  /// The fold of elements and their i64 positions that keeps the one that no other precedes in `direction`.
  func extremeBody(
    of direction: ComparisonDirection, _ element: ElementType, wantsLast: Bool
  ) throws(OpError) -> Graph {
    let type: ComparisonType = element.isFloat ? .float : element.kind == .signed ? .signed : .unsigned
    var body = Graph()
    let best = body.addParameter(.scalar(element))
    let bestIndex = body.addParameter(.scalar(.i64))
    let other = body.addParameter(.scalar(element))
    let otherIndex = body.addParameter(.scalar(.i64))
    func add(_ function: ScalarFunction, _ operands: ValueID...) throws(OpError) -> ValueID {
      try body.append(.pointwise(function), operands)
    }
    var wins = try add(.compare(direction, type), best, other)
    if element.isFloat { wins = try add(.or, wins, try add(.compare(.notEqual, .float), best, best)) }
    let isEqual = try add(.compare(.equal, type), best, other)
    let isEarlier = try add(.compare(wantsLast ? .greater : .less, .signed), bestIndex, otherIndex)
    wins = try add(.or, wins, try add(.and, isEqual, isEarlier))
    body.results = [try add(.select, wins, best, other), try add(.select, wins, bestIndex, otherIndex)]
    return body
  }

  /// `x` moved by `count` positions along an axis; `value` moves in.
  mutating func shifted(_ x: Value, _ axis: Int, by count: Int, _ value: Scalar) throws(OpError) -> Value {
    try pad(x, axis: axis, scalar(value, x.element), low: Extent(count), high: Extent(-count))
  }

  /// For each position along an axis the fold of all elements up to it, or from it on.
  mutating func scan(_ x: Value, _ axis: Int, _ function: ScalarFunction, isReversed: Bool) throws(OpError) -> Value {
    guard let extent = x.shape[axis].fixed else { return try symbolicScan(x, axis, function, isReversed) }
    if extent <= 1 { return x }
    var window = [WindowDimension](repeating: WindowDimension(extent: 1), count: x.rank)
    window[axis] = WindowDimension(
      extent: Extent(extent), paddingLow: isReversed ? 0 : extent - 1, paddingHigh: isReversed ? extent - 1 : 0)
    let initial = scalar(neutral(function, x.element), x.element)
    return try emit(.reduceWindow(ReduceWindow(window: window, body: foldBody(function, x.element))), [x, initial])
  }

  /// The same where the extent is open: a window of one element more than the axis has, over the axis with as many neutral
  /// elements before or behind it.
  private mutating func symbolicScan(
    _ x: Value, _ axis: Int, _ function: ScalarFunction, _ isReversed: Bool
  ) throws(OpError) -> Value {
    let (zero, extent) = ([Extent](repeating: .zero, count: x.rank), x.shape[axis])
    var (low, high) = (zero, zero)
    if isReversed { high[axis] = extent } else { low[axis] = extent }
    let initial = scalar(neutral(function, x.element), x.element)
    let padded = try emit(.pad(Pad(low: low, high: high, interior: zero.map { _ in 0 })), [x, initial])
    var window = [WindowDimension](repeating: WindowDimension(extent: 1), count: x.rank)
    window[axis] = WindowDimension(extent: extent + 1)
    let fold = ReduceWindow(window: window, body: try foldBody(function, x.element))
    return try emit(.reduceWindow(fold), [padded, initial])
  }

  /// Orders values along an axis by the first of them; equal ones keep their order.
  mutating func sort(_ values: [Value], axis: Int, _ direction: ComparisonDirection) throws(OpError) -> [Value] {
    var comparator = Graph()
    var operands: [ValueID] = []
    for value in values {
      operands.append(comparator.addParameter(.scalar(value.element)))
      operands.append(comparator.addParameter(.scalar(value.element)))
    }
    let key = values[0].element
    let type: ComparisonType = key.isFloat ? .float : key.kind == .signed ? .signed : .unsigned
    comparator.results = [try comparator.append(.pointwise(.compare(direction, type)), [operands[0], operands[1]])]
    return try emitAll(.sort(Sort(dimension: axis, isStable: true, comparator: comparator)), values)
  }
}
