extension Literal {
  /// The row-major position of the element at `index`.
  public func position(of index: [Int]) -> Int {
    var position = 0
    for (i, extent) in zip(index, dimensions) { position = position * extent + i }
    return position
  }

  public subscript(index: [Int]) -> Scalar { self[position(of: index)] }

  /// The literal whose element at each index is what `element` gives for it.
  public static func gathering(_ type: ElementType, _ dimensions: [Int], _ element: ([Int]) -> Scalar) -> Literal {
    Literal(type, dimensions, allIndices(dimensions).map(element))
  }

  /// The same, for elements that may be refused.
  public static func gathering(
    _ type: ElementType, _ dimensions: [Int], throwing element: ([Int]) throws(OpError) -> Scalar
  ) throws(OpError) -> Literal {
    var values: [Scalar] = []
    for index in allIndices(dimensions) { values.append(try element(index)) }
    return Literal(type, dimensions, values)
  }
}

extension Literal {
  /// The literal whose element at each index has the bits of the element of `operands` that `source` names.
  static func moving(
    _ operands: [Literal], to dimensions: [Int], _ source: ([Int]) -> (operand: Int, position: Int)
  ) -> Literal {
    let type = operands[0].elementType
    if operands.count == 1 && operands[0].isSplat { return Literal(type, dimensions, splat: operands[0][0]) }
    let size = type.byteCount
    var bytes: [UInt8] = []
    bytes.reserveCapacity(dimensions.reduce(size, *))
    forEachIndex(dimensions) { index in
      let (operand, position) = source(index)
      let start = operands[operand].isSplat ? 0 : position * size
      bytes.append(contentsOf: operands[operand].bytes[start..<start + size])
    }
    return Literal(type, dimensions, bytes: bytes)
  }

  /// The literal whose element at each index has the bits of this one's element at the position that `source` gives.
  func moved(to dimensions: [Int], from source: ([Int]) -> Int) -> Literal {
    Literal.moving([self], to: dimensions) { index in (0, source(index)) }
  }

  /// The integer element at a row-major position, as an index; what exceeds `Int` saturates.
  func index(at position: Int) -> Int {
    let value = self[position].integerValue
    return elementType == .ui64 && value < 0 ? Int.max : Int(value)
  }
}

/// Calls `visit` with every index of a tensor with these dimensions, in row-major order.
public func forEachIndex<E: Error>(_ dimensions: [Int], _ visit: ([Int]) throws(E) -> Void) throws(E) {
  var index = [Int](repeating: 0, count: dimensions.count)
  for _ in 0..<dimensions.reduce(1, *) {
    try visit(index)
    var d = dimensions.count - 1
    while d >= 0 {
      index[d] += 1
      if index[d] < dimensions[d] { break }
      index[d] = 0
      d -= 1
    }
  }
}

/// Every index of a tensor with these dimensions, in row-major order.
public func allIndices(_ dimensions: [Int]) -> some Sequence<[Int]> {
  let count = dimensions.reduce(1, *)
  return sequence(state: (index: [Int](repeating: 0, count: dimensions.count), left: count)) { state -> [Int]? in
    guard state.left > 0 else { return nil }
    let index = state.index
    state.left -= 1
    var d = dimensions.count - 1
    while d >= 0 {
      state.index[d] += 1
      if state.index[d] < dimensions[d] { break }
      state.index[d] = 0
      d -= 1
    }
    return index
  }
}
