/// Each element is its index along one dimension of a shape that an operand gives (StableHLO spec, "dynamic_iota").
///
/// `%r = stablehlo.dynamic_iota %shape, dim = 0 : (tensor<2xi64>) -> tensor<?x?xi32>`
public struct DynamicIota: OpDefinition {
  public var dimension: Int
  public var resultType: TensorType
  public init(dimension: Int, resultType: TensorType) {
    self.dimension = dimension
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.dynamic_iota" }
  public var op: Op { .dynamicIota(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let shape = try single(operands)
    guard resultType.dimensions.indices.contains(dimension) else {  // (C1)
      throw OpError("iota_dimension \(dimension) leaves the \(resultType.rank) dimensions of the result")
    }
    guard !resultType.elementType.isBoolean else { throw OpError("dynamic_iota makes numbers, not \(resultType)") }
    try requireShapeOperand(shape, named: "output_shape", count: resultType.rank)  // (C2)
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let type = resultType.elementType
    return [
      Literal.gathering(type, try extents(operands[0])) { index in
        Scalar.integer(Int64(index[dimension])).converted(from: .i64, to: type)
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .dynamicIota(DynamicIota(dimension: dimension, resultType: resultType.mappingExtents(replacement)))
  }
}

extension DynamicIota {
  static let text = TextForm(
    DynamicIota(dimension: 0, resultType: .scalar(.i32)),
    "operands `,` `dim` `=` $iota_dimension attr-dict `:` functional-type",
    attributes: [.integer("iota_dimension", \.dimension), .resultType(\.resultType)])
}
