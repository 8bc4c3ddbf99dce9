import GraphBuilding
import IR

/// Decisions and leaves as lines of numbers: first the decisions, then the leaves, which lead to themselves, at last one that
/// votes for nothing.
private struct TreeTables {
  var features: [Int] = []
  var thresholds: [Double] = []
  var outcomes: [Int] = []
  /// For each place where it leads when its decision does not hold, and when it does.
  var children: [Int] = []
  let decisionCount: Int
  let leafCount: Int

  init(_ trees: DecisionTrees) {
    decisionCount = trees.nodes.count
    leafCount = trees.leaves.count + 1
    for node in trees.nodes {
      features.append(node.feature)
      thresholds.append(node.threshold)
      outcomes.append(node.holds.rawValue)
      children += [place(of: node.whenFalse), place(of: node.whenTrue)]
    }
    for leaf in 0..<leafCount {
      features.append(0)
      thresholds.append(0)
      outcomes.append(0)
      children += [decisionCount + leaf, decisionCount + leaf]
    }
  }

  func place(of child: DecisionTrees.Child) -> Int {
    switch child {
    case .node(let node): node
    case .leaf(let leaf): decisionCount + leaf
    }
  }

  var nothing: Int { decisionCount + leafCount - 1 }
}

extension Lowering {
  /// The scores `[samples, targets]` of trees.
  ///
  /// All trees are walked for all samples at once, one decision in each round of a loop.
  mutating func scores(
    of x: Value, _ trees: DecisionTrees, targets: Int, _ function: Aggregation
  ) throws(OpError) -> Value {
    guard x.rank == 2 else { throw OpError("its input \(x.type) does not hold rows of features") }
    guard (1...1 << 31).contains(targets) else { throw OpError("it has \(targets) targets") }
    for vote in trees.leaves.joined() where !(0..<targets).contains(vote.target) {
      throw OpError("its trees vote for target \(vote.target) of \(targets)")
    }
    for node in trees.nodes where node.feature < 0 || node.feature >= x.shape[1].fixed ?? (1 << 31) {
      throw OpError("its trees decide by feature \(node.feature) of \(x.type)")
    }
    if let last = trees.nodes.map(\.feature).max() { arithmetic.require(x.shape[1], atLeast: last + 1) }
    let (depth, voted) = try trees.shape()
    let tables = TreeTables(trees)
    guard let rows = Self.rows(voted, targets) else {
      let leaves = try walked(x, trees.roots.map(tables.place), trees, tables, depth)
      return try collected(leaves, trees, targets, function, x.element)
    }
    // Trees of one target each stand side by side, one row for each round of trees.
    let roots = rows.map { $0.map { tables.place(of: trees.roots[$0]) } ?? tables.nothing }
    let leaves = try walked(x, roots, trees, tables, depth)
    let weights = trees.leaves.map { $0.first?.weight ?? function.neutral } + [function.neutral]
    let votes = try elements(of: vector(weights, x.element), at: leaves)
    let sums = try reduce(
      reshape(votes, [x.shape[0], Extent(roots.count / targets), Extent(targets)]), [1], function.function)
    return try averaged(sums, trees, function)
  }

  /// For each target its trees, one in each row; nil where trees vote for several, or rows would have many holes.
  private static func rows(_ voted: [DecisionTrees.Targets], _ targets: Int) -> [Int?]? {
    var own: [Int: [Int]] = [:]
    for (tree, target) in voted.enumerated() {
      switch target {
      case .none: continue
      case .one(let target): own[target, default: []].append(tree)
      case .several: return nil
      }
    }
    let count = max(1, own.values.map(\.count).max() ?? 0)
    let (places, overflows) = count.multipliedReportingOverflow(by: targets)
    guard !overflows, places <= 2 * voted.count + 64 else { return nil }
    return (0..<places).map { place in
      let trees = own[place % targets] ?? []
      return place / targets < trees.count ? trees[place / targets] : nil
    }
  }

  /// The leaf where each sample ends in each tree, an i32.
  private mutating func walked(
    _ x: Value, _ roots: [Int], _ trees: DecisionTrees, _ tables: TreeTables, _ depth: Int
  ) throws(OpError) -> Value {
    let shape = [x.shape[0], Extent(roots.count)]
    let count = x.type.elementCount
    let place: ElementType = count.fixed.map { $0 < Int(Int32.max) } ?? false ? .i32 : .i64
    var flat = try reshape(x, [count])
    // Where there may be no samples, there still is one element to read.
    if count.fixed ?? 0 == 0 { flat = try pad(flat, axis: 0, scalar(0, x.element), low: 0, high: 1) }
    let row = try multiply(iota(place, shape, axis: 0), scalar(of: x.shape[1], place))
    let (features, children) = (vector(tables.features, place), vector(tables.children, .i32))
    let thresholds = vector(tables.thresholds, x.element)
    let kinds = Set(trees.nodes.map(\.holds))
    let outcomes = vector(tables.outcomes, .i32)
    let start = try broadcast(vector(roots, .i32), to: shape, at: [1])
    let last = try loop(count: scalar(Double(depth), .i64), [start]) { (n, _, values) throws(OpError) in
      let node = values[0]
      let feature = try n.elements(of: flat, at: n.add(row, n.elements(of: features, at: node)))
      let threshold = try n.elements(of: thresholds, at: node)
      let holds: Value
      if kinds.count == 1, let kind = kinds.first {
        holds = try n.holds(kind, feature, threshold)
      } else {
        holds = try n.holds(n.elements(of: outcomes, at: node), feature, threshold)
      }
      return [try n.elements(of: children, at: n.add(n.multiply(node, 2), n.convert(holds, .i32)))]
    }[0]
    return try subtract(last, Double(tables.decisionCount))
  }

