/// `pad` by amounts that operands give (StableHLO spec, "dynamic_pad").
///
/// `%r = stablehlo.dynamic_pad %x, %value, %low, %high, %interior : (tensor<?xf32>, tensor<f32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>`
public struct DynamicPad: OpDefinition {
  public var resultType: TensorType
  public init(resultType: TensorType) { self.resultType = resultType }
  public var mnemonic: String { "stablehlo.dynamic_pad" }
  public var op: Op { .dynamicPad(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 5)
    let (x, value) = (operands[0], operands[1])
    guard value == .scalar(x.elementType), resultType.elementType == x.elementType else {  // (C1)
      throw OpError("dynamic_pad cannot pad \(x) with \(value) to \(resultType)")
    }
    guard resultType.rank == x.rank else {  // (C4)
      throw OpError("dynamic_pad keeps the rank: \(x) does not become \(resultType)")
    }
    let names = ["edge_padding_low", "edge_padding_high", "interior_padding"]
    for (name, type) in zip(names, operands.dropFirst(2)) {
      try requireShapeOperand(type, named: name, count: x.rank)  // (C2)
    }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, value) = (operands[0], operands[1][0])
    let amounts = operands.dropFirst(2).map { $0.scalars.map { Int($0.integerValue) } }
    let (low, high, interior) = (amounts[0], amounts[1], amounts[2])
    guard interior.allSatisfy({ $0 >= 0 }) else { throw OpError("interior_padding \(interior) is negative") }  // (C3)
    let shape = x.dimensions.enumerated().map { d, extent in
      extent + low[d] + max(extent - 1, 0) * interior[d] + high[d]
    }
    guard shape.allSatisfy({ $0 >= 0 }) else {  // (C4)
      throw OpError("dynamic_pad of \(x.type) has the shape \(shape)")
    }
    return [
      Literal.gathering(x.elementType, shape) { index in
        var source = index
        for (d, i) in index.enumerated() {
          let (quotient, rest) = (i - low[d]).quotientAndRemainder(dividingBy: interior[d] + 1)
          guard i >= low[d], rest == 0, quotient < x.dimensions[d] else { return value }
          source[d] = quotient
        }
        return x[source]
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .dynamicPad(DynamicPad(resultType: resultType.mappingExtents(replacement)))
  }
}

extension DynamicPad {
  static let text = TextForm(
    DynamicPad(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}
