import CLLVM
import Codegen
import IR

extension CodeWriter {
  /// The value in another element type, with the meaning of `Scalar.converted`.
  func convert(_ value: Value, to element: ElementType) -> Value {
    if value.element == element { return value }
    let type = RegisterType(element, lanes: value.lanes)
    if element.isComplex {
      let real = convert(Value(value.element.realPart, value.lanes, value.part), to: element.realPart)
      guard let imaginary = value.imaginary else {
        return Value(type, real.part, imaginary: zero(partType(type)))
      }
      let second = convert(Value(value.element.realPart, value.lanes, imaginary), to: element.realPart)
      return Value(type, real.part, imaginary: second.part)
    }
    if let imaginary = value.imaginary {
      let real = Value(value.element.realPart, value.lanes, value.part)
      guard element == .i1 else { return convert(real, to: element) }
      let second = convert(Value(value.element.realPart, value.lanes, imaginary), to: .i1)
      return Value(type, binary(LLVMOr, convert(real, to: .i1).part, second.part))
    }
    return Value(type, value.element.isFloat ? convertFloat(value, to: type) : convertInteger(value, to: type))
  }

  private func convertInteger(_ value: Value, to type: RegisterType) -> LLVMValueRef {
    let isSigned = value.element.kind == .signed
    if type.element == .i1 { return compare(LLVMIntNE, value.part, zero(LLVMTypeOf(value.part))) }
    if !type.element.isFloat {
      let widens = type.element.bitWidth > value.element.bitWidth
      return cast(widens ? (isSigned ? LLVMSExt : LLVMZExt) : LLVMTrunc, value.part, to: partType(type))
    }
    let opcode = isSigned ? LLVMSIToFP : LLVMUIToFP
    if type.element == .f32 || type.element == .f64 { return cast(opcode, value.part, to: partType(type)) }
    if let brief = brief(value, for: type.element) {
      let float = cast(isSigned ? LLVMSIToFP : LLVMUIToFP, brief, to: floatType(32, lanes: type.lanes))
      return narrow(Value(.f32, value.lanes, float), to: type)
    }
    let integer = value.element.bitWidth == 64 ? withStickyBit(value.part, isSigned, value.lanes) : value.part
    let wide = cast(opcode, integer, to: floatType(64, lanes: type.lanes))
    return narrow(Value(.f64, value.lanes, wide), to: type)
  }

  /// The integer as one that f32 holds exactly and that becomes the same number of a narrow float type: numbers of few bits, and
  /// larger ones limited to what is beyond the range of the type. Nil where the type's range is larger than that of such integers.
  private func brief(_ value: Value, for element: ElementType) -> LLVMValueRef? {
    let (width, lanes) = (value.element.bitWidth, value.lanes)
    let isSigned = value.element.kind == .signed
    if width <= 16 { return value.part }
    guard let format = FloatFormat(element), (1 << format.exponentBits) - format.bias < 24 else { return nil }
    let type = partType(value.type)
    let limit = integer(1 << 24, width, lanes: lanes)
    var part = intrinsic(isSigned ? "llvm.smin" : "llvm.umin", [type], [value.part, limit])
    if isSigned { part = intrinsic("llvm.smax", [type], [part, integer(-1 << 24, width, lanes: lanes)]) }
    return width > 32 ? cast(LLVMTrunc, part, to: integerType(32, lanes: lanes)) : part
  }

  /// A 64-bit integer that f64 holds exactly, and that rounds to the types of few bits as `part` does: of large ones the
  /// low bits are replaced by one that says whether any was set.
  private func withStickyBit(_ part: LLVMValueRef, _ isSigned: Bool, _ lanes: Int) -> LLVMValueRef {
    func number(_ value: Int) -> LLVMValueRef { integer(value, 64, lanes: lanes) }
    let low = binary(LLVMAnd, part, number(0xF_FFFF))
    let sticky = select(compare(LLVMIntEQ, low, number(0)), number(0), number(0x8_0000))
    let coarse = binary(LLVMOr, binary(LLVMXor, part, low), sticky)
    let shifted = isSigned ? binary(LLVMAdd, part, number(1 << 53)) : part
    return select(compare(LLVMIntUGE, shifted, number(isSigned ? 1 << 54 : 1 << 53)), coarse, part)
  }

  private func convertFloat(_ value: Value, to type: RegisterType) -> LLVMValueRef {
    let float = asFloat(value)
    let isWide = value.element == .f64
    switch type.element {
    case .i1: return compare(LLVMRealUNE, float, zero(LLVMTypeOf(float)))
    case .f64: return cast(LLVMFPExt, float, to: partType(type))
    case .f32: return cast(LLVMFPTrunc, float, to: partType(type))
    case _ where type.element.isFloat:
      return narrow(Value(isWide ? .f64 : .f32, value.lanes, float), to: type)
    default: return saturated(float, to: type)
    }
  }

