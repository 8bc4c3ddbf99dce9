import Foundation
import IR
import SwiftProtobuf

/// A checkpoint (TensorBundle): an index of tensors by key, and files with their bytes, which stay where they lie.
struct Checkpoint {
  private let entries: [[UInt8]: Tensorflow_BundleEntryProto]
  private let shards: [Data]

  /// The checkpoint in the files `PREFIX.index` and `PREFIX.data-00000-of-00001`, and so on.
  init(prefix: String) throws(TensorFlowError) {
    let url = URL(fileURLWithPath: prefix + ".index")
    let name = url.lastPathComponent
    let bytes = try mappedFile(url)
    let table: SortedTable
    do throws(MalformedBytes) { table = try SortedTable(bytes) } catch {
      throw .invalid("\(name) is not the index of a checkpoint: \(error.reason)")
    }
    guard let first = table.entries.first, first.key.isEmpty else {
      throw .invalid("\(name) is not the index of a checkpoint: it has no header")
    }
    let header: Tensorflow_BundleHeaderProto = try decoded(first.value, "the index of a checkpoint")
    guard header.endianness == .little else { throw .unsupported(["checkpoints of big-endian machines (\(name))"]) }
    var entries: [[UInt8]: Tensorflow_BundleEntryProto] = [:]
    for entry in table.entries.dropFirst() {
      entries[entry.key] = try decoded(entry.value, "the index of a checkpoint") as Tensorflow_BundleEntryProto
    }
    self.entries = entries
    guard header.numShards > 0 else { throw .invalid("\(name) says that there are \(header.numShards) files of data") }
    var shards: [Data] = []
    for index in 0..<header.numShards {
      shards.append(try mappedFile(URL(fileURLWithPath: Self.path(prefix, shard: index, of: header.numShards))))
    }
    self.shards = shards
  }

  private static func path(_ prefix: String, shard: Int32, of count: Int32) -> String {
    func padded(_ number: Int32) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    return "\(prefix).data-\(padded(shard))-of-\(padded(count))"
  }

  /// Whether there is a tensor with this key.
  func contains(_ key: String) -> Bool { entries[Array(key.utf8)] != nil }

  /// The tensor with this key; of one that is stored in parts, the part that `slice` names.
  ///
  /// `slice` is what `RestoreV2` takes: empty for the whole tensor, else its dimensions and the beginning and length of
  /// the part along each (`10 3 0,5:-`).
  func literal(_ key: String, slice: String = "") throws(OpError) -> Literal {
    guard let whole = entries[Array(key.utf8)] else { throw OpError("the checkpoint has no tensor '\(key)'") }
    do throws(OpError) {
      guard !whole.slices.isEmpty else {
        guard slice.isEmpty else { throw .unsupported("parts of a tensor stored as a whole") }
        return try literal(of: whole)
      }
      guard let part = TensorSlice(slice) else {
        throw slice.isEmpty
          ? .unsupported("whole tensors stored in parts") : OpError("'\(slice)' does not name a part of a tensor")
      }
      guard let entry = entries[part.key(of: key)] else {
        throw .unsupported("parts of a tensor other than those stored")
      }
      let literal = try literal(of: entry)
      guard literal.dimensions == part.dimensions else {
        throw OpError("the part '\(slice)' has the dimensions \(literal.dimensions)")
      }
      return literal
    } catch {
      throw error.at(.name("tensor '\(key)' of the checkpoint", .unknown))
    }
  }

  private func literal(of entry: Tensorflow_BundleEntryProto) throws(OpError) -> Literal {
    let element = try entry.dtype.elementType()
    let dimensions = try entry.shape.fixedDimensions()
    let bytes = try bytes(of: entry)
    guard CRC32C(bytes).masked == entry.crc32C else {
      throw OpError("its bytes have another checksum than the index says")
    }
    return try Literal(element, dimensions, memory: bytes)
  }

