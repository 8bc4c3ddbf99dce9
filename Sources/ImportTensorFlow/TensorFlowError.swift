/// Why a model is not imported: sentences, one for each fault.
public struct TensorFlowError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The file breaks a rule of TensorFlow's formats.
    case invalid
    /// The model is right, but uses what tfc does not implement; each line is `OP (node 'name')`, with the reason if it
    /// is not the op itself.
    case unsupported
  }

  public let kind: Kind
  public let lines: [String]

  static func invalid(_ sentence: String) -> TensorFlowError { TensorFlowError(kind: .invalid, lines: [sentence]) }
  static func unsupported(_ lines: [String]) -> TensorFlowError { TensorFlowError(kind: .unsupported, lines: lines) }

  /// One line for each fault; those of unsupported nodes begin with `unsupported: OP`.
  public var description: String {
    lines.map { kind == .unsupported ? "unsupported: \($0)" : $0 }.joined(separator: "\n")
  }
}
