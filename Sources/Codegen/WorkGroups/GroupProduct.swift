import IR

/// Products of matrices, one for each batch, in tiles of work-groups; the matrices' elements come from where the user of
/// this finds them, and what becomes of a sum is the user's too.
struct GroupProduct {
  let extents: ProductExtents
  let batch: Extent
  let type: ElementType
  /// What the operands are where they are bytes: then the depth counts words of four of them, and elements are words.
  let bytes: BytePair?
  let tile: Tile
  /// Products in a unit of the depth.
  let stepCount: Int
  /// Parts of the depth that different groups sum.
  let splits: Int
  /// Lanes of the vectors along columns.
  let lanes: Int
  /// Whether items side by side read a row's elements one after the other along the depth, and so for a column's.
  let isRowContiguous: Bool
  let isColumnContiguous: Bool

  /// How a group multiplies its part of the matrices.
  enum Tile: Hashable {
    /// Each item elements, or words of bytes.
    case elements(GroupTile)
    /// Runs of items fragments; the depth counts pieces.
    case fragments(FragmentTile, SplitScheme)

    var rows: Int {
      switch self {
      case .elements(let tile): tile.rows
      case .fragments(let tile, _): tile.rows
      }
    }

    var columns: Int {
      switch self {
      case .elements(let tile): tile.columns
      case .fragments(let tile, _): tile.columns
      }
    }

    /// What is in local memory at once, as the depth counts.
    var depth: Int {
      switch self {
      case .elements(let tile): tile.depth
      case .fragments: FragmentTile.depth
      }
    }

    var itemCount: Int {
      switch self {
      case .elements(let tile): tile.itemCount
      case .fragments(let tile, _): tile.itemCount
      }
    }
  }

  /// Where a group computes.
  struct Place {
    var batch: IntegerExpression
    var split: IntegerExpression
    fileprivate var rowTile: IntegerExpression
    fileprivate var columnTile: IntegerExpression
  }

  /// What a unit of the depth of a row or a column holds: an element, or the elements of a piece; where the mask is false
  /// nothing is read.
  typealias Read = (
    inout ElementLowering, inout KernelBuilder, _ place: Place, _ line: IntegerExpression, _ depth: IntegerExpression,
    _ mask: Register?
  ) -> Register
  /// What becomes of the sums of a row and as many columns as there are lanes.
  typealias Write = (
    inout ElementLowering, inout KernelBuilder, _ sums: Register, _ place: Place, _ row: IntegerExpression,
    _ column: IntegerExpression, _ mask: Register?
  ) -> Void

  /// The sums of the product are fewer, where that is known of no extents.
  let limit: Int?

  /// The product in elements, or in words of bytes; nil where the device has no room for a tile.
  init?(_ shape: ProductShape, _ size: ProductSize, _ target: Target, _ device: WorkGroups) {
    let bytes = shape.bytes
    self.init(shape, depth: bytes == nil ? shape.extents.depth : shape.words.count, size, device) { cost in
      let type = bytes == nil ? shape.sum : .i32
      let loads = shape.loads(in: bytes == nil ? nil : shape.words)
      guard let (tile, parts) = GroupTile.best(cost, type, loads) else { return nil }
      return Form(
        type: type, bytes: bytes, tile: .elements(tile), stepCount: bytes == nil ? 1 : 4, parts: parts,
        lanes: min(tile.itemColumns, target.lanes(byteCount: max(4, type.byteCount))),
        isColumnContiguous: shape.isColumnContiguous)
    }
  }

  /// The product in fragments of two-byte floats, with sums of f32; its depth counts pieces.
  init?(_ shape: ProductShape, _ size: ProductSize, _ scheme: SplitScheme, _ device: WorkGroups) {
    self.init(shape, depth: shape.pieces.count, size, device) { cost in
      guard let (tile, parts) = FragmentTile.best(cost, scheme, shape.loads(in: shape.pieces)) else { return nil }
      return Form(
        type: .f32, bytes: nil, tile: .fragments(tile, scheme), stepCount: FragmentTile.steps, parts: parts, lanes: 2,
        isColumnContiguous: shape.areColumnsNeighbours)
    }
  }

  /// What elements and fragments differ in.
  private struct Form {
    var type: ElementType
    var bytes: BytePair?
    var tile: Tile
    var stepCount: Int
    var parts: Int
    var lanes: Int
    var isColumnContiguous: Bool
  }

