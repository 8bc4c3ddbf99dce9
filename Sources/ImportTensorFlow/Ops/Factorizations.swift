import GraphBuilding
import IR

extension Operator {
  /// Factors of real matrices, and equations with them. Numbers of f16 are computed in f32.
  static let factorizations: [Operator] = [
    Operator("MatrixInverse", one: inverse), Operator("MatrixSolve", one: solution),
    Operator("MatrixDeterminant", one: { (n) throws(OpError) in try n.determinant(try n.input(0)) }),
    Operator("LogMatrixDeterminant", outputs: ["sign", "log_abs_determinant"]) { (n) throws(OpError) in
      let (sign, logarithm) = try n.logDeterminant(try n.input(0))
      return [sign, logarithm]
    },
    Operator("SelfAdjointEigV2", outputs: ["e", "v"], eigenvalues), Operator("Qr", outputs: ["q", "r"], orthogonal),
    Operator("Svd", outputs: ["s", "u", "v"], singularValues), Operator("MatrixSolveLs", one: leastSquares),
    Operator("Lu", outputs: ["lu", "p"], triangles),
    Operator("TridiagonalMatMul", one: tridiagonalProduct), Operator("TridiagonalSolve", one: tridiagonalSolution),
  ]

  // MARK: Equations

  private static func inverse(_ n: inout Lowering) throws(OpError) -> Value {
    let a = try n.wideMatrices(0)
    let rows = Extent(try n.rowCount(ofSquare: a))
    let isAdjoint = try n.flag("adjoint")
    if rows == .zero { return try n.input(0) }
    let unit = try n.broadcast(n.identity(a.element, rows, rows), to: a.shape)
    return try n.convert(n.solution(isAdjoint ? n.adjoint(a) : a, unit), try n.input(0).element)
  }

  private static func solution(_ n: inout Lowering) throws(OpError) -> Value {
    let (a, b) = (try n.wideMatrices(0), try n.wideMatrices(1))
    let rows = try n.rowCount(ofSquare: a)
    let isAdjoint = try n.flag("adjoint")
    try n.checkEquation(a, b)
    if rows == 0 || b.shape[b.rank - 1] == .zero { return try n.input(1) }
    return try n.convert(n.solution(isAdjoint ? n.adjoint(a) : a, b), try n.input(0).element)
  }

  /// What comes closest to a solution: by the normal equations, or the shortest of those by singular values.
  private static func leastSquares(_ n: inout Lowering) throws(OpError) -> Value {
    let (a, b) = (try n.wideMatrices(0), try n.wideMatrices(1))
    let isFast = try n.flag("fast", default: true)
    try n.checkEquation(a, b)
    let (rows, columns) = try n.matrixExtents(a)
    let regularizer = try n.convert(n.reshape(try n.input(2), []), a.element)
    guard rows > 0, columns > 0, b.shape[b.rank - 1] != .zero else {
      return try n.splat(0, try n.input(0).element, a.shape.dropLast(2) + [Extent(columns), b.shape[b.rank - 1]])
    }
    let turned = try n.adjoint(a)
    let result: Value
    if isFast {
      let isTall = rows >= columns
      let gramian = try isTall ? n.matmul(turned, a) : n.matmul(a, turned)
      let side = gramian.shape[gramian.rank - 1]
      let bias = try n.multiply(n.identity(a.element, side, side), n.maximum(regularizer, 0))
      let factor = try n.emit(.cholesky(Cholesky(lower: true)), [n.add(gramian, bias)])
      let first = try n.triangularSolution(factor, isTall ? n.matmul(turned, b) : b, isLower: true)
      let second = try n.triangularSolution(factor, first, isLower: true, .adjoint)
      result = try isTall ? second : n.matmul(turned, second)
    } else {
      let factors = try n.emitAll(.singularValues(SingularValues()), [a])
      let values = factors[1]
      let unit = a.element == .f64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
      let least = try n.multiply(
        n.reduce(values, [values.rank - 1], .maximum, keep: true), unit * Double(min(rows, columns)))
      let inverses = try n.select(n.compare(.greater, values, least), n.divide(1, values), 0)
      let part = try n.multiply(n.matmul(n.adjoint(factors[0]), b), n.unsqueeze(inverses, inverses.rank))
      result = try n.matmul(n.adjoint(factors[2]), part)
    }
    return try n.convert(result, try n.input(0).element)
  }

