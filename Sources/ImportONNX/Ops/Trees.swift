import GraphBuilding
import IR

extension Operator {
  /// Ensembles of decision trees.
  static let trees: [Operator] = [
    Operator("TreeEnsemble", domain: learning, one: treeEnsemble),
    Operator("TreeEnsembleRegressor", domain: learning, one: treeRegressor),
    Operator("TreeEnsembleClassifier", domain: learning, treeClassifier),
  ]

  static let learning = "ai.onnx.ml"

  private static func treeEnsemble(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    n.ignore("nodes_hitrates")
    guard x.element == .f32 || x.element == .f64 || x.element == .f16 else { throw OpError("its input is \(x.type)") }
    let targets = try n.required(n.int("n_targets"), "n_targets")
    let trees = try n.indexedTrees()
    let function = try n.int("aggregate_function", default: 1)
    let transform = try n.int("post_transform", default: 0)
    guard let function = Aggregation(rawValue: function), let transform = ScoreTransform(rawValue: transform) else {
      throw OpError("attributes 'aggregate_function' and 'post_transform' are \(function) and \(transform)")
    }
    let work: ElementType = x.element == .f64 ? .f64 : .f32
    let scores = try n.scores(of: n.convert(x, work), trees, targets: targets, function)
    return try n.convert(n.transformed(scores, transform), x.element)
  }

  private static func treeRegressor(_ n: inout Lowering) throws(OpError) -> Value {
    let targets = try n.required(n.int("n_targets"), "n_targets")
    let function = try Aggregation(named: n.string("aggregate_function", default: "SUM"))
    let transform = try ScoreTransform(named: n.string("post_transform", default: "NONE"))
    let (trees, isWide) = try n.namedTrees(voting: "target")
    let x = try n.samples(isWide)
    var scores = try n.scores(of: x, trees, targets: targets, function)
    if let base = try n.wideFloats("base_values")?.values, !base.isEmpty {
      guard base.count == targets else { throw OpError("it has \(base.count) base values for \(targets) targets") }
      scores = try n.add(scores, n.vector(base, x.element))
    }
    return try n.convert(n.transformed(scores, transform), .f32)
  }

  /// The class with the greatest score, and all scores. Of two classes of which only one has votes, the score of the second one
  /// decides: it is to be above a half where all weights are positive, above zero elsewhere.
  private static func treeClassifier(_ n: inout Lowering) throws(OpError) -> [Value] {
    let transform = try ScoreTransform(named: n.string("post_transform", default: "NONE"))
    guard !n.has("classlabels_strings") else { throw .unsupported("labels that are strings") }
    let labels = try n.required(n.ints("classlabels_int64s"), "classlabels_int64s")
    guard labels.count > 1 else { throw .unsupported("\(labels.count) classes") }
    let (trees, isWide) = try n.namedTrees(voting: "class")
    let x = try n.samples(isWide)
    let base = try n.wideFloats("base_values")?.values ?? []
    let votes = trees.leaves.joined()
    let isBinary = labels.count == 2 && Set(votes.map(\.target)).count == 1
    guard base.isEmpty || base.count == (isBinary ? 1 : labels.count) else {
      throw .unsupported(
        "\(base.count) base values for \(labels.count) classes\(isBinary ? ", one of which has votes" : "")")
    }
    var scores = try n.scores(of: x, trees, targets: labels.count, .sum)
    let table = n.vector(labels)
    guard isBinary, let voted = votes.first?.target else {
      if !base.isEmpty { scores = try n.add(scores, n.vector(base, x.element)) }
      let best = try n.position(of: .greater, in: scores, axis: 1, wantsLast: false)
      return [try n.elements(of: table, at: best), try n.convert(n.transformed(scores, transform), .f32)]
    }
    var score = try n.slice(scores, axis: 1, Extent(voted), Extent(voted + 1))
    if let base = base.first { score = try n.add(score, base) }
    let isPositive = votes.allSatisfy { $0.weight >= 0 }
    let isSecond = try n.compare(.greater, n.squeeze(score, 1), isPositive ? 0.5 : 0)
    let label = try n.elements(of: table, at: n.convert(isSecond, .i64))
    if voted == 1 {
      let both = try n.concatenate([n.splat(0, like: score), score], axis: 1)
      return [label, try n.convert(n.transformed(both, transform), .f32)]
    }
    if transform == .probit { throw .unsupported("the transform PROBIT of a single class") }
    let isLogistic = transform == .logistic
    let other = try isPositive && !isLogistic ? n.subtract(1, score) : n.map(.negate, score)
    let both = try n.concatenate([other, score], axis: 1)
    return [label, try n.convert(isLogistic ? n.map(.logistic, both) : both, .f32)]
  }
}

