/// Its operands; nothing moves across it (StableHLO spec, "optimization_barrier").
///
/// `%r:2 = stablehlo.optimization_barrier %x, %y : tensor<2xf32>, tensor<i32>`
public struct OptimizationBarrier: OpDefinition {
  public init() {}
  public var mnemonic: String { "stablehlo.optimization_barrier" }
  public var op: Op { .optimizationBarrier(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { operands }  // (C1)

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    operands
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    results.count == 1 ? .movement(.identity(rank: results[0].rank)) : .opaque
  }
}

extension OptimizationBarrier {
  static let text = TextForm(OptimizationBarrier(), "operands attr-dict `:` pairwise-types")
}
