import CLLVM
import Codegen
import IR

/// Writes `tfc_program_run`: kernels are functions, buffers are addresses.
struct ProcessorSteps: StepWriter {
  let writer: CodeWriter
  let scope: IndexScope
  private let program: Program
  private let interface: KernelInterface
  private let options: LLVMCompiler.Options
  private let context: LLVMValueRef
  private let symbols: LLVMValueRef
  private var addresses: [LLVMValueRef] = []
  /// Room for the pointers that one launch's tasks get.
  private let arguments: LLVMValueRef

  static func emit(_ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter) {
    ProgramEmitter.emit(interface.program, ProcessorSteps(interface, options, writer))
  }

  private init(_ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter) {
    program = interface.program
    self.interface = interface
    self.options = options
    self.writer = writer
    let pointers = [LLVMTypeRef](repeating: writer.pointerType, count: 6)
    let function = writer.declare("tfc_program_run", writer.functionType(writer.integerType(32), pointers))
    let entry = writer.beginDefinition(function)
    context = LLVMGetParam(function, 0)
    symbols = LLVMGetParam(function, 5)
    let most = program.kernels.map(\.buffers.count).max() ?? 0
    arguments = writer.allocate(writer.pointerType, count: max(1, most), alignment: 8, in: entry)
    scope = writer.symbolScope(program, at: symbols)
    var known: [Program.Place: LLVMValueRef] = [:]
    for buffer in program.buffers {
      let address = known[buffer.place] ?? address(of: buffer.place, function)
      known[buffer.place] = address
      addresses.append(address)
    }
  }

  private func address(of place: Program.Place, _ function: LLVMValueRef) -> LLVMValueRef {
    func parameter(_ position: UInt32) -> LLVMValueRef { LLVMGetParam(function, position) }
    let byte = writer.integerType(8)
    switch place {
    case .input(let position), .output(let position):
      let isInput = if case .input = place { true } else { false }
      let slot = writer.address(parameter(isInput ? 1 : 2), writer.pointerType, writer.index(position))
      return writer.load(writer.pointerType, slot, alignment: 8)
    case .arena(let offset): return writer.address(parameter(3), byte, writer.index(offset, scope))
    case .constant(let offset): return writer.address(parameter(4), byte, writer.index(offset))
    }
  }

  func copy(from source: BufferID, to destination: BufferID) {
    let byteCount = writer.index(program.buffers[source.index].type.byteCount, scope)
    LLVMBuildMemMove(writer.builder, addresses[destination.index], 1, addresses[source.index], 1, byteCount)
  }

  func read(_ buffer: BufferID, byteCount: Int) -> LLVMValueRef {
    writer.load(writer.integerType(8 * byteCount), addresses[buffer.index], alignment: byteCount)
  }

  func hasTiles(_ format: TileFormat) -> LLVMValueRef {
    let type = writer.functionType(writer.integerType(32), [])
    let answer = writer.call(writer.declare("tfc_has_\(format.rawValue)_tiles", type), type, [])
    return writer.compare(LLVMIntNE, answer, writer.integer(0, 32))
  }

  // MARK: Launches

  func launch(_ launch: Program.Launch, number: Int) {
    let number = writer.integer(number, 32)
    notify("tfc_profile_begin", number)
    emitTasks(launch)
    notify("tfc_profile_end", number)
  }

  private func notify(_ function: String, _ launch: LLVMValueRef) {
    guard options.profiles else { return }
    let type = writer.functionType(writer.voidType, [writer.pointerType, writer.integerType(32)])
    writer.call(writer.declare(function, type), type, [context, launch])
  }

  /// Runs the tasks here where they are few, and otherwise on threads, in chunks that are worth a thread's while.
  private func emitTasks(_ launch: Program.Launch) {
    let kernel = program.kernels[launch.kernel]
    let count = writer.index(kernel.taskCount, scope)
    if !interface.isParallel[launch.kernel] { return emitDirect(launch, count) }
    if kernel.taskCount.isFixed, let cost = kernel.taskCost.fixed {
      return emitParallel(launch, count, grain: writer.index(options.operationsPerThread / max(1, cost) + 1))
    }
    let cost = writer.index(kernel.taskCost, scope)
    let one = writer.index(1)
    let positive = writer.intrinsic("llvm.smax", [writer.indexType], [cost, one])
    let total = writer.binary(LLVMMul, count, positive)
    let limit = writer.index(options.operationsPerThread)
    let isLarge = writer.binary(
      LLVMAnd, writer.compare(LLVMIntSGE, total, limit), writer.compare(LLVMIntSGT, count, one))
    let (parallel, direct) = (writer.appendBlock("parallel"), writer.appendBlock("direct"))
    let end = writer.appendBlock("end")
    writer.jump(if: isLarge, parallel, else: direct)
    writer.move(to: parallel)
    let quotient = writer.binary(LLVMSDiv, limit, positive)
    emitParallel(launch, count, grain: writer.binary(LLVMAdd, quotient, one))
    writer.jump(to: end)
    writer.move(to: direct)
    emitDirect(launch, count)
    writer.jump(to: end)
    writer.move(to: end)
  }

  private func emitDirect(_ launch: Program.Launch, _ count: LLVMValueRef) {
    let type = interface.bodyType(launch.kernel, writer)
    let body = writer.declare(interface.bodyName(launch.kernel), type)
    let buffers = launch.buffers.map { addresses[$0.index] }
    writer.call(body, type, buffers + [symbols, writer.index(0), count])
  }

  private func emitParallel(_ launch: Program.Launch, _ count: LLVMValueRef, grain: LLVMValueRef) {
    for (position, buffer) in launch.buffers.enumerated() {
      let slot = writer.address(arguments, writer.pointerType, writer.index(position))
      writer.store(addresses[buffer.index], slot, alignment: 8)
    }
    let task = writer.declare(interface.taskName(launch.kernel), interface.taskType(writer))
    let pointer = writer.pointerType
    let type = writer.functionType(
      writer.voidType, [pointer, pointer, pointer, pointer, writer.indexType, writer.indexType])
    writer.call(writer.declare("tfc_parallel", type), type, [context, task, arguments, symbols, count, grain])
  }
}
