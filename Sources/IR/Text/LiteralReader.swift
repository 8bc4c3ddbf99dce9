/// Reads the elements of a literal straight from the text's bytes.
struct LiteralReader {
  let source: SourceFile
  var position: Int
  let end: Int
  let elementType: ElementType

  init(source: SourceFile, position: Int, end: Int? = nil, elementType: ElementType) {
    self.source = source
    self.position = position
    self.end = end ?? source.bytes.count
    self.elementType = elementType
  }

  private var byte: UInt8 { position < end ? source.bytes[position] : 0 }

  private mutating func skipBlanks() { while position < end, source.bytes[position].isBlank { position += 1 } }

  private func error(_ message: String) -> SourceError { source.error(message, at: position) }

  /// All of the elements up to `end`: a list, one value for all, a string of hexadecimal digits, or nothing.
  mutating func literal(_ dimensions: [Int]) throws(SourceError) -> Literal {
    skipBlanks()
    let start = position
    let count = dimensions.contains(0) ? 0 : dimensions.reduce(1, *)
    if position == end {
      guard count == 0 else { throw error("a literal of \(count) elements has none") }
      return Literal(elementType, dimensions, bytes: [])
    }
    if byte == UInt8(ascii: "\"") {
      let raw = try hexadecimalString()
      skipBlanks()
      guard position == end else { throw error("unexpected text after a literal") }
      return try literal(dimensions, raw: raw, at: start)
    }
    if byte == UInt8(ascii: "[") {
      let bytes = try list(dimensions)
      return Literal(elementType, dimensions, bytes: bytes)
    }
    var bytes: [UInt8] = []
    try element(into: &bytes)
    skipBlanks()
    guard position == end else { throw error("expected '>' after a literal's value") }
    return count == 0
      ? Literal(elementType, dimensions, bytes: []) : Literal(elementType, dimensions, splatBytes: bytes)
  }

  /// `[[a, b], [c, d]]`, with as many brackets as there are dimensions.
  private mutating func list(_ dimensions: [Int]) throws(SourceError) -> [UInt8] {
    var bytes: [UInt8] = []
    let rank = dimensions.count
    var counts = [Int](repeating: 0, count: rank)
    var depth = 0
    var isAfterElement = false
    repeat {
      skipBlanks()
      guard position < end else { throw error("a list of elements is not closed") }
      switch byte {
      case UInt8(ascii: "["):
        guard !isAfterElement else { throw error("expected ',' between elements") }
        guard depth < rank else { throw error("the list of elements is nested deeper than the \(rank) dimensions") }
        counts[depth] = 0
        depth += 1
        position += 1
      case UInt8(ascii: "]"):
        guard counts[depth - 1] == dimensions[depth - 1] else {
          throw error("\(counts[depth - 1]) elements where the type has \(dimensions[depth - 1])")
        }
        depth -= 1
        if depth > 0 { counts[depth - 1] += 1 }
        position += 1
        isAfterElement = true
      case UInt8(ascii: ","):
        guard isAfterElement else { throw error("expected an element before ','") }
        position += 1
        isAfterElement = false
      default:
        guard !isAfterElement else { throw error("expected ',' between elements") }
        guard depth == rank else { throw error("an element at depth \(depth), where the type has \(rank) dimensions") }
        guard counts[rank - 1] < dimensions[rank - 1] else {
          throw error("more elements than the type's \(dimensions[rank - 1])")
        }
        try element(into: &bytes)
        counts[rank - 1] += 1
        isAfterElement = true
      }
    } while depth > 0
    skipBlanks()
    guard position == end else { throw error("unexpected text after a literal") }
    return bytes
  }

  // MARK: - Elements

  private mutating func element(into bytes: inout [UInt8]) throws(SourceError) {
    switch elementType.kind {
    case .boolean: bytes.append(try boolean() ? 1 : 0)
    case .signed, .unsigned: bytes.append(integer: try integer(), count: elementType.byteCount)
    case .float: try float(elementType, into: &bytes)
    case .complex:
      guard byte == UInt8(ascii: "(") else { throw error("a complex element is '(real, imaginary)'") }
      position += 1
      skipBlanks()
      try float(elementType.realPart, into: &bytes)
      skipBlanks()
      guard byte == UInt8(ascii: ",") else { throw error("expected ',' between the parts of a complex element") }
      position += 1
      skipBlanks()
      try float(elementType.realPart, into: &bytes)
      skipBlanks()
      guard byte == UInt8(ascii: ")") else { throw error("expected ')' after a complex element") }
      position += 1
    }
  }

