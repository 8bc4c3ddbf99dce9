import IR

extension Schedule {
  /// A convolution of bytes as a product of two matrices: the taps of each pixel's window are copied beside each other, unless
  /// there is one, which takes less time than the products, four of which are one instruction.
  public static let byteConvolution = Schedule("byteConvolution") { request in
    guard request.anchor == .window, let convolution = ByteConvolution(request) else { return nil }
    return MatrixProduct(convolution.product)?.scheduled()
  }
}

private struct ByteConvolution {
  /// More taps are no longer copied.
  private static let tapLimit = 64

  private let convolution: Convolution
  private let numbers: Convolution.DimensionNumbers
  /// The request with a product of matrices in place of the convolution.
  private(set) var product: SchedulingRequest

  init?(_ request: SchedulingRequest) {
    let body = request.body
    let anchors = body.values.filter {
      if case .convolution = body[$0].op { return true }
      return false
    }
    guard anchors.count == 1, case .convolution(let convolution) = body[anchors[0]].op else { return nil }
    let operands = body[anchors[0]].operands
    let types = operands.map { body.type(of: $0).elementType }
    let extents = convolution.window.compactMap(\.extent.fixed)
    guard BytePair(types[0], types[1], sum: convolution.resultType) != nil,
      convolution.featureGroupCount == 1, convolution.batchGroupCount == 1,
      extents.count == convolution.window.count, extents.reduce(1, *) <= Self.tapLimit
    else { return nil }
    self.convolution = convolution
    numbers = convolution.dimensionNumbers
    var constants = request.constants
    var graph = Graph()
    for type in body.parameterTypes { graph.addParameter(type) }
    var values = [ValueID](repeating: ValueID(0), count: body.nodes.count)
    for (place, parameter) in body.parameters.enumerated() { values[parameter.index] = graph.parameters[place] }
    // The weights as the product has them, before other nodes.
    var weights: ValueID?
    if case .parameter(let parameter) = body[operands[1]].op, let literal = request.constants[parameter.index],
      let ordered = Self.matrix(literal, numbers)
    {
      weights = graph.addParameter(ordered.type)
      constants.append(ordered)
    }
    product = request
    for value in body.values where !body[value].op.isParameter {
      var node = body[value]
      node.operands = node.operands.map { values[$0.index] }
      guard value == anchors[0] else {
        values[value.index] = graph.appendUnchecked(node)
        continue
      }
      let columns = weights ?? matrix(of: node.operands[1], in: &graph)
      values[value.index] = convolved(node, columns, extents, in: &graph)
    }
    graph.results = body.results.map { values[$0.index] }
    product = SchedulingRequest(
      body: graph, anchor: .contraction, name: request.name, sources: request.sources, constants: constants,
      target: request.target, precision: request.precision, operandTakenOver: request.operandTakenOver)
  }

  // MARK: Weights

  /// The dimensions of a kernel in the order of the product: the depth, then the features.
  private static func order(_ numbers: Convolution.DimensionNumbers) -> [Int] {
    numbers.kernelSpatial + [numbers.kernelInputFeature, numbers.kernelOutputFeature]
  }

  private static func matrix(_ kernel: Literal, _ numbers: Convolution.DimensionNumbers) -> Literal? {
    if kernel.isSplat { return nil }
    let strides = kernel.type.strides.compactMap(\.fixed)
    let order = order(numbers)
    let ordered = kernel.strided(order.map { kernel.dimensions[$0] }, offset: 0, strides: order.map { strides[$0] })
    let columns = kernel.dimensions[numbers.kernelOutputFeature]
    let depth = order.dropLast().reduce(1) { $0 * kernel.dimensions[$1] }
    return ordered.reshaped([depth, columns])
  }

  private func matrix(of kernel: ValueID, in graph: inout Graph) -> ValueID {
    let dimensions = graph.type(of: kernel).dimensions
    let order = Self.order(numbers)
    let depth = order.dropLast().reduce(Extent.one) { $0 * dimensions[$1] }
    let ordered = graph.moving(kernel, .transpose(Transpose(permutation: order)))
    let shape = [depth, dimensions[numbers.kernelOutputFeature]]
    return graph.moving(ordered, .reshape(Reshape(resultDimensions: shape)))
  }

  // MARK: Pixels

  /// The convolution's result, as a product of the taps of each pixel with the weights.
  private func convolved(_ node: Node, _ columns: ValueID, _ extents: [Int], in graph: inout Graph) -> ValueID {
    let result = node.resultTypes[0].dimensions
    let space = numbers.outputSpatial.map { result[$0] }
    let batch = result[numbers.outputBatch]
    let taps = taps(of: node.operands[0], extents, space, batch, in: &graph)
    let rows = space.reduce(batch, *)
    let depth = graph.type(of: columns).dimensions[0]
    let matrix = graph.moving(taps, .reshape(Reshape(resultDimensions: [rows, depth])))
    let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: convolution.resultType)
    let product = graph.moving(matrix, .dotGeneral(dot), columns)
    let shape = [batch] + space + [result[numbers.outputFeature]]
    let pixels = graph.moving(product, .reshape(Reshape(resultDimensions: shape)))
    var permutation = [Int](repeating: 0, count: result.count)
    permutation[numbers.outputBatch] = 0
    for (place, dimension) in numbers.outputSpatial.enumerated() { permutation[dimension] = 1 + place }
    permutation[numbers.outputFeature] = result.count - 1
    return graph.moving(pixels, .transpose(Transpose(permutation: permutation)))
  }

  /// For each pixel of the result the elements of its window, tap by tap, features innermost; padding and holes are zero.
  private func taps(
    of input: ValueID, _ extents: [Int], _ space: [Extent], _ batch: Extent, in graph: inout Graph
  ) -> ValueID {
    let window = convolution.window
    let type = graph.type(of: input)
    let order = [numbers.inputBatch] + numbers.inputSpatial + [numbers.inputFeature]
    let ordered = graph.moving(input, .transpose(Transpose(permutation: order)))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let pad = Pad(
      low: [0] + window.map { Extent($0.paddingLow) } + [0], high: [0] + window.map { Extent($0.paddingHigh) } + [0],
      interior: [0] + window.map { $0.baseDilation - 1 } + [0])
    let padded = graph.moving(ordered, .pad(pad), zero)
    let features = type.dimensions[numbers.inputFeature]
    let pieces = allIndices(extents).map { tap in
      let starts = zip(tap, window).map { tap, window in
        Extent((window.isReversed ? (window.extent.fixed ?? 1) - 1 - tap : tap) * window.windowDilation)
      }
      let limits = zip(starts, zip(space, window)).map { start, rest in start + (rest.0 - 1) * rest.1.stride + 1 }
      let slice = Slice(
        starts: [0] + starts + [0], limits: [batch] + limits + [features], strides: [1] + window.map(\.stride) + [1])
      return graph.moving(padded, .slice(slice))
    }
    if pieces.count == 1 { return pieces[0] }
    do {
      return try graph.append(.concatenate(Concatenate(dimension: order.count - 1)), pieces)
    } catch {
      preconditionFailure("the taps of a window have one type: \(error)")
    }
  }
}
