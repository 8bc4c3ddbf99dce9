import IR

extension Pass {
  /// Folds constants, applies the rules below, shares equal nodes and drops dead ones, in one forward rebuild.
  public static let canonicalize = Pass(
    "canonicalize", "folds constants, applies local identities, shares equal nodes, drops dead ones"
  ) { graph, context throws(OpError) in
    var rebuilder = Rebuilder(graph, Rule.canonical, context)
    graph = try rebuilder.run()
    context = rebuilder.context
  }
}

extension Rule {
  /// Constants first, so that other rules see what is known; then cheaper forms.
  static let canonical: [Rule] = [foldConstants] + arithmetic + movement + anchors + bytes
}
