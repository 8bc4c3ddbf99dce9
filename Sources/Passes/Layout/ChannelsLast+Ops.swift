import IR

/// Ops that compute in the order of dimensions that their operands have.
extension ChannelsLast {
  /// The node by what its operands are in another order, if that serves.
  mutating func rewritten(_ node: Node) throws(OpError) -> Turned? {
    if let value = try moved(node) { return value }
    if let value = try repeated(node) { return value }
    if let value = try followed(node) { return value }
    return try reduced(node)
  }

  /// A transpose or reshape whose result is a value that is there already, or one without a copy, in some order.
  ///
  /// `transpose(x: NHWC -> NCHW)` is x in another order, wherever x comes from: a sum in the order of the file, between
  /// convolutions and products that put channels last, is then a sum of such values.
  private mutating func moved(_ node: Node) throws(OpError) -> Turned? {
    switch node.op {
    case .transpose(let transpose):
      let operand = node.operands[0]
      let before = turned[operand.index]
      let rank = transpose.permutation.count
      let bringsChannelsFirst = rank > 2 && transpose.permutation == [0, rank - 1] + Array(1..<rank - 1)
      guard before != nil || bringsChannelsFirst else { return nil }
      let places = transpose.permutation.inverted
      let order = (before?.order ?? Array(0..<rank)).map { places[$0] }
      guard order == Array(0..<rank) || order == Self.channelsLast(rank) else {
        guard let before else { return nil }
        // In one step, where canonicalization would see one after another.
        let op = Op.transpose(Transpose(permutation: order.inverted))
        let result = try target.append(op, [before.value], location: node.location)
        return Turned(value: result, order: Array(0..<rank))
      }
      if let before { return Turned(value: before.value, order: order) }
      return Turned(value: try plainValue(operand), order: order)
    case .reshape(let reshape):
      guard let before = turned[node.operands[0].index] else { return nil }
      let from = source.type(of: node.operands[0]).dimensions
      guard let order = Self.order(after: before.order, reshaping: from, to: reshape.resultDimensions) else {
        return nil
      }
      let op = Reshape(resultDimensions: order.map { reshape.resultDimensions[$0] })
      return Turned(value: try target.append(.reshape(op), [before.value], location: node.location), order: order)
    default: return nil
    }
  }

  /// A turned value with more dimensions: pixels that are repeated beside or above each other. Each new dimension lies behind
  /// the one that comes before it in the file's order.
  private mutating func repeated(_ node: Node) throws(OpError) -> Turned? {
    guard case .broadcastInDim(let broadcast) = node.op, let input = turned[node.operands[0].index] else { return nil }
    let kept = input.order.map { broadcast.dimensions[$0] }
    var order = kept
    for dimension in broadcast.resultDimensions.indices where !kept.contains(dimension) {
      let place = order.firstIndex(of: dimension - 1).map { $0 + 1 } ?? 0
      order.insert(dimension, at: place)
    }
    return Turned(value: try repeated(node, broadcast, in: order), order: order)
  }

  /// What a broadcast repeats, with the result's dimensions in `order`; the operand is read in the order that it has.
  mutating func repeated(_ node: Node, _ broadcast: BroadcastInDim, in order: [Int]) throws(OpError) -> ValueID {
    let places = order.inverted
    var dimensions = broadcast.dimensions
    let operand: ValueID
    if let input = turned[node.operands[0].index] {
      dimensions = input.order.map { dimensions[$0] }
      operand = input.value
    } else {
      operand = try plainValue(node.operands[0])
    }
    let op = BroadcastInDim(
      dimensions: dimensions.map { places[$0] }, resultDimensions: order.map { broadcast.resultDimensions[$0] })
    return try target.append(.broadcastInDim(op), [operand], location: node.location)
  }

  /// The node in the order that its operand has, if the op can be written in another order of dimensions.
  private mutating func followed(_ node: Node) throws(OpError) -> Turned? {
    // What repeats a smaller value takes the order of the others.
    let leading = node.operands.filter { turned[$0.index] != nil }
    let first = leading.first { !source[$0].op.isMadeInAnyOrder } ?? leading.first
    guard node.hasSingleResult, let order = first.flatMap({ turned[$0.index]?.order }), let op = reordered(node, order)
    else { return nil }
    var operands: [ValueID] = []
    for (position, operand) in node.operands.enumerated() {
      // Of other ops the first operand has the elements; what follows are numbers and indices.
      let isElements =
        switch node.op {
        case .pointwise, .concatenate: source.type(of: operand).rank == order.count
        default: position == 0
        }
      operands.append(isElements ? try value(operand, in: order) : try plainValue(operand))
    }
    let result = try target.append(op, operands, location: node.location)
    return Turned(value: result, order: order)
  }

  /// A reduction of a turned value: a global pool, the sums of a norm.
  private mutating func reduced(_ node: Node) throws(OpError) -> Turned? {
    guard case .reduce(let reduce) = node.op, node.operands.count == 2, let input = turned[node.operands[0].index]
    else { return nil }
    let kept = input.order.filter { !reduce.dimensions.contains($0) }
    let dimensions = input.order.indices.filter { reduce.dimensions.contains(input.order[$0]) }
    let op = Reduce(dimensions: Array(dimensions), body: reduce.body)
    let result = try target.append(
      .reduce(op), [input.value, try plainValue(node.operands[1])], location: node.location)
    let places = kept.sorted()
    return Turned(value: result, order: kept.map { places.firstIndex(of: $0)! })
  }

