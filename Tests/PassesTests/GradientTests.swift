import Foundation
import IR
import Passes
import RandomGraphs
import Testing

/// The gradients of graphs, against differences of their results in f64, at ties, and what is refused.
@Suite struct GradientTests {
  // MARK: Rules

  private static let rules = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Gradients/rules.mlir")

  /// First and second derivatives of every function of `rules.mlir`.
  @Test func differencesConfirmRules() throws {
    let module = try Module(parsing: try String(contentsOf: Self.rules, encoding: .utf8), fileName: "rules.mlir")
    #expect(module.functions.count > 80)
    for function in module.functions {
      do {
        try checkBothOrders(function.graph, function.name)
      } catch {
        Issue.record("@\(function.name): \(error)")
      }
    }
  }

  private func checkBothOrders(_ graph: Graph, _ name: String) throws {
    let wanted = Array(graph.parameters.indices)
    let first = try graph.vectorJacobianProduct(of: [0], withRespectTo: wanted)
    try first.verify()
    let seeds = first.parameterTypes.enumerated()
    let arguments = seeds.map { numbers($1.fixedDimensions ?? [], seed: $0 + 1) }
    try expectDifferences(first, arguments, weighted: [0], "@\(name)")
    var gradients = first
    gradients.results.removeFirst()
    let second = try gradients.vectorJacobianProduct(of: Array(gradients.results.indices), withRespectTo: wanted)
    try second.verify()
    let more = second.parameterTypes.enumerated().dropFirst(arguments.count)
    let all = arguments + more.map { numbers($1.fixedDimensions ?? [], seed: $0 + 1) }
    try expectDifferences(second, all, weighted: Array(gradients.results.indices), "@\(name), second order")
  }

  /// Compares the graph's last results with central differences of the sum of those `weighted` by the last arguments.
  private func expectDifferences(_ graph: Graph, _ arguments: [Literal], weighted: [Int], _ name: String) throws {
    let weights = arguments.suffix(weighted.count).map { $0.scalars.map(\.realValue) }
    var values = graph
    values.results = weighted.map { graph.results[$0] }
    func total(_ changed: [Literal]) throws -> Double {
      zip(try values.evaluate(changed), weights).reduce(0) { sum, pair in
        sum + zip(pair.0.scalars, pair.1).reduce(0) { $0 + $1.0.realValue * $1.1 }
      }
    }
    let results = try graph.evaluate(arguments)
    for (parameter, gradient) in results.dropFirst(weighted.count).enumerated() {
      #expect(gradient.type == arguments[parameter].type)
      let found = gradient.scalars.map(\.realValue)
      for place in stride(from: 0, to: found.count, by: 5) {
        let step = 1e-5
        let up = try total(moved(arguments, parameter, place, by: step))
        let slope = (up - (try total(moved(arguments, parameter, place, by: -step)))) / (2 * step)
        let isNear = (found[place] - slope).magnitude <= 2e-5 * max(1, slope.magnitude)
        #expect(isNear, "\(name): element \(place) for parameter \(parameter) is \(found[place]), not \(slope)")
      }
    }
  }

  private func moved(_ arguments: [Literal], _ argument: Int, _ place: Int, by step: Double) -> [Literal] {
    var copy = arguments
    var scalars = copy[argument].scalars
    scalars[place] = .real(scalars[place].realValue + step)
    copy[argument] = Literal(.f64, copy[argument].dimensions, scalars)
    return copy
  }

  /// Numbers between 0.2 and 0.9.
  private func numbers(_ shape: [Int], seed: Int) -> Literal {
    var generator = SeededGenerator(seed: UInt64(seed))
    let count = shape.reduce(1, *)
    return Literal(.f64, shape, (0..<count).map { _ in .real(Double.random(in: 0.2..<0.9, using: &generator)) })
  }

  // MARK: Conventions

