import IR

extension FourierLines {
  /// Lines side by side, one in each lane: those along the inner dimensions where they fill vectors, else all lines.
  func besideEachOther(_ scheduled: inout ScheduledFusion) -> ScheduledFusion.Launch? {
    guard var stages = FourierStages(length, isInverse: transform.isInverse) else { return nil }
    let fillsVectors = count(inner).fixed.map { 2 * $0 >= self.lanes } ?? true
    let (tasked, vectored) = fillsVectors && !inner.isEmpty ? (outer, inner) : ([], outer + inner)
    let lineCount = count(vectored)
    var lanes = self.lanes
    while let fixed = lineCount.fixed, lanes > 1, lanes / 2 >= fixed { lanes /= 2 }
    let chunks = (lineCount + (lanes - 1)).floorDivided(by: Extent(lanes))
    let taskCount = count(tasked) * chunks
    var draft = draft(
      &stages, taskCount: taskCount, lanes: lanes, arrayLength: length * lanes, &scheduled)
    let (arrays, roots, outputs) = (draft.arrays, draft.roots, draft.outputs)
    let place = draft.b.positions(of: .task, in: tasked.map { type.dimensions[$0] } + [chunks])
    let first = place[tasked.count] * lanes
    let isWhole = lineCount.fixed.map { $0 % lanes == 0 } ?? false
    let mask = isWhole ? nil : draft.b.isWithin(first + .lane, lineCount, lanes: lanes)
    var line = [IntegerExpression](repeating: .zero, count: type.rank)
    for (d, position) in zip(tasked, place) { line[d] = position }
    let vector = draft.b.unflattened(first + .lane, in: vectored.map { type.dimensions[$0] })
    for (d, position) in zip(vectored, vector) { line[d] = position }
    func index(_ position: IntegerExpression) -> [IntegerExpression] {
      var index = line
      index[transform.dimension] = position
      return index
    }
    for (number, stage) in stages.stages.enumerated() {
      loop(stage, roots, &draft.b) { [lowering = draft.lowering] b, p, factors in
        b.loop(to: Extent(stage.count)) { b, q, _ in
          var lowering = lowering
          let x = (0..<stage.radix).map { j -> ComplexParts in
            let position = (p + stage.rest * j) * stage.count + q
            if number == 0 { return read(at: index(position), mask, lanes: lanes, &lowering, &b) }
            let array = arrays[(number - 1) % 2]
            let place = position * lanes + .lane
            return ComplexParts(
              re: b.load(array.re, at: place, lanes: lanes), im: b.load(array.im, at: place, lanes: lanes))
          }
          for (k, z) in finished(x, factors, &b).enumerated() {
            let position = (p * stage.radix + k) * stage.count + q
            if number == stages.stages.count - 1 {
              write(z, at: index(position), mask, lanes: lanes, outputs, &lowering, &b)
            } else {
              let place = position * lanes + .lane
              b.store(z.re, arrays[number % 2].re, at: place, lanes: lanes)
              b.store(z.im, arrays[number % 2].im, at: place, lanes: lanes)
            }
          }
          return []
        }
      }
    }
    return launch(draft, taskCount: taskCount, taskCost: Extent(operations * lanes))
  }
}
