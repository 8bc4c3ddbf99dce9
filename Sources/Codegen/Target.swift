/// The two-byte elements that a tile product multiplies; it sums them in f32.
public enum TileFormat: String, Hashable, Sendable, CaseIterable {
  case f16, bf16
}

/// What schedules know of a machine whose tasks are run by groups of work-items, in OpenCL's terms.
public struct WorkGroups: Hashable, Sendable {
  /// The most work-items in a group.
  public var itemCount: Int
  /// Bytes of local memory that a group has.
  public var localByteCount: Int
  /// Items that run in step.
  public var subgroupItemCount: Int
  /// Whether those items read each other's registers. Kernels made for that run on devices without it, only slower.
  public var hasShuffles: Bool
  /// Groups that run at once, a compute unit each.
  public var computeUnitCount: Int
  /// Bytes of the vectors that loops compute over what lies in one piece: 16, 32 or 64.
  public var vectorByteCount: Int

  public init(
    itemCount: Int, localByteCount: Int, subgroupItemCount: Int, computeUnitCount: Int, hasShuffles: Bool = false,
    vectorByteCount: Int = 16
  ) {
    precondition([16, 32, 64].contains(vectorByteCount), "vectors have 16, 32 or 64 bytes")
    self.itemCount = itemCount
    self.localByteCount = localByteCount
    self.subgroupItemCount = subgroupItemCount
    self.hasShuffles = hasShuffles
    self.computeUnitCount = computeUnitCount
    self.vectorByteCount = vectorByteCount
  }

  /// Whether a unit works on other groups while one waits for memory. Processors do not; they are the devices that prefer
  /// long vectors.
  var overlapsGroups: Bool { vectorByteCount == 16 }

  /// Bytes of local memory that drivers may add to a kernel's arrays: NVIDIA's adds 16.
  private static let reservedByteCount = 64

  /// Bytes of local memory that a kernel's arrays may take.
  var arrayByteCount: Int { max(0, localByteCount - Self.reservedByteCount) }

  /// How many elements of `byteCount` bytes such a vector holds; OpenCL C has vectors of at most 16.
  func lanes(byteCount: Int) -> Int { min(max(1, vectorByteCount / byteCount), 16) }
}

/// What schedules and the cost model know of the machine that kernels are made for.
public struct Target: Hashable, Sendable {
  /// A place that data are read from, the nearest first.
  public enum Level: Int, Hashable, Sendable, CaseIterable, Comparable {
    case l1, l2, l3, memory
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// LLVM's name of the processor: `native`, `x86-64-v3`, …
  public var cpu: String
  /// Bytes in a vector register.
  public var vectorByteCount: Int
  public var vectorRegisterCount: Int
  public var hasMultiplyAdd: Bool
  /// Whether there is f64 arithmetic. Without it, formulas for f32 that need more bits compute in pairs.
  public var hasF64 = true
  /// Whether a multiply-add takes one lane of a register for all lanes of a factor, so that scalars need registers, but no
  /// instruction that spreads them.
  public var hasLaneFactors = false
  /// Vector multiply-adds that one core begins in a cycle.
  public var multiplyAddPorts: Int
  /// Whether looking up 32 numbers takes an instruction.
  public var hasLookup: Bool
  /// Whether an instruction multiplies by a power of two.
  public var hasPowersOfTwo = false
  /// Whether an instruction adds the products of two pairs of bf16 to an f32 in each lane, for code that may use it.
  public var hasBFloatProducts = false
  /// Whether products of words of bytes are those of their halves, which take a register each.
  public var halvesWords = false
  public var l1ByteCount: Int
  public var l2ByteCount: Int
  /// The products that the processor's tile registers, or instructions of a device's items, offer. Whether a process may use
  /// them is known only when it runs.
  public var tileFormats: Set<TileFormat>
  public var l3ByteCount: Int
  /// Vectors in a row of a register tile, where tuning has found how many; nil as the schedule chooses.
  public var tileVectors: Int?
  /// Where tasks are run by groups of work-items; nil on a CPU.
  public var workGroups: WorkGroups?
  /// An estimate of the clock while vectors are computed, in cycles per nanosecond.
  public var gigahertz: Double
  /// What one core reads from each level, in bytes per nanosecond, by `Level.rawValue`.
  public var bandwidths: [Double]
  /// What one core multiplies and adds in tiles, in operations per nanosecond; 0 where that is not known.
  public var tileGigaflops: Double

