import IR

extension Pass {
  /// `x · k₁ + b₁`, `x · k₂ + b₂`, … `-> slices of x · [k₁ k₂ …] + [b₁ b₂ …]`, for constants `kᵢ` and `bᵢ`: the queries,
  /// keys and values of attention. One launch instead of several, which reads `x` (and splits or packs it) once.
  ///
  /// Every element is computed as before. Only products are merged whose readers take slices in place: other products,
  /// through views. What reads them one by one would be their epilogue, and results would be copied.
  public static let mergeSiblings = Pass(
    "merge-siblings", "computes products of one value with several constants as one product", scope: .controlFlow
  ) { graph, context throws(OpError) in
    let merging = SiblingMerging(graph)
    let groups = merging.groups()
    if !groups.isEmpty { graph = try merging.merge(groups, &context) }
  }
}

/// A product with a constant, and the steps with constants after it, each the only reader of the one before.
private struct Sibling {
  /// The product, then the steps: positions in the graph.
  var nodes: [Int]
  var weights: Literal

  var end: Int { nodes[nodes.count - 1] }
}

/// A constant operand of a step, repeated over the dimensions of the result that it has not. A splat has none.
private struct SpreadConstant {
  var value: Literal
  var dimensions: [Int]
}

private struct SiblingMerging {
  /// What products have in common that can be one. The weights of siblings differ in the extent of their first free
  /// dimension only.
  struct Key: Hashable {
    var lhs: ValueID
    var dot: DotGeneral
    var weightType: ElementType
    var otherExtents: [Int]
    var steps: [Op]
    /// Into which pieces views split the features: offsets of slices are multiples of it.
    var pieces: Set<Int>
  }

  struct Group {
    var siblings: [Sibling]
    var weightsDimension: Int
    /// The dimension of the results along which the siblings lie beside each other.
    var feature: Int
  }

  let graph: Graph
  let readers: [[Int]]
  let isResult: [Bool]

  init(_ graph: Graph) {
    self.graph = graph
    var readers = [[Int]](repeating: [], count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands { readers[operand.index].append(index) }
    }
    var isResult = [Bool](repeating: false, count: graph.nodes.count)
    for result in graph.results { isResult[result.index] = true }
    (self.readers, self.isResult) = (readers, isResult)
  }

  // MARK: Finding

  /// The products that become one, in the order of the first of each.
  func groups() -> [Group] {
    var found: [Key: Group] = [:]
    var order: [Key] = []
    for index in graph.nodes.indices {
      guard case .dotGeneral(let dot) = graph.nodes[index].op, let sibling = sibling(index) else { continue }
      let free = dot.dimensions.rhsFree(rank: sibling.weights.dimensions.count)
      let feature = graph.nodes[index].type.rank - free.count
      guard let dimension = free.first, let pieces = pieces(of: sibling.end, feature) else { continue }
      var others = sibling.weights.dimensions
      others.remove(at: dimension)
      let key = Key(
        lhs: graph.nodes[index].operands[0], dot: dot, weightType: sibling.weights.elementType, otherExtents: others,
        steps: sibling.nodes.dropFirst().map { graph.nodes[$0].op }, pieces: pieces)
      if var group = found[key] {
        if areAlike(group.siblings[0], sibling, group.feature) { group.siblings.append(sibling) }
        found[key] = group
      } else {
        order.append(key)
        found[key] = Group(siblings: [sibling], weightsDimension: dimension, feature: feature)
      }
    }
    return order.compactMap { found[$0] }.filter { $0.siblings.count > 1 }
  }

  /// The product and its steps.
  private func sibling(_ index: Int) -> Sibling? {
    guard let weights = literal(graph.nodes[index].operands[1]), !weights.isSplat else { return nil }
    var sibling = Sibling(nodes: [index], weights: weights)
    while !isResult[sibling.end], readers[sibling.end].count == 1, isStep(readers[sibling.end][0], after: sibling.end) {
      sibling.nodes.append(readers[sibling.end][0])
    }
    return sibling
  }

  /// The pieces into which the value's readers split its features; nil where a slice of them would not be read in place:
  /// by something else than products, and views that only such read.
  private func pieces(of index: Int, _ feature: Int) -> Set<Int>? {
    var pieces: Set<Int> = []
    var views = [(index: index, feature: feature, piece: 1)]
    while let view = views.popLast() {
      if isResult[view.index] || readers[view.index].isEmpty { return nil }
      for reader in readers[view.index] {
        let node = graph.nodes[reader]
        switch node.op {
        case .dotGeneral: break
        case .transpose(let transpose):
          guard let place = transpose.permutation.firstIndex(of: view.feature) else { return nil }
          views.append((reader, place, view.piece))
        case .reshape:
          let extents = graph.nodes[view.index].type.dimensions
          guard let split = DimensionSplit(of: view.feature, extents, into: node.type.dimensions) else { return nil }
          pieces.insert(view.piece * split.piece)
          views.append((reader, split.dimension, view.piece * split.piece))
        default: return nil
        }
      }
    }
    return pieces
  }

