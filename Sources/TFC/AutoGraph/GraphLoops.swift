import GraphBuilding

/// What a round of a loop that may be left says: whether there is another one.
public struct LoopStep: TensorGroup {
  private enum Goes {
    case known(Bool)
    case computed(Tensor<Bool>)
  }

  private var goes: Goes

  public static var next: LoopStep { LoopStep(goes: .known(true)) }
  public static var stop: LoopStep { LoopStep(goes: .known(false)) }

  /// Whether the loop goes on, where Swift knows.
  fileprivate var known: Bool? {
    switch goes {
    case .known(let value): value
    case .computed(let tensor): tensor.knownValue
    }
  }

  fileprivate var tensor: Tensor<Bool> {
    switch goes {
    case .known(let value): Tensor(value)
    case .computed(let tensor): tensor
    }
  }

  public mutating func visitTensors(_ visitor: inout some TensorVisitor) {
    var tensor = tensor
    visitor.visit(&tensor)
    goes = .computed(tensor)
  }
}

// MARK: While

/// Repeats a block while a condition holds; a loop of the graph where a graph computes the condition. `state` shows what
/// block and condition assign.
public func graphWhile<Condition: GraphCondition, Failure: Error>(
  state: GraphPlaces, while condition: () throws(Failure) -> Condition, do body: () throws(Failure) -> Void
) throws(Failure) {
  try repeated(nil, state, condition) { () throws(Failure) in
    try body()
    return .next
  }
}

/// The same for a block that may leave the loop.
public func graphWhile<Condition: GraphCondition, Failure: Error>(
  state: GraphPlaces, while condition: () throws(Failure) -> Condition, step: () throws(Failure) -> LoopStep
) throws(Failure) {
  try repeated(LoopStep.next, state, condition, step)
}

/// Repeats a block while a condition holds that is asked after each round.
public func graphRepeat<Condition: GraphCondition, Failure: Error>(
  state: GraphPlaces, do body: () throws(Failure) -> Void, while condition: () throws(Failure) -> Condition
) throws(Failure) {
  try body()
  try graphWhile(state: state, while: condition, do: body)
}

public func graphRepeat<Condition: GraphCondition, Failure: Error>(
  state: GraphPlaces, step: () throws(Failure) -> LoopStep, while condition: () throws(Failure) -> Condition
) throws(Failure) {
  try repeated(try step(), state, condition, step)
}

/// Rounds from one on of which `first` says whether it takes place; nil where only the condition ends the loop.
private func repeated<Condition: GraphCondition, Failure: Error>(
  _ first: LoopStep?, _ state: GraphPlaces, _ condition: () throws(Failure) -> Condition,
  _ step: () throws(Failure) -> LoopStep
) throws(Failure) {
  var last = first ?? .next
  while let goes = last.known {
    guard goes else { return }
    // A condition that turns out to be computed is asked again of the loop's own values.
    let before = GraphState.save(state)
    guard let holds = try condition().knownValue else {
      GraphState.restore(before, in: state)
      break
    }
    guard holds else { return }
    last = try step()
  }
  try traced(first == nil ? nil : last, state, condition, step)
}

/// Appends a loop to the graph; the values are whether it goes on, where a round may say so, and those in the places.
private func traced<Condition: GraphCondition, Failure: Error>(
  _ first: LoopStep?, _ state: GraphPlaces, _ condition: () throws(Failure) -> Condition,
  _ step: () throws(Failure) -> LoopStep
) throws(Failure) {
  guard let tracer = Tracer.current else { preconditionFailure("a condition is open only while a graph is traced") }
  let before = GraphState.save(state)
  let flags = [first].compactMap { $0?.tensor.storage }
  let initial = flags + GraphState.tensors(in: state)
  let types = initial.map(\.type)
  let round = try tracer.region(types) { parameters throws(Failure) in
    GraphState.replaceTensors(in: state, by: parameters.dropFirst(flags.count))
    let last = try step()
    return flags.map { _ in last.tensor.storage } + GraphState.tensors(in: state)
  }
  GraphState.expectEqual(state, before, "a loop")
  let after = GraphState.save(state)
  GraphState.restore(before, in: state)
  let test = try tracer.region(types, capturing: round.captures) { parameters throws(Failure) in
    GraphState.replaceTensors(in: state, by: parameters.dropFirst(flags.count))
    let holds = try condition().tensor
    return [flags.isEmpty ? holds.storage : (Tensor<Bool>(parameters[0]) && holds).storage]
  }
  GraphState.restore(after, in: state)
  GraphState.replaceTensors(in: state, by: tracer.loop(initial, round, test).dropFirst(flags.count))
}

// MARK: For

/// A block for each element of a sequence; in a graph each round is a part of its own.
public func graphFor<Elements: Sequence, Failure: Error>(
  _ elements: Elements, state: GraphPlaces, do body: (Elements.Element) throws(Failure) -> Void
) throws(Failure) {
  for element in elements { try body(element) }
}

/// The same for a block that may leave the loop. Where a graph computes whether it does, all further rounds are branches.
public func graphFor<Elements: Sequence, Failure: Error>(
  _ elements: Elements, state: GraphPlaces, step: (Elements.Element) throws(Failure) -> LoopStep
) throws(Failure) {
  var last = LoopStep.next
  for element in elements {
    if let goes = last.known {
      guard goes else { return }
      last = try step(element)
    } else {
      last = try graphResult(
        last.tensor, state: state, result: { $0.visit(&$1, "step") },
        then: { () throws(Failure) -> LoopStep in try step(element) },
        else: { () throws(Failure) -> LoopStep in .stop })
    }
  }
}

/// Numbers from one to before another that a graph computes: `0..<n` for a tensor `n`.
public struct TensorRange: Sendable {
  public var lowerBound: Tensor<Int32>
  public var upperBound: Tensor<Int32>
}

extension Tensor where Scalar == Int32 {
  @_disfavoredOverload
  public static func ..< (lower: Tensor, upper: Tensor) -> TensorRange {
    TensorRange(lowerBound: lower, upperBound: upper)
  }
}

/// A block for each number of a range; a loop of the graph where a graph computes the bounds.
public func graphFor<Failure: Error>(
  _ range: TensorRange, state: GraphPlaces, do body: (Tensor<Int32>) throws(Failure) -> Void
) throws(Failure) {
  try counted(range, state, nil) { (position) throws(Failure) -> LoopStep in
    try body(position)
    return .next
  }
}

/// The same for a block that may leave the loop.
public func graphFor<Failure: Error>(
  _ range: TensorRange, state: GraphPlaces, step: (Tensor<Int32>) throws(Failure) -> LoopStep
) throws(Failure) {
  try counted(range, state, .next, step)
}

private func counted<Failure: Error>(
  _ range: TensorRange, _ state: GraphPlaces, _ first: LoopStep?, _ step: (Tensor<Int32>) throws(Failure) -> LoopStep
) throws(Failure) {
  var position = range.lowerBound
  try repeated(
    first,
    { places in
      places.visit(&position, "position")
      state(&places)
    }, { () throws(Failure) -> Tensor<Bool> in position .< range.upperBound },
    { () throws(Failure) -> LoopStep in
      let current = position
      position += 1
      return try step(current)
    })
}
