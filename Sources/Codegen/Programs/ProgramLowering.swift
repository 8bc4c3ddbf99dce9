public import IR

extension Program {
  /// The program of a function whose nodes are grouped in fusions; other nodes become a kernel each.
  ///
  /// `bounds` and `checks` are what ops need of the symbols that data decides. Throws `unsupported` where no schedule fits an op.
  public init(
    _ function: Function, bounds: [Symbol: SymbolBounds] = [:], checks: [Check] = [], target: Target,
    precision: ProductPrecision = .f32, tuning: Tuning = Tuning()
  ) throws(OpError) {
    var lowering = ProgramLowering(target: target, precision: precision, tuning: tuning)
    lowering.bounds = bounds
    lowering.checks = checks
    try lowering.lowerEntry(function)
    self = lowering.program(named: function.name, symbols: function.symbols)
  }

  /// The fusions of the program that `init` makes without tuning.
  public static func requests(
    _ function: Function, target: Target, precision: ProductPrecision = .f32
  ) throws(OpError) -> [ScheduledRequest] {
    var lowering = ProgramLowering(target: target, precision: precision, tuning: Tuning())
    try lowering.lowerEntry(function)
    return lowering.requests
  }
}

extension Function {
  /// The symbols in the parameters' extents, in order of appearance.
  public var symbols: [Symbol] {
    var found: [Symbol] = []
    for type in graph.parameterTypes {
      for extent in type.dimensions {
        for symbol in extent.symbols.sorted() where !found.contains(symbol) { found.append(symbol) }
      }
    }
    return found
  }
}

/// Walks graphs and writes the host program: which buffer holds each value, which kernels run in which order.
struct ProgramLowering {
  /// A value's elements: a whole buffer of the program under construction.
  typealias Values = [BufferID]

  let target: Target
  let precision: ProductPrecision
  let tuning: Tuning
  var bandRules = BandSizing.Rules()
  var requests: [ScheduledRequest] = []
  var buffers: [DraftBuffer] = []
  var constants: [Program.Constant] = []
  var constantByteCount = 0
  var constantBuffers: [Literal: BufferID] = [:]
  var constantLiterals: [BufferID: Literal] = [:]
  /// Scalars that are extents.
  var extentValues: [BufferID: Extent] = [:]
  var kernels: [Kernel] = []
  var kernelNames: [String: Int] = [:]
  var steps: [Program.Step] = []
  var inputs: [BufferID] = []
  var outputs: [BufferID] = []
  var aliases: [Int?] = []
  /// The input buffers that outputs may share their memory with.
  var sharedInputs: [BufferID: BufferID] = [:]
  /// The symbols that data decides, and those of them that a step has decided.
  var dataSymbols: [DataSymbol] = []
  var bounds: [Symbol: SymbolBounds] = [:]
  var decided: Set<Symbol> = []
  /// What is to be checked when the symbols in it are decided.
  var checks: [Program.Check] = []
  var checkSentences: [String] = []

  init(target: Target, precision: ProductPrecision, tuning: Tuning) {
    self.target = target
    self.precision = precision
    self.tuning = tuning
  }

  // MARK: Buffers

  mutating func addBuffer(_ type: TensorType, _ place: DraftBuffer.Place) -> BufferID {
    buffers.append(DraftBuffer(type: type, place: place))
    return BufferID(buffers.count - 1)
  }

  /// The first of the buffers in the arena that share this one's bytes; nil for a buffer that is not there.
  func root(of buffer: BufferID) -> BufferID? {
    guard case .arena(let sharing) = buffers[buffer.index].place else { return nil }
    return sharing ?? buffer
  }

  /// Whether the buffers are the same bytes.
  private func areSame(_ a: BufferID, _ b: BufferID) -> Bool {
    if a == b { return true }
    guard let root = root(of: a) else { return false }
    return root == self.root(of: b)
  }

