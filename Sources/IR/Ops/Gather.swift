/// Slices of the operand, collected from the places that an index tensor names (StableHLO spec, "gather").
///
/// Operands: the operand, then the start indices. A start from which a slice would leave the operand is moved.
public struct Gather: OpDefinition {
  /// The result's dimensions that run over a slice.
  public var offsetDims: [Int]
  /// The operand's dimensions that a slice has only one element of and the result lacks.
  public var collapsedSliceDims: [Int]
  public var operandBatchingDims: [Int]
  public var startIndicesBatchingDims: [Int]
  /// For each component of a start index, the operand's dimension it belongs to.
  public var startIndexMap: [Int]
  /// The dimension of the indices that holds a start index's components; the rank where each is one number.
  public var indexVectorDim: Int
  public var sliceExtents: [Extent]
  public var indicesAreSorted: Bool

  public init(
    offsetDims: [Int], collapsedSliceDims: [Int] = [], operandBatchingDims: [Int] = [],
    startIndicesBatchingDims: [Int] = [], startIndexMap: [Int], indexVectorDim: Int, sliceExtents: [Extent],
    indicesAreSorted: Bool = false
  ) {
    self.offsetDims = offsetDims
    self.collapsedSliceDims = collapsedSliceDims
    self.operandBatchingDims = operandBatchingDims
    self.startIndicesBatchingDims = startIndicesBatchingDims
    self.startIndexMap = startIndexMap
    self.indexVectorDim = indexVectorDim
    self.sliceExtents = sliceExtents
    self.indicesAreSorted = indicesAreSorted
  }

  public var mnemonic: String { "stablehlo.gather" }
  public var op: Op { .gather(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (x, indices) = (operands[0], operands[1])
    guard indices.elementType.isInteger else { throw OpError("gather takes integer indices, not \(indices)") }
    let removed = collapsedSliceDims + operandBatchingDims
    guard x.rank == offsetDims.count + removed.count else {  // (C1)
      throw OpError(
        "offset_dims \(offsetDims), collapsed_slice_dims \(collapsedSliceDims) and operand_batching_dims"
          + " \(operandBatchingDims) do not name each dimension of \(x) once")
    }
    guard indexVectorDim >= 0, indexVectorDim <= indices.rank else {  // (C2)
      throw OpError("index_vector_dim \(indexVectorDim) is neither a dimension of \(indices) nor its rank")
    }
    let components = indexVectorDim < indices.rank ? indices.dimensions[indexVectorDim] : .one
    guard components == Extent(startIndexMap.count) else {  // (C3)
      throw OpError("start_index_map \(startIndexMap) does not place the \(components) components of a start index")
    }
    try requireAscending(offsetDims, "offset_dims")  // (C4)
    let resultRank = indices.rank - (indexVectorDim < indices.rank ? 1 : 0) + offsetDims.count
    try requireDimensions(offsetDims, "offset_dims", rank: resultRank)  // (C5)
    guard removed.isDistinct else {  // (C6)
      throw OpError(
        "collapsed_slice_dims \(collapsedSliceDims) and operand_batching_dims \(operandBatchingDims) name one"
          + " dimension twice")
    }
    try requireAscending(collapsedSliceDims, "collapsed_slice_dims")  // (C7)
    try requireDimensions(collapsedSliceDims, "collapsed_slice_dims", rank: x.rank)  // (C8)
    try requireAscending(operandBatchingDims, "operand_batching_dims")  // (C10)
    try requireDimensions(operandBatchingDims, "operand_batching_dims", rank: x.rank)  // (C11)
    try requireBatching(
      operandBatchingDims, of: x, with: startIndicesBatchingDims, of: indices, indexVectorDim: indexVectorDim,
      names: ("operand_batching_dims", "start_indices_batching_dims"))  // (C13)-(C17)
    guard (startIndexMap + operandBatchingDims).isDistinct else {  // (C18)
      throw OpError(
        "start_index_map \(startIndexMap) and operand_batching_dims \(operandBatchingDims) name one dimension twice")
    }
    try requireDimensions(startIndexMap, "start_index_map", rank: x.rank)  // (C19)
    guard sliceExtents.count == x.rank else {  // (C20)
      throw OpError("slice_sizes \(sliceExtents) do not fit the \(x.rank) dimensions of \(x)")
    }
    for d in removed where sliceExtents[d].isSurelyGreater(than: .one) {  // (C9), (C12)
      throw OpError("a slice has \(sliceExtents[d]) elements along dimension \(d), which the result lacks")
    }
    for (d, extent) in sliceExtents.enumerated()
    where extent.isSurelyNegative || extent.isSurelyGreater(than: x.dimensions[d]) {  // (C21)
      throw OpError("a slice of \(extent) elements leaves dimension \(d) of \(x.detailedDescription)")
    }
    var shape = [Extent](repeating: .zero, count: resultRank)  // (C22)
    for (place, d) in zip(batchDims(resultRank: resultRank), indexDims(rank: indices.rank)) {
      shape[place] = indices.dimensions[d]
    }
    for (place, d) in zip(offsetDims, keptDims(rank: x.rank)) { shape[place] = sliceExtents[d] }
    return [TensorType(x.elementType, shape)]  // (C23)
  }

  /// The result's dimensions that run over start indices.
  private func batchDims(resultRank: Int) -> [Int] { (0..<resultRank).filter { !offsetDims.contains($0) } }

  /// The dimensions of the indices that run over start indices, in the order of the result's.
  private func indexDims(rank: Int) -> [Int] { (0..<rank).filter { $0 != indexVectorDim } }

  /// The operand's dimensions that the result has, in the order of `offsetDims`.
  private func keptDims(rank: Int) -> [Int] {
    (0..<rank).filter { !collapsedSliceDims.contains($0) && !operandBatchingDims.contains($0) }
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    zip(sliceExtents, operands[0].dimensions).orders  // (C21)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, indices) = (operands[0], operands[1])
    let shape = results[0].dimensions.compactMap(\.fixed)
    let batch = Array(zip(batchDims(resultRank: shape.count), indexDims(rank: indices.type.rank)))
    let offsets = Array(zip(offsetDims, keptDims(rank: x.type.rank)))
    let batching = Array(zip(operandBatchingDims, startIndicesBatchingDims))
    var last: [Int] = []
    for (d, extent) in sliceExtents.enumerated() { last.append(x.dimensions[d] - (try context.value(of: extent))) }
    // Where nothing is read nothing is left.
    guard shape.contains(0) || last.allSatisfy({ $0 >= 0 }) else {
      throw OpError("slices of \(sliceExtents) leave \(x.type)")
    }
    return [
      x.moved(to: shape) { index in
        var start = [Int](repeating: 0, count: indices.type.rank)
        for (place, d) in batch { start[d] = index[place] }
        var source = [Int](repeating: 0, count: x.type.rank)
        for (component, d) in startIndexMap.enumerated() {
          if indexVectorDim < start.count { start[indexVectorDim] = component }
          source[d] = min(max(indices.index(at: indices.position(of: start)), 0), last[d])
        }
        for (d, batchDim) in batching { source[d] = start[batchDim] }
        for (place, d) in offsets { source[d] += index[place] }
        return x.position(of: source)
      }
    ]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    let (x, indices) = (operands[0], operands[1])
    var start = [IntegerExpression](repeating: .zero, count: indices.rank)
    for (place, d) in zip(batchDims(resultRank: results[0].rank), indexDims(rank: indices.rank)) {
      start[d] = indices.dimensions[d] == .one ? .zero : .variable(place)
    }
    var index = [IntegerExpression](repeating: .zero, count: x.rank)
    for (component, d) in startIndexMap.enumerated() {
      if indexVectorDim < indices.rank { start[indexVectorDim] = IntegerExpression(component) }
      let element = IntegerExpression(.element(operand: 1, index: start))
      index[d] = element.clamped(to: x.dimensions[d] - sliceExtents[d])
    }
    for (d, batchDim) in zip(operandBatchingDims, startIndicesBatchingDims) { index[d] = start[batchDim] }
    for (place, d) in zip(offsetDims, keptDims(rank: x.rank)) where sliceExtents[d] != .one {
      index[d] += .variable(place)
    }
    return .movement(Movement(index))
  }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.sliceExtents = sliceExtents.map(replacement)
    return .gather(copy)
  }
}

