import Driver
import Foundation
import Testing

/// The example of digits: both forms of its model against the reference, and every program that embeds it.
@Suite struct ExampleTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  private static let digits = "\(root)/examples/digits"
  private static let testSet = ["\(digits)/test-images.npy", "\(digits)/test-labels.npy"]
  /// What every program prints of the test set; no image of it has two digits that are nearly as probable.
  private static let accuracy = "353 of 360 digits are right, 98.1%"

  @Test(arguments: ["digits.onnx", "digits.mlir"])
  func theModelMeansWhatTheReferenceSays(_ file: String) throws {
    let folder = try ScratchFolder()
    let images = "\(folder.path)/images.npy"
    try Self.firstImages(4, to: images)
    let input = Execution.Input(name: file.hasSuffix(".onnx") ? "images" : "arg0", path: images)
    var execution = Execution(Options())
    try execution.run("\(Self.digits)/\(file)", inputs: [input], outputFolder: "\(folder.path)/compiled")
    execution.usesReference = true
    try execution.run("\(Self.digits)/\(file)", inputs: [input], outputFolder: "\(folder.path)/reference")

    let output = file.hasSuffix(".onnx") ? "probabilities.npy" : "out0.npy"
    let compiled = try Self.floats("\(folder.path)/compiled/\(output)")
    let reference = try Self.floats("\(folder.path)/reference/\(output)")
    #expect(compiled.count == 40)
    #expect(compiled.count == reference.count)
    // Two sums of 144 products before the softmax: its error is theirs, some 2^-20.
    for (a, b) in zip(compiled, reference) { #expect(abs(a - b) <= 4e-6, "\(a) for \(b)") }
  }

  @Test(arguments: ["digits.onnx", "digits.mlir"])
  func theProgramInCClassifies(_ file: String) throws {
    let folder = try Self.compiledModel(file)
    let arguments = [
      "-std=c99", "-Wall", "-Wextra", "-Werror", "\(Self.digits)/c/classify.c", "-I\(folder.path)", "-L\(folder.path)",
      "-ldigits", "-Wl,-rpath,\(folder.path)", "-o", "\(folder.path)/classify",
    ]
    let compilation = try Program("cc", orElse: "clang", arguments)
    try #require(compilation.status == 0, "\(compilation.output)")
    let run = try Program("\(folder.path)/classify", Self.testSet)
    #expect(run.output == "C: \(Self.accuracy)\n")
    let refused = try Program("\(folder.path)/classify", [Self.testSet[0], Self.testSet[0]])
    #expect(refused.status == 2)
  }

  @Test func theProgramInSwiftClassifies() throws {
    let folder = try ScratchFolder()
    let package = "\(folder.path)/swift"
    try FileManager.default.copyItem(atPath: "\(Self.digits)/swift", toPath: package)
    try? FileManager.default.removeItem(atPath: "\(package)/.build")
    try Pipeline(Options()).compile("\(Self.digits)/digits.onnx", to: "\(package)/Sources/CDigits/libdigits.so")
    let build = try Program("swift", ["build", "--package-path", package, "-Xswiftc", "-warnings-as-errors"])
    try #require(build.status == 0, "\(build.output)")
    let run = try Program("\(package)/.build/debug/classify", Self.testSet)
    #expect(run.output == "Swift: \(Self.accuracy)\n")
  }

  @Test func theProgramInPythonClassifies() throws {
    let folder = try Self.compiledModel("digits.onnx")
    let arguments = ["\(Self.digits)/python/classify.py", "\(folder.path)/libdigits.so"] + Self.testSet
    #expect(try Program("python3", arguments).output == "Python: \(Self.accuracy)\n")
  }

  /// With the site's packages, of which NumPy may be one, and without them (`-S`).
  @Test(arguments: [[], ["-S"]])
  func theTableTellsPythonWhatItNeeds(_ options: [String]) throws {
    let folder = try Self.compiledModel("digits.onnx")
    let arguments = ["\(Self.digits)/python/classify_any.py", "\(folder.path)/libdigits.so"] + Self.testSet
    let run = try Program("python3", options + arguments)
    let expected = """
      input images: batch x 8 x 8 u1
      output probabilities: batch x 10 f4
      Python: \(Self.accuracy)

      """
    #expect(run.output == expected)
  }

  @Test func pythonIsToldWhyACallIsRefused() throws {
    let folder = try Self.compiledModel("digits.onnx")
    let program = """
      from tfc_model import Model
      model = Model("\(folder.path)/libdigits.so")
      for images in [memoryview(bytes(63)).cast("B", [1, 9, 7]), memoryview(bytes(64)).cast("b", [1, 8, 8])]:
          try:
              model.run(images)
          except ValueError as error:
              print(error)
      """
    let run = try Program("python3", ["-c", program], environment: ["PYTHONPATH": "\(Self.digits)/python"])
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 2, "\(run.output)")
    #expect(lines.allSatisfy { $0.contains("input 0 'images'") }, "\(run.output)")
  }

  /// What `make run` shows, with the `tfc` that was built beside these tests.
  @Test func theTourRuns() throws {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let tfc = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("tfc").path
    let tour = try Program("\(Self.digits)/run", [tfc])
    #expect(tour.status == 0, "\(tour.output)")
    #expect(tour.output.contains("C: \(Self.accuracy)\n"))
    #expect(tour.output.contains("fused"))
  }

  // MARK: Parts

  /// A folder with `libdigits.so` and its header, made from a form of the model.
  private static func compiledModel(_ file: String) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try Pipeline(Options()).compile("\(digits)/\(file)", to: "\(folder.path)/libdigits.so")
    return folder
  }

  /// Writes a `.npy` file with the first images of the test set.
  private static func firstImages(_ count: Int, to path: String) throws {
    let pixels = try body(ofNumpyFile: testSet[0]).prefix(count * 64)
    let description = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(count), 8, 8), }"
    let header = description + String(repeating: " ", count: 117 - description.utf8.count) + "\n"
    try (Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0]) + Data(header.utf8) + pixels)
      .write(to: URL(fileURLWithPath: path))
  }

  private static func floats(_ path: String) throws -> [Float] {
    let bytes = [UInt8](try body(ofNumpyFile: path))
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// What is behind the header of a `.npy` file.
  private static func body(ofNumpyFile path: String) throws -> Data {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return data.dropFirst(10 + Int(data[8]) + 256 * Int(data[9]))
  }
}

/// A folder that goes with the value.
private struct ScratchFolder: ~Copyable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("tfc-example-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A program that has run, and what it said on both its outputs.
private struct Program {
  var status: Int32
  var output: String

  /// Runs the program called `name` in the folders of PATH, or the other where that is not there.
  init(_ name: String, orElse other: String? = nil, _ arguments: [String], environment: [String: String] = [:]) throws {
    if let other, try Program("sh", ["-c", "command -v \(name)"]).status != 0 {
      self = try Program(other, arguments, environment: environment)
      return
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}
