public import IR

extension ElementType {
  /// The smallest denormal, a denormal and the smallest normal number of a float type. Not the largest: whether a sum
  /// overflows on the way depends on its order.
  var edges: [Double] {
    switch self {
    case .f64: [0x1p-1074, -0x1.8p-1030, 0x1p-1022]
    case .f32: [0x1p-149, -0x1.8p-130, 0x1p-126]
    case .f16: [0x1p-24, -0x1.8p-17, 0x1p-14]
    default: [0x1p-133, -0x1.8p-128, 0x1p-126]
    }
  }

  /// `a < b` for elements of the type.
  var lessThan: ScalarFunction { comparison(.less) }

  func comparison(_ direction: ComparisonDirection) -> ScalarFunction {
    switch kind {
    case .float, .complex: .compare(direction, .float)
    case .signed: .compare(direction, .signed)
    case .unsigned, .boolean: .compare(direction, .unsigned)
    }
  }
}

extension RandomGraph {
  static let elementTypes: [ElementType] = [
    .f32, .f32, .f32, .f32, .f64, .f16, .bf16, .i1, .i8, .i32, .i32, .i64, .ui8, .ui32,
  ]

  mutating func wideDimensions() -> [Int] {
    var count = 1
    return (0..<below(5)).map { _ in
      var extent = pick([2, 3, 5, 7, 2, 3, 5, 1, 17, 33])
      if count * extent > 1200 { extent = 2 }
      if below(60) == 0 { extent = 0 }
      count *= max(1, extent)
      return extent
    }
  }

  /// A graph whose parameters' first dimension is a symbol.
  public static func makeSymbolic(
    seed: UInt64, symbol: String, nodeCount: Int = 16, hasF64: Bool = true
  ) throws -> Graph {
    var random = RandomGraph(seed: seed, isWide: true, hasF64: hasF64)
    let element = random.pickElement([.f32, .f32, .f32, .i32, .f64])
    let dimensions: [Extent] =
      [.symbol(symbol)] + (0..<random.below(3)).map { _ in Extent(random.pick([2, 3, 5, 17])) }
    for _ in 0..<random.below(2) + 1 { random.pool.append(random.graph.addParameter(TensorType(element, dimensions))) }
    for _ in 0..<nodeCount { try random.symbolicStep() }
    random.graph.results = Array(random.pool.suffix(1 + random.below(3)))
    return random.graph
  }

  /// `graph` with every extent that `symbol` is in replaced by its value.
  public static func fixing(_ symbol: String, to value: Int, in graph: Graph) -> Graph {
    graph.mappingExtents { extent in
      let fixed = extent.evaluated { atom in
        if case .symbol(let name) = atom, name.name == symbol { return value }
        return nil
      }
      return fixed.map { Extent($0) } ?? extent
    }
  }

  private mutating func symbolicStep() throws {
    let x = pick(pool)
    let type = graph.type(of: x)
    switch below(8) {
    case 0: try addUnary(x, type)
    case 1, 2: try addSymbolicBinary(x, type)
    case 3:
      let permutation = Array(0..<type.rank).shuffled(using: &generator)
      try add(.transpose(Transpose(permutation: permutation)), [x])
    case 4: try addReduce(x, type)
    case 5: try addRowChain(x, type)
    case 6:
      guard type.rank > 0 else { return }
      try add(.concatenate(Concatenate(dimension: below(type.rank))), [x, x])
    default:
      let dimensions = (0..<type.rank).filter { _ in below(2) == 0 }
      try add(.reverse(Reverse(dimensions: dimensions)), [x])
    }
  }

