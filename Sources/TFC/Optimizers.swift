import IR

/// Gradient descent, with momentum if wanted (Sutskever et al., "On the importance of initialization and momentum").
@TensorGroup
public struct SGD<Model: TensorGroup> {
  public var learningRate: Tensor<Double>
  public let momentum: Double
  public let isNesterov: Bool
  /// The sum of all slopes, the older the less; nil without momentum.
  private var velocity: Model?

  public init(for model: Model, learningRate: Double = 0.01, momentum: Double = 0, isNesterov: Bool = false) {
    self.learningRate = Tensor(learningRate)
    self.momentum = momentum
    self.isNesterov = isNesterov
    velocity = momentum == 0 ? nil : model.zeros()
  }

  /// Moves the model against its gradient.
  public mutating func update(_ model: inout Model, along gradient: Model) {
    var direction = gradient
    if let old = velocity {
      let next = old.mappingFloats(with: [gradient], Decayed(rate: momentum))
      velocity = next
      direction = isNesterov ? next.mappingFloats(with: [gradient], Decayed(rate: momentum)) : next
    }
    model = model.mappingFloats(with: [direction], Descent(rate: learningRate))
  }
}

/// The first tensor times a rate, plus the second.
private struct Decayed: TensorFunction {
  let rate: Double

  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    tensors[0] * Scalar(rate) + tensors[1]
  }
}

/// The first tensor minus the second times a rate.
private struct Descent: TensorFunction {
  let rate: Tensor<Double>

  func callAsFunction<Scalar: TensorFloat>(_ tensors: [Tensor<Scalar>]) -> Tensor<Scalar> {
    tensors[0] - Tensor<Scalar>(rate) * tensors[1]
  }
}

/// Steps scaled by running means of gradients and of their squares (Kingma and Ba, "Adam"); with decay of the weights
/// themselves (Loshchilov and Hutter, "Decoupled weight decay regularization") where that is not zero.
@TensorGroup
public struct Adam<Model: TensorGroup> {
  public var learningRate: Tensor<Double>
  public let decayRates: (Double, Double)
  public let epsilon: Double
  public let weightDecay: Double
  /// How many steps there were.
  private var step = Tensor<Double>(0)
  private var means: Moments
  private var squares: Moments

  public init(
    for model: Model, learningRate: Double = 0.001, decayRates: (Double, Double) = (0.9, 0.999),
    epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    self.learningRate = Tensor(learningRate)
    self.decayRates = decayRates
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    means = Moments(zerosLike: model.tensors)
    squares = means
  }

  /// Moves the model against its gradient.
  public mutating func update(_ model: inout Model, along gradient: Model) {
    step += 1
    var tensors = model.tensors
    let slopes = gradient.tensors
    precondition(slopes.count == tensors.count, "a gradient has as many tensors as its model")
    var (single, double) = (0, 0)
    for index in tensors.indices {
      let (weight, slope) = (tensors[index], slopes[index])
      switch weight.type.elementType {
      case .f64:
        tensors[index] =
          moved(Tensor<Double>(weight), Tensor(slope), &means.double[double], &squares.double[double]).storage
        double += 1
      case .f32:
        tensors[index] =
          moved(Tensor<Float>(weight), Tensor(slope), &means.single[single], &squares.single[single]).storage
        single += 1
      #if !(os(macOS) && arch(x86_64))
        case .f16:
          tensors[index] =
            moved(Tensor<Float16>(weight), Tensor(slope), &means.single[single], &squares.single[single]).storage
          single += 1
      #endif
      default: break
      }
    }
    model = model.replacingTensors(tensors)
  }

  /// A tensor of the model after the step.
  private func moved<Scalar: TensorFloat, Wide: TensorFloat>(
    _ weight: Tensor<Scalar>, _ slope: Tensor<Scalar>, _ mean: inout Tensor<Wide>, _ square: inout Tensor<Wide>
  ) -> Tensor<Scalar> {
    let rates = (Wide(decayRates.0), Wide(decayRates.1))
    let slope = Tensor<Wide>(slope)
    mean = mean * rates.0 + slope * (1 - rates.0)
    square = square * rates.1 + slope.squared() * (1 - rates.1)
    let first = mean / Tensor<Wide>(1 - pow(Tensor(decayRates.0), step))
    let second = square / Tensor<Wide>(1 - pow(Tensor(decayRates.1), step))
    let change = Tensor<Wide>(learningRate) * first / (sqrt(second) + Wide(epsilon))
    let kept = Tensor<Wide>(weight)
    if weightDecay == 0 { return Tensor(kept - change) }
    return Tensor(kept - kept * Tensor<Wide>(learningRate * weightDecay) - change)
  }
}

/// For each tensor of floats in a model one of its shape: of `Double` where the model's is, else of `Float`, since squares of
/// small slopes are no `Float16`.
@TensorGroup
private struct Moments {
  var single: [Tensor<Float>] = []
  var double: [Tensor<Double>] = []

  init(zerosLike tensors: [Storage]) {
    for tensor in tensors {
      let dimensions = tensor.type.dimensions.map { TensorDimension($0) }
      switch tensor.type.elementType {
      case .f64: double.append(Tensor(zeros: dimensions))
      case .f32, .f16: single.append(Tensor(zeros: dimensions))
      default: break
      }
    }
  }
}
