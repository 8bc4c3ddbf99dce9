import Foundation
import IR
import Testing

@testable import Driver

/// Files and arguments that no honest user has: each is refused with a sentence, and nothing is left behind.
@Suite struct HostileInputTests {
  private static func function(_ signature: String, _ body: String) -> String {
    "module { func.func @main(\(signature) {\n\(body)\n} }\n"
  }

  private static func convolution(taps: Int, dilation: Int, outputs: Int) -> String {
    let types = ["1x8x8x4", "3x\(taps)x4x16", "1x6x\(outputs)x16"].map { "tensor<\($0)xf32>" }
    return function(
      "%x: \(types[0]), %k: \(types[1])) -> \(types[2])",
      """
      %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f],
        window = {rhs_dilate = [1, \(dilation)]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64}
        : (\(types[0]), \(types[1])) -> \(types[2])
      return %0 : \(types[2])
      """)
  }

  private static func pad(_ extent: String, low: Int, high: Int, interior: Int) -> String {
    let type = "tensor<\(extent)xf32>"
    return function(
      "%x: \(type), %p: tensor<f32>) -> \(type)",
      """
      %0 = stablehlo.pad %x, %p, low = [\(low)], high = [\(high)], interior = [\(interior)]
        : (\(type), tensor<f32>) -> \(type)
      return %0 : \(type)
      """)
  }

  /// A dynamic op with other operands than it takes.
  private static func dynamic(_ op: String, _ operands: String, _ types: String) -> String {
    function(
      "%x: tensor<6xf32>) -> tensor<?xf32>",
      """
      %0 = "stablehlo.\(op)"(\(operands)) <{dimension = 0 : i64}> : (\(types)) -> tensor<?xf32>
      return %0 : tensor<?xf32>
      """)
  }

