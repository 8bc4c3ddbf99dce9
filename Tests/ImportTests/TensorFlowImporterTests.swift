import Foundation
import IR
import SwiftProtobuf
import Testing

@testable import ImportTensorFlow

/// A GraphDef small enough to be written down in a test.
struct TensorFlowTestGraph {
  typealias Attribute = Tensorflow_AttrValue.OneOf_Value

  var graph = Tensorflow_GraphDef()

  init(_ nodes: [Tensorflow_NodeDef], functions: [Tensorflow_FunctionDef] = []) {
    graph.node = nodes
    graph.functionLibrary.function = functions
  }

  static func node(
    _ name: String, _ op: String, _ inputs: [String] = [], _ attributes: [String: Attribute] = [:]
  ) -> Tensorflow_NodeDef {
    .with {
      $0.name = name
      $0.op = op
      $0.input = inputs
      $0.attr = attributes.mapValues { value in .with { $0.value = value } }
    }
  }

  /// An input of the graph; an extent of -1 is open.
  static func input(
    _ name: String, _ extents: [Int], _ type: Tensorflow_DataType = .dtFloat
  ) -> Tensorflow_NodeDef {
    let shape = Tensorflow_TensorShapeProto.with {
      $0.dim = extents.map { extent in .with { $0.size = Int64(extent) } }
    }
    return node(name, "Placeholder", [], ["dtype": .type(type), "shape": .shape(shape)])
  }

  static func integers(_ name: String, _ values: [Int], isScalar: Bool = false) -> Tensorflow_NodeDef {
    let tensor = Tensorflow_TensorProto.with {
      $0.dtype = .dtInt32
      $0.intVal = values.map { Int32($0) }
      if !isScalar { $0.tensorShape.dim = [.with { $0.size = Int64(values.count) }] }
    }
    return node(name, "Const", [], ["dtype": .type(.dtInt32), "value": .tensor(tensor)])
  }

  static func constant(
    _ name: String, _ dimensions: [Int], _ values: [Double], _ type: Tensorflow_DataType
  ) -> Tensorflow_NodeDef {
    let tensor = Tensorflow_TensorProto.with {
      $0.dtype = type
      if type == .dtInt32 {
        $0.intVal = values.map { Int32($0) }
      } else {
        $0.floatVal = values.map { Float($0) }
      }
      $0.tensorShape.dim = dimensions.map { extent in .with { $0.size = Int64(extent) } }
    }
    return node(name, "Const", [], ["dtype": .type(type), "value": .tensor(tensor)])
  }

  static func integers(_ values: Int...) -> Attribute { .list(.with { $0.i = values.map { Int64($0) } }) }
  static func text(_ value: String) -> Attribute { .s(Data(value.utf8)) }
  static func function(_ name: String) -> Attribute { .func(.with { $0.name = name }) }

  /// A function; `results` says what each output is among the nodes.
  static func function(
    _ name: String, _ arguments: [String], _ nodes: [Tensorflow_NodeDef], results: [(String, String)]
  ) -> Tensorflow_FunctionDef {
    .with {
      $0.signature.name = name
      $0.signature.inputArg = arguments.map { argument in .with { $0.name = argument } }
      $0.signature.outputArg = results.map { result in .with { $0.name = result.0 } }
      $0.nodeDef = nodes
      $0.ret = Dictionary(uniqueKeysWithValues: results)
    }
  }

  func module(_ importer: TensorFlowImporter = TensorFlowImporter()) throws -> Module {
    try importer.module(from: [UInt8](graph.serializedData()))
  }

  var error: TensorFlowError? {
    do {
      _ = try module()
      return nil
    } catch { return error as? TensorFlowError }
  }

  func run(_ arguments: [Literal]) throws -> [Literal] {
    let module = try module()
    return try #require(module.entry).evaluate(arguments, in: module)
  }
}

@Suite struct TensorFlowImporterTests {
  private typealias G = TensorFlowTestGraph

