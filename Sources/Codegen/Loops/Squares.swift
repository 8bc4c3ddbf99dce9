import IR

/// A loop nest's elements in squares, along the result's innermost axis and another one: what is read along the one and
/// written along the other.
struct Squares {
  /// Squares of a task along the operand's rows, and elements of it along the result's: few rows of the result are written at
  /// once, and lines of the operand are read whole.
  private static let squaresAcross = 4
  private static let innerExtent = 512

  let nest: LoopNest
  let axes: [LoopNest.Axis]
  /// The axis other than the innermost.
  let across: Int
  /// Elements along each side, which are a vector's lanes.
  let side: Int
  /// Operations of one element.
  let cost: Int

  private var inner: Int { axes.count - 1 }

  /// A square, and the memory that its elements are read from and written to.
  struct Square {
    /// Where it begins.
    let index: [IntegerExpression]
    /// Whether all of its elements are there.
    let isWhole: Bool
    let inputs: [Memory]
    let outputs: [Memory]
  }

  /// Part of an axis: from `lower` to before `upper`, whole squares up to `whole`.
  private struct Range {
    var lower: IntegerExpression
    var whole: IntegerExpression
    var upper: IntegerExpression
  }

  /// A kernel whose tasks are some squares each; `square` computes one of them, with the memory that `prepare` makes.
  func launch<State>(
    preparing prepare: (inout KernelBuilder) -> State,
    square: (Square, State, inout ElementLowering, inout KernelBuilder) -> Void
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: nest.request.target)
    b.setBound(Extent(side), ofVariable: -1)
    let (buffers, outputs) = nest.addBuffers(&b)
    var lowering = ElementLowering(graph: nest.request.body, inputs: buffers.inputs, lanes: side)
    let sizes = [across: Self.squaresAcross * side, inner: Self.innerExtent]
    let counts = axes.enumerated().map { position, axis in
      sizes[position].map { (axis.extent + ($0 - 1)).floorDivided(by: Extent($0)) } ?? axis.extent
    }
    let taskCount = counts.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let task = b.positions(of: .task, in: counts)
    let rows = range(across, task[across], Self.squaresAcross * side, &b)
    let columns = range(inner, task[inner], Self.innerExtent, &b)
    let state = prepare(&b)
    squares(columns, rows, &b) { b, column, row, isWhole in
      lowering.withScope { lowering in
        var index = task
        (index[inner], index[across]) = (column, row)
        square(
          Square(index: index, isWhole: isWhole, inputs: buffers.inputs, outputs: outputs), state, &lowering, &b)
      }
    }
    let kernel = b.kernel(
      name: nest.request.name, sources: nest.request.sources, taskCount: taskCount,
      taskCost: Extent(Self.squaresAcross * side * cost) * .minimum(axes[inner].extent, Extent(Self.innerExtent)))
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

  /// Loops over the squares of a task; `body` gets the positions of a square, and whether it is whole.
  private func squares(
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

  // MARK: Lines of a square

  /// The index of a line across the result's rows, with its lanes, and which of its elements there are.
  func acrossResult(_ line: IntegerExpression, of square: Square, _ b: inout KernelBuilder) -> (
    index: [IntegerExpression], mask: Register?
  ) { place(line, along: inner, lanes: across, square, &b) }

  /// The index of a line along the result's rows, with its lanes, and which of its elements there are.
  func alongResult(_ line: IntegerExpression, of square: Square, _ b: inout KernelBuilder) -> (
    index: [IntegerExpression], mask: Register?
  ) { place(line, along: across, lanes: inner, square, &b) }

  private func place(
    _ number: IntegerExpression, along line: Int, lanes: Int, _ square: Square, _ b: inout KernelBuilder
  ) -> (index: [IntegerExpression], mask: Register?) {
    var at = square.index
    at[lanes] = square.index[lanes] + .lane
    at[line] = square.index[line] + number
    if square.isWhole { return (at, nil) }
    let isThere = b.isWithin(at[line], axes[line].extent, lanes: 1)
    return (at, b.and(isThere, b.isWithin(at[lanes], axes[lanes].extent, lanes: side)))
  }
}
