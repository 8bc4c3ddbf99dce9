import IR
import Passes
import Testing

@Suite struct ExpandTests {
  /// A graph that applies one op, before and after.
  private func expanded(_ op: Op, _ types: [TensorType]) throws -> (before: Graph, after: Graph) {
    var graph = Graph()
    let operands = types.map { graph.addParameter($0) }
    graph.results = graph.results(of: try graph.append(op, operands))
    let after = try expand(graph)
    #expect(!after.nodes.contains { $0.op == op })
    return (graph, after)
  }

  private func expand(_ graph: Graph) throws -> Graph {
    var after = graph
    var context = PassContext()
    try Pass.expand.apply(to: &after, &context)
    try after.verify()
    return after
  }

  private func numbers(_ type: TensorType, seed: Int = 1) -> Literal {
    let shape = type.fixedDimensions ?? []
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    let values = (0..<shape.reduce(1, *)).map { _ -> Scalar in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let x = Double(Int64(bitPattern: state) >> 40) / 4_194_304
      return type.elementType.isComplex ? .complex(x, 1 - x * x) : Scalar(x, type.elementType)
    }
    return Literal(type.elementType, shape, values)
  }

  private func expectNear(_ a: [Literal], _ b: [Literal], _ tolerance: Double) {
    for (x, y) in zip(a, b) {
      #expect(x.type == y.type)
      for (u, v) in zip(x.scalars, y.scalars) {
        let distance = max((u.realValue - v.realValue).magnitude, (u.imaginaryValue - v.imaginaryValue).magnitude)
        #expect(distance <= tolerance * max(1, u.realValue.magnitude, u.imaginaryValue.magnitude))
      }
    }
  }

  @Test func sizesAreThoseOfTheFirstDimension() throws {
    for dimension in 1...2 {
      let op = Op.setDimensionSize(SetDimensionSize(dimension: dimension, extent: .symbol("n")))
      let (before, after) = try expanded(op, [TensorType(.f32, fixed: [2, 3, 4]), .scalar(.i32)])
      let x = numbers(TensorType(.f32, fixed: [2, 3, 4]))
      for size in [0, 1, 3] {
        let arguments = [x, Literal(.i32, [], [.integer(Int64(size))])]
        #expect(try before.evaluate(arguments) == after.evaluate(arguments))
      }
    }
  }

  @Test func randomBitsAreTheSame() throws {
    let state = [0x0123_4567_89ab_cdef, 0xffff_ffff_ffff_fffe, 7] as [UInt64]
    let shapes = [[], [5], [2, 3], [3, 3], [3, 2], [1, 1], [9, 1]]
    for algorithm in RngBitGenerator.Algorithm.allCases {
      for type in [ElementType.ui32, .ui64, .ui8, .i16, .i32, .f32] {
        for shape in shapes {
          for count in algorithm == .threeFry ? [2] : [2, 3] {
            let generator = RngBitGenerator(algorithm: algorithm, resultType: TensorType(type, fixed: shape))
            let (before, after) = try expanded(.rngBitGenerator(generator), [TensorType(.ui64, fixed: [count])])
            let seed = Literal(.ui64, [count], state.prefix(count).map { .integer(Int64(bitPattern: $0)) })
            let (a, b) = (try before.evaluate([seed]), try after.evaluate([seed]))
            #expect(a.map(\.expanded.bytes) == b.map(\.expanded.bytes), "\(algorithm) \(type) \(shape) \(count)")
          }
        }
      }
    }
  }

  @Test func fourierTransformsAreTheSame() throws {
    let cases: [(Fft.Kind, [Int], [Int])] = [
      (.forward, [2, 5], [5]), (.forward, [3, 4, 6], [4, 6]), (.inverse, [3, 4, 6], [3, 4, 6]), (.forward, [1], [1]),
      (.forward, [2, 96], [96]), (.inverse, [200], [200]), (.forward, [67], [67]), (.forward, [134], [134]),
      // Long lines without small divisors.
      (.forward, [2, 257], [257]), (.inverse, [2 * 263], [2 * 263]), (.realForward, [257], [257]),
      (.realInverse, [147], [293]),
      (.realForward, [2, 8], [8]), (.realForward, [3, 5, 7], [5, 7]), (.realInverse, [2, 5], [8]),
      (.realInverse, [2, 4], [7]), (.realInverse, [4, 3, 2], [3, 3]), (.realInverse, [1], [1]),
      (.realForward, [2], [2]), (.realInverse, [2], [2]), (.realForward, [3, 100], [100]), (.realInverse, [51], [100]),
      // Squares.
      (.forward, [1, 2187], [2187]), (.inverse, [2058, 1], [2058, 1]),
    ]
    for (kind, shape, lengths) in cases {
      let element = kind == .realForward ? ElementType.f64 : .complex128
      let type = TensorType(element, fixed: shape)
      let (before, after) = try expanded(.fft(Fft(kind: kind, lengths: lengths)), [type])
      let x = numbers(type)
      expectNear(try before.evaluate([x]), try after.evaluate([x]), 1e-11)
      var lines = before
      var context = PassContext()
      try Pass.fourierTransforms.apply(to: &lines, &context)
      try lines.verify()
      #expect(!lines.nodes.contains { if case .fft = $0.op { true } else { false } })
      expectNear(try before.evaluate([x]), try lines.evaluate([x]), 1e-11)
    }
  }

