/// The results of another function of the module for these operands (MLIR `func.call`).
///
/// `%r = call @f(%x) : (tensor<2xf32>) -> tensor<2xf32>`
///
/// The type rule cannot see the module: inlining checks the operands against the function's parameters.
public struct Call: OpDefinition {
  public var function: String
  public var resultTypes: [TensorType]
  public init(function: String, resultTypes: [TensorType] = []) {
    self.function = function
    self.resultTypes = resultTypes
  }
  public var mnemonic: String { "func.call" }
  public var op: Op { .call(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] { resultTypes }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    try context.call(function, operands)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .call(Call(function: function, resultTypes: resultTypes.map { $0.mappingExtents(replacement) }))
  }
}

/// A named operation that means what its decomposition, a function of the module, computes
/// (StableHLO spec, "composite").
///
/// `%r = stablehlo.composite "my.op" %x {decomposition = @f} : (tensor<2xf32>) -> tensor<2xf32>`
public struct Composite: OpDefinition {
  public var name: String
  public var decomposition: String
  public var resultTypes: [TensorType]
  public init(name: String, decomposition: String, resultTypes: [TensorType] = []) {
    self.name = name
    self.decomposition = decomposition
    self.resultTypes = resultTypes
  }
  public var mnemonic: String { "stablehlo.composite" }
  public var op: Op { .composite(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts.allSatisfy({ !$0.isEmpty }) else {  // (C1)
      throw OpError("the name '\(name)' of a composite has no namespace")
    }
    return resultTypes  // (C4); (C2), (C3) when it is inlined
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    try context.call(decomposition, operands)
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .control }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.resultTypes = resultTypes.map { $0.mappingExtents(replacement) }
    return .composite(copy)
  }
}

extension EvaluationContext {
  /// The results of a function of the module, with the symbols that the arguments give it.
  func call(_ name: String, _ arguments: [Literal]) throws(OpError) -> [Literal] {
    guard let function = functions[name] else { throw OpError("function @\(name) is not in the module") }
    guard callDepth < Self.callDepthLimit else {
      throw OpError("calls of @\(name) are nested more than \(Self.callDepthLimit) deep")
    }
    var callee = self
    callee.callDepth += 1
    callee.symbols = try function.boundSymbols(for: arguments.map(\.type))
    return try function.graph.evaluate(arguments, in: callee)
  }
}

extension Call {
  static let text = TextForm(
    Call(function: ""), "@callee `(` operands `)` attr-dict `:` functional-type",
    attributes: [.symbol("callee", \.function), .resultTypes(\.resultTypes)])
}

extension Composite {
  static let text = TextForm(
    Composite(name: "", decomposition: ""), "$name operands attr-dict `:` functional-type",
    attributes: [
      .string("name", \.name), .symbol("decomposition", \.decomposition), .resultTypes(\.resultTypes),
    ])
}
