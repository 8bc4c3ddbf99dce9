import IR
import Passes
import Testing

/// What ops need of extents that only a run knows.
@Suite struct ExtentCheckTests {
  /// The bounds of the symbols and the checks that are left of a function.
  private func resolved(_ text: String) throws -> (bounds: [Symbol: SymbolBounds], sentences: [String]) {
    let module = try Module(parsing: text, fileName: "m.mlir").resolved()
    let graph = try #require(module.entry).graph
    let checks = try graph.extentChecks(bounds: module.symbolBounds)
    return (module.symbolBounds, checks.map(\.sentence))
  }

  private func sentences(_ parameters: String, _ result: String, _ op: String) throws -> [String] {
    let text = "func.func @main(\(parameters)) -> \(result) {\n\(op)\n  return %r : \(result)\n}"
    return try resolved(text).sentences
  }

  @Test func aSymbolAloneIsBounded() throws {
    let slice = "%r = stablehlo.slice %x [2:9:2] : (tensor<?xf32>) -> tensor<4xf32>"
    let text = "func.func @main(%x: tensor<?xf32>) -> tensor<4xf32> {\n\(slice)\nreturn %r : tensor<4xf32>\n}"
    let (bounds, sentences) = try resolved(text)
    #expect(bounds == [Symbol("x_0"): SymbolBounds(lower: 9)])
    #expect(sentences.isEmpty)
  }

  @Test func twoSymbolsAreCompared() throws {
    let vectors = "%x: tensor<?xf32>, %y: tensor<?xf32>, %i: tensor<i32>"
    let update =
      "%r = stablehlo.dynamic_update_slice %x, %y, %i : (tensor<?xf32>, tensor<?xf32>, tensor<i32>) -> tensor<?xf32>"
    #expect(
      try sentences(vectors, "tensor<?xf32>", update) == [
        "y_0 must be at most x_0 (stablehlo.dynamic_update_slice, m.mlir:2:6)"
      ])
    let scatter = """
      %r = "stablehlo.scatter"(%x, %i, %y) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0],
        scatter_dims_to_operand_dims = [0], index_vector_dim = 0>}> ({
      ^bb0(%a: tensor<f32>, %b: tensor<f32>): stablehlo.return %b : tensor<f32>
      }) : (tensor<?xf32>, tensor<1xi32>, tensor<?xf32>) -> tensor<?xf32>
      """
    #expect(
      try sentences("%x: tensor<?xf32>, %y: tensor<?xf32>, %i: tensor<1xi32>", "tensor<?xf32>", scatter) == [
        "y_0 must be at most x_0 (stablehlo.scatter, m.mlir:2:6)"
      ])
  }

  @Test func whereNothingIsComputedNothingIsNeeded() throws {
    let gather = """
      %r = "stablehlo.gather"(%x, %i) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0],
        start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1>}>
        : (tensor<?xf32>, tensor<?xi32>) -> tensor<?xf32>
      """
    #expect(
      try sentences("%x: tensor<?xf32>, %i: tensor<?xi32>", "tensor<?xf32>", gather) == [
        "1 must be at most x_0 unless i_0 is 0 (stablehlo.gather, m.mlir:2:6)"
      ])
  }

  @Test func resultsHaveNoNegativeExtents() throws {
    let pad = """
      %c = stablehlo.constant dense<0.0> : tensor<f32>
      %r = stablehlo.pad %x, %c, low = [-3], high = [-4], interior = [0] : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
      """
    let text = "func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {\n\(pad)\nreturn %r : tensor<?xf32>\n}"
    #expect(try resolved(text).bounds == [Symbol("x_0"): SymbolBounds(lower: 7)])
  }

  /// A loop over the elements reads none of no elements.
  @Test(arguments: ["LT", "NE"])
  func aLoopWithoutRoundsNeedsNothing(direction: String) throws {
    let loop = """
      %zero = stablehlo.constant dense<0> : tensor<i32>
      %one = stablehlo.constant dense<1> : tensor<i32>
      %n = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?xf32>) -> tensor<i32>
      %s = stablehlo.constant dense<0.0> : tensor<1xf32>
      %i, %r, %a, %b = stablehlo.while(%k = %zero, %t = %s, %v = %x, %m = %n)
        : tensor<i32>, tensor<1xf32>, tensor<?xf32>, tensor<i32>
      cond {
        %p = stablehlo.compare \(direction), %k, %m : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %p : tensor<i1>
      } do {
        %e = stablehlo.dynamic_slice %v, %k, sizes = [1] : (tensor<?xf32>, tensor<i32>) -> tensor<1xf32>
        %u = stablehlo.add %t, %e : tensor<1xf32>
        %o = stablehlo.add %k, %one : tensor<i32>
        stablehlo.return %o, %u, %v, %m : tensor<i32>, tensor<1xf32>, tensor<?xf32>, tensor<i32>
      }
      """
    let text = "func.func @main(%x: tensor<?xf32>) -> tensor<1xf32> {\n\(loop)\nreturn %r : tensor<1xf32>\n}"
    let (bounds, sentences) = try resolved(text)
    #expect(sentences.isEmpty, "\(sentences)")
    #expect(bounds[Symbol("x_0")] == (direction == "LT" ? nil : SymbolBounds(lower: 1)))
  }

  @Test func boundsThatNeverSufficeAreRefused() throws {
    let text = """
      func.func @main(%x: tensor<?xf32>) -> tensor<9xf32> {
        %r = stablehlo.slice %x [0:9] : (tensor<?xf32>) -> tensor<9xf32>
        return %r : tensor<9xf32>
      }
      """
    let module = try Module(parsing: text, fileName: "m.mlir")
    let bounds = [Symbol("x_0"): SymbolBounds(upper: 8)]
    let graph = try #require(module.entry).graph
    #expect(throws: OpError.self) { try graph.extentChecks(bounds: bounds) }
  }
}