  /// The bytes that a buffer is, which others may be too.
  func bytes(of buffer: BufferID) -> InvariantSteps.Bytes {
    if let root = root(of: buffer) { return .init(first: root, isInArena: true) }
    return .init(first: sharedInputs[buffer] ?? buffer, isInArena: false)
  }

  private mutating func constantBuffer(_ literal: Literal) -> BufferID {
    // Only small constants are worth comparing.
    let isShared = literal.byteCount <= 4096
    if isShared, let known = constantBuffers[literal] { return known }
    let buffer = addBuffer(literal.type, .constant(byteOffset: constantByteCount))
    constants.append(Program.Constant(byteOffset: constantByteCount, value: literal))
    constantLiterals[buffer] = literal
    constantByteCount += (literal.byteCount + Program.alignment - 1) / Program.alignment * Program.alignment
    if isShared { constantBuffers[literal] = buffer }
    return buffer
  }

  // MARK: Graphs

  mutating func lowerEntry(_ function: Function) throws(OpError) {
    let graph = try function.graph.decidingExtentsFirst()
    dataSymbols = try graph.dataSymbols()
    try graph.checkSizes(dataSymbols)
    // What only ops without use needed is not decided.
    let known = Set(function.symbols).union(dataSymbols.map(\.symbol))
    checks.removeAll { !$0.symbols.isSubset(of: known) }
    for (position, type) in graph.parameterTypes.enumerated() { inputs.append(addBuffer(type, .input(position))) }
    for (position, type) in graph.resultTypes.enumerated() { outputs.append(addBuffer(type, .output(position))) }
    aliases = validAliases(of: function)
    for (position, alias) in aliases.enumerated() {
      if let alias { sharedInputs[outputs[position]] = inputs[alias] }
    }
    let overwritten = OverwrittenParameters(graph)
    let direct = aliases.enumerated().map { position, alias in
      alias.map { overwritten.isWritten(position, over: $0) } ?? true
    }
    steps = try lower(graph, arguments: inputs, into: outputs, direct: direct)
    if target.hasThreads { steps = concurrent(banded(steps)) }
    for buffer in buffers where buffer.type.byteCount.most(dataSymbols) == nil {
      throw .unsupported("\(buffer.type), whose size that data decides has no bound")
    }
  }

  private func concurrent(_ steps: [Program.Step]) -> [Program.Step] {
    ConcurrentSteps(
      steps, kernels, byteCount: { buffers[$0.index].type.byteCount }, bytes: { bytes(of: $0).first }
    ).steps
  }

  /// The aliases of results that have their parameter's type; of two for one parameter, the first.
  private func validAliases(of function: Function) -> [Int?] {
    let graph = function.graph
    var taken: Set<Int> = []
    return graph.resultTypes.enumerated().map { position, type in
      guard let alias = function.aliases[position], graph.parameterTypes[alias] == type, taken.insert(alias).inserted
      else { return nil }
      return alias
    }
  }

