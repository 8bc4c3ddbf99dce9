import IR
import Testing

/// One numbered constraint of the StableHLO specification: an op that breaks it, and what is said.
struct ConstraintCase: Sendable, CustomTestStringConvertible {
  let name: String
  let op: Op
  let operands: [TensorType]
  /// The error's text, or the result types where the constraint holds by construction.
  let outcome: Outcome

  enum Outcome: Sendable {
    case error(String)
    case types([TensorType])
  }

  init(_ name: String, _ op: Op, _ operands: [TensorType], error: String) {
    (self.name, self.op, self.operands, self.outcome) = (name, op, operands, .error(error))
  }

  init(_ name: String, _ op: Op, _ operands: [TensorType], gives types: [TensorType]) {
    (self.name, self.op, self.operands, self.outcome) = (name, op, operands, .types(types))
  }

  var testDescription: String { name }

  func check() {
    switch outcome {
    case .error(let message):
      do throws(OpError) {
        let types = try op.inferTypes(operands)
        Issue.record("\(name): accepted, with results \(types)")
      } catch {
        #expect(error.description == message, "\(name)")
      }
    case .types(let types):
      do throws(OpError) {
        #expect(try op.inferTypes(operands) == types, "\(name)")
      } catch {
        Issue.record("\(name): \(error)")
      }
    }
  }
}

@Suite struct ConstraintTests {
  @Test(arguments: ConstraintCase.shape) func shape(_ sample: ConstraintCase) { sample.check() }
  @Test(arguments: ConstraintCase.slices) func slices(_ sample: ConstraintCase) { sample.check() }
  @Test(arguments: ConstraintCase.gathers) func gather(_ sample: ConstraintCase) { sample.check() }
  @Test func scatter() throws { for sample in try ConstraintCase.scatters() { sample.check() } }
  @Test func folds() throws { for sample in try ConstraintCase.folds() { sample.check() } }
  @Test func sorts() throws { for sample in try ConstraintCase.sorts() { sample.check() } }
  @Test(arguments: ConstraintCase.products) func products(_ sample: ConstraintCase) { sample.check() }

  /// Symbolic extents are refused only where no value of the symbols could be right.
  @Test func undecidedExtentsAreAccepted() throws {
    let n = Extent.symbol("n")
    let slice = Op.slice(Slice(starts: [1], limits: [8], strides: [1]))
    #expect(try slice.inferTypes([tensor(.f32, n)]) == [tensor(.f32, 7)])
    #expect(throws: OpError.self) {
      try Op.slice(Slice(starts: [0], limits: [n + 1], strides: [1])).inferTypes([tensor(.f32, n)])
    }
  }
}

