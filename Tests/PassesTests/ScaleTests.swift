import IR
import Passes
import RandomGraphs
import Testing

/// Large graphs.
@Suite struct ScaleTests {
  /// Residual blocks with row norms and contractions, parameters used everywhere.
  private func deepGraph(blocks: Int) throws -> Graph {
    var b = GraphBuilder()
    var x = b.parameter([8, 16])
    let weights = b.parameter([16, 16])
    let mask = try b.apply(.multiply, b.parameter([8, 16]), b.parameter([8, 16]))
    for _ in 0..<blocks {
      let norm = try b.layerNorm(x)
      let y = try b.apply(.hyperbolicTangent, try b.dot(try b.apply(.multiply, norm, mask), weights))
      x = try b.apply(.add, x, y)
    }
    b.graph.results = [x]
    return b.graph
  }

  /// A pass that is quadratic in the nodes would not end here.
  @Test func manyBlocksAreTwoKernelsEach() throws {
    var graph = try deepGraph(blocks: 1000)
    #expect(graph.nodes.count > 19_000)
    for pass in [Pass.canonicalize, .foldBatchNorm, .fusion] { graph = try graph.applying(pass) }
    let kernels = graph.fusions.map(\.anchor)
    #expect(kernels.filter { $0 == .row }.count == 1000)
    #expect(kernels.filter { $0 == .contraction }.count == 1000)
    #expect(kernels.count == 2000)
  }

