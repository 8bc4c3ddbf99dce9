/// Reads MLIR text into syntax: one pass, one token ahead, nesting limited.
struct SyntaxParser {
  let source: SourceFile
  var lexer: Lexer
  var token: Token
  /// Regions, attributes and types may nest this deep together.
  static let nestingLimit = 128
  private var depth = 0
  var definitions = SyntaxDefinitions()
  var typeAliases: [String: TypeSyntax] = [:]

  init(_ source: SourceFile) throws(SourceError) {
    self.source = source
    lexer = Lexer(source)
    token = try lexer.next()
  }

  // MARK: - Tokens

  mutating func advance() throws(SourceError) { token = try lexer.next() }

  /// Goes on after `offset`, forgetting the token read ahead.
  mutating func resume(at offset: Int) throws(SourceError) {
    lexer.position = offset
    token = try lexer.next()
  }

  func error(_ message: String) -> SourceError { source.error(message, at: token.start) }

  func text(_ token: Token) -> String { source.string(token.range) }

  /// How an error message names the token.
  var tokenDescription: String {
    if token.kind == .endOfFile { return "the end of the text" }
    let end = min(token.end, token.start + 40)
    return "'\(source.string(token.start..<max(end, token.start)))'"
  }

  func isKeyword(_ word: String) -> Bool { token.kind == .identifier && matches(token.range, word) }

  private func matches(_ range: Range<Int>, _ word: String) -> Bool {
    word.utf8.count == range.count && source.bytes[range].elementsEqual(word.utf8)
  }

  mutating func accept(_ kind: Token.Kind) throws(SourceError) -> Bool {
    guard token.kind == kind else { return false }
    try advance()
    return true
  }

  mutating func accept(keyword: String) throws(SourceError) -> Bool {
    guard isKeyword(keyword) else { return false }
    try advance()
    return true
  }

  mutating func expect(_ kind: Token.Kind, _ spelling: String) throws(SourceError) {
    guard token.kind == kind else { throw error("expected '\(spelling)', found \(tokenDescription)") }
    try advance()
  }

  mutating func expect(keyword: String) throws(SourceError) {
    guard isKeyword(keyword) else { throw error("expected '\(keyword)', found \(tokenDescription)") }
    try advance()
  }

  mutating func identifier(_ what: String) throws(SourceError) -> String {
    guard token.kind == .identifier else { throw error("expected \(what), found \(tokenDescription)") }
    let name = text(token)
    try advance()
    return name
  }

