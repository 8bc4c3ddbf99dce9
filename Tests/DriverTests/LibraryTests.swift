import Foundation
import IR
import Synchronization
import Testing

@testable import Driver

/// Libraries as their users call them: through the table, from C, Swift and Python.
@Suite struct LibraryTests {
  private func compile(_ fixture: borrowing Fixture, _ text: String, to name: String, _ options: Options = Options())
    throws
  {
    let graph = try fixture.write(text, "graph.mlir")
    try Pipeline(options).compile(graph, to: fixture.path(name))
  }

  private func run(_ library: String, _ inputs: [Literal]) throws -> [Literal] {
    let artifact = try Artifact(library)
    let (_, dimensions) = try artifact.solve(inputs)
    let buffers = try CallBuffers(artifact, inputs: inputs, outputDimensions: dimensions)
    try artifact.run(buffers)
    return buffers.results
  }

  @Test func theLibraryComputesWhatTheGraphMeans() throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so")
    #expect(fixture.files == ["graph.mlir", "liblayer.h", "liblayer.so"])
    #expect(try run(fixture.path("liblayer.so"), [Fixture.layerInput])[0].reals == Fixture.layerOutput)
    let module = try Module(parsing: Fixture.layer)
    let function = try #require(module.entry)
    #expect(try function.evaluate([Fixture.layerInput], in: module)[0].reals == Fixture.layerOutput)
  }

  @Test(arguments: ["lib\u{e9} \u{4e2d}.so", "liba\"b.so", "liba\\b.so", "liba,b.so", "lib-'$x'??!.so"])
  func filesMayHaveAnyNames(_ name: String) throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: name)
    let header = name.replacing(".so", with: ".h")
    #expect(Set(fixture.files) == ["graph.mlir", header, name])
    #expect(try run(fixture.path(name), [Fixture.layerInput])[0].reals == Fixture.layerOutput)
    let built = try fixture.run(
      Fixture.compiler,
      ["-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", header])
    #expect(built.code == 0, "\(built.error)")
  }

  @Test func theUnfusedLibraryComputesTheSame() throws {
    let fixture = try Fixture()
    var options = Options()
    options.fuses = false
    options.profiles = true
    options.verifies = true
    try compile(fixture, Fixture.layer, to: "liblayer.so", options)
    let artifact = try Artifact(fixture.path("liblayer.so"))
    let (_, dimensions) = try artifact.solve([Fixture.layerInput])
    let buffers = try CallBuffers(artifact, inputs: [Fixture.layerInput], outputDimensions: dimensions)
    try artifact.run(buffers)
    try artifact.run(buffers)
    #expect(buffers.results[0].reals == Fixture.layerOutput)
    #expect(artifact.launchCounts.count > 1)
    #expect(artifact.launchCounts.allSatisfy { $0 == 2 })
    #expect(artifact.build.hasSuffix("precision=f32 fusion=off profile=on"))
  }

  @Test func oneLibraryServesEveryExtent() throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.dynamic, to: "libdynamic.so")
    for rows in [0, 1, 7] {
      let x = Literal(.f32, [rows, 3], (0..<rows * 3).map { .real(Double($0)) })
      let result = try run(fixture.path("libdynamic.so"), [x, x])[0]
      #expect(result.dimensions == [rows, 3])
      #expect(result.reals == x.reals.map { $0 * 2 })
    }
    let wrong = Literal(.f32, [2, 4], splat: .real(0))
    #expect(throws: Failure.self) { try run(fixture.path("libdynamic.so"), [wrong, wrong]) }
  }

  @Test func weightsMayLieBesideTheLibrary() throws {
    let fixture = try Fixture()
    var options = Options()
    options.weightsFile = "layer.weights"
    try compile(fixture, Fixture.layer, to: "liblayer.so", options)
    #expect(fixture.files == ["graph.mlir", "layer.weights", "liblayer.h", "liblayer.so"])
    #expect(try run(fixture.path("liblayer.so"), [Fixture.layerInput])[0].reals == Fixture.layerOutput)
    let weights = fixture.path("layer.weights")
    var bytes = [UInt8](try Files.read(weights))
    bytes[bytes.count - 1] ^= 1
    try Files.write(bytes, to: weights)
    #expect(throws: Failure.self) { try run(fixture.path("liblayer.so"), [Fixture.layerInput]) }
    try Files.write(Array(bytes.dropLast(8)), to: weights)
    #expect(throws: Failure.self) { try run(fixture.path("liblayer.so"), [Fixture.layerInput]) }
    try FileManager.default.removeItem(atPath: weights)
    #expect(throws: Failure.self) { try run(fixture.path("liblayer.so"), [Fixture.layerInput]) }
    options.weightsFile = "/elsewhere/layer.weights"
    #expect(throws: Failure.self) { try compile(fixture, Fixture.layer, to: "libother.so", options) }
    #expect(!fixture.files.contains("libother.so"))
  }

  @Test func aDonatedInputMayBeTheOutput() throws {
    let fixture = try Fixture()
    let text = """
      module {
        func.func public @main(
            %w: tensor<5xf32> {tf.aliasing_output = 0 : i32}, %g: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>) {
          %0 = stablehlo.subtract %w, %g : tensor<5xf32>
          %1 = stablehlo.reverse %w, dims = [0] : tensor<5xf32>
          return %0, %1 : tensor<5xf32>, tensor<5xf32>
        }
      }
      """
    try compile(fixture, text, to: "libstep.so")
    let header = String(decoding: try Files.read(fixture.path("libstep.h")), as: UTF8.self)
    #expect(header.contains("may be the buffer of `w`"))
    try fixture.write(
      """
      #include "libstep.h"
      #include <stdio.h>
      int main(void) {
        step *m = step_create(0);
        float w[5] = {1, 2, 3, 4, 5}, g[5] = {1, 1, 1, 1, 2}, reversed[5];
        int status = step_run(m, w, g, w, reversed);
        for (int i = 0; i < 5; i++) printf("%g %g ", w[i], reversed[i]);
        step_destroy(m);
        return status;
      }
      """, "main.c")
    let built = try fixture.run(Fixture.compiler, ["main.c", "-o", "main", "-L.", "-lstep", "-Wl,-rpath,."])
    #expect(built.code == 0, "\(built.error)")
    let outcome = try fixture.run(fixture.path("main"), [])
    #expect(outcome.code == 0)
    #expect(outcome.output == "0 5 1 4 2 3 3 2 3 1 ")
  }

  @Test func cAndCPlusPlusProgramsCallIt() throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so")
    try fixture.write(
      """
      #include "liblayer.h"
      #include <stdio.h>
      int main(void) {
        layer *m = layer_create(NULL);
        if (m == NULL) return puts(layer_last_error(NULL));
        float x[6] = {1, 2, 3, -1, 0.5f, 4}, y[8];
        int status = layer_run(m, x, y);
        for (int i = 0; i < 8; i++) printf("%g ", (double)y[i]);
        printf("%d '%s'", layer_run(m, NULL, y), layer_last_error(m));
        layer_destroy(m);
        return status;
      }
      """, "main.c")
    for language in [["-std=c99", "-pedantic-errors", "-x", "c"], ["-std=c++17", "-x", "c++"]] {
      let arguments =
        ["-Wall", "-Wextra", "-Werror"] + language + ["main.c", "-o", "main", "-L.", "-llayer", "-Wl,-rpath,."]
      let built = try fixture.run(Fixture.compiler, arguments)
      #expect(built.code == 0, "\(built.error)")
      let outcome = try fixture.run(fixture.path("main"), [])
      #expect(outcome.code == 0)
      #expect(outcome.output == "0 1.25 5.5 4.5 0 4.25 8 0 1 'input 0 'x': data is null'")
    }
  }

  @Test func aSwiftProgramImportsTheHeader() throws {
    guard let swiftc = Tool.find("swiftc") else { return }
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so")
    try fixture.write("module CLayer {\n  header \"liblayer.h\"\n  link \"layer\"\n  export *\n}\n", "module.modulemap")
    try fixture.write(
      """
      import CLayer
      let model = layer_create(nil)
      var y = [Float](repeating: 0, count: 8)
      print(layer_run(model, [1, 2, 3, -1, 0.5, 4], &y), y)
      layer_destroy(model)
      """, "main.swift")
    let built = try fixture.run(swiftc, ["main.swift", "-I.", "-L.", "-Xlinker", "-rpath=.", "-o", "main"])
    #expect(built.code == 0, "\(built.error)")
    #expect(try fixture.run(fixture.path("main"), []).output == "0 [0.0, 1.25, 5.5, 4.5, 0.0, 4.25, 8.0, 0.0]\n")
  }

  @Test func aPythonProgramLoadsIt() throws {
    guard let python = Tool.find("python3") else { return }
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so")
    try fixture.write(
      """
      import ctypes
      lib = ctypes.CDLL("./liblayer.so")
      lib.layer_create.restype = ctypes.c_void_p
      model = ctypes.c_void_p(lib.layer_create(None))
      x, y = (ctypes.c_float * 6)(1, 2, 3, -1, 0.5, 4), (ctypes.c_float * 8)()
      print(lib.layer_run(model, x, y), list(y))
      lib.layer_destroy(model)
      """, "main.py")
    #expect(try fixture.run(python, ["main.py"]).output == "0 [0.0, 1.25, 5.5, 4.5, 0.0, 4.25, 8.0, 0.0]\n")
  }

  @Test func theLibraryNeedsLibcOnlyAndExportsItsOwnNames() throws {
    guard let nm = Tool.find("nm"), let readelf = Tool.find("readelf") else { return }
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so")
    let names = try fixture.run(nm, ["-D", "--defined-only", "--format=posix", "liblayer.so"]).output
    let exported = names.split(separator: "\n").map { String($0.prefix { $0 != " " }) }.filter { !$0.hasPrefix("_") }
    #expect(Set(exported) == ["layer_create", "layer_destroy", "layer_last_error", "layer_run", "tfc_artifact"])
    let needed = try fixture.run(readelf, ["-d", "liblayer.so"]).output.split(separator: "\n").filter {
      $0.contains("(NEEDED)")
    }
    #expect(needed.allSatisfy { $0.contains("[libc.so") || $0.contains("[libpthread.so") }, "\(needed)")
  }

  /// A cache that holds something else in the runtime's place, and none at all.
  @Test func runtimesThatCannotBeKeptAreMadeAnew() throws {
    let fixture = try Fixture()
    let (folder, toolchain) = (fixture.folder.path, try Toolchain.find())
    let kept = try RuntimeObject.prepared(toolchain, fallback: folder, root: "\(folder)/cache")
    try FileManager.default.removeItem(atPath: kept.object)
    let made = try RuntimeObject.prepared(toolchain, fallback: folder, root: "\(folder)/cache")
    #expect(FileManager.default.fileExists(atPath: made.object) && made.object != kept.object)
    #expect(FileManager.default.fileExists(atPath: "\(made.includes)/tfc_generated.h"))
    try fixture.write(Fixture.layer, "layer.mlir")
    #expect(try fixture.tfc("compile", "layer.mlir", "--no-cache", "-o", "liblayer.so").code == 0)
    #expect(!fixture.files.contains { $0.hasPrefix(".tfc") })
  }

  @Test func processesThatRaceForTheRuntimeAllSucceed() throws {
    let fixture = try Fixture()
    let toolchain = try Toolchain.find()
    let (folder, headers) = (fixture.folder.path, ["tfc_generated.h", "runtime.o"])
    let results = (0..<3).map { _ in Box<Bool>() }
    DispatchQueue.concurrentPerform(iterations: 3) { index in
      let runtime = try? RuntimeObject.prepared(toolchain, fallback: folder, root: "\(folder)/cache")
      let isWhole = runtime.map { found in
        headers.allSatisfy { FileManager.default.fileExists(atPath: "\(found.includes)/\($0)") }
      }
      results[index].set(isWhole ?? false)
    }
    #expect(results.allSatisfy { $0.value == true })
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cache").count == 1)
  }
}

/// A value that another thread sets once.
final class Box<Value: Sendable>: Sendable {
  private let storage = Mutex<Value?>(nil)
  var value: Value? { storage.withLock { $0 } }
  func set(_ value: Value) { storage.withLock { $0 = value } }
}
