import CLLVM
import Codegen
import IR

extension CodeWriter {
  /// In each lane one of 32 f32 numbers; the low five bits of the index say which.
  func lookup(_ table: [Float], _ index: Value, _ type: RegisterType) -> Value {
    let whole = processor.has512BitVectors && type.lanes > 1
    return Value(type, whole ? permuted(table, index) : loaded(table, index))
  }

  /// By permutation of two registers, 16 lanes at a time.
  private func permuted(_ table: [Float], _ index: Value) -> LLVMValueRef {
    let width = 16
    let (low, high) = (tableVector(table.prefix(width)), tableVector(table.suffix(width)))
    let part = index.part
    var result: LLVMValueRef?
    for first in stride(from: 0, to: index.lanes, by: width) {
      // Lanes that are not there repeat the last one.
      let piece = shuffle(part, part, (0..<width).map { min(first + $0, index.lanes - 1) })
      let found = intrinsic("llvm.x86.avx512.vpermi2var.ps.512", [], [low, piece, high])
      result = result.map { joined($0, found, lanes: first + width) } ?? found
    }
    guard let result, index.lanes % width != 0 else { return result ?? part }
    return shuffle(result, result, Array(0..<index.lanes))
  }

  /// The lanes of `a` followed by those of `b`, which has no more; `lanes` together.
  private func joined(_ a: LLVMValueRef, _ b: LLVMValueRef, lanes: Int) -> LLVMValueRef {
    let (first, second) = (Int(LLVMGetVectorSize(LLVMTypeOf(a))), Int(LLVMGetVectorSize(LLVMTypeOf(b))))
    let wide = first == second ? b : shuffle(b, b, (0..<first).map { min($0, second - 1) })
    return shuffle(a, wide, Array(0..<lanes))
  }

  private func tableVector(_ table: ArraySlice<Float>) -> LLVMValueRef {
    constantVector(table.map { float(Double($0), 32) })
  }

  /// In each lane `a` times two to the power of `n`, rounded once: AVX-512's VSCALEF, a register at a time.
  func timesPowerOfTwo(_ a: Value, _ n: Value) -> Value {
    precondition(processor.has512BitVectors, "the processor has no instruction for powers of two")
    let bits = a.type.element.bitWidth
    let width = [128, 256, 512].first { a.lanes * bits <= $0 } ?? 512
    let lanes = width / bits
    let vectors = [a, n].map { $0.lanes == 1 ? splat($0.part, lanes) : $0.part }
    // All lanes, and the direction of rounding that is set.
    let rest = [integer(-1, max(8, lanes))] + (width == 512 ? [integer(4, 32)] : [])
    let name = "llvm.x86.avx512.mask.scalef.\(bits == 64 ? "pd" : "ps").\(width)"
    var result: LLVMValueRef?
    for first in stride(from: 0, to: a.lanes, by: lanes) {
      // Lanes that are not there repeat the last one.
      let places = (0..<lanes).map { min(first + $0, a.lanes - 1) }
      let pieces = vectors.map { shuffle($0, $0, places) }
      let scaled = intrinsic(name, [], pieces + [pieces[0]] + rest)
      result = result.map { joined($0, scaled, lanes: first + lanes) } ?? scaled
    }
    guard let result else { return a }
    if a.lanes == 1 { return Value(a.type, extract(result, 0)) }
    return Value(a.type, a.lanes % lanes == 0 ? result : shuffle(result, result, Array(0..<a.lanes)))
  }

  /// Lane by lane from memory.
  private func loaded(_ table: [Float], _ index: Value) -> LLVMValueRef {
    var elements: [LLVMValueRef?] = table.map { float(Double($0), 32) }
    let array: LLVMValueRef = LLVMConstArray2(floatType(32), &elements, UInt64(elements.count))
    let memory: LLVMValueRef = LLVMAddGlobal(module, LLVMTypeOf(array), "table")
    LLVMSetInitializer(memory, array)
    LLVMSetGlobalConstant(memory, 1)
    LLVMSetLinkage(memory, LLVMPrivateLinkage)
    let type = RegisterType(.f32, lanes: index.lanes)
    var result: LLVMValueRef = LLVMGetPoison(partType(type))
    for lane in 0..<index.lanes {
      let number = index.lanes == 1 ? index.part : extract(index.part, lane)
      let position = cast(LLVMZExt, binary(LLVMAnd, number, integer(table.count - 1, 32)), to: indexType)
      let element = load(floatType(32), address(memory, floatType(32), position), alignment: 4)
      result = index.lanes == 1 ? element : insert(element, result, lane)
    }
    return result
  }

  /// Asks for the cache line of an element, which need not be there.
  func prefetch(_ place: Place, at position: LLVMValueRef, into level: Target.Level) {
    var indices: [LLVMValueRef?] = [position]
    let address: LLVMValueRef = LLVMBuildGEP2(builder, memoryType(place.element), place.base, &indices, 1, "")
    // For reading, into the data cache: LLVM's locality 3 is its first level.
    let locality = integer(3 - level.rawValue, 32)
    _ = intrinsic("llvm.prefetch", [pointerType], [address, integer(0, 32), locality, integer(1, 32)])
  }
}
