/// A region over scalars, called for one element after another.
///
/// Regions of pointwise ops, which nearly all are, run without building literals.
struct ElementFunction {
  private enum Step {
    case argument(Int)
    case constant(Scalar)
    case apply(ScalarFunction, operands: [Int], types: [ElementType], result: ElementType)
  }

  private let graph: Graph
  private let context: EvaluationContext
  /// One for each node; nil where the region holds other ops.
  private let steps: [Step]?

  init(_ graph: Graph, in context: EvaluationContext) {
    self.graph = graph
    self.context = context
    var steps: [Step] = []
    for node in graph.nodes {
      switch node.op {
      case .parameter(let parameter): steps.append(.argument(parameter.index))
      case .constant(let constant) where constant.value.elementCount == 1: steps.append(.constant(constant.value[0]))
      case .pointwise(let pointwise) where node.type.isScalar:
        let types: [ElementType] = node.operands.map { graph.type(of: $0).elementType }
        let operands: [Int] = node.operands.map(\.index)
        steps.append(.apply(pointwise.function, operands: operands, types: types, result: node.type.elementType))
      default: break
      }
    }
    self.steps = steps.count == graph.nodes.count ? steps : nil
  }

  /// The region's results; an argument may have a narrower type of the parameter's kind, its value is the same.
  func callAsFunction(_ arguments: [Scalar]) throws(OpError) -> [Scalar] {
    guard let steps else {
      var literals: [Literal] = []
      for (argument, type) in zip(arguments, graph.parameterTypes) {
        literals.append(Literal.scalar(argument, type.elementType))
      }
      return try graph.evaluate(literals, in: context).map { $0[0] }
    }
    var values: [Scalar] = []
    values.reserveCapacity(steps.count)
    for step in steps {
      switch step {
      case .argument(let index): values.append(arguments[index])
      case .constant(let value): values.append(value)
      case .apply(let function, let operands, let types, let result):
        values.append(try function.evaluate(operands.map { values[$0] }, types, result))
      }
    }
    return graph.results.map { values[$0.index] }
  }
}

extension Graph {
  /// Throws unless the graph takes as many accumulators as `types`, then elements, all scalars of types to which
  /// `types` promote, and gives new accumulators.
  func requireFold(of types: [ElementType], in mnemonic: String) throws(OpError) {
    let (taken, given) = (parameterTypes, resultTypes)
    let isFold =
      given.count == types.count && taken == given + given && given.allSatisfy(\.isScalar)
      && zip(types, given).allSatisfy { $0.isPromotable(to: $1.elementType) }
    guard isFold else {
      throw OpError("the body of \(mnemonic) has type \(signature), which does not fold \(types.text)")
    }
  }

  /// The types of parameters and results: `(tensor<f32>, tensor<f32>) -> (tensor<f32>)`.
  var signature: String {
    func list(_ types: [TensorType]) -> String { types.map(\.description).joined(separator: ", ") }
    return "(\(list(parameterTypes))) -> (\(list(resultTypes)))"
  }
}

extension ElementType {
  /// Whether every value of the type is one of `other`, a type of the same kind (StableHLO spec, "is_promotable").
  func isPromotable(to other: ElementType) -> Bool { kind == other.kind && bitWidth <= other.bitWidth }
}

extension [ElementType] {
  fileprivate var text: String { map(\.description).joined(separator: ", ") }
}

extension [Int] {
  /// Whether no number occurs twice.
  var isDistinct: Bool { Set(self).count == count }

  /// Whether each number is at least the one before it.
  var isAscending: Bool { zip(self, dropFirst()).allSatisfy { $0 <= $1 } }

  /// Whether each number is a dimension of a tensor of this rank.
  func areDimensions(ofRank rank: Int) -> Bool { allSatisfy { $0 >= 0 && $0 < rank } }
}
