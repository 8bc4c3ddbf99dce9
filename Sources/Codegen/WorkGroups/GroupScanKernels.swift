import IR

/// The kernels that scan lines.
struct GroupScanKernels {
  let lines: ScannedLines
  let outputs: [CentralNode.Output]

  private var request: SchedulingRequest { lines.request }
  private var graph: Graph { request.body }
  private var length: Extent { lines.length }

  /// A kernel that is being written, with what all of them have.
  private struct Draft {
    var b: KernelBuilder
    var buffers: OperandBuffers
    var outputs: [Memory] = []
    var lowering: ElementLowering

    init(_ request: SchedulingRequest, for values: [ValueID], items: Int) {
      b = KernelBuilder(target: request.target)
      if items > 1 { b.itemCount = items }
      buffers = OperandBuffers(for: values, of: request, &b)
      lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: 1)
    }
  }

  /// A kernel that writes the outputs.
  private func draft(items: Int) -> Draft {
    var draft = Draft(request, for: outputs.map(\.value), items: items)
    for (number, output) in outputs.enumerated() {
      let type = graph.type(of: output.value).elementType
      draft.outputs.append(draft.buffers.add(output.destination, type, "out\(number)", &draft.b))
    }
    return draft
  }

  private func launch(_ draft: Draft, _ suffix: String, taskCount: Extent, length: Extent) -> ScheduledFusion.Launch {
    let kernel = draft.b.kernel(
      name: request.name + suffix, sources: request.sources, taskCount: taskCount, taskCost: length * 8)
    return ScheduledFusion.Launch(kernel, draft.buffers.arguments)
  }

  /// Writes the outputs at `index`, where the running fold has these elements.
  private func write(
    _ folds: [Register], at index: [IntegerExpression], _ memories: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    lowering.define(lines.value, at: index, as: folds)
    let values = outputs.map { lowering.element(of: $0.value, at: index, in: &b) }
    for (value, memory) in zip(values, memories) {
      b.store(value, memory, at: ElementLowering.position(of: index, in: lines.type), lanes: 1)
    }
  }

  private func initial(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) -> [Register] {
    zip(lines.node.operands[lines.inputCount...], lines.body.resultTypes).map { operand, type in
      b.convert(lowering.element(of: operand, at: [], in: &b), to: type.elementType)
    }
  }

  private func element(
    at index: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    lowering.element(of: lines.inputs[0], at: index, in: &b)
  }

  // MARK: An item for each line

  func byItems() -> ScheduledFusion.Launch {
    var draft = draft(items: 1)
    draft.b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let line = draft.b.positions(of: .task, in: lines.otherExtents)
    let initial = initial(&draft.lowering, &draft.b)
    let (inputs, memories) = (lines.inputs, draft.outputs)
    draft.b.loop(to: length, carrying: initial) { [lowering = draft.lowering] b, position, folds in
      var lowering = lowering
      return lowering.withScope { lowering in
        let index = lines.index(ofLine: line, at: position)
        let elements = inputs.map { lowering.element(of: $0, at: index, in: &b) }
        let next = lowering.inlined(lines.body, folds + elements, in: &b)
        write(next, at: index, memories, &lowering, &b)
        return next
      }
    }
    return launch(draft, "_lines", taskCount: lines.lineCount, length: length)
  }

  // MARK: A group for each line

  func byGroups(_ block: GroupScanBlock) -> ScheduledFusion.Launch {
    var draft = draft(items: block.items)
    draft.b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let line = draft.b.positions(of: .task, in: lines.otherExtents)
    let local = block.addLocal(&draft.b)
    let before = draft.b.convert(initial(&draft.lowering, &draft.b)[0], to: block.type)
    scan(line, from: .zero, to: length, before, block, local, &draft)
    return launch(draft, "", taskCount: lines.lineCount, length: length)
  }

  private func scan(
    _ line: [IntegerExpression], from start: IntegerExpression, to end: IntegerExpression, _ before: Register,
    _ block: GroupScanBlock, _ local: GroupScanBlock.Local, _ draft: inout Draft
  ) {
    let memories = draft.outputs
    let type = lines.body.resultTypes[0].elementType
    block.scan(local, from: start, to: end, before: before, &draft.lowering, &draft.b) { lowering, b, position in
      element(at: lines.index(ofLine: line, at: position), &lowering, &b)
    } write: { lowering, b, position, fold in
      write([b.convert(fold, to: type)], at: lines.index(ofLine: line, at: position), memories, &lowering, &b)
    }
  }

  // MARK: Several groups for each line

  /// Folds the blocks of all lines, scans what they give, and then each block.
  func inParts(_ block: GroupScanBlock, _ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] {
    let blocks = (length + (block.length - 1)).floorDivided(by: Extent(block.length))
    let partial = scheduled.addTemporary(TensorType(block.type, [lines.lineCount, blocks]))
    return [folds(block, blocks, partial), prefixes(block, blocks, partial), parts(block, blocks, partial)].map {
      .launch($0)
    }
  }

  private func place(_ block: GroupScanBlock, _ blocks: Extent, _ b: inout KernelBuilder)
    -> (line: [IntegerExpression], number: IntegerExpression, start: IntegerExpression, count: IntegerExpression)
  {
    b.setBound(lines.lineCount * blocks, ofVariable: Kernel.taskVariable)
    let place = b.positions(of: .task, in: [lines.lineCount, blocks])
    let start = place[1] * block.length
    let count = b.index(of: b.materialize(.minimum(length - start, Extent(block.length)), lanes: 1))
    return (b.positions(of: place[0], in: lines.otherExtents), place[1], start, count)
  }

  /// The fold of each block.
  private func folds(_ block: GroupScanBlock, _ blocks: Extent, _ partial: ScheduledFusion.Argument)
    -> ScheduledFusion.Launch
  {
    var draft = Draft(request, for: [lines.inputs[0]], items: block.items)
    let output = draft.buffers.add(partial, block.type, "folds", &draft.b)
    let place = place(block, blocks, &draft.b)
    var lowering = draft.lowering
    let neutral = draft.b.constant(block.neutral, block.type)
    let part = draft.b.loop(from: .item, to: place.count, step: block.items, carrying: [neutral]) { b, number, fold in
      let index = lines.index(ofLine: place.line, at: place.start + number)
      let value = lowering.withScope { element(at: index, &$0, &b) }
      return [b.apply(block.function, [fold[0], b.convert(value, to: block.type)])]
    }[0]
    let whole = draft.b.foldItems(block.function, part)
    let isFirst = draft.b.apply(
      .compare(.equal, .signed), [draft.b.materialize(.item, lanes: 1), draft.b.constant(.integer(0), .i64)])
    draft.b.branch(isFirst) { b in b.store(whole, output, at: .task, lanes: 1) }
    return launch(draft, "_folds", taskCount: lines.lineCount * blocks, length: Extent(block.length))
  }

  /// The running fold of the blocks' folds, in place.
  private func prefixes(_ block: GroupScanBlock, _ blocks: Extent, _ partial: ScheduledFusion.Argument)
    -> ScheduledFusion.Launch
  {
    var draft = Draft(request, for: [lines.node.operands[1]], items: block.items)
    let folds = draft.buffers.add(partial, block.type, "folds", &draft.b)
    let local = block.addLocal(&draft.b)
    draft.b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let before = draft.b.convert(initial(&draft.lowering, &draft.b)[0], to: block.type)
    let base = IntegerExpression.task * blocks
    block.scan(local, from: .zero, to: blocks, before: before, &draft.lowering, &draft.b) { _, b, position in
      b.load(folds, at: base + position, lanes: 1)
    } write: { _, b, position, fold in
      b.store(fold, folds, at: base + position, lanes: 1)
    }
    return launch(draft, "_prefixes", taskCount: lines.lineCount, length: blocks)
  }

  /// The running fold of each block, after that of the blocks before it.
  private func parts(_ block: GroupScanBlock, _ blocks: Extent, _ partial: ScheduledFusion.Argument)
    -> ScheduledFusion.Launch
  {
    var draft = draft(items: block.items)
    draft.buffers.arguments.append(partial)
    let prefixes = draft.b.addBuffer("folds", block.type, isWritten: false)
    let local = block.addLocal(&draft.b)
    let place = place(block, blocks, &draft.b)
    let initial = draft.b.convert(initial(&draft.lowering, &draft.b)[0], to: block.type)
    let number = draft.b.materialize(place.number, lanes: 1)
    let isLater = draft.b.apply(.compare(.greater, .signed), [number, draft.b.constant(.integer(0), .i64)])
    let earlier = draft.b.load(prefixes, at: .task - 1, lanes: 1, mask: isLater)
    let before = draft.b.apply(.select, [isLater, earlier, initial])
    let (memories, type) = (draft.outputs, lines.body.resultTypes[0].elementType)
    _ = block.block(local, from: place.start, place.count, before, &draft.lowering, &draft.b) { lowering, b, position in
      element(at: lines.index(ofLine: place.line, at: position), &lowering, &b)
    } write: { lowering, b, position, fold in
      let index = lines.index(ofLine: place.line, at: position)
      write([b.convert(fold, to: type)], at: index, memories, &lowering, &b)
    }
    return launch(draft, "_parts", taskCount: lines.lineCount * blocks, length: Extent(block.length))
  }
}
