import IR

extension FourierLines {
  /// Shorter lines are transformed side by side.
  private static let leastLength = 64

  /// One line, which lies in one piece: the first stage has vectors of as many lanes as results, and turns their squares, so
  /// that all further stages find lines side by side.
  func alongThem(_ scheduled: inout ScheduledFusion) -> ScheduledFusion.Launch? {
    guard inner.isEmpty, length >= Self.leastLength else { return nil }
    let side = min(lanes, 1 << length.trailingZeroBitCount)
    guard side >= 4, var stages = FourierStages(length, isInverse: transform.isInverse, first: side) else { return nil }
    let taskCount = count(outer)
    // The first stage writes whole squares.
    var draft = draft(
      &stages, vectorStage: 0, taskCount: taskCount, lanes: side, arrayLength: length + side * side, &scheduled)
    let (arrays, roots, outputs) = (draft.arrays, draft.roots, draft.outputs)
    let line = draft.b.positions(of: .task, in: outer.map { type.dimensions[$0] })
    func index(_ position: IntegerExpression) -> [IntegerExpression] {
      var index = [IntegerExpression](repeating: .zero, count: type.rank)
      for (d, place) in zip(outer, line) { index[d] = place }
      index[transform.dimension] = position
      return index
    }
    let first = stages.stages[0]
    VectorStrips(to: Extent(first.rest), lanes: side, atOnce: 1).loop(&draft.lowering, &draft.b) {
      lowering, b, p, _, mask in
      let x = (0..<side).map { read(at: index(p + .lane + first.rest * $0), mask, lanes: side, &lowering, &b) }
      let padded = FourierStages.padded(first.rest, side)
      let factors = (0..<side - 1).map { k -> ComplexParts in
        let place = p + .lane + (first.firstRoot + 2 * k * padded)
        return ComplexParts(
          re: b.load(roots, at: place, lanes: side), im: b.load(roots, at: place + padded, lanes: side))
      }
      let z = finished(x, factors, &b)
      for (parts, memory) in [(z.map(\.re), arrays[0].re), (z.map(\.im), arrays[0].im)] {
        for (row, vector) in b.transposed(parts).enumerated() {
          b.store(vector, memory, at: (p + row) * side + .lane, lanes: side)
        }
      }
    }
    for (number, stage) in stages.stages.enumerated().dropFirst() {
      // A power of two, as many as `side` at least.
      let lanes = min(self.lanes, 1 << stage.count.trailingZeroBitCount)
      loop(stage, roots, &draft.b) { [lowering = draft.lowering] b, p, factors in
        b.loop(to: Extent(stage.count), step: lanes) { b, q, _ in
          var lowering = lowering
          lowering.withLanes(lanes, &b) { lowering, b in
            let array = arrays[(number - 1) % 2]
            let x = (0..<stage.radix).map { j -> ComplexParts in
              let place = (p + stage.rest * j) * stage.count + q + .lane
              return ComplexParts(
                re: b.load(array.re, at: place, lanes: lanes), im: b.load(array.im, at: place, lanes: lanes))
            }
            for (k, z) in finished(x, factors, &b).enumerated() {
              let place = (p * stage.radix + k) * stage.count + q + .lane
              if number == stages.stages.count - 1 {
                write(z, at: index(place), nil, lanes: lanes, outputs, &lowering, &b)
              } else {
                b.store(z.re, arrays[number % 2].re, at: place, lanes: lanes)
                b.store(z.im, arrays[number % 2].im, at: place, lanes: lanes)
              }
            }
          }
          return []
        }
      }
    }
    return launch(draft, taskCount: taskCount, taskCost: Extent(operations))
  }
}
