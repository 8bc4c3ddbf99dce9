import Foundation
import IR
import Testing

@testable import Codegen
@testable import CodegenLLVM

/// What a host program asks of the runtime, call by call.
@Suite struct DeviceProgramTests {
  /// Writes down each call; reads get the answers in order, then 0.
  private static func runtime(argumentCounts: [Int]) -> String {
    """
    #include <stdarg.h>
    #include <stdint.h>
    #include <stdio.h>
    int32_t tfc_opencl_program(void *context, const int64_t *symbols);
    static const int counts[] = {\(argumentCounts.map(String.init).joined(separator: ", "))};
    static char text[1 << 16];
    static int length;
    static const int64_t *answers;
    static int64_t answer_count;
    static void write(const char *format, ...) {
      va_list arguments;
      va_start(arguments, format);
      length += vsnprintf(text + length, sizeof text - length, format, arguments);
      va_end(arguments);
    }
    void tfc_opencl_launch(
        void *context, int32_t launch, int32_t kernel, const int64_t *arguments, int64_t task_count) {
      write("launch %d of %d:", launch, kernel);
      for (int i = 0; i < counts[kernel]; i++) write(" %lld", (long long)arguments[i]);
      write("; %lld tasks%s\\n", (long long)task_count, context ? "" : " without a context");
    }
    void tfc_opencl_copy(
        void *context, int64_t from, int64_t from_offset, int64_t to, int64_t to_offset, int64_t byte_count) {
      write("copy %lld+%lld to %lld+%lld: %lld bytes%s\\n", (long long)from, (long long)from_offset, (long long)to,
            (long long)to_offset, (long long)byte_count, context ? "" : " without a context");
    }
    int64_t tfc_opencl_read(void *context, int64_t memory, int64_t offset, int32_t byte_count) {
      int64_t answer = answer_count > 0 ? *answers++ : 0;
      answer_count--;
      write("read %lld+%lld: %d bytes%s\\n", (long long)memory, (long long)offset, byte_count,
            context ? "" : " without a context");
      return answer;
    }
    const char *test_run(const int64_t *symbols, const int64_t *given, int64_t given_count) {
      length = 0;
      text[0] = 0;
      answers = given;
      answer_count = given_count;
      if (tfc_opencl_program(text, symbols) != 0) write("failed\\n");
      return text;
    }
    """
  }

  /// The calls of the program, for these values of its symbols and these answers to its reads.
  private func calls(_ device: DeviceProgram, symbols: [Int] = [], answers: [Int] = []) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = LLVMCompiler.Options()
    options.verifies = true
    try Data(try LLVMCompiler().compile(device, options: options)).write(to: folder.appending(path: "host.o"))
    var counts = [Int](repeating: 0, count: (device.functions.map(\.number).max() ?? 0) + 1)
    for (kernel, function) in zip(device.program.kernels, device.functions) {
      counts[function.number] = 2 * kernel.buffers.count + function.symbols.count
    }
    try Data(Self.runtime(argumentCounts: counts).utf8).write(to: folder.appending(path: "runtime.c"))
    let files = ["library.so", "runtime.c", "host.o"].map { folder.appending(path: $0).path }
    try CompiledProgram.call("cc", ["-shared", "-fPIC", "-o"] + files)
    typealias Run =
      @convention(c) (UnsafePointer<Int64>, UnsafePointer<Int64>, Int64) -> UnsafePointer<CChar>
    let handle = try #require(dlopen(files[0], RTLD_NOW | RTLD_LOCAL))
    defer { dlclose(handle) }
    let run = unsafeBitCast(try #require(dlsym(handle, "test_run")), to: Run.self)
    func array(_ numbers: [Int]) -> [Int64] { (numbers + [0]).map { Int64($0) } }
    let text = String(cString: run(array(symbols), array(answers), Int64(answers.count)))
    return text.split(separator: "\n").map(String.init)
  }

  private func kernel(_ name: String, bufferCount: Int, taskCount: Extent) throws -> Kernel {
    var builder = KernelBuilder(target: try LLVMCompiler().target)
    for _ in 0..<bufferCount { _ = builder.addBuffer("x", .f32, isWritten: true) }
    return builder.kernel(name: name, sources: [], taskCount: taskCount, taskCost: 1)
  }

