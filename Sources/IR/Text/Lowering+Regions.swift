extension Lowering {
  // MARK: - Functions

  mutating func function(_ op: SyntaxOp) throws(SourceError) -> Function {
    guard case .string(let name)? = op["sym_name"] else {
      throw source.error("a function needs a name", at: op.position)
    }
    guard case .type(.function(let parameterTypes, let resultTypes))? = op["function_type"] else {
      throw source.error("function '@\(name)' has no type", at: op.position)
    }
    guard op.regions.count == 1, op.regions[0].blocks.count == 1 else {
      throw source.error("function '@\(name)' needs a body of one block", at: op.position)
    }
    let block = op.regions[0].blocks[0]
    guard block.arguments.map(\.type) == parameterTypes else {
      throw source.error("the arguments of '@\(name)' do not have its type", at: op.position)
    }
    var isPublic = true
    if case .string(let visibility)? = op["sym_visibility"] { isPublic = visibility == "public" }
    let argumentAttributes = Self.dictionaries(op["arg_attrs"], count: parameterTypes.count)
    let resultAttributes = Self.dictionaries(op["res_attrs"], count: resultTypes.count)
    scopes = [Scope()]
    var names: [String] = []
    var donors: [(parameter: Int, result: Int?)] = []
    for (argument, attributes) in zip(block.arguments, argumentAttributes) {
      let first = names.count
      try parameter(argument, attributes, prefix: isPublic ? "" : "\(name).", &names)
      if case .integer(let result, _)? = attributes["tf.aliasing_output"] {
        donors.append((first, Int(result)))
      } else if case .boolean(true)? = attributes["jax.buffer_donor"] {
        donors.append((first, nil))
      }
    }
    let results = try body(block, of: "@\(name)", terminator: "func.return", at: op.position)
    var graph = scopes[0].graph
    graph.results = results
    scopes = []
    var function = Function(name: name, graph: graph, isPublic: isPublic, parameterNames: names)
    try check(results: results, of: function, are: resultTypes.flatMap(Self.flattened), at: op.position)
    for (position, attributes) in resultAttributes.enumerated() where results.count == resultTypes.count {
      if case .string(let name)? = attributes["tfc.name"] { function.resultNames[position] = name }
    }
    function.setAliases(donors)
    return function
  }

  private func check(results: [ValueID], of function: Function, are types: [TypeSyntax], at position: Int)
    throws(SourceError)
  {
    // What is missing is the result of something unsupported.
    guard unsupported.isEmpty else { return }
    let tensors = types.filter { !$0.isToken }
    guard tensors.count == results.count else {
      throw source.error("'@\(function.name)' returns \(results.count) values, not \(tensors.count)", at: position)
    }
    for (value, type) in zip(results, tensors) where !type.admits(function.graph.type(of: value)) {
      throw source.error("'@\(function.name)' returns \(function.graph.type(of: value)), not \(type)", at: position)
    }
  }

  private static func dictionaries(_ attribute: AttributeSyntax?, count: Int) -> [[String: AttributeSyntax]] {
    var result = [[String: AttributeSyntax]](repeating: [:], count: count)
    guard case .array(let elements)? = attribute else { return result }
    for (position, element) in elements.prefix(count).enumerated() {
      guard case .dictionary(let entries) = element else { continue }
      for entry in entries { result[position][entry.name] = entry.value }
    }
    return result
  }

  private mutating func parameter(
    _ argument: SyntaxArgument, _ attributes: [String: AttributeSyntax], prefix: String, _ names: inout [String]
  ) throws(SourceError) {
    let location = location(argument.location, at: argument.position)
    let extents = try self.extents(attributes["tfc.extents"], at: argument.position)
    var rest = (extents ?? [])[...]
    var written = argument.name
    if written.isEmpty || written.isNumbered { written = "" }
    for key in ["tfc.name", "jax.global_constant"] {
      if case .string(let name)? = attributes[key] {
        written = name
        break
      }
    }
    func value(_ type: TypeSyntax, _ lowering: inout Lowering) throws(SourceError) -> LoweredValue {
      if type.isToken { return .token }
      if case .tuple(let elements) = type {
        var values: [LoweredValue] = []
        for element in elements { values.append(try value(element, &lowering)) }
        return .tuple(values)
      }
      let name = written.isEmpty || names.contains(written) ? "arg\(names.count)" : written
      let tensor = try lowering.tensorType(
        type, extents: rest.popFirst(), symbolPrefix: prefix + name, at: argument.position)
      names.append(name)
      return .tensor(lowering.scopes[0].graph.addParameter(tensor, name: name, location: location))
    }
    let lowered = try value(argument.type, &self)
    if !argument.name.isEmpty { try define(argument.name, [lowered], at: argument.position) }
  }

  // MARK: - Regions

  /// Lowers the ops of a block into the current scope; gives what its terminator returns, nothing if part of it is the
  /// result of something unsupported.
  private mutating func body(_ block: SyntaxBlock, of owner: String, terminator: String, at position: Int)
    throws(SourceError) -> [ValueID]
  {
    guard let last = block.ops.last, last.name.hasSuffix(".return") else {
      throw source.error(
        "the body of \(owner) does not end with '\(terminator)'", at: block.ops.last?.position ?? position)
    }
    for op in block.ops.dropLast() {
      guard !op.name.hasSuffix(".return") else {
        throw source.error("'\(op.name)' is not the last operation", at: op.position)
      }
      try lower(op)
    }
    var results: [ValueID] = []
    for (use, type) in zip(last.operands, last.operandTypes) {
      let value = try value(use, in: last)
      if value.isPoison { return [] }
      if Self.flattened(type).count == 1 { try check(use, value, is: type) }
      results += value.tensors
    }
    return results
  }

  /// A region that takes only its arguments; constants from outside are repeated inside.
  mutating func closedRegion(_ region: SyntaxRegion, of op: SyntaxOp) throws(SourceError) -> Graph {
    let block = try onlyBlock(region, of: op)
    scopes.append(Scope())
    for argument in block.arguments {
      let type = try tensorType(argument.type, at: argument.position)
      let location = location(argument.location, at: argument.position)
      let value = scopes[scopes.count - 1].graph.addParameter(type, location: location)
      try define(argument.name, [.tensor(value)], at: argument.position)
    }
    return try closeScope(block, of: op)
  }

  /// Regions that take the operands for their arguments, and as further parameters what they use from outside:
  /// that becomes operands too.
  mutating func capturingRegions(of op: SyntaxOp, _ operands: inout [ValueID]) throws(SourceError) -> [Graph] {
    var captures: [(use: SyntaxUse, value: ValueID)] = []
    var seen: Set<SyntaxUseKey> = []
    for region in op.regions {
      for use in region.freeUses where seen.insert(SyntaxUseKey(name: use.name, index: use.index)).inserted {
        // What is not a value here is reported at its use.
        guard case .tensor(let value)? = capturedValue(use) else { continue }
        captures.append((use, value))
      }
    }
    let initial = operands
    operands += captures.map(\.value)
    let current = scopes.count - 1
    let types = operands.map { scopes[current].graph.type(of: $0) }
    var regions: [Graph] = []
    for region in op.regions {
      let block = try onlyBlock(region, of: op)
      guard block.arguments.isEmpty || block.arguments.count == initial.count else {
        throw source.error(
          "a region of '\(op.name)' takes \(block.arguments.count) arguments, not \(initial.count)", at: op.position)
      }
      scopes.append(Scope())
      for (argument, type) in zip(block.arguments, types) {
        guard argument.type.admits(type) else {
          throw source.error("'%\(argument.name)' is \(type), not \(argument.type)", at: argument.position)
        }
        let location = location(argument.location, at: argument.position)
        let value = scopes[scopes.count - 1].graph.addParameter(type, location: location)
        try define(argument.name, [.tensor(value)], at: argument.position)
      }
      for (capture, type) in zip(captures, types.dropFirst(initial.count)) {
        let location = source.location(of: capture.use.position)
        let value = scopes[scopes.count - 1].graph.addParameter(type, location: location)
        let name = capture.use.name
        var parts = scopes[scopes.count - 1].values[name] ?? []
        while parts.count <= capture.use.index { parts.append(.poison) }
        parts[capture.use.index] = .tensor(value)
        scopes[scopes.count - 1].values[name] = parts
      }
      regions.append(try closeScope(block, of: op))
    }
    return regions
  }

  /// The value of the current graph that a region takes over: none for constants, which are repeated inside, and for
  /// names that mean nothing here.
  private func capturedValue(_ use: SyntaxUse) -> LoweredValue? {
    let scope = scopes[scopes.count - 1]
    guard let values = scope.values[use.name], values.indices.contains(use.index) else { return nil }
    let value = values[use.index]
    if case .tensor(let id) = value, case .constant(let constant) = scope.graph[id].op,
      constant.value.splatValue != nil
    {
      return nil
    }
    return value
  }

  private func onlyBlock(_ region: SyntaxRegion, of op: SyntaxOp) throws(SourceError) -> SyntaxBlock {
    guard region.blocks.count == 1 else {
      throw source.error("a region of '\(op.name)' has \(region.blocks.count) blocks, not 1", at: op.position)
    }
    return region.blocks[0]
  }

  private mutating func closeScope(_ block: SyntaxBlock, of op: SyntaxOp) throws(SourceError) -> Graph {
    let results = try body(block, of: "'\(op.name)'", terminator: "stablehlo.return", at: op.position)
    var graph = scopes[scopes.count - 1].graph
    graph.results = results
    scopes.removeLast()
    return graph
  }
}

extension String {
  /// Whether the name is what a printer made up: `arg3`, `3`.
  fileprivate var isNumbered: Bool {
    let digits = hasPrefix("arg") ? dropFirst(3) : self[...]
    return !digits.isEmpty && digits.utf8.allSatisfy(\.isDigit)
  }
}

extension Function {
  /// Gives donated parameters to results: to the named one, else to the first of the same type that is free.
  fileprivate mutating func setAliases(_ donors: [(parameter: Int, result: Int?)]) {
    for (parameter, result) in donors {
      if let result, aliases.indices.contains(result) { aliases[result] = parameter }
    }
    let types = graph.resultTypes
    for (parameter, result) in donors where result == nil {
      let type = graph.type(of: graph.parameters[parameter])
      if let free = types.indices.first(where: { aliases[$0] == nil && types[$0] == type }) {
        aliases[free] = parameter
      }
    }
  }
}
