public import IR

/// Between which elements of a buffer the tasks of a kernel stay: task t reads or writes none before
/// `floor(t * step / divisor) + low` and none behind `floor(t * step / divisor) + high`.
public struct TaskReach: Hashable, Sendable {
  /// Elements from one task to the next, as a fraction; both are positive.
  public var step: Int
  public var divisor: Int
  public var low: Int
  public var high: Int

  /// The elements that one task's reach has more than one.
  var width: Int { high - low }

  /// The first element that the tasks from `task` on may touch, where that is not before the buffer.
  public func first(from task: IntegerExpression) -> IntegerExpression { position(of: task) + low }

  /// The element behind the last that the tasks before `end` may touch, where that is not behind the buffer.
  public func end(before end: IntegerExpression) -> IntegerExpression { position(of: end - 1) + (high + 1) }

  private func position(of task: IntegerExpression) -> IntegerExpression {
    (task * step).floorDivided(by: Extent(divisor))
  }

  /// The first of the tasks, numbered from below zero on, that may touch elements from `element` on.
  public func firstTask(from element: IntegerExpression) -> IntegerExpression {
    ((element - high) * divisor + (step - 1)).floorDivided(by: Extent(step))
  }

  /// The task behind the last one that may touch elements before `element`.
  public func endTask(before element: IntegerExpression) -> IntegerExpression {
    ((element - low) * divisor - 1).floorDivided(by: Extent(step)) + 1
  }

  /// The most elements between the first and the last that so many tasks side by side touch, both counted.
  func elementCount(ofTasks count: Int) -> Int {
    step * (count - 1) / divisor + (step % divisor == 0 ? 1 : 2) + width
  }

  /// The most tasks that may touch one of so many elements side by side.
  func taskCount(ofElements count: Int) -> Int { ((count + width) * divisor - 1) / step + 1 }
}

extension Kernel {
  /// The reach of the kernel's tasks in one of its buffers; nil where it is not known, or where tasks that follow each other
  /// do not go through the buffer.
  func reach(inBuffer position: Int) -> TaskReach? {
    var search = ReachSearch(self, position)
    return search.reach
  }

  /// Whether the kernel reads the buffer; it may be one that it writes.
  func reads(buffer position: Int) -> Bool {
    func reads(_ statement: Statement) -> Bool {
      switch statement {
      case .define(_, .load(.buffer(position), _, _)), .define(_, .gather(.buffer(position), _, _)),
        .tile(.load(_, .buffer(position), _, _)):
        true
      case .define, .store, .scatter, .atomic, .prefetch, .tile, .barrier: false
      case .loop(let loop): loop.body.contains(where: reads)
      case .branch(_, let then, let otherwise): (then + otherwise).contains(where: reads)
      }
    }
    return body.contains(where: reads)
  }
}

/// Goes through a kernel's statements for all accesses to one buffer.
private struct ReachSearch {
  private let kernel: Kernel
  private let buffer: Memory
  private var bounds: TaskBounds
  /// The variables that stand for a register.
  private var variables: [Register: [Int]] = [:]
  /// The positions in registers, for gathers.
  private var positions: [Register: TaskBounds.Range] = [:]
  /// Between which lines accesses lie, and in which tasks; nil once there is one of which nothing is known.
  private var accesses: [(range: TaskBounds.Range, tasks: TaskBounds.Tasks)]? = []

  init(_ kernel: Kernel, _ position: Int) {
    self.kernel = kernel
    buffer = .buffer(position)
    bounds = TaskBounds(taskCount: kernel.taskCount, groupSize: kernel.taskDivisors.max())
    for (variable, register) in kernel.registerVariables { variables[register, default: []].append(variable) }
  }

  var reach: TaskReach? {
    mutating get {
      visit(kernel.body)
      guard let accesses else { return nil }
      let slopes = Set(accesses.flatMap { $0.range.lower + $0.range.upper }.compactMap { bounds.perTask($0.slope) })
      let rising = slopes.filter { $0 > .zero }.sorted(by: >)
      return rising.compactMap { reach(accesses, $0) }.min { $0.width < $1.width }
    }
  }

