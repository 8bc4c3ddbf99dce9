import GraphBuilding
import IR

extension Operator {
  /// Constants, copies, calls, branches and loops.
  static let control: [Operator] = [
    Operator("Const", items: constant),
    copy("Identity"), copy("StopGradient"), copy("PreventGradient"), copy("Snapshot"), copy("EnsureShape"),
    copy("CheckNumerics"), copy("DebugIdentity"), copy("GuaranteeConst"),
    Operator("IdentityN", items: { (n) throws(OpError) in n.call.inputs }),
    Operator(
      "PlaceholderWithDefault",
      items: { (n) throws(OpError) in
        n.ignore("shape")
        return [try n.item(0)]
      }),
    Operator("PartitionedCall", items: call), Operator("StatefulPartitionedCall", items: call),
    Operator(
      "Switch", outputs: ["output_false", "output_true"],
      items: { (n) throws(OpError) in
        let x = try n.item(0)
        return [x, x]
      }),
    Operator("If", items: choose), Operator("StatelessIf", items: choose),
    Operator("Case", items: cases), Operator("StatelessCase", items: cases),
    Operator("While", items: loop), Operator("StatelessWhile", items: loop),
  ]

  private static func constant(_ n: inout Lowering) throws(OpError) -> [Item] {
    let tensor = try n.tensor("value")
    if tensor.dtype == .dtString { return [.other("a string")] }
    return [.tensor(n.constant(try tensor.literal()))]
  }

  private static func copy(_ name: String) -> Operator {
    Operator(
      name,
      items: { (n) throws(OpError) in
        n.ignore("message", "shape")
        return [try n.item(0)]
      })
  }

  private static func call(_ n: inout Lowering) throws(OpError) -> [Item] {
    n.ignore("config", "config_proto", "executor_type")
    return try n.call(try n.function("f"), n.call.inputs)
  }

  // MARK: - Branches

  private static func choose(_ n: inout Lowering) throws(OpError) -> [Item] {
    n.ignore("output_shapes")
    let functions = [try n.function("else_branch"), try n.function("then_branch")]
    let predicate = try n.input(0)
    let isTrue: Value
    if predicate.element.isBoolean {
      isTrue = predicate
    } else {
      isTrue = try n.compare(.notEqual, predicate, 0)
    }
    return try branches(&n, isTrue, functions)
  }

  private static func cases(_ n: inout Lowering) throws(OpError) -> [Item] {
    n.ignore("output_shapes")
    return try branches(&n, try n.input(0), try n.functions("branches"))
  }

  /// The results of the function that a number chooses; one out of range chooses the last.
  private static func branches(_ n: inout Lowering, _ index: Value, _ functions: [String]) throws(OpError) -> [Item] {
    let arguments = Array(n.call.inputs.dropFirst())
    guard !functions.isEmpty else { throw OpError("it has no branches") }
    if let known = n.constantLiteral(of: index), known.elementCount == 1 {
      let number = Int(known[0].integerValue)
      return try n.call(functions[functions.indices.contains(number) ? number : functions.count - 1], arguments)
    }
    var levels: [Construction.Level] = []
    var captures: [Value] = []
    var types: [TensorType] = []
    for (position, function) in functions.enumerated() {
      _ = try n.beginRegion([], captures: captures)
      let values = try n.tensors(try n.call(function, arguments), "a branch")
      if position == 0 { types = values.map(\.type) }
      guard values.map(\.type) == types else { throw .unsupported("branches whose results have different types") }
      levels.append(try n.endRegion(values))
      captures = levels[position].captures
    }
    // What a branch needs and those before it do not, they get too.
    for position in levels.indices {
      for value in captures.dropFirst(levels[position].captures.count) {
        levels[position].graph.addParameter(value.type)
      }
    }
    let selector = try n.reshape(index, [])
    let op: Op
    if index.element.isBoolean {
      op = .if(If(trueBranch: levels[1].graph, falseBranch: levels[0].graph))
    } else {
      op = .case(Case(branches: levels.map(\.graph)))
    }
    let choice = index.element.isBoolean ? selector : try n.convert(selector, .i32)
    return try n.emitAll(op, [choice] + captures).map { .tensor($0) }
  }

  // MARK: - Loops

  private static func loop(_ n: inout Lowering) throws(OpError) -> [Item] {
    n.ignore("output_shapes", "parallel_iterations")
    let condition = try n.function("cond")
    let body = try n.function("body")
    var state = n.call.inputs
    // Lists whose elements have no shape yet get it from what the body sets.
    if state.contains(where: \.isOpenList) {
      let start = state
      let mark = n.construction.mark
      let unsupported = n.unsupported
      let next = try inBody(&n, start) { (n, state) throws(OpError) in try n.call(body, state) }
      n.construction.reset(to: mark)
      n.unsupported = unsupported
      for (position, item) in next.enumerated() {
        guard case .list(let list) = item, case .list(let open) = state[position], open.value == nil else { continue }
        state[position] = .list(try n.zeros(list))
      }
    }
    let varying = state.indices.filter { state[$0].value != nil }
    let initial = varying.compactMap { state[$0].value }
    let results = try n.loop(
      initial,
      while: { (n, values) throws(OpError) in
        let holds = try n.call(condition, replaced(state, varying, values))
        guard case .tensor(let value)? = holds.first else { throw .unsupported("") }
        return value.element.isBoolean ? value : try n.compare(.notEqual, value, 0)
      },
      { (n, values) throws(OpError) in
        let next = try n.call(body, replaced(state, varying, values))
        guard next.count == state.count else { throw OpError("its body has \(next.count) results") }
        return try varying.map { (position) throws(OpError) in
          if case .missing = next[position] { throw .unsupported("") }
          guard let value = next[position].value else { throw .unsupported("a loop that changes what a value is") }
          return value
        }
      })
    return replaced(state, varying, results)
  }

  private static func inBody(
    _ n: inout Lowering, _ state: [Item], _ body: (inout Lowering, [Item]) throws(OpError) -> [Item]
  ) throws(OpError) -> [Item] {
    let varying = state.indices.filter { state[$0].value != nil }
    let parameters = try n.beginRegion(varying.compactMap { state[$0].value?.type })
    return try body(&n, replaced(state, varying, parameters))
  }

  /// The state with other values in some places.
  private static func replaced(_ state: [Item], _ positions: [Int], _ values: [Value]) -> [Item] {
    var result = state
    for (position, value) in zip(positions, values) { result[position] = state[position].replacingValue(value) }
    return result
  }
}

extension Item {
  /// The tensor that a loop carries for it.
  var value: Value? {
    switch self {
    case .tensor(let value): value
    case .list(let list): list.value
    case .variable, .other, .missing: nil
    }
  }

  var isOpenList: Bool {
    if case .list(let list) = self { return list.value == nil }
    return false
  }

  fileprivate func replacingValue(_ value: Value) -> Item {
    guard case .list(var list) = self else { return .tensor(value) }
    list.value = value
    return .list(list)
  }
}

extension Lowering {
  /// Items that are all tensors.
  func tensors(_ items: [Item], _ what: String) throws(OpError) -> [Value] {
    var values: [Value] = []
    for item in items {
      if case .missing = item { throw .unsupported("") }
      guard case .tensor(let value) = item else { throw .unsupported("\(what) whose results are not tensors") }
      values.append(value)
    }
    return values
  }
}
