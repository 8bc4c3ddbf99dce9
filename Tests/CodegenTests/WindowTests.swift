import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Convolutions and folds of windows in tiles: edges, tails, groups and symbolic extents.
@Suite struct WindowTests {
  static func check(_ example: ScheduleCase) throws {
    try example.check(.window)
    var packed = example
    packed.constants = [1]
    try packed.check(.window)
  }

  /// Tiles at both edges of a line, tiles between them, lines whose window reaches over an edge, and windows larger than
  /// the image.
  @Test(arguments: [
    ([2, 5, 37, 3], [3, 3, 3, 33], 1, 1), ([1, 6, 40, 5], [3, 5, 5, 16], 2, 2), ([1, 7, 7, 20], [3, 3, 20, 40], 1, 1),
    ([1, 2, 3, 4], [5, 5, 4, 20], 1, 2), ([3, 50, 6], [4, 6, 24], 1, 3), ([1, 4, 5, 30, 2], [3, 3, 3, 2, 17], 1, 1),
    ([1, 3, 30, 2], [2, 16, 2, 48], 1, 9), ([0, 5, 6, 4], [3, 3, 4, 16], 1, 1),
  ]) func edges(_ x: [Int], _ k: [Int], _ stride: Int, _ padding: Int) throws {
    try Self.check(ScheduleTests.convolution(x, k, channelsLast: true, stride: stride, padding: padding))
    try Self.check(
      ScheduleTests.convolution(
        x, k, channelsLast: true, stride: stride, padding: padding, dilation: 2, reversed: true))
  }

  /// Panels that do not stay in the cache are narrower, and tiles have more pixels.
  @Test func panelsBeyondTheCache() throws {
    let large = try ScheduleTests.convolution([1, 7, 7, 128], [5, 5, 128, 64], channelsLast: true, padding: 2)
    var target = try LLVMCompiler(cpu: "x86-64-v3").target
    let counts = try [512 << 10, 2 << 20].map { byteCount in
      target.l2ByteCount = byteCount
      let fused = try ScheduleCase.fused(large.graph, .window)
      return try Program(Function(name: "main", graph: fused), target: target).kernels.map(\.taskCount.fixed).last
    }
    #expect(counts == [21, 14])
    for (x, k, stride) in [
      ([2, 7, 7, 20], [5, 5, 20, 70], 1), ([1, 7, 5, 24], [3, 3, 24, 33], 2), ([1, 2, 13, 30], [1, 4, 30, 96], 1),
    ] {
      let example = try ScheduleTests.convolution(x, k, channelsLast: true, stride: stride, padding: 2)
      for byteCount in [1 << 10, 40 << 10] {
        for cpu in ["native", "x86-64-v3", "x86-64-v2"] {
          try example.check(.window, cpu: cpu, l2ByteCount: byteCount)
        }
      }
    }
  }

  /// Windows of one tap: the pixels of all images are one line, and panels come in blocks.
  @Test(arguments: [
    ([3, 5, 7, 6], [1, 1, 6, 144]), ([2, 1, 1, 300], [1, 1, 300, 24]), ([1, 9, 700], [1, 700, 600]),
  ])
  func pixelsInOneLine(_ x: [Int], _ k: [Int]) throws {
    try Self.check(ScheduleTests.convolution(x, k, channelsLast: true))
    try Self.check(ScheduleTests.convolution(x, k, channelsLast: true, stride: 2))
  }

  /// Of windows so far apart only the first is there; distances between them are no numbers of 64 bits.
  @Test func windowsOutOfReach() throws {
    try Self.check(ScheduleTests.convolution([1, 5, 5, 64], [1, 1, 64, 32], channelsLast: true, stride: 1 << 62))
    try Self.check(ScheduleTests.convolution([1, 64, 5, 5], [32, 64, 1, 1], channelsLast: false, stride: 1 << 62))
  }

