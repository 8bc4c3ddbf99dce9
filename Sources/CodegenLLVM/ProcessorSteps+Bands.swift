import CLLVM
import Codegen
import IR

/// Writes launches in bands: a function that runs a thread's share of the last kernel's tasks, and what belongs to them.
extension ProcessorSteps {
  func bands(_ bands: Program.Bands, number: Int) {
    let block = writer.currentBlock
    let function = BandFunction(bands, interface, options, writer).function
    writer.move(to: block)
    let pointers = bands.launches.flatMap(\.buffers).map(address)
    let arguments = writer.allocate(writer.pointerType, count: pointers.count + 1, alignment: 8, in: entry)
    writer.store(pointers, in: arguments)
    let times = profiled(bands, number, at: writer.address(arguments, writer.pointerType, writer.index(pointers.count)))
    let count = writer.index(program.kernels[bands.lastLaunch.kernel].taskCount, scope)
    let grain = max(bands.tasksPerRoom, options.timePerThread / max(1, bands.taskTime) + 1)
    parallel(function, arguments, count, grain: writer.index(grain))
    times?()
  }

  /// Room for what the launches take, whose address goes to `slot`; what is returned writes how the time is shared out. Nil
  /// without profiling.
  private func profiled(_ bands: Program.Bands, _ number: Int, at slot: LLVMValueRef) -> (() -> Void)? {
    guard options.profiles else { return nil }
    let count = bands.launches.count
    let times = writer.allocate(writer.indexType, count: count, alignment: 8, in: entry)
    writer.store([LLVMValueRef](repeating: writer.index(0), count: count), in: times)
    writer.store(times, slot, alignment: 8)
    let begin = writer.now()
    return {
      let arguments = [team, writer.integer(number, 32), writer.integer(count, 32), times, begin]
      let type = writer.functionType(writer.voidType, arguments.map { LLVMTypeOf($0) })
      writer.call(writer.declare("tfc_profile_bands", type), type, arguments)
    }
  }
}

extension CodeWriter {
  /// The time, in nanoseconds.
  fileprivate func now() -> LLVMValueRef {
    let type = functionType(indexType, [])
    return call(declare("tfc_now", type), type, [])
  }
}

/// The function that `tfc_parallel` calls for a run of tasks.
private struct BandFunction {
  let function: LLVMValueRef

  private let bands: Program.Bands
  private let interface: KernelInterface
  private let writer: CodeWriter
  private let profiles: Bool
  private let symbols: LLVMValueRef
  private var scope: IndexScope
  /// By launch, the addresses of its buffers.
  private var buffers: [[LLVMValueRef]] = []
  /// By link, where the run's room is.
  private var rooms: [LLVMValueRef] = []
  /// Where the times of launches are added up.
  private let times: LLVMValueRef

  /// The numbers of variables for the tasks that need something, the first and the one after the last.
  private static let (first, end) = (1, 2)

  /// What one band leaves to the next, for a link.
  private struct State {
    /// The task that comes after those that were run.
    var done: LLVMValueRef
    /// The element that the room begins with, and the one behind the last that was written.
    var origin: LLVMValueRef
    var written: LLVMValueRef
  }

  /// What is to be run for a link: tasks of the launch before it.
  private struct Part {
    var first: LLVMValueRef
    var end: LLVMValueRef
    var state: State
  }

  init(
    _ bands: Program.Bands, _ interface: KernelInterface, _ options: LLVMCompiler.Options, _ writer: CodeWriter
  ) {
    (self.bands, self.interface, self.writer, profiles) = (bands, interface, writer, options.profiles)
    // LLVM gives it a number where the name is taken.
    function = LLVMAddFunction(writer.module, "tfc_bands", interface.taskType(writer))
    LLVMSetLinkage(function, LLVMInternalLinkage)
    writer.addAttribute("nounwind", to: function)
    writer.beginDefinition(function)
    let arguments: LLVMValueRef = LLVMGetParam(function, 0)
    symbols = LLVMGetParam(function, 1)
    scope = writer.symbolScope(interface.program, at: symbols)
    let pointers = (0...bands.launches.flatMap(\.buffers).count).map { position in
      writer.load(
        writer.pointerType, writer.address(arguments, writer.pointerType, writer.index(position)), alignment: 8)
    }
    times = pointers[pointers.count - 1]
    var position = 0
    for launch in bands.launches {
      buffers.append(Array(pointers[position..<position + launch.buffers.count]))
      position += launch.buffers.count
    }
    let (begin, end): (LLVMValueRef, LLVMValueRef) = (LLVMGetParam(function, 2), LLVMGetParam(function, 3))
    // Runs are no shorter than what a room is for, so that each has at least one.
    let tasksPerRoom = writer.index(bands.tasksPerRoom)
    let firstRoom = writer.binary(LLVMSDiv, begin, tasksPerRoom)
    for (number, link) in bands.links.enumerated() {
      let offset = writer.binary(LLVMMul, firstRoom, writer.index(link.elementCount * link.elementByteCount))
      rooms.append(writer.address(self.rooms(of: link, after: number), writer.integerType(8), offset))
    }
    let count = writer.binary(LLVMSub, writer.binary(LLVMSDiv, end, tasksPerRoom), firstRoom)
    emitLoop(from: begin, to: end, tasksPerBand(begin, end, rooms: larger(writer.index(1), count)))
    LLVMBuildRetVoid(writer.builder)
  }