  mutating func integer(_ what: String) throws(SourceError) -> Int {
    let isNegative = try accept(.minus)
    guard token.kind == .integer, let magnitude = Self.unsigned(source.bytes[token.range]),
      magnitude <= UInt64(Int64.max) + (isNegative ? 1 : 0)
    else { throw error("expected \(what), found \(tokenDescription)") }
    try advance()
    return Int(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
  }

  /// The value of decimal or, after `0x`, hexadecimal digits; nil where it takes more than 64 bits.
  static func unsigned(_ digits: some Collection<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    let isHexadecimal = digits.count > 2 && digits.dropFirst().first == UInt8(ascii: "x")
    let base: UInt64 = isHexadecimal ? 16 : 10
    for digit in isHexadecimal ? digits.dropFirst(2) : digits.dropFirst(0) {
      guard let digitValue = digit.hexValue, UInt64(digitValue) < base else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: base)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digitValue))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// Runs `body` one level deeper.
  mutating func nested<T>(_ body: (inout Self) throws(SourceError) -> T) throws(SourceError) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.nestingLimit else { throw error("the text nests deeper than \(Self.nestingLimit) levels") }
    return try body(&self)
  }

  /// `open element, element close`, the opening token being next.
  mutating func list<T>(
    _ open: (Token.Kind, String), _ close: (Token.Kind, String), _ element: (inout Self) throws(SourceError) -> T
  ) throws(SourceError) -> [T] {
    try expect(open.0, open.1)
    var elements: [T] = []
    if try accept(close.0) { return elements }
    repeat { elements.append(try element(&self)) } while try accept(.comma)
    try expect(close.0, close.1)
    return elements
  }

  mutating func parenthesized<T>(_ element: (inout Self) throws(SourceError) -> T) throws(SourceError) -> [T] {
    try list((.leftParenthesis, "("), (.rightParenthesis, ")"), element)
  }

  mutating func bracketed<T>(_ element: (inout Self) throws(SourceError) -> T) throws(SourceError) -> [T] {
    try list((.leftBracket, "["), (.rightBracket, "]"), element)
  }

  // MARK: - Files

  /// All of the text: ops with aliases and resources between them.
  mutating func file() throws(SourceError) -> [SyntaxOp] {
    var ops: [SyntaxOp] = []
    while token.kind != .endOfFile {
      switch token.kind {
      case .attributeName:
        let name = text(token)
        try advance()
        try expect(.equal, "=")
        definitions.attributes[name] = try attribute()
      case .typeName:
        let name = text(token)
        try advance()
        try expect(.equal, "=")
        _ = try accept(keyword: "type")
        typeAliases[name] = try type()
      case .metadataBegin: try metadata()
      default: ops.append(try operation())
      }
    }
    return ops
  }

  /// `{-# dialect_resources: { builtin: { name: "0x…" } } #-}`
  private mutating func metadata() throws(SourceError) {
    try advance()
    while token.kind != .metadataEnd {
      let section = try identifier("a section of metadata")
      try expect(.colon, ":")
      let isResources = section == "dialect_resources"
      try metadataDictionary(isResources: isResources, level: 0)
      if try !accept(.comma) { break }
    }
    try expect(.metadataEnd, "#-}")
  }

  private mutating func metadataDictionary(isResources: Bool, level: Int) throws(SourceError) {
    try expect(.leftBrace, "{")
    while token.kind != .rightBrace {
      guard token.kind == .identifier || token.kind == .string else {
        throw error("expected a name, found \(tokenDescription)")
      }
      let key = token.kind == .string ? try stringValue(token) : text(token)
      try advance()
      try expect(.colon, ":")
      if token.kind == .leftBrace, level < 3 {
        try metadataDictionary(isResources: isResources, level: level + 1)
      } else {
        if isResources, level == 1, token.kind == .string { definitions.resources[key] = token.range }
        try advance()
      }
      if try !accept(.comma) { break }
    }
    try expect(.rightBrace, "}")
  }

  // MARK: - Operations

  mutating func operation() throws(SourceError) -> SyntaxOp {
    try nested { (parser) throws(SourceError) in try parser.operationHere() }
  }

  private mutating func operationHere() throws(SourceError) -> SyntaxOp {
    let start = token.start
    var results: [SyntaxDefinition] = []
    if token.kind == .valueName {
      repeat {
        guard token.kind == .valueName else { throw error("expected a result, found \(tokenDescription)") }
        var definition = SyntaxDefinition(name: text(token), position: token.start)
        try advance()
        if try accept(.colon) {
          definition.count = try integer("a number of results")
          guard (1...65_536).contains(definition.count) else { throw error("a value has between 1 and 65536 parts") }
        }
        results.append(definition)
      } while try accept(.comma)
      try expect(.equal, "=")
    }
    var op = SyntaxOp(name: "", position: token.start)
    switch token.kind {
    case .string: try genericOperation(&op)
    case .identifier: try prettyOperation(&op, lineStart: start)
    default: throw error("expected an operation, found \(tokenDescription)")
    }
    op.results = results
    if let location = try trailingLocation() { op.location = location }
    let count = results.reduce(0) { $0 + $1.count }
    if !op.isOpaque, count != op.resultTypes.count, !(count == 0 && results.isEmpty) {
      throw source.error("'\(op.name)' has \(op.resultTypes.count) results, not \(count)", at: start)
    }
    return op
  }

  /// `"name"(%a, %b) <{properties}> ({ region }) {attributes} : (types) -> types`
  private mutating func genericOperation(_ op: inout SyntaxOp) throws(SourceError) {
    op.name = Self.canonicalName(try stringValue(token))
    try advance()
    op.operands = try parenthesized { (parser) throws(SourceError) in try parser.use() }
    if token.kind == .leftBracket { throw error("blocks with successors are not supported") }
    if try accept(.less) {
      op.attributes = try attributeDictionary()
      try expect(.greater, ">")
    }
    if token.kind == .leftParenthesis {
      op.regions = try parenthesized { (parser) throws(SourceError) in try parser.region() }
    }
    if token.kind == .leftBrace { op.attributes += try attributeDictionary() }
    try expect(.colon, ":")
    (op.operandTypes, op.resultTypes) = try functionType()
    try checkOperandCount(op)
  }

  func checkOperandCount(_ op: SyntaxOp) throws(SourceError) {
    guard op.operands.count == op.operandTypes.count else {
      throw source.error(
        "'\(op.name)' has \(op.operands.count) operands and \(op.operandTypes.count) operand types", at: op.position)
    }
  }

  private mutating func prettyOperation(_ op: inout SyntaxOp, lineStart: Int) throws(SourceError) {
    op.name = Self.canonicalName(text(token))
    switch op.name {
    case "builtin.module":
      try advance()
      try moduleOperation(&op)
    case "func.func":
      try advance()
      try functionOperation(&op)
    default:
      if let assembly = Assembly.known[op.name] {
        try advance()
        try assembly.parse(&op, &self)
        try checkOperandCount(op)
      } else {
        try skipUnknown(&op)
      }
    }
  }

  /// An op whose form is not known ends with its line, or where the brackets that open in it are closed.
  private mutating func skipUnknown(_ op: inout SyntaxOp) throws(SourceError) {
    guard op.name.contains(".") else { throw error("'\(op.name)' is not an operation") }
    op.isOpaque = true
    var offset = token.end
    scan: while offset < source.bytes.count {
      switch source.bytes[offset] {
      case UInt8(ascii: "\""): offset = try lexer.endOfString(from: offset)
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
        offset = try lexer.endOfBrackets(from: offset, limit: Self.nestingLimit)
      case UInt8(ascii: "\n"), UInt8(ascii: "}"), UInt8(ascii: ")"): break scan
      default: offset += 1
      }
    }
    try resume(at: offset)
  }

  /// The name in the dialect that tfc knows: functions' ops may be written without it, and MHLO's are StableHLO's.
  static func canonicalName(_ name: String) -> String {
    switch name {
    case "module": "builtin.module"
    case "return": "func.return"
    case "call": "func.call"
    case "mhlo.erf": "chlo.erf"
    default: name.hasPrefix("mhlo.") ? "stablehlo." + name.dropFirst(5) : name
    }
  }

  mutating func use() throws(SourceError) -> SyntaxUse {
    guard token.kind == .valueName else { throw error("expected a value, found \(tokenDescription)") }
    var use = SyntaxUse(name: text(token), position: token.start)
    let end = token.end
    try advance()
    if token.kind == .attributeName, token.start == end {
      guard let index = Self.unsigned(source.bytes[token.range]), index < 65_536 else {
        throw error("expected a result number, found \(tokenDescription)")
      }
      use.index = Int(index)
      try advance()
    }
    return use
  }

  /// `%a, %b`, possibly none.
  mutating func uses() throws(SourceError) -> [SyntaxUse] {
    guard token.kind == .valueName else { return [] }
    var uses = [try use()]
    while token.kind == .comma {
      let (position, comma) = (lexer.position, token)
      try advance()
      guard token.kind == .valueName else {
        // The comma belongs to what follows the operands.
        (lexer.position, token) = (position, comma)
        break
      }
      uses.append(try use())
    }
    return uses
  }

  // MARK: - Regions

  mutating func region(arguments: [SyntaxArgument] = []) throws(SourceError) -> SyntaxRegion {
    try expect(.leftBrace, "{")
    var region = SyntaxRegion(blocks: [SyntaxBlock(arguments: arguments)])
    var isFirst = true
    while token.kind != .rightBrace {
      if token.kind == .blockName {
        let label = try block()
        if isFirst, arguments.isEmpty {
          region.blocks[0] = label
        } else {
          region.blocks.append(label)
        }
      } else {
        guard token.kind != .endOfFile else { throw error("a region is not closed") }
        region.blocks[region.blocks.count - 1].ops.append(try operation())
      }
      isFirst = false
    }
    try advance()
    return region
  }

  /// `^bb0(%a: type, %b: type):`
  private mutating func block() throws(SourceError) -> SyntaxBlock {
    try advance()
    var block = SyntaxBlock()
    if token.kind == .leftParenthesis {
      block.arguments = try parenthesized { (parser) throws(SourceError) in try parser.argument() }
    }
    try expect(.colon, ":")
    return block
  }

  /// `%a: type {attributes} loc(…)`
  mutating func argument() throws(SourceError) -> SyntaxArgument {
    guard token.kind == .valueName else { throw error("expected an argument, found \(tokenDescription)") }
    let (name, position) = (text(token), token.start)
    try advance()
    try expect(.colon, ":")
    var argument = SyntaxArgument(name: name, type: try type(), position: position)
    if token.kind == .leftBrace { argument.attributes = try attributeDictionary() }
    argument.location = try trailingLocation()
    return argument
  }
}
