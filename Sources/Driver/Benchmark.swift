internal import Codegen
internal import Foundation
internal import IR

/// Times models: a library or a graph, or a graph compiled with fusion against the same without.
public struct Benchmark: Sendable {
  let options: Options
  let progress: Progress
  /// The most threads that work on a call; 0 for the library's default.
  public var threads = 0
  /// How long a model runs, at least, beside the warm-up.
  public var seconds = 1.0
  /// For the inputs that are not given.
  public var seed = 0

  public init(_ options: Options, progress: Progress = .silent) {
    self.options = options
    self.progress = progress
  }

  /// The timing of a library, or of a graph that is compiled first.
  public func run(_ path: String, inputs: [Execution.Input]) throws(Failure) -> Timing {
    defer { progress.end() }
    try options.expectThisMachine()
    let files = try Execution(options).read(inputs)
    if try GraphKind(ofFile: path) == .library { return try time(path, files, place: path) }
    let folder = try TemporaryFolder()
    let library = folder.file("libmodel.so")
    _ = try compile(path, files, options, library)
    return try time(library, files, place: path)
  }

  /// `tuning` nil is what the options name.
  func compile(
    _ path: String, _ files: [String: NumpyFile], _ options: Options, _ library: String, tuning: Tuning? = nil
  ) throws(Failure) -> Program {
    var pipeline = try Pipeline(options, progress: progress)
    if let tuning { pipeline.tuning = tuning }
    var times = StageTimes()
    return try pipeline.library(try pipeline.source(path, inputs: files), library, &times)
  }

  private func time(_ library: String, _ files: [String: NumpyFile], place: String) throws(Failure) -> Timing {
    let artifact = try Artifact(library, threads: threads, place: place)
    artifact.showDeviceRefusal(progress)
    let call = try prepare(artifact, files)
    progress.begin("running")
    let watch = Stopwatch()
    func run() throws(Failure) { try artifact.run(call.buffers) }
    let count = try watch.warmUp(run)
    let samples = try watch.samples(of: count, seconds: seconds, minimum: Stopwatch.minimumSamples, run)
    return Timing(samples, createDuration: artifact.createDuration)
  }

  struct Call: ~Copyable {
    var buffers: CallBuffers
    var symbols: [Int64]
  }

  /// The buffers of a call: inputs from files, the others by chance.
  func prepare(_ artifact: borrowing Artifact, _ files: [String: NumpyFile]) throws(Failure) -> Call {
    let files = try Execution.byName(files, artifact.inputs.map(\.name), artifact.place)
    let dimensions = try artifact.inputDimensions(
      given: artifact.inputs.map { files[$0.name]?.dimensions }, preferred: preferredValue)
    let types = artifact.inputs.map(\.elementType)
    try CallBuffers.check(zip(types, dimensions).map { ($0, $1) }, "inputs", place: artifact.place)
    var literals: [Literal] = []
    for (position, input) in artifact.inputs.enumerated() {
      if let file = files[input.name] {
        literals.append(try file.literal(input.elementType))
      } else {
        var random = RandomElements(seed: seed, position: position)
        literals.append(random.literal(input.elementType, dimensions[position]))
      }
    }
    let (symbols, outputs) = try artifact.solve(literals)
    return Call(
      buffers: try CallBuffers(artifact, inputs: literals, outputDimensions: outputs), symbols: symbols)
  }

  /// The symbols' values that a call with these files has, as far as whole extents tell.
  func symbolValues(of function: Function, _ files: [String: NumpyFile]) -> [Symbol: Int] {
    var values: [Symbol: Int] = [:]
    let leading = function.graph.parameterTypes.compactMap { $0.dimensions.first?.atom }
    for symbol in function.symbols {
      values[symbol] = preferredValue(of: symbol.name, isLeading: leading.contains(.symbol(symbol)))
    }
    for (position, type) in function.graph.parameterTypes.enumerated() {
      guard let file = files[function.parameterNames[position]] ?? files["arg\(position)"] else { continue }
      for (extent, value) in zip(type.dimensions, file.dimensions) {
        if case .symbol(let symbol)? = extent.atom { values[symbol] = value }
      }
    }
    return values
  }

  /// A symbol's value where no file says one: what `--dim` says, else 1 for a leading extent, most often the batch, and
  /// 64 for others.
  private func preferredValue(of symbol: String, isLeading: Bool) -> Int {
    if let value = options.dimensions.first(where: { $0.symbol == symbol })?.fixed { return value }
    return isLeading ? 1 : 64
  }
}

