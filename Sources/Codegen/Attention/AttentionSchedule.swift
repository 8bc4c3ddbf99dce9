import IR

extension Schedule {
  /// Attention without its matrix of scores: for a few rows of queries and a block of keys at a time the scores, their
  /// exponentials and the sums of values stay in the first-level cache.
  ///
  /// Rows keep the largest logit and the sum of exponentials so far; where a block brings a larger one, what has been
  /// summed is scaled down (online softmax). Keys are packed into panels, so that both products are register tiles.
  public static let attention = Schedule("attention") { request in
    guard request.anchor == .attention, let attention = AttentionNest(request) else { return nil }
    return attention.scheduled()
  }
}

extension AttentionNest {
  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    func pack(_ graph: Graph) -> ScheduledFusion.Argument {
      let argument = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: argument))
      return argument
    }
    let keys: ScheduledFusion.Argument
    if let literal = constantKeys {
      keys = .constant(0)
      scheduled.constants.append(literal)
    } else {
      keys = pack(packedKeys)
    }
    let values = valuePosition == nil ? pack(packedValues) : nil
    scheduled.append(launch(keys, values))
    offerTiles(&scheduled)
    return scheduled
  }

  // MARK: The kernel

  /// Memory that a task keeps to itself.
  struct Scratch {
    /// The rows of queries, multiplied by the scale.
    let queries: Memory
    /// For each row of queries and key of the block the score, the logit, at last the exponential.
    let weights: Memory
    /// The exponentials as operands of products, where they are narrower.
    let narrowWeights: Memory?
    /// For each row of queries the sums of values; beside products in tiles, behind them a vector whose sum is that of the
    /// exponentials.
    let sums: Memory
    /// For each row the largest logit so far, the largest of this block, what the logits are counted from, the factor for
    /// what has been summed before this block, and the sum of exponentials.
    let maxima: Memory
    let blockMaxima: Memory
    let shifts: Memory
    let factors: Memory
    let totals: Memory

    init(_ nest: AttentionNest, _ b: inout KernelBuilder) {
      let (tiling, type) = (nest.tiling, nest.sumType)
      queries = b.addScratch(nest.factorType, count: nest.tiles == nil ? tiling.rows * nest.depthCount : 0)
      weights = b.addScratch(type, count: tiling.rows * tiling.stride)
      narrowWeights =
        nest.words == nil ? nil : b.addScratch(nest.factorType, count: tiling.rows * tiling.stride)
      sums = b.addScratch(type, count: tiling.rows * nest.sumStride)
      maxima = b.addScratch(type, count: tiling.paddedRows)
      blockMaxima = b.addScratch(type, count: tiling.paddedRows)
      shifts = b.addScratch(type, count: tiling.paddedRows)
      factors = b.addScratch(type, count: tiling.paddedRows)
      totals = b.addScratch(type, count: tiling.paddedRows)
    }
  }

  /// Where a task is.
  struct Place {
    var scratch: Scratch
    var keys: Memory
    var values: Memory
    var outputs: [Memory]
    var batch: [IntegerExpression]
    var batchNumber: IntegerExpression
    var firstRow: IntegerExpression
    var tiles: AttentionTiles.Place?
  }

  /// A block of keys: the first, and how many.
  struct Block {
    var first: IntegerExpression
    var count: IntegerExpression
    var isOnly: Bool
  }

  /// The kernel in tiles, of the parts of queries, keys and values; with their scales, where they are scaled.
  func launch(parts: [ScheduledFusion.Argument], scales: [ScheduledFusion.Argument]?) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = addInputs(&b)
    guard let tiles else { preconditionFailure("the products are in tiles") }
    func operands(_ from: [ScheduledFusion.Argument], _ suffix: String, _ type: ElementType)
      -> AttentionTiles.Operands
    {
      let memories = zip(from, ["queries", "keys", "values"]).map { buffers.read($0, type, $1 + suffix, &b) }
      return AttentionTiles.Operands(queries: memories[0], keys: memories[1], values: memories[2])
    }
    let partMemories = operands(parts, "", tiles.scheme.elementType)
    let scaleMemories = scales.map { operands($0, "Scales", .f32) }
    let weightParts = b.addScratch(tiles.scheme.elementType, count: tiles.weightPartCount(tiling))
    return launch(partMemories.keys, partMemories.values, "\(request.name)_tiles", &buffers, &b) { place, b in
      place.tiles = AttentionTiles.Place(
        parts: partMemories, scales: scaleMemories, weightParts: weightParts,
        rowBlock: b.position(
          IntegerExpression.task.modulo(tileCount, bound: { [b] in b.bound(of: $0) }), in: tileCount),
        valueBatch: valueBatch(place, &b))
    }
  }

  private func launch(
    _ packedKeys: ScheduledFusion.Argument, _ packedValues: ScheduledFusion.Argument?
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = addInputs(&b)
    let keys = buffers.read(packedKeys, packedType, "keys", &b)
    var values = valuePosition.map { buffers.inputs[$0.parameter] }
    if let packedValues { values = buffers.read(packedValues, packedType, "values", &b) }
    return launch(keys, values ?? keys, request.name, &buffers, &b) { _, _ in }
  }

  private func launch(
    _ keys: Memory, _ values: Memory, _ name: String, _ buffers: inout OperandBuffers, _ b: inout KernelBuilder,
    _ complete: (inout Place, inout KernelBuilder) -> Void
  ) -> ScheduledFusion.Launch {
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    // The tiles of one batch follow each other, so that its keys and values stay in the cache.
    let taskCount = batchCount * tileCount
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let tile = b.position(IntegerExpression.task.modulo(tileCount, bound: { [b] in b.bound(of: $0) }), in: tileCount)
    let batchNumber = b.position(IntegerExpression.task.floorDivided(by: tileCount), in: batchCount)
    var place = Place(
      scratch: Scratch(self, &b), keys: keys, values: values, outputs: outputs,
      batch: b.positions(of: batchNumber, in: batch), batchNumber: batchNumber,
      firstRow: b.position(tile * tiling.rows, in: rowCount))
    complete(&place, &b)
    write(place, &lowering, &b)
    let cost = keyCount * max(1, 2 * tiling.rows * (depthCount + columnCount) / lanes)
    let kernel = b.kernel(name: name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// A buffer for each operand that is read in place.
  private func addInputs(_ b: inout KernelBuilder) -> OperandBuffers {
    var used = [Bool](repeating: false, count: body.nodes.count)
    var pending = body.results + [attention.logits]
    if tiles == nil {
      pending.append(queries)
      if valuePosition != nil { pending.append(values) }
    }
    if case .rows(let condition, _, _) = attention.zeroing { pending.append(condition) }
    while let value = pending.popLast() {
      guard value != attention.product, value != attention.scores, !used[value.index] else { continue }
      used[value.index] = true
      pending += body[value].operands
    }
    return OperandBuffers(of: request, &b) { used[body.parameters[$0].index] }
  }

  private func write(_ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    if tiles == nil { copyQueries(place, &lowering, &b) }
    let least = b.constant(sumType.lowest, sumType, lanes: lanes)
    let zero = b.constant(.zero(sumType), sumType, lanes: lanes)
    for first in stride(from: 0, to: tiling.paddedRows, by: lanes) {
      b.store(least, place.scratch.maxima, at: .lane + first, lanes: lanes)
      b.store(least, place.scratch.blockMaxima, at: .lane + first, lanes: lanes)
      b.store(zero, place.scratch.totals, at: .lane + first, lanes: lanes)
    }
    if tiles != nil || blockCount != .one {
      b.loop(to: IntegerExpression(tiling.rows * sumStride), step: lanes) { b, at, _ in
        b.store(zero, place.scratch.sums, at: at + .lane, lanes: lanes)
        return []
      }
    }
    if let tiles, let own = place.tiles {
      writeBlocks(tiles, own, place, &lowering, &b)
    } else if blockCount == .one {
      write(Block(first: .zero, count: keyCount, isOnly: true), place, &lowering, &b)
    } else {
      b.loop(to: blockCount) { b, number, _ in
        lowering.withScope { lowering in
          let first = number * tiling.block
          let count = b.position(
            .minimum(IntegerExpression(tiling.block), keyCount - first), in: Extent(tiling.block + 1))
          write(Block(first: first, count: count, isOnly: false), place, &lowering, &b)
        }
        return []
      }
    }
    store(place, &lowering, &b)
  }

  private func write(_ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    multiplyKeys(block, place, &lowering, &b)
    findMaxima(block, place, &lowering, &b)
    shift(block, place, &b)
    exponentiate(block, place, &lowering, &b)
    multiplyValues(block, place, &lowering, &b)
  }

  // MARK: The steps of a block

  private func copyQueries(_ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let rank = body.type(of: queries).rank
    let side = querySide
    b.loop(to: IntegerExpression(tiling.rows)) { b, row, _ in
      lowering.withScope { lowering in
        // Rows beyond the last repeat it, and are not stored.
        let index = rowIndex(place.firstRow + row, &b)
        b.vectors(to: Extent(depthCount), lanes) { b, position, mask in
          lowering.withScope { lowering in
            let at = side.index(
              rank: rank, batch: place.batch, free: index, contracting: b.unflattened(position, in: depth))
            let element = lowering.element(of: queries, at: at, mask: mask, in: &b)
            var value = b.widen(b.convert(element, to: sumType), to: lanes)
            if let scale { value = b.apply(.multiply, [value, b.constant(scale.factor, sumType)]) }
            value = b.convert(value, to: factorType)
            b.store(value, place.scratch.queries, at: row * depthCount + position, lanes: lanes, mask: mask)
          }
        }
      }
      return []
    }
  }

  /// The scores of the block: rows of queries times panels of keys.
  private func multiplyKeys(
    _ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let (width, stride) = (tiling.width, tiling.stride)
    let kernel = Microkernel(
      rows: tiling.rows, vectors: tiling.scoreVectors, lanes: lanes, type: sumType, words: words)
    let stepCount = depthCount / stepLength
    let firstPanel = place.batchNumber * panelCount + block.first.floorDivided(by: Extent(width))
    let count = (block.count + (width - 1)).floorDivided(by: Extent(width))
    b.loop(to: count) { b, panel, _ in
      lowering.withScope { lowering in
        let start = b.position((firstPanel + panel) * (stepCount * width))
        let sums = kernel.sums(
          over: [Extent(stepCount)], &lowering, &b,
          row: { _, b, row, at in factor(place.scratch.queries, at: at[0] * stepLength + row * depthCount, &b) },
          panel: { _, b, vector, at in
            b.load(place.keys, at: start + at[0] * width + vector * lanes + .lane, lanes: lanes)
          })
        for (row, vectors) in sums.enumerated() {
          for (vector, sum) in vectors.enumerated() {
            let position = panel * width + (row * stride + vector * lanes)
            b.store(sum, place.scratch.weights, at: position + .lane, lanes: lanes)
          }
        }
      }
      return []
    }
  }

  /// The logits of the block, and the largest of each row; not a number is passed over, for its exponential is seen.
  func findMaxima(
    _ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let weights = place.scratch.weights
    let pinned = scale?.value ?? attention.scores
    let least = b.constant(sumType.lowest, sumType, lanes: lanes)
    b.loop(to: IntegerExpression(tiling.rows)) { b, row, _ in
      lowering.withScope { lowering in
        let index = rowIndex(place.firstRow + row, &b)
        let largest = b.vectors(to: block.count, lanes, unrolled: AttentionTiling.unrolling, carrying: least) {
          b, position, mask, largest in
          lowering.withScope { lowering in
            let at = row * tiling.stride + position
            var value = b.load(weights, at: at, lanes: lanes)
            if let tiles, tiles.scheme.isScaled, let own = place.tiles {
              value = tiles.scores(
                value, row: row, key: block.first + position, batch: place.batchNumber, own, &b)
              if pinned == attention.logits { b.store(value, weights, at: at, lanes: lanes) }
            }
            if pinned != attention.logits {
              lowering.pinned[pinned] = b.convert(value, to: body.type(of: pinned).elementType)
              let key = block.first + position
              let place = substituted(attention.logitIndex, place.batch, index, key, b)
              let logit = lowering.element(of: attention.logits, at: place, mask: mask, in: &b)
              lowering.pinned[pinned] = nil
              value = b.widen(b.convert(logit, to: sumType), to: lanes)
              b.store(value, weights, at: at, lanes: lanes)
            }
            if let mask { value = b.apply(.select, [mask, value, least]) }
            return b.larger(value, largest)
          }
        }
        let all = largest.dropFirst().reduce(largest[0]) { b.larger($1, $0) }
        b.store(b.largest(all), place.scratch.blockMaxima, at: row, lanes: lanes)
      }
      return []
    }
  }

  /// What the logits of each row are counted from, and the factor for what has been summed before.
  func shift(_ block: Block, _ place: Place, _ b: inout KernelBuilder) {
    let scratch = place.scratch
    let least = b.constant(sumType.lowest, sumType, lanes: lanes)
    for first in stride(from: 0, to: tiling.paddedRows, by: lanes) {
      let at = IntegerExpression.lane + first
      var largest = b.load(scratch.blockMaxima, at: at, lanes: lanes)
      let before = b.load(scratch.maxima, at: at, lanes: lanes)
      if !block.isOnly { largest = b.larger(largest, before) }
      // Of a row that is masked so far all exponentials are zero; one that stays so has 0 / 0 in the end.
      let isMasked = b.apply(.compare(.equal, .float), [largest, least])
      let shift = b.apply(.select, [isMasked, b.constant(.zero(sumType), sumType), largest])
      b.store(shift, scratch.shifts, at: at, lanes: lanes)
      if block.isOnly { continue }
      b.store(largest, scratch.maxima, at: at, lanes: lanes)
      let factor = b.softmaxExponential(b.apply(.subtract, [before, shift]))
      b.store(factor, scratch.factors, at: at, lanes: lanes)
      let total = b.apply(.multiply, [b.load(scratch.totals, at: at, lanes: lanes), factor])
      b.store(total, scratch.totals, at: at, lanes: lanes)
    }
  }

  private func exponentiate(
    _ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let scratch = place.scratch
    let zero = b.constant(.zero(sumType), sumType, lanes: lanes)
    b.loop(to: IntegerExpression(tiling.rows)) { b, row, _ in
      let shift = b.widen(b.load(scratch.shifts, at: row, lanes: lanes), to: lanes)
      let sums = b.vectors(to: block.count, lanes, unrolled: AttentionTiling.unrolling, carrying: zero) {
        b, position, mask, sum in
        let at = row * tiling.stride + position
        let logit = b.load(scratch.weights, at: at, lanes: lanes)
        var weight = b.softmaxExponential(b.apply(.subtract, [logit, shift]))
        if let mask { weight = b.apply(.select, [mask, weight, zero]) }
        b.store(b.convert(weight, to: factorType), scratch.narrowWeights ?? scratch.weights, at: at, lanes: lanes)
        return b.apply(.add, [sum, weight])
      }
      let sum = b.fold(.add, sums.dropFirst().reduce(sums[0]) { b.apply(.add, [$0, $1]) })
      let total = b.apply(.add, [b.load(scratch.totals, at: row, lanes: lanes), sum])
      b.store(total, scratch.totals, at: row, lanes: lanes)
      return []
    }
  }

  /// Adds the block's values, each times its weight.
  private func multiplyValues(
    _ block: Block, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let (origin, step) = valueRows(block, place, &b)
    let steps = (block.count + (stepLength - 1)).floorDivided(by: Extent(stepLength))
    let weights = place.scratch.narrowWeights ?? place.scratch.weights
    for tile in tiling.valueTiles {
      let kernel = Microkernel(rows: tile.rows, vectors: tile.vectors, lanes: lanes, type: sumType, words: words)
      func position(_ row: Int, _ vector: Int) -> IntegerExpression {
        .lane + ((tile.firstRow + row) * sumStride + (tile.firstVector + vector) * lanes)
      }
      var initial: [Register]?
      if !block.isOnly {
        initial = (0..<tile.rows).flatMap { row in
          let factor = b.load(place.scratch.factors, at: IntegerExpression(tile.firstRow + row), lanes: lanes)
          return (0..<tile.vectors).map { vector in
            b.apply(.multiply, [b.load(place.scratch.sums, at: position(row, vector), lanes: lanes), factor])
          }
        }
      }
      let sums = kernel.sums(
        over: [steps], from: initial, &lowering, &b,
        row: { _, b, row, at in
          factor(weights, at: at[0] * stepLength + (tile.firstRow + row) * tiling.stride, &b)
        },
        panel: { _, b, vector, at in
          let column = .lane + (tile.firstVector + vector) * lanes
          return b.load(place.values, at: origin + at[0] * step + column, lanes: lanes, mask: mask(column, &b))
        })
      for (row, vectors) in sums.enumerated() {
        for (vector, sum) in vectors.enumerated() {
          b.store(sum, place.scratch.sums, at: position(row, vector), lanes: lanes)
        }
      }
    }
  }

  /// What a row is multiplied by at a step: an element, or a word of them.
  private func factor(_ memory: Memory, at position: IntegerExpression, _ b: inout KernelBuilder) -> Register {
    words == nil ? b.load(memory, at: position, lanes: lanes) : b.word(memory, at: position)
  }

  /// The number of the values' batch.
  private func valueBatch(_ place: Place, _ b: inout KernelBuilder) -> IntegerExpression {
    let type = body.type(of: values)
    let index = substituted(attention.weightIndex, place.batch, rows.map { _ in .zero }, .zero, b)
    let batches = TensorType(type.elementType, valueSide.batching.map { type.dimensions[$0] })
    return b.position(ElementLowering.position(of: weightSide.batching.map { index[$0] }, in: batches))
  }

  /// The position of the block's first row of values, and the distance to the next.
  private func valueRows(
    _ block: Block, _ place: Place, _ b: inout KernelBuilder
  ) -> (IntegerExpression, IntegerExpression) {
    let side = valueSide
    let type = body.type(of: values)
    let weightIndex = substituted(attention.weightIndex, place.batch, rows.map { _ in .zero }, .zero, b)
    let batch = weightSide.batching.map { weightIndex[$0] }
    guard let valuePosition else {
      let batches = TensorType(type.elementType, side.batching.map { type.dimensions[$0] })
      let rows = block.first.floorDivided(by: Extent(stepLength))
      let first = ElementLowering.position(of: batch, in: batches) * valueRowCount + rows
      return (b.position(first * columnCount), IntegerExpression(columnCount))
    }
    let origin = [IntegerExpression](repeating: .zero, count: columns.count)
    func position(_ key: IntegerExpression) -> IntegerExpression {
      let index = side.index(rank: type.rank, batch: batch, free: origin, contracting: [key])
      return valuePosition.position.at(index) { [b] in b.bound(of: $0) }
    }
    return (b.position(position(block.first)), position(.one) - position(.zero))
  }

  /// Whether a column of values is one, where that is not certain.
  private func mask(_ column: IntegerExpression, _ b: inout KernelBuilder) -> Register? {
    b.isWithin(column, Extent(columnCount), lanes: lanes)
  }

  // MARK: Results

  private func store(_ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let scratch = place.scratch
    b.loop(to: .minimum(IntegerExpression(tiling.rows), rowCount - place.firstRow)) { b, row, _ in
      lowering.withScope { lowering in
        let index = rowIndex(place.firstRow + row, &b)
        let total = total(row, scratch, &b)
        let factor = factor(of: total, &b)
        let isZero = isZeroed(total, place.batch, index, &lowering, &b)
        for vector in 0..<tiling.columnVectors {
          let column = IntegerExpression.lane + vector * lanes
          let at = row * sumStride + column
          var value = b.apply(.multiply, [b.load(scratch.sums, at: at, lanes: lanes), factor])
          if let tiles, let own = place.tiles, let factor = tiles.valueFactor(column, own, &b) {
            value = b.apply(.multiply, [value, factor])
          }
          if let isZero { value = b.apply(.select, [isZero, b.constant(.zero(sumType), sumType), value]) }
          let result = resultIndex(place.batch, index, column, b)
          epilogue.store(
            value, of: attention.product, at: result, mask: mask(column, &b), outputs: place.outputs, &lowering, &b)
        }
      }
      return []
    }
  }

  /// A row's sum of exponentials.
  private func total(_ row: IntegerExpression, _ scratch: Scratch, _ b: inout KernelBuilder) -> Register {
    if tiles == nil { return b.load(scratch.totals, at: row, lanes: lanes) }
    return b.fold(.add, b.load(scratch.sums, at: row * sumStride + totalColumn + .lane, lanes: lanes))
  }

  /// The index of a row that may lie beyond the last.
  private func rowIndex(_ row: IntegerExpression, _ b: inout KernelBuilder) -> [IntegerExpression] {
    boundedRow(row, tile: tiling.rows, &b)
  }
}

extension KernelBuilder {
  /// A loop over the vectors of a line, the last one masked where it is not whole.
  fileprivate mutating func vectors(
    to extent: Extent, _ lanes: Int, _ body: (inout KernelBuilder, IntegerExpression, Register?) -> Void
  ) {
    let whole = extent.floorDivided(by: Extent(lanes)) * lanes
    loop(to: whole, step: lanes) { b, variable, _ in
      body(&b, variable + .lane, nil)
      return []
    }
    if whole == extent { return }
    body(&self, whole + .lane, lanesWithin(extent, from: whole, lanes))
  }

  /// The same, with values that go from vector to vector, each in `unrolled` parts.
  fileprivate mutating func vectors(
    to extent: Extent, _ lanes: Int, unrolled count: Int, carrying initial: Register,
    _ body: (inout KernelBuilder, IntegerExpression, Register?, Register) -> Register
  ) -> [Register] {
    let step = lanes * count
    let wide = extent.floorDivided(by: Extent(step)) * step
    let whole = extent.floorDivided(by: Extent(lanes)) * lanes
    var values = loop(to: wide, step: step, carrying: [Register](repeating: initial, count: count)) {
      b, variable, values in
      values.enumerated().map { body(&b, variable + .lane + $0 * lanes, nil, $1) }
    }
    if whole != wide {
      values[0] =
        loop(from: wide, to: whole, step: lanes, carrying: [values[0]]) { b, variable, values in
          [body(&b, variable + .lane, nil, values[0])]
        }[0]
    }
    if whole != extent { values[0] = body(&self, whole + .lane, lanesWithin(extent, from: whole, lanes), values[0]) }
    return values
  }

  private mutating func lanesWithin(_ extent: Extent, from first: IntegerExpression, _ lanes: Int) -> Register {
    let position = materialize(first + .lane, lanes: lanes)
    return apply(.compare(.less, .signed), [position, materialize(extent, lanes: 1)])
  }
}
