/// An operation that only its target's name identifies (StableHLO spec, "custom_call").
///
/// `%r = stablehlo.custom_call @target(%x) : (tensor<2xf32>) -> tensor<2xf32>`
///
/// It carries what an importer or pass then lowers or refuses by name.
public struct CustomCall: OpDefinition {
  public var target: String
  public var resultTypes: [TensorType]
  /// The other attributes as the file spells them.
  public var attributes: [String: String]
  public init(target: String, resultTypes: [TensorType] = [], attributes: [String: String] = [:]) {
    self.target = target
    self.resultTypes = resultTypes
    self.attributes = attributes
  }
  public var mnemonic: String { "stablehlo.custom_call" }
  public var op: Op { .customCall(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { resultTypes }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    throw OpError.unsupported("stablehlo.custom_call @\(target)")
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.resultTypes = resultTypes.map { $0.mappingExtents(replacement) }
    return .customCall(copy)
  }
}

extension CustomCall {
  static let text = TextForm(
    "stablehlo.custom_call", "@call_target_name `(` operands `)` attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    var attributes: [String: String] = [:]
    for attribute in reader.attributes where !isImplied(attribute.name) {
      var printer = SyntaxPrinter()
      printer.attribute(attribute.value)
      attributes[attribute.name] = printer.text
    }
    return .customCall(
      CustomCall(
        target: try reader.string("call_target_name"), resultTypes: reader.resultTypes, attributes: attributes))
  } write: { op, writer in
    guard case .customCall(let op) = op else { return }
    writer.set("call_target_name", .string(op.target))
    for (name, text) in op.attributes.sorted(by: { $0.key < $1.key }) { writer.set(name, .other(text)) }
  }

  /// Whether an attribute says nothing that the IR keeps: layouts are row-major, one device does the work.
  private static func isImplied(_ attribute: String) -> Bool {
    ["call_target_name", "operand_layouts", "result_layouts"].contains(attribute) || attribute.hasPrefix("tfc.")
      || attribute.hasPrefix("sdy.")
  }
}
