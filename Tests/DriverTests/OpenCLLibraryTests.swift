import Foundation
import IR
import Testing

@testable import Driver

/// Libraries for OpenCL devices; where there is no device, what they say.
@Suite struct OpenCLLibraryTests {
  func compile(_ fixture: borrowing Fixture, _ text: String, to name: String, _ target: Options.Target) throws {
    var options = Options()
    options.target = target
    options.verifies = true
    try Pipeline(options).compile(try fixture.write(text, "graph.mlir"), to: fixture.path(name))
  }

  /// Whether this machine has a device; a library that finds none says so.
  static let hasDevice: Bool = {
    do {
      let fixture = try Fixture()
      var options = Options()
      options.target = .opencl
      try Pipeline(options).compile(try fixture.write(Fixture.layer, "graph.mlir"), to: fixture.path("libprobe.so"))
      _ = try Artifact(fixture.path("libprobe.so"))
      return true
    } catch {
      return !"\(error)".contains("OpenCL")
    }
  }()

  func run(_ library: String, _ inputs: [Literal]) throws -> [Literal] {
    let artifact = try Artifact(library)
    let (_, dimensions) = try artifact.solve(inputs)
    let buffers = try CallBuffers(artifact, inputs: inputs, outputDimensions: dimensions)
    try artifact.run(buffers)
    return buffers.results
  }

