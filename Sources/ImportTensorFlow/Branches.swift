import GraphBuilding
import IR

/// Control flow of TensorFlow 1: a `Switch` gives its input to one of two branches, a `Merge` takes what comes out of the one
/// that runs. Here both branches are computed, and the merge selects.
extension GraphNodes {
  /// What holds in a branch: the predicate, as a reference, and its value.
  struct Condition: Hashable {
    var predicate: String
    var isTrue: Bool
  }

  /// What holds where the outputs that two references name are computed; nil where nodes need each other.
  func conditions(of references: [String]) -> [Set<Condition>]? {
    guard let order = try? order(of: references, withControl: true) else { return nil }
    var known: [String: Set<Condition>] = [:]
    for name in order {
      guard let node = nodes[name] else { continue }
      let inputs = node.input.map { conditions(of: $0, known) }
      guard node.op == "Merge", inputs.count >= 2 else {
        known[name] = inputs.reduce([]) { $0.union($1) }
        continue
      }
      // After a merge holds what holds in both branches.
      known[name] = inputs.dropFirst().reduce(inputs[0]) { $0.intersection($1) }
    }
    return references.map { conditions(of: $0, known) }
  }

  private func conditions(of text: String, _ known: [String: Set<Condition>]) -> Set<Condition> {
    let reference = Reference(text)
    var conditions = known[reference.node] ?? []
    if let node = nodes[reference.node], node.op == "Switch", node.input.count >= 2, !text.hasPrefix("^") {
      conditions.insert(Condition(predicate: node.input[1], isTrue: reference.index == 1))
    }
    return conditions
  }
}

extension Lowering {
  /// The output of a `Merge`, and the number of the input that it is.
  mutating func merged(_ node: Tensorflow_NodeDef, _ nodes: inout GraphNodes) throws(OpError) -> [Item] {
    let inputs = node.input.filter { !$0.hasPrefix("^") }
    guard inputs.count == 2, let conditions = nodes.conditions(of: inputs) else {
      throw .unsupported("a loop of TensorFlow 1, or more than two branches")
    }
    guard
      let own = conditions[0].first(where: { condition in
        conditions[1].contains(GraphNodes.Condition(predicate: condition.predicate, isTrue: !condition.isTrue))
      })
    else { throw .unsupported("branches without a common predicate") }
    for name in try nodes.order(of: [own.predicate]) { try lower(name, &nodes) }
    let number = own.isTrue ? 0 : 1
    let items = [try nodes.item(inputs[number]), try nodes.item(inputs[1 - number])]
    guard case .tensor(let predicate) = try nodes.item(own.predicate) else { return [] }
    if let known = constantLiteral(of: predicate), known.elementCount == 1 {
      let side = known[0].isTrue ? 0 : 1
      return [items[side], .tensor(scalar(Double(side == 0 ? number : 1 - number), .i32))]
    }
    guard case .tensor(let whenTrue) = items[0], case .tensor(let whenFalse) = items[1] else {
      for item in items { if case .missing = item { return [] } }
      throw .unsupported("branches whose results are not tensors")
    }
    guard whenTrue.type == whenFalse.type else { throw .unsupported("branches whose results have different types") }
    let index = try select(predicate, scalar(Double(number), .i32), scalar(Double(1 - number), .i32))
    return [.tensor(try select(predicate, whenTrue, whenFalse)), .tensor(index)]
  }
}
