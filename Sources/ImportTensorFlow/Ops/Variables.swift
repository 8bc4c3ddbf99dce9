import GraphBuilding
import IR

extension Operator {
  /// Variables: each is a constant with the value that the checkpoint has.
  static let variables: [Operator] = [
    Operator(
      "VarHandleOp",
      items: { (n) throws(OpError) in
        n.ignore("container", "shared_name", "shape", "allowed_devices", "debug_name")
        return [.variable(n.call.node.name)]
      }),
    Operator("VariableV2", items: oldVariable), Operator("Variable", items: oldVariable),
    Operator("ReadVariableOp", one: { (n) throws(OpError) in try n.value(ofVariable: try n.variable(0)) }),
    Operator(
      "ResourceGather",
      one: { (n) throws(OpError) in
        n.ignore("validate_indices", "use_locking")
        let table = try n.value(ofVariable: try n.variable(0))
        let batch = try n.int("batch_dims", default: 0)
        let indices = try n.input(1)
        guard batch >= 0, batch <= indices.rank, batch < table.rank else {
          throw OpError("attribute 'batch_dims' is \(batch)")
        }
        return try n.take(table, indices, axis: batch, batch: batch)
      }),
    Operator(
      "ResourceGatherNd",
      one: { (n) throws(OpError) in
        let table = try n.value(ofVariable: try n.variable(0))
        return try n.gather(table, at: n.points(1, in: table))
      }),
    Operator(
      "VariableShape",
      one: { (n) throws(OpError) in
        let table = try n.value(ofVariable: try n.variable(0))
        return n.known(table.shape, try n.elementType("out_type", default: .i32), [table.rank])
      }),
  ]

  private static func oldVariable(_ n: inout Lowering) throws(OpError) -> [Item] {
    n.ignore("container", "shared_name", "shape")
    return [.tensor(try n.value(ofVariable: n.call.node.name))]
  }
}

extension Lowering {
  /// The value of the variable that a node makes.
  mutating func value(ofVariable node: String) throws(OpError) -> Value {
    if let known = variables[node] { return known }
    guard let literal = try file.value(ofVariable: node) else {
      throw .unsupported("a variable that the checkpoint does not have ('\(node)')")
    }
    let value = constant(literal)
    variables[node] = value
    return value
  }
}
