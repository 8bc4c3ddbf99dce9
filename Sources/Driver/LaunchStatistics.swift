internal import Codegen
internal import IR

/// What one call of a program does, beside computing: launches, and bytes that kernels and copies read and write.
struct LaunchStatistics: Hashable, Sendable {
  var launchCount = 0
  var byteCount = 0.0
  var copyCount = 0

  /// Counts for these values of the symbols. `counts` has how often each launch ran in one call, by the launch's number;
  /// it is needed where loops and branches decide that.
  init(_ program: Program, symbols: [Int64], counts: [Int]) {
    let values = Dictionary(
      zip(program.symbols, symbols.map { Int($0) }), uniquingKeysWith: { first, _ in first })
    let bytes = program.buffers.map { buffer in
      Double(buffer.type.byteCount.value(bySymbol: { values[$0] }) ?? 0)
    }
    var number = 0
    visit(program.steps, bytes, counts, &number, times: 1)
  }

  /// Whether each launch runs once a call.
  static func isStraight(_ program: Program) -> Bool { program.steps.allSatisfy(\.isStraight) }

  private mutating func visit(
    _ steps: [Program.Step], _ bytes: [Double], _ counts: [Int], _ number: inout Int, times: Int
  ) {
    // Copies run as often as the launches beside them.
    var times = times
    var beside = number
    for step in steps {
      if case .launch = step, counts.indices.contains(beside) {
        times = counts[beside]
        break
      }
      beside += step.launchCount
    }
    for step in steps {
      switch step {
      case .launch(let launch):
        let count = counts.indices.contains(number) ? counts[number] : times
        launchCount += count
        byteCount += Double(count) * Set(launch.buffers).reduce(0.0) { $0 + bytes[$1.index] }
        number += 1
      case .copy(let from, let to):
        copyCount += times
        byteCount += Double(times) * (bytes[from.index] + bytes[to.index])
      case .loop(let condition, _, let body):
        visit(condition, bytes, counts, &number, times: times)
        visit(body, bytes, counts, &number, times: times)
      case .repetition(_, let body), .roundsAhead(_, let body, _):
        visit(body, bytes, counts, &number, times: times)
      case .branch(_, let lists), .concurrent(let lists):
        for list in lists { visit(list, bytes, counts, &number, times: times) }
      case .choice(_, let then, let otherwise):
        visit(then, bytes, counts, &number, times: times)
        visit(otherwise, bytes, counts, &number, times: times)
      case .bands(let bands): visit(bands.launches.map { .launch($0) }, bytes, counts, &number, times: times)
      case .size: break
      }
    }
  }
}

extension Program.Step {
  /// Whether each launch in the step runs once.
  fileprivate var isStraight: Bool {
    switch self {
    case .launch, .copy, .size: true
    case .loop, .repetition, .roundsAhead, .branch, .choice: false
    case .concurrent(let lists): lists.joined().allSatisfy(\.isStraight)
    case .bands: true
    }
  }

  /// The launches in the step, each counted once.
  var launchCount: Int {
    switch self {
    case .launch: 1
    case .copy, .size: 0
    case .loop(let condition, _, let body): (condition + body).reduce(0) { $0 + $1.launchCount }
    case .repetition(_, let body), .roundsAhead(_, let body, _): body.reduce(0) { $0 + $1.launchCount }
    case .branch(_, let lists), .concurrent(let lists): lists.joined().reduce(0) { $0 + $1.launchCount }
    case .choice(_, let then, let otherwise): (then + otherwise).reduce(0) { $0 + $1.launchCount }
    case .bands(let bands): bands.launches.count
    }
  }
}
