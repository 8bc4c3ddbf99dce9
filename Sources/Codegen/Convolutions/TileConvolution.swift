import IR

/// A convolution as an implicit product in tiles.
///
/// The input is split into parts with its padding as zeros, channels in blocks of 32, and positions one after the other
/// over the whole padded image (all images). A window's tap then is a shift: 16 neighbouring outputs read 16 neighbouring
/// positions, which lie in memory as one tile. With a stride, positions are sorted by what the stride leaves over
/// (`phase`), so that neighbours stay neighbours. Outputs at positions where the window hangs over a line's end are
/// computed and dropped. Doc: docs/design/0004-split-products.md.
struct TileConvolution {
  static let lanes = Tile.laneCount
  static let block = SplitLayout.block
  /// Where the input is scaled it has one scale. Of its lines, none but zeros may have a largest magnitude this many powers
  /// of two below.
  static let lineExponentRange = 12

  let request: SchedulingRequest
  let anchor: ValueID
  let convolution: Convolution
  let scheme: SplitScheme
  let input: ValueID
  let kernel: ValueID
  let inputType: TensorType
  let kernelType: TensorType
  let outputType: TensorType

  /// Nil where the convolution has groups or holes.
  init?(_ request: SchedulingRequest, _ anchor: ValueID, _ convolution: Convolution) {
    let body = request.body
    input = body[anchor].operands[0]
    kernel = body[anchor].operands[1]
    (inputType, kernelType, outputType) = (body.type(of: input), body.type(of: kernel), body.type(of: anchor))
    guard convolution.featureGroupCount == 1, convolution.batchGroupCount == 1,
      convolution.window.allSatisfy({ $0.extent.isFixed && $0.baseDilation == 1 }),
      let scheme = SplitScheme.scheme(
        inputType.elementType, kernelType.elementType, request.precision, request.target)
    else { return nil }
    self.request = request
    self.anchor = anchor
    self.convolution = convolution
    self.scheme = scheme
  }

  private var numbers: Convolution.DimensionNumbers { convolution.dimensionNumbers }
  private var window: [WindowDimension] { convolution.window }
  private var batch: Extent { inputType.dimensions[numbers.inputBatch] }
  private var features: Extent { inputType.dimensions[numbers.inputFeature] }
  private var spatial: [Extent] { numbers.inputSpatial.map { inputType.dimensions[$0] } }
  private var outputs: [Extent] { numbers.outputSpatial.map { outputType.dimensions[$0] } }
  private var outputFeatures: Extent { outputType.dimensions[numbers.outputFeature] }
  private var featureBlocks: Extent { (features + (Self.block - 1)).floorDivided(by: Extent(Self.block)) }

  /// Positions of one phase along each spatial dimension.
  private var positions: [Extent] {
    zip(spatial, window).map { extent, window in
      (extent + window.paddingLow + window.paddingHigh + (window.stride - 1)).floorDivided(by: Extent(window.stride))
    }
  }

  private var phases: [Extent] { window.map { Extent($0.stride) } }
  private var taps: [Extent] { window.map(\.extent) }
  private var imagePositionCount: Extent { positions.reduce(.one) { $0 * $1 } }
  /// Positions of one phase and block of channels, with room for a tile that begins at the last.
  private var planeRowCount: Extent { batch * imagePositionCount + Self.block }

  private var partsType: TensorType {
    let phaseCount = phases.reduce(.one) { $0 * $1 }
    let dimensions = [phaseCount, featureBlocks, Extent(scheme.partCount), planeRowCount, Extent(Self.block)]
    return TensorType(scheme.elementType, dimensions)
  }

  // MARK: Steps

  /// What must hold for the product in tiles to be the faster one; nil where it never is.
  var conditions: [ScheduledFusion.Condition]? {
    let tapCount = taps.reduce(.one) { $0 * $1 }
    let useful = ProductExtents(
      rows: batch * outputs.reduce(.one) { $0 * $1 }, columns: outputFeatures, depth: tapCount * features)
    let computed = ProductExtents(
      rows: rowCount, columns: outputFeatures, depth: tapCount * featureBlocks * Self.block)
    // All phases are split, also where few of them are read.
    let phaseCount = phases.reduce(.one) { $0 * $1 }
    let tiles = TileExtents(
      useful: useful, computed: computed, splitPerRow: phaseCount * features, blockByteCount: blockByteCount)
    return scheme.conditions(tiles, request.target)
  }

