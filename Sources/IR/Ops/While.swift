/// Repeats a body as long as a condition on its values holds (StableHLO spec, "while").
///
/// `%r:2 = stablehlo.while(%a = %x, %b = %y) : tensor<i32>, tensor<3xf32> cond { … } do { … }`
///
/// Operands: the initial values, then what the regions use from outside (captures). Both regions take all of them as
/// parameters; the body returns the next values, without the captures.
public struct While: OpDefinition {
  public var condition: Graph
  public var body: Graph
  public init(condition: Graph, body: Graph) {
    self.condition = condition
    self.body = body
  }
  public var mnemonic: String { "stablehlo.while" }
  public var op: Op { .while(self) }
  public var regions: [Graph] { [condition, body] }
  public func withRegions(_ regions: [Graph]) -> Op { .while(While(condition: regions[0], body: regions[1])) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard body.results.count <= operands.count else {  // (C3)
      throw OpError("the body of while returns \(body.results.count) values for \(operands.count) operands")
    }
    try requireParameters(of: condition, named: "condition", operands)  // (C1)
    guard condition.resultTypes == [.scalar(.i1)] else {  // (C1)
      throw OpError("the condition of while returns \(condition.resultTypes.listed), not tensor<i1>")
    }
    try requireParameters(of: body, named: "body", operands)  // (C2)
    let carried = Array(operands.prefix(body.results.count))
    guard body.resultTypes == carried else {  // (C2)
      throw OpError("the body of while returns \(body.resultTypes.listed) for values of \(carried.listed)")
    }
    return carried  // (C3)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    var values = Array(operands.prefix(body.results.count))
    let captures = Array(operands.dropFirst(values.count))
    let cost = condition.nodes.count + body.nodes.count
    while try condition.evaluate(values + captures, in: context)[0][0].isTrue {
      try context.charge(steps: cost, for: mnemonic)
      values = try body.evaluate(values + captures, in: context)
    }
    return values
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }
}

extension OpDefinition {
  /// Throws unless the parameters of a region have the types of the operands they stand for.
  func requireParameters(of region: Graph, named name: String, _ operands: [TensorType]) throws(OpError) {
    guard region.parameterTypes == operands else {
      throw OpError("the \(name) of \(shortName) takes \(region.parameterTypes.listed), not \(operands.listed)")
    }
  }

  /// The mnemonic without its dialect.
  var shortName: String { String(mnemonic.drop { $0 != "." }.dropFirst()) }
}

extension [TensorType] {
  /// The types as a message shows them: `(tensor<2xf32>, tensor<i1>)`.
  var listed: String { "(" + map(\.detailedDescription).joined(separator: ", ") + ")" }
}

extension While {
  static let text = TextForm(
    While(condition: Graph(), body: Graph()), "loop", captures: .operands,
    attributes: [.region(0, \.condition), .region(1, \.body)])
}
