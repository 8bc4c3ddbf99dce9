import Foundation
import IR

/// A kernel's loops, each with the work that is done once in each of its iterations.
///
/// Work is counted where LLVM moves it: what does not depend on a loop outside of that loop, and what is in a short loop
/// with a fixed number of iterations, which LLVM repeats in the code, as part of the loop around it.
struct KernelNest {
  /// A loop, or one of two lists of statements that a branch chooses from; the first is all that lies outside of the
  /// loop over tasks, the second that loop.
  struct Node {
    var parent: Int
    var depth: Int
    var kind: Kind
    /// Whether the loop is gone in the code; it has no work of its own then.
    var isUnrolled = false
    var work = Work()
    /// Cycles from one iteration to the next through the values that the loop carries.
    var latency = 0.0
    var accesses: [Access] = []
    var children: [Int] = []
    /// How often the node is reached and how often its body runs, in all tasks together.
    var entries = 0.0
    var iterations = 0.0

    /// Iterations each time the node is reached.
    var trips: Double { entries > 0 ? iterations / entries : 0 }
  }

  enum Kind {
    case once
    case loop(variable: Int, lower: IntegerExpression, upper: IntegerExpression, step: Int)
    /// Runs where the condition is `taken`.
    case branch(Register, taken: Bool)
  }

  /// Memory that is read or written in each iteration.
  struct Access {
    enum Position {
      case consecutive(IntegerExpression)
      case indexed(Register)
    }
    var memory: Memory
    var position: Position
    var lanes: Int
    var byteCount: Int
    var isStore: Bool
  }

  let kernel: Kernel
  private(set) var nodes: [Node] = []
  private(set) var values: KernelValues
  /// By variable, the numbers that quotients and remainders take it apart by, in order.
  private(set) var divisors: [Int: Set<Int>] = [:]
  private let costs: OperationCosts
  /// By register, the depths of the nodes on whose variables its value depends, as bits.
  private var dependencies: [UInt64]
  /// By variable, the node whose variable it is.
  private var owners: [Int: Int] = [:]
  /// By register, cycles from the values that the innermost loop in the code carries, where it depends on them.
  private var arrivals: [Double?]
  /// Operations whose value is known at a node, so that they are computed once.
  private var known: [Set<Operation>] = []
  /// For each register, whether it is a load, which an operation may read as its operand.
  private var isLoad: [Bool]
  /// The most iterations of a loop that are looked at one by one.
  private var loopSamples = 0

  init(_ kernel: Kernel, _ target: Target, _ situation: CostModel.Situation) {
    self.kernel = kernel
    values = KernelValues(kernel, symbols: situation.symbols, usualExtent: situation.usualExtent)
    costs = OperationCosts(target: target)
    dependencies = [UInt64](repeating: 0, count: kernel.registerTypes.count)
    arrivals = [Double?](repeating: nil, count: kernel.registerTypes.count)
    isLoad = [Bool](repeating: false, count: kernel.registerTypes.count)
    _ = addNode(.once, in: nil)
    let tasks = addNode(.loop(variable: Kernel.taskVariable, lower: .zero, upper: kernel.taskCount, step: 1), in: 0)
    owners[Kernel.taskVariable] = tasks
    visit(kernel.body, in: tasks)
    countIterations(samples: situation.sampleLimit)
  }

  private mutating func addNode(_ kind: Kind, in parent: Int?) -> Int {
    nodes.append(Node(parent: parent ?? 0, depth: parent.map { nodes[$0].depth + 1 } ?? 0, kind: kind))
    known.append([])
    if let parent { nodes[parent].children.append(nodes.count - 1) }
    return nodes.count - 1
  }

  // MARK: Statements

  private mutating func visit(_ statements: [Statement], in node: Int) {
    for statement in statements {
      switch statement {
      case .define(let register, let operation): define(register, operation, in: node)
      case .store(let value, let memory, let position, let mask):
        noteDivisors(position)
        let type = kernel.type(of: value)
        add(costs.access(type, isStore: true, isMasked: mask != nil), to: node, path(to: node))
        addAccess(memory, .consecutive(position), type, isStore: true, to: node)
      case .atomic(_, let value, let memory, let position, let mask):
        let type = kernel.type(of: value)
        add(costs.access(type, isStore: true, isMasked: mask != nil), to: node, path(to: node))
        addAccess(memory, .consecutive(position), type, isStore: true, to: node)
      case .scatter(let value, let memory, let positions, let mask):
        let type = kernel.type(of: value)
        add(costs.indexed(type, isStore: true, isMasked: mask != nil), to: node, path(to: node))
        addAccess(memory, .indexed(positions), type, isStore: true, to: node)
      case .loop(let loop): visit(loop, in: node)
      case .branch(let condition, let then, let otherwise):
        for (taken, list) in [(true, then), (false, otherwise)] where !list.isEmpty {
          visit(list, in: addNode(.branch(condition, taken: taken), in: node))
        }
      case .tile(let operation): visit(operation, in: node)
      case .prefetch: nodes[node].work.loads += 1
      case .barrier: break
      }
    }
  }

