import IR
import Testing

@testable import Driver

/// `--gradient`: results behind those of the graph, and what it refuses.
@Suite struct GradientOptionTests {
  private static let graph = """
    func.func public @main(%x: tensor<3xf32>, %y: tensor<3xf32>, %n: tensor<i32>) -> (tensor<f32>, tensor<3xf32>) {
      %zero = stablehlo.constant dense<0.0> : tensor<f32>
      %p = stablehlo.multiply %x, %y : tensor<3xf32>
      %s = stablehlo.multiply %p, %p : tensor<3xf32>
      %r = stablehlo.reduce(%s init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
      return %r, %p : tensor<f32>, tensor<3xf32>
    }
    """

  @Test func gradientsAreResults() throws {
    let fixture = try Fixture()
    try fixture.write(Self.graph, "square.mlir")
    _ = try fixture.write(Literal(.f32, [3], [1, 2, 3].map { .real($0) }), "x.npy")
    _ = try fixture.write(Literal(.f32, [3], [2, -1, 0.5].map { .real($0) }), "y.npy")
    _ = try fixture.write(Literal(.i32, [], [.integer(7)]), "n.npy")
    let inputs = ["--input", "x=x.npy", "--input", "y=y.npy", "--input", "n=n.npy"]
    for extra in [[], ["--reference"]] {
      let ran = try fixture.tfc(
        ["run", "square.mlir", "--gradient", "y,arg0", "--output-dir", "out"] + inputs + extra)
      #expect(ran.code == 0, "\(ran.error)")
      #expect(try NumpyFile(reading: fixture.path("out/out0.npy")).literal(.f32).reals == [10.25])
      #expect(try NumpyFile(reading: fixture.path("out/grad_x.npy")).literal(.f32).reals == [8, 4, 1.5])
      #expect(try NumpyFile(reading: fixture.path("out/grad_y.npy")).literal(.f32).reals == [4, -8, 9])
    }
  }

  @Test func refusals() throws {
    let fixture = try Fixture()
    try fixture.write(Self.graph, "square.mlir")
    try fixture.write(Fixture.layer, "layer.mlir")
    let cases = [
      ("square.mlir", "z", "square.mlir: error: there is no input 'z'; the model has 'x', 'y', 'n'"),
      ("square.mlir", "x,", "square.mlir: error: there is no input ''; the model has 'x', 'y', 'n'"),
      ("square.mlir", "y,arg1", "square.mlir: error: --gradient names input 'y' twice"),
      ("square.mlir", "n", "square.mlir: error: input 'n' is tensor<i32> and has no gradient"),
      (
        "layer.mlir", "x",
        "layer.mlir: error: --gradient needs a first result that is one float, but 'out0' is tensor<2x4xf32>"
      ),
    ]
    for (file, name, message) in cases {
      let ran = try fixture.tfc(["compile", file, "-o", "a.so", "--gradient", name])
      #expect(ran.code == 2 && ran.error.contains(message), "\(ran.error)")
    }
  }
}
