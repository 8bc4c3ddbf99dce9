import IR

/// How the positions of a window along one dimension are cut into tiles.
///
/// Tiles whose windows reach over the edge of the base have fixed positions, so that it is known at compile time which taps
/// fall on padding; the others lie in runs, whose code is a loop.
struct LineTiles {
  enum Part {
    /// One tile with a fixed first position.
    case edge(first: Int, size: Int)
    /// Neighbouring tiles of one size whose windows lie inside the base.
    case run(first: Int, count: Int, size: Int)

    /// The first position, the number of tiles, the positions of one, and whether all windows lie inside the base.
    var tiles: (first: Int, count: Int, size: Int, isInside: Bool) {
      switch self {
      case .edge(let first, let size): (first, 1, size, false)
      case .run(let first, let count, let size): (first, count, size, true)
      }
    }
  }

  let parts: [Part]

  /// Tiles of at most `limit` of the `extent` positions of `window` over a base of `base` elements.
  init(extent: Int, limit: Int, window: WindowDimension, base: Int) {
    self.init(extent: extent, limit: limit) { window.liesInside(positions: $0, base: base) }
  }

  /// Tiles of positions that have no edges.
  init(extent: Int, limit: Int) { self.init(extent: extent, limit: limit) { _ in true } }

  /// Tiles of which those that `liesInside` denies are edges.
  init(extent: Int, limit: Int, liesInside: (ClosedRange<Int>) -> Bool) {
    let tiles = RowTiles(rows: extent, limit: limit)
    var parts: [Part] = []
    var first = 0
    for number in 0..<tiles.count {
      let size = number < tiles.larger ? tiles.size + 1 : tiles.size
      defer { first += size }
      guard size > 0 else { continue }
      guard liesInside(first...(first + size - 1)) else {
        parts.append(.edge(first: first, size: size))
        continue
      }
      if case .run(let start, let count, size)? = parts.last {
        parts[parts.count - 1] = .run(first: start, count: count + 1, size: size)
      } else {
        parts.append(.run(first: first, count: 1, size: size))
      }
    }
    self.parts = parts
  }

  var count: Int { parts.reduce(0) { $0 + $1.tiles.count } }

  var edgeCount: Int {
    parts.count { !$0.tiles.isInside }
  }
}

extension LineTiles {
  /// The tiles of a task: `size` of them from `block` × `size` on.
  struct Block {
    var number: IntegerExpression
    var size: Int
  }

  /// Writes the tiles of a block, or all; `body` gets a tile's first position, how many there are, and whether all windows
  /// lie inside the base. The first position of an edge is fixed.
  func write(
    _ block: Block?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression, Int, Bool) -> Void
  ) {
    var before = 0
    for part in parts {
      let (first, count, size, isInside) = part.tiles
      defer { before += count }
      if block == nil && count == 1 {
        lowering.withScope { body(&$0, &b, IntegerExpression(first), size, isInside) }
        continue
      }
      let start = block.map { $0.number * $0.size - Extent(before) } ?? .zero
      let end = block.map { .minimum(start + $0.size, Extent(count)) } ?? Extent(count)
      b.loop(from: block == nil ? .zero : .maximum(start, .zero), to: end) { b, number, _ in
        if case .variable(let variable)? = number.atom { b.setBound(Extent(count), ofVariable: variable) }
        lowering.withScope { lowering in
          let position =
            count == 1
            ? IntegerExpression(first)
            : b.index(of: b.materialize(number * size + first, lanes: 1), bound: Extent(first + count * size))
          body(&lowering, &b, position, size, isInside)
        }
        return []
      }
    }
  }
}

extension WindowDimension {
  /// Whether each tap of the windows at these positions is an element of a base without holes.
  func liesInside(positions: ClosedRange<Int>, base: Int) -> Bool {
    guard baseDilation == 1, let taps = extent.fixed else { return false }
    return positions.lowerBound * stride >= paddingLow
      && positions.upperBound * stride + (taps - 1) * windowDilation - paddingLow < base
  }

  /// The taps that are elements of a base without holes when the window is at `position`.
  func tapRange(at position: IntegerExpression, base: Extent) -> (lower: IntegerExpression, upper: IntegerExpression) {
    let first = IntegerExpression(paddingLow) - position * stride
    let step = IntegerExpression(windowDilation)
    let lower = (first + (windowDilation - 1)).floorDivided(by: step)
    let upper = (first + base - 1).floorDivided(by: step) + 1
    return (.maximum(lower, .zero), .minimum(upper, extent))
  }

  /// Whether a tap of any window may fall on padding or into a hole.
  var hasEdges: Bool { paddingLow != 0 || paddingHigh != 0 || baseDilation != 1 }
}
