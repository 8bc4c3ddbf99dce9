extension SyntaxPrinter {
  /// The most elements that a literal shows in decimal; longer ones are written as hexadecimal bytes.
  static let longestList = 64

  /// `dense<…> : type`
  mutating func dense(_ literal: Literal) {
    write("dense<")
    let type = literal.elementType
    if literal.elementCount > 0, let value = literal.splatValue, literal.isSplat || literal.dimensions.isEmpty {
      write(type.text(of: value))
    } else if literal.elementCount > Self.longestList, type.bitWidth >= 8 {
      hexadecimal(literal)
    } else if literal.elementCount > 0 {
      var position = 0
      list(literal, 0, &position)
    }
    write("> : \(TypeSyntax(literal.type))")
  }

  private mutating func list(_ literal: Literal, _ depth: Int, _ position: inout Int) {
    guard depth < literal.dimensions.count else {
      write(literal.elementType.text(of: literal[position]))
      position += 1
      return
    }
    write("[")
    for element in 0..<literal.dimensions[depth] {
      if element > 0 { write(", ") }
      list(literal, depth + 1, &position)
    }
    write("]")
  }

  private mutating func hexadecimal(_ literal: Literal) {
    let digits = Array("0123456789ABCDEF".utf8)
    write("\"0x")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(literal.bytes.count * 2)
    for byte in literal.bytes {
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    }
    write(bytes)
    write("\"")
  }
}

extension ElementType {
  /// One element as a literal shows it.
  func text(of value: Scalar) -> String {
    switch kind {
    case .boolean: return value.isTrue ? "true" : "false"
    case .signed: return "\(value.integerValue)"
    case .unsigned: return "\(UInt64(bitPattern: value.integerValue))"
    case .float: return text(of: value.realValue)
    case .complex: return "(\(realPart.text(of: value.realValue)),\(realPart.text(of: value.imaginaryValue)))"
    }
  }

  /// The shortest decimal that gives the value back, or its bits where it is not finite.
  func text(of value: Double) -> String {
    guard value.isFinite else {
      let digits = bytes(of: .real(value)).reversed().map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
      }
      return "0x" + digits.joined()
    }
    let text = self == .f64 ? "\(value)" : "\(Float(value))"
    guard let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}
