import IR
import ImportONNX
import Testing

/// Casts to what has only an exponent, training that drops nothing, types that files of arrays lack.
@Suite struct ONNXTypeTests {
  typealias Model = ONNXTestModel

  private func exponents(_ rounding: String, saturates: Bool, _ element: ElementType, _ values: [Double]) throws
    -> [Double]
  {
    let attributes: [(String, Model.Attribute)] = [
      ("to", .int(24)), ("round_mode", .string(rounding)), ("saturate", .int(saturates ? 1 : 0)),
    ]
    let model = Model(
      opset: 25, inputs: [.init("x", element, [.fixed(values.count)])],
      nodes: [.init("Cast", ["x"], ["p"], attributes), .init("Cast", ["p"], ["y"], [("to", .int(11))])],
      outputs: ["y"])
    let x = Literal(element, [values.count], values.map { Scalar($0, element) })
    return try model.results([x])[0].numbers
  }

  @Test(arguments: [ElementType.f32, .f64]) func powersOfTwo(_ element: ElementType) throws {
    let values = [1, 1.25, 1.5, 1.75, 6, 0x1.8p-127, 0x1.4p-127, 0x1p-140, 0x1.8p127]
    #expect(
      try exponents("up", saturates: true, element, values)
        == [1, 2, 2, 2, 8, 0x1p-126, 0x1p-126, 0x1p-127, 0x1p127])
    #expect(
      try exponents("down", saturates: true, element, values)
        == [1, 1, 1, 1, 4, 0x1p-127, 0x1p-127, 0x1p-127, 0x1p127])
    let nearest = try exponents("nearest", saturates: false, element, values)
    #expect(nearest.dropLast() == [1, 1, 2, 2, 8, 0x1p-126, 0x1p-127, 0x1p-127])
    #expect(nearest[8].isNaN)
  }

  @Test func whatIsNoPowerOfTwo() throws {
    let special = [0, -0.0, .infinity, .nan, -1]
    let saturated = try exponents("up", saturates: true, .f32, special)
    #expect(saturated[..<3] == [0x1p-127, 0x1p-127, 0x1p127] && saturated[3].isNaN && saturated[4].isNaN)
    #expect(try exponents("up", saturates: false, .f32, special).allSatisfy(\.isNaN))
    #expect(try exponents("up", saturates: true, .i32, [3, 4, 5]) == [4, 4, 8])
  }

  @Test func roundingIsChecked() {
    let model = Model(
      opset: 25, inputs: [.init("x", .f32, [1])],
      nodes: [.init("Cast", ["x"], ["y"], [("to", .int(24)), ("round_mode", .string("odd"))], name: "c")],
      outputs: ["y"])
    #expect(model.refusal == "node 'c' (Cast): attribute 'round_mode' is 'odd'")
  }

  /// Where the ratio is zero, training drops nothing, and it does not matter whether it is training.
  @Test func dropoutWithoutDrops() throws {
    let inputs: [Model.Input] = [.init("x", .f32, [2]), .init("training", .i1, [])]
    let constants: [(String, Literal)] = [
      ("zero", .scalar(.real(0), .f32)), ("half", .scalar(.real(0.5), .f32)), ("true", .scalar(.true, .i1)),
    ]
    func model(_ ratio: String, _ training: String) -> Model {
      Model(
        inputs: inputs, constants: constants,
        nodes: [.init("Dropout", ["x", ratio, training], ["y", "mask"], name: "d")], outputs: ["y", "mask"])
    }
    let results = try model("zero", "training").results([.floats([2], [1, 2]), .scalar(.false, .i1)])
    #expect(results.map(\.numbers) == [[1, 2], [1, 1]])
    #expect(model("half", "true").refusal == "unsupported: Dropout (node 'd'): training mode")
    let old = Model(
      opset: 6, inputs: [.init("x", .f32, [2])],
      nodes: [.init("Dropout", ["x"], ["y"], [("ratio", .float(0))], name: "d")], outputs: ["y"])
    #expect(try old.results([.floats([2], [1, 2])])[0].numbers == [1, 2])
  }

  /// Files of arrays have bf16 as its bits.
  @Test func bitsAreTakenForFloats() throws {
    let model = Model(
      opset: 27, inputs: ["a", "b", "c"].map { .init($0, .bf16, []) }, nodes: [.init("Range", ["a", "b", "c"], ["y"])],
      outputs: ["y"])
    var importer = ONNXImporter()
    for (name, bits) in [("a", 0x3f80), ("b", 0x4080), ("c", 0x3f80)] {
      importer.inputValues[name] = Literal(.ui16, [], [.integer(Int64(bits))])
    }
    let module = try importer.module(from: model.bytes)
    let one = Literal(.bf16, [], [.real(1)])
    #expect(try module.entry?.evaluate([one, one, one], in: module)[0].numbers == [1, 2, 3])
  }
}
