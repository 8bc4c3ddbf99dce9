import Foundation
import IR
import Testing

@testable import Driver

/// A folder for one test, with files that the test compiles.
struct Fixture: ~Copyable {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.file(name) }

  @discardableResult
  func write(_ text: String, _ name: String) throws -> String {
    try Files.write(text, to: path(name))
    return path(name)
  }

  func write(_ literal: Literal, _ name: String) throws -> String {
    try NumpyFile(literal).write(to: path(name))
    return path(name)
  }

  var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? [] }

  struct Outcome {
    var code: Int32
    var output: String
    var error: String
  }

  /// Runs a program in the folder.
  func run(_ program: String, _ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let (output, error) = (path("stdout.txt"), path("stderr.txt"))
    for file in [output, error] { try Files.write("", to: file) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: error)
    try process.run()
    process.waitUntilExit()
    let texts = [output, error].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
    for file in [output, error] { try FileManager.default.removeItem(atPath: file) }
    return Outcome(code: process.terminationStatus, output: texts[0], error: texts[1])
  }

  /// Runs the command line tool.
  func tfc(_ arguments: String...) throws -> Outcome { try run(Self.tool, arguments) }
  func tfc(_ arguments: [String]) throws -> Outcome { try run(Self.tool, arguments) }

  /// The tool is built into the folder that has the tests.
  static let tool: String = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appending(path: "tfc").path
  }()

  static let compiler = Tool.find("clang") ?? Tool.find("cc") ?? "cc"

  /// relu(x w + b), with weights in the graph.
  static let layer = """
    module @layer {
      func.func public @main(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
        %w = stablehlo.constant dense<[[1.0, -2.0, 0.5, 3.0], [0.25, 1.0, -1.0, 2.0], [-1.5, 0.5, 2.0, -0.5]]> : tensor<3x4xf32>
        %b = stablehlo.constant dense<[0.5, -0.25, 1.0, -1.0]> : tensor<4xf32>
        %zero = stablehlo.constant dense<0.0> : tensor<2x4xf32>
        %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
        %1 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
        %2 = stablehlo.add %0, %1 : tensor<2x4xf32>
        %3 = stablehlo.maximum %2, %zero : tensor<2x4xf32>
        return %3 : tensor<2x4xf32>
      }
    }
    """

  static let layerInput = Literal(.f32, [2, 3], [1, 2, 3, -1, 0.5, 4].map { .real($0) })
  static let layerOutput: [Double] = [0, 1.25, 5.5, 4.5, 0, 4.25, 8, 0]

  /// Doubles and adds, with symbolic extents.
  static let dynamic = """
    module @dynamic {
      func.func public @main(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>) -> tensor<?x3xf32> {
        %0 = stablehlo.add %x, %x : tensor<?x3xf32>
        return %0 : tensor<?x3xf32>
      }
    }
    """
}

extension Literal {
  var reals: [Double] { scalars.map(\.realValue) }
}
