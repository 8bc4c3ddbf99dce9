public import IR

/// What extents of a run must fulfil so that no op leaves its operands: that one is at most another.
///
/// `m` elements written into `n` need `m <= n`, unless there are none to write.
public struct ExtentCheck: Hashable, Sendable {
  public var order: ExtentOrder
  /// The op is not run, or computes no element, where one of these is zero or less.
  public var exceptions: [Extent]
  public var op: String
  public var location: Location

  /// The symbols that must have values.
  public var symbols: Set<Symbol> {
    ([order.lesser, order.greater] + exceptions).reduce(into: []) { $0.formUnion($1.symbols) }
  }

  /// What a caller is told of a run that does not fulfil it.
  public var sentence: String {
    let place = location == .unknown ? op : "\(op), \(location)"
    let empty = exceptions.map { "\($0) is 0\($0.isNeverNegative ? "" : " or less")" }.joined(separator: " or ")
    let exception = empty.isEmpty ? "" : " unless \(empty)"
    return "\(order.lesser) must be at most \(order.greater)\(exception) (\(place))"
  }
}

extension Graph {
  /// What only a run can check, each once, in order; throws where symbols in their bounds never fulfil it.
  ///
  /// What is in branches is checked as if it were run; what is in a loop, unless there is no first round.
  public func extentChecks(bounds: [Symbol: SymbolBounds]) throws(OpError) -> [ExtentCheck] {
    var checks = ExtentChecks(facts: SymbolFacts(bounds: bounds), decided: try dataSymbols())
    try checks.visit(self, ExtentChecks.Region())
    return checks.found
  }
}

/// Collects checks, in regions too.
private struct ExtentChecks {
  /// What is known in a region: scalars among its values, and when it is not run.
  struct Region {
    var parameters: [Extent?] = []
    var exceptions: [Extent] = []
  }

  let facts: SymbolFacts
  /// Symbols that have no value before the run.
  let decided: [DataSymbol]
  private(set) var found: [ExtentCheck] = []
  /// Orders that are checked already, with their exceptions.
  private var known: Set<Condition> = []

  private struct Condition: Hashable {
    var order: ExtentOrder
    var exceptions: [Extent]
  }

  init(facts: SymbolFacts, decided: [DataSymbol]) {
    self.facts = facts
    self.decided = decided
  }

  mutating func visit(_ graph: Graph, _ region: Region) throws(OpError) {
    var scalars: [Extent?] = []
    scalars.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      scalars.append(Self.scalar(node, region))
      let operands = node.operands.map { scalars[$0.index] }
      switch node.op {
      case .parameter: break
      case .while(let loop):
        try visit(loop.condition, Region(parameters: [], exceptions: region.exceptions))
        try visit(loop.body, Self.body(loop, operands, region))
      case .if, .case:
        let inner = Region(parameters: Array(operands.dropFirst()), exceptions: region.exceptions)
        for branch in node.op.definition.regions { try visit(branch, inner) }
      default: try visit(node, in: graph, region)
      }
    }
  }

  private mutating func visit(_ node: Node, in graph: Graph, _ region: Region) throws(OpError) {
    for type in node.resultTypes {
      for extent in type.dimensions where !extent.isNeverNegative {
        try require(ExtentOrder(.zero, atMost: extent), node, region.exceptions)
      }
    }
    let operands = node.operands.map { graph[$0].resultTypes }
    guard operands.allSatisfy({ $0.count == 1 }) else { return }
    let orders = node.op.definition.requiredOrders(operands.map { $0[0] })
    if orders.isEmpty { return }
    let computed = Self.computed(node, operands.map { $0[0] })
    let exceptions = computed.dimensions.filter { !facts.isPositive($0) }
    for order in orders { try require(order, node, region.exceptions + exceptions) }
  }

  /// What is empty where the op moves no element.
  private static func computed(_ node: Node, _ operands: [TensorType]) -> TensorType {
    switch node.op {
    case .dynamicUpdateSlice: operands[1]
    case .scatter: operands[operands.count - 1]
    default: node.resultTypes[0]
    }
  }

  private mutating func require(_ order: ExtentOrder, _ node: Node, _ exceptions: [Extent]) throws(OpError) {
    let (lesser, greater) = (order.lesser, order.greater)
    guard ([lesser, greater] + exceptions).allSatisfy(\.isKnownBeforeTheRun) else { return }
    if exceptions.contains(where: { $0.fixed.map { $0 <= 0 } ?? false }) { return }
    var run = facts
    for extent in exceptions { run.assume(.greater, extent, .zero, order: []) }
    switch run.decide(.lessOrEqual, lesser, greater) {
    case true?: return
    case false? where exceptions.isEmpty:
      throw OpError("\(node.op.mnemonic) needs \(lesser) to be at most \(greater)").at(node.location)
    default: break
    }
    if Extent.minimum(lesser, greater) == lesser { return }
    if let most = (lesser - greater).most(decided), facts.decide(.lessOrEqual, most, .zero) == true { return }
    var distinct: [Extent] = []
    for extent in exceptions where extent != lesser && !distinct.contains(extent) { distinct.append(extent) }
    guard known.insert(Condition(order: order, exceptions: distinct)).inserted else { return }
    found.append(
      ExtentCheck(order: order, exceptions: distinct, op: node.op.mnemonic, location: node.location))
  }

  // MARK: Loops

  private static func scalar(_ node: Node, _ region: Region) -> Extent? {
    switch node.op {
    case .parameter(let parameter):
      return region.parameters.indices.contains(parameter.index) ? region.parameters[parameter.index] : nil
    case .extentValue(let value): return value.extent
    case .constant(let constant):
      guard node.type.isScalar, node.type.elementType.isInteger else { return nil }
      return Int(exactly: constant.value[0].integerValue).map { Extent($0) }
    default: return nil
    }
  }

  /// What a loop's body knows: scalars that it hands on as they are, and that there is a first round.
  private static func body(_ loop: While, _ initial: [Extent?], _ outer: Region) -> Region {
    var inner = Region(parameters: initial, exceptions: outer.exceptions)
    for (position, result) in loop.body.results.enumerated() where result != loop.body.parameters[position] {
      inner.parameters[position] = nil
    }
    let condition = loop.condition
    let atFirst = Region(parameters: initial)
    func collect(_ value: ValueID) {
      let node = condition[value]
      guard case .pointwise(let pointwise) = node.op else { return }
      switch pointwise.function {
      case .and: for operand in node.operands { collect(operand) }
      case .compare(let direction, _):
        let sides = node.operands.map { scalar(condition[$0], atFirst) }
        guard sides.count == 2, let a = sides[0], let b = sides[1] else { return }
        switch direction {
        case .less: inner.exceptions.append(b - a)
        case .lessOrEqual: inner.exceptions.append(b - a + 1)
        case .greater: inner.exceptions.append(a - b)
        case .greaterOrEqual: inner.exceptions.append(a - b + 1)
        case .equal, .notEqual: break
        }
      default: break
      }
    }
    collect(condition.results[0])
    inner.exceptions.removeAll { $0.fixed.map { $0 > 0 } ?? false }
    return inner
  }
}
