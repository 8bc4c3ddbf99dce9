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
      guard tasks > 1, let time = kernel.taskTime.fixed else { return tasks > 1 }
      return tasks.multipliedReportingOverflow(by: max(1, time)).partialValue >= options.timePerThread
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

extension Kernel {
  /// How many statements the kernel has in code, unrolled loops counted as often as they are repeated.
  var statementCount: Int { Self.statementCount(body) }

  private static func statementCount(_ statements: [Statement]) -> Int {
    var count = 0
    for statement in statements {
      switch statement {
      case .define, .store, .scatter, .atomic, .prefetch, .tile, .barrier: count += 1
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
