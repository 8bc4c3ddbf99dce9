import IR
import Testing

@testable import ImportTensorFlow

/// A node over inputs and constants, and what TensorFlow gives for it.
struct TensorFlowOpCase: CustomTestStringConvertible {
  enum Operand {
    /// Floats and integers that are inputs.
    case data([Int], [Double])
    case places([Int], [Double])
    /// Floats and integers that the model holds.
    case constant([Int], [Double])
    case integers([Int], [Double])
  }

  var name: String
  var operands: [Operand]
  var attributes: [String: TensorFlowTestGraph.Attribute]
  var expected: [(dimensions: [Int], values: [Double])]

  init(
    _ name: String, _ operands: [Operand], _ attributes: [String: TensorFlowTestGraph.Attribute],
    _ expected: [([Int], [Double])]
  ) {
    (self.name, self.operands, self.attributes) = (name, operands, attributes)
    self.expected = expected.map { (dimensions: $0.0, values: $0.1) }
  }

  var testDescription: String { name }

  /// The graph with the node, of which each output is a result, and the values of its inputs.
  var graph: (TensorFlowTestGraph, [Literal]) {
    typealias G = TensorFlowTestGraph
    var nodes: [Tensorflow_NodeDef] = []
    var arguments: [Literal] = []
    for (index, operand) in operands.enumerated() {
      let name = "x\(index)"
      switch operand {
      case .data(let dimensions, let values):
        nodes.append(G.input(name, dimensions))
        arguments.append(Literal(.f32, dimensions, values.map { .real($0) }))
      case .places(let dimensions, let values):
        nodes.append(G.input(name, dimensions, .dtInt32))
        arguments.append(Literal(.i32, dimensions, values.map { .integer(Int64($0)) }))
      case .constant(let dimensions, let values): nodes.append(G.constant(name, dimensions, values, .dtFloat))
      case .integers(let dimensions, let values): nodes.append(G.constant(name, dimensions, values, .dtInt32))
      }
    }
    nodes.append(G.node("out", name, operands.indices.map { "x\($0)" }, attributes))
    for index in expected.indices { nodes.append(G.node("y\(index)", "Identity", ["out:\(index)"])) }
    return (G(nodes), arguments)
  }
}

@Suite struct TensorFlowOpTests {
  private typealias G = TensorFlowTestGraph

  @Test(arguments: TensorFlowOpCase.all) func opsGiveWhatTensorFlowGives(_ test: TensorFlowOpCase) throws {
    let (graph, arguments) = test.graph
    let results = try graph.run(arguments)
    #expect(results.count == test.expected.count)
    for (result, expected) in zip(results, test.expected) {
      #expect(result.dimensions == expected.dimensions)
      for (value, wanted) in zip(result.scalars.map(\.realValue), expected.values) {
        let isSame = value == wanted || value.isNaN && wanted.isNaN || abs(value - wanted) <= 1e-5 + 1e-4 * abs(wanted)
        #expect(isSame, "\(value), not \(wanted), in \(result)")
      }
    }
  }

  /// Inputs of open extents, and a run with some.
  private func run(
    _ op: String, _ shapes: [[Int]], _ constants: [[Int]], _ attributes: [String: G.Attribute], _ arguments: [Literal]
  ) throws -> Literal {
    var nodes = shapes.enumerated().map { G.input("x\($0)", $1) }
    for (index, constant) in constants.enumerated() { nodes.append(G.integers("c\(index)", constant)) }
    let inputs = shapes.indices.map { "x\($0)" } + constants.indices.map { "c\($0)" }
    nodes.append(G.node("out", op, inputs, attributes))
    return try G(nodes).run(arguments)[0]
  }

  private func counted(_ dimensions: Int...) -> Literal {
    Literal(.f32, dimensions, (0..<dimensions.reduce(1, *)).map { .real(Double($0 * $0 % 17)) })
  }

