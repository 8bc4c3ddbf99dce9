import CLLVM
import Codegen
import IR

/// Sums of products of words of narrow numbers. Of bytes: AVX-512 VNNI where the processor has it, else products of 16-bit numbers, added in pairs.
extension CodeWriter {
  /// In each lane the sum plus the products of four bytes with four others; sums wrap.
  func byteProducts(_ pair: BytePair, _ a: Value, _ b: Value, _ sum: Value) -> Value {
    let part: LLVMValueRef
    if let instruction = vectorInstruction("vpdpbusd", lanes: sum.lanes), pair.leftIsSigned != pair.rightIsSigned {
      // The instruction's first factor has no sign, the second has one.
      let factors = pair.leftIsSigned ? [b.part, a.part] : [a.part, b.part]
      part = intrinsic(instruction, [], [sum.part] + factors)
    } else {
      part = [false, true].reduce(sum.part) { sum, areOdd in
        let (x, y) = (halves(a, pair.leftIsSigned, areOdd), halves(b, pair.rightIsSigned, areOdd))
        return pairProducts(x, y, sum, lanes: a.lanes)
      }
    }
    return Value(sum.type, part)
  }

  /// In each lane the sum plus the products of two i16 with two others; sums wrap.
  func shortProducts(_ a: Value, _ b: Value, _ sum: Value) -> Value {
    let type: LLVMTypeRef = LLVMVectorType(integerType(16), UInt32(2 * sum.lanes))
    let factors = [a, b].map { cast(LLVMBitCast, $0.part, to: type) }
    return Value(sum.type, pairProducts(factors[0], factors[1], sum.part, lanes: sum.lanes))
  }

  /// In each lane the sum plus the products of two bf16 with two others: AVX512_BF16.
  func bfloatProducts(_ a: Value, _ b: Value, _ sum: Value) -> Value {
    precondition(processor.features.contains("avx512bf16"), "the processor has no products of bf16")
    let pairs = vector(LLVMBFloatTypeInContext(context), 2 * sum.lanes)
    let factors = [a, b].map { cast(LLVMBitCast, $0.part, to: pairs) }
    return Value(
      sum.type, intrinsic("llvm.x86.avx512bf16.dpbf16ps.\(32 * sum.lanes)", [], [sum.part] + factors))
  }

  /// The upper halves of the words of both, lane by lane side by side.
  ///
  /// LLVM would make one permutation of two vectors of it, three operations on Intel's processors; the fence, which is no
  /// instruction, keeps the shift and the `or`.
  func upperHalves(_ a: Value, _ b: Value, _ type: RegisterType) -> Value {
    let lanes = a.lanes
    let floats = floatType(32, lanes: lanes)
    let low = cast(LLVMBitCast, binary(LLVMLShr, a.part, integer(16, 32, lanes: lanes)), to: floats)
    let kept = cast(
      LLVMBitCast, intrinsic("llvm.arithmetic.fence", [floats], [low]), to: integerType(32, lanes: lanes))
    let high = binary(LLVMAnd, b.part, integer(-0x1_0000, 32, lanes: lanes))
    return Value(type, cast(LLVMBitCast, binary(LLVMOr, kept, high), to: partType(type)))
  }

  private func vectorInstruction(_ name: String, lanes: Int) -> String? {
    guard processor.features.contains("avx512vnni"), [4, 8, 16].contains(lanes) else { return nil }
    return "llvm.x86.avx512.\(name).\(32 * lanes)"
  }

  /// The bytes with even or odd numbers as 16-bit numbers.
  private func halves(_ value: Value, _ isSigned: Bool, _ areOdd: Bool) -> LLVMValueRef {
    let type: LLVMTypeRef = LLVMVectorType(integerType(16), UInt32(2 * value.lanes))
    let numbers = cast(LLVMBitCast, value.part, to: type)
    let eight = constantVector([LLVMValueRef](repeating: integer(8, 16), count: 2 * value.lanes))
    let moved = areOdd ? numbers : binary(LLVMShl, numbers, eight)
    return binary(isSigned ? LLVMAShr : LLVMLShr, moved, eight)
  }

  /// The sum plus, in each lane, the products of two 16-bit numbers with two others.
  private func pairProducts(_ a: LLVMValueRef, _ b: LLVMValueRef, _ sum: LLVMValueRef, lanes: Int) -> LLVMValueRef {
    let words: LLVMTypeRef = LLVMTypeOf(sum)
    if let instruction = vectorInstruction("vpdpwssd", lanes: lanes) {
      return intrinsic(
        instruction, [], [sum, cast(LLVMBitCast, a, to: words), cast(LLVMBitCast, b, to: words)])
    }
    if let instruction = pairInstruction(lanes: lanes) {
      return binary(LLVMAdd, sum, intrinsic(instruction, [], [a, b]))
    }
    let products = binary(LLVMMul, wide(a, lanes), wide(b, lanes))
    let even = shuffle(products, products, (0..<lanes).map { 2 * $0 })
    let odd = shuffle(products, products, (0..<lanes).map { 2 * $0 + 1 })
    let both = cast(LLVMBitCast, binary(LLVMAdd, even, odd), to: words)
    return binary(LLVMAdd, sum, both)
  }

  private func pairInstruction(lanes: Int) -> String? {
    guard processor.isX86 else { return nil }
    switch lanes {
    case 4: return "llvm.x86.sse2.pmadd.wd"
    case 8 where processor.features.contains("avx2"): return "llvm.x86.avx2.pmadd.wd"
    case 16 where processor.features.contains("avx512bw"): return "llvm.x86.avx512.pmaddw.d.512"
    default: return nil
    }
  }

  private func wide(_ numbers: LLVMValueRef, _ lanes: Int) -> LLVMValueRef {
    cast(LLVMSExt, numbers, to: LLVMVectorType(integerType(32), UInt32(2 * lanes)))
  }
}
