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
    let (nest, axes, side) = (squares.nest, squares.axes, squares.side)
    let body = nest.request.body
    return squares.launch { _ in
    } square: { square, _, lowering, b in
      // For each result its lines across.
      var lines = [[Register]](repeating: [], count: nest.results.count)
      for row in 0..<side {
        let (at, mask) = squares.acrossResult(IntegerExpression(row), of: square, &b)
        let index = nest.expanded(at, axes)
        lowering.withScope { lowering in
          for (position, result) in nest.results.enumerated() {
            let element = lowering.element(of: body.results[result], at: index, mask: mask, in: &b)
            lines[position].append(b.widen(element, to: side))
          }
        }
      }
      for (position, result) in nest.results.enumerated() {
        for (row, line) in b.transposed(lines[position]).enumerated() {
          let (at, mask) = squares.alongResult(IntegerExpression(row), of: square, &b)
          let place = ElementLowering.position(of: nest.expanded(at, axes), in: body.resultTypes[result])
          b.store(line, square.outputs[position], at: place, lanes: side, mask: mask)
        }
      }
    }
  }
}
