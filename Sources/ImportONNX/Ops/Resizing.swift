import Foundation
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

/// How new positions are found among old ones, and how elements around them are weighted.
struct Sampling {
  enum Mode { case nearest, linear, cubic }
  var mode = Mode.nearest
  var coordinates: String
  var nearest: String
  var cubic = -0.75
  var excludesOutside = false
  var isAntialiased = false
  var extrapolation = 0.0

  init(coordinates: String, nearest: String) {
    self.coordinates = coordinates
    self.nearest = nearest
  }

  /// For each new position the old ones it is made of, with their weights; no positions where the value is extrapolated.
  func taps(
    from old: Int, to new: Int, scale: Double, _ region: (Double, Double)?
  ) throws(OpError) -> [[(position: Int, weight: Double)]] {
    var taps: [[(position: Int, weight: Double)]] = []
    for y in 0..<new {
      let x = try original(Double(y), old, new, scale, region)
      if coordinates == "tf_crop_and_resize", x < 0 || x > Double(old - 1) {
        taps.append([])
      } else {
        taps.append(try weighted(x, old, scale))
      }
    }
    return taps
  }

  private func original(
    _ y: Double, _ old: Int, _ new: Int, _ scale: Double, _ region: (Double, Double)?
  ) throws(OpError) -> Double {
    // The exact length need not be a whole number.
    let length = scale * Double(old)
    switch coordinates {
    case "half_pixel": return (y + 0.5) / scale - 0.5
    case "half_pixel_symmetric":
      return Double(old) / 2 * (1 - Double(new) / length) + (y + 0.5) / scale - 0.5
    case "pytorch_half_pixel": return new == 1 ? -0.5 : (y + 0.5) / scale - 0.5
    case "align_corners": return length == 1 ? 0 : y * Double(old - 1) / (length - 1)
    case "asymmetric": return y / scale
    case "tf_half_pixel_for_nn": return (y + 0.5) / scale
    case "tf_crop_and_resize":
      guard let (start, end) = region else { throw OpError("its region is missing") }
      let reach = (end - start) * Double(old - 1)
      return start * Double(old - 1) + (length == 1 ? reach / 2 : y * reach / (length - 1))
    default: throw OpError("attribute 'coordinate_transformation_mode' is '\(coordinates)'")
    }
  }

  private func weighted(_ x: Double, _ old: Int, _ scale: Double) throws(OpError) -> [(position: Int, weight: Double)] {
    let floor = x.rounded(.down)
    let rest = x - floor
    let base = Int(floor)
    func limited(_ position: Int) -> Int { min(max(position, 0), old - 1) }
    if mode == .nearest { return [(limited(base + (try step(rest, scale))), 1)] }
    // At a whole position the window begins one earlier, with the position as its right neighbour.
    let ratio = rest == 0 ? 1 : rest
    let anchor = rest == 0 ? base - 1 : base
    let narrowing = isAntialiased ? min(scale, 1) : 1
    let reach = Int(((mode == .linear ? 1 : 2) / narrowing).rounded(.up))
    var taps = (1 - reach..<reach + 1).map { offset in
      (position: anchor + offset, weight: kernel((Double(offset) - ratio) * narrowing))
    }
    if excludesOutside { taps = taps.map { (0..<old).contains($0.position) ? $0 : ($0.position, 0) } }
    let sum = taps.reduce(0) { $0 + $1.weight }
    let divisor = (excludesOutside || isAntialiased) && sum != 0 ? sum : 1
    return taps.map { (limited($0.position), $0.weight / divisor) }
  }

  /// 0 for the left neighbour, 1 for the right one.
  private func step(_ rest: Double, _ scale: Double) throws(OpError) -> Int {
    if rest == 0 { return 0 }
    switch nearest {
    case "round_prefer_floor": return rest <= 0.5 ? 0 : 1
    case "round_prefer_ceil": return rest < 0.5 ? 0 : 1
    case "floor": return 0
    case "ceil": return 1
    case "simple": return scale < 1 ? 1 : 0
    default: throw OpError("attribute 'nearest_mode' is '\(nearest)'")
    }
  }

  /// The weight at a distance: a triangle, or Keys' cubic.
  private func kernel(_ distance: Double) -> Double {
    let t = abs(distance)
    if mode == .linear { return max(0, 1 - t) }
    if t <= 1 { return ((cubic + 2) * t - (cubic + 3)) * t * t + 1 }
    return t < 2 ? ((cubic * t - 5 * cubic) * t + 8 * cubic) * t - 4 * cubic : 0
  }
}

