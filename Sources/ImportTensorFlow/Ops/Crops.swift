import GraphBuilding
import IR

extension Operator {
  /// Windows over images that are no convolutions, and parts of images at places that are data.
  static let crops: [Operator] = [
    Operator(
      "CropAndResize",
      one: { (n) throws(OpError) in
        let image = try n.convert(try n.input(0), .f32)
        return try crops(&n, image, boxes: try n.input(1), images: try n.input(2), n.shapeInput(3, "crop size"))
      }),
    Operator(
      "Dilation2D", one: { (n) throws(OpError) in try dilation(&n, try n.input(0), try n.input(1)) }),
    Operator("MaxPoolWithArgmax", outputs: ["output", "argmax"], greatestWithPlaces),
    Operator("ImageProjectiveTransformV2", one: projection), Operator("ImageProjectiveTransformV3", one: projection),
  ]

  // MARK: Boxes

  /// The boxes of images, by corners that count an image as 1, interpolated to one size; f32.
  static func crops(
    _ n: inout Lowering, _ image: Value, boxes: Value, images: Value, _ size: [Extent]
  ) throws(OpError) -> Value {
    let method = try n.string("method", default: "bilinear")
    let outside = try n.float("extrapolation_value", default: 0)
    guard method == "bilinear" || method == "nearest" else { throw OpError("attribute 'method' is '\(method)'") }
    guard image.rank == 4, boxes.rank == 2, boxes.shape[1] == 4, images.rank == 1, size.count == 2 else {
      throw OpError("its inputs are \(image.type), \(boxes.type) and \(images.type)")
    }
    try n.unify(
      images.shape, [boxes.shape[0]], "it has \(boxes.shape[0]) boxes and the images of \(images.shape[0])")
    let shape = [boxes.shape[0]] + size
    var places: [Value] = []
    var isInside: Value?
    for d in 0..<2 {
      let position = try n.positions(of: boxes, d, size[d], in: image.shape[d + 1])
      let last = try n.scalar(of: image.shape[d + 1] - 1, .f32)
      let holds = try n.map(.and, n.compare(.greaterOrEqual, position, 0), n.compare(.lessOrEqual, position, last))
      places.append(try n.broadcast(position, to: shape, at: [0, d + 1]))
      let wide = try n.broadcast(holds, to: shape, at: [0, d + 1])
      isInside = try isInside.map { (other) throws(OpError) in try n.map(.and, other, wide) } ?? wide
    }
    let own = try n.broadcast(n.convert(images, .i32), to: shape, at: [0])
    let parts: Value
    if method == "nearest" {
      parts = try n.pixels(
        of: image, own,
        [
          n.map(.roundNearestAwayFromZero, places[0]), n.map(.roundNearestAwayFromZero, places[1]),
        ])
    } else {
      parts = try n.interpolated(image, own, places)
    }
    guard let isInside else { return parts }
    return try n.select(n.unsqueeze(isInside, 3), parts, n.scalar(outside, parts.element))
  }

  // MARK: Windows

  /// The greatest sum of an element and of the kernel's over it, in each window.
  static func dilation(_ n: inout Lowering, _ image: Value, _ kernel: Value) throws(OpError) -> Value {
    guard image.rank == 4, kernel.rank == 3, kernel.shape[2] == image.shape[3] else {
      throw OpError("it takes images and a kernel, not \(image.type) and \(kernel.type)")
    }
    let extents = kernel.shape.prefix(2).compactMap(\.fixed)
    guard extents.count == 2, extents[0] * extents[1] <= 1 << 12 else {
      throw .unsupported("the kernel \(kernel.type)")
    }
    let windows = try n.windows(
      over: image, extents, dilations: "rates", padding: n.scalar(.zero(image.element), image.element))
    // What lies outside of the image is left out.
    let ones = try n.splat(1, .i1, image.shape)
    let masks = try n.windows(over: ones, extents, dilations: "rates", padding: n.scalar(.zero(.i1), .i1))
    var greatest = n.scalar(image.element.leastNumber, image.element)
    for (place, index) in allIndices(extents).enumerated() {
      var weight = kernel
      for (axis, position) in index.enumerated() {
        weight = try n.slice(weight, axis: axis, Extent(position), Extent(position + 1))
      }
      let sum = try n.add(windows[place], n.reshape(weight, [kernel.shape[2]]))
      let isBetter = try n.map(.and, n.compare(.greater, sum, greatest), masks[place])
      greatest = try n.select(isBetter, sum, greatest)
    }
    return greatest
  }

