import IR

extension Pass {
  /// Folds constants, applies the rules below, shares equal nodes and drops dead ones, in one forward rebuild.
  public static let canonicalize = Pass(
    "canonicalize", "folds constants, applies local identities, shares equal nodes, drops dead ones"
  ) { graph, context throws(OpError) in
    // Once: what was folded is no reason to fold more.
    context.repeatBudget = context.repeatBudget ?? PassContext.repeatedBytesPerByte * graph.constantByteCount
    var rebuilder = Rebuilder(graph, Rule.canonical, context)
    graph = try rebuilder.run()
    context = rebuilder.context
  }
}

extension Rule {
  /// Constants first, so that other rules see what is known; then cheaper forms.
  static let canonical: [Rule] = [foldConstants] + arithmetic + movement + anchors + bytes
}

extension Graph {
  /// The bytes of all constants, those of regions too.
  fileprivate var constantByteCount: Int {
    nodes.reduce(0) { sum, node in
      if case .constant(let constant) = node.op { return sum + constant.value.bytes.count }
      return node.op.definition.regions.reduce(sum) { $0 + $1.constantByteCount }
    }
  }
}
