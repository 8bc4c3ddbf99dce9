import IR

extension Rule {
  /// Data movement taken over by the contractions, convolutions and windows that read it.
  static let anchors: [Rule] = [
    dotOfTransposes, transposeOfDot, dotOfNothing, convolutionOfTransposes, convolutionOfReverse, convolutionOfPad,
    reduceOfTranspose, reduceOfReshape, windowOfAll,
  ]

  /// `dot_general(transpose(x), y) -> dot_general(x, y)` with the dimensions numbered anew, where the free dimensions keep
  /// their order. Exact: the products are summed in the same order.
  static let dotOfTransposes = Rule("dot-of-transposes") { op, operands, b throws(OpError) in
    guard case .dotGeneral(var dot) = op else { return nil }
    var new = operands
    if case .transpose(let transpose) = b.op(operands[0]) {
      let p = transpose.permutation
      let free = dot.dimensions.lhsFree(rank: p.count).map { p[$0] }
      if free == free.sorted() {
        dot.dimensions.lhsBatching = dot.dimensions.lhsBatching.map { p[$0] }
        dot.dimensions.lhsContracting = dot.dimensions.lhsContracting.map { p[$0] }
        new[0] = b.target[operands[0]].operands[0]
      }
    }
    if case .transpose(let transpose) = b.op(operands[1]) {
      let p = transpose.permutation
      let free = dot.dimensions.rhsFree(rank: p.count).map { p[$0] }
      if free == free.sorted() {
        dot.dimensions.rhsBatching = dot.dimensions.rhsBatching.map { p[$0] }
        dot.dimensions.rhsContracting = dot.dimensions.rhsContracting.map { p[$0] }
        new[1] = b.target[operands[1]].operands[0]
      }
    }
    return new == operands ? nil : try b.append(.dotGeneral(dot), new)
  }

  /// `transpose(dot_general(x, y)) -> transpose(dot_general(y, x))` where the transposition makes a free dimension of x the
  /// innermost one, so that it stays innermost; with nothing left to transpose where all that it does is to exchange the
  /// free dimensions of both. Exact: products commute.
  ///
  /// Not where the product is read untransposed as well, nor where y is constant, since right operands are packed at compile
  /// time, unless it is small beside x. A rest of a transposition is left where packing x would take long: short innermost
  /// dimensions, small depths.
  static let transposeOfDot = Rule("transpose-of-dot") { op, operands, b throws(OpError) in
    guard case .transpose(let transpose) = op, case .dotGeneral(let dot) = b.op(operands[0]) else { return nil }
    let inner = b.target[operands[0]].operands
    let (x, y) = (b.type(of: inner[0]), b.type(of: inner[1]))
    let d = dot.dimensions
    let batching = d.lhsBatching.count
    let (rows, columns) = (d.lhsFree(rank: x.rank).count, d.rhsFree(rank: y.rank).count)
    guard let innermost = transpose.permutation.last, (batching..<batching + rows).contains(innermost), columns > 0,
      b.isReadOnce(operands[0])
    else { return nil }
    // Where the exchanged product has the dimensions.
    let places = transpose.permutation.map { $0 < batching ? $0 : $0 < batching + rows ? $0 + columns : $0 - rows }
    let isWhole = places == Array(places.indices)
    let depth = d.lhsContracting.reduce(Extent.one) { $0 * x.dimensions[$1] }
    let length = b.type(of: operands[0]).dimensions[innermost]
    guard isWhole || (length.fixed ?? 8) >= 8 && (depth.fixed ?? 32) >= 32 else { return nil }
    if b.literal(inner[1]) != nil {
      guard !isWhole, let moved = x.elementCount.fixed, let packed = y.elementCount.fixed, moved > 4 * packed else {
        return nil
      }
    }
    let swapped = Contraction(
      lhsBatching: d.rhsBatching, rhsBatching: d.lhsBatching, lhsContracting: d.rhsContracting,
      rhsContracting: d.lhsContracting)
    let product = try b.append(.dotGeneral(DotGeneral(swapped, resultType: dot.resultType)), [inner[1], inner[0]])
    return isWhole ? product : try b.append(.transpose(Transpose(permutation: places)), [product])
  }

