import CLLVM
import Codegen
import IR

extension CodeWriter {
  /// The functions of complex numbers that are not made of others before.
  func applyComplex(_ function: ScalarFunction, _ operands: [Value], _ type: RegisterType) -> Value {
    guard let imaginary = operands[0].imaginary else {
      preconditionFailure("\(function.mnemonic) of complex numbers needs both parts")
    }
    let (a, b) = (operands[0].part, imaginary)
    let (c, d) = operands.count > 1 ? (operands[1].part, operands[1].imaginary ?? operands[1].part) : (a, b)
    func both(_ opcode: LLVMOpcode) -> Value {
      Value(type, binary(opcode, a, c), imaginary: binary(opcode, b, d))
    }
    switch function {
    case .add: return both(LLVMFAdd)
    case .subtract: return both(LLVMFSub)
    case .negate: return operands[0].mapParts(type) { LLVMBuildFNeg(builder, $0, "") }
    case .multiply:
      let real = binary(LLVMFSub, binary(LLVMFMul, a, c), binary(LLVMFMul, b, d))
      return Value(type, real, imaginary: binary(LLVMFAdd, binary(LLVMFMul, a, d), binary(LLVMFMul, b, c)))
    case .divide: return divide((a, b), (c, d), type)
    case .abs: return Value(type, magnitude(a, b, type))
    default: preconditionFailure("\(function.mnemonic) of \(operands[0].type) is no operation of the emitter")
    }
  }

  private typealias Parts = (LLVMValueRef, LLVMValueRef)

  /// Of f32 parts by f64, where no product overflows; of f64 parts with the divisor scaled by its larger part.
  private func divide(_ x: Parts, _ y: Parts, _ type: RegisterType) -> Value {
    let part = partType(type)
    let wide = floatType(64, lanes: type.lanes)
    let isNarrow = type.element == .complex64
    var (a, b, c, d) = (x.0, x.1, y.0, y.1)
    if isNarrow {
      a = cast(LLVMFPExt, a, to: wide)
      b = cast(LLVMFPExt, b, to: wide)
      c = cast(LLVMFPExt, c, to: wide)
      d = cast(LLVMFPExt, d, to: wide)
    }
    // Multiplying by the quotient of the smaller by the larger part keeps everything in range (Smith's method).
    let (sizeC, sizeD) = (intrinsic("llvm.fabs", [wide], [c]), intrinsic("llvm.fabs", [wide], [d]))
    let isRealLarger = compare(LLVMRealOGE, sizeC, sizeD)
    let (large, small) = (select(isRealLarger, c, d), select(isRealLarger, d, c))
    let ratio = binary(LLVMFDiv, small, large)
    let denominator = binary(LLVMFAdd, large, binary(LLVMFMul, small, ratio))
    let (ar, br) = (binary(LLVMFMul, a, ratio), binary(LLVMFMul, b, ratio))
    let real = select(isRealLarger, binary(LLVMFAdd, a, br), binary(LLVMFAdd, ar, b))
    let imaginary = select(isRealLarger, binary(LLVMFSub, b, ar), binary(LLVMFSub, br, a))
    let opcode = isNarrow ? LLVMFPTrunc : LLVMBitCast
    return Value(
      type, cast(opcode, binary(LLVMFDiv, real, denominator), to: part),
      imaginary: cast(opcode, binary(LLVMFDiv, imaginary, denominator), to: part))
  }

  /// The absolute value; infinite where a part is, even if the other is NaN.
  private func magnitude(_ a: LLVMValueRef, _ b: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    let part = partType(type)
    let wide = floatType(64, lanes: type.lanes)
    func number(_ value: Double, _ width: Int) -> LLVMValueRef { float(value, width, lanes: type.lanes) }
    let (sizeA, sizeB) = (intrinsic("llvm.fabs", [part], [a]), intrinsic("llvm.fabs", [part], [b]))
    let infinity = number(.infinity, type.element.bitWidth)
    let isInfinite = binary(LLVMOr, compare(LLVMRealOEQ, sizeA, infinity), compare(LLVMRealOEQ, sizeB, infinity))
    var result: LLVMValueRef
    if type.element == .f32 {
      let (x, y) = (cast(LLVMFPExt, a, to: wide), cast(LLVMFPExt, b, to: wide))
      let sum = binary(LLVMFAdd, binary(LLVMFMul, x, x), binary(LLVMFMul, y, y))
      result = cast(LLVMFPTrunc, intrinsic("llvm.sqrt", [wide], [sum]), to: part)
    } else {
      let isFirstLarger = compare(LLVMRealOGE, sizeA, sizeB)
      let large = select(isFirstLarger, sizeA, sizeB)
      let small = select(isFirstLarger, sizeB, sizeA)
      let isZero = compare(LLVMRealOEQ, large, number(0, 64))
      let ratio = binary(LLVMFDiv, small, select(isZero, number(1, 64), large))
      let sum = binary(LLVMFAdd, number(1, 64), binary(LLVMFMul, ratio, ratio))
      result = binary(LLVMFMul, large, intrinsic("llvm.sqrt", [wide], [sum]))
    }
    result = select(isInfinite, infinity, result)
    return result
  }
}
