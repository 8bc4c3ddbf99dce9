import CodegenLLVM
import Foundation
import IR
import Testing

@testable import Codegen

private let target: Target = {
  (try? LLVMCompiler().target)
    ?? Target(cpu: "", vectorByteCount: 16, vectorRegisterCount: 16, hasMultiplyAdd: false)
}()

private func numbers(_ type: ElementType, _ count: Int, _ value: (Int) -> Double) -> Literal {
  Literal(type, [count], (0..<count).map { Scalar(value($0), type) })
}

private func integers(_ values: [Int], _ type: ElementType = .i64) -> Literal {
  Literal(type, [values.count], values.map { .integer(Int64($0)) })
}

/// The outputs of one kernel with one task that reads `inputs` and writes one buffer.
private func outputs(
  _ inputs: [Literal], _ type: ElementType, _ count: Int, cpu: String = "native",
  _ write: (inout KernelBuilder, [Memory], Memory) -> Void
) throws -> Literal {
  var draft = ProgramDraft()
  var builder = KernelBuilder(target: target)
  let sources = inputs.map { builder.addBuffer("x", $0.elementType, isWritten: false) }
  let result = builder.addBuffer("y", type, isWritten: true)
  write(&builder, sources, result)
  let kernel = builder.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1)
  let buffers = inputs.map { draft.addInput($0) } + [draft.addOutput(type, [Extent(count)])]
  draft.append(draft.launch(kernel, buffers))
  return try draft.outputs(cpu: cpu)[0]
}

@Suite struct KernelTests {
  @Test func serialLoopsCarryValues() throws {
    let x = numbers(.f32, 13) { Double($0) * 0.5 }
    let y = try outputs([x], .f32, 2) { builder, x, y in
      let zero = builder.constant(0, .f32)
      let one = builder.constant(1, .f32)
      let results = builder.loop(to: 13, carrying: [zero, one]) { builder, i, carried in
        let value = builder.load(x[0], at: i, lanes: 1)
        return [builder.apply(.add, [carried[0], value]), builder.apply(.maximum, [carried[1], carried[0]])]
      }
      builder.store(results[0], y, at: 0, lanes: 1)
      builder.store(results[1], y, at: 1, lanes: 1)
    }
    #expect(y.scalars == [.real(39), .real(33)])
  }

  @Test func unrolledLoopsAreRepeatedAndNest() throws {
    let y = try outputs([], .i64, 1) { builder, _, y in
      let sum = builder.loop(from: 1, to: 8, step: 3, kind: .unrolled, carrying: [builder.constant(0, .i64)]) {
        builder, i, outer -> [Register] in
        builder.loop(from: .zero, to: 2, kind: .unrolled, carrying: outer) { builder, j, carried in
          [builder.apply(.add, [carried[0], builder.materialize(i * 10 + j, lanes: 1)])]
        }
      }
      builder.store(sum[0], y, at: 0, lanes: 1)
    }
    #expect(y.scalars == [.integer((10 + 11) + (40 + 41) + (70 + 71))])
  }

  @Test func emptyLoopsGiveTheInitialValues() throws {
    let y = try outputs([integers([0])], .i64, 2) { builder, x, y in
      let start = builder.load(x[0], at: 0, lanes: 1)
      let limit = builder.index(of: start)
      let serial = builder.loop(to: limit, carrying: [start]) { builder, i, carried in
        [builder.apply(.add, [carried[0], builder.materialize(i + 1, lanes: 1)])]
      }
      let unrolled = builder.loop(from: 3, to: 3, kind: .unrolled, carrying: [start]) { builder, i, carried in
        [builder.apply(.add, [carried[0], builder.materialize(i + 1, lanes: 1)])]
      }
      builder.store(serial[0], y, at: 0, lanes: 1)
      builder.store(unrolled[0], y, at: 1, lanes: 1)
    }
    #expect(y.scalars == [.integer(0), .integer(0)])
  }

