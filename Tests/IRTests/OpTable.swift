import IR

/// One op as docs/ops.md shows it: how it is applied to elements of a type, and a note.
struct OpTableRow: Sendable {
  var file: String
  var note: String
  /// The op and its operands' types for one element type.
  var application: @Sendable (ElementType) throws -> (Op, [TensorType])

  init(_ file: String, _ note: String, _ application: @escaping @Sendable (ElementType) throws -> (Op, [TensorType])) {
    self.file = file
    self.note = note
    self.application = application
  }
}

extension OpTableRow {
  /// Every op once, in the order of the table; `Op.tableIndex` keeps it complete.
  static let all: [OpTableRow] = structure + movement + computation + control + dynamic

  private static func unary(_ element: ElementType) -> Graph {
    graph([.scalar(element)]) { _, p in p }
  }

  private static func binary(_ element: ElementType) -> Graph {
    graph([.scalar(element), .scalar(element)]) { _, p in [p[0]] }
  }

  private static func comparator(_ element: ElementType) throws -> Graph {
    try graph([.scalar(element), .scalar(element)]) { g, p in
      [try g.append(.pointwise(.compare(.less, .float)), p)]
    }
  }

  private static let structure = [
    OpTableRow("Structure", "an argument of a function or region") { e in
      (.parameter(Parameter(index: 0, type: type(e, 2))), [])
    },
    OpTableRow("Structure", "") { e in (.constant(Literal(e, [2], splat: .zero(e))), []) },
    OpTableRow("Structure", "one result of an op with several") { e in
      (.getTupleElement(GetTupleElement(index: 0)), [type(e, 2)])
    },
    OpTableRow("Fusion", "nodes that become one kernel; made by the fusion pass") { e in
      (.fusion(Fusion(anchor: .loop, body: unary(e))), [.scalar(e)])
    },
  ]

  private static let movement = [
    OpTableRow("BroadcastInDim", "the result's extents may be symbolic") { e in
      (.broadcastInDim(BroadcastInDim(dimensions: [1], resultDimensions: [2, 3])), [type(e, 3)])
    },
    OpTableRow("Transpose", "") { e in (.transpose(Transpose(permutation: [1, 0])), [type(e, 2, 3)]) },
    OpTableRow("Iota", "") { e in (.iota(Iota(dimension: 0, resultType: type(e, 2, 3))), []) },
    OpTableRow("Reshape", "the result's extents may be symbolic") { e in
      (.reshape(Reshape(resultDimensions: [6])), [type(e, 2, 3)])
    },
    OpTableRow("Slice", "bounds may be symbolic") { e in
      (.slice(Slice(starts: [1], limits: [3], strides: [1])), [type(e, 4)])
    },
    OpTableRow("DynamicSlice", "starts are clamped") { e in
      (.dynamicSlice(DynamicSlice(sliceExtents: [2])), [type(e, 4), .scalar(.i32)])
    },
    OpTableRow("DynamicSlice", "starts are clamped") { e in
      (.dynamicUpdateSlice(DynamicUpdateSlice()), [type(e, 4), type(e, 2), .scalar(.i32)])
    },
    OpTableRow("Concatenate", "") { e in (.concatenate(Concatenate(dimension: 0)), [type(e, 2), type(e, 3)]) },
    OpTableRow("Pad", "edges may be symbolic or negative") { e in
      (.pad(Pad(low: [1], high: [0], interior: [1])), [type(e, 3), .scalar(e)])
    },
    OpTableRow("Reverse", "") { e in (.reverse(Reverse(dimensions: [0])), [type(e, 3)]) },
    OpTableRow("Gather", "slices are clamped into the operand") { e in
      let gather = Gather(
        offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceExtents: [1, 3])
      return (.gather(gather), [type(e, 2, 3), type(.i32, 5)])
    },
    OpTableRow("BitcastConvert", "where the bit widths differ; else a function of elements") { e in
      let bytes = TensorType(.ui8, [2] + (e.bitWidth > 8 ? [Extent(e.bitWidth / 8)] : []))
      return (.bitcastConvert(BitcastConvert(resultType: bytes)), [type(e, 2)])
    },
  ]

