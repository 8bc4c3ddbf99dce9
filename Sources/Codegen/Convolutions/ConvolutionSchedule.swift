import IR

extension Schedule {
  /// A convolution as an implicit matrix product: pixels are rows, output features are columns in packed panels, and the
  /// depth runs over the window and the input features. The input is read where it is; tiles at the edge of an image leave
  /// out the taps that fall on padding. Where that cannot be known at compile time, or channels are not innermost, the input
  /// is copied once, channels last, with its padding and holes as zeros.
  public static let convolution = Schedule("convolution") { request in
    guard request.anchor == .window, let product = ImplicitProduct(request) else { return nil }
    return product.scheduled()
  }
}

/// A convolution as a product of a matrix of pixels with a matrix of features, one product for each group.
struct ImplicitProduct {
  let request: SchedulingRequest
  let anchor: ValueID
  let convolution: Convolution
  let numbers: Convolution.DimensionNumbers
  let epilogue: Epilogue
  let input: ValueID
  let kernel: ValueID
  let sumType: ElementType
  /// How words are multiplied where the operands are narrow numbers: then the depth is walked in words of input features.
  let words: WordProduct?
  let lanes: Int
  /// Groups of features or of images.
  let groups: Int
  /// Input features of one group.
  let groupInputs: Extent
  /// Output features of one group.
  let groupOutputs: Int
  /// Output extents of the spatial dimensions.
  let spatial: [Extent]
  /// Images in the output.
  let batch: Extent
  /// Whether the input is read where it is.
  let isInPlace: Bool
  /// Whether a copy of it has its padding and holes.
  let pads: Bool
  /// The input as the product reads it: batch, space and features.
  let sourceType: TensorType
  /// The windows over that input.
  let windows: [WindowDimension]
  let shape: TileShape

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let (anchor, convolution) = body.onlyConvolution, let epilogue = Epilogue(of: anchor, in: body),
      !convolution.window.isEmpty
    else { return nil }
    self.request = request
    self.anchor = anchor
    self.convolution = convolution
    numbers = convolution.dimensionNumbers
    self.epilogue = epilogue
    input = body[anchor].operands[0]
    kernel = body[anchor].operands[1]
    let (x, k, y) = (body.type(of: input), body.type(of: kernel), body.type(of: anchor))
    sumType = ElementLowering.sumType(convolution.resultType)
    lanes = request.target.lanes(byteCount: sumType.byteCount)
    groups = max(convolution.featureGroupCount, convolution.batchGroupCount)
    groupInputs = k.dimensions[numbers.kernelInputFeature]
    words = Self.words(convolution, x, k, request.target)
    let space = numbers.outputSpatial.map { y.dimensions[$0] }
    spatial = space
    batch = y.dimensions[numbers.outputBatch]
    guard let outputs = k.dimensions[numbers.kernelOutputFeature].fixed, lanes > 1, outputs > 0,
      sumType == .f32 || sumType == .f64,
      x.elementType.isFloat, k.elementType.isFloat, x.elementType.isExecutable, k.elementType.isExecutable,
      convolution.window.allSatisfy({ $0.extent.isFixed })
    else { return nil }
    groupOutputs = outputs / groups
    // Groups of few features leave most lanes empty: channels are the better vectors there.
    if groups > 1 && (groupOutputs < 4 || ChannelWindows(request)?.groupWidth != nil) { return nil }
    if Self.readsInPlace(convolution, input, in: body),
      let shape = TileShape(
        convolution.window, over: x, groupInputs, to: space, batch, groupOutputs, lanes, request.target)
    {
      (isInPlace, pads) = (true, false)
      sourceType = x
      windows = convolution.window
      self.shape = shape
      return
    }
    isInPlace = false
    // Vectors of features are transposed in registers, if nothing else is done to them; tiles then leave out the padding.
    let ordered = Self.prepared(input, of: convolution, in: body, pads: false).resultTypes[0]
    if let features = ordered.dimensions.last?.fixed, features >= lanes,
      let shape = TileShape(
        convolution.window, over: ordered, groupInputs, to: space, batch, groupOutputs, lanes, request.target)
    {
      (pads, sourceType, windows) = (false, ordered, convolution.window)
      self.shape = shape
      return
    }
    pads = true
    sourceType = Self.prepared(input, of: convolution, in: body, pads: true).resultTypes[0]
    windows = convolution.window.map(\.withoutEdges)
    guard
      let shape = TileShape(
        windows, over: sourceType, groupInputs, to: space, batch, groupOutputs, lanes, request.target)
    else { return nil }
    self.shape = shape
  }

  // MARK: Operands

  /// How a convolution of these operands multiplies words; nil where it multiplies element by element.
  static func words(_ convolution: Convolution, _ input: TensorType, _ kernel: TensorType, _ target: Target)
    -> WordProduct?
  {
    let sum = ElementLowering.sumType(convolution.resultType)
    guard let words = WordProduct(input.elementType, kernel.elementType, sum: sum, target), words == .bfloats,
      convolution.featureGroupCount == 1, convolution.batchGroupCount == 1,
      let features = kernel.dimensions[convolution.dimensionNumbers.kernelInputFeature].fixed,
      features % words.length == 0
    else { return nil }
    return words
  }

  /// Input features that a step of the depth multiplies.
  var stepLength: Int { words?.length ?? 1 }

  /// Steps through the input features of one group.
  var featureSteps: Extent { groupInputs.floorDivided(by: Extent(stepLength)) }

  /// Whether the input lies as the product reads it.
  static func readsInPlace(_ convolution: Convolution, _ input: ValueID, in body: Graph) -> Bool {
    guard case .parameter = body[input].op else { return false }
    let numbers = convolution.dimensionNumbers
    let order = [numbers.inputBatch] + numbers.inputSpatial + [numbers.inputFeature]
    // A tap of one feature is a single step: written out apart from its neighbours, it costs more than the copy.
    let features = body.type(of: input).dimensions[numbers.inputFeature]
    let isSingle = features == Extent(convolution.featureGroupCount)
    return order == Array(order.indices) && !(isSingle && convolution.window.contains(where: \.hasEdges))
  }

  /// The input with batch first and features last; if it `pads`, with padding and holes as zeros.
  private static func prepared(_ input: ValueID, of convolution: Convolution, in body: Graph, pads: Bool) -> Graph {
    var graph = body
    graph.results = []
    let type = graph.type(of: input)
    let numbers = convolution.dimensionNumbers
    let order = [numbers.inputBatch] + numbers.inputSpatial + [numbers.inputFeature]
    let transposed = graph.moving(input, .transpose(Transpose(permutation: order)))
    graph.results = [transposed]
    guard pads else { return graph }
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

  func panels(width: Int, count: Int) -> PackedPanels.Source {
    request.featurePanels(
      of: convolution, kernel, groups: groups, width: width, count: count, piece: stepLength)
  }

  // MARK: Launches

  /// Columns of a panel.
  var width: Int { shape.vectors * lanes }

  var panelCount: Int { (groupOutputs + width - 1) / width }

  /// Steps, each a product or that of a word, that are summed into one element of the result.
  var depthCount: Extent { windows.reduce(featureSteps) { $0 * $1.extent } }

  /// How far apart in a panel's rows the elements of the depth's dimensions are.
  var depthStrides: [Extent] {
    Array(TensorType(sumType, windows.map(\.extent) + [featureSteps]).strides.dropLast())
  }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let source: ScheduledFusion.Argument
    if isInPlace, case .parameter(let parameter) = request.body[input].op {
      source = .operand(parameter.index)
    } else {
      let graph = Self.prepared(input, of: convolution, in: request.body, pads: pads)
      source = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: source))
    }
    let tiles = TileConvolution(request, anchor, convolution)
    if tiles?.conditions == nil, let winograd = WinogradConvolution(self) {
      let panels = packed(panels(width: winograd.width, count: winograd.panelCount), &scheduled)
      let weights = scheduled.addTemporary(winograd.transformedType)
      let marks = winograd.hasUsualWeights == nil ? scheduled.addTemporary(winograd.weightMarksType) : nil
      scheduled.append(winograd.transformWeights(panels, into: weights, marks: marks))
      scheduled.append(winograd.launch(source, weights: weights, marks: marks, panels: panels))
      return scheduled
    }
    let packed = packed(panels(width: width, count: panelCount), &scheduled)
    scheduled.append(product(source, packed))
    tiles?.offer(epilogue, &scheduled)
    return scheduled
  }

  /// Panels as a constant, or as what a launch packs.
  private func packed(_ panels: PackedPanels.Source, _ scheduled: inout ScheduledFusion) -> ScheduledFusion.Argument {
    switch panels {
    case .constant(let literal): return scheduled.addConstant(literal)
    case .computed(let graph):
      let packed = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: packed))
      return packed
    }
  }

  private func product(_ source: ScheduledFusion.Argument, _ packed: ScheduledFusion.Argument)
    -> ScheduledFusion.Launch
  {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var operands = operands(reading: source, packed, &b)
    let outputs = operands.buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: operands.buffers.inputs, lanes: lanes)
    let tasks = ConvolutionTasks(self)
    b.setBound(tasks.count, ofVariable: Kernel.taskVariable)
    let numbers = tasks.numbers(&b)
    let tiles = ConvolutionTiles(
      product: self, tasks: tasks, source: operands.source, panels: operands.panels, outputs: outputs,
      numbers: numbers)
    lowering.withScope { tiles.write(&$0, &b) }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: tasks.count, taskCost: tasks.cost)
    return ScheduledFusion.Launch(kernel, operands.buffers.arguments)
  }

  /// What a kernel reads: the operands of what follows the convolution, its input, its weights.
  struct Operands {
    var buffers: OperandBuffers
    var source: Memory
    var panels: Memory
  }

  func operands(
    reading source: ScheduledFusion.Argument, _ packed: ScheduledFusion.Argument, _ b: inout KernelBuilder
  ) -> Operands {
    let isRead = request.parametersRead(after: anchor)
    var buffers = OperandBuffers(of: request, &b) { isRead[$0] }
    let sourceMemory = buffers.read(source, sourceType.elementType, "source", &b)
    let panelType = words == nil ? request.body.type(of: kernel).elementType : WordProduct.type
    let panels = buffers.read(packed, panelType, "panels", &b)
    return Operands(buffers: buffers, source: sourceMemory, panels: panels)
  }

  /// Where a result's element is among those of the convolution.
  func resultIndex(image: IntegerExpression, pixel: [IntegerExpression], feature: IntegerExpression)
    -> [IntegerExpression]
  {
    var index = [IntegerExpression](repeating: .zero, count: pixel.count + 2)
    index[numbers.outputBatch] = image
    index[numbers.outputFeature] = feature
    for (position, output) in zip(pixel, numbers.outputSpatial) { index[output] = position }
    return index
  }
}

