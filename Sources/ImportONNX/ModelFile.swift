import Foundation
import SwiftProtobuf

/// An ONNX file: its messages, and the weights still where they lie in the mapped file.
///
/// Decoding copies every `bytes` field, so the large `raw_data` fields of initializers are left out of what is decoded;
/// `weights` says where they are. A weight is then copied once, from the mapped file into its literal.
struct ModelFile {
  let model: Onnx_ModelProto
  /// The folder that locations of external data are relative to; nil for a model that is not in a file.
  let directory: URL?
  private let bytes: Data
  private let weights: [Int: Range<Int>]

  /// Raw data of at least this many bytes stays in the file.
  private static let largeByteCount = 4096

  init(path: String) throws(ONNXError) {
    let url = URL(fileURLWithPath: path)
    let bytes: Data
    do { bytes = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw .invalid("the file cannot be read: \(error.localizedDescription)")
    }
    try self.init(bytes, directory: url.deletingLastPathComponent())
  }

  init(_ bytes: [UInt8]) throws(ONNXError) {
    try self.init(Data(bytes), directory: nil)
  }

  private init(_ bytes: Data, directory: URL?) throws(ONNXError) {
    self.bytes = bytes
    self.directory = directory
    var weights: [Int: Range<Int>] = [:]
    let skeleton = try Self.skeleton(of: bytes, &weights)
    self.weights = weights
    do { model = try Onnx_ModelProto(serializedBytes: skeleton) } catch {
      throw .invalid("the file is not an ONNX model: it is not a valid protobuf message (\(error))")
    }
    guard model.hasGraph else { throw .invalid("the file is not an ONNX model: it has no graph") }
  }

  /// The raw data of the initializer with this index in the main graph, if it was left in the file.
  func rawData(ofInitializer index: Int) -> Data? {
    weights[index].map { bytes[$0] }
  }

  /// The model's bytes without the large raw data of its initializers. ModelProto.graph is field 7,
  /// GraphProto.initializer 5, TensorProto.raw_data 9.
  private static func skeleton(of bytes: Data, _ weights: inout [Int: Range<Int>]) throws(ONNXError) -> Data {
    var result = Data()
    var count = 0
    var model = WireScanner(bytes)
    while let field = try model.next() {
      guard field.number == 7, field.isLengthDelimited else {
        result.append(bytes[field.all])
        continue
      }
      var graph = Data()
      var fields = WireScanner(bytes, in: field.payload)
      while let field = try fields.next() {
        guard field.number == 5, field.isLengthDelimited else {
          graph.append(bytes[field.all])
          continue
        }
        defer { count += 1 }
        guard field.payload.count >= largeByteCount else {
          graph.append(bytes[field.all])
          continue
        }
        graph.appendField(5, try tensorSkeleton(of: bytes, field.payload, &weights[count]))
      }
      result.appendField(7, graph)
    }
    return result
  }

  private static func tensorSkeleton(
    of bytes: Data, _ range: Range<Int>, _ weight: inout Range<Int>?
  ) throws(ONNXError) -> Data {
    var result = Data()
    var tensor = WireScanner(bytes, in: range)
    while let field = try tensor.next() {
      if field.number == 9, field.isLengthDelimited, field.payload.count >= largeByteCount {
        weight = field.payload
      } else {
        result.append(bytes[field.all])
      }
    }
    return result
  }
}
