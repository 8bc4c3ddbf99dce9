import IR

/// A product of few rows with a matrix whose columns lie beside each other: lines of the right operand are read whole, in
/// memory's order, and added to lines of sums that stay in the first-level cache (BLAS: GEMV as a series of AXPY).
///
/// Tiles would read a few vectors of every line, from top to bottom: each step is in another page then, which no processor
/// fetches ahead.
extension MatrixProduct {
  /// More rows are multiplied in tiles.
  private static let mostRows = 4
  /// Lines that are added before the sums are written back.
  private static let linesAtOnce = 8
  /// Columns of a task at most, and those from which on there are two tasks.
  private static let columnsOfTask = 1024
  private static let columnsOfTwoTasks = 512
  /// Second-level caches that a matrix fills before reading it in order pays for several rows, whose sums come from the cache
  /// at each step (docs/design/0034).
  private static let cachesOfRows = 12

  /// Whether the right operand comes from far, its lines are longer than what a tile reads of them, and rows are few.
  var isAddedInLines: Bool {
    guard let rows = rowCount.fixed, (1...Self.mostRows).contains(rows),
      columnCount.fixed ?? .max >= Self.columnsOfTwoTasks
    else { return false }
    let elementBytes = request.body.type(of: rhs).elementType.byteCount
    let bytes = (depthCount * columnCount).fixed.map { Double($0) * Double(elementBytes) }
    return bytes ?? .infinity > Double((rows == 1 ? 1 : Self.cachesOfRows) * request.target.l2ByteCount)
  }

  /// Columns of a task: tasks of one size, multiples of vectors.
  private var chunk: Int {
    guard let columns = columnCount.fixed else { return Self.columnsOfTask }
    let tasks = max(2, (columns + Self.columnsOfTask - 1) / Self.columnsOfTask)
    return (columns + tasks * lanes - 1) / (tasks * lanes) * lanes
  }

  func lines() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var (buffers, _) = addInputs(.inPlace, .inPlace, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    let rowNumbers = 0..<(rowCount.fixed ?? 0)
    let sums = rowNumbers.map { _ in b.addScratch(sumType, count: chunk) }

    // Task: batch, chunk of columns.
    let chunkCount = (columnCount + (chunk - 1)).floorDivided(by: Extent(chunk))
    let taskCount = batchCount * chunkCount
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let number = b.position(
      IntegerExpression.task.modulo(chunkCount, bound: { [b] in b.bound(of: $0) }), in: chunkCount)
    let batchNumber = b.position(IntegerExpression.task.floorDivided(by: chunkCount), in: batchCount)
    let place = LinesPlace(
      batch: b.unflattened(batchNumber, in: batch),
      rows: rowNumbers.map { b.unflattened(IntegerExpression($0), in: rows) },
      first: number * chunk, width: b.position(.minimum(columnCount - number * chunk, Extent(chunk))),
      sums: sums)

    let zero = b.constant(.zero(sumType), sumType, lanes: lanes)
    b.loop(to: IntegerExpression(chunk), step: lanes) { b, column, _ in
      for memory in sums { b.store(zero, memory, at: column + .lane, lanes: lanes) }
      return []
    }
    let whole = depthCount.floorDivided(by: Extent(Self.linesAtOnce)) * Self.linesAtOnce
    addLines(from: .zero, to: whole, count: Self.linesAtOnce, place, &lowering, &b)
    if whole != depthCount { addLines(from: whole, to: depthCount, count: 1, place, &lowering, &b) }

    VectorStrips(to: place.width, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, column, width, mask in
      let columns = b.unflattened(place.first + column + .lane, in: self.columns)
      for (row, memory) in zip(place.rows, sums) {
        let sum = b.load(memory, at: column + .lane, lanes: width, mask: mask)
        let index = resultIndex(place.batch, row, columns)
        epilogue.store(sum, of: anchor, at: index, mask: mask, outputs: outputs, &lowering, &b)
      }
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount,
      taskCost: depthCount * 2 * rowCount * (chunk / lanes))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  private struct LinesPlace {
    var batch: [IntegerExpression]
    var rows: [[IntegerExpression]]
    /// The first column of the task, and how many it has.
    var first: IntegerExpression
    var width: IntegerExpression
    var sums: [Memory]
  }

  /// Adds the lines of the right operand at the steps of a range, `count` at once, times the rows' elements, to the sums.
  private func addLines(
    from first: IntegerExpression, to last: IntegerExpression, count: Int, _ place: LinesPlace,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    b.loop(from: first, to: last, step: count) { b, step, _ in
      lowering.withScope { lowering in
        let steps = (0..<count).map { b.unflattened(step + $0, in: depth) }
        let factors = place.rows.map { row in
          steps.map { at -> Register in
            let element = lowering.element(of: lhs, at: rowIndex(place.batch, row, at), in: &b)
            return b.widen(b.convert(element, to: sumType), to: lanes)
          }
        }
        VectorStrips(to: place.width, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, column, width, mask in
          let columns = b.unflattened(place.first + column + .lane, in: self.columns)
          let lines = steps.map { at -> Register in
            let element = lowering.element(of: rhs, at: columnIndex(place.batch, columns, at), mask: mask, in: &b)
            return b.widen(b.convert(element, to: sumType), to: width)
          }
          for (memory, factors) in zip(place.sums, factors) {
            var sum = b.load(memory, at: column + .lane, lanes: width, mask: mask)
            for (factor, line) in zip(factors, lines) { sum = b.multiplyAdd(factor, line, sum) }
            b.store(sum, memory, at: column + .lane, lanes: width, mask: mask)
          }
        }
      }
      return []
    }
  }
}
