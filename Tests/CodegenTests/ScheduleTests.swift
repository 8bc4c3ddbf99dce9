import CodegenLLVM
import IR
import Testing

@testable import Codegen

/// A small generator of reproducible values: SplitMix64.
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A value between -2 and 2, a small integer, or any byte.
  mutating func scalar(_ type: ElementType) -> Scalar {
    let unit = Double(next() >> 11) * 0x1p-53
    switch type.kind {
    case _ where type == .i8: return .integer(Int64(unit * 256) - 128)
    case _ where type == .ui8: return .integer(Int64(unit * 256))
    case .boolean: return .integer(unit < 0.5 ? 0 : 1)
    case .signed: return .integer(Int64(unit * 19) - 9)
    case .unsigned: return .integer(Int64(unit * 19))
    case .float: return Scalar(unit * 4 - 2, type)
    case .complex:
      return .complex(
        FloatFormat.round(unit * 4 - 2, to: type.realPart), FloatFormat.round(1 - unit, to: type.realPart))
    }
  }

  mutating func literal(_ type: TensorType) -> Literal {
    let dimensions = type.dimensions.compactMap(\.fixed)
    return Literal(type.elementType, dimensions, (0..<dimensions.reduce(1, *)).map { _ in scalar(type.elementType) })
  }
}

/// A graph with random arguments, run by `evaluate` and as a compiled program of one kernel an op or one in all.
struct ScheduleCase {
  var graph: Graph
  var symbols: [Symbol: Int] = [:]
  var constants: Set<Int> = []

  init(_ parameters: [TensorType], _ build: (inout Graph, [ValueID]) throws -> [ValueID]) throws {
    graph = Graph()
    var values: [ValueID] = []
    for type in parameters { values.append(graph.addParameter(type)) }
    graph.results = try build(&graph, values)
  }

  private func arguments(_ seed: UInt64) throws -> [Literal] {
    var random = SplitMix(state: seed)
    let context = EvaluationContext(symbols: symbols)
    return try graph.parameterTypes.map { random.literal(try context.resolved($0)) }
  }

  /// The graph with some parameters replaced by constants, and the arguments for the others.
  private func specialized(_ arguments: [Literal]) -> (Graph, [Literal]) {
    var result = Graph()
    var map: [ValueID] = []
    var rest: [Literal] = []
    for node in graph.nodes {
      if case .parameter(let parameter) = node.op {
        if constants.contains(parameter.index) {
          map.append(
            result.appendUnchecked(
              Node(op: .constant(arguments[parameter.index]), operands: [], resultTypes: node.resultTypes)))
        } else {
          map.append(result.addParameter(node.type))
          rest.append(arguments[parameter.index])
        }
        continue
      }
      map.append(
        result.appendUnchecked(
          Node(op: node.op, operands: node.operands.map { map[$0.index] }, resultTypes: node.resultTypes)))
    }
    result.results = graph.results.map { map[$0.index] }
    return (result, rest)
  }

  /// The graph as one fusion, its large constants as operands.
  static func fused(_ graph: Graph, _ anchor: Fusion.Anchor) throws -> Graph {
    var outer = Graph()
    var body = Graph()
    var map = [ValueID?](repeating: nil, count: graph.nodes.count)
    var operands: [ValueID] = []
    for (position, node) in graph.nodes.enumerated() {
      switch node.op {
      case .parameter:
        operands.append(outer.addParameter(node.type))
        map[position] = body.addParameter(node.type)
      case .constant(let constant) where constant.value.splatValue == nil:
        operands.append(outer.appendUnchecked(node))
        map[position] = body.addParameter(node.type)
      default:
        map[position] = body.appendUnchecked(
          Node(op: node.op, operands: node.operands.compactMap { map[$0.index] }, resultTypes: node.resultTypes))
      }
    }
    body.results = graph.results.compactMap { map[$0.index] }
    let fusion = try outer.append(.fusion(Fusion(anchor: anchor, body: body)), operands)
    outer.results = outer.results(of: fusion)
    return outer
  }

