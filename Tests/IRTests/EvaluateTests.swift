import IR
import Testing

/// Results worked out by hand, for the ops whose access pattern says little.
@Suite struct EvaluateTests {
  private func run(_ op: Op, _ operands: [Literal]) throws -> [Literal] {
    let types = try op.inferTypes(operands.map(\.type))
    return try op.definition.evaluate(operands, results: types, in: EvaluationContext())
  }

  private func expect(_ op: Op, _ operands: [Literal], _ expected: Literal...) throws {
    let results = try run(op, operands)
    #expect(results.count == expected.count)
    for (result, expected) in zip(results, expected) {
      #expect(result.agrees(with: expected), "\(op.mnemonic): \(result.scalars), expected \(expected.scalars)")
    }
  }

  private let rows = Scatter(
    updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1, body: Graph())

  @Test func scatterAddsInOrderAndDropsWhatIsOutside() throws {
    var op = rows
    op.body = try Graph.fold(.add, .f32)
    try expect(
      .scatter(op),
      [
        .reals([0, 0, 10, 10, 20, 20], [3, 2]), .integers([2, 0, 2, 3, -1], [5, 1]),
        .reals([1, 2, 3, 4, 5, 6, 7, 8, 9, 9], [5, 2]),
      ], .reals([3, 4, 10, 10, 26, 28], [3, 2]))
  }

  @Test func scatterReplacesWithTheLastUpdate() throws {
    var op = rows
    op.body = Graph.second(.f32)
    try expect(
      .scatter(op), [.reals([0, 0, 0, 0], [2, 2]), .integers([1, 1], [2, 1]), .reals([1, 2, 3, 4], [2, 2])],
      .reals([0, 0, 3, 4], [2, 2]))
  }

  @Test func scatterOfWindowsWithBatching() throws {
    // For each batch a window of two elements of the last dimension, at a start index of its own.
    let op = Scatter(
      updateWindowDims: [1], inputBatchingDims: [0], scatterIndicesBatchingDims: [0], scatterDimsToOperandDims: [1],
      indexVectorDim: 1, body: Graph.second(.i32))
    try expect(
      .scatter(op),
      [
        .integers([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]), .integers([1, 3], [2, 1]), .integers([10, 20, 30, 40], [2, 2]),
      ],
      .integers([1, 10, 20, 4, 5, 6, 7, 30], [2, 4]))
  }

  @Test func scatterOfScalars() throws {
    let op = Scatter(
      updateWindowDims: [], insertedWindowDims: [0, 1], scatterDimsToOperandDims: [1, 0], indexVectorDim: 0,
      body: try Graph.fold(.maximum, .i32))
    try expect(
      .scatter(op),
      [.integers([0, 0, 0, 0, 0, 0], [2, 3]), .integers([2, 0, 0, 1, 0, 1], [2, 3]), .integers([5, 6, -7], [3])],
      .integers([6, 0, 0, 0, 0, 5], [2, 3]))
  }

  @Test func reduceWindowFoldsWhatIsInside() throws {
    let maximum = try Graph.fold(.maximum, .f32)
    let pool = ReduceWindow(window: [.init(extent: 3, stride: 2, paddingLow: 1, paddingHigh: 1)], body: maximum)
    try expect(
      .reduceWindow(pool), [.reals([-5, -3, -4, -1, -2], [5]), .reals([-.infinity], [])], .reals([-3, -1, -1], [3]))
  }

  @Test func runningFoldsGoBothWays() throws {
    let sum = try Graph.fold(.add, .f32)
    let x = Literal.reals([1, 2, 3, 4, 5, 6], [2, 3])
    let one = WindowDimension(extent: 1)
    let forward = [one, WindowDimension(extent: 3, paddingLow: 2)]
    let backward = [WindowDimension(extent: 2, paddingHigh: 1), one]
    #expect(forward.scan(over: [2, 3])?.dimension == 1)
    #expect(forward.scan(over: [2, 3])?.direction == .forward)
    #expect(backward.scan(over: [2, 3])?.direction == .backward)
    #expect(forward.scan(over: [2, 4]) == nil)
    try expect(
      .reduceWindow(ReduceWindow(window: forward, body: sum)), [x, .reals([0], [])],
      .reals([1, 3, 6, 4, 9, 15], [2, 3]))
    try expect(
      .reduceWindow(ReduceWindow(window: backward, body: sum)), [x, .reals([0], [])],
      .reals([5, 7, 9, 4, 5, 6], [2, 3]))
  }

  @Test func selectAndScatterGivesToTheLargest() throws {
    let op = SelectAndScatter(
      window: [.init(extent: 3, stride: 2, paddingLow: 1)], select: try Graph.comparator([.f32], .greaterOrEqual),
      scatter: try Graph.fold(.add, .f32))
    // Windows: (pad, 1, 5), (5, 2, 5): the first of equals is kept.
    try expect(
      .selectAndScatter(op), [.reals([1, 5, 2, 5], [4]), .reals([10, 20], [2]), .reals([0.5], [])],
      .reals([0.5, 30.5, 0.5, 0.5], [4]))
  }

  @Test func sortKeepsEqualElementsInOrder() throws {
    let op = Sort(dimension: 0, isStable: true, comparator: try Graph.comparator([.i32, .f32], .less, .signed))
    try expect(
      .sort(op), [.integers([3, 1, 1, 2, 3, 1, 2, 1], [4, 2]), .reals([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])],
      .integers([1, 1, 2, 1, 3, 1, 3, 2], [4, 2]), .reals([3, 2, 7, 6, 1, 8, 5, 4], [4, 2]))
  }

