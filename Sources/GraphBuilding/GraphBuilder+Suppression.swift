package import IR

/// Of overlapping boxes the one with the best score.
extension GraphBuilder {
  /// What is taken, a row of batch, class and box each, in order of batch, class and score; i64.
  ///
  /// A box is taken where no better one of its batch and class was taken that it overlaps by more than the threshold. `boxes` are
  /// [batch, box, 4], by two corners or by centre and extents; `scores` are [batch, class, box]. At most `limit` boxes are taken for
  /// each batch and class, of those with more than `leastScore`.
  package mutating func suppressingOverlaps(
    boxes: Value, isCentered: Bool, scores: Value, limit: Value, threshold: Value, leastScore: Value?
  ) throws(OpError) -> Value {
    let (taken, order) = try places(
      boxes: boxes, isCentered: isCentered, scores: scores, limit: limit, threshold: threshold, leastScore: leastScore)
    return try selected(taken, order, scalar(of: order.shape[2], .i64))
  }

  /// The numbers of the boxes that are taken of each batch and class, the best first, [batch, class, most]: where there are no more,
  /// how many boxes there are; i64.
  package mutating func numbersWithoutOverlaps(
    boxes: Value, scores: Value, limit: Value, threshold: Value, leastScore: Value
  ) throws(OpError) -> Value {
    let (taken, order) = try places(
      boxes: boxes, isCentered: false, scores: scores, limit: limit, threshold: threshold, leastScore: leastScore)
    // The last place is that of the box more.
    let last = try scalar(of: order.shape[2] - 1, .i64)
    return try gather(order, at: points(map(.minimum, taken, last), axis: 2, in: order))
  }

  /// The places of what is taken in the order of scores, and that order.
  private mutating func places(
    boxes: Value, isCentered: Bool, scores: Value, limit: Value, threshold: Value, leastScore: Value?
  ) throws(OpError) -> (taken: Value, order: Value) {
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
    var mayBeTaken = try compare(.equal, scores, scores)
    let keys = try select(mayBeTaken, scores, -.infinity)
    if let leastScore { mayBeTaken = try compare(.greater, scores, convert(reshape(leastScore, []), scores.element)) }
    let sorted = try sort([keys, iota(.i32, scores.shape, axis: 2), mayBeTaken], axis: 2, .greater)
    let order = try convert(sorted[1], .i64)
    let candidates = try Candidates(
      boxes: corners(of: boxes, order, isCentered: isCentered), mayBeTaken: sorted[2],
      threshold: convert(reshape(threshold, []), boxes.element), limit: convert(reshape(limit, []), .i64))
    let count = scores.shape[2]
    var most = count
    if let fixed = content(of: limit)?.first?.fixed { most = arithmetic.minimum(Extent(max(1, fixed)), count) }
    let areFew = most.fixed.map { fixed in count.fixed.map { 4 * fixed <= $0 } ?? true } ?? false
    return (try areFew ? takenInOrder(candidates, most) : bestOfRounds(candidates, most), order)
  }

  /// The places of what is taken, [batch, class, `most`]: in each round the best box that is left is taken, and what overlaps it is
  /// not left any more.
  private mutating func bestOfRounds(_ candidates: Candidates, _ most: Extent) throws(OpError) -> Value {
    let grid = candidates.mayBeTaken.shape
    let none = try scalar(of: grid[2], .i64)
    let places = try iota(.i64, grid, axis: 2)
    let first = { (n: inout Self, isLeft: Value) throws(OpError) -> Value in
      try n.reduce(n.select(isLeft, places, none), [2], .minimum)
    }
    let rounds = try map(.minimum, candidates.limit, scalar(of: most, .i64))
    let taken = try broadcast(none, to: [grid[0], grid[1], most], at: [])
    let initial = [scalar(0, .i64), candidates.mayBeTaken, try first(&self, candidates.mayBeTaken), taken]
    return try loop(
      initial,
      while: { (n, values) throws(OpError) in
        let isAny = try n.reduce(n.compare(.less, values[2], none), [0, 1], .or)
        return try n.map(.and, isAny, n.compare(.less, values[0], rounds))
      },
      { (n, values) throws(OpError) in
        let (step, isLeft, best) = (values[0], values[1], values[2])
        let shape = best.shape + [1]
        let (batches, classes) = (try n.iota(.i64, shape, axis: 0), try n.iota(.i64, shape, axis: 1))
        let points = try n.concatenate([batches, classes, n.unsqueeze(best, 2)], axis: 2)
        var sides: [Value] = []
        for side in candidates.boxes.sides { sides.append(try n.unsqueeze(n.gather(side, at: points), 2)) }
        let overlaps = try n.overlaps(candidates.boxes, BoxCorners(sides: sides), candidates.threshold)
        let isOther = try n.compare(.notEqual, places, n.unsqueeze(best, 2))
        let next = try n.map(.and, isLeft, n.map(.and, isOther, n.map(.not, overlaps)))
        let taken = try n.replacing(values[3], at: step, axis: 2, with: best)
        return [try n.add(step, 1), next, try first(&n, next), taken]
      })[3]
  }

