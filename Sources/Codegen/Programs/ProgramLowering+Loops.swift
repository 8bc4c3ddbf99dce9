import IR

/// Loops: where their state lives, and which rounds are written out.
extension ProgramLowering {
  /// The targets hold the loop's state.
  mutating func lower(_ loop: While, _ operands: [BufferID], _ state: [BufferID]) throws(OpError) -> [Program.Step] {
    let captures = Array(operands[state.count...])
    let before = copies(from: Array(operands[..<state.count]), to: state)
    let turns = LoopTurns(loop)
    if turns != nil || target.readsAreWaits, let count = tripCount(of: loop, operands) {
      return before + (try repetitions(of: loop.body, turns, count, captures, state))
    }
    let predicate = addBuffer(.scalar(.i1), .arena(sharing: nil))
    let condition = try lower(loop.condition, arguments: state + captures, into: [predicate], direct: [true])
    if !target.readsAreWaits, let places = otherPlaces(of: loop, state) {
      return before + (try alternating(loop, captures, state, places, condition, predicate))
    }
    let body = try round(loop.body, captures, state)
    let steps = invariantSteps(body, others: condition, state)
    if target.readsAreWaits, let ahead = roundsAhead(condition, steps.body) {
      let round = condition + guarding(steps.body, by: predicate, .isTrue)
      return before + steps.before + [.roundsAhead(ahead, round: round, predicate: predicate)]
    }
    return before + steps.before + [.loop(condition: condition, predicate: predicate, body: steps.body)]
  }

  /// The state's next values in its place.
  private mutating func round(
    _ body: Graph, _ captures: [BufferID], _ state: [BufferID]
  ) throws(OpError) -> [Program.Step] {
    let overwritten = OverwrittenParameters(body)
    let direct = state.indices.map { overwritten.isWritten($0, over: $0) }
    return try lower(body, arguments: state + captures, into: state, direct: direct)
  }

  /// The body so many times: rounds written one after the other as often as they fit, then single ones.
  private mutating func repetitions(
    of body: Graph, _ turns: LoopTurns?, _ count: Extent, _ captures: [BufferID], _ state: [BufferID]
  ) throws(OpError) -> [Program.Step] {
    var parts = [(body: body, count: count)]
    if let turns {
      let all = Extent.maximum(count, .zero)
      let often = all.floorDivided(by: Extent(turns.count))
      parts = [(turns.rounds, often), (body, all - often * turns.count)]
    }
    var steps: [Program.Step] = []
    for (body, count) in parts where count != .zero {
      let round = try round(body, captures, state)
      let split = invariantSteps(round, others: [], state)
      steps += split.before + [.repetition(count: count, body: split.body)]
    }
    return steps
  }

  /// Where every second round leaves the state, other memory for what cannot be written in its place; nil where copying is
  /// as good.
  private mutating func otherPlaces(of loop: While, _ state: [BufferID]) -> [BufferID]? {
    let written = loop.body.writtenElsewhere
    guard LoopTurns.isWorthwhile(loop.body, copied: written) else { return nil }
    return state.indices.map { position in
      guard written.contains(position) else { return state[position] }
      return addBuffer(buffers[state[position].index].type, .arena(sharing: nil))
    }
  }

  /// Rounds from the state's place to the other and back; where the first of two is the last, its values are copied.
  private mutating func alternating(
    _ loop: While, _ captures: [BufferID], _ state: [BufferID], _ places: [BufferID], _ condition: [Program.Step],
    _ predicate: BufferID
  ) throws(OpError) -> [Program.Step] {
    let overwritten = OverwrittenParameters(loop.body)
    let direct = state.indices.map { state[$0] != places[$0] || overwritten.isWritten($0, over: $0) }
    let goesOn = addBuffer(.scalar(.i1), .arena(sharing: nil))
    let test = try lower(loop.condition, arguments: places + captures, into: [goesOn], direct: [true])
    let away = try lower(loop.body, arguments: state + captures, into: places, direct: direct)
    let back = try lower(loop.body, arguments: places + captures, into: state, direct: direct)
    let first = invariantSteps(away, others: condition + test + back, state + places)
    let second = invariantSteps(back, others: condition + test + away, state + places)
    let body =
      first.body + test + [.branch(index: goesOn, branches: [second.body, copies(from: places, to: state)])]
    return first.before + second.before + [.loop(condition: condition, predicate: predicate, body: body)]
  }

  /// What rounds need once only; `others` are launched beside them.
  private func invariantSteps(
    _ body: [Program.Step], others: [Program.Step], _ state: [BufferID]
  ) -> InvariantSteps {
    InvariantSteps(body, condition: others, state: state, kernels) { bytes(of: $0) }
  }

  /// How often the loop's body runs, where constants and extents decide it.
  private func tripCount(of loop: While, _ operands: [BufferID]) -> Extent? {
    if let count = loop.tripCount(operands: operands.map { constantLiterals[$0] }) { return Extent(count) }
    let known = operands.map { operand -> Extent? in
      if let extent = extentValues[operand] { return extent }
      guard let literal = constantLiterals[operand], literal.type.elementCount == .one, literal.elementType.isInteger
      else { return nil }
      return Extent(Int(literal[0].integerValue))
    }
    return loop.symbolicTripCount(operands: known)
  }
}
