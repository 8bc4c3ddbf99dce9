import Codegen

extension Helpers {
  /// The name of the function that adds four products of bytes to a sum: an instruction of the device, where the runtime
  /// says that it is one, else plain code.
  mutating func byteProducts(_ pair: BytePair) -> String {
    let name = Self.name(pair)
    let letters = name.suffix(2)
    func type(_ isSigned: Bool) -> String { isSigned ? "char4" : "uchar4" }
    need(
      name,
      """
      static inline int \(name)_plain(int a, int b, int sum) {
        const int4 x = convert_int4(as_\(type(pair.leftIsSigned))(a));
        const int4 y = convert_int4(as_\(type(pair.rightIsSigned))(b));
        const uint4 products = as_uint4(x * y);
        return (int)((uint)sum + products.x + products.y + products.z + products.w);
      }

      static inline int \(name)(int a, int b, int sum) {
      #if defined(TFC_DOT_PTX)
        int result;
        asm("dp4a.\(letters.prefix(1))32.\(letters.suffix(1))32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
        return result;
      #elif defined(TFC_DOT)
        return (int)((uint)sum + (uint)dot_4x8packed_\(letters)_\(letters == "uu" ? "uint" : "int")((uint)a, (uint)b));
      #else
        return \(name)_plain(a, b, sum);
      #endif
      }

      """)
    if !bytePairs.contains(pair) { bytePairs.append(pair) }
    return name
  }

  private static func name(_ pair: BytePair) -> String {
    "tfc_dot_\(pair.leftIsSigned ? "s" : "u")\(pair.rightIsSigned ? "s" : "u")"
  }

  /// The lines of `tfc_try` for bytes.
  private var byteTrial: String {
    if bytePairs.isEmpty { return "" }
    let checks = bytePairs.map { pair in
      let name = Self.name(pair)
      return "  bytes_are_right = bytes_are_right && \(name)(a, b, sum) == \(name)_plain(a, b, sum);"
    }
    return """
        const int a = (int)(0x9e3779b9u * (item + 1)), b = (int)(0x85ebca6bu * (item + 7));
        const int sum = (int)(0xc2b2ae35u * (item + 3));
        bool bytes_are_right = true;
      \(checks.joined(separator: "\n"))
        if (bytes_are_right) features += 1;

      """
  }

  /// The kernel that tries the functions that may be instructions; none where there are no such functions.
  var trial: [String] {
    if bytePairs.isEmpty && fragmentFormats.isEmpty { return [] }
    return [
      """
      // For each item the numbers of what is right, added.
      __kernel __attribute__((reqd_work_group_size(32, 1, 1))) void tfc_try(__global int *found) {
        const uint item = (uint)get_local_id(0);
        int features = 0;
      \(byteTrial)\(fragmentTrial)  found[item] = features;
      }

      """
    ]
  }
}