  @Test func branchesChoose() throws {
    let y = try outputs([integers([4, -4])], .i64, 2) { builder, x, y in
      builder.loop(to: 2) { builder, i, _ -> [Register] in
        let value = builder.load(x[0], at: i, lanes: 1)
        let isPositive = builder.apply(.compare(.greater, .signed), [value, builder.constant(0, .i64)])
        builder.branch(
          isPositive, then: { $0.store($0.constant(1, .i64), y, at: i, lanes: 1) },
          else: { $0.store(value, y, at: i, lanes: 1) })
        return []
      }
    }
    #expect(y.scalars == [.integer(1), .integer(-4)])
  }

  @Test(arguments: [2, 3, 5, 8, 13, 16]) func foldsCombineHalves(lanes: Int) throws {
    let x = numbers(.f32, lanes) { 1 + Double($0 * $0) * 0x1p-20 + ($0 == 1 ? 0x1p20 : 0) }
    let y = try outputs([x], .f32, 2) { builder, x, y in
      let vector = builder.load(x[0], at: .lane, lanes: lanes)
      builder.store(builder.fold(.add, vector), y, at: 0, lanes: 1)
      builder.store(builder.fold(.minimum, vector), y, at: 1, lanes: 1)
    }
    var values = x.scalars.map { Float($0.realValue) }
    while values.count > 1 {
      let (pairs, kept) = (values.count / 2, values.count - values.count / 2)
      values = (0..<kept).map { $0 < pairs ? values[$0] + values[kept + $0] : values[$0] }
    }
    #expect(y.scalars == [.real(Double(values[0])), .real(1)])
  }

  @Test func complexNumbersFoldAndShuffle() throws {
    let x = Literal(.complex64, [4], (0..<4).map { .complex(Double($0), Double(10 * $0)) })
    let y = try outputs([x], .complex64, 4) { builder, x, y in
      let vector = builder.load(x[0], at: .lane, lanes: 4)
      let turned = builder.define(RegisterType(.complex64, lanes: 3), .shuffle(vector, vector, [3, 6, 0]))
      builder.append(.store(turned, y, at: 0, mask: nil))
      builder.store(builder.fold(.add, vector), y, at: 3, lanes: 1)
    }
    #expect(y.scalars == [.complex(3, 30), .complex(2, 20), .complex(0, 0), .complex(6, 60)])
  }

  @Test func scalarsShuffleIntoVectors() throws {
    let y = try outputs([integers([7, 9])], .i64, 4) { builder, x, y in
      let (a, b) = (builder.load(x[0], at: 0, lanes: 1), builder.load(x[0], at: 1, lanes: 1))
      let pair = builder.define(RegisterType(.i64, lanes: 3), .shuffle(a, b, [1, 0, 1]))
      builder.append(.store(pair, y, at: 0, mask: nil))
      builder.store(builder.define(RegisterType(.i64), .extract(pair, lane: 2)), y, at: 3, lanes: 1)
    }
    #expect(y.scalars.map(\.integerValue) == [9, 7, 9, 9])
  }

  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func gathersAndScattersObeyTheMask(cpu: String) throws {
    for type in ElementType.allCases {
      let x = Literal(type, [9], (0..<9).map { Scalar($0 % 2 == 0 ? 1 : 0, type) })
      let positions = integers([8, 1, 1_000_000_000_000, 3, 5, 2, -7, 4])
      let y = try outputs([x, positions], type, 10, cpu: cpu) { builder, x, y in
        let at = builder.load(x[1], at: .lane, lanes: 8)
        let low = builder.apply(.compare(.greaterOrEqual, .signed), [at, builder.constant(0, .i64)])
        let high = builder.apply(.compare(.less, .signed), [at, builder.constant(9, .i64)])
        let mask = builder.apply(.and, [low, high])
        let rest = builder.load(x[0], at: .lane, lanes: 8)
        builder.append(.store(rest, y, at: 2, mask: nil))
        let values = builder.define(RegisterType(type, lanes: 8), .gather(x[0], at: at, mask: mask))
        builder.append(.scatter(values, y, at: at, mask: mask))
        let last = builder.define(RegisterType(type, lanes: 8), .gather(x[0], at: at, mask: mask))
        builder.store(builder.define(RegisterType(type), .extract(last, lane: 2)), y, at: 0, lanes: 1)
      }
      var expected = (0..<10).map { $0 < 2 ? Scalar.zero(type) : x[$0 - 2] }
      for position in [8, 1, 3, 5, 2, 4] { expected[position] = x[position] }
      // A lane that is not read has all bits zero.
      expected[0] = Literal(type, [], bytes: [UInt8](repeating: 0, count: type.byteCount))[0]
      let same = zip(expected, y.scalars).allSatisfy { isSame($0, $1) }
      #expect(same, "\(type): \(y.scalars), not \(expected)")
    }
  }

