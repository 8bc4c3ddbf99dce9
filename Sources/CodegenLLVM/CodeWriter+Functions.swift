import CLLVM
import Codegen
import IR

extension CodeWriter {
  /// The function of the operands, lane by lane.
  func apply(_ function: ScalarFunction, _ operands: [Value], _ type: RegisterType) -> Value {
    let x = operands[0]
    switch function {
    case .convert: return convert(x, to: type.element)
    case .bitcast: return bitcast(x, to: type)
    case .select: return select(x, operands[1], operands[2])
    case .real: return Value(type, x.part)
    case .imaginary: return Value(type, x.imaginary ?? zero(partType(type)))
    case .complex: return Value(type, x.part, imaginary: operands[1].part)
    case .compare(let direction, let order): return Value(type, compare(x, operands[1], direction, order))
    default: break
    }
    if x.element.isComplex { return applyComplex(function, operands, type) }
    let parts = operands.map(\.part)
    switch x.element {
    case .f32, .f64: return Value(type, applyFloat(function, parts, x.type))
    case _ where x.element.isFloat: preconditionFailure("\(function.mnemonic) has no operation on \(x.element)")
    default: return Value(type, applyInteger(function, parts, x.type))
    }
  }

  /// `a * b + c`, rounded once where the processor has the instruction; else the product is rounded first.
  func multiplyAdd(_ a: Value, _ b: Value, _ c: Value) -> Value {
    guard processor.hasMultiplyAdd, c.element == .f32 || c.element == .f64 else {
      return apply(.add, [apply(.multiply, [a, b], c.type), c], c.type)
    }
    return Value(c.type, intrinsic("llvm.fma", [partType(c.type)], [a.part, b.part, c.part]))
  }

  private func select(_ condition: Value, _ a: Value, _ b: Value) -> Value {
    let part = select(condition.part, a.part, b.part)
    guard let first = a.imaginary, let second = b.imaginary else { return Value(a.type, part) }
    return Value(a.type, part, imaginary: select(condition.part, first, second))
  }

  // MARK: Integers and booleans

  private func applyInteger(_ function: ScalarFunction, _ x: [LLVMValueRef], _ type: RegisterType) -> LLVMValueRef {
    let llvm = partType(type)
    let isSigned = type.element.kind == .signed
    let width = type.element.bitWidth
    let none = zero(llvm)
    let all: LLVMValueRef = LLVMConstAllOnes(llvm)
    let a = x[0]
    let b = x.count > 1 ? x[1] : a
    func shift(_ opcode: LLVMOpcode) -> LLVMValueRef {
      let inside = compare(LLVMIntULE, b, integer(width - 1, width, lanes: type.lanes))
      return select(inside, binary(opcode, a, select(inside, b, none)), none)
    }
    switch function {
    case .abs: return isSigned ? select(compare(LLVMIntSLT, a, none), binary(LLVMSub, none, a), a) : a
    case .add: return binary(type.element.isBoolean ? LLVMOr : LLVMAdd, a, b)
    case .and: return binary(LLVMAnd, a, b)
    case .countLeadingZeros:
      return intrinsic("llvm.ctlz", [llvm], [a, zero(integerType(1))])
    case .divide: return divide(a, b, type)
    case .remainder: return remainder(a, b, type)
    case .maximum:
      if type.element.isBoolean { return binary(LLVMOr, a, b) }
      return intrinsic(isSigned ? "llvm.smax" : "llvm.umax", [llvm], [a, b])
    case .minimum:
      if type.element.isBoolean { return binary(LLVMAnd, a, b) }
      return intrinsic(isSigned ? "llvm.smin" : "llvm.umin", [llvm], [a, b])
    case .multiply: return binary(type.element.isBoolean ? LLVMAnd : LLVMMul, a, b)
    case .negate: return binary(LLVMSub, none, a)
    case .not: return binary(LLVMXor, a, all)
    case .or: return binary(LLVMOr, a, b)
    case .populationCount: return intrinsic("llvm.ctpop", [llvm], [a])
    case .shiftLeft: return shift(LLVMShl)
    case .shiftRightLogical: return shift(LLVMLShr)
    case .shiftRightArithmetic:
      let most = integer(width - 1, width, lanes: type.lanes)
      return binary(LLVMAShr, a, intrinsic("llvm.umin", [llvm], [b, most]))
    case .sign:
      let magnitude = cast(LLVMZExt, compare(LLVMIntNE, a, none), to: llvm)
      guard isSigned else { return magnitude }
      return select(compare(LLVMIntSLT, a, none), all, magnitude)
    case .subtract: return binary(LLVMSub, a, b)
    case .xor: return binary(LLVMXor, a, b)
    case .clamp:
      let raised = applyInteger(.maximum, [b, a], type)
      return applyInteger(.minimum, [raised, x[2]], type)
    case .power, .cbrt, .ceil, .cosine, .exponential, .exponentialMinusOne, .floor, .imaginary, .isFinite, .log,
      .logPlusOne, .logistic, .real, .roundNearestAwayFromZero, .roundNearestEven, .reciprocalSquareRoot, .sine,
      .squareRoot, .tangent, .hyperbolicTangent, .convert, .bitcast, .reducePrecision, .arcCosine,
      .hyperbolicArcCosine, .arcSine, .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine,
      .hyperbolicSine, .digamma, .errorFunction, .complementaryErrorFunction, .inverseErrorFunction, .logGamma,
      .isInfinite, .arcTangent2, .complex, .nextAfter, .compare, .select:
      preconditionFailure("\(function.mnemonic) of \(type) is no operation of the emitter")
    }
  }

