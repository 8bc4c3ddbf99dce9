import IR

/// Trees of decisions, whose leaves vote for targets.
struct DecisionTrees {
  /// What lies below a decision.
  enum Child: Hashable {
    case node(Int)
    case leaf(Int)
  }

  /// A comparison of one feature, and where it leads.
  struct Node {
    var feature: Int
    var threshold: Double
    /// For which of less, equal, greater and unordered the comparison holds.
    var holds: Outcomes
    var whenTrue: Child
    var whenFalse: Child
  }

  struct Outcomes: OptionSet, Hashable {
    let rawValue: Int
    static let less = Outcomes(rawValue: 1)
    static let equal = Outcomes(rawValue: 2)
    static let greater = Outcomes(rawValue: 4)
    static let unordered = Outcomes(rawValue: 8)
  }

  struct Vote {
    var target: Int
    var weight: Double
  }

  /// What a tree's leaves vote for.
  enum Targets: Hashable {
    case none
    case one(Int)
    case several
  }

  var nodes: [Node] = []
  var leaves: [[Vote]] = []
  var roots: [Child] = []

  /// The comparisons by their names, and by their numbers in `TreeEnsemble`.
  static let comparisons: [(name: String, outcomes: Outcomes)] = [
    ("BRANCH_LEQ", [.less, .equal]), ("BRANCH_LT", .less), ("BRANCH_GTE", [.equal, .greater]),
    ("BRANCH_GT", .greater), ("BRANCH_EQ", .equal), ("BRANCH_NEQ", [.less, .greater]),
  ]

  /// Adds decisions that hold where a feature is one of `members`, in the place of `index`: halves of the sorted members, and at
  /// the end one that is equal.
  mutating func setMembership(of members: [Double], at index: Int) {
    let node = nodes[index]
    let sorted = Array(Set(members)).sorted()
    func decision(_ holds: Outcomes, _ value: Double, _ whenTrue: Child, _ whenFalse: Child) -> Node {
      Node(feature: node.feature, threshold: value, holds: holds, whenTrue: whenTrue, whenFalse: whenFalse)
    }
    // A feature that is no number takes the upper half, down to the end.
    let last = node.holds.intersection(.unordered)
    guard !sorted.isEmpty else {
      nodes[index] = decision(last, 0, node.whenTrue, node.whenFalse)
      return
    }
    var open = [(place: index, range: sorted.indices)]
    while let (place, range) = open.popLast() {
      if range.count == 1 {
        nodes[place] = decision(last.union(.equal), sorted[range.lowerBound], node.whenTrue, node.whenFalse)
        continue
      }
      let middle = (range.lowerBound + range.upperBound) / 2
      nodes[place] = decision(.less, sorted[middle], .node(nodes.count), .node(nodes.count + 1))
      open.append((nodes.count, range.lowerBound..<middle))
      open.append((nodes.count + 1, middle..<range.upperBound))
      nodes += [node, node]
    }
  }

  /// How many decisions lie on the longest way down, and for each root what its leaves vote for. Throws where a way has no end. O(nodes).
  func shape() throws(OpError) -> (depth: Int, targets: [Targets]) {
    var heights = [Int?](repeating: nil, count: nodes.count)
    var isOpen = [Bool](repeating: false, count: nodes.count)
    var targets = [Targets](repeating: .none, count: nodes.count)
    func choice(of child: Child) -> Targets {
      switch child {
      case .node(let node): return targets[node]
      case .leaf(let leaf):
        guard let first = leaves[leaf].first else { return .none }
        return leaves[leaf].count == 1 ? .one(first.target) : .several
      }
    }
    func height(of child: Child) -> Int? {
      guard case .node(let node) = child else { return 0 }
      return heights[node]
    }
    for root in roots {
      var way: [Int] = []
      if case .node(let node) = root, heights[node] == nil { way.append(node) }
      while let node = way.last {
        let children = [nodes[node].whenTrue, nodes[node].whenFalse]
        if let a = height(of: children[0]), let b = height(of: children[1]) {
          heights[node] = max(a, b) + 1
          targets[node] = choice(of: children[0]).joined(with: choice(of: children[1]))
          way.removeLast()
          continue
        }
        guard !isOpen[node] else { throw OpError("node \(node) of its trees lies below itself") }
        isOpen[node] = true
        for case .node(let child) in children where heights[child] == nil {
          guard !isOpen[child] else { throw OpError("node \(child) of its trees lies below itself") }
          way.append(child)
        }
      }
    }
    return (roots.compactMap { height(of: $0) }.max() ?? 0, roots.map { choice(of: $0) })
  }
}

extension DecisionTrees.Targets {
  fileprivate func joined(with other: Self) -> Self {
    self == other || other == .none ? self : self == .none ? other : .several
  }
}

/// How a target's votes become its score.
enum Aggregation: Int {
  case average, sum, min, max

  init(named name: String) throws(OpError) {
    let names: [String: Aggregation] = ["AVERAGE": .average, "SUM": .sum, "MIN": .min, "MAX": .max]
    guard let found = names[name] else { throw OpError("attribute 'aggregate_function' is '\(name)'") }
    self = found
  }

  var function: ScalarFunction { self == .min ? .minimum : self == .max ? .maximum : .add }

  func combined(_ a: Double, _ b: Double) -> Double {
    self == .min ? Swift.min(a, b) : self == .max ? Swift.max(a, b) : a + b
  }

  /// What no vote is.
  var neutral: Double { self == .min ? .infinity : self == .max ? -.infinity : 0 }
}

/// What scores become at the end.
enum ScoreTransform: Int {
  case none, softmax, logistic, softmaxZero, probit

  init(named name: String) throws(OpError) {
    let names: [String: ScoreTransform] = [
      "NONE": .none, "SOFTMAX": .softmax, "LOGISTIC": .logistic, "SOFTMAX_ZERO": .softmaxZero, "PROBIT": .probit,
    ]
    guard let found = names[name] else { throw OpError("attribute 'post_transform' is '\(name)'") }
    self = found
  }
}
