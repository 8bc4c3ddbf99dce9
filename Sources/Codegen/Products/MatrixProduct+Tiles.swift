import IR

/// The product in register tiles: a scalar of every row times vectors along the columns.
extension MatrixProduct {
  func tiles(_ tiling: Tiling, _ left: Left, _ right: Right) -> ScheduledFusion.Launch {
    let limit = tiling.limit
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var (buffers, packed) = addInputs(left, right, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)

    // Task: batch, block of rows, panel; panels innermost, so that a block of rows stays in the cache.
    let blockRows = self.blockRows(limit: limit)
    let tiles = rowCount.fixed.map { RowTiles(rows: $0, limit: limit) }
    let blockCount: Extent =
      tiles.map { Extent(($0.count + blockRows / limit - 1) / (blockRows / limit)) }
      ?? (rowCount + (blockRows - 1)).floorDivided(by: Extent(blockRows))
    // Blocks are of one size, for threads to have the same.
    let blockTiles = tiles.flatMap { tiles in blockCount.fixed.map { (tiles.count + $0 - 1) / $0 } } ?? 1
    let taskCount = batchCount * blockCount * tiling.panelCount
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let panel = b.position(
      IntegerExpression.task.modulo(tiling.panelCount, bound: { [b] in b.bound(of: $0) }), in: tiling.panelCount)
    let rest = IntegerExpression.task.floorDivided(by: tiling.panelCount)
    let block = b.position(rest.modulo(blockCount, bound: { [b] in b.bound(of: $0) }), in: blockCount)
    let batchNumber = b.position(rest.floorDivided(by: blockCount), in: batchCount)
    let place = Place(
      packed: packed, outputs: outputs, panel: panel, batch: b.unflattened(batchNumber, in: batch),
      batchNumber: batchNumber, tiling: tiling, tilesAtOnce: tiles.map { min(blockTiles, $0.count) })

    if let tiles {
      let first = block * blockTiles
      let last = IntegerExpression.minimum(first + blockTiles, Extent(tiles.count))
      let split = IntegerExpression.minimum(IntegerExpression.maximum(first, Extent(tiles.larger)), last)
      if tiles.larger > 0 {
        loopOverTiles(first, split, rows: tiles.size + 1, place, from: first, &lowering, &b) {
          $0 * (tiles.size + 1)
        }
      }
      if tiles.larger < tiles.count, tiles.size > 0 {
        loopOverTiles(split, last, rows: tiles.size, place, from: first, &lowering, &b) {
          $0 * tiles.size + IntegerExpression(tiles.larger)
        }
      }
    } else {
      let divisor = blockCount * limit
      let rows = b.position((rowCount + (divisor - 1)).floorDivided(by: divisor) * limit, in: Extent(blockRows + 1))
      let first = b.position(block * rows, in: rowCount)
      let last = b.index(of: b.materialize(.minimum(first + rows, rowCount), lanes: 1))
      var from = first
      for size in [limit, 8, 4, 2, 1] where size <= limit {
        let count = (last - from).floorDivided(by: Extent(size))
        let start = from
        loopOverTiles(.zero, count, rows: size, place, from: .zero, &lowering, &b) { start + $0 * size }
        from = from + count * size
      }
    }
    let rowsAtOnce = rowCount.fixed.map { min($0, blockRows) } ?? blockRows
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount,
      taskCost: stepCount * 2 * rowsAtOnce * tiling.vectors)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// Rows of which a task multiplies all with a panel: as many as stay in the second-level cache. Where all panels do, fewer:
  /// a thread then has some rows with all columns, and mostly wrote them itself.
  private func blockRows(limit: Int) -> Int {
    let cache = request.target.l2ByteCount / 2
    let depthBytes = max(1, (stepCount.fixed ?? 512) * sumType.byteCount)
    let most = max(1, cache / depthBytes / limit) * limit
    let keepsPanels = columnCount.fixed.map { $0 * depthBytes <= cache } ?? false
    return keepsPanels ? min(most, (Self.leastBlockRows + limit - 1) / limit * limit) : most
  }

  /// Rows that pay for reading a panel from the second-level cache.
  private static let leastBlockRows = 128

  private struct Place {
    var packed: PackedMemory
    var outputs: [Memory]
    var panel: IntegerExpression
    var batch: [IntegerExpression]
    var batchNumber: IntegerExpression
    var tiling: Tiling
    /// Tiles that a task multiplies with one panel, where that is known.
    var tilesAtOnce: Int?
  }

  /// Tiles that share the next panel where it is not known how many there are.
  private static let assumedTiles = 8

