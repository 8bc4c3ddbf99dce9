/// The header of a `.npy` file: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.
struct NumpyHeader {
  private(set) var kind: Character = "f"
  private(set) var itemSize = 0
  private(set) var isBigEndian = false
  private(set) var isFortranOrder = false
  private(set) var dimensions: [Int] = []

  init(parsing bytes: [UInt8]) throws(Failure) {
    var parser = PythonLiteralParser(bytes)
    guard case .dictionary(let entries) = try parser.parse() else {
      throw .refused("the header is not a Python dictionary")
    }
    guard case .string(let type)? = entries["descr"] else {
      if case .other? = entries["descr"] { throw .refused("structured element types are not read") }
      throw .refused("the header has no 'descr'")
    }
    guard case .boolean(let order)? = entries["fortran_order"] else {
      throw .refused("the header has no 'fortran_order'")
    }
    guard case .tuple(let shape)? = entries["shape"] else { throw .refused("the header has no 'shape'") }
    if let negative = shape.first(where: { $0 < 0 }) { throw .refused("the shape has the extent \(negative)") }
    isFortranOrder = order
    dimensions = shape
    try setType(type)
  }

  private mutating func setType(_ text: String) throws(Failure) {
    var rest = text[...]
    if let order = rest.first, "<>=|".contains(order) {
      isBigEndian = order == ">"
      rest = rest.dropFirst()
    }
    guard let letter = rest.first, let size = Int(rest.dropFirst()) else {
      throw .refused("the element type '\(text)' is not read")
    }
    let sizes: [Int] =
      switch letter {
      case "f": [2, 4, 8]
      case "i", "u": [1, 2, 4, 8]
      case "b": [1]
      case "c": [8, 16]
      case "V": [1, 2]
      default: []
      }
    guard sizes.contains(size) else { throw .refused("the element type '\(text)' is not read") }
    (kind, itemSize) = (letter, size)
  }
}

/// Reads the few forms of Python literals that occur in headers of `.npy` files.
private struct PythonLiteralParser {
  enum Value {
    case string(String)
    case boolean(Bool)
    case integer(Int)
    case tuple([Int])
    case dictionary([String: Value])
    /// A list or a tuple of other things.
    case other
  }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The one value, with nothing but space and zeros behind it.
  mutating func parse() throws(Failure) -> Value {
    let value = try value()
    skipSpace()
    while position < bytes.count, bytes[position] == 0 { position += 1 }
    guard position == bytes.count else { throw broken }
    return value
  }

  private var broken: Failure { .refused("the header is broken at byte \(position)") }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func next(_ character: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(Failure) -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth < 32 else { throw broken }
    skipSpace()
    guard position < bytes.count else { throw broken }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try dictionary()
    case UInt8(ascii: "("): return try sequence(until: ")")
    case UInt8(ascii: "["):
      _ = try sequence(until: "]")
      return .other
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    default: return try word()
    }
  }

  private mutating func dictionary() throws(Failure) -> Value {
    position += 1
    var entries: [String: Value] = [:]
    while !next("}") {
      guard case .string(let key) = try value(), next(":") else { throw broken }
      entries[key] = try value()
      guard next(",") else {
        guard next("}") else { throw broken }
        break
      }
    }
    return .dictionary(entries)
  }

  private mutating func sequence(until end: Character) throws(Failure) -> Value {
    position += 1
    var numbers: [Int] = []
    var isPlain = true
    while !next(end) {
      if case .integer(let number) = try value() { numbers.append(number) } else { isPlain = false }
      guard next(",") else {
        guard next(end) else { throw broken }
        break
      }
    }
    return isPlain ? .tuple(numbers) : .other
  }

  private mutating func string() throws(Failure) -> String {
    let quote = bytes[position]
    guard let end = bytes[(position + 1)...].firstIndex(of: quote) else { throw broken }
    let text = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
    position = end + 1
    return text
  }

  private mutating func word() throws(Failure) -> Value {
    let start = position
    while position < bytes.count, !",:()[]{} \n\t\r".utf8.contains(bytes[position]), bytes[position] != 0 {
      position += 1
    }
    var text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "True": return .boolean(true)
    case "False": return .boolean(false)
    default:
      // Python 2 wrote long integers with an L.
      if text.hasSuffix("L") { text.removeLast() }
      guard let number = Int(text) else { throw broken }
      return .integer(number)
    }
  }
}