  /// The product of matrices, of which three diagonals are given, with others.
  private static func tridiagonalProduct(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(3)
    guard x.rank >= 2 else { throw OpError("it multiplies matrices, not \(x.type)") }
    var sum: Value?
    for (index, offset) in [(1, 0), (0, 1), (2, -1)] {
      let line = try n.input(index)
      guard line.rank == x.rank, line.shape[line.rank - 2] == .one else {
        throw OpError("\(line.type) is no diagonal of a matrix for \(x.type)")
      }
      let factors = try n.reshape(line, line.shape.dropLast(2) + [line.shape[line.rank - 1], .one])
      var rows = x
      if offset != 0 { rows = try n.shifted(x, x.rank - 2, by: -offset, .zero(x.element)) }
      var part = try n.multiply(factors, rows)
      // What stands beside the matrix counts for nothing, whatever it is.
      if offset != 0 {
        let places = try n.iota(.i64, part.shape, axis: x.rank - 2)
        let last = try n.scalar(of: x.shape[x.rank - 2] - 1, .i64)
        let isOutside = try offset > 0 ? n.compare(.equal, places, last) : n.compare(.equal, places, 0)
        part = try n.select(isOutside, n.scalar(.zero(x.element), x.element), part)
      }
      sum = try sum.map { (old) throws(OpError) in try n.add(old, part) } ?? part
    }
    guard let sum else { throw OpError("it has no diagonals") }
    return sum
  }

