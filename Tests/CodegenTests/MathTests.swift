import CodegenLLVM
import Foundation
import IR
import Testing

@testable import Codegen

/// An elementary function with the error in ulps that its formulas may have.
struct MathCase: CustomTestStringConvertible {
  var function: ScalarFunction
  var f32: Double
  var f64: Double
  /// An error that is no fault in the widest type either, near zeros of the function.
  var absolute: Double

  init(_ function: ScalarFunction, _ f32: Double, _ f64: Double = 0, absolute: Double = 0) {
    self.function = function
    self.f32 = f32
    self.f64 = f64
    self.absolute = absolute
  }

  var testDescription: String { function.mnemonic }
}

/// The bounds of `docs/math.md`; those for f64 with room for the error of the C library that judges them.
let mathCases: [MathCase] = [
  MathCase(.exponential, 1, 2), MathCase(.exponentialMinusOne, 1.7, 2.5), MathCase(.log, 1, 2),
  MathCase(.logPlusOne, 1.6, 2), MathCase(.logistic, 1.7, 3.5), MathCase(.hyperbolicTangent, 1.6, 3.5),
  MathCase(.hyperbolicSine, 1.9, 3), MathCase(.hyperbolicCosine, 2, 3), MathCase(.hyperbolicArcSine, 2.1, 3),
  MathCase(.hyperbolicArcCosine, 2.2, 3.5), MathCase(.hyperbolicArcTangent, 2.1, 3), MathCase(.sine, 0.6, 2),
  MathCase(.cosine, 0.6, 2), MathCase(.tangent, 0.6, 3), MathCase(.arcSine, 1.3, 2.5), MathCase(.arcCosine, 1.1, 2),
  MathCase(.arcTangent, 1.4, 2.5), MathCase(.cbrt, 0.8, 4), MathCase(.reciprocalSquareRoot, 1.5, 1),
  MathCase(.errorFunction, 1.51, 2.5), MathCase(.complementaryErrorFunction, 0.6, 5),
  MathCase(.inverseErrorFunction, 2.3, 6), MathCase(.logGamma, 0.6, 6, absolute: 1e-14),
  MathCase(.digamma, 0.6, 8, absolute: 4e-14), MathCase(.arcTangent2, 1.8, 2.5), MathCase(.power, 0.6, 2.1),
  MathCase(.remainder, 0, 0), MathCase(.nextAfter, 0, 0),
]

/// The same for targets without f64, whose f32 formulas compute in pairs.
let mathCasesWithoutF64: [MathCase] = [
  MathCase(.sine, 0.6), MathCase(.cosine, 0.6), MathCase(.tangent, 0.7), MathCase(.power, 0.8),
  MathCase(.remainder, 0), MathCase(.complementaryErrorFunction, 0.8), MathCase(.logGamma, 0.7, absolute: 1e-10),
  MathCase(.digamma, 0.6, absolute: 1e-11),
]

/// Numbers without an order or a clock: the same for every run.
private struct Sequence {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number between -1 and 1.
  mutating func fraction() -> Double { Double(Int64(bitPattern: next()) >> 11) * 0x1p-52 }

  mutating func number(_ type: ElementType) -> Double {
    let kind = next() % 8
    let exponent = Int(next() % 60)
    let scale = Double(sign: .plus, exponent: -exponent, significand: 1)
    switch kind {
    case 0, 1:
      let bits = next()
      return type == .f64 ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case 2: return fraction() * 10
    case 3: return fraction() * scale
    case 4: return fraction() * (type == .f64 ? 750 : 105)
    case 5: return 1 + fraction() * scale
    case 6: return fraction() * 0x1p30
    default: return (fraction() * 20).rounded() + fraction() * scale
    }
  }
}

