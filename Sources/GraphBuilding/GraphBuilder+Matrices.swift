package import IR

/// Matrices in the last two dimensions: diagonals, triangles, determinants.
extension GraphBuilder {
  /// The number of rows of square matrices, which must be real and of fixed extents.
  package func rowCount(ofSquare a: Value) throws(OpError) -> Int {
    guard a.rank >= 2 else { throw OpError("its input \(a.type) does not hold matrices") }
    guard !a.element.isComplex else { throw .unsupported("complex matrices") }
    guard let rows = a.shape[a.rank - 2].fixed, let columns = a.shape[a.rank - 1].fixed else {
      throw .unsupported("matrices of open extents")
    }
    guard rows == columns else { throw OpError("its input \(a.type) does not hold square matrices") }
    return rows
  }

  /// The diagonals of matrices.
  package mutating func diagonal(of x: Value) throws(OpError) -> Value {
    guard x.rank >= 2 else { throw OpError("its input has \(x.rank) dimensions") }
    guard let rows = x.shape[x.rank - 2].fixed, let columns = x.shape[x.rank - 1].fixed else {
      throw .unsupported("matrices of open extents")
    }
    let count = Extent(min(rows, columns))
    let square = try slice(slice(x, axis: x.rank - 2, 0, count), axis: x.rank - 1, 0, count)
    let lines = try reshape(square, x.shape.dropLast(2) + [count * count])
    if count == .zero { return try slice(lines, axis: x.rank - 2, 0, 0) }
    return try slice(lines, axis: x.rank - 2, 0, count * count, step: min(rows, columns) + 1)
  }

  /// Matrices with zeros below the diagonal, or above it.
  package mutating func triangle(_ x: Value, isLower: Bool) throws(OpError) -> Value {
    let matrix = Array(x.shape.suffix(2))
    let direction: ComparisonDirection = isLower ? .greaterOrEqual : .lessOrEqual
    let isKept = try compare(direction, iota(.i64, matrix, axis: 0), iota(.i64, matrix, axis: 1))
    return try select(isKept, x, scalar(.zero(x.element), x.element))
  }

  /// The matrix with ones on its diagonal.
  package mutating func identity(_ element: ElementType, _ rows: Extent, _ columns: Extent) throws(OpError) -> Value {
    let shape = [rows, columns]
    return try convert(compare(.equal, iota(.i64, shape, axis: 0), iota(.i64, shape, axis: 1)), element)
  }

  /// The diagonals of matrices made triangular by adding rows to others, and whether a row was exchanged there.
  private mutating func pivots(_ x: Value) throws(OpError) -> (diagonal: Value, isExchanged: Value) {
    let a = try convert(x, x.element == .f64 ? .f64 : .f32)
    let factors = try emitAll(.luDecomposition(LUDecomposition()), [a])
    let pivots = factors[1]
    let isExchanged = try compare(.notEqual, pivots, iota(pivots.element, pivots.shape, axis: pivots.rank - 1))
    return (try diagonal(of: factors[0]), isExchanged)
  }

  /// The determinants of real square matrices.
  package mutating func determinant(_ x: Value) throws(OpError) -> Value {
    guard try rowCount(ofSquare: x) > 0 else { return try splat(1, x.element, x.shape.dropLast(2)) }
    let (diagonal, isExchanged) = try pivots(x)
    let factors = try select(isExchanged, map(.negate, diagonal), diagonal)
    return try convert(reduce(factors, [x.rank - 2], .multiply), x.element)
  }

  /// The signs of determinants, and the logarithms of their magnitudes.
  package mutating func logDeterminant(_ x: Value) throws(OpError) -> (sign: Value, logarithm: Value) {
    let rows = try rowCount(ofSquare: x)
    let batch = Array(x.shape.dropLast(2))
    guard rows > 0 else { return (try splat(1, x.element, batch), try splat(0, x.element, batch)) }
    let (diagonal, isExchanged) = try pivots(x)
    let own = try map(.sign, diagonal)
    let sign = try reduce(select(isExchanged, map(.negate, own), own), [batch.count], .multiply)
    let sum = try reduce(map(.log, map(.abs, diagonal)), [batch.count], .add)
    return (try convert(sign, x.element), try convert(sum, x.element))
  }

  /// The order of rows after exchanges: which row each one was.
  package mutating func order(ofExchanges pivots: Value, rows: Int) throws(OpError) -> Value {
    let axis = pivots.rank - 1
    let places = try iota(pivots.element, pivots.shape.dropLast() + [Extent(rows)], axis: axis)
    return try loop(count: scalar(of: pivots.shape[axis], .i64), [places]) { (n, step, values) throws(OpError) in
      let order = values[0]
      let own = try n.unsqueeze(n.element(of: order, at: step, axis: axis), axis)
      let isOwn = try n.compare(.equal, places, n.convert(step, places.element))
      let isOther = try n.compare(.equal, places, n.unsqueeze(n.element(of: pivots, at: step, axis: axis), axis))
      let other = try n.reduce(n.select(isOther, order, 0), [axis], .add, keep: true)
      return [try n.select(isOwn, other, n.select(isOther, own, order))]
    }[0]
  }
}
