import Driver
import Foundation
import GraphBuilding
import IR

/// The type of an argument of a traced function: its name, its element type and its dimensions, of which some may be named.
///
///     TensorSpec<Float>("image", ["batch", 28, 28, 1])
public struct TensorSpec<Scalar: TensorScalar>: Sendable {
  public var name: String
  public var dimensions: [TensorDimension]

  public init(_ name: String, _ dimensions: [TensorDimension]) {
    self.name = name
    self.dimensions = dimensions
  }
}

/// Why a function cannot be compiled, or a file not be read or written.
public struct GraphError: Error, CustomStringConvertible {
  public let description: String

  init(_ sentence: String) { description = sentence }

  init(_ failure: Failure) {
    description = failure.diagnostics.map { "\($0)" }.joined(separator: "\n")
  }
}

/// A function as a graph: to be read as StableHLO, or compiled into a library with a C header that needs no Swift.
///
/// The tensors that it reads from outside become constants. Named dimensions are decided by each call of the library.
///
///     let classify = TracedFunction("classify", TensorSpec<Float>("image", ["batch", 784])) { image in model(image) }
///     try classify.compile(to: "libclassify.so")
public struct TracedFunction: Sendable {
  private let module: Module

  /// Traces a function; the names of its results are `out0`, `out1`, … or, of groups with members, the members'.
  public init<each Argument: TensorScalar, Result: TensorGroup>(
    _ name: String, _ specs: repeat TensorSpec<each Argument>, body: (repeat Tensor<each Argument>) throws -> Result
  ) rethrows {
    let tracer = Tracer()
    let arguments = (repeat tracer.argument(each specs))
    let result = try Tracer.$current.withValue(tracer) { try body(repeat each arguments) }
    var names: [String] = []
    for spec in repeat each specs { names.append(spec.name) }
    do {
      let (graph, captured) = try tracer.graph(result.tensors)
      let paths = result.structure.paths
      var function = Function(
        name: name, graph: graph.replacingLastParameters(by: captured.map(\.literal)), parameterNames: names)
      if paths.allSatisfy({ !$0.isEmpty }) { function.resultNames = paths }
      module = Module(name: name, functions: [function])
    } catch {
      refuse(error)
    }
  }

  /// The graph as StableHLO text.
  public var stableHLO: String { module.irText() }

  /// Compiles the function into a shared library at `path` and a C header beside it, as `tfc compile` does.
  public func compile(to path: String) throws(GraphError) {
    do throws(Failure) {
      try module.functions[0].compile(in: module, Execution.current.options, to: path)
    } catch {
      throw GraphError(error)
    }
  }
}

extension Tracer {
  fileprivate func argument<Scalar>(_ spec: TensorSpec<Scalar>) -> Tensor<Scalar> {
    let type = TensorType(Scalar.elementType, spec.dimensions.map(\.extent))
    return Tensor(
      .traced(self, checked { (trace) throws(OpError) in trace.argument(type, name: spec.name) }))
  }
}

extension Graph {
  /// The graph with constants in the place of its last parameters.
  fileprivate func replacingLastParameters(by literals: [Literal]) -> Graph {
    let kept = parameters.count - literals.count
    var copy = Graph()
    for node in nodes {
      var new = node
      if case .parameter(let parameter) = node.op, parameter.index >= kept {
        new.op = .constant(literals[parameter.index - kept])
      }
      _ = copy.appendUnchecked(new)
    }
    copy.results = results
    return copy
  }
}
