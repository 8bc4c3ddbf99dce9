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
}
