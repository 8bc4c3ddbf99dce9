import GraphBuilding
import IR

extension Operator {
  /// Ops that read or replace elements at positions given by other tensors.
  static let indexing: [Operator] = [
    Operator("Gather", one: gather),
    Operator("GatherElements", one: gatherElements),
    Operator("GatherND", one: gatherPoints),
    Operator("Scatter", one: scatterElements),
    Operator("ScatterElements", one: scatterElements),
    Operator("ScatterND", one: scatterPoints),
    Operator("TensorScatter", one: tensorScatter),
    Operator("ReverseSequence", one: reverseSequence),
  ]

  private static func gather(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices) = (try n.input(0), try n.input(1))
    guard indices.element.isInteger else { throw OpError("its indices are \(indices.type)") }
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    return try n.take(x, indices, axis: axis)
  }

  private static func gatherElements(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices) = (try n.input(0), try n.input(1))
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    guard indices.rank == x.rank else { throw OpError("its indices \(indices.type) have another rank than \(x.type)") }
    return try n.gather(x, at: n.points(indices, axis: axis, in: x))
  }

  private static func gatherPoints(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices) = (try n.input(0), try n.input(1))
    let batching = try n.int("batch_dims", default: 0)
    guard indices.rank >= 1, let depth = indices.shape[indices.rank - 1].fixed, batching >= 0,
      batching < min(indices.rank, x.rank), batching + depth <= x.rank
    else {
      throw OpError("its indices \(indices.type) do not fit \(x.type)")
    }
    var points = try n.countedFromFront(indices, Array(x.shape[batching..<batching + depth]))
    if batching > 0 {
      var shape = points.shape
      shape[shape.count - 1] = .one
      var parts: [Value] = []
      for d in 0..<batching { parts.append(try n.iota(points.element, shape, axis: d)) }
      points = try n.concatenate(parts + [points], axis: points.rank - 1)
    }
    return try n.gather(x, at: points)
  }

  private static func scatterElements(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices, updates) = (try n.input(0), try n.input(1), try n.input(2))
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    guard indices.rank == x.rank, indices.shape == updates.shape, updates.element == x.element else {
      throw OpError("its inputs \(x.type), \(indices.type) and \(updates.type) do not fit together")
    }
    let function = try combination(&n)
    let points = try n.points(indices, axis: axis, in: x)
    return try n.scatter(updates, into: x, at: points, function)
  }

  private static func scatterPoints(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, indices, updates) = (try n.input(0), try n.input(1), try n.input(2))
    guard indices.rank >= 1, let depth = indices.shape[indices.rank - 1].fixed, depth <= x.rank,
      updates.element == x.element, updates.shape == Array(indices.shape.dropLast() + x.shape[depth...])
    else {
      throw OpError("its inputs \(x.type), \(indices.type) and \(updates.type) do not fit together")
    }
    let function = try combination(&n)
    let points = try n.countedFromFront(indices, Array(x.shape[..<depth]))
    return try n.scatter(updates, into: x, at: points, function)
  }

  /// How updates meet what is there: nil replaces it.
  private static func combination(_ n: inout Lowering) throws(OpError) -> ScalarFunction? {
    switch try n.string("reduction", default: "none") {
    case "none": return nil
    case "add": return .add
    case "mul": return .multiply
    case "max": return .maximum
    case "min": return .minimum
    case let name: throw OpError("attribute 'reduction' is '\(name)'")
    }
  }

  /// Writes `update` into a cache along an axis, from a position for each batch.
  private static func tensorScatter(_ n: inout Lowering) throws(OpError) -> Value {
    let (cache, update) = (try n.input(0), try n.input(1))
    let axis = try n.axis(try n.int("axis", default: -2), rank: cache.rank)
    let mode = try n.string("mode", default: "linear")
    guard cache.rank == update.rank, axis > 0, mode == "linear" || mode == "circular" else {
      throw OpError("its inputs are \(cache.type) and \(update.type), its mode is '\(mode)'")
    }
    var positions = try n.iota(.i64, update.shape, axis: axis)
    if let starts = n.optional(2) {
      positions = try n.add(positions, n.broadcast(n.convert(starts, .i64), to: update.shape, at: [0]))
    }
    if mode == "circular" {
      positions = try n.map(.remainder, positions, n.scalar(of: cache.shape[axis], .i64))
    }
    let points = try n.points(positions, axis: axis, in: cache)
    return try n.scatter(update, into: cache, at: points, nil)
  }

  /// Turns the first elements of each batch's line around, as many as its length says.
  private static func reverseSequence(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, lengths) = (try n.input(0), try n.input(1))
    let batch = try n.axis(try n.int("batch_axis", default: 1), rank: x.rank)
    let time = try n.axis(try n.int("time_axis", default: 0), rank: x.rank)
    guard batch != time, lengths.rank == 1 else {
      throw OpError("its axes are equal, or its lengths are \(lengths.type)")
    }
    // Batch and time in the order in which they stand in the input; what lies at one of their indices stays together.
    let axes = [batch, time].sorted()
    let (row, column) = batch < time ? (0, 1) : (1, 0)
    let plane = axes.map { x.shape[$0] }
    let length = try n.broadcast(n.convert(lengths, .i64), to: plane, at: [row])
    let step = try n.iota(.i64, plane, axis: column)
    let turned = try n.subtract(n.subtract(length, step), 1)
    let source = try n.select(n.compare(.less, step, length), turned, step)
    var sliceExtents = x.shape
    for axis in axes { sliceExtents[axis] = .one }
    let gather = Gather(
      offsetDims: x.shape.indices.filter { !axes.contains($0) }, collapsedSliceDims: [time],
      operandBatchingDims: [batch], startIndicesBatchingDims: [row], startIndexMap: [time], indexVectorDim: 2,
      sliceExtents: sliceExtents)
    return try n.emit(.gather(gather), [x, source])
  }
}
