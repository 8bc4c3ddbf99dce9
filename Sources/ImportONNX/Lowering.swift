import Foundation
import IR

/// A tensor while its graph is lowered: an index into the lowering's table, and its type.
struct Value: Hashable, Sendable {
  let index: Int
  let type: TensorType

  var element: ElementType { type.elementType }
  var shape: [Extent] { type.dimensions }
  var rank: Int { type.rank }
}

/// What a graph is read with: the file, the options, and the functions that the model defines itself.
struct ModelContext {
  let file: ModelFile
  let options: ONNXImporter
  let functions: [FunctionKey: Onnx_FunctionProto]

  struct FunctionKey: Hashable {
    let domain: String
    let name: String
    let overload: String
  }

  init(file: ModelFile, options: ONNXImporter) {
    self.file = file
    self.options = options
    var functions: [FunctionKey: Onnx_FunctionProto] = [:]
    for function in file.model.functions {
      let key = FunctionKey(
        domain: canonicalDomain(function.domain), name: function.name, overload: function.overload)
      functions[key] = function
    }
    self.functions = functions
  }
}

/// The state in which nodes become IR: the graphs under construction, and what every name stands for.
///
/// A lowering function takes the lowering, reads the current node's inputs and attributes from it, and returns the node's
/// outputs. Constants and known integers enter a graph only where a node needs them.
struct Lowering {
  let context: ModelContext
  /// The current node.
  var call: NodeCall
  var levels: [Level]
  var scopes: [Scope]
  /// A line for each unsupported node so far.
  var unsupported: [String] = []
  /// What broke a rule, with its place.
  var failure: ONNXError?
  var arithmetic: ExtentArithmetic
  /// Bounds of symbols under which extents are equal that an op needs to be, where today's do not say so.
  private(set) var narrowerBounds: [Symbol: SymbolBounds]?
  private(set) var assumedParameters: [ValueID: Literal] = [:]

  private var entries: [Entry] = []
  private var levelCount = 0

  /// What is known about a value; at least one field is set.
  private struct Entry {
    /// Where the value is in each graph that has it, by the identity of the graph's level.
    var nodes: [Int: ValueID] = [:]
    var literal: Literal?
    /// The elements in row-major order, as expressions over symbols.
    var content: [Extent]?
    /// The value in this run, for graph inputs whose value was given.
    var assumed: Literal?
    /// The tensors of a sequence, which is no tensor itself.
    var list: [Value]?
  }

  /// A graph under construction: the main graph or an op's region.
  struct Level {
    let identity: Int
    var graph = Graph()
    /// Values of outer levels, in the order of the parameters that stand for them.
    var captures: [Value] = []
  }

  /// What names mean: in the main graph, in a subgraph (which also sees the outer names), in a function (which does not).
  struct Scope {
    var names: [String: Binding] = [:]
    var seesOuter: Bool
    var opsets: [String: Int]
    /// What the attributes of the enclosing function are; nil outside of functions.
    var arguments: [String: Onnx_AttributeProto]?
  }

  /// What a name stands for.
  enum Binding {
    case value(Value)
    /// An optional input of a function that its caller left out.
    case absent
    /// The output of a node that was reported as unsupported.
    case unsupported
  }

  init(_ context: ModelContext, bounds: [Symbol: SymbolBounds]) throws(ONNXError) {
    self.context = context
    arithmetic = ExtentArithmetic(bounds: bounds)
    self.call = NodeCall(Onnx_NodeProto())
    self.levels = [Level(identity: 0)]
    self.scopes = [Scope(seesOuter: false, opsets: try opsets(of: context.file.model.opsetImport))]
  }

  /// Says that two extents would have to be equal, and notes when they would be.
  mutating func inequality(_ a: Extent, _ b: Extent, _ place: String = "") -> OpError {
    if narrowerBounds == nil { narrowerBounds = arithmetic.boundsEquating(a, b) }
    return .unsupported("whether \(a) and \(b) are equal is not known\(place)")
  }

  var graph: Graph { levels[levels.count - 1].graph }

  var scope: Scope {
    get { scopes[scopes.count - 1] }
    _modify { yield &scopes[scopes.count - 1] }
  }

  /// Appends an op to the current graph; nil operands are left out.
  mutating func emit(_ op: Op, _ operands: [Value]) throws(OpError) -> Value {
    let node = try append(op, operands)
    return define(node, graph.type(of: node))
  }

  /// Appends an op with several results.
  mutating func emitAll(_ op: Op, _ operands: [Value]) throws(OpError) -> [Value] {
    let node = try append(op, operands)
    let top = levels.count - 1
    return levels[top].graph.results(of: node).map { define($0, graph.type(of: $0)) }
  }

