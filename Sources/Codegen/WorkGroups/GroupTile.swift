import IR

/// The part of a matrix product that one work-group computes, and how its items share it.
///
/// For each step of `depth` products the items copy the rows and columns of the tile into local memory together; then
/// each item multiplies `itemRows` of the rows with `itemColumns` of the columns, whose sums stay in its registers.
struct GroupTile: Hashable {
  var rows: Int
  var columns: Int
  /// Products of each sum that are in local memory at once.
  var depth: Int
  var itemRows: Int
  var itemColumns: Int

  var itemCount: Int { (rows / itemRows) * (columns / itemColumns) }
  var itemsInRow: Int { columns / itemColumns }

  /// Columns of the tile of rows in local memory are this far apart: an odd distance keeps items that write one column
  /// out of each other's banks.
  var rowPitch: Int { rows + 1 }

  func localByteCount(_ type: ElementType) -> Int { depth * (rowPitch + columns) * type.byteCount }

  /// From large tiles, which read each element seldom, to those for few rows or few columns.
  private static let shapes: [(rows: Int, columns: Int, itemRows: Int, itemColumns: Int)] = [
    (128, 128, 8, 8), (64, 128, 8, 4), (128, 64, 8, 4), (64, 64, 4, 4), (32, 64, 4, 4), (64, 32, 4, 4), (32, 32, 4, 4),
    (16, 64, 4, 4), (64, 16, 4, 4), (8, 128, 4, 4), (4, 128, 4, 4), (1, 128, 1, 4), (128, 8, 4, 4), (128, 4, 4, 4),
    (64, 1, 1, 1),
  ]

  /// The tile, and the parts of the depth, that a device takes the least time for; nil where it has no room for any.
  /// `loads` is what an element of a row and of a column takes.
  static func best(_ cost: TileCost, _ type: ElementType, _ loads: (row: Double, column: Double))
    -> (tile: GroupTile, parts: Int)?
  {
    let device = cost.device
    let tiles = shapes.map { shape in
      GroupTile(
        rows: shape.rows, columns: shape.columns, depth: 16, itemRows: shape.itemRows, itemColumns: shape.itemColumns)
    }
    // Two groups should find room on a compute unit; where none of them do, one.
    let fitting = [2, 1].lazy.map { groups in
      tiles.filter {
        $0.itemCount <= device.itemCount && $0.localByteCount(type) <= device.arrayByteCount / groups
      }
    }.first { !$0.isEmpty }
    return fitting.flatMap { cost.best(of: $0) { $0.step(type, loads, device) } }
  }

  private static let readCost = 0.8
  /// Registers of an item beside its sums.
  private static let otherRegisters = 40

  private func step(_ type: ElementType, _ loads: (row: Double, column: Double), _ device: WorkGroups) -> TileStep {
    typealias Unit = TileStep.Unit
    let words = Double(type.byteCount) / 4
    let cycle = 1 / Unit.gigahertz
    // What items read from local memory for each product takes time beside it.
    let reads = Self.readCost * (1 + 2 / Double(itemRows) + 2 / Double(itemColumns))
    let products = Double(rows * columns * depth) / Unit.lanes * cycle * reads * words
    let ownProducts =
      max(1, TileStep.share(of: itemCount)) * Double(itemRows * itemColumns * depth) * cycle * words
    let elements = (Double(rows) * loads.row + Double(columns) * loads.column) * Double(depth)
    let bytes = Double((rows + columns) * depth * type.byteCount)
    return TileStep(
      rows: rows, columns: columns, depth: depth, itemCount: itemCount, loads: elements / Double(itemCount),
      bytes: bytes, products: products, ownProducts: ownProducts,
      registers: Int(Double(itemRows * itemColumns) * words) + Self.otherRegisters, device)
  }
}
