import GraphBuilding
import IR
import Passes

/// The value of a scalar function, and its derivatives by all tensors of floats in its argument.
///
/// A derivative by a group has the group's structure; what is no tensor stays as it is, tensors of integers and truth
/// values become zeros. Derivatives of derivatives are those of functions that call this inside.
///
///     let (loss, slope) = valueWithGradient(at: model) { model in
///       softmaxCrossEntropy(logits: model(images), labels: labels)
///     }
public func valueWithGradient<Argument: TensorGroup, Scalar: TensorFloat>(
  at argument: Argument, of function: (Argument) throws -> Tensor<Scalar>
) rethrows -> (value: Tensor<Scalar>, gradient: Argument) {
  let (result, gradient) = try differentiated(argument) { Evaluation(value: try function($0), rest: NoTensors()) }
  return (result.value, gradient)
}

/// The same for a function that has other results beside the value.
public func valueWithGradient<Argument: TensorGroup, Scalar: TensorFloat, Rest: TensorGroup>(
  at argument: Argument, of function: (Argument) throws -> (Tensor<Scalar>, Rest)
) rethrows -> (value: Tensor<Scalar>, rest: Rest, gradient: Argument) {
  let (result, gradient) = try differentiated(argument) { argument in
    let (value, rest) = try function(argument)
    return Evaluation(value: value, rest: rest)
  }
  return (result.value, result.rest, gradient)
}

/// The derivatives of a scalar function by all tensors of floats in its argument.
public func gradient<Argument: TensorGroup, Scalar: TensorFloat>(
  at argument: Argument, of function: (Argument) throws -> Tensor<Scalar>
) rethrows -> Argument {
  try valueWithGradient(at: argument, of: function).gradient
}

// MARK: Several arguments

/// The value of a scalar function of several groups, and its derivatives by all of them.
public func valueWithGradient<each Argument: TensorGroup, Scalar: TensorFloat>(
  at arguments: repeat each Argument, of function: (repeat each Argument) throws -> Tensor<Scalar>
) rethrows -> (value: Tensor<Scalar>, gradient: (repeat each Argument)) {
  let (result, gradient) = try differentiated(Groups(repeat each arguments)) { try evaluated(function, $0) }
  return (result.value, gradient.values)
}

/// The derivatives of a scalar function of several groups.
public func gradient<each Argument: TensorGroup, Scalar: TensorFloat>(
  at arguments: repeat each Argument, of function: (repeat each Argument) throws -> Tensor<Scalar>
) rethrows -> (repeat each Argument) {
  try valueWithGradient(at: repeat each arguments, of: function).gradient
}

// MARK: Differentiation

/// What a differentiated function gives.
private struct Evaluation<Scalar: TensorFloat, Rest: TensorGroup>: TensorGroup {
  var value: Tensor<Scalar>
  var rest: Rest

  mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    value.visitTensors(&visitor)
    rest.visitTensors(&visitor)
  }
}

private func evaluated<each Argument: TensorGroup, Scalar: TensorFloat>(
  _ function: (repeat each Argument) throws -> Tensor<Scalar>, _ groups: Groups<repeat each Argument>
) rethrows -> Evaluation<Scalar, NoTensors> {
  Evaluation(value: try function(repeat each groups.values), rest: NoTensors())
}

private func differentiated<Argument: TensorGroup, Scalar: TensorFloat, Rest: TensorGroup>(
  _ argument: Argument, of function: (Argument) throws -> Evaluation<Scalar, Rest>
) rethrows -> (result: Evaluation<Scalar, Rest>, gradient: Argument) {
  let tensors = argument.tensors
  if let tracer = Tracer.current {
    let (results, gradients, structure) = try tracer.differentiated(tensors) {
      try function(argument.replacingTensors($0))
    }
    return (structure.replacingTensors(results), argument.replacingTensors(gradients))
  }
  let tracer = Tracer()
  let (results, gradients, structure) = try Tracer.$current.withValue(tracer) {
    try tracer.differentiated(tensors) { try function(argument.replacingTensors($0)) }
  }
  let computed = tracer.computed(results + gradients, [])
  return (
    structure.replacingTensors(Array(computed.prefix(results.count))),
    argument.replacingTensors(Array(computed.dropFirst(results.count)))
  )
}

extension Tracer {
  /// The results of a function whose first one is a scalar, and that one's derivatives by tensors.
  fileprivate func differentiated<Group: TensorGroup>(
    _ tensors: [Storage], _ function: ([Storage]) throws -> Group
  ) rethrows -> (results: [Storage], gradients: [Storage], structure: Group) {
    var structure: Group?
    let level = try region(tensors.map(\.type)) { parameters in
      let group = try function(parameters)
      structure = group
      return group.tensors
    }
    guard let structure else { preconditionFailure("a function has a result") }
    let resultCount = level.graph.results.count
    let all: [Storage] = checked { (trace) throws(OpError) in
      guard level.graph.resultTypes[0].isScalar else {
        throw OpError("a scalar has a gradient, not \(level.graph.resultTypes[0].detailedDescription)")
      }
      let arguments = try self.values(of: tensors, &trace)
      let floats = arguments.indices.filter { arguments[$0].element.isFloat }
      let derived = try level.graph.gradient(of: 0, withRespectTo: floats)
      var values = try trace.splice(derived, arguments + level.captures)
      for index in arguments.indices where !arguments[index].element.isFloat {
        values.insert(try trace.splat(0, like: arguments[index]), at: resultCount + index)
      }
      return values.map { .traced(self, $0) }
    }
    return (Array(all[..<resultCount]), Array(all[resultCount...]), structure)
  }
}
