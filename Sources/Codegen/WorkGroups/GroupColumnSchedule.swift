import IR

extension Schedule {
  /// Folds whose results keep the innermost dimension: items side by side fold columns side by side. Where the columns are
  /// too few for the device, parts of the rows are folded apart and combined by a second kernel.
  static let groupColumn = Schedule("column by groups") { request in
    guard request.anchor == .reduction, let device = request.target.workGroups,
      let columns = GroupColumn(request, device)
    else { return nil }
    return columns.scheduled()
  }
}

private struct GroupColumn {
  /// Rows that one item should at least fold.
  static let leastRows = 32
  /// Items that a compute unit needs to be busy.
  static let itemsPerUnit = 1024

  let request: SchedulingRequest
  let fold: FoldShape
  let splits: Int

  /// Nil where one kernel over the results is as good.
  init?(_ request: SchedulingRequest, _ device: WorkGroups) {
    let body = request.body
    guard let fold = FoldShape(body), !fold.reduced.contains(fold.shape.count - 1) else { return nil }
    self.request = request
    self.fold = fold
    let (shape, reduced) = (fold.shape, fold.reduced)
    let kept = shape.indices.filter { !reduced.contains($0) }.map { shape[$0] }
    var inputs = body
    inputs.results = fold.folds.flatMap { body[$0].operands }
    let needed = inputs.liveValues
    guard body.resultTypes.allSatisfy({ $0.dimensions == kept }), !fold.folds.contains(where: { needed[$0.index] }),
      let columns = kept.reduce(Extent.one, { $0 * $1 }).fixed, columns > 0,
      let rows = reduced.reduce(Extent.one, { $0 * shape[$1] }).fixed, let first = shape[reduced[0]].fixed
    else { return nil }
    let wanted = device.computeUnitCount * Self.itemsPerUnit / columns
    splits = min(wanted, rows / Self.leastRows, first)
    if splits < 2 { return nil }
  }

  private var body: Graph { request.body }
  private var kept: [Extent] {
    fold.shape.indices.filter { !fold.reduced.contains($0) }.map { fold.shape[$0] }
  }

  func scheduled() -> ScheduledFusion {
    var scheduled = ScheduledFusion(launches: [])
    let partials = fold.folds.map {
      scheduled.addTemporary(TensorType(FoldShape.sumType(of: $0, in: body), [Extent(splits)] + kept))
    }
    let sums = FoldedParts(request: request, folds: fold.folds, splits: splits)
    scheduled.append(parts(partials), sums.launch(partials, kept: kept) { column, split in [split] + column })
    return scheduled
  }

  /// Each task folds one column over its part of the first folded dimension and all of the others.
  private func parts(_ partials: [ScheduledFusion.Argument]) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: fold.folds.map { body[$0].operands[0] }, of: request, &b)
    var outputs: [Memory] = []
    for (value, partial) in zip(fold.folds, partials) {
      outputs.append(buffers.add(partial, FoldShape.sumType(of: value, in: body), "part\(outputs.count)", &b))
    }
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    let dimensions = [Extent(splits)] + kept
    let taskCount = dimensions.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let place = b.positions(of: .task, in: dimensions)
    var at = [IntegerExpression](repeating: .zero, count: fold.shape.count)
    let keptDimensions = fold.shape.indices.filter { !fold.reduced.contains($0) }
    for (d, position) in zip(keptDimensions, place.dropFirst()) { at[d] = position }
    let split = fold.reduced[0]
    let length = (fold.shape[split] + (splits - 1)).floorDivided(by: Extent(splits))
    let first = place[0] * length
    let last = b.index(of: b.materialize(.minimum(first + length, fold.shape[split]), lanes: 1))
    let neutrals = fold.folds.map { value in
      let type = FoldShape.sumType(of: value, in: body)
      return b.constant(FoldShape.function(of: value, in: body).neutral(type) ?? .zero(type), type)
    }
    let sums = b.loop(from: first, to: last, carrying: neutrals) { b, position, sums in
      lowering.withScope { lowering in
        var inner = at
        inner[split] = position
        return rows(fold.reduced.dropFirst(), inner, sums, &lowering, &b)
      }
    }
    for (sum, memory) in zip(sums, outputs) { b.store(sum, memory, at: .task, lanes: 1) }
    let cost = length * fold.reduced.dropFirst().reduce(Extent.one) { $0 * fold.shape[$1] }
    let kernel = b.kernel(
      name: "\(request.name)_parts", sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private func rows(
    _ dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ sums: [Register], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> [Register] {
    guard let dimension = dimensions.first else {
      return zip(fold.folds, sums).map { value, sum in
        let element = lowering.element(of: body[value].operands[0], at: at, in: &b)
        let converted = b.convert(element, to: FoldShape.sumType(of: value, in: body))
        return b.apply(FoldShape.function(of: value, in: body), [sum, converted])
      }
    }
    return b.loop(to: fold.shape[dimension], carrying: sums) { b, position, sums in
      lowering.withScope { lowering in
        var inner = at
        inner[dimension] = position
        return rows(dimensions.dropFirst(), inner, sums, &lowering, &b)
      }
    }
  }
}
