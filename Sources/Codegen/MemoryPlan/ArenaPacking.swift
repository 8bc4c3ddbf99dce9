/// Blocks of bytes that live for a while, and offsets for them at which those that live at the same time do not overlap.
///
/// Finding the smallest arena is hard; placing blocks one by one, in an order and each at a free offset, is not. Several
/// orders are tried, until one reaches the bound below which no arena can be. Where too many blocks live at the same time
/// for that, they are placed as they come.
struct ArenaPacking {
  struct Block: Hashable {
    var size: Int
    var lifetime: ClosedRange<Int>
  }

  struct Arrangement: Hashable {
    /// One for each block.
    var offsets: [Int]
    var byteCount: Int
  }

  let blocks: [Block]
  /// The largest sum of the sizes of blocks that live at the same time.
  let lowerBound: Int
  /// For each block, the sum of sizes in the fullest moment of its life.
  private let pressures: [Int]
  private let neighbours: NeighbourIndex
  /// How often all blocks may be placed.
  private let attemptCount: Int
  /// Pairs of blocks living at the same time that may be looked at in all.
  private static let pairLimit = 1 << 21

  init(_ blocks: [Block]) {
    self.blocks = blocks
    let end = blocks.map(\.lifetime.upperBound).max() ?? 0
    var sums = [Int](repeating: 0, count: end + 2)
    var counts = sums
    for block in blocks {
      counts[block.lifetime.lowerBound] += 1
      counts[block.lifetime.upperBound + 1] -= 1
      sums[block.lifetime.lowerBound] += block.size
      sums[block.lifetime.upperBound + 1] -= block.size
    }
    for moment in sums.indices.dropFirst() {
      sums[moment] += sums[moment - 1]
      counts[moment] += counts[moment - 1]
    }
    attemptCount = Self.pairLimit / max(1, blocks.reduce(0) { $0 + counts[$1.lifetime.lowerBound] })
    lowerBound = sums.max() ?? 0
    let fullest = RangeMaximum(sums)
    pressures = blocks.map { fullest.maximum(in: $0.lifetime) }
    neighbours = NeighbourIndex(blockCount: blocks.count, end: end)
  }

  /// What each order gives, each way of placing.
  var arrangements: [Arrangement] {
    if attemptCount == 0 { return [placedAsTheyCome()] }
    return attempts.map { place($0.order, $0.fit) }
  }

  private var attempts: some Sequence<(order: [Int], fit: Fit)> {
    orders.flatMap { order in [(order: order, fit: Fit.lowest), (order: order, fit: .tightest)] }.prefix(attemptCount)
  }

  /// The smallest arrangement found.
  func best() -> Arrangement {
    if attemptCount == 0 { return placedAsTheyCome() }
    var best = Arrangement(offsets: [], byteCount: .max)
    var bestOrder: [Int] = []
    for (order, fit) in attempts {
      let arrangement = place(order, fit)
      if arrangement.byteCount < best.byteCount { (best, bestOrder) = (arrangement, order) }
      if best.byteCount == lowerBound { return best }
    }
    return improved(best, bestOrder)
  }

  /// How often what lies at the arena's end is moved to the front of the order.
  private static let improvementCount = 24

  private func improved(_ first: Arrangement, _ firstOrder: [Int]) -> Arrangement {
    var (best, order, arrangement) = (first, firstOrder, first)
    for _ in 0..<min(Self.improvementCount, attemptCount) where best.byteCount > lowerBound {
      let isLast = blocks.indices.map { arrangement.offsets[$0] + blocks[$0].size == arrangement.byteCount }
      order = order.filter { isLast[$0] } + order.filter { !isLast[$0] }
      arrangement = place(order, .lowest)
      if arrangement.byteCount < best.byteCount { best = arrangement }
    }
    return best
  }

  // MARK: Orders

  private var orders: [[Int]] {
    let lengths = blocks.map { $0.lifetime.count }
    let keys: [(Int) -> (Int, Int)] = [
      { (blocks[$0].size, lengths[$0]) },
      { (pressures[$0], blocks[$0].size) },
      { (blocks[$0].size.multipliedReportingOverflow(by: lengths[$0]).partialValue, 0) },
      { (lengths[$0], blocks[$0].size) },
      { (-blocks[$0].lifetime.lowerBound, blocks[$0].size) },
      { (blocks[$0].lifetime.upperBound, blocks[$0].size) },
    ]
    return keys.map { key in
      let all = blocks.indices.map { (key: key($0), start: blocks[$0].lifetime.lowerBound, index: $0) }
      return all.sorted { a, b in
        a.key != b.key ? a.key > b.key : (a.start, a.index) < (b.start, b.index)
      }.map(\.index)
    }
  }

  // MARK: Placement

  private enum Fit {
    /// At the lowest free offset.
    case lowest
    /// In the smallest gap that is large enough.
    case tightest
  }