  func check(
    _ anchor: Fusion.Anchor?, tolerance: Double = 1e-5, cpu: String = "native", tiles: Set<TileFormat> = [],
    l2ByteCount: Int? = nil, multipliesBFloats: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  )
    throws
  {
    let arguments = try arguments(7)
    let (plain, inputs) = specialized(arguments)
    let compiled = try anchor.map { try Self.fused(plain, $0) } ?? plain
    let expected = try graph.evaluate(arguments, in: EvaluationContext(symbols: symbols))
    let compiler = try LLVMCompiler(cpu: cpu, multipliesBFloats: multipliesBFloats)
    let function = Function(name: "main", graph: compiled)
    var target = compiler.target
    target.tileFormats = tiles
    target.l2ByteCount = l2ByteCount ?? target.l2ByteCount
    let program = try Program(function, target: target, precision: multipliesBFloats ? .bf16 : .f32)
    #expect(
      program.kernels.contains { !$0.tileFormats.isEmpty } == !tiles.isEmpty, sourceLocation: sourceLocation)
    let library = try CompiledProgram(program, compiler, LLVMCompiler.Options())
    let results = try library.run(program, inputs, symbols: program.symbols.map { symbols[$0] ?? 0 })
    for (result, (got, want)) in zip(results, expected).enumerated() {
      #expect(got.dimensions == want.dimensions, sourceLocation: sourceLocation)
      let scale = want.scalars.map { $0.realValue.magnitude }.filter(\.isFinite).max() ?? 0
      for position in 0..<want.elementCount {
        let (a, b) = (got[position], want[position])
        if isSame(a, b) { continue }
        let difference = (a.realValue - b.realValue).magnitude + (a.imaginaryValue - b.imaginaryValue).magnitude
        let isNear =
          got.elementType.isFloat || got.elementType.isComplex
          ? difference <= tolerance * max(scale, 1e-30) : false
        if !isNear {
          Issue.record(
            "result \(result), element \(position) of \(want.dimensions): \(a), expected \(b)",
            sourceLocation: sourceLocation)
          return
        }
      }
    }
  }
}

func f32(_ dimensions: Extent...) -> TensorType { TensorType(.f32, dimensions) }

func sumBody(_ function: ScalarFunction = .add, _ type: ElementType = .f32) throws -> Graph {
  var body = Graph()
  let a = body.addParameter(.scalar(type))
  let b = body.addParameter(.scalar(type))
  body.results = [try body.append(.pointwise(function), [a, b])]
  return body
}

@Suite struct ScheduleTests {
  /// A scalar that is read where it may lie beyond an edge.
  @Test func scalarsWithConditions() throws {
    try ScheduleCase([f32(3), f32()]) { g, v in
      let padded = try g.append(.pad(Pad(low: [1], high: [1], interior: [0])), v)
      let first = try g.append(.slice(Slice(starts: [0], limits: [1], strides: [1])), [padded])
      return [try g.append(.reshape(Reshape(resultDimensions: [])), [first])]
    }.check(.loop)
  }

  @Test(arguments: [[5], [2, 3, 5], [7, 1, 33], [0, 4], [], [3, 100], [1]]) func pointwise(_ shape: [Int]) throws {
    let type = TensorType(.f32, fixed: shape)
    try ScheduleCase([type, type]) { g, x in
      let sum = try g.append(.pointwise(.add), [x[0], x[1]])
      return [try g.append(.pointwise(.multiply), [sum, x[0]]), sum]
    }.check(.loop)
  }

