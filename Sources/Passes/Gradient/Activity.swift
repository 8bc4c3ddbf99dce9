import IR

/// Which results of nodes depend on chosen parameters by way of numbers that have derivatives, and which of them chosen
/// results depend on in that way. By node and result.
struct Activity {
  var isVaried: [[Bool]]
  var isUseful: [[Bool]]
  /// For each of the graph's parameters, whether a chosen result depends on it.
  var parameters: [Bool]

  func isActive(_ index: Int) -> Bool {
    zip(isVaried[index], isUseful[index]).contains { $0 && $1 }
  }
}

extension Graph {
  /// For each node and result, whether it depends on a chosen parameter. O(nodes), times the rounds in which loops settle.
  func varied(from parameters: [Bool]) -> [[Bool]] {
    var varied: [[Bool]] = []
    varied.reserveCapacity(nodes.count)
    for node in nodes {
      switch node.op {
      case .parameter(let parameter):
        varied.append([parameters[parameter.index] && node.type.elementType.hasDerivatives])
      case .getTupleElement(let element) where !self[node.operands[0]].hasSingleResult:
        varied.append([varied[node.operands[0].index][element.index]])
      default:
        let operands = node.operands.map { varied[$0.index][0] }
        guard operands.contains(true) else {
          varied.append(node.resultTypes.map { _ in false })
          continue
        }
        let flows = node.op.variedResults(operands, count: node.resultTypes.count)
        varied.append(zip(flows, node.resultTypes).map { $0 && $1.elementType.hasDerivatives })
      }
    }
    return varied
  }

  func activity(from parameters: [Bool], to results: [Bool]) -> Activity {
    let isVaried = varied(from: parameters)
    var isUseful = nodes.map { [Bool](repeating: false, count: $0.resultTypes.count) }
    for (value, isChosen) in zip(self.results, results) where isChosen { isUseful[value.index][0] = true }
    for (index, node) in nodes.enumerated().reversed() where isUseful[index].contains(true) {
      if case .getTupleElement(let element) = node.op, !self[node.operands[0]].hasSingleResult {
        isUseful[node.operands[0].index][element.index] = true
        continue
      }
      let results = zip(isUseful[index], isVaried[index]).map { $0 && $1 }
      guard results.contains(true) else { continue }
      let operands = node.operands.map { isVaried[$0.index][0] }
      for (operand, isNeeded) in zip(node.operands, node.op.usefulOperands(operands, results)) where isNeeded {
        isUseful[operand.index][0] = true
      }
    }
    let reached = self.parameters.map { isUseful[$0.index][0] && isVaried[$0.index][0] }
    return Activity(isVaried: isVaried, isUseful: isUseful, parameters: reached)
  }
}

extension While {
  /// Which values the loop changes in dependence on a varied operand, after any number of rounds.
  func variedParameters(_ operands: [Bool]) -> [Bool] {
    var flags = operands
    while true {
      let after = body.variedResults(from: flags)
      var next = flags
      for (position, isVaried) in after.enumerated() where isVaried { next[position] = true }
      if next == flags { return flags }
      flags = next
    }
  }

  /// Which values a chosen result depends on, after any number of rounds; `varied` are the parameters that count.
  func usefulParameters(_ varied: [Bool], _ results: [Bool]) -> [Bool] {
    var flags = results + [Bool](repeating: false, count: varied.count - results.count)
    while true {
      let reached = body.activity(from: varied, to: Array(flags.prefix(results.count))).parameters
      let next = zip(flags, reached).map { $0 || $1 }
      if next == flags { return zip(flags, varied).map { $0 && $1 } }
      flags = next
    }
  }
}

extension Graph {
  func variedResults(from parameters: [Bool]) -> [Bool] {
    let varied = self.varied(from: parameters)
    return results.map { varied[$0.index][0] }
  }
}

extension Op {
  /// For each result, whether it depends on a varied operand.
  fileprivate func variedResults(_ operands: [Bool], count: Int) -> [Bool] {
    switch self {
    case .pointwise(let pointwise) where pointwise.function.isStepFunction: return [false]
    case .while(let loop): return Array(loop.variedParameters(operands).prefix(count))
    case .if, .case:
      let branches = definition.regions.map { $0.variedResults(from: Array(operands.dropFirst())) }
      return (0..<count).map { result in branches.contains { $0[result] } }
    case .optimizationBarrier, .sort: return operands
    case .bitcastConvert, .rngBitGenerator, .getDimensionSize: return (0..<count).map { _ in false }
    default: return (0..<count).map { _ in true }
    }
  }

  /// For each operand, whether a useful result depends on it.
  fileprivate func usefulOperands(_ operands: [Bool], _ results: [Bool]) -> [Bool] {
    switch self {
    case .while(let loop): return loop.usefulParameters(loop.variedParameters(operands), results)
    case .if, .case:
      let captures = Array(operands.dropFirst())
      var useful = captures.map { _ in false }
      for branch in definition.regions {
        useful = zip(useful, branch.activity(from: captures, to: results).parameters).map { $0 || $1 }
      }
      return [false] + useful
    case .optimizationBarrier, .sort: return results
    default: return operands
    }
  }
}

extension ScalarFunction {
  /// Whether the derivative is zero wherever there is one.
  fileprivate var isStepFunction: Bool {
    switch self {
    case .ceil, .floor, .roundNearestAwayFromZero, .roundNearestEven, .sign, .bitcast: true
    default: false
    }
  }
}