  /// The steps that compute `graph` from `arguments` and leave its results in `destinations`.
  ///
  /// Where `direct` says so nothing in the graph reads the destination too late, and the result is written there at
  /// once; other results are copied at the end.
  mutating func lower(
    _ graph: Graph, arguments: [BufferID], into destinations: [BufferID], direct: [Bool]
  ) throws(OpError) -> [Program.Step] {
    var steps: [Program.Step] = []
    var values = [Values](repeating: [], count: graph.nodes.count)
    let preferred = preferredBuffers(graph, destinations, direct)
    let live = graph.liveValues
    let read = graph.readValues
    let dying = DyingOperands(graph)
    for (position, node) in graph.nodes.enumerated() {
      let value = ValueID(position)
      guard live[position] || node.op.isParameter else { continue }
      do {
        switch node.op {
        case .parameter(let parameter): values[position] = [arguments[parameter.index]]
        case .constant(let constant) where constant.value.isFilled && read[position]:
          let filled =
            preferred[ResultSlot(value: value, result: 0)] ?? addBuffer(constant.value.type, .arena(sharing: nil))
          values[position] = [filled]
          var body = Graph()
          body.results = [try body.append(node.op, [])]
          try launch(body, .loop, value, graph, [], [filled], &steps)
        case .constant(let constant): values[position] = [constantBuffer(constant.value)]
        case .optimizationBarrier: values[position] = node.operands.map { values[$0.index][0] }
        case .getTupleElement(let projection):
          values[position] = [values[node.operands[0].index][projection.index]]
        default:
          let operands = node.operands.map { values[$0.index][0] }
          if node.isAlias {
            if case .setDimensionSize(let op) = node.op { steps.append(size(op, node, graph, operands)) }
            values[position] = [operands[0]]
            continue
          }
          var targets: [BufferID] = []
          for (result, operand) in dying.overwritten(at: position).enumerated() {
            let place = DraftBuffer.Place.arena(sharing: operand.flatMap { root(of: operands[$0]) })
            let slot = ResultSlot(value: value, result: result)
            targets.append(preferred[slot] ?? addBuffer(node.resultTypes[result], place))
            // A buffer of the graph's results has another value before.
            if preferred[slot] == nil { extentValues[targets[result]] = node.extentValue(result) }
          }
          values[position] = targets
          try lower(node, value, graph, operands, targets, &steps)
        }
      } catch {
        throw error.at(node.location)
      }
    }
    let results = graph.results.map { values[$0.index][0] }
    steps += copies(from: results, to: destinations)
    return steps
  }

  /// The destination that a result can be written to at once, without a copy at the end.
  private func preferredBuffers(
    _ graph: Graph, _ destinations: [BufferID], _ direct: [Bool]
  ) -> [ResultSlot: BufferID] {
    var preferred: [ResultSlot: BufferID] = [:]
    for (position, result) in graph.results.enumerated() where direct[position] {
      let slot = graph.origin(of: result)
      // Of more elements than the destination has room for, the first ones are copied.
      let byteCount = graph[slot.value].resultTypes[slot.result].byteCount
      let room = graph.type(of: result).byteCount
      guard byteCount == room || byteCount == room.most(dataSymbols) else { continue }
      if preferred[slot] == nil { preferred[slot] = destinations[position] }
    }
    return preferred
  }

  mutating func copies(from sources: [BufferID], to destinations: [BufferID]) -> [Program.Step] {
    let pairs = zip(sources, destinations).filter { !areSame($0, $1) }
    // A source that another copy overwrites is saved first.
    let destinations = pairs.map(\.1)
    let overwritten = Set(destinations + destinations.compactMap { sharedInputs[$0] })
    var saved: [BufferID: BufferID] = [:]
    var steps: [Program.Step] = []
    for (source, _) in pairs where overwritten.contains(source) && saved[source] == nil {
      let copy = addBuffer(buffers[source.index].type, .arena(sharing: nil))
      saved[source] = copy
      steps.append(.copy(from: source, to: copy))
    }
    for (source, destination) in pairs { steps.append(.copy(from: saved[source] ?? source, to: destination)) }
    return steps
  }

  // MARK: Nodes

  private mutating func lower(
    _ node: Node, _ value: ValueID, _ graph: Graph, _ operands: [BufferID], _ targets: [BufferID],
    _ steps: inout [Program.Step]
  ) throws(OpError) {
    switch node.op {
    case .while(let loop):
      steps += try lower(loop, operands, targets)
    case .if(let choice):
      steps += try branch(on: operands, [choice.trueBranch, choice.falseBranch], targets)
    case .case(let choice):
      steps += try branch(on: operands, choice.branches, targets)
    case .fusion(let fusion):
      try launch(fusion.body, fusion.anchor, value, graph, operands, targets, &steps)
    default:
      let body = try Graph(wrapping: node, operandTypes: node.operands.map { graph.type(of: $0) })
      try launch(body, .init(node, graph), value, graph, operands, targets, &steps)
    }
  }

