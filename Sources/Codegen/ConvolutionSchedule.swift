import IR

extension Schedule {
  /// A convolution as an implicit matrix product: pixels are rows, output features are columns in packed panels, and the
  /// depth runs over the window and the input features. The input is copied once, channels last, with its padding and
  /// holes as zeros, so that the inner loop has no conditions; it is read in place where that copy would be the same.
  public static let convolution = Schedule("convolution") { request in
    guard request.anchor == .window, let product = ImplicitProduct(request) else { return nil }
    return product.scheduled()
  }
}

private struct ImplicitProduct {
  let request: SchedulingRequest
  let anchor: ValueID
  let convolution: Convolution
  let numbers: Convolution.DimensionNumbers
  let epilogue: Epilogue
  let input: ValueID
  let kernel: ValueID
  let sumType: ElementType
  let lanes: Int
  let groups: Int
  /// Input features of one group.
  let groupInputs: Extent
  /// Output features of one group.
  let groupOutputs: Int
  /// Output extents of the spatial dimensions.
  let spatial: [Extent]
  let batch: Extent
  /// Whether all pixels of an image lie in one line: a window of one tap that moves by one.
  let isFlat: Bool

  init?(_ request: SchedulingRequest) {
    let body = request.body
    let anchors = body.values.filter {
      if case .convolution = body[$0].op { return true }
      return false
    }
    guard anchors.count == 1, case .convolution(let convolution) = body[anchors[0]].op,
      let epilogue = Epilogue(of: anchors[0], in: body), !convolution.window.isEmpty
    else { return nil }
    self.request = request
    anchor = anchors[0]
    self.convolution = convolution
    numbers = convolution.dimensionNumbers
    self.epilogue = epilogue
    input = body[anchor].operands[0]
    kernel = body[anchor].operands[1]
    let (x, k, y) = (body.type(of: input), body.type(of: kernel), body.type(of: anchor))
    sumType = ElementLowering.sumType(convolution.resultType)
    lanes = request.target.lanes(byteCount: sumType.byteCount)
    groups = convolution.featureGroupCount
    groupInputs = k.dimensions[numbers.kernelInputFeature]
    spatial = numbers.outputSpatial.map { y.dimensions[$0] }
    batch = y.dimensions[numbers.outputBatch]
    guard let outputs = k.dimensions[numbers.kernelOutputFeature].fixed, lanes > 1, outputs > 0,
      convolution.batchGroupCount == 1, sumType == .f32 || sumType == .f64,
      x.elementType.isFloat, k.elementType.isFloat, x.elementType.isExecutable, k.elementType.isExecutable,
      convolution.window.allSatisfy({ $0.extent.isFixed })
    else { return nil }
    groupOutputs = outputs / groups
    // Groups of one or two features leave most lanes empty: channels are the better vectors there.
    if groups > 1 && groupOutputs < 4 { return nil }
    isFlat = convolution.window.allSatisfy {
      $0.extent == .one && $0.stride == 1 && $0.paddingLow == 0 && $0.paddingHigh == 0 && $0.baseDilation == 1
    }
  }

  // MARK: Operands

  /// Whether the input can be read where it is.
  private var readsInPlace: Bool {
    guard case .parameter = request.body[input].op else { return false }
    let isPadded = convolution.window.contains { $0.paddingLow != 0 || $0.paddingHigh != 0 || $0.baseDilation != 1 }
    let order = [numbers.inputBatch] + numbers.inputSpatial + [numbers.inputFeature]
    return !isPadded && order == Array(order.indices)
  }

  /// The input with batch first and features last, padding and holes as zeros.
  private var preparedInput: Graph {
    var graph = request.body
    graph.results = []
    let type = graph.type(of: input)
    let order = [numbers.inputBatch] + numbers.inputSpatial + [numbers.inputFeature]
    let transposed = graph.moving(input, .transpose(Transpose(permutation: order)))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let low = convolution.window.map { Extent($0.paddingLow) }
    let high = convolution.window.map { Extent($0.paddingHigh) }
    let holes = convolution.window.map { $0.baseDilation - 1 }
    graph.results = [
      graph.moving(
        transposed, .pad(Pad(low: [0] + low + [0], high: [0] + high + [0], interior: [0] + holes + [0])), zero)
    ]
    return graph
  }

