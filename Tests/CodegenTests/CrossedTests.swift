import IR
import Testing

@testable import Codegen

/// Loops of which all operands lie across the result: computed along the operands, written in squares.
@Suite struct CrossedTests {
  /// Whether the schedule takes the graph as one fusion.
  private static func isCrossed(_ example: ScheduleCase) throws -> Bool {
    let body = example.graph
    let request = SchedulingRequest(
      body: body, anchor: .loop, name: "k", sources: [], constants: body.parameters.map { _ in nil },
      target: Target(cpu: "x", vectorByteCount: 32, vectorRegisterCount: 16, hasMultiplyAdd: true))
    return Schedule.transpose.kernels(request) == nil && Schedule.crossed.kernels(request) != nil
  }

  private static func transposed(_ g: inout Graph, _ x: ValueID) throws -> ValueID {
    try g.append(.transpose(Transpose(permutation: [1, 0])), [x])
  }

  /// The rows of `table` at `places`, scaled, as columns.
  private static func rows(
    _ element: ElementType, _ rows: Extent, _ columns: Extent, _ places: Extent
  ) throws -> ScheduleCase {
    try ScheduleCase([
      TensorType(element, [rows, columns]), TensorType(.i32, [places]), TensorType(element, [places]),
    ]) { g, x in
      let gather = Gather(
        offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceExtents: [.one, columns])
      let read = try g.append(.gather(gather), [x[0], x[1]])
      let scale = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [0], resultDimensions: [places, columns])), [x[2]])
      return [try Self.transposed(&g, g.append(.pointwise(.maximum), [read, scale]))]
    }
  }

  @Test(arguments: [ElementType.f32, .f64, .f16, .i8, .bf16]) func rowsBecomeColumns(_ element: ElementType) throws {
    for (columns, places) in [(64, 32), (33, 70), (16, 17), (19, 700), (130, 66), (3, 40), (40, 3), (1, 1), (20, 0)] {
      let example = try Self.rows(element, 9, Extent(columns), Extent(places))
      if columns >= 32, places >= 32 { #expect(try Self.isCrossed(example)) }
      for cpu in ["native", "x86-64-v2", "x86-64-v3"] { try example.check(.loop, cpu: cpu) }
    }
  }

  @Test(arguments: [(5, 3, 70), (3, 64, 16), (1, 1, 5), (2, 0, 8), (4, 37, 41)])
  func openExtents(_ n: Int, _ m: Int, _ k: Int) throws {
    var example = try Self.rows(.f32, .symbol("n"), .symbol("m"), .symbol("k"))
    #expect(try Self.isCrossed(example))
    example.symbols = [Symbol("n"): n, Symbol("m"): m, Symbol("k"): k]
    try example.check(.loop)
  }

  /// Zeros beside what is transposed, where a mask says which elements there are.
  @Test(arguments: [(64, 50), (17, 100), (35, 35)]) func padded(_ rows: Int, _ columns: Int) throws {
    let example = try ScheduleCase([f32(Extent(rows), Extent(columns)), f32()]) { g, x in
      let pad = Pad(low: [1, 0], high: [2, 3], interior: [0, 0])
      return [try g.append(.pad(pad), [Self.transposed(&g, x[0]), x[1]])]
    }
    #expect(try Self.isCrossed(example))
    try example.check(.loop)
    try example.check(.loop, cpu: "x86-64-v3")
  }

  /// Several operands read at different places, and results of several types.
  @Test func differentPlaces() throws {
    let example = try ScheduleCase([f32(40, 75), f32(50, 75), f32(75)]) { g, x in
      let part = try g.append(.slice(Slice(starts: [7, 0], limits: [47, 75], strides: [1, 1])), [x[1]])
      let both = try [x[0], part].map { try Self.transposed(&g, $0) }
      let bias = try g.append(.broadcastInDim(BroadcastInDim(dimensions: [0], resultDimensions: [75, 40])), [x[2]])
      let sum = try g.append(.pointwise(.add), [try g.append(.pointwise(.multiply), both), bias])
      return [sum, try g.append(.pointwise(.convert(.i16)), [both[0]])]
    }
    try example.check(.loop)
    try example.check(.loop, cpu: "x86-64-v3")
  }

  /// Formulas that are too long to be repeated for each line, with several results.
  @Test(arguments: [(64, 50), (17, 100), (5, 9)]) func longFormulas(_ rows: Int, _ columns: Int) throws {
    let example = try ScheduleCase([f32(Extent(rows), Extent(columns)), f32()]) { g, x in
      let pad = Pad(low: [0, 1], high: [1, 0], interior: [0, 0])
      var y = try g.append(.pad(pad), [Self.transposed(&g, x[0]), x[1]])
      let first = y
      for step in 0..<70 { y = try g.append(.pointwise(step % 2 == 0 ? .add : .minimum), [y, first]) }
      return [y, first]
    }
    for cpu in ["native", "x86-64-v3"] { try example.check(.loop, cpu: cpu) }
  }

  /// What lies along the result, beside what lies across it, is no case for squares.
  @Test func alongAndAcross() throws {
    let example = try ScheduleCase([f32(40, 75), f32(75, 40), f32(50, 75)]) { g, x in
      let part = try g.append(.slice(Slice(starts: [7, 0], limits: [47, 75], strides: [1, 1])), [x[2]])
      let both = try [x[0], part].map { try Self.transposed(&g, $0) }
      return [try g.append(.pointwise(.add), [try g.append(.pointwise(.multiply), both), x[1]])]
    }
    #expect(try !Self.isCrossed(example))
    try example.check(.loop)
  }
}
