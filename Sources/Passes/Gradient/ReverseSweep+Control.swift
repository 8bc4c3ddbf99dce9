import IR

extension ReverseSweep {
  /// `if` and `case`: the branch that was taken is computed again, and then backwards.
  mutating func pullBackBranches(_ node: Node, _ index: Int) throws(OpError) {
    let captures = Array(node.operands.dropFirst())
    let all = cotangentsIfAny(index)
    let reached = all.indices.filter { all[$0] != nil }
    let wanted = captures.indices.filter { wants(captures[$0]) }
    guard !wanted.isEmpty else { return }
    let request = GradientRequest(results: reached, parameters: wanted)
    var regions: [Graph] = []
    for region in node.op.definition.regions {
      var backward = try region.differentiated(request)
      backward.results.removeFirst(region.results.count)
      regions.append(backward.removingDeadNodes())
    }
    let operands = node.operands + reached.compactMap { all[$0] }
    let value = try c.append(node.op.definition.withRegions(regions), operands)
    for (place, gradient) in zip(wanted, c.graph.results(of: value)) { try give(gradient, to: captures[place]) }
  }

  /// `while`: the rounds from the last to the first.
  mutating func pullBack(_ op: While, _ node: Node, _ index: Int) throws(OpError) {
    guard case .loop(let loop)? = recordings[index] else {
      throw refusal(node, "whose rounds are not recorded is not known")
    }
    let all = try allCotangents(node, index)
    let cotangents = loop.carried.map { all[$0] }
    let captured = loop.captured.map { loop.operand($0, node.operands) }
    // Sums begin with what there is, unless rounds write their parts; where one operand is captured twice, that is added once.
    let isFirst = captured.indices.map { !loop.isWritten[$0] && !captured[..<$0].contains(captured[$0]) }
    var sums: [ValueID] = []
    for (value, isFirst) in zip(captured, isFirst) {
      sums.append(try isFirst ? cotangent(of: value) : c.zeros(c.type(value)))
    }
    let gradients = try loop.appendBackward(node.operands, cotangents, sums, to: &c)
    let ofCaptured = gradients.dropFirst(loop.carried.count)
    for (value, (gradient, isFirst)) in zip(captured, zip(ofCaptured, isFirst)) {
      if isFirst { set(gradient, asCotangentOf: value) } else { try give(gradient, to: value) }
    }
    for (position, gradient) in zip(loop.carried, gradients) { try give(gradient, to: node.operands[position]) }
  }
}
