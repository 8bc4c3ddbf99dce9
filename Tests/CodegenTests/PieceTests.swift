import IR
import Testing

@testable import Codegen

/// Folds of lines that are put together of pieces, each as long as some vectors, or not.
@Suite struct PieceTests {
  private static let lengths = [1, 4, 7, 8, 16, 17, 32]

  /// Lines of `count` pieces of `length` elements, each from an operand of its own.
  private static func lines(
    _ count: Int, of length: Int, rows: Extent, _ element: ElementType = .f32,
    _ build: (inout Graph, ValueID) throws -> [ValueID]
  ) throws -> ScheduleCase {
    let type = TensorType(element, [rows, Extent(length)])
    return try ScheduleCase([TensorType](repeating: type, count: count)) { g, x in
      try build(&g, try g.append(.concatenate(Concatenate(dimension: 1)), x))
    }
  }

  @Test(arguments: lengths, LineTests.vectorWidths) func foldsOfPieces(_ length: Int, cpu: String) throws {
    for count in 2...4 {
      for (function, element) in [(ScalarFunction.add, ElementType.f32), (.maximum, .i32), (.add, .f64)] {
        try Self.lines(count, of: length, rows: 3, element) { g, line in
          let initial = function == .add ? Scalar.zero(element) : element.lowest
          let first = try g.append(.constant(.scalar(initial, element)))
          let body = try sumBody(function, element)
          return [try g.append(.reduce(Reduce(dimensions: [1], body: body)), [line, first])]
        }.check(.reduction, cpu: cpu)
      }
    }
  }

  @Test(arguments: lengths, LineTests.vectorWidths) func positionsInPieces(_ length: Int, cpu: String) throws {
    try Self.lines(3, of: length, rows: 5) { g, line in
      let positions = try LineTests.iota(g.type(of: line), .i64, 1, &g)
      let first = try g.append(.constant(.scalar(ElementType.f32.lowest, .f32)))
      let none = try g.append(.constant(.scalar(.integer(0), .i64)))
      let body = try LineTests.argument(.f32, .i64, .greater, inOneChoice: true)
      return g.results(
        of: try g.append(.reduce(Reduce(dimensions: [1], body: body)), [line, positions, first, none]))
    }.check(.reduction, cpu: cpu)
  }

  @Test(arguments: lengths, LineTests.vectorWidths) func productsOfPieces(_ length: Int, cpu: String) throws {
    try Self.lines(2, of: length, rows: 3) { g, line in
      let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [1]), resultType: .f32)
      return [try g.append(.dotGeneral(dot), [line, line])]
    }.check(.loop, cpu: cpu)
  }

  @Test(arguments: [0, 1, 3, 33]) func foldsOfOpenManyLines(_ rows: Int) throws {
    var example = try Self.lines(2, of: 17, rows: .symbol("n")) { g, line in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      return [try g.append(.reduce(Reduce(dimensions: [1], body: try sumBody())), [line, zero])]
    }
    example.symbols = [Symbol("n"): rows]
    for cpu in LineTests.vectorWidths { try example.check(.reduction, cpu: cpu) }
  }
}
