public import IR

/// Writes a kernel statement by statement.
///
/// The functions that append operations fold what is constant and widen scalars to vectors where operands differ.
public struct KernelBuilder: Sendable {
  private var registerTypes: [RegisterType] = []
  private var registerVariables: [Int: Register] = [:]
  private var constants: [Register: Scalar] = [:]
  private var blocks: [[Statement]] = [[]]
  private var nextVariable = Kernel.taskVariable + 1
  private var scratch: [Kernel.Scratch] = []
  private var shared: [Kernel.Scratch] = []
  /// The arrays through which subgroups combine values, and which of two is next for each type.
  var foldArrays: [FoldArray: Memory] = [:]
  var foldTurns: [ElementType: Int] = [:]
  /// Exclusive upper bounds of variables that are never negative; they simplify quotients.
  public private(set) var bounds: [Int: IntegerExpression] = [:]
  public private(set) var buffers: [Kernel.Buffer] = []
  /// What was compared with limits.
  private(set) var conditions: [(value: IntegerExpression, limit: IntegerExpression)] = []
  public let target: Target
  /// Whether vectors over one number are multiplied by its reciprocal: where there are enough of them to pay for that.
  var usesReciprocals = true

  public init(target: Target) { self.target = target }

  public func type(of register: Register) -> RegisterType { registerTypes[register.index] }
  public func lanes(of register: Register) -> Int { registerTypes[register.index].lanes }

  /// How deep the statement list being written lies in loops and branches.
  public var depth: Int { blocks.count }

  /// The items that run a task together; to be set before the body is written.
  public var itemCount = 1 {
    didSet { bounds[Kernel.itemVariable] = IntegerExpression(itemCount) }
  }

  /// The kernel of everything written so far.
  public func kernel(name: String, sources: [String], taskCount: Extent, taskCost: Extent) -> Kernel {
    precondition(blocks.count == 1, "a kernel is taken when all loops are closed")
    return Kernel(
      name: name, sources: sources, buffers: buffers, scratch: scratch, shared: shared, taskCount: taskCount,
      itemCount: itemCount, subgroupItemCount: exchangingItemCount ?? 1, body: blocks[0], registerTypes: registerTypes,
      registerVariables: registerVariables,
      taskCost: taskCost)
  }

  // MARK: Memory

  public mutating func addBuffer(_ name: String, _ type: ElementType, isWritten: Bool) -> Memory {
    buffers.append(Kernel.Buffer(name: name, elementType: type, isWritten: isWritten))
    return .buffer(buffers.count - 1)
  }

  public mutating func addScratch(_ type: ElementType, count: Int) -> Memory {
    scratch.append(Kernel.Scratch(elementType: type, elementCount: count))
    return .scratch(scratch.count - 1)
  }

  /// An array that all items of a task share.
  public mutating func addShared(_ type: ElementType, count: Int) -> Memory {
    shared.append(Kernel.Scratch(elementType: type, elementCount: count))
    return .shared(shared.count - 1)
  }

  public func elementType(of memory: Memory) -> ElementType {
    switch memory {
    case .buffer(let index): buffers[index].elementType
    case .scratch(let index): scratch[index].elementType
    case .shared(let index): shared[index].elementType
    }
  }

  // MARK: Registers and variables

  public mutating func define(_ type: RegisterType, _ operation: Operation) -> Register {
    let register = newRegister(type)
    blocks[blocks.count - 1].append(.define(register, operation))
    return register
  }

  private mutating func newRegister(_ type: RegisterType) -> Register {
    registerTypes.append(type)
    return Register(registerTypes.count - 1)
  }

  /// A fresh variable; with `bound`, one whose value is at least 0 and less than `bound`.
  public mutating func newVariable(bound: IntegerExpression? = nil) -> Int {
    nextVariable += 1
    bounds[nextVariable - 1] = bound
    return nextVariable - 1
  }

