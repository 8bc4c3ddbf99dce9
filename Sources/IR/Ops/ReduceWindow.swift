/// Folds windows that move over its inputs with a body (StableHLO spec, "reduce_window").
///
/// Operands: the inputs, then as many scalar initial values. Padding and holes hold the initial value; as it is the
/// body's neutral element wherever that matters, the fold skips them.
public struct ReduceWindow: OpDefinition {
  /// One for each dimension of the inputs.
  public var window: [WindowDimension]
  /// Parameters: accumulators, then elements; all scalars.
  public var body: Graph
  public init(window: [WindowDimension], body: Graph) {
    self.window = window
    self.body = body
  }
  public var mnemonic: String { "stablehlo.reduce_window" }
  public var op: Op { .reduceWindow(self) }
  public var regions: [Graph] { [body] }
  public func withRegions(_ regions: [Graph]) -> Op { .reduceWindow(ReduceWindow(window: window, body: regions[0])) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.count >= 2, operands.count % 2 == 0 else {  // (C1)
      throw OpError("reduce_window takes as many initial values as inputs, not \(operands.count) operands")
    }
    let inputs = Array(operands.prefix(operands.count / 2))
    let x = inputs[0]
    guard inputs.allSatisfy({ $0.dimensions == x.dimensions }) else {  // (C2)
      throw OpError("reduce_window needs inputs with the same dimensions")
    }
    for (input, initial) in zip(inputs, operands.suffix(inputs.count)) where initial != .scalar(input.elementType) {
      throw OpError("cannot start a fold of \(input) from \(initial)")  // (C3)
    }
    try window.requireFit(x, in: mnemonic)  // (C4)-(C12)
    try body.requireFold(of: inputs.map(\.elementType), in: mnemonic)  // (C13)
    let shape = zip(window, x.dimensions).map { $0.outputExtent(base: $1) }
    return body.resultTypes.map { TensorType($0.elementType, shape) }  // (C14)-(C16)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let count = operands.count / 2
    let base = operands[0].dimensions
    let shape = results[0].dimensions.compactMap(\.fixed)
    let window = try self.window.resolved(in: context)
    let fold = Fold(
      inputs: operands.prefix(count).map(\.scalars), initial: operands.suffix(count).map { $0[0] },
      body: ElementFunction(body, in: context))
    let columns: [[Scalar]]
    if let (dimension, direction) = window.scan(over: base.map { Extent($0) }) {
      columns = try fold.scan(base, along: dimension, direction)
    } else {
      columns = try fold.windows(window, over: base, shape)
    }
    return zip(columns, results).map { column, type in Literal(type.elementType, shape, column) }
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .window(.fold(window, body: body))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .reduceWindow(ReduceWindow(window: window.map { $0.mappingExtent(replacement) }, body: body))
  }

  private struct Fold {
    let inputs: [[Scalar]]
    let initial: [Scalar]
    let body: ElementFunction

    /// Each result from the elements of its own window.
    func windows(_ window: [WindowDimension], over base: [Int], _ shape: [Int]) throws(OpError) -> [[Scalar]] {
      var columns = [[Scalar]](repeating: [], count: inputs.count)
      let taps = window.compactMap(\.extent.fixed)
      try forEachIndex(shape) { (index: [Int]) throws(OpError) in
        var accumulators = initial
        try forEachIndex(taps) { (tap: [Int]) throws(OpError) in
          var position = 0
          for d in base.indices {
            guard let place = window[d].place(ofTap: tap[d], at: index[d], extent: base[d]) else { return }
            position = position * base[d] + place
          }
          accumulators = try body(accumulators + inputs.map { $0[position] })
        }
        for (k, accumulator) in accumulators.enumerated() { columns[k].append(accumulator) }
      }
      return columns
    }

    /// Each result from its neighbour's and one more element. The fold begins at the end where the first window lies.
    func scan(_ base: [Int], along dimension: Int, _ direction: ScanDirection) throws(OpError) -> [[Scalar]] {
      var columns = inputs
      let step = base.dropFirst(dimension + 1).reduce(1, *)
      let extent = base[dimension]
      var lines = base
      lines[dimension] = 1
      try forEachIndex(lines) { (index: [Int]) throws(OpError) in
        let start = zip(index, base).reduce(0) { $0 * $1.1 + $1.0 }
        var accumulators = initial
        for i in 0..<extent {
          let position = start + (direction == .forward ? i : extent - 1 - i) * step
          accumulators = try body(accumulators + inputs.map { $0[position] })
          for (k, accumulator) in accumulators.enumerated() { columns[k][position] = accumulator }
        }
      }
      return columns
    }
  }
}

extension WindowDimension {
  /// The base's index under element `tap` of the window at position `index`; nil on padding and in holes.
  func place(ofTap tap: Int, at index: Int, extent: Int) -> Int? {
    let dilated = index * stride + tap * windowDilation - paddingLow
    guard dilated >= 0, dilated % baseDilation == 0, dilated / baseDilation < extent else { return nil }
    return dilated / baseDilation
  }

  func mappingExtent(_ replacement: (Extent) -> Extent) -> WindowDimension {
    var copy = self
    copy.extent = replacement(extent)
    return copy
  }
}

extension [WindowDimension] {
  /// The window with every extent fixed.
  func resolved(in context: EvaluationContext) throws(OpError) -> [WindowDimension] {
    var window = self
    for d in indices { window[d].extent = Extent(try context.value(of: self[d].extent)) }
    return window
  }

  /// Throws unless there is one dimension, with positive extent and steps, for each of `type`.
  func requireFit(_ type: TensorType, in mnemonic: String) throws(OpError) {
    guard count == type.rank else {
      throw OpError("a window of \(count) dimensions does not fit the \(type.rank) dimensions of \(type)")
    }
    for (dimension, base) in zip(self, type.dimensions) {
      guard !Extent.one.isSurelyGreater(than: dimension.extent) else {
        throw OpError("the window of \(mnemonic) has extent \(dimension.extent), which is not positive")
      }
      guard dimension.stride > 0, dimension.baseDilation > 0, dimension.windowDilation > 0 else {
        throw OpError(
          "stride \(dimension.stride), base dilation \(dimension.baseDilation) and window dilation"
            + " \(dimension.windowDilation) of a window are not all positive")
      }
      try dimension.requireReach(base: base)
    }
  }
}

extension ReduceWindow {
  static let text = TextForm("stablehlo.reduce_window", nil) { (reader) throws(OpError) in
    .reduceWindow(ReduceWindow(window: try reader.window(), body: try reader.region(0)))
  } write: { op, writer in
    guard case .reduceWindow(let op) = op else { return }
    writer.set("window_dimensions", extents: op.window.map(\.extent))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("base_dilations", integers: op.window.map(\.baseDilation))
    writer.set("window_dilations", integers: op.window.map(\.windowDilation))
    writer.set("padding", pairs: op.window.map { ($0.paddingLow, $0.paddingHigh) })
  }
}
