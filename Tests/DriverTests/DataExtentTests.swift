import Foundation
import IR
import Passes
import RandomGraphs
import Testing

@testable import Driver

/// Libraries whose extents data decides while they run.
@Suite struct DataExtentTests {
  private static let targets = OpenCLLibraryTests.hasDevice ? ["cpu", "opencl"] : ["cpu"]

  private static func integer(_ value: Int, _ type: ElementType = .i32) -> Literal {
    Literal(type, [], splat: .integer(Int64(value)))
  }

  private static func floats(_ dimensions: [Int]) -> Literal {
    Literal(.f32, dimensions, (0..<dimensions.reduce(1, *)).map { .real(Double(($0 * 7) % 11) - 4) })
  }

  /// Fused and not, the library's results are what the graph means.
  func check(_ text: String, _ target: String, _ calls: [[Literal]], _ comment: Comment? = nil) throws {
    let module = try Module(parsing: text)
    let function = try #require(module.entry)
    for fuses in [true, false] {
      var options = Options()
      options.verifies = true
      options.fuses = fuses
      options.target = target == "cpu" ? .cpu : .opencl
      let resolved = try module.resolved()
      let compiled = try CompiledFunction(try #require(resolved.entry), in: resolved, options)
      for inputs in calls {
        let (results, expected) = (try compiled(inputs), try function.evaluate(inputs, in: module))
        #expect(results.map(\.dimensions) == expected.map(\.dimensions), comment)
        #expect(results.map { Array($0.scalars) } == expected.map { Array($0.scalars) }, comment)
      }
    }
  }

  /// Rows that data keeps, added, summed, multiplied, sorted and put together with others.
  private static let rows = """
    func.func @main(%x: tensor<ROWSx3xf32>, %n: tensor<i32>) -> (tensor<?x3xf32>, tensor<?xf32>, tensor<3xf32>,
        tensor<?x?xf32>, tensor<?x3xf32>, tensor<?xi32>) {
      %zero = stablehlo.constant dense<0.0> : tensor<f32>
      %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<ROWSx3xf32>, tensor<i32>) -> tensor<?x3xf32>
      %sum = stablehlo.add %y, %y : tensor<?x3xf32>
      %r = stablehlo.reduce(%sum init: %zero) applies stablehlo.add across dimensions = [1]
        : (tensor<?x3xf32>, tensor<f32>) -> tensor<?xf32>
      %c = stablehlo.reduce(%sum init: %zero) applies stablehlo.add across dimensions = [0]
        : (tensor<?x3xf32>, tensor<f32>) -> tensor<3xf32>
      %t = stablehlo.dot_general %y, %y, contracting_dims = [1] x [1]
        : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x?xf32>
      %all = stablehlo.concatenate %y, %x, dim = 0 : (tensor<?x3xf32>, tensor<ROWSx3xf32>) -> tensor<?x3xf32>
      %count = stablehlo.get_dimension_size %y, dim = 0 : (tensor<?x3xf32>) -> tensor<i32>
      %one = stablehlo.reshape %count : (tensor<i32>) -> tensor<1xi32>
      %i = stablehlo.dynamic_iota %one, dim = 0 : (tensor<1xi32>) -> tensor<?xi32>
      return %sum, %r, %c, %t, %all, %i
        : tensor<?x3xf32>, tensor<?xf32>, tensor<3xf32>, tensor<?x?xf32>, tensor<?x3xf32>, tensor<?xi32>
    }
    """

  @Test(arguments: targets, ["6", "?"]) func rowsThatDataKeeps(_ target: String, _ rows: String) throws {
    let text = Self.rows.replacing("ROWS", with: rows)
    let extents = rows == "?" ? [0, 1, 5] : [6]
    let calls = extents.flatMap { extent in
      [0, 1, 4, extent].filter { $0 <= extent }.map { [Self.floats([extent, 3]), Self.integer($0)] }
    }
    try check(text, target, calls)
  }

  @Test(arguments: targets) func anyDimensionAndAnyInteger(_ target: String) throws {
    for (dimension, type) in [(0, "ui8"), (1, "i64"), (2, "i16"), (1, "ui32")] {
      let shapes = ["?x3x4", "2x?x4", "2x3x?"]
      let operands = "(tensor<2x3x4xf32>, tensor<\(type)>)"
      let text = """
        func.func @main(%x: tensor<2x3x4xf32>, %n: tensor<\(type)>) -> tensor<\(shapes[dimension])xf32> {
          %two = stablehlo.add %x, %x : tensor<2x3x4xf32>
          %y = stablehlo.set_dimension_size %two, %n, dim = \(dimension) : \(operands) -> tensor<\(shapes[dimension])xf32>
          %z = stablehlo.abs %y : tensor<\(shapes[dimension])xf32>
          return %z : tensor<\(shapes[dimension])xf32>
        }
        """
      let element = try #require(ElementType(rawValue: type))
      try check(
        text, target, (0...dimension + 2).map { [Self.floats([2, 3, 4]), Self.integer($0, element)] }, "\(type)")
    }
  }

  /// A size that no result needs, before and behind one that is needed.
  @Test(arguments: targets, ["%a", "%b"]) func sizesThatNothingNeeds(_ target: String, _ result: String) throws {
    let text = """
      func.func @main(%x: tensor<8xf32>, %n: tensor<i32>, %m: tensor<i32>) -> tensor<?xf32> {
        %a = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %b = stablehlo.set_dimension_size %x, %m, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %both = stablehlo.concatenate %a, %b, dim = 0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
        return \(result) : tensor<?xf32>
      }
      """
    try check(text, target, [(0, 8), (3, 5), (8, 0)].map { [Self.floats([8]), Self.integer($0), Self.integer($1)] })
  }

  /// Two sizes that must be one, and a size of what has a size.
  @Test(arguments: targets) func sizesOfSizes(_ target: String) throws {
    let text = """
      func.func @main(%x: tensor<8xf32>, %n: tensor<i32>, %m: tensor<i32>, %k: tensor<i32>) -> (tensor<?xf32>, tensor<?xf32>) {
        %a = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %r = stablehlo.reverse %x, dims = [0] : tensor<8xf32>
        %b = stablehlo.set_dimension_size %r, %m, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %sum = stablehlo.add %a, %b : tensor<?xf32>
        %c = stablehlo.set_dimension_size %sum, %k, dim = 0 : (tensor<?xf32>, tensor<i32>) -> tensor<?xf32>
        %d = stablehlo.multiply %c, %c : tensor<?xf32>
        return %sum, %d : tensor<?xf32>, tensor<?xf32>
      }
      """
    let sizes = [(8, 8, 8), (5, 5, 2), (3, 3, 0), (0, 0, 0)]
    try check(text, target, sizes.map { [Self.floats([8])] + [$0.0, $0.1, $0.2].map { Self.integer($0) } })
    let module = try Module(parsing: text).resolved()
    let compiled = try CompiledFunction(try #require(module.entry), in: module, Options())
    for (n, m, k) in [(5, 4, 1), (5, 5, 6), (9, 9, 1), (-1, -1, 0)] {
      do {
        _ = try compiled([Self.floats([8])] + [n, m, k].map { Self.integer($0) })
        Issue.record("sizes \(n), \(m), \(k) are accepted")
      } catch {
        #expect(error.exitCode == 3)
        #expect(error.summary.contains("a size that the data decides must be"), "\(error.summary)")
      }
    }
  }

  /// What a graph computes of rows does not depend on whether an argument or data says how many there are.
  @Test(arguments: 1...8) func rowsOfRandomGraphs(_ seed: UInt64) throws {
    let capacity = 9
    let graph = try RandomGraph.makeSymbolic(seed: seed, symbol: "n")
    let rows = SetDimensionSize(dimension: 0, extent: .symbol("n")).op
    var chosen = Graph()
    let size = chosen.addParameter(.scalar(.i32))
    var values: [ValueID] = []
    for node in graph.nodes {
      if node.op.isParameter {
        let type = TensorType(node.type.elementType, [Extent(capacity)] + node.type.dimensions.dropFirst())
        values.append(try chosen.append(rows, [chosen.addParameter(type), size]))
      } else {
        var node = node
        node.operands = node.operands.map { values[$0.index] }
        values.append(chosen.appendUnchecked(node))
      }
    }
    chosen.results = graph.results.map { values[$0.index] }
    try chosen.verify()
    let byArgument = try CompiledFunction(Function(name: "main", graph: graph), in: Module(), Options())
    let byData = try CompiledFunction(Function(name: "main", graph: chosen), in: Module(), Options())
    let whole = RandomGraph.arguments(for: RandomGraph.fixing("n", to: capacity, in: graph), seed: seed, isWide: true)
    for count in [0, 1, 4, capacity] {
      let size = Self.integer(count)
      var first: [Literal] = []
      for x in whole {
        first += try rows.definition.evaluate(
          [x, size], results: try rows.inferTypes([x.type, size.type]), in: EvaluationContext())
      }
      let (a, b) = (try byArgument(first), try byData([size] + whole))
      #expect(a.map(\.dimensions) == b.map(\.dimensions))
      #expect(a.map(\.expanded.bytes) == b.map(\.expanded.bytes), "\(count) rows")
    }
  }

  /// A row of those that data has chosen is there, or the run ends.
  @Test func nothingIsReadBehindTheSize() throws {
    let text = """
      func.func @main(%x: tensor<8xf32>, %n: tensor<i32>, %m: tensor<i32>) -> tensor<?xf32> {
        %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %p = stablehlo.iota dim = 0 : tensor<8xi32>
        %i = stablehlo.set_dimension_size %p, %m, dim = 0 : (tensor<8xi32>, tensor<i32>) -> tensor<?xi32>
        %r = "stablehlo.gather"(%y, %i) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0],
          start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1>}>
          : (tensor<?xf32>, tensor<?xi32>) -> tensor<?xf32>
        return %r : tensor<?xf32>
      }
      """
    let calls = [(3, 2), (1, 1), (0, 0), (8, 0)]
    try check(text, "cpu", calls.map { [Self.floats([8]), Self.integer($0.0), Self.integer($0.1)] })
    let module = try Module(parsing: text).resolved()
    let compiled = try CompiledFunction(try #require(module.entry), in: module, Options())
    do {
      _ = try compiled([Self.floats([8]), Self.integer(0), Self.integer(1)])
      Issue.record("a row of none is read")
    } catch {
      #expect(error.summary.contains("must be at most"), "\(error.summary)")
    }
  }

  /// What an op needs of a size is checked when it is known.
  @Test func needsOfOtherOpsAreChecked() throws {
    let text = """
      func.func @main(%x: tensor<8xf32>, %n: tensor<i32>) -> tensor<2xf32> {
        %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
        %z = stablehlo.slice %y [3:5] : (tensor<?xf32>) -> tensor<2xf32>
        return %z : tensor<2xf32>
      }
      """
    try check(text, "cpu", [5, 8].map { [Self.floats([8]), Self.integer($0)] })
    let module = try Module(parsing: text).resolved()
    let compiled = try CompiledFunction(try #require(module.entry), in: module, Options())
    #expect(throws: Failure.self) { try compiled([Self.floats([8]), Self.integer(4)]) }
  }

  @Test func whatHasNoBoundIsRefused() throws {
    let fixture = try Fixture()
    let loop = """
      func.func @main(%x: tensor<8xf32>, %n: tensor<i32>) -> tensor<f32> {
        %zero = stablehlo.constant dense<0.0> : tensor<f32>
        %0:2 = stablehlo.while(%i = %n, %s = %zero) : tensor<i32>, tensor<f32>
        cond {
          %c = stablehlo.constant dense<0> : tensor<i32>
          %p = stablehlo.compare GT, %i, %c : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %f = stablehlo.constant dense<0.0> : tensor<f32>
          %next = stablehlo.subtract %i, %one : tensor<i32>
          %y = stablehlo.set_dimension_size %x, %i, dim = 0 : (tensor<8xf32>, tensor<i32>) -> tensor<?xf32>
          %r = stablehlo.reduce(%y init: %f) applies stablehlo.add across dimensions = [0]
            : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
          stablehlo.return %next, %r : tensor<i32>, tensor<f32>
        }
        return %0#1 : tensor<f32>
      }
      """
    let outcome = try fixture.tfc("compile", try fixture.write(loop, "loop.mlir"), "-o", "libloop.so")
    #expect(outcome.code == 2)
    #expect(outcome.error.contains("stablehlo.set_dimension_size inside of stablehlo.while"), "\(outcome.error)")
    #expect(fixture.files == ["loop.mlir"])
  }

  /// A program in C asks how much room there must be, and afterwards how much there is.
  @Test func theHeaderSaysHowToCall() throws {
    let fixture = try Fixture()
    let text = """
      func.func @main(%x: tensor<?x2xf32>, %n: tensor<i32>) -> tensor<?x2xf32> {
        %y = stablehlo.set_dimension_size %x, %n, dim = 0 : (tensor<?x2xf32>, tensor<i32>) -> tensor<?x2xf32>
        %z = stablehlo.negate %y : tensor<?x2xf32>
        return %z : tensor<?x2xf32>
      }
      """
    try Pipeline(Options()).compile(try fixture.write(text, "kept.mlir"), to: fixture.path("libkept.so"))
    let program = """
      #include <stdio.h>
      #include "libkept.h"
      int main(void) {
        kept *model = kept_create(NULL);
        float x[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, y[10] = {0};
        kept_dims dims = {5, -1};
        int64_t extents[2];
        printf("%d\\n", (int)kept_output_extents(0, dims, extents));
        printf("%d %d\\n", (int)extents[0], (int)kept_last_dims(model).MEASURED);
        for (int32_t n = -1; n < 7; n += 2) {
          int status = kept_run(model, dims, x, &n, y);
          kept_dims last = kept_last_dims(model);
          printf("%d %d %d %g\\n", status, (int)last.MEASURED, (int)kept_output_extents(0, last, NULL), y[3]);
        }
        dims.MEASURED = 6;
        printf("%d\\n", (int)kept_output_extents(0, dims, NULL));
        kept_destroy(model);
        return 0;
      }
      """
    let header = try String(contentsOfFile: fixture.path("libkept.h"), encoding: .utf8)
    let field = try #require(header.split(separator: "\n").first { $0.contains("decided by the data") })
    let name = try #require(field.split(separator: " ").dropFirst().first?.dropLast())
    try fixture.write(program.replacing("MEASURED", with: String(name)), "main.c")
    let built = try fixture.run(
      Fixture.compiler, ["-std=c99", "-Wall", "-Werror", "main.c", "-o", "main", "-L.", "-lkept", "-Wl,-rpath,."])
    try #require(built.code == 0, "\(built.error)")
    let run = try fixture.run(fixture.path("main"), [])
    #expect(run.output == "40\n5 -1\n100 -1 -1 0\n0 1 8 0\n0 3 24 -4\n0 5 40 -4\n-1\n")
  }
}
