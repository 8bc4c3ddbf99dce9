/// The inputs with slices, at the places that an index tensor names, combined with updates (StableHLO spec, "scatter").
///
/// Operands: the inputs, the indices, then as many updates as inputs. What falls outside the inputs is dropped;
/// `evaluate` takes the updates in row-major order.
public struct Scatter: OpDefinition {
  /// The updates' dimensions that run over a slice.
  public var updateWindowDims: [Int]
  /// The inputs' dimensions that a slice has only one element of and the updates lack.
  public var insertedWindowDims: [Int]
  public var inputBatchingDims: [Int]
  public var scatterIndicesBatchingDims: [Int]
  /// For each component of an index, the inputs' dimension it belongs to.
  public var scatterDimsToOperandDims: [Int]
  /// The dimension of the indices that holds an index's components; the rank where each is one number.
  public var indexVectorDim: Int
  public var indicesAreSorted: Bool
  public var uniqueIndices: Bool
  /// Parameters: the inputs' elements, then the updates'; all scalars.
  public var body: Graph

  public init(
    updateWindowDims: [Int], insertedWindowDims: [Int] = [], inputBatchingDims: [Int] = [],
    scatterIndicesBatchingDims: [Int] = [], scatterDimsToOperandDims: [Int], indexVectorDim: Int,
    indicesAreSorted: Bool = false, uniqueIndices: Bool = false, body: Graph
  ) {
    self.updateWindowDims = updateWindowDims
    self.insertedWindowDims = insertedWindowDims
    self.inputBatchingDims = inputBatchingDims
    self.scatterIndicesBatchingDims = scatterIndicesBatchingDims
    self.scatterDimsToOperandDims = scatterDimsToOperandDims
    self.indexVectorDim = indexVectorDim
    self.indicesAreSorted = indicesAreSorted
    self.uniqueIndices = uniqueIndices
    self.body = body
  }

  public var mnemonic: String { "stablehlo.scatter" }
  public var op: Op { .scatter(self) }
  public var regions: [Graph] { [body] }
  public func withRegions(_ regions: [Graph]) -> Op {
    var copy = self
    copy.body = regions[0]
    return .scatter(copy)
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.count >= 3, operands.count % 2 == 1 else {  // (C5)
      throw OpError("scatter takes inputs, indices and as many updates as inputs, not \(operands.count) operands")
    }
    let inputs = Array(operands.prefix(operands.count / 2))
    let updates = Array(operands.suffix(operands.count / 2))
    let (x, update, indices) = (inputs[0], updates[0], operands[inputs.count])
    guard indices.elementType.isInteger else { throw OpError("scatter takes integer indices, not \(indices)") }
    guard inputs.allSatisfy({ $0.dimensions == x.dimensions }) else {  // (C1)
      throw OpError("scatter needs inputs with the same dimensions")
    }
    guard updates.allSatisfy({ $0.dimensions == update.dimensions }) else {  // (C3)
      throw OpError("scatter needs updates with the same dimensions")
    }
    for (input, update) in zip(inputs, updates) where input.elementType != update.elementType {  // (C6)
      throw OpError("cannot update \(input) with elements of \(update)")
    }
    try checkDimensions(x, update, indices)
    try checkUpdateExtents(x, update, indices)
    try body.requireFold(of: inputs.map(\.elementType), in: mnemonic)  // (C23)
    return zip(inputs, body.resultTypes).map { $0.with($1.elementType) }  // (C24), (C25)
  }

  private func checkDimensions(_ x: TensorType, _ update: TensorType, _ indices: TensorType) throws(OpError) {
    let removed = insertedWindowDims + inputBatchingDims
    guard x.rank == updateWindowDims.count + removed.count else {  // (C2)
      throw OpError(
        "update_window_dims \(updateWindowDims), inserted_window_dims \(insertedWindowDims) and input_batching_dims"
          + " \(inputBatchingDims) do not name each dimension of \(x) once")
    }
    try requireAscending(updateWindowDims, "update_window_dims")  // (C7)
    try requireDimensions(updateWindowDims, "update_window_dims", rank: update.rank)  // (C8)
    guard removed.isDistinct else {  // (C9)
      throw OpError(
        "inserted_window_dims \(insertedWindowDims) and input_batching_dims \(inputBatchingDims) name one dimension"
          + " twice")
    }
    try requireAscending(insertedWindowDims, "inserted_window_dims")  // (C10)
    try requireDimensions(insertedWindowDims, "inserted_window_dims", rank: x.rank)  // (C11)
    try requireAscending(inputBatchingDims, "input_batching_dims")  // (C12)
    try requireDimensions(inputBatchingDims, "input_batching_dims", rank: x.rank)  // (C13)
    guard indexVectorDim >= 0, indexVectorDim <= indices.rank else {  // (C22)
      throw OpError("index_vector_dim \(indexVectorDim) is neither a dimension of \(indices) nor its rank")
    }
    try requireBatching(
      inputBatchingDims, of: x, with: scatterIndicesBatchingDims, of: indices, indexVectorDim: indexVectorDim,
      names: ("input_batching_dims", "scatter_indices_batching_dims"))  // (C14)-(C18)
    let components = indexVectorDim < indices.rank ? indices.dimensions[indexVectorDim] : .one
    guard components == Extent(scatterDimsToOperandDims.count) else {  // (C19)
      throw OpError(
        "scatter_dims_to_operand_dims \(scatterDimsToOperandDims) does not place the \(components) components of an"
          + " index")
    }
    guard (scatterDimsToOperandDims + inputBatchingDims).isDistinct else {  // (C20)
      throw OpError(
        "scatter_dims_to_operand_dims \(scatterDimsToOperandDims) and input_batching_dims \(inputBatchingDims) name"
          + " one dimension twice")
    }
    try requireDimensions(scatterDimsToOperandDims, "scatter_dims_to_operand_dims", rank: x.rank)  // (C21)
  }

