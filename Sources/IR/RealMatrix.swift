/// A matrix of doubles with the obvious algorithms, by which `evaluate` judges factorizations.
struct RealMatrix {
  let rows: Int
  let columns: Int
  private var elements: [Double]

  init(_ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double) {
    (self.rows, self.columns) = (rows, columns)
    elements = (0..<rows * columns).map { element($0 / columns, $0 % columns) }
  }

  subscript(i: Int, j: Int) -> Double {
    get { elements[i * columns + j] }
    set { elements[i * columns + j] = newValue }
  }

  var transposed: RealMatrix { RealMatrix(columns, rows) { self[$1, $0] } }

  /// The matrices in the last two dimensions of a literal.
  static func all(of literal: Literal) -> [RealMatrix] {
    let (shape, values) = (literal.dimensions, literal.scalars.map(\.realValue))
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    return (0..<shape.dropLast(2).reduce(1, *)).map { batch in
      RealMatrix(rows, columns) { values[(batch * rows + $0) * columns + $1] }
    }
  }

  static func literal(_ matrices: [RealMatrix], like type: TensorType) -> Literal {
    let values = matrices.flatMap { $0.elements.map { Scalar($0, type.elementType) } }
    return Literal(type.elementType, type.fixedDimensions ?? [], values)
  }

  // MARK: Reflections

  /// Makes the matrix triangular; the factors of the reflections, whose vectors are below the diagonal.
  mutating func reflect() -> [Double] {
    (0..<min(rows, columns)).map { j in
      let below = (j + 1)..<max(rows, j + 1)
      let scale = (j..<rows).reduce(0) { max($0, abs(self[$1, j])) }
      if below.allSatisfy({ self[$0, j] == 0 }) { return 0 }
      let norm = scale * (j..<rows).reduce(0) { $0 + (self[$1, j] / scale) * (self[$1, j] / scale) }.squareRoot()
      let alpha = self[j, j]
      let beta = alpha < 0 ? norm : -norm
      let tau = (beta - alpha) / beta
      for i in below { self[i, j] /= alpha - beta }
      self[j, j] = beta
      for k in (j + 1)..<max(columns, j + 1) {
        let sum = tau * below.reduce(self[j, k]) { $0 + self[$1, j] * self[$1, k] }
        self[j, k] -= sum
        for i in below { self[i, k] -= sum * self[i, j] }
      }
      return tau
    }
  }

  /// The first columns of the product of reflections whose vectors are below the diagonal.
  func product(_ factors: [Double], columns count: Int) -> RealMatrix {
    var q = RealMatrix(rows, count) { $0 == $1 ? 1 : 0 }
    for (j, tau) in factors.enumerated().reversed() {
      for k in 0..<count {
        let below = (j + 1)..<max(rows, j + 1)
        let sum = tau * below.reduce(q[j, k]) { $0 + self[$1, j] * q[$1, k] }
        q[j, k] -= sum
        for i in below { q[i, k] -= sum * self[i, j] }
      }
    }
    return q
  }

  // MARK: Rotations

  private static let sweepLimit = 60

  /// Rotates two columns.
  private mutating func rotate(_ p: Int, _ q: Int, _ c: Double, _ s: Double) {
    for i in 0..<rows { (self[i, p], self[i, q]) = (c * self[i, p] - s * self[i, q], s * self[i, p] + c * self[i, q]) }
  }

  /// The cosine and sine that make `[[a, b], [b, d]]` diagonal.
  private static func rotation(_ a: Double, _ b: Double, _ d: Double) -> (Double, Double) {
    let theta = (d - a) / (2 * b)
    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    return (c, t * c)
  }

  /// Eigenvectors as columns and eigenvalues, ascending, of a symmetric matrix: Jacobi's rotations.
  func eigenvectors() -> (RealMatrix, [Double]) {
    let n = rows
    var (a, v) = (self, RealMatrix(n, n) { $0 == $1 ? 1 : 0 })
    let norm = elements.reduce(0) { max($0, abs($1)) }
    if elements.contains(where: { !$0.isFinite }) {
      return (RealMatrix(n, n) { _, _ in .nan }, [Double](repeating: .nan, count: n))
    }
    for _ in 0..<Self.sweepLimit {
      var isDiagonal = true
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) where abs(a[p, q]) > 0x1p-60 * norm {
          isDiagonal = false
          let (c, s) = Self.rotation(a[p, p], a[p, q], a[q, q])
          a.rotate(p, q, c, s)
          a = a.transposed
          a.rotate(p, q, c, s)
          v.rotate(p, q, c, s)
        }
      }
      if isDiagonal { break }
    }
    let order = (0..<n).sorted { (a[$0, $0], $0) < (a[$1, $1], $1) }
    return (RealMatrix(n, n) { v[$0, order[$1]] }, order.map { a[$0, $0] })
  }

  /// Vectors and singular values, descending, of a matrix that is no wider than high: one-sided rotations.
  func singularVectors(full: Bool) -> (RealMatrix, [Double], RealMatrix) {
    let n = columns
    let scale = elements.reduce(0) { max($0, abs($1)) }
    if elements.contains(where: { !$0.isFinite }) {
      let nan = RealMatrix(rows, full ? rows : n) { _, _ in .nan }
      return (nan, [Double](repeating: .nan, count: n), RealMatrix(n, n) { _, _ in .nan })
    }
    var a = RealMatrix(rows, n) { scale == 0 ? 0 : self[$0, $1] / scale }
    var v = RealMatrix(n, n) { $0 == $1 ? 1 : 0 }
    func dot(_ p: Int, _ q: Int) -> Double { (0..<rows).reduce(0) { $0 + a[$1, p] * a[$1, q] } }
    for _ in 0..<Self.sweepLimit {
      var isDiagonal = true
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) {
          let (x, y, z) = (dot(p, p), dot(p, q), dot(q, q))
          guard abs(y) > 0x1p-50 * (x * z).squareRoot(), abs(y) > 0x1p-120 else { continue }
          isDiagonal = false
          let (c, s) = Self.rotation(x, y, z)
          a.rotate(p, q, c, s)
          v.rotate(p, q, c, s)
        }
      }
      if isDiagonal { break }
    }
    let lengths = (0..<n).map { dot($0, $0).squareRoot() }
    let order = (0..<n).sorted { lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1] }
    // Reflections of the columns complete those that are zero.
    var u = RealMatrix(rows, n) { lengths[order[$1]] == 0 ? 0 : a[$0, order[$1]] / lengths[order[$1]] }
    let factors = u.reflect()
    let q = u.product(factors, columns: full ? rows : n)
    let turned = RealMatrix(rows, q.columns) { $1 < n && u[$1, $1] < 0 ? -q[$0, $1] : q[$0, $1] }
    return (turned, order.map { lengths[$0] * scale }, RealMatrix(n, n) { v[$0, order[$1]] })
  }
}
