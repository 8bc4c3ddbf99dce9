import IR

/// What a kernel's index expressions come to, where the symbols and the loops' variables have values.
struct KernelValues {
  private let kernel: Kernel
  private let symbols: [Symbol: Int]
  private let usualExtent: Int
  private var definitions: [Operation?]
  /// The variable of the innermost loop that a register depends on.
  private var innermostVariables: [Int]
  /// By variable, from -1 (the lane) on.
  private var variables: [Int]

  /// How far an index that is read from memory moves from one iteration, and from one task, to the next.
  private static let (jump, taskJump) = (17, 389)

  /// A symbol without a value has the usual extent.
  init(_ kernel: Kernel, symbols: [Symbol: Int], usualExtent: Int = 1) {
    self.kernel = kernel
    self.symbols = symbols
    self.usualExtent = usualExtent
    definitions = [Operation?](repeating: nil, count: kernel.registerTypes.count)
    innermostVariables = [Int](repeating: Kernel.taskVariable, count: kernel.registerTypes.count)
    variables = [0, 0]
  }

  mutating func define(_ register: Register, _ operation: Operation, innermostVariable: Int) {
    definitions[register.index] = operation
    innermostVariables[register.index] = innermostVariable
  }

  subscript(variable: Int) -> Int {
    get { variables.indices.contains(variable + 1) ? variables[variable + 1] : 0 }
    set {
      if variable + 1 >= variables.count {
        variables += [Int](repeating: 0, count: variable + 2 - variables.count)
      }
      variables[variable + 1] = newValue
    }
  }

  /// The expression's value.
  func value(of expression: IntegerExpression) -> Int {
    var steps = Self.stepLimit
    return value(of: expression, &steps)
  }

  private func value(of expression: IntegerExpression, _ steps: inout Int) -> Int {
    if let fixed = expression.fixed { return fixed }
    return expression.evaluated { atom in
      switch atom {
      case .symbol(let symbol): symbols[symbol, default: usualExtent]
      case .variable(let variable):
        kernel.registerVariables[variable].map { position(of: $0, &steps) } ?? self[variable]
      default: nil
      }
    } ?? 0
  }

  /// The position in an integer register; of one that is read from memory, one that is its own and moves far.
  func position(of register: Register) -> Int {
    var steps = Self.stepLimit
    return position(of: register, &steps)
  }

  private func position(of register: Register, _ steps: inout Int) -> Int {
    if let value = value(of: register, &steps) { return value }
    // As the count of a loop for what is rarely needed.
    if isCondition(register) { return 0 }
    let variable = innermostVariables[register.index]
    let moved = variable == Kernel.taskVariable ? 0 : self[variable]
    let lane = kernel.type(of: register).lanes > 1 ? self[-1] : 0
    return register.index &+ Self.jump &* (moved &+ lane) &+ Self.taskJump &* self[Kernel.taskVariable]
  }

  /// Whether the register has a truth value, as such or as an integer.
  private func isCondition(_ register: Register) -> Bool {
    if kernel.type(of: register).element == .i1 { return true }
    guard case .apply(.convert, let operands)? = definitions[register.index] else { return false }
    return isCondition(operands[0])
  }

  /// The integer in a register, a truth value as 0 or 1; nil where memory decides it.
  func value(of register: Register) -> Int? {
    var steps = Self.stepLimit
    return value(of: register, &steps)
  }

  /// The most operations that one value is followed through.
  private static let stepLimit = 200

  private func value(of register: Register, _ steps: inout Int) -> Int? {
    guard steps > 0, let operation = definitions[register.index] else { return nil }
    steps -= 1
    switch operation {
    case .constant(.integer(let value)): return Int(value)
    case .index(let expression): return value(of: expression, &steps)
    case .broadcast(let source): return value(of: source, &steps)
    case .apply(.convert, let operands): return value(of: operands[0], &steps)
    case .apply(let function, let operands):
      var values: [Int] = []
      for operand in operands {
        guard let value = value(of: operand, &steps) else { return nil }
        values.append(value)
      }
      return Self.apply(function, values)
    default: return nil
    }
  }

  private static func apply(_ function: ScalarFunction, _ values: [Int]) -> Int? {
    guard let a = values.first, let b = values.last else { return nil }
    switch function {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .minimum: return min(a, b)
    case .maximum: return max(a, b)
    case .and: return a & b
    case .or: return a | b
    case .compare(let direction, let type):
      let flipped = type == .unsigned ? 0 : Int.min
      let (x, y) = (UInt(bitPattern: a ^ flipped), UInt(bitPattern: b ^ flipped))
      switch direction {
      case .equal: return x == y ? 1 : 0
      case .notEqual: return x != y ? 1 : 0
      case .greaterOrEqual: return x >= y ? 1 : 0
      case .greater: return x > y ? 1 : 0
      case .lessOrEqual: return x <= y ? 1 : 0
      case .less: return x < y ? 1 : 0
      }
    default: return nil
    }
  }

  /// What a quotient or a remainder takes a loop's variable apart by, with that variable: 12 of `floordiv(i, 12)`, 48 of
  /// `mod(floordiv(i, 12), 4)`.
  func divisor(_ dividend: IntegerExpression, _ divisor: IntegerExpression) -> (variable: Int, divisor: Int)? {
    guard let part = unit(of: dividend) else { return nil }
    let value = value(of: divisor)
    return value > 1 ? (part.variable, part.unit &* value) : nil
  }

  /// The variable that the expression counts, and how many of its steps make one.
  private func unit(of expression: IntegerExpression) -> (variable: Int, unit: Int)? {
    switch expression.atom {
    case .variable(let variable)?:
      guard let register = kernel.registerVariables[variable] else { return (variable, 1) }
      guard case .index(let definition)? = definitions[register.index] else { return nil }
      return unit(of: definition)
    case .floorDivide(let dividend, let divisor)?:
      return self.divisor(dividend, divisor).map { ($0.variable, $0.divisor) }
    default: return nil
    }
  }
}
