import IR

/// A graph with its way back, cut where values lie that are kept between the two: results of expensive ops that the way back
/// would compute again, and what cheap ones make of them.
struct Residuals {
  /// Parameters: the graph's own. Results: the graph's own, then the kept values.
  let forward: Graph
  /// Parameters: those of the whole, then the kept values. Results: cotangents.
  let backward: Graph
  let types: [TensorType]

  /// `whole` has the nodes of the graph first and `resultCount` results before the cotangents; `varies` tells of the graph's
  /// parameters which are not the same in every round: what depends on the others alone is not kept.
  init(_ whole: Graph, forwardCount: Int, resultCount: Int, varies: [Bool]) {
    let cut = Cut(whole, forwardCount, Array(whole.results.dropFirst(resultCount)), varies)
    types = cut.kept.map { whole.type(of: $0) }
    var ahead = whole
    ahead.results = Array(whole.results.prefix(resultCount)) + cut.kept
    var there = Graph()
    let parameters = varies.indices.map { there.addParameter(whole.parameterTypes[$0]) }
    // Cotangents are not read on the way there; anything may stand for them.
    let others = whole.parameters.dropFirst(parameters.count).map { _ in parameters[0] }
    there.results = there.appendNodes(of: ahead.removingDeadNodes(), parameters + others)
    forward = there
    var back = Graph()
    var values: [ValueID] = []
    for type in whole.parameterTypes + types { back.addParameter(type) }
    let places = Dictionary(uniqueKeysWithValues: cut.kept.enumerated().map { ($1.index, whole.parameters.count + $0) })
    for (index, node) in whole.nodes.enumerated() {
      if case .parameter(let parameter) = node.op {
        values.append(back.parameters[parameter.index])
      } else if let place = places[index] {
        values.append(back.parameters[place])
      } else {
        var new = node
        new.operands = node.operands.map { values[$0.index] }
        values.append(back.appendUnchecked(new))
      }
    }
    back.results = whole.results.dropFirst(resultCount).map { values[$0.index] }
    backward = back.removingDeadNodes()
  }
}

/// Which values of a graph are kept for its way back.
private struct Cut {
  private let graph: Graph
  private let forwardCount: Int
  private(set) var kept: [ValueID] = []
  /// For each node that the way back needs, the nodes that read it there or for it.
  private var users: [[Int]]

  init(_ graph: Graph, _ forwardCount: Int, _ results: [ValueID], _ varies: [Bool]) {
    self.graph = graph
    self.forwardCount = forwardCount
    users = graph.nodes.map { _ in [] }
    var live = graph
    live.results = results
    let isLive = live.liveValues
    for (index, node) in graph.nodes.enumerated() where isLive[index] {
      for operand in Set(node.operands) { users[operand.index].append(index) }
    }
    var changes = graph.nodes.map { _ in false }
    var candidates: Set<Int> = []
    for (index, node) in graph.nodes.enumerated().prefix(forwardCount) {
      if case .parameter(let parameter) = node.op {
        changes[index] = varies.indices.contains(parameter.index) && varies[parameter.index]
        continue
      }
      changes[index] = node.operands.contains { changes[$0.index] }
      guard isLive[index], changes[index], node.op.isExpensive else { continue }
      let values = node.hasSingleResult ? [index] : users[index].filter { $0 < forwardCount }
      for value in values { candidates.insert(last(of: value)) }
    }
    // Of the candidates those count that the way back reaches without another between.
    var isReached = graph.nodes.map { _ in false }
    var open = results.map(\.index)
    while let index = open.popLast() {
      if isReached[index] { continue }
      isReached[index] = true
      if candidates.contains(index) {
        kept.append(ValueID(index))
      } else {
        open += graph.nodes[index].operands.map(\.index)
      }
    }
    kept.sort()
  }

  /// The last of the cheap functions that are applied one after the other to a value that nothing else reads.
  private func last(of value: Int) -> Int {
    var value = value
    while users[value].count == 1, let user = users[value].first, user < forwardCount,
      case .pointwise = graph.nodes[user].op,
      graph.nodes[user].type.elementType.byteCount <= graph.nodes[value].type.elementType.byteCount
    {
      value = user
    }
    return value
  }
}

extension Op {
  /// Whether keeping the results is better than computing them again.
  fileprivate var isExpensive: Bool {
    switch self {
    case .dotGeneral, .convolution, .reduce, .reduceWindow, .selectAndScatter, .sort, .topK, .scatter, .while, .if,
      .case,
      .fft, .cholesky, .triangularSolve, .luDecomposition, .householderQR, .householderProduct, .symmetricEigen,
      .singularValues, .rngBitGenerator, .batchNormTraining, .batchNormInference, .batchNormGrad:
      true
    default: false
    }
  }
}
