import IR
import Testing

/// An op with the types of its operands, and, where those have symbols, values to try.
struct MeaningCase: Sendable, CustomTestStringConvertible {
  let name: String
  let op: Op
  let operands: [TensorType]
  let symbols: [[String: Int]]

  init(_ name: String, _ op: Op, _ operands: [TensorType], symbols: [[String: Int]] = [[:]]) {
    self.name = name
    self.op = op
    self.operands = operands
    self.symbols = symbols
  }

  var testDescription: String { name }

  /// Compares `evaluate` with the access pattern: both of the op as it is and with every symbol replaced.
  func check(seed: Int) throws {
    for assignment in symbols {
      let values = Dictionary(uniqueKeysWithValues: assignment.map { (Symbol($0), $1) })
      try check(values, seed: seed)
    }
  }

  private func check(_ symbols: [Symbol: Int], seed: Int) throws {
    let context = EvaluationContext(symbols: symbols)
    func fixed(_ extent: Extent) -> Extent { (try? context.value(of: extent)).map { Extent($0) } ?? extent }
    let fixedOp = op.definition.mappingExtents(fixed)
    let fixedTypes = try operands.map { try context.resolved($0) }
    let results = try fixedOp.inferTypes(fixedTypes)
    let symbolicResults = try op.inferTypes(operands)
    #expect(try symbolicResults.map { try context.resolved($0) } == results, "\(name): types with \(symbols)")

    var generator = SeededGenerator(seed: seed)
    let literals = fixedTypes.map { Literal.random($0, using: &generator) }
    let expected = try fixedOp.definition.evaluate(literals, results: results, in: EvaluationContext())
    #expect(expected.map(\.type) == results, "\(name): evaluated types with \(symbols)")
    let withSymbols = try op.definition.evaluate(literals, results: results, in: context)
    #expect(agree(withSymbols, expected), "\(name): evaluate with symbols \(symbols)")

    let interpreter = SemanticsInterpreter(operands: literals, results: results, symbols: symbols)
    for (op, operands, results) in [(op, operands, symbolicResults), (fixedOp, fixedTypes, results)] {
      let semantics = op.definition.semantics(operands: operands, results: results)
      if let found = try interpreter.run(semantics) {
        #expect(agree(found, expected), "\(name): access pattern with \(symbols), seed \(seed)")
      }
    }
  }

  private func agree(_ a: [Literal], _ b: [Literal]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.agrees(with: $1) }
  }
}

/// `evaluate` and `semantics` are two statements of one meaning: here they are compared on random operands.
@Suite struct MeaningTests {
  @Test(arguments: MeaningCase.movements + MeaningCase.indexed)
  func movementAgrees(_ sample: MeaningCase) throws {
    for seed in 0..<4 { try sample.check(seed: seed) }
  }

  @Test func foldsAgree() throws {
    for sample in try MeaningCase.folds() {
      for seed in 0..<4 { try sample.check(seed: seed) }
    }
  }

  @Test(arguments: MeaningCase.products)
  func productsAgree(_ sample: MeaningCase) throws {
    for seed in 0..<4 { try sample.check(seed: seed) }
  }

  @Test func randomMovementsAgree() throws {
    for seed in 0..<400 {
      var generator = SeededGenerator(seed: seed)
      try MeaningCase.random(using: &generator, name: "seed \(seed)").check(seed: seed)
    }
  }
}

extension MeaningCase {
  private static let nm: [[String: Int]] = [["n": 3, "m": 5], ["n": 1, "m": 2], ["n": 0, "m": 4], ["n": 7, "m": 1]]
  private static let n = Extent.symbol("n")
  private static let m = Extent.symbol("m")

