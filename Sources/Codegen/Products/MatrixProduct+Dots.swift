import IR

/// A product whose operands both lie along the depth in memory, as in `x wᵀ` with a stored `w`: vectors lie along the depth too, and
/// every result is the sum of the lanes of its own accumulator.
///
/// Nothing is packed, so the right operand is read once for each row.
extension MatrixProduct {
  /// Accumulators that hide the latency of a multiply-add.
  private static let accumulatorCount = 16

  func dots(_ left: Left) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var (buffers, packed) = addInputs(left, .inPlace, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    let vectors = max(1, min(Self.accumulatorCount, Microkernel.accumulatorLimit(request.target)) / lanes)
    let width = vectors * lanes

    // Task: batch, panel of columns; all rows are multiplied with a panel while it is near.
    let panelCount = (columnCount + (width - 1)).floorDivided(by: Extent(width))
    let taskCount = batchCount * panelCount
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let panel = b.position(IntegerExpression.task.modulo(panelCount, bound: { [b] in b.bound(of: $0) }), in: panelCount)
    let batchNumber = b.position(IntegerExpression.task.floorDivided(by: panelCount), in: batchCount)
    let batch = b.unflattened(batchNumber, in: self.batch)
    let first = panel * width
    b.loop(to: rowCount) { b, rowNumber, _ in
      lowering.withScope { lowering in
        let row = b.unflattened(rowNumber, in: rows)
        let packedRow = packed.left.map { ($0, (batchNumber * rowCount + rowNumber) * stepCount) }
        let sums = depthSums(batch, row, packedRow, first, count: width, &lowering, &b)
        for v in 0..<vectors {
          let column = first + v * lanes + .lane
          let mask = b.isWithin(column, columnCount, lanes: lanes)
          let sum = b.lanesFolded(Array(sums[v * lanes..<(v + 1) * lanes]), .add)
          let index = resultIndex(batch, row, b.unflattened(column, in: columns))
          epilogue.store(sum, of: anchor, at: index, mask: mask, outputs: outputs, &lowering, &b)
        }
      }
      return []
    }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount,
      taskCost: depthCount * 2 * rowCount * vectors)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// For each of `count` columns from `first` on, the vector whose lanes' sum is its product with the row. A packed row is where
  /// it begins.
  private func depthSums(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ packedRow: (Memory, IntegerExpression)?,
    _ first: IntegerExpression, count: Int,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    // Behind the last column that one is read again; its sums are not stored.
    let last = columnCount - 1
    let isWhole = columnCount.fixed.map { $0 % count == 0 } ?? false
    let columns = (0..<count).map { c in
      let column = isWhole ? first + c : IntegerExpression.minimum(first + c, last)
      return b.positions(of: column, in: self.columns)
    }
    var sums = [Register](repeating: b.constant(.zero(sumType), sumType, lanes: lanes), count: count)
    for strip in VectorStrips(to: depthCount, lanes: lanes, atOnce: 1).strips {
      sums = b.loop(from: strip.lower, to: strip.upper, step: strip.lanes, carrying: sums) { b, step, sums in
        lowering.withScope { lowering in
          let valid = strip.mask(at: step, &b)
          let at = b.unflattened(step + .lane, in: depth)
          func vector(_ element: Register) -> Register { b.widen(b.convert(element, to: sumType), to: lanes) }
          let x =
            packedRow.map { b.load($0, at: $1 + step + .lane, lanes: lanes, mask: valid) }
            ?? lowering.element(of: lhs, at: rowIndex(batch, row, at), mask: valid, in: &b)
          let wide = vector(x)
          return zip(columns, sums).map { column, sum in
            let y = lowering.element(of: rhs, at: columnIndex(batch, column, at), mask: valid, in: &b)
            let next = b.multiplyAdd(wide, vector(y), sum)
            return valid.map { b.apply(.select, [$0, next, sum]) } ?? next
          }
        }
      }
    }
    return sums
  }
}
