import Codegen
import IR

/// The functions and tables that kernels call, each written once at the head of the source.
struct Helpers {
  private var texts: [String] = []
  private var names: Set<String> = []
  private var tables: [[Float]: String] = [:]
  var usesF64 = false
  var usesAtomics64 = false
  /// The kinds of bytes whose products are summed.
  var bytePairs: [BytePair] = []
  /// The formats whose fragments are multiplied.
  var fragmentFormats: [TileFormat] = []

  /// Makes sure that the function `name` is there; `text` defines it.
  mutating func need(_ name: String, _ text: String) {
    if names.insert(name).inserted { texts.append(text) }
  }

  /// The name of a table of numbers.
  mutating func table(_ numbers: [Float]) -> String {
    if let name = tables[numbers] { return name }
    let name = "tfc_table_\(tables.count)"
    tables[numbers] = name
    let list = numbers.map { CType.float(Double($0), 32) }.joined(separator: ", ")
    texts.append("__constant float \(name)[\(numbers.count)] = {\(list)};\n")
    return name
  }

  /// What stands before the kernels.
  func prologue(title: String) -> String {
    var lines = "/* \(CComment.text(title)): compiled by tfc. */\n"
    if usesF64 { lines += "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" }
    if usesAtomics64 { lines += "#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n" }
    // Products and sums are rounded as the kernels say.
    lines += "#pragma OPENCL FP_CONTRACT OFF\n"
    return ([lines] + texts).joined(separator: "\n")
  }
}