  static let movements: [MeaningCase] = [
    .init("iota", .iota(Iota(dimension: 1, resultType: tensor(.i32, 2, 5, 3))), []),
    .init("iota bf16", .iota(Iota(dimension: 0, resultType: tensor(.bf16, 300))), []),
    .init("iota symbolic", .iota(Iota(dimension: 0, resultType: tensor(.f32, n, m))), [], symbols: nm),
    .init("reshape split", .reshape(Reshape(resultDimensions: [2, 3, 5, 4])), [tensor(.f32, 2, 15, 4)]),
    .init("reshape merge", .reshape(Reshape(resultDimensions: [2, 60])), [tensor(.i8, 2, 3, 5, 4)]),
    .init("reshape unaligned", .reshape(Reshape(resultDimensions: [4, 15])), [tensor(.f64, 6, 10)]),
    .init("reshape three ways", .reshape(Reshape(resultDimensions: [10, 9, 2])), [tensor(.f32, 6, 5, 6)]),
    .init("reshape ones", .reshape(Reshape(resultDimensions: [1, 2, 1, 3, 1])), [tensor(.f32, 2, 1, 1, 3)]),
    .init("reshape scalar", .reshape(Reshape(resultDimensions: [1, 1])), [tensor(.f32)]),
    .init("reshape empty", .reshape(Reshape(resultDimensions: [3, 0, 7])), [tensor(.f32, 0, 5)]),
    .init("reshape heads", .reshape(Reshape(resultDimensions: [n, m, 3, 2])), [tensor(.f32, n, m, 6)], symbols: nm),
    .init("reshape join", .reshape(Reshape(resultDimensions: [n * m, 6])), [tensor(.f32, n, m, 3, 2)], symbols: nm),
    .init("reshape part", .reshape(Reshape(resultDimensions: [n, m, 6])), [tensor(.f32, n * m, 3, 2)], symbols: nm),
    .init(
      "reshape mixed", .reshape(Reshape(resultDimensions: [m * 2, n, 3])), [tensor(.f32, n * 2, m * 3)], symbols: nm),
    .init("transpose", .transpose(Transpose(permutation: [1, 2, 0])), [tensor(.f32, 2, 3, 5)]),
    .init("transpose 4", .transpose(Transpose(permutation: [2, 0, 3, 1])), [tensor(.i64, 2, 3, 1, 5)]),
    .init("transpose symbolic", .transpose(Transpose(permutation: [2, 0, 1])), [tensor(.f32, n, 2, m)], symbols: nm),
    .init(
      "broadcast", .broadcastInDim(BroadcastInDim(dimensions: [2, 0], resultDimensions: [3, 2, 5])),
      [tensor(.f32, 5, 1)]),
    .init(
      "broadcast symbolic", .broadcastInDim(BroadcastInDim(dimensions: [1, 2], resultDimensions: [n, 1, m])),
      [tensor(.f32, 1, m)], symbols: nm),
    .init("slice", .slice(Slice(starts: [1, 0, 2], limits: [2, 3, 5], strides: [1, 2, 3])), [tensor(.f32, 2, 3, 5)]),
    .init("slice empty", .slice(Slice(starts: [2, 0], limits: [2, 0], strides: [1, 4])), [tensor(.f32, 2, 3)]),
    .init(
      "slice symbolic", .slice(Slice(starts: [0, n], limits: [n, n + m], strides: [2, 3])), [tensor(.f32, n, n + m)],
      symbols: nm),
    .init("concatenate", .concatenate(Concatenate(dimension: 1)), [2, 0, 3, 1].map { tensor(.f32, 5, $0, 2) }),
    .init(
      "concatenate symbolic", .concatenate(Concatenate(dimension: 0)),
      [tensor(.i32, n, 2), tensor(.i32, 3, 2), tensor(.i32, m, 2)], symbols: nm),
    .init(
      "pad", .pad(Pad(low: [1, 0, 2], high: [0, 2, 1], interior: [0, 1, 2])), [tensor(.f32, 2, 3, 4), tensor(.f32)]),
    .init(
      "pad negative", .pad(Pad(low: [-1, -2, 1], high: [1, -1, -3], interior: [0, 2, 1])),
      [tensor(.f32, 3, 5, 4), tensor(.f32)]),
    .init("pad crop", .pad(Pad(low: [-1, 0], high: [0, -2], interior: [0, 0])), [tensor(.f32, 3, 5), tensor(.f32)]),
    .init(
      "pad nothing", .pad(Pad(low: [0, 0], high: [0, 0], interior: [0, 0])), [tensor(.f32, 3, 5), tensor(.f32)]),
    .init("pad empty", .pad(Pad(low: [1, 2], high: [0, 1], interior: [2, 0])), [tensor(.f32, 0, 2), tensor(.f32)]),
    .init("pad one", .pad(Pad(low: [1], high: [2], interior: [3])), [tensor(.f32, 1), tensor(.f32)]),
    .init(
      "pad symbolic", .pad(Pad(low: [n, 0], high: [m, 1], interior: [0, 1])), [tensor(.f32, n, m), tensor(.f32)],
      symbols: nm),
    .init("reverse", .reverse(Reverse(dimensions: [2, 0])), [tensor(.f32, 2, 3, 5)]),
    .init("reverse symbolic", .reverse(Reverse(dimensions: [1])), [tensor(.f32, n, m)], symbols: nm),
  ]

