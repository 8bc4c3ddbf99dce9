import GraphBuilding
import IR

/// The elements of images, those of one place side by side: a row for each place, and one of zeros behind them, which stands
/// for all that lies outside.
struct PixelTable {
  let rows: Value
  /// The extents of one image.
  let space: [Extent]
  /// How many rows have elements.
  let count: Extent
  /// The type of a row's number.
  let place: ElementType
}

/// The elements along a dimension around each position.
struct PixelStep {
  struct Neighbour {
    /// A whole number, which may lie outside of the image.
    var position: Value
    /// None stands for 1.
    var weight: Value?
    /// None where all positions are inside.
    var isInside: Value?
  }
  var neighbours: [Neighbour]
}

extension Lowering {
  /// The table of images `[batch, features, space…]`, with the features in so many groups: image `b` of group `g` is image
  /// `b * groups + g` of the table.
  mutating func pixelTable(_ x: Value, groups: Int) throws(OpError) -> PixelTable {
    let space = Array(x.shape[2...])
    let depth = x.shape[1].floorDivided(by: Extent(groups))
    let split = try reshape(x, [x.shape[0], Extent(groups), depth] + space)
    let moved = try transpose(split, [0, 1] + space.indices.map { $0 + 3 } + [2])
    let count = space.reduce(x.shape[0] * groups) { $0 * $1 }
    let rows = try pad(reshape(moved, [count, depth]), axis: 0, scalar(0, x.element), low: 0, high: 1)
    let isShort = count.fixed.map { $0 < Int(Int32.max) } ?? false
    return PixelTable(rows: rows, space: space, count: count, place: isShort ? .i32 : .i64)
  }

  /// The elements around positions along a dimension; beyond the ends they are outside, where there are zeros.
  mutating func neighbours(of position: Value, in extent: Extent) throws(OpError) -> PixelStep {
    let length = try scalar(of: extent, position.element)
    // Beyond one element outside all are alike, and weights stay finite.
    let limited = try map(.minimum, maximum(position, -2), length)
    let floor = try map(.floor, limited)
    let ratio = try subtract(limited, floor)
    var neighbours: [PixelStep.Neighbour] = []
    for (place, weight) in [(floor, try subtract(1, ratio)), (try add(floor, 1), ratio)] {
      let isInside = try map(.and, compare(.greaterOrEqual, place, 0), compare(.less, place, length))
      neighbours.append(PixelStep.Neighbour(position: place, weight: weight, isInside: isInside))
    }
    return PixelStep(neighbours: neighbours)
  }

  /// For each combination of neighbours its row, times its weight and `strength`.
  mutating func corners(
    of table: PixelTable, _ image: Value, _ steps: [PixelStep], times strength: Value? = nil
  ) throws(OpError) -> [Value] {
    let outside = try scalar(of: table.count, table.place)
    var corners: [Value] = []
    for choice in allIndices(steps.map(\.neighbours.count)) {
      var row = image
      var weight: Value?
      var isInside: Value?
      for (d, index) in choice.enumerated() {
        let own = steps[d].neighbours[index]
        let extent = try scalar(of: table.space[d], table.place)
        row = try add(multiply(row, extent), convert(own.position, table.place))
        weight = try both(weight, own.weight) { (n, a, b) throws(OpError) in try n.multiply(a, b) }
        isInside = try both(isInside, own.isInside) { (n, a, b) throws(OpError) in try n.map(.and, a, b) }
      }
      if let isInside { row = try select(isInside, row, outside) }
      weight = try both(weight, strength) { (n, a, b) throws(OpError) in try n.multiply(a, b) }
      let corner = try rows(of: table, at: row)
      corners.append(try weight.map { (w) throws(OpError) in try multiply(corner, unsqueeze(w, w.rank)) } ?? corner)
    }
    return corners
  }

  /// The two together, or the one that there is.
  private mutating func both(
    _ a: Value?, _ b: Value?, _ combine: (inout Lowering, Value, Value) throws(OpError) -> Value
  ) throws(OpError) -> Value? {
    guard let a, let b else { return a ?? b }
    return try combine(&self, a, b)
  }

  /// The rows of a table at `places`, as a new last dimension.
  private mutating func rows(of table: PixelTable, at places: Value) throws(OpError) -> Value {
    let gather = Gather(
      offsetDims: [places.rank], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: places.rank,
      sliceExtents: [.one, table.rows.shape[1]])
    return try emit(.gather(gather), [table.rows, places])
  }

  /// What lies at positions between elements: the sum of all corners, by their weights, and by `strength`.
  mutating func sum(
    of table: PixelTable, _ image: Value, _ steps: [PixelStep], times strength: Value? = nil
  ) throws(OpError) -> Value {
    var sum: Value?
    for part in try corners(of: table, image, steps, times: strength) {
      sum = try sum.map { (old) throws(OpError) in try add(old, part) } ?? part
    }
    guard let sum else { throw OpError("its images have no dimensions") }
    return sum
  }
}