  /// Four vectors of bytes and two of two-byte numbers at once, then one, then a part of one.
  @Test(arguments: [ElementType.i8, .ui8, .i16, .f16, .bf16, .i1], [1, 7, 8, 31, 33, 64, 129, 1000])
  func narrowElements(_ type: ElementType, _ count: Int) throws {
    for shape in [[count], [3, count]] as [[Int]] {
      let operand = TensorType(type, fixed: shape)
      for cpu in ["native", "x86-64-v3", "x86-64-v2"] {
        try ScheduleCase([operand, operand]) { g, x in
          let least = try g.append(.pointwise(.minimum), x)
          let isEqual = try g.append(.pointwise(.compare(.equal, type.isFloat ? .float : .unsigned)), [least, x[1]])
          return [try g.append(.pointwise(.select), [isEqual, x[0], least]), isEqual]
        }.check(.loop, cpu: cpu)
      }
    }
    var symbolic = try ScheduleCase([TensorType(type, [.symbol("n")])]) { g, x in
      [try g.append(.pointwise(.maximum), [x[0], x[0]])]
    }
    symbolic.symbols = [Symbol("n"): count]
    try symbolic.check(.loop)
  }

  @Test func broadcastAndTranspose() throws {
    try ScheduleCase([f32(5), f32(5, 3, 2)]) { g, x in
      let wide = try g.append(.broadcastInDim(BroadcastInDim(dimensions: [2], resultDimensions: [2, 3, 5])), [x[0]])
      let turned = try g.append(.transpose(Transpose(permutation: [2, 1, 0])), [x[1]])
      return [try g.append(.pointwise(.subtract), [wide, turned])]
    }.check(.loop)
  }

  /// Reshapes that do not line up, with transposes, reverses and slices between them: each index is several of the one
  /// before, so that the longest of these would never be written.
  @Test(arguments: [1, 2, 5, 9, 60], [4, 60]) func indicesThatGrow(count: Int, first: Int) throws {
    let shapes: [[Extent]] = [[4, 3, 5], [6, 10], [12, 5], [3, 20], [10, 6], [2, 30], [5, 2, 6]]
    try ScheduleCase([f32(Extent(first), Extent(60 / first))]) { g, x in
      var value = x[0]
      for step in 0..<count {
        let shape = shapes[(step + first) % shapes.count]
        value = try g.append(.reshape(Reshape(resultDimensions: shape)), [value])
        if step % 3 == 2 {
          value = try g.append(.reverse(Reverse(dimensions: [0])), [value])
        } else {
          value = try g.append(.transpose(Transpose(permutation: shape.indices.reversed())), [value])
        }
      }
      return [try g.append(.pointwise(.negate), [value])]
    }.check(.loop)
  }

  /// The same element under two names, each an index of its own: it is computed once.
  @Test func grownIndicesAreShared() throws {
    var graph = Graph()
    var value = graph.addParameter(f32(6, 10))
    for step in 0..<30 {
      value = try graph.append(.reshape(Reshape(resultDimensions: step % 2 == 0 ? [4, 15] : [6, 10])), [value])
      let turned = try graph.append(.transpose(Transpose(permutation: [1, 0])), [value])
      let names = try [ScalarFunction.sine, .cosine].map { try graph.append(.pointwise($0), [turned]) }
      value = try graph.append(.pointwise(.multiply), names)
    }
    graph.results = [value]
    let function = Function(name: "main", graph: try ScheduleCase.fused(graph, .loop))
    let kernels = try Program(function, target: try LLVMCompiler(cpu: "x86-64-v3").target).kernels
    #expect(kernels[0].description.split(separator: "\n").count < 20_000)
  }

