import IR

extension ReverseSweep {
  /// `cholesky`: with `a = l lᴴ`, the triangle that it reads of `l⁻ᵀ φ(lᵀ l̄) l̄⁻¹`, φ being the lower triangle with half of
  /// the diagonal; what the other triangle would have goes to that one.
  mutating func pullBack(_ op: Cholesky, _ g: ValueID, _ y: ValueID, _ x: ValueID) throws(OpError) {
    guard wants(x) else { return }
    let l = op.lower ? y : try c.adjoint(y)
    let cotangent = op.lower ? g : try c.adjoint(g)
    let rank = c.type(l).rank
    let product = try c.contracted(l, rank - 2, cotangent, rank - 2)
    let middle = try c.halvingDiagonal(c.triangle(product, lower: true))
    let left = TriangularSolve(leftSide: true, lower: true, transposeA: .transpose)
    let half = try c.append(.triangularSolve(left), l, middle)
    let right = TriangularSolve(leftSide: false, lower: true)
    let whole = try c.append(.triangularSolve(right), c.conjugate(l), half)
    try give(c.folded(whole, lower: op.lower), to: x)
  }

  /// `triangular_solve`: the equation with the matrix transposed, and minus the product of that with the solution.
  mutating func pullBack(_ op: TriangularSolve, _ g: ValueID, _ y: ValueID, _ x: [ValueID]) throws(OpError) {
    var transposed = op
    transposed.transposeA = op.transposeA == .none ? .transpose : .none
    let a = op.transposeA == .adjoint ? try c.conjugate(x[0]) : x[0]
    let b = try c.append(.triangularSolve(transposed), a, g)
    try give(b, to: x[1])
    guard wants(x[0]) else { return }
    let rank = c.type(y).rank
    let outer =
      try op.leftSide ? c.contracted(b, rank - 1, y, rank - 1) : c.contracted(y, rank - 2, b, rank - 2)
    var matrix = try c.negate(outer)
    if op.transposeA != .none { matrix = try c.swappingLast(matrix) }
    if op.transposeA == .adjoint { matrix = try c.conjugate(matrix) }
    var part = try c.triangle(matrix, lower: op.lower)
    if op.unitDiagonal {
      part = try c.apply(.select, c.compared(.equal, part), c.zeros(like: part), part)
    }
    try give(part, to: x[0])
  }

  /// Eigenvalues and vectors: `v (w̄ + f ∘ (vᵀ v̄)) vᵀ`, where f has the inverse differences of the values.
  mutating func pullBack(_ op: SymmetricEigen, _ node: Node, _ index: Int) throws(OpError) {
    let cotangents = try allCotangents(node, index)
    let results = c.graph.results(of: ValueID(index))
    let (v, w, rank) = (results[0], results[1], source.type(of: node.operands[0]).rank)
    let differences = try c.differences(w, like: v)
    let product = try c.multiply(c.contracted(v, rank - 2, cotangents[0], rank - 2), differences)
    let diagonal = try c.spread(cotangents[1], along: [rank - 1], like: v)
    let middle = try c.add(c.onDiagonal(diagonal), product)
    let whole = try c.contracted(c.contracted(v, rank - 1, middle, rank - 2), rank - 1, v, rank - 1)
    try give(c.folded(whole, lower: op.lower), to: node.operands[0])
  }

