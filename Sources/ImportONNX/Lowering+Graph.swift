import Foundation
import GraphBuilding
import IR

/// From the model's messages to nodes: graphs, scopes, functions.
extension Lowering {
  /// The newest version of the standard's opset whose ops are known here.
  static let newestOpset = 28

  /// The whole model as a module.
  mutating func module() throws(ONNXError) -> Module {
    let model = context.file.model
    if let opset = scopes[0].opsets[""], opset > Self.newestOpset {
      throw .unsupported(["opset \(opset): the newest that tfc knows is \(Self.newestOpset)"])
    }
    let graph = model.graph
    try bindInitializers(of: graph)
    var inputs: [(name: String, value: Value)] = []
    var names: Set<String> = []
    for input in graph.input {
      guard names.insert(input.name).inserted else { throw .invalid("input '\(input.name)' is defined twice") }
      // Before opset 9 initializers are inputs, too.
      guard scopes[0].names[input.name] == nil else { continue }
      if let value = try bindInput(input) { inputs.append((input.name, value)) }
    }
    do { try lower(graph.node) } catch { throw failure ?? .invalid(error.description) }
    guard unsupported.isEmpty else { throw .unsupported(unsupported) }
    guard !graph.output.isEmpty else { throw .invalid("the graph has no outputs") }
    var results: [ValueID] = []
    for output in graph.output {
      guard case .value(let value)? = scope.names[output.name] else {
        throw .invalid("output '\(output.name)' is not computed by any node")
      }
      guard list(of: value) == nil else {
        throw .unsupported(["outputs that are not tensors (output '\(output.name)')"])
      }
      try check(output, value)
      do { results.append(try node(of: value)) } catch { throw .invalid("output '\(output.name)': \(error)") }
    }
    levels[0].graph.results = results
    let function = Function(
      name: "main", graph: levels[0].graph, parameterNames: inputs.map(\.name), resultNames: graph.output.map(\.name))
    var module = Module(name: graph.name.isEmpty ? "main" : graph.name, functions: [function])
    module.symbolBounds = arithmetic.bounds
    return module
  }

  /// Makes constants of the main graph's initializers.
  private mutating func bindInitializers(of graph: Onnx_GraphProto) throws(ONNXError) {
    for (index, tensor) in graph.initializer.enumerated() {
      guard scopes[0].names[tensor.name] == nil else {
        throw .invalid("initializer '\(tensor.name)' is defined twice")
      }
      do throws(OpError) {
        let raw = context.file.rawData(ofInitializer: index)
        let literal = try tensor.literal(raw: raw, directory: context.file.directory)
        scope.names[tensor.name] = .value(constant(literal))
      } catch {
        throw error.kind == .unsupported
          ? .unsupported(["\(error.message) (initializer '\(tensor.name)')"])
          : .invalid("initializer '\(tensor.name)': \(error.message)")
      }
    }
    for sparse in graph.sparseInitializer {
      let name = sparse.values.name
      do { scope.names[name] = .value(constant(try sparse.literal(directory: context.file.directory))) } catch {
        throw .invalid("sparse initializer '\(name)': \(error.message)")
      }
    }
  }

  /// Makes a parameter of a graph input; nil and a line in `unsupported` where its type cannot be one.
  private mutating func bindInput(_ input: Onnx_ValueInfoProto) throws(ONNXError) -> Value? {
    guard case .tensorType(let tensor)? = input.type.value else {
      return refuse("inputs that are not tensors", input)
    }
    let element: ElementType
    do { element = try elementType(tensor.elemType) } catch {
      guard error.kind == .unsupported else { throw .invalid("input '\(input.name)': \(error.message)") }
      return refuse(error.message, input)
    }
    var dimensions: [Extent] = []
    if tensor.hasShape {
      for (index, dimension) in tensor.shape.dim.enumerated() {
        dimensions.append(try extent(dimension, index, of: input.name))
      }
    } else if let shape = context.options.inputShapes[input.name] {
      dimensions = shape.map { Extent($0) }
    } else {
      return refuse("inputs without a shape", input)
    }
    let type = TensorType(element, dimensions)
    do { try checkSize(type) } catch { throw .invalid("input '\(input.name)': \(error.message)") }
    let value = parameter(type, name: input.name)
    if let literal = context.options.inputValues[input.name]?.read(as: element), literal.type.rank == type.rank {
      assume(literal, for: value)
    }
    scope.names[input.name] = .value(value)
    return value
  }

  private mutating func refuse(_ what: String, _ input: Onnx_ValueInfoProto) -> Value? {
    unsupported.append("\(what) (input '\(input.name)')")
    scope.names[input.name] = .unsupported
    return nil
  }

  private func extent(
    _ dimension: Onnx_TensorShapeProto.Dimension, _ index: Int, of input: String
  ) throws(ONNXError) -> Extent {
    if let name = dimension.symbolName(index, of: input) {
      return construction.facts.resolved(sum(name) ?? symbol(name))
    }
    let value = dimension.dimValue
    guard value >= 0 else { throw .invalid("dimension \(index) of input '\(input)' is \(value)") }
    return Extent(Int(value))
  }

