import GraphBuilding
import IR

extension Operator {
  /// Recurrent layers: the inputs' product for all steps before the loop, the state's product in it.
  static let recurrent: [Operator] = [
    Operator("LSTM", lstm),
    Operator("GRU", gru),
    Operator("RNN", rnn),
  ]

  /// One direction of a layer.
  private struct Direction {
    let isReversed: Bool
    let functions: [Activation]
    /// `[gates * hidden, input]` and `[gates * hidden, hidden]`.
    let weights: Value
    let recurrence: Value
    /// `[2 * gates * hidden]`: the input's biases, then the state's.
    let bias: Value?
    let initial: [Value]
    let peephole: Value?
  }

  private struct Activation {
    let name: String
    let alpha: Double?
    let beta: Double?
  }

  /// What the three ops have in common.
  private struct Layer {
    var x: Value
    let hidden: Int
    let directions: [Direction]
    let lengths: Value?
    let clip: Double?
    let isBatchFirst: Bool
  }

  // MARK: Ops

  private static func lstm(_ n: inout Lowering) throws(OpError) -> [Value] {
    let isCoupled = try n.flag("input_forget")
    let layer = try layer(&n, gates: 4, states: [5, 6], peephole: 7, defaults: ["Sigmoid", "Tanh", "Tanh"])
    let hidden = layer.hidden
    return try run(&n, layer, gates: 4) { (n, direction, input, states) throws(OpError) in
      let (h, c) = (states[0], states[1])
      let sum = try n.add(input, n.dot(h, direction.recurrence, contracting: ([1], [1])))
      func gate(_ index: Int) throws(OpError) -> Value {
        try n.slice(sum, axis: 1, Extent(index * hidden), Extent((index + 1) * hidden))
      }
      func peep(_ value: Value, _ index: Int, _ state: Value) throws(OpError) -> Value {
        guard let peephole = direction.peephole else { return value }
        let part = try n.slice(peephole, axis: 0, Extent(index * hidden), Extent((index + 1) * hidden))
        return try n.add(value, n.multiply(state, part))
      }
      func apply(_ index: Int, _ value: Value) throws(OpError) -> Value {
        try activate(&n, direction.functions[index], value, layer.clip)
      }
      let i = try apply(0, peep(gate(0), 0, c))
      let f = isCoupled ? try n.subtract(1, i) : try apply(0, peep(gate(2), 2, c))
      let candidate = try apply(1, gate(3))
      let cell = try n.add(n.multiply(f, c), n.multiply(i, candidate))
      let o = try apply(0, peep(gate(1), 1, cell))
      // The cell's own activation is not clipped.
      let output = try n.multiply(o, activate(&n, direction.functions[2], cell, nil))
      return [output, cell]
    }
  }

  private static func gru(_ n: inout Lowering) throws(OpError) -> [Value] {
    let resetsAfter = try n.flag("linear_before_reset")
    let layer = try layer(&n, gates: 3, states: [5], peephole: nil, defaults: ["Sigmoid", "Tanh"])
    let hidden = layer.hidden
    let wide = Extent(2 * hidden)
    let whole = Extent(3 * hidden)
    // The biases of the state's candidate stay with its product, where the reset gate scales both.
    return try run(&n, layer, gates: 3, statesOwnBias: 2) { (n, direction, input, states) throws(OpError) in
      let h = states[0]
      var own = n.scalar(0, h.element)
      if let bias = direction.bias { own = try n.slice(bias, axis: 0, Extent(5 * hidden), Extent(6 * hidden)) }
      let product: Value
      if resetsAfter {
        product = try n.dot(h, direction.recurrence, contracting: ([1], [1]))
      } else {
        product = try n.dot(h, n.slice(direction.recurrence, axis: 0, 0, wide), contracting: ([1], [1]))
      }
      let sum = try n.add(n.slice(input, axis: 1, 0, wide), n.slice(product, axis: 1, 0, wide))
      let z = try activate(&n, direction.functions[0], n.slice(sum, axis: 1, 0, Extent(hidden)), layer.clip)
      let r = try activate(&n, direction.functions[0], n.slice(sum, axis: 1, Extent(hidden), wide), layer.clip)
      let part: Value
      if resetsAfter {
        part = try n.multiply(r, n.add(n.slice(product, axis: 1, wide, whole), own))
      } else {
        let weights = try n.slice(direction.recurrence, axis: 0, wide, whole)
        part = try n.add(n.dot(n.multiply(r, h), weights, contracting: ([1], [1])), own)
      }
      let candidate = try n.add(n.slice(input, axis: 1, wide, whole), part)
      let new = try activate(&n, direction.functions[1], candidate, layer.clip)
      return [try n.add(n.multiply(n.subtract(1, z), new), n.multiply(z, h))]
    }
  }