  // MARK: Floats

  private func applyFloat(_ function: ScalarFunction, _ x: [LLVMValueRef], _ type: RegisterType) -> LLVMValueRef {
    let llvm = partType(type)
    let width = type.element.bitWidth
    func number(_ value: Double) -> LLVMValueRef { float(value, width, lanes: type.lanes) }
    func call(_ name: String) -> LLVMValueRef { intrinsic(name, [llvm], x) }
    let a = x[0]
    let b = x.count > 1 ? x[1] : a
    switch function {
    case .abs: return call("llvm.fabs")
    case .add: return binary(LLVMFAdd, a, b)
    case .ceil: return call("llvm.ceil")
    case .divide: return binary(LLVMFDiv, a, b)
    case .floor: return call("llvm.floor")
    case .isFinite: return compare(LLVMRealOLT, intrinsic("llvm.fabs", [llvm], [a]), number(.infinity))
    case .isInfinite: return compare(LLVMRealOEQ, intrinsic("llvm.fabs", [llvm], [a]), number(.infinity))
    case .maximum, .minimum: return extremum(a, b, type, isMaximum: function == .maximum)
    case .multiply: return binary(LLVMFMul, a, b)
    case .negate: return LLVMBuildFNeg(builder, a, "")
    case .roundNearestEven: return call("llvm.roundeven")
    case .roundNearestAwayFromZero:
      // The largest number below one half: with it, no sum rounds up to the next integer.
      let half = number(width == 64 ? 0.5.nextDown : Double(Float(0.5).nextDown))
      let signed = intrinsic("llvm.copysign", [llvm], [half, a])
      return intrinsic("llvm.trunc", [llvm], [binary(LLVMFAdd, a, signed)])
    case .sign:
      let unit = intrinsic("llvm.copysign", [llvm], [number(1), a])
      return select(compare(LLVMRealUEQ, a, zero(llvm)), a, unit)
    case .squareRoot: return call("llvm.sqrt")
    case .subtract: return binary(LLVMFSub, a, b)
    case .clamp:
      let raised = applyFloat(.maximum, [b, a], type)
      return applyFloat(.minimum, [raised, x[2]], type)
    case .reducePrecision(let exponentBits, let mantissaBits):
      return reducePrecision(a, type, exponentBits: exponentBits, mantissaBits: mantissaBits)
    case .and, .or, .xor, .not, .countLeadingZeros, .populationCount, .remainder, .power, .cbrt, .cosine,
      .exponential, .exponentialMinusOne, .imaginary, .log, .logPlusOne, .logistic, .real, .reciprocalSquareRoot,
      .sine, .tangent, .hyperbolicTangent, .convert, .bitcast, .arcCosine, .hyperbolicArcCosine, .arcSine,
      .hyperbolicArcSine, .arcTangent, .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma,
      .errorFunction, .complementaryErrorFunction, .inverseErrorFunction, .logGamma, .arcTangent2, .complex,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical, .nextAfter, .compare, .select:
      preconditionFailure("\(function.mnemonic) of \(type) is no operation of the emitter")
    }
  }

  /// The larger or smaller operand; NaN where one is, and -0 counts as less than +0.
  ///
  /// The instruction of x86 gives its second operand where one is NaN or both are zero. So both orders agree but
  /// there; a NaN stays one under `or`, and of zeros the minimum is the `or` and the maximum the `and` of the signs.
  /// That is three instructions with AVX-512, and a short chain for reductions. LLVM knows better forms for constants.
  private func extremum(_ a: LLVMValueRef, _ b: LLVMValueRef, _ type: RegisterType, isMaximum: Bool) -> LLVMValueRef {
    let llvm = partType(type)
    if processor.hasExtremum || type.lanes == 1 || LLVMIsConstant(a) != 0 || LLVMIsConstant(b) != 0 {
      return intrinsic(isMaximum ? "llvm.maximum" : "llvm.minimum", [llvm], [a, b])
    }
    let width = type.element.bitWidth
    let integers = integerType(width, lanes: type.lanes)
    let predicate = isMaximum ? LLVMRealOGT : LLVMRealOLT
    let first = cast(LLVMBitCast, select(compare(predicate, a, b), a, b), to: integers)
    let second = cast(LLVMBitCast, select(compare(predicate, b, a), b, a), to: integers)
    var bits = binary(LLVMOr, first, second)
    if isMaximum {
      let unsigned = binary(LLVMAnd, bits, integer(Int.max >> (64 - width), width, lanes: type.lanes))
      bits = binary(LLVMOr, unsigned, binary(LLVMAnd, first, second))
    }
    return cast(LLVMBitCast, bits, to: llvm)
  }