  private mutating func visit(_ operation: TileOperation, in node: Int) {
    func type(_ memory: Memory) -> RegisterType {
      let element =
        switch memory {
        case .buffer(let number): kernel.buffers[number].elementType
        case .scratch(let number): kernel.scratch[number].elementType
        case .shared(let number): kernel.shared[number].elementType
        }
      return RegisterType(element, lanes: Tile.byteCount / max(1, element.byteCount))
    }
    switch operation {
    case .zero: break
    case .load(_, let memory, let position, _):
      nodes[node].work.loads += Double(Tile.rowCount)
      addAccess(memory, .consecutive(position), type(memory), isStore: false, to: node)
    case .store(_, let memory, let position, _):
      nodes[node].work.stores += Double(Tile.rowCount)
      addAccess(memory, .consecutive(position), type(memory), isStore: true, to: node)
    case .multiplyAdd:
      // 16 × 16 sums of 32 products; a row of the left operand each cycle.
      nodes[node].work.flops += Double(2 * Tile.rowCount * Tile.laneCount * 2 * Tile.laneCount)
      nodes[node].work.tileCycles += Double(Tile.rowCount)
    }
  }

  private mutating func visit(_ loop: Loop, in parent: Int) {
    noteDivisors(loop.lower)
    noteDivisors(loop.upper)
    let node = addNode(
      .loop(variable: loop.variable, lower: loop.lower, upper: loop.upper, step: loop.step), in: parent)
    let isUnrolled = loop.kind == .unrolled || loop.repeatedCount.map { $0 <= Self.unrolledCount } == true
    nodes[node].isUnrolled = isUnrolled
    owners[loop.variable] = node
    for carried in loop.carried {
      dependencies[carried.current.index] = path(to: node)
      arrivals[carried.current.index] = isUnrolled ? arrivals[carried.initial.index] : 0
    }
    visit(loop.body, in: node)
    if !isUnrolled {
      if nodes[node].children.allSatisfy({ nodes[$0].isUnrolled }) {
        nodes[node].latency = loop.carried.compactMap { arrivals[$0.next.index] }.max() ?? 0
      }
      nodes[node].work.scalars += 2
    }
    for carried in loop.carried {
      dependencies[carried.result.index] = path(to: parent)
      let (initial, next) = (arrivals[carried.initial.index], arrivals[carried.next.index])
      arrivals[carried.current.index] = nil
      guard isUnrolled, let initial, let next else { continue }
      arrivals[carried.result.index] = initial + (next - initial) * Double(loop.fixedTrips ?? 0)
    }
  }

  /// The most statements that LLVM makes of a loop by repeating its body.
  private static let unrolledCount = 150

  private mutating func addAccess(
    _ memory: Memory, _ position: Access.Position, _ type: RegisterType, isStore: Bool, to node: Int
  ) {
    nodes[node].accesses.append(
      Access(
        memory: memory, position: position, lanes: type.lanes, byteCount: type.element.byteCount, isStore: isStore))
  }

  /// Counts work that depends on these of the nodes down to `node` where it is done in the code.
  private mutating func add(_ work: Work, to node: Int, _ dependencies: UInt64) {
    var (place, times) = (node, 1.0)
    while nodes[place].isUnrolled {
      if dependencies >> UInt64(nodes[place].depth) & 1 != 0,
        case .loop(_, let lower, let upper, let step) = nodes[place].kind
      {
        times *= Double((values.value(of: upper) - values.value(of: lower) + step - 1) / step)
      }
      place = nodes[place].parent
    }
    nodes[place].work += work * times
  }

  // MARK: Operations

