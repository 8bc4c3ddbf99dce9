public import IR

/// One decision of a pass about one node, and why: what `--explain` prints.
public struct Explanation: Hashable, Sendable, CustomStringConvertible {
  public enum Decision: String, Hashable, Sendable {
    case fused
    case notFused = "not fused"
    case folded
    case notFolded = "not folded"
  }

  public var pass: String
  public var location: Location
  /// The mnemonic of the node's op.
  public var op: String
  public var decision: Decision
  /// Half a sentence: `3 users, 12.6 MB would be recomputed`.
  public var reason: String

  public init(pass: String, location: Location, op: String, decision: Decision, reason: String) {
    self.pass = pass
    self.location = location
    self.op = op
    self.decision = decision
    self.reason = reason
  }

  public var description: String {
    let place = location == .unknown ? "" : "\(location): "
    return "\(place)\(op): \(decision.rawValue): \(reason)"
  }
}
