import IR

/// Short rows, as many at once as a vector has lanes: each row is folded into a vector, and the lanes of all these vectors are
/// combined together, which takes a fourth of what it takes one by one.
extension RowNest {
  /// Vectors of a short row at most: what combines their lanes takes as long as folding them.
  private static let shortVectors = 8

  /// Whether rows are short, and enough for a group. Rows of one vector that are written too are as fast one by one.
  var areShort: Bool {
    guard let length = rowLength.fixed, rowCount.fixed ?? .max >= lanes else { return false }
    return length > (isPassedOverOnce ? 0 : lanes) && length <= Self.shortVectors * lanes
  }

  /// A group of rows is a task.
  func groups() -> ScheduledFusion.Launch {
    let draft = draft()
    var (b, lowering, outputs) = (draft.b, draft.lowering, draft.outputs)
    let taskCount = (rowCount + (lanes - 1)).floorDivided(by: Extent(lanes))
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let first = IntegerExpression.task * lanes
    let areWhole = rowCount.fixed.map { $0 % lanes == 0 } ?? false
    let count = areWhole ? Extent(lanes) : .minimum(rowCount - first, Extent(lanes))
    var group = Group(first: first, count: b.position(count))
    let kept = keptValue()
    for fold in folds {
      lowering.vectorsAtOnce = vectorsAtOnce([body[fold].operands[0]], lowering)
      if let kept, fold == kept.fold { lowering.saved[kept.value] = storage(of: kept.result, outputs) }
      group.totals.append((fold, totals(of: fold, group, &lowering, &b)))
      if let kept, fold == kept.fold {
        lowering.saved[kept.value] = nil
        lowering.stored[kept.value] = storage(of: kept.result, outputs)
      }
    }
    lowering.withScope { lowering in
      for (fold, memory) in group.totals { lowering.pinned[fold] = b.load(memory, at: .lane, lanes: lanes) }
      let rows = b.unflattened(first + .lane, in: outer)
      let mask = areWhole ? nil : b.isWithin(first + .lane, rowCount, lanes: lanes)
      writeFolds(rows, outputs, mask: mask, &lowering, &b)
      for fold in folds { lowering.pinned[fold] = nil }
    }
    lowering.vectorsAtOnce = vectorsAtOnce(body.results, lowering)
    if body.resultTypes.contains(where: { $0.dimensions == shape }) {
      rows(of: group, &lowering, &b) { lowering, b, row, _ in write(row, outputs, &lowering, &b) }
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount,
      taskCost: rowLength * operationCount * lanes)
    return ScheduledFusion.Launch(kernel, draft.arguments)
  }

  private struct Group {
    /// The first row, and how many there are.
    var first: IntegerExpression
    var count: IntegerExpression
    /// Where the rows' folds are.
    var totals: [(fold: ValueID, memory: Memory)] = []
  }

  /// Loops over the rows of a group; `body` gets a row's index and number in the group.
  private func rows(
    of group: Group, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, [IntegerExpression], IntegerExpression) -> Void
  ) {
    b.loop(to: group.count) { b, number, _ in
      lowering.withScope { lowering in
        let row = b.positions(of: group.first + number, in: outer)
        for (fold, memory) in group.totals { lowering.pinned[fold] = b.load(memory, at: number, lanes: 1) }
        body(&lowering, &b, row, number)
        for (fold, _) in group.totals { lowering.pinned[fold] = nil }
      }
      return []
    }
  }

  /// Memory with the folds of a group's rows.
  private func totals(
    of fold: ValueID, _ group: Group, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Memory {
    guard case .reduce(let reduce) = body[fold].op, let function = reduce.body.associativeFunction else {
      preconditionFailure("rows are folded with an associative function")
    }
    let result = body[fold].type.elementType
    let type = result.arithmeticType
    let parts = b.addScratch(type, count: lanes * lanes)
    rows(of: group, &lowering, &b) { lowering, b, row, number in
      let vector = b.widen(lowering.parts(ofRow: row, of: fold, in: &b), to: lanes)
      b.store(vector, parts, at: number * lanes + .lane, lanes: lanes)
    }
    // Lanes of rows that are not there have what lay in the memory; nobody reads them.
    let vectors = (0..<lanes).map { b.load(parts, at: IntegerExpression($0 * lanes) + .lane, lanes: lanes) }
    let initial = b.convert(lowering.element(of: body[fold].operands[1], at: [], in: &b), to: type)
    let total = b.apply(function, [b.widen(initial, to: lanes), b.lanesFolded(vectors, function)])
    let memory = b.addScratch(result, count: lanes)
    b.store(b.convert(total, to: result), memory, at: .lane, lanes: lanes)
    return memory
  }
}
