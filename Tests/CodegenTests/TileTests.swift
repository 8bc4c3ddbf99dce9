import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// A product `x · y + c` of f32 matrices, with elements and what they are compared with.
private struct TileProductCase {
  let rows: Int
  let depth: Int
  let columns: Int
  let isConstant: Bool
  let isSymbolic: Bool
  let precision: ProductPrecision
  let format: TileFormat

  init(
    rows: Int, depth: Int, columns: Int, isConstant: Bool = true, isSymbolic: Bool = false,
    precision: ProductPrecision = .f32, format: TileFormat = .f16
  ) {
    (self.rows, self.depth, self.columns) = (rows, depth, columns)
    (self.isConstant, self.isSymbolic) = (isConstant, isSymbolic)
    (self.precision, self.format) = (precision, format)
  }

  /// One that is large enough for tiles to pay.
  init(of format: TileFormat = .f16, isConstant: Bool = true) {
    let (rows, depth, columns) = format == .f16 ? (64, 256, 96) : (128, 640, 224)
    self.init(rows: rows, depth: depth, columns: columns, isConstant: isConstant, format: format)
  }

  private func literal(_ values: [Float], _ dimensions: [Int]) -> Literal {
    Literal(.f32, dimensions, bytes: values.withUnsafeBytes { Array($0) })
  }

  /// The results in tiles, and those of the program without tiles.
  func run(_ x: [Float], _ y: [Float], _ c: [Float]) throws -> (tiles: [Float], plain: [Float]) {
    var graph = Graph()
    let m: Extent = isSymbolic ? .symbol("m") : Extent(rows)
    let left = graph.addParameter(f32(m, Extent(depth)))
    let yLiteral = literal(y, [depth, columns])
    let right =
      isConstant
      ? try graph.append(.constant(Constant(yLiteral)), []) : graph.addParameter(yLiteral.type)
    let bias = graph.addParameter(f32(Extent(columns)))
    let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    let product = try graph.append(.dotGeneral(dot), [left, right])
    let wide = try graph.append(
      .broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [m, Extent(columns)])), [bias])
    graph.results = [try graph.append(.pointwise(.add), [product, wide])]
    let function = Function(name: "main", graph: try ScheduleCase.fused(graph, .contraction))
    var inputs = [literal(x, [rows, depth])]
    if !isConstant { inputs.append(yLiteral) }
    inputs.append(literal(c, [columns]))
    let compiler = try LLVMCompiler()
    // Whether tiles of bf16 are worth it depends on vectors and caches: those of a processor that has them.
    var target = format == .f16 ? compiler.target : try LLVMCompiler(cpu: "sapphirerapids").target
    var outcomes: [[Float]] = []
    for formats in [[format], []] as [Set<TileFormat>] {
      target.tileFormats = formats
      let program = try Program(function, target: target, precision: precision)
      #expect(program.kernels.contains { !$0.tileFormats.isEmpty } == !formats.isEmpty)
      let library = try CompiledProgram(program, compiler)
      let results = try library.run(program, inputs, symbols: isSymbolic ? [rows] : [])
      outcomes.append(results[0].scalars.map { Float($0.realValue) })
    }
    return (outcomes[0], outcomes[1])
  }

  /// The largest error beyond `allowance`, as a share of the sum of the products' magnitudes.
  func error(_ results: [Float], _ x: [Float], _ y: [Float], _ c: [Float], beyond allowance: Double = 0) -> Double {
    var largest = 0.0
    for i in 0..<rows {
      for j in 0..<columns {
        var (exact, magnitude) = (Double(c[j]), abs(Double(c[j])))
        for k in 0..<depth {
          let product = Double(x[i * depth + k]) * Double(y[k * columns + j])
          exact += product
          magnitude += abs(product)
        }
        let distance = abs(Double(results[i * columns + j]) - exact)
        if magnitude > 0 { largest = max(largest, (distance - allowance) / magnitude) }
      }
    }
    return largest
  }

  func elements(_ seed: UInt64, _ make: (inout SplitMix) -> Float) -> (x: [Float], y: [Float], c: [Float]) {
    var random = SplitMix(state: seed)
    return (
      (0..<rows * depth).map { _ in make(&random) }, (0..<depth * columns).map { _ in make(&random) },
      (0..<columns).map { _ in make(&random) }
    )
  }
}

extension SplitMix {
  /// Between -1 and 1.
  fileprivate mutating func unit() -> Float { Float(Double(next() >> 11) * 0x1p-52 - 1) }
}

/// Products in tiles; where the processor has none, an emulator executes their instructions.
@Suite struct TileTests {
  /// What sums of `depth` products in f32 may be off, as a share of their magnitudes.
  private func bound(_ depth: Int) -> Double { Double(depth + 4) * 0x1p-24 }

