import Foundation
import TFC
import Testing

/// Layers, losses, optimizers, and training with them.
struct TrainingTests {
  @TensorGroup
  struct Line {
    var slope: Tensor<Float>
    var offset: Tensor<Float>
    let name: String
  }

  private let start = Line(slope: [[1, -2]], offset: [0.5], name: "line")
  private let slope = Line(slope: [[0.25, 4]], offset: [-1], name: "gradient")

  @Test func plainDescentFollowsTheGradient() {
    var (model, optimizer) = (start, SGD(for: start, learningRate: 0.5))
    optimizer.update(&model, along: slope)
    #expect(model.slope.scalars == [0.875, -4])
    #expect(model.offset.scalars == [1])
    #expect(model.name == "line")
  }

  @Test(arguments: [false, true]) func momentumIsKept(isNesterov: Bool) {
    var model = start
    var optimizer = SGD(for: start, learningRate: 0.5, momentum: 0.5, isNesterov: isNesterov)
    var (value, velocity): (Float, Float) = (0.5, 0)
    for _ in 0..<3 {
      optimizer.update(&model, along: slope)
      velocity = 0.5 * velocity - 1
      value -= 0.5 * (isNesterov ? 0.5 * velocity - 1 : velocity)
    }
    #expect(model.offset.scalars == [value])
  }

  /// Against the paper's formulas in `Double`.
  @Test(arguments: [0, 0.1]) func adamScalesItsSteps(decay: Double) {
    var model = start
    var optimizer = Adam(for: start, learningRate: 0.1, weightDecay: decay)
    var (value, mean, square) = (-2.0, 0.0, 0.0)
    var rates = (1.0, 1.0)
    for _ in 1...4 {
      optimizer.update(&model, along: slope)
      mean = 0.9 * mean + 0.1 * 4
      square = 0.999 * square + 0.001 * 16
      rates = (rates.0 * 0.9, rates.1 * 0.999)
      let (m, v) = (mean / (1 - rates.0), square / (1 - rates.1))
      value = value * (1 - 0.1 * decay) - 0.1 * m / (v.squareRoot() + 1e-8)
    }
    #expect(abs(Double(model.slope.scalars[1]) - value) < 1e-5)
  }

  /// Squares of small slopes, and epsilon, are zero in `Float16`.
  @Test func adamKeepsHalfModelsFinite() {
    var model = [Tensor<Float16>([1, 1, 1])]
    var optimizer = Adam(for: model, learningRate: 0.01)
    for _ in 0..<3 { optimizer.update(&model, along: [Tensor([0, 0.001, 1])]) }
    for (weight, expected) in zip(model[0].scalars, [1, 0.97, 0.97] as [Float16]) {
      #expect(abs(weight - expected) < 2e-3)
    }
  }

  @Test func ratesMayChangeInAGraph() {
    var (model, optimizer) = (start, SGD(for: start, learningRate: 1))
    for rate in [0.5, 0.25] {
      optimizer.learningRate = Tensor(rate)
      graphStep(&model, &optimizer)
    }
    #expect(model.offset.scalars == [0.5 + 0.5 + 0.25])
  }

  @Graph private func graphStep(_ model: inout Line, _ optimizer: inout SGD<Line>) {
    optimizer.update(&model, along: slope)
  }

  @Test func sumsOfHalvesStayInRange() {
    #expect(Tensor<Float16>(repeating: 1, shape: [4096, 300]).mean().scalar == 1)
    #expect(Tensor<Float16>([1, 2, 300, -0.5]).variance().scalar == 16784)
    let rows = LayerNorm<Float16>(4)([[1, 2, 300, -0.5]])
    #expect(abs(rows.scalars[2] - 1.732) < 2e-3)
  }

