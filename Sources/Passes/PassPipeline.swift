public import IR

/// Runs passes in order over functions, and reports on them.
public struct PassPipeline: Sendable {
  /// What one pass did to one function.
  public struct Report: Sendable {
    public var pass: String
    public var function: String
    public var duration: Duration
    public var nodesBefore: Int
    public var nodesAfter: Int
  }

  public struct Outcome: Sendable {
    public var function: Function
    /// What the function's symbols may be, after all assertions in it.
    public var symbolBounds: [Symbol: SymbolBounds]
    public var reports: [Report]
    public var explanations: [Explanation]
  }

  public var passes: [Pass]
  /// Verifies the graph before the first pass and after each.
  public var verifies = false
  public var explains = false
  /// Called with the pass and the function it has produced: `--dump-after`.
  public var afterPass: (@Sendable (Pass, Function) -> Void)?

  public init(_ passes: [Pass] = Pass.order) { self.passes = passes }

  /// The function after all passes; `module` is what it may call.
  public func run(_ function: Function, in module: Module = Module()) throws(OpError) -> Outcome {
    var outcome = Outcome(function: function, symbolBounds: [:], reports: [], explanations: [])
    var context = PassContext(module: module, explains: explains)
    if verifies { try verify(function.graph, "input") }
    let clock = ContinuousClock()
    for pass in passes {
      let before = outcome.function.graph.nodes.count
      let start = clock.now
      try pass.apply(to: &outcome.function.graph, &context)
      let duration: Duration = clock.now - start
      outcome.reports.append(
        Report(
          pass: pass.name, function: function.name, duration: duration, nodesBefore: before,
          nodesAfter: outcome.function.graph.nodes.count))
      if verifies { try verify(outcome.function.graph, pass.name) }
      afterPass?(pass, outcome.function)
    }
    outcome.explanations = context.explanations
    outcome.symbolBounds = context.module.symbolBounds
    return outcome
  }

  private func verify(_ graph: Graph, _ stage: String) throws(OpError) {
    do {
      try graph.verify()
    } catch {
      throw OpError("the graph after \(stage) is broken: \(error)")
    }
  }
}