  private func floats(_ dimensions: [Int], _ values: [Double]) -> Literal {
    Literal(.f32, dimensions, values.map { .real($0) })
  }

  private func counted(_ dimensions: Int...) -> Literal {
    floats(dimensions, (0..<dimensions.reduce(1, *)).map { Double($0) })
  }

  private func numbers(_ literal: Literal) -> [Double] { literal.scalars.map(\.realValue) }

  // MARK: - Graphs

  /// Nodes stand in no order, and results are the nodes that no other one needs.
  @Test func nodesAreFoundFromTheResults() throws {
    let graph = G([
      G.node("out", "Mul", ["sum", "x"]), G.node("sum", "AddV2", ["x", "y:0"]), G.input("x", [2]), G.input("y", [2]),
    ])
    let module = try graph.module()
    #expect(module.functions[0].resultNames == ["out"])
    #expect(numbers(try graph.run([floats([2], [2, 3]), floats([2], [5, 7])])[0]) == [14, 30])
  }

  @Test func everythingUnsupportedIsNamed() {
    let graph = G([
      G.input("x", [2]), G.node("a", "Frobnicate", ["x"]), G.node("b", "Abs", ["a"]), G.node("c", "StringLower", ["x"]),
      G.node("out", "AddV2", ["b", "c"]),
    ])
    #expect(graph.error?.kind == .unsupported)
    #expect(graph.error?.lines == ["Frobnicate (node 'a')", "StringLower (node 'c')"])
  }

  private static let wrong: [(String, [Tensorflow_NodeDef], String)] = [
    ("cycle", [G.node("a", "Abs", ["b"]), G.node("b", "Abs", ["a"]), G.node("out", "Abs", ["a"])], "need each other"),
    ("self", [G.node("a", "Abs", ["a"]), G.node("out", "Abs", ["a"])], "need each other"),
    ("missing node", [G.node("out", "Abs", ["x"])], "input 'x' is neither"),
    ("missing input", [G.input("x", [2]), G.node("out", "AddV2", ["x"])], "node 'out' (AddV2): input 1 is missing"),
    (
      "function", [G.input("x", [2]), G.node("out", "PartitionedCall", ["x"], ["f": G.function("f")])],
      "no function 'f'"
    ),
    ("shapes", [G.input("x", [2]), G.input("y", [3]), G.node("out", "AddV2", ["x", "y"])], "cannot broadcast"),
    (
      "attribute", [G.input("x", [2, 2]), G.node("out", "MatMul", ["x", "x"], ["transpose_a": .i(1)])],
      "attribute 'transpose_a' is not true or false"
    ),
    (
      "unread", [G.input("x", [2]), G.node("out", "Abs", ["x"], ["rounding": G.text("odd")])],
      "Abs (node 'out'): attribute 'rounding'"
    ),
    ("no results", [G.input("x", [2])], "no node that no other one needs"),
    ("text", [G.input("x", [2], .dtString), G.node("out", "Identity", ["x"])], "input 'x'"),
  ]

  @Test(arguments: wrong.indices) func whatIsWrongIsSaid(index: Int) {
    let (name, nodes, message) = Self.wrong[index]
    let text = G(nodes).error?.description ?? ""
    #expect(text.contains(message), "\(name): \(text)")
  }

  // MARK: - Symbols

