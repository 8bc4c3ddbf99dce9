internal import Codegen
internal import Foundation
internal import IR

/// What each kernel of a graph does, how long it takes on this machine, and how long it was expected to take.
public struct KernelReport: Encodable, Hashable, Sendable {
  /// One kernel, or several that are equal but for their buffers.
  public struct Row: Encodable, Hashable, Sendable {
    public var name: String
    /// The ops in it, with their places.
    public var ops: [String]
    /// Launches in one call.
    public var launches: Int
    public var tasks: Int
    /// The work-items that run one task, on an OpenCL device.
    public var items: Int?
    /// Of one launch, as are the times; the operations, and what is expected of them, are known of CPUs only.
    public var flops: Double?
    public var bytes: Double
    public var predictedMicroseconds: Double?
    /// Nil where no call launched it.
    public var measuredMicroseconds: Double?
    /// What a kernel with so many operations and bytes takes at the least.
    public var limitMicroseconds: Double?
    /// Of the time of all kernels.
    public var share = 0.0

    var totalMicroseconds: Double { (measuredMicroseconds ?? 0) * Double(launches) }

    enum CodingKeys: String, CodingKey {
      case name, ops, launches, tasks, items, flops, bytes, share
      case predictedMicroseconds = "predicted_us"
      case measuredMicroseconds = "measured_us"
      case limitMicroseconds = "limit_us"
    }

    /// What is not known of the machine is left out; a time that nobody measured is null.
    public func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: CodingKeys.self)
      try fields.encode(name, forKey: .name)
      try fields.encode(ops, forKey: .ops)
      try fields.encode(launches, forKey: .launches)
      try fields.encode(tasks, forKey: .tasks)
      try fields.encodeIfPresent(items, forKey: .items)
      try fields.encodeIfPresent(flops, forKey: .flops)
      try fields.encode(bytes, forKey: .bytes)
      try fields.encodeIfPresent(predictedMicroseconds, forKey: .predictedMicroseconds)
      try fields.encode(measuredMicroseconds, forKey: .measuredMicroseconds)
      try fields.encodeIfPresent(limitMicroseconds, forKey: .limitMicroseconds)
      try fields.encode(share, forKey: .share)
    }
  }

  /// What the rates of this machine are taken to be, in operations and bytes per nanosecond of one core.
  public struct Machine: Encodable, Hashable, Sendable {
    public var gigaflops: Double
    /// 0 where it multiplies no tiles.
    public var tileGigaflops: Double
    /// Of the three caches and of memory.
    public var gigabytes: [Double]

    enum CodingKeys: String, CodingKey {
      case gigaflops, gigabytes
      case tileGigaflops = "tile_gigaflops"
    }
  }

  /// Nil for an OpenCL device, which is not measured.
  public var machine: Machine?
  public var threads: Int
  /// In the order of the first launches.
  public var rows: [Row]
  /// The median of whole calls, with the counting of launches.
  public var callMicroseconds: Double

  enum CodingKeys: String, CodingKey {
    case machine, threads, rows
    case callMicroseconds = "call_us"
  }
}

// MARK: - Measuring

extension Benchmark {
  /// Compiles the graph with counters, runs it on the inputs, and compares each kernel with what the model expects.
  public func kernels(_ path: String, inputs: [Execution.Input]) throws(Failure) -> KernelReport {
    defer { progress.end() }
    guard try GraphKind(ofFile: path) != .library else {
      throw .refused("--kernels needs a graph, from which a library with counters is made", place: path)
    }
    try options.expectThisMachine()
    try options.expectOneTarget("--kernels")
    let files = try Execution(options).read(inputs)
    let folder = try TemporaryFolder()
    let library = folder.file("libprofile.so")
    var profiling = options
    profiling.profiles = true
    let program = try compile(path, files, profiling, library)
    let artifact = try Artifact(library, threads: threads, place: path)
    let call = try prepare(artifact, files)
    progress.begin("running")
    let samples = try launchSamples(artifact, call)
    let target = options.target.usesCPU ? try Pipeline(options).target.measured() : nil
    return KernelReport(program, call.symbols, samples, target, threads: workingThreads)
  }

  /// What some calls took, launch by launch.
  struct LaunchSamples {
    /// How often each launch ran in one call.
    var counts: [Int]
    /// The median time of one run of each launch.
    var nanoseconds: [Double]
    var callNanoseconds: Double
  }

  /// The threads that work on a call.
  var workingThreads: Int { threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount }

  private static let leastCalls = 9
  private static let mostCalls = 1000

