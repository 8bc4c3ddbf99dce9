import GraphBuilding
import IR

extension Operator {
  /// Convolutions, with the layouts of ONNX: batch, features, space; kernels output features, input features, space.
  static let convolutions: [Operator] = [
    Operator("Conv", one: conv),
    Operator("ConvTranspose", one: convTranspose),
    Operator("ConvInteger", one: convInteger),
    Operator("Col2Im", one: columnsToImage),
    Operator("CausalConvWithState", causalConv),
  ]

  private static func conv(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, kernel) = (try n.input(0), try n.input(1))
    let window = try n.kernelWindow(x, kernel)
    let result = try n.convolution(x, kernel, window, groups: try n.int("group", default: 1))
    return try n.addBias(n.optional(2), to: result)
  }

  private static func convInteger(_ n: inout Lowering) throws(OpError) -> Value {
    var (x, kernel) = (try n.input(0), try n.input(1))
    let window = try n.kernelWindow(x, kernel)
    x = try n.convert(x, .i32)
    kernel = try n.convert(kernel, .i32)
    if let zero = n.optional(2) { x = try n.subtract(x, n.convert(n.reshape(zero, []), .i32)) }
    if let zero = n.optional(3) {
      kernel = try n.subtract(kernel, n.channels(n.convert(zero, .i32), of: kernel, axis: 0))
    }
    return try n.convolution(x, kernel, window, groups: try n.int("group", default: 1))
  }

  /// The transpose of a convolution: a convolution of the spread input with the reversed kernel.
  private static func convTranspose(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, kernel) = (try n.input(0), try n.input(1))
    let rank = x.rank - 2
    guard rank >= 1, kernel.rank == x.rank else { throw OpError("its inputs are \(x.type) and \(kernel.type)") }
    let groups = try n.int("group", default: 1)
    let strides = try n.positive("strides", count: rank) ?? [Int](repeating: 1, count: rank)
    let dilations = try n.positive("dilations", count: rank) ?? [Int](repeating: 1, count: rank)
    let extra = try n.ints("output_padding") ?? [Int](repeating: 0, count: rank)
    let extents = try n.kernelExtents(kernel)
    let reach = (0..<rank).map { (extents[$0] - 1) * dilations[$0] + 1 }
    let automatic = try n.string("auto_pad", default: "NOTSET")
    let outputShape = try n.ints("output_shape").map { $0.suffix(rank).map { $0 } }
    var pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
    guard extra.count == rank, pads.count == 2 * rank, outputShape.map({ $0.count == rank }) ?? true else {
      throw OpError("its attributes do not have a number for each of \(rank) dimensions")
    }
    if outputShape != nil || automatic.hasPrefix("SAME") {
      for d in 0..<rank {
        guard let extent = x.shape[d + 2].fixed else { throw .unsupported("pads that depend on \(x.shape[d + 2])") }
        let wanted = outputShape?[d] ?? extent * strides[d]
        let total = strides[d] * (extent - 1) + extra[d] + reach[d] - wanted
        let half = total.quotient(2)
        pads[d] = automatic == "SAME_UPPER" ? half : total - half
        pads[d + rank] = total - pads[d]
      }
    }
    let window: [WindowDimension] = (0..<rank).map { d in
      WindowDimension(
        extent: Extent(extents[d]), paddingLow: reach[d] - 1 - pads[d],
        paddingHigh: reach[d] - 1 - pads[d + rank] + extra[d], baseDilation: strides[d], windowDilation: dilations[d],
        isReversed: true)
    }
    let result = try n.transposedConvolution(x, kernel, window, groups: groups)
    return try n.addBias(n.optional(2), to: result)
  }

  /// Adds columns of blocks up to an image: the transpose of cutting it into blocks.
  private static func columnsToImage(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let image = try n.integers(of: try n.input(1), "image shape")
    let block = try n.integers(of: try n.input(2), "block shape")
    let rank = image.count
    let strides = try n.positive("strides", count: rank) ?? [Int](repeating: 1, count: rank)
    let dilations = try n.positive("dilations", count: rank) ?? [Int](repeating: 1, count: rank)
    let pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
    guard x.rank == 3, block.count == rank, pads.count == 2 * rank, let depth = x.shape[1].fixed,
      block.allSatisfy({ $0 > 0 && $0 < 1 << 20 }), image.allSatisfy({ $0 > 0 && $0 < 1 << 31 })
    else {
      throw OpError("its input is \(x.type) for an image \(image) in blocks \(block)")
    }
    let blockSize = block.reduce(1, *)
    guard depth % blockSize == 0 else { throw OpError("\(depth) rows do not fall into blocks of \(blockSize)") }
    var counts: [Int] = []
    for d in 0..<rank {
      let room = image[d] + pads[d] + pads[d + rank] - ((block[d] - 1) * dilations[d] + 1)
      guard room >= 0 else { throw OpError("a block of \(block) does not fit the image \(image)") }
      counts.append(room / strides[d] + 1)
    }
    let channels = Extent(depth / blockSize)
    let blocks = try n.reshape(x, [x.shape[0], channels] + block.map { Extent($0) } + counts.map { Extent($0) })
    // Each offset in a block goes to its own grid of the image.
    var sum: Value?
    for offset in allIndices(block) {
      var part = blocks
      for d in 0..<rank { part = try n.slice(part, axis: 2 + d, Extent(offset[d]), Extent(offset[d] + 1)) }
      part = try n.reshape(part, [x.shape[0], channels] + counts.map { Extent($0) })
      var low: [Extent] = [0, 0]
      var high: [Extent] = [0, 0]
      var interior = [0, 0]
      for d in 0..<rank {
        let start = offset[d] * dilations[d] - pads[d]
        let spread = (counts[d] - 1) * strides[d] + 1
        low.append(Extent(start))
        high.append(Extent(image[d] - start - spread))
        interior.append(strides[d] - 1)
      }
      let placed = try n.pad(part, n.scalar(0, x.element), low: low, high: high, interior: interior)
      sum = try sum.map { (old) throws(OpError) in try n.add(old, placed) } ?? placed
    }
    return try n.required(sum, "block")
  }

  /// A depthwise convolution over time that sees no later steps; the last inputs are its state.
  private static func causalConv(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (x, kernel) = (try n.input(0), try n.input(1))
    let activation = try n.string("activation", default: "none")
    guard x.rank >= 3, kernel.rank == x.rank, let taps = kernel.shape[kernel.rank - 1].fixed, taps > 0,
      let channels = x.shape[1].fixed
    else { throw OpError("its inputs are \(x.type) and \(kernel.type)") }
    guard x.rank == 3 else { throw .unsupported("an input of rank \(x.rank)") }
    let past: Value
    if let state = n.optional(3) {
      past = state
    } else {
      past = try n.splat(0, x.element, [x.shape[0], x.shape[1], Extent(taps - 1)])
    }
    let whole = taps == 1 ? x : try n.concatenate([past, x], axis: 2)
    let window = [WindowDimension(extent: Extent(taps))]
    var result = try n.convolution(whole, kernel, window, groups: channels)
    result = try n.addBias(n.optional(2), to: result)
    switch activation {
    case "none": break
    case "silu", "swish": result = try n.multiply(result, n.map(.logistic, result))
    default: throw .unsupported("activation \(activation)")
    }
    let end = whole.shape[2]
    return [result, try n.slice(whole, axis: 2, end - (taps - 1), end)]
  }
}

