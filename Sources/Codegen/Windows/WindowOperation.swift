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
  /// Features of a convolution's result.
  private let features: Extent

  static func isAnchor(_ op: Op) -> Bool {
    switch op {
    case .convolution, .reduceWindow: true
    default: false
    }
  }

  /// Nil for convolutions of one group and for folds of several inputs.
  init?(_ anchor: ValueID, in body: Graph) {
    let node = body[anchor]
    self.anchor = anchor
    input = node.operands[0]
    switch node.op {
    case .convolution(let convolution):
      let isWord = convolution.resultType.isInteger && convolution.resultType.bitWidth >= 32
      guard convolution.resultType.isFloat || isWord, convolution.featureGroupCount * convolution.batchGroupCount > 1
      else {
        return nil
      }
      let kernel = body.type(of: node.operands[1])
      depth = kernel.dimensions[convolution.dimensionNumbers.kernelInputFeature]
      features = kernel.dimensions[convolution.dimensionNumbers.kernelOutputFeature]
      kind = .convolution(
        convolution, kernel: node.operands[1], sumType: ElementLowering.sumType(convolution.resultType))
    case .reduceWindow(let fold):
      guard node.operands.count == 2, !body.type(of: input).elementType.isComplex,
        fold.window.scan(over: body.type(of: input).dimensions) == nil
      else { return nil }
      (depth, features) = (.one, .one)
      kind = .fold(fold.body, initial: node.operands[1], fold.window)
    default: return nil
    }
  }

  /// Whether the channels of operand and result, or what a convolution groups, lie side by side.
  func hasChannelsLast(in body: Graph) -> Bool {
    switch kind {
    case .convolution(let convolution, let kernel, _):
      let d = convolution.dimensionNumbers
      let grouped = convolution.featureGroupCount > 1 ? d.inputFeature : d.inputBatch
      return d.outputFeature == body.type(of: anchor).rank - 1
        && d.kernelOutputFeature == body.type(of: kernel).rank - 1 && grouped == body.type(of: input).rank - 1
    case .fold(_, _, let window):
      return window.last.map { $0.extent == .one && $0.stride == 1 && !$0.hasEdges } ?? false
    }
  }

  /// The dimension of the result along which neighbours read neighbours in the operand, if windows move along it.
  func line(in body: Graph) -> Int? {
    let innermost = body.type(of: input).rank - 1
    switch kind {
    case .convolution(let convolution, _, _):
      let d = convolution.dimensionNumbers
      return d.inputSpatial.firstIndex(of: innermost).map { d.outputSpatial[$0] }
    case .fold: return moving(in: body).windows.last.flatMap { $0 == nil ? nil : innermost }
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

  /// The function of a fold whose elements may be grouped in any way.
  var associativeFunction: ScalarFunction? {
    guard case .fold(let body, _, _) = kind, let function = body.associativeFunction,
      function.neutral(body.resultTypes[0].elementType) != nil
    else { return nil }
    return function
  }

  /// What a fold starts from.
  func initial(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> Register {
    switch kind {
    case .convolution(_, _, let type): return b.constant(.zero(type), type)
    case .fold(let body, let initial, _):
      return b.convert(lowering.element(of: initial, at: [], in: &b), to: body.resultTypes[0].elementType)
    }
  }

  /// How many features a group has, if that is the same number before and after, and whole groups fill vectors of `lanes`
  /// channels: each lane then finds what it reads among the channels of the same vector.
  func groupWidth(lanes: Int) -> Int? {
    guard case .convolution(let convolution, _, _) = kind, convolution.batchGroupCount == 1,
      let width = depth.fixed, width > 1, width < lanes, lanes % width == 0,
      features == Extent(width * convolution.featureGroupCount)
    else { return nil }
    return width
  }

  /// The operand's element at `source`, which has the operand's position in the order of the result's dimensions.
  func element(
    result: [IntegerExpression], source: [IntegerExpression], depth: IntegerExpression, groupWidth: Int? = nil,
    mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    guard case .convolution(let convolution, let kernel, _) = kind else {
      return lowering.element(of: input, at: source, mask: mask, in: &b)
    }
    let taps = [IntegerExpression](repeating: .zero, count: source.count)
    var (i, _) = positions(convolution, kernel, result, source, taps, depth, lowering.graph, b)
    guard let groupWidth, let depth = depth.fixed else { return lowering.element(of: input, at: i, mask: mask, in: &b) }
    let d = convolution.dimensionNumbers
    i[d.inputFeature] = result[d.outputFeature]
    let channels = b.widen(lowering.element(of: input, at: i, mask: mask, in: &b), to: lowering.lanes)
    let places = (0..<lowering.lanes).map { $0 / groupWidth * groupWidth + depth }
    return b.define(b.type(of: channels), .shuffle(channels, channels, places))
  }

  /// The fold of `sum` and an element of the operand, which lies under the window's element `taps`.
  func next(
    _ sum: Register, with element: Register, result: [IntegerExpression], taps: [IntegerExpression],
    depth: IntegerExpression, mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let lanes = b.lanes(of: sum)
    switch kind {
    case .fold(let body, _, _):
      return b.widen(lowering.inlined(body, [sum, b.widen(element, to: lanes)], in: &b)[0], to: lanes)
    case .convolution(let convolution, let kernel, let type):
      let (_, k) = positions(convolution, kernel, result, result, taps, depth, lowering.graph, b)
      let weight = lowering.element(of: kernel, at: k, mask: mask.flatMap { b.lanes(of: $0) > 1 ? $0 : nil }, in: &b)
      let (x, y) = (b.convert(element, to: type), b.convert(weight, to: type))
      if type.isFloat { return b.multiplyAdd(x, y, sum) }
      let product = b.apply(.multiply, [b.widen(x, to: lanes), b.widen(y, to: lanes)])
      return b.apply(.add, [sum, product])
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
