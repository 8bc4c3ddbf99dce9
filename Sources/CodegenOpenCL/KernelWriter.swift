import Codegen
import IR

/// Writes one kernel as a function of OpenCL C.
///
///     (__global const uchar *restrict in0_base, ulong in0_at, …, long seq, long tasks) {
///       __global const float *restrict in0 = (__global const float *restrict)(in0_base + in0_at);
///       const long task = get_global_id(0);
///       if (task >= tasks) return;
///       const float r3 = in0[task];
struct KernelWriter {
  let kernel: Kernel
  /// Whether another parameter may be the same memory.
  private let overlapping: [Bool]
  let usedSymbols: [Symbol]
  /// The parameters that the symbols are, each with a name of its own.
  private let symbolNames: [Symbol: String]
  var helpers: Helpers
  var lines: [String] = []
  private var depth = 0
  /// By register index.
  private var values: [Value?]
  /// What is known of an integer register's value, by register index.
  var registerRanges: [Int: IndexRange] = [:]
  /// What is known of variables' values.
  var ranges: [Int: IndexRange] = [:]
  /// Whether items read each other's registers.
  var exchanges = false
  /// Element types for which items combine values.
  private var foldTypes: [ElementType] = []

  init(_ kernel: Kernel, symbols: [Symbol], overlapping: [Bool], helpers: Helpers) {
    self.kernel = kernel
    self.overlapping = overlapping
    self.helpers = helpers
    let used = kernel.usedSymbols
    usedSymbols = symbols.filter(used.contains)
    symbolNames = Self.names(usedSymbols)
    values = [Value?](repeating: nil, count: kernel.registerTypes.count)
    ranges[-1] = IndexRange(0, 15)
    ranges[Kernel.itemVariable] = IndexRange(0, kernel.itemCount - 1)
    ranges[Kernel.taskVariable] = IndexRange(0, kernel.taskCount.fixed.map { $0 - 1 })
  }

  /// The ops that the kernel comes from.
  var comment: String {
    kernel.sources.map { "// \(CComment.text($0))\n" }.joined()
  }

  /// The function from its parameters on.
  mutating func code() -> String {
    let parameters = parameters
    depth = 1
    declareBuffers()
    if kernel.itemCount > 1 {
      append("const int item = (int)get_local_id(0);")
      append("const \(taskType) task = (\(taskType))get_group_id(0);")
    } else {
      append("const \(taskType) task = (\(taskType))get_global_id(0);")
      append("if (task >= tasks) return;")
    }
    let body = collect { writer in writer.write(writer.kernel.body) }
    for (number, scratch) in kernel.scratch.enumerated() { declare("scratch\(number)", scratch, space: "") }
    for (number, shared) in kernel.shared.enumerated() { declare("shared\(number)", shared, space: "__local ") }
    for type in foldTypes {
      append("__local \(CType.memory(type)) \(Self.foldArray(type))[\(kernel.itemCount)];")
    }
    if !kernel.tileFormats.isEmpty { append("TFC_FRAGMENTS(\(Self.fragmentArray), \(kernel.itemCount));") }
    if exchanges { append("TFC_EXCHANGE(\(Self.exchangeArray), \(kernel.itemCount));") }
    lines += body
    return "(\(parameters)) {\n" + lines.joined(separator: "\n") + "\n}\n"
  }

  private var taskType: String { isNarrow(ranges[Kernel.taskVariable]) ? "int" : "long" }

  private var parameters: String {
    var list: [String] = []
    for (position, buffer) in kernel.buffers.enumerated() {
      let qualifiers = pointerQualifiers(position)
      list.append("__global \(buffer.isWritten ? "" : "const ")uchar *\(qualifiers)\(buffer.name)_base")
      list.append("ulong \(buffer.name)_at")
    }
    list += usedSymbols.map { "long \(name($0))" }
    list.append("long tasks")
    return "\n    " + list.joined(separator: ",\n    ")
  }

  private func pointerQualifiers(_ position: Int) -> String { overlapping[position] ? "" : "restrict " }

  private mutating func declareBuffers() {
    for (position, buffer) in kernel.buffers.enumerated() {
      let type = "__global \(buffer.isWritten ? "" : "const ")\(CType.memory(buffer.elementType)) *"
      noteType(buffer.elementType)
      let name = buffer.name
      append("\(type)\(pointerQualifiers(position))\(name) = (\(type))(\(name)_base + \(name)_at);")
    }
  }

