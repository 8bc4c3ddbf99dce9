import GraphBuilding
import IR

extension Tensor {
  /// The same elements in other dimensions; one of them may be -1, which is what the others leave.
  public func reshaped(to dimensions: [TensorDimension]) -> Tensor {
    map { (g, x) throws(OpError) in
      try g.reshape(x, g.reshapedShape(of: x, dimensions.map(\.extent), keepsZeros: true))
    }
  }

  public func reshaped(to dimensions: TensorDimension...) -> Tensor { reshaped(to: dimensions) }

  /// The elements in one dimension.
  public func flattened() -> Tensor { reshaped(to: -1) }

  /// The elements with the dimensions from one on made one.
  public func flattened(from axis: Int) -> Tensor {
    map { (g, x) throws(OpError) in
      let axis = try x.axis(axis)
      return try g.reshape(x, Array(x.shape[..<axis]) + [x.shape[axis...].reduce(.one) { $0 * $1 }])
    }
  }

  public func expandingDimension(at axis: Int) -> Tensor {
    map { (g, x) throws(OpError) in
      guard (-x.rank - 1...x.rank).contains(axis) else { throw OpError("\(x.type) gets no dimension at \(axis)") }
      return try g.unsqueeze(x, axis < 0 ? axis + x.rank + 1 : axis)
    }
  }

  /// The tensor without a dimension of extent 1.
  public func squeezed(at axis: Int) -> Tensor {
    map { (g, x) throws(OpError) in
      let axis = try x.axis(axis)
      guard x.shape[axis] == .one else { throw OpError("dimension \(axis) of \(x.type.detailedDescription) is not 1") }
      return try g.squeeze(x, axis)
    }
  }

  /// The elements repeated to a shape, aligned at the last dimension.
  public func broadcast(to shape: [TensorDimension]) -> Tensor {
    map { (g, x) throws(OpError) in try g.broadcast(x, to: shape.map(\.extent)) }
  }

  /// The last two dimensions exchanged.
  public func transposed() -> Tensor {
    map { (g, x) throws(OpError) in
      guard x.rank >= 2 else { throw OpError("a matrix is transposed, not \(x.type.detailedDescription)") }
      return try g.transpose(x, Array(0..<x.rank - 2) + [x.rank - 1, x.rank - 2])
    }
  }

  /// TensorDimension `i` of the result is dimension `permutation[i]`.
  public func transposed(permutation: [Int]) -> Tensor {
    map { (g, x) throws(OpError) in
      var counted: [Int] = []
      for axis in permutation { counted.append(try x.axis(axis)) }
      return try g.transpose(x, counted)
    }
  }

  public func transposed(permutation: Int...) -> Tensor { transposed(permutation: permutation) }

  public func reversed(along axes: Int...) -> Tensor {
    map { (g, x) throws(OpError) in try g.reverse(x, x.axes(axes)) }
  }

  /// The tensor repeated along each dimension.
  public func tiled(_ counts: [TensorDimension]) -> Tensor {
    map { (g, x) throws(OpError) in try g.tile(x, counts.map(\.extent)) }
  }

  /// The tensor with `value` before and behind it along each dimension.
  public func padded(_ sizes: [(before: Int, after: Int)], with value: Scalar) -> Tensor {
    combined(with: Tensor(value)) { (g, x, value) throws(OpError) in
      guard sizes.count == x.rank else {
        throw OpError("\(sizes.count) sizes for the dimensions of \(x.type.detailedDescription)")
      }
      return try g.pad(x, value, low: sizes.map { Extent($0.before) }, high: sizes.map { Extent($0.after) })
    }
  }

  /// Parts of equal extent along an axis.
  public func split(count: Int, along axis: Int = 0) -> [Tensor] {
    results(of: [storage]) { (g, values) throws(OpError) in
      let x = values[0]
      let axis = try x.axis(axis)
      guard count > 0, let extent = x.shape[axis].fixed, extent % count == 0 else {
        throw OpError("cannot split dimension \(axis) of \(x.type.detailedDescription) into \(count)")
      }
      let step = extent / count
      var parts: [Value] = []
      for part in 0..<count {
        parts.append(try g.slice(x, axis: axis, Extent(part * step), Extent((part + 1) * step)))
      }
      return parts
    }.map { Tensor($0) }
  }

  /// The upper triangle and the diagonal of matrices, zeros below; `offset` moves the diagonal to the right.
  public func upperTriangle(offset: Int = 0) -> Tensor where Scalar: TensorNumeric { triangle(.lessOrEqual, offset) }
  /// The lower triangle and the diagonal of matrices, zeros above; `offset` moves the diagonal to the right.
  public func lowerTriangle(offset: Int = 0) -> Tensor where Scalar: TensorNumeric { triangle(.greaterOrEqual, offset) }

  private func triangle(_ direction: ComparisonDirection, _ offset: Int) -> Tensor {
    map { (g, x) throws(OpError) in
      guard x.rank >= 2 else { throw OpError("a matrix has triangles, not \(x.type.detailedDescription)") }
      let matrix = Array(x.shape.suffix(2))
      let rows = try g.add(g.iota(.i64, matrix, axis: 0), Double(offset))
      return try g.select(g.compare(direction, rows, g.iota(.i64, matrix, axis: 1)), x, 0)
    }
  }
}

/// Tensors one behind the other along an axis.
public func concatenate<Scalar>(_ tensors: [Tensor<Scalar>], along axis: Int = 0) -> Tensor<Scalar> {
  .of(tensors.map(\.storage)) { (g, values) throws(OpError) in
    guard let first = values.first else { throw OpError("a concatenation needs a tensor") }
    return try g.concatenate(values, axis: first.axis(axis))
  }
}

/// Tensors of one shape one behind the other along a new axis.
public func stack<Scalar>(_ tensors: [Tensor<Scalar>], along axis: Int = 0) -> Tensor<Scalar> {
  concatenate(tensors.map { $0.expandingDimension(at: axis) }, along: axis)
}
