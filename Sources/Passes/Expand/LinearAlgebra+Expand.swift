import IR

/// Factors and solutions in blocks: what is inside a block of the diagonal goes row by row, in a loop; the rest are
/// contractions, as in LAPACK's `potrf` and `trsm`.
extension Cholesky {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let type = c.type(operands[0])
    guard let n = type.dimensions[type.rank - 1].fixed else {
      throw .unsupported("stablehlo.cholesky of matrices of \(type.dimensions[type.rank - 1]) rows")
    }
    if n == 0 { return operands }
    let a = try c.widened(operands[0])
    let factor = try c.choleskyFactor(lower ? a : try c.adjoint(a), n)
    return [try c.converted(lower ? factor : try c.adjoint(factor), to: type.elementType)]
  }
}

extension TriangularSolve {
  /// All forms are one: a lower triangle on the left. Turning rows and columns around makes an upper triangle lower, and
  /// `x a = b` is `aᵀ xᵀ = bᵀ`.
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let type = c.type(operands[1])
    let (rows, columns) = (type.rank - 2, type.rank - 1)
    let side = c.type(operands[0]).dimensions[columns]
    guard let n = side.fixed else { throw .unsupported("stablehlo.triangular_solve with matrices of \(side) rows") }
    if n == 0 { return [operands[1]] }
    var (a, b) = (try c.widened(operands[0]), try c.widened(operands[1]))
    let isTransposed = (transposeA != .none) != !leftSide
    if transposeA == .adjoint { a = try c.conjugate(a) }
    if isTransposed { a = try c.swappingLast(a) }
    if !leftSide { b = try c.swappingLast(b) }
    let isLower = lower != isTransposed
    if !isLower {
      a = try c.append(.reverse(Reverse(dimensions: [rows, columns])), a)
      b = try c.append(.reverse(Reverse(dimensions: [rows])), b)
    }
    var x = try c.solved(a, b, n, unitDiagonal: unitDiagonal)
    if !isLower { x = try c.append(.reverse(Reverse(dimensions: [rows])), x) }
    if !leftSide { x = try c.swappingLast(x) }
    return [try c.converted(x, to: type.elementType)]
  }
}

/// Matrices in the last two dimensions.
extension Composer {
  /// Rows of a block of the diagonal, or columns of a panel. Each has kernels of its own, so that there are few of them
  /// however large matrices are.
  static func panel(_ extent: Int) -> Int { max(1, min(max(64, (extent + 31) / 32), extent)) }

  // MARK: Blocks

  /// The lower factor of `a`, of which only the lower triangle is read.
  mutating func choleskyFactor(_ a: ValueID, _ n: Int) throws(OpError) -> ValueID {
    let columns = type(a).rank - 1
    var panels: [ValueID] = []
    var rest = a
    let block = Self.panel(n)
    for first in stride(from: 0, to: n, by: block) {
      let size = min(block, n - first)
      let corner = try choleskyBlock(try part(rest, 0..<size, 0..<size), size)
      var pieces = [corner]
      if first > 0 { pieces.insert(try zeros(like: try part(a, 0..<first, 0..<size)), at: 0) }
      let left = n - first - size
      if left > 0 {
        // Of the panel below, x · cornerᴴ = panel.
        let panel = try adjoint(try part(rest, size..<size + left, 0..<size))
        let below = try adjoint(try solvedBlock(corner, panel, size, unitDiagonal: false))
        pieces.append(below)
        rest = try apply(
          .subtract, try part(rest, size..<size + left, size..<size + left),
          try contracted(below, columns, try conjugate(below), columns))
      }
      panels.append(try joined(pieces, columns - 1))
    }
    let factor = try joined(panels, columns)
    // A matrix that is not positive definite has no factor.
    let diagonal = try fold(.add, try onDiagonal(try real(factor)), over: [columns - 1, columns])
    let isUndefined = try append(
      .broadcastInDim(
        BroadcastInDim(dimensions: Array(0..<columns - 1), resultDimensions: type(factor).dimensions)),
      try apply(.compare(.notEqual, .float), diagonal, diagonal))
    let isLower = try compared(.greaterOrEqual, factor)
    let isNaN = try apply(.and, isUndefined, isLower)
    return try apply(.select, isNaN, try splat(Scalar(.nan, type(factor).elementType), like: factor), factor)
  }

