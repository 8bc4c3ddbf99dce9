import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Values at which functions are likely to go wrong.
func specialValues(_ type: ElementType) -> [Scalar] {
  switch type.kind {
  case .boolean: return [.false, .true]
  case .signed, .unsigned:
    let most = type.highest.integerValue
    let values: [Int64] = [
      0, 1, 2, 3, 5, 7, 8, 31, 33, 64, 100, -1, -2, -7, -100, most, most &- 1, type.lowest.integerValue,
      type.lowest.integerValue &+ 1, (1 << 60) + (1 << 36) + 1, (1 << 24) + 1,
      (1 << 60) + (1 << 52) + 1,
    ]
    return Array(Set(values.map { type.wrapped($0) })).sorted().map { .integer($0) }
  case .float:
    let values: [Double] = [
      0, -0.0, 1, -1, 0.5, -0.5, 0.49999997, 1.5, -1.5, 2.5, -2.5, 3.75, 255.5, -129, 65504, 65519, 65520,
      1e10, -1e10, 2_147_483_648, -2_147_483_649, 4_294_967_296, 9.3e18, 1.9e19, 1e-40, -1e-40,
      6e-8, 3e-8, 1.17549435e-38, 3.4028234e38, 0.1, 1e300, 1e-300, 448, 464, 480, 57344, 61440, 0.001953125, .infinity,
      -.infinity, .nan,
    ]
    return values.map { .real(FloatFormat.round($0, to: type)) }
  case .complex:
    let values: [(Double, Double)] = [(0, 0), (1, -2), (-3.5, 0.25), (1e-3, 1e3), (0, -1), (7, 0), (1e10, 1e-10)]
    let part = type.realPart
    return values.map { .complex(FloatFormat.round($0.0, to: part), FloatFormat.round($0.1, to: part)) }
  }
}

/// The function applied to every combination of the special values, and what it should give.
struct FunctionCase {
  var function: ScalarFunction
  var operands: [ElementType]
  /// Whether it is written by operations that targets have, rather than as one.
  var isExpanded = false

  var result: ElementType {
    get throws { try function.resultType(operands) }
  }

  /// The operands' values, element by element.
  var columns: [[Scalar]] {
    let values = operands.map { type in
      let all = specialValues(type)
      return operands.count == 3 && all.count > 12 ? all.enumerated().filter { $0.offset % 4 == 0 }.map(\.element) : all
    }
    var rows: [[Scalar]] = [[]]
    for column in values { rows = rows.flatMap { row in column.map { row + [$0] } } }
    return operands.indices.map { column in rows.map { $0[column] } }
  }
}

func isSame(_ a: Scalar, _ b: Scalar) -> Bool {
  func same(_ x: Double, _ y: Double) -> Bool { x.bitPattern == y.bitPattern || (x.isNaN && y.isNaN) }
  return switch (a, b) {
  case (.integer(let x), .integer(let y)): x == y
  case (.complex(let x, let y), .complex(let z, let w)): same(x, z) && same(y, w)
  default: same(a.realValue, b.realValue)
  }
}

let integers: [ElementType] = [.i8, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64]
let executed: [ElementType] = ElementType.allCases.filter(\.isExecutable)

/// Every primitive function with every element type it is an operation on.
let primitives: [FunctionCase] = {
  var cases: [FunctionCase] = []
  for type in executed {
    var functions: [ScalarFunction] = []
    switch type.kind {
    case .boolean: functions = [.not, .and, .or, .xor, .add, .multiply, .maximum, .minimum]
    case .signed, .unsigned:
      functions = [
        .negate, .not, .sign, .countLeadingZeros, .populationCount, .add, .subtract, .multiply, .divide, .remainder,
        .maximum, .minimum, .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical, .clamp,
      ]
      if type.kind == .signed { functions.append(.abs) }
    case .float where type == .f32 || type == .f64:
      functions = [
        .abs, .negate, .ceil, .floor, .roundNearestEven, .roundNearestAwayFromZero, .sign, .isFinite, .isInfinite,
        .squareRoot, .add, .subtract, .multiply, .divide, .maximum, .minimum, .clamp,
        .reducePrecision(exponentBits: 5, mantissaBits: 10), .reducePrecision(exponentBits: 8, mantissaBits: 7),
        .reducePrecision(exponentBits: 4, mantissaBits: 3), .reducePrecision(exponentBits: 3, mantissaBits: 0),
      ]
    case .float: break
    case .complex: functions = [.real, .imaginary, .negate, .add, .subtract, .multiply]
    }
    for function in functions {
      cases.append(FunctionCase(function: function, operands: Array(repeating: type, count: function.operandCount)))
    }
    cases.append(FunctionCase(function: .select, operands: [.i1, type, type]))
    let directions: [ComparisonDirection] = type.isComplex ? [.equal, .notEqual] : ComparisonDirection.allCases
    for direction in directions {
      cases.append(FunctionCase(function: .compare(direction, .float), operands: [type, type]))
      guard type.isFloat else { continue }
      cases.append(FunctionCase(function: .compare(direction, .totalOrder), operands: [type, type]))
    }
  }
  for type in [ElementType.f32, .f64] { cases.append(FunctionCase(function: .complex, operands: [type, type])) }
  return cases
}()

