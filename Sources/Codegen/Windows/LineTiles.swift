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

  private let tiles: RowTiles
  /// The numbers of the tiles whose windows lie inside the base.
  private let inside: Range<Int>

  /// Tiles of at most `limit` of the `extent` positions of `window` over a base of `base` elements.
  init(extent: Int, limit: Int, window: WindowDimension, base: Int) {
    self.init(extent: extent, limit: limit, inside: window.positionsInside(base: base))
  }

  /// Tiles of positions that have no edges.
  init(extent: Int, limit: Int) { self.init(extent: extent, limit: limit, inside: 0..<extent) }

  /// Tiles of which those are edges that have a position outside of `positions`.
  init(extent: Int, limit: Int, inside positions: Range<Int>) {
    tiles = RowTiles(rows: extent, limit: limit)
    let first = tiles.firstTile(from: positions.lowerBound)
    inside = first..<max(first, tiles.tileCount(before: positions.upperBound))
  }

  /// In the order of their positions; each edge is a part.
  var parts: [Part] {
    func edges(_ numbers: Range<Int>) -> [Part] {
      numbers.map { .edge(first: tiles.first(of: $0), size: tiles.size(of: $0)) }
    }
    if isEmpty { return [] }
    let runs = runs.map { numbers in
      let first = numbers.lowerBound
      return Part.run(first: tiles.first(of: first), count: numbers.count, size: tiles.size(of: first))
    }
    return edges(0..<inside.lowerBound) + runs + edges(inside.upperBound..<tiles.count)
  }

  /// The numbers of the tiles inside, those of one size together.
  private var runs: [Range<Int>] {
    [0..<tiles.larger, tiles.larger..<tiles.count].map { inside.clamped(to: $0) }.filter { !$0.isEmpty }
  }

  private var isEmpty: Bool { tiles.size(of: 0) == 0 }

  var count: Int { isEmpty ? 0 : tiles.count }

  /// Parts of one tile each; to be looked at before `parts` where a window may have more padding than base.
  var edgeCount: Int { count - (isEmpty ? 0 : inside.count) }

  var partCount: Int { isEmpty ? 0 : edgeCount + runs.count }
}

extension RowTiles {
  /// The first row of a tile, and how many it has.
  fileprivate func first(of tile: Int) -> Int { tile * size + min(tile, larger) }
  fileprivate func size(of tile: Int) -> Int { tile < larger ? size + 1 : size }

  /// The first tile all of whose rows are `row` or later ones; `count` where none is.
  fileprivate func firstTile(from row: Int) -> Int {
    if row <= 0 { return 0 }
    let before = tileCount(before: row)
    return before < count && first(of: before) < row ? before + 1 : before
  }

  /// The tiles that end before `row`.
  fileprivate func tileCount(before row: Int) -> Int {
    if row <= 0 { return 0 }
    if row / (size + 1) < larger { return row / (size + 1) }
    return size == 0 ? count : min(count, larger + (row - larger * (size + 1)) / size)
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
  /// The positions at which each tap of the window is an element of a base without holes.
  func positionsInside(base: Int) -> Range<Int> {
    guard baseDilation == 1, let taps = extent.fixed else { return 0..<0 }
    let first = paddingLow > 0 ? (paddingLow - 1) / stride + 1 : 0
    let reach = max(0, taps - 1) * windowDilation
    let room = base + paddingLow - reach
    return first..<max(first, room > 0 ? (room - 1) / stride + 1 : 0)
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
