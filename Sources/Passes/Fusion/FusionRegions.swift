import IR

/// Which nodes belong together before any kernel is formed: attentions, epilogues of heavy anchors, and rows.
///
/// A node of a region may only join the kernel of its region; that keeps a consumer's kernel from taking the tail of
/// an epilogue or of a softmax, after which the rest could no longer be one kernel.
struct FusionRegions {
  /// What all values of a row region are: a list of rows, or one number for each row.
  struct Row: Hashable {
    /// The extents that count the rows, without those of 1.
    var leading: [Extent]
    /// The extents of one row.
    var trailing: [Extent]
  }

  /// For each product that ends one, the attention.
  private(set) var attentions: [Int: Attention] = [:]
  /// Products of softmax weights that end none, and why.
  let nearAttentions: [Attention.Refusal]
  /// For each node, whether it lies in an attention before the product that ends it.
  private(set) var isInAttention: [Bool]
  /// For each node, the contraction or window whose epilogue it is.
  private(set) var epilogueOf: [Int?]
  /// For each node that is bound to one, the row region.
  private(set) var rowRegion: [Int?]
  /// For each node, whether it is one number for each row of a region.
  private(set) var isRowNumber: [Bool]

  private let units: FusionUnits
  private let immediatePostDominator: [Int]
  /// How many nodes may lie between a value and the node where all its readers meet.
  private static let searchLimit = 256

  init(_ units: FusionUnits, _ context: PassContext) {
    self.units = units
    isRowNumber = [Bool](repeating: false, count: units.graph.nodes.count)
    immediatePostDominator = Self.postDominators(units)
    epilogueOf = [Int?](repeating: nil, count: units.graph.nodes.count)
    rowRegion = epilogueOf
    isInAttention = isRowNumber
    let recognized = units.graph.attentions()
    nearAttentions = recognized.refused
    for attention in recognized.found {
      attentions[attention.product.index] = attention
      for node in attention.nodes.dropLast() { isInAttention[node.index] = true }
    }
    for index in units.graph.nodes.indices.reversed()
    where units.live[index] && units.isHeavy(index) && !isInAttention[index] {
      claimEpilogue(of: index)
    }
    findRows(context)
  }
}

// MARK: - Post-dominators

extension FusionRegions {
  /// For each node, the first node that everything which depends on it passes through; the node count where none.
  ///
  /// A search that would walk far gives none, so that the whole is near-linear.
  private static func postDominators(_ units: FusionUnits) -> [Int] {
    let exit = units.graph.nodes.count
    var parent = [Int](repeating: exit, count: exit + 1)
    var depth = [Int](repeating: 0, count: exit + 1)
    for index in units.graph.nodes.indices.reversed() {
      guard units.live[index], !units.isResult[index], units.computes[index] else { continue }
      var common: Int?
      for use in units.uses[index] {
        common = common.map { meet($0, use.user, parent, depth, exit) } ?? use.user
        if common == exit { break }
      }
      parent[index] = common ?? exit
      depth[index] = depth[parent[index]] + 1
    }
    return parent
  }

  private static func meet(_ a: Int, _ b: Int, _ parent: [Int], _ depth: [Int], _ exit: Int) -> Int {
    var (a, b) = (a, b)
    var steps = 0
    while a != b {
      if depth[a] >= depth[b] { a = parent[a] } else { b = parent[b] }
      steps += 1
      if steps > 1024 { return exit }
    }
    return a
  }
}

// MARK: - Epilogues

extension FusionRegions {
  /// Binds to `heavy` the nodes after it that can be computed from its elements before they are stored.
  private mutating func claimEpilogue(of heavy: Int) {
    let count = units.type(heavy).elementCount
    var claimed: [Int] = []
    var current = heavy
    var places = EpiloguePlaces(of: heavy, in: units.graph)
    while let more = step(from: current, count: count), let last = more.last, places.add(more), !places.scatters(last) {
      claimed.append(contentsOf: more)
      current = last
    }
    while let last = claimed.last, units.isView(last) { claimed.removeLast() }
    for node in claimed { epilogueOf[node] = heavy }
  }

  /// The nodes after `current` up to the one where all its readers meet, that one last; nil if one cannot be claimed.
  private func step(from current: Int, count: Extent) -> [Int]? {
    let end = immediatePostDominator[current]
    guard end < units.graph.nodes.count, isClaimable(end, count) else { return nil }
    var between: Set<Int> = []
    var open = units.uses[current].map(\.user)
    while let node = open.popLast() {
      if node == end || between.contains(node) { continue }
      guard between.count < Self.searchLimit, isClaimable(node, count) else { return nil }
      between.insert(node)
      open.append(contentsOf: units.uses[node].map(\.user))
    }
    return between.sorted() + [end]
  }

  private func isClaimable(_ node: Int, _ count: Extent) -> Bool {
    guard epilogueOf[node] == nil, !isInAttention[node], units.graph.nodes[node].hasSingleResult else { return false }
    let type = units.type(node)
    switch units.semantics[node] {
    case .pointwise: return type.elementCount == count
    case .movement(let movement):
      guard movement.pieces.count == 1 else { return false }
      let operand = units.graph.type(of: units.graph.nodes[node].operands[0])
      switch PieceShape(movement.pieces[0], operand: operand, result: type, isReshape: units.isView(node)) {
      case .relabelling, .permutation: return true
      case .leading, .other: return false
      }
    default: return false
    }
  }
}

