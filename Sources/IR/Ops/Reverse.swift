/// The operand read backwards along some dimensions.
///
/// `%r = stablehlo.reverse %x, dims = [0] : tensor<4x2xf32>`
public struct Reverse: OpDefinition {
  public var dimensions: [Int]
  public init(dimensions: [Int]) { self.dimensions = dimensions }
  public var mnemonic: String { "stablehlo.reverse" }
  public var op: Op { .reverse(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard dimensions.isDistinct else {  // (C2)
      throw OpError("dims \(dimensions) name one dimension twice")
    }
    guard dimensions.areDimensions(ofRank: x.rank) else {  // (C3)
      throw OpError("dims \(dimensions) leave the \(x.rank) dimensions of \(x)")
    }
    return [x]  // (C1)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    return [
      x.moved(to: x.dimensions) { index in
        var source = index
        for d in dimensions { source[d] = x.dimensions[d] - 1 - index[d] }
        return x.position(of: source)
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .movement(
      Movement(
        results[0].dimensions.enumerated().map { d, extent in
          dimensions.contains(d) ? extent - 1 - .variable(d) : .variable(d)
        }))
  }
}

extension Reverse {
  static let text = TextForm(
    Reverse(dimensions: []), "operands `,` `dims` `=` $dimensions attr-dict `:` same-type",
    attributes: [.integers("dimensions", \.dimensions)])
}
