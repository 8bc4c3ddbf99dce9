import IR

extension Schedule {
  /// Running folds (`cumsum`), with what follows them. A task is a line, whose vectors are scanned in themselves; or lines
  /// side by side, whose folds lie in vectors.
  public static let scan = Schedule("scan") { request in
    guard let lines = ScannedLines(request) else { return nil }
    return lines.scheduled { outputs, _ in [.launch(Scan(lines, outputs).launch())] }
  }
}

private struct Scan {
  /// Lines side by side in one task: their folds take a few KiB.
  static let chunk = 1024

  let lines: ScannedLines
  let outputs: [CentralNode.Output]
  let lanes: Int

  init(_ lines: ScannedLines, _ outputs: [CentralNode.Output]) {
    self.lines = lines
    self.outputs = outputs
    var widest = 4
    var isComplex = false
    for type in lines.request.body.nodes.flatMap(\.resultTypes) where type.rank > 0 {
      if type.elementType.isComplex { isComplex = true }
      widest = max(widest, type.elementType.byteCount)
    }
    lanes = isComplex ? 1 : lines.request.target.lanes(byteCount: widest)
  }

  private var graph: Graph { lines.request.body }
  private var length: Extent { lines.length }
  private var inputs: [ValueID] { lines.inputs }
  private var resultTypes: [ElementType] { lines.body.resultTypes.map(\.elementType) }
  /// The types in which lines are folded.
  private var foldTypes: [ElementType] { lines.associativeFunction == nil ? resultTypes : [lines.sumType] }
  /// The dimensions inside the lines' that have more than one element: lines beside each other.
  private var inner: [Int] {
    lines.type.dimensions.indices.filter { $0 > lines.dimension && lines.type.dimensions[$0] != .one }
  }

  func launch() -> ScheduledFusion.Launch {
    if lanes > 1 && !inner.isEmpty { return besideEachOther() }
    if lanes > 1, let function = lines.associativeFunction, let neutral = function.neutral(lines.sumType) {
      return alongVectors(function, neutral)
    }
    return byElements()
  }

  /// A kernel that is being written.
  private struct Draft {
    var b: KernelBuilder
    var buffers: OperandBuffers
    var outputs: [Memory] = []
    var lowering: ElementLowering
    /// The values that lines begin with.
    var initial: [Register] = []
  }