  /// A `dim_param` such as `past + 2*seq`, where every name in it is another input's `dim_param` by itself.
  private func sum(_ text: String) -> Extent? {
    guard text.contains("+") || text.contains("*") else { return nil }
    var sum = Extent.zero
    for term in text.split(separator: "+", omittingEmptySubsequences: false) {
      var product = Extent.one
      for factor in term.split(separator: "*", omittingEmptySubsequences: false) {
        let name = factor.trimmingCharacters(in: .whitespaces)
        if let value = Int(name), (0...1 << 31).contains(value) {
          product *= Extent(value)
        } else if plainSymbols.contains(name) {
          product *= symbol(name)
        } else {
          return nil
        }
      }
      sum += product
    }
    return sum
  }

  /// The `dim_param`s of the graph's inputs.
  private var plainSymbols: Set<String> {
    var names: Set<String> = []
    for input in context.file.model.graph.input {
      guard case .tensorType(let tensor)? = input.type.value else { continue }
      for dimension in tensor.shape.dim {
        if case .dimParam(let name)? = dimension.value { names.insert(name) }
      }
    }
    return names
  }

  private func symbol(_ name: String) -> Extent {
    if let value = context.options.symbols[name] { return Extent(max(0, value)) }
    return .symbol(name)
  }

  private func check(_ output: Onnx_ValueInfoProto, _ value: Value) throws(ONNXError) {
    guard case .tensorType(let tensor)? = output.type.value, tensor.elemType != 0,
      let declared = try? elementType(tensor.elemType)
    else { return }
    guard declared == value.element else {
      throw .invalid("output '\(output.name)' is declared with elements of \(declared), but is \(value.type)")
    }
  }

  // MARK: Nodes

  /// Lowers nodes in order into the current graph.
  mutating func lower(_ nodes: [Onnx_NodeProto]) throws(OpError) {
    scope.nodes = nodes
    for node in nodes { try lower(node) }
  }

  private mutating func lower(_ node: Onnx_NodeProto) throws(OpError) {
    try construction.countNode()
    let outerCall = call
    let (levelCount, scopeCount) = (levels.count, scopes.count)
    defer { call = outerCall }
    call = NodeCall(node)
    do throws(OpError) {
      guard let results = try results(of: node) else { return poison(node) }
      for (index, name) in node.output.enumerated() where !name.isEmpty {
        guard index < results.count else { throw OpError.unsupported("output \(index)") }
        try bind(name, .value(results[index]))
      }
    } catch {
      levels.removeLast(levels.count - levelCount)
      scopes.removeLast(scopes.count - scopeCount)
      guard error.kind == .unsupported else {
        if failure == nil { failure = .invalid("node '\(call.displayName)' (\(node.displayOp)): \(error.message)") }
        throw error
      }
      if !error.message.isEmpty { report(node, error.message) }
      // A subgraph may not have been reached.
      for attribute in node.attribute where attribute.hasG { reportUnknown(attribute.g.node) }
      poison(node)
    }
  }

  /// The node's outputs, or nil where the node itself or one of its inputs is unsupported.
  private mutating func results(of node: Onnx_NodeProto) throws(OpError) -> [Value]? {
    let domain = canonicalDomain(node.domain)
    let key = ModelContext.FunctionKey(domain: domain, name: node.opType, overload: node.overload)
    let function = context.functions[key]
    let candidate = Operator.named(node.opType, domain: domain)
    if function == nil, candidate == nil { report(node, nil) }
    var inputs: [Value?] = []
    var isPoisoned = function == nil && candidate == nil
    for name in node.input {
      switch try resolve(name) {
      case .value(let value): inputs.append(value)
      case .absent: inputs.append(nil)
      case .unsupported: isPoisoned = true
      }
    }
    let attributes = try resolvedAttributes(node)
    if isPoisoned {
      for attribute in node.attribute where attribute.hasG { reportUnknown(attribute.g.node) }
      return nil
    }
    call = NodeCall(node, version: scope.opsets[domain] ?? 1, inputs: inputs, attributes: attributes)
    if let function { return try expand(function, inputs, attributes) }
    guard let candidate else { return nil }
    let results = try candidate.lower(&self)
    let unread = call.unreadAttributes
    guard unread.isEmpty else { throw .unsupported("attribute '\(unread[0])' in opset \(version)") }
    if let input = call.unreadInput { throw .unsupported("input \(input) in opset \(version)") }
    return results
  }

  private func resolvedAttributes(_ node: Onnx_NodeProto) throws(OpError) -> [String: Onnx_AttributeProto] {
    var attributes: [String: Onnx_AttributeProto] = [:]
    for attribute in node.attribute {
      guard attributes[attribute.name] == nil else { throw OpError("attribute '\(attribute.name)' is given twice") }
      guard !attribute.refAttrName.isEmpty else {
        attributes[attribute.name] = attribute
        continue
      }
      guard let arguments = scope.arguments else {
        throw OpError("attribute '\(attribute.name)' refers to '\(attribute.refAttrName)' outside of a function")
      }
      // A reference to an attribute that the call leaves out, and that has no default, is left out too.
      attributes[attribute.name] = arguments[attribute.refAttrName]
    }
    return attributes
  }

