import IR

/// The two products of an attention in tiles: queries, keys and values are split before, the weights of a block of keys when
/// they are computed.
///
/// Weights are exponentials of numbers that are not positive, so they have one scale, where the scheme scales, and need no
/// search for the largest.
struct AttentionTiles {
  let scheme: SplitScheme
  let queries: OperandSplitting
  let keys: OperandSplitting
  let values: OperandSplitting

  /// What brings weights, at most 1, to where the largest elements of split lines lie.
  private static let weightScale = 0x1p14
  /// What a weight costs for each part, in operations of an f32 kernel: its sum is read back, and split, in the first-level
  /// cache.
  fileprivate static let weightCost = 12.0
  private static let block = SplitLayout.block

  /// Nil where the target has no tiles for the types.
  init?(_ nest: AttentionNest) {
    let body = nest.request.body
    let (q, k, v) = (body.type(of: nest.queries), body.type(of: nest.keys), body.type(of: nest.values))
    guard nest.sumType == .f32, v.elementType == .f32,
      let scheme = SplitScheme.scheme(q.elementType, k.elementType, nest.request.precision, nest.request.target),
      q.elementType == .f32
    else { return nil }
    func split(_ value: ValueID, _ type: TensorType, _ side: AttentionNest.Side, factor: Double? = nil)
      -> OperandSplitting
    {
      let operand = ProductOperand(value, type, batch: side.batching, lines: side.free, depth: side.contracting)
      return OperandSplitting(nest.request, operand, scheme, factor: factor)
    }
    self.scheme = scheme
    queries = split(nest.queries, q, nest.querySide, factor: nest.scale?.factor)
    keys = split(nest.keys, k, nest.keySide)
    values = split(nest.values, v, nest.valueSide)
  }

  /// Parts, or scales, of the three operands.
  struct Operands {
    var queries: Memory
    var keys: Memory
    var values: Memory
  }

  /// What the kernel reads in place of queries, keys and values, and the parts of the weights.
  struct Place {
    var parts: Operands
    /// Nil where the scheme does not scale.
    var scales: Operands?
    var weightParts: Memory
    /// The task's block of rows.
    var rowBlock: IntegerExpression
    /// The batch of the values.
    var valueBatch: IntegerExpression
  }

  /// Elements of the parts of a block of weights.
  func weightPartCount(_ tiling: AttentionTiling) -> Int { tiling.block / Self.block * queries.layout.stepElementCount }

  /// Panels of 32 keys that hold so many.
  static func panelCount(keys: IntegerExpression) -> IntegerExpression {
    (keys + (block - 1)).floorDivided(by: Extent(block))
  }

  // MARK: Products

  /// The unscaled scores of a block of 32 rows and 32 keys, into the panel with this number; `beside` writes work for the
  /// processor's other units, which has to do with 32 rows: a call is for the row with the number it is given.
  ///
  /// The work is done when the scores are stored.
  func multiplyKeys(
    _ keyBlock: IntegerExpression, _ place: Place, batch: IntegerExpression, into weights: Memory, stride: Int,
    panel: IntegerExpression, _ b: inout KernelBuilder, beside work: ((IntegerExpression, inout KernelBuilder) -> Void)?
  ) {
    for sum in 0..<4 { b.append(.tile(.zero(Tile(sum)))) }
    let depthCount = queries.layout.depthBlockCount
    let rowsBeside = work == nil ? 0 : Self.block / max(1, depthCount.fixed ?? Self.block)
    b.loop(to: depthCount) { b, depthBlock, _ in
      b.interleaved { b in
        b.multiplyTiles(
          scheme,
          rows: { part, half, _ in
            let at = queries.layout.position(
              batch: batch, block: place.rowBlock, depthBlock: depthBlock, part: part, half: IntegerExpression(half))
            return (place.parts.queries, at)
          },
          columns: { part, half, _ in
            let at = keys.layout.position(
              batch: batch, block: keyBlock, depthBlock: depthBlock, part: part, half: IntegerExpression(half))
            return (place.parts.keys, at)
          })
      } _: { b in
        for row in 0..<rowsBeside { work?(depthBlock * rowsBeside + row, &b) }
      }
      return []
    }
    if let work {
      b.loop(from: depthCount * rowsBeside, to: Extent(Self.block)) { b, row, _ in
        work(row, &b)
        return []
      }
    }
    Self.forEachSum { sum, row, column in
      let at = panel * Self.block + IntegerExpression(row * stride + column)
      b.append(.tile(.store(Tile(sum), weights, at: at, stride: Extent(stride))))
    }
  }

  /// Adds the block's values times their weights to the sums, whose rows are `stride` apart.
  func multiplyValues(
    _ block: AttentionNest.Block, _ place: Place, into sums: Memory, stride: Int, _ b: inout KernelBuilder
  ) {
    let firstBlock = block.first.floorDivided(by: Extent(Self.block))
    let blockCount = Self.panelCount(keys: block.count)
    b.loop(to: values.layout.blockCount) { b, panel, _ in
      func position(_ row: Int, _ column: Int) -> IntegerExpression {
        panel * Self.block + IntegerExpression(row * stride + column)
      }
      Self.forEachSum { sum, row, column in
        let start: TileOperation =
          block.isOnly
          ? .zero(Tile(sum)) : .load(Tile(sum), sums, at: position(row, column), stride: Extent(stride))
        b.append(.tile(start))
      }
      b.loop(to: blockCount) { b, keyBlock, _ in
        let depthBlock = b.index(of: b.materialize(firstBlock + keyBlock, lanes: 1))
        b.multiplyTiles(
          scheme,
          rows: { part, half, _ in
            let offset = (2 * part + half) * SplitLayout.tileElementCount
            return (place.weightParts, keyBlock * queries.layout.stepElementCount + offset)
          },
          columns: { part, half, _ in
            let at = values.layout.position(
              batch: place.valueBatch, block: panel, depthBlock: depthBlock, part: part,
              half: IntegerExpression(half))
            return (place.parts.values, at)
          })
        return []
      }
      Self.forEachSum { sum, row, column in
        b.append(.tile(.store(Tile(sum), sums, at: position(row, column), stride: Extent(stride))))
      }
      return []
    }
  }