extension OpDefinition {
  /// Throws unless the numbers ascend and differ.
  func requireAscending(_ dimensions: [Int], _ name: String) throws(OpError) {
    guard dimensions.isDistinct, dimensions.isAscending else {
      throw OpError("\(name) \(dimensions) do not ascend")
    }
  }

  func requireDimensions(_ dimensions: [Int], _ name: String, rank: Int) throws(OpError) {
    guard dimensions.areDimensions(ofRank: rank) else {
      throw OpError("\(name) \(dimensions) leave the \(rank) dimensions")
    }
  }

  /// Throws unless the batching dimensions of an operand and of its indices pair up: gather's (C13)-(C17).
  func requireBatching(
    _ dimensions: [Int], of x: TensorType, with indexDimensions: [Int], of indices: TensorType, indexVectorDim: Int,
    names: (String, String)
  ) throws(OpError) {
    guard indexDimensions.isDistinct else {
      throw OpError("\(names.1) \(indexDimensions) name one dimension twice")
    }
    try requireDimensions(indexDimensions, names.1, rank: indices.rank)
    guard !indexDimensions.contains(indexVectorDim) else {
      throw OpError("\(names.1) \(indexDimensions) name index_vector_dim \(indexVectorDim)")
    }
    guard dimensions.count == indexDimensions.count else {
      throw OpError("\(names.0) \(dimensions) and \(names.1) \(indexDimensions) do not pair up")
    }
    for (d, i) in zip(dimensions, indexDimensions) where x.dimensions[d] != indices.dimensions[i] {
      throw OpError(
        "batching dimensions differ: \(x.dimensions[d]) of \(x.detailedDescription) and \(indices.dimensions[i]) of"
          + " \(indices.detailedDescription)")
    }
  }
}

extension Gather {
  static let text = TextForm("stablehlo.gather", nil) { (reader) throws(OpError) in
    let body = try reader.body("dimension_numbers")
    return .gather(
      Gather(
        offsetDims: try reader.integers(body, "offset_dims"),
        collapsedSliceDims: try reader.integers(body, "collapsed_slice_dims"),
        operandBatchingDims: try reader.integers(body, "operand_batching_dims"),
        startIndicesBatchingDims: try reader.integers(body, "start_indices_batching_dims"),
        startIndexMap: try reader.integers(body, "start_index_map"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        sliceExtents: try reader.extents("slice_sizes"),
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false)))
  } write: { op, writer in
    guard case .gather(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.gather", body: op.dimensionNumbersText))
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
    writer.set("slice_sizes", extents: op.sliceExtents)
  }

  /// The fields of `#stablehlo.gather<…>`.
  private var dimensionNumbersText: String {
    DialectBody(
      dimensionNumbers: [
        ("offset_dims", offsetDims), ("collapsed_slice_dims", collapsedSliceDims),
        ("operand_batching_dims", operandBatchingDims), ("start_indices_batching_dims", startIndicesBatchingDims),
        ("start_index_map", startIndexMap),
      ], indexVectorDim: indexVectorDim
    ).text
  }
}
