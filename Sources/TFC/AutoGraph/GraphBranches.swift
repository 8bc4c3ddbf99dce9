import GraphBuilding
import IR

/// One of two blocks, as a condition says; a branch of the graph where a graph computes the condition. `state` shows what
/// the blocks assign.
public func graphIf<Failure: Error>(
  _ condition: some GraphCondition, state: GraphPlaces, then: () throws(Failure) -> Void,
  else other: () throws(Failure) -> Void
) throws(Failure) {
  try graphResult(condition, state: state, result: { _, _ in }, then: then, else: other)
}

/// The result of one of two blocks, which may assign beside it.
public func graphResult<Result, Failure: Error>(
  _ condition: some GraphCondition, state: GraphPlaces, result: (inout GraphState, inout Result) -> Void,
  then: () throws(Failure) -> Result, else other: () throws(Failure) -> Result
) throws(Failure) -> Result {
  if let known = condition.knownValue { return known ? try then() : try other() }
  guard let tracer = Tracer.current else { preconditionFailure("a condition is open only while a graph is traced") }
  let before = GraphState.save(state)
  var value: Result?
  func places(_ places: inout GraphState) {
    state(&places)
    if var current = value {
      result(&places, &current)
      value = current
    }
  }
  let whenTrue = try tracer.region([]) { _ throws(Failure) in
    value = try then()
    return GraphState.tensors(in: places)
  }
  let after = GraphState.save(places)
  GraphState.restore(before, in: state)
  let whenFalse = try tracer.region([], capturing: whenTrue.captures) { _ throws(Failure) in
    value = try other()
    return GraphState.tensors(in: places)
  }
  GraphState.expectEqual(places, after, "a branch")
  let values = tracer.choose(condition.tensor, whenTrue, whenFalse)
  GraphState.replaceTensors(in: places, by: values)
  guard let value else { preconditionFailure("a branch has a result") }
  return value
}

/// `condition ? a : b` with a truth value of Swift.
public func graphTernary<Result>(
  _ condition: Bool, _ then: @autoclosure () throws -> Result, _ other: @autoclosure () throws -> Result
) rethrows -> Result { condition ? try then() : try other() }

/// `condition ? a : b` with one that a graph computes.
public func graphTernary<Result: TensorGroup>(
  _ condition: Tensor<Bool>, _ then: @autoclosure () throws -> Result, _ other: @autoclosure () throws -> Result
) rethrows -> Result {
  try graphIf(condition, then: then, else: other)
}

extension Tracer {
  /// Regions in regions, deeper than this, are those of a function that calls itself for ever.
  private static let depthLimit = 200

  /// The closed graph of what `body` makes of new parameters, and the values that it reads from outside.
  func region<Failure: Error>(
    _ types: [TensorType], capturing captures: [Value] = [], _ body: ([Storage]) throws(Failure) -> [Storage]
  ) throws(Failure) -> Construction.Level {
    let (mark, parameters) = checked { (trace) throws(OpError) in
      let mark = trace.construction.mark
      guard trace.levels.count < Self.depthLimit else {
        throw OpError(
          "branches and loops on tensors are nested \(Self.depthLimit) deep; a function that calls itself where a tensor"
            + " decides has no end")
      }
      return (mark, try trace.beginRegion(types, captures: captures).map { Storage.traced(self, $0) })
    }
    let results: [Storage]
    do { results = try body(parameters) } catch {
      checked { trace in trace.construction.reset(to: mark) }
      throw error
    }
    return checked { (trace) throws(OpError) in
      let values = try self.values(of: results, &trace)
      return try trace.endRegion(values)
    }
  }

  /// The results of one of two regions without parameters, of which the second captures what the first does.
  func choose(
    _ condition: Tensor<Bool>, _ whenTrue: Construction.Level, _ whenFalse: Construction.Level
  ) -> [Storage] {
    let (left, right) = (whenTrue.graph.resultTypes, whenFalse.graph.resultTypes)
    return checked { (trace) throws(OpError) in
      guard left == right else {
        throw OpError("the branches of an if give \(Self.list(left)) and \(Self.list(right))")
      }
      if left.isEmpty { return [] }
      guard condition.storage.type.elementCount == .one else {
        throw OpError("a condition is one truth value, not \(condition.storage.type.detailedDescription)")
      }
      let predicate = try self.values(of: [condition.storage], &trace)[0]
      return try trace.branch(predicate, whenTrue, whenFalse).map { .traced(self, $0) }
    }
  }

  static func list(_ types: [TensorType]) -> String { types.map(\.detailedDescription).joined(separator: ", ") }

  /// The last values of a loop: `round` maps the values, `test` says whether there is another round and captures what
  /// `round` does.
  func loop(_ initial: [Storage], _ round: Construction.Level, _ test: Construction.Level) -> [Storage] {
    checked { (trace) throws(OpError) in
      for (type, next) in zip(initial.map(\.type), round.graph.resultTypes) where type != next {
        throw OpError("a loop's value \(type.detailedDescription) becomes \(next.detailedDescription)")
      }
      guard test.graph.resultTypes == [.scalar(.i1)] else {
        throw OpError("a loop's condition is a scalar of Bool, not \(Self.list(test.graph.resultTypes))")
      }
      return try trace.loop(self.values(of: initial, &trace), round, while: test).map { .traced(self, $0) }
    }
  }

  /// What `body` gives; an error stops the program.
  func checked<Result: Sendable>(_ body: (inout Trace) throws(OpError) -> Result) -> Result {
    do { return try with(body) } catch { refuse(error) }
  }
}
