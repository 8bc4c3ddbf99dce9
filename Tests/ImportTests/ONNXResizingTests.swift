import IR
import Testing

/// Images of open extents, and matrices of many rows.
@Suite struct ONNXResizingTests {
  typealias Model = ONNXTestModel

  private func resized(_ shape: [Model.Dimension], _ size: [Int], _ attributes: [(String, Model.Attribute)]) -> Model {
    let sizes = Literal(.i64, [4], ([1, 2] + size).map { .integer(Int64($0)) })
    return Model(
      opset: 19, inputs: [.init("x", .f32, shape)], constants: [("sizes", sizes)],
      nodes: [.init("Resize", ["x", "", "", "sizes"], ["y"], attributes)], outputs: ["y"])
  }

  /// Open extents give what fixed ones do.
  @Test(
    arguments: [
      ("linear", "half_pixel", "floor"), ("linear", "pytorch_half_pixel", "floor"),
      ("linear", "align_corners", "floor"),
      ("cubic", "half_pixel", "floor"), ("cubic", "asymmetric", "floor"), ("nearest", "asymmetric", "floor"),
      ("nearest", "half_pixel", "round_prefer_floor"), ("nearest", "align_corners", "round_prefer_ceil"),
      ("nearest", "half_pixel", "ceil"),
    ]) func openExtentsAreResized(mode: String, coordinates: String, rounding: String) throws
  {
    let attributes: [(String, Model.Attribute)] = [
      ("mode", .string(mode)), ("coordinate_transformation_mode", .string(coordinates)),
      ("nearest_mode", .string(rounding)), ("exclude_outside", .int(mode == "cubic" ? 1 : 0)),
    ]
    for (rows, columns) in [(5, 7), (2, 3), (1, 9)] {
      let x = Literal.floats([1, 2, rows, columns], (0..<2 * rows * columns).map { Double($0 * $0 % 13) })
      for size in [[7, 4], [1, 1]] {
        let fixed = try resized([1, 2, .fixed(rows), .fixed(columns)], size, attributes)
          .results([x])[0]
        let open = try resized([1, 2, "h", "w"], size, attributes).results([x])[0]
        #expect(open.dimensions == fixed.dimensions)
        for (a, b) in zip(open.numbers, fixed.numbers) { #expect(abs(a - b) < 1e-4, "\(rows) x \(columns) to \(size)") }
      }
    }
  }

  @Test func determinantsOfManyRows() throws {
    let count = 34
    let model = Model(
      inputs: [.init("x", .f32, ["n", .fixed(count), .fixed(count)])],
      nodes: [.init("Det", ["x"], ["y"])], outputs: ["y"])
    // A permutation that exchanges the first two, with 2 and 3 on its way.
    var values = [Double](repeating: 0, count: count * count)
    for row in 0..<count { values[row * count + (row < 2 ? 1 - row : row)] = row < 2 ? Double(row + 2) : 1 }
    #expect(try model.results([.floats([1, count, count], values)])[0].numbers == [-6])
  }
}
