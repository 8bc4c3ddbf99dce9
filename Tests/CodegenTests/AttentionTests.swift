import IR
import Testing

@testable import Codegen

/// Writes attentions in the forms in which models have them.
private struct AttentionWriter {
  enum Mask: CaseIterable {
    /// The scores as they are; scaled; a number for each key of a batch; booleans for each query and key; the
    /// triangle; capped by a hyperbolic tangent; with elements that are no numbers or infinite.
    case none, scaled, keys, booleans, causal, capped, undefined
  }
  enum Layout: CaseIterable {
    /// `[b, h, s, d]`; keys as `[b, h, d, t]`; heads split from `[b, s, h * d]`; the operands of both products swapped;
    /// batch and heads as one dimension in the products only.
    case plain, turnedKeys, splitHeads, swapped, merged
  }

  var graph: Graph
  let type: ElementType
  let batch: Extent
  let heads: Extent
  let rows: Extent
  let keys: Extent
  let depth: Extent
  let columns: Extent

  func parameters(_ layout: Layout) -> [TensorType] {
    let shapes: [[Extent]] =
      switch layout {
      case .splitHeads:
        [[batch, rows, heads * depth], [batch, keys, heads * depth], [batch, keys, heads * columns]]
      case .turnedKeys:
        [[batch, heads, rows, depth], [batch, heads, depth, keys], [batch, heads, keys, columns]]
      case .plain, .swapped, .merged:
        [[batch, heads, rows, depth], [batch, heads, keys, depth], [batch, heads, keys, columns]]
      }
    return shapes.map { TensorType(type, $0) } + [
      TensorType(type, [batch, keys]), TensorType(.i1, [rows, keys]), TensorType(type, [rows, keys]),
    ]
  }

  mutating func apply(_ function: ScalarFunction, _ operands: ValueID...) throws -> ValueID {
    try graph.append(.pointwise(function), operands)
  }

  mutating func splat(_ value: Double, like other: ValueID) throws -> ValueID {
    let type = graph.type(of: other)
    let scalar = try graph.append(.constant(.scalar(Scalar(value, type.elementType), type.elementType)))
    return try spread(scalar, [], to: type.dimensions)
  }

