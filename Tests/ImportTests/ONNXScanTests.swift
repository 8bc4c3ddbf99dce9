import IR
import Testing

/// `Scan` as opset 8 has it, with a batch.
@Suite struct ONNXScanTests {
  typealias Model = ONNXTestModel

  private func scan(_ inputs: [String], _ attributes: [(String, Model.Attribute)] = []) -> Model {
    let body = Model.Graph(
      inputs: [.init("state", .f32, []), .init("element", .f32, [])],
      nodes: [.init("Add", ["state", "element"], ["next"]), .init("Neg", ["next"], ["out"])], outputs: ["next", "out"])
    return Model(
      opset: 8, inputs: [.init("n", .i64, ["b"]), .init("s", .f32, ["b"]), .init("x", .f32, ["b", "t"])],
      nodes: [
        .init(
          "Scan", inputs, ["last", "outs"], [("num_scan_inputs", .int(1)), ("body", .graph(body))] + attributes,
          name: "scan")
      ], outputs: ["last", "outs"])
  }

  private let arguments: [Literal] = [
    .integers([2, 3]), .floats([2], [10, 0]), .floats([2, 3], [1, 2, 3, 4, 5, 6]),
  ]

  @Test func batchesAreScanned() throws {
    let results = try scan(["", "s", "x"]).results(arguments)
    #expect(results[0].numbers == [16, 15])
    #expect(results[1].dimensions == [2, 3] && results[1].numbers == [-11, -13, -16, -4, -9, -15])
  }

  /// Backwards from the end of each line, behind which there are zeros.
  @Test func batchesOfLengthsAreScanned() throws {
    let results = try scan(["n", "s", "x"], [("directions", .ints([1]))]).results(arguments)
    #expect(results[0].numbers == [13, 15])
    #expect(results[1].numbers.map(abs) == [12, 13, 0, 6, 11, 15])
  }

  @Test func batchesAreRefused() {
    #expect(
      scan(["", "s", "x"], [("directions", .ints([1, 0]))]).refusal
        == "node 'scan' (Scan): its 2 directions or its inputs do not fit 1 scan inputs")
    #expect(scan(["s", "n", "x"]).refusal != nil)
    #expect(scan(["", "x"]).refusal == "node 'scan' (Scan): its body has 2 inputs for 1")
  }
}
