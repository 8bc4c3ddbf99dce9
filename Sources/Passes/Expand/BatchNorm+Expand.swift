import IR

extension BatchNormInference {
  /// `scale * (x - mean) / sqrt(variance + epsilon) + offset`.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let deviation = try c.deviation(variance: x[4], epsilon)
    let centered = try c.apply(.subtract, x[0], c.spread(x[3], along: featureIndex, like: x[0]))
    let normalized = try c.apply(.divide, centered, c.spread(deviation, along: featureIndex, like: x[0]))
    let scaled = try c.apply(.multiply, c.spread(x[1], along: featureIndex, like: x[0]), normalized)
    return [try c.apply(.add, scaled, c.spread(x[2], along: featureIndex, like: x[0]))]
  }
}

extension BatchNormTraining {
  /// The same with the batch's own mean and variance.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let mean = try c.mean(x[0], keeping: featureIndex)
    let centered = try c.apply(.subtract, x[0], c.spread(mean, along: featureIndex, like: x[0]))
    let variance = try c.mean(c.apply(.multiply, centered, centered), keeping: featureIndex)
    let norm = BatchNormInference(epsilon: epsilon, featureIndex: featureIndex)
    return try norm.expand([x[0], x[1], x[2], mean, variance], &c) + [mean, variance]
  }
}

extension BatchNormGrad {
  /// The gradients of operand, scale and offset (StableHLO spec, "batch_norm_grad").
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let (operand, scale, mean, variance, gradient) = (x[0], x[1], x[2], x[3], x[4])
    let count = try c.elementsPerFeature(operand, featureIndex)
    let deviation = try c.deviation(variance: variance, epsilon)
    let centered = try c.apply(.subtract, operand, c.spread(mean, along: featureIndex, like: operand))
    let products = try c.sum(c.apply(.multiply, gradient, centered), keeping: featureIndex)
    let offsetGradient = try c.sum(gradient, keeping: featureIndex)
    let scaleGradient = try c.apply(.divide, products, deviation)
    let squared = try c.apply(.add, variance, c.splat(epsilon, like: variance))
    let i1 = try c.apply(.multiply, gradient, c.filled(count, like: operand))
    let i2 = try c.spread(offsetGradient, along: featureIndex, like: operand)
    let slope = try c.spread(c.apply(.divide, products, squared), along: featureIndex, like: operand)
    let i3 = try c.apply(.multiply, centered, slope)
    let difference = try c.apply(.subtract, c.apply(.subtract, i1, i2), i3)
    let counts = try c.filled(count, like: scale)
    let factor = try c.apply(.divide, c.apply(.divide, scale, deviation), counts)
    let operandGradient = try c.apply(.multiply, c.spread(factor, along: featureIndex, like: operand), difference)
    return [operandGradient, scaleGradient, offsetGradient]
  }
}

extension Composer {
  fileprivate mutating func deviation(variance: ValueID, _ epsilon: Double) throws(OpError) -> ValueID {
    try apply(.squareRoot, apply(.add, variance, splat(epsilon, like: variance)))
  }

  fileprivate mutating func mean(_ value: ValueID, keeping dimension: Int) throws(OpError) -> ValueID {
    let total = try sum(value, keeping: dimension)
    return try apply(.divide, total, filled(elementsPerFeature(value, dimension), like: total))
  }

  /// How many elements each feature has, as a scalar of the value's type.
  fileprivate mutating func elementsPerFeature(_ value: ValueID, _ dimension: Int) throws(OpError) -> ValueID {
    let type = type(value)
    var count = Extent.one
    for (d, extent) in type.dimensions.enumerated() where d != dimension { count *= extent }
    if let fixed = count.fixed {
      return try append(.constant(.scalar(Scalar(Double(fixed), type.elementType), type.elementType)))
    }
    let integer = try append(.extentValue(ExtentValue(extent: count, elementType: .i64)))
    return try apply(.convert(type.elementType), integer)
  }

  /// A scalar with the dimensions of `like`.
  fileprivate mutating func filled(_ scalar: ValueID, like: ValueID) throws(OpError) -> ValueID {
    try append(
      .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type(like).dimensions)), scalar)
  }
}
