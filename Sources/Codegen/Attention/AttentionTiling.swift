import IR

/// How an attention is cut into register tiles and blocks that stay in the first-level cache.
struct AttentionTiling {
  /// A register tile of sums of values.
  struct ValueTile {
    var firstRow: Int
    var rows: Int
    var firstVector: Int
    var vectors: Int
  }

  let lanes: Int
  /// Rows of queries in a task.
  let rows: Int
  /// Vectors of keys in a tile of scores.
  let scoreVectors: Int
  /// Keys in a block.
  let block: Int
  /// Vectors in a row of values.
  let columnVectors: Int
  let valueTiles: [ValueTile]
  /// Vectors of a row that are looked at side by side.
  static let unrolling = 4

  /// Keys in a panel.
  var width: Int { scoreVectors * lanes }
  /// The distance of rows of weights: odd in vectors, so that rows do not share places in the cache.
  var stride: Int { block + (block / lanes % 2 == 0 ? lanes : 0) }
  var paddedRows: Int { (rows + lanes - 1) / lanes * lanes }

  init(rows: Int?, keys: Int?, columns: Int, _ type: ElementType, _ target: Target) {
    lanes = target.lanes(byteCount: type.byteCount)
    let limit = Microkernel.rowLimit(vectors: 2, target)
    self.rows = Self.tileRows(rows, limit: limit)
    let vectors = Microkernel.vectors(columns: keys, rows: rows.map { min($0, limit) }, lanes: lanes, target)
    scoreVectors = min(vectors, max(1, Microkernel.accumulatorLimit(target) / self.rows))
    // Two thirds of the cache for the weights; keys and values pass by.
    let width = scoreVectors * lanes
    let fitting = max(1, target.l1ByteCount * 2 / 3 / type.byteCount / self.rows / width)
    let needed = keys.map { max(1, ($0 + width - 1) / width) } ?? fitting
    block = min(fitting, needed) * width
    columnVectors = (columns + lanes - 1) / lanes
    valueTiles = Self.valueTiles(rows: self.rows, vectors: columnVectors, target)
  }

  /// For products in tiles: 32 rows and, at a time, 128 keys, whose weights and their parts fill much of a first-level cache.
  init(tileKeys keys: Int?, columns: Int) {
    let tile = SplitLayout.block
    lanes = Tile.laneCount
    rows = tile
    scoreVectors = tile / lanes
    block = min(4, keys.map { max(1, ($0 + tile - 1) / tile) } ?? 4) * tile
    columnVectors = (columns + tile - 1) / tile * (tile / lanes)
    valueTiles = []
  }

  /// Rows of a tile, such that few rows of the last are missing.
  private static func tileRows(_ rows: Int?, limit: Int) -> Int {
    guard let rows, rows > 0 else { return limit }
    if rows <= limit { return rows }
    let candidates = (max(1, limit * 3 / 4)...limit).reversed()
    return candidates.min { a, b in (rows + a - 1) / a * a < (rows + b - 1) / b * b } ?? limit
  }

  private static func valueTiles(rows: Int, vectors: Int, _ target: Target) -> [ValueTile] {
    // Wide tiles load fewer weights for each sum.
    let widest = max(1, min(rows > 7 ? 2 : 8, Microkernel.accumulatorLimit(target) / min(rows, 3)))
    let groups = RowTiles(rows: vectors, limit: widest)
    var tiles: [ValueTile] = []
    var firstVector = 0
    for group in 0..<groups.count {
      let wide = groups.size + (group < groups.larger ? 1 : 0)
      let parts = RowTiles(rows: rows, limit: Microkernel.rowLimit(vectors: wide, target))
      var firstRow = 0
      for part in 0..<parts.count {
        let high = parts.size + (part < parts.larger ? 1 : 0)
        tiles.append(ValueTile(firstRow: firstRow, rows: high, firstVector: firstVector, vectors: wide))
        firstRow += high
      }
      firstVector += wide
    }
    return tiles
  }
}
