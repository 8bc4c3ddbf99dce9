extension While {
  /// How often the body runs, as an expression over symbols; where that is not positive it does not run.
  ///
  /// A scalar that grows by the same number in each round is compared with one that stays: then the difference of the two
  /// is known in each round. Of i32 only what cannot wrap: steps of one towards an extent.
  public func symbolicTripCount(operands: [Extent?]) -> Extent? {
    let round = operands.count
    let numbers = operands.indices.map { Optional(Extent.variable($0)) }
    guard let test = ScalarExpressions(condition, numbers).comparison else { return nil }
    let next = ScalarExpressions(body, numbers)
    var values = body.results.indices.map { position -> Extent? in
      guard let initial = operands[position], let after = next.result(position),
        let growth = (after - .variable(position)).fixed
      else { return nil }
      return initial + Extent.variable(round) * growth
    }
    values += operands[body.results.count...]
    guard let a = test.left.replacingVariables(by: values), let b = test.right.replacingVariables(by: values),
      let growth = (a - b).coefficient(ofVariable: round)?.fixed
    else { return nil }
    let first = Difference(left: a, right: b, round: round)
    guard test.isWide || (abs(growth) == 1 && first.isSafe) else { return nil }
    let start = first.left - first.right
    // How far the difference is from 0, and how much nearer it comes in a round.
    let (distance, step) = growth > 0 ? (Extent.zero - start, Extent(growth)) : (start, Extent(-growth))
    switch test.direction {
    case .less where growth > 0, .greater where growth < 0: return (distance + step - 1).floorDivided(by: step)
    case .lessOrEqual where growth > 0 && test.isWide, .greaterOrEqual where growth < 0 && test.isWide:
      return (distance + step).floorDivided(by: step)
    default: return nil
    }
  }
}

extension Graph {
  /// A scalar integer as an expression over extents, and over `arguments` where those are known.
  public func scalarExtent(of value: ValueID, arguments: [Extent?]) -> Extent? {
    guard self[value].hasSingleResult else { return nil }
    return ScalarExpressions(self, arguments + parameters.dropFirst(arguments.count).map { _ in nil }).expression(value)
  }
}

/// The two sides of a comparison before the first round.
private struct Difference {
  var left: Extent
  var right: Extent

  init(left: Extent, right: Extent, round: Int) {
    func first(_ side: Extent) -> Extent { side.substituting { $0 == .variable(round) ? .zero : nil } }
    (self.left, self.right) = (first(left), first(right))
  }

  /// Whether i32 holds both: numbers, and extents or less.
  var isSafe: Bool {
    [left, right].allSatisfy { side in
      if let fixed = side.fixed { return Int(Int32(truncatingIfNeeded: fixed)) == fixed }
      guard side.terms.count == 1, side.terms[0].coefficient == 1, side.terms[0].factors.count == 1,
        case .symbol = side.terms[0].factors[0]
      else { return false }
      return (-(1 << 30)...0).contains(side.constant)
    }
  }
}

extension IntegerExpression {
  /// The expression with a value for each variable that it mentions; nil where one is not known.
  fileprivate func replacingVariables(by values: [Extent?]) -> Extent? {
    var isKnown = true
    visitAtoms { atom in
      guard case .variable(let number) = atom else { return }
      if !values.indices.contains(number) || values[number] == nil { isKnown = false }
    }
    guard isKnown else { return nil }
    return substituting { atom in
      guard case .variable(let number) = atom else { return nil }
      return values[number]
    }
  }
}

/// The scalar integers of a graph as expressions over its arguments.
private struct ScalarExpressions {
  struct Comparison {
    var direction: ComparisonDirection
    var left: Extent
    var right: Extent
    /// Whether i64 are compared.
    var isWide: Bool
  }

  private let graph: Graph
  private let arguments: [Extent?]

  init(_ graph: Graph, _ arguments: [Extent?]) {
    self.graph = graph
    self.arguments = arguments
  }

  func result(_ position: Int) -> Extent? { expression(ResultSlot(value: graph.results[position], result: 0)) }

  /// The comparison of signed integers that is the graph's first result.
  var comparison: Comparison? { comparison(ResultSlot(value: graph.results[0], result: 0)) }

  private func comparison(_ slot: ResultSlot) -> Comparison? {
    let node = graph[slot.value]
    switch node.op {
    case .pointwise(let pointwise):
      guard case .compare(let direction, .signed) = pointwise.function,
        let left = expression(node.operands[0]), let right = expression(node.operands[1])
      else { return nil }
      let isWide = graph.type(of: node.operands[0]).elementType == .i64
      return Comparison(direction: direction, left: left, right: right, isWide: isWide)
    case .getTupleElement(let projection):
      return comparison(ResultSlot(value: node.operands[0], result: projection.index))
    case .fusion(let fusion):
      return inside(fusion, node).comparison(ResultSlot(value: fusion.body.results[slot.result], result: 0))
    default: return nil
    }
  }

  private func inside(_ fusion: Fusion, _ node: Node) -> ScalarExpressions {
    ScalarExpressions(fusion.body, node.operands.map { expression($0) })
  }

  func expression(_ value: ValueID) -> Extent? { expression(ResultSlot(value: value, result: 0)) }

  private func expression(_ slot: ResultSlot) -> Extent? {
    let node = graph[slot.value]
    let type = node.resultTypes[slot.result]
    guard type.elementType == .i32 || type.elementType == .i64, type.dimensions.allSatisfy({ $0.fixed == 1 }) else {
      return nil
    }
    switch node.op {
    case .parameter(let parameter): return arguments[parameter.index]
    case .constant(let constant): return Extent(Int(constant.value[0].integerValue))
    case .extentValue(let value): return value.extent
    case .getTupleElement(let projection):
      return expression(ResultSlot(value: node.operands[0], result: projection.index))
    case .fusion(let fusion):
      return inside(fusion, node).expression(ResultSlot(value: fusion.body.results[slot.result], result: 0))
    case .reshape, .broadcastInDim: return expression(node.operands[0])
    case .pointwise(let pointwise): return expression(pointwise.function, node.operands)
    default: return nil
    }
  }

  private func expression(_ function: ScalarFunction, _ operands: [ValueID]) -> Extent? {
    let known = operands.compactMap { expression($0) }
    guard known.count == operands.count else { return nil }
    switch function {
    case .add: return known[0] + known[1]
    case .subtract: return known[0] - known[1]
    case .convert(.i64): return known[0]
    default: return nil
    }
  }
}
