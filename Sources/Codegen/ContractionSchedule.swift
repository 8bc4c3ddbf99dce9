import IR

extension Schedule {
  /// A matrix product in register tiles: the right operand packed into panels, at compile time where it is constant, or read in
  /// place where there are too few rows to pay for packing; the left read in place; what follows the product done on
  /// registers.
  public static let contraction = Schedule("contraction") { request in
    guard request.anchor == .contraction, let product = MatrixProduct(request) else { return nil }
    return product.scheduled()
  }
}

/// A `dot_general` as batches of a product of a matrix of rows with a matrix of columns.
struct MatrixProduct {
  let request: SchedulingRequest
  let anchor: ValueID
  let contraction: Contraction
  let epilogue: Epilogue
  let lhs: ValueID
  let rhs: ValueID
  let batch: [Extent]
  let rows: [Extent]
  let columns: [Extent]
  let depth: [Extent]
  let sumType: ElementType
  let lanes: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    let anchors = body.values.filter {
      if case .dotGeneral = body[$0].op { return true }
      return false
    }
    guard anchors.count == 1, case .dotGeneral(let dot) = body[anchors[0]].op,
      let epilogue = Epilogue(of: anchors[0], in: body)
    else { return nil }
    self.request = request
    anchor = anchors[0]
    contraction = dot.dimensions
    self.epilogue = epilogue
    lhs = body[anchor].operands[0]
    rhs = body[anchor].operands[1]
    let (x, y) = (body.type(of: lhs), body.type(of: rhs))
    sumType = ElementLowering.sumType(dot.resultType)
    guard dot.resultType.isFloat, x.elementType.isFloat, y.elementType.isFloat, sumType == .f32 || sumType == .f64,
      x.elementType.isExecutable, y.elementType.isExecutable
    else { return nil }
    lanes = request.target.lanes(byteCount: sumType.byteCount)
    batch = contraction.lhsBatching.map { x.dimensions[$0] }
    rows = contraction.lhsFree(rank: x.rank).map { x.dimensions[$0] }
    columns = contraction.rhsFree(rank: y.rank).map { y.dimensions[$0] }
    depth = contraction.lhsContracting.map { x.dimensions[$0] }
    // With one column the vectors would hold one element each.
    if lanes == 1 || columnCount == .one { return nil }
  }

  var rowCount: Extent { rows.reduce(.one) { $0 * $1 } }
  var columnCount: Extent { columns.reduce(.one) { $0 * $1 } }
  var depthCount: Extent { depth.reduce(.one) { $0 * $1 } }
  var batchCount: Extent { batch.reduce(.one) { $0 * $1 } }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    if let direct = unpacked() {
      if rowCount.fixed == nil {
        appendPacked(to: &scheduled)
        scheduled.steps = [
          .choice(.atLeast(rowCount, Self.packedRowCount), then: scheduled.steps, otherwise: [.launch(direct)])
        ]
      } else {
        scheduled.append(direct)
      }
    } else {
      appendPacked(to: &scheduled)
    }
    offerTiles(&scheduled)
    return scheduled
  }

  // MARK: Few rows

  /// With so many rows the right operand is packed: reading and writing it takes less than it saves.
  static let packedRowCount = 32

  /// The product that reads the right operand where it is; nil where it is packed already, there are rows enough to pay for
  /// packing, or vectors of it lie along neither columns nor depth.
  private func unpacked() -> ScheduledFusion.Launch? {
    if let rows = rowCount.fixed, rows >= Self.packedRowCount { return nil }
    if case .parameter(let parameter) = request.body[rhs].op, request.isConstant[parameter.index] { return nil }
    let type = request.body.type(of: rhs)
    if isContiguous(rhs, along: contraction.rhsFree(rank: type.rank)) {
      return product(Tiling(self, rows: rowCount.fixed ?? 1), .inPlace)
    }
    guard isContiguous(rhs, along: contraction.rhsContracting),
      isContiguous(lhs, along: contraction.lhsContracting)
    else { return nil }
    return dots()
  }

  /// Whether elements that follow each other along these dimensions, the last one innermost, do so in memory.
  private func isContiguous(_ value: ValueID, along dimensions: [Int]) -> Bool {
    let type = request.body.type(of: value)
    let along = IntegerExpression.variable(type.rank)
    let b = KernelBuilder(target: request.target)
    var index = (0..<type.rank).map { IntegerExpression.variable($0) }
    for (d, place) in zip(dimensions, b.unflattened(along, in: dimensions.map { type.dimensions[$0] })) {
      index[d] = place
    }
    guard let position = request.body.position(of: value, at: index) else { return false }
    return !(position - along).contains(variable: type.rank)
  }

  // MARK: Many rows

  private func appendPacked(to scheduled: inout ScheduledFusion) {
    let tiling = Tiling(self, rows: rowCount.fixed)
    let packedArgument: ScheduledFusion.Argument
    switch packed(width: tiling.width, panelCount: tiling.panelCount) {
    case .constant(let literal):
      packedArgument = scheduled.addConstant(literal)
    case .computed(let graph):
      packedArgument = scheduled.addTemporary(graph.resultTypes[0])
      scheduled.append(Schedule.packing(graph, request, into: packedArgument))
    }
    scheduled.append(product(tiling, .packed(packedArgument)))
  }

  /// How rows and columns are cut into register tiles.
  private struct Tiling {
    let vectors: Int
    /// The most rows in a tile.
    let limit: Int
    /// Columns of a panel.
    let width: Int
    let panelCount: Extent

    init(_ product: MatrixProduct, rows: Int?) {
      let target = product.request.target
      vectors = Microkernel.vectors(
        columns: product.columnCount.fixed, rows: rows, lanes: product.lanes, target)
      limit = Microkernel.rowLimit(vectors: vectors, target)
      width = vectors * product.lanes
      panelCount = (product.columnCount + (width - 1)).floorDivided(by: Extent(width))
    }
  }

  /// What the product reads its columns from.
  private enum Columns {
    case packed(ScheduledFusion.Argument)
    /// The right operand itself.
    case inPlace
  }

  // MARK: Tiles

  /// Puts the product in tiles beside the one in f32 where the target has them and they pay.
  private func offerTiles(_ scheduled: inout ScheduledFusion) {
    let (x, y) = (request.body.type(of: lhs), request.body.type(of: rhs))
    let extents = ProductExtents(rows: rowCount, columns: columnCount, depth: depthCount)
    guard let scheme = SplitScheme.scheme(x.elementType, y.elementType, request.precision, request.target),
      let conditions = scheme.conditions(useful: extents, computed: extents, splitPerRow: depthCount)
    else { return }
    let left = ProductOperand(
      lhs, x, batch: contraction.lhsBatching, lines: contraction.lhsFree(rank: x.rank),
      depth: contraction.lhsContracting)
    let right = ProductOperand(
      rhs, y, batch: contraction.rhsBatching, lines: contraction.rhsFree(rank: y.rank),
      depth: contraction.rhsContracting)
    let rows = OperandSplitting(request, left, scheme)
    let columns = OperandSplitting(request, right, scheme)
    let strict = scheduled.steps
    guard let (columnSteps, columnParts, columnScales) = columns.splitColumns(&scheduled) else { return }
    let (rowParts, rowScales) = (scheduled.addTemporary(rows.partsType), scheduled.addTemporary(rows.scalesType))
    let flag = scheduled.addTemporary(.scalar(.i1))
    var steps = columnSteps + [.launch(rows.rows(into: rowParts, rowScales))]
    let checked = [(rowScales, rows.scalesType)] + (columnSteps.isEmpty ? [] : [(columnScales, columns.scalesType)])
    steps.append(.launch(OperandSplitting.check(checked, into: flag, request)))
    let product = TileProduct(
      request: request, anchor: anchor, epilogue: epilogue, scheme: scheme,
      rows: SplitRows(splitting: rows, columns: self.columns), columns: columns.layout, columnCount: columnCount)
    let launch = product.launch(
      TileProduct<SplitRows>.Operands(
        rows: rowParts, rowScales: rowScales, columns: columnParts, columnScales: columnScales))
    steps.append(.choice(.holds(flag), then: [.launch(launch)], otherwise: strict))
    scheduled.steps = .choosing(conditions, steps, else: strict)
  }

  // MARK: Packing

  private func packed(width: Int, panelCount: Extent) -> PackedPanels.Source {
    let body = request.body
    let type = body.type(of: rhs)
    let order = contraction.rhsBatching + contraction.rhsContracting + contraction.rhsFree(rank: type.rank)
    if case .parameter(let parameter) = body[rhs].op, let literal = request.constants[parameter.index],
      let packed = literal.packedInPanels(
        batching: contraction.rhsBatching, depth: contraction.rhsContracting,
        columns: contraction.rhsFree(rank: type.rank), width: width)
    {
      return .constant(packed)
    }
    var graph = body
    graph.results = []
    let transposed = graph.moving(rhs, .transpose(Transpose(permutation: order)))
    let flat = graph.moving(
      transposed, .reshape(Reshape(resultDimensions: [batchCount, depthCount, columnCount])))
    let missing = panelCount * width - columnCount
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let padded = graph.moving(
      flat, .pad(Pad(low: [0, 0, 0], high: [0, 0, missing], interior: [0, 0, 0])), zero)
    let split = graph.moving(
      padded, .reshape(Reshape(resultDimensions: [batchCount, depthCount, panelCount, Extent(width)])))
    graph.results = [graph.moving(split, .transpose(Transpose(permutation: [0, 2, 1, 3])))]
    return .computed(graph)
  }

  // MARK: The product

  private func product(_ tiling: Tiling, _ source: Columns) -> ScheduledFusion.Launch {
    let (vectors, limit, width, panelCount) = (tiling.vectors, tiling.limit, tiling.width, tiling.panelCount)
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var arguments: [ScheduledFusion.Argument] = []
    var panels: Memory?
    let inputs: [Memory]
    switch source {
    case .packed(let argument):
      inputs = addInputs(reading: [lhs], &arguments, &b)
      panels = b.addBuffer("panels", request.body.type(of: rhs).elementType, isWritten: false)
      arguments.append(argument)
    case .inPlace: inputs = addInputs(reading: [lhs, rhs], &arguments, &b)
    }
    let outputs = addOutputs(&arguments, &b)
    var lowering = ElementLowering(graph: request.body, inputs: inputs, lanes: lanes)

    // Task: batch, block of rows, panel; panels innermost, so that a block of rows stays in the cache.
    let depthBytes = max(1, (depthCount.fixed ?? 512) * sumType.byteCount)
    let blockRows = max(limit, request.target.l2ByteCount / 2 / depthBytes / limit * limit)
    let tiles = rowCount.fixed.map { RowTiles(rows: $0, limit: limit) }
    let blockTiles = max(1, blockRows / limit)
    let blockCount: Extent =
      tiles.map { Extent(($0.count + blockTiles - 1) / blockTiles) }
      ?? (rowCount + (blockRows - 1)).floorDivided(by: Extent(blockRows))
    let taskCount = batchCount * blockCount * panelCount
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let panel = position(IntegerExpression.task.modulo(panelCount, bound: { [b] in b.bound(of: $0) }), panelCount, &b)
    let rest = IntegerExpression.task.floorDivided(by: panelCount)
    let block = position(rest.modulo(blockCount, bound: { [b] in b.bound(of: $0) }), blockCount, &b)
    let batchNumber = position(rest.floorDivided(by: blockCount), batchCount, &b)
    let place = Place(
      panels: panels, outputs: outputs, panel: panel, batch: b.unflattened(batchNumber, in: batch),
      batchNumber: batchNumber,
      panelCount: panelCount, width: width, tilesAtOnce: tiles.map { min(blockTiles, $0.count) })

    if let tiles {
      let first = block * blockTiles
      let last = IntegerExpression.minimum(first + blockTiles, Extent(tiles.count))
      let split = IntegerExpression.minimum(IntegerExpression.maximum(first, Extent(tiles.larger)), last)
      if tiles.larger > 0 {
        loopOverTiles(first, split, rows: tiles.size + 1, vectors, place, from: first, &lowering, &b) {
          $0 * (tiles.size + 1)
        }
      }
      if tiles.larger < tiles.count, tiles.size > 0 {
        loopOverTiles(split, last, rows: tiles.size, vectors, place, from: first, &lowering, &b) {
          $0 * tiles.size + IntegerExpression(tiles.larger)
        }
      }
    } else {
      let first = block * blockRows
      let last = b.index(of: b.materialize(.minimum(first + blockRows, rowCount), lanes: 1))
      var from = first
      for size in [limit, 8, 4, 2, 1] where size <= limit {
        let count = (last - from).floorDivided(by: Extent(size))
        let start = from
        loopOverTiles(.zero, count, rows: size, vectors, place, from: .zero, &lowering, &b) { start + $0 * size }
        from = from + count * size
      }
    }
    let work = depthCount * 2 * blockRows * vectors
    let cost = rowCount.fixed.map { depthCount * 2 * min($0, blockRows) * vectors } ?? work
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  /// Buffers for the operands that the product and its epilogue read where they are; of the product's own, `operands`.
  func addInputs(
    reading operands: [ValueID], _ arguments: inout [ScheduledFusion.Argument], _ b: inout KernelBuilder
  ) -> [Memory] {
    let used = usedOperands(operands)
    return request.body.parameters.enumerated().map { position, parameter in
      guard used[parameter.index] else { return .buffer(-1) }
      arguments.append(.operand(position))
      return b.addBuffer("in\(position)", request.body.type(of: parameter).elementType, isWritten: false)
    }
  }

  func addOutputs(_ arguments: inout [ScheduledFusion.Argument], _ b: inout KernelBuilder) -> [Memory] {
    request.body.resultTypes.enumerated().map { position, type in
      arguments.append(.result(position))
      return b.addBuffer("out\(position)", type.elementType, isWritten: true)
    }
  }

  private struct Place {
    /// The packed columns; nil where they are read from the right operand.
    var panels: Memory?
    var outputs: [Memory]
    var panel: IntegerExpression
    var batch: [IntegerExpression]
    var batchNumber: IntegerExpression
    var panelCount: Extent
    var width: Int
    /// Tiles that a task multiplies with one panel, where that is known.
    var tilesAtOnce: Int?
  }

  /// Tiles that share the next panel where it is not known how many there are.
  private static let assumedTiles = 8

  /// What is computed from `operands`, or from the product's elements.
  private func usedOperands(_ operands: [ValueID]) -> [Bool] {
    var graph = request.body
    var used = [Bool](repeating: false, count: graph.nodes.count)
    graph.results = operands
    for (index, isLive) in graph.liveValues.enumerated() where isLive { used[index] = true }
    var pending = request.body.results
    while let value = pending.popLast() {
      guard value != anchor, !used[value.index] else { continue }
      used[value.index] = true
      pending += request.body[value].operands
    }
    return used
  }

  func position(_ expression: IntegerExpression, _ bound: Extent, _ b: inout KernelBuilder) -> IntegerExpression
  {
    expression.isFixed ? expression : b.index(of: b.materialize(expression, lanes: 1), bound: bound)
  }

  private func loopOverTiles(
    _ first: IntegerExpression, _ last: IntegerExpression, rows count: Int, _ vectors: Int, _ place: Place,
    from firstOfTask: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    row: (IntegerExpression) -> IntegerExpression
  ) {
    b.loop(from: first, to: last) { b, tile, _ in
      let assumed = IntegerExpression(Self.assumedTiles)
      let number =
        place.tilesAtOnce == nil ? tile.modulo(assumed, bound: { [b] in b.bound(of: $0) }) : tile - firstOfTask
      lowering.withScope { tileBody(row(tile), number, count, vectors, place, &$0, &b) }
      return []
    }
  }

  private func tileBody(
    _ firstRow: IntegerExpression, _ number: IntegerExpression, _ count: Int, _ vectors: Int, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let kernel = Microkernel(rows: count, vectors: vectors, lanes: lanes, type: sumType)
    let base = b.index(of: b.materialize(firstRow, lanes: 1), bound: rowCount)
    let indices = (0..<count).map { b.unflattened(base + $0, in: rows) }
    let isWhole = columnCount.fixed.map { $0 % place.width == 0 } ?? false
    let panelColumns = (0..<vectors).map { place.panel * place.width + $0 * lanes + .lane }
    let masks = panelColumns.map { isWhole ? nil : b.isWithin($0, columnCount, lanes: lanes) }
    let packed = place.panels.map { packedVector($0, number, place, &b) }
    let sums = kernel.sums(
      over: depth, &lowering, &b,
      row: { lowering, b, r, at in
        lowering.element(of: lhs, at: rowIndex(place.batch, indices[r], at), in: &b)
      },
      panel: { lowering, b, v, at in
        if let packed { return packed(&b, v, at) }
        let index = columnIndex(place.batch, b.unflattened(panelColumns[v], in: columns), at)
        return lowering.element(of: rhs, at: index, mask: masks[v], in: &b)
      })
    for (r, vectorsOfRow) in sums.enumerated() {
      for (v, sum) in vectorsOfRow.enumerated() {
        let index = place.batch + indices[r] + b.unflattened(panelColumns[v], in: columns)
        epilogue.store(sum, of: anchor, at: index, mask: masks[v], outputs: place.outputs, &lowering, &b)
      }
    }
  }

  /// A vector of a packed panel; the next panel is fetched beside.
  private func packedVector(
    _ panels: Memory, _ tile: IntegerExpression, _ place: Place, _ b: inout KernelBuilder
  ) -> (inout KernelBuilder, Int, [IntegerExpression]) -> Register {
    let type = request.body.type(of: rhs).elementType
    let depthStrides = TensorType(type, depth).strides
    let panelBase = (place.batchNumber * place.panelCount + place.panel) * depthCount * place.width
    let start = b.index(of: b.materialize(panelBase, lanes: 1))
    let next = NextPanel(
      panels, at: start + depthCount * place.width, tile: tile, of: place.tilesAtOnce ?? Self.assumedTiles,
      depth: depthCount, width: place.width, &b)
    return { b, v, at in
      let step = zip(at, depthStrides).reduce(IntegerExpression.zero) { $0 + $1.0 * $1.1 }
      if v == 0 { next?.fetch(beside: step, type.byteCount, &b) }
      let position = start + step * place.width + v * lanes
      return b.load(panels, at: position + .lane, lanes: lanes)
    }
  }

  /// The left operand's index of a step of a row's depth.
  func rowIndex(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ depth: [IntegerExpression]
  ) -> [IntegerExpression] {
    let rank = request.body.type(of: lhs).rank
    var index = [IntegerExpression](repeating: .zero, count: rank)
    for (d, place) in zip(contraction.lhsBatching, batch) { index[d] = place }
    for (d, place) in zip(contraction.lhsFree(rank: rank), row) { index[d] = place }
    for (d, place) in zip(contraction.lhsContracting, depth) { index[d] = place }
    return index
  }

  /// The right operand's index of a step of a column's depth.
  func columnIndex(
    _ batch: [IntegerExpression], _ column: [IntegerExpression], _ depth: [IntegerExpression]
  ) -> [IntegerExpression] {
    let rank = request.body.type(of: rhs).rank
    var index = [IntegerExpression](repeating: .zero, count: rank)
    for (d, place) in zip(contraction.rhsBatching, batch) { index[d] = place }
    for (d, place) in zip(contraction.rhsFree(rank: rank), column) { index[d] = place }
    for (d, place) in zip(contraction.rhsContracting, depth) { index[d] = place }
    return index
  }
}

