import GraphBuilding
import IR

extension Operator {
  /// Images read at computed positions.
  static let sampling: [Operator] = [
    Operator("GridSample", one: gridSample),
    Operator("AffineGrid", one: affineGrid),
  ]

  private static func gridSample(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, grid) = (try n.input(0), try n.input(1))
    let mode = try n.string("mode", default: n.version < 20 ? "bilinear" : "linear")
    let padding = try n.string("padding_mode", default: "zeros")
    let alignsCorners = try n.flag("align_corners")
    let space = x.rank - 2
    guard space >= 1, space <= 3, grid.rank == x.rank, grid.shape[grid.rank - 1] == Extent(space),
      grid.shape[0] == x.shape[0]
    else {
      throw OpError("its inputs are \(x.type) and \(grid.type)")
    }
    let taps: Taps
    switch mode {
    case "nearest": taps = .nearest
    case "linear", "bilinear": taps = .linear
    case "cubic", "bicubic": taps = .cubic
    default: throw OpError("attribute 'mode' is '\(mode)'")
    }
    guard let border = Border(rawValue: padding) else { throw OpError("attribute 'padding_mode' is '\(padding)'") }
    let work: ElementType = x.element == .f64 ? .f64 : .f32
    let positions = try n.convert(grid, work)
    var steps: [PixelStep] = []
    for d in 0..<space {
      let last = positions.rank - 1
      let coordinate = try n.squeeze(n.slice(positions, axis: last, Extent(space - 1 - d), Extent(space - d)), last)
      steps.append(try n.step(coordinate, x.shape[d + 2], taps, border, alignsCorners: alignsCorners))
    }
    // What is moved, and not weighted, keeps its type.
    let table = try n.pixelTable(taps == .nearest ? x : n.convert(x, work), groups: 1)
    let places = Array(grid.shape.dropLast())
    let sum = try n.sum(of: table, n.iota(table.place, places, axis: 0), steps)
    return try n.convert(n.transpose(sum, [0, space + 1] + Array(1...space)), x.element)
  }

  /// The positions of an image's elements, from -1 to 1, under an affine map for each image.
  private static func affineGrid(_ n: inout Lowering) throws(OpError) -> Value {
    let theta = try n.input(0)
    let size = try n.shapeInput(1, "size")
    let alignsCorners = try n.flag("align_corners")
    let space = size.count - 2
    guard space == 2 || space == 3, theta.rank == 3, theta.shape[1] == Extent(space),
      theta.shape[2] == Extent(space + 1)
    else {
      throw OpError("its input is \(theta.type) for an image \(size)")
    }
    let image = Array(size.dropFirst(2))
    var parts: [Value] = []
    for d in (0..<space).reversed() {
      let extent = try n.scalar(of: image[d], theta.element)
      let index = try n.iota(theta.element, image + [.one], axis: d)
      let doubled = try n.multiply(index, 2)
      if alignsCorners {
        parts.append(try n.subtract(n.divide(doubled, n.subtract(extent, 1)), 1))
      } else {
        parts.append(try n.subtract(n.divide(n.add(doubled, 1), extent), 1))
      }
    }
    parts.append(try n.splat(1, theta.element, image + [.one]))
    let grid = try n.concatenate(parts, axis: space)
    // [image…, batch, coordinate]
    let product = try n.dot(grid, theta, contracting: ([space], [2]))
    return try n.transpose(product, [space] + Array(0..<space) + [space + 1])
  }
}

/// How elements beyond an image's border are read.
enum Border: String {
  case zeros, border, reflection
}

/// How many elements along each dimension make one result.
enum Taps {
  case nearest, linear, cubic
}

extension Lowering {
  /// The elements along one dimension that make the results at coordinates from -1 to 1.
  fileprivate mutating func step(
    _ coordinate: Value, _ extent: Extent, _ taps: Taps, _ border: Border, alignsCorners: Bool
  ) throws(OpError) -> PixelStep {
    let length = try scalar(of: extent, coordinate.element)
    let last = try subtract(length, 1)
    var x: Value
    if alignsCorners {
      x = try multiply(divide(add(coordinate, 1), 2), last)
    } else {
      x = try divide(subtract(multiply(add(coordinate, 1), length), 1), 2)
    }
    if taps == .nearest { x = try map(.roundNearestEven, x) }
    switch border {
    case .zeros: break
    case .border: x = try map(.minimum, maximum(x, 0), last)
    case .reflection: x = try reflected(x, length, alignsCorners: alignsCorners)
    }
    if taps == .nearest {
      return PixelStep(neighbours: [try neighbour(x, nil, length, border, alignsCorners: alignsCorners)])
    }
    let floor = try map(.floor, x)
    let ratio = try subtract(x, floor)
    var neighbours: [PixelStep.Neighbour] = []
    for offset in taps == .linear ? 0...1 : -1...2 {
      let distance = try map(.abs, subtract(ratio, Double(offset)))
      let weight =
        taps == .linear ? try subtract(1, distance) : try cubicWeight(distance, isNear: (0...1).contains(offset))
      let place = try add(floor, Double(offset))
      neighbours.append(try neighbour(place, weight, length, border, alignsCorners: alignsCorners))
    }
    return PixelStep(neighbours: neighbours)
  }

  /// Keys' cubic with a = -0.75, for distances up to 1 or from 1 to 2.
  private mutating func cubicWeight(_ t: Value, isNear: Bool) throws(OpError) -> Value {
    let a = -0.75
    if isNear {
      let inner = try subtract(multiply(t, a + 2), a + 3)
      return try add(multiply(multiply(inner, t), t), 1)
    }
    let inner = try add(multiply(subtract(multiply(t, a), 5 * a), t), 8 * a)
    return try subtract(multiply(inner, t), 4 * a)
  }

  private mutating func neighbour(
    _ position: Value, _ weight: Value?, _ length: Value, _ border: Border, alignsCorners: Bool
  ) throws(OpError) -> PixelStep.Neighbour {
    let last = try subtract(length, 1)
    if border == .zeros {
      let isInside = try map(.and, compare(.greaterOrEqual, position, 0), compare(.lessOrEqual, position, last))
      return PixelStep.Neighbour(position: position, weight: weight, isInside: isInside)
    }
    var own = position
    if border == .reflection {
      own = try reflected(position, length, alignsCorners: alignsCorners)
      // Towards zero, as an index is cut.
      own = try select(compare(.less, own, 0), map(.ceil, own), map(.floor, own))
    }
    return PixelStep.Neighbour(position: try map(.minimum, maximum(own, 0), last), weight: weight, isInside: nil)
  }

  /// Coordinates beyond the image turned back at its borders, as often as needed.
  private mutating func reflected(_ x: Value, _ length: Value, alignsCorners: Bool) throws(OpError) -> Value {
    let least = scalar(alignsCorners ? 0 : -0.5, x.element)
    let range = alignsCorners ? try subtract(length, 1) : length
    let greatest = try add(least, range)
    let isBelow = try compare(.less, x, least)
    let isAbove = try compare(.greater, x, greatest)
    let distance = try select(isBelow, subtract(least, x), subtract(x, greatest))
    let turns = try map(.floor, divide(distance, range))
    let rest = try subtract(distance, multiply(turns, range))
    let isEven = try compare(.equal, map(.remainder, turns, scalar(2, x.element)), 0)
    let near = try select(isBelow, add(least, rest), subtract(greatest, rest))
    let far = try select(isBelow, subtract(greatest, rest), add(least, rest))
    return try select(map(.or, isBelow, isAbove), select(isEven, near, far), x)
  }
}
