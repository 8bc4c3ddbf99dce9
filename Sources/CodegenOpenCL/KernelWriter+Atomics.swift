import Codegen
import IR

extension KernelWriter {
  /// Combines the value with what memory holds, as one step for all items.
  mutating func atomic(
    _ function: ScalarFunction, _ value: Value, _ memory: Memory, at position: IntegerExpression, mask: Value?
  ) {
    precondition(value.lanes == 1 && value.element.bitWidth == 32, "atomic operations combine scalars of 32 bits")
    let name = atomicFunction(function, value.type)
    let guardText = mask.map { "if (\($0.part)) " } ?? ""
    append("\(guardText)\(name)(&\(self.name(memory))[\(index(position))], \(value.part));")
  }

  /// OpenCL's function where there is one, else one that tries until nobody was faster.
  private mutating func atomicFunction(_ function: ScalarFunction, _ type: RegisterType) -> String {
    if type.element.isInteger {
      switch function {
      case .add: return "atomic_add"
      case .minimum: return "atomic_min"
      case .maximum: return "atomic_max"
      case .and: return "atomic_and"
      case .or: return "atomic_or"
      case .xor: return "atomic_xor"
      default: break
      }
    }
    let element = CType.memory(type.element)
    let (before, operand) = (Value(type, "as_\(element)(old)"), Value(type, "x"))
    let combined = apply(function, [before, operand], type).part
    let short = function.mnemonic.split(separator: ".").last.map(String.init) ?? function.mnemonic
    let name = "tfc_atomic_\(short)_\(element)"
    helpers.need(
      name,
      """
      /* Tries until no other item was faster; the first guess, zero, costs no read. */
      static inline void \(name)(volatile __global \(element) *p, \(element) x) {
        volatile __global uint *bits = (volatile __global uint *)p;
        uint seen = 0, old;
        do {
          old = seen;
          seen = atomic_cmpxchg(bits, old, as_uint(\(combined)));
        } while (seen != old);
      }

      """)
    return name
  }
}