  /// The solution of `a x = b`, of whose `a` only the lower triangle is read.
  mutating func solved(_ a: ValueID, _ b: ValueID, _ n: Int, unitDiagonal: Bool) throws(OpError) -> ValueID {
    let rank = type(a).rank
    var solutions: [ValueID] = []
    var rest = b
    let block = Self.panel(n)
    for first in stride(from: 0, to: n, by: block) {
      let end = min(n, first + block)
      let size = end - first
      let corner = try part(a, first..<end, first..<end)
      let x = try solvedBlock(corner, try rows(rest, 0..<size), size, unitDiagonal: unitDiagonal)
      solutions.append(x)
      if end < n {
        let known = try contracted(try part(a, end..<n, first..<end), rank - 1, x, rank - 2)
        rest = try apply(.subtract, try rows(rest, size..<n - first), known)
      }
    }
    return try joined(solutions, rank - 2)
  }

  // MARK: Rows

  /// The lower factor, a column in each round: of `a` less what the columns before give, over its root.
  mutating func choleskyBlock(_ a: ValueID, _ n: Int) throws(OpError) -> ValueID {
    let columns = type(a).rank - 1
    return try loop(n, from: try zeros(like: a), reading: [a]) { (c, j, factor, read) throws(OpError) in
      let row = try c.cut(factor, at: [columns - 1: j])
      let before = try c.contracted(factor, columns, try c.conjugate(row), columns)
      let column = try c.apply(.subtract, try c.cut(read[0], at: [columns: j]), before)
      let square = try c.real(try c.cut(column, at: [columns - 1: j]))
      let isPositive = try c.apply(.compare(.greater, .float), square, try c.splat(0, like: square))
      let squareRoot = try c.apply(
        .select, isPositive, try c.apply(.squareRoot, square), try c.splat(.nan, like: square))
      let root = try c.repeated(squareRoot, like: try c.real(column), along: columns - 1)
      let scaled = try c.apply(.divide, column, try c.asElement(root, like: column))
      let place = try c.positions(like: column, along: columns - 1)
      let current = try c.spreadScalar(j, like: place)
      let isBelow = try c.apply(.compare(.greater, .signed), place, current)
      let isDiagonal = try c.apply(.compare(.equal, .signed), place, current)
      let zero = try c.zeros(like: column)
      let onDiagonal = try c.apply(.select, isDiagonal, try c.asElement(root, like: column), zero)
      return try c.replaced(factor, try c.apply(.select, isBelow, scaled, onDiagonal), at: [columns: j])
    }
  }

  /// The solution of `a x = b`, a row in each round.
  mutating func solvedBlock(_ a: ValueID, _ b: ValueID, _ n: Int, unitDiagonal: Bool) throws(OpError) -> ValueID {
    let rank = type(a).rank
    let below = try apply(.select, try compared(.greater, a), a, try zeros(like: a))
    var read = [below, b]
    if !unitDiagonal {
      let diagonal = try fold(.add, try onDiagonal(a), over: [rank - 1])
      let dimensions = Array(type(a).dimensions.dropLast()) + [.one]
      read.append(try append(.reshape(Reshape(resultDimensions: dimensions)), diagonal))
    }
    return try loop(n, from: try zeros(like: b), reading: read) { (c, i, x, read) throws(OpError) in
      let row = try c.cut(read[0], at: [rank - 2: i])
      let known = try c.contracted(row, rank - 1, x, rank - 2)
      var value = try c.apply(.subtract, try c.cut(read[1], at: [rank - 2: i]), known)
      if read.count > 2 {
        let divisor = try c.repeated(try c.cut(read[2], at: [rank - 2: i]), like: value, along: rank - 1)
        value = try c.apply(.divide, value, divisor)
      }
      return try c.replaced(x, value, at: [rank - 2: i])
    }
  }
}
