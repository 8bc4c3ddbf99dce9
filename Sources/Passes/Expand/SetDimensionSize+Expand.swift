import IR

extension SetDimensionSize {
  /// Fewer elements along the first dimension, where those that stay are the first ones in memory too.
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let rank = c.type(operands[0]).rank
    let order = [dimension] + (0..<rank).filter { $0 != dimension }
    let inverse = (0..<rank).compactMap { order.firstIndex(of: $0) }
    let x = try c.append(.transpose(Transpose(permutation: order)), operands[0])
    let fewer = try c.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: extent)), x, operands[1])
    return [try c.append(.transpose(Transpose(permutation: inverse)), fewer)]
  }
}
