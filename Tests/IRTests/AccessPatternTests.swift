import IR
import Testing

/// Index arithmetic stays plain where it can: kernels are as good as these expressions.
@Suite struct AccessPatternTests {
  private let n = Extent.symbol("n")
  private let m = Extent.symbol("m")

  private func pieces(_ op: Op, _ operands: [TensorType]) throws -> [Movement.Piece] {
    let results = try op.inferTypes(operands)
    let semantics = op.definition.semantics(operands: operands, results: results)
    guard case .movement(let movement) = semantics else { return [] }
    return movement.pieces
  }

  private func reshape(_ from: [Extent], _ to: [Extent]) throws -> String {
    let op = Op.reshape(Reshape(resultDimensions: to))
    return try pieces(op, [TensorType(.f32, from)]).map { "\($0.index)" }.joined()
  }

  @Test func reshapeKeepsWhatLinesUp() throws {
    #expect(try reshape([n, m, 12, 32], [n, m, 384]) == "[d0, d1, floordiv(d2, 32), mod(d2, 32)]")
    #expect(try reshape([n, m, 384], [n, m, 12, 32]) == "[d0, d1, 32*d2 + d3]")
    #expect(try reshape([n, m, 384], [n * m, 384]) == "[floordiv(d0, m), mod(d0, m), d1]")
    #expect(try reshape([n * m, 384], [n, m, 384]) == "[m*d0 + d1, d2]")
    #expect(try reshape([2, 3, 5], [2, 1, 3, 5, 1]) == "[d0, d2, d3]")
    #expect(try reshape([1, 2, 1, 3], [2, 3]) == "[0, d0, 0, d1]")
    #expect(try reshape([4, 6, 5], [8, 3, 5]) == "[floordiv(d0, 2), d1 + 3*mod(d0, 2), d2]")
    #expect(try reshape([n + 1, 6], [(n + 1) * 2, 3]) == "[floordiv(d0, 2), d1 + 3*mod(d0, 2)]")
  }

  @Test func paddingTestsOnlyWhatCanFail() throws {
    func pad(_ low: [Extent], _ high: [Extent]) throws -> [Int] {
      let op = Op.pad(Pad(low: low, high: high, interior: [0, 0]))
      return try pieces(op, [tensor(.f32, n, 5), tensor(.f32)]).map(\.conditions.count)
    }
    #expect(try pad([0, 0], [0, 0]) == [0])
    #expect(try pad([0, 0], [0, 2]) == [1, 0])
    #expect(try pad([0, -1], [0, -1]) == [0])
    #expect(try pad([1, 1], [0, 0]) == [2, 0])
  }

  @Test func anUpdateOfWholeDimensionsTestsNothingThere() throws {
    let start = tensor(.i32)
    let found = try pieces(
      .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, n, 8, 4), tensor(.f32, n, 1, 4), start, start, start])
    #expect(found.map(\.conditions.count) == [1, 0])
    #expect("\(found[0].index)" == "[d0, d1 - max(0, min(7, operand3[])), d2]")
  }

  @Test func anEmbeddingReadsRows() throws {
    let op = Gather(
      offsetDims: [2], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 2, sliceExtents: [1, 64])
    let found = try pieces(.gather(op), [tensor(.f32, 50, 64), tensor(.i64, n, m, 1)])
    #expect("\(found[0].index)" == "[max(0, min(49, operand1[d0, d1, 0])), d2]")
  }

  @Test func concatenateNeedsNoTestForTheLast() throws {
    let operands = [tensor(.f32, n), tensor(.f32, 3), tensor(.f32, m)]
    let found = try pieces(.concatenate(Concatenate(dimension: 0)), operands)
    #expect(found.map { "\($0.index)" } == ["[d0]", "[-n + d0]", "[-n + d0 - 3]"])
    #expect(found.map(\.conditions.count) == [1, 1, 0])
  }
}
