import CLLVM
import Codegen
import IR

/// Writes one kernel as an LLVM function of its buffers, the symbols' values, and the tasks it runs.
struct KernelEmitter {
  let writer: CodeWriter
  let kernel: Kernel
  private let entry: LLVMBasicBlockRef
  private var buffers: [LLVMValueRef] = []
  private var scratch: [LLVMValueRef] = []
  private var scope = IndexScope()
  /// By register index.
  private var values: [Value?]
  /// The variables that stand for a register, by register index.
  private var variables: [[Int]]
  private var masked: (zeros: LLVMValueRef, waste: LLVMValueRef)?
  /// How each register was computed, if it was not carried by a loop.
  private var definitions: [Operation?]

  /// Defines `function`, whose parameters are the buffers, the symbols' values, and the first and the last-but-one task.
  static func emit(_ kernel: Kernel, symbols: [Symbol], as function: LLVMValueRef, _ writer: CodeWriter) {
    var emitter = KernelEmitter(kernel, symbols, function, writer)
    emitter.emitTasks(function)
  }

  private init(_ kernel: Kernel, _ symbols: [Symbol], _ function: LLVMValueRef, _ writer: CodeWriter) {
    self.writer = writer
    self.kernel = kernel
    entry = writer.beginDefinition(function)
    values = [Value?](repeating: nil, count: kernel.registerTypes.count)
    variables = [[Int]](repeating: [], count: kernel.registerTypes.count)
    definitions = [Operation?](repeating: nil, count: kernel.registerTypes.count)
    for (variable, register) in kernel.registerVariables { variables[register.index].append(variable) }
    for position in kernel.buffers.indices { buffers.append(LLVMGetParam(function, UInt32(position))) }
    for array in kernel.scratch {
      let parts = array.elementCount * (array.elementType.isComplex ? 2 : 1)
      let type = writer.memoryType(array.elementType)
      scratch.append(writer.allocate(type, count: parts, alignment: 64, in: entry))
    }
    let maskedByteCount = kernel.maskedByteCount
    if maskedByteCount > 0 {
      let type = writer.vector(writer.integerType(8), maskedByteCount)
      let zeros = writer.allocate(type, count: 1, alignment: 64, in: entry)
      let waste = writer.allocate(type, count: 1, alignment: 64, in: entry)
      writer.store(writer.zero(type), zeros, alignment: 64)
      masked = (zeros, waste)
    }
    let extents: LLVMValueRef = LLVMGetParam(function, UInt32(kernel.buffers.count))
    let used = kernel.usedSymbols
    for (position, symbol) in symbols.enumerated() where used.contains(symbol) {
      let address = writer.address(extents, writer.indexType, writer.index(position))
      scope.symbols[symbol] = writer.load(writer.indexType, address, alignment: 8)
    }
    scope.nonNegative.insert(Kernel.taskVariable)
  }

  private mutating func emitTasks(_ function: LLVMValueRef) {
    let begin: LLVMValueRef = LLVMGetParam(function, UInt32(kernel.buffers.count + 1))
    let end: LLVMValueRef = LLVMGetParam(function, UInt32(kernel.buffers.count + 2))
    let usesTiles = !kernel.tileFormats.isEmpty
    if usesTiles { writer.configureTiles(in: entry) }
    emitLoop(Kernel.taskVariable, from: begin, to: end, step: 1, carried: [], kernel.body)
    if usesTiles { writer.releaseTiles() }
    LLVMBuildRetVoid(writer.builder)
  }

  // MARK: Registers

  private func value(_ register: Register) -> Value {
    guard let value = values[register.index] else {
      preconditionFailure("register \(register.index) of \(kernel.name) is used before it is defined")
    }
    return value
  }

  private mutating func set(_ register: Register, _ value: Value) {
    precondition(
      value.type == kernel.type(of: register),
      "register \(register.index) of \(kernel.name) is \(kernel.type(of: register)), not \(value.type)")
    values[register.index] = value
    for variable in variables[register.index] { scope.variables[variable] = (value.part, value.lanes) }
  }

  private func place(_ memory: Memory) -> Place {
    let (base, element) =
      switch memory {
      case .buffer(let position): (buffers[position], kernel.buffers[position].elementType)
      case .scratch(let position): (scratch[position], kernel.scratch[position].elementType)
      case .shared: preconditionFailure("no items share memory on a CPU")
      }
    return Place(base: base, element: element, zeros: masked?.zeros ?? base, waste: masked?.waste ?? base)
  }

