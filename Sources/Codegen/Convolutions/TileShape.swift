import IR

/// The register tile of a convolution: some columns of a line, or all columns of some lines.
///
/// Pixels of windows of one tap lie in one line, with all images where their number is known.
struct TileShape {
  /// The most taps along a line that are written out for tiles at the edge of an image.
  private static let edgeTapLimit = 16
  /// The most tiles of a line that lie at an edge.
  private static let edgeLimit = 4
  /// What a core reads of the third-level cache in a cycle while it multiplies.
  private static let l3BytesPerCycle = 12.0

  /// Whether the pixels of an image lie in one line.
  let isFlat: Bool
  /// Whether those of all images do.
  let joinsImages: Bool
  /// Images that are counted apart.
  let images: Extent
  /// The spatial dimensions but the last.
  let outer: [Extent]
  /// Pixels of a line.
  let columns: Extent
  let vectors: Int
  /// The most columns a tile has.
  let limit: Int
  /// How a line is cut, if its extent is fixed.
  let tiles: LineTiles?
  /// Lines in a tile.
  let lines: Int
  /// Tiles of one line in a task.
  let blockTiles: Int

  /// Nil where tiles cannot tell which taps fall on padding.
  ///
  /// `source` has batch, space and features, `features` of them in a group; `spatial` are the extents of the result.
  init?(
    _ windows: [WindowDimension], over source: TensorType, _ features: Extent, to spatial: [Extent], _ batch: Extent,
    _ outputs: Int, _ lanes: Int, _ target: Target
  ) {
    let hasEdges = windows.contains(where: \.hasEdges)
    guard windows.allSatisfy({ $0.baseDilation == 1 }) else { return nil }
    isFlat = !hasEdges && windows.allSatisfy { $0.extent == .one && $0.stride == 1 }
    joinsImages = isFlat && batch.isFixed
    images = joinsImages ? .one : batch
    outer = isFlat ? [] : Array(spatial.dropLast())
    columns = isFlat ? spatial.reduce(joinsImages ? batch : .one) { $0 * $1 } : spatial[spatial.count - 1]
    let height = hasEdges ? 1 : outer.last?.fixed ?? 1
    let pitch = source.dimensions[windows.count + 1].fixed.map {
      $0 &* windows[windows.count - 1].stride &* source.elementType.byteCount
    }
    let depth = windows.reduce(features) { $0 * $1.extent }
    vectors = Self.vectors(
      outputs, depth: depth.fixed ?? LoopNest.assumedExtent,
      pixels: columns.fixed.map { $0 * ($0 < Microkernel.accumulatorLimit(target) ? height : 1) },
      pitch: pitch, lanes, target)
    let limit = Microkernel.rowLimit(vectors: vectors, target)
    self.limit = limit
    let window = windows[windows.count - 1]
    if isFlat {
      tiles = columns.fixed.map { LineTiles(extent: $0, limit: limit) }
    } else if let extent = columns.fixed, let base = source.dimensions[windows.count].fixed {
      tiles = LineTiles(extent: extent, limit: limit, window: window, base: base)
    } else {
      tiles = nil
    }
    if hasEdges {
      guard let tiles, tiles.edgeCount <= Self.edgeLimit, let taps = window.extent.fixed, taps <= Self.edgeTapLimit
      else { return nil }
    }
    lines = columns.fixed.map { $0 > 0 ? max(1, min(height, limit / $0)) : 1 } ?? 1
    blockTiles = outer.isEmpty ? max(1, 112 / limit) : .max >> 40
  }

  /// Tasks for the lines of the innermost outer dimension.
  var lineGroups: Extent {
    guard let extent = outer.last else { return .one }
    return lines == 1 ? extent : (extent + (lines - 1)).floorDivided(by: Extent(lines))
  }

  var columnBlocks: Extent {
    guard let tiles else { return .one }
    return Extent(max(1, (tiles.count + blockTiles - 1) / blockTiles))
  }

  /// The vectors in a tile that take the fewest cycles for all tiles.
  ///
  /// A step multiplies each row with each vector, two products a cycle; it loads as many elements as there are rows and
  /// vectors, nearly two a cycle; and an accumulator is ready again after four cycles. Where each of these is an
  /// instruction, small cores begin three in a cycle. Pixels, `pitch` bytes apart, that push each other out of the
  /// first-level cache are read from the second. A panel that does not stay in the second-level cache is read from the third,
  /// for every tile.
  private static func vectors(
    _ outputs: Int, depth: Int, pixels: Int?, pitch: Int?, _ lanes: Int, _ target: Target
  ) -> Int {
    let needed = max(1, (outputs + lanes - 1) / lanes)
    func cycles(_ vectors: Int) -> Double {
      let limit = Microkernel.rowLimit(vectors: vectors, target)
      let tiles = pixels.map { max(1, ($0 + limit - 1) / limit) } ?? 1
      let rows = Double(pixels ?? limit) / Double(tiles)
      let products = rows * Double(vectors) / 2
      let loads = (rows + Double(vectors)) * 0.6
      let instructions = target.hasLaneFactors ? 2 * products + rows + Double(vectors) / 2 : 0
      let panels = Double((needed + vectors - 1) / vectors)
      let collide = pitch.map { target.rowsCollide(Int(rows.rounded(.up)), pitch: $0) } ?? false
      let panelStep = vectors * target.vectorByteCount
      let isFar = depth > target.l2ByteCount / 4 * 3 / panelStep
      let arrival = isFar ? Double(panelStep) / Self.l3BytesPerCycle : 0
      let step = max(products, loads, instructions / 3, arrival, 4) + (collide ? rows / 4 : 0)
      return panels * Double(tiles) * step / (pixels == nil ? Double(limit) : 1)
    }
    // Two is the best compromise where there is nothing to gain.
    let candidates = [2, 3, 4, 1].filter { $0 <= needed }
    return candidates.min { cycles($0) < cycles($1) - 1e-9 } ?? 1
  }
}
