import IR
import Testing

@Suite struct LinearAlgebraTests {
  private func complex(_ dimensions: [Int], _ values: [(Double, Double)]) -> Literal {
    Literal(.complex128, dimensions, values.map { Scalar.complex($0.0, $0.1) })
  }

  private func expect(_ literal: Literal, near expected: [(Double, Double)], _ tolerance: Double = 1e-7) {
    #expect(literal.elementCount == expected.count)
    for (value, wanted) in zip(literal.scalars, expected) {
      #expect((value.realValue - wanted.0).magnitude <= tolerance * max(1, wanted.0.magnitude))
      #expect((value.imaginaryValue - wanted.1).magnitude <= tolerance * max(1, wanted.1.magnitude))
    }
  }

  private func transform(_ kind: Fft.Kind, _ lengths: [Int], _ x: Literal) throws -> Literal {
    try evaluate(.fft(Fft(kind: kind, lengths: lengths)), [x])[0]
  }

  @Test func fourierTransforms() throws {
    let real = { (shape: [Int], values: [Double]) in Literal(.f64, shape, values.map { Scalar.real($0) }) }
    let x = real([2, 5], Reference.real)
    let z = complex([2, 3, 4], Reference.complex)
    expect(try transform(.realForward, [5], x), near: Reference.rfft)
    expect(try transform(.forward, [4], z), near: Reference.fft)
    expect(try transform(.inverse, [3, 4], z), near: Reference.ifft2)
    expect(try transform(.realForward, [3, 4], real([2, 3, 4], Reference.image)), near: Reference.rfft2)
    let image = try transform(.realInverse, [3, 4], complex([2, 3, 3], Reference.half))
    expect(image, near: Reference.irfft2.map { ($0, 0) })
    let back = try transform(.forward, [3, 4], try transform(.inverse, [3, 4], z))
    expect(back, near: Reference.complex, 1e-12)
    let odd = try transform(.realInverse, [5], try transform(.realForward, [5], x))
    expect(odd, near: Reference.real.map { ($0, 0) }, 1e-12)
  }

  @Test func cholesky() throws {
    let a = complex([2, 3, 3], Reference.hermitian)
    expect(try evaluate(.cholesky(Cholesky(lower: true)), [a])[0], near: Reference.factor)
    let upper = try evaluate(.cholesky(Cholesky(lower: false)), [a])[0]
    for batch in 0..<2 {
      for i in 0..<3 {
        for j in 0..<3 {
          let wanted = Reference.factor[batch * 9 + j * 3 + i]
          let value = upper[[batch, i, j]]
          #expect((value.realValue - wanted.0).magnitude < 1e-7 && (value.imaginaryValue + wanted.1).magnitude < 1e-7)
        }
      }
    }
    let indefinite = try evaluate(.cholesky(Cholesky(lower: true)), [f32([2, 2], [1, 2, 2, 1])])[0]
    #expect(indefinite[0].realValue.isNaN && indefinite[1] == .real(0) && indefinite[3].realValue.isNaN)
  }

  @Test func triangularSolves() throws {
    let a = complex([3, 3], Reference.matrix)
    for leftSide in [true, false] {
      let b = complex(leftSide ? [3, 2] : [2, 3], Reference.right)
      for lower in [true, false] {
        for unitDiagonal in [true, false] {
          for transposition in TriangularSolve.Transposition.allCases {
            let solve = TriangularSolve(
              leftSide: leftSide, lower: lower, unitDiagonal: unitDiagonal, transposeA: transposition)
            let x = try evaluate(.triangularSolve(solve), [a, b])[0]
            let matrix = triangle(a, solve)
            expect(leftSide ? product(matrix, x) : product(x, matrix), near: Reference.right, 1e-9)
          }
        }
      }
    }
  }

  /// What the solve reads of the matrix, transposed as it asks.
  private func triangle(_ a: Literal, _ solve: TriangularSolve) -> Literal {
    Literal.gathering(.complex128, a.dimensions) { index in
      let source = solve.transposeA == .none ? index : [index[1], index[0]]
      if source[0] == source[1] && solve.unitDiagonal { return .complex(1, 0) }
      guard solve.lower ? source[0] >= source[1] : source[0] <= source[1] else { return .complex(0, 0) }
      let value = a[source]
      return solve.transposeA == .adjoint ? .complex(value.realValue, -value.imaginaryValue) : value
    }
  }

