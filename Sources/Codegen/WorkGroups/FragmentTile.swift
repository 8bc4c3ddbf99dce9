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

  /// The tile, and the parts of the depth, that a device takes the least time for; nil where it has no room for any.
  /// `loads` is what a piece of a row and of a column takes.
  static func best(_ cost: TileCost, _ scheme: SplitScheme, _ loads: (row: Double, column: Double))
    -> (tile: FragmentTile, parts: Int)?
  {
    let (device, parts) = (cost.device, scheme.partCount)
    let fitting = shapes.filter {
      $0.itemCount <= device.itemCount && $0.localByteCount(parts: parts) <= device.arrayByteCount
        && $0.registerCount(parts: parts) <= registerLimit
    }
    return cost.best(of: fitting) { $0.step(scheme, loads, device) }
  }

  /// Registers of an item beside its sums and the columns' fragments.
  private static let otherRegisters = 88
  /// Products of fragments that a unit does in a nanosecond, in multiply-adds.
  private static let rate = 2500.0

  private func step(_ scheme: SplitScheme, _ loads: (row: Double, column: Double), _ device: WorkGroups) -> TileStep {
    let count = rows * columns * Self.depth * Self.steps * scheme.products.count
    let ownProducts = Double(count) / Self.rate
    let reads = 1 + 32 / Double(runRows) + 32 / Double(runColumns)
    let pieces = (Double(rows) * loads.row + Double(columns) * loads.column) * Double(Self.depth)
    let bytes = (rows + columns) * Self.depth * Self.steps * 2 * scheme.partCount
    return TileStep(
      rows: rows, columns: columns, depth: Self.depth, itemCount: itemCount, loads: pieces / Double(itemCount),
      bytes: Double(bytes), products: ownProducts * reads, ownProducts: ownProducts,
      registers: registerCount(parts: scheme.partCount) + Self.otherRegisters, device)
  }
}