  private mutating func define(_ register: Register, _ operation: Operation, in current: Int) {
    let needed = dependencies(of: operation, in: current)
    dependencies[register.index] = needed
    let place = place(needed, in: current)
    let type = kernel.type(of: register)
    values.define(register, operation, innermostVariable: variable(of: place))
    let inputs = operands(operation).compactMap { arrivals[$0.index] }
    arrivals[register.index] = inputs.max().map { $0 + costs.latency(operation, type) }
    if isShared(operation), !known[place].insert(operation).inserted { return }
    add(work(operation, type), to: place, needed)
    switch operation {
    case .load(let memory, let position, _):
      isLoad[register.index] = true
      noteDivisors(position)
      addAccess(memory, .consecutive(position), type, isStore: false, to: place)
    case .gather(let memory, let positions, _):
      addAccess(memory, .indexed(positions), type, isStore: false, to: place)
    case .index(let expression): noteDivisors(expression)
    default: break
    }
  }

  private func work(_ operation: Operation, _ type: RegisterType) -> Work {
    switch operation {
    case .constant: return Work()
    case .apply(let function, let operands): return costs.work(function, kernel.type(of: operands[0]), type)
    case .multiplyAdd: return costs.multiplyAdd(type)
    case .load(_, let position, let mask):
      var work = costs.access(type, isStore: false, isMasked: mask != nil)
      work.scalars += costs.quotients(position) * 4
      return work
    case .gather(_, _, let mask): return costs.indexed(type, isStore: false, isMasked: mask != nil)
    case .index(let expression): return costs.index(expression, lanes: type.lanes)
    // A scalar in memory is loaded into all lanes at once.
    case .broadcast(let source): return isLoad[source.index] ? Work() : costs.shuffle(type)
    case .extract, .shuffle, .upperHalves, .lookup: return costs.shuffle(type)
    case .fold(let function, let source): return costs.fold(function, kernel.type(of: source))
    case .foldItems, .words, .exchange: return Work()
    case .bfloatProducts: return costs.bfloatProducts(type)
    case .byteProducts, .shortProducts, .fragmentProduct, .timesPowerOfTwo: return costs.multiplyAdd(type)
    }
  }

  private func operands(_ operation: Operation) -> [Register] {
    switch operation {
    case .constant, .index: []
    case .apply(_, let operands): operands
    case .multiplyAdd(let a, let b, let c), .byteProducts(_, let a, let b, let c), .shortProducts(let a, let b, let c),
      .bfloatProducts(let a, let b, let c), .fragmentProduct(_, let a, let b, let c):
      [a, b, c]
    case .load(_, _, let mask): mask.map { [$0] } ?? []
    case .gather(_, let positions, let mask): [positions] + (mask.map { [$0] } ?? [])
    case .broadcast(let source), .extract(let source, _), .fold(_, let source), .foldItems(_, let source),
      .words(let source):
      [source]
    case .shuffle(let a, let b, _), .upperHalves(let a, let b), .timesPowerOfTwo(let a, let b): [a, b]
    case .lookup(_, let index): [index]
    case .exchange(let value, let item): [value, item]
    }
  }

  /// Whether two such operations give one value: all but loads of what the kernel writes.
  private func isShared(_ operation: Operation) -> Bool {
    switch operation {
    case .load(let memory, _, _), .gather(let memory, _, _): isConstant(memory)
    default: true
    }
  }

  private func isConstant(_ memory: Memory) -> Bool {
    switch memory {
    case .buffer(let position): !kernel.buffers[position].isWritten
    case .scratch, .shared: false
    }
  }

  // MARK: Dependencies

  /// All nodes down to one, as bits by depth.
  private func path(to node: Int) -> UInt64 {
    let depth = UInt64(nodes[node].depth)
    return depth >= 63 ? .max : (1 << (depth + 1)) - 1
  }

  private func dependencies(of operation: Operation, in current: Int) -> UInt64 {
    var needed = operands(operation).reduce(0) { $0 | dependencies[$1.index] }
    switch operation {
    case .load(let memory, let position, _):
      if !isConstant(memory) { return path(to: current) }
      needed |= dependencies(of: position)
    case .gather(let memory, _, _): if !isConstant(memory) { return path(to: current) }
    case .index(let position): needed |= dependencies(of: position)
    default: break
    }
    return needed
  }

  private func dependencies(of expression: IntegerExpression) -> UInt64 {
    var needed: UInt64 = 0
    expression.visitAtoms { atom in
      guard case .variable(let variable) = atom else { return }
      if let register = kernel.registerVariables[variable] {
        needed |= dependencies[register.index]
      } else if let owner = owners[variable] {
        needed |= 1 << UInt64(nodes[owner].depth)
      }
    }
    return needed
  }

