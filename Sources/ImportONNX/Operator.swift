import GraphBuilding
import IR

/// One ONNX op: its name, its domain, and how a node with it becomes IR.
///
/// A lowering reads inputs and attributes from the `Lowering` and returns the node's outputs; it covers every version of
/// the op from `since` on. Attributes that it never reads make the node unsupported.
struct Operator: Sendable {
  typealias Lower = @Sendable (inout Lowering) throws(OpError) -> [Value]

  let name: String
  let domain: String
  let lower: Lower

  init(_ name: String, domain: String = "", _ lower: @escaping Lower) {
    self.name = name
    self.domain = domain
    self.lower = lower
  }

  /// An op with one output.
  init(_ name: String, domain: String = "", one lower: @escaping @Sendable (inout Lowering) throws(OpError) -> Value) {
    self.init(name, domain: domain) { (n) throws(OpError) in [try lower(&n)] }
  }

  private struct Key: Hashable {
    let name: String
    let domain: String
  }

  private static let table: [Key: Operator] = {
    var table: [Key: Operator] = [:]
    for operators in families {
      for entry in operators { table[Key(name: entry.name, domain: entry.domain)] = entry }
    }
    return table
  }()

  /// All ops, with their domain where it is not the standard's.
  static var names: Set<String> {
    Set(table.keys.map { $0.domain.isEmpty ? $0.name : "\($0.domain).\($0.name)" })
  }

  /// The op, where it is known.
  static func named(_ name: String, domain: String) -> Operator? { table[Key(name: name, domain: domain)] }
}

extension Operator {
  /// All ops, by the files that lower them.
  private static var families: [[Operator]] {
    [
      pointwise, activations, constants, reshaping, slicing, indexing, selection, reductions, linear, convolutions,
      pooling, normalization, recurrent, controlFlow, attention, losses, quantization, resizing, sampling,
      signals, sequences, deformation, texts, trees, features, derivatives,
    ]
  }
}
