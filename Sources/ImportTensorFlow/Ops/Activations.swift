import GraphBuilding
import IR

extension Operator {
  /// Activation functions, and losses of one position.
  static let activations: [Operator] = [
    Operator("Relu", one: { (n) throws(OpError) in try n.maximum(try n.input(0), 0) }),
    Operator("Relu6", one: { (n) throws(OpError) in try n.minimum(n.maximum(try n.input(0), 0), 6) }),
    Operator(
      "Elu",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.select(n.compare(.greater, x, 0), x, n.map(.exponentialMinusOne, x))
      }),
    Operator(
      "Selu",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let (scale, alpha) = (1.0507009873554805, 1.6732632423543772)
        let low = try n.multiply(n.map(.exponentialMinusOne, x), scale * alpha)
        return try n.select(n.compare(.greater, x, 0), n.multiply(x, scale), low)
      }),
    Operator(
      "LeakyRelu",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let alpha = try n.float("alpha", default: 0.2)
        return try n.select(n.compare(.greater, x, 0), x, n.multiply(x, alpha))
      }),
    Operator("Softplus", one: { (n) throws(OpError) in try n.softplus(try n.input(0)) }),
    Operator(
      "Softsign",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.divide(x, n.add(n.map(.abs, x), 1))
      }),
    Operator(
      "Softmax",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.softmax(x, [try n.axis(-1, rank: x.rank)])
      }),
    Operator(
      "LogSoftmax",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.logSoftmax(x, [try n.axis(-1, rank: x.rank)])
      }),
    Operator(
      "L2Loss",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.multiply(n.reduce(n.multiply(x, x), Array(0..<x.rank), .add), 0.5)
      }),
    Operator("SoftmaxCrossEntropyWithLogits", outputs: ["loss", "backprop"], crossEntropy),
    Operator("SparseSoftmaxCrossEntropyWithLogits", outputs: ["loss", "backprop"], sparseCrossEntropy),
  ]

  /// The loss of each row against probabilities, and its gradient by the logits.
  private static func crossEntropy(_ n: inout Lowering) throws(OpError) -> [Value] {
    let shape = try n.broadcastShape([try n.input(0), try n.input(1)])
    guard shape.count == 2 else { throw OpError("it takes matrices, not \(try n.input(0).type)") }
    let logits = try n.broadcast(try n.input(0), to: shape)
    let labels = try n.broadcast(try n.input(1), to: shape)
    return try losses(&n, logits, labels)
  }

  private static func losses(_ n: inout Lowering, _ logits: Value, _ labels: Value) throws(OpError) -> [Value] {
    let logarithms = try n.logSoftmax(logits, [1])
    // What has no probability adds nothing, also where its logarithm is infinite.
    let terms = try n.select(n.compare(.equal, labels, 0), n.scalar(0, labels.element), n.multiply(labels, logarithms))
    let loss = try n.map(.negate, n.reduce(terms, [1], .add))
    return [loss, try n.subtract(n.softmax(logits, [1]), labels)]
  }

  private static func sparseCrossEntropy(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (logits, labels) = (try n.input(0), try n.input(1))
    guard logits.rank == 2, labels.rank == 1 else { throw OpError("it takes \(logits.type) and \(labels.type)") }
    let classes = try n.iota(labels.element, logits.shape, axis: 1)
    let isLabel = try n.compare(.equal, classes, n.broadcast(labels, to: logits.shape, at: [0]))
    return try losses(&n, logits, n.convert(isLabel, logits.element))
  }
}