  /// Places the blocks in this order. O(n k log k) for k blocks that live close to one.
  private func place(_ order: [Int], _ fit: Fit) -> Arrangement {
    var index = neighbours
    var offsets = [Int](repeating: 0, count: blocks.count)
    var total = 0
    for block in order where blocks[block].size > 0 {
      let (size, lifetime) = (blocks[block].size, blocks[block].lifetime)
      var taken: [(offset: Int, end: Int)] = []
      index.forEach(in: lifetime) { other in
        guard blocks[other].lifetime.overlaps(lifetime) else { return }
        taken.append((offsets[other], offsets[other] + blocks[other].size))
      }
      taken.sort { $0.offset < $1.offset }
      let offset = Self.gap(of: size, between: taken, fit)
      offsets[block] = offset
      total = max(total, offset + size)
      index.insert(block, lifetime)
    }
    return Arrangement(offsets: offsets, byteCount: total)
  }

  /// Places each block when its life begins, in the smallest gap that is large enough, and frees it when that ends.
  /// O(n log n), and the gaps there are at a time.
  private func placedAsTheyCome() -> Arrangement {
    var offsets = [Int](repeating: 0, count: blocks.count)
    var gaps = ArenaGaps()
    let used = blocks.indices.filter { blocks[$0].size > 0 }
    let ending = used.sorted { blocks[$0].lifetime.upperBound < blocks[$1].lifetime.upperBound }
    var next = 0
    for block in used.sorted(by: { blocks[$0].lifetime.lowerBound < blocks[$1].lifetime.lowerBound }) {
      while blocks[ending[next]].lifetime.upperBound < blocks[block].lifetime.lowerBound {
        gaps.free(offsets[ending[next]], size: blocks[ending[next]].size)
        next += 1
      }
      offsets[block] = gaps.take(blocks[block].size)
    }
    return Arrangement(offsets: offsets, byteCount: gaps.end)
  }

  /// A free offset for `size` bytes; `taken` is sorted by offset.
  private static func gap(of size: Int, between taken: [(offset: Int, end: Int)], _ fit: Fit) -> Int {
    var end = 0
    var best: (offset: Int, size: Int)?
    for other in taken {
      let free = other.offset - end
      if free >= size {
        if fit == .lowest { return end }
        if free < best?.size ?? .max { best = (end, free) }
      }
      end = max(end, other.end)
    }
    return best?.offset ?? end
  }
}

/// What is free of an arena that grows.
private struct ArenaGaps {
  /// In order; no two touch each other.
  private var gaps: [Range<Int>] = []
  /// Where the arena ends.
  private(set) var end = 0

  /// The offset of `size` bytes that were free.
  mutating func take(_ size: Int) -> Int {
    let large = gaps.indices.filter { gaps[$0].count >= size }
    guard let best = large.min(by: { gaps[$0].count < gaps[$1].count }) else { return grow(by: size) }
    let offset = gaps[best].lowerBound
    if gaps[best].count == size {
      gaps.remove(at: best)
    } else {
      gaps[best] = offset + size..<gaps[best].upperBound
    }
    return offset
  }

  private mutating func grow(by size: Int) -> Int {
    var offset = end
    if let last = gaps.last, last.upperBound == end {
      offset = last.lowerBound
      gaps.removeLast()
    }
    end = offset + size
    return offset
  }

  mutating func free(_ offset: Int, size: Int) {
    var (low, high) = (0, gaps.count)
    while low < high {
      let middle = (low + high) / 2
      if gaps[middle].lowerBound < offset { low = middle + 1 } else { high = middle }
    }
    var freed = offset..<offset + size
    if low < gaps.count, gaps[low].lowerBound == freed.upperBound {
      freed = offset..<gaps[low].upperBound
      gaps.remove(at: low)
    }
    if low > 0, gaps[low - 1].upperBound == offset {
      gaps[low - 1] = gaps[low - 1].lowerBound..<freed.upperBound
    } else {
      gaps.insert(freed, at: low)
    }
  }
}

/// Blocks by when they live: time is split into spans, each of which lists the blocks that live in it.
private struct NeighbourIndex {
  private let span: Int
  private var lists: [[Int]]

  init(blockCount: Int, end: Int) {
    let count = max(1, Int(Double(blockCount).squareRoot()))
    span = end / count + 1
    lists = Array(repeating: [], count: end / span + 1)
  }

  mutating func insert(_ block: Int, _ lifetime: ClosedRange<Int>) {
    for list in lifetime.lowerBound / span...lifetime.upperBound / span { lists[list].append(block) }
  }

  /// Calls `body` for every block that may live in the range; for some more than once.
  func forEach(in range: ClosedRange<Int>, _ body: (Int) -> Void) {
    for list in range.lowerBound / span...range.upperBound / span { lists[list].forEach(body) }
  }
}

/// The largest number in any range of an array: O(n log n) to make, O(1) to ask.
private struct RangeMaximum {
  /// At level `k`, the largest of the `1 << k` numbers from a position on.
  private var levels: [[Int]]

  init(_ numbers: [Int]) {
    levels = [numbers]
    var width = 1
    while 2 * width <= numbers.count, let last = levels.last {
      levels.append((0...numbers.count - 2 * width).map { max(last[$0], last[$0 + width]) })
      width *= 2
    }
  }

  func maximum(in range: ClosedRange<Int>) -> Int {
    let level = Int.bitWidth - 1 - range.count.leadingZeroBitCount
    return max(levels[level][range.lowerBound], levels[level][range.upperBound + 1 - (1 << level)])
  }
}
