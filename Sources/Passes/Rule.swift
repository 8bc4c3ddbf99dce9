import IR

/// A local identity: what an op on rebuilt operands is equal to, if the rule knows something better.
struct Rule: Sendable {
  let name: String
  /// The better value, or nil where the rule does not apply.
  let rewrite: @Sendable (Op, [ValueID], inout Rebuilder) throws(OpError) -> ValueID?

  init(
    _ name: String, _ rewrite: @escaping @Sendable (Op, [ValueID], inout Rebuilder) throws(OpError) -> ValueID?
  ) {
    self.name = name
    self.rewrite = rewrite
  }
}

extension Rebuilder {
  /// The op of a rebuilt value.
  func op(_ value: ValueID) -> Op { target[value].op }

  /// The literal of a constant.
  func literal(_ value: ValueID) -> Literal? {
    guard case .constant(let constant) = op(value) else { return nil }
    return constant.value
  }

  /// The one element that all elements are equal to, of a constant or of a constant spread over symbolic dimensions.
  func splat(_ value: ValueID) -> Scalar? {
    if case .broadcastInDim = op(value) { return literal(target[value].operands[0])?.splatValue }
    return literal(value)?.splatValue
  }

  /// A tensor of `type` all of whose elements are `value`.
  mutating func constant(_ value: Scalar, _ type: TensorType) throws(OpError) -> ValueID {
    if let dimensions = type.fixedDimensions {
      return try constant(Literal(type.elementType, dimensions, splat: value))
    }
    let scalar = try constant(.scalar(value, type.elementType))
    let spread = BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)
    return try insert(.broadcastInDim(spread), [scalar], types: [type])
  }

  mutating func pointwise(_ function: ScalarFunction, _ operands: [ValueID]) throws(OpError) -> ValueID {
    try append(.pointwise(function), operands)
  }

  /// The value under other dimensions.
  mutating func reshaped(_ value: ValueID, to dimensions: [Extent]) throws(OpError) -> ValueID {
    try append(.reshape(Reshape(resultDimensions: dimensions)), [value])
  }
}