  private func draft(taskCount: Extent) -> Draft {
    var b = KernelBuilder(target: lines.request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let buffers = OperandBuffers(for: outputs.map(\.value), of: lines.request, &b)
    let lowering = ElementLowering(graph: graph, inputs: buffers.inputs, lanes: lanes)
    var draft = Draft(b: b, buffers: buffers, lowering: lowering)
    for (number, output) in outputs.enumerated() {
      let type = graph.type(of: output.value).elementType
      draft.outputs.append(draft.buffers.add(output.destination, type, "out\(number)", &draft.b))
    }
    draft.initial = zip(lines.node.operands[lines.inputCount...], foldTypes).map { operand, type in
      draft.b.convert(draft.lowering.element(of: operand, at: [], in: &draft.b), to: type)
    }
    return draft
  }

  private func launch(_ draft: Draft, taskCount: Extent, cost: Extent) -> ScheduledFusion.Launch {
    let kernel = draft.b.kernel(
      name: lines.request.name, sources: lines.request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, draft.buffers.arguments)
  }

  /// The folds with the elements at `index` folded in.
  private func next(
    _ folds: [Register], at index: [IntegerExpression], _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> [Register] {
    let elements = inputs.map { lowering.element(of: $0, at: index, mask: mask, in: &b) }
    guard let function = lines.associativeFunction else {
      return lowering.inlined(lines.body, folds + elements, in: &b)
    }
    return [b.apply(function, [folds[0], b.convert(elements[0], to: lines.sumType)])]
  }

  /// Writes the outputs at `index`, where the lines' folds are `folds`.
  private func write(
    _ folds: [Register], at index: [IntegerExpression], _ mask: Register?, _ memories: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let results = zip(folds, resultTypes).map { b.convert($0, to: $1) }
    lowering.define(lines.value, at: index, as: results)
    let values = outputs.map { lowering.element(of: $0.value, at: index, mask: mask, in: &b) }
    for (value, memory) in zip(values, memories) {
      let position = ElementLowering.position(of: index, in: lines.type)
      b.store(value, memory, at: position, lanes: lanes, mask: mask)
    }
  }

  // MARK: Lines beside each other

  private func besideEachOther() -> ScheduledFusion.Launch {
    let outer = Array(0..<lines.dimension)
    let innerExtents = inner.map { lines.type.dimensions[$0] }
    let columnCount = innerExtents.reduce(.one) { $0 * $1 }
    let chunks = (columnCount + (Self.chunk - 1)).floorDivided(by: Extent(Self.chunk))
    let taskCount = outer.reduce(chunks) { $0 * lines.type.dimensions[$1] }
    var draft = draft(taskCount: taskCount)
    let place = draft.b.positions(of: .task, in: outer.map { lines.type.dimensions[$0] } + [chunks])
    let first = place[outer.count] * Self.chunk
    let count = IntegerExpression.minimum(columnCount - first, Extent(Self.chunk))
    let width = draft.b.position(count)
    let folds = foldTypes.map { draft.b.addScratch($0, count: Self.chunk) }
    let (initial, memories) = (draft.initial, draft.outputs)
    let columns = VectorStrips(to: width, lanes: lanes, atOnce: 1)
    columns.loop(&draft.lowering, &draft.b) { _, b, column, _, mask in
      for (value, fold) in zip(initial, folds) { b.store(value, fold, at: column + .lane, lanes: lanes, mask: mask) }
    }
    draft.b.loop(to: length) { [lowering = draft.lowering] b, position, _ in
      var lowering = lowering
      columns.loop(&lowering, &b) { lowering, b, column, _, mask in
        var index = [IntegerExpression](repeating: .zero, count: lines.type.rank)
        for d in outer { index[d] = place[d] }
        index[lines.dimension] = lines.direction == .forward ? position : length - 1 - position
        for (d, part) in zip(inner, b.unflattened(first + column + .lane, in: innerExtents)) { index[d] = part }
        let current = folds.map { b.load($0, at: column + .lane, lanes: lanes, mask: mask) }
        let next = next(current, at: index, mask, &lowering, &b).map { b.widen($0, to: lanes) }
        for (value, fold) in zip(next, folds) { b.store(value, fold, at: column + .lane, lanes: lanes, mask: mask) }
        write(next, at: index, mask, memories, &lowering, &b)
      }
      return []
    }
    return launch(draft, taskCount: taskCount, cost: length * .minimum(columnCount, Extent(Self.chunk)))
  }

  // MARK: One line

  /// Vectors along the line: each is scanned in itself, and continues the fold of those before it.
  private func alongVectors(_ function: ScalarFunction, _ neutral: Scalar) -> ScheduledFusion.Launch {
    var draft = draft(taskCount: lines.lineCount)
    let line = draft.b.positions(of: .task, in: lines.otherExtents)
    let memories = draft.outputs
    var fold = draft.b.widen(draft.initial[0], to: lanes)
    for strip in VectorStrips(to: length, lanes: lanes, atOnce: 1).strips {
      fold =
        draft.b.loop(from: strip.lower, to: strip.upper, step: lanes, carrying: [fold]) {
          [lowering = draft.lowering] b, position, folds in
          var lowering = lowering
          var index = lines.index(ofLine: line, at: .zero)
          index[lines.dimension] =
            lines.direction == .forward ? position + .lane : length - lanes - position + .lane
          let mask = strip.isMasked ? b.isWithin(index[lines.dimension], length, lanes: lanes) : nil
          let element = lowering.element(of: inputs[0], at: index, mask: mask, in: &b)
          var vector = b.widen(b.convert(element, to: lines.sumType), to: lanes)
          if let mask { vector = b.apply(.select, [mask, vector, b.constant(neutral, lines.sumType, lanes: lanes)]) }
          let running = b.apply(function, [folds[0], scanned(vector, function, neutral, &b)])
          write([running], at: index, mask, memories, &lowering, &b)
          let last = lines.direction == .forward ? lanes - 1 : 0
          return [shuffled(running, running, [Int](repeating: last, count: lanes), &b)]
        }[0]
    }
    return launch(draft, taskCount: lines.lineCount, cost: length * 2)
  }

  /// In each lane the fold of a vector's elements up to there, in a number of steps that is logarithmic in the lanes.
  private func scanned(_ vector: Register, _ function: ScalarFunction, _ neutral: Scalar, _ b: inout KernelBuilder)
    -> Register
  {
    let neutrals = b.constant(neutral, lines.sumType, lanes: lanes)
    var (vector, reach) = (vector, 1)
    while reach < lanes {
      // Lanes of the vector are numbered from 0, the neutral ones from `lanes` on.
      let earlier = (0..<lanes).map { lane in
        let source = lines.direction == .forward ? lane - reach : lane + reach
        return (0..<lanes).contains(source) ? source : lanes + lane
      }
      vector = b.apply(function, [shuffled(vector, neutrals, earlier, &b), vector])
      reach *= 2
    }
    return vector
  }

  private func shuffled(_ first: Register, _ second: Register, _ lanes: [Int], _ b: inout KernelBuilder) -> Register {
    b.define(b.type(of: first), .shuffle(first, second, lanes))
  }

  /// A line element by element, whatever the body.
  private func byElements() -> ScheduledFusion.Launch {
    var draft = draft(taskCount: lines.lineCount)
    let line = draft.b.positions(of: .task, in: lines.otherExtents)
    let memories = draft.outputs
    draft.b.loop(to: length, carrying: draft.initial) { [lowering = draft.lowering] b, position, folds in
      var lowering = lowering
      let index = lines.index(ofLine: line, at: position)
      let next = next(folds, at: index, nil, &lowering, &b)
      write(next, at: index, nil, memories, &lowering, &b)
      return next
    }
    return launch(draft, taskCount: lines.lineCount, cost: length * 8)
  }
}
