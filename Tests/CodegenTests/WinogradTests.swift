import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// A convolution of 3 × 3 windows with constant weights, and what its results are compared with.
private struct WindowCase: Sendable {
  var images = 1
  var height: Int
  var columns: Int
  var features: Int
  var outputs: Int
  /// Before and behind the image along both dimensions.
  var padding = (low: [1, 1], high: [1, 1])
  /// Whether the input's features come first.
  var isTransposed = false
  var isReversed = false
  var isSymbolic = false
  var hasEpilogue = false
  /// Whether the weights are an argument.
  var weightsAreGiven = false

  init(_ height: Int, _ columns: Int, _ features: Int, _ outputs: Int) {
    (self.height, self.columns, self.features, self.outputs) = (height, columns, features, outputs)
  }

  func with(_ change: (inout WindowCase) -> Void) -> WindowCase {
    var copy = self
    change(&copy)
    return copy
  }

  var resultHeight: Int { height + padding.low[0] + padding.high[0] - 2 }
  var resultColumns: Int { columns + padding.low[1] + padding.high[1] - 2 }
  private var batch: Extent { isSymbolic ? .symbol("n") : Extent(images) }

  private func inputPlace(_ n: Int, _ i: Int, _ j: Int, _ c: Int) -> Int {
    isTransposed
      ? ((n * features + c) * height + i) * columns + j : ((n * height + i) * columns + j) * features + c
  }

  private func weightPlace(_ i: Int, _ j: Int, _ c: Int, _ k: Int) -> Int {
    ((i * 3 + j) * features + c) * outputs + k
  }

  func elements(_ seed: UInt64, _ make: (inout SplitMix) -> Float) -> (x: [Float], w: [Float]) {
    var random = SplitMix(state: seed)
    return (
      (0..<images * height * columns * features).map { _ in make(&random) },
      (0..<9 * features * outputs).map { _ in random.unit() }
    )
  }

