/// Trains a classifier of points on two spirals, and compiles it into a library.
///
///     swift run -c release spirals libspirals.so
import TFC

/// A perceptron of three layers.
@TensorGroup
struct Classifier {
  var first: Dense<Float>
  var second: Dense<Float>
  var output: Dense<Float>

  init(width: Int, using generator: inout RandomGenerator) {
    first = Dense(2, width, using: &generator)
    second = Dense(width, width, using: &generator)
    output = Dense(width, 2, using: &generator)
  }

  /// Points `[batch, 2]` to logits `[batch, 2]`.
  func callAsFunction(_ points: Tensor<Float>) -> Tensor<Float> {
    output(tanh(second(tanh(first(points)))))
  }
}

/// Points on two spirals about the origin, moved a little, and the number of each one's spiral.
func spirals(_ count: Int, using generator: inout RandomGenerator) -> (points: Tensor<Float>, labels: Tensor<Int32>) {
  let size = [TensorDimension(count)]
  let labels = Tensor<Int32>(generator.bernoulli(size, probability: 0.5))
  let turns: Tensor<Float> = generator.uniform(size, in: 0.25..<1.5)
  let angles = 2 * Float.pi * turns + Float.pi * Tensor<Float>(labels)
  let noise: Tensor<Float> = generator.normal(size + [2], deviation: 0.02)
  return (stack([turns * cos(angles), turns * sin(angles)], along: 1) + noise, labels)
}

/// One step of training, as one graph; the loss before it.
@Graph
func step(
  _ classifier: inout Classifier, _ optimizer: inout Adam<Classifier>, _ points: Tensor<Float>, _ labels: Tensor<Int32>
) -> Tensor<Float> {
  let (loss, gradient) = valueWithGradient(at: classifier) { classifier in
    softmaxCrossEntropy(logits: classifier(points), labels: labels)
  }
  optimizer.update(&classifier, along: gradient)
  return loss
}

@main
struct Spirals {
  static func main() throws {
    var generator = RandomGenerator(seed: 1)
    var classifier = Classifier(width: 64, using: &generator)
    var optimizer = Adam(for: classifier, learningRate: 0.003)
    let (points, labels) = spirals(512, using: &generator)
    print("\(classifier.parameterCount) parameters")
    for round in 0...600 {
      let loss = step(&classifier, &optimizer, points, labels)
      if round % 200 == 0 { print("round \(round): loss \(loss)") }
    }
    let (unseen, expected) = spirals(1000, using: &generator)
    let hits = Tensor<Float>(classifier(unseen).argmax() .== expected)
    print("\(hits.mean().scalar * 100) % of unseen points are told apart")

    guard let path = CommandLine.arguments.dropFirst().first else { return }
    let trained = classifier
    let classify = TracedFunction("classify", TensorSpec<Float>("points", ["batch", 2])) { points in
      softmax(trained(points))
    }
    try classify.compile(to: path)
    print("wrote \(path)")
  }
}
