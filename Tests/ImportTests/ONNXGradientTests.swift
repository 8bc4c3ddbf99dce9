import IR
import Testing

/// `ai.onnx.preview.training.Gradient`.
@Suite struct ONNXGradientTests {
  typealias Model = ONNXTestModel

  private func gradient(
    _ inputs: [String], _ outputs: [String], of y: String, xs: [String], zs: [String] = []
  ) -> Model.Node {
    var attributes: [(String, Model.Attribute)] = [("y", .string(y)), ("xs", .strings(xs))]
    if !zs.isEmpty { attributes.append(("zs", .strings(zs))) }
    return .init("Gradient", inputs, outputs, attributes, name: "g", domain: "ai.onnx.preview.training")
  }

  /// With respect to an input, a constant and what lies between; of a tensor it is that of the sum.
  @Test func gradientsOfWeightsAndValues() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n", 2])], constants: [("w", .floats([2, 1], [3, -1]))],
      nodes: [
        .init("MatMul", ["x", "w"], ["h"]), .init("Mul", ["h", "h"], ["y"]),
        gradient(["x", "w"], ["dx", "dw"], of: "y", xs: ["x", "w"]), gradient(["h"], ["dh"], of: "y", xs: ["h"]),
      ], outputs: ["dx", "dw", "dh"])
    let results = try model.results([.floats([2, 2], [1, 2, 0, 4])])
    // h is 1 and -4.
    #expect(results.map(\.numbers) == [[6, -2, -24, 8], [2, -28], [2, -8]])
  }

  /// A gradient's gradient, taken of the node that computes the first one.
  @Test func gradientsOfGradients() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      nodes: [
        .init("Mul", ["x", "x"], ["square"]), .init("Mul", ["square", "x"], ["y"]),
        gradient(["x"], ["d"], of: "y", xs: ["x"]), gradient(["x"], ["dd"], of: "d", xs: ["x"]),
      ], outputs: ["d", "dd"])
    #expect(try model.results([.floats([2], [2, 3])]).map(\.numbers) == [[12, 27], [12, 18]])
  }

  /// The graph at other values than those that it has been computed at.
  @Test func gradientsAtOtherValues() throws {
    let model = Model(
      inputs: [.init("x", .f32, [2]), .init("z", .f32, [2]), .init("other", .f32, [3])],
      nodes: [
        .init("Mul", ["x", "z"], ["p"]), .init("Mul", ["p", "x"], ["y"]), .init("Neg", ["other"], ["factor"]),
        gradient(["other", "factor"], ["d"], of: "y", xs: ["x"], zs: ["z"]),
      ], outputs: ["y", "d"])
    let two = Literal.floats([2], [1, 1])
    #expect(try model.results([two, two, .floats([3], [1, 2, 3])])[1].numbers == [-2, -8, -18])
  }

  /// In a branch, of what the graph around it computes.
  @Test func gradientsInBranches() throws {
    let inner = Model.Graph(nodes: [gradient(["x"], ["r"], of: "y", xs: ["x"])], outputs: ["r"])
    let own = Model.Graph(
      nodes: [.init("Mul", ["y", "x"], ["cube"]), gradient(["x"], ["q"], of: "cube", xs: ["x"])], outputs: ["q"])
    let model = Model(
      inputs: [.init("x", .f32, [2]), .init("c", .i1, [])],
      nodes: [
        .init("Mul", ["x", "x"], ["y"]),
        .init("If", ["c"], ["d"], [("then_branch", .graph(inner)), ("else_branch", .graph(own))]),
      ], outputs: ["d"])
    let x = Literal.floats([2], [3, 4])
    #expect(try model.results([x, .scalar(.true, .i1)])[0].numbers == [6, 8])
    #expect(try model.results([x, .scalar(.false, .i1)])[0].numbers == [27, 48])
  }

  /// Each bin of a region inside of the image shares one out among the elements that it reads.
  @Test func gradientsOfRegions() throws {
    let attributes: [(String, Model.Attribute)] = [
      ("output_height", .int(2)), ("output_width", .int(3)), ("sampling_ratio", .int(2)),
    ]
    let model = Model(
      inputs: [.init("x", .f32, [1, 1, 5, 5]), .init("r", .f32, [1, 4]), .init("i", .i64, [1])],
      nodes: [.init("RoiAlign", ["x", "r", "i"], ["y"], attributes), gradient(["x"], ["d"], of: "y", xs: ["x"])],
      outputs: ["d"])
    let x = Literal.floats([1, 1, 5, 5], [Double](repeating: 1, count: 25))
    let gradient = try model.results([x, .floats([1, 4], [1, 1, 4, 3]), .integers([0])])[0].numbers
    #expect(abs(gradient.reduce(0, +) - 6) < 1e-5)
    #expect(gradient[20...].allSatisfy { $0 == 0 } && gradient[6] > 0)
  }

  @Test func gradientsOfWhatDoesNotMatter() throws {
    let model = Model(
      inputs: [.init("x", .f32, [2]), .init("z", .f32, [3])],
      nodes: [
        .init("Mul", ["x", "x"], ["y"]), gradient(["x", "z"], ["", "d"], of: "y", xs: ["x", "z"]),
        gradient(["y"], ["e"], of: "y", xs: ["y"]),
      ], outputs: ["d", "e"])
    let results = try model.results([.floats([2], [1, 2]), .floats([3], [1, 2, 3])])
    #expect(results.map(\.numbers) == [[0, 0, 0], [1, 1]])
  }

  @Test func gradientsAreRefused() {
    func refusal(_ node: Model.Node) -> String? {
      let inputs: [Model.Input] = [.init("x", .f32, [2]), .init("i", .i64, [2])]
      return Model(inputs: inputs, nodes: [.init("Mul", ["x", "x"], ["y"]), node], outputs: ["y"]).refusal
    }
    let place = "node 'g' (ai.onnx.preview.training.Gradient): "
    #expect(
      refusal(gradient(["x"], ["d"], of: "no", xs: ["x"]))
        == place + "input 'no' is neither an input of the graph nor the output of an earlier node")
    #expect(
      refusal(gradient(["x"], ["d"], of: "y", xs: ["x", "i"]))
        == place + "it has 1 inputs for the 2 names in 'xs' and 'zs'")
    #expect(
      refusal(gradient(["i"], ["d"], of: "y", xs: ["i"])) == place + "its input 'i', tensor<2xi64>, has no gradient")
    #expect(refusal(gradient(["x"], ["d"], of: "i", xs: ["x"])) == place + "'i', tensor<2xi64>, has no gradient")
    #expect(
      refusal(gradient(["x", "x"], ["d"], of: "y", xs: ["x", "x"]))
        == place + "its attributes 'xs' and 'zs' name one tensor twice")
  }
}
