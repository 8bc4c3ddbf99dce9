import CLLVM

/// Why LLVM could not do what it was asked for.
public struct LLVMError: Error, Hashable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// An LLVM module with the context it lives in and the builder that writes it.
struct LLVMModule: ~Copyable {
  let context: LLVMContextRef
  let module: LLVMModuleRef
  let builder: LLVMBuilderRef

  init(name: String, machine: borrowing LLVMMachine) {
    context = LLVMContextCreate()
    module = LLVMModuleCreateWithNameInContext(name, context)
    builder = LLVMCreateBuilderInContext(context)
    LLVMSetTarget(module, machine.processor.triple.text)
    let layout: LLVMTargetDataRef = LLVMCreateTargetDataLayout(machine.machine)
    LLVMSetModuleDataLayout(module, layout)
    LLVMDisposeTargetData(layout)
  }

  deinit {
    LLVMDisposeBuilder(builder)
    LLVMDisposeModule(module)
    LLVMContextDispose(context)
  }

  /// Throws what LLVM's verifier has to say against the module; a module that we wrote must pass.
  func verify() throws(LLVMError) {
    var message: UnsafeMutablePointer<CChar>?
    let isBroken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message) != 0
    let text = LLVMText.take(message)
    if isBroken { throw LLVMError("LLVM's verifier refuses the module: \(text)") }
  }

  func optimize(_ machine: borrowing LLVMMachine, pipeline: String) throws(LLVMError) {
    let options: LLVMPassBuilderOptionsRef = LLVMCreatePassBuilderOptions()
    defer { LLVMDisposePassBuilderOptions(options) }
    // Kernels are vectors already; what is scalar in them is scalar on purpose.
    LLVMPassBuilderOptionsSetLoopVectorization(options, 0)
    LLVMPassBuilderOptionsSetSLPVectorization(options, 0)
    LLVMPassBuilderOptionsSetLoopInterleaving(options, 0)
    LLVMPassBuilderOptionsSetLoopUnrolling(options, 1)
    guard let error = LLVMRunPasses(module, pipeline, machine.machine, options) else { return }
    let message = LLVMGetErrorMessage(error)
    let text = message.map { String(cString: $0) } ?? ""
    LLVMDisposeErrorMessage(message)
    throw LLVMError("LLVM's passes failed: \(text)")
  }

  var text: String { LLVMText.take(LLVMPrintModuleToString(module)) }

  /// Adds all that is in the module to the hash.
  func add(to hash: inout ContentHash) {
    guard let buffer = LLVMWriteBitcodeToMemoryBuffer(module) else { return }
    defer { LLVMDisposeMemoryBuffer(buffer) }
    hash.add(UnsafeRawBufferPointer(start: LLVMGetBufferStart(buffer), count: LLVMGetBufferSize(buffer)))
  }

  /// The machine code as an object file or as assembly text.
  func emit(_ machine: borrowing LLVMMachine, _ kind: LLVMCodeGenFileType) throws(LLVMError) -> [UInt8] {
    var message: UnsafeMutablePointer<CChar>?
    var buffer: LLVMMemoryBufferRef?
    let failed = LLVMTargetMachineEmitToMemoryBuffer(machine.machine, module, kind, &message, &buffer) != 0
    let text = LLVMText.take(message)
    guard !failed, let buffer else { throw LLVMError("LLVM cannot emit code: \(text)") }
    defer { LLVMDisposeMemoryBuffer(buffer) }
    guard let start = LLVMGetBufferStart(buffer) else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: LLVMGetBufferSize(buffer)))
  }
}

enum LLVMText {
  /// The string at `message`, which is released; the empty string for null.
  static func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
    guard let message else { return "" }
    defer { LLVMDisposeMessage(message) }
    return String(cString: message)
  }
}

/// LLVM's target machine for a processor.
struct LLVMMachine: ~Copyable {
  let processor: Processor
  let machine: LLVMTargetMachineRef

  /// The machine; a `Processor` has made LLVM know its target.
  init(_ processor: Processor) throws(LLVMError) {
    var target: LLVMTargetRef?
    var message: UnsafeMutablePointer<CChar>?
    let failed = LLVMGetTargetFromTriple(processor.triple.text, &target, &message) != 0
    let text = LLVMText.take(message)
    guard !failed, let target else { throw LLVMError("no LLVM target for \(processor.triple): \(text)") }
    let created = LLVMCreateTargetMachine(
      target, processor.triple.text, processor.name, processor.featureText, LLVMCodeGenLevelDefault, LLVMRelocPIC,
      LLVMCodeModelDefault)
    guard let created else { throw LLVMError("LLVM has no machine for processor \(processor.name)") }
    self.processor = processor
    machine = created
  }

  deinit { LLVMDisposeTargetMachine(machine) }
}
