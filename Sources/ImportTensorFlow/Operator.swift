import GraphBuilding
import IR

/// One op of TensorFlow: its name, its outputs, and how a node with it becomes IR.
///
/// A lowering reads inputs and attributes from the `Lowering` and returns the node's outputs. Attributes that it never
/// reads make the node unsupported.
struct Operator: Sendable {
  typealias Lower = @Sendable (inout Lowering) throws(OpError) -> [Item]

  let name: String
  /// The names of the outputs where there are several; functions refer to outputs by name.
  let outputs: [String]
  let lower: Lower

  /// An op that takes or gives what is no tensor.
  init(_ name: String, outputs: [String] = [], items lower: @escaping Lower) {
    self.name = name
    self.outputs = outputs
    self.lower = lower
  }

  /// An op with several outputs, or a list of them.
  init(
    _ name: String, outputs: [String] = [],
    _ lower: @escaping @Sendable (inout Lowering) throws(OpError) -> [Value]
  ) {
    self.name = name
    self.outputs = outputs
    self.lower = { (n) throws(OpError) in try lower(&n).map { .tensor($0) } }
  }

  /// An op with one output.
  init(_ name: String, one lower: @escaping @Sendable (inout Lowering) throws(OpError) -> Value) {
    self.init(name) { (n) throws(OpError) in [try lower(&n)] }
  }

  private static let table: [String: Operator] = {
    var table: [String: Operator] = [:]
    for operators in families {
      for entry in operators { table[entry.name] = entry }
    }
    return table
  }()

  /// All ops.
  static var names: Set<String> { Set(table.keys) }

  /// The op, where it is known.
  static func named(_ name: String) -> Operator? { table[name] }

  /// All ops, by the files that lower them.
  private static var families: [[Operator]] {
    [
      pointwise, activations, shapes, arrays, slicing, indexing, selection, reductions, linear, convolutions, pooling,
      normalization, images, control, lists, variables, gradients, quantization, factorizations, windowGradients, crops,
      colours, resampling, specialFunctions, formats, histograms, olderForms, quantizedSteps, diagonals,
      incompleteFunctions,
    ]
  }
}
