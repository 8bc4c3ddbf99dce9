/// Counts from 0 along one dimension.
///
/// `%r = stablehlo.iota dim = 0 : tensor<3xi32>`
public struct Iota: OpDefinition {
  public var dimension: Int
  public var resultType: TensorType
  public init(dimension: Int, resultType: TensorType) {
    self.dimension = dimension
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.iota" }
  public var op: Op { .iota(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 0)
    guard resultType.dimensions.indices.contains(dimension) else {  // (C1)
      throw OpError("dim \(dimension) is not one of the \(resultType.rank) dimensions of \(resultType)")
    }
    guard !resultType.elementType.isBoolean else { throw OpError("iota counts in numbers, not in i1") }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let shape = results[0].dimensions.compactMap(\.fixed)
    let type = resultType.elementType
    return [
      Literal.gathering(type, shape) { index in
        Scalar.integer(Int64(index[dimension])).converted(from: .i64, to: type)
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .position(.variable(dimension))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.resultType.dimensions = resultType.dimensions.map(replacement)
    return .iota(copy)
  }
}

extension Iota {
  static let text = TextForm(
    Iota(dimension: 0, resultType: .scalar(.i32)), "`dim` `=` $iota_dimension attr-dict `:` result-types",
    attributes: [.integer("iota_dimension", \.dimension), .resultType(\.resultType)])
}
