import IR

extension KernelBuilder {
  /// The index in `extents` of a row-major position that is less than their product.
  func unflattened(_ position: IntegerExpression, in extents: [Extent]) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: extents.count)
    var rest = position
    for d in extents.indices.reversed() where extents[d] != .one {
      index[d] = d == 0 ? rest : rest.modulo(extents[d], bound: { bound(of: $0) })
      rest = rest.floorDivided(by: extents[d], bound: { bound(of: $0) })
    }
    return index
  }

  /// The value of an expression, computed once, here.
  mutating func position(_ expression: IntegerExpression, in bound: Extent? = nil) -> IntegerExpression {
    expression.isFixed ? expression : index(of: materialize(expression, lanes: 1), bound: bound)
  }

  /// The index in `extents` of a row-major position, each part computed once, here.
  mutating func positions(of position: IntegerExpression, in extents: [Extent]) -> [IntegerExpression] {
    var index = unflattened(position, in: extents)
    for d in extents.indices.reversed() { index[d] = self.position(index[d], in: extents[d]) }
    return index
  }
}
