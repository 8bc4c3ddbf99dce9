extension IntegerExpression {
  /// The expression as `init(parsing:)` reads it; symbols that are no names stand in quotes.
  var text: String {
    var text = ""
    for term in terms {
      let factors = term.factors.map(\.text).joined(separator: "*")
      let magnitude = term.coefficient.magnitude == 1 ? factors : "\(term.coefficient.magnitude)*\(factors)"
      if text.isEmpty {
        text = term.coefficient < 0 ? "-\(magnitude)" : magnitude
      } else {
        text += term.coefficient < 0 ? " - \(magnitude)" : " + \(magnitude)"
      }
    }
    if text.isEmpty { return "\(constant)" }
    if constant == 0 { return text }
    return text + (constant < 0 ? " - \(constant.magnitude)" : " + \(constant)")
  }

  init(parsing text: String) throws(OpError) {
    var parser = ExtentParser(bytes: Array(text.utf8))
    self = try parser.sum()
    parser.skipBlanks()
    guard parser.position == parser.bytes.count else { throw OpError("'\(text)' is not an extent") }
  }
}

extension IntegerExpression.Atom {
  fileprivate var text: String {
    switch self {
    case .symbol(let symbol):
      let isName = symbol.name.utf8.first?.isDigit == false && symbol.name.utf8.allSatisfy(\.isNamePart)
      return isName ? symbol.name : "'\(symbol.name)'"
    case .variable, .element: return description
    case .floorDivide(let a, let b): return "floordiv(\(a.text), \(b.text))"
    case .modulo(let a, let b): return "mod(\(a.text), \(b.text))"
    case .minimum(let a, let b): return "min(\(a.text), \(b.text))"
    case .maximum(let a, let b): return "max(\(a.text), \(b.text))"
    }
  }
}

/// Reads `2*seq + floordiv(batch, 4) - 1`.
private struct ExtentParser {
  let bytes: [UInt8]
  var position = 0
  private var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

  mutating func skipBlanks() { while byte.isBlank { position += 1 } }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard byte == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private var error: OpError { OpError("'\(String(decoding: bytes, as: UTF8.self))' is not an extent") }

  mutating func sum() throws(OpError) -> Extent {
    depth += 1
    defer { depth -= 1 }
    guard depth < 64 else { throw error }
    var total = accept("-") ? -(try product()) : try product()
    while true {
      if accept("+") {
        total += try product()
      } else if accept("-") {
        total = total - (try product())
      } else {
        return total
      }
    }
  }

  private mutating func product() throws(OpError) -> Extent {
    var total = try factor()
    while accept("*") { total *= try factor() }
    return total
  }

  private mutating func factor() throws(OpError) -> Extent {
    if accept("(") {
      let inner = try sum()
      guard accept(")") else { throw error }
      return inner
    }
    if accept("'") {
      let start = position
      while position < bytes.count, byte != UInt8(ascii: "'") { position += 1 }
      let name = String(decoding: bytes[start..<position], as: UTF8.self)
      guard accept("'") else { throw error }
      return .symbol(name)
    }
    let start = position
    while byte.isNamePart { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let first = word.utf8.first else { throw error }
    if first.isDigit {
      guard let value = Int(word) else { throw error }
      return Extent(value)
    }
    guard accept("(") else { return .symbol(word) }
    let a = try sum()
    guard accept(",") else { throw error }
    let b = try sum()
    guard accept(")") else { throw error }
    switch word {
    case "floordiv":
      guard b.fixed != 0 else { throw error }
      return a.floorDivided(by: b)
    case "mod":
      guard b.fixed != 0 else { throw error }
      return a.modulo(b)
    case "min": return .minimum(a, b)
    case "max": return .maximum(a, b)
    default: throw error
    }
  }
}
