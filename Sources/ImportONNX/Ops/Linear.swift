import Foundation
import GraphBuilding
import IR

extension Operator {
  /// Products of matrices.
  static let linear: [Operator] = [
    Operator("MatMul", one: { (n) throws(OpError) in try n.matmul(try n.input(0), try n.input(1)) }),
    Operator("Gemm", one: gemm),
    Operator("Einsum", one: einsum),
    Operator("Det", one: determinant),
  ]

  /// `alpha * A' * B' + beta * C`.
  private static func gemm(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("broadcast")
    let (a, b) = (try n.input(0), try n.input(1))
    guard a.rank == 2, b.rank == 2 else { throw OpError("it multiplies matrices, not \(a.type) and \(b.type)") }
    let columns = try n.flag("transA") ? 0 : 1
    let rows = try n.flag("transB") ? 1 : 0
    let alpha = try n.float("alpha", default: 1)
    let beta = try n.float("beta", default: 1)
    var result = try n.dot(a, b, contracting: ([columns], [rows]))
    if alpha != 1 { result = try n.multiply(result, alpha) }
    guard var c = n.optional(2), beta != 0 else { return result }
    if beta != 1 { c = try n.multiply(c, beta) }
    return try n.add(result, n.broadcast(c, to: result.shape))
  }

  /// The determinants of the matrices in the last two dimensions, by elimination with pivots.
  private static func determinant(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    guard x.rank >= 2, let size = x.shape[x.rank - 1].fixed, x.shape[x.rank - 2] == Extent(size) else {
      throw OpError("its input \(x.type) does not hold square matrices")
    }
    guard size <= 32 else { return try n.determinant(x) }
    let batch: Extent = x.shape.dropLast(2).reduce(.one) { $0 * $1 }
    var matrix = try n.reshape(x, [batch, Extent(size), Extent(size)])
    var result = try n.splat(1, x.element, [batch])
    for step in 0..<size {
      let left = Extent(size - step)
      // The pivot is the row whose first element is greatest.
      let first = try n.reshape(n.slice(matrix, axis: 2, 0, 1), [batch, left])
      let pivot = try n.position(of: .greater, in: n.map(.abs, first), axis: 1, wantsLast: false)
      let indices = try n.iota(.i64, [batch, left], axis: 1)
      let isPivot = try n.compare(.equal, indices, n.reshape(pivot, [batch, .one]))
      let mask = try n.reshape(n.convert(isPivot, x.element), [batch, left, .one])
      let row = try n.reduce(n.multiply(matrix, mask), [1], .add, keep: true)
      let top = try n.slice(matrix, axis: 1, 0, 1)
      let head = try n.slice(row, axis: 2, 0, 1)
      let isFirst = try n.compare(.equal, n.reshape(pivot, [batch]), 0)
      let sign = try n.select(isFirst, n.splat(1, x.element, [batch]), n.splat(-1, x.element, [batch]))
      result = try n.multiply(n.multiply(result, sign), n.reshape(head, [batch]))
      guard step + 1 < size else { break }
      // The first row takes the pivot's place.
      let keeps = try n.reshape(isPivot, [batch, left, .one])
      let swapped = try n.select(keeps, n.broadcast(top, to: matrix.shape), matrix)
      let rest = try n.slice(swapped, axis: 1, 1, left)
      let isSingular = try n.compare(.equal, head, 0)
      let divisor = try n.select(isSingular, n.splat(1, like: head), head)
      let factors = try n.divide(n.slice(rest, axis: 2, 0, 1), divisor)
      let reduced = try n.subtract(rest, n.multiply(factors, row))
      matrix = try n.slice(reduced, axis: 2, 1, left)
    }
    return try n.reshape(result, Array(x.shape.dropLast(2)))
  }

  private static func einsum(_ n: inout Lowering) throws(OpError) -> Value {
    try n.einsum(try n.required(n.string("equation"), "equation"), try n.allInputs())
  }
}