extension WindowDimension {
  /// The window over a base whose padding and holes are elements.
  fileprivate var withoutEdges: WindowDimension {
    var copy = self
    (copy.paddingLow, copy.paddingHigh, copy.baseDilation) = (0, 0, 1)
    return copy
  }
}

/// How the pixels, panels and groups of a convolution are split into tasks.
///
/// Panels that stay in the second-level cache together are one block; a task goes through a block for one line, or for some
/// tiles of it, so that what it writes is contiguous. The tasks of one block are neighbours; where all blocks stay in the
/// cache, those of one line are: a thread then has a part of the image, which it mostly wrote itself.
struct ConvolutionTasks {
  /// Groups, blocks of panels, images, spatial dimensions but the last, blocks of tiles.
  let extents: [Extent]
  /// Panels in a block.
  let blockPanels: Int
  let cost: Extent
  let blocksAreNeighbours: Bool

  /// Tasks that are enough for any number of threads.
  private static let enough = 16

  init(_ product: ImplicitProduct) {
    let shape = product.shape
    let depthBytes = max(1, (product.depthCount.fixed ?? 512) * product.sumType.byteCount)
    let panelCount = product.panelCount
    let lines = shape.outer.isEmpty ? [] : shape.outer.dropLast() + [shape.lineGroups]
    let rest = [Extent(product.groups), shape.images] + lines + [shape.columnBlocks]
    let others = rest.reduce(1) { $0 * max(1, $1.fixed ?? 1) }
    var size = max(1, min(panelCount, product.request.target.l2ByteCount / 8 / (depthBytes * product.width)))
    while size > 1 && others * ((panelCount + size - 1) / size) < Self.enough { size = (size + 1) / 2 }
    let blocks = (panelCount + size - 1) / size
    blockPanels = (panelCount + blocks - 1) / blocks
    extents = [Extent(product.groups), Extent(blocks), shape.images] + lines + [shape.columnBlocks]
    let pixels = min(shape.columns.fixed ?? 64, shape.blockTiles * shape.limit) * shape.lines
    cost = product.depthCount * (2 * pixels * shape.vectors * blockPanels)
    blocksAreNeighbours =
      blocks > 1 && depthBytes * product.width * panelCount <= product.request.target.l2ByteCount / 4
  }

  /// A task's position in `extents`.
  func numbers(_ b: inout KernelBuilder) -> [IntegerExpression] {
    guard blocksAreNeighbours else { return b.positions(of: .task, in: extents) }
    var numbers = b.positions(of: .task, in: [extents[0]] + extents[2...] + [extents[1]])
    numbers.insert(numbers.removeLast(), at: 1)
    return numbers
  }

  var count: Extent { extents.reduce(.one) { $0 * $1 } }
}
