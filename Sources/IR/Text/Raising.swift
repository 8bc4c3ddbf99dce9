/// Turns IR into the syntax of its text.
struct Raising {
  private var valueCount = 0
  private var argumentCount = 0

  static func module(_ module: Module) -> SyntaxOp {
    var op = SyntaxOp(name: "builtin.module", position: 0)
    op["sym_name"] = .string(module.name)
    if !module.symbolBounds.isEmpty {
      let entries = module.symbolBounds.sorted { $0.key < $1.key }.map { symbol, bounds in
        let values = [bounds.lower] + (bounds.upper.map { [$0] } ?? [])
        return NamedAttribute(name: symbol.name, value: .array(values.map { .integer(Int64($0)) }))
      }
      op["tfc.symbol_bounds"] = .dictionary(entries)
    }
    let functions = module.functions.map { function in
      var raising = Raising()
      return raising.function(function)
    }
    op.regions = [SyntaxRegion(blocks: [SyntaxBlock(ops: functions)])]
    return op
  }

  mutating func function(_ function: Function) -> SyntaxOp {
    var op = SyntaxOp(name: "func.func", position: 0)
    let graph = function.graph
    let resultTypes = graph.resultTypes
    op["sym_name"] = .string(function.name)
    op["sym_visibility"] = .string(function.isPublic ? "public" : "private")
    op["function_type"] = .type(
      .function(graph.parameterTypes.map { TypeSyntax($0) }, resultTypes.map { TypeSyntax($0) }))
    var arguments: [SyntaxArgument] = []
    var taken: Set<String> = []
    for (index, parameter) in graph.parameters.enumerated() {
      let type = graph.type(of: parameter)
      let name = function.parameterNames.indices.contains(index) ? function.parameterNames[index] : ""
      let isWritable = name.isValueName && !name.isMadeUp && taken.insert(name).inserted
      let written = isWritable ? name : "arg\(index)"
      var argument = SyntaxArgument(name: written, type: TypeSyntax(type), position: 0)
      if name != written { argument.attributes.append(NamedAttribute(name: "tfc.name", value: .string(name))) }
      if let result = function.aliases.firstIndex(of: index) {
        argument.attributes.append(NamedAttribute(name: "tf.aliasing_output", value: .integer(Int64(result), "i32")))
      }
      if !type.hasFixedShape {
        argument.attributes.append(NamedAttribute(name: "tfc.extents", value: Self.extents([type])))
      }
      argument.location = LocationSyntax(graph[parameter].location)
      arguments.append(argument)
    }
    argumentCount = arguments.count
    op["arg_attrs"] = .array(arguments.map { .dictionary($0.attributes) })
    op["res_attrs"] = .array(
      function.resultNames.enumerated().map { index, name in
        .dictionary(name == "out\(index)" ? [] : [NamedAttribute(name: "tfc.name", value: .string(name))])
      })
    let names = arguments.map { SyntaxUse(name: $0.name, position: 0) }
    var block = block(graph, parameters: names, terminator: "func.return")
    block.arguments = arguments
    op.regions = [SyntaxRegion(blocks: [block])]
    return op
  }

  private static func extents(_ types: [TensorType]) -> AttributeSyntax {
    .array(types.map { type in .array(type.dimensions.map { .string($0.text) }) })
  }

  /// The ops of a graph whose parameters have these names.
  private mutating func block(_ graph: Graph, parameters: [SyntaxUse], terminator: String) -> SyntaxBlock {
    var names = [SyntaxUse](repeating: SyntaxUse(name: "", position: 0), count: graph.nodes.count)
    for (parameter, name) in zip(graph.parameters, parameters) { names[parameter.index] = name }
    var block = SyntaxBlock()
    for value in graph.values {
      let node = graph[value]
      switch node.op {
      case .parameter: continue
      case .getTupleElement(let element):
        let tuple = names[node.operands[0].index]
        let isTuple = !graph[node.operands[0]].hasSingleResult
        names[value.index] = isTuple ? SyntaxUse(name: tuple.name, index: element.index, position: 0) : tuple
      default:
        let name = "\(valueCount)"
        valueCount += 1
        names[value.index] = SyntaxUse(name: name, position: 0)
        let operands = node.operands.map { names[$0.index] }
        let operandTypes = node.operands.map { graph[$0].resultTypes[0] }
        block.ops.append(op(node, named: name, operands, operandTypes))
      }
    }
    var end = SyntaxOp(name: terminator, position: 0)
    end.operands = graph.results.map { names[$0.index] }
    end.operandTypes = graph.resultTypes.map { TypeSyntax($0) }
    block.ops.append(end)
    return block
  }

  private mutating func op(
    _ node: Node, named name: String, _ operands: [SyntaxUse], _ operandTypes: [TensorType]
  ) -> SyntaxOp {
    let form = TextForm.all[node.op.mnemonic]
    var op = SyntaxOp(name: node.op.mnemonic, position: 0)
    op.location = LocationSyntax(node.location)
    if !node.resultTypes.isEmpty {
      op.results = [SyntaxDefinition(name: name, count: node.resultTypes.count, position: 0)]
    }
    op.resultTypes = node.resultTypes.map { TypeSyntax($0) }
    var writer = OpWriter()
    form?.write(node.op, &writer)
    op.attributes = writer.attributes
    if !node.resultTypes.allSatisfy(\.hasFixedShape) { op["tfc.extents"] = Self.extents(node.resultTypes) }
    var explicit = operands.count
    var argumentsCount: Int?
    if form?.captures == .operands {
      explicit = 1
      argumentsCount = 0
      if case .while(let loop) = node.op {
        explicit = loop.body.results.count
        argumentsCount = explicit
      }
    }
    op.operands = Array(operands.prefix(explicit))
    op.operandTypes = operandTypes.prefix(explicit).map { TypeSyntax($0) }
    let captures = Array(operands.dropFirst(explicit))
    for region in node.op.definition.regions {
      op.regions.append(self.region(region, arguments: argumentsCount ?? region.parameters.count, captures))
    }
    return op
  }

  /// A region whose first parameters are block arguments, and whose others are values from outside.
  private mutating func region(_ graph: Graph, arguments count: Int, _ captures: [SyntaxUse]) -> SyntaxRegion {
    var arguments: [SyntaxArgument] = []
    for parameter in graph.parameters.prefix(count) {
      let type = TypeSyntax(graph.type(of: parameter))
      var argument = SyntaxArgument(name: "arg\(argumentCount)", type: type, position: 0)
      argument.location = LocationSyntax(graph[parameter].location)
      argumentCount += 1
      arguments.append(argument)
    }
    let names = arguments.map { SyntaxUse(name: $0.name, position: 0) } + captures
    var block = block(graph, parameters: names, terminator: "stablehlo.return")
    block.arguments = arguments
    return SyntaxRegion(blocks: [block])
  }
}

extension String {
  /// Whether the name may stand after `%`.
  fileprivate var isValueName: Bool { !isEmpty && utf8.allSatisfy(\.isNamePart) }

  /// Whether the parser would not take the name for one that the user gave.
  fileprivate var isMadeUp: Bool {
    let digits = hasPrefix("arg") ? dropFirst(3) : self[...]
    return digits.utf8.allSatisfy(\.isDigit)
  }
}

extension LocationSyntax {
  init?(_ location: Location) {
    switch location {
    case .unknown: return nil
    case .file(let name, let line, let column): self = .file(name, line: line, column: column)
    case .name(let name, let child): self = .name(name, LocationSyntax(child) ?? .unknown)
    case .fused(let parts): self = .fused(parts.map { LocationSyntax($0) ?? .unknown })
    }
  }
}