  /// `boolean_mask`, `unique`, and the boxes that are taken of those that overlap.
  @Test func dataDecidesExtents() throws {
    let masked = G([
      G.input("x", [-1]), G.integers("zero", [0], isScalar: true), G.node("isPositive", "Relu", ["x"]),
      G.node("where", "Where", ["isPositive"]), G.node("places", "Squeeze", ["where"], ["squeeze_dims": G.integers(1)]),
      G.node("out", "GatherV2", ["x", "places", "zero"]),
    ])
    for (x, kept) in [([-1, 2, 0, 3.5], [2, 3.5]), ([], []), ([-4], [])] as [([Double], [Double])] {
      #expect(try masked.run([floats([x.count], x)])[0] == floats([kept.count], kept))
    }
    let unique = G([
      G.input("x", [-1], .dtInt32), G.node("u", "UniqueWithCounts", ["x"]), G.node("a", "Identity", ["u:0"]),
      G.node("b", "Identity", ["u:1"]), G.node("c", "Identity", ["u:2"]),
    ])
    let parts = try unique.run([Literal(.i32, [5], [3, 1, 3, 2, 1].map { .integer($0) })])
    #expect(parts.map(numbers) == [[3, 1, 2], [0, 1, 0, 2, 1], [2, 2, 1]])
    let boxes = G([
      G.input("boxes", [-1, 4]), G.input("scores", [-1]), G.integers("most", [2], isScalar: true),
      G.node("out", "NonMaxSuppressionV2", ["boxes", "scores", "most", "limit"]),
      G.node(
        "limit", "Const", [],
        [
          "dtype": .type(.dtFloat),
          "value": .tensor(
            .with {
              $0.dtype = .dtFloat
              $0.floatVal = [0.5]
            }),
        ]),
    ])
    let corners = floats([4, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6, 0, 9, 1, 10])
    #expect(numbers(try boxes.run([corners, floats([4], [0.8, 0.9, 0.1, 0.2])])[0]) == [1, 3])
  }

  /// Batches of two inputs have names of their own, until an op needs them to be equal.
  @Test func openExtentsThatMeetBecomeOne() throws {
    let graph = G([G.input("x", [-1, 2]), G.input("y", [-1, 2]), G.node("out", "AddV2", ["x", "y"])])
    let types = try graph.module().functions[0].graph.parameterTypes.map(\.detailedDescription)
    #expect(types == ["tensor<[x_dim_0]x2xf32>", "tensor<[x_dim_0]x2xf32>"])
    var importer = TensorFlowImporter()
    importer.symbols = ["y_dim_0": 5]
    let fixed = try graph.module(importer).functions[0].graph.parameterTypes.map(\.detailedDescription)
    #expect(fixed == ["tensor<5x2xf32>", "tensor<5x2xf32>"])
  }

  @Test func shapeArithmeticBecomesExtents() throws {
    let graph = G([
      G.input("x", [-1, -1, 6]), G.node("shape", "Shape", ["x"]), G.integers("zero", [0]), G.integers("one", [1]),
      G.integers("two", [2]),
      G.node("batch", "StridedSlice", ["shape", "zero", "one", "one"], ["shrink_axis_mask": .i(1)]),
      G.node("length", "StridedSlice", ["shape", "one", "two", "one"], ["shrink_axis_mask": .i(1)]),
      G.integers("three", [3], isScalar: true), G.node("long", "Mul", ["length", "three"]),
      G.integers("rest", [-1], isScalar: true), G.node("wanted", "Pack", ["batch", "long", "rest"], ["N": .i(3)]),
      G.node("out", "Reshape", ["x", "wanted"]),
    ])
    let type = try graph.module().functions[0].graph.resultTypes[0]
    #expect(type.detailedDescription == "tensor<[x_dim_0]x[3*x_dim_1]x2xf32>")
  }

  // MARK: - Functions

  /// Functions name outputs, and count those that are lists.
  @Test func functionsNameOutputs() throws {
    let body = G.function(
      "f", ["v"],
      [
        G.integers("k", [2], isScalar: true), G.node("top", "TopKV2", ["v", "k:output:0"]),
        G.integers("axis", [0], isScalar: true),
        G.node("parts", "Split", ["axis:output:0", "v"], ["num_split": .i(3)]),
      ], results: [("order", "top:indices:0"), ("third", "parts:output:2")])
    let graph = G(
      [
        G.input("x", [3]), G.node("call", "StatefulPartitionedCall", ["x"], ["f": G.function("f")]),
        G.node("order", "Identity", ["call:0"]), G.node("third", "Identity", ["call:1"]),
      ], functions: [body])
    let results = try graph.run([floats([3], [4, 9, 7])])
    #expect(numbers(results[0]) == [1, 2])
    #expect(numbers(results[1]) == [7])
  }

