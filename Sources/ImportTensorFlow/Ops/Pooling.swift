import GraphBuilding
import IR

extension Operator {
  /// Folds of windows over the spatial dimensions.
  static let pooling: [Operator] = [
    Operator("MaxPool", one: { (n) throws(OpError) in try pool(&n, try n.input(0), "NHWC", .maximum) }),
    Operator("MaxPool3D", one: { (n) throws(OpError) in try pool(&n, try n.input(0), "NDHWC", .maximum) }),
    Operator("AvgPool", one: { (n) throws(OpError) in try pool(&n, try n.input(0), "NHWC", .add) }),
    Operator("AvgPool3D", one: { (n) throws(OpError) in try pool(&n, try n.input(0), "NDHWC", .add) }),
  ]

  static func pool(
    _ n: inout Lowering, _ image: Value, _ format: String, _ function: ScalarFunction
  ) throws(OpError) -> Value {
    let layout = try ImageLayout(try n.string("data_format", default: format), rank: format.count)
    guard image.rank == layout.rank else { throw OpError("it takes images, not \(image.type)") }
    let extents = try n.ints("ksize") ?? []
    guard extents.count == image.rank, extents.allSatisfy({ $0 > 0 && $0 <= 1 << 16 }), extents[0] == 1,
      extents[layout.feature] == 1
    else { throw .unsupported("attribute 'ksize' \(extents)") }
    let initial = n.scalar(n.neutral(function, image.element), image.element)
    let (window, low, high) = try n.window(over: image.type, layout, layout.spatial.map { extents[$0] })
    let x = try n.pad(image, initial, low: low, high: high)
    var whole = [WindowDimension](repeating: WindowDimension(extent: .one), count: x.rank)
    for (d, dimension) in zip(layout.spatial, window) { whole[d] = dimension }
    let fold = ReduceWindow(window: whole, body: try n.foldBody(function, x.element))
    var result = try n.emit(.reduceWindow(fold), [x, initial])
    guard function == .add else { return result }
    // An average counts the elements of the image that a window has, the product of their numbers by dimension.
    for (d, dimension) in zip(layout.spatial, window) {
      guard dimension.paddingLow > 0 || dimension.paddingHigh > 0 || x.shape[d] != image.shape[d] else {
        result = try n.divide(result, n.scalar(of: dimension.extent, x.element))
        continue
      }
      let line = try n.splat(1, x.element, [image.shape[d]])
      let ones = try n.pad(line, axis: 0, n.scalar(0, x.element), low: low[d], high: high[d])
      let count = ReduceWindow(window: [dimension], body: try n.foldBody(.add, x.element))
      let counts = try n.emit(.reduceWindow(count), [ones, n.scalar(0, x.element)])
      result = try n.divide(result, n.broadcast(counts, to: result.shape, at: [d]))
    }
    return result
  }
}
