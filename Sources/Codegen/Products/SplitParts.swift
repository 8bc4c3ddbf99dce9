import IR

/// Elements as parts of two bytes, in the order in which tiles hold them.
extension KernelBuilder {
  /// The parts of 32 steps of a row of the left operand, given the elements of the first and of the last 16, scaled where the
  /// scheme says so.
  mutating func parts(ofSteps first: Register, _ last: Register, _ scheme: SplitScheme) -> [Register] {
    if scheme.format == .bf16 { return bfloatParts(first, last, count: scheme.partCount) }
    return halfParts(first, last, scheme, order: Array(0..<2 * Tile.laneCount))
  }

  /// The parts of the two steps of a pair for 16 columns of the right operand, both elements of each column side by side.
  mutating func parts(ofPair first: Register, _ second: Register, _ scheme: SplitScheme) -> [Register] {
    if scheme.format == .bf16 { return bfloatParts(first, second, count: scheme.partCount) }
    let lanes = Tile.laneCount
    return halfParts(first, second, scheme, order: (0..<2 * lanes).map { $0 / 2 + $0 % 2 * lanes })
  }

  private mutating func halfParts(_ first: Register, _ second: Register, _ scheme: SplitScheme, order: [Int])
    -> [Register]
  {
    var rests = [first, second]
    return (0..<scheme.partCount).map { number in
      let halves = rests.map { convert($0, to: scheme.elementType) }
      if number + 1 < scheme.partCount {
        rests = zip(rests, halves).map { apply(.subtract, [$0, convert($1, to: .f32)]) }
      }
      return define(RegisterType(scheme.elementType, lanes: order.count), .shuffle(halves[0], halves[1], order))
    }
  }

  /// The parts of two vectors, lane by lane side by side.
  ///
  /// Parts are rounded where they stand, in the upper halves of f32, so that what is missing needs no conversion back and
  /// both vectors become one with a shift and an `or`. Lines with infinities or NaN are not multiplied in tiles, so neither
  /// is looked for.
  private mutating func bfloatParts(_ first: Register, _ second: Register, count: Int) -> [Register] {
    let upperHalf = constant(.integer(-0x1_0000), .i32)
    var rests = [first, second]
    return (0..<count).map { number in
      let rounded = rests.map { roundedToBFloat($0, part: number, of: count) }
      if number + 1 < count {
        rests = zip(rests, rounded).map {
          apply(.subtract, [$0, apply(.bitcast(.f32), [apply(.and, [$1, upperHalf])])])
        }
      }
      return define(RegisterType(.bf16, lanes: 2 * lanes(of: first)), .upperHalves(rounded[0], rounded[1]))
    }
  }

  /// The bits of an f32 whose upper half is the nearest bf16.
  private mutating func roundedToBFloat(_ value: Register, part: Int, of count: Int) -> Register {
    let bits = apply(.bitcast(.i32), [value])
    // Eight bits are left of 24 after two parts: the third one is exact.
    if part == 2 { return bits }
    if count > 1 { return apply(.add, [bits, constant(.integer(0x8000), .i32)]) }
    // A part that stands alone is the element as bf16, halves to even; of several, the next ones mend it either way.
    let odd = apply(
      .and, [apply(.shiftRightLogical, [bits, constant(.integer(16), .i32)]), constant(.integer(1), .i32)])
    return apply(.add, [bits, apply(.add, [odd, constant(.integer(0x7FFF), .i32)])])
  }
}
