import CodegenLLVM
import IR
import Passes
import Testing

@testable import Codegen

/// Loops whose state cannot be written in its place.
@Suite struct LoopTurnTests {
  private static let cpu = "x86-64-v3"

  private func program(_ text: String) throws -> (Function, Program) {
    let module = try Module(parsing: text)
    let function = try PassPipeline().run(try #require(module.entry), in: module).function
    return (try #require(module.entry), try Program(function, target: LLVMCompiler(cpu: Self.cpu).target))
  }

  /// A loop over tensors named by letters: `body` computes `%na` from `%a` and so on; `rounds` is `%n`, or a number.
  private func loop(_ letters: [String], rounds: String, _ body: String, next: [String]) -> String {
    let type = "tensor<40x48xf32>"
    let types = letters.map { _ in type }.joined(separator: ", ")
    let limit = rounds == "%n" ? "" : "%limit = stablehlo.constant dense<\(rounds)> : tensor<i32>"
    return """
      func.func @main(\(letters.map { "%\($0)0: \(type)" }.joined(separator: ", ")), %n: tensor<i32>) -> (\(types)) {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        \(limit)
        %0:\(letters.count + 1) = stablehlo.while(%i = %zero, \(letters.map { "%\($0) = %\($0)0" }.joined(separator: ", "))) : tensor<i32>, \(types)
        cond {
          %goes = stablehlo.compare LT, %i, \(rounds == "%n" ? "%n" : "%limit") : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %goes : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %next = stablehlo.add %i, %one : tensor<i32>
          \(body)
          stablehlo.return %next, \(next.joined(separator: ", ")) : tensor<i32>, \(types)
        }
        return \(letters.indices.map { "%0#\($0 + 1)" }.joined(separator: ", ")) : \(types)
      }
      """
  }

  /// `to` is `from` with its rows moved on by one, halved, plus `other`.
  private func moved(_ from: String, plus other: String, to: String) -> String {
    """
    %\(to)l = stablehlo.slice %\(from) [39:40, 0:48] : (tensor<40x48xf32>) -> tensor<1x48xf32>
    %\(to)f = stablehlo.slice %\(from) [0:39, 0:48] : (tensor<40x48xf32>) -> tensor<39x48xf32>
    %\(to)c = stablehlo.concatenate %\(to)l, %\(to)f, dim = 0 : (tensor<1x48xf32>, tensor<39x48xf32>) -> tensor<40x48xf32>
    %\(to)h = stablehlo.constant dense<5.0e-01> : tensor<40x48xf32>
    %\(to)m = stablehlo.multiply %\(to)c, %\(to)h : tensor<40x48xf32>
    %\(to) = stablehlo.add %\(to)m, %\(other) : tensor<40x48xf32>
    """
  }

  /// The bodies: letters of the state, what a round computes, what it returns.
  private func form(_ name: String) -> (letters: [String], body: String, next: [String]) {
    switch name {
    // One value, read at other places than it is written.
    case "stencil": (["a"], moved("a", plus: "a", to: "x"), ["%x"])
    // Two that change places, as in a wave equation.
    case "wave": (["a", "b"], moved("a", plus: "b", to: "x"), ["%x", "%a"])
    case "recurrence": (["a", "b", "c"], moved("a", plus: "c", to: "x"), ["%x", "%a", "%b"])
    case "cycle": (["a", "b", "c"], moved("a", plus: "a", to: "x"), ["%b", "%c", "%x"])
    case "swap": (["a", "b"], "", ["%b", "%a"])
    // Each from both.
    case "pair": (["a", "b"], moved("a", plus: "b", to: "x") + "\n" + moved("b", plus: "a", to: "y"), ["%x", "%y"])
    // One value twice, one that stays, one that nothing reads but the caller.
    case "twice": (["a", "b"], moved("a", plus: "b", to: "x"), ["%x", "%x"])
    case "stays": (["a", "b"], moved("a", plus: "b", to: "x"), ["%x", "%b"])
    default: (["a", "b"], moved("a", plus: "a", to: "x") + "\n" + moved("a", plus: "x", to: "y"), ["%x", "%y"])
    }
  }

  private static let names = [
    "stencil", "wave", "recurrence", "cycle", "swap", "pair", "twice", "stays", "unread",
  ]

  /// Whether the loop gives what `evaluate` does for these numbers of rounds.
  private func check(_ name: String, rounds: String, counts: [Int]) throws {
    let form = form(name)
    let (function, program) = try program(loop(form.letters, rounds: rounds, form.body, next: form.next))
    var options = LLVMCompiler.Options()
    options.verifies = true
    let library = try CompiledProgram(program, LLVMCompiler(cpu: Self.cpu), options)
    for count in counts {
      var inputs = form.letters.indices.map { letter in
        Literal(.f32, [40, 48], (0..<1920).map { .real(Double(($0 * 7 + letter * 31) % 101) / 64 - 0.5) })
      }
      inputs.append(Literal.scalar(.integer(Int64(count)), .i32))
      let expected = try function.graph.evaluate(inputs, in: EvaluationContext())
      let found = try library.run(program, inputs, symbols: [])
      for (one, other) in zip(found, expected) { #expect(one.scalars == other.scalars, "\(name), \(rounds), \(count)") }
    }
  }

  @Test(arguments: names) func roundsThatAreOpen(name: String) throws {
    try check(name, rounds: "%n", counts: [0, 1, 2, 3, 4, 7])
  }

  @Test(arguments: names, [1, 2, 7]) func roundsThatAreKnown(name: String, count: Int) throws {
    try check(name, rounds: "\(count)", counts: [count])
  }

  /// The bytes that steps copy inside loops.
  private func copiedByteCount(_ steps: [Program.Step], _ program: Program, isRepeated: Bool = false) -> Int {
    steps.reduce(0) { sum, step in
      switch step {
      case .copy(let from, _): sum + (isRepeated ? program.buffers[from.index].type.byteCount.fixed ?? 0 : 0)
      case .loop(_, _, let body), .repetition(_, let body):
        sum + copiedByteCount(body, program, isRepeated: true)
      // The first branch goes on, the other ends the loop.
      case .branch(_, let branches): sum + copiedByteCount(branches[0], program, isRepeated: isRepeated)
      default: sum
      }
    }
  }

  @Test(arguments: ["stencil", "wave", "recurrence", "cycle", "pair", "stays", "unread"])
  func knownRoundsCopyNothing(name: String) throws {
    let form = form(name)
    let (_, program) = try program(loop(form.letters, rounds: "12", form.body, next: form.next))
    #expect(copiedByteCount(program.steps, program) < 64)
  }

  @Test(arguments: ["stencil", "pair", "stays", "unread"]) func openRoundsGoToOtherMemoryAndBack(name: String) throws {
    let form = form(name)
    let (_, program) = try program(loop(form.letters, rounds: "%n", form.body, next: form.next))
    #expect(copiedByteCount(program.steps, program) < 64)
  }

  /// What is small beside a round's work, or small at all, is copied: the loop is written once.
  @Test func littleIsCopied() throws {
    let product = """
      %x = stablehlo.dot_general %a, %w0, contracting_dims = [1] x [0] : (tensor<2x640xf32>, tensor<640x640xf32>) -> tensor<2x640xf32>
      """
    let text = """
      func.func @main(%a0: tensor<2x640xf32>, %w0: tensor<640x640xf32>, %n: tensor<i32>) -> tensor<2x640xf32> {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%i = %zero, %a = %a0) : tensor<i32>, tensor<2x640xf32>
        cond {
          %goes = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %goes : tensor<i1>
        } do {
          %one = stablehlo.constant dense<1> : tensor<i32>
          %next = stablehlo.add %i, %one : tensor<i32>
          \(product)
          stablehlo.return %next, %x : tensor<i32>, tensor<2x640xf32>
        }
        return %0#1 : tensor<2x640xf32>
      }
      """
    let (_, program) = try program(text)
    #expect(copiedByteCount(program.steps, program) == 2 * 640 * 4)
  }
}
