import Foundation
import IR
import Passes
import Testing

@Suite struct ResolveTests {
  private static let batch = Extent.symbol("batch")
  private static let seq = Extent.symbol("seq")
  private static let matrix = TensorType(.f32, [batch, seq])

  private static func unknown(_ element: ElementType, _ names: String...) -> TensorType {
    TensorType(element, names.map { .symbol($0) })
  }

  /// Resolves, verifies, and compares what both graphs compute for an argument of each shape.
  private func resolve(_ graph: Graph, shapes: [[Int]] = [[2, 3], [1, 5], [4, 1]]) throws -> Graph {
    let resolved = try graph.resolvingShapes().graph
    try resolved.verify()
    for shape in shapes {
      let count = shape.reduce(1, *)
      let x = Literal(.f32, shape, (0..<count).map { Scalar.real(Double($0) - 2) })
      let before = try Function(name: "f", graph: graph).evaluate([x], in: Module())
      let after = try Function(name: "f", graph: resolved).evaluate([x], in: Module())
      for (a, b) in zip(before, after) {
        #expect(a.type == b.type)
        #expect(a.scalars == b.scalars)
      }
    }
    return resolved
  }

  private func liveMnemonics(_ graph: Graph) -> [String] {
    zip(graph.nodes, graph.liveValues).compactMap { node, live in live && !node.op.isParameter ? node.op.mnemonic : nil
    }
  }