  func launchSamples(_ artifact: borrowing Artifact, _ call: borrowing Call) throws(Failure) -> LaunchSamples {
    func run() throws(Failure) { try artifact.run(call.buffers) }
    _ = try Stopwatch().warmUp(run)
    let clock = ContinuousClock()
    var (calls, launches, spent) = ([Double](), [[Double]](), 0.0)
    while calls.count < Self.leastCalls || (spent < seconds * 1e9 && calls.count < Self.mostCalls) {
      artifact.resetProfile()
      let start = clock.now
      try run()
      calls.append((clock.now - start).milliseconds * 1e6)
      spent += calls[calls.count - 1]
      launches.append(
        zip(artifact.launchNanoseconds, artifact.launchCounts).map { $1 > 0 ? Double($0) / Double($1) : 0 })
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let counts = artifact.launchCounts
    return LaunchSamples(
      counts: counts, nanoseconds: counts.indices.map { launch in median(launches.map { $0[launch] }) },
      callNanoseconds: median(calls))
  }
}

extension KernelReport {
  /// `target` is the CPU with its rates; nil for an OpenCL device.
  init(
    _ program: Program, _ symbols: [Int64], _ samples: Benchmark.LaunchSamples, _ target: Target?, threads: Int
  ) {
    let values = Dictionary(
      zip(program.symbols, symbols.map { Int($0) }), uniquingKeysWith: { first, _ in first })
    func value(_ extent: Extent) -> Int { extent.value(bySymbol: { values[$0] }) ?? 0 }
    let byteCounts = program.buffers.map { value($0.type.byteCount) }
    let model = target.map { CostModel($0, threads: threads) }
    let levels = target.map { BufferLevels(program, byteCounts: byteCounts, $0).levels }
    var rows: [Row] = []
    var positions: [Kernel: Int] = [:]
    for (number, launch) in program.allLaunches.enumerated() {
      let kernel = program.kernels[launch.kernel]
      var row = Row(
        name: kernel.name, ops: kernel.sources, launches: samples.counts[number], tasks: value(kernel.taskCount),
        bytes: Set(launch.buffers).reduce(0) { $0 + Double(byteCounts[$1.index]) },
        measuredMicroseconds: samples.counts[number] > 0 ? samples.nanoseconds[number] / 1e3 : nil)
      if let model, let levels {
        let situation = CostModel.Situation(
          symbols: values, bufferByteCounts: launch.buffers.map { byteCounts[$0.index] }, levels: levels[number])
        row.set(model.cost(of: kernel, in: situation))
      } else {
        row.items = kernel.itemCount
      }
      let key = kernel.withoutNames
      if let known = positions[key] {
        rows[known].add(row)
      } else {
        positions[key] = rows.count
        rows.append(row)
      }
    }
    let total = rows.reduce(0) { $0 + $1.totalMicroseconds }
    for index in rows.indices { rows[index].share = total > 0 ? rows[index].totalMicroseconds / total : 0 }
    self.rows = rows
    self.threads = threads
    callMicroseconds = samples.callNanoseconds / 1e3
    machine = target.map { target in
      Machine(gigaflops: target.peakGigaflops, tileGigaflops: target.tileGigaflops, gigabytes: target.bandwidths)
    }
  }
}

extension KernelReport.Row {
  fileprivate mutating func set(_ cost: CostModel.Cost) {
    tasks = cost.tasks
    flops = cost.flops
    bytes = cost.byteCount
    predictedMicroseconds = cost.nanoseconds / 1e3
    limitMicroseconds = cost.limitNanoseconds / 1e3
  }

  /// Counts the launches of an equal kernel too; times become the mean of all launches.
  fileprivate mutating func add(_ other: KernelReport.Row) {
    let (own, others) = (Double(launches), Double(other.launches))
    guard own + others > 0 else { return }
    func mean(_ a: Double?, _ b: Double?) -> Double? {
      guard let a, let b else { return a ?? b }
      return (a * own + b * others) / (own + others)
    }
    predictedMicroseconds = mean(predictedMicroseconds, other.predictedMicroseconds)
    measuredMicroseconds = mean(measuredMicroseconds, other.measuredMicroseconds)
    limitMicroseconds = mean(limitMicroseconds, other.limitMicroseconds)
    launches += other.launches
  }
}

extension Kernel {
  /// The kernel without what tells it from equal ones.
  fileprivate var withoutNames: Kernel {
    var kernel = self
    kernel.name = ""
    kernel.sources = []
    return kernel
  }
}

// MARK: - Text

extension KernelReport {
  public var json: String { JSONText.pretty(self) }

