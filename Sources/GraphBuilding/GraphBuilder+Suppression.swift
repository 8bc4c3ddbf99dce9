package import IR

/// Of overlapping boxes the one with the best score.
extension GraphBuilder {
  /// What is taken, a row of batch, class and box each, in order of batch, class and score; i64.
  ///
  /// In each round, for each batch and class, the best box that is left is taken, and what overlaps it by more than the
  /// threshold is not left any more. `boxes` are [batch, box, 4], by two corners or by centre and extents; `scores` are
  /// [batch, class, box]. At most `limit` boxes are taken for each batch and class, of those with more than `leastScore`.
  package mutating func suppressingOverlaps(
    boxes: Value, isCentered: Bool, scores: Value, limit: Value, threshold: Value, leastScore: Value?
  ) throws(OpError) -> Value {
    guard boxes.rank == 3, scores.rank == 3, boxes.shape[2] == 4, boxes.element.isFloat, scores.element.isFloat else {
      throw OpError("its boxes are \(boxes.type), its scores \(scores.type)")
    }
    for (x, y) in [(boxes.shape[0], scores.shape[0]), (boxes.shape[1], scores.shape[2])] where x != y {
      if !x.isFixed || !y.isFixed { throw inequality(x, y) }
      throw OpError("its boxes \(boxes.type) do not fit its scores \(scores.type)")
    }
    // A box more, which is never taken, so that there is one.
    let boxes = try pad(boxes, axis: 1, scalar(0, boxes.element), low: .zero, high: .one)
    let scores = try pad(scores, axis: 2, scalar(.nan, scores.element), low: .zero, high: .one)
    let candidates = boxes.shape[1]
    var mayBeTaken = try compare(.equal, scores, scores)
    let keys = try select(mayBeTaken, scores, -.infinity)
    if let leastScore { mayBeTaken = try compare(.greater, scores, convert(reshape(leastScore, []), scores.element)) }
    let sorted = try sort([keys, iota(.i64, scores.shape, axis: 2), mayBeTaken], axis: 2, .greater)
    let corners = try self.corners(of: boxes, sorted[1], isCentered: isCentered)
    let allowed = try convert(reshape(threshold, []), boxes.element)

    var wanted = candidates
    if let fixed = content(of: limit)?.first?.fixed {
      wanted = arithmetic.minimum(Extent(max(1, fixed)), candidates)
    }
    let none = try scalar(of: candidates, .i64)
    let places = try iota(.i64, scores.shape, axis: 2)
    let first = { (n: inout Self, isLeft: Value) throws(OpError) -> Value in
      try n.reduce(n.select(isLeft, places, none), [2], .minimum)
    }
    let rounds = try map(.minimum, convert(reshape(limit, []), .i64), scalar(of: wanted, .i64))
    let taken = try broadcast(none, to: [scores.shape[0], scores.shape[1], wanted], at: [])
    let initial = [scalar(0, .i64), sorted[2], try first(&self, sorted[2]), taken]
    let results = try loop(
      initial,
      while: { (n, values) throws(OpError) in
        let isAny = try n.reduce(n.compare(.less, values[2], none), [0, 1], .or)
        return try n.map(.and, isAny, n.compare(.less, values[0], rounds))
      },
      { (n, values) throws(OpError) in
        let (step, isLeft, best) = (values[0], values[1], values[2])
        let overlaps = try n.overlaps(corners, best, allowed)
        let isOther = try n.compare(.notEqual, places, n.unsqueeze(best, 2))
        let next = try n.map(.and, isLeft, n.map(.and, isOther, n.map(.not, overlaps)))
        let taken = try n.replacing(values[3], at: step, axis: 2, with: best)
        return [try n.add(step, 1), next, try first(&n, next), taken]
      })
    return try selected(results[3], sorted[1], none)
  }

  /// The indices of batch, class and box of what was taken, a row each.
  private mutating func selected(_ taken: Value, _ order: Value, _ none: Value) throws(OpError) -> Value {
    let flat = try reshape(taken, [taken.type.elementCount])
    let places = try positions(of: compare(.less, flat, none), "selected")
    let indices = try coordinates(of: places, in: taken.shape)
    let (batch, group) = (try unsqueeze(indices[0], 1), try unsqueeze(indices[1], 1))
    let position = try unsqueeze(take(flat, places, axis: 0), 1)
    let box = try gather(order, at: concatenate([batch, group, position], axis: 1))
    return try concatenate([batch, group, unsqueeze(box, 1)], axis: 1)
  }

  /// The sides of boxes in the order of their scores: [batch, class, box] each.
  private mutating func corners(of boxes: Value, _ order: Value, isCentered: Bool) throws(OpError) -> BoxCorners {
    let batches = try iota(.i64, order.shape, axis: 0)
    let points = try concatenate([unsqueeze(batches, 3), unsqueeze(order, 3)], axis: 3)
    let ordered = try gather(boxes, at: points)
    var sides: [Value] = []
    for side in 0..<4 {
      sides.append(try squeeze(slice(ordered, axis: 3, Extent(side), Extent(side + 1)), 3))
    }
    var (least, greatest): ([Value], [Value]) = ([], [])
    for d in 0..<2 {
      if isCentered {
        let half = try divide(sides[d + 2], 2)
        least.append(try subtract(sides[d], half))
        greatest.append(try add(sides[d], half))
      } else {
        least.append(try map(.minimum, sides[d], sides[d + 2]))
        greatest.append(try map(.maximum, sides[d], sides[d + 2]))
      }
    }
    let area = try multiply(subtract(greatest[0], least[0]), subtract(greatest[1], least[1]))
    return BoxCorners(least: least, greatest: greatest, area: area)
  }

  /// Which boxes share more with the best one, at the position `best` of its line, than the threshold allows.
  private mutating func overlaps(_ boxes: BoxCorners, _ best: Value, _ threshold: Value) throws(OpError) -> Value {
    let (batches, classes) = (try iota(.i64, best.shape + [1], axis: 0), try iota(.i64, best.shape + [1], axis: 1))
    let points = try concatenate([batches, classes, unsqueeze(best, 2)], axis: 2)
    var (extents, meeting): ([Value], [Value]) = ([], [])
    for d in 0..<2 {
      let least = try map(.maximum, boxes.least[d], line(boxes.least[d], at: points))
      let greatest = try map(.minimum, boxes.greatest[d], line(boxes.greatest[d], at: points))
      let (extent, isHere) = (try subtract(greatest, least), try compare(.greater, greatest, least))
      extents.append(extent)
      meeting.append(isHere)
    }
    let (shared, meets) = (try multiply(extents[0], extents[1]), try map(.and, meeting[0], meeting[1]))
    let areaOfBest = try line(boxes.area, at: points)
    let union = try subtract(add(boxes.area, areaOfBest), shared)
    let exceeds = try compare(.greater, divide(shared, union), threshold)
    let areSolid = try map(.and, compare(.greater, boxes.area, 0), compare(.greater, areaOfBest, 0))
    return try map(.and, map(.and, meets, areSolid), exceeds)
  }

  /// One number for each batch and class, as lines of one.
  private mutating func line(_ side: Value, at points: Value) throws(OpError) -> Value {
    try unsqueeze(gather(side, at: points), 2)
  }
}

/// Boxes by their corners, one value a side: the least and the greatest of each of two axes.
private struct BoxCorners {
  var least: [Value]
  var greatest: [Value]
  var area: Value
}
