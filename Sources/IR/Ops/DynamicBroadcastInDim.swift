/// `broadcast_in_dim` to dimensions that an operand gives (StableHLO spec, "dynamic_broadcast_in_dim").
///
/// `%r = stablehlo.dynamic_broadcast_in_dim %x, %shape, dims = [1] : (tensor<3xf32>, tensor<2xi32>) -> tensor<?x3xf32>`
public struct DynamicBroadcastInDim: OpDefinition {
  public var dimensions: [Int]
  public var resultType: TensorType
  public init(dimensions: [Int], resultType: TensorType) {
    self.dimensions = dimensions
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.dynamic_broadcast_in_dim" }
  public var op: Op { .dynamicBroadcastInDim(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let x = operands[0]
    guard x.elementType == resultType.elementType else {  // (C1)
      throw OpError("dynamic_broadcast_in_dim keeps the element type: \(x) does not become \(resultType)")
    }
    guard dimensions.count == x.rank else {  // (C2)
      throw OpError("dims \(dimensions) do not name one dimension for each of \(x)")
    }
    guard dimensions.allSatisfy(resultType.dimensions.indices.contains) else {  // (C3)
      throw OpError("dims \(dimensions) leave the \(resultType.rank) dimensions of the result")
    }
    guard Set(dimensions).count == dimensions.count else {  // (C4)
      throw OpError("dims \(dimensions) name one dimension twice")
    }
    for (extent, dimension) in zip(x.dimensions, dimensions) {
      guard let from = extent.fixed, let to = resultType.dimensions[dimension].fixed else { continue }
      guard from == 1 || from == to else { throw OpError("cannot broadcast extent \(from) to extent \(to)") }  // (C5)
    }
    try requireShapeOperand(operands[1], named: "output_dimensions", count: resultType.rank)  // (C7)
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let shape = try extents(operands[1]).map { Extent($0) }
    let broadcast = BroadcastInDim(dimensions: dimensions, resultDimensions: shape)
    let types = try broadcast.inferTypes([operands[0].type])
    return try broadcast.evaluate([operands[0]], results: types, in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    let type = resultType.mappingExtents(replacement)
    return .dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: dimensions, resultType: type))
  }
}

extension DynamicBroadcastInDim {
  static let text = TextForm(
    DynamicBroadcastInDim(dimensions: [], resultType: .scalar(.f32)),
    "operands `,` `dims` `=` $broadcast_dimensions attr-dict `:` functional-type",
    attributes: [.integers("broadcast_dimensions", \.dimensions), .resultType(\.resultType)])
}
