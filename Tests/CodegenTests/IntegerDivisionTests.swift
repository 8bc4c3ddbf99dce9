import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Functions of integers that vectors compute as floats.
@Suite struct IntegerDivisionTests {
  private static let cpus = ["native", "x86-64-v3", "x86-64-v2"]

  /// Numbers of a type: the ends of its range, powers of two and their neighbours, and some by chance.
  private static func numbers(_ type: ElementType) -> [Int64] {
    let (low, high) = (type.kind == .signed ? Int64.min >> (64 - type.bitWidth) : 0, highest(type))
    var found: Set<Int64> = [low, high, 0, 1, 2, 3, 7, 10, low + 1, high - 1, high / 2, high / 3, high / 3 * 2 + 1]
    for bit in 1..<type.bitWidth - 1 { found.formUnion([1 << bit, (1 << bit) - 1, (1 << bit) + 1]) }
    if type.kind == .signed { found.formUnion(found.filter { $0 > low }.map { -$0 }) }
    var random = SplitMix(state: 11)
    for _ in 0..<40 { found.insert(low &+ Int64(bitPattern: random.next() % UInt64(bitPattern: high &- low))) }
    return found.filter { $0 >= low && $0 <= high }.sorted()
  }

  private static func highest(_ type: ElementType) -> Int64 {
    type.kind == .signed ? Int64.max >> (64 - type.bitWidth) : (1 << type.bitWidth) - 1
  }

  /// The function of operands of one extent, element by element, in vectors with a rest.
  private static func check(
    _ function: ScalarFunction, _ operands: [Literal], _ result: ElementType, lanes: Int, cpu: String
  ) throws {
    var draft = ProgramDraft()
    var b = KernelBuilder(target: try LLVMCompiler(cpu: cpu).target)
    let inputs = operands.map { b.addBuffer("x", $0.elementType, isWritten: false) }
    let y = b.addBuffer("y", result, isWritten: true)
    let count = operands[0].elementCount
    b.loop(to: IntegerExpression(count), step: lanes) { b, i, _ -> [Register] in
      let valid = b.isWithin(i + .lane, IntegerExpression(count), lanes: lanes)
      let values = inputs.map { b.load($0, at: i + .lane, lanes: lanes, mask: valid) }
      b.store(b.apply(function, values), y, at: i + .lane, lanes: lanes, mask: valid)
      return []
    }
    let kernel = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    let buffers = operands.map { draft.addInput($0) } + [draft.addOutput(result, [Extent(count)])]
    draft.append(draft.launch(kernel, buffers))
    let found = try draft.outputs(cpu: cpu)[0]
    let types = operands.map(\.elementType)
    for position in 0..<count {
      let values = operands.map { $0[position] }
      let expected = try function.evaluate(values, types, result)
      let same = isSame(found[position], expected)
      #expect(same, "\(function.mnemonic) of \(values) of \(types[0]), \(cpu): \(found[position]), not \(expected)")
    }
  }

  /// All pairs of such numbers; divisors are 0 and -1 too.
  @Test(
    arguments: [ElementType.i4, .ui4, .i8, .ui8, .i16, .ui16, .i32, .ui32, .i64],
    [ScalarFunction.divide, .remainder])
  func quotients(_ type: ElementType, _ function: ScalarFunction) throws {
    let numbers = Self.numbers(type)
    let pairs = numbers.flatMap { a in numbers.map { (a, $0) } }
    let operands = [pairs.map(\.0), pairs.map(\.1)].map { values in
      Literal(type, [values.count], values.map { .integer($0) })
    }
    for cpu in Self.cpus {
      for lanes in [4, 16] { try Self.check(function, operands, type, lanes: lanes, cpu: cpu) }
    }
  }

  /// Rounded once, and infinite, or the type's greatest, beyond its range.
  @Test(
    arguments: [ElementType.i1, .i8, .ui16, .i32, .ui32, .i64],
    [ElementType.f16, .bf16, .f8E5M2, .f8E4M3FN, .f8E4M3B11FNUZ, .f4E2M1FN])
  func narrowFloats(_ type: ElementType, _ float: ElementType) throws {
    var numbers = type == .i1 ? [0, 1, 1, 0, 1] : Self.numbers(type)
    let ties: [Int64] = [
      2049, 2051, 4097, 65504, 65519, 65520, 65521, 61440, 61439, 448, 464, 465, 480, 16_777_217,
    ]
    if type.bitWidth >= 32 { numbers += ties + (type.kind == .signed ? ties.map { -$0 } : []) }
    let operand = Literal(type, [numbers.count], numbers.map { .integer($0) })
    for cpu in Self.cpus {
      for lanes in [4, 8] { try Self.check(.convert(float), [operand], float, lanes: lanes, cpu: cpu) }
    }
  }

  /// Floats are truncated, those beyond the range become its ends, and NaN 0.
  @Test(arguments: [ElementType.i4, .i8, .ui8, .i16, .ui16, .i32, .ui32, .i64], [ElementType.f32, .f64, .f16])
  func truncated(_ type: ElementType, _ float: ElementType) throws {
    let (low, high) = (Double(type.kind == .signed ? Int64.min >> (64 - type.bitWidth) : 0), Double(Self.highest(type)))
    let edges = [low, low - 1, low - 0.5, low + 0.5, high, high - 1, high + 0.5, high + 1, 2 * high, 2 * low]
    let others = [0, -0.0, 0.99, -0.99, 1.5, -1.5, 100.7, -100.7, .infinity, -.infinity, .nan, 1e300, -1e300]
    let values = (edges + others).map { Scalar(FloatFormat.round($0, to: float), float) }
    let operand = Literal(float, [values.count], values)
    for cpu in Self.cpus {
      for lanes in [4, 16] { try Self.check(.convert(type), [operand], type, lanes: lanes, cpu: cpu) }
    }
  }
}