  public mutating func setBound(_ bound: IntegerExpression?, ofVariable variable: Int) { bounds[variable] = bound }

  /// An index expression that is the value of an integer register.
  public mutating func index(of register: Register, bound: IntegerExpression? = nil) -> IntegerExpression {
    // What is beyond i64 is beyond every extent.
    let isBeyond = type(of: register).element == .ui64
    let reach = isBeyond ? apply(.minimum, [register, constant(.integer(.max), .ui64)]) : register
    let wide = convert(reach, to: .i64)
    if let constant = constants[wide] { return IntegerExpression(Int(constant.integerValue)) }
    let variable = newVariable(bound: bound)
    registerVariables[variable] = wide
    return .variable(variable)
  }

  /// Whether the expression's value differs between lanes.
  public func variesByLane(_ expression: IntegerExpression) -> Bool {
    var varies = false
    expression.visitAtoms { atom in
      guard case .variable(let variable) = atom else { return }
      if variable == -1 { varies = true }
      if let register = registerVariables[variable], lanes(of: register) > 1 { varies = true }
    }
    return varies
  }

  public func bound(of atom: IntegerExpression.Atom) -> IntegerExpression? {
    guard case .variable(let variable) = atom else { return nil }
    return bounds[variable]
  }

  // MARK: Operations

  /// The value as a register of `type`'s element type, in all its lanes.
  public mutating func constant(_ value: Scalar, _ type: ElementType, lanes: Int = 1) -> Register {
    let register = define(RegisterType(type, lanes: lanes), .constant(value))
    constants[register] = value
    return register
  }

  public mutating func constant(_ value: Double, _ type: ElementType, lanes: Int = 1) -> Register {
    constant(Scalar(value, type), type, lanes: lanes)
  }

  public func constantValue(of register: Register) -> Scalar? { constants[register] }

  /// The scalar in `lanes` lanes; the register itself where it has them.
  public mutating func widen(_ register: Register, to lanes: Int) -> Register {
    let type = type(of: register)
    if type.lanes == lanes { return register }
    precondition(type.lanes == 1, "only a scalar can be widened")
    if let value = constants[register] { return constant(value, type.element, lanes: lanes) }
    return define(RegisterType(type.element, lanes: lanes), .broadcast(register))
  }

  public mutating func convert(_ register: Register, to element: ElementType) -> Register {
    let type = type(of: register)
    if type.element == element { return register }
    if let value = constants[register] {
      return constant(value.converted(from: type.element, to: element), element, lanes: type.lanes)
    }
    return define(RegisterType(element, lanes: type.lanes), .apply(.convert(element), [register]))
  }

  /// The function of the registers, scalars widened where others are vectors.
  ///
  /// Arithmetic on narrow floats is done in a wider type and rounded; functions that are no primitive of the target are
  /// expanded.
  public mutating func apply(_ function: ScalarFunction, _ operands: [Register]) -> Register {
    let lanes = operands.map { type(of: $0).lanes }.max() ?? 1
    let elements = operands.map { type(of: $0).element }
    if case .convert(let element) = function { return convert(operands[0], to: element) }
    if lanes == 1 || operands.allSatisfy({ constants[$0] != nil }), let folded = folded(function, operands, lanes) {
      return folded
    }
    if let signed = signChanged(function, operands[0]) { return signed }
    if let narrow = elements.first(where: { $0.arithmeticType != $0 }), function.isArithmetic {
      let wide = narrow.arithmeticType
      let result = apply(function, operands.map { type(of: $0).element == narrow ? convert($0, to: wide) : $0 })
      return type(of: result).element == wide ? convert(result, to: narrow) : result
    }
    if case .divide = function, let quotient = quotient(operands[0], by: operands[1]) { return quotient }
    let wide = operands.map { widen($0, to: lanes) }
    if let expanded = expand(function, wide) { return expanded }
    return primitive(function, wide)
  }