  private mutating func append(_ op: Op, _ operands: [Value]) throws(OpError) -> ValueID {
    var ids: [ValueID] = []
    for operand in operands { ids.append(try node(of: operand)) }
    let top = levels.count - 1
    let node = try levels[top].graph.append(op, ids, location: call.location)
    for type in levels[top].graph[node].resultTypes { try checkSize(type) }
    return node
  }

  /// A value that is a node of the current graph.
  mutating func define(_ node: ValueID, _ type: TensorType) -> Value {
    add(Entry(nodes: [levels[levels.count - 1].identity: node]), type)
  }

  /// A value that is a constant.
  mutating func constant(_ literal: Literal) -> Value { add(Entry(literal: literal), literal.type) }

  /// A value whose integer elements are known as expressions.
  mutating func known(_ content: [Extent], _ element: ElementType, _ dimensions: [Int]) -> Value {
    precondition(content.count == dimensions.reduce(1, *), "content has one expression for each element")
    return add(Entry(content: content), TensorType(element, fixed: dimensions))
  }

  /// A one-dimensional i64 value whose elements are known as expressions.
  mutating func known(_ content: [Extent]) -> Value { known(content, .i64, [content.count]) }

  /// A list of tensors; its own type says nothing.
  mutating func list(_ values: [Value]) -> Value { add(Entry(list: values), TensorType(.i1, [])) }

  func list(of value: Value) -> [Value]? { entries[value.index].list }

  private mutating func add(_ entry: Entry, _ type: TensorType) -> Value {
    entries.append(entry)
    return Value(index: entries.count - 1, type: type)
  }

  /// Adds a parameter to the current graph.
  mutating func parameter(_ type: TensorType, name: String = "") -> Value {
    let top = levels.count - 1
    return define(levels[top].graph.addParameter(type, name: name, location: call.location), type)
  }

  /// Takes note of the value that a parameter of the main graph has in this run.
  mutating func assume(_ literal: Literal, for value: Value) {
    entries[value.index].assumed = literal
    if let node = entries[value.index].nodes[0] { assumedParameters[node] = literal }
  }

  // MARK: What is known

  /// The value's elements as expressions, where they are integers that follow from shapes and constants.
  func content(of value: Value) -> [Extent]? {
    let entry = entries[value.index]
    if let content = entry.content { return content }
    guard let literal = entry.literal, literal.elementType.isInteger || literal.elementType.isBoolean,
      literal.elementCount <= Self.contentLimit
    else { return nil }
    return literal.scalars.map { Extent(Int($0.integerValue)) }
  }

  /// Integer tensors with more elements than this are not followed as expressions.
  static let contentLimit = 1024

  /// The value as a constant of the model; nil where it depends on an input or a symbol.
  func constantLiteral(of value: Value) -> Literal? {
    let entry = entries[value.index]
    if let literal = entry.literal { return literal }
    guard let content = entry.content, let dimensions = value.type.fixedDimensions else { return nil }
    let fixed = content.compactMap(\.fixed)
    guard fixed.count == content.count else { return nil }
    return Literal(value.element, dimensions, fixed.map { Scalar.integer(Int64($0)) })
  }

  /// The value as a constant: of the model, or computed from constants and given input values.
  mutating func literal(of value: Value) throws(OpError) -> Literal? {
    if let literal = constantLiteral(of: value) { return literal }
    if let assumed = entries[value.index].assumed { return assumed }
    guard let node = entries[value.index].nodes[0] else { return nil }
    guard let literal = try evaluated(node) else { return nil }
    entries[value.index].assumed = literal
    return literal
  }

  /// The value's elements as expressions; throws where the file does not determine them.
  mutating func extents(of value: Value, _ what: String) throws(OpError) -> [Extent] {
    if let content = content(of: value) { return content }
    guard let literal = try literal(of: value) else {
      throw .unsupported("its \(what) must be known when the graph is read")
    }
    guard literal.elementType.isInteger || literal.elementType.isBoolean else {
      throw OpError("its \(what) must be integers, not \(literal.elementType)")
    }
    return literal.scalars.map { Extent(Int($0.integerValue)) }
  }

  /// The value's elements as integers; throws where they are not constant.
  mutating func integers(of value: Value, _ what: String) throws(OpError) -> [Int] {
    let fixed = try extents(of: value, what).compactMap(\.fixed)
    guard fixed.count == value.type.elementCount.fixed else {
      throw .unsupported("its \(what) must not depend on a symbol")
    }
    return fixed
  }

  /// The value's elements as numbers; throws where they are not constant.
  mutating func numbers(of value: Value, _ what: String) throws(OpError) -> [Double] {
    guard let literal = try literal(of: value) else {
      throw .unsupported("its \(what) must be known when the graph is read")
    }
    return literal.scalars.map(\.realValue)
  }

