import GraphBuilding
import IR

/// Which dimensions of an image are what.
struct ImageLayout {
  var isChannelsLast: Bool
  var rank: Int

  init(_ format: String, rank: Int) throws(OpError) {
    switch format {
    case "NHWC", "NDHWC", "NWC": isChannelsLast = true
    case "NCHW", "NCDHW", "NCW": isChannelsLast = false
    default: throw .unsupported("data_format \(format)")
    }
    self.rank = rank
  }

  var feature: Int { isChannelsLast ? rank - 1 : 1 }
  var spatial: [Int] { isChannelsLast ? Array(1..<rank - 1) : Array(2..<rank) }
}

extension Operator {
  /// Convolutions, the kernel's dimensions being space, input features, output features.
  static let convolutions: [Operator] = [
    convolution("Conv2D", "NHWC", rank: 4), convolution("Conv3D", "NDHWC", rank: 5),
    Operator(
      "DepthwiseConv2dNative",
      one: { (n) throws(OpError) in
        let (image, kernel) = try operands(&n, 0, rank: 4)
        return try depthwise(&n, image, kernel)
      }),
    Operator("Conv2DBackpropInput", one: { (n) throws(OpError) in try transposed(&n, "NHWC", rank: 4) }),
    Operator("Conv3DBackpropInputV2", one: { (n) throws(OpError) in try transposed(&n, "NDHWC", rank: 5) }),
    Operator(
      "BiasAdd",
      one: { (n) throws(OpError) in
        let (x, bias) = (try n.input(0), try n.input(1))
        let format = try n.string("data_format", default: "NHWC")
        let axis = format.hasPrefix("NC") ? 1 : x.rank - 1
        guard bias.rank == 1, x.rank >= 2, bias.shape[0] == x.shape[axis] else {
          throw OpError("\(bias.type) is no bias of \(x.type)")
        }
        return try n.add(x, n.broadcast(bias, to: x.shape, at: [axis]))
      }),
    Operator("BiasAddV1", one: { (n) throws(OpError) in try n.add(try n.input(0), try n.input(1)) }),
  ]

  private static func convolution(_ name: String, _ format: String, rank: Int) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (image, kernel) = try operands(&n, 0, rank: rank)
      return [try convolution(&n, image, kernel, format)]
    }
  }

  private static func operands(_ n: inout Lowering, _ x: Int, rank: Int) throws(OpError) -> (x: Value, kernel: Value) {
    let (x, kernel) = (try n.input(x), try n.input(1))
    guard x.rank == rank, kernel.rank == rank else { throw OpError("it takes \(x.type) and \(kernel.type)") }
    return (x, kernel)
  }

  static func convolution(
    _ n: inout Lowering, _ image: Value, _ kernel: Value, _ format: String
  ) throws(OpError) -> Value {
    n.ignore("use_cudnn_on_gpu")
    let rank = image.rank
    let layout = try ImageLayout(try n.string("data_format", default: format), rank: rank)
    let (x, window) = try n.padded(image, layout, n.kernelExtents(kernel), n.scalar(0, image.element))
    guard x.shape[layout.feature].isFixed else { throw .unsupported("an open number of features") }
    guard let features = x.shape[layout.feature].fixed, let own = kernel.shape[rank - 2].fixed, own > 0,
      features % own == 0
    else { throw OpError("\(kernel.type) does not fit \(x.type)") }
    return try n.convolution(x, kernel, layout, window, groups: features / own)
  }

  /// A convolution of each feature by itself; the kernel's last dimension counts the results of a feature.
  static func depthwise(_ n: inout Lowering, _ image: Value, _ kernel: Value) throws(OpError) -> Value {
    let layout = try ImageLayout(try n.string("data_format", default: "NHWC"), rank: 4)
    let (x, window) = try n.padded(image, layout, n.kernelExtents(kernel), n.scalar(0, image.element))
    guard x.shape[layout.feature].isFixed else { throw .unsupported("an open number of features") }
    guard let features = kernel.shape[2].fixed, x.shape[layout.feature] == Extent(features) else {
      throw OpError("\(kernel.type) does not fit \(x.type)")
    }
    let flat = try n.reshape(kernel, [kernel.shape[0], kernel.shape[1], .one, kernel.shape[2] * kernel.shape[3]])
    return try n.convolution(x, flat, layout, window, groups: features)
  }

  /// The gradient of a convolution by its input: a convolution of the spread gradient with the reversed kernel.
  private static func transposed(_ n: inout Lowering, _ format: String, rank: Int) throws(OpError) -> Value {
    n.ignore("use_cudnn_on_gpu")
    let (y, kernel) = try operands(&n, 2, rank: rank)
    let layout = try ImageLayout(try n.string("data_format", default: format), rank: rank)
    var shape = try n.shapeInput(0, "input sizes")
    guard shape.allSatisfy({ ($0.fixed ?? 0) < 1 << 31 }) else { throw OpError("its input sizes are \(shape)") }
    if shape.count == rank - 2 {
      let space = shape
      shape = y.shape
      for (d, extent) in zip(layout.spatial, space) { shape[d] = extent }
      shape[layout.feature] = kernel.shape[rank - 2]
    }
    guard shape.count == rank else { throw OpError("its input sizes are \(shape)") }
    func differentiated() throws(OpError) -> Value {
      let image = try n.splat(0, y.element, shape)
      return try n.gradient(of: [image], by: y) { (n, x) throws(OpError) in try convolution(&n, x[0], kernel, format) }
    }
    if shape[layout.feature] != kernel.shape[rank - 2] { return try differentiated() }
    let (forward, low, high) = try n.window(over: TensorType(y.element, shape), layout, n.kernelExtents(kernel))
    guard (low + high).allSatisfy({ $0 == .zero }) else { return try differentiated() }
    var window: [WindowDimension] = []
    for (d, dimension) in zip(layout.spatial, forward) {
      let reach = ((dimension.extent.fixed ?? 1) - 1) * dimension.windowDilation + 1
      let low = reach - 1 - dimension.paddingLow
      let rest = shape[d] - (y.shape[d] - 1) * dimension.stride
      guard let high = rest.fixed else { return try differentiated() }
      window.append(
        WindowDimension(
          extent: dimension.extent, paddingLow: low, paddingHigh: high - 1 - low + reach - 1,
          baseDilation: dimension.stride, windowDilation: dimension.windowDilation, isReversed: true))
    }
    // The kernel's features change their parts.
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: layout.feature, inputSpatial: layout.spatial, kernelInputFeature: rank - 1,
      kernelOutputFeature: rank - 2, kernelSpatial: Array(0..<rank - 2), outputBatch: 0, outputFeature: layout.feature,
      outputSpatial: layout.spatial)
    guard y.shape[layout.feature] == kernel.shape[rank - 1] else {
      throw OpError("\(kernel.type) does not fit \(y.type)")
    }
    let op = Convolution(window: window, dimensionNumbers: numbers, resultType: y.element)
    return try n.emit(.convolution(op), [y, kernel])
  }
}