  @Test func functionsThatCallThemselvesAreRefused() {
    let body = G.function(
      "f", ["v"], [G.node("again", "PartitionedCall", ["v"], ["f": G.function("f")])],
      results: [("out", "again:output:0")])
    let graph = G(
      [G.input("x", [1]), G.node("out", "PartitionedCall", ["x"], ["f": G.function("f")])], functions: [body])
    #expect(graph.error?.description.contains("call each other more than 64 deep") == true)
  }

  /// Functions that call the next one twice would be written out without end.
  @Test func functionsThatGrowAreRefused() {
    var functions = [G.function("f40", ["v"], [G.node("y", "Neg", ["v"])], results: [("out", "y:y:0")])]
    for level in 0..<40 {
      let next = G.function("f\(level + 1)")
      let calls = [
        G.node("a", "PartitionedCall", ["v"], ["f": next]), G.node("b", "PartitionedCall", ["a:output:0"], ["f": next]),
      ]
      functions.append(G.function("f\(level)", ["v"], calls, results: [("out", "b:output:0")]))
    }
    let graph = G(
      [G.input("x", [1]), G.node("out", "PartitionedCall", ["x"], ["f": G.function("f0")])], functions: functions)
    #expect(graph.error?.description.contains("more than 262144 nodes, its functions written out") == true)
  }

  /// What changes a variable on the way to a result is not left out.
  @Test func changesOfStateAreUnsupported() {
    let graph = G([
      G.input("x", [2]), G.node("v", "VarHandleOp", [], ["dtype": .type(.dtFloat)]),
      G.node("write", "AssignAddVariableOp", ["v", "x"]), G.node("out", "Identity", ["x", "^write"]),
    ])
    #expect(graph.error?.lines == ["AssignAddVariableOp (node 'write'): a change of state"])
  }

  /// A call, a branch or a loop that only has to run before a result may change a variable, too.
  @Test(arguments: ["PartitionedCall", "StatefulPartitionedCall", "If", "While", "Case"])
  func changesOfStateInFunctionsAreUnsupported(op: String) {
    let inner = G.function(
      "inner", ["v"], [G.node("write", "AssignAddVariableOp", ["v", "v"])], results: [("out", "v")])
    let outer = G.function(
      "outer", ["v"], [G.node("call", "PartitionedCall", ["v"], ["f": G.function("inner")])], results: [("out", "v")])
    let attributes: [String: G.Attribute] = [
      "f": G.function("outer"), "then_branch": G.function("outer"), "else_branch": G.function("outer"),
      "cond": G.function("outer"), "body": G.function("outer"),
      "branches": .list(.with { $0.func = [.with { $0.name = "outer" }] }),
    ]
    let graph = G(
      [
        G.input("x", [2]), G.node("v", "VarHandleOp", [], ["dtype": .type(.dtFloat)]),
        G.node("effect", op, ["v"], attributes), G.node("out", "Identity", ["x", "^effect"]),
      ], functions: [outer, inner])
    #expect(graph.error?.lines == ["\(op) (node 'effect'): a change of state"])
  }

  // MARK: - Control flow

  private func sums(upTo count: String) -> G {
    let condition = G.function(
      "more", ["i", "s", "n"], [G.node("less", "Less", ["i", "n"])], results: [("holds", "less:z:0")])
    let body = G.function(
      "step", ["i", "s", "n"],
      [
        G.integers("one", [1], isScalar: true), G.node("next", "AddV2", ["i", "one:output:0"]),
        G.node("term", "Cast", ["i"], ["DstT": .type(.dtFloat)]), G.node("sum", "AddV2", ["s", "term:y:0"]),
      ], results: [("i", "next:z:0"), ("s", "sum:z:0"), ("n", "n")])
    return G(
      [
        G.input("x", [2]), G.input("n", [], .dtInt32), G.integers("five", [5], isScalar: true),
        G.integers("start", [0], isScalar: true),
        G.node("loop", "While", ["start", "x", count], ["cond": G.function("more"), "body": G.function("step")]),
        G.node("out", "Identity", ["loop:1"]),
      ], functions: [condition, body])
  }

