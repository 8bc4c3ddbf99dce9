internal import ArgumentParser
internal import Driver
internal import Foundation

/// The command line: `tfc compile|run|bench|inspect|devices`.
struct TFCCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tfc",
    abstract: "Compiles graphs ahead of time to native shared libraries.",
    discussion: """
      A graph is a StableHLO module as text (.mlir) or as a portable artifact (.mlirbc), an ONNX model (.onnx), or a \
      TensorFlow SavedModel (its folder) or GraphDef (.pb).

      Exit codes: 0 done; 2 the command line or the graph is refused, with a line on standard error \
      ("unsupported: OP ..." for each op that is not implemented); 3 a run-time error.
      """,
    version: "tfc 0.1.0",
    subcommands: [CompileCommand.self, RunCommand.self, BenchCommand.self, InspectCommand.self, DevicesCommand.self])
}

@main
enum Main {
  static func main() {
    do {
      var command = try TFCCommand.parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      fail(failure.description, failure.exitCode)
    } catch {
      if TFCCommand.exitCode(for: error).isSuccess { TFCCommand.exit(withError: error) }
      fail(TFCCommand.fullMessage(for: error), 2)
    }
  }

  private static func fail(_ message: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(code)
  }
}
