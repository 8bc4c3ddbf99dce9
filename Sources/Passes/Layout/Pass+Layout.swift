import IR

extension Pass {
  /// Convolutions with channels before space, and what lies between them, compute with channels last; transposes move to
  /// the edges, where canonicalization composes them and folds those of constants.
  ///
  /// `convolution(x: NCHW, k) -> transpose(convolution(transpose(x), k): NHWC)`
  public static let layout = Pass(
    "layout", "gives convolutions and what lies between them channels-last layouts", scope: .controlFlow
  ) { graph, context throws(OpError) in
    var rewriter = ChannelsLast(graph)
    guard graph.nodes.contains(where: ChannelsLast.isCandidate) || rewriter.hasExchanges else { return }
    graph = try rewriter.run(&context)
  }
}

/// Rebuilds a graph; beside the values of the source it knows some of them with their dimensions in another order.
struct ChannelsLast {
  /// A value whose dimension `d` is dimension `order[d]` of the source's value.
  struct Turned {
    var value: ValueID
    var order: [Int]
  }

  let source: Graph
  var target = Graph()
  /// For each source value, its counterpart in the target, once there is one.
  var plain: [ValueID?]
  var turned: [Turned?]
  /// For each source value, the nodes that read it, each once; and whether it is a result.
  let readers: [[Int]]
  let isResult: [Bool]

  init(_ source: Graph) {
    self.source = source
    plain = Array(repeating: nil, count: source.nodes.count)
    turned = Array(repeating: nil, count: source.nodes.count)
    var readers = [[Int]](repeating: [], count: source.nodes.count)
    for (index, node) in source.nodes.enumerated() {
      for operand in Set(node.operands) { readers[operand.index].append(index) }
    }
    self.readers = readers
    var isResult = [Bool](repeating: false, count: source.nodes.count)
    for result in source.results { isResult[result.index] = true }
    self.isResult = isResult
  }

  /// Whether a node is a convolution that has channels first in its operand or its result, and first or last in both.
  static func isCandidate(_ node: Node) -> Bool {
    guard case .convolution(let convolution) = node.op, !convolution.window.isEmpty,
      convolution.batchGroupCount == 1
    else { return false }
    let orders = [convolution.dimensionNumbers.inputOrder, convolution.dimensionNumbers.outputOrder]
    let last = Array(orders[0].indices)
    let first = channelsLast(last.count)
    return orders.contains(first) && orders.allSatisfy { $0 == first || $0 == last }
  }

  mutating func run(_ context: inout PassContext) throws(OpError) -> Graph {
    for (index, node) in source.nodes.enumerated() {
      if Self.isCandidate(node), case .convolution(let convolution) = node.op {
        try convolve(convolution, node, index)
        context.explain("layout", node, .folded, "computed with channels last")
      } else if let value = try exchanged(node, index) {
        set(value, index)
        context.explain("layout", node, .folded, "computed with its operands exchanged, as its result is read")
      } else if let value = try rewritten(node) {
        set(value, index)
      } else {
        var new = node
        new.operands = []
        for operand in node.operands { new.operands.append(try plainValue(operand)) }
        plain[index] = target.appendUnchecked(new)
      }
    }
    for result in source.results { target.results.append(try plainValue(result)) }
    return target.removingDeadNodes()
  }

  // MARK: Values in one order or the other

  private mutating func set(_ value: Turned, _ index: Int) {
    if value.order == Array(value.order.indices) {
      plain[index] = value.value
    } else {
      turned[index] = value
    }
  }

  mutating func plainValue(_ value: ValueID) throws(OpError) -> ValueID {
    if let known = plain[value.index] { return known }
    guard let turned = turned[value.index] else { preconditionFailure("a value comes before its users") }
    let result = try target.append(
      .transpose(Transpose(permutation: turned.order.inverted)), [turned.value], location: source[value].location)
    plain[value.index] = result
    return result
  }

  /// The value with its dimensions in `order`.
  mutating func value(_ value: ValueID, in order: [Int]) throws(OpError) -> ValueID {
    if let known = turned[value.index], known.order == order { return known.value }
    let node = source[value]
    let location = node.location
    // What repeats a smaller value does so in any order.
    if case .broadcastInDim(let broadcast) = node.op { return try repeated(node, broadcast, in: order) }
    if case .constant(let constant) = node.op, let splat = constant.value.splatValue {
      let dimensions = order.map { constant.value.dimensions[$0] }
      return try target.append(
        .constant(Literal(constant.value.elementType, dimensions, splat: splat)), location: location)
    }
    let result = try target.append(
      .transpose(Transpose(permutation: order)), [try plainValue(value)], location: location)
    if turned[value.index] == nil { turned[value.index] = Turned(value: result, order: order) }
    return result
  }

  // MARK: Nodes

  private mutating func convolve(_ convolution: Convolution, _ node: Node, _ index: Int) throws(OpError) {
    let count = convolution.window.count
    let space = Array(1...count)
    let d = convolution.dimensionNumbers
    // Vectors along channels want neighbouring channels' weights side by side: space, input features, output features.
    let kernelOrder = d.kernelSpatial + [d.kernelInputFeature, d.kernelOutputFeature]
    let kernel = try target.append(
      .transpose(Transpose(permutation: kernelOrder)), [try plainValue(node.operands[1])], location: node.location)
    var op = convolution
    op.dimensionNumbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: count + 1, inputSpatial: space, kernelInputFeature: count,
      kernelOutputFeature: count + 1, kernelSpatial: Array(0..<count), outputBatch: 0, outputFeature: count + 1,
      outputSpatial: space)
    let input = try ordered(node.operands[0], d.inputOrder)
    let result = try target.append(.convolution(op), [input, kernel], location: node.location)
    set(Turned(value: result, order: d.outputOrder), index)
  }

  /// The value with its dimensions in `order`, which may be its own.
  private mutating func ordered(_ value: ValueID, _ order: [Int]) throws(OpError) -> ValueID {
    order == Array(order.indices) ? try plainValue(value) : try self.value(value, in: order)
  }
}