  /// What is the same for fixed and for open extents.
  @Test(arguments: [
    ("ResizeBilinear", "half_pixel_centers"), ("ResizeBilinear", "align_corners"),
    ("ResizeBicubic", "half_pixel_centers"),
    ("ResizeBicubic", "align_corners"), ("ResizeNearestNeighbor", "half_pixel_centers"),
    ("ResizeNearestNeighbor", "align_corners"), ("ResizeArea", "align_corners"),
  ])
  func imagesOfOpenExtentsAreResized(op: String, mode: String) throws {
    for (rows, columns) in [(5, 7), (1, 2), (9, 4)] {
      let x = counted(1, rows, columns, 2)
      let fixed = try run(op, [[1, rows, columns, 2]], [[6, 3]], [mode: .b(true)], [x])
      let open = try run(op, [[-1, -1, -1, 2]], [[6, 3]], [mode: .b(true)], [x])
      #expect(open.dimensions == [1, 6, 3, 2])
      for (a, b) in zip(fixed.scalars, open.scalars) { #expect(abs(a.realValue - b.realValue) < 1e-4) }
    }
  }

  /// The scale follows from the image's extents, which are open.
  @Test func scalesThatFollowFromOpenExtents() throws {
    let attributes: [String: G.Attribute] = ["kernel_type": G.text("triangle"), "antialias": .b(true)]
    func graph(_ extent: Int) -> G {
      G([
        G.input("x", [1, extent, extent, 1]), G.node("shape", "Shape", ["x"]), G.integers("one", [1]),
        G.integers("two", [2]), G.node("extents", "Slice", ["shape", "one", "two"]), G.integers("size", [2, 3]),
        G.node("old", "Cast", ["extents"], ["DstT": .type(.dtFloat)]),
        G.node("new", "Cast", ["size"], ["DstT": .type(.dtFloat)]), G.node("scale", "RealDiv", ["new", "old"]),
        G.constant("shift", [2], [0, 0], .dtFloat),
        G.node("out", "ScaleAndTranslate", ["x", "size", "scale", "shift"], attributes),
      ])
    }
    let x = counted(1, 9, 9, 1)
    let (fixed, open) = (try graph(9).run([x])[0], try graph(-1).run([x])[0])
    #expect(open.dimensions == [1, 2, 3, 1])
    for (a, b) in zip(fixed.scalars, open.scalars) { #expect(abs(a.realValue - b.realValue) < 1e-4) }
  }

  @Test func batchesOfMatricesMayBeOpen() throws {
    let x = Literal(.f32, [2, 2, 2], [0, 2, 4, 0, 1, 0, 0, 8].map { .real($0) })
    let inverses = try run("MatrixInverse", [[-1, 2, 2]], [], [:], [x])
    #expect(inverses.scalars.map(\.realValue) == [0, 0.25, 0.5, 0, 1, 0, 0, 0.125])
    #expect(try run("MatrixDeterminant", [[-1, 2, 2]], [], [:], [x]).scalars.map(\.realValue) == [-8, 8])
  }

  @Test func gradientsOfOpenExtents() throws {
    let attributes: [String: G.Attribute] = [
      "ksize": G.integers(1, 2, 2, 1), "strides": G.integers(1, 2, 2, 1), "padding": G.text("VALID"),
    ]
    let graph = G([
      G.input("x", [-1, 4, 4, 1]), G.input("dy", [-1, 2, 2, 1]), G.node("shape", "Shape", ["x"]),
      G.node("out", "AvgPoolGrad", ["shape", "dy"], attributes),
    ])
    let dy = Literal(.f32, [1, 2, 2, 1], [4, 8, 12, 16].map { .real($0) })
    let dx = try graph.run([counted(1, 4, 4, 1), dy])[0]
    #expect(dx.scalars.map(\.realValue) == [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
  }

  /// Data decides how many rows a part has.
  @Test func partitionsAndDifferences() throws {
    let graph = G([
      G.input("x", [-1, 2]), G.input("numbers", [-1], .dtInt32),
      G.node("out", "DynamicPartition", ["x", "numbers"], ["num_partitions": .i(2)]),
      G.node("first", "Identity", ["out:0"]), G.node("second", "Identity", ["out:1"]),
    ])
    let module = try graph.module()
    #expect(
      module.functions[0].graph.resultTypes.map(\.detailedDescription) == [
        "tensor<[part.1]x2xf32>", "tensor<[part.2]x2xf32>",
      ])
    let numbers = Literal(.i32, [3], [1, 0, 1].map { .integer($0) })
    let results = try graph.run([Literal(.f32, [3, 2], [1, 2, 3, 4, 5, 6].map { .real($0) }), numbers])
    #expect(results.map { $0.scalars.map(\.realValue) } == [[3, 4], [1, 2, 5, 6]])
    let lists = G([
      G.input("x", [5], .dtInt32), G.integers("y", [2, 7]), G.node("out", "ListDiff", ["x", "y"]),
    ])
    let x = Literal(.i32, [5], [1, 2, 3, 2, 4].map { .integer($0) })
    #expect(try lists.run([x])[0].scalars.map(\.realValue) == [1, 3, 4])
  }

  /// Boxes that overlap lower each other's scores where that is asked for.
  @Test(arguments: [(0.0, [0.0, 2], [0.9, 0.3]), (0.5, [0, 1, 2], [0.9, 0.5452, 0.3])])
  func overlapsLowerScores(sigma: Double, numbers: [Double], scores: [Double]) throws {
    let graph = G([
      G.input("boxes", [3, 4]), G.input("scores", [3]), G.constant("most", [], [3], .dtInt32),
      G.constant("share", [], [sigma > 0 ? 1 : 0.4], .dtFloat), G.constant("least", [], [0.1], .dtFloat),
      G.constant("sigma", [], [sigma], .dtFloat),
      G.node("out", "NonMaxSuppressionV5", ["boxes", "scores", "most", "share", "least", "sigma"]),
      G.node("numbers", "Identity", ["out:0"]), G.node("values", "Identity", ["out:1"]),
    ])
    let boxes = Literal(.f32, [3, 4], [0, 0, 2, 3, 0, 1, 2, 4, 7, 7, 8, 8].map { .real($0) })
    let results = try graph.run([boxes, Literal(.f32, [3], [0.9, 0.7, 0.3].map { .real($0) })])
    #expect(results[0].scalars.map(\.realValue) == numbers)
    for (score, wanted) in zip(results[1].scalars, scores) { #expect(abs(score.realValue - wanted) < 1e-3) }
  }

  /// Transforms of named dimensions are those of the last ones.
  @Test func fourierTransformsOfAxes() throws {
    let x = counted(2, 3, 4)
    let named = try run("RFFTND", [[2, 3, 4]], [[3, 4], [-2, -1]], [:], [x])
    #expect(named == (try run("RFFT2D", [[2, 3, 4]], [[3, 4]], [:], [x])))
    let moved = G([
      G.input("x", [2, 3]), G.integers("l", [2]), G.integers("a", [0]), G.node("out", "RFFTND", ["x", "l", "a"]),
    ])
    #expect(moved.error?.lines == ["RFFTND (node 'out'): transforms of the dimensions [0] of 2"])
  }

  private static let refused: [(String, [Tensorflow_NodeDef], String)] = [
    ("complex", [G.input("x", [2, 2], .dtComplex64), G.node("out", "MatrixInverse", ["x"])], "complex matrices"),
    ("open", [G.input("x", [-1, -1]), G.node("out", "Qr", ["x"])], "matrices of open extents"),
    ("open square", [G.input("x", [-1, -1]), G.node("out", "MatrixDeterminant", ["x"])], "matrices of open extents"),
    ("square", [G.input("x", [2, 3]), G.node("out", "Lu", ["x"])], "does not hold square matrices"),
    (
      "right side", [G.input("x", [3, 3]), G.input("y", [2, 1]), G.node("out", "MatrixSolve", ["x", "y"])],
      "its matrices are tensor<3x3xf32> and tensor<2x1xf32>"
    ),
    (
      "places",
      [G.input("i", [2], .dtInt32), G.input("x", [2]), G.node("out", "DynamicStitch", ["i", "x"], ["N": .i(1)])],
      "its indices must be known when the graph is read"
    ),
    (
      "kernel", [G.input("x", [1, 2, 2, 1]), G.input("k", [2, 2, 3]), G.node("out", "Dilation2D", ["x", "k"])],
      "it takes images and a kernel, not"
    ),
    (
      "gradient",
      [
        G.integers("s", [1, 4, 4, 1]), G.input("dy", [1, 3, 3, 1]),
        G.node(
          "out", "AvgPoolGrad", ["s", "dy"],
          [
            "ksize": G.integers(1, 2, 2, 1), "strides": G.integers(1, 2, 2, 1), "padding": G.text("VALID"),
          ]),
      ], "tensor<1x3x3x1xf32> is no gradient of tensor<1x2x2x1xf32>"
    ),
    (
      "fill mode",
      [
        G.input("x", [1, 2, 2, 1]), G.input("m", [1, 8]), G.integers("s", [2, 2]),
        G.node("out", "ImageProjectiveTransformV2", ["x", "m", "s"], ["fill_mode": G.text("TWICE")]),
      ], "attribute 'fill_mode' is 'TWICE'"
    ),
  ]

  @Test(arguments: refused.indices) func whatIsNotCoveredIsSaid(index: Int) {
    let (name, nodes, message) = Self.refused[index]
    let text = G(nodes).error?.description ?? ""
    #expect(text.contains(message), "\(name): \(text)")
  }
}
