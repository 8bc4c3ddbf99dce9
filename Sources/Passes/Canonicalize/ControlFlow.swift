import IR

/// What a parameter of a region is after its node has been simplified.
private enum Binding {
  /// The parameter at this new position.
  case parameter(Int)
  /// A constant inside the region.
  case constant(Literal)
}

extension Rebuilder {
  /// Rebuilds a `while`, `if` or `case`: regions first, then what goes in and out of them.
  ///
  /// A branch that is known to be taken replaces the node. Constants with one value move inside; a value that a loop
  /// hands on unchanged becomes a capture, and what it computes from captures alone is computed before it; what is never
  /// read is neither carried nor returned.
  mutating func rebuildControl(_ node: Node, at index: Int) throws(OpError) -> Rebuilt {
    let operands = node.operands.map { value(of: $0) }
    let used = usedResults(of: node, at: index)
    switch node.op {
    case .while(let loop): return try rebuild(loop, operands, used: used)
    case .if(let choice):
      let branches = [choice.trueBranch, choice.falseBranch]
      let known = splat(operands[0]).map { $0.isTrue ? 0 : 1 }
      return try rebuild(branches, operands, used: used, known: known) {
        .if(If(trueBranch: $0[0], falseBranch: $0[1]))
      }
    case .case(let choice):
      let last = choice.branches.count - 1
      let known = splat(operands[0]).map { index in
        let value = Int(index.integerValue)
        return choice.branches.indices.contains(value) ? value : last
      }
      return try rebuild(choice.branches, operands, used: used, known: known) { .case(Case(branches: $0)) }
    default: preconditionFailure("\(node.op.mnemonic) is not control flow")
    }
  }

  /// For each result of the node, whether something in the source reads it.
  private func usedResults(of node: Node, at index: Int) -> [Bool] {
    if node.hasSingleResult { return [true] }
    var used = [Bool](repeating: false, count: node.resultTypes.count)
    for element in sourceElements[index] ?? [] { used[element] = true }
    return used
  }

  /// The node's results as the source sees them, from the results that are left; `fill` stands where none is.
  private mutating func rebuilt(_ node: ValueID, kept: [Int], count: Int, others: [Int: ValueID]) throws(OpError)
    -> Rebuilt
  {
    var values: [ValueID?] = Array(repeating: nil, count: count)
    for (place, value) in zip(kept, try results(of: node)) { values[place] = value }
    for (place, value) in others { values[place] = value }
    if count == 1, let only = values[0] { return .value(only) }
    // A result that nobody reads is never asked for; any value may stand for it.
    return .list(values.map { $0 ?? node })
  }
}

// MARK: - If, case

extension Rebuilder {
  private mutating func rebuild(
    _ branches: [Graph], _ operands: [ValueID], used: [Bool], known: Int?, _ make: ([Graph]) -> Op
  ) throws(OpError) -> Rebuilt {
    let captures = Array(operands.dropFirst())
    let count = used.count
    if let known {
      let values = try inline(branches[known], captures)
      return count == 1 ? .value(values[0]) : .list(values)
    }
    var kept = used.indices.filter { used[$0] }
    if kept.isEmpty { kept = [0] }
    var regions: [Graph] = []
    for branch in branches {
      var region = branch
      region.results = kept.map { branch.results[$0] }
      let bindings = captures.enumerated().map { position, value in binding(value, at: position) }
      regions.append(try rebuild(region: region.rebound(bindings, captures.map { type(of: $0) })))
    }
    let needed = captures.indices.filter { position in
      regions.contains { $0.useCounts[$0.parameters[position].index] > 0 }
    }
    let (unique, places) = Self.withoutRepeats(needed.map { captures[$0] })
    var bindings = [Binding](repeating: .parameter(0), count: captures.count)
    for (place, position) in zip(places, needed) { bindings[position] = .parameter(place) }
    regions = regions.map { $0.rebound(bindings, unique.map { type(of: $0) }) }
    let node = try insert(make(regions), [operands[0]] + unique)
    return try rebuilt(node, kept: kept, count: count, others: [:])
  }

  /// The results of `graph` on `arguments`, its nodes appended here.
  private mutating func inline(_ graph: Graph, _ arguments: [ValueID]) throws(OpError) -> [ValueID] {
    var inner = Graph()
    for argument in arguments { inner.addParameter(type(of: argument)) }
    var values: [ValueID?] = Array(repeating: nil, count: graph.nodes.count)
    let region = try rebuild(region: graph)
    values = Array(repeating: nil, count: region.nodes.count)
    func mapped(_ value: ValueID) -> ValueID {
      guard let new = values[value.index] else { preconditionFailure("operands come before their users") }
      return new
    }
    for (index, node) in region.nodes.enumerated() {
      if case .parameter(let parameter) = node.op {
        values[index] = arguments[parameter.index]
      } else {
        values[index] = try append(node.op, node.operands.map(mapped), types: node.resultTypes)
      }
    }
    return region.results.map(mapped)
  }

  private func binding(_ value: ValueID, at position: Int) -> Binding {
    if let literal = literal(value), literal.splatValue != nil { return .constant(literal) }
    return .parameter(position)
  }

