import IR

extension Pass {
  /// Nodes go to just before their first reader where less is held in memory that way: a node's result is not there
  /// before it is needed, but its operands may have to stay for longer. A result that may be written over a parameter
  /// waits for the parameter's last reader.
  public static let sink = Pass(
    "sink", "computes values just before they are read, where that holds less memory", scope: .controlFlow
  ) { graph, context in
    var sinking = Sinking(graph, context)
    sinking.run()
    graph = sinking.reordered
  }
}

private struct Sinking {
  private let graph: Graph
  private let byteCounts: [Double]
  /// For each node, the nodes that take its results as operands.
  private var users: [[Int]]
  /// For each node, the node whose bytes its result is: itself but for views.
  private var origins: [Int]
  /// For each node, the nodes that read its bytes, directly or through views.
  private var readers: [[Int]]
  private var isReturned: [Bool]
  /// The nodes in their new order, and where each is in it.
  private var order: [Int]
  private var places: [Int]

  init(_ graph: Graph, _ context: PassContext) {
    self.graph = graph
    let count = graph.nodes.count
    byteCounts = graph.nodes.map { node in
      node.op.isParameterOrConstant ? 0 : node.resultTypes.reduce(0) { $0 + context.estimatedBytes($1) }
    }
    users = Array(repeating: [], count: count)
    readers = Array(repeating: [], count: count)
    origins = Array(0..<count)
    isReturned = Array(repeating: false, count: count)
    order = Array(0..<count)
    places = order
    for (index, node) in graph.nodes.enumerated() {
      let isView = node.op.isView
      if isView, let operand = node.operands.first { origins[index] = origins[operand.index] }
      for operand in Set(node.operands) {
        users[operand.index].append(index)
        if !isView { readers[origins[operand.index]].append(index) }
      }
    }
    for result in graph.results { isReturned[origins[result.index]] = true }
  }

  var reordered: Graph {
    var copy = Graph()
    var new = [ValueID](repeating: ValueID(0), count: order.count)
    for index in order {
      var node = graph.nodes[index]
      node.operands = node.operands.map { new[$0.index] }
      new[index] = copy.appendUnchecked(node)
    }
    copy.results = graph.results.map { new[$0.index] }
    return copy
  }

  /// From the last node to the first, so that readers have their places. O(nodes), and the distances moved.
  mutating func run() {
    for index in graph.nodes.indices.reversed() where !graph.nodes[index].op.isParameterOrConstant {
      let end = users[index].map { places[$0] }.min() ?? order.count
      if let reader = lastReader(ofWhatIsReplacedBy: index, before: end) {
        move(index, before: reader + 1)
      } else if isBetter(index, before: end) {
        move(index, before: end)
      }
    }
  }

  private mutating func move(_ index: Int, before end: Int) {
    for place in places[index] + 1..<end {
      order[place - 1] = order[place]
      places[order[place]] = place - 1
    }
    order[end - 1] = index
    places[index] = end - 1
  }

  /// The place of the last reader of a parameter that a result of this node may take the memory of, where that reader
  /// comes after the node and before `end`: the result can be written there at once if the node waits for it.
  private func lastReader(ofWhatIsReplacedBy index: Int, before end: Int) -> Int? {
    let node = graph.nodes[index]
    guard isReturned[index] else { return nil }
    let replaced = Set(node.operands.map { origins[$0.index] }).filter {
      graph.nodes[$0].op.isParameter && node.resultTypes.contains(graph.nodes[$0].type)
    }
    guard let last = replaced.flatMap({ readers[$0].map { places[$0] } }).max(), last > places[index], last < end,
      !isOverwritten(node, between: places[index], and: last + 1)
    else { return nil }
    return last
  }

  /// Whether less is held where the node is computed just before the place `first`.
  private func isBetter(_ index: Int, before first: Int) -> Bool {
    let node = graph.nodes[index]
    if first == places[index] + 1 { return false }
    if node.op.isView { return true }
    if users[index].isEmpty || isOverwritten(node, between: places[index], and: first) { return false }
    var held = 0.0
    for origin in Set(node.operands.map { origins[$0.index] }) where !isReturned[origin] {
      let isReadLater = readers[origin].contains { $0 != index && places[$0] >= first }
      if !isReadLater { held += byteCounts[origin] }
    }
    return held < byteCounts[index]
  }

  /// Whether a parameter that the node reads may have been replaced: a result of the graph that could take its memory
  /// is computed in between.
  private func isOverwritten(_ node: Node, between start: Int, and end: Int) -> Bool {
    let parameters = Set(node.operands.map { origins[$0.index] }).filter { graph.nodes[$0].op.isParameter }
    if parameters.isEmpty { return false }
    let types = Set(parameters.map { graph.nodes[$0].type })
    return graph.results.contains { result in
      let place = places[origins[result.index]]
      return place > start && place < end && types.contains(graph.type(of: result))
    }
  }
}

extension Op {
  fileprivate var isParameterOrConstant: Bool {
    if case .constant = self { return true }
    return isParameter
  }

  /// Whether the op gives its operand's bytes another name.
  fileprivate var isView: Bool {
    switch self {
    case .getTupleElement, .reshape, .bitcastConvert: true
    default: false
    }
  }
}