  private mutating func declare(_ name: String, _ array: Kernel.Scratch, space: String) {
    let count = array.elementCount * (array.elementType.isComplex ? 2 : 1)
    noteType(array.elementType)
    // Vectors in memory that items share begin at multiples of their size.
    let alignment = space.isEmpty ? "" : " __attribute__((aligned(16)))"
    append("\(space)\(CType.memory(array.elementType)) \(name)[\(count)]\(alignment);")
  }

  func name(_ symbol: Symbol) -> String {
    guard let name = symbolNames[symbol] else { preconditionFailure("\(kernel.name) does not use \(symbol.name)") }
    return name
  }

  /// `n_seq`, with a number where a symbol before has that name: `a.b` and `a/b` have the same letters.
  private static func names(_ symbols: [Symbol]) -> [Symbol: String] {
    let isPlain: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber) }
    var names: [Symbol: String] = [:]
    var taken: Set<String> = []
    for symbol in symbols {
      let stem = "n_" + String(symbol.name.map { isPlain($0) ? $0 : "_" })
      var name = stem
      while !taken.insert(name).inserted { name = "\(stem)_\(taken.count)" }
      names[symbol] = name
    }
    return names
  }

  // MARK: Lines

  mutating func append(_ line: String) { lines.append(String(repeating: "  ", count: depth) + line) }

  /// The lines that `body` writes, which are not kept here.
  private mutating func collect(_ body: (inout KernelWriter) -> Void) -> [String] {
    let before = lines
    lines = []
    body(&self)
    defer { lines = before }
    return lines
  }

  private mutating func block(_ head: String, _ body: (inout KernelWriter) -> Void) {
    append("\(head) {")
    depth += 1
    body(&self)
    depth -= 1
    append("}")
  }

  // MARK: Registers

  func value(_ register: Register) -> Value {
    guard let value = values[register.index] else {
      preconditionFailure("register \(register.index) of \(kernel.name) is used before it is defined")
    }
    return value
  }

  mutating func noteType(_ element: ElementType) {
    if element == .f64 || element == .complex128 { helpers.usesF64 = true }
  }

  /// Declares the register with this value, and keeps its name.
  private mutating func define(_ register: Register, _ value: Value, isConstant: Bool = true) {
    let type = CType.part(value.type)
    noteType(value.element)
    let name = "r\(register.index)"
    let qualifier = isConstant ? "const " : ""
    append("\(qualifier)\(type) \(name) = \(value.part);")
    var named = Value(value.type, name)
    if let imaginary = value.imaginary {
      append("\(qualifier)\(type) \(name)_i = \(imaginary);")
      named.imaginary = "\(name)_i"
    }
    values[register.index] = named
  }

  // MARK: Statements

  private mutating func write(_ statements: [Statement]) {
    for statement in statements { write(statement) }
  }

  private mutating func write(_ statement: Statement) {
    switch statement {
    case .define(let register, let operation): write(register, operation)
    case .store(let register, let memory, let position, let mask):
      store(value(register), memory, at: position, mask: mask.map(value))
    case .scatter(let register, let memory, let positions, let mask):
      scatter(value(register), memory, at: value(positions), mask: mask.map(value))
    case .atomic(let function, let register, let memory, let position, let mask):
      atomic(function, value(register), memory, at: position, mask: mask.map(value))
    case .prefetch: break
    case .loop(let loop): write(loop)
    case .branch(let condition, let then, let otherwise):
      block("if (\(value(condition).part))") { $0.write(then) }
      if !otherwise.isEmpty { block("else") { $0.write(otherwise) } }
    case .tile: preconditionFailure("a device has no tile registers")
    case .barrier: append("barrier(CLK_LOCAL_MEM_FENCE);")
    }
  }

  private mutating func write(_ loop: Loop) {
    for carried in loop.carried {
      let initial = value(carried.initial)
      define(carried.current, initial, isConstant: false)
    }
    let (lower, upper) = (range(of: loop.lower), range(of: loop.upper))
    ranges[loop.variable] = IndexRange(lower.lower, upper.upper.map { $0 - 1 })
    // The variable ends beyond the last value that the body sees.
    let isNarrow = isNarrow(ranges[loop.variable]) && isNarrow(lower) && isNarrow(upper + IndexRange(loop.step))
    let variable = Self.name(ofVariable: loop.variable)
    let type = isNarrow ? "int" : "long"
    if !isNarrow { ranges[loop.variable]?.isWide = true }
    if loop.kind == .unrolled { append("#pragma unroll") }
    let (first, last) = (index(loop.lower, isWide: !isNarrow), index(loop.upper, isWide: !isNarrow))
    block("for (\(type) \(variable) = \(first); \(variable) < \(last); \(variable) += \(loop.step))") { writer in
      writer.write(loop.body)
      writer.handOn(loop.carried)
    }
    for carried in loop.carried { values[carried.result.index] = values[carried.current.index] }
  }

  /// The carried registers get the next iteration's values, all at once.
  private mutating func handOn(_ carried: [Loop.Carried]) {
    let currents = Set(carried.map(\.current))
    let overlap = carried.contains { $0.next != $0.current && currents.contains($0.next) }
    var assignments: [(String, String)] = []
    for handed in carried where handed.next != handed.current {
      let (current, next) = (value(handed.current), value(handed.next))
      var pairs = [(current.part, next.part)]
      if let target = current.imaginary, let source = next.imaginary { pairs.append((target, source)) }
      for (target, source) in pairs {
        guard overlap else {
          append("\(target) = \(source);")
          continue
        }
        append("const \(CType.part(current.type)) next_\(target) = \(source);")
        assignments.append((target, "next_\(target)"))
      }
    }
    for (target, source) in assignments { append("\(target) = \(source);") }
  }

  static func name(ofVariable variable: Int) -> String {
    switch variable {
    case Kernel.taskVariable: "task"
    case Kernel.itemVariable: "item"
    default: "i\(variable)"
    }
  }

  // MARK: Operations

  private mutating func write(_ register: Register, _ operation: Operation) {
    let type = kernel.type(of: register)
    switch operation {
    case .constant(let scalar):
      noteType(type.element)
      values[register.index] = CType.constant(scalar, type)
    case .index(let expression):
      registerRanges[register.index] = range(of: expression)
      let text = type.lanes == 1 ? index(expression, isWide: true) : vectorIndex(expression, lanes: type.lanes)
      define(register, Value(type, text))
    case .foldItems(let function, let operand): define(register, foldItems(function, value(operand)))
    default: define(register, evaluate(operation, type))
    }
  }

  private mutating func evaluate(_ operation: Operation, _ type: RegisterType) -> Value {
    switch operation {
    case .constant, .index, .foldItems: preconditionFailure("handled before")
    case .apply(let function, let operands): return apply(function, operands.map(value), type)
    case .multiplyAdd(let a, let b, let c): return multiplyAdd(value(a), value(b), value(c))
    case .load(let memory, let position, let mask): return load(memory, at: position, type, mask: mask.map(value))
    case .gather(let memory, let positions, let mask):
      return gather(memory, at: value(positions), type, mask: mask.map(value))
    case .broadcast(let register):
      let operand = value(register)
      if operand.element == .i1, operand.lanes == 1, type.lanes > 1 {
        return Value(type, "(\(CType.part(type)))(-(char)\(operand.part))")
      }
      return operand.mapParts(type) { "(\(CType.part(type)))(\($0))" }
    case .extract(let register, let lane):
      let operand = value(register)
      if operand.element == .i1, operand.lanes > 1 {
        return Value(type, "\(CType.lane(lane, of: operand.part)) != 0")
      }
      return operand.lane(lane)
    case .fold(let function, let register): return fold(function, value(register))
    case .shuffle(let a, let b, let positions): return shuffle(value(a), value(b), positions, type)
    case .words(let register):
      return Value(type, "as_\(CType.part(type))(\(value(register).part))")
    case .fragmentProduct(let format, let a, let b, let c):
      let operands = [a, b, c].map { value($0).part }.joined(separator: ", ")
      return Value(type, "\(helpers.fragmentProduct(format))(\(operands), \(Self.fragmentArray))")
    case .byteProducts(let pair, let a, let b, let c):
      let name = helpers.byteProducts(pair)
      return lanewise(type, [a, b, c].map(value)) { "\(name)(\($0[0]), \($0[1]), \($0[2]))" }
    case .shortProducts: preconditionFailure("devices multiply words of bytes")
    case .bfloatProducts, .upperHalves: preconditionFailure("devices multiply fragments of bf16")
    case .timesPowerOfTwo: preconditionFailure("the target of devices has no instruction for powers of two")
    case .exchange(let register, let from): return exchange(value(register), from: value(from))
    case .lookup(let table, let index):
      let name = helpers.table(table)
      return lanewise(type, [value(index)]) { "\(name)[\($0[0]) & \(table.count - 1)]" }
    }
  }

  /// The first half of the lanes with the second, the first half of the result with its second half, and so on.
  private mutating func fold(_ function: ScalarFunction, _ value: Value) -> Value {
    var value = value
    while value.lanes > 1 {
      precondition(value.lanes & (value.lanes - 1) == 0, "lanes are a power of two")
      let half = RegisterType(value.element, lanes: value.lanes / 2)
      let type = CType.part(half)
      func part(_ text: String, _ end: String) -> String {
        if value.element == .i1, half.lanes == 1 { return "(\(text).\(end) != 0)" }
        return "\(text).\(end)"
      }
      let (low, high) = (value.mapParts(half) { part($0, "lo") }, value.mapParts(half) { part($0, "hi") })
      let combined = apply(function, [low, high], half)
      value = combined.mapParts(half) { text in
        let name = newName()
        append("const \(type) \(name) = \(text);")
        return name
      }
    }
    return value
  }

  private mutating func shuffle(_ a: Value, _ b: Value, _ positions: [Int], _ type: RegisterType) -> Value {
    let lanes = positions.map { $0 < a.lanes ? a.lane($0) : b.lane($0 - a.lanes) }
    let name = CType.part(type)
    func together(_ parts: [String]) -> String {
      guard type.element == .i1 else { return CType.vector(name, of: parts) }
      if type.lanes == 1 { return a.lanes == 1 ? parts[0] : "\(parts[0]) != 0" }
      return CType.vector(name, of: a.lanes == 1 ? parts.map { "-(char)\($0)" } : parts)
    }
    let real = together(lanes.map(\.part))
    guard a.imaginary != nil else { return Value(type, real) }
    return Value(type, real, imaginary: together(lanes.map { $0.imaginary ?? "0" }))
  }

  private var nameCount = 0

  /// A name for a value that is no register's.
  mutating func newName() -> String {
    nameCount += 1
    return "t\(nameCount)"
  }

  // MARK: Items

  static func foldArray(_ type: ElementType) -> String { "fold_\(CType.memory(type))" }

  /// The array through which items multiply fragments where no instruction does it.
  static let fragmentArray = "fragments"

  /// A tree of two levels in local memory: some items combine a column each, then every item combines what they found.
  /// A deeper tree would wait more often than it saves.
  private mutating func foldItems(_ function: ScalarFunction, _ operand: Value) -> Value {
    let (items, element) = (kernel.itemCount, operand.element)
    precondition(items & (items - 1) == 0, "the number of items is a power of two")
    precondition(operand.lanes == 1 && operand.imaginary == nil, "items combine scalars")
    if !foldTypes.contains(where: { CType.memory($0) == CType.memory(element) }) { foldTypes.append(element) }
    noteType(element)
    let array = Self.foldArray(element)
    let columns = 1 << (items.trailingZeroBitCount / 2)
    append("\(array)[item] = \(encoded(operand));")
    append("barrier(CLK_LOCAL_MEM_FENCE);")
    block("if (item < \(columns))") { writer in
      let part = writer.combined(function, operand.type, array, from: "item", step: columns, count: items / columns)
      writer.append("\(array)[item] = \(part);")
    }
    append("barrier(CLK_LOCAL_MEM_FENCE);")
    let name = combined(function, operand.type, array, from: "0", step: 1, count: columns)
    append("barrier(CLK_LOCAL_MEM_FENCE);")
    return Value(operand.type, name)
  }

  /// The name of `count` elements of an array combined, `step` apart.
  private mutating func combined(
    _ function: ScalarFunction, _ type: RegisterType, _ array: String, from first: String, step: Int, count: Int
  ) -> String {
    let name = newName()
    append("\(CType.part(type)) \(name) = \(array)[\(first)];")
    block("for (int n = 1; n < \(count); n++)") { writer in
      let next = Value(type, "\(array)[\(first) + n * \(step)]")
      writer.append("\(name) = \(writer.apply(function, [Value(type, name), next], type).part);")
    }
    return name
  }
}
