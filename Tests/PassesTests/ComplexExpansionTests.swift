import IR
import Passes
import Testing

@Suite struct ComplexExpansionTests {
  private static let parts: [Double] = [0, -0.0, 0.5, -2.5, 1, 1e-20, 89, -200, 3e19]
  private static let unary: [ScalarFunction] = [
    .exponential, .exponentialMinusOne, .log, .logPlusOne, .squareRoot, .reciprocalSquareRoot, .logistic, .sine,
    .cosine,
    .tangent, .hyperbolicSine, .hyperbolicCosine, .hyperbolicTangent, .sign,
  ]

  private func grid(_ type: ElementType) -> [Scalar] {
    Self.parts.flatMap { re in
      Self.parts.map { im in
        .complex(FloatFormat.round(re, to: type.realPart), FloatFormat.round(im, to: type.realPart))
      }
    }
  }

  /// What the expanded graph of one function gives for these operands, and what the function itself gives.
  private func compare(_ function: ScalarFunction, _ operands: [Literal]) throws -> [(Scalar, Scalar)] {
    var graph = Graph()
    let values = operands.map { graph.addParameter($0.type) }
    graph.results = [try graph.append(.pointwise(function), values)]
    var after = graph
    var context = PassContext()
    try Pass.expand.apply(to: &after, &context)
    try after.verify()
    #expect(!after.nodes.contains { $0.op.mnemonic == function.mnemonic && $0.type.elementType.isComplex })
    let expected = try graph.evaluate(operands)[0].scalars
    return Array(zip(try after.evaluate(operands)[0].scalars, expected))
  }

  private func agree(_ a: Double, _ b: Double, _ size: Double, _ tolerance: Double) -> Bool {
    if a.isNaN || b.isNaN || a.isInfinite || b.isInfinite { return a == b || (a.isNaN && b.isNaN) }
    return (a - b).magnitude <= tolerance * max(a.magnitude, b.magnitude, size * 1e-6)
  }

  @Test func functionsOfOneNumber() throws {
    for (type, tolerance) in [(ElementType.complex64, 2e-7), (.complex128, 4e-14)] {
      let inputs = grid(type)
      let x = Literal(type, [inputs.count], inputs)
      for function in Self.unary {
        for (position, (value, expected)) in try compare(function, [x]).enumerated() {
          let size = max(expected.realValue.magnitude, expected.imaginaryValue.magnitude)
          let isRight =
            agree(value.realValue, expected.realValue, size, tolerance)
            && agree(value.imaginaryValue, expected.imaginaryValue, size, tolerance)
          #expect(isRight, "\(function.mnemonic) of \(inputs[position]) as \(type): \(value), expected \(expected)")
        }
      }
    }
  }

  @Test func powersAndOrder() throws {
    let numbers = [(1.5, -2.0), (0, 0), (-1, 0), (0.25, 3), (2, 0)].map { Scalar.complex($0.0, $0.1) }
    let pairs = numbers.flatMap { a in numbers.map { (a, $0) } }
    let x = Literal(.complex128, [pairs.count], pairs.map(\.0))
    let y = Literal(.complex128, [pairs.count], pairs.map(\.1))
    for function in [ScalarFunction.power, .maximum, .minimum] {
      for (value, expected) in try compare(function, [x, y]) where expected.realValue.isFinite {
        #expect(agree(value.realValue, expected.realValue, 1, 1e-13))
        #expect(agree(value.imaginaryValue, expected.imaginaryValue, 1, 1e-13))
      }
    }
  }

  @Test func othersAreRefusedByName() throws {
    let x = Literal(.complex64, [1], splat: .complex(1, 1))
    #expect(throws: OpError.unsupported("chlo.asin of complex numbers")) { try compare(.arcSine, [x]) }
  }
}