  /// Whether the node computes elements of `last` one by one, with constants.
  private func isStep(_ index: Int, after last: Int) -> Bool {
    let node = graph.nodes[index]
    guard case .pointwise = node.op else { return false }
    return node.operands.allSatisfy { $0.index == last || spreadConstant($0) != nil }
  }

  private func literal(_ value: ValueID) -> Literal? {
    guard case .constant(let constant) = graph[value].op else { return nil }
    return constant.value
  }

  private func spreadConstant(_ value: ValueID) -> SpreadConstant? {
    let node = graph[value]
    var spread: SpreadConstant
    if let constant = literal(value) {
      spread = SpreadConstant(value: constant, dimensions: Array(constant.dimensions.indices))
    } else if case .broadcastInDim(let broadcast) = node.op, let constant = literal(node.operands[0]) {
      spread = SpreadConstant(value: constant, dimensions: broadcast.dimensions)
    } else {
      return nil
    }
    if let splat = spread.value.splatValue {
      spread = SpreadConstant(value: Literal(spread.value.elementType, [], splat: splat), dimensions: [])
    }
    return spread
  }

  /// Whether the steps' constants can lie beside each other; the steps' ops are the same.
  private func areAlike(_ a: Sibling, _ b: Sibling, _ feature: Int) -> Bool {
    (1..<a.nodes.count).allSatisfy { step in
      let (x, y) = (graph.nodes[a.nodes[step]], graph.nodes[b.nodes[step]])
      return zip(x.operands, y.operands).allSatisfy { first, second in
        let isChain = first.index == a.nodes[step - 1]
        guard isChain == (second.index == b.nodes[step - 1]) else { return false }
        if isChain { return true }
        guard let first = spreadConstant(first), let second = spreadConstant(second) else { return false }
        return first.isBeside(second, along: feature, x.type.dimensions[feature], y.type.dimensions[feature])
      }
    }
  }

  // MARK: Merging

  /// Where a sibling lies in the merged value.
  private struct Part {
    var whole: ValueID
    var feature: Int
    var range: Range<Int>
  }

  func merge(_ groups: [Group], _ context: inout PassContext) throws(OpError) -> Graph {
    var groupAt: [Int: Int] = [:]
    var merged = Set<Int>()
    for (number, group) in groups.enumerated() {
      groupAt[group.siblings.map { $0.nodes[0] }.min() ?? 0] = number
      for sibling in group.siblings { merged.formUnion(sibling.nodes) }
    }
    var copy = Graph()
    var new = [ValueID](repeating: ValueID(0), count: graph.nodes.count)
    var parts: [Int: Part] = [:]
    for (index, node) in graph.nodes.enumerated() {
      if let number = groupAt[index] {
        let group = groups[number]
        let whole = try emit(group, into: &copy, new)
        var start = 0
        for sibling in group.siblings {
          let part = Part(whole: whole, feature: group.feature, range: start..<start + sibling.extent(group))
          parts[sibling.end] = part
          new[sibling.end] = try slice(part, node.location, into: &copy)
          start = part.range.upperBound
        }
        context.explain("merge-siblings", node, .fused, "\(group.siblings.count) products of one value become one")
      }
      if merged.contains(index) { continue }
      if case .reshape = node.op, let part = parts[node.operands[0].index] {
        let split = try splitting(part, graph.type(of: node.operands[0]), into: node, into: &copy)
        parts[index] = split
        new[index] = try slice(split, node.location, into: &copy)
        continue
      }
      new[index] = copy.appendUnchecked(
        Node(
          op: node.op, operands: node.operands.map { new[$0.index] }, resultTypes: node.resultTypes,
          location: node.location))
    }
    copy.results = graph.results.map { new[$0.index] }
    return copy.removingDeadNodes()
  }