  /// `dot_general(x, y) -> x * y`, both broadcast, where nothing is summed. Not of integers whose products are wider.
  static let dotOfNothing = Rule("dot-of-nothing") { op, operands, b throws(OpError) in
    guard case .dotGeneral(let dot) = op, dot.dimensions.lhsContracting.isEmpty else { return nil }
    let types = operands.map { b.type(of: $0) }
    let d = dot.dimensions
    guard types.allSatisfy({ $0.elementType == dot.resultType && [.f32, .f64].contains($0.elementType) }) else {
      return nil
    }
    let (rows, columns) = (d.lhsFree(rank: types[0].rank), d.rhsFree(rank: types[1].rank))
    let dimensions =
      d.lhsBatching.map { types[0].dimensions[$0] } + rows.map { types[0].dimensions[$0] }
      + columns.map { types[1].dimensions[$0] }
    func places(_ type: TensorType, _ batching: [Int], _ free: [Int], from first: Int) -> [Int] {
      var places = [Int](repeating: 0, count: type.rank)
      for (place, dimension) in batching.enumerated() { places[dimension] = place }
      for (place, dimension) in free.enumerated() { places[dimension] = first + place }
      return places
    }
    let left = places(types[0], d.lhsBatching, rows, from: d.lhsBatching.count)
    let right = places(types[1], d.rhsBatching, columns, from: d.lhsBatching.count + rows.count)
    let factors = [
      try b.append(.broadcastInDim(BroadcastInDim(dimensions: left, resultDimensions: dimensions)), [operands[0]]),
      try b.append(.broadcastInDim(BroadcastInDim(dimensions: right, resultDimensions: dimensions)), [operands[1]]),
    ]
    return try b.pointwise(.multiply, factors)
  }

  /// `convolution(transpose(x), transpose(k)) -> convolution(x, k)` with the dimensions numbered anew. Exact.
  static let convolutionOfTransposes = Rule("convolution-of-transposes") { op, operands, b throws(OpError) in
    guard case .convolution(var convolution) = op else { return nil }
    var new = operands
    if case .transpose(let transpose) = b.op(operands[0]) {
      let p = transpose.permutation
      let numbers = convolution.dimensionNumbers
      convolution.dimensionNumbers.inputBatch = p[numbers.inputBatch]
      convolution.dimensionNumbers.inputFeature = p[numbers.inputFeature]
      convolution.dimensionNumbers.inputSpatial = numbers.inputSpatial.map { p[$0] }
      new[0] = b.target[operands[0]].operands[0]
    }
    if case .transpose(let transpose) = b.op(operands[1]) {
      let p = transpose.permutation
      let numbers = convolution.dimensionNumbers
      convolution.dimensionNumbers.kernelInputFeature = p[numbers.kernelInputFeature]
      convolution.dimensionNumbers.kernelOutputFeature = p[numbers.kernelOutputFeature]
      convolution.dimensionNumbers.kernelSpatial = numbers.kernelSpatial.map { p[$0] }
      new[1] = b.target[operands[1]].operands[0]
    }
    return new == operands ? nil : try b.append(.convolution(convolution), new)
  }

  /// `convolution(x, reverse(k)) -> convolution(x, k)` with the window read the other way, where only space is reversed.
  /// Exact: the products are summed in the same order.
  static let convolutionOfReverse = Rule("convolution-of-reverse") { op, operands, b throws(OpError) in
    guard case .convolution(var convolution) = op, case .reverse(let reverse) = b.op(operands[1]) else { return nil }
    let spatial = convolution.dimensionNumbers.kernelSpatial
    guard reverse.dimensions.allSatisfy(spatial.contains) else { return nil }
    for (position, dimension) in spatial.enumerated() where reverse.dimensions.contains(dimension) {
      convolution.window[position].isReversed.toggle()
    }
    return try b.append(.convolution(convolution), [operands[0], b.target[operands[1]].operands[0]])
  }

