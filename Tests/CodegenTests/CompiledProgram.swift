import CodegenLLVM
import Foundation
import IR

@testable import Codegen

/// A program under construction, with the bytes of its inputs.
struct ProgramDraft {
  var program = Program(
    name: "test", symbols: [], buffers: [], constants: [], kernels: [], steps: [], arenaByteCount: 0, inputs: [],
    outputs: [])
  var inputs: [Literal] = []

  mutating func add(_ type: TensorType, _ place: Program.Place) -> BufferID {
    program.buffers.append(Program.Buffer(type: type, place: place))
    return BufferID(program.buffers.count - 1)
  }

  mutating func addInput(_ literal: Literal) -> BufferID {
    let buffer = add(literal.type, .input(inputs.count))
    inputs.append(literal)
    program.inputs.append(buffer)
    return buffer
  }

  mutating func addOutput(_ type: ElementType, _ dimensions: [Extent]) -> BufferID {
    let buffer = add(TensorType(type, dimensions), .output(program.outputs.count))
    program.outputs.append(buffer)
    return buffer
  }

  mutating func launch(_ kernel: Kernel, _ buffers: [BufferID]) -> Program.Step {
    program.kernels.append(kernel)
    return .launch(Program.Launch(kernel: program.kernels.count - 1, buffers: buffers))
  }

  mutating func append(_ step: Program.Step) { program.steps.append(step) }
}

struct TestFailure: Error, CustomStringConvertible {
  var description: String
}

/// A compiled program in this process.
struct CompiledProgram: ~Copyable {
  typealias Run =
    @convention(c) (
      UnsafePointer<UnsafeRawPointer?>, UnsafePointer<UnsafeMutableRawPointer?>, UnsafeMutableRawPointer?,
      UnsafeRawPointer?, UnsafePointer<Int64>
    ) -> Int32

  /// Whether this machine runs what is compiled for `x86-64-v4`.
  static let runsAVX512 = (try? LLVMCompiler().features.contains("avx512bw")) ?? false

  static let runtime = """
    #include <stdint.h>
    typedef void (*tfc_task)(void *const *, const int64_t *, int64_t, int64_t);
    typedef void (*tfc_list)(
        void *, const void *const *, void *const *, uint8_t *, const uint8_t *, const int64_t *);
    int32_t tfc_program_run(void *, const void *const *, void *const *, uint8_t *, const uint8_t *, const int64_t *);
    int64_t test_parallel_count, test_begin_count, test_end_count;
    void tfc_profile_begin(void *context, int32_t launch) { (void)context; test_begin_count += launch + 1; }
    void tfc_profile_end(void *context, int32_t launch) { (void)context; test_end_count += launch + 1; }
    void tfc_parallel(
        void *context, tfc_task task, void *const *buffers, const int64_t *extents, int64_t count, int64_t grain) {
      (void)context;
      test_parallel_count++;
      // The last tasks first: what one writes over another's results is not written again.
      int64_t end = count;
      while (end > 0) {
        int64_t first = (end - 1) / grain * grain;
        task(buffers, extents, first, end);
        end = first;
      }
    }
    void tfc_concurrent(
        void *context, const tfc_list *lists, int32_t count, const void *const *inputs, void *const *outputs,
        uint8_t *arena, const uint8_t *constants, const int64_t *symbols) {
      while (count-- > 0) lists[count](context, inputs, outputs, arena, constants, symbols);
    }
    int32_t test_run(
        const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
        const int64_t *symbols) {
      return tfc_program_run(0, inputs, outputs, arena, constants, symbols);
    }
    """

  /// What programs with tiles call.
  private static let tiles = """
    #include <stdint.h>
    int32_t tfc_has_f16_tiles(void) { return HAS_F16; }
    int32_t tfc_has_bf16_tiles(void) { return 1; }
    """

  let folder: URL
  private let handle: UnsafeMutableRawPointer
  private let function: Run
  private var tileEmulator: TileEmulator?