extension Lowering {
  /// The extents of a kernel's spatial dimensions, which come first.
  fileprivate func kernelExtents(_ kernel: Value) throws(OpError) -> [Int] {
    let extents = kernel.shape.dropLast(2).compactMap(\.fixed)
    guard extents.count == kernel.rank - 2 else { throw .unsupported("a kernel of open extents") }
    return extents
  }

  /// An image with paddings around it that depend on symbols, and the window over it, which has the others.
  mutating func padded(
    _ x: Value, _ layout: ImageLayout, _ extents: [Int], _ value: Value
  ) throws(OpError) -> (x: Value, window: [WindowDimension]) {
    let (window, low, high) = try window(over: x.type, layout, extents)
    return (try pad(x, value, low: low, high: high), window)
  }

  /// The window that the attributes `strides`, `dilations` and `padding` describe, and paddings that depend on symbols.
  mutating func window(
    over x: TensorType, _ layout: ImageLayout, _ extents: [Int], dilations: String = "dilations"
  ) throws(OpError) -> (window: [WindowDimension], low: [Extent], high: [Extent]) {
    func spatial(_ name: String) throws(OpError) -> [Int] {
      guard let values = try ints(name), !values.isEmpty else { return layout.spatial.map { _ in 1 } }
      guard values.count == layout.rank, values.allSatisfy({ $0 > 0 && $0 < 1 << 31 }), values[0] == 1,
        values[layout.feature] == 1
      else { throw .unsupported("attribute '\(name)' \(values)") }
      return layout.spatial.map { values[$0] }
    }
    let strides = try spatial("strides")
    let dilations = try spatial(dilations)
    let padding = try string("padding", default: "VALID")
    let explicit = try ints("explicit_paddings") ?? []
    var window: [WindowDimension] = []
    var outsideLow = [Extent](repeating: .zero, count: layout.rank)
    var outsideHigh = outsideLow
    for (index, d) in layout.spatial.enumerated() {
      let reach = (extents[index] - 1) * dilations[index] + 1
      var (low, high) = (0, 0)
      switch padding {
      case "VALID": break
      case "SAME":
        if let extent = x.dimensions[d].fixed {
          let count = (extent + strides[index] - 1) / strides[index]
          let total = max(0, (count - 1) * strides[index] + reach - extent)
          (low, high) = (total / 2, total - total / 2)
        } else if strides[index] == 1 {
          (low, high) = ((reach - 1) / 2, reach - 1 - (reach - 1) / 2)
        } else {
          let extent = x.dimensions[d]
          let count = (extent + (strides[index] - 1)).floorDivided(by: Extent(strides[index]))
          let total = arithmetic.maximum(.zero, (count - 1) * strides[index] + reach - extent)
          outsideLow[d] = total.floorDivided(by: 2)
          outsideHigh[d] = total - outsideLow[d]
        }
      case "EXPLICIT":
        guard explicit.count == 2 * layout.rank, explicit.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
          throw OpError("attribute 'explicit_paddings' is \(explicit)")
        }
        (low, high) = (explicit[2 * d], explicit[2 * d + 1])
      default: throw OpError("attribute 'padding' is '\(padding)'")
      }
      window.append(
        WindowDimension(
          extent: Extent(extents[index]), stride: strides[index], paddingLow: low, paddingHigh: high,
          windowDilation: dilations[index]))
    }
    return (window, outsideLow, outsideHigh)
  }

  fileprivate mutating func convolution(
    _ x: Value, _ kernel: Value, _ layout: ImageLayout, _ window: [WindowDimension], groups: Int
  ) throws(OpError) -> Value {
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: layout.feature, inputSpatial: layout.spatial, kernelInputFeature: x.rank - 2,
      kernelOutputFeature: x.rank - 1, kernelSpatial: Array(0..<x.rank - 2), outputBatch: 0,
      outputFeature: layout.feature, outputSpatial: layout.spatial)
    let op = Convolution(
      window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: x.element)
    return try emit(.convolution(op), [x, kernel])
  }
}
