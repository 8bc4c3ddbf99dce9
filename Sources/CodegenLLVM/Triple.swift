import CLLVM

/// A kind of machine that code runs on: an architecture and a system, as compilers name them.
public struct Triple: Hashable, Sendable, CustomStringConvertible {
  public enum Architecture: String, Hashable, Sendable, CaseIterable {
    case x86 = "x86_64"
    case aarch64

    /// What else it is called.
    fileprivate var otherNames: [String] {
      switch self {
      case .x86: ["amd64", "x86-64"]
      case .aarch64: ["arm64"]
      }
    }
  }

  /// Nil for one that code cannot be made for.
  public let architecture: Architecture?
  /// As LLVM takes it: `aarch64-unknown-linux-gnu`.
  public let text: String
  /// What follows the vendor: `linux-gnu`.
  private let system: String

  /// This machine's.
  public static let host = Triple(host: LLVMText.take(LLVMGetDefaultTargetTriple()))

  private init(host text: String) {
    let parts = text.split(separator: "-", maxSplits: 2)
    self.text = text
    architecture = parts.first.flatMap { Self.architecture(named: String($0)) }
    system = parts.count == 3 ? String(parts[2]) : ""
  }

  /// The triple that is written with a vendor or without: `aarch64-linux-gnu`, `arm64-unknown-linux-gnu`; nil for a
  /// machine that libraries are not made for.
  public init?(_ text: String) {
    if text == Self.host.text {
      self = .host
      return
    }
    let system = "linux-gnu"
    guard text.hasSuffix("-\(system)") else { return nil }
    let parts = text.dropLast(system.count + 1).split(separator: "-", omittingEmptySubsequences: false)
    guard let first = parts.first, let architecture = Self.architecture(named: String(first)),
      parts.count == 1 || parts.count == 2 && Self.vendors.contains(String(parts[1]))
    else { return nil }
    if architecture == Self.host.architecture, system == Self.host.system {
      self = .host
      return
    }
    self.text = "\(architecture.rawValue)-unknown-\(system)"
    self.architecture = architecture
    self.system = system
  }

  private static let vendors = ["unknown", "none", "pc"]

  private static func architecture(named name: String) -> Architecture? {
    Architecture.allCases.first { $0.rawValue == name || $0.otherNames.contains(name) }
  }

  public var isHost: Bool { self == .host }

  /// The triples that a user may name.
  public static var known: [String] { Architecture.allCases.map { "\($0.rawValue)-linux-gnu" } }

  /// Without a vendor: `aarch64-linux-gnu`.
  public var description: String { architecture.map { "\($0.rawValue)-\(system)" } ?? text }

  /// The names that compilers for this machine may have in front of `-gcc`.
  public var prefixes: [String] {
    guard let architecture else { return [] }
    return ([""] + Self.vendors.map { "\($0)-" }).map { "\(architecture.rawValue)-\($0)\(system)" }
  }
}