  private static let i32 = tensor(.i32)

  static let indexed: [MeaningCase] = [
    .init(
      "dynamic_slice", .dynamicSlice(DynamicSlice(sliceExtents: [2, 3, 1])), [tensor(.f32, 5, 3, 2), i32, i32, i32]),
    .init("dynamic_slice ui64", .dynamicSlice(DynamicSlice(sliceExtents: [2])), [tensor(.f32, 5), tensor(.ui64)]),
    .init("dynamic_slice i8", .dynamicSlice(DynamicSlice(sliceExtents: [2])), [tensor(.f32, 5), tensor(.i8)]),
    .init(
      "dynamic_slice symbolic", .dynamicSlice(DynamicSlice(sliceExtents: [n, 2])), [tensor(.f32, n + m, 5), i32, i32],
      symbols: nm),
    .init(
      "dynamic_update_slice", .dynamicUpdateSlice(DynamicUpdateSlice()),
      [tensor(.f32, 5, 3, 2), tensor(.f32, 2, 3, 1), i32, i32, i32]),
    .init(
      "dynamic_update_slice all", .dynamicUpdateSlice(DynamicUpdateSlice()),
      [tensor(.f32, 5, 3), tensor(.f32, 5, 3), i32, i32]),
    .init(
      "dynamic_update_slice nothing", .dynamicUpdateSlice(DynamicUpdateSlice()),
      [tensor(.f32, 5, 3), tensor(.f32, 0, 2), i32, i32]),
    .init(
      "dynamic_update_slice symbolic", .dynamicUpdateSlice(DynamicUpdateSlice()),
      [tensor(.f32, n + m, 3), tensor(.f32, m, 1), i32, i32], symbols: nm),
    .init(
      "gather rows",
      .gather(
        Gather(offsetDims: [2], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 2, sliceExtents: [1, 3])),
      [tensor(.f32, 5, 3), tensor(.i32, 2, 4)]),
    .init(
      "gather windows",
      .gather(
        Gather(offsetDims: [0, 2], startIndexMap: [1, 0], indexVectorDim: 0, sliceExtents: [2, 3])),
      [tensor(.f32, 5, 4), tensor(.i64, 2, 3)]),
    .init(
      "gather batching",
      .gather(
        Gather(
          offsetDims: [2], collapsedSliceDims: [2], operandBatchingDims: [0], startIndicesBatchingDims: [1],
          startIndexMap: [2], indexVectorDim: 2, sliceExtents: [1, 3, 1])),
      [tensor(.f32, 2, 3, 5), tensor(.i32, 4, 2, 1)]),
    .init(
      "gather vector dim in the middle",
      .gather(
        Gather(
          offsetDims: [1, 3], collapsedSliceDims: [2], startIndexMap: [2, 0], indexVectorDim: 1,
          sliceExtents: [2, 3, 1])),
      [tensor(.f32, 5, 3, 4), tensor(.i32, 3, 2, 2)]),
    .init(
      "gather scalar index",
      .gather(
        Gather(
          offsetDims: [0], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 0, sliceExtents: [1, 3])),
      [tensor(.f32, 5, 3), tensor(.i32, 1)]),
    .init(
      "gather symbolic",
      .gather(
        Gather(
          offsetDims: [2], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 2, sliceExtents: [1, m])),
      [tensor(.f32, 5, m), tensor(.i64, n, 4)], symbols: nm),
  ]

