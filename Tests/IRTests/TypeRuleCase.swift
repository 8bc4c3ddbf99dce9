import IR
import Testing

/// An application of an op that its type rule must refuse, and what the message must say.
struct RefusedApplication: CustomTestStringConvertible {
  var constraint: String
  var op: Op
  var operands: [TensorType]
  var message: String

  init(_ constraint: String, _ op: Op, _ operands: [TensorType], _ message: String) {
    self.constraint = constraint
    self.op = op
    self.operands = operands
    self.message = message
  }

  var testDescription: String { "\(op.mnemonic) (\(constraint))" }

  func check() {
    let error = #expect(throws: OpError.self) { try op.inferTypes(operands) }
    #expect(error?.message.contains(message) == true, "'\(error?.message ?? "")' does not say '\(message)'")
  }
}

/// A tensor type with fixed and named extents: `type(.f32, 2, "seq")`.
func type(_ element: ElementType, _ dimensions: any TestExtent...) -> TensorType {
  TensorType(element, dimensions.map(\.extent))
}

protocol TestExtent { var extent: Extent { get } }
extension Int: TestExtent { var extent: Extent { Extent(self) } }
extension String: TestExtent { var extent: Extent { .symbol(self) } }

func f32(_ dimensions: [Int], _ values: [Double]) -> Literal {
  Literal(.f32, dimensions, values.map { Scalar.real($0) })
}
func i32(_ dimensions: [Int], _ values: [Int]) -> Literal { integers(.i32, dimensions, values) }
func integers(_ type: ElementType, _ dimensions: [Int], _ values: [Int]) -> Literal {
  if dimensions.isEmpty { return .scalar(.integer(Int64(values[0])), type) }
  return Literal(type, dimensions, values.map { Scalar.integer(Int64($0)) })
}

/// The results of an op for these operands.
func evaluate(_ op: Op, _ operands: [Literal], in context: EvaluationContext = EvaluationContext()) throws -> [Literal]
{
  let results = try op.inferTypes(operands.map(\.type))
  return try op.definition.evaluate(operands, results: results, in: context)
}

/// A graph whose parameters have these types and whose results `build` gives.
func graph(_ parameters: [TensorType], _ build: (inout Graph, [ValueID]) throws -> [ValueID]) rethrows -> Graph {
  var graph = Graph()
  let values = parameters.map { graph.addParameter($0) }
  graph.results = try build(&graph, values)
  return graph
}

extension Graph {
  /// A constant of one value.
  mutating func scalar(_ value: Int, _ type: ElementType = .i32) throws -> ValueID {
    try append(.constant(.scalar(.integer(Int64(value)), type)))
  }
}
