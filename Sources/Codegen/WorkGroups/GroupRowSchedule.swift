import IR

extension Schedule {
  /// Folds along the innermost dimensions, a work-group for each row: softmax, layer norms and their like, and sums.
  ///
  /// Each item takes every so many elements of the row; the items' parts are combined in local memory. What an item has
  /// read or computed of a row of known, moderate length stays in its registers until the results are written.
  static let groupRow = Schedule("row by groups") { request in
    guard request.anchor == .row || request.anchor == .reduction, let device = request.target.workGroups,
      let rows = GroupRow(request, device)
    else { return nil }
    return rows.scheduled()
  }
}

/// A body whose reductions have inputs of one shape and fold its last dimensions.
private struct GroupRow {
  /// Vectors of a row that an item may keep.
  static let keptVectors = 8
  /// Rows of no more elements are an item's work alone.
  static let shortRow = 32
  /// A row of at least so many elements is shared by several groups where there are few rows.
  static let sharedRow = 1 << 15

  let request: SchedulingRequest
  let device: WorkGroups
  /// The reductions, in order.
  let folds: [ValueID]
  let outer: [Extent]
  let inner: [Extent]
  let lanes: Int

  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    guard let fold = FoldShape(body), fold.reduced == Array((fold.shape.count - fold.reduced.count)..<fold.shape.count)
    else { return nil }
    self.request = request
    self.device = device
    folds = fold.folds
    outer = Array(fold.shape.dropLast(fold.reduced.count))
    inner = Array(fold.shape.suffix(fold.reduced.count))
    let (shape, kept) = (fold.shape, outer)
    guard body.resultTypes.allSatisfy({ $0.dimensions == shape || $0.dimensions == kept }) else { return nil }
    let full = request.target.lanes(byteCount: fold.widest)
    lanes = inner.last?.fixed.map { $0 % full == 0 } ?? false ? full : 1
  }

  private var body: Graph { request.body }
  private var shape: [Extent] { outer + inner }
  private var rowLength: Extent { inner.reduce(.one) { $0 * $1 } }
  private var rowCount: Extent { outer.reduce(.one) { $0 * $1 } }

  func scheduled() -> ScheduledFusion {
    guard let splits else { return ScheduledFusion(launches: [rows()]) }
    var scheduled = ScheduledFusion(launches: [])
    let partials = folds.map { scheduled.addTemporary(TensorType(foldType($0), outer + [Extent(splits)])) }
    scheduled.append(parts(splits, partials), sums(splits, partials))
    return scheduled
  }

  private func foldType(_ fold: ValueID) -> ElementType { FoldShape.sumType(of: fold, in: body) }

  private func function(_ fold: ValueID) -> ScalarFunction { FoldShape.function(of: fold, in: body) }

  // MARK: A group for each row

  /// Items for a row: a power of two, no more than there are vectors.
  private func itemCount(_ length: Extent) -> Int {
    let most = device.powerOfItems(combining: Set(folds.map(foldType)))
    guard let length = length.fixed else { return min(128, most) }
    if length <= Self.shortRow { return 1 }
    var items = 1
    while items < most, items * lanes < length { items *= 2 }
    return items
  }

  private func rows() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.itemCount = itemCount(rowLength)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    b.setBound(rowCount, ofVariable: Kernel.taskVariable)
    let row = b.positions(of: .task, in: outer)
    let places = RowPlaces(length: rowLength, lanes: lanes, items: b.itemCount, kept: Self.keptVectors, &b)
    for fold in folds {
      let part = folded(fold, row, places, &lowering, &b)
      lowering.pinned[fold] = finished(fold, part, &lowering, &b)
    }
    write(row, places, outputs, &lowering, &b)
    let operations = body.nodes.count { !$0.op.isParameter }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: rowCount, taskCost: rowLength * operations)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The item's part of a fold over the places, in as many lanes as a vector has.
  private func folded(
    _ fold: ValueID, _ row: [IntegerExpression], _ places: RowPlaces, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    let (type, function) = (foldType(fold), function(fold))
    let neutral = b.constant(function.neutral(type) ?? .zero(type), type, lanes: lanes)
    return places.fold(neutral, &lowering, &b) { lowering, b, position, mask, part in
      let at = row + b.unflattened(position, in: inner)
      let element = lowering.element(of: body[fold].operands[0], at: at, mask: mask, in: &b)
      let next = b.apply(function, [part, b.widen(b.convert(element, to: type), to: lanes)])
      return mask.map { b.apply(.select, [$0, next, part]) } ?? next
    }
  }

  /// The fold of all items' parts and the initial value, as the fold's result.
  private func finished(
    _ fold: ValueID, _ part: Register, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let (type, function) = (foldType(fold), function(fold))
    let whole = b.foldItems(function, b.fold(function, part))
    let initial = b.convert(lowering.element(of: body[fold].operands[1], at: [], in: &b), to: type)
    return b.convert(b.apply(function, [initial, whole]), to: body[fold].type.elementType)
  }

  private func write(
    _ row: [IntegerExpression], _ places: RowPlaces, _ outputs: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let full = body.resultTypes.indices.filter { body.resultTypes[$0].dimensions == shape }
    let others = body.resultTypes.indices.filter { !full.contains($0) }
    writeOnce(others.map { ($0, row) }, outputs, &lowering, &b)
    if full.isEmpty { return }
    places.forEach(&lowering, &b) { lowering, b, position, mask in
      let at = row + b.unflattened(position, in: inner)
      let values = full.map { lowering.element(of: body.results[$0], at: at, mask: mask, in: &b) }
      for (value, result) in zip(values, full) {
        let position = ElementLowering.position(of: at, in: body.resultTypes[result])
        b.store(value, outputs[result], at: position, lanes: lanes, mask: mask)
      }
    }
  }

  /// The first item writes what there is one of for each row.
  private func writeOnce(
    _ results: [(result: Int, at: [IntegerExpression])], _ outputs: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    if results.isEmpty { return }
    func write(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
      for (result, at) in results {
        let value = lowering.element(of: body.results[result], at: at, in: &b)
        let position = ElementLowering.position(of: at, in: body.resultTypes[result])
        b.store(value, outputs[result], at: position, lanes: 1)
      }
    }
    if b.itemCount == 1 { return lowering.withLanes(1, &b) { write(&$0, &$1) } }
    let isFirst = b.apply(.compare(.equal, .signed), [b.materialize(.item, lanes: 1), b.constant(.integer(0), .i64)])
    b.branch(isFirst) { b in lowering.withLanes(1, &b) { write(&$0, &$1) } }
  }

  // MARK: Several groups for each row

  /// The parts in which long rows are folded where there are too few rows for the device; nil for whole rows.
  private var splits: Int? {
    guard let rows = rowCount.fixed, let length = rowLength.fixed, rows > 0, length >= Self.sharedRow,
      rows < device.computeUnitCount, body.resultTypes.allSatisfy({ $0.dimensions == outer }), areIndependent
    else { return nil }
    return min(256, max(2, 4 * device.computeUnitCount / rows), length / 4096)
  }

  /// Whether no fold needs another one.
  private var areIndependent: Bool {
    var inputs = body
    inputs.results = folds.flatMap { body[$0].operands }
    let needed = inputs.liveValues
    return !folds.contains { needed[$0.index] }
  }

  private func parts(_ splits: Int, _ partials: [ScheduledFusion.Argument]) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    let length = (rowLength + (splits * lanes - 1)).floorDivided(by: Extent(splits * lanes)) * lanes
    b.itemCount = itemCount(length)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: folds.map { body[$0].operands[0] }, of: request, &b)
    var outputs: [Memory] = []
    for (fold, partial) in zip(folds, partials) {
      outputs.append(buffers.add(partial, foldType(fold), "part\(outputs.count)", &b))
    }
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    let taskCount = rowCount * splits
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let place = b.positions(of: .task, in: outer + [Extent(splits)])
    let (row, split) = (Array(place.dropLast()), place[place.count - 1])
    let first = split * length
    let last = b.index(of: b.materialize(.minimum(first + length, rowLength), lanes: 1))
    let places = RowPlaces(from: first, to: last, lanes: lanes, items: b.itemCount)
    let wholes = folds.map { fold in
      b.foldItems(function(fold), b.fold(function(fold), folded(fold, row, places, &lowering, &b)))
    }
    let isFirst = b.apply(.compare(.equal, .signed), [b.materialize(.item, lanes: 1), b.constant(.integer(0), .i64)])
    b.branch(isFirst) { b in
      for (whole, memory) in zip(wholes, outputs) { b.store(whole, memory, at: .task, lanes: 1) }
    }
    let kernel = b.kernel(
      name: "\(request.name)_parts", sources: request.sources, taskCount: taskCount, taskCost: length * folds.count)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// Folds the parts of each row and writes the results.
  private func sums(_ splits: Int, _ partials: [ScheduledFusion.Argument]) -> ScheduledFusion.Launch {
    let parts = FoldedParts(request: request, folds: folds, splits: splits)
    return parts.launch(partials, kept: outer) { row, split in row + [split] }
  }
}