  /// Schedules count pixels, and tiles at edges, without going through them.
  @Test func extentsBeyondCounting() throws {
    let target = try LLVMCompiler().target
    for (extent, padding, taps) in [(300_000, 0, 1), (300_000, 1, 3), (10, 5_000_000, 3), (10, 5_000_000, 1)] {
      for channelsLast in [true, false] {
        let (x, k) =
          channelsLast ? ([1, extent, extent, 4], [taps, taps, 4, 8]) : ([1, 4, extent, extent], [8, 4, taps, taps])
        let graph = try ScheduleTests.convolution(x, k, channelsLast: channelsLast, padding: padding).graph
        let fused = try ScheduleCase.fused(graph, .window)
        let program = try Program(Function(name: "main", graph: fused), target: target)
        #expect(program.kernels.allSatisfy { $0.body.count < 1000 })
      }
    }
  }

  /// Tiles of a line are those that a walk along it finds.
  @Test(arguments: [0, 1, 5, 13, 40]) func tilesOfALine(_ extent: Int) {
    for limit in 1...7 {
      for (stride, padding, dilation, taps) in [
        (1, 0, 1, 1), (1, 1, 1, 3), (2, 3, 1, 5), (3, 1, 4, 2), (1, -2, 1, 3), (2, 9, 1, 1),
      ] {
        let window = WindowDimension(
          extent: Extent(taps), stride: stride, paddingLow: padding, windowDilation: dilation)
        for base in [0, 3, extent * stride] {
          let tiles = LineTiles(extent: extent, limit: limit, window: window, base: base)
          var (first, edges) = (0, 0)
          for part in tiles.parts {
            let (start, count, size, isInside) = part.tiles
            #expect(start == first && count > 0 && (1...limit).contains(size))
            for tile in 0..<count {
              let reads = (0..<size).flatMap { position in
                (0..<taps).map { (start + tile * size + position) * stride + $0 * dilation - padding }
              }
              #expect(isInside == reads.allSatisfy { (0..<base).contains($0) })
            }
            first += count * size
            edges += isInside ? 0 : 1
          }
          #expect(first == extent && edges == tiles.edgeCount && tiles.parts.count == tiles.partCount)
          #expect(tiles.count == tiles.parts.reduce(0) { $0 + $1.tiles.count })
        }
      }
    }
  }

  @Test func groupsOfImages() throws {
    try Self.check(ScheduleTests.convolution([6, 5, 9, 4], [3, 2, 4, 12], channelsLast: true, batchGroups: 3))
    try Self.check(
      ScheduleTests.convolution([6, 5, 9, 4], [3, 3, 4, 18], channelsLast: true, padding: 1, batchGroups: 2))
    try Self.check(ScheduleTests.convolution([6, 5, 9, 4], [3, 2, 4, 6], channelsLast: true, batchGroups: 6))
  }

  /// One feature in a group, or few; channels that fill no vector, one, or several and a part.
  @Test(arguments: [5, 16, 24, 37, 130]) func channels(_ count: Int) throws {
    for (height, width, stride, padding) in [(6, 23, 1, 1), (5, 20, 2, 1), (3, 7, 1, 0), (2, 1, 1, 2)] {
      try Self.check(
        ScheduleTests.convolution(
          [2, height, width, count], [3, 3, 1, count], channelsLast: true, stride: stride, padding: padding,
          groups: count))
    }
    try Self.check(
      ScheduleTests.convolution(
        [1, 19, count], [5, 1, 3 * count], channelsLast: true, padding: 2, groups: count, dilation: 2))
    try Self.check(
      ScheduleTests.convolution(
        [1, 4, 9, 2 * count], [2, 3, 2, 2 * count], channelsLast: true, padding: 1, groups: count))
    try Self.check(
      ScheduleTests.convolution([1, 40, count], [20, 1, count], channelsLast: true, padding: 9, groups: count))
  }

