import IR

extension Schedule {
  /// A convolution of bytes as a product of two matrices: the taps of each pixel's window are copied beside each other, unless
  /// there is one, which takes less time than the products, four of which are one instruction.
  public static let byteConvolution = Schedule("byteConvolution") { request in
    guard request.anchor == .window, let convolution = ByteConvolution(request) else { return nil }
    return convolution.scheduled()
  }
}

private struct ByteConvolution {
  /// More taps are no longer copied.
  private static let tapLimit = 64
  /// Bytes of a word.
  private static let word = 4

  private let request: SchedulingRequest
  private let anchor: ValueID
  private let convolution: Convolution
  private let numbers: Convolution.DimensionNumbers
  /// The window's extents.
  private let extents: [Int]
  private let features: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let (anchor, convolution) = body.onlyConvolution else { return nil }
    let types = body[anchor].operands.map { body.type(of: $0) }
    extents = convolution.window.compactMap(\.extent.fixed)
    numbers = convolution.dimensionNumbers
    guard BytePair(types[0].elementType, types[1].elementType, sum: convolution.resultType) != nil,
      convolution.featureGroupCount == 1, convolution.batchGroupCount == 1, !convolution.window.isEmpty,
      extents.count == convolution.window.count, extents.reduce(1, *) <= Self.tapLimit,
      let features = types[0].dimensions[numbers.inputFeature].fixed
    else { return nil }
    (self.request, self.anchor, self.convolution, self.features) = (request, anchor, convolution, features)
  }

  private var input: ValueID { request.body[anchor].operands[0] }
  private var kernel: ValueID { request.body[anchor].operands[1] }
  private var tapCount: Int { extents.reduce(1, *) }
  private var depth: Int { tapCount * features }
  /// Bytes of a pixel's taps; whole words where they are copied.
  private var rowLength: Int { hasOneTap ? depth : (depth + Self.word - 1) / Self.word * Self.word }
  private var result: [Extent] { request.body.type(of: anchor).dimensions }
  private var batch: Extent { result[numbers.outputBatch] }
  private var space: [Extent] { numbers.outputSpatial.map { result[$0] } }
  private var rowCount: Extent { space.reduce(batch, *) }

  /// Whether the input's pixels are the rows already.
  private var hasOneTap: Bool {
    tapCount == 1 && convolution.window.allSatisfy { $0.stride == 1 && !$0.hasEdges && $0.baseDilation == 1 }
  }

  func scheduled() -> ScheduledFusion? {
    let rows = TensorType(request.body.type(of: input).elementType, [rowCount, Extent(rowLength)])
    var (types, constants) = ([rows], request.constants + [nil])
    var known: Literal?
    if case .parameter(let parameter) = request.body[kernel].op, let literal = request.constants[parameter.index],
      let matrix = matrix(of: literal)
    {
      types.append(matrix.type)
      constants.append(matrix)
      known = matrix
    }
    let graph = request.body.adding(parameters: types, replacing: anchor) { node, parameters, graph in
      let left = hasOneTap ? pixels(of: node.operands[0], in: &graph) : parameters[0]
      let right = parameters.count > 1 ? parameters[1] : matrix(of: node.operands[1], in: &graph)
      let dot = DotGeneral(
        Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: convolution.resultType)
      return image(of: graph.moving(left, .dotGeneral(dot), right), in: &graph)
    }
    let product = SchedulingRequest(
      body: graph, anchor: .contraction, name: request.name, sources: request.sources, constants: constants,
      target: request.target, precision: request.precision, operandTakenOver: request.operandTakenOver)
    guard var scheduled = MatrixProduct(product)?.scheduled() else { return nil }
    // Columns that are not packed are read where they are.
    let columns = ScheduledFusion.Argument.operand(request.body.parameters.count + 1)
    if let known, scheduled.steps.contains(where: { $0.uses(columns) }) {
      let constant = scheduled.addConstant(known)
      scheduled.steps = scheduled.steps.map { $0.replacing(columns, by: constant) }
    }
    if hasOneTap { return scheduled }
    let argument = scheduled.addTemporary(rows)
    let copies = copies(into: argument, &scheduled).map { ScheduledFusion.Step.launch($0) }
    let parameter = ScheduledFusion.Argument.operand(request.body.parameters.count)
    scheduled.steps = copies + scheduled.steps.map { $0.replacing(parameter, by: argument) }
    return scheduled
  }

  /// The product's rows as the pixels of the result.
  private func image(of product: ValueID, in graph: inout Graph) -> ValueID {
    let shape = [batch] + space + [result[numbers.outputFeature]]
    let pixels = graph.moving(product, .reshape(Reshape(resultDimensions: shape)))
    var permutation = [Int](repeating: 0, count: result.count)
    permutation[numbers.outputBatch] = 0
    for (place, dimension) in numbers.outputSpatial.enumerated() { permutation[dimension] = 1 + place }
    permutation[numbers.outputFeature] = result.count - 1
    return graph.moving(pixels, .transpose(Transpose(permutation: permutation)))
  }

  // MARK: Weights

  /// The dimensions of a kernel in the order of the product: the depth, then the features.
  private var kernelOrder: [Int] {
    numbers.kernelSpatial + [numbers.kernelInputFeature, numbers.kernelOutputFeature]
  }

  /// The kernel as the product's columns; nil for a splat, whose bytes are not there.
  private func matrix(of kernel: Literal) -> Literal? {
    if kernel.isSplat { return nil }
    let strides = kernel.type.strides.compactMap(\.fixed)
    let order = kernelOrder
    let ordered = kernel.strided(order.map { kernel.dimensions[$0] }, offset: 0, strides: order.map { strides[$0] })
    let columns = kernel.dimensions[numbers.kernelOutputFeature]
    let missing = [UInt8](repeating: 0, count: (rowLength - depth) * columns)
    return Literal(kernel.elementType, [rowLength, columns], bytes: ordered.bytes + missing)
  }

  private func matrix(of kernel: ValueID, in graph: inout Graph) -> ValueID {
    let type = graph.type(of: kernel)
    let ordered = graph.moving(kernel, .transpose(Transpose(permutation: kernelOrder)))
    let shape = [Extent(depth), type.dimensions[numbers.kernelOutputFeature]]
    let matrix = graph.moving(ordered, .reshape(Reshape(resultDimensions: shape)))
    return graph.padded(matrix, high: [Extent(rowLength - depth), 0])
  }

  // MARK: Pixels

  private func pixels(of input: ValueID, in graph: inout Graph) -> ValueID {
    let ordered = graph.moving(input, .transpose(Transpose(permutation: numbers.inputOrder)))
    return graph.moving(ordered, .reshape(Reshape(resultDimensions: [rowCount, Extent(features)])))
  }

  /// The kernels that write the taps of each pixel: the input is copied first where it has padding or holes, or features
  /// are not innermost.
  private func copies(
    into rows: ScheduledFusion.Argument, _ scheduled: inout ScheduledFusion
  ) -> [ScheduledFusion.Launch] {
    let window = convolution.window
    let isPlain = window.allSatisfy { $0.paddingLow == 0 && $0.paddingHigh == 0 && $0.baseDilation == 1 }
    if case .parameter(let parameter) = request.body[input].op, isPlain,
      numbers.inputOrder == Array(numbers.inputOrder.indices)
    {
      return [unfolding(.operand(parameter.index), request.body.type(of: input), into: rows)]
    }
    var graph = request.body
    graph.results = []
    let type = graph.type(of: input).elementType
    let ordered = graph.moving(input, .transpose(Transpose(permutation: numbers.inputOrder)))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type), type)))
    let pad = Pad(
      low: [0] + window.map { Extent($0.paddingLow) } + [0], high: [0] + window.map { Extent($0.paddingHigh) } + [0],
      interior: [0] + window.map { $0.baseDilation - 1 } + [0])
    graph.results = [graph.moving(ordered, .pad(pad), zero)]
    let source = scheduled.addTemporary(graph.resultTypes[0])
    return Schedule.packing(graph, request, into: source, suffix: "pad")
      + [unfolding(source, graph.resultTypes[0], into: rows)]
  }

  /// The kernel that copies, for each pixel of the result, the elements of its window beside each other. A task is a line.
  private func unfolding(
    _ source: ScheduledFusion.Argument, _ type: TensorType, into rows: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    let from = b.addBuffer("in", type.elementType, isWritten: false)
    let to = b.addBuffer("rows", type.elementType, isWritten: true)
    let (window, strides) = (convolution.window, type.strides)
    let outer = [batch] + space.dropLast()
    let taskCount = outer.reduce(.one, *)
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let line = b.positions(of: .task, in: outer)
    // Neighbours along a line follow each other in memory, unless the window has holes or is read backwards.
    let joins = window[window.count - 1].windowDilation == 1 && !window[window.count - 1].isReversed
    let pieces = Array(allIndices(joins ? Array(extents.dropLast()) + [1] : extents))
    let run = joins ? extents[extents.count - 1] * features : features
    b.loop(to: space[space.count - 1]) { b, pixel, _ in
      let places = zip(line.dropFirst() + [pixel], window).map { $0 * $1.stride }
      let corner = zip(places, strides.dropFirst()).reduce(line[0] * strides[0]) { $0 + $1.0 * $1.1 }
      let first = b.index(of: b.materialize(corner, lanes: 1))
      let row = b.index(of: b.materialize((.task * space[space.count - 1] + pixel) * rowLength, lanes: 1))
      for (number, tap) in pieces.enumerated() {
        let offset = zip(zip(tap, window), strides.dropFirst()).reduce(IntegerExpression.zero) { sum, next in
          let ((tap, window), stride) = next
          let place = window.isReversed ? (window.extent.fixed ?? 1) - 1 - tap : tap
          return sum + stride * (place * window.windowDilation)
        }
        copy(run, from, first + offset, to, row + number * run, &b)
      }
      let zero = b.constant(.zero(type.elementType), type.elementType)
      for missing in depth..<rowLength { b.store(zero, to, at: row + missing, lanes: 1) }
      return []
    }
    let kernel = b.kernel(
      name: "\(request.name)_taps", sources: request.sources, taskCount: taskCount,
      taskCost: space[space.count - 1] * rowLength)
    return ScheduledFusion.Launch(kernel, [source, rows])
  }

  /// Copies bytes in vectors, the last ones shorter and shorter.
  private func copy(
    _ count: Int, _ source: Memory, _ start: IntegerExpression, _ destination: Memory, _ end: IntegerExpression,
    _ b: inout KernelBuilder
  ) {
    let widest = request.target.vectorByteCount
    func move(_ lanes: Int, _ offset: IntegerExpression, _ b: inout KernelBuilder) {
      let vector = b.load(source, at: start + offset + (lanes > 1 ? .lane : .zero), lanes: lanes)
      b.store(vector, destination, at: end + offset + (lanes > 1 ? .lane : .zero), lanes: lanes)
    }
    let whole = count / widest * widest
    b.loop(to: IntegerExpression(whole), step: widest) { b, offset, _ in
      move(widest, offset, &b)
      return []
    }
    var (position, lanes) = (whole, widest / 2)
    while lanes > 0 {
      if count - position >= lanes {
        move(lanes, IntegerExpression(position), &b)
        position += lanes
      }
      lanes /= 2
    }
  }
}
