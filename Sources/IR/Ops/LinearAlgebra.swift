/// The triangular factor of positive definite matrices (StableHLO spec, "cholesky").
///
/// `%r = stablehlo.cholesky %a, lower = true : tensor<2x3x3xf32>`
///
/// The other triangle of the result is zero; where a matrix is not positive definite, its result is NaN.
public struct Cholesky: OpDefinition {
  public var lower: Bool
  public init(lower: Bool = false) { self.lower = lower }
  public var mnemonic: String { "stablehlo.cholesky" }
  public var op: Op { .cholesky(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let a = try single(operands)
    guard a.elementType.isFloat || a.elementType.isComplex else {  // (I1)
      throw OpError("cholesky is defined for floats and complex numbers, not for \(a)")
    }
    guard a.rank >= 2 else { throw OpError("cholesky factors matrices, not \(a.detailedDescription)") }  // (C2)
    guard a.dimensions[a.rank - 1] == a.dimensions[a.rank - 2] else {  // (C3)
      throw OpError("cholesky factors square matrices, not \(a.detailedDescription)")
    }
    return [a]  // (C1)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let a = operands[0]
    let n = a.dimensions[a.type.rank - 1]
    let elements = a.scalars.map { ComplexNumber($0) }
    var values: [Scalar] = []
    for start in stride(from: 0, to: elements.count, by: max(1, n * n)) {
      // The upper factor is the lower one's conjugate transpose; each reads its own triangle of `a`.
      let factor = lowerFactor(n) { i, j in
        lower ? elements[start + i * n + j] : elements[start + j * n + i].conjugate
      }
      for i in 0..<n {
        for j in 0..<n {
          let element = lower ? factor[i * n + j] : factor[j * n + i].conjugate
          values.append(a.elementType.isComplex ? element.scalar(a.elementType) : .real(element.re))
        }
      }
    }
    return [Literal(a.elementType, a.dimensions, values)]
  }

  private func lowerFactor(_ n: Int, _ a: (Int, Int) -> ComplexNumber) -> [ComplexNumber] {
    var l = [ComplexNumber](repeating: .zero, count: n * n)
    for j in 0..<n {
      var diagonal = a(j, j).re
      for k in 0..<j { diagonal -= l[j * n + k].squaredMagnitude }
      guard diagonal > 0 else {
        let nan = ComplexNumber(.nan, .nan)
        return (0..<n * n).map { $0 % n <= $0 / n ? nan : .zero }
      }
      let root = diagonal.squareRoot()
      l[j * n + j] = ComplexNumber(root, 0)
      for i in (j + 1)..<max(n, j + 1) {
        var sum = a(i, j)
        for k in 0..<j { sum = sum - l[i * n + k] * l[j * n + k].conjugate }
        l[i * n + j] = ComplexNumber(sum.re / root, sum.im / root)
      }
    }
    return l
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

/// The solutions of linear equations with a triangular matrix (StableHLO spec, "triangular_solve").
///
/// `%x = "stablehlo.triangular_solve"(%a, %b) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>} : (tensor<3x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>`
public struct TriangularSolve: OpDefinition {
  public enum Transposition: String, Hashable, Sendable, CaseIterable {
    case none = "NO_TRANSPOSE"
    case transpose = "TRANSPOSE"
    case adjoint = "ADJOINT"
  }

  /// Whether `a * x = b` is solved, else `x * a = b`.
  public var leftSide: Bool
  public var lower: Bool
  public var unitDiagonal: Bool
  public var transposeA: Transposition
  public init(leftSide: Bool, lower: Bool, unitDiagonal: Bool = false, transposeA: Transposition = .none) {
    self.leftSide = leftSide
    self.lower = lower
    self.unitDiagonal = unitDiagonal
    self.transposeA = transposeA
  }
  public var mnemonic: String { "stablehlo.triangular_solve" }
  public var op: Op { .triangularSolve(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (a, b) = (operands[0], operands[1])
    guard a.elementType == b.elementType else {  // (C1)
      throw OpError("triangular_solve needs one element type, not \(a.elementType) and \(b.elementType)")
    }
    guard a.elementType.isFloat || a.elementType.isComplex else {  // (I1)
      throw OpError("triangular_solve is defined for floats and complex numbers, not for \(a)")
    }
    let rank = a.rank
    guard rank >= 2, b.rank == rank else {  // (C2)
      throw OpError(
        "triangular_solve needs matrices of one rank, not \(a.detailedDescription) and \(b.detailedDescription)")
    }
    let side = b.dimensions[leftSide ? rank - 2 : rank - 1]
    guard a.dimensions.dropLast(2) == b.dimensions.dropLast(2),  // (C3)
      a.dimensions[rank - 2] == a.dimensions[rank - 1], a.dimensions[rank - 1] == side
    else {
      throw OpError("triangular_solve cannot solve with \(a.detailedDescription) for \(b.detailedDescription)")
    }
    return [b]  // (C4)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (a, b) = (operands[0], operands[1])
    let rank = a.type.rank
    let n = a.dimensions[rank - 1]
    let (rows, columns) = (b.dimensions[rank - 2], b.dimensions[rank - 1])
    let (matrix, right) = (a.scalars.map { ComplexNumber($0) }, b.scalars.map { ComplexNumber($0) })
    var x = right
    let batches = b.dimensions.dropLast(2).reduce(1, *)
    for batch in 0..<batches {
      let (aStart, bStart) = (batch * n * n, batch * rows * columns)
      // Solving x * a = b is solving transposed a * transposed x = transposed b.
      let isTransposed = (transposeA != .none) != !leftSide
      func coefficient(_ i: Int, _ j: Int) -> ComplexNumber {
        let value = matrix[aStart + (isTransposed ? j * n + i : i * n + j)]
        return transposeA == .adjoint ? value.conjugate : value
      }
      let isLower = lower != isTransposed
      for line in 0..<(leftSide ? columns : rows) {
        func place(_ i: Int) -> Int { bStart + (leftSide ? i * columns + line : line * columns + i) }
        for step in 0..<n {
          let i = isLower ? step : n - 1 - step
          var sum = right[place(i)]
          for j in isLower ? 0..<i : (i + 1)..<n { sum = sum - coefficient(i, j) * x[place(j)] }
          x[place(i)] = unitDiagonal ? sum : sum / coefficient(i, i)
        }
      }
    }
    let type = b.elementType
    return [Literal(type, b.dimensions, x.map { type.isComplex ? $0.scalar(type) : .real($0.re) })]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }
}

extension Cholesky {
  static let text = TextForm(
    Cholesky(), "operands `,` `lower` `=` $lower attr-dict `:` same-type", attributes: [.boolean("lower", \.lower)])
}

extension TriangularSolve {
  static let text = TextForm(
    TriangularSolve(leftSide: true, lower: true), nil,
    attributes: [
      .boolean("left_side", \.leftSide), .boolean("lower", \.lower), .boolean("unit_diagonal", \.unitDiagonal),
      .enumeration(
        "transpose_a", kind: "stablehlo<transpose", \.transposeA, default: TriangularSolve.Transposition.none),
    ])
}