  /// The function as one operation, whatever it is.
  public mutating func primitive(_ function: ScalarFunction, _ operands: [Register]) -> Register {
    let lanes = type(of: operands[0]).lanes
    let elements = operands.map { type(of: $0).element }
    // The op that the function came from was checked by the same rule.
    let element = (try? function.resultType(elements)) ?? elements[0]
    return define(RegisterType(element, lanes: lanes), .apply(function, operands))
  }

  private mutating func folded(_ function: ScalarFunction, _ operands: [Register], _ lanes: Int) -> Register? {
    let values = operands.compactMap { constants[$0] }
    guard values.count == operands.count else { return nil }
    let elements = operands.map { type(of: $0).element }
    guard let element = try? function.resultType(elements),
      let value = try? function.evaluate(values, elements, element)
    else { return nil }
    return constant(value, element, lanes: lanes)
  }

  public mutating func multiplyAdd(_ a: Register, _ b: Register, _ c: Register) -> Register {
    let lanes = max(lanes(of: a), lanes(of: b), lanes(of: c))
    let (x, y, z) = (widen(a, to: lanes), widen(b, to: lanes), widen(c, to: lanes))
    return define(type(of: z), .multiplyAdd(x, y, z))
  }

  /// The integer that `expression` has, as i64; a vector of `lanes` where it varies by lane.
  public mutating func materialize(_ expression: IntegerExpression, lanes: Int) -> Register {
    if let fixed = expression.fixed { return constant(.integer(Int64(fixed)), .i64) }
    let count = variesByLane(expression) ? lanes : 1
    return define(RegisterType(.i64, lanes: count), .index(expression))
  }

  /// Whether `0 <= value < limit`, as i1; nil where it is known to hold, a constant where it is known not to.
  public mutating func isWithin(_ value: IntegerExpression, _ limit: IntegerExpression, lanes: Int) -> Register? {
    conditions.append((value, limit))
    if value.isWithin(limit, bound: { bound(of: $0) }) { return nil }
    if value.isOutside(limit, bound: { bound(of: $0) }) { return constant(.integer(0), .i1) }
    // As unsigned integers, negative values are larger than every extent.
    let v = convert(materialize(value, lanes: lanes), to: .ui64)
    let l = convert(materialize(limit, lanes: lanes), to: .ui64)
    return apply(.compare(.less, .unsigned), [v, l])
  }

  public mutating func and(_ a: Register?, _ b: Register?) -> Register? {
    guard let a else { return b }
    guard let b else { return a }
    return apply(.and, [a, b])
  }

  /// The elements at `position`, one for each lane where it varies by lane (a vector load, a strided or an indexed one),
  /// else one scalar.
  public mutating func load(_ memory: Memory, at position: IntegerExpression, lanes: Int, mask: Register? = nil)
    -> Register
  {
    let element = elementType(of: memory)
    guard variesByLane(position) else {
      guard let mask, self.lanes(of: mask) > 1 else {
        return define(RegisterType(element), .load(memory, at: position, mask: mask))
      }
      if target.workGroups == nil {
        // One element for all lanes, if any of them needs it.
        return define(RegisterType(element), .load(memory, at: position, mask: fold(.or, mask)))
      }
      let offsets = widen(materialize(position, lanes: 1), to: lanes)
      return define(RegisterType(element, lanes: lanes), .gather(memory, at: offsets, mask: mask))
    }
    let rest = position - .lane
    if !variesByLane(rest) {
      return define(RegisterType(element, lanes: lanes), .load(memory, at: rest, mask: mask.map { ofRun($0, lanes) }))
    }
    if let reversed = loadBackwards(memory, at: position, lanes: lanes, mask) { return reversed }
    if mask == nil, let picked = loadApart(memory, at: position, lanes: lanes) { return picked }
    let wideMask = mask.map { widen($0, to: lanes) }
    let offsets = materialize(position, lanes: lanes)
    return define(RegisterType(element, lanes: lanes), .gather(memory, at: offsets, mask: wideMask))
  }

