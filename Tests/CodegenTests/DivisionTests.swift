import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// Vectors over one number, which are multiplied by its reciprocal.
@Suite struct DivisionTests {
  private static let edges: [Double] = [
    0, -0.0, 1, -1, 2, 3, -7, 10, 0.1, 384, 1e-3, .infinity, -.infinity, .nan, 0x1p-149, -0x1p-149, 0x1.8p-140,
    0x1p-127, 0x1p-126, 0x1.fffffep127, -0x1.fffffep127, 0x1p127, 0x1.fffffep-1, 0x1.000002p0, 0x1p64, 0x1.8p64,
    0x1p-64, 0x1p-65, 1e30, -1e30, 1e-30, 0x1p-100, 16_777_215, 8_388_609,
  ]

  /// The quotients of all dividends by each divisor; the kernel loads a divisor and then loops over the dividends.
  private static func quotients(
    _ dividends: [Double], _ divisors: [Double], _ type: ElementType, lanes: Int, cpu: String
  ) throws -> [Double] {
    var draft = ProgramDraft()
    var b = KernelBuilder(target: try LLVMCompiler(cpu: cpu).target)
    let (x, d) = (b.addBuffer("x", type, isWritten: false), b.addBuffer("d", type, isWritten: false))
    let y = b.addBuffer("y", type, isWritten: true)
    let count = dividends.count
    b.loop(to: IntegerExpression(divisors.count)) { b, row, _ -> [Register] in
      let divisor = b.load(d, at: row, lanes: 1)
      b.loop(to: IntegerExpression(count), step: lanes) { b, i, _ -> [Register] in
        let valid = b.isWithin(i + .lane, IntegerExpression(count), lanes: lanes)
        let dividend = b.load(x, at: i + .lane, lanes: lanes, mask: valid)
        b.store(b.apply(.divide, [dividend, divisor]), y, at: row * count + i + .lane, lanes: lanes, mask: valid)
        return []
      }
      return []
    }
    let kernel = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    var buffers = [dividends, divisors].map { numbers in
      draft.addInput(Literal(type, [numbers.count], numbers.map { Scalar($0, type) }))
    }
    buffers.append(draft.addOutput(type, [Extent(divisors.count * count)]))
    draft.append(draft.launch(kernel, buffers))
    return try draft.outputs(cpu: cpu)[0].scalars.map(\.realValue)
  }

  /// Rounded correctly but for quotients near a tie; the last place of what belongs to tiny numbers may differ.
  @Test(arguments: [ElementType.f32, .f64, .bf16, .f16], ["native", "x86-64-v3"])
  func edgesAndRandomNumbers(type: ElementType, cpu: String) throws {
    var random = SplitMix(state: 7)
    let numbers = (0..<300).map { i in
      random.scalar(.f64).realValue * Double(sign: .plus, exponent: i % 3 == 0 ? 0 : i % 80 - 40, significand: 1)
    }
    let values = (Self.edges + numbers).map { FloatFormat.round($0, to: type) }
    let lanes = type == .f64 ? 8 : 16
    let found = try Self.quotients(values, values, type, lanes: lanes, cpu: cpu)
    for (position, quotient) in found.enumerated() {
      let (x, d) = (values[position % values.count], values[position / values.count])
      let expected = x / d
      let rounded = FloatFormat.round(expected, to: type)
      if quotient.isNaN && rounded.isNaN || quotient == rounded && quotient.sign == rounded.sign { continue }
      // The quotients of f64 are judged by rounded ones.
      let isTiny = min(x.magnitude, rounded.magnitude) < 0x1p-100
      let bound = isTiny || type == .f64 ? 1.0 : 0.5001
      #expect(ulps(quotient, expected, type) <= bound, "\(x) / \(d) of \(type): \(quotient), not \(rounded)")
    }
  }

  @Test func aFewVectorsAreDivided() throws {
    var b = KernelBuilder(target: try LLVMCompiler().target)
    b.usesReciprocals = false
    let x = b.addBuffer("x", .f32, isWritten: false)
    let dividend = b.load(x, at: .lane, lanes: 16)
    let divisor = b.load(x, at: 16, lanes: 1)
    _ = b.apply(.divide, [dividend, divisor])
    let kernel = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
    #expect(kernel.description.contains("divide"))
  }
}
