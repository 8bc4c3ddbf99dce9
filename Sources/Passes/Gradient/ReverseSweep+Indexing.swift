import IR

extension ReverseSweep {
  /// `gather`: the cotangent scattered to where its elements came from, and added up there.
  mutating func pullBack(_ op: Gather, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    guard wants(x[0]) else { return }
    let type = c.type(x[0])
    let limits = op.startIndexMap.map { type.dimensions[$0] - op.sliceExtents[$0] }
    let indices = try c.clamped(x[1], along: op.indexVectorDim, to: limits)
    let scatter = Scatter(
      updateWindowDims: op.offsetDims, insertedWindowDims: op.collapsedSliceDims,
      inputBatchingDims: op.operandBatchingDims,
      scatterIndicesBatchingDims: op.startIndicesBatchingDims, scatterDimsToOperandDims: op.startIndexMap,
      indexVectorDim: op.indexVectorDim, indicesAreSorted: op.indicesAreSorted,
      body: try .fold(.add, type.elementType))
    let target = try cotangent(of: x[0])
    set(try c.append(.scatter(scatter), target, indices, g), asCotangentOf: x[0])
  }

  /// `sort`: each cotangent taken back along the permutation, which the recorded node has as its last result.
  mutating func pullBackSort(_ node: Node, _ index: Int) throws(OpError) {
    guard case .permutation(let permutation, let dimension)? = recordings[index] else {
      throw refusal(node, "whose order is not recorded is not known")
    }
    let type = c.type(permutation)
    let others = type.dimensions.indices.filter { $0 != dimension }
    for (operand, cotangent) in zip(node.operands, cotangentsIfAny(index)) {
      guard let cotangent, wants(operand) else { continue }
      let scatter = Scatter(
        updateWindowDims: [], insertedWindowDims: [dimension], inputBatchingDims: others,
        scatterIndicesBatchingDims: others, scatterDimsToOperandDims: [dimension], indexVectorDim: type.rank,
        uniqueIndices: true, body: try .fold(.add, c.type(operand).elementType))
      try give(c.append(.scatter(scatter), c.zeros(c.type(operand)), permutation, cotangent), to: operand)
    }
  }

  /// `scatter` with a sum, an assignment, a product at distinct places, or a choice of the largest or least.
  mutating func pullBack(_ op: Scatter, _ node: Node, _ index: Int) throws(OpError) {
    guard node.operands.count == 3, let g = cotangentsIfAny(index)[0] else {
      throw refusal(node, "of several inputs is not known")
    }
    let places = ScatteredPlaces(op, indices: node.operands[1], update: c.type(node.operands[2]))
    switch op.body.scatteredFunction {
    case .combined(.add):
      try give(g, to: node.operands[0])
      if wants(node.operands[2]) { try give(c.taken(g, places), to: node.operands[2]) }
    case .replaced: try pullBackAssignment(places, g, node.operands)
    case .combined(.multiply) where op.uniqueIndices:
      let (x, update) = (node.operands[0], node.operands[2])
      if wants(x) { try give(c.append(.scatter(op), g, node.operands[1], update), to: x) }
      if wants(update) { try give(c.multiply(c.taken(g, places), c.taken(x, places)), to: update) }
    case .combined(.maximum), .combined(.minimum):
      try pullBackChoice(places, g, ValueID(index), node.operands)
    case .combined(.multiply): throw refusal(node, "with products at places that may repeat is not known")
    default: throw refusal(node, "with this body is not known")
    }
  }

  /// The last update of a place has its cotangent, the input has that of places without an update.
  private mutating func pullBackAssignment(_ places: ScatteredPlaces, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    let update = places.update
    if wants(x[0]) { try give(c.append(.scatter(places.op), g, x[1], c.zeros(update)), to: x[0]) }
    guard wants(x[2]) else { return }
    let taken = try c.taken(g, places)
    if places.op.uniqueIndices { return try give(taken, to: x[2]) }
    let number = TensorType(.i64, update.dimensions)
    let order = try c.append(.iota(Iota(dimension: 0, resultType: TensorType(.i64, [update.elementCount]))))
    let numbers = try c.add(c.reshaped(order, update.dimensions), c.splat(1, like: c.zeros(number)))
    var numbering = places.op
    numbering.body = try .second(.i64)
    let left = try c.append(.scatter(numbering), c.zeros(c.type(g).with(.i64)), x[1], numbers)
    let isLast = try c.compare(.equal, c.taken(left, places), numbers)
    try give(c.kept(taken, where: isLast), to: x[2])
  }

