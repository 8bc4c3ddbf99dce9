import Foundation
import IR
import ImportONNX
import Testing

/// ONNX ops whose results' extents depend on values.
@Suite struct ONNXSelectionTests {
  typealias Model = ONNXTestModel

  /// The model's results for these arguments, by the IR's own meaning.
  private func run(_ model: Model, _ arguments: [Literal]) throws -> [Literal] {
    let module = try ONNXImporter().module(from: model.bytes)
    let function = try #require(module.entry)
    return try function.evaluate(arguments, in: module)
  }

  private static func integers(_ dimensions: [Int], _ values: [Int], _ type: ElementType = .i64) -> Literal {
    Literal(type, dimensions, values.map { .integer(Int64($0)) })
  }

  @Test(arguments: [false, true]) func nonZeroListsPositions(_ isOpen: Bool) throws {
    let shape: [Model.Dimension] = isOpen ? ["a", "b"] : [2, 3]
    let model = Model(
      inputs: [.init("x", .f32, shape)],
      nodes: [
        .init("NonZero", ["x"], ["p"]), .init("Transpose", ["p"], ["t"], [("perm", .ints([1, 0]))]),
        .init("GatherND", ["x", "t"], ["v"]),
      ], outputs: ["p", "v"])
    let full = try run(model, [.floats([2, 3], [0, .nan, -0.0, 2, 0, -3])])
    #expect(full[0] == Self.integers([2, 3], [0, 1, 1, 1, 0, 2]))
    #expect(full[1].numbers[0].isNaN && Array(full[1].numbers.dropFirst()) == [2, -3])
    let none = try run(model, [.floats([2, 3], [0, 0, 0, 0, 0, 0])])
    #expect(none.map(\.dimensions) == [[2, 0], [0]])
    if isOpen { #expect(try run(model, [.floats([0, 3], [])])[0].dimensions == [2, 0]) }
  }

  /// What one op's data decides is an extent for all that follow, shapes of shapes included.
  @Test func sizesAreExtents() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["k", 3]), .init("c", .i1, ["k"])],
      constants: [("row", .integers([1, -1])), ("one", .integers([1]))],
      nodes: [
        .init("Compress", ["x", "c"], ["y"], [("axis", .int(0))]), .init("Shape", ["y"], ["shape"]),
        .init("Reshape", ["y", "row"], ["line"]), .init("Concat", ["y", "x"], ["all"], [("axis", .int(0))]),
        .init("Expand", ["one", "shape"], ["ones"]),
      ], outputs: ["shape", "line", "all", "ones"])
    let x = Literal.floats([4, 3], (0..<12).map(Double.init))
    let chosen = Literal(.i1, [4], [0, 1, 1, 0].map { .integer($0) })
    let results = try run(model, [x, chosen])
    #expect(results[0] == Self.integers([2], [2, 3]))
    #expect(results[1].dimensions == [1, 6] && results[1].numbers == [3, 4, 5, 6, 7, 8])
    #expect(results[2].dimensions == [6, 3] && results[3].dimensions == [2, 3])
  }

  @Test(arguments: [true, false]) func uniqueElements(_ isSorted: Bool) throws {
    let model = Model(
      inputs: [.init("x", .f32, ["k"])],
      nodes: [.init("Unique", ["x"], ["y", "first", "inverse", "count"], [("sorted", .int(isSorted ? 1 : 0))])],
      outputs: ["y", "first", "inverse", "count"])
    let results = try run(model, [.floats([7], [2, 1, .infinity, 1, 3, 2, -.infinity])])
    let expected: ([Double], [[Int]]) =
      isSorted
      ? ([-.infinity, 1, 2, 3, .infinity], [[6, 1, 0, 4, 2], [2, 1, 4, 1, 3, 2, 0], [1, 2, 2, 1, 1]])
      : ([2, 1, .infinity, 3, -.infinity], [[0, 1, 2, 4, 6], [0, 1, 2, 1, 3, 0, 4], [2, 2, 1, 1, 1]])
    #expect(results[0].numbers == expected.0)
    for (result, values) in zip(results.dropFirst(), expected.1) {
      #expect(result == Self.integers([values.count], values))
    }
    let numbers = try run(model, [.floats([4], [.nan, 1, .nan, 1])])
    #expect(numbers[3] == Self.integers([2], isSorted ? [2, 2] : [2, 2]))
    #expect(try run(model, [.floats([0], [])]).map(\.dimensions) == [[0], [0], [0], [0]])
  }

  @Test func complexNumbersHaveNoOrder() throws {
    let model = Model(
      inputs: [.init("x", .complex64, ["k"])], nodes: [.init("Unique", ["x"], ["y"])], outputs: ["y"])
    #expect(throws: ONNXError.self) { try ONNXImporter().module(from: model.bytes) }
  }

  @Test func uniqueColumns() throws {
    let model = Model(
      inputs: [.init("x", .i32, [2, "k"])],
      nodes: [.init("Unique", ["x"], ["y", "first", "inverse"], [("axis", .int(1))])],
      outputs: ["y", "first", "inverse"])
    let results = try run(model, [Self.integers([2, 5], [1, 0, 1, 0, 1, 2, 5, 1, 5, 2], .i32)])
    #expect(results[0] == Self.integers([2, 3], [0, 1, 1, 5, 1, 2], .i32))
    #expect(results[1] == Self.integers([3], [1, 2, 0]))
    #expect(results[2] == Self.integers([5], [2, 0, 1, 0, 2]))
  }

  private func suppression(_ attributes: [(String, Model.Attribute)] = [], most: Int?) -> Model {
    var model = Model(
      inputs: [.init("boxes", .f32, ["B", "N", 4]), .init("scores", .f32, ["B", "C", "N"])],
      constants: [("iou", .floats([], [0.5])), ("least", .floats([], [0.1]))],
      nodes: [
        .init("NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["y"], attributes)
      ], outputs: ["y"])
    if let most {
      model.graph.constants.append(("most", Self.integers([], [most])))
    } else {
      model.graph.inputs.append(.init("most", .i64, []))
    }
    return model
  }

  /// Of three boxes that overlap the best stays, ties go to the first, and what has no score is left out.
  @Test func overlappingBoxesAreSuppressed() throws {
    let boxes = Literal.floats(
      [1, 5, 4], [0, 0, 1, 1, 0, 0.1, 1, 1.1, 1, 0.9, 0, -0.1, 0, 10, 1, 11, 0, 20, 1, 21])
    let scores = Literal.floats([1, 2, 5], [0.9, 0.75, 0.9, 0.95, 0.05, 0.3, 0.2, 0.4, .nan, 0.4])
    let rows = [[0, 0, 3], [0, 0, 0], [0, 1, 2], [0, 1, 4]]
    // With few places the candidates are taken in order, with many the best of each round.
    for most in [0, 1, 2, 9] {
      let kept = rows.filter { row in rows.filter { $0[1] == row[1] }.firstIndex(of: row) ?? 0 < most }
      let expected = Self.integers([kept.count, 3], kept.flatMap { $0 })
      #expect(try run(suppression(most: most), [boxes, scores]) == [expected])
      #expect(try run(suppression(most: nil), [boxes, scores, Self.integers([], [most])]) == [expected])
    }
    let none = try run(suppression(most: 3), [.floats([2, 0, 4], []), .floats([2, 3, 0], [])])
    #expect(none[0].dimensions == [0, 3])
  }

  @Test func ofNothingNothingIsTaken() throws {
    let model = Model(
      inputs: [.init("x", .f32, [0, 3])],
      nodes: [
        .init("NonZero", ["x"], ["p"]), .init("Transpose", ["p"], ["t"], [("perm", .ints([1, 0]))]),
        .init("GatherND", ["x", "t"], ["v"]), .init("Gather", ["x", "rows"], ["y"]),
      ], outputs: ["v", "y"])
    var gathered = model
    gathered.graph.inputs.append(.init("rows", .i64, ["k"]))
    let results = try run(gathered, [.floats([0, 3], []), Self.integers([0], [])])
    #expect(results.map(\.dimensions) == [[0], [0, 3]])
  }

  @Test func boxesMayBeGivenByTheirCentres() throws {
    let boxes = Literal.floats([1, 3, 4], [0.5, 0.5, 1, 1, 0.5, 0.6, 1, 1, 0.5, 5, 1, 1])
    let model = suppression([("center_point_box", .int(1))], most: 3)
    let results = try run(model, [boxes, .floats([1, 1, 3], [0.5, 0.6, 0.7])])
    #expect(results == [Self.integers([2, 3], [0, 0, 2, 0, 0, 1])])
  }
}
