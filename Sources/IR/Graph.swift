/// The position of a node in its graph, and so the value that the node computes.
public struct ValueID: Hashable, Sendable, Comparable {
  public let rawValue: UInt32
  public init(_ index: Int) { rawValue = UInt32(index) }
  public var index: Int { Int(rawValue) }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.rawValue < b.rawValue }
}

extension ValueID: CustomStringConvertible {
  public var description: String { "%\(rawValue)" }
}

/// One application of an op to values that come earlier in the graph.
///
/// A node has one result, or, for ops like `while` and `sort`, a list of them that `get_tuple_element` nodes select from.
public struct Node: Hashable, Sendable {
  public var op: Op
  public var operands: [ValueID]
  public var resultTypes: [TensorType]
  public var location: Location

  public init(op: Op, operands: [ValueID], resultTypes: [TensorType], location: Location = .unknown) {
    self.op = op
    self.operands = operands
    self.resultTypes = resultTypes
    self.location = location
  }

  /// The type of the only result.
  public var type: TensorType {
    precondition(resultTypes.count == 1, "a node with several results is read through get_tuple_element")
    return resultTypes[0]
  }

  public var hasSingleResult: Bool { resultTypes.count == 1 }
}

/// A function's body or an op's region: nodes in order, each after its operands; a value.
///
/// The graph is closed: what a region uses from outside arrives as parameters.
public struct Graph: Hashable, Sendable {
  public private(set) var nodes: [Node] = []
  /// The `parameter` nodes, in order.
  public private(set) var parameters: [ValueID] = []
  public var results: [ValueID] = []

  public init() {}

  public subscript(value: ValueID) -> Node { nodes[value.index] }

  public var values: [ValueID] { nodes.indices.map { ValueID($0) } }

  public var parameterTypes: [TensorType] { parameters.map { self[$0].type } }
  public var resultTypes: [TensorType] { results.map { self[$0].type } }

  public func type(of value: ValueID) -> TensorType { self[value].type }

  @discardableResult
  public mutating func addParameter(_ type: TensorType, name: String = "", location: Location = .unknown) -> ValueID {
    let op = Op.parameter(Parameter(index: parameters.count, name: name, type: type))
    let value = push(Node(op: op, operands: [], resultTypes: [type], location: location))
    parameters.append(value)
    return value
  }

  /// Appends a node whose result types follow from `op` and the operands' types.
  @discardableResult
  public mutating func append(_ op: Op, _ operands: [ValueID] = [], location: Location = .unknown) throws(OpError)
    -> ValueID
  {
    var types: [TensorType] = []
    types.reserveCapacity(operands.count)
    for operand in operands {
      precondition(operand.index < nodes.count, "an operand comes before its user")
      let node = nodes[operand.index]
      if node.hasSingleResult {
        types.append(node.resultTypes[0])
      } else if case .getTupleElement(let element) = op {
        types = [try element.element(of: node.resultTypes)]
      } else {
        throw OpError("\(op.mnemonic) cannot take all results of \(node.op.mnemonic) as one operand")
      }
    }
    let results: [TensorType] = try op.inferTypes(types)
    for type in results { try type.checkElementCount() }
    return push(Node(op: op, operands: operands, resultTypes: results, location: location))
  }

  /// The values of an appended node's results: the node itself, or a `get_tuple_element` for each.
  public mutating func results(of value: ValueID) -> [ValueID] {
    let node = self[value]
    if node.hasSingleResult { return [value] }
    return node.resultTypes.indices.map { index in
      let op = Op.getTupleElement(GetTupleElement(index: index))
      return push(
        Node(op: op, operands: [value], resultTypes: [node.resultTypes[index]], location: node.location))
    }
  }

  /// Appends a node as it is; its result types must be those that its op infers.
  public mutating func appendUnchecked(_ node: Node) -> ValueID {
    if case .parameter = node.op { parameters.append(ValueID(nodes.count)) }
    return push(node)
  }

  private mutating func push(_ node: Node) -> ValueID {
    nodes.append(node)
    return ValueID(nodes.count - 1)
  }

  /// For each node, how many operands and results refer to it. O(nodes).
  public var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: nodes.count)
    for node in nodes { for operand in node.operands { counts[operand.index] += 1 } }
    for result in results { counts[result.index] += 1 }
    return counts
  }
}
