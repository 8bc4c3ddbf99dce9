import Foundation
import GraphBuilding
import IR

/// The IR's element type for a value of TensorProto.DataType.
func elementType(_ code: Int32) throws(OpError) -> ElementType {
  switch Onnx_TensorProto.DataType(rawValue: Int(code)) {
  case .float: return .f32
  case .uint8: return .ui8
  case .int8: return .i8
  case .uint16: return .ui16
  case .int16: return .i16
  case .int32: return .i32
  case .int64: return .i64
  case .bool: return .i1
  case .float16: return .f16
  case .double: return .f64
  case .uint32: return .ui32
  case .uint64: return .ui64
  case .complex64: return .complex64
  case .complex128: return .complex128
  case .bfloat16: return .bf16
  case .float8E4M3Fn: return .f8E4M3FN
  case .float8E4M3Fnuz: return .f8E4M3FNUZ
  case .float8E5M2: return .f8E5M2
  case .float8E5M2Fnuz: return .f8E5M2FNUZ
  case .float4E2M1: return .f4E2M1FN
  case .float8E8M0: return .f8E8M0FNU
  case .float6E2M3: return .f6E2M3FN
  case .float6E3M2: return .f6E3M2FN
  case .uint4: return .ui4
  case .int4: return .i4
  case .uint2: return .ui2
  case .int2: return .i2
  case .string: throw .unsupported("tensors of strings")
  case .undefined, nil: throw OpError("element type \(code) is not one of TensorProto.DataType")
  }
}

extension Onnx_TensorProto {
  /// The constant that the message holds ("Tensors" in ONNX's IR specification).
  ///
  /// `raw` is raw data that was left in the file; `directory` is where external data lies.
  func literal(raw: Data? = nil, directory: URL? = nil) throws(OpError) -> Literal {
    guard !hasSegment else { throw .unsupported("tensors in segments") }
    let element = try elementType(dataType)
    var dimensions: [Int] = []
    var count = 1
    for dim in dims {
      guard dim >= 0, dim <= Int64(elementCountLimit) else { throw OpError("a tensor has dimensions \(dims)") }
      dimensions.append(Int(dim))
    }
    // Strides are counted of tensors without elements, too.
    for dimension in dimensions where dimension > 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product <= elementCountLimit else { throw OpError("a tensor has dimensions \(dims)") }
      count = product
    }
    if dimensions.contains(0) { count = 0 }
    let packed = PackedBytes(element: element, count: count)
    if hasDataLocation, dataLocation == .external {
      let bytes = try externalBytes(directory, byteCount: packed.byteCount)
      return Literal(element, dimensions, bytes: try packed.unpacked(bytes))
    }
    if let raw = raw ?? (hasRawData ? rawData : nil) {
      return Literal(element, dimensions, bytes: try packed.unpacked(raw))
    }
    return Literal(element, dimensions, bytes: try typedBytes(element, packed))
  }

  /// The bytes of elements that stand in one of the typed fields.
  private func typedBytes(_ element: ElementType, _ packed: PackedBytes) throws(OpError) -> [UInt8] {
    switch element {
    case .f32: return try bytes(of: floatData, packed.count)
    case .complex64: return try bytes(of: floatData, 2 * packed.count)
    case .f64: return try bytes(of: doubleData, packed.count)
    case .complex128: return try bytes(of: doubleData, 2 * packed.count)
    case .i64: return try bytes(of: int64Data, packed.count)
    case .ui64: return try bytes(of: uint64Data, packed.count)
    case .ui32: return try bytes(of: uint64Data.map { UInt32(truncatingIfNeeded: $0) }, packed.count)
    case .i32: return try bytes(of: int32Data, packed.count)
    case .i16, .ui16, .f16, .bf16:
      return try bytes(of: int32Data.map { UInt16(truncatingIfNeeded: $0) }, packed.count)
    default:
      let all = try bytes(of: int32Data.map { UInt8(truncatingIfNeeded: $0) }, packed.byteCount)
      return try packed.unpacked(Data(all))
    }
  }

  private func bytes(of elements: [some BitwiseCopyable], _ count: Int) throws(OpError) -> [UInt8] {
    guard elements.count == count else {
      throw OpError("a tensor with dimensions \(dims) has \(elements.count) elements instead of \(count)")
    }
    return elements.withUnsafeBytes { Array($0) }
  }

  /// The part of a file beside the model that holds the elements ("External Tensor Data").
  private func externalBytes(_ directory: URL?, byteCount: Int) throws(OpError) -> Data {
    var entries: [String: String] = [:]
    for entry in externalData { entries[entry.key] = entry.value }
    guard let location = entries["location"], !location.isEmpty else {
      throw OpError("a tensor has external data without a location")
    }
    guard let directory else { throw OpError("a model that is not in a file has external data in '\(location)'") }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    let url = directory.appendingPathComponent(location).resolvingSymlinksInPath()
    let home = directory.resolvingSymlinksInPath().path
    guard !location.hasPrefix("/"), !parts.contains(".."), url.path.hasPrefix(home.hasSuffix("/") ? home : home + "/")
    else {
      throw OpError("external data in '\(location)' lies outside the model's folder")
    }
    guard let offset = Int(entries["offset"] ?? "0"), offset >= 0 else {
      throw OpError("external data in '\(location)' has the offset '\(entries["offset"] ?? "")'")
    }
    guard let length = Int(entries["length"] ?? "\(byteCount)"), length == byteCount else {
      throw OpError(
        "external data in '\(location)' has \(entries["length"] ?? "") bytes where the tensor has \(byteCount)")
    }
    let file: Data
    do { file = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw OpError("external data in '\(location)' cannot be read")
    }
    guard offset <= file.count, byteCount <= file.count - offset else {
      throw OpError(
        "external data in '\(location)' ends at byte \(file.count), before \(byteCount) bytes from \(offset)")
    }
    return file[file.startIndex + offset..<file.startIndex + offset + byteCount]
  }
}

