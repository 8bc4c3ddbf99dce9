import CLLVM
import Codegen
import IR

/// How a program's kernels are called; the same in all of the modules that the program is split into.
struct KernelInterface {
  let program: Program
  /// For each kernel and each of its parameters, whether no other parameter overlaps it in any launch.
  let isAlone: [[Bool]]
  /// For each kernel, whether a step of a loop launches it.
  let isInLoop: [Bool]
  /// For each kernel, whether a launch may be worth several threads.
  let isParallel: [Bool]
  /// For each kernel, the first one with the same code: that is the one which is compiled.
  private(set) var representatives: [Int]
  /// What the functions of each kernel are called, after `tfc_kernel_` and `tfc_task_`.
  private var names: [String]

  init(_ program: Program, _ options: LLVMCompiler.Options) {
    self.program = program
    isParallel = program.kernels.map { kernel in
      guard let tasks = kernel.taskCount.fixed else { return true }
      guard tasks > 1, let cost = kernel.taskCost.fixed else { return tasks > 1 }
      return tasks.multipliedReportingOverflow(by: max(1, cost)).partialValue >= options.operationsPerThread
    }
    let isAlone = program.overlappingParameters.map { $0.map(!) }
    var isInLoop = [Bool](repeating: false, count: program.kernels.count)
    program.forEachLaunch { launch, depth in
      if depth > 0 { isInLoop[launch.kernel] = true }
    }
    self.isAlone = isAlone
    self.isInLoop = isInLoop
    representatives = Self.firstEqual(
      program.kernels.indices.map { Code(program.kernels[$0], isAlone: isAlone[$0], isInLoop: isInLoop[$0]) })
    names = program.kernels.enumerated().map { "\($0)_\(Self.identifier($1))" }
  }

  /// All that a kernel's code depends on.
  private struct Code: Hashable {
    var kernel: Kernel
    var isAlone: [Bool]
    var isInLoop: Bool

    init(_ kernel: Kernel, isAlone: [Bool], isInLoop: Bool) {
      self.kernel = kernel
      self.kernel.name = ""
      self.kernel.sources = []
      self.isAlone = isAlone
      self.isInLoop = isInLoop
    }
  }

  /// For each element, the position of the first that equals it.
  private static func firstEqual(_ elements: [some Hashable]) -> [Int] {
    let first = Dictionary(elements.enumerated().map { ($1, $0) }) { first, _ in first }
    return elements.enumerated().map { first[$1] ?? $0 }
  }

  private static func identifier(_ kernel: Kernel) -> String {
    let isPlain: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return String(kernel.name.map { isPlain($0) ? $0 : "_" }.prefix(60))
  }

  /// The kernels that are compiled.
  var compiled: [Int] { representatives.indices.filter { representatives[$0] == $0 } }

  func bodyName(_ kernel: Int) -> String { "tfc_kernel_\(names[representatives[kernel]])" }
  func taskName(_ kernel: Int) -> String { "tfc_task_\(names[representatives[kernel]])" }

  /// The same with one name for all: what a kernel's code is does not depend on where in the program it stands.
  var withoutNames: KernelInterface {
    var copy = self
    copy.names = names.map { _ in "" }
    return copy
  }

  /// Gives kernels' functions new names; those that have one name become one.
  mutating func rename(_ newNames: [(kernel: Int, name: String)]) {
    for (kernel, name) in newNames { names[kernel] = name }
    let first = Self.firstEqual(names)
    representatives = representatives.map { first[$0] }
  }

  /// Whether the body is put into the loop that launches it.
  func isInlined(_ kernel: Int) -> Bool {
    // A function that may use tiles cannot be part of one that may not.
    isInLoop[kernel] && program.kernels[kernel].tileFormats.isEmpty && program.kernels[kernel].statementCount <= 150
  }

  /// The type of a kernel's body: its buffers, the symbols' values, the first task and the one after the last.
  func bodyType(_ kernel: Int, _ writer: CodeWriter) -> LLVMTypeRef {
    let buffers = program.kernels[kernel].buffers.map { _ in writer.pointerType }
    return writer.functionType(writer.voidType, buffers + [writer.pointerType, writer.indexType, writer.indexType])
  }

