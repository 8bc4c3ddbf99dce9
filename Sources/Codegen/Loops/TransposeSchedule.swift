import IR

extension Schedule {
  /// Elements of which one operand is read along another dimension than the result is written: squares of it are read along
  /// the operand's rows, transposed in registers, and written along the result's.
  public static let transpose = Schedule("transpose in tiles") { request in
    guard let nest = LoopNest(ofAllResults: request), let transpose = TransposedTiles(nest) else { return nil }
    return ScheduledFusion(launches: [transpose.launch()])
  }
}

private struct TransposedTiles {
  /// Longer formulas are not repeated for each row of a tile.
  static let longFormula = 12

  let squares: Squares
  let crossed: CrossedOperand

  init?(_ nest: LoopNest) {
    let probe = Probe(nest.request, nest.results, nest.dimensions)
    let axes = nest.collapsedAxes(probe)
    let side = nest.request.target.lanes(byteCount: probe.widestElement)
    guard side >= 4, let crossed = CrossedOperand(nest, probe, axes, leastExtent: side)
    else { return nil }
    self.crossed = crossed
    squares = Squares(nest: nest, axes: axes, across: crossed.axis, side: side, cost: probe.cost)
    if elementType.bitWidth < 8 { return nil }
  }

  private var body: Graph { squares.nest.request.body }
  private var value: ValueID { body.parameters[crossed.parameter] }
  private var elementType: ElementType { body.type(of: value).elementType }

  func launch() -> ScheduledFusion.Launch {
    let side = squares.side
    return squares.launch { b in
      squares.cost > Self.longFormula ? b.addScratch(elementType, count: side * side) : nil
    } square: { square, scratch, lowering, b in
      tile(square, scratch, &lowering, &b)
    }
  }

  private func tile(
    _ square: Squares.Square, _ scratch: Memory?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let (nest, axes, side) = (squares.nest, squares.axes, squares.side)
    var lines: [Register] = []
    for row in 0..<side {
      let (at, mask) = squares.acrossResult(IntegerExpression(row), of: square, &b)
      let source = crossed.position(at: nest.expanded(at, axes), b)
      lines.append(b.load(square.inputs[crossed.parameter], at: source, lanes: side, mask: mask))
    }
    lines = b.transposed(lines)
    func emit(
      _ line: IntegerExpression, _ element: Register, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) {
      let (at, mask) = squares.alongResult(line, of: square, &b)
      lowering.pinned[value] = element
      lowering.withScope { nest.emit(at, axes, side, mask, &$0, square.outputs, &b) }
      lowering.pinned[value] = nil
    }
    guard let scratch else {
      for (row, line) in lines.enumerated() { emit(IntegerExpression(row), line, &lowering, &b) }
      return
    }
    for (row, line) in lines.enumerated() {
      b.store(line, scratch, at: IntegerExpression(row * side) + .lane, lanes: side)
    }
    b.loop(to: IntegerExpression(side)) { b, row, _ in
      let line = b.load(scratch, at: row * side + .lane, lanes: side)
      emit(row, line, &lowering, &b)
      return []
    }
  }
}
