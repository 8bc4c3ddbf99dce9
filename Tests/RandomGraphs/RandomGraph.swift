public import IR

/// A generator whose whole sequence follows from its seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Builds graphs of random ops over values with distinct extents, and arguments for them.
public struct RandomGraph {
  var generator: SeededGenerator
  var graph = Graph()
  var pool: [ValueID] = []
  /// Whether all element types, all families of ops and larger extents are drawn, or f32 and i32 in the plain ones.
  let isWide: Bool
  /// Whether f64 is drawn; without it, f32 in its place.
  let hasF64: Bool

  init(seed: UInt64, isWide: Bool = false, hasF64: Bool = true) {
    generator = SeededGenerator(seed: seed)
    self.isWide = isWide
    self.hasF64 = hasF64
  }

  /// A graph of about `nodeCount` nodes whose results are its last values and some others.
  public static func make(
    seed: UInt64, nodeCount: Int = 24, isWide: Bool = false, hasF64: Bool = true
  ) throws -> Graph {
    var random = RandomGraph(seed: seed, isWide: isWide, hasF64: hasF64)
    for _ in 0..<random.below(4) + 1 {
      let types: [ElementType] = isWide ? RandomGraph.elementTypes : [.f32, .f32, .f32, .i32]
      let type = TensorType(random.pickElement(types), fixed: random.dimensions())
      random.pool.append(random.graph.addParameter(type))
    }
    for _ in 0..<nodeCount { try random.step() }
    let last = random.pool.suffix(1 + random.below(3))
    random.graph.results = Array(last) + (random.below(3) == 0 ? [random.pick(random.pool)] : [])
    return random.graph
  }

  static let specialValues: [Double] = [0, -0.0, 1, -1, .nan, .infinity, -.infinity, 0.5, 3, 1e-30, -2.5]

  /// A literal with some special values among ordinary ones.
  mutating func literal(_ type: TensorType) -> Literal {
    let dimensions = type.dimensions.compactMap(\.fixed)
    let count = dimensions.reduce(1, *)
    var values: [Scalar] = []
    for _ in 0..<count {
      if type.elementType.isFloat {
        let specials = isWide ? Self.specialValues + type.elementType.edges : Self.specialValues
        let value = below(8) == 0 ? pick(specials) : Double(below(2001)) / 250 - 4
        values.append(Scalar(value, type.elementType))
      } else {
        values.append(.integer(type.elementType.wrapped(Int64(below(41)) - 20)))
      }
    }
    return Literal(type.elementType, dimensions, values)
  }

  public static func arguments(for graph: Graph, seed: UInt64, isWide: Bool = false) -> [Literal] {
    var random = RandomGraph(seed: seed ^ 0xABCD, isWide: isWide)
    return graph.parameterTypes.map { random.literal($0) }
  }

  /// Finite numbers from -4 to 4, complex ones of few bits, integers from -20 to 20: no sum of many is a special value.
  public static func plainArguments(for graph: Graph, seed: UInt64) -> [Literal] {
    var random = RandomGraph(seed: seed, isWide: false)
    return graph.parameterTypes.map { random.plainLiteral($0) }
  }

  private mutating func plainLiteral(_ type: TensorType) -> Literal {
    let dimensions = type.dimensions.compactMap(\.fixed)
    let element = type.elementType
    let values = (0..<dimensions.reduce(1, *)).map { _ -> Scalar in
      switch element.kind {
      case .float: Scalar(Double(below(2001)) / 250 - 4, element)
      case .complex: .complex(Double(below(65)) / 8 - 4, Double(below(65)) / 8 - 4)
      case .boolean, .signed, .unsigned: .integer(element.wrapped(Int64(below(41)) - 20))
      }
    }
    return Literal(element, dimensions, values)
  }

  mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  mutating func pickElement(_ choices: [ElementType]) -> ElementType {
    let element = pick(choices)
    return element == .f64 && !hasF64 ? .f32 : element
  }

  mutating func dimensions() -> [Int] {
    if isWide { return wideDimensions() }
    return (0..<below(5)).map { _ in pick([2, 3, 5, 2, 3, 5, 1, below(12) == 0 ? 0 : 4]) }
  }

  mutating func add(_ op: Op, _ operands: [ValueID]) throws {
    let value = try graph.append(op, operands)
    let results = graph.results(of: value)
    let count = graph.type(of: results[0]).elementCount.fixed ?? 0
    if count <= 4000 { pool.append(contentsOf: results) }
  }