  @Test(arguments: [TileFormat.f16, .bf16], [true, false])
  fileprivate func errorsAreThoseOfSumsInF32(_ format: TileFormat, _ isConstant: Bool) throws {
    let shapes =
      format == .f16
      ? [(64, 256, 96), (140, 150, 210), (62, 190, 158), (60, 190, 500)] : [(128, 640, 224), (190, 530, 254)]
    for (rows, depth, columns) in shapes {
      let isSymbolic = rows == 140 || rows == 190
      let product = TileProductCase(
        rows: rows, depth: depth, columns: columns, isConstant: isConstant, isSymbolic: isSymbolic, format: format)
      let (x, y, c) = product.elements(UInt64(rows)) { $0.unit() }
      let (tiles, plain) = try product.run(x, y, c)
      let differ = tiles != plain
      #expect(differ)
      let (inTiles, inF32) = (product.error(tiles, x, y, c), product.error(plain, x, y, c))
      // Tiles sum in another order, of which a few elements may be the worse for; not by much.
      #expect(inTiles <= max(1.5 * inF32, 4 * 0x1p-24), "\(inTiles) in tiles, \(inF32) in f32")
    }
  }

  /// A product large enough for tiles, and its operands.
  private func productInTiles(_ compiler: LLVMCompiler) throws -> (Program, [Literal]) {
    let product = TileProductCase(isConstant: false)
    let (x, y, _) = product.elements(1) { $0.unit() }
    var graph = Graph()
    let (a, b) = (graph.addParameter(f32(64, 256)), graph.addParameter(f32(256, 96)))
    let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(dot), [a, b])]
    var target = compiler.target
    target.tileFormats = [.f16]
    let program = try Program(
      Function(name: "main", graph: try ScheduleCase.fused(graph, .contraction)), target: target)
    return (
      program,
      [
        Literal(.f32, [64, 256], bytes: x.withUnsafeBytes { Array($0) }),
        Literal(.f32, [256, 96], bytes: y.withUnsafeBytes { Array($0) }),
      ]
    )
  }

  @Test func tilesAreUsed() throws {
    let compiler = try LLVMCompiler()
    let (program, inputs) = try productInTiles(compiler)
    let library = try CompiledProgram(program, compiler)
    let before = library.tileInstructionCount
    _ = try library.run(program, inputs)
    // 2 × 3 blocks of 8 depth blocks with 12 products and 8 loads each, and the sums' zeros and stores.
    if let before, let after = library.tileInstructionCount {
      #expect(after - before >= 2 * 3 * (8 * (12 + 8) + 8))
    }
  }

  /// Libraries come and go while others run; what executes their tile instructions stays.
  @Test func tilesOutliveALibrary() throws {
    let compiler = try LLVMCompiler()
    let (program, inputs) = try productInTiles(compiler)
    let library = try CompiledProgram(program, compiler)
    let before = try library.run(program, inputs)
    do {
      let other = try CompiledProgram(program, compiler)
      #expect(try other.run(program, inputs) == before)
    }
    #expect(try library.run(program, inputs) == before)
  }

  @Test(arguments: [TileFormat.f16, .bf16])
  fileprivate func wideRanges(_ format: TileFormat) throws {
    // Elements over 23 binades: small ones lose bits, but not more than a row's and a column's largest allow.
    let product = TileProductCase(of: format)
    let (x, y, c) = product.elements(3) { random in
      random.unit() * Float(sign: .plus, exponent: Int(random.next() % 24) - 12, significand: 1)
    }
    let (tiles, _) = try product.run(x, y, c)
    #expect(product.error(tiles, x, y, c) <= bound(product.depth))
  }

  /// Where lines are not scaled, small elements that meet none but zeros keep their bits, down to 2^-103.
  @Test func smallElementsBesideLargeOnes() throws {
    let product = TileProductCase(of: .bf16)
    var (x, y, c) = product.elements(11) { $0.unit() }
    for k in 0..<product.depth {
      let isLarge = k % 5 == 0
      for i in 0..<product.rows { x[i * product.depth + k] *= isLarge ? 0x1p30 : 0x1p-70 }
      if isLarge { for j in 0..<product.columns { y[k * product.columns + j] = 0 } }
    }
    c = c.map { _ in 0 }
    let (tiles, _) = try product.run(x, y, c)
    #expect(product.error(tiles, x, y, c) <= bound(product.depth))
  }

  /// Below that their parts are lost one after the other, but no more than 2^-126 of each.
  @Test func tinyElementsBesideLargeOnes() throws {
    let product = TileProductCase(of: .bf16)
    var (x, y, c) = product.elements(12) { $0.unit() }
    for k in 0..<product.depth {
      let isLarge = k % 5 == 0
      let scale = isLarge ? 1 : Float(sign: .plus, exponent: -104 - k % 20, significand: 1)
      for i in 0..<product.rows { x[i * product.depth + k] *= scale }
      for j in 0..<product.columns { y[k * product.columns + j] *= isLarge ? 0 : 0x1p30 }
    }
    c = c.map { _ in 0 }
    let (tiles, _) = try product.run(x, y, c)
    let lost = Double(product.depth) * 0x1p-126 * (1 + 0x1p30 + 6)
    #expect(product.error(tiles, x, y, c, beyond: lost) <= bound(product.depth))
  }

  @Test(arguments: [TileFormat.f16, .bf16])
  fileprivate func cancellation(_ format: TileFormat) throws {
    // Pairs of steps that cancel but for the last bits.
    let product = TileProductCase(of: format)
    var (x, y, c) = product.elements(4) { $0.unit() }
    for i in 0..<product.rows {
      for k in stride(from: 0, to: product.depth, by: 2) {
        x[i * product.depth + k + 1] = -x[i * product.depth + k].nextUp
      }
    }
    for k in stride(from: 0, to: product.depth, by: 2) {
      for j in 0..<product.columns { y[(k + 1) * product.columns + j] = y[k * product.columns + j] }
    }
    c = c.map { _ in 0 }
    let (tiles, _) = try product.run(x, y, c)
    #expect(product.error(tiles, x, y, c) <= bound(product.depth))
  }

  /// Also beyond what a scheme multiplies in tiles.
  @Test(arguments: [TileFormat.f16, .bf16], [-60, -38, 45, 60])
  fileprivate func hugeAndTinyMagnitudes(_ format: TileFormat, _ exponent: Int) throws {
    let product = TileProductCase(of: format, isConstant: false)
    let (x, y, c) = product.elements(5) { $0.unit() * Float(sign: .plus, exponent: exponent, significand: 1) }
    let (tiles, _) = try product.run(x, y, c.map { _ in 0 })
    #expect(product.error(tiles, x, y, c.map { _ in 0 }) <= bound(product.depth))
  }

  /// Rows that cannot be split are multiplied in f32, bit by bit as without tiles.
  @Test(arguments: [Float.infinity, .nan, 0x1p-140, 0x1p120], [TileFormat.f16, .bf16])
  fileprivate func elementsThatCannotBeSplit(_ value: Float, _ format: TileFormat) throws {
    for isConstant in [true, false] { try check(value, in: TileProductCase(of: format, isConstant: isConstant)) }
  }

  private func check(_ value: Float, in product: TileProductCase) throws {
    var (x, y, c) = product.elements(6) { $0.unit() }
    for k in 0..<product.depth { x[7 * product.depth + k] = value }
    if !product.isConstant { y[5 * product.columns + 3] = value }
    c[2] = -0.0
    let (tiles, plain) = try product.run(x, y, c)
    let haveSameBits = zip(tiles, plain).allSatisfy { $0.bitPattern == $1.bitPattern }
    #expect(haveSameBits)
  }

  @Test(arguments: [TileFormat.f16, .bf16])
  fileprivate func zerosStayZeros(_ format: TileFormat) throws {
    let product = TileProductCase(of: format, isConstant: false)
    var (x, y, c) = product.elements(8) { $0.unit() }
    for k in 0..<product.depth {
      x[9 * product.depth + k] = 0
      y[k * product.columns + 4] = -0.0
    }
    c = c.map { _ in 0 }
    let (tiles, _) = try product.run(x, y, c)
    for j in 0..<product.columns { #expect(tiles[9 * product.columns + j] == 0) }
    for i in 0..<product.rows { #expect(tiles[i * product.columns + 4] == 0) }
    #expect(product.error(tiles, x, y, c) <= bound(product.depth))
  }

  @Test(arguments: [(ProductPrecision.fast, 0x1p-14), (.bf16, 0x1p-7)])
  fileprivate func lowerPrecisions(_ precision: ProductPrecision, _ bound: Double) throws {
    let product = TileProductCase(rows: 64, depth: 256, columns: 96, precision: precision, format: .bf16)
    let (x, y, c) = product.elements(10) { $0.unit() }
    let (tiles, _) = try product.run(x, y, c)
    #expect(product.error(tiles, x, y, c) <= bound)
  }

  @Test func strictProductsHaveNoTiles() throws {
    var graph = Graph()
    let (a, b) = (graph.addParameter(f32(256, 512)), graph.addParameter(f32(512, 256)))
    let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(dot), [a, b])]
    var target = try LLVMCompiler().target
    target.tileFormats = [.f16, .bf16]
    let program = try Program(
      Function(name: "main", graph: try ScheduleCase.fused(graph, .contraction)), target: target,
      precision: .f32Strict)
    #expect(program.kernels.allSatisfy { $0.tileFormats.isEmpty })
  }
}
