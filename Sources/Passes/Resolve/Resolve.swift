public import IR

extension Pass {
  /// Inlines every call, and replaces shapes that the graph computes by expressions over the arguments' extents.
  public static let resolve = Pass(
    "resolve", "inlines calls, turns dynamic shapes into symbolic ones, and bounds symbols by what ops need"
  ) { (graph, context) throws(OpError) in
    let inlined = try context.module.inliningCalls(in: Function(name: "", graph: graph))
    let resolved = try inlined.graph.resolvingShapes(bounds: context.module.symbolBounds)
    graph = resolved.graph
    context.module.symbolBounds = resolved.bounds
  }
}

extension Module {
  /// The module with its entry function alone: calls inlined, shapes resolved, and what shape assertions say in
  /// `symbolBounds`.
  public func resolved(function name: String? = nil) throws(OpError) -> Module {
    guard let function = name.map({ self.function(named: $0) }) ?? entry else {
      throw OpError(name.map { "function @\($0) is not in the module" } ?? "the module has no function")
    }
    var inlined = try inliningCalls(in: function)
    let resolved = try inlined.graph.resolvingShapes(bounds: symbolBounds)
    inlined.graph = resolved.graph
    var module = self
    module.functions = [inlined]
    module.symbolBounds = resolved.bounds
    return module
  }
}

extension Graph {
  /// The graph with dynamic ops replaced by static or symbolic ones, and the types that follow; refused where a shape
  /// depends on data.
  ///
  /// `%s = get_dimension_size %x, dim = 0; %r = dynamic_iota %s` becomes `iota` over `tensor<?xi32>` with x's extent.
  /// Assertions, and what ops need of extents, narrow and unify symbols; the graph is rebuilt until nothing is new.
  public func resolvingShapes(bounds: [Symbol: SymbolBounds] = [:]) throws(OpError)
    -> (graph: Graph, bounds: [Symbol: SymbolBounds])
  {
    var facts = SymbolFacts(bounds: bounds)
    var graph = self
    let order = parameterTypes.flatMap { $0.dimensions.flatMap { $0.symbols.sorted() } }
    // Each round but the last narrows a range or removes a symbol; assertions are few.
    for _ in 0..<100 {
      var resolver = ShapeResolver(facts: facts, order: order)
      let resolved = try resolver.resolve(graph)
      if resolver.learned == facts {
        if let refusal = resolver.refusal { throw refusal }
        for check in try resolved.extentChecks(bounds: facts.bounds) where check.exceptions.isEmpty {
          facts.assume(.lessOrEqual, check.order.lesser, check.order.greater, order: order)
        }
        if resolver.learned == facts {
          try resolved.refuseDataSymbolsInRegions()
          return (resolved, facts.bounds)
        }
        graph = resolved
        continue
      }
      let replacing = resolver.learned
      graph = graph.mappingExtents { replacing.applying($0) }
      facts = SymbolFacts(bounds: replacing.bounds)
    }
    throw OpError("the shape assertions of the graph do not settle")
  }

  /// A symbol has one value in a run: what decides one is not run several times, nor only sometimes.
  private func refuseDataSymbolsInRegions() throws(OpError) {
    for node in nodes where node.op.isControlFlow {
      for region in node.op.definition.regions {
        for inner in region.nodes {
          guard case .setDimensionSize = inner.op else { continue }
          throw .unsupported("\(inner.op.mnemonic) inside of \(node.op.mnemonic)").at(inner.location)
        }
        try region.refuseDataSymbolsInRegions()
      }
    }
  }
}
