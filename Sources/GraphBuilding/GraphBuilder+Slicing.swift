package import IR

/// Parts of dimensions, and dimensions continued.
extension GraphBuilder {
  /// A part of one dimension; of known integers, the known part.
  package mutating func part(_ x: Value, _ axis: Int, _ start: Extent, _ limit: Extent, step: Int = 1) throws(OpError)
    -> Value
  {
    if x.rank == 1, let content = content(of: x), let from = start.fixed, let to = limit.fixed {
      let kept = stride(from: from, to: max(from, to), by: step).map { content[$0] }
      return known(kept, x.element, [kept.count])
    }
    return try slice(x, axis: axis, start, limit, step: step)
  }

  /// Python's `x[start:end:step]` along an axis: negative positions count from the end, all are limited to the dimension.
  /// Backwards, ONNX begins at the first element where Python begins before it: `leastStart` is 0 or -1.
  package mutating func slice(
    _ x: Value, _ axis: Int, from start: Extent, to end: Extent, step: Int, leastStart: Int = 0
  ) throws(OpError) -> Value {
    let extent = x.shape[axis]
    if step > 0 {
      let first = try position(start, in: extent, least: 0, beyond: 0, isStart: true)
      let last = try position(end, in: extent, least: 0, beyond: 0, isStart: false)
      return try part(x, axis, first, later(first, last), step: step)
    }
    // Position p of x is position extent - 1 - p of its reverse.
    let first = extent - 1 - (try position(start, in: extent, least: leastStart, beyond: -1, isStart: true))
    let last = extent - 1 - (try position(end, in: extent, least: -1, beyond: -1, isStart: false))
    let limit = later(first, last)
    let reversed: Value
    if x.rank == 1, let content = content(of: x) {
      reversed = known(content.reversed(), x.element, [content.count])
    } else {
      reversed = try reverse(x, [axis])
    }
    return try part(reversed, axis, first, limit, step: -step)
  }

  /// The larger of two positions.
  private func later(_ first: Extent, _ last: Extent) -> Extent { arithmetic.maximum(first, last) }

  /// A position limited to `least ... extent + beyond`, counted from the end where it is negative.
  private mutating func position(
    _ position: Extent, in extent: Extent, least: Int, beyond: Int, isStart: Bool
  ) throws(OpError) -> Extent {
    let farthest = extent + beyond
    if let value = position.fixed {
      // Whatever lies beyond 31 bits stands for the end.
      if value >= 1 << 31 - 1 { return farthest }
      if value <= -(1 << 31) { return Extent(least) }
      if let fixed = extent.fixed { return Extent(min(max(value < 0 ? value + fixed : value, least), fixed + beyond)) }
      if value < 0 {
        arithmetic.require(extent, atLeast: -value)
        return extent + value
      }
      if isStart { arithmetic.require(extent, atLeast: value) }
      if arithmetic.isNonNegative(farthest - value) { return position }
    } else if !arithmetic.isNonNegative(position) {
      // Such as `seq - 1`, or `-seq`.
      if arithmetic.isNonNegative(-position), arithmetic.isNonNegative(extent + position) { return extent + position }
      arithmetic.require(position - position.constant, atLeast: -position.constant)
      guard arithmetic.isNonNegative(position) else { throw .unsupported("the position \(position)") }
    }
    if arithmetic.isNonNegative(farthest - position) { return position }
    return arithmetic.minimum(position, farthest)
  }

  /// `x` continued along an axis: `reflect` without its border, `edge` with the border, `wrap` from the other side.
  package mutating func extended(_ x: Value, _ axis: Int, low: Int, high: Int, mode: String) throws(OpError) -> Value {
    if low == 0, high == 0 { return x }
    let extent = x.shape[axis]
    guard extent != .zero else { throw OpError("it continues the empty dimension \(axis) of \(x.type)") }
    var parts: [Value] = []
    switch mode {
    case "edge":
      func repeated(_ position: Extent, _ count: Int) throws(OpError) -> Value {
        var shape = x.shape
        shape[axis] = Extent(count)
        return try broadcast(slice(x, axis: axis, position, position + 1), to: shape)
      }
      if low > 0 { parts.append(try repeated(.zero, low)) }
      parts.append(x)
      if high > 0 { parts.append(try repeated(extent - 1, high)) }
    case "reflect", "wrap":
      let reach = mode == "reflect" ? 1 : 0
      if let fixed = extent.fixed, max(low, high) > fixed - reach {
        let positions = (-low..<fixed + high).map { Self.continued($0, fixed, isReflected: reach == 1) }
        return try take(x, vector(positions), axis: axis)
      }
      arithmetic.require(extent, atLeast: max(low, high) + reach)
      let left = Extent(low)
      let right = Extent(high)
      if reach == 1 {
        if low > 0 { parts.append(try reverse(slice(x, axis: axis, 1, left + 1), [axis])) }
        parts.append(x)
        if high > 0 { parts.append(try reverse(slice(x, axis: axis, extent - 1 - right, extent - 1), [axis])) }
      } else {
        if low > 0 { parts.append(try slice(x, axis: axis, extent - left, extent)) }
        parts.append(x)
        if high > 0 { parts.append(try slice(x, axis: axis, 0, right)) }
      }
    default: throw OpError("attribute 'mode' is '\(mode)'")
    }
    return try concatenate(parts, axis: axis)
  }

  /// The position inside of `extent` that stands at `position` of the continued dimension.
  private static func continued(_ position: Int, _ extent: Int, isReflected: Bool) -> Int {
    if extent == 1 { return 0 }
    let period = isReflected ? 2 * (extent - 1) : extent
    let rest = ((position % period) + period) % period
    return rest < extent ? rest : period - rest
  }
}
