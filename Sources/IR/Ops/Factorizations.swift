/// Rows exchanged and factored into a unit lower and an upper triangle, as LAPACK's `getrf` does: `lu` is both triangles
/// in one matrix, `pivots` the row that each row was exchanged with, counted from zero.
///
/// `%lu, %pivots = "tfc.lu"(%a) : (tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<3xi32>)`
///
/// The pivot is the first of the largest magnitudes; a column of zeros is left as it is.
public struct LUDecomposition: OpDefinition {
  public init() {}
  public var mnemonic: String { "tfc.lu" }
  public var op: Op { .luDecomposition(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let a = try single(operands)
    let (rows, columns) = try matrixExtents(a)
    return [a, a.replacingMatrix(by: [min(rows, columns)]).with(.i32)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var pivots: [Scalar] = []
    let factors = RealMatrix.all(of: operands[0]).map { matrix in
      var a = matrix
      for j in 0..<min(a.rows, a.columns) {
        var pivot = j
        for i in j..<a.rows where abs(a[i, j]) > abs(a[pivot, j]) { pivot = i }
        pivots.append(.integer(Int64(pivot)))
        for k in 0..<a.columns where pivot != j { (a[j, k], a[pivot, k]) = (a[pivot, k], a[j, k]) }
        if a[j, j] == 0 { continue }
        for i in (j + 1)..<max(a.rows, j + 1) {
          a[i, j] /= a[j, j]
          for k in (j + 1)..<max(a.columns, j + 1) { a[i, k] -= a[i, j] * a[j, k] }
        }
      }
      return a
    }
    let shape = results[1].fixedDimensions ?? []
    return [RealMatrix.literal(factors, like: results[0]), Literal(.i32, shape, pivots)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// Reflections that make matrices upper triangular, as LAPACK's `geqrf` does: `r` above the diagonal and on it, below it the
/// vectors of the reflections `1 - tau v vᵀ`, whose first element is 1.
///
/// `%qr, %tau = "tfc.householder_qr"(%a) : (tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<3xf32>)`
public struct HouseholderQR: OpDefinition {
  public init() {}
  public var mnemonic: String { "tfc.householder_qr" }
  public var op: Op { .householderQR(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let a = try single(operands)
    let (rows, columns) = try matrixExtents(a)
    return [a, a.replacingMatrix(by: [min(rows, columns)])]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var factors: [Scalar] = []
    let reflections = RealMatrix.all(of: operands[0]).map { matrix in
      var a = matrix
      for tau in a.reflect() { factors.append(.real(tau)) }
      return a
    }
    let shape = results[1].fixedDimensions ?? []
    return [RealMatrix.literal(reflections, like: results[0]), Literal(results[1].elementType, shape, factors)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// The first columns of the product of reflections that `tfc.householder_qr` gives, as LAPACK's `orgqr` does.
///
/// `%q = "tfc.householder_product"(%qr, %tau) : (tensor<4x3xf32>, tensor<3xf32>) -> tensor<4x3xf32>`
public struct HouseholderProduct: OpDefinition {
  public init() {}
  public var mnemonic: String { "tfc.householder_product" }
  public var op: Op { .householderProduct(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (a, tau) = (operands[0], operands[1])
    let (rows, columns) = try matrixExtents(a)
    guard tau.elementType == a.elementType, tau.rank == a.rank - 1,
      tau.dimensions.dropLast() == a.dimensions.dropLast(2),
      let count = tau.dimensions[tau.rank - 1].fixed, count <= columns, columns <= rows
    else {
      throw OpError(
        "\(mnemonic) has no more reflections than columns and no more columns than rows, not"
          + " \(a.detailedDescription) and \(tau.detailedDescription)")
    }
    return [a]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let count = operands[1].dimensions.last ?? 0
    let factors = operands[1].scalars.map(\.realValue)
    let products = RealMatrix.all(of: operands[0]).enumerated().map { batch, a in
      a.product(Array(factors[batch * count..<(batch + 1) * count]), columns: a.columns)
    }
    return [RealMatrix.literal(products, like: results[0])]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// The eigenvectors of symmetric matrices as columns, and their eigenvalues, ascending; one triangle is read.
///
/// `%v, %w = "tfc.eigh"(%a) {lower = true} : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>)`
///
/// The signs of vectors are free, and so are the vectors of equal eigenvalues among each other.
public struct SymmetricEigen: OpDefinition {
  public var lower: Bool
  public init(lower: Bool = true) { self.lower = lower }
  public var mnemonic: String { "tfc.eigh" }
  public var op: Op { .symmetricEigen(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let a = try single(operands)
    let (rows, columns) = try matrixExtents(a)
    guard rows == columns else { throw OpError("\(mnemonic) takes square matrices, not \(a.detailedDescription)") }
    return [a, a.replacingMatrix(by: [rows])]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var values: [Scalar] = []
    let vectors = RealMatrix.all(of: operands[0]).map { a in
      let symmetric = RealMatrix(a.rows, a.columns) { i, j in (i > j) == lower ? a[i, j] : a[j, i] }
      let (vectors, eigenvalues) = symmetric.eigenvectors()
      values += eigenvalues.map { .real($0) }
      return vectors
    }
    let shape = results[1].fixedDimensions ?? []
    return [RealMatrix.literal(vectors, like: results[0]), Literal(results[1].elementType, shape, values)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// Matrices as `u · diagonal(s) · vt` with orthonormal columns of `u` and rows of `vt`, and `s` descending and not negative.
///
/// `%u, %s, %vt = "tfc.svd"(%a) {full = false} : (tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<3xf32>, tensor<3x3xf32>)`
///
/// `full` makes `u` and `vt` square. The signs of vectors are free.
public struct SingularValues: OpDefinition {
  public var full: Bool
  public init(full: Bool = false) { self.full = full }
  public var mnemonic: String { "tfc.svd" }
  public var op: Op { .singularValues(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let a = try single(operands)
    let (rows, columns) = try matrixExtents(a)
    let least = min(rows, columns)
    return [
      a.replacingMatrix(by: [rows, full ? rows : least]), a.replacingMatrix(by: [least]),
      a.replacingMatrix(by: [full ? columns : least, columns]),
    ]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var (left, right, values) = ([RealMatrix](), [RealMatrix](), [Scalar]())
    for a in RealMatrix.all(of: operands[0]) {
      let isWide = a.rows < a.columns
      var (u, s, v) = (isWide ? a.transposed : a).singularVectors(full: full)
      if isWide { (u, v) = (v, u) }
      left.append(u)
      right.append(v.transposed)
      values += s.map { .real($0) }
    }
    let shape = results[1].fixedDimensions ?? []
    return [
      RealMatrix.literal(left, like: results[0]), Literal(results[1].elementType, shape, values),
      RealMatrix.literal(right, like: results[2]),
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

extension OpDefinition {
  /// Rows and columns in the last two dimensions; throws unless there are real matrices of fixed extents.
  fileprivate func matrixExtents(_ a: TensorType) throws(OpError) -> (Int, Int) {
    guard a.elementType == .f32 || a.elementType == .f64 else {
      throw OpError("\(mnemonic) is defined for f32 and f64, not for \(a)")
    }
    guard a.rank >= 2 else { throw OpError("\(mnemonic) factors matrices, not \(a.detailedDescription)") }
    guard let rows = a.dimensions[a.rank - 2].fixed, let columns = a.dimensions[a.rank - 1].fixed else {
      throw .unsupported("\(mnemonic) of matrices whose extents are open: \(a.detailedDescription)")
    }
    return (rows, columns)
  }
}

extension TensorType {
  /// The type with others in the place of the last two dimensions.
  fileprivate func replacingMatrix(by extents: [Int]) -> TensorType {
    TensorType(elementType, Array(dimensions.dropLast(2)) + extents.map { Extent($0) })
  }
}

extension LUDecomposition { static let text = TextForm(LUDecomposition(), nil, attributes: []) }
extension HouseholderQR { static let text = TextForm(HouseholderQR(), nil, attributes: []) }
extension HouseholderProduct { static let text = TextForm(HouseholderProduct(), nil, attributes: []) }
extension SymmetricEigen {
  static let text = TextForm(SymmetricEigen(), nil, attributes: [.boolean("lower", \.lower)])
}
extension SingularValues {
  static let text = TextForm(SingularValues(), nil, attributes: [.boolean("full", \.full)])
}
