import CodegenLLVM
import Foundation
import IR
import Passes
import Synchronization
import Testing

@testable import Codegen

/// A kernel over `count` elements in tasks of `block`, each `function` of the operands.
private func pointwise(
  _ name: String, _ function: ScalarFunction, _ type: ElementType, count: Extent, block: Int = 16, cost: Extent = 16
) throws -> Kernel {
  let target = try LLVMCompiler().target
  var builder = KernelBuilder(target: target)
  let sources = (0..<function.operandCount).map { _ in builder.addBuffer("x", type, isWritten: false) }
  let result = builder.addBuffer("y", type, isWritten: true)
  builder.setBound((count + block - 1).floorDivided(by: IntegerExpression(block)), ofVariable: Kernel.taskVariable)
  let position = IntegerExpression.task * block + .lane
  let mask = builder.isWithin(position, count, lanes: block)
  let values = sources.map { builder.load($0, at: position, lanes: block, mask: mask) }
  builder.store(builder.apply(function, values), result, at: position, lanes: block, mask: mask)
  let tasks = (count + block - 1).floorDivided(by: IntegerExpression(block))
  return builder.kernel(name: name, sources: [], taskCount: tasks, taskCost: cost)
}

private func compare(_ type: ElementType) throws -> Kernel {
  var builder = KernelBuilder(target: try LLVMCompiler().target)
  let (x, y) = (builder.addBuffer("x", type, isWritten: false), builder.addBuffer("y", type, isWritten: false))
  let result = builder.addBuffer("z", .i1, isWritten: true)
  let values = [builder.load(x, at: 0, lanes: 1), builder.load(y, at: 0, lanes: 1)]
  builder.store(builder.apply(.compare(.less, .signed), values), result, at: 0, lanes: 1)
  return builder.kernel(name: "less", sources: [], taskCount: 1, taskCost: 1)
}

@Suite struct ProgramTests {
  /// y = (x + c) * x with symbolic extents, an intermediate value in the arena, and a constant.
  private func symbolic() throws -> (ProgramDraft, [Literal]) {
    var draft = ProgramDraft()
    let (n, m) = (Extent.symbol("n"), Extent.symbol("m"))
    draft.program.symbols = [Symbol("m"), Symbol("n")]
    let count = n * m
    let padded = (count * 4 + 63).floorDivided(by: 64) * 64
    draft.program.arenaByteCount = padded * 2
    draft.program.constants = [
      Program.Constant(byteOffset: 64, value: Literal(.f32, [1], splat: .real(3))),
      Program.Constant(byteOffset: 128, value: Literal(.f32, [1024 * 8], splat: .real(3))),
    ]
    let x = draft.add(TensorType(.f32, [n, m]), .input(0))
    draft.program.inputs = [x]
    let c = draft.add(TensorType(.f32, [n, m]), .constant(byteOffset: 128))
    let sum = draft.add(TensorType(.f32, [n, m]), .arena(byteOffset: padded))
    let y = draft.addOutput(.f32, [n, m])
    let z = draft.addOutput(.f32, [n, m])
    let add = draft.launch(try pointwise("add", .add, .f32, count: count, cost: 1000), [x, c, sum])
    let multiply = draft.launch(try pointwise("multiply", .multiply, .f32, count: count, cost: 1000), [sum, x, y])
    for step in [add, multiply, .copy(from: sum, to: z)] { draft.append(step) }
    return (draft, [])
  }

  @Test(arguments: [(1, 1), (3, 5), (0, 4), (31, 200)]) func symbolsAreKnownWhenItRuns(n: Int, m: Int) throws {
    let (draft, _) = try symbolic()
    var options = LLVMCompiler.Options()
    options.verifies = true
    options.profiles = true
    let compiled = try CompiledProgram(draft.program, LLVMCompiler(), options)
    let x = Literal(.f32, [n, m], (0..<n * m).map { .real(Double($0 % 1000)) })
    let outputs = try compiled.run(draft.program, [x], symbols: [m, n])
    let sums: [Scalar] = x.scalars.map { .real($0.realValue + 3) }
    let products: [Scalar] = zip(x.scalars, sums).map { .real($0.realValue * $1.realValue) }
    #expect(outputs[0].scalars == products)
    #expect(outputs[1].scalars == sums)
    #expect(compiled.counter("test_parallel_count") == (n * m > 1000 ? 2 : 0))
    #expect(compiled.counter("test_begin_count") == 3)
    #expect(compiled.counter("test_end_count") == 3)
  }

