internal import Codegen
internal import Foundation
internal import IR

/// What a graph has in it: inputs and outputs, ops, parameters, work, and, where asked for, kernels, launches and memory.
public struct Inspection: Encodable, Hashable, Sendable {
  public struct Tensor: Encodable, Hashable, Sendable {
    public var name: String
    public var type: String
  }

  public struct SymbolRange: Encodable, Hashable, Sendable {
    public var name: String
    public var lower: Int
    public var upper: Int?
  }

  public struct OpCount: Encodable, Hashable, Sendable {
    public var op: String
    public var count: Int
    /// Arithmetic operations of all of them, as an expression of the symbols.
    public var flops: String
  }

  public struct Launch: Encodable, Hashable, Sendable {
    public var name: String
    /// The ops in it, with their places.
    public var ops: [String]
    /// The tasks and, on an OpenCL device, the items of each.
    public var work: String
    /// Where steps may run side by side, the list that it is in: `2 of 3 side by side`.
    public var list: String?
    /// The buffers that it reads and writes.
    public var buffers: [String]
  }

  public struct Memory: Encodable, Hashable, Sendable {
    public var arenaBytes: String
    /// The most that is needed at one time: no plan has a smaller arena.
    public var leastArenaBytes: String
    public var constantBytes: Int
    /// What the arena holds: the place of each buffer.
    public var buffers: [String]

    enum CodingKeys: String, CodingKey {
      case arenaBytes = "arena_bytes"
      case leastArenaBytes = "least_arena_bytes"
      case constantBytes = "constant_bytes"
      case buffers
    }
  }

  public var file: String
  public var function: String
  public var functions: [String]
  public var inputs: [Tensor]
  public var outputs: [Tensor]
  public var symbols: [SymbolRange]
  public var ops: [OpCount]
  public var parameterCount: Int
  public var parameterBytes: Int
  public var flops: String
  /// Whether loops are in the graph, whose bodies are counted once.
  public var hasLoops: Bool
  public var launches: [Launch]?
  public var memory: Memory?
  /// What the kernels take on this machine.
  public var kernels: KernelReport?

  enum CodingKeys: String, CodingKey {
    case file, function, functions, inputs, outputs, symbols, ops, flops, launches, memory, kernels
    case parameterCount = "parameter_count"
    case parameterBytes = "parameter_bytes"
    case hasLoops = "has_loops"
  }

  /// Reads the graph at `path`; with `listsLaunches`, lowers it to kernels too.
  public init(_ path: String, _ options: Options, listsLaunches: Bool) throws(Failure) {
    let pipeline = try Pipeline(options)
    let source = try pipeline.source(path)
    let function = source.function
    file = path
    self.function = function.name
    functions = source.module.functions.filter(\.isPublic).map(\.name)
    inputs = zip(function.parameterNames, function.graph.parameterTypes).map {
      Tensor(name: $0, type: $1.detailedDescription)
    }
    outputs = zip(function.resultNames, function.graph.resultTypes).map {
      Tensor(name: $0, type: $1.detailedDescription)
    }
    symbols = function.symbols.map { symbol in
      let bounds = source.module.symbolBounds[symbol] ?? SymbolBounds()
      return SymbolRange(name: symbol.name, lower: bounds.lower, upper: bounds.upper)
    }
    var census = Census(module: source.module)
    census.count(function.graph)
    ops = census.rows
    parameterCount = census.parameterCount
    parameterBytes = census.parameterByteCount
    flops = census.flops.description
    hasLoops = census.hasLoops
    guard listsLaunches else { return }
    var times = StageTimes()
    let program = try pipeline.programs(
      try pipeline.optimized(source, pipeline.passes, &times), try pipeline.extentNeeds(source), path
    ).first
    let hasItems = options.target.usesOpenCL
    launches = zip(program.allLaunches, program.launchLists).map { launch, list in
      let kernel = program.kernels[launch.kernel]
      return Launch(
        name: kernel.name, ops: kernel.sources,
        work: "\(kernel.taskCount) tasks" + (hasItems ? " x \(kernel.itemCount) items" : ""), list: list,
        buffers: launch.buffers.map { program.describe($0) })
    }
    let arena = program.buffers.indices.filter {
      if case .arena = program.buffers[$0].place { return true }
      return false
    }
    memory = Memory(
      arenaBytes: program.arenaByteCount.description, leastArenaBytes: program.leastArenaByteCount.description,
      constantBytes: program.constantByteCount,
      buffers: arena.map { program.describe(BufferID($0)) })
  }

  public var json: String { JSONText.pretty(self) }

  /// For people.
  public var text: String {
    var lines = ["\(file): function \(function)"]
    lines += inputs.map { "  input  \($0.name): \($0.type)" }
    lines += outputs.map { "  output \($0.name): \($0.type)" }
    lines += symbols.map { "  symbol \($0.name): \($0.lower)..\($0.upper.map(String.init) ?? "")" }
    lines.append("")
    let width = ops.map(\.op.count).max() ?? 0
    lines.append("ops".padded(to: width + 2) + "count".rightAligned(to: 6) + "  operations")
    lines += ops.map {
      $0.op.padded(to: width + 2) + "\($0.count)".rightAligned(to: 6) + "  " + Self.readable($0.flops)
    }
    lines.append("")
    lines.append("parameters  \(Figures.count(Double(parameterCount))) (\(Figures.bytes(Double(parameterBytes))))")
    lines.append("operations  \(Self.readable(flops))\(hasLoops ? ", bodies of loops counted once" : "")")
    if let launches {
      lines.append("")
      lines.append("\(launches.count) kernel launches")
      for (position, launch) in launches.enumerated() {
        lines.append("  \(position) \(launch.name)")
        lines.append("      ops     " + launch.ops.joined(separator: "; "))
        lines.append("      work    " + launch.work)
        if let list = launch.list { lines.append("      list    " + list) }
        lines.append("      buffers " + launch.buffers.joined(separator: ", "))
      }
    }
    if let memory {
      lines.append("")
      lines.append(
        "arena \(Self.readable(memory.arenaBytes)) bytes (at least \(Self.readable(memory.leastArenaBytes))), constants "
          + Figures.bytes(Double(memory.constantBytes)))
      lines += memory.buffers.map { "  \($0)" }
    }
    let table = kernels.map { "\n" + $0.text } ?? ""
    return lines.joined(separator: "\n") + "\n" + table
  }

