import Codegen

extension Helpers {
  /// The name of the function that multiplies fragments: an instruction of NVIDIA's devices, where the runtime says that it is
  /// one, or, under `TFC_TENSOR_EMULATED`, code for any device, in which items exchange what they hold. Elsewhere kernels with
  /// it are never launched.
  mutating func fragmentProduct(_ format: TileFormat) -> String {
    let name = Self.name(format)
    need(
      "TFC_FRAGMENTS",
      """
      #if defined(TFC_TENSOR_EMULATED)
      #define TFC_FRAGMENTS(name, items) __local int name[6 * (items)]
      #else
      #define TFC_FRAGMENTS(name, items) __local int *const name = 0
      #endif

      """)
    need(
      name,
      """
      static inline float4 \(name)(int4 a, int2 b, float4 sums, __local int *shared) {
      #if defined(TFC_TENSOR_PTX)
        float x, y, z, w;
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.\(format.rawValue).\(format.rawValue).f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"
            : "=f"(x), "=f"(y), "=f"(z), "=f"(w)
            : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y),
              "f"(sums.x), "f"(sums.y), "f"(sums.z), "f"(sums.w));
        return (float4)(x, y, z, w);
      #elif defined(TFC_TENSOR_EMULATED)
        const int item = (int)get_local_id(0), lane = item % 32;
        __local int *run = shared + (item - lane) * 6;
        float results[4] = {sums.x, sums.y, sums.z, sums.w};
        barrier(CLK_LOCAL_MEM_FENCE);
        vstore4(a, 0, run + 6 * lane);
        vstore2(b, 0, run + 6 * lane + 4);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int n = 0; n < 4; n++) {
          const int row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
          for (int k = 0; k < 16; k++) {
            const ushort x = (ushort)(run[6 * (row % 8 * 4 + k % 8 / 2) + row / 8 + k / 8 * 2] >> k % 2 * 16);
            const ushort y = (ushort)(run[6 * (column * 4 + k % 8 / 2) + 4 + k / 8] >> k % 2 * 16);
            results[n] += \(Self.float("x", format)) * \(Self.float("y", format));
          }
        }
        return (float4)(results[0], results[1], results[2], results[3]);
      #else
        return sums;
      #endif
      }

      """)
    needTrial(format)
    if !fragmentFormats.contains(format) { fragmentFormats.append(format) }
    return name
  }

  private static func name(_ format: TileFormat) -> String { "tfc_fragments_\(format.rawValue)" }

  /// A two-byte float in a variable, as f32.
  private static func float(_ variable: String, _ format: TileFormat) -> String {
    switch format {
    case .f16: "vload_half(0, (const half *)&\(variable))"
    case .bf16: "as_float((uint)\(variable) << 16)"
    }
  }

  /// A function that multiplies small integers, whose sums are exact, and tells whether the item's are right.
  private mutating func needTrial(_ format: TileFormat) {
    let numbers =
      switch format {
      case .f16: "0xc200, 0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200"
      case .bf16: "0xc040, 0xc000, 0xbf80, 0, 0x3f80, 0x4000, 0x4040"
      }
    need(
      "\(Self.name(format))_are_right",
      """
      #if defined(TFC_TENSOR_PTX) || defined(TFC_TENSOR_EMULATED)
      static inline bool \(Self.name(format))_are_right(__local int *shared) {
        const ushort numbers[7] = {\(numbers)}; /* from -3 to 3 */
        const int lane = (int)get_local_id(0), group = lane / 4, part = lane % 4;
        int words[6];
        for (int n = 0; n < 6; n++) {
          const int row = group + n % 2 * 8, column = group, k = 2 * part + (n < 4 ? n / 2 : n - 4) * 8;
          const int first = n < 4 ? (3 * row + 5 * k) % 7 : (2 * k + 7 * column) % 5 + 1;
          const int second = n < 4 ? (3 * row + 5 * k + 5) % 7 : (2 * k + 2 + 7 * column) % 5 + 1;
          words[n] = (int)(numbers[first] | (uint)numbers[second] << 16);
        }
        const float4 start = (float4)(group - 2 * part, group - 2 * part - 1, group + 8 - 2 * part, group + 7 - 2 * part);
        const float4 found = \(Self.name(format))(
            (int4)(words[0], words[1], words[2], words[3]), (int2)(words[4], words[5]), start, shared);
        const float results[4] = {found.x, found.y, found.z, found.w};
        bool is_right = true;
        for (int n = 0; n < 4; n++) {
          const int row = group + n / 2 * 8, column = 2 * part + n % 2;
          int sum = row - column;
          for (int k = 0; k < 16; k++) sum += ((3 * row + 5 * k) % 7 - 3) * ((2 * k + 7 * column) % 5 - 2);
          is_right = is_right && results[n] == (float)sum;
        }
        return is_right;
      }
      #endif

      """)
  }

  /// The lines of `tfc_try` for fragments.
  var fragmentTrial: String {
    if fragmentFormats.isEmpty { return "" }
    let checks = fragmentFormats.map { "\(Self.name($0))_are_right(fragments)" }
    return """
      #if defined(TFC_TENSOR_PTX) || defined(TFC_TENSOR_EMULATED)
        TFC_FRAGMENTS(fragments, 32);
        bool fragments_are_right = true;
      \(checks.map { "  fragments_are_right = \($0) && fragments_are_right;" }.joined(separator: "\n"))
        if (fragments_are_right) features += 2;
      #endif

      """
  }
}
