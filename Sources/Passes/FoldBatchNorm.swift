import IR

extension Pass {
  /// `convolution(x, k) * s + b -> convolution(x, k * s) + b`, for constants `k`, and `s`, `b` that differ by output
  /// feature only; the same for `dot_general` with one free dimension on the constant's side.
  ///
  /// Scaling the kernel rounds each weight once more, so that results differ by a few units in the last place of f32,
  /// as between any two orders of summation.
  public static let foldBatchNorm = Pass(
    "fold-batch-norm", "scales constant weights by what multiplies their results", scope: .controlFlow
  ) { graph, context throws(OpError) in
    var folder = WeightScaling(graph)
    graph = try folder.run(&context)
  }
}

/// A value as a contraction with constant weights, times a number for each feature, plus a number for each feature.
private struct AffineValue {
  var producer: Int
  /// Which operand of the producer holds the weights, and which of their dimensions the features.
  var weights: Int
  var weightsFeature: Int
  /// The dimension of the result that holds the features.
  var feature: Int
  var scale: [Double]
  var bias: [Double]
  var multiplications = 0
  var additions = 0

  /// Whether the steps taken become fewer: scaling vanishes, additions become one.
  var isWorthFolding: Bool { multiplications > 0 || additions > 1 }
  var isFinite: Bool { scale.allSatisfy(\.isFinite) && bias.allSatisfy(\.isFinite) }
}

private struct WeightScaling {
  let graph: Graph
  let useCounts: [Int]
  var values: [AffineValue?]
  /// For each value that another one continues, its only reader.
  var isContinued: [Bool]

  init(_ graph: Graph) {
    self.graph = graph
    useCounts = graph.useCounts
    values = [AffineValue?](repeating: nil, count: graph.nodes.count)
    isContinued = [Bool](repeating: false, count: graph.nodes.count)
  }

  mutating func run(_ context: inout PassContext) throws(OpError) -> Graph {
    for index in graph.nodes.indices { values[index] = produced(index) ?? continued(index) }
    let ends = graph.nodes.indices.filter { index in
      guard let value = values[index], !isContinued[index] else { return false }
      return value.isWorthFolding && value.isFinite
    }
    if ends.isEmpty { return graph }
    let isEnd = Set(ends)
    var copy = Graph()
    var new = [ValueID](repeating: ValueID(0), count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      if isEnd.contains(index), let value = values[index] {
        new[index] = try emit(value, as: node, into: &copy, new)
        context.explain(
          "fold-batch-norm", node, .folded, "into the weights of \(graph.nodes[value.producer].op.mnemonic)")
      } else {
        let operands = node.operands.map { new[$0.index] }
        new[index] = copy.appendUnchecked(
          Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location))
      }
    }
    copy.results = graph.results.map { new[$0.index] }
    return copy.removingDeadNodes()
  }

  private func emit(_ value: AffineValue, as node: Node, into copy: inout Graph, _ new: [ValueID]) throws(OpError)
    -> ValueID
  {
    let producer = graph.nodes[value.producer]
    guard let weights = literal(producer.operands[value.weights]) else {
      preconditionFailure("only constant weights are scaled")
    }
    let scaled = weights.scaled(along: value.weightsFeature, by: value.scale)
    var operands = producer.operands.map { new[$0.index] }
    operands[value.weights] = try copy.append(.constant(scaled), location: producer.location)
    let product = try copy.append(producer.op, operands, location: producer.location)
    guard value.bias.contains(where: { $0 != 0 }) else { return product }
    let type = producer.type
    let bias = Literal(type.elementType, [value.bias.count], value.bias.map { Scalar($0, type.elementType) })
    let constant = try copy.append(.constant(bias), location: node.location)
    let spread = BroadcastInDim(dimensions: [value.feature], resultDimensions: type.dimensions)
    let repeated = try copy.append(.broadcastInDim(spread), [constant], location: node.location)
    return try copy.append(.pointwise(.add), [product, repeated], location: node.location)
  }

  private func literal(_ value: ValueID) -> Literal? {
    guard case .constant(let constant) = graph[value].op else { return nil }
    return constant.value
  }

  /// The node as the start of a chain: a contraction with constant weights.
  private func produced(_ index: Int) -> AffineValue? {
    let node = graph.nodes[index]
    func start(_ weights: Int, _ weightsFeature: Int, _ feature: Int) -> AffineValue? {
      guard let literal = literal(node.operands[weights]), literal.elementType == node.type.elementType,
        literal.elementType.isFloat
      else { return nil }
      let count = literal.dimensions[weightsFeature]
      return AffineValue(
        producer: index, weights: weights, weightsFeature: weightsFeature, feature: feature,
        scale: [Double](repeating: 1, count: count), bias: [Double](repeating: 0, count: count))
    }
    switch node.op {
    case .convolution(let convolution):
      let numbers = convolution.dimensionNumbers
      return start(1, numbers.kernelOutputFeature, numbers.outputFeature)
    case .dotGeneral(let dot):
      let rank = graph.type(of: node.operands[1]).rank
      let free = dot.dimensions.rhsFree(rank: rank)
      guard free.count == 1 else { return nil }
      return start(1, free[0], node.type.rank - 1)
    default: return nil
    }
  }

  /// The node as the next step of a chain whose last value nothing else reads.
  private mutating func continued(_ index: Int) -> AffineValue? {
    let node = graph.nodes[index]
    guard case .pointwise(let pointwise) = node.op, node.operands.count == 2 else { return nil }
    for (position, operand) in node.operands.enumerated() {
      guard let value = values[operand.index], useCounts[operand.index] == 1,
        let constant = numbers(node.operands[1 - position], along: value.feature, count: value.scale.count),
        let next = value.applying(pointwise.function, constant, isFirst: position == 0)
      else { continue }
      isContinued[operand.index] = true
      return next
    }
    return nil
  }

  /// A constant as one number for each feature, if its elements differ by feature only.
  private func numbers(_ value: ValueID, along feature: Int, count: Int) -> [Double]? {
    let node = graph[value]
    switch node.op {
    case .constant(let constant):
      let literal = constant.value
      if let splat = literal.splatValue { return [Double](repeating: splat.realValue, count: count) }
      guard literal.dimensions.indices.allSatisfy({ $0 == feature || literal.dimensions[$0] == 1 }) else { return nil }
      return literal.scalars.map(\.realValue)
    case .broadcastInDim(let broadcast):
      guard broadcast.dimensions == [feature], let literal = literal(node.operands[0]), literal.elementCount == count
      else { return nil }
      return literal.scalars.map(\.realValue)
    default: return nil
    }
  }
}

extension AffineValue {
  /// The value after one more step; nil where the step is not affine.
  fileprivate func applying(_ function: ScalarFunction, _ constant: [Double], isFirst: Bool) -> AffineValue? {
    var next = self
    for (i, c) in constant.enumerated() {
      switch function {
      case .add: next.bias[i] += c
      case .subtract where isFirst: next.bias[i] -= c
      case .multiply:
        next.scale[i] *= c
        next.bias[i] *= c
      case .divide where isFirst:
        next.scale[i] /= c
        next.bias[i] /= c
      default: return nil
      }
    }
    if function == .add || function == .subtract { next.additions += 1 } else { next.multiplications += 1 }
    return next
  }
}