  private static func readable(_ number: String) -> String { Double(number).map(Figures.count) ?? number }
}

/// Counts ops, constants and work, in nested graphs and called functions too.
private struct Census {
  let module: Module
  private var counts: [String: (count: Int, flops: Extent)] = [:]
  private(set) var parameterCount = 0
  private(set) var parameterByteCount = 0
  private(set) var hasLoops = false
  private var depth = 0

  init(module: Module) { self.module = module }

  var flops: Extent { Extent.sum(counts.values.map(\.flops)) }

  var rows: [Inspection.OpCount] {
    counts.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map {
      Inspection.OpCount(op: $0.key, count: $0.value.count, flops: $0.value.flops.description)
    }
  }

  mutating func count(_ graph: Graph) {
    depth += 1
    defer { depth -= 1 }
    for node in graph.nodes {
      switch node.op {
      case .parameter, .getTupleElement: continue
      case .constant(let constant):
        // Single numbers belong to the ops that use them.
        guard constant.value.elementCount > 1 else { continue }
        parameterCount += constant.value.elementCount
        parameterByteCount += constant.value.byteCount
      case .while(let loop):
        hasLoops = true
        count(loop.condition)
        count(loop.body)
      case .if(let choice):
        count(choice.trueBranch)
        count(choice.falseBranch)
      case .case(let choice):
        for branch in choice.branches { count(branch) }
      case .call(let call):
        // Functions that call each other in a circle are not counted for ever.
        if depth < 64, let callee = module.function(named: call.function) { count(callee.graph) }
        continue
      default: break
      }
      let known = counts[node.op.mnemonic] ?? (0, .zero)
      let work = node.hasSingleResult ? Self.flops(node, graph) : .zero
      counts[node.op.mnemonic] = (known.count + 1, known.flops + work)
    }
  }

  /// A multiplication and an addition for each product that is summed, one for each element of everything else that
  /// computes.
  private static func flops(_ node: Node, _ graph: Graph) -> Extent {
    let operands = node.operands.filter { graph[$0].hasSingleResult }.map { graph.type(of: $0) }
    guard operands.count == node.operands.count else { return .zero }
    let result = node.type.elementCount
    switch node.op {
    case .dotGeneral(let dot):
      let contracted = dot.dimensions.lhsContracting.reduce(Extent.one) { $0 * operands[0].dimensions[$1] }
      return result * contracted * 2
    case .convolution(let convolution):
      let numbers = convolution.dimensionNumbers
      let kernel = operands[1].dimensions
      let taps = numbers.kernelSpatial.reduce(kernel[numbers.kernelInputFeature]) { $0 * kernel[$1] }
      return result * taps * 2
    case .reduce: return operands.first?.elementCount ?? .zero
    case .reduceWindow(let reduction): return reduction.window.reduce(result) { $0 * $1.extent }
    default:
      switch node.op.definition.semantics(operands: operands, results: node.resultTypes) {
      case .pointwise: return result
      default: return .zero
      }
    }
  }
}

extension Program {
  /// All launches, in the order of their numbers.
  var allLaunches: [Launch] {
    var launches: [Launch] = []
    func visit(_ steps: [Step]) {
      for step in steps {
        switch step {
        case .launch(let launch): launches.append(launch)
        case .copy, .size: break
        case .loop(let condition, _, let body):
          visit(condition)
          visit(body)
        case .repetition(_, let body), .roundsAhead(_, let body, _): visit(body)
        case .branch(_, let lists), .concurrent(let lists): lists.forEach(visit)
        case .choice(_, let then, let otherwise):
          visit(then)
          visit(otherwise)
        case .bands(let bands): launches += bands.launches
        }
      }
    }
    visit(steps)
    return launches
  }

  /// For each launch, where steps may run side by side, its list.
  fileprivate var launchLists: [String?] {
    steps.flatMap { step in
      switch step {
      case .concurrent(let lists):
        lists.enumerated().flatMap { number, list in
          [String?](
            repeating: "\(number + 1) of \(lists.count) side by side", count: list.reduce(0) { $0 + $1.launchCount })
        }
      case .bands(let bands):
        (1...bands.launches.count).map {
          "\($0) of \(bands.launches.count) in bands of \(bands.tasksPerRoom) to \(bands.tasksPerRoom * bands.roomsPerBand) tasks"
        }
      default: [String?](repeating: nil, count: step.launchCount)
      }
    }
  }

  /// `output 0: tensor<2x3xf32>`
  fileprivate func describe(_ id: BufferID) -> String {
    let buffer = buffers[id.index]
    let place =
      switch buffer.place {
      case .input(let position): "input \(position)"
      case .output(let position): "output \(position)"
      case .constant(let offset): "constant at \(offset)"
      case .arena(let offset): "arena at \(offset)"
      }
    return "\(place): \(buffer.type.detailedDescription)"
  }
}
