/// The results of one of two branches, chosen by a predicate (StableHLO spec, "if").
///
/// `%r = "stablehlo.if"(%p) ({ … }, { … }) : (tensor<i1>) -> tensor<2xf32>`
///
/// Operands: the predicate, then what the branches use from outside; both branches take all of the latter as parameters.
public struct If: OpDefinition {
  public var trueBranch: Graph
  public var falseBranch: Graph
  public init(trueBranch: Graph, falseBranch: Graph) {
    self.trueBranch = trueBranch
    self.falseBranch = falseBranch
  }
  public var mnemonic: String { "stablehlo.if" }
  public var op: Op { .if(self) }
  public var regions: [Graph] { [trueBranch, falseBranch] }
  public func withRegions(_ regions: [Graph]) -> Op { .if(If(trueBranch: regions[0], falseBranch: regions[1])) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.first == .scalar(.i1) else {  // (I1)
      throw OpError("the predicate of if is a tensor<i1>, not \(operands.prefix(1).map { $0 }.listed)")
    }
    let captures = Array(operands.dropFirst())
    try requireParameters(of: trueBranch, named: "true branch", captures)  // (C1)
    try requireParameters(of: falseBranch, named: "false branch", captures)  // (C1)
    guard trueBranch.resultTypes == falseBranch.resultTypes else {  // (C2)
      throw OpError("the branches of if return \(trueBranch.resultTypes.listed) and \(falseBranch.resultTypes.listed)")
    }
    return trueBranch.resultTypes  // (C3)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let branch = operands[0][0].isTrue ? trueBranch : falseBranch
    return try branch.evaluate(Array(operands.dropFirst()), in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }
}

extension If {
  static let text = TextForm(
    If(trueBranch: Graph(), falseBranch: Graph()), nil, captures: .operands,
    attributes: [.region(0, \.trueBranch), .region(1, \.falseBranch)])
}
