/// Repeats the operand along new dimensions and along dimensions of extent 1.
///
/// `%r = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>`
///
/// The result's dimensions are an attribute and may be symbolic, so that `dynamic_broadcast_in_dim`
/// whose shape is known as extents becomes this op.
public struct BroadcastInDim: OpDefinition {
  /// For each dimension of the operand, the result's dimension it becomes.
  public var dimensions: [Int]
  public var resultDimensions: [Extent]
  public init(dimensions: [Int], resultDimensions: [Extent]) {
    self.dimensions = dimensions
    self.resultDimensions = resultDimensions
  }
  public var mnemonic: String { "stablehlo.broadcast_in_dim" }
  public var op: Op { .broadcastInDim(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard dimensions.count == x.rank else {  // (C2)
      throw OpError("dims \(dimensions) do not name one dimension for each of \(x)")
    }
    guard dimensions.allSatisfy(resultDimensions.indices.contains) else {  // (C3)
      throw OpError("dims \(dimensions) leave the \(resultDimensions.count) dimensions of the result")
    }
    guard Set(dimensions).count == dimensions.count else {  // (C4)
      throw OpError("dims \(dimensions) name one dimension twice")
    }
    for (extent, dimension) in zip(x.dimensions, dimensions)
    where extent != .one && extent != resultDimensions[dimension] {  // (C5)
      throw OpError("cannot broadcast extent \(extent) to extent \(resultDimensions[dimension])")
    }
    return [TensorType(x.elementType, resultDimensions)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let shape = results[0].dimensions.compactMap(\.fixed)
    if let value = x.splatValue { return [Literal(x.elementType, shape, splat: value)] }
    return [
      x.moved(to: shape) { index in
        x.position(of: zip(dimensions, x.dimensions).map { d, extent in extent == 1 ? 0 : index[d] })
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .movement(
      Movement(
        zip(dimensions, operands[0].dimensions).map { d, extent in
          extent == .one && results[0].dimensions[d] != .one ? .zero : .variable(d)
        }))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.resultDimensions = resultDimensions.map(replacement)
    return .broadcastInDim(copy)
  }
}

extension BroadcastInDim {
  static let text = TextForm(
    "stablehlo.broadcast_in_dim", "operands `,` `dims` `=` $broadcast_dimensions attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let x = try reader.operand(0)
    var op = BroadcastInDim(
      dimensions: try reader.integers("broadcast_dimensions"), resultDimensions: try reader.result().dimensions)
    if !reader.hasExtents {
      for (extent, dimension) in zip(x.dimensions, op.dimensions)
      where op.resultDimensions.indices.contains(dimension) && extent != .one {
        if !op.resultDimensions[dimension].isFixed { op.resultDimensions[dimension] = extent }
      }
    }
    return .broadcastInDim(op)
  } write: { op, writer in
    if case .broadcastInDim(let op) = op { writer.set("broadcast_dimensions", integers: op.dimensions) }
  }
}