  func function(_ w: [Float]) throws -> Function {
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: isTransposed ? 1 : 3, inputSpatial: isTransposed ? [2, 3] : [1, 2],
      kernelInputFeature: 2, kernelOutputFeature: 3, kernelSpatial: [0, 1], outputBatch: 0, outputFeature: 3,
      outputSpatial: [1, 2])
    let window = (0..<2).map {
      WindowDimension(
        extent: 3, stride: 1, paddingLow: padding.low[$0], paddingHigh: padding.high[$0], baseDilation: 1,
        windowDilation: 1, isReversed: isReversed)
    }
    var graph = Graph()
    let (h, l, f) = (Extent(height), Extent(columns), Extent(features))
    let x = graph.addParameter(TensorType(.f32, isTransposed ? [batch, f, h, l] : [batch, h, l, f]))
    let literal = Literal(.f32, [3, 3, features, outputs], bytes: w.withUnsafeBytes { Array($0) })
    let weights =
      weightsAreGiven ? graph.addParameter(literal.type) : try graph.append(.constant(Constant(literal)), [])
    let convolution = Convolution(window: window, dimensionNumbers: numbers, resultType: .f32)
    var result = try graph.append(.convolution(convolution), [x, weights])
    if hasEpilogue {
      let type = graph.type(of: result)
      let residual = graph.addParameter(type)
      let zero = try graph.append(.constant(Constant(.scalar(.zero(.f32), .f32))), [])
      let zeros = try graph.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [zero])
      result = try graph.append(.pointwise(.add), [result, residual])
      result = try graph.append(.pointwise(.maximum), [result, zeros])
    }
    graph.results = [result]
    return Function(name: "main", graph: try ScheduleCase.fused(graph, .window))
  }

  /// The results for a precision.
  func run(
    _ x: [Float], _ w: [Float], residual: [Float] = [], _ precision: ProductPrecision = .f32,
    cpu: String = "native", timePerThread: Int = Kernel.timePerThread, l2ByteCount: Int? = nil
  ) throws -> [Float] {
    let compiler = try LLVMCompiler(cpu: cpu)
    var target = compiler.target
    target.tileFormats = []
    // With few registers some of these are cheaper as they are.
    if cpu == "native" { (target.vectorByteCount, target.vectorRegisterCount) = (64, 32) }
    target.l2ByteCount = l2ByteCount ?? target.l2ByteCount
    let program = try Program(try function(w), target: target, precision: precision)
    #expect(program.kernels.contains { $0.name.hasSuffix("_winograd") } == (precision != .f32Strict))
    var options = LLVMCompiler.Options()
    (options.verifies, options.timePerThread) = (true, timePerThread)
    let library = try CompiledProgram(program, compiler, options)
    func literal(_ values: [Float], _ dimensions: [Int]) -> Literal {
      Literal(.f32, dimensions, bytes: values.withUnsafeBytes { Array($0) })
    }
    let spatial = [height, columns]
    var inputs = [literal(x, isTransposed ? [images, features] + spatial : [images] + spatial + [features])]
    if weightsAreGiven { inputs.append(literal(w, [3, 3, features, outputs])) }
    if hasEpilogue { inputs.append(literal(residual, [images, resultHeight, resultColumns, outputs])) }
    let found = try library.run(program, inputs, symbols: isSymbolic ? [images] : [])[0]
    return found.scalars.map { Float($0.realValue) }
  }

  /// A result's exact value, the sum of its products' magnitudes, the largest magnitude in its window and the sum of its
  /// weights' magnitudes, by position.
  func exact(_ x: [Float], _ w: [Float]) -> [(value: Double, magnitude: Double, largest: Double, weights: Double)] {
    var results: [(Double, Double, Double, Double)] = []
    for n in 0..<images {
      for row in 0..<resultHeight {
        for column in 0..<resultColumns {
          for k in 0..<outputs {
            var (value, magnitude, largest, weights) = (0.0, 0.0, 0.0, 0.0)
            for tap in 0..<9 {
              let (i, j) = (row + tap / 3 - padding.low[0], column + tap % 3 - padding.low[1])
              for c in 0..<features {
                let (a, b) = isReversed ? (2 - tap / 3, 2 - tap % 3) : (tap / 3, tap % 3)
                let weight = Double(w[weightPlace(a, b, c, k)])
                weights += abs(weight)
                guard (0..<height).contains(i), (0..<columns).contains(j) else { continue }
                let element = Double(x[inputPlace(n, i, j, c)])
                value += element * weight
                magnitude += abs(element * weight)
                largest = max(largest, abs(element))
              }
            }
            results.append((value, magnitude, largest, weights))
          }
        }
      }
    }
    return results
  }

  /// Whether the results are as near as sums in f32 are.
  func check(
    _ seed: UInt64 = 3, cpus: [String] = ["native"], l2ByteCount: Int? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (x, w) = elements(seed) { $0.unit() }
    let exact = exact(x, w)
    var random = SplitMix(state: seed + 1)
    let residual = exact.map { _ in random.unit() }
    for cpu in cpus {
      let found = try run(x, w, residual: residual, cpu: cpu, l2ByteCount: l2ByteCount)
      #expect(found.count == exact.count, sourceLocation: sourceLocation)
      for (position, exact) in exact.enumerated() {
        var (value, magnitude) = (exact.value, exact.magnitude)
        if hasEpilogue {
          magnitude += abs(Double(residual[position]))
          value = max(0, value + Double(residual[position]))
        }
        if abs(Double(found[position]) - value) > 0x1p-21 * max(magnitude, exact.weights / 16) {
          Issue.record("element \(position) is \(found[position]), not \(value)", sourceLocation: sourceLocation)
          return
        }
      }
    }
  }
}

extension SplitMix {
  /// Between -1 and 1.
  fileprivate mutating func unit() -> Float { Float(Double(next() >> 11) * 0x1p-52 - 1) }
}

/// Convolutions with fewer products.
@Suite struct WinogradTests {
  /// Extents that are odd, a square's or a line's; features that fill vectors and that do not; several panels.
  @Test(arguments: [
    (13, 9, 32, 48), (10, 12, 64, 37), (17, 16, 40, 16), (16, 6, 32, 40), (6, 31, 26, 70), (10, 12, 96, 24),
  ]) func extents(_ height: Int, _ columns: Int, _ features: Int, _ outputs: Int) throws {
    let example = WindowCase(height, columns, features, outputs).with { $0.images = 120 / (height * columns) + 1 }
    try example.check(cpus: ["native", "x86-64-v3", "x86-64-v2"])
  }