  /// Lines that are turned for the op's sake are transformed where they lie.
  @Test func fourierTransformsOfTransposesAreTheSame() throws {
    let cases: [(Fft.Kind, [Extent], [Int])] = [
      (.realForward, [2, 6, 8, 3], [6, 8]), (.realInverse, [2, 6, 5, 3], [6, 8]), (.forward, [2, 5, 7, 3], [7]),
      (.inverse, [1, 134, 2, 3], [134, 2]),
    ]
    for (kind, shape, lengths) in cases {
      for isPadded in [false, true] {
        var graph = Graph()
        let element = kind == .realForward ? ElementType.f64 : .complex128
        let type = TensorType(element, isPadded ? shape.enumerated().map { $0 == 2 ? $1 - 1 : $1 } : shape)
        let x = graph.addParameter(type)
        var value = try graph.append(.transpose(Transpose(permutation: [0, 3, 1, 2])), [x])
        if isPadded {
          let zero = try graph.append(.constant(.scalar(.zero(element), element)))
          let pad = Pad(low: [0, 0, 0, 1], high: [0, 0, 0, 0], interior: [0, 0, 0, 0])
          value = try graph.append(.pad(pad), [value, zero])
        }
        graph.results = [try graph.append(.fft(Fft(kind: kind, lengths: lengths)), [value])]
        var lines = graph
        var context = PassContext()
        try Pass.fourierTransforms.apply(to: &lines, &context)
        try lines.verify()
        let input = numbers(type)
        expectNear(try graph.evaluate([input]), try lines.evaluate([input]), 1e-11)
      }
    }
  }

  /// Hermitian matrices whose diagonal outweighs the rest; the triangle that nobody reads is NaN.
  private func positiveDefinite(_ type: TensorType, readsLower: Bool) -> Literal {
    let shape = type.fixedDimensions ?? []
    let n = shape[shape.count - 1]
    let x = numbers(type).scalars
    func element(_ batch: Int, _ i: Int, _ j: Int) -> Scalar {
      if i == j { return Scalar(Double(2 * n) + x[batch * n * n + i].realValue, type.elementType) }
      if (i > j) != readsLower { return Scalar(.nan, type.elementType) }
      let value = x[batch * n * n + max(i, j) * n + min(i, j)]
      guard type.elementType.isComplex else { return .real(value.realValue / 4) }
      return .complex(value.realValue / 4, (i > j ? 1 : -1) * value.imaginaryValue / 4)
    }
    let batches = shape.dropLast(2).reduce(1, *)
    let values = (0..<batches * n * n).map { element($0 / (n * n), $0 / n % n, $0 % n) }
    return Literal(type.elementType, shape, values)
  }

  @Test(arguments: [[0, 0], [1, 1], [5, 5], [2, 3, 4, 4], [70, 70]], [ElementType.f32, .f64, .complex128, .bf16])
  func factorsAreTheSame(_ shape: [Int], _ element: ElementType) throws {
    let type = TensorType(element, fixed: shape)
    for lower in [true, false] {
      let (before, after) = try expanded(.cholesky(Cholesky(lower: lower)), [type])
      let a = positiveDefinite(type, readsLower: lower)
      let tolerance = [.f32: 1e-5, .bf16: 0.02][element] ?? 1e-12
      expectNear(try before.evaluate([a]), try after.evaluate([a]), tolerance)
    }
  }

  @Test func matricesWithoutAFactorGiveNaN() throws {
    let type = TensorType(.f64, fixed: [2, 66, 66])
    let (before, after) = try expanded(.cholesky(Cholesky(lower: true)), [type])
    var values = positiveDefinite(type, readsLower: true).scalars
    values[40 * 66 + 40] = .real(-1)
    let a = Literal(.f64, [2, 66, 66], values)
    let (expected, found) = (try before.evaluate([a])[0].scalars, try after.evaluate([a])[0].scalars)
    #expect(zip(expected, found).allSatisfy { $0.realValue.isNaN == $1.realValue.isNaN })
    #expect(found.count { $0.realValue.isNaN } == 66 * 67 / 2)
  }

  @Test(arguments: [(0, 2), (1, 1), (5, 3), (67, 2)], [ElementType.f32, .complex128, .f16])
  func solutionsAreTheSame(_ extents: (Int, Int), _ element: ElementType) throws {
    let (n, columns) = extents
    for leftSide in [true, false] {
      for lower in [true, false] {
        for transposition in TriangularSolve.Transposition.allCases {
          let types = [[2, n, n], leftSide ? [2, n, columns] : [2, columns, n]].map { TensorType(element, fixed: $0) }
          let solve = TriangularSolve(
            leftSide: leftSide, lower: lower, unitDiagonal: n == 1, transposeA: transposition)
          let (before, after) = try expanded(.triangularSolve(solve), types)
          let inputs = [positiveDefinite(types[0], readsLower: lower), numbers(types[1], seed: 3)]
          let tolerance = [.f32: 1e-5, .f16: 2e-3][element] ?? 1e-12
          expectNear(try before.evaluate(inputs), try after.evaluate(inputs), tolerance)
        }
      }
    }
  }

