import IR

extension BitcastConvert {
  /// Wide elements cut into narrow ones by shifts, or narrow ones shifted into place and joined; the first is the lowest.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let (from, to) = (c.type(x[0]).elementType, resultType.elementType)
    guard let source = from.unsignedOfSameWidth, let target = to.unsignedOfSameWidth else {
      throw .unsupported("stablehlo.bitcast_convert from \(from) to \(to)")
    }
    let bits = try c.bitcast(x[0], source)
    if source.bitWidth > target.bitWidth {
      let dimensions = Array(resultType.dimensions.indices.dropLast())
      let spread = BroadcastInDim(dimensions: dimensions, resultDimensions: resultType.dimensions)
      let wide = try c.append(.broadcastInDim(spread), bits)
      let shifts = try c.places(like: wide, step: target.bitWidth)
      let piece = try c.apply(.convert(target), c.apply(.shiftRightLogical, wide, shifts))
      return [try c.bitcast(piece, to)]
    }
    let wide = try c.apply(.convert(target), bits)
    let placed = try c.apply(.shiftLeft, wide, c.places(like: wide, step: source.bitWidth))
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(target)), body.addParameter(.scalar(target)))
    body.results = [try body.append(.pointwise(.or), [a, b])]
    let zero = try c.append(.constant(.scalar(.zero(target), target)))
    let last = c.type(placed).rank - 1
    return [try c.bitcast(c.append(.reduce(Reduce(dimensions: [last], body: body)), placed, zero), to)]
  }
}

extension Composer {
  /// The bits as another type of the same width.
  fileprivate mutating func bitcast(_ value: ValueID, _ element: ElementType) throws(OpError) -> ValueID {
    type(value).elementType == element ? value : try apply(.bitcast(element), value)
  }

  /// For each element, its index along the last dimension times `step`.
  fileprivate mutating func places(like value: ValueID, step: Int) throws(OpError) -> ValueID {
    let type = self.type(value)
    let index = try append(.iota(Iota(dimension: type.rank - 1, resultType: type)))
    return try apply(.multiply, index, splat(Double(step), like: index))
  }
}

extension ElementType {
  fileprivate var unsignedOfSameWidth: ElementType? {
    if isComplex || isBoolean { return nil }
    return switch bitWidth {
    case 8: .ui8
    case 16: .ui16
    case 32: .ui32
    case 64: .ui64
    default: nil
    }
  }
}
