import IR

/// Lists of steps that do not depend on each other, found in a program's order where they are ready sooner side by side
/// than one after the other on all threads: loops, and kernels that are too small to be split.
///
/// From each step on, those after it are sorted for a while into lists: a step that needs nothing of the others begins one, a
/// step that needs one of them, or small ones, continues it, and what needs several, or is large and split well by threads, waits
/// until all are done. What threads split and needs nothing goes before them, as long as nothing waits that it would overtake:
/// results should not lie about for long.
struct ConcurrentSteps {
  private(set) var steps: [Program.Step] = []

  private let kernels: [Kernel]
  private let byteCount: (BufferID) -> Extent
  private let bytes: (BufferID) -> BufferID

  /// Steps that are looked at for one group. Sets of places are the bits of a word.
  private static let window = 63
  /// The most lists of a group.
  private static let mostLists = 16
  /// Waking a thread and waiting for it, in picoseconds.
  private static let wakeCost = Kernel.timePerThread / 4
  /// Copying a byte, in picoseconds.
  private static let copyCost = 20
  /// Rounds of a loop and values of symbols, which are not known.
  private static let usualCount = 16

  /// A step, what it touches, and how long it takes in picoseconds.
  private struct Item {
    var step: Program.Step
    var accesses: [Access] = []
    var alone: Int
    /// The time when two threads split each of its kernels.
    var split: Int
    /// Whether threads split it; then it need not run beside others.
    var isSplit: Bool
    /// Whether it is so large that it should have all threads.
    var isWide: Bool
  }

  private struct Access {
    var bytes: BufferID
    var isWritten: Bool
  }

  /// `bytes` is the first of the buffers that share a buffer's memory, `byteCount` how much that is.
  init(
    _ steps: [Program.Step], _ kernels: [Kernel], byteCount: @escaping (BufferID) -> Extent,
    bytes: @escaping (BufferID) -> BufferID
  ) {
    self.kernels = kernels
    self.byteCount = byteCount
    self.bytes = bytes
    // The next step is the last element.
    var rest = Array(steps.map { item($0) }.reversed())
    while let first = rest.last {
      // Nothing is moved over a step that decides an extent.
      let known = rest.suffix(Self.window).reversed().prefix { !$0.step.isSize }
      if !first.isSplit, let group = Group(known) {
        self.steps += group.before.map(\.step) + [.concurrent(group.lists)]
        rest.removeLast(known.count)
        rest += group.after.reversed()
      } else {
        self.steps.append(first.step)
        rest.removeLast()
      }
    }
  }

  // MARK: Costs

  private func item(_ step: Program.Step) -> Item {
    let (alone, split) = (cost(of: step, threads: 1), cost(of: step, threads: 2))
    let isLaunched =
      switch step {
      case .launch, .bands: true
      default: false
      }
    let isSplit = isLaunched && split < alone
    var item = Item(
      step: step, alone: alone, split: split, isSplit: isSplit,
      isWide: isSplit && alone >= 8 * Kernel.timePerThread)
    var known: Set<BufferID> = []
    var written: Set<BufferID> = []
    step.forEachAccess(in: kernels) { buffer, isWritten in
      let bytes = bytes(buffer)
      known.insert(bytes)
      if isWritten { written.insert(bytes) }
    }
    item.accesses = known.map { Access(bytes: $0, isWritten: written.contains($0)) }
    return item
  }

  private func cost(of steps: [Program.Step], threads: Int) -> Int {
    steps.reduce(0) { Self.sum($0, cost(of: $1, threads: threads)) }
  }

  private func cost(of step: Program.Step, threads: Int) -> Int {
    switch step {
    case .launch(let launch):
      let kernel = kernels[launch.kernel]
      return Self.cost(
        of: Self.value(kernel.taskCount), each: max(1, Self.value(kernel.taskTime)), atLeast: 1, threads: threads)
    case .copy(let from, _): return Self.product(Self.copyCost, Self.value(byteCount(from)))
    case .loop(let condition, _, let body):
      return Self.product(Self.usualCount, cost(of: condition + body, threads: threads))
    case .repetition(let count, let body):
      return Self.product(Self.value(count), cost(of: body, threads: threads))
    case .roundsAhead(_, let round, _): return Self.product(Self.usualCount, cost(of: round, threads: threads))
    case .branch(_, let branches): return branches.map { cost(of: $0, threads: threads) }.max() ?? 0
    case .choice(_, let then, let otherwise):
      return max(cost(of: then, threads: threads), cost(of: otherwise, threads: threads))
    case .concurrent(let lists): return cost(of: Array(lists.joined()), threads: threads)
    case .bands(let bands): return cost(of: bands, threads: threads)
    case .size: return 0
    }
  }

  private func cost(of bands: Program.Bands, threads: Int) -> Int {
    let tasks = Self.value(kernels[bands.lastLaunch.kernel].taskCount)
    return Self.cost(of: tasks, each: max(1, bands.taskTime), atLeast: bands.tasksPerRoom, threads: threads)
  }

  /// The cost of so many tasks, of which a thread takes at least some.
  private static func cost(of tasks: Int, each cost: Int, atLeast least: Int, threads: Int) -> Int {
    let total = product(tasks, cost)
    let chunks = min(threads, tasks / max(least, Kernel.timePerThread / cost + 1))
    return chunks > 1 ? total / chunks + wakeCost : total
  }