  private mutating func boolean() throws(SourceError) -> Bool {
    if skip("true") { return true }
    if skip("false") { return false }
    let start = position
    let value = try integer()
    guard (-1...1).contains(value) else { throw source.error("an element of i1 is true or false", at: start) }
    return value != 0
  }

  private mutating func skip(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard position + count <= end else { return false }
    let matches = word.withUTF8Buffer { $0.elementsEqual(source.bytes[position..<position + count]) }
    if matches { position += count }
    return matches
  }

  private mutating func integer() throws(SourceError) -> Int64 {
    let start = position
    let isNegative = byte == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let digits = position
    if skip("true") { return 1 }
    if skip("false") { return 0 }
    while byte.hexValue != nil || byte == UInt8(ascii: "x") { position += 1 }
    guard digits < position, let magnitude = SyntaxParser.unsigned(source.bytes[digits..<position]) else {
      throw source.error("expected an integer of type \(elementType)", at: start)
    }
    let value = isNegative ? 0 &- Int64(bitPattern: magnitude) : Int64(bitPattern: magnitude)
    let width = elementType.isBoolean ? 8 : elementType.bitWidth
    let least: UInt64 = elementType.kind == .unsigned ? 0 : 1 << UInt64(width - 1)
    let fits = isNegative ? magnitude <= least : width == 64 || magnitude < 1 << UInt64(width)
    guard fits else {
      throw source.error("\(isNegative ? "-" : "")\(magnitude) does not fit \(elementType)", at: start)
    }
    return elementType.wrapped(value)
  }

  private mutating func float(_ type: ElementType, into bytes: inout [UInt8]) throws(SourceError) {
    switch type {
    case .f32:
      if let bits = try hexadecimalBits(type) {
        bytes.append(integer: Int64(bits), count: 4)
      } else {
        bytes.append(integer: Int64(Float(try real()).bitPattern), count: 4)
      }
    case .f64:
      if let bits = try hexadecimalBits(type) {
        bytes.append(integer: Int64(bitPattern: bits), count: 8)
      } else {
        bytes.append(integer: Int64(bitPattern: try real().bitPattern), count: 8)
      }
    default:
      if let bits = try hexadecimalBits(type) {
        bytes.append(integer: Int64(bits), count: type.byteCount)
      } else {
        bytes += type.bytes(of: .real(try real()))
      }
    }
  }

  /// The bit pattern after `0x`, if there is one.
  private mutating func hexadecimalBits(_ type: ElementType) throws(SourceError) -> UInt64? {
    guard byte == UInt8(ascii: "0"), position + 1 < end, source.bytes[position + 1] == UInt8(ascii: "x") else {
      return nil
    }
    let start = position
    position += 2
    while byte.hexValue != nil { position += 1 }
    guard let bits = SyntaxParser.unsigned(source.bytes[start..<position]),
      type.bitWidth == 64 || bits < 1 << UInt64(type.bitWidth)
    else { throw source.error("the bits do not fit \(type)", at: start) }
    return bits
  }

