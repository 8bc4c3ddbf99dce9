/// An op of the text that is written with other ops in the IR.
struct Rewrite: Sendable {
  let name: String
  let assembly: Assembly?
  /// Appends what the op means; gives the values of its results.
  let build: @Sendable (inout Graph, OpReader, [ValueID], Location) throws(OpError) -> [ValueID]

  init(
    _ name: String, _ notation: String?,
    build: @escaping @Sendable (inout Graph, OpReader, [ValueID], Location) throws(OpError) -> [ValueID]
  ) {
    self.name = name
    assembly = notation.map { Assembly($0) }
    self.build = build
  }

  static let all: [String: Rewrite] = {
    let rewrites = [square, dot, broadcast, map, shardingConstraint]
    return Dictionary(uniqueKeysWithValues: rewrites.map { ($0.name, $0) })
  }()

  /// `chlo.square %x -> stablehlo.multiply %x, %x`
  private static let square = Rewrite("chlo.square", "operands attr-dict `:` arrow-types") {
    (graph, reader, operands, location) throws(OpError) in
    _ = try reader.operand(0)
    return [try graph.append(.pointwise(.multiply), [operands[0], operands[0]], location: location)]
  }

  /// `stablehlo.dot %x, %y -> stablehlo.dot_general %x, %y, contracting_dims = [last] x [0]`
  private static let dot = Rewrite("stablehlo.dot", "operands precision attr-dict `:` functional-type") {
    (graph, reader, operands, location) throws(OpError) in
    let (x, y) = (try reader.operand(0), try reader.operand(1))
    guard 1...2 ~= x.rank, 1...2 ~= y.rank else { throw OpError("dot takes vectors and matrices, not \(x) and \(y)") }
    let dimensions = Contraction(lhsContracting: [x.rank - 1], rhsContracting: [0])
    let op = Op.dotGeneral(DotGeneral(dimensions, resultType: try reader.result().elementType))
    return [try graph.append(op, operands, location: location)]
  }

  /// `stablehlo.broadcast %x, sizes = [2] -> stablehlo.broadcast_in_dim`, the new dimensions in front.
  private static let broadcast = Rewrite(
    "stablehlo.broadcast", "operands `,` `sizes` `=` $broadcast_sizes attr-dict `:` functional-type"
  ) { (graph, reader, operands, location) throws(OpError) in
    let x = try reader.operand(0)
    let sizes = try reader.integers("broadcast_sizes")
    let dimensions = (0..<x.rank).map { $0 + sizes.count }
    let resultDimensions = sizes.map { Extent($0) } + x.dimensions
    let op = BroadcastInDim(dimensions: dimensions, resultDimensions: resultDimensions)
    return [try graph.append(.broadcastInDim(op), operands, location: location)]
  }

  /// `stablehlo.map` applies its body to each position: the body's ops on whole tensors.
  private static let map = Rewrite("stablehlo.map", nil) { (graph, reader, operands, location) throws(OpError) in
    let body = try reader.region(0)
    let dimensions = try reader.result().dimensions
    guard body.parameters.count == operands.count, body.results.count == 1 else {
      throw OpError("the body of map takes \(body.parameters.count) values, not \(operands.count)")
    }
    var values: [ValueID] = []
    for node in body.nodes {
      switch node.op {
      case .parameter(let parameter): values.append(operands[parameter.index])
      case .constant:
        let value = graph.appendUnchecked(node)
        let type = TensorType(node.type.elementType, dimensions)
        values.append(try broadcastingScalar(value, to: type, in: &graph, location))
      case .pointwise:
        values.append(try graph.append(node.op, node.operands.map { values[$0.index] }, location: node.location))
      default: throw OpError.unsupported("stablehlo.map with \(node.op.mnemonic) in its body")
      }
    }
    return [values[body.results[0].index]]
  }

  /// `sdy.sharding_constraint %x -> %x`: how work is spread over devices does not change its meaning.
  private static let shardingConstraint = Rewrite(
    "sdy.sharding_constraint", "operands sharding attr-dict `:` same-type"
  ) { (_, _, operands, _) throws(OpError) in operands }

  /// `value` repeated to the dimensions of `type` where it is a scalar and the type is not.
  static func broadcastingScalar(
    _ value: ValueID, to type: TensorType, in graph: inout Graph, _ location: Location
  ) throws(OpError) -> ValueID {
    guard graph.type(of: value).isScalar, !type.isScalar else { return value }
    let op = BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)
    return try graph.append(.broadcastInDim(op), [value], location: location)
  }
}
