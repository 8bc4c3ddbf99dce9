import GraphBuilding
import IR

/// What may decide: a truth value of Swift, or one that a graph computes.
public protocol GraphCondition {
  /// The value where it is known now; nil while a graph is traced that computes it.
  var knownValue: Bool? { get }
  /// The value in the graph that is traced.
  var tensor: Tensor<Bool> { get }
}

extension Bool: GraphCondition {
  public var knownValue: Bool? { self }
  public var tensor: Tensor<Bool> { Tensor(self) }
}

extension Tensor: GraphCondition where Scalar == Bool {
  public var knownValue: Bool? { Tracer.current == nil ? scalar : nil }
  public var tensor: Tensor<Bool> { self }
}

/// One of two functions of a state, as a condition says; a branch of the graph where a graph computes the condition.
@_disfavoredOverload
public func graphIf<each State: TensorGroup>(
  _ condition: some GraphCondition, _ state: repeat each State,
  then: (repeat each State) throws -> (repeat each State), else: (repeat each State) throws -> (repeat each State)
) rethrows -> (repeat each State) {
  if let known = condition.knownValue {
    return known ? try then(repeat each state) : try `else`(repeat each state)
  }
  let chosen = try graphIf(
    condition, then: { try grouped(then, repeat each state) },
    else: { try grouped(`else`, repeat each state) })
  return chosen.values
}

/// The result of one of two functions, as a condition says; a branch of the graph where a graph computes the condition.
public func graphIf<Result: TensorGroup>(
  _ condition: some GraphCondition, then: () throws -> Result, else: () throws -> Result
) rethrows -> Result {
  if let known = condition.knownValue { return known ? try then() : try `else`() }
  guard let tracer = Tracer.current else { preconditionFailure("a condition is open while a graph is traced only") }
  var (whenTrue, result) = try tracer.region([]) { _ in try then() }
  let (whenFalse, other) = try tracer.region([], capturing: whenTrue.captures) { _ in try `else`() }
  let values: [Storage] = tracer.checked { (trace) throws(OpError) in
    let (left, right) = (whenTrue.graph.resultTypes, whenFalse.graph.resultTypes)
    guard left == right else {
      throw OpError("the branches of an if give \(list(left)) and \(list(right))")
    }
    for value in whenFalse.captures.dropFirst(whenTrue.captures.count) { whenTrue.graph.addParameter(value.type) }
    let predicate = try trace.reshape(tracer.values(of: [condition.tensor.storage], &trace)[0], [])
    let choice = If(trueBranch: whenTrue.graph, falseBranch: whenFalse.graph)
    return try trace.emitAll(.if(choice), [predicate] + whenFalse.captures).map { .traced(tracer, $0) }
  }
  guard other.tensors.count == values.count else { preconditionFailure("branches have as many results as each other") }
  result = result.replacingTensors(values)
  return result
}

private func list(_ types: [TensorType]) -> String { types.map(\.detailedDescription).joined(separator: ", ") }

/// Repeats a function of a state while a condition holds; a loop of the graph where a graph computes the condition.
public func graphWhile<each State: TensorGroup, Condition: GraphCondition>(
  _ state: repeat each State, while condition: (repeat each State) throws -> Condition,
  do body: (repeat each State) throws -> (repeat each State)
) rethrows -> (repeat each State) {
  guard let tracer = Tracer.current, Condition.self != Bool.self else {
    var current = (repeat each state)
    while try condition(repeat each current).knownValue ?? false { current = try body(repeat each current) }
    return current
  }
  let all = Groups(repeat each state)
  let initial = all.tensors
  let types = initial.map(\.type)
  var (round, _) = try tracer.region(types) { parameters in
    try grouped(body, all.replacingTensors(parameters))
  }
  let (test, _) = try tracer.region(types, capturing: round.captures) { parameters in
    try applied(condition, all.replacingTensors(parameters)).tensor
  }
  let values: [Storage] = tracer.checked { (trace) throws(OpError) in
    for (type, next) in zip(types, round.graph.resultTypes) where type != next {
      throw OpError("a loop's value \(type.detailedDescription) becomes \(next.detailedDescription)")
    }
    for value in test.captures.dropFirst(round.captures.count) { round.graph.addParameter(value.type) }
    guard test.graph.resultTypes == [.scalar(.i1)] else {
      throw OpError("a loop's condition is a scalar of Bool, not \(list(test.graph.resultTypes))")
    }
    let loop = While(condition: test.graph, body: round.graph)
    let operands = try tracer.values(of: initial, &trace) + test.captures
    return try trace.emitAll(.while(loop), operands).prefix(types.count).map { .traced(tracer, $0) }
  }
  return all.replacingTensors(values).values
}

