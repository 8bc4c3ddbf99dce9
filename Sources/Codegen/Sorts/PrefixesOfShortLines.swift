import IR

/// The first elements of sorted lines along the innermost dimension, where lines are short: squares of elements are
/// transposed in registers, then lanes are lines. A task is a vector of lines.
struct PrefixesOfShortLines {
  /// More elements are kept in order along the line.
  static let mostKept = 32
  /// Of longer lines, few vectors have elements that come in, and those along the line are compared without being transposed.
  static let longestLine = 1024
  /// The same where one element is kept.
  static let longestLineOfOne = 512

  let prefix: SortedPrefix
  let width: Int
  private let extent: Int

  init?(_ prefix: SortedPrefix) {
    width = prefix.lanes
    guard width > 1, prefix.count <= Self.mostKept, let extent = prefix.lines.extent.fixed,
      extent <= (prefix.count == 1 ? Self.longestLineOfOne : Self.longestLine),
      prefix.lines.lineCount.fixed ?? .max >= width / 2
    else { return nil }
    self.prefix = prefix
    self.extent = extent
  }

  private var lines: SortedLines { prefix.lines }

  /// The lines of a task: the index of each, and whether it is there.
  private typealias Rows = [(index: [IntegerExpression], isThere: Register?)]

  func launch() -> ScheduledFusion.Launch {
    var draft = prefix.draft(lanes: width)
    let kept = KeptVectors(prefix, width: width, &draft.b)
    let squares = prefix.keptTypes.map { draft.b.addScratch($0, count: width * width) }
    let taskCount = (lines.lineCount + (width - 1)).floorDivided(by: Extent(width))
    draft.b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    func row(_ number: IntegerExpression, _ b: inout KernelBuilder) -> (index: [IntegerExpression], isThere: Register?)
    {
      let line = IntegerExpression.task * width + number
      let isThere = b.isWithin(line, lines.lineCount, lanes: width)
      return (lines.index(ofLine: b.unflattened(line, in: lines.otherExtents)), isThere)
    }
    let rows = (0..<width).map { row(IntegerExpression($0), &draft.b) }
    let first = (prefix.count + width - 1) / width * width
    let dense = max(first, PrefixesSideBySide.denseReach * prefix.count * width)
    pass(from: 0, to: first, rows, squares, &draft.lowering, &draft.b) { element, position, lowering, b in
      kept.insert(element, filled: position, &lowering, &b)
    }
    pass(from: first, to: dense, rows, squares, &draft.lowering, &draft.b) { element, _, lowering, b in
      kept.insert(element, filled: nil, &lowering, &b)
    }
    pass(from: dense, to: extent, rows, squares, &draft.lowering, &draft.b) { element, _, lowering, b in
      b.branch(kept.takesAny(prefix.keys.map { element[$0] }, &lowering, &b)) { b in
        lowering.withScope { kept.insert(element, filled: nil, &$0, &b) }
      }
    }
    let all = row(.lane, &draft.b)
    kept.write(all.index, mask: all.isThere, to: draft.outputs, &draft.b)
    return prefix.launch(draft, taskCount: taskCount, taskCost: lines.extent * (15 * prefix.count))
  }

  /// Calls `body` with the elements of all lines at each position.
  private func pass(
    from lower: Int, to upper: Int, _ rows: Rows, _ squares: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: ([Register], IntegerExpression, inout ElementLowering, inout KernelBuilder) -> Void
  ) {
    let upper = min(upper, extent)
    guard lower < upper else { return }
    b.loop(from: IntegerExpression(lower), to: IntegerExpression(upper), step: width) { b, start, _ in
      lowering.withScope { transpose(rows, at: start, to: squares, &$0, &b) }
      b.loop(to: b.position(.minimum(IntegerExpression(upper) - start, Extent(width)))) { b, number, _ in
        lowering.withScope { lowering in
          let element = prefix.all.map { operand in
            prefix.isPosition(operand)
              ? prefix.elements([operand], rows[0].index, at: start + number, nil, &lowering, &b)[0]
              : b.load(squares[operand], at: number * width + .lane, lanes: width)
          }
          body(element, start + number, &lowering, &b)
        }
        return []
      }
      return []
    }
  }

  /// Writes vectors of lines: their elements at `start`, and those after it.
  private func transpose(
    _ rows: Rows, at start: IntegerExpression, to squares: [Memory], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let position = start + .lane
    let isInside =
      extent % width == 0
      ? nil
      : b.apply(
        .compare(.less, .signed),
        [b.materialize(position, lanes: width), b.materialize(IntegerExpression(extent), lanes: 1)])
    for operand in prefix.all where !prefix.isPosition(operand) {
      var square: [Register] = []
      for row in rows {
        let mask = b.and(isInside, row.isThere)
        let vector = prefix.elements([operand], row.index, at: position, mask, &lowering, &b)[0]
        square.append(b.widen(vector, to: width))
      }
      for (number, vector) in b.transposed(square).enumerated() {
        b.store(vector, squares[operand], at: IntegerExpression(number * width) + .lane, lanes: width)
      }
    }
  }
}
