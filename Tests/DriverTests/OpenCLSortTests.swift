import IR
import Testing

@testable import Driver

/// Sorts and running folds on an OpenCL device, against `evaluate`; where there is no device, nothing.
@Suite struct OpenCLSortTests {
  private static let hasDevice: Bool = {
    do {
      let fixture = try Fixture()
      try compile(fixture, Fixture.layer)
      _ = try Artifact(fixture.path("libgraph.so"))
      return true
    } catch {
      return !"\(error)".contains("OpenCL")
    }
  }()

  private static func compile(_ fixture: borrowing Fixture, _ text: String) throws {
    var options = Options()
    options.target = .opencl
    options.verifies = true
    try Pipeline(options).compile(try fixture.write(text, "graph.mlir"), to: fixture.path("libgraph.so"))
  }

  /// What the device computes, and what the graph means, for each list of inputs.
  private func check(_ text: String, _ inputs: [[Literal]]) throws {
    let fixture = try Fixture()
    try Self.compile(fixture, text)
    let artifact = try Artifact(fixture.path("libgraph.so"))
    let module = try Module(parsing: text, fileName: "graph.mlir")
    for literals in inputs {
      let buffers = try CallBuffers(
        artifact, inputs: literals, outputDimensions: try artifact.solve(literals).outputs)
      try artifact.run(buffers)
      let expected = try module.functions[0].evaluate(literals, in: module)
      for (result, expected) in zip(buffers.results, expected) {
        #expect(result == expected, "\(literals.map(\.type))")
      }
    }
  }

  /// Few different integers, so that many are equal.
  private func numbers(_ type: ElementType, _ dimensions: [Int]) -> Literal {
    var state: UInt64 = 0x9E37_79B9
    let scalars = (0..<dimensions.reduce(1, *)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = Int64((state >> 40) % (type == .i1 ? 2 : 19))
      return Scalar(Double(type.kind == .signed ? number - 9 : number), type)
    }
    return Literal(type, dimensions, scalars)
  }

  private func type(_ dimensions: [Int?], _ element: String) -> String {
    "tensor<" + dimensions.map { ($0.map(String.init) ?? "?") + "x" }.joined() + element + ">"
  }

  // MARK: Sorts

  /// The argument's elements in descending order of their absolute values, with their negatives.
  private func sort(_ dimensions: [Int?], along dimension: Int) -> String {
    let x = type(dimensions, "i32")
    return """
      func.func @main(%x: \(x)) -> (\(x), \(x)) {
        %y = stablehlo.negate %x : \(x)
        %r:2 = "stablehlo.sort"(%x, %y) ({
          ^bb0(%a: tensor<i32>, %b: tensor<i32>, %c: tensor<i32>, %d: tensor<i32>):
            %e = stablehlo.abs %a : tensor<i32>
            %f = stablehlo.abs %b : tensor<i32>
            %p = stablehlo.compare GT, %e, %f, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %p : tensor<i1>
        }) {dimension = \(dimension) : i64, is_stable = true} : (\(x), \(x)) -> (\(x), \(x))
        return %r#0, %r#1 : \(x), \(x)
      }
      """
  }

  @Test(.enabled(if: hasDevice)) func linesOfEveryLength() throws {
    let lengths = [0, 1, 2, 7, 8, 112, 113, 1792, 1793, 3585, 8000]
    try check(sort([nil], along: 0), lengths.map { [numbers(.i32, [$0])] })
    try check(sort([nil, nil], along: 0), [[3, 2], [130, 5], [2000, 3]].map { [numbers(.i32, $0)] })
    for shape in [[3, 41, 2], [2, 3600, 2], [300, 6], [2, 2]] {
      for dimension in 0..<shape.count { try check(sort(shape, along: dimension), [[numbers(.i32, shape)]]) }
    }
  }

  @Test(.enabled(if: hasDevice)) func theBestFew() throws {
    let (x, values) = (type([2, 9000], "f32"), type([2, 40], "f32"))
    let positions = type([2, 40], "i32")
    let text = """
      func.func @main(%x: \(x)) -> (\(values), \(positions)) {
        %v, %i = chlo.top_k(%x, k = 40) : \(x) -> (\(values), \(positions))
        return %v, %i : \(values), \(positions)
      }
      """
    try check(text, [[numbers(.f32, [2, 9000])]])
  }

  /// No element is lost where the comparator does not order NaN.
  @Test(.enabled(if: hasDevice)) func notANumber() throws {
    let (x, i) = (type([4000], "f32"), type([4000], "i32"))
    let text = """
      func.func @main(%x: \(x)) -> \(i) {
        %i = stablehlo.iota dim = 0 : \(i)
        %r:2 = "stablehlo.sort"(%x, %i) ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>):
            %p = stablehlo.compare LT, %a, %b, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
            stablehlo.return %p : tensor<i1>
        }) {dimension = 0 : i64, is_stable = true} : (\(x), \(i)) -> (\(x), \(i))
        return %r#1 : \(i)
      }
      """
    let fixture = try Fixture()
    try Self.compile(fixture, text)
    let artifact = try Artifact(fixture.path("libgraph.so"))
    let values = (0..<4000).map { Scalar.real($0 % 7 == 3 ? .nan : Double($0 * 37 % 101)) }
    let buffers = try CallBuffers(artifact, inputs: [Literal(.f32, [4000], values)], outputDimensions: [[4000]])
    try artifact.run(buffers)
    #expect(Set(buffers.results[0].scalars.map(\.integerValue)) == Set(0..<4000))
  }

  // MARK: Running folds

  private func scan(_ shape: [Int], along dimension: Int, backward: Bool, _ element: String, _ function: String)
    -> String
  {
    let (x, scalar) = (type(shape, element), "tensor<\(element)>")
    let window = shape.indices.map { $0 == dimension ? "\(shape[$0])" : "1" }.joined(separator: ", ")
    let padding = shape.indices.map { d in
      let edge = d == dimension ? shape[d] - 1 : 0
      return backward ? "[0, \(edge)]" : "[\(edge), 0]"
    }
    return """
      func.func @main(%x: \(x)) -> (\(x), \(x)) {
        %i = stablehlo.constant dense<\(element == "i1" ? "false" : "2")> : \(scalar)
        %r = "stablehlo.reduce_window"(%x, %i) ({
          ^bb0(%a: \(scalar), %b: \(scalar)):
            %c = stablehlo.\(function) %a, %b : \(scalar)
            stablehlo.return %c : \(scalar)
        }) {window_dimensions = array<i64: \(window)>,
            padding = dense<[\(padding.joined(separator: ", "))]> : tensor<\(shape.count)x2xi64>}
          : (\(x), \(scalar)) -> \(x)
        %q = stablehlo.xor %r, %x : \(x)
        return %r, %q : \(x), \(x)
      }
      """
  }

  @Test(.enabled(if: hasDevice)) func runningFolds() throws {
    for (shape, dimension) in [([5, 40], 1), ([3, 2000], 1), ([33, 2000], 1), ([2000, 3], 0), ([4100, 33], 0)] {
      for backward in [false, true] {
        let input = numbers(.i32, shape)
        try check(scan(shape, along: dimension, backward: backward, "i32", "add"), [[input]])
      }
    }
    let shape = [2, 3, 70]
    try check(scan(shape, along: 2, backward: true, "i1", "or"), [[numbers(.i1, shape)]])
    try check(scan(shape, along: 2, backward: false, "ui8", "multiply"), [[numbers(.ui8, shape)]])
    try check(scan(shape, along: 1, backward: false, "i64", "subtract"), [[numbers(.i64, shape)]])
  }
}