  /// The one string of a scalar of strings; nil if there is no such tensor.
  func string(_ key: String) throws(OpError) -> Data? {
    guard let entry = entries[Array(key.utf8)], entry.dtype == .dtString, entry.shape.dim.isEmpty else { return nil }
    var reader = ByteReader(try bytes(of: entry))
    do throws(MalformedBytes) {
      // Its length, a checksum of the length, and the bytes; the index has a checksum of all that.
      let count = try reader.varint()
      let width = count >> 32 == 0 ? 4 : 8
      var checksum = CRC32C(Data((0..<width).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }))
      checksum.append(try reader.take(4))
      let string = try reader.take(count)
      checksum.append(string)
      guard checksum.masked == entry.crc32C else {
        throw MalformedBytes("its bytes have another checksum than the index says")
      }
      return string
    } catch {
      throw OpError("tensor '\(key)' of the checkpoint: \(error.reason)")
    }
  }

  private func bytes(of entry: Tensorflow_BundleEntryProto) throws(OpError) -> Data {
    guard shards.indices.contains(Int(entry.shardID)) else {
      throw OpError("it lies in file \(entry.shardID) of \(shards.count)")
    }
    let shard = shards[Int(entry.shardID)]
    guard entry.offset >= 0, entry.size >= 0, entry.offset <= shard.count,
      entry.size <= Int64(shard.count) - entry.offset
    else {
      throw OpError("its \(entry.size) bytes at byte \(entry.offset) leave the \(shard.count) bytes of its file")
    }
    let start = shard.startIndex + Int(entry.offset)
    return shard[start..<start + Int(entry.size)]
  }
}

/// A part of a tensor: where it begins and ends along each dimension.
private struct TensorSlice {
  /// The beginning and the number of elements; a length of -1 stands for all.
  private var extents: [(start: Int, length: Int)] = []
  /// The part's dimensions.
  private(set) var dimensions: [Int] = []

  /// The part that a specification such as `10 3 0,5:-` names; nil if it names none.
  init?(_ specification: String) {
    let words = specification.split(separator: " ", omittingEmptySubsequences: false)
    guard let last = words.last, words.count > 1 else { return nil }
    let parts = last.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == words.count - 1 else { return nil }
    for (word, part) in zip(words, parts) {
      guard let extent = Int(word), extent >= 0 else { return nil }
      if part == "-" {
        extents.append((0, -1))
        dimensions.append(extent)
        continue
      }
      let numbers = part.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2, let start = numbers[0], let length = numbers[1], start >= 0, start <= extent,
        length >= 0, length <= extent - start
      else { return nil }
      extents.append((start, length))
      dimensions.append(length)
    }
  }

  /// The key that the part of the tensor `name` has in an index: strings and numbers in a form whose bytes have their
  /// order (OrderedCode).
  func key(of name: String) -> [UInt8] {
    var key: [UInt8] = [0]
    for byte in name.utf8 {
      key.append(byte)
      if byte == 0 { key.append(0xff) } else if byte == 0xff { key.append(0) }
    }
    key += [0, 1, 1, UInt8(truncatingIfNeeded: extents.count)]
    for (start, length) in extents { key += Self.ordered(start) + Self.ordered(length) }
    return key
  }

  /// The number in groups of seven bits, the highest first, behind as many ones as there are bytes.
  private static func ordered(_ value: Int) -> [UInt8] {
    let bitCount = Int.bitWidth - (value < 0 ? ~value : value).leadingZeroBitCount
    let count = bitCount / 7 + 1
    let sign: UInt8 = value < 0 ? 0xff : 0
    var bytes = (0..<max(count, 8)).reversed().map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : sign }
    bytes.removeFirst(bytes.count - count)
    bytes[0] ^= count > 7 ? 0xff : UInt8(truncatingIfNeeded: 0xff00 >> count)
    if count > 7 { bytes[1] ^= UInt8(truncatingIfNeeded: 0xff00 >> (count - 8)) }
    return bytes
  }
}
