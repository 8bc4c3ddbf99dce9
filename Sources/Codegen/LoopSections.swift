import IR

/// Where the conditions of a loop nest change along its axes, as where a concatenation goes over to its next operand or a
/// pad to its filling: between such positions each is known to hold or not.
struct LoopSections {
  struct Section: Hashable {
    var lower: IntegerExpression
    var extent: Extent
  }

  /// An axis with more sections is not cut, but for the innermost.
  static let mostSections = 5
  /// More loop bodies are not written out, but for small ones along the innermost axis: a dense block reads all that its
  /// layers wrote, element by element one of 40.
  static let mostBodies = 12
  static let mostNodes = 512
  static let mostSmallBodies = 64

  /// By axis, in order.
  private(set) var sections: [[Section]]

  /// `nodeCount` is the size of a loop body.
  init(_ probe: Probe, _ axes: [LoopNest.Axis], nodeCount: Int) {
    let innermost = axes.count - 1
    let small = min(Self.mostSmallBodies, Self.mostNodes / max(1, nodeCount))
    sections = axes.indices.map { axis in
      Self.sections(
        of: axes[axis], probe, atMost: axis == innermost ? max(small, Self.mostSections) : Self.mostSections)
    }
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
