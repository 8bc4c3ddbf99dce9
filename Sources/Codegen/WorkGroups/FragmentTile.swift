import IR

/// The part of a matrix product that one work-group computes with instructions that multiply fragments.
///
/// Runs of 32 items compute `runRows` x `runColumns` sums each, which stay in their registers; the rows and columns of the
/// whole tile pass through local memory, for `depth` pieces of `steps` products at once.
struct FragmentTile: Hashable {
  var rows: Int
  var columns: Int
  var runRows: Int
  var runColumns: Int

  /// Steps of the depth in a piece: 16 bytes of two-byte elements.
  static let steps = 8
  /// Pieces of the depth that are in local memory at once: two fragments' depth.
  static let depth = 4
  static let runItemCount = 32
  /// Words of a row, or column, in local memory.
  static let lineWords = 16

  var itemCount: Int { rows / runRows * (columns / runColumns) * Self.runItemCount }
  var runsInRow: Int { columns / runColumns }

  /// Each row and column twice: one is multiplied while the other is filled.
  func localByteCount(parts: Int) -> Int { 2 * parts * (rows + columns) * Self.lineWords * 4 }

  /// From large tiles, which read each element seldom, to those for few rows or few columns.
  private static let shapes: [FragmentTile] = [
    FragmentTile(rows: 128, columns: 128, runRows: 64, runColumns: 64),
    FragmentTile(rows: 64, columns: 128, runRows: 32, runColumns: 64),
    FragmentTile(rows: 128, columns: 64, runRows: 64, runColumns: 32),
    FragmentTile(rows: 64, columns: 64, runRows: 32, runColumns: 32),
    FragmentTile(rows: 32, columns: 64, runRows: 16, runColumns: 32),
    FragmentTile(rows: 64, columns: 32, runRows: 32, runColumns: 16),
    FragmentTile(rows: 32, columns: 32, runRows: 16, runColumns: 16),
    FragmentTile(rows: 16, columns: 64, runRows: 16, runColumns: 16),
    FragmentTile(rows: 64, columns: 16, runRows: 16, runColumns: 16),
  ]

  /// Sums, and words of the columns' fragments, that an item may hold in registers beside all else.
  private static let registerLimit = 168

  private func registerCount(parts: Int) -> Int {
    runRows * runColumns / Self.runItemCount + parts * runColumns / 8 * 4
  }

  /// The tile with the least work on a device; nil where it has no room for any. Extents that are not known count as
  /// `assumed`.
  ///
  /// Work counts the products of the padding, and what items read from local memory for each; it takes longer where there
  /// are fewer groups than compute units.
  static func best(_ extents: ProductExtents, batch: Extent, parts: Int, _ device: WorkGroups) -> FragmentTile? {
    let assumed = 256
    let (m, n) = (extents.rows.fixed ?? assumed, extents.columns.fixed ?? assumed)
    let batches = max(1, batch.fixed ?? 1)
    func cost(_ tile: FragmentTile) -> Double {
      let groups = ((m + tile.rows - 1) / tile.rows) * ((n + tile.columns - 1) / tile.columns) * batches
      let products = Double(groups) * Double(tile.rows * tile.columns)
      let reads = 1 + 32 / Double(tile.runRows) + 32 / Double(tile.runColumns)
      return products * reads / min(1, Double(groups) / Double(device.computeUnitCount))
    }
    let fitting = shapes.filter {
      $0.itemCount <= device.itemCount && $0.localByteCount(parts: parts) <= device.arrayByteCount
        && $0.registerCount(parts: parts) <= registerLimit
    }
    return fitting.min { cost($0) < cost($1) }
  }
}
