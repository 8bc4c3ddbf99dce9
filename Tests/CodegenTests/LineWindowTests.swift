import IR
import Testing

@testable import Codegen

/// Convolutions and folds of windows whose lines lie in one piece: edges, tails, strides, holes, groups and symbolic extents.
@Suite struct LineWindowTests {
  /// A convolution with features before space in operand and result.
  private static func convolution(
    _ x: [Extent], _ k: [Int], _ window: [WindowDimension], groups: Int = 1, type: ElementType = .f32,
    kernelFeaturesLast: Bool = false, outputsLast: Bool = false
  ) throws -> ScheduleCase {
    let space = Array(2..<x.count)
    let last = kernelFeaturesLast ? x.count - 1 : 0
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: space,
      kernelInputFeature: kernelFeaturesLast ? last - 1 : 1, kernelOutputFeature: last,
      kernelSpatial: kernelFeaturesLast ? Array(0..<last - 1) : space, outputBatch: 0,
      outputFeature: outputsLast ? x.count - 1 : 1,
      outputSpatial: outputsLast ? Array(1..<x.count - 1) : space)
    return try ScheduleCase([TensorType(type, x), TensorType(type, fixed: k)]) { g, v in
      let convolution = Convolution(
        window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: type)
      return [try g.append(.convolution(convolution), v)]
    }
  }

  private static func extents(_ x: [Int]) -> [Extent] { x.map { Extent($0) } }

  /// Lines of a part of a vector, of one, and of several with a part; padding on one side, on both, and negative.
  @Test(arguments: [3, 16, 35, 100]) func lines(_ width: Int) throws {
    for (stride, low, high, dilation) in [(1, 1, 1, 1), (2, 2, 1, 1), (1, 0, 0, 1), (3, 4, 0, 2), (1, -1, 2, 1)] {
      let window = [2, 3].map {
        WindowDimension(
          extent: Extent($0), stride: stride, paddingLow: low, paddingHigh: high, windowDilation: dilation)
      }
      for (features, k, groups) in [(1, [19, 1, 2, 3], 1), (6, [7, 2, 2, 3], 1), (6, [6, 3, 2, 3], 2)] {
        guard k[1] * groups == features else { continue }
        try WindowTests.check(Self.convolution(Self.extents([2, features, 7, width]), k, window, groups: groups))
      }
    }
  }

  /// Windows of one tap without edges: all pixels of an image are one line.
  @Test(arguments: [[3, 5, 7, 9], [1, 2, 4, 16], [2, 4, 1, 1], [1, 3, 5, 4, 6], [2, 3, 50], [0, 3, 5, 6]])
  func pixelsInOneLine(_ x: [Int]) throws {
    let still = [WindowDimension](repeating: WindowDimension(extent: .one), count: x.count - 2)
    for outputs in [1, 8, 37] {
      let k = [outputs, x[1]] + still.map { _ in 1 }
      try WindowTests.check(Self.convolution(Self.extents(x), k, still))
      try WindowTests.check(Self.convolution(Self.extents(x), k, still, outputsLast: true))
    }
  }

  /// Outputs between the elements of a base with holes: fewer taps than the distance, as many, and more; reversed.
  @Test(arguments: [1, 2, 3, 4]) func holes(_ taps: Int) throws {
    for (distance, low, high, width) in [(2, 1, 1, 20), (2, 0, 0, 33), (3, 2, 3, 7), (2, -1, 2, 18), (8, 1, 9, 5)] {
      for isReversed in [false, true] {
        let window = [2, taps].map {
          WindowDimension(
            extent: Extent($0), paddingLow: low, paddingHigh: high, baseDilation: distance, isReversed: isReversed)
        }
        try WindowTests.check(Self.convolution(Self.extents([2, 3, 4, width]), [5, 3, 2, taps], window))
        try WindowTests.check(
          Self.convolution(Self.extents([1, 6, 3, width]), [4, 3, 2, taps], window, groups: 2))
      }
    }
  }

  /// More taps along a line than are written out.
  @Test func longWindows() throws {
    for (stride, dilation) in [(1, 1), (2, 1), (3, 2)] {
      let window = [WindowDimension(extent: 37, stride: stride, paddingLow: 9, windowDilation: dilation)]
      try WindowTests.check(Self.convolution(Self.extents([2, 3, 150]), [10, 3, 37], window))
      try WindowTests.check(Self.convolution(Self.extents([2, 3, 150]), [3, 1, 37], window, groups: 3))
    }
    let holes = [WindowDimension(extent: 40, paddingLow: 19, paddingHigh: 20, baseDilation: 2)]
    try WindowTests.check(Self.convolution(Self.extents([1, 3, 40]), [10, 3, 40], holes))
  }

  /// One feature in a group: several lines in a tile, and lines at the edge above and below.
  @Test(arguments: [(7, 56), (5, 13), (3, 16), (1, 40)]) func singleChannels(_ taps: Int, _ width: Int) throws {
    for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (5, 1)] {
      let window = [3, taps].map {
        WindowDimension(
          extent: Extent($0), stride: stride, paddingLow: $0 / 2, paddingHigh: $0 / 2, windowDilation: dilation)
      }
      try WindowTests.check(
        Self.convolution(Self.extents([2, 5, 11, width]), [5, 1, 3, taps], window, groups: 5))
      try WindowTests.check(
        Self.convolution(Self.extents([1, 3, 6, width]), [6, 1, 3, taps], window, groups: 3))
    }
  }

  /// One feature in a group, of which only the result has features last: the input is copied first.
  @Test(arguments: [1, 3, 24, 37]) func resultsWithFeaturesLast(_ features: Int) throws {
    for (stride, dilation, padding) in [(1, 1, 3), (2, 1, 0), (1, 2, 1)] {
      let window = [3, 5].map {
        WindowDimension(
          extent: Extent($0), stride: stride, paddingLow: padding, paddingHigh: padding, windowDilation: dilation)
      }
      for batch in [0, 2] {
        try WindowTests.check(
          Self.convolution(
            Self.extents([batch, features, 11, 13]), [3, 5, 1, features], window, groups: features,
            kernelFeaturesLast: true, outputsLast: true))
      }
    }
    let line = [WindowDimension(extent: 4, paddingLow: 3)]
    var example = try Self.convolution(
      [.symbol("b"), Extent(2 * features), .symbol("n")], [4, 2, 2 * features], line, groups: features,
      kernelFeaturesLast: true, outputsLast: true)
    for (batch, count) in [(1, 1), (3, 20), (0, 2)] {
      example.symbols = [Symbol("b"): batch, Symbol("n"): count]
      try WindowTests.check(example)
    }
  }

  @Test(arguments: [ElementType.f64, .f16, .bf16]) func elementTypes(_ type: ElementType) throws {
    let window = [WindowDimension(extent: 3, paddingLow: 1, paddingHigh: 1)]
    try WindowTests.check(Self.convolution(Self.extents([2, 1, 37]), [6, 1, 3], window, type: type))
    try WindowTests.check(Self.convolution(Self.extents([2, 6, 37]), [6, 1, 3], window, groups: 6, type: type))
  }

  @Test func symbolicExtents() throws {
    let window = [WindowDimension](repeating: WindowDimension(extent: 3, paddingLow: 1, paddingHigh: 1), count: 2)
    for (k, groups, features) in [([9, 1, 3, 3], 1, 1), ([4, 1, 3, 3], 4, 4), ([6, 2, 3, 3], 2, 4)] {
      var example = try Self.convolution(
        [.symbol("b"), Extent(features), .symbol("h"), 33], k, window, groups: groups)
      for (batch, height) in [(1, 1), (3, 5), (0, 2)] {
        example.symbols = [Symbol("b"): batch, Symbol("h"): height]
        try WindowTests.check(example)
      }
    }
  }

  /// Pools: strides that pick elements from several vectors, wide windows folded line by line, and windows in three
  /// dimensions.
  @Test(arguments: [4, 28, 57]) func folds(_ width: Int) throws {
    let still = WindowDimension(extent: .one)
    for (taps, stride, dilation) in [(3, 2, 1), (2, 2, 1), (5, 1, 1), (4, 4, 1), (3, 3, 2), (2, 5, 1), (9, 1, 1)] {
      let moving = WindowDimension(
        extent: Extent(taps), stride: stride, paddingLow: taps / 2 * dilation, paddingHigh: taps / 2 * dilation,
        windowDilation: dilation)
      for (shape, window) in [
        ([2, 3, 9, width], [still, still, moving, moving]), ([2, 3, width], [still, still, moving]),
        ([2, 5, 6, width], [still, moving, moving, moving]),
      ] {
        try WindowTests.fold(Self.extents(shape), window, .maximum, from: .real(-.infinity)).check(.window)
        try WindowTests.fold(Self.extents(shape), window, .add, from: .real(3)).check(.window)
      }
    }
  }

  /// Infinities and NaN beside padding are seen by the windows they lie in, and by no others.
  @Test func specialValues() throws {
    let shape: [Extent] = [1, 2, 5, 20]
    let window = [1, 1, 3, 3].map { WindowDimension(extent: Extent($0), paddingLow: $0 / 2, paddingHigh: $0 / 2) }
    let kernel = Literal(.f32, [2, 1, 3, 3], splat: .real(1))
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: [2, 3], kernelInputFeature: 1, kernelOutputFeature: 0,
      kernelSpatial: [2, 3], outputBatch: 0, outputFeature: 1, outputSpatial: [2, 3])
    try ScheduleCase([TensorType(.f32, shape)]) { g, v in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let zeros = try g.append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: shape)), [zero])
      let special = try g.append(.pointwise(.divide), [v[0], zeros])
      let low = try g.append(.constant(.scalar(.real(-.infinity), .f32)))
      return [try g.append(.reduceWindow(ReduceWindow(window: window, body: try sumBody(.maximum))), [special, low])]
    }.check(.window)
    try ScheduleCase([TensorType(.f32, shape)]) { g, v in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let zeros = try g.append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: shape)), [zero])
      let special = try g.append(.pointwise(.divide), [v[0], zeros])
      let weights = try g.append(.constant(kernel))
      let convolution = Convolution(
        window: Array(window.dropFirst(2)), dimensionNumbers: numbers, featureGroupCount: 2, resultType: .f32)
      return [try g.append(.convolution(convolution), [special, weights])]
    }.check(.window)
  }
}
