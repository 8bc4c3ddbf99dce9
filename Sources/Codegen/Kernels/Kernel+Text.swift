import IR

extension Kernel: CustomStringConvertible {
  /// The kernel for people: what it reads and writes, then its loops, a line a statement.
  public var description: String {
    var printer = KernelPrinter(kernel: self)
    return printer.text
  }
}

/// Writes a kernel's text.
///
///     kernel main_dot_general_0(x: f32, out: f32 written) in 4 tasks
///       for i1 in 0 ..< 16 step 1 carrying %5 = %2
///         %6: f32 = load x[16*task + i1]
private struct KernelPrinter {
  let kernel: Kernel
  private var lines: [String] = []
  private var depth = 0

  init(kernel: Kernel) { self.kernel = kernel }

  var text: String {
    mutating get {
      lines = []
      let buffers = kernel.buffers.map { "\($0.name): \($0.elementType)\($0.isWritten ? " written" : "")" }
      let tasks = kernel.taskCount == .one ? "1 task" : "\(kernel.taskCount) tasks"
      let items = kernel.itemCount == 1 ? "" : " of \(kernel.itemCount) items"
      append("kernel \(kernel.name)(\(buffers.joined(separator: ", "))) in \(tasks)\(items)")
      depth = 1
      for source in kernel.sources { append("// \(source)") }
      for (number, scratch) in kernel.scratch.enumerated() {
        append("scratch\(number): \(scratch.elementCount) x \(scratch.elementType)")
      }
      for (number, shared) in kernel.shared.enumerated() {
        append("shared\(number): \(shared.elementCount) x \(shared.elementType)")
      }
      print(kernel.body)
      return lines.joined(separator: "\n") + "\n"
    }
  }

  private mutating func append(_ line: String) { lines.append(String(repeating: "  ", count: depth) + line) }

  private mutating func print(_ statements: [Statement]) {
    for statement in statements { print(statement) }
  }

  private mutating func print(_ statement: Statement) {
    switch statement {
    case .define(let register, let operation):
      append("\(name(register)): \(kernel.type(of: register)) = \(text(operation))")
    case .store(let value, let memory, let position, let mask):
      append("\(text(memory))[\(text(position))] = \(name(value))\(text(mask: mask))")
    case .scatter(let value, let memory, let positions, let mask):
      append("\(text(memory))[\(name(positions))] = \(name(value)) in lane order\(text(mask: mask))")
    case .atomic(let function, let value, let memory, let position, let mask):
      append("atomic \(text(memory))[\(text(position))] \(shortName(function)) \(name(value))\(text(mask: mask))")
    case .prefetch(let memory, let position, let level):
      append("prefetch \(text(memory))[\(text(position))] into \(level)")
    case .branch(let condition, let then, let otherwise):
      append("if \(name(condition))")
      printNested(then)
      guard !otherwise.isEmpty else { return }
      append("else")
      printNested(otherwise)
    case .loop(let loop): print(loop)
    case .tile(let operation): append(text(operation))
    case .barrier: append("barrier")
    }
  }

  private func text(_ operation: TileOperation) -> String {
    switch operation {
    case .zero(let tile): "\(name(tile)) = 0"
    case .load(let tile, let memory, let position, let stride):
      "\(name(tile)) = load \(text(memory))[\(text(position))] stride \(text(stride))"
    case .store(let tile, let memory, let position, let stride):
      "\(text(memory))[\(text(position))] stride \(text(stride)) = \(name(tile))"
    case .multiplyAdd(let format, let sum, let a, let b):
      "\(name(sum)) += \(name(a)) * \(name(b)) in \(format.rawValue)"
    }
  }

  private func name(_ tile: Tile) -> String { "tile\(tile.index)" }

