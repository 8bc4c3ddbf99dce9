import IR

/// Folds written as ops on whole tensors, which have gradients for any body.
extension Composer {
  /// `reduce`, folding two halves of what is left at a time; the initial values come last.
  mutating func foldedByHalves(_ op: Reduce, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let count = operands.count / 2
    let type = type(operands[0])
    let kept = type.dimensions.indices.filter { !op.dimensions.contains($0) }
    let shape = kept.map { type.dimensions[$0] }
    let length = op.dimensions.reduce(1) { $0 * (type.dimensions[$1].fixed ?? 0) }
    var parts: [ValueID] = []
    for x in operands.prefix(count) {
      parts.append(try reshaped(transposed(x, op.dimensions + kept), [Extent(length)] + shape))
    }
    var rest = length
    while rest > 1 {
      let half = rest / 2
      let first = try parts.mapped { x throws(OpError) in try slice(x, 0, .zero, Extent(half)) }
      let second = try parts.mapped { x throws(OpError) in try slice(x, 0, Extent(half), Extent(2 * half)) }
      var folded = try applied(op.body, first + second)
      if rest % 2 == 1 {
        let last = try parts.mapped { x throws(OpError) in try slice(x, 0, Extent(2 * half), Extent(rest)) }
        for place in folded.indices { folded[place] = try joined([folded[place], last[place]], 0) }
      }
      parts = folded
      rest = half + rest % 2
    }
    var initial: [ValueID] = []
    for value in operands.suffix(count) { initial.append(try spread(value, over: [], shape)) }
    if length == 0 { return initial }
    let folded = try parts.mapped { x throws(OpError) in try reshaped(x, shape) }
    return try applied(op.body, initial + folded)
  }

  /// A running fold: after each step every position has folded twice as many elements.
  mutating func foldedByDoubling(_ body: Graph, _ operands: [ValueID], _ dimension: Int, _ direction: ScanDirection)
    throws(OpError) -> [ValueID]
  {
    let count = operands.count / 2
    let type = type(operands[0])
    guard let length = type.dimensions[dimension].fixed else {
      throw .unsupported("the gradient of a running fold along an open extent of \(type.detailedDescription)")
    }
    let isForward = direction == .forward
    var values = Array(operands.prefix(count))
    var distance = 1
    while distance < length {
      let near = try values.mapped { x throws(OpError) in
        try slice(x, dimension, Extent(isForward ? distance : 0), Extent(isForward ? length : length - distance))
      }
      let far = try values.mapped { x throws(OpError) in
        try slice(x, dimension, Extent(isForward ? 0 : distance), Extent(isForward ? length - distance : length))
      }
      let folded = try applied(body, far + near)
      for place in values.indices {
        let start = isForward ? 0 : length - distance
        let edge = try slice(values[place], dimension, Extent(start), Extent(start + distance))
        values[place] = try joined(isForward ? [edge, folded[place]] : [folded[place], edge], dimension)
      }
      distance *= 2
    }
    var initial: [ValueID] = []
    for value in operands.suffix(count) { initial.append(try spread(value, over: [], type.dimensions)) }
    return try applied(body, initial + values)
  }

  /// `reduce_window`, the elements at one place of all windows after the other.
  mutating func foldedByElements(_ op: ReduceWindow, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let count = operands.count / 2
    let type = type(operands[0])
    let taps = op.window.compactMap(\.extent.fixed)
    let positions = zip(op.window, type.dimensions).map { $0.outputExtent(base: $1) }
    guard taps.count == op.window.count, type.hasFixedShape else {
      throw .unsupported("the gradient of stablehlo.reduce_window with this body over \(type.detailedDescription)")
    }
    let pad = Pad(
      low: op.window.map { Extent($0.paddingLow) }, high: op.window.map { Extent($0.paddingHigh) },
      interior: op.window.map { $0.baseDilation - 1 })
    let initial = Array(operands.suffix(count))
    var bases: [ValueID] = []
    for (x, value) in zip(operands, initial) { bases.append(try append(.pad(pad), x, value)) }
    var folded = try initial.mapped { x throws(OpError) in try spread(x, over: [], positions) }
    if positions.contains(.zero) { return folded }
    for tap in allIndices(taps) {
      let starts = zip(op.window, tap).map { $0.windowDilation * $1 }
      let limits = op.window.indices.map { starts[$0] + ((positions[$0].fixed ?? 1) - 1) * op.window[$0].stride + 1 }
      let slice = Slice(
        starts: starts.map { Extent($0) }, limits: limits.map { Extent($0) }, strides: op.window.map(\.stride))
      let elements = try bases.mapped { x throws(OpError) in try append(.slice(slice), x) }
      folded = try applied(op.body, folded + elements)
    }
    return folded
  }

  /// A body of scalars, on tensors.
  private mutating func applied(_ body: Graph, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let shape = type(operands[0]).dimensions
    var values: [ValueID] = []
    for node in body.nodes {
      let x = node.operands.map { values[$0.index] }
      switch node.op {
      case .parameter(let parameter): values.append(operands[parameter.index])
      case .constant: values.append(try spread(append(node.op), over: [], shape))
      case .pointwise: values.append(try append(node.op, x))
      case .reshape, .broadcastInDim: values.append(x[0])
      default: throw .unsupported("the gradient of a fold whose body has \(node.op.mnemonic)")
      }
    }
    return body.results.map { values[$0.index] }
  }
}

extension [ValueID] {
  fileprivate func mapped(_ change: (ValueID) throws(OpError) -> ValueID) throws(OpError) -> [ValueID] {
    var changed: [ValueID] = []
    for value in self { changed.append(try change(value)) }
    return changed
  }
}
