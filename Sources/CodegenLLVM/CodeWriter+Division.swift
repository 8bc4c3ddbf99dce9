import CLLVM
import Codegen
import IR

/// Quotients of integers. Processors have no instruction for vectors of them, and LLVM divides lane by lane: vectors of integers
/// that a float holds exactly are divided as such. A quotient that is no integer is farther from the next one than the float's last
/// place, so truncating it gives the integers' quotient.
extension CodeWriter {
  /// The quotient truncated towards zero; -1 where the divisor is 0, and the least value divided by -1 is itself.
  func divide(_ a: LLVMValueRef, _ b: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    let llvm = partType(type)
    let (none, all) = (zero(llvm), LLVMConstAllOnes(llvm) as LLVMValueRef)
    let isZero = compare(LLVMIntEQ, b, none)
    if let division = FloatDivision(type, divisor: b, self) { return select(isZero, all, division.quotient(a, b)) }
    let one = integer(1, type.element.bitWidth, lanes: type.lanes)
    if type.element.kind != .signed {
      return select(isZero, all, binary(LLVMUDiv, a, select(isZero, one, b)))
    }
    let isMinusOne = compare(LLVMIntEQ, b, all)
    let quotient = binary(LLVMSDiv, a, select(binary(LLVMOr, isZero, isMinusOne), one, b))
    return select(isZero, all, select(isMinusOne, binary(LLVMSub, none, a), quotient))
  }

  /// What the truncated quotient leaves; the dividend where the divisor is 0.
  func remainder(_ a: LLVMValueRef, _ b: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    let llvm = partType(type)
    let isZero = compare(LLVMIntEQ, b, zero(llvm))
    if let division = FloatDivision(type, divisor: b, self) { return select(isZero, a, division.rest(a, b)) }
    let one = integer(1, type.element.bitWidth, lanes: type.lanes)
    if type.element.kind != .signed {
      return select(isZero, a, binary(LLVMURem, a, select(isZero, one, b)))
    }
    let isMinusOne = compare(LLVMIntEQ, b, LLVMConstAllOnes(llvm))
    let rest = binary(LLVMSRem, a, select(binary(LLVMOr, isZero, isMinusOne), one, b))
    return select(isZero, a, rest)
  }
}

/// Quotients of vectors of integers in floats; of what is divided by zero they may be anything.
private struct FloatDivision {
  let type: RegisterType
  let writer: CodeWriter
  /// Bits of the floats, and of the integers that quotients are truncated to.
  let floatWidth: Int
  let width: Int

  private var isSigned: Bool { type.element.kind == .signed }

  /// Nil where the processor's integers are as fast, or LLVM multiplies by what it knows of the divisor.
  init?(_ type: RegisterType, divisor: LLVMValueRef, _ writer: CodeWriter) {
    guard type.lanes > 1, !type.element.isBoolean, LLVMIsConstant(divisor) == 0 else { return nil }
    self.type = type
    self.writer = writer
    switch type.element.bitWidth {
    case ...16: (floatWidth, width) = (32, 32)
    case 32 where writer.processor.isX86: (floatWidth, width) = (64, 32)
    default: return nil
    }
  }

  /// The integers as those of `width` bits.
  private func widened(_ x: LLVMValueRef) -> LLVMValueRef {
    if type.element.bitWidth == width { return x }
    return writer.cast(isSigned ? LLVMSExt : LLVMZExt, x, to: writer.integerType(width, lanes: type.lanes))
  }

  private func asFloat(_ wide: LLVMValueRef) -> LLVMValueRef {
    let isUnsigned = type.element.bitWidth == width && !isSigned
    return writer.cast(
      isUnsigned ? LLVMUIToFP : LLVMSIToFP, wide, to: writer.floatType(floatWidth, lanes: type.lanes))
  }

  /// The quotient of integers of `width` bits.
  private func wideQuotient(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    let integers: LLVMTypeRef = writer.integerType(width, lanes: type.lanes)
    let ratio = writer.binary(LLVMFDiv, asFloat(a), asFloat(b))
    guard type.element.bitWidth == width else { return writer.cast(LLVMFPToSI, ratio, to: integers) }
    if isSigned {
      // The least value divided by -1 does not fit.
      let isMinusOne = writer.compare(LLVMIntEQ, b, LLVMConstAllOnes(integers))
      let negated = writer.binary(LLVMSub, writer.zero(integers), a)
      return writer.select(isMinusOne, negated, writer.cast(LLVMFPToSI, ratio, to: integers))
    }
    // The last bits of the integer plus 2^52 are the integer.
    let floats: LLVMTypeRef = writer.floatType(floatWidth, lanes: type.lanes)
    let whole = writer.intrinsic("llvm.trunc", [floats], [ratio])
    let sum = writer.binary(LLVMFAdd, whole, writer.float(0x1p52, floatWidth, lanes: type.lanes))
    let bits = writer.cast(LLVMBitCast, sum, to: writer.integerType(floatWidth, lanes: type.lanes))
    return writer.cast(LLVMTrunc, bits, to: integers)
  }

  private func narrowed(_ wide: LLVMValueRef) -> LLVMValueRef {
    type.element.bitWidth == width ? wide : writer.cast(LLVMTrunc, wide, to: writer.partType(type))
  }

  func quotient(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    narrowed(wideQuotient(widened(a), widened(b)))
  }

  func rest(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    let (x, y) = (widened(a), widened(b))
    return narrowed(writer.binary(LLVMSub, x, writer.binary(LLVMMul, wideQuotient(x, y), y)))
  }
}
