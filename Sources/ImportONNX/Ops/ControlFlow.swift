import GraphBuilding
import IR

extension Operator {
  /// Ops with subgraphs.
  static let controlFlow: [Operator] = [
    Operator("If", choose),
    Operator("Loop", loop),
    Operator("Scan", scan),
  ]

  /// A branch, where the condition is constant; otherwise both, which must have results of the same types.
  private static func choose(_ n: inout Lowering) throws(OpError) -> [Value] {
    let condition = try n.input(0)
    guard condition.element.isBoolean, condition.type.elementCount == .one else {
      throw OpError("its condition is \(condition.type), not one boolean")
    }
    let (whenTrue, whenFalse) = (try n.subgraph("then_branch"), try n.subgraph("else_branch"))
    if let literal = n.constantLiteral(of: condition) {
      return try n.inline(literal[0].isTrue ? whenTrue : whenFalse, [])
    }
    let results = try n.branch(
      condition, { (n) throws(OpError) in try n.inline(whenTrue, []) },
      { (n) throws(OpError) in try n.inline(whenFalse, []) })
    if let results { return results }
    guard let literal = try n.literal(of: condition) else {
      throw .unsupported("branches with results of different types")
    }
    return try n.inline(literal[0].isTrue ? whenTrue : whenFalse, [])
  }

  // MARK: Loop

  /// Values carried from step to step, and values of each step put together along a new first dimension. The latter need
  /// a number of steps that is known: a constant limit and no condition that could end the loop before.
  private static func loop(_ n: inout Lowering) throws(OpError) -> [Value] {
    let mark = n.mark
    do { return try rolled(&n) } catch {
      // A body whose shapes change from step to step can only be written out.
      guard error.kind == .unsupported, let results = try unrolled(&n, from: mark) else { throw error }
      return results
    }
  }

  /// The steps of a short loop one after the other; nil where their number is not known.
  private static func unrolled(_ n: inout Lowering, from mark: Lowering.Mark) throws(OpError) -> [Value]? {
    let body = try n.subgraph("body")
    guard let limit = n.optional(0), let count = try n.literal(of: limit)?[0].integerValue, count > 0, count <= 64
    else {
      return nil
    }
    if let start = n.optional(1) { guard try n.literal(of: start)?[0].isTrue ?? false else { return nil } }
    n.reset(to: mark)
    var carried: [Value] = []
    for index in 2..<max(2, n.inputCount) { carried.append(try n.input(index)) }
    guard body.input.count == carried.count + 2, body.output.count >= carried.count + 1 else { return nil }
    var collected: [[Value]] = []
    for step in 0..<Int(count) {
      let holds = n.constant(.scalar(.true, .i1))
      let results = try n.inline(body, [n.known([Extent(step)], .i64, []), holds] + carried)
      carried = Array(results[1...].prefix(carried.count))
      collected.append(Array(results.dropFirst(carried.count + 1)))
      guard let next = n.constantLiteral(of: results[0]) else { throw .unsupported("a condition that is not constant") }
      if !next[0].isTrue { break }
    }
    for index in collected[0].indices {
      var parts: [Value] = []
      for step in collected { parts.append(try n.unsqueeze(step[index], 0)) }
      carried.append(try n.concatenate(parts, axis: 0))
    }
    return carried
  }

  private static func rolled(_ n: inout Lowering) throws(OpError) -> [Value] {
    let body = try n.subgraph("body")
    var carried: [Value] = []
    for index in 2..<max(2, n.inputCount) { carried.append(try n.input(index)) }
    let limit = n.optional(0)
    let start = n.optional(1) ?? n.constant(.scalar(.true, .i1))
    guard body.input.count == carried.count + 2, body.output.count >= carried.count + 1 else {
      throw OpError("its body has \(body.input.count) inputs and \(body.output.count) outputs")
    }
    guard body.output.count > carried.count + 1 else {
      return try carriedLoop(&n, body, limit, start, carried)
    }
    guard let limit, let count = try n.extents(of: limit, "trip count").first else {
      throw .unsupported("scan outputs without a trip count")
    }
    guard let starts = try n.literal(of: start), starts[0].isTrue else {
      throw .unsupported("scan outputs with a condition")
    }
    var goesOn = true
    func step(_ n: inout Lowering, _ index: Value, _ values: [Value]) throws(OpError) -> [Value] {
      let holds = n.constant(.scalar(.true, .i1))
      let results = try n.inline(body, [index, holds] + values)
      goesOn = n.constantLiteral(of: results[0]).map { $0[0].isTrue } ?? false
      return Array(results.dropFirst())
    }
    let results = try n.collecting(count: count, carried, step)
    guard goesOn else { throw .unsupported("scan outputs with a condition") }
    return results
  }

