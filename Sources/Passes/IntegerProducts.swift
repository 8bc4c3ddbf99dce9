import IR

extension Pass {
  /// `dot_general(s * (convert(x) - z), t * (convert(y) - w)) -> s * t * convert(dot_general(x - z, y - w))`, for bytes x and
  /// y; the same for `convolution`.
  ///
  /// That is how files say that a model is quantized: they give numbers that bytes stand for, and an op over floats. The sum of
  /// integers is exact, where a sum of floats rounds each term. The scales are known, and so large and so small that no product of
  /// floats leaves their range; they may differ along what the result keeps of an operand, as may zero points of a
  /// `dot_general`.
  ///
  /// Before canonicalize, which would fold the bytes of weights to floats.
  public static let integerProducts = Pass(
    "integer-products", "products of numbers that bytes stand for become products of the bytes"
  ) { graph, context throws(OpError) in
    guard graph.hasBytes else { return }
    var rebuilder = Rebuilder(graph, [.dotOfScaled, .convolutionOfScaled], context)
    graph = try rebuilder.run()
    context = rebuilder.context
  }
}

extension Graph {
  /// Whether the graph, or a graph in it, converts bytes.
  fileprivate var hasBytes: Bool {
    nodes.contains { node in
      if case .pointwise(let pointwise) = node.op, case .convert = pointwise.function {
        return node.operands.contains { type(of: $0).elementType.isByte }
      }
      return node.op.definition.regions.contains(where: \.hasBytes)
    }
  }
}

extension Rule {
  /// So many products of two differences of bytes have a sum of 31 bits.
  private static let mostTerms = Int(Int32.max) / (255 * 255)

  fileprivate static let dotOfScaled = Rule("dot-of-scaled") { op, operands, b throws(OpError) in
    guard case .dotGeneral(var dot) = op, dot.resultType == .f32, let sides = try b.scaledBytes(operands) else {
      return nil
    }
    let types = operands.map { b.type(of: $0) }
    let terms = dot.dimensions.lhsContracting.reduce(Extent.one) { $0 * types[0].dimensions[$1] }
    guard terms.isAtMost(mostTerms) else { return nil }
    let result = try op.inferTypes(types)[0]
    let places = dot.places(types.map(\.rank))
    var axes: [Int?] = []
    for (side, own) in zip(sides, places) {
      for axis in [side.scale.axis, side.zero?.axis] {
        if let axis, own[axis] == nil { return nil }
      }
      axes.append(side.scale.axis.flatMap { own[$0] })
    }
    dot.resultType = .i32
    let sum = try b.append(.dotGeneral(dot), b.centred(sides))
    return try b.scaled(sum, by: sides, along: axes, result)
  }

  fileprivate static let convolutionOfScaled = Rule("convolution-of-scaled") { op, operands, b throws(OpError) in
    guard case .convolution(var convolution) = op, convolution.resultType == .f32,
      // Holes are no zero points.
      convolution.window.allSatisfy({ $0.baseDilation == 1 }),
      let sides = try b.scaledBytes(operands), sides[0].scale.axis == nil, sides[0].zero?.axis == nil,
      sides[1].zero.map({ b.isZero($0.value) }) ?? true
    else { return nil }
    let (numbers, kernel) = (convolution.dimensionNumbers, b.type(of: operands[1]))
    let terms = kernel.dimensions.indices.reduce(Extent.one) {
      $1 == numbers.kernelOutputFeature ? $0 : $0 * kernel.dimensions[$1]
    }
    guard terms.isAtMost(mostTerms) else { return nil }
    if let axis = sides[1].scale.axis, axis != numbers.kernelOutputFeature { return nil }
    let result = try op.inferTypes(operands.map { b.type(of: $0) })[0]
    convolution.resultType = .i32
    let sum = try b.append(.convolution(convolution), b.centred(sides))
    return try b.scaled(sum, by: sides, along: [nil, sides[1].scale.axis.map { _ in numbers.outputFeature }], result)
  }
}

/// `scale * (convert(bytes) - zero)`
private struct ScaledBytes {
  /// A scalar, or a number for each position along an axis.
  struct Numbers {
    var value: ValueID
    var axis: Int?
  }

  var bytes: ValueID
  var zero: Numbers?
  var scale: Numbers

  /// The same where the bytes are transposed.
  func transposed(_ permutation: [Int], _ bytes: ValueID) -> ScaledBytes {
    func moved(_ numbers: Numbers) -> Numbers {
      Numbers(value: numbers.value, axis: numbers.axis.flatMap { permutation.firstIndex(of: $0) })
    }
    return ScaledBytes(bytes: bytes, zero: zero.map(moved), scale: moved(scale))
  }
}

extension Extent {
  fileprivate func isAtMost(_ limit: Int) -> Bool { fixed.map { $0 <= limit } ?? false }
}

extension Rebuilder {
  /// Both operands as scaled bytes; nil unless both are.
  fileprivate mutating func scaledBytes(_ operands: [ValueID]) throws(OpError) -> [ScaledBytes]? {
    var sides: [ScaledBytes] = []
    for operand in operands {
      guard let side = try scaledBytes(operand) else { return nil }
      sides.append(side)
    }
    return sides
  }

