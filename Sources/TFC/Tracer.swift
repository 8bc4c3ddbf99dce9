import GraphBuilding
import IR
import Synchronization

/// The graph under construction while a function of tensors runs.
struct Trace: GraphBuilder, Sendable {
  var construction: Construction
  let location = Location.unknown
  /// Tensors with elements that the graph reads, in the order of the parameters that stand for them.
  fileprivate(set) var captured: [TensorBuffer] = []
  private var parameters: [ObjectIdentifier: Value] = [:]

  init() { construction = Construction(SymbolFacts(bounds: [:])) }

  /// Adds a parameter that is given in a call; these come before all captured tensors.
  mutating func argument(_ type: TensorType, name: String = "") -> Value {
    precondition(captured.isEmpty, "arguments come before captured tensors")
    return mainParameter(type, name: name)
  }

  /// The parameter that stands for a tensor with elements.
  fileprivate mutating func value(of buffer: TensorBuffer) -> Value {
    let identity = ObjectIdentifier(buffer)
    if let value = parameters[identity] { return value }
    captured.append(buffer)
    let value = mainParameter(buffer.type)
    parameters[identity] = value
    return value
  }
}

/// A graph that functions of tensors append to, one call an op.
///
/// The functions that run while `current` is set may call each other on several threads; a lock makes their calls follow
/// each other.
final class Tracer: Sendable {
  @TaskLocal static var current: Tracer?

  static let escape =
    "a tensor that was computed inside of a graph was kept outside of it; only results, inout parameters and what the"
    + " function itself assigns come back"

  private let trace = Mutex(Trace())

  func with<Result: Sendable>(_ body: (inout Trace) throws(OpError) -> Result) throws(OpError) -> Result {
    try trace.withLock { (trace) throws(OpError) in try body(&trace) }
  }

  /// The values of tensors in this graph.
  func values(of tensors: [Storage], _ trace: inout Trace) throws(OpError) -> [Value] {
    var values: [Value] = []
    for tensor in tensors {
      switch tensor {
      case .buffer(let buffer): values.append(trace.value(of: buffer))
      case .traced(let tracer, let value):
        guard tracer === self else { throw OpError(Self.escape) }
        values.append(value)
      }
    }
    return values
  }

  func append(_ operands: [Storage], _ build: Build) throws(OpError) -> [Storage] {
    try with { (trace) throws(OpError) in
      let values = try self.values(of: operands, &trace)
      return try build(&trace, values).map { .traced(self, $0) }
    }
  }

  /// The graph with these results; the captured tensors follow the arguments.
  func graph(_ results: [Storage]) throws(OpError) -> (graph: Graph, captured: [TensorBuffer]) {
    try with { (trace) throws(OpError) in
      var graph = trace.graph
      var ids: [ValueID] = []
      for value in try values(of: results, &trace) { ids.append(try trace.node(of: value)) }
      graph = trace.graph
      graph.results = ids
      return (graph, trace.captured)
    }
  }

  /// Runs the graph with these arguments, and gives the results' elements.
  func run(_ results: [Storage], _ arguments: [TensorBuffer] = []) throws -> [Storage] {
    let (graph, captured) = try graph(results)
    for type in graph.resultTypes where !type.hasFixedShape {
      throw OpError("\(type.detailedDescription) has named extents, which only a TracedFunction may have")
    }
    return try Engine.shared.run(graph, arguments + captured).map { .buffer($0) }
  }
}
