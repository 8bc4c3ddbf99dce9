internal import ArgumentParser
internal import Driver

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times a graph or a compiled library.",
    discussion: """
      Inputs that are not given are drawn by chance: floats from -1 to 1, integers 0 or 1. A symbolic extent that no \
      input determines is what --dim says, else 1 where it is the first extent of an input and 64 otherwise.

      --fused-vs-unfused compiles the graph with and without fusion and runs both in turns in one process.

      --kernels times each kernel too, in a library with counters; on an OpenCL device with the device's own clock.

      --tune FILE times schedules that the cost model takes for close, writes the fastest into FILE, and times the graph \
      compiled with them.
      """)

  @Argument(help: "The graph (.mlir, .mlirbc, .onnx, .pb, a SavedModel folder) or a library that tfc made.")
  var model: String

  @Option(name: .customLong("input"), help: ArgumentHelp("An input; may be repeated.", valueName: "name=file.npy"))
  var inputs: [String] = []

  @Flag(help: "Compares the graph compiled with fusion and without.")
  var fusedVsUnfused = false

  @Flag(help: "Lists the kernels and what each takes.")
  var kernels = false

  @Option(help: ArgumentHelp("Times schedules, keeps the fastest in this file, and uses them.", valueName: "file"))
  var tune: String?

  @Option(help: "The most threads that work on a call; 0: one for each CPU.")
  var threads = 0

  @Option(help: "How long a model runs, at least, after the warm-up.")
  var seconds = 1.0

  @Option(help: "The seed of inputs that are drawn by chance.")
  var seed = 0

  @Flag(help: "Prints one line of JSON.")
  var json = false

  @OptionGroup var compilation: CompileOptions

  func validate() throws {
    guard (0...1024).contains(threads) else { throw ValidationError("--threads is \(threads), expected 0 to 1024") }
    guard (0...3600).contains(seconds) else { throw ValidationError("--seconds is \(seconds), expected 0 to 3600") }
    if kernels, fusedVsUnfused { throw ValidationError("--kernels lists one variant, --fused-vs-unfused times two") }
  }

  func run() throws {
    var options = try compilation.options()
    let files = try inputs.parsedInputs()
    func benchmark(_ options: Options) -> Benchmark {
      var benchmark = Benchmark(options, progress: .terminal)
      benchmark.threads = threads
      benchmark.seconds = seconds
      benchmark.seed = seed
      return benchmark
    }
    if let tune {
      try benchmark(options).tune(model, inputs: files, into: tune)
      options.tuningFile = tune
    }
    let benchmark = benchmark(options)
    if fusedVsUnfused {
      let comparison = try benchmark.compareFusion(model, inputs: files)
      print(json ? comparison.json : comparison.table)
    } else {
      let report = kernels ? try benchmark.kernels(model, inputs: files) : nil
      var timing = try benchmark.run(model, inputs: files)
      timing.kernels = report
      print(json ? timing.json : timing.table)
    }
  }
}