  func taskType(_ writer: CodeWriter) -> LLVMTypeRef {
    writer.functionType(
      writer.voidType, [writer.pointerType, writer.pointerType, writer.indexType, writer.indexType])
  }

  /// Writes the kernel's body and, where threads may run it, the task function that gets its buffers as an array.
  func define(_ kernel: Int, _ writer: CodeWriter) {
    let bodyType = bodyType(kernel, writer)
    let body = writer.declare(bodyName(kernel), bodyType)
    for (position, buffer) in program.kernels[kernel].buffers.enumerated() {
      if isAlone[kernel][position] { writer.addAttribute("noalias", to: body, parameter: position) }
      if !buffer.isWritten { writer.addAttribute("readonly", to: body, parameter: position) }
    }
    if isInlined(kernel) {
      writer.addAttribute("alwaysinline", to: body)
      LLVMSetVisibility(body, LLVMDefaultVisibility)
      LLVMSetLinkage(body, LLVMInternalLinkage)
    } else {
      writer.addAttribute("noinline", to: body)
    }
    let formats = program.kernels[kernel].tileFormats
    if !formats.isEmpty { writer.addTileFeatures(formats, to: body) }
    KernelEmitter.emit(program.kernels[kernel], symbols: program.symbols, as: body, writer)
    if isParallel[kernel] { defineTask(kernel, body, bodyType, writer) }
  }

  private func defineTask(_ kernel: Int, _ body: LLVMValueRef, _ bodyType: LLVMTypeRef, _ writer: CodeWriter) {
    let task = writer.declare(taskName(kernel), taskType(writer))
    writer.beginDefinition(task)
    let buffers: LLVMValueRef = LLVMGetParam(task, 0)
    var arguments: [LLVMValueRef] = program.kernels[kernel].buffers.indices.map { position in
      let address = writer.address(buffers, writer.pointerType, writer.index(position))
      return writer.load(writer.pointerType, address, alignment: 8)
    }
    for position in 1...3 { arguments.append(LLVMGetParam(task, UInt32(position))) }
    writer.call(body, bodyType, arguments)
    LLVMBuildRetVoid(writer.builder)
  }
}

/// Writes `tfc_program_run`: the order of launches.
struct ProgramEmitter {
  let program: Program
  let interface: KernelInterface
  let options: LLVMCompiler.Options
  let writer: CodeWriter
  private let entry: LLVMBasicBlockRef
  private let context: LLVMValueRef
  private let symbols: LLVMValueRef
  private var scope = IndexScope()
  private var addresses: [LLVMValueRef] = []
  /// Room for the pointers that one launch's tasks get.
  private let arguments: LLVMValueRef
  private var launchCount = 0

  static func emit(_ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter) {
    var emitter = ProgramEmitter(interface, options, writer)
    emitter.emit(interface.program.steps)
    LLVMBuildRet(writer.builder, writer.integer(0, 32))
  }

