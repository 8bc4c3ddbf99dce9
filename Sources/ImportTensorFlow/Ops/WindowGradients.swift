import GraphBuilding
import IR

extension Operator {
  /// Gradients of convolutions, of pooling, of images resized, of parts: what reverse-mode differentiation makes of the op.
  static let windowGradients: [Operator] = [
    Operator("AvgPoolGrad", one: { (n) throws(OpError) in try averageGradient(&n, "NHWC") }),
    Operator("AvgPool3DGrad", one: { (n) throws(OpError) in try averageGradient(&n, "NDHWC") }),
    Operator(
      "DepthwiseConv2dNativeBackpropInput",
      one: { (n) throws(OpError) in
        let (kernel, dy) = (try n.input(1), try n.input(2))
        let image = try n.empty(dy.element, n.shapeInput(0, "input sizes"))
        return try n.gradient(of: [image], by: dy) { (n, x) throws(OpError) in try depthwise(&n, x[0], kernel) }
      }),
    Operator(
      "DepthwiseConv2dNativeBackpropFilter",
      one: { (n) throws(OpError) in
        let (image, dy) = (try n.input(0), try n.input(2))
        let kernel = try n.empty(dy.element, n.shapeInput(1, "kernel shape"))
        return try n.gradient(of: [kernel], by: dy) { (n, x) throws(OpError) in try depthwise(&n, image, x[0]) }
      }),
    Operator(
      "MaxPoolGradWithArgmax",
      one: { (n) throws(OpError) in
        n.ignore("ksize", "strides", "padding")
        let (x, dy, places) = (try n.input(0), try n.input(1), try n.input(2))
        try n.unify(places.shape, dy.shape, "its places \(places.type) do not fit \(dy.type)")
        var positions = try n.convert(places, .i64)
        if !(try n.flag("include_batch_in_index")) {
          let image = x.shape.dropFirst().reduce(.one) { $0 * $1 }
          positions = try n.add(
            positions, n.multiply(n.iota(.i64, dy.shape, axis: 0), n.scalar(of: image, .i64)))
        }
        let (count, total) = (dy.type.elementCount, x.type.elementCount)
        let line = try n.scatter(
          n.reshape(dy, [count]), into: n.splat(0, dy.element, [total]), at: n.reshape(positions, [count, .one]), .add)
        return try n.reshape(line, x.shape)
      }),
    Operator(
      "ResizeBilinearGrad",
      one: { (n) throws(OpError) in
        let (dy, image) = (try n.input(0), try n.input(1))
        return try resizeGradient(&n, dy, image.element, image.shape, .linear)
      }),
    Operator(
      "ResizeBicubicGrad",
      one: { (n) throws(OpError) in
        let (dy, image) = (try n.input(0), try n.input(1))
        return try resizeGradient(&n, dy, image.element, image.shape, .cubic)
      }),
    Operator(
      "ResizeNearestNeighborGrad",
      one: { (n) throws(OpError) in
        let dy = try n.input(0)
        let size = try n.shapeInput(1, "size")
        guard dy.rank == 4, size.count == 2 else { throw OpError("it takes images, not \(dy.type)") }
        return try resizeGradient(&n, dy, dy.element, [dy.shape[0]] + size + [dy.shape[3]], .nearest)
      }),
    Operator(
      "MirrorPadGrad",
      one: { (n) throws(OpError) in
        let dy = try n.input(0)
        let (low, high) = try paddings(&n, dy)
        let image = try n.empty(dy.element, dy.shape.indices.map { dy.shape[$0] - low[$0] - high[$0] })
        return try n.gradient(of: [image], by: dy) { (n, x) throws(OpError) in try mirrorPad(&n, x[0]) }
      }),
    Operator(
      "StridedSliceGrad",
      one: { (n) throws(OpError) in
        let dy = try n.input(4)
        let x = try n.empty(dy.element, n.shapeInput(0))
        return try n.gradient(of: [x], by: dy) { (n, x) throws(OpError) in try stridedSlice(&n, x[0]) }
      }),
    Operator(
      "LRNGrad",
      one: { (n) throws(OpError) in
        try n.gradient(of: [try n.input(1)], by: try n.input(0)) { (n, x) throws(OpError) in
          try localResponse(&n, x[0])
        }
      }),
    Operator(
      "CropAndResizeGradImage",
      one: { (n) throws(OpError) in
        let dy = try n.input(0)
        let image = try n.empty(try n.elementType("T", default: .f32), n.shapeInput(3, "image size"))
        return try n.gradient(of: [image], by: dy) { (n, x) throws(OpError) in
          try crops(&n, x[0], boxes: try n.input(1), images: try n.input(2), Array(dy.shape.dropFirst().prefix(2)))
        }
      }),
    Operator(
      "CropAndResizeGradBoxes",
      one: { (n) throws(OpError) in
        let (dy, image) = (try n.input(0), try n.convert(try n.input(1), .f32))
        return try n.gradient(of: [try n.input(2)], by: dy) { (n, x) throws(OpError) in
          try crops(&n, image, boxes: x[0], images: try n.input(3), Array(dy.shape.dropFirst().prefix(2)))
        }
      }),
    Operator(
      "Dilation2DBackpropInput",
      one: { (n) throws(OpError) in
        let kernel = try n.input(1)
        return try n.gradient(of: [try n.input(0)], by: try n.input(2)) { (n, x) throws(OpError) in
          try dilation(&n, x[0], kernel)
        }
      }),
    Operator(
      "Dilation2DBackpropFilter",
      one: { (n) throws(OpError) in
        let image = try n.input(0)
        return try n.gradient(of: [try n.input(1)], by: try n.input(2)) { (n, x) throws(OpError) in
          try dilation(&n, image, x[0])
        }
      }),
    batchNormGradient("FusedBatchNormGrad"), batchNormGradient("FusedBatchNormGradV2"),
    batchNormGradient("FusedBatchNormGradV3"),
  ]