  private static let graphs: [(name: String, text: String, message: String)] = [
    ("empty.mlir", "", "the module has no function"),
    ("no-shape.mlir", dynamic("dynamic_reshape", "%x", "tensor<6xf32>"), "takes 2 operands, not 1"),
    ("no-limit.mlir", dynamic("real_dynamic_slice", "%x", "tensor<6xf32>"), "takes 4 operands, not 1"),
    ("no-size.mlir", dynamic("set_dimension_size", "%x", "tensor<6xf32>"), "takes 2 operands, not 1"),
    ("nothing.mlir", dynamic("set_dimension_size", "", ""), "takes 2 operands, not 0"),
    ("truncated.mlir", "module { func.func @main(", "expected a type, found the end of the text"),
    ("nul.mlir", "module \0\0\u{FF}", "unexpected character"),
    ("parentheses.mlir", String(repeating: "(", count: 100_000), "expected an operation"),
    ("deep.mlir", String(repeating: "module {", count: 100_000), "nests deeper than"),
    (
      "brackets.mlir",
      function(") -> tensor<2xf32>", "%0 = stablehlo.constant dense<\(String(repeating: "[", count: 100_000))"),
      "a literal is not closed"
    ),
    (
      "huge.mlir",
      function(
        "%x: tensor<1099511627776x1099511627776xf32>) -> tensor<1099511627776x1099511627776xf32>",
        "return %x : tensor<1099511627776x1099511627776xf32>"), "does not fit in memory"
    ),
    (
      "extent.mlir", function("%x: tensor<99999999999999999999xf32>) -> tensor<f32>", ""),
      "extent 99999999999999999999 is too large"
    ),
    (
      "holes.mlir", convolution(taps: 3, dilation: 1 << 62, outputs: 0),
      "3 elements that lie 4611686018427387904 apart reach beyond 64 bits"
    ),
    (
      "untapped.mlir", convolution(taps: 0, dilation: .max, outputs: 9),
      "0 elements that lie 9223372036854775807 apart reach beyond 64 bits"
    ),
    (
      "edges.mlir", pad("4", low: .max, high: .max, interior: 0),
      "a padding of 9223372036854775807 reaches beyond 64 bits"
    ),
    (
      "interior.mlir", pad("?", low: 0, high: 5, interior: .max),
      "0 elements that lie 9223372036854775807 apart reach beyond 64 bits"
    ),
    (
      "constant.mlir",
      function(
        ") -> tensor<f32>", "%0 = stablehlo.constant dense<1.0> : tensor<1099511627776x1099511627776xf32>"),
      "does not fit in memory"
    ),
    (
      "reshape.mlir",
      function(
        "%x: tensor<0x3xf32>) -> tensor<2x3xf32>",
        "%0 = stablehlo.reshape %x : (tensor<0x3xf32>) -> tensor<2x3xf32>\nreturn %0 : tensor<2x3xf32>"),
      "cannot reshape tensor<0x3xf32> with 0 elements"
    ),
    (
      "stride.mlir",
      function(
        "%x: tensor<4xf32>) -> tensor<2xf32>",
        "%0 = stablehlo.slice %x [0:4:0] : (tensor<4xf32>) -> tensor<2xf32>\nreturn %0 : tensor<2xf32>"),
      "strides [0] are not positive"
    ),
    (
      "recursive.mlir",
      function(
        "%x: tensor<i32>) -> tensor<i32>",
        "%0 = func.call @main(%x) : (tensor<i32>) -> tensor<i32>\nreturn %0 : tensor<i32>"), "recursive calls"
    ),
    ("empty.onnx", "", "it has no graph"),
    ("garbage.onnx", "\u{7}\u{7F}garbage\u{0}\u{1}", "the file is not an ONNX model"),
    ("empty.so", "", "the kind of the file is unknown"),
  ]

  @Test func graphsAreRefused() throws {
    let fixture = try Fixture()
    for graph in Self.graphs {
      try fixture.write(graph.text, graph.name)
      try expectRefusal(fixture, ["compile", graph.name, "-o", "out.so"], graph.message)
      try expectRefusal(fixture, ["inspect", graph.name], graph.message)
    }
    #expect(fixture.files == Self.graphs.map(\.name).sorted())
  }

  @Test func foldersAndMissingFilesAreRefused() throws {
    let fixture = try Fixture()
    for name in ["folder.mlir", "folder.onnx", "folder.so"] {
      try Files.makeFolder(fixture.path(name))
      try expectRefusal(fixture, ["compile", name, "-o", "out.so"], "it is a folder, not a graph")
    }
    for name in ["missing.mlir", "missing.onnx", "missing.so"] {
      try expectRefusal(fixture, ["bench", name], "the file does not exist")
    }
  }

  @Test func tensorsAreRefused() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    let cases: [(name: String, bytes: [UInt8], message: String)] = [
      ("empty.npy", [], "it is not a .npy file"),
      ("garbage.npy", Array("garbage".utf8), "it is not a .npy file"),
      (
        "header.npy", Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }) + [2, 0, 255, 255, 255, 255, 1],
        "cut off"
      ),
      ("short.npy", Self.numpy(shape: "(2, 3)", byteCount: 4), "4 bytes follow the header, expected 24"),
      (
        "huge.npy", Self.numpy(shape: "(1099511627776, 1099511627776)", byteCount: 4),
        "more elements than fit into memory"
      ),
      ("negative.npy", Self.numpy(shape: "(-2, 3)", byteCount: 24), "the extent -2"),
    ]
    for file in cases {
      try Files.write(file.bytes, to: fixture.path(file.name))
      for reference in [[], ["--reference"]] {
        let arguments = ["run", "layer.mlir", "--input", "arg0=\(file.name)", "--output-dir", "out"] + reference
        try expectRefusal(fixture, arguments, file.message)
      }
    }
    #expect(!fixture.files.contains("out"))
  }

  /// Extents that fit into 64 bits, but not into any machine.
  @Test func inputsBeyondTheMachineAreRefused() throws {
    let fixture = try Fixture()
    let text = Self.function("%x: tensor<?x4096xf32>) -> tensor<?x4096xf32>", "return %x : tensor<?x4096xf32>")
    try fixture.write(text, "long.mlir")
    #expect(try fixture.tfc("compile", "long.mlir", "-o", "liblong.so").code == 0)
    for (file, extent) in [("long.mlir", "90000000000"), ("liblong.so", "90000000000"), ("long.mlir", "9000000000000")]
    {
      try expectRefusal(fixture, ["bench", file, "--dim", "x_0=\(extent)"], "and this machine has")
    }
  }

  @Test func cutLibrariesAreRefused() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    #expect(try fixture.tfc("compile", "layer.mlir", "-o", "liblayer.so").code == 0)
    let whole = [UInt8](try Files.read(fixture.path("liblayer.so")))
    for count in [4, 40, 64, 500, 3000, 9000, whole.count - 1] {
      try Files.write(Array(whole.prefix(count)), to: fixture.path("cut.so"))
      let outcome = try fixture.tfc("bench", "cut.so")
      #expect(outcome.code == 2 && outcome.error.hasPrefix("cut.so: error: "), "\(count): \(outcome.error)")
    }
  }

  @Test func outputsThatCannotBeWrittenLeaveNothing() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    _ = try fixture.write(Fixture.layerInput, "x.npy")
    try Files.makeFolder(fixture.path("folder.so"))
    let before = fixture.files
    let cases: [(arguments: [String], message: String)] = [
      (["compile", "layer.mlir", "-o", "missing/out.so"], "missing: error: the folder does not exist"),
      (["compile", "layer.mlir", "-o", "folder.so"], "is not an ordinary file"),
      (["compile", "layer.mlir", "-o", ""], "is not that of a file"),
      (["compile", "layer.mlir", "-o", "/dev/null"], "is not an ordinary file"),
      (["compile", "layer.mlir", "--emit", "obj", "-o", "/dev/null"], "is not an ordinary file"),
      (["compile", "layer.mlir", "--emit", "llvm", "-o", "/dev/null"], "is not an ordinary file"),
      (["compile", "layer.mlir", "-o", "/proc/out.so"], "no folder can be made in /proc"),
      (
        ["run", "layer.mlir", "--input", "arg0=x.npy", "--output-dir", "x.npy"],
        "x.npy: error: the folder cannot be made"
      ),
      (["run", "layer.mlir", "--input", "arg0=x.npy", "--output-dir", "/proc/out"], "the folder cannot be made"),
    ]
    for (arguments, message) in cases { try expectRefusal(fixture, arguments, message, codes: [2, 3]) }
    #expect(fixture.files == before)
  }

  @Test func oddArgumentsAreRefused() throws {
    let fixture = try Fixture()
    try fixture.write(Fixture.layer, "layer.mlir")
    for arguments in [
      ["compile"], ["compile", "layer.mlir", "-o"], ["compile", "layer.mlir", "layer.mlir"],
      ["run", "--batch", "no.jsonl"],
      ["bench", "layer.mlir", "--seconds", "nan"], ["bench", "layer.mlir", "--seconds", "1e99"],
      ["bench", "layer.mlir", "--threads", "99999999999999999999"], ["bench", "layer.mlir", "--threads", "1025"],
      ["compile", "layer.mlir", "--dim", "n=99999999999999999999"], ["compile", "layer.mlir", "--dim", "=4"],
      ["run", "layer.mlir", "--input", "=x.npy", "--output-dir", "out"], ["run", "layer.mlir", "--input", "x"],
    ] {
      let outcome = try fixture.tfc(arguments)
      #expect(outcome.code == 2 && outcome.output.isEmpty && !outcome.error.isEmpty, "\(arguments): \(outcome.error)")
    }
    #expect(fixture.files == ["layer.mlir"])
  }

  private static func numpy(shape: String, byteCount: Int) -> [UInt8] {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + [UInt8](repeating: 0, count: byteCount)
  }

  private func expectRefusal(
    _ fixture: borrowing Fixture, _ arguments: [String], _ message: String, codes: [Int32] = [2]
  )
    throws
  {
    let outcome = try fixture.tfc(arguments)
    let first = outcome.error.prefix { $0 != "\n" }
    #expect(codes.contains(outcome.code), "\(arguments): \(outcome.code)")
    #expect(
      first.contains("error: ") && first.contains(message) && outcome.output.isEmpty, "\(arguments): \(outcome.error)")
  }
}