  @Test func symbolicExtents() throws {
    var example = try ScheduleCase([f32(.symbol("n"), 3), f32(3)]) { g, x in
      let wide = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [.symbol("n"), 3])), [x[1]])
      return [try g.append(.pointwise(.add), [x[0], wide])]
    }
    example.symbols = [Symbol("n"): 37]
    try example.check(.loop)
  }

  @Test(arguments: [[0], [1], [2], [0, 2], [0, 1, 2]]) func reductions(_ dimensions: [Int]) throws {
    try ScheduleCase([f32(3, 5, 37)]) { g, x in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      return [try g.append(.reduce(Reduce(dimensions: dimensions, body: try sumBody())), [x[0], zero])]
    }.check(.reduction)
  }

  /// Folds that keep the innermost dimension: lines of accumulators, with a rest and several folds at once.
  @Test(arguments: [[40, 50], [3, 17, 1030], [64, 2, 33]]) func columnReductions(_ shape: [Int]) throws {
    let dimension = shape.count - 2
    try ScheduleCase([TensorType(.f32, fixed: shape), TensorType(.bf16, fixed: shape)]) { g, x in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let low = try g.append(.constant(.scalar(.real(-.infinity), .bf16)))
      let sum = try g.append(.reduce(Reduce(dimensions: [dimension], body: try sumBody())), [x[0], zero])
      let largest = try g.append(
        .reduce(Reduce(dimensions: [dimension], body: try sumBody(.maximum, .bf16))), [x[1], low])
      let wide = try g.append(.pointwise(.convert(.f32)), [largest])
      return [sum, largest, try g.append(.pointwise(.multiply), [sum, wide])]
    }.check(.reduction)
  }

  /// Panels of columns that are several dimensions, which lie in memory as the panels do: an axis that counts on in its
  /// innermost dimension leaves it.
  @Test(arguments: [8, 16, 32, 48]) func panelsOfSeveralDimensions(channels: Int) throws {
    try ScheduleCase([f32(7, 12), f32(6, 2, 7, Extent(channels))]) { g, x in
      let contraction = Contraction(lhsContracting: [0], rhsContracting: [2])
      let product = try g.append(.dotGeneral(DotGeneral(contraction, resultType: .f32)), x)
      return [try g.append(.transpose(Transpose(permutation: [2, 1, 0, 3])), [product])]
    }.check(.contraction)
  }

  @Test func scattersAndSorts() throws {
    try ScheduleCase([f32(5, 37), TensorType(.i32, fixed: [7]), f32(7, 37)]) { g, x in
      let scatter = Scatter(
        updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1,
        body: try sumBody())
      return [try g.append(.scatter(scatter), x)]
    }.check(.scatter)
    var comparator = Graph()
    let (a, b) = (comparator.addParameter(.scalar(.f32)), comparator.addParameter(.scalar(.f32)))
    comparator.addParameter(.scalar(.i32))
    comparator.addParameter(.scalar(.i32))
    comparator.results = [try comparator.append(.pointwise(.compare(.less, .totalOrder)), [a, b])]
    for (shape, dimension) in [([3, 41, 2], 1), ([2, 7], 1), ([1], 0), ([64], 0), ([5, 0], 0)] {
      try ScheduleCase([TensorType(.f32, fixed: shape), TensorType(.i32, fixed: shape)]) { g, x in
        let sort = Sort(dimension: dimension, isStable: true, comparator: comparator)
        return g.results(of: try g.append(.sort(sort), x))
      }.check(.sort)
    }
  }

  @Test func integerReductions() throws {
    try ScheduleCase([TensorType(.i32, fixed: [4, 19]), TensorType(.i8, fixed: [19, 4])]) { g, x in
      let low = try g.append(.constant(.scalar(ElementType.i32.lowest, .i32)))
      let one = try g.append(.constant(.scalar(.integer(1), .i8)))
      return [
        try g.append(.reduce(Reduce(dimensions: [1], body: try sumBody(.maximum, .i32))), [x[0], low]),
        try g.append(.reduce(Reduce(dimensions: [0], body: try sumBody(.multiply, .i8))), [x[1], one]),
      ]
    }.check(nil)
  }

  static func dot(_ x: TensorType, _ y: TensorType, _ contraction: Contraction, _ epilogue: Bool) throws -> ScheduleCase
  {
    try ScheduleCase([x, y]) { g, v in
      let product = try g.append(.dotGeneral(DotGeneral(contraction, resultType: .f32)), v)
      guard epilogue else { return [product] }
      let type = g.type(of: product)
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let zeros = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [zero])
      return [try g.append(.pointwise(.maximum), [product, zeros])]
    }
  }

  @Test(arguments: [(2, 3, 5), (1, 64, 70), (37, 19, 33), (128, 40, 96), (14, 8, 16), (15, 8, 1), (29, 0, 5)])
  func matrixProducts(_ m: Int, _ k: Int, _ n: Int) throws {
    let plain = Contraction(lhsContracting: [1], rhsContracting: [0])
    for isConstant in [false, true] {
      var example = try Self.dot(TensorType(.f32, fixed: [m, k]), TensorType(.f32, fixed: [k, n]), plain, true)
      if isConstant { example.constants = [1] }
      try example.check(.contraction)
    }
    let turned = Contraction(lhsContracting: [0], rhsContracting: [1])
    try Self.dot(TensorType(.f32, fixed: [k, m]), TensorType(.f32, fixed: [n, k]), turned, false).check(.contraction)
  }

  @Test func batchedProducts() throws {
    let c = Contraction(lhsBatching: [0, 2], rhsBatching: [2, 0], lhsContracting: [3], rhsContracting: [1])
    try Self.dot(f32(2, 17, 3, 6), f32(3, 6, 2, 19), c, true).check(.contraction)
    var symbolic = try Self.dot(
      f32(.symbol("b"), .symbol("s"), 6), f32(.symbol("b"), .symbol("s"), 6),
      Contraction(lhsBatching: [0], rhsBatching: [0], lhsContracting: [2], rhsContracting: [2]), false)
    symbolic.symbols = [Symbol("b"): 3, Symbol("s"): 35]
    try symbolic.check(.contraction)
  }

  @Test func productThatIsReshapedAndTransposed() throws {
    var example = try ScheduleCase([f32(2, 7, 12), f32(12, 96)]) { g, x in
      let product = try g.append(
        .dotGeneral(DotGeneral(Contraction(lhsContracting: [2], rhsContracting: [0]), resultType: .f32)), x)
      let split = try g.append(.reshape(Reshape(resultDimensions: [2, 7, 3, 32])), [product])
      return [try g.append(.transpose(Transpose(permutation: [0, 2, 1, 3])), [split])]
    }
    example.constants = [1]
    try example.check(.contraction)
  }

  static func convolution(
    _ x: [Int], _ k: [Int], channelsLast: Bool, stride: Int = 1, padding: Int = 0, groups: Int = 1, base: Int = 1,
    dilation: Int = 1, reversed: Bool = false, batchGroups: Int = 1, types: [ElementType] = [.f32, .f32, .f32]
  ) throws -> ScheduleCase {
    let n = x.count - 2
    let spatial = Array(0..<n)
    let numbers =
      channelsLast
      ? Convolution.DimensionNumbers(
        inputBatch: 0, inputFeature: n + 1, inputSpatial: spatial.map { $0 + 1 }, kernelInputFeature: n,
        kernelOutputFeature: n + 1, kernelSpatial: spatial, outputBatch: 0, outputFeature: n + 1,
        outputSpatial: spatial.map { $0 + 1 })
      : Convolution.DimensionNumbers(
        inputBatch: 0, inputFeature: 1, inputSpatial: spatial.map { $0 + 2 }, kernelInputFeature: 1,
        kernelOutputFeature: 0, kernelSpatial: spatial.map { $0 + 2 }, outputBatch: 0, outputFeature: 1,
        outputSpatial: spatial.map { $0 + 2 })
    let window = spatial.map {
      WindowDimension(
        extent: Extent(k[numbers.kernelSpatial[$0]]), stride: stride, paddingLow: padding, paddingHigh: padding,
        baseDilation: base, windowDilation: dilation, isReversed: reversed)
    }
    return try ScheduleCase([TensorType(types[0], fixed: x), TensorType(types[1], fixed: k)]) { g, v in
      [
        try g.append(
          .convolution(
            Convolution(
              window: window, dimensionNumbers: numbers, featureGroupCount: groups, batchGroupCount: batchGroups,
              resultType: types[2])), v)
      ]
    }
  }

  @Test func convolutions() throws {
    var examples: [ScheduleCase] = []
    examples.append(try Self.convolution([2, 3, 9, 7], [5, 3, 3, 3], channelsLast: false, padding: 1))
    examples.append(try Self.convolution([2, 9, 7, 3], [3, 3, 3, 37], channelsLast: true, padding: 1))
    examples.append(try Self.convolution([1, 6, 5, 4], [1, 1, 4, 40], channelsLast: true))
    examples.append(try Self.convolution([1, 4, 30, 31], [20, 4, 1, 1], channelsLast: false))
    examples.append(try Self.convolution([1, 3, 21, 23], [16, 3, 5, 3], channelsLast: false, stride: 2, padding: 2))
    examples.append(try Self.convolution([1, 8, 7, 7], [12, 2, 3, 3], channelsLast: false, padding: 1, groups: 4))
    examples.append(try Self.convolution([1, 5, 6, 6], [5, 1, 3, 3], channelsLast: false, padding: 1, groups: 5))
    examples.append(
      try Self.convolution(
        [1, 4, 6, 5], [6, 4, 3, 2], channelsLast: false, padding: 2, base: 2, dilation: 2, reversed: true))
    examples.append(try Self.convolution([2, 3, 50], [4, 3, 5], channelsLast: false, padding: 2))
    examples.append(try Self.convolution([1, 2, 4, 5, 6], [17, 2, 2, 3, 3], channelsLast: false, padding: 1))
    examples.append(try Self.convolution([1, 0, 5, 3], [3, 3, 3, 4], channelsLast: true, padding: 1))
    for example in examples {
      try example.check(.window)
      var packed = example
      packed.constants = [1]
      try packed.check(.window)
    }
  }
}

