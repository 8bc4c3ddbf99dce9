import IR
import Passes
import RandomGraphs
import Testing

/// Builds graphs for tests in few words.
struct GraphBuilder {
  var graph = Graph()

  mutating func parameter(_ dimensions: [Int], _ type: ElementType = .f32) -> ValueID {
    graph.addParameter(TensorType(type, fixed: dimensions))
  }
  mutating func constant(_ dimensions: [Int], _ value: Double = 0.5) throws -> ValueID {
    let values = (0..<dimensions.reduce(1, *)).map { Scalar.real(value + Double($0 % 7) / 8) }
    return try graph.append(.constant(Literal(.f32, dimensions, values)))
  }
  mutating func scalar(_ value: Double) throws -> ValueID {
    try graph.append(.constant(.scalar(.real(value), .f32)))
  }
  mutating func apply(_ function: ScalarFunction, _ operands: ValueID...) throws -> ValueID {
    try graph.append(.pointwise(function), operands)
  }
  mutating func spread(_ x: ValueID, _ dimensions: [Int], to result: [Int]) throws -> ValueID {
    try graph.append(
      .broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: result.map { Extent($0) })), [x])
  }
  mutating func dot(_ x: ValueID, _ y: ValueID) throws -> ValueID {
    let last = graph.type(of: x).rank - 1
    let dimensions = Contraction(lhsContracting: [last], rhsContracting: [0])
    return try graph.append(.dotGeneral(DotGeneral(dimensions, resultType: .f32)), [x, y])
  }
  mutating func fold(_ x: ValueID, _ dimensions: [Int], _ function: ScalarFunction, from initial: Double) throws
    -> ValueID
  {
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(.f32)), body.addParameter(.scalar(.f32)))
    body.results = [try body.append(.pointwise(function), [a, b])]
    return try graph.append(.reduce(Reduce(dimensions: dimensions, body: body)), [x, try scalar(initial)])
  }
  mutating func softmax(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).dimensions.compactMap(\.fixed)
    let kept = Array(shape.indices.dropLast())
    let largest = try fold(x, [kept.count], .maximum, from: -.infinity)
    let powers = try apply(.exponential, try apply(.subtract, x, try spread(largest, kept, to: shape)))
    let sum = try fold(powers, [kept.count], .add, from: 0)
    return try apply(.divide, powers, try spread(sum, kept, to: shape))
  }
  mutating func layerNorm(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).dimensions.compactMap(\.fixed)
    let kept = Array(shape.indices.dropLast())
    let rows = kept.map { shape[$0] }
    let count = try graph.append(.constant(Literal(.f32, rows, splat: .real(Double(shape[kept.count])))))
    let mean = try apply(.divide, try fold(x, [kept.count], .add, from: 0), count)
    let centered = try apply(.subtract, x, try spread(mean, kept, to: shape))
    let square = try apply(.multiply, centered, centered)
    let variance = try apply(.divide, try fold(square, [kept.count], .add, from: 0), count)
    let epsilon = try graph.append(.constant(Literal(.f32, rows, splat: .real(1e-5))))
    let factor = try apply(.reciprocalSquareRoot, try apply(.add, variance, epsilon))
    return try apply(.multiply, centered, try spread(factor, kept, to: shape))
  }
}

/// Which kernels come out of typical graphs.
@Suite struct FusionTests {
  private func anchors(_ build: (inout GraphBuilder) throws -> [ValueID]) throws -> [String] {
    var b = GraphBuilder()
    b.graph.results = try build(&b)
    let fused = try b.graph.applying(.canonicalize).applying(.fusion)
    let arguments = RandomGraph.arguments(for: b.graph, seed: 1)
    #expect(haveSameBits(try b.graph.evaluate(arguments), try fused.evaluate(arguments)))
    return fused.fusions.map(\.anchor.rawValue)
  }

  @Test func denseLayerIsOneContraction() throws {
    let found = try anchors { b in
      let y = try b.dot(b.parameter([2, 3]), try b.constant([3, 5]))
      let z = try b.apply(.add, y, try b.spread(try b.constant([5]), [1], to: [2, 5]))
      return [try b.apply(.multiply, z, try b.apply(.logistic, z))]
    }
    #expect(found == ["contraction"])
  }

  @Test func residualJoinsTheLaterContraction() throws {
    let found = try anchors { b in
      let x = b.parameter([2, 3])
      let h = try b.apply(.hyperbolicTangent, try b.dot(x, try b.constant([3, 5])))
      let y = try b.dot(h, try b.constant([5, 3]))
      return [try b.apply(.add, y, x)]
    }
    #expect(found == ["contraction", "contraction"])
  }

  @Test func softmaxIsOneRow() throws {
    let found = try anchors { b in [try b.softmax(b.parameter([2, 3, 5]))] }
    #expect(found == ["row"])
  }

  @Test func softmaxBeforeAnotherReductionStaysOneRow() throws {
    let found = try anchors { b in [try b.fold(try b.softmax(b.parameter([3, 5])), [0], .add, from: 0)] }
    #expect(found == ["row", "reduction"])
  }

