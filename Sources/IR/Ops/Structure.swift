/// A value that the graph's user gives.
public struct Parameter: OpDefinition {
  public var index: Int
  public var name: String
  public var type: TensorType
  public init(index: Int, name: String = "", type: TensorType) {
    self.index = index
    self.name = name
    self.type = type
  }
  public var mnemonic: String { "parameter" }
  public var op: Op { .parameter(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { [type] }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    throw OpError("a parameter has no value of its own")
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .leaf }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.type.dimensions = type.dimensions.map(replacement)
    return .parameter(copy)
  }
}

/// A tensor that is known at compile time.
///
/// `%c = stablehlo.constant dense<1.0> : tensor<4x2xf32>`
public struct Constant: OpDefinition {
  public var value: Literal
  public init(_ value: Literal) { self.value = value }
  public var mnemonic: String { "stablehlo.constant" }
  public var op: Op { .constant(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { [value.type] }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    [value]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .leaf }
}

extension Op {
  /// The op that yields `value`.
  public static func constant(_ value: Literal) -> Op { .constant(Constant(value)) }
}

/// One result of a node that has several.
public struct GetTupleElement: OpDefinition {
  public var index: Int
  public init(index: Int) { self.index = index }
  public var mnemonic: String { "stablehlo.get_tuple_element" }
  public var op: Op { .getTupleElement(self) }

  func element(of types: [TensorType]) throws(OpError) -> TensorType {
    guard types.indices.contains(index) else {
      throw OpError("get_tuple_element \(index) leaves the \(types.count) results of its operand")  // (C1)
    }
    return types[index]
  }

  /// The graph gives the selected result's type as the only operand type.
  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { [try single(operands)] }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    [operands[index]]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics {
    .movement(.identity(rank: results[0].rank))
  }
}

extension Movement {
  /// Every element from the same position of operand 0.
  public static func identity(rank: Int) -> Movement { Movement((0..<rank).map { .variable($0) }) }
}

extension Constant {
  static let text = TextForm("stablehlo.constant", "attr-dict constant") { (reader) throws(OpError) in
    guard case .dense(let value)? = reader["value"] else { throw OpError("'stablehlo.constant' needs a dense value") }
    return .constant(value)
  } write: { op, writer in
    if case .constant(let constant) = op { writer.set("value", .dense(constant.value)) }
  }
}