extension ScheduleTests {
  /// Channels last and no padding, but the batch is not first: the input cannot be read where it is.
  @Test func convolutionWithTheBatchBetweenPixels() throws {
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 1, inputFeature: 3, inputSpatial: [0, 2], kernelInputFeature: 2, kernelOutputFeature: 3,
      kernelSpatial: [0, 1], outputBatch: 1, outputFeature: 3, outputSpatial: [0, 2])
    let window = [2, 3].map { WindowDimension(extent: $0) }
    try ScheduleCase([f32(5, 2, 6, 3), f32(2, 3, 3, 4)]) { g, v in
      [try g.append(.convolution(Convolution(window: window, dimensionNumbers: numbers, resultType: .f32)), v)]
    }.check(.window)
  }
}

@Suite struct RowTests {
  /// `exp(x - max) / sum` over the last dimension.
  static func softmax(_ dimensions: [Extent]) throws -> ScheduleCase {
    try ScheduleCase([TensorType(.f32, dimensions)]) { g, x in
      let last = dimensions.count - 1
      let kept = BroadcastInDim(dimensions: Array(0..<last), resultDimensions: dimensions)
      let low = try g.append(.constant(.scalar(.real(-.infinity), .f32)))
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let largest = try g.append(.reduce(Reduce(dimensions: [last], body: try sumBody(.maximum))), [x[0], low])
      let shifted = try g.append(.pointwise(.subtract), [x[0], try g.append(.broadcastInDim(kept), [largest])])
      let powers = try g.append(.pointwise(.multiply), [shifted, shifted])
      let sum = try g.append(.reduce(Reduce(dimensions: [last], body: try sumBody())), [powers, zero])
      return [try g.append(.pointwise(.divide), [powers, try g.append(.broadcastInDim(kept), [sum])])]
    }
  }

