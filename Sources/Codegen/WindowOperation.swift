import IR

/// What a window does with the elements under it, element by element: a convolution with few features in a group, or a fold.
struct WindowOperation {
  private enum Kind {
    case convolution(Convolution, kernel: ValueID, sumType: ElementType)
    case fold(Graph, initial: ValueID, [WindowDimension])
  }

  private let kind: Kind
  private let anchor: ValueID
  private let input: ValueID
  /// Features of the input that each of the result's is computed from.
  let depth: Extent

  static func isAnchor(_ op: Op) -> Bool {
    switch op {
    case .convolution, .reduceWindow: true
    default: false
    }
  }

  /// Nil for convolutions of one group, for folds of several inputs, and where the channels of the operand, or what a
  /// convolution groups, do not lie side by side.
  init?(_ anchor: ValueID, in body: Graph) {
    let node = body[anchor]
    self.anchor = anchor
    input = node.operands[0]
    let type = body.type(of: input)
    switch node.op {
    case .convolution(let convolution):
      let d = convolution.dimensionNumbers
      let kernel = body.type(of: node.operands[1])
      guard convolution.resultType.isFloat, d.outputFeature == body.type(of: anchor).rank - 1,
        d.kernelOutputFeature == kernel.rank - 1, convolution.featureGroupCount * convolution.batchGroupCount > 1,
        type.rank - 1 == (convolution.featureGroupCount > 1 ? d.inputFeature : d.inputBatch)
      else { return nil }
      depth = kernel.dimensions[d.kernelInputFeature]
      kind = .convolution(
        convolution, kernel: node.operands[1], sumType: ElementLowering.sumType(convolution.resultType))
    case .reduceWindow(let fold):
      guard node.operands.count == 2, !type.elementType.isComplex, fold.window.scan(over: type.dimensions) == nil,
        let last = fold.window.last, last.extent == .one, last.stride == 1, !last.hasEdges
      else { return nil }
      depth = .one
      kind = .fold(fold.body, initial: node.operands[1], fold.window)
    default: return nil
    }
  }

  /// The windows along the result's dimensions, and the operand's extents there; an extent of a dimension without a
  /// window does not matter.
  func moving(in body: Graph) -> (windows: [WindowDimension?], bases: [Extent]) {
    let extents = body.type(of: input).dimensions
    switch kind {
    case .convolution(let convolution, _, _):
      let d = convolution.dimensionNumbers
      var windows = [WindowDimension?](repeating: nil, count: extents.count)
      var bases = [Extent](repeating: .one, count: extents.count)
      for (position, output) in d.outputSpatial.enumerated() {
        windows[output] = convolution.window[position]
        bases[output] = extents[d.inputSpatial[position]]
      }
      return (windows, bases)
    case .fold(_, _, let window):
      let isStill = { (w: WindowDimension) in w.extent == .one && w.stride == 1 && !w.hasEdges }
      return (window.map { isStill($0) ? nil : $0 }, extents)
    }
  }

  /// What a fold starts from.
  func initial(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> Register {
    switch kind {
    case .convolution(_, _, let type): return b.constant(.zero(type), type)
    case .fold(let body, let initial, _):
      return b.convert(lowering.element(of: initial, at: [], in: &b), to: body.resultTypes[0].elementType)
    }
  }

  /// The fold of `sum` and one more element: that at `source`, which has the operand's position in the order of the
  /// result's dimensions, under the window's element `taps`.
  func next(
    _ sum: Register, result: [IntegerExpression], source: [IntegerExpression], taps: [IntegerExpression],
    depth: IntegerExpression, mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let lanes = b.lanes(of: sum)
    switch kind {
    case .fold(let body, _, _):
      let element = b.widen(lowering.element(of: input, at: source, mask: mask, in: &b), to: lanes)
      return b.widen(lowering.inlined(body, [sum, element], in: &b)[0], to: lanes)
    case .convolution(let convolution, let kernel, let type):
      let (i, k) = positions(convolution, kernel, result, source, taps, depth, lowering.graph, b)
      let x = lowering.element(of: input, at: i, mask: mask, in: &b)
      let weight = lowering.element(of: kernel, at: k, mask: mask.flatMap { b.lanes(of: $0) > 1 ? $0 : nil }, in: &b)
      return b.multiplyAdd(b.convert(x, to: type), b.convert(weight, to: type), sum)
    }
  }

  private func positions(
    _ convolution: Convolution, _ kernel: ValueID, _ result: [IntegerExpression], _ source: [IntegerExpression],
    _ taps: [IntegerExpression], _ depth: IntegerExpression, _ body: Graph, _ b: KernelBuilder
  ) -> (input: [IntegerExpression], kernel: [IntegerExpression]) {
    let d = convolution.dimensionNumbers
    let (xType, kType) = (body.type(of: input), body.type(of: kernel))
    let feature = result[d.outputFeature]
    let features = kType.dimensions[d.kernelOutputFeature]
    func group(_ count: Int) -> IntegerExpression {
      feature.floorDivided(by: features.floorDivided(by: Extent(count)), bound: { b.bound(of: $0) })
    }
    var i = [IntegerExpression](repeating: .zero, count: xType.rank)
    var k = [IntegerExpression](repeating: .zero, count: kType.rank)
    i[d.inputBatch] = result[d.outputBatch]
    i[d.inputFeature] = depth
    if convolution.batchGroupCount > 1 {
      let batches = xType.dimensions[d.inputBatch].floorDivided(by: Extent(convolution.batchGroupCount))
      i[d.inputBatch] += group(convolution.batchGroupCount) * batches
    }
    if convolution.featureGroupCount > 1 { i[d.inputFeature] += group(convolution.featureGroupCount) * self.depth }
    k[d.kernelInputFeature] = depth
    k[d.kernelOutputFeature] = feature
    for (position, window) in convolution.window.enumerated() {
      let output = d.outputSpatial[position]
      i[d.inputSpatial[position]] = source[output]
      k[d.kernelSpatial[position]] = window.isReversed ? window.extent - 1 - taps[output] : taps[output]
    }
    return (i, k)
  }
}
