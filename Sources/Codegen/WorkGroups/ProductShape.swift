import IR

/// A product as its fusion has it, before there are tiles.
struct ProductShape {
  /// The depth counts steps.
  let extents: ProductExtents
  /// The dimensions that the depth runs over.
  let depth: [Extent]
  let batch: Extent
  let left: ElementType
  let right: ElementType
  let sum: ElementType
  /// Whether items side by side read a row's elements one after the other along the depth, and so for a column's.
  let isRowContiguous: Bool
  let isColumnContiguous: Bool
  /// Whether a column's elements are neighbours along the depth.
  let areColumnsNeighbours: Bool
  /// Whether rows lie under a window, so that each element is looked for.
  let hasWindow: Bool

  /// What is multiplied where the operands are bytes.
  var bytes: BytePair? { BytePair(left, right, sum: sum) }

  /// The depth of a product of bytes, and that of one in fragments.
  var words: DepthPieces { DepthPieces(extents: depth, length: 4) }
  var pieces: DepthPieces { DepthPieces(extents: depth, length: FragmentTile.steps) }

  /// Loads that finding an element under a window takes as long as.
  private static let windowLoads = 2.0

  /// Of an item for an element, a word of bytes, or a piece of a row and of a column.
  func loads(in pieces: DepthPieces?) -> (row: Double, column: Double) {
    func count(_ areNeighbours: Bool, _ type: ElementType) -> Double {
      pieces?.loadCount(areNeighbours: areNeighbours, byteCount: type.byteCount) ?? 1
    }
    let row = count(isRowContiguous, left) * (hasWindow ? Self.windowLoads : 1)
    return (row, count(areColumnsNeighbours, right))
  }
}
