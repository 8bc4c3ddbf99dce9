/// Reorders the dimensions: dimension `d` of the result is dimension `permutation[d]` of the operand.
///
/// `%r = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>`
public struct Transpose: OpDefinition {
  public var permutation: [Int]
  public init(permutation: [Int]) { self.permutation = permutation }
  public var mnemonic: String { "stablehlo.transpose" }
  public var op: Op { .transpose(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard permutation.sorted() == Array(0..<x.rank) else {  // (C2)
      throw OpError("dims \(permutation) are not a permutation of the \(x.rank) dimensions of \(x)")
    }
    return [TensorType(x.elementType, permutation.map { x.dimensions[$0] })]  // (C3)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let shape = permutation.map { x.dimensions[$0] }
    return [
      x.moved(to: shape) { index in
        var source = index
        for (d, p) in permutation.enumerated() { source[p] = index[d] }
        return x.position(of: source)
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    var index = [IntegerExpression](repeating: .zero, count: permutation.count)
    for (d, p) in permutation.enumerated() { index[p] = .variable(d) }
    return .movement(Movement(index))
  }
}

extension Transpose {
  static let text = TextForm(
    Transpose(permutation: []), "operands `,` `dims` `=` $permutation attr-dict `:` functional-type",
    attributes: [.integers("permutation", \.permutation)])
}