// MARK: Attributes

extension Lowering {
  /// Floats, or as many numbers of any float type in a tensor.
  fileprivate mutating func wideFloats(_ name: String) throws(OpError) -> (values: [Double], isWide: Bool)? {
    let plain = try floats(name)
    guard let tensor = try tensor(name + "_as_tensor") else { return plain.map { ($0, false) } }
    guard plain?.isEmpty ?? true, tensor.type.rank <= 1, tensor.elementType == .f32 || tensor.elementType == .f64 else {
      throw OpError("attributes '\(name)' and '\(name)_as_tensor' are not one list of floats")
    }
    return (tensor.scalars.map(\.realValue), tensor.elementType == .f64)
  }

  /// Rows of features, in the type that they are compared in.
  fileprivate mutating func samples(_ isWide: Bool) throws(OpError) -> Value {
    let x = try input(0)
    guard [.f32, .f64, .i32, .i64].contains(x.element) else { throw OpError("its input is \(x.type)") }
    return try convert(x, isWide || x.element == .f64 ? .f64 : .f32)
  }

  private func checkCounts(_ lists: [(String, Int)]) throws(OpError) {
    guard let first = lists.first else { return }
    for (name, count) in lists where count != first.1 {
      throw OpError("attributes '\(first.0)' and '\(name)' have \(first.1) and \(count) elements")
    }
  }

  /// The trees of `TreeEnsemble`.
  fileprivate mutating func indexedTrees() throws(OpError) -> DecisionTrees {
    func list(_ name: String) throws(OpError) -> [Int] { try required(ints(name), name) }
    func numbers(_ name: String) throws(OpError) -> [Scalar] { try required(tensor(name), name).scalars }
    let features = try list("nodes_featureids")
    let modes = try numbers("nodes_modes").map { Int($0.integerValue) }
    let splits = try numbers("nodes_splits").map(\.realValue)
    let (trueIDs, trueLeaves) = (try list("nodes_truenodeids"), try list("nodes_trueleafs"))
    let (falseIDs, falseLeaves) = (try list("nodes_falsenodeids"), try list("nodes_falseleafs"))
    let missing = try ints("nodes_missing_value_tracks_true") ?? []
    let weights = try numbers("leaf_weights").map(\.realValue)
    let targets = try list("leaf_targetids")
    try checkCounts([
      ("nodes_featureids", features.count), ("nodes_modes", modes.count), ("nodes_splits", splits.count),
      ("nodes_truenodeids", trueIDs.count), ("nodes_trueleafs", trueLeaves.count),
      ("nodes_falsenodeids", falseIDs.count), ("nodes_falseleafs", falseLeaves.count),
      ("nodes_missing_value_tracks_true", missing.isEmpty ? features.count : missing.count),
    ])
    try checkCounts([("leaf_targetids", targets.count), ("leaf_weights", weights.count)])
    var members =
      try tensor("membership_values")?.scalars.map(\.realValue).split(
        omittingEmptySubsequences: false, whereSeparator: \.isNaN) ?? []
    if members.last?.isEmpty ?? false { members.removeLast() }
    guard members.count == modes.filter({ $0 == 6 }).count else {
      throw OpError("attribute 'membership_values' has \(members.count) sets for the nodes that ask for one")
    }
    var trees = DecisionTrees()
    trees.leaves = zip(targets, weights).map { [DecisionTrees.Vote(target: $0, weight: $1)] }
    func child(_ id: Int, _ isLeaf: Int) throws(OpError) -> DecisionTrees.Child {
      let count = isLeaf != 0 ? weights.count : features.count
      guard (0..<count).contains(id) else {
        throw OpError("its trees have a \(isLeaf != 0 ? "leaf" : "node") \(id) of \(count)")
      }
      return isLeaf != 0 ? .leaf(id) : .node(id)
    }
    for index in features.indices {
      guard (0...6).contains(modes[index]) else {
        throw OpError("attribute 'nodes_modes' has the mode \(modes[index])")
      }
      var holds = modes[index] == 6 ? [] : DecisionTrees.comparisons[modes[index]].outcomes
      if !missing.isEmpty, missing[index] != 0 { holds.insert(.unordered) }
      trees.nodes.append(
        DecisionTrees.Node(
          feature: features[index], threshold: splits[index], holds: holds,
          whenTrue: try child(trueIDs[index], trueLeaves[index]),
          whenFalse: try child(falseIDs[index], falseLeaves[index])))
    }
    for root in try list("tree_roots") { trees.roots.append(try child(root, 0)) }
    for (index, own) in zip(modes.indices.filter { modes[$0] == 6 }, members) {
      trees.setMembership(of: Array(own), at: index)
    }
    return trees
  }