  /// The part after a reshape of the whole, which is a view: slices are where they are read.
  private func splitting(_ part: Part, _ type: TensorType, into node: Node, into copy: inout Graph) throws(OpError)
    -> Part
  {
    var extents = node.type.dimensions
    guard let split = DimensionSplit(of: part.feature, type.dimensions, into: extents),
      let count = copy.type(of: part.whole).dimensions[part.feature].fixed
    else { preconditionFailure("siblings are read through reshapes that split their features") }
    extents[split.dimension] = Extent(count / split.piece)
    let whole = try copy.append(
      .reshape(Reshape(resultDimensions: extents)), [part.whole], location: node.location)
    let range = part.range.lowerBound / split.piece..<part.range.upperBound / split.piece
    return Part(whole: whole, feature: split.dimension, range: range)
  }

  private func slice(_ part: Part, _ location: Location, into copy: inout Graph) throws(OpError) -> ValueID {
    var limits = copy.type(of: part.whole).dimensions
    var starts = limits.map { _ in Extent.zero }
    (starts[part.feature], limits[part.feature]) = (Extent(part.range.lowerBound), Extent(part.range.upperBound))
    let slice = Slice(starts: starts, limits: limits, strides: limits.map { _ in 1 })
    return try copy.append(.slice(slice), [part.whole], location: location)
  }

  /// The siblings' product with its steps.
  private func emit(_ group: Group, into copy: inout Graph, _ new: [ValueID]) throws(OpError) -> ValueID {
    let first = group.siblings[0]
    let product = graph.nodes[first.nodes[0]]
    let together = Literal.concatenated(group.siblings.map(\.weights), along: group.weightsDimension)
    let weights = try copy.append(.constant(together), location: product.location)
    var value = try copy.append(product.op, [new[product.operands[0].index], weights], location: product.location)
    for step in first.nodes.indices.dropFirst() {
      let node = graph.nodes[first.nodes[step]]
      var operands: [ValueID] = []
      for (position, operand) in node.operands.enumerated() {
        if operand.index == first.nodes[step - 1] {
          operands.append(value)
        } else {
          let constants = group.siblings.map { graph.nodes[$0.nodes[step]].operands[position] }
          operands.append(try spread(constants, of: group, like: copy.type(of: value), node.location, into: &copy))
        }
      }
      value = try copy.append(node.op, operands, location: node.location)
    }
    return value
  }

  /// The siblings' constants beside each other, repeated over the other dimensions of `type`.
  private func spread(
    _ constants: [ValueID], of group: Group, like type: TensorType, _ location: Location, into copy: inout Graph
  ) throws(OpError) -> ValueID {
    let spreads = constants.compactMap(spreadConstant)
    var dimensions: [Int] = []
    let value: ValueID
    if spreads.allSatisfy({ $0.dimensions.isEmpty && $0.value == spreads[0].value }) {
      value = try copy.append(.constant(spreads[0].value), location: location)
    } else {
      let model = spreads.first { !$0.dimensions.isEmpty }
      dimensions = model?.dimensions ?? [group.feature]
      guard let along = dimensions.firstIndex(of: group.feature) else {
        preconditionFailure("constants that differ do so along the features")
      }
      var extents = model?.value.dimensions ?? [0]
      let literals = zip(group.siblings, spreads).map { sibling, spread in
        extents[along] = sibling.extent(group)
        return spread.value.splatValue.map { Literal(spread.value.elementType, extents, splat: $0) } ?? spread.value
      }
      value = try copy.append(.constant(Literal.concatenated(literals, along: along)), location: location)
    }
    let spread = BroadcastInDim(dimensions: dimensions, resultDimensions: type.dimensions)
    return try copy.append(.broadcastInDim(spread), [value], location: location)
  }
}

extension Sibling {
  /// How many features the sibling has.
  fileprivate func extent(_ group: SiblingMerging.Group) -> Int { weights.dimensions[group.weightsDimension] }
}

extension SpreadConstant {
  /// Whether the constants can be parts of one, lying beside each other along `feature`, where the siblings have
  /// `extent` and `otherExtent`.
  fileprivate func isBeside(_ other: Self, along feature: Int, _ extent: Extent, _ otherExtent: Extent) -> Bool {
    guard value.elementType == other.value.elementType else { return false }
    let along = dimensions.firstIndex(of: feature)
    if let along, value.dimensions[along] != extent.fixed { return false }
    if other.dimensions.isEmpty { return along != nil || dimensions.isEmpty }
    let otherAlong = other.dimensions.firstIndex(of: feature)
    guard let otherAlong, other.value.dimensions[otherAlong] == otherExtent.fixed else { return false }
    if dimensions.isEmpty { return other.dimensions == [feature] }
    return dimensions == other.dimensions
      && value.dimensions.indices.allSatisfy { $0 == along || value.dimensions[$0] == other.value.dimensions[$0] }
  }
}
