package import IR

/// Short forms of the IR's ops on values, with numpy's broadcasting where operands meet.
extension GraphBuilder {
  // MARK: Constants

  /// A scalar constant.
  package mutating func scalar(_ value: Double, _ element: ElementType) -> Value {
    constant(.scalar(Scalar(value, element), element))
  }

  package mutating func scalar(_ value: Scalar, _ element: ElementType) -> Value { constant(.scalar(value, element)) }

  /// A tensor whose elements are all `value`.
  package mutating func splat(_ value: Double, _ element: ElementType, _ shape: [Extent]) throws(OpError) -> Value {
    try broadcast(scalar(value, element), to: shape, at: [])
  }

  package mutating func splat(_ value: Double, like x: Value) throws(OpError) -> Value {
    try splat(value, x.element, x.shape)
  }

  /// A one-dimensional constant.
  package mutating func vector(_ values: [Double], _ element: ElementType) -> Value {
    constant(Literal(element, [values.count], values.map { Scalar($0, element) }))
  }

  package mutating func vector(_ values: [Int], _ element: ElementType = .i64) -> Value {
    constant(Literal(element, [values.count], values.map { Scalar.integer(Int64($0)) }))
  }

  /// The extent as a scalar of the given type.
  package mutating func scalar(of extent: Extent, _ element: ElementType) throws(OpError) -> Value {
    if let fixed = extent.fixed { return scalar(Double(fixed), element) }
    let value = known([extent], .i64, [])
    return try convert(value, element)
  }

  // MARK: Pointwise

  /// Applies a function of one operand.
  package mutating func map(_ function: ScalarFunction, _ x: Value) throws(OpError) -> Value {
    try emit(.pointwise(function), [x])
  }

  /// Applies a function of several operands after broadcasting them to one shape.
  package mutating func map(_ function: ScalarFunction, _ x: Value, _ y: Value) throws(OpError) -> Value {
    let shape = try broadcastShape([x, y])
    return try emit(.pointwise(function), [try broadcast(x, to: shape), try broadcast(y, to: shape)])
  }

  package mutating func add(_ x: Value, _ y: Value) throws(OpError) -> Value { try map(.add, x, y) }
  package mutating func subtract(_ x: Value, _ y: Value) throws(OpError) -> Value { try map(.subtract, x, y) }
  package mutating func multiply(_ x: Value, _ y: Value) throws(OpError) -> Value { try map(.multiply, x, y) }
  package mutating func divide(_ x: Value, _ y: Value) throws(OpError) -> Value { try map(.divide, x, y) }

  package mutating func add(_ x: Value, _ y: Double) throws(OpError) -> Value { try add(x, scalar(y, x.element)) }
  package mutating func subtract(_ x: Value, _ y: Double) throws(OpError) -> Value {
    try subtract(x, scalar(y, x.element))
  }
  package mutating func subtract(_ x: Double, _ y: Value) throws(OpError) -> Value {
    try subtract(scalar(x, y.element), y)
  }
  package mutating func multiply(_ x: Value, _ y: Double) throws(OpError) -> Value {
    try multiply(x, scalar(y, x.element))
  }
  package mutating func divide(_ x: Value, _ y: Double) throws(OpError) -> Value { try divide(x, scalar(y, x.element)) }
  package mutating func divide(_ x: Double, _ y: Value) throws(OpError) -> Value { try divide(scalar(x, y.element), y) }
  package mutating func maximum(_ x: Value, _ y: Double) throws(OpError) -> Value {
    try map(.maximum, x, scalar(y, x.element))
  }
  package mutating func minimum(_ x: Value, _ y: Double) throws(OpError) -> Value {
    try map(.minimum, x, scalar(y, x.element))
  }

  package mutating func compare(_ direction: ComparisonDirection, _ x: Value, _ y: Value) throws(OpError) -> Value {
    let type: ComparisonType
    switch x.element.kind {
    case .signed: type = .signed
    case .unsigned, .boolean: type = .unsigned
    case .float, .complex: type = .float
    }
    return try map(.compare(direction, type), x, y)
  }

