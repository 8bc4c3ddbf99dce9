import GraphBuilding
import IR

extension Operator {
  /// Gradients, which models have in them that differentiate: by activations, biases, convolutions, pooling.
  static let gradients: [Operator] = [
    // Of the result `y` of a function and the gradient by it.
    byResult("TanhGrad") { (n, y) throws(OpError) in try n.subtract(1, n.multiply(y, y)) },
    byResult("SigmoidGrad") { (n, y) throws(OpError) in try n.multiply(y, n.subtract(1, y)) },
    byResult("SqrtGrad") { (n, y) throws(OpError) in try n.divide(0.5, y) },
    byResult("RsqrtGrad") { (n, y) throws(OpError) in try n.multiply(n.multiply(n.multiply(y, y), y), -0.5) },
    byResult("ReciprocalGrad") { (n, y) throws(OpError) in try n.map(.negate, n.multiply(y, y)) },
    byResult("InvGrad") { (n, y) throws(OpError) in try n.map(.negate, n.multiply(y, y)) },
    // Of the gradient by the result, and the argument or, of ELU and SELU, the result.
    choice("ReluGrad") { (n, dy, x) throws(OpError) in (try n.compare(.greater, x, 0), dy, n.scalar(0, x.element)) },
    choice("Relu6Grad") { (n, dy, x) throws(OpError) in
      let isInside = try n.map(.and, n.compare(.greater, x, 0), n.compare(.less, x, 6))
      return (isInside, dy, n.scalar(0, x.element))
    },
    choice("EluGrad") { (n, dy, y) throws(OpError) in
      (try n.compare(.less, y, 0), try n.multiply(dy, n.add(y, 1)), dy)
    },
    choice("SeluGrad") { (n, dy, y) throws(OpError) in
      let (scale, alpha) = (1.0507009873554805, 1.6732632423543772)
      return (try n.compare(.less, y, 0), try n.multiply(dy, n.add(y, scale * alpha)), try n.multiply(dy, scale))
    },
    choice("LeakyReluGrad") { (n, dy, x) throws(OpError) in
      let alpha = try n.float("alpha", default: 0.2)
      return (try n.compare(.greater, x, 0), dy, try n.multiply(dy, alpha))
    },
    Operator(
      "SoftplusGrad",
      one: { (n) throws(OpError) in
        try n.multiply(try n.input(0), n.map(.logistic, try n.input(1)))
      }),
    Operator(
      "SoftsignGrad",
      one: { (n) throws(OpError) in
        let divisor = try n.add(n.map(.abs, try n.input(1)), 1)
        return try n.divide(try n.input(0), n.multiply(divisor, divisor))
      }),
    Operator(
      "BiasAddGrad",
      one: { (n) throws(OpError) in
        let dy = try n.input(0)
        let format = try n.string("data_format", default: "NHWC")
        let axis = format.hasPrefix("NC") ? 1 : dy.rank - 1
        return try n.reduce(dy, (0..<dy.rank).filter { $0 != axis }, .add)
      }),
    Operator("Conv2DBackpropFilter", one: { (n) throws(OpError) in try kernelGradient(&n, "NHWC", rank: 4) }),
    Operator("Conv3DBackpropFilterV2", one: { (n) throws(OpError) in try kernelGradient(&n, "NDHWC", rank: 5) }),
    Operator("MaxPoolGrad", one: { (n) throws(OpError) in try maximumGradient(&n, "NHWC") }),
    Operator("MaxPool3DGrad", one: { (n) throws(OpError) in try maximumGradient(&n, "NDHWC") }),
  ]