  @Test func layerNormWithScaleIsOneRow() throws {
    let found = try anchors { b in
      let x = b.parameter([2, 3, 5])
      let y = try b.layerNorm(try b.apply(.add, x, b.parameter([2, 3, 5])))
      let scale = try b.spread(try b.constant([5]), [2], to: [2, 3, 5])
      return [try b.apply(.multiply, y, scale)]
    }
    #expect(found == ["row"])
  }

  @Test func residualSumIsStoredByTheRowThatReadsIt() throws {
    let found = try anchors { b in
      let sum = try b.apply(.add, b.parameter([3, 5]), b.parameter([3, 5]))
      return [try b.layerNorm(sum), sum]
    }
    #expect(found == ["row"])
  }

  @Test func logSumExpIsOneRow() throws {
    let found = try anchors { b in
      let x = b.parameter([3, 5])
      let largest = try b.fold(x, [1], .maximum, from: -.infinity)
      let powers = try b.apply(.exponential, try b.apply(.subtract, x, try b.spread(largest, [0], to: [3, 5])))
      return [try b.apply(.add, try b.apply(.log, try b.fold(powers, [1], .add, from: 0)), largest)]
    }
    #expect(found == ["row"])
  }

  private func scores(_ b: inout GraphBuilder) throws -> ValueID {
    let scores = try b.dot(b.parameter([2, 3]), b.parameter([3, 5]))
    return try b.apply(.multiply, scores, try b.graph.append(.constant(Literal(.f32, [2, 5], splat: .real(0.25)))))
  }

  @Test func attentionIsOneKernel() throws {
    let found = try anchors { b in
      let masked = try b.apply(.add, try scores(&b), b.parameter([2, 5]))
      let product = try b.dot(try b.softmax(masked), b.parameter([5, 3]))
      return [try b.apply(.add, product, b.parameter([2, 3]))]
    }
    #expect(found == ["attention"])
  }

