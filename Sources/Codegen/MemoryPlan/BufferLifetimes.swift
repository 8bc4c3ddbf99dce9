import IR

/// When buffers are used, by the numbers of steps.
///
/// A buffer lives from the first step that writes it to the last that reads it; one that is used inside a loop but was
/// there before it, or is there after it, lives through the whole loop. Buffers that share their bytes are used together.
struct BufferLifetimes {
  /// Of buffers that share their bytes, at the first of them.
  private(set) var lifetimes: [ClosedRange<Int>?]
  /// For each buffer, the first of those that share its bytes.
  private let roots: [Int]
  private var clock = 0

  init(steps: [Program.Step], roots: [Int]) {
    self.roots = roots
    lifetimes = Array(repeating: nil, count: roots.count)
    visit(steps)
  }

  private mutating func use(_ buffer: BufferID) {
    let root = roots[buffer.index]
    lifetimes[root] = (lifetimes[root]?.lowerBound ?? clock)...clock
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
        visitRepeated { lifetimes in
          lifetimes.visit(condition)
          lifetimes.use(predicate)
          lifetimes.visit(body)
        }
      case .repetition(_, let body): visitRepeated { $0.visit(body) }
      case .roundsAhead(_, let body, let predicate):
        visitRepeated { lifetimes in
          lifetimes.visit(body)
          lifetimes.use(predicate)
        }
      case .branch(let index, let branches):
        use(index)
        for branch in branches { visit(branch) }
      case .choice(let condition, let then, let otherwise):
        if case .holds(let buffer) = condition { use(buffer) }
        visit(then)
        visit(otherwise)
      case .concurrent(let lists): visitConcurrent(lists)
      // All launches run at the same time.
      case .bands(let bands): for buffer in bands.launches.flatMap(\.buffers) { use(buffer) }
      case .size(let size): use(size.scalar)
      }
    }
  }

  private mutating func visitRepeated(_ steps: (inout BufferLifetimes) -> Void) {
    let begin = clock
    let before = lifetimes
    steps(&self)
    clock += 1
    extend(usedSince: begin, knownBefore: before)
  }

  /// All lists run at the same time, so what one of them uses lives until the last is done.
  private mutating func visitConcurrent(_ lists: [[Program.Step]]) {
    let begin = clock
    for list in lists { visit(list) }
    clock += 1
    for (index, lifetime) in lifetimes.enumerated() {
      guard let lifetime, lifetime.upperBound >= begin else { continue }
      lifetimes[index] = min(lifetime.lowerBound, begin)...clock
    }
  }

  /// What was there before a loop and is used in it lives until the loop's end.
  private mutating func extend(usedSince begin: Int, knownBefore: [ClosedRange<Int>?]) {
    for (index, lifetime) in lifetimes.enumerated() {
      guard let lifetime, lifetime.upperBound >= begin, knownBefore[index] != nil else { continue }
      lifetimes[index] = lifetime.lowerBound...clock
    }
  }
}
