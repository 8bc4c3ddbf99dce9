import GraphBuilding
import IR

/// What a region is pooled by: attributes of `RoiAlign`.
private struct RegionPooling {
  /// The output's height and width.
  var extents: [Int]
  /// How many samples of a bin there are along each dimension; 0 where the region's size says it.
  var samples: Int
  var scale: Double
  /// How far the positions of an image's elements lie from their middles.
  var shift: Double
  var takesGreatest: Bool

  init(_ n: inout Lowering) throws(OpError) {
    extents = [try n.int("output_height", default: 1), try n.int("output_width", default: 1)]
    samples = try n.int("sampling_ratio", default: 0)
    scale = try n.float("spatial_scale", default: 1)
    guard extents.allSatisfy({ (1...1 << 20).contains($0) }), (0...1 << 12).contains(samples) else {
      throw OpError("it pools to \(extents[0]) by \(extents[1]) of \(samples) by \(samples) samples")
    }
    switch try n.string("mode", default: "avg") {
    case "avg": takesGreatest = false
    case "max": takesGreatest = true
    case let mode: throw OpError("attribute 'mode' is '\(mode)', not avg or max")
    }
    // Before opset 16 there is no shift.
    switch n.version < 16 ? "output_half_pixel" : try n.string("coordinate_transformation_mode", default: "half_pixel")
    {
    case "half_pixel": shift = 0.5
    case "output_half_pixel": shift = 0
    case let mode: throw OpError("attribute 'coordinate_transformation_mode' is '\(mode)'")
    }
  }
}

/// The bins of all regions along one dimension.
private struct RegionAxis {
  /// Where each bin begins, `[regions, bins]`, and how long it is, `[regions, 1]`.
  var start: Value
  var length: Value
  /// How many samples a bin has, a float, `[regions, 1]`.
  var count: Value
  /// The first sample of each bin that may lie inside of the image, `[regions, bins]`; a float.
  var first: Value
  /// Whether a bin has samples that no round takes, as they lie outside; nil where all are taken.
  var isCut: Value?
  /// How many samples are taken, an i64 scalar.
  var rounds: Value
}

extension Operator {
  /// Averages, or the greatest, of samples in the bins of regions, each of which has an image of its own.
  ///
  /// Samples are taken one after the other, one of all bins in each round of a loop. There are as many rounds as the bin with the
  /// most samples that may lie inside of its image needs: what lies outside counts as zero.
  static func regionAlignment(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, regions, images) = (try n.input(0), try n.input(1), try n.input(2))
    let pooling = try RegionPooling(&n)
    guard x.element.isFloat, regions.element == x.element, images.element.isInteger, x.rank == 4, regions.rank == 2,
      regions.shape[1] == 4, images.rank == 1
    else { throw OpError("its inputs are \(x.type), \(regions.type) and \(images.type)") }
    guard images.shape[0] == regions.shape[0] else {
      guard images.shape[0].isFixed, regions.shape[0].isFixed else {
        throw n.inequality(images.shape[0], regions.shape[0])
      }
      throw OpError("it has \(regions.shape[0]) regions and the images of \(images.shape[0])")
    }
    let work: ElementType = x.element == .f64 ? .f64 : .f32
    let count = regions.shape[0]
    let corners = try n.subtract(n.multiply(n.convert(regions, work), pooling.scale), pooling.shift)
    let table = try n.pixelTable(n.convert(x, work), groups: 1)
    let rows = try n.axis(of: corners, 1, x.shape[2], pooling)
    let columns = try n.axis(of: corners, 0, x.shape[3], pooling)
    let last = try n.subtract(n.scalar(of: x.shape[0], .i64), 1)
    let limited = try n.map(.minimum, n.maximum(n.convert(images, .i64), 0), last)
    let bins = [count, Extent(pooling.extents[0]), Extent(pooling.extents[1])]
    let image = try n.broadcast(n.convert(limited, table.place), to: bins, at: [0])
    let start = try n.splat(pooling.takesGreatest ? -.infinity : 0, work, bins + [x.shape[1]])
    // A number, where it is one, so that the loop has a gradient.
    let known = n.scalar(Double(pooling.samples * pooling.samples), .i64)
    let rounds = try pooling.samples > 0 ? known : n.multiply(rows.rounds, columns.rounds)
    let result = try n.loop(count: rounds, [start]) { (n, round, values) throws(OpError) in
      let row = try n.sample(n.map(.divide, round, columns.rounds), of: rows, x.shape[2])
      let column = try n.sample(n.map(.remainder, round, columns.rounds), of: columns, x.shape[3])
      let steps = try [n.spread(row.step, bins, [0, 1]), n.spread(column.step, bins, [0, 2])]
      guard pooling.takesGreatest else { return [try n.add(values[0], n.sum(of: table, image, steps))] }
      let isOne = try n.map(
        .and, n.broadcast(row.isSample, to: bins, at: [0, 1]), n.broadcast(column.isSample, to: bins, at: [0, 2]))
      let greatest = try n.greatest(of: table, image, steps)
      let next = try n.map(.maximum, values[0], greatest)
      return [try n.select(n.broadcast(isOne, to: next.shape, at: [0, 1, 2]), next, values[0])]
    }
    let total = try n.reshape(n.multiply(rows.count, columns.count), [count, .one, .one, .one])
    var pooled = result[0]
    if pooling.takesGreatest {
      for (axis, dimensions) in [(rows, [0, 1]), (columns, [0, 2])] {
        guard let isCut = axis.isCut else { continue }
        pooled = try n.select(n.broadcast(isCut, to: pooled.shape, at: dimensions), n.maximum(pooled, 0), pooled)
      }
      pooled = try n.select(n.broadcast(n.compare(.greater, total, 0), to: pooled.shape), pooled, 0)
    } else {
      pooled = try n.divide(pooled, n.maximum(total, 1))
    }
    return try n.convert(n.transpose(pooled, [0, 3, 1, 2]), x.element)
  }
}

