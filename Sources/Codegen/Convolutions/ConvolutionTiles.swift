import IR

/// Writes the tiles of one task of a convolution.
struct ConvolutionTiles {
  let product: ImplicitProduct
  let tasks: ConvolutionTasks
  let source: Memory
  let panels: Memory
  let outputs: [Memory]
  /// The task's position in the extents of `tasks`.
  let numbers: [IntegerExpression]

  private var shape: TileShape { product.shape }
  private var group: IntegerExpression { numbers[0] }
  private var windowCount: Int { product.windows.count }

  // MARK: Lines and columns

  func write(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    guard let extent = shape.outer.last else { return columns([], 1, &lowering, &b) }
    let outer = Array(numbers[3..<(2 + shape.outer.count)])
    let number = numbers[2 + shape.outer.count]
    guard shape.lines > 1 else { return columns(outer + [number], 1, &lowering, &b) }
    let first = number * shape.lines
    let last = IntegerExpression.minimum(first + shape.lines, extent)
    let whole = first + (last - first).floorDivided(by: Extent(shape.lines)) * shape.lines
    loop(from: first, to: whole, step: shape.lines, bound: extent, &lowering, &b) {
      columns(outer + [$2], shape.lines, &$0, &$1)
    }
    if extent.fixed.map({ $0 % shape.lines == 0 }) == true { return }
    loop(from: whole, to: last, step: 1, bound: extent, &lowering, &b) { columns(outer + [$2], 1, &$0, &$1) }
  }

