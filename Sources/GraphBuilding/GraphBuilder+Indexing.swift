package import IR

/// Parts of tensors at positions that are data.
extension GraphBuilder {
  /// The parts of `x` along `axis` at `indices`, whose dimensions take the axis's place; negative ones count from the end.
  package mutating func take(_ x: Value, _ indices: Value, axis: Int) throws(OpError) -> Value {
    let extent = x.shape[axis]
    if let positions = content(of: indices), let dimensions = indices.type.fixedDimensions {
      let counted = positions.map { arithmetic.isNonNegative($0) ? $0 : extent + $0 }
      for position in counted {
        if let fixed = position.fixed, fixed < 0 || extent.fixed.map({ fixed >= $0 }) ?? false {
          throw OpError("index \(fixed) lies outside of dimension \(axis) of \(x.type)")
        }
      }
      if x.rank == 1, content(of: x) != nil, counted.allSatisfy(\.isFixed) {
        if let known = rearranged(
          x, dimensions,
          { index in
            var position = 0
            for (i, extent) in zip(index, dimensions) { position = position * extent + i }
            return counted[position].fixed ?? 0
          })
        {
          return known
        }
      }
      if counted.count == 1 {
        let part = try slice(x, axis: axis, counted[0], counted[0] + 1)
        var shape = x.shape
        shape.replaceSubrange(axis...axis, with: indices.shape)
        return try reshape(part, shape)
      }
    }
    let counted = try countedFromFront(unsqueeze(indices, indices.rank), [extent])
    let x = try takeable(x, [axis])
    var sliceExtents = x.shape
    sliceExtents[axis] = .one
    let gather = Gather(
      offsetDims: Array(0..<axis) + (axis..<x.rank - 1).map { $0 + indices.rank }, collapsedSliceDims: [axis],
      startIndexMap: [axis], indexVectorDim: indices.rank, sliceExtents: sliceExtents)
    return try emit(.gather(gather), [x, counted])
  }

  /// The elements of a line at positions that lie on it.
  package mutating func elements(of line: Value, at positions: Value) throws(OpError) -> Value {
    let gather = Gather(
      offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: positions.rank, sliceExtents: [.one])
    return try emit(.gather(gather), [line, positions])
  }

  /// Index vectors (the last dimension) whose negative components count from the end of `extents`.
  package mutating func countedFromFront(_ indices: Value, _ extents: [Extent]) throws(OpError) -> Value {
    if let content = content(of: indices), content.allSatisfy({ arithmetic.isNonNegative($0) }) { return indices }
    if indices.element.kind == .unsigned { return indices }
    var ends: [Value] = []
    for extent in extents { ends.append(try unsqueeze(scalar(of: extent, indices.element), 0)) }
    let limits = try concatenate(ends, axis: 0)
    return try select(compare(.less, indices, 0), add(indices, limits), indices)
  }

  /// The index vector of every element that `indices` names along `axis`, where the other positions are its own.
  package mutating func points(_ indices: Value, axis: Int, in x: Value) throws(OpError) -> Value {
    let shape = indices.shape + [.one]
    let along = try countedFromFront(reshape(indices, shape), [x.shape[axis]])
    var parts: [Value] = []
    for d in indices.shape.indices { parts.append(d == axis ? along : try iota(along.element, shape, axis: d)) }
    return try concatenate(parts, axis: indices.rank)
  }

  /// The parts of `x` at index vectors, which are the last dimension of `points` and name leading dimensions of `x`.
  package mutating func gather(_ x: Value, at points: Value) throws(OpError) -> Value {
    let depth = points.shape[points.rank - 1].fixed ?? 0
    let batch = points.rank - 1
    let x = try takeable(x, Array(0..<depth))
    let sliceExtents = [Extent](repeating: .one, count: depth) + x.shape[depth...]
    let gather = Gather(
      offsetDims: Array(batch..<batch + x.rank - depth), collapsedSliceDims: Array(0..<depth),
      startIndexMap: Array(0..<depth), indexVectorDim: batch, sliceExtents: sliceExtents)
    return try emit(.gather(gather), [x, points])
  }

  /// `x`, of which one element could be taken along these axes: of what is empty nothing is taken, but there has to be something
  /// that could be.
  private mutating func takeable(_ x: Value, _ axes: [Int]) throws(OpError) -> Value {
    let missing = x.shape.indices.map { Extent(axes.contains($0) && x.shape[$0] == .zero ? 1 : 0) }
    return try pad(x, scalar(.zero(x.element), x.element), low: missing.map { _ in .zero }, high: missing)
  }

  /// `x` with `updates` put at index vectors, or combined with what is there.
  package mutating func scatter(
    _ updates: Value, into x: Value, at points: Value, _ function: ScalarFunction?
  ) throws(OpError) -> Value {
    let depth = points.shape[points.rank - 1].fixed ?? 0
    let batch = points.rank - 1
    var body = Graph()
    let old = body.addParameter(.scalar(x.element))
    let new = body.addParameter(.scalar(x.element))
    body.results = [function == nil ? new : try body.append(.pointwise(function ?? .add), [old, new])]
    let scatter = Scatter(
      updateWindowDims: Array(batch..<updates.rank), insertedWindowDims: Array(0..<depth),
      scatterDimsToOperandDims: Array(0..<depth), indexVectorDim: batch, body: body)
    return try emit(.scatter(scatter), [x, points, updates])
  }
}
