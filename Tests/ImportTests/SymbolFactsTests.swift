import IR
import Testing

@testable import ImportONNX

/// What models take for granted about symbols that ops need to be equal.
@Suite struct SymbolFactsTests {
  private typealias Model = ONNXTestModel

  /// Symbols that an op needs to be equal become one, so that inputs of other extents are refused when the model runs.
  @Test func symbolsThatMustBeEqualBecomeOne() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n", 2]), .init("y", .f32, ["m", 2]), .init("z", .f32, ["k"])],
      nodes: [
        .init("Add", ["x", "y"], ["a"], name: "sum"), .init("Transpose", ["a"], ["t"]),
        .init("Add", ["t", "z"], ["b"]),
      ], outputs: ["b"])
    var importer = ONNXImporter()
    importer.symbolBounds = ["n": SymbolBounds(lower: 2, upper: 9), "k": SymbolBounds(lower: 1, upper: 7)]
    let module = try importer.module(from: model.bytes)
    let types = module.functions[0].graph.parameterTypes.map(\.detailedDescription)
    #expect(types == ["tensor<[k]x2xf32>", "tensor<[k]x2xf32>", "tensor<[k]xf32>"])
    #expect(module.symbolBounds[Symbol("k")] == SymbolBounds(lower: 2, upper: 7))
  }

  @Test func extentsThatNeverMeetAreRefused() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"]), .init("y", .f32, ["n", "n"])],
      nodes: [
        .init("Flatten", ["y"], ["f"]), .init("Concat", ["x", "x"], ["c"], [("axis", .int(0))]),
        .init("Add", ["c", "x"], ["z"], name: "sum"),
      ],
      outputs: ["z"])
    let line =
      "Add (node 'sum'): whether n and 2*n are equal is not known, where tensor<[2*n]xf32> and tensor<[n]xf32> meet"
    #expect {
      try ONNXImporter().module(from: model.bytes)
    } throws: {
      ($0 as? ONNXError)?.lines == [line]
    }
  }
}
