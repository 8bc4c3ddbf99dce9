/// Attributes and types of VHLO, the dialect in which StableHLO is kept in files that later versions read
/// (StableHLO, "VHLO" and its bytecode).
extension BytecodeValues {
  private enum AttributeCode: UInt64 {
    case array = 1
    case boolean, comparisonDirection, comparisonType, callVersion, dictionary, fftType, float, integer
    case operandAlias, precision, randomAlgorithm, randomDistribution, string, tensor, transpose, type, bounds
    case accuracyMode, accuracy
  }

  /// Attributes that are one of a few words, each the number of its place.
  private static let words: [AttributeCode: (kind: String, values: [String])] = [
    .comparisonDirection: ("comparison_direction", ["EQ", "NE", "GE", "GT", "LE", "LT"]),
    .comparisonType: ("comparison_type", ["NOTYPE", "FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED"]),
    .fftType: ("fft_type", ["FFT", "IFFT", "RFFT", "IRFFT"]),
    .precision: ("precision", ["DEFAULT", "HIGH", "HIGHEST"]),
    .randomAlgorithm: ("rng_algorithm", ["DEFAULT", "THREE_FRY", "PHILOX"]),
    .randomDistribution: ("rng_distribution", ["", "UNIFORM", "NORMAL"]),
    .transpose: ("transpose", ["TRANSPOSE_INVALID", "NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"]),
    .accuracyMode: ("result_accuracy_mode", ["DEFAULT", "HIGHEST", "TOLERANCE"]),
  ]

  mutating func versionedAttribute(_ reader: inout ByteReader) throws(SourceError) -> AttributeSyntax {
    let start = reader.position
    let number = try reader.integer()
    // What is newer, or says how work is spread over devices, is not needed for what a module means.
    guard let code = AttributeCode(rawValue: number) else { return .other("#vhlo<\(number)>") }
    if let (kind, values) = Self.words[code] {
      let value = Int(clamping: try reader.integer())
      guard values.indices.contains(value) else { throw file.source.error("there is no \(kind) \(value)", at: start) }
      return .enumeration(kind: "stablehlo<\(kind)", values[value])
    }
    switch code {
    case .array: return .array(try attributeList(&reader))
    case .boolean: return .boolean(try reader.integer() != 0)
    case .callVersion: return .integer(Int64(clamping: try reader.integer()), "i32")
    case .dictionary: return .dictionary(try namedAttributes(&reader))
    case .float: return try floatAttribute(&reader)
    case .integer: return try integerAttribute(&reader)
    case .operandAlias: return .other("#stablehlo.output_operand_alias")
    case .string: return .string(try file.string(&reader))
    case .tensor: return try denseAttribute(&reader)
    case .type: return .type(try type(&reader))
    case .bounds: return .other("#stablehlo.bounds")
    case .accuracy: return .other("#stablehlo.result_accuracy")
    default: return .other("#vhlo<\(number)>")
    }
  }

  private enum TypeCode: UInt64 {
    case boolean, complex, bf16, f16, f32, f64, f8E4M3FN, f8E5M2, function, index
    case i4, i8, i16, i32, i64, ui4, ui8, ui16, ui32, ui64
    case tensor, tensorWithEncoding, token, tuple, quantized, unrankedTensor, witness
    case f8E4M3FNUZ, f8E5M2FNUZ, f8E4M3B11FNUZ, quantizedPerAxis, i2, ui2, noType, tf32, f8E4M3, f8E3M4
    case f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E8M0FNU, buffer, future
  }

  mutating func versionedType(_ reader: inout ByteReader) throws(SourceError) -> TypeSyntax {
    let start = reader.position
    let number = try reader.integer()
    switch TypeCode(rawValue: number) {
    case .boolean: return .other("i1")
    case .complex: return try complexType(&reader)
    case .function: return .function(try typeList(&reader), try typeList(&reader))
    case .tensor: return try tensorType(&reader)
    case .tensorWithEncoding:
      _ = try attribute(&reader)
      return try tensorType(&reader)
    case .token: return .other("!stablehlo.token")
    case .tuple: return .tuple(try typeList(&reader))
    case .unrankedTensor: throw file.source.error("unranked tensors are not supported", at: start)
    case .quantized, .quantizedPerAxis: return .other("!quant.uniform")
    case .witness: return .other("!shape.witness")
    case .noType: return .other("none")
    case let scalar?: return .other("\(scalar)")
    case nil: throw file.source.error("the file has a type of an unknown kind, \(number)", at: start)
    }
  }
}