  /// The trees of the older ops, whose nodes and votes are named by a tree and a number in it; and whether their numbers are of f64.
  fileprivate mutating func namedTrees(voting: String) throws(OpError) -> (DecisionTrees, isWide: Bool) {
    ignore("nodes_hitrates", "nodes_hitrates_as_tensor")
    func list(_ name: String) throws(OpError) -> [Int] { try required(ints(name), name) }
    let (treeIDs, nodeIDs, features) = (
      try list("nodes_treeids"), try list("nodes_nodeids"), try list("nodes_featureids")
    )
    let (trueIDs, falseIDs) = (try list("nodes_truenodeids"), try list("nodes_falsenodeids"))
    let modes = try required(strings("nodes_modes"), "nodes_modes")
    let values = try required(wideFloats("nodes_values"), "nodes_values")
    let missing = try ints("nodes_missing_value_tracks_true") ?? []
    let (votedTrees, votedNodes) = (try list("\(voting)_treeids"), try list("\(voting)_nodeids"))
    let targets = try list("\(voting)_ids")
    let weights = try required(wideFloats("\(voting)_weights"), "\(voting)_weights")
    try checkCounts([
      ("nodes_nodeids", nodeIDs.count), ("nodes_treeids", treeIDs.count), ("nodes_featureids", features.count),
      ("nodes_truenodeids", trueIDs.count), ("nodes_falsenodeids", falseIDs.count), ("nodes_modes", modes.count),
      ("nodes_values", values.values.count),
      ("nodes_missing_value_tracks_true", missing.isEmpty ? nodeIDs.count : missing.count),
    ])
    try checkCounts([
      ("\(voting)_ids", targets.count), ("\(voting)_treeids", votedTrees.count),
      ("\(voting)_nodeids", votedNodes.count), ("\(voting)_weights", weights.values.count),
    ])
    var trees = DecisionTrees()
    var places: [[Int]: DecisionTrees.Child] = [:]
    var count = 0
    for index in nodeIDs.indices {
      let isLeaf = modes[index] == "LEAF"
      let place = DecisionTrees.Child.node(count)
      guard
        places.updateValue(isLeaf ? .leaf(trees.leaves.count) : place, forKey: [treeIDs[index], nodeIDs[index]]) == nil
      else { throw OpError("tree \(treeIDs[index]) has two nodes \(nodeIDs[index])") }
      if isLeaf { trees.leaves.append([]) } else { count += 1 }
    }
    func child(_ tree: Int, _ node: Int) throws(OpError) -> DecisionTrees.Child {
      guard let child = places[[tree, node]] else { throw OpError("tree \(tree) has no node \(node)") }
      return child
    }
    var known: Set<Int> = []
    for (index, mode) in modes.enumerated() {
      if known.insert(treeIDs[index]).inserted { trees.roots.append(try child(treeIDs[index], nodeIDs[index])) }
      if mode == "LEAF" { continue }
      guard var holds = DecisionTrees.comparisons.first(where: { $0.name == mode })?.outcomes else {
        throw OpError("attribute 'nodes_modes' has the mode '\(mode)'")
      }
      if !missing.isEmpty, missing[index] != 0 { holds.insert(.unordered) }
      trees.nodes.append(
        DecisionTrees.Node(
          feature: features[index], threshold: values.values[index], holds: holds,
          whenTrue: try child(treeIDs[index], trueIDs[index]), whenFalse: try child(treeIDs[index], falseIDs[index])))
    }
    for index in targets.indices {
      guard case .leaf(let leaf) = try child(votedTrees[index], votedNodes[index]) else {
        throw OpError("node \(votedNodes[index]) of tree \(votedTrees[index]) has votes but is no leaf")
      }
      trees.leaves[leaf].append(DecisionTrees.Vote(target: targets[index], weight: weights.values[index]))
    }
    return (trees, values.isWide || weights.isWide)
  }
}
