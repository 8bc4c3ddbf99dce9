import GraphBuilding
import IR

extension Operator {
  /// Ops that read images between their elements, at places that are data.
  static let deformation: [Operator] = [
    Operator("DeformConv", one: deformableConvolution),
    Operator("RoiAlign", one: regionAlignment),
  ]

  /// A convolution whose kernel reads each of its elements at an offset of its own: the elements that it reads, one row for each
  /// result, times the kernel.
  private static func deformableConvolution(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, kernel, offsets) = (try n.input(0), try n.input(1), try n.input(2))
    let (bias, mask) = (n.optional(3), n.optional(4))
    guard x.element.isFloat, [kernel, offsets, bias, mask].allSatisfy({ $0.map { $0.element == x.element } ?? true })
    else { throw OpError("its inputs are not floats of one type") }
    let window = try n.kernelWindow(x, kernel)
    guard window.count <= 4 else { throw .unsupported("\(window.count) spatial dimensions") }
    guard let taps = TensorType(.i1, window.map(\.extent)).elementCount.fixed, taps <= 1 << 16 else {
      throw .unsupported("a kernel \(kernel.type)")
    }
    let shape = DeformedShape(
      batch: x.shape[0], source: Array(x.shape[2...]),
      space: window.indices.map { window[$0].outputExtent(base: x.shape[$0 + 2]) }, taps: taps,
      groups: try n.int("offset_group", default: 1))
    let groups = try n.int("group", default: 1)
    let (features, outputs) = (x.shape[1], kernel.shape[0])
    guard let depth = features.parts(groups), depth == kernel.shape[1], let each = outputs.parts(groups) else {
      throw OpError("a kernel \(kernel.type) does not fit \(x.type) in \(groups) groups")
    }
    guard features.parts(shape.groups) != nil else {
      throw OpError("\(features) features do not fall into \(shape.groups) groups of offsets")
    }
    let work: ElementType = x.element == .f64 ? .f64 : .f32
    let table = try n.pixelTable(n.convert(x, work), groups: shape.groups)
    let steps = try n.deformed(offsets, window, shape, work)
    let strength = try mask.map { (mask) throws(OpError) in try n.perTap(mask, shape, count: 1, "mask", work)[0] }
    let row = try n.iota(table.place, [shape.batch, Extent(shape.groups)], axis: 0)
    let part = try n.iota(table.place, row.shape, axis: 1)
    let image = try n.add(n.multiply(row, Double(shape.groups)), part)
    let images = try n.reshape(n.broadcast(image, to: shape.whole, at: [0, shape.whole.count - 1]), shape.flat)
    var columns = try n.sum(of: table, images, steps, times: strength)
    let results = shape.flat[0]
    columns = try n.reshape(columns, [results, shape.flat[1], Extent(groups), depth])
    let weights = try n.reshape(n.convert(kernel, work), [Extent(groups), each, depth, shape.flat[1]])
    var y: Value
    if groups == 1 {
      let (left, right) = (try n.squeeze(columns, 2), try n.squeeze(weights, 0))
      y = try n.dot(left, right, contracting: ([1, 2], [2, 1]))
    } else {
      y = try n.dot(columns, weights, batching: ([2], [0]), contracting: ([1, 3], [3, 2]))
      y = try n.reshape(n.transpose(y, [1, 0, 2]), [results, outputs])
    }
    let rank = x.rank
    y = try n.transpose(n.reshape(y, [shape.batch] + shape.space + [outputs]), [0, rank - 1] + Array(1..<rank - 1))
    return try n.convert(n.addBias(bias.map { (bias) throws(OpError) in try n.convert(bias, work) }, to: y), x.element)
  }
}

/// What is read for a deformed convolution: for each result and each tap of the kernel one place in each group of features.
private struct DeformedShape {
  var batch: Extent
  /// The spatial extents of the image, and of the result.
  var source: [Extent]
  var space: [Extent]
  var taps: Int
  var groups: Int

  /// `[batch, space…, taps, groups]`.
  var whole: [Extent] { [batch] + space + [Extent(taps), Extent(groups)] }
  /// `[batch and space, taps, groups]`.
  var flat: [Extent] { [space.reduce(batch) { $0 * $1 }, Extent(taps), Extent(groups)] }
}

extension Lowering {
  /// Tensors of the flat shape from one `[batch, groups × taps × count, space…]`.
  fileprivate mutating func perTap(
    _ x: Value, _ shape: DeformedShape, count: Int, _ what: String, _ element: ElementType
  ) throws(OpError) -> [Value] {
    let wanted = [shape.batch, Extent(shape.groups) * shape.taps * count] + shape.space
    guard x.rank == wanted.count else { throw OpError("its \(what) is \(x.type), not of rank \(wanted.count)") }
    for (given, wanted) in zip(x.shape, wanted) where given != wanted {
      guard given.isFixed, wanted.isFixed else { throw inequality(given, wanted, ", where its \(what) is \(x.type)") }
      throw OpError("its \(what) is \(x.type), with an extent of \(given) where \(wanted) is needed")
    }
    let split = [shape.batch, Extent(shape.groups), Extent(shape.taps), Extent(count)]
    let parts = try reshape(x, split + shape.space)
    var results: [Value] = []
    for index in 0..<count {
      let part = try squeeze(slice(parts, axis: 3, Extent(index), Extent(index + 1)), 3)
      let order = [0] + shape.space.indices.map { $0 + 3 } + [2, 1]
      results.append(try convert(reshape(transpose(part, order), shape.flat), element))
    }
    return results
  }

  /// Along each dimension the two elements between which each tap reads.
  fileprivate mutating func deformed(
    _ offsets: Value, _ window: [WindowDimension], _ shape: DeformedShape, _ element: ElementType
  ) throws(OpError) -> [PixelStep] {
    let parts = try perTap(offsets, shape, count: window.count, "offset", element)
    let taps = Array(allIndices(window.map { $0.extent.fixed ?? 1 }))
    var steps: [PixelStep] = []
    for (d, dimension) in window.enumerated() {
      let start = try multiply(iota(element, [shape.space[d]], axis: 0), Double(dimension.stride))
      let inner = vector(taps.map { Double($0[d] * dimension.windowDilation - dimension.paddingLow) }, element)
      let (outer, last) = ([d + 1], shape.whole.count - 2)
      let place = try add(broadcast(start, to: shape.whole, at: outer), broadcast(inner, to: shape.whole, at: [last]))
      steps.append(try neighbours(of: add(reshape(place, shape.flat), parts[d]), in: shape.source[d]))
    }
    return steps
  }
}

extension Extent {
  /// What each of `count` equal parts has; nil where there are none.
  fileprivate func parts(_ count: Int) -> Extent? {
    guard count > 0, count <= 1 << 31 else { return nil }
    let part = floorDivided(by: Extent(count))
    return part * count == self ? part : nil
  }
}
