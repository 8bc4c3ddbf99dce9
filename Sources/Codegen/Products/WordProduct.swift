import IR

/// Narrow numbers whose products are summed by the word: an instruction multiplies all numbers of one word with those of
/// another.
enum WordProduct: Hashable, Sendable {
  /// Four bytes, summed in 32 bits.
  case bytes(BytePair)
  /// Two 16-bit integers with a sign, which were bytes, summed in 32 bits.
  case shorts
  /// Two bf16, summed in f32.
  case bfloats

  /// What a buffer of words is made of.
  static let type = ElementType.i32

  /// The product of operands of two types; nil where they are multiplied one by one.
  init?(_ left: ElementType, _ right: ElementType, sum: ElementType, _ target: Target) {
    if let pair = BytePair(left, right, sum: sum) {
      self = .bytes(pair)
    } else if left == .bf16, right == .bf16, sum == .f32, target.hasBFloatProducts {
      self = .bfloats
    } else {
      return nil
    }
  }

  /// Numbers in a word.
  var length: Int {
    switch self {
    case .bytes: 4
    case .shorts, .bfloats: 2
    }
  }

  /// What the numbers of an operand become before they lie in words; nil where they stay what they are.
  var packedType: ElementType? { self == .shorts ? .i16 : nil }

  /// The product where each operand's word is read by many others: bytes are made 16-bit integers once, where each product of
  /// them would.
  func packed(_ target: Target) -> WordProduct {
    if case .bytes = self, target.halvesWords { return .shorts }
    return self
  }
}

extension KernelBuilder {
  /// The word of narrow numbers that begins at a position.
  mutating func word(_ memory: Memory, at position: IntegerExpression) -> Register {
    let count = WordProduct.type.byteCount / elementType(of: memory).byteCount
    return withLanes(count) { $0.words($0.load(memory, at: position + .lane, lanes: count)) }
  }

  /// The products of all numbers of two words, added to `sum`; scalars are widened.
  mutating func wordProducts(_ product: WordProduct, _ left: Register, _ right: Register, _ sum: Register) -> Register {
    switch product {
    case .bytes(let pair): byteProducts(pair, left, right, sum)
    case .shorts: shortProducts(left, right, sum)
    case .bfloats: bfloatProducts(left, right, sum)
    }
  }
}

extension BytePair {
  /// The pair of two types of bytes whose products are summed in 32 bits; nil for other types.
  init?(_ left: ElementType, _ right: ElementType, sum: ElementType) {
    func isByte(_ type: ElementType) -> Bool { type == .i8 || type == .ui8 }
    guard isByte(left), isByte(right), sum == .i32 || sum == .ui32 else { return nil }
    self.init(leftIsSigned: left == .i8, rightIsSigned: right == .i8)
  }
}
