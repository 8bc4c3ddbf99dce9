import IR

/// How exact products and sums of f32 are.
public enum ProductPrecision: String, Hashable, Sendable, CaseIterable {
  /// Errors like those of a sum in f32.
  case f32
  /// f32 operations only.
  case f32Strict = "f32-strict"
  /// Operands in 16 bits of significand.
  case fast
  /// Operands in bf16.
  case bf16
}

/// How the operands of a product are written as sums of two-byte floats, so that tiles can multiply them.
///
/// The first part is the rounded element, each further part what is missing, rounded. For parts of f16, whose exponents have
/// five bits, rows of the left operand and columns of the right one are scaled by powers of two first, so that their
/// largest magnitude lies in [2^14, 2^15); bf16 has the exponents of f32. See docs/design/0004-split-products.md for the
/// errors.
struct SplitScheme: Hashable, Sendable {
  /// A product of a part of the left operand with a part of the right one.
  struct Product: Hashable, Sendable {
    var left: Int
    var right: Int

    init(_ left: Int, _ right: Int) {
      self.left = left
      self.right = right
    }
  }

  let format: TileFormat
  let partCount: Int
  /// In an order in which neighbours mostly share a part, so that it is loaded once.
  let products: [Product]
  /// Multiplications and additions a second while tiles multiply, in units of those of an f32 kernel.
  let speed: Double

  /// 22 to 24 bits of each element.
  static let f16x2 = SplitScheme(
    format: .f16, partCount: 2, products: [Product(0, 1), Product(0, 0), Product(1, 0)], speed: 4.6)
  /// All 24 bits of each element; what is left out is below 2^-24 of a product.
  static let bf16x3 = SplitScheme(
    format: .bf16, partCount: 3,
    products: [Product(2, 0), Product(1, 0), Product(1, 1), Product(0, 1), Product(0, 0), Product(0, 2)], speed: 2.3)
  static let bf16x2 = SplitScheme(
    format: .bf16, partCount: 2, products: [Product(0, 1), Product(0, 0), Product(1, 0)], speed: 4.6)
  static let bf16 = SplitScheme(format: .bf16, partCount: 1, products: [Product(0, 0)], speed: 14)
  static let f16 = SplitScheme(format: .f16, partCount: 1, products: [Product(0, 0)], speed: 14)

  /// The scheme for a product of elements of these types; nil where the target has no tiles for it.
  static func scheme(_ lhs: ElementType, _ rhs: ElementType, _ precision: ProductPrecision, _ target: Target)
    -> SplitScheme?
  {
    let candidates: [SplitScheme]
    switch (lhs, rhs) {
    case (.bf16, .bf16): candidates = [.bf16]
    case (.f16, .f16): candidates = [.f16]
    case (.f32, .f32):
      switch precision {
      case .f32Strict: candidates = []
      case .f32: candidates = [.f16x2, .bf16x3]
      case .fast: candidates = [.bf16x2, .f16x2]
      case .bf16: candidates = [.bf16]
      }
    default: candidates = []
    }
    return candidates.first { target.tileFormats.contains($0.format) }
  }

  var elementType: ElementType { format == .f16 ? .f16 : .bf16 }

  /// How far apart the two steps are whose products are summed as a pair.
  ///
  /// Any order of a block's 32 steps will do that both operands have. f16 comes from its conversion in the order of memory;
  /// bf16 are the upper halves of f32, and it takes one operation to put those of two vectors side by side.
  var pairDistance: Int { format == .bf16 ? Tile.laneCount : 1 }

  /// Where a step of a block stands in a row of the left operand's tiles: those of a pair side by side.
  func place(ofStep step: Int) -> Int {
    let pair = step / (2 * pairDistance) * pairDistance + step % pairDistance
    return 2 * pair + step / pairDistance % 2
  }

  /// The first step of a pair.
  func step(ofPair pair: IntegerExpression) -> IntegerExpression { pair * (pairDistance == 1 ? 2 : 1) }

  /// Whether lines are scaled before they are split.
  var isScaled: Bool { format == .f16 }

  /// The exponents that the largest magnitude of a line may have; a line of zeros is split too. Where lines are not scaled,
  /// products of the largest magnitudes stay far from the smallest normal number and from the largest.
  var exponents: ClosedRange<Int> { isScaled ? -96...96 : -40...48 }

  /// The most blocks of rows whose parts stay in half of the second-level cache while all columns are multiplied with them.
  static func groupSize(blockByteCount: Int, _ target: Target) -> Int {
    max(1, min(16, target.l2ByteCount / 2 / max(1, blockByteCount)))
  }

