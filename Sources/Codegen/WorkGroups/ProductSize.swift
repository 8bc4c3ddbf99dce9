import IR

/// How many sums a product has: what counts for extents that are not known when tiles are chosen.
enum ProductSize: Hashable {
  /// Extents are known, or kernels are the same for all.
  case any
  /// About so many; products with fewer sums than the limit have kernels of their own.
  case many(sums: Int)
  /// About so many, and always fewer than the limit.
  case few(sums: Int, limit: Int)

  /// Rows and columns of products of any size.
  private static let assumed = 256

  /// How many sums few and many are, and how many no longer are few; nil where all get the same kernels.
  ///
  /// Where extents are not known and groups wait for memory, products with few sums need small tiles and parts of the depth,
  /// others the largest tiles.
  static func sizes(_ extents: ProductExtents, batch: Extent, _ device: WorkGroups)
    -> (few: Int, limit: Int, many: Int)?
  {
    if [extents.rows, extents.columns, batch].allSatisfy(\.isFixed) || !device.overlapsGroups { return nil }
    let limit = device.computeUnitCount * 64 * 64
    return (limit / 8, limit, 4 * limit)
  }

  /// The numbers of rows, columns and batches.
  func counts(_ extents: ProductExtents, batch: Extent) -> (rows: Int, columns: Int, batches: Int) {
    let known = [extents.rows, extents.columns, batch].map(\.fixed)
    let product = max(1, known.reduce(1) { $0 * max(1, $1 ?? 1) })
    func count(_ sums: Int) -> (rows: Int, columns: Int, batches: Int) {
      let left = max(1, sums / product)
      let side = known[0] == nil && known[1] == nil ? max(1, Int(Double(left).squareRoot())) : left
      let batches = known[0] != nil && known[1] != nil ? left : 1
      return (known[0] ?? side, known[1] ?? side, max(1, known[2] ?? batches))
    }
    return switch self {
    case .any: (known[0] ?? Self.assumed, known[1] ?? Self.assumed, max(1, known[2] ?? 1))
    case .many(let sums), .few(let sums, _): count(sums)
    }
  }
}