  /// A mask in as many lanes as the value has that it is for.
  private func mask(_ register: Register?, lanes: Int) -> LLVMValueRef? {
    register.map { register in
      let mask = value(register)
      return mask.lanes == lanes ? mask.part : writer.splat(mask.part, lanes)
    }
  }

  /// The mask of a load or a store of neighbouring elements, whose scalars decide where it goes.
  private func access(_ register: Register?) -> AccessMask? {
    guard let register else { return nil }
    return AccessMask(condition: condition(of: register), lanes: varyingPart(of: register))
  }

  /// What differs from lane to lane of the mask, where its condition holds; nil where nothing does.
  ///
  /// The condition decides where an access goes, so that the lanes need not repeat it. (LLVM 19, which splits vectors of 16 f32
  /// for AVX2, reads the upper half without a mask where it is that of all lanes and of a constant without any.)
  private func varyingPart(of mask: Register) -> LLVMValueRef? {
    if value(mask).lanes == 1 { return nil }
    switch definitions[mask.index] {
    case .broadcast: return nil
    case .apply(.and, let operands):
      let parts = operands.compactMap(varyingPart)
      return parts.dropFirst().reduce(parts.first) { all, next in all.map { writer.binary(LLVMAnd, $0, next) } }
    default: return value(mask).part
    }
  }

  /// What is the same for all lanes and holds wherever one of the mask does; nil where nothing is known.
  private func condition(of mask: Register) -> LLVMValueRef? {
    if value(mask).lanes == 1 { return value(mask).part }
    switch definitions[mask.index] {
    case .broadcast(let scalar): return condition(of: scalar)
    case .apply(.and, let operands):
      let scalars = operands.compactMap(condition)
      return scalars.dropFirst().reduce(scalars.first) { all, next in all.map { writer.binary(LLVMAnd, $0, next) } }
    default: return nil
    }
  }

  // MARK: Statements

  private mutating func emit(_ statements: [Statement]) {
    for statement in statements { emit(statement) }
  }

  private mutating func emit(_ statement: Statement) {
    switch statement {
    case .define(let register, let operation):
      set(register, evaluate(operation, kernel.type(of: register)))
      definitions[register.index] = operation
    case .store(let register, let memory, let position, let mask):
      let stored = value(register)
      let position = writer.index(position, scope)
      writer.store(stored, place(memory), at: position, mask: access(mask))
    case .scatter(let register, let memory, let positions, let mask):
      let stored = value(register)
      let positions = value(positions).part
      writer.scatter(stored, place(memory), at: positions, mask: self.mask(mask, lanes: stored.lanes))
    case .prefetch(let memory, let position, let level):
      writer.prefetch(place(memory), at: writer.index(position, scope), into: level)
    case .loop(let loop):
      switch loop.kind {
      case .unrolled: emitUnrolled(loop)
      case .serial:
        let (lower, upper) = (writer.index(loop.lower, scope), writer.index(loop.upper, scope))
        if scope.isNonNegative(loop.lower) { scope.nonNegative.insert(loop.variable) }
        emitLoop(loop.variable, from: lower, to: upper, step: loop.step, carried: loop.carried, loop.body)
      }
    case .branch(let condition, let then, let otherwise): emitBranch(value(condition).part, then, otherwise)
    case .tile(let operation): emit(operation)
    case .barrier, .atomic: preconditionFailure("a task has one item on a CPU")
    }
  }

  private mutating func emitUnrolled(_ loop: Loop) {
    guard let lower = loop.lower.fixed, let upper = loop.upper.fixed else {
      preconditionFailure("an unrolled loop of \(kernel.name) has bounds \(loop.lower) and \(loop.upper)")
    }
    var carried = loop.carried.map { value($0.initial) }
    if lower >= 0 { scope.nonNegative.insert(loop.variable) }
    for position in stride(from: lower, to: upper, by: loop.step) {
      scope.variables[loop.variable] = (writer.index(position), 1)
      for (handed, value) in zip(loop.carried, carried) { set(handed.current, value) }
      emit(loop.body)
      carried = loop.carried.map { value($0.next) }
    }
    for (handed, value) in zip(loop.carried, carried) { set(handed.result, value) }
  }