/// Repeats a function of a state for the elements of a sequence; in a graph each round is a part of its own.
public func graphFor<Elements: Sequence, each State: TensorGroup>(
  _ elements: Elements, _ state: repeat each State,
  do body: (Elements.Element, repeat each State) throws -> (repeat each State)
) rethrows -> (repeat each State) {
  var current = (repeat each state)
  for element in elements { current = try body(element, repeat each current) }
  return current
}

/// Numbers from one to before another that a graph computes: `0..<n` for a tensor `n`.
public struct TensorRange: Sendable {
  public var lowerBound: Tensor<Int32>
  public var upperBound: Tensor<Int32>
}

extension Tensor where Scalar == Int32 {
  public static func ..< (lower: Tensor, upper: Tensor) -> TensorRange {
    TensorRange(lowerBound: lower, upperBound: upper)
  }
  public static func ..< (lower: Int32, upper: Tensor) -> TensorRange { Tensor(lower)..<upper }
}

/// Repeats a function of a state for the numbers of a range; a loop of the graph where a graph computes its bounds.
public func graphFor<each State: TensorGroup>(
  _ range: TensorRange, _ state: repeat each State,
  do body: (Tensor<Int32>, repeat each State) throws -> (repeat each State)
) rethrows -> (repeat each State) {
  let (_, last) = try graphWhile(
    range.lowerBound, Groups(repeat each state), while: { position, _ in position .< range.upperBound },
    do: { position, state in
      (position + 1, try grouped(body, position, state))
    })
  return last.values
}

// MARK: One group as state, which Swift does not take for a list of one

public func graphIf<State: TensorGroup>(
  _ condition: some GraphCondition, _ state: State, then: (State) throws -> State, else: (State) throws -> State
) rethrows -> State {
  try graphIf(condition, then: { try then(state) }, else: { try `else`(state) })
}

public func graphWhile<State: TensorGroup, Condition: GraphCondition>(
  _ state: State, while condition: (State) throws -> Condition, do body: (State) throws -> State
) rethrows -> State {
  let last: (State, NoTensors) = try graphWhile(
    state, NoTensors(), while: { state, _ in try condition(state) }, do: { state, none in (try body(state), none) })
  return last.0
}

public func graphFor<Elements: Sequence, State: TensorGroup>(
  _ elements: Elements, _ state: State, do body: (Elements.Element, State) throws -> State
) rethrows -> State {
  try elements.reduce(state) { try body($1, $0) }
}

public func graphFor<State: TensorGroup>(
  _ range: TensorRange, _ state: State, do body: (Tensor<Int32>, State) throws -> State
) rethrows -> State {
  let last: (Tensor<Int32>, State) = try graphWhile(
    range.lowerBound, state, while: { position, _ in position .< range.upperBound },
    do: { position, state in (position + 1, try body(position, state)) })
  return last.1
}

private func grouped<each State: TensorGroup>(
  _ function: (repeat each State) throws -> (repeat each State), _ state: repeat each State
) rethrows -> Groups<repeat each State> {
  let next = try function(repeat each state)
  return Groups(repeat each next)
}

private func grouped<each State: TensorGroup>(
  _ function: (repeat each State) throws -> (repeat each State), _ state: Groups<repeat each State>
) rethrows -> Groups<repeat each State> {
  let next = try function(repeat each state.values)
  return Groups(repeat each next)
}

private func grouped<each State: TensorGroup>(
  _ function: (Tensor<Int32>, repeat each State) throws -> (repeat each State), _ position: Tensor<Int32>,
  _ state: Groups<repeat each State>
) rethrows -> Groups<repeat each State> {
  let next = try function(position, repeat each state.values)
  return Groups(repeat each next)
}

private func applied<each State: TensorGroup, Result>(
  _ function: (repeat each State) throws -> Result, _ state: Groups<repeat each State>
) rethrows -> Result {
  try function(repeat each state.values)
}

/// Groups side by side.
struct Groups<each Group: TensorGroup>: TensorGroup {
  var values: (repeat each Group)

  init(_ values: repeat each Group) { self.values = (repeat each values) }

  mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    func visited<Member: TensorGroup>(_ member: Member) -> Member {
      var member = member
      member.visitTensors(&visitor)
      return member
    }
    values = (repeat visited(each values))
  }
}