  private func panels(width: Int, count: Int) -> PackedPanels.Source {
    let body = request.body
    let type = body.type(of: kernel)
    // The output features, split into groups and the features of one.
    var split = type.dimensions
    let feature = numbers.kernelOutputFeature
    split[feature] = Extent(groupOutputs)
    split.insert(Extent(groups), at: feature)
    let shifted = { (d: Int) in d >= feature ? d + 1 : d }
    let depth = (numbers.kernelSpatial + [numbers.kernelInputFeature]).map(shifted)
    if case .parameter(let parameter) = body[kernel].op, let literal = request.constants[parameter.index],
      let dimensions = TensorType(type.elementType, split).fixedDimensions,
      let packed = literal.reshaped(dimensions).packedInPanels(
        batching: [feature], depth: depth, columns: [feature + 1], width: width)
    {
      return .constant(packed)
    }
    var graph = body
    graph.results = []
    let grouped = graph.moving(kernel, .reshape(Reshape(resultDimensions: split)))
    let ordered = graph.moving(grouped, .transpose(Transpose(permutation: [feature] + depth + [feature + 1])))
    let depthCount = depth.reduce(Extent.one) { $0 * split[$1] }
    let flat = graph.moving(
      ordered, .reshape(Reshape(resultDimensions: [Extent(groups), depthCount, Extent(groupOutputs)])))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let missing = Extent(count * width - groupOutputs)
    let padded = graph.moving(flat, .pad(Pad(low: [0, 0, 0], high: [0, 0, missing], interior: [0, 0, 0])), zero)
    let divided = graph.moving(
      padded, .reshape(Reshape(resultDimensions: [Extent(groups), depthCount, Extent(count), Extent(width)])))
    graph.results = [graph.moving(divided, .transpose(Transpose(permutation: [0, 2, 1, 3])))]
    return .computed(graph)
  }

