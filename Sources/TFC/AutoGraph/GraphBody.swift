import IR

/// Traces the body of a function with `@Graph`, compiles its graph, and runs it.
///
/// `state` shows what the function changes beside its result: `self` of a mutating method, parameters that are `inout`.
public func graph<each Argument, Result, Failure: Error>(
  _ name: String, _ arguments: repeat each Argument, state: GraphPlaces,
  result: (inout GraphState, inout Result) -> Void, body: (repeat each Argument) throws(Failure) -> Result
) throws(Failure) -> Result {
  guard Tracer.current == nil else { return try body(repeat each arguments) }
  let tracer = Tracer()
  var inputs: [TensorBuffer] = []
  let saved = GraphState.save(state)
  let parameters = tracer.parameters(for: GraphState.tensors(in: state), &inputs)
  GraphState.replaceTensors(in: state, by: parameters)
  let traced = (repeat tracer.traced(each arguments, &inputs))
  let outcome: Swift.Result<Result, Failure> = Tracer.$current.withValue(tracer) {
    do throws(Failure) { return .success(try body(repeat each traced)) } catch { return .failure(error) }
  }
  guard case .success(var value) = outcome else {
    GraphState.restore(saved, in: state)
    return try outcome.get()
  }
  let results: GraphPlaces = { places in
    state(&places)
    result(&places, &value)
  }
  GraphState.expectGroups(in: { result(&$0, &value) }, of: name)
  GraphState.replaceTensors(in: results, by: tracer.computed(GraphState.tensors(in: results), inputs))
  return value
}

extension Tracer {
  /// A parameter of the graph for each tensor, which is appended to `inputs`.
  func parameters(for tensors: [Storage], _ inputs: inout [TensorBuffer]) -> [Storage] {
    tensors.map { tensor in
      guard let buffer = tensor.buffer else {
        refuse(OpError(Tracer.escape))
      }
      inputs.append(buffer)
      return .traced(self, checked { (trace) throws(OpError) in trace.argument(buffer.type) })
    }
  }

  /// The argument with parameters of the graph in the place of its tensors, where it is a group of such.
  fileprivate func traced<Argument>(_ argument: Argument, _ inputs: inout [TensorBuffer]) -> Argument {
    guard let group = argument as? any TensorGroup else { return argument }
    return traced(group: group, &inputs) as? Argument ?? argument
  }

  private func traced<Group: TensorGroup>(group: Group, _ inputs: inout [TensorBuffer]) -> Group {
    group.replacingTensors(parameters(for: group.tensors, &inputs))
  }

  /// The tensors with elements in the place of traced values.
  func computed(_ tensors: [Storage], _ inputs: [TensorBuffer]) -> [Storage] {
    let open = tensors.indices.filter { tensors[$0].buffer == nil }
    guard !open.isEmpty else { return tensors }
    do {
      var all = tensors
      for (index, result) in zip(open, try run(open.map { tensors[$0] }, inputs)) { all[index] = result }
      return all
    } catch {
      refuse(error)
    }
  }
}
