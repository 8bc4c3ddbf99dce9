import IR

/// Products of matrices, one for each batch, in tiles of work-groups; the matrices' elements come from where the user of
/// this finds them, and what becomes of a sum is the user's too.
struct GroupProduct {
  let extents: ProductExtents
  let batch: Extent
  let type: ElementType
  let tile: GroupTile
  /// Parts of the depth that different groups sum.
  let splits: Int
  /// Lanes of the vectors along columns.
  let lanes: Int
  /// Whether items side by side read a row's elements one after the other along the depth, and so for a column's.
  let isRowContiguous: Bool
  let isColumnContiguous: Bool

  /// Where a group computes.
  struct Place {
    var batch: IntegerExpression
    var split: IntegerExpression
    fileprivate var rowTile: IntegerExpression
    fileprivate var columnTile: IntegerExpression
  }

  /// The element of a row or a column at a depth; where the mask is false nothing is read.
  typealias Read = (
    inout ElementLowering, inout KernelBuilder, _ place: Place, _ line: IntegerExpression, _ depth: IntegerExpression,
    _ mask: Register?
  ) -> Register
  /// What becomes of the sums of a row and as many columns as there are lanes.
  typealias Write = (
    inout ElementLowering, inout KernelBuilder, _ sums: Register, _ place: Place, _ row: IntegerExpression,
    _ column: IntegerExpression, _ mask: Register?
  ) -> Void

  init(
    _ extents: ProductExtents, batch: Extent, _ type: ElementType, isRowContiguous: Bool, isColumnContiguous: Bool,
    _ target: Target, _ device: WorkGroups
  ) {
    self.extents = extents
    self.batch = batch
    self.type = type
    self.isRowContiguous = isRowContiguous
    self.isColumnContiguous = isColumnContiguous
    let tile = GroupTile.best(extents, batch: batch, type, device)
    self.tile = tile
    lanes = min(tile.itemColumns, target.lanes(byteCount: max(4, type.byteCount)))
    splits = Self.splits(extents, batch: batch, tile, device)
  }

  /// Several groups share the depth of a tile where there are too few tiles for the device and the depth is long.
  private static func splits(_ extents: ProductExtents, batch: Extent, _ tile: GroupTile, _ device: WorkGroups) -> Int {
    guard let m = extents.rows.fixed, let n = extents.columns.fixed, let k = extents.depth.fixed,
      let batches = batch.fixed
    else { return 1 }
    let groups = max(1, ((m + tile.rows - 1) / tile.rows) * ((n + tile.columns - 1) / tile.columns) * batches)
    return max(1, min(k / 256, device.computeUnitCount / groups))
  }

  /// The depth that one group sums: a multiple of the tile's.
  private var splitDepth: Extent {
    if splits == 1 { return extents.depth }
    let steps = (extents.depth + (tile.depth * splits - 1)).floorDivided(by: Extent(tile.depth * splits))
    return steps * tile.depth
  }

  /// The partial sums, where there are some: split, batch, row, column.
  var partialType: TensorType { TensorType(type, [Extent(splits), batch, extents.rows, extents.columns]) }

  var taskCount: Extent { batch * splits * rowTiles * columnTiles }
  private var rowTiles: Extent { (extents.rows + (tile.rows - 1)).floorDivided(by: Extent(tile.rows)) }
  private var columnTiles: Extent { (extents.columns + (tile.columns - 1)).floorDivided(by: Extent(tile.columns)) }

  var taskCost: Extent { splitDepth * (2 * tile.rows * tile.columns) }

  // MARK: The kernel

  /// Writes the body of the kernel; buffers and `itemCount` are there already.
  func write(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, row: Read, column: Read, store: Write
  ) {
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let parts = b.positions(of: .task, in: [batch, Extent(splits), rowTiles, columnTiles])
    let place = Place(batch: parts[0], split: parts[1], rowTile: parts[2], columnTile: parts[3])
    let rows = b.addShared(type, count: tile.depth * tile.rowPitch)
    let columns = b.addShared(type, count: tile.depth * tile.columns)
    let first = place.split * splitDepth
    let last =
      splits == 1
      ? extents.depth : b.index(of: b.materialize(.minimum(first + splitDepth, extents.depth), lanes: 1))
    let itemRow = b.index(of: b.materialize(.item.floorDivided(by: Extent(tile.itemsInRow)), lanes: 1))
    let itemColumn = b.index(
      of: b.materialize(.item.modulo(Extent(tile.itemsInRow), bound: { [b] in b.bound(of: $0) }), lanes: 1))
    let zero = b.constant(.zero(type), type, lanes: lanes)
    let start = [Register](repeating: zero, count: tile.itemRows * vectors)
    let isWholeDepth = extents.depth.fixed.map { $0 % tile.depth == 0 } ?? false
    let sums = b.loop(from: first, to: last, step: tile.depth, carrying: start) { b, depth, sums in
      lowering.withScope { lowering in
        let rowSide = Side(
          memory: rows, count: tile.rows, pitch: tile.rowPitch, isContiguous: isRowContiguous,
          tile: place.rowTile, extent: extents.rows)
        let columnSide = Side(
          memory: columns, count: tile.columns, pitch: tile.columns, isContiguous: isColumnContiguous,
          tile: place.columnTile, extent: extents.columns)
        copy(rowSide, place, depth, isWholeDepth ? nil : last, row, &lowering, &b)
        copy(columnSide, place, depth, isWholeDepth ? nil : last, column, &lowering, &b)
      }
      b.append(.barrier)
      let next = multiply(sums, rows, columns, itemRow, itemColumn, &b)
      b.append(.barrier)
      return next
    }
    for r in 0..<tile.itemRows {
      let row = place.rowTile * tile.rows + itemRow * tile.itemRows + r
      for v in 0..<vectors {
        let column = place.columnTile * tile.columns + itemColumn * lanes + v * (tile.itemsInRow * lanes)
        finish(sums[r * vectors + v], place, row, column, store, &lowering, &b)
      }
    }
  }

