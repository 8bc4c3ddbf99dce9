import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Products with gates: which graphs are known as such, and what is computed for them.
@Suite struct GateTests {
  private static let constants: [(name: String, value: String)] = [
    ("half", "0.5"), ("one", "1.0"), ("two", "2.0"), ("three", "3.0"), ("root", "0.70710678"), ("over", "1.41421356"),
    ("near", "0.7072"), ("huge", "1.0e30"), ("slope", "0.797884583"), ("cubic", "0.044715"),
  ]

  /// A function of %x and %z, written as `%y = add %x, %one; …`; its results are %y and what `also` names.
  private static func graph(_ body: String, type: String = "f32", shape: String = "3x5", also: String? = nil) throws
    -> Graph
  {
    let tensor = "tensor<\(shape)x\(type)>"
    var lines = constants.map { "%\($0.name) = stablehlo.constant dense<\($0.value)> : \(tensor)" }
    for step in body.split(separator: "; ") {
      let isErf = step.contains(" erf ")
      lines.append(step.replacing("= ", with: isErf ? "= chlo." : "= stablehlo.") + " : \(tensor)")
      if isErf { lines[lines.count - 1] += " -> \(tensor)" }
    }
    let results = ["%y"] + (also.map { [$0] } ?? [])
    let types = results.map { _ in tensor }.joined(separator: ", ")
    let text = """
      func.func @main(%x: \(tensor), %z: \(tensor)) -> (\(types)) {
        \(lines.joined(separator: "\n  "))
        return \(results.joined(separator: ", ")) : \(types)
      }
      """
    return try #require(try Module(parsing: text).entry).graph
  }

  private static let normal = [
    "%s = multiply %x, %root; %e = erf %s; %g = add %e, %one; %h = multiply %x, %half; %y = multiply %h, %g",
    "%s = divide %x, %over; %e = erf %s; %g = add %one, %e; %h = multiply %x, %g; %y = multiply %h, %half",
    "%s = multiply %root, %x; %e = erf %s; %g = add %e, %one; %h = multiply %half, %g; %y = multiply %x, %h",
    "%s = divide %x, %over; %e = erf %s; %k = multiply %e, %half; %g = add %k, %half; %y = multiply %g, %x",
    "%s = multiply %x, %root; %e = erf %s; %h = multiply %half, %x; %g = multiply %h, %e; %y = add %g, %h",
    "%s = multiply %x, %root; %e = erf %s; %g = add %e, %one; %h = divide %g, %two; %y = multiply %x, %h",
  ]

  private static let hyperbolic = [
    "%q = multiply %x, %x; %c = multiply %q, %x; %k = multiply %c, %cubic; %a = add %x, %k; %s = multiply %a, %slope; "
      + "%e = tanh %s; %g = add %e, %one; %h = multiply %x, %half; %y = multiply %h, %g",
    "%c = power %x, %three; %k = multiply %cubic, %c; %a = add %k, %x; %s = multiply %slope, %a; %e = tanh %s; "
      + "%g = add %one, %e; %h = multiply %half, %g; %y = multiply %x, %h",
    "%q = power %x, %two; %k = multiply %q, %cubic; %a = add %k, %one; %b = multiply %slope, %x; "
      + "%s = multiply %b, %a; %e = tanh %s; %g = add %one, %e; %h = multiply %x, %g; %y = multiply %h, %half",
  ]

