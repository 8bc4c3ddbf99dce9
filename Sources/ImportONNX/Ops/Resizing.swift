import Foundation
import GraphBuilding
import IR

extension Operator {
  /// Interpolation along dimensions, one after the other.
  static let resizing: [Operator] = [
    Operator("Resize", one: resize),
    Operator("Upsample", one: upsample),
  ]

  private static func upsample(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let scales: [Double]
    if n.version < 9 {
      scales = try n.required(n.floats("scales"), "scales")
    } else {
      scales = try n.numbers(of: try n.input(1), "scales")
    }
    var sampling = Sampling(coordinates: "asymmetric", nearest: "floor")
    sampling.mode = try mode(&n)
    return try resized(&n, x, scales: scales, sizes: nil, axes: Array(0..<x.rank), sampling, roi: [])
  }

  private static func mode(_ n: inout Lowering) throws(OpError) -> Sampling.Mode {
    switch try n.string("mode", default: "nearest") {
    case "nearest": return .nearest
    case "linear", "bilinear": return .linear
    case "cubic": return .cubic
    case let name: throw OpError("attribute 'mode' is '\(name)'")
    }
  }

  private static func resize(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var sampling = Sampling(coordinates: "asymmetric", nearest: "floor")
    sampling.mode = try mode(&n)
    guard n.version >= 11 else {
      sampling.nearest = "simple"
      let scales = try n.numbers(of: try n.input(1), "scales")
      return try resized(&n, x, scales: scales, sizes: nil, axes: Array(0..<x.rank), sampling, roi: [])
    }
    sampling.coordinates = try n.string("coordinate_transformation_mode", default: "half_pixel")
    sampling.nearest = try n.string("nearest_mode", default: "round_prefer_floor")
    sampling.cubic = try n.float("cubic_coeff_a", default: -0.75)
    sampling.excludesOutside = try n.flag("exclude_outside")
    sampling.extrapolation = try n.float("extrapolation_value", default: 0)
    sampling.isAntialiased = try n.flag("antialias") && sampling.mode != .nearest
    let policy = try n.string("keep_aspect_ratio_policy", default: "stretch")
    let axes = try n.axes(try n.ints("axes") ?? Array(0..<x.rank), rank: x.rank)
    var roi: [Double] = []
    n.ignore(input: 1)
    if sampling.coordinates == "tf_crop_and_resize" {
      roi = try n.numbers(of: try n.input(1), "region")
      guard roi.count == 2 * axes.count else { throw OpError("its region has \(roi.count) numbers") }
    }
    var scales: [Double]?
    if let input = n.optional(2), input.type.elementCount != .zero { scales = try n.numbers(of: input, "scales") }
    var sizes: [Extent]?
    if scales == nil { sizes = try n.shapeInput(3, "sizes") }
    if var fixed = sizes?.compactMap(\.fixed), policy != "stretch" {
      let extents = axes.compactMap { x.shape[$0].fixed }
      guard fixed.count == axes.count, extents.count == axes.count, extents.allSatisfy({ $0 > 0 }) else {
        throw .unsupported("keep_aspect_ratio_policy over symbols")
      }
      let ratios = zip(fixed, extents).map { Double($0) / Double($1) }
      guard policy == "not_larger" || policy == "not_smaller",
        let ratio = policy == "not_larger" ? ratios.min() : ratios.max()
      else { throw OpError("attribute 'keep_aspect_ratio_policy' is '\(policy)'") }
      fixed = extents.map { Int(ratio * Double($0) + 0.5) }
      sizes = fixed.map { Extent($0) }
      scales = axes.map { _ in ratio }
    }
    return try resized(&n, x, scales: scales, sizes: sizes, axes: axes, sampling, roi: roi)
  }

  private static func resized(
    _ n: inout Lowering, _ x: Value, scales: [Double]?, sizes: [Extent]?, axes: [Int], _ sampling: Sampling,
    roi: [Double]
  ) throws(OpError) -> Value {
    guard scales.map({ $0.count == axes.count && $0.allSatisfy { $0 > 0 && $0 < 1e9 } }) ?? true,
      sizes.map({ $0.count == axes.count }) ?? true
    else {
      throw OpError("its scales or sizes do not fit \(axes.count) dimensions")
    }
    // Interpolation of integers and narrow floats is rounded once.
    let isExact = sampling.mode == .nearest || x.element == .f32 || x.element == .f64
    var result = isExact ? x : try n.convert(x, .f32)
    for (index, axis) in axes.enumerated() {
      let region = roi.isEmpty ? nil : (roi[index], roi[index + axes.count])
      let scale = scales?[index]
      if let size = sizes?[index], size == x.shape[axis], scale ?? 1 == 1, region.map({ $0 == (0, 1) }) ?? true {
        continue
      }
      if sizes == nil, scale == 1, region.map({ $0 == (0, 1) }) ?? true { continue }
      result = try n.resized(result, axis, size: sizes?[index], scale: scale, sampling, region)
    }
    if isExact { return result }
    return try n.convert(x.element.isInteger ? n.saturated(result, x.element) : result, x.element)
  }
}
