import IR

/// Batch normalization in terms of sums over all dimensions but one (StableHLO spec, "batch_norm_training" and
/// "batch_norm_grad"); f16 and bf16 are computed in f32.
extension Expander {
  mutating func expand(_ norm: BatchNormTraining, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let element = type(of: operands[0]).elementType
    let columns = try FeatureColumns(operands[0], norm.featureIndex, in: &self)
    let x = columns.x
    let mean = try columns.mean(x, in: &self)
    let centered = try pointwise(.subtract, x, try columns.spread(mean, in: &self))
    let variance = try columns.mean(try pointwise(.multiply, centered, centered), in: &self)
    let deviation = try columns.deviation(variance, norm.epsilon, in: &self)
    let normalized = try pointwise(.divide, centered, try columns.spread(deviation, in: &self))
    let scaled = try pointwise(.multiply, normalized, try columns.spread(operands[1], in: &self))
    let shifted = try pointwise(.add, scaled, try columns.spread(operands[2], in: &self))
    return [
      try convert(shifted, to: element), try convert(mean, to: element), try convert(variance, to: element),
    ]
  }

  mutating func expand(_ norm: BatchNormGrad, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let element = type(of: operands[0]).elementType
    let columns = try FeatureColumns(operands[0], norm.featureIndex, in: &self)
    let gradient = try convert(operands[4], to: columns.element)
    let centered = try pointwise(.subtract, columns.x, try columns.spread(operands[2], in: &self))
    let deviation = try columns.deviation(operands[3], norm.epsilon, in: &self)
    let offsets = try columns.sum(gradient, in: &self)
    let products = try columns.sum(try pointwise(.multiply, gradient, centered), in: &self)
    // centered * products / (variance + epsilon), the part of the gradient along the normalized operand.
    let slope = try pointwise(.divide, products, try pointwise(.multiply, deviation, deviation))
    let along = try pointwise(.multiply, centered, try columns.spread(slope, in: &self))
    let count = try columns.spreadCount(in: &self)
    let total = try pointwise(.multiply, gradient, count)
    let level = try pointwise(.subtract, total, try columns.spread(offsets, in: &self))
    let rest = try pointwise(.subtract, level, along)
    let scale = try pointwise(.divide, try convert(operands[1], to: columns.element), deviation)
    let factor = try pointwise(.divide, try columns.spread(scale, in: &self), count)
    let scales = try pointwise(.divide, products, deviation)
    return [
      try convert(try pointwise(.multiply, factor, rest), to: element), try convert(scales, to: element),
      try convert(offsets, to: element),
    ]
  }
}

/// An operand by features: sums over everything but the feature dimension, and values of features spread back.
private struct FeatureColumns {
  /// The operand in the type that is computed in.
  let x: ValueID
  let element: ElementType
  let extents: [Extent]
  let feature: Int

  init(_ operand: ValueID, _ feature: Int, in expander: inout Expander) throws(OpError) {
    let type = expander.type(of: operand)
    element = type.elementType == .f64 ? .f64 : .f32
    x = try expander.convert(operand, to: element)
    extents = type.dimensions
    self.feature = feature
  }

  private var others: [Int] { extents.indices.filter { $0 != feature } }

  func sum(_ value: ValueID, in expander: inout Expander) throws(OpError) -> ValueID {
    try expander.sum(value, over: others)
  }

  func mean(_ value: ValueID, in expander: inout Expander) throws(OpError) -> ValueID {
    let sums = try sum(value, in: &expander)
    let count = try expander.number(others.reduce(Extent.one) { $0 * extents[$1] }, element)
    return try expander.pointwise(.divide, sums, try expander.broadcast(count, [], to: [extents[feature]]))
  }

  /// How many elements a feature has, at each position.
  func spreadCount(in expander: inout Expander) throws(OpError) -> ValueID {
    let count = try expander.number(others.reduce(Extent.one) { $0 * extents[$1] }, element)
    return try expander.broadcast(count, [], to: extents)
  }

  /// The square root of the variance and epsilon.
  func deviation(_ variance: ValueID, _ epsilon: Double, in expander: inout Expander) throws(OpError) -> ValueID {
    let wide = try expander.convert(variance, to: element)
    return try expander.pointwise(
      .squareRoot, try expander.pointwise(.add, wide, try expander.splat(epsilon, like: wide)))
  }

  /// A feature's value at each of its positions.
  func spread(_ vector: ValueID, in expander: inout Expander) throws(OpError) -> ValueID {
    try expander.broadcast(try expander.convert(vector, to: element), [feature], to: extents)
  }
}
