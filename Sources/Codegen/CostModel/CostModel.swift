public import IR

/// Predicts how long a kernel takes, from its loops and what is known of the machine.
///
/// A kernel takes as long as its instructions, and as its data take to come through the caches, less what of the one goes
/// on beside the other: data move while instructions wait for each other, and hardly while the units are busy. docs/design/0006-cost-model.md says how well it does.
public struct CostModel: Sendable {
  /// Where a kernel runs: what it is given.
  public struct Situation: Sendable {
    public var symbols: [Symbol: Int]
    /// What other symbols are taken for.
    public var usualExtent = 1
    /// Iterations that are looked at one by one where they decide how often others run, of loops within each other together.
    public var sampleLimit = 4096
    /// By the kernel's buffers: their sizes, where they are known.
    public var bufferByteCounts: [Int?]
    /// By the kernel's buffers: where their bytes are when the kernel begins; of those that are not said, where all that
    /// the kernel touches has room.
    public var levels: [Target.Level?]

    public init(symbols: [Symbol: Int] = [:], bufferByteCounts: [Int?] = [], levels: [Target.Level?] = []) {
      self.symbols = symbols
      self.bufferByteCounts = bufferByteCounts
      self.levels = levels
    }
  }

  /// What a kernel does, and how long it is expected to take.
  public struct Cost: Hashable, Sendable {
    /// Arithmetic operations of floats, those of padding and idle lanes too; a multiply-add counts as two.
    public var flops: Double
    /// Distinct bytes that are read or written.
    public var byteCount: Double
    /// Bytes that come from each level, by `Target.Level.rawValue`; what is written counts twice, as it is read first.
    public var traffic: [Double]
    /// The core's cycles where all data are in the nearest cache, in all tasks together.
    public var cycles: Double
    /// Of these, the cycles in which the busiest unit works.
    public var busyCycles: Double
    public var tasks: Int
    public var nanoseconds: Double
    /// What no kernel with these operations and bytes is faster than: the machine's peak, or its bandwidth where each
    /// byte is moved once.
    public var limitNanoseconds: Double
  }

  public let target: Target
  /// The most threads that work on a kernel.
  public let threads: Int

  public init(_ target: Target, threads: Int = 1) {
    self.target = target
    self.threads = max(1, threads)
  }

  /// A call of a kernel's function, with the address of each buffer.
  fileprivate static let launchNanoseconds = 25.0
  /// Waking a thread and waiting for it.
  private static let wakeNanoseconds = 2500.0
  /// The share of busy cycles beside which data move.
  private static let busyOverlap = 0.2
  /// Cycles that are lost where a loop begins and ends.
  private static let loopCycles = 3.0

  public func cost(of kernel: Kernel, in situation: Situation = Situation()) -> Cost {
    let nest = KernelNest(kernel, target, situation)
    let traffic = KernelTraffic(nest, bufferByteCounts: situation.bufferByteCounts)
    let touched = traffic.touched
    let byteCount = touched.reduce(0.0) { sum, entry in
      if case .buffer = entry.key { return sum + entry.value.total }
      return sum
    }
    let moved = moved(traffic, touched, target.level(holding: byteCount), situation)
    var (flops, besideFlops, busy, cycles) = (0.0, 0.0, 0.0, 0.0)
    for node in nest.nodes where !node.isUnrolled {
      flops += node.work.flops * node.iterations
      besideFlops += node.work.besideFlops * node.iterations
      busy += node.work.busyCycles(target) * node.iterations
      cycles += max(node.work.cycles(target), node.latency) * node.iterations + Self.loopCycles * node.entries
    }
    let tasks = max(0, nest.values.value(of: kernel.taskCount))
    let chunks = chunks(kernel, tasks, nest.values)
    // The longest chunk of tasks decides.
    let share = tasks > 0 ? Double((tasks + chunks - 1) / chunks) / Double(tasks) : 0
    let computing = cycles / target.gigahertz * share
    let moving = nanoseconds(moved.traffic, chunks)
    let free = (cycles - busy + Self.busyOverlap * busy) / target.gigahertz * share
    let overhead = Self.launchNanoseconds + (chunks > 1 ? Self.wakeNanoseconds : 0)
    let limit = max((flops - besideFlops) / (target.peakGigaflops * Double(threads)), nanoseconds(moved.least, threads))
    return Cost(
      flops: flops, byteCount: byteCount, traffic: moved.traffic, cycles: cycles, busyCycles: busy, tasks: tasks,
      nanoseconds: overhead + computing + moving - min(moving, free), limitNanoseconds: limit)
  }