  @Test func manyModulesGiveTheSameAsOne() throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f32, [40], (0..<40).map { .real(Double($0) / 7) }))
    for position in 0..<30 {
      let y = draft.addOutput(.f32, [40])
      let function: ScalarFunction = position % 2 == 0 ? .squareRoot : .negate
      draft.append(draft.launch(try pointwise("k\(position)", function, .f32, count: 40), [x, y]))
    }
    var options = LLVMCompiler.Options()
    let many = try draft.outputs(options: options)
    let text = try LLVMCompiler().assemblyText(draft.program)
    #expect(text.split(separator: "tfc_kernel_", omittingEmptySubsequences: false).count > 2)
    #expect(!text.contains("tfc_kernel_2_k2:"), "equal kernels are compiled once")
    options.isOneObject = true
    #expect(try draft.outputs(options: options) == many)
    #expect(try LLVMCompiler().compile(draft.program, options: options).count == 1)
  }

  @Test func whatTheCacheHasIsNotCompiled() throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f32, [40], (0..<40).map { .real(Double($0) / 7) }))
    let y = draft.addOutput(.f32, [40])
    draft.append(draft.launch(try pointwise("k", .squareRoot, .f32, count: 40), [x, y]))
    let kept = Mutex<[String: [UInt8]]>([:])
    let found = Mutex(0)
    let cache = ObjectCache { key in
      let object = kept.withLock { $0[key] }
      if object != nil { found.withLock { $0 += 1 } }
      return object
    } keep: { key, object in
      kept.withLock { $0[key] = object }
    }
    let first = try LLVMCompiler().compile(draft.program, cache: cache)
    #expect(kept.withLock(\.count) == 2)
    #expect(found.withLock { $0 } == 0)
    #expect(try LLVMCompiler().compile(draft.program, cache: cache) == first)
    #expect(found.withLock { $0 } == 2)
    // Another processor, another key.
    _ = try LLVMCompiler(cpu: "x86-64-v2").compile(draft.program, cache: cache)
    #expect(kept.withLock(\.count) == 4)
    // The name of a kernel is not in its code.
    draft.program.kernels[0].name = "other"
    #expect(try LLVMCompiler().compile(draft.program, cache: cache) == first)
  }

  /// while (i < n) { i = i + one; total = total + i }
  @Test func loopsRunUntilThePredicateIsFalse() throws {
    var draft = ProgramDraft()
    let n = draft.addInput(Literal(.i64, [1], splat: .integer(100)))
    let zero = draft.addInput(Literal(.i64, [1], splat: .integer(0)))
    let one = draft.addInput(Literal(.i64, [1], splat: .integer(1)))
    draft.program.arenaByteCount = 128
    let scalar = TensorType(.i64, fixed: [1])
    let i = draft.add(scalar, .arena(byteOffset: 0))
    let predicate = draft.add(TensorType(.i1, fixed: [1]), .arena(byteOffset: 64))
    let total = draft.addOutput(.i64, [1])
    draft.append(.copy(from: zero, to: i))
    draft.append(.copy(from: zero, to: total))
    let condition = draft.launch(try compare(.i64), [i, n, predicate])
    let next = draft.launch(try pointwise("next", .add, .i64, count: 1, block: 1), [i, one, i])
    let sum = draft.launch(try pointwise("sum", .add, .i64, count: 1, block: 1), [total, i, total])
    draft.append(.loop(condition: [condition], predicate: predicate, body: [next, sum]))
    #expect(try draft.outputs()[0][0] == .integer(5050))
    // The loop's kernels are in it, not called.
    let text = try LLVMCompiler().assemblyText(draft.program)
    #expect(!text.contains("call"))
  }

  @Test func branchesTakeTheIndexOrElseTheLast() throws {
    for (index, expected) in [(0, 1), (1, 2), (2, 3), (7, 3), (-1, 3)] {
      var draft = ProgramDraft()
      let number = draft.addInput(Literal(.i32, [], splat: .integer(Int64(index))))
      let results = (1...3).map { draft.addInput(Literal(.i64, [1], splat: .integer(Int64($0)))) }
      let y = draft.addOutput(.i64, [1])
      draft.append(.branch(index: number, branches: results.map { [.copy(from: $0, to: y)] }))
      #expect(try draft.outputs()[0][0] == .integer(Int64(expected)))
    }
    for (predicate, expected) in [(Scalar.true, 1), (.false, 2)] {
      var draft = ProgramDraft()
      let number = draft.addInput(Literal(.i1, [], splat: predicate))
      let results = (1...2).map { draft.addInput(Literal(.i64, [1], splat: .integer(Int64($0)))) }
      let y = draft.addOutput(.i64, [1])
      draft.append(.branch(index: number, branches: results.map { [.copy(from: $0, to: y)] }))
      #expect(try draft.outputs()[0][0] == .integer(Int64(expected)))
    }
  }

  /// One number many times is written where it is read, in loops and branches too; the program does not hold it.
  @Test(arguments: 0...3) func longSplatsAreWritten(rounds: Int) throws {
    let text = """
      func.func @main(%n: tensor<i32>, %x: tensor<200x200xf32>)
        -> (tensor<200x200xf32>, tensor<200x200xf32>, tensor<200x200xf32>, tensor<200x200xf32>) {
        %z = stablehlo.constant dense<2.5> : tensor<200x200xf32>
        %first = stablehlo.constant dense<0> : tensor<i32>
        %0:3 = stablehlo.while(%a = %z, %k = %first, %b = %x) : tensor<200x200xf32>, tensor<i32>, tensor<200x200xf32>
        cond {
          %c = stablehlo.compare LT, %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %c : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %y = stablehlo.constant dense<7.0> : tensor<200x200xf32>
          %s = stablehlo.add %a, %b : tensor<200x200xf32>
          %next = stablehlo.add %k, %one : tensor<i32>
          %p = stablehlo.compare EQ, %next, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          %d = "stablehlo.if"(%p) ({
            stablehlo.return %y : tensor<200x200xf32>
          }, {
            stablehlo.return %b : tensor<200x200xf32>
          }) : (tensor<i1>) -> tensor<200x200xf32>
          stablehlo.return %s, %next, %d : tensor<200x200xf32>, tensor<i32>, tensor<200x200xf32>
        }
        return %0#0, %z, %z, %0#2 : tensor<200x200xf32>, tensor<200x200xf32>, tensor<200x200xf32>, tensor<200x200xf32>
      }
      """
    let module = try Module(parsing: text)
    let function = try #require(module.entry)
    let compiler = try LLVMCompiler()
    let fused = try PassPipeline().run(function, in: module).function
    let program = try Program(fused, target: compiler.target)
    #expect(program.constants.allSatisfy { $0.value.byteCount < 1000 })
    let x = Literal(.f32, [200, 200], (0..<40_000).map { .real(Double($0 % 13) / 8) })
    let inputs = [Literal.scalar(.integer(Int64(rounds)), .i32), x]
    let expected = try function.graph.evaluate(inputs, in: EvaluationContext())
    let found = try CompiledProgram(program, compiler).run(program, inputs, symbols: [])
    for (result, right) in zip(found, expected) { #expect(result.scalars == right.scalars) }
  }

  @Test func launchesInPlaceAreRight() throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f32, [37], (0..<37).map { .real(Double($0)) }))
    let y = draft.addOutput(.f32, [37])
    draft.append(.copy(from: x, to: y))
    draft.append(draft.launch(try pointwise("double", .add, .f32, count: 37), [y, y, y]))
    #expect(try draft.outputs()[0].scalars == (0..<37).map { .real(Double(2 * $0)) })
  }

  @Test func assemblyUsesTheVectorsOfTheProcessor() throws {
    for (cpu, register, bytes) in [("x86-64-v4", "zmm", 64), ("x86-64-v3", "ymm", 32), ("x86-64-v2", "xmm", 16)] {
      let compiler = try LLVMCompiler(cpu: cpu)
      #expect(compiler.target.vectorByteCount == bytes)
      #expect(compiler.target.hasMultiplyAdd == (bytes > 16))
      var draft = ProgramDraft()
      let x = draft.addInput(Literal(.f32, [64], splat: .real(1)))
      let y = draft.addOutput(.f32, [64])
      draft.append(draft.launch(try pointwise("sqrt", .squareRoot, .f32, count: 64), [x, y]))
      #expect(try compiler.assemblyText(draft.program).contains(register))
      #expect(try compiler.llvmText(draft.program).contains("llvm.sqrt.v16f32"))
    }
  }

  /// LLVM, left alone, does these in f16, which the processors have for no vectors: element by element.
  @Test(
    arguments: [ScalarFunction.maximum, .minimum, .clamp, .sign, .floor, .roundNearestEven], ["x86-64-v4", "x86-64-v3"])
  func vectorsOfHalvesStayVectors(_ function: ScalarFunction, cpu: String) throws {
    var draft = ProgramDraft()
    let x = draft.addInput(Literal(.f16, [64], splat: .real(1)))
    let y = draft.addOutput(.f16, [64])
    let kernel = try pointwise("k", function, .f16, count: 64)
    draft.append(draft.launch(kernel, Array(repeating: x, count: function.operandCount) + [y]))
    let text = try LLVMCompiler(cpu: cpu).assemblyText(draft.program)
    #expect(text.contains("vcvtph2ps"))
    for scalar in ["ucomiss", "cmpltss", "vrndscaless", "vroundss"] { #expect(!text.contains(scalar), "\(scalar)") }
  }

  @Test func processorsAreKnownByTheirFeatures() throws {
    let oldest = try LLVMCompiler(cpu: "x86-64-v2").features
    #expect(oldest == ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf"])
    #expect(try LLVMCompiler(cpu: "x86-64-v4").features.contains("avx512bw"))
    #expect(try LLVMCompiler(cpu: "haswell").features.contains("fma"))
    #expect(throws: LLVMError.self) { try LLVMCompiler(cpu: "x86-64") }
    #expect(throws: LLVMError.self) { try LLVMCompiler(cpu: "no-such-processor") }
  }
}