private let edges: [Double] = [
  0, -0.0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2, 2.5, -2.5, 3, -3, 7, -7, 10, 0.1, .infinity, -.infinity, .nan,
  0x1p-149, -0x1p-149, 0x1p-126, -0x1p-126, 0x1.8p-127, 0x1.fffffep127, -0x1.fffffep127, 0x1.fffffep-1,
  -0x1.fffffep-1, 0x1.000002p0, -0x1.000002p0, 88.72283, 88.72284, -87.33655, -103.97207, -103.97209, 89.415985,
  89.41599, 0x1p23, 8_388_609, -8_388_609, 0x1p24, 16_777_215, 1e30, -1e30, 1e-30, 0x1p-26, -0x1p-26, 0x1p-12, 9.02,
  -9.02, 3.92, -3.92, 10.05, 10.06, 0.6, 0.875, 36.0, 709.782712893384, 709.7827128933841, -745.1332191019412,
  -708.3964185322641, 710.475860073944, 0x1p-1074, -0x1p-1074, 0x1p-1022, -0x1p-1022, 0x1.fffffffffffffp1023,
  -0x1.fffffffffffffp1023, 0x1.fffffffffffffp-1, -0x1.fffffffffffffp-1, 0x1.0000000000001p0, 0x1p52, 0x1p53, 27.2,
]

extension MathCase {
  func columns(_ type: ElementType, count: Int) -> [[Double]] {
    var sequence = Sequence(state: function.mnemonic.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    if function.operandCount == 1 {
      let random = (0..<count).map { _ in sequence.number(type) }
      return [(edges + random).map { FloatFormat.round($0, to: type) }]
    }
    var rows = edges.flatMap { x in edges.map { [x, $0] } }
    for i in 0..<count {
      var (x, y) = (sequence.number(type), sequence.number(type))
      if case .power = function, i % 2 == 0 {
        // Results over the whole range.
        x = x.magnitude
        y = sequence.fraction() * (type == .f64 ? 760 : 104) / ((try? Self.value(.log, [x])) ?? 1)
      }
      rows.append([x, y])
    }
    return [0, 1].map { column in rows.map { FloatFormat.round($0[column], to: type) } }
  }

  static func value(_ function: ScalarFunction, _ operands: [Double]) throws -> Double {
    let types = operands.map { _ in ElementType.f64 }
    return try function.evaluate(operands.map { .real($0) }, types, .f64).realValue
  }

  /// What the function should give: in f64 of the operands, or of this type where that is exact.
  func expected(_ operands: [Double], _ type: ElementType) throws -> Double {
    guard case .nextAfter = function else { return try Self.value(function, operands) }
    return try function.evaluate(operands.map { .real($0) }, [type, type], type).realValue
  }

  /// A kernel of `count` elements that expands the function.
  func kernel(_ target: Target, _ type: ElementType, count: Int, lanes: Int) -> Kernel {
    var builder = KernelBuilder(target: target)
    write(&builder, type, number: 0, count: count, lanes: lanes)
    return builder.kernel(name: "\(function.mnemonic)_\(type)", sources: [], taskCount: 1, taskCost: 1)
  }

  /// `number` tells the buffers of the functions in one kernel apart.
  func write(_ builder: inout KernelBuilder, _ type: ElementType, number: Int, count: Int, lanes: Int) {
    let sources = (0..<function.operandCount).map { builder.addBuffer("x\(number)_\($0)", type, isWritten: false) }
    let destination = builder.addBuffer("y\(number)", type, isWritten: true)
    builder.loop(to: IntegerExpression(count), step: lanes) { builder, i, _ -> [Register] in
      let position = lanes == 1 ? i : i + .lane
      let mask = builder.isWithin(position, IntegerExpression(count), lanes: lanes)
      let values = sources.map { builder.load($0, at: position, lanes: lanes, mask: mask) }
      builder.store(builder.apply(function, values), destination, at: position, lanes: lanes, mask: mask)
      return []
    }
  }
}

/// How many units in the last place of `type` lie between the two, where nothing is rounded before.
func ulps(_ value: Double, _ expected: Double, _ type: ElementType) -> Double {
  let rounded = FloatFormat.round(expected, to: type)
  if value.isNaN && expected.isNaN || value.bitPattern == rounded.bitPattern { return 0 }
  // A zero of the other sign, a NaN, an infinity or a finite number that should not be one.
  if value == 0 && rounded == 0 || value.isNaN || expected.isNaN || value.isInfinite || rounded.isInfinite {
    return .infinity
  }
  let least = type == .f64 ? 0x1p-1074 : type == .f32 ? 0x1p-149 : type == .f16 ? 0x1p-24 : 0x1p-133
  let digits = type == .f64 ? 52 : type == .f32 ? 23 : type == .f16 ? 10 : 7
  let unit = expected == 0 ? least : Double(sign: .plus, exponent: expected.exponent - digits, significand: 1)
  return (value - expected).magnitude / max(unit, least)
}

@Suite struct MathTests {
  @Test func boundsAreDocumented() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let page = try String(contentsOf: root.appending(path: "docs/math.md"), encoding: .utf8)
    // With f64 and without.
    let parts = page.split(separator: "## Without f64")
    #expect(parts.count == 2)
    for (part, (column, cases)) in zip(parts, [(2, mathCases), (1, mathCasesWithoutF64)]) {
      var documented: [String: Double] = [:]
      for line in part.split(separator: "\n") where line.hasPrefix("| `") {
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        documented[cells[0].replacing("`", with: "")] = Double(cells[column].prefix { $0 != "," })
      }
      #expect(documented == Dictionary(uniqueKeysWithValues: cases.map { ($0.function.mnemonic, $0.f32) }))
    }
  }

