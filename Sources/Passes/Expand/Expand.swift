public import IR

extension Pass {
  /// Replaces ops that no kernel computes as a whole by small graphs of ops that have kernels.
  ///
  /// `batch_norm_training`, `batch_norm_grad`, `rng_bit_generator` and `fft` of extents that are known.
  public static let expand = Pass("expand", "replaces ops without kernels by graphs of ops with kernels") {
    (graph, _) throws(OpError) in graph = try graph.expandingOps()
  }
}

extension Graph {
  /// The graph, regions included, without the ops that have an expansion.
  public func expandingOps() throws(OpError) -> Graph {
    var expander = Expander()
    return try expander.expanded(self)
  }
}

/// Copies a graph, and builds what takes the place of an op.
struct Expander {
  var target = Graph()
  /// Where the op being replaced comes from; what replaces it has the same location.
  private var location = Location.unknown

  mutating func expanded(_ source: Graph) throws(OpError) -> Graph {
    // The values of a node: several for an expanded op with several results.
    var values: [[ValueID]] = []
    values.reserveCapacity(source.nodes.count)
    for node in source.nodes {
      location = node.location
      let operands = node.operands.flatMap { values[$0.index] }
      do {
        values.append(try rebuild(node, operands))
      } catch {
        throw error.at(node.location)
      }
    }
    target.results = source.results.map { values[$0.index][0] }
    return target
  }

  private mutating func rebuild(_ node: Node, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    if case .getTupleElement(let element) = node.op, operands.count > 1 || target[operands[0]].hasSingleResult {
      return [operands[element.index]]
    }
    switch node.op {
    case .batchNormTraining(let norm): return try expand(norm, operands)
    case .batchNormGrad(let norm): return try expand(norm, operands)
    case .rngBitGenerator(let generator): if let values = try expand(generator, operands) { return values }
    case .fft(let fft): if let value = try expand(fft, operands) { return [value] }
    default: break
    }
    var new = node
    new.operands = operands
    if node.op.isControlFlow {
      var regions: [Graph] = []
      for region in node.op.definition.regions { regions.append(try region.expandingOps()) }
      new.op = node.op.definition.withRegions(regions)
    }
    return [target.appendUnchecked(new)]
  }
}

// MARK: - Building

extension Expander {
  func type(of value: ValueID) -> TensorType { target.type(of: value) }

  mutating func append(_ op: Op, _ operands: [ValueID] = []) throws(OpError) -> ValueID {
    try target.append(op, operands, location: location)
  }

  mutating func pointwise(_ function: ScalarFunction, _ operands: ValueID...) throws(OpError) -> ValueID {
    try append(.pointwise(function), operands)
  }

  mutating func convert(_ value: ValueID, to element: ElementType) throws(OpError) -> ValueID {
    type(of: value).elementType == element ? value : try pointwise(.convert(element), value)
  }

  /// A tensor whose elements are all `value`.
  mutating func splat(_ value: Scalar, _ element: ElementType, _ dimensions: [Extent]) throws(OpError) -> ValueID {
    let fixed = dimensions.compactMap(\.fixed)
    if fixed.count == dimensions.count { return try append(.constant(Literal(element, fixed, splat: value))) }
    return try broadcast(try append(.constant(.scalar(value, element))), [], to: dimensions)
  }

  /// A tensor like `value` whose elements are all `number`.
  mutating func splat(_ number: Double, like value: ValueID) throws(OpError) -> ValueID {
    let type = type(of: value)
    return try splat(Scalar(number, type.elementType), type.elementType, type.dimensions)
  }

  mutating func broadcast(_ value: ValueID, _ dimensions: [Int], to extents: [Extent]) throws(OpError) -> ValueID {
    if type(of: value).dimensions == extents { return value }
    return try append(.broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: extents)), [value])
  }

  mutating func reshape(_ value: ValueID, to extents: [Extent]) throws(OpError) -> ValueID {
    if type(of: value).dimensions == extents { return value }
    return try append(.reshape(Reshape(resultDimensions: extents)), [value])
  }

  mutating func sum(_ value: ValueID, over dimensions: [Int]) throws(OpError) -> ValueID {
    let element = type(of: value).elementType
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(.add), [a, b])]
    let zero = try append(.constant(.scalar(.zero(element), element)))
    return try append(.reduce(Reduce(dimensions: dimensions, body: body)), [value, zero])
  }

  /// An extent as a scalar of a float type.
  mutating func number(_ extent: Extent, _ element: ElementType) throws(OpError) -> ValueID {
    if let fixed = extent.fixed { return try append(.constant(.scalar(Scalar(Double(fixed), element), element))) }
    return try convert(try append(.extentValue(ExtentValue(extent: extent, elementType: .i64))), to: element)
  }
}
