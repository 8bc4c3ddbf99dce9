/// A box of the operand, every `strides`th element along each dimension.
///
/// `%r = stablehlo.slice %x [1:3, 0:8:2] : (tensor<4x8xf32>) -> tensor<2x4xf32>`
public struct Slice: OpDefinition {
  public var starts: [Extent]
  public var limits: [Extent]
  public var strides: [Int]
  public init(starts: [Extent], limits: [Extent], strides: [Int]) {
    self.starts = starts
    self.limits = limits
    self.strides = strides
  }
  public var mnemonic: String { "stablehlo.slice" }
  public var op: Op { .slice(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard starts.count == x.rank, limits.count == x.rank, strides.count == x.rank else {  // (C2)
      throw OpError(
        "\(starts.count) starts, \(limits.count) limits and \(strides.count) strides do not fit the \(x.rank)"
          + " dimensions of \(x.detailedDescription)")
    }
    guard strides.allSatisfy({ $0 > 0 }) else { throw OpError("strides \(strides) are not positive") }  // (C4)
    for d in starts.indices {
      let isOrdered =
        !starts[d].isSurelyNegative && !starts[d].isSurelyGreater(than: limits[d])
        && !limits[d].isSurelyGreater(than: x.dimensions[d])
      guard isOrdered else {  // (C3)
        throw OpError("slice \(starts[d]):\(limits[d]) leaves dimension \(d) of \(x.detailedDescription)")
      }
    }
    let shape = starts.indices.map { d in
      (limits[d] - starts[d] + (strides[d] - 1)).floorDivided(by: Extent(strides[d]))
    }
    return [TensorType(x.elementType, shape)]  // (C1), (C5)
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    starts.map { ExtentOrder(.zero, atMost: $0) } + zip(starts, limits).orders
      + zip(limits, operands[0].dimensions).orders  // (C3)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    var first: [Int] = []
    for d in starts.indices {
      let (start, limit) = (try context.value(of: starts[d]), try context.value(of: limits[d]))
      guard start >= 0, start <= limit, limit <= x.dimensions[d] else {  // (C3)
        throw OpError("slice \(start):\(limit) leaves dimension \(d) of \(x.type)")
      }
      first.append(start)
    }
    return [
      x.moved(to: results[0].dimensions.compactMap(\.fixed)) { index in
        x.position(of: index.indices.map { first[$0] + index[$0] * strides[$0] })
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .movement(Movement(starts.indices.map { d in starts[d] + .variable(d) * strides[d] }))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .slice(Slice(starts: starts.map(replacement), limits: limits.map(replacement), strides: strides))
  }
}

extension Slice {
  static let text = TextForm(
    Slice(starts: [], limits: [], strides: []), "operands slice attr-dict `:` functional-type",
    attributes: [
      .extents("start_indices", \.starts), .extents("limit_indices", \.limits), .integers("strides", \.strides),
    ])
}