  static func folds() throws -> [MeaningCase] {
    let sum = try Graph.fold(.add, .f32)
    let both = try Graph.fold([.add, .maximum], [.f32, .i32])
    let wide = try Graph.fold(.add, .f32)
    let x = tensor(.f32, 2, 5, 3)
    let (f, i) = (tensor(.f32), tensor(.i32))
    func window(_ dimensions: WindowDimension..., body: Graph) -> Op {
      .reduceWindow(ReduceWindow(window: dimensions, body: body))
    }
    let one = WindowDimension(extent: 1)
    return [
      .init("reduce", .reduce(Reduce(dimensions: [1], body: sum)), [x, f]),
      .init("reduce two", .reduce(Reduce(dimensions: [2, 0], body: both)), [x, tensor(.i32, 2, 5, 3), f, i]),
      .init("reduce all", .reduce(Reduce(dimensions: [0, 1, 2], body: sum)), [x, f]),
      .init("reduce none", .reduce(Reduce(dimensions: [], body: sum)), [x, f]),
      .init("reduce empty", .reduce(Reduce(dimensions: [0], body: sum)), [tensor(.f32, 0, 3), f]),
      .init("reduce promoted", .reduce(Reduce(dimensions: [0], body: wide)), [tensor(.bf16, 4, 3), tensor(.bf16)]),
      .init("reduce symbolic", .reduce(Reduce(dimensions: [1], body: sum)), [tensor(.f32, n, m), f], symbols: nm),
      .init(
        "pool", window(one, .init(extent: 3, stride: 2, paddingLow: 1, paddingHigh: 1), .init(extent: 2), body: sum),
        [x, f]),
      .init(
        "pool dilated",
        window(one, .init(extent: 2, baseDilation: 2, windowDilation: 3), .init(extent: 2, paddingLow: -1), body: sum),
        [x, f]),
      .init("pool two", window(.init(extent: 2), .init(extent: 3), one, body: both), [x, tensor(.i32, 2, 5, 3), f, i]),
      .init("pool too large", window(.init(extent: 4), one, one, body: sum), [x, f]),
      .init("cumulative", window(one, .init(extent: 5, paddingLow: 4), one, body: sum), [x, f]),
      .init(
        "pool symbolic", window(.init(extent: 1), .init(extent: 1, stride: 2), body: sum), [tensor(.f32, n, m), f],
        symbols: [["n": 3, "m": 5], ["n": 2, "m": 4]]),
    ]
  }

