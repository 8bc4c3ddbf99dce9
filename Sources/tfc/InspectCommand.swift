internal import ArgumentParser
internal import Driver

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a graph has in it: inputs, outputs, ops, parameters, work, kernels.",
    discussion: "Operations count a multiplication and an addition for each product that is summed.")

  @Argument(help: "The graph: .mlir or .onnx.")
  var graph: String

  @Flag(help: "Lists the kernels with their ops, and the memory plan.")
  var kernels = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var compilation: CompileOptions

  func run() throws {
    let inspection = try Inspection(graph, try compilation.options(), listsKernels: kernels)
    print(json ? inspection.json : inspection.text, terminator: json ? "\n" : "")
  }
}
