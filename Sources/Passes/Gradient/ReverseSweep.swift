import IR

/// The way back through a graph: from the cotangents of its results to those of its parameters.
///
/// `c.graph` begins as the graph itself, so that a value of the graph has the same number there.
struct ReverseSweep {
  var c: Composer
  let source: Graph
  private let isVaried: [[Bool]]
  let recordings: [Int: Recording]
  /// Parameters to whose cotangents the slices that are read of them are written, as nothing is there yet.
  var writtenParameters: Set<ValueID> = []
  /// By node and result, the sum of what has flowed to it so far.
  private var cotangents: [[ValueID?]]

  init(_ source: Graph, _ isVaried: [[Bool]], _ recordings: [Int: Recording]) {
    c = Composer(graph: source, location: .unknown)
    self.source = source
    self.isVaried = isVaried
    self.recordings = recordings
    cotangents = source.nodes.map { [ValueID?](repeating: nil, count: $0.resultTypes.count) }
  }

  mutating func run() throws(OpError) {
    for (index, node) in source.nodes.enumerated().reversed() where cotangents[index].contains(where: { $0 != nil }) {
      c.location = node.location
      do throws(OpError) { try pullBack(node, index) } catch { throw error.at(node.location) }
    }
  }

  // MARK: Cotangents

  /// Whether the value's cotangent matters.
  func wants(_ value: ValueID) -> Bool { isVaried[value.index][0] }

  /// What has flowed to a value that has one result, so far.
  func collected(_ value: ValueID) -> ValueID? { cotangents[value.index][0] }

  mutating func set(_ cotangent: ValueID, asCotangentOf value: ValueID) { cotangents[value.index][0] = cotangent }

  /// Adds to the cotangent of a value, if that matters.
  mutating func give(_ cotangent: ValueID, to value: ValueID) throws(OpError) {
    try give(cotangent, to: value, result: 0)
  }

  private mutating func give(_ cotangent: ValueID, to value: ValueID, result: Int) throws(OpError) {
    guard isVaried[value.index][result] else { return }
    guard let before = cotangents[value.index][result] else {
      cotangents[value.index][result] = cotangent
      return
    }
    cotangents[value.index][result] = try c.add(before, cotangent)
  }

  /// The cotangent of a value with one result; zeros where nothing has flowed.
  mutating func cotangent(of value: ValueID) throws(OpError) -> ValueID {
    if let collected = collected(value) { return collected }
    return try c.zeros(source.type(of: value))
  }

  /// The cotangents of a node's results; zeros where nothing has flowed.
  mutating func allCotangents(_ node: Node, _ index: Int) throws(OpError) -> [ValueID] {
    var all: [ValueID] = []
    for (cotangent, type) in zip(cotangents[index], node.resultTypes) {
      if let cotangent { all.append(cotangent) } else { all.append(try c.zeros(type)) }
    }
    return all
  }

  func cotangentsIfAny(_ index: Int) -> [ValueID?] { cotangents[index] }

  /// Gives operands what the same results, computed by other ops, give them. `write` appends those ops.
  mutating func pullBack(
    _ node: Node, _ index: Int, as write: ([ValueID], inout Composer) throws(OpError) -> [ValueID]
  ) throws(OpError) {
    var composer = Composer(graph: Graph(), location: node.location)
    let parameters = node.operands.map { composer.graph.addParameter(source.type(of: $0)) }
    let results = try write(parameters, &composer)
    composer.graph.results = results
    let reached = results.indices.filter { cotangents[index][$0] != nil }
    let wanted = node.operands.indices.filter { wants(node.operands[$0]) }
    let request = GradientRequest(results: reached, parameters: wanted)
    var graph = try composer.graph.differentiated(request)
    graph.results.removeFirst(results.count)
    let flowing = reached.compactMap { cotangents[index][$0] }
    let gradients = c.graph.appendNodes(of: graph.removingDeadNodes(), node.operands + flowing)
    for (place, gradient) in zip(wanted, gradients) { try give(gradient, to: node.operands[place]) }
  }

  // MARK: Rules

  private mutating func pullBack(_ node: Node, _ index: Int) throws(OpError) {
    if case .getTupleElement(let element) = node.op, let cotangent = cotangents[index][0] {
      return try give(
        cotangent, to: node.operands[0], result: source[node.operands[0]].hasSingleResult ? 0 : element.index)
    }
    if node.hasSingleResult, let cotangent = cotangents[index][0] {
      if try pullBackSingle(node, index, cotangent) { return }
    }
    try pullBackAny(node, index)
  }