  private static func carriedLoop(
    _ n: inout Lowering, _ body: Onnx_GraphProto, _ limit: Value?, _ start: Value, _ carried: [Value]
  ) throws(OpError) -> [Value] {
    let counter = n.scalar(0, .i64)
    let most = try limit.map { (limit) throws(OpError) in try n.reshape(n.convert(limit, .i64), []) }
    let results = try n.loop(
      [counter, try n.reshape(start, [])] + carried,
      while: { (n, values) throws(OpError) in
        guard let most else { return values[1] }
        return try n.map(.and, values[1], n.compare(.less, values[0], most))
      },
      { (n, values) throws(OpError) in
        let next = try n.inline(body, values)
        let holds = try n.reshape(next[0], [])
        return [try n.add(values[0], 1), holds] + next.dropFirst()
      })
    return Array(results.dropFirst(2))
  }

  // MARK: Scan

  /// States carried along one dimension of the scan inputs, and the values of each step put together.
  private static func scan(_ n: inout Lowering) throws(OpError) -> [Value] {
    if n.version < 9 { return try batchedScan(&n) }
    let body = try n.subgraph("body")
    let count = try n.required(n.int("num_scan_inputs"), "num_scan_inputs")
    let inputs = try n.allInputs()
    guard count > 0, count <= inputs.count, body.input.count == inputs.count,
      body.output.count >= inputs.count - count
    else {
      throw OpError("its body has \(body.input.count) inputs for \(inputs.count)")
    }
    let states = Array(inputs.prefix(inputs.count - count))
    let sources = Array(inputs.suffix(count))
    let outputCount = body.output.count - states.count
    let inputDirections = try n.ints("scan_input_directions") ?? [Int](repeating: 0, count: count)
    let outputDirections = try n.ints("scan_output_directions") ?? [Int](repeating: 0, count: outputCount)
    let givenAxes = try n.ints("scan_input_axes") ?? [Int](repeating: 0, count: count)
    let outputAxes = try n.ints("scan_output_axes") ?? [Int](repeating: 0, count: outputCount)
    guard inputDirections.count == count, givenAxes.count == count, outputDirections.count == outputCount,
      outputAxes.count == outputCount
    else { throw OpError("its attributes do not have a number for each scan input and output") }
    var axes: [Int] = []
    for (axis, source) in zip(givenAxes, sources) { axes.append(try n.axis(axis, rank: source.rank)) }
    let extent = sources[0].shape[axes[0]]
    for (axis, source) in zip(axes, sources) where source.shape[axis] != extent {
      throw OpError("its scan inputs \(sources[0].type) and \(source.type) have different lengths")
    }
    let last = try n.scalar(of: extent - 1, .i64)
    let results = try n.collecting(count: extent, states) { (n, step, values) throws(OpError) in
      var parts: [Value] = []
      for (index, source) in sources.enumerated() {
        let position = inputDirections[index] == 0 ? step : try n.subtract(last, step)
        parts.append(try n.element(of: source, at: position, axis: axes[index]))
      }
      return try n.inline(body, values + parts)
    }
    var outputs = Array(results.prefix(states.count))
    for (index, value) in results.dropFirst(states.count).enumerated() {
      var value = value
      if outputDirections[index] != 0 { value = try n.reverse(value, [0]) }
      let axis = try n.axis(outputAxes[index], rank: value.rank)
      var order = Array(1..<value.rank)
      order.insert(0, at: axis)
      outputs.append(try n.transpose(value, order))
    }
    return outputs
  }

