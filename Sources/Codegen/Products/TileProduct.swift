import IR

/// The left operand of a product in tiles: where its tiles lie, and which of the result's rows they give.
///
/// A block is 32 rows and 32 steps of the depth, each tile 16 rows of 32 elements one after the other.
protocol TileRows {
  var batchCount: Extent { get }
  /// Blocks of rows in a batch, and of the depth.
  var blockCount: Extent { get }
  var depthBlockCount: Extent { get }
  /// Rows in a batch; the last block may have fewer than 32.
  var rowCount: Extent { get }
  /// Bytes of the parts that belong to one block of rows; of symbolic depths a guess.
  var blockByteCount: Int { get }

  /// Where a tile begins: `half` is its place in the block of 32 rows.
  func position(
    batch: IntegerExpression, block: IntegerExpression, depthBlock: IntegerExpression, part: Int, half: Int,
    _ b: inout KernelBuilder
  ) -> IntegerExpression

  /// Where the inverse of a row's scale is.
  func scalePosition(batch: IntegerExpression, row: IntegerExpression) -> IntegerExpression

  /// The index of a row's results in the anchor's dimensions, given that of the column; `isResult` says whether the row
  /// has results at all, nil for always.
  func results(
    batch: IntegerExpression, row: IntegerExpression, column: IntegerExpression, _ b: inout KernelBuilder
  ) -> [IntegerExpression]
  func isResult(row: IntegerExpression, _ b: inout KernelBuilder) -> Register?
}

/// The product of two split operands in tiles of 32 × 32, with what follows it done on f32 vectors.
struct TileProduct<Rows: TileRows> {
  /// What the kernel reads beside the epilogue's operands.
  struct Operands {
    var rows: ScheduledFusion.Argument
    var columns: ScheduledFusion.Argument
    /// What sums are multiplied by, where the scheme scales: for each row, and for each column.
    var rowScales: ScheduledFusion.Argument?
    var columnScales: ScheduledFusion.Argument?
  }

  let request: SchedulingRequest
  let anchor: ValueID
  let epilogue: Epilogue
  let scheme: SplitScheme
  let rows: Rows
  /// The right operand's layout, and how many columns it has.
  let columns: SplitLayout
  let columnCount: Extent

  private static var lanes: Int { Tile.laneCount }
  private static var block: Int { SplitLayout.block }
  /// f32 elements of the sums of one block of rows.
  private static var sumElementCount: Int { block * block }
  /// What it takes to read a vector of stored sums back and store what follows, in operations of an f32 kernel.
  private static var sumCost: Int { 40 }

  /// The most blocks of rows whose parts stay in half of the second-level cache; fewer where groups of one size have
  /// fewer.
  private var groupSize: Int {
    let most = SplitScheme.groupSize(blockByteCount: rows.blockByteCount, request.target)
    guard let count = rows.blockCount.fixed, count > 0 else { return most }
    let groups = (count + most - 1) / most
    return (count + groups - 1) / groups
  }

  private struct Place {
    var rowParts: Memory
    var columnParts: Memory
    var scales: (rows: Memory, columns: Memory)?
    var outputs: [Memory]
    /// Those of two blocks of rows, in turns.
    var sums: Memory
    var batchNumber: IntegerExpression
    var firstBlock: IntegerExpression
    /// Blocks of rows in this group.
    var blockCount: IntegerExpression
    var panel: IntegerExpression
  }