  private static func byResult(
    _ name: String, _ slope: @escaping @Sendable (inout Lowering, Value) throws(OpError) -> Value
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (y, dy) = (try n.input(0), try n.input(1))
      return [try n.multiply(dy, slope(&n, y))]
    }
  }

  private static func choice(
    _ name: String,
    _ parts: @escaping @Sendable (inout Lowering, Value, Value) throws(OpError) -> (Value, Value, Value)
  ) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (predicate, x, y) = try parts(&n, try n.input(0), try n.input(1))
      return [try n.select(predicate, x, y)]
    }
  }

  /// The gradient of a convolution by its kernel: the image convolved with the gradient, batches being features.
  private static func kernelGradient(_ n: inout Lowering, _ format: String, rank: Int) throws(OpError) -> Value {
    n.ignore("use_cudnn_on_gpu")
    let (x, dy) = (try n.input(0), try n.input(2))
    guard x.rank == rank, dy.rank == rank else { throw OpError("it takes \(x.type) and \(dy.type)") }
    let layout = try ImageLayout(try n.string("data_format", default: format), rank: rank)
    let shape = try n.integers(of: try n.input(1), "kernel shape")
    guard shape.count == rank, shape.allSatisfy({ $0 > 0 && $0 < 1 << 31 }) else {
      throw OpError("its kernel has the shape \(shape)")
    }
    func differentiated() throws(OpError) -> Value {
      let kernel = try n.splat(0, dy.element, shape.map { Extent($0) })
      return try n.gradient(of: [kernel], by: dy) { (n, k) throws(OpError) in try convolution(&n, x, k[0], format) }
    }
    guard x.shape[layout.feature] == Extent(shape[rank - 2]) else { return try differentiated() }
    let (forward, low, high) = try n.window(over: x.type, layout, Array(shape.dropLast(2)))
    guard (low + high).allSatisfy({ $0 == .zero }) else { return try differentiated() }
    var window: [WindowDimension] = []
    for (index, d) in layout.spatial.enumerated() {
      let dimension = forward[index]
      // As much of the image as the kernel's last element meets.
      let reach = (shape[index] - 1) * dimension.windowDilation + 1
      let rest = (dy.shape[d] - 1) * dimension.stride + reach - x.shape[d] - dimension.paddingLow
      guard let after = rest.fixed else { return try differentiated() }
      window.append(
        WindowDimension(
          extent: dy.shape[d], stride: dimension.windowDilation, paddingLow: dimension.paddingLow, paddingHigh: after,
          windowDilation: dimension.stride))
    }
    let numbers = Convolution.DimensionNumbers(
      inputBatch: layout.feature, inputFeature: 0, inputSpatial: layout.spatial, kernelInputFeature: 0,
      kernelOutputFeature: layout.feature, kernelSpatial: layout.spatial, outputBatch: rank - 2,
      outputFeature: rank - 1, outputSpatial: Array(0..<rank - 2))
    return try n.emit(
      .convolution(Convolution(window: window, dimensionNumbers: numbers, resultType: x.element)), [x, dy])
  }

  /// Each gradient goes to the first greatest element of its window.
  static func maximumGradient(_ n: inout Lowering, _ format: String) throws(OpError) -> Value {
    let (x, dy) = (try n.input(0), try n.input(2))
    let layout = try ImageLayout(try n.string("data_format", default: format), rank: format.count)
    let extents = try n.ints("ksize") ?? []
    guard x.rank == layout.rank, extents.count == x.rank, extents.allSatisfy({ $0 > 0 && $0 < 1 << 31 }),
      extents[0] == 1, extents[layout.feature] == 1
    else { throw .unsupported("attribute 'ksize' \(extents)") }
    let (window, low, high) = try n.window(over: x.type, layout, layout.spatial.map { extents[$0] })
    guard (low + high).allSatisfy({ $0 == .zero }) else { throw .unsupported("paddings that depend on \(x.shape)") }
    var whole = [WindowDimension](repeating: WindowDimension(extent: .one), count: x.rank)
    for (d, dimension) in zip(layout.spatial, window) { whole[d] = dimension }
    let op = SelectAndScatter(
      window: whole, select: try n.foldBody(.compare(.greaterOrEqual, .float), x.element),
      scatter: try n.foldBody(.add, x.element))
    return try n.emit(.selectAndScatter(op), [x, dy, n.scalar(0, x.element)])
  }
}