  /// The gradients of the body's sum at some points, as JAX has them.
  @Test(arguments: [
    ("abs", "%r = stablehlo.abs %x : tensor<4xf64>", [0, 1, -1, -0.0], [1, 1, -1, 1]),
    ("largest of two", "%r = stablehlo.maximum %x, %c : tensor<4xf64>", [1, 0, 2, -1], [0.5, 0, 1, 0]),
    (
      "limits", "%n = stablehlo.negate %c : tensor<4xf64>  %r = stablehlo.clamp %n, %x, %c : tensor<4xf64>",
      [1, 0, 2, -1], [0, 1, 0, 0]
    ),
    ("power", "%r = stablehlo.power %x, %c : tensor<4xf64>", [0, 1, 2, -1], [1, 1, 1, 1]),
    (
      "power of zero",
      "%o = stablehlo.subtract %c, %c : tensor<4xf64>  %i = stablehlo.convert %o : (tensor<4xf64>) -> tensor<4xi32>  %e = stablehlo.convert %i : (tensor<4xi32>) -> tensor<4xf64>  %r = stablehlo.power %x, %e : tensor<4xf64>",
      [0, 1, 2, -1], [0, 0, 0, 0]
    ),
    ("step", "%r = stablehlo.sign %x : tensor<4xf64>", [0, 1, 2, -1], [0, 0, 0, 0]),
    (
      "largest of all",
      "%i = stablehlo.constant dense<0xFFF0000000000000> : tensor<f64>  %m = stablehlo.reduce(%x init: %i) applies stablehlo.maximum across dimensions = [0] : (tensor<4xf64>, tensor<f64>) -> tensor<f64>  %b = stablehlo.broadcast_in_dim %m, dims = [] : (tensor<f64>) -> tensor<4xf64>  %r = stablehlo.divide %b, %f : tensor<4xf64>",
      [2, 1, 2, 0], [0.5, 0, 0.5, 0]
    ),
    ("square root", "%r = stablehlo.sqrt %x : tensor<4xf64>", [0, 1, 4, 0.25], [.infinity, 0.5, 0.25, 1]),
  ])
  func conventions(_ row: (name: String, body: String, point: [Double], gradient: [Double])) throws {
    let graph = try parsed(
      """
      func.func public @main(%x: tensor<4xf64>) -> tensor<f64> {
        %c = stablehlo.constant dense<1.0> : tensor<4xf64>
        %f = stablehlo.constant dense<4.0> : tensor<4xf64>
        \(row.body)
        %z = stablehlo.constant dense<0.0> : tensor<f64>
        %s = stablehlo.reduce(%r init: %z) applies stablehlo.add across dimensions = [0] : (tensor<4xf64>, tensor<f64>) -> tensor<f64>
        return %s : tensor<f64>
      }
      """)
    let results = try graph.gradient(withRespectTo: [0]).evaluate([Literal(.f64, [4], row.point.map { .real($0) })])
    #expect(results[1].scalars.map(\.realValue) == row.gradient, "\(row.name)")
  }

  // MARK: Graphs

  private func parsed(_ text: String) throws -> Graph {
    try Module(parsing: text, fileName: "m.mlir").resolved().functions[0].graph
  }

  /// What nothing flows to has zeros; what is not wanted has no nodes.
  @Test func inactivePartsAreLeftAlone() throws {
    let graph = try parsed(
      """
      func.func public @main(%x: tensor<3xf64>, %y: tensor<2xf64>, %w: tensor<3xf64>) -> (tensor<3xf64>, tensor<2xf64>) {
        %i = stablehlo.convert %w : (tensor<3xf64>) -> tensor<3xi32>
        %p = stablehlo.popcnt %i : tensor<3xi32>
        %f = stablehlo.convert %p : (tensor<3xi32>) -> tensor<3xf64>
        %r = stablehlo.multiply %x, %f : tensor<3xf64>
        %s = stablehlo.sine %y : tensor<2xf64>
        return %r, %s : tensor<3xf64>, tensor<2xf64>
      }
      """)
    let product = try graph.vectorJacobianProduct(of: [0], withRespectTo: [0, 1, 2])
    #expect(product.parameters.count == 4)
    #expect(!product.nodes.contains { $0.op == .pointwise(.cosine) })
    let numbers = [1.0, 2, 3].map { Scalar.real($0) }
    let arguments = [
      Literal(.f64, [3], numbers), Literal(.f64, [2], [.real(1), .real(2)]), Literal(.f64, [3], numbers),
      Literal(.f64, [3], numbers),
    ]
    let results = try product.evaluate(arguments)
    #expect(results[2].scalars.map(\.realValue) == [1, 2, 6])
    #expect(results[3].scalars.map(\.realValue) == [0, 0])
    #expect(results[4].scalars.map(\.realValue) == [0, 0, 0])
  }