  private init?(
    _ shape: ProductShape, depth: Extent, _ size: ProductSize, _ device: WorkGroups, _ form: (TileCost) -> Form?
  ) {
    let extents = ProductExtents(rows: shape.extents.rows, columns: shape.extents.columns, depth: depth)
    guard let form = form(TileCost(extents, batch: shape.batch, size, device)) else { return nil }
    self.extents = extents
    batch = shape.batch
    (type, bytes, tile) = (form.type, form.bytes, form.tile)
    (stepCount, splits, lanes) = (form.stepCount, form.parts, form.lanes)
    isRowContiguous = shape.isRowContiguous
    isColumnContiguous = form.isColumnContiguous
    if case .few(_, let limit) = size { self.limit = limit } else { limit = nil }
  }

  /// The depth that one group sums: a multiple of the tile's.
  private var splitDepth: Extent {
    if splits == 1 { return extents.depth }
    let steps = (extents.depth + (tile.depth * splits - 1)).floorDivided(by: Extent(tile.depth * splits))
    return steps * tile.depth
  }

  /// The partial sums, where there are some: those of each split.
  var partialType: TensorType {
    let sums = batch * extents.rows * extents.columns
    return TensorType(type, [Extent(splits), limit.map { .minimum(sums, Extent($0)) } ?? sums])
  }

  /// Where a partial sum is in memory.
  func partialPosition(
    _ split: IntegerExpression, batch: IntegerExpression, row: IntegerExpression, column: IntegerExpression
  ) -> IntegerExpression {
    let sum = ElementLowering.position(
      of: [batch, row, column], in: TensorType(type, [self.batch, extents.rows, extents.columns]))
    return split * partialType.dimensions[1] + sum
  }

  /// What its kernel is called.
  func name(_ request: SchedulingRequest) -> String {
    let stem = limit == nil ? request.name : "\(request.name)_few"
    if case .fragments = tile { return "\(stem)_fragments" }
    return stem
  }

  var taskCount: Extent { batch * splits * rowTiles * columnTiles }
  private var rowTiles: Extent { (extents.rows + (tile.rows - 1)).floorDivided(by: Extent(tile.rows)) }
  private var columnTiles: Extent { (extents.columns + (tile.columns - 1)).floorDivided(by: Extent(tile.columns)) }

  var taskCost: Extent { splitDepth * (2 * tile.rows * tile.columns * stepCount) }

  // MARK: The kernel

  /// Writes the body of the kernel; buffers and `itemCount` are there already.
  func write(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, row: Read, column: Read, store: Write
  ) {
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let parts = b.positions(of: .task, in: [batch, Extent(splits), rowTiles, columnTiles])
    let place = Place(batch: parts[0], split: parts[1], rowTile: parts[2], columnTile: parts[3])
    switch tile {
    case .elements(let tile): write(tile, place, &lowering, &b, row, column, store)
    case .fragments(let tile, let scheme): write(tile, scheme, place, &lowering, &b, row, column, store)
    }
  }

  /// The depth at which a group begins, and the one before which it ends.
  private func depth(of place: Place, _ b: inout KernelBuilder) -> (first: IntegerExpression, last: IntegerExpression) {
    let first = place.split * splitDepth
    if splits == 1 { return (first, extents.depth) }
    return (first, b.index(of: b.materialize(.minimum(first + splitDepth, extents.depth), lanes: 1)))
  }

  private func write(
    _ tile: GroupTile, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ row: Read,
    _ column: Read, _ store: Write
  ) {
    let rows = b.addShared(type, count: tile.depth * tile.rowPitch)
    let columns = b.addShared(type, count: tile.depth * tile.columns)
    let (first, last) = depth(of: place, &b)
    let steps = GroupTileSteps(tile: tile, type: type, lanes: lanes, bytes: bytes, &b)
    let isWholeDepth = extents.depth.fixed.map { $0 % tile.depth == 0 } ?? false
    let rowSide = GroupTileSteps.Side(
      memory: rows, count: tile.rows, pitch: tile.rowPitch, isContiguous: isRowContiguous,
      first: place.rowTile * tile.rows, extent: extents.rows)
    let columnSide = GroupTileSteps.Side(
      memory: columns, count: tile.columns, pitch: tile.columns, isContiguous: isColumnContiguous,
      first: place.columnTile * tile.columns, extent: extents.columns)
    let sums = b.loop(from: first, to: last, step: tile.depth, carrying: steps.zeros(&b)) { b, depth, sums in
      lowering.withScope { lowering in
        let end = isWholeDepth ? nil : last
        steps.copy(rowSide, from: depth, to: end, within: extents.depth, &lowering, &b) {
          row(&$0, &$1, place, $2, $3, $4)
        }
        steps.copy(columnSide, from: depth, to: end, within: extents.depth, &lowering, &b) {
          column(&$0, &$1, place, $2, $3, $4)
        }
      }
      b.append(.barrier)
      let next = steps.multiply(sums, rows, columns, depth: tile.depth, &b)
      b.append(.barrier)
      return next
    }
    for r in 0..<tile.itemRows {
      let row = place.rowTile * tile.rows + steps.row(r)
      for v in 0..<steps.vectors {
        let column = place.columnTile * tile.columns + steps.column(v)
        finish(sums[r * steps.vectors + v], place, row, column, store, &lowering, &b)
      }
    }
  }

