/// Sums of products over contracted dimensions, for each position of the batching dimensions.
///
/// `%r = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>`
public struct DotGeneral: OpDefinition {
  public var dimensions: Contraction
  /// The result's element type: products are summed in it.
  public var resultType: ElementType
  public init(_ dimensions: Contraction, resultType: ElementType) {
    self.dimensions = dimensions
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.dot_general" }
  public var op: Op { .dotGeneral(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 2)
    let (x, y, d) = (operands[0], operands[1], dimensions)
    guard d.lhsBatching.count == d.rhsBatching.count else {  // (C1)
      throw OpError("batching dimensions \(d.lhsBatching) and \(d.rhsBatching) do not pair up")
    }
    guard d.lhsContracting.count == d.rhsContracting.count else {  // (C2)
      throw OpError("contracting dimensions \(d.lhsContracting) and \(d.rhsContracting) do not pair up")
    }
    try requireDistinct(d.lhsBatching + d.lhsContracting, of: x)  // (C3), (C5)-(C6)
    try requireDistinct(d.rhsBatching + d.rhsContracting, of: y)  // (C4), (C7)-(C8)
    for (i, j) in zip(d.lhsBatching + d.lhsContracting, d.rhsBatching + d.rhsContracting)
    where x.dimensions[i] != y.dimensions[j] {  // (C9), (C10)
      throw OpError("dot cannot contract \(x.detailedDescription) with \(y.detailedDescription)")
    }
    let free = d.lhsFree(rank: x.rank).map { x.dimensions[$0] } + d.rhsFree(rank: y.rank).map { y.dimensions[$0] }
    return [TensorType(resultType, d.lhsBatching.map { x.dimensions[$0] } + free)]  // (C12)
  }

  private func requireDistinct(_ named: [Int], of type: TensorType) throws(OpError) {
    guard Set(named).count == named.count else { throw OpError("dimensions \(named) name one dimension twice") }
    guard named.allSatisfy((0..<type.rank).contains) else {
      throw OpError("dimensions \(named) leave the \(type.rank) dimensions of \(type.detailedDescription)")
    }
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, y) = (operands[0], operands[1])
    let (xs, ys) = (x.scalars, y.scalars)
    let lhsFree = dimensions.lhsFree(rank: x.type.rank)
    let rhsFree = dimensions.rhsFree(rank: y.type.rank)
    let batching = dimensions.lhsBatching.count
    let contracted = Array(allIndices(dimensions.lhsContracting.map { x.dimensions[$0] }))
    let shape = results[0].dimensions.compactMap(\.fixed)
    var values: [Scalar] = []
    for index in allIndices(shape) {
      var i = [Int](repeating: 0, count: x.type.rank)
      var j = [Int](repeating: 0, count: y.type.rank)
      for (b, d) in dimensions.lhsBatching.enumerated() { i[d] = index[b] }
      for (b, d) in dimensions.rhsBatching.enumerated() { j[d] = index[b] }
      for (f, d) in lhsFree.enumerated() { i[d] = index[batching + f] }
      for (f, d) in rhsFree.enumerated() { j[d] = index[batching + lhsFree.count + f] }
      var sum = Accumulator(resultType)
      for k in contracted {
        for (c, d) in dimensions.lhsContracting.enumerated() { i[d] = k[c] }
        for (c, d) in dimensions.rhsContracting.enumerated() { j[d] = k[c] }
        sum.add(product: xs[x.position(of: i)], ys[y.position(of: j)])
      }
      values.append(sum.value)
    }
    return [Literal(resultType, shape, values)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .contraction(dimensions) }
}

/// A sum of products: f64 for every float type, wrapping for integers, `or` of `and` for booleans.
struct Accumulator {
  private let type: ElementType
  private var integer: Int64 = 0
  private var real = 0.0
  private var imaginary = 0.0

  init(_ type: ElementType) { self.type = type }

  mutating func add(product a: Scalar, _ b: Scalar) {
    switch type.kind {
    case .boolean: integer |= a.integerValue & b.integerValue
    case .signed, .unsigned: integer &+= a.integerValue &* b.integerValue
    case .float: real += a.realValue * b.realValue
    case .complex:
      real += a.realValue * b.realValue - a.imaginaryValue * b.imaginaryValue
      imaginary += a.realValue * b.imaginaryValue + a.imaginaryValue * b.realValue
    }
  }

  /// The sum, rounded or wrapped once.
  var value: Scalar {
    switch type.kind {
    case .boolean, .signed, .unsigned: .integer(type.wrapped(integer))
    case .float: .real(FloatFormat.round(real, to: type))
    case .complex:
      .complex(FloatFormat.round(real, to: type.realPart), FloatFormat.round(imaginary, to: type.realPart))
    }
  }
}

extension DotGeneral {
  static let text = TextForm(
    "stablehlo.dot_general", "operands dotDimensions attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let body = try reader.body("dot_dimension_numbers")
    let dimensions = Contraction(
      lhsBatching: try reader.integers(body, "lhs_batching_dimensions"),
      rhsBatching: try reader.integers(body, "rhs_batching_dimensions"),
      lhsContracting: try reader.integers(body, "lhs_contracting_dimensions"),
      rhsContracting: try reader.integers(body, "rhs_contracting_dimensions"))
    return .dotGeneral(DotGeneral(dimensions, resultType: try reader.result().elementType))
  } write: { op, writer in
    guard case .dotGeneral(let op) = op else { return }
    let lists: [String: [Int]] = [
      "lhs_batching_dimensions": op.dimensions.lhsBatching, "rhs_batching_dimensions": op.dimensions.rhsBatching,
      "lhs_contracting_dimensions": op.dimensions.lhsContracting,
      "rhs_contracting_dimensions": op.dimensions.rhsContracting,
    ]
    let body = DialectBody(lists: lists.mapValues { $0.map { Int64($0) } })
    writer.set("dot_dimension_numbers", .dialect("stablehlo.dot", body: body.text))
  }
}