  /// What must hold when the program runs for the product in tiles to be the faster one; nil where it never is.
  ///
  /// Counted in operations of an f32 kernel, from what kernels took on a processor with bf16 tiles (the design record has
  /// the figures): tiles multiply whole blocks; each element that is split and each sum that is stored costs about as much
  /// as so many of them; and the parts of the columns pass by once for each group of rows.
  func conditions(_ product: TileExtents, _ target: Target) -> [ScheduledFusion.Condition]? {
    let parts = Double(partCount)
    let (splitCost, columnCost, sumCost) = (13 * parts, 17 * parts, 45 + product.costOfSum * parts)
    func padded(_ count: Int) -> Double {
      let block = SplitLayout.block
      return Double((count + block - 1) / block * block)
    }
    let (useful, computed) = (product.useful, product.computed)
    let groupSize = Double(Self.groupSize(blockByteCount: product.blockByteCount, target))
    func pays(_ m: Int, computing rows: Int) -> Bool {
      let (n, k) = (useful.columns.fixed ?? 256, useful.depth.fixed ?? 256)
      let direct = 2 * Double(m) * Double(n) * Double(k)
      let depth = padded(computed.depth.fixed ?? k)
      let tiles = 2 * padded(rows) * padded(n) * depth / speed
      let split = splitCost * padded(rows) * Double(product.splitPerRow.fixed ?? k)
      let groups = (padded(rows) / Double(SplitLayout.block) / groupSize).rounded(.up)
      let columns = columnCost * padded(n) * depth * groups
      return tiles + split + columns + sumCost * padded(rows) * padded(n) < 0.9 * direct
    }
    var conditions: [ScheduledFusion.Condition] = [.hasTiles(format)]
    if let m = useful.rows.fixed, let rows = computed.rows.fixed {
      if !pays(m, computing: rows) { return nil }
    } else {
      // The fewest rows that pay, in powers of two.
      guard let least = [8, 16, 32, 64, 128, 256].first(where: { pays($0, computing: $0) }) else { return nil }
      conditions.append(.atLeast(useful.rows, least))
    }
    for extent in [useful.columns, useful.depth] where !extent.isFixed { conditions.append(.atLeast(extent, 64)) }
    return conditions
  }
}

/// How large a product in tiles is.
struct TileExtents {
  var useful: ProductExtents
  /// What tiles multiply in its place.
  var computed: ProductExtents
  /// Elements of the left operand that are split for each row of `computed`.
  var splitPerRow: Extent
  /// Bytes of the parts that belong to one block of rows.
  var blockByteCount: Int
  /// What each sum costs beside its storing, for each part: where it becomes an operand of another product in tiles.
  var costOfSum = 0.0
}

/// How large a product of matrices is.
struct ProductExtents {
  var rows: Extent
  var columns: Extent
  var depth: Extent
}

/// The layout of split operands: for each batch and block of 32 rows (or columns), for each block of 32 steps of the
/// depth, all parts, each as two tiles of 16 rows (or columns).
///
/// In a tile of the left operand a row is 32 steps of the depth; in one of the right operand a row is a pair of steps,
/// with both elements of each column side by side. `SplitScheme.pairDistance` says which steps make a pair.
struct SplitLayout: Hashable, Sendable {
  /// Rows or columns in a block, and steps of the depth in one.
  static let block = 32
  static let tileElementCount = Tile.rowCount * block

  let partCount: Int
  /// Blocks of rows or columns, in one batch.
  let blockCount: Extent
  /// Blocks of the depth: of one tap of a window, and of all.
  let tapBlockCount: Extent
  let depthBlockCount: Extent

  init(partCount: Int, count: Extent, taps: Extent = .one, depth: Extent) {
    self.partCount = partCount
    blockCount = (count + (Self.block - 1)).floorDivided(by: Extent(Self.block))
    tapBlockCount = (depth + (Self.block - 1)).floorDivided(by: Extent(Self.block))
    depthBlockCount = taps * tapBlockCount
  }

  /// Elements of all parts in a block of rows and of the depth.
  var stepElementCount: Int { partCount * 2 * Self.tileElementCount }

  func type(_ element: ElementType, batches: Extent) -> TensorType {
    TensorType(element, [batches, blockCount, depthBlockCount, Extent(stepElementCount)])
  }

  /// One f32 for each row, padded ones included.
  func scaleType(batches: Extent) -> TensorType { TensorType(.f32, [batches, blockCount, Extent(Self.block)]) }

  /// Where a tile begins: `half` is its place in the block of 32 rows.
  func position(
    batch: IntegerExpression, block: IntegerExpression, depthBlock: IntegerExpression, part: Int,
    half: IntegerExpression
  ) -> IntegerExpression {
    let step = (batch * blockCount + block) * depthBlockCount + depthBlock
    return step * stepElementCount + (half + IntegerExpression(2 * part)) * Self.tileElementCount
  }
}