  private static let others = [
    // Another constant, another operand, another function of it, a gate that is not whole.
    "%s = multiply %x, %near; %e = erf %s; %g = add %e, %one; %h = multiply %x, %half; %y = multiply %h, %g",
    "%s = multiply %x, %root; %e = erf %s; %g = add %e, %one; %h = multiply %z, %half; %y = multiply %h, %g",
    "%s = multiply %x, %slope; %e = tanh %s; %g = add %e, %one; %h = multiply %x, %half; %y = multiply %h, %g",
    "%s = multiply %x, %root; %e = erf %s; %g = add %e, %half; %h = multiply %x, %half; %y = multiply %h, %g",
    "%s = multiply %x, %root; %e = erf %s; %g = add %e, %one; %h = multiply %x, %e; %y = multiply %h, %g",
    // Numbers of f32 that lose x, or overflow, on the way to it.
    "%a = add %x, %huge; %b = subtract %a, %huge; %s = multiply %x, %root; %e = erf %s; %g = add %e, %one; "
      + "%h = multiply %b, %half; %y = multiply %h, %g",
    "%a = multiply %x, %huge; %b = divide %a, %huge; %s = multiply %x, %root; %e = erf %s; %g = add %e, %one; "
      + "%h = multiply %b, %half; %y = multiply %h, %g",
  ]

  private static func check(_ bodies: [String], _ gate: Gate) throws {
    for body in bodies {
      let graph = try Self.graph(body)
      #expect(graph.gateProducts == [graph.results[0]: GateProduct(operand: ValueID(0), gate: gate)], "\(body)")
    }
  }

  @Test func everySpellingIsKnown() throws {
    try Self.check(Self.normal, .normal)
    try Self.check(Self.hyperbolic, .hyperbolic)
  }

