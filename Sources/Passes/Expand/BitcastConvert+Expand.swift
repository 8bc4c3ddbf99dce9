import IR

extension BitcastConvert {
  /// Whether the elements are not their bits one after the other in memory: those narrower than a byte take one each.
  func regroupsBits(of operand: ElementType) -> Bool {
    operand.bitWidth < 8 || resultType.elementType.bitWidth < 8
  }

  /// The wider elements as unsigned integers, of which the narrower ones are shifted out, or into which they are.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let (from, to) = (c.type(x[0]).elementType, resultType.elementType)
    let splits = from.bitWidth > to.bitWidth
    let (wide, narrow) = splits ? (from, to) : (to, from)
    guard let word = wide.word, let part = narrow.word else {
      throw .unsupported("stablehlo.bitcast_convert from \(from) to \(to)")
    }
    return [splits ? try split(x[0], word, part, &c) : try joined(x[0], word, part, &c)]
  }

  private func split(_ x: ValueID, _ word: ElementType, _ part: ElementType, _ c: inout Composer) throws(OpError)
    -> ValueID
  {
    let dimensions = resultType.dimensions
    let repeated = try c.append(
      .broadcastInDim(
        BroadcastInDim(dimensions: Array(dimensions.indices.dropLast()), resultDimensions: dimensions)),
      c.reinterpreted(x, as: word))
    let moved = try c.apply(.shiftRightLogical, repeated, shifts(like: repeated, part, &c))
    let mask = try c.splat(.integer(1 << Int64(part.bitWidth) - 1), like: moved)
    let bits = try c.apply(.convert(part), c.apply(.and, moved, mask))
    return try c.reinterpreted(bits, as: resultType.elementType)
  }

  private func joined(_ x: ValueID, _ word: ElementType, _ part: ElementType, _ c: inout Composer) throws(OpError)
    -> ValueID
  {
    let parts = try c.apply(.convert(word), c.reinterpreted(x, as: part))
    let moved = try c.apply(.shiftLeft, parts, shifts(like: parts, part, &c))
    let words = try c.fold(.or, moved, over: [c.type(moved).rank - 1])
    return try c.reinterpreted(words, as: resultType.elementType)
  }

  /// How far each part lies from the low end of its word.
  private func shifts(like words: ValueID, _ part: ElementType, _ c: inout Composer) throws(OpError) -> ValueID {
    let type = c.type(words)
    let places = try c.append(.iota(Iota(dimension: type.rank - 1, resultType: type)))
    return try c.apply(.multiply, places, c.splat(.integer(Int64(part.bitWidth)), like: places))
  }
}

extension Composer {
  fileprivate mutating func reinterpreted(_ x: ValueID, as element: ElementType) throws(OpError) -> ValueID {
    type(x).elementType == element ? x : try apply(.bitcast(element), x)
  }
}

extension ElementType {
  /// The unsigned integers of this width, or i1; nil if there are none.
  fileprivate var word: ElementType? {
    [.i1, .ui2, .ui4, .ui8, .ui16, .ui32, .ui64].first { $0.bitWidth == bitWidth }
  }
}
