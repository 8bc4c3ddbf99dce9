import Foundation
import IR
import SwiftProtobuf
import Testing

@testable import ImportTensorFlow

/// What is read of SavedModels, GraphDefs and checkpoints. Tests/TensorFlow/make_models.py writes the files.
struct TensorFlowFileTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "TensorFlow")

  private static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// Runs `body` with a copy of the SavedModel `name`.
  private static func withCopy<Result>(
    of name: String, _ body: (_ folder: URL) throws -> Result
  ) throws -> Result {
    let copy = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.copyItem(at: folder.appending(path: name), to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    return try body(copy)
  }

  /// Runs `body` with the path of a copy of the SavedModel `name` in which `change` has changed something.
  private static func withModel<Result>(
    _ name: String, _ change: (inout Tensorflow_SavedModel) -> Void, do body: (_ path: String) throws -> Result
  ) throws -> Result {
    try withCopy(of: name) { folder in
      let file = folder.appending(path: "saved_model.pb")
      var model = try Tensorflow_SavedModel(serializedBytes: Data(contentsOf: file))
      change(&model)
      try model.serializedData().write(to: file)
      return try body(folder.path)
    }
  }

  /// All values of variables of a model, by the names of their nodes.
  private static func values(_ path: String) throws -> [String: Literal] {
    let file = try ModelFile(path: path)
    var values: [String: Literal] = [:]
    for node in file.graph.node where ["VarHandleOp", "VariableV2"].contains(node.op) {
      values[node.name] = try file.value(ofVariable: node.name)
    }
    return values
  }

  private static func constants() throws -> [String: Tensorflow_TensorProto] {
    let nodes = try ModelFile(path: path("constants.pb")).graph.node
    return Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0.attr["value"]?.tensor ?? .init()) })
  }

  static let numbers: [(name: String, element: ElementType)] = [
    ("float32", .f32), ("float64", .f64), ("float16", .f16), ("bfloat16", .bf16), ("int8", .i8), ("int16", .i16),
    ("int32", .i32), ("int64", .i64), ("uint8", .ui8), ("uint16", .ui16), ("uint32", .ui32), ("uint64", .ui64),
    ("complex64", .complex64), ("complex128", .complex128),
  ]

  /// A literal whose elements are these whole numbers.
  private static func literal(_ element: ElementType, _ dimensions: [Int], _ numbers: [Int]) -> Literal {
    Literal(
      element, dimensions,
      numbers.map {
        element.isComplex ? .complex(Double($0), 0) : element.isFloat ? .real(Double($0)) : .integer(Int64($0))
      })
  }

  // MARK: Variables

  @Test(arguments: numbers) func variablesOfEachType(name: String, element: ElementType) throws {
    let value = try ModelFile(path: Self.path("variables")).value(ofVariable: name)
    #expect(value == Self.literal(element, [2, 3], [1, 2, 3, 4, 5, 6]))
  }

  @Test func variablesOfOtherTypesAndShapes() throws {
    let file = try ModelFile(path: Self.path("variables/saved_model.pb"))
    let bytes: [Scalar] = [.real(1), .real(2), .real(-0.5)]
    #expect(try file.value(ofVariable: "float8_e5m2") == Literal(.f8E5M2, [3], bytes))
    #expect(try file.value(ofVariable: "float8_e4m3fn") == Literal(.f8E4M3FN, [3], bytes))
    #expect(try file.value(ofVariable: "bool") == Self.literal(.i1, [3], [1, 0, 1]))
    #expect(try file.value(ofVariable: "scalar") == Literal(.f32, [], [Scalar.real(2.5)]))
    #expect(try file.value(ofVariable: "empty") == Literal(.f32, [0, 3], bytes: []))
    #expect(try file.value(ofVariable: "saver_filename") == nil)
    #expect(try file.value(ofVariable: "none") == nil)
    #expect(file.signatures["serving_default"]?.inputs["x"]?.dtype == .dtFloat)
    #expect(file.functions.count == 4)
  }

  /// Two variables were given one name; the arguments of the function that restores them tell them apart.
  @Test func variablesOfOneName() throws {
    let values = try Self.values(Self.path("variables")).filter { $0.key.hasPrefix("twin") }
    #expect(Set(values.values) == [Self.literal(.f32, [1], [1]), Self.literal(.f32, [1], [2])])
  }

  /// Without a saver the graph of objects in the checkpoint says which tensor a variable has, unless two objects have
  /// its name, and without that its name is the key.
  @Test(arguments: ["variables", "session"]) func variablesWithoutSaver(name: String) throws {
    let restored = try Self.values(Self.path(name)).filter { !$0.key.contains("twin") && !$0.key.contains("part") }
    #expect(!restored.isEmpty)
    try Self.withModel(name) { model in
      model.metaGraphs[0].clearSaverDef()
    } do: { path in
      let named = try Self.values(path)
      #expect(named == restored)
    }
  }

  @Test func sessionVariables() throws {
    let expected = [
      "reference": Self.literal(.f32, [4], [1, 2, 3, 4]),
      "resource": Self.literal(.f32, [4], [5, 6, 7, 8]),
      "parts/part_0": Self.literal(.f32, [2, 3], [1, 2, 3, 4, 5, 6]),
      "parts/part_1": Self.literal(.f32, [2, 3], [1, 2, 3, 4, 5, 6]),
    ]
    #expect(try Self.values(Self.path("session")) == expected)
  }

  @Test func variablesThatDoNotFitTheGraph() throws {
    func message(_ change: @escaping (inout Tensorflow_NodeDef) -> Void) throws -> String {
      try Self.withModel("session") { model in
        for (index, node) in model.metaGraphs[0].graphDef.node.enumerated() where node.name == "reference" {
          change(&model.metaGraphs[0].graphDef.node[index])
        }
      } do: { path in
        do { return "\(try Self.values(path).count)" } catch { return "\(error)" }
      }
    }
    #expect(
      try message { $0.attr["shape"]?.shape.dim[0].size = 5 }
        == "variable 'reference' has dimensions [5], but its value in the checkpoint is tensor<4xf32>")
    #expect(
      try message { $0.attr["dtype"]?.type = .dtInt32 }
        == "variable 'reference' has elements of i32, but its value in the checkpoint is tensor<4xf32>")
    #expect(try message { $0.attr["shape"]?.shape.dim[0].size = -1 } == "4")
    #expect(try message { $0.attr["dtype"]?.type = .dtQint8 } == "unsupported: tensors of qint8")
    #expect(try message { $0.name = "resource" } == "two nodes have the name 'resource'")
  }

  // MARK: Constants

  @Test(arguments: numbers) func constantsOfEachType(name: String, element: ElementType) throws {
    let constants = try Self.constants()
    #expect(try constants["\(name)_content"]?.literal() == Self.literal(element, [2, 2], [1, 2, 3, 4]))
    #expect(try constants["\(name)_list"]?.literal() == Self.literal(element, [2, 2], [1, 2, 2, 2]))
  }

  @Test func constantsOfOneValue() throws {
    let constants = try Self.constants()
    #expect(try constants["bool"]?.literal() == Self.literal(.i1, [3], [1, 0, 1]))
    #expect(try constants["splat"]?.literal() == Literal(.f32, [1000, 1000], splat: .real(7)))
    var empty = try #require(constants["splat"])
    empty.floatVal = []
    #expect(try empty.literal() == Literal(.f32, [1000, 1000], splat: .real(0)))
  }

  @Test func narrowIntegersKeepTheirSign() throws {
    var tensor = Tensorflow_TensorProto()
    tensor.dtype = .dtInt4
    tensor.tensorShape.dim = [.with { $0.size = 3 }]
    tensor.intVal = [7, -8]
    #expect(try tensor.literal() == Self.literal(.i4, [3], [7, -8, -8]))
    tensor.tensorContent = Data([0x0f, 1, 2])
    #expect(try tensor.literal() == Self.literal(.i4, [3], [-1, 1, 2]))
  }

  @Test func constantsThatAreRefused() throws {
    let constants = try Self.constants()
    func message(_ tensor: Tensorflow_TensorProto?) -> String {
      do { return "\(String(describing: try tensor?.literal().type))" } catch { return "\(error)" }
    }
    #expect(message(constants["string"]) == "unsupported: tensors of strings")
    #expect(message(constants["quantized"]) == "unsupported: tensors of qint8")
    var tensor = Tensorflow_TensorProto()
    tensor.dtype = .dtFloat
    tensor.tensorShape.dim = [2, 1 << 50].map { size in .with { $0.size = size } }
    #expect(message(tensor) == "a tensor has dimensions [2, 1125899906842624]")
    tensor.tensorShape.dim = [1 << 40, 1 << 40, 0].map { size in .with { $0.size = size } }
    #expect(message(tensor) == "a tensor has dimensions [1099511627776, 1099511627776, 0]")
    tensor.tensorShape.dim = [.with { $0.size = -1 }]
    #expect(message(tensor) == "a tensor has dimensions [-1]")
    tensor.tensorShape.dim = [.with { $0.size = 1 << 40 }]
    tensor.floatVal = [1, 2]
    #expect(message(tensor) == "a tensor with dimensions [1099511627776] has only 2 elements")
    tensor.tensorShape.dim = [.with { $0.size = 3 }]
    tensor.tensorContent = Data([1, 2])
    #expect(message(tensor) == "a tensor of 3 elements of f32 has 2 bytes instead of 12")
  }

  // MARK: Tables

  @Test func checksums() {
    let crc = 0xe306_9283 as UInt32
    #expect(CRC32C(Data("123456789".utf8)).masked == (crc >> 15 | crc << 17) &+ 0xa282_ead8)
  }

  @Test func snappy() throws {
    // "abcd" as it is, eight bytes from four back, four from one back, five as they are.
    let copies: [UInt8] = [4 << 2 | 1, 4, 3 << 2 | 2, 1, 0]
    let bytes = [21, 3 << 2] + Array("abcd".utf8) + copies + [4 << 2] + Array("vwxyz".utf8)
    #expect(String(decoding: try snappyDecompressed(Data(bytes)), as: UTF8.self) == "abcdabcdabcdddddvwxyz")
    let long = [UInt8](repeating: 7, count: 300)
    #expect(try snappyDecompressed(Data([0xac, 2, 61 << 2, 0x2b, 1] + long)) == Data(long))
    for count in 0..<bytes.count {
      #expect(throws: MalformedBytes.self) { try snappyDecompressed(Data(bytes.prefix(count))) }
    }
    for position in bytes.indices {
      for value in 0...255 as ClosedRange<UInt8> {
        var changed = bytes
        changed[position] = value
        _ = try? snappyDecompressed(Data(changed))
      }
    }
    #expect(throws: MalformedBytes.self) { try snappyDecompressed(Data([0xff, 0xff, 0xff, 0xff, 0x7f, 0])) }
  }

  /// The same table with its one block compressed.
  @Test func compressedTable() throws {
    func varint(_ number: Int) -> [UInt8] {
      number < 128 ? [UInt8(number)] : [UInt8(number & 127) | 128] + varint(number >> 7)
    }
    func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    func block(_ entries: [(key: [UInt8], value: Data)], isCompressed: Bool) -> [UInt8] {
      var content = entries.flatMap { varint(0) + varint($0.key.count) + varint($0.value.count) + $0.key + $0.value }
      content += little(0) + little(1)
      if isCompressed {
        content = varint(content.count) + [61 << 2] + little(UInt32(content.count - 1)).prefix(2) + content
      }
      content.append(isCompressed ? 1 : 0)
      return content + little(CRC32C(Data(content)).masked)
    }
    let table = try SortedTable(Data(contentsOf: Self.folder.appending(path: "session/variables/variables.index")))
    #expect(table.entries.count == 6)
    let data = block(table.entries, isCompressed: true)
    let handle = varint(0) + varint(data.count - 5)
    let index = block([(key: [0xff], value: Data(handle))], isCompressed: false)
    var footer = varint(0) + varint(0) + varint(data.count) + varint(index.count - 5)
    footer += [UInt8](repeating: 0, count: 40 - footer.count) + [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
    let again = try SortedTable(Data(data + index + footer))
    #expect(again.entries.map(\.key) == table.entries.map(\.key))
    #expect(again.entries.map(\.value) == table.entries.map(\.value))
    try Self.withCopy(of: "session") { folder in
      try Data(data + index + footer).write(to: folder.appending(path: "variables/variables.index"))
      #expect(try Self.values(folder.path) == Self.values(Self.path("session")))
    }
  }

  // MARK: Broken files

  @Test(arguments: [
    "saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001",
  ]) func brokenFiles(name: String) throws {
    let expected = try Self.values(Self.path("session"))
    try Self.withCopy(of: "session") { folder in
      let file = folder.appending(path: name)
      let bytes = try Data(contentsOf: file)
      // saved_model.pb has no checksum, so that a change may leave a model; and it is long.
      let isChecked = name != "saved_model.pb"
      let step = isChecked ? 1 : 5
      for count in stride(from: 0, to: bytes.count, by: step) {
        try bytes.prefix(count).write(to: file)
        let values = try? Self.values(folder.path)
        if isChecked { #expect(values == nil, "\(count) bytes") }
      }
      for position in stride(from: 0, to: bytes.count, by: step) {
        var changed = bytes
        changed[position] ^= UInt8(truncatingIfNeeded: 1 << (position % 8))
        try changed.write(to: file)
        // The footer has bytes that say nothing.
        let values = try? Self.values(folder.path)
        if isChecked { #expect(values == nil || values == expected, "byte \(position)") }
      }
    }
  }

  @Test func missingFiles() throws {
    func message(_ path: String) -> String {
      do { return "\(try Self.values(path).count)" } catch { return "\(error)" }
    }
    #expect(message(Self.path("")) == "the folder is not a SavedModel: it has no file saved_model.pb")
    #expect(message(Self.path("none.pb")).hasPrefix("the file none.pb cannot be read: "))
    try Self.withCopy(of: "session") { folder in
      try FileManager.default.removeItem(at: folder.appending(path: "variables/variables.data-00000-of-00001"))
      #expect(message(folder.path).hasPrefix("the file variables.data-00000-of-00001 cannot be read: "))
      try FileManager.default.removeItem(at: folder.appending(path: "variables/variables.index"))
      #expect(message(folder.path) == "0")
      try Data().write(to: folder.appending(path: "saved_model.pb"))
      #expect(message(folder.path) == "saved_model.pb has no graph")
    }
    #expect(message(Self.path("make_models.py")).hasPrefix("the file is not a GraphDef: "))
  }
}
