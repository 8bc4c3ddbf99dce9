import GraphBuilding
import IR

extension Operator {
  /// Folds of windows over the spatial dimensions, and of these dimensions as a whole.
  static let pooling: [Operator] = [
    Operator("MaxPool", maxPool),
    Operator("AveragePool", one: averagePool),
    Operator("LpPool", one: lpPool),
    Operator("MaxUnpool", one: maxUnpool),
    Operator("GlobalAveragePool") { (n) throws(OpError) in
      let x = try n.input(0)
      return [try n.mean(x, Array(2..<max(2, x.rank)), keep: true)]
    },
    Operator("GlobalMaxPool") { (n) throws(OpError) in
      let x = try n.input(0)
      return [try n.reduce(x, Array(2..<max(2, x.rank)), .maximum, keep: true)]
    },
    Operator("GlobalLpPool") { (n) throws(OpError) in
      let x = try n.input(0)
      let p = try n.version < 2 ? n.float("p", default: 2) : Double(n.int("p", default: 2))
      let sum = try n.reduce(n.powers(of: x, p), Array(2..<max(2, x.rank)), .add, keep: true)
      return [try n.root(of: sum, p)]
    },
  ]

  private static func window(
    _ n: inout Lowering, _ x: Value
  ) throws(OpError) -> (dimensions: [WindowDimension], overhang: [Int]) {
    let extents = try n.required(n.ints("kernel_shape"), "kernel_shape")
    return try n.window(over: x, extents, ceiling: try n.flag("ceil_mode"))
  }

  private static func maxPool(_ n: inout Lowering) throws(OpError) -> [Value] {
    let x = try n.input(0)
    let window = try window(&n, x).dimensions
    let isColumnMajor = try n.flag("storage_order")
    guard n.wantsOutput(1) else { return [try n.fold(x, window, .maximum)] }
    // An element's position is counted over the whole tensor; within an image by rows or by columns.
    let order = isColumnMajor ? [0, 1] + (2..<x.rank).reversed() : Array(0..<x.rank)
    var stride = Extent.one
    var positions = try n.splat(0, .i64, x.shape)
    for d in order.reversed() {
      positions = try n.add(positions, n.multiply(n.iota(.i64, x.shape, axis: d), n.scalar(of: stride, .i64)))
      stride *= x.shape[d]
    }
    let body = try n.extremeBody(of: .greater, x.element, wantsLast: false)
    let initial = [n.scalar(x.element.lowest, x.element), n.scalar(.integer(.max), .i64)]
    let whole = [WindowDimension(extent: .one), WindowDimension(extent: .one)] + window
    return try n.emitAll(.reduceWindow(ReduceWindow(window: whole, body: body)), [x, positions] + initial)
  }

  private static func averagePool(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let countsPadding = try n.flag("count_include_pad")
    let (window, overhang) = try window(&n, x)
    let sum = try n.fold(x, window, .add)
    let isWhole = window.allSatisfy { $0.paddingLow == 0 && $0.paddingHigh == 0 }
    if isWhole || (countsPadding && overhang.allSatisfy { $0 == 0 }) {
      let count: Extent = window.reduce(.one) { $0 * $1.extent }
      return try n.divide(sum, n.scalar(of: count, x.element))
    }
    // How many elements each window holds is the product of the counts along its dimensions.
    var result = sum
    for (d, dimension) in window.enumerated() {
      let counts = try counts(&n, x, d, dimension, overhang[d], countsPadding)
      result = try n.divide(result, n.broadcast(counts, to: sum.shape, at: [d + 2]))
    }
    return result
  }

  /// For each position of the window along spatial dimension `d`, how many elements it averages.
  private static func counts(
    _ n: inout Lowering, _ x: Value, _ d: Int, _ dimension: WindowDimension, _ overhang: Int, _ countsPadding: Bool
  ) throws(OpError) -> Value {
    guard let extent = x.shape[d + 2].fixed, let taps = dimension.extent.fixed else {
      let ones = try n.splat(1, x.element, [x.shape[d + 2]])
      let body = try n.foldBody(.add, x.element)
      return try n.emit(.reduceWindow(ReduceWindow(window: [dimension], body: body)), [ones, n.scalar(0, x.element)])
    }
    let least = countsPadding ? -dimension.paddingLow : 0
    let limit = countsPadding ? extent + dimension.paddingHigh - overhang : extent
    let outputs = dimension.outputExtent(base: Extent(extent)).fixed ?? 0
    let counts: [Int] = (0..<outputs).map { position in
      let start = position * dimension.stride - dimension.paddingLow
      return (0..<taps).filter { (least..<limit).contains(start + $0 * dimension.windowDilation) }.count
    }
    return n.vector(counts.map { Double($0) }, x.element)
  }

  private static func lpPool(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let p = try n.version < 2 ? n.float("p", default: 2) : Double(n.int("p", default: 2))
    let window = try window(&n, x).dimensions
    return try n.root(of: n.fold(n.powers(of: x, p), window, .add), p)
  }

  /// Puts each element back to the position that `MaxPool` took it from, among zeros.
  private static func maxUnpool(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, positions) = (try n.input(0), try n.input(1))
    let extents = try n.required(n.ints("kernel_shape"), "kernel_shape")
    let rank = x.rank - 2
    let strides = try n.positive("strides", count: rank) ?? [Int](repeating: 1, count: rank)
    let pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
    guard rank >= 1, extents.count == rank, pads.count == 2 * rank, positions.shape == x.shape else {
      throw OpError("its inputs are \(x.type) and \(positions.type)")
    }
    var shape = Array(x.shape.prefix(2))
    for d in 0..<rank { shape.append((x.shape[d + 2] - 1) * strides[d] + extents[d] - pads[d] - pads[d + rank]) }
    let count: Extent = shape.reduce(.one) { $0 * $1 }
    let zeros = try n.splat(0, x.element, [count])
    let points = try n.reshape(positions, [x.type.elementCount, .one])
    let updates = try n.reshape(x, [x.type.elementCount])
    let result = try n.reshape(n.scatter(updates, into: zeros, at: points, nil), shape)
    guard n.optional(2) != nil else { return result }
    // Positions count in the inferred shape; a larger one continues it with zeros.
    let wanted = try n.shapeInput(2, "output shape")
    guard wanted.count == shape.count else { throw OpError("its output shape \(wanted) does not fit \(x.type)") }
    let high: [Extent] = zip(wanted, shape).map { $0 - $1 }
    return try n.pad(result, n.scalar(0, x.element), low: shape.map { _ in .zero }, high: high)
  }
}

extension Lowering {
  /// Folds windows over the spatial dimensions.
  mutating func fold(_ x: Value, _ window: [WindowDimension], _ function: ScalarFunction) throws(OpError) -> Value {
    let body = try foldBody(function, x.element)
    let initial = scalar(neutral(function, x.element), x.element)
    let whole = [WindowDimension(extent: .one), WindowDimension(extent: .one)] + window
    return try emit(.reduceWindow(ReduceWindow(window: whole, body: body)), [x, initial])
  }

  /// `|x|` to the power of `p`.
  mutating func powers(of x: Value, _ p: Double) throws(OpError) -> Value {
    if p == 2 { return try multiply(x, x) }
    let magnitude = try map(.abs, x)
    return p == 1 ? magnitude : try map(.power, magnitude, scalar(p, x.element))
  }

  /// The root that undoes `powers`.
  mutating func root(of x: Value, _ p: Double) throws(OpError) -> Value {
    if p == 1 { return x }
    return p == 2 ? try map(.squareRoot, x) : try map(.power, x, scalar(1 / p, x.element))
  }
}
