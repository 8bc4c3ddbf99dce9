package import IR

/// Integer arithmetic while the graph is read: what makes shapes out of `Shape`, `Gather`, `Concat` and their like.
extension GraphBuilder {
  /// `function` of known elements, broadcast against each other; nil where an element is not known.
  package mutating func folded(
    _ x: Value, _ y: Value, _ result: ElementType, _ function: ExtentArithmetic.Binary
  ) -> Value? {
    guard let a = content(of: x), let b = content(of: y) else { return nil }
    guard let shape = try? broadcastShape([x, y]), let dimensions = TensorType(result, shape).fixedDimensions,
      dimensions.reduce(1, *) <= Self.contentLimit
    else { return nil }
    var content: [Extent] = []
    for index in allIndices(dimensions) {
      let left = a[position(of: index, in: x)]
      let right = b[position(of: index, in: y)]
      guard let value = function(&arithmetic, left, right), fits(value, result) else { return nil }
      content.append(value)
    }
    return known(content, result, dimensions)
  }

  /// `function` of each known element.
  package mutating func folded(
    _ x: Value, _ result: ElementType, _ function: (inout ExtentArithmetic, Extent) -> Extent?
  )
    -> Value?
  {
    guard let a = content(of: x), let dimensions = x.type.fixedDimensions else { return nil }
    var content: [Extent] = []
    for element in a {
      guard let value = function(&arithmetic, element), fits(value, result) else { return nil }
      content.append(value)
    }
    return known(content, result, dimensions)
  }

  /// A known vector folded to its one result; nil where another dimension is folded, or the result is not known.
  package mutating func folded(
    _ x: Value, _ axes: [Int], keep: Bool, _ function: ExtentArithmetic.Binary
  ) -> Value? {
    guard x.rank == 1, axes == [0], let content = content(of: x), let first = content.first else { return nil }
    var result: Extent? = first
    for element in content.dropFirst() { result = result.flatMap { function(&arithmetic, $0, element) } }
    return result.map { known([$0], x.element, keep ? [1] : []) }
  }

  /// Elements chosen from a known value: `position` gives the row-major position for each index of the result.
  package mutating func rearranged(_ x: Value, _ dimensions: [Int], _ position: ([Int]) -> Int) -> Value? {
    guard let a = content(of: x) else { return nil }
    var content: [Extent] = []
    for index in allIndices(dimensions) { content.append(a[position(index)]) }
    return known(content, x.element, dimensions)
  }

  private func fits(_ value: Extent, _ element: ElementType) -> Bool {
    guard let fixed = value.fixed else { return element.isInteger }
    return element.wrapped(Int64(fixed)) == Int64(fixed)
  }

  /// The row-major position in `x`, which broadcasts to a shape, of the element at `index` of that shape.
  private func position(of index: [Int], in x: Value) -> Int {
    var position = 0
    for (i, extent) in zip(index.suffix(x.rank), x.shape) {
      let fixed = extent.fixed ?? 1
      position = position * fixed + (fixed == 1 ? 0 : i)
    }
    return position
  }
}