  /// Truncated towards zero and limited to the type's range; NaN gives 0.
  ///
  /// LLVM's saturating conversions say the same, but of vectors it converts each element by itself.
  private func saturated(_ float: LLVMValueRef, to type: RegisterType) -> LLVMValueRef {
    let (isSigned, width) = (type.element.kind == .signed, type.element.bitWidth)
    let (own, result) = (LLVMTypeOf(float) as LLVMTypeRef, partType(type))
    let scalar: LLVMTypeRef = type.lanes == 1 ? own : LLVMGetElementType(own)
    let isWide = LLVMGetTypeKind(scalar) == LLVMDoubleTypeKind
    func number(_ value: Double) -> LLVMValueRef { self.float(value, isWide ? 64 : 32, lanes: type.lanes) }
    let limit = Double(sign: .plus, exponent: isSigned ? width - 1 : width, significand: 1)
    let least = number(isSigned ? -limit : 0)
    if width < 32 || width == 32 && isWide && isSigned {
      // The limits are floats, so that the value is limited before it is converted; NaN becomes the least value, or 0.
      let known = isSigned ? select(compare(LLVMRealORD, float, float), float, zero(own)) : float
      let raised = select(compare(LLVMRealOGT, known, least), known, least)
      let most = number(limit - 1)
      let limited = select(compare(LLVMRealOLT, raised, most), raised, most)
      let wide = cast(LLVMFPToSI, limited, to: integerType(32, lanes: type.lanes))
      return width < 32 ? cast(LLVMTrunc, wide, to: result) : wide
    }
    // What is out of range converts to anything, frozen so that it is one value, and is replaced.
    let converted: LLVMValueRef = LLVMBuildFreeze(
      builder, cast(isSigned ? LLVMFPToSI : LLVMFPToUI, float, to: result), "")
    let greatest = integer(isSigned ? Int.max >> (64 - width) : -1, width, lanes: type.lanes)
    let lowered = select(compare(LLVMRealOGE, float, number(limit)), greatest, converted)
    guard isSigned else { return select(compare(LLVMRealOGT, float, least), lowered, zero(result)) }
    let smallest = integer(Int.min >> (64 - width), width, lanes: type.lanes)
    let raised = select(compare(LLVMRealOLT, float, least), smallest, lowered)
    return select(compare(LLVMRealUNO, float, float), zero(result), raised)
  }

  // MARK: Narrow floats

  /// A float register's value as f32, or as f64 if it is that; exact.
  func asFloat(_ value: Value) -> LLVMValueRef {
    let lanes = value.lanes
    let (wide, floats) = (integerType(32, lanes: lanes), floatType(32, lanes: lanes))
    func number(_ value: Int) -> LLVMValueRef { integer(value, 32, lanes: lanes) }
    switch value.element {
    case .f32, .f64: return value.part
    case .f16 where processor.hasHalfConversion:
      let float = cast(LLVMFPExt, cast(LLVMBitCast, value.part, to: halfType(lanes)), to: floats)
      if LLVMIsConstant(float) != 0 { return float }
      // LLVM would do in f16 what gives the same there, such as comparing: of vectors, element by element where the
      // processor has no arithmetic of f16. The fence, which is no instruction, keeps f32.
      return intrinsic("llvm.arithmetic.fence", [floats], [float])
    case .bf16:
      let bits = binary(LLVMShl, cast(LLVMZExt, value.part, to: wide), number(16))
      return cast(LLVMBitCast, bits, to: floats)
    case .f8E8M0FNU:
      let bits = cast(LLVMZExt, value.part, to: wide)
      let power = select(
        compare(LLVMIntEQ, bits, number(0)), number(0x40_0000), binary(LLVMShl, bits, number(23)))
      return cast(LLVMBitCast, select(compare(LLVMIntEQ, bits, number(0xFF)), number(0x7FC0_0000), power), to: floats)
    default: break
    }
    guard let format = FloatFormat(value.element) else {
      preconditionFailure("\(value.element) is no float type")
    }
    let bits = cast(LLVMZExt, value.part, to: wide)
    let signBit = format.exponentBits + format.mantissaBits
    let magnitude = binary(LLVMAnd, bits, number((1 << signBit) - 1))
    let sign = binary(LLVMShl, binary(LLVMLShr, bits, number(signBit)), number(31))
    // Read as f32 the pattern is the value but for a power of two, subnormal values included.
    let pattern = cast(LLVMBitCast, binary(LLVMShl, magnitude, number(23 - format.mantissaBits)), to: floats)
    let scale = float(Double(sign: .plus, exponent: 127 - format.bias, significand: 1), 32, lanes: lanes)
    var result = cast(LLVMBitCast, binary(LLVMFMul, pattern, scale), to: wide)
    result = binary(LLVMOr, result, sign)
    let notANumber = number(0x7FC0_0000)
    switch format.specials {
    case .ieee:
      let infinity = ((1 << format.exponentBits) - 1) << format.mantissaBits
      let isInfinite = compare(LLVMIntEQ, magnitude, number(infinity))
      result = select(isInfinite, binary(LLVMOr, sign, number(0x7F80_0000)), result)
      result = select(compare(LLVMIntUGT, magnitude, number(infinity)), binary(LLVMOr, sign, notANumber), result)
    case .finiteNaNAllOnes:
      let isNaN = compare(LLVMIntEQ, magnitude, number((1 << signBit) - 1))
      result = select(isNaN, binary(LLVMOr, sign, notANumber), result)
    case .finiteNaNNegativeZero:
      // Its pattern has the sign bit.
      let isNaN = compare(LLVMIntEQ, bits, number(1 << signBit))
      result = select(isNaN, binary(LLVMOr, sign, notANumber), result)
    case .finite: break
    }
    return cast(LLVMBitCast, result, to: floats)
  }

