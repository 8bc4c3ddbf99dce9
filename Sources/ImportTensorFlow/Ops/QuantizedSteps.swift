import GraphBuilding
import IR

extension Operator {
  /// Numbers rounded to the steps of a range that is given or found, and gradients of rounding.
  static let quantizedSteps: [Operator] = [
    Operator(
      "QuantizeAndDequantizeV2", one: { (n) throws(OpError) in try stepped(&n, try n.int("num_bits", default: 8)) }),
    Operator(
      "QuantizeAndDequantizeV3", one: { (n) throws(OpError) in try stepped(&n, try n.integer(3, "number of bits")) }),
    Operator(
      "QuantizeAndDequantizeV4", one: { (n) throws(OpError) in try stepped(&n, try n.int("num_bits", default: 8)) }),
    Operator(
      "FakeQuantWithMinMaxArgsGradient",
      one: { (n) throws(OpError) in
        let (dy, x) = (try n.input(0), try n.input(1))
        let limits = (try n.float("min", default: -6), try n.float("max", default: 6))
        let steps = try quantizedRange(&n, n.scalar(limits.0, .f32), n.scalar(limits.1, .f32))
        let isInside = try n.map(
          .and, n.compare(.greaterOrEqual, x, steps.low), n.compare(.lessOrEqual, x, steps.high))
        return try n.select(isInside, dy, 0)
      }),
    rangeGradient("FakeQuantWithMinMaxVarsGradient", byChannel: false),
    rangeGradient("FakeQuantWithMinMaxVarsPerChannelGradient", byChannel: true),
  ]

  private static func rangeGradient(_ name: String, byChannel: Bool) -> Operator {
    let outputs = ["backprops_wrt_input", "backprop_wrt_min", "backprop_wrt_max"]
    return Operator(name, outputs: outputs) { (n) throws(OpError) in
      let (dy, x) = (try n.input(0), try n.input(1))
      let shape = byChannel ? [x.shape[x.rank - 1]] : []
      let (least, greatest) = (try n.reshape(try n.input(2), shape), try n.reshape(try n.input(3), shape))
      let steps = try quantizedRange(&n, least, greatest)
      // Without a range nothing is rounded.
      let isEmpty = try n.map(.and, n.compare(.equal, least, 0), n.compare(.equal, greatest, 0))
      let isBelow = try n.map(.and, n.compare(.less, x, steps.low), n.map(.not, isEmpty))
      let isAbove = try n.map(.and, n.compare(.greater, x, steps.high), n.map(.not, isEmpty))
      let isInside = try n.map(
        .and, n.compare(.greaterOrEqual, x, steps.low), n.compare(.lessOrEqual, x, steps.high))
      let axes = Array(0..<(byChannel ? x.rank - 1 : x.rank))
      return [
        try n.select(n.map(.or, isInside, isEmpty), dy, 0),
        try n.reduce(n.select(isBelow, dy, 0), axes, .add), try n.reduce(n.select(isAbove, dy, 0), axes, .add),
      ]
    }
  }

  /// The nearest steps of a range, by which zero stays zero.
  private static func stepped(_ n: inout Lowering, _ bits: Int) throws(OpError) -> Value {
    let x = try n.input(0)
    let isSigned = try n.flag("signed_input", default: true)
    let isGiven = try n.flag("range_given", default: n.call.node.op == "QuantizeAndDequantizeV3")
    let isNarrow = try n.flag("narrow_range")
    let rounding = try n.string("round_mode", default: "HALF_TO_EVEN")
    let axis = try n.int("axis", default: -1)
    guard bits >= (isSigned ? 2 : 1), bits < 63 else { throw OpError("attribute 'num_bits' is \(bits)") }
    guard rounding == "HALF_TO_EVEN" || rounding == "HALF_UP" else {
      throw OpError("attribute 'round_mode' is '\(rounding)'")
    }
    let channel = axis == -1 ? nil : try n.axis(axis, rank: x.rank)
    let others = x.shape.indices.filter { $0 != channel }
    let shape = channel.map { [x.shape[$0]] } ?? []
    var least = try isGiven ? n.reshape(try n.input(1), shape) : n.reduce(x, others, .minimum)
    var greatest = try isGiven ? n.reshape(try n.input(2), shape) : n.reduce(x, others, .maximum)
    let last = Double(1 << (isSigned ? bits - 1 : bits)) - 1
    let first = isSigned ? (isNarrow ? -last : -last - 1) : 0
    // The side that needs the greater steps says how great they are.
    let most = Scalar.real(-x.element.leastNumber.realValue)
    func factor(_ limit: Value, _ step: Double) throws(OpError) -> Value {
      let isUsed = try n.compare(.greater, n.multiply(limit, step), 0)
      return try n.select(isUsed, n.divide(step, limit), n.scalar(most, x.element))
    }
    let (low, high) = (try factor(least, first), try factor(greatest, last))
    let isLow = try n.compare(.less, low, high)
    let inverse =
      try first == 0
      ? n.divide(greatest, last) : n.select(isLow, n.divide(least, first), n.divide(greatest, last))
    let scale = try n.select(isLow, low, high)
    (least, greatest) = (
      try n.select(isLow, least, n.multiply(inverse, first)), try n.select(isLow, n.multiply(inverse, last), greatest)
    )
    func wide(_ value: Value) throws(OpError) -> Value {
      try n.broadcast(value, to: x.shape, at: channel.map { [$0] } ?? [])
    }
    var limited = x
    if isGiven { limited = try n.map(.maximum, n.map(.minimum, x, wide(greatest)), wide(least)) }
    let steps = try n.multiply(limited, wide(scale))
    let rounded = try rounding == "HALF_UP" ? n.map(.floor, n.add(steps, 0.5)) : n.map(.roundNearestEven, steps)
    return try n.multiply(rounded, wide(inverse))
  }
}
