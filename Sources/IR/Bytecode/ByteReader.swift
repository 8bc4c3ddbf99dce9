/// Reads a part of a bytecode file from front to back.
struct ByteReader: Sendable {
  let source: SourceFile
  private(set) var position: Int
  let end: Int

  init(_ source: SourceFile, _ range: Range<Int>) {
    self.source = source
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position == end }

  func error(_ message: String) -> SourceError { source.error(message, at: position) }

  mutating func byte() throws(SourceError) -> UInt8 {
    guard position < end else { throw error("the file ends, or a part of it, where a byte is expected") }
    defer { position += 1 }
    return source.bytes[position]
  }

  /// The places of the next `count` bytes.
  mutating func skip(_ count: Int) throws(SourceError) -> Range<Int> {
    guard count <= end - position else {
      throw error("\(count) bytes are expected where \(end - position) are left")
    }
    defer { position += count }
    return position..<position + count
  }

  // MARK: - Integers

  /// As many bytes more as the first has zero bits at its low end; after the lowest one bit come the bits of the value.
  mutating func integer() throws(SourceError) -> UInt64 {
    let first = try byte()
    let more = first.trailingZeroBitCount
    var value = more == 8 ? 0 : UInt64(first >> UInt8(more)) >> 1
    var shift = UInt64(more == 8 ? 0 : 7 - more)
    for _ in 0..<more {
      value |= UInt64(try byte()) << shift
      shift += 8
    }
    return value
  }

  /// The sign is the lowest bit.
  mutating func signedInteger() throws(SourceError) -> Int64 {
    let value = try integer()
    return Int64(bitPattern: value >> 1) ^ -Int64(value & 1)
  }

  /// A number and, in its lowest bit, a flag.
  mutating func flaggedInteger() throws(SourceError) -> (value: UInt64, flag: Bool) {
    let value = try integer()
    return (value >> 1, value & 1 == 1)
  }

  /// How many things follow, each of which takes a byte or more.
  mutating func count(_ things: String) throws(SourceError) -> Int {
    let value = try integer()
    guard value <= UInt64(end - position) else {
      throw error("\(value) \(things) do not fit into \(end - position) bytes")
    }
    return Int(value)
  }

  mutating func list<T>(
    _ things: String, _ element: (inout Self) throws(SourceError) -> T
  ) throws(SourceError) -> [T] {
    let count = try count(things)
    var result: [T] = []
    result.reserveCapacity(count)
    for _ in 0..<count { result.append(try element(&self)) }
    return result
  }

  mutating func signedIntegers() throws(SourceError) -> [Int64] {
    try list("integers") { (reader) throws(SourceError) in try reader.signedInteger() }
  }

  // MARK: - Bytes

  /// The places of bytes that come after their number.
  mutating func blob() throws(SourceError) -> Range<Int> { try skip(try count("bytes")) }

  /// The text up to a byte that is zero.
  mutating func terminatedString() throws(SourceError) -> String {
    guard let zero = source.bytes[position..<end].firstIndex(of: 0) else { throw error("a string is not closed") }
    defer { position = zero + 1 }
    return source.string(position..<zero)
  }

  /// A part with its number; bytes in front of it may align it.
  mutating func section() throws(SourceError) -> (id: UInt8, body: ByteReader) {
    let head = try byte()
    let length = try integer()
    if head & 0x80 != 0 {
      let alignment = try integer()
      guard alignment.nonzeroBitCount == 1, alignment <= 1 << 20 else {
        throw error("a part of the file is aligned to \(alignment) bytes")
      }
      while UInt64(position) % alignment != 0 { _ = try byte() }
    }
    guard length <= UInt64(end - position) else {
      throw error("a part of \(length) bytes does not fit into \(end - position) bytes")
    }
    return (head & 0x7F, ByteReader(source, try skip(Int(length))))
  }
}
