import Codegen
import IR

extension KernelWriter {
  /// The array through which registers are exchanged where no instruction does it.
  static let exchangeArray = "exchanged"

  /// What another item of the subgroup has.
  mutating func exchange(_ value: Value, from: Value) -> Value {
    precondition(value.lanes == 1 && value.imaginary == nil, "items exchange scalars")
    exchanges = true
    helpers.need("tfc_exchange", Self.exchange(subgroup: kernel.subgroupItemCount))
    let arguments = "\(from.part), \(Self.exchangeArray)"
    let element = CType.memory(value.element)
    switch value.element {
    case .i1: return Value(value.type, "tfc_exchange_32(\(value.part), \(arguments)) != 0")
    case .f32, .f64:
      let (width, bits) = value.element == .f32 ? (32, "uint") : (64, "ulong")
      return Value(value.type, "as_\(element)(tfc_exchange_\(width)(as_\(bits)(\(value.part)), \(arguments)))")
    default:
      let width = CType.width(value.element) == 64 ? 64 : 32
      return Value(value.type, "(\(element))tfc_exchange_\(width)(\(value.part), \(arguments))")
    }
  }

  /// `TFC_SHUFFLE` names the instructions that the device has: 1 NVIDIA's, 2 those of cl_khr_subgroup_shuffle, 3 Intel's
  /// for subgroups of the size that a kernel asks for. All give the same bits; so does local memory, which needs none.
  private static func exchange(subgroup count: Int) -> String {
    let lane = "(uint)from & \(count - 1)"
    // The width of the segments in which lanes are counted, and the last lane of each.
    let segments = (32 - count) << 8 | 31
    return """
      /* What the item `from` has; it is of the same subgroup, \(count) neighbours. */
      #if TFC_SHUFFLE == 1 && \(count) <= 32
      #define TFC_EXCHANGE(name, count) __local uint *const name = 0
      #define TFC_EXCHANGING
      static inline uint tfc_exchange_32(uint x, int from, __local uint *shared) {
        uint y;
        __asm__ volatile("shfl.sync.idx.b32 %0, %1, %2, \(segments), 0xffffffff;" : "=r"(y) : "r"(x), "r"(\(lane)));
        return y;
      }
      #elif TFC_SHUFFLE == 3 && TFC_SUBGROUP_ITEMS == \(count)
      #pragma OPENCL EXTENSION cl_intel_subgroups : enable
      #define TFC_EXCHANGE(name, count) __local uint *const name = 0
      #define TFC_EXCHANGING __attribute__((intel_reqd_sub_group_size(\(count))))
      static inline uint tfc_exchange_32(uint x, int from, __local uint *shared) {
        return intel_sub_group_shuffle(x, \(lane));
      }
      #else
      #define TFC_EXCHANGE(name, count) __local uint name[count]
      #define TFC_EXCHANGING
      #if TFC_SHUFFLE == 2
      #pragma OPENCL EXTENSION cl_khr_subgroups : enable
      #pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
      #endif
      static inline uint tfc_exchange_32(uint x, int from, __local uint *shared) {
      #if TFC_SHUFFLE == 2
        if (get_max_sub_group_size() % \(count) == 0) {
          return sub_group_shuffle(x, (get_sub_group_local_id() & ~\(count - 1)U) | (\(lane)));
        }
      #endif
        shared[get_local_id(0)] = x;
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint y = shared[from];
        barrier(CLK_LOCAL_MEM_FENCE);
        return y;
      }
      #endif
      static inline ulong tfc_exchange_64(ulong x, int from, __local uint *shared) {
        const uint low = tfc_exchange_32((uint)x, from, shared), high = tfc_exchange_32((uint)(x >> 32), from, shared);
        return (ulong)high << 32 | low;
      }

      """
  }
}
