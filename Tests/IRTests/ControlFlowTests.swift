import IR
import Testing

@Suite struct ControlFlowTests {
  private static let index = TensorType.scalar(.i32)
  private static let vector = type(.f32, 3)

  /// `while i < limit { x = x + step; i = i + 1 }`, with the limit and the step as captures.
  private static func countingLoop() throws -> While {
    let types = [index, vector, index, vector]
    let condition = try graph(types) { g, p in [try g.append(.pointwise(.compare(.less, .signed)), [p[0], p[2]])] }
    let body = try graph(types) { g, p in
      let next = try g.append(.pointwise(.add), [p[0], try g.scalar(1)])
      return [next, try g.append(.pointwise(.add), [p[1], p[3]])]
    }
    return While(condition: condition, body: body)
  }

  @Test func whileRepeatsItsBody() throws {
    let loop = try Self.countingLoop()
    let x = f32([3], [0, 1, 2])
    let step = f32([3], [1, 10, -1])
    for limit in [0, 1, 5] {
      let results = try evaluate(.while(loop), [.scalar(.integer(0), .i32), x, i32([], [limit]), step])
      #expect(results[0].scalars == [.integer(Int64(limit))])
      let expected = [0, 1, 2].enumerated().map { i, v in Double(v) + Double(limit) * [1, 10, -1][i] }
      #expect(results[1].scalars == f32([3], expected).scalars)
    }
  }

  @Test func aLoopWithoutEndIsRefused() throws {
    let loop = While(
      condition: try graph([Self.index]) { g, _ in [try g.append(.constant(.scalar(.true, .i1)))] },
      body: graph([Self.index]) { _, p in p })
    let context = EvaluationContext(stepLimit: 1000)
    let error = #expect(throws: OpError.self) { try evaluate(.while(loop), [i32([], [0])], in: context) }
    #expect(error?.message == "stablehlo.while was given up: its loops take more than 1000 steps")
    // Nested loops spend from one budget.
    let outer = While(
      condition: try graph([Self.index]) { g, p in
        [try g.append(.pointwise(.compare(.less, .signed)), [p[0], try g.scalar(1_000_000)])]
      },
      body: try graph([Self.index]) { g, p in
        let start = try g.scalar(0)
        let inner = try g.append(.while(try Self.scalarLoop(limit: 10)), [start])
        return [try g.append(.pointwise(.add), [p[0], try g.append(.pointwise(.minimum), [inner, try g.scalar(1)])])]
      })
    #expect(throws: OpError.self) {
      try evaluate(.while(outer), [i32([], [0])], in: EvaluationContext(stepLimit: 5000))
    }
  }

  private static func scalarLoop(limit: Int) throws -> While {
    While(
      condition: try graph([index]) { g, p in
        [try g.append(.pointwise(.compare(.less, .signed)), [p[0], try g.scalar(limit)])]
      },
      body: try graph([index]) { g, p in [try g.append(.pointwise(.add), [p[0], try g.scalar(1)])] })
  }

  @Test func ifAndCaseChooseABranch() throws {
    let negate = try graph([Self.vector]) { g, p in [try g.append(.pointwise(.negate), p)] }
    let keep = graph([Self.vector]) { _, p in p }
    let double = try graph([Self.vector]) { g, p in [try g.append(.pointwise(.add), [p[0], p[0]])] }
    let x = f32([3], [1, -2, 3])
    let choice = Op.if(If(trueBranch: negate, falseBranch: keep))
    #expect(try evaluate(choice, [.scalar(.true, .i1), x])[0] == f32([3], [-1, 2, -3]))
    #expect(try evaluate(choice, [.scalar(.false, .i1), x])[0] == x)
    let cases = Op.case(Case(branches: [keep, negate, double]))
    let expected: [(Int, Literal)] = [
      (0, x), (1, f32([3], [-1, 2, -3])), (2, f32([3], [2, -4, 6])), (3, f32([3], [2, -4, 6])),
      (-1, f32([3], [2, -4, 6])),
    ]
    for (number, result) in expected { #expect(try evaluate(cases, [i32([], [number]), x])[0] == result) }
  }

  @Test func callsFindTheirFunction() throws {
    let callee = Function(
      name: "twice", graph: try graph([type(.f32, "n")]) { g, p in [try g.append(.pointwise(.add), [p[0], p[0]])] })
    let main = Function(
      name: "main",
      graph: try graph([Self.vector]) { g, p in
        let once = try g.append(.call(Call(function: "twice", resultTypes: [Self.vector])), p)
        return [
          try g.append(
            .composite(Composite(name: "my.twice", decomposition: "twice", resultTypes: [Self.vector])), [once])
        ]
      })
    let module = Module(functions: [main, callee])
    #expect(try main.evaluate([f32([3], [1, 2, 3])], in: module) == [f32([3], [4, 8, 12])])
    #expect(throws: OpError("function @none is not in the module")) {
      try evaluate(.call(Call(function: "none")), [])
    }
  }

  @Test func endlessRecursionIsRefused() throws {
    let call = Op.call(Call(function: "f", resultTypes: [Self.index]))
    let function = Function(name: "f", graph: try graph([Self.index]) { g, p in [try g.append(call, p)] })
    let module = Module(functions: [function])
    #expect(throws: OpError("calls of @f are nested more than 100 deep")) {
      try function.evaluate([i32([], [0])], in: module)
    }
  }

  @Test func aBarrierYieldsItsOperands() throws {
    let operands = [f32([2], [1, 2]), i32([], [3])]
    #expect(try evaluate(.optimizationBarrier(OptimizationBarrier()), operands) == operands)
  }

  private static var refused: [RefusedApplication] {
    get throws {
      let loop = try countingLoop()
      let good = [index, vector, index, vector]
      let notBoolean = graph(good) { _, p in [p[0]] }
      let swapped = graph(good) { _, p in [p[1], p[0]] }
      let keep = graph([vector]) { _, p in p }
      let drop = graph([vector]) { _, _ in [] }
      let i1 = TensorType.scalar(.i1)
      return [
        RefusedApplication("C1", .while(loop), [index, vector, index, index], "the condition of while takes"),
        RefusedApplication("C1", .while(While(condition: notBoolean, body: loop.body)), good, "not tensor<i1>"),
        RefusedApplication("C2", .while(While(condition: loop.condition, body: keep)), good, "the body of while takes"),
        RefusedApplication(
          "C2", .while(While(condition: loop.condition, body: swapped)), good, "the body of while returns"),
        RefusedApplication("C3", .while(loop), [index], "returns 2 values for 1 operands"),
        RefusedApplication("I1", .if(If(trueBranch: keep, falseBranch: keep)), [index, vector], "the predicate of if"),
        RefusedApplication("C1", .if(If(trueBranch: keep, falseBranch: keep)), [i1], "the true branch of if takes"),
        RefusedApplication(
          "C2", .if(If(trueBranch: keep, falseBranch: drop)), [i1, vector], "the branches of if return"),
        RefusedApplication("I1", .case(Case(branches: [keep])), [i1, vector], "the index of case"),
        RefusedApplication("C1", .case(Case(branches: [])), [index], "case has no branches"),
        RefusedApplication("C2", .case(Case(branches: [keep])), [index], "branch 0 of case takes"),
        RefusedApplication("C3", .case(Case(branches: [keep, drop])), [index, vector], "branch 1 of case returns"),
        RefusedApplication("C1", .composite(Composite(name: "plain", decomposition: "f")), [], "has no namespace"),
      ]
    }
  }

  @Test func constraints() throws { for application in try Self.refused { application.check() } }
}