  /// Vectors of several registers, of which none of the upper lanes is wanted, by one truth value and a mask of lanes.
  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func upperHalvesThatAreNotWanted(cpu: String) throws {
    for type in [ElementType.f32, .i32, .f64, .i64, .f16, .i8] {
      for (count, isWanted) in [(6, true), (6, false), (8, true), (13, true), (16, true)] {
        let x = Literal(type, [32], splat: Scalar(3, type))
        let y = try outputs([x, integers([isWanted ? 0 : 1])], type, 32, cpu: cpu) { builder, x, y in
          let number = builder.load(x[1], at: 0, lanes: 1)
          let isZero = builder.apply(.compare(.equal, .signed), [number, builder.constant(0, .i64)])
          let lane = builder.define(RegisterType(.i64, lanes: 32), .index(.lane))
          let low = builder.apply(.compare(.less, .signed), [lane, builder.constant(Double(count), .i64)])
          let mask = builder.apply(.and, [builder.widen(isZero, to: 32), low])
          builder.store(builder.load(x[0], at: .lane, lanes: 32, mask: mask), y, at: .lane, lanes: 32)
        }
        let expected = (0..<32).map { isWanted && $0 < count ? Scalar(3, type) : .zero(type) }
        #expect(y.scalars == expected, "\(type), \(count)")
      }
    }
  }

  /// Neighbours whose mask is one truth value, or one and a mask of lanes: far away where it does not hold, and near.
  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func masksOfAllLanes(cpu: String) throws {
    for type in ElementType.allCases {
      let x = Literal(type, [8], (0..<8).map { Scalar($0 % 3 == 0 ? 1 : 0, type) })
      for (position, isWhole) in [(0, false), (0, true), (1_000_000_000_000, false), (-1_000_000_000, true)] {
        let y = try outputs([x, integers([position])], type, 16, cpu: cpu) { builder, x, y in
          let at = builder.load(x[1], at: 0, lanes: 1)
          let isNear = builder.apply(.compare(.equal, .signed), [at, builder.constant(0, .i64)])
          let lane = builder.define(RegisterType(.i64, lanes: 8), .index(.lane))
          let low = builder.apply(.compare(.less, .signed), [lane, builder.constant(5, .i64)])
          let mask = isWhole ? isNear : builder.apply(.and, [isNear, builder.apply(.and, [low, isNear])])
          let place = .lane + builder.index(of: at)
          builder.append(.store(builder.load(x[0], at: .lane, lanes: 8), y, at: 0, mask: nil))
          let values = builder.load(x[0], at: place, lanes: 8, mask: mask)
          builder.append(.store(values, y, at: 8, mask: nil))
          builder.store(values, y, at: place, lanes: 8, mask: mask)
        }
        // Lanes that are not read have all bits zero, and lanes that are not written keep what was there.
        let zero = Literal(type, [], bytes: [UInt8](repeating: 0, count: type.byteCount))[0]
        let expected = (0..<8).map { x[$0] } + (0..<8).map { position == 0 && (isWhole || $0 < 5) ? x[$0] : zero }
        let same = zip(expected, y.scalars).allSatisfy { isSame($0, $1) }
        #expect(same, "\(type) at \(position): \(y.scalars), not \(expected)")
      }
    }
  }