/// The form of raw data: as in a literal, but types narrower than a byte share bytes, the first element in the lowest bits.
private struct PackedBytes {
  let element: ElementType
  let count: Int

  private var elementsPerByte: Int {
    switch element {
    case .i2, .ui2: 4
    case .i4, .ui4, .f4E2M1FN: 2
    default: 1
    }
  }

  var byteCount: Int {
    elementsPerByte == 1 ? count * element.byteCount : (count + elementsPerByte - 1) / elementsPerByte
  }

  /// One byte or more for each element.
  func unpacked(_ bytes: Data) throws(OpError) -> [UInt8] {
    guard bytes.count == byteCount else {
      throw OpError("a tensor of \(count) elements of \(element) has \(bytes.count) bytes instead of \(byteCount)")
    }
    switch elementsPerByte {
    case 1: return [UInt8](bytes)
    case let share:
      let width = 8 / share
      let mask = UInt8(truncatingIfNeeded: (1 << width) - 1)
      return (0..<count).map { index in
        (bytes[bytes.startIndex + index / share] >> UInt8(index % share * width)) & mask
      }
    }
  }
}

extension Onnx_SparseTensorProto {
  /// The tensor with all its elements: zeros but where `indices` say otherwise ("SparseTensorProto").
  func literal(directory: URL?) throws(OpError) -> Literal {
    let values = try self.values.literal(directory: directory)
    let indices = try self.indices.literal(directory: directory)
    var dimensions: [Int] = []
    for dim in dims {
      guard dim > 0, dim < 1 << 31 else { throw OpError("a sparse tensor has dimensions \(dims)") }
      dimensions.append(Int(dim))
    }
    try checkSize(TensorType(values.elementType, fixed: dimensions))
    let count = values.elementCount
    guard values.type.rank == 1, indices.elementType == .i64,
      indices.dimensions == [count] || indices.dimensions == [count, dimensions.count]
    else {
      throw OpError("a sparse tensor has values \(values.type) at indices \(indices.type)")
    }
    let byteCount = values.elementType.byteCount
    let total = dimensions.reduce(1, *)
    var bytes = [UInt8](repeating: 0, count: total * byteCount)
    for position in 0..<count {
      var target = 0
      if indices.type.rank == 1 {
        target = Int(indices[position].integerValue)
      } else {
        for (d, extent) in dimensions.enumerated() {
          let index = Int(indices[[position, d]].integerValue)
          guard (0..<extent).contains(index) else {
            throw OpError("a sparse tensor has the index \(index) of \(extent)")
          }
          target = target * extent + index
        }
      }
      guard (0..<total).contains(target) else { throw OpError("a sparse tensor has the index \(target) of \(total)") }
      bytes.replaceSubrange(
        target * byteCount..<(target + 1) * byteCount, with: values.elementType.bytes(of: values[position]))
    }
    return Literal(values.elementType, dimensions, bytes: bytes)
  }
}
