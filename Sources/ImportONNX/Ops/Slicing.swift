import GraphBuilding
import IR

extension Operator {
  /// Ops that take parts of tensors and put parts together.
  static let slicing: [Operator] = [
    Operator("Concat", one: concat),
    Operator("Split", split),
    Operator("Slice", one: slice),
    Operator("Tile", one: tile),
    Operator("Pad", one: pad),
    Operator("Trilu", one: trilu),
    Operator("CenterCropPad", one: centerCropPad),
  ]

  private static func concat(_ n: inout Lowering) throws(OpError) -> Value {
    let inputs = try n.allInputs()
    guard let first = inputs.first, first.rank > 0 else { throw OpError("it needs inputs with dimensions") }
    let given = try n.required(try n.int("axis") ?? (n.version < 4 ? 1 : nil), "axis")
    let axis = try n.axis(given, rank: first.rank)
    for input in inputs {
      guard input.element == first.element, input.rank == first.rank else {
        throw OpError("its inputs \(first.type) and \(input.type) do not fit together")
      }
      for d in 0..<first.rank where d != axis && input.shape[d] != first.shape[d] {
        let types = "\(first.type.detailedDescription) and \(input.type.detailedDescription)"
        guard input.shape[d].isFixed, first.shape[d].isFixed else {
          throw n.inequality(first.shape[d], input.shape[d], ", where \(types) meet")
        }
        throw OpError("its inputs \(types) differ in dimension \(d)")
      }
    }
    if axis == 0, first.rank == 1, let known = concatenated(&n, inputs) { return known }
    let parts = inputs.filter { $0.shape[axis] != .zero }
    return parts.isEmpty ? first : try n.concatenate(parts, axis: axis)
  }

  private static func concatenated(_ n: inout Lowering, _ inputs: [Value]) -> Value? {
    var content: [Extent] = []
    for input in inputs {
      guard let part = n.content(of: input) else { return nil }
      content.append(contentsOf: part)
    }
    guard content.count <= Lowering.contentLimit else { return nil }
    return n.known(content, inputs[0].element, [content.count])
  }

  /// Extents are an attribute before opset 13, then an input; without them the parts are equal but for the last.
  private static func split(_ n: inout Lowering) throws(OpError) -> [Value] {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    var extents: [Extent]?
    if n.version < 13 {
      extents = try n.ints("split")?.map { Extent($0) }
    } else if let input = n.optional(1) {
      extents = try n.extents(of: input, "split")
    }
    let count = try n.int("num_outputs") ?? n.outputCount
    let whole = x.shape[axis]
    let parts: [Extent]
    if let extents {
      parts = extents
    } else {
      guard count > 0, count < 1 << 20 else { throw OpError("it has \(count) outputs") }
      let chunk = (whole + (count - 1)).floorDivided(by: Extent(count))
      parts = Array(repeating: chunk, count: count - 1) + [whole - chunk * (count - 1)]
    }
    guard parts.reduce(.zero, +) == whole, parts.allSatisfy({ $0.fixed.map { $0 >= 0 } ?? true }) else {
      throw OpError("its parts \(parts) do not make up the \(whole) of dimension \(axis)")
    }
    var results: [Value] = []
    var start = Extent.zero
    for part in parts {
      results.append(try n.part(x, axis, start, start + part))
      start += part
    }
    return results
  }

  /// Starts, ends and axes are attributes before opset 10, then inputs, with steps.
  private static func slice(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var starts: [Extent]
    let ends: [Extent]
    var axes = Array(0..<x.rank)
    var steps: [Int]?
    if n.version < 10 {
      starts = try n.required(n.ints("starts"), "starts").map { Extent($0) }
      ends = try n.required(n.ints("ends"), "ends").map { Extent($0) }
      axes = try n.ints("axes") ?? Array(starts.indices)
    } else {
      starts = try n.extents(of: try n.input(1), "starts")
      ends = try n.extents(of: try n.input(2), "ends")
      axes = Array(starts.indices)
      if let input = n.optional(3) { axes = try n.integers(of: input, "axes") }
      if let input = n.optional(4) { steps = try n.integers(of: input, "steps") }
    }
    axes = try n.axes(axes, rank: x.rank)
    guard starts.count == axes.count, ends.count == axes.count, steps.map({ $0.count == axes.count }) ?? true else {
      throw OpError("its starts, ends, axes and steps differ in number")
    }
    var result = x
    for (index, axis) in axes.enumerated() {
      let step = steps?[index] ?? 1
      guard step != 0, step != .min else { throw OpError("its step is \(step)") }
      result = try n.slice(result, axis, from: starts[index], to: ends[index], step: step)
    }
    return result
  }