  private mutating func branch(on operands: [BufferID], _ branches: [Graph], _ targets: [BufferID]) throws(OpError)
    -> [Program.Step]
  {
    let arguments = Array(operands.dropFirst())
    var lists: [[Program.Step]] = []
    for graph in branches {
      lists.append(
        try lower(graph, arguments: arguments, into: targets, direct: targets.map { _ in true }))
    }
    if target.readsAreWaits, let steps = guarding(lists, byIndex: operands[0]) { return steps }
    return [.branch(index: operands[0], branches: lists)]
  }

  private mutating func launch(
    _ body: Graph, _ anchor: Fusion.Anchor, _ value: ValueID, _ graph: Graph, _ operands: [BufferID],
    _ targets: [BufferID], _ steps: inout [Program.Step]
  ) throws(OpError) {
    // A loop's body sees the constants of the graph around it through its captures.
    let literals: [Literal?] = zip(operands, body.parameterTypes).map { buffer, type in
      guard let literal = constantLiterals[buffer], let dimensions = type.fixedDimensions else { return nil }
      // A buffer may hold more than the first elements, which are the value.
      guard literal.elementType == type.elementType, literal.elementCount == dimensions.reduce(1, *) else { return nil }
      return literal.reshaped(dimensions)
    }
    var request = SchedulingRequest(
      body: body, anchor: anchor, name: uniqueName(body), sources: body.sources, constants: literals, target: target,
      precision: precision, operandTakenOver: targets.count == 1 ? operands.firstIndex { areSame($0, targets[0]) } : nil
    )
    request.neededPrefix = graph.neededPrefix(of: value, sortedBy: body)
    guard let scheduled = Schedule.scheduled(tuning.tuned(request)) else {
      let ops = body.nodes.map(\.op).filter { op in
        if case .getTupleElement = op { return false }
        return !op.isParameter
      }
      if case .customCall(let call)? = ops.last { throw .unsupported("stablehlo.custom_call @\(call.target)") }
      let op = (ops.last ?? graph[value].op).mnemonic
      throw .unsupported("\(op) has no schedule for these types")
    }
    var temporaries: [BufferID] = []
    for type in scheduled.temporaries { temporaries.append(addBuffer(type, .arena(sharing: nil))) }
    var made: [BufferID] = []
    for literal in scheduled.constants { made.append(constantBuffer(literal)) }
    let first = kernels.count
    var numbers: [Kernel: Int] = [:]
    steps += bound(scheduled.steps, &numbers) { argument in
      switch argument {
      case .operand(let position): operands[position]
      case .result(let position): targets[position]
      case .temporary(let position): temporaries[position]
      case .constant(let position): made[position]
      }
    }
    requests.append(ScheduledRequest(request: request, kernels: first..<kernels.count))
  }

  /// The steps with buffers for their kernels' arguments; a kernel that is launched at several places is kept once.
  private mutating func bound(
    _ steps: [ScheduledFusion.Step], _ numbers: inout [Kernel: Int], _ buffer: (ScheduledFusion.Argument) -> BufferID
  ) -> [Program.Step] {
    var list: [Program.Step] = []
    for step in steps {
      switch step {
      // A kernel without tasks has nothing to write.
      case .launch(let launch) where launch.kernel.taskCount == .zero: continue
      case .launch(let launch):
        let number = numbers[launch.kernel] ?? kernels.count
        if number == kernels.count { kernels.append(timed(launch.kernel)) }
        numbers[launch.kernel] = number
        list.append(.launch(Program.Launch(kernel: number, buffers: launch.arguments.map(buffer))))
      case .choice(let condition, let then, let otherwise):
        let test: Program.Condition =
          switch condition {
          case .hasTiles(let format): .hasTiles(format)
          case .atLeast(let extent, let least): .atLeast(extent, least)
          case .holds(let argument): .holds(buffer(argument))
          }
        let (first, second) = (bound(then, &numbers, buffer), bound(otherwise, &numbers, buffer))
        list.append(.choice(test, then: first, otherwise: second))
      }
    }
    return list
  }