  /// So many bands as there must be, all equally long.
  private func tasksPerBand(_ begin: LLVMValueRef, _ end: LLVMValueRef, rooms: LLVMValueRef) -> LLVMValueRef {
    let used = smaller(rooms, writer.index(bands.roomsPerBand))
    let most = writer.binary(LLVMMul, used, writer.index(bands.tasksPerRoom))
    func quotientUp(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
      writer.binary(LLVMSDiv, writer.binary(LLVMAdd, a, writer.binary(LLVMSub, b, writer.index(1))), b)
    }
    let taskCount = larger(writer.binary(LLVMSub, end, begin), writer.index(1))
    return quotientUp(taskCount, quotientUp(taskCount, most))
  }

  private func rooms(of link: Program.Bands.Link, after number: Int) -> LLVMValueRef {
    guard let position = bands.launches[number].buffers.firstIndex(of: link.buffer) else {
      preconditionFailure("a link is what a launch writes")
    }
    return buffers[number][position]
  }

  private mutating func emitLoop(from begin: LLVMValueRef, to end: LLVMValueRef, _ tasksPerBand: LLVMValueRef) {
    let (before, header) = (writer.currentBlock, writer.appendBlock("bands"))
    let (body, after) = (writer.appendBlock("band"), writer.appendBlock("done"))
    writer.jump(to: header)
    writer.move(to: header)
    func carried(_ initial: Int) -> LLVMValueRef {
      let phi = writer.phi(writer.indexType)
      writer.addIncoming(writer.index(initial), from: before, to: phi)
      return phi
    }
    let task = writer.phi(writer.indexType)
    writer.addIncoming(begin, from: before, to: task)
    // Nothing has been written, as far as any band's room begins.
    let states = bands.links.map { _ in State(done: carried(0), origin: carried(0), written: carried(-1 << 60)) }
    writer.jump(if: writer.compare(LLVMIntSLT, task, end), body, else: after)
    writer.move(to: body)
    let next = writer.binary(LLVMAdd, task, tasksPerBand)
    let parts = self.parts(from: task, to: smaller(next, end), states)
    for (number, part) in parts.enumerated() { keep(number, states[number], part.state) }
    for (number, part) in parts.enumerated() { emit(number, from: part.first, to: part.end, parts) }
    emit(parts.count, from: task, to: smaller(next, end), parts)
    let last = writer.currentBlock
    writer.addIncoming(next, from: last, to: task)
    for (state, part) in zip(states, parts) {
      writer.addIncoming(part.state.done, from: last, to: state.done)
      writer.addIncoming(part.state.origin, from: last, to: state.origin)
      writer.addIncoming(part.state.written, from: last, to: state.written)
    }
    writer.jump(to: header)
    writer.move(to: after)
  }

  /// What a band of the last launch's tasks needs of the others.
  private mutating func parts(
    from first: LLVMValueRef, to end: LLVMValueRef, _ states: [State]
  ) -> [Part] {
    var parts: [Part] = []
    var (first, end) = (first, end)
    for (number, link) in bands.links.enumerated().reversed() {
      let (a, b) = (IntegerExpression.variable(Self.first), IntegerExpression.variable(Self.end))
      scope.variables[Self.first] = (first, 1)
      scope.variables[Self.end] = (end, 1)
      let needed = link.tasks(neededBy: a, b)
      let done = states[number].done
      let count = writer.index(interface.program.kernels[bands.launches[number].kernel].taskCount, scope)
      let oldest = larger(writer.index(needed.first, scope), writer.index(0))
      first = larger(oldest, done)
      end = larger(smaller(writer.index(needed.end, scope), count), first)
      scope.variables[Self.first] = (oldest, 1)
      scope.variables[Self.end] = (end, 1)
      let origin = writer.index(link.origin(writtenFrom: a), scope)
      let written = larger(writer.index(link.written.end(before: b), scope), states[number].written)
      parts.append(Part(first: first, end: end, state: State(done: end, origin: origin, written: written)))
    }
    return parts.reversed()
  }

  /// Brings what the band before left to where it is in this one.
  private func keep(_ number: Int, _ old: State, _ new: State) {
    let size = writer.index(bands.links[number].elementByteCount)
    func byteCount(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
      writer.binary(LLVMMul, larger(writer.binary(LLVMSub, a, b), writer.index(0)), size)
    }
    let kept = writer.address(rooms[number], writer.integerType(8), byteCount(new.origin, old.origin))
    LLVMBuildMemMove(writer.builder, rooms[number], 1, kept, 1, byteCount(old.written, new.origin))
  }

  /// Runs tasks of a launch. Its links' buffers are given to it as if all of them were there.
  private func emit(_ number: Int, from first: LLVMValueRef, to end: LLVMValueRef, _ parts: [Part]) {
    let launch = bands.launches[number]
    let type = interface.bodyType(launch.kernel, writer)
    let body = writer.declare(interface.bodyName(launch.kernel), type)
    let addresses = launch.buffers.enumerated().map { position, buffer in
      guard let link = bands.links.firstIndex(where: { $0.buffer == buffer }) else { return buffers[number][position] }
      let byteCount = writer.index(bands.links[link].elementByteCount)
      let offset = writer.binary(LLVMMul, parts[link].state.origin, byteCount)
      return writer.addressOutside(rooms[link], writer.binary(LLVMSub, writer.index(0), offset))
    }
    let begin = profiles ? writer.now() : nil
    writer.call(body, type, addresses + [symbols, first, end])
    guard let begin else { return }
    let time = writer.address(times, writer.indexType, writer.index(number))
    let noteType = writer.functionType(writer.voidType, [writer.pointerType, writer.indexType])
    writer.call(writer.declare("tfc_profile_add", noteType), noteType, [time, begin])
  }

  private func smaller(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    writer.intrinsic("llvm.smin", [writer.indexType], [a, b])
  }

  private func larger(_ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    writer.intrinsic("llvm.smax", [writer.indexType], [a, b])
  }
}