/// Conversions between element types and changes of type that keep the bits: all that execute, and the others from and
/// to some of them.
let conversions: [FunctionCase] = {
  let partners: Set<ElementType> = [.f32, .f64, .f16, .i1, .i8, .ui8, .complex64]
  var cases: [FunctionCase] = []
  for source in ElementType.allCases {
    for type in ElementType.allCases where type != source {
      let isTested = source.isExecutable ? type.isExecutable || partners.contains(source) : partners.contains(type)
      guard isTested else { continue }
      cases.append(FunctionCase(function: .convert(type), operands: [source]))
      guard source.bitWidth == type.bitWidth else { continue }
      cases.append(FunctionCase(function: .bitcast(type), operands: [source]))
    }
  }
  return cases
}()

extension FunctionCase {
  /// Applies the function to `count` elements, `lanes` at a time; the last ones are masked. `number` tells the buffers of
  /// the cases in one kernel apart.
  func write(_ builder: inout KernelBuilder, number: Int, count: Int, lanes: Int) throws {
    let sources = operands.enumerated().map { position, type in
      builder.addBuffer("x\(number)_\(position)", type, isWritten: false)
    }
    let destination = builder.addBuffer("y\(number)", try result, isWritten: true)
    builder.loop(to: IntegerExpression(count), step: lanes) { builder, i, _ -> [Register] in
      let position = lanes == 1 ? i : i + .lane
      let mask = builder.isWithin(position, IntegerExpression(count), lanes: lanes)
      let values = sources.map { builder.load($0, at: position, lanes: lanes, mask: mask) }
      let value = isExpanded ? builder.apply(function, values) : builder.primitive(function, values)
      builder.store(value, destination, at: position, lanes: lanes, mask: mask)
      return []
    }
  }
}

/// The cases that one kernel has: drivers compile and link each kernel, which takes longer than its code.
func casesPerKernel(_ target: Target) -> Int { target.workGroups == nil ? 1 : 12 }

/// A program with the cases, one or some in each kernel.
func program(of cases: [FunctionCase], _ target: Target, lanes: Int) throws -> ProgramDraft {
  var draft = ProgramDraft()
  var cache: [Literal: BufferID] = [:]
  var (builder, buffers) = (KernelBuilder(target: target), [BufferID]())
  for (position, each) in cases.enumerated() {
    let columns = each.columns
    for (column, type) in zip(columns, each.operands) {
      let literal = Literal(type, [column.count], column)
      let buffer = cache[literal] ?? draft.addInput(literal)
      cache[literal] = buffer
      buffers.append(buffer)
    }
    let count = columns[0].count
    buffers.append(draft.addOutput(try each.result, [Extent(count)]))
    try each.write(&builder, number: position, count: count, lanes: lanes)
    if (position + 1) % casesPerKernel(target) != 0, position < cases.count - 1 { continue }
    let name = "\(each.function.mnemonic)_\(position)"
    draft.append(draft.launch(builder.kernel(name: name, sources: [], taskCount: 1, taskCost: 1), buffers))
    (builder, buffers) = (KernelBuilder(target: target), [])
  }
  return draft
}

/// Describes every element that differs from what `evaluate` gives.
func differences(_ cases: [FunctionCase], _ outputs: [Literal]) throws -> [String] {
  var found: [String] = []
  for (each, output) in zip(cases, outputs) {
    let columns = each.columns
    for row in columns[0].indices {
      // Inputs pass through memory, where types round and NaNs lose their payload.
      let operands = zip(columns, each.operands).map { Literal.scalar($0[row], $1)[0] }
      let expected = try each.function.evaluate(operands, each.operands, each.result)
      let stored = Literal.scalar(expected, try each.result)[0]
      // Where there is no NaN, it becomes a zero of either sign.
      let hasNaN = try FloatFormat(each.result)?.specials != .finite
      if !isSame(stored, output[row]), hasNaN || stored.realValue != output[row].realValue {
        found.append("\(each.function) of \(each.operands) \(operands): \(output[row]), not \(stored)")
      }
    }
  }
  return found
}

/// Runs the cases in one program on this processor; beside what differs, every symbol that the code needs beside the
/// runtime and libc.
func differences(_ cases: [FunctionCase], cpu: String, lanes: Int) throws -> [String] {
  let draft = try program(of: cases, try LLVMCompiler(cpu: cpu).target, lanes: lanes)
  var options = LLVMCompiler.Options()
  options.verifies = true
  let compiled = try CompiledProgram(draft.program, LLVMCompiler(cpu: cpu), options)
  let outputs = try compiled.run(draft.program, draft.inputs)
  return try compiled.foreignSymbols().map { "the code needs \($0)" } + differences(cases, outputs)
}

@Suite struct FunctionTests {
  @Test(arguments: [1, 4, 8, 16]) func primitivesMeanWhatEvaluateSays(lanes: Int) throws {
    let found = try differences(primitives, cpu: "native", lanes: lanes)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  @Test(arguments: [1, 16]) func conversionsMeanWhatEvaluateSays(lanes: Int) throws {
    let found = try differences(conversions, cpu: "native", lanes: lanes)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  @Test(arguments: ["x86-64-v2", "x86-64-v3"]) func olderProcessorsGiveTheSame(cpu: String) throws {
    let found = try differences(primitives + conversions, cpu: cpu, lanes: 4)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }
}