  /// The kernel with the time that its operations are expected to take.
  private func timed(_ kernel: Kernel) -> Kernel {
    guard target.hasThreads else { return kernel }
    var kernel = kernel
    kernel.setOperationTime(expectedOn: target)
    return kernel
  }

  /// A name that tells what the kernel does: its op names, shortened, and a number where that is taken.
  private mutating func uniqueName(_ body: Graph) -> String {
    var names: [String] = []
    for node in body.nodes where !node.op.isParameter {
      if case .constant = node.op { continue }
      if case .getTupleElement = node.op { continue }
      let name = node.op.mnemonic.split(separator: ".").last.map { String($0) } ?? node.op.mnemonic
      if names.last != name { names.append(name) }
    }
    return uniqueName(names.suffix(4).joined(separator: "_"))
  }

  /// The name, with a number where it is taken.
  mutating func uniqueName(_ stem: String) -> String {
    let count = kernelNames[stem, default: 0]
    kernelNames[stem] = count + 1
    return count == 0 ? stem : "\(stem)_\(count)"
  }

  /// Decides an extent, or checks what decides it again.
  private mutating func size(_ op: SetDimensionSize, _ node: Node, _ graph: Graph, _ operands: [BufferID])
    -> Program.Step
  {
    var most = graph.type(of: node.operands[0]).dimensions[op.dimension]
    var least = 0
    var isDefinition = false
    if case .symbol(let symbol)? = op.extent.atom, dataSymbols.contains(where: { $0.symbol == symbol }) {
      isDefinition = decided.insert(symbol).inserted
      // What other ops need of the size, and what the memory has room for.
      if let known = dataSymbols.first(where: { $0.symbol == symbol })?.most { most = .minimum(known, most) }
      least = max(0, bounds[symbol]?.lower ?? 0)
      if let upper = bounds[symbol]?.upper { most = .minimum(Extent(upper), most) }
    }
    let place = node.location == .unknown ? op.mnemonic : "\(op.mnemonic), \(node.location)"
    let range = isDefinition ? "from \(least) to \(most)" : "\(op.extent)"
    checkSentences.append("a size that the data decides must be \(range) (\(place))")
    var size = Program.Size(
      scalar: operands[1], extent: op.extent, isDefinition: isDefinition, least: least, most: most,
      check: checkSentences.count - 1)
    let open = Set(dataSymbols.map(\.symbol)).subtracting(decided)
    for check in checks where check.symbols.isDisjoint(with: open) {
      size.checks.append(Program.NumberedCheck(check: check, number: checkSentences.count))
      checkSentences.append(check.sentence)
    }
    checks.removeAll { $0.symbols.isDisjoint(with: open) }
    return .size(size)
  }

  // MARK: The program

  /// Only constants that some kernel, copy or output reads are kept.
  func program(named name: String, symbols: [Symbol]) -> Program {
    let plan = MemoryPlan(steps: steps, buffers: buffers, dataSymbols: dataSymbols)
    var placed = plan.placed
    var used: Set<Int> = []
    for step in steps {
      step.forEachAccess(in: kernels) { buffer, _ in
        if case .constant(let byteOffset) = placed[buffer.index].place { used.insert(byteOffset) }
      }
    }
    var offsets: [Int: Int] = [:]
    var kept: [Program.Constant] = []
    var byteCount = 0
    for constant in constants where used.contains(constant.byteOffset) {
      offsets[constant.byteOffset] = byteCount
      kept.append(Program.Constant(byteOffset: byteCount, value: constant.value))
      byteCount += (constant.value.byteCount + Program.alignment - 1) / Program.alignment * Program.alignment
    }
    for index in placed.indices {
      if case .constant(let byteOffset) = placed[index].place {
        // Nothing reads the constants that are not kept.
        placed[index].place = .constant(byteOffset: offsets[byteOffset] ?? 0)
      }
    }
    return Program(
      name: name, symbols: symbols + dataSymbols.map(\.symbol), buffers: placed, constants: kept, kernels: kernels,
      steps: steps, arenaByteCount: plan.byteCount, inputs: inputs, outputs: outputs, aliases: aliases,
      dataSymbols: dataSymbols, checkSentences: checkSentences)
  }
}

