/// Sums of products of a kernel with the windows of an operand (StableHLO spec, "convolution").
public struct Convolution: OpDefinition {
  /// Where batch, feature and space lie in operand, kernel and result.
  public struct DimensionNumbers: Hashable, Sendable {
    public var inputBatch: Int
    public var inputFeature: Int
    public var inputSpatial: [Int]
    public var kernelInputFeature: Int
    public var kernelOutputFeature: Int
    public var kernelSpatial: [Int]
    public var outputBatch: Int
    public var outputFeature: Int
    public var outputSpatial: [Int]

    public init(
      inputBatch: Int, inputFeature: Int, inputSpatial: [Int], kernelInputFeature: Int, kernelOutputFeature: Int,
      kernelSpatial: [Int], outputBatch: Int, outputFeature: Int, outputSpatial: [Int]
    ) {
      self.inputBatch = inputBatch
      self.inputFeature = inputFeature
      self.inputSpatial = inputSpatial
      self.kernelInputFeature = kernelInputFeature
      self.kernelOutputFeature = kernelOutputFeature
      self.kernelSpatial = kernelSpatial
      self.outputBatch = outputBatch
      self.outputFeature = outputFeature
      self.outputSpatial = outputSpatial
    }

    /// The operand's dimensions as batch, space and feature.
    public var inputOrder: [Int] { [inputBatch] + inputSpatial + [inputFeature] }

    /// The result's dimensions as batch, space and feature.
    public var outputOrder: [Int] { [outputBatch] + outputSpatial + [outputFeature] }
  }

  /// One for each spatial dimension, in the order of `dimensionNumbers`; extents are the kernel's.
  public var window: [WindowDimension]
  public var dimensionNumbers: DimensionNumbers
  public var featureGroupCount: Int
  public var batchGroupCount: Int
  public var resultType: ElementType

  public init(
    window: [WindowDimension], dimensionNumbers: DimensionNumbers, featureGroupCount: Int = 1,
    batchGroupCount: Int = 1, resultType: ElementType
  ) {
    self.window = window
    self.dimensionNumbers = dimensionNumbers
    self.featureGroupCount = featureGroupCount
    self.batchGroupCount = batchGroupCount
    self.resultType = resultType
  }

