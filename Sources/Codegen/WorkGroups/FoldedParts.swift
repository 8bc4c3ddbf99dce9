import IR

/// What the reductions of a body have in common.
struct FoldShape {
  let folds: [ValueID]
  /// The dimensions of the reductions' inputs, and which of them are folded.
  let shape: [Extent]
  let reduced: [Int]
  /// Bytes of the widest element, at least four.
  let widest: Int

  /// Nil unless there are reductions, each of one input with one associative function, all over the same dimensions of
  /// inputs with one shape.
  init?(_ body: Graph) {
    var folds: [ValueID] = []
    var common: (shape: [Extent], reduced: [Int])?
    var widest = 4
    for (position, node) in body.nodes.enumerated() {
      for type in node.resultTypes where type.rank > 0 {
        if type.elementType.isComplex { return nil }
        widest = max(widest, type.elementType.byteCount)
      }
      guard case .reduce(let reduce) = node.op else { continue }
      let (shape, reduced) = (body.type(of: node.operands[0]).dimensions, reduce.dimensions.sorted())
      guard node.hasSingleResult, reduce.body.associativeFunction != nil, !reduced.isEmpty,
        common == nil || (common?.shape == shape && common?.reduced == reduced)
      else { return nil }
      common = (shape, reduced)
      folds.append(ValueID(position))
    }
    guard let common else { return nil }
    (self.folds, shape, reduced, self.widest) = (folds, common.shape, common.reduced, widest)
  }

  /// The type in which a fold's parts are combined.
  static func sumType(of fold: ValueID, in body: Graph) -> ElementType {
    body[fold].type.elementType.arithmeticType
  }

  static func function(of fold: ValueID, in body: Graph) -> ScalarFunction {
    guard case .reduce(let reduce) = body[fold].op, let function = reduce.body.associativeFunction else {
      preconditionFailure("a fold was found to be associative before")
    }
    return function
  }
}

/// Folds whose parts another kernel has left in memory.
struct FoldedParts {
  let request: SchedulingRequest
  let folds: [ValueID]
  let splits: Int

  /// The kernel that combines the parts of each fold with its initial value and writes the results, which have the
  /// dimensions `kept`; `index` says where a part is.
  func launch(
    _ partials: [ScheduledFusion.Argument], kept: [Extent],
    index: ([IntegerExpression], IntegerExpression) -> [IntegerExpression]
  ) -> ScheduledFusion.Launch {
    let body = request.body
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: operands, of: request, &b)
    var memories: [Memory] = []
    for (fold, partial) in zip(folds, partials) {
      memories.append(buffers.read(partial, FoldShape.sumType(of: fold, in: body), "part\(memories.count)", &b))
    }
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: body, inputs: buffers.inputs, lanes: 1)
    let taskCount = kept.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let at = b.positions(of: .task, in: kept)
    for (fold, memory) in zip(folds, memories) {
      let type = FoldShape.sumType(of: fold, in: body)
      let function = FoldShape.function(of: fold, in: body)
      let dimensions = index(kept, Extent(splits))
      let initial = b.convert(lowering.element(of: body[fold].operands[1], at: [], in: &b), to: type)
      let sum = b.loop(to: Extent(splits), carrying: [initial]) { b, split, sum in
        let position = ElementLowering.position(of: index(at, split), in: TensorType(type, dimensions))
        return [b.apply(function, [sum[0], b.load(memory, at: position, lanes: 1)])]
      }
      lowering.pinned[fold] = b.convert(sum[0], to: body[fold].type.elementType)
    }
    for (result, memory) in zip(body.results, outputs) {
      let value = lowering.element(of: result, at: at, in: &b)
      b.store(value, memory, at: ElementLowering.position(of: at, in: body.type(of: result)), lanes: 1)
    }
    let kernel = b.kernel(
      name: "\(request.name)_sum", sources: request.sources, taskCount: taskCount, taskCost: Extent(splits))
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// The parameters that the folds' initial values and what follows the folds read.
  private var operands: [ValueID] {
    let body = request.body
    var found: [ValueID] = []
    var seen: Set<ValueID> = []
    var pending = body.results
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      if body[value].op.isParameter { found.append(value) }
      pending += folds.contains(value) ? [body[value].operands[1]] : body[value].operands
    }
    return found
  }
}
