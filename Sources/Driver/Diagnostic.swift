/// One thing to tell the user about a file: where, how bad, and what.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  public enum Severity: String, Hashable, Sendable {
    case error, warning
    /// tfc does not implement it; the message begins with the op's name.
    case unsupported
  }

  /// The file, with line and column where they are known; empty where no file is at fault.
  public var place: String
  public var severity: Severity
  public var message: String
  /// Lines to show below: the source line and a caret.
  public var excerpt: [String]

  public init(place: String = "", severity: Severity = .error, message: String, excerpt: [String] = []) {
    self.place = place
    self.severity = severity
    self.message = message
    self.excerpt = excerpt
  }

  /// The diagnostic on one line: `PLACE: error: MESSAGE`, or `unsupported: OP …`.
  public var line: String {
    let flat = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    if severity == .unsupported { return "unsupported: \(flat)" }
    return place.isEmpty ? "\(severity.rawValue): \(flat)" : "\(place): \(severity.rawValue): \(flat)"
  }

  public var description: String { ([line] + excerpt).joined(separator: "\n") }
}

/// Why a command ends without its result: what is wrong, and whose fault it is.
public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Int32, Hashable, Sendable {
    /// The command line, or a file that is refused.
    case refused = 2
    /// Something went wrong while a model ran, or with the machine.
    case runtime = 3
  }

  public var kind: Kind
  public var diagnostics: [Diagnostic]

  public init(_ kind: Kind, _ diagnostics: [Diagnostic]) {
    self.kind = kind
    self.diagnostics = diagnostics
  }

  static func refused(_ message: String, place: String = "") -> Failure {
    Failure(.refused, [Diagnostic(place: place, message: message)])
  }

  static func unsupported(_ message: String) -> Failure {
    Failure(.refused, [Diagnostic(severity: .unsupported, message: message)])
  }

  static func runtime(_ message: String, place: String = "") -> Failure {
    Failure(.runtime, [Diagnostic(place: place, message: message)])
  }

  /// What the process exits with.
  public var exitCode: Int32 { kind.rawValue }

  /// One line that says it: the first unsupported op, else the first diagnostic.
  public var summary: String {
    let first = diagnostics.first { $0.severity == .unsupported } ?? diagnostics.first
    return first?.line ?? "error"
  }

  public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
