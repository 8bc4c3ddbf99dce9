extension SyntaxParser {
  /// `module @name attributes {…} { … }`
  mutating func moduleOperation(_ op: inout SyntaxOp) throws(SourceError) {
    if token.kind == .symbolName {
      op["sym_name"] = .string(try symbolValue())
    }
    if try accept(keyword: "attributes") { op.attributes += try attributeDictionary() }
    op.regions = [try region()]
  }

  /// `func.func private @name(%a: type {…}) -> (type {…}) attributes {…} { … }`
  mutating func functionOperation(_ op: inout SyntaxOp) throws(SourceError) {
    if token.kind == .identifier {
      let visibility = try identifier("a visibility")
      guard ["public", "private", "nested"].contains(visibility) else {
        throw source.error("'\(visibility)' is no visibility", at: op.position)
      }
      op["sym_visibility"] = .string(visibility)
    }
    guard token.kind == .symbolName else { throw error("expected a function's name, found \(tokenDescription)") }
    op["sym_name"] = .string(try symbolValue())
    let arguments = try parenthesized { (parser) throws(SourceError) in
      if parser.token.kind == .valueName { return try parser.argument() }
      var argument = SyntaxArgument(name: "", type: try parser.type(), position: parser.token.start)
      if parser.token.kind == .leftBrace { argument.attributes = try parser.attributeDictionary() }
      return argument
    }
    var results: [SyntaxArgument] = []
    if try accept(.arrow) {
      if token.kind == .leftParenthesis {
        results = try parenthesized { (parser) throws(SourceError) in
          var result = SyntaxArgument(name: "", type: try parser.type(), position: parser.token.start)
          if parser.token.kind == .leftBrace { result.attributes = try parser.attributeDictionary() }
          return result
        }
      } else {
        results = [SyntaxArgument(name: "", type: try type(), position: token.start)]
      }
    }
    op["function_type"] = .type(.function(arguments.map(\.type), results.map(\.type)))
    op["arg_attrs"] = .array(arguments.map { .dictionary($0.attributes) })
    op["res_attrs"] = .array(results.map { .dictionary($0.attributes) })
    if try accept(keyword: "attributes") { op.attributes += try attributeDictionary() }
    op.regions = token.kind == .leftBrace ? [try region(arguments: arguments)] : [SyntaxRegion()]
  }

  /// The name that an `@name` token gives, without quotes.
  mutating func symbolValue() throws(SourceError) -> String {
    guard token.kind == .symbolName else { throw error("expected a symbol, found \(tokenDescription)") }
    let isQuoted = source.bytes[token.range.lowerBound] == UInt8(ascii: "\"")
    let name = isQuoted ? try stringValue(token) : text(token)
    try advance()
    return name
  }

  // MARK: - Locations

  /// `loc(…)` after an op or argument.
  mutating func trailingLocation() throws(SourceError) -> LocationSyntax? {
    guard isKeyword("loc") else { return nil }
    try advance()
    try expect(.leftParenthesis, "(")
    let location = try locationBody()
    try expect(.rightParenthesis, ")")
    return location
  }

  mutating func locationBody() throws(SourceError) -> LocationSyntax {
    try nested { (parser) throws(SourceError) in try parser.locationHere() }
  }

  private mutating func locationHere() throws(SourceError) -> LocationSyntax {
    switch token.kind {
    case .attributeName:
      let name = text(token)
      try advance()
      return .alias(name)
    case .string:
      let name = try stringValue(token)
      try advance()
      if try accept(.colon) { return try filePlace(name) }
      guard try accept(.leftParenthesis) else { return .name(name, .unknown) }
      let child = try locationBody()
      try expect(.rightParenthesis, ")")
      return .name(name, child)
    case .identifier:
      let keyword = text(token)
      switch keyword {
      case "unknown":
        try advance()
        return .unknown
      case "callsite":
        try advance()
        try expect(.leftParenthesis, "(")
        let callee = try locationBody()
        try expect(keyword: "at")
        let caller = try locationBody()
        try expect(.rightParenthesis, ")")
        return .fused([callee, caller])
      case "fused":
        try advance()
        if token.kind == .less { try resume(at: try lexer.endOfBrackets(from: token.start, limit: Self.nestingLimit)) }
        return .fused(try bracketed { (parser) throws(SourceError) in try parser.locationBody() })
      case "loc":
        return try trailingLocation() ?? .unknown
      default: throw error("'\(keyword)' is no kind of location")
      }
    default: throw error("expected a location, found \(tokenDescription)")
    }
  }

  /// `line:column`, possibly `to line:column` or `to :column`.
  private mutating func filePlace(_ file: String) throws(SourceError) -> LocationSyntax {
    let line = try integer("a line")
    var column = 0
    if try accept(.colon) { column = try integer("a column") }
    if try accept(keyword: "to") {
      if token.kind == .integer { _ = try integer("a line") }
      if try accept(.colon) { _ = try integer("a column") }
    }
    return .file(file, line: line, column: column)
  }
}
