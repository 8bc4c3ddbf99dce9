import TFC
import Testing

/// Control flow of functions with `@Graph`, on conditions that the graph computes.
struct AutoGraphTests {
  @Graph func clipped(_ x: Tensor<Float>, to limit: Tensor<Float>) -> Tensor<Float> {
    var y = x
    if y.sum() .> limit { y = y * limit / y.sum() }
    return y
  }

  @Graph func root(of x: Tensor<Float>, steps: Int = 20) -> Tensor<Float> {
    var y = x
    for _ in 0..<steps {
      let next = (y + x / y) / 2
      if abs(next - y) .< 1e-6 { break }
      y = next
    }
    return y
  }

  @Graph func collatz(_ start: Tensor<Int32>) -> (steps: Tensor<Int32>, top: Tensor<Int32>) {
    var (n, steps, top) = (start, Tensor<Int32>(0), start)
    while n .!= 1 {
      if n % 2 .== 0 { n /= 2 } else { n = n * 3 + 1 }
      top = max(top, n)
      steps += 1
    }
    return (steps, top)
  }

  @Graph func kind(_ x: Tensor<Float>) -> Tensor<Int32> {
    guard x.isFinite.all() else { return Tensor(-1) }
    if x.max() .> 10 { return Tensor(2) }
    return x.min() .< 0 ? Tensor(0) : Tensor(1)
  }

  @Graph func sumOfSquares(below count: Tensor<Int32>) -> Tensor<Int32> {
    var sum = Tensor<Int32>(0)
    for i in 0..<count {
      if i % 3 .== 0 { continue }
      sum += i * i
    }
    return sum
  }

  private struct Failure: Error {}

  private static func failing(_ x: Tensor<Float>) throws -> Tensor<Float> { throw Failure() }

  @Graph func recovered(_ x: Tensor<Float>) -> Tensor<Float> {
    var y = x
    do {
      if x.sum() .> 0 { y = try Self.failing(x * 2) }
    } catch { y = x - 1 }
    return y + x
  }

  /// What a branch began when it threw is no part of the graph.
  @Test func errorsLeaveBranches() {
    #expect(recovered([1, 2]).scalars == [1, 3])
    #expect(recovered([-1, -2]).scalars == [-3, -5])
  }

  @Test func branchesAssign() {
    let x: Tensor<Float> = [1, 3]
    #expect(clipped(x, to: Tensor(2)).scalars == [0.5, 1.5])
    #expect(clipped(x, to: Tensor(5)) == x)
  }

  @Test(arguments: [2, 9, 1e4] as [Float]) func loopsBreak(number: Float) {
    #expect(abs(root(of: Tensor(number)).scalar - number.squareRoot()) < 1e-3 * number.squareRoot())
    #expect(root(of: Tensor(number), steps: 0).scalar == number)
  }

  @Test(arguments: [(1, 0, 1), (6, 8, 16), (27, 111, 9232)] as [(Int32, Int32, Int32)])
  func loopsRepeat(start: Int32, steps: Int32, top: Int32) {
    let result = collatz(Tensor(start))
    #expect(result.steps.scalar == steps)
    #expect(result.top.scalar == top)
  }

  @Test func functionsReturnEarly() {
    #expect(kind([1, 2]).scalar == 1)
    #expect(kind([-1, 2]).scalar == 0)
    #expect(kind([-1, 20]).scalar == 2)
    #expect(kind(Tensor([.nan, 20])).scalar == -1)
  }

  @Test(arguments: [0, 1, 5, 12] as [Int32]) func rangesContinue(count: Int32) {
    var expected: Int32 = 0
    for i in 0..<count where i % 3 != 0 { expected += i * i }
    #expect(sumOfSquares(below: Tensor(count)).scalar == expected)
  }
}

/// What a graph cannot decide is refused.
struct AutoGraphRefusalTests {
  @Graph static func counting(_ x: Tensor<Float>) -> Int {
    var count = 0
    if x .> 0 { count += 1 }
    return count
  }

  @Graph static func countingRounds(_ x: Tensor<Float>) -> Int {
    var (count, y) = (0, x)
    while y .> 1 {
      y /= 2
      count += 1
    }
    return count
  }

  @Graph static func growing(_ x: Tensor<Float>) -> Tensor<Float> {
    var y = x
    if x.sum() .> 0 { y = concatenate([x, x]) }
    return y
  }

  private func sentence(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Graph static func kind(_ x: Tensor<Float>) -> Int {
    if x.sum() .> 0 { return 1 }
    return 0
  }

  @Graph static func scaled(_ x: Tensor<Float>) -> Tensor<Float> {
    let scale: Float = x.sum() .> 0 ? 0.5 : 2
    return x * scale
  }

  struct Unseen {
    var tensor: Tensor<Float>
  }

  @Graph static func hidden(_ x: Tensor<Float>) -> Tensor<Float> {
    var unseen = Unseen(tensor: x)
    if x.sum() .> 0 { unseen.tensor = x * 2 }
    return unseen.tensor
  }

  @Graph static func returned(_ x: Tensor<Float>) -> Unseen { Unseen(tensor: x * 2) }

  @TensorGroup
  struct Counter {
    var value: Tensor<Float>
    var count = 0
  }

  @Graph static func counted(_ x: Tensor<Float>) -> Counter {
    var counter = Counter(value: x)
    while counter.value.sum() .< 50 {
      counter.count += 1
      counter.value *= 2
    }
    return counter
  }

  @Graph static func keyed(_ x: Tensor<Float>) -> [String: Tensor<Float>] {
    var table: [String: Tensor<Float>] = [:]
    if x.sum() .> 0 { table["a"] = x } else { table["b"] = x }
    return table
  }

  @Test func whatHoldsNoTensorCannotDependOnTensors() async {
    var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Self.counting(1)
    }
    #expect(sentence(result).contains("a branch on a tensor changes 'count' in more than its tensors"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Self.countingRounds(1)
    }
    #expect(sentence(result).contains("a loop on a tensor changes 'count' in more than its tensors"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.kind(1) }
    #expect(sentence(result).contains("a branch on a tensor changes"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.scaled(1) }
    #expect(sentence(result).contains("a branch on a tensor changes"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.hidden(1) }
    #expect(sentence(result).contains("a branch on a tensor changes 'unseen"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.returned(1) }
    #expect(sentence(result).contains("is no TensorGroup"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.counted(1) }
    #expect(sentence(result).contains("a loop on a tensor changes 'counter"))
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { _ = Self.keyed(1) }
    #expect(sentence(result).contains("a branch on a tensor changes 'table"))
  }

  @Graph static func endless(_ x: Tensor<Float>) -> Tensor<Float> {
    if x .> 0 { return endless(x - 1) }
    return x
  }

  @Test func functionsThatCallThemselvesOnTensorsAreRefused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Self.endless(3)
    }
    #expect(sentence(result).contains("a function that calls itself where a tensor decides has no end"))
  }

  @Test func namedExtentsNeedATracedFunction() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor<Float>(zeros: ["batch", 2])
    }
    #expect(sentence(result).contains("has named extents, which only a TracedFunction may have"))
  }

  @Test func branchesKeepShapes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Self.growing([1, 2])
    }
    #expect(sentence(result).contains("the branches of an if give tensor<4xf32> and tensor<2xf32>"))
  }
}
