/// `softmax(f(q k')) v` in a graph of simpler ops: two products, and between them a softmax along the keys.
///
/// `f` is whatever is computed from the scores `q k'` element by element: scales, masks, caps. Every index expression here
/// is over the dimensions of the scores.
public struct Attention: Hashable, Sendable {
  /// Rows of weights that are zero whatever the softmax says.
  public enum Zeroing: Hashable, Sendable {
    /// Those for which the value at the index, the same for all keys, is true (or false).
    case rows(ValueID, index: [IntegerExpression], whereTrue: Bool)
    /// Those in which the softmax is not a number.
    case undefinedRows
  }

  /// The `dot_general` of queries and keys.
  public fileprivate(set) var scores: ValueID
  /// Which operand of the scores has the keys, and the scores' dimension that counts them.
  public fileprivate(set) var keyOperand: Int
  public fileprivate(set) var keyDimension: Int
  /// What the softmax is taken of, and the index of a score's element in it.
  public fileprivate(set) var logits: ValueID
  public fileprivate(set) var logitIndex: [IntegerExpression]
  public fileprivate(set) var zeroing: Zeroing?
  /// The `dot_general` of weights and values, which operand has the weights, and the index of a score's weight in it.
  public fileprivate(set) var product: ValueID
  public fileprivate(set) var weightOperand: Int
  public fileprivate(set) var weightIndex: [IntegerExpression]
  /// All that is computed from the scores up to the product, both included, ascending.
  public fileprivate(set) var nodes: [ValueID]

  /// Why a product of softmax weights is not an attention.
  public struct Refusal: Sendable {
    public var product: ValueID
    public var reason: String
  }

  /// The longest rows of queries, keys and values: a block of each is kept in the cache.
  public static let headLimit = 512
}

extension Graph {
  /// The attentions in the graph, none of whose nodes but the product is read elsewhere; and what is nearly one.
  ///
  /// O(nodes) for graphs with a bounded number of users a node.
  public func attentions() -> (found: [Attention], refused: [Attention.Refusal]) {
    guard nodes.count(where: { if case .dotGeneral = $0.op { true } else { false } }) > 1 else { return ([], []) }
    var tracer = AttentionTracer(self)
    tracer.run()
    return (tracer.found, tracer.refused)
  }
}

/// Follows what becomes of each product's elements.
private struct AttentionTracer {
  enum Role {
    /// A function of the score, element by element.
    case logit
    /// The largest logit of a row.
    case maximum
    /// The logit without the largest.
    case shifted
    case exponential
    /// The sum of a row's exponentials.
    case sum
    case weight
    /// Whether the weight is not a number.
    case undefined
  }

  struct Trace {
    var scores: ValueID
    var role: Role
    /// The logits that the value comes from.
    var logits: ValueID
    var zeroing: Attention.Zeroing?
    /// Where the value of the score at `.variable(0), .variable(1), …` is; of a row's number, under any key.
    var index: [IntegerExpression]
    /// The dimension of the scores along which the row's numbers are taken.
    var key: Int?
  }

  let graph: Graph
  let live: [Bool]
  var traces: [Trace?]
  var found: [Attention] = []
  var refused: [Attention.Refusal] = []

  init(_ graph: Graph) {
    self.graph = graph
    live = graph.liveValues
    traces = [Trace?](repeating: nil, count: graph.nodes.count)
  }

  mutating func run() {
    for (position, node) in graph.nodes.enumerated() where live[position] && node.hasSingleResult {
      traces[position] = trace(ValueID(position), node)
    }
    keepUnread()
  }

  private mutating func trace(_ value: ValueID, _ node: Node) -> Trace? {
    switch node.op {
    case .dotGeneral(let dot):
      for operand in 0...1 { complete(dot, value, node, weightOperand: operand) }
      guard node.type.elementType.isFloat else { return nil }
      let index = node.type.dimensions.enumerated().map { $1 == .one ? IntegerExpression.zero : .variable($0) }
      return Trace(scores: value, role: .logit, logits: value, index: index)
    case .pointwise(let pointwise): return applied(pointwise.function, value, node)
    case .reduce(let reduce): return reduced(reduce, node)
    case .broadcastInDim(let broadcast): return spread(broadcast, node)
    case .reshape, .transpose:
      guard var trace = traces[node.operands[0].index],
        let index = graph.index(trace.index, movedBy: node, over: graph.type(of: trace.scores).dimensions)
      else { return nil }
      trace.index = index
      return trace
    default: return nil
    }
  }

