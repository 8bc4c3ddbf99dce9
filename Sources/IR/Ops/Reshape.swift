/// The same elements, in row-major order, with other dimensions.
///
/// `%r = stablehlo.reshape %x : (tensor<2x3xf32>) -> tensor<6xf32>`
public struct Reshape: OpDefinition {
  public var resultDimensions: [Extent]
  public init(resultDimensions: [Extent]) { self.resultDimensions = resultDimensions }
  public var mnemonic: String { "stablehlo.reshape" }
  public var op: Op { .reshape(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    let result = TensorType(x.elementType, resultDimensions)  // (C1)
    try result.checkElementCount()
    guard x.elementCount == result.elementCount else {  // (C2)
      throw OpError(
        "cannot reshape \(x.detailedDescription) with \(x.elementCount) elements to \(result.detailedDescription)"
          + " with \(result.elementCount)")
    }
    return [result]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    [operands[0].reshaped(results[0].dimensions.compactMap(\.fixed))]
  }

  /// Dimensions that stay are plain variables; quotients and remainders appear only where a dimension is split
  /// or dimensions do not line up.
  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .movement(Movement(Self.index(from: results[0].dimensions, into: operands[0].dimensions)))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .reshape(Reshape(resultDimensions: resultDimensions.map(replacement)))
  }

  /// Where the element at `(.variable(0), .variable(1), …)` of a tensor with dimensions `result` lies
  /// in one with dimensions `operand`, both in row-major order.
  ///
  /// `[batch, 12, 32]` into `[batch, 384]` gives `[d0, 32*d1 + d2]`.
  static func index(from result: [Extent], into operand: [Extent]) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: operand.count)
    if (operand + result).contains(.zero) { return index }
    func bound(_ atom: IntegerExpression.Atom) -> Extent? {
      if case .variable(let k) = atom { return result[k] }
      return nil
    }
    // Dimensions of extent 1 only ever have index 0.
    var from = result.indices.filter { result[$0] != .one }[...]
    var into = operand.indices.filter { operand[$0] != .one }[...]
    while !into.isEmpty {
      let (f, i) = aligned(from.map { result[$0] }, into.map { operand[$0] })
      var position = IntegerExpression.zero
      for d in from.prefix(f) { position = position * result[d] + .variable(d) }
      for (place, d) in into.prefix(i).enumerated().reversed() {
        index[d] = place == 0 ? position : position.modulo(operand[d], bound: bound)
        position = position.floorDivided(by: operand[d], bound: bound)
      }
      from = from.dropFirst(f)
      into = into.dropFirst(i)
    }
    return index
  }

  /// The shortest beginnings of both lists whose products are equal; all of both where none are.
  private static func aligned(_ a: [Extent], _ b: [Extent]) -> (Int, Int) {
    var products: [Extent: Int] = [:]
    var product = Extent.one
    for (count, extent) in a.enumerated() {
      product *= extent
      if products[product] == nil { products[product] = count + 1 }
    }
    product = .one
    for (count, extent) in b.enumerated() {
      product *= extent
      if let other = products[product] { return (other, count + 1) }
    }
    return (a.count, b.count)
  }
}

extension Reshape {
  static let text = TextForm("stablehlo.reshape", "operands attr-dict `:` functional-type") {
    (reader) throws(OpError) in
    .reshape(Reshape(resultDimensions: try reader.result().dimensions))
  }
}