  /// Solutions with matrices of three diagonals: each row is added to the next one, or, where that has the greater first number,
  /// the other way round, which makes a third diagonal.
  private static func tridiagonalSolution(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("partial_pivoting")
    let (lines, b) = (try n.input(0), try n.input(1))
    guard try !n.flag("perturb_singular") else { throw .unsupported("attribute 'perturb_singular'") }
    guard lines.rank >= 2, lines.rank == b.rank, lines.shape[lines.rank - 2] == 3 else {
      throw OpError("its diagonals are \(lines.type) for \(b.type)")
    }
    guard !lines.element.isComplex else { throw .unsupported("complex matrices") }
    let axis = b.rank - 2
    let rows = b.shape[axis]
    try n.unify(
      lines.shape.dropLast(2) + [lines.shape[axis + 1]], Array(b.shape.dropLast()),
      "its diagonals are \(lines.type) for \(b.type)")
    guard rows != .zero else { return b }
    // Beside the matrix there are zeros.
    let zero = n.scalar(0, b.element)
    func diagonal(_ index: Int) throws(OpError) -> Value {
      try n.reshape(n.slice(lines, axis: axis, Extent(index), Extent(index + 1)), b.shape.dropLast() + [.one])
    }
    let above = try n.pad(n.slice(diagonal(0), axis: axis, 0, rows - 1), axis: axis, zero, low: .zero, high: 2)
    let below = try n.pad(diagonal(2), axis: axis, zero, low: .zero, high: 1)
    let main = try n.pad(diagonal(1), axis: axis, zero, low: .zero, high: 1)
    let right = try n.pad(b, axis: axis, zero, low: .zero, high: 1)
    let results = try [main, above, above].map { (x) throws(OpError) in
      try n.splat(0, b.element, b.shape.dropLast() + [x.shape[b.rank - 1]])
    }
    func first(_ x: Value) throws(OpError) -> Value { try n.squeeze(n.slice(x, axis: axis, 0, 1), axis) }
    let start = [try first(main), try first(above), try first(right)] + results + [try n.splat(0, like: b)]
    let forward = try n.loop(count: n.scalar(of: rows, .i64), start) { (n, step, values) throws(OpError) in
      let next = try n.add(step, 1)
      let (d, u, v) = (values[0], values[1], values[2])
      let (l, e) = (try n.element(of: below, at: next, axis: axis), try n.element(of: main, at: next, axis: axis))
      let (w, y) = (try n.element(of: above, at: next, axis: axis), try n.element(of: right, at: next, axis: axis))
      let isExchanged = try n.compare(.greater, n.map(.abs, l), n.map(.abs, d))
      let factor = try n.select(isExchanged, n.divide(d, l), n.divide(l, d))
      let zero = try n.splat(0, like: w)
      let row = try [
        n.select(isExchanged, l, d), n.select(isExchanged, e, u), n.select(isExchanged, w, zero),
        n.select(isExchanged, y, v),
      ]
      let rest = try [
        n.subtract(n.select(isExchanged, u, e), n.multiply(factor, row[1])),
        n.subtract(n.select(isExchanged, zero, w), n.multiply(factor, row[2])),
        n.subtract(n.select(isExchanged, v, y), n.multiply(factor, row[3])),
      ]
      var kept: [Value] = []
      for (part, old) in zip(row, values[3...]) { kept.append(try n.replacing(old, at: step, axis: axis, with: part)) }
      return rest + kept
    }
    let none = try n.splat(0, like: start[2])
    let last = try n.scalar(of: rows - 1, .i64)
    return try n.loop(count: n.scalar(of: rows, .i64), [none, none, n.splat(0, like: b)]) {
      (n, step, values) throws(OpError) in
      let place = try n.subtract(last, step)
      var row: [Value] = []
      for value in forward[3...] { row.append(try n.element(of: value, at: place, axis: axis)) }
      let known = try n.add(n.multiply(row[1], values[0]), n.multiply(row[2], values[1]))
      let x = try n.divide(n.subtract(row[3], known), row[0])
      return [x, values[0], try n.replacing(values[2], at: place, axis: axis, with: x)]
    }[2]
  }

  // MARK: Factors

  private static func eigenvalues(_ n: inout Lowering) throws(OpError) -> [Value] {
    let a = try n.wideMatrices(0)
    let element = try n.input(0).element
    let hasVectors = try n.flag("compute_v", default: true)
    guard try n.rowCount(ofSquare: a) > 0 else {
      return [
        try n.splat(0, element, Array(a.shape.dropLast())), try hasVectors ? n.input(0) : n.splat(0, element, [0]),
      ]
    }
    let factors = try n.emitAll(.symmetricEigen(SymmetricEigen(lower: true)), [a])
    let vectors = try hasVectors ? n.convert(factors[0], element) : n.splat(0, element, [0])
    return [try n.convert(factors[1], element), vectors]
  }

  private static func orthogonal(_ n: inout Lowering) throws(OpError) -> [Value] {
    let a = try n.wideMatrices(0)
    let element = try n.input(0).element
    let (rows, columns) = try n.matrixExtents(a)
    let count = min(rows, columns)
    let width = try n.flag("full_matrices") ? rows : count
    let batch = Array(a.shape.dropLast(2))
    guard count > 0 else {
      let unit = try n.identity(element, Extent(rows), Extent(width))
      return [
        try n.broadcast(unit, to: batch + unit.shape),
        try n.splat(0, element, batch + [Extent(width), Extent(columns)]),
      ]
    }
    let factors = try n.emitAll(.householderQR(HouseholderQR()), [a])
    var reflections = try n.slice(factors[0], axis: a.rank - 1, 0, Extent(count))
    reflections = try n.pad(
      reflections, axis: a.rank - 1, n.scalar(0, a.element), low: .zero, high: Extent(width - count))
    let q = try n.emit(.householderProduct(HouseholderProduct()), [reflections, factors[1]])
    let upper = try n.slice(factors[0], axis: a.rank - 2, 0, Extent(width))
    return [try n.convert(q, element), try n.convert(n.triangle(upper, isLower: false), element)]
  }