  /// Sums of a constant with others that are repeated take its place; many of them would be many copies of it.
  @Test func copiesOfAConstantAreBounded() throws {
    var graph = Graph()
    let numbers = (0..<2048).map { Scalar.real(Double($0)) }
    let constant = try graph.append(.constant(Literal(.f32, [1024, 2], numbers)))
    for number in 1...100 {
      let line = try graph.append(.constant(Literal(.f32, [2], [.real(Double(number)), .real(-1)])))
      let repeated = try graph.append(
        .broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [1024, 2])), [line])
      graph.results.append(try graph.append(.pointwise(.add), [constant, repeated]))
    }
    let sums = try graph.applying(.canonicalize).nodes.filter { $0.op == .pointwise(.add) }
    #expect((80...99).contains(sums.count))
  }

  /// Weights are joined by copying bytes, whatever their size: they would be joined in every run otherwise.
  @Test func largeWeightsAreJoined() throws {
    func matrix(_ seed: UInt8) -> Literal {
      Literal(.f32, [1024, 1000], bytes: (0..<4_096_000).map { seed &+ UInt8(truncatingIfNeeded: $0 >> 2) })
    }
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [3, 1024]))
    var products: [ValueID] = []
    for seed in 1...3 {
      let weights = try graph.append(.constant(matrix(UInt8(seed))))
      let dot = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
      products.append(try graph.append(.dotGeneral(dot), [x, weights]))
    }
    let both = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [1]), resultType: .f32)
    let scores = try graph.append(.dotGeneral(both), [products[0], products[1]])
    let all = Contraction(lhsContracting: [1], rhsContracting: [0])
    graph.results = [try graph.append(.dotGeneral(DotGeneral(all, resultType: .f32)), [scores, products[2]])]
    graph = try graph.applying(.mergeSiblings)
    #expect(
      graph.nodes.compactMap { node in
        guard case .constant(let constant) = node.op else { return nil }
        return constant.value
      } == [Literal.concatenated([matrix(1), matrix(2), matrix(3)], along: 1)])

    var weights = Graph()
    let parts = try (1...3).map { try weights.append(.constant(matrix(UInt8($0)))) }
    weights.results = [try weights.append(.concatenate(Concatenate(dimension: 0)), parts)]
    #expect(try weights.applying(.canonicalize).nodes.map(\.op.mnemonic) == ["stablehlo.constant"])
  }

  @Test func viewsMayBeMany() throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [2, 3]))
    let product = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [0]), resultType: .f32)
    var ends: [ValueID] = []
    for factor in [1.0, 2.0] {
      let weights = Literal(.f32, [3, 4], (0..<12).map { Scalar(factor * Double($0), .f32) })
      var value = try graph.append(.dotGeneral(product), [x, try graph.append(.constant(weights))])
      for _ in 0..<20_000 { value = try graph.append(.transpose(Transpose(permutation: [1, 0])), [value]) }
      ends.append(value)
    }
    let both = DotGeneral(Contraction(lhsContracting: [1], rhsContracting: [1]), resultType: .f32)
    graph.results = [try graph.append(.dotGeneral(both), ends)]
    let merged = try graph.applying(.mergeSiblings)
    #expect(merged.nodes.filter { if case .dotGeneral = $0.op { true } else { false } }.count == 2)
  }

  private static func concatenations(_ graph: Graph) -> [Int] {
    graph.nodes.compactMap { node in
      guard case .concatenate = node.op else { return nil }
      return node.operands.count
    }
  }

  /// A node of many operands, slices of it, and the slices together again in another order.
  @Test func concatenationsOfManyBecomeConcatenationsOfFew() throws {
    let count = 300
    var graph = Graph()
    let parts = (0..<count).map { _ in graph.addParameter(TensorType(.f32, fixed: [2, 3])) }
    let whole = try graph.append(.concatenate(Concatenate(dimension: 0)), parts)
    let slices = try (0..<count).reversed().map { row in
      let slice = Slice(
        starts: [Extent(2 * row + 1), 0], limits: [Extent(min(2 * row + 3, 2 * count)), 3], strides: [1, 1])
      return try graph.append(.slice(slice), [whole])
    }
    graph.results = [try graph.append(.concatenate(Concatenate(dimension: 0)), slices)]
    var after = graph
    for pass in [Pass.expand, .canonicalize] { after = try after.applying(pass) }
    #expect(Self.concatenations(after).allSatisfy { $0 <= 48 })
    #expect(Self.concatenations(after).count == 14)
    let arguments = RandomGraph.arguments(for: graph, seed: 3)
    let context = EvaluationContext()
    #expect(haveSameBits(try graph.evaluate(arguments, in: context), try after.evaluate(arguments, in: context)))
  }

  /// Flattening each anew would take as many operands as there are pairs.
  @Test func chainsOfConcatenationsStayLinear() throws {
    var graph = Graph()
    let x = graph.addParameter(TensorType(.f32, fixed: [1, 3]))
    var value = x
    for _ in 0..<6400 { value = try graph.append(.concatenate(Concatenate(dimension: 0)), [value, x]) }
    graph.results = [value]
    graph = try graph.applying(.canonicalize)
    #expect(Self.concatenations(graph).allSatisfy { $0 <= 48 })
    #expect(Self.concatenations(graph).count < 140)
  }

  /// Each state's next value is made of the neighbour's, so that what is needed comes to light one by one.
  @Test func loopsMayCarryMuch() throws {
    let count = 3000
    let scalar = TensorType.scalar(.f32)
    var condition = Graph()
    var body = Graph()
    let (inCondition, inBody) = (
      (0..<count).map { _ in condition.addParameter(scalar) }, (0..<count).map { _ in body.addParameter(scalar) }
    )
    let compare = Op.pointwise(.compare(.less, .float))
    condition.results = [
      try condition.append(compare, [inCondition[0], try condition.append(.constant(.scalar(.real(9), .f32)))])
    ]
    body.results = try inBody.indices.map { position in
      try body.append(.pointwise(.add), [inBody[position], inBody[(position + 1) % count]])
    }
    var graph = Graph()
    let states = (0..<count).map { _ in graph.addParameter(scalar) }
    let loop = try graph.append(.while(While(condition: condition, body: body)), states)
    graph.results = [graph.results(of: loop)[0]]
    graph = try graph.applying(.canonicalize)
    #expect(graph.nodes.contains { $0.resultTypes.count == count })
  }

  /// Shapes none of which line up with the next, and transposes between them: where an element of the first value ends
  /// up takes expressions that grow with each.
  private func turned(_ value: ValueID, times: Int, in b: inout GraphBuilder) throws -> ValueID {
    var value = value
    for step in 0..<times {
      let shape = [[4, 15], [6, 10], [12, 5], [3, 20], [10, 6]][step % 5]
      value = try b.graph.append(.reshape(Reshape(resultDimensions: shape.map { Extent($0) })), [value])
      value = try b.graph.append(.transpose(Transpose(permutation: [1, 0])), [value])
    }
    return value
  }

  @Test func epiloguesEndWhereElementsAreHardToFollow() throws {
    var b = GraphBuilder()
    let product = try b.apply(.negate, try b.dot(b.parameter([6, 4]), b.parameter([4, 10])))
    b.graph.results = [try b.apply(.squareRoot, try turned(product, times: 60, in: &b))]
    let kernels = try b.graph.applying(.fusion).fusions
    #expect(kernels.filter { $0.anchor == .contraction }.count == 1)
    let anchored = try #require(kernels.first { $0.anchor == .contraction }).body.nodes
    #expect(anchored.contains { if case .pointwise = $0.op { true } else { false } })
    #expect(anchored.count < 20)
  }

  /// Sums, one with each other, and two concatenations that could be one kernel.
  @Test func kernelsReadNoMoreThanADeviceTakes() throws {
    var b = GraphBuilder()
    let sums = try (0..<150).map { _ in try b.apply(.hyperbolicTangent, b.parameter([8, 9])) }
    var value = sums[0]
    for sum in sums.dropFirst() { value = try b.apply(.add, value, sum) }
    let parts = (0..<100).map { _ in b.parameter([8, 3]) }
    let joined = try b.graph.append(.concatenate(Concatenate(dimension: 1)), parts)
    b.graph.results = [value, try b.apply(.exponential, joined)]
    var graph = b.graph
    for pass in [Pass.expand, .canonicalize, .fusion] { graph = try graph.applying(pass) }
    #expect(graph.fusions.allSatisfy { $0.body.parameters.count <= 48 })
    #expect(graph.fusions.contains { $0.body.parameters.count > 40 })
    #expect(graph.fusions.count < 12)
  }

  @Test func kernelsCountTheirChoices() throws {
    var b = GraphBuilder()
    var value = b.parameter([8, 9])
    let edge = try b.scalar(1)
    for step in 0..<1200 {
      let (low, high) = step % 2 == 0 ? (1, -1) : (-1, 1)
      let pad = Pad(low: [Extent(low), 0], high: [Extent(high), 0], interior: [0, 0])
      value = try b.graph.append(.pad(pad), [value, edge])
    }
    b.graph.results = [value]
    let kernels = try b.graph.applying(.fusion).fusions
    #expect(kernels.allSatisfy { $0.body.nodes.count < 260 })
    #expect(kernels.count == 5)
  }
}
