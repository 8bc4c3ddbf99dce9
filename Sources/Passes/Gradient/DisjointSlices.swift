import IR

extension While {
  /// Whether the loop reads operand `position`, which stays, only by a slice in each round that no other round's overlaps.
  ///
  /// `steps` has by how much each of the loop's values grows in a round, where that is known. `dynamic_slice %x, %i, …`
  /// reads such slices where `%i` counts and never leaves `%x`.
  func readsDisjointSlices(of position: Int, rounds: Extent, initial: [Extent?], steps: [Int?]) -> Bool {
    let parameter = body.parameters[position]
    let users = body.values.filter { body[$0].operands.contains(parameter) }
    guard users.count == 1, let user = users.first, !body.results.contains(parameter),
      case .dynamicSlice(let slice) = body[user].op, !body[user].operands.dropFirst().contains(parameter)
    else { return false }
    let numbers = body.parameters.indices.map { Optional(Extent.variable($0)) }
    let round = body.parameters.count
    return zip(body[user].operands.dropFirst(), body.type(of: parameter).dimensions.indices).contains { start, d in
      guard let start = body.scalarExtent(of: body.withoutWrap(start), arguments: numbers),
        let place = start.inRound(round, initial, steps), let growth = place.coefficient(ofVariable: round)?.fixed,
        let extent = slice.sliceExtents[d].fixed, growth.magnitude >= max(1, extent)
      else { return false }
      let first = place - .variable(round) * growth
      let last = first + (rounds - 1) * growth
      let (lowest, highest) = growth > 0 ? (first, last) : (last, first)
      let limit = body.type(of: parameter).dimensions[d] - extent
      return (lowest + 1).isSurelyGreater(than: .zero) && (limit + 1).isSurelyGreater(than: highest)
    }
  }
}

extension IntegerExpression {
  /// The expression, over a loop's values, in round `round`; nil where one of them is not known.
  fileprivate func inRound(_ round: Int, _ initial: [Extent?], _ steps: [Int?]) -> Extent? {
    var isKnown = true
    let value = substituting { atom in
      guard case .variable(let position) = atom, position < round else { return nil }
      guard let first = initial[position], let step = steps[position] else {
        isKnown = false
        return nil
      }
      return first + Extent.variable(round) * step
    }
    return isKnown ? value : nil
  }
}

extension Graph {
  /// The index that an index counted from the end where it is negative is, if it is not negative:
  /// `select(i < 0, i + n, i)`.
  fileprivate func withoutWrap(_ index: ValueID) -> ValueID {
    let node = self[index]
    guard case .pointwise(let op) = node.op, op.function == .select,
      case .pointwise(let test) = self[node.operands[0]].op, test.function == .compare(.less, .signed),
      self[node.operands[0]].operands[0] == node.operands[2],
      scalarExtent(of: self[node.operands[0]].operands[1], arguments: []) == .zero
    else { return index }
    return node.operands[2]
  }
}