  /// The form of opset 8: one scan for each element of a batch, over dimension 1, to the length that the first input gives for it.
  /// Behind that length scan outputs are zero.
  private static func batchedScan(_ n: inout Lowering) throws(OpError) -> [Value] {
    let body = try n.subgraph("body")
    let count = try n.required(n.int("num_scan_inputs"), "num_scan_inputs")
    let lengths = try n.optional(0).map { (lengths) throws(OpError) in try n.convert(lengths, .i64) }
    var inputs: [Value] = []
    for index in 1..<max(1, n.inputCount) { inputs.append(try n.input(index)) }
    guard count > 0, count <= inputs.count, body.input.count == inputs.count, body.output.count >= inputs.count - count
    else { throw OpError("its body has \(body.input.count) inputs for \(inputs.count)") }
    let (states, sources) = (Array(inputs.prefix(inputs.count - count)), Array(inputs.suffix(count)))
    let directions = try n.ints("directions") ?? [Int](repeating: 0, count: count)
    guard directions.count == count, sources.allSatisfy({ $0.rank >= 2 }), states.allSatisfy({ $0.rank >= 1 }),
      lengths?.rank ?? 1 == 1
    else {
      throw OpError("its \(directions.count) directions or its inputs do not fit \(count) scan inputs")
    }
    let (batch, extent) = (sources[0].shape[0], sources[0].shape[1])
    let rows = states.map { [$0.shape[0]] } + sources.map { Array($0.shape[..<2]) } + (lengths.map { [$0.shape] } ?? [])
    for (own, wanted) in rows.flatMap({ zip($0, [batch, extent]) }) where own != wanted {
      guard own.isFixed, wanted.isFixed else { throw n.inequality(own, wanted) }
      throw OpError("its inputs have different batches or lengths, \(own) and \(wanted)")
    }
    let whole = try n.scalar(of: extent, .i64)
    return try n.collecting(count: batch, []) { (n, row, _) throws(OpError) in
      func own(_ x: Value) throws(OpError) -> Value { try n.element(of: x, at: row, axis: 0) }
      var (starts, lines): ([Value], [Value]) = ([], [])
      for state in states { starts.append(try own(state)) }
      for source in sources { lines.append(try own(source)) }
      let length = try lengths.map { (lengths) throws(OpError) in try own(lengths) } ?? whole
      return try n.collecting(count: extent, starts) { (n, step, values) throws(OpError) in
        let turned = try n.subtract(n.subtract(length, 1), step)
        var parts: [Value] = []
        for (line, direction) in zip(lines, directions) {
          parts.append(try n.element(of: line, at: direction == 0 ? step : turned, axis: 0))
        }
        let results = try n.inline(body, values + parts)
        if lengths == nil { return results }
        let isInside = try n.compare(.less, step, length)
        var kept: [Value] = []
        for (index, result) in results.enumerated() {
          let old = index < values.count ? values[index] : try n.splat(0, like: result)
          kept.append(try n.select(isInside, result, old))
        }
        return kept
      }
    }
  }
}

extension Lowering {
  /// Repeats `body` `count` times. It returns the carried values, then values that are put together along a new first
  /// dimension.
  mutating func collecting(
    count: Extent, _ carried: [Value], _ body: (inout Lowering, Value, [Value]) throws(OpError) -> [Value]
  ) throws(OpError) -> [Value] {
    let types = try types([.scalar(.i64)] + carried.map(\.type)) { (n, values) throws(OpError) in
      try body(&n, values[0], Array(values.dropFirst()))
    }
    guard types.count >= carried.count else { throw OpError("its body has \(types.count) results") }
    var buffers: [Value] = []
    for type in types.dropFirst(carried.count) {
      buffers.append(try splat(0, type.elementType, [arithmetic.maximum(.zero, count)] + type.dimensions))
    }
    let limit = try scalar(of: count, .i64)
    return try loop(count: limit, carried + buffers) { (n, step, values) throws(OpError) in
      let results = try body(&n, step, Array(values.prefix(carried.count)))
      var next = Array(results.prefix(carried.count))
      for (buffer, part) in zip(values.dropFirst(carried.count), results.dropFirst(carried.count)) {
        next.append(try n.replacing(buffer, at: step, axis: 0, with: part))
      }
      return next
    }
  }
}
