import GraphBuilding
import IR

extension Operator {
  static let derivatives: [Operator] = [Operator("Gradient", domain: "ai.onnx.preview.training", gradient)]

  /// The gradients of the sum of a tensor's elements with respect to others, which with `zs` are what the tensor is computed of.
  ///
  /// The nodes between them are lowered once more, into a graph of its own whose parameters the node's inputs are, and which is
  /// differentiated. What else they read stays what it is.
  private static func gradient(_ n: inout Lowering) throws(OpError) -> [Value] {
    let target = try n.required(n.string("y"), "y")
    let wanted = try n.required(n.strings("xs"), "xs")
    let names = wanted + (try n.strings("zs") ?? [])
    let inputs = try n.allInputs()
    guard inputs.count == names.count else {
      throw OpError("it has \(inputs.count) inputs for the \(names.count) names in 'xs' and 'zs'")
    }
    guard Set(names).count == names.count else { throw OpError("its attributes 'xs' and 'zs' name one tensor twice") }
    for (name, input) in zip(wanted, inputs) where !input.element.isFloat {
      throw OpError("its input '\(name)', \(input.type), has no gradient")
    }
    for name in names + [target] {
      guard case .value(let value) = try n.resolve(name) else { throw .unsupported("") }
      guard let place = names.firstIndex(of: name) else { continue }
      guard value.element == inputs[place].element else {
        throw OpError("its input for '\(name)', \(value.type), is \(inputs[place].type)")
      }
    }
    let nodes = n.nodes(from: names, to: target)
    return try n.cotangents(of: inputs, wanted: wanted.count) { (n, parameters) throws(OpError) in
      n.scopes.append(Lowering.Scope(seesOuter: true, opsets: n.scope.opsets, arguments: n.scope.arguments))
      for (name, parameter) in zip(names, parameters) { try n.bind(name, .value(parameter)) }
      try n.lower(nodes)
      let result = try n.popScope(results: [target])[0]
      guard result.element.isFloat else { throw OpError("'\(target)', \(result.type), has no gradient") }
      return result
    } given: { (n, type) throws(OpError) in
      try n.splat(1, type.elementType, type.dimensions)
    }
  }
}

extension Lowering {
  /// The nodes that lead from some names to another one, in their order: those of the graphs around the current node that it depends
  /// on, but for what computes the names themselves.
  fileprivate func nodes(from names: [String], to target: String) -> [Onnx_NodeProto] {
    let producers = scopes.map { scope in
      var producers: [String: Int] = [:]
      for (index, node) in scope.nodes.enumerated() {
        for name in node.output where !name.isEmpty { producers[name] = index }
      }
      return producers
    }
    var isNeeded = scopes.map { [Bool](repeating: false, count: $0.nodes.count) }
    var open = [target]
    while let name = open.popLast() {
      guard !names.contains(name), let home = home(of: name), let index = producers[home][name], !isNeeded[home][index]
      else { continue }
      isNeeded[home][index] = true
      open += scopes[home].nodes[index].readNames
    }
    return zip(scopes, isNeeded).flatMap { scope, isNeeded in
      scope.nodes.indices.filter { isNeeded[$0] }.map { scope.nodes[$0] }
    }
  }

  /// The scope where a name that the current one sees has its meaning.
  private func home(of name: String) -> Int? {
    for index in scopes.indices.reversed() {
      if scopes[index].names[name] != nil { return index }
      if !scopes[index].seesOuter { return nil }
    }
    return nil
  }
}

extension Onnx_NodeProto {
  /// All names that the node may read, those in its subgraphs too.
  fileprivate var readNames: [String] {
    input
      + attribute.flatMap { ($0.hasG ? [$0.g] : []) + $0.graphs }.flatMap { graph in
        graph.output.map(\.name) + graph.node.flatMap(\.readNames)
      }
      + attribute.flatMap { name -> [String] in
        // What a gradient is taken of.
        opType == "Gradient" && ["xs", "zs", "y"].contains(name.name)
          ? (name.strings + [name.s]).map { String(decoding: $0, as: UTF8.self) } : []
      }
  }
}
