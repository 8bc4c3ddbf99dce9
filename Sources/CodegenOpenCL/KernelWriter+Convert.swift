import Codegen
import IR

extension KernelWriter {
  /// The value in another element type, with the meaning of `Scalar.converted`.
  mutating func convert(_ value: Value, to element: ElementType) -> Value {
    if value.element == element { return value }
    noteType(element)
    let type = RegisterType(element, lanes: value.lanes)
    if element.isComplex { return convertToComplex(value, type) }
    if let imaginary = value.imaginary {
      let real = Value(value.element.realPart, value.lanes, value.part)
      guard element == .i1 else { return convert(real, to: element) }
      let zero = CType.constant(.zero(real.element), real.type).part
      return Value(type, truth("(\(real.part) != \(zero)) | (\(imaginary) != \(zero))", real.type))
    }
    return Value(type, value.element.isFloat ? convertFloat(value, to: type) : convertInteger(value, to: type))
  }

  private mutating func convertToComplex(_ value: Value, _ type: RegisterType) -> Value {
    let part = type.element.realPart
    let real = convert(Value(value.element.realPart, value.lanes, value.part), to: part).part
    guard let imaginary = value.imaginary else {
      return Value(type, real, imaginary: CType.constant(.zero(part), RegisterType(part, lanes: type.lanes)).part)
    }
    let second = convert(Value(value.element.realPart, value.lanes, imaginary), to: part).part
    return Value(type, real, imaginary: second)
  }

  /// A conversion between numbers of OpenCL's types: what is out of an integer's range wraps.
  private func cast(_ text: String, to type: RegisterType) -> String {
    let name = CType.part(type)
    return type.lanes == 1 ? "(\(name))\(text)" : "convert_\(name)(\(text))"
  }

  /// Numbers narrower than a byte, from the low bits of one.
  func wrapped(_ text: String, _ type: RegisterType) -> String {
    let bits = type.element.bitWidth
    guard bits < 8, !type.element.isBoolean else { return text }
    let name = CType.part(type)
    if type.element.kind != .signed { return "\(text) & (\(name))(\((1 << bits) - 1))" }
    let raised = type.lanes == 1 ? "(char)((uchar)\(text) << \(8 - bits))" : "(\(text) << (\(name))(\(8 - bits)))"
    return "\(raised) >> \(type.lanes == 1 ? "\(8 - bits)" : "(\(name))(\(8 - bits))")"
  }

  private mutating func convertInteger(_ value: Value, to type: RegisterType) -> String {
    // Of several lanes, an i1 is -1 where it holds.
    let isMask = value.element == .i1 && value.lanes > 1
    let part = isMask ? "(-\(value.part))" : value.part
    if type.element == .i1 {
      return truth("\(part) != \(CType.constant(.integer(0), value.type).part)", value.type)
    }
    if !type.element.isFloat {
      let name = newName()
      guard type.element.bitWidth < 8 else { return cast(part, to: type) }
      append("const \(CType.part(type)) \(name) = \(cast(part, to: type));")
      return wrapped(name, type)
    }
    if type.element == .f32 || type.element == .f64 { return cast(part, to: type) }
    let wide = Value(value.type, part)
    if value.element.bitWidth <= 16 {
      return narrow(Value(.f32, value.lanes, cast(part, to: RegisterType(.f32, lanes: value.lanes))), to: type)
    }
    return narrow(Value(.f32, value.lanes, roundedToOdd(wide)), to: type)
  }

  private mutating func convertFloat(_ value: Value, to type: RegisterType) -> String {
    let float = asFloat(value)
    let wide = RegisterType(value.element == .f64 ? .f64 : .f32, lanes: value.lanes)
    switch type.element {
    case .i1: return truth("\(float) != \(CType.constant(.real(0), wide).part)", wide)
    case .f64, .f32: return cast(float, to: type)
    case _ where type.element.isFloat:
      return narrow(
        value.element == .f64 ? Value(.f32, value.lanes, roundedToOdd(value)) : Value(wide, float), to: type)
    default: break
    }
    // Towards zero, limited to the type's range; NaN gives 0.
    let bits = type.element.bitWidth
    guard bits < 8 else { return "convert_\(CType.part(type))_sat_rtz(\(float))" }
    let isSigned = type.element.kind == .signed
    let (least, most) = isSigned ? (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) : (0, (1 << bits) - 1)
    let name = CType.part(type)
    return "clamp(convert_\(name)_sat_rtz(\(float)), (\(name))(\(least)), (\(name))(\(most)))"
  }

