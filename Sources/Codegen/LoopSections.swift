import IR

/// Where the conditions of a loop nest change along its axes, as where a concatenation goes over to its next operand or a
/// pad to its filling: between such positions each is known to hold or not.
struct LoopSections {
  struct Section: Hashable {
    var lower: IntegerExpression
    var extent: Extent
  }

  /// An axis with more sections is not cut.
  static let mostSections = 5
  /// More loop bodies are not written out.
  static let mostBodies = 12

  /// By axis, in order.
  private(set) var sections: [[Section]]

  init(_ probe: Probe, _ axes: [LoopNest.Axis]) {
    sections = axes.map { Self.sections(of: $0, probe) }
    // The innermost axis matters most.
    var bodies = 1
    for axis in axes.indices.reversed() {
      bodies *= sections[axis].count
      guard bodies > Self.mostBodies else { continue }
      bodies /= sections[axis].count
      sections[axis] = [Section(lower: .zero, extent: axes[axis].extent)]
    }
  }

  subscript(axis: Int) -> [Section] { sections[axis] }

  private static func sections(of axis: LoopNest.Axis, _ probe: Probe) -> [Section] {
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
