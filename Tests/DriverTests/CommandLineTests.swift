import Foundation
import IR
import Testing

@testable import Driver

/// The tool as a user calls it: exit codes, files, messages.
@Suite struct CommandLineTests {
  @Test func compilesAndRuns() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    _ = try fixture.write(Fixture.layerInput, "x.npy")
    let compiled = try fixture.tfc("compile", "layer.mlir", "-o", "liblayer.so")
    #expect(compiled.code == 0 && compiled.output.isEmpty && compiled.error.isEmpty, "\(compiled.error)")
    for model in ["liblayer.so", "layer.mlir"] {
      let ran = try fixture.tfc("run", model, "--input", "arg0=x.npy", "--output-dir", "out")
      #expect(ran.code == 0, "\(ran.error)")
      #expect(try NumpyFile(reading: fixture.path("out/out0.npy")).literal(.f32).reals == Fixture.layerOutput)
      try FileManager.default.removeItem(atPath: fixture.path("out"))
    }
    let judged = try fixture.tfc("run", "layer.mlir", "--reference", "--input", "arg0=x.npy", "--output-dir", "out")
    #expect(judged.code == 0)
    #expect(try NumpyFile(reading: fixture.path("out/out0.npy")).literal(.f32).reals == Fixture.layerOutput)
  }

  @Test func refusesWithTwo() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    try fixture.write("module {\n  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n    return %y", "broken.mlir")
    try fixture.write("not a model", "model.onnx")
    try fixture.write("something", "file.txt")
    _ = try fixture.write(Fixture.layerInput, "x.npy")
    _ = try fixture.write(Literal(.f64, [2, 3], splat: .real(1)), "wrong.npy")
    let cases: [([String], String)] = [
      ([], "USAGE"),
      (["frobnicate"], "Unexpected argument"),
      (["compile", "missing.mlir", "-o", "a.so"], "missing.mlir: error: the file does not exist"),
      (["compile", "file.txt", "-o", "a.so"], "file.txt: error: the kind of the file is unknown"),
      (["compile", "model.onnx", "-o", "a.so"], "model.onnx: error: "),
      (["compile", "broken.mlir", "-o", "a.so"], "broken.mlir:3:"),
      (["compile", "layer.mlir", "-o", "./layer.mlir"], "the output would replace the graph"),
      (["compile", "layer.mlir", "-o", "a.so", "--function", "other"], "no function 'other'; the file has main"),
      (["compile", "layer.mlir", "-o", "a.so", "--target", "gpu"], "--target gpu is not supported; expected cpu"),
      (["compile", "layer.mlir", "-o", "a.so", "--precision", "f8"], "--precision f8 is not supported"),
      (["compile", "layer.mlir", "-o", "a.so", "--emit", "exe"], "--emit exe is not supported"),
      (["compile", "layer.mlir", "-o", "a.so", "--dim", "seq"], "--dim seq is not understood"),
      (["compile", "layer.mlir", "-o", "a.so", "--dim", "seq=4"], "no dimension 'seq'"),
      (["compile", "layer.mlir", "-o", "a.so", "--cpu", "8086"], "8086"),
      (["compile", "layer.mlir", "-o", "a.so", "--triple", "pdp11"], "--triple pdp11 is not supported; expected"),
      (["compile", "layer.mlir", "-o", "a.so", "--dump-after", "magic"], "no pass 'magic'"),
      (["compile", "layer.mlir", "-o", "nowhere/a.so"], "nowhere: error: the folder does not exist"),
      (["run", "layer.mlir", "--output-dir", "out"], "layer.mlir: error: input 'x' is missing"),
      (["run", "layer.mlir", "--input", "arg0=x.npy"], "--output-dir is missing"),
      (["run", "layer.mlir", "--input", "y=x.npy", "--output-dir", "out"], "there is no input 'y'"),
      (["run", "layer.mlir", "--input", "arg0=layer.mlir", "--output-dir", "out"], "it is not a .npy file"),
      (
        ["run", "layer.mlir", "--input", "arg0=wrong.npy", "--output-dir", "out"], "the elements are <f8, expected f32"
      ),
    ]
    for (arguments, message) in cases {
      let outcome = try fixture.tfc(arguments)
      #expect(outcome.code == (arguments.isEmpty ? 0 : 2), "\(arguments)")
      #expect((outcome.error + outcome.output).contains(message), "\(arguments): \(outcome.error)")
    }
    #expect(!fixture.files.contains { $0.hasSuffix(".so") || $0.hasSuffix(".h") || $0.hasPrefix(".tfc") })
  }

  @Test func refusesWhatATargetCannot() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    let both = ["--target", "opencl,cpu"]
    let cases: [([String], String)] = [
      (["compile", "--device", "native"], "--device describes an OpenCL device; expected --target opencl"),
      (["compile", "--emit", "opencl"], "--emit opencl needs --target opencl"),
      (["compile", "--emit", "asm"] + both, "--emit asm is about one target, not opencl,cpu"),
      (["compile", "--emit", "kernels"] + both, "--emit kernels is about one target, not opencl,cpu"),
      (["compile", "--emit", "obj"] + both, "--emit obj is about one target, not opencl,cpu"),
      (["compile", "--profile", "-o", "a.so"] + both, "--profile is about one target, not opencl,cpu"),
      (["compile", "--target", "opencl", "--tuning", "t"], "--tuning is for kernels of a CPU"),
      (["compile", "--target", "opencl", "--tune", "t"], "--tune times kernels of a CPU; expected --target cpu"),
      (["bench", "--tune", "t"] + both, "--tune times kernels of a CPU; expected --target cpu"),
      (["bench", "--fused-vs-unfused"] + both, "--fused-vs-unfused is about one target, not opencl,cpu"),
      (["bench", "--fused-vs-unfused", "--kernels"], "--kernels lists one variant"),
      (["bench", "--kernels", "--seconds", "0"] + both, "--kernels is about one target, not opencl,cpu"),
      (["inspect", "--kernels"] + both, "--kernels is about one target, not opencl,cpu"),
    ]
    for (arguments, message) in cases {
      let outcome = try fixture.tfc(arguments + ["layer.mlir"])
      #expect(outcome.code == 2, "\(arguments): \(outcome.error)")
      #expect(outcome.error.contains(message), "\(arguments): \(outcome.error)")
    }
    #expect(fixture.files == ["layer.mlir"])
  }

  @Test func saysEveryUnsupportedOp() throws {
    let fixture = try Fixture()
    try fixture.write(
      """
      module {
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.frobnicate %x : tensor<2xf32>
          return %0 : tensor<2xf32>
        }
      }
      """, "odd.mlir")
    let outcome = try fixture.tfc("compile", "odd.mlir", "-o", "odd.so")
    #expect(outcome.code == 2)
    #expect(outcome.error.hasPrefix("unsupported: stablehlo.frobnicate"), "\(outcome.error)")
  }

  @Test func emitsEachForm() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    #expect(try fixture.tfc("compile", "layer.mlir", "--emit", "llvm").output.contains("define"))
    #expect(try fixture.tfc("compile", "layer.mlir", "--emit", "asm").output.contains("tfc_program_run"))
    let text = try fixture.tfc("compile", "layer.mlir", "--emit", "stablehlo").output
    #expect(text.contains("stablehlo.dot_general"))
    try fixture.write(text, "again.mlir")
    #expect(try fixture.tfc("compile", "again.mlir", "-o", "libagain.so").code == 0)
    #expect(try fixture.tfc("compile", "layer.mlir", "--emit", "obj", "-o", "layer.o").code == 0)
    #expect([UInt8](try Files.read(fixture.path("layer.o"))).starts(with: [0x7F, 0x45, 0x4C, 0x46]))
    let dump = try fixture.tfc(
      "compile", "layer.mlir", "-o", "liba.so", "--dump-after", "fusion", "--time-passes", "--explain")
    #expect(dump.code == 0)
    #expect(dump.error.contains("// after fusion") && dump.error.contains("pass fusion"))
  }

  @Test func fixesAndBoundsSymbols() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.dynamic, "dynamic.mlir")
    let inspected = try fixture.tfc("inspect", "dynamic.mlir", "--json").output
    let inspection = try JSONSerialization.jsonObject(with: Data(inspected.utf8)) as? [String: Any]
    let symbols = try #require(inspection?["symbols"] as? [[String: Any]])
    let name = try #require(symbols.first?["name"] as? String)
    let bounded = try fixture.tfc("compile", "dynamic.mlir", "-o", "libb.so", "--dim", "\(name)=2..9")
    #expect(bounded.code == 0, "\(bounded.error)")
    let header = String(decoding: try Files.read(fixture.path("libb.h")), as: UTF8.self)
    #expect(header.contains("2 to 9"))
    let typo = try fixture.tfc("compile", "dynamic.mlir", "-o", "libc.so", "--dim", "\(name)x=3")
    #expect(typo.code == 2 && typo.error.contains("no dimension '\(name)x'"), "\(typo.error)")
  }

  /// Elements are never read or written behind a tensor, whatever the extents are.
  @Test(arguments: ["cpu", "opencl"])
  func checksWhatOnlyARunKnows(target: String) throws {
    let fixture = try Fixture()
    try fixture.write(
      """
      func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
        %i = stablehlo.constant dense<1> : tensor<i32>
        %r = stablehlo.dynamic_update_slice %x, %y, %i : (tensor<?xf32>, tensor<?xf32>, tensor<i32>) -> tensor<?xf32>
        return %r : tensor<?xf32>
      }
      """, "update.mlir")
    #expect(try fixture.tfc("compile", "update.mlir", "-o", "libupdate.so", "--target", target).code == 0)
    for (position, extents) in [(5, 2), (2, 5), (0, 1), (3, 3)].enumerated() {
      let inputs = [extents.0, extents.1].map { count in
        Literal(.f32, [count], (0..<count).map { .real(Double($0 + 1)) })
      }
      for (name, input) in zip(["x", "y"], inputs) { _ = try fixture.write(input, "\(name).npy") }
      let outcome = try fixture.tfc(
        "run", "libupdate.so", "--input", "x=x.npy", "--input", "y=y.npy", "--output-dir", "out\(position)")
      guard extents.1 <= extents.0 else {
        #expect(outcome.code == 3, "\(outcome.error)")
        let sentence = "y_0 must be at most x_0 (stablehlo.dynamic_update_slice, update.mlir:3:8)"
        #expect(outcome.error.contains(sentence), "\(outcome.error)")
        continue
      }
      #expect(outcome.code == 0, "\(outcome.error)")
      let found = try NumpyFile(reading: fixture.path("out\(position)/out0.npy")).literal(.f32).reals
      #expect(found == (extents.0 == 5 ? [1, 1, 2, 4, 5] : [1, 2, 3]))
    }
  }

  @Test func namesThePlaceOfWhatHasNoKernel() throws {
    let fixture = try Fixture()
    try fixture.write(
      """
      func.func @main(%x: tensor<?x3xf32>) -> tensor<?x?xf32> {
        %0 = stablehlo.dot_general %x, %x, contracting_dims = [1] x [1]
          : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x?xf32>
        %1 = stablehlo.cholesky %0, lower = true : tensor<?x?xf32>
        return %1 : tensor<?x?xf32>
      }
      """, "open.mlir")
    let outcome = try fixture.tfc("compile", "open.mlir", "-o", "open.so")
    #expect(outcome.code == 2)
    #expect(outcome.error.contains("unsupported: stablehlo.cholesky of matrices of"), "\(outcome.error)")
    #expect(outcome.error.contains("(open.mlir:4:8)"), "\(outcome.error)")
  }

  @Test func runsABatch() throws {
    let fixture = try Fixture()
    let graph = try fixture.write(Fixture.layer, "layer.mlir")
    let x = try fixture.write(Fixture.layerInput, "x.npy")
    let good =
      #"{"id": 7, "graph": "\#(graph)", "function": null, "inputs": {"arg0": "\#(x)"}, "output_dir": "\#(fixture.path("a"))"}"#
    let bad = #"{"id": 8, "graph": "missing.mlir", "function": "main", "inputs": {}, "output_dir": "b"}"#
    try fixture.write("\(good)\n\n\(bad)\n\(good)\n", "list.jsonl")
    let outcome = try fixture.tfc("run", "--batch", "list.jsonl")
    #expect(outcome.code == 0)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.first == #"{"exit":0,"id":7,"message":""}"#)
    #expect(lines.dropFirst().first == #"{"exit":2,"id":8,"message":"missing.mlir: error: the file does not exist"}"#)
    #expect(try NumpyFile(reading: fixture.path("a/out0.npy")).literal(.f32).reals == Fixture.layerOutput)
    try fixture.write("{\"id\": 1}\n", "bad.jsonl")
    #expect(try fixture.tfc("run", "--batch", "bad.jsonl").code == 2)
  }

  @Test func benchPrintsFigures() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    #expect(try fixture.tfc("compile", "layer.mlir", "-o", "liblayer.so").code == 0)
    let outcome = try fixture.tfc("bench", "liblayer.so", "--seconds", "0.01", "--threads", "1", "--json")
    let figures = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Double]
    #expect(Set(figures?.keys.map { $0 } ?? []) == ["median_ms", "p10_ms", "p90_ms", "runs", "create_ms"])
    let both = try fixture.tfc("bench", "layer.mlir", "--fused-vs-unfused", "--seconds", "0.01", "--json")
    let comparison = try JSONSerialization.jsonObject(with: Data(both.output.utf8)) as? [String: Any]
    #expect(comparison?["largest_difference"] as? Double == 0)
    let (fused, unfused) = (comparison?["fused"] as? [String: Any], comparison?["unfused"] as? [String: Any])
    #expect((fused?["kernels_launched"] as? Int ?? 9) < (unfused?["kernels_launched"] as? Int ?? 0))
  }

  @Test func inspectListsKernels() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    let x = try fixture.write(Fixture.layerInput, "x.npy")
    let arguments = ["inspect", "layer.mlir", "--kernels", "--threads", "1", "--seconds", "0"]
    let outcome = try fixture.tfc(arguments + ["--input", "arg0=\(x)", "--json"])
    let inspection = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let report = try #require(inspection?["kernels"] as? [String: Any])
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(!rows.isEmpty)
    for row in rows {
      for figure in ["predicted_us", "measured_us", "bytes", "limit_us"] {
        #expect((row[figure] as? Double ?? 0) > 0, "\(figure) of \(row)")
      }
    }
    #expect(abs(rows.reduce(0) { $0 + ($1["share"] as? Double ?? 0) } - 1) < 1e-6)
    let text = try fixture.tfc(arguments)
    #expect(text.code == 0 && text.output.contains("predicted us") && text.output.contains("\nsum"), "\(text.output)")
    let memory = try fixture.tfc("inspect", "layer.mlir", "--memory").output
    #expect(memory.contains("kernel launch") && memory.contains("arena"))
    #expect(try fixture.tfc("inspect", "layer.mlir", "--input", "arg0=\(x)").code == 2)
    #expect(try fixture.tfc("compile", "layer.mlir", "-o", "liblayer.so").code == 0)
    #expect(try fixture.tfc("inspect", "liblayer.so", "--kernels").code == 2)
  }

  /// Launches in bands are timed one by one, on several threads too.
  @Test func kernelsInBandsHaveTimes() throws {
    let fixture = try Fixture()
    func conv(_ padding: String, groups: Int) -> String {
      "dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {\(padding)} "
        + "{batch_group_count = 1 : i64, feature_group_count = \(groups) : i64}"
    }
    try fixture.write(
      """
      func.func @main(%x: tensor<1x640x64x8xf32>, %k: tensor<1x1x8x64xf32>, %w: tensor<3x3x1x64xf32>) -> tensor<1x640x64x64xf32> {
        %a = stablehlo.convolution(%x, %k) \(conv("", groups: 1)) : (tensor<1x640x64x8xf32>, tensor<1x1x8x64xf32>) -> tensor<1x640x64x64xf32>
        %b = stablehlo.convolution(%a, %w) \(conv("pad = [[1, 1], [1, 1]]", groups: 64)) : (tensor<1x640x64x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x640x64x64xf32>
        return %b : tensor<1x640x64x64xf32>
      }
      """, "chain.mlir")
    let memory = try fixture.tfc("inspect", "chain.mlir", "--memory")
    #expect(memory.output.contains("2 of 2 in bands of"), "\(memory.output)\(memory.error)")
    for threads in ["1", "2"] {
      let outcome = try fixture.tfc(
        "inspect", "chain.mlir", "--kernels", "--threads", threads, "--seconds", "0", "--json")
      let inspection = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      let report = try #require(inspection?["kernels"] as? [String: Any], "\(outcome.error)")
      let rows = try #require(report["rows"] as? [[String: Any]])
      let times = rows.compactMap { $0["measured_us"] as? Double }
      #expect(rows.count == times.count && times.allSatisfy { $0 > 0 }, "\(rows)")
      #expect(rows.allSatisfy { $0["launches"] as? Int == 1 }, "\(rows)")
      #expect(times.reduce(0, +) < 1.5 * (report["call_us"] as? Double ?? 0), "\(report)")
    }
  }

  /// One branch is not taken: nothing is known of its kernel's time.
  @Test func kernelsThatAreNotLaunchedHaveNoRates() throws {
    let fixture = try Fixture()
    try fixture.write(
      """
      func.func @main(%p: tensor<i1>, %x: tensor<64xf32>) -> tensor<64xf32> {
        %0 = "stablehlo.if"(%p) ({
          %1 = stablehlo.exponential %x : tensor<64xf32>
          stablehlo.return %1 : tensor<64xf32>
        }, {
          %1 = stablehlo.tanh %x : tensor<64xf32>
          stablehlo.return %1 : tensor<64xf32>
        }) : (tensor<i1>) -> tensor<64xf32>
        return %0 : tensor<64xf32>
      }
      """, "branches.mlir")
    let arguments = ["bench", "branches.mlir", "--kernels", "--threads", "1", "--seconds", "0"]
    let outcome = try fixture.tfc(arguments + ["--json"])
    let timing = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let report = try #require(timing?["kernels"] as? [String: Any], "\(outcome.error)")
    let rows = try #require(report["rows"] as? [[String: Any]])
    let (idle, launched) = (
      rows.filter { $0["launches"] as? Int == 0 }, rows.filter { $0["launches"] as? Int == 1 }
    )
    #expect(idle.count == 1 && launched.count == 1, "\(rows)")
    #expect(idle.allSatisfy { $0["measured_us"] is NSNull && $0["share"] as? Double == 0 }, "\(idle)")
    #expect(launched.allSatisfy { $0["measured_us"] as? Double ?? 0 > 0 }, "\(launched)")
    let text = try fixture.tfc(arguments).output
    let names = idle.compactMap { $0["name"] as? String }
    let lines = text.split(separator: "\n").filter { line in names.contains { line.hasPrefix($0 + " ") } }
    #expect(lines.count == 1 && lines.allSatisfy { !$0.contains("%") && !$0.contains("e+") }, "\(text)")
  }

  @Test func tuningIsWrittenReadAndRefused() throws {
    let fixture = try Fixture()
    try fixture.write(
      """
      func.func @main(%x: tensor<37x48xf32>, %y: tensor<48x80xf32>) -> tensor<37x80xf32> {
        %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<37x48xf32>, tensor<48x80xf32>) -> tensor<37x80xf32>
        return %0 : tensor<37x80xf32>
      }
      """, "product.mlir")
    let tuned = try fixture.tfc("compile", "product.mlir", "--tune", "tuning.txt", "-o", "liba.so")
    #expect(tuned.code == 0, "\(tuned.error)")
    let text = try String(contentsOfFile: fixture.path("tuning.txt"), encoding: .utf8)
    #expect(text.hasPrefix("tfc tuning 1\ntarget vector="))
    // Whatever was found: a compile with the file depends on nothing but the file.
    let wide = text.replacing(#/\n[^\n]*: contraction /#, with: "\ntile=1: contraction ")
    try fixture.write(wide, "wide.txt")
    func kernels(_ arguments: String...) throws -> String {
      try fixture.tfc(["compile", "product.mlir", "--emit", "kernels"] + arguments).output
    }
    #expect(try kernels("--tuning", "wide.txt") == kernels("--tuning", "wide.txt"))
    if wide != text { #expect(try kernels("--tuning", "wide.txt") != kernels()) }
    try fixture.write("tfc tuning 1\n# nothing\n\n", "empty.txt")
    #expect(try kernels("--tuning", "empty.txt") == kernels())
    for (content, place, message) in [
      ("", "bad.txt:1", "does not begin with"), ("tfc tuning 2\n", "bad.txt:1", "does not begin with"),
      ("tfc tuning 1\nusual: x\n", "bad.txt:2", "before the first target"),
      ("tfc tuning 1\ntarget t\ntile=9999: x\n", "bad.txt:3", "no variant 'tile=9999'"),
      ("tfc tuning 1\ntarget t\nusual\n", "bad.txt:3", "expected a variant"),
      ("tfc tuning 1\ntarget t\nusual: x\n\nusual: x\n", "bad.txt:5", "named twice"),
    ] {
      try fixture.write(content, "bad.txt")
      let outcome = try fixture.tfc("compile", "product.mlir", "--tuning", "bad.txt", "-o", "libb.so")
      #expect(outcome.code == 2 && outcome.error.contains(message) && outcome.error.contains(place), "\(outcome.error)")
    }
    #expect(try fixture.tfc("compile", "product.mlir", "--tuning", "missing.txt", "-o", "libb.so").code == 2)
    #expect(try fixture.tfc("compile", "product.mlir", "--tune", "product.mlir", "-o", "libb.so").code == 2)
  }

  @Test func helpIsComplete() throws {
    let fixture = try Fixture()
    for command in ["compile", "run", "bench", "inspect"] {
      let help = try fixture.tfc(command, "--help")
      #expect(help.code == 0 && help.output.contains("USAGE: tfc \(command)"))
    }
    #expect(try fixture.tfc("--version").output == "tfc 0.1.0\n")
  }
}
