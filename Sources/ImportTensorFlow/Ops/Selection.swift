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
    Operator(
      "CombinedNonMaxSuppression",
      outputs: ["nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"], suppressionOfClasses),
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
    guard sigma.count == 1, sigma[0] >= 0 else { throw OpError("its soft_nms_sigma is \(sigma)") }
    guard sigma[0] > 0 else {
      let taken = try boxes(&n, threshold: try n.input(3), leastScore: 4)
      let scores = try n.take(try n.input(1), taken, axis: 0)
      return [try padded(taken, &n), try padded(scores, &n), try n.scalar(of: taken.shape[0], .i32)]
    }
    let (boxes, scores) = (try n.input(0), try n.input(1))
    try n.unify(boxes.shape, scores.shape + [4], "its boxes are \(boxes.type) and \(scores.type)")
    let taken = try n.loweringScoresOfOverlaps(
      boxes: boxes, scores: scores, limit: try n.input(2), threshold: try n.input(3), leastScore: try n.input(4),
      sigma: sigma[0])
    let numbers = try n.convert(taken.numbers, .i32)
    return [try padded(numbers, &n), try padded(taken.scores, &n), try n.scalar(of: numbers.shape[0], .i32)]
  }

  /// Boxes of all classes of each batch, those with the best scores first, and zeros behind them.
  private static func suppressionOfClasses(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (boxes, scores) = (try n.input(0), try n.input(1))
    let (perClass, total) = (try n.integer(2, "max_output_size_per_class"), try n.integer(3, "max_total_size"))
    let isPaddedByClass = try n.flag("pad_per_class")
    let clips = try n.flag("clip_boxes", default: true)
    guard boxes.rank == 4, scores.rank == 3, boxes.shape[3] == 4, perClass > 0, total > 0, perClass < 1 << 31,
      total < 1 << 31
    else { throw OpError("its boxes are \(boxes.type), its scores \(scores.type)") }
    let (batch, count, classes) = (scores.shape[0], scores.shape[1], scores.shape[2])
    let isShared = boxes.shape[2] == .one
    try n.unify(
      Array(boxes.shape.prefix(3)), [batch, count, isShared ? .one : classes],
      "its boxes \(boxes.type) do not fit its scores \(scores.type)")
    // Boxes that each class has for itself make a batch of each class.
    let byClass = try n.transpose(boxes, [0, 2, 1, 3])
    let scoresByClass = try n.transpose(scores, [0, 2, 1])
    let lists = batch * boxes.shape[2]
    let taken = try n.numbersWithoutOverlaps(
      boxes: n.reshape(byClass, [lists, count, 4]),
      scores: n.reshape(scoresByClass, [lists, isShared ? classes : 1, count]), limit: n.scalar(Double(perClass), .i64),
      threshold: try n.input(4), leastScore: try n.input(5))
    let most = taken.shape[2]
    let numbers = try n.reshape(taken, [batch, classes, most])
    let none = n.scalar(-.infinity, scores.element)
    let padded = try n.pad(scoresByClass, axis: 2, none, low: .zero, high: .one)
    let own = try n.reshape(n.gather(padded, at: n.points(numbers, axis: 2, in: padded)), [batch, classes * most])
    let sorted = try n.sort([own, n.iota(.i64, own.shape, axis: 1)], axis: 1, .greater)
    let limit = isPaddedByClass ? n.arithmetic.minimum(Extent(total), classes * perClass) : Extent(total)
    let kept = n.arithmetic.minimum(limit, classes * most)
    func first(_ x: Value) throws(OpError) -> Value {
      let zero = n.scalar(.zero(x.element), x.element)
      return try n.pad(n.slice(x, axis: 1, 0, kept), axis: 1, zero, low: .zero, high: limit - kept)
    }
    let all = try n.reduce(n.convert(n.compare(.less, numbers, n.scalar(of: count, .i64)), .i64), [1, 2], .add)
    let valid = try n.map(.minimum, all, n.scalar(of: kept, .i64))
    let isValid = try n.compare(.less, n.iota(.i64, [batch, limit], axis: 1), n.unsqueeze(valid, 1))
    let place = try first(sorted[1])
    let group = try n.divide(place, n.scalar(of: most, .i64))
    let number = try n.gather(
      n.reshape(numbers, [batch, classes * most]), at: n.points(place, axis: 1, in: own))
    let last = try n.map(.minimum, number, n.scalar(of: count - 1, .i64))
    let rows = try n.unsqueeze(n.iota(.i64, place.shape, axis: 0), 2)
    let column = try n.unsqueeze(isShared ? n.splat(0, like: group) : group, 2)
    var corners = try n.gather(byClass, at: n.concatenate([rows, column, n.unsqueeze(last, 2)], axis: 2))
    if clips { corners = try n.minimum(n.maximum(corners, 0), 1) }
    return [
      try n.select(n.unsqueeze(isValid, 2), corners, 0), try n.select(isValid, first(sorted[0]), 0),
      try n.select(isValid, n.convert(group, scores.element), 0), try n.convert(valid, .i32),
    ]
  }
}