  static let products: [MeaningCase] = [
    .init(
      "dot", .dotGeneral(DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)),
      [tensor(.f32, 2, 3), tensor(.f32, 3, 5)]),
    .init(
      "dot batched",
      .dotGeneral(
        DotGeneral(
          Contraction(lhsBatching: [2, 0], rhsBatching: [0, 3], lhsContracting: [1], rhsContracting: [2]),
          resultType: .f64)), [tensor(.f32, 2, 3, 5, 4), tensor(.f32, 5, 1, 3, 2)]),
    .init(
      "dot integers", .dotGeneral(DotGeneral(Contraction(lhsContracting: [0], rhsContracting: [1]), resultType: .i32)),
      [tensor(.i8, 5, 2), tensor(.i8, 3, 5)]),
    .init(
      "dot outer", .dotGeneral(DotGeneral(Contraction(), resultType: .f32)), [tensor(.f32, 2), tensor(.f32, 3, 0)]),
    .init(
      "dot symbolic", .dotGeneral(DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)),
      [tensor(.f32, n, m), tensor(.f32, m, 2)], symbols: nm),
    .init(
      "convolution", convolution([.init(extent: 2, paddingLow: 1), .init(extent: 3, stride: 2)]),
      [tensor(.f32, 2, 4, 5, 3), tensor(.f32, 2, 3, 3, 4)]),
    .init(
      "convolution dilated",
      convolution([
        .init(extent: 2, baseDilation: 2, windowDilation: 2, isReversed: true), .init(extent: 3, paddingHigh: 2),
      ]), [tensor(.f32, 1, 4, 5, 3), tensor(.f32, 2, 3, 3, 4)]),
    .init(
      "convolution in feature groups", convolution([.init(extent: 2), .init(extent: 3)], featureGroups: 3),
      [tensor(.f32, 2, 4, 5, 6), tensor(.f32, 2, 3, 2, 9)]),
    .init(
      "convolution in batch groups", convolution([.init(extent: 2), .init(extent: 3)], batchGroups: 2),
      [tensor(.f32, 4, 4, 5, 3), tensor(.f32, 2, 3, 3, 6)]),
  ]

  private static func convolution(_ window: [WindowDimension], featureGroups: Int = 1, batchGroups: Int = 1) -> Op {
    .convolution(
      Convolution(
        window: window,
        dimensionNumbers: .init(
          inputBatch: 0, inputFeature: 3, inputSpatial: [1, 2], kernelInputFeature: 2, kernelOutputFeature: 3,
          kernelSpatial: [0, 1], outputBatch: 3, outputFeature: 0, outputSpatial: [1, 2]),
        featureGroupCount: featureGroups, batchGroupCount: batchGroups, resultType: .f32))
  }

  /// A movement with random attributes over random extents.
  static func random(using g: inout SeededGenerator, name: String) -> MeaningCase {
    let rank = Int.random(in: 1...4, using: &g)
    let extents = (0..<rank).map { _ in [0, 1, 2, 3, 5].randomElement(using: &g) ?? 1 }
    let x = TensorType(.f32, fixed: extents)
    func each(_ pick: (Int, inout SeededGenerator) -> Int) -> [Int] { (0..<rank).map { pick($0, &g) } }
    switch Int.random(in: 0..<6, using: &g) {
    case 0: return .init("\(name) transpose", .transpose(Transpose(permutation: (0..<rank).shuffled(using: &g))), [x])
    case 1:
      let starts = each { Int.random(in: 0...extents[$0], using: &$1) }
      let limits = each { Int.random(in: starts[$0]...extents[$0], using: &$1) }
      let strides = each { Int.random(in: 1...3, using: &$1) }
      let slice = Slice(starts: starts.map { Extent($0) }, limits: limits.map { Extent($0) }, strides: strides)
      return .init("\(name) slice", .slice(slice), [x])
    case 2:
      let interior = each { Int.random(in: 0...2, using: &$1) }
      let low = each { Int.random(in: (extents[$0] == 0 ? 0 : -1)...2, using: &$1) }
      let high = each { Int.random(in: (extents[$0] < 2 ? 0 : -1)...2, using: &$1) }
      let pad = Pad(low: low.map { Extent($0) }, high: high.map { Extent($0) }, interior: interior)
      return .init("\(name) pad", .pad(pad), [x, tensor(.f32)])
    case 3:
      return .init(
        "\(name) reverse", .reverse(Reverse(dimensions: Array((0..<rank).shuffled(using: &g).prefix(2)))), [x])
    case 4:
      // Factors, multiplied together in two ways.
      let factors = (0..<5).map { _ in [1, 2, 3, 5].randomElement(using: &g) ?? 1 }
      func grouped() -> [Extent] {
        var groups: [Extent] = [1]
        for factor in factors {
          if Bool.random(using: &g) { groups.append(1) }
          groups[groups.count - 1] *= Extent(factor)
        }
        return groups
      }
      let operand = TensorType(.f32, grouped())
      var result = grouped()
      result.swapAt(0, Int.random(in: result.indices, using: &g))
      return .init("\(name) reshape", .reshape(Reshape(resultDimensions: result)), [operand])
    default:
      let mapped = Array((0..<4).shuffled(using: &g).prefix(rank))
      var result: [Extent] = (0..<4).map { _ in Extent([1, 2, 3].randomElement(using: &g) ?? 1) }
      for (d, extent) in zip(mapped, extents) where extent != 1 { result[d] = Extent(extent) }
      let broadcast = BroadcastInDim(dimensions: mapped, resultDimensions: result)
      return .init("\(name) broadcast", .broadcastInDim(broadcast), [x])
    }
  }
}