  /// What a name stands for; the empty name is that of an absent input.
  func resolve(_ name: String) throws(OpError) -> Binding {
    if name.isEmpty { return .absent }
    for scope in scopes.reversed() {
      if let found = scope.names[name] { return found }
      if !scope.seesOuter { break }
    }
    throw OpError("input '\(name)' is neither an input of the graph nor the output of an earlier node")
  }

  mutating func bind(_ name: String, _ binding: Binding) throws(OpError) {
    guard scope.names[name] == nil else { throw OpError("output '\(name)' is defined twice") }
    scope.names[name] = binding
  }

  private mutating func poison(_ node: Onnx_NodeProto) {
    for name in node.output where !name.isEmpty { scope.names[name] = .unsupported }
  }

  private mutating func report(_ node: Onnx_NodeProto, _ reason: String?) {
    let line = "\(node.displayOp) (node '\(NodeCall(node).displayName)')" + (reason.map { ": \($0)" } ?? "")
    if !unsupported.contains(line) { unsupported.append(line) }
  }

  /// Reports the nodes of a graph that is not lowered whose ops are unknown.
  private mutating func reportUnknown(_ nodes: [Onnx_NodeProto]) {
    for node in nodes {
      let domain = canonicalDomain(node.domain)
      let key = ModelContext.FunctionKey(domain: domain, name: node.opType, overload: node.overload)
      if context.functions[key] == nil, Operator.named(node.opType, domain: domain) == nil { report(node, nil) }
      for attribute in node.attribute where attribute.hasG { reportUnknown(attribute.g.node) }
    }
  }

  // MARK: Functions and subgraphs

  /// Lowers the body of one of the model's own functions in place of the node that calls it.
  private mutating func expand(
    _ function: Onnx_FunctionProto, _ inputs: [Value?], _ given: [String: Onnx_AttributeProto]
  ) throws(OpError) -> [Value] {
    guard scopes.count < 64 else { throw OpError("functions call each other more than 64 deep") }
    guard inputs.count <= function.input.count else {
      throw OpError("\(inputs.count) inputs are given to a function that takes \(function.input.count)")
    }
    var arguments: [String: Onnx_AttributeProto] = [:]
    for attribute in function.attributeProto { arguments[attribute.name] = attribute }
    for (name, attribute) in given { arguments[name] = attribute }
    var opsets: [String: Int] = [:]
    for entry in function.opsetImport {
      opsets[canonicalDomain(entry.domain)] = Int(clamping: entry.version)
    }
    var scope = Scope(seesOuter: false, opsets: opsets, arguments: arguments)
    for (index, name) in function.input.enumerated() {
      scope.names[name] = index < inputs.count ? inputs[index].map { .value($0) } ?? .absent : .absent
    }
    scopes.append(scope)
    try lower(function.node)
    return try popScope(results: function.output)
  }

  /// Lowers the nodes of a subgraph into the current graph; its inputs stand for `inputs`.
  mutating func inline(_ body: Onnx_GraphProto, _ inputs: [Value]) throws(OpError) -> [Value] {
    guard scopes.count < 64 else { throw OpError("subgraphs lie in each other more than 64 deep") }
    guard body.input.count == inputs.count else {
      throw OpError("a subgraph has \(body.input.count) inputs where \(inputs.count) are needed")
    }
    scopes.append(Scope(seesOuter: true, opsets: scope.opsets, arguments: scope.arguments))
    for (input, value) in zip(body.input, inputs) { try bind(input.name, .value(value)) }
    for tensor in body.initializer where scope.names[tensor.name] == nil {
      let literal = try tensor.literal(directory: context.file.directory)
      try bind(tensor.name, .value(constant(literal)))
    }
    try lower(body.node)
    return try popScope(results: body.output.map(\.name))
  }

  mutating func popScope(results names: [String]) throws(OpError) -> [Value] {
    var results: [Value] = []
    for name in names {
      // Already reported where an output comes from an unsupported node.
      guard case .value(let value) = try resolve(name) else { throw .unsupported("") }
      results.append(value)
    }
    scopes.removeLast()
    return results
  }
}

extension Literal {
  /// The elements as `element`; unsigned integers are the bits of floats for which files of arrays have no type.
  fileprivate func read(as element: ElementType) -> Literal? {
    if elementType == element { return self }
    guard elementType.kind == .unsigned, element.isFloat, elementType.bitWidth == element.bitWidth else { return nil }
    return Literal(element, dimensions, bytes: expanded.bytes)
  }
}

extension Onnx_NodeProto {
  /// The op's name with its domain, which the standard's ops go without.
  var displayOp: String { canonicalDomain(domain).isEmpty ? opType : "\(domain).\(opType)" }
}

extension Onnx_TensorShapeProto.Dimension {
  /// The symbol that dimension `index` of an input is, unless its value is fixed.
  func symbolName(_ index: Int, of input: String) -> String? {
    switch value {
    case .dimValue: nil
    case .dimParam(let name) where !name.isEmpty: name
    default: "\(input)_dim_\(index)"
    }
  }
}
