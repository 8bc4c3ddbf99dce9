/// The operand with a value around it and between its elements; negative padding at the edges removes elements.
///
/// `%r = stablehlo.pad %x, %v, low = [0, 1], high = [2, 1], interior = [1, 0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<5x5xf32>`
///
/// Operands: the operand, then the scalar padding value.
public struct Pad: OpDefinition {
  public var low: [Extent]
  public var high: [Extent]
  public var interior: [Int]
  public init(low: [Extent], high: [Extent], interior: [Int]) {
    self.low = low
    self.high = high
    self.interior = interior
  }
  public var mnemonic: String { "stablehlo.pad" }
  public var op: Op { .pad(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (x, value) = (operands[0], operands[1])
    guard value == .scalar(x.elementType) else {  // (C1)
      throw OpError("cannot pad \(x) with \(value)")
    }
    guard low.count == x.rank, high.count == x.rank, interior.count == x.rank else {  // (C2)
      throw OpError(
        "padding low \(low), high \(high), interior \(interior) does not fit the \(x.rank) dimensions of \(x)")
    }
    guard interior.allSatisfy({ $0 >= 0 }) else { throw OpError("interior padding \(interior) is negative") }  // (C3)
    var shape: [Extent] = []
    for (d, extent) in x.dimensions.enumerated() {  // (C4)
      let edges = (low[d].fixed ?? 0, high[d].fixed ?? 0)
      try WindowDimension(
        extent: .one, paddingLow: edges.0, paddingHigh: edges.1, baseDilation: min(interior[d], .max - 1) + 1
      ).requireReach(base: extent)
      let holes = interior[d] == 0 ? .zero : Extent.maximum(extent - 1, .zero) * interior[d]
      let padded = extent + low[d] + high[d] + holes
      guard !padded.isSurelyNegative else {
        throw OpError("padding removes more elements than dimension \(d) of \(x.detailedDescription) has")
      }
      shape.append(padded)
    }
    return [TensorType(x.elementType, shape)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    var edges: [Int] = []
    for edge in low { edges.append(try context.value(of: edge)) }
    let shape = results[0].dimensions.compactMap(\.fixed)
    guard shape.allSatisfy({ $0 >= 0 }) else { throw OpError("padding \(x.type) removes more elements than there are") }
    return [
      Literal.moving(operands, to: shape) { index in
        var source = index
        for d in index.indices {
          let (place, hole) = (index[d] - edges[d]).quotientAndRemainder(dividingBy: interior[d] + 1)
          guard index[d] >= edges[d], hole == 0, place < x.dimensions[d] else { return (1, 0) }
          source[d] = place
        }
        return (0, x.position(of: source))
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    let (x, result) = (operands[0], results[0])
    func bound(_ atom: IntegerExpression.Atom) -> Extent? {
      if case .variable(let k) = atom { return result.dimensions[k] }
      return nil
    }
    var piece = Movement.Piece(operand: 0, index: [])
    for (d, extent) in x.dimensions.enumerated() {
      let place = .variable(d) - low[d]
      let step = Extent(interior[d] + 1)
      piece.index.append(place.floorDivided(by: step, bound: bound))
      if interior[d] > 0 { piece.conditions.append(.init(place.modulo(step, bound: bound), isWithin: .one)) }
      if !piece.index[d].isWithin(extent, bound: bound) {
        piece.conditions.append(.init(piece.index[d], isWithin: extent))
      }
    }
    if piece.conditions.isEmpty { return .movement(Movement([piece])) }
    return .movement(Movement([piece, .init(operand: 1, index: [])]))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .pad(Pad(low: low.map(replacement), high: high.map(replacement), interior: interior))
  }
}

extension Pad {
  static let text = TextForm(
    Pad(low: [], high: [], interior: []),
    "operands `,` `low` `=` $edge_padding_low `,` `high` `=` $edge_padding_high `,` `interior` `=` $interior_padding "
      + "attr-dict `:` functional-type",
    attributes: [
      .extents("edge_padding_low", \.low), .extents("edge_padding_high", \.high),
      .integers("interior_padding", \.interior),
    ])
}