  private func halfType(_ lanes: Int) -> LLVMTypeRef { vector(LLVMHalfTypeInContext(context), lanes) }

  /// An f32 or f64 value rounded to a narrower float type's bits, ties to even.
  private func narrow(_ value: Value, to type: RegisterType) -> LLVMValueRef {
    let lanes = type.lanes
    let wide = integerType(32, lanes: lanes)
    func number(_ value: Int) -> LLVMValueRef { integer(value, 32, lanes: lanes) }
    let float = value.element == .f64 ? roundedToOdd(value.part, lanes) : value.part
    if type.element == .f16, processor.hasHalfConversion {
      return cast(LLVMBitCast, cast(LLVMFPTrunc, float, to: halfType(lanes)), to: partType(type))
    }
    if type.element == .bf16, processor.hasBFloatConversion {
      let brief = vector(LLVMBFloatTypeInContext(context), lanes)
      return cast(LLVMBitCast, cast(LLVMFPTrunc, float, to: brief), to: partType(type))
    }
    let bits = cast(LLVMBitCast, float, to: wide)
    let magnitude = binary(LLVMAnd, bits, number(0x7FFF_FFFF))
    let isNaN = compare(LLVMIntUGT, magnitude, number(0x7F80_0000))
    if type.element == .bf16 {
      let odd = binary(LLVMAnd, binary(LLVMLShr, bits, number(16)), number(1))
      let rounded = binary(LLVMAdd, bits, binary(LLVMAdd, odd, number(0x7FFF)))
      let quiet = binary(LLVMOr, bits, number(0x40_0000))
      return cast(LLVMTrunc, binary(LLVMLShr, select(isNaN, quiet, rounded), number(16)), to: partType(type))
    }
    if type.element == .f8E8M0FNU { return nearestPower(bits, type) }
    guard let format = FloatFormat(type.element) else { preconditionFailure("\(type.element) is no float type") }
    let (mantissa, bias) = (format.mantissaBits, format.bias)
    let signBit = format.exponentBits + mantissa

    // Normal numbers: round away the low bits of the mantissa; a carry goes into the exponent.
    let dropped = 23 - mantissa
    let odd = binary(LLVMAnd, binary(LLVMLShr, magnitude, number(dropped)), number(1))
    let half = binary(LLVMAdd, odd, number((1 << (dropped - 1)) - 1))
    let shifted = binary(LLVMLShr, binary(LLVMAdd, magnitude, half), number(dropped))
    let normal = binary(LLVMSub, shifted, number((127 - bias) << mantissa))
    // Subnormal ones: adding a power of two whose last place is the format's unit leaves the units in the low bits.
    let power = (1 - bias - mantissa + 23 + 127) << 23
    let anchor = cast(LLVMBitCast, number(power), to: floatType(32, lanes: lanes))
    let sum = binary(LLVMFAdd, cast(LLVMBitCast, magnitude, to: floatType(32, lanes: lanes)), anchor)
    let subnormal = binary(LLVMSub, cast(LLVMBitCast, sum, to: wide), number(power))
    let isSubnormal = compare(LLVMIntULT, magnitude, number((128 - bias) << 23))
    var pattern = select(isSubnormal, subnormal, normal)

    let sign = binary(LLVMShl, binary(LLVMLShr, bits, number(31)), number(signBit))
    let tooLarge = { (largest: Int) in compare(LLVMIntUGT, pattern, number(largest)) }
    switch format.specials {
    case .ieee:
      let infinity = ((1 << format.exponentBits) - 1) << mantissa
      pattern = select(tooLarge(infinity), number(infinity), pattern)
      pattern = select(isNaN, number(infinity | 1 << (mantissa - 1)), pattern)
      pattern = binary(LLVMOr, pattern, sign)
    case .finiteNaNAllOnes:
      let largest = (1 << signBit) - 2
      let isOut = binary(LLVMOr, isNaN, tooLarge(largest))
      pattern = binary(LLVMOr, select(isOut, number(largest + 1), pattern), sign)
    case .finiteNaNNegativeZero:
      let isOut = binary(LLVMOr, isNaN, tooLarge((1 << signBit) - 1))
      let isZero = compare(LLVMIntEQ, pattern, number(0))
      pattern = select(isOut, number(1 << signBit), select(isZero, number(0), binary(LLVMOr, pattern, sign)))
    case .finite:
      let largest = (1 << signBit) - 1
      pattern = binary(LLVMOr, select(tooLarge(largest), number(largest), pattern), sign)
      // There is no NaN; it becomes a zero, of the other sign.
      pattern = select(isNaN, binary(LLVMXor, sign, number(1 << signBit)), pattern)
    }
    return cast(LLVMTrunc, pattern, to: partType(type))
  }