  // MARK: Element by element

  private func applied(_ function: ScalarFunction, _ value: ValueID, _ node: Node) -> Trace? {
    let operands = node.operands.map { traces[$0.index] }
    guard let first = operands.compactMap({ $0 }).first else { return nil }
    switch function {
    case .convert(let type): return converted(first, to: type, value, node)
    case .subtract:
      guard let x = operands[0], let y = operands[1], x.isBeside(y), x.role == .logit, y.role == .maximum else { break }
      return y.with(.shifted)
    case .exponential where first.role == .shifted: return first.with(.exponential)
    case .maximum where operands.contains { $0?.role == .maximum }:
      guard let other = zip(node.operands, operands).first(where: { $0.1 == nil })?.0,
        splat(other) == .real(-.infinity)
      else { return nil }
      return first
    case .divide:
      guard let x = operands[0], let y = operands[1], x.isBeside(y), x.role == .exponential, y.role == .sum else {
        break
      }
      return x.with(.weight)
    case .compare(.notEqual, .float):
      guard let x = operands[0], x.role == .weight, node.operands[0] == node.operands[1], x.zeroing == nil else {
        break
      }
      return x.with(.undefined)
    case .select:
      if let zeroed = zeroed(operands, node) { return zeroed }
    default: break
    }
    return logit(value, first, operands)
  }

  /// A function of scores at one index, and of anything else.
  private func logit(_ value: ValueID, _ first: Trace, _ operands: [Trace?]) -> Trace? {
    let same = operands.compactMap { $0 }.filter { $0.scores == first.scores }
    guard same.allSatisfy({ $0.role == .logit && $0.index == first.index }) else { return nil }
    var trace = first
    trace.logits = value
    return trace
  }

  private func converted(_ trace: Trace, to type: ElementType, _ value: ValueID, _ node: Node) -> Trace? {
    let from = graph.type(of: node.operands[0]).elementType
    guard trace.role != .undefined else { return nil }
    guard trace.role == .logit else { return type.isFloat ? trace : nil }
    // What loses bits makes other logits.
    let isExact = from.isFloat && type.isFloat && (from == type || type.bitWidth > from.bitWidth)
    var converted = trace
    if !isExact { converted.logits = value }
    return converted
  }

  /// Weights with rows of zeros.
  private func zeroed(_ operands: [Trace?], _ node: Node) -> Trace? {
    for (kept, other) in [(2, 1), (1, 2)] {
      guard var weight = operands[kept], weight.role == .weight, weight.zeroing == nil, operands[other] == nil,
        splat(node.operands[other])?.realValue == 0
      else { continue }
      if let condition = operands[0] {
        guard condition.role == .undefined, condition.isBeside(weight), kept == 2 else { return nil }
        weight.zeroing = .undefinedRows
        return weight
      }
      guard let key = weight.key, let dimension = weight.index.firstIndex(of: .variable(key)),
        isConstant(node.operands[0], along: dimension)
      else { return nil }
      weight.zeroing = .rows(node.operands[0], index: weight.index, whereTrue: kept == 2)
      return weight
    }
    return nil
  }

  /// Whether the value is the same at all indices that differ in one dimension only.
  private func isConstant(_ value: ValueID, along dimension: Int) -> Bool {
    let node = graph[value]
    guard case .broadcastInDim(let broadcast) = node.op else { return false }
    guard let operand = broadcast.dimensions.firstIndex(of: dimension) else { return true }
    return graph.type(of: node.operands[0]).dimensions[operand] == .one && node.type.dimensions[dimension] != .one
  }

  /// The value of all elements, of a constant or of a constant that is spread.
  private func splat(_ value: ValueID) -> Scalar? {
    switch graph[value].op {
    case .constant(let constant): constant.value.splatValue
    case .broadcastInDim: splat(graph[value].operands[0])
    default: nil
    }
  }

  // MARK: Rows

