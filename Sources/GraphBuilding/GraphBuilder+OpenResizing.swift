import IR

/// Interpolation along dimensions whose extents are open: positions and weights are computed when the program runs.
extension GraphBuilder {
  mutating func interpolated(
    _ x: Value, _ axis: Int, size: Extent?, scale: Double?, _ sampling: Sampling
  ) throws(OpError) -> Value {
    let old = x.shape[axis]
    let count = scale.flatMap { Int(exactly: $0) }
    guard !sampling.isAntialiased, let new = size ?? count.map({ old * $0 }), scale == nil || size == nil else {
      throw .unsupported("an interpolation of the extent \(old)")
    }
    let place = try originals(of: new, from: old, sampling)
    let last = try scalar(of: old - 1, .f32)
    if sampling.mode == .nearest { return try elements(of: x, axis, at: try nearest(place, sampling), last) }
    let floor = try map(.floor, place)
    var share = try subtract(place, floor)
    if let steps = sampling.resolution { share = try divide(map(.roundNearestEven, multiply(share, steps)), steps) }
    var taps: [(position: Value, weight: Value)] = []
    for offset in sampling.mode == .linear ? [0, 1] : [-1, 0, 1, 2] {
      let position = try add(floor, Double(offset))
      var weight = try kernel(map(.abs, subtract(Double(offset), share)), sampling)
      if sampling.excludesOutside {
        let isInside = try map(.and, compare(.greaterOrEqual, position, 0), compare(.lessOrEqual, position, last))
        weight = try select(isInside, weight, 0)
      }
      taps.append((position, weight))
    }
    if sampling.excludesOutside {
      var sum = taps[0].weight
      for tap in taps.dropFirst() { sum = try add(sum, tap.weight) }
      for index in taps.indices { taps[index].weight = try divide(taps[index].weight, sum) }
    }
    var result: Value?
    for tap in taps {
      let part = try elements(of: x, axis, at: tap.position, last)
      let weighted = try multiply(part, broadcast(convert(tap.weight, x.element), to: part.shape, at: [axis]))
      result = try result.map { (sum) throws(OpError) in try add(sum, weighted) } ?? weighted
    }
    guard let result else { throw OpError("it has no neighbours") }
    return result
  }

  /// Where new positions lie among old ones; f32.
  private mutating func originals(of new: Extent, from old: Extent, _ sampling: Sampling) throws(OpError) -> Value {
    let (from, to) = (try scalar(of: old, .f32), try scalar(of: new, .f32))
    let place = try iota(.f32, [new], axis: 0)
    let step = try divide(from, to)
    switch sampling.coordinates {
    case "half_pixel", "half_pixel_symmetric": return try subtract(multiply(add(place, 0.5), step), 0.5)
    case "pytorch_half_pixel":
      let usual = try subtract(multiply(add(place, 0.5), step), 0.5)
      return try select(compare(.equal, to, 1), splat(-0.5, like: usual), usual)
    case "align_corners": return try multiply(place, divide(subtract(from, 1), maximum(subtract(to, 1), 1)))
    case "asymmetric": return try multiply(place, step)
    case "tf_half_pixel_for_nn": return try multiply(add(place, 0.5), step)
    default: throw .unsupported("coordinates '\(sampling.coordinates)' of the extent \(old)")
    }
  }

  private mutating func nearest(_ place: Value, _ sampling: Sampling) throws(OpError) -> Value {
    switch sampling.nearest {
    case "round_prefer_floor": return try map(.ceil, subtract(place, 0.5))
    case "round_prefer_ceil": return try map(.floor, add(place, 0.5))
    case "floor": return try map(.floor, place)
    case "ceil": return try map(.ceil, place)
    default: throw .unsupported("rounding '\(sampling.nearest)' of open extents")
    }
  }

  /// The parts of `x` at whole positions, limited to `last`.
  private mutating func elements(
    of x: Value, _ axis: Int, at position: Value, _ last: Value
  ) throws(OpError) -> Value {
    try take(x, convert(map(.minimum, maximum(position, 0), last), .i32), axis: axis)
  }

  /// The weight at a distance: a triangle, or Keys' cubic.
  private mutating func kernel(_ t: Value, _ sampling: Sampling) throws(OpError) -> Value {
    if sampling.mode == .linear { return try maximum(subtract(1, t), 0) }
    let a = sampling.cubic
    let square = try multiply(t, t)
    let near = try add(multiply(subtract(multiply(t, a + 2), a + 3), square), 1)
    let far = try subtract(multiply(add(multiply(subtract(multiply(t, a), 5 * a), t), 8 * a), t), 4 * a)
    let outer = try select(compare(.less, t, 2), far, 0)
    return try select(compare(.lessOrEqual, t, 1), near, outer)
  }
}
