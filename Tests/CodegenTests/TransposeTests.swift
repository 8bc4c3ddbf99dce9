import IR
import Testing

@testable import Codegen

/// Loops whose operands lie along another axis than the result, and loops cut where their conditions change.
@Suite struct TransposeTests {
  private static func transpose(
    _ element: ElementType, _ dimensions: [Extent], _ permutation: [Int],
    then: (inout Graph, ValueID) throws -> [ValueID] = { _, y in [y] }
  ) throws -> ScheduleCase {
    try ScheduleCase([TensorType(element, dimensions)]) { g, x in
      try then(&g, try g.append(.transpose(Transpose(permutation: permutation)), [x[0]]))
    }
  }

  /// Whole tiles, and tiles that go over either edge.
  @Test(arguments: [ElementType.f32, .f64, .f16, .i8, .i1]) func squares(_ element: ElementType) throws {
    for (rows, columns) in [(64, 32), (33, 70), (16, 17), (40, 16), (19, 700), (130, 66)] {
      try Self.transpose(element, [Extent(rows), Extent(columns)], [1, 0]).check(.loop)
    }
    try Self.transpose(element, [3, 35, 50], [0, 2, 1]).check(.loop)
    try Self.transpose(element, [3, 20, 5, 7], [1, 2, 3, 0]).check(.loop)
    try Self.transpose(element, [18, 3, 20], [2, 1, 0]).check(.loop)
    try Self.transpose(element, [0, 20], [1, 0]).check(.loop)
    try Self.transpose(element, [1, 20], [1, 0]).check(.loop)
  }

  @Test(arguments: [(3, 70), (64, 16), (1, 5), (0, 8), (37, 41)]) func symbolicSquares(_ n: Int, _ m: Int) throws {
    var example = try Self.transpose(.f32, [2, .symbol("n"), .symbol("m")], [0, 2, 1])
    example.symbols = [Symbol("n"): n, Symbol("m"): m]
    try example.check(.loop)
  }