  /// How many parts the runtime cuts the tasks into.
  private func chunks(_ kernel: Kernel, _ tasks: Int, _ values: KernelValues) -> Int {
    let grain = Kernel.timePerThread / max(1, values.value(of: kernel.taskTime)) + 1
    return max(1, min(threads, tasks / grain))
  }

  private func nanoseconds(_ traffic: [Double], _ threads: Int) -> Double {
    Target.Level.allCases.dropFirst().reduce(0) {
      $0 + traffic[$1.rawValue] / target.bandwidth(of: $1, threads: threads)
    }
  }

  /// The bytes that come from each level: of the loops as they are, and of loops that move each byte once.
  private func moved(
    _ traffic: KernelTraffic, _ touched: [Memory: KernelTraffic.Bytes], _ fallback: Target.Level,
    _ situation: Situation
  ) -> (traffic: [Double], least: [Double]) {
    func level(of memory: Memory) -> Target.Level {
      switch memory {
      case .buffer(let position):
        (situation.levels.indices.contains(position) ? situation.levels[position] : nil) ?? fallback
      case .scratch, .shared: .l1
      }
    }
    /// Bytes that each cache lets through, by the cache.
    var (beyond, least) = ([Double](), [Double]())
    for cache in Target.Level.allCases.dropLast() {
      var (bytes, once) = (0.0, 0.0)
      for (memory, crossing) in traffic.beyond(capacity: target.byteCount(of: cache)) {
        let first = touched[memory] ?? KernelTraffic.Bytes()
        let isNear = level(of: memory) <= cache
        bytes += max(0, crossing.total - (isNear ? first.total : 0))
        bytes += max(0, crossing.written - (isNear ? first.written : 0))
        once += isNear ? 0 : first.total + first.written
      }
      beyond.append(bytes)
      least.append(once)
    }
    func perLevel(_ beyond: [Double]) -> [Double] {
      // What passes a cache passes the nearer ones too.
      var passed = beyond
      for index in passed.indices.dropLast().reversed() { passed[index] = max(passed[index], passed[index + 1]) }
      return [0] + passed.indices.map { passed[$0] - ($0 + 1 < passed.count ? passed[$0 + 1] : 0) }
    }
    return (perLevel(beyond), perLevel(least))
  }
}

extension Kernel {
  /// Enough to tell what is worth a thread, each time that something is compiled.
  private static let timingSamples = 64

  /// Sets the time of an operation to what the cost model says, where all that the kernel touches is as near as it has room.
  public mutating func setOperationTime(expectedOn target: Target) {
    var situation = CostModel.Situation()
    (situation.usualExtent, situation.sampleLimit) = (LoopNest.assumedExtent, Self.timingSamples)
    let cost = CostModel(target).cost(of: self, in: situation)
    let values = KernelValues(self, symbols: [:], usualExtent: situation.usualExtent)
    let operations = Double(values.value(of: taskCount)) * Double(max(1, values.value(of: taskCost)))
    guard operations > 0 else { return }
    let picoseconds = (cost.nanoseconds - CostModel.launchNanoseconds) * 1000
    operationTime = max(1, Int(min(1e6, picoseconds / operations).rounded()))
  }
}
