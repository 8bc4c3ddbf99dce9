internal import Foundation
internal import IR

/// An array as a `.npy` file has it, its elements little-endian and in row-major order.
///
/// The format is described in NumPy's manual under `numpy.lib.format`. Versions 1 to 3 are read, version 1 is written.
struct NumpyFile: Hashable, Sendable {
  /// NumPy's letter: `f`, `i`, `u`, `b`, `c` or `V`.
  var kind: Character
  /// Bytes of an element.
  var itemSize: Int
  var dimensions: [Int]
  var bytes: [UInt8]

  var elementCount: Int { dimensions.reduce(1, *) }

  /// What the file's type is called in messages: `<f4`.
  var typeName: String { "\(itemSize == 1 ? "|" : "<")\(kind)\(itemSize)" }

  /// The element type that the file says; nil for bits whose meaning only the graph knows.
  var naturalType: ElementType? {
    switch (kind, itemSize) {
    case ("b", 1): .i1
    case ("f", 2): .f16
    case ("f", 4): .f32
    case ("f", 8): .f64
    case ("c", 8): .complex64
    case ("c", 16): .complex128
    case ("i", 1): .i8
    case ("i", 2): .i16
    case ("i", 4): .i32
    case ("i", 8): .i64
    case ("u", 1): .ui8
    case ("u", 2): .ui16
    case ("u", 4): .ui32
    case ("u", 8): .ui64
    default: nil
    }
  }
}

// MARK: - Tensors

extension NumpyFile {
  /// How elements of a type are kept: numpy's own type, or the bits where it has none.
  private static func storage(of type: ElementType) -> (kind: Character, itemSize: Int) {
    switch type {
    case .i1: ("b", 1)
    case .i2, .i4, .i8: ("i", 1)
    case .i16: ("i", 2)
    case .i32: ("i", 4)
    case .i64: ("i", 8)
    case .ui16, .bf16: ("u", 2)
    case .ui32: ("u", 4)
    case .ui64: ("u", 8)
    case .f16: ("f", 2)
    case .f32: ("f", 4)
    case .f64: ("f", 8)
    case .complex64: ("c", 8)
    case .complex128: ("c", 16)
    default: ("u", 1)
    }
  }

  init(_ literal: Literal) {
    (kind, itemSize) = Self.storage(of: literal.elementType)
    dimensions = literal.dimensions
    bytes = literal.expanded.bytes
  }

  /// The tensor of `type` that the file holds.
  func literal(_ type: ElementType) throws(Failure) -> Literal {
    let expected = Self.storage(of: type)
    let isBits = kind == "V" && type.isFloat && type.naturalNumpyType == nil
    guard itemSize == expected.itemSize, kind == expected.kind || isBits else {
      let name = expected.itemSize == 1 ? "|" : "<"
      throw .refused(
        "the elements are \(typeName), expected \(type), which is \(name)\(expected.kind)\(expected.itemSize)")
    }
    switch type {
    case .i1:
      return Literal(type, dimensions, bytes: bytes.map { $0 == 0 ? 0 : 1 })
    case .i2, .i4, .ui2, .ui4, .f4E2M1FN, .f6E2M3FN, .f6E3M2FN:
      let limits: ClosedRange<Int>
      switch type {
      case .i2: limits = -2...1
      case .i4: limits = -8...7
      default: limits = 0...(1 << type.bitWidth) - 1
      }
      let isSigned = limits.lowerBound < 0
      if let bad = bytes.first(where: { !limits.contains(isSigned ? Int(Int8(bitPattern: $0)) : Int($0)) }) {
        throw .refused("the element \(isSigned ? Int(Int8(bitPattern: bad)) : Int(bad)) does not fit \(type)")
      }
      return Literal(type, dimensions, bytes: bytes)
    default:
      return Literal(type, dimensions, bytes: bytes)
    }
  }
}

extension ElementType {
  /// Whether NumPy has the type itself.
  fileprivate var naturalNumpyType: ElementType? {
    switch self {
    case .f16, .f32, .f64: self
    default: nil
    }
  }
}

