internal import ArgumentParser
internal import Driver
internal import Foundation

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a graph or a compiled library on .npy files.",
    discussion: """
      Inputs are named as in the graph (arg0, arg1, ... in .mlir). Each output becomes NAME.npy in the output folder \
      (out0.npy, out1.npy, ... for .mlir). Types that NumPy lacks are kept as bits: bf16 as <u2, 8-bit floats as |u1, \
      i4 as |i1.

      --batch runs many graphs in one process. Each line of its file is a JSON object: \
      {"id": 0, "graph": "...", "function": null, "inputs": {"arg0": "file.npy"}, "output_dir": "..."}; after each, a \
      line {"exit": 0, "id": 0, "message": ""} is printed.
      """)

  @Argument(help: "The graph (.mlir, .mlirbc, .onnx, .pb, a SavedModel folder) or a library that tfc made.")
  var model: String?

  @Option(name: .customLong("input"), help: ArgumentHelp("An input; may be repeated.", valueName: "name=file.npy"))
  var inputs: [String] = []

  @Option(help: "The folder for the outputs; it is made if need be.")
  var outputDir: String?

  @Option(help: ArgumentHelp("Runs the cases of this file.", valueName: "list.jsonl"))
  var batch: String?

  @Flag(help: "Evaluates the graph op by op, slowly and plainly, instead of compiling it.")
  var reference = false

  @Option(help: "The most threads that work on a call; 0: one for each CPU.")
  var threads = 0

  @OptionGroup var compilation: CompileOptions

  func validate() throws {
    if batch == nil, model == nil { throw ValidationError("a graph, a library or --batch is missing") }
    if batch != nil, model != nil { throw ValidationError("--batch takes the graphs from its file") }
    if batch == nil, outputDir == nil { throw ValidationError("--output-dir is missing") }
    guard (0...1024).contains(threads) else { throw ValidationError("--threads is \(threads), expected 0 to 1024") }
  }

  func run() throws {
    var execution = Execution(try compilation.options(), progress: batch == nil ? .terminal : .silent)
    execution.usesReference = reference
    execution.threads = threads
    if let batch {
      try execution.runBatch(batch) { line in FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
      return
    }
    guard let model, let outputDir else { return }
    try execution.run(model, inputs: try inputs.parsedInputs(), outputFolder: outputDir)
  }
}

extension [String] {
  /// Each `name=file.npy` as an input.
  func parsedInputs() throws -> [Execution.Input] {
    try map { text in
      guard let input = Execution.Input(text) else {
        throw ValidationError("--input \(text) is not understood; expected name=file.npy")
      }
      return input
    }
  }
}