/// The positions of a row that one item visits: vectors that lie as many vectors apart as there are items.
struct RowPlaces {
  let lanes: Int
  let items: Int
  private let first: IntegerExpression
  private let last: IntegerExpression
  /// The positions, each with the mask of what lies inside, where they are few and known.
  private var kept: [(position: IntegerExpression, mask: Register?)]?

  init(from first: IntegerExpression, to last: IntegerExpression, lanes: Int, items: Int) {
    (self.first, self.last, self.lanes, self.items) = (first, last, lanes, items)
  }

  /// The places of a whole row; where an item has at most `limit` of them, they are written out one by one.
  init(length: Extent, lanes: Int, items: Int, kept limit: Int, _ b: inout KernelBuilder) {
    self.init(from: .zero, to: length, lanes: lanes, items: items)
    guard let count = length.fixed, count <= limit * items * lanes else { return }
    var places: [(IntegerExpression, Register?)] = []
    for first in stride(from: 0, to: count, by: items * lanes) {
      let start = IntegerExpression.item * lanes + first
      let isWhole = first + items * lanes <= count
      let position = b.index(of: b.materialize(start, lanes: 1), bound: isWhole ? length : nil)
      // Lengths are multiples of the lanes: a vector is inside or outside as a whole.
      let inside = isWhole ? nil : b.isWithin(position, length, lanes: 1)
      places.append((lanes == 1 ? position : position + .lane, inside.map { b.widen($0, to: lanes) }))
    }
    kept = places
  }

  /// The value that `body` makes of `initial`, place by place.
  func fold(
    _ initial: Register, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression, Register?, Register) -> Register
  ) -> Register {
    if let kept {
      return kept.reduce(initial) { body(&lowering, &b, $1.position, $1.mask, $0) }
    }
    return b.loop(from: start(&b), to: last, step: items * lanes, carrying: [initial]) { b, position, parts in
      lowering.withScope { [body(&$0, &b, lanes == 1 ? position : position + .lane, nil, parts[0])] }
    }[0]
  }

  func forEach(
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression, Register?) -> Void
  ) {
    if let kept {
      for place in kept { body(&lowering, &b, place.position, place.mask) }
      return
    }
    b.loop(from: start(&b), to: last, step: items * lanes) { b, position, _ in
      lowering.withScope { body(&$0, &b, lanes == 1 ? position : position + .lane, nil) }
      return []
    }
  }

  private func start(_ b: inout KernelBuilder) -> IntegerExpression {
    b.index(of: b.materialize(first + .item * lanes, lanes: 1))
  }
}