extension Node {
  /// The extent that a result is.
  fileprivate func extentValue(_ result: Int) -> Extent? {
    switch op {
    case .extentValue(let value): return value.extent
    case .fusion(let fusion):
      guard case .extentValue(let value) = fusion.body[fusion.body.results[result]].op else { return nil }
      return value.extent
    default: return nil
    }
  }
}

/// A buffer before the memory plan gave it its place.
struct DraftBuffer {
  enum Place {
    case input(Int)
    case output(Int)
    case constant(byteOffset: Int)
    /// In the arena; over the bytes of another buffer there, which has as many.
    case arena(sharing: BufferID?)
  }
  var type: TensorType
  var place: Place
}

extension Graph {
  /// A graph of one node, whose operands are its parameters and whose results are its own.
  init(wrapping node: Node, operandTypes: [TensorType]) throws(OpError) {
    self.init()
    var operands: [ValueID] = []
    for type in operandTypes { operands.append(addParameter(type)) }
    let value = appendUnchecked(
      Node(op: node.op, operands: operands, resultTypes: node.resultTypes, location: node.location))
    results = results(of: value)
  }

  /// The ops with their places, for comments and profiles.
  var sources: [String] {
    nodes.compactMap { node in
      if node.op.isParameter { return nil }
      switch node.op {
      case .constant, .getTupleElement: return nil
      default: return node.location == .unknown ? node.op.mnemonic : "\(node.op.mnemonic) (\(node.location))"
      }
    }
  }
}

extension Fusion.Anchor {
  /// The anchor of a kernel that computes just this node.
  init(_ node: Node, _ graph: Graph) {
    switch node.op.definition.semantics(operands: node.operands.map { graph.type(of: $0) }, results: node.resultTypes) {
    case .reduction: self = .reduction
    case .contraction: self = .contraction
    case .window: self = .window
    case .lines: self = .lines
    case .scatter: self = .scatter
    case .sort: self = .sort
    case .opaque, .control: self = .opaque
    case .leaf, .position, .pointwise, .movement: self = .loop
    }
  }
}

extension Graph {
  /// Throws where a result may need more room than callers are told.
  fileprivate func checkSizes(_ decided: [DataSymbol]) throws(OpError) {
    if decided.isEmpty { return }
    let most = Dictionary(uniqueKeysWithValues: decided.map { ($0.symbol, $0.most) })
    for type in resultTypes {
      for extent in type.dimensions {
        let largest = extent.substituting { atom in
          if case .symbol(let symbol) = atom { return most[symbol] }
          return nil
        }
        if largest == extent.most(decided) { continue }
        throw .unsupported("a result of \(type), which is not largest where the size that data decides is")
      }
    }
  }

  /// Whether a node or a result reads each value.
  fileprivate var readValues: [Bool] {
    var read = [Bool](repeating: false, count: nodes.count)
    for value in results { read[value.index] = true }
    for node in nodes {
      for operand in node.operands { read[operand.index] = true }
    }
    return read
  }
}

extension Literal {
  /// Whether it is one number so often that a kernel writes it where it is read, rather than that the artifact holds it.
  fileprivate var isFilled: Bool { isSplat && byteCount > 1 << 16 }
}
