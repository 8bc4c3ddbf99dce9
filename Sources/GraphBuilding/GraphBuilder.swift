package import IR

/// A front end while it builds graphs: it appends ops to the current graph, and knows the elements of integer tensors that
/// follow from shapes and constants, so that what a model computes of shapes becomes extents.
///
/// Constants and known integers enter a graph only where a node needs them.
package protocol GraphBuilder {
  var construction: Construction { get set }
  /// Where the nodes that are appended come from.
  var location: Location { get }
}

extension GraphBuilder {
  package var levels: [Construction.Level] {
    get { construction.levels }
    _modify { yield &construction.levels }
  }

  package var arithmetic: ExtentArithmetic {
    get { construction.arithmetic }
    _modify { yield &construction.arithmetic }
  }

  private var entries: [Construction.Entry] {
    get { construction.entries }
    _modify { yield &construction.entries }
  }

  /// Says that two extents would have to be equal, and notes when they would be.
  package mutating func inequality(_ a: Extent, _ b: Extent, _ place: String = "") -> OpError {
    if let bounds = arithmetic.boundsEquating(a, b) {
      if construction.narrowerBounds == nil { construction.narrowerBounds = bounds }
    } else {
      construction.equalities.append((a, b))
    }
    return .unsupported("whether \(a) and \(b) are equal is not known\(place)")
  }

  package var graph: Graph { levels[levels.count - 1].graph }

  /// Appends an op to the current graph; nil operands are left out.
  package mutating func emit(_ op: Op, _ operands: [Value]) throws(OpError) -> Value {
    let node = try append(op, operands)
    return define(node, graph.type(of: node))
  }

  /// Appends an op with several results.
  package mutating func emitAll(_ op: Op, _ operands: [Value]) throws(OpError) -> [Value] {
    let node = try append(op, operands)
    let top = levels.count - 1
    return levels[top].graph.results(of: node).map { define($0, graph.type(of: $0)) }
  }

  private mutating func append(_ op: Op, _ operands: [Value]) throws(OpError) -> ValueID {
    var ids: [ValueID] = []
    for operand in operands { ids.append(try node(of: operand)) }
    let top = levels.count - 1
    let node = try levels[top].graph.append(op, ids, location: location)
    for type in levels[top].graph[node].resultTypes { try checkSize(type) }
    return node
  }

  /// A value that is a node of the current graph.
  package mutating func define(_ node: ValueID, _ type: TensorType) -> Value {
    add(Construction.Entry(nodes: [levels[levels.count - 1].identity: node]), type)
  }

  /// A value that is a constant.
  package mutating func constant(_ literal: Literal) -> Value {
    add(Construction.Entry(literal: literal), literal.type)
  }

  /// A value whose integer elements are known as expressions.
  package mutating func known(_ content: [Extent], _ element: ElementType, _ dimensions: [Int]) -> Value {
    precondition(content.count == dimensions.reduce(1, *), "content has one expression for each element")
    return add(Construction.Entry(content: content), TensorType(element, fixed: dimensions))
  }

  /// A one-dimensional i64 value whose elements are known as expressions.
  package mutating func known(_ content: [Extent]) -> Value { known(content, .i64, [content.count]) }

  /// A list of tensors; its own type says nothing.
  package mutating func list(_ values: [Value]) -> Value { add(Construction.Entry(list: values), TensorType(.i1, [])) }

  package func list(of value: Value) -> [Value]? { entries[value.index].list }

  private mutating func add(_ entry: Construction.Entry, _ type: TensorType) -> Value {
    entries.append(entry)
    return Value(index: entries.count - 1, type: type)
  }

  /// Adds a parameter to the current graph.
  package mutating func parameter(_ type: TensorType, name: String = "") -> Value {
    let top = levels.count - 1
    return define(levels[top].graph.addParameter(type, name: name, location: location), type)
  }

  /// Adds a parameter to the main graph, whatever region is under construction.
  package mutating func mainParameter(_ type: TensorType, name: String = "") -> Value {
    let node = levels[0].graph.addParameter(type, name: name, location: location)
    return add(Construction.Entry(nodes: [levels[0].identity: node]), type)
  }

  /// Takes note of the value that a parameter of the main graph has in this run.
  package mutating func assume(_ literal: Literal, for value: Value) {
    entries[value.index].assumed = literal
    if let node = entries[value.index].nodes[0] { construction.assumedParameters[node] = literal }
  }
}