  /// The exponent in f8E8M0FNU of the nearest power of two, halfway up; NaN of what is not positive, not finite or above
  /// the largest.
  private func nearestPower(_ bits: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    let lanes = type.lanes
    let wide = integerType(32, lanes: lanes)
    func number(_ value: Int) -> LLVMValueRef { integer(value, 32, lanes: lanes) }
    let exponent = binary(LLVMLShr, bits, number(23))
    let mantissa = binary(LLVMAnd, bits, number(0x7F_FFFF))
    // Subnormal numbers are in units of 2^-149; the least power is 2^-127.
    let limit = select(compare(LLVMIntEQ, exponent, number(0)), number(0x60_0000), number(0x40_0000))
    let up = cast(LLVMZExt, compare(LLVMIntUGE, mantissa, limit), to: wide)
    let isPositive = compare(LLVMIntULT, binary(LLVMSub, bits, number(1)), number(0x7F7F_FFFF))
    return cast(LLVMTrunc, select(isPositive, binary(LLVMAdd, exponent, up), number(0xFF)), to: partType(type))
  }

  /// An f64 value as f32 so that rounding it again to a narrower type gives what rounding once gives: truncated, with
  /// the last bit set where that was not exact.
  private func roundedToOdd(_ value: LLVMValueRef, _ lanes: Int) -> LLVMValueRef {
    let (floats, doubles) = (floatType(32, lanes: lanes), floatType(64, lanes: lanes))
    let integers = integerType(32, lanes: lanes)
    let nearest = cast(LLVMFPTrunc, value, to: floats)
    let back = cast(LLVMFPExt, nearest, to: doubles)
    let isInexact = compare(LLVMRealONE, back, value)
    let size = intrinsic("llvm.fabs", [doubles], [value])
    let isAbove = compare(LLVMRealOGT, intrinsic("llvm.fabs", [doubles], [back]), size)
    let bits = cast(LLVMBitCast, nearest, to: integers)
    let truncated = binary(LLVMAdd, bits, cast(LLVMSExt, isAbove, to: integers))
    let odd = binary(LLVMOr, truncated, cast(LLVMZExt, isInexact, to: integers))
    return cast(LLVMBitCast, odd, to: floats)
  }

  // MARK: Bits

  /// The value's bits as another type of the same width, or as one of a byte.
  func bitcast(_ value: Value, to type: RegisterType) -> Value {
    if value.element == type.element { return value }
    let width = type.element.bitWidth
    let integers = integerType(width, lanes: type.lanes)
    let halves = integerType(width / 2, lanes: type.lanes)
    let half = integer(width / 2, width, lanes: type.lanes)
    var bits: LLVMValueRef
    if let imaginary = value.imaginary {
      if type.element.isComplex { return Value(type, value.part, imaginary: imaginary) }
      let low = cast(LLVMZExt, cast(LLVMBitCast, value.part, to: halves), to: integers)
      let high = cast(LLVMZExt, cast(LLVMBitCast, imaginary, to: halves), to: integers)
      bits = binary(LLVMOr, low, binary(LLVMShl, high, half))
    } else if value.element == .f32 || value.element == .f64 {
      bits = cast(LLVMBitCast, value.part, to: integers)
    } else {
      bits = cast(LLVMTrunc, value.part, to: integers)
    }
    switch type.element {
    case .complex64, .complex128:
      let low = cast(LLVMTrunc, bits, to: halves)
      let high = cast(LLVMTrunc, binary(LLVMLShr, bits, half), to: halves)
      let part = partType(type)
      return Value(type, cast(LLVMBitCast, low, to: part), imaginary: cast(LLVMBitCast, high, to: part))
    case .f32, .f64: return Value(type, cast(LLVMBitCast, bits, to: partType(type)))
    default: return Value(type, cast(LLVMZExt, bits, to: partType(type)))
    }
  }
}
