import Foundation
import GraphBuilding
import IR

extension ElementType {
  /// The IR's element type for a value of DataType; nil where it has none.
  init?(_ dataType: Tensorflow_DataType) {
    switch dataType {
    case .dtFloat: self = .f32
    case .dtDouble: self = .f64
    case .dtHalf: self = .f16
    case .dtBfloat16: self = .bf16
    case .dtFloat8E5M2: self = .f8E5M2
    case .dtFloat8E4M3Fn: self = .f8E4M3FN
    case .dtFloat8E4M3Fnuz: self = .f8E4M3FNUZ
    case .dtFloat8E4M3B11Fnuz: self = .f8E4M3B11FNUZ
    case .dtFloat8E5M2Fnuz: self = .f8E5M2FNUZ
    case .dtFloat4E2M1Fn: self = .f4E2M1FN
    case .dtBool: self = .i1
    case .dtInt2: self = .i2
    case .dtInt4: self = .i4
    case .dtInt8: self = .i8
    case .dtInt16: self = .i16
    case .dtInt32: self = .i32
    case .dtInt64: self = .i64
    case .dtUint2: self = .ui2
    case .dtUint4: self = .ui4
    case .dtUint8: self = .ui8
    case .dtUint16: self = .ui16
    case .dtUint32: self = .ui32
    case .dtUint64: self = .ui64
    case .dtComplex64: self = .complex64
    case .dtComplex128: self = .complex128
    case .dtInvalid, .dtString, .dtQint8, .dtQuint8, .dtQint16, .dtQuint16, .dtQint32, .dtResource, .dtVariant,
      .UNRECOGNIZED:
      return nil
    }
  }
}

extension Tensorflow_DataType {
  /// The IR's element type; throws with the type's name where there is none.
  func elementType() throws(OpError) -> ElementType {
    if let element = ElementType(self) { return element }
    switch self {
    case .dtString: throw .unsupported("tensors of strings")
    case .dtResource: throw .unsupported("tensors of resources")
    case .dtVariant: throw .unsupported("tensors of variants")
    case .dtQint8: throw .unsupported("tensors of qint8")
    case .dtQuint8: throw .unsupported("tensors of quint8")
    case .dtQint16: throw .unsupported("tensors of qint16")
    case .dtQuint16: throw .unsupported("tensors of quint16")
    case .dtQint32: throw .unsupported("tensors of qint32")
    default: throw OpError("element type \(rawValue) is not one of DataType")
    }
  }
}

extension Tensorflow_TensorShapeProto {
  /// The largest number of dimensions that TensorFlow allows.
  private static let rankLimit = 254

  /// The dimensions of a shape in which all are known, with at most `elementCountLimit` elements.
  func fixedDimensions() throws(OpError) -> [Int] {
    guard !unknownRank else { throw OpError("a tensor has an unknown number of dimensions") }
    guard dim.count <= Self.rankLimit else { throw OpError("a tensor has \(dim.count) dimensions") }
    var count = 1
    for extent in dim.map(\.size) {
      // An extent of 0 counts as 1, so that no product of some of the dimensions overflows either.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, Int(extent)))
      guard extent >= 0, !overflow, product <= elementCountLimit else {
        throw OpError("a tensor has dimensions \(dim.map(\.size))")
      }
      count = product
    }
    return dim.map { Int($0.size) }
  }
}

extension Literal {
  /// The literal with elements as TensorFlow lays them out in memory: little-endian, and a byte for each element of
  /// types narrower than one.
  init(_ element: ElementType, _ dimensions: [Int], memory: Data) throws(OpError) {
    let count = dimensions.reduce(1, *)
    guard memory.count == count * element.byteCount else {
      throw OpError(
        "a tensor of \(count) elements of \(element) has \(memory.count) bytes instead of \(count * element.byteCount)")
    }
    switch element {
    case .i1: self.init(element, dimensions, bytes: memory.map { $0 == 0 ? 0 : 1 })
    case .i2, .i4, .ui2, .ui4: self.init(element, dimensions, memory.lazy.map { Scalar.integer(Int64($0)) })
    case .f4E2M1FN: self.init(element, dimensions, bytes: memory.map { $0 & 0xf })
    default: self.init(element, dimensions, bytes: [UInt8](memory))
    }
  }
}

extension Tensorflow_TensorProto {
  /// The largest number of bytes that a list shorter than the tensor is repeated for.
  private static let repetitionLimit = 1 << 24

  /// The constant that the message holds.
  func literal() throws(OpError) -> Literal {
    let element = try dtype.elementType()
    let dimensions = try tensorShape.fixedDimensions()
    guard tensorContent.isEmpty else { return try Literal(element, dimensions, memory: tensorContent) }
    let count = dimensions.reduce(1, *)
    guard count > 0 else { return Literal(element, dimensions, bytes: []) }
    let listed = try listedBytes(element)
    let byteCount = count * element.byteCount
    // The last element of a list stands for all that are missing; an empty list is zeros.
    let last = listed.isEmpty ? [UInt8](repeating: 0, count: element.byteCount) : listed.suffix(element.byteCount)
    if listed.count <= element.byteCount, count != 1 {
      let value = try Literal(element, [], memory: Data(last))[0]
      return Literal(element, dimensions, splat: value)
    }
    var bytes = listed.prefix(byteCount)
    if bytes.count < byteCount {
      guard byteCount <= Self.repetitionLimit else {
        throw OpError("a tensor with dimensions \(dimensions) has only \(listed.count / element.byteCount) elements")
      }
      bytes.reserveCapacity(byteCount)
      let missing = (byteCount - bytes.count) / element.byteCount
      bytes += Array(repeatElement(last, count: min(missing, 4096)).joined())
      // What is repeated is doubled, not appended element by element.
      while bytes.count < byteCount { bytes += bytes.suffix(min(byteCount - bytes.count, 4096 * last.count)) }
    }
    return try Literal(element, dimensions, memory: Data(bytes))
  }

  /// The bytes of the elements in the typed field for `element`, in TensorFlow's layout.
  private func listedBytes(_ element: ElementType) throws(OpError) -> [UInt8] {
    switch element {
    case .f32: return bytes(of: floatVal)
    case .f64: return bytes(of: doubleVal)
    case .f16, .bf16: return bytes(of: halfVal.map { UInt16(truncatingIfNeeded: $0) })
    case .i64: return bytes(of: int64Val)
    case .i32: return bytes(of: intVal)
    case .i16, .ui16: return bytes(of: intVal.map { UInt16(truncatingIfNeeded: $0) })
    case .i8, .ui8, .i4, .ui4, .i2, .ui2: return intVal.map { UInt8(truncatingIfNeeded: $0) }
    case .ui32: return bytes(of: uint32Val)
    case .ui64: return bytes(of: uint64Val)
    case .i1: return boolVal.map { $0 ? 1 : 0 }
    case .complex64: return bytes(of: try pairs(scomplexVal))
    case .complex128: return bytes(of: try pairs(dcomplexVal))
    default: return [UInt8](float8Val)
    }
  }

  private func bytes(of elements: [some BitwiseCopyable]) -> [UInt8] {
    elements.withUnsafeBytes { Array($0) }
  }

  private func pairs<Part>(_ parts: [Part]) throws(OpError) -> [Part] {
    guard parts.count.isMultiple(of: 2) else {
      throw OpError("a complex tensor has \(parts.count) parts, which is not a multiple of 2")
    }
    return parts
  }
}