  private mutating func addSymbolicBinary(_ x: ValueID, _ type: TensorType) throws {
    let same = pool.filter { graph.type(of: $0) == type }
    var y = pick(same)
    if below(3) == 0 {
      let scalar = try graph.append(.constant(literal(.scalar(type.elementType))))
      y = try graph.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [scalar])
    }
    let functions: [ScalarFunction] =
      type.elementType.isBoolean ? [.and, .or] : [.add, .subtract, .multiply, .maximum]
    try add(.pointwise(pick(functions)), [x, y])
  }

  /// One op of those that only wide graphs have.
  mutating func addWide(_ x: ValueID, _ type: TensorType) throws {
    switch below(14) {
    case 0, 1: try addElementary(x, type)
    case 2, 3: try addWideBinary(x, type)
    case 4: try add(.pointwise(.clamp), [try partner(type), x, try partner(type)])
    case 5: try addConversion(x, type)
    case 6: try addWideReduce(x, type)
    case 7: try addArgumentReduce(x, type)
    case 8: try addWindow(x, type)
    case 9: try addConvolution(x, type)
    case 10: try addGather(x, type)
    case 11: try addScatter(x, type)
    case 12: try addBatchedDot(x, type)
    default:
      guard type.rank > 0 else { return }
      let result = TensorType(
        pickElement([.f32, .f64, .f16, .bf16, .i8, .i64, .ui8, .ui32]), type.dimensions)
      try add(.iota(Iota(dimension: below(type.rank), resultType: result)), [])
    }
  }

  private mutating func addElementary(_ x: ValueID, _ type: TensorType) throws {
    guard type.elementType.isFloat else {
      guard type.elementType.isInteger else { return }
      let integral: [ScalarFunction] = [.countLeadingZeros, .populationCount, .not]
      let signed: [ScalarFunction] = [.sign, .abs, .negate]
      return try add(.pointwise(pick(type.elementType.kind == .signed ? integral + signed : integral)), [x])
    }
    let functions: [ScalarFunction] = [
      .cbrt, .ceil, .cosine, .exponential, .exponentialMinusOne, .isFinite, .log, .logPlusOne, .logistic,
      .roundNearestAwayFromZero, .roundNearestEven, .reciprocalSquareRoot, .sine, .squareRoot, .tangent,
      .hyperbolicTangent, .arcSine, .arcCosine, .arcTangent, .hyperbolicSine, .hyperbolicCosine, .hyperbolicArcSine,
      .hyperbolicArcCosine, .hyperbolicArcTangent, .errorFunction, .complementaryErrorFunction,
      .inverseErrorFunction, .isInfinite,
    ]
    try add(.pointwise(pick(functions)), [x])
  }

  private mutating func addWideBinary(_ x: ValueID, _ type: TensorType) throws {
    let y = try partner(type)
    let directions: [ComparisonDirection] = [.equal, .notEqual, .greaterOrEqual, .greater, .lessOrEqual, .less]
    let comparison = type.elementType.comparison(pick(directions))
    var functions: [ScalarFunction] = [comparison]
    if type.elementType.isFloat { functions += [.power, .arcTangent2, .remainder, .divide] }
    if type.elementType.isInteger {
      functions += [.divide, .remainder, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical]
    }
    try add(.pointwise(pick(functions)), below(2) == 0 ? [x, y] : [y, x])
  }

  private mutating func addConversion(_ x: ValueID, _ type: TensorType) throws {
    try add(.pointwise(.convert(pickElement(Self.elementTypes))), [x])
  }

  private mutating func addWideReduce(_ x: ValueID, _ type: TensorType) throws {
    let dimensions = (0..<type.rank).filter { _ in below(2) == 0 }
    if type.elementType.isBoolean {
      let isAny = below(2) == 0
      let start: Scalar = isAny ? .false : .true
      return pool.append(try fold(x, over: dimensions, by: isAny ? .or : .and, from: start))
    }
    // Of integers only: an infinity times factors that underflow is NaN in some orders.
    let isProduct = below(2) == 0 && !type.elementType.isFloat
    let start: Scalar = isProduct ? Scalar(1, type.elementType) : type.elementType.highest
    pool.append(try fold(x, over: dimensions, by: isProduct ? .multiply : .minimum, from: start))
  }

  /// The largest element along one dimension and the first place where it is.
  private mutating func addArgumentReduce(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, !type.elementType.isBoolean else { return }
    let dimension = below(type.rank)
    let positions = try graph.append(.iota(Iota(dimension: dimension, resultType: type.with(.i32))))
    let (value, position) = (TensorType.scalar(type.elementType), TensorType.scalar(.i32))
    var body = Graph()
    let (a, i) = (body.addParameter(value), body.addParameter(position))
    let (b, j) = (body.addParameter(value), body.addParameter(position))
    let greater = try body.append(.pointwise(type.elementType.comparison(.greater)), [a, b])
    let equal = try body.append(.pointwise(type.elementType.comparison(.equal)), [a, b])
    let unordered = try body.append(.pointwise(type.elementType.comparison(.notEqual)), [a, a])
    let takesFirst = try body.append(.pointwise(.or), [greater, unordered])
    let earlier = try body.append(.pointwise(.compare(.less, .signed)), [i, j])
    let tie = try body.append(.pointwise(.and), [equal, earlier])
    let chosen = try body.append(.pointwise(.or), [takesFirst, tie])
    body.results = [
      try body.append(.pointwise(.select), [takesFirst, a, b]), try body.append(.pointwise(.select), [chosen, i, j]),
    ]
    let lowest = try graph.append(.constant(.scalar(type.elementType.lowest, type.elementType)))
    let zero = try graph.append(.constant(.scalar(.integer(0), .i32)))
    let reduce = Reduce(dimensions: [dimension], body: body)
    pool += graph.results(of: try graph.append(.reduce(reduce), [x, positions, lowest, zero]))
  }

  private mutating func windowDimension(_ extent: Int, pads: Bool = true, dilatesBase: Bool) -> WindowDimension {
    WindowDimension(
      extent: Extent(1 + below(3)), stride: 1 + below(2), paddingLow: below(3), paddingHigh: below(3),
      baseDilation: dilatesBase && below(4) == 0 ? 2 : 1, windowDilation: below(4) == 0 ? 2 : 1)
  }

  private mutating func addWindow(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, !type.elementType.isBoolean, let extents = type.fixedDimensions, !extents.contains(0) else {
      return
    }
    let window = extents.map { extent in
      below(2) == 0 ? WindowDimension(extent: .one) : windowDimension(extent, dilatesBase: true)
    }
    let isSum = below(2) == 0
    let scalar = TensorType.scalar(type.elementType)
    var body = Graph()
    let (a, b) = (body.addParameter(scalar), body.addParameter(scalar))
    body.results = [try body.append(.pointwise(isSum ? .add : .maximum), [a, b])]
    let start = isSum ? Scalar.zero(type.elementType) : type.elementType.lowest
    let initial = try graph.append(.constant(.scalar(start, type.elementType)))
    try add(.reduceWindow(ReduceWindow(window: window, body: body)), [x, initial])
  }

  private mutating func addConvolution(_ x: ValueID, _ type: TensorType) throws {
    guard (3...4).contains(type.rank), !type.elementType.isBoolean, let extents = type.fixedDimensions,
      !extents.contains(0)
    else { return }
    let order = Array(0..<type.rank).shuffled(using: &generator)
    let (batch, feature, spatial) = (order[0], order[1], Array(order[2...]))
    let window = spatial.map { d in windowDimension(extents[d], dilatesBase: true) }
    let kernelOrder = Array(0..<type.rank).shuffled(using: &generator)
    let resultOrder = Array(0..<type.rank).shuffled(using: &generator)
    let groups =
      extents[feature] % 2 == 0 && below(3) == 0 ? 2 : extents[feature] <= 7 && below(4) == 0 ? extents[feature] : 1
    var kernel = [Int](repeating: 1, count: type.rank)
    kernel[kernelOrder[0]] = extents[feature] / groups
    kernel[kernelOrder[1]] = groups * pick([1, 2, 3])
    for (position, d) in kernelOrder[2...].enumerated() { kernel[d] = window[position].extent.fixed ?? 1 }
    // Finite: whether padding is multiplied by the kernel or left out shows where the kernel has infinities.
    let values = (0..<kernel.reduce(1, *)).map { _ -> Scalar in
      type.elementType.isFloat
        ? Scalar(Double(below(33)) / 8 - 2, type.elementType) : .integer(Int64(below(5)))
    }
    let y = try graph.append(.constant(Literal(type.elementType, kernel, values)))
    let numbers = Convolution.DimensionNumbers(
      inputBatch: batch, inputFeature: feature, inputSpatial: spatial, kernelInputFeature: kernelOrder[0],
      kernelOutputFeature: kernelOrder[1], kernelSpatial: Array(kernelOrder[2...]), outputBatch: resultOrder[0],
      outputFeature: resultOrder[1], outputSpatial: Array(resultOrder[2...]))
    let convolution = Convolution(
      window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: type.elementType)
    try add(.convolution(convolution), [x, y])
  }

  /// Indices into a dimension: mostly in range, computed or constant.
  private mutating func indices(_ count: Int, below limit: Int) throws -> ValueID {
    let element: ElementType = pick([.i32, .i64, .ui32])
    let lowest = element == .ui32 ? 0 : -1
    let values = (0..<count).map { _ in Scalar.integer(Int64(below(limit + 2) + lowest)) }
    return try graph.append(.constant(Literal(element, [count], values)))
  }

  /// Rows of one dimension, as `take` gathers them.
  private mutating func addGather(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, let extents = type.fixedDimensions, !extents.contains(0) else { return }
    let dimension = below(type.rank)
    let count = pick([2, 3, 7])
    let rows = try indices(count, below: extents[dimension])
    var slice = extents.map { Extent($0) }
    slice[dimension] = .one
    let place = below(type.rank)
    let offsets = (0..<type.rank).filter { $0 != place }
    let gather = Gather(
      offsetDims: offsets, collapsedSliceDims: [dimension], startIndexMap: [dimension], indexVectorDim: 1,
      sliceExtents: slice)
    try add(.gather(gather), [x, rows])
  }

  /// Updates of slices along one dimension, added or put in place.
  private mutating func addScatter(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, !type.elementType.isBoolean, let extents = type.fixedDimensions, !extents.contains(0) else {
      return
    }
    let dimension = below(type.rank)
    let count = pick([2, 3])
    let rows = try indices(count, below: extents[dimension])
    var updates = extents
    updates.remove(at: dimension)
    updates.insert(count, at: 0)
    let values = try partner(TensorType(type.elementType, fixed: updates))
    let scalar = TensorType.scalar(type.elementType)
    var body = Graph()
    let (a, b) = (body.addParameter(scalar), body.addParameter(scalar))
    let function: ScalarFunction? = pick([.add, .maximum, nil])
    if let function { body.results = [try body.append(.pointwise(function), [a, b])] } else { body.results = [b] }
    let scatter = Scatter(
      updateWindowDims: Array(1..<type.rank), insertedWindowDims: [dimension], scatterDimsToOperandDims: [dimension],
      indexVectorDim: 1, body: body)
    try add(.scatter(scatter), [x, rows, values])
  }

  private mutating func addBatchedDot(_ x: ValueID, _ type: TensorType) throws {
    guard (2...4).contains(type.rank), !type.elementType.isBoolean, let extents = type.fixedDimensions else { return }
    let order = Array(0..<type.rank).shuffled(using: &generator)
    let (batch, contracted) = (order[0], order[1])
    var dimensions = [extents[batch], extents[contracted], pick([1, 2, 5, 17])]
    let places = [0, 1, 2].shuffled(using: &generator)
    dimensions = places.map { dimensions[$0] }
    let y = try partner(TensorType(type.elementType, fixed: dimensions))
    let b = places.firstIndex(of: 0) ?? 0
    let c = places.firstIndex(of: 1) ?? 0
    let contraction = Contraction(
      lhsBatching: [batch], rhsBatching: [b], lhsContracting: [contracted], rhsContracting: [c])
    try add(.dotGeneral(DotGeneral(contraction, resultType: type.elementType)), [x, y])
  }
}