  /// The same with a round for each candidate, the best first, which is compared with what was taken: less work where few are taken
  /// of many.
  private mutating func takenInOrder(_ candidates: Candidates, _ most: Extent) throws(OpError) -> Value {
    let grid = candidates.mayBeTaken.shape
    let shape = [grid[0], grid[1], most]
    let slots = try iota(.i64, shape, axis: 2)
    let rounds = try map(.minimum, candidates.limit, scalar(of: most, .i64))
    var initial = [scalar(0, .i64), try splat(0, .i64, [grid[0], grid[1]])]
    initial.append(try broadcast(scalar(of: grid[2], .i64), to: shape, at: []))
    // What has no area overlaps nothing.
    for side in candidates.boxes.sides { initial.append(try splat(0, side.element, shape)) }
    func mayBeTaken(_ n: inout Self, _ step: Value, _ count: Value) throws(OpError) -> Value {
      let isGood = try n.element(of: candidates.mayBeTaken, at: step, axis: 2)
      return try n.map(.and, isGood, n.compare(.less, count, rounds))
    }
    return try loop(
      initial,
      while: { (n, values) throws(OpError) in try n.reduce(mayBeTaken(&n, values[0], values[1]), [0, 1], .or) },
      { (n, values) throws(OpError) in
        let (step, count) = (values[0], values[1])
        var sides: [Value] = []
        for side in candidates.boxes.sides {
          sides.append(try n.unsqueeze(n.element(of: side, at: step, axis: 2), 2))
        }
        let before = BoxCorners(sides: Array(values[3...]))
        let overlaps = try n.reduce(n.overlaps(before, BoxCorners(sides: sides), candidates.threshold), [2], .or)
        let isTaken = try n.map(.and, mayBeTaken(&n, step, count), n.map(.not, overlaps))
        let isHere = try n.map(.and, n.compare(.equal, slots, n.unsqueeze(count, 2)), n.unsqueeze(isTaken, 2))
        var next = [try n.add(step, 1), try n.add(count, n.convert(isTaken, .i64))]
        for (new, old) in zip([step] + sides, values[2...]) { next.append(try n.select(isHere, new, old)) }
        return next
      })[2]
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
    var bounds: [(least: Value, greatest: Value)] = []
    for d in 0..<2 {
      if isCentered {
        let half = try divide(sides[d + 2], 2)
        bounds.append((try subtract(sides[d], half), try add(sides[d], half)))
      } else {
        bounds.append((try map(.minimum, sides[d], sides[d + 2]), try map(.maximum, sides[d], sides[d + 2])))
      }
    }
    let extents = (
      try subtract(bounds[0].greatest, bounds[0].least), try subtract(bounds[1].greatest, bounds[1].least)
    )
    let area = try multiply(extents.0, extents.1)
    return BoxCorners(
      sides: [bounds[0].least, bounds[1].least, bounds[0].greatest, bounds[1].greatest, area])
  }

