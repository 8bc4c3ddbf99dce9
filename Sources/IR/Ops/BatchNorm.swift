/// Normalizes each feature with given means and variances (StableHLO spec, "batch_norm_inference").
///
/// `%r = "stablehlo.batch_norm_inference"(%x, %scale, %offset, %mean, %variance) {epsilon = 0.0 : f32, feature_index = 1 : i64} : (…) -> tensor<2x3xf32>`
public struct BatchNormInference: OpDefinition {
  public var epsilon: Double
  public var featureIndex: Int
  public init(epsilon: Double, featureIndex: Int) {
    self.epsilon = epsilon
    self.featureIndex = featureIndex
  }
  public var mnemonic: String { "stablehlo.batch_norm_inference" }
  public var op: Op { .batchNormInference(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 5)
    let names = ["scale", "offset", "mean", "variance"]
    try requireFeatures(operands, featureIndex, vectors: zip(names, operands.dropFirst()).map { $0 })  // (C1)-(C6)
    return [operands[0]]  // (C7)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let columns = operands.dropFirst().map { $0.scalars.map(\.realValue) }
    return [
      Literal.gathering(x.elementType, x.dimensions) { index in
        let f = index[featureIndex]
        let centered = x[index].realValue - columns[2][f]
        let normalized = centered / (columns[3][f] + epsilon).squareRoot()
        return .real(columns[0][f] * normalized + columns[1][f])
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// Normalizes each feature with its own mean and variance; results: normalized, means, variances
/// (StableHLO spec, "batch_norm_training").
///
/// `%r, %m, %v = "stablehlo.batch_norm_training"(%x, %scale, %offset) {epsilon = 0.0 : f32, feature_index = 1 : i64} : (…) -> (…)`
public struct BatchNormTraining: OpDefinition {
  public var epsilon: Double
  public var featureIndex: Int
  public init(epsilon: Double, featureIndex: Int) {
    self.epsilon = epsilon
    self.featureIndex = featureIndex
  }
  public var mnemonic: String { "stablehlo.batch_norm_training" }
  public var op: Op { .batchNormTraining(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 3)
    let vectors = zip(["scale", "offset"], operands.dropFirst()).map { $0 }
    try requireFeatures(operands, featureIndex, vectors: vectors)  // (C1)-(C4)
    return [operands[0], operands[1], operands[1]]  // (C5)-(C7)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let type = x.elementType
    let features = x.dimensions[featureIndex]
    let count = Double(features == 0 ? 0 : x.elementCount / features)
    var mean = FeatureSums(features)
    mean.add(over: x, featureIndex) { index, _ in x[index].realValue }
    let means = mean.sums.map { FloatFormat.round($0 / count, to: type) }
    var variance = FeatureSums(features)
    variance.add(over: x, featureIndex) { index, f in
      let centered = x[index].realValue - means[f]
      return centered * centered
    }
    let variances = variance.sums.map { FloatFormat.round($0 / count, to: type) }
    let meanLiteral = Literal(type, [features], means.map { Scalar.real($0) })
    let varianceLiteral = Literal(type, [features], variances.map { Scalar.real($0) })
    let inference = BatchNormInference(epsilon: epsilon, featureIndex: featureIndex)
    let normalized = try inference.evaluate(
      operands + [meanLiteral, varianceLiteral], results: [results[0]], in: context)
    return normalized + [meanLiteral, varianceLiteral]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// The gradients of `batch_norm_training` in its operand, scale and offset (StableHLO spec, "batch_norm_grad").
///
/// `%x, %s, %o = "stablehlo.batch_norm_grad"(%operand, %scale, %mean, %variance, %grad) {epsilon = 0.0 : f32, feature_index = 1 : i64} : (…) -> (…)`
public struct BatchNormGrad: OpDefinition {
  public var epsilon: Double
  public var featureIndex: Int
  public init(epsilon: Double, featureIndex: Int) {
    self.epsilon = epsilon
    self.featureIndex = featureIndex
  }
  public var mnemonic: String { "stablehlo.batch_norm_grad" }
  public var op: Op { .batchNormGrad(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 5)
    let vectors = zip(["scale", "mean", "variance"], operands[1...3]).map { $0 }
    try requireFeatures(operands, featureIndex, vectors: vectors)  // (C1), (C2), (C4), (C5)
    guard operands[4] == operands[0] else {  // (C2), (C3)
      throw OpError("the output's gradient \(operands[4]) does not have the type of the operand \(operands[0])")
    }
    return [operands[0], operands[1], operands[1]]  // (C2)-(C4)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, gradient, type) = (operands[0], operands[4], operands[0].elementType)
    let columns = operands[1...3].map { $0.scalars.map(\.realValue) }
    let (scale, mean, variance) = (columns[0], columns[1], columns[2])
    let features = x.dimensions[featureIndex]
    let count = Double(features == 0 ? 0 : x.elementCount / features)
    var offsets = FeatureSums(features)
    offsets.add(over: x, featureIndex) { index, _ in gradient[index].realValue }
    var products = FeatureSums(features)
    products.add(over: x, featureIndex) { index, f in gradient[index].realValue * (x[index].realValue - mean[f]) }
    let operandGradient = Literal.gathering(type, x.dimensions) { index in
      let f = index[featureIndex]
      let stabilized = variance[f] + epsilon
      let projected = products.sums[f] * (x[index].realValue - mean[f]) / stabilized
      let centered = gradient[index].realValue * count - offsets.sums[f] - projected
      return .real(scale[f] / stabilized.squareRoot() / count * centered)
    }
    let scales = zip(products.sums, variance).map { Scalar.real($0 / ($1 + epsilon).squareRoot()) }
    return [
      operandGradient, Literal(type, [features], scales), Literal(type, [features], offsets.sums.map { .real($0) }),
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// A sum for each feature.
private struct FeatureSums {
  var sums: [Double]
  init(_ features: Int) { sums = [Double](repeating: 0, count: features) }

  mutating func add(over x: Literal, _ featureIndex: Int, _ term: ([Int], Int) -> Double) {
    for index in allIndices(x.dimensions) { sums[index[featureIndex]] += term(index, index[featureIndex]) }
  }
}

extension OpDefinition {
  /// Throws unless the first operand is a float tensor with this feature dimension, and each vector fits it.
  fileprivate func requireFeatures(
    _ operands: [TensorType], _ featureIndex: Int, vectors: [(String, TensorType)]
  ) throws(OpError) {
    let x = operands[0]
    guard x.elementType.isFloat else { throw OpError("\(shortName) is defined for floats, not for \(x)") }  // (I1)
    guard x.dimensions.indices.contains(featureIndex) else {  // (C1)
      throw OpError("feature_index \(featureIndex) leaves the \(x.rank) dimensions of \(x.detailedDescription)")
    }
    for (name, vector) in vectors {
      guard vector.elementType == x.elementType else {  // (C2)
        throw OpError(
          "\(name) \(vector.detailedDescription) does not have the element type of \(x.detailedDescription)")
      }
      guard vector.dimensions == [x.dimensions[featureIndex]] else {  // (C3)-(C6)
        throw OpError(
          "\(name) \(vector.detailedDescription) does not fit the \(x.dimensions[featureIndex]) features of"
            + " \(x.detailedDescription)")
      }
    }
  }
}

extension BatchNormInference {
  static let text = TextForm(
    BatchNormInference(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}

extension BatchNormTraining {
  static let text = TextForm(
    BatchNormTraining(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}

extension BatchNormGrad {
  static let text = TextForm(
    BatchNormGrad(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}