  static func faults(_ type: ElementType, cpu: String, lanes: Int, count: Int, slack: Double = 1) throws -> [String] {
    let target = try LLVMCompiler(cpu: cpu).target
    return try faults(mathCases, type, target, lanes: lanes, count: count, slack: slack) { try $0.outputs(cpu: cpu) }
  }

  /// Compiles functions for one type and describes each element that is further off than its bound.
  static func faults(
    _ cases: [MathCase], _ type: ElementType, _ target: Target, lanes: Int, count: Int, slack: Double = 1,
    run: (ProgramDraft) throws -> [Literal]
  ) throws -> [String] {
    var draft = ProgramDraft()
    let columns = cases.map { $0.columns(type, count: count) }
    var (builder, buffers) = (KernelBuilder(target: target), [BufferID]())
    for (position, (each, column)) in zip(cases, columns).enumerated() {
      let elements = column[0].count
      buffers += column.map { numbers in draft.addInput(Literal(type, [elements], numbers.map { .real($0) })) }
      buffers.append(draft.addOutput(type, [Extent(elements)]))
      each.write(&builder, type, number: position, count: elements, lanes: lanes)
      if (position + 1) % casesPerKernel(target) != 0, position < cases.count - 1 { continue }
      let name = "\(each.function.mnemonic)_\(type)"
      draft.append(draft.launch(builder.kernel(name: name, sources: [], taskCount: 1, taskCost: 1), buffers))
      (builder, buffers) = (KernelBuilder(target: target), [])
    }
    var found: [String] = []
    for (position, output) in try run(draft).enumerated() {
      let each = cases[position]
      let bound = type == .f64 ? each.f64 : type == .f32 ? each.f32 : each.f32 == 0 ? 0 : 0.6
      for row in columns[position][0].indices {
        let operands = columns[position].map { $0[row] }
        let expected = try each.expected(operands, type)
        let value = output[row].realValue
        let error = ulps(value, expected, type)
        if error <= bound * slack || (value - expected).magnitude <= each.absolute { continue }
        found.append("\(each.function.mnemonic)\(operands) of \(type): \(value), not \(expected): \(error) ulps")
      }
    }
    return found
  }