  @Test(.enabled(if: hasDevice)) func theLibraryComputesWhatTheGraphMeans() throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.layer, to: "liblayer.so", .opencl)
    #expect(fixture.files == ["graph.mlir", "liblayer.h", "liblayer.so"])
    #expect(try run(fixture.path("liblayer.so"), [Fixture.layerInput])[0].reals == Fixture.layerOutput)
    let artifact = try Artifact(fixture.path("liblayer.so"))
    #expect(artifact.build == "target=opencl precision=f32 fusion=on")
  }

  @Test(.enabled(if: hasDevice)) func oneLibraryServesEveryExtent() throws {
    let fixture = try Fixture()
    try compile(fixture, Fixture.dynamic, to: "libdynamic.so", .opencl)
    for rows in [0, 1, 7] {
      let x = Literal(.f32, [rows, 3], (0..<rows * 3).map { .real(Double($0)) })
      let result = try run(fixture.path("libdynamic.so"), [x, x])[0]
      #expect(result.dimensions == [rows, 3])
      #expect(result.reals == x.reals.map { $0 * 2 })
    }
  }

  /// Names and places of a model are in comments of the source.
  @Test(.enabled(if: hasDevice)) func namesStayInTheirComments() throws {
    let fixture = try Fixture()
    let graph = """
      func.func @"a**//b"(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
        %0 = stablehlo.add %x, %x : tensor<2x3xf32> loc("x\\0D\\0Abad code here(")
        %1 = stablehlo.exponential %0 : tensor<2x3xf32> loc("folder\\5C")
        %2 = stablehlo.subtract %1, %1 : tensor<2x3xf32> loc("what??/")
        %3 = stablehlo.add %2, %0 : tensor<2x3xf32> loc("\u{e9}\u{2028}*/")
        return %3 : tensor<2x3xf32>
      }
      """
    try compile(fixture, graph, to: "libodd.so", .opencl)
    let result = try run(fixture.path("libodd.so"), [Fixture.layerInput])[0]
    #expect(result.reals == Fixture.layerInput.reals.map { $0 * 2 })
  }

  /// Loops and branches whose conditions are computed on the device.
  private static let loop = """
    module {
      func.func public @main(%n: tensor<i32>, %x: tensor<5xf32>) -> (tensor<5xf32>, tensor<i32>) {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<5xf32>
        cond {
          %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %next = stablehlo.add %i, %one : tensor<i32>
          %double = stablehlo.add %v, %v : tensor<5xf32>
          stablehlo.return %next, %double : tensor<i32>, tensor<5xf32>
        }
        return %0#1, %0#0 : tensor<5xf32>, tensor<i32>
      }
    }
    """

  @Test(.enabled(if: hasDevice)) func loopsEndWhenTheDeviceSays() throws {
    let fixture = try Fixture()
    try compile(fixture, Self.loop, to: "libloop.so", .opencl)
    let x = Literal(.f32, [5], [1, 2, 3, -4, 0.5].map { .real($0) })
    for count in [0, 1, 6] {
      let results = try run(fixture.path("libloop.so"), [Literal(.i32, [], splat: .integer(Int64(count))), x])
      #expect(results[0].reals == x.reals.map { $0 * Double(1 << count) })
      #expect(results[1][0] == .integer(Int64(count)))
    }
  }

  @Test(.enabled(if: hasDevice)) func weightsMayLieBesideTheLibrary() throws {
    let fixture = try Fixture()
    var options = Options()
    options.weightsFile = "layer.weights"
    for target in [Options.Target.opencl, .openclOrCPU] {
      options.target = target
      try Pipeline(options).compile(try fixture.write(Fixture.layer, "graph.mlir"), to: fixture.path("liblayer.so"))
      #expect(try run(fixture.path("liblayer.so"), [Fixture.layerInput])[0].reals == Fixture.layerOutput)
    }
  }

  @Test(.enabled(if: hasDevice)) func launchesAreCountedAndTimed() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    let arguments = ["--target", "opencl", "--seconds", "0"]
    let outcome = try fixture.tfc(["inspect", "layer.mlir", "--kernels", "--json"] + arguments)
    let inspection = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let report = try #require(inspection?["kernels"] as? [String: Any], "\(outcome.error)")
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(!rows.isEmpty && report["machine"] == nil)
    for row in rows {
      #expect(
        (row["measured_us"] as? Double ?? 0) > 0 && (row["items"] as? Int ?? 0) > 0 && row["flops"] == nil, "\(row)")
    }
    let bench = try fixture.tfc(["bench", "layer.mlir", "--kernels"] + arguments)
    #expect(
      bench.code == 0 && bench.output.contains("median") && bench.output.contains("measured us"), "\(bench.error)")
    let both = try fixture.tfc(["bench", "layer.mlir", "--fused-vs-unfused", "--json"] + arguments)
    #expect(both.code == 0, "\(both.error)")
  }

  @Test func withoutADeviceTheCPUDoesIt() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    let x = try fixture.write(Fixture.layerInput, "x.npy")
    func run(_ target: String, _ variable: String = "OCL_ICD_VENDORS=/nonexistent") throws -> Fixture.Outcome {
      try fixture.run(
        "/usr/bin/env",
        [
          variable, Fixture.tool, "run", "layer.mlir", "--target", target, "--input", "arg0=\(x)", "--output-dir",
          "out",
        ])
    }
    let alone = try run("opencl")
    #expect(alone.code == 3 && alone.error.contains("layer.mlir: error: the model cannot be created: "))
    #expect(alone.error.contains("OpenCL"), "\(alone.error)")
    let both = try run("opencl,cpu")
    #expect(both.code == 0 && both.error.hasPrefix("layer.mlir: runs on the CPU: "), "\(both.error)")
    #expect(both.error.split(separator: "\n").count == 1 && both.error.contains("OpenCL"), "\(both.error)")
    #expect(try NumpyFile(reading: fixture.path("out/out0.npy")).literal(.f32).reals == Fixture.layerOutput)
    let bench = try fixture.run(
      "/usr/bin/env",
      [
        "OCL_ICD_VENDORS=/nonexistent", Fixture.tool, "bench", "layer.mlir", "--target", "opencl,cpu", "--seconds", "0",
      ])
    #expect(bench.code == 0 && bench.error == both.error && bench.output.contains("median"), "\(bench.error)")
    // A name that somebody gave and no device has is a mistake.
    if Self.hasDevice {
      let named = try run("opencl,cpu", "TFC_OPENCL_DEVICE=no such device")
      #expect(named.code == 3 && named.error.contains("no OpenCL device is named 'no such device': found"))
      let plain = try fixture.tfc(
        "run", "layer.mlir", "--target", "opencl,cpu", "--input", "arg0=\(x)", "--output-dir", "out")
      #expect(plain.code == 0 && plain.error.isEmpty, "\(plain.error)")
    }
  }

  @Test func theLibraryExportsTheCallsForDevices() throws {
    guard let nm = Tool.find("nm"), let readelf = Tool.find("readelf") else { return }
    let fixture = try Fixture()
    for target in [Options.Target.opencl, .openclOrCPU] {
      try compile(fixture, Fixture.layer, to: "liblayer.so", target)
      let names = try fixture.run(nm, ["-D", "--defined-only", "--format=posix", "liblayer.so"]).output
      let exported = names.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
      #expect(
        Set(exported.filter { !$0.hasPrefix("_") }) == [
          "layer_create", "layer_destroy", "layer_device_handle", "layer_last_error", "layer_run",
          "layer_run_on_device", "layer_target", "tfc_artifact",
        ])
      let needed = try fixture.run(readelf, ["-d", "liblayer.so"]).output.split(separator: "\n").filter {
        $0.contains("(NEEDED)")
      }
      #expect(needed.allSatisfy { $0.contains("[libc.so") || $0.contains("[libpthread.so") }, "\(needed)")
      let built = try fixture.run(
        Fixture.compiler,
        ["-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "liblayer.h"])
      #expect(built.code == 0, "\(built.error)")
    }
  }

  /// The names of the generated code's own parameters and variables, and those of C's types.
  @Test(arguments: ["o", "options", "model", "kind", "dims", "extents", "uint8_t"])
  func aModelMayHaveAnyName(name: String) throws {
    let fixture = try Fixture()
    for target in [Options.Target.cpu, .openclOrCPU] {
      try compile(fixture, Fixture.dynamic, to: "lib\(name).so", target)
      let header = try fixture.run(
        Fixture.compiler,
        ["-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "lib\(name).h"])
      #expect(header.code == 0, "\(header.error)")
    }
  }

  /// A parameter that is called as a type of the typed function would hide it.
  @Test func tensorsMayHaveAnyName() throws {
    let fixture = try Fixture()
    let text = """
      func.func @main(%uint8_t: tensor<?x5xi1>, %size_t: tensor<?x5xf32>, %o: tensor<?x5xf32>) -> tensor<?x5xf32> {
        %0 = stablehlo.select %uint8_t, %size_t, %o : tensor<?x5xi1>, tensor<?x5xf32>
        return %0 : tensor<?x5xf32>
      }
      """
    try compile(fixture, text, to: "libnames.so", .openclOrCPU)
  }

  @Test func eachFormIsWritten() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    func emit(_ kind: String, _ target: String = "opencl") throws -> String {
      let outcome = try fixture.tfc("compile", "layer.mlir", "--target", target, "--emit", kind)
      #expect(outcome.code == 0, "\(outcome.error)")
      return outcome.output
    }
    #expect(try emit("opencl").contains("kernel"))
    #expect(try emit("opencl") == emit("opencl", "opencl,cpu"))
    #expect(try emit("llvm").contains("@tfc_opencl_launch"))
    #expect(try emit("asm").contains("tfc_opencl_program:"))
    #expect(try emit("kernels").hasPrefix("kernel "))
    #expect(try fixture.tfc("inspect", "layer.mlir", "--target", "opencl", "--memory").output.contains(" items\n"))
  }

  @Test func kernelsAreMadeForTheDeviceInTheFile() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    try fixture.write(
      """
      func.func @main(%x: tensor<3xf64>) -> tensor<3xf64> {
        %0 = stablehlo.multiply %x, %x : tensor<3xf64>
        return %0 : tensor<3xf64>
      }
      """, "double.mlir")
    let device = OpenCLDevice(
      name: "small", itemCount: 64, localByteCount: 16 << 10, subgroupItemCount: 16, computeUnitCount: 2,
      vectorWidth: 1, fp64: false, hasTensorInstructions: false)
    try device.write(to: fixture.path("small.json"))
    func compile(_ graph: String, _ device: String) throws -> Fixture.Outcome {
      try fixture.tfc("compile", graph, "--target", "opencl", "--device", device, "--emit", "opencl")
    }
    #expect(try compile("layer.mlir", "small.json").code == 0)
    try fixture.write(
      "func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {\n  %0 = stablehlo.sine %x : tensor<3xf32>\n"
        + "  return %0 : tensor<3xf32>\n}\n", "sine.mlir")
    let sine = try compile("sine.mlir", "small.json")
    #expect(sine.code == 0 && !sine.output.contains("double") && !sine.output.contains("cl_khr_fp64"))
    let double = try compile("double.mlir", "small.json")
    #expect(double.code == 2 && double.error.hasPrefix("unsupported: f64 on the device 'small'"), "\(double.error)")
    let missing = try compile("layer.mlir", "missing.json")
    #expect(missing.code == 2 && missing.error.contains("missing.json: error: the file does not exist"))
  }
}
