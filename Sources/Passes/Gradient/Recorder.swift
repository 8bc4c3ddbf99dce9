import IR

/// What a node was changed to compute beside its results, for the way back.
enum Recording {
  /// The permutation of a sort along a dimension.
  case permutation(ValueID, dimension: Int)
  case loop(RecordedLoop)
}

/// Copies a graph; sorts and loops that cotangents go through get further results.
struct Recorder {
  private(set) var graph: Graph
  private(set) var recordings: [Int: Recording] = [:]
  private let activity: Activity
  /// For each node of the source its value, or those of all its results.
  private var values: [[ValueID]] = []
  private let extents: [Extent?]

  /// `target` has the parameters, those of the source first.
  init(_ target: Graph, _ activity: Activity, _ extents: [Extent?]) {
    graph = target
    self.activity = activity
    self.extents = extents
  }

  mutating func copy(_ source: Graph) throws(OpError) {
    for (index, node) in source.nodes.enumerated() {
      switch node.op {
      case .parameter(let parameter): values.append([graph.parameters[parameter.index]])
      case .getTupleElement(let element) where values[node.operands[0].index].count > 1:
        values.append([values[node.operands[0].index][element.index]])
      default:
        let operands = node.operands.map { values[$0.index][0] }
        do throws(OpError) { values.append(try copied(node, index, operands)) } catch { throw error.at(node.location) }
      }
    }
    graph.results = source.results.map { values[$0.index][0] }
  }

  private mutating func copied(_ node: Node, _ index: Int, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    if activity.isActive(index) {
      switch node.op {
      case .sort(let sort): return try recorded(sort, node, operands)
      case .while(let loop): return try recorded(loop, node, index, operands)
      default: break
      }
    }
    var new = node
    new.operands = operands
    return [graph.appendUnchecked(new)]
  }

  /// The sort with the elements' positions as one more operand.
  private mutating func recorded(_ sort: Sort, _ node: Node, _ operands: [ValueID]) throws(OpError) -> [ValueID] {
    let type = graph.type(of: operands[0])
    guard type.rank > 0 else { return operands }
    let dimension = sort.dimension < 0 ? sort.dimension + type.rank : sort.dimension
    var numbered = sort
    numbered.comparator.addParameter(.scalar(.i32))
    numbered.comparator.addParameter(.scalar(.i32))
    let positions = try graph.append(
      .iota(Iota(dimension: dimension, resultType: type.with(.i32))), location: node.location)
    let value = try graph.append(.sort(numbered), operands + [positions], location: node.location)
    let results = graph.results(of: value)
    recordings[value.index] = .permutation(results[operands.count], dimension: dimension)
    return Array(results.dropLast())
  }

  private mutating func recorded(_ loop: While, _ node: Node, _ index: Int, _ operands: [ValueID]) throws(OpError)
    -> [ValueID]
  {
    let isVaried = node.operands.map { activity.isVaried[$0.index][0] }
    let results = zip(activity.isVaried[index], activity.isUseful[index]).map { $0 && $1 }
    let known = operands.map { graph.scalarExtent(of: $0, arguments: extents) }
    let constants = operands.map { operand -> Literal? in
      guard case .constant(let constant) = graph[operand].op, constant.value.dimensions.isEmpty else { return nil }
      return constant.value
    }
    var recorded = try RecordedLoop(
      loop, isVaried: isVaried, isUseful: results, constants: constants, extents: known)
    var composer = Composer(graph: graph, location: node.location)
    graph = Graph()
    let value = try recorded.append(operands, to: &composer)
    graph = composer.graph
    let all = graph.results(of: value)
    recorded.results = all
    recordings[value.index] = .loop(recorded)
    return Array(all.prefix(node.resultTypes.count))
  }
}