  /// Groups of few features, which find what they read in one vector where they are as many before and after.
  @Test(arguments: [(2, 9), (3, 5), (4, 3), (4, 9), (8, 3)]) func groups(_ width: Int, _ count: Int) throws {
    let channels = width * count
    for (height, extent, stride, padding) in [(4, 23, 1, 1), (5, 20, 2, 1)] {
      try Self.check(
        ScheduleTests.convolution(
          [2, height, extent, channels], [3, 3, width, channels], channelsLast: true, stride: stride,
          padding: padding, groups: count))
    }
    try Self.check(
      ScheduleTests.convolution(
        [1, 4, 9, channels], [2, 3, width, 2 * channels], channelsLast: true, padding: 1, groups: count, dilation: 2))
    try Self.check(
      ScheduleTests.convolution(
        [1, 4, 9, channels], [2, 3, width, channels], channelsLast: true, padding: 1, groups: count,
        types: [.i32, .i32, .i32]))
  }

  /// A group of 4 of 16 lanes: one kernel, of windows of channels.
  @Test func groupsInVectors() throws {
    let example = try ScheduleTests.convolution(
      [1, 6, 9, 32], [3, 3, 4, 32], channelsLast: true, padding: 1, groups: 8)
    let graph = try ScheduleCase.fused(example.graph, .window)
    for (cpu, isWindow) in [("x86-64-v4", true), ("x86-64-v3", true), ("x86-64-v2", false)] {
      let program = try Program(Function(name: "main", graph: graph), target: LLVMCompiler(cpu: cpu).target)
      // The product's weights would be packed by another kernel.
      #expect((program.kernels.count == 1) == isWindow, "\(cpu)")
    }
  }

  /// Channels of integers, as quantized models have them: sums wrap at 32 bits.
  @Test(arguments: [
    [ElementType.ui8, .i8, .i32], [.i8, .i8, .i32], [.ui8, .ui8, .ui32], [.i32, .i32, .i32], [.i16, .i8, .i64],
  ])
  func channelsOfIntegers(_ types: [ElementType]) throws {
    for count in [5, 16, 37, 130] {
      for (height, width, stride, padding) in [(6, 23, 1, 1), (5, 20, 2, 1), (2, 1, 1, 2), (0, 4, 1, 1)] {
        try Self.check(
          ScheduleTests.convolution(
            [2, height, width, count], [3, 3, 1, count], channelsLast: true, stride: stride, padding: padding,
            groups: count, types: types))
      }
      try Self.check(
        ScheduleTests.convolution(
          [1, 4, 9, 2 * count], [2, 3, 2, 2 * count], channelsLast: true, padding: 1, groups: count, types: types))
      try Self.check(
        ScheduleTests.convolution(
          [1, count, 4, 9], [count, 1, 2, 3], channelsLast: false, padding: 1, groups: count, types: types))
    }
  }

  /// Products of windows of bytes with known weights, of so few features that nothing is packed.
  @Test(arguments: [1, 2, 3], [[ElementType.i8, .i8, .i32], [.ui8, .i8, .i32]])
  func windowsOfBytesWithFewFeatures(_ features: Int, _ types: [ElementType]) throws {
    for channels in [4, 5, 16] {
      for (taps, stride, padding) in [(3, 2, 1), (2, 1, 0), (1, 1, 0)] {
        for isLast in [true, false] {
          var example = try ScheduleTests.convolution(
            isLast ? [2, 5, 7, channels] : [2, channels, 5, 7],
            isLast ? [taps, taps, channels, features] : [features, channels, taps, taps], channelsLast: isLast,
            stride: stride, padding: padding, types: types)
          example.constants = [1]
          try example.check(.window)
        }
      }
    }
  }