  private mutating func emitLoop(
    _ variable: Int, from lower: LLVMValueRef, to upper: LLVMValueRef, step: Int, carried: [Loop.Carried],
    _ body: [Statement]
  ) {
    let writer = writer
    let (before, header) = (writer.currentBlock, writer.appendBlock("loop"))
    let (first, after) = (writer.appendBlock("body"), writer.appendBlock("after"))
    writer.jump(to: header)
    writer.move(to: header)
    let counter = writer.phi(writer.indexType)
    writer.addIncoming(lower, from: before, to: counter)
    let current = carried.map { handed in
      let initial = value(handed.initial)
      let value = initial.mapParts(initial.type) { part in
        let phi = writer.phi(LLVMTypeOf(part))
        writer.addIncoming(part, from: before, to: phi)
        return phi
      }
      return value
    }
    writer.jump(if: writer.compare(LLVMIntSLT, counter, upper), first, else: after)

    writer.move(to: first)
    scope.variables[variable] = (counter, 1)
    for (handed, value) in zip(carried, current) { set(handed.current, value) }
    emit(body)
    let next = writer.binary(LLVMAdd, counter, writer.index(step))
    LLVMSetNSW(next, 1)
    let last = writer.currentBlock
    writer.addIncoming(next, from: last, to: counter)
    for (handed, phi) in zip(carried, current) {
      let next = value(handed.next)
      writer.addIncoming(next.part, from: last, to: phi.part)
      if let part = next.imaginary, let imaginary = phi.imaginary {
        writer.addIncoming(part, from: last, to: imaginary)
      }
    }
    writer.jump(to: header)
    // A task is large; and all of it is in the loop over tasks.
    if variable == Kernel.taskVariable { writer.forbidUnrolling() }
    writer.move(to: after)
    for (handed, value) in zip(carried, current) { set(handed.result, value) }
  }

  private mutating func emitBranch(_ condition: LLVMValueRef, _ then: [Statement], _ otherwise: [Statement]) {
    let (first, second) = (writer.appendBlock("then"), writer.appendBlock("else"))
    let end = writer.appendBlock("end")
    writer.jump(if: condition, first, else: second)
    for (block, statements) in [(first, then), (second, otherwise)] {
      writer.move(to: block)
      emit(statements)
      writer.jump(to: end)
    }
    writer.move(to: end)
  }

  private func emit(_ operation: TileOperation) {
    switch operation {
    case .zero(let tile): writer.zero(tile)
    case .load(let tile, let memory, let position, let stride):
      writer.load(tile, place(memory), at: writer.index(position, scope), stride: writer.index(stride, scope))
    case .store(let tile, let memory, let position, let stride):
      writer.store(tile, place(memory), at: writer.index(position, scope), stride: writer.index(stride, scope))
    case .multiplyAdd(let format, let sum, let a, let b): writer.multiplyAdd(format, sum, a, b)
    }
  }

  // MARK: Operations

  private func evaluate(_ operation: Operation, _ type: RegisterType) -> Value {
    switch operation {
    case .constant(let scalar): return writer.constant(scalar, type)
    case .apply(let function, let operands): return writer.apply(function, operands.map(value), type)
    case .multiplyAdd(let a, let b, let c): return writer.multiplyAdd(value(a), value(b), value(c))
    case .load(let memory, let position, let mask):
      let position = writer.index(position, scope)
      return writer.load(place(memory), at: position, lanes: type.lanes, mask: access(mask))
    case .gather(let memory, let positions, let mask):
      return writer.gather(
        place(memory), at: value(positions).part, lanes: type.lanes, mask: self.mask(mask, lanes: type.lanes))
    case .index(let expression):
      let (part, lanes) = writer.index(expression, scope, lanes: type.lanes)
      return Value(type, lanes == type.lanes ? part : writer.splat(part, type.lanes))
    case .broadcast(let register):
      return value(register).mapParts(type) { writer.splat($0, type.lanes) }
    case .extract(let register, let lane):
      return value(register).mapParts(type) { value(register).lanes == 1 ? $0 : writer.extract($0, lane) }
    case .fold(let function, let register): return writer.fold(function, value(register))
    case .shuffle(let a, let b, let positions): return writer.shuffle(value(a), value(b), positions)
    case .timesPowerOfTwo(let a, let n): return writer.timesPowerOfTwo(value(a), value(n))
    case .lookup(let table, let index): return writer.lookup(table, value(index), type)
    // A task has one item.
    case .foldItems(_, let register), .exchange(let register, _): return value(register)
    case .words(let register):
      return value(register).mapParts(type) { writer.cast(LLVMBitCast, $0, to: writer.partType(type)) }
    case .upperHalves(let a, let b): return writer.upperHalves(value(a), value(b), type)
    case .byteProducts(let pair, let a, let b, let c):
      return writer.byteProducts(pair, value(a), value(b), value(c))
    case .shortProducts(let a, let b, let c): return writer.shortProducts(value(a), value(b), value(c))
    case .bfloatProducts(let a, let b, let c): return writer.bfloatProducts(value(a), value(b), value(c))
    case .fragmentProduct: preconditionFailure("items multiply fragments where there are some")
    }
  }
}

