import IR
import Passes
import RandomGraphs
import Testing

/// Every pass keeps the meaning of random graphs, to the last bit.
@Suite struct RandomGraphTests {
  @Test func fusion() throws { try check([.fusion], seeds: 0..<300) }
  @Test func separateKernels() throws { try check([.separateKernels], seeds: 0..<100) }
  @Test func canonicalize() throws { try check([.canonicalize], seeds: 0..<400) }
  @Test func canonicalizeAndFusion() throws { try check([.canonicalize, .fusion], seeds: 400..<700) }

  private func check(_ passes: [Pass], seeds: Range<UInt64>) throws {
    for seed in seeds {
      let graph = try RandomGraph.make(seed: seed)
      try graph.verify()
      let arguments = RandomGraph.arguments(for: graph, seed: seed)
      let expected = try graph.evaluate(arguments)
      var result = graph
      for pass in passes { result = try result.applying(pass) }
      let found = try result.evaluate(arguments)
      #expect(haveSameBits(expected, found), "seed \(seed)")
      if passes.last?.scope == .controlFlow { checkAllIsInKernels(result, seed) }
    }
  }

  private func checkAllIsInKernels(_ graph: Graph, _ seed: UInt64) {
    for node in graph.nodes {
      switch node.op {
      case .parameter, .constant, .fusion, .getTupleElement, .reshape: break
      case .while, .if, .case: for region in node.op.definition.regions { checkAllIsInKernels(region, seed) }
      default: Issue.record("seed \(seed): \(node.op.mnemonic) is outside kernels")
      }
    }
  }
}