  /// The gradient of a kernel of single channels: groups of images, as many as there are features.
  @Test func gradientOfChannels() throws {
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 3, inputFeature: 0, inputSpatial: [1, 2], kernelInputFeature: 0, kernelOutputFeature: 3,
      kernelSpatial: [1, 2], outputBatch: 2, outputFeature: 3, outputSpatial: [0, 1])
    let window = [5, 18].map { WindowDimension(extent: $0, paddingLow: 1, paddingHigh: 1) }
    try ScheduleCase([f32(2, 5, 18, 24), f32(2, 5, 18, 24)]) { g, v in
      let convolution = Convolution(
        window: window, dimensionNumbers: numbers, batchGroupCount: 24, resultType: .f32)
      return [try g.append(.convolution(convolution), v)]
    }.check(.window)
  }

  static func fold(
    _ dimensions: [Extent], _ window: [WindowDimension], _ function: ScalarFunction, from initial: Scalar
  ) throws -> ScheduleCase {
    try ScheduleCase([TensorType(.f32, dimensions)]) { g, v in
      let start = try g.append(.constant(.scalar(initial, .f32)))
      let fold = ReduceWindow(window: window, body: try sumBody(function))
      return [try g.append(.reduceWindow(fold), [v[0], start])]
    }
  }

  @Test(arguments: [3, 16, 40]) func folds(_ channels: Int) throws {
    let still = WindowDimension(extent: .one)
    let moving = WindowDimension(extent: 3, stride: 2, paddingLow: 1, paddingHigh: 1)
    let whole = WindowDimension(extent: 7)
    let negative = WindowDimension(extent: 2, paddingLow: -1, paddingHigh: 3)
    for window in [[still, moving, moving, still], [still, whole, whole, still], [still, still, negative, still]] {
      let shape = [2, 7, 7, channels].map { Extent($0) }
      try Self.fold(shape, window, .maximum, from: .real(-.infinity)).check(.window)
      try Self.fold(shape, window, .add, from: .real(0)).check(.window)
    }
    var symbolic = try Self.fold(
      [.symbol("b"), .symbol("h"), .symbol("w"), Extent(channels)], [still, moving, moving, still], .maximum,
      from: .real(-.infinity))
    for (height, width) in [(1, 1), (4, 2), (9, 31)] {
      symbolic.symbols = [Symbol("b"): 2, Symbol("h"): height, Symbol("w"): width]
      try symbolic.check(.window)
    }
  }

  /// A fold that skips nothing sees infinities and NaN in the windows they lie in, and nowhere else.
  @Test func specialValues() throws {
    try ScheduleCase([f32(1, 5, 9, 20)]) { g, v in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let zeros = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: [1, 5, 9, 20])), [zero])
      let special = try g.append(.pointwise(.divide), [v[0], zeros])
      let low = try g.append(.constant(.scalar(.real(-.infinity), .f32)))
      let window = [1, 3, 3, 1].map { WindowDimension(extent: Extent($0), paddingLow: $0 / 2, paddingHigh: $0 / 2) }
      return [try g.append(.reduceWindow(ReduceWindow(window: window, body: try sumBody(.maximum))), [special, low])]
    }.check(.window)
  }

  /// A fold of two inputs, of which both results are read, has another schedule.
  @Test func foldOfTwoInputs() throws {
    var body = Graph()
    let parameters = (0..<4).map { _ in body.addParameter(.scalar(.f32)) }
    body.results = [
      try body.append(.pointwise(.maximum), [parameters[0], parameters[2]]),
      try body.append(.pointwise(.add), [parameters[1], parameters[3]]),
    ]
    let window = [1, 3, 2, 1].map { WindowDimension(extent: Extent($0)) }
    try ScheduleCase([f32(2, 5, 6, 20), f32(2, 5, 6, 20)]) { g, v in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let both = try g.append(.reduceWindow(ReduceWindow(window: window, body: body)), v + [zero, zero])
      return try (0..<2).map { try g.append(.getTupleElement(GetTupleElement(index: $0)), [both]) }
    }.check(.window)
  }
}