  /// Many blocks of squares, the last of which has fewer.
  @Test func blocks() throws { try WindowCase(24, 21, 16, 20).check(l2ByteCount: 128 << 10) }

  @Test(arguments: [([0, 0], [0, 0]), ([2, 0], [0, 2]), ([1, 2], [2, 1]), ([0, 1], [1, 0])])
  func paddings(_ low: [Int], _ high: [Int]) throws {
    for isReversed in [false, true] {
      try WindowCase(11, 10, 32, 40).with {
        $0.padding = (low, high)
        $0.isReversed = isReversed
      }.check()
    }
  }

  /// Several images, also where their number is open; channels first; what is added to the results.
  @Test(arguments: [true, false], [true, false]) func surroundings(_ isTransposed: Bool, _ isSymbolic: Bool) throws {
    try WindowCase(8, 9, 48, 20).with {
      ($0.images, $0.isTransposed, $0.isSymbolic, $0.hasEpilogue) = (3, isTransposed, isSymbolic, true)
    }.check()
  }

  /// Weights that only a run knows, as in training.
  @Test(arguments: [(11, 12, 32, 40), (12, 14, 70, 20)], [true, false])
  func givenWeights(_ extents: (Int, Int, Int, Int), _ isReversed: Bool) throws {
    try WindowCase(extents.0, extents.1, extents.2, extents.3).with {
      ($0.images, $0.hasEpilogue, $0.weightsAreGiven, $0.isReversed) = (2, true, true, isReversed)
    }.check(cpus: ["native", "x86-64-v3"])
  }

  /// Errors of ordinary elements are smaller than those of sums in f32, as squares are.
  @Test func errorsAreThoseOfSumsInF32() throws {
    let example = WindowCase(10, 10, 64, 16)
    for isPositive in [false, true] {
      let (x, w) = example.elements(5) { isPositive ? max(0, $0.unit()) : $0.unit() }
      let exact = example.exact(x, w)
      func error(_ found: [Float]) -> Double {
        zip(found, exact).reduce(0) { sum, pair in
          let error = (Double(pair.0) - pair.1.value) / pair.1.magnitude
          return sum + error * error
        }
      }
      #expect(error(try example.run(x, w)) < error(try example.run(x, w, .f32Strict)))
    }
  }

  /// Elements next to much larger ones are not lost: a result is as exact as the largest element of its window allows.
  @Test(arguments: [2, 3, 4, 6, 12, 40, 90]) func wideRanges(_ exponent: Int) throws {
    let example = WindowCase(10, 11, 32, 16)
    var (x, w) = example.elements(6) { $0.unit() }
    var random = SplitMix(state: 8)
    let large = Float(sign: .plus, exponent: exponent, significand: 1)
    for pixel in 0..<example.height * example.columns where random.next() % 5 == 0 {
      for c in 0..<example.features { x[pixel * example.features + c] *= large }
    }
    w[7] = 0
    let bound = 0x1p-24 * Double(16 * 16 * (example.features + 10))
    for (found, exact) in zip(try example.run(x, w), example.exact(x, w)) {
      #expect(abs(Double(found) - exact.value) <= bound * exact.largest * exact.weights)
    }
  }

  /// Where an element is not finite, or so large or small that a sum of four may not be, all is as without transforms; so
  /// are patches whose middle is far below their edge.
  @Test(arguments: [Float.infinity, -.infinity, .nan, 0x1p127, 0x1p-149, 0x1p-100, 0x1p61, 0x1p20, 33])
  func unusualElements(_ value: Float) throws {
    let example = WindowCase(10, 10, 64, 64)
    var (x, w) = example.elements(7) { $0.unit() }
    if value.magnitude < 1 {
      for position in x.indices { x[position] *= value }
    } else {
      x[(1 * example.columns + 4) * example.features + 3] = value
    }
    // One block.
    let cache = 510 << 10
    let (some, strict) = (
      try example.run(x, w, l2ByteCount: cache), try example.run(x, w, .f32Strict, l2ByteCount: cache)
    )
    let areSame = zip(some, strict).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    #expect(areSame)
  }