  private static let computation = [
    OpTableRow("Pointwise", "see the table of functions") { e in (.pointwise(.add), [type(e, 2), type(e, 2)]) },
    OpTableRow("Reduce", "several inputs, any body") { e in
      (.reduce(Reduce(dimensions: [0], body: binary(e))), [type(e, 2), .scalar(e)])
    },
    OpTableRow("DotGeneral", "any number of batching, contracting and free dimensions") { e in
      (
        .dotGeneral(DotGeneral(Contraction(lhsContracting: [0], rhsContracting: [0]), resultType: e)),
        [type(e, 2), type(e, 2)]
      )
    },
    OpTableRow("Convolution", "any rank and layout, groups, dilations, reversal") { e in
      let numbers = Convolution.DimensionNumbers(
        inputBatch: 0, inputFeature: 1, inputSpatial: [2], kernelInputFeature: 0, kernelOutputFeature: 1,
        kernelSpatial: [2], outputBatch: 0, outputFeature: 1, outputSpatial: [2])
      let op = Convolution(window: [WindowDimension(extent: 2)], dimensionNumbers: numbers, resultType: e)
      return (.convolution(op), [type(e, 1, 1, 3), type(e, 1, 1, 2)])
    },
    OpTableRow("ReduceWindow", "several inputs, any body") { e in
      (.reduceWindow(ReduceWindow(window: [WindowDimension(extent: 2)], body: binary(e))), [type(e, 4), .scalar(e)])
    },
    OpTableRow("SelectAndScatter", "the gradient of pooling") { e in
      let op = SelectAndScatter(window: [WindowDimension(extent: 2)], select: try comparator(e), scatter: binary(e))
      return (.selectAndScatter(op), [type(e, 4), type(e, 3), .scalar(e)])
    },
    OpTableRow("Scatter", "updates outside the operand are dropped") { e in
      let op = Scatter(
        updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0], indexVectorDim: 1, body: binary(e)
      )
      return (.scatter(op), [type(e, 4), type(.i32, 3), type(e, 3)])
    },
    OpTableRow("Sort", "several inputs, any comparator") { e in
      (.sort(Sort(dimension: 0, comparator: try comparator(e))), [type(e, 4)])
    },
    OpTableRow("Sort", "values and indices of the largest elements") { e in (.topK(TopK(k: 2)), [type(e, 4)]) },
    OpTableRow("BatchNorm", "") { e in
      (
        .batchNormInference(BatchNormInference(epsilon: 0, featureIndex: 1)),
        [type(e, 2, 3)] + Array(repeating: type(e, 3), count: 4)
      )
    },
    OpTableRow("BatchNorm", "") { e in
      (.batchNormTraining(BatchNormTraining(epsilon: 0, featureIndex: 1)), [type(e, 2, 3), type(e, 3), type(e, 3)])
    },
    OpTableRow("BatchNorm", "") { e in
      let vectors = Array(repeating: type(e, 3), count: 3)
      return (.batchNormGrad(BatchNormGrad(epsilon: 0, featureIndex: 1)), [type(e, 2, 3)] + vectors + [type(e, 2, 3)])
    },
    OpTableRow("RngBitGenerator", "the bits of XLA's CPU backend; the default algorithm is Philox") { e in
      (.rngBitGenerator(RngBitGenerator(resultType: type(e, 3))), [type(.ui64, 2)])
    },
    OpTableRow("Fft", "over one to three last dimensions") { e in
      (.fft(Fft(kind: e.isComplex ? .forward : .realForward, lengths: [4])), [type(e, 4)])
    },
    OpTableRow("LinearAlgebra", "the other triangle is zero") { e in (.cholesky(Cholesky()), [type(e, 3, 3)]) },
    OpTableRow("LinearAlgebra", "") { e in
      (.triangularSolve(TriangularSolve(leftSide: true, lower: true)), [type(e, 3, 3), type(e, 3, 2)])
    },
  ]

  private static let control = [
    OpTableRow("While", "what the regions use from outside is an operand") { e in
      let condition = try graph([type(e, 2)]) { g, _ in [try g.append(.constant(.scalar(.false, .i1)))] }
      return (.while(While(condition: condition, body: graph([type(e, 2)]) { _, p in p })), [type(e, 2)])
    },
    OpTableRow("If", "what the branches use from outside is an operand") { e in
      let branch = graph([type(e, 2)]) { _, p in p }
      return (.if(If(trueBranch: branch, falseBranch: branch)), [.scalar(.i1), type(e, 2)])
    },
    OpTableRow("Case", "an index out of range takes the last branch") { e in
      (.case(Case(branches: [graph([type(e, 2)]) { _, p in p }])), [.scalar(.i32), type(e, 2)])
    },
    OpTableRow("Call", "inlined before everything else; recursion is refused") { e in
      (.call(Call(function: "f", resultTypes: [type(e, 2)])), [type(e, 2)])
    },
    OpTableRow("Call", "inlined like a call of its decomposition") { e in
      (.composite(Composite(name: "my.op", decomposition: "f", resultTypes: [type(e, 2)])), [type(e, 2)])
    },
    OpTableRow("OptimizationBarrier", "its operands; gone once shapes are resolved") { e in
      (.optimizationBarrier(OptimizationBarrier()), [type(e, 2)])
    },
    OpTableRow("CustomCall", "known targets are lowered on import; the others are refused by name") { e in
      (.customCall(CustomCall(target: "f", resultTypes: [type(e, 2)])), [type(e, 2)])
    },
  ]

  /// Resolving shapes replaces these by the ops above.
  private static let dynamic = [
    OpTableRow("DynamicShape", "becomes `tfc.extent` or a constant") { e in
      (.getDimensionSize(GetDimensionSize(dimension: 0)), [type(e, "n")])
    },
    OpTableRow("DynamicShape", "an expression over symbols as a number") { e in
      (.extentValue(ExtentValue(extent: .symbol("n"), elementType: e)), [])
    },
    OpTableRow("DynamicReshape", "becomes `reshape`") { e in
      (.dynamicReshape(DynamicReshape(resultType: type(e, "m"))), [type(e, "n"), type(.i32, 1)])
    },
    OpTableRow("DynamicBroadcastInDim", "becomes `broadcast_in_dim`") { e in
      (
        .dynamicBroadcastInDim(DynamicBroadcastInDim(dimensions: [], resultType: type(e, "m"))),
        [.scalar(e), type(.i32, 1)]
      )
    },
    OpTableRow("DynamicIota", "becomes `iota`") { e in
      (.dynamicIota(DynamicIota(dimension: 0, resultType: type(e, "m"))), [type(.i32, 1)])
    },
    OpTableRow("DynamicPad", "becomes `pad`") { e in
      let list = type(.i32, 1)
      return (.dynamicPad(DynamicPad(resultType: type(e, "m"))), [type(e, "n"), .scalar(e), list, list, list])
    },
    OpTableRow("DynamicGather", "becomes `gather`") { e in
      let op = DynamicGather(offsetDims: [0], startIndexMap: [0], indexVectorDim: 0, resultType: type(e, "m"))
      return (.dynamicGather(op), [type(e, "n"), type(.i32, 1), type(.i32, 1)])
    },
    OpTableRow("RealDynamicSlice", "becomes `slice`, or `dynamic_slice` where only the size is known") { e in
      let list = type(.i32, 1)
      return (.realDynamicSlice(RealDynamicSlice(resultType: type(e, "m"))), [type(e, "n"), list, list, list])
    },
    OpTableRow("DynamicConv", "becomes `convolution`, of a padded input where the padding is symbolic") { e in
      let numbers = Convolution.DimensionNumbers(
        inputBatch: 0, inputFeature: 1, inputSpatial: [2], kernelInputFeature: 0, kernelOutputFeature: 1,
        kernelSpatial: [2], outputBatch: 0, outputFeature: 1, outputSpatial: [2])
      let op = DynamicConv(
        window: [WindowDimension(extent: 2)], dimensionNumbers: numbers, resultType: type(e, 1, 1, "m"))
      return (.dynamicConv(op), [type(e, 1, 1, "n"), type(e, 1, 1, 2), type(.i32, 1, 2)])
    },
    OpTableRow("FourierTransform", "along any dimension; made of `fft` for a processor") { e in
      (.fourierTransform(FourierTransform(dimension: 0, isInverse: false)), [type(e, 4, 3)])
    },
    OpTableRow("Factorizations", "LAPACK's `getrf`; matrix extents are fixed") { e in
      (.luDecomposition(LUDecomposition()), [type(e, 3, 3)])
    },
    OpTableRow("Factorizations", "LAPACK's `geqrf`") { e in (.householderQR(HouseholderQR()), [type(e, 3, 3)]) },
    OpTableRow("Factorizations", "LAPACK's `orgqr`") { e in
      (.householderProduct(HouseholderProduct()), [type(e, 3, 3), type(e, 3)])
    },
    OpTableRow("Factorizations", "LAPACK's `syevd`; signs of vectors are free") { e in
      (.symmetricEigen(SymmetricEigen()), [type(e, 3, 3)])
    },
    OpTableRow("Factorizations", "LAPACK's `gesdd`; signs of vectors are free") { e in
      (.singularValues(SingularValues()), [type(e, 3, 3)])
    },
    OpTableRow("SetDimensionSize", "the first elements, as many as data says; not in loops and branches") { e in
      (.setDimensionSize(SetDimensionSize(dimension: 0, extent: .symbol("m"))), [type(e, "n"), .scalar(.i32)])
    },
  ]
}

