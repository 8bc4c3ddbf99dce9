import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Products of few rows, with one column, of narrow floats, of integers and of bytes.
@Suite struct ProductTests {
  /// Those that this machine can stand for.
  private static let processors =
    (CompiledProgram.runsAVX512 ? ["x86-64-v4"] : []) + ["native", "x86-64-v3", "x86-64-v2"]

  /// `x y`, or `x yᵀ`, the largest with 0.
  private static func product(
    _ m: Extent, _ k: Extent, _ n: Extent, _ types: [ElementType] = [.f32, .f32, .f32], leftTurned: Bool = false,
    rightTurned: Bool = false
  ) throws -> ScheduleCase {
    let (x, y) = (leftTurned ? [k, m] : [m, k], rightTurned ? [n, k] : [k, n])
    let contraction = Contraction(lhsContracting: [leftTurned ? 0 : 1], rhsContracting: [rightTurned ? 1 : 0])
    return try ScheduleCase([TensorType(types[0], x), TensorType(types[1], y)]) { g, v in
      let product = try g.append(.dotGeneral(DotGeneral(contraction, resultType: types[2])), v)
      let zero = try g.append(.constant(.scalar(.zero(types[2]), types[2])))
      let zeros = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: [m, n])), [zero])
      return [try g.append(.pointwise(.maximum), [product, zeros])]
    }
  }

  private static func kernelCount(_ example: ScheduleCase) throws -> Int {
    let graph = try ScheduleCase.fused(example.graph, .contraction)
    return try Program(Function(name: "main", graph: graph), target: LLVMCompiler().target).kernels.count
  }

  @Test func rowsThatShareASetHaveWiderTiles() throws {
    func vectors(_ l1: Int, _ pitch: Int, columns: Int? = 1024, rows: Int? = nil) -> Int {
      let target = Target(
        cpu: "x86-64-v4", vectorByteCount: 64, vectorRegisterCount: 32, hasMultiplyAdd: true, l1ByteCount: l1)
      return Microkernel.vectors(columns: columns, rows: rows, pitch: pitch, lanes: 16, target)
    }
    // Eight lines of a set stay, twelve in the larger cache.
    for pitch in [4096, 8192, 12288, 4092, 4100] {
      #expect(vectors(32 << 10, pitch) == 4)
      #expect(vectors(48 << 10, pitch) == 2)
    }
    for pitch in [2048, 6144, 4160, 3072, 64] { #expect(vectors(32 << 10, pitch) == 2) }
    // Three where that leaves less of the last panel empty; two where there are no more.
    #expect(vectors(32 << 10, 4096, columns: 144) == 3)
    #expect(vectors(32 << 10, 4096, columns: nil) == 3)
    #expect(vectors(32 << 10, 4096, columns: 32) == 2)
    // What few rows need does not change.
    #expect(vectors(32 << 10, 4096, rows: 4) == vectors(48 << 10, 4096, rows: 4))
    try Self.product(30, 1024, 80).check(.contraction)
    var example = try Self.product(.symbol("m"), 1023, 70)
    example.symbols = [Symbol("m"): 37]
    try example.check(.contraction)
  }

  @Test(arguments: [1, 2, 7, 31], [(1, 17), (5, 2), (16, 16), (33, 70)])
  func fewRows(_ m: Int, _ extents: (k: Int, n: Int)) throws {
    let (rows, k, n) = (Extent(m), Extent(extents.k), Extent(extents.n))
    for rightTurned in [false, true] {
      let example = try Self.product(rows, k, n, rightTurned: rightTurned)
      try #expect(Self.kernelCount(example) == 1)
      for cpu in Self.processors { try example.check(.contraction, cpu: cpu) }
    }
    try Self.product(rows, k, n, leftTurned: true, rightTurned: true).check(.contraction)
    try Self.product(rows, k, n, [.f64, .f64, .f64], rightTurned: true).check(.contraction, tolerance: 1e-13)
  }

  /// Few rows times a matrix that no cache holds: its lines are added in memory's order.
  @Test(arguments: [1, 3, 4], [(8, 512), (9, 513), (1, 600), (23, 1100), (0, 520)])
  func linesInOrder(_ m: Int, _ extents: (k: Int, n: Int)) throws {
    let (rows, k, n) = (Extent(m), Extent(extents.k), Extent(extents.n))
    for cpu in Self.processors { try Self.product(rows, k, n).check(.contraction, cpu: cpu, l2ByteCount: 64) }
    for leftTurned in [false, true] {
      try Self.product(rows, k, n, [.f64, .f64, .f64], leftTurned: leftTurned)
        .check(.contraction, tolerance: 1e-13, l2ByteCount: 64)
      var example = try Self.product(rows, .symbol("k"), .symbol("n"), leftTurned: leftTurned)
      example.symbols = [Symbol("k"): extents.k, Symbol("n"): extents.n]
      try example.check(.contraction)
    }
    try Self.product(rows, k, n, [.bf16, .bf16, .f32]).check(.contraction, l2ByteCount: 64)
    try Self.product(rows, k, n, [.i32, .i32, .i32]).check(.contraction, l2ByteCount: 64)
  }

  @Test func linesOfBatchesAndSeveralDimensions() throws {
    let contraction = Contraction(lhsBatching: [1], rhsBatching: [0], lhsContracting: [0, 3], rhsContracting: [1, 2])
    for rows: Extent in [1, 2] {
      try ScheduleTests.dot(f32(3, 2, rows, 7), f32(2, 3, 7, 20, 35), contraction, true)
        .check(.contraction, l2ByteCount: 64)
    }
  }

  /// One product for each batch, or one alone.
  @Test(arguments: [0, 1, 15, 64, 131]) func productsOfVectors(_ k: Int) throws {
    let depth = Extent(k)
    let pairs = Contraction(lhsBatching: [0], rhsBatching: [0], lhsContracting: [1], rhsContracting: [1])
    let alone = Contraction(lhsContracting: [0], rhsContracting: [0])
    let deep = Contraction(lhsBatching: [1], rhsBatching: [0], lhsContracting: [2, 0], rhsContracting: [1, 2])
    for epilogue in [false, true] {
      try ScheduleTests.dot(f32(7, depth), f32(7, depth), pairs, epilogue).check(.contraction)
      try ScheduleTests.dot(f32(depth), f32(depth), alone, epilogue).check(.contraction)
      try ScheduleTests.dot(f32(depth, 5, 3), f32(5, 3, depth), deep, epilogue).check(.contraction)
    }
    for (types, tolerance) in [
      ([ElementType.f64, .f64, .f64], 1e-13), ([.bf16, .bf16, .f32], 1e-5), ([.i8, .i8, .i32], 0),
      ([.f16, .f16, .f16], 1e-3), ([.complex64, .complex64, .complex64], 1e-5),
    ] {
      try ScheduleCase([TensorType(types[0], [3, depth]), TensorType(types[1], [3, depth])]) { g, v in
        [try g.append(.dotGeneral(DotGeneral(pairs, resultType: types[2])), v)]
      }.check(.contraction, tolerance: tolerance)
    }
    var example = try ScheduleTests.dot(f32(.symbol("n"), .symbol("k")), f32(.symbol("n"), .symbol("k")), pairs, true)
    example.symbols = [Symbol("n"): 3, Symbol("k"): k]
    try example.check(.contraction)
  }

  @Test func manyRowsArePacked() throws {
    for rightTurned in [false, true] {
      let example = try Self.product(32, 5, 40, rightTurned: rightTurned)
      try #expect(Self.kernelCount(example) == 2)
      try example.check(.contraction)
    }
  }

  @Test(arguments: [0, 1, 3, 31, 32, 45]) func rowsKnownWhenItRuns(_ m: Int) throws {
    for rightTurned in [false, true] {
      var example = try Self.product(.symbol("m"), 19, 37, rightTurned: rightTurned)
      example.symbols = [Symbol("m"): m]
      try example.check(.contraction)
      example = try Self.product(.symbol("m"), .symbol("k"), .symbol("n"), rightTurned: rightTurned)
      example.symbols = [Symbol("m"): m, Symbol("k"): 21, Symbol("n"): 18]
      try example.check(.contraction)
    }
  }

  /// Blocks of rows are of one size, whether all panels stay in the cache or none.
  @Test(arguments: [127, 128, 129, 300, 385]) func blocksOfRows(_ m: Int) throws {
    for l2ByteCount in [2 << 20, 4 << 10] {
      try Self.product(Extent(m), 16, 40).check(.contraction, l2ByteCount: l2ByteCount)
      var example = try Self.product(.symbol("m"), 16, 40)
      example.symbols = [Symbol("m"): m]
      try example.check(.contraction, l2ByteCount: l2ByteCount)
    }
  }

  @Test(arguments: [(5, 3), (64, 40), (33, 17), (1, 70)]) func oneColumn(_ m: Int, _ k: Int) throws {
    let (rows, depth) = (Extent(m), Extent(k))
    for isConstant in [false, true] {
      for turned in [false, true] {
        var example = try Self.product(rows, depth, 1, leftTurned: turned, rightTurned: turned)
        if isConstant { example.constants = [0] }
        try example.check(.contraction)
        example.constants = isConstant ? [1] : []
        try example.check(.contraction)
      }
    }
    let batches = Contraction(lhsBatching: [1], rhsBatching: [0], lhsContracting: [2], rhsContracting: [1])
    try ScheduleTests.dot(f32(rows, 3, depth), f32(3, depth, 1), batches, true).check(.contraction)
  }

  @Test func columnsThatAreNoNeighbours() throws {
    let between = Contraction(lhsContracting: [1], rhsContracting: [1])
    try ScheduleTests.dot(f32(3, 5), f32(6, 5, 7), between, true).check(.contraction)
    let apart = Contraction(lhsContracting: [1, 2], rhsContracting: [2, 0])
    try ScheduleTests.dot(f32(3, 4, 5), f32(5, 7, 4), apart, true).check(.contraction)
  }

  @Test(arguments: [ElementType.f16, .bf16]) func narrowFloats(_ type: ElementType) throws {
    for m in [1, 3, 40] {
      for turned in [false, true] {
        var example = try Self.product(Extent(m), 20, 70, [type, type, .f32], rightTurned: turned)
        try example.check(.contraction)
        example.constants = [1]
        try example.check(.contraction)
      }
    }
  }

  @Test(arguments: [ElementType.i32, .ui32, .i64, .ui64]) func integers(_ type: ElementType) throws {
    for (m, k, n) in [(3, 5, 33), (40, 9, 7), (1, 17, 64), (5, 4, 1)] as [(Extent, Extent, Extent)] {
      for turned in [false, true] {
        try Self.product(m, k, n, [type, type, type], rightTurned: turned).check(.contraction)
        try Self.product(m, k, n, [.i16, .i16, type], rightTurned: turned).check(.contraction)
      }
    }
  }

  @Test(
    arguments: [[ElementType.ui8, .i8], [.i8, .ui8], [.i8, .i8], [.ui8, .ui8]],
    [(1, 1, 5), (3, 4, 16), (33, 7, 40), (16, 70, 33), (5, 18, 1), (2, 0, 3)] as [(Extent, Extent, Extent)])
  func bytes(_ types: [ElementType], _ extents: (m: Extent, k: Extent, n: Extent)) throws {
    for (left, right) in [(false, false), (false, true), (true, false)] {
      for isConstant in [false, true] {
        var example = try Self.product(
          extents.m, extents.k, extents.n, types + [.i32], leftTurned: left, rightTurned: right)
        if isConstant { example.constants = [1] }
        for cpu in left ? ["native"] : Self.processors { try example.check(.contraction, cpu: cpu) }
      }
    }
    var symbolic = try Self.product(.symbol("m"), .symbol("k"), extents.n, types + [.ui32])
    symbolic.symbols = [Symbol("m"): 9, Symbol("k"): 13]
    try symbolic.check(.contraction)
  }

  /// Without an instruction for four bytes, many rows are multiplied as 16-bit integers, and few as bytes.
  @Test(arguments: [(1, "ui8"), (15, "ui8"), (16, "i16"), (40, "i16")])
  func bytesThatAreConverted(_ m: Int, _ factor: String) throws {
    for (k, n): (Extent, Extent) in [(64, 48), (7, 21), (1, 17)] {
      let example = try Self.product(Extent(m), k, n, [.ui8, .i8, .i32])
      for constants: Set<Int> in [[], [1]] {
        var example = example
        example.constants = constants
        try example.check(.contraction, cpu: "x86-64-v3")
      }
      let graph = try ScheduleCase.fused(example.graph, .contraction)
      let program = try Program(
        Function(name: "main", graph: graph), target: LLVMCompiler(cpu: "x86-64-v3").target)
      #expect(program.kernels.contains { $0.description.contains("\(factor) %") })
    }
  }

  /// The largest magnitudes there are, whose pairs do not fit 16 bits.
  @Test func extremeBytes() throws {
    let pairs: [(types: [ElementType], values: [Int64])] = [
      ([.ui8, .i8], [255, -128]), ([.i8, .i8], [-128, -128]), ([.ui8, .ui8], [255, 255]),
    ]
    for (types, values) in pairs {
      let example = try ScheduleCase([]) { g, _ in
        let x = try g.append(.constant(Literal(types[0], [3, 40], splat: .integer(values[0]))))
        let y = try g.append(.constant(Literal(types[1], [40, 20], splat: .integer(values[1]))))
        let contraction = Contraction(lhsContracting: [1], rhsContracting: [0])
        return [try g.append(.dotGeneral(DotGeneral(contraction, resultType: .i32)), [x, y])]
      }
      for cpu in Self.processors { try example.check(.contraction, cpu: cpu) }
    }
  }

  @Test(arguments: [[ElementType.ui8, .i8, .i32], [.i8, .i8, .i32], [.ui8, .ui8, .ui32]])
  func convolutionsOfBytes(_ types: [ElementType]) throws {
    let examples = [
      try ScheduleTests.convolution([2, 9, 7, 3], [3, 3, 3, 37], channelsLast: true, padding: 1, types: types),
      try ScheduleTests.convolution([1, 6, 5, 8], [1, 1, 8, 20], channelsLast: true, types: types),
      try ScheduleTests.convolution([2, 3, 9, 7], [5, 3, 3, 2], channelsLast: false, stride: 2, types: types),
      try ScheduleTests.convolution(
        [1, 4, 6, 5], [6, 4, 3, 2], channelsLast: false, padding: 2, base: 2, dilation: 2, reversed: true, types: types),
      try ScheduleTests.convolution([2, 3, 50], [4, 3, 5], channelsLast: false, padding: 2, types: types),
      try ScheduleTests.convolution([1, 4, 4, 8], [3, 3, 2, 8], channelsLast: true, groups: 4, types: types),
    ]
    for example in examples {
      try example.check(.window)
      var packed = example
      packed.constants = [1]
      try packed.check(.window)
    }
  }
}
