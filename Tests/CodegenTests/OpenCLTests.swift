import CodegenOpenCL
import IR
import Testing

@testable import Codegen

/// Kernels as OpenCL C: what they mean on a device, and how they read.
@Suite(.serialized) struct OpenCLTests {
  static let target = Target.openCL(.portable)

  private func differences(_ cases: [FunctionCase], lanes: Int) throws -> [String] {
    let draft = try program(of: cases, Self.target, lanes: lanes)
    return try CodegenTests.differences(cases, OpenCLDevice().run(draft.program, draft.inputs))
  }

  @Test(arguments: [1, 4, 16]) func primitivesMeanWhatEvaluateSays(lanes: Int) throws {
    let found = try differences(primitives, lanes: lanes)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  @Test(arguments: [1, 4, 16]) func conversionsMeanWhatEvaluateSays(lanes: Int) throws {
    let found = try differences(conversions, lanes: lanes)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  /// Every elementary function of f32 on a device that says it has no f64.
  @Test(arguments: [1, 4]) func functionsStayWithinBoundsWithoutF64(lanes: Int) throws {
    let target = Target.openCL(.portable, hasF64: false)
    let exact = Set(mathCasesWithoutF64.map(\.function))
    let cases = mathCasesWithoutF64 + mathCases.filter { !exact.contains($0.function) }
    let found = try MathTests.faults(cases, .f32, target, lanes: lanes, count: 2000) { draft in
      let source = OpenCLSource(draft.program)
      #expect(!source.usesF64 && !source.text.contains("double") && !source.text.contains("cl_khr_fp64"))
      return try OpenCLDevice().run(draft.program, draft.inputs)
    }
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  // MARK: Text

  private func text(itemCount: Int = 1, tasks: Extent = 1000, _ write: (inout KernelBuilder, Memory) -> Void) -> String
  {
    var builder = KernelBuilder(target: Self.target)
    builder.itemCount = itemCount
    builder.setBound(tasks, ofVariable: Kernel.taskVariable)
    let memory = builder.addBuffer("x", .f32, isWritten: true)
    write(&builder, memory)
    var draft = ProgramDraft()
    draft.program.symbols = [Symbol("n"), Symbol("a.b"), Symbol("a/b")]
    let output = draft.addOutput(.f32, [tasks])
    draft.append(
      draft.launch(
        builder.kernel(name: "test", sources: ["add (model.mlir:3:1)"], taskCount: tasks, taskCost: 1), [output]))
    return OpenCLSource(draft.program).text
  }

  @Test func kernelsSayWhatTheyComeFrom() {
    let text = text { b, x in b.store(b.constant(1, .f32), x, at: .task, lanes: 1) }
    #expect(text.contains("// add (model.mlir:3:1)\n__kernel void k_test("))
    #expect(text.contains("x[task] = 1.0f;"))
  }

  @Test func commentsHoldAnyText() {
    #expect(CComment.text("add (model.mlir:3:1)") == "add (model.mlir:3:1)")
    #expect(CComment.text("a**//b */ /* /*/") == "a** //b * / / * / * /")
    #expect(CComment.text("x\r\ny\0\u{7F}") == "x  y  ")
    #expect(CComment.text("what???/") == "what? ? ?/")
    #expect(CComment.text("*\\ folder\\") == "* / folder/")
    #expect(CComment.text("\u{e9}\u{2028}\u{1F600}\u{85}") == "<U+00E9><U+2028><U+1F600><U+0085>")
  }

  /// Loops compute the vectors that the device prefers, or narrower ones that divide a line, of 16 bytes at least.
  @Test func vectorsAreAsWideAsTheDevicePrefers() throws {
    var device = WorkGroups.portable
    device.vectorByteCount = 64
    #expect(device.lanes(byteCount: 1) == 16 && device.lanes(byteCount: 8) == 8)
    for (extent, type) in [(48, "float16 "), (40, "float8 "), (12, "float4 "), (6, "float ")] {
      var graph = Graph()
      let x = graph.addParameter(TensorType(.f32, fixed: [extent]))
      graph.results = [try graph.append(.pointwise(.add), [x, x])]
      let function = Function(name: "main", graph: try ScheduleCase.fused(graph, .loop))
      let text = OpenCLSource(try Program(function, target: .openCL(device))).text
      #expect(text.contains("const \(type)r"), "\(text)")
    }
  }

  @Test func positionsAreAsWideAsTheyNeedBe() {
    let narrow = text { b, x in b.store(b.constant(1, .f32), x, at: .task * 3 + 1, lanes: 1) }
    #expect(narrow.contains("const int task"))
    #expect(narrow.contains("x[task * 3 + 1]"))
    let wide = text { b, x in b.store(b.constant(1, .f32), x, at: .task * 4_000_000 + 1, lanes: 1) }
    #expect(wide.contains("x[(long)task * 4000000L + 1L]"))
    let symbolic = text(tasks: .symbol("n")) { b, x in
      b.store(b.constant(1, .f32), x, at: .task * .symbol("n"), lanes: 1)
    }
    #expect(symbolic.contains("const long task"))
    #expect(symbolic.contains("long n_n,"))
  }

  /// A loop's variable ends beyond the last of its values.
  @Test func loopsCountAsFarAsTheyGo() {
    func loop(to upper: Int, step: Int) -> String {
      text { b, x in
        _ = b.loop(to: IntegerExpression(upper), step: step) { b, position, _ in
          b.store(b.constant(1, .f32), x, at: position, lanes: 1)
          return []
        }
      }
    }
    #expect(loop(to: 2_147_483_000, step: 4).contains("for (int "))
    #expect(loop(to: 2_147_483_500, step: 1024).contains("for (long "))
    #expect(loop(to: 2_147_483_647, step: 1).contains("for (long "))
  }

  @Test func symbolsHaveDifferentNames() {
    let text = text(tasks: .symbol("a.b")) { b, x in
      b.store(b.constant(1, .f32), x, at: .task * .symbol("a/b") + .symbol("a.b"), lanes: 1)
    }
    #expect(text.contains("long n_a_b,\n    long n_a_b_1,"))
    #expect(text.contains("x[n_a_b + n_a_b_1 * task]"), "\(text)")
  }

  @Test func itemsShareMemoryAndWait() {
    let text = text(itemCount: 64) { b, x in
      let shared = b.addShared(.f32, count: 64)
      b.store(b.constant(2, .f32), shared, at: .item, lanes: 1)
      b.append(.barrier)
      b.store(b.load(shared, at: IntegerExpression(63) - .item, lanes: 1), x, at: .task * 64 + .item, lanes: 1)
    }
    #expect(text.contains("__attribute__((reqd_work_group_size(64, 1, 1)))"))
    #expect(text.contains("__local float shared0[64] __attribute__((aligned(16)));"))
    #expect(text.contains("barrier(CLK_LOCAL_MEM_FENCE);"))
  }

  @Test func equalKernelsAreOneFunction() {
    var draft = ProgramDraft()
    for name in ["first", "second"] {
      var builder = KernelBuilder(target: Self.target)
      let memory = builder.addBuffer("x", .f32, isWritten: true)
      builder.store(builder.constant(1, .f32), memory, at: .task, lanes: 1)
      let kernel = builder.kernel(name: name, sources: [], taskCount: 8, taskCost: 1)
      draft.append(draft.launch(kernel, [draft.addOutput(.f32, [8])]))
    }
    let source = OpenCLSource(draft.program)
    #expect(source.functions.map(\.name) == ["k_first"])
    #expect(source.functionOfKernel == [0, 0])
  }
}