  private func checkUpdateExtents(_ x: TensorType, _ update: TensorType, _ indices: TensorType) throws(OpError) {
    let indexDims = indexDims(rank: indices.rank)
    let scatterDims = scatterDims(updateRank: update.rank)
    let scatterExtents = indexDims.map { indices.dimensions[$0] }
    guard scatterDims.map({ update.dimensions[$0] }) == scatterExtents else {  // (C4)
      throw OpError(
        "updates \(update.detailedDescription) do not have the extents \(scatterExtents) of the indices"
          + " \(indices.detailedDescription)")
    }
    for (place, d) in zip(updateWindowDims, keptDims(rank: x.rank))
    where update.dimensions[place].isSurelyGreater(than: x.dimensions[d]) {  // (C4)
      throw OpError(
        "updates \(update.detailedDescription) leave dimension \(d) of \(x.detailedDescription)")
    }
  }

  /// The updates' dimensions that run over indices.
  public func scatterDims(updateRank: Int) -> [Int] { (0..<updateRank).filter { !updateWindowDims.contains($0) } }

  /// The dimensions of the indices that run over indices, in the order of the updates'.
  public func indexDims(rank: Int) -> [Int] { (0..<rank).filter { $0 != indexVectorDim } }

  /// The inputs' dimensions that the updates have, in the order of `updateWindowDims`.
  public func keptDims(rank: Int) -> [Int] {
    (0..<rank).filter { !insertedWindowDims.contains($0) && !inputBatchingDims.contains($0) }
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    let (x, update) = (operands[0], operands[operands.count - 1])
    let windows = zip(updateWindowDims, keptDims(rank: x.rank))
    return windows.map { ExtentOrder(update.dimensions[$0], atMost: x.dimensions[$1]) }  // (C4)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let count = operands.count / 2
    let (x, indices) = (operands[0], operands[count])
    var columns: [[Scalar]] = operands.prefix(count).map(\.scalars)
    let updates: [[Scalar]] = operands.suffix(count).map(\.scalars)
    let shape = operands[count + 1].dimensions
    let scatter = Array(zip(scatterDims(updateRank: shape.count), indexDims(rank: indices.type.rank)))
    let window = Array(zip(updateWindowDims, keptDims(rank: x.type.rank)))
    let combine = ElementFunction(body, in: context)
    var position = 0
    try forEachIndex(shape) { (index: [Int]) throws(OpError) in
      defer { position += 1 }
      var start = [Int](repeating: 0, count: indices.type.rank)
      for (place, d) in scatter { start[d] = index[place] }
      var target = [Int](repeating: 0, count: x.type.rank)
      for (component, d) in scatterDimsToOperandDims.enumerated() {
        if indexVectorDim < start.count { start[indexVectorDim] = component }
        target[d] = indices.index(at: indices.position(of: start))
      }
      for (d, batchDim) in zip(inputBatchingDims, scatterIndicesBatchingDims) { target[d] = start[batchDim] }
      for (place, d) in window { target[d] &+= index[place] }
      guard zip(target, x.dimensions).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return }
      let place = x.position(of: target)
      let combined = try combine(columns.map { $0[place] } + updates.map { $0[position] })
      for (k, value) in combined.enumerated() { columns[k][place] = value }
    }
    return zip(columns, results).map { column, type in Literal(type.elementType, x.dimensions, column) }
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .scatter }
}

extension Scatter {
  static let text = TextForm("stablehlo.scatter", nil) { (reader) throws(OpError) in
    let body = try reader.body("scatter_dimension_numbers")
    return .scatter(
      Scatter(
        updateWindowDims: try reader.integers(body, "update_window_dims"),
        insertedWindowDims: try reader.integers(body, "inserted_window_dims"),
        inputBatchingDims: try reader.integers(body, "input_batching_dims"),
        scatterIndicesBatchingDims: try reader.integers(body, "scatter_indices_batching_dims"),
        scatterDimsToOperandDims: try reader.integers(body, "scatter_dims_to_operand_dims"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false),
        uniqueIndices: try reader.boolean("unique_indices", default: false), body: try reader.region(0)))
  } write: { op, writer in
    guard case .scatter(let op) = op else { return }
    let body = DialectBody(
      dimensionNumbers: [
        ("update_window_dims", op.updateWindowDims), ("inserted_window_dims", op.insertedWindowDims),
        ("input_batching_dims", op.inputBatchingDims),
        ("scatter_indices_batching_dims", op.scatterIndicesBatchingDims),
        ("scatter_dims_to_operand_dims", op.scatterDimsToOperandDims),
      ], indexVectorDim: op.indexVectorDim)
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
    writer.set("scatter_dimension_numbers", .dialect("stablehlo.scatter", body: body.text))
    writer.set("unique_indices", .boolean(op.uniqueIndices))
  }
}
