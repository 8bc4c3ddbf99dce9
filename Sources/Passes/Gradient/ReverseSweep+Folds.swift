import IR

extension ReverseSweep {
  /// `reduce`: of a sum the cotangent repeated; of a choice shared by all that equal it; else by halves, folded like a tree.
  mutating func pullBack(_ op: Reduce, _ node: Node, _ index: Int) throws(OpError) {
    let x = node.operands
    let type = source.type(of: x[0])
    let kept = type.dimensions.indices.filter { !op.dimensions.contains($0) }
    if node.hasSingleResult, let g = cotangentsIfAny(index)[0] {
      switch op.body.foldedFunction {
      case .add:
        if wants(x[0]) { try give(c.spread(g, over: kept, type.dimensions), to: x[0]) }
        if wants(x[1]) { try give(c.fold(.add, g, over: Array(c.type(g).dimensions.indices)), to: x[1]) }
        return
      case .maximum, .minimum:
        if wants(x[1]) { break }
        let chosen = try c.spread(ValueID(index), over: kept, type.dimensions)
        let marks = try c.apply(.convert(type.elementType), c.compare(.equal, x[0], chosen))
        let share = try c.divide(g, c.fold(.add, marks, over: op.dimensions))
        return try give(c.multiply(c.spread(share, over: kept, type.dimensions), marks), to: x[0])
      default: break
      }
    }
    guard op.dimensions.allSatisfy({ type.dimensions[$0].isFixed }) else {
      throw refusal(node, "with this body over \(type.detailedDescription) is not known, as an extent is open")
    }
    try pullBack(node, index) { (operands, c) throws(OpError) in try c.foldedByHalves(op, operands) }
  }

  /// `reduce_window`: of a sum the sum over the windows that an element is in; of a choice what `select_and_scatter` gives;
  /// else a running fold in steps that double, or the windows' elements one after the other.
  mutating func pullBack(_ op: ReduceWindow, _ node: Node, _ index: Int) throws(OpError) {
    let x = node.operands
    let type = source.type(of: x[0])
    if node.hasSingleResult, let g = cotangentsIfAny(index)[0], !wants(x[1]) {
      switch op.body.foldedFunction {
      case .add: return try pullBackSum(op, g, x[0])
      case .maximum, .minimum:
        guard op.window.scan(over: type.dimensions) == nil,
          op.window.allSatisfy({ $0.windowDilation == 1 && $0.baseDilation == 1 })
        else { break }
        let isMaximum = op.body.foldedFunction == .maximum
        return try pullBackChoice(op.window, isMaximum, g, x[0])
      default: break
      }
    }
    if let (dimension, direction) = op.window.scan(over: type.dimensions) {
      return try pullBack(node, index) { (operands, c) throws(OpError) in
        try c.foldedByDoubling(op.body, operands, dimension, direction)
      }
    }
    guard op.window.compactMap(\.extent.fixed).reduce(1, *) <= 256 else {
      throw refusal(node, "with this body over windows of more than 256 elements is not known")
    }
    try pullBack(node, index) { (operands, c) throws(OpError) in try c.foldedByElements(op, operands) }
  }

  private mutating func pullBackSum(_ op: ReduceWindow, _ g: ValueID, _ x: ValueID) throws(OpError) {
    guard wants(x) else { return }
    let (type, positions) = (c.type(x), c.type(g).dimensions)
    if (type.dimensions + positions).contains(.zero) { return }
    let spread = zip(op.window, zip(type.dimensions, positions)).map { $0.transposed(base: $1.0, positions: $1.1) }
    let padded = try c.padded(g, spread)
    let body = try Graph.fold(.add, type.elementType)
    let sum = try c.append(
      .reduceWindow(ReduceWindow(window: spread.map(\.window), body: body)), padded,
      c.scalar(.zero(type.elementType), type.elementType))
    try give(sum, to: x)
  }

  private mutating func pullBackChoice(_ window: [WindowDimension], _ isMaximum: Bool, _ g: ValueID, _ x: ValueID)
    throws(OpError)
  {
    guard wants(x) else { return }
    let element = c.type(x).elementType
    var select = Graph()
    let (a, b) = (select.addParameter(.scalar(element)), select.addParameter(.scalar(element)))
    select.results = [
      try select.append(.pointwise(.compare(isMaximum ? .greaterOrEqual : .lessOrEqual, .float)), [a, b])
    ]
    let scatter = SelectAndScatter(window: window, select: select, scatter: try .fold(.add, element))
    try give(c.append(.selectAndScatter(scatter), x, g, c.scalar(.zero(element), element)), to: x)
  }