  private static func tile(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var repeats: [Extent]
    if n.version < 6 {
      repeats = [Extent](repeating: .one, count: x.rank)
      let count = try n.integers(of: try n.input(1), "tiles")
      let axis = try n.axis(try n.integers(of: try n.input(2), "axis").first ?? 0, rank: x.rank)
      repeats[axis] = Extent(count.first ?? 1)
    } else {
      repeats = try n.shapeInput(1, "repeats")
    }
    return try n.tile(x, repeats)
  }

  /// Keeps the triangle above or below diagonal `k`, in the last two dimensions.
  private static func trilu(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let isUpper = try n.flag("upper", default: true)
    guard x.rank >= 2 else { throw OpError("its input has \(x.rank) dimensions") }
    let matrix = Array(x.shape.suffix(2))
    var row = try n.iota(.i64, matrix, axis: 0)
    if let diagonal = n.optional(1) { row = try n.add(row, n.reshape(diagonal, [])) }
    let column = try n.iota(.i64, matrix, axis: 1)
    let isKept = try n.compare(isUpper ? .lessOrEqual : .greaterOrEqual, row, column)
    return try n.select(isKept, x, 0)
  }

  /// Cuts or pads dimensions around their middles to the extents of `shape`.
  private static func centerCropPad(_ n: inout Lowering) throws(OpError) -> Value {
    var x = try n.input(0)
    let target = try n.integers(of: try n.input(1), "shape")
    let axes = try n.axes(try n.ints("axes") ?? Array(0..<x.rank), rank: x.rank)
    guard axes.count == target.count else {
      throw OpError("its shape has \(target.count) extents for \(axes.count) axes")
    }
    for (axis, extent) in zip(axes, target) {
      guard let current = x.shape[axis].fixed else { throw .unsupported("a dimension of extent \(x.shape[axis])") }
      guard extent >= 0, extent <= elementCountLimit else { throw OpError("its shape has the extent \(extent)") }
      if extent < current {
        let start = (current - extent) / 2
        x = try n.part(x, axis, Extent(start), Extent(start + extent))
      } else if extent > current {
        let low = (extent - current) / 2
        x = try n.pad(x, axis: axis, n.scalar(0, x.element), low: Extent(low), high: Extent(extent - current - low))
      }
    }
    return x
  }

  // MARK: Pad

  private static func pad(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let mode = try n.string("mode", default: "constant")
    var pads: [Extent]
    var axes = Array(0..<x.rank)
    var value = n.scalar(0, x.element)
    if n.version < 11 {
      pads = try n.required(n.ints(n.version < 2 ? "paddings" : "pads"), "pads").map { Extent($0) }
      value = n.scalar(try n.float("value", default: 0), x.element)
    } else {
      pads = try n.extents(of: try n.input(1), "pads")
      if let input = n.optional(2) {
        guard input.element == x.element else { throw OpError("it pads \(x.type) with \(input.type)") }
        value = try n.reshape(input, [])
      }
      if let input = n.optional(3) { axes = try n.axes(try n.integers(of: input, "axes"), rank: x.rank) }
    }
    guard pads.count == 2 * axes.count else { throw OpError("it has \(pads.count) pads for \(axes.count) dimensions") }
    for pad in pads {
      if let fixed = pad.fixed, fixed.magnitude > elementCountLimit { throw OpError("it pads by \(fixed)") }
    }
    var result = x
    // Negative pads cut off; what is left is padded.
    for (index, axis) in axes.enumerated() {
      let low = pads[index].fixed.map { max(0, -$0) } ?? 0
      let high = pads[index + axes.count].fixed.map { max(0, -$0) } ?? 0
      guard low > 0 || high > 0 else { continue }
      if let extent = result.shape[axis].fixed, extent < low + high {
        throw OpError("it cuts \(low) and \(high) off \(x.type)")
      }
      result = try n.slice(result, axis: axis, Extent(low), result.shape[axis] - high)
    }
    if mode == "constant" {
      var low = [Extent](repeating: .zero, count: x.rank)
      var high = low
      for (index, axis) in axes.enumerated() {
        low[axis] = n.arithmetic.maximum(.zero, pads[index])
        high[axis] = n.arithmetic.maximum(.zero, pads[index + axes.count])
      }
      return try n.pad(result, value, low: low, high: high)
    }
    for (index, axis) in axes.enumerated() {
      guard let low = pads[index].fixed, let high = pads[index + axes.count].fixed else {
        throw .unsupported("mode \(mode) with pads that are symbols")
      }
      result = try n.extended(result, axis, low: max(0, low), high: max(0, high), mode: mode)
    }
    return result
  }
}
