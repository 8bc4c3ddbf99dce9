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
    var rowScales: ScheduledFusion.Argument
    var columns: ScheduledFusion.Argument
    var columnScales: ScheduledFusion.Argument
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

  /// The most blocks of rows whose parts stay in half of the second-level cache, and whose sums fit 64 KiB; fewer where groups
  /// of one size have fewer.
  private var groupSize: Int {
    let most = max(1, min(16, request.target.l2ByteCount / 2 / max(1, rows.blockByteCount)))
    guard let count = rows.blockCount.fixed, count > 0 else { return most }
    let groups = (count + most - 1) / most
    return (count + groups - 1) / groups
  }

  /// Blocks of the depth after which the sums are put aside, so that a panel of columns stays in the first-level cache
  /// for all rows of a group.
  private var depthBlocksAtOnce: Int {
    max(1, request.target.l1ByteCount * 2 / 3 / (2 * columns.stepElementCount))
  }

  private struct Place {
    var rowParts: Memory
    var columnParts: Memory
    var rowScales: Memory
    var columnScales: Memory
    var outputs: [Memory]
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
    let (inputs, used) = epilogueInputs(&b)
    var arguments = used
    func add(_ argument: ScheduledFusion.Argument, _ type: ElementType, _ name: String) -> Memory {
      arguments.append(argument)
      return b.addBuffer(name, type, isWritten: false)
    }
    let rowParts = add(operands.rows, scheme.elementType, "rows")
    let columnParts = add(operands.columns, scheme.elementType, "columns")
    let rowScales = add(operands.rowScales, .f32, "rowScales")
    let columnScales = add(operands.columnScales, .f32, "columnScales")
    var outputs: [Memory] = []
    for (position, type) in request.body.resultTypes.enumerated() {
      outputs.append(b.addBuffer("out\(position)", type.elementType, isWritten: true))
      arguments.append(.result(position))
    }
    let sums = b.addScratch(.f32, count: groupSize * Self.sumElementCount)
    var lowering = ElementLowering(graph: request.body, inputs: inputs, lanes: Self.lanes)

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
      rowParts: rowParts, columnParts: columnParts, rowScales: rowScales, columnScales: columnScales,
      outputs: outputs, sums: sums, batchNumber: numbers[0], firstBlock: firstBlock,
      blockCount: blockCount.isFixed
        ? blockCount : b.index(of: b.materialize(blockCount, lanes: 1), bound: Extent(groupSize + 1)),
      panel: numbers[2])
    multiply(place, &b)
    b.loop(to: place.blockCount) { b, block, _ in
      lowering.withScope { finish(block, place, &$0, &b) }
      return []
    }
    let kernel = b.kernel(
      name: "\(request.name)_tiles", sources: request.sources, taskCount: taskCount, taskCost: taskCost)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  private var taskCost: Extent {
    // One of the f32 kernel's operations is a vector's; tiles do `speed` times as many in the same time.
    let operations = Double(2 * groupSize * Self.block * Self.block / Self.lanes) / scheme.speed
    return rows.depthBlockCount * (Self.block * max(1, Int(operations)))
      + Extent(groupSize * Self.sumElementCount / Self.lanes * 8)
  }

  /// Buffers for the operands that the epilogue reads.
  private func epilogueInputs(_ b: inout KernelBuilder) -> ([Memory], [ScheduledFusion.Argument]) {
    let body = request.body
    var seen: Set<ValueID> = [anchor]
    var pending = body.results
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      pending += body[value].operands
    }
    var inputs: [Memory] = []
    var arguments: [ScheduledFusion.Argument] = []
    for (position, parameter) in body.parameters.enumerated() {
      guard seen.contains(parameter) else {
        // Nothing reads it: the number is never used.
        inputs.append(.buffer(-1))
        continue
      }
      inputs.append(b.addBuffer("in\(position)", body.type(of: parameter).elementType, isWritten: false))
      arguments.append(.operand(position))
    }
    return (inputs, arguments)
  }

  // MARK: Sums

  /// Leaves the sums of all blocks of rows in the scratch memory.
  private func multiply(_ place: Place, _ b: inout KernelBuilder) {
    let depthBlocks = rows.depthBlockCount
    let atOnce = groupSize == 1 ? nil : depthBlocks.fixed.map { min($0, depthBlocksAtOnce) } ?? depthBlocksAtOnce
    guard let atOnce, depthBlocks != Extent(atOnce) else {
      b.loop(to: place.blockCount) { b, block, _ in
        sumUp(block, from: .zero, to: depthBlocks, isFirst: nil, place, &b)
        return []
      }
      return
    }
    let passes = (depthBlocks + (atOnce - 1)).floorDivided(by: Extent(atOnce))
    // Without any depth one pass is left, which stores zeros.
    b.loop(to: .maximum(passes, .one)) { b, pass, _ in
      let from = pass * atOnce
      let to = b.index(of: b.materialize(.minimum(from + atOnce, depthBlocks), lanes: 1))
      let isFirst = b.isWithin(pass, .one, lanes: 1)
      b.loop(to: place.blockCount) { b, block, _ in
        sumUp(block, from: from, to: to, isFirst: isFirst, place, &b)
        return []
      }
      return []
    }
  }

  /// Adds some of the depth to the sums of one block of rows; the first of several times, and the only time, begins at 0.
  private func sumUp(
    _ block: IntegerExpression, from lower: IntegerExpression, to upper: IntegerExpression, isFirst: Register?,
    _ place: Place, _ b: inout KernelBuilder
  ) {
    let sums = (0..<4).map { Tile($0) }
    let start = block * Self.sumElementCount
    func position(_ tile: Int) -> IntegerExpression {
      start + tile / 2 * Tile.rowCount * Self.block + tile % 2 * Self.lanes
    }
    func zero(_ b: inout KernelBuilder) { for tile in sums { b.append(.tile(.zero(tile))) } }
    func load(_ b: inout KernelBuilder) {
      for (number, tile) in sums.enumerated() {
        b.append(.tile(.load(tile, place.sums, at: position(number), stride: Extent(Self.block))))
      }
    }
    if let isFirst {
      b.branch(isFirst, then: { zero(&$0) }, else: { load(&$0) })
    } else {
      zero(&b)
    }
    let row = b.index(of: b.materialize(place.firstBlock + block, lanes: 1))
    b.loop(from: lower, to: upper) { b, depthBlock, _ in
      step(depthBlock, row, place, &b)
      return []
    }
    for (number, tile) in sums.enumerated() {
      b.append(.tile(.store(tile, place.sums, at: position(number), stride: Extent(Self.block))))
    }
  }

  /// All products of parts over one block of the depth. Tiles 0 to 3 are sums, 4 and 5 rows, 6 and 7 columns.
  private func step(
    _ depthBlock: IntegerExpression, _ rowBlock: IntegerExpression, _ place: Place, _ b: inout KernelBuilder
  ) {
    var (left, right): (Int?, Int?) = (nil, nil)
    for product in scheme.products {
      for half in 0..<2 where left != product.left {
        let position = rows.position(
          batch: place.batchNumber, block: rowBlock, depthBlock: depthBlock, part: product.left, half: half, &b)
        b.append(.tile(.load(Tile(4 + half), place.rowParts, at: position, stride: Extent(Self.block))))
      }
      for half in 0..<2 where right != product.right {
        let position = columns.position(
          batch: place.batchNumber, block: place.panel, depthBlock: depthBlock, part: product.right,
          half: IntegerExpression(half))
        b.append(.tile(.load(Tile(6 + half), place.columnParts, at: position, stride: Extent(Self.block))))
      }
      (left, right) = (product.left, product.right)
      for sum in 0..<4 {
        b.append(.tile(.multiplyAdd(scheme.format, sum: Tile(sum), Tile(4 + sum / 2), Tile(6 + sum % 2))))
      }
    }
  }

  // MARK: Results

  /// Scales the sums of a block of rows back and stores what follows from them.
  private func finish(
    _ block: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let rowBlock = place.firstBlock + block
    let firstRow = b.index(of: b.materialize(rowBlock * Self.block, lanes: 1))
    let count = IntegerExpression.minimum(rows.rowCount - firstRow, Extent(Self.block))
    let isWhole = rows.rowCount.fixed.map { $0 % Self.block == 0 } ?? false
    let limit = isWhole ? Extent(Self.block) : b.index(of: b.materialize(count, lanes: 1))
    b.loop(to: limit) { b, inBlock, _ in
      let row = b.index(of: b.materialize(firstRow + inBlock, lanes: 1), bound: rows.rowCount)
      let sums = block * Self.sumElementCount + inBlock * Self.block
      if let isResult = rows.isResult(row: row, &b) {
        b.branch(isResult, then: { b in lowering.withScope { finish(row, sums, place, &$0, &b) } })
      } else {
        lowering.withScope { finish(row, sums, place, &$0, &b) }
      }
      return []
    }
  }

  private func finish(
    _ row: IntegerExpression, _ sums: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let scalePosition = rows.scalePosition(batch: place.batchNumber, row: row)
    let rowScale = b.load(place.rowScales, at: scalePosition, lanes: 1)
    for half in 0..<2 {
      let inBlock = IntegerExpression(half * Self.lanes) + .lane
      let sum = b.load(place.sums, at: sums + inBlock, lanes: Self.lanes)
      let scalePosition = (place.batchNumber * columns.blockCount + place.panel) * Self.block + inBlock
      let columnScale = b.load(place.columnScales, at: scalePosition, lanes: Self.lanes)
      let value = b.apply(.multiply, [b.apply(.multiply, [sum, rowScale]), columnScale])
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
