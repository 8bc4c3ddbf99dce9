/// How the builtin dialect numbers its attributes in bytecode (MLIR, "BuiltinDialectBytecode").
enum BuiltinAttributeCode: UInt64 {
  case array, dictionary, string, typedString, symbol, nestedSymbol, type, unit, integer, float
  case callSiteLocation, fileLocation, fusedLocation, fusedLocationWithMetadata, nameLocation, unknownLocation
  case resource, denseArray, dense, denseStrings, sparse, distinct, fileRange
}

/// How the builtin dialect numbers its types in bytecode.
private enum BuiltinTypeCode: UInt64 {
  case integer, index, function, bf16, f16, f32, f64, f80, f128, complex
  case memref, memrefInSpace, noType, tensor, tensorWithEncoding, tuple
  case unrankedMemref, unrankedMemrefInSpace, unrankedTensor, vector, scalableVector
}

extension BytecodeValues {
  mutating func builtinAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    switch BuiltinAttributeCode(rawValue: try reader.integer()) {
    case .array: return .array(try attributeList(&reader))
    case .dictionary: return .dictionary(try namedAttributes(&reader))
    case .string: return .string(try file.string(&reader))
    case .typedString:
      let text = try file.string(&reader)
      _ = try type(&reader)
      return .string(text)
    case .symbol: return try symbol(&reader)
    case .nestedSymbol:
      guard case .symbol(var name) = try symbol(&reader) else { break }
      for case .symbol(let inner) in try attributeList(&reader) { name += "::\(inner)" }
      return .symbol(name)
    case .type: return .type(try type(&reader))
    case .unit: return .unit
    case .integer: return try integerAttribute(&reader)
    case .float: return try floatAttribute(&reader)
    case .dense: return try denseAttribute(&reader)
    case .denseArray: return try denseArray(&reader)
    case .resource: throw file.source.error("resources in bytecode are not supported", at: start)
    default: break
    }
    return .other("#builtin")
  }

  private mutating func symbol(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    switch try attribute(&reader) {
    case .string(let name), .symbol(let name): return .symbol(name)
    default: throw file.source.error("the name of a symbol is no string", at: start)
    }
  }

  /// An element type, a number of elements and their bytes.
  private mutating func denseArray(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    guard case .other(let name) = try type(&reader), let element = ElementType(rawValue: name) else {
      throw file.source.error("an array has elements of a scalar type", at: start)
    }
    let count = try reader.count("elements")
    let bytes = try reader.blob()
    guard bytes.count == count * element.byteCount else {
      throw file.source.error("\(bytes.count) bytes for \(count) elements of \(element)", at: start)
    }
    self.count(bytes)
    let literal = Literal(element, [count], bytes: Array(file.source.bytes[bytes]))
    if element.isFloat { return .array(literal.scalars.map { .float($0.realValue, name) }) }
    return .integers(literal.scalars.map(\.integerValue), element: name)
  }

  mutating func builtinType(_ reader: inout ByteReader) throws(SourceError) -> TypeSyntax {
    let start = reader.position
    switch BuiltinTypeCode(rawValue: try reader.integer()) {
    case .integer:
      // Two bits say whether the type has a sign: 0 for neither, 1 signed, 2 unsigned.
      let value = try reader.integer()
      return .other(["i", "si", "ui", "i"][Int(value & 3)] + "\(value >> 2)")
    case .index: return .other("index")
    case .function: return .function(try typeList(&reader), try typeList(&reader))
    case .bf16: return .other("bf16")
    case .f16: return .other("f16")
    case .f32: return .other("f32")
    case .f64: return .other("f64")
    case .f80: return .other("f80")
    case .f128: return .other("f128")
    case .complex: return try complexType(&reader)
    case .noType: return .other("none")
    case .tensor: return try tensorType(&reader)
    case .tensorWithEncoding:
      _ = try attribute(&reader)
      return try tensorType(&reader)
    case .tuple: return .tuple(try typeList(&reader))
    case .unrankedTensor: throw file.source.error("unranked tensors are not supported", at: start)
    default: return .other("!builtin")
    }
  }

  mutating func complexType(_ reader: inout ByteReader) throws(SourceError) -> TypeSyntax {
    let start = reader.position
    guard case .other(let part) = try type(&reader) else {
      throw file.source.error("complex numbers have parts of a scalar type", at: start)
    }
    return .other("complex<\(part)>")
  }
}
