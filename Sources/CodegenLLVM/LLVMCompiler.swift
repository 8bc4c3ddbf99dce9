import CLLVM
public import Codegen
import Dispatch
import IR
import Synchronization

/// Turns programs into machine code with LLVM.
public struct LLVMCompiler: Sendable {
  public struct Options: Hashable, Sendable {
    /// Whether LLVM's own verifier reads each module.
    public var verifies = false
    /// Whether each launch tells the runtime when it begins and ends.
    public var profiles = false
    /// A thread gets tasks of at least so many scalar operations together.
    public var operationsPerThread = Kernel.operationsPerThread
    /// How many modules are compiled side by side; the code is the same for every number but for its place.
    public var moduleCount: Int

    public init(moduleCount: Int = 2) { self.moduleCount = moduleCount }
  }

  private let processor: Processor

  /// A compiler for `native` (this machine's processor, by what it can do) or a processor by LLVM's name, from
  /// x86-64-v2 on.
  public init(cpu: String = "native") throws(LLVMError) {
    processor = try Processor(named: cpu)
  }

  /// What schedules know of the processor.
  public var target: Target { processor.target }

  /// The processor features that the code may use, in LLVM's names, in a fixed order.
  public var features: [String] { Processor.knownFeatures.filter(processor.features.contains) }

  /// The triple that code is for: `x86_64-pc-linux-gnu`.
  public var triple: String { processor.triple }

  /// The object files of a program, to be linked together; one of them defines `tfc_program_run`.
  public func compile(_ program: Program, options: Options = Options()) throws(LLVMError) -> [[UInt8]] {
    let interface = KernelInterface(program, options)
    let parts = Self.parts(interface, options)
    if parts.count == 1 { return [try emit(interface, parts[0], isMain: true, options, LLVMObjectFile)] }
    let results = Mutex([Result<[UInt8], LLVMError>?](repeating: nil, count: parts.count))
    DispatchQueue.concurrentPerform(iterations: parts.count) { position in
      let result = Result { () throws(LLVMError) in
        try emit(interface, parts[position], isMain: position == 0, options, LLVMObjectFile)
      }
      results.withLock { $0[position] = result }
    }
    var objects: [[UInt8]] = []
    for result in results.withLock({ $0 }) {
      if let result { objects.append(try result.get()) }
    }
    return objects
  }

  /// The program in LLVM's language, as it is before LLVM's passes or after them.
  public func llvmText(_ program: Program, options: Options = Options(), optimized: Bool = true) throws(LLVMError)
    -> String
  {
    let interface = KernelInterface(program, options)
    let machine = try LLVMMachine(processor)
    let module = LLVMModule(name: program.name, machine: machine)
    try write(interface, Array(program.kernels.indices), isMain: true, options, module)
    if optimized { try module.optimize(machine, pipeline: Self.pipeline) }
    return module.text
  }

  /// The program in assembly language.
  public func assemblyText(_ program: Program, options: Options = Options()) throws(LLVMError) -> String {
    let interface = KernelInterface(program, options)
    let kernels = Array(program.kernels.indices)
    let bytes = try emit(interface, kernels, isMain: true, options, LLVMAssemblyFile)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let pipeline = "default<O2>"

  /// The kernels of each module; those that are inlined into the program's function are in its module, the first.
  private static func parts(_ interface: KernelInterface, _ options: Options) -> [[Int]] {
    let kernels = interface.program.kernels
    let weights = kernels.map(\.statementCount)
    // A module is worth a thread where LLVM needs some ten milliseconds for it.
    let count = max(1, min(options.moduleCount, weights.reduce(0, +) / 200))
    var parts = [[Int]](repeating: [], count: count)
    var loads = [Int](repeating: 0, count: count)
    loads[0] = interface.program.steps.count
    for kernel in kernels.indices where interface.isInlined(kernel) {
      parts[0].append(kernel)
      loads[0] += weights[kernel]
    }
    let others = kernels.indices.filter { !interface.isInlined($0) }
    for kernel in others.sorted(by: { (weights[$1], $0) < (weights[$0], $1) }) {
      let part = loads.indices.min { loads[$0] < loads[$1] } ?? 0
      parts[part].append(kernel)
      loads[part] += weights[kernel]
    }
    return parts.map { $0.sorted() }
  }

  private func emit(
    _ interface: KernelInterface, _ kernels: [Int], isMain: Bool, _ options: Options, _ kind: LLVMCodeGenFileType
  ) throws(LLVMError) -> [UInt8] {
    let machine = try LLVMMachine(processor)
    let module = LLVMModule(name: interface.program.name, machine: machine)
    try write(interface, kernels, isMain: isMain, options, module)
    try module.optimize(machine, pipeline: Self.pipeline)
    return try module.emit(machine, kind)
  }

  private func write(
    _ interface: KernelInterface, _ kernels: [Int], isMain: Bool, _ options: Options, _ module: borrowing LLVMModule
  ) throws(LLVMError) {
    let writer = CodeWriter(module, processor)
    for kernel in kernels { interface.define(kernel, writer) }
    if isMain { ProgramEmitter.emit(interface, options, writer) }
    if options.verifies { try module.verify() }
  }
}