  private func product(_ a: Literal, _ b: Literal) -> Literal {
    Literal.gathering(.complex128, [a.dimensions[0], b.dimensions[1]]) { index in
      var (re, im) = (0.0, 0.0)
      for k in 0..<a.dimensions[1] {
        let (x, y) = (a[[index[0], k]], b[[k, index[1]]])
        re += x.realValue * y.realValue - x.imaginaryValue * y.imaginaryValue
        im += x.realValue * y.imaginaryValue + x.imaginaryValue * y.realValue
      }
      return .complex(re, im)
    }
  }

  @Test func constraints() {
    let fft = { (kind: Fft.Kind, lengths: [Int]) in Op.fft(Fft(kind: kind, lengths: lengths)) }
    let cholesky = Op.cholesky(Cholesky(lower: true))
    let left = Op.triangularSolve(TriangularSolve(leftSide: true, lower: true))
    let refused = [
      RefusedApplication("C1", fft(.forward, [2, 3]), [type(.complex64, 3)], "over 2 dimensions does not fit"),
      RefusedApplication("C2", fft(.forward, [3]), [type(.f32, 3)], "FFT transforms complex numbers, not f32"),
      RefusedApplication("C2", fft(.realForward, [3]), [type(.complex64, 3)], "RFFT transforms f32 and f64"),
      RefusedApplication("C3", fft(.forward, []), [type(.complex64, 3)], "fft transforms 1 to 3 dimensions, not 0"),
      RefusedApplication("C4", fft(.realForward, [4]), [type(.f32, 3)], "RFFT of length [4] does not fit"),
      RefusedApplication("C5", fft(.realInverse, [4]), [type(.complex64, 4)], "IRFFT of length [4] does not fit"),
      RefusedApplication("I1", cholesky, [type(.i32, 2, 2)], "defined for floats and complex numbers"),
      RefusedApplication("C2", cholesky, [type(.f32, 2)], "factors matrices"),
      RefusedApplication("C3", cholesky, [type(.f32, 2, 3)], "factors square matrices"),
      RefusedApplication("C1", left, [type(.f32, 2, 2), type(.f64, 2, 2)], "needs one element type"),
      RefusedApplication("C2", left, [type(.f32, 2, 2), type(.f32, 2)], "needs matrices of one rank"),
      RefusedApplication("C3", left, [type(.f32, 2, 2), type(.f32, 3, 2)], "cannot solve with"),
      RefusedApplication("C3", left, [type(.f32, 2, 2, 2), type(.f32, 3, 2, 2)], "cannot solve with"),
    ]
    for application in refused { application.check() }
  }

