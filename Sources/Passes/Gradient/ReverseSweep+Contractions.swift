import IR

extension ReverseSweep {
  /// `dot_general`: the cotangent contracted with the other operand, over the dimensions that only that has.
  mutating func pullBack(_ op: DotGeneral, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    let d = op.dimensions
    let (lhsFree, rhsFree) = (d.lhsFree(rank: c.type(x[0]).rank), d.rhsFree(rank: c.type(x[1]).rank))
    let batch = Array(d.lhsBatching.indices)
    let lhsPlaces = lhsFree.indices.map { batch.count + $0 }
    let rhsPlaces = rhsFree.indices.map { batch.count + lhsFree.count + $0 }
    if wants(x[0]) {
      let contraction = Contraction(
        lhsBatching: batch, rhsBatching: d.rhsBatching, lhsContracting: rhsPlaces, rhsContracting: rhsFree)
      let contracted = d.rhsContracting.indices.sorted { d.rhsContracting[$0] < d.rhsContracting[$1] }
      let order = d.lhsBatching + lhsFree + contracted.map { d.lhsContracting[$0] }
      try give(product(g, x[1], contraction, order, like: x[0]), to: x[0])
    }
    if wants(x[1]) {
      let contraction = Contraction(
        lhsBatching: batch, rhsBatching: d.lhsBatching, lhsContracting: lhsPlaces, rhsContracting: lhsFree)
      let contracted = d.lhsContracting.indices.sorted { d.lhsContracting[$0] < d.lhsContracting[$1] }
      let order = d.rhsBatching + rhsFree + contracted.map { d.rhsContracting[$0] }
      try give(product(g, x[0], contraction, order, like: x[1]), to: x[1])
    }
  }

  /// The product whose dimension `i` is dimension `order[i]` of `operand`, with that operand's elements.
  private mutating func product(
    _ g: ValueID, _ other: ValueID, _ contraction: Contraction, _ order: [Int], like operand: ValueID
  ) throws(OpError) -> ValueID {
    let element = c.type(g).elementType
    let product = try c.append(
      .dotGeneral(DotGeneral(contraction, resultType: element)), g, c.asElements(other, of: element))
    return try c.asElements(c.transposed(product, order.inverse), of: c.type(operand).elementType)
  }

  /// `convolution`: for the operand one of the cotangent with the kernel turned around, for the kernel one of the operand
  /// with the cotangent, where batch and features change places.
  mutating func pullBack(_ op: Convolution, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    let hasNone = (c.type(x[0]).dimensions + c.type(x[1]).dimensions + c.type(g).dimensions).contains(.zero)
    if hasNone { return }
    if wants(x[0]) { try give(operandCotangent(op, g, x[1], like: x[0]), to: x[0]) }
    if wants(x[1]) { try give(kernelCotangent(op, g, x[0], like: x[1]), to: x[1]) }
  }

  private mutating func operandCotangent(_ op: Convolution, _ g: ValueID, _ kernel: ValueID, like x: ValueID)
    throws(OpError) -> ValueID
  {
    let (d, element, type) = (op.dimensionNumbers, c.type(g).elementType, c.type(x))
    let groups = max(op.featureGroupCount, op.batchGroupCount)
    var weights = try c.asElements(kernel, of: element)
    if groups > 1 {
      weights = try c.splitting(weights, d.kernelOutputFeature, groups, outward: true)
      weights = try c.merging(weights, d.kernelOutputFeature, into: d.kernelInputFeature)
    }
    var turned: [Int] = []
    let spread = op.window.indices.map { place in
      var window = op.window[place].transposed(
        base: type.dimensions[d.inputSpatial[place]], positions: c.type(g).dimensions[d.outputSpatial[place]])
      // What is read backwards has extents that are known.
      let isOpen = !window.window.extent.isFixed
      if isOpen, !window.window.isReversed { turned.append(d.kernelSpatial[place]) }
      window.window.isReversed = !isOpen && !window.window.isReversed
      return window
    }
    if !turned.isEmpty { weights = try c.append(.reverse(Reverse(dimensions: turned)), weights) }
    let numbers = Convolution.DimensionNumbers(
      inputBatch: d.outputBatch, inputFeature: d.outputFeature, inputSpatial: d.outputSpatial,
      kernelInputFeature: d.kernelOutputFeature, kernelOutputFeature: d.kernelInputFeature,
      kernelSpatial: d.kernelSpatial, outputBatch: d.inputBatch, outputFeature: d.inputFeature,
      outputSpatial: d.inputSpatial)
    let backward = Convolution(
      window: spread.map(\.window), dimensionNumbers: numbers, featureGroupCount: groups, resultType: element)
    var result = try c.append(.convolution(backward), c.padded(g, spread, at: d.outputSpatial), weights)
    if op.batchGroupCount > 1 {
      result = try c.splitting(result, d.inputFeature, groups, outward: true)
      result = try c.merging(result, d.inputFeature, into: d.inputBatch)
    }
    return try c.asElements(result, of: type.elementType)
  }

