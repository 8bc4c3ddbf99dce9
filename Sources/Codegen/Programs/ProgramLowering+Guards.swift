import IR

/// Steps that are launched before it is known whether they are to run.
///
/// Where a read is a wait, the host does not ask a small loop's predicate in each round, nor a small branch's index: it
/// launches what might run, guarded by the scalar. These are decisions about steps, made here for every machine of that
/// kind; emitters find launches, repetitions, and loops that read less.
extension ProgramLowering {
  /// A wait costs about as much as so many launches of kernels that do nothing.
  private static let launchesPerWait = 4
  /// The launches of all rounds that are asked for at once, and the most rounds: half of them are in vain when the loop
  /// ends.
  private static let launchesAhead = 32
  private static let mostRoundsAhead = 8
  /// The launches of all rounds that a loop which goes on and on is asked for at once.
  private static let mostLaunchesAhead = 256

  /// How many rounds of a loop are launched between two reads of its predicate; nil where each round reads it.
  func roundsAhead(_ condition: [Program.Step], _ body: [Program.Step]) -> Program.RoundsAhead? {
    guard let count = (condition + body).launchCountWithoutReads, count > 0 else { return nil }
    let rounds = min(Self.mostRoundsAhead, Self.launchesAhead / count)
    let growth = max(1, Self.launchesPerWait / count)
    return rounds > 1 ? .init(first: rounds, growth: growth, most: Self.mostLaunchesAhead / count) : nil
  }

  /// All branches' steps, each for its number in `index` only; nil where reading the number costs less than launching
  /// the other branches.
  mutating func guarding(_ branches: [[Program.Step]], byIndex index: BufferID) -> [Program.Step]? {
    let counts = branches.compactMap(\.launchCountWithoutReads)
    guard counts.count == branches.count, let least = counts.min(),
      counts.reduce(0, +) - least <= Self.launchesPerWait
    else { return nil }
    let isPredicate = buffers[index.index].type.elementType == .i1
    var steps: [Program.Step] = []
    for (number, branch) in branches.enumerated() {
      let isLast = number == branches.count - 1
      let condition: Guard =
        if isPredicate {
          isLast ? .isFalse : .isTrue
        } else {
          isLast ? .isOutside(count: number) : .equals(number)
        }
      steps += guarding(branch, by: index, condition)
    }
    return steps
  }

  /// The steps, which change nothing unless the guard holds. None of them writes `scalar`.
  mutating func guarding(_ steps: [Program.Step], by scalar: BufferID, _ condition: Guard) -> [Program.Step] {
    var guarded: Set<Int> = []
    return guarding(steps, by: scalar, condition, &guarded)
  }

  /// A kernel belongs to one fusion, so that all its launches are among the steps; `guarded` has those done before.
  private mutating func guarding(
    _ steps: [Program.Step], by scalar: BufferID, _ condition: Guard, _ guarded: inout Set<Int>
  ) -> [Program.Step] {
    var list: [Program.Step] = []
    for step in steps {
      switch step {
      case .launch(var launch):
        if guarded.insert(launch.kernel).inserted {
          kernels[launch.kernel] = kernels[launch.kernel].guarded(by: condition)
        }
        launch.buffers.append(scalar)
        list.append(.launch(launch))
      case .copy(let from, let to):
        let kernel = Kernel.copy(of: buffers[to.index].type, name: uniqueName("copy"), target: target)
        if kernel.taskCount == .zero { continue }
        kernels.append(kernel.guarded(by: condition))
        list.append(.launch(Program.Launch(kernel: kernels.count - 1, buffers: [from, to, scalar])))
      case .repetition(let count, let body):
        list.append(.repetition(count: count, body: guarding(body, by: scalar, condition, &guarded)))
      case .choice(let test, let then, let otherwise):
        let first = guarding(then, by: scalar, condition, &guarded)
        list.append(.choice(test, then: first, otherwise: guarding(otherwise, by: scalar, condition, &guarded)))
      case .loop, .roundsAhead, .branch, .concurrent, .bands, .size: preconditionFailure("what reads is not guarded")
      }
    }
    return list
  }
}

extension [Program.Step] {
  /// The most launches and copies that the steps make; nil where the host reads what they computed.
  fileprivate var launchCountWithoutReads: Int? {
    var total = 0
    for step in self {
      let count: Int?
      switch step {
      case .launch, .copy: count = 1
      case .repetition(let times, let body):
        count = times.fixed.flatMap { times in body.launchCountWithoutReads.map { $0 * times } }
      case .choice(.holds, _, _), .loop, .roundsAhead, .branch, .concurrent, .bands, .size: count = nil
      case .choice(.hasTiles, let then, let otherwise), .choice(.atLeast, let then, let otherwise):
        count = then.launchCountWithoutReads.flatMap { first in
          otherwise.launchCountWithoutReads.map { Swift.max(first, $0) }
        }
      }
      guard let count else { return nil }
      total += count
    }
    return total
  }
}