  /// Figures that are left out are those of a usual server of the feature level: compiling measures nothing.
  public init(
    cpu: String, vectorByteCount: Int, vectorRegisterCount: Int, hasMultiplyAdd: Bool, hasLookup: Bool = false,
    multiplyAddPorts: Int = 2, tileFormats: Set<TileFormat> = [], l1ByteCount: Int = 32 << 10,
    l2ByteCount: Int = 1 << 20, l3ByteCount: Int = 32 << 20
  ) {
    self.cpu = cpu
    self.vectorByteCount = vectorByteCount
    self.vectorRegisterCount = vectorRegisterCount
    self.hasMultiplyAdd = hasMultiplyAdd
    self.hasLookup = hasLookup
    self.multiplyAddPorts = multiplyAddPorts
    self.tileFormats = tileFormats
    self.l1ByteCount = l1ByteCount
    self.l2ByteCount = l2ByteCount
    self.l3ByteCount = l3ByteCount
    gigahertz = vectorByteCount >= 64 ? 2.7 : 3.0
    bandwidths = [1.6 * gigahertz * Double(vectorByteCount), 24 * gigahertz, 9 * gigahertz, 5 * gigahertz]
    tileGigaflops = tileFormats.isEmpty ? 0 : 1024 * gigahertz
  }

  /// Whether kernels run behind the host's back, on a machine of their own: what they computed is read by waiting for
  /// all that was launched before.
  var readsAreWaits: Bool { workGroups != nil }

  /// Whether steps can run side by side, on threads of the host.
  var hasThreads: Bool { workGroups == nil }

  /// Bytes that memory and caches exchange at once.
  public static let cacheLineByteCount = 64
  /// Lines this far apart share a set of the first-level cache.
  static let pageByteCount = 4096

  /// Into which cache long computations fetch ahead: into a small first-level cache what is asked for pushes out what is in use.
  var fetchLevel: Level { l1ByteCount > 32 << 10 ? .l1 : .l2 }

  /// Whether rows `pitch` bytes apart that are walked side by side push each other out of the first-level cache: too many of
  /// their lines share a set. Up to half as many lines again as a set keeps cost little.
  func rowsCollide(_ count: Int, pitch: Int) -> Bool {
    var lines: [Int: Int] = [:]
    for row in 0..<count { lines[row &* pitch % Self.pageByteCount / Self.cacheLineByteCount, default: 0] += 1 }
    let kept = max(1, l1ByteCount / Self.pageByteCount)
    return lines.values.contains { $0 > kept * 3 / 2 }
  }

  /// How many elements of `byteCount` bytes a vector holds; at least one.
  public func lanes(byteCount: Int) -> Int { max(1, vectorByteCount / byteCount) }

  /// The most f32 operations that one core does in a nanosecond, a multiply-add counted as two.
  public var peakGigaflops: Double {
    Double(lanes(byteCount: 4) * multiplyAddPorts * (hasMultiplyAdd ? 2 : 1)) * gigahertz
  }

  /// The bytes that one core keeps at a level; memory holds everything.
  public func byteCount(of level: Level) -> Int {
    switch level {
    case .l1: l1ByteCount
    case .l2: l2ByteCount
    case .l3: l3ByteCount
    case .memory: .max
    }
  }

  /// The nearest level that holds so many bytes.
  public func level(holding byteCount: Double) -> Level {
    Level.allCases.first { byteCount <= Double(self.byteCount(of: $0)) } ?? .memory
  }

  /// What `threads` cores read from a level together: the first two levels are each core's own, the third and memory
  /// serve several at once.
  public func bandwidth(of level: Level, threads: Int) -> Double {
    let most =
      switch level {
      case .l1, .l2: threads
      case .l3: min(threads, 16)
      case .memory: min(threads, 4)
      }
    return bandwidths[level.rawValue] * Double(max(1, most))
  }
}
