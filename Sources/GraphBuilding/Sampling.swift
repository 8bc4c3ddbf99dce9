package import IR

/// How new positions are found among old ones, and how elements around them are weighted.
package struct Sampling {
  package enum Mode { case nearest, linear, cubic }
  package var mode = Mode.nearest
  package var coordinates: String
  package var nearest: String
  package var cubic = -0.75
  package var excludesOutside = false
  package var isAntialiased = false
  package var extrapolation = 0.0
  /// How many positions there are between neighbours, where weights come from a table; nil where there are all.
  package var resolution: Double?

  package init(coordinates: String, nearest: String) {
    self.coordinates = coordinates
    self.nearest = nearest
  }

  /// For each new position the old ones it is made of, with their weights; no positions where the value is extrapolated.
  package func taps(
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
    let rest = resolution.map { ((x - floor) * $0).rounded(.toNearestOrEven) / $0 } ?? x - floor
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