  private func loop(
    from lower: IntegerExpression, to upper: IntegerExpression, step: Int, bound: Extent,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression) -> Void
  ) {
    b.loop(from: lower, to: upper, step: step) { b, variable, _ in
      if case .variable(let number)? = variable.atom { b.setBound(bound, ofVariable: number) }
      lowering.withScope { body(&$0, &b, variable) }
      return []
    }
  }

  /// The task's tiles of a line, or of `lines` lines at once.
  private func columns(
    _ line: [IntegerExpression], _ lines: Int, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let extent = shape.columns
    guard let tiles = shape.tiles else {
      var from = IntegerExpression.zero
      for size in [shape.limit, 4, 1] where size <= shape.limit {
        let whole = from + (extent - from).floorDivided(by: Extent(size)) * size
        loop(from: from, to: whole, step: size, bound: extent, &lowering, &b) {
          tile(Tile(line: line, lines: lines, first: $2, columns: size, isInside: true, number: nil), &$0, &$1)
        }
        from = whole
      }
      return
    }
    let isWhole = shape.columnBlocks == .one
    let block = numbers[numbers.count - 1] * shape.blockTiles
    var before = 0
    for part in tiles.parts {
      let (first, count, size, isInside) = part.tiles
      // The task's tiles among those of this part.
      let lower = isWhole ? .zero : IntegerExpression.maximum(block - Extent(before), .zero)
      let upper =
        isWhole ? Extent(count) : IntegerExpression.minimum(block + (shape.blockTiles - before), Extent(count))
      let firstNumber = isWhole ? IntegerExpression(before) : IntegerExpression(before) - block
      before += count
      if isWhole && count == 1 {
        tile(
          Tile(
            line: line, lines: lines, first: IntegerExpression(first), columns: size, isInside: isInside,
            number: firstNumber), &lowering, &b)
        continue
      }
      loop(from: lower, to: upper, step: 1, bound: Extent(count), &lowering, &b) { lowering, b, number in
        let start = count == 1 ? IntegerExpression(first) : number * size + first
        let position = b.position(start, in: extent)
        tile(
          Tile(
            line: line, lines: lines, first: position, columns: size, isInside: isInside,
            number: firstNumber + number), &lowering, &b)
      }
    }
  }

  // MARK: Tiles

  /// Some pixels that are multiplied at once.
  private struct Tile {
    /// The position in the spatial dimensions but the last; none where all pixels lie in one line.
    var line: [IntegerExpression]
    var lines: Int
    var first: IntegerExpression
    var columns: Int
    /// Whether no tap along the line falls on padding.
    var isInside: Bool
    /// Which of the task's tiles it is, where their number is known.
    var number: IntegerExpression?

    var rows: Int { lines * columns }
  }

  /// Image and position of each pixel.
  private func pixels(_ tile: Tile, _ b: KernelBuilder) -> [[IntegerExpression]] {
    (0..<tile.rows).map { row in
      let column = tile.first + (row % tile.columns)
      if shape.joinsImages { return b.unflattened(column, in: [product.batch] + product.spatial) }
      if shape.isFlat { return [numbers[2]] + b.unflattened(column, in: product.spatial) }
      var line = tile.line
      if !line.isEmpty { line[line.count - 1] += Extent(row / tile.columns) }
      return [numbers[2]] + line + [column]
    }
  }

  private func tile(_ tile: Tile, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let pixels = pixels(tile, b)
    let count = tasks.blockPanels
    if count == 1 { return multiply(tile, pixels, panel: numbers[1], &lowering, &b) }
    let first = numbers[1] * count
    let last = IntegerExpression.minimum(first + count, Extent(product.panelCount))
    loop(from: first, to: last, step: 1, bound: Extent(product.panelCount), &lowering, &b) {
      multiply(tile, pixels, panel: $2, &$0, &$1)
    }
  }

  private func multiply(
    _ tile: Tile, _ pixels: [[IntegerExpression]], panel: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let kernel = Microkernel(
      rows: tile.rows, vectors: shape.vectors, lanes: product.lanes, type: product.sumType, words: product.words)
    let start = (group * product.panelCount + panel) * product.depthCount * product.width
    let rows = ImplicitRows(
      product: product, source: source, panels: panels, group: group, pixels: pixels,
      panelStart: b.index(of: b.materialize(start, lanes: 1)), next: nextPanel(tile, panel, &b))
    let zero = b.constant(.zero(product.sumType), product.sumType, lanes: product.lanes)
    let initial = [Register](repeating: zero, count: kernel.rows * kernel.vectors)
    let sums = taps([], tile, rows, kernel, initial, &lowering, &b)
    store(kernel.byRow(sums), pixels, panel, &lowering, &b)
  }

  /// The panel in the same place of the next block, which the tiles of all tasks of the block fetch together.
  private func nextPanel(_ tile: Tile, _ panel: IntegerExpression, _ b: inout KernelBuilder) -> NextPanel? {
    guard !tasks.blocksAreNeighbours, product.groups > 1 || product.panelCount > tasks.blockPanels,
      let number = tile.number, let tiles = shape.tiles
    else { return nil }
    // Tasks of one block: images, lines, blocks of tiles. Where there are too many to count, each does for all.
    let (extents, places) = (tasks.extents.dropFirst(2), numbers.dropFirst(2))
    var (count, order) = (1, IntegerExpression.zero)
    for (extent, place) in zip(extents, places) {
      guard let fixed = extent.fixed else { continue }
      count *= fixed
      order = order * fixed + place
    }
    let tilesAtOnce = min(tiles.count, shape.blockTiles)
    let position = order * tilesAtOnce + number
    let start = (group * product.panelCount + panel + tasks.blockPanels) * product.depthCount * product.width
    return NextPanel(
      panels, at: start, tile: position, of: count * tilesAtOnce, depth: product.depthCount, width: product.width, &b)
  }

  /// Adds the products of all taps, of which `fixed` has those of the first dimensions; nil for dimensions whose taps are
  /// loops of the product itself.
  private func taps(
    _ fixed: [IntegerExpression?], _ tile: Tile, _ rows: ImplicitRows, _ kernel: Microkernel, _ sums: [Register],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let d = fixed.count
    let all = Array(0..<kernel.rows)
    guard d < windowCount else { return rows.adding(to: sums, all, kernel, at: fixed, &lowering, &b) }
    let window = product.windows[d]
    if d == windowCount - 1, !tile.isInside {
      var sums = sums
      for tap in 0..<(window.extent.fixed ?? 0) {
        let valid = all.filter { rows.isInside($0, tap: tap) }
        if valid.isEmpty { continue }
        sums = rows.adding(to: sums, valid, kernel, at: fixed + [IntegerExpression(tap)], &lowering, &b)
      }
      return sums
    }
    guard d < windowCount - 1, window.hasEdges else {
      return taps(fixed + [nil], tile, rows, kernel, sums, &lowering, &b)
    }
    let (lower, upper) = window.tapRange(at: tile.line[d], base: product.sourceType.dimensions[d + 1])
    return b.loop(from: lower, to: upper, carrying: sums) { b, variable, sums in
      if case .variable(let number)? = variable.atom { b.setBound(window.extent, ofVariable: number) }
      return lowering.withScope { taps(fixed + [variable], tile, rows, kernel, sums, &$0, &b) }
    }
  }

  private func store(
    _ sums: [[Register]], _ pixels: [[IntegerExpression]], _ panel: IntegerExpression,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let isWhole = product.groupOutputs % product.width == 0
    for (row, vectors) in sums.enumerated() {
      for (v, sum) in vectors.enumerated() {
        let feature = panel * product.width + v * product.lanes + .lane
        let mask = isWhole ? nil : b.isWithin(feature, Extent(product.groupOutputs), lanes: product.lanes)
        let index = product.resultIndex(
          image: pixels[row][0], pixel: Array(pixels[row].dropFirst()),
          feature: group * product.groupOutputs + feature)
        product.epilogue.store(sum, of: product.anchor, at: index, mask: mask, outputs: outputs, &lowering, &b)
      }
    }
  }
}

