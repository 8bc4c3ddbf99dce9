/// A convolution whose padding an operand gives (StableHLO spec, "dynamic_conv").
///
/// Operands: input, kernel, padding as a list of (low, high), one for each spatial dimension.
/// The paddings in `window` have no meaning here.
public struct DynamicConv: OpDefinition {
  public var window: [WindowDimension]
  public var dimensionNumbers: Convolution.DimensionNumbers
  public var featureGroupCount: Int
  public var batchGroupCount: Int
  public var resultType: TensorType
  public init(
    window: [WindowDimension], dimensionNumbers: Convolution.DimensionNumbers, featureGroupCount: Int = 1,
    batchGroupCount: Int = 1, resultType: TensorType
  ) {
    self.window = window
    self.dimensionNumbers = dimensionNumbers
    self.featureGroupCount = featureGroupCount
    self.batchGroupCount = batchGroupCount
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.dynamic_conv" }
  public var op: Op { .dynamicConv(self) }

  /// The convolution with these paddings, low and high for each spatial dimension.
  public func convolution(paddings: [Int]) -> Convolution {
    var padded = window
    for d in window.indices {
      padded[d].paddingLow = paddings[2 * d]
      padded[d].paddingHigh = paddings[2 * d + 1]
    }
    return Convolution(
      window: padded, dimensionNumbers: dimensionNumbers, featureGroupCount: featureGroupCount,
      batchGroupCount: batchGroupCount, resultType: resultType.elementType)
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 3)
    let paddings = [Int](repeating: 0, count: 2 * window.count)
    let inferred = try convolution(paddings: paddings).inferTypes([operands[0], operands[1]])  // (C1)-(C23)
    let padding = operands[2]
    guard padding.elementType.isInteger, padding.dimensions == [Extent(window.count), 2] else {  // (C4)
      throw OpError("the padding of dynamic_conv is a tensor<\(window.count)x2xi64>, not \(padding)")
    }
    guard resultType.rank == inferred[0].rank else {  // (C26)
      throw OpError("dynamic_conv over \(window.count) dimensions does not have the result \(resultType)")
    }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let convolution = convolution(paddings: operands[2].scalars.map { Int($0.integerValue) })
    let types = try convolution.inferTypes([operands[0].type, operands[1].type])
    return try convolution.evaluate([operands[0], operands[1]], results: types, in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    for d in window.indices { copy.window[d].extent = replacement(window[d].extent) }
    copy.resultType = resultType.mappingExtents(replacement)
    return .dynamicConv(copy)
  }
}

extension DynamicConv {
  static let text = TextForm("stablehlo.dynamic_conv", nil) { (reader) throws(OpError) in
    let (dimensions, window) = try reader.convolution()
    return .dynamicConv(
      DynamicConv(
        window: window, dimensionNumbers: dimensions,
        featureGroupCount: try reader.integer("feature_group_count", default: 1),
        batchGroupCount: try reader.integer("batch_group_count", default: 1), resultType: try reader.result()))
  } write: { op, writer in
    guard case .dynamicConv(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.conv", body: op.dimensionNumbers.text))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("lhs_dilation", integers: op.window.map(\.baseDilation))
    writer.set("rhs_dilation", integers: op.window.map(\.windowDilation))
    writer.set("window_reversal", booleans: op.window.map(\.isReversed))
    writer.set("feature_group_count", .integer(Int64(op.featureGroupCount)))
    writer.set("batch_group_count", .integer(Int64(op.batchGroupCount)))
  }
}