extension Lowering {
  /// `x` with one dimension interpolated to another extent.
  mutating func resized(
    _ x: Value, _ axis: Int, size: Extent?, scale: Double?, _ sampling: Sampling, _ region: (Double, Double)?
  ) throws(OpError) -> Value {
    guard let old = x.shape[axis].fixed else { return try repeated(x, axis, size: size, scale: scale, sampling) }
    guard old > 0 else { throw OpError("it resizes the empty dimension \(axis) of \(x.type)") }
    let new: Int
    if let size {
      guard let fixed = size.fixed else { throw .unsupported("the extent \(size) from \(old)") }
      new = fixed
    } else {
      new = Int((scale ?? 1) * Double(old))
    }
    guard new < 1 << 24 else { throw OpError("its new extent is \(new)") }
    let factor = scale ?? Double(new) / Double(old)
    if let result = try wholeRepeat(x, axis, old, new, factor, sampling, region) { return result }
    let taps = try sampling.taps(from: old, to: new, scale: factor, region)
    let count = taps.map(\.count).max() ?? 0
    var result: Value?
    if count > 4 {
      result = try mixed(x, axis, old, taps)
    } else {
      for tap in 0..<count {
        let positions = taps.map { $0.isEmpty ? 0 : $0[tap].position }
        var part = try take(x, vector(positions), axis: axis)
        if sampling.mode != .nearest {
          let weights = vector(taps.map { $0.isEmpty ? 0 : $0[tap].weight }, x.element)
          part = try multiply(part, broadcast(weights, to: part.shape, at: [axis]))
        }
        result = try result.map { (old) throws(OpError) in try add(old, part) } ?? part
      }
    }
    guard let result else { return try slice(x, axis: axis, 0, 0) }
    guard taps.contains(where: \.isEmpty) else { return result }
    let isOutside = vector(taps.map { $0.isEmpty ? 1 : 0 }, .i1)
    let value = scalar(sampling.extrapolation, x.element)
    return try select(broadcast(isOutside, to: result.shape, at: [axis]), value, result)
  }

  /// The product with a matrix of weights along an axis.
  private mutating func mixed(
    _ x: Value, _ axis: Int, _ old: Int, _ taps: [[(position: Int, weight: Double)]]
  ) throws(OpError) -> Value {
    guard old * taps.count <= 1 << 26 else {
      throw .unsupported("an interpolation from \(old) to \(taps.count) elements")
    }
    var weights = [Double](repeating: 0, count: old * taps.count)
    for (column, own) in taps.enumerated() {
      for tap in own { weights[tap.position * taps.count + column] += tap.weight }
    }
    let matrix = try reshape(vector(weights, x.element), [Extent(old), Extent(taps.count)])
    let product = try dot(x, matrix, contracting: ([axis], [0]))
    var order = Array(0..<x.rank - 1)
    order.insert(x.rank - 1, at: axis)
    return try transpose(product, order)
  }

  /// Nearest elements that are each taken a whole number of times: a broadcast.
  private mutating func wholeRepeat(
    _ x: Value, _ axis: Int, _ old: Int, _ new: Int, _ scale: Double, _ sampling: Sampling, _ region: (Double, Double)?
  ) throws(OpError) -> Value? {
    guard sampling.mode == .nearest, region == nil, new % old == 0, new > old else { return nil }
    let count = new / old
    let taps = try sampling.taps(from: old, to: new, scale: scale, nil)
    guard taps.indices.allSatisfy({ taps[$0][0].position == $0 / count }) else { return nil }
    return try repeated(x, axis, count)
  }

  private mutating func repeated(_ x: Value, _ axis: Int, _ count: Int) throws(OpError) -> Value {
    var wide = x.shape
    wide.insert(Extent(count), at: axis + 1)
    var shape = x.shape
    shape[axis] *= Extent(count)
    return try reshape(broadcast(x, to: wide, at: wide.indices.filter { $0 != axis + 1 }), shape)
  }

  /// A dimension of unknown extent can be repeated a whole number of times.
  private mutating func repeated(
    _ x: Value, _ axis: Int, size: Extent?, scale: Double?, _ sampling: Sampling
  ) throws(OpError) -> Value {
    let extent = x.shape[axis]
    var count = scale.flatMap { Int(exactly: $0) }
    if let size {
      let quotient = size.floorDivided(by: extent)
      count = quotient * extent == size ? quotient.fixed : nil
    }
    guard sampling.mode == .nearest, let count, count > 0, count < 1 << 20 else {
      throw .unsupported("an interpolation of the extent \(extent)")
    }
    for sample in [1, 2, 7, 64] {
      let taps = try sampling.taps(from: sample, to: sample * count, scale: Double(count), nil)
      guard taps.indices.allSatisfy({ taps[$0].first?.position == $0 / count }) else {
        throw .unsupported("an interpolation of the extent \(extent)")
      }
    }
    return try repeated(x, axis, count)
  }

  /// Floats rounded and limited to the range of an integer type.
  mutating func saturated(_ x: Value, _ target: ElementType) throws(OpError) -> Value {
    let least = target.lowest.integerValue
    let greatest =
      target.kind == .unsigned
      ? Double(UInt64(bitPattern: target.highest.integerValue)) : Double(target.highest.integerValue)
    return try minimum(maximum(map(.roundNearestEven, x), Double(least)), greatest)
  }
}