  @Test(arguments: [[3, 5, 37], [4, 16], [2, 1], [70]]) func rows(_ shape: [Int]) throws {
    try Self.softmax(shape.map { Extent($0) }).check(.row)
  }

  @Test func symbolicRows() throws {
    var example = try Self.softmax([.symbol("a"), 3, .symbol("b")])
    example.symbols = [Symbol("a"): 5, Symbol("b"): 41]
    try example.check(.row)
  }
}

extension RowTests {
  /// One row, whose fold is read back through reshapes at another index than it was computed at.
  @Test func oneRowThroughReshapes() throws {
    try ScheduleCase([f32(1, 100)]) { g, x in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let wide = try g.append(.reshape(Reshape(resultDimensions: [1, 100, 1, 1])), [x[0]])
      let powers = try g.append(.pointwise(.exponential), [wide])
      let sum = try g.append(.reduce(Reduce(dimensions: [1, 2, 3], body: try sumBody())), [powers, zero])
      let scalar = try g.append(.reshape(Reshape(resultDimensions: [])), [sum])
      let all = try g.append(
        .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: [1, 100, 1, 1])), [scalar])
      return [try g.append(.pointwise(.divide), [powers, all])]
    }.check(.row)
  }
  /// The powers are also read backwards, so that the result's row cannot hold them while it is written.
  @Test func powersReadBackwards() throws {
    try ScheduleCase([f32(5, 40)]) { g, x in
      let zero = try g.append(.constant(.scalar(.real(0), .f32)))
      let powers = try g.append(.pointwise(.exponential), [x[0]])
      let sum = try g.append(.reduce(Reduce(dimensions: [1], body: try sumBody())), [powers, zero])
      let wide = try g.append(.broadcastInDim(BroadcastInDim(dimensions: [0], resultDimensions: [5, 40])), [sum])
      let turned = try g.append(.reverse(Reverse(dimensions: [1])), [powers])
      return [try g.append(.pointwise(.divide), [turned, wide])]
    }.check(.row)
  }

  /// Exponentials of differences from the row's maximum, over the sum of them: rows of every length around one, two and four
  /// vectors, one and two reduced dimensions.
  @Test(
    arguments: [[3, 1], [2, 5], [3, 16], [2, 31], [3, 64], [2, 67], [1, 131], [5, 300]], ["native", "x86-64-v3"])
  func softmax(_ shape: [Int], cpu: String) throws {
    try Self.exponentials(shape.map { Extent($0) }, reduced: 1).check(.row, cpu: cpu)
    try Self.exponentials(([2] + shape).map { Extent($0) }, reduced: 2).check(.row, cpu: cpu)
  }

  /// Rows short enough to be folded as many at once as a vector has lanes, and what is left of them.
  @Test(
    arguments: [[37, 20], [16, 49], [2, 19, 33], [40, 128], [65, 17]], ["native", "x86-64-v3", "x86-64-v2"])
  func shortRows(_ shape: [Int], cpu: String) throws {
    try Self.exponentials(shape.map { Extent($0) }, reduced: 1).check(.row, cpu: cpu)
    try Self.softmax(shape.map { Extent($0) }).check(.row, cpu: cpu)
    try Self.folds(shape.map { Extent($0) }).check(.row, cpu: cpu)
  }

  @Test(arguments: [0, 1, 15, 16, 53]) func shortRowsOfOpenNumber(_ count: Int) throws {
    for shape: [Extent] in [[.symbol("n"), 24], [3, .symbol("n"), 24], [.symbol("n"), 2, 24]] {
      for var example in [try Self.exponentials(shape, reduced: 1), try Self.folds(shape)] {
        example.symbols = [Symbol("n"): count]
        try example.check(.row)
      }
    }
  }

  @Test func shortRowsOfOtherTypes() throws {
    try Self.exponentials([35, 40], reduced: 1, .bf16).check(.row, tolerance: 0.03)
    try Self.exponentials([2, 35, 5, 4], reduced: 2, .f64).check(.row, tolerance: 1e-12)
    for element in [ElementType.i32, .f64, .f16, .ui8] {
      try Self.folds([33, 12], element).check(.reduction, tolerance: 1e-2)
      try Self.folds([33, 7], element).check(.reduction, tolerance: 1e-2)
    }
  }

  /// The sum of each row, its greatest element with NaN and zeros of both signs among them, and their difference.
  private static func folds(_ dimensions: [Extent], _ element: ElementType = .f32) throws -> ScheduleCase {
    try ScheduleCase([TensorType(element, dimensions)]) { g, x in
      let last = dimensions.count - 1
      let zero = try g.append(.constant(.scalar(.zero(element), element)))
      let low = try g.append(.constant(.scalar(element.lowest, element)))
      let values = element == .f32 ? try LineTests.withSpecials(x[0], &g) : x[0]
      let greatest = try g.append(
        .reduce(Reduce(dimensions: [last], body: try sumBody(.maximum, element))), [values, low])
      let sum = try g.append(.reduce(Reduce(dimensions: [last], body: try sumBody(.add, element))), [x[0], zero])
      return [sum, greatest, try g.append(.pointwise(.subtract), [greatest, sum])]
    }
  }

  /// Results down to the least denormal and to zero.
  @Test func softmaxOfDistantNumbers() throws {
    try Self.exponentials([7, 83], reduced: 1, scale: 30).check(.row)
    try Self.exponentials([7, 83], reduced: 1, .f64, scale: 300).check(.row)
  }

  @Test func softmaxOfNarrowTypes() throws {
    try Self.exponentials([3, 77], reduced: 1, .bf16).check(.row, tolerance: 0.01)
    try Self.exponentials([3, 77], reduced: 1, .f16).check(.row, tolerance: 2e-3)
    try Self.exponentials([3, 77], reduced: 1, .f64).check(.row, tolerance: 1e-12)
  }

  @Test func softmaxOfSymbolicRows() throws {
    for length in [0, 1, 15, 16, 33, 64, 100, 129] {
      var example = try Self.exponentials([.symbol("a"), .symbol("b")], reduced: 1)
      example.symbols = [Symbol("a"): 3, Symbol("b"): length]
      try example.check(.row)
    }
  }

  private static func exponentials(
    _ dimensions: [Extent], reduced: Int, _ type: ElementType = .f32, scale: Double = 1
  ) throws -> ScheduleCase {
    try ScheduleCase([TensorType(type, dimensions)]) { g, x in
      let rank = dimensions.count
      let inner = Array((rank - reduced)..<rank)
      let kept = BroadcastInDim(dimensions: Array(0..<(rank - reduced)), resultDimensions: dimensions)
      let low = try g.append(.constant(.scalar(.real(-.infinity), type)))
      let zero = try g.append(.constant(.scalar(.real(0), type)))
      let body = try sumBody(.maximum, type)
      let factor = try g.append(.constant(.scalar(.real(scale), type)))
      let wide = BroadcastInDim(dimensions: [], resultDimensions: dimensions)
      let factors = try g.append(.broadcastInDim(wide), [factor])
      let values = try g.append(.pointwise(.multiply), [x[0], factors])
      let largest = try g.append(.reduce(Reduce(dimensions: inner, body: body)), [values, low])
      let shifted = try g.append(.pointwise(.subtract), [values, try g.append(.broadcastInDim(kept), [largest])])
      let powers = try g.append(.pointwise(.exponential), [shifted])
      let sum = try g.append(.reduce(Reduce(dimensions: inner, body: try sumBody(.add, type))), [powers, zero])
      return [try g.append(.pointwise(.divide), [powers, try g.append(.broadcastInDim(kept), [sum])])]
    }
  }
}
