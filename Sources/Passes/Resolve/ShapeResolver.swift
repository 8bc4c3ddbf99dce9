import IR

/// One forward rebuild of a graph: dynamic ops become static or symbolic ones where the shapes they ask for are known.
struct ShapeResolver {
  private var facts: SymbolFacts
  /// What the graph says about symbols, beyond what was known before.
  private(set) var learned: SymbolFacts
  /// Why the graph cannot be compiled, unless another round with what was learned succeeds.
  private(set) var refusal: OpError?
  /// The symbols of the function's parameters, in order.
  private let order: [Symbol]
  private var target = Graph()
  /// For each node of the source, its values in the target: one, or one for each result of a node that is gone.
  private var values: [[ValueID]] = []
  /// For each node of the target, its contents, if it may be a shape. What only the run decides stands there as
  /// `.element` atoms, so that the size of a slice from such a start to such a limit is still known.
  private var contents: [[Extent]?] = []

  init(facts: SymbolFacts, order: [Symbol]) {
    self.facts = facts
    self.learned = facts
    self.order = order
  }

  /// The rebuilt graph; the parameters have the types and contents given, or those they have.
  mutating func resolve(_ source: Graph, parameters: [(type: TensorType, contents: [Extent]?)]? = nil)
    throws(OpError) -> Graph
  {
    for node in source.nodes {
      if case .parameter(var parameter) = node.op {
        var new = node
        let known = parameters?[parameter.index]
        if let known {
          parameter.type = known.type
          new.op = .parameter(parameter)
          new.resultTypes = [known.type]
        }
        values.append([push(new, known?.contents)])
        continue
      }
      do {
        values.append(try rebuild(node))
      } catch {
        refuse(error.at(node.location))
        let operands = node.operands.flatMap { values[$0.index] }
        values.append([
          push(Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location), nil)
        ])
      }
    }
    target.results = source.results.map { values[$0.index][0] }
    return target
  }

  private mutating func refuse(_ error: OpError) { refusal = refusal ?? error }

  // MARK: - Nodes

  private mutating func rebuild(_ node: Node) throws(OpError) -> [ValueID] {
    let operands = node.operands.flatMap { values[$0.index] }
    switch node.op {
    case .getTupleElement(let element):
      if operands.count == 1, !target[operands[0]].hasSingleResult { return [try append(node.op, operands, node)] }
      return [operands[element.index]]
    case .optimizationBarrier: return operands
    case .customCall(let call) where call.target == "shape_assertion":
      try assume(operands, call)
      return []
    case .while(let loop): return [try rebuild(loop, operands, node)]
    case .if(let choice):
      let regions = try resolvedBranches([choice.trueBranch, choice.falseBranch], Array(operands.dropFirst()))
      return [try append(.if(If(trueBranch: regions[0], falseBranch: regions[1])), operands, node)]
    case .case(let choice):
      let regions = try resolvedBranches(choice.branches, Array(operands.dropFirst()))
      return [try append(.case(Case(branches: regions)), operands, node)]
    default:
      if let dynamic = try rebuildDynamic(node, operands) { return [dynamic] }
      return [try append(node.op, operands, node)]
    }
  }

  /// Appends an op whose types follow from its operands; a known scalar becomes a constant or an extent.
  private mutating func append(_ op: Op, _ operands: [ValueID], _ node: Node) throws(OpError) -> ValueID {
    learnEqualities(op, operands)
    if operands.count == 1, !target[operands[0]].hasSingleResult {
      return note(try target.append(op, operands, location: node.location), nil)
    }
    let types = operands.map { target.type(of: $0) }
    let results = try op.inferTypes(types)
    guard results.count == 1 else {
      return push(Node(op: op, operands: operands, resultTypes: results, location: node.location), nil)
    }
    let shapes = ShapeContents(facts: facts)
    let known = shapes.contents(of: op, operands.map { contents[$0.index] }, types, result: results[0])
    if let extent = known?.first, extent.isKnownBeforeTheRun, results[0].isScalar, results[0].elementType.isInteger {
      return push(Self.scalarNode(extent, results[0].elementType, node.location), [extent])
    }
    return push(Node(op: op, operands: operands, resultTypes: results, location: node.location), known)
  }

  private static func scalarNode(_ extent: Extent, _ type: ElementType, _ location: Location) -> Node {
    let op: Op
    if let fixed = extent.fixed {
      op = .constant(.scalar(.integer(Int64(fixed)), type))
    } else {
      op = .extentValue(ExtentValue(extent: extent, elementType: type))
    }
    return Node(op: op, operands: [], resultTypes: [.scalar(type)], location: location)
  }

  private mutating func push(_ node: Node, _ known: [Extent]?) -> ValueID { note(target.appendUnchecked(node), known) }

  private mutating func note(_ value: ValueID, _ known: [Extent]?) -> ValueID {
    var elements = known
    if elements == nil, target[value].hasSingleResult {
      let type = target.type(of: value)
      if type.elementType.isInteger, ShapeContents.isShape(type), let count = type.elementCount.fixed {
        elements = (0..<count).map { Extent(.element(operand: value.index, index: [Extent($0)])) }
      }
    }
    contents.append(elements)
    return value
  }

  /// What a region may know of a value: its numbering of values is its own.
  private func portableContents(_ value: ValueID) -> [Extent]? {
    contents[value.index].flatMap { $0.allSatisfy(\.isKnownBeforeTheRun) ? $0 : nil }
  }

  // MARK: - Regions

  private mutating func resolvedBranches(_ branches: [Graph], _ captures: [ValueID]) throws(OpError) -> [Graph] {
    let parameters = captures.map { (type: target.type(of: $0), contents: portableContents($0)) }
    var resolved: [Graph] = []
    for branch in branches { resolved.append(try resolvedRegion(branch, parameters)) }
    if let first = resolved.first {
      for branch in resolved.dropFirst() { unify(first.resultTypes, branch.resultTypes) }
    }
    return resolved
  }

  /// A loop's values keep their contents only where the body hands them on as they are.
  private mutating func rebuild(_ loop: While, _ operands: [ValueID], _ node: Node) throws(OpError) -> ValueID {
    var parameters = operands.map { (type: target.type(of: $0), contents: portableContents($0)) }
    for (position, result) in loop.body.results.enumerated() where result != loop.body.parameters[position] {
      parameters[position].contents = nil
    }
    let condition = try resolvedRegion(loop.condition, parameters)
    let body = try resolvedRegion(loop.body, parameters)
    unify(body.resultTypes, parameters.map(\.type))
    return try append(.while(While(condition: condition, body: body)), operands, node)
  }

  private mutating func resolvedRegion(_ region: Graph, _ parameters: [(type: TensorType, contents: [Extent]?)])
    throws(OpError) -> Graph
  {
    var inner = ShapeResolver(facts: facts, order: order)
    inner.learned = learned
    let resolved = try inner.resolve(region, parameters: parameters)
    learned = inner.learned
    if let refusal = inner.refusal { refuse(refusal) }
    return resolved
  }

  // MARK: - Facts

  /// What an assertion says about symbols; one that never holds refuses the graph.
  private mutating func assume(_ operands: [ValueID], _ call: CustomCall) throws(OpError) {
    guard let predicate = operands.first else { return }
    try assume(predicate, call)
  }

  private mutating func assume(_ predicate: ValueID, _ call: CustomCall) throws(OpError) {
    if let known = contents[predicate.index]?.first?.fixed {
      if known == 0 { throw OpError("a shape assertion never holds: \(call.attributes["error_message"] ?? "")") }
      return
    }
    let node = target[predicate]
    guard case .pointwise(let pointwise) = node.op else { return }
    switch pointwise.function {
    case .and: for operand in node.operands { try assume(operand, call) }
    case .compare(let direction, _):
      let sides = node.operands.compactMap { contents[$0.index]?.first }
      guard sides.count == 2, sides.allSatisfy(\.isKnownBeforeTheRun) else { return }
      learned.assume(direction, learned.applying(sides[0]), learned.applying(sides[1]), order: order)
    default: return
    }
  }

  /// Dimensions that an op needs equal are equal, or the file would be wrong.
  private mutating func learnEqualities(_ op: Op, _ operands: [ValueID]) {
    guard operands.count > 1, operands.allSatisfy({ target[$0].hasSingleResult }) else { return }
    let types = operands.map { target.type(of: $0) }
    switch op {
    case .pointwise: for type in types.dropFirst() { unify([types[0]], [type]) }
    case .concatenate(let concatenate):
      for type in types.dropFirst() where type.rank == types[0].rank {
        for d in types[0].dimensions.indices where d != concatenate.dimension {
          unify(types[0].dimensions[d], type.dimensions[d])
        }
      }
    case .dotGeneral(let dot):
      let d = dot.dimensions
      for (i, j) in zip(d.lhsBatching + d.lhsContracting, d.rhsBatching + d.rhsContracting)
      where i < types[0].rank && j < types[1].rank {
        unify(types[0].dimensions[i], types[1].dimensions[j])
      }
    case .triangularSolve:
      for (d, e) in zip(types[0].dimensions.dropLast(2), types[1].dimensions.dropLast(2)) { unify(d, e) }
    case .reduce:
      for type in types.prefix(types.count / 2).dropFirst() { unify([types[0]], [type]) }
    default: return
    }
  }

  private mutating func unify(_ a: [TensorType], _ b: [TensorType]) {
    for (x, y) in zip(a, b) where x.rank == y.rank {
      for (d, e) in zip(x.dimensions, y.dimensions) { unify(d, e) }
    }
  }

  private mutating func unify(_ a: Extent, _ b: Extent) {
    if a != b { learned.assume(.equal, learned.applying(a), learned.applying(b), order: order) }
  }
}

