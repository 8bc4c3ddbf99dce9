import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Which steps a program has where the host would wait for what kernels computed.
@Suite struct LaunchAheadTests {
  private static func target(hasWorkGroups: Bool = true) throws -> Target {
    var target = try LLVMCompiler().target
    if hasWorkGroups {
      target.workGroups = WorkGroups(
        itemCount: 64, localByteCount: 16 << 10, subgroupItemCount: 16, computeUnitCount: 4)
    }
    return target
  }

  private func program(_ text: String, hasWorkGroups: Bool = true) throws -> Program {
    let function = try #require(try Module(parsing: text).entry)
    return try Program(function, target: try Self.target(hasWorkGroups: hasWorkGroups))
  }

  /// `launch, repeat 3 (launch, copy)`; guarded launches are `launch?`.
  private func outline(_ program: Program) -> String {
    func text(_ steps: [Program.Step]) -> String { "(" + steps.map(text).joined(separator: ", ") + ")" }
    func text(_ step: Program.Step) -> String {
      switch step {
      case .launch(let launch):
        program.kernels[launch.kernel].buffers.contains { $0.name.hasPrefix("guard") } ? "launch?" : "launch"
      case .copy: "copy"
      case .loop(let condition, _, let body): "while \(text(condition)) do \(text(body))"
      case .repetition(let count, let body): "repeat \(count) \(text(body))"
      case .roundsAhead(let ahead, let round, _):
        "ahead \(ahead.first) and \(ahead.growth) up to \(ahead.most) \(text(round))"
      case .branch(_, let branches): "branch \(branches.map(text).joined(separator: " "))"
      case .concurrent(let lists): "concurrent \(lists.map(text).joined(separator: " "))"
      case .bands(let bands): "bands of \(bands.launches.count)"
      case .size(let size): "size \(size.extent)"
      case .choice(_, let then, let otherwise): "choice \(text(then)) \(text(otherwise))"
      }
    }
    return String(text(program.steps).dropFirst().dropLast())
  }

  private static func loop(_ type: String, from initial: Int, _ test: String, _ limit: String, step: Int) -> String {
    let value = limit == "%n" ? "stablehlo.add %n, %n" : "stablehlo.constant dense<\(limit)>"
    return """
      func.func @main(%x: tensor<3xf32>, %n: tensor<\(type)>) -> tensor<3xf32> {
        %limit = \(value) : tensor<\(type)>
        \(rounds(type, from: initial, "\(test), %i, %limit", step: step))
      """
  }

  private static func loop(over type: String, from initial: Int, _ test: String, step: Int) -> String {
    """
    func.func @main(%x: tensor<3xf32>, %rows: tensor<?x2xf32> {tfc.extents = [["n", "2"]]}) -> tensor<3xf32> {
      %limit = "tfc.extent"() {extent = "n"} : () -> tensor<\(type)>
      \(rounds(type, from: initial, test, step: step))
    """
  }

  /// The rest of a function that doubles `%x` while `%i` compares with `%limit`.
  private static func rounds(_ type: String, from initial: Int, _ test: String, step: Int) -> String {
    """
      %first = stablehlo.constant dense<\(initial)> : tensor<\(type)>
      %0:2 = stablehlo.while(%i = %first, %v = %x) : tensor<\(type)>, tensor<3xf32>
      cond {
        %p = stablehlo.compare \(test) : (tensor<\(type)>, tensor<\(type)>) -> tensor<i1>
        stablehlo.return %p : tensor<i1>
      } do {
        %step = stablehlo.constant dense<\(step)> : tensor<\(type)>
        %next = stablehlo.add %i, %step : tensor<\(type)>
        %twice = stablehlo.add %v, %v : tensor<3xf32>
        stablehlo.return %next, %twice : tensor<\(type)>, tensor<3xf32>
      }
      return %0#1 : tensor<3xf32>
    }
    """
  }

  @Test(arguments: [
    ("i32", 0, "LT", "5", 1, 5), ("i64", 0, "LT", "1000", 1, 1000), ("i32", 5, "GT", "-1", -2, 3),
    ("ui8", 250, "NE", "3", 1, 9), ("i32", 3, "LE", "3", 4, 1), ("i64", 3, "LT", "3", 1, 0),
    ("i32", 1, "EQ", "0", 1, 0),
  ])
  func loopsOverConstantsAreRepetitions(
    type: String, initial: Int, test: String, limit: String, step: Int, count: Int
  ) throws {
    let text = Self.loop(type, from: initial, test, limit, step: step)
    let repetition = count == 0 ? "" : ", repeat \(count) (launch, launch, copy, copy)"
    #expect(outline(try program(text)) == "copy, copy" + repetition)
    let loop = "copy, copy, while (launch) do (launch, launch, copy, copy)"
    #expect(outline(try program(text, hasWorkGroups: false)) == loop)
  }