  /// Puts the product in tiles beside the one in f32 where it pays.
  func offer(_ epilogue: Epilogue, _ scheduled: inout ScheduledFusion) {
    let operand = ProductOperand(
      kernel, kernelType, batch: [], lines: [numbers.kernelOutputFeature], taps: numbers.kernelSpatial,
      depth: [numbers.kernelInputFeature])
    let columns = OperandSplitting(request, operand, scheme)
    let strict = scheduled.steps
    guard let conditions,
      let (columnSteps, columnParts, columnScales) = columns.splitColumns(&scheduled)
    else { return }
    let splitLines = scheme.isScaled ? nil : splitExtents
    let lines = scheduled.addTemporary(TensorType(.i32, splitLines ?? lineExtents))
    let scales = scheme.isScaled ? scheduled.addTemporary(TensorType(.f32, [2])) : nil
    let flag = scheduled.addTemporary(.scalar(.i1))
    let parts = scheduled.addTemporary(partsType)
    let columnCheck = columnSteps.isEmpty ? nil : columnScales.map { ($0, columns.scalesType) }
    let product = TileProduct(
      request: request, anchor: anchor, epilogue: epilogue, scheme: scheme, rows: self, columns: columns.layout,
      columnCount: outputFeatures)
    let launch = product.launch(
      TileProduct<TileConvolution>.Operands(
        rows: parts, columns: columnParts, rowScales: scales, columnScales: columnScales))
    let splitting = ScheduledFusion.Step.launch(split(scales: scales, largest: lines, into: parts))
    let checking = ScheduledFusion.Step.launch(check(lines, columnCheck, into: scales, flag))
    // Where there is no scale to wait for, the input is split first, and looked at on the way.
    let before = scheme.isScaled ? [.launch(largestOfLines(into: lines)), checking] : [splitting, checking]
    let after = (scheme.isScaled ? [splitting] : []) + [.launch(launch)]
    let tiled = before + [.choice(.holds(flag), then: after, otherwise: strict)]
    scheduled.steps = .choosing(conditions, columnSteps + tiled, else: strict)
  }

  // MARK: The input's scale

  private var lineExtents: [Extent] { [batch] + spatial.dropLast() }