  @Test func launchesNameMemoryOffsetsAndSymbols() throws {
    var draft = ProgramDraft()
    let (n, m) = (Extent.symbol("n"), Extent.symbol("m"))
    draft.program.symbols = [Symbol("m"), Symbol("n")]
    let x = draft.addInput(Literal(.f32, [2], splat: .real(0)))
    let y = draft.addInput(Literal(.f32, [3], splat: .real(0)))
    let first = draft.addOutput(.f32, [n])
    let second = draft.addOutput(.f32, [n, m])
    let constant = draft.add(TensorType(.f32, fixed: [5]), .constant(byteOffset: 128))
    let scratch = draft.add(TensorType(.f32, [n]), .arena(byteOffset: n * 64 + 192))
    let one = draft.launch(try kernel("one", bufferCount: 3, taskCount: n + m), [x, constant, scratch])
    let two = draft.launch(try kernel("two", bufferCount: 2, taskCount: 7), [y, second])
    for step in [one, two, .copy(from: scratch, to: first), two] { draft.append(step) }
    let device = DeviceProgram(
      draft.program,
      functions: [.init(number: 1, symbols: [Symbol("n"), Symbol("m")]), .init(number: 0, symbols: [Symbol("m")])])
    #expect(
      try calls(device, symbols: [3, 5]) == [
        "launch 0 of 1: 2 0 1 128 0 512 5 3; 8 tasks", "launch 1 of 0: 3 0 5 0 3; 7 tasks",
        "copy 0+512 to 4+0: 20 bytes", "launch 2 of 0: 3 0 5 0 3; 7 tasks",
      ])
  }

  @Test func theHostReadsWhatDecides() throws {
    var draft = ProgramDraft()
    let number = draft.addInput(Literal(.i32, [], splat: .integer(0)))
    let predicate = draft.add(TensorType(.i1, fixed: []), .arena(byteOffset: 64))
    func launch(_ name: String) throws -> Program.Step {
      draft.launch(try kernel(name, bufferCount: 1, taskCount: 1), [predicate])
    }
    let steps = try (0..<9).map { try launch("k\($0)") }
    draft.append(.loop(condition: [steps[0]], predicate: predicate, body: [steps[1]]))
    draft.append(.branch(index: number, branches: [[steps[2]], [steps[3]], [steps[4]]]))
    draft.append(.branch(index: predicate, branches: [[steps[5]], [steps[6]]]))
    draft.append(.choice(.holds(predicate), then: [steps[7]], otherwise: [steps[8]]))
    let device = DeviceProgram(
      draft.program, functions: draft.program.kernels.indices.map { .init(number: $0, symbols: []) })
    func order(_ answers: [Int]) throws -> [String] {
      try calls(device, answers: answers).map { String($0.prefix { $0 != ";" && $0 != "b" }) }
    }
    func launch(_ number: Int) -> String { "launch \(number) of \(number): 0 64" }
    let (flag, index) = ("read 0+64: 1 ", "read 2+0: 4 ")
    #expect(
      try order([1, 1, 0, 1, 1, 0]) == [
        launch(0), flag, launch(1), launch(0), flag, launch(1), launch(0), flag, index, launch(3), flag, launch(5),
        flag, launch(8),
      ])
    // An index out of range takes the last branch; after an error every read gives 0, and the program ends.
    for last in [2, 3, -1, 1 << 31] {
      #expect(
        try order([0, last, 0, 1]) == [
          launch(0), flag, index, launch(4), flag, launch(6), flag, launch(7),
        ])
    }
    #expect(try order([]) == [launch(0), flag, index, launch(2), flag, launch(6), flag, launch(8)])
  }

  @Test func repetitionsAreCountedByTheHost() throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f32, [2], splat: .real(0)))
    func launch(_ name: String) throws -> Program.Step {
      draft.launch(try kernel(name, bufferCount: 1, taskCount: 1), [x])
    }
    let (outer, inner) = (try launch("outer"), try launch("inner"))
    draft.append(.repetition(count: 2, body: [outer, .repetition(count: 3, body: [inner])]))
    let device = DeviceProgram(draft.program, functions: [0, 1].map { .init(number: $0, symbols: []) })
    let round = ["launch 0 of 0"] + Array(repeating: "launch 1 of 1", count: 3)
    #expect(try calls(device).map { String($0.prefix { $0 != ":" }) } == round + round)
  }

  @Test func extentsAreComparedOnTheHost() throws {
    var draft = ProgramDraft()
    draft.program.symbols = [Symbol("n")]
    let x = draft.addInput(Literal(.f32, [2], splat: .real(0)))
    let many = draft.launch(try kernel("many", bufferCount: 1, taskCount: .symbol("n")), [x])
    let few = draft.launch(try kernel("few", bufferCount: 1, taskCount: .symbol("n")), [x])
    draft.append(.choice(.atLeast(.symbol("n") * 2, 8), then: [many], otherwise: [few]))
    let device = DeviceProgram(draft.program, functions: [0, 1].map { .init(number: $0, symbols: []) })
    #expect(try calls(device, symbols: [4]) == ["launch 0 of 0: 2 0; 4 tasks"])
    #expect(try calls(device, symbols: [3]) == ["launch 1 of 1: 2 0; 3 tasks"])
  }

  @Test func theHostProgramRunsOnEveryProcessor() throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f32, [2], splat: .real(0)))
    draft.append(draft.launch(try kernel("k", bufferCount: 1, taskCount: 1), [x]))
    let device = DeviceProgram(draft.program, functions: [.init(number: 0, symbols: [])])
    let text = try LLVMCompiler(cpu: "x86-64-v4").assemblyText(device)
    #expect(text == (try LLVMCompiler(cpu: "x86-64-v2").assemblyText(device)))
    #expect(text.contains("tfc_opencl_program:") && !text.contains("tfc_program_run") && !text.contains("ymm"))
    #expect(try LLVMCompiler().llvmText(device).contains("@tfc_opencl_launch"))
  }
}