  private func reduced(_ reduce: Reduce, _ node: Node) -> Trace? {
    guard node.operands.count == 2, var trace = traces[node.operands[0].index], node.type.elementType.isFloat,
      let initial = splat(node.operands[1]), let function = reduce.body.foldedFunction
    else { return nil }
    switch (trace.role, function, initial) {
    case (.logit, .maximum, .real(-.infinity)): trace.role = .maximum
    case (.exponential, .add, .real(0)): trace.role = .sum
    default: return nil
    }
    let folded = reduce.dimensions.map { trace.index[$0] }.filter { $0 != .zero }
    guard folded.count == 1, case .variable(let key)? = folded[0].atom, trace.key == nil || trace.key == key else {
      return nil
    }
    trace.key = key
    trace.index = trace.index.indices.filter { !reduce.dimensions.contains($0) }.map { trace.index[$0] }
    return trace.index.contains { $0.contains(variable: key) } ? nil : trace
  }

  /// A number for each row, for all keys of the row again.
  private func spread(_ broadcast: BroadcastInDim, _ node: Node) -> Trace? {
    guard var trace = traces[node.operands[0].index], trace.role == .maximum || trace.role == .sum, let key = trace.key
    else { return nil }
    let operand = graph.type(of: node.operands[0]).dimensions
    var index: [IntegerExpression] = []
    for (dimension, extent) in node.type.dimensions.enumerated() {
      if let source = broadcast.dimensions.firstIndex(of: dimension), operand[source] == extent {
        index.append(trace.index[source])
      } else if extent == .one {
        index.append(.zero)
      } else {
        guard extent == graph.type(of: trace.scores).dimensions[key], !index.contains(.variable(key)) else {
          return nil
        }
        index.append(.variable(key))
      }
    }
    trace.index = index
    return trace
  }

  // MARK: The product

  private mutating func complete(_ dot: DotGeneral, _ value: ValueID, _ node: Node, weightOperand: Int) {
    guard let trace = traces[node.operands[weightOperand].index], trace.role == .weight, let key = trace.key else {
      return
    }
    let values = node.operands[1 - weightOperand]
    let contracting = weightOperand == 0 ? dot.dimensions.lhsContracting : dot.dimensions.rhsContracting
    let refuse = { (reason: String) in Attention.Refusal(product: value, reason: reason) }
    guard contracting.count == 1, trace.index[contracting[0]] == .variable(key),
      trace.index.indices.allSatisfy({ $0 == contracting[0] || !trace.index[$0].contains(variable: key) })
    else {
      refused.append(refuse("the product sums over other dimensions than the softmax"))
      return
    }
    let batching = weightOperand == 0 ? dot.dimensions.lhsBatching : dot.dimensions.rhsBatching
    guard case .dotGeneral(let scores) = graph[trace.scores].op,
      batching.allSatisfy({ trace.index[$0].dependsOnly(onVariables: 0..<scores.dimensions.lhsBatching.count) })
    else {
      refused.append(refuse("each query has values of its own"))
      return
    }
    guard traces[values.index]?.scores != trace.scores, let logits = traces[trace.logits.index] else {
      refused.append(refuse("both operands of the product come from the same scores"))
      return
    }
    guard let keyOperand = keyOperand(of: trace.scores, key) else {
      refused.append(refuse("the softmax runs along one of several dimensions of the keys"))
      return
    }
    let attention = Attention(
      scores: trace.scores, keyOperand: keyOperand, keyDimension: key, logits: trace.logits, logitIndex: logits.index,
      zeroing: trace.zeroing, product: value, weightOperand: weightOperand, weightIndex: trace.index,
      nodes: nodes(from: trace.scores, to: value, weightOperand))
    if let reason = reasonAgainst(attention, scores, dot) {
      refused.append(refuse(reason))
    } else {
      found.append(attention)
    }
  }

  /// The operand of `scores` of which `key` counts all rows.
  private func keyOperand(of scores: ValueID, _ key: Int) -> Int? {
    guard case .dotGeneral(let dot) = graph[scores].op else { return nil }
    let ranks = graph[scores].operands.map { graph.type(of: $0).rank }
    let first = dot.dimensions.lhsBatching.count
    let (left, right) = (dot.dimensions.lhsFree(rank: ranks[0]).count, dot.dimensions.rhsFree(rank: ranks[1]).count)
    if right == 1, key == first + left { return 1 }
    return left == 1 && key == first ? 0 : nil
  }

  private func nodes(from scores: ValueID, to product: ValueID, _ weightOperand: Int) -> [ValueID] {
    var members: Set<ValueID> = [product, scores]
    var pending = [graph[product].operands[weightOperand]]
    while let value = pending.popLast() {
      guard traces[value.index]?.scores == scores, members.insert(value).inserted else { continue }
      pending += graph[value].operands
    }
    return members.sorted()
  }