  /// The outermost node where what depends on these nodes can be done: inside of all of them, and not outside of a branch.
  private func place(_ needed: UInt64, in current: Int) -> Int {
    let deepest = max(0, UInt64.bitWidth - 1 - needed.leadingZeroBitCount)
    var node = current
    while nodes[node].depth > deepest {
      if case .branch = nodes[node].kind { return node }
      node = nodes[node].parent
    }
    return node
  }

  private func variable(of node: Int) -> Int {
    var node = node
    while node > 0 {
      if case .loop(let variable, _, _, _) = nodes[node].kind { return variable }
      node = nodes[node].parent
    }
    return Kernel.taskVariable
  }

  private mutating func noteDivisors(_ expression: IntegerExpression) {
    let values = values
    var found: [(variable: Int, divisor: Int)] = []
    expression.visitAtoms { atom in
      switch atom {
      case .floorDivide(let a, let b), .modulo(let a, let b):
        if let part = values.divisor(a, b) { found.append(part) }
      default: break
      }
    }
    for part in found { divisors[part.variable, default: []].insert(part.divisor) }
  }

  // MARK: Iterations

  private mutating func countIterations(samples: Int) {
    let decides = nodes.indices.map { decidesBounds($0) }
    var depths = decides.map { $0 ? 1 : 0 }
    for node in nodes.indices.dropFirst() { depths[node] += depths[nodes[node].parent] }
    let deepest = max(1, depths.max() ?? 0)
    loopSamples = max(2, Int(pow(Double(samples), 1 / Double(deepest)).rounded()))
    enter(0, times: 1, decides)
  }

  /// Whether bounds or conditions inside of the node depend on its variable.
  private func decidesBounds(_ node: Int) -> Bool {
    guard case .loop = nodes[node].kind else { return false }
    let bit: UInt64 = 1 << UInt64(nodes[node].depth)
    func depends(_ expression: IntegerExpression) -> Bool { dependencies(of: expression) & bit != 0 }
    func decides(_ inner: Int) -> Bool {
      let isDecided =
        switch nodes[inner].kind {
        case .loop(_, let lower, let upper, _): depends(lower) || depends(upper)
        // What memory decides is not known in any iteration.
        case .branch(let condition, _):
          dependencies[condition.index] & bit != 0 && !kernel.usualConditions.contains(condition)
            && values.value(of: condition) != nil
        case .once: false
        }
      return isDecided || nodes[inner].children.contains(where: decides)
    }
    return nodes[node].children.contains(where: decides)
  }

  private mutating func enter(_ node: Int, times: Double, _ decides: [Bool]) {
    nodes[node].entries += times
    switch nodes[node].kind {
    case .once: runBody(of: node, times: times, decides)
    case .branch(let condition, let taken):
      // Where data decide, both ways are as likely, unless one is unusual.
      let known = kernel.usualConditions.contains(condition) ? 1 : values.value(of: condition)
      let share = known.map { ($0 != 0) == taken ? 1.0 : 0.0 } ?? 0.5
      runBody(of: node, times: times * share, decides)
    case .loop(let variable, let lower, let upper, let step):
      let (first, end) = (values.value(of: lower), values.value(of: upper))
      let count = end > first ? (end - first + step - 1) / step : 0
      values[variable] = first
      guard decides[node] else { return runBody(of: node, times: times * Double(count), decides) }
      let samples = min(count, loopSamples)
      for sample in 0..<samples {
        values[variable] = first &+ Int(Double(count) * Double(sample) / Double(samples)) &* step
        runBody(of: node, times: times * Double(count) / Double(samples), decides)
      }
    }
  }

  private mutating func runBody(of node: Int, times: Double, _ decides: [Bool]) {
    guard times > 0 else { return }
    nodes[node].iterations += times
    for child in nodes[node].children { enter(child, times: times, decides) }
  }
}

extension Loop {
  /// The number of iterations, where it does not depend on anything.
  fileprivate var fixedTrips: Int? {
    guard let lower = lower.fixed, let upper = upper.fixed else { return nil }
    return max(0, (upper - lower + step - 1) / step)
  }

  /// The statements that the loop becomes if its body is repeated; nil where that is not possible.
  fileprivate var repeatedCount: Int? {
    guard let trips = fixedTrips else { return nil }
    var count = 0
    for statement in body {
      switch statement {
      case .define(_, .constant): break
      case .define, .store, .scatter, .atomic, .tile: count += 1
      case .prefetch, .barrier: break
      case .branch: return nil
      case .loop(let inner):
        guard let repeated = inner.repeatedCount else { return nil }
        count += repeated
      }
    }
    return count.multipliedReportingOverflow(by: trips).partialValue
  }
}