  @Test func nothingElseIsTakenForOne() throws {
    for body in Self.others { #expect(try Self.graph(body).gateProducts.isEmpty, "\(body)") }
    for type in ["f64", "f16", "bf16"] { #expect(try Self.graph(Self.normal[0], type: type).gateProducts.isEmpty) }
    // What is computed anyway, such as for a gradient, is used.
    #expect(try Self.graph(Self.normal[0], also: "%e").gateProducts.isEmpty)
    #expect(try Self.graph(Self.normal[0], also: "%s").gateProducts.count == 1)
  }

  @Test func twoInARow() throws {
    var second = Self.normal[1]
    let renamed = [
      ("%x", "%w"), ("%s", "%t"), ("%e", "%f"), ("%g", "%p"), ("%h ", "%q "), ("%h,", "%q,"), ("%y", "%v"),
    ]
    for (old, new) in renamed { second = second.replacing(old, with: new) }
    let first = Self.normal[0].replacing("%y", with: "%u")
    let graph = try Self.graph("\(first); %w = add %u, %one; \(second); %y = multiply %v, %x")
    #expect(graph.gateProducts.count == 2)
  }

  /// Looking at every value for every gate would not end here.
  @Test func manyInARow() throws {
    var graph = Graph()
    let type = f32(3)
    var x = graph.addParameter(type)
    func splat(_ value: Double) throws -> ValueID {
      try graph.append(.constant(Literal(.f32, [3], splat: .real(value))))
    }
    let (half, one, root) = (try splat(0.5), try splat(1), try splat(0.5.squareRoot()))
    let count = 8000
    for _ in 0..<count {
      let error = try graph.append(
        .pointwise(.errorFunction), [try graph.append(.pointwise(.multiply), [x, root])])
      let gate = try graph.append(.pointwise(.add), [error, one])
      x = try graph.append(.pointwise(.multiply), [try graph.append(.pointwise(.multiply), [x, half]), gate])
    }
    graph.results = [x]
    #expect(graph.gateProducts.count == count)
  }

  @Test(arguments: ["native", "x86-64-v2", "x86-64-v3"], ["5", "7x1x33", "0x4", "1", "3x100"])
  func kernelsGiveWhatEvaluateSays(cpu: String, shape: String) throws {
    for body in Self.normal + Self.hyperbolic {
      let graph = try Self.graph(body, shape: shape)
      var example = try ScheduleCase([]) { _, _ in [] }
      example.graph = graph
      try example.check(.loop, tolerance: 1e-6, cpu: cpu)
    }
  }

  @Test func lookedUpWhereThatIsOneInstruction() throws {
    for (cpu, isLookedUp) in [("x86-64-v4", true), ("x86-64-v3", false)] {
      let function = Function(name: "main", graph: try ScheduleCase.fused(try Self.graph(Self.normal[0]), .loop))
      let kernels = try Program(function, target: try LLVMCompiler(cpu: cpu).target).kernels
      #expect(kernels[0].description.contains("lookup") == isLookedUp, "\(cpu)")
      #expect(kernels[0].description.contains("divide") == false)
    }
  }

  private static let edges: [Double] = [
    0, -0.0, 1, -1, 0x1p-148, -0x1p-149, 0x1.8p-148, 0x1p-126, -0x1p-126, 0x1.fffffep127, -0x1.fffffep127, .infinity,
    -.infinity, .nan, 0x1p-149, -0x1p-148, -0x1.8p-148, 1e30, -1e30, 5.65, -5.65, 5.25, -5.25, 0x1.69999ap2,
    0x1.699998p2, 0x1p-24, -0x1p-24,
  ]

  private static func value(_ gate: Gate, _ x: Double) throws -> Double {
    let half = x * 0.5
    switch gate {
    case .normal: return half * (try MathCase.value(.complementaryErrorFunction, [-x * 0.5.squareRoot()]))
    case .hyperbolic:
      let argument = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      return x * (try MathCase.value(.logistic, [2 * argument]))
    }
  }

  /// Units in the last place where x is positive, and units of 2⁻²⁴ |x| where it is negative.
  private static func bounds(_ target: Target) -> (positive: Double, negative: Double) {
    target.hasLookup ? (0.81, 0.54) : target.hasMultiplyAdd ? (1.41, 1.08) : (1.72, 1.39)
  }

  @Test(arguments: [Gate.normal, .hyperbolic], ["native", "x86-64-v3", "x86-64-v2"])
  func staysWithinBounds(gate: Gate, cpu: String) throws {
    for lanes in [1, 16] { try Self.check(gate, lanes, cpu) }
  }

  private static func check(_ gate: Gate, _ lanes: Int, _ cpu: String) throws {
    let target = try LLVMCompiler(cpu: cpu).target
    let bounds = bounds(target)
    let steps = (-60_000...60_000).map { Double(Float(Double($0) * 1.0001e-4)) }
    let numbers = edges + steps
    let count = numbers.count
    var draft = ProgramDraft()
    var b = KernelBuilder(target: target)
    let (x, y) = (b.addBuffer("x", .f32, isWritten: false), b.addBuffer("y", .f32, isWritten: true))
    b.loop(to: IntegerExpression(count), step: lanes) { b, i, _ -> [Register] in
      let position = lanes == 1 ? i : i + .lane
      let mask = b.isWithin(position, IntegerExpression(count), lanes: lanes)
      let operand = b.load(x, at: position, lanes: lanes, mask: mask)
      b.store(b.product(of: operand, and: gate), y, at: position, lanes: lanes, mask: mask)
      return []
    }
    let kernel = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    let buffers = [
      draft.addInput(Literal(.f32, [count], numbers.map { .real($0) })), draft.addOutput(.f32, [Extent(count)]),
    ]
    draft.append(draft.launch(kernel, buffers))
    for (number, found) in zip(numbers, try draft.outputs(cpu: cpu)[0].scalars.map(\.realValue)) {
      let expected = number == -.infinity ? .nan : try value(gate, number)
      let isNear =
        number < 0 && number.isFinite
        ? (found - expected).magnitude <= 0x1p-24 * bounds.negative * number.magnitude + 0x1p-149
        : ulps(found, expected, .f32) <= bounds.positive
      #expect(isNear, "\(gate) of \(number): \(found), not \(expected)")
      // Below the limit the halves cancel.
      let cancels = number < -5 && found == 0
      #expect(
        found.isNaN || found.sign == (cancels ? .plus : number.sign), "\(gate) of \(number): \(found) has another sign")
    }
  }
}
