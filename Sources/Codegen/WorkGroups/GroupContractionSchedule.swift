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
  /// The depth of a product of bytes.
  let words: DepthPieces
  let product: GroupProduct

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    let anchors = body.values.filter { if case .dotGeneral = body[$0].op { true } else { false } }
    guard anchors.count == 1, case .dotGeneral(let dot) = body[anchors[0]].op,
      let epilogue = Epilogue(of: anchors[0], in: body)
    else { return nil }
    self.request = request
    anchor = anchors[0]
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
    var extents = ProductExtents(rows: count(rows), columns: count(columns), depth: count(depth))
    // Products over few elements are no more than arithmetic.
    if extents.depth.fixed.map({ $0 < 8 }) ?? false { return nil }
    let bytes = BytePair(x.elementType, y.elementType, sum: type)
    words = DepthPieces(extents: depth, length: 4)
    if bytes != nil { extents.depth = words.count }
    let product = GroupProduct(
      extents, batch: count(batch), bytes == nil ? type : .i32, bytes: bytes,
      isRowContiguous: x.rank > 0 && contraction.lhsContracting.last == x.rank - 1,
      isColumnContiguous: y.rank > 0 && contraction.rhsContracting.last == y.rank - 1, request.target, device)
    guard let product else { return nil }
    self.product = product
  }

  private var body: Graph { request.body }

  func scheduled() -> ScheduledFusion {
    ProductKernels(
      product: product, request: request, anchor: anchor, epilogue: epilogue, operands: [lhs, rhs], index: index
    ).scheduled(row: row, column: column)
  }

  /// The anchor's index of a batch, a row and a column.
  private func index(
    _ batchNumber: IntegerExpression, _ row: IntegerExpression, _ column: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    b.unflattened(batchNumber, in: batch) + b.unflattened(row, in: rows) + b.unflattened(column, in: columns)
  }

  /// The left operand's element, or word of bytes.
  private func row(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place, _ row: IntegerExpression,
    _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    let rank = body.type(of: lhs).rank
    var at = [IntegerExpression](repeating: .zero, count: rank)
    for (d, i) in zip(contraction.lhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
    for (d, i) in zip(contraction.lhsFree(rank: rank), b.unflattened(row, in: rows)) { at[d] = i }
    return element(of: lhs, at, contraction.lhsContracting, step, mask, product.isRowContiguous, &lowering, &b)
  }

  /// The right operand's element, or word of bytes.
  private func column(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ place: GroupProduct.Place,
    _ column: IntegerExpression, _ step: IntegerExpression, _ mask: Register?
  ) -> Register {
    let rank = body.type(of: rhs).rank
    var at = [IntegerExpression](repeating: .zero, count: rank)
    for (d, i) in zip(contraction.rhsBatching, b.unflattened(place.batch, in: batch)) { at[d] = i }
    for (d, i) in zip(contraction.rhsFree(rank: rank), b.unflattened(column, in: columns)) { at[d] = i }
    return element(of: rhs, at, contraction.rhsContracting, step, mask, product.isColumnContiguous, &lowering, &b)
  }

  /// The operand's element at a line's index and a step of the depth; of bytes the word.
  private func element(
    of operand: ValueID, _ line: [IntegerExpression], _ contracting: [Int], _ step: IntegerExpression,
    _ mask: Register?, _ isContiguous: Bool, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    func read(
      _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ steps: [IntegerExpression], _ mask: Register?
    ) -> Register {
      var at = line
      for (d, i) in zip(contracting, steps) { at[d] = i }
      return lowering.element(of: operand, at: at, mask: mask, in: &b)
    }
    guard product.bytes != nil else { return read(&lowering, &b, b.unflattened(step, in: depth), mask) }
    return b.words(
      words.elements(of: step, isContiguous: isContiguous, mask: mask, &lowering, &b, read))
  }
}
