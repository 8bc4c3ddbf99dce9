import Foundation

/// The checksum of LevelDB's and TensorFlow's files: CRC-32 with the polynomial of Castagnoli.
struct CRC32C {
  private var state: UInt32 = ~0

  init(_ bytes: Data = Data()) { append(bytes) }

  /// The checksum as it stands in files: rotated, so that checksums of bytes that hold checksums are none that occur.
  var masked: UInt32 {
    let crc = ~state
    return (crc >> 15 | crc << 17) &+ 0xa282_ead8
  }

  mutating func append(_ bytes: Data) {
    var crc = state
    bytes.withUnsafeBytes { bytes in
      var position = 0
      // Eight bytes at once: the tables say what each of them does to the rest.
      while bytes.count - position >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for index in 0..<8 {
          crc ^= Self.tables[(7 - index) << 8 | Int(truncatingIfNeeded: word >> UInt64(8 * index) & 0xff)]
        }
        position += 8
      }
      while position < bytes.count {
        crc = crc >> 8 ^ Self.tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[position])]
        position += 1
      }
    }
    state = crc
  }

  /// For each distance from 0 to 7 and each byte, what the byte followed by so many zeros leaves.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in 0..<UInt32(256) {
      tables.append((0..<8).reduce(byte) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) })
    }
    for index in 256..<2048 {
      let previous = tables[index - 256]
      tables.append(previous >> 8 ^ tables[Int(previous & 0xff)])
    }
    return tables
  }()
}
