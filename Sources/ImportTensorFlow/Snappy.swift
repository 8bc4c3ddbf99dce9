import Foundation

/// What is wrong with bytes of a table; the caller that knows the file adds it.
struct MalformedBytes: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Reads numbers and strings from the front of some bytes.
struct ByteReader {
  private let bytes: Data
  private(set) var position = 0

  init(_ bytes: Data) { self.bytes = bytes }

  var count: Int { bytes.count - position }

  mutating func take(_ count: Int) throws(MalformedBytes) -> Data {
    guard count >= 0, count <= self.count else {
      throw MalformedBytes("\(count) bytes are needed where \(self.count) are left")
    }
    defer { position += count }
    return bytes[bytes.startIndex + position..<bytes.startIndex + position + count]
  }

  /// An unsigned number of this many bytes, at most eight, the lowest first.
  mutating func littleEndian(_ byteCount: Int) throws(MalformedBytes) -> Int {
    var value: UInt64 = 0
    for (index, byte) in try take(byteCount).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
    return Int(truncatingIfNeeded: value)
  }

  /// A number in groups of seven bits, the lowest first, below 2^63.
  mutating func varint() throws(MalformedBytes) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      guard count > 0 else { throw MalformedBytes("a number is cut off at the end") }
      let byte = bytes[bytes.startIndex + position]
      position += 1
      value |= Int(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw MalformedBytes("a number has more than 63 bits")
  }
}

/// The bytes that `compressed` stands for in Snappy's format: their count, then literal bytes and copies of what came
/// before.
///
/// Format: https://github.com/google/snappy/blob/main/format_description.txt
func snappyDecompressed(_ compressed: Data) throws(MalformedBytes) -> Data {
  var reader = ByteReader(compressed)
  let count = try reader.varint()
  // A copy of at most 64 bytes takes two bytes or more.
  guard count <= 64 * compressed.count else {
    throw MalformedBytes("\(compressed.count) compressed bytes cannot stand for \(count)")
  }
  var result: [UInt8] = []
  result.reserveCapacity(count)
  while reader.count > 0 {
    let tag = try reader.littleEndian(1)
    var length = tag >> 2 + 1
    let distance: Int
    switch tag & 3 {
    case 0:
      if length > 60 { length = try reader.littleEndian(length - 60) + 1 }
      result += try reader.take(length)
      guard result.count <= count else { throw MalformedBytes("more than \(count) bytes are decompressed") }
      continue
    case 1:
      length = tag >> 2 & 7 + 4
      distance = (tag >> 5) << 8 | (try reader.littleEndian(1))
    case 2: distance = try reader.littleEndian(2)
    default: distance = try reader.littleEndian(4)
    }
    guard distance > 0, distance <= result.count else {
      throw MalformedBytes("a copy begins \(distance) bytes back where there are \(result.count)")
    }
    guard length <= count - result.count else { throw MalformedBytes("more than \(count) bytes are decompressed") }
    // Byte by byte: a copy may read what it writes.
    for _ in 0..<length { result.append(result[result.count - distance]) }
  }
  guard result.count == count else {
    throw MalformedBytes("\(result.count) bytes are decompressed instead of \(count)")
  }
  return Data(result)
}
