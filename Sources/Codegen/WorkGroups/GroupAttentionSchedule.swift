import IR

extension Schedule {
  /// Attention without its matrix of scores: a group has some rows of queries, and for a block of keys at a time the
  /// scores and their exponentials in local memory. Both products are tiles of the group; the sums of values stay in
  /// the items' registers, scaled down where a block brings a larger logit (online softmax).
  static let groupAttention = Schedule("attention by groups") { request in
    guard request.anchor == .attention, let device = request.target.workGroups,
      let nest = AttentionNest(request), let attention = GroupAttention(request, nest, device)
    else { return nil }
    return ScheduledFusion(launches: [attention.launch()])
  }
}

private struct GroupAttention {
  let request: SchedulingRequest
  let nest: AttentionNest
  /// The tile of scores: rows of queries and a block of keys.
  let scoreTile: GroupTile
  /// The tile of sums: rows of queries and columns of values; there are as many as a row of values needs.
  let valueTile: GroupTile
  let lanes: Int

  /// Nil where the device has too few items or too little local memory.
  init?(_ request: SchedulingRequest, _ nest: AttentionNest, _ device: WorkGroups) {
    self.request = request
    self.nest = nest
    lanes = request.target.lanes(byteCount: nest.sumType.byteCount)
    let type = nest.sumType
    let few = nest.rowCount.fixed.map { $0 <= 8 } ?? false
    let fitting = Self.tiles.dropFirst(few ? 1 : 0).first {
      $0.itemCount <= device.itemCount && Self.localByteCount($0, type) <= device.arrayByteCount
    }
    guard let fitting else { return nil }
    scoreTile = fitting
    valueTile = fitting
  }

  /// For many rows, for few rows, and for devices whose groups have few items.
  private static let tiles = [(32, 4), (8, 2), (8, 4), (8, 8)].map { rows, itemRows in
    GroupTile(rows: rows, columns: 64, depth: 16, itemRows: itemRows, itemColumns: 4)
  }

  private static func localByteCount(_ tile: GroupTile, _ type: ElementType) -> Int {
    tile.localByteCount(type)
      + (tile.columns * tile.rowPitch + tile.rows * (3 + 2 * tile.itemsPerRow)) * type.byteCount
  }

  private var body: Graph { request.body }
  private var type: ElementType { nest.sumType }
  private var rowTiles: Extent { (nest.rowCount + (scoreTile.rows - 1)).floorDivided(by: Extent(scoreTile.rows)) }
  private var columnTiles: Int { (nest.columnCount + valueTile.columns - 1) / valueTile.columns }

  /// What the items of a group share.
  private struct Shared {
    /// Tiles of queries, and of keys or values, as deep as a tile is.
    let rows: Memory
    let columns: Memory
    /// For each key of the block and row the logit, then the exponential.
    let weights: Memory
    /// For each row the largest logit so far, what logits are counted from, the factor of what was summed before, and
    /// the sum of exponentials.
    let maxima: Memory
    let factors: Memory
    let totals: Memory
    /// For each row a number of each item that works on it.
    let parts: Memory
    let sums: Memory

    init(_ tile: GroupTile, _ type: ElementType, _ b: inout KernelBuilder) {
      rows = b.addShared(type, count: tile.depth * tile.rowPitch)
      columns = b.addShared(type, count: tile.depth * tile.columns)
      weights = b.addShared(type, count: tile.columns * tile.rowPitch)
      maxima = b.addShared(type, count: tile.rows)
      factors = b.addShared(type, count: tile.rows)
      totals = b.addShared(type, count: tile.rows)
      parts = b.addShared(type, count: tile.rows * tile.itemsPerRow)
      sums = b.addShared(type, count: tile.rows * tile.itemsPerRow)
    }
  }

  private struct Place {
    var shared: Shared
    var batch: [IntegerExpression]
    var firstRow: IntegerExpression
    /// The row of the tile that the item works on between the products, and which of the row's items it is.
    var row: IntegerExpression
    var part: IntegerExpression
    var steps: GroupTileSteps
  }

