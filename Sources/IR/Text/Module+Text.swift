extension Module {
  /// The module that MLIR text in StableHLO's syntax describes, in pretty or generic form.
  ///
  /// A `custom_call` whose target `acceptsCustomCall` refuses is unsupported, and named with all else that is.
  public init(
    parsing text: String, fileName: String = "<text>", acceptsCustomCall: (String) -> Bool = { _ in true }
  ) throws(SourceError) {
    let source = SourceFile(text, fileName: fileName)
    var parser = try SyntaxParser(source)
    let ops = try parser.file()
    var lowering = Lowering(source, parser.definitions)
    lowering.refuseCustomCalls(in: ops, but: acceptsCustomCall)
    self = try lowering.module(ops, name: "main")
  }

  /// The module in a portable artifact of StableHLO: MLIR bytecode whose operations are VHLO's, of any version.
  ///
  /// A `custom_call` whose target `acceptsCustomCall` refuses is unsupported, and named with all else that is.
  public init(
    bytecode bytes: [UInt8], fileName: String = "<bytecode>", acceptsCustomCall: (String) -> Bool = { _ in true }
  ) throws(SourceError) {
    let source = SourceFile(bytecode: bytes, fileName: fileName)
    var operations = BytecodeOperations(try BytecodeFile(source))
    let ops = try operations.module()
    var lowering = Lowering(source)
    lowering.refuseCustomCalls(in: ops, but: acceptsCustomCall)
    self = try lowering.module(ops, name: "main")
  }

  /// Whether a file that begins with `bytes` is MLIR bytecode.
  public static func isBytecode(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: BytecodeFile.magic) }

  /// The module in StableHLO's syntax: what `init(parsing:)` and StableHLO's own tools read.
  public func irText(locations: Bool = false) -> String { irText(locations: locations, isGeneric: false) }

  /// The text, every op in MLIR's generic form if asked for.
  func irText(locations: Bool, isGeneric: Bool) -> String {
    var printer = SyntaxPrinter(printsLocations: locations, isGeneric: isGeneric)
    printer.operation(Raising.module(self))
    return printer.text + "\n"
  }
}

extension Function {
  /// The function in StableHLO's syntax.
  public func irText(locations: Bool = false) -> String {
    var raising = Raising()
    var printer = SyntaxPrinter(printsLocations: locations)
    printer.operation(raising.function(self))
    return printer.text + "\n"
  }
}

extension Graph {
  /// The graph as a function `@graph` in StableHLO's syntax.
  public var irText: String { Function(name: "graph", graph: self).irText() }
}

extension Graph {
  /// The same graph, its nodes coming from nowhere: equal for equal texts, wherever they stand.
  public func removingLocations() -> Graph {
    var copy = Graph()
    for node in nodes {
      var node = node
      node.location = .unknown
      let regions = node.op.definition.regions
      if !regions.isEmpty { node.op = node.op.definition.withRegions(regions.map { $0.removingLocations() }) }
      _ = copy.appendUnchecked(node)
    }
    copy.results = results
    return copy
  }
}

extension Module {
  /// The same module, its nodes coming from nowhere.
  public func removingLocations() -> Module {
    var copy = self
    for index in functions.indices { copy.functions[index].graph = functions[index].graph.removingLocations() }
    return copy
  }
}
