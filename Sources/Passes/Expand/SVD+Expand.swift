import IR

/// A tall matrix is triangular times reflections; a square one is a rotation times a symmetric matrix that is not negative,
/// whose eigenvectors are the right ones (`docs/design/0039-eigenvalues-without-convergence.md`).
extension SingularValues {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let type = c.type(operands[0])
    let types = try inferTypes([type])
    let (up, across) = (type.rank - 2, type.rank - 1)
    let (rows, columns) = try c.extents(operands[0])
    if c.isEmpty(operands[0]) {
      return [try c.identity(types[0]), try c.zeros(types[1]), try c.identity(types[2])]
    }
    let isWide = rows < columns
    let a = isWide ? try c.swappingLast(operands[0]) : operands[0]
    let (m, n) = (max(rows, columns), min(rows, columns))
    let largest = try c.largestMagnitude(a)
    let scale = try c.divisor(largest)
    var square = try c.apply(.divide, a, try c.spread(scale, along: [up, across], like: a))
    var reflections: [ValueID]?
    if m > n {
      let qr = try HouseholderQR().expand([square], &c)
      reflections = qr
      let top = try c.rows(qr[0], 0..<n)
      square = try c.apply(.select, try c.compared(.lessOrEqual, top), top, try c.zeros(like: top))
    }
    let rotation = try c.polarFactor(square, n)
    let product = try c.contracted(rotation, up, square, up)
    let half = try c.splat(0.5, like: product)
    let symmetric = try c.apply(.multiply, try c.apply(.add, product, try c.swappingLast(product)), half)
    let eigen = try SymmetricEigen().expand([symmetric], &c)
    let v = try c.append(.reverse(Reverse(dimensions: [across])), eigen[0])
    var values = try c.append(.reverse(Reverse(dimensions: [up])), eigen[1])
    // NaN stays.
    let isNegative = try c.apply(.compare(.less, .float), values, try c.zeros(like: values))
    values = try c.apply(.select, isNegative, try c.zeros(like: values), values)
    values = try c.apply(.multiply, values, try c.spread(largest, along: [up], like: values))
    // Where singular values are zero, the rotation is not one: reflections complete the others.
    let left = try HouseholderQR().expand([try c.contracted(rotation, across, v, up)], &c)
    var u = try HouseholderProduct().expand([left[0], left[1]], &c)[0]
    let diagonal = try c.fold(.add, try c.onDiagonal(left[0]), over: [up])
    let signs = try c.spread(diagonal, along: [up], like: u)
    let isTurned = try c.apply(.compare(.less, .float), signs, try c.zeros(like: signs))
    u = try c.apply(.select, isTurned, try c.apply(.negate, u), u)
    if let qr = reflections {
      let extent = full ? m : n
      var reflected = qr[0]
      if extent > n {
        let more = TensorType(type.elementType, Array(type.dimensions.dropLast(2)) + [Extent(m), Extent(m - n)])
        reflected = try c.joined([reflected, try c.zeros(more)], across)
      }
      let q = try HouseholderProduct().expand([reflected, qr[1]], &c)[0]
      let turned = try c.contracted(try c.part(q, 0..<m, 0..<n), across, u, up)
      u = extent > n ? try c.joined([turned, try c.part(q, 0..<m, n..<m)], across) : turned
    }
    let vt = try c.swappingLast(v)
    return isWide ? [v, values, try c.swappingLast(u)] : [u, values, vt]
  }
}