  // MARK: Launches

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let shape = TileShape(
      spatial: isFlat ? [spatial.reduce(.one) { $0 * $1 }] : spatial, request.target, groupOutputs, lanes)
    let width = shape.vectors * lanes
    let panelCount = (groupOutputs + width - 1) / width
    var source: ScheduledFusion.Argument?
    var sourceType = request.body.type(of: input)
    if !readsInPlace {
      let graph = preparedInput
      scheduled.temporaries.append(graph.resultTypes[0])
      sourceType = graph.resultTypes[0]
      source = .temporary(scheduled.temporaries.count - 1)
      scheduled.append(Schedule.packing(graph, request, into: .temporary(scheduled.temporaries.count - 1)))
    }
    let packed: ScheduledFusion.Argument
    switch panels(width: width, count: panelCount) {
    case .constant(let literal):
      scheduled.constants.append(literal)
      packed = .constant(0)
    case .computed(let graph):
      scheduled.temporaries.append(graph.resultTypes[0])
      packed = .temporary(scheduled.temporaries.count - 1)
      scheduled.append(Schedule.packing(graph, request, into: packed))
    }
    scheduled.append(product(shape, panelCount, source, sourceType, packed))
    TileConvolution(request, anchor, convolution)?.offer(epilogue, &scheduled)
    return scheduled
  }

  private struct Place {
    var source: Memory
    var sourceType: TensorType
    var panels: Memory
    var outputs: [Memory]
    var image: IntegerExpression
    var group: IntegerExpression
    var panel: IntegerExpression
    var panelStart: IntegerExpression
    /// Positions of the spatial dimensions before the last two.
    var outer: [IntegerExpression]
  }

  private func product(
    _ shape: TileShape, _ panelCount: Int, _ sourceArgument: ScheduledFusion.Argument?, _ sourceType: TensorType,
    _ packed: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var arguments: [ScheduledFusion.Argument] = []
    var inputs: [Memory] = []
    for (position, isUsed) in usedParameters.enumerated() {
      guard isUsed else {
        inputs.append(.buffer(-1))
        continue
      }
      let type = request.body.parameterTypes[position]
      inputs.append(b.addBuffer("in\(position)", type.elementType, isWritten: false))
      arguments.append(.operand(position))
    }
    let source: Memory
    if let sourceArgument {
      source = b.addBuffer("source", sourceType.elementType, isWritten: false)
      arguments.append(sourceArgument)
    } else {
      guard case .parameter(let parameter) = request.body[input].op else { preconditionFailure("read in place") }
      source = b.addBuffer("source", sourceType.elementType, isWritten: false)
      arguments.append(.operand(parameter.index))
    }
    let panels = b.addBuffer("panels", request.body.type(of: kernel).elementType, isWritten: false)
    arguments.append(packed)
    var outputs: [Memory] = []
    for (position, type) in request.body.resultTypes.enumerated() {
      outputs.append(b.addBuffer("out\(position)", type.elementType, isWritten: true))
      arguments.append(.result(position))
    }
    var lowering = ElementLowering(graph: request.body, inputs: inputs, lanes: lanes)

    // Task: image, group, outer positions, block of lines, panel; panels innermost.
    let spatial = shape.spatial
    let outerExtents = Array(spatial.dropLast(2))
    let lineBytes = spatial[spatial.count - 1] * groupInputs * sumType.byteCount
    let blockLines = shape.blockLines(lineByteCount: lineBytes.fixed ?? 1 << 14, request.target)
    let lines = spatial.count > 1 ? spatial[spatial.count - 2] : .one
    let lineBlocks = (lines + (blockLines - 1)).floorDivided(by: Extent(blockLines))
    let extents = [batch, Extent(groups)] + outerExtents + [lineBlocks, shape.columnBlocks, Extent(panelCount)]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let depth = convolution.window.map(\.extent) + [groupInputs]
    let depthCount = depth.reduce(.one) { $0 * $1 }
    let panel = numbers[extents.count - 1]
    let panelStart = (numbers[1] * panelCount + panel) * depthCount * (shape.vectors * lanes)
    let place = Place(
      source: source, sourceType: sourceType, panels: panels, outputs: outputs, image: numbers[0], group: numbers[1],
      panel: panel, panelStart: b.index(of: b.materialize(panelStart, lanes: 1)),
      outer: Array(numbers[2..<(2 + outerExtents.count)]))
    let firstLine = numbers[extents.count - 3] * blockLines
    let lastLine = IntegerExpression.minimum(firstLine + blockLines, lines)
    let columnBlock = numbers[extents.count - 2]
    if spatial.count == 1 {
      lowering.withScope { columns([], 1, columnBlock, shape, place, &$0, &b) }
    } else {
      let whole =
        shape.lines == 1
        ? lastLine
        : firstLine
          + (lastLine - firstLine).floorDivided(by: Extent(shape.lines)) * shape.lines
      loop(from: firstLine, to: whole, step: shape.lines, bound: lines, &lowering, &b) { lowering, b, line in
        columns([line], shape.lines, columnBlock, shape, place, &lowering, &b)
      }
      if shape.lines > 1 {
        loop(from: whole, to: lastLine, step: 1, bound: lines, &lowering, &b) { lowering, b, line in
          columns([line], 1, columnBlock, shape, place, &lowering, &b)
        }
      }
    }
    let pixels = Extent(blockLines) * (spatial[spatial.count - 1].fixed ?? 64)
    let cost = depthCount * pixels * (2 * shape.vectors)
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  private func loop(
    from lower: IntegerExpression, to upper: IntegerExpression, step: Int, bound: Extent,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression) -> Void
  ) {
    b.loop(from: lower, to: upper, step: step) { b, variable, _ in
      if case .variable(let number)? = variable.atom { b.setBound(bound, ofVariable: number) }
      lowering.withScope { body(&$0, &b, variable) }
      return []
    }
  }

  /// The parameters that the epilogue reads.
  private var usedParameters: [Bool] {
    let body = request.body
    var seen: Set<ValueID> = [anchor]
    var pending = body.results
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      pending += body[value].operands
    }
    return body.parameters.map(seen.contains)
  }

  // MARK: Tiles

  /// All tiles of a line, or of `count` lines at once.
  private func columns(
    _ line: [IntegerExpression], _ count: Int, _ block: IntegerExpression, _ shape: TileShape, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let extent = shape.spatial[shape.spatial.count - 1]
    guard let tiles = shape.tiles else {
      var from = IntegerExpression.zero
      for size in [shape.limit, 4, 1] where size <= shape.limit {
        let whole = from + (extent - from).floorDivided(by: Extent(size)) * size
        loop(from: from, to: whole, step: size, bound: extent, &lowering, &b) { lowering, b, column in
          tile(line, count, column, size, shape, place, &lowering, &b)
        }
        from = whole
      }
      return
    }
    let first = block * shape.blockTiles
    let last = IntegerExpression.minimum(first + shape.blockTiles, Extent(tiles.count))
    let split = IntegerExpression.minimum(IntegerExpression.maximum(first, Extent(tiles.larger)), last)
    var parts: [(lower: IntegerExpression, upper: IntegerExpression, size: Int, offset: Int)] = []
    if tiles.larger > 0 { parts.append((first, split, tiles.size + 1, 0)) }
    if tiles.larger < tiles.count, tiles.size > 0 { parts.append((split, last, tiles.size, tiles.larger)) }
    for (lower, upper, size, offset) in parts {
      loop(from: lower, to: upper, step: 1, bound: Extent(tiles.count), &lowering, &b) { lowering, b, number in
        let start = b.index(of: b.materialize(number * size + IntegerExpression(offset), lanes: 1), bound: extent)
        tile(line, count, start, size, shape, place, &lowering, &b)
      }
    }
  }

  private func tile(
    _ line: [IntegerExpression], _ lineCount: Int, _ column: IntegerExpression, _ columnCount: Int, _ shape: TileShape,
    _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let kernel = Microkernel(rows: lineCount * columnCount, vectors: shape.vectors, lanes: lanes, type: sumType)
    let positions: [[IntegerExpression]] = (0..<kernel.rows).map { row in
      let last = column + row % columnCount
      if isFlat { return b.unflattened(last, in: spatial) }
      return place.outer + line.map { $0 + row / columnCount } + [last]
    }
    let strides = place.sourceType.strides
    let depth = convolution.window.map(\.extent) + [groupInputs]
    let depthStrides = TensorType(sumType, depth).strides
    let width = shape.vectors * lanes
    let sums = kernel.sums(
      over: depth, &lowering, &b,
      row: { _, b, row, at in
        var position = place.image * strides[0]
        for (d, window) in convolution.window.enumerated() {
          position += (positions[row][d] * window.stride + at[d] * window.windowDilation) * strides[d + 1]
        }
        position += place.group * groupInputs + at[convolution.window.count]
        return b.load(place.source, at: position.recombiningQuotients, lanes: lanes)
      },
      panel: { b, vector, at in
        var position = place.panelStart + vector * lanes
        for (d, stride) in depthStrides.enumerated() {
          let isReversed = d < convolution.window.count && convolution.window[d].isReversed
          position += (isReversed ? depth[d] - 1 - at[d] : at[d]) * stride * width
        }
        return b.load(place.panels, at: position + .lane, lanes: lanes)
      })
    let isWhole = groupOutputs % width == 0
    for (row, vectors) in sums.enumerated() {
      for (v, sum) in vectors.enumerated() {
        let feature = place.panel * width + v * lanes + .lane
        let mask = isWhole ? nil : b.isWithin(feature, Extent(groupOutputs), lanes: lanes)
        var index = [IntegerExpression](repeating: .zero, count: convolution.window.count + 2)
        index[numbers.outputBatch] = place.image
        index[numbers.outputFeature] = place.group * groupOutputs + feature
        for (d, output) in numbers.outputSpatial.enumerated() { index[output] = positions[row][d] }
        epilogue.store(sum, of: anchor, at: index, mask: mask, outputs: place.outputs, &lowering, &b)
      }
    }
  }
}