  @Test func transformsBeyondMemoryAreRefused() throws {
    let type = TensorType(.complex64, fixed: [10_000_000_000_037])
    #expect(throws: OpError.self) {
      try expanded(.fft(Fft(kind: .forward, lengths: [10_000_000_000_037])), [type])
    }
  }

  @Test func batchNormsAreTheSame() throws {
    let training = Op.batchNormTraining(BatchNormTraining(epsilon: 0.01, featureIndex: 1))
    let gradient = Op.batchNormGrad(BatchNormGrad(epsilon: 0.01, featureIndex: 1))
    for (element, tolerance) in [(ElementType.f32, 1e-5), (.f64, 1e-12), (.bf16, 0.05)] {
      let (x, v) = (TensorType(element, fixed: [2, 3, 5]), TensorType(element, fixed: [3]))
      for (op, types) in [(training, [x, v, v]), (gradient, [x, v, v, v, x])] {
        let (before, after) = try expanded(op, types)
        var arguments = types.enumerated().map { numbers($1, seed: $0 + 1) }
        if types.count == 5 { arguments[3] = Literal(element, [3], splat: .real(0.5)) }
        expectNear(try before.evaluate(arguments), try after.evaluate(arguments), tolerance)
      }
    }
  }

  @Test func aSymbolicBatchIsCounted() throws {
    let x = TensorType(.f32, [.symbol("n"), 3])
    let v = TensorType(.f32, fixed: [3])
    let (before, after) = try expanded(
      .batchNormTraining(BatchNormTraining(epsilon: 0.01, featureIndex: 1)), [x, v, v])
    let arguments = [numbers(TensorType(.f32, fixed: [4, 3])), numbers(v), numbers(v)]
    let a = try Function(name: "f", graph: before).evaluate(arguments, in: Module())
    let b = try Function(name: "f", graph: after).evaluate(arguments, in: Module())
    expectNear(a, b, 1e-5)
  }

  /// The elements of one side are their bits one after the other, the lowest first, but not in memory.
  @Test func regroupedBitsAreTheSame() throws {
    let types: [ElementType] = [
      .i1, .i2, .ui2, .i4, .ui4, .f4E2M1FN, .i8, .ui8, .f8E5M2, .f8E8M0FNU, .i16, .bf16, .i32, .f32, .ui64, .f64,
    ]
    for wide in types {
      for narrow in types where narrow.bitWidth < min(8, wide.bitWidth) {
        for shape in [[], [3], [2, 3], [0, 2], [1]] {
          let (words, parts) = (
            TensorType(wide, fixed: shape), TensorType(narrow, fixed: shape + [wide.bitWidth / narrow.bitWidth])
          )
          for (from, to) in [(words, parts), (parts, words)] {
            let (before, after) = try expanded(.bitcastConvert(BitcastConvert(resultType: to)), [from])
            let x = numbers(from)
            let (a, b) = (try before.evaluate([x]), try after.evaluate([x]))
            // NaNs lose their payload.
            let isSame = zip(a[0].scalars, b[0].scalars).allSatisfy { u, v in
              u == v || u.realValue.isNaN && v.realValue.isNaN
            }
            #expect(isSame && (to.elementType.isFloat || a[0].expanded.bytes == b[0].expanded.bytes), "\(from) \(to)")
          }
        }
      }
    }
  }

  @Test func bitsOfSixAreRefusedByName() throws {
    #expect {
      try expanded(
        .bitcastConvert(BitcastConvert(resultType: TensorType(.i2, fixed: [5, 3]))), [TensorType(.f6E2M3FN, fixed: [5])]
      )
    } throws: {
      "\($0)".contains("stablehlo.bitcast_convert from f6E2M3FN to i2")
    }
  }

  @Test func regionsAreExpandedAndTheRestStays() throws {
    let type = TensorType(.complex64, fixed: [4])
    var branch = Graph()
    let x = branch.addParameter(type)
    branch.results = [try branch.append(.fft(Fft(kind: .forward, lengths: [4])), [x])]
    var graph = Graph()
    let (p, y) = (graph.addParameter(.scalar(.i1)), graph.addParameter(type))
    graph.results = [try graph.append(.if(If(trueBranch: branch, falseBranch: branch)), [p, y])]
    let after = try expand(graph)
    let mnemonics = after.nodes.flatMap { $0.op.definition.regions }.flatMap { $0.nodes.map(\.op.mnemonic) }
    #expect(!mnemonics.contains("stablehlo.fft") && mnemonics.contains("stablehlo.dot_general"))
    #expect(after.nodes.count == 3)
  }
}
