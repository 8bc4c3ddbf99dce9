/// A group of nodes that becomes one kernel; only the fusion pass makes it.
///
/// `%r = "tfc.fusion"(%x, %y) ({ … }) {anchor = "loop"} : (…) -> …`
public struct Fusion: OpDefinition {
  /// Which access pattern the kernel's schedule is built around.
  public enum Anchor: String, Hashable, Sendable, CaseIterable {
    case loop, reduction, contraction, attention, window, row, lines, scatter, sort, opaque
  }
  public var anchor: Anchor
  /// Parameters: the operands; results: the values that others use.
  public var body: Graph
  public init(anchor: Anchor, body: Graph) {
    self.anchor = anchor
    self.body = body
  }
  public var mnemonic: String { "tfc.fusion" }
  public var op: Op { .fusion(self) }
  public var regions: [Graph] { [body] }
  public func withRegions(_ regions: [Graph]) -> Op { .fusion(Fusion(anchor: anchor, body: regions[0])) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands == body.parameterTypes else { throw OpError("the operands of a fusion are its body's parameters") }
    return body.resultTypes
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    try body.evaluate(operands, in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .fusion(Fusion(anchor: anchor, body: body.mappingExtents(replacement)))
  }
}

extension Fusion {
  static let text = TextForm("tfc.fusion", nil) { (reader) throws(OpError) in
    .fusion(Fusion(anchor: try reader.enumeration("anchor"), body: try reader.region(0)))
  } write: { op, writer in
    if case .fusion(let fusion) = op { writer.set("anchor", .string(fusion.anchor.rawValue)) }
  }
}