  /// The greatest element of each window, and its number among those of the image or of all images.
  private static func greatestWithPlaces(_ n: inout Lowering) throws(OpError) -> [Value] {
    let image = try n.input(0)
    let element = try n.elementType("Targmax", default: .i64)
    let layout = try ImageLayout("NHWC", rank: 4)
    let extents = try n.ints("ksize") ?? []
    guard image.rank == 4, extents.count == 4, extents.allSatisfy({ $0 > 0 && $0 <= 1 << 16 }), extents[0] == 1,
      extents[3] == 1
    else { throw .unsupported("attribute 'ksize' \(extents)") }
    let shape = try n.flag("include_batch_in_index") ? image.shape : [.one] + image.shape.dropFirst()
    let count = shape.reduce(.one) { $0 * $1 }
    let numbers = try n.broadcast(n.reshape(n.iota(.i64, [count], axis: 0), shape), to: image.shape)
    let worst = n.scalar(image.element.lowest, image.element)
    let last = n.scalar(.integer(.max), .i64)
    let (window, low, high) = try n.window(over: image.type, layout, [extents[1], extents[2]])
    let operands = [try n.pad(image, worst, low: low, high: high), try n.pad(numbers, last, low: low, high: high)]
    var whole = [WindowDimension](repeating: WindowDimension(extent: .one), count: 4)
    for (d, dimension) in zip(layout.spatial, window) { whole[d] = dimension }
    let body = try n.extremeBody(of: .greater, image.element, wantsLast: false)
    let results = try n.emitAll(.reduceWindow(ReduceWindow(window: whole, body: body)), operands + [worst, last])
    return [results[0], try n.convert(results[1], element)]
  }

  // MARK: Projections

  /// Images seen through projective maps, from places of the result to places of the image.
  private static func projection(_ n: inout Lowering) throws(OpError) -> Value {
    let (image, maps) = (try n.input(0), try n.input(1))
    let interpolation = try n.string("interpolation", default: "NEAREST")
    let mode = try n.string("fill_mode", default: "CONSTANT")
    let fill = n.inputCount > 3 ? try n.reshape(try n.input(3), []) : n.scalar(0, .f32)
    let size = try n.shapeInput(2, "output shape")
    guard image.rank == 4, maps.rank == 2, maps.shape[1] == 8, size.count == 2 else {
      throw OpError("its inputs are \(image.type) and \(maps.type)")
    }
    if maps.shape[0] != .one {
      try n.unify([maps.shape[0]], [image.shape[0]], "it has \(maps.shape[0]) maps for \(image.type)")
    }
    let shape = [image.shape[0]] + size
    var factors: [Value] = []
    for entry in 0..<8 {
      let column = try n.slice(maps, axis: 1, Extent(entry), Extent(entry + 1))
      factors.append(try n.broadcast(n.reshape(column, [maps.shape[0], .one, .one]), to: shape))
    }
    let (y, x) = (try n.iota(.f32, shape, axis: 1), try n.iota(.f32, shape, axis: 2))
    func combined(_ first: Int) throws(OpError) -> Value {
      try n.add(n.multiply(factors[first], x), n.multiply(factors[first + 1], y))
    }
    let depth = try n.add(combined(6), 1)
    let isSeen = try n.compare(.notEqual, depth, 0)
    var places = [
      try n.divide(n.add(combined(3), factors[5]), depth), try n.divide(n.add(combined(0), factors[2]), depth),
    ]
    for d in 0..<2 { places[d] = try n.continued(places[d], image.shape[d + 1], mode) }
    let own = try n.iota(.i32, shape, axis: 0)
    let work: ElementType = image.element == .f64 ? .f64 : .f32
    let filling = try n.convert(fill, image.element)
    let wide = try n.convert(image, work)
    let result: Value
    switch interpolation {
    case "NEAREST":
      let nearest = [
        try n.map(.roundNearestAwayFromZero, places[0]), try n.map(.roundNearestAwayFromZero, places[1]),
      ]
      result = try n.pixels(of: image, own, nearest, outside: filling)
    case "BILINEAR":
      result = try n.convert(
        n.interpolated(wide, own, places, outside: n.convert(filling, work)), image.element)
    default: throw OpError("attribute 'interpolation' is '\(interpolation)'")
    }
    return try n.select(n.unsqueeze(isSeen, 3), result, filling)
  }
}

extension Lowering {
  /// Where the samples of boxes lie along a dimension, [box, sample]: at both ends and between, or one in the middle.
  fileprivate mutating func positions(
    of boxes: Value, _ d: Int, _ count: Extent, in extent: Extent
  ) throws(OpError) -> Value {
    let low = try slice(boxes, axis: 1, Extent(d), Extent(d + 1))
    let high = try slice(boxes, axis: 1, Extent(d + 2), Extent(d + 3))
    let last = try scalar(of: extent - 1, .f32)
    guard let fixed = count.fixed else { throw .unsupported("a crop size that is a symbol") }
    guard fixed > 1 else { return try multiply(multiply(add(low, high), 0.5), last) }
    let step = try divide(multiply(subtract(high, low), last), Double(fixed - 1))
    let steps = try multiply(iota(.f32, [boxes.shape[0], count], axis: 1), step)
    return try add(multiply(low, last), steps)
  }

