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
    /// Whether all code is in one object, as a linker's input of its own.
    public var isOneObject = false

    public init() {}
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
  ///
  /// Objects that the cache has are not compiled, those that are go into it.
  public func compile(_ program: Program, options: Options = Options(), cache: ObjectCache? = nil) throws(LLVMError)
    -> [[UInt8]]
  {
    var interface = KernelInterface(program, options)
    if options.isOneObject {
      return [try emit(interface, Part(interface.compiled, isMain: true), options, LLVMObjectFile)]
    }
    let separate = interface.compiled.filter { !interface.isInlined($0) }
    let anonymous = interface.withoutNames
    let keys = try Self.concurrently(separate) { kernel throws(LLVMError) in
      try key(of: Part([kernel]), anonymous, options)
    }
    interface.rename(zip(separate, keys).map { ($0, $1) })
    let main = Part(interface.compiled.filter(interface.isInlined), isMain: true)
    let parts = [main] + Self.groups(zip(separate, keys).filter { interface.representatives[$0.0] == $0.0 }, program)
    let named = interface
    return try Self.concurrently(parts) { part throws(LLVMError) in try object(named, part, options, cache) }
  }

  /// Small kernels share a module, because one costs LLVM as much as some 200 statements; larger modules come first, so
  /// that the last to be ready is a small one.
  private static func groups(_ kernels: [(kernel: Int, key: String)], _ program: Program) -> [Part] {
    var groups: [(part: Part, statementCount: Int)] = []
    for (kernel, key) in kernels {
      let count = program.kernels[kernel].statementCount
      if let last = groups.indices.last, groups[last].statementCount < 200 {
        groups[last].part.kernels.append(kernel)
        groups[last].part.key? += key
        groups[last].statementCount += count
      } else {
        groups.append((Part([kernel], key: key), count))
      }
    }
    return groups.sorted { $0.statementCount > $1.statementCount }.map(\.part)
  }

  /// The results of `body` for all elements, in order; it runs for several at a time.
  private static func concurrently<Element: Sendable, Output: Sendable>(
    _ elements: [Element], _ body: @Sendable (Element) throws(LLVMError) -> Output
  ) throws(LLVMError) -> [Output] {
    let results = Mutex([Result<Output, LLVMError>?](repeating: nil, count: elements.count))
    DispatchQueue.concurrentPerform(iterations: elements.count) { position in
      let result = Result { () throws(LLVMError) in try body(elements[position]) }
      results.withLock { $0[position] = result }
    }
    var outputs: [Output] = []
    for result in results.withLock({ $0 }) {
      if let result { outputs.append(try result.get()) }
    }
    return outputs
  }

  /// The program in LLVM's language, as it is before LLVM's passes or after them.
  public func llvmText(_ program: Program, options: Options = Options(), optimized: Bool = true) throws(LLVMError)
    -> String
  {
    let interface = KernelInterface(program, options)
    let machine = try LLVMMachine(processor)
    let module = LLVMModule(name: program.name, machine: machine)
    try write(interface, Part(interface.compiled, isMain: true), options, module)
    if optimized { try module.optimize(machine, pipeline: Self.pipeline) }
    return module.text
  }

  /// The program in assembly language.
  public func assemblyText(_ program: Program, options: Options = Options()) throws(LLVMError) -> String {
    let interface = KernelInterface(program, options)
    let bytes = try emit(interface, Part(interface.compiled, isMain: true), options, LLVMAssemblyFile)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let pipeline = "default<O2>"

  /// What one module has in it.
  private struct Part: Sendable {
    var kernels: [Int]
    /// Whether the program's function is in it, and so the kernels that are inlined there.
    var isMain: Bool
    /// What tells the module from others, where that is known.
    var key: String?

    init(_ kernels: [Int], isMain: Bool = false, key: String? = nil) {
      self.kernels = kernels
      self.isMain = isMain
      self.key = key
    }
  }

  /// A hash of all that the module's code depends on.
  private func key(of part: Part, _ interface: KernelInterface, _ options: Options) throws(LLVMError) -> String {
    let machine = try LLVMMachine(processor)
    let module = LLVMModule(name: "", machine: machine)
    try write(interface, part, options, module)
    var hash = ContentHash()
    hash.add(Array(environment.utf8))
    module.add(to: &hash)
    return hash.text
  }

  /// What code depends on beside the module.
  private var environment: String {
    var (major, minor, patch): (UInt32, UInt32, UInt32) = (0, 0, 0)
    LLVMGetVersion(&major, &minor, &patch)
    return "LLVM \(major).\(minor).\(patch) \(processor.triple) \(processor.name) \(processor.featureText) "
      + Self.pipeline
  }

  private func object(_ interface: KernelInterface, _ part: Part, _ options: Options, _ cache: ObjectCache?)
    throws(LLVMError) -> [UInt8]
  {
    guard let cache else { return try emit(interface, part, options, LLVMObjectFile) }
    let key: String
    if let known = part.key { key = known } else { key = try self.key(of: part, interface, options) }
    if let known = cache.object(key) { return known }
    let bytes = try emit(interface, part, options, LLVMObjectFile)
    cache.keep(key, bytes)
    return bytes
  }

  private func emit(
    _ interface: KernelInterface, _ part: Part, _ options: Options, _ kind: LLVMCodeGenFileType
  ) throws(LLVMError) -> [UInt8] {
    let machine = try LLVMMachine(processor)
    let module = LLVMModule(name: "", machine: machine)
    try write(interface, part, options, module)
    try module.optimize(machine, pipeline: Self.pipeline)
    return try module.emit(machine, kind)
  }

  private func write(
    _ interface: KernelInterface, _ part: Part, _ options: Options, _ module: borrowing LLVMModule
  ) throws(LLVMError) {
    let writer = CodeWriter(module, processor)
    for kernel in part.kernels { interface.define(kernel, writer) }
    if part.isMain { ProgramEmitter.emit(interface, options, writer) }
    if options.verifies { try module.verify() }
  }
}