  private func begin(_ b: inout KernelBuilder) -> (ElementLowering, OperandBuffers) {
    b.setBound(Extent(Self.lanes), ofVariable: -1)
    let buffers = OperandBuffers(for: [input], of: request, &b)
    return (ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: Self.lanes), buffers)
  }

  private func index(image: IntegerExpression, at: [IntegerExpression], feature: IntegerExpression)
    -> [IntegerExpression]
  {
    var index = [IntegerExpression](repeating: .zero, count: inputType.rank)
    index[numbers.inputBatch] = image
    index[numbers.inputFeature] = feature
    for (d, position) in zip(numbers.inputSpatial, at) { index[d] = position }
    return index
  }

  /// The bits of the largest magnitude in each line of the input: all features along the innermost spatial dimension.
  private func largestOfLines(into lines: ScheduledFusion.Argument) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var (lowering, buffers) = begin(&b)
    let results = buffers.add(lines, .i32, "lines", &b)
    let taskCount = lineExtents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: lineExtents)
    let zero = b.constant(.zero(.i32), .i32, lanes: Self.lanes)
    let largest = b.loop(to: spatial[spatial.count - 1], carrying: [zero]) { b, position, largest in
      b.loop(to: featureBlocks * 2, carrying: largest) { b, vector, largest in
        lowering.withScope { lowering in
          let feature = vector * Self.lanes + .lane
          let mask = b.isWithin(feature, features, lanes: Self.lanes)
          let at = index(image: numbers[0], at: Array(numbers.dropFirst()) + [position], feature: feature)
          let element = lowering.element(of: input, at: at, mask: mask, in: &b)
          let bits = b.magnitudeBits(b.widen(b.convert(element, to: .f32), to: Self.lanes))
          return [b.apply(.maximum, [largest[0], bits])]
        }
      }
    }
    b.store(b.fold(.maximum, largest[0]), results, at: .task, lanes: 1)
    let cost = spatial[spatial.count - 1] * featureBlocks * 4
    let kernel = b.kernel(
      name: "\(request.name)_largest", sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// Whether all could be split: the input by lines, the weights by columns. With `scales`, the input's scale and its inverse
  /// too.
  private func check(
    _ lines: ScheduledFusion.Argument, _ columns: (ScheduledFusion.Argument, TensorType)?,
    into scales: ScheduledFusion.Argument?, _ flag: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(Self.lanes), ofVariable: -1)
    let bits = b.addBuffer("lines", .i32, isWritten: false)
    var arguments = [lines]
    let lineCount = (scales == nil ? splitExtents : lineExtents).reduce(.one) { $0 * $1 }
    let start = [b.constant(.zero(.i32), .i32), b.constant(.integer(Int64(Int32.max)), .i32)]
    let extremes = b.loop(to: lineCount, carrying: start) { b, line, extremes in
      let largest = b.load(bits, at: line, lanes: 1)
      let isZero = b.apply(.compare(.equal, .signed), [largest, b.constant(.zero(.i32), .i32)])
      let counted = b.apply(.select, [isZero, extremes[1], largest])
      return [b.apply(.maximum, [extremes[0], largest]), b.apply(.minimum, [extremes[1], counted])]
    }
    let (scale, inverse) = b.splitScale(largest: extremes[0], scheme)
    var isSplit = b.apply(.compare(.equal, .float), [inverse, inverse])
    if scales == nil {
      let least = scheme.exponents.lowerBound + 127
      let inRange = b.formula(extremes) { x in x[1].shiftedRightLogically(23) .> least - 1 }
      isSplit = b.apply(.and, [isSplit, inRange])
    } else {
      let range = b.formula(extremes) { x in
        x[0].shiftedRightLogically(23) .< x[1].shiftedRightLogically(23) + (Self.lineExponentRange + 1)
      }
      isSplit = b.apply(.and, [isSplit, range])
    }
    if let columns {
      let memory = b.addBuffer("columnScales", .f32, isWritten: false)
      arguments.append(columns.0)
      isSplit = b.apply(.and, [isSplit, b.hasNoNaN(memory, columns.1.elementCount, lanes: Self.lanes)])
    }
    if let scales {
      let both = b.addBuffer("scales", .f32, isWritten: true)
      arguments.append(scales)
      b.store(scale, both, at: .zero, lanes: 1)
      b.store(inverse, both, at: .one, lanes: 1)
    }
    let result = b.addBuffer("isSplit", .i1, isWritten: true)
    b.store(isSplit, result, at: .zero, lanes: 1)
    let kernel = b.kernel(
      name: "\(request.name)_check", sources: request.sources, taskCount: .one, taskCost: lineCount * 4)
    return ScheduledFusion.Launch(kernel, arguments + [flag])
  }

  // MARK: The input's parts

  /// Lines of positions, of all phases along the innermost dimension.
  private var splitExtents: [Extent] { Array(phases.dropLast()) + [batch] + positions.dropLast() }

  /// A task is a line of positions. Without `scales` it leaves the bits of the largest magnitude it saw.
  private func split(
    scales: ScheduledFusion.Argument?, largest lines: ScheduledFusion.Argument, into parts: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var (lowering, buffers) = begin(&b)
    let memory = buffers.add(parts, scheme.elementType, "parts", &b)
    let scale = scales.map { b.load(buffers.add($0, .f32, "scales", &b), at: .zero, lanes: 1) }
    let extents = splitExtents
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let outer = phases.count - 1
    let line = Line(
      phases: Array(numbers[..<outer]), image: numbers[outer], positions: Array(numbers[(outer + 1)...]))
    let zero = b.constant(.zero(.i32), .i32, lanes: Self.lanes)
    let largest = b.loop(to: phases[outer], carrying: [zero]) { b, phase, largest in
      b.loop(to: featureBlocks, carrying: largest) { b, block, largest in
        b.loop(to: positions[outer], carrying: largest) { b, position, largest in
          lowering.withScope { [split(line, phase, block, position, scale, memory, largest[0], &$0, &b)] }
        }
      }
    }
    if scale == nil {
      let results = buffers.add(lines, .i32, "lines", &b)
      b.store(b.fold(.maximum, largest[0]), results, at: .task, lanes: 1)
    }
    let cost = positions[outer] * featureBlocks * (4 * scheme.partCount * window[outer].stride)
    let kernel = b.kernel(
      name: "\(request.name)_split_input", sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The phases and positions of all but the innermost spatial dimension.
  private struct Line {
    var phases: [IntegerExpression]
    var image: IntegerExpression
    var positions: [IntegerExpression]
  }

  /// Splits a position's block of features; gives the larger of `largest` and their magnitudes' bits.
  private func split(
    _ line: Line, _ phase: IntegerExpression, _ block: IntegerExpression, _ position: IntegerExpression,
    _ scale: Register?, _ memory: Memory, _ largest: Register, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    var largest = largest
    let (allPhases, allPositions) = (line.phases + [phase], line.positions + [position])
    var at: [IntegerExpression] = []
    var valid: Register?
    for (d, window) in window.enumerated() {
      let place = allPositions[d] * window.stride + allPhases[d] - IntegerExpression(window.paddingLow)
      at.append(place)
      let isInside = window.stride == 1 && window.paddingLow == 0 && window.paddingHigh <= 0
      valid = b.and(valid, isInside ? nil : b.isWithin(place, spatial[d], lanes: 1))
    }
    let plane = row(of: allPhases, in: phases) * featureBlocks + block
    let row = line.image * imagePositionCount + row(of: allPositions, in: positions)
    let elements = [0, Self.lanes].map { offset in
      let feature = block * Self.block + offset + .lane
      let mask = b.and(valid, b.isWithin(feature, features, lanes: Self.lanes))
      let element = lowering.element(
        of: input, at: index(image: line.image, at: at, feature: feature), mask: mask, in: &b)
      let x = b.widen(b.convert(element, to: .f32), to: Self.lanes)
      if scale == nil { largest = b.apply(.maximum, [largest, b.magnitudeBits(x)]) }
      return scale.map { b.apply(.multiply, [x, $0]) } ?? x
    }
    for (number, part) in b.parts(ofSteps: elements[0], elements[1], scheme).enumerated() {
      let start = ((plane * scheme.partCount + IntegerExpression(number)) * planeRowCount + row) * Self.block
      b.store(part, memory, at: start + .lane, lanes: Self.block)
    }
    return largest
  }

  /// The row-major number of an index.
  private func row(of index: [IntegerExpression], in extents: [Extent]) -> IntegerExpression {
    zip(index, extents).reduce(.zero) { $0 * $1.1 + $1.0 }
  }
}

extension TileConvolution: TileRows {
  var batchCount: Extent { .one }
  /// Up to the last output of the last image.
  var rowCount: Extent {
    let last = row(of: [batch - 1] + outputs.map { $0 - 1 }, in: [batch] + positions)
    return .maximum(last + 1, .zero)
  }
  var blockCount: Extent { (rowCount + (Self.block - 1)).floorDivided(by: Extent(Self.block)) }
  var depthBlockCount: Extent { taps.reduce(featureBlocks) { $0 * $1 } }
  var blockByteCount: Int { (featureBlocks.fixed ?? 8) * scheme.partCount * 2 * SplitLayout.tileElementCount * 2 }

  func position(
    batch: IntegerExpression, block: IntegerExpression, depthBlock: IntegerExpression, part: Int, half: Int,
    _ b: inout KernelBuilder
  ) -> IntegerExpression {
    let place = b.positions(of: depthBlock, in: taps + [featureBlocks])
    var (plane, shift) = (IntegerExpression.zero, IntegerExpression.zero)
    for (d, window) in window.enumerated() {
      let tap = window.isReversed ? window.extent - 1 - place[d] : place[d]
      let distance = tap * window.windowDilation
      let step = Extent(window.stride)
      plane = plane * window.stride + distance.modulo(step, bound: { [b] in b.bound(of: $0) })
      shift = shift * positions[d] + distance.floorDivided(by: step, bound: { [b] in b.bound(of: $0) })
    }
    plane = (plane * featureBlocks + place[taps.count]) * scheme.partCount + IntegerExpression(part)
    let row = block * Self.block + IntegerExpression(half * Tile.rowCount) + shift
    return (plane * planeRowCount + row) * Self.block
  }

  /// The input has one scale; it stands first, its inverse second.
  func scalePosition(batch: IntegerExpression, row: IntegerExpression) -> IntegerExpression { .one }

  func results(
    batch: IntegerExpression, row: IntegerExpression, column: IntegerExpression, _ b: inout KernelBuilder
  ) -> [IntegerExpression] {
    let place = b.positions(of: row, in: [self.batch] + positions)
    var index = [IntegerExpression](repeating: .zero, count: outputType.rank)
    index[numbers.outputBatch] = place[0]
    index[numbers.outputFeature] = column
    for (d, output) in numbers.outputSpatial.enumerated() { index[output] = place[d + 1] }
    return index
  }

  func isResult(row: IntegerExpression, _ b: inout KernelBuilder) -> Register? {
    let place = b.positions(of: row, in: [batch] + positions)
    var inside: Register?
    for (d, extent) in outputs.enumerated() where extent != positions[d] {
      inside = b.and(inside, b.isWithin(place[d + 1], extent, lanes: 1))
    }
    return inside
  }
}