  @Test func zerosStayZeros() throws {
    let example = WindowCase(8, 9, 32, 32)
    let (x, w) = example.elements(9) { _ in 0 }
    for value in [Float(0), -0.0] {
      let found = try example.run(x.map { _ in value }, w)
      #expect(found.allSatisfy { $0.bitPattern == 0 })
    }
  }

  /// Where the processor has tiles, products in tiles are offered where they pay, fewer products elsewhere.
  @Test func besideTiles() throws {
    var target = try LLVMCompiler().target
    (target.vectorByteCount, target.vectorRegisterCount) = (64, 32)
    target.tileFormats = [.bf16]
    for (example, hasTiles) in [(WindowCase(56, 56, 64, 64), true), (WindowCase(10, 10, 32, 32), false)] {
      let function = try example.function(example.elements(11) { $0.unit() }.w)
      let kernels = try Program(function, target: target).kernels
      #expect(kernels.contains { !$0.tileFormats.isEmpty } == hasTiles)
      #expect(kernels.contains { $0.name.hasSuffix("_winograd") } == !hasTiles)
    }
  }

  /// Where the last squares' middle pixels are padding alone, each block would be multiplied directly.
  @Test func squaresOfPadding() throws {
    var target = try LLVMCompiler().target
    (target.vectorByteCount, target.vectorRegisterCount) = (64, 32)
    target.tileFormats = []
    for (extent, isChosen) in [(13, false), (12, true)] {
      let example = WindowCase(extent, extent, 64, 64).with { $0.padding = ([2, 2], [2, 2]) }
      let function = try example.function(example.elements(12) { $0.unit() }.w)
      let kernels = try Program(function, target: target).kernels
      #expect(kernels.contains { $0.name.hasSuffix("_winograd") } == isChosen)
    }
  }

  @Test func threadsChangeNothing() throws {
    let example = WindowCase(30, 30, 64, 80)
    let (x, w) = example.elements(10) { $0.unit() }
    let one = try example.run(x, w, timePerThread: 1 << 50)
    let several = try example.run(x, w, timePerThread: 1)
    #expect(one == several)
  }

  /// Weights that are too large or too small, or no numbers, are not transformed.
  @Test(arguments: [Float.infinity, .nan, 0x1p60, 0x1p-100]) func unusualWeights(_ value: Float) throws {
    let example = WindowCase(13, 12, 70, 40)
    var (x, w) = example.elements(13) { $0.unit() }
    if value.magnitude < 1 { w = w.map { $0 * value } } else { w[9 * 70 * 40 / 2 + 5] = value }
    func kernels(_ w: [Float], _ precision: ProductPrecision = .f32) throws -> [String] {
      var target = try LLVMCompiler().target
      (target.vectorByteCount, target.vectorRegisterCount) = (64, 32)
      target.tileFormats = []
      return try Program(try example.function(w), target: target, precision: precision).kernels.map(\.name)
    }
    #expect(try !kernels(w).contains { $0.hasSuffix("_winograd") })
    // Where they are arguments a task looks.
    let given = example.with { $0.weightsAreGiven = true }
    x[3] = 0
    let (some, strict) = (try given.run(x, w), try given.run(x, w, .f32Strict))
    let isTouched = { (k: Int) in value.magnitude < 1 || k % 40 == (9 * 70 * 40 / 2 + 5) % 40 }
    for (place, pair) in zip(some, strict).enumerated() where isTouched(place) {
      #expect(pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN))
    }
  }

  @Test func givenWeightsMayBeZero() throws {
    let example = WindowCase(13, 12, 32, 32).with { $0.weightsAreGiven = true }
    let (x, w) = example.elements(14) { $0.unit() }
    let found = try example.run(x, w.map { _ in 0 })
    #expect(found.allSatisfy { $0 == 0 })
  }
}
