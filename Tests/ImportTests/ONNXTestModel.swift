import IR
import ImportONNX
import Testing

/// Bytes of a protobuf message, field by field.
struct ProtoBytes {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: Int, _ value: Int) {
    append(UInt64(field) << 3)
    append(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func data(_ field: Int, _ value: [UInt8]) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func string(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  mutating func message(_ field: Int, _ build: (inout ProtoBytes) -> Void) {
    var inner = ProtoBytes()
    build(&inner)
    data(field, inner.bytes)
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}

/// An ONNX model small enough to be written down in a test.
struct ONNXTestModel {
  enum Dimension: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case fixed(Int)
    case named(String)
    init(integerLiteral value: Int) { self = .fixed(value) }
    init(stringLiteral value: String) { self = .named(value) }
  }

  indirect enum Attribute {
    case int(Int)
    case ints([Int])
    case float(Float)
    case floats([Float])
    case string(String)
    case strings([String])
    case tensor(Literal)
    case graph(Graph)
    /// The attribute of the enclosing function with this name.
    case reference(String)
  }

  struct Node {
    var op: String
    var inputs: [String]
    var outputs: [String]
    var attributes: [(String, Attribute)]
    var name: String
    var domain: String

    init(
      _ op: String, _ inputs: [String], _ outputs: [String], _ attributes: [(String, Attribute)] = [],
      name: String = "", domain: String = ""
    ) {
      self.op = op
      self.inputs = inputs
      self.outputs = outputs
      self.attributes = attributes
      self.name = name
      self.domain = domain
    }
  }

  struct Input {
    var name: String
    var element: ElementType
    var shape: [Dimension]?
    init(_ name: String, _ element: ElementType, _ shape: [Dimension]?) {
      self.name = name
      self.element = element
      self.shape = shape
    }
  }

  struct Graph {
    var inputs: [Input] = []
    var constants: [(String, Literal)] = []
    var nodes: [Node] = []
    var outputs: [String] = []
  }

  struct Function {
    var name: String
    var domain: String
    var inputs: [String]
    var outputs: [String]
    var attributes: [String] = []
    var nodes: [Node]
  }

  var opset = 17
  var graph: Graph
  var functions: [Function] = []

  init(
    opset: Int = 17, inputs: [Input] = [], constants: [(String, Literal)] = [], nodes: [Node], outputs: [String],
    functions: [Function] = []
  ) {
    self.opset = opset
    self.graph = Graph(inputs: inputs, constants: constants, nodes: nodes, outputs: outputs)
    self.functions = functions
  }

  func module() throws -> Module { try ONNXImporter().module(from: bytes) }

  /// The results for these arguments, by the IR's own meaning.
  func results(_ arguments: [Literal]) throws -> [Literal] {
    let module = try module()
    return try #require(module.entry).evaluate(arguments, in: module)
  }

  /// Why the model is refused, in one line; nil where it is not.
  var refusal: String? {
    do throws(ONNXError) {
      _ = try ONNXImporter().module(from: bytes)
      return nil
    } catch {
      return error.description
    }
  }

  /// The ModelProto.
  var bytes: [UInt8] {
    var model = ProtoBytes()
    model.varint(1, 8)
    model.message(7) { Self.write(graph, &$0) }
    for domain in [""] + functions.map(\.domain) {
      model.message(8) { opset in
        opset.string(1, domain)
        opset.varint(2, domain.isEmpty ? self.opset : 1)
      }
    }
    for function in functions { model.message(25) { write(function, &$0) } }
    return model.bytes
  }

  private func write(_ function: Function, _ out: inout ProtoBytes) {
    out.string(1, function.name)
    out.string(10, function.domain)
    for name in function.inputs { out.string(4, name) }
    for name in function.outputs { out.string(5, name) }
    for name in function.attributes { out.string(6, name) }
    for node in function.nodes { out.message(7) { Self.write(node, &$0) } }
    out.message(9) { opset in
      opset.string(1, "")
      opset.varint(2, self.opset)
    }
  }

  private static func write(_ graph: Graph, _ out: inout ProtoBytes) {
    for node in graph.nodes { out.message(1) { write(node, &$0) } }
    out.string(2, "g")
    for (name, literal) in graph.constants { out.message(5) { write(literal, name, &$0) } }
    for input in graph.inputs {
      out.message(11) { info in
        info.string(1, input.name)
        info.message(2) { $0.message(1) { write(input, &$0) } }
      }
    }
    for name in graph.outputs { out.message(12) { $0.string(1, name) } }
  }

  private static func write(_ input: Input, _ out: inout ProtoBytes) {
    out.varint(1, code(input.element))
    guard let shape = input.shape else { return }
    out.message(2) { dimensions in
      for dimension in shape {
        dimensions.message(1) { out in
          switch dimension {
          case .fixed(let value): out.varint(1, value)
          case .named(let name): out.string(2, name)
          }
        }
      }
    }
  }

  private static func write(_ node: Node, _ out: inout ProtoBytes) {
    for name in node.inputs { out.string(1, name) }
    for name in node.outputs { out.string(2, name) }
    if !node.name.isEmpty { out.string(3, node.name) }
    out.string(4, node.op)
    for (name, attribute) in node.attributes { out.message(5) { write(attribute, name, &$0) } }
    if !node.domain.isEmpty { out.string(7, node.domain) }
  }

  private static func write(_ attribute: Attribute, _ name: String, _ out: inout ProtoBytes) {
    out.string(1, name)
    switch attribute {
    case .float(let value):
      out.float(2, value)
      out.varint(20, 1)
    case .int(let value):
      out.varint(3, value)
      out.varint(20, 2)
    case .string(let value):
      out.string(4, value)
      out.varint(20, 3)
    case .tensor(let literal):
      out.message(5) { write(literal, "", &$0) }
      out.varint(20, 4)
    case .graph(let graph):
      out.message(6) { write(graph, &$0) }
      out.varint(20, 5)
    case .floats(let values):
      for value in values { out.float(7, value) }
      out.varint(20, 6)
    case .ints(let values):
      for value in values { out.varint(8, value) }
      out.varint(20, 7)
    case .strings(let values):
      for value in values { out.string(9, value) }
      out.varint(20, 8)
    case .reference(let outer):
      out.varint(20, 2)
      out.string(21, outer)
    }
  }

  private static func write(_ literal: Literal, _ name: String, _ out: inout ProtoBytes) {
    for dimension in literal.dimensions { out.varint(1, dimension) }
    out.varint(2, code(literal.elementType))
    if !name.isEmpty { out.string(8, name) }
    out.data(9, literal.expanded.bytes)
  }

  /// The value of TensorProto.DataType.
  private static func code(_ element: ElementType) -> Int {
    switch element {
    case .f32: 1
    case .ui8: 2
    case .i8: 3
    case .i32: 6
    case .i64: 7
    case .i1: 9
    case .f16: 10
    case .f64: 11
    case .bf16: 16
    default: 0
    }
  }
}

extension Literal {
  /// A literal of f32.
  static func floats(_ dimensions: [Int], _ values: [Double]) -> Literal {
    Literal(.f32, dimensions, values.map { Scalar($0, .f32) })
  }

  /// A vector of i64.
  static func integers(_ values: [Int]) -> Literal {
    Literal(.i64, [values.count], values.map { Scalar.integer(Int64($0)) })
  }

  /// The elements as numbers.
  var numbers: [Double] { scalars.map(\.realValue) }
}