  /// The first lanes alone, as a constant says, and all or none of them, as a run decides.
  @Test(arguments: ["native", "x86-64-v3", "x86-64-v2"]) func firstLanes(cpu: String) throws {
    for type in [ElementType.i1, .i8, .f16, .f32, .i64, .complex64] {
      let x = Literal(type, [16], (0..<16).map { Scalar($0 % 3 == 0 ? 1 : 0, type) })
      let before = Literal(type, [16], (0..<16).map { Scalar($0 % 3 == 0 ? 0 : 1, type) })
      let zero = Literal(type, [], bytes: [UInt8](repeating: 0, count: type.byteCount))[0]
      for count in [0, 1, 11, 16] {
        for isKnown in [false, true] {
          let y = try outputs([x, integers([count]), before], type, 32, cpu: cpu) { builder, x, y in
            let lane = builder.define(RegisterType(.i64, lanes: 16), .index(.lane))
            let limit = isKnown ? builder.constant(.integer(Int64(count)), .i64) : builder.load(x[1], at: 0, lanes: 1)
            let mask = builder.apply(.compare(.less, .signed), [lane, limit])
            let values = builder.load(x[0], at: .lane, lanes: 16, mask: mask)
            builder.append(.store(values, y, at: 0, mask: nil))
            builder.append(.store(builder.load(x[2], at: .lane, lanes: 16), y, at: 16, mask: nil))
            builder.store(builder.load(x[0], at: .lane, lanes: 16), y, at: 16 + .lane, lanes: 16, mask: mask)
          }
          let expected = (0..<32).map { $0 % 16 < count ? x[$0 % 16] : $0 < 16 ? zero : before[$0 % 16] }
          let same = zip(expected, y.scalars).allSatisfy { isSame($0, $1) }
          #expect(same, "\(count) of \(type), \(cpu): \(y.scalars), not \(expected)")
        }
      }
    }
  }

  @Test func scatterWritesInLaneOrder() throws {
    for type in [ElementType.i32, .i8, .f32] {
      let x = numbers(type, 16) { Double($0) }
      let y = try outputs([x, integers([Int](repeating: 0, count: 16))], type, 1) { builder, x, y in
        let at = builder.load(x[1], at: .lane, lanes: 16)
        builder.append(.scatter(builder.load(x[0], at: .lane, lanes: 16), y, at: at, mask: nil))
      }
      #expect(y[0].realValue == 15)
    }
  }

  @Test func scratchKeepsValues() throws {
    let x = Literal(.complex64, [5], (0..<5).map { .complex(Double($0), -Double($0)) })
    let y = try outputs([x], .complex64, 5) { builder, x, y in
      let memory = builder.addScratch(.complex64, count: 5)
      builder.loop(to: 5) { builder, i, _ -> [Register] in
        builder.store(builder.load(x[0], at: i, lanes: 1), memory, at: 4 - i, lanes: 1)
        return []
      }
      builder.loop(to: 5) { builder, i, _ -> [Register] in
        builder.store(builder.load(memory, at: i, lanes: 1), y, at: i, lanes: 1)
        return []
      }
    }
    #expect(y.scalars == x.scalars.reversed())
  }

