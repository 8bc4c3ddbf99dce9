internal import Codegen
internal import Foundation
internal import IR

/// Times variants of a graph's fusions on this machine, and writes down which are fastest.
///
/// The whole graph runs with one variant of each fusion after the other, so that each finds the caches as it will find them
/// in use. Only variants that the cost model takes for nearly as fast as the fastest are tried.
struct Tuner {
  private let benchmark: Benchmark
  /// The machine with its measured rates.
  private let target: Target

  /// A variant is tried where the model expects at most so many times the time of the fastest.
  private static let closeness = 1.3
  private static let mostVariants = 5
  /// A variant is taken where it takes at most this part of the usual one's time; less is noise.
  private static let gain = 0.97
  private static let turns = 3
  /// How long the graph runs in a turn.
  private static let turnSeconds = 0.1

  init(_ benchmark: Benchmark) throws(Failure) {
    self.benchmark = benchmark
    try benchmark.options.expectThisMachine()
    target = try Pipeline(benchmark.options).target.measured()
  }

  /// A fusion, in as many places of the program as it stands in, with the variants to try.
  fileprivate struct Candidate {
    var request: String
    /// The kernels in the program that compute it.
    var kernels: Set<Int>
    /// The usual one first.
    var variants: [Variant]
    /// The shortest time of each in a call.
    var nanoseconds: [Double]
  }

  /// Adds what is found to the file at `path`, or begins one. Returns how many fusions were tried and how many changed.
  func tune(_ graph: String, inputs: [Execution.Input], into path: String) throws(Failure) -> String {
    defer { benchmark.progress.end() }
    guard try GraphKind(ofFile: graph) != .library else { throw .refused("--tune needs a graph", place: graph) }
    guard benchmark.options.target == .cpu else {
      throw .refused("--tune times kernels of a CPU; expected --target cpu")
    }
    for file in [graph] + inputs.map(\.path) where Files.areSame(file, path) {
      throw .refused("the tuning would replace what it is made from", place: path)
    }
    try Files.expectPlace(path)
    var file = FileManager.default.fileExists(atPath: path) ? try TuningFile(reading: path) : TuningFile()
    let files = try Execution(benchmark.options).read(inputs)
    var candidates = try candidates(graph, files)
    try time(&candidates, graph, files)
    var changed = 0
    for candidate in candidates {
      let fastest = candidate.nanoseconds.indices.min { candidate.nanoseconds[$0] < candidate.nanoseconds[$1] } ?? 0
      let isGain = candidate.nanoseconds[fastest] <= Self.gain * candidate.nanoseconds[0]
      if isGain { changed += 1 }
      file.set(candidate.variants[isGain ? fastest : 0], candidate.request, for: target)
    }
    try Files.replace(path, with: Array(file.text.utf8))
    return "tuned: \(changed) of \(candidates.count) fusions with several schedules use another than the usual one"
  }

  // MARK: Candidates

  private func candidates(_ graph: String, _ files: [String: NumpyFile]) throws(Failure) -> [Candidate] {
    var pipeline = try Pipeline(benchmark.options)
    pipeline.tuning = Tuning()
    let source = try pipeline.source(graph, inputs: files)
    var times = StageTimes()
    let function = try pipeline.optimized(source, pipeline.passes, &times)
    let requests: [ScheduledRequest]
    do throws(OpError) {
      requests = try Program.requests(
        function, target: pipeline.target, precision: pipeline.options.precision.ofProducts)
    } catch {
      throw Pipeline.failure(error, graph)
    }
    let symbols = benchmark.symbolValues(of: function, files)
    var positions: [String: Int] = [:]
    var candidates: [Candidate] = []
    for request in requests {
      let text = request.request.text
      if let known = positions[text] {
        candidates[known].kernels.formUnion(request.kernels)
        continue
      }
      let variants = close(request, symbols)
      guard variants.count > 1 else { continue }
      positions[text] = candidates.count
      candidates.append(
        Candidate(
          request: text, kernels: Set(request.kernels), variants: variants,
          nanoseconds: variants.map { _ in .infinity }))
    }
    return candidates
  }

  /// The variants with kernels of their own that the model takes for nearly as fast as the fastest.
  private func close(_ request: ScheduledRequest, _ symbols: [Symbol: Int]) -> [Variant] {
    let model = CostModel(target, threads: benchmark.workingThreads)
    var seen: Set<Kernel> = []
    var costs: [(variant: Variant, nanoseconds: Double)] = []
    for variant in Variant.all {
      guard var kernel = request.lastKernel(variant), seen.insert(kernel).inserted else { continue }
      kernel.setOperationTime(expectedOn: target)
      costs.append((variant, model.cost(of: kernel, in: CostModel.Situation(symbols: symbols)).nanoseconds))
    }
    let limit = Self.closeness * (costs.map(\.nanoseconds).min() ?? 0)
    let others = costs.dropFirst().filter { $0.nanoseconds <= limit }.sorted { $0.nanoseconds < $1.nanoseconds }
    return [.usual] + others.map(\.variant).prefix(Self.mostVariants)
  }

  // MARK: Timing

  private func time(_ candidates: inout [Candidate], _ graph: String, _ files: [String: NumpyFile]) throws(Failure) {
    let folder = try TemporaryFolder()
    var options = benchmark.options
    options.profiles = true
    let rounds = candidates.map(\.variants.count).max() ?? 0
    var programs: [Program] = []
    for round in 0..<rounds {
      var tuning = Tuning()
      for candidate in candidates { tuning.variants[candidate.request] = candidate.variant(round) }
      let library = folder.file("libround\(round).so")
      programs.append(try benchmark.compile(graph, files, options, library, tuning: tuning))
    }
    var timer = benchmark
    timer.seconds = Self.turnSeconds
    for _ in 0..<Self.turns {
      for round in 0..<rounds {
        let artifact = try Artifact(folder.file("libround\(round).so"), threads: benchmark.threads, place: graph)
        let samples = try timer.launchSamples(artifact, try timer.prepare(artifact, files))
        for index in candidates.indices where round < candidates[index].variants.count {
          let time = samples.nanoseconds(of: candidates[index].kernels, in: programs[round])
          candidates[index].nanoseconds[round] = min(candidates[index].nanoseconds[round], time)
        }
      }
    }
  }
}

extension Benchmark {
  /// Times schedules of the graph's fusions that are close, and writes the fastest into the file at `path`.
  public func tune(_ graph: String, inputs: [Execution.Input], into path: String) throws(Failure) {
    let outcome = try Tuner(self).tune(graph, inputs: inputs, into: path)
    progress.show(outcome)
  }
}

extension Tuner.Candidate {
  /// The variant of a round; the usual one where all have been tried.
  fileprivate func variant(_ round: Int) -> Variant { round < variants.count ? variants[round] : .usual }
}

extension Benchmark.LaunchSamples {
  /// What the launches of some kernels take in one call.
  func nanoseconds(of kernels: Set<Int>, in program: Program) -> Double {
    program.allLaunches.enumerated().reduce(0) { sum, launch in
      kernels.contains(launch.element.kernel)
        ? sum + nanoseconds[launch.offset] * Double(counts[launch.offset]) : sum
    }
  }
}
