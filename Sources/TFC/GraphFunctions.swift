/// Traces a function of groups of tensors, compiles its graph once for each set of shapes, and runs it.
///
/// The function itself runs at each call, so that all of Swift may decide what the graph is. Tensors that it reads from
/// outside are read anew at each call. Inside of another graph it becomes a part of that. `@Graph` writes this call.
///
///     let y = graph("layer", x, w) { x, w in relu(matmul(x, w)) }
public func graph<each Argument: TensorGroup, Result: TensorGroup>(
  _ name: String, _ arguments: repeat each Argument, body: (repeat each Argument) throws -> Result
) rethrows -> Result {
  try graph(name, repeat each arguments, state: { _ in }, result: { $0.visit(&$1, "result") }, body: body)
}

/// The same for a function with two results.
public func graph<each Argument: TensorGroup, First: TensorGroup, Second: TensorGroup>(
  _ name: String, _ arguments: repeat each Argument, body: (repeat each Argument) throws -> (First, Second)
) rethrows -> (First, Second) {
  try graph(
    name, repeat each arguments, state: { _ in },
    result: { places, result in
      places.visit(&result.0, "0")
      places.visit(&result.1, "1")
    }, body: body)
}

/// The same for a function with three results.
public func graph<each Argument: TensorGroup, First: TensorGroup, Second: TensorGroup, Third: TensorGroup>(
  _ name: String, _ arguments: repeat each Argument, body: (repeat each Argument) throws -> (First, Second, Third)
) rethrows -> (First, Second, Third) {
  try graph(
    name, repeat each arguments, state: { _ in },
    result: { places, result in
      places.visit(&result.0, "0")
      places.visit(&result.1, "1")
      places.visit(&result.2, "2")
    }, body: body)
}