  // MARK: The kernel

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = scoreTile.itemCount
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: nest.operands, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    let taskCount = nest.batchCount * rowTiles
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: nest.batch + [rowTiles])
    let item = b.positions(of: .item, in: [Extent(scoreTile.rows), Extent(scoreTile.itemsPerRow)])
    let place = Place(
      shared: Shared(scoreTile, type, &b), batch: Array(task.dropLast()),
      firstRow: b.index(of: b.materialize(task[task.count - 1] * scoreTile.rows, lanes: 1)), row: item[0],
      part: item[1], steps: GroupTileSteps(tile: scoreTile, type: type, lanes: lanes, &b))
    write(place, outputs, &lowering, &b)
    let cost = nest.keyCount * (2 * scoreTile.rows * (nest.depthCount + nest.columnCount))
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func write(
    _ place: Place, _ outputs: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    onePerRow(place, &b) { b in
      b.store(b.constant(type.lowest, type), place.shared.maxima, at: place.row, lanes: 1)
      b.store(b.constant(.zero(type), type), place.shared.totals, at: place.row, lanes: 1)
    }
    b.append(.barrier)
    let start = (0..<columnTiles).flatMap { _ in place.steps.zeros(&b) }
    let sums = b.loop(to: nest.keyCount, step: scoreTile.columns, carrying: start) { b, key, sums in
      lowering.withScope { lowering in
        scores(from: key, place, &lowering, &b)
        exponentiate(from: key, place, &b)
        return addValues(to: sums, from: key, place, &lowering, &b)
      }
    }
    store(sums, place, outputs, &lowering, &b)
  }

  /// What the first item of each row does.
  private func onePerRow(_ place: Place, _ b: inout KernelBuilder, _ body: (inout KernelBuilder) -> Void) {
    let isFirst = b.apply(
      .compare(.equal, .signed), [b.materialize(place.part, lanes: 1), b.constant(.integer(0), .i64)])
    b.branch(isFirst) { body(&$0) }
  }

  // MARK: The steps of a block

  /// The logits of a block of keys, in local memory; those of keys that are missing are the least number.
  private func scores(
    from key: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let (q, k) = (body.type(of: nest.queries), body.type(of: nest.keys))
    let (querySide, keySide) = (nest.querySide, nest.keySide)
    let steps = place.steps
    let queries = GroupTileSteps.Side(
      memory: place.shared.rows, count: scoreTile.rows, pitch: scoreTile.rowPitch,
      isContiguous: querySide.contracting.last == q.rank - 1, first: place.firstRow, extent: nest.rowCount)
    let keys = GroupTileSteps.Side(
      memory: place.shared.columns, count: scoreTile.columns, pitch: scoreTile.columns,
      isContiguous: keySide.contracting.last == k.rank - 1, first: key, extent: nest.keyCount)
    let depthCount = Extent(nest.depthCount)
    let end: IntegerExpression? = nest.depthCount % scoreTile.depth == 0 ? nil : depthCount
    let sums = b.loop(to: depthCount, step: scoreTile.depth, carrying: steps.zeros(&b)) { b, depth, sums in
      lowering.withScope { lowering in
        steps.copy(queries, from: depth, to: end, within: depthCount, &lowering, &b) { lowering, b, row, step, mask in
          let at = querySide.index(
            rank: q.rank, batch: place.batch, free: b.unflattened(row, in: nest.rows),
            contracting: b.unflattened(step, in: nest.depth))
          let element = b.convert(lowering.element(of: nest.queries, at: at, mask: mask, in: &b), to: type)
          return nest.scale.map { b.apply(.multiply, [element, b.constant($0.factor, type)]) } ?? element
        }
        steps.copy(keys, from: depth, to: end, within: depthCount, &lowering, &b) { lowering, b, line, step, mask in
          let at = keySide.index(
            rank: k.rank, batch: place.batch, free: [line], contracting: b.unflattened(step, in: nest.depth))
          return lowering.element(of: nest.keys, at: at, mask: mask, in: &b)
        }
      }
      b.append(.barrier)
      let next = steps.multiply(sums, place.shared.rows, place.shared.columns, depth: scoreTile.depth, &b)
      b.append(.barrier)
      return next
    }
    for r in 0..<scoreTile.itemRows {
      let row = nest.boundedRow(place.firstRow + steps.row(r), tile: scoreTile.rows, &b)
      for v in 0..<steps.vectors {
        for lane in 0..<lanes {
          let column = steps.column(v) + lane
          let score = b.define(RegisterType(type), .extract(sums[r * steps.vectors + v], lane: lane))
          lowering.withLanes(1, &b) { lowering, b in
            let logit = logit(score, row, key + column, place, &lowering, &b)
            b.store(logit, place.shared.weights, at: column * scoreTile.rowPitch + steps.row(r), lanes: 1)
          }
        }
      }
    }
    b.append(.barrier)
  }

  private func logit(
    _ score: Register, _ row: [IntegerExpression], _ key: IntegerExpression, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let isWhole = nest.keyCount.fixed.map { $0 % scoreTile.columns == 0 } ?? false
    let number = b.index(of: b.materialize(key, lanes: 1), bound: isWhole ? nest.keyCount : nil)
    let inside = isWhole ? nil : b.isWithin(number, nest.keyCount, lanes: 1)
    var logit = score
    let pinned = nest.scale?.value ?? nest.attention.scores
    if pinned != nest.attention.logits {
      lowering.pinned[pinned] = b.convert(score, to: body.type(of: pinned).elementType)
      let at = nest.substituted(nest.attention.logitIndex, place.batch, row, number, b)
      logit = b.convert(lowering.element(of: nest.attention.logits, at: at, mask: inside, in: &b), to: type)
      lowering.pinned[pinned] = nil
    }
    return inside.map { b.apply(.select, [$0, logit, b.constant(type.lowest, type)]) } ?? logit
  }

  /// Turns the block's logits into exponentials; several items share a row.
  private func exponentiate(from key: IntegerExpression, _ place: Place, _ b: inout KernelBuilder) {
    let shared = place.shared
    let own = scoreTile.columns / scoreTile.itemsPerRow
    func column(_ i: IntegerExpression) -> IntegerExpression { i * scoreTile.itemsPerRow + place.part }
    func weight(_ i: IntegerExpression) -> IntegerExpression { column(i) * scoreTile.rowPitch + place.row }
    let least = b.constant(type.lowest, type)
    // Not a number is passed over here, for its exponential is seen.
    let largest = b.loop(to: Extent(own), carrying: [least]) { b, i, largest in
      [b.larger(b.load(shared.weights, at: weight(i), lanes: 1), largest[0])]
    }[0]
    b.store(largest, shared.parts, at: place.row * scoreTile.itemsPerRow + place.part, lanes: 1)
    b.append(.barrier)
    let before = b.load(shared.maxima, at: place.row, lanes: 1)
    let maximum = b.loop(to: Extent(scoreTile.itemsPerRow), carrying: [before]) { b, i, largest in
      [b.larger(b.load(shared.parts, at: place.row * scoreTile.itemsPerRow + i, lanes: 1), largest[0])]
    }[0]
    // Of a row that is masked so far all exponentials are zero; one that stays so has 0 / 0 in the end.
    let isMasked = b.apply(.compare(.equal, .float), [maximum, least])
    let shift = b.apply(.select, [isMasked, b.constant(.zero(type), type), maximum])
    let zero = b.constant(.zero(type), type)
    let isWhole = nest.keyCount.fixed.map { $0 % scoreTile.columns == 0 } ?? false
    let sum = b.loop(to: Extent(own), carrying: [zero]) { b, i, sum in
      let logit = b.load(shared.weights, at: weight(i), lanes: 1)
      var exponential = b.softmaxExponential(b.apply(.subtract, [logit, shift]))
      if !isWhole, let inside = b.isWithin(key + column(i), nest.keyCount, lanes: 1) {
        exponential = b.apply(.select, [inside, exponential, zero])
      }
      b.store(exponential, shared.weights, at: weight(i), lanes: 1)
      return [b.apply(.add, [sum[0], exponential])]
    }[0]
    b.store(sum, shared.sums, at: place.row * scoreTile.itemsPerRow + place.part, lanes: 1)
    b.append(.barrier)
    onePerRow(place, &b) { b in
      let factor = b.softmaxExponential(b.apply(.subtract, [before, shift]))
      let total = b.apply(.multiply, [b.load(shared.totals, at: place.row, lanes: 1), factor])
      let sum = b.loop(to: Extent(scoreTile.itemsPerRow), carrying: [total]) { b, i, sum in
        [b.apply(.add, [sum[0], b.load(shared.sums, at: place.row * scoreTile.itemsPerRow + i, lanes: 1)])]
      }[0]
      b.store(sum, shared.totals, at: place.row, lanes: 1)
      b.store(maximum, shared.maxima, at: place.row, lanes: 1)
      b.store(factor, shared.factors, at: place.row, lanes: 1)
    }
    b.append(.barrier)
  }

  /// The item's sums, scaled, with the block's values, each times its weight.
  private func addValues(
    to sums: [Register], from key: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> [Register] {
    let steps = place.steps
    let count = valueTile.itemRows * steps.vectors
    var next: [Register] = []
    for tile in 0..<columnTiles {
      for r in 0..<valueTile.itemRows {
        let factor = b.load(place.shared.factors, at: steps.row(r), lanes: 1)
        for v in 0..<steps.vectors {
          next.append(b.apply(.multiply, [sums[tile * count + r * steps.vectors + v], factor]))
        }
      }
    }
    let depth = valueTile.depth
    return b.loop(to: Extent(scoreTile.columns), step: depth, carrying: next) { b, offset, sums in
      var next: [Register] = []
      for tile in 0..<columnTiles {
        lowering.withScope { lowering in
          copyValues(tile, from: key + offset, place, &lowering, &b)
        }
        b.append(.barrier)
        next += steps.multiply(
          Array(sums[tile * count..<(tile + 1) * count]), place.shared.weights, from: offset, place.shared.columns,
          depth: depth, &b)
        b.append(.barrier)
      }
      return next
    }
  }

  private func copyValues(
    _ tile: Int, from key: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let v = body.type(of: nest.values)
    let side = nest.valueSide
    let values = GroupTileSteps.Side(
      memory: place.shared.columns, count: valueTile.columns, pitch: valueTile.columns,
      isContiguous: side.free.last != v.rank - 1 && side.contracting.last == v.rank - 1,
      first: IntegerExpression(tile * valueTile.columns), extent: Extent(nest.columnCount))
    let isWhole = nest.keyCount.fixed.map { $0 % scoreTile.columns == 0 } ?? false
    let weightIndex = nest.substituted(
      nest.attention.weightIndex, place.batch, nest.rows.map { _ in .zero }, .zero, b)
    let batch = nest.weightSide.batching.map { weightIndex[$0] }
    place.steps.copy(values, from: key, to: isWhole ? nil : nest.keyCount, within: nest.keyCount, &lowering, &b) {
      lowering, b, column, key, mask in
      let at = side.index(
        rank: v.rank, batch: batch, free: b.unflattened(column, in: nest.columns), contracting: [key])
      return lowering.element(of: nest.values, at: at, mask: mask, in: &b)
    }
  }

  // MARK: Results

  private func store(
    _ sums: [Register], _ place: Place, _ outputs: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let steps = place.steps
    for r in 0..<valueTile.itemRows {
      let number = place.firstRow + steps.row(r)
      let isWhole = nest.rowCount.fixed.map { $0 % valueTile.rows == 0 } ?? false
      func writeRow(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
        let known = b.index(of: b.materialize(number, lanes: 1), bound: nest.rowCount)
        let row = b.unflattened(known, in: nest.rows)
        let total = b.load(place.shared.totals, at: steps.row(r), lanes: 1)
        let factor = nest.factor(of: total, &b)
        let isZero = nest.isZeroed(total, place.batch, row, &lowering, &b)
        for tile in 0..<columnTiles {
          for v in 0..<steps.vectors {
            let sum = sums[(tile * valueTile.itemRows + r) * steps.vectors + v]
            let first = b.index(of: b.materialize(steps.column(v) + tile * valueTile.columns, lanes: 1))
            let column = first + .lane
            var value = b.apply(.multiply, [sum, factor])
            if let isZero { value = b.apply(.select, [isZero, b.constant(.zero(type), type), value]) }
            let at = nest.resultIndex(place.batch, row, column, b)
            let mask = b.isWithin(column, Extent(nest.columnCount), lanes: lanes)
            nest.epilogue.store(
              value, of: nest.attention.product, at: at, mask: mask, outputs: outputs, &lowering, &b)
          }
        }
      }
      let inside =
        isWhole ? nil : b.isWithin(b.index(of: b.materialize(number, lanes: 1)), nest.rowCount, lanes: 1)
      if let inside {
        b.branch(inside) { b in lowering.withScope { writeRow(&$0, &b) } }
      } else {
        lowering.withScope { writeRow(&$0, &b) }
      }
    }
  }
}

extension GroupTile {
  /// Items that share a row of the tile where each row is looked at as a whole.
  var itemsPerRow: Int { itemCount / rows }
}
