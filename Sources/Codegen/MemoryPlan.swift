import IR

/// Places buffers in the arena so that those that live at the same time do not overlap.
///
/// A buffer lives from the first step that writes it to the last that reads it; one that is used inside a loop but was
/// there before it, or is there after it, lives through the whole loop.
struct MemoryPlan {
  private struct Lifetime {
    var first: Int
    var last: Int
  }

  private let buffers: [DraftBuffer]
  private var lifetimes: [Lifetime?]
  private var clock = 0
  private(set) var offsets: [Extent?]
  private(set) var byteCount: Extent = .zero

  init(steps: [Program.Step], buffers: [DraftBuffer]) {
    self.buffers = buffers
    lifetimes = Array(repeating: nil, count: buffers.count)
    offsets = Array(repeating: nil, count: buffers.count)
    visit(steps)
  }

  var placed: [Program.Buffer] {
    zip(buffers, offsets).map { buffer, offset in
      switch buffer.place {
      case .input(let position): Program.Buffer(type: buffer.type, place: .input(position))
      case .output(let position): Program.Buffer(type: buffer.type, place: .output(position))
      case .constant(let offset): Program.Buffer(type: buffer.type, place: .constant(byteOffset: offset))
      case .arena: Program.Buffer(type: buffer.type, place: .arena(byteOffset: offset ?? .zero))
      }
    }
  }

  // MARK: Lifetimes

  private mutating func use(_ buffer: BufferID) {
    if let known = lifetimes[buffer.index] {
      lifetimes[buffer.index] = Lifetime(first: known.first, last: clock)
    } else {
      lifetimes[buffer.index] = Lifetime(first: clock, last: clock)
    }
  }

  private mutating func visit(_ steps: [Program.Step]) {
    for step in steps {
      clock += 1
      switch step {
      case .launch(let launch): for buffer in launch.buffers { use(buffer) }
      case .copy(let from, let to):
        use(from)
        use(to)
      case .loop(let condition, let predicate, let body):
        let begin = clock
        let before = lifetimes
        visit(condition)
        use(predicate)
        visit(body)
        clock += 1
        extend(usedSince: begin, knownBefore: before)
      case .branch(let index, let branches):
        use(index)
        for branch in branches { visit(branch) }
      case .choice(let condition, let then, let otherwise):
        if case .holds(let buffer) = condition { use(buffer) }
        visit(then)
        visit(otherwise)
      }
    }
  }

  /// What was there before a loop and is used in it lives until the loop's end.
  private mutating func extend(usedSince begin: Int, knownBefore: [Lifetime?]) {
    for (index, lifetime) in lifetimes.enumerated() {
      guard let lifetime, lifetime.last >= begin, knownBefore[index] != nil else { continue }
      lifetimes[index] = Lifetime(first: lifetime.first, last: clock)
    }
  }

  // MARK: Placement

  /// Fixed buffers by size, largest first, each at the lowest free offset; then symbolic ones, which share a place
  /// only with buffers of the same size.
  mutating func place() {
    var fixed: [(index: Int, size: Int, lifetime: Lifetime)] = []
    var symbolic: [(index: Int, size: Extent, lifetime: Lifetime)] = []
    for (index, buffer) in buffers.enumerated() {
      guard case .arena = buffer.place, let lifetime = lifetimes[index] else { continue }
      let size = Self.aligned(buffer.type.byteCount)
      if let bytes = size.fixed {
        fixed.append((index, bytes, lifetime))
      } else {
        symbolic.append((index, size, lifetime))
      }
    }
    byteCount = Extent(placeFixed(fixed))
    placeSymbolic(symbolic)
  }

  private static func aligned(_ extent: Extent) -> Extent {
    let alignment = Extent(Program.alignment)
    return (extent + (Program.alignment - 1)).floorDivided(by: alignment) * alignment
  }

  private mutating func placeFixed(_ items: [(index: Int, size: Int, lifetime: Lifetime)]) -> Int {
    var total = 0
    var placed: [(offset: Int, size: Int, lifetime: Lifetime)] = []
    let order = items.sorted { ($0.size, $1.lifetime.first) > ($1.size, $0.lifetime.first) }
    for item in order {
      var offset = 0
      // `placed` is sorted by offset: the first gap among those alive at the same time.
      for other in placed where other.lifetime.first <= item.lifetime.last && item.lifetime.first <= other.lifetime.last
      {
        if other.offset >= offset + item.size { break }
        offset = max(offset, other.offset + other.size)
      }
      offsets[item.index] = Extent(offset)
      total = max(total, offset + item.size)
      let position = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert((offset, item.size, item.lifetime), at: position)
    }
    return total
  }

  private mutating func placeSymbolic(_ items: [(index: Int, size: Extent, lifetime: Lifetime)]) {
    var slots: [Extent: [(offset: Extent, busyUntil: Int)]] = [:]
    for item in items.sorted(by: { $0.lifetime.first < $1.lifetime.first }) {
      var free = slots[item.size, default: []]
      if let slot = free.firstIndex(where: { $0.busyUntil < item.lifetime.first }) {
        free[slot].busyUntil = item.lifetime.last
        offsets[item.index] = free[slot].offset
      } else {
        offsets[item.index] = byteCount
        free.append((byteCount, item.lifetime.last))
        byteCount += item.size
      }
      slots[item.size] = free
    }
  }
}