  /// Singular values and vectors of a matrix, the thin ones.
  mutating func pullBack(_ op: SingularValues, _ node: Node, _ index: Int) throws(OpError) {
    let type = source.type(of: node.operands[0])
    let rank = type.rank
    let (rows, columns) = (type.dimensions[rank - 2], type.dimensions[rank - 1])
    let given = cotangentsIfAny(index)
    guard !op.full || rows == columns || (given[0] == nil && given[2] == nil) else {
      throw refusal(node, "with the vectors of a whole basis is not known")
    }
    let k = Extent.minimum(rows, columns)
    // Values alone need the vectors of the thin form.
    let isThin = !op.full || rows == columns
    let thin = isThin ? ValueID(index) : try c.append(.singularValues(SingularValues(full: false)), node.operands[0])
    let results = c.graph.results(of: thin)
    let (u, s, vt) = (results[0], results[1], results[2])
    let cotangents = try allCotangents(node, index)
    let square = type.dimensions.dropLast(2) + [k, k]
    let like = try c.zeros(TensorType(type.elementType, Array(square)))
    let alongRows = try c.spread(s, along: [rank - 1], like: like)
    let alongColumns = try c.spread(s, along: [rank - 2], like: like)
    var middle = try c.onDiagonal(c.spread(cotangents[1], along: [rank - 1], like: like))
    var sides: [ValueID] = []
    if given[0] != nil || given[2] != nil {
      let (ubar, vbar) = (cotangents[0], cotangents[2])
      let squares = try c.multiply(s, s)
      let differences = try c.differences(squares, like: like)
      let ofLeft = try c.multiply(differences, c.contracted(u, rank - 2, ubar, rank - 2))
      let ofRight = try c.multiply(differences, c.contracted(vt, rank - 1, vbar, rank - 1))
      let left = try c.multiply(c.add(ofLeft, c.swappingLast(ofLeft)), alongColumns)
      let right = try c.multiply(c.add(ofRight, c.swappingLast(ofRight)), alongRows)
      middle = try c.add(middle, c.add(left, right))
      sides = try complements(u, vt, ubar, vbar, s, isTall: rows != k, isWide: columns != k)
    }
    var whole = try c.contracted(c.contracted(u, rank - 1, middle, rank - 2), rank - 1, vt, rank - 2)
    for side in sides { whole = try c.add(whole, side) }
    try give(whole, to: node.operands[0])
  }

  /// What vectors contribute outside the space that they span: `(1 - u uᵀ) ū s⁻¹ vᵀ`, and the same for the other side.
  private mutating func complements(
    _ u: ValueID, _ vt: ValueID, _ ubar: ValueID, _ vbar: ValueID, _ s: ValueID, isTall: Bool, isWide: Bool
  ) throws(OpError) -> [ValueID] {
    let rank = c.type(u).rank
    var sides: [ValueID] = []
    if isTall {
      let scaled = try c.divide(ubar, c.spread(s, along: [rank - 2], like: ubar))
      let inside = try c.contracted(u, rank - 1, c.contracted(u, rank - 2, scaled, rank - 2), rank - 2)
      sides.append(try c.contracted(c.subtract(scaled, inside), rank - 1, vt, rank - 2))
    }
    if isWide {
      let scaled = try c.divide(vbar, c.spread(s, along: [rank - 1], like: vbar))
      let inside = try c.contracted(c.contracted(scaled, rank - 1, vt, rank - 1), rank - 1, vt, rank - 2)
      sides.append(try c.contracted(u, rank - 1, c.subtract(scaled, inside), rank - 2))
    }
    return sides
  }
}

extension Composer {
  /// The lower or upper triangle with the diagonal, zeros elsewhere.
  fileprivate mutating func triangle(_ value: ValueID, lower: Bool) throws(OpError) -> ValueID {
    try kept(value, where: compared(lower ? .greaterOrEqual : .lessOrEqual, value))
  }

  fileprivate mutating func halvingDiagonal(_ value: ValueID) throws(OpError) -> ValueID {
    try apply(.select, compared(.equal, value), multiply(value, splat(0.5, like: value)), value)
  }

  /// One triangle of the sum of a matrix and its adjoint, the diagonal once: the cotangent of a triangle that stands for all.
  fileprivate mutating func folded(_ value: ValueID, lower: Bool) throws(OpError) -> ValueID {
    let sum = try add(value, adjoint(value))
    return try halvingDiagonal(triangle(sum, lower: lower))
  }

  /// The inverse of the difference of element `j` and element `i` of a list at row `i` and column `j`, zero on the diagonal.
  fileprivate mutating func differences(_ list: ValueID, like: ValueID) throws(OpError) -> ValueID {
    let rank = type(like).rank
    let one = try splat(1, like: like)
    let isDiagonal = try compared(.equal, like)
    let difference = try subtract(
      spread(list, along: [rank - 2], like: like), spread(list, along: [rank - 1], like: like))
    let inverse = try divide(one, apply(.select, isDiagonal, one, difference))
    return try apply(.select, isDiagonal, zeros(like: like), inverse)
  }
}
