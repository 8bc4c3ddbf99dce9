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
  ]

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
    var result = x
    for (axis, extent) in zip([1, 2], size) where result.shape[axis] != extent {
      result = try n.resized(result, axis, size: extent, scale: nil, sampling, nil)
    }
    return result
  }
}
