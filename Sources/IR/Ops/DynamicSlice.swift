/// A box of the operand whose corner is known only at run time; a corner from which it would leave the operand is moved.
///
/// `%r = stablehlo.dynamic_slice %x, %i, %j, sizes = [2, 2] : (tensor<4x4xf32>, tensor<i64>, tensor<i64>) -> tensor<2x2xf32>`
///
/// Operands: the operand, then a scalar start index for each dimension.
public struct DynamicSlice: OpDefinition {
  public var sliceExtents: [Extent]
  public init(sliceExtents: [Extent]) { self.sliceExtents = sliceExtents }
  public var mnemonic: String { "stablehlo.dynamic_slice" }
  public var op: Op { .dynamicSlice(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard let x = operands.first else { throw OpError("dynamic_slice takes an operand and its start indices") }
    let starts = operands.dropFirst()
    guard starts.count == x.rank, sliceExtents.count == x.rank else {  // (C2)
      throw OpError(
        "\(starts.count) start indices and \(sliceExtents.count) sizes do not fit the \(x.rank) dimensions of \(x)")
    }
    try requireStartIndices(Array(starts))  // (C3)
    for (d, extent) in sliceExtents.enumerated()
    where extent.isSurelyNegative || extent.isSurelyGreater(than: x.dimensions[d]) {  // (C4)
      throw OpError("a slice of \(extent) elements leaves dimension \(d) of \(x.detailedDescription)")
    }
    return [TensorType(x.elementType, sliceExtents)]  // (C1), (C5)
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    zip(sliceExtents, operands[0].dimensions).orders  // (C4)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let shape = results[0].dimensions.compactMap(\.fixed)
    let starts = try clampedStarts(operands.dropFirst(), slice: shape, of: x.dimensions)
    return [
      x.moved(to: shape) { index in x.position(of: zip(starts, index).map { $0 + $1 }) }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    let x = operands[0]
    return .movement(
      Movement(
        sliceExtents.indices.map { d in
          let start = IntegerExpression(.element(operand: 1 + d, index: []))
          return start.clamped(to: x.dimensions[d] - sliceExtents[d]) + .variable(d)
        }))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .dynamicSlice(DynamicSlice(sliceExtents: sliceExtents.map(replacement)))
  }
}

/// The operand with a box of it replaced by an update; a corner from which the box would leave the operand is moved.
///
/// `%r = stablehlo.dynamic_update_slice %x, %u, %i : (tensor<4xf32>, tensor<2xf32>, tensor<i64>) -> tensor<4xf32>`
///
/// Operands: the operand, the update, then a scalar start index for each dimension.
public struct DynamicUpdateSlice: OpDefinition {
  public init() {}
  public var mnemonic: String { "stablehlo.dynamic_update_slice" }
  public var op: Op { .dynamicUpdateSlice(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.count >= 2 else {
      throw OpError("dynamic_update_slice takes an operand, an update and start indices")
    }
    let (x, update, starts) = (operands[0], operands[1], operands.dropFirst(2))
    guard x.elementType == update.elementType else {  // (C2)
      throw OpError("cannot update \(x) with elements of \(update)")
    }
    guard x.rank == update.rank else {  // (C3)
      throw OpError("an update \(update) has not the rank of \(x)")
    }
    guard starts.count == x.rank else {  // (C4)
      throw OpError("\(starts.count) start indices do not fit the \(x.rank) dimensions of \(x)")
    }
    try requireStartIndices(Array(starts))  // (C5)
    for d in x.dimensions.indices where update.dimensions[d].isSurelyGreater(than: x.dimensions[d]) {  // (C6)
      throw OpError(
        "an update \(update.detailedDescription) leaves dimension \(d) of \(x.detailedDescription)")
    }
    return [x]  // (C1)
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    zip(operands[1].dimensions, operands[0].dimensions).orders  // (C6)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, update) = (operands[0], operands[1])
    let starts = try clampedStarts(operands.dropFirst(2), slice: update.dimensions, of: x.dimensions)
    return [
      Literal.moving([x, update], to: x.dimensions) { index in
        let inUpdate = zip(index, starts).map { $0 - $1 }
        let isInside = zip(inUpdate, update.dimensions).allSatisfy { $0 >= 0 && $0 < $1 }
        return isInside ? (1, update.position(of: inUpdate)) : (0, x.position(of: index))
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    let (x, update) = (operands[0], operands[1])
    var piece = Movement.Piece(operand: 1, index: [])
    for d in x.dimensions.indices {
      let start = IntegerExpression(.element(operand: 2 + d, index: []))
      let place = .variable(d) - start.clamped(to: x.dimensions[d] - update.dimensions[d])
      piece.index.append(place)
      if x.dimensions[d] != update.dimensions[d] {
        piece.conditions.append(.init(place, isWithin: update.dimensions[d]))
      }
    }
    if piece.conditions.isEmpty { return .movement(Movement([piece])) }
    return .movement(Movement([piece] + Movement.identity(rank: x.rank).pieces))
  }
}

extension OpDefinition {
  /// Throws unless all are scalars of one integer type.
  fileprivate func requireStartIndices(_ starts: [TensorType]) throws(OpError) {
    for start in starts {
      guard start.isScalar, start.elementType.isInteger, start == starts[0] else {
        let types = starts.map(\.description).joined(separator: ", ")
        throw OpError("start indices \(types) are not scalars of one integer type")
      }
    }
  }

  /// The start indices, moved so that a slice of these extents stays inside a tensor of those.
  fileprivate func clampedStarts(_ starts: ArraySlice<Literal>, slice: [Int], of extents: [Int]) throws(OpError)
    -> [Int]
  {
    var clamped: [Int] = []
    for (d, start) in starts.enumerated() {
      guard slice[d] <= extents[d] else {
        throw OpError("a slice of \(slice[d]) elements leaves dimension \(d) of extent \(extents[d])")
      }
      clamped.append(min(max(start.index(at: 0), 0), extents[d] - slice[d]))
    }
    return clamped
  }
}

extension IntegerExpression {
  /// The value limited to 0 … `last`.
  func clamped(to last: Self) -> Self { last == .zero ? .zero : .maximum(.zero, .minimum(self, last)) }
}

extension DynamicSlice {
  static let text = TextForm(
    DynamicSlice(sliceExtents: []), "operands `,` `sizes` `=` $slice_sizes attr-dict `:` functional-type",
    attributes: [.extents("slice_sizes", \.sliceExtents)])
}

extension DynamicUpdateSlice {
  static let text = TextForm(DynamicUpdateSlice(), "operands attr-dict `:` functional-type")
}