  @Test(arguments: ["five", "n"]) func loopsRun(count: String) throws {
    let arguments = [floats([2], [1, 2]), Literal(.i32, [], [.integer(5)])]
    // A constant that nothing needs is a result, too.
    #expect(try sums(upTo: count).run(arguments).last.map(numbers) == [11, 12])
  }

  /// The elements of a list have no shape before a loop sets the first.
  @Test func listsGetTheirShapeFromTheLoop() throws {
    let condition = G.function(
      "more", ["i", "l", "x"], [G.integers("n", [3], isScalar: true), G.node("less", "Less", ["i", "n:output:0"])],
      results: [("holds", "less:z:0")])
    let body = G.function(
      "step", ["i", "l", "x"],
      [
        G.integers("one", [1], isScalar: true), G.node("next", "AddV2", ["i", "one:output:0"]),
        G.node("factor", "Cast", ["next:z:0"], ["DstT": .type(.dtFloat)]), G.node("item", "Mul", ["x", "factor:y:0"]),
        G.node("set", "TensorListSetItem", ["l", "i", "item:z:0"], ["element_dtype": .type(.dtFloat)]),
      ], results: [("i", "next:z:0"), ("l", "set:output_handle:0"), ("x", "x")])
    let graph = G(
      [
        G.input("x", [2]), G.integers("start", [0], isScalar: true), G.integers("n", [3], isScalar: true),
        G.integers("open", [-1], isScalar: true),
        G.node("list", "TensorListReserve", ["open", "n"], ["element_dtype": .type(.dtFloat)]),
        G.node(
          "loop", "StatelessWhile", ["start", "list", "x"], ["cond": G.function("more"), "body": G.function("step")]),
        G.node("out", "TensorListStack", ["loop:1", "open"], ["num_elements": .i(3)]),
      ], functions: [condition, body])
    let result = try graph.run([floats([2], [1, 10])])[0]
    #expect(result.dimensions == [3, 2])
    #expect(numbers(result) == [1, 10, 2, 20, 3, 30])
  }

  @Test(arguments: [(true, 6.0), (false, -3)]) func branchesAreChosen(isTrue: Bool, expected: Double) throws {
    let double = G.function("double", ["v"], [G.node("sum", "AddV2", ["v", "v"])], results: [("y", "sum:z:0")])
    let negate = G.function("negate", ["v"], [G.node("minus", "Neg", ["v"])], results: [("y", "minus:y:0")])
    let graph = G(
      [
        G.input("p", [], .dtBool), G.input("x", [1]),
        G.node(
          "out", "If", ["p", "x"], ["then_branch": G.function("double"), "else_branch": G.function("negate")]),
      ], functions: [double, negate])
    let results = try graph.run([Literal(.i1, [], [isTrue ? .true : .false]), floats([1], [3])])
    #expect(numbers(results[0]) == [expected])
  }

  /// Both branches of TensorFlow 1 are computed; one of them may be a constant that only a control edge ties to it.
  @Test(arguments: [(true, 6.0, 1.0), (false, 7, 0)])
  func switchesAndMerges(isTrue: Bool, expected: Double, number: Double) throws {
    let seven = Tensorflow_TensorProto.with {
      $0.dtype = .dtFloat
      $0.floatVal = [7]
    }
    let graph = G([
      G.input("p", [], .dtBool), G.input("x", []), G.node("pivot", "Switch", ["p", "p"]),
      G.node("otherwise", "Identity", ["pivot:0"]), G.node("in", "Switch", ["x", "p"]),
      G.node("double", "AddV2", ["in:1", "in:1"]),
      G.node("seven", "Const", ["^otherwise"], ["dtype": .type(.dtFloat), "value": .tensor(seven)]),
      G.node("merge", "Merge", ["seven", "double"]), G.node("out", "Identity", ["merge"]),
      G.node("number", "Identity", ["merge:1"]),
    ])
    let results = try graph.run([Literal(.i1, [], [isTrue ? .true : .false]), floats([], [3])])
    #expect(results.map(numbers) == [[expected], [number]])
  }

