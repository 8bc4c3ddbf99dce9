import GraphBuilding
import IR

extension Operator {
  /// What prepares features for classical models.
  static let features: [Operator] = [
    Operator("ArrayFeatureExtractor", domain: learning, one: extract),
    Operator("Binarizer", domain: learning, one: binarize),
  ]

  /// The elements along the last dimension at positions, which are one line whatever their shape.
  private static func extract(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices) = (try n.input(0), try n.input(1))
    guard x.rank >= 1, indices.element.isInteger else { throw OpError("its inputs are \(x.type) and \(indices.type)") }
    let rows = x.rank == 1 ? try n.unsqueeze(x, 0) : x
    return try n.take(rows, n.reshape(indices, [indices.type.elementCount]), axis: rows.rank - 1)
  }

  /// 1 where an element is greater than a threshold, 0 elsewhere.
  private static func binarize(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let threshold = try n.float("threshold", default: 0)
    guard x.element.isFloat || x.element.isInteger else { throw OpError("its input is \(x.type)") }
    // Of integers those that are greater than the threshold rounded down.
    let limit = x.element.isInteger ? threshold.rounded(.down) : threshold
    guard x.element.isFloat || (x.element.lowest.realValue..<x.element.highest.realValue).contains(limit) else {
      return try n.splat(limit < 0 ? 1 : 0, like: x)
    }
    return try n.convert(n.compare(.greater, x, limit), x.element)
  }
}
