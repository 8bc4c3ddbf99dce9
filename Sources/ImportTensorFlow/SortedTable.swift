import Foundation

/// The entries of a sorted-string table as LevelDB writes it, in order of their keys.
///
/// The file is blocks, of which the last is an index of the others, and a footer that says where the index is. Format:
/// https://github.com/google/leveldb/blob/main/doc/table_format.md
struct SortedTable {
  typealias Entry = (key: [UInt8], value: Data)

  private(set) var entries: [Entry] = []
  private let bytes: Data

  private static let footerByteCount = 48
  private static let magic = 0xdb47_7524_8b80_fb57 as UInt64
  /// The largest key, and the largest sum of all keys' bytes: keys share their beginnings, so that few bytes can stand
  /// for many.
  private static let keyByteLimit = 1 << 16
  private static let keysByteLimit = 1 << 28

  init(_ bytes: Data) throws(MalformedBytes) {
    self.bytes = bytes
    guard bytes.count >= Self.footerByteCount else { throw MalformedBytes("\(bytes.count) bytes have no footer") }
    var footer = ByteReader(bytes.suffix(Self.footerByteCount))
    _ = try Handle(&footer)
    let index = try Handle(&footer)
    guard bytes.suffix(8).reversed().reduce(0 as UInt64, { $0 << 8 | UInt64($1) }) == Self.magic else {
      throw MalformedBytes("the footer has another magic number")
    }
    var keysByteCount = 0
    var previousEnd = 0
    for (_, value) in try Self.entries(of: block(index), &keysByteCount) {
      var reader = ByteReader(value)
      let handle = try Handle(&reader)
      // A block that is read once cannot stand for more bytes than it has.
      guard handle.offset >= previousEnd else { throw MalformedBytes("two blocks overlap at byte \(handle.offset)") }
      let content = try block(handle)
      previousEnd = handle.offset + handle.count
      for entry in try Self.entries(of: content, &keysByteCount) {
        if let last = entries.last, !last.key.lexicographicallyPrecedes(entry.key) {
          throw MalformedBytes("the keys are not in order")
        }
        entries.append(entry)
      }
    }
  }

  /// Where a block lies.
  private struct Handle {
    let offset: Int
    let count: Int

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
      offset = try reader.varint()
      count = try reader.varint()
    }
  }

  /// The bytes of a block, checked and decompressed. Behind them in the file are a byte that says how they are
  /// compressed and the checksum of both.
  private func block(_ handle: Handle) throws(MalformedBytes) -> Data {
    guard handle.offset <= bytes.count, handle.count <= bytes.count - handle.offset - 5 else {
      throw MalformedBytes("a block of \(handle.count) bytes at byte \(handle.offset) leaves the \(bytes.count) bytes")
    }
    var reader = ByteReader(bytes.dropFirst(handle.offset))
    let content = try reader.take(handle.count + 1)
    let checksum = try reader.littleEndian(4)
    guard CRC32C(content).masked == UInt32(truncatingIfNeeded: checksum) else {
      throw MalformedBytes("the block at byte \(handle.offset) has another checksum than the file says")
    }
    switch content[content.endIndex - 1] {
    case 0: return content.dropLast()
    case 1: return try snappyDecompressed(content.dropLast())
    case let type: throw MalformedBytes("the block at byte \(handle.offset) is compressed in the unknown way \(type)")
    }
  }

  /// The entries of a block: each key is what it shares with the key before, and the rest. Behind them stand the
  /// positions from which keys share nothing, and their number.
  private static func entries(of block: Data, _ keysByteCount: inout Int) throws(MalformedBytes) -> [Entry] {
    var tail = ByteReader(block.suffix(4))
    let restartCount = try tail.littleEndian(4)
    guard restartCount <= (block.count - 4) / 4 else {
      throw MalformedBytes("a block of \(block.count) bytes has \(restartCount) restarts")
    }
    var reader = ByteReader(block.dropLast(4 * restartCount + 4))
    var entries: [Entry] = []
    var key: [UInt8] = []
    while reader.count > 0 {
      let sharedCount = try reader.varint()
      let restCount = try reader.varint()
      let valueCount = try reader.varint()
      guard sharedCount <= key.count else {
        throw MalformedBytes("a key shares \(sharedCount) bytes with one of \(key.count)")
      }
      key.removeSubrange(sharedCount...)
      key += try reader.take(restCount)
      keysByteCount += key.count
      guard key.count <= keyByteLimit, keysByteCount <= keysByteLimit else {
        throw MalformedBytes("the keys are longer than \(keyByteLimit) bytes, or all together than \(keysByteLimit)")
      }
      entries.append((key, try reader.take(valueCount)))
    }
    return entries
  }
}
