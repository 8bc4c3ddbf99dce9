import IR
import Testing

/// Symbols that data decides: what they may be, and what has to come first.
@Suite struct DataSymbolTests {
  private static let (m, n, k) = (Extent.symbol("m"), Extent.symbol("n"), Extent.symbol("k"))

  /// `x[k]`, of which data keeps n, and of those m.
  private func twice() throws -> (graph: Graph, kept: ValueID) {
    var g = Graph()
    let x = g.addParameter(TensorType(.f32, [Self.k]))
    let size = g.addParameter(.scalar(.i32))
    let first = try g.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: Self.n)), [x, size])
    let second = try g.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: Self.m)), [first, size])
    return (g, second)
  }

  @Test func whatTheyMayBeFollowsFromTheOperand() throws {
    let (graph, _) = try twice()
    #expect(
      try graph.dataSymbols() == [DataSymbol(Symbol("n"), most: Self.k), DataSymbol(Symbol("m"), most: Self.k)])
  }

  /// All of them bound it, and the first that does not need it gives it its value.
  @Test func aSymbolMayBeTheSizeOfSeveral() throws {
    var g = Graph()
    let x = g.addParameter(TensorType(.i32, [Self.k]))
    let size = g.addParameter(.scalar(.i32))
    let sized = SetDimensionSize(dimension: 0, extent: Self.n).op
    let list = try g.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [Self.n]))))
    let zero = try g.append(.constant(.scalar(.integer(0), .i32)))
    let pad = try g.append(.pad(Pad(low: [0], high: [8 - Self.n], interior: [0])), [list, zero])
    let second = try g.append(sized, [pad, size])
    let first = try g.append(sized, [x, size])
    g.results = [try g.append(.pointwise(.add), [second, first])]
    #expect(try g.dataSymbols() == [DataSymbol(Symbol("n"), most: .minimum(8, Self.k))])
    let ordered = try g.decidingExtentsFirst()
    #expect(ordered.nodes.firstIndex { $0.op == sized }.map { ordered.nodes[$0].operands } == [ValueID(0), ValueID(1)])
    let arguments = [Literal(.i32, [3], [5, 6, 7].map { .integer($0) }), Literal(.i32, [], [.integer(2)])]
    #expect(
      try ordered.evaluate(arguments, in: EvaluationContext(symbols: [Symbol("k"): 3]))[0].scalars
        == [5, 7].map { .integer($0) })
  }

  @Test func anExtentOfAnArgumentIsNone() throws {
    var g = Graph()
    let x = g.addParameter(TensorType(.f32, [Self.n]))
    let size = g.addParameter(.scalar(.i32))
    g.results = [try g.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: Self.n)), [x, size])]
    #expect(try g.dataSymbols().isEmpty)
  }

  @Test func expressionsAreBounded() {
    let decided = [DataSymbol(Symbol("n"), most: Self.k), DataSymbol(Symbol("m"), most: 8)]
    let cases: [(Extent, Extent?)] = [
      (Self.n, Self.k), (Self.n * 2 + 3, Self.k * 2 + 3), (Self.k - Self.n, Self.k), (Self.m * Self.k, Self.k * 8),
      (Self.n * Self.m, Self.k * 8), ((Self.m + 7).floorDivided(by: 4), 3), (Self.n.modulo(5), 4),
      (.minimum(Self.m, Self.k), .minimum(8, Self.k)), (.maximum(5 - Self.m, 2), 5), (Self.k + 1, Self.k + 1),
      (Self.k.floorDivided(by: Self.m), nil),
    ]
    for (extent, most) in cases { #expect(extent.most(decided) == most, "\(extent)") }
  }

  /// Nothing but the extent of the list needs the size.
  @Test func whatDecidesAnExtentIsLive() throws {
    var (graph, kept) = try twice()
    let list = try graph.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [Self.n]))))
    graph.results = [list]
    var live = graph.liveValues
    #expect(live[list.index] && !live[kept.index] && live[kept.index - 1] && live[0])
    graph.results = [kept]
    live = graph.liveValues
    #expect(!live[list.index] && live[kept.index])
  }

  @Test func whatDecidesAnExtentComesFirst() throws {
    var g = Graph()
    let size = g.addParameter(.scalar(.i32))
    let list = try g.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [Self.n]))))
    let ten = try g.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [10]))))
    let first = try g.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: Self.n)), [ten, size])
    g.results = [try g.append(.pointwise(.add), [list, first])]
    let ordered = try g.decidingExtentsFirst()
    #expect(
      ordered.nodes.map(\.op.mnemonic) == [
        "parameter", "stablehlo.iota", "stablehlo.set_dimension_size", "stablehlo.iota", "stablehlo.add",
      ])
    let three = Literal(.i32, [], [.integer(3)])
    #expect(try ordered.evaluate([three])[0].scalars == [0, 2, 4].map { .integer($0) })
  }

  @Test func noExtentIsDecidedByItself() throws {
    var g = Graph()
    let list = try g.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [Self.n]))))
    let zero = try g.append(.constant(.scalar(.integer(0), .i32)))
    var body = Graph()
    let pair = (body.addParameter(.scalar(.i32)), body.addParameter(.scalar(.i32)))
    body.results = [try body.append(.pointwise(.add), [pair.0, pair.1])]
    let sum = try g.append(.reduce(Reduce(dimensions: [0], body: body)), [list, zero])
    let ten = try g.append(.iota(Iota(dimension: 0, resultType: TensorType(.i32, [10]))))
    g.results = [try g.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: Self.n)), [ten, sum])]
    #expect(throws: OpError.self) { try g.decidingExtentsFirst() }
  }
}
