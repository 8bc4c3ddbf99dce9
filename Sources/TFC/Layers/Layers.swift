/// A product with a matrix, plus a bias: `[…, inputs]` becomes `[…, outputs]`.
@TensorGroup
public struct Dense<Scalar: TensorFloat>: Sendable {
  /// `[inputs, outputs]`.
  public var weight: Tensor<Scalar>
  /// `[outputs]`.
  public var bias: Tensor<Scalar>?

  public init(weight: Tensor<Scalar>, bias: Tensor<Scalar>?) {
    self.weight = weight
    self.bias = bias
  }

  /// Weights from the range that keeps variances (Glorot and Bengio, "Understanding the difficulty of training deep
  /// feedforward neural networks"), and zeros.
  public init(_ inputs: Int, _ outputs: Int, hasBias: Bool = true, using generator: inout RandomGenerator) {
    weight = generator.glorot([TensorDimension(inputs), TensorDimension(outputs)], inputs: inputs, outputs: outputs)
    bias = hasBias ? Tensor(zeros: [TensorDimension(outputs)]) : nil
  }

  @Graph
  public func callAsFunction(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let product = matmul(x, weight)
    return bias.map { product + $0 } ?? product
  }
}

/// A convolution of images `[batch, height, width, features]`, plus a bias.
@TensorGroup
public struct Conv2D<Scalar: TensorFloat>: Sendable {
  /// `[height, width, features / groups, filters]`.
  public var filter: Tensor<Scalar>
  /// `[filters]`.
  public var bias: Tensor<Scalar>?
  public let strides: (Int, Int)
  public let padding: Padding
  public let groups: Int

  /// Random filters as for `Dense`, and zeros.
  public init(
    _ features: Int, _ filters: Int, size: (Int, Int), strides: (Int, Int) = (1, 1), padding: Padding = .valid,
    groups: Int = 1, hasBias: Bool = true, using generator: inout RandomGenerator
  ) {
    let area = size.0 * size.1
    filter = generator.glorot(
      [TensorDimension(size.0), TensorDimension(size.1), TensorDimension(features / groups), TensorDimension(filters)],
      inputs: area * features / groups, outputs: area * filters / groups)
    bias = hasBias ? Tensor(zeros: [TensorDimension(filters)]) : nil
    self.strides = strides
    self.padding = padding
    self.groups = groups
  }

  @Graph
  public func callAsFunction(_ images: Tensor<Scalar>) -> Tensor<Scalar> {
    let sums = conv2D(images, filter, strides: strides, padding: padding, groups: groups)
    return bias.map { sums + $0 } ?? sums
  }
}

/// A row of a table for each number.
@TensorGroup
public struct Embedding<Scalar: TensorFloat>: Sendable {
  /// `[rows, features]`.
  public var table: Tensor<Scalar>

  public init(rows: Int, features: Int, using generator: inout RandomGenerator) {
    table = generator.normal([TensorDimension(rows), TensorDimension(features)], deviation: 0.02)
  }

  @Graph
  public func callAsFunction<Index: TensorNumeric>(_ positions: Tensor<Index>) -> Tensor<Scalar> {
    table.gathering(positions)
  }
}

/// Rows moved and scaled to mean 0 and variance 1, then by a weight and a bias (Ba et al., "Layer normalization").
@TensorGroup
public struct LayerNorm<Scalar: TensorFloat>: Sendable {
  public var weight: Tensor<Scalar>
  public var bias: Tensor<Scalar>
  public let epsilon: Scalar

  public init(_ features: Int, epsilon: Scalar = 1e-5) {
    weight = Tensor(ones: [TensorDimension(features)])
    bias = Tensor(zeros: [TensorDimension(features)])
    self.epsilon = epsilon
  }

  @Graph
  public func callAsFunction(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let rows = x.inFloat { $0.normalized(epsilon: Float(epsilon)) } ?? x.normalized(epsilon: epsilon)
    return rows * weight + bias
  }
}

extension Tensor where Scalar: TensorFloat {
  /// Rows moved and scaled to mean 0 and variance 1.
  fileprivate func normalized(epsilon: Scalar) -> Tensor {
    let centred = self - mean(along: -1, keepingDimensions: true)
    return centred * rsqrt(centred.squared().mean(along: -1, keepingDimensions: true) + epsilon)
  }
}

/// Attention of several heads over the rows of `[batch, rows, features]` (Vaswani et al., "Attention is all you need").
@TensorGroup
public struct MultiHeadAttention<Scalar: TensorFloat>: Sendable {
  public var query: Dense<Scalar>
  public var key: Dense<Scalar>
  public var value: Dense<Scalar>
  public var output: Dense<Scalar>
  public let headCount: Int

  public init(_ features: Int, headCount: Int, using generator: inout RandomGenerator) {
    query = Dense(features, features, using: &generator)
    key = Dense(features, features, using: &generator)
    value = Dense(features, features, using: &generator)
    output = Dense(features, features, using: &generator)
    self.headCount = headCount
  }

  /// With `isCausal`, a row sees itself and those before it.
  @Graph
  public func callAsFunction(_ x: Tensor<Scalar>, isCausal: Bool = false) -> Tensor<Scalar> {
    let (batch, rows, features) = (x.dimensions[0], x.dimensions[1], x.dimensions[2])
    func heads(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
      x.reshaped(to: batch, rows, TensorDimension(headCount), features / TensorDimension(headCount))
        .transposed(permutation: 0, 2, 1, 3)
    }
    let positions = Tensor<Int32>(indicesOf: [rows, rows], along: 0)
    let mask = isCausal ? positions .>= Tensor<Int32>(indicesOf: [rows, rows], along: 1) : nil
    let seen = attention(queries: heads(query(x)), keys: heads(key(x)), values: heads(value(x)), mask: mask)
    return output(seen.transposed(permutation: 0, 2, 1, 3).reshaped(to: batch, rows, features))
  }
}

/// Numbers left out at random while training, with a probability below 1, the others scaled so that sums stay (Srivastava et al., "Dropout").
@Graph
public func dropout<S: TensorFloat>(
  _ x: Tensor<S>, probability: Float, using generator: inout RandomGenerator
) -> Tensor<S> {
  let kept = generator.bernoulli(x.dimensions, probability: 1 - probability)
  return select(kept, x * S(1 / (1 - probability)), Tensor(0))
}

extension RandomGenerator {
  fileprivate mutating func glorot<Scalar: TensorFloat>(_ shape: [TensorDimension], inputs: Int, outputs: Int)
    -> Tensor<
      Scalar
    >
  {
    let bound = Scalar((6 / Double(inputs + outputs)).squareRoot())
    return uniform(shape, in: -bound..<bound)
  }
}
