import GraphBuilding
import IR

extension Operator {
  /// Ops whose results' extents depend on values.
  static let selection: [Operator] = [
    Operator("Where", one: positions),
    unique("Unique", axis: nil, counts: false), unique("UniqueV2", axis: 1, counts: false),
    unique("UniqueWithCounts", axis: nil, counts: true), unique("UniqueWithCountsV2", axis: 1, counts: true),
    suppression("NonMaxSuppression", threshold: nil, leastScore: nil),
    suppression("NonMaxSuppressionV2", threshold: 3, leastScore: nil),
    suppression("NonMaxSuppressionV3", threshold: 3, leastScore: 4),
    Operator("NonMaxSuppressionV4", outputs: ["selected_indices", "valid_outputs"], suppressionWithCount),
    Operator(
      "NonMaxSuppressionV5", outputs: ["selected_indices", "selected_scores", "valid_outputs"], suppressionWithScores),
  ]

  /// The positions of what is not zero, a row each.
  private static func positions(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let flags = try n.compare(.notEqual, x, n.scalar(.zero(x.element), x.element))
    let places = try n.positions(of: n.reshape(flags, [x.type.elementCount]), "where")
    if x.rank == 0 { return try n.splat(0, .i64, places.shape + [0]) }
    let coordinates = try n.coordinates(of: places, in: x.shape)
    var columns: [Value] = []
    for column in coordinates { columns.append(try n.unsqueeze(column, 1)) }
    return try n.concatenate(columns, axis: 1)
  }

  private static func unique(_ name: String, axis: Int?, counts: Bool) -> Operator {
    Operator(name, outputs: counts ? ["y", "idx", "count"] : ["y", "idx"]) { (n) throws(OpError) in
      let element = try n.elementType("out_idx", default: .i32)
      let x = try n.input(0)
      var dimension = 0
      if let axis {
        let given = try n.integers(of: try n.input(axis), "axis")
        guard given.count <= 1 else { throw OpError("its axis is \(given)") }
        if let first = given.first { dimension = try n.axis(first, rank: x.rank) }
        guard x.rank == 1 || !given.isEmpty else { throw OpError("it takes lines, not \(x.type)") }
      } else {
        guard x.rank == 1 else { throw OpError("it takes lines, not \(x.type)") }
      }
      let parts = try n.unique(x, axis: dimension, isSorted: false)
      var outputs = [parts.values, try n.convert(parts.places, element)]
      if counts { outputs.append(try n.convert(n.counts(of: parts), element)) }
      return outputs
    }
  }

  // MARK: Boxes

  private static func suppression(_ name: String, threshold: Int?, leastScore: Int?) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let limit: Value
      if let threshold {
        limit = try n.input(threshold)
      } else {
        limit = n.scalar(try n.float("iou_threshold", default: 0.5), .f32)
      }
      return [try boxes(&n, threshold: limit, leastScore: leastScore)]
    }
  }

  /// The numbers of the boxes that are taken, the best first.
  private static func boxes(_ n: inout Lowering, threshold: Value, leastScore: Int?) throws(OpError) -> Value {
    let (boxes, scores, limit) = (try n.input(0), try n.input(1), try n.input(2))
    guard boxes.rank == 2, scores.rank == 1 else { throw OpError("its boxes are \(boxes.type) and \(scores.type)") }
    var least: Value?
    if let leastScore { least = try n.input(leastScore) }
    let rows = try n.suppressingOverlaps(
      boxes: n.unsqueeze(boxes, 0), isCentered: false, scores: n.unsqueeze(n.unsqueeze(scores, 0), 0), limit: limit,
      threshold: threshold, leastScore: least)
    return try n.convert(n.squeeze(n.slice(rows, axis: 1, 2, 3), 1), .i32)
  }

  /// The list with zeros behind it, as long as the most that may be taken, where the node asks for that.
  private static func padded(_ x: Value, _ n: inout Lowering) throws(OpError) -> Value {
    guard try n.flag("pad_to_max_output_size", default: false) else { return x }
    let most = try n.extent(2, "max_output_size")
    let zeros = try n.splat(0, x.element, [most])
    let places = try n.iota(.i64, x.shape, axis: 0)
    return try n.scatter(x, into: zeros, at: n.unsqueeze(places, 1), nil)
  }

  private static func suppressionWithCount(_ n: inout Lowering) throws(OpError) -> [Value] {
    let taken = try boxes(&n, threshold: try n.input(3), leastScore: 4)
    return [try padded(taken, &n), try n.scalar(of: taken.shape[0], .i32)]
  }

  private static func suppressionWithScores(_ n: inout Lowering) throws(OpError) -> [Value] {
    let sigma = try n.numbers(of: try n.input(5), "soft_nms_sigma")
    guard sigma.allSatisfy({ $0 == 0 }) else { throw .unsupported("scores that decrease (soft_nms_sigma)") }
    let taken = try boxes(&n, threshold: try n.input(3), leastScore: 4)
    let scores = try n.take(try n.input(1), taken, axis: 0)
    return [try padded(taken, &n), try padded(scores, &n), try n.scalar(of: taken.shape[0], .i32)]
  }
}
