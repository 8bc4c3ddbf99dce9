import IR

/// A `dot_general` as batches of a product of a matrix of rows with a matrix of columns.
struct MatrixProduct {
  let request: SchedulingRequest
  let anchor: ValueID
  let epilogue: Epilogue
  /// Whether the operands change places, so that a product with one column is one with one row.
  let isTurned: Bool
  let contraction: Contraction
  let lhs: ValueID
  let rhs: ValueID
  let batch: [Extent]
  let rows: [Extent]
  let columns: [Extent]
  let depth: [Extent]
  /// In what products are summed.
  let sumType: ElementType
  /// How words are multiplied where the operands are narrow numbers: then the depth is walked in words of them.
  let words: WordProduct?
  let lanes: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let (anchor, dot) = body.onlyDotGeneral, let epilogue = Epilogue(of: anchor, in: body) else { return nil }
    self.request = request
    self.anchor = anchor
    self.epilogue = epilogue
    let operands = body[anchor].operands
    func count(_ dimensions: [Int], _ operand: Int) -> Extent {
      dimensions.reduce(.one) { $0 * body.type(of: operands[operand]).dimensions[$1] }
    }
    let (rowDimensions, columnDimensions) = (
      dot.dimensions.lhsFree(rank: body.type(of: operands[0]).rank),
      dot.dimensions.rhsFree(rank: body.type(of: operands[1]).rank)
    )
    isTurned = count(columnDimensions, 1) == .one && count(rowDimensions, 0) != .one
    contraction = isTurned ? dot.dimensions.turned : dot.dimensions
    (lhs, rhs) = isTurned ? (operands[1], operands[0]) : (operands[0], operands[1])
    let (x, y) = (body.type(of: lhs), body.type(of: rhs))
    let sum = ElementLowering.sumType(dot.resultType)
    let words = WordProduct(x.elementType, y.elementType, sum: sum, request.target)
    if case .bytes = words { sumType = .i32 } else { sumType = sum }
    guard Self.isMultiplied(x.elementType, y.elementType, sumType) else { return nil }
    lanes = request.target.lanes(byteCount: sumType.byteCount)
    batch = contraction.lhsBatching.map { x.dimensions[$0] }
    rows = contraction.lhsFree(rank: x.rank).map { x.dimensions[$0] }
    columns = contraction.rhsFree(rank: y.rank).map { y.dimensions[$0] }
    depth = contraction.lhsContracting.map { x.dimensions[$0] }
    let isPacked = rows.reduce(.one, *).fixed ?? .max >= Self.convertedRowCount
    self.words = isPacked ? words?.packed(request.target) : words
    // With one column the vectors would hold one element each.
    if lanes == 1 || columnCount == .one { return nil }
  }

  /// Whether vectors of sums of the type are what the processor computes with.
  private static func isMultiplied(_ x: ElementType, _ y: ElementType, _ sum: ElementType) -> Bool {
    guard x.isExecutable, y.isExecutable else { return false }
    switch sum {
    case .f32, .f64: return x.isFloat && y.isFloat
    case .i32, .ui32, .i64, .ui64: return x.isInteger && y.isInteger
    default: return false
    }
  }

  var rowCount: Extent { rows.reduce(.one) { $0 * $1 } }
  var columnCount: Extent { columns.reduce(.one) { $0 * $1 } }
  var depthCount: Extent { depth.reduce(.one) { $0 * $1 } }
  var batchCount: Extent { batch.reduce(.one) { $0 * $1 } }

  /// The depth in words, where it is walked in such.
  var pieces: DepthPieces? { words.map { DepthPieces(extents: depth, length: $0.length) } }
  /// The loops over the depth.
  var steps: [Extent] { pieces.map { [$0.count] } ?? depth }
  var stepCount: Extent { steps.reduce(.one) { $0 * $1 } }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    switch (unpackedForm, rowCount.fixed) {
    case (nil, _): scheduled.append(packed(&scheduled))
    case (let form?, nil):
      let many = packed(&scheduled)
      let few = launches(form, &scheduled)
      scheduled.steps = [
        .choice(
          .atLeast(rowCount, Self.packedRowCount), then: many.map { .launch($0) },
          otherwise: few.map { .launch($0) })
      ]
    case (let form?, _): scheduled.append(launches(form, &scheduled))
    }
    offerTiles(&scheduled)
    return scheduled
  }

  /// With so many rows it pays to read columns of bytes as 16-bit integers, which are twice as long.
  private static let convertedRowCount = 16

  // MARK: Few rows

  /// With so many rows the right operand is packed: reading and writing it takes less than it saves.
  private static let packedRowCount = 32

  /// How the right operand is read where it is.
  private enum UnpackedForm {
    /// Vectors lie along the columns.
    case columns
    /// Vectors lie along the depth.
    case dots
  }

  /// Nil where the right operand is packed already, there are rows enough to pay for packing, or vectors of it lie along neither
  /// columns nor depth.
  private var unpackedForm: UnpackedForm? {
    if let rows = rowCount.fixed, rows >= Self.packedRowCount { return nil }
    if case .parameter(let parameter) = request.body[rhs].op, request.isConstant[parameter.index] { return nil }
    if words != nil { return nil }
    if isContiguous(rhs, along: contraction.rhsFree(rank: request.body.type(of: rhs).rank)) { return .columns }
    return isContiguous(rhs, along: contraction.rhsContracting) ? .dots : nil
  }

  private func launches(_ form: UnpackedForm, _ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Launch] {
    switch form {
    case .columns where isAddedInLines: return [lines()]
    case .columns:
      let tiling = Tiling(self, rows: rowCount.fixed ?? 1)
      let (launches, left) = readLeft(panels: tiling.panelCount, &scheduled)
      return launches + [tiles(tiling, left, .inPlace)]
    case .dots:
      let isAlong = isContiguous(lhs, along: contraction.lhsContracting)
      let (launches, left) = isAlong ? ([], .inPlace) : packLeft(&scheduled)
      return launches + [dots(left)]
    }
  }

  // MARK: Many rows

  private func packed(_ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Launch] {
    let tiling = Tiling(self, rows: rowCount.fixed)
    let (packing, right) = packRight(tiling, &scheduled)
    let (launches, left) = readLeft(panels: tiling.panelCount, &scheduled)
    return packing + launches + [tiles(tiling, left, .packed(right))]
  }

  /// How rows and columns are cut into register tiles.
  struct Tiling {
    let vectors: Int
    /// The most rows in a tile.
    let limit: Int
    /// Columns of a panel.
    let width: Int
    let panelCount: Extent

    init(_ product: MatrixProduct, rows: Int?) {
      let target = product.request.target
      vectors = Microkernel.vectors(
        columns: product.columnCount.fixed, rows: rows, pitch: product.rowPitch, lanes: product.lanes, target,
        product.words)
      limit = Microkernel.rowLimit(vectors: vectors, target, product.words)
      width = vectors * product.lanes
      panelCount = (product.columnCount + (width - 1)).floorDivided(by: Extent(width))
    }
  }

  // MARK: Tiles

  /// Puts the product in tiles beside the one in f32 where the target has them and they pay.
  private func offerTiles(_ scheduled: inout ScheduledFusion) {
    let (x, y) = (request.body.type(of: lhs), request.body.type(of: rhs))
    let extents = ProductExtents(rows: rowCount, columns: columnCount, depth: depthCount)
    guard !isTurned, let scheme = SplitScheme.scheme(x.elementType, y.elementType, request.precision, request.target)
    else { return }
    let left = ProductOperand(
      lhs, x, batch: contraction.lhsBatching, lines: contraction.lhsFree(rank: x.rank),
      depth: contraction.lhsContracting)
    let right = ProductOperand(
      rhs, y, batch: contraction.rhsBatching, lines: contraction.rhsFree(rank: y.rank),
      depth: contraction.rhsContracting)
    let rows = OperandSplitting(request, left, scheme)
    let columns = OperandSplitting(request, right, scheme)
    let splitRows = SplitRows(splitting: rows, columns: self.columns)
    let tiled = TileExtents(
      useful: extents, computed: extents, splitPerRow: depthCount, blockByteCount: splitRows.blockByteCount)
    let strict = scheduled.steps
    guard let conditions = scheme.conditions(tiled, request.target),
      let (columnSteps, columnParts, columnScales) = columns.splitColumns(&scheduled)
    else { return }
    let (rowParts, rowScales) = (scheduled.addTemporary(rows.partsType), scheduled.addTemporary(rows.scalesType))
    let flag = scheduled.addTemporary(.scalar(.i1))
    var steps = columnSteps + [.launch(rows.rows(into: rowParts, rowScales))]
    var checked = [(rowScales, rows.scalesType)]
    if let columnScales, !columnSteps.isEmpty { checked.append((columnScales, columns.scalesType)) }
    steps.append(.launch(OperandSplitting.check(checked, into: flag, request)))
    let product = TileProduct(
      request: request, anchor: anchor, epilogue: epilogue, scheme: scheme,
      rows: splitRows, columns: columns.layout, columnCount: columnCount)
    let launch = product.launch(
      TileProduct<SplitRows>.Operands(
        rows: rowParts, columns: columnParts, rowScales: rowScales, columnScales: columnScales))
    steps.append(.choice(.holds(flag), then: [.launch(launch)], otherwise: strict))
    scheduled.steps = .choosing(conditions, steps, else: strict)
  }
}

extension Contraction {
  /// The same with the operands in each other's place.
  fileprivate var turned: Contraction {
    Contraction(
      lhsBatching: rhsBatching, rhsBatching: lhsBatching, lhsContracting: rhsContracting,
      rhsContracting: lhsContracting)
  }
}