  /// The op on operands whose dimensions are in `order`; nil for ops that are not followed.
  private func reordered(_ node: Node, _ order: [Int]) -> Op? {
    switch node.op {
    case .pointwise:
      // A second operand in the old order would have to be turned: worth it only where it is made for this.
      let isCheap = node.operands.allSatisfy { operand in
        turned[operand.index]?.order == order || source[operand].op.isMadeInAnyOrder
      }
      return isCheap ? node.op : nil
    case .reduceWindow(var op):
      guard node.operands.count == 2 else { return nil }
      op.window = order.map { op.window[$0] }
      return .reduceWindow(op)
    case .pad(let op):
      return .pad(
        Pad(low: order.map { op.low[$0] }, high: order.map { op.high[$0] }, interior: order.map { op.interior[$0] }))
    case .concatenate(let op):
      guard node.operands.allSatisfy({ turned[$0.index]?.order == order }),
        let dimension = order.firstIndex(of: op.dimension)
      else { return nil }
      return .concatenate(Concatenate(dimension: dimension))
    case .slice(let op):
      return .slice(
        Slice(
          starts: order.map { op.starts[$0] }, limits: order.map { op.limits[$0] },
          strides: order.map { op.strides[$0] }))
    case .gather(let op): return gathered(op, node, order)
    default: return nil
    }
  }

  /// A gather along one dimension, by one line of indices: of the rows and columns of an image that is resized.
  private func gathered(_ op: Gather, _ node: Node, _ order: [Int]) -> Op? {
    let rank = source.type(of: node.operands[1]).rank
    guard turned[node.operands[0].index]?.order == order, op.startIndexMap.count == 1,
      op.collapsedSliceDims == op.startIndexMap, op.operandBatchingDims.isEmpty,
      rank - (op.indexVectorDim < rank ? 1 : 0) == 1
    else { return nil }
    let dimension = op.startIndexMap[0]
    let others = order.indices.filter { $0 != dimension }
    guard op.offsetDims == others, let place = order.firstIndex(of: dimension) else { return nil }
    var new = op
    new.startIndexMap = [place]
    new.collapsedSliceDims = [place]
    new.offsetDims = order.indices.filter { $0 != place }
    new.sliceExtents = order.map { op.sliceExtents[$0] }
    return .gather(new)
  }
}

/// Orders of dimensions.
extension ChannelsLast {
  /// Batch, space and features, for a value that has features before space.
  static func channelsLast(_ rank: Int) -> [Int] { [0] + Array(2..<rank) + [1] }

  /// In what order the result's dimensions are, where a value in `order` is reshaped without moving an element; nil where
  /// a dimension joins others that are not beside it in this order.
  static func order(after order: [Int], reshaping from: [Extent], to: [Extent]) -> [Int]? {
    guard let groups = groups(from, to) else { return nil }
    var significant: [Int] = []
    var rest = order.filter { from[$0] != .one }[...]
    while let first = rest.first {
      guard let group = groups.first(where: { $0.from.first == first }), rest.starts(with: group.from) else {
        return nil
      }
      rest = rest.dropFirst(group.from.count)
      significant += group.to
    }
    // Dimensions of extent 1 may lie anywhere: as other values have them, if that fits.
    if to.count > 2, channelsLast(to.count).filter({ to[$0] != .one }) == significant { return channelsLast(to.count) }
    if significant == significant.sorted() { return Array(to.indices) }
    return to.indices.filter { to[$0] == .one } + significant
  }

  /// Runs of dimensions that a reshape makes of runs of dimensions with as many elements, without those of extent 1.
  private static func groups(_ from: [Extent], _ to: [Extent]) -> [(from: [Int], to: [Int])]? {
    guard !from.contains(.zero) else { return nil }
    var groups: [(from: [Int], to: [Int])] = []
    var (before, after) = (from.indices.filter { from[$0] != .one }[...], to.indices.filter { to[$0] != .one }[...])
    while let i = before.popFirst() {
      guard let j = after.popFirst() else { return nil }
      var (group, size, sizeAfter) = ((from: [i], to: [j]), from[i], to[j])
      while size != sizeAfter {
        // Which side lacks elements; of symbolic extents, the one whose next dimension makes them equal.
        if let i = before.first, sizeAfter.isSurelyGreater(than: size) || size * from[i] == sizeAfter {
          (group.from, size) = (group.from + [i], size * from[i])
          before.removeFirst()
        } else if let j = after.first, size.isSurelyGreater(than: sizeAfter) || sizeAfter * to[j] == size {
          (group.to, sizeAfter) = (group.to + [j], sizeAfter * to[j])
          after.removeFirst()
        } else {
          return nil
        }
      }
      groups.append(group)
    }
    return after.isEmpty ? groups : nil
  }
}

extension Op {
  /// Whether the value is as easily made with its dimensions in another order.
  var isMadeInAnyOrder: Bool {
    switch self {
    case .broadcastInDim, .constant: true
    default: false
    }
  }
}

extension [Int] {
  /// The permutation that undoes this one: where each dimension went.
  var inverted: [Int] {
    var result = self
    for (new, old) in enumerated() { result[old] = new }
    return result
  }
}