  package mutating func compare(_ direction: ComparisonDirection, _ x: Value, _ y: Double) throws(OpError) -> Value {
    try compare(direction, x, scalar(y, x.element))
  }

  package mutating func select(_ predicate: Value, _ x: Value, _ y: Value) throws(OpError) -> Value {
    let shape = try broadcastShape([predicate, x, y])
    let operands = [
      try broadcast(predicate, to: shape), try broadcast(x, to: shape), try broadcast(y, to: shape),
    ]
    return try emit(.pointwise(.select), operands)
  }

  package mutating func select(_ predicate: Value, _ x: Value, _ y: Double) throws(OpError) -> Value {
    try select(predicate, x, scalar(y, x.element))
  }

  /// The same numbers in another element type.
  package mutating func convert(_ x: Value, _ element: ElementType) throws(OpError) -> Value {
    x.element == element ? x : try map(.convert(element), x)
  }

  /// `log(1 + exp(x))` without overflow: `max(x, 0) + log1p(exp(-|x|))`. The maximum is a choice with the whole slope at 0,
  /// where that of the rest is minus a half.
  package mutating func softplus(_ x: Value) throws(OpError) -> Value {
    let tail = try map(.logPlusOne, map(.exponential, map(.negate, map(.abs, x))))
    return try add(select(compare(.greaterOrEqual, x, 0), x, 0), tail)
  }

  // MARK: Broadcasting

  /// The shape to which these values broadcast, aligned at the last dimension.
  package mutating func broadcastShape(_ values: [Value]) throws(OpError) -> [Extent] {
    var shape = [Extent](repeating: .one, count: values.map(\.rank).max() ?? 0)
    for value in values {
      let offset = shape.count - value.rank
      for (d, extent) in value.shape.enumerated() where extent != .one {
        let other = shape[offset + d]
        guard other != extent else { continue }
        guard other == .one else { throw mismatch(extent, other, values) }
        shape[offset + d] = extent
      }
    }
    return shape
  }

  private mutating func mismatch(_ a: Extent, _ b: Extent, _ values: [Value]) -> OpError {
    let types = values.map(\.type.detailedDescription).joined(separator: " and ")
    if a.isFixed, b.isFixed { return OpError("cannot broadcast \(types) to one shape") }
    return inequality(a, b, ", where \(types) meet")
  }

  /// `x` repeated to `shape`, aligned at the last dimension.
  package mutating func broadcast(_ x: Value, to shape: [Extent]) throws(OpError) -> Value {
    guard x.rank <= shape.count else { throw OpError("cannot broadcast \(x.type) to \(shape.count) dimensions") }
    return try broadcast(x, to: shape, at: Array(shape.count - x.rank..<shape.count))
  }

