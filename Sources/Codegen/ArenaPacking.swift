/// Blocks of bytes that live for a while, and offsets for them at which those that live at the same time do not overlap.
///
/// Finding the smallest arena is hard; placing blocks one by one, in an order and each at a free offset, is not. Several
/// orders are tried, until one reaches the bound below which no arena can be.
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

  init(_ blocks: [Block]) {
    self.blocks = blocks
    let end = blocks.map(\.lifetime.upperBound).max() ?? 0
    var sums = [Int](repeating: 0, count: end + 2)
    for block in blocks {
      sums[block.lifetime.lowerBound] += block.size
      sums[block.lifetime.upperBound + 1] -= block.size
    }
    for moment in sums.indices.dropFirst() { sums[moment] += sums[moment - 1] }
    lowerBound = sums.max() ?? 0
    let fullest = RangeMaximum(sums)
    pressures = blocks.map { fullest.maximum(in: $0.lifetime) }
    neighbours = NeighbourIndex(blockCount: blocks.count, end: end)
  }

  /// What each order gives, each way of placing.
  var arrangements: [Arrangement] { orders.flatMap { [place($0, .lowest), place($0, .tightest)] } }

  /// The smallest arrangement found.
  func best() -> Arrangement {
    var best = Arrangement(offsets: [], byteCount: .max)
    var bestOrder: [Int] = []
    for order in orders {
      for fit in [Fit.lowest, .tightest] {
        let arrangement = place(order, fit)
        if arrangement.byteCount < best.byteCount { (best, bestOrder) = (arrangement, order) }
        if best.byteCount == lowerBound { return best }
      }
    }
    return improved(best, bestOrder)
  }

  /// How often what lies at the arena's end is moved to the front of the order.
  private static let improvementCount = 24

  private func improved(_ first: Arrangement, _ firstOrder: [Int]) -> Arrangement {
    var (best, order, arrangement) = (first, firstOrder, first)
    for _ in 0..<Self.improvementCount where best.byteCount > lowerBound {
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