  /// The tile, first row and first column of each quarter of 32 × 32 sums.
  private static func forEachSum(_ body: (Int, Int, Int) -> Void) {
    for sum in 0..<4 { body(sum, sum / 2 * Tile.rowCount, sum % 2 * Tile.laneCount) }
  }

  // MARK: Elements

  /// The scores at a row and 16 keys, from their sums.
  func scores(
    _ sums: Register, row: IntegerExpression, key: IntegerExpression, batch: IntegerExpression, _ place: Place,
    _ b: inout KernelBuilder
  ) -> Register {
    guard let scales = place.scales else { return sums }
    let queryAt = (batch * queries.layout.blockCount + place.rowBlock) * Self.block + row
    let keyAt = batch * keys.layout.blockCount * Self.block + key
    let byRow = b.apply(.multiply, [sums, b.load(scales.queries, at: queryAt, lanes: 1)])
    return b.apply(.multiply, [byRow, b.load(scales.keys, at: keyAt, lanes: Tile.laneCount)])
  }

  /// Writes the parts of a row's weights of 32 keys, those of a panel of the block.
  func store(
    _ weights: [Register], row: IntegerExpression, panel: IntegerExpression, _ place: Place, _ b: inout KernelBuilder
  ) {
    let scaled =
      scheme.isScaled ? weights.map { b.apply(.multiply, [$0, b.constant(Self.weightScale, .f32)]) } : weights
    for (number, part) in b.parts(ofSteps: scaled[0], scaled[1], scheme).enumerated() {
      let start = panel * queries.layout.stepElementCount + IntegerExpression(2 * number * SplitLayout.tileElementCount)
      b.store(part, place.weightParts, at: start + row * Self.block + .lane, lanes: Self.block)
    }
  }

  /// What sums of values are multiplied by at 16 columns; nil for 1.
  func valueFactor(_ column: IntegerExpression, _ place: Place, _ b: inout KernelBuilder) -> Register? {
    guard let scales = place.scales else { return nil }
    let at = place.valueBatch * values.layout.blockCount * Self.block + column
    let scale = b.load(scales.values, at: at, lanes: Tile.laneCount)
    return b.apply(.multiply, [scale, b.constant(1 / Self.weightScale, .f32)])
  }
}

extension AttentionNest {
  /// Puts the attention in tiles beside the one in f32 where the target has them and they pay.
  func offerTiles(_ scheduled: inout ScheduledFusion) {
    guard let tiles = AttentionTiles(self) else { return }
    // Both products have as many sums as there are rows and keys; the second one's left operand is split where it is made.
    let useful = ProductExtents(rows: rowCount, columns: keyCount, depth: Extent(depthCount + columnCount))
    let depth = (tiles.queries.layout.depthBlockCount + tiles.values.layout.blockCount) * SplitLayout.block
    let computed = ProductExtents(rows: rowCount, columns: keyCount, depth: depth)
    let blockByteCount = 2 * tiles.queries.layout.stepElementCount * (tiles.queries.layout.depthBlockCount.fixed ?? 1)
    let extents = TileExtents(
      useful: useful, computed: computed, splitPerRow: Extent(depthCount), blockByteCount: blockByteCount,
      costOfSum: AttentionTiles.weightCost)
    guard let conditions = tiles.scheme.conditions(extents, request.target) else { return }
    let strict = scheduled.steps
    var nest = self
    nest.tiling = AttentionTiling(tileKeys: keyCount.fixed, columns: columnCount)
    nest.tiles = tiles
    guard let keys = tiles.keys.splitColumns(&scheduled), let values = tiles.values.splitColumns(&scheduled) else {
      return
    }
    let queryParts = scheduled.addTemporary(tiles.queries.partsType)
    let queryScales = scheduled.addTemporary(tiles.queries.scalesType)
    let flag = scheduled.addTemporary(.scalar(.i1))
    var checked = [(queryScales, tiles.queries.scalesType)]
    if let scales = keys.scales, !keys.steps.isEmpty { checked.append((scales, tiles.keys.scalesType)) }
    if let scales = values.scales, !values.steps.isEmpty { checked.append((scales, tiles.values.scalesType)) }
    var steps = keys.steps.map { $0.named("keys") } + values.steps.map { $0.named("values") }
    steps.append(.launch(tiles.queries.rows(into: queryParts, queryScales)))
    steps.append(.launch(OperandSplitting.check(checked, into: flag, request)))
    let launch = nest.launch(
      parts: [queryParts, keys.parts, values.parts],
      scales: tiles.scheme.isScaled ? [queryScales, keys.scales, values.scales].compactMap { $0 } : nil)
    steps.append(.choice(.holds(flag), then: [.launch(launch)], otherwise: strict))
    scheduled.steps = .choosing(conditions, steps, else: strict)
  }
}

extension ScheduledFusion.Step {
  /// The launch with something added to its kernel's name.
  fileprivate func named(_ suffix: String) -> ScheduledFusion.Step {
    guard case .launch(var launch) = self else { return self }
    launch.kernel.name += "_\(suffix)"
    return .launch(launch)
  }
}