  @Test(arguments: ["native", "x86-64-v2"]) func indexExpressionsRoundTowardsNegativeInfinity(cpu: String) throws {
    let values = [-100, -17, -16, -15, -1, 0, 1, 6, 7, 8, 13, 1 << 40, -(1 << 40) - 1, 99, 100, 101]
    for divisor in [1, 2, 7, 16, 1000] {
      let y = try outputs([integers(values)], .i64, 96, cpu: cpu) { builder, x, y in
        let vector = builder.load(x[0], at: .lane, lanes: 16)
        let quotient = builder.index(of: vector)
        func both(_ value: IntegerExpression) -> [IntegerExpression] {
          [
            IntegerExpression(.floorDivide(value, IntegerExpression(divisor))),
            IntegerExpression(.modulo(value, IntegerExpression(divisor))),
            .minimum(value, 9) + .maximum(value * value.substituting { _ in nil }, value),
          ]
        }
        for (position, expression) in both(quotient).enumerated() {
          let value = builder.define(RegisterType(.i64, lanes: 16), .index(expression))
          builder.append(.store(value, y, at: IntegerExpression(16 * position), mask: nil))
        }
        builder.loop(to: 16) { builder, i, _ -> [Register] in
          let scalar = builder.index(of: builder.load(x[0], at: i, lanes: 1))
          for (position, expression) in both(scalar).enumerated() {
            let value = builder.define(RegisterType(.i64), .index(expression))
            builder.store(value, y, at: i + IntegerExpression(48 + 16 * position), lanes: 1)
          }
          return []
        }
      }
      let quotients = values.map { $0.flooredQuotient(divisor) }
      let expected =
        quotients + zip(values, quotients).map { $0 - $1 * divisor } + values.map { min($0, 9) &+ max($0 &* $0, $0) }
      #expect(y.scalars.map { Int($0.integerValue) } == expected + expected, "divided by \(divisor)")
    }
  }

  @Test func multiplyAddRoundsOnceWhereTheProcessorCan() throws {
    let x = numbers(.f32, 3) { [1 + 0x1p-12, 1 + 0x1p-12, -1 - 0x1p-11][$0] }
    for (cpu, expected) in [("x86-64-v3", 0x1p-24), ("x86-64-v2", 0)] {
      let y = try outputs([x], .f32, 1, cpu: cpu) { builder, x, y in
        let values = (0..<3).map { builder.load(x[0], at: IntegerExpression($0), lanes: 1) }
        builder.store(builder.multiplyAdd(values[0], values[1], values[2]), y, at: 0, lanes: 1)
      }
      #expect(y[0].realValue == expected)
    }
  }

  @Test func productsAndSumsAreNotFused() throws {
    let x = numbers(.f32, 3) { [1 + 0x1p-12, 1 + 0x1p-12, -1 - 0x1p-11][$0] }
    let y = try outputs([x], .f32, 1) { builder, x, y in
      let values = (0..<3).map { builder.load(x[0], at: IntegerExpression($0), lanes: 1) }
      let product = builder.apply(.multiply, [values[0], values[1]])
      builder.store(builder.apply(.add, [product, values[2]]), y, at: 0, lanes: 1)
    }
    #expect(y[0].realValue == 0)
  }
}

extension KernelTests {
  /// Each lane finds its number, in registers or in memory, whatever the upper bits of its index.
  @Test(arguments: [1, 2, 8, 16, 24, 32, 48], ["native", "x86-64-v3"])
  func lookups(lanes: Int, cpu: String) throws {
    let table = (0..<32).map { Double($0 * $0) - 7.5 }
    let indices = (0..<96).map { ($0 * 11) % 32 + ($0 % 3 - 1) * 32 }
    let y = try outputs([integers(indices, .i32)], .f32, 96, cpu: cpu) { builder, x, y in
      builder.loop(to: 96, step: lanes) { builder, i, _ -> [Register] in
        let index = builder.load(x[0], at: lanes == 1 ? i : i + .lane, lanes: lanes)
        builder.store(builder.lookup(table, at: index), y, at: lanes == 1 ? i : i + .lane, lanes: lanes)
        return []
      }
    }
    #expect(y.scalars.map(\.realValue) == indices.map { table[$0 & 31] })
  }