  /// `x` repeated to `shape`; its dimension `d` becomes dimension `dimensions[d]`.
  package mutating func broadcast(_ x: Value, to shape: [Extent], at dimensions: [Int]) throws(OpError) -> Value {
    if x.shape == shape, dimensions == Array(shape.indices) { return x }
    try checkSize(TensorType(x.element, shape))
    return try emit(.broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: shape)), [x])
  }

  // MARK: Movement

  package mutating func reshape(_ x: Value, _ shape: [Extent]) throws(OpError) -> Value {
    if x.shape == shape { return x }
    if let content = content(of: x), let fixed = TensorType(x.element, shape).fixedDimensions,
      fixed.reduce(1, *) == content.count
    {
      return known(content, x.element, fixed)
    }
    try checkSize(TensorType(x.element, shape))
    return try emit(.reshape(Reshape(resultDimensions: shape)), [x])
  }

  /// The shape that a `Reshape` to `wanted` gives: 0 stands for the input's extent, -1 for what is left.
  package func reshapedShape(of x: Value, _ wanted: [Extent], keepsZeros: Bool) throws(OpError) -> [Extent] {
    var shape: [Extent] = []
    var inferred: Int?
    for (d, extent) in wanted.enumerated() {
      if extent == Extent(-1) {
        guard inferred == nil else { throw OpError("its shape \(wanted) has -1 twice") }
        inferred = d
        shape.append(.one)
      } else if extent == .zero, !keepsZeros {
        guard d < x.rank else { throw OpError("its shape \(wanted) copies dimension \(d) of \(x.type)") }
        shape.append(x.shape[d])
      } else {
        if let fixed = extent.fixed, fixed < 0 || fixed > elementCountLimit {
          throw OpError("its shape has the extent \(fixed)")
        }
        shape.append(extent)
      }
    }
    let total = x.type.elementCount
    if let inferred {
      let others: Extent = shape.reduce(.one) { $0 * $1 }
      guard others != .zero else { throw OpError("its shape \(wanted) does not determine -1 for \(x.type)") }
      shape[inferred] = total.floorDivided(by: others)
    }
    try checkSize(TensorType(x.element, shape))
    let count: Extent = shape.reduce(.one) { $0 * $1 }
    guard count == total else {
      let types = "\(x.type.detailedDescription) to \(TensorType(x.element, shape).detailedDescription)"
      guard count.isFixed, total.isFixed else {
        throw .unsupported("whether the reshape from \(types) keeps the number of elements is not known")
      }
      throw OpError("cannot reshape \(types)")
    }
    return shape
  }

  package mutating func transpose(_ x: Value, _ permutation: [Int]) throws(OpError) -> Value {
    if permutation == Array(0..<x.rank) { return x }
    return try emit(.transpose(Transpose(permutation: permutation)), [x])
  }

  /// The value with a dimension of extent 1 put in at `axis`.
  package mutating func unsqueeze(_ x: Value, _ axis: Int) throws(OpError) -> Value {
    var shape = x.shape
    shape.insert(.one, at: axis)
    return try reshape(x, shape)
  }

  /// The value without its dimension `axis`, whose extent is 1.
  package mutating func squeeze(_ x: Value, _ axis: Int) throws(OpError) -> Value {
    var shape = x.shape
    shape.remove(at: axis)
    return try reshape(x, shape)
  }

  /// Every dimension's part from `starts` to before `limits`, in steps.
  package mutating func slice(_ x: Value, _ starts: [Extent], _ limits: [Extent], _ strides: [Int]) throws(OpError)
    -> Value
  {
    if starts.allSatisfy({ $0 == .zero }), limits == x.shape, strides.allSatisfy({ $0 == 1 }) { return x }
    return try emit(.slice(Slice(starts: starts, limits: limits, strides: strides)), [x])
  }

  /// One dimension's part from `start` to before `limit`.
  package mutating func slice(_ x: Value, axis: Int, _ start: Extent, _ limit: Extent, step: Int = 1) throws(OpError)
    -> Value
  {
    var starts = [Extent](repeating: .zero, count: x.rank)
    var limits = x.shape
    var strides = [Int](repeating: 1, count: x.rank)
    (starts[axis], limits[axis], strides[axis]) = (start, limit, step)
    return try slice(x, starts, limits, strides)
  }

  package mutating func concatenate(_ values: [Value], axis: Int) throws(OpError) -> Value {
    values.count == 1 ? values[0] : try emit(.concatenate(Concatenate(dimension: axis)), values)
  }

  /// `x` with `value` around it; negative padding cuts off.
  package mutating func pad(
    _ x: Value, _ value: Value, low: [Extent], high: [Extent], interior: [Int]? = nil
  ) throws(OpError) -> Value {
    let interior = interior ?? [Int](repeating: 0, count: x.rank)
    if (low + high).allSatisfy({ $0 == .zero }), interior.allSatisfy({ $0 == 0 }) { return x }
    try checkSize(TensorType(x.element, x.shape.indices.map { x.shape[$0] + low[$0] + high[$0] }))
    return try emit(.pad(Pad(low: low, high: high, interior: interior)), [x, value])
  }

  /// `x` with `value` before and after it along one axis.
  package mutating func pad(_ x: Value, axis: Int, _ value: Value, low: Extent, high: Extent) throws(OpError) -> Value {
    var lows = [Extent](repeating: .zero, count: x.rank)
    var highs = lows
    (lows[axis], highs[axis]) = (low, high)
    return try pad(x, value, low: lows, high: highs)
  }

  /// `x` repeated along each of its dimensions.
  package mutating func tile(_ x: Value, _ repeats: [Extent]) throws(OpError) -> Value {
    guard repeats.count == x.rank else { throw OpError("it repeats \(repeats.count) dimensions of \(x.type)") }
    if repeats.allSatisfy({ $0 == .one }) { return x }
    var wide: [Extent] = []
    for (extent, count) in zip(x.shape, repeats) { wide += [count, extent] }
    let shape: [Extent] = zip(x.shape, repeats).map { $0 * $1 }
    try checkSize(TensorType(x.element, shape))
    return try reshape(broadcast(x, to: wide, at: (0..<x.rank).map { 2 * $0 + 1 }), shape)
  }

  package mutating func reverse(_ x: Value, _ dimensions: [Int]) throws(OpError) -> Value {
    dimensions.isEmpty ? x : try emit(.reverse(Reverse(dimensions: dimensions)), [x])
  }

  /// The tensor whose elements are their own index along `axis`.
  package mutating func iota(_ element: ElementType, _ shape: [Extent], axis: Int) throws(OpError) -> Value {
    let type = TensorType(element, shape)
    try checkSize(type)
    return try emit(.iota(Iota(dimension: axis, resultType: type)), [])
  }

  // MARK: Reductions

  /// The body that folds with one function.
  package func foldBody(_ function: ScalarFunction, _ element: ElementType) throws(OpError) -> Graph {
    var body = Graph()
    let x = body.addParameter(.scalar(element))
    let y = body.addParameter(.scalar(element))
    body.results = [try body.append(.pointwise(function), [x, y])]
    return body
  }

  /// What a fold with the function starts from.
  package func neutral(_ function: ScalarFunction, _ element: ElementType) -> Scalar {
    switch function {
    case .multiply: Scalar(1, element)
    case .and: element.isBoolean ? .true : .integer(element.wrapped(-1))
    case .maximum: element.lowest
    case .minimum: element.highest
    default: .zero(element)
    }
  }

  /// Folds dimensions with a function; `keep` leaves them with extent 1.
  package mutating func reduce(
    _ x: Value, _ axes: [Int], _ function: ScalarFunction, keep: Bool = false
  ) throws(OpError) -> Value {
    var result = x
    if !axes.isEmpty {
      let body = try foldBody(function, x.element)
      let initial = scalar(neutral(function, x.element), x.element)
      result = try emit(.reduce(Reduce(dimensions: axes.sorted(), body: body)), [x, initial])
    }
    guard keep else { return result }
    return try reshape(result, x.shape.indices.map { axes.contains($0) ? .one : x.shape[$0] })
  }

  /// The sum along dimensions divided by how many elements were added.
  package mutating func mean(_ x: Value, _ axes: [Int], keep: Bool = false) throws(OpError) -> Value {
    let sum = try reduce(x, axes, .add, keep: keep)
    let count: Extent = axes.reduce(.one) { $0 * x.shape[$1] }
    return try divide(sum, try scalar(of: count, x.element))
  }

  // MARK: Contractions

  package mutating func dot(
    _ x: Value, _ y: Value, batching: ([Int], [Int]) = ([], []), contracting: ([Int], [Int]),
    result: ElementType? = nil
  ) throws(OpError) -> Value {
    let contraction = Contraction(
      lhsBatching: batching.0, rhsBatching: batching.1, lhsContracting: contracting.0, rhsContracting: contracting.1)
    for (i, j) in zip(batching.0 + contracting.0, batching.1 + contracting.1) where x.shape[i] != y.shape[j] {
      let types = "\(x.type.detailedDescription) and \(y.type.detailedDescription)"
      guard x.shape[i].isFixed, y.shape[j].isFixed else {
        throw inequality(x.shape[i], y.shape[j], ", where \(types) meet")
      }
      throw OpError("cannot multiply \(types): \(x.shape[i]) and \(y.shape[j]) differ")
    }
    return try emit(.dotGeneral(DotGeneral(contraction, resultType: result ?? x.element)), [x, y])
  }
}