extension Lowering {
  /// An attribute of positive integers, one for each of `count` dimensions.
  mutating func positive(_ name: String, count: Int) throws(OpError) -> [Int]? {
    guard let values = try ints(name) else { return nil }
    guard values.count == count, values.allSatisfy({ $0 > 0 && $0 < 1 << 31 }) else {
      throw OpError("attribute '\(name)' is \(values) for \(count) dimensions")
    }
    return values
  }

  /// The fixed spatial extents of a kernel; the attribute that repeats them must agree.
  mutating func kernelExtents(_ kernel: Value) throws(OpError) -> [Int] {
    var extents: [Int] = []
    for extent in kernel.shape.dropFirst(2) {
      guard let fixed = extent.fixed, fixed > 0 else {
        throw .unsupported("a kernel \(kernel.type.detailedDescription)")
      }
      extents.append(fixed)
    }
    if let given = try ints("kernel_shape"), given != extents {
      throw OpError("attribute 'kernel_shape' is \(given) where the kernel is \(kernel.type)")
    }
    return extents
  }

  /// The window of a convolution, from the attributes that all of them have.
  mutating func kernelWindow(_ x: Value, _ kernel: Value) throws(OpError) -> [WindowDimension] {
    guard x.rank >= 3, kernel.rank == x.rank else { throw OpError("its inputs are \(x.type) and \(kernel.type)") }
    return try window(over: x, try kernelExtents(kernel), ceiling: false).dimensions
  }

