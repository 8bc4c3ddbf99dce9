import Foundation
import IR
import Testing

@testable import Driver

/// The generated texts are those of the models that the runtime is tested with.
@Suite struct StubTests {
  private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Runtime/models")

  private func text(_ file: String) throws -> String {
    try String(contentsOf: Self.models.appending(path: file), encoding: .utf8)
  }

  private var affine: ModelInterface {
    var model = ModelInterface(
      name: "affine", build: "cpu=x86-64 precision=f32 fusion=on",
      inputs: [
        .init(name: "x", type: TensorType(.f32, fixed: [4, 3])), .init(name: "k", type: .scalar(.i32)),
      ],
      outputs: [.init(name: "y", type: TensorType(.f32, fixed: [4, 3]))])
    model.arenaByteCount = 48
    model.weights = .embedded(file: "affine.weights")
    model.weightByteCount = 12
    return model
  }

  private var pairs: ModelInterface {
    let (batch, seq) = (Extent.symbol("batch"), Extent.symbol("seq"))
    let longer = Extent(.maximum(batch, seq))
    var model = ModelInterface(
      name: "pairs", build: "cpu=x86-64 precision=f32 fusion=on",
      inputs: [
        .init(name: "ids", type: TensorType(.i32, [batch, seq])),
        .init(name: "mask", type: TensorType(.f32, [batch, 1, seq])),
        .init(name: "odd", type: TensorType(.f32, [seq * 2 + 1])),
      ],
      outputs: [
        .init(name: "scaled", type: TensorType(.f32, [batch, seq])),
        .init(name: "longer", type: TensorType(.i64, [longer])),
      ])
    model.symbols = [
      .init(symbol: Symbol("batch"), identifier: "batch", bounds: SymbolBounds(lower: 1, upper: 64)),
      .init(symbol: Symbol("seq"), identifier: "seq", bounds: SymbolBounds()),
    ]
    model.arenaByteCount = batch * seq * 4
    return model
  }

  private var step: ModelInterface {
    var model = ModelInterface(
      name: "step", build: "cpu=x86-64 precision=f32 fusion=on profile=on",
      inputs: [
        .init(name: "weights", type: TensorType(.f32, fixed: [5])), .init(name: "rate", type: .scalar(.f32)),
        .init(name: "nothing", type: TensorType(.f32, fixed: [0, 7])),
      ],
      outputs: [
        .init(name: "new_weights", type: TensorType(.f32, fixed: [5]), alias: 0),
        .init(name: "loss", type: .scalar(.f64)),
      ])
    model.usesStructs = true
    model.cpuFeatures = ["sse3", "sse4.2"]
    model.launchNames = ["sum of squares", "descend"]
    model.checkSentences = ["rate is negative"]
    return model
  }

  @Test func headersAreThoseOfTheHandWrittenModels() throws {
    #expect(Header(affine).text == (try text("libaffine.h")))
    #expect(Header(pairs).text == (try text("libpairs.h")))
    #expect(Header(step).text == (try text("libstep.h")))
  }

  @Test func stubsAreThoseOfTheHandWrittenModels() throws {
    #expect(Stub(affine).text == (try text("affine_stub.c")))
    #expect(Stub(pairs).text == (try text("pairs_stub.c")))
    #expect(Stub(step).text == (try text("step_stub.c")))
  }

  /// `pairs` with kernels for an OpenCL device beside those for the CPU.
  private var pairsOnDevice: ModelInterface {
    var model = pairs
    model.device = ModelInterface.Device(
      sourceFile: "kernels.cl", sourceByteCount: 321,
      functions: [
        .init(name: "scale", bufferCount: 2, symbolCount: 1, itemCount: 1),
        .init(name: "longer", bufferCount: 1, symbolCount: 2, itemCount: 256),
      ])
    model.device?.needs = ["TFC_OPENCL_F64"]
    model.device?.constantsOffset = 192
    model.device?.constantsByteCount = 20
    model.device?.arenaByteCount = .symbol("seq") * 8
    return model
  }