  @Test func dynamicBroadcastBecomesSymbolic() throws {
    let graph = try Builder(Self.matrix) { b, x in
      let zero = try b.scalar(0.5)
      let shape = try b.list([try b.size(x, 0), try b.size(x, 1)])
      let type = Self.unknown(.f32, "?1", "?2")
      let full = try b.add(
        .dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: [], resultType: type)), [zero, shape])
      // The file's types say nothing about `?1` being `batch`.
      let sum = b.unchecked(.pointwise(.add), [x, full], type)
      return [sum]
    }.graph
    let resolved = try resolve(graph)
    #expect(resolved.resultTypes == [Self.matrix])
    #expect(liveMnemonics(resolved) == ["stablehlo.constant", "stablehlo.broadcast_in_dim", "stablehlo.add"])
  }

  @Test func dynamicReshapeFollowsArithmetic() throws {
    let graph = try Builder(Self.matrix) { b, x in
      let count = try b.add(.pointwise(.multiply), [try b.size(x, 0), try b.size(x, 1)])
      let flat = try b.add(
        .dynamicReshape(DynamicReshape(resultType: Self.unknown(.f32, "?1"))), [x, try b.list([count])])
      let back = try b.list([try b.size(x, 1), try b.size(x, 0)])
      return [
        b.unchecked(
          .dynamicReshape(DynamicReshape(resultType: Self.unknown(.f32, "?2", "?3"))), [flat, back],
          Self.unknown(.f32, "?2", "?3"))
      ]
    }.graph
    let resolved = try resolve(graph)
    #expect(resolved.resultTypes == [TensorType(.f32, [Self.seq, Self.batch])])
    #expect(liveMnemonics(resolved) == ["stablehlo.reshape", "stablehlo.reshape"])
  }

  @Test func theOtherDynamicOpsBecomeSymbolic() throws {
    let graph = try Builder(Self.matrix) { b, x in
      let (zero, one, two) = (try b.integer(0), try b.integer(1), try b.integer(2))
      let seq = try b.size(x, 1)
      let more = try b.add(.pointwise(.add), [seq, two])
      let numbers = try b.add(
        .dynamicIota(DynamicIota(dimension: 1, resultType: Self.unknown(.f32, "?1", "?2"))), [try b.list([two, more])])
      let zeros = try b.list([zero, zero])
      let padded = try b.add(
        .dynamicPad(DynamicPad(resultType: Self.unknown(.f32, "?3", "?4"))),
        [x, try b.scalar(9), try b.list([zero, one]), try b.list([one, seq]), zeros])
      let last = try b.add(.pointwise(.subtract), [seq, one])
      let sliced = try b.add(
        .realDynamicSlice(RealDynamicSlice(resultType: Self.unknown(.f32, "?5", "?6"))),
        [x, try b.list([zero, last]), try b.list([try b.size(x, 0), seq]), try b.list([one, one])])
      let gather = DynamicGather(
        offsetDims: [0, 1], startIndexMap: [0], indexVectorDim: 0, resultType: Self.unknown(.f32, "?7", "?8"))
      let gathered = try b.add(.dynamicGather(gather), [x, try b.list([zero]), try b.list([one, seq])])
      return [numbers, padded, sliced, gathered]
    }.graph
    let resolved = try resolve(graph)
    let (batch, seq) = (Self.batch, Self.seq)
    #expect(resolved.resultTypes[0] == TensorType(.f32, [2, seq + 2]))
    #expect(resolved.resultTypes[1] == TensorType(.f32, [batch + 1, seq * 2 + 1]))
    #expect(resolved.resultTypes[2] == TensorType(.f32, [batch, 1]))
    #expect(resolved.resultTypes[3] == TensorType(.f32, [1, seq]))
    #expect(!liveMnemonics(resolved).contains { $0.contains("dynamic") })
  }

  /// A size that is known makes a slice, another one stays, with the most that it may be.
  @Test func sizesThatAreKnownAreSlices() throws {
    let matrix = TensorType(.f32, [8, Self.seq])
    let known = try Builder(matrix) { b, x in
      [try b.add(.setDimensionSize(SetDimensionSize(dimension: 1, extent: .symbol("?1"))), [x, try b.integer(2)])]
    }.graph
    let sliced = try resolve(known, shapes: [[8, 3]])
    #expect(sliced.resultTypes == [TensorType(.f32, [8, 2])])
    #expect(liveMnemonics(sliced) == ["stablehlo.slice"])
    var open = Graph()
    let (x, size) = (open.addParameter(matrix), open.addParameter(.scalar(.i32)))
    open.results = [
      try open.append(.setDimensionSize(SetDimensionSize(dimension: 0, extent: .symbol("?1"))), [x, size])
    ]
    let resolved = try open.resolvingShapes()
    #expect(resolved.graph == open)
    #expect(resolved.bounds == [Symbol("?1"): SymbolBounds(lower: 0, upper: 8)])
  }

  @Test func aSizeUsedAsDataIsAnExtent() throws {
    let graph = try Builder(Self.matrix) { b, x in
      let size = try b.add(.pointwise(.convert(.f32)), [try b.size(x, 1)])
      return [try b.add(.pointwise(.divide), [try b.scalar(12), size])]
    }.graph
    let resolved = try resolve(graph)
    #expect(liveMnemonics(resolved) == ["tfc.extent", "stablehlo.convert", "stablehlo.constant", "stablehlo.divide"])
  }

  @Test func fixedSizesAreConstants() throws {
    let graph = try Builder(TensorType(.f32, [2, Self.seq])) { b, x in [try b.size(x, 0), try b.size(x, 1)] }.graph
    let resolved = try resolve(graph, shapes: [[2, 3]])
    #expect(liveMnemonics(resolved) == ["stablehlo.constant", "tfc.extent"])
  }

  @Test func roundingDivisionNeedsAPositiveSize() throws {
    // seq // 2, written with sign corrections as for any integer; the assertion makes the signs known.
    let graph = try Builder(Self.matrix) { b, x in
      let (size, two, one, zero) = (try b.size(x, 1), try b.integer(2), try b.integer(1), try b.integer(0))
      try b.assume(.greaterOrEqual, size, one)
      let quotient = try b.add(.pointwise(.divide), [size, two])
      let signs = try b.add(
        .pointwise(.compare(.notEqual, .signed)),
        [try b.add(.pointwise(.sign), [size]), try b.add(.pointwise(.sign), [two])])
      let rest = try b.add(.pointwise(.remainder), [size, two])
      let isInexact = try b.add(.pointwise(.compare(.notEqual, .signed)), [rest, zero])
      let isLow = try b.add(.pointwise(.and), [signs, isInexact])
      let lower = try b.add(.pointwise(.subtract), [quotient, one])
      let half = try b.add(.pointwise(.select), [isLow, lower, quotient])
      return [
        try b.add(.dynamicIota(DynamicIota(dimension: 0, resultType: Self.unknown(.i32, "?1"))), [try b.list([half])])
      ]
    }.graph
    let resolved = try resolve(graph)
    #expect(resolved.resultTypes == [TensorType(.i32, [Self.seq.floorDivided(by: 2)])])
    #expect(try graph.resolvingShapes().bounds[Symbol("seq")] == SymbolBounds(lower: 1))
  }

  @Test func assertionsBoundAndUnifySymbols() throws {
    var b = Builder()
    let x = b.graph.addParameter(Self.matrix)
    let y = b.graph.addParameter(Self.unknown(.f32, "m", "n"))
    try b.assume(.greaterOrEqual, try b.size(x, 0), try b.integer(1))
    try b.assume(.equal, try b.size(y, 0), try b.size(x, 0))
    try b.assume(.equal, try b.size(y, 1), try b.add(.pointwise(.multiply), [try b.size(x, 1), try b.integer(2)]))
    // -seq + 512 >= 0
    let rest = try b.add(.pointwise(.add), [try b.add(.pointwise(.negate), [try b.size(x, 1)]), try b.integer(512)])
    try b.assume(.greaterOrEqual, rest, try b.integer(0))
    try b.assume(.less, try b.integer(3), try b.integer(4))
    b.graph.results = [x, y]
    let (resolved, bounds) = try b.graph.resolvingShapes()
    #expect(resolved.parameterTypes == [Self.matrix, TensorType(.f32, [Self.batch, Self.seq * 2])])
    #expect(bounds == [Symbol("batch"): SymbolBounds(lower: 1), Symbol("seq"): SymbolBounds(lower: 0, upper: 512)])
    #expect(!resolved.nodes.contains { $0.op.mnemonic == "stablehlo.custom_call" })
  }

  @Test func anAssertionThatNeverHoldsIsRefused() throws {
    var b = Builder()
    try b.assume(.greater, try b.integer(3), try b.integer(4))
    #expect(throws: OpError("a shape assertion never holds: too small")) { try b.graph.resolvingShapes() }
  }

  @Test func operandsOfOneOpHaveOneShape() throws {
    var b = Builder()
    let x = b.graph.addParameter(Self.matrix)
    let y = b.graph.addParameter(Self.unknown(.f32, "?0", "?1"))
    let sum = b.unchecked(.pointwise(.add), [x, y], Self.unknown(.f32, "?2", "?3"))
    b.graph.results = [sum]
    let resolved = try b.graph.resolvingShapes().graph
    try resolved.verify()
    #expect(resolved.parameterTypes == [Self.matrix, Self.matrix])
  }

  @Test func aShapeThatDependsOnDataIsRefused() throws {
    let graph = try Builder(TensorType(.i32, [1])) { b, x in
      [try b.add(.dynamicIota(DynamicIota(dimension: 0, resultType: Self.unknown(.i32, "?1"))), [x])]
    }.graph
    let error = OpError.unsupported("stablehlo.dynamic_iota with a shape that is not known before the run")
    #expect(throws: error) { try graph.resolvingShapes() }
  }

  /// Data that is multiplied again and again is no shape; following it would not end.
  @Test func productsOfDataAreNotFollowed() throws {
    let graph = try Builder(TensorType(.i32, [4])) { b, x in
      var value = x
      for _ in 0..<40 {
        value = try b.add(.pointwise(.add), [try b.add(.pointwise(.multiply), [value, value]), value])
      }
      return [value]
    }.graph
    #expect(try graph.resolvingShapes().graph.nodes.count == graph.nodes.count)
  }

  @Test func aSliceOfKnownSizeMayStartAnywhere() throws {
    let graph = try Builder(Self.matrix, TensorType(.i32, [2])) { b, x, start in
      let size = try b.list([try b.integer(1), try b.integer(2)])
      let limit = try b.add(.pointwise(.add), [start, size])
      let ones = try b.list([try b.integer(1), try b.integer(1)])
      let slice = RealDynamicSlice(resultType: TensorType(.f32, [1, 2]))
      return [try b.add(.realDynamicSlice(slice), [x, start, limit, ones])]
    }.graph
    let resolved = try graph.resolvingShapes().graph
    try resolved.verify()
    #expect(liveMnemonics(resolved).last == "stablehlo.dynamic_slice")
    let x = Literal(.f32, [2, 3], (0..<6).map { Scalar.real(Double($0)) })
    let start = Literal(.i32, [2], [.integer(1), .integer(1)])
    for graph in [graph, resolved] {
      #expect(
        try Function(name: "f", graph: graph).evaluate([x, start], in: Module())[0].scalars == [.real(4), .real(5)])
    }
  }

  @Test func loopsSeeTheSizesTheyCapture() throws {
    let condition = try Builder(.scalar(.i32), Self.unknown(.f32, "?c"), .scalar(.i32)) { b, i, _, n in
      [try b.add(.pointwise(.compare(.less, .signed)), [i, n])]
    }.graph
    let body = try Builder(.scalar(.i32), Self.unknown(.f32, "?b"), .scalar(.i32)) { b, i, x, n in
      let type = Self.unknown(.f32, "?d")
      let ones = try b.add(
        .dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: [], resultType: type)),
        [try b.scalar(1), try b.list([n])])
      return [try b.add(.pointwise(.add), [i, try b.integer(1)]), b.unchecked(.pointwise(.add), [x, ones], type)]
    }.graph
    let graph = try Builder(Self.matrix) { b, x in
      let n = try b.size(x, 0)
      let sums = try b.add(
        .dynamicIota(DynamicIota(dimension: 0, resultType: Self.unknown(.f32, "?1"))), [try b.list([n])])
      let loop = b.graph.appendUnchecked(
        Node(
          op: .while(While(condition: condition, body: body)), operands: [try b.integer(0), sums, n],
          resultTypes: [.scalar(.i32), Self.unknown(.f32, "?2")]))
      return [b.graph.results(of: loop)[1]]
    }.graph
    let resolved = try resolve(graph)
    #expect(resolved.resultTypes == [TensorType(.f32, [Self.batch])])
  }

  @Test func callsAreInlined() throws {
    let half = try Builder(Self.unknown(.f32, "n")) { b, x in
      [
        try b.add(
          .pointwise(.multiply),
          [
            x,
            b.unchecked(
              .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: [.symbol("n")])), [try b.scalar(0.5)],
              Self.unknown(.f32, "n")),
          ])
      ]
    }.graph
    let main = try Builder(TensorType(.f32, [3]), TensorType(.f32, [4])) { b, x, y in
      let call = { (n: Extent) in Op.call(Call(function: "half", resultTypes: [TensorType(.f32, [n])])) }
      return [try b.add(call(3), [x]), try b.add(call(4), [try b.add(call(4), [y])])]
    }.graph
    let module = Module(functions: [Function(name: "main", graph: main), Function(name: "half", graph: half)])
    let resolved = try module.resolved()
    let graph = try #require(resolved.entry).graph
    try graph.verify()
    #expect(resolved.functions.count == 1)
    #expect(liveMnemonics(graph).filter { $0 == "stablehlo.multiply" }.count == 3)
    let arguments = [Literal(.f32, [3], splat: .real(4)), Literal(.f32, [4], splat: .real(8))]
    let results = try #require(resolved.entry).evaluate(arguments, in: resolved)
    #expect(results.map(\.scalars) == [[.real(2), .real(2), .real(2)], [.real(2), .real(2), .real(2), .real(2)]])
  }

  @Test func anExportedFunctionBecomesSymbolic() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Graphs/jax_symbolic.mlir")
    let module = try Module(parsing: try String(contentsOf: file, encoding: .utf8))
    let resolved = try module.resolved()
    let (before, after) = (try #require(module.entry), try #require(resolved.entry))
    try after.graph.verify()
    let (b, s) = (Extent.symbol("b"), Extent.symbol("s"))
    #expect(after.graph.parameterTypes == [TensorType(.f32, [b, s])])
    #expect(after.graph.resultTypes == [TensorType(.f32, [b, s.floorDivided(by: 2) + s])])
    #expect(resolved.symbolBounds[Symbol("s")] == SymbolBounds(lower: 1, upper: 512))
    #expect(resolved.symbolBounds[Symbol("b")] == SymbolBounds(lower: 1))
    #expect(!liveMnemonics(after.graph).contains { $0.contains("dynamic") || $0.contains("get_dimension_size") })
    for shape in [[2, 5], [1, 1], [3, 8]] {
      let x = Literal(.f32, shape, (0..<shape[0] * shape[1]).map { Scalar.real(Double($0) - 2) })
      #expect(try before.evaluate([x], in: module)[0].scalars == after.evaluate([x], in: resolved)[0].scalars)
    }
  }

  @Test func recursionIsRefused() throws {
    let f = try Builder(.scalar(.f32)) { b, x in
      [try b.add(.call(Call(function: "g", resultTypes: [.scalar(.f32)])), [x])]
    }.graph
    let g = try Builder(.scalar(.f32)) { b, x in
      [try b.add(.call(Call(function: "f", resultTypes: [.scalar(.f32)])), [x])]
    }.graph
    let module = Module(functions: [Function(name: "f", graph: f), Function(name: "g", graph: g)])
    #expect(throws: OpError("recursive calls cannot be compiled: @f calls @g calls @f")) { try module.resolved() }
  }

  /// Each function calls the next one twice: what the entry computes has no bound but this.
  @Test func callsThatMultiplyAreRefused() throws {
    let functions = try (0..<60).map { number in
      let call = Op.call(Call(function: "f\(number + 1)", resultTypes: [.scalar(.f32)]))
      let graph = try Builder(.scalar(.f32)) { b, x in
        number == 59 ? [x] : [try b.add(call, [try b.add(call, [x])])]
      }.graph
      return Function(name: "f\(number)", graph: graph)
    }
    #expect(throws: OpError("@f0 has more than 1048576 nodes once its calls are replaced")) {
      try Module(functions: functions).resolved()
    }
  }

  @Test func wrongCallsAreRefused() throws {
    let f = Builder(.scalar(.f32)) { _, x in [x] }.graph
    let wrong: [(Call, TensorType, String)] = [
      (
        Call(function: "none", resultTypes: [.scalar(.f32)]), .scalar(.f32),
        "func.call of @none, which is not in the module"
      ),
      (Call(function: "f"), .scalar(.f32), "@f takes 1 operands and has 1 results, not 1 and 0"),
      (
        Call(function: "f", resultTypes: [.scalar(.f32)]), .scalar(.i32),
        "operand 0 of @f is tensor<i32>, its parameter is tensor<f32>"
      ),
    ]
    for (call, type, message) in wrong {
      let main = try Builder(type) { b, x in
        _ = try b.add(.call(call), [x])
        return []
      }.graph
      let module = Module(functions: [Function(name: "main", graph: main), Function(name: "f", graph: f)])
      #expect(throws: OpError(message)) { try module.resolved() }
    }
  }

  @Test func namedParametersNameSymbols() throws {
    let inner = try Builder(.scalar(.i32), TensorType(.f32, [.symbol("?0")])) { b, n, x in
      let type = Self.unknown(.f32, "?1")
      let ones = try b.add(
        .dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: [], resultType: type)),
        [try b.scalar(1), try b.list([n])])
      return [b.unchecked(.pointwise(.add), [x, ones], type)]
    }.graph
    let main = try Builder(Self.unknown(.f32, "?0")) { b, x in
      [try b.add(.call(Call(function: "wrapped", resultTypes: [Self.unknown(.f32, "?5")])), [try b.size(x, 0), x])]
    }.graph
    let module = Module(functions: [
      Function(name: "main", graph: main), Function(name: "wrapped", graph: inner, parameterNames: ["batch", "arg1"]),
    ])
    let graph = try #require(try module.resolved().entry).graph
    try graph.verify()
    #expect(graph.parameterTypes == [TensorType(.f32, [Self.batch])])
    #expect(graph.resultTypes == [TensorType(.f32, [Self.batch])])
  }

  @Test func symbolsAreSpecialized() throws {
    let graph = try Builder(Self.matrix) { b, x in [try b.size(x, 0), x] }.graph
    var module = Module(functions: [Function(name: "main", graph: graph)])
    module.symbolBounds[Symbol("batch")] = SymbolBounds(lower: 1, upper: 16)
    let fixed = try module.specialized(symbols: [Symbol("batch"): 8])
    #expect(fixed.entry?.graph.parameterTypes == [TensorType(.f32, [8, Self.seq])])
    try #require(fixed.entry).graph.verify()
    #expect(throws: OpError("dimension 'batch' cannot be 17, its range is 1..16")) {
      try module.specialized(symbols: [Symbol("batch"): 17])
    }
    #expect(throws: OpError("the graph has no dimension 'n'; it has 'batch', 'seq'")) {
      try module.specialized(symbols: [Symbol("n"): 1])
    }
    let narrow = try module.bounding(symbols: [Symbol("batch"): SymbolBounds(lower: 0, upper: 4)])
    #expect(narrow.symbolBounds[Symbol("batch")] == SymbolBounds(lower: 1, upper: 4))
    #expect(throws: OpError("dimension 'batch' cannot be in 20.., its range is 1..16")) {
      try module.bounding(symbols: [Symbol("batch"): SymbolBounds(lower: 20)])
    }
  }
}

