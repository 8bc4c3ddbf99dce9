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
  /// and where constants stand, make no difference.
  var gateProducts: [ValueID: GateProduct] {
    var products: [ValueID: GateProduct] = [:]
    let live = liveValues
    for (position, node) in nodes.enumerated() where live[position] {
      guard let gate = Gate(node.op), node.type.elementType == .f32,
        let operand = operand(of: gate, from: node.operands[0])
      else { continue }
      let roots = timesGate(operand, with: ValueID(position))
      if isDead(ValueID(position), without: roots) {
        for root in roots { products[root] = GateProduct(operand: operand, gate: gate) }
      }
    }
    return products
  }

  /// The value of which `argument` is the polynomial that the gate's function is applied to.
  private func operand(of gate: Gate, from argument: ValueID) -> ValueID? {
    var candidates = [argument]
    var next = 0
    // The longest way to spell a cubic has fewer values.
    while next < candidates.count && candidates.count < 24 {
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

  /// The values that are x (1 + g) / 2, where x is `operand` and g `function`.
  private func timesGate(_ operand: ValueID, with function: ValueID) -> [ValueID] {
    var reader = GateForm.Reader(graph: self, operand: operand, function: function)
    let half = CubicPolynomial([0, 0.5])
    return nodes.indices.dropFirst(function.index + 1).map(ValueID.init).filter { value in
      guard type(of: value) == type(of: function), let form = reader.form(of: value) else { return false }
      return form.plain.isNear(half) && form.gated.isNear(half)
    }
  }

  /// Whether no result depends on the value other than through `roots`.
  private func isDead(_ value: ValueID, without roots: [ValueID]) -> Bool {
    guard !roots.isEmpty else { return false }
    var needed = [Bool](repeating: false, count: nodes.count)
    for result in results { needed[result.index] = true }
    for position in nodes.indices.reversed() where needed[position] && !roots.contains(ValueID(position)) {
      for operand in nodes[position].operands { needed[operand.index] = true }
    }
    return !needed[value.index]
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
