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
    /// A thread gets tasks of at least so many picoseconds together.
    public var timePerThread = Kernel.timePerThread
    /// Whether all code is in one object, as a linker's input of its own.
    public var isOneObject = false

    public init() {}
  }

  private let processor: Processor

  /// A compiler for `native` (this machine's processor, by what it can do) or a processor by LLVM's name, on x86-64 from
  /// x86-64-v2 on; nil is `native` here, and the least processor of another machine. Code that multiplies bf16 where there are
  /// instructions for it takes numbers below 2^-126 for zero.
  public init(cpu: String? = nil, triple: Triple = .host, multipliesBFloats: Bool = false) throws(LLVMError) {
    processor = try Processor(named: cpu, triple, multipliesBFloats: multipliesBFloats)
  }

  /// What schedules know of the processor.
  public var target: Target { processor.target }

  /// The processor features that the code may use, in LLVM's names, in a fixed order.
  public var features: [String] { processor.knownFeatures.filter(processor.features.contains) }

  /// The machine that code is for.
  public var triple: Triple { processor.triple }

  /// The object files of a program, to be linked together; one of them defines `tfc_program_run`.
  ///
  /// Objects that the cache has are not compiled, those that are go into it.
  public func compile(_ program: Program, options: Options = Options(), cache: ObjectCache? = nil) throws(LLVMError)
    -> [[UInt8]]
  {
    var interface = KernelInterface(program, options)
    if options.isOneObject { return [try emit(whole(interface), options, LLVMObjectFile)] }
    let separate = interface.compiled.filter { !interface.isInlined($0) }
    let anonymous = interface.withoutNames
    let keys = try Self.concurrently(separate) { kernel throws(LLVMError) in
      try key(of: .part(Part([kernel]), anonymous), options)
    }
    interface.rename(zip(separate, keys).map { ($0, $1) })
    let main = Part(interface.compiled.filter(interface.isInlined), isMain: true)
    let parts = [main] + Self.groups(zip(separate, keys).filter { interface.representatives[$0.0] == $0.0 }, program)
    let named = interface
    return try Self.concurrently(parts) { part throws(LLVMError) in
      try object(.part(part, named), key: part.key, options, cache)
    }
  }

  /// The object file that defines `tfc_opencl_program`, for every processor of the kind.
  public func compile(_ device: DeviceProgram, options: Options = Options(), cache: ObjectCache? = nil)
    throws(LLVMError) -> [UInt8]
  {
    try object(.device(device), key: nil, options, cache)
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
    try llvmText(whole(KernelInterface(program, options)), program.name, options, optimized: optimized)
  }

  /// The host's part of a device's program in LLVM's language.
  public func llvmText(_ device: DeviceProgram, options: Options = Options(), optimized: Bool = true) throws(LLVMError)
    -> String
  {
    try llvmText(.device(device), device.program.name, options, optimized: optimized)
  }

  private func llvmText(_ unit: Unit, _ name: String, _ options: Options, optimized: Bool) throws(LLVMError) -> String {
    let machine = try LLVMMachine(processor(for: unit))
    let module = LLVMModule(name: name, machine: machine)
    try write(unit, options, module)
    if optimized { try module.optimize(machine, pipeline: Self.pipeline) }
    return module.text
  }

  /// The program in assembly language.
  public func assemblyText(_ program: Program, options: Options = Options()) throws(LLVMError) -> String {
    let bytes = try emit(whole(KernelInterface(program, options)), options, LLVMAssemblyFile)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The host's part of a device's program in assembly language.
  public func assemblyText(_ device: DeviceProgram, options: Options = Options()) throws(LLVMError) -> String {
    String(decoding: try emit(.device(device), options, LLVMAssemblyFile), as: UTF8.self)
  }

  private static let pipeline = "default<O2>"

  /// What one module of a program has in it.
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

  /// What becomes one module.
  private enum Unit: Sendable {
    case part(Part, KernelInterface)
    case device(DeviceProgram)
  }

  private func processor(for unit: Unit) -> Processor {
    switch unit {
    case .part: processor
    case .device: processor.baseline
    }
  }

  private func whole(_ interface: KernelInterface) -> Unit {
    .part(Part(interface.compiled, isMain: true), interface)
  }

  /// A hash of all that the module's code depends on.
  private func key(of unit: Unit, _ options: Options) throws(LLVMError) -> String {
    let machine = try LLVMMachine(processor(for: unit))
    let module = LLVMModule(name: "", machine: machine)
    try write(unit, options, module)
    var hash = ContentHash()
    hash.add(Array(environment(processor(for: unit)).utf8))
    module.add(to: &hash)
    return hash.text
  }

  /// What code depends on beside the module.
  private func environment(_ processor: Processor) -> String {
    var (major, minor, patch): (UInt32, UInt32, UInt32) = (0, 0, 0)
    LLVMGetVersion(&major, &minor, &patch)
    return "LLVM \(major).\(minor).\(patch) \(processor.triple.text) \(processor.name) \(processor.featureText) "
      + Self.pipeline
  }

  /// `key` nil is not known yet.
  private func object(_ unit: Unit, key: String?, _ options: Options, _ cache: ObjectCache?) throws(LLVMError)
    -> [UInt8]
  {
    guard let cache else { return try emit(unit, options, LLVMObjectFile) }
    let found: String
    if let key { found = key } else { found = try self.key(of: unit, options) }
    if let known = cache.object(found) { return known }
    let bytes = try emit(unit, options, LLVMObjectFile)
    cache.keep(found, bytes)
    return bytes
  }

  private func emit(_ unit: Unit, _ options: Options, _ kind: LLVMCodeGenFileType) throws(LLVMError) -> [UInt8] {
    let machine = try LLVMMachine(processor(for: unit))
    let module = LLVMModule(name: "", machine: machine)
    try write(unit, options, module)
    try module.optimize(machine, pipeline: Self.pipeline)
    return try module.emit(machine, kind)
  }

  private func write(_ unit: Unit, _ options: Options, _ module: borrowing LLVMModule) throws(LLVMError) {
    let writer = CodeWriter(module, processor(for: unit))
    switch unit {
    case .part(let part, let interface):
      for kernel in part.kernels { interface.define(kernel, writer) }
      if part.isMain { ProcessorSteps.emit(interface, options, writer) }
    case .device(let device): DeviceSteps.emit(device, writer)
    }
    if options.verifies { try module.verify() }
  }
}