  @Test func aDeviceHasTablesOfItsOwn() {
    let text = Stub(pairsOnDevice).text
    #expect(text.hasPrefix("#include \"tfc_opencl.h\"\n"))
    #expect(
      text.contains(
        """
        TFC_EMBED(char, tfc_opencl_source, "kernels.cl");

        static const tfc_opencl_kernel tfc_opencl_kernels[] = {
            {"scale", 2, 1, 1},
            {"longer", 1, 2, 256},
        };

        static const tfc_opencl_code tfc_device_code = {
            .source = tfc_opencl_source,
            .source_byte_count = 321,
            .needs = TFC_OPENCL_F64,
            .kernel_count = 2,
            .kernels = tfc_opencl_kernels,
            .constants_offset = 192,
            .constants_byte_count = 20,
            .arena_byte_count = TFC_EXPRESSION(5),
            .program = tfc_opencl_program,
        };

        """))
    #expect(text.contains("    {\"arena on the device\", 1, 8, 0, NULL},\n};\n"))
    #expect(text.contains(".program = tfc_program_run,"))
    #expect(text.contains("    .backend = &tfc_opencl_backend,\n    .device_code = &tfc_device_code,\n"))
    #expect(
      text.contains(
        "    .functions_byte_count = sizeof(tfc_functions),\n    .entry_byte_count = sizeof(tfc_entry),\n};\n"))
    #expect(text.contains("TFC_DEVICE_MODEL(pairs)\n"))
    #expect(
      text.contains(
        """
        int32_t pairs_run_on_device(
            pairs *model, pairs_dims dims, void *ids, void *mask, void *odd, void *scaled, void *longer) {
          return tfc_run_on_device(
              (tfc_context *)model, 0, (void *const[]){ids, mask, odd}, (void *const[]){scaled, longer},
              (int64_t[]){dims.batch, dims.seq});
        }

        """))
  }

  @Test func aModelForDevicesOnlyHasNoProgramForTheCPU() {
    var model = pairsOnDevice
    model.runsOnCPU = false
    model.device?.functions = []
    model.device?.needs = []
    model.device?.constantsOffset = 0
    model.device?.constantsByteCount = 0
    model.device?.arenaByteCount = model.arenaByteCount
    let text = Stub(model).text
    #expect(!text.contains("tfc_program_run"))
    #expect(!text.contains("arena on the device"))
    #expect(
      text.contains(
        """
        static const tfc_opencl_code tfc_device_code = {
            .source = tfc_opencl_source,
            .source_byte_count = 321,
            .arena_byte_count = TFC_EXPRESSION(4),
            .program = tfc_opencl_program,
        };

        """))
  }

  @Test func headersOfDevicesTakeMemoryObjects() {
    let text = Header(pairsOnDevice).text
    #expect(text.contains("  const char *device;\n} pairs_options;\n"))
    #expect(
      text.contains(
        """
        int32_t pairs_run_on_device(
            pairs *model, pairs_dims dims,
            void *ids,    /* batch x seq */
            void *mask,   /* batch x 1 x seq */
            void *odd,    /* 2*seq + 1 */
            void *scaled, /* batch x seq */
            void *longer  /* max(batch, seq) */
        );

        """))
    #expect(text.contains("void *pairs_device_handle(const pairs *model, int32_t kind);\n"))
    #expect(text.contains("int32_t pairs_target(const pairs *model, const char **why);\n"))
    var model = step
    model.device = ModelInterface.Device(sourceFile: "kernels.cl", sourceByteCount: 0, functions: [])
    let structs = Header(model).text
    #expect(
      structs.contains(
        """
        typedef struct step_device_outputs {
          void *new_weights; /* 5, may be the buffer of `weights` */
          void *loss;        /* scalar */
        } step_device_outputs;

        """))
    #expect(
      structs.contains(
        "int32_t step_run_on_device(step *model, const step_device_inputs *inputs, const step_device_outputs *outputs);\n"
      ))
    #expect(Stub(model).text.contains("(void *const[]){inputs->weights, inputs->rate, inputs->nothing}"))
    #expect(!Header(step).text.contains("device") && !Stub(step).text.contains("device"))
  }

  @Test func namesBecomeIdentifiers() {
    #expect(IdentifierNames.modelName(ofLibrary: "libaffine.so") == "affine")
    #expect(IdentifierNames.modelName(ofLibrary: "my-net.v2.so") == "my_net_v2")
    #expect(IdentifierNames.modelName(ofLibrary: "lib.so") == "model")
    #expect(IdentifierNames.modelName(ofLibrary: "lib3d.so") == "model_3d")
    #expect(IdentifierNames.modelName(ofLibrary: "libint.so") == "int_model")
    #expect(IdentifierNames.modelName(ofLibrary: "libsem.so") == "sem_model")
    var names = IdentifierNames(reserved: ["model"])
    #expect(names.identifier(for: "a:0", fallback: "x") == "a_0")
    #expect(names.identifier(for: "a/0", fallback: "x") == "a_0_2")
    #expect(names.identifier(for: "double", fallback: "x") == "double_2")
    #expect(names.identifier(for: "model", fallback: "x") == "model_2")
    #expect(names.identifier(for: "__π__", fallback: "arg3") == "arg3")
  }

  @Test func textsFromFilesCannotLeaveTheirPlace() {
    #expect(CText.string("a\"b\\\n\u{e9}??=") == #""a\"b\\\012\303\251\?\?=""#)
  }

  /// Names as an ONNX file may have them; the compiler knows trigraphs, as C99 does.
  @Test func modelsMayHaveAnyNames() throws {
    let odd = "a**//b \"\\ ??/ ??' \u{e9}\u{2028}\r\n*/ int x; /* \\"
    var model = ModelInterface(
      name: "model", headerName: "lib\"\\\u{e9}??/.h", build: odd,
      inputs: [
        .init(name: odd, identifier: "x", type: TensorType(.f32, [.symbol(odd)])),
        .init(name: odd + "\\", identifier: "y", type: .scalar(.i1)),
      ], outputs: [.init(name: odd + "?", identifier: "z", type: TensorType(.f32, [.symbol(odd)]))])
    model.entry = odd
    model.symbols = [.init(symbol: Symbol(odd), identifier: "n", bounds: SymbolBounds())]
    model.launchNames = [odd]
    model.checkSentences = [odd]
    let fixture = try Fixture()
    try fixture.write(Header(model).text, "libmodel.h")
    try fixture.write(Stub(model).text, "stub.c")
    let strict = ["-std=c99", "-trigraphs", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    let header = try fixture.run(Fixture.compiler, strict + ["libmodel.h"])
    #expect(header.code == 0, "\(header.error)")
    let runtime = Self.models.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Runtime").path
    let stub = try fixture.run(
      Fixture.compiler,
      ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I\(runtime)", "-I\(runtime)/include", "-fsyntax-only", "stub.c"])
    #expect(stub.code == 0, "\(stub.error)")
  }

  @Test func expressionsSaturateInC() {
    let n = Extent.symbol("n")
    var table = ExpressionTable(symbols: [Symbol("n")])
    #expect(table.reference(to: Extent(7)) == "7")
    #expect(table.reference(to: n * n - 3) == "TFC_EXPRESSION(0)")
    #expect(table.reference(to: n * n - 3) == "TFC_EXPRESSION(0)")
    #expect(table.reference(to: Extent(.floorDivide(n, 2))) == "TFC_EXPRESSION(1)")
    #expect(
      table.functions == """
        static int64_t tfc_expression_0(const int64_t *s) { return tfc_add(tfc_multiply(s[0], s[0]), -3); }
        static int64_t tfc_expression_1(const int64_t *s) { return tfc_floor_divide(s[0], 2); }

        """)
  }

  @Test func dimensionsAreRead() {
    #expect(Options.Dimension("seq=8") == .init(symbol: "seq", lower: 8, upper: 8))
    #expect(Options.Dimension("seq=1..512") == .init(symbol: "seq", lower: 1, upper: 512))
    #expect(Options.Dimension("a=b=0..") == .init(symbol: "a=b", lower: 0, upper: nil))
    for text in ["", "=1", "seq", "seq=", "seq=-1", "seq=5..2", "seq=1..x", "seq=1.5"] {
      #expect(Options.Dimension(text) == nil)
    }
  }
}
