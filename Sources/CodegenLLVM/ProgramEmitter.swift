import CLLVM
import Codegen
import IR

/// How the steps of a program that do something are written for one kind of machine.
protocol StepWriter {
  var writer: CodeWriter { get }
  /// The values of the program's symbols.
  var scope: IndexScope { get set }
  /// Where the values of the program's symbols are.
  var symbols: LLVMValueRef { get }

  /// `number` counts the program's launches.
  func launch(_ launch: Program.Launch, number: Int)
  /// The launches have this number and the next ones.
  func bands(_ bands: Program.Bands, number: Int)
  func copy(from source: BufferID, to destination: BufferID)
  /// The integer in a buffer of `byteCount` bytes, once all steps before are done.
  func read(_ buffer: BufferID, byteCount: Int) -> LLVMValueRef
  /// Whether the machine multiplies tiles, as i1.
  func hasTiles(_ format: TileFormat) -> LLVMValueRef
  /// Lists of steps, side by side where the machine can; `emit` writes one of them with a writer.
  func concurrent(_ lists: [[Program.Step]], _ emit: (Self, [Program.Step]) -> Void)
}

/// Writes the order of a program's steps; it is the same on every machine.
struct ProgramEmitter<Steps: StepWriter> {
  private let program: Program
  private var steps: Steps
  private let writer: CodeWriter
  private var launchCount = 0

  /// Writes all steps at the end of the current function, which returns 0.
  static func emit(_ program: Program, _ steps: Steps) {
    var emitter = ProgramEmitter(program: program, steps: steps, writer: steps.writer)
    emitter.emit(program.steps)
    LLVMBuildRet(steps.writer.builder, steps.writer.integer(0, 32))
  }

  private mutating func emit(_ list: [Program.Step]) {
    for step in list {
      switch step {
      case .launch(let launch):
        steps.launch(launch, number: launchCount)
        launchCount += 1
      case .copy(let source, let destination): steps.copy(from: source, to: destination)
      case .loop(let condition, let predicate, let body): emitLoop(condition, predicate, body)
      case .repetition(let count, let body): emitRepetition(count, body)
      case .roundsAhead(let ahead, let round, let predicate): emitRounds(ahead, round, predicate)
      case .branch(let index, let branches): emitBranch(index, branches)
      case .choice(let condition, let then, let otherwise): emitChoice(condition, then, otherwise)
      case .concurrent(let lists): emitConcurrent(lists)
      case .bands(let bands):
        steps.bands(bands, number: launchCount)
        launchCount += bands.launches.count
      case .size(let size): emitSize(size)
      }
    }
  }

  /// Reads the size, ends the program where it may not be, and hands it to what comes after.
  private mutating func emitSize(_ size: Program.Size) {
    let type = program.buffers[size.scalar.index].type.elementType
    let scalar = steps.read(size.scalar, byteCount: type.byteCount)
    let value =
      type.byteCount == 8
      ? scalar : writer.cast(type.kind == .signed ? LLVMSExt : LLVMZExt, scalar, to: writer.indexType)
    var holds = writer.binary(
      LLVMAnd, writer.compare(LLVMIntSGE, value, writer.index(size.least)),
      writer.compare(LLVMIntSLE, value, writer.index(size.most, steps.scope)))
    if !size.isDefinition {
      holds = writer.binary(LLVMAnd, holds, writer.compare(LLVMIntEQ, value, writer.index(size.extent, steps.scope)))
    }
    require(holds, size.check)
    if size.isDefinition, case .symbol(let symbol)? = size.extent.atom,
      let position = program.symbols.firstIndex(of: symbol)
    {
      writer.store(value, writer.address(steps.symbols, writer.indexType, writer.index(position)), alignment: 8)
      steps.scope.symbols[symbol] = value
    }
    for numbered in size.checks {
      let order = numbered.check.order
      var holds = writer.compare(
        LLVMIntSLE, writer.index(order.lesser, steps.scope), writer.index(order.greater, steps.scope))
      for exception in numbered.check.exceptions {
        let isEmpty = writer.compare(LLVMIntSLE, writer.index(exception, steps.scope), writer.index(0))
        holds = writer.binary(LLVMOr, holds, isEmpty)
      }
      require(holds, numbered.number)
    }
  }

  /// Ends the program with a check that has failed, unless the i1 says that it holds.
  private func require(_ holds: LLVMValueRef, _ check: Int) {
    let (after, refusal) = (writer.appendBlock("checked"), writer.appendBlock("refused"))
    writer.jump(if: holds, after, else: refusal)
    writer.move(to: refusal)
    LLVMBuildRet(writer.builder, writer.integer(Self.checkFailed + check, 32))
    writer.move(to: after)
  }

  /// `TFC_CHECK_FAILED` of the runtime.
  private static var checkFailed: Int { 100 }

  private mutating func emitConcurrent(_ lists: [[Program.Step]]) {
    let (program, writer) = (program, writer)
    var count = launchCount
    steps.concurrent(lists) { steps, list in
      var emitter = ProgramEmitter(program: program, steps: steps, writer: writer, launchCount: count)
      emitter.emit(list)
      count = emitter.launchCount
    }
    launchCount = count
  }

