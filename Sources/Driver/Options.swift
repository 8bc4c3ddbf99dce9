internal import Codegen
internal import CodegenLLVM
internal import Foundation

/// How a graph is compiled: what the command line says, as values.
public struct Options: Hashable, Sendable {
  /// What a library runs on.
  public enum Target: String, Hashable, Sendable, CaseIterable {
    case cpu
    case opencl
    /// An OpenCL device where there is one, else the CPU.
    case openclOrCPU = "opencl,cpu"

    var usesCPU: Bool { self != .opencl }
    var usesOpenCL: Bool { self != .cpu }
  }

  /// What `compile` writes.
  public enum Emission: String, Hashable, Sendable, CaseIterable {
    /// A shared library and its header.
    case so
    /// An object file with the kernels and `tfc_program_run`; for OpenCL with `tfc_opencl_program`.
    case obj
    /// LLVM's language, after LLVM's passes.
    case llvm
    case asm
    /// The kernels' loops, for people.
    case kernels
    /// The kernels in OpenCL C.
    case opencl
    /// The graph after all passes before fusion, as StableHLO text.
    case stablehlo
  }

  /// How exact products and sums of f32 are.
  public enum Precision: String, Hashable, Sendable, CaseIterable {
    /// Errors like those of a sum in f32.
    case f32
    /// f32 operations only.
    case f32Strict = "f32-strict"
    /// Operands may be rounded to 16 bits of significand.
    case fast
    /// Operands may be rounded to bf16; sums are in f32.
    case bf16

    var ofProducts: ProductPrecision {
      switch self {
      case .f32: .f32
      case .f32Strict: .f32Strict
      case .fast: .fast
      case .bf16: .bf16
      }
    }
  }

  /// What `--dim` says of one symbol.
  public struct Dimension: Hashable, Sendable {
    public var symbol: String
    public var lower: Int
    /// Nil: unbounded.
    public var upper: Int?

    public init(symbol: String, lower: Int, upper: Int?) {
      self.symbol = symbol
      self.lower = lower
      self.upper = upper
    }

    /// Reads `seq=8`, `seq=1..512` or `seq=1..`; nil for anything else.
    public init?(_ text: String) {
      guard let separator = text.lastIndex(of: "="), separator != text.startIndex else { return nil }
      symbol = String(text[..<separator])
      let value = text[text.index(after: separator)...]
      if let fixed = Int(value) {
        guard fixed >= 0 else { return nil }
        (lower, upper) = (fixed, fixed)
        return
      }
      guard let dots = value.range(of: "..") else { return nil }
      guard let low = Int(value[..<dots.lowerBound]), low >= 0 else { return nil }
      lower = low
      let rest = value[dots.upperBound...]
      if rest.isEmpty {
        upper = nil
      } else {
        guard let high = Int(rest), high >= low else { return nil }
        upper = high
      }
    }

    /// The value, where there is only one.
    var fixed: Int? { lower == upper ? lower : nil }
  }

  /// The function to compile; nil for the file's entry.
  public var function: String?
  /// Names of the inputs whose gradients are further results; none for the function as it is.
  public var gradients: [String] = []
  public var target = Target.cpu
  /// The device that OpenCL kernels are made for: `native`, this machine's, or a file that describes one; nil for kernels
  /// that every device can run.
  public var device: String?
  /// The machine that the library is for, as compilers name it: `aarch64-linux-gnu`; nil for this one.
  public var triple: String?
  /// `native`, or LLVM's name of a processor; nil for `native` on this machine, and for the least processor of another.
  public var cpu: String?
  public var precision = Precision.f32
  public var dimensions: [Dimension] = []
  /// Whether ops are fused into common kernels.
  public var fuses = true
  /// The most threads that work on a call whose caller does not say; 0 for the CPUs that the process may use.
  public var threads = 0
  public var emission = Emission.so
  /// A file for the weights, beside the library; nil to put them into it.
  public var weightsFile: String?
  /// A file that says which variants of schedules to use, as tuning wrote it.
  public var tuningFile: String?
  /// Whether code compiled before is taken from the user's cache folder, and new code kept there.
  public var usesCache = true
  /// Whether launches are counted and timed by the runtime.
  public var profiles = false
  /// Names of passes after which the graph is printed.
  public var dumpsAfter: [String] = []
  public var timesPasses = false
  public var explains = false
  /// Whether the graph is verified after each pass, and LLVM's verifier reads what it gets.
  public var verifies = false

  public init() {}

  /// Throws where options contradict each other.
  func check() throws(Failure) {
    if device != nil, !target.usesOpenCL {
      throw .refused("--device describes an OpenCL device; expected --target opencl")
    }
    if device == "native", try !machine.isHost {
      throw .refused("--device native is a device of this machine; with --triple for another one, expected a file")
    }
    if tuningFile != nil, !target.usesCPU {
      throw .refused("--tuning is for kernels of a CPU; expected --target cpu or opencl,cpu")
    }
    if profiles { try expectOneTarget("--profile") }
    switch emission {
    case .so, .stablehlo: break
    case .opencl:
      guard target.usesOpenCL else { throw .refused("--emit opencl needs --target opencl") }
    case .obj, .llvm, .asm, .kernels: try expectOneTarget("--emit \(emission.rawValue)")
    }
  }

  /// The machine that the library is for.
  var machine: Triple {
    get throws(Failure) {
      guard let triple else { return .host }
      guard let machine = Triple(triple) else {
        let known = Triple.known.joined(separator: " or ")
        throw .refused("--triple \(triple) is not supported; expected \(known)")
      }
      return machine
    }
  }

  /// Throws where the library would be for another machine than this one, which is to run it.
  func expectThisMachine() throws(Failure) {
    let machine = try machine
    guard machine.isHost else {
      throw .refused("--triple \(machine) is for libraries that another machine runs; this one is \(Triple.host)")
    }
  }

  /// Throws where a library would have code for two machines; `what` is about the code of one.
  func expectOneTarget(_ what: String) throws(Failure) {
    guard target != .openclOrCPU else {
      throw .refused("\(what) is about one target, not opencl,cpu; expected --target cpu or --target opencl")
    }
  }
}
