internal import Foundation

/// Where a command says what it is at, and what it was asked to print on the way.
public struct Progress: Sendable {
  private let isVisible: Bool

  /// Shows the stage at work on standard error, if that is a terminal.
  public static let terminal = Progress(isVisible: isatty(2) == 1)
  public static let silent = Progress(isVisible: false)

  func begin(_ stage: String) {
    if isVisible { Self.write("\r\u{1B}[K\(stage) …") }
  }

  func end() {
    if isVisible { Self.write("\r\u{1B}[K") }
  }

  /// Prints lines on standard error.
  func show(_ text: String) {
    end()
    Self.write(text.hasSuffix("\n") ? text : text + "\n")
  }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// How long the parts of a command took.
struct StageTimes {
  private(set) var stages: [(name: String, milliseconds: Double)] = []
  private let clock = ContinuousClock()

  mutating func measure<T>(_ name: String, _ body: () throws(Failure) -> T) throws(Failure) -> T {
    let start = clock.now
    defer { add(name, clock.now - start) }
    return try body()
  }

  mutating func add(_ name: String, _ duration: Duration) { stages.append((name, duration.milliseconds)) }

  var table: String {
    let width = stages.map(\.name.count).max() ?? 0
    return stages.map { stage in
      let time = Figures.fixed(stage.milliseconds, decimals: 2)
      return stage.name.padded(to: width) + String(repeating: " ", count: max(1, 12 - time.count)) + time + " ms\n"
    }.joined()
  }
}

extension Duration {
  var milliseconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
  }
}

extension String {
  /// The text with spaces behind it up to `width` characters.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  /// The text with spaces before it up to `width` characters.
  func rightAligned(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

/// Numbers for people.
enum Figures {
  static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let scale = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
    let scaled = Int64((abs(value) * scale).rounded())
    let digits = String(scaled).rightAligned(to: decimals + 1).replacing(" ", with: "0")
    let sign = value < 0 && scaled != 0 ? "-" : ""
    if decimals == 0 { return sign + digits }
    return "\(sign)\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
  }

  /// `12.6 MB`
  static func bytes(_ count: Double) -> String { scaled(count, units: ["B", "kB", "MB", "GB", "TB"]) }

  /// `1.2 G`
  static func count(_ count: Double) -> String { scaled(count, units: ["", "k", "M", "G", "T"]) }

  private static func scaled(_ count: Double, units: [String]) -> String {
    var (value, unit) = (count, 0)
    while value >= 1000, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    let text = fixed(value, decimals: unit == 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0)
    return units[unit].isEmpty ? text : "\(text) \(units[unit])"
  }
}