  // MARK: Entering a graph

  /// The node that computes the value in the current graph.
  mutating func node(of value: Value) throws(OpError) -> ValueID {
    guard entries[value.index].list == nil else { throw .unsupported("a sequence") }
    let level = levels.count - 1
    let identity = levels[level].identity
    if let node = entries[value.index].nodes[identity] { return node }
    let node: ValueID
    if let literal = constantLiteral(of: value) {
      node = try levels[level].graph.append(.constant(Constant(literal)), [])
    } else if let content = entries[value.index].content {
      node = try build(content, value.type, level)
    } else {
      return try capture(value)
    }
    entries[value.index].nodes[identity] = node
    return node
  }

  /// Builds integers that depend on symbols: each from its expression, then put together.
  private mutating func build(_ content: [Extent], _ type: TensorType, _ level: Int) throws(OpError) -> ValueID {
    func append(_ op: Op, _ operands: [ValueID]) throws(OpError) -> ValueID {
      try levels[level].graph.append(op, operands, location: call.location)
    }
    var parts: [ValueID] = []
    for extent in content {
      let part = try append(.extentValue(ExtentValue(extent: extent, elementType: type.elementType)), [])
      parts.append(type.isScalar ? part : try append(.reshape(Reshape(resultDimensions: [.one])), [part]))
    }
    if type.isScalar { return parts[0] }
    let line = parts.count == 1 ? parts[0] : try append(.concatenate(Concatenate(dimension: 0)), parts)
    return type.rank == 1 ? line : try append(.reshape(Reshape(resultDimensions: type.dimensions)), [line])
  }

  /// Makes a value of an outer graph a parameter of every graph between that and the current one.
  private mutating func capture(_ value: Value) throws(OpError) -> ValueID {
    let nodes = entries[value.index].nodes
    guard let home = levels.lastIndex(where: { nodes[$0.identity] != nil }), var node = nodes[levels[home].identity]
    else { preconditionFailure("a value is used where its graph cannot be seen") }
    for level in home + 1..<levels.count {
      node = levels[level].graph.addParameter(value.type, name: "", location: call.location)
      levels[level].captures.append(value)
      entries[value.index].nodes[levels[level].identity] = node
    }
    return node
  }

  /// A region under construction begins; `captures` are outer values that become its parameters after `parameters`.
  mutating func beginRegion(_ parameters: [TensorType], captures: [Value] = []) throws(OpError) -> [Value] {
    levelCount += 1
    levels.append(Level(identity: levelCount))
    let values = parameters.map { parameter($0) }
    for value in captures { _ = try capture(value) }
    return values
  }

  /// Ends the innermost region: its graph with these results, and what it captured.
  mutating func endRegion(_ results: [Value]) throws(OpError) -> Level {
    var ids: [ValueID] = []
    for result in results { ids.append(try node(of: result)) }
    var level = levels.removeLast()
    level.graph.results = ids
    return level
  }
}

extension Lowering {
  /// How far a lowering has come, to which it can go back.
  struct Mark {
    fileprivate let levels: Int
    fileprivate let scopes: Int
    fileprivate let unsupported: Int
    fileprivate let narrowerBounds: [Symbol: SymbolBounds]?
  }

  var mark: Mark {
    Mark(
      levels: levels.count, scopes: scopes.count, unsupported: unsupported.count, narrowerBounds: narrowerBounds)
  }

  /// Leaves the regions and names, and forgets the reports, that came after `mark`.
  mutating func reset(to mark: Mark) {
    levels.removeLast(levels.count - mark.levels)
    scopes.removeLast(scopes.count - mark.scopes)
    unsupported.removeLast(unsupported.count - mark.unsupported)
    narrowerBounds = mark.narrowerBounds
  }
}

/// Throws where a tensor has so many elements that counts of bytes could overflow.
func checkSize(_ type: TensorType) throws(OpError) {
  var count = 1
  for extent in type.dimensions {
    guard let fixed = extent.fixed, fixed != 0 else { continue }
    let (product, overflow) = count.multipliedReportingOverflow(by: fixed)
    guard !overflow, product > 0, product <= elementCountLimit else {
      throw OpError("\(type) has a negative extent or more than \(elementCountLimit) elements")
    }
    count = product
  }
}

/// The domain's name, with the standard's two names made one.
func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

private func opsets(of imports: [Onnx_OperatorSetIdProto]) throws(ONNXError) -> [String: Int] {
  var versions: [String: Int] = [:]
  for entry in imports {
    guard (1...10_000).contains(entry.version) else {
      throw .invalid("opset version \(entry.version) of domain '\(entry.domain)' is not a version")
    }
    versions[canonicalDomain(entry.domain)] = Int(entry.version)
  }
  return versions
}