  /// The positions inside of an extent that stand for any: the nearest, or those of the image repeated or mirrored.
  fileprivate mutating func continued(_ x: Value, _ extent: Extent, _ mode: String) throws(OpError) -> Value {
    let (length, last) = (try scalar(of: extent, x.element), try scalar(of: extent - 1, x.element))
    var inside = x
    switch mode {
    case "CONSTANT": return x
    case "NEAREST": break
    case "WRAP":
      let divisor = try maximum(last, 1)
      let before = try multiply(add(map(.floor, divide(map(.negate, x), divisor)), 1), length)
      let behind = try multiply(map(.floor, divide(x, divisor)), length)
      inside = try select(compare(.less, x, 0), add(x, before), x)
      inside = try select(compare(.greater, x, last), subtract(x, behind), inside)
    case "REFLECT":
      let period = try multiply(length, 2)
      let reached = try add(x, multiply(period, map(.floor, divide(map(.negate, x), period))))
      let low = try select(
        compare(.less, reached, map(.negate, length)), add(reached, period), subtract(-1, reached))
      let rest = try subtract(x, multiply(period, map(.floor, divide(x, period))))
      let high = try select(
        compare(.greaterOrEqual, rest, length), subtract(subtract(period, rest), 1), rest)
      inside = try select(compare(.less, x, 0), low, x)
      inside = try select(compare(.greater, x, last), high, inside)
    default: throw OpError("attribute 'fill_mode' is '\(mode)'")
    }
    return try map(.minimum, maximum(inside, 0), last)
  }

  /// The pixels, [..., feature], at whole positions, which are limited to the image or else give `outside`.
  fileprivate mutating func pixels(
    of image: Value, _ own: Value, _ places: [Value], outside: Value? = nil
  ) throws(OpError) -> Value {
    var parts = [try unsqueeze(own, own.rank)]
    var isInside: Value?
    for (d, place) in places.enumerated() {
      let last = try scalar(of: image.shape[d + 1] - 1, place.element)
      let limited = try map(.minimum, maximum(place, 0), last)
      let holds = try map(.and, compare(.greaterOrEqual, place, 0), compare(.lessOrEqual, place, last))
      isInside = try isInside.map { (other) throws(OpError) in try map(.and, other, holds) } ?? holds
      parts.append(try unsqueeze(convert(limited, .i32), own.rank))
    }
    let pixels = try gather(image, at: concatenate(parts, axis: own.rank))
    guard let outside, let isInside else { return pixels }
    return try select(unsqueeze(isInside, own.rank), pixels, outside)
  }

  /// The pixels between which positions lie, by their distances.
  fileprivate mutating func interpolated(
    _ image: Value, _ own: Value, _ places: [Value], outside: Value? = nil
  ) throws(OpError) -> Value {
    var sides: [[Value]] = []
    var shares: [Value] = []
    for place in places {
      let floor = try map(.floor, place)
      sides.append([floor, try outside == nil ? map(.ceil, place) : add(floor, 1)])
      shares.append(try unsqueeze(convert(subtract(place, floor), image.element), own.rank))
    }
    var rows: [Value] = []
    for row in sides[0] {
      let left = try pixels(of: image, own, [row, sides[1][0]], outside: outside)
      let right = try pixels(of: image, own, [row, sides[1][1]], outside: outside)
      rows.append(try add(left, multiply(subtract(right, left), shares[1])))
    }
    return try add(rows[0], multiply(subtract(rows[1], rows[0]), shares[0]))
  }

  /// For each place in a window the image as the windows have it there.
  mutating func windows(
    over image: Value, _ extents: [Int], dilations: String, padding: Value
  ) throws(OpError) -> [Value] {
    let layout = try ImageLayout(image.rank == 5 ? "NDHWC" : "NHWC", rank: image.rank)
    let (window, low, high) = try window(over: image.type, layout, extents, dilations: dilations)
    var x = try pad(image, padding, low: low, high: high)
    for (axis, dimension) in zip(layout.spatial, window) {
      x = try pad(
        x, axis: axis, padding, low: Extent(dimension.paddingLow), high: Extent(dimension.paddingHigh))
    }
    var parts: [Value] = []
    for place in allIndices(extents) {
      var part = x
      for (index, axis) in layout.spatial.enumerated() {
        let start = Extent(place[index] * window[index].windowDilation)
        let reach = (extents[index] - 1) * window[index].windowDilation
        part = try slice(part, axis: axis, start, start + x.shape[axis] - reach, step: window[index].stride)
      }
      parts.append(part)
    }
    return parts
  }
}