  @Test func lossesAreTheirFormulas() {
    let logits: Tensor<Double> = [[1, 2, 0.5], [0, -1, 3]]
    let labels = Tensor<Int32>([1, 2])
    let rows: [[Double]] = [[1, 2, 0.5], [0, -1, 3]]
    let sums = rows.map { row in row.reduce(0.0) { $0 + Foundation.exp($1) } }
    let expected: Double = (Foundation.log(sums[0]) - 2 + Foundation.log(sums[1]) - 3) / 2
    #expect(abs(softmaxCrossEntropy(logits: logits, labels: labels).scalar - expected) < 1e-12)
    #expect(meanSquaredError(predicted: logits, expected: logits + 2).scalar == 4)
    #expect(meanAbsoluteError(predicted: logits, expected: logits - 3).scalar == 3)
    let masked: Tensor<Double> = Tensor(shape: [1, 2], scalars: [0, -.infinity])
    #expect(softmaxCrossEntropy(logits: masked, labels: Tensor<Int32>([0])).scalar == 0)
    let many = softmaxCrossEntropy(logits: Tensor<Double>(zeros: [1, 300]), labels: Tensor<UInt8>([5]))
    #expect(abs(many.scalar - Foundation.log(300)) < 1e-12)
    let sigmoidLoss = sigmoidCrossEntropy(logits: Tensor<Double>([800, -800]), probabilities: Tensor([1, 0]))
    #expect(sigmoidLoss.scalar == 0)
  }

  @Test func layersHaveTheirShapes() {
    var generator = RandomGenerator(seed: 11)
    let image = Tensor<Float>(ones: [2, 9, 7, 3])
    let convolution = Conv2D<Float>(3, 4, size: (3, 3), strides: (2, 2), padding: .same, using: &generator)
    #expect(convolution(image).shape == [2, 5, 4, 4])
    #expect(convolution.parameterCount == 3 * 3 * 3 * 4 + 4)
    let table = Embedding<Float>(rows: 5, features: 8, using: &generator)
    let rows = table([[0, 4, 2]] as Tensor<Int32>)
    #expect(rows.shape == [1, 3, 8])
    let norm = LayerNorm<Float>(8)(rows * 100)
    #expect(abs(norm.mean().scalar) < 1e-5)
    #expect(abs(norm.variance().scalar - 1) < 1e-2)
    let heads = MultiHeadAttention<Float>(8, headCount: 2, using: &generator)
    let seen = heads(rows, isCausal: true)
    #expect(seen.shape == [1, 3, 8])
    // The first row sees itself alone.
    let alone = heads(rows[Axis.all, ..<1])
    for (a, b) in zip(seen[0, 0].scalars, alone[0, 0].scalars) { #expect(abs(a - b) < 1e-5) }
    let kept = dropout(Tensor<Float>(ones: [1000]), probability: 0.25, using: &generator)
    #expect(Set(kept.scalars) == [0, 1 / 0.75])
  }

  @Graph
  private func step(
    _ model: inout Line, _ optimizer: inout SGD<Line>, _ x: Tensor<Float>, _ y: Tensor<Float>
  ) -> Tensor<Float> {
    let (loss, gradient) = valueWithGradient(at: model) { model in
      meanSquaredError(predicted: (x * model.slope).sum(along: 1) + model.offset, expected: y)
    }
    optimizer.update(&model, along: gradient)
    return loss
  }

  @Test func trainingFindsALine() {
    var generator = RandomGenerator(seed: 2)
    let x: Tensor<Float> = generator.normal([64, 2])
    let y = x[Axis.all, 0] * 3 - x[Axis.all, 1] + 2
    var (model, optimizer) = (start, SGD(for: start, learningRate: 0.2))
    let first = step(&model, &optimizer, x, y).scalar
    for _ in 0..<60 { _ = step(&model, &optimizer, x, y) }
    let last = step(&model, &optimizer, x, y).scalar
    #expect(first > 1)
    #expect(last < 1e-6)
    for (found, sought) in zip(model.slope.scalars + model.offset.scalars, [3, -1, 2] as [Float]) {
      #expect(abs(found - sought) < 1e-3)
    }
  }
}
