import Foundation
import IR
import Testing

@testable import Driver

/// A compiled training step in a loop: the loss falls as it does in JAX.
@Suite struct TrainingTests {
  /// The losses of 20 steps that JAX 0.4 printed for the same start.
  private static let losses: [Double] = [
    1.144242, 1.10693, 1.079547, 1.054265, 1.034719, 1.01825, 1.004092, 0.991838, 0.9813922, 0.971824, 0.9638515,
    0.9569151, 0.95078, 0.9448358, 0.9403446, 0.9358534, 0.9316177, 0.9287397, 0.9256708, 0.9224131,
  ]

  /// Multiples of 1/16 from -11/16 to 11/16.
  private static func ramp(_ dimensions: Int...) -> Literal {
    let count = dimensions.reduce(1, *)
    return Literal(.f32, dimensions, (0..<count).map { Scalar.real(Double($0 * 7 % 23 - 11) / 16) })
  }

  @Test func lossFallsAsInJAX() throws {
    let fixture = try Fixture()
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    try Pipeline(Options()).compile(tests.appending(path: "Graphs/sgd_step.mlir").path, to: fixture.path("libstep.so"))
    let artifact = try Artifact(fixture.path("libstep.so"))
    let labels = Literal(.i32, [11], (0..<11).map { Scalar.integer(Int64($0 % 3)) })
    var inputs = [Self.ramp(5, 7), Self.ramp(7), Self.ramp(7, 3), Self.ramp(3), Self.ramp(11, 5), labels]
    var losses: [Double] = []
    for _ in Self.losses.indices {
      let (_, dimensions) = try artifact.solve(inputs)
      let buffers = try CallBuffers(artifact, inputs: inputs, outputDimensions: dimensions)
      try artifact.run(buffers)
      let results = buffers.results
      inputs.replaceSubrange(0..<4, with: results[0..<4])
      losses.append(results[4][0].realValue)
    }
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 })
    for (found, expected) in zip(losses, Self.losses) {
      #expect((found - expected).magnitude <= 2e-6 * expected)
    }
  }
}