  /// Positions that are compared, and what is spread, are computed in the kernel; what they are spread from is not.
  @Test func masksOfAttentionAreNotStored() throws {
    let found = try anchors { b in
      let rows = try b.graph.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, fixed: [2, 5]))))
      let keys = try b.graph.append(.iota(Iota(dimension: 1, resultType: TensorType(.i32, fixed: [2, 5]))))
      let isBefore = try b.apply(.compare(.lessOrEqual, .signed), keys, rows)
      let least = try b.spread(try b.scalar(-.infinity), [], to: [2, 5])
      let masked = try b.apply(.select, isBefore, try scores(&b), least)
      return [try b.dot(try b.softmax(masked), b.parameter([5, 3]))]
    }
    #expect(found == ["attention"])
  }

  @Test func weightsOfAttentionThatAreReadElsewhereAreStored() throws {
    let found = try anchors { b in
      let weights = try b.softmax(try scores(&b))
      return [try b.dot(weights, b.parameter([5, 3])), weights]
    }
    #expect(found == ["contraction", "row", "contraction"])
    let others = try anchors { b in
      let scores = try scores(&b)
      return [try b.dot(try b.softmax(scores), b.parameter([5, 3])), try b.apply(.negate, scores)]
    }
    #expect(!others.contains("attention"))
  }

  @Test func productOfOtherDimensionsThanTheSoftmaxIsNoAttention() throws {
    let found = try anchors { b in
      let weights = try b.softmax(try scores(&b))
      let turned = try b.graph.append(.transpose(Transpose(permutation: [1, 0])), [weights])
      return [try b.dot(turned, b.parameter([2, 3]))]
    }
    #expect(found == ["contraction", "row", "contraction"])
  }

  @Test func whatIsNoSoftmaxIsNoAttention() throws {
    /// Weights of logits, by the largest of others, over the sum of others.
    func weights(_ b: inout GraphBuilder, _ logits: ValueID, largest: ValueID, summed: ValueID) throws -> ValueID {
      let top = try b.spread(try b.fold(largest, [1], .maximum, from: -.infinity), [0], to: [2, 5])
      let powers = try b.apply(.exponential, try b.apply(.subtract, logits, top))
      let sum = try b.fold(summed == logits ? powers : summed, [1], .add, from: 0)
      return try b.apply(.divide, powers, try b.spread(sum, [0], to: [2, 5]))
    }
    for variant in 0..<3 {
      let found = try anchors { b in
        let logits = try scores(&b)
        let other = try b.apply(.abs, logits)
        var last = try weights(
          &b, logits, largest: variant == 0 ? other : logits, summed: variant == 1 ? other : logits)
        if variant == 2 { last = try b.apply(.multiply, last, last) }
        return [try b.dot(last, b.parameter([5, 3]))]
      }
      #expect(!found.contains("attention"), "variant \(variant)")
    }
  }

  @Test func siblingsWithOneOperandAreOneKernel() throws {
    let found = try anchors { b in
      let x = b.parameter([3, 5])
      return [try b.apply(.exponential, x), try b.apply(.hyperbolicTangent, x)]
    }
    #expect(found == ["loop"])
  }

  @Test func siblingsThatDependOnEachOtherElsewhereStayApart() throws {
    let found = try anchors { b in
      let x = b.parameter([3, 5])
      let powers = try b.apply(.exponential, x)
      let sums = try b.fold(powers, [0], .add, from: 0)
      return [powers, try b.apply(.multiply, x, try b.spread(sums, [1], to: [3, 5]))]
    }
    #expect(found == ["loop", "reduction", "loop"])
  }

  /// A row has only its own sum: who reads the sums in another order is a kernel of its own, whatever else is shared.
  @Test(arguments: [[1], [0]]) func foldsReadElsewhereStayApart(_ dimensions: [Int]) throws {
    let found = try anchors { b in
      let (x, y) = (b.parameter([20, 20]), b.parameter([20, 20]))
      let sums = try b.fold(x, dimensions, .add, from: 0)
      let others = try b.fold(try b.apply(.multiply, x, y), dimensions, .add, from: 0)
      let turned = try b.graph.append(.reverse(Reverse(dimensions: [0])), [sums])
      return [try b.apply(.add, others, turned), sums]
    }
    #expect(found == ["reduction", "reduction"])
  }

  @Test func rowsReadByAnotherRowStayApart() throws {
    let found = try anchors { b in
      let powers = try b.apply(.exponential, b.parameter([5, 20]))
      let sums = try b.spread(try b.fold(powers, [1], .add, from: 0), [0], to: [5, 20])
      let turned = try b.graph.append(.reverse(Reverse(dimensions: [0])), [sums])
      return [try b.apply(.divide, powers, sums), try b.apply(.divide, powers, turned)]
    }
    #expect(found.contains("row") && found.count == 2)
  }

  @Test func expensiveValuesAreNotRepeatedPerColumn() throws {
    let found = try anchors { b in
      let x = try b.apply(.hyperbolicTangent, b.parameter([300]))
      let y = try b.spread(x, [1], to: [500, 300])
      return [try b.apply(.add, y, b.parameter([500, 300]))]
    }
    #expect(found == ["loop", "loop"])
  }

  @Test func cheapValuesAreComputedByEachReader() throws {
    let found = try anchors { b in
      let half = try b.graph.append(.constant(Literal(.f32, [4, 3], splat: .real(0.5))))
      let x = try b.apply(.multiply, b.parameter([4, 3]), half)
      return [try b.fold(x, [0], .add, from: 0), try b.fold(x, [1], .maximum, from: -.infinity)]
    }
    #expect(found == ["reduction", "reduction"])
  }

  /// Each level reads the level before at two places: some are stored, so that the work does not double with each.
  @Test func levelsAreNotComputedAgainAndAgain() throws {
    let found = try anchors { b in
      var x = b.parameter([1, 512])
      for _ in 0..<6 {
        var turned = try b.graph.append(.reverse(Reverse(dimensions: [0, 1])), [x])
        for _ in 0..<40 { turned = try b.apply(.negate, try b.apply(.cosine, turned)) }
        x = try b.graph.append(.concatenate(Concatenate(dimension: 0)), [x, turned])
      }
      return [x]
    }
    #expect(found.count > 2)
  }

  /// Columns of an image between columns, of lines between lines: the lines are stored, so that less is gathered.
  @Test func linesAreStoredBeforeColumnsAreGathered() throws {
    let found = try anchors { b in
      func taken(_ x: ValueID, _ d: Int) throws -> ValueID {
        let dimensions = b.graph.type(of: x).dimensions
        let indices = (0..<70).map { Scalar.integer(Int64($0 * 37 % 40)) }
        var parts: [ValueID] = []
        for order in [indices, indices.reversed()] {
          let places = try b.graph.append(.constant(Literal(.i32, [70], order)))
          var extents = dimensions
          extents[d] = .one
          let gather = Gather(
            offsetDims: (0..<3).filter { $0 != d }, collapsedSliceDims: [d], startIndexMap: [d], indexVectorDim: 1,
            sliceExtents: extents)
          parts.append(try b.graph.append(.gather(gather), [x, places]))
        }
        return try b.apply(.add, parts[0], parts[1])
      }
      return [try taken(try taken(b.parameter([20, 40, 40]), 1), 2)]
    }
    #expect(found == ["loop", "loop"])
  }

  @Test func reasonsAreGiven() throws {
    var b = GraphBuilder()
    let x = try b.apply(.exponential, b.parameter([1024, 1024]))
    let y = try b.dot(x, try b.constant([1024, 2]))
    b.graph.results = [y, try b.fold(x, [0], .add, from: 0)]
    var context = PassContext(explains: true)
    var graph = b.graph
    try Pass.fusion.apply(to: &graph, &context)
    let sentences = context.explanations.map(\.description)
    #expect(sentences.contains("stablehlo.exponential: not fused: 2 users, 4.2 MB would be computed for each"))
  }
}
