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
