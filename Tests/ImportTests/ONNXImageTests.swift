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

  // MARK: Regions

  private func aligned(_ attributes: [(String, Model.Attribute)], opset: Int = 16) -> Model {
    Model(
      opset: opset,
      inputs: [
        .init("x", .f32, ["n", 1, "h", "w"]), .init("regions", .f32, ["count", 4]), .init("image", .i64, ["count"]),
      ],
      nodes: [.init("RoiAlign", ["x", "regions", "image"], ["y"], attributes, name: "r")], outputs: ["y"])
  }

  /// Two images, each a slope, so that the mean of samples is the value at the middle of a bin.
  private let slopes = Literal.floats(
    [2, 1, 6, 8], (0..<96).map { (i: Int) -> Double in Double(100 * (i / 48) + 10 * (i / 8 % 6) + i % 8) })

  /// Within a few ulps of a sum of nine samples.
  private func areClose(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= abs($1) * 1e-6 }
  }

  @Test(arguments: [0, 1, 2, 3]) func regionsOfSlopesAreTheirMiddles(_ samples: Int) throws {
    let attributes: [(String, Model.Attribute)] = [
      ("output_height", .int(2)), ("output_width", .int(1)), ("sampling_ratio", .int(samples)),
      ("spatial_scale", .float(0.5)),
    ]
    let regions = Literal.floats([2, 4], [2, 2, 8, 6, 4, 4, 12, 8])
    let images = Literal.integers([1, 0])
    let result = try aligned(attributes).results([slopes, regions, images])[0]
    #expect(result.dimensions == [2, 1, 2, 1])
    // Sides 1, 1, 4, 3 and 2, 2, 6, 4 on the image, and half an element less to its middles.
    #expect(areClose(result.numbers, [112, 122, 23.5, 33.5]))
    let unshifted = try aligned(attributes, opset: 10).results([slopes, regions, images])[0]
    #expect(areClose(unshifted.numbers, [117.5, 127.5, 29, 39]))
  }

  /// What lies outside of the image counts as zero, what has no extent is zero, and regions without bounds end.
  @Test func regionsOutsideOfTheImage() throws {
    let regions = Literal.floats(
      [5, 4], [-20, -20, -10, -10, 3, 3, 3, 3, 3, 3, 1, 1, -1e30, -1e30, 1e30, 1e30, 0, 0, 1e9, 1e9])
    for mode in ["avg", "max"] {
      let model = aligned([("mode", .string(mode))])
      let values = try model.results([slopes, regions, .integers([0, 0, 1, 9, -9])])[0].numbers
      #expect(values.count == 5 && values[..<3] == [0, 0, 0] && values.allSatisfy { $0.isFinite })
    }
  }

  /// The greatest is that of the weighted corners of samples, not of samples.
  @Test func greatestCornersOfRegions() throws {
    let model = aligned([("mode", .string("max")), ("sampling_ratio", .int(1))])
    let values = try model.results([slopes, .floats([1, 4], [1, 1, 3, 3]), .integers([0])])[0].numbers
    // One sample at 1.5, 1.5: four corners of a quarter each, the greatest element 22.
    #expect(values == [5.5])
  }

  @Test(arguments: [
    ("output_height", 0, "it pools to 0 by 1 of 0 by 0 samples"),
    ("sampling_ratio", -1, "it pools to 1 by 1 of -1 by -1 samples"),
    ("output_width", 1 << 62, "it pools to 1 by 4611686018427387904 of 0 by 0 samples"),
  ]) func regionsAreRefused(_ name: String, _ value: Int, _ sentence: String) {
    #expect(aligned([(name, .int(value))]).refusal == "node 'r' (RoiAlign): \(sentence)")
  }
}
