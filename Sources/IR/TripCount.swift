/// A result of a node.
public struct ResultSlot: Hashable {
  public var value: ValueID
  public var result: Int

  public init(value: ValueID, result: Int) {
    self.value = value
    self.result = result
  }
}

extension While {
  /// A compiler counts so many iterations, then it gives up: counting costs some microseconds each.
  private static let countedIterationLimit = 10_000

  /// How often the body runs, where scalar integers among the operands and what the regions do with them decide it.
  ///
  /// The loop is run on those scalars alone, by each op's meaning: any bound, step or comparison counts.
  public func tripCount(operands: [Literal?]) -> Int? {
    var values = zip(operands, condition.parameterTypes).map { $0?.type == $1 ? $0 : nil }
    for count in 0...Self.countedIterationLimit {
      var test = KnownScalars(condition, values)
      guard let goesOn = test.result(0) else { return nil }
      if !goesOn[0].isTrue { return count }
      var round = KnownScalars(body, values)
      for position in body.results.indices { values[position] = round.result(position) }
    }
    return nil
  }
}

/// The scalar integers and booleans of a graph that follow from what is known of its arguments.
private struct KnownScalars {
  private let graph: Graph
  private let arguments: [Literal?]
  /// By value and result, what was found before.
  private var found: [ResultSlot: Literal?] = [:]

  init(_ graph: Graph, _ arguments: [Literal?]) {
    self.graph = graph
    self.arguments = arguments
  }

  mutating func result(_ position: Int) -> Literal? { literal(ResultSlot(value: graph.results[position], result: 0)) }

  private mutating func literal(_ slot: ResultSlot) -> Literal? {
    if let known = found[slot] { return known }
    let literal = Self.isScalar(graph[slot.value].resultTypes[slot.result]) ? computed(slot) : nil
    found[slot] = .some(literal)
    return literal
  }

  private static func isScalar(_ type: TensorType) -> Bool {
    (type.elementType.isInteger || type.elementType == .i1) && type.dimensions.allSatisfy { $0.fixed == 1 }
  }

  private mutating func computed(_ slot: ResultSlot) -> Literal? {
    let node = graph[slot.value]
    switch node.op {
    case .parameter(let parameter): return arguments[parameter.index]
    case .constant(let constant): return constant.value
    case .getTupleElement(let projection):
      return literal(ResultSlot(value: node.operands[0], result: projection.index))
    case .optimizationBarrier: return literal(ResultSlot(value: node.operands[slot.result], result: 0))
    case .fusion(let fusion):
      var body = KnownScalars(fusion.body, node.operands.map { literal(ResultSlot(value: $0, result: 0)) })
      return body.result(slot.result)
    default: return evaluated(node)
    }
  }

  private mutating func evaluated(_ node: Node) -> Literal? {
    switch node.op.definition.semantics(operands: node.operands.map { graph.type(of: $0) }, results: node.resultTypes) {
    case .pointwise, .movement: break
    default: return nil
    }
    let operands = node.operands.compactMap { literal(ResultSlot(value: $0, result: 0)) }
    guard operands.count == node.operands.count else { return nil }
    return try? node.op.definition.evaluate(operands, results: node.resultTypes, in: EvaluationContext())[0]
  }
}
