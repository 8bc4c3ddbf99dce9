/// What a name of the text stands for.
indirect enum LoweredValue {
  case tensor(ValueID)
  case tuple([LoweredValue])
  /// Orders side effects; nothing in a graph.
  case token
  /// The result of something unsupported, which is reported once.
  case poison

  /// The tensors, tuples taken apart.
  var tensors: [ValueID] {
    switch self {
    case .tensor(let value): [value]
    case .tuple(let elements): elements.flatMap(\.tensors)
    case .token, .poison: []
    }
  }

  var isPoison: Bool {
    switch self {
    case .poison: true
    case .tuple(let elements): elements.contains(where: \.isPoison)
    case .tensor, .token: false
    }
  }
}

/// Turns syntax into IR: one graph for each function and region, names into values, attributes into ops.
struct Lowering {
  let source: SourceFile
  /// What the file defines beside ops.
  let definitions: SyntaxDefinitions

  /// A graph that is being built, and the names that mean something in it.
  struct Scope {
    var graph = Graph()
    var values: [String: [LoweredValue]] = [:]
  }

  /// The function's scope, then those of the regions around the current op.
  var scopes: [Scope] = []
  var unsupported: [SourceError.Unsupported] = []
  private var usedSymbols: Set<String> = []
  private var symbolCount = 0
  private var locations: [String: Location] = [:]

  init(_ source: SourceFile, _ definitions: SyntaxDefinitions = SyntaxDefinitions()) {
    self.source = source
    self.definitions = definitions
  }

  // MARK: - Modules

  mutating func module(_ ops: [SyntaxOp], name: String) throws(SourceError) -> Module {
    var module = Module(name: name)
    var items = ops
    if ops.count == 1, ops[0].name == "builtin.module" {
      if case .string(let name)? = ops[0]["sym_name"] { module.name = name }
      try bounds(of: ops[0], into: &module)
      items = ops[0].regions.flatMap { $0.blocks.flatMap(\.ops) }
    }
    for item in items { collectUnsupported(item) }
    var names: Set<String> = []
    for item in items where item.name == "func.func" {
      let function = try function(item)
      guard names.insert(function.name).inserted else {
        throw source.error("function '@\(function.name)' is defined twice", at: item.position)
      }
      module.functions.append(function)
    }
    if !unsupported.isEmpty { throw refusal }
    guard !module.functions.isEmpty else { throw source.error("the module has no function", at: 0) }
    return module
  }

  private var refusal: SourceError {
    let ordered = unsupported.sorted { $0.place < $1.place }
    var error = source.error("\(ordered.count) unsupported", at: 0)
    error.place = ordered[0].place
    error.unsupported = ordered
    return error
  }

  private static let structural: Set<String> = [
    "func.func", "func.return", "stablehlo.return", "chlo.return", "builtin.module", "stablehlo.tuple",
    "stablehlo.get_tuple_element", "stablehlo.create_token", "stablehlo.after_all",
  ]
  /// Module-level ops that say how work is spread over devices, which does not change its meaning.
  private static let ignored: Set<String> = ["sdy.mesh"]

  static func isKnown(_ name: String) -> Bool {
    structural.contains(name) || ignored.contains(name) || TextForm.all[name] != nil || Rewrite.all[name] != nil
  }

  /// Notes the custom calls whose targets are not accepted.
  mutating func refuseCustomCalls(in ops: [SyntaxOp], but accepts: (String) -> Bool) {
    for op in ops {
      if op.name == "stablehlo.custom_call" {
        var target = ""
        switch op["call_target_name"] {
        case .string(let name)?, .symbol(let name)?: target = name
        default: break
        }
        if !accepts(target) {
          unsupported.append(source.unsupported("stablehlo.custom_call @\(target)", at: op.position))
        }
      }
      for region in op.regions {
        for block in region.blocks { refuseCustomCalls(in: block.ops, but: accepts) }
      }
    }
  }

