import GraphBuilding
import IR

extension Operator {
  /// Normalizations, as the graphs of simpler ops that ONNX defines them by.
  static let normalization: [Operator] = [
    Operator("BatchNormalization", batchNormalization),
    Operator("InstanceNormalization", one: instanceNormalization),
    Operator("LayerNormalization", layerNormalization),
    Operator("GroupNormalization", one: groupNormalization),
    Operator("RMSNormalization", one: rmsNormalization),
    Operator("MeanVarianceNormalization", one: meanVarianceNormalization),
    Operator("LpNormalization", one: lpNormalization),
    Operator("LRN", one: localResponseNormalization),
  ]

  /// Inference scales each channel; training uses the batch's own statistics and returns the running ones.
  private static func batchNormalization(_ n: inout Lowering) throws(OpError) -> [Value] {
    n.ignore("consumed_inputs", "spatial")
    let x = try n.input(0)
    let (scale, bias, mean, variance) = (try n.input(1), try n.input(2), try n.input(3), try n.input(4))
    let epsilon = try n.float("epsilon", default: 1e-5)
    let momentum = try n.float("momentum", default: 0.9)
    var isTraining = try n.flag("training_mode")
    if n.version < 7 { isTraining = try !n.flag("is_test") && n.outputCount > 1 }
    guard x.rank >= 1 else { throw OpError("its input is \(x.type)") }
    let axis = min(1, x.rank - 1)
    guard isTraining else {
      guard !(1..<5).contains(where: { n.wantsOutput($0) }) else { throw .unsupported("statistics as outputs") }
      let normalized = try n.normalized(x, scale, bias, mean, variance, epsilon, axis: axis)
      return [normalized]
    }
    guard n.version >= 14 else { throw .unsupported("training mode in opset \(n.version)") }
    let axes = x.shape.indices.filter { $0 != axis }
    let computed: ElementType = x.element.bitWidth < 32 ? .f32 : x.element
    let wide = try n.convert(x, computed)
    let batchMean = try n.mean(wide, axes)
    let centred = try n.subtract(wide, n.channels(batchMean, of: x, axis: axis))
    let batchVariance = try n.mean(n.multiply(centred, centred), axes)
    let result = try n.normalized(
      x, scale, bias, n.convert(batchMean, mean.element), n.convert(batchVariance, variance.element), epsilon,
      axis: axis)
    func running(_ old: Value, _ new: Value) throws(OpError) -> Value {
      try n.add(n.multiply(old, momentum), n.multiply(n.convert(new, old.element), 1 - momentum))
    }
    return [result, try running(mean, batchMean), try running(variance, batchVariance)]
  }