  /// `select_and_scatter` is linear in its source: what each window chose, taken from the cotangent.
  mutating func pullBack(_ op: SelectAndScatter, _ node: Node, _ index: Int, _ g: ValueID) throws(OpError) {
    let x = node.operands
    guard op.scatter.foldedFunction == .add, let isGreatest = op.choosesGreatest else {
      throw refusal(node, "with these bodies is not known")
    }
    try give(c.fold(.add, g, over: Array(c.type(g).dimensions.indices)), to: x[2])
    guard wants(x[1]) else { return }
    let element = c.type(x[0]).elementType
    var body = Graph()
    let p = (0..<4).map { _ in body.addParameter(.scalar(element)) }
    let keeps = try body.append(
      .pointwise(.compare(isGreatest ? .greaterOrEqual : .lessOrEqual, .float)), [p[0], p[2]])
    for (a, b) in [(p[0], p[2]), (p[1], p[3])] {
      body.results.append(try body.append(.pointwise(.select), [keeps, a, b]))
    }
    let worst = try c.scalar(isGreatest ? element.lowest : element.highest, element)
    let fold = try c.append(
      .reduceWindow(ReduceWindow(window: op.window, body: body)), x[0], g, worst, c.scalar(.zero(element), element))
    try give(c.graph.results(of: fold)[1], to: x[1])
  }
}

extension SelectAndScatter {
  /// Whether the largest element of a window is chosen, or the least; nil where neither is.
  fileprivate var choosesGreatest: Bool? {
    guard case .pointwise(let op) = select[select.results[0]].op, case .compare(let direction, _) = op.function,
      select[select.results[0]].operands == select.parameters
    else { return nil }
    switch direction {
    case .greaterOrEqual, .greater: return true
    case .lessOrEqual, .less: return false
    default: return nil
    }
  }
}

/// A window turned around, over the positions of the original one, and how its base is padded before, where that depends on
/// an open extent.
struct TransposedWindow {
  var window: WindowDimension
  var low: Extent = .zero
  var high: Extent = .zero
  var interior = 0

  var needsPadding: Bool { (low, high) != (.zero, .zero) || interior != 0 }

  /// The window over a base of `extent` that begins `low` elements before it and reaches as far as `reach` elements from there.
  init(_ window: WindowDimension, base extent: Extent, low: Extent, reach: Extent) {
    self.window = window
    let holes = window.baseDilation == 1 ? .zero : Extent.maximum(extent - 1, .zero) * (window.baseDilation - 1)
    let high = reach - low - extent - holes
    if let low = low.fixed, let high = high.fixed {
      (self.window.paddingLow, self.window.paddingHigh) = (low, high)
    } else {
      (self.low, self.high, interior) = (low, high, window.baseDilation - 1)
      self.window.baseDilation = 1
    }
  }
}

extension WindowDimension {
  /// The window over what this one makes of a base, whose positions are the elements of that base.
  func transposed(base: Extent, positions: Extent) -> TransposedWindow {
    let span = (extent - 1) * windowDilation
    let turned = WindowDimension(
      extent: extent, stride: baseDilation, baseDilation: stride, windowDilation: windowDilation, isReversed: isReversed
    )
    return TransposedWindow(
      turned, base: positions, low: span - paddingLow, reach: (base - 1) * baseDilation + span + 1)
  }
}

extension Composer {
  /// The base of turned windows with the padding that they lack.
  mutating func padded(_ value: ValueID, _ windows: [TransposedWindow], at dimensions: [Int]? = nil) throws(OpError)
    -> ValueID
  {
    guard windows.contains(where: \.needsPadding) else { return value }
    let type = type(value)
    var pad = Pad(
      low: type.dimensions.map { _ in .zero }, high: type.dimensions.map { _ in .zero },
      interior: type.dimensions.map { _ in 0 })
    for (window, d) in zip(windows, dimensions ?? Array(windows.indices)) {
      (pad.low[d], pad.high[d], pad.interior[d]) = (window.low, window.high, window.interior)
    }
    return try append(.pad(pad), value, scalar(.zero(type.elementType), type.elementType))
  }
}
