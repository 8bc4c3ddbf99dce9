import IR

/// A loop whose rounds are known before it, as it is written when cotangents go through it: what its way back reads of each
/// round is kept, one round behind the other.
///
/// `while (i < n) { x = f(x, c) }` becomes `while (i < n) { xs[k] = x; x = f(x, c); k += 1 }`, and its way back is
/// `while (k < n) { (x̄, c̄) = f̄(xs[n-1-k], c, x̄, c̄); k += 1 }`, where f̄ computes again what of f is cheap; the rest is kept
/// as xs is.
struct RecordedLoop {
  /// What of the body's parameters the way back reads.
  enum Source {
    /// The value that operand `number` of the loop has in all rounds.
    case operand
    /// The operand and, in each round, a step more.
    case counter(step: Int)
    /// The value that was kept in stack `number`.
    case stack(Int)
    case nothing
  }

  private let loop: While
  let rounds: Extent
  /// Numbers of the loop's values that have cotangents.
  let carried: [Int]
  /// Numbers of the operands that stay and have cotangents.
  let captured: [Int]
  /// For each of `captured`, whether each round's part of the cotangent has a place of its own, so that nothing is added.
  let isWritten: [Bool]
  /// The body, returning what is kept of it too; and its way back, whose parameters are those of the body, the cotangents of
  /// `carried`, what those of `captured` have so far, and what is kept. Results: cotangents of `carried`, then of `captured`.
  private let residuals: Residuals
  private let sources: [Source]
  /// Numbers of the body's parameters that are kept, before what else is.
  private let stacked: [Int]
  /// The loop's results: its own, the stacks, the number of rounds.
  var results: [ValueID] = []

  /// `constants` and `extents` are what is known of the operands.
  init(_ loop: While, isVaried: [Bool], isUseful: [Bool], constants: [Literal?], extents: [Extent?]) throws(OpError) {
    self.loop = loop
    let count = loop.body.results.count
    let literals = constants.indices.map { position -> Literal? in
      let type = loop.body.parameterTypes[position]
      guard let fixed = extents[position]?.fixed, type.isScalar, type.elementType.kind == .signed else {
        return constants[position]
      }
      return .scalar(.integer(Int64(fixed)), type.elementType)
    }
    if let rounds = loop.tripCount(operands: literals) {
      self.rounds = Extent(rounds)
    } else if let rounds = loop.symbolicTripCount(operands: extents) {
      self.rounds = Extent.maximum(rounds, .zero)
    } else {
      throw .unsupported("the gradient of stablehlo.while whose number of rounds is not known before it runs")
    }
    let varied = loop.variedParameters(isVaried)
    let active = loop.usefulParameters(varied, isUseful)
    let returned = zip(0..<count, zip(varied, isUseful)).filter { $1.0 && $1.1 }.map(\.0)
    carried = (0..<count).filter { active[$0] || returned.contains($0) }
    captured = (count..<active.count).filter { active[$0] }
    let stays = (0..<extents.count).map { $0 >= count || loop.body.results[$0] == loop.body.parameters[$0] }
    let steps = (0..<extents.count).map { stays[$0] ? 0 : loop.step($0) }
    let rounds = self.rounds
    isWritten = captured.map { loop.readsDisjointSlices(of: $0, rounds: rounds, initial: extents, steps: steps) }
    let request = GradientRequest(
      results: carried, parameters: carried + captured,
      isAccumulated: carried.map { _ in false } + captured.map { _ in true },
      isWritten: carried.map { _ in false } + isWritten, extents: extents.enumerated().map { stays[$0] ? $1 : nil })
    let whole = try loop.body.differentiatedParts(request)
    residuals = Residuals(
      whole.graph, forwardCount: whole.forwardCount, resultCount: count, varies: stays.map { !$0 })
    let backward = residuals.backward
    let uses = backward.useCounts
    var sources: [Source] = []
    var stacked: [Int] = []
    for position in extents.indices {
      if uses[backward.parameters[position].index] == 0 {
        sources.append(.nothing)
      } else if stays[position] {
        sources.append(.operand)
      } else if let step = steps[position] {
        sources.append(.counter(step: step))
      } else {
        sources.append(.stack(stacked.count))
        stacked.append(position)
      }
    }
    (self.sources, self.stacked) = (sources, stacked)
  }

  private var stackCount: Int { stacked.count + residuals.types.count }

  private var countType: ElementType { rounds.isFixed ? .i32 : .i64 }