extension Composer {
  /// The orthogonal factor of a square matrix, by the iteration of Nakatsukasa and Higham: its coefficients depend only on
  /// how small singular values may be, so their number is known.
  fileprivate mutating func polarFactor(_ a: ValueID, _ n: Int) throws(OpError) -> ValueID {
    let type = self.type(a)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let squares = try fold(.add, try apply(.multiply, a, a), over: [up, across])
    let norm = try divisor(try apply(.squareRoot, squares))
    let start = try apply(.divide, a, try spread(norm, along: [up, across], like: a))
    let steps = Self.polarSteps(type.elementType == .f64 ? 0x1p-52 : 0x1p-23)
    func tables(_ steps: [(Double, Double, Double)], _ c: inout Composer) throws(OpError) -> [ValueID] {
      var tables: [ValueID] = []
      for column in [steps.map(\.0), steps.map(\.1), steps.map(\.2)] {
        let values = column.map { Scalar($0, type.elementType) }
        tables.append(try c.append(.constant(Constant(Literal(type.elementType, [steps.count], values)))))
      }
      return tables
    }
    let large = steps.filter { $0.2 > 100 }
    let small = steps.filter { $0.2 <= 100 }
    // x ← b/c x + (a - b/c) x (1 + c xᵀ x)⁻¹, from reflections of [√c x; 1] or the product itself.
    let middle = try loop(large.count, from: start, reading: try tables(large, &self)) {
      (c, i, x, tables) throws(OpError) in
      let (a, b, k) = try c.coefficients(tables, i, like: x)
      let root = try c.apply(.squareRoot, k)
      let stacked = try c.joined([try c.apply(.multiply, x, root), try c.identity(type)], up)
      let qr = try HouseholderQR().expand([stacked], &c)
      let q = try HouseholderProduct().expand([qr[0], qr[1]], &c)[0]
      let product = try c.contracted(try c.rows(q, 0..<n), across, try c.rows(q, n..<2 * n), across)
      let ratio = try c.apply(.divide, b, k)
      let factor = try c.apply(.divide, try c.apply(.subtract, a, ratio), root)
      return try c.apply(.add, try c.apply(.multiply, ratio, x), try c.apply(.multiply, factor, product))
    }
    return try loop(small.count, from: middle, reading: try tables(small, &self)) { (c, i, x, tables) throws(OpError) in
      let (a, b, k) = try c.coefficients(tables, i, like: x)
      let inner = try c.apply(.multiply, k, try c.contracted(x, up, x, up))
      let lower = try c.choleskyFactor(try c.apply(.add, try c.identity(type), inner), n)
      let first = try c.solved(lower, try c.swappingLast(x), n, unitDiagonal: false)
      let back = TriangularSolve(leftSide: true, lower: true, transposeA: .transpose)
      let product = try c.swappingLast(try back.expand([lower, first], &c)[0])
      let ratio = try c.apply(.divide, b, k)
      let factor = try c.apply(.subtract, a, ratio)
      return try c.apply(.add, try c.apply(.multiply, ratio, x), try c.apply(.multiply, factor, product))
    }
  }

  private mutating func coefficients(_ tables: [ValueID], _ place: ValueID, like value: ValueID) throws(OpError)
    -> (ValueID, ValueID, ValueID)
  {
    var found: [ValueID] = []
    for table in tables {
      let number = try reshaped(try cut(table, at: [0: place]), [])
      found.append(try spreadScalar(number, like: value))
    }
    return (found[0], found[1], found[2])
  }

  /// The coefficients that bring all singular values from `least` on to one.
  private static func polarSteps(_ least: Double) -> [(Double, Double, Double)] {
    var steps: [(Double, Double, Double)] = []
    var l = least
    while 1 - l > least, steps.count < 8 {
      let square = l * l
      let d = Double.cubeRoot(4 * (1 - square) / (square * square))
      let root = (1 + d).squareRoot()
      let a = root + 0.5 * (8 - 4 * d + 8 * (2 - square) / (square * root)).squareRoot()
      let b = (a - 1) * (a - 1) / 4
      let c = a + b - 1
      steps.append((a, b, c))
      l = min(1, l * (a + b * square) / (1 + c * square))
    }
    return steps
  }
}

extension Double {
  /// By Newton's iteration, of a number that is not negative.
  fileprivate static func cubeRoot(_ x: Double) -> Double {
    if x <= 0 { return 0 }
    var root = x.squareRoot()
    for _ in 0..<200 { root = (2 * root + x / (root * root)) / 3 }
    return root
  }
}
