import IR

/// A matrix product in fragments, and what must hold for it to take the place of one in elements.
struct FragmentProduct {
  let product: GroupProduct
  /// The depth in pieces, as the product counts it.
  let pieces: DepthPieces
  let conditions: [ScheduledFusion.Condition]

  /// Fewer rows or columns are padding for the most part.
  private static let leastLines = 16
  private static let leastDepth = 32

  /// Nil where the operands are not of two bytes and precision asks for more than two-byte parts, where the device has no
  /// such instructions, or where they would not pay.
  init?(
    _ extents: ProductExtents, depth: [Extent], batch: Extent, _ left: ElementType, _ right: ElementType,
    sum: ElementType, isRowContiguous: Bool, isColumnContiguous: Bool, _ request: SchedulingRequest,
    _ device: WorkGroups
  ) {
    guard sum == .f32, let scheme = Self.scheme(left, right, request) else { return nil }
    var conditions: [ScheduledFusion.Condition] = [.hasTiles(scheme.format)]
    for (extent, least) in [
      (extents.rows, Self.leastLines), (extents.columns, Self.leastLines), (extents.depth, Self.leastDepth),
    ] {
      guard let fixed = extent.fixed else {
        conditions.append(.atLeast(extent, least))
        continue
      }
      if fixed < least { return nil }
    }
    pieces = DepthPieces(extents: depth, length: FragmentTile.steps)
    var inPieces = extents
    inPieces.depth = pieces.count
    guard
      let product = GroupProduct(
        inPieces, batch: batch, scheme, isRowContiguous: isRowContiguous, isColumnContiguous: isColumnContiguous, device
      )
    else { return nil }
    (self.product, self.conditions) = (product, conditions)
  }

  /// How the operands are written as two-byte floats. Operands of f32 are not where sums must be as exact as in f32: how the
  /// instructions round is documented nowhere.
  private static func scheme(_ left: ElementType, _ right: ElementType, _ request: SchedulingRequest) -> SplitScheme? {
    if request.precision == .f32Strict || left == .f32 && request.precision == .f32 { return nil }
    return SplitScheme.scheme(left, right, request.precision, request.target)
  }
}

extension ScheduledFusion {
  /// A product's kernels, and in their place those in fragments where these may run. `steps` makes both, of a product and the
  /// pieces that its depth counts, if it does not count steps.
  init(
    _ product: GroupProduct, in words: DepthPieces, or fragments: FragmentProduct?,
    _ steps: (GroupProduct, DepthPieces?, inout ScheduledFusion) -> [Step]
  ) {
    self.init(launches: [])
    self.steps = steps(product, product.bytes == nil ? nil : words, &self)
    guard let fragments else { return }
    let inFragments = steps(fragments.product, fragments.pieces, &self)
    self.steps = .choosing(fragments.conditions, inFragments, else: self.steps)
  }
}
