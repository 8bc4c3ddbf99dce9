internal import ArgumentParser
internal import Driver

struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Compiles a graph to a shared library and its C header.",
    discussion: """
      `tfc compile model.onnx -o libmodel.so` writes libmodel.so and libmodel.h. The library needs libc and nothing \
      else; the header says how to call it.

      With --target opencl the library has the kernels as OpenCL C and loads libOpenCL.so.1 when a model is created. \
      --emit opencl writes the kernels' source; obj, llvm and asm are the host's program then.

      --tune FILE times schedules that the cost model takes for close on this machine, with inputs drawn by chance and \
      symbolic extents as in bench, writes the fastest into FILE, beside what is there already, and compiles with them. \
      Later compiles with --tuning FILE give the same code and time nothing.
      """)

  @Argument(help: "The graph: .mlir, .mlirbc, .onnx, .pb, or a SavedModel folder.")
  var graph: String

  @Option(
    name: [.short, .customLong("output")],
    help: "The file to write; without it lib<graph>.so, <graph>.o, or standard output for text.")
  var output: String?

  @Option(
    help: ArgumentHelp(
      "What to write: so (library and header), obj, llvm, asm, kernels, opencl, stablehlo.", valueName: "kind"))
  var emit = "so"

  @Option(help: "The most threads that work on a call whose caller does not say; 0: one for each CPU.")
  var threads = 0

  @Option(help: ArgumentHelp("Times schedules, keeps the fastest in this file, and uses them.", valueName: "file"))
  var tune: String?

  @Option(
    name: .customLong("weights"),
    help: ArgumentHelp(
      "Puts the weights into this file, in the library's folder, instead of the library; it is mapped at load.",
      valueName: "file"))
  var weightsFile: String?

  @Flag(help: "Counts and times each kernel at run time, for programs that read the profile.")
  var profile = false

  @OptionGroup var compilation: CompileOptions

  func run() throws {
    var options = try compilation.options()
    guard let emission = Options.Emission(rawValue: emit) else {
      let known = Options.Emission.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--emit \(emit) is not supported; expected \(known)")
    }
    guard (0...1024).contains(threads) else { throw ValidationError("--threads is \(threads), expected 0 to 1024") }
    options.emission = emission
    options.threads = threads
    options.profiles = profile
    options.weightsFile = weightsFile
    if let tune {
      var benchmark = Benchmark(options, progress: .terminal)
      benchmark.threads = threads
      try benchmark.tune(graph, inputs: [], into: tune)
      options.tuningFile = tune
    }
    let text = try Pipeline(options, progress: .terminal).compile(graph, to: output)
    if let text { print(text, terminator: "") }
  }
}
