public import IR

/// A named function from graph to graph.
public struct Pass: Sendable {
  /// Which graphs of a function a pass is applied to by the pipeline.
  public enum Scope: Sendable {
    /// The function's graph; the pass sees to the regions inside.
    case function
    /// The bodies of `while`, `if` and `case` first, innermost first, then the function's graph.
    case controlFlow
  }

  public let name: String
  /// One line: what the pass does.
  public let purpose: String
  public let scope: Scope
  let body: @Sendable (inout Graph, inout PassContext) throws(OpError) -> Void

  public init(
    _ name: String, _ purpose: String, scope: Scope = .function,
    _ body: @escaping @Sendable (inout Graph, inout PassContext) throws(OpError) -> Void
  ) {
    self.name = name
    self.purpose = purpose
    self.scope = scope
    self.body = body
  }

  /// Applies the pass to `graph` and, where its scope says so, to the regions inside.
  public func apply(to graph: inout Graph, _ context: inout PassContext) throws(OpError) {
    if scope == .controlFlow, graph.nodes.contains(where: \.op.isControlFlow) {
      graph = try graph.rebuildingControlRegions { region throws(OpError) in try apply(to: &region, &context) }
    }
    try body(&graph, &context)
  }
}

/// What a pass may know beside its graph, and where it says what it decided.
public struct PassContext: Sendable {
  /// The module the graph's function belongs to: other functions, bounds of symbols.
  public var module: Module
  public var explanations: [Explanation] = []
  /// Whether explanations are kept.
  public var explains: Bool
  /// Scalar operations that constant folding may still spend.
  var foldingBudget = 20_000_000
  /// The bytes that it may still give to results that repeat a constant beside another one; nil before it begins.
  var repeatBudget: Int?
  /// Elements and products that it may still add in long sums: a second or two.
  var productBudget = 4_000_000_000

  public init(module: Module = Module(), explains: Bool = false) {
    self.module = module
    self.explains = explains
  }

  /// Notes a decision; the reason is only put into words if somebody wants to read it.
  mutating func explain(
    _ pass: String, _ node: Node, _ decision: Explanation.Decision, _ reason: @autoclosure () -> String
  ) {
    guard explains else { return }
    explanations.append(
      Explanation(pass: pass, location: node.location, op: node.op.mnemonic, decision: decision, reason: reason()))
  }

  /// A plausible value of `extent`, for costs only: symbols without bounds count as 64.
  func estimate(_ extent: Extent) -> Double {
    if let fixed = extent.fixed { return Double(fixed) }
    let value = extent.value(bySymbol: { symbol in
      let bounds = module.symbolBounds[symbol] ?? SymbolBounds()
      return max(bounds.lower, min(64, bounds.upper ?? 64))
    })
    return Double(value ?? 64)
  }

  func estimatedCount(_ type: TensorType) -> Double { type.dimensions.reduce(1.0) { $0 * estimate($1) } }
  func estimatedBytes(_ type: TensorType) -> Double { estimatedCount(type) * Double(type.elementType.byteCount) }
}

extension Op {
  /// Whether the op's regions are code that the program runs, rather than functions of elements.
  public var isControlFlow: Bool {
    switch self {
    case .while, .if, .case: true
    default: false
    }
  }
}

extension Graph {
  /// The graph with `change` applied to every region of its control-flow nodes; the regions keep their signatures.
  func rebuildingControlRegions(_ change: (inout Graph) throws(OpError) -> Void) throws(OpError) -> Graph {
    var copy = Graph()
    for node in nodes {
      var new = node
      if node.op.isControlFlow {
        var regions = node.op.definition.regions
        for position in regions.indices { try change(&regions[position]) }
        new.op = node.op.definition.withRegions(regions)
      }
      _ = copy.appendUnchecked(new)
    }
    copy.results = results
    return copy
  }
}
