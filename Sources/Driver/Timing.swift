internal import Foundation

/// What many runs of one model took.
public struct Timing: Encodable, Hashable, Sendable {
  public var medianMilliseconds: Double
  public var p10Milliseconds: Double
  public var p90Milliseconds: Double
  public var runs: Int
  public var createMilliseconds: Double

  enum CodingKeys: String, CodingKey {
    case medianMilliseconds = "median_ms"
    case p10Milliseconds = "p10_ms"
    case p90Milliseconds = "p90_ms"
    case runs
    case createMilliseconds = "create_ms"
  }

  /// Of at least one run.
  init(_ milliseconds: [Double], createDuration: Duration) {
    let sorted = milliseconds.sorted()
    func percentile(_ share: Double) -> Double {
      let position = share * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }
    medianMilliseconds = percentile(0.5)
    p10Milliseconds = percentile(0.1)
    p90Milliseconds = percentile(0.9)
    runs = sorted.count
    createMilliseconds = createDuration.milliseconds
  }
}

/// Runs models again and again, several in turns.
struct Stopwatch {
  static let minimumRuns = 5
  static let warmUpSeconds = 0.3
  /// One model's turn takes at least so long, so that a short model runs in warm caches.
  static let turnSeconds = 0.01

  private let clock = ContinuousClock()

  func milliseconds(_ body: () throws(Failure) -> Void) throws(Failure) -> Double {
    let start = clock.now
    try body()
    return (clock.now - start).milliseconds
  }

  /// The times of runs that take at least `seconds` together, after a warm-up.
  func times(seconds: Double, _ body: () throws(Failure) -> Void) throws(Failure) -> [Double] {
    var spent = 0.0
    while spent < Self.warmUpSeconds * 1e3 { spent += try milliseconds(body) }
    return try turn(seconds: seconds, minimumRuns: Self.minimumRuns, body)
  }

  /// The times of one model's turn.
  func turn(seconds: Double, minimumRuns: Int, _ body: () throws(Failure) -> Void) throws(Failure) -> [Double] {
    var times: [Double] = []
    var spent = 0.0
    while times.count < minimumRuns || spent < seconds * 1e3 {
      let time = try milliseconds(body)
      times.append(time)
      spent += time
    }
    return times
  }
}

/// JSON for programs that read what a command found.
enum JSONText {
  static func line(_ value: some Encodable) -> String { text(value, [.sortedKeys, .withoutEscapingSlashes]) }

  static func pretty(_ value: some Encodable) -> String {
    text(value, [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
  }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { preconditionFailure("a report always has a JSON form") }
    return String(decoding: data, as: UTF8.self)
  }
}
