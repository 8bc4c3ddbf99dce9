/// Folds whole dimensions of its inputs with a body.
///
/// `%r = stablehlo.reduce(%x init: %c) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>`
///
/// Operands: the inputs, then as many scalar initial values.
public struct Reduce: OpDefinition {
  public var dimensions: [Int]
  /// Parameters: accumulators, then elements; all scalars.
  public var body: Graph
  public init(dimensions: [Int], body: Graph) {
    self.dimensions = dimensions
    self.body = body
  }
  public var mnemonic: String { "stablehlo.reduce" }
  public var op: Op { .reduce(self) }
  public var regions: [Graph] { [body] }
  public func withRegions(_ regions: [Graph]) -> Op { .reduce(Reduce(dimensions: dimensions, body: regions[0])) }
  /// A fold of several inputs has several results.
  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.count >= 2, operands.count % 2 == 0 else {
      throw OpError("reduce takes as many initial values as inputs, not \(operands.count) operands")  // (C3)
    }
    let inputs = Array(operands.prefix(operands.count / 2))
    let shape = inputs[0].dimensions
    guard inputs.allSatisfy({ $0.dimensions == shape }) else {  // (C1)
      throw OpError("reduce needs inputs with the same dimensions")
    }
    for (input, initial) in zip(inputs, operands.suffix(inputs.count)) where initial != .scalar(input.elementType) {
      throw OpError("cannot start a fold of \(input) from \(initial)")  // (C2)
    }
    guard dimensions.isDistinct, dimensions.areDimensions(ofRank: shape.count) else {  // (C4), (C5)
      throw OpError("dimensions \(dimensions) are not distinct dimensions of \(inputs[0].detailedDescription)")
    }
    let kept = shape.indices.filter { !dimensions.contains($0) }.map { shape[$0] }
    try body.requireFold(of: inputs.map(\.elementType), in: mnemonic)  // (C6)
    return body.resultTypes.map { TensorType($0.elementType, kept) }  // (C7), (C8)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let inputs = operands.prefix(operands.count / 2)
    let elements = inputs.map(\.scalars)
    let initial = operands.suffix(operands.count / 2).map { $0[0] }
    let fold = ElementFunction(body, in: context)
    let shape = inputs[0].dimensions
    let kept = shape.indices.filter { !dimensions.contains($0) }
    let reduced = Array(allIndices(dimensions.map { shape[$0] }))
    var columns = [[Scalar]](repeating: [], count: inputs.count)
    for index in allIndices(kept.map { shape[$0] }) {
      var source = [Int](repeating: 0, count: shape.count)
      for (k, d) in kept.enumerated() { source[d] = index[k] }
      var accumulators = initial
      for r in reduced {
        for (k, d) in dimensions.enumerated() { source[d] = r[k] }
        let position = operands[0].position(of: source)
        accumulators = try fold(accumulators + elements.map { $0[position] })
      }
      for (i, accumulator) in accumulators.enumerated() { columns[i].append(accumulator) }
    }
    return zip(columns, results).map { column, type in
      Literal(type.elementType, kept.map { shape[$0] }, column)
    }
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .reduction(Reduction(dimensions: dimensions.sorted(), body: body))
  }
}

extension Reduce {
  static let text = TextForm(
    Reduce(dimensions: [], body: Graph()), "reduce",
    attributes: [.integers("dimensions", \.dimensions), .region(0, \.body)])
}
