import IR

extension Schedule {
  /// Folds whose results keep the innermost dimension: rows are read in order and added to a line of accumulators that
  /// stays in the first-level cache. A task is a range of columns.
  public static let column = Schedule("column") { request in
    guard request.anchor == .reduction, let columns = ColumnNest(request) else { return nil }
    return ScheduledFusion(launches: [columns.launch()])
  }
}

private struct ColumnNest {
  /// Columns of one task: their accumulators take a few KiB.
  static let chunk = 1024
  /// Rows that are folded in registers before the accumulators are written back.
  static let rowsAtOnce = 4

  let request: SchedulingRequest
  let folds: [ValueID]
  let functions: [ScalarFunction]
  /// The inputs' dimensions, and which of them are folded.
  let shape: [Extent]
  let reduced: [Int]
  let lanes: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    var folds: [ValueID] = []
    var functions: [ScalarFunction] = []
    var common: (shape: [Extent], reduced: [Int])?
    var widest = 4
    for (position, node) in body.nodes.enumerated() {
      for type in node.resultTypes where type.rank > 0 {
        if type.elementType.isComplex { return nil }
        widest = max(widest, type.elementType.byteCount)
      }
      guard case .reduce(let reduce) = node.op else { continue }
      let shape = body.type(of: node.operands[0]).dimensions
      let reduced = reduce.dimensions.sorted()
      guard node.hasSingleResult, let function = reduce.body.associativeFunction,
        common == nil || (common?.shape == shape && common?.reduced == reduced)
      else { return nil }
      common = (shape, reduced)
      folds.append(ValueID(position))
      functions.append(function)
    }
    guard let common, let last = common.shape.last, !common.reduced.contains(common.shape.count - 1),
      last.fixed ?? 64 >= 32,
      common.reduced.reduce(1, { $0 * (common.shape[$1].fixed ?? 64) }) >= 16
    else { return nil }
    self.request = request
    self.folds = folds
    self.functions = functions
    shape = common.shape
    reduced = common.reduced
    lanes = request.target.lanes(byteCount: widest)
    // No fold may need another one: all are folded in one pass.
    var inputs = body
    inputs.results = folds.map { body[$0].operands[0] }
    let needed = inputs.liveValues
    let kept = shape.indices.filter { !common.reduced.contains($0) }.map { common.shape[$0] }
    let isFitting = body.resultTypes.allSatisfy { $0.dimensions == kept }
    if lanes == 1 || !isFitting || folds.contains(where: { needed[$0.index] }) { return nil }
  }

  private var body: Graph { request.body }
  private var kept: [Int] { shape.indices.filter { !reduced.contains($0) } }
  private var columnExtent: Extent { shape[shape.count - 1] }

  private func type(of fold: ValueID) -> ElementType {
    body[fold].type.elementType.arithmeticType
  }

  func launch() -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    let lines = folds.map { b.addScratch(type(of: $0), count: Self.chunk) }
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: lanes)
    let outer = kept.dropLast()
    let chunks = (columnExtent + (Self.chunk - 1)).floorDivided(by: Extent(Self.chunk))
    let taskCount = outer.reduce(chunks) { $0 * shape[$1] }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    var index = [IntegerExpression](repeating: .zero, count: shape.count)
    let positions = b.positions(of: .task, in: outer.map { shape[$0] } + [chunks])
    for (d, position) in zip(outer + [shape.count - 1], positions) { index[d] = position }
    let first = index[shape.count - 1] * Self.chunk
    let count = IntegerExpression.minimum(columnExtent - first, Extent(Self.chunk))
    let width = b.position(count)

    vectors(width, &lowering, &b) { _, b, column, mask in
      for (fold, (line, function)) in zip(folds, zip(lines, functions)) {
        let neutral = function.neutral(type(of: fold)) ?? .zero(type(of: fold))
        b.store(b.constant(neutral, type(of: fold)), line, at: column + .lane, lanes: lanes, mask: mask)
      }
    }
    rows(reduced[...], index, &lowering, &b) { lowering, b, at, repeated in
      vectors(width, &lowering, &b) { lowering, b, column, mask in
        accumulate(at, repeated, first + column + .lane, column, mask, lines, &lowering, &b)
      }
    }
    for (fold, line) in zip(folds, lines) {
      finish(fold, line, width, &lowering, &b)
      lowering.stored[fold] = ElementLowering.Stored(memory: line) { $0[$0.count - 1] - first }
    }
    vectors(width, &lowering, &b) { lowering, b, column, mask in
      let at = outer.map { index[$0] } + [first + column + .lane]
      for (result, memory) in zip(body.results, outputs) {
        let value = lowering.element(of: result, at: at, mask: mask, in: &b)
        b.store(
          value, memory, at: ElementLowering.position(of: at, in: body.type(of: result)), lanes: lanes, mask: mask)
      }
    }
    let rowCount = reduced.reduce(Extent.one) { $0 * shape[$1] }
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount,
      taskCost: rowCount * .minimum(columnExtent, Extent(Self.chunk)) * folds.count)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// Whole vectors of columns, then a masked one for the rest.
  private func vectors(
    _ width: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression, Register?) -> Void
  ) {
    let whole = width.floorDivided(by: IntegerExpression(lanes)) * lanes
    b.loop(to: whole, step: lanes) { b, column, _ in
      lowering.withScope { body(&$0, &b, column, nil) }
      return []
    }
    guard whole != width else { return }
    b.loop(from: whole, to: width, step: lanes) { b, column, _ in
      let valid = b.isWithin(column + .lane, width, lanes: lanes)
      lowering.withScope { body(&$0, &b, column, valid) }
      return []
    }
  }

  /// Loops over the folded dimensions; several positions of the innermost at once where its extent allows.
  private func rows(
    _ dimensions: ArraySlice<Int>, _ at: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, [IntegerExpression], (dimension: Int, count: Int)) -> Void
  ) {
    guard let dimension = dimensions.first else { return }
    let isInnermost = dimensions.count == 1
    let isWhole = shape[dimension].fixed.map { $0 % Self.rowsAtOnce == 0 } ?? false
    let count = isInnermost && isWhole ? Self.rowsAtOnce : 1
    b.loop(to: shape[dimension], step: count) { b, variable, _ in
      lowering.withScope { lowering in
        var inner = at
        inner[dimension] = variable
        if isInnermost {
          body(&lowering, &b, inner, (dimension, count))
        } else {
          rows(dimensions.dropFirst(), inner, &lowering, &b, body)
        }
      }
      return []
    }
  }

  private func accumulate(
    _ at: [IntegerExpression], _ repeated: (dimension: Int, count: Int), _ position: IntegerExpression,
    _ column: IntegerExpression, _ mask: Register?, _ lines: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    for (fold, (line, function)) in zip(folds, zip(lines, functions)) {
      var sum = b.load(line, at: column + .lane, lanes: lanes, mask: mask)
      for step in 0..<repeated.count {
        var index = at
        index[repeated.dimension] = at[repeated.dimension] + step
        index[shape.count - 1] = position
        let element = lowering.element(of: body[fold].operands[0], at: index, mask: mask, in: &b)
        sum = b.apply(function, [sum, b.widen(b.convert(element, to: type(of: fold)), to: lanes)])
      }
      b.store(sum, line, at: column + .lane, lanes: lanes, mask: mask)
    }
  }

  /// Folds the initial value in and rounds to the result's type.
  private func finish(
    _ fold: ValueID, _ line: Memory, _ width: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    guard let position = folds.firstIndex(of: fold) else { return }
    let initial = lowering.element(of: body[fold].operands[1], at: [], in: &b)
    let start = b.convert(initial, to: type(of: fold))
    vectors(width, &lowering, &b) { _, b, column, mask in
      let sum = b.load(line, at: column + .lane, lanes: lanes, mask: mask)
      let whole = b.apply(functions[position], [b.widen(start, to: lanes), sum])
      b.store(whole, line, at: column + .lane, lanes: lanes, mask: mask)
    }
  }
}
