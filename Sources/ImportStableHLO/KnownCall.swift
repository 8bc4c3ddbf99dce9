import IR

/// What a `custom_call` or `composite` of a known name means.
enum KnownCall {
  /// The operand: the call says how work is spread over devices.
  case identity
  /// A function of each element.
  case pointwise(ScalarFunction)
  case topK
  /// A condition on extents that resolving shapes learns from.
  case assertion
  case lapack(LAPACKCall.Routine)

  init?(_ name: String) {
    switch name {
    case "Sharding", "SPMDFullToShardShape", "SPMDShardToFullShape", "annotate_device_placement",
      "xla.sdy.FuncResultSharding", "xla.sdy.GlobalToLocalShape", "xla.sdy.LocalToGlobalShape", "LayoutConstraint":
      self = .identity
    case "shape_assertion": self = .assertion
    case "mhlo.topk", "chlo.top_k", "stablehlo.topk": self = .topK
    default:
      if let call = LAPACKCall(name) {
        self = .lapack(call.routine)
        return
      }
      guard let dot = name.firstIndex(of: "."), ["mhlo", "chlo", "stablehlo"].contains(name[..<dot]),
        let function = Self.functions[String(name[name.index(after: dot)...])]
      else { return nil }
      self = .pointwise(function)
    }
  }

  static func isKnown(_ name: String) -> Bool { KnownCall(name) != nil }

  private static let functions: [String: ScalarFunction] = [
    "erf": .errorFunction, "erfc": .complementaryErrorFunction, "erf_inv": .inverseErrorFunction, "tan": .tangent,
    "acos": .arcCosine, "acosh": .hyperbolicArcCosine, "asin": .arcSine, "asinh": .hyperbolicArcSine,
    "atan": .arcTangent, "atanh": .hyperbolicArcTangent, "cosh": .hyperbolicCosine, "sinh": .hyperbolicSine,
    "lgamma": .logGamma, "digamma": .digamma,
  ]
}

extension Graph {
  /// Whether the graph or a region of it has a custom call or composite.
  var containsCalls: Bool {
    nodes.contains { node in
      switch node.op {
      case .customCall, .composite: true
      default: node.op.definition.regions.contains(where: \.containsCalls)
      }
    }
  }

  /// The graph with what is known of custom calls and composites put in their place.
  func replacingKnownCalls() throws(OpError) -> Graph {
    var target = Graph()
    var values: [[ValueID]] = []
    values.reserveCapacity(nodes.count)
    for node in nodes {
      // The results of a node that has several are taken apart at once.
      if case .getTupleElement(let element) = node.op {
        values.append([values[node.operands[0].index][element.index]])
        continue
      }
      let operands = node.operands.map { values[$0.index][0] }
      do {
        if let replaced = try target.appendKnownCall(node, operands) {
          values.append(replaced)
          continue
        }
      } catch {
        throw error.at(node.location)
      }
      var copy = node
      copy.operands = operands
      let regions = node.op.definition.regions
      if !regions.isEmpty {
        var replaced: [Graph] = []
        for region in regions { replaced.append(try region.replacingKnownCalls()) }
        copy.op = node.op.definition.withRegions(replaced)
      }
      let value = target.appendUnchecked(copy)
      values.append(target.results(of: value))
    }
    target.results = results.map { values[$0.index][0] }
    return target
  }

  /// Appends what a call means, or nothing where it is the operand itself; nil where the node stays as it is.
  private mutating func appendKnownCall(_ node: Node, _ operands: [ValueID]) throws(OpError) -> [ValueID]? {
    let name: String
    switch node.op {
    case .customCall(let call): name = call.target
    case .composite(let composite): name = composite.name
    default: return nil
    }
    switch KnownCall(name) {
    case .assertion, nil: return nil
    case .identity:
      guard operands.map({ type(of: $0) }) == node.resultTypes else {
        throw .unsupported("stablehlo.custom_call @\(name) that changes shapes")
      }
      return operands
    case .lapack(let routine):
      guard case .customCall(let call) = node.op else { return nil }
      return try append(routine, call, node, operands)
    case .pointwise(let function):
      return [try append(.pointwise(function), operands, location: node.location)]
    case .topK:
      if case .customCall(let call) = node.op, call.attributes["mhlo.attributes"]?.contains("largest = false") == true {
        throw .unsupported("stablehlo.custom_call @\(name) of the smallest elements")
      }
      guard node.resultTypes.count == 2, let k = node.resultTypes[0].dimensions.last?.fixed else {
        throw OpError("'\(name)' has two results of a fixed last extent")
      }
      let value = try append(.topK(TopK(k: k)), operands, location: node.location)
      return results(of: value)
    }
  }
}