  private mutating func print(_ loop: Loop) {
    var head = loop.kind == .unrolled ? "unrolled " : ""
    head += "for i\(loop.variable) in \(text(loop.lower)) ..< \(text(loop.upper)) step \(loop.step)"
    if !loop.carried.isEmpty {
      head += " carrying " + loop.carried.map { "\(name($0.current)) = \(name($0.initial))" }.joined(separator: ", ")
    }
    append(head)
    printNested(loop.body)
    guard !loop.carried.isEmpty else { return }
    depth += 1
    append("next " + loop.carried.map { name($0.next) }.joined(separator: ", "))
    depth -= 1
    append("giving " + loop.carried.map { name($0.result) }.joined(separator: ", "))
  }

  private mutating func printNested(_ statements: [Statement]) {
    depth += 1
    print(statements)
    depth -= 1
  }

  // MARK: Parts of a line

  private func name(_ register: Register) -> String { "%\(register.index)" }

  private func text(_ memory: Memory) -> String {
    switch memory {
    case .buffer(let number): kernel.buffers[number].name
    case .scratch(let number): "scratch\(number)"
    case .shared(let number): "shared\(number)"
    }
  }

  private func text(mask: Register?) -> String { mask.map { " where \(name($0))" } ?? "" }

  private func text(_ operation: Operation) -> String {
    switch operation {
    case .constant(let value): text(value)
    case .apply(let function, let operands):
      "\(shortName(function)) \(operands.map(name).joined(separator: ", "))"
    case .multiplyAdd(let a, let b, let c): "\(name(a)) * \(name(b)) + \(name(c))"
    case .load(let memory, let position, let mask): "load \(text(memory))[\(text(position))]\(text(mask: mask))"
    case .gather(let memory, let positions, let mask): "gather \(text(memory))[\(name(positions))]\(text(mask: mask))"
    case .index(let expression): "index \(text(expression))"
    case .broadcast(let value): "broadcast \(name(value))"
    case .extract(let value, let lane): "lane \(lane) of \(name(value))"
    case .fold(let function, let value): "fold \(shortName(function)) \(name(value))"
    case .shuffle(let a, let b, let lanes): "shuffle \(name(a)), \(name(b)) \(lanes)"
    case .timesPowerOfTwo(let a, let n): "\(name(a)) * 2 ^ \(name(n))"
    case .lookup(let table, let index): "lookup \(table) at \(name(index))"
    case .foldItems(let function, let value): "fold items \(shortName(function)) \(name(value))"
    case .words(let value): "words of \(name(value))"
    case .upperHalves(let a, let b): "upper halves of \(name(a)), \(name(b))"
    case .fragmentProduct(let format, let a, let b, let c):
      "fragments of \(format.rawValue) \(name(a)) * \(name(b)) + \(name(c))"
    case .byteProducts(let pair, let a, let b, let c):
      "\(pair.leftIsSigned ? "i8" : "ui8") \(name(a)) * \(pair.rightIsSigned ? "i8" : "ui8") \(name(b)) + \(name(c))"
    case .shortProducts(let a, let b, let c): "i16 \(name(a)) * i16 \(name(b)) + \(name(c))"
    case .bfloatProducts(let a, let b, let c): "bf16 \(name(a)) * bf16 \(name(b)) + \(name(c))"
    case .exchange(let value, let item): "\(name(value)) of item \(name(item))"
    }
  }

  private func text(_ value: Scalar) -> String {
    switch value {
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .complex(let real, let imaginary): "(\(real), \(imaginary))"
    }
  }

  /// The op's name without its dialect, and what else tells functions of one name apart.
  private func shortName(_ function: ScalarFunction) -> String {
    let name = function.mnemonic.split(separator: ".").last.map(String.init) ?? function.mnemonic
    return switch function {
    case .compare(let direction, let type): "\(name) \(direction.rawValue) \(type.rawValue)"
    default: name
    }
  }

  /// The expression with names for the kernel's variables.
  private func text(_ expression: IntegerExpression) -> String {
    expression.substituting { atom in
      guard case .variable(let variable) = atom else { return nil }
      if variable == Kernel.taskVariable { return .symbol("task") }
      if let register = kernel.registerVariables[variable] { return .symbol(name(register)) }
      if variable == Kernel.itemVariable { return .symbol("item") }
      return .symbol(IntegerExpression.variable(variable) == .lane ? "lane" : "i\(variable)")
    }.description
  }
}
