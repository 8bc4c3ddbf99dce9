import IR

extension Schedule {
  /// A convolution whose result has the pixels of a line side by side: output features are rows, vectors run along the
  /// line. The input is read where it is if its lines lie so and no tap falls on padding; else it is copied once, with its
  /// padding as zeros. Holes are not copied: the outputs between them are computed apart, and interleaved in registers.
  ///
  /// Where lines fill their vectors badly, `convolution` takes fewer cycles. Doc: docs/design/0019-windows-along-lines.md.
  public static let lineConvolution = Schedule("line convolution") { request in
    guard request.anchor == .window, let product = LineConvolution(request) else { return nil }
    return product.scheduled()
  }
}

/// A convolution as a product of a matrix of features with a matrix of pixels, one product for each group and image.
struct LineConvolution {
  let request: SchedulingRequest
  let anchor: ValueID
  let convolution: Convolution
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
  let batch: Extent
  /// Output extents of the spatial dimensions.
  let spatial: [Extent]
  /// Whether all pixels of an image are one line.
  let isFlat: Bool
  let source: Source
  let shape: Shape

  /// How the input is read.
  enum Source {
    case inPlace
    case copied(LineCopy, TensorType)
  }

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let (anchor, convolution) = body.onlyConvolution, let epilogue = Epilogue(of: anchor, in: body),
      convolution.batchGroupCount == 1,
      let last = convolution.window.last
    else { return nil }
    (self.request, self.anchor, self.convolution, self.epilogue) = (request, anchor, convolution, epilogue)
    let numbers = convolution.dimensionNumbers
    input = body[anchor].operands[0]
    kernel = body[anchor].operands[1]
    let (x, k, y) = (body.type(of: input), body.type(of: kernel), body.type(of: anchor))
    // Words of features are multiplied along features.
    if ImplicitProduct.words(convolution, x, k, request.target) != nil { return nil }
    sumType = ElementLowering.sumType(convolution.resultType)
    lanes = request.target.lanes(byteCount: sumType.byteCount)
    groups = convolution.featureGroupCount
    groupInputs = k.dimensions[numbers.kernelInputFeature]
    batch = y.dimensions[numbers.outputBatch]
    spatial = numbers.outputSpatial.map { y.dimensions[$0] }
    guard let outputs = k.dimensions[numbers.kernelOutputFeature].fixed, outputs > 0, lanes > 1,
      sumType == .f32 || sumType == .f64, x.elementType.isFloat, k.elementType.isFloat, x.elementType.isExecutable,
      k.elementType.isExecutable, convolution.window.allSatisfy({ $0.extent.isFixed }),
      zip(convolution.window, spatial).allSatisfy(Self.canSplit),
      epilogue.isContiguous(along: numbers.outputSpatial[numbers.outputSpatial.count - 1], in: body)
    else { return nil }
    groupOutputs = outputs / groups
    let isParameter = if case .parameter = body[input].op { true } else { false }
    let isPlain = convolution.window.allSatisfy { $0.extent == .one && $0.stride == 1 && !$0.hasEdges }
    let space = Array(x.rank - numbers.inputSpatial.count..<x.rank)
    let isInPlace =
      isParameter && numbers.inputSpatial.last == x.rank - 1 && last.stride == 1
      && !convolution.window.contains(where: \.hasEdges)
    isFlat = isInPlace && isPlain && numbers.inputSpatial == space
    let line = isFlat ? spatial.reduce(.one) { $0 * $1 } : spatial[spatial.count - 1]
    guard let extent = line.fixed, extent > 0 else { return nil }
    let bases = numbers.inputSpatial.map { x.dimensions[$0] }
    let copy = isInPlace ? nil : LineCopy(convolution.window, bases, spatial, lanes)
    if !isInPlace && copy == nil { return nil }
    if let copy {
      source = .copied(copy, copy.graph(of: input, convolution, in: body).resultTypes[0])
    } else {
      source = .inPlace
    }
    shape = Shape(
      line: extent, phases: last.baseDilation, outputs: groupOutputs, lanes: lanes, request.target)
    guard isCheaperThanAlongFeatures else { return nil }
  }

  /// Holes are left out where what lies between them is known at compile time.
  private static func canSplit(_ window: WindowDimension, _ extent: Extent) -> Bool {
    window.baseDilation == 1
      || (window.stride == 1 && window.windowDilation == 1 && extent.isFixed
        && window.baseDilation <= LineConvolution.phaseLimit)
  }

  /// Vectors that are interleaved at most.
  static let phaseLimit = 8

  // MARK: The tile

  /// Some features times some vectors of pixels; with holes, so many of each of the phases between them.
  struct Shape {
    let phases: Int
    /// Features of a tile.
    var rows = 1
    var vectors = 1
    /// How a line is cut, in vectors of each phase; the tile with a part of a vector counts as an edge.
    let tiles: LineTiles
    /// Cycles of a line for each step of the depth and all features.
    let cycles: Double

    init(line: Int, phases: Int, outputs: Int, lanes: Int, _ target: Target) {
      self.phases = phases
      let count = (line + lanes * phases - 1) / (lanes * phases)
      var best: (rows: Int, vectors: Int, cycles: Double)?
      for vectors in 1...4 where vectors <= count {
        let limit = max(1, Microkernel.accumulatorLimit(target) / (vectors * phases))
        let blocks = (outputs + limit - 1) / limit
        let rows = (outputs + blocks - 1) / blocks
        // Two products or loads in a cycle; vectors that lie across two cache lines are two loads.
        let tiles = Double((count + vectors - 1) / vectors)
        let step = { (v: Double) in max(Double(rows) * v / 2, (Double(rows) + 2 * v) / 2, 4) }
        let cycles = Double(blocks) * tiles * step(Double(count) / tiles)
        if best == nil || cycles < (best?.cycles ?? 0) - 1e-9 { best = (rows, vectors, cycles) }
      }
      (rows, vectors, cycles) = best ?? (1, 1, 1)
      tiles = LineTiles(extent: count, limit: vectors, inside: 0..<line / (lanes * phases))
    }
  }

  /// Whether vectors along features would take longer, by a model of multiplications, copies and scattered results.
  private var isCheaperThanAlongFeatures: Bool {
    if groups > 1 && groupOutputs < 4 { return groupOutputs > 1 }
    let extents = spatial.map { Double($0.fixed ?? LoopNest.assumedExtent) }
    let pixels = extents.reduce(1, *)
    let windows = convolution.window
    let last = windows[windows.count - 1]
    let features = Double(groupInputs.fixed ?? LoopNest.assumedExtent)
    let depth = windows.reduce(features) { $0 * Double($1.extent.fixed ?? 1) }
    let elements = windows.reduce(features * pixels) { $0 * Double($1.stride) / Double($1.baseDilation) }
    let holes = windows.reduce(1.0) { $0 * Double($1.baseDilation) }
    // Along lines: the copy reads vectors unless it sorts or transposes. Vectors that lie across cache lines take a tenth.
    let lines = isFlat ? 1 : pixels / extents[extents.count - 1]
    var own = lines * shape.cycles * depth / (holes / Double(last.baseDilation)) * 1.1
    let inputs = convolution.dimensionNumbers.inputSpatial
    let isSorted = last.stride > 1 || inputs[inputs.count - 1] < inputs.count + 1
    if case .copied = source { own += elements * (isSorted ? 1 : 0.25) }
    // Along features: a copy transposes, and fills holes; each element of the result is stored alone.
    let panels = Double((groupOutputs + lanes - 1) / lanes)
    let stored = pixels * Double(groupOutputs) * (sharesCacheSets ? 8 : 1.5)
    let copied = ImplicitProduct.readsInPlace(convolution, input, in: request.body) ? 0 : elements * holes
    return own < pixels * panels / 2 * depth + copied + stored
  }

  /// Whether neighbouring features of a result lie so far apart that they use the same lines of a cache.
  private var sharesCacheSets: Bool {
    let body = request.body
    return zip(body.results, epilogue.resultIndices).contains { result, index in
      let type = body.type(of: result)
      let feature = convolution.dimensionNumbers.outputFeature
      let distance = ElementLowering.position(of: index, in: type).coefficient(ofVariable: feature)?.fixed
      return distance.map { $0 * type.elementType.byteCount % Target.pageByteCount == 0 } ?? false
    }
  }

  // MARK: Launches

  var panelCount: Int { (groupOutputs + shape.rows - 1) / shape.rows }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    var copied: ScheduledFusion.Argument?
    if case .copied(let copy, _) = source {
      let graph = copy.graph(of: input, convolution, in: request.body)
      let argument = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: argument))
      copied = argument
    }
    let packed: ScheduledFusion.Argument
    switch request.featurePanels(of: convolution, kernel, groups: groups, width: shape.rows, count: panelCount) {
    case .constant(let literal): packed = scheduled.addConstant(literal)
    case .computed(let graph):
      packed = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: packed))
    }
    scheduled.append(product(copied, packed))
    TileConvolution(request, anchor, convolution)?.offer(epilogue, &scheduled)
    return scheduled
  }

  private func product(_ copied: ScheduledFusion.Argument?, _ packed: ScheduledFusion.Argument)
    -> ScheduledFusion.Launch
  {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    let isRead = request.parametersRead(after: anchor)
    var buffers = OperandBuffers(of: request, &b) { position in
      isRead[position] || copied == nil && request.body.parameters[position] == input
    }
    let copy = copied.map { buffers.read($0, request.body.type(of: input).elementType, "source", &b) }
    let panels = buffers.read(packed, request.body.type(of: kernel).elementType, "panels", &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    let tasks = LineTasks(
      [Extent(groups), batch] + (isFlat ? [] : Array(spatial.dropLast())), tiles: shape.tiles.count)
    b.setBound(tasks.count, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: tasks.extents)
    let tiles = LineConvolutionTiles(
      product: self, tasks: tasks, copy: copy, panels: panels, outputs: outputs, numbers: numbers)
    lowering.withScope { tiles.write(&$0, &b) }
    let taps = convolution.window.reduce(groupInputs) { $0 * $1.extent }
    let cost = taps * (2 * groupOutputs * min(shape.tiles.count, tasks.blockTiles) * shape.vectors)
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: tasks.count, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }
}