extension Lowering {
  /// The bins of regions along one dimension: of columns, with their sides 0 and 2 in `corners`, or of rows, with 1 and 3.
  fileprivate mutating func axis(
    of corners: Value, _ side: Int, _ extent: Extent, _ pooling: RegionPooling
  ) throws(OpError) -> RegionAxis {
    let element = corners.element
    let bins = pooling.extents[1 - side]
    let low = try slice(corners, axis: 1, Extent(side), Extent(side + 1))
    let high = try slice(corners, axis: 1, Extent(side + 2), Extent(side + 3))
    var size = try subtract(high, low)
    // Without the shift, a region has at least one element.
    if pooling.shift == 0 { size = try maximum(size, 1) }
    let length = try divide(size, Double(bins))
    let start = try add(multiply(iota(element, [corners.shape[0], Extent(bins)], axis: 1), length), low)
    guard pooling.samples == 0 else {
      let count = try splat(Double(pooling.samples), like: low)
      return RegionAxis(
        start: start, length: length, count: count, first: try splat(0, like: start), isCut: nil,
        rounds: scalar(.integer(Int64(pooling.samples)), .i64))
    }
    let count = try maximum(map(.ceil, length), 0)
    // Samples lie at most one element apart, and more than half of one where there are several. So many may lie inside of the
    // image; one or two more beside them are taken, so that rounding leaves none out.
    let most = try add(multiply(scalar(of: extent, element), 2), 8)
    func number(_ limit: Value, _ slack: Double) throws(OpError) -> Value {
      let cells = try multiply(divide(subtract(limit, start), length), count)
      return try map(.minimum, maximum(map(.floor, add(cells, slack)), 0), count)
    }
    let first = try number(scalar(-1, element), -2)
    let end = try map(.minimum, number(scalar(of: extent, element), 3), add(first, most))
    let isCut = try map(.or, compare(.greater, first, 0), compare(.less, end, count))
    let rounds = try reduce(convert(subtract(end, first), .i64), [0, 1], .maximum)
    return RegionAxis(
      start: start, length: length, count: count, first: first, isCut: isCut, rounds: try maximum(rounds, 0))
  }

  /// One sample of each bin along a dimension: the elements around it, none of which are inside where it is no sample.
  fileprivate mutating func sample(_ round: Value, of axis: RegionAxis, _ extent: Extent) throws(OpError) -> (
    step: PixelStep, isSample: Value
  ) {
    let element = axis.start.element
    let index = try add(axis.first, convert(round, element))
    let isSample = try compare(.less, index, axis.count)
    let place = try add(axis.start, divide(multiply(add(index, 0.5), axis.length), axis.count))
    let position = try select(isSample, place, -2)
    let length = try scalar(of: extent, element)
    let last = try subtract(length, 1)
    let isInside = try map(.and, compare(.greaterOrEqual, position, -1), compare(.lessOrEqual, position, length))
    let limited = try map(.minimum, maximum(position, 0), last)
    let floor = try map(.floor, limited)
    let ratio = try subtract(limited, floor)
    let near = PixelStep.Neighbour(position: floor, weight: try subtract(1, ratio), isInside: isInside)
    let next = try map(.minimum, add(floor, 1), last)
    let far = PixelStep.Neighbour(position: next, weight: ratio, isInside: isInside)
    return (PixelStep(neighbours: [near, far]), isSample)
  }

  /// Samples of one dimension of bins in all bins.
  fileprivate mutating func spread(_ step: PixelStep, _ bins: [Extent], _ dimensions: [Int]) throws(OpError)
    -> PixelStep
  {
    var spread = step
    for (index, own) in step.neighbours.enumerated() {
      spread.neighbours[index] = PixelStep.Neighbour(
        position: try broadcast(own.position, to: bins, at: dimensions),
        weight: try own.weight.map { (weight) throws(OpError) in try broadcast(weight, to: bins, at: dimensions) },
        isInside: try own.isInside.map { (inside) throws(OpError) in try broadcast(inside, to: bins, at: dimensions) })
    }
    return spread
  }

  /// The greatest of the corners' parts of samples, as the op has it, rather than of samples.
  fileprivate mutating func greatest(
    of table: PixelTable, _ image: Value, _ steps: [PixelStep]
  ) throws(OpError) -> Value {
    var greatest: Value?
    for part in try corners(of: table, image, steps) {
      greatest = try greatest.map { (old) throws(OpError) in try map(.maximum, old, part) } ?? part
    }
    guard let greatest else { throw OpError("its images have no dimensions") }
    return greatest
  }
}
