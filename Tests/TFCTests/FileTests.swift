import Foundation
import TFC
import Testing

/// Files of tensors: NumPy's, and weights of whole models.
struct FileTests {
  @TensorGroup
  struct Model: Equatable {
    var layers: [Dense<Float>]
    var steps: Tensor<Int32>
    var mask: Tensor<Bool>
    var half: Tensor<Float16>

    static func == (a: Self, b: Self) -> Bool {
      zip(a.layers, b.layers).allSatisfy { $0.weight == $1.weight && $0.bias == $1.bias } && a.steps == b.steps
        && a.mask == b.mask && a.half == b.half
    }
  }

  private static func model(seed: UInt64) -> Model {
    var generator = RandomGenerator(seed: seed)
    let layers = [Dense<Float>(2, 3, using: &generator), Dense<Float>(3, 1, hasBias: false, using: &generator)]
    return Model(
      layers: layers, steps: Tensor(Int32(seed)), mask: [true, false, true], half: Tensor([0.5, -0.0, .nan]))
  }

  private let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")

  private func inFolder(_ body: (String) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test func weightsComeBack() throws {
    try inFolder { folder in
      var first = Self.model(seed: 1)
      first.half = Tensor([0.5, -0.0, 65504])
      try first.writeWeights(to: "\(folder)/model.safetensors")
      var second = Self.model(seed: 2)
      #expect(second != first)
      try second.readWeights(from: "\(folder)/model.safetensors")
      #expect(second == first)
      #expect(second.half.scalars[1].sign == .minus)
    }
  }

  /// The format as its description gives it: what other programs write.
  @Test func filesOfOthersAreRead() throws {
    struct Pair: TensorGroup {
      var a = Tensor<Float>(zeros: [2])
      mutating func visitTensors(_ visitor: inout some TensorVisitor) {
        visitor.enter("a")
        a.visitTensors(&visitor)
        visitor.leave()
      }
    }
    try inFolder { folder in
      let header =
        #"{"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
        + #""a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#
      var file = Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]) + Data(header.utf8) + Data(count: 8)
      for value in [1.5, -2] as [Float] { withUnsafeBytes(of: value) { file += Data($0) } }
      try file.write(to: URL(fileURLWithPath: "\(folder)/pair.safetensors"))
      var pair = Pair()
      try pair.readWeights(from: "\(folder)/pair.safetensors")
      #expect(pair.a.scalars == [1.5, -2])
    }
  }

  @Test func brokenWeightsAreRefused() throws {
    try inFolder { folder in
      let path = "\(folder)/model.safetensors"
      try Self.model(seed: 1).writeWeights(to: path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      var model = Self.model(seed: 2)
      let before = model.layers[0].weight
      func refusal(_ bytes: Data) -> String {
        do {
          try bytes.write(to: URL(fileURLWithPath: path))
          try model.readWeights(from: path)
          return ""
        } catch { return "\(error)" }
      }
      for count in [0, 7, 8, 40, whole.count - 1] { #expect(refusal(whole.prefix(count)).hasPrefix(path)) }
      #expect(refusal(Data(repeating: 0xFF, count: 64)).contains("does not fit into it"))
      let renamed = String(decoding: whole, as: UTF8.self)
      #expect(renamed.contains("layers.0.weight"))
      let text = Data(#"{"layers.0.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}}"#.utf8)
      let other = Data([UInt8(text.count), 0, 0, 0, 0, 0, 0, 0]) + text + Data(count: 24)
      #expect(refusal(other).contains("'layers.0.weight' is F32 [3, 2], expected tensor<2x3xf32>"))
      for offsets in ["[1,-9223372036854775808]", "[9223372036854775807,-2]", "[24,0]", "[0]"] {
        let text = Data(#"{"layers.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":\#(offsets)}}"#.utf8)
        let bytes = Data([UInt8(text.count), 0, 0, 0, 0, 0, 0, 0]) + text + Data(count: 24)
        #expect(refusal(bytes).contains("'layers.0.weight' has the bytes"))
      }
      #expect(model.layers[0].weight == before)
    }
  }

  @Test func numpyFilesComeBack() throws {
    try inFolder { folder in
      let tensor: Tensor<Int32> = [[1, -2], [3, 4]]
      try tensor.write(numpyFile: "\(folder)/x.npy")
      #expect(try Tensor<Int32>(numpyFile: "\(folder)/x.npy") == tensor)
      #expect(throws: GraphError.self) { _ = try Tensor<Float>(numpyFile: "\(folder)/x.npy") }
      #expect(throws: GraphError.self) { _ = try Tensor<Float>(numpyFile: "\(folder)/none.npy") }
    }
  }
}

/// The example that trains a classifier.
struct ExampleTests {
  @Test func spiralsAreToldApart() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "spirals")
    process.arguments = [folder.appending(path: "libspirals.so").path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let share = output.split(separator: "\n").first { $0.hasSuffix("told apart") }?.split(separator: " ").first
    #expect(share.flatMap { Double($0) } ?? 0 > 98, "\(output)")
    for file in ["libspirals.so", "libspirals.h"] {
      #expect(FileManager.default.fileExists(atPath: folder.appending(path: file).path))
    }
  }
}
