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

  /// The tile with the least work on a device, nil where it has no room for any; extents that are not known count as
  /// `assumed`.
  ///
  /// Work counts the products of the padding, and for each item the elements it reads from local memory; it takes longer
  /// where there are fewer groups than compute units.
  static func best(_ extents: ProductExtents, batch: Extent, _ type: ElementType, _ device: WorkGroups) -> GroupTile? {
    let assumed = 256
    let (m, n) = (extents.rows.fixed ?? assumed, extents.columns.fixed ?? assumed)
    let batches = max(1, batch.fixed ?? 1)
    func cost(_ tile: GroupTile) -> Double {
      let groups = ((m + tile.rows - 1) / tile.rows) * ((n + tile.columns - 1) / tile.columns) * batches
      let products = Double(groups) * Double(tile.rows * tile.columns)
      let reads = 1 + 2 / Double(tile.itemRows) + 2 / Double(tile.itemColumns)
      return products * reads / min(1, Double(groups * tile.itemCount) / Double(device.computeUnitCount * 128))
    }
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
    return fitting?.min { cost($0) < cost($1) }
  }
}