extension Op {
  /// A number for each case: a new case does not compile before it has one here and a row in the table.
  var tableIndex: Int {
    switch self {
    case .parameter: 0
    case .constant: 1
    case .getTupleElement: 2
    case .fusion: 3
    case .broadcastInDim: 4
    case .transpose: 5
    case .iota: 6
    case .reshape: 7
    case .slice: 8
    case .dynamicSlice: 9
    case .dynamicUpdateSlice: 10
    case .concatenate: 11
    case .pad: 12
    case .reverse: 13
    case .gather: 14
    case .bitcastConvert: 15
    case .pointwise: 16
    case .reduce: 17
    case .dotGeneral: 18
    case .convolution: 19
    case .reduceWindow: 20
    case .selectAndScatter: 21
    case .scatter: 22
    case .sort: 23
    case .topK: 24
    case .batchNormInference: 25
    case .batchNormTraining: 26
    case .batchNormGrad: 27
    case .rngBitGenerator: 28
    case .fft: 29
    case .cholesky: 30
    case .triangularSolve: 31
    case .while: 32
    case .if: 33
    case .case: 34
    case .call: 35
    case .composite: 36
    case .optimizationBarrier: 37
    case .customCall: 38
    case .getDimensionSize: 39
    case .extentValue: 40
    case .dynamicReshape: 41
    case .dynamicBroadcastInDim: 42
    case .dynamicIota: 43
    case .dynamicPad: 44
    case .dynamicGather: 45
    case .realDynamicSlice: 46
    case .dynamicConv: 47
    case .fourierTransform: 48
    case .luDecomposition: 49
    case .householderQR: 50
    case .householderProduct: 51
    case .symmetricEigen: 52
    case .singularValues: 53
    case .setDimensionSize: 54
    }
  }
}