  private static func value(_ extent: Extent) -> Int {
    max(0, extent.value(bySymbol: { _ in usualCount }) ?? 0)
  }

  private static let mostCost = 1 << 50
  private static func sum(_ a: Int, _ b: Int) -> Int { min(mostCost, a + b) }
  private static func product(_ a: Int, _ b: Int) -> Int {
    let (value, overflows) = a.multipliedReportingOverflow(by: b)
    return overflows ? mostCost : min(mostCost, value)
  }

  // MARK: Groups

  /// Steps in a new order: some, then lists side by side, then others.
  private struct Group {
    private(set) var before: [Item] = []
    private(set) var lists: [[Program.Step]] = []
    private(set) var after: [Item] = []

    /// A list that grows; a dependent step makes small ones one.
    private struct Draft {
      var items: [(position: Int, item: Item)] = []
      var cost = 0
      var isSmall: Bool { cost < ConcurrentSteps.wakeCost }
    }

    private var drafts: [Draft] = []
    /// What the steps have read and written, as sets of places: the lowest bit is for what comes after the lists, others are
    /// for drafts. A place's steps may have gone elsewhere: to another draft, or before the lists (nil).
    private var readers: [BufferID: UInt64] = [:]
    private var writers: [BufferID: UInt64] = [:]
    private var draftOfPlace: [Int?] = [nil]

    /// Nil where nothing is won.
    init?(_ items: some Sequence<Item>) {
      for (position, item) in items.enumerated() { add(item, position) }
      drafts.removeAll { $0.items.isEmpty }
      let together = drafts.flatMap(\.items).reduce(0) { ConcurrentSteps.sum($0, $1.item.split) }
      let sideBySide = Self.balanced(drafts, count: 2).map(\.cost).max() ?? 0
      let gain = together - sideBySide - ConcurrentSteps.wakeCost
      guard gain > together / 8, gain > Kernel.timePerThread else { return nil }
      for bin in Self.balanced(drafts, count: usefulListCount) { lists.append(bin.items.map(\.item.step)) }
    }

    /// So many lists are done no later than more would be: the longest draft is one of them.
    private var usefulListCount: Int {
      let total = drafts.reduce(0.0) { $0 + Double($1.cost) }
      let longest = Double(max(1, drafts.map(\.cost).max() ?? 0))
      return min(ConcurrentSteps.mostLists, drafts.count, max(2, Int((total / longest - 0.1).rounded(.up))))
    }

    private mutating func add(_ item: Item, _ position: Int) {
      var places: UInt64 = 0
      for access in item.accesses {
        places |= writers[access.bytes, default: 0]
        if access.isWritten { places |= readers[access.bytes, default: 0] }
      }
      let needed = Set(
        draftOfPlace.indices.dropFirst().filter { places >> UInt64($0) & 1 != 0 }.compactMap { draftOfPlace[$0] })
      let largeCount = needed.count { !drafts[$0].isSmall }
      let waits = item.isWide ? largeCount > 0 : largeCount > 1
      let begins = needed.isEmpty && item.isSplit
      if places & 1 != 0 || waits || (begins && !after.isEmpty) {
        after.append(item)
        note(item, place: 0)
      } else if item.isWide || begins {
        before += merged(needed, movedTo: nil).items.map(\.item) + [item]
      } else {
        var draft = merged(needed, movedTo: drafts.count)
        draft.items.append((position, item))
        draft.cost = ConcurrentSteps.sum(draft.cost, item.alone)
        drafts.append(draft)
        draftOfPlace.append(drafts.count - 1)
        note(item, place: draftOfPlace.count - 1)
      }
    }

    /// Takes drafts away and gives their steps in order.
    private mutating func merged(_ numbers: Set<Int>, movedTo other: Int?) -> Draft {
      var result = Draft()
      for number in numbers.sorted() {
        result.items += drafts[number].items
        result.cost = ConcurrentSteps.sum(result.cost, drafts[number].cost)
        drafts[number] = Draft()
      }
      result.items.sort { $0.position < $1.position }
      for place in draftOfPlace.indices {
        if let draft = draftOfPlace[place], numbers.contains(draft) { draftOfPlace[place] = other }
      }
      return result
    }

    private mutating func note(_ item: Item, place: Int) {
      for access in item.accesses {
        if access.isWritten { writers[access.bytes, default: 0] |= 1 << UInt64(place) }
        readers[access.bytes, default: 0] |= 1 << UInt64(place)
      }
    }

    /// The drafts spread over so many, the longest first, each to the one that has the least; the longest comes first.
    private static func balanced(_ drafts: [Draft], count: Int) -> [Draft] {
      var bins = [Draft](repeating: Draft(), count: count)
      for draft in drafts.sorted(by: { $0.cost > $1.cost }) {
        let least = bins.indices.min { (bins[$0].cost, $0) < (bins[$1].cost, $1) } ?? 0
        bins[least].cost = ConcurrentSteps.sum(bins[least].cost, draft.cost)
        bins[least].items += draft.items
      }
      for bin in bins.indices { bins[bin].items.sort { $0.position < $1.position } }
      return bins.sorted { $0.cost > $1.cost }
    }
  }
}

extension Program.Step {
  fileprivate var isSize: Bool {
    if case .size = self { return true }
    return false
  }
}
