/// A piece of MLIR text.
struct Token: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    case endOfFile, identifier, integer, float, string
    /// `%x`, `#x`, `!x`, `@x`, `^x`; the range leaves the mark out.
    case valueName, attributeName, typeName, symbolName, blockName
    case leftParenthesis, rightParenthesis, leftBrace, rightBrace, leftBracket, rightBracket, less, greater
    case comma, colon, doubleColon, equal, plus, minus, star, question, bar, slash, arrow, ellipsis
    /// `{-#` and `#-}`.
    case metadataBegin, metadataEnd
  }

  var kind: Kind
  /// Where the token begins, its mark included.
  var start: Int
  /// The bytes of names, numbers and strings (with quotes).
  var range: Range<Int>
  var end: Int { range.upperBound }
}

/// Cuts MLIR text into tokens, one at a time. Linear: no byte is looked at more than a few times.
struct Lexer {
  let source: SourceFile
  var position = 0

  init(_ source: SourceFile) { self.source = source }

  private func byte(_ offset: Int) -> UInt8 { offset < source.bytes.count ? source.bytes[offset] : 0 }

  mutating func skipBlanks() {
    let bytes = source.bytes
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      case UInt8(ascii: "/") where byte(position + 1) == UInt8(ascii: "/"):
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
      default: return
      }
    }
  }

  mutating func next() throws(SourceError) -> Token {
    skipBlanks()
    let start = position
    guard start < source.bytes.count else { return Token(kind: .endOfFile, start: start, range: start..<start) }
    let first = source.bytes[start]
    if first.isLetter || first == UInt8(ascii: "_") {
      position = endOfName(from: start)
      return Token(kind: .identifier, start: start, range: start..<position)
    }
    if first.isDigit { return number(from: start) }
    switch first {
    case UInt8(ascii: "\""):
      position = try endOfString(from: start)
      return Token(kind: .string, start: start, range: start..<position)
    case UInt8(ascii: "%"): return try marked(.valueName, start)
    case UInt8(ascii: "!"): return try marked(.typeName, start)
    case UInt8(ascii: "^"): return try marked(.blockName, start)
    case UInt8(ascii: "@"): return try symbol(start)
    case UInt8(ascii: "#"):
      if byte(start + 1) == UInt8(ascii: "-"), byte(start + 2) == UInt8(ascii: "}") {
        return punctuation(.metadataEnd, start, 3)
      }
      return try marked(.attributeName, start)
    case UInt8(ascii: "{"):
      if byte(start + 1) == UInt8(ascii: "-"), byte(start + 2) == UInt8(ascii: "#") {
        return punctuation(.metadataBegin, start, 3)
      }
      return punctuation(.leftBrace, start, 1)
    case UInt8(ascii: "-"):
      return byte(start + 1) == UInt8(ascii: ">") ? punctuation(.arrow, start, 2) : punctuation(.minus, start, 1)
    case UInt8(ascii: ":"):
      return byte(start + 1) == UInt8(ascii: ":") ? punctuation(.doubleColon, start, 2) : punctuation(.colon, start, 1)
    case UInt8(ascii: "."):
      if byte(start + 1) == UInt8(ascii: "."), byte(start + 2) == UInt8(ascii: ".") {
        return punctuation(.ellipsis, start, 3)
      }
    default:
      if let kind = Self.marks[first] { return punctuation(kind, start, 1) }
    }
    throw source.error("unexpected character", at: start)
  }

  private static let marks: [UInt8: Token.Kind] = [
    UInt8(ascii: "("): .leftParenthesis, UInt8(ascii: ")"): .rightParenthesis, UInt8(ascii: "}"): .rightBrace,
    UInt8(ascii: "["): .leftBracket, UInt8(ascii: "]"): .rightBracket, UInt8(ascii: "<"): .less,
    UInt8(ascii: ">"): .greater, UInt8(ascii: ","): .comma, UInt8(ascii: "="): .equal, UInt8(ascii: "+"): .plus,
    UInt8(ascii: "*"): .star, UInt8(ascii: "?"): .question, UInt8(ascii: "|"): .bar, UInt8(ascii: "/"): .slash,
  ]

  private mutating func punctuation(_ kind: Token.Kind, _ start: Int, _ length: Int) -> Token {
    position = start + length
    return Token(kind: kind, start: start, range: start..<position)
  }

  /// A name after its mark: letters, digits, `$ . _ -`.
  private mutating func marked(_ kind: Token.Kind, _ start: Int) throws(SourceError) -> Token {
    var end = start + 1
    let allowsDash = kind == .valueName || kind == .blockName
    while byte(end).isNamePart || (allowsDash && byte(end) == UInt8(ascii: "-")) { end += 1 }
    guard end > start + 1 else {
      throw source.error("a name is missing after '\(source.string(start..<start + 1))'", at: start)
    }
    position = end
    return Token(kind: kind, start: start, range: start + 1..<end)
  }

  private mutating func symbol(_ start: Int) throws(SourceError) -> Token {
    if byte(start + 1) == UInt8(ascii: "\"") {
      position = try endOfString(from: start + 1)
      return Token(kind: .symbolName, start: start, range: start + 1..<position)
    }
    return try marked(.symbolName, start)
  }

  private func endOfName(from start: Int) -> Int {
    var end = start
    while byte(end).isNamePart { end += 1 }
    return end
  }

  private mutating func number(from start: Int) -> Token {
    var end = start
    if byte(start) == UInt8(ascii: "0"), byte(start + 1) == UInt8(ascii: "x"), byte(start + 2).hexValue != nil {
      end = start + 2
      while byte(end).hexValue != nil { end += 1 }
      position = end
      return Token(kind: .integer, start: start, range: start..<end)
    }
    while byte(end).isDigit { end += 1 }
    guard byte(end) == UInt8(ascii: ".") else {
      position = end
      return Token(kind: .integer, start: start, range: start..<end)
    }
    end += 1
    while byte(end).isDigit { end += 1 }
    if byte(end) | 0x20 == UInt8(ascii: "e") {
      var exponent = end + 1
      if byte(exponent) == UInt8(ascii: "+") || byte(exponent) == UInt8(ascii: "-") { exponent += 1 }
      if byte(exponent).isDigit {
        while byte(exponent).isDigit { exponent += 1 }
        end = exponent
      }
    }
    position = end
    return Token(kind: .float, start: start, range: start..<end)
  }

  /// Where the string that begins at `start` ends; a string does not cross lines.
  func endOfString(from start: Int) throws(SourceError) -> Int {
    var end = start + 1
    while end < source.bytes.count {
      switch source.bytes[end] {
      case UInt8(ascii: "\""): return end + 1
      case UInt8(ascii: "\\"): end += 2
      case UInt8(ascii: "\n"): throw source.error("a string is not closed in its line", at: start)
      default: end += 1
      }
    }
    throw source.error("a string is not closed", at: start)
  }

  /// Where the bracket that opens at `start` is closed: `< ( [ {` nest, strings and arrows do not count.
  func endOfBrackets(from start: Int, limit: Int) throws(SourceError) -> Int {
    var open: [UInt8] = []
    var end = start
    while end < source.bytes.count {
      let byte = source.bytes[end]
      switch byte {
      case UInt8(ascii: "\""):
        end = try endOfString(from: end)
        continue
      case UInt8(ascii: "<"), UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
        open.append(byte)
        guard open.count <= limit else { throw source.error("brackets are nested deeper than \(limit)", at: end) }
      case UInt8(ascii: ">") where source.bytes[end - 1] == UInt8(ascii: "-"): break
      case UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard let last = open.popLast(), Self.closes(last, byte) else {
          throw source.error("a closing bracket has no opening one", at: end)
        }
        if open.isEmpty { return end + 1 }
      default: break
      }
      end += 1
    }
    throw source.error("a bracket is not closed", at: start)
  }

  private static func closes(_ open: UInt8, _ close: UInt8) -> Bool {
    close == open + 2 || (open == UInt8(ascii: "(") && close == UInt8(ascii: ")"))
  }
}

extension UInt8 {
  var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
  var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
  var isBlank: Bool {
    self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\t") || self == UInt8(ascii: "\r")
  }

  /// Whether the byte may stand inside a name.
  var isNamePart: Bool {
    isLetter || isDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: ".") || self == UInt8(ascii: "$")
  }

  /// The value of a hexadecimal digit.
  var hexValue: UInt8? {
    if isDigit { return self - UInt8(ascii: "0") }
    let letter = (self | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
  }
}
