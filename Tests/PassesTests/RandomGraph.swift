import IR

/// A generator whose whole sequence follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Builds graphs of random ops over values with distinct extents, and arguments for them.
struct RandomGraph {
  var generator: SeededGenerator
  var graph = Graph()
  private var pool: [ValueID] = []

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A graph of about `nodeCount` nodes whose results are its last values and some others.
  static func make(seed: UInt64, nodeCount: Int = 24) throws -> Graph {
    var random = RandomGraph(seed: seed)
    for _ in 0..<random.below(4) + 1 {
      let type = TensorType(random.pick([.f32, .f32, .f32, .i32]), fixed: random.dimensions())
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
        let value = below(8) == 0 ? pick(Self.specialValues) : Double(below(2001)) / 250 - 4
        values.append(Scalar(value, type.elementType))
      } else {
        values.append(.integer(type.elementType.wrapped(Int64(below(41)) - 20)))
      }
    }
    return Literal(type.elementType, dimensions, values)
  }

  static func arguments(for graph: Graph, seed: UInt64) -> [Literal] {
    var random = RandomGraph(seed: seed ^ 0xABCD)
    return graph.parameterTypes.map { random.literal($0) }
  }

  mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  mutating func dimensions() -> [Int] {
    (0..<below(5)).map { _ in pick([2, 3, 5, 2, 3, 5, 1, below(12) == 0 ? 0 : 4]) }
  }

  private mutating func add(_ op: Op, _ operands: [ValueID]) throws {
    let value = try graph.append(op, operands)
    let count = graph.type(of: graph.results(of: value)[0]).elementCount.fixed ?? 0
    if count <= 4000 { pool.append(contentsOf: graph.results(of: value)) }
  }

  private mutating func step() throws {
    let x = pick(pool.count > 6 && below(2) == 0 ? Array(pool.suffix(4)) : pool)
    let type = graph.type(of: x)
    switch below(13) {
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
    default: pool.append(try graph.append(.constant(literal(type))))
    }
  }

  private mutating func addUnary(_ x: ValueID, _ type: TensorType) throws {
    let functions: [ScalarFunction] =
      type.elementType.isFloat
      ? [.negate, .abs, .exponential, .hyperbolicTangent, .floor, .squareRoot, .sign, .convert(.f64), .convert(.f32)]
      : type.elementType.isBoolean ? [.not, .convert(.f32), .convert(.i32)] : [.negate, .abs, .not, .convert(.f32)]
    try add(.pointwise(pick(functions)), [x])
  }

  /// A value of the same type: another one, a constant, or a broadcast scalar.
  private mutating func partner(_ type: TensorType) throws -> ValueID {
    let same = pool.filter { graph.type(of: $0) == type }
    if !same.isEmpty, below(4) > 0 { return pick(same) }
    if below(2) == 0 { return try graph.append(.constant(literal(type))) }
    let dimensions = type.dimensions.compactMap(\.fixed)
    let value = type.elementType.isFloat ? Scalar(pick(Self.specialValues), type.elementType) : .integer(Int64(below(2)))
    return try graph.append(.constant(Literal(type.elementType, dimensions, splat: value)))
  }

  private mutating func addBinary(_ x: ValueID, _ type: TensorType) throws {
    let y = try partner(type)
    let functions: [ScalarFunction] =
      type.elementType.isBoolean
      ? [.and, .or, .xor]
      : type.elementType.isFloat
        ? [.add, .subtract, .multiply, .maximum, .minimum, .divide, .compare(.less, .float)]
        : [.add, .subtract, .multiply, .maximum, .minimum, .and, .or, .xor, .compare(.less, .signed)]
    try add(.pointwise(pick(functions)), below(2) == 0 ? [x, y] : [y, x])
  }

  private mutating func addSelect(_ x: ValueID, _ type: TensorType) throws {
    let y = try partner(type)
    let predicate = try partner(type.with(.i1))
    try add(.pointwise(.select), [predicate, x, y])
  }

  private mutating func addBroadcast(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank < 4 else { return }
    var result = type.dimensions
    var dimensions = Array(0..<type.rank)
    let position = below(type.rank + 1)
    result.insert(Extent(pick([1, 2, 3, 5])), at: position)
    dimensions = dimensions.map { $0 >= position ? $0 + 1 : $0 }
    for d in result.indices where d != position && result[d] == .one && below(2) == 0 { result[d] = 4 }
    try add(.broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: result)), [x])
  }

  private mutating func fold(_ x: ValueID, over dimensions: [Int], by function: ScalarFunction, from initial: Scalar)
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

  private mutating func addReduce(_ x: ValueID, _ type: TensorType) throws {
    guard type.elementType != .i1 else { return }
    let dimensions = (0..<type.rank).filter { _ in below(2) == 0 }
    let function: ScalarFunction = pick([.add, .maximum])
    let initial = function == .add ? Scalar.zero(type.elementType) : type.elementType.lowest
    pool.append(try fold(x, over: dimensions, by: function, from: initial))
  }

  /// `x - broadcast(max(x))`, and on with `exp(…) / broadcast(sum(exp(…)))` for floats.
  private mutating func addRowChain(_ x: ValueID, _ type: TensorType) throws {
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

  private mutating func addDot(_ x: ValueID, _ type: TensorType) throws {
    guard type.rank > 0, type.rank <= 3, !type.elementType.isBoolean else { return }
    let contracted = below(type.rank)
    let columns = pick([2, 3, 5])
    let weights = TensorType(type.elementType, [Extent(columns), type.dimensions[contracted]])
    let y = try partner(weights)
    let dimensions = Contraction(lhsContracting: [contracted], rhsContracting: [1])
    try add(.dotGeneral(DotGeneral(dimensions, resultType: type.elementType)), [x, y])
  }
}