  /// A decimal number, `inf`, `nan` or, for whole attributes, a bit pattern after `0x`.
  mutating func real() throws(SourceError) -> Double {
    let start = position
    if let bits = try hexadecimalBits(elementType) { return value(ofBits: bits) }
    let isNegative = byte == UInt8(ascii: "-")
    if isNegative || byte == UInt8(ascii: "+") { position += 1 }
    if skip("inf") { return isNegative ? -.infinity : .infinity }
    if skip("nan") { return .nan }
    let first = position
    var digits: UInt64 = 0
    var digitCount = 0
    var scale = 0
    func take(_ reader: inout Self, isFraction: Bool) {
      while reader.byte.isDigit {
        if digitCount < 19 {
          digits = digits &* 10 &+ UInt64(reader.byte - UInt8(ascii: "0"))
          if digits > 0 { digitCount += 1 }
          if isFraction { scale -= 1 }
        } else {
          digitCount += 1
        }
        reader.position += 1
      }
    }
    take(&self, isFraction: false)
    if byte == UInt8(ascii: ".") {
      position += 1
      take(&self, isFraction: true)
    }
    guard position > first else { throw source.error("expected a number of type \(elementType)", at: start) }
    if byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      let isExponentNegative = byte == UInt8(ascii: "-")
      if isExponentNegative || byte == UInt8(ascii: "+") { position += 1 }
      var exponent = 0
      while byte.isDigit {
        exponent = min(exponent * 10 + Int(byte - UInt8(ascii: "0")), 100_000)
        position += 1
      }
      scale += isExponentNegative ? -exponent : exponent
    }
    // Below 2^53 and with a power of ten that is exact, one rounding gives the nearest value.
    if digitCount < 19, digits < 1 << 53, scale.magnitude <= 22 {
      let power = Self.powersOfTen[Int(scale.magnitude)]
      let magnitude = scale < 0 ? Double(digits) / power : Double(digits) * power
      return isNegative ? -magnitude : magnitude
    }
    guard let magnitude = Double(source.string(first..<position)) else {
      throw source.error("expected a number of type \(elementType)", at: start)
    }
    return isNegative ? -magnitude : magnitude
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  private func value(ofBits bits: UInt64) -> Double {
    var bytes: [UInt8] = []
    bytes.append(integer: Int64(bitPattern: bits), count: elementType.byteCount)
    return Literal(elementType, [], bytes: bytes)[0].realValue
  }

  // MARK: - Bytes

  /// The bytes of `"0x…"`.
  mutating func hexadecimalString() throws(SourceError) -> [UInt8] {
    let start = position
    position += 1
    guard skip("0x") else { throw source.error("a literal's string begins with 0x", at: start) }
    var bytes: [UInt8] = []
    while byte != UInt8(ascii: "\"") {
      guard position + 1 < end, let high = byte.hexValue, let low = source.bytes[position + 1].hexValue else {
        throw error("expected two hexadecimal digits")
      }
      bytes.append(high << 4 | low)
      position += 2
    }
    position += 1
    return bytes
  }

  /// The literal with these bytes: one element for all, every element, or, of i1, one bit for each.
  func literal(_ dimensions: [Int], raw: [UInt8], at start: Int) throws(SourceError) -> Literal {
    let count = dimensions.contains(0) ? 0 : dimensions.reduce(1, *)
    let size = elementType.byteCount
    if elementType.isBoolean {
      if raw.count == 1, count > 1 || raw[0] == 0xFF, raw[0] == 0 || raw[0] == 0xFF {
        return Literal(.i1, dimensions, splat: raw[0] == 0 ? .false : .true)
      }
      if raw.count == (count + 7) / 8, raw.count != count || count == 1 {
        return Literal(.i1, dimensions, bytes: (0..<count).map { raw[$0 / 8] >> UInt8($0 % 8) & 1 })
      }
      if raw.count == count { return Literal(.i1, dimensions, bytes: raw.map { $0 == 0 ? 0 : 1 }) }
    }
    if raw.count == size, count > 0 { return Literal(elementType, dimensions, splatBytes: raw) }
    if raw.count == count * size { return Literal(elementType, dimensions, bytes: raw) }
    throw source.error("\(raw.count) bytes for \(count) elements of \(elementType)", at: start)
  }
}

extension Literal {
  /// A literal whose elements all have the value that `bytes` holds.
  init(_ elementType: ElementType, _ dimensions: [Int], splatBytes bytes: [UInt8]) {
    let one = Literal(elementType, [], bytes: bytes)
    self.init(elementType, dimensions, splat: one[0])
  }
}

extension [UInt8] {
  /// Appends the low bytes of `value`, little-endian.
  mutating func append(integer value: Int64, count: Int) {
    for shift in 0..<count { append(UInt8(truncatingIfNeeded: value >> Int64(8 * shift))) }
  }
}
