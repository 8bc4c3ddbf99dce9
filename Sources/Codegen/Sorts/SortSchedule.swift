import IR

extension Schedule {
  /// Lines put in order, all inputs moved together: short ones by a network, many at once; others by the digits of what
  /// is compared, where that is a number; the rest by merges, a task a line.
  public static let sort = Schedule("sort") { request in
    guard let lines = SortedLines(request) else { return nil }
    guard request.target.workGroups == nil, let sort = SortedPrefix(lines, first: request.neededPrefix ?? .max) else {
      return SortNest(lines: lines).scheduled()
    }
    return sort.scheduled()
  }
}

extension SortedPrefix {
  /// Lines of open extent are short, or long, when the program runs.
  fileprivate func scheduled() -> ScheduledFusion {
    let short = SortInVectors(self)
    guard lines.extent.isFixed else {
      var scheduled = long() ?? SortNest(lines: lines).scheduled()
      if let short {
        scheduled.steps = [
          .choice(
            .atLeast(lines.extent, short.most + 1), then: scheduled.steps, otherwise: [.launch(short.launch())])
        ]
      }
      return scheduled
    }
    if let short { return ScheduledFusion(launches: [short.launch()]) }
    return long() ?? SortNest(lines: lines).scheduled()
  }

  /// Where elements are ordered by integers, the sort by their digits.
  private func long() -> ScheduledFusion? {
    guard let radix = RadixSort(self) else { return nil }
    var scheduled = ScheduledFusion(launches: [])
    scheduled.append(radix.append(to: &scheduled))
    return scheduled
  }
}

private struct SortNest {
  let lines: SortedLines

  private var request: SchedulingRequest { lines.request }

  func scheduled() -> ScheduledFusion {
    // One temporary for each input to merge into, and one for each input whose sorted values nobody uses.
    var scheduled = ScheduledFusion(launches: [])
    var sorted: [ScheduledFusion.Argument] = []
    for input in 0..<lines.operandCount {
      if let result = lines.opaque.results.firstIndex(of: input) {
        sorted.append(.result(result))
      } else {
        sorted.append(scheduled.addTemporary(lines.type.with(lines.elementType(of: input))))
      }
    }
    var merged: [ScheduledFusion.Argument] = []
    for input in 0..<lines.operandCount {
      merged.append(scheduled.addTemporary(lines.type.with(lines.elementType(of: input))))
    }
    scheduled.append(kernel(sorted, merged))
    return scheduled
  }

  private func kernel(_ sorted: [ScheduledFusion.Argument], _ merged: [ScheduledFusion.Argument])
    -> ScheduledFusion.Launch
  {
    var b = KernelBuilder(target: request.target)
    var buffers = OperandBuffers(for: lines.opaque.node.operands, of: request, &b)
    var memories: (front: [Memory], back: [Memory]) = ([], [])
    for input in 0..<lines.operandCount {
      let element = lines.elementType(of: input)
      memories.front.append(buffers.add(sorted[input], element, "sorted\(input)", &b))
      memories.back.append(buffers.add(merged[input], element, "merged\(input)", &b))
    }
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: 1)
    let (extent, lineCount) = (lines.extent, lines.lineCount)
    b.setBound(lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: b.positions(of: .task, in: lines.otherExtents))
    let base = b.index(of: b.materialize(ElementLowering.position(of: index, in: lines.type), lanes: 1))
    let stride = lines.type.strides[lines.dimension]
    let front = LineMemory(memories: memories.front, base: base, stride: stride)
    let back = LineMemory(memories: memories.back, base: base, stride: stride)
    b.loop(to: extent) { b, variable, _ in
      lowering.withScope { lowering in
        var at = index
        at[lines.dimension] = variable
        for (input, memory) in front.memories.enumerated() {
          let value = lowering.element(of: lines.opaque.node.operands[input], at: at, in: &b)
          b.store(value, memory, at: front.position(variable), lanes: 1)
        }
      }
      return []
    }
    // Each round merges twice, there and back, so that the sorted line ends where it began.
    let one = b.constant(.integer(1), .i64)
    let rounds = Self.rounds(extent, &b)
    b.loop(to: rounds, carrying: [one]) { b, _, widths in
      let width = b.index(of: widths[0])
      merge(front, back, width, &lowering, &b)
      merge(back, front, width * 2, &lowering, &b)
      return [b.materialize(width * 4, lanes: 1)]
    }
    // In lengths of 60 picoseconds: an element takes some eight nanoseconds each time it is moved.
    let cost = extent * (270 * (rounds.fixed ?? 5))
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: lineCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, buffers.arguments)
  }

  /// How many times the width is to be multiplied by four until one run is as long as the line.
  private static func rounds(_ extent: Extent, _ b: inout KernelBuilder) -> IntegerExpression {
    if let fixed = extent.fixed {
      var (rounds, width) = (0, 1)
      while width < fixed {
        width *= 4
        rounds += 1
      }
      return IntegerExpression(rounds)
    }
    // ceil(bits / 2), where `bits` is the number of bits of the last position.
    let last = b.materialize(.maximum(extent - 1, .zero), lanes: 1)
    let zeros = b.index(of: b.apply(.countLeadingZeros, [last]))
    return (IntegerExpression(65) - zeros).floorDivided(by: 2)
  }

  /// Merges runs of `width` from `source` pairwise into `target`.
  private func merge(
    _ source: LineMemory, _ target: LineMemory, _ width: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let extent = lines.extent
    let merge = LineMerge(comparator: lines.sort.comparator.orderingNaNs, operands: Array(0..<lines.operandCount))
    let length = b.materialize(extent + width * 2 - 1, lanes: 1)
    let pairs = b.index(of: b.apply(.divide, [length, b.materialize(width * 2, lanes: 1)]))
    b.loop(to: pairs) { b, pair, _ in
      let start = pair * width * 2
      let middle = b.index(of: b.materialize(.minimum(start + width, extent), lanes: 1))
      let end = b.index(of: b.materialize(.minimum(start + width * 2, extent), lanes: 1))
      let runs = LineMerge.Runs(first: start, middle: middle, last: end)
      let first = b.materialize(start, lanes: 1)
      let second = b.materialize(middle, lanes: 1)
      b.loop(from: start, to: end, carrying: [first, second]) { b, place, carried in
        lowering.withScope { merge.step(source, target, runs, place, carried, &$0, &b) }
      }
      return []
    }
  }
}