  private mutating func collectUnsupported(_ op: SyntaxOp) {
    if Self.ignored.contains(op.name) { return }
    if !Self.isKnown(op.name) || op.isOpaque { unsupported.append(source.unsupported(op.name, at: op.position)) }
    for region in op.regions {
      for block in region.blocks { for inner in block.ops { collectUnsupported(inner) } }
    }
  }

  /// `tfc.symbol_bounds = {batch = [1, 512]}`
  private func bounds(of op: SyntaxOp, into module: inout Module) throws(SourceError) {
    guard case .dictionary(let entries)? = op["tfc.symbol_bounds"] else { return }
    for entry in entries {
      guard let values = entry.value.integerList, let lower = values.first, values.count <= 2 else {
        throw source.error("the bounds of '\(entry.name)' are not one or two integers", at: op.position)
      }
      let upper = values.count == 2 ? values[1] : nil
      module.symbolBounds[Symbol(entry.name)] = SymbolBounds(lower: lower, upper: upper)
    }
  }

  // MARK: - Types

  /// A symbol that no other extent has, named after `wish`.
  mutating func freshSymbol(_ wish: String?) -> Extent {
    var name = wish ?? "s0"
    while usedSymbols.contains(name) {
      name = "s\(symbolCount)"
      symbolCount += 1
    }
    usedSymbols.insert(name)
    return .symbol(name)
  }

  /// The type, its `?` replaced by `extents`, or by symbols of their own.
  mutating func tensorType(
    _ syntax: TypeSyntax, extents: [Extent]? = nil, symbolPrefix: String? = nil, at position: Int
  ) throws(SourceError) -> TensorType {
    guard case .tensor(let dimensions, let element) = syntax else {
      throw source.error("\(syntax) is not a tensor type", at: position)
    }
    if let extents {
      guard extents.count == dimensions.count, zip(extents, dimensions).allSatisfy({ $1 == nil || $0.fixed == $1 })
      else { throw source.error("tfc.extents does not fit \(syntax)", at: position) }
      for extent in extents { usedSymbols.formUnion(extent.symbols.map(\.name)) }
      return TensorType(element, extents)
    }
    var result: [Extent] = []
    for (d, extent) in dimensions.enumerated() {
      if let extent {
        result.append(Extent(extent))
      } else {
        result.append(freshSymbol(symbolPrefix.map { "\($0)_\(d)" }))
      }
    }
    return TensorType(element, result)
  }

  /// Takes tuples apart.
  static func flattened(_ type: TypeSyntax) -> [TypeSyntax] {
    if case .tuple(let elements) = type { return elements.flatMap(flattened) }
    return [type]
  }

  /// `tfc.extents`: for each tensor the texts of its extents.
  func extents(_ attribute: AttributeSyntax?, at position: Int) throws(SourceError) -> [[Extent]]? {
    guard case .array(let lists)? = attribute else { return nil }
    var result: [[Extent]] = []
    for list in lists {
      guard case .array(let texts) = list else {
        throw source.error("tfc.extents is a list of lists of strings", at: position)
      }
      var extents: [Extent] = []
      for text in texts {
        guard case .string(let text) = text else {
          throw source.error("tfc.extents is a list of lists of strings", at: position)
        }
        do { extents.append(try Extent(parsing: text)) } catch { throw source.error(error.message, at: position) }
      }
      result.append(extents)
    }
    return result
  }

  // MARK: - Locations

  /// Where a node comes from: what the text says, else the place in the text.
  mutating func location(_ syntax: LocationSyntax?, at position: Int) -> Location {
    let stated = syntax.map { resolved($0, depth: 0) } ?? .unknown
    return stated == .unknown ? source.location(of: position) : stated
  }

  private mutating func resolved(_ syntax: LocationSyntax, depth: Int) -> Location {
    guard depth < 32 else { return .unknown }
    switch syntax {
    case .unknown: return .unknown
    case .file(let name, let line, let column): return .file(name, line: line, column: column)
    case .name(let name, let child): return .name(name, resolved(child, depth: depth + 1))
    case .fused(let parts): return .fused(parts.map { resolved($0, depth: depth + 1) })
    case .alias(let name):
      if let known = locations[name] { return known }
      guard case .location(let definition)? = definitions.attributes[name] else { return .unknown }
      // Set first, so that an alias of itself ends.
      locations[name] = .unknown
      let location = resolved(definition, depth: depth + 1)
      locations[name] = location
      return location
    }
  }