/// Builds graphs with shape arithmetic as files have it.
private struct Builder {
  var graph = Graph()

  init() {}

  init(_ x: TensorType, build: (inout Builder, ValueID) throws -> [ValueID]) rethrows {
    let x = graph.addParameter(x)
    graph.results = try build(&self, x)
  }

  init(_ x: TensorType, _ y: TensorType, build: (inout Builder, ValueID, ValueID) throws -> [ValueID]) rethrows {
    let (x, y) = (graph.addParameter(x), graph.addParameter(y))
    graph.results = try build(&self, x, y)
  }

  init(
    _ x: TensorType, _ y: TensorType, _ z: TensorType,
    build: (inout Builder, ValueID, ValueID, ValueID) throws -> [ValueID]
  ) rethrows {
    let (x, y, z) = (graph.addParameter(x), graph.addParameter(y), graph.addParameter(z))
    graph.results = try build(&self, x, y, z)
  }

  mutating func add(_ op: Op, _ operands: [ValueID]) throws -> ValueID { try graph.append(op, operands) }

  /// A node with the type that a file gives it.
  mutating func unchecked(_ op: Op, _ operands: [ValueID], _ type: TensorType) -> ValueID {
    graph.appendUnchecked(Node(op: op, operands: operands, resultTypes: [type]))
  }

  mutating func scalar(_ value: Double) throws -> ValueID { try add(.constant(.scalar(.real(value), .f32)), []) }
  mutating func integer(_ value: Int) throws -> ValueID {
    try add(.constant(.scalar(.integer(Int64(value)), .i32)), [])
  }

  mutating func size(_ x: ValueID, _ dimension: Int) throws -> ValueID {
    try add(.getDimensionSize(GetDimensionSize(dimension: dimension)), [x])
  }

  /// The scalars as a list.
  mutating func list(_ scalars: [ValueID]) throws -> ValueID {
    var ones: [ValueID] = []
    for scalar in scalars { ones.append(try add(.reshape(Reshape(resultDimensions: [1])), [scalar])) }
    return try add(.concatenate(Concatenate(dimension: 0)), ones)
  }

  mutating func assume(_ direction: ComparisonDirection, _ a: ValueID, _ b: ValueID) throws {
    let holds = try add(.pointwise(.compare(direction, .signed)), [a, b])
    _ = try add(.customCall(CustomCall(target: "shape_assertion", attributes: ["error_message": "too small"])), [holds])
  }
}