  /// Appends the loop that keeps what the way back reads; its own results are the first.
  func append(_ operands: [ValueID], to c: inout Composer) throws(OpError) -> ValueID {
    let count = loop.body.results.count
    if stackCount == 0 { return try c.append(.while(loop), operands) }
    var stacks: [ValueID] = []
    for type in stacked.map({ c.type(operands[$0]) }) + residuals.types {
      // A stack has room for one round even where there is none, as what writes to it must fit.
      let depth = Extent.maximum(rounds, .one)
      stacks.append(try c.zeros(TensorType(type.elementType, [depth] + type.dimensions)))
    }
    let carried = Array(operands.prefix(count)) + stacks + [try c.integer(0, countType)]
    let captures = Array(operands.dropFirst(count))
    let types = (carried + captures).map { c.type($0) }
    func region(_ graph: Graph) -> (Composer, [ValueID], [ValueID]) {
      var target = Graph()
      let parameters = types.map { target.addParameter($0) }
      let arguments = Array(parameters.prefix(count) + parameters.dropFirst(carried.count))
      let results = target.appendNodes(of: graph, arguments)
      return (Composer(graph: target, location: c.location), parameters, results)
    }
    var (condition, _, test) = region(loop.condition)
    condition.graph.results = test
    var (body, parameters, next) = region(residuals.forward)
    let round = parameters[carried.count - 1]
    let kept = stacked.map { parameters[$0] } + next.dropFirst(count)
    next.removeLast(residuals.types.count)
    for (value, stack) in zip(kept, parameters.dropFirst(count)) {
      next.append(try body.storing(value, in: stack, at: round))
    }
    next.append(try body.add(round, body.integer(1, countType)))
    body.graph.results = next
    return try c.append(.while(While(condition: condition.graph, body: body.graph)), carried + captures)
  }

  /// Appends the way back: for the cotangents of `carried` after the loop those before it, and those of `captured`, which
  /// begin with `sums`.
  func appendBackward(_ operands: [ValueID], _ cotangents: [ValueID], _ sums: [ValueID], to c: inout Composer)
    throws(OpError) -> [ValueID]
  {
    let (count, backward) = (loop.body.results.count, residuals.backward)
    let flowing = cotangents + sums
    var captures: [ValueID] = []
    var places: [Int: Int] = [:]
    for (position, source) in sources.enumerated() {
      places[position] = captures.count
      switch source {
      case .nothing: places[position] = nil
      // A value that the loop hands on unchanged has its operand among the loop's own, which has more of them.
      case .operand: captures.append(position < count ? operands[position] : operand(position, operands))
      case .counter: captures.append(operands[position])
      case .stack(let number): captures.append(results[count + number])
      }
    }
    let extra = captures.count
    captures += results.dropFirst(count + stacked.count).prefix(residuals.types.count)
    let initial = [try c.integer(0, countType)] + flowing + captures
    let types = initial.map { c.type($0) }
    func region() -> (Composer, [ValueID]) {
      var target = Graph()
      let parameters = types.map { target.addParameter($0) }
      return (Composer(graph: target, location: c.location), parameters)
    }
    var (condition, limits) = region()
    condition.graph.results = [
      try condition.apply(.compare(.less, .signed), limits[0], condition.integer(rounds, countType))
    ]
    var (body, parameters) = region()
    let round = parameters[0]
    let back = try body.subtract(body.integer(rounds - 1, countType), round)
    var arguments: [ValueID] = []
    for (position, source) in sources.enumerated() {
      let type = backward.parameterTypes[position]
      // A parameter that nothing reads may be anything.
      guard let place = places[position] else {
        arguments.append(round)
        continue
      }
      let value = parameters[1 + flowing.count + place]
      switch source {
      case .nothing, .operand: arguments.append(value)
      case .counter(let step): arguments.append(try body.counted(from: value, back, step))
      case .stack: arguments.append(try body.restored(value, type, at: back))
      }
    }
    arguments += parameters[1..<1 + flowing.count]
    for (stack, type) in zip(parameters.dropFirst(1 + flowing.count + extra), residuals.types) {
      arguments.append(try body.restored(stack, type, at: back))
    }
    let next = body.graph.appendNodes(of: backward, arguments)
    body.graph.results = [try body.add(round, body.integer(1, countType))] + next
    let value = try c.append(.while(While(condition: condition.graph, body: body.graph)), initial)
    return Array(c.graph.results(of: value).dropFirst())
  }

  /// The operand of the recorded loop that is operand `position` of the loop as it was.
  func operand(_ position: Int, _ operands: [ValueID]) -> ValueID {
    let count = loop.body.results.count
    return operands[position < count || stackCount == 0 ? position : position + stackCount + 1]
  }
}

extension While {
  /// By how much a scalar integer that the loop changes grows in each round.
  fileprivate func step(_ position: Int) -> Int? {
    let type = body.parameterTypes[position]
    guard type.isScalar, type.elementType == .i32 || type.elementType == .i64 else { return nil }
    let numbers = body.parameters.indices.map { Optional(Extent.variable($0)) }
    guard let next = body.scalarExtent(of: body.results[position], arguments: numbers) else { return nil }
    return (next - .variable(position)).fixed
  }
}

extension Composer {
  /// A value at place `round` of a stack.
  fileprivate mutating func storing(_ value: ValueID, in stack: ValueID, at round: ValueID) throws(OpError) -> ValueID {
    let line = try reshaped(value, [.one] + type(value).dimensions)
    return try replaced(stack, line, at: [0: round])
  }

  fileprivate mutating func restored(_ stack: ValueID, _ type: TensorType, at round: ValueID) throws(OpError) -> ValueID
  {
    try reshaped(cut(stack, at: [0: round]), type.dimensions)
  }

  fileprivate mutating func counted(from initial: ValueID, _ round: ValueID, _ step: Int) throws(OpError) -> ValueID {
    let element = type(initial).elementType
    let rounds = try converted(round, to: element)
    if step == 1 { return try add(initial, rounds) }
    return try add(initial, multiply(rounds, integer(step, element)))
  }
}
