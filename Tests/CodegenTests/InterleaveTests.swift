import IR
import Testing

@testable import Codegen

/// Rows of a few elements, a vector of them side by side, and values that lie in turns.
@Suite struct InterleaveTests {
  private static let processors = ["native", "x86-64-v2", "x86-64-v3"]

  /// Adds `x` over its last dimension, and repeats the sums, less what `then` makes of them, along it.
  private static func spreadSum(
    of x: ValueID, _ g: inout Graph, then: (inout Graph, ValueID) throws -> ValueID = { _, sum in sum }
  ) throws -> ValueID {
    let type = g.type(of: x)
    let zero = try g.append(.constant(.scalar(.real(0), type.elementType)))
    let body = try sumBody(.add, type.elementType)
    let sum = try g.append(.reduce(Reduce(dimensions: [type.rank - 1], body: body)), [x, zero])
    let spread = BroadcastInDim(dimensions: Array(0..<type.rank - 1), resultDimensions: type.dimensions)
    return try g.append(.broadcastInDim(spread), [try then(&g, sum)])
  }

  private static func rows(_ type: TensorType) throws -> ScheduleCase {
    try ScheduleCase([type, TensorType(type.elementType, Array(type.dimensions.dropLast()))]) { g, x in
      let square = try g.append(.pointwise(.multiply), [x[0], x[0]])
      let scale = try spreadSum(of: square, &g) { g, sum in
        try g.append(.pointwise(.logistic), [try g.append(.pointwise(.subtract), [sum, x[1]])])
      }
      let scaled = try g.append(.pointwise(.multiply), [x[0], scale])
      return [scaled, try g.append(.pointwise(.subtract), [x[0], scaled])]
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 9]) func shortRows(_ length: Int) throws {
    for count in [16, 17, 50, 700] {
      for cpu in Self.processors { try Self.rows(f32(Extent(count), Extent(length))).check(.row, cpu: cpu) }
    }
    try Self.rows(f32(3, 40, Extent(length))).check(.row)
    try Self.rows(f32(40, 3, Extent(length))).check(.row)
    try Self.rows(f32(0, Extent(length))).check(.row)
    try Self.rows(f32(1, Extent(length))).check(.row)
    try Self.rows(TensorType(.f64, [37, Extent(length)])).check(.row)
    try Self.rows(TensorType(.f16, [37, Extent(length)])).check(.row, tolerance: 2e-3)
    try Self.rows(TensorType(.bf16, [37, Extent(length)])).check(.row, tolerance: 2e-2)
  }

  @Test(arguments: [0, 1, 15, 16, 400]) func symbolicShortRows(_ n: Int) throws {
    for length in [2, 3, 7] {
      var example = try Self.rows(f32(.symbol("n"), Extent(length)))
      example.symbols = [Symbol("n"): n]
      try example.check(.row)
    }
  }

  /// Differences of all pairs of points, divided by a power of their distance.
  @Test(arguments: [2, 3, 4], [16, 35]) func pairsOfPoints(_ length: Int, _ count: Int) throws {
    let (n, d) = (Extent(count), Extent(length))
    for cpu in Self.processors {
      try ScheduleCase([f32(n, d), f32(n)]) { g, x in
        func wide(_ value: ValueID, _ dimensions: [Int]) throws -> ValueID {
          try g.append(
            .broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: [n, n, d])), [value])
        }
        let difference = try g.append(
          .pointwise(.subtract), [try wide(x[0], [1, 2]), try wide(x[0], [0, 2])])
        let square = try g.append(.pointwise(.multiply), [difference, difference])
        let factor = try Self.spreadSum(of: square, &g) { g, sum in
          let small = try g.append(.constant(Literal(.f32, [count, count], splat: .real(0.01))))
          let exponent = try g.append(.constant(Literal(.f32, [count, count], splat: .real(-1.5))))
          return try g.append(.pointwise(.power), [try g.append(.pointwise(.add), [sum, small]), exponent])
        }
        let weighted = try g.append(.pointwise(.multiply), [difference, try wide(x[1], [1])])
        return [try g.append(.pointwise(.multiply), [weighted, factor])]
      }.check(.row, cpu: cpu)
    }
  }

  /// Values put beside each other along the innermost dimension, an element of each in turn.
  @Test(arguments: [2, 3, 5, 8, 9]) func turns(_ count: Int) throws {
    for element in [ElementType.f32, .f64, .bf16, .i8, .i1] {
      for length in [Extent(5), 16, 33, 700, .symbol("n")] {
        var example = try ScheduleCase((0..<count).map { _ in TensorType(element, [length, 1]) }) { g, x in
          [try g.append(.concatenate(Concatenate(dimension: 1)), x)]
        }
        for n in length.fixed == nil ? [0, 1, 16, 45] : [0] {
          example.symbols = [Symbol("n"): n]
          try example.check(.loop)
        }
      }
    }
    for cpu in Self.processors {
      try ScheduleCase([f32(3, 33, 1), f32(33, 2)]) { g, x in
        let many = try g.append(
          .broadcastInDim(BroadcastInDim(dimensions: [1, 2], resultDimensions: [3, 33, 2])), [x[1]])
        return [try g.append(.concatenate(Concatenate(dimension: 2)), [x[0], many])]
      }.check(.loop, cpu: cpu)
    }
  }

  /// A number for each row of a few elements.
  @Test(arguments: [2, 3, 4]) func spreadOverFew(_ length: Int) throws {
    let (n, d) = (Extent.symbol("n"), Extent(length))
    for count in [0, 1, 16, 501] {
      var example = try ScheduleCase([f32(n, d), f32(n), f32(d)]) { g, x in
        func wide(_ value: ValueID, _ dimension: Int) throws -> ValueID {
          try g.append(.broadcastInDim(BroadcastInDim(dimensions: [dimension], resultDimensions: [n, d])), [value])
        }
        let scaled = try g.append(.pointwise(.multiply), [x[0], try wide(x[1], 0)])
        return [try g.append(.pointwise(.add), [scaled, try wide(x[2], 1)])]
      }
      example.symbols = [Symbol("n"): count]
      for cpu in Self.processors { try example.check(.loop, cpu: cpu) }
    }
  }
}
