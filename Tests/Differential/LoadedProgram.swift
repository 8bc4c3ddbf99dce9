import Codegen
import CodegenLLVM
import Foundation
import IR

struct LoadError: Error, CustomStringConvertible {
  var description: String
}

/// A compiled program in this process, with a runtime of a few lines in which every task is a call, and lists
/// that may run side by side run in reverse.
struct LoadedProgram: ~Copyable {
  private typealias Run =
    @convention(c) (
      UnsafePointer<UnsafeRawPointer?>, UnsafePointer<UnsafeMutableRawPointer?>, UnsafeMutableRawPointer?,
      UnsafeRawPointer?, UnsafePointer<Int64>
    ) -> Int32

  private static let runtime = """
    #include <stdint.h>
    typedef void (*tfc_task)(void *const *, const int64_t *, int64_t, int64_t);
    typedef void (*tfc_list)(
        void *, const void *const *, void *const *, uint8_t *, const uint8_t *, const int64_t *);
    int32_t tfc_program_run(void *, const void *const *, void *const *, uint8_t *, const uint8_t *, const int64_t *);
    void tfc_parallel(
        void *context, tfc_task task, void *const *buffers, const int64_t *extents, int64_t count, int64_t grain) {
      (void)context;
      for (int64_t i = 0; i < count; i += grain) task(buffers, extents, i, i + grain < count ? i + grain : count);
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

  private let handle: UnsafeMutableRawPointer
  private let function: Run

  init(_ program: Program, _ compiler: LLVMCompiler) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = LLVMCompiler.Options()
    options.verifies = true
    var files: [String] = []
    for (position, bytes) in try compiler.compile(program, options: options).enumerated() {
      let file = folder.appending(path: "part\(position).o")
      try Data(bytes).write(to: file)
      files.append(file.path)
    }
    let (source, library) = (folder.appending(path: "runtime.c"), folder.appending(path: "library.so"))
    try Data(Self.runtime.utf8).write(to: source)
    let words = ["cc", "-shared", "-fPIC", "-O1", "-o", library.path, source.path] + files
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    arguments.append(nil)
    var (process, status): (pid_t, Int32) = (0, -1)
    guard posix_spawnp(&process, "cc", nil, nil, arguments, environ) == 0, waitpid(process, &status, 0) == process,
      status == 0
    else { throw LoadError(description: "cc cannot link the program") }
    guard let handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL), let symbol = dlsym(handle, "test_run") else {
      throw LoadError(description: dlerror().map { String(cString: $0) } ?? "the library has no test_run")
    }
    self.handle = handle
    function = unsafeBitCast(symbol, to: Run.self)
  }

  deinit { dlclose(handle) }

  /// The outputs for these inputs and values of the program's symbols.
  func run(_ program: Program, _ inputs: [Literal], symbols: [Int]) throws -> [Literal] {
    func value(_ extent: Extent) -> Int {
      extent.evaluated { atom in
        guard case .symbol(let s) = atom, let position = program.symbols.firstIndex(of: s) else { return nil }
        return symbols[position]
      } ?? 0
    }
    func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(64, count), alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
      return memory
    }
    let types = program.outputs.map { program.buffers[$0.index].type }
    let dimensions = types.map { $0.dimensions.map(value) }
    let byteCounts = zip(types, dimensions).map { $0.elementType.byteCount * $1.reduce(1, *) }
    let inputMemory = inputs.map { literal in
      let memory = allocate(literal.byteCount)
      memory.copyBytes(from: literal.expanded.bytes)
      return memory
    }
    let outputMemory = byteCounts.map(allocate)
    let arena = allocate(value(program.arenaByteCount))
    let constants = allocate(program.constants.map { $0.byteOffset + $0.value.byteCount }.max() ?? 0)
    for constant in program.constants {
      let place = UnsafeMutableRawBufferPointer(rebasing: constants[constant.byteOffset...])
      place.copyBytes(from: constant.value.expanded.bytes)
    }
    defer { for memory in inputMemory + outputMemory + [arena, constants] { memory.deallocate() } }
    let status = function(
      inputMemory.map { UnsafeRawPointer($0.baseAddress) } + [nil], outputMemory.map(\.baseAddress) + [nil],
      arena.baseAddress, UnsafeRawPointer(constants.baseAddress), symbols.map { Int64($0) } + [0])
    guard status == 0 else { throw LoadError(description: "the program returned \(status)") }
    return zip(types, outputMemory).enumerated().map { position, pair in
      let bytes = [UInt8](pair.1.prefix(byteCounts[position]))
      return Literal(pair.0.elementType, dimensions[position], bytes: bytes)
    }
  }
}
