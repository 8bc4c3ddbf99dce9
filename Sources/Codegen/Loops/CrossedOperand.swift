import IR

/// An operand of a loop nest whose elements lie side by side along another axis than the result's: what a transpose reads.
struct CrossedOperand {
  let parameter: Int
  /// The axis of the result along which the operand's elements lie side by side.
  let axis: Int
  /// The position that is read, over the probe's variables.
  private let position: IntegerExpression
  private let firstVariable: Int

  /// Nil where no operand is read across the result's innermost axis, more than one are, one is read at two places, or one
  /// of the two axes has fewer elements than `leastExtent`.
  init?(_ nest: LoopNest, _ probe: Probe, _ axes: [LoopNest.Axis], leastExtent: Int) {
    guard axes.count > 1, axes.allSatisfy({ $0.extent.fixed.map { $0 > 0 } ?? true }) else { return nil }
    let inner = axes[axes.count - 1]
    func isLong(_ axis: LoopNest.Axis) -> Bool { axis.extent.fixed.map { $0 >= leastExtent } ?? true }
    var found: (parameter: Int, position: IntegerExpression, axis: Int)?
    for read in probe.reads {
      guard !read.isMasked, let step = probe.step(of: read.position, along: inner.dimensions.upperBound),
        step != .zero, step != .one,
        let axis = axes.dropLast().lastIndex(where: {
          isLong($0) && probe.step(of: read.position, along: $0.dimensions.upperBound) == .one
        })
      else { continue }
      if let found, found.parameter != read.parameter || found.position != read.position { continue }
      found = (read.parameter, read.position, axis)
    }
    let body = nest.request.body
    guard let found, isLong(inner),
      probe.reads.allSatisfy({ $0.parameter != found.parameter || $0.position == found.position && !$0.isMasked }),
      nest.request.target.workGroups == nil || !body.type(of: body.parameters[found.parameter]).elementType.isComplex
    else { return nil }
    (parameter, position, axis) = found
    // The probe's variables are numbered after the task's, dimension by dimension.
    firstVariable = probe.firstVariable
  }

  /// The position that is read for the result's element at `index`.
  func position(at index: [IntegerExpression], _ b: KernelBuilder) -> IntegerExpression {
    let bound: IntegerExpression.Bound = { b.bound(of: $0) }
    return position.substituting(bound: bound) { atom in
      guard case .variable(let variable) = atom, index.indices.contains(variable - firstVariable) else { return nil }
      return index[variable - firstVariable]
    }
  }
}
