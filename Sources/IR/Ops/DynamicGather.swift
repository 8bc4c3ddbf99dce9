/// `gather` of slices whose extents an operand gives (StableHLO spec, "dynamic_gather").
///
/// Operands: the operand, the start indices, the slices' extents.
public struct DynamicGather: OpDefinition {
  public var offsetDims: [Int]
  public var collapsedSliceDims: [Int]
  public var operandBatchingDims: [Int]
  public var startIndicesBatchingDims: [Int]
  public var startIndexMap: [Int]
  public var indexVectorDim: Int
  public var indicesAreSorted: Bool
  public var resultType: TensorType

  public init(
    offsetDims: [Int], collapsedSliceDims: [Int] = [], operandBatchingDims: [Int] = [],
    startIndicesBatchingDims: [Int] = [], startIndexMap: [Int], indexVectorDim: Int, indicesAreSorted: Bool = false,
    resultType: TensorType
  ) {
    self.offsetDims = offsetDims
    self.collapsedSliceDims = collapsedSliceDims
    self.operandBatchingDims = operandBatchingDims
    self.startIndicesBatchingDims = startIndicesBatchingDims
    self.startIndexMap = startIndexMap
    self.indexVectorDim = indexVectorDim
    self.indicesAreSorted = indicesAreSorted
    self.resultType = resultType
  }

  public var mnemonic: String { "stablehlo.dynamic_gather" }
  public var op: Op { .dynamicGather(self) }

  /// The gather of slices with these extents.
  public func gather(sliceExtents: [Extent]) -> Gather {
    Gather(
      offsetDims: offsetDims, collapsedSliceDims: collapsedSliceDims, operandBatchingDims: operandBatchingDims,
      startIndicesBatchingDims: startIndicesBatchingDims, startIndexMap: startIndexMap,
      indexVectorDim: indexVectorDim, sliceExtents: sliceExtents, indicesAreSorted: indicesAreSorted)
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 3)
    let x = operands[0]
    try requireShapeOperand(operands[2], named: "slice_sizes", count: x.rank)  // (C11)
    // Slices of one element satisfy every rule about extents, so that the rules about dimensions are left.
    let ones = [Extent](repeating: .one, count: x.rank)
    let slices = try gather(sliceExtents: ones).inferTypes([x, operands[1]])  // (C1)-(C7), (C9), (C10)
    guard resultType.rank == slices[0].rank else {  // (C13)
      throw OpError("dynamic_gather has a result of rank \(slices[0].rank), not \(resultType.detailedDescription)")
    }
    guard resultType.elementType == x.elementType else {  // (C14)
      throw OpError("dynamic_gather keeps the element type: \(x) does not become \(resultType)")
    }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let gather = gather(sliceExtents: try extents(operands[2]).map { Extent($0) })
    let types = try gather.inferTypes([operands[0].type, operands[1].type])  // (C8), (C12)
    return try gather.evaluate([operands[0], operands[1]], results: types, in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.resultType = resultType.mappingExtents(replacement)
    return .dynamicGather(copy)
  }
}

extension DynamicGather {
  static let text = TextForm("stablehlo.dynamic_gather", nil) { (reader) throws(OpError) in
    let body = try reader.body("dimension_numbers")
    return .dynamicGather(
      DynamicGather(
        offsetDims: try reader.integers(body, "offset_dims"),
        collapsedSliceDims: try reader.integers(body, "collapsed_slice_dims"),
        operandBatchingDims: try reader.integers(body, "operand_batching_dims"),
        startIndicesBatchingDims: try reader.integers(body, "start_indices_batching_dims"),
        startIndexMap: try reader.integers(body, "start_index_map"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false), resultType: try reader.result()))
  } write: { op, writer in
    guard case .dynamicGather(let op) = op else { return }
    let body = DialectBody(
      dimensionNumbers: [
        ("offset_dims", op.offsetDims), ("collapsed_slice_dims", op.collapsedSliceDims),
        ("operand_batching_dims", op.operandBatchingDims),
        ("start_indices_batching_dims", op.startIndicesBatchingDims), ("start_index_map", op.startIndexMap),
      ], indexVectorDim: op.indexVectorDim)
    writer.set("dimension_numbers", .dialect("stablehlo.gather", body: body.text))
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
  }
}