  private var vectors: Int { tile.itemColumns / lanes }

  /// One of the matrices' tiles in local memory.
  private struct Side {
    var memory: Memory
    /// Lines of the tile.
    var count: Int
    var pitch: Int
    var isContiguous: Bool
    /// The number of the tile, and how many lines there are in all.
    var tile: IntegerExpression
    var extent: Extent
  }

  /// All items copy a tile, `tile.depth` elements of each line; what lies outside is zero.
  private func copy(
    _ side: Side, _ place: Place, _ depth: IntegerExpression, _ end: IntegerExpression?, _ read: Read,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let count = side.count * tile.depth
    let isWhole = side.extent.fixed.map { $0 % side.count == 0 } ?? false
    for round in 0..<((count + tile.itemCount - 1) / tile.itemCount) {
      let number = IntegerExpression.item + round * tile.itemCount
      // Where the items are more than the elements, or no divisor of them, some have nothing to do.
      let isPartial = (round + 1) * tile.itemCount > count
      func copyOne(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
        let fast = Extent(side.isContiguous ? tile.depth : side.count)
        let bound: IntegerExpression.Bound = { [b] in b.bound(of: $0) }
        let (inner, outer) = (number.modulo(fast, bound: bound), number.floorDivided(by: fast, bound: bound))
        let (line, step) = side.isContiguous ? (outer, inner) : (inner, outer)
        let lineNumber = b.index(
          of: b.materialize(side.tile * side.count + line, lanes: 1), bound: isWhole ? side.extent : nil)
        var mask = isWhole ? nil : b.isWithin(lineNumber, side.extent, lanes: 1)
        let position = b.index(of: b.materialize(depth + step, lanes: 1), bound: end == nil ? extents.depth : nil)
        if let end { mask = b.and(mask, b.isWithin(position, end, lanes: 1)) }
        let element = b.convert(read(&lowering, &b, place, lineNumber, position, mask), to: type)
        let zero = b.constant(.zero(type), type)
        let value = mask.map { b.apply(.select, [$0, element, zero]) } ?? element
        b.store(value, side.memory, at: step * side.pitch + line, lanes: 1)
      }
      guard isPartial else {
        lowering.withScope { copyOne(&$0, &b) }
        continue
      }
      let inside = b.apply(
        .compare(.less, .signed), [b.materialize(number, lanes: 1), b.constant(.integer(Int64(count)), .i64)])
      b.branch(inside) { b in lowering.withScope { copyOne(&$0, &b) } }
    }
  }

  /// The item's sums with the products of what is in local memory.
  private func multiply(
    _ sums: [Register], _ rows: Memory, _ columns: Memory, _ itemRow: IntegerExpression,
    _ itemColumn: IntegerExpression, _ b: inout KernelBuilder
  ) -> [Register] {
    b.loop(to: Extent(tile.depth), kind: .unrolled, carrying: sums) { b, step, sums in
      var next = sums
      let vectorsOfColumns = (0..<vectors).map { v in
        let at = step * tile.columns + itemColumn * lanes + v * (tile.itemsInRow * lanes)
        return lanes == 1 ? b.load(columns, at: at, lanes: 1) : b.load(columns, at: at + .lane, lanes: lanes)
      }
      for r in 0..<tile.itemRows {
        let scalar = b.load(rows, at: step * tile.rowPitch + itemRow * tile.itemRows + r, lanes: 1)
        for v in 0..<vectors {
          next[r * vectors + v] = b.productSum(scalar, vectorsOfColumns[v], next[r * vectors + v])
        }
      }
      return next
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
    let first = b.index(of: b.materialize(column, lanes: 1))
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