// MARK: - Writing

extension NumpyFile {
  /// The file's content.
  var fileBytes: [UInt8] {
    var shape = dimensions.map { "\($0)" }.joined(separator: ", ")
    if dimensions.count == 1 { shape += "," }
    var header = "{'descr': '\(typeName)', 'fortran_order': False, 'shape': (\(shape)), }"
    // The elements begin at a multiple of 64 bytes.
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    precondition(header.utf8.count < 65536, "a tensor of so many dimensions has no file of version 1")
    var file: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    file += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
    file.reserveCapacity(file.count + header.utf8.count + bytes.count)
    file += Array(header.utf8)
    file += bytes
    return file
  }

  func write(to path: String) throws(Failure) { try Files.replace(path, with: fileBytes) }
}

// MARK: - Reading

extension NumpyFile {
  /// Reads a file; everything in it is checked.
  init(reading path: String) throws(Failure) {
    do throws(Failure) { try self.init(file: [UInt8](try Files.read(path))) } catch {
      throw Failure(error.kind, error.diagnostics.map { Diagnostic(place: path, message: $0.message) })
    }
  }

  init(file: [UInt8]) throws(Failure) {
    guard file.count >= 10, file.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw .refused("it is not a .npy file")
    }
    let lengthSize = file[6] == 1 ? 2 : 4
    guard (1...3).contains(file[6]) else { throw .refused(".npy version \(file[6]).\(file[7]), expected 1 to 3") }
    guard file.count >= 8 + lengthSize else { throw .refused("the header is cut off") }
    var length = 0
    for position in 0..<lengthSize { length |= Int(file[8 + position]) << (8 * position) }
    let start = 8 + lengthSize
    guard length <= file.count - start else { throw .refused("the header is cut off") }
    let header = try NumpyHeader(parsing: Array(file[start..<start + length]))
    let content = file[(start + length)...]

    guard let byteCount = Self.byteCount(header.dimensions, header.itemSize) else {
      throw .refused("the shape \(header.dimensions) has more elements than fit into memory")
    }
    guard content.count == byteCount else {
      throw .refused(
        "\(content.count) bytes follow the header, expected \(byteCount) for shape \(header.dimensions) of "
          + "\(header.kind)\(header.itemSize)")
    }
    kind = header.kind
    itemSize = header.itemSize
    dimensions = header.dimensions
    bytes = Array(content)
    if header.isBigEndian { reverseBytes() }
    if header.isFortranOrder { transpose() }
  }

  private static func byteCount(_ dimensions: [Int], _ itemSize: Int) -> Int? {
    if dimensions.contains(0) { return 0 }
    var product = itemSize
    for dimension in dimensions {
      let (next, overflows) = product.multipliedReportingOverflow(by: dimension)
      if overflows { return nil }
      product = next
    }
    return product
  }

  /// Turns the bytes of each number around.
  private mutating func reverseBytes() {
    let size = kind == "c" ? itemSize / 2 : itemSize
    guard size > 1 else { return }
    for start in stride(from: 0, to: bytes.count, by: size) { bytes[start..<start + size].reverse() }
  }

  /// Brings elements in column-major order into row-major order.
  private mutating func transpose() {
    guard dimensions.count > 1, !bytes.isEmpty else { return }
    var strides = [Int](repeating: itemSize, count: dimensions.count)
    for d in 1..<dimensions.count { strides[d] = strides[d - 1] * dimensions[d - 1] }
    var ordered: [UInt8] = []
    ordered.reserveCapacity(bytes.count)
    var index = [Int](repeating: 0, count: dimensions.count)
    var offset = 0
    for _ in 0..<elementCount {
      ordered.append(contentsOf: bytes[offset..<offset + itemSize])
      var d = dimensions.count - 1
      while d >= 0 {
        index[d] += 1
        offset += strides[d]
        if index[d] < dimensions[d] { break }
        offset -= strides[d] * dimensions[d]
        index[d] = 0
        d -= 1
      }
    }
    bytes = ordered
  }
}
