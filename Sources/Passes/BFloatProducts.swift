import IR

extension Pass {
  /// `dot_general(x, y) -> dot_general(convert(x), convert(y))`, with operands in bf16 and sums in f32; the same for `convolution`.
  ///
  /// For `--precision bf16` on processors that multiply pairs of bf16. Products in the bodies of loops stay as they are: their
  /// weights would be converted in every round. So do those of attentions, whose kernels round by themselves. As ops of the graph, the conversions become epilogues
  /// of what computes the operands, and weights are converted when the program is compiled.
  ///
  /// After layout, which decides along what convolutions multiply words, and before canonicalize, which folds the conversions of
  /// constants.
  public static let bfloatProducts = Pass(
    "bfloat-products", "rounds the operands of products to bf16, for --precision bf16"
  ) { graph, context throws(OpError) in
    var narrowing = ProductNarrowing(graph)
    graph = try narrowing.run(&context)
  }
}

/// Rebuilds a graph with products of bf16 in place of those of f32.
private struct ProductNarrowing {
  /// Fewer features leave vectors empty, or steps too few to pay for conversions.
  private static let leastFeatures = 16
  private static let leastDepth = 16
  /// With fewer rows, weights that are not constant are read once, as they are.
  private static let leastRows = 32

  private let source: Graph
  private var target = Graph()
  private var values: [ValueID] = []
  /// The bf16 of values that are operands of products.
  private var narrowed: [ValueID: ValueID] = [:]
  private let isConstant: [Bool]
  private let isInAttention: Set<ValueID>

  init(_ source: Graph) {
    self.source = source
    values.reserveCapacity(source.nodes.count)
    var isConstant: [Bool] = []
    for node in source.nodes {
      let isMoved = node.operands.count == 1 && isConstant[node.operands[0].index] && node.hasSingleResult
      if case .constant = node.op { isConstant.append(true) } else { isConstant.append(isMoved) }
    }
    self.isConstant = isConstant
    isInAttention = Set(source.attentions().found.flatMap { [$0.scores, $0.product] })
  }

  mutating func run(_ context: inout PassContext) throws(OpError) -> Graph {
    for value in source.values {
      var node = source[value]
      node.operands = node.operands.map { values[$0.index] }
      if pays(value) {
        for (place, operand) in source[value].operands.enumerated() {
          node.operands[place] = try narrow(operand, for: node.location)
        }
        context.explain("bfloat-products", node, .folded, "operands are rounded to bf16")
      }
      values.append(target.appendUnchecked(node))
    }
    target.results = source.results.map { values[$0.index] }
    return target
  }

  private mutating func narrow(_ value: ValueID, for location: Location) throws(OpError) -> ValueID {
    if let known = narrowed[value] { return known }
    let new = try target.append(.pointwise(.convert(.bf16)), [values[value.index]], location: location)
    narrowed[value] = new
    return new
  }

  /// Whether the node is a product of f32 that words of bf16 take less time for.
  private func pays(_ value: ValueID) -> Bool {
    let node = source[value]
    guard node.operands.count == 2, node.hasSingleResult, !isInAttention.contains(value) else { return false }
    let types = node.operands.map { source.type(of: $0) }
    guard types.allSatisfy({ $0.elementType == .f32 }), node.type.elementType == .f32 else { return false }
    switch node.op {
    case .dotGeneral(let dot):
      func count(_ dimensions: [Int], _ operand: Int) -> Int? {
        dimensions.reduce(Extent.one) { $0 * types[operand].dimensions[$1] }.fixed
      }
      let rows = count(dot.dimensions.lhsFree(rank: types[0].rank), 0)
      let columns = count(dot.dimensions.rhsFree(rank: types[1].rank), 1)
      let depth = count(dot.dimensions.lhsContracting, 0)
      return (depth ?? .max) >= Self.leastDepth && (columns ?? .max) >= Self.leastFeatures
        && (isConstant[node.operands[1].index] || (rows ?? .max) >= Self.leastRows)
    case .convolution(let convolution):
      let numbers = convolution.dimensionNumbers
      guard convolution.featureGroupCount == 1, convolution.batchGroupCount == 1, !convolution.window.isEmpty,
        isConstant[node.operands[1].index], let inputs = types[1].dimensions[numbers.kernelInputFeature].fixed,
        let outputs = types[1].dimensions[numbers.kernelOutputFeature].fixed
      else { return false }
      return inputs % 2 == 0 && inputs >= Self.leastDepth && outputs >= Self.leastFeatures
    default: return false
    }
  }
}