// MARK: - Rows

extension FusionRegions {
  private enum Role { case line, number }

  private struct RowValue {
    var row: Row
    var role: Role
    var region: Int
    /// Whether the value is only needed inside the region, so far.
    var isBound: Bool
  }

  /// Finds reductions over trailing dimensions whose result is spread over the row again, and what hangs on them.
  private mutating func findRows(_ context: PassContext) {
    let graph = units.graph
    var values = [RowValue?](repeating: nil, count: graph.nodes.count)
    var parent: [Int] = []
    var isSpread: [Bool] = []
    func root(_ region: Int) -> Int {
      var region = region
      while parent[region] != region { region = parent[region] }
      return region
    }
    func join(_ a: Int, _ b: Int) {
      let (x, y) = (root(a), root(b))
      if x == y { return }
      parent[max(x, y)] = min(x, y)
      isSpread[min(x, y)] = isSpread[min(x, y)] || isSpread[max(x, y)]
    }
    for index in graph.nodes.indices where units.live[index] && epilogueOf[index] == nil && !isInAttention[index] {
      let operands = graph.nodes[index].operands.map { values[$0.index] }
      if units.isElement(index) {
        values[index] = operands[0]
        continue
      }
      switch units.semantics[index] {
      case .reduction(let reduction):
        let input = graph.type(of: graph.nodes[index].operands[0])
        guard let row = Row(reduction, input: input), row.fits(input.elementType, context) else { continue }
        let region = parent.count
        parent.append(region)
        isSpread.append(false)
        values[index] = RowValue(row: row, role: .number, region: region, isBound: true)
        if let input = operands[0], input.row == row, input.role == .line { join(region, input.region) }
      case .movement(let movement):
        guard let value = operands.first ?? nil, movement.pieces.count == 1 else { continue }
        values[index] = moved(value, by: movement.pieces[0], index)
        if let new = values[index], new.role == .line, value.role == .number { isSpread[root(new.region)] = true }
      case .pointwise:
        let known = operands.compactMap { $0 }
        guard var value = known.first(where: { $0.role == .line }) ?? known.first else { continue }
        let sources = zip(graph.nodes[index].operands, operands)
        value.isBound = sources.contains { operand, source in
          guard let source, source.row == value.row, source.role == value.role else { return false }
          return source.isBound && immediatePostDominator[units.owner(of: operand.index)] == index
        }
        for other in known where other.row == value.row && other.role == value.role { join(value.region, other.region) }
        values[index] = value
      default: continue
      }
    }
    for (index, value) in values.enumerated() {
      guard let value, isSpread[root(value.region)] else { continue }
      isRowNumber[index] = value.role == .number
      if value.isBound, case .pointwise = units.semantics[index] { rowRegion[index] = root(value.region) }
    }
  }

  /// What a movement makes of a row's value: the same under another label, or a number spread over its row.
  private func moved(_ value: RowValue, by piece: Movement.Piece, _ index: Int) -> RowValue? {
    let operand = units.graph.nodes[index].operands[0]
    let result = units.type(index)
    let shape = PieceShape(
      piece, operand: units.graph.type(of: operand), result: result, isReshape: units.isView(index))
    var new = value
    let owner = units.owner(of: operand.index)
    new.isBound = value.isBound && immediatePostDominator[owner] < units.graph.nodes.count
    switch shape {
    case .relabelling: return new
    case .leading(let kept):
      guard value.role == .number, kept == value.row.leading.count,
        result.significantExtents == value.row.leading + value.row.trailing
      else { return nil }
      new.role = .line
      return new
    case .permutation, .other: return nil
    }
  }
}

extension FusionRegions.Row {
  /// The rows that a reduction folds; nil unless it folds the innermost dimensions of one input with one function.
  init?(_ reduction: Reduction, input: TensorType) {
    let first = input.rank - reduction.dimensions.count
    guard !reduction.dimensions.isEmpty, reduction.dimensions == Array(first..<input.rank), reduction.hasOneFunction
    else { return nil }
    leading = input.dimensions[..<first].filter { $0 != .one }
    trailing = input.dimensions[first...].filter { $0 != .one }
    if trailing.isEmpty { return nil }
  }

  /// Whether two values of a row stay in the cache.
  func fits(_ type: ElementType, _ context: PassContext) -> Bool {
    bytes(type, context) <= FusionCluster.rowByteLimit
  }

  /// The bytes of two values of a row.
  func bytes(_ type: ElementType, _ context: PassContext) -> Double {
    trailing.reduce(Double(2 * type.byteCount)) { $0 * context.estimate($1) }
  }
}

extension Reduction {
  /// Whether one function of two values does the folding.
  var hasOneFunction: Bool {
    guard body.parameters.count == 2, body.results.count == 1, case .pointwise = body[body.results[0]].op else {
      return false
    }
    return Set(body[body.results[0]].operands) == Set(body.parameters)
  }
}