  init(_ program: Program, _ compiler: LLVMCompiler, _ options: LLVMCompiler.Options = .init()) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var objects: [String] = []
    for (position, bytes) in try compiler.compile(program, options: options).enumerated() {
      let file = folder.appending(path: "part\(position).o")
      try Data(bytes).write(to: file)
      objects.append(file.path)
    }
    let (source, library) = (folder.appending(path: "runtime.c"), folder.appending(path: "library.so"))
    try Data(Self.runtime.utf8).write(to: source)
    if program.kernels.contains(where: { !$0.tileFormats.isEmpty }) {
      let tiles = folder.appending(path: "tiles.c")
      try Data(Self.tiles.utf8).write(to: tiles)
      let emulator = try TileEmulator.installed.get()
      objects += ["-DHAS_F16=\(emulator.hasF16 ? 1 : 0)", tiles.path]
      tileEmulator = emulator
    }
    try Self.call("cc", ["-shared", "-fPIC", "-O1", "-o", library.path, source.path] + objects)
    guard let handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL), let symbol = dlsym(handle, "test_run") else {
      throw TestFailure(description: dlerror().map { String(cString: $0) } ?? "the library has no test_run")
    }
    self.handle = handle
    function = unsafeBitCast(symbol, to: Run.self)
  }

  deinit {
    dlclose(handle)
    try? FileManager.default.removeItem(at: folder)
  }

  @discardableResult
  static func call(_ tool: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw TestFailure(description: "\(tool) failed: \(text)") }
    return text
  }

  /// How many tile instructions the emulator has executed on this thread; nil where the processor has tiles or the
  /// program none.
  var tileInstructionCount: Int? { tileEmulator?.instructionCount }

  func counter(_ name: String) -> Int {
    dlsym(handle, name).map { Int($0.load(as: Int64.self)) } ?? -1
  }

  /// The symbols that the library needs from others than libc.
  func foreignSymbols() throws -> [String] {
    let text = try Self.call("nm", ["-u", "--format=just-symbols", folder.appending(path: "library.so").path])
    let names = text.split(whereSeparator: \.isWhitespace).map { String($0.prefix { $0 != "@" }) }
    let known: Set = [
      "__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "memmove",
      "memcpy", "memset",
    ]
    return names.filter { !known.contains($0) }
  }

  private static let guardByteCount = 256

  /// The outputs, for these inputs and values of the program's symbols.
  func run(_ program: Program, _ inputs: [Literal], symbols: [Int] = []) throws -> [Literal] {
    func value(_ extent: Extent) -> Int {
      extent.evaluated { atom in
        guard case .symbol(let s) = atom, let position = program.symbols.firstIndex(of: s) else { return nil }
        return symbols[position]
      } ?? 0
    }
    let outputTypes = program.outputs.map { program.buffers[$0.index].type }
    let outputDimensions = outputTypes.map { $0.dimensions.map(value) }
    let byteCounts = zip(outputTypes, outputDimensions).map { $0.elementType.byteCount * $1.reduce(1, *) }
    func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(64, count), alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
      return memory
    }
    let inputMemory = inputs.map { literal in
      let memory = allocate(literal.byteCount)
      memory.copyBytes(from: literal.expanded.bytes)
      return memory
    }
    // What lies behind the outputs is not theirs.
    let outputMemory = byteCounts.map { allocate($0 + Self.guardByteCount) }
    let arena = allocate(value(program.arenaByteCount))
    let constantCount = program.constants.map { $0.byteOffset + $0.value.byteCount }.max() ?? 0
    let constants = allocate(constantCount)
    for constant in program.constants {
      UnsafeMutableRawBufferPointer(rebasing: constants[constant.byteOffset...]).copyBytes(
        from: constant.value.expanded.bytes)
    }
    defer { for memory in inputMemory + outputMemory + [arena, constants] { memory.deallocate() } }
    let status = function(
      inputMemory.map { UnsafeRawPointer($0.baseAddress) } + [nil],
      outputMemory.map(\.baseAddress) + [nil], arena.baseAddress, UnsafeRawPointer(constants.baseAddress),
      symbols.map { Int64($0) } + [0])
    guard status == 0 else { throw TestFailure(description: "the program returned \(status)") }
    var outputs: [Literal] = []
    for (position, type) in outputTypes.enumerated() {
      let behind = outputMemory[position][byteCounts[position]..<byteCounts[position] + Self.guardByteCount]
      guard behind.allSatisfy({ $0 == 0xA5 }) else {
        throw TestFailure(description: "the program wrote behind the end of output \(position)")
      }
      let bytes = [UInt8](outputMemory[position].prefix(byteCounts[position]))
      outputs.append(Literal(type.elementType, outputDimensions[position], bytes: bytes))
    }
    return outputs
  }
}

extension ProgramDraft {
  /// Compiles, runs and gives the outputs.
  func outputs(
    cpu: String = "native", symbols: [Int] = [], options: LLVMCompiler.Options = LLVMCompiler.Options()
  ) throws -> [Literal] {
    var options = options
    options.verifies = true
    let compiled = try CompiledProgram(program, LLVMCompiler(cpu: cpu), options)
    return try compiled.run(program, inputs, symbols: symbols)
  }
}
