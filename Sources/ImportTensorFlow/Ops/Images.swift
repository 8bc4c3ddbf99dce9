import GraphBuilding
import IR

extension Operator {
  /// Images of other extents.
  static let images: [Operator] = [
    Operator(
      "ResizeBilinear",
      one: { (n) throws(OpError) in
        let x = try n.convert(try n.input(0), .f32)
        return try resize(&n, x, .linear)
      }),
    Operator("ResizeNearestNeighbor", one: { (n) throws(OpError) in try resize(&n, try n.input(0), .nearest) }),
    Operator("ResizeBicubic", one: { (n) throws(OpError) in try resize(&n, n.convert(try n.input(0), .f32), .cubic) }),
    Operator(
      "AdjustContrastv2",
      one: { (n) throws(OpError) in
        let (x, factor) = (try n.input(0), try n.input(1))
        guard x.rank >= 3 else { throw OpError("it takes images, not \(x.type)") }
        let mean = try n.mean(x, [x.rank - 3, x.rank - 2], keep: true)
        return try n.add(n.multiply(n.subtract(x, mean), factor), mean)
      }),
    Operator("ExtractImagePatches", one: patches),
  ]

  /// For each position of a window its elements, one behind the other.
  private static func patches(_ n: inout Lowering) throws(OpError) -> Value {
    var x = try n.input(0)
    guard x.rank == 4 else { throw OpError("it takes images, not \(x.type)") }
    let layout = try ImageLayout("NHWC", rank: 4)
    let extents = try n.ints("ksizes") ?? []
    guard extents.count == 4, extents.allSatisfy({ $0 > 0 && $0 < 1 << 12 }), extents[0] == 1, extents[3] == 1,
      extents[1] * extents[2] <= 1 << 12
    else {
      throw .unsupported("attribute 'ksizes' \(extents)")
    }
    let (window, low, high) = try n.window(over: x.type, layout, [extents[1], extents[2]], dilations: "rates")
    x = try n.pad(x, n.scalar(.zero(x.element), x.element), low: low, high: high)
    for (axis, dimension) in zip([1, 2], window) {
      x = try n.pad(
        x, axis: axis, n.scalar(.zero(x.element), x.element), low: Extent(dimension.paddingLow),
        high: Extent(dimension.paddingHigh))
    }
    var parts: [Value] = []
    for place in allIndices([extents[1], extents[2]]) {
      var part = x
      for (axis, dimension) in zip([1, 2], window) {
        let start = Extent(place[axis - 1] * dimension.windowDilation)
        let reach = (extents[axis] - 1) * dimension.windowDilation
        part = try n.slice(part, axis: axis, start, start + x.shape[axis] - reach, step: dimension.stride)
      }
      parts.append(part)
    }
    return try n.concatenate(parts, axis: 3)
  }

  private static func resize(_ n: inout Lowering, _ x: Value, _ mode: Sampling.Mode) throws(OpError) -> Value {
    guard x.rank == 4 else { throw OpError("it takes images, not \(x.type)") }
    let size = try n.shapeInput(1, "size")
    guard size.count == 2 else { throw OpError("its size is \(size)") }
    let alignsCorners = try n.flag("align_corners")
    let hasHalfPixels = try n.flag("half_pixel_centers")
    var sampling: Sampling
    if alignsCorners {
      sampling = Sampling(coordinates: "align_corners", nearest: "round_prefer_ceil")
    } else if hasHalfPixels {
      sampling = Sampling(coordinates: mode == .nearest ? "tf_half_pixel_for_nn" : "half_pixel", nearest: "floor")
    } else {
      sampling = Sampling(coordinates: "asymmetric", nearest: "floor")
    }
    sampling.mode = mode
    // Keys' kernel of half pixels has another coefficient, and weights outside of the image count for nothing.
    if mode == .cubic {
      sampling.resolution = 1024
      if hasHalfPixels { (sampling.cubic, sampling.excludesOutside) = (-0.5, true) }
    }
    var result = x
    for (axis, extent) in zip([1, 2], size) where result.shape[axis] != extent {
      result = try n.resized(result, axis, size: extent, scale: nil, sampling, nil)
    }
    return result
  }
}