  private func loopOverTiles(
    _ first: IntegerExpression, _ last: IntegerExpression, rows count: Int, _ place: Place,
    from firstOfTask: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    row: (IntegerExpression) -> IntegerExpression
  ) {
    b.loop(from: first, to: last) { b, tile, _ in
      let assumed = IntegerExpression(Self.assumedTiles)
      let number =
        place.tilesAtOnce == nil ? tile.modulo(assumed, bound: { [b] in b.bound(of: $0) }) : tile - firstOfTask
      lowering.withScope { tileBody(row(tile), number, count, place, &$0, &b) }
      return []
    }
  }

  private func tileBody(
    _ firstRow: IntegerExpression, _ number: IntegerExpression, _ count: Int, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let (vectors, width) = (place.tiling.vectors, place.tiling.width)
    let kernel = Microkernel(rows: count, vectors: vectors, lanes: lanes, type: sumType, words: words)
    let base = b.index(of: b.materialize(firstRow, lanes: 1), bound: rowCount)
    let indices = (0..<count).map { b.unflattened(base + $0, in: rows) }
    let isWhole = columnCount.fixed.map { $0 % width == 0 } ?? false
    let panelColumns = (0..<vectors).map { place.panel * width + $0 * lanes + .lane }
    let masks = panelColumns.map { isWhole ? nil : b.isWithin($0, columnCount, lanes: lanes) }
    let packedRow = place.packed.left.map { packedScalar($0, base, place, &b) }
    let packedColumns = place.packed.right.map { packedVector($0, number, place, &b) }
    let sums = kernel.sums(
      over: steps, &lowering, &b,
      row: { lowering, b, r, at in
        if let packedRow { return packedRow(&b, r, at) }
        return scalar(place.batch, indices[r], at, &lowering, &b)
      },
      panel: { lowering, b, v, at in
        if let packedColumns { return packedColumns(&b, v, at) }
        let index = columnIndex(place.batch, b.unflattened(panelColumns[v], in: columns), at)
        return lowering.element(of: rhs, at: index, mask: masks[v], in: &b)
      })
    for (r, vectorsOfRow) in sums.enumerated() {
      for (v, sum) in vectorsOfRow.enumerated() {
        let index = resultIndex(place.batch, indices[r], b.unflattened(panelColumns[v], in: columns))
        epilogue.store(sum, of: anchor, at: index, mask: masks[v], outputs: place.outputs, &lowering, &b)
      }
    }
  }

  /// The left operand's element at a step, or its word.
  private func scalar(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ at: [IntegerExpression],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    guard let pieces else { return lowering.element(of: lhs, at: rowIndex(batch, row, at), in: &b) }
    let elements = pieces.elements(of: at[0], isContiguous: true, mask: nil, &lowering, &b) {
      lowering, b, depth, mask in
      lowering.element(of: lhs, at: rowIndex(batch, row, depth), mask: mask, in: &b)
    }
    return b.words(elements)
  }

  /// What a row has at a step, from the packed left operand.
  private func packedScalar(
    _ memory: Memory, _ firstRow: IntegerExpression, _ place: Place, _ b: inout KernelBuilder
  ) -> (inout KernelBuilder, Int, [IntegerExpression]) -> Register {
    let start = b.index(of: b.materialize((place.batchNumber * rowCount + firstRow) * stepCount, lanes: 1))
    return { b, r, at in b.load(memory, at: start + stepCount * r + stepNumber(at), lanes: 1) }
  }

  /// A vector of a packed panel; the next panel is fetched beside.
  private func packedVector(
    _ memory: Memory, _ tile: IntegerExpression, _ place: Place, _ b: inout KernelBuilder
  ) -> (inout KernelBuilder, Int, [IntegerExpression]) -> Register {
    let width = place.tiling.width
    let byteCount = b.elementType(of: memory).byteCount
    let panelBase = (place.batchNumber * place.tiling.panelCount + place.panel) * stepCount * width
    let start = b.index(of: b.materialize(panelBase, lanes: 1))
    let panels = batchCount * place.tiling.panelCount * stepCount * width
    let next = NextPanel(
      memory, at: start + stepCount * width, tile: tile, of: place.tilesAtOnce ?? Self.assumedTiles,
      depth: stepCount, width: width,
      allPanels: rowCount == .one ? panels.fixed.map { Double($0) * Double(byteCount) } : nil, &b)
    return { b, v, at in
      let step = stepNumber(at)
      if v == 0 { next?.fetch(beside: step, byteCount, &b) }
      return b.load(memory, at: start + step * width + v * lanes + .lane, lanes: lanes)
    }
  }
}