  /// `convolution(pad(x, 0), k) -> convolution(x, k)` with more padding, where only space is padded. Exact for finite
  /// kernels: the products with padding that are left out are zeros.
  static let convolutionOfPad = Rule("convolution-of-pad") { op, operands, b throws(OpError) in
    guard case .convolution(var convolution) = op, case .pad(let pad) = b.op(operands[0]) else { return nil }
    let inner = b.target[operands[0]].operands
    let numbers = convolution.dimensionNumbers
    guard let value = b.splat(inner[1]), value.realValue == 0, pad.interior.allSatisfy({ $0 == 0 }) else { return nil }
    let kept = [numbers.inputBatch, numbers.inputFeature]
    guard kept.allSatisfy({ pad.low[$0] == .zero && pad.high[$0] == .zero }) else { return nil }
    for (position, dimension) in numbers.inputSpatial.enumerated() {
      guard let low = pad.low[dimension].fixed, let high = pad.high[dimension].fixed,
        convolution.window[position].baseDilation == 1
      else { return nil }
      convolution.window[position].paddingLow += low
      convolution.window[position].paddingHigh += high
    }
    return try b.append(.convolution(convolution), [inner[0], operands[1]])
  }

  /// `reduce(transpose(x), d) -> reduce(x, p∘d)` where neither the kept nor the folded dimensions change their order.
  /// Exact: the elements are folded in the same order.
  static let reduceOfTranspose = Rule("reduce-of-transpose") { op, operands, b throws(OpError) in
    guard case .reduce(var reduce) = op, operands.count == 2, case .transpose(let transpose) = b.op(operands[0]) else {
      return nil
    }
    let p = transpose.permutation
    let folded = reduce.dimensions.map { p[$0] }
    let kept = p.indices.filter { !reduce.dimensions.contains($0) }.map { p[$0] }
    guard reduce.dimensions == reduce.dimensions.sorted(), folded == folded.sorted(), kept == kept.sorted() else {
      return nil
    }
    reduce.dimensions = folded
    return try b.append(.reduce(reduce), [b.target[operands[0]].operands[0], operands[1]])
  }

  /// `reduce(reshape(x), d) -> reshape(reduce(x, e))` where the reshape only adds and removes dimensions of extent 1.
  /// Exact: the elements are folded in the same order.
  static let reduceOfReshape = Rule("reduce-of-reshape") { op, operands, b throws(OpError) in
    guard case .reduce(var reduce) = op, operands.count == 2, case .reshape = b.op(operands[0]) else { return nil }
    let source = b.target[operands[0]].operands[0]
    let (before, after) = (b.type(of: source), b.type(of: operands[0]))
    guard before.significantExtents == after.significantExtents, before.rank < after.rank else { return nil }
    let places = zip(after.significantDimensions, before.significantDimensions)
    let folded = places.filter { reduce.dimensions.contains($0.0) }.map(\.1)
    guard !folded.isEmpty, reduce.dimensions == reduce.dimensions.sorted() else { return nil }
    let kept = after.dimensions.indices.filter { !reduce.dimensions.contains($0) }.map { after.dimensions[$0] }
    reduce.dimensions = folded
    return try b.reshaped(try b.append(.reduce(reduce), [source, operands[1]]), to: kept)
  }

  /// `reduce_window(x) -> reshape(reduce(x))` where the window covers all of the dimensions along which it has more than one
  /// element. Exact: the elements are folded in the same order.
  static let windowOfAll = Rule("window-of-all") { op, operands, b throws(OpError) in
    guard case .reduceWindow(let fold) = op, operands.count == 2 else { return nil }
    let extents = b.type(of: operands[0]).dimensions
    let folded = fold.window.indices.filter { !fold.window[$0].isTrivial }
    let coversAll = folded.allSatisfy { d in
      var whole = WindowDimension(extent: extents[d])
      whole.stride = fold.window[d].stride
      return fold.window[d] == whole && extents[d] != .zero
    }
    guard !folded.isEmpty, coversAll else { return nil }
    let reduced = try b.append(.reduce(Reduce(dimensions: folded, body: fold.body)), operands)
    return try b.reshaped(reduced, to: extents.indices.map { folded.contains($0) ? .one : extents[$0] })
  }
}
