import IR
import Passes
import RandomGraphs
import Testing

/// Convolutions over elements with holes between them, computed without the holes.
@Suite struct PolyphaseTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 33)
    }
  }

  private func literal(_ type: ElementType, _ shape: [Int], _ g: inout Generator, special: Bool) -> Literal {
    if type == .i32 {
      return Literal(type, shape, (0..<shape.reduce(1, *)).map { _ in .integer(Int64.random(in: -64...64, using: &g)) })
    }
    let odd: [Double] = [.infinity, -.infinity, .nan, -0.0, 1e-42, 3e38]
    return Literal(
      .f32, shape,
      (0..<shape.reduce(1, *)).map { _ in
        let isOdd = special && Int.random(in: 0..<16, using: &g) == 0
        return .real(isOdd ? odd.randomElement(using: &g)! : Double(Int.random(in: -64...64, using: &g)) / 8)
      })
  }

  /// A convolution with holes in one dimension at least; nil where its windows do not fit.
  private func convolution(
    _ rank: Int, _ g: inout Generator, isOpen: Bool, isDepthwise: Bool = false, _ type: ElementType = .f32
  ) throws -> (graph: Graph, arguments: [Literal])? {
    let groups = isDepthwise || !Bool.random(using: &g) ? Int.random(in: 2...3, using: &g) : 1
    let counts = isDepthwise ? 1...1 : 1...3
    let (inputs, outputs) = (Int.random(in: counts, using: &g), Int.random(in: counts, using: &g))
    let x = (0..<rank).map { _ in Int.random(in: 1...4, using: &g) }
    let windows = (0..<rank).map { d in
      let distance = d == 0 ? Int.random(in: 2...5, using: &g) : Int.random(in: 1...3, using: &g)
      let paddings = -2...5
      return WindowDimension(
        extent: Extent(Int.random(in: 1...6, using: &g)), stride: distance == 1 ? Int.random(in: 1...2, using: &g) : 1,
        paddingLow: paddings.randomElement(using: &g)!, paddingHigh: paddings.randomElement(using: &g)!,
        baseDilation: distance, isReversed: Bool.random(using: &g))
    }
    func order() -> [Int] { Array(0..<rank + 2).shuffled(using: &g) }
    let (input, kernel, output) = (order(), order(), order())
    let numbers = Convolution.DimensionNumbers(
      inputBatch: input[0], inputFeature: input[1], inputSpatial: Array(input[2...]), kernelInputFeature: kernel[0],
      kernelOutputFeature: kernel[1], kernelSpatial: Array(kernel[2...]), outputBatch: output[0],
      outputFeature: output[1], outputSpatial: Array(output[2...]))
    var (shape, weights) = ([Int](repeating: 0, count: rank + 2), [Int](repeating: 0, count: rank + 2))
    for (place, extent) in zip(input, [2, inputs * groups] + x) { shape[place] = extent }
    for (place, extent) in zip(kernel, [inputs, outputs * groups] + windows.map { $0.extent.fixed ?? 0 }) {
      weights[place] = extent
    }
    if zip(windows, x).contains(where: { ($0.outputExtent(base: Extent($1)).fixed ?? 0) < (isOpen ? 1 : 0) }) {
      return nil
    }
    var graph = Graph()
    let extents = shape.enumerated().map { isOpen ? Extent.symbol("n\($0)") : Extent($1) }
    let features = numbers.inputFeature
    let parameter = graph.addParameter(
      TensorType(type, extents.enumerated().map { $0 == features ? Extent(shape[features]) : $1 }))
    let k = graph.addParameter(TensorType(type, fixed: weights))
    let op = Convolution(window: windows, dimensionNumbers: numbers, featureGroupCount: groups, resultType: type)
    graph.results = [try graph.append(.convolution(op), [parameter, k])]
    // Special weights would meet padding, which is left out or multiplied as it pleases.
    return (graph, [literal(type, shape, &g, special: true), literal(type, weights, &g, special: false)])
  }

  private func hasHoles(_ graph: Graph) -> Bool {
    graph.nodes.contains { node in
      if case .convolution(let convolution) = node.op { return convolution.window.contains { $0.baseDilation > 1 } }
      return false
    }
  }

  /// Paddings of all kinds, windows shorter and longer than the distance, groups, every order of dimensions, infinities and NaN.
  @Test(arguments: 1...3) func resultsKeepTheirBits(_ rank: Int) throws {
    var g = Generator(state: UInt64(rank))
    var split = 0
    for seed in 0..<120 {
      guard let (graph, arguments) = try convolution(rank, &g, isOpen: false, seed % 4 == 0 ? .i32 : .f32) else {
        continue
      }
      let result = try graph.applying(.polyphase)
      #expect(result.resultTypes == graph.resultTypes)
      #expect(
        haveSameBits(try graph.evaluate(arguments), try result.evaluate(arguments)), "\(rank) dimensions, seed \(seed)")
      if !hasHoles(result) { split += 1 }
    }
    #expect(split > 30)
  }

  /// Single features: each phase is computed apart, as a sum that is written out where it has few taps.
  @Test(arguments: 1...3, [false, true]) func phasesOfSingleFeatures(_ rank: Int, _ isOpen: Bool) throws {
    var g = Generator(state: UInt64(40 + rank))
    var (split, written) = (0, 0)
    for seed in 0..<80 {
      guard let (graph, arguments) = try convolution(rank, &g, isOpen: isOpen, isDepthwise: true) else { continue }
      let result = try graph.applying(.polyphase)
      #expect(result.resultTypes == graph.resultTypes)
      #expect(haveSameBits(try graph.evaluate(arguments), try result.evaluate(arguments)), "seed \(seed)")
      if !hasHoles(result) { split += 1 }
      let hasConvolution = result.nodes.contains { if case .convolution = $0.op { true } else { false } }
      if !hasConvolution { written += 1 }
    }
    #expect(split > 10 && written > 0 && (rank == 1 || written < split))
  }

  @Test func extentsMayBeOpen() throws {
    var g = Generator(state: 77)
    var split = 0
    for seed in 0..<60 {
      guard let (graph, arguments) = try convolution(2, &g, isOpen: true) else { continue }
      let result = try graph.applying(.polyphase)
      #expect(result.resultTypes == graph.resultTypes)
      #expect(haveSameBits(try graph.evaluate(arguments), try result.evaluate(arguments)), "seed \(seed)")
      if !hasHoles(result) { split += 1 }
    }
    #expect(split > 10)
  }

  /// Distances far beyond the windows, and beyond the result: what would mostly be cut off stays.
  @Test(arguments: [
    (1, 1 << 40, 1, 0, false), (2, 1000, 3, 0, false), (2, 1000, 3, 2, true), (3, 1 << 20, 2, 1, true),
    (1, 2, 4, 3, true),
  ]) func distances(_ extent: Int, _ distance: Int, _ taps: Int, _ padding: Int, _ isSplit: Bool) throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [1, extent, 2]))
    let k = graph.addParameter(TensorType(.f32, fixed: [taps, 2, 3]))
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 2, inputSpatial: [1], kernelInputFeature: 1, kernelOutputFeature: 2,
      kernelSpatial: [0], outputBatch: 0, outputFeature: 2, outputSpatial: [1])
    let window = WindowDimension(
      extent: Extent(taps), paddingLow: padding, paddingHigh: padding, baseDilation: distance)
    let op = Convolution(window: [window], dimensionNumbers: numbers, resultType: .f32)
    graph.results = [try graph.append(.convolution(op), [x, k])]
    let result = try graph.applying(.polyphase)
    #expect(hasHoles(result) == !isSplit)
    if result.resultTypes[0].elementCount.fixed ?? 0 > 1 << 16 { return }
    let arguments = RandomGraph.arguments(for: graph, seed: 5)
    #expect(haveSameBits(try graph.evaluate(arguments), try result.evaluate(arguments)))
  }

  /// 4 x 4 taps at a distance of 2: one convolution of 2 x 2 taps, with the four phases as features.
  @Test func phasesWithAsManyTapsAreOneConvolution() throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [1, 8, 8, 16]))
    let k = graph.addParameter(TensorType(.f32, fixed: [4, 4, 16, 32]))
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 3, inputSpatial: [1, 2], kernelInputFeature: 2, kernelOutputFeature: 3,
      kernelSpatial: [0, 1], outputBatch: 0, outputFeature: 3, outputSpatial: [1, 2])
    let window = WindowDimension(extent: 4, paddingLow: 2, paddingHigh: 2, baseDilation: 2, isReversed: true)
    let op = Convolution(window: [window, window], dimensionNumbers: numbers, resultType: .f32)
    graph.results = [try graph.append(.convolution(op), [x, k])]
    let convolutions = try graph.applying(.polyphase).nodes.compactMap {
      if case .convolution(let convolution) = $0.op { return (convolution, $0.type) }
      return nil
    }
    #expect(convolutions.count == 1)
    #expect(convolutions[0].0.window.map(\.extent) == [2, 2])
    #expect(convolutions[0].1 == TensorType(.f32, fixed: [1, 9, 9, 128]))
  }
}
