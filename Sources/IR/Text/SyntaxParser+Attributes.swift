extension SyntaxParser {
  /// `{name = value, name}`
  mutating func attributeDictionary() throws(SourceError) -> [NamedAttribute] {
    try list((.leftBrace, "{"), (.rightBrace, "}")) { (parser) throws(SourceError) in
      guard parser.token.kind == .identifier || parser.token.kind == .string else {
        throw parser.error("expected an attribute's name, found \(parser.tokenDescription)")
      }
      let name = parser.token.kind == .string ? try parser.stringValue(parser.token) : parser.text(parser.token)
      try parser.advance()
      guard try parser.accept(.equal) else { return NamedAttribute(name: name, value: .unit) }
      return NamedAttribute(name: name, value: try parser.attribute())
    }
  }

  mutating func attribute() throws(SourceError) -> AttributeSyntax {
    try nested { (parser) throws(SourceError) in try parser.attributeHere() }
  }

  private mutating func attributeHere() throws(SourceError) -> AttributeSyntax {
    switch token.kind {
    case .integer, .float, .minus: return try numberAttribute()
    case .string:
      let value = try stringValue(token)
      try advance()
      if try accept(.colon) { _ = try type() }
      return .string(value)
    case .symbolName:
      var name = try symbolValue()
      while try accept(.doubleColon) { name += "::" + (try symbolValue()) }
      return .symbol(name)
    case .leftBracket:
      return .array(try bracketed { (parser) throws(SourceError) in try parser.attribute() })
    case .leftBrace: return .dictionary(try attributeDictionary())
    case .attributeName: return try dialectAttribute()
    case .identifier: return try keywordAttribute()
    case .typeName, .leftParenthesis: return .type(try type())
    default: throw error("expected an attribute, found \(tokenDescription)")
    }
  }

  private mutating func keywordAttribute() throws(SourceError) -> AttributeSyntax {
    switch text(token) {
    case "true", "false":
      let value = isKeyword("true")
      try advance()
      return .boolean(value)
    case "unit":
      try advance()
      return .unit
    case "dense":
      try advance()
      return .dense(try denseLiteral())
    case "dense_resource":
      let position = token.start
      try advance()
      try expect(.less, "<")
      guard token.kind == .identifier || token.kind == .string else {
        throw error("expected a resource's name, found \(tokenDescription)")
      }
      let name = token.kind == .string ? try stringValue(token) : text(token)
      try advance()
      try expect(.greater, ">")
      try expect(.colon, ":")
      return .resource(name, try type(), position: position)
    case "array":
      try advance()
      return try arrayAttribute()
    case "loc": return .location(try trailingLocation() ?? .unknown)
    default:
      if isAtType { return .type(try type()) }
      let start = token.start
      let isFollowedByBody = token.end < source.bytes.count && source.bytes[token.end] == UInt8(ascii: "<")
      guard isFollowedByBody else { throw error("expected an attribute, found \(tokenDescription)") }
      return .other(try withBody(from: start))
    }
  }

  /// A number with its sign and, after a colon, its type.
  private mutating func numberAttribute() throws(SourceError) -> AttributeSyntax {
    let start = token.start
    let isNegative = try accept(.minus)
    guard token.kind == .integer || token.kind == .float else {
      throw error("expected a number, found \(tokenDescription)")
    }
    let digits = token
    try advance()
    var typeName = digits.kind == .integer ? "i64" : "f64"
    if try accept(.colon) {
      switch try type() {
      case .other(let name): typeName = name
      case .tensor, .tuple, .function: throw source.error("a number has a scalar type", at: start)
      }
    }
    let elementType = ElementType(rawValue: typeName)
    if digits.kind == .integer, elementType?.isFloat != true {
      guard let magnitude = Self.unsigned(source.bytes[digits.range]) else {
        throw source.error("the number takes more than 64 bits", at: start)
      }
      let value = Int64(bitPattern: magnitude)
      return .integer(isNegative ? 0 &- value : value, typeName)
    }
    var reader = LiteralReader(source: source, position: start, elementType: elementType ?? .f64)
    let value = try reader.real()
    return .float(value, typeName)
  }

  /// `<i64: 1, 2>`
  private mutating func arrayAttribute() throws(SourceError) -> AttributeSyntax {
    try expect(.less, "<")
    let element = try identifier("an element type")
    var values: [Int64] = []
    var reals: [AttributeSyntax] = []
    if try accept(.colon) {
      repeat {
        if isKeyword("true") || isKeyword("false") {
          values.append(isKeyword("true") ? 1 : 0)
          try advance()
        } else if element.hasPrefix("f") || element.hasPrefix("bf") {
          reals.append(try numberAttribute())
        } else {
          values.append(Int64(try integer("an integer")))
        }
      } while try accept(.comma)
    }
    try expect(.greater, ">")
    return reals.isEmpty ? .integers(values, element: element) : .array(reals)
  }

  /// `#name`, `#dialect<kind VALUE>` or `#dialect.kind<body>`.
  private mutating func dialectAttribute() throws(SourceError) -> AttributeSyntax {
    let name = text(token)
    let end = token.end
    try advance()
    guard token.kind == .less, token.start == end else {
      if let value = definitions.attributes[name] { return value }
      return .alias(name)
    }
    let close = try lexer.endOfBrackets(from: end, limit: Self.nestingLimit)
    let body = source.string(end + 1..<close - 1)
    try resume(at: close)
    // The type after `#dialect<…> : type` says nothing that the body does not.
    if !name.contains(".") {
      let words = body.split(separator: " ", maxSplits: 1)
      if words.count == 2, words[1].utf8.allSatisfy(\.isNamePart) {
        return .enumeration(kind: "\(name)<\(words[0])", String(words[1]))
      }
      if let bracket = body.firstIndex(of: "<"), body.last == ">" {
        let kind = body[..<bracket].filter { $0 != " " }
        return .dialect("\(name).\(kind)", body: String(body[body.index(after: bracket)...].dropLast()))
      }
    }
    return .dialect(name, body: body)
  }

  /// What a string token says, with its escapes replaced.
  func stringValue(_ token: Token) throws(SourceError) -> String {
    let inner = token.range.lowerBound + 1..<token.range.upperBound - 1
    let bytes = source.bytes[inner]
    guard bytes.contains(UInt8(ascii: "\\")) else { return source.string(inner) }
    var result: [UInt8] = []
    var offset = inner.lowerBound
    while offset < inner.upperBound {
      let byte = source.bytes[offset]
      guard byte == UInt8(ascii: "\\"), offset + 1 < inner.upperBound else {
        result.append(byte)
        offset += 1
        continue
      }
      let escaped = source.bytes[offset + 1]
      switch escaped {
      case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
      case UInt8(ascii: "\\"), UInt8(ascii: "\""): result.append(escaped)
      default:
        guard offset + 2 < inner.upperBound, let high = escaped.hexValue, let low = source.bytes[offset + 2].hexValue
        else { throw source.error("an unknown escape in a string", at: offset) }
        result.append(high << 4 | low)
        offset += 1
      }
      offset += 2
    }
    return String(decoding: result, as: UTF8.self)
  }

  // MARK: - Literals

  /// `<elements> : type`, the word `dense` being read.
  mutating func denseLiteral() throws(SourceError) -> Literal {
    guard token.kind == .less else { throw error("expected '<', found \(tokenDescription)") }
    let start = token.end
    let end = try endOfElements(from: start)
    try resume(at: end + 1)
    try expect(.colon, ":")
    let typeStart = token.start
    guard case .tensor(let dimensions, let element) = try type() else {
      throw source.error("a literal has a tensor type", at: typeStart)
    }
    let fixed = dimensions.compactMap { $0 }
    guard fixed.count == dimensions.count else { throw source.error("a literal's extents are fixed", at: typeStart) }
    var reader = LiteralReader(source: source, position: start, end: end, elementType: element)
    return try reader.literal(fixed)
  }

  /// Where the `>` after a literal's elements is.
  private func endOfElements(from start: Int) throws(SourceError) -> Int {
    var offset = start
    while offset < source.bytes.count {
      switch source.bytes[offset] {
      case UInt8(ascii: ">"): return offset
      case UInt8(ascii: "\""): offset = try lexer.endOfString(from: offset)
      default: offset += 1
      }
    }
    throw source.error("a literal is not closed", at: start - 1)
  }
}