  private mutating func kernelCotangent(_ op: Convolution, _ g: ValueID, _ x: ValueID, like kernel: ValueID)
    throws(OpError) -> ValueID
  {
    let (d, element) = (op.dimensionNumbers, c.type(g).elementType)
    let (base, positions) = (c.type(x).dimensions, c.type(g).dimensions)
    var operand = try c.asElements(x, of: element)
    var windows: [TransposedWindow] = []
    for (place, window) in op.window.enumerated() {
      let (extent, count) = (base[d.inputSpatial[place]], positions[d.outputSpatial[place]])
      let turned = WindowDimension(
        extent: count, stride: window.windowDilation, baseDilation: window.baseDilation, windowDilation: window.stride)
      let reach = (window.extent - 1) * window.windowDilation + (count - 1) * window.stride + 1
      windows.append(TransposedWindow(turned, base: extent, low: Extent(window.paddingLow), reach: reach))
    }
    operand = try c.padded(operand, windows, at: d.inputSpatial)
    let numbers = Convolution.DimensionNumbers(
      inputBatch: d.inputFeature, inputFeature: d.inputBatch, inputSpatial: d.inputSpatial,
      kernelInputFeature: d.outputBatch, kernelOutputFeature: d.outputFeature, kernelSpatial: d.outputSpatial,
      outputBatch: d.kernelInputFeature, outputFeature: d.kernelOutputFeature, outputSpatial: d.kernelSpatial)
    let turned = Convolution(
      window: windows.map(\.window), dimensionNumbers: numbers, featureGroupCount: op.batchGroupCount,
      batchGroupCount: op.featureGroupCount, resultType: element)
    let result = try c.append(.convolution(turned), operand, g)
    let reversed = op.window.indices.filter { op.window[$0].isReversed }.map { d.kernelSpatial[$0] }
    let straight = reversed.isEmpty ? result : try c.append(.reverse(Reverse(dimensions: reversed)), result)
    return try c.asElements(straight, of: c.type(kernel).elementType)
  }
}

extension Composer {
  /// A dimension as `groups` and what each has; the groups as a new first dimension.
  fileprivate mutating func splitting(_ value: ValueID, _ dimension: Int, _ groups: Int, outward: Bool) throws(OpError)
    -> ValueID
  {
    var dimensions = type(value).dimensions
    dimensions[dimension] = dimensions[dimension].floorDivided(by: Extent(groups))
    dimensions.insert(Extent(groups), at: dimension)
    let split = try reshaped(value, dimensions)
    let others = dimensions.indices.filter { $0 != dimension }
    return try transposed(split, [dimension] + others)
  }

  /// The first dimension moved in front of dimension `target` of the others, as one with that. `source` had it.
  fileprivate mutating func merging(_ value: ValueID, _ source: Int, into target: Int) throws(OpError) -> ValueID {
    let rank = type(value).rank
    var order = Array(1..<rank)
    order.insert(0, at: target)
    let moved = try transposed(value, order)
    var dimensions = type(moved).dimensions
    dimensions[target] *= dimensions[target + 1]
    dimensions.remove(at: target + 1)
    return try reshaped(moved, dimensions)
  }
}