  /// The value rounded to a float format with these widths, ties to the even pattern; of fewer exponent bits, what is
  /// below the smallest normal value becomes zero.
  private func reducePrecision(
    _ x: LLVMValueRef, _ type: RegisterType, exponentBits: Int, mantissaBits: Int
  ) -> LLVMValueRef {
    let width = type.element.bitWidth
    let (ownMantissa, ownBias) = width == 64 ? (52, 1023) : (23, 127)
    let bias = (1 << (exponentBits - 1)) - 1
    let integers = integerType(width, lanes: type.lanes)
    func number(_ value: Int) -> LLVMValueRef { integer(value, width, lanes: type.lanes) }

    let bits = cast(LLVMBitCast, x, to: integers)
    let magnitude = binary(LLVMAnd, bits, number(Int.max >> (64 - width)))
    let sign = binary(LLVMXor, bits, magnitude)
    var rounded = magnitude
    if mantissaBits < ownMantissa {
      let dropped = ownMantissa - mantissaBits
      let odd = binary(LLVMAnd, binary(LLVMLShr, magnitude, number(dropped)), number(1))
      let half = binary(LLVMAdd, odd, number((1 << (dropped - 1)) - 1))
      rounded = binary(LLVMAnd, binary(LLVMAdd, magnitude, half), number(-1 << dropped))
    }
    if bias < ownBias {
      let tooLarge = compare(LLVMIntUGE, rounded, number((bias + 1 + ownBias) << ownMantissa))
      rounded = select(tooLarge, number((2 * ownBias + 1) << ownMantissa), rounded)
      let tooSmall = compare(LLVMIntULT, rounded, number((1 - bias + ownBias) << ownMantissa))
      rounded = select(tooSmall, number(0), rounded)
    }
    let reduced = cast(LLVMBitCast, binary(LLVMOr, sign, rounded), to: partType(type))
    return select(compare(LLVMRealUNO, x, x), x, reduced)
  }

  // MARK: Comparison

  private func compare(_ a: Value, _ b: Value, _ direction: ComparisonDirection, _ order: ComparisonType)
    -> LLVMValueRef
  {
    if let first = a.imaginary, let second = b.imaginary {
      if direction == .notEqual {
        return binary(LLVMOr, compare(LLVMRealUNE, a.part, b.part), compare(LLVMRealUNE, first, second))
      }
      precondition(direction == .equal, "complex numbers have no order")
      return binary(LLVMAnd, compare(LLVMRealOEQ, a.part, b.part), compare(LLVMRealOEQ, first, second))
    }
    if a.element.isFloat {
      if order == .totalOrder { return compare(direction.signed, orderKey(a), orderKey(b)) }
      return compare(direction.float, asFloat(a), asFloat(b))
    }
    return compare(a.element.kind == .signed ? direction.signed : direction.unsigned, a.part, b.part)
  }

  /// An integer that orders as the total order of floats does.
  private func orderKey(_ value: Value) -> LLVMValueRef {
    let width = value.element == .f64 ? 64 : 32
    let integers = integerType(width, lanes: value.lanes)
    let bits = cast(LLVMBitCast, asFloat(value), to: integers)
    let sign = binary(LLVMAShr, bits, integer(width - 1, width, lanes: value.lanes))
    let mask = integer(Int.max >> (64 - width), width, lanes: value.lanes)
    return binary(LLVMXor, bits, binary(LLVMAnd, sign, mask))
  }
}

extension ComparisonDirection {
  fileprivate var float: LLVMRealPredicate {
    switch self {
    case .equal: LLVMRealOEQ
    case .notEqual: LLVMRealUNE
    case .greaterOrEqual: LLVMRealOGE
    case .greater: LLVMRealOGT
    case .lessOrEqual: LLVMRealOLE
    case .less: LLVMRealOLT
    }
  }

  fileprivate var signed: LLVMIntPredicate {
    switch self {
    case .equal: LLVMIntEQ
    case .notEqual: LLVMIntNE
    case .greaterOrEqual: LLVMIntSGE
    case .greater: LLVMIntSGT
    case .lessOrEqual: LLVMIntSLE
    case .less: LLVMIntSLT
    }
  }

  fileprivate var unsigned: LLVMIntPredicate {
    switch self {
    case .equal: LLVMIntEQ
    case .notEqual: LLVMIntNE
    case .greaterOrEqual: LLVMIntUGE
    case .greater: LLVMIntUGT
    case .lessOrEqual: LLVMIntULE
    case .less: LLVMIntULT
    }
  }
}