  /// For people: a line for each kernel, and one for their sum.
  public var text: String {
    let columns = self.columns
    let widths = columns.map { column in
      max(column.head.count, column.sum.count, rows.map { column.cell($0).count }.max() ?? 0)
    }
    let names = rows.map { Self.shortened($0.name, to: 44) } + ["sum"]
    let nameWidth = names.map(\.count).max() ?? 0
    func line(_ name: String, _ cells: [String], _ end: String) -> String {
      let columns = zip(cells, widths).map { "  " + $0.rightAligned(to: $1) }.joined()
      return name.padded(to: nameWidth) + columns + (end.isEmpty ? "" : "  " + end)
    }
    var lines = [line("kernel", columns.map(\.head), "ops")]
    for (index, row) in rows.enumerated() {
      let ops = Self.shortened(row.ops.joined(separator: "; "), to: 100)
      lines.append(line(names[index], columns.map { $0.cell(row) }, ops))
    }
    lines.append(line("sum", columns.map(\.sum), ""))
    lines.append("")
    let call = "a call takes \(Figures.fixed(callMicroseconds, decimals: 1)) us"
    if let machine {
      lines.append("\(call) on \(threads) thread\(threads == 1 ? "" : "s")")
      let bandwidths = machine.gigabytes.map { Figures.fixed($0, decimals: 0) }.joined(separator: ", ")
      lines.append(
        "measured of one core: \(Figures.fixed(machine.gigaflops, decimals: 0)) GFLOP/s; \(bandwidths) GB/s from L1, L2, L3, memory"
      )
    } else {
      lines.append("\(call), with the counting of launches and the copies of inputs and outputs")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private struct Column {
    var head: String
    var cell: (Row) -> String
    /// Of all rows.
    var sum = ""
  }

  private var columns: [Column] {
    func total(_ value: (Row) -> Double?) -> Double {
      rows.reduce(0) { $0 + (value($1) ?? 0) * Double($1.launches) }
    }
    let (flops, bytes, measured) = (total(\.flops), total(\.bytes), total(\.measuredMicroseconds))
    func rate(_ count: Double?, _ microseconds: Double?) -> String {
      guard let microseconds, microseconds > 0 else { return "" }
      return Figures.fixed((count ?? 0) / (microseconds * 1e3), decimals: 1)
    }
    func intensity(_ flops: Double?, _ bytes: Double) -> String {
      Figures.fixed(bytes > 0 ? (flops ?? 0) / bytes : 0, decimals: 1)
    }
    func nearness(_ limit: Double?, _ measured: Double?) -> String {
      guard let measured, measured > 0 else { return "" }
      return Self.percent((limit ?? 0) / measured)
    }
    let isModelled = machine != nil
    var columns = [
      Column(head: "count", cell: { "\($0.launches)" }, sum: "\(rows.reduce(0) { $0 + $1.launches })"),
      Column(head: "tasks", cell: { "\($0.tasks)" }),
    ]
    if isModelled {
      columns.append(Column(head: "flops", cell: { Figures.count($0.flops ?? 0) }, sum: Figures.count(flops)))
    } else {
      columns.append(Column(head: "items", cell: { "x \($0.items ?? 1)" }))
    }
    columns.append(Column(head: "bytes", cell: { Figures.bytes($0.bytes) }, sum: Figures.bytes(bytes)))
    if isModelled {
      columns += [
        Column(head: "flops/byte", cell: { intensity($0.flops, $0.bytes) }, sum: intensity(flops, bytes)),
        Column(
          head: "predicted us", cell: { Self.microseconds($0.predictedMicroseconds ?? 0) },
          sum: Self.microseconds(total(\.predictedMicroseconds))),
      ]
    }
    columns.append(
      Column(
        head: "measured us", cell: { $0.measuredMicroseconds.map(Self.microseconds) ?? "" },
        sum: Self.microseconds(measured)))
    if isModelled {
      columns.append(
        Column(head: "GFLOP/s", cell: { rate($0.flops, $0.measuredMicroseconds) }, sum: rate(flops, measured)))
    }
    columns += [
      Column(head: "GB/s", cell: { rate($0.bytes, $0.measuredMicroseconds) }, sum: rate(bytes, measured)),
      Column(
        head: "share", cell: { $0.measuredMicroseconds == nil ? "" : Self.percent($0.share) },
        sum: rows.isEmpty ? "" : "100%"),
    ]
    if isModelled {
      columns.append(
        Column(
          head: "of limit", cell: { nearness($0.limitMicroseconds, $0.measuredMicroseconds) },
          sum: nearness(total(\.limitMicroseconds), measured)))
    }
    return columns
  }

  private static func microseconds(_ value: Double) -> String {
    Figures.fixed(value, decimals: value < 10 ? 2 : value < 100 ? 1 : 0)
  }

  private static func percent(_ share: Double) -> String {
    Figures.fixed(share * 100, decimals: share < 0.1 ? 1 : 0) + "%"
  }

  private static func shortened(_ text: String, to limit: Int) -> String {
    text.count > limit ? text.prefix(limit - 3) + "..." : text
  }
}
