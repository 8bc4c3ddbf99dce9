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

  public init(_ program: Program) {
    text = ""
    functions = []
    functionOfKernel = []
    usesF64 = false
  }
}

extension Target {
  /// A device for OpenCL.
  public static func openCL(_ workGroups: WorkGroups) -> Target {
    var target = Target(
      cpu: "opencl", vectorByteCount: 16, vectorRegisterCount: 32, hasMultiplyAdd: true, l1ByteCount: 16 << 10,
      l2ByteCount: 64 << 10)
    target.workGroups = workGroups
    return target
  }
}

extension WorkGroups {
  /// What every device of the last ten years has.
  public static let portable = WorkGroups(
    itemCount: 256, localByteCount: 32 << 10, subgroupItemCount: 32, computeUnitCount: 32)
}