  private static func singularValues(_ n: inout Lowering) throws(OpError) -> [Value] {
    let a = try n.wideMatrices(0)
    let element = try n.input(0).element
    let hasVectors = try n.flag("compute_uv", default: true)
    let isFull = try n.flag("full_matrices")
    let (rows, columns) = try n.matrixExtents(a)
    let batch = Array(a.shape.dropLast(2))
    let none = try n.splat(0, element, [0])
    if min(rows, columns) == 0 {
      let values = try n.splat(0, element, batch + [0])
      guard hasVectors else { return [values, none, none] }
      var results = [values]
      for extent in [Extent(rows), Extent(columns)] {
        let unit = try n.identity(element, extent, isFull ? extent : .zero)
        results.append(try n.broadcast(unit, to: batch + unit.shape))
      }
      return results
    }
    let factors = try n.emitAll(.singularValues(SingularValues(full: isFull && hasVectors)), [a])
    let values = try n.convert(factors[1], element)
    guard hasVectors else { return [values, none, none] }
    return [values, try n.convert(factors[0], element), try n.convert(n.adjoint(factors[2]), element)]
  }

  private static func triangles(_ n: inout Lowering) throws(OpError) -> [Value] {
    let a = try n.wideMatrices(0)
    let rows = try n.rowCount(ofSquare: a)
    let index = try n.elementType("output_idx_type", default: .i32)
    if rows == 0 { return [try n.input(0), try n.splat(0, index, Array(a.shape.dropLast()))] }
    let factors = try n.emitAll(.luDecomposition(LUDecomposition()), [a])
    let order = try n.order(ofExchanges: factors[1], rows: rows)
    return [try n.convert(factors[0], try n.input(0).element), try n.convert(order, index)]
  }
}

extension Lowering {
  /// Real matrices in a type that is factored.
  fileprivate mutating func wideMatrices(_ index: Int) throws(OpError) -> Value {
    let x = try input(index)
    guard x.rank >= 2 else { throw OpError("its input \(x.type) does not hold matrices") }
    guard !x.element.isComplex else { throw .unsupported("complex matrices") }
    return try convert(x, x.element == .f64 ? .f64 : .f32)
  }

  fileprivate func matrixExtents(_ a: Value) throws(OpError) -> (rows: Int, columns: Int) {
    guard let rows = a.shape[a.rank - 2].fixed, let columns = a.shape[a.rank - 1].fixed else {
      throw .unsupported("matrices of open extents")
    }
    return (rows, columns)
  }

  /// Throws unless there is a right side for each row of each matrix.
  fileprivate mutating func checkEquation(_ a: Value, _ b: Value) throws(OpError) {
    try unify(
      Array(a.shape.dropLast()), Array(b.shape.dropLast()), "its matrices are \(a.type) and \(b.type)")
  }

  fileprivate mutating func triangularSolution(
    _ a: Value, _ b: Value, isLower: Bool, hasUnitDiagonal: Bool = false, _ turn: TriangularSolve.Transposition = .none
  ) throws(OpError) -> Value {
    let op = TriangularSolve(leftSide: true, lower: isLower, unitDiagonal: hasUnitDiagonal, transposeA: turn)
    return try emit(.triangularSolve(op), [a, b])
  }

  /// What the matrices make `b` of.
  fileprivate mutating func solution(_ a: Value, _ b: Value) throws(OpError) -> Value {
    let factors = try emitAll(.luDecomposition(LUDecomposition()), [a])
    let order = try order(ofExchanges: factors[1], rows: rowCount(ofSquare: a))
    let exchanged = try take(b, order, axis: b.rank - 2, batch: b.rank - 2)
    let half = try triangularSolution(factors[0], exchanged, isLower: true, hasUnitDiagonal: true)
    return try triangularSolution(factors[0], half, isLower: false)
  }
}