  private static func rnn(_ n: inout Lowering) throws(OpError) -> [Value] {
    let layer = try layer(&n, gates: 1, states: [5], peephole: nil, defaults: ["Tanh"])
    return try run(&n, layer, gates: 1) { (n, direction, input, states) throws(OpError) in
      let sum = try n.add(input, n.dot(states[0], direction.recurrence, contracting: ([1], [1])))
      return [try activate(&n, direction.functions[0], sum, layer.clip)]
    }
  }

  private static func activate(
    _ n: inout Lowering, _ activation: Activation, _ x: Value, _ clip: Double?
  ) throws(OpError) -> Value {
    let limited = try clip.map { (clip) throws(OpError) in try n.minimum(n.maximum(x, -clip), clip) } ?? x
    return try n.activation(activation.name, limited, alpha: activation.alpha, beta: activation.beta)
  }

  // MARK: Attributes

  private static func layer(
    _ n: inout Lowering, gates: Int, states: [Int], peephole: Int?, defaults: [String]
  ) throws(OpError) -> Layer {
    n.ignore("output_sequence")
    let isBatchFirst = try n.flag("layout")
    var x = try n.input(0)
    let (weights, recurrence) = (try n.input(1), try n.input(2))
    guard x.rank == 3, weights.rank == 3, recurrence.rank == 3, let hidden = recurrence.shape[2].fixed, hidden > 0
    else {
      throw OpError("its inputs are \(x.type), \(weights.type) and \(recurrence.type)")
    }
    if isBatchFirst { x = try n.transpose(x, [1, 0, 2]) }
    if let given = try n.int("hidden_size"), given != hidden {
      throw OpError("attribute 'hidden_size' is \(given) where the weights are \(recurrence.type)")
    }
    let isReversed: [Bool]
    switch try n.string("direction", default: "forward") {
    case "forward": isReversed = [false]
    case "reverse": isReversed = [true]
    case "bidirectional": isReversed = [false, true]
    case let name: throw OpError("attribute 'direction' is '\(name)'")
    }
    let count = Extent(isReversed.count)
    guard weights.shape == [count, Extent(gates * hidden), x.shape[2]],
      recurrence.shape == [count, Extent(gates * hidden), Extent(hidden)]
    else {
      throw OpError("its weights \(weights.type) and \(recurrence.type) do not fit the input \(x.type)")
    }
    let functions = try activations(&n, defaults, isReversed.count)
    let batch = x.shape[1]
    var directions: [Direction] = []
    for (index, isReversed) in isReversed.enumerated() {
      func own(_ value: Value?, axis: Int) throws(OpError) -> Value? {
        guard let value else { return nil }
        return try n.squeeze(n.slice(value, axis: axis, Extent(index), Extent(index + 1)), axis)
      }
      var initial: [Value] = []
      for state in states {
        if let given = try own(n.optional(state), axis: isBatchFirst ? 1 : 0) {
          initial.append(given)
        } else {
          initial.append(try n.splat(0, x.element, [batch, Extent(hidden)]))
        }
      }
      guard let w = try own(weights, axis: 0), let r = try own(recurrence, axis: 0) else { continue }
      directions.append(
        Direction(
          isReversed: isReversed, functions: Array(functions[index * defaults.count..<(index + 1) * defaults.count]),
          weights: w, recurrence: r, bias: try own(n.optional(3), axis: 0), initial: initial,
          peephole: try own(peephole.flatMap { n.optional($0) }, axis: 0)))
    }
    return Layer(
      x: x, hidden: hidden, directions: directions, lengths: n.optional(4), clip: try n.float("clip"),
      isBatchFirst: isBatchFirst)
  }