extension Graph {
  /// Appends data movement whose operands fit by construction.
  mutating func moving(_ operand: ValueID?, _ op: Op, _ more: ValueID...) -> ValueID {
    do {
      return try append(op, (operand.map { [$0] } ?? []) + more)
    } catch {
      preconditionFailure("packing moves data within its bounds: \(error)")
    }
  }
}

extension Schedule {
  /// The kernel that computes the only result of `graph`, whose operands are the request's, into `destination`.
  static func packing(_ graph: Graph, _ request: SchedulingRequest, into destination: ScheduledFusion.Argument)
    -> [ScheduledFusion.Launch]
  {
    var pack = request
    pack.body = graph
    pack.anchor = .loop
    pack.name = "\(request.name)_pack"
    let scheduled = Schedule.loop.kernels(pack)
    return (scheduled?.steps ?? []).compactMap { step in
      guard case .launch(let launch) = step else { return nil }
      return ScheduledFusion.Launch(
        launch.kernel, launch.arguments.map { $0 == .result(0) ? destination : $0 })
    }
  }
}

extension Literal {
  /// The elements ordered as batches of panels, each `width` columns wide and as deep as all depth dimensions;
  /// missing columns are zero. Nil for splats, whose bytes are not there.
  func packedInPanels(batching: [Int], depth: [Int], columns: [Int], width: Int) -> Literal? {
    guard !isSplat else { return nil }
    let size = elementType.byteCount
    let strides = type.strides.compactMap(\.fixed)
    func offsets(_ chosen: [Int]) -> [Int] {
      allIndices(chosen.map { dimensions[$0] }).map { index in
        zip(index, chosen).reduce(0) { $0 + $1.0 * strides[$1.1] }
      }
    }
    let (batchOffsets, depthOffsets, columnOffsets) = (offsets(batching), offsets(depth), offsets(columns))
    let panelCount = (columnOffsets.count + width - 1) / width
    let count = batchOffsets.count * panelCount * depthOffsets.count * width
    let packed = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      guard let target = buffer.baseAddress else { return }
      bytes.withUnsafeBytes { source in
        guard let source = source.baseAddress else { return }
        var position = target
        for batch in batchOffsets {
          for panel in 0..<panelCount {
            for step in depthOffsets {
              let row = source + (batch + step) * size
              for lane in 0..<width {
                let column = panel * width + lane
                if column < columnOffsets.count {
                  UnsafeMutableRawPointer(position).copyMemory(
                    from: row + columnOffsets[column] * size, byteCount: size)
                } else {
                  position.update(repeating: 0, count: size)
                }
                position += size
              }
            }
          }
        }
      }
      initialized = count * size
    }
    let depthCount = depthOffsets.count
    return Literal(elementType, [batchOffsets.count, panelCount, depthCount, width], bytes: packed)
  }
}