/// Where the elements of some rows of the implicit matrix lie, over the depth: window and input features.
private struct ImplicitRows {
  let product: ImplicitProduct
  let source: Memory
  let panels: Memory
  let group: IntegerExpression
  let pixels: [[IntegerExpression]]
  let panelStart: IntegerExpression
  let next: NextPanel?

  /// Whether a tap along the line is an element of the row's image.
  func isInside(_ row: Int, tap: Int) -> Bool {
    let last = product.windows.count - 1
    let window = product.windows[last]
    guard let position = pixels[row][last + 1].fixed, let base = product.sourceType.dimensions[last + 1].fixed else {
      return true
    }
    return (0..<base).contains(position * window.stride + tap * window.windowDilation - window.paddingLow)
  }

  /// The position of the row's element at the first tap and feature.
  private func start(_ row: Int) -> IntegerExpression {
    let strides = product.sourceType.strides
    var image = pixels[row][0]
    if product.convolution.batchGroupCount > 1 { image += group * product.batch }
    var position = image * strides[0]
    for (d, window) in product.windows.enumerated() {
      position += (pixels[row][d + 1] * window.stride - IntegerExpression(window.paddingLow)) * strides[d + 1]
    }
    if product.convolution.featureGroupCount > 1 { position += group * product.groupInputs }
    return position
  }

  /// One loop over a part of the depth: its extent, and how far a step goes in the source and in the panel's rows.
  private struct Steps {
    var extent: Extent
    var source: Extent
    var panel: Extent
  }

  /// The sums of some rows, with the products of all taps in the dimensions where `taps` is nil added, and of the given
  /// ones in the others.
  func adding(
    to sums: [Register], _ rows: [Int], _ kernel: Microkernel, at taps: [IntegerExpression?],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let strides = product.sourceType.strides
    let inner = product.depthStrides
    var (sourceStart, panelRow) = (IntegerExpression.zero, IntegerExpression.zero)
    var steps: [Steps] = []
    for (d, window) in product.windows.enumerated() {
      let (source, panel) = (strides[d + 1] * window.windowDilation, window.isReversed ? inner[d] * -1 : inner[d])
      if window.isReversed { panelRow += (window.extent - 1) * inner[d] }
      if let tap = taps[d] {
        sourceStart += tap * source
        panelRow += tap * panel
      } else {
        steps.append(Steps(extent: window.extent, source: source, panel: panel))
      }
    }
    steps.append(Steps(extent: product.featureSteps, source: Extent(product.stepLength), panel: .one))
    let loops = Self.merged(steps)
    let starts = pixels.indices.map { start($0) + sourceStart }
    return kernel.adding(
      to: sums, rows: rows, over: loops.map(\.extent), &lowering, &b,
      row: { _, b, row, at in
        let position = zip(at, loops).reduce(starts[row]) { $0 + $1.0 * $1.1.source }
        return product.words == nil
          ? b.load(source, at: position.recombiningQuotients, lanes: product.lanes)
          : b.word(source, at: position.recombiningQuotients)
      },
      panel: { _, b, vector, at in
        let row = zip(at, loops).reduce(panelRow) { $0 + $1.0 * $1.1.panel }
        if vector == 0 { next?.fetch(beside: row, b.elementType(of: panels).byteCount, &b) }
        let position = panelStart + row * product.width + vector * product.lanes
        return b.load(panels, at: position + .lane, lanes: product.lanes)
      })
  }

  /// The loops with neighbours that are one contiguous piece of source and panel joined.
  private static func merged(_ steps: [Steps]) -> [Steps] {
    var result: [Steps] = []
    for step in steps.reversed() where step.extent != .one {
      if let inner = result.last, step.source == inner.source * inner.extent, step.panel == inner.panel * inner.extent {
        result[result.count - 1].extent = step.extent * inner.extent
      } else {
        result.append(step)
      }
    }
    return result.reversed()
  }
}