  func launch(_ operands: Operands) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(Self.lanes), ofVariable: -1)
    let isRead = request.parametersRead(after: anchor)
    var buffers = OperandBuffers(of: request, &b) { isRead[$0] }
    let rowParts = buffers.read(operands.rows, scheme.elementType, "rows", &b)
    let columnParts = buffers.read(operands.columns, scheme.elementType, "columns", &b)
    var scales: (rows: Memory, columns: Memory)?
    if scheme.isScaled, let rows = operands.rowScales, let columns = operands.columnScales {
      scales = (buffers.read(rows, .f32, "rowScales", &b), buffers.read(columns, .f32, "columnScales", &b))
    }
    let outputs = buffers.addResults(of: request, &b)
    let sums = b.addScratch(.f32, count: 2 * Self.sumElementCount)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: Self.lanes)

    // Panels innermost, so that a group of rows stays in the cache.
    let groupCount = (rows.blockCount + (groupSize - 1)).floorDivided(by: Extent(groupSize))
    let extents = [rows.batchCount, groupCount, columns.blockCount]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let firstBlock = numbers[1] * groupSize
    let left = rows.blockCount - firstBlock
    let blockCount = IntegerExpression.minimum(left, Extent(groupSize), bound: { [b] in b.bound(of: $0) })
    let place = Place(
      rowParts: rowParts, columnParts: columnParts, scales: scales, outputs: outputs, sums: sums,
      batchNumber: numbers[0], firstBlock: firstBlock,
      blockCount: blockCount.isFixed
        ? blockCount : b.index(of: b.materialize(blockCount, lanes: 1), bound: Extent(groupSize + 1)),
      panel: numbers[2])
    multiply(.zero, place, beside: nil, &lowering, &b)
    b.loop(from: .one, to: place.blockCount) { b, number, _ in
      lowering.withScope { multiply(number, place, beside: number - 1, &$0, &b) }
      return []
    }
    lowering.withScope { finish(place.blockCount - 1, place, &$0, &b) }
    let kernel = b.kernel(
      name: "\(request.name)_tiles", sources: request.sources, taskCount: taskCount, taskCost: taskCost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private var taskCost: Extent {
    // One of the f32 kernel's operations is a vector's; tiles do `speed` times as many in the same time.
    let operations = Double(2 * groupSize * Self.block * Self.block / Self.lanes) / scheme.speed
    return rows.depthBlockCount * (Self.block * max(1, Int(operations)))
      + Extent(groupSize * Self.sumElementCount / Self.lanes * Self.sumCost)
  }

  // MARK: Sums

  /// Multiplies a block of the group's rows, and stores what follows from the sums of the one before, which belongs to
  /// no last block of rows, so that all its rows are there.
  ///
  /// Products in tiles leave the processor's other units free. They begin with one block of the depth alone, while the sums
  /// of the block before are on their way to memory.
  private func multiply(
    _ number: IntegerExpression, _ place: Place, beside previous: IntegerExpression?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let block = b.position(place.firstBlock + number)
    for sum in 0..<4 { b.append(.tile(.zero(Tile(sum)))) }
    func multiply(_ depthBlock: IntegerExpression, _ b: inout KernelBuilder) {
      b.multiplyTiles(
        scheme,
        rows: { part, half, b in
          let position = rows.position(
            batch: place.batchNumber, block: block, depthBlock: depthBlock, part: part, half: half, &b)
          return (place.rowParts, position)
        },
        columns: { part, half, _ in
          let position = columns.position(
            batch: place.batchNumber, block: place.panel, depthBlock: depthBlock, part: part,
            half: IntegerExpression(half))
          return (place.columnParts, position)
        })
    }
    // Beside a depth that is open, or longer than a block has rows, nothing is stored.
    let depthCount = rows.depthBlockCount.fixed ?? .max
    let alone = depthCount > 1 ? 1 : 0
    let rowsBeside = previous == nil ? 0 : Self.block / max(1, depthCount - alone)
    if let previous, rowsBeside > 0 {
      b.loop(to: Extent(alone)) { b, depthBlock, _ in
        multiply(depthBlock, &b)
        return []
      }
      let firstRow = b.position((place.firstBlock + previous) * Self.block)
      let sums = sums(of: previous, &b)
      func finish(_ inBlock: IntegerExpression, _ b: inout KernelBuilder) {
        lowering.withScope { self.finish(firstRow + inBlock, sums + inBlock * Self.block, place, &$0, &b) }
      }
      b.loop(from: Extent(alone), to: Extent(depthCount)) { b, depthBlock, _ in
        b.interleaved { b in
          multiply(depthBlock, &b)
        } _: { b in
          for row in 0..<rowsBeside { finish((depthBlock - alone) * rowsBeside + row, &b) }
        }
        return []
      }
      b.loop(from: Extent((depthCount - alone) * rowsBeside), to: Extent(Self.block)) { b, row, _ in
        finish(row, &b)
        return []
      }
    } else {
      b.loop(to: rows.depthBlockCount) { b, depthBlock, _ in
        multiply(depthBlock, &b)
        return []
      }
      if let previous { self.finish(previous, place, &lowering, &b) }
    }
    let sums = sums(of: number, &b)
    for sum in 0..<4 {
      let position = sums + IntegerExpression(sum / 2 * Tile.rowCount * Self.block + sum % 2 * Self.lanes)
      b.append(.tile(.store(Tile(sum), place.sums, at: position, stride: Extent(Self.block))))
    }
  }

  /// Where the sums of a block of the group's rows begin.
  private func sums(of number: IntegerExpression, _ b: inout KernelBuilder) -> IntegerExpression {
    b.position(number.modulo(2, bound: { [b] in b.bound(of: $0) }) * Self.sumElementCount)
  }

  // MARK: Results

  /// Scales the sums of a block of the group's rows back where they are scaled, and stores what follows from them.
  private func finish(
    _ number: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let firstRow = b.position((place.firstBlock + number) * Self.block)
    let sums = sums(of: number, &b)
    let count = IntegerExpression.minimum(rows.rowCount - firstRow, Extent(Self.block))
    let isWhole = rows.rowCount.fixed.map { $0 % Self.block == 0 } ?? false
    let limit = isWhole ? Extent(Self.block) : b.index(of: b.materialize(count, lanes: 1))
    b.loop(to: limit) { b, inBlock, _ in
      lowering.withScope { finish(firstRow + inBlock, sums + inBlock * Self.block, place, &$0, &b) }
      return []
    }
  }

  /// The same for one row, if it has results.
  private func finish(
    _ row: IntegerExpression, _ sums: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let row = b.index(of: b.materialize(row, lanes: 1), bound: rows.rowCount)
    if let isResult = rows.isResult(row: row, &b) {
      b.branch(isResult, then: { b in lowering.withScope { store(row, sums, place, &$0, &b) } })
    } else {
      lowering.withScope { store(row, sums, place, &$0, &b) }
    }
  }

  private func store(
    _ row: IntegerExpression, _ sums: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let rowScale = place.scales.map { scales in
      b.load(scales.rows, at: rows.scalePosition(batch: place.batchNumber, row: row), lanes: 1)
    }
    for half in 0..<2 {
      let inBlock = IntegerExpression(half * Self.lanes) + .lane
      var value = b.load(place.sums, at: sums + inBlock, lanes: Self.lanes)
      if let rowScale, let scales = place.scales {
        let position = (place.batchNumber * columns.blockCount + place.panel) * Self.block + inBlock
        let columnScale = b.load(scales.columns, at: position, lanes: Self.lanes)
        value = b.apply(.multiply, [b.apply(.multiply, [value, rowScale]), columnScale])
      }
      let column = place.panel * Self.block + inBlock
      let mask = b.isWithin(column, columnCount, lanes: Self.lanes)
      let index = rows.results(batch: place.batchNumber, row: row, column: column, &b)
      epilogue.store(value, of: anchor, at: index, mask: mask, outputs: place.outputs, &lowering, &b)
    }
  }
}