// MARK: - Fused against unfused

extension Benchmark {
  /// One variant of a graph.
  public struct Variant: Encodable, Hashable, Sendable {
    public var timing: Timing
    /// Launches in one call.
    public var kernelsLaunched: Int
    /// Bytes that the launches read and write, each buffer of a launch counted once.
    public var bytesMoved: Double
    public var peakArenaBytes: Int
    public var weightBytes: Int
    public var libraryBytes: Int

    enum CodingKeys: String, CodingKey {
      case timing
      case kernelsLaunched = "kernels_launched"
      case bytesMoved = "bytes_moved"
      case peakArenaBytes = "peak_arena_bytes"
      case weightBytes = "weight_bytes"
      case libraryBytes = "library_bytes"
    }
  }

  public struct Comparison: Encodable, Hashable, Sendable {
    public var fused: Variant
    public var unfused: Variant
    /// How many times as long the unfused variant takes.
    public var ratio: Double
    /// The largest difference of two outputs, as a share of the output's largest magnitude.
    public var largestDifference: Double

    enum CodingKeys: String, CodingKey {
      case fused, unfused, ratio
      case largestDifference = "largest_difference"
    }
  }

  /// Compiles the graph with and without fusion and runs both in turns.
  public func compareFusion(_ path: String, inputs: [Execution.Input]) throws(Failure) -> Comparison {
    defer { progress.end() }
    guard try GraphKind(ofFile: path) != .library else {
      throw .refused("--fused-vs-unfused needs a graph; a library is one or the other", place: path)
    }
    try options.expectThisMachine()
    try options.expectOneTarget("--fused-vs-unfused")
    let files = try Execution(options).read(inputs)
    let folder = try TemporaryFolder()
    var (fusedOptions, unfusedOptions) = (options, options)
    fusedOptions.fuses = true
    unfusedOptions.fuses = false
    let (fusedPath, unfusedPath) = (folder.file("libfused.so"), folder.file("libunfused.so"))
    let fusedProgram = try compile(path, files, fusedOptions, fusedPath)
    let unfusedProgram = try compile(path, files, unfusedOptions, unfusedPath)
    let fused = try Artifact(fusedPath, threads: threads, place: path)
    fused.showDeviceRefusal(progress)
    let unfused = try Artifact(unfusedPath, threads: threads, place: path)
    let fusedCall = try prepare(fused, files)
    let unfusedCall = try prepare(unfused, files)

    progress.begin("running")
    let watch = Stopwatch()
    func runFused() throws(Failure) { try fused.run(fusedCall.buffers) }
    func runUnfused() throws(Failure) { try unfused.run(unfusedCall.buffers) }
    let (fusedCount, unfusedCount) = (try watch.warmUp(runFused), try watch.warmUp(runUnfused))
    var (fusedTimes, unfusedTimes) = (Samples(), Samples())
    while min(fusedTimes.milliseconds.count, unfusedTimes.milliseconds.count) < Stopwatch.minimumSamples
      || fusedTimes.total < seconds * 1e3
    {
      let turn = Stopwatch.turnSeconds
      fusedTimes += try watch.samples(of: fusedCount, seconds: turn, minimum: 1, runFused)
      unfusedTimes += try watch.samples(of: unfusedCount, seconds: turn, minimum: 1, runUnfused)
    }
    let results = zip(try fused.results(in: fusedCall.buffers), try unfused.results(in: unfusedCall.buffers))
    let difference = results.map { $0.dimensions == $1.dimensions ? $0.difference(from: $1) : .infinity }.max()

    func variant(
      _ path: String, _ options: Options, _ program: Program, _ times: Samples, _ created: Duration,
      _ arena: Int, _ weights: Int, _ symbols: [Int64], _ source: String
    ) throws(Failure) -> Variant {
      let counts = try launchCounts(source, files, options, program, folder.path)
      let statistics = LaunchStatistics(program, symbols: symbols, counts: counts)
      return Variant(
        timing: Timing(times, createDuration: created), kernelsLaunched: statistics.launchCount,
        bytesMoved: statistics.byteCount, peakArenaBytes: arena, weightBytes: weights,
        libraryBytes: Files.byteCount(path))
    }
    let fusedVariant = try variant(
      fusedPath, fusedOptions, fusedProgram, fusedTimes, fused.createDuration, fused.arenaByteCount(fusedCall.symbols),
      fused.weightByteCount, fusedCall.symbols, path)
    let unfusedVariant = try variant(
      unfusedPath, unfusedOptions, unfusedProgram, unfusedTimes, unfused.createDuration,
      unfused.arenaByteCount(unfusedCall.symbols), unfused.weightByteCount, unfusedCall.symbols, path)
    return Comparison(
      fused: fusedVariant, unfused: unfusedVariant,
      ratio: unfusedVariant.timing.medianMilliseconds / fusedVariant.timing.medianMilliseconds,
      largestDifference: difference ?? 0)
  }