/// The register tile of a convolution: some columns of a line, or all columns of some lines.
private struct TileShape {
  let spatial: [Extent]
  let vectors: Int
  /// The most columns a tile has.
  let limit: Int
  /// How a line is cut, if its extent is fixed.
  let tiles: RowTiles?
  /// Lines in a tile.
  let lines: Int
  /// Tiles of one line in a task.
  let blockTiles: Int

  init(spatial: [Extent], _ target: Target, _ outputs: Int, _ lanes: Int) {
    self.spatial = spatial
    let width = spatial[spatial.count - 1].fixed
    let height = spatial.count > 1 ? spatial[spatial.count - 2].fixed : 1
    let pixels = width.flatMap { w in height.map { w * $0 } }
    let vectors = Microkernel.vectors(columns: outputs, rows: pixels, lanes: lanes, target)
    let limit = Microkernel.rowLimit(vectors: vectors, target)
    self.vectors = vectors
    self.limit = limit
    tiles = width.map { RowTiles(rows: $0, limit: limit) }
    var lines = 1
    if let width, let height, width > 0, spatial.count > 1 { lines = max(1, min(height, limit / width)) }
    self.lines = lines
    // A single long line, as a window of one tap has, is split into blocks of pixels.
    blockTiles = spatial.count == 1 ? max(1, 512 / limit) : .max >> 32
  }

  var columnBlocks: Extent {
    guard let tiles else { return .one }
    return Extent((tiles.count + blockTiles - 1) / blockTiles)
  }

  /// How many lines a task works on: as many as keep its input in half of the L2 cache.
  func blockLines(lineByteCount: Int, _ target: Target) -> Int {
    let lines = max(1, target.l2ByteCount / 2 / max(1, lineByteCount))
    return max(self.lines, min(lines, 32) / self.lines * self.lines)
  }
}