  mutating func step() throws {
    let x = pick(pool.count > 6 && below(2) == 0 ? Array(pool.suffix(4)) : pool)
    let type = graph.type(of: x)
    if isWide, below(2) == 0 { return try addWide(x, type) }
    switch below(20) {
    case 0, 1: try addUnary(x, type)
    case 2, 3, 4: try addBinary(x, type)
    case 5: try addBroadcast(x, type)
    case 6:
      let permutation = Array(0..<type.rank).shuffled(using: &generator)
      try add(.transpose(Transpose(permutation: permutation)), [x])
    case 7, 8: try addReduce(x, type)
    case 9: try addRowChain(x, type)
    case 10: try addDot(x, type)
    case 11: try addSelect(x, type)
    case 12, 13, 14, 15: try addMovement(x, type)
    case 16: try addReshape(x, type)
    case 17: try addControl(x, type)
    case 18: try addSort(x, type)
    default: pool.append(try graph.append(.constant(literal(type))))
    }
  }

  mutating func addUnary(_ x: ValueID, _ type: TensorType) throws {
    let wide: ElementType = hasF64 ? .f64 : .f32
    let functions: [ScalarFunction] =
      type.elementType.isFloat
      ? [.negate, .abs, .exponential, .hyperbolicTangent, .floor, .squareRoot, .sign, .convert(wide), .convert(.f32)]
      : type.elementType.isBoolean
        ? [.not, .convert(.f32), .convert(.i32)]
        : [.negate, type.elementType.kind == .signed ? .abs : .not, .not, .convert(.f32)]
    try add(.pointwise(pick(functions)), [x])
  }

  /// A value of the same type: another one, a constant, or a broadcast scalar.
  mutating func partner(_ type: TensorType) throws -> ValueID {
    let same = pool.filter { graph.type(of: $0) == type }
    if !same.isEmpty, below(4) > 0 { return pick(same) }
    if below(2) == 0 { return try graph.append(.constant(literal(type))) }
    let dimensions = type.dimensions.compactMap(\.fixed)
    let value =
      type.elementType.isFloat ? Scalar(pick(Self.specialValues), type.elementType) : .integer(Int64(below(2)))
    return try graph.append(.constant(Literal(type.elementType, dimensions, splat: value)))
  }

  mutating func addBinary(_ x: ValueID, _ type: TensorType) throws {
    let y = try partner(type)
    let functions: [ScalarFunction] =
      type.elementType.isBoolean
      ? [.and, .or, .xor]
      : type.elementType.isFloat
        ? [.add, .subtract, .multiply, .maximum, .minimum, .divide, .compare(.less, .float)]
        : [.add, .subtract, .multiply, .maximum, .minimum, .and, .or, .xor, type.elementType.lessThan]
    try add(.pointwise(pick(functions)), below(2) == 0 ? [x, y] : [y, x])
  }

  mutating func addSelect(_ x: ValueID, _ type: TensorType) throws {
    let y = try partner(type)
    let predicate = try partner(type.with(.i1))
    try add(.pointwise(.select), [predicate, x, y])
  }