  @Test func sortInTotalOrderPlacesEverything() throws {
    let values = [Double.nan, 1, -0.0, 0, -.infinity, .infinity, -.nan]
    let op = Sort(dimension: -1, comparator: try Graph.comparator([.bf16], .less, .totalOrder))
    try expect(
      .sort(op), [.reals(values, [7], .bf16)],
      .reals([.nan, -.infinity, -0.0, 0, 1, .infinity, .nan], [7], .bf16))
  }

  @Test func sortOfManyElements() throws {
    var g = SeededGenerator(seed: 1)
    let values = (0..<5000).map { _ in Int.random(in: -1_000_000...1_000_000, using: &g) }
    let op = Sort(dimension: 0, comparator: try Graph.comparator([.i32], .less, .signed))
    try expect(.sort(op), [.integers(values, [5000])], .integers(values.sorted(), [5000]))
  }

  @Test func topKTakesTheFirstOfEquals() throws {
    try expect(
      .topK(TopK(k: 4)), [.reals([.nan, 1, -0.0, 0, -.nan, .infinity, 1, 0], [1, 8])],
      .reals([.nan, .infinity, 1, 1], [1, 4]), .integers([0, 5, 1, 6], [1, 4]))
    try expect(
      .topK(TopK(k: 1)), [.integers([200, 100], [1, 2], .ui8)], .integers([200], [1, 1], .ui8), .integers([0], [1, 1]))
    try expect(.topK(TopK(k: 0)), [.integers([2, 1], [1, 2])], .integers([], [1, 0]), .integers([], [1, 0]))
  }

  @Test func bitcastSplitsAndJoins() throws {
    let words = Literal.integers([0x0403_0201, -1], [2])
    let bytes = Literal.integers([1, 2, 3, 4, -1, -1, -1, -1], [2, 4], .i8)
    try expect(.bitcastConvert(BitcastConvert(resultType: tensor(.i8, 2, 4))), [words], bytes)
    try expect(.bitcastConvert(BitcastConvert(resultType: tensor(.i32, 2))), [bytes], words)
    let nibbles = Literal.integers([1, 2, 15, 0], [2, 2], .ui4)
    try expect(
      .bitcastConvert(BitcastConvert(resultType: tensor(.ui8, 2))), [nibbles], .integers([0x21, 0x0F], [2], .ui8))
    try expect(
      .bitcastConvert(BitcastConvert(resultType: tensor(.ui4, 2, 2))), [.integers([0x21, 0x0F], [2], .ui8)], nibbles)
    try expect(
      .bitcastConvert(BitcastConvert(resultType: tensor(.f32, 1, 2))), [.reals([2], [1], .f64)],
      .reals([0, 2], [1, 2]))
  }

  @Test func movementKeepsEveryBit() throws {
    let signalling: [UInt8] = [0x01, 0x00, 0xA0, 0x7F, 0x00, 0x00, 0x80, 0x3F]
    let x = Literal(.f32, [2], bytes: signalling)
    let reversed = try run(.reverse(Reverse(dimensions: [0])), [x])[0]
    #expect(reversed.bytes == Array(signalling[4...] + signalling[..<4]))
    let half = Literal(.f16, [1], bytes: [0x01, 0x7D])
    #expect(try run(.concatenate(Concatenate(dimension: 0)), [half, half])[0].bytes == [0x01, 0x7D, 0x01, 0x7D])
  }

  /// A body that is not made of scalar functions alone runs as a graph.
  @Test func foldsRunAnyBody() throws {
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(.f32)), body.addParameter(.scalar(.f32)))
    let line = try body.append(.reshape(Reshape(resultDimensions: [1])), [b])
    let back = try body.append(.reshape(Reshape(resultDimensions: [])), [line])
    body.results = [try body.append(.pointwise(.add), [a, back])]
    try expect(
      .reduce(Reduce(dimensions: [0], body: body)), [.reals([1, 2, 3], [3]), .reals([4], [])], .reals([10], []))
  }

  /// Tens of thousands of elements, folds over all of a line included, take no quadratic time.
  @Test(.timeLimit(.minutes(1))) func largeOperandsStayFast() throws {
    let count = 30_000
    let x = Literal.integers(Array(0..<count), [count])
    let sum = try Graph.fold(.add, .i32)
    let running = ReduceWindow(window: [.init(extent: Extent(count), paddingLow: count - 1)], body: sum)
    #expect(try run(.reduceWindow(running), [x, .integers([0], [])])[0][count - 1] == .integer(449_985_000))
    #expect(
      try run(.reduce(Reduce(dimensions: [0], body: sum)), [x, .integers([0], [])])[0][0] == .integer(449_985_000))
    let reversed = try run(.reverse(Reverse(dimensions: [0])), [x])[0]
    #expect(reversed[0] == .integer(Int64(count - 1)))
    let parts = (0..<100).map { Literal.integers(Array(repeating: $0, count: 300), [300]) }
    #expect(try run(.concatenate(Concatenate(dimension: 0)), parts)[0][29_999] == .integer(99))
    let op = Scatter(
      updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1, body: sum)
    #expect(try run(.scatter(op), [x, x, x])[0][7] == .integer(14))
  }
}
