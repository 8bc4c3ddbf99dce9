import IR

extension Pass {
  /// Ops that a small graph of other ops says become that graph: batch norms, `top_k`,
  /// `rng_bit_generator`, `fft`, concatenations of many operands, bitcasts from and to elements narrower than a byte.
  ///
  /// Later passes and schedules then need not know them.
  public static let expand = Pass(
    "expand", "replaces ops by the graphs of simpler ops that define them", scope: .controlFlow
  ) { graph, _ throws(OpError) in
    try graph.expand { node, graph in Expansion.of(node, in: graph) }
  }

  /// The same for `fft` alone, where there is a kernel for the lines whose lengths have small factors.
  public static let fourierTransforms = Pass(
    "fourier-transforms", "replaces fft by transforms of single dimensions, which have a kernel", scope: .controlFlow
  ) { graph, _ throws(OpError) in
    try graph.expand { node, _ in
      guard case .fft(let fft) = node.op else { return nil }
      return { (x, composer) throws(OpError) in
        composer.transformsLines = true
        return try fft.expand(x, &composer)
      }
    }
  }
}

extension Graph {
  /// Writes the nodes that have an expansion as graphs of other ops.
  fileprivate mutating func expand(_ expansion: (Node, Graph) -> Expand?) throws(OpError) {
    guard nodes.contains(where: { expansion($0, self) != nil }) else { return }
    var copy = Graph()
    var values = [[ValueID]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      if let expand = expansion(node, self) {
        var composer = Composer(graph: copy, location: node.location)
        do throws(OpError) {
          values[index] = try expand(node.operands.map { values[$0.index][0] }, &composer)
        } catch {
          throw error.at(node.location)
        }
        copy = composer.graph
      } else if case .getTupleElement(let element) = node.op, values[node.operands[0].index].count > 1 {
        values[index] = [values[node.operands[0].index][element.index]]
      } else {
        var new = node
        new.operands = node.operands.map { values[$0.index][0] }
        values[index] = [copy.appendUnchecked(new)]
      }
    }
    copy.results = results.map { values[$0.index][0] }
    self = copy
  }
}

/// Writes an op's results as a graph of other ops.
typealias Expand = ([ValueID], inout Composer) throws(OpError) -> [ValueID]

/// Which ops are written as others, and how.
enum Expansion {
  static func of(_ node: Node, in graph: Graph) -> Expand? {
    switch node.op {
    case .batchNormInference(let norm): norm.expand
    case .batchNormTraining(let norm): norm.expand
    case .batchNormGrad(let norm): norm.expand
    case .topK(let top): top.expand
    case .rngBitGenerator(let generator): generator.expand
    case .fft(let fft): fft.expand
    case .cholesky(let cholesky): cholesky.expand
    case .triangularSolve(let solve): solve.expand
    case .luDecomposition(let lu): lu.expand
    case .householderQR(let qr): qr.expand
    case .householderProduct(let product): product.expand
    case .symmetricEigen(let eigen): eigen.expand
    case .singularValues(let svd): svd.expand
    case .setDimensionSize(let op) where op.dimension > 0: op.expand
    case .concatenate(let join) where node.operands.count > Concatenate.operandLimit: join.expand
    case .bitcastConvert(let bitcast) where bitcast.regroupsBits(of: graph.type(of: node.operands[0]).elementType):
      bitcast.expand
    default: nil
    }
  }
}

/// Appends ops to a graph, one call an op.
struct Composer {
  var graph: Graph
  var location: Location
  /// Whether `tfc.fourier_transform` has a kernel.
  var transformsLines = false

  init(graph: Graph, location: Location) {
    self.graph = graph
    self.location = location
  }

  func type(_ value: ValueID) -> TensorType { graph.type(of: value) }

  mutating func append(_ op: Op, _ operands: ValueID...) throws(OpError) -> ValueID { try append(op, operands) }

  mutating func append(_ op: Op, _ operands: [ValueID]) throws(OpError) -> ValueID {
    try graph.append(op, operands, location: location)
  }

  mutating func apply(_ function: ScalarFunction, _ operands: ValueID...) throws(OpError) -> ValueID {
    try graph.append(.pointwise(function), operands, location: location)
  }

  /// A constant of one value, with the dimensions and the element type of `like`.
  mutating func splat(_ value: Scalar, like: ValueID) throws(OpError) -> ValueID {
    let type = type(like)
    let scalar = try append(.constant(.scalar(value, type.elementType)))
    return try append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), scalar)
  }

  mutating func splat(_ value: Double, like: ValueID) throws(OpError) -> ValueID {
    try splat(Scalar(value, type(like).elementType), like: like)
  }

  /// A list repeated along all dimensions of `like` but one.
  mutating func spread(_ list: ValueID, along dimension: Int, like: ValueID) throws(OpError) -> ValueID {
    let resultDimensions = type(like).dimensions
    return try append(
      .broadcastInDim(BroadcastInDim(dimensions: [dimension], resultDimensions: resultDimensions)), list)
  }

  /// The sum over all dimensions but one.
  mutating func sum(_ value: ValueID, keeping dimension: Int) throws(OpError) -> ValueID {
    try fold(.add, value, over: (0..<type(value).rank).filter { $0 != dimension })
  }

  /// The fold over some dimensions, from zero.
  mutating func fold(_ function: ScalarFunction, _ value: ValueID, over dimensions: [Int]) throws(OpError) -> ValueID {
    let element = type(value).elementType
    let zero = try append(.constant(.scalar(.zero(element), element)))
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(function), [a, b])]
    return try append(.reduce(Reduce(dimensions: dimensions, body: body)), value, zero)
  }
}
