/// Why a model is not imported: sentences, one for each fault.
public struct ONNXError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The file breaks a rule of ONNX.
    case invalid
    /// The model is right, but uses what tfc does not implement; each line is `OP (node 'name')`, with the reason if it
    /// is not the op itself.
    case unsupported
  }

  public let kind: Kind
  public let lines: [String]

  static func invalid(_ sentence: String) -> ONNXError { ONNXError(kind: .invalid, lines: [sentence]) }
  static func unsupported(_ lines: [String]) -> ONNXError { ONNXError(kind: .unsupported, lines: lines) }

  /// One line for each fault; those of unsupported nodes begin with `unsupported: OP`.
  public var description: String {
    lines.map { kind == .unsupported ? "unsupported: \($0)" : $0 }.joined(separator: "\n")
  }
}