  public var mnemonic: String { "stablehlo.convolution" }
  public var op: Op { .convolution(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (x, kernel, d) = (operands[0], operands[1], dimensionNumbers)
    let rank = window.count + 2
    guard x.rank == rank, kernel.rank == rank else {  // (C1), (C2)
      throw OpError(
        "a convolution over \(window.count) dimensions needs operands of rank \(rank), not \(x) and \(kernel)")
    }
    let lists = [
      [d.inputBatch, d.inputFeature] + d.inputSpatial,
      [d.kernelInputFeature, d.kernelOutputFeature] + d.kernelSpatial,
      [d.outputBatch, d.outputFeature] + d.outputSpatial,
    ]
    for list in lists where list.sorted() != Array(0..<rank) {  // (C13), (C18), (C20)
      throw OpError("dimension numbers \(list) are not a permutation of \(rank) dimensions")
    }
    guard featureGroupCount >= 1, batchGroupCount >= 1 else {  // (C21), (C22)
      throw OpError("group counts \(featureGroupCount) and \(batchGroupCount) are not positive")
    }
    guard featureGroupCount == 1 || batchGroupCount == 1 else {  // (C23)
      throw OpError("feature groups and batch groups cannot both be more than one")
    }
    let inputFeatures = x.dimensions[d.inputFeature]
    guard kernel.dimensions[d.kernelInputFeature] * featureGroupCount == inputFeatures else {  // (C14)
      throw OpError(
        "a kernel \(kernel) in \(featureGroupCount) groups does not fit \(inputFeatures) input features of \(x)")
    }
    let outputFeatures = kernel.dimensions[d.kernelOutputFeature]
    if let features = outputFeatures.fixed {
      guard features % featureGroupCount == 0, features % batchGroupCount == 0 else {  // (C15), (C16)
        throw OpError("\(features) output features do not fall into groups")
      }
    }
    if let batches = x.dimensions[d.inputBatch].fixed, batches % batchGroupCount != 0 {  // (C10)
      throw OpError("\(batches) batches of \(x) do not fall into \(batchGroupCount) groups")
    }
    var shape = [Extent](repeating: .zero, count: rank)
    shape[d.outputBatch] = x.dimensions[d.inputBatch].floorDivided(by: Extent(batchGroupCount))
    shape[d.outputFeature] = outputFeatures
    for (position, dimension) in window.enumerated() {
      guard dimension.stride > 0, dimension.baseDilation > 0, dimension.windowDilation > 0 else {  // (C4), (C7), (C9)
        throw OpError("strides and dilations of a window are positive")
      }
      guard kernel.dimensions[d.kernelSpatial[position]] == dimension.extent else {
        throw OpError("the window's extents are not those of the kernel \(kernel)")
      }
      let base = x.dimensions[d.inputSpatial[position]]
      try dimension.requireReach(base: base)
      shape[d.outputSpatial[position]] = dimension.outputExtent(base: base)
    }
    return [TensorType(resultType, shape)]  // (C25)-(C27)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, kernel, d) = (operands[0], operands[1], dimensionNumbers)
    let (xs, ks) = (x.scalars, kernel.scalars)
    let shape = results[0].dimensions.compactMap(\.fixed)
    let groupInputs = kernel.dimensions[d.kernelInputFeature]
    let outputFeatures = kernel.dimensions[d.kernelOutputFeature]
    let outputsPerGroup = max(1, outputFeatures / featureGroupCount)
    let outputsPerBatchGroup = max(1, outputFeatures / batchGroupCount)
    let batch = x.dimensions[d.inputBatch] / batchGroupCount
    let taps = Array(allIndices(d.kernelSpatial.map { kernel.dimensions[$0] }))
    return [
      Literal.gathering(resultType, shape) { index in
        var sum = Accumulator(resultType)
        let feature = index[d.outputFeature]
        var i = [Int](repeating: 0, count: x.type.rank)
        var k = [Int](repeating: 0, count: kernel.type.rank)
        i[d.inputBatch] = index[d.outputBatch] + (batchGroupCount > 1 ? feature / outputsPerBatchGroup * batch : 0)
        k[d.kernelOutputFeature] = feature
        for tap in taps {
          guard place(tap, index, extents: x.dimensions, &i, &k) else { continue }
          for channel in 0..<groupInputs {
            i[d.inputFeature] = feature / outputsPerGroup * groupInputs + channel
            if featureGroupCount == 1 { i[d.inputFeature] = channel }
            k[d.kernelInputFeature] = channel
            sum.add(product: xs[x.position(of: i)], ks[kernel.position(of: k)])
          }
        }
        return sum.value
      }
    ]
  }

  /// Sets the spatial parts of both indices for one tap; false where it falls on padding or into a hole.
  private func place(_ tap: [Int], _ index: [Int], extents: [Int], _ i: inout [Int], _ k: inout [Int]) -> Bool {
    let d = dimensionNumbers
    for (position, w) in window.enumerated() {
      let dilated = index[d.outputSpatial[position]] * w.stride + tap[position] * w.windowDilation - w.paddingLow
      guard dilated >= 0, dilated % w.baseDilation == 0 else { return false }
      let source = dilated / w.baseDilation
      guard source < extents[d.inputSpatial[position]] else { return false }
      i[d.inputSpatial[position]] = source
      let last = (w.extent.fixed ?? 1) - 1
      k[d.kernelSpatial[position]] = w.isReversed ? last - tap[position] : tap[position]
    }
    return true
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .window(.convolution(self)) }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    for position in window.indices { copy.window[position].extent = replacement(window[position].extent) }
    return .convolution(copy)
  }
}

extension Convolution {
  static let text = TextForm(
    "stablehlo.convolution", "convolution attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let (dimensions, window) = try reader.convolution()
    return .convolution(
      Convolution(
        window: window, dimensionNumbers: dimensions,
        featureGroupCount: try reader.integer("feature_group_count", default: 1),
        batchGroupCount: try reader.integer("batch_group_count", default: 1),
        resultType: try reader.result().elementType))
  } write: { op, writer in
    guard case .convolution(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.conv", body: op.dimensionNumbers.text))
    writer.set(window: op.window)
    writer.set("feature_group_count", .integer(Int64(op.featureGroupCount)))
    writer.set("batch_group_count", .integer(Int64(op.batchGroupCount)))
  }
}
