import IR

extension Schedule {
  /// A matrix product in tiles of work-groups, what follows the product done on registers; where few tiles have a long
  /// depth, parts of it are summed apart and added by a second kernel.
  static let groupContraction = Schedule("contraction by groups") { request in
    guard request.anchor == .contraction, let device = request.target.workGroups,
      let product = GroupContraction(request, device)
    else { return nil }
    return product.scheduled()
  }
}

/// A `dot_general` for a machine with work-groups.
private struct GroupContraction {
  let request: SchedulingRequest
  let anchor: ValueID
  let contraction: Contraction
  let epilogue: Epilogue
  let lhs: ValueID
  let rhs: ValueID
  let batch: [Extent]
  let rows: [Extent]
  let columns: [Extent]
  let depth: [Extent]
  let device: WorkGroups
  let shape: ProductShape

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    guard let (anchor, dot) = body.onlyDotGeneral, let epilogue = Epilogue(of: anchor, in: body) else { return nil }
    self.request = request
    self.anchor = anchor
    contraction = dot.dimensions
    self.epilogue = epilogue
    lhs = body[anchor].operands[0]
    rhs = body[anchor].operands[1]
    let (x, y) = (body.type(of: lhs), body.type(of: rhs))
    let type = ElementLowering.sumType(dot.resultType)
    guard !type.isComplex, !type.isBoolean, type.bitWidth >= 8, x.elementType.isExecutable, y.elementType.isExecutable
    else { return nil }
    batch = contraction.lhsBatching.map { x.dimensions[$0] }
    rows = contraction.lhsFree(rank: x.rank).map { x.dimensions[$0] }
    columns = contraction.rhsFree(rank: y.rank).map { y.dimensions[$0] }
    depth = contraction.lhsContracting.map { x.dimensions[$0] }
    func count(_ extents: [Extent]) -> Extent { extents.reduce(.one) { $0 * $1 } }
    let extents = ProductExtents(rows: count(rows), columns: count(columns), depth: count(depth))
    // Products over few elements are no more than arithmetic.
    if extents.depth.fixed.map({ $0 < 8 }) ?? false { return nil }
    let isColumnContiguous = y.rank > 0 && contraction.rhsContracting.last == y.rank - 1
    shape = ProductShape(
      extents: extents, depth: depth, batch: count(batch), left: x.elementType, right: y.elementType, sum: type,
      isRowContiguous: x.rank > 0 && contraction.lhsContracting.last == x.rank - 1,
      isColumnContiguous: isColumnContiguous, areColumnsNeighbours: isColumnContiguous, hasWindow: false)
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
      product: product, request: request, anchor: anchor, epilogue: epilogue, operands: [lhs, rhs], index: index)
    return kernels.steps(
      in: &scheduled, row: { row(pieces, &$0, &$1, $2, $3, $4, $5) },
      column: { column(pieces, &$0, &$1, $2, $3, $4, $5) })
  }

  /// The anchor's index of a batch, a row and a column.
  private func index(
    _ batchNumber: IntegerExpression, _ row: IntegerExpression, _ column: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    b.unflattened(batchNumber, in: batch) + b.unflattened(row, in: rows) + b.unflattened(column, in: columns)
  }

  /// The left operand's element, or those of a piece.
  private func row(
    _ pieces: DepthPieces?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place,
    _ row: IntegerExpression, _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    let rank = body.type(of: lhs).rank
    var at = [IntegerExpression](repeating: .zero, count: rank)
    for (d, i) in zip(contraction.lhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
    for (d, i) in zip(contraction.lhsFree(rank: rank), b.unflattened(row, in: rows)) { at[d] = i }
    return element(of: lhs, at, contraction.lhsContracting, pieces, shape.isRowContiguous, step, mask, &lowering, &b)
  }

  /// The right operand's element, or those of a piece.
  private func column(
    _ pieces: DepthPieces?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place,
    _ column: IntegerExpression, _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    let rank = body.type(of: rhs).rank
    var at = [IntegerExpression](repeating: .zero, count: rank)
    for (d, i) in zip(contraction.rhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
    for (d, i) in zip(contraction.rhsFree(rank: rank), b.unflattened(column, in: columns)) { at[d] = i }
    return element(
      of: rhs, at, contraction.rhsContracting, pieces, shape.isColumnContiguous, step, mask, &lowering, &b)
  }

  private func element(
    of operand: ValueID, _ line: [IntegerExpression], _ contracting: [Int], _ pieces: DepthPieces?,
    _ isContiguous: Bool, _ step: IntegerExpression, _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    func read(
      _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ steps: [IntegerExpression], _ mask: Register?
    ) -> Register {
      var at = line
      for (d, i) in zip(contracting, steps) { at[d] = i }
      return lowering.element(of: operand, at: at, mask: mask, in: &b)
    }
    guard let pieces else { return read(&lowering, &b, b.unflattened(step, in: depth), mask) }
    return pieces.elements(of: step, isContiguous: isContiguous, mask: mask, &lowering, &b, read)
  }
}
