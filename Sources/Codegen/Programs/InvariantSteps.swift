import IR

/// What a loop's body launches in every round alike: the packing of an operand that the loop does not change, and all else
/// that reads only such. It is launched once, before the loop.
struct InvariantSteps {
  private(set) var before: [Program.Step] = []
  private(set) var body: [Program.Step] = []

  private let kernels: [Kernel]
  private let memory: (BufferID) -> Bytes
  /// For the bytes that the loop writes, the steps that do.
  private var writers: [BufferID: Set<Program.Step>] = [:]

  /// What a buffer's bytes are.
  struct Bytes {
    /// The first of the buffers that are the same bytes.
    var first: BufferID
    /// Whether only the program's steps can write them.
    var isInArena: Bool
  }

  /// `state` is what the loop begins with.
  init(
    _ body: [Program.Step], condition: [Program.Step], state: [BufferID], _ kernels: [Kernel],
    memory: @escaping (BufferID) -> Bytes
  ) {
    self.kernels = kernels
    self.memory = memory
    for step in condition + body { step.forEachLeaf { note($0) } }
    // What was there before the loop is a writer too.
    for buffer in state { writers[memory(buffer).first, default: []].insert(.copy(from: buffer, to: buffer)) }
    var moved: Set<Program.Step> = []
    (before, self.body) = split(body, &moved)
  }

  private mutating func note(_ leaf: Program.Step) {
    leaf.forEachAccess(in: kernels) { buffer, isWritten in
      if isWritten { writers[memory(buffer).first, default: []].insert(leaf) }
    }
  }

  /// The steps that can go before the loop, and those that stay; `moved` are the launches that have gone there.
  private func split(
    _ steps: [Program.Step], _ moved: inout Set<Program.Step>
  ) -> (before: [Program.Step], body: [Program.Step]) {
    var (before, body): ([Program.Step], [Program.Step]) = ([], [])
    for step in steps {
      switch step {
      case .launch where isInvariant(step, moved):
        moved.insert(step)
        before.append(step)
      case .choice(let condition, let then, let otherwise) where isInvariant(condition, moved):
        var (first, second) = (moved, moved)
        let (one, other) = (split(then, &first), split(otherwise, &second))
        moved = first.intersection(second)
        if !one.before.isEmpty || !other.before.isEmpty {
          before.append(.choice(condition, then: one.before, otherwise: other.before))
        }
        body.append(.choice(condition, then: one.body, otherwise: other.body))
      default: body.append(step)
      }
    }
    return (before, body)
  }

  /// Whether the launch reads what no round changes, and is the only one that writes what it writes.
  private func isInvariant(_ launch: Program.Step, _ moved: Set<Program.Step>) -> Bool {
    var isInvariant = true
    launch.forEachAccess(in: kernels) { buffer, isWritten in
      let bytes = memory(buffer)
      let fits = isWritten ? bytes.isInArena && writers[bytes.first] == [launch] : isUnchanged(buffer, moved)
      isInvariant = isInvariant && fits
    }
    return isInvariant
  }

  private func isUnchanged(_ buffer: BufferID, _ moved: Set<Program.Step>) -> Bool {
    writers[memory(buffer).first]?.isSubset(of: moved) ?? true
  }

  private func isInvariant(_ condition: Program.Condition, _ moved: Set<Program.Step>) -> Bool {
    switch condition {
    case .hasTiles, .atLeast: true
    case .holds(let buffer): isUnchanged(buffer, moved)
    }
  }
}