  private init(_ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter) {
    program = interface.program
    self.interface = interface
    self.options = options
    self.writer = writer
    let pointers = [LLVMTypeRef](repeating: writer.pointerType, count: 6)
    let function = writer.declare("tfc_program_run", writer.functionType(writer.integerType(32), pointers))
    entry = writer.beginDefinition(function)
    context = LLVMGetParam(function, 0)
    symbols = LLVMGetParam(function, 5)
    let most = program.kernels.map(\.buffers.count).max() ?? 0
    arguments = writer.allocate(writer.pointerType, count: max(1, most), alignment: 8, in: entry)
    for (position, symbol) in program.symbols.enumerated() {
      let address = writer.address(symbols, writer.indexType, writer.index(position))
      scope.symbols[symbol] = writer.load(writer.indexType, address, alignment: 8)
    }
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

  private mutating func emit(_ steps: [Program.Step]) {
    for step in steps {
      switch step {
      case .launch(let launch): emit(launch)
      case .copy(let source, let destination):
        let byteCount = writer.index(program.buffers[source.index].type.byteCount, scope)
        let (from, to) = (addresses[source.index], addresses[destination.index])
        LLVMBuildMemMove(writer.builder, to, 1, from, 1, byteCount)
      case .loop(let condition, let predicate, let body): emitLoop(condition, predicate, body)
      case .branch(let index, let branches): emitBranch(index, branches)
      case .choice(let condition, let then, let otherwise): emitChoice(condition, then, otherwise)
      }
    }
  }

  private mutating func emitChoice(_ condition: Program.Condition, _ then: [Program.Step], _ otherwise: [Program.Step])
  {
    let (first, second) = (writer.appendBlock("then"), writer.appendBlock("otherwise"))
    let end = writer.appendBlock("end")
    writer.jump(if: test(condition), first, else: second)
    for (block, steps) in [(first, then), (second, otherwise)] {
      writer.move(to: block)
      emit(steps)
      writer.jump(to: end)
    }
    writer.move(to: end)
  }

  private func test(_ condition: Program.Condition) -> LLVMValueRef {
    switch condition {
    case .hasTiles(let format):
      let type = writer.functionType(writer.integerType(32), [])
      let answer = writer.call(writer.declare("tfc_has_\(format.rawValue)_tiles", type), type, [])
      return writer.compare(LLVMIntNE, answer, writer.integer(0, 32))
    case .atLeast(let extent, let least):
      return writer.compare(LLVMIntSGE, writer.index(extent, scope), writer.index(least))
    case .holds(let buffer):
      let byte = writer.load(writer.integerType(8), addresses[buffer.index], alignment: 1)
      return writer.compare(LLVMIntNE, byte, writer.integer(0, 8))
    }
  }

  private mutating func emitLoop(_ condition: [Program.Step], _ predicate: BufferID, _ body: [Program.Step]) {
    let (header, first, after) = (writer.appendBlock("while"), writer.appendBlock("do"), writer.appendBlock("done"))
    writer.jump(to: header)
    writer.move(to: header)
    emit(condition)
    let holds = writer.load(writer.integerType(8), addresses[predicate.index], alignment: 1)
    writer.jump(if: writer.compare(LLVMIntNE, holds, writer.integer(0, 8)), first, else: after)
    writer.move(to: first)
    emit(body)
    writer.jump(to: header)
    writer.move(to: after)
  }

  private mutating func emitBranch(_ index: BufferID, _ branches: [[Program.Step]]) {
    guard let last = branches.indices.last else { return }
    let isPredicate = program.buffers[index.index].type.elementType == .i1
    let type = writer.integerType(isPredicate ? 8 : 32)
    let number = writer.load(type, addresses[index.index], alignment: isPredicate ? 1 : 4)
    let blocks = branches.map { _ in writer.appendBlock("branch") }
    let end = writer.appendBlock("end")
    if isPredicate {
      let isFalse = writer.compare(LLVMIntEQ, number, writer.integer(0, 8))
      writer.jump(if: isFalse, blocks[last], else: blocks[0])
    } else {
      let choice: LLVMValueRef = LLVMBuildSwitch(writer.builder, number, blocks[last], UInt32(last))
      for position in 0..<last { LLVMAddCase(choice, writer.integer(position, 32), blocks[position]) }
    }
    for (block, steps) in zip(blocks, branches) {
      writer.move(to: block)
      emit(steps)
      writer.jump(to: end)
    }
    writer.move(to: end)
  }

  // MARK: Launches

  private mutating func emit(_ launch: Program.Launch) {
    let number = writer.integer(launchCount, 32)
    launchCount += 1
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

extension Kernel {
  /// How many statements the kernel has in code, unrolled loops counted as often as they are repeated.
  var statementCount: Int { Self.statementCount(body) }

  private static func statementCount(_ statements: [Statement]) -> Int {
    var count = 0
    for statement in statements {
      switch statement {
      case .define, .store, .scatter, .prefetch, .tile, .barrier: count += 1
      case .branch(_, let then, let otherwise): count += 2 + statementCount(then) + statementCount(otherwise)
      case .loop(let loop):
        var times = 1
        if loop.kind == .unrolled, let lower = loop.lower.fixed, let upper = loop.upper.fixed {
          times = max(0, (upper - lower + loop.step - 1) / loop.step)
        }
        count += 3 + times * statementCount(loop.body)
      }
    }
    return count
  }
}
