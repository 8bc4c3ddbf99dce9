import IR
import Testing

@Suite struct DynamicOpsTests {
  private static let x = f32([2, 3], [1, 2, 3, 4, 5, 6])
  private static func unknown(_ rank: Int, _ element: ElementType = .f32) -> TensorType {
    TensorType(element, (0..<rank).map { .symbol("?\($0)") })
  }

  @Test func sizes() throws {
    #expect(try evaluate(.getDimensionSize(GetDimensionSize(dimension: 1)), [Self.x])[0].scalars == [.integer(3)])
    let extent = Op.extentValue(ExtentValue(extent: .symbol("n") * 2 + 1, elementType: .i64))
    let context = EvaluationContext(symbols: [Symbol("n"): 5])
    #expect(try evaluate(extent, [], in: context)[0].scalars == [.integer(11)])
  }

  @Test func reshapeAndBroadcast() throws {
    let reshape = Op.dynamicReshape(DynamicReshape(resultType: Self.unknown(2)))
    #expect(try evaluate(reshape, [Self.x, i32([2], [3, 2])])[0] == f32([3, 2], [1, 2, 3, 4, 5, 6]))
    #expect(throws: OpError.self) { try evaluate(reshape, [Self.x, i32([2], [3, 3])]) }
    #expect(throws: OpError.self) { try evaluate(reshape, [Self.x, i32([2], [-3, -2])]) }
    let broadcast = Op.dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: [2, 0], resultType: Self.unknown(3)))
    let wide = try evaluate(broadcast, [f32([1, 3], [7, 8, 9]), i32([3], [3, 2, 2])])[0]
    #expect(wide == f32([3, 2, 2], [7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9]))
    #expect(throws: OpError.self) { try evaluate(broadcast, [Self.x, i32([3], [3, 2, 5])]) }
  }

  @Test func iotaPadAndSlice() throws {
    let iota = Op.dynamicIota(DynamicIota(dimension: 1, resultType: Self.unknown(2)))
    #expect(try evaluate(iota, [i32([2], [2, 3])])[0] == f32([2, 3], [0, 1, 2, 0, 1, 2]))
    let pad = Op.dynamicPad(DynamicPad(resultType: Self.unknown(1)))
    let line = f32([3], [1, 2, 3])
    let cases: [(Int, Int, Int, [Double])] = [
      (1, 2, 0, [9, 1, 2, 3, 9, 9]), (0, 0, 2, [1, 9, 9, 2, 9, 9, 3]), (-1, 1, 0, [2, 3, 9]),
      (1, -2, 1, [9, 1, 9, 2]), (-4, 0, 1, [3]),
    ]
    for (low, high, interior, expected) in cases {
      let amounts = [low, high, interior].map { i32([1], [$0]) }
      let padded = try evaluate(pad, [line, .scalar(.real(9), .f32)] + amounts)[0]
      #expect(padded == f32([expected.count], expected))
    }
    let slice = Op.realDynamicSlice(RealDynamicSlice(resultType: Self.unknown(2)))
    let part = try evaluate(slice, [Self.x, i32([2], [1, 0]), i32([2], [2, 3]), i32([2], [1, 2])])[0]
    #expect(part == f32([1, 2], [4, 6]))
    #expect(throws: OpError.self) {
      try evaluate(slice, [Self.x, i32([2], [1, 0]), i32([2], [3, 3]), i32([2], [1, 2])])
    }
  }

  @Test func gatherAndConvolution() throws {
    let gather = DynamicGather(
      offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, resultType: Self.unknown(2))
    let rows = try evaluate(.dynamicGather(gather), [Self.x, i32([3], [1, 0, 1]), i32([2], [1, 2])])[0]
    #expect(rows == f32([3, 2], [4, 5, 1, 2, 4, 5]))
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: [2], kernelInputFeature: 0, kernelOutputFeature: 1,
      kernelSpatial: [2], outputBatch: 0, outputFeature: 1, outputSpatial: [2])
    let convolution = DynamicConv(
      window: [WindowDimension(extent: 2)], dimensionNumbers: numbers, resultType: Self.unknown(3))
    let line = f32([1, 1, 3], [1, 2, 4])
    let sums = try evaluate(.dynamicConv(convolution), [line, f32([1, 1, 2], [1, 10]), i32([1, 2], [1, 0])])[0]
    #expect(sums == f32([1, 1, 3], [10, 21, 42]))
  }

  @Test func aCustomCallIsRefusedByName() throws {
    let call = Op.customCall(CustomCall(target: "magic", resultTypes: [type(.f32, 2)]))
    #expect(try call.inferTypes([]) == [type(.f32, 2)])
    #expect(throws: OpError.unsupported("stablehlo.custom_call @magic")) { try evaluate(call, []) }
  }

  @Test func aSizeKeepsTheFirstElements() throws {
    let x = f32([2, 3], [1, 2, 3, 4, 5, 6])
    func sized(_ dimension: Int, _ size: Int, _ extent: Extent = .symbol("n")) throws -> Literal {
      try evaluate(
        .setDimensionSize(SetDimensionSize(dimension: dimension, extent: extent)), [x, i32([], [size])])[0]
    }
    #expect(try sized(1, 2) == f32([2, 2], [1, 2, 4, 5]))
    #expect(try sized(0, 1) == f32([1, 3], [1, 2, 3]))
    #expect(try sized(0, 0) == f32([0, 3], []))
    #expect(try sized(1, 3, 3) == x)
    for (size, extent) in [(4, Extent.symbol("n")), (-1, .symbol("n")), (2, 3)] {
      #expect(throws: OpError.self) { try sized(1, size, extent) }
    }
  }

  @Test func constraints() {
    let x = type(.f32, 2, 3)
    let (list, pair) = (type(.i32, 1), type(.i32, 2))
    let reshape = { Op.dynamicReshape(DynamicReshape(resultType: $0)) }
    let broadcast = { (dims: [Int], type: TensorType) in
      Op.dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: dims, resultType: type))
    }
    let iota = { Op.dynamicIota(DynamicIota(dimension: $0, resultType: $1)) }
    let pad = { Op.dynamicPad(DynamicPad(resultType: $0)) }
    let slice = { Op.realDynamicSlice(RealDynamicSlice(resultType: $0)) }
    let size = { Op.setDimensionSize(SetDimensionSize(dimension: $0, extent: $1)) }
    let (two, three) = (Self.unknown(2), Self.unknown(3))
    let value = TensorType.scalar(.f32)
    let refused = [
      RefusedApplication(
        "C1", .getDimensionSize(GetDimensionSize(dimension: 2)), [x], "dimension 2 leaves the 2 dimensions"),
      RefusedApplication("C2", size(2, .symbol("n")), [x, .scalar(.i32)], "dimension 2 leaves the 2 dimensions"),
      RefusedApplication("I2", size(0, .symbol("n")), [x, .scalar(.f32)], "is an integer, not tensor<f32>"),
      RefusedApplication("I2", size(0, .symbol("n")), [x, list], "is an integer, not tensor<1xi32>"),
      RefusedApplication("C1", size(1, 4), [x, .scalar(.i32)], "cannot make 4 elements of the 3"),
      RefusedApplication("I", .extentValue(ExtentValue(extent: 1, elementType: .f32)), [], "an extent is an integer"),
      RefusedApplication("C1", reshape(Self.unknown(1, .i32)), [x, list], "keeps the element type"),
      RefusedApplication("C2", reshape(type(.f32, 7)), [x, list], "of the 6 elements"),
      RefusedApplication(
        "C4", reshape(two), [x, list], "output_shape of dynamic_reshape has 1 elements for 2 dimensions"),
      RefusedApplication("I2", reshape(two), [x, type(.f32, 2)], "is a list of integers"),
      RefusedApplication("C1", broadcast([0, 1], Self.unknown(2, .i32)), [x, pair], "keeps the element type"),
      RefusedApplication("C2", broadcast([0], two), [x, pair], "do not name one dimension for each"),
      RefusedApplication("C3", broadcast([0, 2], two), [x, pair], "leave the 2 dimensions"),
      RefusedApplication("C4", broadcast([1, 1], two), [x, pair], "name one dimension twice"),
      RefusedApplication(
        "C5", broadcast([0, 1], type(.f32, 2, 4)), [x, pair], "cannot broadcast extent 3 to extent 4"),
      RefusedApplication("C7", broadcast([0, 1], three), [x, pair], "has 2 elements for 3 dimensions"),
      RefusedApplication("C1", iota(2, two), [pair], "iota_dimension 2 leaves the 2 dimensions"),
      RefusedApplication("C2", iota(0, two), [list], "has 1 elements for 2 dimensions"),
      RefusedApplication("C1", pad(two), [x, .scalar(.i32), pair, pair, pair], "dynamic_pad cannot pad"),
      RefusedApplication(
        "C2", pad(two), [x, value, pair, list, pair], "edge_padding_high of dynamic_pad has 1 elements"),
      RefusedApplication("C4", pad(three), [x, value, pair, pair, pair], "dynamic_pad keeps the rank"),
      RefusedApplication("I", slice(three), [x, pair, pair, pair], "keeps rank and element type"),
      RefusedApplication("I", slice(two), [x, pair, pair, list], "strides of real_dynamic_slice has 1 elements"),
    ]
    for application in refused { application.check() }
  }

  @Test func constraintsOfGatherAndConvolution() {
    let x = type(.f32, 2, 3)
    let gather = { (dims: [Int], result: TensorType) in
      Op.dynamicGather(
        DynamicGather(
          offsetDims: dims, collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, resultType: result))
    }
    let numbers = Convolution.DimensionNumbers(
      inputBatch: 0, inputFeature: 1, inputSpatial: [2], kernelInputFeature: 0, kernelOutputFeature: 1,
      kernelSpatial: [2], outputBatch: 0, outputFeature: 1, outputSpatial: [2])
    let convolution = { (result: TensorType) in
      Op.dynamicConv(DynamicConv(window: [WindowDimension(extent: 2)], dimensionNumbers: numbers, resultType: result))
    }
    let (line, kernel) = (type(.f32, 1, 1, 3), type(.f32, 1, 1, 2))
    let refused = [
      RefusedApplication(
        "C1", gather([1, 2], Self.unknown(3)), [x, type(.i32, 3), type(.i32, 2)], "do not name each dimension"),
      RefusedApplication(
        "C11", gather([1], Self.unknown(2)), [x, type(.i32, 3), type(.i32, 3)],
        "slice_sizes of dynamic_gather has 3 elements"),
      RefusedApplication(
        "C13", gather([1], Self.unknown(3)), [x, type(.i32, 3), type(.i32, 2)], "has a result of rank 2"),
      RefusedApplication(
        "C14", gather([1], Self.unknown(2, .i32)), [x, type(.i32, 3), type(.i32, 2)], "keeps the element type"),
      RefusedApplication(
        "C4", convolution(Self.unknown(3)), [line, kernel, type(.i32, 2)], "the padding of dynamic_conv"),
      RefusedApplication(
        "C26", convolution(Self.unknown(2)), [line, kernel, type(.i32, 1, 2)], "does not have the result"),
      RefusedApplication(
        "C14", convolution(Self.unknown(3)), [line, type(.f32, 2, 1, 2), type(.i32, 1, 2)], "does not fit"),
    ]
    for application in refused { application.check() }
  }

  @Test func graphsWithUnresolvedExtentsEvaluate() throws {
    let graph = try graph([Self.unknown(2)]) { g, p in
      let sizes = try [1, 0].map { try g.append(.getDimensionSize(GetDimensionSize(dimension: $0)), p) }
      let ones = try sizes.map { try g.append(.reshape(Reshape(resultDimensions: [1])), [$0]) }
      let shape = try g.append(.concatenate(Concatenate(dimension: 0)), ones)
      let type = TensorType(.f32, [.symbol("?a"), .symbol("?b")])
      let turned = try g.append(.dynamicReshape(DynamicReshape(resultType: type)), [p[0], shape])
      return [try g.append(.pointwise(.negate), [turned])]
    }
    let result = try Function(name: "f", graph: graph).evaluate([Self.x], in: Module())
    #expect(result == [f32([3, 2], [-1, -2, -3, -4, -5, -6])])
  }
}
