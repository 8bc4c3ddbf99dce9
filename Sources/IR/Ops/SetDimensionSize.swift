/// The first elements of an operand along a dimension, as many as a scalar says (StableHLO spec, "set_dimension_size").
///
/// The result's extent is a symbol that no argument decides: it gets its value here, when the program runs. Where `extent` is
/// another expression, the scalar must be equal to it. A scalar that is negative or more than the operand's extent ends the run.
///
/// `%r = stablehlo.set_dimension_size %x, %count, dim = 0 : (tensor<80x4xf32>, tensor<i64>) -> tensor<?x4xf32>`
public struct SetDimensionSize: OpDefinition {
  public var dimension: Int
  /// The result's extent along the dimension.
  public var extent: Extent

  public init(dimension: Int, extent: Extent) {
    self.dimension = dimension
    self.extent = extent
  }

  public var mnemonic: String { "stablehlo.set_dimension_size" }
  public var op: Op { .setDimensionSize(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    var type = operands[0]
    guard type.dimensions.indices.contains(dimension) else {  // (C2)
      throw OpError("dimension \(dimension) leaves the \(type.rank) dimensions of \(type.detailedDescription)")
    }
    guard operands[1].isScalar, operands[1].elementType.isInteger else {
      throw OpError("the size of set_dimension_size is an integer, not \(operands[1].detailedDescription)")
    }
    if let size = extent.fixed, size < 0 || size > type.dimensions[dimension].fixed ?? .max {
      throw OpError("set_dimension_size cannot make \(size) elements of the \(type.dimensions[dimension]) of \(type)")
    }
    type.dimensions[dimension] = extent
    return [type]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, size) = (operands[0], Int(clamping: operands[1][0].integerValue))
    guard size >= 0, size <= x.dimensions[dimension] else {
      throw OpError("set_dimension_size to \(size) of \(x.dimensions[dimension]) elements")
    }
    if let expected = results[0].dimensions[dimension].fixed, expected != size {
      throw OpError("set_dimension_size to \(size), expected \(extent) = \(expected)")
    }
    var shape = x.dimensions
    shape[dimension] = size
    return [Literal.gathering(x.elementType, shape) { x[$0] }]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .setDimensionSize(SetDimensionSize(dimension: dimension, extent: replacement(extent)))
  }
}

extension SetDimensionSize {
  static let text = TextForm(
    "stablehlo.set_dimension_size", "operands `,` `dim` `=` $dimension attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let (dimension, type) = (try reader.integer("dimension"), try reader.result())
    guard type.dimensions.indices.contains(dimension) else {
      throw OpError("dimension \(dimension) leaves the \(type.rank) dimensions of \(type.detailedDescription)")
    }
    return .setDimensionSize(SetDimensionSize(dimension: dimension, extent: type.dimensions[dimension]))
  } write: { op, writer in
    if case .setDimensionSize(let op) = op { writer.set("dimension", .integer(Int64(op.dimension), "i64")) }
  }
}
