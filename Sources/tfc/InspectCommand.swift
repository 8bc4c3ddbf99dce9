internal import ArgumentParser
internal import Driver

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a graph has in it: inputs, outputs, ops, parameters, work, kernels, memory.",
    discussion: """
      Operations count a multiplication and an addition for each product that is summed.

      --kernels compiles the graph with counters, measures this machine, runs the graph on the given inputs, others drawn \
      by chance as in bench, and lists the kernels in the order of their launches, equal ones once: operations (those of \
      padding too) and distinct bytes of a launch, the time that the cost model predicts, the median time measured, the \
      share of all kernels' time, and how near a launch comes to the least time that its operations and bytes allow. With \
      --target opencl it lists what is known there: tasks and the items of each, bytes of the buffers, time, share.
      """)

  @Argument(help: "The graph: .mlir, .mlirbc, .onnx, .pb, or a SavedModel folder.")
  var graph: String

  @Flag(help: "Runs the graph and lists its kernels with what they do and how long they take.")
  var kernels = false

  @Flag(help: "Lists the launches with their buffers, and the memory plan.")
  var memory = false

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("For --kernels: an input; may be repeated.", valueName: "name=file.npy"))
  var inputs: [String] = []

  @Option(help: "For --kernels: the most threads that work on a call; 0: one for each CPU.")
  var threads = 0

  @Option(help: "For --kernels: how long the graph runs, at least, after the warm-up.")
  var seconds = 0.5

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var compilation: CompileOptions

  func validate() throws {
    guard (0...1024).contains(threads) else { throw ValidationError("--threads is \(threads), expected 0 to 1024") }
    guard (0...3600).contains(seconds) else { throw ValidationError("--seconds is \(seconds), expected 0 to 3600") }
    if !kernels, !inputs.isEmpty { throw ValidationError("--input needs --kernels") }
  }

  func run() throws {
    let options = try compilation.options()
    var inspection = try Inspection(graph, options, listsLaunches: memory)
    if kernels {
      var benchmark = Benchmark(options, progress: .terminal)
      benchmark.threads = threads
      benchmark.seconds = seconds
      inspection.kernels = try benchmark.kernels(graph, inputs: try inputs.parsedInputs())
    }
    print(json ? inspection.json : inspection.text, terminator: json ? "\n" : "")
  }
}
