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

  /// The one element that all elements of a constant are equal to.
  func splat(_ value: ValueID) -> Scalar? { literal(value)?.splatValue }

  mutating func pointwise(_ function: ScalarFunction, _ operands: [ValueID]) throws(OpError) -> ValueID {
    try append(.pointwise(function), operands)
  }

  /// The value under other dimensions.
  mutating func reshaped(_ value: ValueID, to dimensions: [Extent]) throws(OpError) -> ValueID {
    try append(.reshape(Reshape(resultDimensions: dimensions)), [value])
  }
}
