public import IR

extension Module {
  /// The function with every call and composite replaced by what its function computes, in regions too.
  ///
  /// A callee's symbols become the extents of the arguments; its other symbols get names of their own at each call.
  /// A symbol whose value is passed for a parameter that the callee gives a name (`jax.global_constant = "batch"`)
  /// takes that name.
  public func inliningCalls(in function: Function) throws(OpError) -> Function {
    var named: [String: Function] = [:]
    for function in functions { named[function.name] = function }
    var inliner = Inliner(functions: named, stack: [function.name], reserved: function.graph.symbols)
    var inlined = function
    inlined.graph = try inliner.inlined(function.graph)
    let names = inliner.symbolNames
    if !names.isEmpty {
      inlined.graph = inlined.graph.mappingExtents { extent in
        extent.substituting { atom in
          guard case .symbol(let symbol) = atom, let name = names[symbol] else { return nil }
          return Extent(.symbol(name))
        }
      }
    }
    return inlined
  }
}

private struct Inliner {
  let functions: [String: Function]
  /// The functions whose bodies are being copied, outermost first.
  var stack: [String]
  /// Symbols that a new name must not take.
  var reserved: Set<Symbol>
  /// Better names for symbols, from the parameters their values are passed for.
  var symbolNames: [Symbol: Symbol] = [:]
  private var callCount = 0
  private static let nodeLimit = 1 << 20
  /// How many more nodes may be copied.
  private var budget = nodeLimit

  init(functions: [String: Function], stack: [String], reserved: Set<Symbol>) {
    self.functions = functions
    self.stack = stack
    self.reserved = reserved
  }

  mutating func inlined(_ graph: Graph) throws(OpError) -> Graph {
    var target = Graph()
    target.results = try copy(graph, into: &target, arguments: nil)
    return target
  }

  /// Appends the graph's nodes; its results in the target. Without arguments, parameters are copied as they are.
  private mutating func copy(_ graph: Graph, into target: inout Graph, arguments: [ValueID]?) throws(OpError)
    -> [ValueID]
  {
    // The values of a node: several for an inlined call with several results.
    var values: [[ValueID]] = []
    values.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      budget -= 1
      guard budget >= 0 else {
        let message = "@\(stack[0]) has more than \(Self.nodeLimit) nodes once its calls are replaced"
        throw OpError(message).at(node.location)
      }
      let operands = node.operands.flatMap { values[$0.index] }
      switch node.op {
      case .parameter(let parameter):
        values.append([arguments?[parameter.index] ?? target.appendUnchecked(node)])
      case .getTupleElement(let element) where !isTuple(operands, target):
        values.append([operands[element.index]])
      case .call(let call):
        values.append(try inline(call.function, node, operands, into: &target))
      case .composite(let composite):
        values.append(try inline(composite.decomposition, node, operands, into: &target))
      default:
        var new = node
        new.operands = operands
        if !node.op.definition.regions.isEmpty { new.op = try inliningRegions(of: node) }
        values.append([target.appendUnchecked(new)])
      }
    }
    return graph.results.map { values[$0.index][0] }
  }

  /// Whether a `get_tuple_element`'s operand is still one node with a list of results.
  private func isTuple(_ operands: [ValueID], _ target: Graph) -> Bool {
    operands.count == 1 && !target[operands[0]].hasSingleResult
  }

  private mutating func inliningRegions(of node: Node) throws(OpError) -> Op {
    var regions: [Graph] = []
    for region in node.op.definition.regions { regions.append(try inlined(region)) }
    return node.op.definition.withRegions(regions)
  }

  private mutating func inline(_ name: String, _ node: Node, _ operands: [ValueID], into target: inout Graph)
    throws(OpError) -> [ValueID]
  {
    guard let function = functions[name] else {
      throw OpError("\(node.op.mnemonic) of @\(name), which is not in the module").at(node.location)
    }
    guard !stack.contains(name) else {
      let path = (stack.drop { $0 != name } + [name]).map { "@\($0)" }.joined(separator: " calls ")
      throw OpError("recursive calls cannot be compiled: \(path)").at(node.location)
    }
    let types = operands.map { target.type(of: $0) }
    guard types.count == function.graph.parameters.count, node.resultTypes.count == function.graph.results.count else {
      throw OpError(
        "@\(name) takes \(function.graph.parameters.count) operands and has \(function.graph.results.count) results,"
          + " not \(types.count) and \(node.resultTypes.count)"
      ).at(node.location)
    }
    for (position, (type, parameter)) in zip(types, function.graph.parameterTypes).enumerated()
    where type.elementType != parameter.elementType || type.rank != parameter.rank {
      throw OpError("operand \(position) of @\(name) is \(type), its parameter is \(parameter)").at(node.location)
    }
    takeNames(of: function, operands, target)
    stack.append(name)
    let body = localizingSymbols(of: function.graph, types)
    let results = try copy(body, into: &target, arguments: operands)
    stack.removeLast()
    return results
  }

  /// The callee's graph in terms of the caller's symbols.
  private mutating func localizingSymbols(of graph: Graph, _ types: [TensorType]) -> Graph {
    let symbols = graph.symbols
    if symbols.isEmpty { return graph }
    callCount += 1
    var replacements: [Symbol: Extent] = [:]
    for (type, parameter) in zip(types, graph.parameterTypes) {
      for (extent, expected) in zip(type.dimensions, parameter.dimensions) {
        if case .symbol(let symbol)? = expected.atom, replacements[symbol] == nil { replacements[symbol] = extent }
      }
    }
    for symbol in symbols where replacements[symbol] == nil {
      var name = Symbol("\(symbol.name).\(callCount)")
      while reserved.contains(name) { name = Symbol(name.name + "_") }
      reserved.insert(name)
      replacements[symbol] = Extent(.symbol(name))
    }
    return graph.mappingExtents { extent in
      extent.substituting { atom in
        if case .symbol(let symbol) = atom { return replacements[symbol] }
        return nil
      }
    }
  }

  /// Names the symbols whose extents are passed for scalar parameters with names of their own.
  private mutating func takeNames(of function: Function, _ operands: [ValueID], _ target: Graph) {
    for (position, operand) in operands.enumerated() {
      let name = Symbol(function.parameterNames[position])
      let isNamed =
        !name.name.isEmpty && name.name != "arg\(position)" && !reserved.contains(name)
        && !symbolNames.values.contains(name)
      guard isNamed, let symbol = target.symbol(measuredBy: operand), symbolNames[symbol] == nil else { continue }
      symbolNames[symbol] = name
    }
  }
}

extension Graph {
  /// The symbols in the types and attributes of all nodes, those in regions included.
  var symbols: Set<Symbol> {
    var found: Set<Symbol> = []
    _ = mappingExtents { extent in
      found.formUnion(extent.symbols)
      return extent
    }
    return found
  }

  /// The symbol that is the extent a scalar value measures: of `get_dimension_size` of a parameter.
  fileprivate func symbol(measuredBy value: ValueID) -> Symbol? {
    let node = self[value]
    if case .pointwise(let pointwise) = node.op, case .convert = pointwise.function {
      return symbol(measuredBy: node.operands[0])
    }
    guard case .getDimensionSize(let measured) = node.op, self[node.operands[0]].op.isParameter else { return nil }
    guard case .symbol(let symbol)? = type(of: node.operands[0]).dimensions[measured.dimension].atom else { return nil }
    return symbol
  }
}
