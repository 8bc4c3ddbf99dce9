extension SyntaxParser {
  mutating func type() throws(SourceError) -> TypeSyntax {
    try nested { (parser) throws(SourceError) in try parser.typeHere() }
  }

  /// `(types) -> types`
  mutating func functionType() throws(SourceError) -> ([TypeSyntax], [TypeSyntax]) {
    let operands = try parenthesized { (parser) throws(SourceError) in try parser.type() }
    try expect(.arrow, "->")
    return (operands, try resultTypes())
  }

  /// One type, or several in parentheses.
  mutating func resultTypes() throws(SourceError) -> [TypeSyntax] {
    if token.kind == .leftParenthesis {
      return try parenthesized { (parser) throws(SourceError) in try parser.type() }
    }
    return [try type()]
  }

  var isAtType: Bool {
    switch token.kind {
    case .typeName, .leftParenthesis: true
    case .identifier: Self.typeWords.contains(text(token)) || ElementType(rawValue: text(token)) != nil || isIntegerType
    default: false
    }
  }

  private static let typeWords: Set<String> = [
    "tensor", "tuple", "complex", "index", "none", "memref", "vector", "tf32",
  ]

  /// `i7`, `si8`: integer types that tensors do not have.
  private var isIntegerType: Bool {
    let name = source.bytes[token.range]
    let digits = name.drop { $0 == UInt8(ascii: "s") || $0 == UInt8(ascii: "u") || $0 == UInt8(ascii: "i") }
    return digits.count < name.count && !digits.isEmpty && digits.allSatisfy(\.isDigit)
  }

  private mutating func typeHere() throws(SourceError) -> TypeSyntax {
    switch token.kind {
    case .leftParenthesis:
      let (operands, results) = try functionType()
      return .function(operands, results)
    case .typeName:
      let name = text(token)
      let start = token.start
      if let alias = typeAliases[name] {
        try advance()
        return alias
      }
      return .other(try withBody(from: start))
    case .identifier:
      if isKeyword("tensor") { return try tensorType() }
      if isKeyword("tuple") {
        try advance()
        let open = (Token.Kind.less, "<")
        return .tuple(try list(open, (.greater, ">")) { (parser) throws(SourceError) in try parser.type() })
      }
      guard isAtType else { throw error("expected a type, found \(tokenDescription)") }
      return .other(try withBody(from: token.start))
    default: throw error("expected a type, found \(tokenDescription)")
    }
  }

  /// The text of a name and the `<…>` after it, if any.
  mutating func withBody(from start: Int) throws(SourceError) -> String {
    let end = token.end
    try advance()
    guard token.kind == .less, token.start == end else { return source.string(start..<end) }
    let close = try lexer.endOfBrackets(from: end, limit: Self.nestingLimit)
    try resume(at: close)
    return source.string(start..<close)
  }

  /// `tensor<2x?xf32>`. Dimensions are cut by hand: `2x3xf32` is not made of tokens.
  private mutating func tensorType() throws(SourceError) -> TypeSyntax {
    let start = token.start
    try advance()
    guard token.kind == .less else { throw error("expected '<', found \(tokenDescription)") }
    var dimensions: [Int?] = []
    var offset = token.end
    func skipBlanks() { while offset < source.bytes.count, source.bytes[offset].isBlank { offset += 1 } }
    while true {
      skipBlanks()
      guard offset < source.bytes.count else { throw source.error("a tensor type is not closed", at: start) }
      let byte = source.bytes[offset]
      if byte == UInt8(ascii: "*") { throw source.error("unranked tensors are not supported", at: offset) }
      if byte == UInt8(ascii: "?") {
        dimensions.append(nil)
        offset += 1
      } else if byte.isDigit {
        let first = offset
        while offset < source.bytes.count, source.bytes[offset].isDigit { offset += 1 }
        guard let extent = Self.unsigned(source.bytes[first..<offset]), extent <= UInt64(Int64.max) else {
          throw source.error("extent \(source.string(first..<min(offset, first + 40))) is too large", at: first)
        }
        dimensions.append(Int(extent))
      } else {
        break
      }
      guard dimensions.count <= 64 else { throw source.error("a tensor has at most 64 dimensions", at: start) }
      skipBlanks()
      guard offset < source.bytes.count, source.bytes[offset] == UInt8(ascii: "x") else {
        throw source.error("expected 'x' after an extent", at: offset)
      }
      offset += 1
    }
    try resume(at: offset)
    let element = try elementType()
    if try accept(.comma) { _ = try attribute() }
    try expect(.greater, ">")
    try source.checkTensor(dimensions, at: start)
    return .tensor(dimensions, element)
  }

  private mutating func elementType() throws(SourceError) -> ElementType {
    let start = token.start
    guard token.kind == .identifier else {
      if token.kind == .typeName { throw error("elements of type \(tokenDescription) are not supported") }
      throw error("expected an element type, found \(tokenDescription)")
    }
    var name = text(token)
    try advance()
    if name == "complex" {
      try expect(.less, "<")
      name = "complex<\(try identifier("f32 or f64"))>"
      try expect(.greater, ">")
    }
    // Shapes of type index are computed in 64 bits.
    if name == "index" { return .i64 }
    if name.hasPrefix("si"), let type = ElementType(rawValue: String(name.dropFirst())) { return type }
    guard let type = ElementType(rawValue: name) else {
      throw source.error("'\(name)' is not an element type", at: start)
    }
    return type
  }
}