  // MARK: - Ops

  /// A node with `op` over inputs `x`, `y`, … and constants.
  private func result(
    _ op: String, _ arguments: [Literal], _ constants: [[Int]] = [], _ attributes: [String: G.Attribute] = [:]
  ) throws -> Literal {
    var nodes: [Tensorflow_NodeDef] = []
    for (index, argument) in arguments.enumerated() {
      let type: Tensorflow_DataType = argument.elementType == .f32 ? .dtFloat : .dtInt32
      nodes.append(G.input("x\(index)", argument.dimensions, type))
    }
    for (index, constant) in constants.enumerated() { nodes.append(G.integers("c\(index)", constant)) }
    let inputs = arguments.indices.map { "x\($0)" } + constants.indices.map { "c\($0)" }
    nodes.append(G.node("out", op, inputs, attributes))
    return try G(nodes).run(arguments)[0]
  }

  @Test(arguments: [("FloorDiv", [-3.0, 2, -4, 3]), ("FloorMod", [1, 1, -1, -1]), ("TruncateDiv", [-2, 2, -3, 3])])
  func quotientsOfIntegers(op: String, expected: [Double]) throws {
    let x = Literal(.i32, [4], [-5, 5, 7, -7].map { .integer($0) })
    let y = Literal(.i32, [4], [2, 2, -2, -2].map { .integer($0) })
    #expect(numbers(try result(op, [x, y])) == expected)
  }

  private static let slices: [(begin: [Int], end: [Int], strides: [Int], masks: [String: Int], [Int], [Double])] = [
    ([0, 1], [2, 3], [1, 1], [:], [2, 2], [1, 2, 5, 6]),
    ([1], [2], [1], ["shrink_axis_mask": 1], [4], [4, 5, 6, 7]),
    ([0, 0], [0, 0], [1, -1], ["begin_mask": 3, "end_mask": 3], [3, 4], [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]),
    (
      [0, 0, -1], [0, 0, 0], [1, 1, 1], ["ellipsis_mask": 1, "new_axis_mask": 2, "shrink_axis_mask": 4], [3, 1],
      [3, 7, 11]
    ),
    ([-2, 5], [9, 1], [1, -2], [:], [2, 1], [7, 11]),
    ([2, 0], [1, 4], [1, 1], [:], [0, 4], []),
    ([-4], [0], [-1], ["end_mask": 1], [0, 4], []),
  ]

  @Test(arguments: slices.indices) func slicesFollowPython(index: Int) throws {
    let (begin, end, strides, masks, dimensions, expected) = Self.slices[index]
    let part = try result(
      "StridedSlice", [counted(3, 4)], [begin, end, strides], masks.mapValues { .i(Int64($0)) })
    #expect(part.dimensions == dimensions)
    #expect(numbers(part) == expected)
  }

  /// Means of integers do not overflow, and one-hot vectors may be longer than the indices' type counts.
  @Test func integersOfFewBits() throws {
    let bytes = Tensorflow_TensorProto.with {
      $0.dtype = .dtInt8
      $0.intVal = [100]
      $0.tensorShape.dim = [.with { $0.size = 9 }]
    }
    let graph = G([
      G.node("x", "Const", [], ["dtype": .type(.dtInt8), "value": .tensor(bytes)]), G.integers("axis", [0]),
      G.node("mean", "Mean", ["x", "axis"]), G.integers("depth", [300], isScalar: true),
      G.integers("on", [1], isScalar: true), G.integers("off", [0], isScalar: true),
      G.node("hot", "OneHot", ["x", "depth", "on", "off"]), G.node("count", "Sum", ["hot", "axis"]),
    ])
    let results = try graph.run([])
    #expect(numbers(results[0]) == [100])
    #expect(numbers(results[1]) == (0..<300).map { $0 == 100 ? 9 : 0 })
  }

