public import Codegen
public import IR

/// A program's kernels as OpenCL C 1.2, a function each.
public struct OpenCLSource: Sendable {
  /// What a host needs to know of one function.
  public struct Function: Hashable, Sendable {
    public var name: String
    /// The symbols whose values it takes, in the order of its arguments.
    public var symbols: [Symbol]
    public var bufferCount: Int
    public var itemCount: Int
  }

  /// The whole source.
  public let text: String
  /// Each function once.
  public let functions: [Function]
  /// For each of the program's kernels, its function: kernels with the same code share one.
  public let functionOfKernel: [Int]
  /// Whether there is f64 arithmetic.
  public let usesF64: Bool
  /// Whether bytes are multiplied as words of four; a kernel, `tfc_try`, tells then whether that is right.
  public let usesByteProducts: Bool
  /// Whether fragments are multiplied; `tfc_try` tells of them too.
  public let usesFragments: Bool

  public init(_ program: Program) {
    let overlaps = program.overlappingParameters
    var helpers = Helpers()
    var functions: [Function] = []
    var texts: [String] = []
    var functionOfKernel: [Int] = []
    var known: [String: Int] = [:]
    var names: Set<String> = []
    for (number, kernel) in program.kernels.enumerated() {
      var writer = KernelWriter(kernel, symbols: program.symbols, overlapping: overlaps[number], helpers: helpers)
      let code = writer.code()
      helpers = writer.helpers
      if let function = known[code] {
        functionOfKernel.append(function)
        continue
      }
      let name = Self.uniqueName(kernel.name, &names)
      known[code] = functions.count
      functionOfKernel.append(functions.count)
      // Compilers that know how many items a group has need not provide for more.
      var attribute = kernel.itemCount > 1 ? "__attribute__((reqd_work_group_size(\(kernel.itemCount), 1, 1)))\n" : ""
      if writer.exchanges { attribute = "TFC_EXCHANGING \(attribute)" }
      texts.append("\(writer.comment)__kernel \(attribute)void \(name)\(code)")
      functions.append(
        Function(
          name: name, symbols: writer.usedSymbols, bufferCount: kernel.buffers.count, itemCount: kernel.itemCount))
    }
    usesF64 = helpers.usesF64
    usesByteProducts = !helpers.bytePairs.isEmpty
    usesFragments = !helpers.fragmentFormats.isEmpty
    self.functions = functions
    self.functionOfKernel = functionOfKernel
    text = ([helpers.prologue(title: program.name)] + texts + helpers.trial).joined(separator: "\n")
  }

  /// An identifier that no other function has, from a kernel's name.
  private static func uniqueName(_ name: String, _ taken: inout Set<String>) -> String {
    let isPlain: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let stem = "k_" + String(name.map { isPlain($0) ? $0 : "_" }.prefix(60))
    var unique = stem
    var number = 1
    while !taken.insert(unique).inserted {
      unique = "\(stem)_\(number)"
      number += 1
    }
    return unique
  }
}

extension Target {
  /// A device for OpenCL.
  public static func openCL(_ workGroups: WorkGroups, hasF64: Bool = true, tileFormats: Set<TileFormat> = []) -> Target
  {
    var target = Target(
      cpu: "opencl", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true, l1ByteCount: 16 << 10,
      l2ByteCount: 64 << 10)
    target.workGroups = workGroups
    target.hasF64 = hasF64
    target.tileFormats = tileFormats
    return target
  }
}

extension WorkGroups {
  /// What every device of the last ten years has.
  public static let portable = WorkGroups(
    itemCount: 256, localByteCount: 32 << 10, subgroupItemCount: 32, computeUnitCount: 32)
}
