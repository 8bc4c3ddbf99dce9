public import IR

extension Graph {
  /// The graph with the cotangents of parameters behind its results: reverse-mode differentiation.
  ///
  /// Parameters: those of the graph, then a cotangent for each of `results`, of its type. Results: those of the graph,
  /// then for each of `parameters` its cotangent, zeros where nothing flows. It is made of the same ops, so that it can be
  /// differentiated again. Conventions are those of JAX (`docs/design/0042-reverse-mode.md`). Calls must be inlined.
  /// O(nodes).
  public func vectorJacobianProduct(of results: [Int], withRespectTo parameters: [Int]) throws(OpError) -> Graph {
    precondition(results.allSatisfy(self.results.indices.contains), "cotangents are given for results of the graph")
    precondition(parameters.allSatisfy(self.parameters.indices.contains), "gradients are those of parameters")
    for position in results where !resultTypes[position].elementType.hasDerivatives {
      throw OpError("result \(position), \(resultTypes[position].detailedDescription), has no derivatives")
    }
    for position in parameters where !parameterTypes[position].elementType.hasDerivatives {
      throw OpError(
        "parameter \(position), \(parameterTypes[position].detailedDescription), has no gradient: its elements are not"
          + " floats")
    }
    let request = GradientRequest(results: results, parameters: parameters)
    return try simplified().differentiated(request).simplified()
  }

  /// The graph with the gradients of one of its results, a scalar float, behind its results.
  public func gradient(of result: Int = 0, withRespectTo parameters: [Int]) throws(OpError) -> Graph {
    precondition(results.indices.contains(result), "a gradient is that of a result of the graph")
    let type = resultTypes[result]
    guard type.isScalar, type.elementType.isFloat else {
      throw OpError("result \(result), \(type.detailedDescription), has no gradient: it is not one float")
    }
    let product = try vectorJacobianProduct(of: [result], withRespectTo: parameters)
    var graph = Graph()
    let arguments = parameterTypes.enumerated().map { position, type in
      graph.addParameter(type, name: self[self.parameters[position]].parameterName)
    }
    let one = try graph.append(.constant(Constant(.scalar(Scalar(1, type.elementType), type.elementType))))
    graph.results = graph.appendNodes(of: product, arguments + [one])
    return graph
  }

  /// Without dead nodes, with shared values, and with loops and branches that take no more than they need.
  private func simplified() throws(OpError) -> Graph {
    var rebuilder = Rebuilder(self, [], PassContext())
    return try rebuilder.run()
  }

  /// The results of `graph` on `arguments`, its nodes appended here.
  mutating func appendNodes(of graph: Graph, _ arguments: [ValueID]) -> [ValueID] {
    var values: [ValueID] = []
    values.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      if case .parameter(let parameter) = node.op {
        values.append(arguments[parameter.index])
      } else {
        var new = node
        new.operands = node.operands.map { values[$0.index] }
        values.append(appendUnchecked(new))
      }
    }
    return graph.results.map { values[$0.index] }
  }
}

extension ElementType {
  /// Whether values of the type have derivatives.
  var hasDerivatives: Bool { isFloat || isComplex }
}

extension Node {
  fileprivate var parameterName: String {
    if case .parameter(let parameter) = op { return parameter.name }
    return ""
  }
}

/// What a graph is differentiated for.
struct GradientRequest {
  /// Numbers of the results that have a cotangent.
  var results: [Int]
  /// Numbers of the parameters whose cotangents are wanted.
  var parameters: [Int]
  /// For each of `parameters` whether its cotangent begins with what a further parameter has, rather than with nothing.
  var isAccumulated: [Bool] = []
  /// For each of `parameters` whether the slices that are read of it are written to what its cotangent begins with.
  var isWritten: [Bool] = []
  /// What is known of the parameters that are scalar integers.
  var extents: [Extent?] = []
}

extension Graph {
  /// Parameters: those of the graph, cotangents of `request.results`, then what cotangents begin with. Results: those of the
  /// graph, then the cotangents of `request.parameters`.
  func differentiated(_ request: GradientRequest) throws(OpError) -> Graph {
    try differentiatedParts(request).graph
  }

  /// The same, and how many of its first nodes are those of the graph, parameters included.
  func differentiatedParts(_ request: GradientRequest) throws(OpError) -> (graph: Graph, forwardCount: Int) {
    var target = Graph()
    for parameter in parameters { target.addParameter(type(of: parameter), name: self[parameter].parameterName) }
    let cotangents = request.results.map { target.addParameter(resultTypes[$0]) }
    let starts = request.parameters.enumerated().map { place, number in
      let isAccumulated = request.isAccumulated.indices.contains(place) && request.isAccumulated[place]
      return isAccumulated ? target.addParameter(parameterTypes[number]) : nil
    }
    var isWanted = parameters.map { _ in false }
    for number in request.parameters { isWanted[number] = true }
    var isReached = results.map { _ in false }
    for number in request.results { isReached[number] = true }
    var recorder = Recorder(target, activity(from: isWanted, to: isReached), request.extents)
    try recorder.copy(self)
    let base = recorder.graph
    isWanted += [Bool](repeating: false, count: base.parameters.count - isWanted.count)
    var sweep = ReverseSweep(base, base.varied(from: isWanted), recorder.recordings)
    for (place, number) in request.parameters.enumerated() {
      guard let start = starts[place] else { continue }
      sweep.set(start, asCotangentOf: base.parameters[number])
      if request.isWritten.indices.contains(place), request.isWritten[place] {
        sweep.writtenParameters.insert(base.parameters[number])
      }
    }
    for (place, number) in request.results.enumerated() { try sweep.give(cotangents[place], to: base.results[number]) }
    try sweep.run()
    var gradients: [ValueID] = []
    for number in request.parameters { gradients.append(try sweep.cotangent(of: base.parameters[number])) }
    var graph = sweep.c.graph
    graph.results = base.results + gradients
    return (graph, base.nodes.count)
  }
}
