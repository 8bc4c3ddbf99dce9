import CodegenLLVM
import IR
import Passes
import Testing

@testable import Codegen

/// What loops launch once, before their first round.
@Suite struct InvariantStepTests {
  private func program(_ text: String) throws -> Program {
    let module = try Module(parsing: text)
    let function = try PassPipeline().run(try #require(module.entry), in: module).function
    return try Program(function, target: LLVMCompiler(cpu: "x86-64-v3").target)
  }

  /// The names of what is launched before the loop, and in it.
  private func names(_ program: Program) -> (before: [String], within: [String]) {
    var names: (before: [String], within: [String]) = ([], [])
    program.forEachLaunch { launch, depth in
      let name = program.kernels[launch.kernel].name
      if depth == 0 { names.before.append(name) } else { names.within.append(name) }
    }
    return names
  }

  /// `v` of 40 rows times `weights` in every round.
  private func loop(_ weights: String, in body: String, result: String = "%p") -> String {
    """
    func.func @main(%x: tensor<40x40xf32>, %w: tensor<40x40xf32>, %n: tensor<i32>) -> tensor<40x40xf32> {
      %zero = stablehlo.constant dense<0> : tensor<i32>
      %0:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<40x40xf32>
      cond {
        %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %c : tensor<i1>
      } do {
        %one = stablehlo.constant dense<1> : tensor<i32>
        %next = stablehlo.add %i, %one : tensor<i32>
        \(body)
        %p = stablehlo.dot_general %v, \(weights), contracting_dims = [1] x [0] : (tensor<40x40xf32>, tensor<40x40xf32>) -> tensor<40x40xf32>
        stablehlo.return %next, \(result) : tensor<i32>, tensor<40x40xf32>
      }
      return %0#1 : tensor<40x40xf32>
    }
    """
  }

  @Test func operandsThatStayArePackedOnce() throws {
    let names = names(try program(loop("%w", in: "")))
    #expect(names.before.contains { $0.hasSuffix("_pack") })
    #expect(!names.within.contains { $0.hasSuffix("_pack") } && names.within.contains("dot_general"))
  }

  @Test func operandsThatChangeArePackedInEveryRound() throws {
    let names = names(try program(loop("%v", in: "")))
    #expect(!names.before.contains { $0.hasSuffix("_pack") } && names.within.contains { $0.hasSuffix("_pack") })
  }

  /// The state begins as the weights, and becomes what depends on nothing that changes: the first round is another.
  @Test func theFirstRoundSeesWhatWasThereBefore() throws {
    let text = loop("%w", in: "%t = stablehlo.tanh %w : tensor<40x40xf32>", result: "%t")
    let module = try Module(parsing: text)
    let program = try program(text)
    let x = Literal(.f32, [40, 40], (0..<1600).map { .real(Double($0 % 13) / 8) })
    let w = Literal(.f32, [40, 40], (0..<1600).map { .real(Double($0 % 7) / 4 - 1) })
    for rounds in 0...2 {
      let inputs = [x, w, Literal.scalar(.integer(Int64(rounds)), .i32)]
      let expected = try #require(module.entry).graph.evaluate(inputs, in: EvaluationContext())
      let library = try CompiledProgram(program, LLVMCompiler(cpu: "x86-64-v3"))
      let found = try library.run(program, inputs, symbols: [])
      for position in 0..<1600 {
        #expect((found[0][position].realValue - expected[0][position].realValue).magnitude < 1e-6)
      }
    }
  }
}
