import Driver
import Foundation
import IR
import ImportStableHLO
import TFC
import Testing

/// Functions that leave the program: as StableHLO, as a library.
struct TracedFunctionTests {
  private static let weight: Tensor<Float> = [[0.5, -1], [2, 0.25], [-0.5, 1]]

  private static let function = TracedFunction(
    "layer", TensorSpec<Float>("x", ["batch", 3]), TensorSpec<Int32>("shift", [])
  ) { x, shift in
    relu(matmul(x, weight) + Tensor<Float>(shift))
  }

  private let inputs = (
    x: [1, 2, 3, -1, 0.5, 0, 4, -2, 1] as [Float], expected: [4, 3.5, 1.5, 2.125, 0, 0] as [Float]
  )

  @Test func textIsReadAsTheSameFunction() throws {
    let module = try Module(parsing: Self.function.stableHLO)
    let function = try #require(module.entry)
    #expect(function.name == "layer")
    #expect(function.parameterNames == ["x", "shift"])
    let x = Literal(.f32, [3, 3], inputs.x.map { Scalar.real(Double($0)) })
    let results = try function.evaluate([x, .scalar(.integer(1), .i32)], in: module)
    #expect(results[0].scalars.map { Float($0.realValue) } == inputs.expected)
    #expect(results[0].dimensions == [3, 2])
  }

  @Test func librariesTakeEveryBatch() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let library = folder.appending(path: "liblayer.so").path
    try Self.function.compile(to: library)
    let header = try String(contentsOfFile: folder.appending(path: "liblayer.h").path, encoding: .utf8)
    #expect(header.contains("batch"))
    for batch in [1, 3, 0] {
      let x = Tensor<Float>(indicesOf: [TensorDimension(batch), 3], along: 1)
      try x.write(numpyFile: folder.appending(path: "x.npy").path)
      try Tensor<Int32>(1).write(numpyFile: folder.appending(path: "shift.npy").path)
      let execution = Driver.Execution(Options())
      try execution.run(
        library, inputs: [.init("x=\(folder.path)/x.npy"), .init("shift=\(folder.path)/shift.npy")].compactMap { $0 },
        outputFolder: folder.path)
      let result = try Tensor<Float>(numpyFile: folder.appending(path: "out0.npy").path)
      #expect(result.shape == [batch, 2])
      let expected = relu(matmul(x, Self.weight) + 1).scalars
      for (a, b) in zip(result.scalars, expected) { #expect(abs(a - b) < 1e-6) }
    }
  }

  @Test func aPlaceThatIsNoneIsRefused() {
    #expect(throws: GraphError.self) { try Self.function.compile(to: "/nowhere/liblayer.so") }
  }
}
