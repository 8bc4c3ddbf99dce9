public import IR

extension Program {
  /// The program of a function whose nodes are grouped in fusions; other nodes become a kernel each.
  ///
  /// Throws `unsupported` where no schedule fits an op.
  public init(_ function: Function, target: Target) throws(OpError) {
    var lowering = ProgramLowering(target: target)
    try lowering.lowerEntry(function)
    self = lowering.program(named: function.name, symbols: function.symbols)
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
private struct ProgramLowering {
  /// A value's elements: a whole buffer of the program under construction.
  typealias Values = [BufferID]

  let target: Target
  var buffers: [DraftBuffer] = []
  var constants: [Program.Constant] = []
  var constantByteCount = 0
  var constantBuffers: [Literal: BufferID] = [:]
  var kernels: [Kernel] = []
  var kernelNames: [String: Int] = [:]
  var steps: [Program.Step] = []
  var inputs: [BufferID] = []
  var outputs: [BufferID] = []

  init(target: Target) { self.target = target }

  // MARK: Buffers

  private mutating func addBuffer(_ type: TensorType, _ place: DraftBuffer.Place) -> BufferID {
    buffers.append(DraftBuffer(type: type, place: place))
    return BufferID(buffers.count - 1)
  }

  private mutating func constantBuffer(_ literal: Literal) -> BufferID {
    // Only small constants are worth comparing.
    let isShared = literal.byteCount <= 4096
    if isShared, let known = constantBuffers[literal] { return known }
    let buffer = addBuffer(literal.type, .constant(byteOffset: constantByteCount))
    constants.append(Program.Constant(byteOffset: constantByteCount, value: literal))
    constantByteCount += (literal.byteCount + Program.alignment - 1) / Program.alignment * Program.alignment
    if isShared { constantBuffers[literal] = buffer }
    return buffer
  }

  // MARK: Graphs

  mutating func lowerEntry(_ function: Function) throws(OpError) {
    let graph = function.graph
    for (position, type) in graph.parameterTypes.enumerated() { inputs.append(addBuffer(type, .input(position))) }
    for (position, type) in graph.resultTypes.enumerated() { outputs.append(addBuffer(type, .output(position))) }
    steps = try lower(graph, arguments: inputs, into: outputs)
  }

  /// The steps that compute `graph` from `arguments` and leave its results in `destinations`.
  private mutating func lower(_ graph: Graph, arguments: [BufferID], into destinations: [BufferID]) throws(OpError)
    -> [Program.Step]
  {
    var steps: [Program.Step] = []
    var values = [Values](repeating: [], count: graph.nodes.count)
    let preferred = preferredBuffers(graph, destinations)
    let live = graph.liveValues
    for (position, node) in graph.nodes.enumerated() {
      let value = ValueID(position)
      guard live[position] || node.op.isParameter else { continue }
      do {
        switch node.op {
        case .parameter(let parameter): values[position] = [arguments[parameter.index]]
        case .constant(let constant): values[position] = [constantBuffer(constant.value)]
        case .getTupleElement(let projection):
          values[position] = [values[node.operands[0].index][projection.index]]
        default:
          let operands = node.operands.map { values[$0.index][0] }
          if isAlias(node) {
            values[position] = operands
            continue
          }
          var targets: [BufferID] = []
          for (result, type) in node.resultTypes.enumerated() {
            targets.append(preferred[Slot(value: value, result: result)] ?? addBuffer(type, .arena))
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

  private struct Slot: Hashable {
    var value: ValueID
    var result: Int
  }

  /// The destination that a result can be written to at once, without a copy at the end.
  private func preferredBuffers(_ graph: Graph, _ destinations: [BufferID]) -> [Slot: BufferID] {
    var preferred: [Slot: BufferID] = [:]
    for (result, destination) in zip(graph.results, destinations) where buffers[destination.index].isWriteOnly {
      var value = result
      var index = 0
      while true {
        let node = graph[value]
        if case .getTupleElement(let projection) = node.op {
          index = projection.index
        } else if !isAlias(node) {
          break
        }
        value = node.operands[0]
      }
      let slot = Slot(value: value, result: index)
      if preferred[slot] == nil { preferred[slot] = destination }
    }
    return preferred
  }

  /// Whether the node's result is its operand's bytes.
  private func isAlias(_ node: Node) -> Bool {
    switch node.op {
    case .reshape: true
    default: false
    }
  }

  private mutating func copies(from sources: [BufferID], to destinations: [BufferID]) -> [Program.Step] {
    let pairs = zip(sources, destinations).filter { $0 != $1 }
    // A source that another copy overwrites is saved first.
    let overwritten = Set(pairs.map(\.1))
    var saved: [BufferID: BufferID] = [:]
    var steps: [Program.Step] = []
    for (source, _) in pairs where overwritten.contains(source) && saved[source] == nil {
      let copy = addBuffer(buffers[source.index].type, .arena)
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
    case .fusion(let fusion):
      try launch(fusion.body, fusion.anchor, node, graph, operands, targets, &steps)
    default:
      let body = try Graph(wrapping: node, operandTypes: node.operands.map { graph.type(of: $0) })
      try launch(body, .init(node, graph), node, graph, operands, targets, &steps)
    }
  }

  private mutating func launch(
    _ body: Graph, _ anchor: Fusion.Anchor, _ node: Node, _ graph: Graph, _ operands: [BufferID], _ targets: [BufferID],
    _ steps: inout [Program.Step]
  ) throws(OpError) {
    var literals: [Literal?] = []
    for operand in node.operands {
      if case .constant(let constant) = graph[operand].op { literals.append(constant.value) } else { literals.append(nil) }
    }
    let request = SchedulingRequest(
      body: body, anchor: anchor, name: uniqueName(body), sources: body.sources, constants: literals, target: target)
    guard let scheduled = Schedule.order.lazy.compactMap({ $0.kernels(request) }).first else {
      let op = body.nodes.last { !$0.op.isParameter }?.op.mnemonic ?? node.op.mnemonic
      throw .unsupported("\(op) has no schedule for these types")
    }
    var temporaries: [BufferID] = []
    for type in scheduled.temporaries { temporaries.append(addBuffer(type, .arena)) }
    var made: [BufferID] = []
    for literal in scheduled.constants { made.append(constantBuffer(literal)) }
    for launch in scheduled.launches {
      kernels.append(launch.kernel)
      let arguments = launch.arguments.map { argument in
        switch argument {
        case .operand(let position): operands[position]
        case .result(let position): targets[position]
        case .temporary(let position): temporaries[position]
        case .constant(let position): made[position]
        }
      }
      steps.append(.launch(Program.Launch(kernel: kernels.count - 1, buffers: arguments)))
    }
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
    let stem = names.suffix(4).joined(separator: "_")
    let count = kernelNames[stem, default: 0]
    kernelNames[stem] = count + 1
    return count == 0 ? stem : "\(stem)_\(count)"
  }

  // MARK: The program

  /// Only constants that some kernel, copy or output reads are kept.
  func program(named name: String, symbols: [Symbol]) -> Program {
    var plan = MemoryPlan(steps: steps, buffers: buffers)
    plan.place()
    return Program(
      name: name, symbols: symbols, buffers: plan.placed, constants: constants, kernels: kernels, steps: steps,
      arenaByteCount: plan.byteCount, inputs: inputs, outputs: outputs)
  }
}

/// A buffer before the memory plan gave it its place.
struct DraftBuffer {
  enum Place {
    case input(Int)
    case output(Int)
    case constant(byteOffset: Int)
    case arena
  }
  var type: TensorType
  var place: Place

  /// Whether nothing reads it before the end.
  var isWriteOnly: Bool {
    if case .output = place { return true }
    return false
  }
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
    case .scatter: self = .scatter
    case .sort: self = .sort
    case .opaque, .control: self = .opaque
    case .leaf, .position, .pointwise, .movement: self = .loop
    }
  }
}