  public mutating func store(
    _ value: Register, _ memory: Memory, at position: IntegerExpression, lanes: Int, mask: Register? = nil
  ) {
    guard variesByLane(position) else {
      append(.store(value, memory, at: position, mask: mask))
      return
    }
    let wide = widen(value, to: lanes)
    let rest = position - .lane
    if !variesByLane(rest) {
      append(.store(wide, memory, at: rest, mask: mask.map { ofRun($0, lanes) }))
    } else {
      let wideMask = mask.map { widen($0, to: lanes) }
      append(.scatter(wide, memory, at: materialize(position, lanes: lanes), mask: wideMask))
    }
  }

  /// The mask of consecutive elements: a lane each, but where items run tasks a scalar may stand for all.
  private mutating func ofRun(_ mask: Register, _ lanes: Int) -> Register {
    target.workGroups == nil ? widen(mask, to: lanes) : mask
  }

  /// The bytes of a vector's lanes in order, each four as an i32.
  mutating func words(_ register: Register) -> Register {
    let type = type(of: register)
    let count = type.lanes * type.element.byteCount / 4
    precondition(count * 4 == type.lanes * type.element.byteCount, "words have four bytes")
    return define(RegisterType(.i32, lanes: count), .words(register))
  }

  /// The sums of four products of bytes, added to `sum`; scalars are widened.
  mutating func byteProducts(_ pair: BytePair, _ left: Register, _ right: Register, _ sum: Register) -> Register {
    let type = type(of: sum)
    let (wideLeft, wideRight) = (widen(left, to: type.lanes), widen(right, to: type.lanes))
    return define(type, .byteProducts(pair, wideLeft, wideRight, sum))
  }

  /// The sums of two products of i16, added to `sum`; scalars are widened.
  mutating func shortProducts(_ left: Register, _ right: Register, _ sum: Register) -> Register {
    let type = type(of: sum)
    return define(type, .shortProducts(widen(left, to: type.lanes), widen(right, to: type.lanes), sum))
  }

  /// The sums of two products of bf16, added to `sum`; scalars are widened.
  mutating func bfloatProducts(_ left: Register, _ right: Register, _ sum: Register) -> Register {
    let type = type(of: sum)
    return define(type, .bfloatProducts(widen(left, to: type.lanes), widen(right, to: type.lanes), sum))
  }

  public mutating func fold(_ function: ScalarFunction, _ register: Register) -> Register {
    let type = type(of: register)
    if type.lanes == 1 { return register }
    let wide = type.element.arithmeticType
    if wide != type.element { return convert(fold(function, convert(register, to: wide)), to: type.element) }
    return define(RegisterType(type.element), .fold(function, register))
  }

  /// The values of all items of the task combined, in every item.
  public mutating func foldItems(_ function: ScalarFunction, _ register: Register) -> Register {
    if itemCount == 1 { return register }
    let type = type(of: register)
    let wide = type.element.arithmeticType
    if wide != type.element { return convert(foldItems(function, convert(register, to: wide)), to: type.element) }
    if let width = exchangingItemCount { return foldByExchange(function, register, width) }
    return define(type, .foldItems(function, register))
  }

  /// The register times two to the power of `exponent`, an integer as a float; rounded once.
  mutating func timesPowerOfTwo(_ register: Register, _ exponent: Register) -> Register {
    precondition(target.hasPowersOfTwo, "the target has no instruction for powers of two")
    return define(type(of: register), .timesPowerOfTwo(register, widen(exponent, to: lanes(of: register))))
  }

  /// In each lane the number of a table of 32 that the low five bits of `index` say.
  mutating func lookup(_ table: [Double], at index: Register) -> Register {
    precondition(table.count == 32, "a table has 32 numbers")
    return define(RegisterType(.f32, lanes: lanes(of: index)), .lookup(table.map(Float.init), index))
  }

