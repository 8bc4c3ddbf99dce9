import GraphBuilding
import IR

extension Operator {
  /// Ops whose results' extents depend on values.
  static let selection: [Operator] = [
    Operator("Compress", one: compress),
    Operator("NonZero", one: nonZero),
    Operator("NonMaxSuppression", one: nonMaxSuppression),
    Operator("Unique", unique),
  ]

  private static func compress(_ n: inout Lowering) throws(OpError) -> Value {
    var x = try n.input(0)
    let condition = try n.input(1)
    guard condition.rank == 1, condition.element == .i1 else { throw OpError("its condition is \(condition.type)") }
    var axis = 0
    if let given = try n.int("axis") {
      axis = try n.axis(given, rank: x.rank)
    } else {
      x = try n.reshape(x, [x.type.elementCount])
    }
    guard let known = n.content(of: condition)?.compactMap(\.fixed) else {
      if let most = condition.shape[0].fixed, let extent = x.shape[axis].fixed, most > extent {
        throw OpError("its condition has \(most) elements for \(extent)")
      }
      return try n.take(x, n.positions(of: condition, "compress"), axis: axis)
    }
    let positions = known.indices.filter { known[$0] != 0 }
    if let extent = x.shape[axis].fixed, let last = positions.last, last >= extent {
      throw OpError("its condition chooses position \(last) of \(extent)")
    }
    return try n.take(x, n.vector(positions), axis: axis)
  }

  private static func nonZero(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    if let literal = n.constantLiteral(of: x) { return n.constant(positions(of: literal)) }
    let zero = n.scalar(.zero(x.element), x.element)
    let flags = try n.compare(.notEqual, x, zero)
    let places = try n.positions(of: n.reshape(flags, [x.type.elementCount]), "nonzero")
    if x.rank == 0 { return try n.broadcast(n.vector([Int]()), to: [0] + places.shape, at: [0]) }
    let rows = try n.coordinates(of: places, in: x.shape)
    var lines: [Value] = []
    for row in rows { lines.append(try n.unsqueeze(row, 0)) }
    return try n.concatenate(lines, axis: 0)
  }

  private static func positions(of literal: Literal) -> Literal {
    let zero = Scalar.zero(literal.elementType)
    let positions = allIndices(literal.dimensions).filter { literal[$0] != zero && literal[$0] != .real(-0.0) }
    let rank = literal.dimensions.count
    var elements: [Scalar] = []
    for d in 0..<rank { for index in positions { elements.append(.integer(Int64(index[d]))) } }
    return Literal(.i64, [rank, positions.count], elements)
  }

  private static func unique(_ n: inout Lowering) throws(OpError) -> [Value] {
    var x = try n.input(0)
    let isSorted = try n.flag("sorted", default: true)
    var axis = 0
    if let given = try n.int("axis") {
      axis = try n.axis(given, rank: x.rank)
    } else {
      x = try n.reshape(x, [x.type.elementCount])
    }
    let parts = try n.unique(x, axis: axis, isSorted: isSorted)
    var outputs = [parts.values, parts.firsts, parts.places]
    if n.wantsOutput(3) { outputs.append(try n.counts(of: parts)) }
    return Array(outputs.prefix(max(1, n.outputCount)))
  }

  private static func nonMaxSuppression(_ n: inout Lowering) throws(OpError) -> Value {
    let (boxes, scores) = (try n.input(0), try n.input(1))
    let (limit, threshold, leastScore) = (n.optional(2), n.optional(3), n.optional(4))
    let isCentered = try n.flag("center_point_box")
    return try n.suppressingOverlaps(
      boxes: boxes, isCentered: isCentered, scores: scores, limit: limit ?? n.scalar(0, .i64),
      threshold: threshold ?? n.scalar(0, .f32), leastScore: leastScore)
  }
}
