import IR
import Testing

/// Ops that read images between their elements.
@Suite struct ONNXImageTests {
  typealias Model = ONNXTestModel

  private func deformed(
    _ x: Model.Input, offsets: [Model.Dimension], kernel: Literal, _ attributes: [(String, Model.Attribute)] = [],
    mask: [Model.Dimension]? = nil
  ) -> Model {
    Model(
      opset: 19,
      inputs: [x, .init("offset", x.element, offsets)] + (mask.map { [.init("mask", x.element, $0)] } ?? []),
      constants: [("w", kernel)],
      nodes: [
        .init("DeformConv", ["x", "w", "offset"] + (mask == nil ? [] : ["", "mask"]), ["y"], attributes, name: "d")
      ], outputs: ["y"])
  }

  /// A kernel of one element reads where its offset says; outside of the image there are zeros.
  @Test func deformedConvolutionsReadBetweenElements() throws {
    let model = deformed(
      .init("x", .f32, ["n", 1, "h", "w"]), offsets: ["n", 2, "oh", "ow"], kernel: .floats([1, 1, 1, 1], [1]))
    let x = Literal.floats([1, 1, 2, 3], [0, 1, 2, 10, 11, 12])
    // Rows of all places, then columns.
    let offsets = Literal.floats([1, 2, 2, 3], [0.5, 0, -0.5, 0, -1, 5, 0.5, 0.25, 0, -0.5, 0, 0])
    #expect(try model.results([x, offsets])[0].numbers == [5.5, 1.25, 1, 5, 1, 0])
    let far = Literal.floats([1, 2, 2, 3], [.infinity, -.infinity, .nan, 0, 0, 0] + [Double](repeating: 0, count: 6))
    let values = try model.results([x, far])[0].numbers
    #expect(values[0] == 0 && values[1] == 0 && values[2].isNaN && values[3...] == [10, 11, 12])
  }

  /// Without offsets it is the convolution; the mask multiplies what each tap reads.
  @Test func deformedConvolutionsWithoutOffsets() throws {
    let kernel = Literal.floats([4, 2, 2, 3], (0..<48).map { Double($0 % 7) - 3 })
    let attributes: [(String, Model.Attribute)] = [
      ("group", .int(2)), ("strides", .ints([2, 1])), ("dilations", .ints([1, 2])), ("pads", .ints([1, 2, 0, 1])),
    ]
    let x = Literal.floats([2, 4, 5, 6], (0..<240).map { Double($0 % 11) - 5 })
    let plain = Model(
      inputs: [.init("x", .f32, [2, 4, 5, 6])], constants: [("w", kernel)],
      nodes: [.init("Conv", ["x", "w"], ["y"], attributes)], outputs: ["y"])
    let expected = try plain.results([x])[0]
    #expect(expected.dimensions == [2, 4, 3, 5])
    let model = deformed(
      .init("x", .f32, [2, 4, 5, 6]), offsets: [2, 24, 3, 5], kernel: kernel, attributes + [("offset_group", .int(2))],
      mask: [2, 12, 3, 5])
    let offsets = Literal.floats([2, 24, 3, 5], [Double](repeating: 0, count: 720))
    let half = Literal.floats([2, 12, 3, 5], [Double](repeating: 0.5, count: 360))
    let result = try model.results([x, offsets, half])[0]
    #expect(result.dimensions == expected.dimensions)
    #expect(result.numbers == expected.numbers.map { $0 / 2 })
  }

  @Test func deformedConvolutionsOfHalvesAndLines() throws {
    let kernel = Literal(.f16, [1, 1, 2], [.real(1), .real(2)])
    let model = deformed(.init("x", .f16, [1, 1, 3]), offsets: [1, 2, 2], kernel: kernel)
    let x = Literal(.f16, [1, 1, 3], [1, 2, 4].map { Scalar.real($0) })
    // The first tap's offsets of both places, then the second one's.
    let offsets = Literal(.f16, [1, 2, 2], [0.5, 0, 0, -0.5].map { Scalar.real($0) })
    #expect(try model.results([x, offsets])[0].numbers == [1.5 + 4, 2 + 6])
  }

  @Test(arguments: [
    ("group", 3, "a kernel tensor<2x2x1x1xf32> does not fit tensor<1x2x2x2xf32> in 3 groups"),
    ("group", -1, "a kernel tensor<2x2x1x1xf32> does not fit tensor<1x2x2x2xf32> in -1 groups"),
    ("offset_group", 1 << 62, "2 features do not fall into 4611686018427387904 groups of offsets"),
    ("offset_group", 2, "its offset is tensor<1x2x2x2xf32>, with an extent of 2 where 4 is needed"),
  ]) func deformedConvolutionsAreRefused(_ name: String, _ value: Int, _ sentence: String) {
    let model = deformed(
      .init("x", .f32, [1, 2, 2, 2]), offsets: [1, 2, 2, 2], kernel: .floats([2, 2, 1, 1], [1, 2, 3, 4]),
      [(name, .int(value))])
    #expect(model.refusal == "node 'd' (DeformConv): \(sentence)")
  }
}