  mutating func spread(_ x: ValueID, _ dimensions: [Int], to result: [Extent]) throws -> ValueID {
    try graph.append(.broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: result)), [x])
  }

  mutating func fold(_ x: ValueID, _ function: ScalarFunction, from initial: Double) throws -> ValueID {
    let type = graph.type(of: x)
    let start = try graph.append(.constant(.scalar(Scalar(initial, type.elementType), type.elementType)))
    let body = try sumBody(function, type.elementType)
    return try graph.append(.reduce(Reduce(dimensions: [type.rank - 1], body: body)), [x, start])
  }

  mutating func softmax(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).dimensions
    let kept = Array(shape.indices.dropLast())
    let largest = try fold(x, .maximum, from: -.infinity)
    let powers = try apply(.exponential, try apply(.subtract, x, try spread(largest, kept, to: shape)))
    return try apply(.divide, powers, try spread(try fold(powers, .add, from: 0), kept, to: shape))
  }

  mutating func reshaped(_ x: ValueID, _ dimensions: Extent...) throws -> ValueID {
    try graph.append(.reshape(Reshape(resultDimensions: dimensions)), [x])
  }

  mutating func turned(_ x: ValueID, _ permutation: Int...) throws -> ValueID {
    try graph.append(.transpose(Transpose(permutation: permutation)), [x])
  }

  mutating func dot(_ x: ValueID, _ y: ValueID, batching: Int, _ contracting: (Int, Int)) throws -> ValueID {
    let batch = Array(0..<batching)
    let contraction = Contraction(
      lhsBatching: batch, rhsBatching: batch, lhsContracting: [contracting.0], rhsContracting: [contracting.1])
    return try graph.append(.dotGeneral(DotGeneral(contraction, resultType: type)), [x, y])
  }

  /// The scores as `[b, h, s, t]`, the weights in the same form multiplied with the values, and what becomes of that.
  mutating func attention(
    _ layout: Layout, _ x: [ValueID], weights: (inout Self, ValueID) throws -> ValueID
  ) throws -> ValueID {
    switch layout {
    case .plain:
      let scores = try dot(x[0], x[1], batching: 2, (3, 3))
      return try dot(try weights(&self, scores), x[2], batching: 2, (3, 2))
    case .turnedKeys:
      let scores = try dot(x[0], x[1], batching: 2, (3, 2))
      return try dot(try weights(&self, scores), x[2], batching: 2, (3, 2))
    case .splitHeads:
      let q = try turned(try reshaped(x[0], batch, rows, heads, depth), 0, 2, 1, 3)
      let k = try turned(try reshaped(x[1], batch, keys, heads, depth), 0, 2, 1, 3)
      let v = try turned(try reshaped(x[2], batch, keys, heads, columns), 0, 2, 1, 3)
      let product = try dot(
        try weights(&self, try dot(q, k, batching: 2, (3, 3))), v, batching: 2, (3, 2))
      return try reshaped(try turned(product, 0, 2, 1, 3), batch, rows, heads * columns)
    case .swapped:
      let scores = try turned(try dot(x[1], x[0], batching: 2, (3, 3)), 0, 1, 3, 2)
      return try turned(try dot(x[2], try weights(&self, scores), batching: 2, (2, 3)), 0, 1, 3, 2)
    case .merged:
      let q = try reshaped(x[0], batch * heads, rows, depth)
      let k = try reshaped(x[1], batch * heads, keys, depth)
      let v = try reshaped(x[2], batch * heads, keys, columns)
      let scores = try reshaped(try dot(q, k, batching: 1, (2, 2)), batch, heads, rows, keys)
      let flat = try reshaped(try weights(&self, scores), batch * heads, rows, keys)
      return try reshaped(try dot(flat, v, batching: 1, (2, 1)), batch, heads, rows, columns)
    }
  }

  mutating func masked(_ mask: Mask, _ scores: ValueID, _ x: [ValueID]) throws -> ValueID {
    let shape = graph.type(of: scores).dimensions
    switch mask {
    case .none: return scores
    case .scaled: return try apply(.divide, scores, try splat(2.5, like: scores))
    case .keys:
      let scaled = try apply(.multiply, try splat(0.4, like: scores), scores)
      return try apply(.add, scaled, try spread(x[3], [0, 3], to: shape))
    case .booleans:
      let wide = try spread(x[4], [2, 3], to: shape)
      return try apply(.select, wide, scores, try splat(-.infinity, like: scores))
    case .causal:
      let row = try graph.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [rows, keys]))))
      let key = try graph.append(.iota(Iota(dimension: 1, resultType: TensorType(.i32, [rows, keys]))))
      let isBefore = try spread(try apply(.compare(.lessOrEqual, .signed), key, row), [2, 3], to: shape)
      return try apply(.select, isBefore, scores, try splat(-1e9, like: scores))
    case .capped:
      let low = try apply(.hyperbolicTangent, try apply(.divide, scores, try splat(3, like: scores)))
      return try apply(.multiply, low, try splat(3, like: scores))
    case .undefined:
      // Logarithms of integers from -2 to 1: mostly not a number, minus infinity or 0.
      let steps = try apply(.log, try apply(.abs, try apply(.floor, x[5])))
      let large = try apply(.divide, steps, try apply(.floor, try apply(.abs, x[5])))
      return try apply(.add, scores, try spread(large, [2, 3], to: shape))
    }
  }

  static func example(
    _ type: ElementType, _ shape: [Extent], _ layout: Layout, _ mask: Mask
  ) throws -> ScheduleCase {
    var writer = AttentionWriter(
      graph: Graph(), type: type, batch: shape[0], heads: shape[1], rows: shape[2], keys: shape[3], depth: shape[4],
      columns: shape[5])
    return try ScheduleCase(writer.parameters(layout)) { graph, x in
      swap(&writer.graph, &graph)
      let result = try writer.attention(layout, x) { writer, scores in
        try writer.softmax(try writer.masked(mask, scores, x))
      }
      swap(&writer.graph, &graph)
      return [result]
    }
  }
}

@Suite struct AttentionTests {
  /// Layouts and masks in all pairs, over extents that differ: single rows, tails of rows, keys and columns.
  @Test(arguments: 0..<35) func randomAttentions(_ seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    func pick(_ choices: [Int]) -> Extent { Extent(choices[Int(random.next() % UInt64(choices.count))]) }
    let shape = [
      pick([1, 2, 3]), pick([1, 2, 5]), pick([1, 3, 7, 14, 29]), pick([2, 5, 17, 33, 70]), pick([1, 3, 8, 17]),
      pick([1, 5, 16, 40, 70]),
    ]
    let layouts = AttentionWriter.Layout.allCases
    let (layout, mask) = (layouts[seed % 5], AttentionWriter.Mask.allCases[seed % 7])
    try AttentionWriter.example(.f32, shape, layout, mask).check(.attention)
  }