  /// Extents stay symbols: of means, products, slices and of a loop over rows.
  @Test func openExtents() throws {
    let graph = try parsed(
      """
      func.func public @main(%x: tensor<?x4xf64>, %w: tensor<4x4xf64>) -> tensor<f64> {
        %zero = stablehlo.constant dense<0.0> : tensor<f64>
        %h = stablehlo.constant dense<0.5> : tensor<4xf64>
        %i = stablehlo.constant dense<0> : tensor<i32>
        %one = stablehlo.constant dense<1> : tensor<i32>
        %n = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?x4xf64>) -> tensor<i32>
        %p = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<?x4xf64>, tensor<4x4xf64>) -> tensor<?x4xf64>
        %t:2 = stablehlo.while(%k = %i, %v = %h) : tensor<i32>, tensor<4xf64>
          cond {
            %c = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %c : tensor<i1>
          } do {
            %l = stablehlo.dynamic_slice %p, %k, %i, sizes = [1, 4] : (tensor<?x4xf64>, tensor<i32>, tensor<i32>) -> tensor<1x4xf64>
            %f = stablehlo.reshape %l : (tensor<1x4xf64>) -> tensor<4xf64>
            %a = stablehlo.add %f, %v : tensor<4xf64>
            %s = stablehlo.tanh %a : tensor<4xf64>
            %m = stablehlo.add %k, %one : tensor<i32>
            stablehlo.return %m, %s : tensor<i32>, tensor<4xf64>
          }
        %r = stablehlo.reduce(%t#1 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<4xf64>, tensor<f64>) -> tensor<f64>
        return %r : tensor<f64>
      }
      """)
    let gradient = try graph.gradient(withRespectTo: [0, 1])
    try gradient.verify()
    #expect(gradient.resultTypes[1] == graph.parameterTypes[0])
    for rows in [0, 1, 3] {
      let arguments = [numbers([rows, 4], seed: 1), numbers([4, 4], seed: 2)]
      let symbols = try Function(name: "main", graph: graph).boundSymbols(for: arguments.map(\.type))
      let context = EvaluationContext(symbols: symbols)
      let found = try gradient.evaluate(arguments, in: context)
      for (position, count) in [(0, rows * 4), (1, 16)] {
        for place in 0..<count {
          let up = try graph.evaluate(moved(arguments, position, place, by: 1e-5), in: context)[0][0].realValue
          let down = try graph.evaluate(moved(arguments, position, place, by: -1e-5), in: context)[0][0].realValue
          #expect((found[1 + position][place].realValue - (up - down) / 2e-5).magnitude < 1e-8)
        }
      }
    }
  }

  /// Graphs of random ops have gradients or are refused by name, and those verify and are evaluated.
  @Test func randomGraphs() throws {
    var differentiated = 0
    for seed in UInt64(0)..<200 {
      let graph = try RandomGraph.make(seed: seed)
      let results = graph.results.indices.filter { graph.resultTypes[$0].elementType.isFloat }
      let parameters = graph.parameters.indices.filter { graph.parameterTypes[$0].elementType.isFloat }
      do throws(OpError) {
        let product = try graph.vectorJacobianProduct(of: results, withRespectTo: parameters)
        try product.verify()
        let values = try product.evaluate(RandomGraph.arguments(for: product, seed: seed))
        let types = graph.resultTypes + parameters.map { graph.parameterTypes[$0] }
        #expect(values.map(\.type) == types, "seed \(seed)")
        differentiated += 1
      } catch {
        #expect(error.kind == .unsupported, "seed \(seed): \(error)")
      }
    }
    #expect(differentiated > 150, "\(differentiated) of 200 graphs have gradients")
  }

  // MARK: Refusals

  @Test func refusals() throws {
    let loop = try parsed(
      """
      func.func public @main(%x: tensor<f64>, %n: tensor<i32>) -> (tensor<f64>, tensor<2xf64>) {
        %i = stablehlo.constant dense<0> : tensor<i32>
        %one = stablehlo.constant dense<1> : tensor<i32>
        %t:2 = stablehlo.while(%k = %i, %v = %x) : tensor<i32>, tensor<f64>
          cond {
            %c = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %c : tensor<i1>
          } do {
            %s = stablehlo.sine %v : tensor<f64>
            %m = stablehlo.add %k, %one : tensor<i32>
            stablehlo.return %m, %s : tensor<i32>, tensor<f64>
          }
        %b = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<f64>) -> tensor<2xf64>
        return %t#1, %b : tensor<f64>, tensor<2xf64>
      }
      """)
    expectRefusal("unsupported: the gradient of stablehlo.while whose number of rounds is not known before it runs") {
      () throws(OpError) in try loop.gradient(withRespectTo: [0])
    }
    expectRefusal("parameter 1, tensor<i32>, has no gradient: its elements are not floats") { () throws(OpError) in
      try loop.gradient(withRespectTo: [1])
    }
    expectRefusal("result 1, tensor<2xf64>, has no gradient: it is not one float") { () throws(OpError) in
      try loop.gradient(of: 1, withRespectTo: [0])
    }
    let neighbours = try parsed(
      """
      func.func public @main(%x: tensor<f64>) -> tensor<f64> {
        %r = chlo.next_after %x, %x : tensor<f64>, tensor<f64> -> tensor<f64>
        return %r : tensor<f64>
      }
      """)
    expectRefusal("unsupported: the gradient of chlo.next_after is not known") { () throws(OpError) in
      try neighbours.gradient(withRespectTo: [0])
    }
  }

  private func expectRefusal(_ sentence: String, _ differentiate: () throws(OpError) -> Graph) {
    do throws(OpError) {
      _ = try differentiate()
      Issue.record("not refused: \(sentence)")
    } catch {
      #expect(error.description.hasPrefix(sentence), "\(error.description)")
    }
  }
}
