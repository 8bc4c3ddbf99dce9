import GraphBuilding
import IR

extension Operator {
  /// Products of matrices, and equations with them.
  static let linear: [Operator] = [
    Operator(
      "MatMul",
      one: { (n) throws(OpError) in
        n.ignore("grad_a", "grad_b")
        let (x, y) = (try n.input(0), try n.input(1))
        guard x.rank == 2, y.rank == 2 else { throw OpError("it multiplies matrices, not \(x.type) and \(y.type)") }
        let columns = try n.flag("transpose_a") ? 0 : 1
        let rows = try n.flag("transpose_b") ? 1 : 0
        return try n.dot(x, y, contracting: ([columns], [rows]))
      }),
    batchMatMul("BatchMatMul"), batchMatMul("BatchMatMulV2"), batchMatMul("BatchMatMulV3"),
    Operator(
      "Einsum",
      one: { (n) throws(OpError) in
        n.ignore("N")
        return try n.einsum(try n.string("equation", default: ""), try n.allInputs())
      }),
    Operator("Cross", one: cross),
    Operator(
      "Cholesky",
      one: { (n) throws(OpError) in
        try n.triangle(n.emit(.cholesky(Cholesky(lower: true)), [try n.input(0)]), isLower: true)
      }),
    Operator("MatrixTriangularSolve", one: triangularSolve),
    realFourier("RFFT", rank: 1), realFourier("RFFT2D", rank: 2), realFourier("RFFT3D", rank: 3),
    realInverseFourier("IRFFT", rank: 1), realInverseFourier("IRFFT2D", rank: 2),
    realInverseFourier("IRFFT3D", rank: 3),
    realFourier("RFFTND", rank: nil), realInverseFourier("IRFFTND", rank: nil), fourierOfAxes("FFTND", .forward),
    fourierOfAxes("IFFTND", .inverse), fourier("FFT", .forward, rank: 1), fourier("IFFT", .inverse, rank: 1),
    fourier("FFT2D", .forward, rank: 2),
    fourier("IFFT2D", .inverse, rank: 2), fourier("FFT3D", .forward, rank: 3), fourier("IFFT3D", .inverse, rank: 3),
  ]

  private static func batchMatMul(_ name: String) -> Operator {
    Operator(name) { (n) throws(OpError) in
      n.ignore("grad_x", "grad_y")
      var (x, y) = (try n.input(0), try n.input(1))
      let result = try n.elementType("Tout", default: x.element)
      if try n.flag("adj_x") { x = try n.adjoint(x) }
      if try n.flag("adj_y") { y = try n.adjoint(y) }
      return [try n.matmul(x, y, result: result)]
    }
  }

  private static func cross(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, y) = (try n.input(0), try n.input(1))
    guard x.shape == y.shape, x.shape.last == 3 else { throw OpError("it takes vectors of 3, not \(x.type)") }
    let axis = x.rank - 1
    func turned(_ value: Value, by count: Int, _ n: inout Lowering) throws(OpError) -> Value {
      try n.concatenate(
        [try n.slice(value, axis: axis, Extent(count), 3), try n.slice(value, axis: axis, 0, Extent(count))], axis: axis
      )
    }
    let left = try n.multiply(turned(x, by: 1, &n), turned(y, by: 2, &n))
    return try n.subtract(left, n.multiply(turned(x, by: 2, &n), turned(y, by: 1, &n)))
  }

  private static func triangularSolve(_ n: inout Lowering) throws(OpError) -> Value {
    let isLower = try n.flag("lower", default: true)
    let isAdjoint = try n.flag("adjoint")
    let (a, b) = (try n.input(0), try n.input(1))
    guard a.rank >= 2, a.rank == b.rank else { throw .unsupported("operands of different ranks") }
    let op = TriangularSolve(leftSide: true, lower: isLower, transposeA: isAdjoint ? .adjoint : .none)
    return try n.emit(.triangularSolve(op), [a, b])
  }

  /// The transform of real lines, cut or continued with zeros to the lengths that an input says.
  private static func realFourier(_ name: String, rank: Int?) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let lengths = try lengths(&n, rank)
      let x = try fitted(&n, try n.input(0), lengths)
      return [try n.emit(.fft(Fft(kind: .realForward, lengths: lengths)), [x])]
    }
  }

  /// The lengths of transforms of so many last dimensions, or of those that an input names, which must be the last ones.
  private static func lengths(_ n: inout Lowering, _ rank: Int?) throws(OpError) -> [Int] {
    let lengths = try n.integers(of: try n.input(1), "lengths")
    var count = rank ?? 0
    if rank == nil {
      let all = try n.input(0).rank
      let axes = try n.axes(try n.integers(of: try n.input(2), "axes"), rank: all)
      count = axes.count
      guard axes == Array(all - count..<all), (1...3).contains(count) else {
        throw .unsupported("transforms of the dimensions \(axes) of \(all)")
      }
    }
    guard lengths.count == count else { throw OpError("its lengths are \(lengths) for \(count) dimensions") }
    return lengths
  }

  private static func fourierOfAxes(_ name: String, _ kind: Fft.Kind) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let lengths = try lengths(&n, nil)
      let x = try fitted(&n, try n.input(0), lengths)
      return [try n.emit(.fft(Fft(kind: kind, lengths: lengths)), [x])]
    }
  }

  private static func realInverseFourier(_ name: String, rank: Int?) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let lengths = try lengths(&n, rank)
      guard let last = lengths.last else { throw OpError("it has no lengths") }
      let x = try fitted(&n, try n.input(0), lengths.dropLast() + [last / 2 + 1])
      return [try n.emit(.fft(Fft(kind: .realInverse, lengths: lengths)), [x])]
    }
  }

  /// The last dimensions cut, or continued with zeros, to these extents.
  private static func fitted(_ n: inout Lowering, _ x: Value, _ extents: [Int]) throws(OpError) -> Value {
    let rank = extents.count
    guard x.rank >= rank, extents.allSatisfy({ $0 > 0 && $0 < 1 << 40 }) else {
      throw OpError("its lengths are \(extents) for \(x.type)")
    }
    var result = x
    for (axis, extent) in zip(x.rank - rank..<x.rank, extents) {
      guard let current = result.shape[axis].fixed else { throw .unsupported("open extents") }
      if current > extent { result = try n.slice(result, axis: axis, 0, Extent(extent)) }
      guard current < extent else { continue }
      let zero = n.scalar(.zero(x.element), x.element)
      result = try n.pad(result, axis: axis, zero, low: 0, high: Extent(extent - current))
    }
    return result
  }

  private static func fourier(_ name: String, _ kind: Fft.Kind, rank: Int) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let lengths = x.shape.suffix(rank).compactMap(\.fixed)
      guard lengths.count == rank else { throw .unsupported("open extents") }
      return [try n.emit(.fft(Fft(kind: kind, lengths: lengths)), [x])]
    }
  }
}

extension Lowering {
  /// Matrices transposed, their elements conjugated.
  mutating func adjoint(_ x: Value) throws(OpError) -> Value {
    guard x.rank >= 2 else { throw OpError("it multiplies matrices, not \(x.type)") }
    let order = Array(0..<x.rank - 2) + [x.rank - 1, x.rank - 2]
    return try conjugate(transpose(x, order))
  }
}