  private mutating func scaledBytes(_ value: ValueID) throws(OpError) -> ScaledBytes? {
    guard type(of: value).elementType == .f32 else { return nil }
    let operands = target[value].operands
    switch op(value) {
    case .transpose(let transpose):
      guard let inner = try scaledBytes(operands[0]) else { return nil }
      return inner.transposed(transpose.permutation, try append(op(value), [inner.bytes]))
    case .reshape:
      guard var inner = try scaledBytes(operands[0]), inner.scale.axis == nil, inner.zero?.axis == nil else {
        return nil
      }
      inner.bytes = try append(op(value), [inner.bytes])
      return inner
    case .pointwise(let pointwise) where pointwise.function == .multiply:
      for (wide, factor) in [(operands[0], operands[1]), (operands[1], operands[0])] {
        guard let difference = try difference(wide), let scale = try numbers(factor), isUsual(scale.value) else {
          continue
        }
        return ScaledBytes(bytes: difference.bytes, zero: difference.zero, scale: scale)
      }
      return nil
    default: return nil
    }
  }

  /// `convert(bytes)`, or `convert(bytes) - convert(zero)`, in f32.
  private mutating func difference(_ value: ValueID) throws(OpError) -> (bytes: ValueID, zero: ScaledBytes.Numbers?)? {
    if let bytes = convertedBytes(value) { return (bytes, nil) }
    guard case .pointwise(let pointwise) = op(value), pointwise.function == .subtract else { return nil }
    let operands = target[value].operands
    guard let bytes = convertedBytes(operands[0]), let zero = try numbers(operands[1]) else { return nil }
    guard let byte = try narrowed(zero.value), type(of: byte).elementType == type(of: bytes).elementType else {
      return nil
    }
    return (bytes, ScaledBytes.Numbers(value: byte, axis: zero.axis))
  }

  /// Whether the numbers are known to be 0.
  fileprivate func isZero(_ value: ValueID) -> Bool { isKnown(value) { $0.integerValue == 0 } }

  /// Whether the scales are known, and products of two of them and of integers are as exact in any order.
  private func isUsual(_ value: ValueID) -> Bool {
    isKnown(value) { (0x1p-60...0x1p60).contains($0.realValue.magnitude) }
  }

  private func isKnown(_ value: ValueID, _ holds: (Scalar) -> Bool) -> Bool {
    if case .reshape = op(value) { return isKnown(target[value].operands[0], holds) }
    guard let literal = literal(value) else { return false }
    return (0..<literal.elementCount).allSatisfy { holds(literal[$0]) }
  }

  private func convertedBytes(_ value: ValueID) -> ValueID? {
    guard case .pointwise(let pointwise) = op(value), case .convert = pointwise.function else { return nil }
    let source = target[value].operands[0]
    return type(of: source).elementType.isByte ? source : nil
  }

  /// What the value repeats: a scalar, or numbers along one axis.
  private mutating func numbers(_ value: ValueID) throws(OpError) -> ScaledBytes.Numbers? {
    if type(of: value).rank == 0 { return ScaledBytes.Numbers(value: value) }
    guard case .broadcastInDim(let spread) = op(value) else { return nil }
    let source = target[value].operands[0]
    let extents = type(of: source).dimensions
    let kept = extents.indices.filter { extents[$0] != .one }
    guard kept.count <= 1 else { return nil }
    let axis = kept.first.map { spread.dimensions[$0] }
    let vector = extents.count == kept.count ? source : try reshaped(source, to: kept.map { extents[$0] })
    return ScaledBytes.Numbers(value: vector, axis: axis)
  }

  /// The bytes that numbers were converted from, before they got other dimensions.
  private mutating func narrowed(_ value: ValueID) throws(OpError) -> ValueID? {
    guard case .reshape = op(value) else { return convertedBytes(value) }
    guard let inner = try narrowed(target[value].operands[0]) else { return nil }
    return try append(op(value), [inner])
  }

  /// `bytes - zero` of both, as words.
  fileprivate mutating func centred(_ sides: [ScaledBytes]) throws(OpError) -> [ValueID] {
    var words: [ValueID] = []
    for side in sides {
      let wide = try pointwise(.convert(.i32), [side.bytes])
      guard let zero = side.zero else {
        words.append(wide)
        continue
      }
      let spread = BroadcastInDim(
        dimensions: zero.axis.map { [$0] } ?? [], resultDimensions: type(of: wide).dimensions)
      let own = try append(.broadcastInDim(spread), [pointwise(.convert(.i32), [zero.value])])
      words.append(try pointwise(.subtract, [wide, own]))
    }
    return words
  }

  /// The sum times both scales, which lie along `axes` of the result.
  fileprivate mutating func scaled(
    _ sum: ValueID, by sides: [ScaledBytes], along axes: [Int?], _ result: TensorType
  ) throws(OpError) -> ValueID {
    var factors = zip(sides, axes).map { (value: $0.scale.value, axis: $1) }
    // Scales of one number each are multiplied once.
    if factors[0].axis == factors[1].axis || factors.contains(where: { $0.axis == nil }) {
      let axis = factors[0].axis ?? factors[1].axis
      let extents = axis.map { [result.dimensions[$0]] } ?? []
      var vectors: [ValueID] = []
      for factor in factors {
        let spread = BroadcastInDim(dimensions: factor.axis == nil ? [] : [0], resultDimensions: extents)
        vectors.append(try append(.broadcastInDim(spread), [factor.value]))
      }
      factors = [(try pointwise(.multiply, vectors), axis)]
    }
    var value = try pointwise(.convert(.f32), [sum])
    for factor in factors {
      let spread = BroadcastInDim(
        dimensions: factor.axis.map { [$0] } ?? [], resultDimensions: result.dimensions)
      value = try pointwise(.multiply, [value, append(.broadcastInDim(spread), [factor.value])])
    }
    return value
  }
}
