/// The same elements with dimensions that an operand gives (StableHLO spec, "dynamic_reshape").
///
/// `%r = stablehlo.dynamic_reshape %x, %shape : (tensor<?x4xf32>, tensor<1xi32>) -> tensor<?xf32>`
public struct DynamicReshape: OpDefinition {
  public var resultType: TensorType
  public init(resultType: TensorType) { self.resultType = resultType }
  public var mnemonic: String { "stablehlo.dynamic_reshape" }
  public var op: Op { .dynamicReshape(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    guard operands[0].elementType == resultType.elementType else {  // (C1)
      throw OpError("dynamic_reshape keeps the element type: \(operands[0]) does not become \(resultType)")
    }
    if let count = operands[0].elementCount.fixed, let result = resultType.elementCount.fixed {
      guard count == result else {  // (C2)
        throw OpError("dynamic_reshape cannot make \(resultType) of the \(count) elements of \(operands[0])")
      }
    }
    try requireShapeOperand(operands[1], named: "output_shape", count: resultType.rank)  // (C4)
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let shape = try extents(operands[1])
    guard shape.reduce(1, *) == operands[0].elementCount else {
      throw OpError("dynamic_reshape cannot make the shape \(shape) of the elements of \(operands[0].type)")  // (C2)
    }
    return [operands[0].reshaped(shape)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .dynamicReshape(DynamicReshape(resultType: resultType.mappingExtents(replacement)))
  }
}

extension DynamicReshape {
  static let text = TextForm(
    DynamicReshape(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}
