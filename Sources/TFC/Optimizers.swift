/// Gradient descent, with momentum if wanted (Sutskever et al., "On the importance of initialization and momentum").
@TensorGroup
public struct SGD<Model: TensorGroup> {
  public var learningRate: Float
  public let momentum: Float
  public let isNesterov: Bool
  /// The mean direction of all steps, nil without momentum.
  private var velocity: Model?

  public init(for model: Model, learningRate: Float = 0.01, momentum: Float = 0, isNesterov: Bool = false) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.isNesterov = isNesterov
    velocity = momentum == 0 ? nil : model.zeros()
  }

  /// Moves the model against its gradient.
  public mutating func update(_ model: inout Model, along gradient: Model) {
    guard let old = velocity else {
      model = model.mappingFloats(with: [gradient], Combination([1, -learningRate]))
      return
    }
    let next = old.mappingFloats(with: [gradient], Combination([momentum, 1]))
    velocity = next
    if isNesterov {
      model = model.mappingFloats(with: [gradient, next], Combination([1, -learningRate, -learningRate * momentum]))
    } else {
      model = model.mappingFloats(with: [next], Combination([1, -learningRate]))
    }
  }
}

/// Steps scaled by running means of gradients and of their squares (Kingma and Ba, "Adam"); with decay of the weights
/// themselves (Loshchilov and Hutter, "Decoupled weight decay regularization") where that is not zero.
@TensorGroup
public struct Adam<Model: TensorGroup> {
  public var learningRate: Float
  public let decayRates: (Float, Float)
  public let epsilon: Float
  public let weightDecay: Float
  /// How many steps there were.
  private var step = Tensor<Float>(0)
  private var means: Model
  private var squares: Model

  public init(
    for model: Model, learningRate: Float = 0.001, decayRates: (Float, Float) = (0.9, 0.999), epsilon: Float = 1e-8,
    weightDecay: Float = 0
  ) {
    self.learningRate = learningRate
    self.decayRates = decayRates
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    means = model.zeros()
    squares = model.zeros()
  }

  /// Moves the model against its gradient.
  public mutating func update(_ model: inout Model, along gradient: Model) {
    step += 1
    means = means.mappingFloats(with: [gradient], Combination([decayRates.0, 1 - decayRates.0]))
    squares = squares.mappingFloats(with: [gradient], SquareMean(rate: decayRates.1))
    let corrections = (
      1 - pow(Tensor(decayRates.0), step), 1 - pow(Tensor(decayRates.1), step)
    )
    let size = sqrt(corrections.1) / corrections.0 * learningRate
    model = model.mappingFloats(
      with: [means, squares],
      AdamStep(size: size, epsilon: epsilon * sqrt(corrections.1), decay: 1 - learningRate * weightDecay))
  }
}

/// The sum of tensors times factors.
private struct Combination: TensorFunction {
  let factors: [Float]

  init(_ factors: [Float]) { self.factors = factors }

  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    var sum: Tensor<Scalar>?
    for (tensor, factor) in zip(tensors, factors) {
      let part = factor == 1 ? tensor : tensor * Scalar(factor)
      sum = sum.map { $0 + part } ?? part
    }
    return sum ?? tensors[0]
  }
}

private struct SquareMean: TensorFunction {
  let rate: Float

  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    tensors[0] * Scalar(rate) + tensors[1].squared() * Scalar(1 - rate)
  }
}

private struct AdamStep: TensorFunction {
  let size: Tensor<Float>
  let epsilon: Tensor<Float>
  let decay: Float

  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    let kept = decay == 1 ? tensors[0] : tensors[0] * Scalar(decay)
    return kept - Tensor<Scalar>(size) * tensors[1] / (sqrt(tensors[2]) + Tensor<Scalar>(epsilon))
  }
}
