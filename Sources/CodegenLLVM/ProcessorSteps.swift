import CLLVM
import Codegen
import IR

/// Writes `tfc_program_run`: kernels are functions, buffers are addresses. So are lists of steps that may run side by side,
/// which take what the program takes: a team of threads, inputs, outputs, arena, constants and the symbols' values.
struct ProcessorSteps: StepWriter {
  let writer: CodeWriter
  var scope: IndexScope
  let program: Program
  let interface: KernelInterface
  let options: LLVMCompiler.Options
  /// The parameters of the function that is being written.
  private let parameters: [LLVMValueRef]
  let entry: LLVMBasicBlockRef
  /// The addresses of buffers, for those that the function uses.
  private var addresses: [BufferID: LLVMValueRef] = [:]
  /// Room for the pointers that one launch's tasks get.
  private let arguments: LLVMValueRef

  static func emit(_ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter) {
    let type = writer.functionType(writer.integerType(32), parameterTypes(writer))
    let function = writer.declare("tfc_program_run", type)
    let buffers = interface.program.buffers.indices.map { BufferID($0) }
    ProgramEmitter.emit(interface.program, ProcessorSteps(interface, options, writer, function, buffers))
  }

  private static func parameterTypes(_ writer: CodeWriter) -> [LLVMTypeRef] {
    [LLVMTypeRef](repeating: writer.pointerType, count: 6)
  }

  /// Begins the definition of a function whose steps use these buffers.
  private init(
    _ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter, _ function: LLVMValueRef,
    _ buffers: some Sequence<BufferID>
  ) {
    program = interface.program
    self.interface = interface
    self.options = options
    self.writer = writer
    parameters = (0..<6).map { LLVMGetParam(function, UInt32($0)) }
    entry = writer.beginDefinition(function)
    let most = program.kernels.map(\.buffers.count).max() ?? 0
    arguments = writer.allocate(writer.pointerType, count: max(1, most), alignment: 8, in: entry)
    scope = writer.symbolScope(program, at: parameters[5])
    var known: [Program.Place: LLVMValueRef] = [:]
    for buffer in buffers {
      let place = program.buffers[buffer.index].place
      let address = known[place] ?? address(of: place)
      known[place] = address
      addresses[buffer] = address
    }
  }

  var team: LLVMValueRef { parameters[0] }
  var symbols: LLVMValueRef { parameters[5] }

  private func address(of place: Program.Place) -> LLVMValueRef {
    let byte = writer.integerType(8)
    switch place {
    case .input(let position), .output(let position):
      let isInput = if case .input = place { true } else { false }
      let slot = writer.address(parameters[isInput ? 1 : 2], writer.pointerType, writer.index(position))
      return writer.load(writer.pointerType, slot, alignment: 8)
    case .arena(let offset): return writer.address(parameters[3], byte, writer.index(offset, scope))
    case .constant(let offset): return writer.address(parameters[4], byte, writer.index(offset))
    }
  }

  func address(_ buffer: BufferID) -> LLVMValueRef {
    guard let address = addresses[buffer] else { preconditionFailure("the function does not know this buffer") }
    return address
  }

  func copy(from source: BufferID, to destination: BufferID) {
    let byteCount = writer.index(program.buffers[destination.index].type.byteCount, scope)
    LLVMBuildMemMove(writer.builder, address(destination), 1, address(source), 1, byteCount)
  }

  func read(_ buffer: BufferID, byteCount: Int) -> LLVMValueRef {
    writer.load(writer.integerType(8 * byteCount), address(buffer), alignment: byteCount)
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
    writer.call(writer.declare(function, type), type, [team, launch])
  }

  /// Runs the tasks here where they are few, and otherwise on threads, in chunks that are worth a thread's while.
  private func emitTasks(_ launch: Program.Launch) {
    let kernel = program.kernels[launch.kernel]
    let count = writer.index(kernel.taskCount, scope)
    if !interface.isParallel[launch.kernel] { return emitDirect(launch, count) }
    if kernel.taskCount.isFixed, let time = kernel.taskTime.fixed {
      return emitParallel(launch, count, grain: writer.index(options.timePerThread / max(1, time) + 1))
    }
    let time = writer.index(kernel.taskTime, scope)
    let one = writer.index(1)
    let positive = writer.intrinsic("llvm.smax", [writer.indexType], [time, one])
    let total = writer.binary(LLVMMul, count, positive)
    let limit = writer.index(options.timePerThread)
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
    let buffers = launch.buffers.map(address)
    writer.call(body, type, buffers + [symbols, writer.index(0), count])
  }

  private func emitParallel(_ launch: Program.Launch, _ count: LLVMValueRef, grain: LLVMValueRef) {
    writer.store(launch.buffers.map(address), in: arguments)
    let task = writer.declare(interface.taskName(launch.kernel), interface.taskType(writer))
    parallel(task, arguments, count, grain: grain)
  }

  /// Runs tasks 0 ..< count of a task function on the team.
  func parallel(
    _ task: LLVMValueRef, _ arguments: LLVMValueRef, _ count: LLVMValueRef, grain: LLVMValueRef
  ) {
    let pointer = writer.pointerType
    let type = writer.functionType(
      writer.voidType, [pointer, pointer, pointer, pointer, writer.indexType, writer.indexType])
    writer.call(writer.declare("tfc_parallel", type), type, [team, task, arguments, symbols, count, grain])
  }

  // MARK: Lists

  func concurrent(_ lists: [[Program.Step]], _ emit: (ProcessorSteps, [Program.Step]) -> Void) {
    let block = writer.currentBlock
    let functions = lists.map { define($0, emit) }
    writer.move(to: block)
    let table = writer.allocate(writer.pointerType, count: functions.count, alignment: 8, in: entry)
    writer.store(functions, in: table)
    let arguments = [team, table, writer.integer(functions.count, 32)] + parameters.dropFirst()
    let type = writer.functionType(writer.voidType, arguments.map { LLVMTypeOf($0) })
    writer.call(writer.declare("tfc_concurrent", type), type, arguments)
  }

  /// A function that runs the list.
  private func define(_ list: [Program.Step], _ emit: (ProcessorSteps, [Program.Step]) -> Void) -> LLVMValueRef {
    let type = writer.functionType(writer.voidType, Self.parameterTypes(writer))
    // LLVM gives it a number where the name is taken.
    let function: LLVMValueRef = LLVMAddFunction(writer.module, "tfc_list", type)
    LLVMSetLinkage(function, LLVMInternalLinkage)
    writer.addAttribute("nounwind", to: function)
    var buffers: Set<BufferID> = []
    for step in list { step.forEachAccess(in: program.kernels) { buffer, _ in buffers.insert(buffer) } }
    let inOrder = buffers.sorted { $0.index < $1.index }
    emit(ProcessorSteps(interface, options, writer, function, inOrder), list)
    LLVMBuildRetVoid(writer.builder)
    return function
  }
}

extension CodeWriter {
  /// Writes pointers, or integers of their size, one behind the other.
  func store(_ values: [LLVMValueRef], in array: LLVMValueRef) {
    for (position, value) in values.enumerated() {
      store(value, address(array, pointerType, index(position)), alignment: 8)
    }
  }
}
