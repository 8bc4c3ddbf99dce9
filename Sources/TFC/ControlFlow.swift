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

/// The result of one of two functions, as a condition says; a branch of the graph where a graph computes the condition.
///
/// For functions with `@Graph` an `if` does.
public func graphIf<Result: TensorGroup>(
  _ condition: some GraphCondition, then: () throws -> Result, else other: () throws -> Result
) rethrows -> Result {
  try graphResult(condition, state: { _ in }, result: { $0.visit(&$1, "result") }, then: then, else: other)
}

/// Repeats a function of groups while a condition holds; a loop of the graph where a graph computes the condition.
///
/// For functions with `@Graph` a `while` does.
public func graphWhile<each State: TensorGroup, Condition: GraphCondition>(
  _ state: repeat each State, while condition: (repeat each State) throws -> Condition,
  do body: (repeat each State) throws -> (repeat each State)
) rethrows -> (repeat each State) {
  var current = Groups(repeat each state)
  try graphWhile(
    state: { $0.visit(&current, "state") }, while: { try condition(repeat each current.values) },
    do: { current = try grouped(body, current) })
  return current.values
}

/// The same for one group, which Swift does not take for a list of one.
public func graphWhile<State: TensorGroup, Condition: GraphCondition>(
  _ state: State, while condition: (State) throws -> Condition, do body: (State) throws -> State
) rethrows -> State {
  var current = state
  try graphWhile(
    state: { $0.visit(&current, "state") }, while: { try condition(current) }, do: { current = try body(current) })
  return current
}

private func grouped<each State: TensorGroup>(
  _ function: (repeat each State) throws -> (repeat each State), _ state: Groups<repeat each State>
) rethrows -> Groups<repeat each State> {
  let next = try function(repeat each state.values)
  return Groups(repeat each next)
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