// MARK: - Dynamic ops

extension ShapeResolver {
  /// The static or symbolic form of a dynamic op; nil for the other ops.
  private mutating func rebuildDynamic(_ node: Node, _ operands: [ValueID]) throws(OpError) -> ValueID? {
    // What follows takes the operands as they should be.
    if node.op.isDynamic { _ = try node.op.inferTypes(operands.flatMap { target[$0].resultTypes }) }
    switch node.op {
    case .dynamicReshape:
      return try append(.reshape(Reshape(resultDimensions: try extents(operands[1], node))), [operands[0]], node)
    case .dynamicBroadcastInDim(let broadcast):
      let shape = try extents(operands[1], node)
      let op = Op.broadcastInDim(BroadcastInDim(dimensions: broadcast.dimensions, resultDimensions: shape))
      return try append(op, [operands[0]], node)
    case .dynamicIota(let iota):
      let type = TensorType(iota.resultType.elementType, try extents(operands[0], node))
      return try append(.iota(Iota(dimension: iota.dimension, resultType: type)), [], node)
    case .dynamicPad:
      let (low, high) = (try extents(operands[2], node), try extents(operands[3], node))
      let op = Op.pad(Pad(low: low, high: high, interior: try integers(operands[4], node)))
      return try append(op, [operands[0], operands[1]], node)
    case .realDynamicSlice(let slice): return try rebuild(slice, operands, node)
    case .setDimensionSize(let op): return try rebuild(op, operands, node)
    case .dynamicGather(let gather):
      return try append(
        .gather(gather.gather(sliceExtents: try extents(operands[2], node))), [operands[0], operands[1]], node)
    case .dynamicConv(let convolution): return try rebuild(convolution, operands, node)
    case .bitcastConvert(let bitcast):
      let x = target.type(of: operands[0])
      var type = bitcast.resultType
      for d in type.dimensions.indices where d < x.rank && !type.dimensions[d].isFixed {
        type.dimensions[d] = x.dimensions[d]
      }
      return try append(.bitcastConvert(BitcastConvert(resultType: type)), operands, node)
    default: return nil
    }
  }

