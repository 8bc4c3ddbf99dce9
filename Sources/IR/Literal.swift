/// A constant tensor: a type with fixed dimensions and the elements' bytes, little-endian, in row-major order.
public struct Literal: Hashable, Sendable {
  public let type: TensorType
  public let dimensions: [Int]
  /// The elements' bytes; of a splat, one element's.
  public let bytes: [UInt8]
  /// Whether `bytes` holds the one value that all elements have.
  public let isSplat: Bool

  /// A literal from its bytes, `elementCount * byteCount` of them.
  public init(_ elementType: ElementType, _ dimensions: [Int], bytes: [UInt8]) {
    let count = dimensions.reduce(1, *)
    precondition(bytes.count == count * elementType.byteCount, "a literal needs the bytes of all its elements")
    self.type = TensorType(elementType, fixed: dimensions)
    self.dimensions = dimensions
    self.bytes = bytes
    self.isSplat = false
  }

  /// A literal whose elements all have `value`.
  public init(_ elementType: ElementType, _ dimensions: [Int], splat value: Scalar) {
    self.type = TensorType(elementType, fixed: dimensions)
    self.dimensions = dimensions
    self.bytes = elementType.bytes(of: value)
    self.isSplat = true
  }

  /// A literal from `elementCount` values.
  public init(_ elementType: ElementType, _ dimensions: [Int], _ scalars: some Sequence<Scalar>) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(dimensions.reduce(1, *) * elementType.byteCount)
    for scalar in scalars { elementType.append(scalar, to: &bytes) }
    self.init(elementType, dimensions, bytes: bytes)
  }

  public static func scalar(_ value: Scalar, _ elementType: ElementType) -> Literal {
    Literal(elementType, [], splat: value)
  }

  public var elementType: ElementType { type.elementType }
  public var elementCount: Int { dimensions.reduce(1, *) }
  public var byteCount: Int { elementCount * elementType.byteCount }

  /// The element at a row-major position.
  public subscript(_ position: Int) -> Scalar {
    let size = elementType.byteCount
    return bytes.withUnsafeBytes { elementType.scalar(in: $0, at: isSplat ? 0 : position * size) }
  }

  /// All elements in row-major order.
  public var scalars: [Scalar] {
    let size = elementType.byteCount
    return bytes.withUnsafeBytes { raw in
      if isSplat { return [Scalar](repeating: elementType.scalar(in: raw, at: 0), count: elementCount) }
      return (0..<elementCount).map { elementType.scalar(in: raw, at: $0 * size) }
    }
  }

  /// The same value with the bytes of every element.
  public var expanded: Literal {
    guard isSplat else { return self }
    let count = elementCount
    var all: [UInt8] = []
    all.reserveCapacity(count * bytes.count)
    for _ in 0..<count { all.append(contentsOf: bytes) }
    return Literal(elementType, dimensions, bytes: all)
  }

  /// The one value of all elements, if the literal is stored as a splat or has one element.
  public var splatValue: Scalar? { isSplat || elementCount == 1 ? self[0] : nil }

  /// The same elements with other dimensions; the element counts must be equal.
  public func reshaped(_ dimensions: [Int]) -> Literal {
    precondition(dimensions.reduce(1, *) == elementCount, "a reshape keeps the number of elements")
    if isSplat { return Literal(elementType, dimensions, splat: self[0]) }
    return Literal(elementType, dimensions, bytes: bytes)
  }
}

extension ElementType {
  /// The bytes of `value`, rounded or wrapped to the type.
  public func bytes(of value: Scalar) -> [UInt8] {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return bytes
  }

  func append(_ value: Scalar, to bytes: inout [UInt8]) {
    func put(_ bits: UInt64, _ count: Int) {
      for shift in 0..<count { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
    }
    switch kind {
    case .boolean: bytes.append(value.integerValue != 0 ? 1 : 0)
    case .signed, .unsigned: put(UInt64(bitPattern: wrapped(value.integerValue)), byteCount)
    case .float: put(floatBits(value.realValue), byteCount)
    case .complex:
      put(realPart.floatBits(value.realValue), byteCount / 2)
      put(realPart.floatBits(value.imaginaryValue), byteCount / 2)
    }
  }

  private func floatBits(_ value: Double) -> UInt64 {
    switch self {
    case .f64: return value.bitPattern
    case .f32: return UInt64(Float(value).bitPattern)
    case .f8E8M0FNU: return UInt64(FloatFormat.encodeExponent(value))
    default: return UInt64(FloatFormat(self)?.encode(value) ?? 0)
    }
  }

  /// The element that starts at byte `offset`.
  func scalar(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Scalar {
    switch self {
    case .i1: return .integer(bytes[offset] != 0 ? 1 : 0)
    case .i2, .i4, .i8, .ui2, .ui4, .ui8: return .integer(wrapped(Int64(bytes[offset])))
    case .i16: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
    case .i32: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    case .i64, .ui64: return .integer(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    case .ui16: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    case .ui32: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    case .f32: return .real(Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)))
    case .f64: return .real(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self))
    case .complex64:
      return .complex(
        Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)),
        Double(bytes.loadUnaligned(fromByteOffset: offset + 4, as: Float.self)))
    case .complex128:
      return .complex(
        bytes.loadUnaligned(fromByteOffset: offset, as: Double.self),
        bytes.loadUnaligned(fromByteOffset: offset + 8, as: Double.self))
    case .f16, .bf16:
      let bits = UInt32(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      return .real(FloatFormat(self)?.decode(bits) ?? .nan)
    case .f8E8M0FNU: return .real(FloatFormat.decodeExponent(UInt32(bytes[offset])))
    default: return .real(FloatFormat(self)?.decode(UInt32(bytes[offset])) ?? .nan)
    }
  }
}
