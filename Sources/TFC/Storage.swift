import GraphBuilding
import IR

/// What a tensor is: elements in memory, or a value of a graph that is being traced.
enum Storage: Sendable {
  case buffer(TensorBuffer)
  case traced(Tracer, Value)

  var type: TensorType {
    switch self {
    case .buffer(let buffer): buffer.type
    case .traced(_, let value): value.type
    }
  }

  var buffer: TensorBuffer? {
    guard case .buffer(let buffer) = self else { return nil }
    return buffer
  }
}

typealias Build = (inout Trace, [Value]) throws(OpError) -> [Value]

/// The results of ops on tensors: appended to the graph that is being traced, or computed now where there is none.
func results(of operands: [Storage], _ build: Build) -> [Storage] {
  do {
    if let tracer = Tracer.current { return try tracer.append(operands, build) }
    let tracer = Tracer()
    let results = try tracer.append(operands, build)
    return try tracer.run(results)
  } catch {
    refuse(error)
  }
}

/// Stops the program with a sentence: an operation cannot have these tensors.
///
/// The mistake is the program's, as an index outside of an array is, and Swift's operators and subscripts are not to throw for
/// it. `fatalError`, as it says its sentence in release builds too.
func refuse(_ error: any Error) -> Never { fatalError("\(error)") }

extension Tensor {
  /// The only result of ops on tensors of one element type.
  static func of(_ operands: [Storage], _ build: (inout Trace, [Value]) throws(OpError) -> Value) -> Tensor {
    let storage = results(of: operands) { (trace, values) throws(OpError) in [try build(&trace, values)] }[0]
    return Tensor(storage)
  }

  func map<Result>(_ build: (inout Trace, Value) throws(OpError) -> Value) -> Tensor<Result> {
    .of([storage]) { (trace, values) throws(OpError) in try build(&trace, values[0]) }
  }

  func combined<Other, Result>(
    with other: Tensor<Other>, _ build: (inout Trace, Value, Value) throws(OpError) -> Value
  ) -> Tensor<Result> {
    .of([storage, other.storage]) { (trace, values) throws(OpError) in try build(&trace, values[0], values[1]) }
  }
}
