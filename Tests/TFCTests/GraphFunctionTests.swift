import TFC
import Testing

/// Functions traced into graphs.
struct GraphFunctionTests {
  private let x: Tensor<Float> = [[0.5, -1.25, 3], [2, 0, -0.75]]

  /// Functions of which each has ops of one family.
  private static let functions: [(name: String, body: @Sendable (Tensor<Float>) -> Tensor<Float>)] = [
    ("arithmetic", { x in (x + 1) * x / (x * x + 2) - x }),
    ("activations", { x in gelu(x) + silu(x) * tanh(x) - softplus(x) + relu6(x) + elu(x) + approximateGelu(x) }),
    ("rows", { x in softmax(x) + logSoftmax(x, along: 0) - x.mean(along: 1, keepingDimensions: true) }),
    ("products", { x in matmul(x, x.transposed()) + einsum("ij,kj->ik", x, x) }),
    ("movement", { x in concatenate([x[Axis.all, 1...], x.reversed(along: 0)[Axis.all, 0..<1]], along: 1) }),
    ("choice", { x in select(x .> 0, sqrt(abs(x)), exp(x)).clipped(to: 0.1...1.5) }),
    ("order", { x in x.sorted() + Tensor(x.argmax(along: 0)) + x.cumulativeSum(along: 0) }),
    (
      "update",
      { x in
        var y = x
        y[1] = y[0] * 2
        return y.adding(Tensor(ones: [1, 3]), at: Tensor<Int32>([0]))
      }
    ),
  ]

