import IR

extension Schedule {
  /// Elements of which all operands are read along another dimension than the result is written, such as rows of a table that
  /// become columns: squares are computed along the operands' rows, and transposed in registers before they are written.
  public static let crossed = Schedule("computed across, written in tiles") { request in
    guard let nest = LoopNest(ofAllResults: request), let crossed = CrossedTiles(nest) else { return nil }
    return ScheduledFusion(launches: [crossed.launch()])
  }
}

private struct CrossedTiles {
  /// Longer formulas are not repeated for each line of a square.
  static let longFormula = 64

  let squares: Squares

  /// Nil where no operand lies across the result, or one lies along it.
  init?(_ nest: LoopNest) {
    let probe = Probe(nest.request, nest.results, nest.dimensions)
    let axes = nest.collapsedAxes(probe)
    let side = nest.request.target.lanes(byteCount: probe.widestElement)
    let types = nest.results.map { nest.request.body.resultTypes[$0].elementType }
    guard side >= 4, axes.count > 1, nest.request.target.workGroups == nil, !probe.hasLoop, !probe.isComplex,
      types.allSatisfy({ $0.bitWidth >= 8 })
    else { return nil }
    func isLong(_ axis: LoopNest.Axis) -> Bool { axis.extent.fixed.map { $0 >= side } ?? true }
    func step(_ read: Probe.Read, _ axis: LoopNest.Axis) -> IntegerExpression? {
      probe.step(of: read.position, along: axis.dimensions.upperBound)
    }
    let inner = axes[axes.count - 1]
    let across = axes.dropLast().lastIndex { axis in
      // Lines that jump are read no better across.
      guard isLong(axis), probe.reads.allSatisfy({ [.zero, .one].contains(step($0, axis)) }) else { return false }
      let rows = probe.reads.filter { step($0, axis) == .one }
      // What says which rows are read, where data does.
      let hasPlaces = probe.reads.contains { step($0, axis) == .zero && step($0, inner) != .zero }
      return !rows.isEmpty
        && rows.allSatisfy { row in
          ![.zero, .one].contains(step(row, inner)) || hasPlaces && probe.isFoundByData(row.position)
        }
    }
    guard let across, isLong(inner), axes.allSatisfy({ $0.extent.fixed.map { $0 > 0 } ?? true }) else { return nil }
    squares = Squares(nest: nest, axes: axes, across: across, side: side, cost: probe.cost)
  }

  func launch() -> ScheduledFusion.Launch {
    let (body, side) = (squares.nest.request.body, squares.side)
    return squares.launch { b -> [Memory]? in
      guard squares.cost > Self.longFormula else { return nil }
      return squares.nest.results.map { b.addScratch(body.resultTypes[$0].elementType, count: side * side) }
    } square: { square, scratch, lowering, b in
      let lines =
        scratch.map { computed(square, in: $0, &lowering, &b) } ?? computed(square, &lowering, &b)
      for (position, result) in squares.nest.results.enumerated() {
        for (row, line) in b.transposed(lines[position]).enumerated() {
          let (at, mask) = squares.alongResult(IntegerExpression(row), of: square, &b)
          let index = squares.nest.expanded(at, squares.axes)
          let place = ElementLowering.position(of: index, in: body.resultTypes[result])
          b.store(line, square.outputs[position], at: place, lanes: side, mask: mask)
        }
      }
    }
  }

  /// For each result the lines of a square across it.
  private func computed(
    _ square: Squares.Square, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [[Register]] {
    var lines = [[Register]](repeating: [], count: squares.nest.results.count)
    for row in 0..<squares.side {
      for (position, line) in line(IntegerExpression(row), of: square, &lowering, &b).enumerated() {
        lines[position].append(line)
      }
    }
    return lines
  }

  /// The same for a formula that is not repeated for each line, by way of memory.
  private func computed(
    _ square: Squares.Square, in scratch: [Memory], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [[Register]] {
    let side = squares.side
    b.loop(to: IntegerExpression(side)) { b, row, _ in
      for (memory, line) in zip(scratch, line(row, of: square, &lowering, &b)) {
        b.store(line, memory, at: row * side + .lane, lanes: side)
      }
      return []
    }
    return scratch.map { memory in
      (0..<side).map { b.load(memory, at: IntegerExpression($0 * side) + .lane, lanes: side) }
    }
  }

  /// For each result one line across it.
  private func line(
    _ row: IntegerExpression, of square: Squares.Square, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let nest = squares.nest
    let (at, mask) = squares.acrossResult(row, of: square, &b)
    let index = nest.expanded(at, squares.axes)
    return lowering.withScope { lowering in
      nest.results.map { result in
        let element = lowering.element(of: nest.request.body.results[result], at: index, mask: mask, in: &b)
        return b.widen(element, to: squares.side)
      }
    }
  }
}
