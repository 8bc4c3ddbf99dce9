import IR

/// Where the conditions of a loop nest change along its axes, as where a concatenation goes over to its next operand or a
/// pad to its filling: between such positions each is known to hold or not.
struct LoopSections {
  struct Section: Hashable {
    var lower: IntegerExpression
    var extent: Extent
  }

  /// An axis with more sections is not cut, if bodies are not small.
  static let mostSections = 5
  /// More loop bodies are not written out, but for small ones: a dense block reads all that its layers wrote, element by
  /// element one of 40; a recommendation looks up one line in each of 26 tables.
  static let mostBodies = 12
  static let mostNodes = 512
  static let mostSmallBodies = 64

  /// The nodes of a loop body: those of which each section has one operand's alone, where values are put together, and those
  /// that all sections have.
  struct BodySize {
    var inPieces: Int
    var common: Int

    init(_ graph: Graph, results: [ValueID], live: [Bool]) {
      let counted = graph.nodes.indices.filter { live[$0] && !graph.nodes[$0].op.isParameter }
      var isCommon = [Bool](repeating: false, count: graph.nodes.count)
      for result in results { isCommon[result.index] = true }
      var joined: Set<Int> = []
      for (index, node) in graph.nodes.enumerated().reversed() where isCommon[index] {
        if case .concatenate(let concatenate) = node.op {
          joined.insert(concatenate.dimension)
          continue
        }
        for operand in node.operands { isCommon[operand.index] = true }
      }
      // Sections along one dimension have all pieces of another.
      common = joined.count > 1 ? counted.count : counted.count { isCommon[$0] }
      inPieces = counted.count - common
    }
  }

  /// By axis, in order.
  private(set) var sections: [[Section]]

  /// `nodes` is the size of a loop body.
  init(_ probe: Probe, _ axes: [LoopNest.Axis], nodes: BodySize) {
    let small = min(Self.mostSmallBodies, max(0, Self.mostNodes - nodes.inPieces) / max(1, nodes.common))
    sections = axes.map { Self.sections(of: $0, probe, atMost: max(small, Self.mostSections)) }
    // The innermost axis matters most.
    var bodies = 1
    for axis in axes.indices.reversed() {
      bodies *= sections[axis].count
      guard bodies > max(small, Self.mostBodies) else { continue }
      bodies /= sections[axis].count
      sections[axis] = [Section(lower: .zero, extent: axes[axis].extent)]
    }
  }

  subscript(axis: Int) -> [Section] { sections[axis] }

  private static func sections(of axis: LoopNest.Axis, _ probe: Probe, atMost mostSections: Int) -> [Section] {
    let whole = [Section(lower: .zero, extent: axis.extent)]
    // A scalar's axis is no dimension.
    guard let extent = axis.extent.fixed, extent > 1, axis.dimensions.count == 1 else { return whole }
    var starts: Set<Int> = [0]
    for condition in probe.conditions {
      guard let limit = condition.limit.fixed,
        let step = probe.step(of: condition.value, along: axis.dimensions.lowerBound)?.fixed,
        let first = probe.value(of: condition.value, atOriginOf: axis.dimensions.lowerBound)
      else { continue }
      if step == 1 { starts.formUnion([-first, limit - first]) }
      if step == -1 { starts.formUnion([first + 1, first - limit + 1]) }
    }
    let inside = starts.filter { $0 >= 0 && $0 < extent }.sorted()
    guard inside.count > 1, inside.count <= mostSections else { return whole }
    return zip(inside, inside.dropFirst() + [extent]).map {
      Section(lower: IntegerExpression($0), extent: Extent($1 - $0))
    }
  }
}