  private mutating func emitChoice(_ condition: Program.Condition, _ then: [Program.Step], _ otherwise: [Program.Step])
  {
    let (first, second) = (writer.appendBlock("then"), writer.appendBlock("otherwise"))
    let end = writer.appendBlock("end")
    writer.jump(if: test(condition), first, else: second)
    for (block, list) in [(first, then), (second, otherwise)] {
      writer.move(to: block)
      emit(list)
      writer.jump(to: end)
    }
    writer.move(to: end)
  }

  private func test(_ condition: Program.Condition) -> LLVMValueRef {
    switch condition {
    case .hasTiles(let format): steps.hasTiles(format)
    case .atLeast(let extent, let least):
      writer.compare(LLVMIntSGE, writer.index(extent, steps.scope), writer.index(least))
    case .holds(let buffer): isTrue(buffer)
    }
  }

  private func isTrue(_ predicate: BufferID) -> LLVMValueRef {
    writer.compare(LLVMIntNE, steps.read(predicate, byteCount: 1), writer.integer(0, 8))
  }

  private mutating func emitLoop(_ condition: [Program.Step], _ predicate: BufferID, _ body: [Program.Step]) {
    let (header, first, after) = (writer.appendBlock("while"), writer.appendBlock("do"), writer.appendBlock("done"))
    writer.jump(to: header)
    writer.move(to: header)
    emit(condition)
    writer.jump(if: isTrue(predicate), first, else: after)
    writer.move(to: first)
    emit(body)
    writer.jump(to: header)
    writer.move(to: after)
  }

  private mutating func emitRepetition(_ count: Extent, _ body: [Program.Step]) {
    let number = writer.index(count, steps.scope)
    if count.fixed.map({ $0 > 0 }) == true { return emitRepetition(number, body) }
    let (first, after) = (writer.appendBlock("some"), writer.appendBlock("none"))
    writer.jump(if: writer.compare(LLVMIntSGT, number, writer.index(0)), first, else: after)
    writer.move(to: first)
    emitRepetition(number, body)
    writer.jump(to: after)
    writer.move(to: after)
  }

  /// Runs the body at least once.
  private mutating func emitRepetition(_ count: LLVMValueRef, _ body: [Program.Step]) {
    let (before, first) = (writer.currentBlock, writer.appendBlock("repeat"))
    let after = writer.appendBlock("done")
    writer.jump(to: first)
    writer.move(to: first)
    let round = writer.phi(writer.indexType)
    writer.addIncoming(writer.index(0), from: before, to: round)
    emit(body)
    let next = writer.binary(LLVMAdd, round, writer.index(1))
    writer.addIncoming(next, from: writer.currentBlock, to: round)
    writer.jump(if: writer.compare(LLVMIntSLT, next, count), first, else: after)
    writer.move(to: after)
  }

  private mutating func emitRounds(_ ahead: Program.RoundsAhead, _ round: [Program.Step], _ predicate: BufferID) {
    let (before, first, after) = (writer.currentBlock, writer.appendBlock("ahead"), writer.appendBlock("over"))
    writer.jump(to: first)
    writer.move(to: first)
    let count = writer.phi(writer.indexType)
    writer.addIncoming(writer.index(ahead.first), from: before, to: count)
    emitRepetition(count, round)
    let grown = writer.binary(LLVMAdd, count, writer.index(ahead.growth))
    let most = writer.index(ahead.most)
    let next = writer.select(writer.compare(LLVMIntSLT, grown, most), grown, most)
    writer.addIncoming(next, from: writer.currentBlock, to: count)
    writer.jump(if: isTrue(predicate), first, else: after)
    writer.move(to: after)
  }

  private mutating func emitBranch(_ index: BufferID, _ branches: [[Program.Step]]) {
    guard let last = branches.indices.last else { return }
    let isPredicate = program.buffers[index.index].type.elementType == .i1
    let number = steps.read(index, byteCount: isPredicate ? 1 : 4)
    let blocks = branches.map { _ in writer.appendBlock("branch") }
    let end = writer.appendBlock("end")
    if isPredicate {
      let isFalse = writer.compare(LLVMIntEQ, number, writer.integer(0, 8))
      writer.jump(if: isFalse, blocks[last], else: blocks[0])
    } else {
      let choice: LLVMValueRef = LLVMBuildSwitch(writer.builder, number, blocks[last], UInt32(last))
      for position in 0..<last { LLVMAddCase(choice, writer.integer(position, 32), blocks[position]) }
    }
    for (block, list) in zip(blocks, branches) {
      writer.move(to: block)
      emit(list)
      writer.jump(to: end)
    }
    writer.move(to: end)
  }
}

extension CodeWriter {
  /// The values of a program's symbols, which stand one after the other from `address` on.
  func symbolScope(_ program: Program, at address: LLVMValueRef) -> IndexScope {
    var scope = IndexScope()
    for (position, symbol) in program.symbols.enumerated() {
      let slot = self.address(address, indexType, index(position))
      scope.symbols[symbol] = load(indexType, slot, alignment: 8)
    }
    return scope
  }
}
