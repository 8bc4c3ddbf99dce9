/// `slice` from starts to limits in steps that operands give (StableHLO dialect, "real_dynamic_slice").
///
/// `%r = stablehlo.real_dynamic_slice %x, %start, %limit, %step : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>`
public struct RealDynamicSlice: OpDefinition {
  public var resultType: TensorType
  public init(resultType: TensorType) { self.resultType = resultType }
  public var mnemonic: String { "stablehlo.real_dynamic_slice" }
  public var op: Op { .realDynamicSlice(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 4)
    let x = operands[0]
    guard resultType.rank == x.rank, resultType.elementType == x.elementType else {
      throw OpError("real_dynamic_slice keeps rank and element type: \(x) does not become \(resultType)")
    }
    for (name, type) in zip(["start_indices", "limit_indices", "strides"], operands.dropFirst()) {
      try requireShapeOperand(type, named: name, count: x.rank)
    }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let lists = operands.dropFirst().map { $0.scalars.map { Int($0.integerValue) } }
    let (starts, limits, strides) = (lists[0], lists[1], lists[2])
    for (d, extent) in x.dimensions.enumerated() {
      guard starts[d] >= 0, starts[d] <= limits[d], limits[d] <= extent, strides[d] > 0 else {
        throw OpError("real_dynamic_slice from \(starts) to \(limits) in steps of \(strides) leaves \(x.type)")
      }
    }
    let shape = x.dimensions.indices.map { (limits[$0] - starts[$0] + strides[$0] - 1) / strides[$0] }
    return [
      Literal.gathering(x.elementType, shape) { index in
        x[index.enumerated().map { d, i in starts[d] + i * strides[d] }]
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .realDynamicSlice(RealDynamicSlice(resultType: resultType.mappingExtents(replacement)))
  }
}

extension RealDynamicSlice {
  static let text = TextForm(
    RealDynamicSlice(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}