  // MARK: Narrow floats

  /// A float register's value as f32, or as f64 if it is that; exact.
  mutating func asFloat(_ value: Value) -> String {
    let element = value.element
    if element == .f32 || element == .f64 { return value.part }
    let function = "tfc_float_of_\(element.identifier)"
    helpers.need(function, Self.widening(element, function))
    return lanewise(RegisterType(.f32, lanes: value.lanes), [value]) { "\(function)(\($0[0]))" }.part
  }

  /// An f32 value rounded to a narrower float type's bits, ties to even.
  private mutating func narrow(_ value: Value, to type: RegisterType) -> String {
    let function = "tfc_\(type.element.identifier)_of_float"
    helpers.need(function, Self.narrowing(type.element, function))
    return lanewise(type, [value]) { "\(function)(\($0[0]))" }.part
  }

  /// A value as f32 so that rounding it again to a narrower type gives what rounding once gives: towards zero, with the
  /// last bit set where that was not exact.
  private mutating func roundedToOdd(_ value: Value) -> String {
    let name = CType.memory(value.element)
    let function = "tfc_odd_float_of_\(name)"
    let back = value.element == .f64 ? "(double)y != x" : "convert_\(name)_sat_rtz(y) != x"
    helpers.need(
      function,
      """
      /* Towards zero, with the last bit set where that is not exact: it rounds to fewer bits as x does. */
      static inline float \(function)(\(name) x) {
        const float y = convert_float_rtz(x);
        return \(back) ? as_float(as_uint(y) | 1) : y;
      }

      """)
    return lanewise(RegisterType(.f32, lanes: value.lanes), [value]) { "\(function)(\($0[0]))" }.part
  }

  private static func widening(_ element: ElementType, _ function: String) -> String {
    let bits = CType.memory(element)
    let head = "static inline float \(function)(\(bits) bits)"
    switch element {
    case .bf16: return "\(head) { return as_float((uint)bits << 16); }\n"
    case .f16: return "\(head) { return vload_half(0, (const half *)&bits); }\n"
    case .f8E8M0FNU:
      return """
        \(head) {
          if (bits == 0xff) return as_float(0x7fc00000U);
          return as_float(bits == 0 ? 0x400000U : (uint)bits << 23);
        }

        """
    default: break
    }
    guard let format = FloatFormat(element) else { preconditionFailure("\(element) is no float type") }
    let signBit = format.exponentBits + format.mantissaBits
    let scale = CType.float(Double(sign: .plus, exponent: 127 - format.bias, significand: 1), 32)
    var lines = [
      "const uint size = bits & \((1 << signBit) - 1);", "const uint sign = (uint)(bits >> \(signBit) & 1) << 31;",
      "/* Read as f32 the pattern is the value but for a power of two, subnormal values included. */",
      "uint result = as_uint(as_float(size << \(23 - format.mantissaBits)) * \(scale)) | sign;",
    ]
    switch format.specials {
    case .ieee:
      let infinity = ((1 << format.exponentBits) - 1) << format.mantissaBits
      lines.append("if (size == \(infinity)) result = sign | 0x7f800000U;")
      lines.append("if (size > \(infinity)) result = sign | 0x7fc00000U;")
    case .finiteNaNAllOnes: lines.append("if (size == \((1 << signBit) - 1)) result = sign | 0x7fc00000U;")
    case .finiteNaNNegativeZero: lines.append("if (bits == \(1 << signBit)) result = 0xffc00000U;")
    case .finite: break
    }
    lines.append("return as_float(result);")
    return "\(head) {\n" + lines.map { "  \($0)\n" }.joined() + "}\n"
  }