  mutating func addBroadcast(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank < 4 else { return }
    var result = type.dimensions
    var dimensions = Array(0..<type.rank)
    let position = below(type.rank + 1)
    result.insert(Extent(pick([1, 2, 3, 5])), at: position)
    dimensions = dimensions.map { $0 >= position ? $0 + 1 : $0 }
    for d in result.indices where d != position && result[d] == .one && below(2) == 0 { result[d] = 4 }
    try add(.broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: result)), [x])
  }

  mutating func fold(_ x: ValueID, over dimensions: [Int], by function: ScalarFunction, from initial: Scalar)
    throws -> ValueID
  {
    let type = graph.type(of: x)
    let scalar = TensorType.scalar(type.elementType)
    var body = Graph()
    let (a, b) = (body.addParameter(scalar), body.addParameter(scalar))
    body.results = [try body.append(.pointwise(function), [a, b])]
    let start = try graph.append(.constant(.scalar(initial, type.elementType)))
    return try graph.append(.reduce(Reduce(dimensions: dimensions, body: body)), [x, start])
  }

  mutating func addReduce(_ x: ValueID, _ type: TensorType) throws {
    guard type.elementType != .i1 else { return }
    let dimensions = (0..<type.rank).filter { _ in below(2) == 0 }
    let function: ScalarFunction = pick([.add, .maximum])
    let initial = function == .add ? Scalar.zero(type.elementType) : type.elementType.lowest
    pool.append(try fold(x, over: dimensions, by: function, from: initial))
  }

  /// `x - broadcast(max(x))`, and on with `exp(…) / broadcast(sum(exp(…)))` for floats.
  mutating func addRowChain(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, type.elementType != .i1 else { return }
    let folded = below(type.rank) == 0 ? 0 : type.rank - 1
    let kept = (0..<type.rank).filter { $0 != folded }
    func spread(_ value: ValueID, _ graph: inout Graph) throws -> ValueID {
      try graph.append(
        .broadcastInDim(BroadcastInDim(dimensions: kept, resultDimensions: type.dimensions)), [value])
    }
    let largest = try fold(x, over: [folded], by: .maximum, from: type.elementType.lowest)
    let centered = try graph.append(.pointwise(.subtract), [x, try spread(largest, &graph)])
    pool.append(centered)
    guard type.elementType.isFloat else { return }
    let powers = try graph.append(.pointwise(.exponential), [centered])
    let sum = try fold(powers, over: [folded], by: .add, from: .zero(type.elementType))
    pool.append(try graph.append(.pointwise(.divide), [powers, try spread(sum, &graph)]))
    if below(3) == 0 { pool.append(sum) }
  }

  mutating func addDot(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, type.rank <= 3, !type.elementType.isBoolean else { return }
    let contracted = below(type.rank)
    let columns = pick([2, 3, 5])
    let weights = TensorType(type.elementType, [Extent(columns), type.dimensions[contracted]])
    let y = try partner(weights)
    let dimensions = Contraction(lhsContracting: [contracted], rhsContracting: [1])
    try add(.dotGeneral(DotGeneral(dimensions, resultType: type.elementType)), [x, y])
  }

  mutating func addReshape(_ x: ValueID, _ type: TensorType) throws {
    var dimensions = type.dimensions
    switch below(3) {
    case 0: dimensions.insert(.one, at: below(type.rank + 1))
    case 1:
      guard type.rank > 1 else { return }
      let d = below(type.rank - 1)
      dimensions[d] = dimensions[d] * dimensions[d + 1]
      dimensions.remove(at: d + 1)
    default:
      guard let d = dimensions.firstIndex(of: .one) else { return }
      dimensions.remove(at: d)
    }
    try add(.reshape(Reshape(resultDimensions: dimensions)), [x])
  }

  mutating func addMovement(_ x: ValueID, _ type: TensorType) throws {
    let extents = type.dimensions.compactMap(\.fixed)
    switch below(7) {
    case 0:
      let starts = extents.map { below($0 + 1) }
      let limits = zip(starts, extents).map { $0 + below($1 - $0 + 1) }
      let strides = extents.map { _ in 1 + below(2) }
      try add(
        .slice(Slice(starts: starts.map { Extent($0) }, limits: limits.map { Extent($0) }, strides: strides)), [x])
    case 1:
      let low = extents.map { _ in Extent(below(3) - (below(4) == 0 ? 1 : 0)) }
      let high = extents.map { _ in Extent(below(2)) }
      let interior = extents.map { _ in below(4) == 0 ? 1 : 0 }
      let value = try graph.append(.constant(literal(.scalar(type.elementType))))
      guard extents.allSatisfy({ $0 > 0 }) else { return }
      try add(.pad(Pad(low: low, high: high, interior: interior)), [x, value])
    case 2:
      let dimensions = extents.indices.filter { _ in below(2) == 0 }
      try add(.reverse(Reverse(dimensions: Array(dimensions))), [x])
    case 3:
      guard type.rank > 0 else { return }
      let y = try partner(type)
      try add(.concatenate(Concatenate(dimension: below(type.rank))), below(3) == 0 ? [x, y, x] : [x, y])
    case 4:
      guard type.rank > 0 else { return }
      let result = TensorType(pick([.f32, .i32]), type.dimensions)
      try add(.iota(Iota(dimension: below(type.rank), resultType: result)), [])
    case 5:
      let slice = extents.map { Extent($0 == 0 ? 0 : 1 + below($0)) }
      try add(.dynamicSlice(DynamicSlice(sliceExtents: slice)), [x] + (try starts(type.rank)))
    default:
      let same = pool.filter { value in
        let other = graph.type(of: value)
        return other.elementType == type.elementType && other.rank == type.rank
          && zip(other.dimensions, extents).allSatisfy { ($0.fixed ?? 0) <= $1 }
      }
      guard !same.isEmpty else { return }
      try add(.dynamicUpdateSlice(DynamicUpdateSlice()), [x, pick(same)] + (try starts(type.rank)))
    }
  }

  /// Start indices, some of them computed.
  mutating func starts(_ count: Int) throws -> [ValueID] {
    var values: [ValueID] = []
    for _ in 0..<count {
      let scalars = pool.filter { graph.type(of: $0) == .scalar(.i32) }
      if !scalars.isEmpty, below(2) == 0 {
        values.append(pick(scalars))
      } else {
        values.append(try graph.append(.constant(.scalar(.integer(Int64(below(6)) - 1), .i32))))
      }
    }
    return values
  }

  mutating func addSort(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, type.elementType != .i1 else { return }
    let scalar = TensorType.scalar(type.elementType)
    var comparator = Graph()
    let (a, b) = (comparator.addParameter(scalar), comparator.addParameter(scalar))
    _ = comparator.addParameter(.scalar(.i32))
    _ = comparator.addParameter(.scalar(.i32))
    // Not by total order: the sign of a NaN is nobody's promise.
    if isWide, type.elementType.isFloat {
      // `<` does not order NaNs, which would leave the result open.
      let sides = [try comparator.append(.pointwise(.abs), [a]), try comparator.append(.pointwise(.abs), [b])]
      comparator.results = [try comparator.append(.pointwise(.compare(.less, .totalOrder)), sides)]
    } else {
      comparator.results = [try comparator.append(.pointwise(type.elementType.lessThan), [a, b])]
    }
    let positions = try graph.append(
      .iota(Iota(dimension: 0, resultType: type.with(.i32))))
    let sort = Sort(dimension: below(type.rank), isStable: true, comparator: comparator)
    try add(.sort(sort), [x, positions])
  }

  /// A loop of a few turns with a carried, an invariant and an unused value; or an `if`, its predicate known or not.
  mutating func addControl(_ x: ValueID, _ type: TensorType) throws {
    let captured = try partner(type)
    let count = TensorType.scalar(.i32)
    if below(2) == 0 {
      var condition = Graph()
      var body = Graph()
      let types = [count, type, type, type]
      let c = types.map { condition.addParameter($0) }
      let limit = try condition.append(.constant(.scalar(.integer(3), .i32)))
      condition.results = [try condition.append(.pointwise(.compare(.less, .signed)), [c[0], limit])]
      let p = types.map { body.addParameter($0) }
      let one = try body.append(.constant(.scalar(.integer(1), .i32)))
      let next = try body.append(.pointwise(.add), [p[0], one])
      let function: ScalarFunction = type.elementType == .i1 ? .xor : .add
      let sum = try body.append(.pointwise(function), [p[1], below(2) == 0 ? p[2] : p[3]])
      body.results = below(2) == 0 ? [next, sum, p[2]] : [next, sum, p[3]]
      if body.results[2] != p[2], below(2) == 0 {
        body.results[2] = try body.append(.pointwise(function), [p[2], p[3]])
      }
      let zero = try graph.append(.constant(.scalar(.integer(0), .i32)))
      let loop = try graph.append(
        .while(While(condition: condition, body: body)), [zero, x, try partner(type), captured])
      let values = graph.results(of: loop)
      pool.append(below(2) == 0 ? values[1] : values[2])
      return
    }
    var branches: [Graph] = []
    for isTrue in [true, false] {
      var branch = Graph()
      let (a, b) = (branch.addParameter(type), branch.addParameter(type))
      let function: ScalarFunction = type.elementType == .i1 ? .and : .multiply
      let product = try branch.append(.pointwise(function), [a, b])
      branch.results = isTrue ? [product, a] : [b, product]
      branches.append(branch)
    }
    let predicate = try partner(.scalar(.i1))
    let choice = If(trueBranch: branches[0], falseBranch: branches[1])
    let values = graph.results(of: try graph.append(.if(choice), [predicate, x, captured]))
    pool.append(pick(values))
  }
}
