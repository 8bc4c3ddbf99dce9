import Driver
import IR
import Synchronization

/// How graphs are computed in this process.
public struct Execution: Hashable, Sendable {
  /// How exact products and sums of `Float` are.
  public enum Precision: String, Hashable, Sendable, CaseIterable {
    /// Errors like those of a sum in `Float`.
    case f32
    /// Operations of `Float` only.
    case f32Strict = "f32-strict"
    /// Operands may be rounded to 16 bits of significand.
    case fast
    /// Operands may be rounded to bfloat16; sums are of `Float`.
    case bf16
  }

  @TaskLocal public static var current = Execution()

  public var precision = Precision.f32
  /// The most threads that work on a graph; 0 for the CPUs that the process may use.
  public var threads = 0
  /// Whether ops are fused into common kernels.
  public var fuses = true

  public init() {}

  var options: Options {
    var options = Options()
    options.precision = Options.Precision(rawValue: precision.rawValue) ?? .f32
    options.threads = threads
    options.fuses = fuses
    return options
  }
}

/// Computes graphs: small ones by each op's meaning at first, all others compiled, once for each graph.
///
/// A graph is interpreted until that has cost about what compiling costs.
final class Engine: Sendable {
  static let shared = Engine()

  private struct Key: Hashable {
    let graph: Graph
    let execution: Execution
  }

  private struct State {
    var known: [Key: KnownGraph] = [:]
    var clock = 0
  }

  private let state = Mutex(State())

  /// More graphs than these are not kept; the ones used least recently go first.
  private static let graphLimit = 2048

  /// The results for arguments that have the types of the graph's parameters.
  func run(_ graph: Graph, _ arguments: [TensorBuffer]) throws -> [TensorBuffer] {
    try known(graph, Execution.current).run(graph, arguments)
  }

  private func known(_ graph: Graph, _ execution: Execution) -> KnownGraph {
    let key = Key(graph: graph, execution: execution)
    return state.withLock { state in
      state.clock += 1
      if let known = state.known[key] {
        known.lastUse.store(state.clock, ordering: .relaxed)
        return known
      }
      let known = KnownGraph(graph, execution, firstUse: state.clock)
      state.known[key] = known
      if state.known.count > Self.graphLimit {
        let oldest = state.clock - Self.graphLimit / 2
        state.known = state.known.filter { $0.value.lastUse.load(ordering: .relaxed) > oldest }
      }
      return known
    }
  }
}

/// A graph that was run before, with what is kept of it.
private final class KnownGraph: Sendable {
  private struct State: ~Copyable {
    var interpretedWork = 0.0
    var compiled: CompiledFunction?
  }

  /// The number of the run that was the last one, among those of all graphs.
  let lastUse: Atomic<Int>
  private let execution: Execution
  private let work: Double
  private let resultTypes: [(element: ElementType, dimensions: [Int])]
  /// Locked for a whole run: a compiled function has one arena.
  private let state = Mutex(State())

  /// The interpreter does so many element operations in the time in which a small graph is compiled.
  private static let worthCompiling = 1_000_000.0

  init(_ graph: Graph, _ execution: Execution, firstUse: Int) {
    lastUse = Atomic(firstUse)
    self.execution = execution
    work = graph.work
    resultTypes = graph.resultTypes.map { ($0.elementType, $0.fixedDimensions ?? []) }
  }

  func run(_ graph: Graph, _ arguments: [TensorBuffer]) throws -> [TensorBuffer] {
    try state.withLock { state in
      if state.compiled == nil {
        state.interpretedWork += work
        guard state.interpretedWork > Self.worthCompiling else {
          return try graph.evaluate(arguments.map(\.literal)).map { TensorBuffer($0) }
        }
        state.compiled = try CompiledFunction(
          Function(name: "main", graph: graph), in: Module(), execution.options)
      }
      let results = resultTypes.map { TensorBuffer($0.element, $0.dimensions) }
      try state.compiled?.run(arguments.map(\.memory), into: results.map(\.memory))
      return results
    }
  }
}

extension TensorBuffer {
  fileprivate var memory: TensorMemory {
    TensorMemory(data: data, elementType: type.elementType, dimensions: dimensions)
  }
}

extension Graph {
  /// About how many operations on elements `evaluate` does. Loops count as many, for their rounds are not known.
  fileprivate var work: Double {
    nodes.reduce(0) { sum, node in
      let operands = node.operands.map { self[$0].resultTypes[0].count }
      let most = (operands + node.resultTypes.map(\.count)).max() ?? 0
      return switch node.op {
      case .parameter, .constant, .getTupleElement: sum
      case .while, .sort: sum + 1e7
      case .dotGeneral, .convolution: sum + (operands.reduce(node.type.count, *)).squareRoot()
      default: sum + most * Double(1 + node.op.definition.regions.map(\.nodes.count).reduce(0, +))
      }
    }
  }
}

extension TensorType {
  fileprivate var count: Double { (fixedDimensions ?? []).reduce(1) { $0 * Double($1) } }
}