  /// A few bytes of a file may say a tensor of many elements, which is not listed one by one.
  @Test func listsAreNotTooLong() {
    let large = Tensorflow_TensorProto.with {
      $0.dtype = .dtInt32
      $0.intVal = [1]
      $0.tensorShape.dim = [.with { $0.size = 1 << 33 }]
    }
    let graph = G([
      G.input("x", [2]), G.node("shape", "Const", [], ["dtype": .type(.dtInt32), "value": .tensor(large)]),
      G.node("out", "Reshape", ["x", "shape"]),
    ])
    #expect(graph.error?.lines == ["Reshape (node 'out'): its shape has 8589934592 elements"])
  }

  /// Averages do not count what lies outside; odd paddings go behind.
  @Test func poolsWithPaddings() throws {
    let attributes: [String: G.Attribute] = [
      "ksize": G.integers(1, 2, 2, 1), "strides": G.integers(1, 2, 2, 1), "padding": G.text("SAME"),
    ]
    let average = try result("AvgPool", [counted(1, 3, 3, 1)], [], attributes)
    #expect(numbers(average) == [2, 3.5, 6.5, 8])
    #expect(numbers(try result("MaxPool", [counted(1, 3, 3, 1)], [], attributes)) == [4, 5, 7, 8])
  }

  /// An image of open extents gets paddings that depend on them.
  @Test(arguments: [4, 5]) func convolutionsOfOpenExtents(extent: Int) throws {
    let graph = G([
      G.input("x", [1, -1, -1, 1]), G.input("k", [3, 3, 1, 1]),
      G.node("out", "Conv2D", ["x", "k"], ["strides": G.integers(1, 2, 2, 1), "padding": G.text("SAME")]),
    ])
    let x = counted(1, extent, extent, 1)
    let kernel = floats([3, 3, 1, 1], [1, 0, 0, 0, 0, 0, 0, 0, 100])
    let attributes: [String: G.Attribute] = ["strides": G.integers(1, 2, 2, 1), "padding": G.text("SAME")]
    let fixed = try result("Conv2D", [x, kernel], [], attributes)
    #expect(try graph.run([x, kernel])[0] == fixed)
    #expect(fixed.dimensions == [1, (extent + 1) / 2, (extent + 1) / 2, 1])
  }

  @Test func gathersOfBatches() throws {
    let x = counted(2, 3, 2)
    let indices = Literal(.i32, [2, 2], [2, 0, 1, 1].map { .integer($0) })
    let rows = try result("GatherV2", [x, indices], [[1]], ["batch_dims": .i(1)])
    #expect(rows.dimensions == [2, 2, 2])
    #expect(numbers(rows) == [4, 5, 0, 1, 8, 9, 8, 9])
  }

  // MARK: - SavedModels

  /// A model of Keras with variables, a loop and two inputs, against what TensorFlow gives.
  @Test func savedModelsGiveWhatTensorFlowGives() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "TensorFlow/keras")
    let module = try TensorFlowImporter().module(atPath: folder.path)
    let function = try #require(module.entry)
    #expect(function.name == "serving_default")
    #expect(function.parameterNames == ["image", "words"])
    #expect(function.resultNames == ["output_0"])
    #expect(function.graph.parameterTypes.map(\.dimensions[0]).allSatisfy { $0 == .symbol("image_dim_0") })
    var importer = TensorFlowImporter()
    importer.signature = "train"
    #expect {
      try importer.module(atPath: folder.path)
    } throws: {
      ($0 as? TensorFlowError)?.lines == ["the SavedModel has no signature 'train'; it has serving_default"]
    }
  }
}