  /// More keys than a block holds.
  @Test(arguments: AttentionWriter.Mask.allCases) fileprivate func blocksOfKeys(_ mask: AttentionWriter.Mask) throws {
    try AttentionWriter.example(.f32, [1, 2, 17, 1301, 3, 5], .plain, mask).check(.attention)
  }

  @Test(arguments: [(3, 2, 5, 9), (2, 3, 33, 700), (1, 1, 1, 1), (2, 1, 0, 3), (2, 3, 4, 0), (0, 2, 3, 4)])
  func symbolicExtents(_ batch: Int, _ heads: Int, _ rows: Int, _ keys: Int) throws {
    for (layout, mask) in [
      (AttentionWriter.Layout.splitHeads, AttentionWriter.Mask.keys), (.plain, .causal), (.turnedKeys, .booleans),
    ] {
      var example = try AttentionWriter.example(
        .f32, [.symbol("b"), Extent(heads), .symbol("s"), .symbol("t"), 8, 20], layout, mask)
      example.symbols = [Symbol("b"): batch, Symbol("s"): rows, Symbol("t"): keys]
      try example.check(.attention)
    }
  }

  /// Two blocks of keys, the second not whole; an emulator executes the tiles where the processor has none.
  @Test(arguments: AttentionWriter.Mask.allCases) fileprivate func inTiles(_ mask: AttentionWriter.Mask) throws {
    try AttentionWriter.example(.f32, [1, 1, 125, 170, 128, 90], .plain, mask).check(.attention, tiles: [.f16])
  }

  @Test func inTilesOfBF16() throws {
    try AttentionWriter.example(.f32, [1, 1, 128, 190, 320, 300], .splitHeads, .keys).check(.attention, tiles: [.bf16])
  }

  @Test(arguments: ["x86-64-v2", "x86-64-v3"]) func otherProcessors(_ cpu: String) throws {
    try AttentionWriter.example(.f32, [2, 3, 9, 37, 8, 20], .splitHeads, .keys).check(.attention, cpu: cpu)
    try AttentionWriter.example(.f32, [1, 2, 13, 1301, 3, 5], .swapped, .causal).check(.attention, cpu: cpu)
  }

  @Test(arguments: [(ElementType.f64, 1e-13), (.f16, 4e-3), (.bf16, 3e-2)])
  func otherTypes(_ type: ElementType, _ tolerance: Double) throws {
    for layout in AttentionWriter.Layout.allCases {
      try AttentionWriter.example(type, [2, 3, 9, 37, 8, 20], layout, .keys).check(.attention, tolerance: tolerance)
    }
  }

  /// Keys and values that are known at compile time.
  @Test func constantKeys() throws {
    var example = try AttentionWriter.example(.f32, [2, 3, 9, 37, 8, 20], .plain, .scaled)
    example.constants = [1, 2]
    try example.check(.attention)
  }

  /// Rows without a key, whose weights the graph makes zero: by a mask of its own, or because they are no numbers.
  @Test(arguments: [true, false]) func rowsOfZeros(_ byMask: Bool) throws {
    var writer = AttentionWriter(
      graph: Graph(), type: .f32, batch: 2, heads: 3, rows: 19, keys: 3, depth: 5, columns: 7)
    let parameters = writer.parameters(.plain) + [TensorType(.i1, fixed: [19])]
    try ScheduleCase(parameters) { graph, x in
      swap(&writer.graph, &graph)
      let result = try writer.attention(.plain, x) { writer, scores in
        let weights = try writer.softmax(try writer.masked(.booleans, scores, x))
        let shape = writer.graph.type(of: weights).dimensions
        let isZero =
          byMask
          ? try writer.spread(x[6], [2], to: shape) : try writer.apply(.compare(.notEqual, .float), weights, weights)
        return try writer.apply(.select, isZero, try writer.splat(0, like: weights), weights)
      }
      swap(&writer.graph, &graph)
      return [result]
    }.check(.attention)
  }
}
