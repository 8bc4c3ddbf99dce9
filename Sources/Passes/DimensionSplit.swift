import IR

/// A reshape that splits one dimension into pieces: columns into heads. What lies before and after may be split and
/// joined too, but not with it.
struct DimensionSplit: Hashable {
  /// The dimension of the result that counts the pieces.
  var dimension: Int
  /// How many elements of the split dimension a piece has.
  var piece: Int

  /// Nil where the reshape from `extents` to `new` joins dimension `d` with others, or pieces are empty or symbolic.
  init?(of d: Int, _ extents: [Extent], into new: [Extent]) {
    let (before, after) = (extents[..<d].product, extents[(d + 1)...].product)
    guard let first = new.indices.first(where: { new[$0] != .one && new[..<$0].product == before }) else { return nil }
    for end in first + 1...new.count where new[end...].product == after {
      guard let piece = new[(first + 1)..<end].product.fixed, piece > 0, new[first] * piece == extents[d] else {
        continue
      }
      (dimension, self.piece) = (first, piece)
      return
    }
    return nil
  }
}

extension Collection where Element == Extent {
  /// How many elements lie in dimensions of these extents.
  fileprivate var product: Extent { reduce(.one, *) }
}