  /// Formulas that follow, short and long, with other operands and several results.
  @Test func whatFollowsATranspose() throws {
    for functions in [[ScalarFunction.negate], [.exponential, .hyperbolicTangent, .cosine]] {
      try ScheduleCase([f32(35, 50), f32(50, 35), f32(35)]) { g, x in
        var y = try g.append(.transpose(Transpose(permutation: [1, 0])), [x[0]])
        for function in functions { y = try g.append(.pointwise(function), [y]) }
        let bias = try g.append(
          .broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [50, 35])), [x[2]])
        let sum = try g.append(.pointwise(.add), [y, x[1]])
        return [sum, try g.append(.pointwise(.multiply), [sum, bias])]
      }.check(.loop)
    }
  }

  /// Pieces along the innermost axis, along one that tasks count, and along several.
  @Test(arguments: [[2, 3, 56, 40], [70, 5, 3, 2], [1, 600, 2, 37], [3, 4, 5, 0]]) func pieces(_ shape: [Int]) throws {
    let dimensions = shape.map { Extent($0) }
    for dimension in shape.indices {
      var other = dimensions
      other[dimension] = 5
      try ScheduleCase([TensorType(.f32, dimensions), TensorType(.f32, other)]) { g, x in
        [try g.append(.concatenate(Concatenate(dimension: dimension)), [x[0], x[1], x[0]])]
      }.check(.loop)
    }
    var none = dimensions
    none[3] = 0
    try ScheduleCase([TensorType(.f32, dimensions), TensorType(.f32, none)]) { g, x in
      [try g.append(.concatenate(Concatenate(dimension: 3)), [x[0], x[1]])]
    }.check(.loop)
    try ScheduleCase([TensorType(.f32, dimensions), TensorType(.f32, [])]) { g, x in
      let pad = Pad(low: [0, 1, 2, 3], high: [1, 0, 2, -1], interior: [0, 0, 0, 0])
      return [try g.append(.pad(pad), x)]
    }.check(.loop)
  }

  /// More pieces than have loops of their own where much is computed of each.
  @Test(arguments: [8, 40, 70], [1, 30]) func manyPieces(_ count: Int, _ formulas: Int) throws {
    let lengths = (0..<count).map { [16, 1, 32, 0, 5, 48, 17][$0 % 7] }
    let total = lengths.reduce(0, +)
    var example = try ScheduleCase(
      lengths.map { TensorType(.f32, [.symbol("n"), Extent($0)]) } + [TensorType(.f32, [.symbol("n"), Extent(total)])]
    ) { g, x in
      var y = try g.append(.concatenate(Concatenate(dimension: 1)), Array(x.dropLast()))
      for _ in 0..<formulas { y = try g.append(.pointwise(.multiply), [y, x[count]]) }
      return [try g.append(.pointwise(.hyperbolicTangent), [y])]
    }
    for rows in [0, 1, 3] {
      example.symbols = [Symbol("n"): rows]
      try example.check(.loop)
    }
  }

  /// Pieces with steps of their own along an axis that tasks count; only a few of them have sections where much is shared.
  @Test(arguments: [7, 27, 66], [0, 40]) func manyOuterPieces(_ count: Int, _ formulas: Int) throws {
    let types = (0..<count).map { TensorType(.f32, [.symbol("n"), Extent($0 % 3), 20]) }
    var example = try ScheduleCase(types) { g, x in
      let pieces = try x.enumerated().map { k, value in
        k % 2 == 0 ? value : try g.append(.pointwise(.multiply), [value, value])
      }
      var y = try g.append(.concatenate(Concatenate(dimension: 1)), pieces)
      for _ in 0..<formulas { y = try g.append(.pointwise(.negate), [y]) }
      return [y]
    }
    for rows in [0, 1, 5] {
      example.symbols = [Symbol("n"): rows]
      try example.check(.loop)
    }
  }

  /// What is mirrored at both ends of two dimensions.
  @Test(arguments: [[2, 5, 9], [3, 40, 70], [300, 4, 17]]) func mirrored(_ shape: [Int]) throws {
    try ScheduleCase([TensorType(.f32, fixed: shape)]) { g, x in
      var y = x[0]
      for d in [1, 2] {
        let dimensions = g.type(of: y).dimensions
        func part(_ from: Int, _ to: Int) throws -> ValueID {
          var (starts, limits) = ([Extent](repeating: .zero, count: 3), dimensions)
          (starts[d], limits[d]) = (Extent(from), Extent(to))
          let slice = try g.append(.slice(Slice(starts: starts, limits: limits, strides: [1, 1, 1])), [y])
          return try g.append(.reverse(Reverse(dimensions: [d])), [slice])
        }
        let (low, high) = (try part(1, 3), try part(shape[d] - 3, shape[d] - 1))
        y = try g.append(.concatenate(Concatenate(dimension: d)), [low, y, high])
      }
      return [y]
    }.check(.loop)
  }

  private static let processors = ["native", "x86-64-v2", "x86-64-v3"]

  /// Few channels that become the innermost dimension, and back.
  @Test(arguments: [1, 2, 3, 5, 8, 9]) func fewChannels(_ count: Int) throws {
    for element in [ElementType.f32, .bf16, .ui8, .i1] {
      try Self.transpose(element, [2, Extent(count), 100], [0, 2, 1]).check(.loop)
      try Self.transpose(element, [2, 100, Extent(count)], [0, 2, 1]).check(.loop)
    }
    for cpu in Self.processors {
      try Self.transpose(.f32, [Extent(count), 64], [1, 0]).check(.loop, cpu: cpu)
      try Self.transpose(.f32, [64, Extent(count)], [1, 0]).check(.loop, cpu: cpu)
    }
    for pixels in [0, 1, 1030] {
      for permuted in [[0, 2, 1], [1, 2, 0]] {
        var example = try Self.transpose(.f32, [Extent(count), .symbol("n"), .symbol("m")], permuted)
        example.symbols = [Symbol("n"): 3, Symbol("m"): pixels]
        try example.check(.loop)
      }
    }
  }

  /// The last vectors of a line are interleaved with less than a vector of results.
  @Test(arguments: [2, 3, 4, 5], [33, 35, 67]) func endsOfFewChannels(_ count: Int, _ pixels: Int) throws {
    for element in [ElementType.f32, .f16] {
      try Self.transpose(element, [7, Extent(count), Extent(pixels)], [0, 2, 1]).check(.loop)
      try Self.transpose(element, [Extent(count), Extent(pixels)], [1, 0]) { g, y in
        [try g.append(.pointwise(.negate), [y]), y]
      }.check(.loop)
    }
  }

  /// Results of several types with a formula, operands that lie as the result does or do not vary.
  @Test(arguments: [2, 3, 5]) func formulasOfFewChannels(_ count: Int) throws {
    let (channels, pixels) = (Extent(count), Extent(75))
    try ScheduleCase([f32(channels, pixels), f32(pixels, channels), f32(channels), f32(pixels)]) { g, x in
      func wide(_ value: ValueID, _ d: Int) throws -> ValueID {
        try g.append(
          .broadcastInDim(BroadcastInDim(dimensions: [d], resultDimensions: [pixels, channels])), [value])
      }
      let turned = try g.append(.transpose(Transpose(permutation: [1, 0])), [x[0]])
      let sum = try g.append(.pointwise(.add), [turned, x[1]])
      let scaled = try g.append(.pointwise(.multiply), [sum, wide(x[2], 1)])
      let shifted = try g.append(.pointwise(.subtract), [scaled, wide(x[3], 0)])
      return [shifted, try g.append(.pointwise(.convert(.i32)), [sum]), turned]
    }.check(.loop)
  }

  /// Elements a fixed step apart, up to the last of the operand.
  @Test(arguments: [ElementType.f32, .f64, .f16, .i8]) func elementsApart(_ element: ElementType) throws {
    for step in [2, 3, 5, 8, 9] {
      for (start, count) in [(0, 16), (step - 1, 67)] {
        let extent = start + (count - 1) * step + 1
        for cpu in element == .f32 ? Self.processors : ["native"] {
          try ScheduleCase([TensorType(element, [3, Extent(extent)])]) { g, x in
            let slice = Slice(starts: [0, Extent(start)], limits: [3, Extent(extent)], strides: [1, step])
            return [try g.append(.slice(slice), x)]
          }.check(.loop, cpu: cpu)
        }
      }
    }
  }

  /// Squares of pixels that become channels, and back.
  @Test(arguments: [2, 3, 4]) func shuffledPixels(_ block: Int) throws {
    let (b, w) = (Extent(block), Extent(23))
    func shuffled(_ from: [Extent], _ permutation: [Int], _ to: [Extent]) throws {
      try ScheduleCase([TensorType(.f32, from)]) { g, x in
        let turned = try g.append(.transpose(Transpose(permutation: permutation)), [x[0]])
        return [try g.append(.reshape(Reshape(resultDimensions: to)), [turned])]
      }.check(.loop)
    }
    try shuffled([2, 3, b, b, 5, w], [0, 1, 4, 2, 5, 3], [2, 3, 5 * b, w * b])
    try shuffled([2, 3, 5, b, w, b], [0, 3, 5, 1, 2, 4], [2, 3 * b * b, 5, w])
  }
}
