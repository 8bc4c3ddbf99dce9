package import IR

/// Folds along dimensions, scans, sorts.
extension GraphBuilder {
  package mutating func softmax(_ x: Value, _ axes: [Int]) throws(OpError) -> Value {
    let greatest = try reduce(x, axes, .maximum, keep: true)
    let powers = try map(.exponential, subtract(x, greatest))
    return try divide(powers, reduce(powers, axes, .add, keep: true))
  }

  package mutating func logSoftmax(_ x: Value, _ axes: [Int]) throws(OpError) -> Value {
    let shifted = try subtract(x, reduce(x, axes, .maximum, keep: true))
    let sum = try reduce(map(.exponential, shifted), axes, .add, keep: true)
    return try subtract(shifted, map(.log, sum))
  }

  /// `log(sum(exp(x)))`, where an infinite maximum is left out of the exponent.
  package mutating func logSumExp(_ x: Value, _ axes: [Int], keep: Bool) throws(OpError) -> Value {
    let greatest = try reduce(x, axes, .maximum, keep: true)
    let offset = try select(map(.isFinite, greatest), greatest, 0)
    let sum = try reduce(map(.exponential, subtract(x, offset)), axes, .add, keep: true)
    let result = try add(map(.log, sum), offset)
    return keep ? result : try reshape(result, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  }

  /// The i64 position along `axis` of the first (or last) element that no other one precedes in `direction`;
  /// NaN precedes everything.
  package mutating func position(
    of direction: ComparisonDirection, in x: Value, axis: Int, wantsLast: Bool
  ) throws(OpError) -> Value {
    guard !x.element.isComplex else { throw OpError("complex numbers have no order") }
    let body = try extremeBody(of: direction, x.element, wantsLast: wantsLast)
    let worst = direction == .greater ? x.element.lowest : x.element.highest
    let initial = [scalar(worst, x.element), scalar(.integer(wantsLast ? -1 : .max), .i64)]
    let positions = try iota(.i64, x.shape, axis: axis)
    return try emitAll(.reduce(Reduce(dimensions: [axis], body: body)), [x, positions] + initial)[1]
  }

  /// The fold of elements and their i64 positions that keeps the one that no other precedes in `direction`.
  package func extremeBody(
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
  package mutating func shifted(_ x: Value, _ axis: Int, by count: Int, _ value: Scalar) throws(OpError) -> Value {
    try pad(x, axis: axis, scalar(value, x.element), low: Extent(count), high: Extent(-count))
  }

  /// For each position along an axis the fold of all elements up to it, or from it on, its own left out if it is exclusive.
  package mutating func scan(
    _ x: Value, _ axis: Int, _ function: ScalarFunction, isExclusive: Bool, isReversed: Bool
  ) throws(OpError) -> Value {
    try scan(
      x, axis, foldBody(function, x.element), from: neutral(function, x.element), isExclusive: isExclusive,
      isReversed: isReversed)
  }

  /// The same with any body, and what it starts from.
  package mutating func scan(
    _ x: Value, _ axis: Int, _ body: Graph, from initial: Scalar, isExclusive: Bool, isReversed: Bool
  ) throws(OpError) -> Value {
    let others = try isExclusive ? shifted(x, axis, by: isReversed ? -1 : 1, initial) : x
    return try scan(others, axis, body, from: initial, isReversed)
  }

  /// For each position along an axis the fold of all elements up to it, or from it on.
  package mutating func scan(_ x: Value, _ axis: Int, _ function: ScalarFunction, isReversed: Bool) throws(OpError)
    -> Value
  {
    try scan(x, axis, foldBody(function, x.element), from: neutral(function, x.element), isReversed)
  }

  private mutating func scan(
    _ x: Value, _ axis: Int, _ body: Graph, from start: Scalar, _ isReversed: Bool
  ) throws(OpError) -> Value {
    let initial = scalar(start, x.element)
    guard let extent = x.shape[axis].fixed else { return try symbolicScan(x, axis, body, from: initial, isReversed) }
    if extent <= 1 { return x }
    var window = [WindowDimension](repeating: WindowDimension(extent: 1), count: x.rank)
    window[axis] = WindowDimension(
      extent: Extent(extent), paddingLow: isReversed ? 0 : extent - 1, paddingHigh: isReversed ? extent - 1 : 0)
    return try emit(.reduceWindow(ReduceWindow(window: window, body: body)), [x, initial])
  }

  /// The same where the extent is open: a window of one element more than the axis has, over the axis with as many neutral
  /// elements before or behind it.
  private mutating func symbolicScan(
    _ x: Value, _ axis: Int, _ body: Graph, from initial: Value, _ isReversed: Bool
  ) throws(OpError) -> Value {
    let (zero, extent) = ([Extent](repeating: .zero, count: x.rank), x.shape[axis])
    var (low, high) = (zero, zero)
    if isReversed { high[axis] = extent } else { low[axis] = extent }
    let padded = try emit(.pad(Pad(low: low, high: high, interior: zero.map { _ in 0 })), [x, initial])
    var window = [WindowDimension](repeating: WindowDimension(extent: 1), count: x.rank)
    window[axis] = WindowDimension(extent: extent + 1)
    return try emit(.reduceWindow(ReduceWindow(window: window, body: body)), [padded, initial])
  }

  /// Orders values along an axis by the first of them; equal ones keep their order.
  package mutating func sort(_ values: [Value], axis: Int, _ direction: ComparisonDirection) throws(OpError) -> [Value]
  {
    guard !values[0].element.isComplex else { throw OpError("complex numbers have no order") }
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
