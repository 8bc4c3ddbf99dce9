import IR

/// Which launches run in bands.
///
/// Kernels that hand on more than fits in the second-level cache wait for the third one. Where tasks of both go through
/// what lies between them in the same direction, they need not: see `Program.Bands`, and docs/design/0029-bands.md for what
/// it gains.
extension ProgramLowering {
  /// The steps, with bands in place of launches.
  mutating func banded(_ steps: [Program.Step]) -> [Program.Step] {
    var uses = BufferUses(steps, self)
    return banded(steps, &uses, isOutermost: true)
  }

  private mutating func banded(_ steps: [Program.Step], _ uses: inout BufferUses, isOutermost: Bool) -> [Program.Step] {
    var list: [Program.Step] = []
    var position = 0
    while position < steps.count {
      let launches = steps[position...].prefix(BandChain.mostLaunches).map(\.launch)
      if let chain = BandChain(launches.prefix { $0 != nil }.compactMap { $0 }, self, uses, mayMove: isOutermost) {
        list += chain.before.map { .launch($0) } + [.bands(place(chain, &uses))]
        position += chain.before.count + chain.bands.launches.count
        continue
      }
      list.append(bandsInside(steps[position], &uses))
      position += 1
    }
    return list
  }

  /// A step, with bands in the lists of steps that it has.
  private mutating func bandsInside(_ step: Program.Step, _ uses: inout BufferUses) -> Program.Step {
    switch step {
    case .loop(let condition, let predicate, let body):
      return .loop(condition: condition, predicate: predicate, body: banded(body, &uses, isOutermost: false))
    case .branch(let index, let branches):
      var lists: [[Program.Step]] = []
      for branch in branches { lists.append(banded(branch, &uses, isOutermost: false)) }
      return .branch(index: index, branches: lists)
    case .choice(let condition, let then, let otherwise):
      let first = banded(then, &uses, isOutermost: false)
      return .choice(condition, then: first, otherwise: banded(otherwise, &uses, isOutermost: false))
    case .launch, .copy, .repetition, .roundsAhead, .concurrent, .bands, .size: return step
    }
  }

  /// Gives the chain's buffers their rooms.
  private mutating func place(_ chain: BandChain, _ uses: inout BufferUses) -> Program.Bands {
    let tasks = chain.bands.tasksPerRoom
    let rooms = (kernels[chain.bands.lastLaunch.kernel].taskCount + (tasks - 1)).floorDivided(by: Extent(tasks))
    for link in chain.bands.links {
      let element = buffers[link.buffer.index].type.elementType
      buffers[link.buffer.index].type = TensorType(element, [rooms, Extent(link.elementCount)])
    }
    if let moved = chain.moved {
      uses.separate(moved.buffer, with: moved.followers)
      makeRoot(moved.buffer, of: moved.followers)
    }
    return chain.bands
  }

  /// Gives a buffer that was written over another one bytes of its own, which are then those of its followers too.
  private mutating func makeRoot(_ buffer: BufferID, of followers: [BufferID]) {
    buffers[buffer.index].place = .arena(sharing: nil)
    for follower in followers { buffers[follower.index].place = .arena(sharing: buffer) }
  }
}

extension Program.Step {
  fileprivate var launch: Program.Launch? {
    if case .launch(let launch) = self { return launch }
    return nil
  }
}

/// How often, and from when on, buffers are used.
struct BufferUses {
  /// By buffer: the uses, and the number of the step that is the first.
  private(set) var counts: [Int]
  private(set) var firstSteps: [Int?]
  /// The buffers in the arena that share the bytes of another, by the first of them.
  private(set) var sharers: [BufferID: [BufferID]] = [:]

  init(_ steps: [Program.Step], _ lowering: ProgramLowering) {
    counts = [Int](repeating: 0, count: lowering.buffers.count)
    firstSteps = [Int?](repeating: nil, count: lowering.buffers.count)
    for (number, step) in steps.enumerated() {
      step.forEachAccess(in: lowering.kernels) { buffer, _ in
        counts[buffer.index] += 1
        if firstSteps[buffer.index] == nil { firstSteps[buffer.index] = number }
      }
    }
    for index in lowering.buffers.indices {
      let buffer = BufferID(index)
      if let root = lowering.root(of: buffer), root != buffer { sharers[root, default: []].append(buffer) }
    }
  }

  /// Notes that a buffer has bytes of its own, which are those of its followers too.
  mutating func separate(_ buffer: BufferID, with followers: [BufferID]) {
    let gone = Set(followers + [buffer])
    sharers = sharers.compactMapValues { known in
      let kept = known.filter { !gone.contains($0) }
      return kept.isEmpty ? nil : kept
    }
    if !followers.isEmpty { sharers[buffer] = followers }
  }
}
