import IR
import Passes
import Testing

/// Large graphs.
@Suite struct ScaleTests {
  /// Residual blocks with row norms and contractions, parameters used everywhere.
  private func deepGraph(blocks: Int) throws -> Graph {
    var b = GraphBuilder()
    var x = b.parameter([8, 16])
    let weights = b.parameter([16, 16])
    let mask = try b.apply(.multiply, b.parameter([8, 16]), b.parameter([8, 16]))
    for _ in 0..<blocks {
      let norm = try b.layerNorm(x)
      let y = try b.apply(.hyperbolicTangent, try b.dot(try b.apply(.multiply, norm, mask), weights))
      x = try b.apply(.add, x, y)
    }
    b.graph.results = [x]
    return b.graph
  }

  /// A pass that is quadratic in the nodes would not end here.
  @Test func manyBlocksAreTwoKernelsEach() throws {
    var graph = try deepGraph(blocks: 1000)
    #expect(graph.nodes.count > 19_000)
    for pass in [Pass.canonicalize, .foldBatchNorm, .fusion] { graph = try graph.applying(pass) }
    let kernels = graph.fusions.map(\.anchor)
    #expect(kernels.filter { $0 == .row }.count == 1000)
    #expect(kernels.filter { $0 == .contraction }.count == 1000)
    #expect(kernels.count == 2000)
  }

  /// Weights are joined by copying bytes, whatever their size: they would be joined in every run otherwise.
  @Test func largeWeightsAreJoined() throws {
    func matrix(_ seed: UInt8) -> Literal {
      Literal(.f32, [1024, 1000], bytes: (0..<4_096_000).map { seed &+ UInt8(truncatingIfNeeded: $0 >> 2) })
    }
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [3, 1024]))
    var products: [ValueID] = []
    for seed in 1...3 {
      let weights = try graph.append(.constant(matrix(UInt8(seed))))
      let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
      products.append(try graph.append(.dotGeneral(dot), [x, weights]))
    }
    let both = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [1]), resultType: .f32)
    let scores = try graph.append(.dotGeneral(both), [products[0], products[1]])
    let all = Contraction(lhsContracting: [1], rhsContracting: [0])
    graph.results = [try graph.append(.dotGeneral(DotGeneral(all, resultType: .f32)), [scores, products[2]])]
    graph = try graph.applying(.mergeSiblings)
    #expect(
      graph.nodes.compactMap { node in
        guard case .constant(let constant) = node.op else { return nil }
        return constant.value
      } == [Literal.concatenated([matrix(1), matrix(2), matrix(3)], along: 1)])

    var weights = Graph()
    let parts = try (1...3).map { try weights.append(.constant(matrix(UInt8($0)))) }
    weights.results = [try weights.append(.concatenate(Concatenate(dimension: 0)), parts)]
    #expect(try weights.applying(.canonicalize).nodes.map(\.op.mnemonic) == ["stablehlo.constant"])
  }

  @Test func viewsMayBeMany() throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [2, 3]))
    let product = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    var ends: [ValueID] = []
    for factor in [1.0, 2.0] {
      let weights = Literal(.f32, [3, 4], (0..<12).map { Scalar(factor * Double($0), .f32) })
      var value = try graph.append(.dotGeneral(product), [x, try graph.append(.constant(weights))])
      for _ in 0..<20_000 { value = try graph.append(.transpose(Transpose(permutation: [1, 0])), [value]) }
      ends.append(value)
    }
    let both = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [1]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(both), ends)]
    let merged = try graph.applying(.mergeSiblings)
    #expect(merged.nodes.filter { if case .dotGeneral = $0.op { true } else { false } }.count == 2)
  }
}
