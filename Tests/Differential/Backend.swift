import Codegen
import CodegenLLVM
import Driver
import IR
import Passes

/// What the random graphs are compared with.
enum Backend {
  /// Kernels and program in this process, in a runtime of a few lines.
  case cpu(LLVMCompiler)
  /// Libraries for an OpenCL device, as users compile them; `device` is a file that says what kernels are made for.
  case opencl(device: String?)
  /// Libraries for another machine, which a program runs here.
  case other(OtherMachine)

  /// For what `--target`, `--device`, `--triple`, `--cpu` and `--run` say; nil for anything else.
  init?(_ options: [String: String]) throws {
    let (device, triple) = (options["--device"], options["--triple"])
    switch options["--target"] ?? "cpu" {
    case "cpu" where triple != nil && device == nil:
      guard let triple, let run = options["--run"] else { return nil }
      let words = run.split(separator: " ").map(String.init)
      self = .other(OtherMachine(triple: triple, cpu: options["--cpu"], command: words))
    case "cpu" where device == nil: self = .cpu(try LLVMCompiler())
    case "opencl": self = .opencl(device: device)
    default: return nil
    }
  }

  /// Whether graphs may have f64.
  var hasF64: Bool {
    get throws {
      guard case .opencl(let file?) = self else { return true }
      return try OpenCLDevice(reading: file).fp64
    }
  }

  /// The results of a function, compiled with fusion or without.
  func results(_ function: Function, fuses: Bool, _ arguments: [Literal], symbols: [Symbol: Int]) throws -> [Literal] {
    let module = Module(functions: [function])
    switch self {
    case .cpu(let compiler):
      var pipeline = PassPipeline(Pass.transformingLines(fuses ? Pass.order : Pass.orderWithoutFusion))
      pipeline.verifies = true
      let program = try Program(try pipeline.run(function, in: module).function, target: compiler.target)
      let library = try LoadedProgram(program, compiler)
      return try library.run(program, arguments, symbols: program.symbols.map { symbols[$0] ?? 0 })
    case .opencl(let device):
      var options = Options()
      options.target = .opencl
      options.device = device
      options.fuses = fuses
      options.verifies = true
      return try CompiledFunction(function, in: module, options)(arguments)
    case .other(let machine):
      return try machine.results(function, fuses: fuses, arguments, symbols: symbols)
    }
  }
}
