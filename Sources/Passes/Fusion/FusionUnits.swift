import IR

/// What each node of a graph is to fusion: computed once, read by all its stages.
struct FusionUnits {
  /// One reading of a node's value by another node.
  struct Use {
    var user: Int
    /// The value that is read: the node itself, or the `get_tuple_element` of one of its results.
    var value: Int
  }

  let graph: Graph
  /// For each node, its access pattern; `leaf` for nodes that stay outside kernels.
  private(set) var semantics: [Semantics] = []
  /// For each node that has a list of results and belongs into a kernel, the `get_tuple_element` nodes that read it.
  private(set) var elements: [Int: [Int]] = [:]
  /// For each node, whether it becomes part of a kernel.
  private(set) var computes: [Bool]
  let live: [Bool]
  /// For each node, the nodes that read it, ascending; through `get_tuple_element` where there are several results.
  private(set) var uses: [[Use]]
  /// For each node, whether the graph's user reads it, or one of its results.
  private(set) var isResult: [Bool]
  /// For each value, whether it is itself a result of the graph.
  private(set) var isResultValue: [Bool]

  init(_ graph: Graph) {
    self.graph = graph
    live = graph.liveValues
    computes = [Bool](repeating: false, count: graph.nodes.count)
    uses = [[Use]](repeating: [], count: graph.nodes.count)
    isResult = [Bool](repeating: false, count: graph.nodes.count)
    isResultValue = isResult
    semantics.reserveCapacity(graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      if case .getTupleElement = node.op {
        semantics.append(.leaf)
        let source = node.operands[0].index
        computes[index] = computes[source]
        if computes[source], live[index] { elements[source, default: []].append(index) }
      } else {
        let types = node.operands.map { graph[$0].resultTypes[0] }
        semantics.append(node.op.definition.semantics(operands: types, results: node.resultTypes))
        computes[index] = !semantics[index].staysOutside && !node.op.isOptimizationBarrier
      }
      if live[index] { noteUses(by: index) }
    }
    for result in graph.results {
      isResult[owner(of: result.index)] = true
      isResultValue[result.index] = true
    }
  }

  private mutating func noteUses(by index: Int) {
    if isElement(index) { return }
    var seen: [Int] = []
    for operand in graph.nodes[index].operands where !seen.contains(operand.index) {
      seen.append(operand.index)
      uses[owner(of: operand.index)].append(Use(user: index, value: operand.index))
    }
  }

  /// Whether the node selects a result of a node in a kernel, so that both belong together.
  func isElement(_ index: Int) -> Bool {
    guard computes[index], case .getTupleElement = graph.nodes[index].op else { return false }
    return true
  }

  /// The node that computes the value: for a `get_tuple_element` in a kernel, the one it selects from.
  func owner(of index: Int) -> Int { isElement(index) ? graph.nodes[index].operands[0].index : index }

  /// The node and the `get_tuple_element` nodes that read its results.
  func members(of index: Int) -> [Int] { [index] + (elements[index] ?? []) }

  /// The type of the node's value, or of its first result.
  func type(_ index: Int) -> TensorType { graph.nodes[index].resultTypes[0] }

  /// Whether the node only gives its operand other dimensions, which costs no kernel.
  func isView(_ index: Int) -> Bool { graph.nodes[index].op.isReshape }

  /// The anchor of a kernel that holds only this node; nil for nodes that stay as they are.
  func anchor(of index: Int) -> Fusion.Anchor? {
    guard computes[index], !isElement(index), !isView(index) else { return nil }
    switch semantics[index] {
    case .leaf, .control: return nil
    case .position, .pointwise, .movement: return .loop
    case .reduction: return .reduction
    case .contraction: return .contraction
    case .window: return .window
    case .lines: return .lines
    case .scatter: return .scatter
    case .sort: return .sort
    case .opaque: return .opaque
    }
  }

  /// Whether the node is the reason of a kernel that others join as epilogue: a contraction, a window or transformed lines.
  func isHeavy(_ index: Int) -> Bool {
    switch semantics[index] {
    case .contraction, .window, .lines: true
    default: false
    }
  }
}

extension Semantics {
  fileprivate var staysOutside: Bool {
    switch self {
    case .leaf, .control: true
    default: false
    }
  }
}

extension Op {
  /// Whether the op keeps all elements in their row-major order.
  var isReshape: Bool {
    if case .reshape = self { return true }
    return false
  }

  var isOptimizationBarrier: Bool {
    if case .optimizationBarrier = self { return true }
    return false
  }
}

extension TensorType {
  /// The positions of the dimensions whose extent is not 1.
  var significantDimensions: [Int] { dimensions.indices.filter { dimensions[$0] != .one } }

  /// The extents that are not 1.
  var significantExtents: [Extent] { dimensions.filter { $0 != .one } }
}

extension ScalarFunction {
  /// Roughly how many multiplications one application costs.
  var cost: Double {
    switch self {
    case .divide, .squareRoot, .reciprocalSquareRoot, .remainder: 6
    case .exponential, .exponentialMinusOne, .log, .logPlusOne, .logistic, .hyperbolicTangent, .sine, .cosine,
      .errorFunction, .cbrt:
      20
    case .power, .arcTangent2, .tangent, .arcCosine, .hyperbolicArcCosine, .arcSine, .hyperbolicArcSine, .arcTangent,
      .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma, .complementaryErrorFunction,
      .inverseErrorFunction, .logGamma, .nextAfter:
      40
    case .clamp, .reducePrecision, .roundNearestAwayFromZero, .sign, .populationCount, .countLeadingZeros: 2
    default: 1
    }
  }
}
