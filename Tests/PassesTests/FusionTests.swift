import IR
import Passes
import Testing

/// Whether two lists of literals have the same bits; every NaN counts as the same.
func haveSameBits(_ a: [Literal], _ b: [Literal]) -> Bool {
  guard a.count == b.count else { return false }
  return zip(a, b).allSatisfy { x, y in
    guard x.type == y.type else { return false }
    if x.expanded.bytes == y.expanded.bytes { return true }
    return zip(x.scalars, y.scalars).allSatisfy { p, q in
      if case .real(let u) = p, case .real(let v) = q { return u.bitPattern == v.bitPattern || (u.isNaN && v.isNaN) }
      return p == q
    }
  }
}

extension Graph {
  func applying(_ pass: Pass) throws -> Graph {
    var copy = self
    var context = PassContext(explains: true)
    try pass.apply(to: &copy, &context)
    try copy.verify()
    return copy
  }

  var fusions: [Fusion] {
    nodes.compactMap {
      if case .fusion(let fusion) = $0.op { return fusion }
      return nil
    }
  }
}

@Suite struct FusionTests {
  @Test(arguments: [Pass.fusion, .separateKernels].map(\.name))
  func randomGraphsKeepTheirMeaning(_ name: String) throws {
    let pass: Pass = name == Pass.fusion.name ? .fusion : .separateKernels
    for seed in UInt64(0)..<300 {
      let graph = try RandomGraph.make(seed: seed)
      let arguments = RandomGraph.arguments(for: graph, seed: seed)
      let fused = try graph.applying(pass)
      let expected = try graph.evaluate(arguments)
      let found = try fused.evaluate(arguments)
      #expect(haveSameBits(expected, found), "seed \(seed)")
      for node in fused.nodes {
        switch node.op {
        case .parameter, .constant, .fusion, .getTupleElement: break
        default: Issue.record("seed \(seed): \(node.op.mnemonic) is outside kernels")
        }
      }
    }
  }
}