  @Test(arguments: [ElementType.f32, .f64], [1, 16]) func staysWithinBounds(type: ElementType, lanes: Int) throws {
    let found = try Self.faults(type, cpu: "native", lanes: lanes, count: 2000)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  /// Without an instruction that rounds a * b + c once, formulas that need it are written otherwise.
  @Test(arguments: [ElementType.f32, .f64]) func staysNearBoundsWithoutMultiplyAdd(type: ElementType) throws {
    let found = try Self.faults(type, cpu: "x86-64-v2", lanes: 4, count: 500, slack: 1.2)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  /// The formulas for devices without f64, on this processor.
  @Test(arguments: [("native", 1), ("native", 16), ("x86-64-v2", 4)])
  func staysWithinBoundsWithoutF64(cpu: String, lanes: Int) throws {
    var target = try LLVMCompiler(cpu: cpu).target
    target.hasF64 = false
    for type in [ElementType.f32, .f16, .bf16] {
      let found = try Self.faults(
        mathCasesWithoutF64, type, target, lanes: lanes, count: type == .f32 ? 10_000 : 500,
        slack: target.hasMultiplyAdd ? 1 : 1.2
      ) { try $0.outputs(cpu: cpu) }
      #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
    }
  }

  /// Powers whose exponent is a number in the kernel: by square roots and products where it has no more than quarters.
  @Test(arguments: [ElementType.f32, .f64, .f16, .bf16], ["native", "x86-64-v2"])
  func powersOfKnownExponents(type: ElementType, cpu: String) throws {
    let target = try LLVMCompiler(cpu: cpu).target
    let power = MathCase(.power, 0.6, 2.1)
    let exponents = stride(from: -7.0, through: 7, by: 0.25) + [0.3, -1.0 / 3, 1e10, .infinity, .nan]
    let bases = power.columns(type, count: 300)[0]
    var draft = ProgramDraft()
    let input = draft.addInput(Literal(type, [bases.count], bases.map { .real($0) }))
    for exponent in exponents {
      var b = KernelBuilder(target: target)
      let (x, y) = (b.addBuffer("x", type, isWritten: false), b.addBuffer("y", type, isWritten: true))
      b.loop(to: IntegerExpression(bases.count), step: 8) { b, i, _ -> [Register] in
        let mask = b.isWithin(i + .lane, IntegerExpression(bases.count), lanes: 8)
        let operands = [b.load(x, at: i + .lane, lanes: 8, mask: mask), b.constant(exponent, type)]
        b.store(b.apply(.power, operands), y, at: i + .lane, lanes: 8, mask: mask)
        return []
      }
      let output = draft.addOutput(type, [Extent(bases.count)])
      let kernel = b.kernel(name: "power", sources: [], taskCount: 1, taskCost: 1)
      draft.append(draft.launch(kernel, [input, output]))
    }
    let bound = type == .f64 ? power.f64 : power.f32
    for (exponent, output) in zip(exponents, try draft.outputs(cpu: cpu)) {
      let y = FloatFormat.round(exponent, to: type)
      for (row, x) in bases.enumerated() {
        let error = ulps(output[row].realValue, try power.expected([x, y], type), type)
        #expect(error <= bound * (target.hasMultiplyAdd ? 1 : 1.2), "\(x) to the power \(y)")
      }
    }
  }

  @Test func formulasWithoutF64HaveNone() throws {
    var target = try LLVMCompiler(cpu: "native").target
    target.hasF64 = false
    for each in mathCases {
      let kernel = each.kernel(target, .f32, count: 64, lanes: 16)
      #expect(!kernel.registerTypes.contains { $0.element == .f64 }, "\(each.function.mnemonic)")
    }
  }

  @Test(arguments: [ElementType.f16, .bf16]) func narrowTypesAreRoundedOnce(type: ElementType) throws {
    let found = try Self.faults(type, cpu: "native", lanes: 8, count: 500)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }
}
