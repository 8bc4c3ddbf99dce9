import Codegen
import CodegenLLVM
import IR
import Testing

@Suite struct ComplexMathTests {
  private static let parts: [Double] = [0, -0.0, 0.5, -2.5, 1, 1e-20, 89, -200, 3e19]
  private static let functions: [ScalarFunction] = [
    .exponential, .exponentialMinusOne, .log, .logPlusOne, .squareRoot, .reciprocalSquareRoot, .logistic, .sine,
    .cosine,
    .tangent, .hyperbolicSine, .hyperbolicCosine, .hyperbolicTangent, .sign, .power, .maximum, .minimum,
  ]

  /// A kernel that applies the function to each element.
  private func kernel(_ function: ScalarFunction, _ type: ElementType, _ target: Target, count: Int) -> Kernel {
    var builder = KernelBuilder(target: target)
    let sources = (0..<function.operandCount).map { builder.addBuffer("x\($0)", type, isWritten: false) }
    let result = (try? function.resultType(sources.map { _ in type })) ?? type
    let destination = builder.addBuffer("y", result, isWritten: true)
    builder.loop(to: IntegerExpression(count), step: 1) { builder, i, _ -> [Register] in
      let values = sources.map { builder.load($0, at: i, lanes: 1) }
      builder.store(builder.apply(function, values), destination, at: i, lanes: 1)
      return []
    }
    return builder.kernel(name: function.mnemonic, sources: [], taskCount: 1, taskCost: 1)
  }

  /// Near in each part, small parts beside large ones within the error of the whole.
  private func agree(_ a: Double, _ b: Double, _ size: Double, _ tolerance: Double) -> Bool {
    if a.isNaN || b.isNaN || a.isInfinite || b.isInfinite { return a == b || (a.isNaN && b.isNaN) }
    return (a - b).magnitude <= tolerance * max(a.magnitude, b.magnitude, size * 1e-6) + 0x1p-149
  }

  @Test func kernelsMeanWhatEvaluateSays() throws {
    try check(Self.functions, .complex64, 3e-7)
    try check(Self.functions, .complex128, 1e-13)
  }

  /// In f32 and pairs of it: the quotient and the absolute value as exact as before, the others within some ulps.
  @Test func kernelsWithoutF64AreNear() throws {
    try check([.divide, .abs], .complex64, 8e-8, hasF64: false)
    try check(Self.functions, .complex64, 1.5e-6, hasF64: false)
  }

  @Test func theLogisticFunctionVanishesFarOut() throws {
    try check([.logistic], .complex64, 3e-7, parts: [-1e30, -1000, -70, 0.5, 1000, 1e30])
    try check([.logistic], .complex128, 1e-13, parts: [-1e300, -800, -70, 0.5, 800])
  }

  private func check(
    _ functions: [ScalarFunction], _ type: ElementType, _ tolerance: Double, hasF64: Bool = true,
    parts: [Double] = Self.parts
  ) throws {
    let compiler = try LLVMCompiler(cpu: "native")
    var target = compiler.target
    target.hasF64 = hasF64
    let part = type.realPart
    let values = parts.flatMap { re in
      parts.map { Scalar.complex(FloatFormat.round(re, to: part), FloatFormat.round($0, to: part)) }
    }
    let (x, y) = (Literal(type, [values.count], values), Literal(type, [values.count], values.reversed()))
    var draft = ProgramDraft()
    let inputs = [draft.addInput(x), draft.addInput(y)]
    for function in functions {
      let result = try function.resultType([ElementType](repeating: type, count: function.operandCount))
      let output = draft.addOutput(result, [Extent(values.count)])
      let code = kernel(function, type, target, count: values.count)
      draft.append(draft.launch(code, Array(inputs.prefix(function.operandCount)) + [output]))
    }
    let outputs = try CompiledProgram(draft.program, compiler).run(draft.program, draft.inputs)
    for (function, output) in zip(functions, outputs) {
      for position in values.indices {
        let operands = Array([x[position], y[position]].prefix(function.operandCount))
        let expected = try function.evaluate(operands, operands.map { _ in type }, output.elementType)
        let value = output[position]
        let size = max(expected.realValue.magnitude, expected.imaginaryValue.magnitude)
        // A power's exponent is large here: its angle and size are as exact as the logarithm.
        if case .power = function, !(expected.realValue.isFinite && size < 1e3 && size > 1e-3) { continue }
        let exponent = max(y[position].realValue.magnitude, y[position].imaginaryValue.magnitude)
        if case .power = function, !hasF64, exponent > 3 { continue }
        let isRight =
          agree(value.realValue, expected.realValue, size, tolerance)
          && agree(value.imaginaryValue, expected.imaginaryValue, size, tolerance)
        let what: String = "\(function.mnemonic) of \(operands): \(value), expected \(expected)"
        #expect(isRight, Comment(rawValue: what))
      }
    }
  }
}