  /// A slice between known limits; one of known size wherever it starts, else.
  private mutating func rebuild(_ slice: RealDynamicSlice, _ operands: [ValueID], _ node: Node) throws(OpError)
    -> ValueID
  {
    var sizes = slice.resultType.dimensions
    if let starts = contents[operands[1].index], let limits = contents[operands[2].index] {
      if (starts + limits).allSatisfy(\.isKnownBeforeTheRun) {
        let op = Op.slice(Slice(starts: starts, limits: limits, strides: try integers(operands[3], node)))
        return try append(op, [operands[0]], node)
      }
      let differences = zip(starts, limits).map { $1 - $0 }
      if differences.allSatisfy(\.isKnownBeforeTheRun) { sizes = differences }
    }
    let isKnown = sizes != slice.resultType.dimensions || slice.resultType.hasFixedShape
    let isContiguous = contents[operands[3].index].map { $0.allSatisfy { $0 == .one } } ?? false
    guard isContiguous, isKnown else { throw unknownShape(node) }
    var starts: [ValueID] = []
    for d in sizes.indices {
      let element = Slice(starts: [Extent(d)], limits: [Extent(d + 1)], strides: [1])
      let one = try append(.slice(element), [operands[1]], node)
      starts.append(try append(.reshape(Reshape(resultDimensions: [])), [one], node))
    }
    let op = Op.dynamicSlice(DynamicSlice(sliceExtents: sizes))
    return try append(op, [operands[0]] + starts, node)
  }

