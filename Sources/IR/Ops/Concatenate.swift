/// Its operands one after the other along a dimension.
///
/// `%r = stablehlo.concatenate %x, %y, dim = 0 : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<6x3xf32>`
public struct Concatenate: OpDefinition {
  public var dimension: Int
  public init(dimension: Int) { self.dimension = dimension }
  public var mnemonic: String { "stablehlo.concatenate" }
  public var op: Op { .concatenate(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard var result = operands.first else { throw OpError("concatenate takes at least one operand") }  // (C3)
    guard result.dimensions.indices.contains(dimension) else {  // (C4)
      throw OpError("dim \(dimension) is not one of the \(result.rank) dimensions of \(result)")
    }
    for operand in operands.dropFirst() {
      guard operand.elementType == result.elementType else {  // (C1)
        throw OpError("cannot concatenate elements of \(operands[0]) and \(operand)")
      }
      let agrees =
        operand.rank == result.rank
        && result.dimensions.indices.allSatisfy { $0 == dimension || operand.dimensions[$0] == result.dimensions[$0] }
      guard agrees else {  // (C2)
        throw OpError(
          "cannot concatenate \(operands[0].detailedDescription) and \(operand.detailedDescription) along dimension"
            + " \(dimension)")
      }
      result.dimensions[dimension] += operand.dimensions[dimension]  // (C6)
    }
    return [result]  // (C5)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let shape = results[0].dimensions.compactMap(\.fixed)
    // For each position along the dimension, the operand it comes from and the position there.
    var sources: [(operand: Int, place: Int)] = []
    for (k, operand) in operands.enumerated() {
      for place in 0..<operand.dimensions[dimension] { sources.append((k, place)) }
    }
    return [
      Literal.moving(operands, to: shape) { index in
        let (operand, place) = sources[index[dimension]]
        var source = index
        source[dimension] = place
        return (operand, operands[operand].position(of: source))
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    var pieces: [Movement.Piece] = []
    var offset = Extent.zero
    for (k, operand) in operands.enumerated() {
      var index: [IntegerExpression] = operand.dimensions.indices.map { .variable($0) }
      index[dimension] = index[dimension] - offset
      var piece = Movement.Piece(operand: k, index: index)
      if k < operands.count - 1 {
        piece.conditions = [.init(index[dimension], isWithin: operand.dimensions[dimension])]
      }
      pieces.append(piece)
      offset += operand.dimensions[dimension]
    }
    return .movement(Movement(pieces))
  }
}

extension Concatenate {
  static let text = TextForm(
    Concatenate(dimension: 0), "operands `,` `dim` `=` $dimension attr-dict `:` functional-type",
    attributes: [.integer("dimension", \.dimension)])
}
