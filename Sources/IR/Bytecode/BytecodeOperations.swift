/// The operations of a bytecode file as syntax, in StableHLO's dialects.
struct BytecodeOperations {
  /// The values that operations may use by number: regions that nothing leads into count anew.
  private struct Scope {
    /// Nil where the value is not defined yet.
    var types: [TypeSyntax?] = []
    /// The number of the next value of each region that is open.
    var next: [Int] = []
  }

  private var values: BytecodeValues
  private var scopes: [Scope] = []
  private var depth = 0
  private var file: BytecodeFile { values.file }

  private struct Contents: OptionSet {
    let rawValue: UInt8
    static let attributes = Contents(rawValue: 1)
    static let results = Contents(rawValue: 2)
    static let operands = Contents(rawValue: 4)
    static let successors = Contents(rawValue: 8)
    static let regions = Contents(rawValue: 16)
    static let useOrders = Contents(rawValue: 32)
    static let properties = Contents(rawValue: 64)
  }

  init(_ file: BytecodeFile) { values = BytecodeValues(file) }

  /// The operations that stand in no region: the module.
  mutating func module() throws(SourceError) -> [SyntaxOp] {
    var reader = file.operations
    scopes = [Scope(types: [], next: [0])]
    return try block(&reader).ops
  }

  // MARK: - Regions

  private mutating func region(_ reader: inout ByteReader) throws(SourceError) -> SyntaxRegion {
    depth += 1
    defer { depth -= 1 }
    guard depth <= SyntaxParser.nestingLimit else {
      throw reader.error("regions nest deeper than \(SyntaxParser.nestingLimit) levels")
    }
    let blockCount = try reader.count("blocks")
    guard blockCount > 0 else { return SyntaxRegion() }
    let valueCount = try reader.count("values")
    let current = scopes.count - 1
    let first = scopes[current].types.count
    scopes[current].next.append(first)
    scopes[current].types += repeatElement(nil, count: valueCount)
    var region = SyntaxRegion()
    for _ in 0..<blockCount { region.blocks.append(try block(&reader)) }
    scopes[current].types.removeLast(valueCount)
    scopes[current].next.removeLast()
    return region
  }

  private mutating func block(_ reader: inout ByteReader) throws(SourceError) -> SyntaxBlock {
    let (operationCount, hasArguments) = try reader.flaggedInteger()
    guard operationCount <= UInt64(reader.end - reader.position) else {
      throw reader.error("\(operationCount) operations do not fit into \(reader.end - reader.position) bytes")
    }
    var block = SyntaxBlock()
    if hasArguments {
      let count = try reader.count("arguments")
      for _ in 0..<count { block.arguments.append(try argument(&reader)) }
      if file.version >= 3, try reader.byte() != 0 { try skipUseOrders(&reader, of: count) }
    }
    for _ in 0..<operationCount { block.ops.append(try operation(&reader)) }
    return block
  }

  private mutating func argument(_ reader: inout ByteReader) throws(SourceError) -> SyntaxArgument {
    let position = reader.position
    var hasLocation = true
    let type: TypeSyntax
    if file.version >= 4 {
      let (index, flag) = try reader.flaggedInteger()
      hasLocation = flag
      type = try values.type(Int(clamping: index), reader)
    } else {
      type = try values.type(&reader)
    }
    let location = hasLocation ? try values.location(&reader) : nil
    let name = try define(type, reader)
    return SyntaxArgument(name: name, type: type, position: position, location: location)
  }

  // MARK: - Values

  /// Gives the next number to a value.
  private mutating func define(_ type: TypeSyntax, _ reader: ByteReader) throws(SourceError) -> String {
    let current = scopes.count - 1
    guard let number = scopes[current].next.last, number < scopes[current].types.count else {
      throw reader.error("a region defines more values than it says")
    }
    scopes[current].types[number] = type
    scopes[current].next[scopes[current].next.count - 1] = number + 1
    return "\(number)"
  }

  private func use(_ reader: inout ByteReader) throws(SourceError) -> (SyntaxUse, TypeSyntax) {
    let position = reader.position
    let number = Int(clamping: try reader.integer())
    let types = scopes[scopes.count - 1].types
    guard types.indices.contains(number), let type = types[number] else {
      throw file.source.error("'%\(number)' is used before it is defined", at: position)
    }
    return (SyntaxUse(name: "\(number)", position: position), type)
  }