  private func reasonAgainst(_ attention: Attention, _ scores: DotGeneral, _ product: DotGeneral) -> String? {
    let operands = graph[attention.scores].operands + [graph[attention.product].operands[1 - attention.weightOperand]]
    let types = operands.map { graph.type(of: $0) }
    let sums = [scores.resultType, product.resultType]
    guard (types.map(\.elementType) + sums).allSatisfy({ $0.isFloat && $0.isExecutable }) else {
      return "its operands are not floats that kernels compute with"
    }
    let depth = scores.dimensions.lhsContracting.reduce(Extent.one) { $0 * types[0].dimensions[$1] }
    let values = types[2]
    let free =
      attention.weightOperand == 0
      ? product.dimensions.rhsFree(rank: values.rank) : product.dimensions.lhsFree(rank: values.rank)
    let width = free.reduce(Extent.one) { $0 * values.dimensions[$1] }
    for extent in [depth, width] {
      guard let fixed = extent.fixed else { return "the head size \(extent) is not fixed" }
      guard fixed > 0, fixed <= Attention.headLimit else {
        return "the head size \(fixed) is not between 1 and \(Attention.headLimit)"
      }
    }
    return nil
  }

  /// Drops what has a node that something else reads.
  private mutating func keepUnread() {
    if found.isEmpty { return }
    var users = [[ValueID]](repeating: [], count: graph.nodes.count)
    for (position, node) in graph.nodes.enumerated() where live[position] {
      for operand in node.operands { users[operand.index].append(ValueID(position)) }
    }
    let results = Set(graph.results)
    let candidates = found
    found = []
    for attention in candidates {
      let members = Set(attention.nodes)
      let read = attention.nodes.first { value in
        value != attention.product && (results.contains(value) || !users[value.index].allSatisfy(members.contains))
      }
      if let read {
        let mnemonic = graph[read].op.mnemonic
        refused.append(
          Attention.Refusal(product: attention.product, reason: "the result of its \(mnemonic) is read elsewhere too"))
      } else {
        found.append(attention)
      }
    }
  }
}

extension AttentionTracer.Trace {
  fileprivate func with(_ role: AttentionTracer.Role) -> Self {
    var copy = self
    copy.role = role
    return copy
  }

  /// Whether both come from the same logits, and elements at one index belong together.
  fileprivate func isBeside(_ other: Self) -> Bool {
    scores == other.scores && logits == other.logits && index == other.index
  }
}

extension Graph {
  /// `index`, an index of the operand of a reshape or a transpose as expressions over a space, in the result's dimensions.
  ///
  /// Nil for other ops, and where the expressions would have more atoms than `IntegerExpression.atomLimit`.
  public func index(_ index: [IntegerExpression], movedBy node: Node, over space: [Extent]) -> [IntegerExpression]? {
    switch node.op {
    case .transpose(let transpose): return transpose.permutation.map { index[$0] }
    case .reshape:
      let from = type(of: node.operands[0]).dimensions
      let bound: IntegerExpression.Bound = { atom in
        if case .variable(let d) = atom, space.indices.contains(d) { return space[d] }
        return nil
      }
      let moved = Reshape.index(from: from, into: node.type.dimensions).map { expression in
        expression.substituting(bound: bound) { atom in
          if case .variable(let d) = atom, index.indices.contains(d) { return index[d] }
          return nil
        }
      }
      return moved.contains { $0.hasMoreAtoms(than: IntegerExpression.atomLimit) } ? nil : moved
    default: return nil
    }
  }

  /// The function, if the graph is one function of its two parameters, in any order.
  public var foldedFunction: ScalarFunction? {
    guard parameters.count == 2, results.count == 1, case .pointwise(let pointwise) = self[results[0]].op,
      Set(self[results[0]].operands) == Set(parameters)
    else { return nil }
    return pointwise.function
  }
}

extension IntegerExpression {
  /// Whether the value depends on the variable.
  public func contains(variable: Int) -> Bool {
    var found = false
    visitAtoms { if $0 == .variable(variable) { found = true } }
    return found
  }

  /// Whether all variables the value depends on are among these.
  fileprivate func dependsOnly(onVariables variables: Range<Int>) -> Bool {
    var holds = true
    visitAtoms { if case .variable(let variable) = $0, !variables.contains(variable) { holds = false } }
    return holds
  }
}
