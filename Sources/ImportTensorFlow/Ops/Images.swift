import GraphBuilding
import IR

extension Operator {
  /// Images of other extents.
  static let images: [Operator] = [
    Operator(
      "ResizeBilinear",
      one: { (n) throws(OpError) in
        let x = try n.convert(try n.input(0), .f32)
        return try resize(&n, x, n.shapeInput(1, "size"), .linear)
      }),
    Operator(
      "ResizeNearestNeighbor",
      one: { (n) throws(OpError) in try resize(&n, try n.input(0), n.shapeInput(1, "size"), .nearest) }),
    Operator(
      "ResizeBicubic",
      one: { (n) throws(OpError) in
        try resize(&n, n.convert(try n.input(0), .f32), n.shapeInput(1, "size"), .cubic)
      }),
    Operator(
      "AdjustContrastv2",
      one: { (n) throws(OpError) in
        let (x, factor) = (try n.input(0), try n.input(1))
        guard x.rank >= 3 else { throw OpError("it takes images, not \(x.type)") }
        let mean = try n.mean(x, [x.rank - 3, x.rank - 2], keep: true)
        return try n.add(n.multiply(n.subtract(x, mean), factor), mean)
      }),
    Operator("ExtractImagePatches", one: { (n) throws(OpError) in try patches(&n, rank: 4) }),
    Operator("ExtractVolumePatches", one: { (n) throws(OpError) in try patches(&n, rank: 5) }),
  ]

  /// For each position of a window its elements, one behind the other.
  private static func patches(_ n: inout Lowering, rank: Int) throws(OpError) -> Value {
    let x = try n.input(0)
    let extents = try n.ints("ksizes") ?? []
    guard x.rank == rank else { throw OpError("it takes images of rank \(rank), not \(x.type)") }
    guard extents.count == rank, extents.allSatisfy({ $0 > 0 && $0 < 1 << 12 }), extents[0] == 1,
      extents[rank - 1] == 1, extents.reduce(1.0, { $0 * Double($1) }) <= 4096
    else { throw .unsupported("attribute 'ksizes' \(extents)") }
    let zero = n.scalar(.zero(x.element), x.element)
    let parts = try n.windows(over: x, Array(extents.dropFirst().dropLast()), dilations: "rates", padding: zero)
    return try n.concatenate(parts, axis: rank - 1)
  }

  static func resize(
    _ n: inout Lowering, _ x: Value, _ size: [Extent], _ mode: Sampling.Mode
  ) throws(OpError) -> Value {
    guard x.rank == 4 else { throw OpError("it takes images, not \(x.type)") }
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