  /// Boxes that are taken one after the other, each the best that is left, where it lowers the scores of those that overlap it: by
  /// `exp(-share² / 2 sigma)`, and to zero where they share more than the threshold. Their numbers, i64, and scores.
  package mutating func loweringScoresOfOverlaps(
    boxes: Value, scores: Value, limit: Value, threshold: Value, leastScore: Value, sigma: Double
  ) throws(OpError) -> (numbers: Value, scores: Value) {
    let count = scores.shape[0]
    let least = try convert(reshape(leastScore, []), scores.element)
    let lowest = scalar(-.infinity, scores.element)
    // A box more, which is never taken, so that there is one.
    let allBoxes = try pad(unsqueeze(boxes, 0), axis: 1, scalar(0, boxes.element), low: .zero, high: .one)
    let allScores = try pad(scores, axis: 0, lowest, low: .zero, high: .one)
    let places = try iota(.i64, allScores.shape, axis: 0)
    let sides = try corners(of: allBoxes, reshape(places, [1, 1, count + 1]), isCentered: false).sides
    let limits = try convert(reshape(threshold, []), boxes.element)
    let rounds = try map(.minimum, convert(reshape(limit, []), .i64), scalar(of: count, .i64))
    let candidates = try select(compare(.greater, allScores, least), allScores, lowest)
    let initial = [
      scalar(0, .i64), candidates, try splat(0, .i64, [count + 1]), try splat(0, scores.element, [count + 1]),
    ]
    let results = try loop(
      initial,
      while: { (n, values) throws(OpError) in
        let isAny = try n.compare(.greater, n.reduce(values[1], [0], .maximum), least)
        return try n.map(.and, isAny, n.compare(.less, values[0], rounds))
      },
      { (n, values) throws(OpError) in
        let (step, left) = (values[0], values[1])
        let best = try n.position(of: .greater, in: left, axis: 0, wantsLast: false)
        let score = try n.element(of: left, at: best, axis: 0)
        var own: [Value] = []
        for side in sides { own.append(try n.reshape(n.element(of: side, at: best, axis: 2), [1, 1, 1])) }
        let share = try n.reshape(n.overlap(BoxCorners(sides: sides), BoxCorners(sides: own)), left.shape)
        let factor = try n.map(.exponential, n.multiply(n.multiply(share, share), -0.5 / sigma))
        let isKept = try n.compare(.lessOrEqual, share, limits)
        let lowered = try n.multiply(left, n.convert(n.select(isKept, factor, 0), left.element))
        let isOther = try n.map(.and, n.compare(.notEqual, places, best), n.compare(.greater, left, lowest))
        let next = try n.select(isOther, lowered, lowest)
        return [
          try n.add(step, 1), next, try n.replacing(values[2], at: step, axis: 0, with: best),
          try n.replacing(values[3], at: step, axis: 0, with: score),
        ]
      })
    let extent = dataExtent("selected", most: count)
    return (
      try first(extent, of: slice(results[2], axis: 0, 0, count), count: results[0]),
      try first(extent, of: slice(results[3], axis: 0, 0, count), count: results[0])
    )
  }

  /// Which boxes share more with the other ones than the threshold allows.
  private mutating func overlaps(_ boxes: BoxCorners, _ others: BoxCorners, _ threshold: Value) throws(OpError) -> Value
  {
    try compare(.greater, overlap(boxes, others), threshold)
  }

  /// How much boxes share with the other ones, of what both have; none where they do not meet.
  private mutating func overlap(_ boxes: BoxCorners, _ others: BoxCorners) throws(OpError) -> Value {
    var (extents, meeting): ([Value], [Value]) = ([], [])
    for d in 0..<2 {
      let least = try map(.maximum, boxes.least(d), others.least(d))
      let greatest = try map(.minimum, boxes.greatest(d), others.greatest(d))
      extents.append(try subtract(greatest, least))
      meeting.append(try compare(.greater, greatest, least))
    }
    let (shared, meets) = (try multiply(extents[0], extents[1]), try map(.and, meeting[0], meeting[1]))
    let union = try subtract(add(boxes.area, others.area), shared)
    let areSolid = try map(.and, compare(.greater, boxes.area, 0), compare(.greater, others.area, 0))
    return try select(map(.and, meets, areSolid), divide(shared, union), 0)
  }
}

/// Boxes of batches and classes, the best first.
private struct Candidates {
  let boxes: BoxCorners
  let mayBeTaken: Value
  let threshold: Value
  /// How many may be taken of a batch and class.
  let limit: Value
}

/// Boxes by their corners: the least and the greatest of each of two axes, and the area.
private struct BoxCorners {
  var sides: [Value]

  func least(_ axis: Int) -> Value { sides[axis] }
  func greatest(_ axis: Int) -> Value { sides[2 + axis] }
  var area: Value { sides[4] }
}