  /// Transforms and factors computed in f64 by an independent library.
  private enum Reference {
    static let real: [Double] = [
      0, 0.3, -0.27, -0.89, -0.45, -0.99,
      0.06, 1.34, -0.49, -0.62,
    ]
    static let complex: [(Double, Double)] = [
      (0.49, 1.06), (0.36, -0.81), (0.11, -0.03),
      (-0.93, 0.88), (-0.03, -0.58), (0.7, -0.11),
      (-1.34, 0.11), (-0.46, 0.06), (-1.9, -1.23),
      (-1.29, 0.08), (-1.84, 1.36), (-0.24, -1.55),
      (-1.27, 0.86), (0.27, 0.12), (0.16, -0.64),
      (-0.19, 2), (-2.52, 0.76), (-0.54, -1.2),
      (-0.05, 0.07), (0.11, 0.58), (-1.53, -0.19),
      (-0.48, 0.68), (-0.98, -0.07), (-0.81, 0.67),
    ]
    static let rfft: [(Double, Double)] = [
      (-1.31, 0), (0.892107164, -1.07771924), (-0.237107164, 0.148816101),
      (-0.7, 0), (-1.85071396, -1.72236544), (-0.274286038, 1.34073945),
    ]
    static let fft: [(Double, Double)] = [
      (0.03, 1.1), (-1.31, -0.2), (1.17, 0.96),
      (2.07, 2.38), (-1.13, -0.52), (1.14, -1.85),
      (-1.61, -0.42), (1.48, 0.47), (-5.27, -1.34),
      (1.57, -1.54), (-2.21, 1.6), (-1.69, -3.64),
      (-1.03, 2.34), (-3.31, 1.04), (-1.19, -1.9),
      (0.45, 1.96), (-3, 0.21), (-4.25, 1.34),
      (-2.14, 1.45), (-0.69, 0.04), (-3.8, 1.09),
      (-0.54, -0.45), (-1.22, -1.61), (-0.56, 0.21),
    ]
    static let ifft2: [(Double, Double)] = [
      (-0.530833333, -0.0633333333), (0.155, -0.0658333333), (-0.220833333, 0.178333333),
      (0.116666667, -0.299166667), (0.209988264, 0.467945431), (-0.115363701, 0.559191711),
      (0.40244761, 0.0741346035), (-0.19971101, 0.0935507564), (0.328345069, -0.129612098),
      (0.477863701, 0.101641623), (0.110885724, -0.0124679369), (-0.244455656, 0.15561591),
      (-0.6525, 0.303333333), (-0.0666666667, 0.184166667), (-0.379166667, -0.171666667),
      (-0.675, 0.160833333), (0.26100853, 0.19856836), (0.101852027, 0.143534725),
      (-0.180003145, -0.218061948), (-0.205432123, -0.218162854), (0.13399147, 0.0830983064),
      (0.0773146401, 0.162298609), (0.261669811, -0.0852713857), (0.0529321227, 0.317329521),
    ]
    static let half: [(Double, Double)] = [
      (-1.4, 0), (4.17, -0.73), (2.94, 0),
      (1.45, 1.54), (2.31, 2), (2.7, -1.49),
      (1.45, -1.54), (-2.76, -0.61), (2.7, 1.49),
      (-0.11, 0), (2.88, -0.99), (0.99, 0),
      (-2.8, -0.61), (0.88, 2.11), (2.92, -2.17),
      (-2.8, 0.61), (-0.43, 4.55), (2.92, 2.17),
    ]
    static let irfft2: [Double] = [
      1.44, -0.68, 0.2, -0.46, 0.131062071, -1.1891343,
      -0.580495828, -0.200551363, 0.898937929, 1.1491343, -1.31950417, -0.789448637,
      0.648333333, -1.99, -0.461666667, -0.1, 1.25927543, 0.690751182,
      -0.330091894, -0.371084392, -0.247608768, 1.51924882, -0.42824144, -0.298915608,
    ]
    static let image: [Double] = [
      0.35, -0.12, -0.2, -1.11, -0.01, -0.44,
      1.17, 0.65, -0.02, 0.67, -0.34, 1.05,
      -0.01, 0.58, -1.29, 0.35, -1.69, -2.04,
      -0.3, -0.9, 0.16, 2.24, -0.83, -0.62,
    ]
    static let rfft2: [(Double, Double)] = [
      (1.65, 0), (-0.31, 0.48), (0.25, 0),
      (-2.445, -0.00866025404), (1.59487804, -0.425961894), (1.945, -2.62405697),
      (-2.445, 0.00866025404), (0.365121963, -3.02403811), (1.945, 2.62405697),
      (-4.35, 0), (0.88, -1.95), (-3.57, 0),
      (1.62, 5.09222937), (4.94410162, 2.69114046), (-1.56, -2.80592231),
      (1.62, -5.09222937), (-1.98410162, -1.43114046), (-1.56, 2.80592231),
    ]
    static let hermitian: [(Double, Double)] = [
      (9.26, 0), (-3, 0.2), (0.7, 0.87),
      (-3, -0.2), (8.17, 0), (-1.81, -1.5),
      (0.7, -0.87), (-1.81, 1.5), (5.42, 0),
      (10.92, 0), (-1.51, -1.27), (4.41, -3.9),
      (-1.51, 1.27), (4.09, 0), (-0.92, 1.18),
      (4.41, 3.9), (-0.92, -1.18), (9.82, 0),
    ]
    static let factor: [(Double, Double)] = [
      (3.04302481, 0), (0, 0), (0, 0),
      (-0.98586117, -0.065724078), (2.68211821, 0), (0, 0),
      (0.230034273, -0.285899739), (-0.597292331, 0.44853495), (2.17425938, 0),
      (3.30454233, 0), (0, 0), (0, 0),
      (-0.456946787, 0.384319483), (1.93222622, 0), (0, 0),
      (1.33452671, 1.18019369), (-0.395276561, -0.0661566792), (2.54667647, 0),
    ]
    static let matrix: [(Double, Double)] = [
      (1.95, -0.33), (-0.79, -0.56), (-0.63, 0.01),
      (-1.28, -0.38), (3.26, -0.3), (-0.15, -1.38),
      (0.97, -0.81), (0.01, 1.65), (1.31, -0.67),
    ]
    static let right: [(Double, Double)] = [
      (-1.05, -1.76), (0.34, 0.73), (1.41, -0.02),
      (-1.45, 0.07), (-0.21, -0.75), (-0.63, 0.45),
    ]
  }
}