  /// The values without repetitions, and for each its place among them.
  private static func withoutRepeats(_ values: [ValueID]) -> ([ValueID], [Int]) {
    var unique: [ValueID] = []
    var places: [ValueID: Int] = [:]
    var result: [Int] = []
    for value in values {
      if places[value] == nil {
        places[value] = unique.count
        unique.append(value)
      }
      result.append(places[value] ?? 0)
    }
    return (unique, result)
  }
}

// MARK: - While

extension Rebuilder {
  private mutating func rebuild(_ loop: While, _ initial: [ValueID], used: [Bool]) throws(OpError) -> Rebuilt {
    var operands = initial
    let carried = loop.body.results.count
    let types = operands.map { type(of: $0) }
    var isInvariant = (0..<operands.count).map { position in
      position >= carried || loop.body.results[position] == loop.body.parameters[position]
    }
    let bindings = operands.enumerated().map { position, value in
      isInvariant[position] ? binding(value, at: position) : .parameter(position)
    }
    var condition = try rebuild(region: loop.condition.rebound(bindings, types))
    var body = try rebuild(region: loop.body.rebound(bindings, types))
    let constants = operands.enumerated().map { isInvariant[$0] ? literal($1) != nil : nil }
    let invariants = LoopInvariants(body, constants: constants)
    let lifted = try lift(invariants, from: body, operands: operands)
    if !lifted.isEmpty {
      body = invariants.bodyAfter
      operands += lifted
      isInvariant += lifted.map { _ in true }
      for value in lifted { condition.addParameter(type(of: value)) }
    }
    let needed = Self.neededInLoop(condition, body, used: used, isInvariant: isInvariant)
    var kept = (0..<carried).filter { needed[$0] && !isInvariant[$0] }
    // A loop must return something; one that computes nothing may still not end.
    if kept.isEmpty { kept = [(0..<carried).first { !isInvariant[$0] } ?? 0] }
    let captures = operands.indices.filter { needed[$0] && isInvariant[$0] && !kept.contains($0) }
    let (unique, places) = Self.withoutRepeats(captures.map { operands[$0] })
    var final = [Binding](repeating: .parameter(0), count: operands.count)
    for (place, position) in kept.enumerated() { final[position] = .parameter(place) }
    for (place, position) in zip(places, captures) { final[position] = .parameter(kept.count + place) }
    let newOperands = kept.map { operands[$0] } + unique
    let newTypes = newOperands.map { type(of: $0) }
    var newBody = body
    newBody.results = kept.map { body.results[$0] }
    let op = Op.while(
      While(
        condition: condition.rebound(final, newTypes),
        body: newBody.removingDeadNodes().rebound(final, newTypes)))
    let node = try insert(op, newOperands)
    var others: [Int: ValueID] = [:]
    for position in 0..<carried where isInvariant[position] { others[position] = operands[position] }
    return try rebuilt(node, kept: kept, count: carried, others: others)
  }

  /// For each parameter of a loop, whether the loop's course or a result that is read depends on it.
  private static func neededInLoop(_ condition: Graph, _ body: Graph, used: [Bool], isInvariant: [Bool]) -> [Bool] {
    let inCondition = condition.liveValues
    var needed = condition.parameters.map { inCondition[$0.index] }
    for position in used.indices where used[position] && !isInvariant[position] { needed[position] = true }
    if !needed.indices.contains(where: { needed[$0] && $0 < used.count && !isInvariant[$0] }),
      let first = used.indices.first(where: { !isInvariant[$0] })
    {
      needed[first] = true
    }
    // A parameter that the next value of a needed one depends on is needed too.
    var positions = needed.indices.filter { needed[$0] }
    var isLive = [Bool](repeating: false, count: body.nodes.count)
    while let position = positions.popLast() {
      guard position < used.count, !isInvariant[position] else { continue }
      var open = [body.results[position]]
      while let value = open.popLast() {
        if isLive[value.index] { continue }
        isLive[value.index] = true
        open += body[value].operands
        guard case .parameter(let parameter) = body[value].op, !needed[parameter.index] else { continue }
        needed[parameter.index] = true
        positions.append(parameter.index)
      }
    }
    return needed
  }
}

extension Graph {
  /// The graph with parameters of `types`, its old ones replaced as `bindings` say. What is bound to a parameter of
  /// another type must not be read.
  fileprivate func rebound(_ bindings: [Binding], _ types: [TensorType]) -> Graph {
    var copy = Graph()
    var values = [ValueID](repeating: ValueID(0), count: nodes.count)
    let fresh = types.map { copy.addParameter($0) }
    for (index, node) in nodes.enumerated() {
      if case .parameter(let parameter) = node.op {
        switch bindings[parameter.index] {
        case .parameter(let position):
          values[index] = fresh.isEmpty ? ValueID(0) : fresh[min(position, fresh.count - 1)]
        case .constant(let literal):
          values[index] = copy.appendUnchecked(Node(op: .constant(literal), operands: [], resultTypes: [literal.type]))
        }
      } else {
        var new = node
        new.operands = node.operands.map { values[$0.index] }
        values[index] = copy.appendUnchecked(new)
      }
    }
    copy.results = results.map { values[$0.index] }
    return copy
  }
}
