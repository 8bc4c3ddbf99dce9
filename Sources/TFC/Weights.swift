import Driver
import Foundation
import IR

/// Files of named tensors, in the format of safetensors: a header in JSON with the type, the shape and the place of each,
/// then their elements, little-endian.
///
/// <https://huggingface.co/docs/safetensors>
extension TensorGroup {
  /// Writes all tensors under the names of the members that lead to them: `hidden.weight`.
  public func writeWeights(to path: String) throws(GraphError) {
    var header: [String: WeightEntry] = [:]
    var buffers: [TensorBuffer] = []
    var end = 0
    for (name, tensor) in zip(structure.paths, tensors) {
      guard let buffer = tensor.buffer else { throw GraphError("tensors of a graph that is traced have no elements") }
      guard let type = WeightEntry.types.first(where: { $0.element == buffer.type.elementType })?.name else {
        throw GraphError("tensors of \(buffer.type.elementType) have no type in a file of weights ('\(name)')")
      }
      let entry = WeightEntry(dtype: type, shape: buffer.dimensions, offsets: [end, end + buffer.byteCount])
      guard header.updateValue(entry, forKey: name) == nil else {
        throw GraphError("two tensors have the name '\(name)'")
      }
      buffers.append(buffer)
      end += buffer.byteCount
    }
    var bytes = WeightsFile.headerBytes(header)
    bytes.reserveCapacity(bytes.count + end)
    for buffer in buffers { bytes += UnsafeRawBufferPointer(start: buffer.data, count: buffer.byteCount) }
    do throws(Failure) { try Files.replace(path, with: bytes) } catch { throw GraphError(error) }
  }

  /// Puts the tensors of a file in the place of those with the same names; every one must be there, with its type and shape.
  public mutating func readWeights(from path: String) throws(GraphError) {
    let file = try WeightsFile(path)
    var read: [Storage] = []
    for (name, tensor) in zip(structure.paths, tensors) { read.append(.buffer(try file.tensor(name, tensor.type))) }
    self = replacingTensors(read)
  }
}

/// What the header says of a tensor.
private struct WeightEntry: Codable, Equatable {
  var dtype: String
  var shape: [Int]
  /// The first byte, and the one behind the last, counted from the end of the header.
  var offsets: [Int]

  private enum CodingKeys: String, CodingKey {
    case dtype, shape
    case offsets = "data_offsets"
  }

  static let types: [(name: String, element: ElementType)] = [
    ("BOOL", .i1), ("I8", .i8), ("I16", .i16), ("I32", .i32), ("I64", .i64), ("U8", .ui8), ("U16", .ui16),
    ("U32", .ui32), ("U64", .ui64), ("F16", .f16), ("BF16", .bf16), ("F32", .f32), ("F64", .f64),
  ]
}

private struct WeightsFile {
  private let path: String
  private let entries: [String: WeightEntry]
  private let data: Data

  private static let greatestHeader = 100 << 20

  init(_ path: String) throws(GraphError) {
    self.path = path
    let all: Data
    do throws(Failure) { all = try Files.read(path) } catch { throw GraphError(error) }
    guard all.count >= 8 else { throw GraphError("\(path): it has no header") }
    let size = all.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    guard size <= UInt64(Self.greatestHeader), Int(size) <= all.count - 8 else {
      throw GraphError("\(path): its header of \(size) bytes does not fit into it")
    }
    do {
      let text = all.subdata(in: 8..<8 + Int(size))
      entries = try JSONDecoder().decode([String: Header].self, from: text).compactMapValues(\.entry)
    } catch {
      throw GraphError("\(path): its header is no table of tensors: \(error.localizedDescription)")
    }
    data = all.dropFirst(8 + Int(size))
  }

  /// The header with its length before it, and spaces behind, so that elements begin at a multiple of 8.
  static func headerBytes(_ header: [String: WeightEntry]) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var text = try? encoder.encode(header) else { preconditionFailure("names and numbers have a text in JSON") }
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  /// A tensor of the file, which must have this type.
  func tensor(_ name: String, _ type: TensorType) throws(GraphError) -> TensorBuffer {
    guard let entry = entries[name] else { throw GraphError("\(path): there is no tensor '\(name)'") }
    let element = WeightEntry.types.first { $0.name == entry.dtype }?.element
    guard element == type.elementType, entry.shape == type.fixedDimensions else {
      throw GraphError("\(path): '\(name)' is \(entry.dtype) \(entry.shape), expected \(type.detailedDescription)")
    }
    let buffer = TensorBuffer(type.elementType, entry.shape)
    guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1],
      entry.offsets[1] <= data.count, entry.offsets[1] - entry.offsets[0] == buffer.byteCount
    else { throw GraphError("\(path): '\(name)' has the bytes \(entry.offsets) of \(data.count)") }
    var isTruth = true
    let start = data.startIndex + entry.offsets[0]
    data.subdata(in: start..<start + buffer.byteCount).withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { buffer.data.copyMemory(from: source, byteCount: buffer.byteCount) }
      isTruth = type.elementType != .i1 || bytes.allSatisfy { $0 <= 1 }
    }
    guard isTruth else { throw GraphError("\(path): '\(name)' has truth values that are neither 0 nor 1") }
    return buffer
  }

  /// A member of the header: a tensor, or the table of what else the writer had to say.
  private struct Header: Decodable {
    let entry: WeightEntry?

    init(from decoder: any Decoder) throws {
      let isTensor = (try? decoder.container(keyedBy: Key.self))?.contains(.dtype) ?? false
      entry = isTensor ? try WeightEntry(from: decoder) : nil
    }

    private enum Key: String, CodingKey { case dtype }
  }
}
