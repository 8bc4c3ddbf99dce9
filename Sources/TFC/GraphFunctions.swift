import GraphBuilding
import IR

/// Traces a function of groups of tensors, compiles its graph once for each set of shapes, and runs it.
///
/// The function itself runs at each call, so that all of Swift may decide what the graph is; what it costs is the tracing, a
/// microsecond or so an op. Tensors that it reads from outside are read anew at each call. Inside of another graph it
/// becomes a part of that. `@Graph` writes this call.
///
///     let y = graph("layer", x, w) { x, w in relu(matmul(x, w)) }
public func graph<each Argument: TensorGroup, Result: TensorGroup>(
  _ name: String, _ arguments: repeat each Argument, body: (repeat each Argument) throws -> Result
) rethrows -> Result {
  guard Tracer.current == nil else { return try body(repeat each arguments) }
  let tracer = Tracer()
  var inputs: [TensorBuffer] = []
  let traced = (repeat tracer.arguments(each arguments, &inputs))
  let result = try Tracer.$current.withValue(tracer) { try body(repeat each traced) }
  return tracer.computed(result, inputs)
}

extension Tracer {
  /// The group with parameters of the graph in the place of its tensors, which are appended to `inputs`.
  func arguments<Group: TensorGroup>(_ group: Group, _ inputs: inout [TensorBuffer]) -> Group {
    var values: [Storage] = []
    for storage in group.tensors {
      guard let buffer = storage.buffer else {
        refuse(OpError("a tensor is used outside of the graph that it was traced for"))
      }
      inputs.append(buffer)
      do { values.append(.traced(self, try with { (trace) throws(OpError) in trace.argument(buffer.type) })) } catch {
        refuse(error)
      }
    }
    return group.replacingTensors(values)
  }

  /// The group with elements in the place of traced tensors.
  func computed<Group: TensorGroup>(_ group: Group, _ inputs: [TensorBuffer]) -> Group {
    let tensors = group.tensors
    let open = tensors.indices.filter { tensors[$0].buffer == nil }
    guard !open.isEmpty else { return group }
    do {
      var all = tensors
      for (index, result) in zip(open, try run(open.map { tensors[$0] }, inputs)) { all[index] = result }
      return group.replacingTensors(all)
    } catch {
      refuse(error)
    }
  }

  /// The closed graph of what `body` makes of new parameters, and the values that it reads from outside.
  func region<Group: TensorGroup>(
    _ types: [TensorType], capturing captures: [Value] = [], _ body: ([Storage]) throws -> Group
  ) rethrows -> (level: Construction.Level, results: Group) {
    let parameters = begin(types, captures)
    let results = try body(parameters)
    return (end(results.tensors), results)
  }

  private func begin(_ types: [TensorType], _ captures: [Value]) -> [Storage] {
    checked { (trace) throws(OpError) in
      try trace.beginRegion(types, captures: captures).map { .traced(self, $0) }
    }
  }

  private func end(_ results: [Storage]) -> Construction.Level {
    checked { (trace) throws(OpError) in
      let values = try self.values(of: results, &trace)
      return try trace.endRegion(values)
    }
  }

  /// What `body` gives; an error stops the program.
  func checked<Result>(_ body: (inout Trace) throws(OpError) -> Result) -> Result {
    do { return try with(body) } catch { refuse(error) }
  }
}
