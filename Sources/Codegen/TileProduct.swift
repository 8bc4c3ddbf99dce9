import IR

/// The product of two split operands in tiles of 32 × 32, with what follows it done on f32 vectors.
struct TileProduct {
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
  let rows: OperandSplitting
  let columns: OperandSplitting

  private static let lanes = Tile.laneCount
  private static let block = SplitLayout.block
  /// Blocks of rows that a task works on, and f32 elements of their sums.
  private static let sumElementCount = block * block

  /// The most blocks of rows whose parts stay in half of the second-level cache, and whose sums fit 64 KiB.
  private var groupSize: Int {
    let depthBytes = (rows.operand.depthCount.fixed ?? 1024) * Self.block * 2 * scheme.partCount
    let fitting = request.target.l2ByteCount / 2 / max(1, depthBytes)
    return max(1, min(rows.layout.blockCount.fixed ?? 16, min(16, fitting)))
  }

  /// Blocks of the depth after which the sums are put aside, so that a panel of columns stays in the first-level cache
  /// for all rows of a group.
  private var depthBlocksAtOnce: Int {
    max(1, request.target.l1ByteCount * 2 / 3 / (2 * rows.layout.stepElementCount))
  }

  private struct Place {
    var rowParts: Memory
    var columnParts: Memory
    var rowScales: Memory
    var columnScales: Memory
    var outputs: [Memory]
    var sums: Memory
    var batchNumber: IntegerExpression
    var batch: [IntegerExpression]
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
    let groupCount = (rows.layout.blockCount + (groupSize - 1)).floorDivided(by: Extent(groupSize))
    let extents = [rows.operand.batchCount, groupCount, columns.layout.blockCount]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let firstBlock = numbers[1] * groupSize
    let left = rows.layout.blockCount - firstBlock
    let blockCount = IntegerExpression.minimum(left, Extent(groupSize), bound: { [b] in b.bound(of: $0) })
    let place = Place(
      rowParts: rowParts, columnParts: columnParts, rowScales: rowScales, columnScales: columnScales,
      outputs: outputs, sums: sums, batchNumber: numbers[0], batch: b.unflattened(numbers[0], in: rows.operand.batch),
      firstBlock: firstBlock,
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
    return rows.operand.depthCount * max(1, Int(operations)) + groupSize * Self.sumElementCount / Self.lanes * 8
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
    let depthBlocks = rows.layout.depthBlockCount
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
    if let isFirst {
      b.branch(isFirst, then: { zero(&$0) }) { b in
        for (number, tile) in sums.enumerated() {
          b.append(.tile(.load(tile, place.sums, at: position(number), stride: Extent(Self.block))))
        }
      }
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
    func load(_ memory: Memory, _ layout: SplitLayout, _ block: IntegerExpression, _ part: Int, into first: Int) {
      for half in 0..<2 {
        let position = layout.position(
          batch: place.batchNumber, block: block, depthBlock: depthBlock, part: part, half: IntegerExpression(half))
        b.append(.tile(.load(Tile(first + half), memory, at: position, stride: Extent(Self.block))))
      }
    }
    var (left, right): (Int?, Int?) = (nil, nil)
    for product in scheme.products {
      if left != product.left { load(place.rowParts, rows.layout, rowBlock, product.left, into: 4) }
      if right != product.right { load(place.columnParts, columns.layout, place.panel, product.right, into: 6) }
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
    let rowCount = rows.operand.lineCount
    let count = IntegerExpression.minimum(rowCount - firstRow, Extent(Self.block))
    let isWhole = rowCount.fixed.map { $0 % Self.block == 0 } ?? false
    let limit = isWhole ? Extent(Self.block) : b.index(of: b.materialize(count, lanes: 1))
    b.loop(to: limit) { b, row, _ in
      lowering.withScope { lowering in
        let line = b.index(of: b.materialize(firstRow + row, lanes: 1), bound: rowCount)
        let rowIndex = b.unflattened(line, in: rows.operand.lines)
        let rowScalePosition = (place.batchNumber * rows.layout.blockCount + rowBlock) * Self.block + row
        let rowScale = b.load(place.rowScales, at: rowScalePosition, lanes: 1)
        for half in 0..<2 {
          let inBlock = IntegerExpression(half * Self.lanes) + .lane
          let sum = b.load(
            place.sums, at: block * Self.sumElementCount + row * Self.block + inBlock, lanes: Self.lanes)
          let scalePosition = (place.batchNumber * columns.layout.blockCount + place.panel) * Self.block + inBlock
          let columnScale = b.load(place.columnScales, at: scalePosition, lanes: Self.lanes)
          let value = b.apply(.multiply, [b.apply(.multiply, [sum, rowScale]), columnScale])
          let column = place.panel * Self.block + inBlock
          let mask = b.isWithin(column, columns.operand.lineCount, lanes: Self.lanes)
          let index = place.batch + rowIndex + b.unflattened(column, in: columns.operand.lines)
          epilogue.store(value, of: anchor, at: index, mask: mask, outputs: place.outputs, &lowering, &b)
        }
      }
      return []
    }
  }
}
