import IR

extension Schedule {
  /// A convolution as an implicit matrix product in tiles of work-groups: pixels are rows, output features are columns,
  /// and the depth runs over the window and the input features. Nothing is copied: padding reads as zero.
  static let groupConvolution = Schedule("convolution by groups") { request in
    guard request.anchor == .window, let device = request.target.workGroups,
      let product = GroupConvolution(request, device)
    else { return nil }
    return product.scheduled()
  }
}

/// A `convolution` for a machine with work-groups; each feature group, or group of images, is a batch.
private struct GroupConvolution {
  let request: SchedulingRequest
  let anchor: ValueID
  let convolution: Convolution
  let numbers: Convolution.DimensionNumbers
  let epilogue: Epilogue
  let input: ValueID
  let kernel: ValueID
  /// Images of one group and the output's spatial extents.
  let rows: [Extent]
  /// The window's extents and the input features of one group.
  let depth: [Extent]
  let groupOutputs: Int
  let device: WorkGroups
  let shape: ProductShape

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    guard let (anchor, convolution) = body.onlyConvolution, let epilogue = Epilogue(of: anchor, in: body) else {
      return nil
    }
    self.request = request
    self.anchor = anchor
    self.convolution = convolution
    numbers = convolution.dimensionNumbers
    self.epilogue = epilogue
    input = body[anchor].operands[0]
    kernel = body[anchor].operands[1]
    let (x, k, y) = (body.type(of: input), body.type(of: kernel), body.type(of: anchor))
    let type = ElementLowering.sumType(convolution.resultType)
    let groups = max(convolution.featureGroupCount, convolution.batchGroupCount)
    guard let outputs = k.dimensions[numbers.kernelOutputFeature].fixed, outputs > 0, !type.isComplex,
      !type.isBoolean, type.bitWidth >= 8, x.elementType.isExecutable, k.elementType.isExecutable
    else { return nil }
    groupOutputs = outputs / groups
    // Groups of few features are done element by element.
    if groups > 1 && groupOutputs < 8 { return nil }
    rows = [y.dimensions[numbers.outputBatch]] + numbers.outputSpatial.map { y.dimensions[$0] }
    depth = convolution.window.map(\.extent) + [k.dimensions[numbers.kernelInputFeature]]
    func count(_ extents: [Extent]) -> Extent { extents.reduce(.one) { $0 * $1 } }
    let extents = ProductExtents(rows: count(rows), columns: Extent(groupOutputs), depth: count(depth))
    shape = ProductShape(
      extents: extents, depth: depth, batch: Extent(groups), left: x.elementType, right: k.elementType, sum: type,
      isRowContiguous: numbers.inputFeature == x.rank - 1,
      isColumnContiguous: numbers.kernelOutputFeature != k.rank - 1,
      areColumnsNeighbours: numbers.kernelInputFeature == k.rank - 1,
      hasWindow: convolution.window.contains { $0.extent != .one })
    self.device = device
  }

  private var body: Graph { request.body }

  func scheduled() -> ScheduledFusion? {
    ScheduledFusion(shape, request, device) { steps($0, in: $1, &$2) }
  }

  private func steps(_ product: GroupProduct, in pieces: DepthPieces?, _ scheduled: inout ScheduledFusion)
    -> [ScheduledFusion.Step]
  {
    let kernels = ProductKernels(
      product: product, request: request, anchor: anchor, epilogue: epilogue, operands: [input, kernel], index: index)
    return kernels.steps(
      in: &scheduled, row: { pixel(pieces, &$0, &$1, $2, $3, $4, $5) },
      column: { feature(pieces, &$0, &$1, $2, $3, $4, $5) })
  }

  /// The result's index of a group, a row and a column.
  private func index(
    _ group: IntegerExpression, _ row: IntegerExpression, _ column: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    var at = [IntegerExpression](repeating: .zero, count: body.type(of: anchor).rank)
    let pixel = b.unflattened(row, in: rows)
    at[numbers.outputBatch] = pixel[0]
    for (d, i) in zip(numbers.outputSpatial, pixel.dropFirst()) { at[d] = i }
    at[numbers.outputFeature] = group * groupOutputs + column
    return at
  }

  /// What `read` gives at a step of the depth, or for a piece.
  private func element(
    _ pieces: DepthPieces?, _ step: IntegerExpression, _ mask: Register?, isContiguous: Bool,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ read: DepthPieces.Read
  ) -> Register {
    guard let pieces else { return read(&lowering, &b, b.positions(of: step, in: depth), mask) }
    return pieces.elements(of: step, isContiguous: isContiguous, mask: mask, &lowering, &b, read)
  }

  /// The input's element under a tap of the window at a pixel, or those of a piece; zero on padding and in holes.
  private func pixel(
    _ pieces: DepthPieces?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place,
    _ row: IntegerExpression, _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    let output = b.positions(of: row, in: rows)
    return element(pieces, step, mask, isContiguous: shape.isRowContiguous, &lowering, &b) {
      pixel(output, $2, place, &$0, &$1, $3)
    }
  }

  private func pixel(
    _ output: [IntegerExpression], _ taps: [IntegerExpression], _ place: GroupProduct.Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ mask: Register?
  ) -> Register {
    let type = body.type(of: input)
    var at = [IntegerExpression](repeating: .zero, count: type.rank)
    var image = output[0]
    if convolution.batchGroupCount > 1 { image += place.batch * rows[0] }
    at[numbers.inputBatch] = image
    let groupInputs = depth[depth.count - 1]
    at[numbers.inputFeature] = taps[taps.count - 1]
    if convolution.featureGroupCount > 1 { at[numbers.inputFeature] += place.batch * groupInputs }
    var inside = mask
    for (n, window) in convolution.window.enumerated() {
      let d = numbers.inputSpatial[n]
      let (position, valid) = lowering.place(
        window, tap: taps[n], output: output[n + 1], extent: type.dimensions[d], &b)
      at[d] = position
      inside = b.and(inside, valid)
    }
    let element = lowering.element(of: input, at: at, mask: inside, in: &b)
    guard let inside else { return element }
    return b.apply(.select, [inside, element, b.constant(.zero(type.elementType), type.elementType)])
  }

  /// The kernel's element of a feature at a tap, or those of a piece.
  private func feature(
    _ pieces: DepthPieces?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place,
    _ column: IntegerExpression, _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    element(pieces, step, mask, isContiguous: shape.areColumnsNeighbours, &lowering, &b) { lowering, b, taps, mask in
      var at = [IntegerExpression](repeating: .zero, count: body.type(of: kernel).rank)
      for (n, window) in convolution.window.enumerated() {
        at[numbers.kernelSpatial[n]] = window.isReversed ? window.extent - 1 - taps[n] : taps[n]
      }
      at[numbers.kernelInputFeature] = taps[taps.count - 1]
      at[numbers.kernelOutputFeature] = place.batch * groupOutputs + column
      return lowering.element(of: kernel, at: at, mask: mask, in: &b)
    }
  }
}