  private static func narrowing(_ element: ElementType, _ function: String) -> String {
    let type = CType.memory(element)
    let head = "static inline \(type) \(function)(float x)"
    switch element {
    case .f16:
      return """
        \(head) {
          ushort bits;
          vstore_half_rte(x, 0, (half *)&bits);
          return bits;
        }

        """
    case .bf16:
      return """
        \(head) {
          const uint bits = as_uint(x);
          return (ushort)((x != x ? bits | 0x400000U : bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        }

        """
    case .f8E8M0FNU:
      return """
        /* The exponent of the nearest power of two, halfway up. */
        \(head) {
          const uint bits = as_uint(x), exponent = bits >> 23;
          /* Subnormal numbers are in units of 2^-149; the least power is 2^-127. */
          const uint up = (bits & 0x7fffffU) >= (exponent == 0 ? 0x600000U : 0x400000U);
          return (uchar)(bits - 1 < 0x7f7fffffU ? exponent + up : 0xff);
        }

        """
    default: break
    }
    guard let format = FloatFormat(element) else { preconditionFailure("\(element) is no float type") }
    return "\(head) {\n" + roundingLines(format, type).map { "  \($0)\n" }.joined() + "}\n"
  }

  private static func roundingLines(_ format: FloatFormat, _ type: String) -> [String] {
    let (mantissa, bias) = (format.mantissaBits, format.bias)
    let signBit = format.exponentBits + mantissa
    let dropped = 23 - mantissa
    let anchor = CType.unsigned(UInt64((1 - bias - mantissa + 23 + 127) << 23), 32)
    var lines = [
      "const uint bits = as_uint(x), size = bits & 0x7fffffffU, sign = bits >> 31 << \(signBit);",
      "/* Normal numbers: a carry out of the mantissa goes into the exponent. Subnormal ones: adding a power of two whose",
      "   last place is the format's unit leaves the units in the low bits. */",
      "const uint rounded = (size + (size >> \(dropped) & 1) + \((1 << (dropped - 1)) - 1)) >> \(dropped);",
      "const uint units = as_uint(as_float(size) + as_float(\(anchor))) - \(anchor);",
      "uint y = size < \(CType.unsigned(UInt64((128 - bias) << 23), 32)) ? units : rounded - \((127 - bias) << mantissa);",
    ]
    switch format.specials {
    case .ieee:
      let infinity = ((1 << format.exponentBits) - 1) << mantissa
      lines.append("if (y > \(infinity)) y = \(infinity);")
      lines.append("if (x != x) y = \(infinity | 1 << (mantissa - 1));")
      lines.append("return (\(type))(y | sign);")
    case .finiteNaNAllOnes:
      let largest = (1 << signBit) - 2
      lines.append("if (x != x || y > \(largest)) y = \(largest + 1);")
      lines.append("return (\(type))(y | sign);")
    case .finiteNaNNegativeZero:
      lines.append("if (x != x || y > \((1 << signBit) - 1)) return \(1 << signBit);")
      lines.append("return (\(type))(y == 0 ? 0 : y | sign);")
    case .finite:
      let largest = (1 << signBit) - 1
      lines.append("/* There is no NaN; it becomes a zero, of the other sign. */")
      lines.append("if (x != x) return (\(type))(sign ^ \(1 << signBit));")
      lines.append("return (\(type))((y > \(largest) ? \(largest) : y) | sign);")
    }
    return lines
  }

  // MARK: Bits

  /// The value's bits as another type of the same width, or as one of a byte.
  mutating func bitcast(_ value: Value, to type: RegisterType) -> Value {
    if value.element == type.element { return value }
    let (lanes, width) = (type.lanes, type.element.bitWidth)
    let half = CType.integer(width / 2, isSigned: false, lanes: lanes)
    let whole = CType.integer(width, isSigned: false, lanes: lanes)
    if let imaginary = value.imaginary {
      if type.element.isComplex { return Value(type, value.part, imaginary: imaginary) }
      func wide(_ part: String) -> String { "convert_\(whole)(as_\(half)(\(part)))" }
      return Value(type, "as_\(CType.part(type))(\(wide(value.part)) | \(wide(imaginary)) << \(width / 2))")
    }
    if type.element.isComplex {
      let bits = "as_\(whole)(\(value.part))"
      let part = CType.part(type)
      return Value(
        type, "as_\(part)(convert_\(half)(\(bits)))", imaginary: "as_\(part)(convert_\(half)(\(bits) >> \(width / 2)))")
    }
    if type.element == .i1 || value.element == .i1 { return convert(value, to: type.element) }
    if width < 8 { return Value(type, wrapped("as_\(CType.part(type))(\(value.part))", type)) }
    return Value(type, "as_\(CType.part(type))(\(value.part))")
  }
}

extension ElementType {
  /// The type's name in identifiers.
  fileprivate var identifier: String { rawValue.lowercased() }
}