  /// The activation functions of all directions; each takes its parameters in turn from the two lists.
  private static func activations(
    _ n: inout Lowering, _ defaults: [String], _ directionCount: Int
  ) throws(OpError) -> [Activation] {
    let names = try n.strings("activations") ?? (0..<directionCount).flatMap { _ in defaults }
    guard names.count == defaults.count * directionCount else { throw OpError("it names \(names.count) activations") }
    var alphas = (try n.floats("activation_alpha") ?? []).makeIterator()
    var betas = (try n.floats("activation_beta") ?? []).makeIterator()
    let withAlpha = ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"]
    let withBeta = ["affine", "scaledtanh", "hardsigmoid"]
    return names.map { name in
      Activation(
        name: name, alpha: withAlpha.contains(name.lowercased()) ? alphas.next() : nil,
        beta: withBeta.contains(name.lowercased()) ? betas.next() : nil)
    }
  }

  // MARK: The loop

  private typealias Cell = (inout Lowering, Direction, Value, [Value]) throws(OpError) -> [Value]

  /// All directions: `Y` with the outputs of every step, then each state after the last step.
  ///
  /// `statesOwnBias` is a gate whose recurrent bias the cell adds itself.
  private static func run(
    _ n: inout Lowering, _ layer: Layer, gates: Int, statesOwnBias: Int? = nil, _ cell: Cell
  ) throws(OpError) -> [Value] {
    var sequences: [Value] = []
    var finals: [[Value]] = []
    for direction in layer.directions {
      let results = try run(&n, layer, direction, gates: gates, statesOwnBias: statesOwnBias, cell)
      sequences.append(try n.unsqueeze(results[0], 1))
      finals.append(Array(results.dropFirst()))
    }
    var outputs = [try n.concatenate(sequences, axis: 1)]
    if layer.isBatchFirst { outputs[0] = try n.transpose(outputs[0], [2, 0, 1, 3]) }
    for state in finals[0].indices {
      var parts: [Value] = []
      for final in finals { parts.append(try n.unsqueeze(final[state], layer.isBatchFirst ? 1 : 0)) }
      outputs.append(try n.concatenate(parts, axis: layer.isBatchFirst ? 1 : 0))
    }
    return outputs
  }

  private static func run(
    _ n: inout Lowering, _ layer: Layer, _ direction: Direction, gates: Int, statesOwnBias: Int?, _ cell: Cell
  ) throws(OpError) -> [Value] {
    let (x, hidden) = (layer.x, layer.hidden)
    let steps = x.shape[0]
    let inputs = try projected(&n, layer, direction, gates: gates, statesOwnBias: statesOwnBias)
    let outputs = try n.splat(0, x.element, [steps, x.shape[1], Extent(hidden)])
    let last = try n.scalar(of: steps - 1, .i64)
    let count = try n.scalar(of: steps, .i64)
    return try n.loop(count: count, [outputs] + direction.initial) { (n, step, values) throws(OpError) in
      let position = direction.isReversed ? try n.subtract(last, step) : step
      let old = Array(values.dropFirst())
      var new = try cell(&n, direction, n.element(of: inputs, at: position, axis: 0), old)
      var output = new[0]
      if let lengths = layer.lengths {
        // Behind a sequence's end its states stay, and its outputs are 0.
        let isInside = try n.compare(.less, position, n.convert(lengths, .i64))
        let mask = try n.broadcast(isInside, to: output.shape, at: [0])
        output = try n.select(mask, output, 0)
        for index in new.indices { new[index] = try n.select(mask, new[index], old[index]) }
      }
      return [try n.replacing(values[0], at: position, axis: 0, with: output)] + new
    }
  }

  /// The products of all steps' inputs with the weights, with the biases: `[steps, batch, gates * hidden]`.
  private static func projected(
    _ n: inout Lowering, _ layer: Layer, _ direction: Direction, gates: Int, statesOwnBias: Int?
  ) throws(OpError) -> Value {
    let width = gates * layer.hidden
    let product = try n.dot(layer.x, direction.weights, contracting: ([2], [1]))
    guard let bias = direction.bias else { return product }
    guard bias.shape == [Extent(2 * width)] else { throw OpError("its bias \(bias.type) does not fit \(width) gates") }
    let inputBias = try n.slice(bias, axis: 0, 0, Extent(width))
    var stateBias = try n.slice(bias, axis: 0, Extent(width), Extent(2 * width))
    if let gate = statesOwnBias {
      let kept = try n.slice(stateBias, axis: 0, 0, Extent(gate * layer.hidden))
      stateBias = try n.concatenate([kept, n.splat(0, bias.element, [Extent(width - gate * layer.hidden)])], axis: 0)
    }
    return try n.add(product, n.add(inputBias, stateBias))
  }
}
