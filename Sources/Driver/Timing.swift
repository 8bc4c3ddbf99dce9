internal import Foundation

/// What many runs of one model took.
public struct Timing: Encodable, Hashable, Sendable {
  public var medianMilliseconds: Double
  public var p10Milliseconds: Double
  public var p90Milliseconds: Double
  public var runs: Int
  public var createMilliseconds: Double
  /// What each kernel takes, where that was asked for.
  public var kernels: KernelReport?

  enum CodingKeys: String, CodingKey {
    case medianMilliseconds = "median_ms"
    case p10Milliseconds = "p10_ms"
    case p90Milliseconds = "p90_ms"
    case runs, kernels
    case createMilliseconds = "create_ms"
  }

  /// Of at least one sample.
  init(_ samples: Samples, createDuration: Duration) {
    let sorted = samples.milliseconds.sorted()
    func percentile(_ share: Double) -> Double {
      let position = share * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }
    medianMilliseconds = percentile(0.5)
    p10Milliseconds = percentile(0.1)
    p90Milliseconds = percentile(0.9)
    runs = samples.runs
    createMilliseconds = createDuration.milliseconds
  }
}

/// The time of one run, measured many times.
struct Samples {
  var milliseconds: [Double] = []
  var runs = 0
  /// How long the runs took together.
  var total = 0.0

  static func += (a: inout Samples, b: Samples) {
    a.milliseconds += b.milliseconds
    a.runs += b.runs
    a.total += b.total
  }
}

/// Runs models again and again, several in turns.
struct Stopwatch {
  static let minimumSamples = 5
  static let warmUpSeconds = 0.3
  /// One model's turn takes at least so long, so that a short model runs in warm caches.
  static let turnSeconds = 0.01
  /// A sample of a very short run is the mean of runs that take so long together: reading the clock takes time too.
  static let sampleMilliseconds = 0.02

  private let clock = ContinuousClock()

  private func milliseconds(_ count: Int, _ body: () throws(Failure) -> Void) throws(Failure) -> Double {
    let start = clock.now
    for _ in 0..<count { try body() }
    return (clock.now - start).milliseconds
  }

  /// Runs for the time of a warm-up; returns how many runs make a sample.
  func warmUp(_ body: () throws(Failure) -> Void) throws(Failure) -> Int {
    var spent = 0.0
    var shortest = Double.infinity
    while spent < Self.warmUpSeconds * 1e3 {
      let time = try milliseconds(1, body)
      shortest = min(shortest, time)
      spent += time
    }
    return shortest >= Self.sampleMilliseconds ? 1 : Int(Self.sampleMilliseconds / max(shortest, 1e-5)) + 1
  }

  /// Samples of `count` runs each that take at least `seconds` together.
  func samples(of count: Int, seconds: Double, minimum: Int, _ body: () throws(Failure) -> Void) throws(Failure)
    -> Samples
  {
    var samples = Samples()
    while samples.milliseconds.count < minimum || samples.total < seconds * 1e3 {
      let time = try milliseconds(count, body)
      samples.milliseconds.append(time / Double(count))
      samples.runs += count
      samples.total += time
    }
    return samples
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
