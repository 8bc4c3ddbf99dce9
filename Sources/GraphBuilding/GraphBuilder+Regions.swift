package import IR

/// Loops and branches: regions whose outer values become captures.
extension GraphBuilder {
  package typealias Step = (inout Self, [Value]) throws(OpError) -> [Value]

  /// Repeats `body` on `initial` while `condition` holds; the values keep their types.
  package mutating func loop(
    _ initial: [Value], while condition: (inout Self, [Value]) throws(OpError) -> Value, _ body: Step
  ) throws(OpError) -> [Value] {
    let types = initial.map(\.type)
    let bodyParameters = try beginRegion(types)
    let next = try body(&self, bodyParameters)
    for (value, type) in zip(next, types) where value.type != type {
      throw .unsupported("a loop whose value \(type.detailedDescription) becomes \(value.type.detailedDescription)")
    }
    let round = try endRegion(next)
    let conditionParameters = try beginRegion(types, captures: round.captures)
    let holds = try condition(&self, conditionParameters)
    return try loop(initial, round, while: endRegion([try reshape(holds, [])]))
  }

  /// Repeats a region on `initial` while another one's result holds, which captures what the first does, and perhaps more.
  package mutating func loop(
    _ initial: [Value], _ round: Construction.Level, while test: Construction.Level
  ) throws(OpError) -> [Value] {
    let loop = While(condition: test.graph, body: round.capturing(asMuchAs: test))
    return try emitAll(.while(loop), initial + test.captures)
  }

  /// Repeats `body` for the steps 0, 1, … to before `count`; it gets the step, an i64 scalar, before the values.
  package mutating func loop(
    count: Value, _ initial: [Value], _ body: (inout Self, Value, [Value]) throws(OpError) -> [Value]
  ) throws(OpError) -> [Value] {
    let start = scalar(0, .i64)
    let results = try loop(
      [start] + initial,
      while: { (n, values) throws(OpError) in try n.compare(.less, values[0], count) },
      { (n, values) throws(OpError) in
        let results = try body(&n, values[0], Array(values.dropFirst()))
        return [try n.add(values[0], 1)] + results
      })
    return Array(results.dropFirst())
  }

  /// The results of one of two branches, which must have the same types; nil where they do not.
  package mutating func branch(
    _ predicate: Value, _ whenTrue: (inout Self) throws(OpError) -> [Value],
    _ whenFalse: (inout Self) throws(OpError) -> [Value]
  ) throws(OpError) -> [Value]? {
    _ = try beginRegion([])
    let left = try whenTrue(&self)
    let leftLevel = try endRegion(left)
    _ = try beginRegion([], captures: leftLevel.captures)
    let right = try whenFalse(&self)
    let rightLevel = try endRegion(right)
    guard left.map(\.type) == right.map(\.type) else { return nil }
    return try branch(predicate, leftLevel, rightLevel)
  }

  /// The results of one of two regions of the same types; the second captures what the first does, and perhaps more.
  package mutating func branch(
    _ predicate: Value, _ whenTrue: Construction.Level, _ whenFalse: Construction.Level
  ) throws(OpError) -> [Value] {
    let choice = If(trueBranch: whenTrue.capturing(asMuchAs: whenFalse), falseBranch: whenFalse.graph)
    return try emitAll(.if(choice), [try reshape(predicate, [])] + whenFalse.captures)
  }

  /// What `build` returns, and nothing of what it appended: for results whose types must be known first.
  package mutating func types(
    _ parameters: [TensorType], _ build: (inout Self, [Value]) throws(OpError) -> [Value]
  ) throws(OpError) -> [TensorType] {
    let values = try beginRegion(parameters)
    let types = try build(&self, values).map(\.type)
    levels.removeLast()
    return types
  }

  /// The part of `x` at a step along `axis`, without that dimension.
  package mutating func element(of x: Value, at step: Value, axis: Int) throws(OpError) -> Value {
    var extents = x.shape
    extents[axis] = .one
    let zero = scalar(0, step.element)
    let starts = x.shape.indices.map { $0 == axis ? step : zero }
    let part = try emit(.dynamicSlice(DynamicSlice(sliceExtents: extents)), [x] + starts)
    return try squeeze(part, axis)
  }

  /// `x` with the part at a step along `axis` replaced.
  package mutating func replacing(_ x: Value, at step: Value, axis: Int, with part: Value) throws(OpError) -> Value {
    let zero = scalar(0, step.element)
    let starts = x.shape.indices.map { $0 == axis ? step : zero }
    return try emit(.dynamicUpdateSlice(DynamicUpdateSlice()), [x, unsqueeze(part, axis)] + starts)
  }

  /// Appends the nodes of a closed graph, with values in the place of its parameters; its results.
  package mutating func splice(_ graph: Graph, _ arguments: [Value]) throws(OpError) -> [Value] {
    precondition(arguments.count == graph.parameters.count, "a graph has a value for each parameter")
    let top = levels.count - 1
    var moved = [ValueID](repeating: ValueID(0), count: graph.nodes.count)
    for (parameter, argument) in zip(graph.parameters, arguments) { moved[parameter.index] = try node(of: argument) }
    for (index, node) in graph.nodes.enumerated() where !node.op.isParameter {
      var copy = node
      copy.operands = node.operands.map { moved[$0.index] }
      moved[index] = levels[top].graph.appendUnchecked(copy)
    }
    return graph.results.map { define(moved[$0.index], graph.type(of: $0)) }
  }
}

extension Construction.Level {
  /// The region's graph with parameters for what another one captures beside the same values, too.
  fileprivate func capturing(asMuchAs other: Self) -> Graph {
    var graph = graph
    for value in other.captures.dropFirst(captures.count) { graph.addParameter(value.type) }
    return graph
  }
}
