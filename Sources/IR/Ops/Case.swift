/// The results of the branch with a given number; of the last one where no branch has it (StableHLO spec, "case").
///
/// `%r = "stablehlo.case"(%i) ({ … }, { … }, { … }) : (tensor<i32>) -> tensor<2xf32>`
///
/// Operands: the index, then what the branches use from outside; each branch takes all of the latter as parameters.
public struct Case: OpDefinition {
  public var branches: [Graph]
  public init(branches: [Graph]) { self.branches = branches }
  public var mnemonic: String { "stablehlo.case" }
  public var op: Op { .case(self) }
  public var regions: [Graph] { branches }
  public func withRegions(_ regions: [Graph]) -> Op { .case(Case(branches: regions)) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard operands.first == .scalar(.i32) else {  // (I1)
      throw OpError("the index of case is a tensor<i32>, not \(operands.prefix(1).map { $0 }.listed)")
    }
    guard let first = branches.first else { throw OpError("case has no branches") }  // (C1)
    let captures = Array(operands.dropFirst())
    for (number, branch) in branches.enumerated() {
      try requireParameters(of: branch, named: "branch \(number)", captures)  // (C2)
      guard branch.resultTypes == first.resultTypes else {  // (C3)
        throw OpError(
          "branch \(number) of case returns \(branch.resultTypes.listed), branch 0 \(first.resultTypes.listed)")
      }
    }
    return first.resultTypes  // (C4)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let index = Int(operands[0][0].integerValue)
    let branch = branches.indices.contains(index) ? branches[index] : branches[branches.count - 1]
    return try branch.evaluate(Array(operands.dropFirst()), in: context)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }
}

extension Case {
  static let text = TextForm("stablehlo.case", nil, captures: .operands) { (reader) throws(OpError) in
    .case(Case(branches: reader.regions))
  }
}
