import GraphBuilding
import IR
import SwiftProtobuf

extension Operator {
  /// Older forms of ops, whose attributes became inputs or whose inputs became attributes.
  static let olderForms: [Operator] = [
    Operator(
      "MaxPoolV2",
      one: { (n) throws(OpError) in
        try n.setAttributes(["ksize": 1, "strides": 2])
        return try pool(&n, try n.input(0), "NHWC", .maximum)
      }),
    Operator(
      "MaxPoolGradV2",
      one: { (n) throws(OpError) in
        try n.setAttributes(["ksize": 3, "strides": 4])
        return try maximumGradient(&n, "NHWC")
      }),
    Operator("InTopK", one: { (n) throws(OpError) in try inTopK(&n, n.int("k", default: 0)) }),
    Operator(
      "Reverse",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let flags = try n.integers(of: try n.input(1), "dims")
        guard flags.count == x.rank else { throw OpError("it has \(flags.count) flags for \(x.type)") }
        return try n.reverse(x, flags.indices.filter { flags[$0] != 0 })
      }),
    Operator(
      "BatchToSpace",
      one: { (n) throws(OpError) in
        let block = try n.int("block_size", default: 2)
        return try batchToSpace(&n, try n.input(0), [block, block], n.shapeInput(1, "crops"))
      }),
    Operator(
      "SpaceToBatch",
      one: { (n) throws(OpError) in
        let block = try n.int("block_size", default: 2)
        return try spaceToBatch(&n, try n.input(0), [block, block], n.shapeInput(1, "paddings"))
      }),
  ]
}

extension Lowering {
  /// Gives the node attributes that its inputs hold: lists of integers.
  fileprivate mutating func setAttributes(_ inputs: [String: Int]) throws(OpError) {
    for (name, index) in inputs {
      let values = try integers(of: try input(index), name)
      call.node.attr[name] = .with { $0.list = .with { $0.i = values.map { Int64($0) } } }
    }
  }
}
