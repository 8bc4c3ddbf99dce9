/// Applies a scalar function to the operands' elements, position by position.
///
/// `%r = stablehlo.add %x, %y : tensor<4x2xf32>`
public struct Pointwise: OpDefinition {
  public var function: ScalarFunction
  public init(_ function: ScalarFunction) { self.function = function }
  public var mnemonic: String { function.mnemonic }
  public var op: Op { .pointwise(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let element = try function.resultType(operands.map(\.elementType))
    for operand in operands.dropFirst() where operand.dimensions != operands[0].dimensions {
      throw OpError(
        "\(mnemonic) needs operands with the same dimensions, not \(operands[0].detailedDescription)"
          + " and \(operand.detailedDescription)")
    }
    return [operands[0].with(element)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let elements = operands.map(\.scalars)
    let types = operands.map(\.elementType)
    let type = results[0].elementType
    var values: [Scalar] = []
    values.reserveCapacity(operands[0].elementCount)
    for position in 0..<operands[0].elementCount {
      values.append(try function.evaluate(elements.map { $0[position] }, types, type))
    }
    return [Literal(type, operands[0].dimensions, values)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .pointwise(function) }
}

extension Op {
  /// The op that applies `function` to each position.
  public static func pointwise(_ function: ScalarFunction) -> Op { .pointwise(Pointwise(function)) }
}

extension Pointwise {
  static let convertText = TextForm("stablehlo.convert", "operands attr-dict `:` same-type") {
    (reader) throws(OpError) in
    .pointwise(.convert(try reader.result().elementType))
  }

  /// `bitcast_convert` changes the shape where the widths differ; then it is an op of its own.
  static let bitcastText = TextForm("stablehlo.bitcast_convert", "operands attr-dict `:` functional-type") {
    (reader) throws(OpError) in
    let (x, result) = (try reader.operand(0), try reader.result())
    guard x.elementType.bitWidth == result.elementType.bitWidth else {
      return .bitcastConvert(BitcastConvert(resultType: result))
    }
    return .pointwise(.bitcast(result.elementType))
  }

  static let reducePrecisionText = TextForm(
    "stablehlo.reduce_precision", "operands `,` `format` `=` reducedFormat attr-dict `:` same-type"
  ) { (reader) throws(OpError) in
    let exponentBits = try reader.integer("exponent_bits")
    let mantissaBits = try reader.integer("mantissa_bits")
    return .pointwise(.reducePrecision(exponentBits: exponentBits, mantissaBits: mantissaBits))
  } write: { op, writer in
    guard case .pointwise(let pointwise) = op,
      case .reducePrecision(let exponentBits, let mantissaBits) = pointwise.function
    else { return }
    writer.set("exponent_bits", .integer(Int64(exponentBits), "i32"))
    writer.set("mantissa_bits", .integer(Int64(mantissaBits), "i32"))
  }

  static let compareText = TextForm(
    "stablehlo.compare", "$comparison_direction `,` operands comparisonType attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let x = try reader.operand(0).elementType
    // What is compared follows from the operands where the text does not say it.
    let standard: ComparisonType =
      switch x.kind {
      case .boolean, .unsigned: .unsigned
      case .signed: .signed
      case .float, .complex: .float
      }
    let direction: ComparisonDirection = try reader.enumeration("comparison_direction")
    var type: ComparisonType = standard
    if case .enumeration(_, "NOTYPE")? = reader["compare_type"] {
    } else {
      type = try reader.enumeration("compare_type", default: standard)
    }
    return .pointwise(.compare(direction, type))
  } write: { op, writer in
    guard case .pointwise(let pointwise) = op, case .compare(let direction, let type) = pointwise.function else {
      return
    }
    writer.set("compare_type", .enumeration(kind: "stablehlo<comparison_type", type.rawValue))
    writer.set("comparison_direction", .enumeration(kind: "stablehlo<comparison_direction", direction.rawValue))
  }
}
