/// Applies a scalar function to the operands' elements, position by position.
///
/// `%r = stablehlo.add %x, %y : tensor<4x2xf32>`
public struct Pointwise: OpDefinition {
  public var function: ScalarFunction
  public init(_ function: ScalarFunction) { self.function = function }
  public var mnemonic: String { function.mnemonic }
  public var op: Op { .pointwise(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let element = try function.resultType(operands.map(\.elementType))
    for operand in operands.dropFirst() where operand.dimensions != operands[0].dimensions {
      throw OpError(
        "\(mnemonic) needs operands with the same dimensions, not \(operands[0].detailedDescription)"
          + " and \(operand.detailedDescription)")
    }
    return [operands[0].with(element)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let elements = operands.map(\.scalars)
    let types = operands.map(\.elementType)
    let type = results[0].elementType
    var values: [Scalar] = []
    values.reserveCapacity(operands[0].elementCount)
    for position in 0..<operands[0].elementCount {
      values.append(try function.evaluate(elements.map { $0[position] }, types, type))
    }
    return [Literal(type, operands[0].dimensions, values)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .pointwise(function) }
}

extension Op {
  /// The op that applies `function` to each position.
  public static func pointwise(_ function: ScalarFunction) -> Op { .pointwise(Pointwise(function)) }
}
