import Foundation
import GraphBuilding
import IR

extension Operator {
  /// Images whose rows and columns are mixed by weights that depend on distances.
  static let resampling: [Operator] = [
    Operator(
      "ScaleAndTranslate",
      one: { (n) throws(OpError) in
        let image = try n.convert(try n.input(0), .f32)
        return try scaled(&n, image, n.shapeInput(1, "size"), try n.input(2), try n.input(3))
      }),
    Operator(
      "ScaleAndTranslateGrad",
      one: { (n) throws(OpError) in
        let (dy, image) = (try n.input(0), try n.input(1))
        return try n.gradient(of: [image], by: dy) { (n, x) throws(OpError) in
          try scaled(&n, x[0], Array(dy.shape.dropFirst().dropLast()), try n.input(2), try n.input(3))
        }
      }),
    Operator(
      "ResizeArea",
      one: { (n) throws(OpError) in
        let image = try n.convert(try n.input(0), .f32)
        let size = try n.shapeInput(1, "size")
        let alignsCorners = try n.flag("align_corners")
        guard image.rank == 4, size.count == 2 else { throw OpError("it takes images, not \(image.type)") }
        var result = image
        for (d, new) in size.enumerated() {
          result = try n.shares(of: result, d + 1, to: new, alignsCorners: alignsCorners)
        }
        return result
      }),
  ]

  private static func scaled(
    _ n: inout Lowering, _ image: Value, _ size: [Extent], _ scale: Value, _ translation: Value
  ) throws(OpError) -> Value {
    let kernel = try n.string("kernel_type", default: "lanczos3")
    let isAntialiased = try n.flag("antialias", default: true)
    guard image.rank == 4, size.count == 2, scale.shape == [2], translation.shape == [2] else {
      throw OpError("its inputs are \(image.type), \(scale.type) and \(translation.type)")
    }
    let factors = try n.literal(of: scale)?.scalars.map(\.realValue)
    let radius = try reach(of: kernel)
    var result = image
    for (d, new) in size.enumerated() {
      let inverse = try n.divide(1, n.reshape(n.slice(scale, axis: 0, Extent(d), Extent(d + 1)), []))
      let offset = try n.reshape(n.slice(translation, axis: 0, Extent(d), Extent(d + 1)), [])
      let width = try isAntialiased ? n.maximum(inverse, 1) : n.scalar(1, .f32)
      let rows = try n.iota(.f32, [new, 1], axis: 0)
      let place = try n.subtract(n.multiply(n.add(rows, 0.5), inverse), n.multiply(inverse, offset))
      let last = try n.scalar(of: image.shape[d + 1], .f32)
      let isOutside = try n.map(.or, n.compare(.less, place, 0), n.compare(.greater, place, last))
      let first = try n.map(.ceil, n.subtract(n.subtract(place, n.multiply(width, radius)), 0.5))
      // How many elements a new one is made of at most, where that is known.
      var count: Int?
      if let factor = isAntialiased ? factors?[d] : 1, factor > 1e-6 {
        count = 2 * Int((radius * max(1 / factor, 1)).rounded(.up)) + 1
      }
      result = try n.mixed(result, d + 1, new, from: first, count: count) { (n, position) throws(OpError) in
        let distance = try n.map(.abs, n.subtract(n.add(position, 0.5), place))
        let inside = try n.map(.and, n.compare(.greaterOrEqual, position, 0), n.compare(.less, position, last))
        let weight = try n.select(inside, n.kernel(kernel, n.divide(distance, width)), 0)
        let sum = try n.reduce(weight, [1], .add, keep: true)
        let isTiny = try n.compare(.less, n.map(.abs, sum), 1000 * Double(Float.leastNormalMagnitude))
        return try n.select(isOutside, n.scalar(0, .f32), n.select(isTiny, weight, n.divide(weight, sum)))
      }
    }
    return result
  }

  /// From which distance on a kernel is zero.
  private static func reach(of kernel: String) throws(OpError) -> Double {
    switch kernel {
    case "lanczos1", "box", "triangle": return 1
    case "gaussian": return 1.5
    case "keyscubic", "mitchellcubic": return 2
    case "lanczos3": return 3
    case "lanczos5": return 5
    default: throw OpError("attribute 'kernel_type' is '\(kernel)'")
    }
  }
}

