/// The operand's bits as elements of another width: narrower ones in a new last dimension, or wider ones, each from
/// the elements along the last dimension; the least significant bits come first.
///
/// `%r = stablehlo.bitcast_convert %x : (tensor<2xf32>) -> tensor<2x4xi8>`
///
/// Between types of equal width the op is the pointwise `bitcast`.
public struct BitcastConvert: OpDefinition {
  public var resultType: TensorType
  public init(resultType: TensorType) { self.resultType = resultType }
  public var mnemonic: String { "stablehlo.bitcast_convert" }
  public var op: Op { .bitcastConvert(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard x.elementType.isComplex == resultType.elementType.isComplex else {  // (C2)
      throw OpError("cannot reinterpret the bits of \(x) as \(resultType): only one is complex")
    }
    let (from, to) = (x.elementType.bitWidth, resultType.elementType.bitWidth)
    let fits: Bool
    if from == to {
      fits = x.dimensions == resultType.dimensions
    } else if from > to {
      fits = from % to == 0 && resultType.dimensions == x.dimensions + [Extent(from / to)]
    } else {
      fits = to % from == 0 && x.dimensions == resultType.dimensions + [Extent(to / from)]
    }
    guard fits else {  // (C1)
      throw OpError(
        "cannot reinterpret the bits of \(x.detailedDescription) as \(resultType.detailedDescription)")
    }
    return [resultType]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0].expanded
    let (source, target) = (x.elementType, resultType.elementType)
    let bits = source.unpackedBits(x.bytes)
    let shape = results[0].dimensions.compactMap(\.fixed)
    return [Literal(target, shape, bytes: target.packedBits(bits))]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .bitcastConvert(
      BitcastConvert(resultType: TensorType(resultType.elementType, resultType.dimensions.map(replacement))))
  }
}

extension ElementType {
  /// The elements' bits, each element's least significant first, without those that only fill its bytes.
  fileprivate func unpackedBits(_ bytes: [UInt8]) -> [Bool] {
    var bits: [Bool] = []
    bits.reserveCapacity(bytes.count * 8)
    for start in stride(from: 0, to: bytes.count, by: byteCount) {
      for bit in 0..<bitWidth { bits.append(bytes[start + bit / 8] >> UInt8(bit % 8) & 1 == 1) }
    }
    return bits
  }

  /// The bytes of the elements that have these bits; the sign of a signed one fills its byte.
  fileprivate func packedBits(_ bits: [Bool]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: bits.count / bitWidth * byteCount)
    for (place, bit) in bits.enumerated() where bit {
      let (element, within) = place.quotientAndRemainder(dividingBy: bitWidth)
      bytes[element * byteCount + within / 8] |= 1 << UInt8(within % 8)
    }
    guard bitWidth < 8, kind == .signed else { return bytes }
    let unused = 8 - bitWidth
    return bytes.map { UInt8(bitPattern: Int8(bitPattern: $0 << unused) >> unused) }
  }
}
