import TFC
import Testing

/// Tensors outside of graphs: creation, elements, operators.
struct TensorTests {
  private let x: Tensor<Float> = [[1, 2, 3], [4, 5, 6]]

  @Test func literalsHaveTheShapeOfTheirBrackets() {
    #expect(x.shape == [2, 3])
    #expect(x.scalars == [1, 2, 3, 4, 5, 6])
    let truths: Tensor<Bool> = [[true], [false]]
    #expect(truths.shape == [2, 1])
    let empty: Tensor<Int32> = []
    #expect(empty.shape == [0])
    #expect(Tensor<Double>(2.5).shape == [])
    #expect(Tensor<Double>(2.5).scalar == 2.5)
  }

  @Test func elementsKeepTheirBits() {
    let odd: [Float] = [.nan, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let tensor = Tensor(odd)
    #expect(tensor.scalars.map(\.bitPattern) == odd.map(\.bitPattern))
    #expect((tensor + 0).scalars[2...3] == [.infinity, -.infinity])
    #expect(tensor.isNaN.scalars == [true, false, false, false, false, false])
    #expect(tensor.isFinite.scalars == [false, true, false, false, true, true])
  }

  @Test func arithmeticBroadcasts() {
    #expect((x + 1).scalars == [2, 3, 4, 5, 6, 7])
    #expect((10 - x).scalars == [9, 8, 7, 6, 5, 4])
    #expect((x * [1, 0, -1]).scalars == [1, 0, -3, 4, 0, -6])
    #expect((x / [[1], [2]]).scalars == [1, 2, 3, 2, 2.5, 3])
    #expect((-x).scalars == [-1, -2, -3, -4, -5, -6])
    #expect((Tensor<Int32>([7, -7]) / 2).scalars == [3, -3])
    #expect((Tensor<Int32>([7, -7]) % 4).scalars == [3, -3])
    var y = x
    y *= 2
    y -= x
    #expect(y == x)
  }

  @Test func comparisonsGiveTruthValues() {
    #expect((x .> 3).scalars == [false, false, false, true, true, true])
    #expect((x .== [[1], [5]]).scalars == [true, false, false, false, true, false])
    let between = x .> 1 && !(x .>= 5)
    #expect(between.scalars == [false, true, true, true, false, false])
    let outside = x .< 2 || x .== 6
    #expect(outside.scalars == [true, false, false, false, false, true])
    #expect((x .> 0).all().scalar)
    #expect((x .> 4).any(along: 0).scalars == [false, true, true])
    #expect(select(x .> 3, x, Tensor(0)).scalars == [0, 0, 0, 4, 5, 6])
    #expect(x.clipped(to: 2...5).scalars == [2, 2, 3, 4, 5, 5])
    #expect(max(x, 3).scalars == [3, 3, 3, 4, 5, 6])
  }

  @Test func masksBroadcastInAndOutOfGraphs() {
    let mask: Tensor<Bool> = [true, false]
    #expect((Tensor(false) && mask).shape == [2])
    #expect((true || mask).shape == [2])
    #expect((mask && true) == mask)
  }

  @Test func foldsTakeAxesFromBothEnds() {
    #expect(x.sum().scalar == 21)
    #expect(x.sum(along: 0).scalars == [5, 7, 9])
    #expect(x.sum(along: -1, keepingDimensions: true).shape == [2, 1])
    #expect(x.mean(along: 1).scalars == [2, 5])
    #expect(x.max(along: 0).scalars == [4, 5, 6])
    #expect(x.product().scalar == 720)
    #expect(x.argmax().scalars == [2, 2])
    #expect(x.argmin(along: 0).scalars == [0, 0, 0])
    #expect(x.cumulativeSum().scalars == [1, 3, 6, 4, 9, 15])
    #expect(abs(x.variance().scalar - 35.0 / 12) < 1e-5)
    #expect(abs(x.logSumExp(along: 1).scalars[1] - 6.407606) < 1e-5)
    #expect(Tensor<Float>(zeros: [0, 3]).sum(along: 0).scalars == [0, 0, 0])
    #expect(x.sum(keepingDimensions: true) == [[21]])
    #expect(x.variance(keepingDimensions: true).shape == [1, 1])
    #expect(abs(Tensor<Float>([0, 0]).logSumExp().scalar - 0.6931472) < 1e-6)
  }

  @Test func shapesChange() {
    #expect(x.reshaped(to: 3, -1).shape == [3, 2])
    #expect(x.flattened().shape == [6])
    #expect(Tensor<Float>(zeros: [0, 2, 4]).flattened(from: -2).shape == [0, 8])
    #expect(x.transposed().scalars == [1, 4, 2, 5, 3, 6])
    #expect(x.expandingDimension(at: -1).shape == [2, 3, 1])
    #expect(x[0..<1].squeezed(at: 0).shape == [3])
    #expect(concatenate([x, x], along: 1).shape == [2, 6])
    #expect(stack([x, x, x], along: 1).shape == [2, 3, 3])
    #expect(x.split(count: 3, along: 1).map(\.scalars) == [[1, 4], [2, 5], [3, 6]])
    #expect(x.tiled([1, 2]).scalars == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(x.padded([(0, 0), (1, 0)], with: 9).scalars == [9, 1, 2, 3, 9, 4, 5, 6])
    #expect(x.reversed(along: 1).scalars == [3, 2, 1, 6, 5, 4])
    #expect(x.lowerTriangle().scalars == [1, 0, 0, 4, 5, 0])
    #expect(x.upperTriangle(offset: 1).scalars == [0, 2, 3, 0, 0, 6])
    #expect(Tensor<Float>(identity: 2).scalars == [1, 0, 0, 1])
  }

  @Test func subscriptsReadAndWriteParts() {
    #expect(x[1].scalars == [4, 5, 6])
    #expect(x[-1, 0].scalar == 4)
    #expect(x[Axis.all, 1..<3].scalars == [2, 3, 5, 6])
    #expect(x[Axis.rest, 2].scalars == [3, 6])
    #expect(x[Axis.new, 0, ..<2].shape == [1, 2])
    #expect(x[Axis.all, 1...1].shape == [2, 1])
    var y = x
    y[0] = Tensor(0)
    y[1, 1...] = [7, 8]
    #expect(y.scalars == [0, 0, 0, 4, 7, 8])
    #expect(x.gathering(Tensor<Int32>([1, 0, 1])).shape == [3, 3])
    #expect(x.gathering(Tensor<Int32>([2]), along: 1).scalars == [3, 6])
    #expect(x[Tensor<Int32>(1)].scalars == [4, 5, 6])
    #expect(x[Axis.all, -2 ... -1].scalars == [2, 3, 5, 6])
    #expect(x[...0].shape == [1, 3])
    y[Tensor<Int32>(-1)] = 9
    #expect(y[1].scalars == [9, 9, 9])
    #expect(x[Tensor<Int32>(-1)] == x[1])
    #expect(x.adding([[1, 1, 1]], at: Tensor<Int8>([-1])).scalars == [1, 2, 3, 5, 6, 7])
    #expect(Tensor<Float>(indicesOf: [300]).gathering(Tensor<Int8>([-1, -2])).scalars == [299, 298])
    #expect(Tensor<Float>.oneHot(Tensor<UInt8>([5]), count: 300).sum().scalar == 1)
    #expect(Tensor<Float>.oneHot(Tensor<Int32>([2, 0]), count: 3).scalars == [0, 0, 1, 1, 0, 0])
    #expect(x.adding([[1, 1, 1], [2, 2, 2]], at: Tensor<Int32>([0, 0])).scalars == [4, 5, 6, 4, 5, 6])
  }

  @Test func productsContract() {
    #expect(matmul(x, x.transposed()).scalars == [14, 32, 32, 77])
    #expect((x • Tensor<Float>([1, 1, 1])).scalars == [6, 15])
    #expect(einsum("ij,kj->ik", x, x).scalars == [14, 32, 32, 77])
    let image = Tensor<Float>(indicesOf: [1, 4, 1, 1], along: 1)
    let filter = Tensor<Float>(ones: [3, 1, 1, 1])
    #expect(conv2D(image, filter).scalars == [3, 6])
    #expect(conv2D(image, filter, padding: .same).scalars == [1, 3, 6, 5])
    #expect(maxPool2D(image, size: (2, 1), strides: (2, 1)).scalars == [1, 3])
    #expect(averagePool2D(image, size: (3, 1), strides: (1, 1), padding: .same).scalars == [0.5, 1, 2, 2.5])
  }

  @Test func conversionsRoundAndTruncate() {
    #expect(Tensor<Int32>(Tensor<Float>([1.9, -1.9])).scalars == [1, -1])
    #expect(Tensor<Float>(Tensor<Bool>([true, false])).scalars == [1, 0])
    #expect(Tensor<Float16>(Tensor<Float>([1, 65504, 0.1])).scalars == [1, 65504, 0.1])
    #expect(Tensor<UInt8>(indicesOf: [3]).scalars == [0, 1, 2])
  }

  @Test func textHasNestedBrackets() {
    #expect("\(x)" == "[[1.0, 2.0, 3.0],\n [4.0, 5.0, 6.0]]")
    #expect("\(Tensor<Int32>(7))" == "7")
    #expect("\(Tensor<Int32>(indicesOf: [2000]))" == "[0, 1, 2, …, 1997, 1998, 1999]")
  }

  /// What is compiled agrees with what is interpreted: the same ops on tensors too large to interpret.
  @Test func largeTensorsAreCompiled() {
    let large = Tensor<Float>(indicesOf: [1300, 900], along: 1)
    let sums = (large * 2 - 1).sum(along: 1)
    #expect(sums.shape == [1300])
    #expect(sums.scalars.allSatisfy { $0 == 900 * 899 - 900 })
    #expect(matmul(large, large.transposed())[5, 7].scalar > 2e8)
  }

  @Test func refusalsSayWhatIsWrong() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = matmul(Tensor<Float>(ones: [2, 3]), Tensor<Float>(ones: [4, 2]))
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("cannot multiply tensor<2x3xf32> and tensor<4x2xf32>: 3 and 4 differ"))
  }
}