  /// Whether one comparison, the same for all, holds.
  private mutating func holds(
    _ outcomes: DecisionTrees.Outcomes, _ x: Value, _ threshold: Value
  ) throws(OpError) -> Value {
    var result: Value
    switch outcomes.subtracting(.unordered) {
    case .less: result = try compare(.less, x, threshold)
    case [.less, .equal]: result = try compare(.lessOrEqual, x, threshold)
    case .equal: result = try compare(.equal, x, threshold)
    case [.equal, .greater]: result = try compare(.greaterOrEqual, x, threshold)
    case .greater: result = try compare(.greater, x, threshold)
    case []: result = try broadcast(constant(.scalar(.false, .i1)), to: x.shape)
    default: result = try map(.or, compare(.less, x, threshold), compare(.greater, x, threshold))
    }
    if outcomes.contains(.unordered) { result = try map(.or, result, compare(.notEqual, x, x)) }
    return result
  }

  /// Whether comparisons hold, each of which has its own outcomes.
  private mutating func holds(_ outcomes: Value, _ x: Value, _ threshold: Value) throws(OpError) -> Value {
    func outcome(_ outcome: DecisionTrees.Outcomes) -> Value { scalar(Double(outcome.rawValue), .i32) }
    let above = try select(compare(.greater, x, threshold), outcome(.greater), outcome(.unordered))
    let notBelow = try select(compare(.equal, x, threshold), outcome(.equal), above)
    let found = try select(compare(.less, x, threshold), outcome(.less), notBelow)
    return try compare(.notEqual, map(.and, outcomes, found), 0)
  }

  /// The scores of trees whose leaves vote for several targets, from the leaves `[samples, trees]`.
  private mutating func collected(
    _ leaves: Value, _ trees: DecisionTrees, _ targets: Int, _ function: Aggregation, _ element: ElementType
  ) throws(OpError) -> Value {
    let votes = trees.leaves.reduce(0) { $0 + $1.count }
    let (cells, overflows) = (trees.leaves.count + 1).multipliedReportingOverflow(by: targets)
    if !overflows, cells <= max(1 << 16, 8 * votes) {
      var table = [Double](repeating: function.neutral, count: cells)
      for (leaf, votes) in trees.leaves.enumerated() {
        for vote in votes {
          let cell = leaf * targets + vote.target
          table[cell] = function.combined(table[cell], vote.weight)
        }
      }
      let rows = try reshape(vector(table, element), [Extent(trees.leaves.count + 1), Extent(targets)])
      return try averaged(reduce(take(rows, leaves, axis: 0), [1], function.function), trees, function)
    }
    // As many votes for each leaf as any has; those that are none lie outside of the scores, where they are dropped.
    let most = max(1, trees.leaves.map(\.count).max() ?? 0)
    var (places, weights): ([Int], [Double]) = ([], [])
    for votes in trees.leaves + [[]] {
      places += votes.map(\.target) + [Int](repeating: -1, count: most - votes.count)
      weights += votes.map(\.weight) + [Double](repeating: 0, count: most - votes.count)
    }
    let shape = [Extent(trees.leaves.count + 1), Extent(most)]
    let target = try take(reshape(vector(places), shape), leaves, axis: 0)
    let weight = try take(reshape(vector(weights, element), shape), leaves, axis: 0)
    let start = try multiply(iota(.i64, target.shape, axis: 0), Double(targets))
    let place = try select(compare(.less, target, 0), scalar(-1, .i64), add(target, start))
    let empty = try splat(function.neutral, element, [leaves.shape[0] * targets])
    let sums = try scatter(weight, into: empty, at: unsqueeze(place, place.rank), function.function)
    return try averaged(reshape(sums, [leaves.shape[0], Extent(targets)]), trees, function)
  }

  /// Sums by the number of trees; zero for targets without votes.
  private mutating func averaged(
    _ sums: Value, _ trees: DecisionTrees, _ function: Aggregation
  ) throws(OpError) -> Value {
    switch function {
    case .sum: return sums
    case .average: return try divide(sums, Double(max(1, trees.roots.count)))
    case .min, .max:
      return try select(compare(.equal, sums, function.neutral), splat(0, like: sums), sums)
    }
  }

  /// Scores `[samples, targets]` after the last step.
  mutating func transformed(_ scores: Value, _ transform: ScoreTransform) throws(OpError) -> Value {
    switch transform {
    case .none: return scores
    case .softmax: return try softmax(scores, [1])
    case .logistic: return try map(.logistic, scores)
    case .probit:
      let inverse = try map(.inverseErrorFunction, subtract(multiply(scores, 2), 1))
      return try multiply(inverse, 2.0.squareRoot())
    case .softmaxZero:
      // Scores that are zero stay so; where all are, each is a half.
      let greatest = try reduce(scores, [1], .maximum, keep: true)
      let isZero = try compare(.lessOrEqual, map(.abs, scores), 1e-7)
      let small = try multiply(scores, map(.exponential, map(.negate, greatest)))
      let powers = try select(isZero, small, map(.exponential, subtract(scores, greatest)))
      let sum = try reduce(powers, [1], .add, keep: true)
      let parts = try divide(powers, sum)
      return try select(compare(.equal, sum, 0), splat(0.5, like: parts), parts)
    }
  }
}
