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
  /// Tiles of a task along the operand's rows, and elements of it along the result's: few rows of the result are written at
  /// once, and lines of the operand are read whole.
  static let tilesAcross = 4
  static let innerExtent = 512
  /// Longer formulas are not repeated for each row of a tile.
  static let longFormula = 12

  /// Part of an axis: from `lower` to before `upper`, whole tiles up to `whole`.
  private struct Range {
    var lower: IntegerExpression
    var whole: IntegerExpression
    var upper: IntegerExpression
  }

  let nest: LoopNest
  let axes: [LoopNest.Axis]
  let crossed: CrossedOperand
  /// The side of a tile.
  let side: Int
  let cost: Int

  init?(_ nest: LoopNest) {
    let probe = Probe(nest.request, nest.results, nest.dimensions)
    axes = nest.collapsedAxes(probe)
    side = nest.request.target.lanes(byteCount: probe.widestElement)
    guard side >= 4, let crossed = CrossedOperand(nest, probe, axes, leastExtent: side)
    else { return nil }
    self.nest = nest
    self.crossed = crossed
    cost = probe.cost
    if elementType.bitWidth < 8 { return nil }
  }

  private var body: Graph { nest.request.body }
  private var value: ValueID { body.parameters[crossed.parameter] }
  private var elementType: ElementType { body.type(of: value).elementType }
  private var inner: Int { axes.count - 1 }
  private var across: Int { crossed.axis }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: nest.request.target)
    b.setBound(Extent(side), ofVariable: -1)
    let (buffers, outputs) = nest.addBuffers(&b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: side)
    let sizes = [across: Self.tilesAcross * side, inner: Self.innerExtent]
    let counts = axes.enumerated().map { position, axis in
      sizes[position].map { (axis.extent + ($0 - 1)).floorDivided(by: Extent($0)) } ?? axis.extent
    }
    let taskCount = counts.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: counts)
    let rows = range(across, task[across], Self.tilesAcross * side, &b)
    let columns = range(inner, task[inner], Self.innerExtent, &b)
    let scratch = cost > Self.longFormula ? b.addScratch(elementType, count: side * side) : nil
    tiles(columns, rows, &b) { b, column, row, isWhole in
      lowering.withScope { lowering in
        var index = task
        (index[inner], index[across]) = (column, row)
        tile(index, isWhole: isWhole, scratch, buffers.inputs, outputs, &lowering, &b)
      }
    }
    let kernel = b.kernel(
      name: nest.request.name, sources: nest.request.sources, taskCount: taskCount,
      taskCost: Extent(Self.tilesAcross * side * cost) * .minimum(axes[inner].extent, Extent(Self.innerExtent)))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The part of an axis that is the `number`th of `size` elements.
  private func range(_ axis: Int, _ number: IntegerExpression, _ size: Int, _ b: inout KernelBuilder) -> Range {
    let (extent, lower) = (axes[axis].extent, number * size)
    var upper = lower + size
    if extent.fixed.map({ $0 % size != 0 }) ?? true {
      upper = b.index(of: b.materialize(.minimum(upper, extent), lanes: 1))
    }
    if extent.fixed.map({ $0 % side == 0 }) ?? false { return Range(lower: lower, whole: upper, upper: upper) }
    let whole = lower + (upper - lower).floorDivided(by: Extent(side)) * side
    return Range(lower: lower, whole: whole, upper: upper)
  }

  /// Loops over the tiles of a task; `body` gets the positions of a tile, and whether it is whole.
  private func tiles(
    _ columns: Range, _ rows: Range, _ b: inout KernelBuilder,
    _ body: (inout KernelBuilder, IntegerExpression, IntegerExpression, Bool) -> Void
  ) {
    func loop(
      _ lower: IntegerExpression, _ upper: IntegerExpression, _ b: inout KernelBuilder,
      _ body: (inout KernelBuilder, IntegerExpression) -> Void
    ) {
      guard lower != upper else { return }
      b.loop(from: lower, to: upper, step: side) { b, position, _ in
        body(&b, position)
        return []
      }
    }
    loop(columns.lower, columns.whole, &b) { b, column in
      loop(rows.lower, rows.whole, &b) { b, row in body(&b, column, row, true) }
      loop(rows.whole, rows.upper, &b) { b, row in body(&b, column, row, false) }
    }
    loop(columns.whole, columns.upper, &b) { b, column in
      loop(rows.lower, rows.upper, &b) { b, row in body(&b, column, row, false) }
    }
  }

  /// The results of a tile that begins at `index`.
  private func tile(
    _ index: [IntegerExpression], isWhole: Bool, _ scratch: Memory?, _ inputs: [Memory], _ outputs: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    var lines: [Register] = []
    for row in 0..<side {
      let (at, mask) = place(index, lanes: across, line: inner, IntegerExpression(row), isWhole: isWhole, &b)
      let source = crossed.position(at: nest.expanded(at, axes), b)
      lines.append(b.load(inputs[crossed.parameter], at: source, lanes: side, mask: mask))
    }
    lines = b.transposed(lines)
    func emit(
      _ line: IntegerExpression, _ element: Register, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) {
      let (at, mask) = place(index, lanes: inner, line: across, line, isWhole: isWhole, &b)
      lowering.pinned[value] = element
      lowering.withScope { nest.emit(at, axes, side, mask, &$0, outputs, &b) }
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

  /// The index of a tile's line, vectors lying along the axis `lanes`, and which of its elements there are.
  private func place(
    _ index: [IntegerExpression], lanes: Int, line: Int, _ number: IntegerExpression, isWhole: Bool,
    _ b: inout KernelBuilder
  ) -> ([IntegerExpression], Register?) {
    var at = index
    at[lanes] = index[lanes] + .lane
    at[line] = index[line] + number
    if isWhole { return (at, nil) }
    let isThere = b.isWithin(at[line], axes[line].extent, lanes: 1)
    return (at, b.and(isThere, b.isWithin(at[lanes], axes[lanes].extent, lanes: side)))
  }
}
