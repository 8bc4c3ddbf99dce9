import TFC
import Testing

/// Derivatives of functions of tensors.
struct GradientTests {
  private static let x: Tensor<Double> = [[0.5, -1.25, 3], [2, 0.25, -0.75]]

  /// Scalar functions, each of one family of ops.
  private static let functions: [(name: String, body: @Sendable (Tensor<Double>) -> Tensor<Double>)] = [
    ("squares", { x in x.squared().sum() }),
    ("activations", { x in (gelu(x) + silu(x) * tanh(x) - softplus(x)).sum() }),
    ("rows", { x in (softmax(x) * logSoftmax(x, along: 0)).sum() + x.variance(along: 1).product() }),
    ("products", { x in einsum("ij,kj->ik", matmul(x, x.transposed()), matmul(x, x.transposed())).mean() }),
    ("movement", { x in (concatenate([x[Axis.all, 1...], x.reversed(along: 0)], along: 1).squared() * 0.5)[1].sum() }),
    ("choice", { x in select(x .> 0, sqrt(abs(x)), exp(x)).clipped(to: 0.3...1.5).sum() }),
    ("order", { x in (x.sorted() * x.cumulativeSum(along: 0)).max(along: 1).sum() }),
    ("rows of a table", { x in x.gathering(Tensor<Int32>([1, 0, 1])).squared().sum(along: 0).product() }),
    (
      "images",
      { x in
        let image = x.reshaped(to: 1, 2, 3, 1)
        let sums = conv2D(image, image.reshaped(to: 2, 3, 1, 1), padding: .same)
        return (sums.squared() + maxPool2D(image, size: (2, 1), strides: (1, 1), padding: .same)).sum()
      }
    ),
  ]

  @Test(arguments: functions.indices) func gradientsAreDifferences(index: Int) {
    let (_, body) = Self.functions[index]
    let (value, slope) = valueWithGradient(at: Self.x, of: body)
    #expect(abs(value.scalar - body(Self.x).scalar) < 1e-12 * (1 + abs(value.scalar)))
    let step = 1e-5
    for position in 0..<6 {
      var (above, below) = (Self.x.scalars, Self.x.scalars)
      above[position] += step
      below[position] -= step
      let ends = [above, below].map { body(Tensor(shape: [2, 3], scalars: $0)).scalar }
      let difference = (ends[0] - ends[1]) / (2 * step)
      #expect(abs(difference - slope.scalars[position]) < 1e-6 * (1 + abs(difference)))
    }
  }

  /// Where formulas with `max` and `abs` have corners that the functions have not, or slopes that are agreed upon.
  @Test(arguments: [0.0, -0.0]) func slopesAtZero(zero: Double) {
    func slope(_ function: @escaping (Tensor<Double>) -> Tensor<Double>) -> Double {
      gradient(at: Tensor(zero)) { function($0) }.scalar
    }
    #expect(slope(relu) == 0)
    #expect(slope(relu6) == 0)
    #expect(gradient(at: Tensor(6.0), of: relu6).scalar == 0)
    #expect(slope(elu) == 1)
    #expect(slope(softplus) == 0.5)
    #expect(slope(gelu) == 0.5)
    #expect(slope(silu) == 0.5)
    #expect(slope { leakyRelu($0, alpha: 0.25) } == 0.25)
    #expect(slope { sigmoidCrossEntropy(logits: $0, probabilities: Tensor(0.75)) } == -0.25)
    #expect(relu(Tensor<Double>([.nan, -.infinity, -0.0])).scalars.map(\.isNaN) == [true, false, false])
  }

  @Test func gradientsOfGroupsHaveTheirStructure() {
    var generator = RandomGenerator(seed: 3)
    let layer = Dense<Float>(3, 2, using: &generator)
    let x = Tensor<Float>(ones: [4, 3])
    let (layerSlope, xSlope) = gradient(at: layer, x) { layer, x in layer(x).sum() }
    #expect(layerSlope.weight == Tensor(repeating: 4, shape: [3, 2]))
    #expect(layerSlope.bias == Tensor([4, 4]))
    #expect(xSlope.shape == [4, 3])
    #expect(xSlope[0] == layer.weight.sum(along: 1))
  }

  @Test func whatIsNoFloatHasZeros() {
    let slope = gradient(at: [Tensor<Int32>([2, 1])]) { list in Tensor<Float>(list[0]).sum() }
    #expect(slope[0].scalars == [0, 0])
  }

  @Test func otherResultsComeBack() {
    let (value, rest, slope) = valueWithGradient(at: Self.x) { x in (x.sum(), x.argmax()) }
    #expect(value == Self.x.sum())
    #expect(rest.scalars == [2, 0])
    #expect(slope == Tensor(ones: [2, 3]))
  }

  @Test func derivativesHaveDerivatives() {
    func cube(_ x: Tensor<Double>) -> Tensor<Double> { (x * x * x).sum() }
    let second = gradient(at: Self.x) { x in gradient(at: x, of: cube).sum() }
    #expect(second == Self.x * 6)
    let third = graph("third", Self.x) { x in
      gradient(at: x) { x in gradient(at: x) { x in gradient(at: x, of: cube).sum() }.sum() }
    }
    #expect(third == Tensor(repeating: 6, shape: [2, 3]))
  }

  @Test(arguments: [2.0, -2.0]) func branchesAndLoopsHaveGradients(sign: Double) {
    @Graph func f(_ x: Tensor<Double>) -> Tensor<Double> {
      var y = x
      if x.sum() .> 0 { y = y * x } else { y = y * 3 }
      for _ in 0..<3 { y = y * x }
      return y.sum()
    }
    let x: Tensor<Double> = Tensor([sign, sign / 2])
    let slope = graph("slope", x) { x in gradient(at: x) { x in f(x) } }
    let expected = x.scalars.map { sign > 0 ? 5 * $0 * $0 * $0 * $0 : 12 * $0 * $0 * $0 }
    #expect(slope.scalars == expected)
  }

  /// A loop of the graph whose number of rounds a constant decides.
  @Test func countedLoopsHaveGradients() {
    let x: Tensor<Double> = Tensor([1.5, -0.5])
    let slope = gradient(at: x) { x in
      var y = x
      graphFor(Tensor<Int32>(0)..<Tensor<Int32>(4), state: { $0.visit(&y, "y") }) { _ in y = y * x }
      return y.sum()
    }
    #expect(slope.scalars == x.scalars.map { 5 * $0 * $0 * $0 * $0 })
  }

  @Test func refusalsSayWhatIsWrong() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Tensor<Float>(ones: [2])) { $0 * 2 }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("a scalar has a gradient, not tensor<2xf32>"))
  }
}