extension CodeWriter {
  /// All lanes combined: the first half with the second, the first half of the result with its second half, and so on.
  ///
  /// An odd lane out is kept for the next round, so that the order depends on the number of lanes only.
  func fold(_ function: ScalarFunction, _ value: Value) -> Value {
    if value.element == .i1, value.lanes > 1, case .or = function {
      return Value(RegisterType(.i1), intrinsic("llvm.vector.reduce.or", [LLVMTypeOf(value.part)], [value.part]))
    }
    var value = value
    while value.lanes > 1 {
      let pairs = value.lanes / 2
      let kept = value.lanes - pairs
      let low = lanes(of: value, from: 0, count: pairs)
      let high = lanes(of: value, from: kept, count: pairs)
      let combined = apply(function, [low, high], low.type)
      guard kept > pairs else {
        value = combined
        continue
      }
      let rest = lanes(of: value, from: pairs, count: 1)
      value = combined.mapParts(RegisterType(value.element, lanes: kept)) { splatOrPad($0, to: kept) }
      value = replacing(lane: pairs, of: value, with: rest)
    }
    return value
  }

  private func splatOrPad(_ part: LLVMValueRef, to lanes: Int) -> LLVMValueRef {
    guard LLVMGetTypeKind(LLVMTypeOf(part)) == LLVMVectorTypeKind else { return splat(part, lanes) }
    return shuffle(part, part, (0..<lanes).map { min($0, lanes - 2) })
  }

  private func replacing(lane: Int, of value: Value, with scalar: Value) -> Value {
    let part = insert(scalar.part, value.part, lane)
    guard let imaginary = value.imaginary, let replacement = scalar.imaginary else { return Value(value.type, part) }
    return Value(value.type, part, imaginary: insert(replacement, imaginary, lane))
  }

  private func lanes(of value: Value, from first: Int, count: Int) -> Value {
    let type = RegisterType(value.element, lanes: count)
    return value.mapParts(type) { part in
      count == 1 ? extract(part, first) : shuffle(part, part, Array(first..<first + count))
    }
  }

  /// Lanes of `a` followed by those of `b`, picked by position.
  func shuffle(_ a: Value, _ b: Value, _ positions: [Int]) -> Value {
    let type = RegisterType(a.element, lanes: positions.count)
    func picked(_ x: LLVMValueRef, _ y: LLVMValueRef) -> LLVMValueRef {
      if a.lanes == 1 {
        let pair = insert(y, splat(x, 2), 1)
        return positions.count == 1 ? extract(pair, positions[0]) : shuffle(pair, pair, positions)
      }
      if positions.count > 1 { return shuffle(x, y, positions) }
      return positions[0] < a.lanes ? extract(x, positions[0]) : extract(y, positions[0] - a.lanes)
    }
    let part = picked(a.part, b.part)
    guard let first = a.imaginary, let second = b.imaginary else { return Value(type, part) }
    return Value(type, part, imaginary: picked(first, second))
  }
}

extension Kernel {
  /// Bytes of the longest load or store that has a mask, whose elements count 8 each at least; 0 where none has one.
  fileprivate var maskedByteCount: Int { maskedByteCount(body) }

  private func maskedByteCount(_ statements: [Statement]) -> Int {
    statements.reduce(0) { max($0, maskedByteCount($1)) }
  }

  private func maskedByteCount(_ statement: Statement) -> Int {
    switch statement {
    case .define(let register, .load(_, _, let mask)): mask == nil ? 0 : byteCount(of: register)
    case .define(let register, .gather(_, _, let mask)): mask == nil ? 0 : byteCount(of: register)
    case .store(let register, _, _, let mask), .scatter(let register, _, _, let mask):
      mask == nil ? 0 : byteCount(of: register)
    case .define, .atomic, .prefetch, .tile, .barrier: 0
    case .loop(let loop): maskedByteCount(loop.body)
    case .branch(_, let then, let otherwise): max(maskedByteCount(then), maskedByteCount(otherwise))
    }
  }

  private func byteCount(of register: Register) -> Int {
    let type = type(of: register)
    return type.lanes * max(8, type.element.byteCount)
  }
}
