import Foundation

/// Walks the fields of one protobuf message without decoding them.
///
/// Wire format: https://protobuf.dev/programming-guides/encoding. Positions are offsets into `bytes`, so that a field
/// can be left where it lies in a mapped file.
struct WireScanner {
  let bytes: Data
  private var position: Int
  private let end: Int

  init(_ bytes: Data, in range: Range<Int>? = nil) {
    self.bytes = bytes
    self.position = range?.lowerBound ?? bytes.startIndex
    self.end = range?.upperBound ?? bytes.endIndex
  }

  /// One field: its number, where it begins with its tag, and where its payload lies (for length-delimited fields
  /// the content without the length).
  struct Field {
    var number: Int
    var isLengthDelimited: Bool
    var start: Int
    var payload: Range<Int>
    var all: Range<Int> { start..<payload.upperBound }
  }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(ONNXError) -> Field? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    let number = Int(truncatingIfNeeded: tag >> 3)
    guard number > 0 else { throw malformed(at: start, "field number 0") }
    switch tag & 7 {
    case 0:
      let begin = position
      _ = try varint()
      return Field(number: number, isLengthDelimited: false, start: start, payload: begin..<position)
    case 1: return try fixed(number, start, byteCount: 8)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw malformed(at: start, "a field of \(length) bytes where \(end - position) are left")
      }
      let payload = position..<position + Int(length)
      position = payload.upperBound
      return Field(number: number, isLengthDelimited: true, start: start, payload: payload)
    case 5: return try fixed(number, start, byteCount: 4)
    default: throw malformed(at: start, "wire type \(tag & 7)")
    }
  }

  private mutating func fixed(_ number: Int, _ start: Int, byteCount: Int) throws(ONNXError) -> Field {
    guard end - position >= byteCount else { throw malformed(at: start, "a field cut off at the end") }
    let payload = position..<position + byteCount
    position = payload.upperBound
    return Field(number: number, isLengthDelimited: false, start: start, payload: payload)
  }

  private mutating func varint() throws(ONNXError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < end else { throw malformed(at: position, "a number cut off at the end") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw malformed(at: position, "a number of more than ten bytes")
  }

  private func malformed(at position: Int, _ what: String) -> ONNXError {
    .invalid("the file is not an ONNX model: \(what) at byte \(position)")
  }
}

extension Data {
  /// Appends a length-delimited protobuf field.
  mutating func appendField(_ number: Int, _ payload: Data) {
    appendVarint(UInt64(number) << 3 | 2)
    appendVarint(UInt64(payload.count))
    append(payload)
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}