/// The rows of a contraction: an operand that was split row by row.
struct SplitRows: TileRows {
  let splitting: OperandSplitting
  /// The extents of the columns in the anchor.
  let columns: [Extent]

  var batchCount: Extent { splitting.operand.batchCount }
  var blockCount: Extent { splitting.layout.blockCount }
  var depthBlockCount: Extent { splitting.layout.depthBlockCount }
  var rowCount: Extent { splitting.operand.lineCount }
  var blockByteCount: Int { (depthBlockCount.fixed ?? 32) * splitting.layout.stepElementCount * 2 }

  func position(
    batch: IntegerExpression, block: IntegerExpression, depthBlock: IntegerExpression, part: Int, half: Int,
    _ b: inout KernelBuilder
  ) -> IntegerExpression {
    splitting.layout.position(
      batch: batch, block: block, depthBlock: depthBlock, part: part, half: IntegerExpression(half))
  }

  func scalePosition(batch: IntegerExpression, row: IntegerExpression) -> IntegerExpression {
    batch * blockCount * SplitLayout.block + row
  }

  func results(
    batch: IntegerExpression, row: IntegerExpression, column: IntegerExpression, _ b: inout KernelBuilder
  ) -> [IntegerExpression] {
    b.unflattened(batch, in: splitting.operand.batch) + b.unflattened(row, in: splitting.operand.lines)
      + b.unflattened(column, in: columns)
  }

  func isResult(row: IntegerExpression, _ b: inout KernelBuilder) -> Register? { nil }
}