  // MARK: - Names

  mutating func define(_ name: String, _ values: [LoweredValue], at position: Int) throws(SourceError) {
    guard scopes[scopes.count - 1].values[name] == nil else {
      throw source.error("'%\(name)' is defined twice", at: position)
    }
    scopes[scopes.count - 1].values[name] = values
  }

  /// The value that a use means here. A scalar or splat constant from outside the region is repeated inside it.
  mutating func value(_ use: SyntaxUse, in op: SyntaxOp) throws(SourceError) -> LoweredValue {
    let inner = scopes.count - 1
    if let values = scopes[inner].values[use.name] { return try select(use, values) }
    for outer in stride(from: inner - 1, through: 0, by: -1) {
      guard let values = scopes[outer].values[use.name] else { continue }
      let value = try select(use, values)
      guard case .tensor(let id) = value else { return value }
      let node = scopes[outer].graph[id]
      if case .constant(let constant) = node.op, constant.value.splatValue != nil {
        let copy = scopes[inner].graph.appendUnchecked(node)
        scopes[inner].values[use.name] = [.tensor(copy)]
        return .tensor(copy)
      }
      let feature = "a region that uses '%\(use.name)' from outside"
      unsupported.append(source.unsupported(feature, at: use.position))
      return .poison
    }
    throw source.error("'%\(use.name)' is used before it is defined", at: use.position)
  }

  private func select(_ use: SyntaxUse, _ values: [LoweredValue]) throws(SourceError) -> LoweredValue {
    // However many results something unsupported has, one stands for all.
    if values.count == 1, case .poison = values[0] { return .poison }
    guard values.indices.contains(use.index) else {
      throw source.error("'%\(use.name)' has \(values.count) results, no number \(use.index)", at: use.position)
    }
    return values[use.index]
  }

  /// The declared type of a use must be that of its value, where both are fixed.
  func check(_ use: SyntaxUse, _ value: LoweredValue, is type: TypeSyntax) throws(SourceError) {
    guard case .tensor(let id) = value else { return }
    let actual = scopes[scopes.count - 1].graph.type(of: id)
    guard type.admits(actual) else {
      throw source.error("'%\(use.name)' is \(actual), not \(type)", at: use.position)
    }
  }
}

extension TypeSyntax {
  /// Whether a tensor of `type` may stand where this type is declared.
  func admits(_ type: TensorType) -> Bool {
    guard case .tensor(let dimensions, let element) = self else { return false }
    guard element == type.elementType, dimensions.count == type.rank else { return false }
    return zip(dimensions, type.dimensions).allSatisfy { declared, extent in
      declared == nil || extent.fixed == nil || extent.fixed == declared
    }
  }

  init(_ type: TensorType) { self = .tensor(type.dimensions.map(\.fixed), type.elementType) }
}

extension TypeSyntax: CustomStringConvertible {
  var description: String {
    switch self {
    case .tensor(let dimensions, let element):
      "tensor<" + dimensions.map { "\($0.map { "\($0)" } ?? "?")x" }.joined() + "\(element)>"
    case .tuple(let elements): "tuple<\(elements.map(\.description).joined(separator: ", "))>"
    case .function(let operands, let results): Self.signature(operands, results)
    case .other(let text): text
    }
  }

  /// `(a, b) -> c`
  static func signature(_ operands: [TypeSyntax], _ results: [TypeSyntax]) -> String {
    "(\(operands.map(\.description).joined(separator: ", "))) -> \(list(results))"
  }

  /// One type, or several in parentheses.
  static func list(_ types: [TypeSyntax]) -> String {
    if types.count == 1, case .function = types[0] {} else if types.count == 1 { return types[0].description }
    return "(\(types.map(\.description).joined(separator: ", ")))"
  }
}