  /// A window over the spatial dimensions of `x`, from the attributes of convolutions and pools. With `ceiling` it may
  /// stand partly beyond the padding; `overhang` says how far.
  mutating func window(
    over x: Value, _ extents: [Int], ceiling: Bool
  ) throws(OpError) -> (dimensions: [WindowDimension], overhang: [Int]) {
    let rank = x.rank - 2
    guard rank >= 1, extents.count == rank, extents.allSatisfy({ $0 > 0 && $0 < 1 << 31 }) else {
      throw OpError("a window \(extents) does not fit \(x.type)")
    }
    let strides = try positive("strides", count: rank) ?? [Int](repeating: 1, count: rank)
    let dilations = try positive("dilations", count: rank) ?? [Int](repeating: 1, count: rank)
    let given = try ints("pads")
    let automatic = try string("auto_pad", default: "NOTSET")
    if let given, given.count != 2 * rank || given.contains(where: { $0 < 0 || $0 > 1 << 31 }) {
      throw OpError("attribute 'pads' is \(given) for \(rank) dimensions")
    }
    var dimensions: [WindowDimension] = []
    var overhang: [Int] = []
    for d in 0..<rank {
      let reach = (extents[d] - 1) * dilations[d] + 1
      var (low, high) = (given?[d] ?? 0, given?[d + rank] ?? 0)
      switch automatic {
      case "NOTSET", "": break
      case "VALID": (low, high) = (0, 0)
      case "SAME_UPPER", "SAME_LOWER":
        let total = try samePadding(x.shape[d + 2], reach, strides[d])
        low = automatic == "SAME_UPPER" ? total / 2 : total - total / 2
        high = total - low
      default: throw OpError("attribute 'auto_pad' is '\(automatic)'")
      }
      var beyond = 0
      if ceiling, strides[d] > 1 {
        guard let extent = x.shape[d + 2].fixed else {
          throw .unsupported("ceil_mode over the extent \(x.shape[d + 2])")
        }
        let room = extent + low + high - reach
        var count = room < 0 ? 0 : (room + strides[d] - 1) / strides[d] + 1
        // The last window begins inside of the input or its left padding.
        if (count - 1) * strides[d] >= extent + low { count -= 1 }
        beyond = max(0, (count - 1) * strides[d] + reach - extent - low - high)
      }
      overhang.append(beyond)
      dimensions.append(
        WindowDimension(
          extent: Extent(extents[d]), stride: strides[d], paddingLow: low, paddingHigh: high + beyond,
          windowDilation: dilations[d]))
    }
    return (dimensions, overhang)
  }

  /// The padding that gives one result for each stride.
  private func samePadding(_ extent: Extent, _ reach: Int, _ stride: Int) throws(OpError) -> Int {
    if stride == 1 { return reach - 1 }
    guard let fixed = extent.fixed else { throw .unsupported("auto_pad over the extent \(extent)") }
    let count = (fixed + stride - 1) / stride
    return max(0, (count - 1) * stride + reach - fixed)
  }

  /// A convolution of `[batch, features, space…]` with `[output features, input features, space…]`.
  mutating func convolution(
    _ x: Value, _ kernel: Value, _ window: [WindowDimension], groups: Int
  ) throws(OpError) -> Value {
    let space = Array(2..<x.rank)
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: space, kernelInputFeature: 1, kernelOutputFeature: 0,
      kernelSpatial: space, outputBatch: 0, outputFeature: 1, outputSpatial: space)
    let convolution = Convolution(
      window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: x.element)
    return try emit(.convolution(convolution), [x, kernel])
  }

  /// A convolution with a kernel `[input features, output features of a group, space…]`.
  mutating func transposedConvolution(
    _ x: Value, _ kernel: Value, _ window: [WindowDimension], groups: Int
  ) throws(OpError) -> Value {
    let space = Array(2..<x.rank)
    var weights = kernel
    if groups > 1 {
      // Input features of all groups side by side become output features side by side.
      let extents = kernel.shape
      let inputs = extents[0].floorDivided(by: Extent(groups))
      guard inputs * groups == extents[0] else {
        throw OpError("\(extents[0]) features do not fall into \(groups) groups")
      }
      let split = try reshape(kernel, [Extent(groups), inputs] + extents.dropFirst())
      let moved = try transpose(split, [1, 0] + Array(2..<split.rank))
      weights = try reshape(moved, [inputs, extents[1] * groups] + extents.dropFirst(2))
    } else if groups < 1 {
      throw OpError("attribute 'group' is \(groups)")
    }
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: space, kernelInputFeature: 0, kernelOutputFeature: 1,
      kernelSpatial: space, outputBatch: 0, outputFeature: 1, outputSpatial: space)
    let convolution = Convolution(
      window: window, dimensionNumbers: numbers, featureGroupCount: groups, resultType: x.element)
    return try emit(.convolution(convolution), [x, weights])
  }

  /// A vector, or a scalar, broadcast along dimension `axis` of `x`.
  mutating func channels(_ vector: Value, of x: Value, axis: Int) throws(OpError) -> Value {
    if vector.rank == 0 || vector.shape == [.one] { return try broadcast(reshape(vector, []), to: x.shape, at: []) }
    guard vector.rank == 1, vector.shape[0] == x.shape[axis] else {
      throw OpError(
        "\(vector.type.detailedDescription) does not fit dimension \(axis) of \(x.type.detailedDescription)")
    }
    return try broadcast(vector, to: x.shape, at: [axis])
  }

  mutating func addBias(_ bias: Value?, to x: Value) throws(OpError) -> Value {
    guard let bias else { return x }
    return try add(x, channels(bias, of: x, axis: 1))
  }
}

extension Int {
  /// The quotient rounded towards negative infinity, for a positive divisor.
  fileprivate func quotient(_ divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }
}