/// Lines, and blocks of tiles where there are few lines.
struct LineTasks {
  /// Those of the lines, then blocks.
  let extents: [Extent]
  /// Tiles of a block.
  let blockTiles: Int
  let isWhole: Bool

  /// Tasks that are enough for any number of threads.
  private static let enough = 16

  init(_ lines: [Extent], tiles: Int) {
    let count = lines.reduce(1) { $0 * max(1, $1.fixed ?? 1) }
    let wanted = (Self.enough + count - 1) / count
    blockTiles = max(1, (tiles + wanted - 1) / wanted)
    let blocks = (tiles + blockTiles - 1) / blockTiles
    isWhole = blocks <= 1
    extents = lines + [Extent(max(1, blocks))]
  }

  var count: Extent { extents.reduce(.one) { $0 * $1 } }

  /// The block of a task, nil where it has the whole line.
  func block(_ numbers: [IntegerExpression]) -> LineTiles.Block? {
    isWhole ? nil : LineTiles.Block(number: numbers[numbers.count - 1], size: blockTiles)
  }
}

extension Epilogue {
  /// Whether neighbours along a dimension of the anchor are neighbours in all results.
  func isContiguous(along dimension: Int, in body: Graph) -> Bool {
    zip(body.results, resultIndices).allSatisfy { result, index in
      ElementLowering.position(of: index, in: body.type(of: result)).coefficient(ofVariable: dimension) == .one
    }
  }
}
