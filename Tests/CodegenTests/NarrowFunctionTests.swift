import CodegenLLVM
import CodegenOpenCL
import IR
import Testing

@testable import Codegen

/// Functions of the types that memory holds in a byte or less, and of two-byte floats.
private let narrowCases: [FunctionCase] = {
  var cases: [FunctionCase] = []
  func add(_ functions: [ScalarFunction], _ type: ElementType) {
    for function in functions {
      let operands = Array(repeating: type, count: function.operandCount)
      cases.append(FunctionCase(function: function, operands: operands, isExpanded: true))
    }
  }
  let formats: [ScalarFunction] = [(5, 10), (4, 3), (4, 2), (3, 1), (2, 0), (8, 0)].map {
    .reducePrecision(exponentBits: $0.0, mantissaBits: $0.1)
  }
  let comparisons: [ScalarFunction] = ComparisonDirection.allCases.flatMap {
    [.compare($0, .float), .compare($0, .totalOrder)]
  }
  let arithmetic: [ScalarFunction] =
    formats + [
      .abs, .negate, .ceil, .floor, .roundNearestEven, .roundNearestAwayFromZero, .sign, .isFinite, .isInfinite,
      .squareRoot, .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum, .clamp, .nextAfter,
    ]
  for type in ElementType.allCases where !type.isExecutable {
    if type.isInteger {
      add(
        [
          .negate, .not, .sign, .countLeadingZeros, .populationCount, .add, .subtract, .multiply, .divide, .remainder,
          .maximum, .minimum, .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical, .clamp, .power,
        ], type)
      if type.kind == .signed { add([.abs], type) }
    } else {
      add(arithmetic, type)
    }
    add(comparisons, type)
    cases.append(FunctionCase(function: .select, operands: [.i1, type, type]))
  }
  for type in [ElementType.f16, .bf16] { add(arithmetic + comparisons, type) }
  return cases
}()

@Suite(.serialized) struct NarrowFunctionTests {
  @Test(arguments: [1, 16]) func functionsMeanWhatEvaluateSays(lanes: Int) throws {
    let found = try differences(narrowCases, cpu: "native", lanes: lanes)
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  @Test(arguments: [1, 4]) func functionsMeanTheSameOnDevices(lanes: Int) throws {
    let draft = try program(of: narrowCases, OpenCLTests.target, lanes: lanes)
    let found = try differences(narrowCases, OpenCLDevice().run(draft.program, draft.inputs))
    #expect(found.isEmpty, "\(found.count) differ: \(found.prefix(20).joined(separator: "\n"))")
  }

  /// Shifts by a constant are written in another way.
  @Test(arguments: [ElementType.i2, .ui2, .i4, .ui4]) func shiftsByAConstant(_ type: ElementType) throws {
    let values = specialValues(type)
    let shifts: [ScalarFunction] = [.shiftLeft, .shiftRightArithmetic, .shiftRightLogical]
    for lanes in [1, 4] {
      var draft = ProgramDraft()
      let input = draft.addInput(Literal(type, [values.count], values))
      var builder = KernelBuilder(target: OpenCLTests.target)
      let x = builder.addBuffer("x", type, isWritten: false)
      var buffers = [input]
      for function in shifts {
        for amount in values {
          let y = builder.addBuffer("y\(buffers.count)", type, isWritten: true)
          buffers.append(draft.addOutput(type, [Extent(values.count)]))
          for first in stride(from: 0, to: values.count, by: lanes) {
            let position = IntegerExpression(first) + (lanes == 1 ? 0 : .lane)
            let value = builder.load(x, at: position, lanes: lanes)
            let shifted = builder.apply(function, [value, builder.constant(amount, type)])
            builder.store(shifted, y, at: position, lanes: lanes)
          }
        }
      }
      draft.append(draft.launch(builder.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1), buffers))
      let outputs = try OpenCLDevice().run(draft.program, draft.inputs)
      let cases = shifts.flatMap { function in values.map { (function, $0) } }
      for (output, (function, amount)) in zip(outputs, cases) {
        let expected = try values.map { try function.evaluate([$0, amount], [type, type], type) }
        #expect(output.scalars == expected, "\(function) of \(type) by \(amount), \(lanes) lanes")
      }
    }
  }
}
