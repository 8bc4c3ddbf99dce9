import IR

/// What a loop's body computes in every round alike, because the loop changes nothing that it depends on, and what of it is
/// better computed once, before the loop.
///
/// A loop then reads it from memory, so cheap work stays: movement, which is part of its readers' kernels (but of
/// constants, which fold), whatever is larger than what it is computed from, and the arithmetic of a few numbers.
struct LoopInvariants {
  /// Pointwise work on fewer elements is no more than a launch.
  private static let leastElementCount = 256

  private let body: Graph
  private let work: [Work?]
  /// The values to compute before the loop, in order.
  let lifted: [ValueID]

  /// All that leads to a value from constants and captures alone.
  private struct Work {
    var isFromConstants = true
    var computes = false
    var isHeavy = false
    /// Bytes of what it starts from; nil where that is not known.
    var sourceByteCount: Double? = 0
  }

  /// `constants` tells of each of the body's parameters whether it is a known constant; nil for what the loop changes.
  init(_ body: Graph, constants: [Bool?]) {
    self.body = body
    var work: [Work?] = []
    for node in body.nodes { work.append(Self.work(of: node, in: body, constants, work)) }
    self.work = work
    let live = body.liveValues
    var isNeeded = [Bool](repeating: false, count: body.nodes.count)
    for result in body.results { isNeeded[result.index] = true }
    var lifted: [ValueID] = []
    for (index, node) in body.nodes.enumerated().reversed() where live[index] {
      if let work = work[index] {
        guard isNeeded[index] else { continue }
        if Self.isLifted(node, work) {
          lifted.append(ValueID(index))
          continue
        }
      }
      for operand in node.operands { isNeeded[operand.index] = true }
    }
    self.lifted = lifted.reversed()
  }

  private static func work(of node: Node, in body: Graph, _ constants: [Bool?], _ before: [Work?]) -> Work? {
    let byteCount = node.resultTypes[0].byteCount.fixed.map { Double($0) }
    switch node.op {
    case .parameter(let parameter):
      return constants[parameter.index].map { Work(isFromConstants: $0, sourceByteCount: byteCount) }
    case .constant: return Work(sourceByteCount: byteCount)
    default: break
    }
    guard node.hasSingleResult, !node.operands.isEmpty else { return nil }
    var work = Work()
    for operand in node.operands {
      guard let other = before[operand.index] else { return nil }
      work.isFromConstants = work.isFromConstants && other.isFromConstants
      work.computes = work.computes || other.computes
      work.isHeavy = work.isHeavy || other.isHeavy
      work.sourceByteCount = work.sourceByteCount.flatMap { count in other.sourceByteCount.map { count + $0 } }
    }
    let operands = node.operands.map { body.type(of: $0) }
    switch node.op.definition.semantics(operands: operands, results: node.resultTypes) {
    case .movement: break
    case .pointwise: work.computes = true
    case .reduction, .contraction, .window, .lines: work.isHeavy = true
    case .leaf, .position, .scatter, .sort, .control, .opaque: return nil
    }
    return work
  }

  private static func isLifted(_ node: Node, _ work: Work) -> Bool {
    if node.operands.isEmpty { return false }
    if work.isHeavy { return true }
    let type = node.resultTypes[0]
    guard let byteCount = type.byteCount.fixed, let source = work.sourceByteCount, Double(byteCount) <= source else {
      return false
    }
    return work.isFromConstants || work.computes && byteCount >= leastElementCount * type.elementType.byteCount
  }

  /// The nodes that the lifted values are computed by, operands first, themselves among them.
  var nodesBefore: [ValueID] {
    var part = body
    part.results = lifted
    let live = part.liveValues
    return body.values.filter { live[$0.index] && !body[$0].op.isParameter }
  }

  /// The body with a parameter for each lifted value, behind those it has.
  var bodyAfter: Graph {
    var copy = Graph()
    for type in body.parameterTypes { copy.addParameter(type) }
    var values = [ValueID](repeating: ValueID(0), count: body.nodes.count)
    for (position, parameter) in body.parameters.enumerated() { values[parameter.index] = copy.parameters[position] }
    let isLifted = Set(lifted)
    for value in lifted { values[value.index] = copy.addParameter(body.type(of: value)) }
    for value in body.values where !body[value].op.isParameter && !isLifted.contains(value) {
      var node = body[value]
      node.operands = node.operands.map { values[$0.index] }
      values[value.index] = copy.appendUnchecked(node)
    }
    copy.results = body.results.map { values[$0.index] }
    return copy.removingDeadNodes()
  }
}

extension Rebuilder {
  /// Computes before a loop what its body need not compute in every round: operands for the parameters that the body gets
  /// behind its own.
  mutating func lift(_ invariants: LoopInvariants, from body: Graph, operands: [ValueID]) throws(OpError) -> [ValueID] {
    var values: [ValueID: ValueID] = [:]
    for (parameter, operand) in zip(body.parameters, operands) { values[parameter] = operand }
    for value in invariants.nodesBefore {
      let node = body[value]
      let operands = node.operands.compactMap { values[$0] }
      precondition(operands.count == node.operands.count, "operands come before their users")
      values[value] = try append(node.op, operands, types: node.resultTypes)
    }
    return invariants.lifted.compactMap { values[$0] }
  }
}