extension ConstraintCase {
  static let shape: [ConstraintCase] = [
    .init(
      "iota_c1", .iota(Iota(dimension: 2, resultType: tensor(.i32, 2, 3))), [],
      error: "dim 2 is not one of the 2 dimensions of tensor<2x3xi32>"),
    .init("reshape_c1", .reshape(Reshape(resultDimensions: [6])), [tensor(.i8, 2, 3)], gives: [tensor(.i8, 6)]),
    .init(
      "reshape_c2", .reshape(Reshape(resultDimensions: [5])), [tensor(.f32, 2, 3)],
      error: "cannot reshape tensor<2x3xf32> with 6 elements to tensor<5xf32> with 5"),
    .init(
      "reshape_c2 symbolic", .reshape(Reshape(resultDimensions: [.symbol("n"), 4])), [tensor(.f32, .symbol("n"), 3)],
      error: "cannot reshape tensor<[n]x3xf32> with 3*n elements to tensor<[n]x4xf32> with 4*n"),
    .init("transpose_c1", .transpose(Transpose(permutation: [1, 0])), [tensor(.i8, 2, 3)], gives: [tensor(.i8, 3, 2)]),
    .init(
      "transpose_c2", .transpose(Transpose(permutation: [1, 1])), [tensor(.f32, 2, 3)],
      error: "dims [1, 1] are not a permutation of the 2 dimensions of tensor<2x3xf32>"),
    .init(
      "transpose_c3", .transpose(Transpose(permutation: [2, 0, 1])), [tensor(.f32, 2, 3, 5)],
      gives: [tensor(.f32, 5, 2, 3)]),
    .init(
      "broadcast_in_dim_c1", .broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [2, 3])),
      [tensor(.i8, 3)], gives: [tensor(.i8, 2, 3)]),
    .init(
      "broadcast_in_dim_c2", .broadcastInDim(BroadcastInDim(dimensions: [0], resultDimensions: [2, 3])),
      [tensor(.f32, 2, 3)], error: "dims [0] do not name one dimension for each of tensor<2x3xf32>"),
    .init(
      "broadcast_in_dim_c3", .broadcastInDim(BroadcastInDim(dimensions: [2], resultDimensions: [2, 3])),
      [tensor(.f32, 3)], error: "dims [2] leave the 2 dimensions of the result"),
    .init(
      "broadcast_in_dim_c4", .broadcastInDim(BroadcastInDim(dimensions: [1, 1], resultDimensions: [3, 3])),
      [tensor(.f32, 3, 3)], error: "dims [1, 1] name one dimension twice"),
    .init(
      "broadcast_in_dim_c5", .broadcastInDim(BroadcastInDim(dimensions: [0], resultDimensions: [2, 3])),
      [tensor(.f32, 3)], error: "cannot broadcast extent 3 to extent 2"),
    .init(
      "concatenate_c1", .concatenate(Concatenate(dimension: 0)), [tensor(.f32, 2), tensor(.i32, 2)],
      error: "cannot concatenate elements of tensor<2xf32> and tensor<2xi32>"),
    .init(
      "concatenate_c2", .concatenate(Concatenate(dimension: 0)), [tensor(.f32, 2, 3), tensor(.f32, 2, 5)],
      error: "cannot concatenate tensor<2x3xf32> and tensor<2x5xf32> along dimension 0"),
    .init(
      "concatenate_c3", .concatenate(Concatenate(dimension: 0)), [], error: "concatenate takes at least one operand"),
    .init(
      "concatenate_c4", .concatenate(Concatenate(dimension: 1)), [tensor(.f32, 2)],
      error: "dim 1 is not one of the 1 dimensions of tensor<2xf32>"),
    .init(
      "concatenate_c5", .concatenate(Concatenate(dimension: 0)), [tensor(.ui8, 2)], gives: [tensor(.ui8, 2)]),
    .init(
      "concatenate_c6", .concatenate(Concatenate(dimension: 1)), [tensor(.f32, 2, 3), tensor(.f32, 2, .symbol("n"))],
      gives: [tensor(.f32, 2, .symbol("n") + 3)]),
    .init(
      "pad_c1", .pad(Pad(low: [0], high: [0], interior: [0])), [tensor(.f32, 2), tensor(.i32)],
      error: "cannot pad tensor<2xf32> with tensor<i32>"),
    .init(
      "pad_c2", .pad(Pad(low: [0, 1], high: [0], interior: [0])), [tensor(.f32, 2), tensor(.f32)],
      error: "padding low [0, 1], high [0], interior [0] does not fit the 1 dimensions of tensor<2xf32>"),
    .init(
      "pad_c3", .pad(Pad(low: [0], high: [0], interior: [-1])), [tensor(.f32, 2), tensor(.f32)],
      error: "interior padding [-1] is negative"),
    .init(
      "pad_c4", .pad(Pad(low: [1], high: [-1], interior: [2])), [tensor(.f32, 5), tensor(.f32)],
      gives: [tensor(.f32, 13)]),
    .init(
      "pad_c4 negative", .pad(Pad(low: [-3], high: [0], interior: [0])), [tensor(.f32, 2), tensor(.f32)],
      error: "padding removes more elements than dimension 0 of tensor<2xf32> has"),
    .init("reverse_c1", .reverse(Reverse(dimensions: [0])), [tensor(.i8, 2, 3)], gives: [tensor(.i8, 2, 3)]),
    .init(
      "reverse_c2", .reverse(Reverse(dimensions: [1, 1])), [tensor(.f32, 2, 3)],
      error: "dims [1, 1] name one dimension twice"),
    .init(
      "reverse_c3", .reverse(Reverse(dimensions: [2])), [tensor(.f32, 2, 3)],
      error: "dims [2] leave the 2 dimensions of tensor<2x3xf32>"),
    .init(
      "bitcast_convert_c1 equal", .bitcastConvert(BitcastConvert(resultType: tensor(.f32, 3))), [tensor(.i32, 2)],
      error: "cannot reinterpret the bits of tensor<2xi32> as tensor<3xf32>"),
    .init(
      "bitcast_convert_c1 narrower", .bitcastConvert(BitcastConvert(resultType: tensor(.i8, 2, 2))),
      [tensor(.i32, 2)], error: "cannot reinterpret the bits of tensor<2xi32> as tensor<2x2xi8>"),
    .init(
      "bitcast_convert_c1 wider", .bitcastConvert(BitcastConvert(resultType: tensor(.i32, 2))), [tensor(.i8, 2, 3)],
      error: "cannot reinterpret the bits of tensor<2x3xi8> as tensor<2xi32>"),
    .init(
      "bitcast_convert_c2", .bitcastConvert(BitcastConvert(resultType: tensor(.f64, 2))), [tensor(.complex64, 2)],
      error: "cannot reinterpret the bits of tensor<2xcomplex<f32>> as tensor<2xf64>: only one is complex"),
  ]

  private static let i32 = tensor(.i32)

  static let slices: [ConstraintCase] = [
    .init(
      "slice_c1", .slice(Slice(starts: [0], limits: [1], strides: [1])), [tensor(.i8, 2)], gives: [tensor(.i8, 1)]),
    .init(
      "slice_c2", .slice(Slice(starts: [0], limits: [1, 1], strides: [1])), [tensor(.f32, 2)],
      error: "1 starts, 2 limits and 1 strides do not fit the 1 dimensions of tensor<2xf32>"),
    .init(
      "slice_c3 start", .slice(Slice(starts: [-1], limits: [1], strides: [1])), [tensor(.f32, 2)],
      error: "slice -1:1 leaves dimension 0 of tensor<2xf32>"),
    .init(
      "slice_c3 order", .slice(Slice(starts: [2], limits: [1], strides: [1])), [tensor(.f32, 2)],
      error: "slice 2:1 leaves dimension 0 of tensor<2xf32>"),
    .init(
      "slice_c3 limit", .slice(Slice(starts: [0, 0], limits: [2, 4], strides: [1, 1])), [tensor(.f32, 2, 3)],
      error: "slice 0:4 leaves dimension 1 of tensor<2x3xf32>"),
    .init(
      "slice_c4", .slice(Slice(starts: [0], limits: [1], strides: [0])), [tensor(.f32, 2)],
      error: "strides [0] are not positive"),
    .init(
      "slice_c5", .slice(Slice(starts: [1], limits: [9], strides: [3])), [tensor(.f32, 10)], gives: [tensor(.f32, 3)]),
    .init(
      "dynamic_slice_c1", .dynamicSlice(DynamicSlice(sliceExtents: [1])), [tensor(.i8, 2), i32],
      gives: [tensor(.i8, 1)]),
    .init(
      "dynamic_slice_c2", .dynamicSlice(DynamicSlice(sliceExtents: [1])), [tensor(.f32, 2), i32, i32],
      error: "2 start indices and 1 sizes do not fit the 1 dimensions of tensor<2xf32>"),
    .init(
      "dynamic_slice_c3", .dynamicSlice(DynamicSlice(sliceExtents: [1, 1])), [tensor(.f32, 2, 3), i32, tensor(.i64)],
      error: "start indices tensor<i32>, tensor<i64> are not scalars of one integer type"),
    .init(
      "dynamic_slice_c4", .dynamicSlice(DynamicSlice(sliceExtents: [3])), [tensor(.f32, 2), i32],
      error: "a slice of 3 elements leaves dimension 0 of tensor<2xf32>"),
    .init(
      "dynamic_slice_c5", .dynamicSlice(DynamicSlice(sliceExtents: [1, 3])), [tensor(.f32, 2, 3), i32, i32],
      gives: [tensor(.f32, 1, 3)]),
    .init(
      "dynamic_update_slice_c1", .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, 5), tensor(.f32, 2), i32],
      gives: [tensor(.f32, 5)]),
    .init(
      "dynamic_update_slice_c2", .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, 5), tensor(.i32, 2), i32],
      error: "cannot update tensor<5xf32> with elements of tensor<2xi32>"),
    .init(
      "dynamic_update_slice_c3", .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, 5), tensor(.f32, 2, 1), i32],
      error: "an update tensor<2x1xf32> has not the rank of tensor<5xf32>"),
    .init(
      "dynamic_update_slice_c4", .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, 5), tensor(.f32, 2)],
      error: "0 start indices do not fit the 1 dimensions of tensor<5xf32>"),
    .init(
      "dynamic_update_slice_c5", .dynamicUpdateSlice(DynamicUpdateSlice()),
      [tensor(.f32, 5), tensor(.f32, 2), tensor(.f32)],
      error: "start indices tensor<f32> are not scalars of one integer type"),
    .init(
      "dynamic_update_slice_c6", .dynamicUpdateSlice(DynamicUpdateSlice()), [tensor(.f32, 5), tensor(.f32, 6), i32],
      error: "an update tensor<6xf32> leaves dimension 0 of tensor<5xf32>"),
  ]

  static let products: [ConstraintCase] = [
    dot("c1", lhsBatching: [0], error: "batching dimensions [0] and [] do not pair up"),
    dot("c2", lhsContracting: [1], error: "contracting dimensions [1] and [] do not pair up"),
    dot(
      "c3", lhsBatching: [0], rhsBatching: [0], lhsContracting: [0], rhsContracting: [1],
      error: "dimensions [0, 0] name one dimension twice"),
    dot(
      "c4", lhsBatching: [0], rhsBatching: [0], lhsContracting: [1], rhsContracting: [0],
      error: "dimensions [0, 0] name one dimension twice"),
    dot("c5", lhsBatching: [2], rhsBatching: [0], error: "dimensions [2] leave the 2 dimensions of tensor<2x3xf32>"),
    dot(
      "c6", lhsContracting: [-1], rhsContracting: [0],
      error: "dimensions [-1] leave the 2 dimensions of tensor<2x3xf32>"),
    dot("c7", lhsBatching: [0], rhsBatching: [2], error: "dimensions [2] leave the 2 dimensions of tensor<3x5xf32>"),
    dot(
      "c8", lhsContracting: [1], rhsContracting: [5], error: "dimensions [5] leave the 2 dimensions of tensor<3x5xf32>"),
    dot("c9", lhsBatching: [0], rhsBatching: [0], error: "dot cannot contract tensor<2x3xf32> with tensor<3x5xf32>"),
    dot(
      "c10", lhsContracting: [0], rhsContracting: [0], error: "dot cannot contract tensor<2x3xf32> with tensor<3x5xf32>"
    ),
    .init(
      "dot_general_c12",
      .dotGeneral(
        DotGeneral(
          Contraction(lhsBatching: [2], rhsBatching: [0], lhsContracting: [1], rhsContracting: [2]), resultType: .f32)),
      [tensor(.f32, 2, 3, 4), tensor(.f32, 4, 5, 3, 7)], gives: [tensor(.f32, 4, 2, 5, 7)]),
    convolution(
      "c1", [tensor(.f32, 1, 4, 4), tensor(.f32, 2, 2, 3, 6)],
      error: "a convolution over 2 dimensions needs operands of rank 4, not tensor<1x4x4xf32> and tensor<2x2x3x6xf32>"),
    convolution("c3", stride: 0, error: "strides and dilations of a window are positive"),
    convolution("c6", baseDilation: 0, error: "strides and dilations of a window are positive"),
    convolution("c8", windowDilation: 0, error: "strides and dilations of a window are positive"),
    convolution(
      "c10", batchGroups: 2, [tensor(.f32, 3, 4, 4, 3), tensor(.f32, 2, 2, 3, 6)],
      error: "3 batches of tensor<3x4x4x3xf32> do not fall into 2 groups"),
    convolution(
      "c11", featureGroups: 2, [tensor(.f32, 1, 4, 4, 3), tensor(.f32, 2, 2, 1, 6)],
      error: "a kernel tensor<2x2x1x6xf32> in 2 groups does not fit 3 input features of tensor<1x4x4x3xf32>"),
    convolution("c13", inputFeature: 2, error: "dimension numbers [0, 2, 1, 2] are not a permutation of 4 dimensions"),
    convolution(
      "c14", [tensor(.f32, 1, 4, 4, 3), tensor(.f32, 2, 2, 2, 6)],
      error: "a kernel tensor<2x2x2x6xf32> in 1 groups does not fit 3 input features of tensor<1x4x4x3xf32>"),
    convolution(
      "c15", batchGroups: 4, [tensor(.f32, 4, 4, 4, 3), tensor(.f32, 2, 2, 3, 6)],
      error: "6 output features do not fall into groups"),
    convolution(
      "c16", featureGroups: 4, [tensor(.f32, 1, 4, 4, 12), tensor(.f32, 2, 2, 3, 6)],
      error: "6 output features do not fall into groups"),
    convolution("c18", kernelInput: 3, error: "dimension numbers [3, 3, 0, 1] are not a permutation of 4 dimensions"),
    convolution("c20", outputBatch: 3, error: "dimension numbers [3, 3, 1, 2] are not a permutation of 4 dimensions"),
    convolution("c21", featureGroups: 0, error: "group counts 0 and 1 are not positive"),
    convolution("c22", batchGroups: 0, error: "group counts 1 and 0 are not positive"),
    convolution(
      "c23", featureGroups: 3, batchGroups: 2, error: "feature groups and batch groups cannot both be more than one"),
    .init(
      "convolution_c25", conv(stride: 2, windowDilation: 2), [tensor(.f32, 5, 9, 7, 3), tensor(.f32, 2, 2, 3, 6)],
      gives: [tensor(.f32, 5, 4, 3, 6)]),
  ]

  private static func dot(
    _ name: String, lhsBatching: [Int] = [], rhsBatching: [Int] = [], lhsContracting: [Int] = [],
    rhsContracting: [Int] = [], error: String
  ) -> ConstraintCase {
    let dimensions = Contraction(
      lhsBatching: lhsBatching, rhsBatching: rhsBatching, lhsContracting: lhsContracting, rhsContracting: rhsContracting
    )
    return ConstraintCase(
      "dot_general_\(name)", .dotGeneral(DotGeneral(dimensions, resultType: .f32)),
      [tensor(.f32, 2, 3), tensor(.f32, 3, 5)], error: error)
  }

  private static func conv(
    inputFeature: Int = 3, kernelInput: Int = 2, outputBatch: Int = 0, stride: Int = 1, baseDilation: Int = 1,
    windowDilation: Int = 1, featureGroups: Int = 1, batchGroups: Int = 1
  ) -> Op {
    let window = WindowDimension(
      extent: 2, stride: stride, baseDilation: baseDilation, windowDilation: windowDilation)
    return .convolution(
      Convolution(
        window: [window, window],
        dimensionNumbers: .init(
          inputBatch: 0, inputFeature: inputFeature, inputSpatial: [1, 2], kernelInputFeature: kernelInput,
          kernelOutputFeature: 3, kernelSpatial: [0, 1], outputBatch: outputBatch, outputFeature: 3,
          outputSpatial: [1, 2]),
        featureGroupCount: featureGroups, batchGroupCount: batchGroups, resultType: .f32))
  }

  private static func convolution(
    _ name: String, inputFeature: Int = 3, kernelInput: Int = 2, outputBatch: Int = 0, stride: Int = 1,
    baseDilation: Int = 1, windowDilation: Int = 1, featureGroups: Int = 1, batchGroups: Int = 1,
    _ operands: [TensorType] = [tensor(.f32, 1, 4, 4, 3), tensor(.f32, 2, 2, 3, 6)], error: String
  ) -> ConstraintCase {
    let op = conv(
      inputFeature: inputFeature, kernelInput: kernelInput, outputBatch: outputBatch, stride: stride,
      baseDilation: baseDilation, windowDilation: windowDilation, featureGroups: featureGroups,
      batchGroups: batchGroups)
    return ConstraintCase("convolution_\(name)", op, operands, error: error)
  }
}