  /// What is multiplied next is read while what is in local memory is multiplied.
  private func write(
    _ tile: FragmentTile, _ scheme: SplitScheme, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, _ row: Read, _ column: Read, _ store: Write
  ) {
    let steps = FragmentSteps(tile: tile, scheme: scheme, &b)
    let rows = FragmentSteps.Side(
      memory: steps.addMemory(lines: tile.rows, &b), count: tile.rows, isContiguous: isRowContiguous,
      first: place.rowTile * tile.rows, extent: extents.rows)
    let columns = FragmentSteps.Side(
      memory: steps.addMemory(lines: tile.columns, &b), count: tile.columns, isContiguous: isColumnContiguous,
      first: place.columnTile * tile.columns, extent: extents.columns)
    let (first, last) = depth(of: place, &b)
    func fetch(
      from start: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) -> (rows: [Register], columns: [Register]) {
      let rowWords = steps.fetch(rows, from: start, to: last, &lowering, &b) { row(&$0, &$1, place, $2, $3, $4) }
      let columnWords = steps.fetch(columns, from: start, to: last, &lowering, &b) {
        column(&$0, &$1, place, $2, $3, $4)
      }
      return (rowWords, columnWords)
    }
    lowering.withScope { lowering in
      let fetched = fetch(from: first, &lowering, &b)
      steps.store(fetched.rows, rows, buffer: .zero, &b)
      steps.store(fetched.columns, columns, buffer: .zero, &b)
    }
    b.append(.barrier)
    let panels = (last - first + (FragmentTile.depth - 1)).floorDivided(by: Extent(FragmentTile.depth))
    let sums = b.loop(to: panels, carrying: steps.zeros(&b)) { b, panel, sums in
      lowering.withScope { lowering in
        let fetched = fetch(from: first + (panel + 1) * FragmentTile.depth, &lowering, &b)
        let next = steps.multiply(sums, rows, columns, buffer: panel.modulo(2), &b)
        steps.store(fetched.rows, rows, buffer: (panel + 1).modulo(2), &b)
        steps.store(fetched.columns, columns, buffer: (panel + 1).modulo(2), &b)
        b.append(.barrier)
        return next
      }
    }
    steps.forEach(sums, &b) { b, pair, row, column in
      let place = (place, place.rowTile * tile.rows + row, place.columnTile * tile.columns + column)
      finish(pair, place.0, place.1, place.2, store, &lowering, &b)
    }
  }

  private func finish(
    _ sums: Register, _ place: Place, _ row: IntegerExpression, _ column: IntegerExpression, _ store: Write,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let areRowsWhole = extents.rows.fixed.map { $0 % tile.rows == 0 } ?? false
    let areColumnsWhole = extents.columns.fixed.map { $0 % tile.columns == 0 } ?? false
    // Vectors that are inside or outside as a whole need no mask of their own.
    let areVectorsWhole = extents.columns.fixed.map { $0 % lanes == 0 } ?? (lanes == 1)
    let rowNumber = b.index(of: b.materialize(row, lanes: 1), bound: areRowsWhole ? extents.rows : nil)
    // What is kept is the vector's number, so that the column is known to be a multiple of the lanes.
    let bound: IntegerExpression.Bound = { [b] in b.bound(of: $0) }
    let number = b.materialize(column.floorDivided(by: Extent(lanes), bound: bound), lanes: 1)
    let first = b.index(of: number) * lanes
    var inside = areRowsWhole ? nil : b.isWithin(rowNumber, extents.rows, lanes: 1)
    if !areColumnsWhole { inside = b.and(inside, b.isWithin(first, extents.columns, lanes: 1)) }
    func write(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
      let known = b.index(of: b.materialize(rowNumber, lanes: 1), bound: extents.rows)
      let lane = lanes == 1 ? first : first + .lane
      let mask = areColumnsWhole || areVectorsWhole ? nil : b.isWithin(lane, extents.columns, lanes: lanes)
      store(&lowering, &b, sums, place, known, lane, mask)
    }
    guard let inside else { return lowering.withScope { write(&$0, &b) } }
    b.branch(inside) { b in lowering.withScope { write(&$0, &b) } }
  }
}

extension KernelBuilder {
  /// `a * b + c` for numbers of one type; floats are rounded once.
  mutating func productSum(_ a: Register, _ b: Register, _ c: Register) -> Register {
    if type(of: c).element.isFloat { return multiplyAdd(a, b, c) }
    return apply(.add, [apply(.multiply, [a, b]), c])
  }
}