  /// The order of a value's uses in memory, which means nothing.
  private func skipUseOrders(_ reader: inout ByteReader, of valueCount: Int) throws(SourceError) {
    let count = valueCount > 1 ? try reader.count("orders") : 1
    for _ in 0..<count {
      if valueCount > 1 { _ = try reader.integer() }
      let (length, _) = try reader.flaggedInteger()
      guard length <= UInt64(reader.end - reader.position) else { throw reader.error("an order does not fit") }
      for _ in 0..<length { _ = try reader.integer() }
    }
  }

  // MARK: - Operations

  private mutating func operation(_ reader: inout ByteReader) throws(SourceError) -> SyntaxOp {
    let position = reader.position
    let index = Int(clamping: try reader.integer())
    guard file.operationNames.indices.contains(index) else {
      throw file.source.error("there is no kind of operation number \(index)", at: position)
    }
    let kind = file.operationNames[index]
    var op = SyntaxOp(name: kind.name, position: position)
    let contents = Contents(rawValue: try reader.byte())
    op.location = try values.location(&reader)
    if contents.contains(.attributes) { op.attributes = try values.dictionary(&reader) }
    if contents.contains(.properties) { try readProperties(of: kind, into: &op, &reader) }
    if contents.contains(.results) { op.resultTypes = try values.typeList(&reader) }
    if contents.contains(.operands) {
      for _ in 0..<(try reader.count("operands")) {
        let (use, type) = try use(&reader)
        op.operands.append(use)
        op.operandTypes.append(type)
      }
    }
    if contents.contains(.successors) {
      _ = try reader.list("blocks") { (reader) throws(SourceError) in try reader.integer() }
    }
    if contents.contains(.useOrders) { try skipUseOrders(&reader, of: op.resultTypes.count) }
    let start = reader.position
    let (regionCount, isIsolated) = contents.contains(.regions) ? try reader.flaggedInteger() : (0, false)
    guard regionCount <= UInt64(reader.end - reader.position) else {
      throw file.source.error("\(regionCount) regions do not fit", at: start)
    }
    // Results that stand in no region have no number.
    if scopes.count > 1 || !scopes[0].types.isEmpty {
      for type in op.resultTypes {
        op.results.append(SyntaxDefinition(name: try define(type, reader), position: position))
      }
    }
    guard isIsolated else {
      for _ in 0..<regionCount { op.regions.append(try region(&reader)) }
      return try VersionedOperation.stableHLO(op, file.source)
    }
    scopes.append(Scope())
    var body = reader
    if file.version >= 2, regionCount > 0 { body = try reader.section().body }
    for _ in 0..<regionCount { op.regions.append(try region(&body)) }
    if file.version < 2 { reader = body }
    scopes.removeLast()
    return try VersionedOperation.stableHLO(op, file.source)
  }

  /// Reads what an operation keeps beside its dictionary.
  private mutating func readProperties(
    of kind: BytecodeFile.OperationName, into op: inout SyntaxOp, _ reader: inout ByteReader
  ) throws(SourceError) {
    guard kind.isRegistered else {
      op.attributes += try values.dictionary(&reader)
      return
    }
    let start = reader.position
    let index = Int(clamping: try reader.integer())
    guard file.properties.indices.contains(index) else {
      throw file.source.error("there are no properties number \(index)", at: start)
    }
    var body = ByteReader(file.source, file.properties[index])
    if kind.name == "builtin.module" {
      if let name = try values.optionalAttribute(&body) { op["sym_name"] = name }
      return
    }
    guard kind.name.hasPrefix("vhlo.") else {
      throw file.source.error(
        "the file has '\(kind.name)' as programs hold it in memory; write a portable artifact, or text", at: start)
    }
    guard let names = VersionedAttributes.names(of: String(kind.name.dropFirst("vhlo.".count))) else {
      op.isOpaque = true
      return
    }
    for name in names {
      op.attributes.append(NamedAttribute(name: name, value: try values.attribute(&body)))
    }
  }
}
