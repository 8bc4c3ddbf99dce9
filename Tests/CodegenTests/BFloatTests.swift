import CodegenLLVM
import Foundation
import IR
import Testing

@testable import Codegen

/// Products of pairs of bf16, summed in f32.
///
/// They are compiled for a processor that has the instructions, and run where this one has.
@Suite struct BFloatTests {
  private static let isHere =
    (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains("avx512_bf16") ?? false
  /// A processor whose instructions all others with products of bf16 have.
  private static let cpu = "cooperlake"

  private static func check(_ example: ScheduleCase, _ anchor: Fusion.Anchor, tolerance: Double = 1e-5) throws {
    let graph = try ScheduleCase.fused(example.graph, anchor)
    for (cpu, isMultiplied) in [(Self.cpu, true), ("znver4", true), ("x86-64-v4", false), ("sapphirerapids", false)] {
      let target = try LLVMCompiler(cpu: cpu, multipliesBFloats: true).target
      let program = try Program(Function(name: "main", graph: graph), target: target, precision: .bf16)
      #expect(program.kernels.contains { $0.description.contains("bf16 %") } == isMultiplied)
    }
    if isHere { try example.check(anchor, tolerance: tolerance, cpu: Self.cpu, multipliesBFloats: true) }
  }

  private static func product(
    _ m: Extent, _ k: Extent, _ n: Extent, result: ElementType = .f32, leftTurned: Bool = false,
    rightTurned: Bool = false,
    batch: [Extent] = [], isConstant: Bool = false
  ) throws -> ScheduleCase {
    let (x, y) = (leftTurned ? [k, m] : [m, k], rightTurned ? [n, k] : [k, n])
    let b = batch.count
    let contraction = Contraction(
      lhsBatching: Array(0..<b), rhsBatching: Array(0..<b), lhsContracting: [b + (leftTurned ? 0 : 1)],
      rhsContracting: [b + (rightTurned ? 1 : 0)])
    var example = try ScheduleCase([TensorType(.bf16, batch + x), TensorType(.bf16, batch + y)]) { g, v in
      let product = try g.append(.dotGeneral(DotGeneral(contraction, resultType: result)), v)
      return [try g.append(.pointwise(.negate), [product])]
    }
    if isConstant { example.constants = [1] }
    return example
  }

  @Test(arguments: [1, 5, 33], [(2, 17), (16, 16), (17, 40), (64, 33), (130, 96)])
  func products(_ m: Int, _ extents: (k: Int, n: Int)) throws {
    let (rows, k, n) = (Extent(m), Extent(extents.k), Extent(extents.n))
    try Self.check(try Self.product(rows, k, n), .contraction)
    try Self.check(try Self.product(rows, k, n, isConstant: true), .contraction)
    try Self.check(try Self.product(rows, k, n, leftTurned: true, rightTurned: true), .contraction)
    try Self.check(try Self.product(rows, k, n, rightTurned: true, batch: [2, 3]), .contraction)
    // A sum may lie between two bf16.
    try Self.check(try Self.product(rows, k, n, result: .bf16), .contraction, tolerance: 8e-3)
  }

  @Test(arguments: [0, 1, 2, 35]) func extentsKnownWhenItRuns(_ count: Int) throws {
    var example = try Self.product(.symbol("m"), 18, 37)
    example.symbols = [Symbol("m"): count]
    try Self.check(example, .contraction)
    example = try Self.product(.symbol("m"), .symbol("k"), .symbol("n"), rightTurned: true)
    example.symbols = [Symbol("m"): 19, Symbol("k"): count, Symbol("n"): 33]
    try Self.check(example, .contraction)
  }

  @Test func numbersThatAreNone() throws {
    guard Self.isHere else { return }
    let specials = [0, -0.0, 1, -2, .infinity, -.infinity, .nan, 0x1p-130, 0x1.FEp127, 0x1p-126]
    var graph = Graph()
    let x = graph.addParameter(TensorType(.bf16, fixed: [10, 2]))
    let y = graph.addParameter(TensorType(.bf16, fixed: [2, 20]))
    let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(dot), [x, y])]
    // Each number times each other one, beside a product of 0 with 1.
    let left = Literal(.bf16, [10, 2], specials.flatMap { [Scalar($0, .bf16), .zero(.bf16)] })
    let right = Literal(
      .bf16, [2, 20], (0..<40).map { Scalar($0 < 20 ? specials[$0 % specials.count] : 1, .bf16) })
    let compiler = try LLVMCompiler(cpu: Self.cpu, multipliesBFloats: true)
    let fused = try ScheduleCase.fused(graph, .contraction)
    let program = try Program(Function(name: "main", graph: fused), target: compiler.target, precision: .bf16)
    let result = try CompiledProgram(program, compiler, LLVMCompiler.Options()).run(
      program, [left, right], symbols: [])[0]
    for (row, a) in specials.enumerated() {
      for column in 0..<20 {
        // What is below 2^-126 counts as zero, before and after.
        func flushed(_ x: Double) -> Double { x.magnitude < 0x1p-126 ? 0 : x }
        let want = Float(flushed(flushed(a) * flushed(specials[column % specials.count])))
        let got = Float(result[row * 20 + column].realValue)
        #expect(got == want || got.isNaN && want.isNaN, "\(a) times \(specials[column % specials.count])")
      }
    }
  }

  @Test(arguments: [(2, 5), (16, 16), (30, 33), (64, 20)], [1, 2]) func convolutions(
    _ features: (inputs: Int, outputs: Int), _ stride: Int
  ) throws {
    let types = [ElementType.bf16, .bf16, .f32]
    for (extent, padding, dilation, base) in [(1, 0, 1, 1), (3, 1, 1, 1), (3, 2, 2, 1), (2, 0, 1, 2)] {
      let (x, k) = ([2, 9, 7, features.inputs], [extent, extent, features.inputs, features.outputs])
      var example = try ScheduleTests.convolution(
        x, k, channelsLast: true, stride: stride, padding: padding, base: base, dilation: dilation,
        reversed: dilation == 2, types: types)
      try Self.check(example, .window)
      example.constants = [1]
      try Self.check(example, .window)
    }
    // Channels first are copied.
    try Self.check(
      try ScheduleTests.convolution(
        [2, features.inputs, 9, 7], [features.outputs, features.inputs, 3, 3], channelsLast: false, stride: stride,
        padding: 1, types: types), .window)
  }

  /// Channels that do not fill words, and groups, are multiplied one by one.
  @Test func convolutionsWithoutWords() throws {
    let types = [ElementType.bf16, .bf16, .f32]
    for example in [
      try ScheduleTests.convolution([1, 6, 7, 5], [3, 3, 5, 16], channelsLast: true, padding: 1, types: types),
      try ScheduleTests.convolution(
        [1, 6, 7, 8], [3, 3, 4, 16], channelsLast: true, padding: 1, groups: 2, types: types),
    ] {
      try example.check(.window, cpu: Self.isHere ? Self.cpu : "native", multipliesBFloats: true)
    }
  }

  /// Queries, keys and values are rounded where they are copied, weights where they are computed.
  @Test(arguments: [(3, 5), (33, 129), (14, 16), (20, 700)], [false, true]) func attention(
    _ extents: (rows: Int, keys: Int), _ areSymbols: Bool
  ) throws {
    let rows = areSymbols ? Extent.symbol("q") : Extent(extents.rows)
    let keys = areSymbols ? Extent.symbol("k") : Extent(extents.keys)
    let shapes: [[Extent]] = [[2, rows, 32], [2, keys, 32], [2, keys, 40]]
    var example = try ScheduleCase(shapes.map { TensorType(.f32, $0) }) { g, v in
      let first = Contraction(
        lhsBatching: [0], rhsBatching: [0], lhsContracting: [2], rhsContracting: [2])
      let products = try g.append(.dotGeneral(DotGeneral(first, resultType: .f32)), [v[0], v[1]])
      let scale = try g.append(.constant(.scalar(Scalar(0.1767767, .f32), .f32)))
      let scales = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: [2, rows, keys])), [scale])
      let scores = try g.append(.pointwise(.multiply), [products, scales])
      func fold(_ x: ValueID, _ function: ScalarFunction, _ initial: Double) throws -> ValueID {
        let start = try g.append(.constant(.scalar(Scalar(initial, .f32), .f32)))
        let reduce = Reduce(dimensions: [2], body: try sumBody(function))
        let row = try g.append(.reduce(reduce), [x, start])
        return try g.append(
          .broadcastInDim(BroadcastInDim(dimensions: [0, 1], resultDimensions: [2, rows, keys])), [row])
      }
      let largest = try fold(scores, .maximum, -.infinity)
      let exponentials = try g.append(
        .pointwise(.exponential), [try g.append(.pointwise(.subtract), [scores, largest])])
      let weights = try g.append(.pointwise(.divide), [exponentials, try fold(exponentials, .add, 0)])
      let second = Contraction(
        lhsBatching: [0], rhsBatching: [0], lhsContracting: [2], rhsContracting: [1])
      return [try g.append(.dotGeneral(DotGeneral(second, resultType: .f32)), [weights, v[2]])]
    }
    if areSymbols { example.symbols = [Symbol("q"): extents.rows, Symbol("k"): extents.keys] }
    try Self.check(example, .attention, tolerance: 2e-2)
  }
}
