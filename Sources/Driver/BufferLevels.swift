internal import Codegen

/// Where the bytes of each launch's buffers are when it begins, in calls one after the other: as far away as what was
/// touched since they were touched last does not fit.
struct BufferLevels {
  /// By launch and its kernel's parameters.
  private(set) var levels: [[Target.Level]]

  private struct Use {
    var launch: Int
    var buffers: [BufferID]
    /// Those that are handed on within bands.
    var links: [BufferID] = []
  }

  /// `byteCounts` has the size of each of the program's buffers.
  init(_ program: Program, byteCounts: [Int], _ target: Target) {
    var uses: [Use] = []
    var number = 0
    Self.append(program.steps, &number, to: &uses)
    levels = [[Target.Level]](repeating: [], count: number)
    // The second call finds what the first left.
    let trace = uses + uses
    for (position, use) in trace.enumerated().dropFirst(uses.count) {
      levels[use.launch] = use.buffers.map { buffer in
        if use.links.contains(buffer) { return .l2 }
        var between: [Program.Place: Int] = [:]
        let place = program.buffers[buffer.index].place
        for earlier in trace[..<position].reversed() {
          if earlier.buffers.contains(where: { program.buffers[$0.index].place == place }) { break }
          for other in earlier.buffers { between[program.buffers[other.index].place] = byteCounts[other.index] }
        }
        for own in use.buffers { between[program.buffers[own.index].place] = nil }
        // When half of the buffer is read, half of the others has been touched.
        let own = Set(use.buffers).subtracting([buffer]).reduce(0) { $0 + byteCounts[$1.index] / 2 }
        return target.level(holding: Double(between.values.reduce(byteCounts[buffer.index] + own, +)))
      }
    }
  }

  /// A loop mostly finds what its last iteration left.
  private static func appendRepeated(_ steps: [Program.Step], _ number: inout Int, to uses: inout [Use]) {
    let first = uses.count
    append(steps, &number, to: &uses)
    uses += uses[first...]
  }

  private static func append(_ steps: [Program.Step], _ number: inout Int, to uses: inout [Use]) {
    for step in steps {
      switch step {
      case .launch(let launch):
        uses.append(Use(launch: number, buffers: launch.buffers))
        number += 1
      case .copy, .size: break
      case .loop(let condition, _, let body):
        appendRepeated(condition + body, &number, to: &uses)
      case .repetition(_, let body), .roundsAhead(_, let body, _): appendRepeated(body, &number, to: &uses)
      case .branch(_, let lists), .concurrent(let lists):
        for list in lists { append(list, &number, to: &uses) }
      case .choice(_, let then, let otherwise):
        append(then, &number, to: &uses)
        append(otherwise, &number, to: &uses)
      case .bands(let bands):
        for launch in bands.launches {
          uses.append(Use(launch: number, buffers: launch.buffers, links: bands.links.map(\.buffer)))
          number += 1
        }
      }
    }
  }
}
