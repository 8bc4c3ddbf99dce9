extension Graph {
  /// The results for these arguments, by each op's `evaluate`.
  public func evaluate(_ arguments: [Literal], in context: EvaluationContext = EvaluationContext()) throws(OpError)
    -> [Literal]
  {
    guard arguments.count == parameters.count else {
      throw OpError("\(parameters.count) arguments are needed, not \(arguments.count)")
    }
    var values = [[Literal]](repeating: [], count: nodes.count)
    var context = context
    let live = liveValues
    for (index, node) in nodes.enumerated() where live[index] || node.op.isParameter {
      if case .parameter(let parameter) = node.op {
        values[index] = [arguments[parameter.index]]
        context.learnSymbols(of: node, from: values[index])
        continue
      }
      var operands: [Literal] = []
      for operand in node.operands { operands.append(contentsOf: values[operand.index]) }
      do {
        let types = try context.resultTypes(of: node, operands)
        values[index] = try node.op.definition.evaluate(operands, results: types, in: context)
        context.learnSymbols(of: node, from: values[index])
      } catch {
        throw error.at(node.location)
      }
    }
    return results.map { values[$0.index][0] }
  }

  /// The graph with `replacement` applied to every extent, in types and in attributes.
  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Graph {
    var copy = Graph()
    for node in nodes {
      var new = node
      new.op = node.op.definition.mappingExtents(replacement)
      let regions = new.op.definition.regions
      if !regions.isEmpty {
        new.op = new.op.definition.withRegions(regions.map { $0.mappingExtents(replacement) })
      }
      new.resultTypes = node.resultTypes.map { TensorType($0.elementType, $0.dimensions.map(replacement)) }
      _ = copy.appendUnchecked(new)
    }
    copy.results = results
    return copy
  }
}

extension EvaluationContext {
  /// The types of a node's results, with every extent fixed.
  ///
  /// Extents that only the run decides (of a `dynamic_reshape`, and of what follows it) come from the operands' values.
  fileprivate func resultTypes(of node: Node, _ operands: [Literal]) throws(OpError) -> [TensorType] {
    let isKnown = node.resultTypes.allSatisfy { type in
      type.hasFixedShape || type.dimensions.allSatisfy { $0.symbols.allSatisfy { symbols[$0] != nil } }
    }
    if !isKnown {
      switch node.op {
      case .getTupleElement(let element): return [operands[element.index].type]
      case .while, .if, .case, .call, .composite: return node.resultTypes
      default: break
      }
      let inferred = try node.op.inferTypes(operands.map(\.type))
      // A dynamic op's own rule only repeats its attribute; its `evaluate` does not ask for the type.
      return inferred.map { (try? resolved($0)) ?? $0 }
    }
    var types: [TensorType] = []
    for type in node.resultTypes { types.append(try resolved(type)) }
    return types
  }

  /// Takes over the extents that a node's results turn out to have for symbols that have no value yet.
  fileprivate mutating func learnSymbols(of node: Node, from results: [Literal]) {
    for (type, literal) in zip(node.resultTypes, results) where !type.hasFixedShape {
      for (extent, value) in zip(type.dimensions, literal.dimensions) {
        if case .symbol(let symbol)? = extent.atom, symbols[symbol] == nil { symbols[symbol] = value }
      }
    }
  }
}

extension Op {
  public var isParameter: Bool {
    if case .parameter = self { return true }
    return false
  }
}

extension Function {
  /// The results for these arguments: binds the symbols of the parameters' extents, then evaluates the graph.
  public func evaluate(_ arguments: [Literal], in module: Module) throws(OpError) -> [Literal] {
    var context = EvaluationContext()
    for function in module.functions { context.functions[function.name] = function }
    context.symbols = try boundSymbols(for: arguments.map(\.type))
    return try graph.evaluate(arguments, in: context)
  }

  /// The values that arguments of these types give to the symbols; throws where they contradict the signature.
  public func boundSymbols(for arguments: [TensorType]) throws(OpError) -> [Symbol: Int] {
    guard arguments.count == graph.parameters.count else {
      throw OpError("\(name) takes \(graph.parameters.count) arguments, not \(arguments.count)")
    }
    var symbols: [Symbol: Int] = [:]
    let pairs = zip(graph.parameterTypes, arguments)
    for (position, (parameter, argument)) in pairs.enumerated() {
      guard parameter.elementType == argument.elementType, parameter.rank == argument.rank else {
        throw OpError(
          "argument \(position) '\(parameterNames[position])' is \(argument), expected \(parameter.detailedDescription)"
        )
      }
      for (extent, value) in zip(parameter.dimensions, argument.dimensions) {
        if case .symbol(let symbol)? = extent.atom, symbols[symbol] == nil { symbols[symbol] = value.fixed }
      }
    }
    let context = EvaluationContext(symbols: symbols)
    for (position, (parameter, argument)) in pairs.enumerated() where try context.resolved(parameter) != argument {
      throw OpError(
        "argument \(position) '\(parameterNames[position])' is \(argument), expected \(parameter.detailedDescription)")
    }
    return symbols
  }
}