  /// A slice where the size is known; else the size is at most what the operand has.
  private mutating func rebuild(_ op: SetDimensionSize, _ operands: [ValueID], _ node: Node) throws(OpError) -> ValueID?
  {
    let shape = target.type(of: operands[0]).dimensions
    guard let size = contents[operands[1].index]?.first, size.isKnownBeforeTheRun else {
      learned.assume(.lessOrEqual, learned.applying(op.extent), shape[op.dimension], order: order)
      return nil
    }
    unify(op.extent, size)
    var limits = shape
    limits[op.dimension] = size
    let starts = [Extent](repeating: .zero, count: shape.count)
    let strides = [Int](repeating: 1, count: shape.count)
    return try append(.slice(Slice(starts: starts, limits: limits, strides: strides)), [operands[0]], node)
  }

  /// A convolution with fixed paddings; one of the padded input, else.
  private mutating func rebuild(_ op: DynamicConv, _ operands: [ValueID], _ node: Node) throws(OpError) -> ValueID {
    let paddings = try extents(operands[2], node)
    let fixed = paddings.compactMap(\.fixed)
    if fixed.count == paddings.count {
      return try append(.convolution(op.convolution(paddings: fixed)), [operands[0], operands[1]], node)
    }
    let x = target.type(of: operands[0])
    var pad = Pad(
      low: [Extent](repeating: .zero, count: x.rank), high: [Extent](repeating: .zero, count: x.rank),
      interior: [Int](repeating: 0, count: x.rank))
    var convolution = op.convolution(paddings: [Int](repeating: 0, count: paddings.count))
    for (position, d) in op.dimensionNumbers.inputSpatial.enumerated() where d < x.rank {
      (pad.low[d], pad.high[d]) = (paddings[2 * position], paddings[2 * position + 1])
      pad.interior[d] = op.window[position].baseDilation - 1
      convolution.window[position].baseDilation = 1
    }
    let zero = try append(.constant(.scalar(.zero(x.elementType), x.elementType)), [], node)
    let padded = try append(.pad(pad), [operands[0], zero], node)
    return try append(.convolution(convolution), [padded, operands[1]], node)
  }

  private func extents(_ value: ValueID, _ node: Node) throws(OpError) -> [Extent] {
    guard let known = contents[value.index], known.allSatisfy(\.isKnownBeforeTheRun) else { throw unknownShape(node) }
    return known
  }

  private func integers(_ value: ValueID, _ node: Node) throws(OpError) -> [Int] {
    let known = try extents(value, node)
    let fixed = known.compactMap(\.fixed)
    guard fixed.count == known.count else { throw unknownShape(node) }
    return fixed
  }

  private func unknownShape(_ node: Node) -> OpError {
    .unsupported("\(node.op.mnemonic) with a shape that is not known before the run")
  }
}

extension Extent {
  /// Whether the value depends on symbols alone, not on data.
  var isKnownBeforeTheRun: Bool {
    var isKnown = true
    visitAtoms { if case .element = $0 { isKnown = false } }
    return isKnown
  }
}

extension Op {
  /// Whether a shape among the operands says what the result is.
  fileprivate var isDynamic: Bool {
    switch self {
    case .dynamicReshape, .dynamicBroadcastInDim, .dynamicIota, .dynamicPad, .dynamicGather, .dynamicConv,
      .realDynamicSlice, .setDimensionSize:
      true
    default: false
    }
  }
}