  /// The limit is an argument, too far away, never reached, or no integer.
  @Test(arguments: [("i32", "LT", "%n"), ("i32", "LT", "20001"), ("i32", "NE", "-1"), ("f32", "LT", "5.0")])
  func otherLoopsReadThePredicateOnceForSeveralRounds(type: String, test: String, limit: String) throws {
    let text = Self.loop(type, from: 0, test, limit, step: type == "f32" ? 1 : 2)
      .replacing(type == "f32" ? "dense<0>" : "?", with: "dense<0.0>").replacing(
        type == "f32" ? "dense<1>" : "?", with: "dense<1.0>")
    let ahead = "ahead 6 and 1 up to 51 (launch, launch?, launch?, launch?, launch?)"
    #expect(outline(try program(text)).hasSuffix("copy, copy, " + ahead))
    let loop = "while (launch) do (launch, launch, copy, copy)"
    #expect(outline(try program(text, hasWorkGroups: false)).hasSuffix(loop))
  }

  /// Steps of one towards an extent, of any size where nothing wraps.
  @Test(arguments: [
    ("i32", 0, "LT, %i, %limit", 1, "n"), ("i32", 2, "GT, %limit, %i", 1, "n - 2"),
    ("i64", 0, "LT, %i, %limit", 3, "floordiv(n + 2, 3)"), ("i64", 1, "LE, %i, %limit", 1, "n"),
    ("i32", 0, "LT, %i, %limit", 3, nil), ("i32", 0, "LE, %i, %limit", 1, nil), ("i32", 0, "NE, %i, %limit", 1, nil),
    ("i32", 0, "GT, %i, %limit", 1, nil),
  ])
  func loopsOverExtentsAreRepetitions(type: String, initial: Int, test: String, step: Int, count: String?) throws {
    let text = Self.loop(over: type, from: initial, test, step: step)
    let found = outline(try program(text))
    if let count {
      #expect(found.contains("repeat \(count) ("), "\(found)")
    } else {
      #expect(found.contains("ahead"), "\(found)")
    }
  }

  /// Nothing that runs in a round writes where the predicate is, but the condition.
  @Test func thePredicateIsThereForTheWholeRound() throws {
    let program = try program(Self.loop("i32", from: 0, "LT", "%n", step: 1))
    var guards: Set<BufferID> = []
    var writers = 0
    program.forEachLaunch { launch, _ in
      for (buffer, parameter) in zip(launch.buffers, program.kernels[launch.kernel].buffers)
      where parameter.name.hasPrefix("guard") { guards.insert(buffer) }
    }
    let predicate = try #require(guards.first)
    program.forEachLaunch { launch, _ in
      for (buffer, parameter) in zip(launch.buffers, program.kernels[launch.kernel].buffers) where parameter.isWritten {
        if program.buffers[buffer.index].place == program.buffers[predicate.index].place { writers += 1 }
      }
    }
    #expect(guards.count == 1 && writers == 1)
  }

  private static func branch(_ index: String, bodies: [String]) -> String {
    let regions = bodies.map { "{\n\($0)\n}" }.joined(separator: ", ")
    return """
      func.func @main(%index: tensor<\(index)>, %x: tensor<3xf32>) -> tensor<3xf32> {
        %0 = "stablehlo.\(index == "i1" ? "if" : "case")"(%index) (\(regions)) : (tensor<\(index)>) -> tensor<3xf32>
        return %0 : tensor<3xf32>
      }
      """
  }

  private static let none = "stablehlo.return %x : tensor<3xf32>"

  private static func chain(_ count: Int) -> String {
    var text = ""
    for number in 1...count {
      let operand = number == 1 ? "%x" : "%v\(number - 1)"
      text += "%v\(number) = stablehlo.multiply \(operand), %x : tensor<3xf32>\n"
    }
    return text + "stablehlo.return %v\(count) : tensor<3xf32>"
  }

  @Test func smallBranchesAreAllLaunched() throws {
    for index in ["i1", "i32"] {
      let small = Self.branch(index, bodies: [Self.chain(3), Self.none])
      #expect(outline(try program(small)) == "launch?, launch?, launch?, launch?")
      #expect(outline(try program(small, hasWorkGroups: false)) == "branch (launch, launch, launch) (copy)")
      let large = Self.branch(index, bodies: [Self.chain(5), Self.chain(6)])
      let (five, six) = (Array(repeating: "launch", count: 5), Array(repeating: "launch", count: 6))
      #expect(
        outline(try program(large))
          == "branch (\(five.joined(separator: ", "))) (\(six.joined(separator: ", ")))")
    }
  }

  @Test func aGuardStandsAroundTheWholeKernel() throws {
    let program = try program(Self.branch("i32", bodies: [Self.none, Self.chain(1), Self.none]))
    let types = program.kernels.map { $0.buffers.map(\.elementType) }
    #expect(types == [[.f32, .f32, .f32, .i32], [.ui32, .ui32, .i32], [.ui32, .ui32, .i32]])
    for kernel in program.kernels {
      guard case .branch(_, _, let otherwise) = kernel.body.last else {
        Issue.record("no guard in \(kernel)")
        continue
      }
      #expect(otherwise.isEmpty && kernel.body.dropLast().allSatisfy { if case .define = $0 { true } else { false } })
    }
  }
}
