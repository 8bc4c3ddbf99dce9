import GraphBuilding
import IR

extension Operator {
  /// Normalization by statistics of a batch.
  static let normalization: [Operator] =
    ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"].map { name in
      let outputs = [
        "y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3",
      ]
      return Operator(name, outputs: name.hasSuffix("V3") ? outputs : Array(outputs.dropLast()), batchNorm)
    } + [Operator("LRN", one: { (n) throws(OpError) in try localResponse(&n, try n.input(0)) })]

  private static func batchNorm(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (x, scale, offset) = (try n.input(0), try n.input(1), try n.input(2))
    let epsilon = try n.float("epsilon", default: 0.0001)
    let isTraining = try n.flag("is_training", default: true)
    let factor = try n.float("exponential_avg_factor", default: 1)
    let layout = try ImageLayout(
      try n.string("data_format", default: x.rank == 5 ? "NDHWC" : "NHWC"), rank: x.rank)
    var (mean, variance) = (try n.input(3), try n.input(4))
    let wide = try n.convert(x, scale.element)
    if isTraining {
      guard factor == 1 else { throw .unsupported("statistics that are averaged over time") }
      let axes = x.shape.indices.filter { $0 != layout.feature }
      mean = try n.mean(wide, axes)
      let centred = try n.subtract(wide, n.broadcast(mean, to: wide.shape, at: [layout.feature]))
      variance = try n.mean(n.multiply(centred, centred), axes)
    }
    let gain = try n.multiply(scale, n.map(.reciprocalSquareRoot, n.add(variance, epsilon)))
    let shift = try n.subtract(offset, n.multiply(mean, gain))
    func channels(_ vector: Value) throws(OpError) -> Value {
      try n.broadcast(vector, to: wide.shape, at: [layout.feature])
    }
    let y = try n.convert(n.add(n.multiply(wide, channels(gain)), channels(shift)), x.element)
    guard isTraining else { return [y, mean, variance, mean, variance, variance] }
    // The variance that is given out estimates that of all batches.
    let count: Extent = x.shape.indices.reduce(.one) { $1 == layout.feature ? $0 : $0 * x.shape[$1] }
    let elements = try n.scalar(of: count, variance.element)
    let estimate = try n.multiply(variance, n.divide(elements, n.maximum(n.subtract(elements, 1), 1)))
    return [y, mean, estimate, mean, variance, variance]
  }

  /// Each element divided by a power of the squares around it along the features.
  static func localResponse(_ n: inout Lowering, _ x: Value) throws(OpError) -> Value {
    let radius = try n.int("depth_radius", default: 5)
    let bias = try n.float("bias", default: 1)
    let alpha = try n.float("alpha", default: 1)
    let beta = try n.float("beta", default: 0.5)
    guard x.rank == 4 else { throw OpError("it takes images, not \(x.type)") }
    guard radius >= 0, radius < 1 << 20 else { throw OpError("attribute 'depth_radius' is \(radius)") }
    var window = [WindowDimension](repeating: WindowDimension(extent: .one), count: x.rank)
    window[x.rank - 1] = WindowDimension(extent: Extent(2 * radius + 1), paddingLow: radius, paddingHigh: radius)
    let fold = ReduceWindow(window: window, body: try n.foldBody(.add, x.element))
    let sums = try n.emit(.reduceWindow(fold), [n.multiply(x, x), n.scalar(0, x.element)])
    let base = try n.add(n.multiply(sums, alpha), bias)
    return try n.divide(x, n.map(.power, base, n.scalar(beta, x.element)))
  }
}
