import Foundation
import IR
import Testing

@testable import Driver

/// SavedModels on their way from the folder to a library that runs.
@Suite struct TensorFlowTests {
  private static let model = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "TensorFlow/keras").path

  private func numbers(_ path: String) throws -> [Double] {
    try NumpyFile(reading: path).literal(.f32).scalars.map(\.realValue)
  }

  private func inputs(_ folder: String) -> [String] {
    ["--input", "image=\(folder)/image.npy", "--input", "words=\(folder)/words.npy"]
  }

  @Test func savedModelsBecomeLibraries() throws {
    let fixture = try Fixture()
    let compiled = try fixture.tfc("compile", Self.model, "-o", "libkeras.so", "--function", "serving_default")
    #expect(compiled.code == 0, "\(compiled.error)")
    let expected = try numbers("\(Self.model)/output_0.npy")
    for model in ["libkeras.so", Self.model] {
      let ran = try fixture.tfc(["run", model, "--output-dir", "out"] + inputs(Self.model))
      #expect(ran.code == 0, "\(ran.error)")
      let found = try numbers(fixture.path("out/output_0.npy"))
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 2e-6 }, "\(found) \(expected)")
      try FileManager.default.removeItem(atPath: fixture.path("out"))
    }
    let header = try String(contentsOfFile: fixture.path("libkeras.h"), encoding: .utf8)
    #expect(header.contains("image") && header.contains("words"))
  }

  /// Both inputs have one batch, which the library checks.
  @Test func batchesThatDifferAreRefused() throws {
    let fixture = try Fixture()
    _ = try fixture.write(Literal(.i32, [2, 5], splat: .integer(1)), "words.npy")
    let ran = try fixture.tfc([
      "run", Self.model, "--output-dir", "out", "--input", "image=\(Self.model)/image.npy", "--input",
      "words=\(fixture.path("words.npy"))",
    ])
    #expect(ran.code == 2)
    #expect(ran.error.contains("input 1 'words': extent 0 is 2, expected image_dim_0 = 3"), "\(ran.error)")
  }

  @Test func dimensionsAreFixed() throws {
    let fixture = try Fixture()
    let fixed = try fixture.tfc("inspect", Self.model, "--dim", "image_dim_0=3")
    #expect(fixed.code == 0 && fixed.output.contains("tensor<3x7x6x3xf32>"), "\(fixed.error)\(fixed.output)")
    let unknown = try fixture.tfc("inspect", Self.model, "--dim", "batch=3")
    #expect(unknown.code == 2)
    #expect(unknown.error.contains("no dimension 'batch'; it has image_dim_0, words_dim_0"), "\(unknown.error)")
  }

  @Test func whatIsWrongIsSaid() throws {
    let fixture = try Fixture()
    let signature = try fixture.tfc("compile", Self.model, "-o", "a.so", "--function", "train")
    #expect(signature.code == 2)
    #expect(signature.error.contains("no signature 'train'; it has serving_default"), "\(signature.error)")
    try fixture.write("no graph", "model.pb")
    let graph = try fixture.tfc("compile", "model.pb", "-o", "a.so")
    #expect(graph.code == 2)
    #expect(graph.error.hasPrefix("model.pb: error: the file is not a GraphDef"), "\(graph.error)")
    #expect(!FileManager.default.fileExists(atPath: fixture.path("a.so")))
  }
}