extension Lowering {
  /// `x` with a dimension whose elements are sums of old ones: of `count` from `first` on, or, where that is no less work, of all. The
  /// weights are those of positions, a row for each new element.
  fileprivate mutating func mixed(
    _ x: Value, _ axis: Int, _ new: Extent, from first: Value, count: Int?,
    _ weights: (inout Lowering, Value) throws(OpError) -> Value
  ) throws(OpError) -> Value {
    let old = x.shape[axis]
    guard let count, count <= 64, old.fixed.map({ 8 * count < $0 }) ?? true else {
      let all = try weights(&self, iota(.f32, [new, old], axis: 1))
      var order = Array(0..<x.rank - 1)
      order.insert(x.rank - 1, at: axis)
      return try transpose(dot(x, all, contracting: ([axis], [1])), order)
    }
    let shape = [new, Extent(count)]
    let last = try scalar(of: old - 1, .f32)
    let start = try map(.minimum, maximum(first, 0), last)
    let positions = try add(start, iota(.f32, shape, axis: 1))
    let factors = try weights(&self, positions)
    let places = try convert(map(.minimum, positions, last), .i32)
    var sum: Value?
    for tap in 0..<count {
      func column(_ value: Value) throws(OpError) -> Value {
        try squeeze(slice(value, axis: 1, Extent(tap), Extent(tap + 1)), 1)
      }
      let part = try take(x, column(places), axis: axis)
      let term = try multiply(part, broadcast(column(factors), to: part.shape, at: [axis]))
      sum = try sum.map { (old) throws(OpError) in try add(old, term) } ?? term
    }
    guard let sum else { throw OpError("it has no neighbours") }
    return sum
  }

  /// How much of each new cell lies in each old one; what lies behind the last one counts as the last.
  fileprivate mutating func shares(
    of x: Value, _ axis: Int, to new: Extent, alignsCorners: Bool
  ) throws(OpError) -> Value {
    let old = x.shape[axis]
    let isAligned = alignsCorners && new != .one
    if isAligned, !new.isFixed { throw .unsupported("a size that is a symbol") }
    let (from, to) = (isAligned ? old - 1 : old, isAligned ? new - 1 : new)
    let scale = try divide(scalar(of: from, .f32), scalar(of: to, .f32))
    let start = try multiply(iota(.f32, [new, 1], axis: 0), scale)
    let limit = try multiply(add(iota(.f32, [new, 1], axis: 0), 1), scale)
    let last = try scalar(of: old - 1, .f32)
    var count: Int?
    if let from = from.fixed, let to = to.fixed, to > 0 { count = (from + to - 1) / to + 2 }
    return try mixed(x, axis, new, from: map(.floor, start), count: count) { (n, position) throws(OpError) in
      let end = try n.select(
        n.compare(.equal, position, last), limit, n.map(.minimum, limit, n.add(position, 1)))
      let share = try n.maximum(n.subtract(end, n.map(.maximum, start, position)), 0)
      // Cells of no width are the one old one.
      let part = try n.select(n.compare(.equal, scale, 0), n.splat(1, like: share), n.divide(share, scale))
      return try n.select(n.compare(.greater, position, last), n.scalar(0, .f32), part)
    }
  }

  /// The weights at distances.
  fileprivate mutating func kernel(_ name: String, _ x: Value) throws(OpError) -> Value {
    func cubic(_ near: [Double], _ far: [Double]) throws(OpError) -> Value {
      let outer = try select(compare(.less, x, 2), polynomial(x, far), 0)
      return try select(compare(.less, x, 1), polynomial(x, near), outer)
    }
    switch name {
    case "lanczos1", "lanczos3", "lanczos5":
      let radius = Double(name.suffix(1)) ?? 3
      let angle = try multiply(x, .pi)
      let product = try multiply(multiply(map(.sine, angle), map(.sine, divide(angle, radius))), radius)
      let inside = try select(compare(.lessOrEqual, x, 1e-3), scalar(1, .f32), divide(product, multiply(angle, angle)))
      return try select(compare(.greater, x, radius), scalar(0, .f32), inside)
    case "gaussian":
      let power = try map(.exponential, multiply(multiply(x, x), -2))
      return try select(compare(.less, x, 1.5), power, 0)
    case "box":
      let edge = try select(compare(.equal, x, 0.5), splat(0.5, like: x), 0)
      return try select(compare(.less, x, 0.5), splat(1, like: x), edge)
    case "triangle": return try maximum(subtract(1, x), 0)
    case "keyscubic": return try cubic([1, 0, -2.5, 1.5], [2, -4, 2.5, -0.5])
    case "mitchellcubic": return try cubic([8.0 / 9, 0, -2, 7.0 / 6], [16.0 / 9, -10.0 / 3, 2, -7.0 / 18])
    default: throw OpError("attribute 'kernel_type' is '\(name)'")
    }
  }

  /// The polynomial with these coefficients, the constant first.
  mutating func polynomial(_ x: Value, _ coefficients: [Double]) throws(OpError) -> Value {
    var result = scalar(coefficients.last ?? 0, x.element)
    for coefficient in coefficients.dropLast().reversed() { result = try add(multiply(result, x), coefficient) }
    return result
  }
}