  /// All that equal the result share its cotangent: updates of a place, and what was there.
  private mutating func pullBackChoice(_ places: ScatteredPlaces, _ g: ValueID, _ y: ValueID, _ x: [ValueID])
    throws(OpError)
  {
    var adding = places.op
    adding.body = try .fold(.add, places.update.elementType)
    let wasChosen = try c.compare(.equal, x[2], c.taken(y, places))
    let one = try c.splat(1, like: x[2])
    let marks = try c.kept(one, where: wasChosen)
    let count = try c.append(.scatter(adding), c.zeros(c.type(g)), x[1], marks)
    let isKept = try c.compare(.equal, x[0], y)
    let share = try c.divide(g, c.apply(.select, isKept, c.add(count, c.splat(1, like: g)), count))
    try give(c.kept(share, where: isKept), to: x[0])
    if wants(x[2]) { try give(c.kept(c.taken(share, places), where: wasChosen), to: x[2]) }
  }
}

/// Where a scatter puts its updates.
struct ScatteredPlaces {
  let op: Scatter
  let indices: ValueID
  let update: TensorType

  init(_ op: Scatter, indices: ValueID, update: TensorType) {
    (self.op, self.indices, self.update) = (op, indices, update)
  }
}

extension Composer {
  /// Start indices moved to where slices stay inside: from zero to `limits`, one for each component.
  fileprivate mutating func clamped(_ indices: ValueID, along dimension: Int, to limits: [Extent]) throws(OpError)
    -> ValueID
  {
    let bounds = try list(limits, like: indices, along: dimension)
    return try apply(.clamp, zeros(like: indices), indices, bounds)
  }

  /// Numbers, one for each component of indices, in the type of the indices; as large as that can hold.
  private mutating func list(_ numbers: [Extent], like indices: ValueID, along dimension: Int) throws(OpError)
    -> ValueID
  {
    let type = type(indices)
    let highest = type.elementType.highest.integerValue
    var parts: [ValueID] = []
    for number in numbers {
      let capped = number.fixed.map { Extent(highest < 0 ? $0 : min($0, Int(highest))) } ?? number
      parts.append(try reshaped(integer(capped, type.elementType), [.one]))
    }
    if dimension == type.rank {
      return try spread(reshaped(parts[0], []), over: [], type.dimensions)
    }
    guard !parts.isEmpty else { return indices }
    return try spread(joined(parts, 0), over: [dimension], type.dimensions)
  }

  /// The slices of `value` at the places of a scatter, in the form of its updates; zero where the scatter drops them.
  fileprivate mutating func taken(_ value: ValueID, _ places: ScatteredPlaces) throws(OpError) -> ValueID {
    let (op, type) = (places.op, type(value))
    let kept = op.keptDims(rank: type.rank)
    var extents = type.dimensions.map { _ in Extent.one }
    for (place, d) in zip(op.updateWindowDims, kept) { extents[d] = places.update.dimensions[place] }
    let gather = Gather(
      offsetDims: op.updateWindowDims, collapsedSliceDims: op.insertedWindowDims,
      operandBatchingDims: op.inputBatchingDims, startIndicesBatchingDims: op.scatterIndicesBatchingDims,
      startIndexMap: op.scatterDimsToOperandDims, indexVectorDim: op.indexVectorDim, sliceExtents: extents,
      indicesAreSorted: op.indicesAreSorted)
    let widths = op.scatterDimsToOperandDims.map { extents[$0] }
    // The operand with zeros around it, as wide as a slice: what falls outside the operand is read there.
    var pad = Pad(
      low: type.dimensions.map { _ in .zero }, high: type.dimensions.map { _ in .zero },
      interior: type.dimensions.map { _ in 0 })
    for (d, width) in zip(op.scatterDimsToOperandDims, widths) { (pad.low[d], pad.high[d]) = (width, width) }
    let padded = try append(.pad(pad), value, scalar(.zero(type.elementType), type.elementType))
    let indices = try converted(places.indices, to: .i64)
    let dimension = op.indexVectorDim
    let lowest = try list(widths.map { -$0 }, like: indices, along: dimension)
    let highest = try list(op.scatterDimsToOperandDims.map { type.dimensions[$0] }, like: indices, along: dimension)
    let inside = try apply(.clamp, lowest, indices, highest)
    let starts = try add(inside, list(widths, like: indices, along: dimension))
    return try append(.gather(gather), padded, starts)
  }
}

extension Graph {
  /// What a scatter does with an element and its update.
  fileprivate enum Scattered {
    case combined(ScalarFunction)
    case replaced
    case other
  }

  fileprivate var scatteredFunction: Scattered {
    if let function = foldedFunction { return .combined(function) }
    return parameters.count == 2 && results == [parameters[1]] ? .replaced : .other
  }

  /// The body of a fold of one function.
  static func fold(_ function: ScalarFunction, _ element: ElementType) throws(OpError) -> Graph {
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(function), [a, b])]
    return body
  }

  /// The body that keeps its second operand.
  static func second(_ element: ElementType) throws(OpError) -> Graph {
    var body = Graph()
    body.addParameter(.scalar(element))
    body.results = [body.addParameter(.scalar(element))]
    return body
  }
}
