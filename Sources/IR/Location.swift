/// Where a node comes from: what errors, explanations and profiles show.
public indirect enum Location: Hashable, Sendable, CustomStringConvertible {
  case unknown
  case file(String, line: Int, column: Int)
  /// A name, such as a layer's or an ONNX node's, with what lies behind it.
  case name(String, Location)
  case fused([Location])

  public var description: String {
    switch self {
    case .unknown: "unknown"
    case .file(let name, let line, let column): "\(name):\(line):\(column)"
    case .name(let name, _): name
    case .fused(let parts): parts.map(\.description).joined(separator: ", ")
    }
  }
}
