import IR

/// What the items of a group do for one tile of a product: copy rows and columns into local memory, and multiply them.
struct GroupTileSteps {
  let tile: GroupTile
  /// The type in local memory and in which products are summed.
  let type: ElementType
  /// Lanes of the vectors along columns.
  let lanes: Int
  /// What words of four bytes hold, where a step of the depth is one.
  let bytes: BytePair?
  private let itemRow: IntegerExpression
  private let itemColumn: IntegerExpression

  init(tile: GroupTile, type: ElementType, lanes: Int, bytes: BytePair? = nil, _ b: inout KernelBuilder) {
    (self.tile, self.type, self.lanes, self.bytes) = (tile, type, lanes, bytes)
    let place = b.positions(
      of: .item, in: [Extent(tile.rows / tile.itemRows), Extent(tile.itemsInRow)])
    (itemRow, itemColumn) = (place[0], place[1])
  }

  /// Vectors in a row of an item's sums.
  var vectors: Int { tile.itemColumns / lanes }

  /// The row of the tile that an item's row `r` is.
  func row(_ r: Int) -> IntegerExpression { itemRow * tile.itemRows + r }

  /// The first column of the tile in an item's vector `v`: items side by side have vectors side by side.
  func column(_ v: Int) -> IntegerExpression { itemColumn * lanes + v * (tile.itemsInRow * lanes) }

  /// What an item's sums begin with, row by row.
  func zeros(_ b: inout KernelBuilder) -> [Register] {
    [Register](repeating: b.constant(.zero(type), type, lanes: lanes), count: tile.itemRows * vectors)
  }

  /// A tile of one matrix in local memory: `depth` lines of `pitch` elements, one for each row or column.
  struct Side {
    var memory: Memory
    /// Rows or columns of the tile.
    var count: Int
    var pitch: Int
    /// Whether a row's (or a column's) elements follow each other where they come from.
    var isContiguous: Bool
    /// The first row or column, and how many there are in all.
    var first: IntegerExpression
    var extent: Extent
  }

  /// The element of a row or a column at a depth, or its four bytes; where the mask is false nothing is read.
  typealias Read = (
    inout ElementLowering, inout KernelBuilder, _ line: IntegerExpression, _ depth: IntegerExpression, _ mask: Register?
  ) -> Register

  /// All items copy a tile, `tile.depth` elements of each row or column from the depth `start` on; what lies at `end` or
  /// beyond, or outside the matrix, is zero. Nil for `end`: the tile's depth is whole.
  func copy(
    _ side: Side, from start: IntegerExpression, to end: IntegerExpression?, within extent: Extent,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ read: Read
  ) {
    let count = side.count * tile.depth
    for round in 0..<((count + tile.itemCount - 1) / tile.itemCount) {
      let number = IntegerExpression.item + round * tile.itemCount
      func copyOne(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
        copy(number, side, from: start, to: end, within: extent, &lowering, &b, read)
      }
      // In the last round some items may have nothing to do.
      if (round + 1) * tile.itemCount <= count {
        lowering.withScope { copyOne(&$0, &b) }
        continue
      }
      let inside = b.apply(
        .compare(.less, .signed), [b.materialize(number, lanes: 1), b.constant(.integer(Int64(count)), .i64)])
      b.branch(inside) { b in lowering.withScope { copyOne(&$0, &b) } }
    }
  }

  /// The item's element of the given number.
  private func copy(
    _ number: IntegerExpression, _ side: Side, from start: IntegerExpression, to end: IntegerExpression?,
    within extent: Extent, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ read: Read
  ) {
    let isWhole = side.extent.fixed.map { $0 % side.count == 0 } ?? false
    let fast = Extent(side.isContiguous ? tile.depth : side.count)
    let bound: IntegerExpression.Bound = { [b] in b.bound(of: $0) }
    let (inner, outer) = (number.modulo(fast, bound: bound), number.floorDivided(by: fast, bound: bound))
    let (line, step) = side.isContiguous ? (outer, inner) : (inner, outer)
    let lineNumber = b.index(of: b.materialize(side.first + line, lanes: 1), bound: isWhole ? side.extent : nil)
    var mask = isWhole ? nil : b.isWithin(lineNumber, side.extent, lanes: 1)
    let position = b.index(of: b.materialize(start + step, lanes: 1), bound: end == nil ? extent : nil)
    if let end { mask = b.and(mask, b.isWithin(position, end, lanes: 1)) }
    let found = read(&lowering, &b, lineNumber, position, mask)
    let element = bytes == nil ? b.convert(found, to: type) : b.words(found)
    let value = mask.map { b.apply(.select, [$0, element, b.constant(.zero(type), type)]) } ?? element
    b.store(value, side.memory, at: step * side.pitch + line, lanes: 1)
  }

  /// The item's sums with the products of `depth` lines of both tiles in local memory; `offset` is the first line of the
  /// rows.
  func multiply(
    _ sums: [Register], _ rows: Memory, from offset: IntegerExpression = .zero, _ columns: Memory, depth: Int,
    _ b: inout KernelBuilder
  ) -> [Register] {
    b.loop(to: Extent(depth), kind: .unrolled, carrying: sums) { b, step, sums in
      var next = sums
      let vectorsOfColumns = (0..<vectors).map { v in
        let at = step * tile.columns + column(v)
        return lanes == 1 ? b.load(columns, at: at, lanes: 1) : b.load(columns, at: at + .lane, lanes: lanes)
      }
      for r in 0..<tile.itemRows {
        let scalar = b.load(rows, at: (offset + step) * tile.rowPitch + row(r), lanes: 1)
        for v in 0..<vectors {
          next[r * vectors + v] = productSum(scalar, vectorsOfColumns[v], next[r * vectors + v], &b)
        }
      }
      return next
    }
  }

  private func productSum(_ row: Register, _ column: Register, _ sum: Register, _ b: inout KernelBuilder) -> Register {
    guard let bytes else { return b.productSum(row, column, sum) }
    return b.byteProducts(bytes, row, column, sum)
  }
}
