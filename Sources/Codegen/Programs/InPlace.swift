import IR

extension Graph {
  /// The node and its result whose bytes `value` is.
  func origin(of value: ValueID) -> ResultSlot {
    var slot = ResultSlot(value: value, result: 0)
    while true {
      let node = self[slot.value]
      switch node.op {
      case .getTupleElement(let projection): slot = ResultSlot(value: node.operands[0], result: projection.index)
      case .optimizationBarrier: slot = ResultSlot(value: node.operands[slot.result], result: 0)
      default:
        guard node.isAlias else { return slot }
        slot = ResultSlot(value: node.operands[0], result: 0)
      }
    }
  }
}

extension Node {
  /// Whether the node's result is its operand's bytes.
  var isAlias: Bool {
    switch op {
    case .reshape: return true
    // Of the first dimension: what stays are the first bytes.
    case .setDimensionSize: return true
    // Of whole bytes on both sides: the other ones have been expanded.
    case .bitcastConvert: return true
    case .fusion(let fusion):
      let computed = fusion.body.nodes.filter { !$0.op.isParameter }
      return computed.count == 1 && operands.count == 1 && computed[0].isAlias
    default: return false
    }
  }

  /// Whether the node stands for bytes that others compute.
  fileprivate var isName: Bool {
    switch op {
    case .parameter, .constant, .getTupleElement, .optimizationBarrier: true
    default: isAlias
    }
  }
}

/// Which results of a graph may be written over operands: values that the graph computes and whose last reader is the
/// node that writes.
struct DyingOperands {
  private let graph: Graph
  /// The position of the last node that reads a slot; the end of the graph for what it returns.
  private var lastReads: [ResultSlot: Int] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    let live = graph.liveValues
    for (position, node) in graph.nodes.enumerated() where live[position] {
      var read = node.isName ? [] : node.operands
      if case .setDimensionSize = node.op { read = [node.operands[1]] }
      for operand in read { lastReads[graph.origin(of: operand)] = position }
    }
    for result in graph.results { lastReads[graph.origin(of: result)] = graph.nodes.count }
  }

  /// For each result of the node at `position`, the operand that it may be written over, if any; no operand twice.
  ///
  /// A loop's state begins in what it is initialized with.
  func overwritten(at position: Int) -> [Int?] {
    let node = graph.nodes[position]
    var found = [Int?](repeating: nil, count: node.resultTypes.count)
    let mayWrite: (Int, Int) -> Bool
    switch node.op {
    case .fusion(let fusion): mayWrite = { fusion.writes(result: $0, overOperand: $1) }
    case .while: mayWrite = { $0 == $1 }
    default: return found
    }
    for operand in dying(node.operands, at: position) {
      guard let result = found.indices.first(where: { found[$0] == nil && mayWrite($0, operand) }) else { continue }
      found[result] = operand
    }
    return found
  }

  /// The operands that nothing else names and nothing reads later.
  private func dying(_ operands: [ValueID], at position: Int) -> [Int] {
    let origins = operands.map { graph.origin(of: $0) }
    return origins.indices.filter { operand in
      let origin = origins[operand]
      return !graph[origin.value].isName && lastReads[origin] == position
        && origins.count(where: { $0 == origin }) == 1
    }
  }
}

/// Which results of a graph can be written over the values of parameters.
struct OverwrittenParameters {
  private let graph: Graph
  /// For each value, the nodes that read it.
  private let readers: [[Int]]
  private let results: Set<ValueID>

  init(_ graph: Graph) {
    self.graph = graph
    var readers = [[Int]](repeating: [], count: graph.nodes.count)
    for (position, node) in graph.nodes.enumerated() {
      for operand in node.operands where readers[operand.index].last != position {
        readers[operand.index].append(position)
      }
    }
    self.readers = readers
    results = Set(graph.results)
  }

  /// Whether result `position` can be written over the value of a parameter: every read of the old value comes before,
  /// or is of the very element that is written.
  func isWritten(_ position: Int, over parameter: Int) -> Bool {
    let producer = graph.origin(of: graph.results[position])
    guard !graph[producer.value].op.isParameter else { return false }
    var names: Set<ValueID> = [graph.parameters[parameter]]
    var open = Array(names)
    while let name = open.popLast() {
      if results.contains(name) { return false }
      for reader in readers[name.index] {
        if reader > producer.value.index { return false }
        let node = graph.nodes[reader]
        if case .optimizationBarrier = node.op { return false }
        if node.isAlias, names.insert(ValueID(reader)).inserted { open.append(ValueID(reader)) }
      }
    }
    let operands = graph[producer.value].operands
    let uses = operands.indices.filter { names.contains(operands[$0]) }
    guard case .fusion(let fusion) = graph[producer.value].op else { return uses.isEmpty }
    return uses.isEmpty || uses.count == 1 && fusion.writes(result: producer.result, overOperand: uses[0])
  }
}

extension Fusion {
  /// Whether the kernel may write a result over an operand: it reads of it only the element it writes, or it writes
  /// only a slice.
  func writes(result: Int, overOperand operand: Int) -> Bool {
    if InPlaceUpdate(body, operand) != nil { return true }
    let (written, read) = (body.resultTypes[result], body.parameterTypes[operand])
    guard written.dimensions == read.dimensions, written.elementType.byteCount == read.elementType.byteCount,
      body.resultTypes.allSatisfy({ $0.dimensions == written.dimensions })
    else { return false }
    return body.readsOnlyTheElementItWrites(of: body.parameters[operand])
  }
}

extension Graph {
  /// Whether the kernel of this body computes element by element, and an element of `parameter` is read only for the
  /// elements of results that have its place.
  fileprivate func readsOnlyTheElementItWrites(of parameter: ValueID) -> Bool {
    var depends = [Bool](repeating: false, count: nodes.count)
    depends[parameter.index] = true
    for (position, node) in nodes.enumerated() {
      let readsIt = node.operands.contains { depends[$0.index] }
      switch node.op.definition.semantics(operands: node.operands.map { type(of: $0) }, results: node.resultTypes) {
      case .leaf, .position: break
      case .pointwise: depends[position] = depends[position] || readsIt
      case .movement: if readsIt { return false }
      default: return false
      }
    }
    return true
  }
}
