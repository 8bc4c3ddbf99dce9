/// An operand's extent along one dimension, as a scalar (StableHLO spec, "get_dimension_size").
///
/// `%r = stablehlo.get_dimension_size %x, dim = 1 : (tensor<2x?xf32>) -> tensor<i32>`
public struct GetDimensionSize: OpDefinition {
  public var dimension: Int
  public init(dimension: Int) { self.dimension = dimension }
  public var mnemonic: String { "stablehlo.get_dimension_size" }
  public var op: Op { .getDimensionSize(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard x.dimensions.indices.contains(dimension) else {  // (C1)
      throw OpError("dimension \(dimension) leaves the \(x.rank) dimensions of \(x.detailedDescription)")
    }
    return [.scalar(.i32)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    [.scalar(.integer(Int64(operands[0].dimensions[dimension])), .i32)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .position(operands[0].dimensions[dimension])
  }
}

/// The value of an extent at run time, as a scalar; what resolving shapes leaves of shape arithmetic that data needs.
///
/// `%r = "tfc.extent"() {extent = "2*seq + 1"} : () -> tensor<i32>`
public struct ExtentValue: OpDefinition {
  public var extent: Extent
  public var elementType: ElementType
  public init(extent: Extent, elementType: ElementType = .i32) {
    self.extent = extent
    self.elementType = elementType
  }
  public var mnemonic: String { "tfc.extent" }
  public var op: Op { .extentValue(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 0)
    guard elementType.isInteger else { throw OpError("an extent is an integer, not \(elementType)") }
    return [.scalar(elementType)]
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    [.scalar(.integer(Int64(try context.value(of: extent))), elementType)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .position(extent) }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .extentValue(ExtentValue(extent: replacement(extent), elementType: elementType))
  }
}

extension OpDefinition {
  /// Throws unless an operand is a list of `count` integers.
  func requireShapeOperand(_ type: TensorType, named name: String, count: Int) throws(OpError) {
    guard type.elementType.isInteger, type.rank == 1 else {
      throw OpError("\(name) of \(shortName) is a list of integers, not \(type.detailedDescription)")
    }
    guard type.dimensions[0].fixed.map({ $0 == count }) ?? true else {
      throw OpError("\(name) of \(shortName) has \(type.dimensions[0]) elements for \(count) dimensions")
    }
  }

  /// The integers of a shape operand, none of them negative.
  func extents(_ literal: Literal) throws(OpError) -> [Int] {
    let extents = literal.scalars.map { Int($0.integerValue) }
    guard extents.allSatisfy({ $0 >= 0 }) else {
      throw OpError("\(shortName) to the shape \(extents) with a negative extent")
    }
    return extents
  }
}

extension GetDimensionSize {
  static let text = TextForm(
    GetDimensionSize(dimension: 0), "operands `,` `dim` `=` $dimension attr-dict `:` functional-type",
    attributes: [.integer("dimension", \.dimension)])
}

extension ExtentValue {
  static let text = TextForm("tfc.extent", nil) { (reader) throws(OpError) in
    let extent = try Extent(parsing: try reader.string("extent"))
    return .extentValue(ExtentValue(extent: extent, elementType: try reader.result().elementType))
  } write: { op, writer in
    if case .extentValue(let op) = op { writer.set("extent", .string(op.extent.text)) }
  }
}