  public mutating func append(_ statement: Statement) { blocks[blocks.count - 1].append(statement) }

  // MARK: Control flow

  /// A loop over `lower ..< upper`; `body` gets the variable and the carried values, and gives the next ones.
  /// Returns the carried values after the last iteration.
  @discardableResult
  public mutating func loop<Failure: Error>(
    from lower: IntegerExpression = .zero, to upper: IntegerExpression, step: Int = 1, kind: Loop.Kind = .serial,
    carrying initial: [Register] = [],
    _ body: (inout KernelBuilder, IntegerExpression, [Register]) throws(Failure) -> [Register]
  ) throws(Failure) -> [Register] {
    let variable = newVariable(bound: lower.fixed.flatMap { $0 >= 0 ? upper.lastStep(from: $0, by: step) + 1 : nil })
    let current = initial.map { newRegister(type(of: $0)) }
    blocks.append([])
    let next = try body(&self, .variable(variable), current)
    let statements = blocks.removeLast()
    precondition(next.count == initial.count, "a loop's body hands on as many values as the loop carries")
    var carried: [Loop.Carried] = []
    for (position, register) in initial.enumerated() {
      precondition(
        type(of: register) == type(of: next[position]),
        "a carried value keeps its type: \(type(of: register)) is not \(type(of: next[position]))")
      let result = newRegister(type(of: register))
      carried.append(
        Loop.Carried(initial: register, current: current[position], next: next[position], result: result))
    }
    append(
      .loop(
        Loop(
          kind: kind, variable: variable, lower: lower, upper: upper, step: step, carried: carried, body: statements)))
    return carried.map(\.result)
  }

  /// Writes two pieces of work that do not depend on each other, the statements of the first spread evenly among those of
  /// the second: for units of the processor that work side by side.
  mutating func interleaved(_ first: (inout KernelBuilder) -> Void, _ second: (inout KernelBuilder) -> Void) {
    func statements(_ write: (inout KernelBuilder) -> Void) -> [Statement] {
      blocks.append([])
      write(&self)
      return blocks.removeLast()
    }
    let (few, many) = (statements(first), statements(second))
    var written = 0
    for (number, statement) in few.enumerated() {
      let due = many.count * number / few.count
      for other in many[written..<due] { append(other) }
      written = due
      append(statement)
    }
    for other in many[written...] { append(other) }
  }

  public mutating func branch(
    _ condition: Register, then: (inout KernelBuilder) -> Void, else otherwise: (inout KernelBuilder) -> Void = { _ in }
  ) {
    blocks.append([])
    then(&self)
    let thenStatements = blocks.removeLast()
    blocks.append([])
    otherwise(&self)
    let elseStatements = blocks.removeLast()
    append(.branch(condition, then: thenStatements, else: elseStatements))
  }
}

extension IntegerExpression {
  /// The last value of a loop that ends before this one, or one that is not less.
  fileprivate func lastStep(from lower: Int, by step: Int) -> IntegerExpression {
    guard let upper = fixed, upper > lower else { return self - 1 }
    return IntegerExpression(lower + (upper - lower - 1) / step * step)
  }
}

extension ScalarFunction {
  /// Whether the function computes with values rather than moving, comparing or reinterpreting them.
  var isArithmetic: Bool {
    switch self {
    case .convert, .bitcast, .select, .complex, .real, .imaginary, .nextAfter, .reducePrecision: false
    default: true
    }
  }
}

extension ElementType {
  /// The type in which kernels compute with numbers of this type, rounding each result once.
  ///
  /// f32 for the narrower floats, but f64 for f8E8M0FNU: products and quotients of its powers of two leave f32's range and
  /// are then rounded to the least of them.
  var arithmeticType: ElementType {
    if self == .f8E8M0FNU { return .f64 }
    return isFloat && bitWidth < 32 ? .f32 : self
  }
}