  @Test(arguments: functions.indices) func graphsComputeWhatTheirOpsDo(index: Int) {
    let (name, body) = Self.functions[index]
    let (alone, together) = (body(x), graph(name, x) { x in body(x) })
    #expect(alone.shape == together.shape)
    for (a, b) in zip(alone.scalars, together.scalars) { #expect(abs(a - b) <= 1e-6 * (1 + abs(a))) }
  }

  @Test func tensorsFromOutsideAreReadAtEachCall() {
    var weight = Tensor<Float>(2)
    var results: [Float] = []
    for _ in 0..<3 {
      results.append(graph("scaled", x) { [weight] x in (x * weight).sum() }.scalar)
      weight += 1
    }
    #expect(results == [7, 10.5, 14])
  }

  @Test func swiftDecidesWhatTheGraphIs() {
    func power(_ x: Tensor<Float>, _ count: Int) -> Tensor<Float> {
      graph("power", x) { x in
        var y = x
        for _ in 1..<count { y *= x }
        return y
      }
    }
    #expect(power(Tensor(2), 3).scalar == 8)
    #expect(power(Tensor(2), 5).scalar == 32)
  }

  @Test func groupsArePassedAndReturned() {
    let result = graph("group", [x, x * 2], ["a": Tensor<Int32>(1)]) { list, table in
      [list[0] + list[1], list[1], Tensor<Float>(table["a"]!)]
    }
    #expect(result[0] == x * 3)
    #expect(result[1] == x * 2)
    #expect(result[2].scalar == 1)
  }

  @Test func graphsInsideOfGraphsArePartsOfThem() {
    let y = graph("outer", x) { x in graph("inner", x + 1) { y in y * x } }
    #expect(y == (x + 1) * x)
  }

  // MARK: Control flow

  @Test(arguments: [true, false]) func branchesOfTheGraph(isPositive: Bool) {
    let sum = isPositive ? Tensor<Float>(3) : Tensor<Float>(-3)
    let (a, b) = graph("branch", sum, x) { sum, x in
      let chosen = graphIf(sum .> 0, then: { Pair(x * sum, Tensor<Int32>(2)) }, else: { Pair(-x, Tensor<Int32>(0)) })
      return chosen.values
    }
    #expect(a == (isPositive ? x * 3 : -x))
    #expect(b.scalar == (isPositive ? 2 : 0))
  }

  /// Newton's square root, until it does not change any more.
  @Test(arguments: [2, 9, 1e6] as [Float]) func loopsOfTheGraph(number: Float) {
    let root = graph("root", Tensor(number)) { number in
      let (guess, _) = graphWhile(
        number, Tensor<Float>(0),
        while: { guess, last in
          let change = abs(guess - last)
          return change .> guess * 1e-6
        },
        do: { guess, _ in
          let next = (guess + number / guess) * 0.5
          return (next, guess)
        })
      return guess
    }
    #expect(abs(root.scalar - number.squareRoot()) <= 1e-5 * root.scalar)
  }

  @Test(arguments: [0, 1, 7] as [Int32]) func rangesOfTheGraph(count: Int32) {
    let sum = graph("range", Tensor(count)) { count in
      var sum = Tensor<Int32>(0)
      graphFor(0..<count, state: { $0.visit(&sum, "sum") }) { position in sum += position * position }
      return sum
    }
    var expected: Int32 = 0
    for position in 0..<count { expected += position * position }
    #expect(sum.scalar == expected)
  }

  @Test func loopsInsideOfBranchesReadWhatIsOutside() {
    func f(_ x: Tensor<Float>, _ limit: Tensor<Float>) -> Tensor<Float> {
      graphIf(
        x.sum() .> 0,
        then: {
          let (total, _) = graphWhile(
            x, Tensor<Float>(0), while: { total, _ in total.sum() .< limit.sum() },
            do: { total, n in (total + x, n + 1) })
          return total
        }, else: { x - limit })
    }
    for limit in [Tensor<Float>(20), Tensor<Float>(-1)] {
      #expect(graph("nested", x, limit) { x, limit in f(x, limit) } == f(x, limit))
      #expect(graph("nested", -x, limit) { x, limit in f(x, limit) } == f(-x, limit))
    }
  }

  // MARK: Random numbers

  @Test func seedsDecideRandomNumbers() {
    func draw(_ seed: UInt64) -> [Float] {
      var generator = RandomGenerator(seed: seed)
      let (a, b): (Tensor<Float>, Tensor<Float>) = (generator.uniform([3]), generator.normal([2]))
      return a.scalars + b.scalars
    }
    #expect(draw(1) == draw(1))
    #expect(draw(1) != draw(2))
    #expect(Set(draw(3)).count == 5)
  }

  @Test func randomNumbersHaveTheirMoments() {
    var generator = RandomGenerator(seed: 7)
    let uniform: Tensor<Double> = generator.uniform([20000], in: -1..<3)
    #expect(abs(uniform.mean().scalar - 1) < 0.05)
    #expect(uniform.min().scalar >= -1)
    #expect(uniform.max().scalar < 3)
    let narrow: Tensor<Float> = generator.uniform([100_000], in: 1000..<1001)
    #expect(narrow.max().scalar < 1001)
    let normal: Tensor<Float> = generator.normal([20000], mean: 2, deviation: 0.5)
    #expect(abs(normal.mean().scalar - 2) < 0.02)
    #expect(abs(normal.variance().scalar - 0.25) < 0.02)
    let small: Tensor<Float16> = generator.uniform([1000])
    #expect(small.max().scalar < 1)
    let chosen = generator.bernoulli([10000], probability: 0.3)
    #expect(abs(Tensor<Float>(chosen).mean().scalar - 0.3) < 0.03)
  }

  @Test func graphsDrawTheNumbersThatTheirOpsWould() {
    var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
    let alone: Tensor<Float> = a.normal([4])
    let together: Tensor<Float> = graph("draw", b) { generator in
      var generator = generator
      return generator.normal([4])
    }
    for (x, y) in zip(alone.scalars, together.scalars) { #expect(abs(x - y) < 1e-6) }
    _ = b.bernoulli([1], probability: 0.5)
  }
}

/// Two groups as one.
struct Pair<First: TensorGroup, Second: TensorGroup>: TensorGroup {
  var values: (First, Second)
  init(_ first: First, _ second: Second) { values = (first, second) }
  mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    values.0.visitTensors(&visitor)
    values.1.visitTensors(&visitor)
  }
}