  private static func averageGradient(_ n: inout Lowering, _ format: String) throws(OpError) -> Value {
    let dy = try n.input(1)
    let image = try n.empty(dy.element, n.shapeInput(0, "input shape"))
    return try n.gradient(of: [image], by: dy) { (n, x) throws(OpError) in try pool(&n, x[0], format, .add) }
  }

  private static func resizeGradient(
    _ n: inout Lowering, _ dy: Value, _ element: ElementType, _ shape: [Extent], _ mode: Sampling.Mode
  ) throws(OpError) -> Value {
    guard dy.rank == 4, shape.count == 4 else { throw OpError("it takes images, not \(dy.type)") }
    // Sums of many integers are integers of more bits.
    let work = element.isFloat ? dy.element : .f64
    let image = try n.empty(work, shape)
    let gradient = try n.gradient(of: [image], by: n.convert(dy, work)) { (n, x) throws(OpError) in
      try resize(&n, x[0], [dy.shape[1], dy.shape[2]], mode)
    }
    return try n.convert(gradient, element)
  }

  /// Gradients by the image, the scale and the offset of a batch normalization, whose mean and variance are given.
  private static func batchNormGradient(_ name: String) -> Operator {
    let outputs = ["x_backprop", "scale_backprop", "offset_backprop", "reserve_space_3", "reserve_space_4"]
    let later = Array(outputs.prefix(3)) + ["reserve_space_4", "reserve_space_5"]
    return Operator(name, outputs: name.hasSuffix("V3") ? later : outputs) { (n) throws(OpError) in
      let (narrow, image, scale) = (try n.input(0), try n.input(1), try n.input(2))
      let (mean, variance) = (try n.input(3), try n.input(4))
      let epsilon = try n.float("epsilon", default: 0.0001)
      let isTraining = try n.flag("is_training", default: true)
      let layout = try ImageLayout(
        try n.string("data_format", default: image.rank == 5 ? "NDHWC" : "NHWC"), rank: image.rank)
      let dy = try n.convert(narrow, scale.element)
      let axes = image.shape.indices.filter { $0 != layout.feature }
      func channels(_ vector: Value) throws(OpError) -> Value {
        try n.broadcast(vector, to: dy.shape, at: [layout.feature])
      }
      let centred = try n.subtract(n.convert(image, scale.element), channels(mean))
      let slope = try n.map(.reciprocalSquareRoot, n.add(variance, epsilon))
      let offsetGradient = try n.reduce(dy, axes, .add)
      let products = try n.reduce(n.multiply(dy, centred), axes, .add)
      var rest = dy
      if isTraining {
        let count = try n.scalar(of: axes.reduce(.one) { $0 * dy.shape[$1] }, scale.element)
        let share = try n.divide(n.multiply(n.multiply(slope, slope), products), count)
        rest = try n.subtract(rest, channels(n.divide(offsetGradient, count)))
        rest = try n.subtract(rest, n.multiply(centred, channels(share)))
      }
      let dx = try n.convert(n.multiply(rest, channels(n.multiply(scale, slope))), image.element)
      let none = try n.splat(0, scale.element, [0])
      return [dx, try n.multiply(products, slope), offsetGradient, none, none]
    }
  }
}

extension Lowering {
  /// Zeros: what a function is differentiated at that depends on the shape only.
  fileprivate mutating func empty(_ element: ElementType, _ shape: [Extent]) throws(OpError) -> Value {
    try checkSize(TensorType(element, shape))
    return try splat(0, element, shape)
  }

  /// The gradient by the first of `arguments` that the gradient `dy` of what `function` makes of them gives.
  mutating func gradient(
    of arguments: [Value], by dy: Value, _ function: (inout Lowering, [Value]) throws(OpError) -> Value
  ) throws(OpError) -> Value {
    try cotangents(of: arguments, wanted: 1, function) { (n, type) throws(OpError) in
      try n.unify(dy.shape, type.dimensions, "\(dy.type) is no gradient of \(type)")
      return try n.convert(dy, type.elementType)
    }[0]
  }
}
