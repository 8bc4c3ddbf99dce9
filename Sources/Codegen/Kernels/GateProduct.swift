import IR

/// A value that is another one times a gate of it, however a graph spells that.
struct GateProduct: Hashable {
  var operand: ValueID
  var gate: Gate
}

extension Graph {
  /// The f32 values that are products with gates and for which nothing else needs the gate's erf or tanh.
  ///
  /// Each is found as p(x) + q(x) g, where g is the erf or tanh of a polynomial of x: the order of factors and terms,
  /// and where constants stand, make no difference. O(nodes): around each gate only so many values are looked at.
  var gateProducts: [ValueID: GateProduct] {
    guard nodes.contains(where: { Gate($0.op) != nil }) else { return [:] }
    var products: [ValueID: GateProduct] = [:]
    let readers = liveReaders
    for (position, node) in nodes.enumerated() {
      guard let gate = Gate(node.op), node.type.elementType == .f32,
        let operand = operand(of: gate, from: node.operands[0])
      else { continue }
      for root in timesGate(operand, with: ValueID(position), readers) {
        products[root] = GateProduct(operand: operand, gate: gate)
      }
    }
    return products
  }

  /// For each node, the live nodes that read it.
  private var liveReaders: [[ValueID]] {
    var readers = [[ValueID]](repeating: [], count: nodes.count)
    let live = liveValues
    for (position, node) in nodes.enumerated() where live[position] {
      for operand in node.operands { readers[operand.index].append(ValueID(position)) }
    }
    return readers
  }

  /// The value of which `argument` is the polynomial that the gate's function is applied to.
  private func operand(of gate: Gate, from argument: ValueID) -> ValueID? {
    var candidates = [argument]
    var next = 0
    while next < candidates.count && candidates.count < GateForm.Reader.limit {
      let candidate = candidates[next]
      var reader = GateForm.Reader(graph: self, operand: candidate)
      if let form = reader.form(of: argument), form.gated.isZero, form.plain.isNear(gate.argument) { return candidate }
      if case .pointwise = self[candidate].op {
        candidates += self[candidate].operands.filter { !candidates.contains($0) }
      }
      next += 1
    }
    return nil
  }

  /// The values that are x (1 + g) / 2, where x is `operand` and g `function`, if all that depends on g does so through
  /// them; none otherwise.
  private func timesGate(_ operand: ValueID, with function: ValueID, _ readers: [[ValueID]]) -> [ValueID] {
    var reader = GateForm.Reader(graph: self, operand: operand, function: function)
    let half = CubicPolynomial([0, 0.5])
    var found: [ValueID] = []
    var seen: Set<ValueID> = [function]
    var open = [function]
    while let value = open.popLast() {
      if results.contains(value) { return [] }
      for user in readers[value.index] where seen.insert(user).inserted {
        guard let form = reader.form(of: user) else { return [] }
        if type(of: user) == type(of: function), form.plain.isNear(half), form.gated.isNear(half) {
          found.append(user)
        } else {
          open.append(user)
        }
      }
    }
    return found
  }
}

extension Gate {
  /// The gate that the op is the function of.
  fileprivate init?(_ op: Op) {
    guard case .pointwise(let pointwise) = op else { return nil }
    switch pointwise.function {
    case .errorFunction: self = .normal
    case .hyperbolicTangent: self = .hyperbolic
    default: return nil
    }
  }

  /// What the function is applied to, in x.
  fileprivate var argument: CubicPolynomial {
    switch self {
    case .normal: return CubicPolynomial([0, 0.5.squareRoot()])
    case .hyperbolic:
      let slope = (2 / Double.pi).squareRoot()
      return CubicPolynomial([0, slope, 0, slope * 0.044715])
    }
  }
}