  /// The rules of ops with one result; false for the others.
  private mutating func pullBackSingle(_ node: Node, _ index: Int, _ cotangent: ValueID) throws(OpError) -> Bool {
    let (x, result) = (node.operands, ValueID(index))
    switch node.op {
    case .parameter: break
    case .pointwise(let op): try pullBack(op.function, cotangent, result, x)
    case .reshape: try give(c.reshaped(cotangent, c.type(x[0]).dimensions), to: x[0])
    case .transpose(let op): try give(c.transposed(cotangent, op.permutation.inverse), to: x[0])
    case .reverse: try give(c.append(node.op, cotangent), to: x[0])
    case .broadcastInDim(let op): try pullBack(op, cotangent, x[0])
    case .slice(let op): try pullBack(op, cotangent, x[0])
    case .pad(let op): try pullBack(op, cotangent, x)
    case .concatenate(let op): try pullBack(op, cotangent, x)
    case .dynamicSlice(let op): try pullBack(op, cotangent, x)
    case .dynamicUpdateSlice: try pullBackUpdate(cotangent, x)
    case .gather(let op): try pullBack(op, cotangent, x)
    case .dotGeneral(let op): try pullBack(op, cotangent, x)
    case .convolution(let op): try pullBack(op, cotangent, x)
    case .cholesky(let op): try pullBack(op, cotangent, result, x[0])
    case .triangularSolve(let op): try pullBack(op, cotangent, result, x)
    case .fft(let op): try pullBack(op, cotangent, x[0])
    case .selectAndScatter(let op): try pullBack(op, node, index, cotangent)
    default: return false
    }
    return true
  }

  private mutating func pullBackAny(_ node: Node, _ index: Int) throws(OpError) {
    switch node.op {
    case .optimizationBarrier:
      for (operand, cotangent) in zip(node.operands, cotangents[index]) {
        if let cotangent { try give(cotangent, to: operand) }
      }
    case .reduce(let op): try pullBack(op, node, index)
    case .reduceWindow(let op): try pullBack(op, node, index)
    case .scatter(let op): try pullBack(op, node, index)
    case .sort: try pullBackSort(node, index)
    case .if, .case: try pullBackBranches(node, index)
    case .while(let op): try pullBack(op, node, index)
    case .symmetricEigen(let op): try pullBack(op, node, index)
    case .singularValues(let op): try pullBack(op, node, index)
    case .batchNormInference, .batchNormTraining, .batchNormGrad, .topK, .luDecomposition, .householderQR,
      .householderProduct:
      guard let expand = Expansion.of(node, in: source) else { throw refusal(node) }
      try pullBack(node, index, as: expand)
    default: throw refusal(node)
    }
  }

  func refusal(_ node: Node, _ reason: String = "is not known") -> OpError {
    var name = node.op.mnemonic
    if case .customCall(let call) = node.op { name += " @\(call.target)" }
    return .unsupported("the gradient of \(name) \(reason)")
  }
}

extension [Int] {
  /// The permutation that undoes this one.
  var inverse: [Int] {
    var inverse = self
    for (place, d) in enumerated() { inverse[d] = place }
    return inverse
  }
}

// MARK: - Arithmetic

extension Composer {
  mutating func add(_ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID { try apply(.add, a, b) }
  mutating func subtract(_ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID { try apply(.subtract, a, b) }
  mutating func multiply(_ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID { try apply(.multiply, a, b) }
  mutating func divide(_ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID { try apply(.divide, a, b) }
  mutating func negate(_ a: ValueID) throws(OpError) -> ValueID { try apply(.negate, a) }
  mutating func square(_ a: ValueID) throws(OpError) -> ValueID { try apply(.multiply, a, a) }

  mutating func compare(_ direction: ComparisonDirection, _ a: ValueID, _ b: ValueID) throws(OpError) -> ValueID {
    let element = type(a).elementType
    let kind: ComparisonType =
      element.hasDerivatives ? .float : element.kind == .signed ? .signed : .unsigned
    return try apply(.compare(direction, kind), a, b)
  }

  /// The value where a predicate holds, else zero.
  mutating func kept(_ value: ValueID, where predicate: ValueID) throws(OpError) -> ValueID {
    try apply(.select, predicate, value, try zeros(like: value))
  }

  /// A value of the element type of `like`, also where it is complex and that is real: then its real part.
  mutating func asElements(_ value: ValueID, of element: ElementType) throws(OpError) -> ValueID {
    if type(value).elementType.isComplex, !element.isComplex { return try converted(apply(.real, value), to: element) }
    return try converted(value, to: element)
  }

  mutating func scalar(_ value: Scalar, _ element: ElementType) throws(OpError) -> ValueID {
    try append(.constant(.scalar(value, element)))
  }

  mutating func integer(_ value: Int, _ element: ElementType) throws(OpError) -> ValueID {
    try scalar(.integer(Int64(value)), element)
  }

  /// An extent as a scalar integer.
  mutating func integer(_ extent: Extent, _ element: ElementType) throws(OpError) -> ValueID {
    if let fixed = extent.fixed { return try integer(fixed, element) }
    return try append(.extentValue(ExtentValue(extent: extent, elementType: element)))
  }
}
