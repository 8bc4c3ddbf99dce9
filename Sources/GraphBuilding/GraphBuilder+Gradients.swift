package import IR
import Passes

extension GraphBuilder {
  /// What the gradient of a function's result gives for its first arguments, as many as `wanted` says: reverse-mode
  /// differentiation. Other values that `function` uses are constants to it.
  ///
  /// `cotangent` makes the gradient, given the type of the result.
  package mutating func cotangents(
    of arguments: [Value], wanted: Int, _ function: (inout Self, [Value]) throws(OpError) -> Value,
    given cotangent: (inout Self, TensorType) throws(OpError) -> Value
  ) throws(OpError) -> [Value] {
    let parameters = try beginRegion(arguments.map(\.type))
    let result = try function(&self, parameters)
    let level = try endRegion([result])
    let product = try level.graph.vectorJacobianProduct(of: [0], withRespectTo: Array(0..<wanted))
    let given = try cotangent(&self, result.type)
    return Array(try splice(product, arguments + level.captures + [given]).dropFirst())
  }
}
