import IR

/// A matrix product in fragments, and what must hold for it to take the place of one in elements.
struct FragmentProduct {
  /// Its depth counts pieces.
  let product: GroupProduct
  let conditions: [ScheduledFusion.Condition]

  /// Fewer rows or columns are padding for the most part.
  private static let leastLines = 16
  private static let leastDepth = 32

  /// Nil where the operands are not of two bytes and precision asks for more than two-byte parts, where the device has no
  /// such instructions, or where they would not pay.
  init?(_ shape: ProductShape, _ size: ProductSize, _ request: SchedulingRequest, _ device: WorkGroups) {
    guard shape.sum == .f32, let scheme = Self.scheme(shape.left, shape.right, request) else { return nil }
    var conditions: [ScheduledFusion.Condition] = [.hasTiles(scheme.format)]
    let extents = shape.extents
    for (extent, least) in [
      (extents.rows, Self.leastLines), (extents.columns, Self.leastLines), (extents.depth, Self.leastDepth),
    ] {
      guard let fixed = extent.fixed else {
        conditions.append(.atLeast(extent, least))
        continue
      }
      if fixed < least { return nil }
    }
    guard let product = GroupProduct(shape, size, scheme, device) else { return nil }
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
  /// Makes the kernels of a product, and of the pieces that its depth counts, if it does not count steps.
  typealias ProductSteps = (GroupProduct, DepthPieces?, inout ScheduledFusion) -> [Step]

  /// A product's kernels: in fragments where these may run, and for few sums or many where extents are not known. Nil where
  /// the device has no room for a tile.
  init?(_ shape: ProductShape, _ request: SchedulingRequest, _ device: WorkGroups, _ steps: ProductSteps) {
    self.init(launches: [])
    guard let sizes = ProductSize.sizes(shape.extents, batch: shape.batch, device) else {
      guard let found = products(shape, .any, request, device, steps) else { return nil }
      self.steps = found
      return
    }
    guard let many = products(shape, .many(sums: sizes.many), request, device, steps),
      let few = products(shape, .few(sums: sizes.few, limit: sizes.limit), request, device, steps)
    else { return nil }
    let sums = shape.batch * shape.extents.rows * shape.extents.columns
    self.steps = [.choice(.atLeast(sums, sizes.limit), then: many, otherwise: few)]
  }

  private mutating func products(
    _ shape: ProductShape, _ size: ProductSize, _ request: SchedulingRequest, _ device: WorkGroups,
    _ steps: ProductSteps
  ) -> [Step]? {
    guard let product = GroupProduct(shape, size, request.target, device) else { return nil }
    let inElements = steps(product, product.bytes == nil ? nil : shape.words, &self)
    guard let fragments = FragmentProduct(shape, size, request, device) else { return inElements }
    return .choosing(fragments.conditions, steps(fragments.product, shape.pieces, &self), else: inElements)
  }
}
