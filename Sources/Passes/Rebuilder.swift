public import IR

/// Rebuilds a graph front to back: each node, once its operands are rebuilt, is offered to the rules; what remains is
/// shared with an equal node, if there was one. Nodes that no result depends on are left out.
struct Rebuilder {
  /// What a node of the source has become.
  enum Rebuilt {
    case value(ValueID)
    /// The results of a node that has several, each a value of its own.
    case list([ValueID])
  }

  let source: Graph
  private(set) var target = Graph()
  var context: PassContext
  let rules: [Rule]
  private var rebuilt: [Rebuilt] = []
  private var known: [NodeKey: ValueID] = [:]
  private var depth = 0
  /// Where the node being rebuilt comes from; what rules add has the same location.
  private(set) var location = Location.unknown
  private let useCounts: [Int]
  /// The operands, in the source, of the node being rebuilt.
  private var sourceOperands: [ValueID] = []
  /// For each source node with several results, which of them are read.
  let sourceElements: [Int: [Int]]

  init(_ source: Graph, _ rules: [Rule], _ context: PassContext) {
    self.source = source
    self.rules = rules
    self.context = context
    useCounts = source.useCounts
    let live = source.liveValues
    var elements: [Int: [Int]] = [:]
    for (index, node) in source.nodes.enumerated() where live[index] {
      if case .getTupleElement(let element) = node.op {
        elements[node.operands[0].index, default: []].append(element.index)
      }
    }
    sourceElements = elements
    rebuilt.reserveCapacity(source.nodes.count)
  }

  mutating func run() throws(OpError) -> Graph {
    let live = source.liveValues
    for (index, node) in source.nodes.enumerated() {
      guard live[index] || node.op.isParameter else {
        rebuilt.append(.list([]))
        continue
      }
      location = node.location
      sourceOperands = node.operands
      do {
        rebuilt.append(try rebuild(node, at: index))
      } catch {
        throw error.at(node.location)
      }
    }
    target.results = source.results.map { value(of: $0) }
    return target.removingDeadNodes()
  }

  /// The rebuilt value of a source node that has one.
  func value(of source: ValueID) -> ValueID {
    guard case .value(let value) = rebuilt[source.index] else { preconditionFailure("\(source) is a list of results") }
    return value
  }

  private mutating func rebuild(_ node: Node, at index: Int) throws(OpError) -> Rebuilt {
    switch node.op {
    case .parameter: return .value(target.appendUnchecked(node))
    case .getTupleElement(let element):
      if case .list(let values) = rebuilt[node.operands[0].index] { return .value(values[element.index]) }
    case .while, .if, .case: return try rebuildControl(node, at: index)
    default: break
    }
    let operands = node.operands.map { value(of: $0) }
    let regions = node.op.definition.regions
    if regions.isEmpty || regions.allSatisfy({ $0.nodes.count <= 3 }) {
      return .value(try append(node.op, operands, types: node.resultTypes))
    }
    var rebuiltRegions: [Graph] = []
    for region in regions { rebuiltRegions.append(try rebuild(region: region)) }
    return .value(try append(node.op.definition.withRegions(rebuiltRegions), operands, types: node.resultTypes))
  }

  /// Whether the node being rebuilt is the only one in the source that reads `value`, so that `value` may become dead.
  func isReadOnce(_ value: ValueID) -> Bool {
    sourceOperands.contains { operand in
      guard useCounts[operand.index] == 1, case .value(let new) = rebuilt[operand.index] else { return false }
      return new == value
    }
  }

  /// The region after the same rules.
  mutating func rebuild(region: Graph) throws(OpError) -> Graph {
    var inner = Rebuilder(region, rules, context)
    let result = try inner.run()
    context = inner.context
    return result
  }

  /// The value of `op` on `operands`: what a rule makes of it, an equal node's, or a new one's.
  mutating func append(_ op: Op, _ operands: [ValueID], types: [TensorType]? = nil) throws(OpError) -> ValueID {
    if depth < 64 {
      depth += 1
      defer { depth -= 1 }
      for rule in rules {
        if let value = try rule.rewrite(op, operands, &self) { return value }
      }
    }
    return try insert(op, operands, types: types)
  }

  /// A node that no rule sees, shared with an equal one.
  mutating func insert(_ op: Op, _ operands: [ValueID], types: [TensorType]? = nil) throws(OpError) -> ValueID {
    let key = NodeKey(op: op, operands: operands)
    if let value = known[key] { return value }
    let value: ValueID
    if let types {
      value = target.appendUnchecked(Node(op: op, operands: operands, resultTypes: types, location: location))
    } else {
      value = try target.append(op, operands, location: location)
    }
    known[key] = value
    return value
  }

  mutating func results(of value: ValueID) throws(OpError) -> [ValueID] {
    let types = target[value].resultTypes
    if types.count == 1 { return [value] }
    var values: [ValueID] = []
    for (index, type) in types.enumerated() {
      values.append(try insert(.getTupleElement(GetTupleElement(index: index)), [value], types: [type]))
    }
    return values
  }

  func type(of value: ValueID) -> TensorType { target[value].resultTypes[0] }

  mutating func constant(_ literal: Literal) throws(OpError) -> ValueID {
    try insert(.constant(literal), [], types: [literal.type])
  }
}

/// What decides whether two nodes have the same value.
///
/// The type is not part of the key: op and operands determine it.
private struct NodeKey: Hashable {
  var op: Op
  var operands: [ValueID]

  func hash(into hasher: inout Hasher) {
    guard case .constant(let constant) = op else {
      hasher.combine(op)
      hasher.combine(operands)
      return
    }
    // A few bytes tell weights apart; equality compares all.
    let bytes = constant.value.bytes
    hasher.combine(constant.value.type)
    hasher.combine(bytes.count)
    hasher.combine(bytes.prefix(32))
    for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 64)) { hasher.combine(bytes[position]) }
  }
}

extension Graph {
  /// The graph without nodes that no result depends on; parameters stay. O(nodes).
  public func removingDeadNodes() -> Graph {
    let live = liveValues
    var copy = Graph()
    var values = [ValueID](repeating: ValueID(0), count: nodes.count)
    for (index, node) in nodes.enumerated() where live[index] || node.op.isParameter {
      var new = node
      new.operands = node.operands.map { values[$0.index] }
      values[index] = copy.appendUnchecked(new)
    }
    copy.results = results.map { values[$0.index] }
    return copy
  }
}