  /// The reach if tasks move so far from one to the next; nil where some access is not known to do so.
  private func reach(
    _ accesses: [(range: TaskBounds.Range, tasks: TaskBounds.Tasks)], _ perTask: Ratio
  ) -> TaskReach? {
    guard let slope = bounds.slope(perTask) else { return nil }
    var (low, high): (Ratio?, Ratio?)
    for access in accesses {
      guard let lower = access.tasks.lower(access.range.lower, slope: slope),
        let upper = access.tasks.upper(access.range.upper, slope: slope)
      else { return nil }
      low = min(low ?? lower, lower)
      high = max(high ?? upper, upper)
    }
    guard let low, let high, low <= high else { return nil }
    // What the line is cut down by to an integer is less than 1.
    let end = high.floor + (perTask.denominator == 1 ? 0 : 1)
    return TaskReach(
      step: perTask.numerator, divisor: perTask.denominator, low: low.ceiling, high: max(low.ceiling, end))
  }

  private mutating func visit(_ statements: [Statement]) { for statement in statements { visit(statement) } }

  private mutating func visit(_ statement: Statement) {
    switch statement {
    case .define(let register, let operation): visit(register, operation)
    case .store(let register, buffer, let position, _): note(position, lanes: kernel.type(of: register).lanes)
    case .scatter(_, buffer, let register, _): note(positions[register])
    case .atomic(_, _, buffer, _, _), .tile(.load(_, buffer, _, _)), .tile(.store(_, buffer, _, _)): note(nil)
    case .store, .scatter, .atomic, .tile, .prefetch, .barrier: break
    case .loop(let loop):
      let outside = bounds.tasks
      bounds.enter(loop)
      if !bounds.tasks.isEmpty { visit(loop.body) }
      bounds.tasks = outside
    case .branch(_, let then, let otherwise):
      visit(then)
      visit(otherwise)
    }
  }

  private mutating func visit(_ register: Register, _ operation: Operation) {
    let lanes = kernel.type(of: register).lanes
    switch operation {
    case .index(let expression):
      bounds.setLanes(lanes)
      positions[register] = bounds.range(of: expression)
      for variable in variables[register] ?? [] { bounds.variables[variable] = positions[register] }
    case .broadcast(let other): positions[register] = positions[other]
    case .load(buffer, let position, _): note(position, lanes: lanes)
    case .gather(buffer, let register, _): note(positions[register])
    default: break
    }
  }

  private mutating func note(_ position: IntegerExpression, lanes: Int) {
    bounds.setLanes(1)
    let first = bounds.range(of: position)
    note(first.adding(.constants(0, lanes - 1)))
  }

  private mutating func note(_ range: TaskBounds.Range?) {
    if let range { accesses?.append((range, bounds.tasks)) } else { accesses = nil }
  }
}

extension Kernel {
  /// The numbers by which the kernel divides the number of the task.
  fileprivate var taskDivisors: Set<Int> {
    var divisors: Set<Int> = []
    func visit(_ expression: IntegerExpression) {
      expression.visitAtoms { atom in
        switch atom {
        case .floorDivide(.task, let divisor), .modulo(.task, let divisor):
          if let divisor = divisor.fixed { divisors.insert(divisor) }
        default: break
        }
      }
    }
    func visit(_ statement: Statement) {
      switch statement {
      case .define(_, .index(let expression)), .define(_, .load(_, let expression, _)),
        .store(_, _, let expression, _):
        visit(expression)
      case .define, .scatter, .atomic, .prefetch, .tile, .barrier: break
      case .loop(let loop):
        visit(loop.lower)
        visit(loop.upper)
        loop.body.forEach(visit)
      case .branch(_, let then, let otherwise): (then + otherwise).forEach(visit)
      }
    }
    body.forEach(visit)
    return divisors
  }
}
