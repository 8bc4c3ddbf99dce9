package import IR

/// What is known of values while graphs are built, and how values enter graphs.
extension GraphBuilder {
  private var entries: [Construction.Entry] {
    get { construction.entries }
    _modify { yield &construction.entries }
  }

  /// The value's elements as expressions, where they are integers that follow from shapes and constants.
  package func content(of value: Value) -> [Extent]? {
    let entry = entries[value.index]
    if let content = entry.content { return content }
    guard let literal = entry.literal, literal.elementType.isInteger || literal.elementType.isBoolean,
      literal.elementCount <= Self.contentLimit
    else { return nil }
    return literal.scalars.map { Extent(Int($0.integerValue)) }
  }

  /// Integer tensors with more elements than this are not followed as expressions.
  package static var contentLimit: Int { 1024 }

  /// The value as a constant of the model; nil where it depends on an input or a symbol.
  package func constantLiteral(of value: Value) -> Literal? {
    let entry = entries[value.index]
    if let literal = entry.literal { return literal }
    guard let content = entry.content, let dimensions = value.type.fixedDimensions else { return nil }
    let fixed = content.compactMap(\.fixed)
    guard fixed.count == content.count else { return nil }
    return Literal(value.element, dimensions, fixed.map { Scalar.integer(Int64($0)) })
  }

  /// The value as a constant: of the model, or computed from constants and given input values.
  package mutating func literal(of value: Value) throws(OpError) -> Literal? {
    if let literal = constantLiteral(of: value) { return literal }
    if let assumed = entries[value.index].assumed { return assumed }
    guard let node = entries[value.index].nodes[0] else { return nil }
    guard let literal = try evaluated(node) else { return nil }
    entries[value.index].assumed = literal
    return literal
  }

  /// The value's elements as expressions; throws where the file does not determine them.
  package mutating func extents(of value: Value, _ what: String) throws(OpError) -> [Extent] {
    if let content = content(of: value) { return content }
    try checkListed(value, what)
    guard let literal = try literal(of: value) else {
      throw .unsupported("its \(what) must be known when the graph is read")
    }
    guard literal.elementType.isInteger || literal.elementType.isBoolean else {
      throw OpError("its \(what) must be integers, not \(literal.elementType)")
    }
    return literal.scalars.map { Extent(Int($0.integerValue)) }
  }

  /// The value's elements as integers; throws where they are not constant.
  package mutating func integers(of value: Value, _ what: String) throws(OpError) -> [Int] {
    let fixed = try extents(of: value, what).compactMap(\.fixed)
    guard fixed.count == value.type.elementCount.fixed else {
      throw .unsupported("its \(what) must not depend on a symbol")
    }
    return fixed
  }

  /// The value's elements as numbers; throws where they are not constant.
  package mutating func numbers(of value: Value, _ what: String) throws(OpError) -> [Double] {
    try checkListed(value, what)
    guard let literal = try literal(of: value) else {
      throw .unsupported("its \(what) must be known when the graph is read")
    }
    return literal.scalars.map(\.realValue)
  }

  /// Throws where a value has so many elements that they are not listed one by one.
  private func checkListed(_ value: Value, _ what: String) throws(OpError) {
    guard let count = value.type.elementCount.fixed, count > Self.listLimit else { return }
    throw .unsupported("its \(what) has \(count) elements")
  }

  private static var listLimit: Int { 1 << 20 }

  // MARK: Entering a graph

  /// The node that computes the value in the current graph.
  package mutating func node(of value: Value) throws(OpError) -> ValueID {
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
      try levels[level].graph.append(op, operands, location: location)
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
    else { throw OpError("a value of a branch or a loop is used outside of it") }
    for level in home + 1..<levels.count {
      node = levels[level].graph.addParameter(value.type, name: "", location: location)
      levels[level].captures.append(value)
      entries[value.index].nodes[levels[level].identity] = node
    }
    return node
  }

  /// A region under construction begins; `captures` are outer values that become its parameters after `parameters`.
  package mutating func beginRegion(_ parameters: [TensorType], captures: [Value] = []) throws(OpError) -> [Value] {
    construction.levelCount += 1
    levels.append(Construction.Level(identity: construction.levelCount))
    let values = parameters.map { parameter($0) }
    for value in captures { _ = try capture(value) }
    return values
  }

  /// Ends the innermost region: its graph with these results, and what it captured.
  package mutating func endRegion(_ results: [Value]) throws(OpError) -> Construction.Level {
    var ids: [ValueID] = []
    for result in results { ids.append(try node(of: result)) }
    var level = levels.removeLast()
    level.graph.results = ids
    return level
  }
}
