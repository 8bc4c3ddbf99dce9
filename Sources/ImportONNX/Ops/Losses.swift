import GraphBuilding
import IR

extension Operator {
  /// Losses, and the steps of optimizers.
  static let losses: [Operator] = [
    Operator("NegativeLogLikelihoodLoss") { (n) throws(OpError) in
      let (x, labels) = (try n.input(0), try n.input(1))
      // Where -1 is ignored, the mean without weights counts the ignored elements too.
      let countsIgnored = try n.int("ignore_index") == -1
      return [try loss(&n, x, labels, countsIgnored: countsIgnored)]
    },
    Operator("SoftmaxCrossEntropyLoss") { (n) throws(OpError) in
      let (x, labels) = (try n.input(0), try n.input(1))
      guard x.rank >= 2 else { throw OpError("its scores are \(x.type)") }
      let logarithms = try n.logSoftmax(x, [1])
      return [try loss(&n, logarithms, labels, countsIgnored: false), logarithms]
    },
    Operator("Momentum", domain: training, momentum),
    Operator("Adagrad", domain: training, adagrad),
    Operator("Adam", domain: training, adam),
  ]

  private static let training = "ai.onnx.preview.training"

  /// The negative element of each sample at its label, weighted by class.
  private static func loss(
    _ n: inout Lowering, _ x: Value, _ labels: Value, countsIgnored: Bool
  ) throws(OpError) -> Value {
    let reduction = try n.string("reduction", default: "mean")
    let ignored = try n.int("ignore_index")
    guard x.rank >= 2, labels.rank == x.rank - 1, ["none", "sum", "mean"].contains(reduction) else {
      throw OpError("its inputs are \(x.type) and \(labels.type), its reduction is '\(reduction)'")
    }
    var classes = labels
    var isIgnored: Value?
    if let ignored {
      let mask = try n.compare(.equal, labels, n.scalar(.integer(Int64(ignored)), labels.element))
      classes = try n.select(mask, n.scalar(0, labels.element), labels)
      isIgnored = mask
    }
    let points = try n.points(n.unsqueeze(classes, 1), axis: 1, in: x)
    var loss = try n.map(.negate, n.squeeze(n.gather(x, at: points), 1))
    var weights: Value?
    if let given = n.optional(2) {
      weights = try n.take(given, classes, axis: 0)
    } else if isIgnored != nil, !countsIgnored {
      weights = try n.splat(1, like: loss)
    }
    if let isIgnored {
      loss = try n.select(isIgnored, n.scalar(0, x.element), loss)
      weights = try weights.map { (weights) throws(OpError) in
        try n.select(isIgnored, n.scalar(0, x.element), weights)
      }
    }
    if n.optional(2) != nil, let weights { loss = try n.multiply(loss, weights) }
    let all = Array(loss.shape.indices)
    switch reduction {
    case "none": return loss
    case "sum": return try n.reduce(loss, all, .add)
    default:
      guard let weights else { return try n.mean(loss, all) }
      return try n.divide(n.reduce(loss, all, .add), n.reduce(weights, all, .add))
    }
  }

  // MARK: Optimizers

  /// Inputs: rate, step, then for each of `kinds` one tensor for every parameter; results in the same order.
  private static func steps(
    _ n: inout Lowering, kinds: Int,
    _ step: (inout Lowering, Value, Value, [Value]) throws(OpError) -> [Value]
  ) throws(OpError) -> [Value] {
    let inputs = try n.allInputs()
    guard inputs.count > 2, (inputs.count - 2) % kinds == 0 else { throw OpError("it has \(inputs.count) inputs") }
    let count = (inputs.count - 2) / kinds
    var results: [[Value]] = []
    for index in 0..<count {
      let own = (0..<kinds).map { inputs[2 + $0 * count + index] }
      results.append(try step(&n, try n.reshape(inputs[0], []), try n.reshape(inputs[1], []), own))
    }
    return (0..<kinds - 1).flatMap { kind in results.map { $0[kind] } }
  }

  private static func momentum(_ n: inout Lowering) throws(OpError) -> [Value] {
    let alpha = try n.required(n.float("alpha"), "alpha")
    let beta = try n.required(n.float("beta"), "beta")
    let decay = try n.required(n.float("norm_coefficient"), "norm_coefficient")
    let mode = try n.required(n.string("mode"), "mode")
    return try steps(&n, kinds: 3) { (n, rate, step, own) throws(OpError) in
      let (x, velocity) = (own[0], own[2])
      let gradient = try n.add(own[1], n.multiply(x, decay))
      // The first step takes the whole gradient.
      let isFirst = try n.compare(.equal, step, 0)
      let share = try n.select(isFirst, n.scalar(1, x.element), n.scalar(beta, x.element))
      let new = try n.add(n.multiply(velocity, alpha), n.multiply(gradient, share))
      let direction = mode == "nesterov" ? try n.add(gradient, n.multiply(new, alpha)) : new
      return [try n.subtract(x, n.multiply(direction, n.convert(rate, x.element))), new]
    }
  }

  private static func adagrad(_ n: inout Lowering) throws(OpError) -> [Value] {
    let slowing = try n.float("decay_factor", default: 0)
    let epsilon = try n.float("epsilon", default: 1e-6)
    let decay = try n.float("norm_coefficient", default: 0)
    return try steps(&n, kinds: 3) { (n, rate, step, own) throws(OpError) in
      let x = own[0]
      let slowed = try n.add(n.multiply(n.convert(step, x.element), slowing), 1)
      let reduced = try n.divide(n.convert(rate, x.element), slowed)
      let gradient = try n.add(own[1], n.multiply(x, decay))
      let squares = try n.add(own[2], n.multiply(gradient, gradient))
      let scale = try n.add(n.map(.squareRoot, squares), epsilon)
      return [try n.subtract(x, n.divide(n.multiply(gradient, reduced), scale)), squares]
    }
  }

  private static func adam(_ n: inout Lowering) throws(OpError) -> [Value] {
    let alpha = try n.float("alpha", default: 0.9)
    let beta = try n.float("beta", default: 0.999)
    let epsilon = try n.float("epsilon", default: 1e-6)
    let decay = try n.float("norm_coefficient", default: 0)
    let lateDecay = try n.float("norm_coefficient_post", default: 0)
    return try steps(&n, kinds: 4) { (n, rate, step, own) throws(OpError) in
      let x = own[0]
      let gradient = try n.add(own[1], n.multiply(x, decay))
      let mean = try n.add(n.multiply(own[2], alpha), n.multiply(gradient, 1 - alpha))
      let squares = try n.add(n.multiply(own[3], beta), n.multiply(n.multiply(gradient, gradient), 1 - beta))
      let power = try n.convert(step, x.element)
      let bias = try n.divide(
        n.map(.squareRoot, n.subtract(1, n.map(.power, n.scalar(beta, x.element), power))),
        n.subtract(1, n.map(.power, n.scalar(alpha, x.element), power)))
      let isLater = try n.compare(.greater, step, 0)
      let given = try n.convert(rate, x.element)
      let adjusted = try n.select(isLater, n.multiply(given, bias), given)
      let change = try n.divide(n.multiply(mean, adjusted), n.add(n.map(.squareRoot, squares), epsilon))
      return [try n.multiply(n.subtract(x, change), 1 - lateDecay), mean, squares]
    }
  }
}