  /// How often each launch runs in one call; counted by a variant with profiling where loops or branches decide it.
  private func launchCounts(
    _ path: String, _ files: [String: NumpyFile], _ options: Options, _ program: Program, _ folder: String
  ) throws(Failure) -> [Int] {
    if LaunchStatistics.isStraight(program) { return [] }
    var options = options
    options.profiles = true
    let library = "\(folder)/libprofile\(options.fuses ? "1" : "0").so"
    _ = try compile(path, files, options, library)
    let artifact = try Artifact(library, threads: threads, place: path)
    let call = try prepare(artifact, files)
    artifact.resetProfile()
    try artifact.run(call.buffers)
    return artifact.launchCounts
  }
}

extension Literal {
  /// The largest difference of two elements, as a share of the largest magnitude; infinite where one is not a number.
  fileprivate func difference(from other: Literal) -> Double {
    if bytes == other.bytes, isSplat == other.isSplat { return 0 }
    var (largest, magnitude) = (0.0, 0.0)
    for position in 0..<min(elementCount, other.elementCount) {
      let (a, b) = (self[position].realValue, other[position].realValue)
      if a == b || (a.isNaN && b.isNaN) { continue }
      guard a.isFinite, b.isFinite else { return .infinity }
      largest = max(largest, abs(a - b))
      magnitude = max(magnitude, abs(a), abs(b))
    }
    return magnitude > 0 ? largest / magnitude : largest
  }
}

// MARK: - Reports

extension Timing {
  /// One line of JSON.
  public var json: String { JSONText.line(self) }

  /// For people.
  public var table: String {
    """
    median   \(Figures.milliseconds(medianMilliseconds))
    p10..p90 \(Figures.milliseconds(p10Milliseconds)) .. \(Figures.milliseconds(p90Milliseconds))
    runs     \(runs)
    create   \(Figures.milliseconds(createMilliseconds))
    """ + (kernels.map { "\n\n" + $0.text } ?? "")
  }
}

extension Benchmark.Comparison {
  public var json: String { JSONText.line(self) }

  public var table: String {
    func row(_ name: String, _ value: (Benchmark.Variant) -> String) -> String {
      name.padded(to: 18) + value(fused).rightAligned(to: 16) + value(unfused).rightAligned(to: 16)
    }
    let lines = [
      "".padded(to: 18) + "fused".rightAligned(to: 16) + "unfused".rightAligned(to: 16),
      row("median") { Figures.milliseconds($0.timing.medianMilliseconds) },
      row("p10") { Figures.milliseconds($0.timing.p10Milliseconds) },
      row("p90") { Figures.milliseconds($0.timing.p90Milliseconds) },
      row("runs") { "\($0.timing.runs)" },
      row("kernels launched") { "\($0.kernelsLaunched)" },
      row("bytes moved") { Figures.bytes($0.bytesMoved) },
      row("peak arena") { Figures.bytes(Double($0.peakArenaBytes)) },
      row("weights") { Figures.bytes(Double($0.weightBytes)) },
      row("library") { Figures.bytes(Double($0.libraryBytes)) },
      "",
      "fused is \(Figures.fixed(ratio, decimals: 2)) times as fast; the outputs differ by "
        + "\(largestDifference) of their largest magnitude at most",
    ]
    return lines.joined(separator: "\n")
  }
}

extension Figures {
  /// `0.0123 ms`, with as many decimals as the figure is worth.
  static func milliseconds(_ value: Double) -> String {
    "\(fixed(value, decimals: value < 0.1 ? 5 : value < 10 ? 3 : 1)) ms"
  }
}