  private static func instanceNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let (x, scale, bias) = (try n.input(0), try n.input(1), try n.input(2))
    let epsilon = try n.float("epsilon", default: 1e-5)
    let normalized = try n.standardized(x, Array(2..<max(2, x.rank)), epsilon).value
    return try n.add(n.multiply(normalized, n.channels(scale, of: x, axis: 1)), n.channels(bias, of: x, axis: 1))
  }

  /// Mean 0 and variance 1 over the dimensions from `axis` on, computed in f32 (`stash_type`).
  private static func layerNormalization(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (x, scale) = (try n.input(0), try n.input(1))
    let axis = try n.axis(try n.int("axis", default: -1), rank: x.rank)
    let epsilon = try n.float("epsilon", default: 1e-5)
    let stash = try n.elementAttribute("stash_type") ?? .f32
    let wide = x.element == .f64 ? x : try n.convert(x, stash)
    let (normalized, mean, deviation) = try n.standardized(wide, Array(axis..<x.rank), epsilon)
    var result = try n.multiply(n.convert(normalized, x.element), n.broadcast(scale, to: x.shape))
    if let bias = n.optional(2) { result = try n.add(result, n.broadcast(bias, to: x.shape)) }
    var outputs = [result]
    if n.wantsOutput(1) || n.wantsOutput(2) { outputs += [mean, try n.divide(1, deviation)] }
    return outputs
  }

  /// Mean 0 and variance 1 over groups of channels; scale and bias belong to groups before opset 21, then to channels.
  private static func groupNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var (scale, bias) = (try n.input(1), try n.input(2))
    let epsilon = try n.float("epsilon", default: 1e-5)
    let groups = try n.required(n.int("num_groups"), "num_groups")
    let stash = try n.elementAttribute("stash_type") ?? .f32
    guard x.rank >= 2, groups > 0 else { throw OpError("its input is \(x.type) in \(groups) groups") }
    let features = x.shape[1].floorDivided(by: Extent(groups))
    guard features * groups == x.shape[1] else {
      throw OpError("\(x.shape[1]) features do not fall into \(groups) groups")
    }
    let grouped = [x.shape[0], Extent(groups), features] + x.shape.dropFirst(2)
    let wide = x.element == .f64 ? x : try n.convert(x, stash)
    let split = try n.reshape(wide, grouped)
    let normalized = try n.reshape(n.standardized(split, Array(2..<split.rank), epsilon).value, x.shape)
    if scale.shape == [Extent(groups)], features != .one {
      scale = try n.reshape(n.broadcast(scale, to: [Extent(groups), features], at: [0]), [x.shape[1]])
      bias = try n.reshape(n.broadcast(bias, to: [Extent(groups), features], at: [0]), [x.shape[1]])
    }
    let scaled = try n.multiply(n.convert(normalized, x.element), n.channels(scale, of: x, axis: 1))
    return try n.add(scaled, n.channels(bias, of: x, axis: 1))
  }

  private static func rmsNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, scale) = (try n.input(0), try n.input(1))
    let axis = try n.axis(try n.int("axis", default: -1), rank: x.rank)
    let epsilon = try n.float("epsilon", default: 1e-5)
    let stash = try n.elementAttribute("stash_type") ?? .f32
    let wide = x.element == .f64 ? x : try n.convert(x, stash)
    let square = try n.mean(n.multiply(wide, wide), Array(axis..<x.rank), keep: true)
    let normalized = try n.divide(wide, n.map(.squareRoot, n.add(square, epsilon)))
    let result = try n.multiply(n.convert(normalized, scale.element), scale)
    return try n.broadcast(result, to: x.shape)
  }

  private static func meanVarianceNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axes = try n.axes(try n.ints("axes") ?? [0, 2, 3], rank: x.rank)
    let centred = try n.subtract(x, n.mean(x, axes, keep: true))
    let variance = try n.mean(n.multiply(centred, centred), axes, keep: true)
    return try n.divide(centred, n.add(n.map(.squareRoot, variance), 1e-9))
  }

  /// `x` divided by its norm along an axis; where that is 0, 0.
  private static func lpNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: -1), rank: x.rank)
    let p = Double(try n.int("p", default: 2))
    let norm = try n.root(of: n.reduce(n.powers(of: x, p), [axis], .add, keep: true), p)
    let isZero = try n.compare(.equal, norm, 0)
    return try n.select(isZero, n.splat(0, like: x), n.divide(x, norm))
  }

  /// `x / (bias + alpha / size * sum of squares over neighbouring channels) ^ beta`.
  private static func localResponseNormalization(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let alpha = try n.float("alpha", default: 1e-4)
    let beta = try n.float("beta", default: 0.75)
    let bias = try n.float("bias", default: 1)
    let size = try n.required(n.int("size"), "size")
    guard size > 0, size < 1 << 31, x.rank >= 2 else { throw OpError("its size is \(size) for \(x.type)") }
    var window = [WindowDimension](repeating: WindowDimension(extent: .one), count: x.rank)
    window[1] = WindowDimension(
      extent: Extent(size), paddingLow: (size - 1) / 2, paddingHigh: size - 1 - (size - 1) / 2)
    let body = try n.foldBody(.add, x.element)
    let squares = try n.emit(
      .reduceWindow(ReduceWindow(window: window, body: body)), [n.multiply(x, x), n.scalar(0, x.element)])
    let base = try n.add(n.multiply(squares, alpha / Double(size)), bias)
    // Sums of squares are not negative, so roots are the power of the usual exponent.
    if beta == 0.75, alpha >= 0, bias >= 0 {
      let root = try n.map(.squareRoot, base)
      return try n.divide(x, n.multiply(root, n.map(.squareRoot, root)))
    }
    return try n.divide(x, n.map(.power, base, n.scalar(beta, x.element)))
  }
}

extension Lowering {
  /// `(x - mean) / sqrt(variance + epsilon) * scale + bias` for each channel, as one product and one sum.
  mutating func normalized(
    _ x: Value, _ scale: Value, _ bias: Value, _ mean: Value, _ variance: Value, _ epsilon: Double, axis: Int
  ) throws(OpError) -> Value {
    let element: ElementType = x.element.bitWidth < 32 ? .f32 : x.element
    let deviation = try map(.squareRoot, add(convert(variance, element), epsilon))
    let factor = try divide(convert(scale, element), deviation)
    let offset = try subtract(convert(bias, element), multiply(convert(mean, element), factor))
    let wide = try convert(x, element)
    let product = try multiply(wide, channels(factor, of: x, axis: axis))
    return try convert(add(product, channels(offset, of: x, axis: axis)), x.element)
  }

  /// `x` with mean 0 and variance 1 over some dimensions, its mean, and the square root of its variance and epsilon.
  mutating func standardized(
    _ x: Value, _ axes: [Int], _ epsilon: Double
  ) throws(OpError) -> (value: Value, mean: Value, deviation: Value) {
    let mean = try mean(x, axes, keep: true)
    let centred = try subtract(x, mean)
    let variance = try self.mean(multiply(centred, centred), axes, keep: true)
    let deviation = try map(.squareRoot, add(variance, epsilon))
    return (try divide(centred, deviation), mean, deviation)
  }
}