  /// What is fetched before it is read may lie outside.
  /// What is written among something else comes in its own order.
  @Test(arguments: [(3, 8), (8, 3), (0, 4), (4, 0), (5, 5)]) func interleavedWorkKeepsItsOrder(
    _ first: Int, _ second: Int
  )
    throws
  {
    var b = KernelBuilder(target: target)
    let y = b.addBuffer("y", .i64, isWritten: true)
    func write(_ count: Int, from start: Int) -> (inout KernelBuilder) -> Void {
      return { b in
        for number in 0..<count { b.append(.prefetch(y, at: IntegerExpression(start + number), into: .l1)) }
      }
    }
    b.interleaved(write(first, from: 0), write(second, from: 100))
    let order: [Int] = b.kernel(name: "k", sources: [], taskCount: 1, taskCost: 1).body.compactMap {
      if case .prefetch(_, let position, _) = $0 { return position.fixed }
      return nil
    }
    #expect(order.filter { $0 < 100 } == Array(0..<first))
    #expect(order.filter { $0 >= 100 } == Array(100..<100 + second))
    if first == 3, second == 8 { #expect(order == [0, 100, 101, 1, 102, 103, 104, 2, 105, 106, 107]) }
  }

  /// Elements whose parts meet ties, carries and both ends of what tiles multiply.
  private static let elements: [Float] = [
    0, -0.0, 1, -1, 1.00390625, 1.01171875, -1.00390625, 1.99999988, -1.99999988, 0x1.0101p3, 0x1.FEFEFEp-5, 0.1, -0.1,
    3,
    257, 259, -257, 0x1.FFFFFEp48, 0x1.000002p-40, 0x1.FFFFFEp-100, -0x1.808082p20, 1e10, -1e-10, 0x1.7F7F7Ep0,
    0x1.008p0,
    0x1.018p0, 0x1.FF7FFEp10, -0x1.FF8p10, 12345.678, 65504, 6e-8, 0x1.0000FEp0,
  ]

  @Test(arguments: [SplitScheme.bf16x3, .bf16x2, .bf16, .f16x2], [true, false])
  func partsStandWhereTilesReadThem(_ scheme: SplitScheme, _ areSteps: Bool) throws {
    let elements = scheme.isScaled ? Self.elements.map { $0.magnitude > 60000 ? 1.5 : $0 } : Self.elements
    let x = numbers(.f32, 32) { Double(elements[$0]) }
    let y = try outputs([x], scheme.elementType, 32 * scheme.partCount) { b, x, y in
      let halves = [0, 16].map { b.load(x[0], at: .lane + $0, lanes: 16) }
      let parts =
        areSteps ? b.parts(ofSteps: halves[0], halves[1], scheme) : b.parts(ofPair: halves[0], halves[1], scheme)
      for (number, part) in parts.enumerated() { b.store(part, y, at: .lane + 32 * number, lanes: 32) }
    }
    let parts = y.scalars.map(\.realValue)
    // Beyond what the parts have bits for, and below f16's least number, elements are rounded.
    let (bits, least) = scheme.isScaled ? (-22, 0x1p-25) : ([-8, -16, -126][scheme.partCount - 1], 0)
    for (step, element) in elements.enumerated() {
      let place = areSteps ? scheme.place(ofStep: step) : step % 16 * 2 + step / 16
      let sum = (0..<scheme.partCount).reduce(0.0) { $0 + parts[32 * $1 + place] }
      let missing = abs(sum - Double(element))
      #expect(
        missing <= max(abs(Double(element)) * Double(sign: .plus, exponent: bits, significand: 1), least), "\(element)")
      if scheme.partCount == 3 { #expect(sum == Double(element)) }
      if scheme == .bf16 { #expect(sum == FloatFormat.round(Double(element), to: .bf16)) }
    }
  }

  @Test func fetchingAheadChangesNothing() throws {
    let y = try outputs([numbers(.f32, 3) { Double($0) }], .f32, 3) { builder, x, y in
      builder.loop(to: 3) { builder, i, _ -> [Register] in
        builder.append(.prefetch(x[0], at: i + 1_000_000, into: .l1))
        builder.store(builder.load(x[0], at: i, lanes: 1), y, at: i, lanes: 1)
        return []
      }
    }
    #expect(y.scalars == [.real(0), .real(1), .real(2)])
  }
}
